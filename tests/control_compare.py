"""A function and its transformed form, run on equal arguments: whether all that can be seen of a call is the same."""

from __future__ import annotations

import copy
import itertools
import linecache
import sys
import traceback
import types
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from lazyarr.tracing.control import Control, convert

_numbers = itertools.count()


class OutOfFuel(BaseException):
    """A program of a test that runs for long."""


class World:
    """What the programs of tests act on: a record of their steps, in order."""

    def __init__(self, fuel: int = 150):
        self.log: list[Any] = []
        self.fuel = fuel

    def burn(self) -> None:
        self.fuel -= 1
        if self.fuel < 0:
            raise OutOfFuel

    def t(self, value: Any, label: Any = None) -> Any:
        """Give back the value, and record that this happened."""
        self.burn()
        self.log.append((label, show(value)))
        return value

    @contextmanager
    def guard(self, *taken: type[BaseException], fails: bool = False) -> Any:
        """A context manager that takes some exceptions, or raises one of its own."""
        self.t("enter")
        try:
            yield len(self.log)
        except taken as error:
            self.t(f"takes {type(error).__name__}")
        finally:
            self.t("exit")
        if fails:
            raise KeyError("exit")


def define(source: str, name: str = "f", **names: Any) -> types.FunctionType:
    """A function of a program given as text, whose source can be found."""
    file = f"<program {next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": "program", **names}
    exec(compile(source, file, "exec", dont_inherit=True), namespace)
    found: types.FunctionType = namespace[name]
    return found


def forget(function: types.FunctionType) -> None:
    """Drop the source that `define` has stored."""
    linecache.cache.pop(function.__code__.co_filename, None)


def lines(error: BaseException, file: str) -> list[int]:
    """Lines of the user's file in the traceback of an exception, from the outside to the inside."""
    return [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]


def observe(function: Callable[..., Any], args: tuple[Any, ...], file: str) -> dict[str, Any]:
    """What a call does: its result or exception, and what it made of its arguments."""
    given = copy.deepcopy(args)
    seen: dict[str, Any] = {}
    try:
        seen["result"] = show(function(*given))
    except (Exception, OutOfFuel) as error:  # noqa: BLE001  whatever the program raises is what is compared
        seen["error"] = describe(error)
        seen["lines"] = lines(error, file)
    seen["arguments"] = show(given)
    return seen


def describe(error: BaseException | None) -> Any:
    """An exception with its cause and context, as text."""
    if error is None:
        return None
    context = None if error.__suppress_context__ else error.__context__
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    return type(error).__name__, str(error), name, describe(error.__cause__), describe(context)


def show(value: Any) -> str:
    """A value as text, without the addresses of functions."""
    if isinstance(value, types.FunctionType):
        return f"function {value.__qualname__}"
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__}({', '.join(map(show, value))})"
    return repr(value)


def same_lines(expected: list[int], found: list[int], outcome: dict[str, Any]) -> bool:
    """Whether the transformed function fails where the other does; on the way there it may have more lines."""
    *outer, last = expected or [0]
    rest = iter(found)
    if not all(line in rest for line in outer):
        return False
    actual = found[-1] if found else 0
    # Python 3.11 runs a store and a load as one instruction: a missing value is then seen on the line of the store.
    joined = sys.version_info < (3, 12) and "error" in outcome and outcome["error"][0] == "UnboundLocalError"
    return actual == last or (joined and actual > last)


def check(
    source: str, *calls: tuple[Any, ...], fuel: int = 150, control: Control | None = None,
    transform: Callable[[types.FunctionType], Callable[..., Any]] | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Compare ``f`` of a program with its transformed form; each starts from the program's beginning.

    (The form that is handed to `control`, or what `transform` gives.)

    Returns
    -------
    list of dict
        What the function did in each of the calls.
    """
    seen = []
    for args in calls:
        outcomes = []
        for transformed in (False, True):
            world = World(fuel)
            function = define(source, t=world.t, guard=world.guard, burn=world.burn)
            run: Callable[..., Any] = function
            if transformed:
                run = transform(function) if transform else convert(function)(control or Control())
            outcome = observe(run, args, function.__code__.co_filename)
            outcome["log"] = world.log
            outcome["globals"] = {
                k: show(v)
                for k, v in function.__globals__.items()
                if not callable(v) and k not in ("__builtins__", "__annotations__")
            }
            outcomes.append(outcome)
            forget(function)
        plain, ours = outcomes
        expected, found = plain.pop("lines", []), ours.pop("lines", [])
        differing = {k: (plain.get(k), ours.get(k)) for k in plain.keys() | ours.keys() if plain.get(k) != ours.get(k)}
        assert not differing, f"{args}: {differing}\n{source}"
        assert same_lines(expected, found, plain), f"{args}: raised on line {found}, not {expected}\n{source}"
        seen.append(plain)
    return seen
