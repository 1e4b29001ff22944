from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(data, radius, rings):
    n, m = data.shape
    limit = 1.001 * radius.max()
    edges = np.empty(rings + 1)
    for i in range(rings + 1):
        edges[i] = limit * i / rings
    total = np.zeros(rings)
    count = np.zeros(rings)
    for i in prange(n):
        row_total = np.zeros(rings)
        row_count = np.zeros(rings)
        for j in range(m):
            ring = np.searchsorted(edges, radius[i, j], side="right") - 1
            if ring < rings:
                row_total[ring] += data[i, j]
                row_count[ring] += 1.0
        total += row_total
        count += row_count
    return total / count


run = njit(program)
run_parallel = njit(parallel=True)(program)
