"""Lazy counterparts of NumPy's generalized ufuncs that multiply and sum: matmul, vecdot, matvec, vecmat."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr import memory_order, windows
from lazyarr.array import LazyArray
from lazyarr.assignment import assigned_value
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import NotCompiled
from lazyarr.fallback import run_in_numpy
from lazyarr.ir import extents
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.numpy._reduce import one_axis
from lazyarr.numpy._ufunc import Ufunc
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.others import NOBODY, by_ufunc
from lazyarr.runtime import record

#: Labels for leading axes; the signatures themselves use k, m, n and p.
_BATCH = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"


_by_operator: Callable[[Any, Any], Any] = operator.matmul


class ProductUfunc(Ufunc):
    """A generalized ufunc of two operands whose result sums products over one axis."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs and len(args) == 2 and self.__name__ == "matmul" and type(args[0]) is type(args[1]) is LazyArray:
            # The operator does little products at once, and comes back here for others.
            return _by_operator(*args)
        return self.operator(*args, **kwargs)

    def operator(self, *args: Any, **kwargs: Any) -> Any:
        """The call that an operator is."""
        if (found := by_ufunc(self, "__call__", args, kwargs)) is not NOBODY:
            return found
        try:
            return self._product(*args, **kwargs)
        except NotCompiled as reason:
            return run_in_numpy(self.numpy, args, kwargs, f"numpy.{self.__name__}: {reason}")

    def _product(
        self, *args: Any, out: Any = None, axis: Any = None, casting: str = "same_kind", order: str = "K",
        dtype: Any = None, signature: Any = None, subok: bool = True, **kwargs: Any,
    ) -> Any:  # fmt: skip
        if kwargs:
            raise NotCompiled(f"with {', '.join(kwargs)}")
        if len(args) == 3 and out is None:
            out = args[2]
        elif len(args) != 2:
            raise TypeError(f"{self.__name__}() takes from 2 to 3 positional arguments but {len(args)} were given")
        x, y = as_lazy(args[0]), as_lazy(args[1])
        target = out[0] if isinstance(out, tuple) and len(out) == 1 else out
        if target is not None and target is not Ellipsis and not isinstance(target, LazyArray):
            if isinstance(target, np.ndarray):
                raise NotCompiled("out= is a NumPy array")
            raise TypeError("return arrays must be of ArrayType")
        destination = target if isinstance(target, LazyArray) else None
        loop = self._resolve((x, y), (destination,), dtype, signature, casting)
        if axis is not None:
            if self.__name__ != "vecdot":
                raise TypeError(f"{self.__name__}: axis can only be used with a single shared core dimension, not with "
                                f"the 2 distinct ones implied by signature {self.signature}.")
            x, y = (_axis_last(a, axis) for a in (x, y))
        left, right = cast(x._value(), loop[0]), cast(y._value(), loop[1])
        value = self._record(left, right)
        if destination is None:
            strides = _strides(self, x, y, value)
            return LazyArray._new(value, strides, scalar=value.type.shape == () and target is None)
        self._refuse_out(destination.shape, value.type.shape, value.type.ndim - _lead(left, right, self))
        destination._assign(assigned_value(LazyArray._new(value), destination.shape, destination.dtype))
        return destination

    def _record(self, x: Value, y: Value) -> Value:
        """The product of two values of the loop's dtypes."""
        if not (extents.is_static(x.type.shape) and extents.is_static(y.type.shape)):
            x, y = _contracted(self, x, y)
        if self.__name__ == "matmul":
            return record(OPS["matmul"], x, y)
        first, second, result = _terms(self)
        for position, (v, term) in enumerate(((x, first), (y, second))):
            if v.type.ndim < len(term):
                raise ValueError(
                    f"{self.__name__}: Input operand {position} does not have enough dimensions (has {v.type.ndim}, "
                    f"gufunc core with signature {self.signature} requires {len(term)})"
                )
        summed = first.index("n")
        ours, theirs = x.type.shape[summed - len(first)], y.type.shape[second.index("n") - len(second)]
        if ours != theirs:
            raise self._mismatch("Input operand 1", second.index("n"), theirs, ours)
        if x.type.dtype.kind == "c" and first == "n":
            x = record(ELEMENTWISE["conjugate"], x)
        leads = [v.type.ndim - len(term) for v, term in ((x, first), (y, second))]
        extents.broadcast(x.type.shape[: leads[0]], y.type.shape[: leads[1]])
        batch = _BATCH[: max(leads)]
        subscripts = [batch[len(batch) - lead :] + term for lead, term in zip(leads, (first, second), strict=True)]
        return record(OPS["einsum"], x, y, subscripts=f"{','.join(subscripts)}->{batch}{result}")

    def _mismatch(self, which: str, dimension: int, given: int, needed: int) -> ValueError:
        return ValueError(
            f"{self.__name__}: {which} has a mismatch in its core dimension {dimension}, with gufunc signature "
            f"{self.signature} (size {given} is different from {needed})"
        )

    def _refuse_out(self, out: tuple[int, ...], shape: tuple[int, ...], core: int) -> None:
        """Raise as NumPy does where `shape`, its last `core` axes not broadcast, does not fit ``out=``."""
        if len(out) < core:
            raise ValueError(
                f"{self.__name__}: Output operand 0 does not have enough dimensions (has {len(out)}, gufunc core with "
                f"signature {self.signature} requires {core})"
            )
        for k, (given, needed) in enumerate(zip(out[len(out) - core :], shape[len(shape) - core :], strict=True)):
            if given != needed:
                raise self._mismatch("Output operand 0", k, given, needed)
        lead = out[: len(out) - core]
        if extents.broadcast(lead, shape[: len(shape) - core]) != lead:
            raise ValueError("non-broadcastable output operand")


