"""Native code that handles Python's and NumPy's objects: where their fields are, and the functions of their C APIs.

The layouts are those that extension modules are compiled with: of CPython 3.11 to 3.13 on 64 bits, and of NumPy's
`PyArrayObject` and `PyArray_Descr`, which are public. `supported` tries them on objects of which
Python knows the answer.
"""

from __future__ import annotations

import ctypes
import platform
import sys
import sysconfig
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code
from lazyarr.backends.native_module import Module

#: Byte offsets of fields.
TYPE = 8
DATA, RANK, SHAPE, STRIDES, DESCRIPTION, FLAGS = 16, 24, 32, 40, 56, 64
BYTE_ORDER, TYPE_NUMBER = 26, 28
SCALAR_VALUE = 16
#: Bits of an array's flags.
ALIGNED, WRITEABLE = 0x100, 0x400
#: Positions in NumPy's table of functions.
_NUMPY = {"CopyInto": 50, "Scalar": 60, "NewCopy": 85, "Empty": 184, "SetHandler": 304, "GetArrFuncs": 365}
_FASTCALL, _KEYWORDS = 0x80, 0x2


@lru_cache(maxsize=1)
def _numpy_table() -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(get(import_module("numpy._core._multiarray_umath")._ARRAY_API, None))


def numpy_function(name: str) -> int:
    """Where a function of NumPy's C API is (``Empty``)."""
    return int(ctypes.c_void_p.from_address(_numpy_table() + 8 * _NUMPY[name]).value or 0)


@lru_cache(maxsize=256)
def function(name: str) -> int:
    """Where a function of Python's C API (``PyDict_Size``), or NumPy's (``PyArray_Empty``), is."""
    kind, _, rest = name.partition("PyArray_")
    if kind:
        address = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
    else:
        address = numpy_function(rest)
    return address or 0


class Objects:
    """Code that handles objects: what it holds is let go of at its end.

    Attributes
    ----------
    code : Code
    kept : list
        Objects that the code knows the addresses of.
    """

    def __init__(self, code: Code):
        self.code = code
        self.kept: list[Any] = []
        self._names: dict[int, str] = {}
        self._held: list[str] = []

    @property
    def symbols(self) -> dict[str, int]:
        """The addresses in the code by name: the text is that of another process with other addresses."""
        return {name: address for address, name in self._names.items()}

    def pointer(self, address: int) -> str:
        """A fixed address as an operand."""
        # (One name for each: LLVM takes two of them to be two places.)
        name = self._names.get(address)
        if name is None:
            name = self._names[address] = f"lazyarr_{len(self._names)}"
            self.code.module.declare(name, f"@{name} = external global i8")
        return f"@{name}"

    def object(self, value: Any) -> str:
        """An object as an operand; it is kept alive with the code."""
        self.kept.append(value)
        return self.pointer(id(value))

    def field(self, type: str, place: str, offset: int) -> str:
        """What stands `offset` bytes into an object."""
        code = self.code
        return code.emit(f"load {type}, ptr {code.emit(f'getelementptr i8, ptr {place}, i64 {offset}')}")

    def call(self, type: str, name: str, *operands: str) -> str:
        """Call a function of the C APIs; operands with their types. Gives its result."""
        text = f"call {type} {self.pointer(function(name))}({', '.join(operands)})"
        if type == "void":
            self.code.do(text)
            return ""
        return self.code.emit(text)

    def ask(self, function: Any, given: list[str]) -> str:
        """What a Python function gives, or null."""
        operands = f"ptr {self.object(function)}", f"ptr {self.array(given)}", f"i64 {len(given)}", "ptr null"
        return self.hold(self.call("ptr", "PyObject_Vectorcall", *operands))

    def hold(self, new: str) -> str:
        """Let go of an object when the function is left; `new` may be null."""
        slot = self.code.name()
        self.code.allocas += [f"  {slot} = alloca ptr", f"  store ptr null, ptr {slot}"]
        self.code.do(f"store ptr {new}, ptr {slot}")
        self._held.append(slot)
        return new

    def share(self, borrowed: str) -> str:
        """Keep a borrowed object alive until the function is left."""
        self.call("void", "Py_IncRef", f"ptr {borrowed}")
        return self.hold(borrowed)

    def let_go(self) -> None:
        """Of everything that is held."""
        for slot in self._held:
            self.call("void", "Py_DecRef", f"ptr {self.code.emit(f'load ptr, ptr {slot}')}")

    def is_object(self, found: str, value: Any) -> str:
        """Whether an operand is one object."""
        return self.code.emit(f"icmp eq ptr {found}, {self.object(value)}")

    def is_of(self, found: str, kind: type) -> str:
        """Whether an object is of exactly this type."""
        return self.is_object(self.field("ptr", found, TYPE), kind)

    def array(self, items: list[str]) -> str:
        """Pointers, one after the other."""
        table = self.code.alloca("ptr", max(1, len(items)))
        for k, item in enumerate(items):
            place = self.code.emit(f"getelementptr ptr, ptr {table}, i64 {k}")
            self.code.do(f"store ptr {item}, ptr {place}")
        return table


