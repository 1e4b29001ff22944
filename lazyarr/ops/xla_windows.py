"""XLA: boxes whose place or size is data.

An axis of run-time length is as long as its bound here; what is beyond the length is any number (`xla_lengths`).
Starts that are out of range belong to checks that have failed: XLA moves such boxes inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lazyarr.ops.xla_lengths import fit
from lazyarr.ops.xla_update import write_box

Dims = tuple[tuple[Any, ...], ...]
_ZERO = np.int64(0)
#: How many operands an entry of a window takes.
_OPERANDS = {"all": 0, "index": 1, "block": 1, "slice": 2}


def _axes(
    jax: Any, shape: tuple[int, ...], dims: Dims, scalars: tuple[Any, ...]
) -> Iterator[tuple[Any, int, Any, Any]]:
    """For each axis: where its box starts, how long the box is, the window's start and its length."""
    given = iter(scalars)
    for n, dim in zip(shape, dims, strict=True):
        if dim[0] == "all":
            yield _ZERO, n, None, None
            continue
        start = next(given)
        if dim[0] == "index":
            yield _inside(jax, start), 1, start, None
        elif dim[0] == "block":
            span = (dim[1] - 1) * abs(dim[2]) + 1
            yield _inside(jax, start if dim[2] > 0 else start - (span - 1)), span, start, None
        else:
            yield _ZERO, n, start, next(given)


def _inside(jax: Any, start: Any) -> Any:
    """A start that is not negative where it is known: jax refuses those that are before it could run the check."""
    return start if isinstance(start, jax.core.Tracer) else np.maximum(np.int64(start), 0)


def window(jax: Any, x: Any, *scalars: Any, dims: Dims) -> Any:
    """``x[i, j:k]``."""
    lax = jax.lax
    axes = list(_axes(jax, x.shape, dims, scalars))
    shape = [dim[1] if dim[0] == "block" else n for n, dim in zip(x.shape, dims, strict=True) if dim[0] != "index"]
    if 0 in shape or x.size == 0:
        return lax.full(shape, 0, x.dtype)
    # What is short first: runs of run-time length are then cut out of that.
    x = fit(jax, x, tuple(max(n, box) for n, (_, box, _, _) in zip(x.shape, axes, strict=True)))
    if any(dim[0] in ("index", "block") for dim in dims):
        x = lax.dynamic_slice(x, [low for low, *_ in axes], [box for _, box, *_ in axes], allow_negative_indices=False)
    for axis, (dim, (_, _, start, _)) in enumerate(zip(dims, axes, strict=True)):
        if dim[0] == "block":
            if abs(dim[2]) > 1:
                x = lax.slice_in_dim(x, 0, None, abs(dim[2]), axis)
            if dim[2] < 0:
                x = lax.rev(x, (axis,))
        elif dim[0] == "slice":
            x = _run(jax, x, axis, start, dim[1])
    return lax.squeeze(x, [axis for axis, dim in enumerate(dims) if dim[0] == "index"])


def _run(jax: Any, x: Any, axis: int, start: Any, step: int) -> Any:
    """Elements `start`, ``start + step``, ... of an axis, as many as it has."""
    lax, n = jax.lax, x.shape[axis]
    if step == 1:
        if not isinstance(start, jax.core.Tracer) and int(start) == 0:
            return x
        return lax.dynamic_slice_in_dim(_longer(jax, x, axis, 0, n), start, n, axis)
    if step == -1:
        return lax.rev(lax.dynamic_slice_in_dim(_longer(jax, x, axis, n, 0), start + 1, n, axis), (axis,))
    places = jax.numpy.clip(start + step * lax.iota(np.int64, n), 0, n - 1)
    return jax.numpy.take(x, places, axis, mode="clip")


def _longer(jax: Any, x: Any, axis: int, before: int, after: int) -> Any:
    """`x` with zeros before and after."""
    config = [(before, after, 0) if k == axis else (0, 0, 0) for k in range(x.ndim)]
    return jax.lax.pad(x, jax.lax.full((), 0, x.dtype), config)


def over_written(
    jax: Any, found: Any, value: Any, at: tuple[Dims, Sequence[Any]], scalars: Sequence[Any], dims: Dims
) -> Any:
    """`found`, a window of an array, as it is after `value` has been written to another window of it.

    That one, `at`, has single positions and whole axes.
    """
    lax = jax.lax
    given, places = iter(scalars), iter(at[1])
    axis, inside = 0, None
    part: list[tuple[tuple[Any, ...], list[Any]]] = []
    along: list[int] = []
    for dim, written in zip(dims, at[0], strict=True):
        own = [next(given) for _ in range(_OPERANDS[dim[0]])]
        if written[0] == "all":
            part.append((dim, own))
            along += [axis] * (dim[0] != "index")
        else:
            position = own[0] if own else 0
            if dim[0] != "index":
                step = 1 if dim[0] == "all" else dim[-1]
                position = position + step * lax.broadcasted_iota(np.int64, found.shape, axis)
            hit = jax.numpy.broadcast_to(position == next(places), found.shape)
            inside = hit if inside is None else inside & hit
        axis += dim[0] != "index"
    if part:
        value = window(jax, value, *(s for _, own in part for s in own), dims=tuple(dim for dim, _ in part))
    return lax.select(inside, lax.broadcast_in_dim(jax.numpy.asarray(value), found.shape, along), found)


