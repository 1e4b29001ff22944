"""Products of matrices of our own: for processors whose vectors are wider than those that NumPy's BLAS knows to use.

The code (`native_gemm_code`) is one function for a dtype, compiled when a program calls it first.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import ExitStack
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from lazyarr.backends import native_engine, native_gemm_code, native_linked, native_threads
from lazyarr.backends.native_blas import address
from lazyarr.backends.native_emit import FORK, Code, Index
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Along, Storage, Strided, view

#: OpenBLAS's names of processors for which it uses vectors of 32 bytes, or less.
_NARROW = ("HASWELL", "ZEN", "SANDYBRIDGE", "NEHALEM", "PRESCOTT", "EXCAVATOR", "PILEDRIVER")
#: Multiplications from which on it is faster than BLAS: packing takes its time.
_LEAST = 48**3
#: Columns that fill a vector; terms for which that pays whatever the shape, or with so many rows and columns; columns
#: of a factor that is not packed for so few rows. (OpenBLAS's threads wait for more work for tens of milliseconds, on
#: the cores of ours: it is called as little as can be.)
_COLUMNS, _TERMS, _FEW_TERMS, _MANY, _WIDE = 8, 32, 4, 64, 1024


@lru_cache(maxsize=1)
def is_faster() -> bool:
    """Whether NumPy's BLAS uses vectors of half the width that the processor has."""
    if not native_engine.has("avx512f") or not native_threads.are_possible():
        return False
    found = native_linked.linked("numpy._core._multiarray_umath", "openblas_get_corename", "64_")
    if found is None:
        return False
    library: Any = native_linked.library("numpy._core._multiarray_umath")
    name = getattr(library, found[0])
    name.restype = ctypes.c_char_p
    return name().decode().upper() in _NARROW


def multiplies(a: Storage, b: Storage) -> bool:
    """Whether `matmul` takes ``a @ b``: stacks of matrices, or one and a matrix, that are known to be large."""
    if a.dtype not in (np.float32, np.float64) or len(a.shape) < 2 or len(b.shape) < 2:
        return False
    if not all(isinstance(n, int) and n > 0 for n in (*a.shape, *b.shape)):
        return False
    if len(b.shape) > 2 and a.bounds[:-2] != b.bounds[:-2]:
        return False  # (They are broadcast.)
    m, (k, n) = int(np.prod(a.bounds[:-1] if len(b.shape) == 2 else a.bounds[-2], dtype=object)), b.bounds[-2:]
    pays = k >= _TERMS or (k >= _FEW_TERMS and min(m, n) >= _MANY) or (m <= native_gemm_code.FEW and n >= _WIDE)
    return m > 1 and n >= _COLUMNS and pays and m * n * k >= _LEAST and is_faster()


def matmul(frame: Frame, a: Storage, b: Storage, target: Strided) -> None:
    """``target = a @ b`` of what it `multiplies`."""
    frame.working.append(target)
    a, b = frame.stored(a), frame.stored(b)
    frame.working += [a, b]
    stacks = b.bounds[:-2]
    if not stacks and _apart(a) is None:
        a = frame.materialize(a)
        frame.working.append(a)
    (k, n), m = b.bounds[-2:], int(np.prod(a.bounds[len(stacks) : -1]))
    size = native_gemm_code.room(a.dtype, m, n, k)
    memory = frame.lowering.allocate(a.dtype, (size,), (size,))
    c = frame.code
    with ExitStack() as loops:
        at = [loops.enter_context(c.loop(0, count)) for count in stacks]
        a, b, target = (_one(c, x, at) for x in (a, b, target))
        _call(c, a, b, target, memory, (m, n, k))


def _one(c: Code, x: Strided, at: Sequence[Index]) -> Strided:
    """One of a stack of matrices."""
    axes = range(len(x.shape) - len(at))
    found = view(c, x, (*(Along(i, -1, 0) for i in at), *(Along(0, k, 1) for k in axes)), x.shape[len(at) :],
                 x.bounds[len(at) :])  # fmt: skip
    assert isinstance(found, Strided)
    return found


def _call(c: Code, a: Strided, b: Strided, target: Strided, memory: Strided, size: tuple[int, int, int]) -> None:
    name, (m, n, k) = function(a.dtype), size
    c.module.declare(name, f"declare void @{name}(ptr)")
    c.forks = True
    words: list[tuple[str, Index | None]] = []
    for x, apart in ((a, _apart(a)), (b, b.strides[0])):
        words += [("ptr", address(c, x)), ("i64", apart), ("i64", x.strides[-1])]
    words += [("ptr", address(c, target)), ("i64", n), ("i64", m), ("i64", n), ("i64", k), ("ptr", address(c, memory))]
    table = c.scratch("gemm", "i64", len(words))
    for at, (type, word) in enumerate(words):
        c.do(f"store {type} {word}, ptr {c.emit(f'getelementptr inbounds i64, ptr {table}, i64 {at}')}")
    c.do(f"call void @{name}(ptr {table})")


def _apart(x: Strided) -> Index | None:
    """How far the rows of one or several matrices are from one another; None where not all are evenly apart."""
    axes = [(n, stride) for n, stride in zip(x.bounds[:-1], x.strides[:-1], strict=True) if n != 1]
    for (_, outer), (n, inner) in pairwise(axes):
        if not isinstance(inner, int) or outer != n * inner:
            return None
    return axes[-1][1] if axes else 0


@lru_cache(maxsize=4)
def function(dtype: np.dtype[Any]) -> str:
    """The name of a function of one pointer, known to the linker: ``c = a @ b`` for float32 or float64.

    It points to twelve words: the address of a, its strides (in elements), the same of b, the address of c and how far
    its rows are apart (its columns are side by side), m, n and k of an ``m x k`` and a ``k x n`` matrix, and the
    address of working memory (`native_gemm_code.room`). c overlaps nothing else. No extent is 0.
    """
    from lazyarr.backends import native_kept

    pool, name = native_threads.pool(), _name(dtype)
    code = native_kept.code(native_gemm_code.text(dtype, name), 2, {FORK: pool.entries[FORK]})
    # (Threads run it, and programs that were linked with it, as long as the process lasts.)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(code))
    native_linked.set_address(name, native_linked.GEMM, code.address(name))
    return name


def _name(dtype: np.dtype[Any]) -> str:
    return f"lazyarr_gemm_f{dtype.itemsize}"


def link(name: str) -> bool:
    """Make a name known that an earlier process has found here; whether it is there."""
    dtypes = {_name(dtype): dtype for dtype in (np.dtype(np.float32), np.dtype(np.float64))}
    return name in dtypes and function(dtypes[name]) == name
