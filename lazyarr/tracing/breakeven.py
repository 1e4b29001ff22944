"""When NumPy takes less time than a compiled program: calls that come once, small arrays, what lazyarr is slow at.

What is decided is decided for a signature, and kept: from estimates before anything is compiled, by the clock after it.
Results are the same either way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Value
from lazyarr.ir.rewrite import all_nodes
from lazyarr.ops.create import CONST
from lazyarr.report import Counted, count_again
from lazyarr.tracing.direct import MISS
from lazyarr.tracing.newcomers import Newcomers, put
from lazyarr.tracing.origins import graphs_in
from lazyarr.tracing.trials import Trials

if TYPE_CHECKING:
    from lazyarr.tracing.compiled import Compiled

Result = TypeVar("Result")
#: What runs a function, given the arguments.
Runs = Callable[[tuple[Any, ...], dict[str, Any]], Any]
#: Seconds that one of NumPy's operations takes at least, and for a byte that it reads or writes; for arithmetic.
_CALL, _BYTE, _FLOP = 7e-7, 1.5e-10, 3e-10
#: Seconds that compiling takes at least, and for each operation.
_COMPILE, _EACH = 0.03, 5e-4
#: Seconds that compiling takes for each kind of loop nests, equal ones are one function; for each further one.
_NEST, _NEST_AGAIN = 1e-2, 2e-3
#: Seconds of compiling that do not begin before NumPy has taken that part of them for calls.
_PATIENCE = 1.0
#: Programs with loops that have so few operations, outside of the loops, are compiled in less time than that; how much
#: longer calls with loops may take Python than it seems.
_FEW_NODES, _ROUGHLY = 100, 3.0
#: A single call is left to NumPy if it takes less than this part of the time of compiling; the second one compiles.
_PART = 0.1
#: A call as a compiled program that takes so many seconds may be slower than NumPy; a longer one has much to compute.
_TRIED = 3e-4
#: The same of a call that is not direct.
_TRIED_LONGER = 1e-3
#: The same of a call as a program of which loops call NumPy.
_TRIED_CALLING = 2e-2
#: Calls that are timed, of each way, and the part of the time that NumPy has to take to be the faster one.
_TIMED, _MARGIN = 3, 0.9
#: What the report says of single calls.
FIRST_CALL = "a single call takes less time than compiling; the second one compiles"
POSTPONED = "compiling takes long, and begins when calls have taken a tenth of that"
#: A call that takes so many times longer than the first one, and so many seconds, is not of that signature after all.
_OTHER, _LONG = 10.0, 1e-3
#: A look at arguments that takes less than that part of a call is done at each; for how many times as long as a longer
#: one took, calls like that one are not looked at.
_LITTLE, _LOOKED = 0.1, 20.0
#: Signatures that are known at a glance, at most.
_MOST = 256


def is_straight(graph: Graph) -> bool:
    """Whether a graph has no loops and branches: it does not take longer than it looks."""
    return next(graphs_in(graph), None) is None


def numpy_seconds(graph: Graph, in_place: bool = False) -> float:
    """About how long NumPy takes for what a graph without loops says; `in_place`: views and writes touch few bytes."""
    total = 0.0
    for node in graph.nodes:
        if not node.operands:
            continue
        moved = _bytes(node.operands) + _bytes(node.values)
        if in_place and (node.op.memory == "view" or node.op.into is not None):
            moved = 0.0 if node.op.memory == "view" else 2 * _bytes(node.operands[1:])
        total += _CALL + _BYTE * moved + _FLOP * float(node.cost.flops)
    return total


def _bytes(values: tuple[Value, ...]) -> float:
    return float(sum(v.type.nbytes for v in values))


def is_worth_compiling(graph: Graph) -> bool:
    """Whether a program is compiled at the first call with its signature."""
    if is_straight(graph):
        return numpy_seconds(graph) > _PART * (_COMPILE + _EACH * len(graph.nodes))
    if len(graph.nodes) < _FEW_NODES:
        return True
    compiling = compiling_seconds(graph)
    return compiling < _PATIENCE or _ROUGHLY * python_seconds(graph) > _PART * compiling


def python_seconds(graph: Graph) -> float:
    """About how long Python takes for what a graph says, with loops; infinite where data says how often they run."""
    total = numpy_seconds(graph, in_place=True)
    for node in graph.nodes:
        regions = list(node.regions)
        if not regions:
            continue
        times: float = 1
        if node.op.name == "loop":
            bounds = [v.node.kw["value"].value for v in node.operands[:3] if v.node.op is CONST]
            times = len(range(*map(int, bounds))) if len(bounds) == 3 else math.inf
        elif node.op.name == "while":
            times = math.inf
        total += times * sum(map(python_seconds, regions)) if times else 0.0
    return total


def compiling_seconds(graph: Graph) -> float:
    """About how long compiling takes for a graph: what is no formula of elements is a nest of its own, as loops are."""
    nodes = list(all_nodes(graph))
    nests = [node for node in nodes if node.op.memory == "fresh" and not node.op.pointwise and node.operands]
    kinds = {(node.op, node.types, tuple(v.type for v in node.operands)) for node in nests}
    loops = sum(bool(list(node.regions)) for node in nodes)
    again = _NEST_AGAIN * (len(nests) - len(kinds))
    return _COMPILE + _EACH * len(nodes) + _NEST * (len(kinds) + loops) + again


class BreakEven:
    """Which calls of an accelerated function NumPy runs though they can be compiled.

    Parameters
    ----------
    function : callable
        Given the arguments, runs the function as it is.
    tries_loops : bool
        Whether programs with loops may be slower than NumPy, too: where they run a few iterations, very often.
    note : callable
        Told why NumPy runs calls, where nobody else knows.
    """

    def __init__(self, function: Runs, tries_loops: bool, note: Callable[[str], None]):
        self._tries_loops = tries_loops
        self.glances, self.newcomers = Glances(function), Newcomers(function, note)
        #: Signatures of which NumPy has run the first call.
        self._met: dict[Any, None] = {}
        #: Signatures that are tried both ways, and those for which it is known which way is faster, and why.
        self._trials: dict[Any, Trials] = {}
        self._compiled: set[Any] = set()
        #: Signatures that are not compiled yet: for how many seconds NumPy is to run their calls.
        self._postponed: dict[Any, float] = {}
        self._numpys: dict[Any, str] = {}
        #: Signatures of which the latest call has raised an error while it was traced: a trace takes hundreds of times
        #: as long as finding that out in Python, and is worth it again after a call that has not.
        self.raising: dict[Any, None] = {}
        #: Calls of signatures that come once.
        self.shapes = Trials(_TIMED, _MARGIN)

    def at_sight(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The result of a call of which a look at its arguments tells who runs it, or `MISS`."""
        result = self.newcomers.run(args, kwargs) if self.newcomers.serve else MISS
        return self.glances.run(args, kwargs, MISS) if result is MISS and self.glances.known else result

    def otherwise(
        self, key: Any, elements: int, looked: float, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """The result of a call of a new signature, which it took so many seconds to look at, or `MISS`.

        A list that is longer at each call (of losses, say) makes each a new one: most are not looked at.
        """
        begin = time.perf_counter()
        result = self.newcomers.otherwise(key, elements, args, kwargs)
        if result is not MISS:
            self.spare(args, kwargs, time.perf_counter() - begin, looked)
        return result

    def spare(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float, looked: float, run: Runs | None = None
    ) -> None:
        """Have the next calls not looked at, if that takes long beside calls; `run` runs them, else Python."""
        if looked > _LITTLE * seconds:
            self.glances.add(args, kwargs, seconds, None, _LOOKED * looked, run)

    def raised(self, key: Any) -> None:
        """Note that a call of a signature has raised an error while it was traced."""
        put(self.raising, key, None, _MOST)

    def returned(self, key: Any, result: Result) -> Result:
        """Note that a call of a signature raises no error any more; gives its result."""
        self.raising.pop(key, None)
        return result

    def waits(self, key: Any, graph: Graph) -> bool:
        """Whether the first call of a signature, with this program, is left to NumPy."""
        if key in self._met or is_worth_compiling(graph):
            return False
        self._met[key] = None
        while len(self._met) > _MOST:
            self._postponed.pop(next(iter(self._met)), None)
            self._met.pop(next(iter(self._met)), None)
        if (seconds := compiling_seconds(graph)) > _PATIENCE:
            self._postponed[key] = _PART * seconds
        return True

    def is_postponed(self, key: Any) -> bool:
        """Whether the calls of a signature are NumPy's until they have taken some time."""
        return key in self._postponed

    def is_numpys(self, key: Any, for_good: bool = False) -> bool:
        """Whether NumPy runs the next call of a signature, or all of them."""
        if key in self._numpys:
            return True
        if not for_good and key in self._postponed:
            return True
        trials = self._trials.get(key)
        return trials is not None and not for_good and trials.plain_is_next

    def why(self, key: Any) -> str:
        """How it is known that NumPy takes less time."""
        return self._numpys[key]

    def run(self, key: Any, run: Callable[[], Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that NumPy runs."""
        trials = self._trials.get(key)
        if trials is not None:
            return trials.plain(run)
        begin = time.perf_counter()
        result = run()
        seconds, left = time.perf_counter() - begin, self._postponed.get(key)
        if left is None:
            self.glances.add(args, kwargs, seconds, None)
        elif left > seconds:
            self._postponed[key] = left - seconds
        else:
            self._postponed.pop(key, None)
        return result

    def direct(self, key: Any, call: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, Any] | None:
        """The result of a direct call, where it is tried; None without one."""
        if not call or key not in self._trials:
            return None
        result = self._trials[key].ours(lambda: call(*args, **kwargs))
        return None if result is MISS else (True, result)

    def settled(self, key: Any, compiled: Compiled, seconds: float, looked: float) -> bool:
        """Whether it is known that calls of a signature are faster with this program, of which one took so long.

        Parameters
        ----------
        key, compiled
            The signature and the program.
        seconds, looked : float
            What the call took, and what of that it took to look at the arguments: objects may hold very much.
        """
        if key in self._compiled:
            return True
        trials = self._trials.get(key)
        if trials is None:
            # (A call that is not direct costs what NumPy takes for many an operation: a loop may end early.)
            loops = not is_straight(compiled.program.graph)
            wins = not self._tries_loops and compiled.direct is not None and not compiled.calls_numpy
            tried = _TRIED if compiled.direct is not None else _TRIED_LONGER
            if loops and compiled.calls_numpy:
                tried = _TRIED_CALLING  # Each call costs some microseconds more than Python's: there may be many.
            # (Where most of it was a look at the arguments, the rest does not take Python very long.)
            if seconds - looked > tried and looked < seconds / 2 or wins:
                self._compiled.add(key)
                return True
            self._trials[key] = trials = Trials(_TIMED, _MARGIN)
        if compiled.direct is None:
            trials.took(seconds)
        if not trials.over:
            return False
        del self._trials[key]
        if trials.plain_wins:
            self._numpys[key] = f"{trials.gain:.1f} times as fast as the program"
            return False
        self._compiled.add(key)
        return True


class _Plain:
    """What is known of calls that Python runs: how long they take at most, what counts them, and how long it is so."""

    __slots__ = ("counted", "left", "most", "run")

    def __init__(self, most: float, counted: Counted | None, left: float, run: Runs):
        self.most, self.counted, self.left, self.run = most, counted, left, run


class Glances:
    """Calls that are known to run as plain Python by a look at their arguments, which takes little time.

    It may be wrong where arguments are not arrays: then a call that takes long ends it.
    """

    #: For how many times as long as looking at arguments took, they are not looked at again.
    _NOT_AGAIN = 4

    def __init__(self, function: Runs):
        self._function = function
        self.known: dict[Any, _Plain] = {}

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any], missing: Any) -> Any:
        """The result of a call; `missing` if it is not one of these."""
        key = _look(args, kwargs)
        plain = self.known.get(key)
        if plain is None:
            return missing
        if plain.counted is not None:
            count_again(plain.counted)
        begin = time.perf_counter()
        try:
            return plain.run(args, kwargs)
        finally:
            took = time.perf_counter() - begin
            plain.left -= took
            if took > plain.most or plain.left < 0:
                self.known.pop(key, None)

    def add(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], seconds: float, counted: Counted | None,
        left: float = math.inf, run: Runs | None = None,
    ) -> None:  # fmt: skip
        """Know calls with arguments like these, which take so long, until they have taken the time that is left."""
        while len(self.known) >= _MOST:
            self.known.pop(next(iter(self.known)), None)
        self.known[_look(args, kwargs)] = _Plain(max(_OTHER * seconds, _LONG), counted, left, run or self._function)

    def spare(self, run: Callable[[], Any], looked: float, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call as plain Python, which has taken so many seconds of looking at its arguments.

        Where that was more than the call itself (long lists), the next ones are spared it.
        """
        begin = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - begin
        if looked > seconds:
            self.add(args, kwargs, seconds, None, self._NOT_AGAIN * looked)
        return result


def _look(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    looks = tuple([(x.shape, x.dtype) if type(x) is np.ndarray else type(x) for x in args])
    if not kwargs:
        return looks
    return looks, tuple([(k, (x.shape, x.dtype) if type(x) is np.ndarray else type(x)) for k, x in kwargs.items()])
