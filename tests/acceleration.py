"""What the tests of `accelerate` share: one function, run accelerated and not."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr import accelerate


def assert_same(expected: Any, got: Any) -> None:
    """Equal in type, dtype, shape, layout and value (to rounding), element by element."""
    assert type(expected) is type(got), f"{type(expected)} against {type(got)}"
    if isinstance(expected, (np.ndarray, np.generic)):
        assert (expected.dtype, expected.shape) == (got.dtype, got.shape)
        rtol = 1e-12 if expected.dtype.itemsize >= 8 else 1e-5
        np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=1e-13)
        if isinstance(expected, np.ndarray):
            assert expected.flags.f_contiguous == got.flags.f_contiguous
            assert expected.flags.c_contiguous == got.flags.c_contiguous
            assert expected.flags.writeable == got.flags.writeable
    elif isinstance(expected, (list, tuple)):
        assert len(expected) == len(got)
        for e, g in zip(expected, got, strict=True):
            assert_same(e, g)
    elif isinstance(expected, dict):
        assert list(expected) == list(got)
        for key in expected:
            assert_same(expected[key], got[key])
    elif dataclasses.is_dataclass(expected) or hasattr(expected, "__dict__"):
        assert_same(vars(expected), vars(got))
    elif isinstance(expected, np.random.Generator):
        assert expected.bit_generator.state == got.bit_generator.state
    elif isinstance(expected, float):
        assert math.isclose(expected, got, rel_tol=1e-12) or (math.isnan(expected) and math.isnan(got))
    else:
        assert expected == got


def programs(accelerated: Any) -> int:
    """How many programs were compiled; 0 where the function runs in pieces or as plain Python."""
    return len(compiled_programs(accelerated))


def compiled_programs(accelerated: Any) -> list[Any]:
    """The programs of an accelerated function, in the order they were compiled."""
    return [one for variants in accelerated._known.values() for one in variants]


def check(function: Callable[..., Any], make: Callable[[int], tuple[Any, ...]], calls: int = 2) -> Any:
    """Call the function accelerated and not, several times; results and arguments must agree. Gives the accelerated."""
    accelerated: Any = accelerate(function)
    for k in range(calls):
        plain, own = make(k), make(k)
        assert_same(function(*plain), accelerated(*own))
        assert_same(plain, own)
    return accelerated


def ramp(*shape: int) -> Callable[[int], tuple[Any, ...]]:
    return lambda k: (np.arange(float(math.prod(shape))).reshape(shape) + k,)
