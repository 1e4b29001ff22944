"""Conjugate gradients for a symmetric positive definite system until the residual's norm is below a tolerance.

(Golub and Van Loan, Matrix Computations, algorithm 11.3.3.) Gives the solution and the number of iterations.
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (9, 1e-8), "bench": (900, 1e-10)}


def make(size):
    n, tolerance = size
    rng = np.random.default_rng(57)
    b = rng.standard_normal((n, n))
    return b @ b.T / n + 0.005 * np.eye(n), rng.standard_normal(n), tolerance


def run(a, b, tolerance):
    x = np.zeros_like(b)
    r = b - a @ x
    p = r.copy()
    rho = r @ r
    iterations = 0
    while np.sqrt(rho) > tolerance * np.linalg.norm(b) and iterations < 10 * len(b):
        q = a @ p
        alpha = rho / (p @ q)
        x += alpha * p
        r -= alpha * q
        rho, old = r @ r, rho
        p = r + rho / old * p
        iterations += 1
    return x, iterations
