"""Conjugate gradients for Poisson's equation on a grid, the matrix applied as a stencil.

(Golub and Van Loan, Matrix Computations, algorithm 11.3.3.) Gives the solution and the number of iterations.
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (8, 1e-6), "bench": (128, 1e-6)}


def make(size):
    n, tolerance = size
    return np.random.default_rng(58).standard_normal((n, n)), tolerance


def negative_laplacian(u):
    out = 4.0 * u
    out[1:] -= u[:-1]
    out[:-1] -= u[1:]
    out[:, 1:] -= u[:, :-1]
    out[:, :-1] -= u[:, 1:]
    return out


def run(f, tolerance):
    u = np.zeros_like(f)
    residual = f.copy()
    direction = residual.copy()
    rho = np.sum(residual * residual)
    stop = tolerance * np.sqrt(rho)
    iterations = 0
    while np.sqrt(rho) > stop:
        applied = negative_laplacian(direction)
        alpha = rho / np.sum(direction * applied)
        u += alpha * direction
        residual -= alpha * applied
        old = rho
        rho = np.sum(residual * residual)
        direction = residual + (rho / old) * direction
        iterations += 1
    return u, iterations