class _Method(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p), ("call", ctypes.c_void_p), ("flags", ctypes.c_int), ("text", ctypes.c_char_p),
    )  # fmt: skip


class _Owner:
    """What lives as long as a function made of native code."""

    def __init__(self, *parts: Any):
        self.parts = parts


def python_function(name: str, module: Module, entry: str, objects: Objects) -> Callable[..., Any]:
    """The function `entry` of a module, which handles `objects`, as a Python function.

    Its parameters are CPython's for METH_FASTCALL with METH_KEYWORDS: ``(self, arguments, count, names)``.
    """
    from lazyarr.backends import native_kept  # (needs what this module describes)

    compiled = native_kept.code(str(module), 0, objects.symbols)
    method = _Method(name.encode(), compiled.address(entry), _FASTCALL | _KEYWORDS, None)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p]
    made: Callable[..., Any] = make(ctypes.addressof(method), _Owner(compiled, method, objects.kept), None)
    return made


@lru_cache(maxsize=1)
def supported() -> bool:
    """Whether objects are laid out as this module has it."""
    if sys.implementation.name != "cpython" or not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return False
    if ctypes.sizeof(ctypes.c_void_p) != 8 or sys.byteorder != "little" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    if platform.system() not in ("Linux", "Darwin"):
        return False
    return all(_as_expected(array) for array in _examples()) and _scalars_as_expected()


def _examples() -> list[np.ndarray[Any, Any]]:
    fixed = np.zeros(3, np.int8)
    fixed.flags.writeable = False
    return [np.zeros((2, 3)), np.zeros((4, 5), np.complex64)[::2, ::-1], fixed, np.zeros(4, ">i2"), np.zeros((), "f4")]


def _as_expected(array: np.ndarray[Any, Any]) -> bool:
    def at(kind: Any, address: int) -> Any:
        return kind.from_address(address).value

    word, start = ctypes.c_int64, id(array)
    shape, strides = (at(word, start + k) for k in (SHAPE, STRIDES))
    description, flags = at(word, start + DESCRIPTION), at(ctypes.c_int, start + FLAGS)
    if at(word, start + TYPE) != id(np.ndarray) or description != id(array.dtype):
        return False
    return (
        at(word, start + DATA) == array.__array_interface__["data"][0]
        and at(ctypes.c_int, start + RANK) == array.ndim
        and tuple(at(word, shape + 8 * k) for k in range(array.ndim)) == array.shape
        and tuple(at(word, strides + 8 * k) for k in range(array.ndim)) == array.strides
        and bool(flags & WRITEABLE) == array.flags.writeable
        and bool(flags & ALIGNED) == array.flags.aligned
        and at(ctypes.c_int, description + TYPE_NUMBER) == array.dtype.num
        and at(ctypes.c_char, description + BYTE_ORDER).decode() == array.dtype.byteorder
    )


def _scalars_as_expected() -> bool:
    return all(
        ctypes.string_at(id(x) + SCALAR_VALUE, x.dtype.itemsize) == x.tobytes()
        for x in (np.float64(1.5), np.int16(-3), np.complex128(2 - 1j), np.bool_(True), np.float32(0.1))
    )
