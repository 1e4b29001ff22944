"""What is given to `accelerate`: Python functions, and other things that can be called."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any


def calling(function: Callable[..., Any]) -> Callable[..., Any]:
    """A Python function that calls what has no Python code of its own (a ufunc, a partial, an object)."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = str(getattr(function, "__name__", type(function).__name__))
    return call


def untraceable(function: Callable[..., Any]) -> str:
    """Why a function can never be traced; empty if it can."""
    if not isinstance(function, types.FunctionType):
        return f"a {type(function).__name__} has no Python code to trace"
    if function.__code__.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        return "a generator or coroutine function runs after the call has returned"
    return ""
