"""Packing bits into bytes, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy
from lazyarr.dispatch import implements
from lazyarr.numpy._reduce import integer_axis
from lazyarr.numpy._through import lazy


def _weights(bitorder: Any) -> Any:
    if not isinstance(bitorder, str):
        raise TypeError(f"the argument 'bitorder' must be str, not {type(bitorder).__name__}")
    if bitorder not in ("big", "little"):
        raise ValueError("'order' must be either 'little' or 'big'")
    shifts = lazy.arange(8, dtype=np.uint8)
    return shifts[::-1] if bitorder == "big" else shifts


def _with_axis(x: LazyArray, axis: Any) -> tuple[Any, int]:
    """The array with the axis moved last."""
    if axis is None:
        return lazy.ravel(x), 0
    x = x if x.ndim else lazy.reshape(x, 1)
    at = integer_axis(axis, x.ndim)
    return lazy.moveaxis(x, at, -1), at


@implements(np.packbits)
def packbits(a: Any, /, axis: Any = None, bitorder: str = "big") -> Any:
    """As `numpy.packbits`."""
    x = as_lazy(a)
    if x.dtype.kind not in "iub":
        raise TypeError("Expected an input array of integer or boolean data type")
    shifts = _weights(bitorder)
    moved, at = _with_axis(x, axis)
    n = moved.shape[-1]
    bits = (moved != 0).astype(np.uint8)
    padded = lazy.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, -n % 8)])
    groups = padded.reshape((*padded.shape[:-1], -(-n // 8), 8))
    packed = lazy.sum(groups << shifts, axis=-1, dtype=np.uint8)
    return lazy.moveaxis(packed, -1, at).copy(order=_order(x, axis))


@implements(np.unpackbits)
def unpackbits(a: Any, /, axis: Any = None, count: Any = None, bitorder: str = "big") -> Any:
    """As `numpy.unpackbits`."""
    x = as_lazy(a)
    if x.dtype != np.uint8:
        raise TypeError("Expected an input array of unsigned byte data type")
    shifts = _weights(bitorder)
    moved, at = _with_axis(x, axis)
    n = 8 * moved.shape[-1]
    bits = ((moved[..., None] >> shifts) & np.uint8(1)).reshape((*moved.shape[:-1], n))
    if count is not None:
        wanted = count.__index__()
        if wanted < 0:
            if -wanted > n:
                raise ValueError(f"-count larger than number of elements: {wanted} of {n}")
            wanted += n
        if wanted <= n:
            bits = bits[..., :wanted]
        else:
            bits = lazy.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, wanted - n)])
    return lazy.moveaxis(bits, -1, at).copy(order=_order(x, axis))


def _order(x: LazyArray, axis: Any) -> str:
    """The order in memory of a result."""
    return "F" if axis is not None and x.flags.fnc else "C"
