"""Which of two ways to run the calls of a signature is faster: tried in turn, by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

#: Calls that are timed, of each way.
_TIMED = 2


class Trials:
    """Calls of one signature that can run in pieces, or as plain Python.

    Results are the same; where little is computed between two decisions of Python, or what is computed differs at
    each call, pieces cost more than they gain.
    """

    def __init__(self) -> None:
        self._pieces: list[float] = []
        self._plain: list[float] = []

    @property
    def plain_is_next(self) -> bool:
        """Whether the next call is to be tried as plain Python."""
        return len(self._plain) < len(self._pieces) and len(self._plain) < _TIMED

    @property
    def plain_wins(self) -> bool:
        """Whether it is known that plain Python is faster."""
        return len(self._plain) == _TIMED and min(self._plain) < min(self._pieces)

    def in_pieces(self, run: Callable[[], Result]) -> Result:
        """A call in pieces."""
        return self._timed(self._pieces, run)

    def plain(self, run: Callable[[], Result]) -> Result:
        """A call as plain Python."""
        return self._timed(self._plain, run)

    def _timed(self, times: list[float], run: Callable[[], Result]) -> Result:
        if len(times) == _TIMED:
            return run()
        begin = time.perf_counter()
        try:
            return run()
        finally:
            times.append(time.perf_counter() - begin)
