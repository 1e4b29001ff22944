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
for t in (rng.random((900, 7)) - 0.3, rng.random((301, 5)) + 1j * rng.random((301, 5))):
    q, r = np.linalg.qr(t)
    print(q.shape, r.shape, q.dtype, *(f"{x:.8g}" for x in (*np.asarray(q[0]), *np.asarray(q[-1]), *np.asarray(r[2]))))
    print(f"{abs(np.linalg.qr(t, 'r') - r).max() < 1e-12} {abs(q @ r - t).max() < 1e-12}")
    x, left, rank, sizes = np.linalg.lstsq(t, t @ np.arange(t.shape[1]) + np.arange(len(t)) % 3)
    print(*(f"{y:.8g}" for y in (*np.asarray(x), *np.asarray(left), *np.asarray(sizes))), int(rank))
    if hasattr(q, "local") and q.local.array.size < q.size:
        assert q.local.array.size < 0.6 * q.size
print(f"{np.linalg.det(a / 3):.8g} {np.linalg.det(z / 4):.8g}", *(f"{float(x):.8g}" for x in np.linalg.slogdet(s)))
print(np.linalg.det(s * 0 + 1), *np.linalg.slogdet(s * 0))
