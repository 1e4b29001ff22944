"""Bools and floats where NumPy wants integers (an axis, a shape, a count): taken and refused as NumPy does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.numpy as lnp

Array = Any
_AXIS = (
    "sum prod max min any all mean std var cumsum cumprod argmax argmin sort argsort median ptp average count_nonzero "
    "nansum nanmean nanmax diff gradient flip expand_dims squeeze trapezoid nancumsum unwrap repeat take delete "
    "partition argpartition fft.fft concatenate stack roll lexsort packbits quantile compress"
).split()
_MORE: dict[str, tuple[Any, ...]] = {
    "repeat": (2,), "take": ([0],), "delete": (0,), "partition": (1,), "argpartition": (1,), "roll": (1,),
    "quantile": (0.5,),
}  # fmt: skip


def _along(name: str) -> Callable[[Any, Array, Any], Any]:
    def function(m: Any, a: Array, value: Any) -> Any:
        called = m
        for part in name.split("."):
            called = getattr(called, part)
        if name in ("concatenate", "stack", "lexsort"):
            return called((a, a), axis=value)
        if name == "compress":
            return called([True], a, axis=value)
        return called(a.astype(int) if name == "packbits" else a, *_MORE.get(name, ()), axis=value)

    return function


_FUNCTIONS: dict[str, Callable[[Any, Array, Any], Any]] = {
    **{name: _along(name) for name in _AXIS},
    "a method": lambda m, a, value: a.max(value),
    "a tuple": lambda m, a, value: m.sum(a, axis=(0, value)),
    "add.reduce": lambda m, a, value: m.add.reduce(a, axis=value),
    "add.accumulate": lambda m, a, value: m.add.accumulate(a, axis=value),
    "transpose": lambda m, a, value: m.transpose(a, (value, 0)),
    "squeeze of a tuple": lambda m, a, value: m.squeeze(a[:, :1], (value,)),
    "swapaxes": lambda m, a, value: m.swapaxes(a, value, 0),
    "moveaxis": lambda m, a, value: m.moveaxis(a, value, 0),
    "trace": lambda m, a, value: m.trace(a, value),
    "diagonal": lambda m, a, value: m.diagonal(a, value),
    "zeros": lambda m, a, value: m.zeros((value, 2)),
    "zeros of one": lambda m, a, value: m.zeros(value),
    "full": lambda m, a, value: m.full((2, value), 1.0),
    "zeros_like": lambda m, a, value: m.zeros_like(a, shape=(value, 2)),
    "reshape": lambda m, a, value: a.reshape(value, -1),
    "broadcast_to": lambda m, a, value: m.broadcast_to(a, (value, 2, 3)),
    "tile": lambda m, a, value: m.tile(a, (value, 2)),
    "resize": lambda m, a, value: m.resize(a, (value, 2)),
    "eye": lambda m, a, value: m.eye(value),
    "eye, shifted": lambda m, a, value: m.eye(3, k=value),
    "identity": lambda m, a, value: m.identity(value),
    "tri": lambda m, a, value: m.tri(value),
    "tri, shifted": lambda m, a, value: m.tri(3, k=value),
    "triu": lambda m, a, value: m.triu(a, value),
    "roll by": lambda m, a, value: m.roll(a, value),
    "roll by two": lambda m, a, value: m.roll(a, (value, 1), axis=(0, 1)),
    "repeat so often": lambda m, a, value: m.repeat(a, value, axis=0),
    "round": lambda m, a, value: m.round(a, value),
    "fft of some": lambda m, a, value: m.fft.fft(a, value),
    "unravel_index": lambda m, a, value: m.unravel_index([0], (value, 3))[1],
    "vander": lambda m, a, value: m.vander(a[0], value),
}


def _outcome(function: Callable[[Any, Array, Any], Any], m: Any, value: Any) -> Any:
    try:
        found = function(m, m.arange(6.0).reshape(2, 3), value)
        found = found[0] if isinstance(found, (list, tuple)) else found
        return np.asarray(found).tolist(), found.dtype, found.shape
    except (TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        return type(error)


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("name", _FUNCTIONS)
def test_as_numpy_takes_them(name: str, eager_below: int) -> None:
    with lazyarr.settings.settings(eager_below=eager_below), np.errstate(all="ignore"):
        for value in (True, False, np.True_, 1.0, np.float64(1), 1.5, -1, np.int8(1)):
            expected, found = (_outcome(_FUNCTIONS[name], m, value) for m in (np, lnp))
            assert str(found) == str(expected), (value, found, expected)


def test_a_shape_of_floats_is_refused() -> None:
    with pytest.raises(TypeError):
        lnp.zeros(np.array([2.0, 3.0]))
