"""Signatures of little work that come after others: NumPy runs their calls until compiling has paid.

A function may be called with arrays of another shape nearly each time: words of all lengths, clusters of all sizes,
what is left of a matrix. Tracing and compiling such calls takes hundreds of times as long as they do.
"""

from __future__ import annotations

import time
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.backends.base import MISS

#: Signatures that are traced, and compiled, as they come.
_FEW = 4
#: How many more elements arrays may have than those of signatures that are known to be of little work.
_LARGER = 2
#: How many times as long as a program with loops Python may take for the same, as far as is known before it has run;
#: seconds that its first call takes besides.
_SLOWER, _FIRST = 100.0, 4e-4
#: Signatures of which it is known for how long NumPy has run their calls, and of which programs are found, at most.
_MOST = 4096
#: What the report says of them.
WAITS = "little work of one of many shapes; each is compiled when its calls have taken as long as that"
#: What a call with such arguments depends on, besides arrays, is known by a look at them.
_NUMBERS = frozenset({int, float, complex, np.float64, np.float32, np.int64, np.int32})
_CONSTANTS = frozenset({bool, str, bytes, type(None)})


class Newcomers:
    """The calls of one function whose signatures come after others.

    Each signature is compiled when NumPy has taken as long for its calls as compiling one takes: altogether that is
    twice as long as the better of both ways, at most.

    Parameters
    ----------
    function : callable
        Given the arguments, runs the function as it is.
    note : callable
        Told why NumPy runs such calls.
    """

    def __init__(self, function: Callable[[tuple[Any, ...], dict[str, Any]], Any], note: Callable[[str], None]):
        self._function, self._note = function, note
        self._count, self._largest, self._wait = 0, -1, 0.0
        self._spent: dict[Any, float] = {}
        self._noted = False
        #: What is called directly for arguments that look so; None where a program is found in another way.
        self.known: dict[Any, Callable[..., Any] | None] = {}
        #: Whether calls of signatures that are new may be NumPy's.
        self.serve = False

    def made(self, elements: int, seconds: float, plain: float) -> None:
        """Note that a new signature was traced and compiled, or would be, in so many seconds.

        Parameters
        ----------
        elements : int
            How many elements the arguments have.
        seconds, plain : float
            What compiling takes, and a call as plain Python at most.
        """
        if plain > seconds:
            self._is_long(elements)
            return
        self._count += 1
        self._largest = max(self._largest, elements)
        self._wait = max(self._wait, seconds)
        self.serve = self._count >= _FEW
        self._noted = False

    def met(self, elements: int, seconds: float, run: Callable[[], Any]) -> Any:
        """The first call of a signature that NumPy runs, for compiling it would take so many seconds."""
        begin = time.perf_counter()
        result = run()
        self.made(elements, seconds, time.perf_counter() - begin)
        return result

    def left(self, directs: list[Any]) -> None:
        """Note that these programs stand for no calls any more."""
        self.known = {look: direct for look, direct in self.known.items() if direct not in directs}

    def program(self, direct: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note that a program stands for such calls."""
        look, _ = look_at(args, kwargs)
        if look is not None:
            put(self.known, look, direct, _MOST)

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a call that a look at its arguments tells all of, or `MISS`."""
        look, elements = look_at(args, kwargs)
        if look is None:
            return MISS
        if look in self.known:
            direct = self.known[look]
            return MISS if direct is None else direct(*args, **kwargs)
        return self._plain(look, elements, args, kwargs)

    def otherwise(self, key: Any, elements: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The same of a call that only its signature tells all of."""
        if look_at(args, kwargs)[0] is not None:
            return MISS  # (`run` has looked at it.)
        return self._plain(key, elements, args, kwargs)

    def _plain(self, key: Any, elements: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        spent = self._spent.get(key, 0.0)
        if elements > _LARGER * self._largest or spent >= self._wait:
            return MISS
        if not self._noted:
            self._noted = True
            self._note(WAITS)
        begin = time.perf_counter()
        try:
            return self._function(args, kwargs)
        finally:
            took = time.perf_counter() - begin
            put(self._spent, key, spent + took, _MOST)
            if took > self._wait:
                self._is_long(elements)

    def _is_long(self, elements: int) -> None:
        """Note a call that takes plain Python longer than compiling: the number of elements does not tell the work."""
        if elements <= _LARGER * self._largest:
            self._count, self._largest, self.serve = 0, -1, False


def at_most(ran: float) -> float:
    """Seconds that a call takes plain Python at most of which a program with loops took so many."""
    return _SLOWER * max(0.0, ran - _FIRST)


def look_at(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, int]:
    """Arguments as far as a look tells, and how many elements they have; None where there is more to them."""
    looks: list[Any] = []
    elements = 0
    for x in (*args, *kwargs.values()) if kwargs else args:
        kind = type(x)
        if kind is np.ndarray:
            elements += x.size
            looks.append((x.shape, x.dtype))
        elif kind in _NUMBERS:
            looks.append(kind)
        elif kind in _CONSTANTS:
            looks.append((kind, x))
        elif kind is types.FunctionType:
            looks.append(x.__code__)
        else:
            return None, 0
    return (tuple(looks), tuple(kwargs)) if kwargs else tuple(looks), elements


def put(table: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Set an item of a table that forgets the oldest ones."""
    table[key] = value
    while len(table) > most:
        table.pop(next(iter(table)), None)