def _contracted(ufunc: ProductUfunc, x: Value, y: Value) -> tuple[Value, Value]:
    """Two factors, the lengths of the axis that is summed named alike."""
    if not x.type.ndim or not y.type.ndim:
        return x, y
    first, second = (-1, max(y.type.ndim - 2, 0))
    if ufunc.__name__ != "matmul":
        terms = _terms(ufunc)
        at = terms[0].index("n")
        first, second = at - len(terms[0]), terms[1].index("n") - len(terms[1])
    return windows.contracted_values(x, y, first, second)


def _strides(ufunc: ProductUfunc, x: LazyArray, y: LazyArray, value: Value) -> tuple[int, ...] | None:
    """The result's strides; None for C order."""
    shape, lead = value.type.shape, _lead(x._value(), y._value(), ufunc)
    if not lead or not extents.is_static(shape):
        return None
    cores = (2, 2) if ufunc.__name__ == "matmul" else [len(term) for term in _terms(ufunc)[:2]]
    loops = [max(a.ndim - core, 0) for a, core in zip((x, y), cores, strict=True)]
    given = [(a.shape[:n], a.strides[:n]) for a, n in zip((x, y), loops, strict=True)]
    return memory_order.looped(given, shape, len(shape) - lead, value.type.dtype.itemsize)


def _lead(x: Value, y: Value, ufunc: ProductUfunc) -> int:
    """How many leading axes the result of `ufunc` has."""
    if ufunc.__name__ == "matmul":
        return max(x.type.ndim - 2, y.type.ndim - 2, 0)
    first, second, _ = _terms(ufunc)
    return max(x.type.ndim - len(first), y.type.ndim - len(second))


def _terms(ufunc: ProductUfunc) -> tuple[str, str, str]:
    """The letters of a signature: ``(m,n),(n)->(m)`` is m n, n and m."""
    inputs, _, output = str(ufunc.signature).partition("->")
    first, _, second = inputs.partition("),(")
    return tuple("".join(c for c in part if c.isalpha()) for part in (first, second, output))  # type: ignore[return-value]


def _axis_last(a: LazyArray, axis: Any) -> LazyArray:
    at = one_axis(axis, a.ndim)
    return a._transposed((*(k for k in range(a.ndim) if k != at), at))


#: NumPy's generalized ufuncs that multiply and sum; the last three came with NumPy 2.0 and 2.2.
PRODUCTS: tuple[Any, ...] = tuple(
    getattr(np, name) for name in ("matmul", "vecdot", "matvec", "vecmat") if hasattr(np, name)
)
