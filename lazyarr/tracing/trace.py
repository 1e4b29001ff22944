"""One trace: a function run on lazy arguments, and what is known of it afterwards."""

from __future__ import annotations

import math
import time
import types
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np

from lazyarr import settings, world
from lazyarr.array import Cell, LazyArray
from lazyarr.growing import Growing
from lazyarr.ir import extents
from lazyarr.ir.graph import Line, Program, depth_first
from lazyarr.ir.node import Node, Value
from lazyarr.ir.types import ArrayType, native
from lazyarr.leaves import Leaf, Placeholder
from lazyarr.memory_views import repeats, view_of_flat
from lazyarr.plans import plans
from lazyarr.runtime import NotCaptured, Recording, flush, guard
from lazyarr.soft import WHY, Soft
from lazyarr.source import user_line
from lazyarr.tracing.ahead import look_ahead
from lazyarr.tracing.capture.buffers import Lists
from lazyarr.tracing.capture.control import Capture
from lazyarr.tracing.capture.noted import Statements
from lazyarr.tracing.capture.state import SMALL, is_small, look_of
from lazyarr.tracing.classes import Classes, data_of
from lazyarr.tracing.closures import FunctionForm
from lazyarr.tracing.control.python import Info
from lazyarr.tracing.drawing.draws import Draws
from lazyarr.tracing.environment import Environment
from lazyarr.tracing.loops_ahead import may_loop
from lazyarr.tracing.origins import LOOPS
from lazyarr.tracing.recursion import Recursion
from lazyarr.tracing.scalars import Tape
from lazyarr.tracing.signature import Acts, InVain, Parts, Plain, TookLong, common_memory, memory_groups
from lazyarr.tracing.streams import Streams
from lazyarr.tracing.strict import Refused
from lazyarr.tracing.where_large import LARGE
from lazyarr.tracing.work import made, moved

#: Seconds that compiling the pieces of one call may take; pieces that are not known then are interpreted.
_MOST_COMPILING = 1.0
#: Pieces between branches that Python decides; more of them, on small arrays, are left to NumPy.
_MOST_SMALL_PIECES = 16
#: Seconds that a call in so many pieces may take, on whatever arrays, before it is left to NumPy.
_LONGEST = 10.0
#: The same where little is computed, besides the time of compiling: with loops that are captured among it, and without.
_LONGEST_SMALL, _LONGEST_WRITTEN_OUT = 3.0, 1.0
#: For so many calls, at most, a loop that is written out again and again is compiled as long as Python would run it;
#: how many times as long as tracing them takes compiling them, too.
_CALLS_WRITTEN_OUT, _COMPILED_AFTER = 20, 5
#: The same in a loop that is not captured and has no known end, or runs in pieces already; in a function that is the
#: loop of one which has taken long.
_LONGEST_LEFT_OUT = 0.2


def stops_for(why: str) -> str:
    """The reason why a call runs around loops that stop."""
    return f"Python runs what its loops stop for ({why})"


