"""`accelerate`: a plain NumPy function, compiled for each signature it is called with."""

from __future__ import annotations

import functools
import inspect
import threading
import types
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np

import lazyarr.numpy  # noqa: F401  the lazy implementations
from lazyarr.ir.graph import Check, CheckFailed, Line, Program
from lazyarr.ops.create import const
from lazyarr.report import note_pieces
from lazyarr.runtime import (
    Leaf,
    NotCaptured,
    Placeholder,
    Plan,
    capture,
    evaluate,
    own,
    plans,
    recording,
    use_recording,
)
from lazyarr.tracing.outputs import Outcome
from lazyarr.tracing.signature import Parts, Plain, memory_groups, sharing_key
from lazyarr.tracing.trace import Trace

Function = TypeVar("Function", bound=Callable[..., Any])

_NOWHERE = const(True)

#: Signatures a function is compiled for at their first call; further ones are compiled when they come again.
_MOST_SIGNATURES = 32
#: Programs for one signature, beyond which the values they depend on are taken to change at every call.
_MOST_VARIANTS = 16
#: Calls of one signature whose guards fail, beyond which it is left to Python.
_MOST_FAILURES = 8


class _Raised(BaseException):
    """A traced function raised an error, and has had no effect so far."""


class _LengthsRefused(BaseException):
    """A trace met an error where data had decided a length: to be done again without such lengths."""


class Compiled:
    """One program of an accelerated function, and what has to hold for a call that uses it."""

    def __init__(self, trace: Trace, outcome: Outcome):
        self.trace = trace
        self.outcome = outcome
        checks = trace.recording.checks
        self.program, leaves = capture(outcome.roots, [c for c, _ in checks])
        if any(isinstance(leaf, Placeholder) for leaf in leaves):
            raise NotCaptured("a value of a loop's body is used outside of it")
        self.checks = checks
        self.plan: Plan = plans.get(self.program)
        self._sources = [self._source(leaf) for leaf in leaves]
        self._count = len(outcome.roots)

    def forget(self) -> None:
        """Let go of the call that was traced."""
        self.trace.forget()
        self.outcome.forget()
        self.checks = [(Check(_NOWHERE, c.exception, c.message), line) for c, line in self.checks]

    def _source(self, leaf: Leaf) -> tuple[str, Any]:
        """Where the data of a parameter comes from at each call."""
        position = self.trace.tape.position_of(leaf)
        if position is not None:
            return "scalar", position
        for k, lazy in enumerate(self.trace.input_leaves):
            if lazy is leaf:
                return "base", k
        return "constant", leaf.data

    def fits(self, parts: Parts) -> list[Any] | None:
        """The scalars of a call if its guards hold; what the call finds outside its arguments joins `parts`."""
        trace = self.trace
        for get, value in trace.expected:
            if get() is not value:
                return None
        for get, value in trace.expected_equal:
            if get() != value:
                return None
        given = len(parts.arrays)
        for get, spec in trace.captured:
            if parts.describe(get()) != spec:
                return None
        if len(parts.arrays) > given and any(k >= given for g in memory_groups(parts.arrays) for k in g):
            return None
        return trace.tape.replay(parts.scalars)

    def __call__(self, parts: Parts) -> tuple[bool, Any]:
        """Run, if the guards hold: (True, result), or (False, None)."""
        scalars = self.fits(parts)
        if scalars is None:
            return False, None
        arguments = [
            scalars[where] if kind == "scalar" else where if kind == "constant" else self.trace.base_data(parts, where)
            for kind, where in self._sources
        ]
        results = self.plan(arguments)
        for check, ok in zip(self.plan.after.graph.checks, results[self._count :], strict=True):
            if not bool(np.asarray(ok)):
                raise CheckFailed(check)
        owned = own(results[: self._count], arguments)
        return True, self.outcome.build(parts, owned, scalars)


