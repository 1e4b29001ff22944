"""Functions that sum products over axes: dot, inner, outer, tensordot, einsum."""

from __future__ import annotations

import string
from functools import lru_cache
from typing import Any

import numpy as np
from numpy._core import einsumfunc as _typed

from lazyarr import strides as geometry
from lazyarr import views, windows
from lazyarr.array import LazyArray
from lazyarr.assignment import shape_text
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import UFUNCS, NotCompiled, implements
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import NAMES
from lazyarr.numpy._reduce import one_axis, reduce_out
from lazyarr.numpy._select import common_dtype
from lazyarr.ops.elementwise import ELEMENTWISE, SELECT
from lazyarr.ops.linalg import label_extents, parse_subscripts
from lazyarr.runtime import record
from lazyarr.words import order_of

#: NumPy's module, whose helpers have no types.
_einsumfunc: Any = _typed


def contract(subscripts: str, dtype: np.dtype[Any], *arrays: LazyArray) -> Value:
    """The sum of products that explicit `subscripts` describe, in `dtype`; a matrix product where it is one."""
    values = [cast(a._value(), dtype) for a in arrays]
    inputs, output = parse_subscripts(subscripts)
    if [len(term) for term in inputs] == [2, 2]:
        row, column = inputs[0][0], inputs[1][1]
        inner = inputs[0][1] == inputs[1][0] and arrays[0].shape[1] == arrays[1].shape[0]
        if inner and output == row + column and len({row, column, inputs[0][1]}) == 3:
            return record(OPS["matmul"], *values)
    return record(OPS["einsum"], *values, subscripts=subscripts)


def _contract(subscripts: str, dtype: np.dtype[Any], *arrays: LazyArray) -> LazyArray:
    value = contract(subscripts, dtype, *arrays)
    return LazyArray._new(value, scalar=value.type.shape == ())


def _letters(n: int, start: int = 0) -> str:
    if start + n > 52:
        raise NotCompiled("more axes than there are letters")
    return "".join(chr(ord("a") + start + k) if start + k < 26 else chr(ord("A") + start + k - 26) for k in range(n))


@implements(np.dot)
def dot(a: Any, b: Any, out: Any = None) -> Any:
    """As `numpy.dot`."""
    x, y = as_lazy(a), as_lazy(b)
    if x.ndim == 0 or y.ndim == 0:
        result = UFUNCS[np.multiply](x, y)
    else:
        dtype = common_dtype(x, y)
        x, y = windows.contracted(x, y, -1, max(y.ndim - 2, 0))
        k = x.shape[-1]
        other = y.shape[-2] if y.ndim > 1 else y.shape[0]
        if k != other:
            raise ValueError(f"shapes {shape_text(x.shape)} and {shape_text(y.shape)} not aligned: {k} (dim "
                             f"{x.ndim - 1}) != {other} (dim {max(y.ndim - 2, 0)})")
        if x.ndim == y.ndim == 1 and k == 1 and dtype.kind in "fc":
            # NumPy multiplies the two elements: -0.0 stays -0.0, which a sum that begins with 0.0 is not.
            factors = (views.reshape(cast(v._value(), dtype), ()) for v in (x, y))
            result = LazyArray._new(record(ELEMENTWISE["multiply"], *factors), scalar=True)
        elif x.ndim <= 2 and y.ndim <= 2:
            value = record(OPS["matmul"], cast(x._value(), dtype), cast(y._value(), dtype))
            result = LazyArray._new(value, scalar=value.type.shape == ())
        else:
            left = _letters(x.ndim)
            right = _letters(y.ndim, x.ndim)
            if y.ndim > 1:
                right = right[:-2] + left[-1] + right[-1]
            else:
                right = left[-1]
            kept = left[:-1] + right.replace(left[-1], "")
            result = _contract(f"{left},{right}->{kept}", dtype, x, y)
    if out is None:
        return result
    fits = isinstance(out, LazyArray) and out.dtype == result.dtype and out.shape == result.shape
    if not fits or not (out.flags.c_contiguous and out.flags.writeable):
        raise ValueError("output array is not acceptable (must have the right datatype, number of dimensions, and be a "
                         "C-Array)")
    out._assign(result._value())
    return out


