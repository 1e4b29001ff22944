from __future__ import annotations

from numba import njit, prange


def program(u, v, du, dv, feed, kill):
    n, m = u.shape
    u0, u1, v0, v1 = u.copy(), u.copy(), v.copy(), v.copy()
    for _ in range(4):
        for i in prange(1, n - 1):
            for j in range(1, m - 1):
                a, b = u0[i, j], v0[i, j]
                reaction = a * b * b
                spread_u = u0[i + 1, j] + u0[i - 1, j] + u0[i, j + 1] + u0[i, j - 1] - 4.0 * a
                spread_v = v0[i + 1, j] + v0[i - 1, j] + v0[i, j + 1] + v0[i, j - 1] - 4.0 * b
                u1[i, j] = a + (du * spread_u - reaction + feed * (1.0 - a))
                v1[i, j] = b + (dv * spread_v + reaction - (feed + kill) * b)
        u0, u1, v0, v1 = u1, u0, v1, v0
    u[:] = u0
    v[:] = v0


run = njit(cache=True)(program)
run_parallel = njit(cache=True, parallel=True)(program)
