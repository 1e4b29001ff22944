"""The control object of a traced function: its loops and branches become nodes of the program."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from types import BuiltinFunctionType, CodeType, MethodDescriptorType
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import settings
from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar, is_number, kind_of, scalar_of_array
from lazyarr.growing import Growing
from lazyarr.ir.graph import CheckFailed, Line
from lazyarr.numpy._ufunc import Ufunc
from lazyarr.operators import among_others
from lazyarr.ops.elementwise import ELEMENTWISE, SELECT
from lazyarr.runtime import NotCaptured, flush, guard, record
from lazyarr.soft import HOLDING, Soft, settle
from lazyarr.tracing.capture.branches import BranchCapture
from lazyarr.tracing.capture.builtins import ITERATED, REPLACED, item_asked, number_in, numpy_functions
from lazyarr.tracing.capture.containers import Containers
from lazyarr.tracing.capture.counted import FEW_TRIPS, Counted, Product, counted
from lazyarr.tracing.capture.exchange import THEN_BOUND, THEN_THERE
from lazyarr.tracing.capture.forms import ANOTHER_NUMBER, CHANGES_KIND, TEST_CHANGES
from lazyarr.tracing.capture.loops import NEVER_TRUE, LoopCapture
from lazyarr.tracing.capture.slots import GOES_ON, RUNS_ONCE
from lazyarr.tracing.capture.state import Snapshot, form, has_computed_length, is_small, values_of
from lazyarr.tracing.capture.truth import Truth, is_known_bool
from lazyarr.tracing.control.python import Control, Info, State
from lazyarr.tracing.signature import InVain
from lazyarr.tracing.standins import pythons, takes_pythons_own

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

#: Iterations of such loops in one trace, however deep, beyond which the function is left to NumPy.
_MOST_WRITTEN_OUT = 1_000
#: Iterations that a loop in Python may have within a loop that is compiled.
_MOST_UNROLLED = 64
#: After how many iterations of a loop in Python it is asked whether that takes too long.
_ASKED = 8
#: After how often one loop is captured it is asked whether that takes too long; seconds of its iterations in Python.
_MANY_AGAIN, _ITERATION = 32, 1e-5
#: Items of a list comprehension that are written out: they fuse with what is around them.
_FEW_ITEMS = 16
_GIVING_NUMBERS = ("allclose", "array_equal")
#: The name that `control.jumps` gives the result of a ``return`` in a compound statement.
_RESULT = re.compile(r"the variable '__value_\d+'")
_EXPRESSION = ("the value of an expression",)
#: Why loops are not captured whose first iteration may be all that is different.
_FIRST = (THEN_BOUND, THEN_THERE, CHANGES_KIND)


def _runs(source: Counted) -> Any:
    """Whether a loop has an iteration: a bool or a computed one."""
    if type(source.step) is not int:
        raise NotCaptured("a range whose step is computed")
    return source.start < source.stop if source.step > 0 else source.start > source.stop


class Capture(Control):
    """Captures loops and branches on data; runs in Python what cannot be captured.

    Parameters
    ----------
    trace : Trace
    uncaptured : mapping of Info to (str, (file, line))
        Statements that are known to have to run in Python: why, and the line that is the reason.
    """

    def __init__(self, trace: Trace, uncaptured: dict[Info, tuple[str, Line]]):
        self.trace = trace
        self.uncaptured = uncaptured
        self.written_out = 0
        #: How often loops have been captured that Python writes out, and whether one is within another.
        self.again: Counter[Info] = Counter()
        self.has_nested = False

    # -- statements ----------------------------------------------------------------------------------------

    def for_(
        self, iterable: Iterable[Any], body: Callable[[Any], None], get: Callable[[], State],
        set: Callable[[State], None], info: Info, test: Callable[[], Any] | None = None,
        lists: tuple[list[Any], ...] = (),
    ) -> None:  # fmt: skip
        if isinstance(iterable, Product) and not lists:
            self._nested(iterable, (), body, get, set, info, test)
            return
        source = counted(iterable)
        left_out = self._left_out("for", info)
        if source is None or not self._worth(source, body) or left_out:
            if not left_out:
                why = f"it runs over a {type(iterable).__name__}" if source is None else "few iterations"
                trips = None if source is None else source.trips
                self.trace.statements.note("for", (info.file, info.line), "unrolled", why, trips=trips)
            self._unrolled(iterable, body, test)
            return
        capture = LoopCapture(self.trace, info, get, set, body, source, test, lists)
        trips = source.trips if test is None else None

        def peeled() -> None:
            self._require(_runs(source), RUNS_ONCE)
            body(source.item(source.start))
            if test is not None:
                self._require(self.truth(test()), GOES_ON)
            rest = Counted(source.start + source.step, source.stop, source.step, source.item)
            LoopCapture(self.trace, info, get, set, body, rest, test, lists).run()

        in_python = partial(self._unrolled, iterable, body, test)
        self._captured("for", capture.run, in_python, get, set, info, trips, peeled)
        if source.trips is not None and not self.trace.depth:
            self._count_again(info, source.trips)

    def _nested(
        self, product: Product, taken: tuple[Any, ...], body: Callable[[Any], None], get: Callable[[], State],
        set: Callable[[State], None], info: Info, test: Callable[[], Any] | None,
    ) -> None:  # fmt: skip
        """Loops in one another that are one statement: what is known of that holds for each of them."""

        def innermost(x: Any) -> None:
            body(product.item((*taken, x)))

        def around(x: Any) -> None:
            self._nested(product, (*taken, x), body, get, set, info, test)

        run = innermost if len(taken) == len(product.parts) - 1 else around
        self.for_(product.parts[len(taken)], run, get, set, info, test)

    def _require(self, truth: Any, what: str) -> None:
        """Let the program stand for calls in which something is true."""
        if isinstance(truth, ComputedScalar):
            guard(truth.value, what)
        elif not truth:
            raise NotCaptured(f"not so: {what}")

    def _left_out(self, kind: str, info: Info) -> bool:
        """Whether a statement is known to have to run in Python."""
        place = info.file, info.line
        known = self.uncaptured.get(info)
        if known is not None:
            self.trace.left_out.setdefault(place, known)
            self.trace.statements.note(kind, place, "python", *known)
        return known is not None

    def _worth(self, source: Counted, body: Callable[[Any], None]) -> bool:
        trips = source.trips
        return trips is None or trips > FEW_TRIPS or (trips > 1 and _has_loops(body.__code__))

    def _unrolled(
        self, iterable: Iterable[Any], body: Callable[[Any], None], test: Callable[[], Any] | None
    ) -> None:
        """A loop in Python: its iterations are recorded one after the other."""
        for count, item in enumerate(iterable):
            self._may_go_on(count)
            if self.trace.depth:
                self.written_out += 1
                if self.written_out > _MOST_WRITTEN_OUT and not self.trace.reasons:
                    # Each attempt to capture what holds this one would write it all out again.
                    raise InVain("nested loops that are not compiled")
            body(item)
            if test is None:
                continue
            go_on = self.truth(test())
            if isinstance(go_on, ComputedScalar):
                go_on = self._observed_truth(go_on, "a loop that ends when data says so")
            if not go_on:
                break

    def while_(
        self, test: Callable[[], Any], body: Callable[[], None], get: Callable[[], State],
        set: Callable[[State], None], info: Info,
    ) -> None:  # fmt: skip
        if self._left_out("while", info):
            self._repeated(test, body)
            return
        capture = LoopCapture(self.trace, info, get, set, lambda index: body(), None, test)

        def peeled() -> None:
            self._require(self.truth(test()), RUNS_ONCE)
            body()
            LoopCapture(self.trace, info, get, set, lambda index: body(), None, test).run()

        def rotated() -> None:
            holds: list[Any] = [self.truth(test())]
            if holds[0] is False:
                return

            def repeated(index: Any) -> None:
                body()
                holds[0] = self.truth(test())

            def restore(state: State) -> None:
                set(state[:-1])
                holds[0] = state[-1]

            names = (*info.names, "__test")
            wider = replace(info, names=names, live_in=(*info.live_in, True), live_out=(*info.live_out, False))
            LoopCapture(
                self.trace, wider, lambda: (*get(), holds[0]), restore, repeated, None, lambda: holds[0]
            ).run()

        in_python = partial(self._repeated, test, body)
        self._captured("while", capture.run, in_python, get, set, info, peeled=peeled, rotated=rotated)

    def _repeated(self, test: Callable[[], Any], body: Callable[[], None]) -> None:
        """A ``while`` in Python."""
        count = 0
        while self._known(self.truth(test()), "a branch on data"):
            self._may_go_on(count, True)
            count += 1
            body()

    def _may_go_on(self, count: int, has_no_end: bool = False) -> None:
        """Give up a long loop in Python within what is captured: on a way that is not taken it need not end."""
        if self.trace.depth and count == _MOST_UNROLLED:
            raise NotCaptured("a long loop that is not compiled within one that is")
        if not self.trace.depth and count and not count % _ASKED:
            self.trace.may_repeat(has_no_end)

    def if_(
        self, condition: Any, then: Callable[[], None], orelse: Callable[[], None], get: Callable[[], State],
        set: Callable[[State], None], info: Info,
    ) -> None:  # fmt: skip
        truth = self.truth(condition)
        if isinstance(truth, ComputedScalar) and self._left_out("if", info):
            truth = self._observed_truth(truth, "a branch on data")
        if not isinstance(truth, ComputedScalar):
            (then if truth else orelse)()
            return
        condition = truth

        def capture_branch() -> None:
            if info.outside:
                raise NotCaptured("a branch on data assigns to a global or an enclosing variable")
            capture.run(then, orelse)

        capture = BranchCapture(self.trace, condition, get, set, info.names, info.live_out, raises=info.raises)

        def in_python() -> None:
            (then if self._observed_truth(condition, "a branch on data") else orelse)()

        self._captured("if", capture_branch, in_python, get, set, info)

    def _captured(
        self, kind: str, run: Callable[[], None], in_python: Callable[[], None], get: Callable[[], State],
        set: Callable[[State], None], info: Info, trips: int | None = None, peeled: Callable[[], None] | None = None,
        rotated: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Record a statement; if that cannot be, go back to before it and run it in Python.

        `peeled` records a loop with its first iteration before it, which may be another one than the others are;
        `rotated` one whose condition is asked before it and at the end of each iteration.
        """
        trace = self.trace
        depth, ways = trace.depth, trace.lists.ways
        if not depth:
            trace.drawing.refresh()
        if trace.reasons and not depth and trace.recording.checks:
            # What fails before the statement is no failure of the statement.
            flush(trace.recording)
        snapshot = Snapshot(trace.recording, get, set)
        soft, unbound = dict(trace.soft), dict(trace.unbound)
        outside = trace.environment.kept()
        containers: Containers | None = None
        try:
            if trace.parts.opaque:
                raise NotCaptured(f"a {type(trace.parts.opaque[0]).__name__}, which may be changed unseen")
            containers = Containers(trace.shadowed, trace.looks)
            run()
            if trace.thrown is not None:
                raise trace.thrown  # the statement has an `except` clause for everything
            if not depth and any(map(has_computed_length, get())):
                if not trace.computes_lengths:
                    raise NotCaptured("the length of an array after the loop is decided by data")
                trace.made_lengths = True
            if trace.reasons and not depth:
                trace.settle()
                # What Python does between compiled pieces is not to be done twice: a guard that fails, fails here.
                flush(trace.recording)
            trace.statements.note(kind, (info.file, info.line), "compiled", trips=trips)
            self.has_nested |= depth > 0 and kind in ("for", "while")
            return
        except (NotCaptured, CheckFailed) as reason:
            why, line = str(reason), getattr(reason, "line", (info.file, info.line))
        except Exception as error:  # noqa: BLE001  whatever it is, Python is to meet it, if it gets there
            # Perhaps the program never gets there: whether it is an error is known when Python runs the statement.
            why, line = f"{type(error).__name__}: {error}", (info.file, info.line)
            if isinstance(error, TypeError) and "ComputedScalar" in why:
                why = "an operation needs to know a length that the program computes"
        trace.thrown = None
        trace.depth, trace.lists.ways = depth, ways
        snapshot.restore()
        # (What is required of numbers that are not computed after all would compute them.)
        trace.soft, trace.unbound = soft, unbound
        outside()
        if containers is not None:
            containers.restore()
        if (why in _FIRST or why.endswith(ANOTHER_NUMBER)) and peeled is not None:
            self._captured(kind, trace.drawing.undoing()(peeled), in_python, get, set, info, trips)
            return
        if why == TEST_CHANGES and rotated is not None:
            self._captured(kind, trace.drawing.undoing()(rotated), in_python, get, set, info, trips)
            return
        why = _RESULT.sub("the function's result", why)
        runs = kind not in ("if", "list") and why != NEVER_TRUE
        again = not trace.reasons or trace.may_begin_again
        if runs and not depth and again and (trips is None or trips > _MOST_UNROLLED):
            may_be_plain = settings.current.fallback != "error" and not trace.strict
            if may_be_plain and all(is_small(cell.value.type) for cell in snapshot.cells):
                # Written out, or in pieces, each of its many small operations would cost more than NumPy takes for it.
                raise InVain(f"a long loop over small arrays that is not compiled ({why})", line)
        self.uncaptured[info] = why, line
        self._left_out(kind, info)
        try:
            in_python()
        except NotCaptured:
            if depth:
                raise NotCaptured(why, line) from None  # the first cause says more than its consequence
            raise

    def _count_again(self, info: Info, trips: int) -> None:
        """Give up where Python writes out one short loop so often that tracing takes longer than running it would."""
        self.again[info] += 1
        if not self.has_nested and not self.again[info] % _MANY_AGAIN:
            self.trace.may_write_out(_ITERATION * trips * self.again[info])

    # -- expressions ---------------------------------------------------------------------------------------

    def if_expression(self, condition: Any, then: Callable[[], Any], orelse: Callable[[], Any], line: int) -> Any:
        truth = self._truth_in_expression(condition)
        return self._either(truth, then, orelse) if isinstance(truth, ComputedScalar) else (then if truth else orelse)()

    def _truth_in_expression(self, condition: Any) -> bool | ComputedScalar:
        """What decides about the operands that are evaluated: known where Python runs what is around the expression.

        To record both would raise what the other one raises.
        """
        truth = self.truth(condition)
        return self._known(truth, "a branch on data") if self.trace.reasons and not self.trace.depth else truth

    def _either(self, truth: ComputedScalar, then: Callable[[], Any], orelse: Callable[[], Any]) -> Any:
        """The value of one of two expressions."""
        found: list[Any] = [None]

        def assign(run: Callable[[], Any]) -> Callable[[], None]:
            def way() -> None:
                found[0] = run()

            return way

        def restore(state: State) -> None:
            found[0] = state[0]

        capture = BranchCapture(self.trace, truth, lambda: (found[0],), restore, _EXPRESSION, (True,), True)
        capture.run(assign(then), assign(orelse))
        return found[0]

    def and_(self, first: Any, *others: Callable[[], Any]) -> Any:
        return self._chain(first, others, True)

    def or_(self, first: Any, *others: Callable[[], Any]) -> Any:
        return self._chain(first, others, False)

    def _chain(self, first: Any, others: tuple[Callable[[], Any], ...], going: bool) -> Any:
        """``and`` (going on while true) and ``or`` (while false)."""
        for at, other in enumerate(others):
            truth = self._truth_in_expression(first)
            if isinstance(truth, ComputedScalar):
                return self._logical(first, truth, others[at:], going)
            if truth != going:
                break
            first = other()
        return first

    def _logical(self, first: Any, truth: ComputedScalar, others: tuple[Callable[[], Any], ...], going: bool) -> Any:
        kinds: list[Any] = [first]

        def rest() -> Any:
            found = self._chain(others[0](), others[1:], going)
            kinds.append(found)
            if _alike(first, found):
                return found
            # Its truth is all that a condition asks of it.
            known = self.truth(found)
            return known if isinstance(known, ComputedScalar) else ComputedScalar(_constant(known), bool)

        def known() -> Any:
            return first if _alike(*kinds) else ComputedScalar(_constant(not going), bool)

        # The rest is recorded first: what kind of value it is decides what the operand before it stands for.
        condition = truth if going else ComputedScalar(record(ELEMENTWISE["logical_not"], truth.value), bool)
        found = self._either(condition, rest, known)
        if _alike(*kinds):
            return found
        if all(map(_is_bool, kinds)):
            return self._python_or_numpy(found, condition, kinds)
        if not all(is_number(x) or isinstance(x, (LazyArray, Truth, Growing)) for x in kinds):
            raise NotCaptured("the value of `and` or `or` of data and something else")
        return Truth(found)

    def _python_or_numpy(self, found: Any, takes_rest: ComputedScalar, kinds: list[Any]) -> Any:
        """A bool that is NumPy's where one operand is the result, Python's where it is the other."""
        soft = self.trace.soft
        if not isinstance(found, ComputedScalar) or any(isinstance(x, LazyArray) and x._value() in soft for x in kinds):
            return found
        flags = [_constant(isinstance(x, LazyArray)) for x in kinds]
        result = LazyArray._new(found.value, scalar=True)
        soft[found.value] = Soft(record(SELECT, takes_rest.value, flags[1], flags[0]), frozenset([bool]))
        return result

    def not_(self, value: Any) -> Any:
        truth = self.truth(value)
        if isinstance(truth, ComputedScalar):
            return ComputedScalar(record(ELEMENTWISE["logical_not"], truth.value), bool)
        return not truth

    is_bool = is_known_bool

    def assert_(self, condition: Any, message: Callable[[], Any] | None = None) -> None:
        truth = self.truth(condition)
        if isinstance(truth, ComputedScalar):
            guard(truth.value, "an assertion holds")
            return
        super().assert_(truth, message)

    def call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        try:
            # (Callable objects of the user's are not hashed: what their hash does is theirs.)
            replaced = REPLACED.get(function) if isinstance(function, (type, BuiltinFunctionType)) else None
            if replaced is None and getattr(function, "__name__", "") in _GIVING_NUMBERS:
                replaced = numpy_functions().get(function)
        except TypeError:  # not hashable
            replaced = None
        if replaced is not None:
            return replaced(self, *args, **kwargs)
        if isinstance(function, type):
            self.trace.classes.called(function)
        if isinstance(function, MethodDescriptorType) and function.__objclass__ is np.ndarray and args:
            if isinstance(args[0], LazyArray):
                return getattr(args[0], function.__name__)(*args[1:], **kwargs)
        elif takes_pythons_own(function):
            args, kwargs = pythons(args), pythons(kwargs)
        elif not self._in_pieces() and (element := item_asked(function, args, kwargs)) is not None:
            return number_in(element)
        elif function is deque:
            args, kwargs = (*args[:1], *pythons(args[1:])), {name: pythons(x) for name, x in kwargs.items()}
        if self.trace.soft and _looks_at_types(function):
            settle([getattr(function, "__self__", None), *args, *kwargs.values()])
        met = self.trace.environment.met(function)
        if self.trace.environment.is_others(met):
            if self.trace.soft:
                settle([*args, *kwargs.values()])
            own = among_others.set(True)
            try:
                run = partial(self.trace.recursion.run, met, args, kwargs)
                return self.trace.drawing.around(run, met)
            finally:
                among_others.reset(own)
        return self.trace.recursion.run(met, args, kwargs)

    def over(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        lazily = ITERATED.get(function) if isinstance(function, type) else None
        return self.call(function, *args, **kwargs) if lazily is None else lazily(*args, **kwargs)

    def read(self, value: Any) -> Any:
        value = super().read(value)
        if self.trace.unbound and form(value) is not None:
            for part in values_of(value):
                bound = self.trace.unbound.get(part)
                if bound is not None:
                    guard(bound, "a variable has a value where it is read")
        return value

    def list_(self, display: list[Any]) -> list[Any]:
        found = Growing(display)
        found.lists = self.trace.lists
        return found

    def listed(self, iterable: Iterable[Any], item: Callable[[Any], Any], line: int) -> list[Any]:
        source = counted(iterable)
        info = Info((), (), (), line, item.__code__.co_filename)
        if source is None or source.trips is None or source.trips <= _FEW_ITEMS or self._left_out("list", info):
            return [item(x) for x in iterable]
        found = Growing()

        def body(x: Any) -> None:
            self.append(found, item(x))

        def in_python() -> None:
            found[:] = [item(x) for x in iterable]

        capture = LoopCapture(self.trace, info, lambda: (), lambda state: None, body, source, None, (found,))
        self._captured("list", capture.run, in_python, lambda: (), lambda state: None, info, source.trips)
        return found

    def asked(
        self, function: Any, iterable: Iterable[Any], item: Callable[[Any], Any], name: str, line: int
    ) -> Any:
        source = counted(iterable)
        info = Info((f"__break_{name}",), (True,), (True,), line, item.__code__.co_filename)
        if function not in (any, all) or source is None or self._in_pieces() or self._left_out("for", info):
            return super().asked(function, iterable, item, name, line)
        if source.trips is not None and source.trips <= FEW_TRIPS:
            items = [lambda x=x: self.truth(item(x)) for x in source]
            return (self.or_ if function is any else self.and_)(function is all, *items)
        # A loop that ends with the first item that decides.
        ends: Any = False

        def body(x: Any) -> None:
            nonlocal ends
            ends = self.truth(item(x)) if function is any else self.not_(item(x))

        def set_(state: State) -> None:
            nonlocal ends
            (ends,) = state

        self.for_(source, body, lambda: (ends,), set_, info, lambda: self.not_(ends))
        return ends if function is any else self.not_(ends)

    def append(self, found: list[Any], item: Any) -> None:
        if isinstance(found, Growing) and found.collector is not None:
            found.collector(item)
        else:
            found.append(item)

    # -- conditions ----------------------------------------------------------------------------------------

    def truth(self, condition: Any) -> bool | ComputedScalar:
        """``bool(condition)``, computed where it is data."""
        if type(condition) is bool:
            return condition
        if type(condition) is ComputedScalar:
            return condition.truth()
        if type(condition) is Truth:
            return condition.value
        if isinstance(condition, Growing) and condition.buffer is not None:
            some = condition.buffer.length > 0
            return some.truth() if type(some) is ComputedScalar else bool(some)
        if isinstance(condition, LazyArray) and not self._in_pieces():
            if all(type(n) is int for n in condition._shape) and condition.size == 1:
                found: bool | ComputedScalar = scalar_of_array(condition, bool)
                return found
        return self._looked_at(condition)

    def _in_pieces(self) -> bool:
        """Whether the function runs in Python around compiled pieces, where a condition is looked at."""
        return bool(self.trace.reasons) and not self.trace.depth

    def _known(self, truth: bool | ComputedScalar, why: str) -> bool:
        return self._observed_truth(truth, why) if isinstance(truth, ComputedScalar) else truth

    def _observed_truth(self, truth: ComputedScalar, why: str) -> bool:
        return self._looked_at(LazyArray._new(truth.value, scalar=True), why)

    def _looked_at(self, condition: Any, why: str = "a branch on data") -> bool:
        """``bool(condition)``, of which nothing but a branch learns."""
        if not isinstance(condition, LazyArray):
            return bool(condition)
        return bool(condition._single(why, only_looks=True))


def _is_bool(x: Any) -> bool:
    """Whether a number is True or False."""
    return x.dtype.kind == "b" if isinstance(x, LazyArray) else is_number(x) and kind_of(x) is bool


def _alike(a: Any, b: Any) -> bool:
    """Whether one variable can be either of two values."""
    one, other = form(a), form(b)
    if one is None or other is None or one[0] == other[0]:
        return one is not None and one == other
    number, scalar = (one, other) if one[0] == "number" else (other, one)
    return number[0] == "number" and scalar[0] == "scalar" and scalar[1] in HOLDING.get(number[1], ())


def _has_loops(code: CodeType) -> bool:
    """Whether transformed code has loops of its own: writing out what holds them multiplies."""
    return any(name in code.co_names for name in ("for_", "while_", "_nested")) or any(
        isinstance(part, CodeType) and _has_loops(part) for part in code.co_consts
    )


def _looks_at_types(function: Any) -> bool:
    """Whether a function that is called may do something else with a NumPy scalar than with a Python number."""
    if isinstance(getattr(function, "__self__", None), LazyArray):
        return True
    module = str(getattr(function, "__module__", ""))
    return module.startswith(("numpy", "lazyarr.numpy")) and not isinstance(function, Ufunc)


def _constant(value: bool) -> Any:
    from lazyarr.ops.create import const

    return const(value)