class Trace:
    """A function being run on lazy arguments.

    Attributes
    ----------
    reasons : list of (str, (file, line))
        Why the run cannot become one program that later calls reuse; empty if it can.
    programs : list of Program
        Pieces that ran while the function did.
    """

    def __init__(self, parts: Parts, uncaptured: dict[Info, tuple[str, Line]] | None = None):
        self.parts = parts
        self.tape = Tape(self._long_tape)
        for scalar in parts.scalars:
            self.tape.add_input(scalar)
        self.reasons: list[tuple[str, tuple[str, int]]] = []
        self.programs: list[Program] = []
        self.recording = Recording(self)
        self.recording.cells = WeakKeyDictionary()
        self.recording.scopes.append(set())
        #: How many loops and branches are being captured around what is traced now.
        self.depth = 0
        #: Whether outside of loops a length that data decides is looked at, not computed.
        self.looks_at_lengths = False
        #: Whether arguments that decide the length of a slice in a loop become constants of the program.
        self.fixes_lengths = True
        #: Arguments that say how often loops run, where they do not become constants of the program; None: they do.
        self.counts: list[Any] | None = None
        #: Of values of variables that one way of a branch does not assign: whether they are assigned.
        self.unbound: dict[Value, Value] = {}
        #: Numbers of which data decides their type.
        self.soft: dict[Value, Soft] = {}
        #: Whether data has decided a length outside of loops and branches.
        self.made_lengths = False
        #: Loops and branches that run in Python, by their place: why, and the line that is the reason.
        self.left_out: dict[Line, tuple[str, Line]] = {}
        #: How each loop and branch runs.
        self.statements = Statements()
        #: Whether what would not be one program ends the trace.
        self.strict = False
        #: Whether its loops can stop for what only Python does, and be compiled in between.
        self.stops: Callable[[], bool] = lambda: False
        #: The function, if its calls may be left to NumPy because pieces of them might take longer.
        self.function: types.FunctionType | None = None
        #: Whether the function is a loop of another one, which goes on with what it gives.
        self.is_loop = False
        #: Whether nothing has happened but that data was looked at: the call can then be begun again.
        self.may_begin_again = True
        self._began, self._thread_began = time.monotonic(), time.thread_time()
        self._compiled_before, self._thread_compiled_before = plans.seconds, plans.thread_seconds
        #: Seconds of compiling after which pieces are interpreted.
        self.most_compiling = _MOST_COMPILING
        #: Elements that the pieces have computed.
        self._computed = 0
        #: Arrays that a loop took for a variable's own: what happened to them in place is lost.
        self.relied: set[Cell] = set()
        #: Arrays that are, or are not, one that a variable had to itself: that one, and what they held at first.
        self.owned: dict[Cell, tuple[Cell, Value]] = {}
        #: What was raised to end the trace, or the statement that is captured, and has not got there yet.
        self.thrown: BaseException | None = None
        #: Memory of the caller's arrays, or perhaps so: what the containers of the call may hold without having got it.
        self.callers: WeakSet[Cell] = WeakSet()
        self._ranges: list[tuple[str, int, int]] = []
        self.recursion = Recursion(self)
        self.streams = Streams()
        self.drawing = Draws(self)
        self.lists = Lists(self)
        self.control = Capture(self, {} if uncaptured is None else uncaptured)
        self.environment = Environment(self)
        self.expected: list[tuple[Callable[[], Any], Any]] = []
        self.expected_equal: list[tuple[Callable[[], Any], Any]] = []
        self.captured: list[tuple[Callable[[], Any], Any]] = []
        self.groups = memory_groups(parts.arrays)
        self.bases: list[tuple[Any, LazyArray, Node]] = []
        self.base_places: list[int | tuple[int, ...]] = []
        self.input_leaves: list[Leaf] = []
        self.input_places: list[int | tuple[int, ...]] = []
        self.arrays: list[LazyArray] = self._inputs(parts.arrays, parts.lazy)
        self.recording.cells.update((x._cell, None) for x in self.arrays)
        self.callers.update(x._cell for x in self.arrays)
        self._shadows: dict[int, Any] = {}
        self.classes = Classes(self)
        self.shadowed: list[tuple[Any, Any, Any]] = []
        #: Arrays outside that have been met since the call began, and how they looked then.
        self.looks: list[tuple[LazyArray, dict[str, Any]]] = []
        #: Of `parts.opaque`, how many have been told of.
        self._told = len(parts.opaque)

    def marks(self) -> Callable[[], None]:
        """What goes back to what is known now of statements that are traced, to trace them again."""
        control, statements, lists = self.control, self.statements, self.lists
        uncaptured, left_out, noted = dict(control.uncaptured), dict(self.left_out), statements.copy()
        depth, ways, outside = self.depth, lists.ways, self.environment.kept()

        def back() -> None:
            control.uncaptured.clear()
            control.uncaptured.update(uncaptured)
            self.left_out, self.statements = dict(left_out), noted.copy()
            self.depth, lists.ways, self.thrown = depth, ways, None
            outside()

        return back

    @property
    def computes_lengths(self) -> bool:
        """Whether data may decide lengths within the program, instead of being looked at."""
        return not self.looks_at_lengths and (bool(self.depth) or not self.reasons)

    # -- arguments -----------------------------------------------------------------------------------------

    def _inputs(self, arrays: list[Any], lazy: list[LazyArray | None]) -> list[LazyArray]:
        """The lazy arrays that stand for the arguments; those that share memory are views of one."""
        found: list[LazyArray | None] = [None] * len(arrays)
        for group in self.groups:
            memory = common_memory(arrays, group)
            base = LazyArray._new(self._leaf(memory, tuple(group)))
            self._own(memory, base, tuple(group))
            start = memory.__array_interface__["data"][0]
            for k in group:
                view = arrays[k]
                offset = view.__array_interface__["data"][0] - start
                found[k] = view_of_flat(base, offset, view.shape, view.strides)
                found[k]._writeable = view.flags.writeable  # type: ignore[union-attr]
        for k in range(len(arrays)):
            if found[k] is None:
                found[k] = self._input(k)
        return [x for x in found if x is not None]

    def _input(self, k: int) -> LazyArray:
        """The lazy array of an argument that shares memory with no other."""
        array, lazy = self.parts.arrays[k], self.parts.lazy[k]
        if isinstance(array, np.generic):
            return LazyArray._new(self._leaf(np.asarray(array), k), scalar=True)
        scalar = lazy is not None and lazy._scalar
        result = LazyArray._new(self._leaf(array, k), array.strides if lazy is None else lazy.strides, scalar)
        result._writeable = array.flags.writeable if lazy is None else lazy._writeable
        if not scalar:
            self._own(array if lazy is None else lazy, result, k)
            if result._writeable and repeats(result._shape, result._strides):
                self.recording.frozen.add(result._cell)
        return result

    def _leaf(self, data: Any, place: int | tuple[int, ...]) -> Value:
        leaf = Leaf(data, ArrayType(native(data.dtype), data.shape))
        self.input_leaves.append(leaf)
        self.input_places.append(place)
        return Value(leaf, 0)

    def _own(self, original: Any, lazy: LazyArray, place: int | tuple[int, ...]) -> None:
        self.bases.append((original, lazy, lazy._cell.value.node))
        self.base_places.append(place)

    def base_data(self, parts: Parts, k: int) -> Any:
        """The data of input leaf number `k` in another call of the same signature."""
        place = self.input_places[k]
        return parts.arrays[place] if isinstance(place, int) else common_memory(parts.arrays, list(place))

    def shadow(self, value: Any, spec: Any, at: list[int]) -> Any:
        """What the traced function gets in place of an argument.

        Parameters
        ----------
        value, spec
            The argument, and what `Parts.describe` said of it.
        at : list of int
            How many arrays and scalars have been used: positions in `parts`.
        """
        kind = type(value)
        if isinstance(value, (np.ndarray, np.generic, LazyArray)):
            if spec and isinstance(spec, tuple) and spec[0] == "opaque":
                return value
            if spec and isinstance(spec, tuple) and spec[0] == "same":
                return self.arrays[spec[1]]
            at[0] += 1
            return self.arrays[at[0] - 1]
        if kind in (int, float, complex):
            at[1] += 1
            return self.tape.input(at[1] - 1)
        if spec[0] == "again":
            return self._shadows.get(id(value), value)
        if spec[0] == "method":
            self.environment.alone.add(id(spec[1]))
            return types.MethodType(self.environment.traced(spec[1]), self.shadow(value.__self__, spec[2], at))
        if spec[0] == "draws":
            return getattr(self.shadow(value.__self__, spec[2], at), spec[1])
        if spec[0] == "stream":
            at[0] += 1
            self._shadows[id(value)] = found = self.drawing.given(value, self.arrays[at[0] - 1])
            return found
        if spec[0] in ("function", "object"):
            stood_for = spec[0] == "function" and isinstance(spec[1], FunctionForm)
            replaced = self.environment.replaced(value, "an argument", expected=stood_for)
            return value if replaced is None else replaced
        if isinstance(value, (tuple, list)) and spec[0] is kind:
            if kind is list:
                elements: list[Any] = []
                if not value:
                    # A history, perhaps, that a loop makes longer.
                    elements = Growing()
                    elements.lists = self.lists
                self._shadows[id(value)] = elements
                number = self._holder(value, elements)
                elements.extend(self.shadow(v, s, at) for v, s in zip(value, spec[1:], strict=True))
                self.shadowed[number] = (value, elements, list(elements))
                return elements
            items = [self.shadow(v, s, at) for v, s in zip(value, spec[1:], strict=True)]
            self._shadows[id(value)] = found = tuple.__new__(kind, items)
            return found
        if kind is dict:
            contents: dict[Any, Any] = {}
            self._shadows[id(value)] = contents
            number = self._holder(value, contents)
            for (key, item), (_, s) in zip(value.items(), spec[1:], strict=True):
                # (A function that is a key is looked up by what stands for it.)
                known = self.environment.replaced(key, "a key") if callable(key) and not isinstance(key, type) else None
                contents[key if known is None else known] = self.shadow(item, s, at)
            self.shadowed[number] = (value, contents, dict(contents))
            return contents
        if spec[0] is kind and hasattr(value, "__dict__"):
            return self._object(value, spec, at)
        return value

    def _object(self, value: Any, spec: Any, at: list[int]) -> Any:
        kind = type(value)
        new: Any = object.__new__(self.classes.traced(kind))
        self.environment.watch(kind)
        self._shadows[id(value)] = new
        self.classes.originals[id(new)] = value
        number = self._holder(value, new)
        for (name, item), (_, s) in zip(vars(value).items(), spec[1:], strict=True):
            new.__dict__[name] = self.shadow(item, s, at)
        self.shadowed[number] = (value, new, dict(new.__dict__))
        return new

    def _holder(self, value: Any, new: Any) -> int:
        """The number of a list, dict or object: the order in which `Parts.describe` meets them."""
        self.shadowed.append((value, new, None))
        return len(self.shadowed) - 1

    # -- the world outside the arguments -------------------------------------------------------------------

    def outside(self, get: Callable[[], Any], what: str) -> Any:
        """The traced form of data found outside the arguments; it becomes an input of the program."""
        value = get()
        parts = self.parts
        at = [len(parts.arrays), len(parts.scalars)]
        spec, shares = parts.describe_apart(value)
        self.captured.append((get, spec))
        if shares:
            raise Plain(f"{what} shares memory with an argument or with another variable")
        for k in range(at[0], len(parts.arrays)):
            self.arrays.append(self._input(k))
            assert self.recording.cells is not None
            self.recording.cells[self.arrays[-1]._cell] = None
            self.callers.add(self.arrays[-1]._cell)
            self.looks.append((self.arrays[-1], look_of(self.arrays[-1])))
        for scalar in parts.scalars[at[1] :]:
            self.tape.add_input(scalar)
        shadow = self.shadow(value, spec, at)
        if len(parts.opaque) > self._told:
            if self.may_begin_again:
                parts.reject_reached_twice()
            # (It may end the loop that is captured: what goes on without that is to be told of it, too.)
            why = f"{what} is a {type(value).__name__}, which lazyarr cannot look into"
            self.unknown(parts.opaque[self._told :], why)
        return shadow

    def expect(self, get: Callable[[], Any], value: Any) -> None:
        """Note that a later call may use the program only if `get` still gives `value` itself."""
        self.expected.append((get, value))

    def forget(self) -> None:
        """Let go of the traced call's data; what later calls need stays (guards, places, the tape)."""
        for leaf in self.input_leaves:
            leaf.data = None
        self._ranges = self.ranges
        self.parts = Parts(self.parts.package)
        self.arrays, self.bases, self.shadowed, self.looks = [], [], [], []
        self._shadows.clear()
        self.classes = Classes(self)
        self.relied.clear()
        self.owned.clear()
        self.recording = Recording(self)
        self.environment = Environment(self)
        self.drawing = Draws(self)

    def expect_equal(self, get: Callable[[], Any]) -> None:
        """Note that a later call may use the program only if `get` still gives what it gives now."""
        self.expected_equal.append((get, get()))

    @property
    def ranges(self) -> list[tuple[str, int, int]]:
        """File, first and last line of each function that was traced."""
        return self._ranges or self.environment.ranges()

    # -- what the runtime tells ----------------------------------------------------------------------------

    def observed(self, why: str) -> None:
        """Data was looked at, or something happened that a compiled program would not repeat."""
        self._observed(why, False)
        self.drawing.settle()

    def _observed(self, why: str, harmless: bool) -> None:
        if self.depth:
            raise NotCaptured(why)
        if self.counts and not self.reasons:
            raise NotCaptured(why)  # Perhaps it is one program if the counts are known.
        if self.may_begin_again and not harmless and not self.strict:
            look_ahead(self)
        begins, self.may_begin_again = self.may_begin_again, self.may_begin_again and harmless
        if self.made_lengths and not self.reasons:
            raise NotCaptured(why)  # Python cannot go on with lengths that it does not know.
        if not self.reasons and begins and self.stops():
            self.thrown = Plain(stops_for(why), user_line(2), self._is_large())
            raise self.thrown
        if begins and not harmless and self._may_lose():
            self.thrown = Acts(f"{why}, and loops may come after it", user_line(2), self._is_large())
            raise self.thrown
        if not self.reasons and begins and not harmless and self.recording.frozen and not self.strict:
            # Where such an array is changed the call would begin again, and do this twice.
            raise NotCaptured(f"it is known at run time only whose memory a variable means ({why})")
        if self.strict:
            self.thrown = Refused(why, user_line(2), self.left_out, self.environment.unconverted)
            raise self.thrown
        if not self.reasons and (
            self.soft or any(True for h in self.recording.pending() for _ in h.value.node.regions)
        ):
            # A loop whose guard fails has the call run by Python: that must be before the function acts on anything.
            self.settle()
            self.reasons.append((why, user_line(2)))
            flush(self.recording)
        else:
            self.reasons.append((why, user_line(2)))

    def _may_lose(self) -> bool:
        """Whether going on, without a way back, may take much longer than NumPy: loops may come, which may read little.

        (Each statement of a piece takes Python some 0.2 ms.)
        """
        if self.function is None or not self._may_be_plain():
            return False
        running = self.environment.functions()
        return may_loop(running or [self.function], self.classes.known(), begun=bool(running))

    def _is_large(self) -> bool:
        """Whether there are large arrays."""
        values = [cell.value for cell in list(self.recording.cells or ())]
        # (What is empty yet is perhaps a record, of which a loop writes one element after the other.)
        sizes = (math.prod(extents.bounded(v.type.shape)) for v in values if v.node.op.memory != "free")
        return max(sizes, default=0) >= LARGE

    def looked(self, why: str) -> None:
        """Data was looked at by what has no effect: the call can still begin again."""
        self._observed(why, True)

    def draws(self, stream: Any, why: str) -> None:
        """Random numbers are about to be drawn: where the stream can be put back, the call can still begin again."""
        self._observed(why, self.streams.keep(stream) and all(map(self.streams.keep, self.drawing.ahead())))
        self.drawing.settle()

    def draw(self, function: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, Any]:
        """Draw random numbers within the program, or give the function of NumPy's that is to do it."""
        return self.drawing.draw(function, name, args, kwargs)

    def unknown(self, found: Iterable[Any], why: str) -> None:
        """Objects that lazyarr cannot look into take part; all that streams of random numbers do is to give numbers."""
        found = list(found)
        found += self._new([x for kind in dict.fromkeys(map(type, found)) for x in data_of(kind, self.parts.package)])
        self._observed(why, all(map(self.streams.keep, found)))
        self._told = len(self.parts.opaque)

    def takes_part(self, kind: type) -> None:
        """A class takes part that nothing stands for: the data that it has is known as containers are."""
        self._new(data_of(kind, self.parts.package))
        if len(self.parts.opaque) > self._told:
            if self.may_begin_again:
                self.parts.reject_reached_twice()
            why = f"the class {kind.__name__} has data, and lazyarr cannot trace it"
            self.unknown(self.parts.opaque[self._told :], why)

    def _new(self, found: list[Any]) -> list[Any]:
        """What of it is not known as something that lazyarr cannot look into; it is then."""
        known = {id(x) for x in self.parts.opaque}
        new = [x for x in found if id(x) not in known]
        self.parts.opaque += new
        return new

    def take_back(self) -> None:
        """Put back the streams of random numbers, and attributes of classes: the call begins again."""
        self.streams.restore()
        self.classes.undo()

    def made_stream(self, stream: Any, seed: Any) -> None:
        """The function has made a stream of random numbers."""
        self.streams.made(stream)
        if seed is not None:
            self.drawing.made(stream, seed)

    @property
    def counts_in_vain(self) -> bool:
        """Whether the program is one for certain counts after all."""
        return any(self.tape.is_pinned(x) for x in self.counts or ())

    def settle(self) -> None:
        """Require of numbers that may be of another type that they are what the program takes them for.

        Python goes on with them. (A computed number may be in any variable: all are asked.)
        """
        for certain in dict.fromkeys(found.certain for found in self.soft.values()):
            if not any(isinstance(node, Placeholder) for node in depth_first([certain])):
                guard(certain, WHY)
        self.soft.clear()

    def foreign(self, array: Any) -> None:
        """An array nobody knows the origin of takes part."""
        self.observed("a NumPy array that is neither an argument nor a variable of the function takes part")

    def may_flush(self, count: int) -> bool:
        """Whether the recorded work may be run in pieces: not while it may still become one program."""
        if self.depth:
            return False
        if not self.reasons:
            if count <= settings.current.unroll_limit:
                return False
            why = f"more than {settings.current.unroll_limit} array operations (a long Python loop)"
            if self.is_small_work():
                self.thrown = TookLong(f"{why} on arrays of less than {SMALL} elements", user_line(2))
                raise self.thrown
            self.observed(why)
        return True

    def is_small_work(self) -> bool:
        """Whether NumPy computes the recorded operations faster than they are recorded."""
        nodes = list(depth_first([holder.value for holder in self.recording.pending()]))
        return bool(sum(map(moved, nodes)) <= SMALL * len(nodes))

    def may_take_longer(self, longest: float = _LONGEST_SMALL) -> None:
        """Ask, where Python runs a loop or decides a branch, whether the trace has not taken too long.

        Parameters
        ----------
        longest : float
            Seconds that it may take, besides the time of compiling.

        Raises
        ------
        Plain
            If it has, little is computed, and the call can begin again.
        """
        if not self._took(longest):
            return
        if self.computed_little and self.is_small_work() and (self._took(_LONGEST_SMALL) or not self._has_loops()):
            raise TookLong("many branches on data, between which little is computed, that are not compiled")

    def may_write_out(self, python: float) -> None:
        """Give up a trace in which one loop comes so often that Python would long have run it, in so many seconds.

        Raises
        ------
        Plain
            If tracing has taken many times as long, and the call can begin again.
        """
        longest = max(_LONGEST_SMALL, _CALLS_WRITTEN_OUT * python)
        if self._took(longest / _COMPILED_AFTER) and self.is_small_work():
            raise TookLong("a short loop that Python writes out very often", user_line(3))

    def _may_be_plain(self) -> bool:
        """Whether plain Python may do what is not compiled."""
        return not self.strict and world.current() is None and settings.current.fallback != "error"

    def _took(self, longest: float) -> bool:
        """Whether the trace, which may be given up, has taken longer than so many seconds, besides those of compiling.

        They are the thread's: what else the machine does decides nothing. (Asking for them takes microseconds.)
        """
        if not self.may_begin_again or not self._may_be_plain():
            return False
        if time.monotonic() - self._began - (plans.seconds - self._compiled_before) < longest:
            return False
        compiling = plans.thread_seconds - self._thread_compiled_before
        return time.thread_time() - self._thread_began - compiling >= longest

    def _has_loops(self) -> bool:
        """Whether there is a loop among the recorded work, which may compute much."""
        nodes = depth_first([holder.value for holder in self.recording.pending()])
        return any(node.op.name in LOOPS for node in nodes)

    def _long_tape(self) -> None:
        """Very many operations on Python's numbers are written out: each call would do them in Python again."""
        again = self.may_begin_again and not self.strict and settings.current.fallback != "error"
        if again and self.is_small_work():
            raise TookLong("a long loop on Python's numbers that is not compiled", user_line(3))

    def may_repeat(self, has_no_end: bool) -> None:
        """The same of a loop that Python runs: `has_no_end` if it is not known how often."""
        in_vain = bool(self.reasons) or has_no_end
        self.may_take_longer(_LONGEST_LEFT_OUT if in_vain or self.is_loop else _LONGEST_WRITTEN_OUT)

    @property
    def computed_little(self) -> bool:
        """Whether NumPy computes what the pieces have computed as fast."""
        return self._computed < SMALL * max(1, len(self.programs))

    @property
    def in_python(self) -> bool:
        """Whether it runs in pieces, and what runs is not in one of them."""
        return bool(self.reasons) and not self.depth

    def may_compile(self, program: Program) -> bool:
        """Whether compiling the pieces of this call has not taken too long yet."""
        return plans.seconds - self._compiled_before < self.most_compiling

    def ran(self, program: Program) -> None:
        """A piece is run.

        Raises
        ------
        Plain
            If they are many, of small arrays: each is compiled for longer than NumPy takes for all of them. Or if they
            are many, and have taken long.
        """
        self.programs.append(program)
        self._computed += sum(made(n) for n in program.graph.nodes if n.op.memory == "fresh")
        if len(self.programs) > _MOST_SMALL_PIECES and self.may_begin_again and settings.current.fallback != "error":
            if all(is_small(cell.value.type) for cell in list(self.recording.cells or ())):
                raise InVain("many branches on data of small arrays that are not compiled")
            self.may_repeat(False)
            taken = time.monotonic() - self._began
            if taken > _LONGEST and world.current() is None:
                raise InVain("many branches on data that are not compiled")
