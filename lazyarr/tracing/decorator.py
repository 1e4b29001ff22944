"""`accelerate`: what users write before their functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, overload

from lazyarr.tracing.accelerated import Accelerated

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def accelerate(*, strict: bool = False, always: bool = False) -> Callable[[Function], Function]: ...
@overload
def accelerate(function: Function, *, strict: bool = False, always: bool = False) -> Function: ...
def accelerate(function: Any = None, *, strict: bool = False, always: bool = False) -> Any:
    """Compile a function written in plain NumPy.

    The function is traced when it is called with arguments of a new signature (dtypes, shapes, structure), optimized,
    and compiled, its loops and branches as such. Later calls run the compiled program. Arrays that the function changes
    in place are changed, after everything has succeeded. What cannot become one program runs in pieces, with NumPy's
    results.

    Parameters
    ----------
    function : callable
        Takes and returns NumPy arrays, Python scalars, and tuples, lists, dicts and dataclasses of them.
    strict : bool
        Whether a call that would not run as one compiled program, but in pieces or as plain Python, is an error. It is
        raised before the function has had any effect. Loops that are unrolled into the program are fine. Where the
        function is called by another accelerated function, that one's `strict` counts.
    always : bool
        Whether calls are compiled where NumPy takes less time, too. Otherwise NumPy runs the first call of a signature
        if it takes a fraction of the time of compiling (the second call compiles), and those of signatures for which it
        was faster by the clock, as may be for a few elements. Strict functions are always compiled.

    Returns
    -------
    Accelerated
        Called as the function is; has the method ``explain``.

    Raises
    ------
    StrictError
        By calls of a strict function, with the line and the reason. Errors that NumPy raises stay NumPy's.

    Examples
    --------
    >>> import numpy as np, lazyarr
    >>> @lazyarr.accelerate
    ... def step(u, dt):
    ...     u[1:-1] += dt * (u[2:] - 2 * u[1:-1] + u[:-2])
    ...     return u.sum()
    """
    if function is None:
        return functools.partial(accelerate, strict=strict, always=always)
    if isinstance(function, Accelerated):
        same = (strict or function.strict, always or function.always)
        return function if same == (function.strict, function.always) else Accelerated(function._given, *same)
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(accelerate(function.__func__, strict=strict, always=always))
    if not callable(function):
        raise TypeError(f"accelerate takes a function, got a {type(function).__name__}")
    return Accelerated(function, strict, always)
