"""Functions of NumPy's, and of the libraries that its extensions were linked with, known to the linker by names."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

#: Names that the linker knows, and the extension of NumPy's that each is from.
_extensions: dict[str, str] = {}


@lru_cache(maxsize=64)
def linked(extension: str, routine: str, wide: str) -> tuple[str, str] | None:
    """The name of a routine that an extension of NumPy's was linked with, and the LLVM type of its integers.

    `wide` is what names end with where integers have 64 bits. None where there is no such routine.
    """
    found = library(extension)
    for name, integer in ((f"scipy_{routine}{wide}", "i64"), (f"{routine}{wide}", "i64"),
                          (f"scipy_{routine}", "i32"), (routine, "i32")):  # fmt: skip
        if hasattr(found, name):
            _add(name, extension, found)
            return name, integer
    return None


#: What functions are from that NumPy has in tables, one for each dtype.
_TABLES = "NumPy's tables"
#: What functions of ours are from that multiply matrices (`native_gemm`).
GEMM = "native_gemm"
#: Where functions stand in `PyArray_ArrFuncs`, which is public: after 21 casts and twelve others.
_PLACES = {"sort": 33, "argsort": 36}


@lru_cache(maxsize=64)
def array_function(kind: str, dtype: np.dtype[Any], which: int) -> str | None:
    """The name of the function that sorts elements side by side (``int sort(ptr, i64 n, ptr)``), or their indices.

    Parameters
    ----------
    kind : {"sort", "argsort"}
        The second one takes the elements, and the indices, which it puts in order.
    dtype : numpy.dtype
        Of numbers.
    which : int
        Of NumPy's kinds of sorting: 0 for quicksort, 2 for a stable one.

    Returns
    -------
    str or None
        None if it is not where it should be.
    """
    from lazyarr.backends.native_python import numpy_function, supported

    if not supported() or np.lib.NumpyVersion(np.__version__) < "2.0.0":
        return None
    table = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(numpy_function("GetArrFuncs"))(dtype)
    address = ctypes.c_void_p.from_address(table + 8 * (_PLACES[kind] + which)).value if table else None
    if not address or not _sorts(address, kind, dtype):
        return None
    name = f"numpy_{kind}_{dtype.kind}{dtype.itemsize}_{which}"
    set_address(name, _TABLES, address)
    return name


def _sorts(address: int, kind: str, dtype: np.dtype[Any]) -> bool:
    """Whether a function does what it should, tried on an example."""
    x = np.array([3, 1, 0, 2, 1, 7, 5, 4] * 5).astype(dtype)
    own, order = x.copy(), np.arange(x.size)
    parameters = [ctypes.c_void_p] * (1 if kind == "sort" else 2)
    call = ctypes.CFUNCTYPE(ctypes.c_int, *parameters, ctypes.c_int64, ctypes.c_void_p)(address)
    call(*(a.ctypes.data for a in (own, order)[: len(parameters)]), x.size, None)
    return bool(np.array_equal(own if kind == "sort" else x[order], np.sort(x)))


def extension(name: str) -> str:
    """The extension that a name was found in; empty if it is none of those."""
    return _extensions.get(name, "")


def link(name: str, extension: str) -> bool:
    """Make a name known that an earlier process has found in an extension; whether it is there."""
    if name not in _extensions:
        if extension == _TABLES:
            _, kind, dtype, which = name.split("_")
            return array_function(kind, np.dtype(dtype), int(which)) == name
        if extension == GEMM:
            from lazyarr.backends import native_gemm

            return native_gemm.link(name)
        found = library(extension)
        if not hasattr(found, name):
            return False
        _add(name, extension, found)
    return True


@lru_cache(maxsize=4)
def library(extension: str) -> ctypes.CDLL:
    """An extension of NumPy's, with what that was linked with."""
    # A look-up in the extension finds what that was linked with.
    return ctypes.CDLL(import_module(extension).__file__)


def _add(name: str, extension: str, library: ctypes.CDLL) -> None:
    address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    assert address is not None
    set_address(name, extension, address)


def set_address(name: str, extension: str, address: int) -> None:
    """Make a name known to the linker, and what it is from."""
    import llvmlite.binding as llvm

    llvm.add_symbol(name, address)
    _extensions[name] = extension
