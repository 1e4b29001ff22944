"""Which of two ways to run the calls of a signature is faster: tried in turn, by the clock."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

#: Seconds in which a call is interpreted, but nothing compiled: that would be done for a long loop.
_SHORT = 0.03
#: Calls as plain Python that do not count, at most: loops in them are tried in two ways, or compiled.
_UNSURE = 12
#: Calls in which compiling has to pay.
_CALLS = 20
#: Where one call as plain Python takes so many times longer than each of the others, it is known which way is faster.
_FAR = 4
#: Signatures for which plain Python was faster, from which on it is taken to be for others; and how much larger ones.
_LOST, _LARGER = 2, 2
#: Seconds of first calls in pieces, of two signatures and more, from which on plain Python is tried for new ones; and
#: the part of their time that it has to take less than.
_SLOW, _CLEARLY = 1.0, 0.5
#: Traces of a loop of a function that are made at sight; for how many times as long as one of the others took Python
#: runs its calls then. (Compiling takes some times longer than tracing.)
_FEW_TRACES, _WAITED = 2, 4
#: Seconds of tracing a function and loops in it, in vain, from which on loops within them wait as long.
_LOST_TRACING = 2.0


class Trials:
    """Calls of one signature that lazyarr can run, as a program or in pieces, or plain Python.

    Results are the same; where little is computed, at once or between two decisions of Python, or what is computed
    differs at each call, lazyarr costs more than it gains.

    Parameters
    ----------
    timed : int
        Calls that are timed, of each way.
    margin : float
        Plain Python is faster if it takes less than this part of the time.
    """

    def __init__(self, timed: int = 2, margin: float = 1.0) -> None:
        self._timed, self._margin = timed, margin
        self._ours: list[float] = []
        self._plain: list[float] = []
        self._settled = False
        self._unsure = 0

    def settle(self) -> None:
        """Try nothing more: lazyarr's way is taken."""
        self._settled = True

    @property
    def done(self) -> bool:
        """Whether nothing more is tried."""
        return self._settled or self.over

    @property
    def plain_is_next(self) -> bool:
        """Whether the next call is to be tried as plain Python."""
        return not self._settled and len(self._plain) < len(self._ours) and not self.over

    @property
    def plain_wins(self) -> bool:
        """Whether it is known that plain Python is faster."""
        return self.over and min(self._plain) < self._margin * min(self._ours)

    @property
    def over(self) -> bool:
        """Whether it is known which way is faster."""
        return len(self._plain) == self._timed or bool(self._plain) and min(self._plain) > _FAR * max(self._ours)

    @property
    def worth(self) -> float:
        """Seconds of compiling that may pay: calls of plain Python would take as long, if there are not very many."""
        return _CALLS * min(self._plain, default=math.inf)

    @property
    def gain(self) -> float:
        """How many times faster plain Python is."""
        return min(self._ours) / max(min(self._plain), 1e-9)

    @property
    def is_short(self) -> bool:
        """Whether lazyarr takes so little time that plain Python cannot take very long."""
        return min(self._ours) < _SHORT

    def ours(self, run: Callable[[], Result], looked: float = 0.0) -> Result:
        """A call that lazyarr runs, after it has looked at its arguments for so many seconds."""
        return self._run(self._ours, run, looked)

    def took(self, seconds: float) -> None:
        """Note the time of a call that lazyarr has run."""
        if len(self._ours) < self._timed:
            self._ours.append(seconds)

    def plain(self, run: Callable[[], Result], unsure: Callable[[], bool] | None = None) -> Result:
        """A call as plain Python; `unsure` says afterwards whether it may have taken longer than later ones will."""
        result = self._run(self._plain, run)
        if unsure is not None and not self.over and self._unsure < _UNSURE and unsure():
            self._unsure += 1
            self._plain.pop()
        return result

    def _run(self, times: list[float], run: Callable[[], Result], before: float = 0.0) -> Result:
        if len(times) == self._timed:
            return run()
        begin = time.perf_counter()
        try:
            return run()
        finally:
            times.append(time.perf_counter() - begin + before)


class Patience:
    """How long a loop of a function is left to Python, of which each value of some variable makes another program.

    Such a loop is written out: what it runs over is no range or array (a text, a list), or a number that is known picks
    something out. Each program stands for little then, and there are as many as the values that come.

    Where tracing a function, the loops in it and those in them has taken long, and none became a program, loops that
    are further inside wait too before they are traced.

    Parameters
    ----------
    around : Patience, optional
        That of the function, or the loop, around the loop.
    """

    def __init__(self, around: Patience | None = None) -> None:
        self._traces = 0
        self._left = 0.0
        self._is_new = around is not None
        #: Seconds of traces that came to nothing, of the function and all its loops.
        self._in_vain: list[float] = [] if around is None else around._in_vain

    @property
    def waits(self) -> bool:
        """Whether the next call that no program serves is plain Python's."""
        if self._is_new:
            self._is_new = False
            lost = sum(self._in_vain)
            self._left = lost if lost > _LOST_TRACING else 0.0
        return self._left > 0

    def in_vain(self, seconds: float) -> None:
        """Note that a call was traced in so many seconds, and did not become a program."""
        self._in_vain.append(seconds)

    def traced(self, seconds: float) -> None:
        """Note that a call was traced, in so many seconds; the first few are not held against the loop."""
        self._traces += 1
        if self._traces > _FEW_TRACES:
            self._left = _WAITED * seconds

    def plain(self, run: Callable[[], Result]) -> Result:
        """A call as plain Python."""
        begin = time.perf_counter()
        try:
            return run()
        finally:
            self._left -= time.perf_counter() - begin


class Losses:
    """Signatures of one function for which plain Python was faster than pieces; it will be for others of their size.

    Where data decides sizes (the nodes of a tree, batches, what a mask leaves) nearly every call has a new signature.
    """

    def __init__(self) -> None:
        self._count = self._largest = 0
        #: Calls of signatures that are new, where there have been many that were no program.
        self.of_new = Trials()
        self._of_slow = Trials(_LOST, _CLEARLY)
        self._in_pieces: list[float] = []

    def in_pieces(self, seconds: float, is_new: bool) -> None:
        """Note a call that was no program, and whether it is the first one of its signature."""
        if is_new:
            self._in_pieces.append(seconds)
            self._of_slow.took(seconds)

    @property
    def of_slow(self) -> Trials | None:
        """Calls of signatures that are new, where the first calls of those before, all of them in pieces, took long.

        A search that grows a tree of objects has a new signature at each call: none would ever be tried otherwise.
        """
        return self._of_slow if len(self._in_pieces) >= _LOST and sum(self._in_pieces) > _SLOW else None

    def add(self, elements: int) -> None:
        """Note such a signature, and how many elements its arrays have together."""
        self._count += 1
        self._largest = max(self._largest, elements)

    def cover(self, elements: int) -> bool:
        """Whether plain Python is taken to be faster for so many elements."""
        return self._count >= _LOST and elements <= _LARGER * self._largest
