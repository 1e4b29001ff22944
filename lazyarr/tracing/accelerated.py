"""A plain NumPy function, compiled for each signature it is called with."""

from __future__ import annotations

import functools
import threading
import time
import types
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import lazyarr.numpy  # noqa: F401  the lazy implementations
from lazyarr import forks, settings, world
from lazyarr.evaluations import own
from lazyarr.ir.graph import CheckFailed, Line, Program
from lazyarr.leaves import Leaf
from lazyarr.report import note_compiled, note_faster, note_guard, note_pieces
from lazyarr.runtime import NotCaptured, evaluate, flush, is_tracing, recording, use_recording
from lazyarr.tracing.around_loops import AroundLoops, learns
from lazyarr.tracing.bound import BoundAccelerated, Wraps
from lazyarr.tracing.breakeven import FIRST_CALL, POSTPONED, BreakEven, compiling_seconds, is_straight
from lazyarr.tracing.callables import calling, untraceable
from lazyarr.tracing.callees import Callees
from lazyarr.tracing.capture.buffers import NO_ROOM
from lazyarr.tracing.capture.slots import GOES_ON, RUNS_ONCE
from lazyarr.tracing.capture.state import cells_inside
from lazyarr.tracing.closures import standing
from lazyarr.tracing.compiled import Compiled, gathers_masks
from lazyarr.tracing.control.python import Info
from lazyarr.tracing.direct import MISS, direct_call
from lazyarr.tracing.listening import WHY, is_listening
from lazyarr.tracing.newcomers import at_most, put
from lazyarr.tracing.origins import failing_lines, has_loops
from lazyarr.tracing.outputs import Outcome, leave_behind
from lazyarr.tracing.recursion import Recursive
from lazyarr.tracing.retries import CountsRefused, LengthsRefused, Raised
from lazyarr.tracing.signature import Acts, InVain, Parts, Plain, TookLong, memory_groups, sharing_key
from lazyarr.tracing.strict import Kept, Refused, raise_numpys_error, strict_error
from lazyarr.tracing.trace import Trace, stops_for
from lazyarr.tracing.trials import Losses, Patience, Trials

#: Signatures a function is compiled for at their first call; further ones are compiled when they come again.
_MOST_SIGNATURES, _MOST_ONCE = 32, 256
#: Programs for one signature, beyond which the values they depend on are taken to change at every call.
_MOST_VARIANTS = 16
#: Programs for one signature in which arguments are constants that decide lengths of slices in loops, or say how often
#: loops run.
_MOST_FIXED, _MOST_COUNTED = 4, 2
#: Programs that are called directly, of a function; each that does not fit a call costs it a fraction of a microsecond.
_MOST_DIRECT = 8
#: Calls of one signature whose guards fail, beyond which it is left to Python.
_MOST_FAILURES = 8
#: By what lists of which data decides the length get more room in the next program, and at most.
_MORE_ROOM, _MOST_ROOM = 16, 4096


