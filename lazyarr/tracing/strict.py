"""`accelerate(strict=True)`: what would not run as one compiled program is an error, before anything has happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.ir.graph import Line
from lazyarr.report import StrictError
from lazyarr.tracing.advice import advice
from lazyarr.tracing.explain_text import short_path

#: A statement that is not captured -> why, and the line that is the reason.
LeftOut = Mapping[Line, tuple[str, Line]]


class Refused(BaseException):
    """A strict function was about to look at data, or to act on the world.

    Not an `Exception`: the traced function's own handlers must not take it for an error of theirs.

    Attributes
    ----------
    why : str
    line : (str, int)
    left_out : mapping
        The loops and branches that stay in Python, each with the reason and its line.
    unconverted : mapping of str to str
        Functions whose loops and branches stay in Python, and why.
    """

    def __init__(self, why: str, line: Line, left_out: LeftOut, unconverted: Mapping[str, str]):
        super().__init__(why)
        self.why, self.line, self.left_out, self.unconverted = why, line, left_out, unconverted

    def error(self, name: str) -> StrictError:
        """What the caller gets."""
        # Of statements that stay in Python for one reason, the outermost stands for all.
        causes = {cause: where for where, cause in sorted(self.left_out.items(), reverse=True)}
        notes = [f"{_place(where)}: this stays in Python: {why}{'' if line == where else f' ({_place(line)})'}"
                 for (why, line), where in sorted(causes.items(), key=lambda c: c[1])]  # fmt: skip
        notes += [f"the loops and branches of {other} stay in Python: {why}" for other, why in self.unconverted.items()]
        return strict_error(name, self.why, self.line, notes)


def _place(line: Line) -> str:
    file, number = line
    return f"{short_path(file)}:{number}"


def strict_error(name: str, why: str, line: Line | None, notes: Iterable[str] = ()) -> StrictError:
    """The error that says why a strict function is no single program, and where.

    Parameters
    ----------
    name : str
        Of the function.
    why : str
    line : (str, int), optional
    notes : iterable of str
        More lines of the message.
    """
    lines = [f"{f'{_place(line)}: ' if line else ''}{name} does not run as one compiled program: {why}", *notes]
    advised = advice(why)
    if advised:
        lines.append(f"-> {advised}")
    file, number = line or ("", 0)
    return StrictError("\n  ".join(lines), why, file, number)


def raise_numpys_error(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], outside: Iterable[Any],
    otherwise: StrictError,
) -> NoReturn:  # fmt: skip
    """Run a call whose program failed in plain Python, for the error that NumPy raises.

    Parameters
    ----------
    function : callable
    args, kwargs
        The call's.
    outside : iterable of object
        What the function finds outside its arguments.
    otherwise : StrictError
        Raised where NumPy raises nothing: everything is then as before the call.
    """
    kept = Kept([args, kwargs, *outside])
    try:
        function(*args, **kwargs)
    finally:
        kept.restore()
    raise otherwise


#: What most lists hold, and never changes.
_UNCHANGED = frozenset((bool, int, float, complex, str, bytes, type(None), np.bool, np.int64, np.float64))


class Kept:
    """Arrays, lists, dicts, sets and objects as they are now, with all that they hold.

    As a context, it puts back what they held where an exception leaves it.

    Parameters
    ----------
    roots : iterable of object
        Where they are found.
    """

    def __init__(self, roots: Iterable[Any]):
        self._found: dict[int, tuple[Any, Any]] = {}
        rest = list(roots)
        while rest:
            x = rest.pop()
            if id(x) in self._found:
                continue
            content, inner = _content(x)
            if content is not None:
                self._found[id(x)] = (x, content)
            rest += [y for y in inner if type(y) not in _UNCHANGED]

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is not None:
            self.restore()

    def restore(self) -> None:
        """Put back what they held."""
        for x, before in self._found.values():
            if isinstance(x, np.ndarray):
                x[...] = before
            elif isinstance(x, LazyArray):
                x._assign(before)
            elif isinstance(x, list):
                x[:] = before
            elif isinstance(x, (dict, set)):
                x.clear()
                x.update(before)
            else:
                x.__dict__.clear()
                x.__dict__.update(before)


def _content(x: Any) -> tuple[Any, list[Any]]:
    """What an object holds, None if it cannot change; and the objects in it."""
    if isinstance(x, np.ndarray):
        return (x.copy(order="K"), []) if x.flags.writeable and x.dtype != object else (None, [])
    if isinstance(x, LazyArray):
        return (None, []) if x._scalar else (x._value(), [])
    if isinstance(x, tuple):
        return None, list(x)
    if isinstance(x, (list, set)):
        return x.copy(), list(x)
    if isinstance(x, dict):
        return x.copy(), list(x.values())
    attributes = getattr(x, "__dict__", None)
    if type(attributes) is dict and not callable(x) and not isinstance(x, type(np)):
        return attributes.copy(), list(attributes.values())
    return None, []
