"""Discrete Fourier transforms over one or more axes at once.

Several axes are one operation because XLA's transform of them together is twice as fast as one axis after
the other (512 x 512 complex128: 1.9 ms against 4 to 6; NumPy 4 to 5), which transposes in between.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.access import WHOLE, Along, OperandAccess
from lazyarr.ir.extents import Shape
from lazyarr.ir.op import Cost, Op, Sample
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.across import ACROSS
from lazyarr.ops.order import ORDERED

KINDS = ("fft", "ifft", "rfft", "irfft")
NORMS = ("backward", "ortho", "forward")
_REAL = (DTYPES["f32"], DTYPES["f64"])
_COMPLEX = (DTYPES["c64"], DTYPES["c128"])


def _infer(x: ArrayType, *, kind: str, axes: tuple[int, ...], lengths: Shape, norm: str) -> ArrayType:
    if kind not in KINDS or norm not in NORMS:
        raise ValueError(f"no transform {kind!r} with norm {norm!r}; there are {KINDS} and {NORMS}")
    taken = {"rfft": _REAL, "fft": _REAL + _COMPLEX}.get(kind, _COMPLEX)
    if x.weak or x.dtype not in taken:
        raise TypeError(f"{kind} takes {', '.join(map(str, taken))} in the IR, got {x}; cast first")
    if not axes or len(set(axes)) != len(axes) or len(axes) != len(lengths) or not set(axes) <= set(range(x.ndim)):
        raise ValueError(f"{kind} takes distinct axes of {x}, each with a length; got {axes} and {lengths}")
    shape = list(x.shape)
    for axis, n in zip(axes, lengths, strict=True):
        if isinstance(n, int) and n < 1:
            raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
        shape[axis] = n
    if kind == "rfft":
        shape[axes[-1]] = lengths[-1] // 2 + 1
    item = x.dtype.itemsize
    if kind == "irfft":
        dtype = np.dtype(f"f{item // 2}")
    else:
        dtype = x.dtype if x.dtype.kind == "c" else np.dtype(f"c{2 * item}")
    return ArrayType(dtype, tuple(shape))


#: Elements from which the transform of a real array is made of half of it: 1.4 to 2 times as fast.
_LARGE = 1 << 14


def _evaluate(xp: Any, x: Any, *, kind: str, axes: tuple[int, ...], lengths: Shape, norm: str, out: Any = None) -> Any:
    if kind == "fft" and x.dtype.kind == "f" and x.size >= _LARGE:
        return _from_half(_evaluate(xp, x, kind="rfft", axes=axes, lengths=lengths, norm=norm), axes, lengths, out)
    if kind == "irfft" and not x.shape[axes[-1]]:
        # (Of no elements NumPy 2.4 takes what lies in memory.)
        result = _infer(ArrayType(x.dtype, x.shape), kind=kind, axes=axes, lengths=lengths, norm=norm)
        return np.zeros(result.shape, result.dtype)
    return getattr(np.fft, kind + "n")(x, s=lengths, axes=axes, norm=norm, out=out)


def _fill(results: Any, x: Any, *, kind: str, axes: tuple[int, ...], lengths: Shape, norm: str) -> None:
    """NumPy transforms within the result, where all that it makes on the way is as large."""
    (target,) = results
    # (The last axis is the first to be transformed, but for irfft, where what comes before is NumPy's own.)
    fits = kind == "irfft" or all(x.shape[axis] == n for axis, n in zip(axes[:-1], lengths[:-1], strict=True))
    found = _evaluate(np, x, kind=kind, axes=axes, lengths=lengths, norm=norm, out=target if fits else None)
    if found is not target:
        target[...] = found


def _from_half(half: Any, axes: tuple[int, ...], lengths: tuple[int, ...], out: Any) -> Any:
    """The transform of a real array: what ``rfftn`` leaves out is the conjugate of what it gives at -k."""
    last, n = axes[-1], lengths[-1]
    shape = list(half.shape)
    shape[last] = n
    result = np.empty(shape, half.dtype) if out is None else out
    left: list[Any] = [slice(None)] * half.ndim
    left[last] = slice(half.shape[last])
    result[tuple(left)] = half
    # (-k is k at 0, and counts backwards from there.)
    ways = [((slice(0, 1), slice(0, 1)), (slice(1, None), slice(None, 0, -1))) if axis in axes[:-1]
            else ((slice(None), slice(None)),) for axis in range(half.ndim)]  # fmt: skip
    ways[last] = ((slice(n // 2 + 1, None), slice((n - 1) // 2, 0, -1)),)
    for parts in itertools.product(*ways):
        to, at = (tuple(part[k] for part in parts) for k in (0, 1))
        np.conjugate(half[at], out=result[to])
    return result


def _xla(jax: Any, x: Any, *, kind: str, axes: tuple[int, ...], lengths: tuple[int, ...], norm: str) -> Any:
    jnp, lax = jax.numpy, jax.lax
    target = _infer(ArrayType(x.dtype, x.shape), kind=kind, axes=axes, lengths=lengths, norm=norm)
    if 0 in target.shape:
        return jnp.zeros(target.shape, target.dtype)
    if kind == "fft" and x.dtype.kind != "c":
        x = x.astype(target.dtype)
    for axis, n in zip(axes, lengths, strict=True):
        needed = n // 2 + 1 if kind == "irfft" and axis == axes[-1] else n
        x = lax.slice_in_dim(x, 0, min(needed, x.shape[axis]), axis=axis)
        missing = [(0, needed - x.shape[axis], 0) if k == axis else (0, 0, 0) for k in range(x.ndim)]
        x = lax.pad(x, jnp.zeros((), x.dtype), missing)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    x = jnp.moveaxis(x, axes, last)
    total = math.prod(lengths)
    for group, sizes in _groups(kind, last, lengths):
        x = jnp.moveaxis(x, group, last[-len(group) :])
        which = kind if last[-1] in group else {"rfft": "fft", "irfft": "ifft"}.get(kind, kind)
        x = lax.fft(x, which, sizes)
        x = jnp.moveaxis(x, last[-len(group) :], group)
    if norm != "backward":
        # XLA divides inverse transforms by the number of points, forward ones by nothing.
        scale = math.sqrt(total) if norm == "ortho" else float(total)
        x = x * np.asarray(scale if kind in ("ifft", "irfft") else 1 / scale, x.real.dtype)
    return jnp.moveaxis(x, last, axes)


def _groups(kind: str, axes: tuple[int, ...], lengths: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
    """XLA transforms at most three axes at a time: the axes of each step, in order, with their lengths."""
    parts = [(axes[max(k - 3, 0) : k], lengths[max(k - 3, 0) : k]) for k in range(len(axes), 0, -3)]
    # A real transform is the first step, its inverse the last.
    yield from reversed(parts) if kind == "irfft" else parts


def _access(x: ArrayType, *, axes: tuple[int, ...], **attrs: Any) -> tuple[OperandAccess, ...]:
    return (tuple(WHOLE if axis in axes else Along(axis) for axis in range(x.ndim)),)


def _cost(x: ArrayType, *, kind: str, axes: tuple[int, ...], lengths: Shape, norm: str) -> Cost:
    result = _infer(x, kind=kind, axes=axes, lengths=lengths, norm=norm)
    points = result.with_shape(
        tuple(lengths[axes.index(axis)] if axis in axes else n for axis, n in enumerate(x.shape))
    ).size
    # The customary count of a radix-2 transform; half of it where one side is real.
    each = 2.5 if kind in ("rfft", "irfft") else 5.0
    doublings = sum(math.log2(extents.bound(n)) for n in lengths)
    return Cost(points * math.ceil(each * doublings), x.nbytes + 2 * len(axes) * result.nbytes)


def _samples() -> Iterator[Sample]:
    shapes: list[tuple[str, tuple[int, ...], tuple[int, ...]]] = [
        ("8", (0,), (8,)), ("7", (0,), (7,)), ("1", (0,), (1,)), ("3,8", (1,), (8,)), ("6,5", (0,), (6,)),
        ("3,8", (1,), (5,)), ("3,8", (1,), (13,)), ("3,8", (0,), (2,)), ("4,6", (0, 1), (4, 6)),
        ("4,6", (1, 0), (6, 4)), ("2,4,3,5", (1, 3), (4, 4)), ("2,3,4", (0, 1, 2), (2, 3, 4)),
        ("2,3,2,3", (0, 1, 2, 3), (2, 3, 2, 3)), ("2,3,2,3", (3, 1, 0, 2), (3, 3, 2, 3)), ("0,4", (1,), (4,)),
        ("3,0", (1,), (4,)), ("11", (0,), (11,)),
    ]  # fmt: skip
    takes = {"fft": ("c128", "c64", "f64", "f32"), "ifft": ("c128", "c64"), "rfft": ("f64", "f32"),
             "irfft": ("c128", "c64")}  # fmt: skip
    for kind, dtypes in takes.items():
        for k, (shape, axes, lengths) in enumerate(shapes):
            for norm in NORMS if k in (0, 1, 8) else ("backward",):
                attrs = {"kind": kind, "axes": axes, "lengths": lengths, "norm": norm}
                yield Sample((f"{dtypes[0]}[{shape}]",), attrs)
        for dtype in dtypes[1:]:
            yield Sample((f"{dtype}[3,8]",), {"kind": kind, "axes": (1,), "lengths": (8,), "norm": "ortho"})


#: Transforms over `axes`, each cropped or padded with zeros to its length; ``rfft`` and ``irfft`` are real in the last.
FFT = Op(
    name="fft",
    numpy="numpy.fft.<kind>n(x, lengths, axes, norm)",
    infer=_infer,
    evaluate=_evaluate,
    jax=_xla,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=_cost,
    backends=("xla", "numpy"),
    samples=_samples,
    part="same",
    across=ACROSS["fft"],
    ordered=ORDERED["fft"],
    fills=_fill,
)