class Accelerated:
    """A function compiled for each signature it is called with. Made by `accelerate`.

    Attributes
    ----------
    function : callable
        The user's function.
    """

    def __init__(self, function: Callable[..., Any]):
        functools.update_wrapper(self, function)
        self.function = function if isinstance(function, types.FunctionType) else _calling(function)
        self._known: dict[Any, list[Compiled]] = {}
        self._once: dict[Any, None] = {}
        self._pieces: dict[Any, str] = {}
        self._plain: dict[Any, str] = {}
        #: Loops and branches that are known to run in Python, and why.
        self._uncaptured: dict[tuple[str, int], str] = {}
        self._failures: dict[Any, int] = {}
        self._looks_at_lengths: set[Any] = set()
        self._lock = threading.RLock()
        self._package = (getattr(function, "__module__", None) or "").partition(".")[0]
        self._untraceable = _untraceable(self.function)
        self._own = frozenset(vars(self)) | {"_own"}

    def __repr__(self) -> str:
        return f"<accelerated {self.function!r}>"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else BoundAccelerated(self, instance)

    def user_attributes(self) -> dict[str, Any]:
        """Attributes set on this object besides its own."""
        return {k: v for k, v in vars(self).items() if k not in self._own}

    def __reduce__(self) -> str:
        return str(getattr(self.function, "__qualname__", "accelerated"))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        inside = recording().observer
        if isinstance(inside, Trace):
            # Called by another accelerated function: part of its program.
            if isinstance(self.function, types.FunctionType):
                return inside.environment.traced(self.function)(*args, **kwargs)
            return self.function(*args, **kwargs)
        try:
            parts, key, specs = self._describe(args, kwargs)
        except Plain as reason:
            return self._run_plain(None, str(reason), args, kwargs)
        if key in self._plain:
            return self._run_plain(key, self._plain[key], args, kwargs)
        try:
            for compiled in self._known.get(key, ()):
                done, result = compiled(parts)
                if done:
                    return result
                parts, key, specs = self._describe(args, kwargs)
            return self._first(parts, key, specs, args, kwargs)
        except CheckFailed as failed:
            self._failures[key] = self._failures.get(key, 0) + 1
            always = self._failures[key] > _MOST_FAILURES
            if failed.check.exception != "CheckFailed":
                return self.function(*args, **kwargs)  # NumPy says what is wrong better than a compiled check can
            return self._run_plain(key if always else None, f"not as compiled: {failed.check.message}", args, kwargs)

    def _describe(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Parts, Any, Any]:
        if self._untraceable:
            raise Plain(self._untraceable)
        parts = Parts(self._package)
        specs = tuple(parts.describe(a) for a in args), tuple((k, parts.describe(v)) for k, v in kwargs.items())
        groups = memory_groups(parts.arrays) if len(parts.arrays) > 1 else []
        return parts, (specs, sharing_key(parts.arrays, groups)), specs

    def _first(self, parts: Parts, key: Any, specs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call no compiled program serves: trace, and compile if the trace stands for later calls."""
        try:
            try:
                look = key in self._looks_at_lengths
                trace, outcome = self._traced(parts, specs, args, kwargs, self._pieces.get(key), look)
            except _LengthsRefused:
                # Lengths that data decides stop somewhere outside of loops: there they are looked at.
                self._looks_at_lengths.add(key)
                parts, key, specs = self._describe(args, kwargs)
                trace, outcome = self._traced(parts, specs, args, kwargs, self._pieces.get(key), True)
        except (Plain, NotCaptured) as reason:
            return self._run_plain(key, str(reason), args, kwargs)
        except _Raised:
            # Checks that the program would have made before may say something else: Python's error is the right one.
            return self.function(*args, **kwargs)
        if trace.reasons:
            why, line = trace.reasons[0]
            self._pieces.setdefault(key, why)
            note_pieces(getattr(self.function, "__qualname__", repr(self.function)), why, line)
            return self._finish_in_pieces(trace, outcome, parts)
        if len(self._known) >= _MOST_SIGNATURES and key not in self._once:
            # Shapes that change at every call: compiling each would cost more than it can bring.
            self._once[key] = None
            while len(self._once) > 8 * _MOST_SIGNATURES:
                self._once.pop(next(iter(self._once)))
            return self._finish_in_pieces(trace, outcome, parts)
        try:
            compiled = Compiled(trace, outcome)
        except NotCaptured as reason:
            return self._run_plain(key, str(reason), args, kwargs)
        with self._lock:
            variants = self._known.setdefault(key, [])
            while len(self._known) > 8 * _MOST_SIGNATURES:
                self._known.pop(next(iter(self._known)))
            variants.append(compiled)
            if len(variants) > _MOST_VARIANTS:
                self._pieces[key] = "a Python value that decides the program differs at every call"
                variants.clear()
        fresh, _, _ = self._describe(args, kwargs)
        done, result = compiled(fresh)
        if not done:
            return self._finish_in_pieces(trace, outcome, parts)
        compiled.forget()
        return result

    def _traced(
        self, parts: Parts, specs: Any, args: tuple[Any, ...], kwargs: dict[str, Any], in_pieces: str | None = None,
        looks_at_lengths: bool = False,
    ) -> tuple[Trace, Outcome]:  # fmt: skip
        """Run the function on lazy arguments; `in_pieces` is why it is known not to become one program."""
        trace = Trace(parts, self._uncaptured)
        trace.looks_at_lengths = looks_at_lengths
        if in_pieces is not None:
            trace.observed(in_pieces)
        at = [0, 0]
        end = use_recording(trace.recording)
        try:
            if parts.opaque:
                trace.observed(f"an argument is a {type(parts.opaque[0]).__name__}, which lazyarr cannot look into")
            lazy_args = tuple(trace.shadow(a, s, at) for a, s in zip(args, specs[0], strict=True))
            lazy_kwargs = {k: trace.shadow(v, s, at) for (k, v), (_, s) in zip(kwargs.items(), specs[1], strict=True)}
            assert isinstance(self.function, types.FunctionType)
            result = trace.environment.traced(self.function)(*lazy_args, **lazy_kwargs)
            return trace, Outcome(trace, result)
        except (NotCaptured, Exception) as error:
            if trace.made_lengths and not trace.reasons and not looks_at_lengths:
                raise _LengthsRefused from error
            if isinstance(error, Exception) and not trace.reasons:
                raise _Raised from error
            raise
        finally:
            end()

    def _finish_in_pieces(self, trace: Trace, outcome: Outcome, parts: Parts) -> Any:
        end = use_recording(trace.recording)
        try:
            data = evaluate(outcome.roots)
        finally:
            end()
        # A root that was data before is somebody's storage: the caller gets a copy.
        stored = [root.node.data for root in outcome.roots if isinstance(root.node, Leaf)]
        return outcome.build(parts, own(data, stored), trace.tape.values)

    def _run_plain(self, key: Any, why: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        from lazyarr.fallback import note

        if key is not None:
            self._plain[key] = why
        note(f"{getattr(self.function, '__qualname__', self.function)} runs as plain Python: {why}")
        return self.function(*args, **kwargs)

    def explain(self, *args: Any, **kwargs: Any) -> Any:
        """What becomes of the function for these arguments, which are not changed.

        Returns
        -------
        Explanation
            Regions, what fused, what fell back and why, bytes moved before and after; prints well.
        """
        from lazyarr.tracing.explain import explain

        return explain(self, args, kwargs)


class BoundAccelerated:
    """An accelerated method of an object."""

    def __init__(self, accelerated: Accelerated, instance: Any):
        self.__func__ = accelerated
        self.__self__ = instance

    def __repr__(self) -> str:
        return f"<bound {self.__func__!r} of {self.__self__!r}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__func__(self.__self__, *args, **kwargs)

    def explain(self, *args: Any, **kwargs: Any) -> Any:
        """As `Accelerated.explain`, the object being the first argument."""
        return self.__func__.explain(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__func__, name)


def _calling(function: Callable[..., Any]) -> Callable[..., Any]:
    """A Python function that calls what has no Python code of its own (a ufunc, a partial, an object)."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    call.__name__ = call.__qualname__ = str(getattr(function, "__name__", type(function).__name__))
    return call


def _untraceable(function: Callable[..., Any]) -> str:
    """Why a function can never be traced; empty if it can."""
    if not isinstance(function, types.FunctionType):
        return f"a {type(function).__name__} has no Python code to trace"
    if function.__code__.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        return "a generator or coroutine function runs after the call has returned"
    return ""


@overload
def accelerate(function: Function) -> Function: ...
@overload
def accelerate() -> Callable[[Function], Function]: ...
def accelerate(function: Any = None) -> Any:
    """Compile a function written in plain NumPy.

    The function is traced when it is called with arguments of a new signature (dtypes, shapes, structure), optimized,
    and compiled by XLA; later calls run the compiled program. Arrays that the function changes in place are changed,
    after everything has succeeded. What cannot become one program runs in pieces, with NumPy's results.

    Parameters
    ----------
    function : callable
        Takes and returns NumPy arrays, Python scalars, and tuples, lists, dicts and dataclasses of them.

    Returns
    -------
    Accelerated
        Called as the function is; has the method ``explain``.

    Examples
    --------
    >>> import numpy as np, lazyarr
    >>> @lazyarr.accelerate
    ... def step(u, dt):
    ...     u[1:-1] += dt * (u[2:] - 2 * u[1:-1] + u[:-2])
    ...     return u.sum()
    """
    if function is None:
        return accelerate
    if isinstance(function, Accelerated):
        return function
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(accelerate(function.__func__))
    if not callable(function):
        raise TypeError(f"accelerate takes a function, got a {type(function).__name__}")
    return Accelerated(function)


__all__ = ["Accelerated", "Line", "Program", "accelerate"]
