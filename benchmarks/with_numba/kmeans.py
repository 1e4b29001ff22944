from __future__ import annotations

import numpy as np
from numba import njit, prange


def program(points, clusters):
    n, dimensions = points.shape
    centres = points[:clusters].copy()
    labels = np.full(n, -1)
    new = np.empty(n, dtype=np.int64)
    iterations = 0
    while True:
        changed = 0
        for i in prange(n):
            best, nearest = np.inf, 0
            for k in range(clusters):
                distance = 0.0
                for d in range(dimensions):
                    distance += (points[i, d] - centres[k, d]) ** 2
                if distance < best:
                    best, nearest = distance, k
            if nearest != labels[i]:
                changed += 1
            new[i] = nearest
        iterations += 1
        if changed == 0 or iterations == 20:
            break
        labels[:] = new
        total = np.zeros((clusters, dimensions))
        count = np.zeros(clusters)
        for i in range(n):
            total[labels[i]] += points[i]
            count[labels[i]] += 1.0
        for k in range(clusters):
            if count[k] > 0:
                centres[k] = total[k] / count[k]
    return centres, labels, iterations


run = njit(program)
run_parallel = njit(parallel=True)(program)