def put_window(jax: Any, x: Any, value: Any, *scalars: Any, dims: Dims, apart: bool = False) -> Any:
    """`x` with ``x[i, j:k] = value``; `apart` as for `write_box`."""
    lax = jax.lax
    if x.size == 0 or value.size == 0:
        return x
    axes = list(_axes(jax, x.shape, dims, scalars))
    starts, box = [low for low, *_ in axes], tuple(n for _, n, *_ in axes)
    if any(n > m for n, m in zip(box, x.shape, strict=True)):
        return x  # longer than the axis can be: a check has failed
    value = lax.expand_dims(value, [axis for axis, dim in enumerate(dims) if dim[0] == "index"])
    mask = None
    for axis, (dim, (_, n, start, length)) in enumerate(zip(dims, axes, strict=True)):
        inside = None
        if dim[0] == "block":
            if dim[2] < 0:
                value = lax.rev(value, (axis,))
            if abs(dim[2]) > 1:
                config = [(0, 0, abs(dim[2]) - 1 if k == axis else 0) for k in range(value.ndim)]
                value = lax.pad(value, lax.full((), 0, value.dtype), config)
                inside = lax.iota(np.int32, n) % abs(dim[2]) == 0
        elif dim[0] == "slice":
            value, inside = _spread(jax, value, axis, n, start, length, dim[1])
        if inside is not None:
            inside = lax.broadcast_in_dim(inside, box, (axis,))
            mask = inside if mask is None else mask & inside
    value = fit(jax, value, box)
    if mask is not None:
        old = x if box == x.shape else lax.dynamic_slice(x, starts, box, allow_negative_indices=False)
        value = lax.select(mask, value, old)
    return value if box == x.shape else write_box(jax, x, value, starts, apart)


def _spread(jax: Any, value: Any, axis: int, n: int, start: Any, length: Any, step: int) -> tuple[Any, Any]:
    """`value` where an axis of extent `n` takes it, and which elements of the axis that is."""
    lax = jax.lax
    at = lax.iota(np.int64, n)
    value = fit(jax, value, tuple(n if k == axis else m for k, m in enumerate(value.shape)))
    if step == 1:
        inside = (at >= start) & (at < start + length)
        if isinstance(start, jax.core.Tracer) or int(start) != 0:
            value = lax.dynamic_slice_in_dim(_longer(jax, value, axis, n, 0), n - start, n, axis)
        return value, inside
    if step == -1:
        reverse = _longer(jax, lax.rev(value, (axis,)), axis, 0, n)
        return lax.dynamic_slice_in_dim(reverse, n - 1 - start, n, axis), (at <= start) & (at > start - length)
    from_start = at - start if step > 0 else start - at
    number = lax.div(from_start, lax.full_like(at, abs(step)))
    inside = (from_start >= 0) & (from_start - number * abs(step) == 0) & (number < length)
    return jax.numpy.take(value, jax.numpy.clip(number, 0, n - 1), axis, mode="clip"), inside


# --- what else makes or takes run-time lengths -----------------------------------------------------------


def spread(jax: Any, x: Any, *lengths: Any, shape: tuple[Any, ...], bounds: tuple[int, ...]) -> Any:
    """``numpy.broadcast_to(x, shape)``."""
    given = iter(bounds)
    wanted = tuple(next(given) if n == "n" else n for n in shape)
    lead = len(wanted) - x.ndim
    x = fit(jax, x, tuple(n if n == 1 else m for n, m in zip(x.shape, wanted[lead:], strict=True)))
    return jax.numpy.broadcast_to(x, wanted)


def count(jax: Any, length: Any, *, bound: int) -> Any:
    """``numpy.arange(length)``."""
    return jax.lax.iota(np.int64, bound)


def flatnonzero(jax: Any, mask: Any, total: Any, *, bound: int) -> Any:
    """``numpy.flatnonzero(mask)``."""
    return jax.numpy.flatnonzero(mask, size=bound, fill_value=0).astype(np.int64)


def as_extents(jax: Any, x: Any, *lengths: Any, axes: tuple[int, ...]) -> Any:
    """The same data."""
    return x


def reserve(jax: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
    """An array that begins with `x`."""
    return fit(jax, x, shape)