@implements(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    """As `numpy.vdot`."""
    x, y = as_lazy(a).reshape(-1), as_lazy(b).reshape(-1)
    if x.shape != y.shape:
        return dot(x.conj(), y)  # an error
    dtype = common_dtype(x, y)
    value = record(OPS["matmul"], cast(x.conj()._value(), dtype), cast(y._value(), dtype))
    return LazyArray._new(value, scalar=True)


@implements(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    """As `numpy.inner`."""
    x, y = as_lazy(a), as_lazy(b)
    if x.ndim == 0 or y.ndim == 0:
        return UFUNCS[np.multiply](x, y)
    x, y = windows.contracted(x, y, -1, -1)
    if x.shape[-1] != y.shape[-1]:
        raise ValueError(f"shapes {shape_text(x.shape)} and {shape_text(y.shape)} not aligned: {x.shape[-1]} (dim "
                         f"{x.ndim - 1}) != {y.shape[-1]} (dim {y.ndim - 1})")
    if x.ndim == y.ndim == 1:
        return dot(x, y)
    left = _letters(x.ndim)
    right = _letters(y.ndim - 1, x.ndim) + left[-1]
    return _contract(f"{left},{right}->{left[:-1]}{right[:-1]}", common_dtype(x, y), x, y)


@implements(np.outer)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    """As `numpy.outer`."""
    return UFUNCS[np.multiply](as_lazy(a).ravel()[:, None], as_lazy(b).ravel()[None], out=out)


def _listed(axes: Any) -> list[Any]:
    """One axis, or any sequence of them."""
    try:
        return list(axes)
    except TypeError:  # one number, of which there is no list
        return [axes]


@implements(np.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """As `numpy.tensordot`."""
    x, y = as_lazy(a), as_lazy(b)
    if not hasattr(axes, "__index__") or np.ndim(axes):
        first, second = axes
        left_axes = [one_axis(k, x.ndim) for k in _listed(first)]
        right_axes = [one_axis(k, y.ndim) for k in _listed(second)]
    else:
        n = axes.__index__()
        left_axes, right_axes = list(range(x.ndim - n, x.ndim)), list(range(n))
    if len(left_axes) != len(right_axes) or any(
        not (0 <= i < x.ndim and 0 <= j < y.ndim) or x.shape[i] != y.shape[j]
        for i, j in zip(left_axes, right_axes, strict=False)
    ):
        raise ValueError("shape-mismatch for sum")
    if len(set(left_axes)) != len(left_axes) or len(set(right_axes)) != len(right_axes):
        raise ValueError("duplicate axes are not allowed in tensordot")
    left = list(_letters(x.ndim))
    right = list(_letters(y.ndim, x.ndim))
    for i, j in zip(left_axes, right_axes, strict=True):
        right[j] = left[i]
    kept = [c for k, c in enumerate(left) if k not in left_axes]
    kept += [c for k, c in enumerate(right) if k not in right_axes]
    result = _contract(f"{''.join(left)},{''.join(right)}->{''.join(kept)}", common_dtype(x, y), x, y)
    return LazyArray._new(result._value()) if result._scalar else result


@implements(np.einsum)
def einsum(*operands: Any, out: Any = None, optimize: Any = False, dtype: Any = None, order: str = "K",
           casting: str = "safe") -> Any:  # fmt: skip
    """As `numpy.einsum`; whatever `optimize` says, several operands are combined in the cheapest order."""
    order = order_of(order, "K")
    if len(operands) < 2 and not (operands and isinstance(operands[0], str)):
        raise ValueError("must specify the einstein sum subscripts string and at least one operand, or at least one "
                         "operand and its corresponding subscripts list")
    subscripts, given = _explicit(operands)
    arrays = [as_lazy(x) for x in given]
    inputs, output = parse_subscripts(subscripts)
    lengths = label_extents(inputs, tuple(a.shape for a in arrays))
    target = reduce_out(out)
    if target is None and len(arrays) == 1 and set(inputs[0]) == set(output) and output:
        return _view(arrays[0], inputs[0], output)
    if dtype is not None:
        kind = np.dtype(dtype)
        if kind not in NAMES:
            raise NotCompiled(f"dtype {kind}")
    else:
        kind = common_dtype(*arrays, *([] if target is None else [target]))
    for position, a in enumerate(arrays):
        _refuse_cast(f"operand {position}", a.dtype, kind, casting)
    value = contract(subscripts, kind, *arrays)
    if target is not None:
        _refuse_cast("requested", kind, target.dtype, casting)
        if target.shape != value.type.shape:
            raise ValueError(f"operands could not be broadcast together with remapped shapes: einsum gives "
                             f"{value.type.shape}, out= has {target.shape}")
        target._assign(cast(value, target.dtype))
        return target
    shape = value.type.shape
    if order == "K":
        strides = _kept_order(inputs, output, lengths, arrays, kind.itemsize)
    else:
        fortran = order == "F" or (order == "A" and all(a.flags.f_contiguous for a in arrays))
        strides = geometry.contiguous(shape, kind.itemsize, "F" if fortran else "C")
    return LazyArray._new(value, strides, scalar=shape == () and not optimize)


def _explicit(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Subscripts with the result written out and no ellipsis, and the operands, of a call of einsum."""
    if isinstance(operands[0], str):
        given = [as_lazy(x) for x in operands[1:]]
        return _parsed(operands[0], tuple(x.shape for x in given)), given
    count = len(operands) // 2
    given = [as_lazy(x) for x in operands[0 : 2 * count : 2]]
    # Axis lists: operands and their labels alternate, those of the result may follow.
    labels = [tuple(term) for term in (*operands[1 : 2 * count : 2], *operands[2 * count :])]
    return _parsed(tuple(labels), tuple(x.shape for x in given)), given


@lru_cache(maxsize=1024)
def _parsed(subscripts: str | tuple[Any, ...], shapes: tuple[tuple[int, ...], ...]) -> str:
    """Explicit subscripts of operands of these shapes, by NumPy's own parser.

    It looks at shapes only, and gets stand-ins that take no memory.
    """
    stand_ins: list[Any] = [np.broadcast_to(np.empty(()), shape) for shape in shapes]
    if isinstance(subscripts, str):
        call = [subscripts, *stand_ins]
    else:
        terms = [list(term) for term in subscripts]
        call = [x for pair in zip(stand_ins, terms, strict=False) for x in pair] + terms[len(shapes) :]
    inputs, output, _ = _einsumfunc._parse_einsum_input(call)
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        raise ValueError("more operands provided to einstein sum function than specified in the subscripts string"
                         if len(shapes) > len(terms) else
                         "fewer operands provided to einstein sum function than specified in the subscripts string")
    return _named(f"{inputs}->{output}", subscripts if isinstance(subscripts, str) else "")


def _named(subscripts: str, given: str) -> str:
    """Subscripts in which the labels that are not given are the first letters that are free.

    (NumPy takes those for an ellipsis from a set of letters, of which each process has another order: ranks would run
    programs that differ in nothing else.)
    """
    own = dict.fromkeys(c for c in subscripts if c.isalpha() and c not in given)
    free = (c for c in string.ascii_letters if c not in given)
    return subscripts.translate({ord(label): c for label, c in zip(own, free, strict=False)})


def _refuse_cast(which: str, source: np.dtype[Any], target: np.dtype[Any], casting: str) -> None:
    if not np.can_cast(source, target, casting):  # type: ignore[arg-type]
        raise TypeError(f"Iterator {which} dtype could not be cast from {source!r} to {target!r} according to the rule "
                        f"'{casting}'")


def _kept_order(
    inputs: tuple[str, ...], output: str, lengths: dict[str, Any], arrays: list[LazyArray], itemsize: int
) -> tuple[int, ...]:
    """Strides of NumPy's result: its axes in the order in which the operands step through memory."""
    labels = output + "".join(sorted(label for label in lengths if label not in output))
    given = []
    for term, a in zip(inputs, arrays, strict=True):
        steps = dict.fromkeys(labels, 0)
        for label, n, step in zip(term, a.shape, a.strides, strict=True):
            steps[label] += step if n != 1 else 0
        shape = tuple((lengths[label] or 2) if steps[label] else 1 for label in labels)
        given.append((shape, tuple(steps.values())))
    full = tuple(lengths[label] for label in labels)
    # NumPy orders the axes of an empty sum like any other.
    kept = geometry.keep_order(given, tuple(n or 2 for n in full), itemsize)
    strides = [0] * len(output)
    step = itemsize
    for axis in sorted(range(len(output)), key=lambda k: (kept[k], -k)):
        strides[axis] = step
        step *= max(full[axis], 1)
    return tuple(strides)


class _Diagonal(views.Step):
    """The view step of a writeable diagonal: two axes of equal length become one, the last."""

    def __init__(self, axis1: int, axis2: int):
        self._axes = axis1, axis2
        self._attrs = {"offset": 0, "axis1": axis1, "axis2": axis2}

    def read(self, base: Value) -> Value:
        return record(OPS["diagonal"], base, **self._attrs)

    def write(self, base: Value, new: Value) -> Value:
        rest = [k for k in range(base.type.ndim) if k not in self._axes]
        moved = views.transpose(base, (*rest, *self._axes))
        n = moved.type.shape[-1]
        index = record(OPS["iota"], length=n, dtype=np.dtype(np.int64))
        on_diagonal = record(ELEMENTWISE["equal"], views.reshape(index, (n, 1)), index)
        column = views.reshape(new, (*new.type.shape, 1))
        written = record(SELECT, on_diagonal, column, moved)
        order = [*rest, *self._axes]
        return views.transpose(written, tuple(order.index(k) for k in range(len(order))))

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.diagonal(base, **self._attrs)


def _view(x: LazyArray, labels: str, output: str) -> LazyArray:
    """A writeable view of one operand: axes with the same label become their diagonal, then axes are permuted."""
    found = x
    while len(set(labels)) < len(labels):
        label = next(c for c in labels if labels.count(c) > 1)
        first = labels.index(label)
        second = labels.index(label, first + 1)
        start, shape, strides = geometry.diagonal(found.shape, found.strides, 0, first, second)
        found = found._view(_Diagonal(first, second), shape, strides, start)
        labels = "".join(c for k, c in enumerate(labels) if k not in (first, second)) + label
    shape, strides = found.shape, found.strides
    axes = tuple(labels.index(c) for c in output)
    shape, strides = geometry.transpose(shape, strides, axes)
    return found._view(views.Transpose(axes), shape, strides)


@implements(np.einsum_path)
def einsum_path(*operands: Any, optimize: Any = "greedy", einsum_call: bool = False) -> Any:
    """As `numpy.einsum_path`, which looks at shapes only."""
    if einsum_call:
        raise NotCompiled("einsum_call is NumPy's own")
    text = isinstance(operands[0], str)
    arrays = range(1, len(operands)) if text else range(0, len(operands) - 1, 2)
    given: list[Any] = list(operands)
    for k in arrays:
        given[k] = np.broadcast_to(np.empty(()), as_lazy(given[k]).shape)
    return np.einsum_path(*given, optimize=optimize)
