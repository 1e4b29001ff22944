"""Functions of the libraries that NumPy's extensions were linked with, made known to the linker by their names."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from importlib import import_module

#: Names that the linker knows, and the extension of NumPy's that each is from.
_extensions: dict[str, str] = {}


@lru_cache(maxsize=64)
def linked(extension: str, routine: str, wide: str) -> tuple[str, str] | None:
    """The name of a routine that an extension of NumPy's was linked with, and the LLVM type of its integers.

    `wide` is what names end with where integers have 64 bits. None where there is no such routine.
    """
    library = _library(extension)
    for name, integer in ((f"scipy_{routine}{wide}", "i64"), (f"{routine}{wide}", "i64"),
                          (f"scipy_{routine}", "i32"), (routine, "i32")):  # fmt: skip
        if hasattr(library, name):
            _add(name, extension, library)
            return name, integer
    return None


def extension(name: str) -> str:
    """The extension that a name was found in; empty if it is none of those."""
    return _extensions.get(name, "")


def link(name: str, extension: str) -> bool:
    """Make a name known that an earlier process has found in an extension; whether it is there."""
    if name not in _extensions:
        library = _library(extension)
        if not hasattr(library, name):
            return False
        _add(name, extension, library)
    return True


@lru_cache(maxsize=4)
def _library(extension: str) -> ctypes.CDLL:
    # A look-up in the extension finds what that was linked with.
    return ctypes.CDLL(import_module(extension).__file__)


def _add(name: str, extension: str, library: ctypes.CDLL) -> None:
    import llvmlite.binding as llvm

    address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    assert address is not None
    llvm.add_symbol(name, address)
    _extensions[name] = extension
