"""Python's operators on little data: NumPy's own, as the user's line would call them.

They run thousands of times: what a call can do without stands not in it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.eager import BOOLS, IN_PLACE, Weight, weight
from lazyarr.ir.types import NAMES
from lazyarr.little.data import NUMBERS, Method, held, limits, new, own, run, tracing
from lazyarr.little.table import broadcast_size, product_size
from lazyarr.operators import BINARY, COMPARE, UNARY
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.runtime import storage_lock

_ndarray = np.ndarray


def size_of_both(x: Any, y: Any) -> float:
    """Elements that an element-wise operation gives at most."""
    if x.shape == y.shape or not y.shape:
        return x.size  # type: ignore[no-any-return]
    size: int = x.size * y.size
    return size if size < limits.elements else broadcast_size((x, y))


def is_data(x: Any) -> bool:
    """Whether an operand is an array of NumPy's that operations take as it is."""
    return type(x) is _ndarray and x.dtype in NAMES and x.size < limits.elements


def _weighs(weight: Weight, *operands: Any) -> float:
    """What an element of the work on operands weighs."""
    dtypes = [x.dtype for x in operands if isinstance(x, (np.ndarray, np.generic))]
    bools = [x.dtype.kind == "b" if isinstance(x, (np.ndarray, np.generic)) else type(x) is bool for x in operands]
    return weight.of(*dtypes) * (BOOLS if all(bools) else 1.0)


def _binary(
    function: Any, general: Method, weight: Weight, size_of: Callable[[Any, Any], float] = size_of_both
) -> Method:
    def method(self: LazyArray, other: Any) -> Any:
        x = self._mine
        if x is None and (x := held(self)) is None:
            return general(self, other)
        kind = type(other)
        if kind is LazyArray:
            y = other._mine
            if y is None and (y := held(other)) is None:
                return general(self, other)
            size = size_of(x, y)
        elif kind in NUMBERS:
            y, size = other, x.size
        elif is_data(other):
            y, size = other, size_of(x, other)
        else:
            return general(self, other)
        if size * _weighs(weight, x, y) >= limits.elements or tracing() is not None:
            return general(self, other)
        return new(run(function, x, y))

    return method


def _reflected(function: Any, general: Method, weight: Weight) -> Method:
    def method(self: LazyArray, other: Any) -> Any:
        x = held(self)
        if x is None or type(other) not in NUMBERS or tracing() is not None:
            return general(self, other)
        if x.size * weight.of(x.dtype) >= limits.elements:
            return general(self, other)
        return new(run(function, other, x))

    return method


def _in_place(function: Any, general: Method, weight: Weight) -> Method:
    def method(self: LazyArray, other: Any) -> Any:
        kind = type(other)
        y = held(other) if kind is LazyArray else other if kind in NUMBERS or is_data(other) else None
        if y is not None and tracing() is None:
            with storage_lock:
                x = own(self)
                if type(x) is _ndarray and x.size * IN_PLACE * _weighs(weight, x, y) < limits.elements:
                    run(function, x, y)
                    return self
        return general(self, other)

    return method


def _unary(function: Any, general: Method, weight: Weight) -> Method:
    def method(self: LazyArray) -> Any:
        x = held(self)
        if x is None or x.size * _weighs(weight, x) >= limits.elements or tracing() is not None:
            return general(self)
        return new(run(function, x))

    return method


_product = partial(_binary, size_of=product_size)


def weight_of(ufunc: np.ufunc) -> Weight:
    """What an element of a ufunc's result weighs."""
    op = ELEMENTWISE.get(ufunc.__name__)
    return Weight(1.0, 1.0, 1.0) if op is None else weight(op)


def install() -> None:
    """Put these methods before those of `LazyArray`."""

    def before(name: str, made: Any, function: str, ufunc: np.ufunc) -> None:
        setattr(LazyArray, name, made(getattr(operator, function), getattr(LazyArray, name), weight_of(ufunc)))

    for name, ufunc in BINARY.items():
        if name == "divmod":
            continue
        before(f"__{name}__", _product if name == "matmul" else _binary, f"__{name}__", ufunc)
        before(f"__r{name}__", _reflected, f"__{name}__", ufunc)
        if name != "matmul":
            before(f"__i{name}__", _in_place, f"__i{name}__", ufunc)
    for name, ufunc in COMPARE.items():
        before(f"__{name}__", _binary, f"__{name}__", ufunc)
    for name, ufunc in UNARY.items():
        before(f"__{name}__", _unary, f"__{name}__", ufunc)
