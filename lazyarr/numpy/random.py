"""NumPy's random numbers as lazy arrays.

The numbers are NumPy's own, drawn when the call is made, so that every stream is the one NumPy gives. A call counts
as one that runs in NumPy.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy.random as _random

from lazyarr.fallback import run_in_numpy

_CLASSES = ("Generator", "RandomState")


class _Proxy:
    """A generator of NumPy's whose arrays come back lazy."""

    def __init__(self, generator: Any):
        self._generator = generator

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._generator, name)
        if not callable(value) or name in ("spawn",):
            return value
        return _drawing(value, f"numpy.random.{type(self._generator).__name__}.{name}")

    def spawn(self, n_children: int) -> list[_Proxy]:
        return [_Proxy(child) for child in self._generator.spawn(n_children)]

    def __reduce__(self) -> Any:
        return _Proxy, (self._generator,)

    def __repr__(self) -> str:
        return repr(self._generator)


def _drawing(function: Any, name: str) -> Any:
    @wraps(function)
    def draw(*args: Any, **kwargs: Any) -> Any:
        return run_in_numpy(function, args, kwargs, f"{name} is not compiled")

    return draw


def default_rng(seed: Any = None) -> Any:
    """As `numpy.random.default_rng`; arrays drawn from it are lazy."""
    return _Proxy(_random.default_rng(seed._generator if isinstance(seed, _Proxy) else seed))


def Generator(bit_generator: Any) -> Any:
    """As `numpy.random.Generator`."""
    return _Proxy(_random.Generator(bit_generator))


def RandomState(seed: Any = None) -> Any:
    """As `numpy.random.RandomState`."""
    return _Proxy(_random.RandomState(seed))


for _name in _random.__all__:
    if _name not in globals():
        _value = getattr(_random, _name)
        globals()[_name] = (
            _drawing(_value, f"numpy.random.{_name}") if callable(_value) and not isinstance(_value, type) else _value
        )
__all__ = list(_random.__all__)