class Accelerated(Wraps):
    """A function compiled for each signature it is called with. Made by `accelerate`.

    Attributes
    ----------
    function : callable
        The user's function.
    strict : bool
        Whether a call that would not run as one compiled program is an error.
    """

    def __init__(
        self, function: Callable[..., Any], strict: bool = False, always: bool = False, is_loop: bool = False
    ):
        functools.update_wrapper(self, function)
        #: Whether it is a loop of another function.
        self._is_loop = is_loop
        self._around: AroundLoops | None = None
        self.strict, self.always, self._given = strict, always, function
        self.function = function if isinstance(function, types.FunctionType) else calling(function)
        self._known: dict[Any, list[Compiled]] = {}
        self._once: dict[Any, None] = {}
        self._pieces: dict[Any, str] = {}
        self._trials: dict[Any, Trials] = {}
        self._plain: dict[Any, str] = {}
        self._losses, self._patience = Losses(), Patience()
        #: Whether a call was left to NumPy because pieces would take longer.
        self.pieces_lose = False
        self._even = BreakEven(self._python, is_loop, lambda why: note_faster(self._name, why, self._line or ("", 0)))
        #: Whether a trace has met the function within itself, and the threads that run it as plain Python then.
        self._recurses = False
        self._inside: set[int] = set()
        #: Loops and branches that are known to run in Python, and why.
        self._uncaptured: dict[Info, tuple[str, Line]] = {}
        #: The latest programs that are called directly.
        self._direct: tuple[Callable[..., Any], ...] = ()
        self._failures: dict[Any, int] = {}
        self._room: dict[Any, int] = {}
        self._looks_at_lengths: set[Any] = set()
        self._fixes_counts: set[Any] = set()
        self._lock = forks.lock()
        #: Seconds it took to look at the arguments of the latest call.
        self._looked = 0.0
        self._package = (getattr(function, "__module__", None) or "").partition(".")[0]
        self._untraceable = untraceable(self.function)
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
        if not is_tracing():
            if is_listening():
                return self._run_plain(None, WHY, args, kwargs)
            if self._inside and threading.get_ident() in self._inside:
                return self.function(*args, **kwargs)
            for direct in self._direct:
                result = direct(*args, **kwargs)
                if result is not MISS:
                    return result
            if (self._even.glances.known or self._even.newcomers.serve) and not self._compiles_all:
                result = self._even.at_sight(args, kwargs)
                if result is not MISS:
                    return result
        return self._generally(args, kwargs)

    @property
    def _compiles_all(self) -> bool:
        """Whether NumPy is to run nothing that can be compiled."""
        if world.current() is not None:
            return True  # Ranks that run together decide nothing by the clock: it is another one for each.
        now = settings.current
        return self.strict or self.always or bool(now.always) or bool(now.reproducible) or now.fallback == "error"

    def _generally(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that no direct call stands for."""
        inside = recording().observer
        if isinstance(inside, Trace):
            # Called by another accelerated function: part of its program.
            if isinstance(self.function, types.FunctionType):
                return inside.environment.traced(self.function)(*args, **kwargs)
            return self.function(*args, **kwargs)
        plain, much, begin = "", None, time.perf_counter()
        try:
            parts, key, specs = self._describe(args, kwargs)
        except Plain as reason:
            plain, much = str(reason), getattr(reason, "key", None)
        self._looked = time.perf_counter() - begin
        if plain:
            return self._run_plain(much, plain, args, kwargs)
        if key in self._plain:
            return self._run_plain(key, self._plain[key], args, kwargs)
        if not self._compiles_all and self._even.is_numpys(key):
            return self._even.run(key, lambda: self._in_python(args, kwargs), args, kwargs)
        try:
            for compiled, runs in ((one, time.perf_counter()) for one in self._known.get(key, ())):
                done, result = self._even.direct(key, compiled.direct, args, kwargs) or compiled(parts)
                if done:
                    self._prefer(compiled, specs, key, time.perf_counter() - begin, runs - begin)
                    self._even.newcomers.program(compiled.direct or None, args, kwargs)
                    return result
                parts, key, specs = self._describe(args, kwargs)
            if self._patience.waits and key not in self._trials and not self._compiles_all:
                waiting, looked = self._patience, time.perf_counter() - begin
                run = functools.partial(self._otherwise, key, args, kwargs)
                return self._even.glances.spare(lambda: waiting.plain(run), looked, args, kwargs)
            if self._even.newcomers.serve and not (self._compiles_all or key in self._known or key in self._trials):
                result = self._even.otherwise(key, parts.elements, time.perf_counter() - begin, args, kwargs)
                return self._first(parts, key, specs, args, kwargs) if result is MISS else result
            return self._first(parts, key, specs, args, kwargs)
        except CheckFailed as error:
            failed = error
        # Not in the handler: what NumPy raises is not a consequence of that.
        return self._after_failure(failed, key, args, kwargs)

    def _prefer(self, compiled: Compiled, specs: Any, key: Any, seconds: float, looked: float) -> None:
        """Try this program first at the next call, without taking arguments apart in Python, if that can be."""
        with self._lock:
            if compiled.direct is False:
                compiled.direct = direct_call(compiled, specs, self._name) if world.current() is None else None
            if not self._compiles_all and not self._even.settled(key, compiled, seconds, looked):
                if self._even.is_numpys(key, for_good=True):
                    note_faster(self._name, self._even.why(key), self._line or ("", 0))
                return
            if compiled.direct is not None:
                others = (direct for direct in self._direct if direct is not compiled.direct)
                self._direct = (compiled.direct, *others)[:_MOST_DIRECT]

    def _after_failure(self, failed: CheckFailed, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call whose program found that it does not stand for it."""
        line = self._note_failed(failed, key)
        why = f"not as compiled: {failed.check.message}"
        if self.strict:
            self._raise_numpys_error(why, line, key, args, kwargs)
        if NO_ROOM in failed.check.message and self._room.get(key, 1) < _MOST_ROOM:
            self._make_room(key)
            return self._in_python(args, kwargs)
        if failed.check.message in (RUNS_ONCE, GOES_ON) and self._is_loop:
            return self._in_python(args, kwargs)  # The last time, if it is the rest of one that stops.
        self._failures[key] = self._failures.get(key, 0) + 1
        always = self._failures[key] > _MOST_FAILURES
        if failed.check.exception != "CheckFailed":
            return self._in_python(args, kwargs)  # NumPy says what is wrong better than a compiled check can
        return self._run_plain(key if always else None, why, args, kwargs, all_or_nothing=True)

    def _make_room(self, key: Any) -> None:
        """Let the next program for a signature have more memory for lists of which data decides the length."""
        with self._lock:
            self._room[key] = self._room.get(key, 1) * _MORE_ROOM
            self._not_directly(self._known.pop(key, ()))

    def _not_directly(self, left: Iterable[Compiled]) -> None:
        directs = [compiled.direct for compiled in left]
        self._direct = tuple(direct for direct in self._direct if direct not in directs)
        self._even.newcomers.left(directs)

    def _describe(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Parts, Any, Any]:
        if self._untraceable:
            raise Plain(self._untraceable)
        parts = Parts(self._package, not self._compiles_all)
        specs = parts.describe_call(args, kwargs, world.current() is None)
        return parts, (specs, sharing_key(parts.arrays, memory_groups(parts.arrays))), specs

    def _first(self, parts: Parts, key: Any, specs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call no compiled program serves."""
        if key in self._even.raising and not self._compiles_all:
            return self._even.returned(key, self._in_python(args, kwargs))
        trials = self._trials.get(key)
        if self._comes_once(key) and not self._compiles_all:
            shapes = self._even.shapes
            if shapes.plain_wins or shapes.plain_is_next and shapes.is_short:
                put(self._once, key, None, _MOST_ONCE)
                note_faster(self._name, "shapes that come once, of many", self._line or ("", 0))
                return shapes.plain(lambda: self._in_python(args, kwargs))
            return shapes.ours(lambda: self._trace_first(parts, key, specs, args, kwargs))
        if trials is None and not (self._compiles_all or self._known):
            if self._losses.cover(parts.elements) or len(self._plain) >= _MOST_VARIANTS:
                return self._run_plain(key, "faster than in pieces for arrays of other shapes", args, kwargs)
            trials = self._losses.of_new if len(self._pieces) >= _MOST_VARIANTS else self._losses.of_slow
        if trials is None or settings.current.fallback == "error" or world.current() is not None:
            return self._trace_first(parts, key, specs, args, kwargs)
        if trials.plain_wins:
            self._losses.add(parts.elements)
            why = f"faster than in pieces ({self._pieces.get(key, 'of signatures that come once')})"
            return self._run_plain(key, why, args, kwargs)
        if trials.plain_is_next:
            return trials.plain(lambda: self._otherwise(key, args, kwargs), functools.partial(learns, self, key))
        return trials.ours(lambda: self._trace_first(parts, key, specs, args, kwargs))

    def _comes_once(self, key: Any) -> bool:
        """Whether a signature is one of very many, and new."""
        return len(self._known) >= _MOST_SIGNATURES and key not in self._once

    def _runs_in_pieces(self, key: Any, why: str) -> None:
        """Note that no program will stand for calls of a signature."""
        self._pieces.setdefault(key, why)
        self._trials.setdefault(key, Trials())

    def _trace_first(self, parts: Parts, key: Any, specs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Trace a call, and compile if the trace stands for later calls."""
        stopped, begin = None, time.perf_counter()
        try:
            trace, outcome = self.traced(parts, key, specs, args, kwargs, self._pieces.get(key), self.strict)
            parts = trace.parts
        except (Plain, NotCaptured, Refused, Raised) as error:
            stopped = error
        except Exception:
            self._even.raised(key)
            raise
        if stopped is not None:
            self._patience.in_vain(time.perf_counter() - begin)
            self.pieces_lose |= isinstance(stopped, InVain)
            if isinstance(stopped, Plain) and (stopped.large or isinstance(stopped, Acts)):
                called = functools.partial(self._part, is_loop=False)
                self._around_loops().use_callees(Callees(self._package, called, stopped.large))
            if isinstance(stopped, TookLong):
                self._losses.add(parts.elements)
            return self._after_stop(stopped, key, args, kwargs)
        if trace.reasons:
            (why, line), is_new = trace.reasons[0], key not in self._pieces
            self._runs_in_pieces(key, why)
            note_pieces(self._name, why, line)
            result = self._finish_in_pieces(trace, outcome, parts)
            self._losses.in_pieces(time.perf_counter() - begin, is_new)
            if self._stops():
                self._plain[key] = stops_for(why)
            elif trace.computed_little and not self._compiles_all and self._around_loops().serves:
                self._plain[key] = f"little is computed between its loops ({why})"
                self._losses.add(parts.elements)
            return result
        if self._comes_once(key) and not self.strict:
            # Shapes that change at every call: compiling each would cost more than it can bring.
            put(self._once, key, None, _MOST_ONCE)
            return self._finish_in_pieces(trace, outcome, parts)
        try:
            compiled = Compiled(trace, outcome)
        except NotCaptured as error:
            stopped = error
        if stopped is not None:
            return self._after_stop(stopped, key, args, kwargs)
        if not self._compiles_all and self._even.waits(key, compiled.program.graph):
            why = POSTPONED if self._even.is_postponed(key) else FIRST_CALL
            note_faster(self._name, why, self._line or ("", 0))
            seconds = compiling_seconds(compiled.program.graph)
            return self._even.newcomers.met(parts.elements, seconds, lambda: self._in_python(args, kwargs))
        note_compiled(self._name, FIRST_CALL, POSTPONED)
        compiled.prepare()  # before anybody else sees it
        seconds = time.perf_counter() - begin
        with self._lock:
            variants = self._known.setdefault(key, [])
            while len(self._known) > 8 * _MOST_SIGNATURES:
                self._known.pop(next(iter(self._known)))
            variants.append(compiled)
            if len(variants) > _MOST_VARIANTS:
                self._runs_in_pieces(key, "a Python value that decides the program differs at every call")
                variants.clear()
        (fresh, _, _), begin = self._describe(args, kwargs), time.perf_counter()
        done, result = compiled(fresh)
        if not is_straight(compiled.program.graph):
            self._even.newcomers.made(parts.elements, seconds, at_most(time.perf_counter() - begin))
        if not done:
            if self.strict:
                raise strict_error(self._name, "what it found outside its arguments is not what it was", self._line)
            return self._finish_in_pieces(trace, outcome, parts)
        compiled.forget()
        return result

    def _after_stop(self, stopped: BaseException, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that could not be traced to its end, and has had no effect so far."""
        if isinstance(stopped, Refused):
            raise stopped.error(self._name)
        if not isinstance(stopped, Raised):
            return self._run_plain(key, str(stopped), args, kwargs, getattr(stopped, "line", None))
        # Checks that the program would have made before may say something else: Python's error is the right one.
        if self.strict:
            why = f"it raises {type(stopped.__cause__).__name__} while it is compiled: {stopped.__cause__}"
            self._raise_numpys_error(why, self._line, key, args, kwargs)
        self._even.raised(key)
        result = self._even.returned(key, self._in_python(args, kwargs))
        # Python does not raise it: the trace does, and would at each call.
        self._failures[key] = self._failures.get(key, 0) + 1
        if self._failures[key] > _MOST_FAILURES:
            cause = stopped.__cause__
            self._plain[key] = f"it raises {type(cause).__name__} while it is compiled, not in Python: {cause}"
        return result

    def _python(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The function as it is."""
        return self._running(self.function, args, kwargs)

    def _running(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run what stands for the function; if that calls itself, those calls are plain Python at once."""
        thread = threading.get_ident()
        if not self._recurses or thread in self._inside:
            return function(*args, **kwargs)
        self._inside.add(thread)
        try:
            return function(*args, **kwargs)
        finally:
            self._inside.discard(thread)

    @property
    def is_plain(self) -> bool:
        """Whether all calls so far, if there were any, were plain Python."""
        return bool(self._plain) and not (self._known or self._pieces or self._around and self._around.serves)

    @property
    def all_numpys(self) -> bool | None:
        """Whether NumPy runs all that has come so far, for it takes less time; None where nothing has."""
        if self._pieces or not (self._known or self._plain):
            return False if self._pieces else None
        return all(key in self._plain or self._even.is_numpys(key, for_good=True) for key in list(self._known))

    def _stops(self) -> bool:
        """Whether calls that are no program run around loops that stop for what only Python does."""
        return not self._compiles_all and not self._recurses and self._around_loops().serves_stops

    def _otherwise(self, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call that is no program: its loops may be (not those of each call of a function that calls itself)."""
        if world.current() is None and not self._recurses and (around := self._around_loops()).serves:
            result = around.run(key, self._running, self.function, args, kwargs, self._looked)
            if around.given_up and not around.pieces_lose:
                self._plain.pop(key, None)  # Pieces are better than nothing.
            return result
        return self._python(args, kwargs)

    def _around_loops(self) -> AroundLoops:
        if self._around is None:
            with self._lock:
                self._around = AroundLoops(self.function, self._part)
        return self._around

    def _part(self, function: types.FunctionType, is_loop: bool = True) -> Accelerated:
        part = Accelerated(function, is_loop=is_loop)
        part._patience = Patience(self._patience)
        return part

    def _in_python(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run the function as it is; where it raises, what the caller owns is as before the call."""
        if self._is_loop:
            return self._python(args, kwargs)  # The function that it is a part of goes on from what has happened.
        with Kept([args, kwargs]):
            return self._python(args, kwargs)

    def traced(
        self, parts: Parts, key: Any, specs: Any, args: tuple[Any, ...], kwargs: dict[str, Any],
        in_pieces: str | None = None, strict: bool = False,
    ) -> tuple[Trace, Outcome]:  # fmt: skip
        """Run the function on lazy arguments, as often as it takes to find out how it can be compiled.

        Parameters
        ----------
        parts, key, specs
            What `_describe` says of the arguments.
        args, kwargs
            Those of the call.
        in_pieces : str, optional
            Why it is known not to become one program.
        strict : bool
            Whether what would not be one program ends the trace.

        Raises
        ------
        Plain, NotCaptured
            If it has to run as plain Python.
        Refused
            If it is strict, and no single program.
        Raised
            From what the function raises for these arguments, where it has had no effect.
        """
        begin = time.perf_counter()
        try:
            while True:
                try:
                    return self._traced(parts, key, specs, args, kwargs, in_pieces, strict)
                except LengthsRefused:
                    # Lengths that data decides stop somewhere outside of loops: there they are looked at.
                    self._looks_at_lengths.add(key)
                except CountsRefused:
                    self._fixes_counts.add(key)
                parts, key, specs = self._describe(args, kwargs)
        finally:
            self._note_traced(time.perf_counter() - begin)

    def _note_traced(self, seconds: float) -> None:
        """Note how long a trace has taken."""
        programs = [one.program.graph for variants in list(self._known.values()) for one in variants]
        if self._is_loop and not any(map(has_loops, programs)):
            self._patience.traced(seconds)

    def _traced(
        self, parts: Parts, key: Any, specs: Any, args: tuple[Any, ...], kwargs: dict[str, Any],
        in_pieces: str | None = None, strict: bool = False,
    ) -> tuple[Trace, Outcome]:  # fmt: skip
        """Run the function on lazy arguments; `in_pieces` is why it is known not to become one program."""
        uncaptured = dict(self._uncaptured)
        trace = Trace(parts, uncaptured)
        trace.looks_at_lengths = key in self._looks_at_lengths
        trace.fixes_lengths = len(self._known.get(key, ())) < _MOST_FIXED
        if len(self._known.get(key, ())) >= _MOST_COUNTED and key not in self._fixes_counts:
            trace.counts = []
        trace.strict, trace.is_loop = strict, self._is_loop
        trace.stops = lambda: in_pieces is None and self._stops()
        trace.lists.room = self._room.get(key, 1)
        if key in self._trials and not self._compiles_all:
            trace.most_compiling = min(trace.most_compiling, self._trials[key].worth)
        if in_pieces is not None:
            trace.observed(in_pieces)
            trace.may_begin_again = True  # (That is what happened in an earlier call.)
        if not self._compiles_all and isinstance(self.function, types.FunctionType):
            trace.function = self.function
        at = [0, 0]
        end = use_recording(trace.recording)
        try:
            if parts.opaque:
                why = f"an argument is a {type(parts.opaque[0]).__name__}, which lazyarr cannot look into"
                trace.unknown(parts.opaque, why)
                parts.reject_reached_twice()
            lazy_args = tuple(trace.shadow(a, s, at) for a, s in zip(args, specs[0], strict=True))
            lazy_kwargs = {k: trace.shadow(v, s, at) for (k, v), (_, s) in zip(kwargs.items(), specs[1], strict=True)}
            assert isinstance(self.function, types.FunctionType)
            result = trace.recursion.run(trace.environment.traced(self.function), lazy_args, lazy_kwargs)
            if self._is_loop and trace.recording.frozen & cells_inside([result, lazy_args, lazy_kwargs]):
                # What is around the loop may change the array, and would change another one.
                raise Plain("it is known at run time only whose memory a variable means after the loop")
            outcome = Outcome(trace, result)
            if trace.thrown is not None:
                raise trace.thrown  # the function has an `except` clause for everything
            if trace.counts_in_vain:
                raise CountsRefused
            if trace.made_lengths and not trace.looks_at_lengths and not strict and gathers_masks(outcome.roots):
                raise NotCaptured("what masks select of arrays that are split")
            trace.may_begin_again = False  # it has run
            return trace, outcome
        except Recursive:
            trace.take_back()
            raise
        except (NotCaptured, Plain, Exception) as error:
            if not isinstance(error, Exception) or not trace.reasons or trace.may_begin_again:
                trace.take_back()
            if trace.counts and not trace.reasons:
                raise CountsRefused from error
            if trace.made_lengths and not trace.reasons and not trace.looks_at_lengths:
                raise LengthsRefused from error
            if isinstance(error, Exception):
                if not trace.reasons or trace.may_begin_again:
                    raise Raised from error
                flush(trace.recording)  # What comes before it, and is not run yet, may raise an error too.
                leave_behind(trace, args, kwargs)
            raise
        finally:
            self._recurses = self._recurses or bool(trace.recursion.calls)
            trace.classes.end()
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

    def _run_plain(
        self, key: Any, why: str, args: tuple[Any, ...], kwargs: dict[str, Any], line: Line | None = None,
        all_or_nothing: bool = False,
    ) -> Any:  # fmt: skip
        from lazyarr.fallback import note

        if self.strict:
            raise strict_error(self._name, why, line or self._line)
        if key is not None:
            self._plain[key] = why
            self._not_directly(self._known.get(key, ()))
        lifts = key is not None and not all_or_nothing
        counted, begin = None, time.perf_counter()
        if lifts and self._stops():
            note_pieces(self._name, why, line or self._line or ("", 0))
            result = self._otherwise(key, args, kwargs)
        else:
            counted = note(f"{self._name} runs as plain Python: {why}")
            result = self._otherwise(key, args, kwargs) if lifts else self._in_python(args, kwargs)
        seconds = time.perf_counter() - begin
        if lifts and key in self._plain and (self._around is None or self._around.is_plain(key)):
            self._even.glances.add(args, kwargs, seconds, counted)
        elif lifts:
            self._even.spare(args, kwargs, seconds, self._looked, functools.partial(self._otherwise, key))
        return result

    @property
    def _name(self) -> str:
        return str(getattr(self.function, "__qualname__", self.function))

    @property
    def _line(self) -> Line | None:
        """Where the function stands in the source."""
        code = getattr(self._given, "__code__", None)
        return None if code is None else (code.co_filename, code.co_firstlineno)

    def _note_failed(self, failed: CheckFailed, key: Any) -> Line | None:
        """Count a guard that failed; gives its line."""
        known = self._known.get(key, ())
        lines = sorted({n for c in known for n in failing_lines(c.program, failed.check, c.trace.ranges)})
        other = f" (here or at line {' or '.join(str(n) for _, n in lines[1:])})" if len(lines) > 1 else ""
        line = lines[0] if lines else self._line
        note_guard(self._name, failed.check.message + other, line or ("", 0))
        return line

    def _raise_numpys_error(
        self, why: str, line: Line | None, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> NoReturn:
        """Of a strict function: what NumPy raises for a call whose program failed, or that it failed."""
        outside, given = [], self._describe(args, kwargs)[0].functions
        for compiled in self._known.get(key, ()):
            with standing(compiled.functions, given):
                outside += [get() for get, _ in compiled.trace.captured]
        raise_numpys_error(self.function, args, kwargs, outside, strict_error(self._name, why, line))

    def explain(self, *args: Any, **kwargs: Any) -> Any:
        """What becomes of the function for these arguments, which are not changed.

        Returns
        -------
        Explanation
            Regions, what fused, what fell back and why, bytes moved before and after; prints well.
        """
        from lazyarr.tracing.explain import explain

        return explain(self, args, kwargs)


__all__ = ["Accelerated", "Line", "Program"]
