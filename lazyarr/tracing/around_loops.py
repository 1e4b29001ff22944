"""Calls that are no single program: their loops as functions that are compiled, Python for what is around them."""

from __future__ import annotations

import time
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazyarr.tracing.callees import Callees
from lazyarr.tracing.control.lifting import Lifted, lift
from lazyarr.tracing.trials import Trials

if TYPE_CHECKING:
    from lazyarr.tracing.accelerated import Accelerated

#: Seconds that a call takes at most of which it is tried whether plain Python takes less: calls of many small loops do.
_SHORT = 0.02
#: Calls of a signature that may take longer because loops are compiled in them, before they are timed.
_COMPILING = 4

Run = Callable[[tuple[Any, ...], dict[str, Any]], Any]


def learns(function: Accelerated, key: Any) -> bool:
    """Whether it is not known yet how the loops in calls of a signature are run best."""
    return function._around is not None and function._around.learns(key)


def _compiles(function: Accelerated) -> bool:
    """Whether there are programs for it, or for loops in it."""
    return bool(function._known) or (function._around is not None and any(map(_compiles, function._around._all())))


class AroundLoops:
    """The way to run a function whose loops are functions of their own.

    Parameters
    ----------
    function : function
    make : callable
        Accelerates the function of a loop.
    """

    def __init__(self, function: Any, make: Callable[[types.FunctionType], Accelerated]):
        self._function, self._make = function, make
        self._lifted: Lifted | None = lift(function, make) if isinstance(function, types.FunctionType) else None
        #: The functions that it calls, if they are accelerated too.
        self._callees: Callees | None = None
        #: Whether there are, or were, loops that stop for what only Python does, and go on.
        self.stops = self._lifted is not None and self._lifted.stops
        #: Whether one of them was left to NumPy because pieces would take longer.
        self.pieces_lose = False
        self._trials: dict[Any, Trials] = {}
        self._met: set[Any] = set()
        #: How many calls of a signature have taken longer.
        self._long: dict[Any, int] = {}
        #: Signatures of which NumPy runs all loops.
        self._numpys: set[Any] = set()

    def use_callees(self, callees: Callees) -> None:
        """Accelerate what the function calls, too: it is not traced, because of what it does itself."""
        known = self._callees is not None and (self._callees.large or not callees.large)
        if not known and isinstance(self._function, types.FunctionType):
            self._callees = callees
            self._lifted = lift(self._function, self._make, callees.standing, callees.large)
            self._met.clear()
            self._trials.clear()
            self._numpys.clear()

    def _all(self) -> list[Accelerated]:
        """The loops, and the functions that have been called."""
        loops = [] if self._lifted is None else self._lifted.loops
        return loops if self._callees is None else [*loops, *self._callees.accelerated]

    @property
    def serves(self) -> bool:
        """Whether there are loops that may be compiled."""
        return self._lifted is not None

    @property
    def serves_stops(self) -> bool:
        """Whether there are loops that stop for what only Python does, and go on."""
        return self.stops and self.serves

    @property
    def given_up(self) -> bool:
        """Whether loops that stop turned out not to compile between their stops."""
        return self.stops and self._lifted is None

    def loops(self, key: Any) -> list[Accelerated]:
        """The loops that are functions in calls of a signature; none where plain Python takes less time."""
        return [] if self._lifted is None or self.is_plain(key) else self._all()

    def is_plain(self, key: Any) -> bool:
        """Whether calls of a signature are plain Python's: no loop is compiled, or that takes less time."""
        trials = self._trials.get(key)
        return self._lifted is None or key in self._numpys or (trials is not None and trials.plain_wins)

    def learns(self, key: Any) -> bool:
        """Whether calls of a signature are tried in two ways, or wait until their loops are compiled."""
        trials = self._trials.get(key)
        return not self.is_plain(key) and not (trials is not None and trials.done)

    def run(
        self, key: Any, call: Callable[[Any, Any, Any], Any], plain: Any, args: Any, kwargs: Any, looked: float = 0.0
    ) -> Any:  # fmt: skip
        """A call with arguments of a signature.

        Parameters
        ----------
        key
            The signature.
        call : callable
            Runs a function with arguments.
        plain : function
            The function as it is.
        args, kwargs
            The arguments.
        looked : float
            Seconds it took to find the signature, which plain Python is spared later.
        """
        assert self._lifted is not None
        function = self._lifted.function
        if key not in self._met:
            self._met.add(key)
            result = call(function, args, kwargs)
            if all(loop.is_plain for loop in self._all()):
                self.pieces_lose = any(loop.pieces_lose for loop in self._all())
                self._lifted = None
            return result
        trials = self._trials.get(key)
        if trials is None:
            begin = time.perf_counter()
            result = call(function, args, kwargs)
            seconds = time.perf_counter() - begin
            if seconds > _SHORT and self._long.get(key, 0) < _COMPILING:
                self._long[key] = self._long.get(key, 0) + 1
                return result
            self._trials[key] = trials = Trials()
            trials.took(seconds + looked)
            if seconds > _SHORT and any(map(_compiles, self._all())):
                trials.settle()
            return result
        if self.is_plain(key):
            return call(plain, args, kwargs)
        if trials.plain_is_next:
            return trials.plain(lambda: call(plain, args, kwargs))
        result = trials.ours(lambda: call(function, args, kwargs), looked)
        ways = {loop.all_numpys for loop in self._all()}
        if True in ways and False not in ways:
            self._numpys.add(key)
        return result
