"""Functions of which only calls with large arrays are accelerated."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lazyarr.tracing.accelerated import Accelerated

#: Elements of an array from which on statements that no loop repeats gain by being compiled.
LARGE = 100_000


_NONE: dict[str, Any] = {}


def _is_large(x: Any) -> bool:
    return type(x) is np.ndarray and x.size >= LARGE


class WhereLarge:
    """Stands for a function without loops: one that is given numbers and little arrays takes a microsecond or less.

    (Arrays are looked for among its arguments and their attributes.)

    Parameters
    ----------
    function : function
    accelerated : Accelerated
        The same, accelerated.
    """

    __slots__ = ("accelerated", "_function")

    def __init__(self, function: types.FunctionType, accelerated: Accelerated):
        self._function, self.accelerated = function, accelerated

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for x in args:
            if _is_large(x) or any(map(_is_large, getattr(x, "__dict__", _NONE).values())):
                return self.accelerated(*args, **kwargs)
        return self._function(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)
