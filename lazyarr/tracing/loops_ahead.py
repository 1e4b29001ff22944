"""Whether loops may come after what a traced function is about to do, as far as the code says.

A call that has acted on the world cannot begin again: a loop that is not captured then runs in pieces to its end, which
may take hundreds of times as long as NumPy takes for small arrays.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from lazyarr.tracing.packages import is_users

#: What remembers results of functions.
_WRAPPERS = functools._lru_cache_wrapper


class _Code(NamedTuple):
    """What matters of a function's code, with that of the functions within it.

    Attributes
    ----------
    first, last : int
        Its lines.
    loops : tuple of (int, int)
        Their first and last lines.
    names : frozenset of (str, int)
        Those that are not local variables, with their lines.
    """

    first: int
    last: int
    loops: tuple[tuple[int, int], ...]
    names: frozenset[tuple[str, int]]


@functools.lru_cache(maxsize=1024)
def _described(code: types.CodeType) -> _Code:
    lines: dict[int, int] = {}
    loops: list[tuple[int, int]] = []
    names: set[tuple[str, int]] = set()
    for step in dis.get_instructions(code):
        line = lines[step.offset] = (step.positions and step.positions.lineno) or code.co_firstlineno
        if step.opcode in dis.hasjrel and step.argval < step.offset:
            inside = [at for offset, at in lines.items() if step.argval <= offset <= step.offset]
            loops.append((min(inside), max(inside)))
        elif step.opcode in dis.hasname and isinstance(step.argval, str):
            names.add((step.argval, line))
        elif step.opcode in dis.hasfree:
            names.add((step.argval, line))
    last = max(lines.values(), default=code.co_firstlineno)
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            inner = _described(part)
            loops += inner.loops
            names |= inner.names
            last = max(last, inner.last)
    return _Code(code.co_firstlineno, last, tuple(loops), frozenset(names))


def may_loop(functions: Iterable[types.FunctionType], kinds: Iterable[Any], begun: bool) -> bool:
    """Whether there are loops in or after the statements that run now, also in functions that are named after them.

    Parameters
    ----------
    functions : iterable of function
        Those of the user's that are traced.
    kinds : iterable of type
        Classes of objects that they are given, or make.
    begun : bool
        Whether they run; otherwise all of the first one is still to come.
    """
    functions = list(functions)
    if not begun:
        return has_loops(functions[0])
    looping = _looping(functions, kinds)
    found = [(f, line) for file, line in _lines() if (f := _at(functions, file, line)) is not None]
    # (The line that acts may go on with a call; the lines that have led there are calls that go on.)
    return any(
        any(last >= line for _, last in _described(f.__code__).loops)
        or not _names(f, line if depth else line - 1).isdisjoint(looping)
        for depth, (f, line) in enumerate(found)
    )


def has_loops(function: types.FunctionType) -> bool:
    """Whether there are loops in a function, or in one of the user's that it names."""
    return bool(_described(function.__code__).loops) or not _names(function, 0).isdisjoint(_looping([function], ()))


def _lines() -> Iterator[tuple[str, int]]:
    """Where the frames of this thread are."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno or 0
        frame = frame.f_back


def _at(functions: list[types.FunctionType], file: str, line: int) -> types.FunctionType | None:
    """The innermost of some functions in which a line stands."""
    found = None
    for f in functions:
        code = _described(f.__code__)
        if f.__code__.co_filename == file and code.first <= line <= code.last:
            found = f if found is None or code.first >= found.__code__.co_firstlineno else found
    return found


def _names(function: types.FunctionType, line: int) -> set[str]:
    """What a function names after a line."""
    return {name for name, at in _described(function.__code__).names if at > line}


def _looping(functions: list[types.FunctionType], kinds: Iterable[Any]) -> set[str]:
    """Names of functions, methods and classes that have loops, or name such ones."""
    named: dict[str, list[types.FunctionType]] = {}
    waiting: list[Any] = [*functions, *kinds]
    met: dict[int, Any] = {}
    while waiting:
        value = waiting.pop()
        if id(value) in met:
            continue
        met[id(value)] = value
        if isinstance(value, types.FunctionType):
            named.setdefault(value.__name__, []).append(value)
            waiting += _reached(value)
        elif isinstance(value, type):
            for base in value.__mro__:
                if is_users(base.__module__):
                    for name, member in vars(base).items():
                        if isinstance(method := _plain(member), types.FunctionType):
                            waiting.append(method)
                            named.setdefault(value.__name__ if name == "__init__" else name, []).append(method)
    looping: set[str] = set()
    before = -1
    while len(looping) > before:
        before = len(looping)
        for name, ones in named.items():
            if any(_described(f.__code__).loops or not _names(f, 0).isdisjoint(looping) for f in ones):
                looping.add(name)
    return looping


def _plain(member: Any) -> Any:
    """The function behind a method, a property or a decorated one."""
    if isinstance(member, staticmethod | classmethod | types.MethodType):
        return member.__func__
    if isinstance(member, property):
        return member.fget
    if isinstance(member, functools.partial | functools.cached_property):
        return member.func
    # (Nobody else is asked: an object's own `__getattr__` may do anything.)
    return member.__wrapped__ if isinstance(member, _WRAPPERS) else member


def _reached(function: types.FunctionType) -> Iterator[Any]:
    """The user's functions and classes that a function names, and the classes of objects that it does."""
    names = {name for name, _ in _described(function.__code__).names}
    found = [function.__globals__[name] for name in names if name in function.__globals__]
    found += [cell.cell_contents for cell in function.__closure__ or () if cell != types.CellType()]
    for value in list(found):
        if isinstance(value, types.ModuleType) and is_users(value.__name__):
            found += [vars(value)[name] for name in names if name in vars(value)]
    for value in map(_plain, found):
        kind = value if isinstance(value, type | types.FunctionType) else type(value)
        if is_users(kind.__module__):
            yield kind
