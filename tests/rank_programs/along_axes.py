"""Sorts, quantiles, transforms and products along axes that are split."""

# mypy: ignore-errors
from __future__ import annotations

import zlib

import numpy as np


def show(name, *xs):
    for x in xs:
        x = np.asarray(x)
        some = x.ravel()[[0, 1, -2, -1]].tolist() if x.size > 3 else []
        print(name, x.shape, x.dtype, f"{abs(x).sum():.8g}", *[f"{abs(y):.8g}" for y in some])


def same(name, *xs):
    for x in xs:
        print(name, np.shape(x), f"{zlib.crc32(np.ascontiguousarray(x).tobytes()):08x}")


rng = np.random.default_rng(5)
a, v, w = rng.random((90, 70)), rng.random(5001), np.round(rng.random(5000) * 50)
same("sort", np.sort(a, axis=0), np.argsort(a, axis=0, kind="stable"), np.sort(v), np.partition(a, 5, axis=0)[5],
     np.partition(v, 77)[77], np.sort(a[:, :2], axis=0), np.sort(a * 1j, axis=0))
same("unique", np.unique(w), *np.unique(w, return_index=True, return_inverse=True, return_counts=True))
show("median", np.median(a, axis=0), np.median(a, axis=1), np.median(v), np.median(a), np.median(w), np.nanmedian(v))
show("quantile", np.quantile(v, [0.1, 0.3, 0.5, 0.99]), np.percentile(a, [10, 50], axis=0), np.percentile(a, 33.3),
     np.nanpercentile(a, 20, axis=0))
show("fft", np.fft.fft(a, axis=0), np.fft.rfft(a, axis=0), np.fft.irfft(np.fft.rfft(a, axis=0), axis=0),
     np.fft.fft(a, 64, axis=0), np.fft.ifft(a, 100, axis=0), np.fft.rfft2(a), np.fft.fft(v))
show("einsum", np.einsum("ij,ik->jk", a, a), np.einsum("ij,ij->", a, a), np.einsum("ij,k->i", a, v),
     np.einsum("ij->ji", a), np.einsum("ij,kj->ik", a, a), np.einsum("ii->i", a[:70] @ a.T @ a), np.einsum("ij->j", a),
     np.einsum("i...,i...->...", a, a), np.einsum("...i,i", a, v[:70]))
