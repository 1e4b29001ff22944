"""The product of a sparse matrix in compressed rows with a vector.

(Saad, Iterative Methods for Sparse Linear Systems, 3.5.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (9, 8, 20), "bench": (8_000, 8_000, 400_000)}


def make(size):
    rows, columns, entries = size
    rng = np.random.default_rng(52)
    counts = np.bincount(rng.integers(0, rows, entries), minlength=rows)
    indptr = np.zeros(rows + 1, dtype=np.int32)
    np.cumsum(counts, out=indptr[1:])
    return indptr, rng.integers(0, columns, entries, dtype=np.int32), rng.random(entries), rng.random(columns)


def run(indptr, indices, data, x):
    y = np.empty(len(indptr) - 1, dtype=data.dtype)
    for i in range(len(indptr) - 1):
        cols = indices[indptr[i] : indptr[i + 1]]
        vals = data[indptr[i] : indptr[i + 1]]
        y[i] = vals @ x[cols]
    return y
