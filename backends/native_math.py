"""Transcendental functions: the C library's, and its vector forms where the loop vectorizer can use them.

glibc's libmvec has vector forms of most functions, within 4 units in the last place. Where it is not there, or a
function has no vector form, the scalar one of libm is called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, register

_LIBRARY = "libmvec.so.1"
#: NumPy's name -> the C library's name, operands, and whether libmvec has it.
_FUNCTIONS: dict[str, tuple[str, int, bool]] = {
    "exp": ("exp", 1, True), "exp2": ("exp2", 1, True), "expm1": ("expm1", 1, True), "log": ("log", 1, True),
    "log2": ("log2", 1, True), "log10": ("log10", 1, True), "log1p": ("log1p", 1, True), "sin": ("sin", 1, True),
    "cos": ("cos", 1, True), "tan": ("tan", 1, True), "arcsin": ("asin", 1, True), "arccos": ("acos", 1, True),
    "arctan": ("atan", 1, True), "arctan2": ("atan2", 2, True), "sinh": ("sinh", 1, True), "cosh": ("cosh", 1, True),
    "tanh": ("tanh", 1, True), "arcsinh": ("asinh", 1, True), "arccosh": ("acosh", 1, True),
    "arctanh": ("atanh", 1, True), "cbrt": ("cbrt", 1, True), "hypot": ("hypot", 2, True), "power": ("pow", 2, True),
    "float_power": ("pow", 2, True), "nextafter": ("nextafter", 2, False),
    "erf": ("erf", 1, True), "erfc": ("erfc", 1, True),
}  # fmt: skip


@lru_cache(maxsize=1)
def vector_library() -> Any:
    """The vector functions of glibc, made known to the linker; None where there are none."""
    import ctypes
    import platform

    import llvmlite.binding as llvm

    if platform.machine() != "x86_64" or platform.system() != "Linux":
        return None
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        # Another C library than glibc.
        return None
    llvm.load_library_permanently(_LIBRARY)
    return library


@lru_cache(maxsize=1)
def fuses() -> bool:
    """Whether the CPU multiplies and adds with one rounding; NumPy's vector loops then do."""
    import platform

    import llvmlite.binding as llvm

    return platform.machine() != "x86_64" or bool(llvm.get_host_cpu_features().get("fma"))


@lru_cache(maxsize=1)
def _lanes() -> tuple[tuple[str, int], ...]:
    """Vector variants of this CPU: the letter in the name, and bytes."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    found = [("b", 16)]
    if features.get("avx2"):
        found.append(("d", 32))
    if features.get("avx512f"):
        found.append(("e", 64))
    return tuple(found)


def _vector_forms(c: Code, name: str, operands: int, t: np.dtype[Any]) -> str:
    """The attribute that names the vector forms of a function, and their declarations."""
    library = vector_library()
    if library is None:
        return ""
    forms = []
    for letter, size in _lanes():
        lanes = size // t.itemsize
        symbol = f"_ZGV{letter}N{lanes}{'v' * operands}_{name}"
        if not hasattr(library, symbol):
            continue
        vector = f"<{lanes} x {register(t)}>"
        c.module.declare(symbol, f"declare {vector} @{symbol}({', '.join([vector] * operands)})")
        c.module.kept[symbol] = None
        forms.append(f"_ZGV_LLVM_N{lanes}{'v' * operands}_{name}({symbol})")
    return f'"vector-function-abi-variant"="{",".join(forms)}"' if forms else ""


def function(c: Code, t: np.dtype[Any], *operands: str, name: str, vector: bool) -> str:
    """A call of the C library."""
    symbol = name if t.itemsize == 8 else name + "f"
    type = register(t)
    c.module.declare(symbol, f"declare {type} @{symbol}({', '.join([type] * len(operands))})")
    forms = _vector_forms(c, symbol, len(operands), t) if vector and not c.exact else ""
    given = ", ".join(f"{type} {x}" for x in operands)
    return c.emit(f"call {type} @{symbol}({given}) nounwind willreturn memory(none) {forms}")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    ours: partial(function, name=name, vector=vector) for ours, (name, _, vector) in _FUNCTIONS.items()
}
