"""XLA: an array of which a slice is written. The form of the write decides how fast it is."""

from __future__ import annotations

from typing import Any

import numpy as np


def _ascending(
    jax: Any, value: Any, start: tuple[int, ...], stop: tuple[int, ...], step: tuple[int, ...]
) -> tuple[Any, list[range]]:
    """The value and the indices it is written to, all in ascending order (steps of single indices are 1)."""
    indices, reverse = [], []
    for axis, entry in enumerate(zip(start, stop, step, strict=True)):
        written = range(*entry)
        if len(written) == 1:
            written = range(written[0], written[0] + 1)
        elif entry[2] < 0:
            written = written[::-1]
            reverse.append(axis)
        indices.append(written)
    return (jax.lax.rev(value, reverse) if reverse else value), indices


#: A box of at most this share of the array is written in place, a larger one merged under a mask. Jacobi sweeps of
#: 1000 x 1000 in a loop, a sweep, in place against merged: box of 0.06: 0.19, 0.70 ms; 0.25: 0.51, 0.77; 0.5: 1.2,
#: 1.4; 0.75: 8.4, 1.2; all: 9.4, 1.1.
SMALL_BOX = 1 / 3


def update_slice(
    jax: Any, x: Any, value: Any, *, start: tuple[int, ...], stop: tuple[int, ...], step: tuple[int, ...]
) -> Any:
    """`x` with ``x[start:stop:step] = value``."""
    if value.size == 0:
        return x
    value, indices = _ascending(jax, value, start, stop, step)
    low = [r[0] for r in indices]
    extent = [r[-1] + 1 - r[0] for r in indices]
    covered = int(np.prod(extent, dtype=np.int64))
    if covered > SMALL_BOX * x.size:
        return _merge(jax, x, value, indices)
    if value.size < covered:
        # Merge within the bounding box only; the box itself is then written in place.
        box = jax.lax.slice(x, low, [a + n for a, n in zip(low, extent, strict=True)])
        value = _merge(jax, box, value, [range(0, n, r.step) for n, r in zip(extent, indices, strict=True)])
    return write_box(jax, x, value, [np.int32(a) for a in low])


def write_box(jax: Any, x: Any, value: Any, starts: list[Any], apart: bool = False) -> Any:
    """XLA's ``dynamic_update_slice``, the value computed before any of it is written.

    XLA's CPU compiler may fuse the computation of the value into the update and run that in place, where it reads what
    it has overwritten (openxla/xla issue 49176: a reshape before or after the update is enough). Rows of 1000 in a
    loop cost 0.75 us so, 0.6 to 0.9 without. `apart`: the value is in a buffer of its own.
    """

    def write(x: Any, value: Any, *starts: Any) -> Any:
        return jax.lax.dynamic_update_slice(x, value, starts, allow_negative_indices=False)

    return write(x, value if apart or value.size <= 1 else set_apart(jax, value)[0], *starts)


def set_apart(jax: Any, *values: Any) -> Any:
    """Values in buffers of their own on the CPU: the results of a conditional, which nothing is fused with."""

    def chosen(*values: Any) -> Any:
        # The condition is false, but XLA does not know it: no square is 2 modulo 4.
        lax, first = jax.lax, values[0]
        first = lax.reshape(lax.slice(first, (0,) * first.ndim, (1,) * first.ndim), ())
        if first.dtype.kind == "c":
            first = lax.real(first)
        if first.dtype.kind == "f":
            first = lax.bitcast_convert_type(first, np.dtype(f"i{first.dtype.itemsize}"))
        number = lax.convert_element_type(first, np.int32)
        never = (number * number & 3) == 2
        return lax.cond(never, lambda *vs: tuple(lax.full_like(v, 0) for v in vs), lambda *vs: vs, *values)

    return jax.lax.platform_dependent(*values, cpu=chosen, default=lambda *vs: vs)


def _merge(jax: Any, x: Any, value: Any, indices: list[range]) -> Any:
    """`value` at the written indices, else `x`: fused loops, unlike an update in place.

    Along the first axis that is not written as a whole, what stands before and after is put around the rest: the loop
    over the rest then has no branch for it. Where that would be rows in pieces, or steps, a mask decides. Sweeps of a
    stencil, in one executable, by mask on all axes against this: 344 x 403: 0.38, 0.16 ms; 1500 x 1500: 14, 6.7 ms;
    200 x 100 x 120: 29, 8.6 ms; 2,000,000: 9.6, 2.5 ms.
    """
    if value.shape == x.shape:
        return value
    axis = next(k for k, r in enumerate(indices) if len(r) < x.shape[k])
    written = indices[axis]
    if (axis < x.ndim - 1 or x.ndim == 1) and written.step == 1:
        within = [range(len(written)) if k == axis else r for k, r in enumerate(indices)]
        low, high = written[0], written[-1] + 1
        parts = [
            jax.lax.slice_in_dim(x, 0, low, axis=axis),
            _masked(jax, jax.lax.slice_in_dim(x, low, high, axis=axis), value, within),
            jax.lax.slice_in_dim(x, high, x.shape[axis], axis=axis),
        ]
        return jax.lax.concatenate([part for part in parts if part.shape[axis]], axis)
    return _masked(jax, x, value, indices)


def _masked(jax: Any, x: Any, value: Any, indices: list[range]) -> Any:
    """`value` where a mask of the written indices holds, else `x`: one loop."""
    if value.shape == x.shape:
        return value
    config, mask = [], None
    for axis, (written, extent) in enumerate(zip(indices, x.shape, strict=True)):
        config.append((written[0], extent - 1 - written[-1], written.step - 1))
        if len(written) == extent:
            continue
        at = jax.lax.broadcasted_iota(np.int32, x.shape, axis)
        inside = at >= written[0] if written[0] else None
        for condition in (
            at <= written[-1] if written[-1] < extent - 1 else None,
            (at - written[0]) % written.step == 0 if written.step > 1 else None,
        ):
            if condition is not None:
                inside = condition if inside is None else inside & condition
        mask = inside if mask is None else mask & inside
    padded = jax.lax.pad(value, jax.lax.full((), 0, x.dtype), config)
    return jax.lax.select(mask, padded, x)
