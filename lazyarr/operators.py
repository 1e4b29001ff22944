"""Python's operators as calls of NumPy's ufuncs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

#: Operator -> ufunc, in Python's own naming of the special methods.
BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "divmod": np.divmod, "pow": np.power, "matmul": np.matmul, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
COMPARE = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
           "ge": np.greater_equal}  # fmt: skip
UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}


def _defers(other: Any) -> bool:
    """Whether `other` wants to handle the operator itself (NumPy's rule for binary operators)."""
    kind = type(other)
    if kind in (int, float, complex, bool, np.ndarray) or isinstance(other, (ArrayOperators, np.generic, np.ndarray)):
        return False
    return getattr(kind, "__array_ufunc__", True) is None


class ArrayOperators:
    """The operators of an array; each method is made from the tables of this file."""

    __slots__ = ()


def _call(ufunc: np.ufunc, *args: Any, **kwargs: Any) -> Any:
    from lazyarr.dispatch import ufunc_call

    return ufunc_call(ufunc, "__call__", args, kwargs)


def _power(x: Any, exponent: Any) -> Any:
    # NumPy's `**` (not numpy.power) takes these short cuts for a Python or NumPy scalar exponent.
    if isinstance(exponent, (int, float)) and type(exponent) is not bool:
        kind = x.dtype.kind
        if exponent == 2 and kind in "iufc":
            return _call(np.square, x)
        if exponent == 0.5 and kind in "fc":
            return _call(np.sqrt, x)
        if exponent == -1 and kind in "fc":
            return _call(np.reciprocal, x)
        if exponent == 1 and kind in "fc":
            return _call(np.positive, x)
    return _call(np.power, x, exponent)


def _forward(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        if _defers(other):
            return NotImplemented
        return _power(self, other) if ufunc is np.power else _call(ufunc, self, other)

    return operator


def _reflected(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        return NotImplemented if _defers(other) else _call(ufunc, other, self)

    return operator


def _in_place(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        if self._scalar:
            return NotImplemented
        if ufunc is np.power and isinstance(other, (int, float)) and other in (2, 0.5, -1):
            result = _power(self, other)
            if result.dtype == self.dtype:
                self[...] = result
                return self
        return _call(ufunc, self, other, out=(self,))

    return operator


def _unary(ufunc: np.ufunc) -> Callable[[Any], Any]:
    return lambda self: _call(ufunc, self)


for _name, _ufunc in BINARY.items():
    setattr(ArrayOperators, f"__{_name}__", _forward(_ufunc))
    setattr(ArrayOperators, f"__r{_name}__", _reflected(_ufunc))
    if _name != "divmod":
        setattr(ArrayOperators, f"__i{_name}__", _in_place(_ufunc))
for _name, _ufunc in COMPARE.items():
    setattr(ArrayOperators, f"__{_name}__", _forward(_ufunc))
for _name, _ufunc in UNARY.items():
    setattr(ArrayOperators, f"__{_name}__", _unary(_ufunc))
