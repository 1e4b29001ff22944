"""XLA: axes whose length is known at run time only.

An array of such an axis is as long as the length can become. What stands beyond the length is any number, and may be
different in every operation: element-wise work does not care. An operation whose results depend on it names a function
of this file in its declaration (`Op.padded`), which makes its operands ready.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

#: For each operand, one entry an axis: its length, or None where it is as long as its array.
Lengths = Sequence[tuple[Any, ...]]
Padded = Callable[..., Sequence[Any]]


def fit(jax: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """`x` cut, or with zeros at the ends of its axes, so that it has a shape."""
    if x.shape == shape:
        return x
    x = jax.lax.slice(x, (0,) * x.ndim, [min(n, m) for n, m in zip(x.shape, shape, strict=True)])
    config = [(0, m - n, 0) for n, m in zip(x.shape, shape, strict=True)]
    return jax.lax.pad(x, jax.lax.full((), 0, x.dtype), config) if x.shape != shape else x


def mask(jax: Any, x: Any, lengths: tuple[Any, ...], beyond: Any, axes: Sequence[int] | None = None) -> Any:
    """`x` with the number `beyond` in the place of what is beyond the lengths of `axes`, of all axes without it."""
    lax = jax.lax
    inside = None
    for axis, length in enumerate(lengths):
        if length is not None and (axes is None or axis in axes) and x.size:
            at = lax.broadcasted_iota(np.int32, x.shape, axis) < lax.convert_element_type(length, np.int32)
            inside = at if inside is None else inside & at
    return x if inside is None else lax.select(inside, x, lax.full(x.shape, beyond, x.dtype))


def untouched(jax: Any, arrays: Sequence[Any], lengths: Lengths, **attrs: Any) -> Sequence[Any]:
    """Nothing to be done: what is beyond a length does not reach what is not."""
    return arrays


def limit(dtype: np.dtype[Any], largest: bool) -> Any:
    """The first or the last number of a dtype in the order of extrema."""
    if dtype.kind == "b":
        return largest
    if dtype.kind in "iu":
        return np.iinfo(dtype).max if largest else np.iinfo(dtype).min
    end = np.inf if largest else -np.inf
    return complex(end, end) if dtype.kind == "c" else end


def for_position(largest: bool) -> Padded:
    """For the position of an extremum: the first of equal ones is never beyond the length."""

    def padded(jax: Any, arrays: Sequence[Any], lengths: Lengths, *, axis: int) -> Sequence[Any]:
        (x,) = arrays
        return [mask(jax, x, lengths[0], limit(x.dtype, not largest), (axis,))]

    return padded


def for_sort(jax: Any, arrays: Sequence[Any], lengths: Lengths, *, axis: int, **attrs: Any) -> Sequence[Any]:
    """What is beyond the length comes last; NaN is after all numbers."""
    (x,) = arrays
    last = limit(x.dtype, True) if x.dtype.kind in "biu" else np.nan * (1 + 1j) if x.dtype.kind == "c" else np.nan
    return [mask(jax, x, lengths[0], last, (axis,))]


def for_product(jax: Any, arrays: Sequence[Any], lengths: Lengths) -> Sequence[Any]:
    """Products of matrices: zeros in both operands, for zero times NaN is not zero."""
    a, b = arrays
    inner = a.ndim - 1, max(b.ndim - 2, 0)
    return [mask(jax, x, n, 0, (axis,)) for x, n, axis in zip(arrays, lengths, inner, strict=True)]


def _from_end(jax: Any, indices: Sequence[Any], lengths: tuple[Any, ...], axes: Sequence[int]) -> list[Any]:
    """Indices into an array, those that count from the end of an axis of run-time length counted from its beginning."""
    return [
        index if lengths[axis] is None else jax.numpy.where(index < 0, index + lengths[axis], index)
        for index, axis in zip(indices, axes, strict=True)
    ]


def for_gather(
    jax: Any, arrays: Sequence[Any], lengths: Lengths, *, axes: tuple[int, ...], **attrs: Any
) -> Sequence[Any]:
    """Elements at indices."""
    x, *indices = arrays
    return [x, *_from_end(jax, indices, lengths[0], axes)]


def for_scatter(
    jax: Any, arrays: Sequence[Any], lengths: Lengths, *, axes: tuple[int, ...], **attrs: Any
) -> Sequence[Any]:
    """Writes at indices: an index beyond the length is out of range, which XLA leaves out."""
    x, value, *indices = arrays
    found = _from_end(jax, indices, lengths[0], axes)
    beyond = np.int64(2**62)
    return [x, value, *(mask(jax, i, n, beyond) for i, n in zip(found, lengths[2:], strict=True))]


def for_positions(jax: Any, arrays: Sequence[Any], lengths: Lengths, **attrs: Any) -> Sequence[Any]:
    """The places of a mask: False beyond its length."""
    return [mask(jax, arrays[0], lengths[0], False), *arrays[1:]]
