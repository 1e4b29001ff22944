"""Declarations of operations, one file a family; importing this package declares them all."""

from __future__ import annotations

from lazyarr.ops import (
    control,
    create,
    elementwise,
    fft,
    index,
    lapack,
    linalg,
    loops,
    reduce,
    shape,
    signal,
    sort,
    window,
)  # fmt: skip

__all__ = ["control", "create", "elementwise", "fft", "index", "lapack", "linalg", "loops", "reduce", "shape", "signal",
           "sort", "window"]  # fmt: skip
