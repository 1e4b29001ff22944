"""Linear systems and Cholesky factors of matrices that are split."""

# mypy: ignore-errors
from __future__ import annotations

import numpy as np

rng = np.random.default_rng(2)
a, b = rng.random((151, 151)) + 3 * np.eye(151), rng.random((151, 30))
z = a + 1j * a.T
for x in (np.linalg.solve(a, b), np.linalg.solve(a, b[:, 0]), np.linalg.solve(z, b + 0j), np.linalg.inv(a)):
    print(x.shape, x.dtype, f"{abs(x).sum():.8g} {abs(x.ravel()[-1]):.8g}")
s = a @ a.T + np.eye(151)
factor = np.linalg.cholesky(s)
print(f"{abs(factor).sum():.8g} {abs(factor @ factor.T - s).max() < 1e-10} {factor[0, 5]} {np.linalg.det(s / 1e3):.6g}")
for call in (lambda: np.linalg.solve(np.zeros((40, 40)), np.ones(40)), lambda: np.linalg.solve(s * 0 + 1, b),
             lambda: np.linalg.cholesky(-s)):  # fmt: skip
    try:
        print(call())
    except np.linalg.LinAlgError as error:
        print(error)
