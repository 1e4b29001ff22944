"""The table of implementations of SciPy's functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

#: Module and name -> what is run instead.
FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {}


def implements(module: str, *names: str) -> Callable[[Function], Function]:
    """Decorator: the lazy implementation of functions of a module of SciPy's; of several, it takes the name first."""

    def register(function: Function) -> Function:
        for name in names:
            FUNCTIONS[module, name] = function if len(names) == 1 else partial(function, name)
        return function

    return register
