"""NumPy's `numpy.fft` over lazy arrays: the transforms of several axes are one operation each."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.fft import _pocketfft as _typed

from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.ir.op import OPS
from lazyarr.ir.types import NAMES
from lazyarr.numpy._reduce import one_axis
from lazyarr.numpy._submodule import fill
from lazyarr.numpy._through import SUBSTITUTES, through_names
from lazyarr.runtime import record

#: NumPy's module, whose helpers have no types.
_pocketfft: Any = _typed


def _transform(
    x: LazyArray, kind: str, axes: Sequence[Any], lengths: Sequence[Any], norm: Any, out: Any = None
) -> LazyArray:  # fmt: skip
    """One or more axes transformed in one operation; repeated axes take one operation each time they come up.

    Parameters
    ----------
    kind : {"fft", "ifft", "rfft", "irfft"}
        Real in the last of `axes`.
    lengths : sequence of int
        Number of points of each axis.

    Raises
    ------
    ValueError
        For a length below 1, or an unknown `norm`.
    NotCompiled
        For float16 with a factor, which NumPy rounds to float16, and for other classes of ``out=``.
    """
    if not len(axes):
        return x
    for n in lengths:
        if n < 1:
            raise ValueError(f"Invalid number of FFT data points ({n}) specified.")
    norm = _norm(kind, norm)
    at = [one_axis(axis, x.ndim) for axis in axes]
    if any(isinstance(n, bool) for n in lengths):
        raise TypeError("an integer is required")
    lengths = [operator.index(n) for n in lengths]
    if x.dtype == np.float16 and norm != ("forward" if kind in ("ifft", "irfft") else "backward"):
        raise NotCompiled("a factor rounded to float16")
    if len(set(at)) != len(at):
        if kind not in ("fft", "ifft"):
            raise NotCompiled("the same axis more than once")
        for axis, n in reversed(list(zip(at, lengths, strict=True))):
            x = _transform(x, kind, [axis], [n], norm, out)
        return x
    single = x.dtype in (np.float16, np.float32, np.complex64)
    real: np.dtype[Any] = np.dtype("f4" if single else "f8")
    complex_: np.dtype[Any] = np.dtype("c8" if single else "c16")
    if kind == "rfft":
        if x.dtype.kind == "c":
            raise TypeError(
                f"ufunc 'rfft_n_{'odd' if lengths[-1] % 2 else 'even'}' did not contain a loop with signature matching "
                f"types ({x.dtype!r}, {np.dtype(float)!r}) -> {complex_!r}"
            )
        loop: np.dtype[Any] = real
    else:
        loop = real if kind == "fft" and x.dtype.kind != "c" else complex_
    value = record(
        OPS["fft"], cast(x._value(), loop), kind=kind, axes=tuple(at), lengths=tuple(lengths), norm=norm
    )
    if out is not None:
        return _into(out, LazyArray._new(value))
    if kind == "irfft" and x.dtype == np.float16:
        value = cast(value, x.dtype)
    return LazyArray._new(value, _layout(x, value.type.shape, value.type.dtype.itemsize))


def _norm(kind: str, norm: Any) -> str:
    """`norm` with None spelt out.

    Raises
    ------
    ValueError
        If it is unknown, in NumPy's words.
    """
    if norm is None:
        return "backward"
    if not isinstance(norm, str) or norm not in ("backward", "ortho", "forward"):
        quoted = '"backward","ortho" or "forward"' if kind in ("fft", "rfft") else '"backward", "ortho" or "forward"'
        raise ValueError(f"Invalid norm value {norm}; should be {quoted}.")
    return norm


def _into(out: Any, found: LazyArray) -> LazyArray:
    """Write a result to ``out=``, as NumPy's loops do."""
    target = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if not isinstance(target, LazyArray):
        if isinstance(target, np.ndarray):
            raise NotCompiled("out= is a NumPy array")
        raise TypeError("return arrays must be of ArrayType")
    if target.shape != found.shape:
        raise ValueError("output array has wrong shape.")
    if not np.can_cast(found.dtype, target.dtype, "same_kind"):
        raise TypeError(
            f"Cannot cast ufunc output from {found.dtype!r} to {target.dtype!r} with casting rule 'same_kind'"
        )
    target._assign(cast(found._value(), target.dtype))
    return target


def _layout(x: LazyArray, shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Strides of ``np.empty_like(x, shape=shape)``."""
    if x.ndim < 2 or x.flags.c_contiguous:
        return geometry.contiguous(shape, itemsize)
    if x.flags.f_contiguous:
        return geometry.contiguous(shape, itemsize, "F")
    strides = [0] * x.ndim
    step = itemsize
    for axis in sorted(range(x.ndim), key=lambda k: -abs(x.strides[k]))[::-1]:
        strides[axis] = step
        step *= shape[axis]
    return tuple(strides)


def _raw_fft(
    a: LazyArray, n: Any, axis: Any, is_real: bool, is_forward: bool, norm: Any, out: Any = None
) -> LazyArray:  # fmt: skip
    """NumPy's helper below the transforms of one axis."""
    a = as_lazy(a)
    kind = {(False, True): "fft", (False, False): "ifft", (True, True): "rfft", (True, False): "irfft"}
    return _transform(a, kind[is_real, is_forward], [axis], [n], norm, out)


SUBSTITUTES[id(_pocketfft._raw_fft)] = _raw_fft
through_names(np.fft, "fft ifft rfft irfft hfft ihfft fftfreq rfftfreq fftshift ifftshift")


def _all_points(x: LazyArray, axis: Any) -> Any:
    """The number of points of an axis that is given none."""
    return x.shape[one_axis(axis, x.ndim)]


def _several(kind: str) -> Callable[..., LazyArray]:
    def function(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> LazyArray:
        x = as_lazy(a)
        if x.dtype not in NAMES:
            raise NotCompiled(f"dtype {x.dtype}")
        # NumPy's own: it looks at the shape only.
        lengths, at = _pocketfft._cook_nd_args(x, s, axes, 1 if kind == "irfft" else 0)
        lengths = [_all_points(x, axis) if n is None else n for n, axis in zip(lengths, at, strict=True)]
        if kind == "irfft" and len(at) and s is not None and s[-1] is None:
            lengths[-1] = 2 * (lengths[-1] - 1)
        if kind in ("rfft", "irfft") and not len(at):
            raise IndexError("list index out of range")
        return _transform(x, kind, list(at), list(lengths), norm, out)

    function.__name__ = f"{kind}n"
    return function


def _two(kind: str, takes_out: bool) -> Callable[..., LazyArray]:
    transform = _several(kind)

    def function(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> LazyArray:
        return transform(a, s, axes, norm, out if takes_out else None)

    function.__name__ = f"{kind}2"
    return function


for _kind in ("fft", "ifft", "rfft", "irfft"):
    implements(getattr(np.fft, f"{_kind}n"))(_several(_kind))
    # NumPy's inverse transforms of two axes take no notice of out=.
    implements(getattr(np.fft, f"{_kind}2"))(_two(_kind, takes_out=_kind in ("fft", "rfft")))

fill(globals(), "fft")
