"""Declarations of operations, one file a family; importing this package declares them all."""

from __future__ import annotations

from lazyarr.ir.op import OPS
from lazyarr.ops import (
    control,
    create,
    draws,
    elementwise,
    fft,
    index,
    lapack,
    linalg,
    loops,
    ordered,
    python_math,
    reduce,
    shape,
    signal,
    sort,
    special,
    tridiagonal,
    window,
)  # fmt: skip

#: Names of the operations that are lazyarr's own: what they do changes with its sources alone.
OWN = frozenset(OPS)

__all__ = ["OWN", "control", "create", "draws", "elementwise", "fft", "index", "lapack", "linalg", "loops", "ordered",
           "python_math", "reduce", "shape", "signal", "sort", "special", "tridiagonal", "window"]  # fmt: skip
