"""What becomes of an accelerated function: regions, loops, what fused, what moves through memory, what fell back."""

from __future__ import annotations

import copy
import html
import inspect
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import settings
from lazyarr.backends.native_make import called
from lazyarr.backends.native_plan import in_memory
from lazyarr.backends.xla_storage import stored
from lazyarr.captured import capture
from lazyarr.compilers import first_compiler
from lazyarr.ir import extents
from lazyarr.ir.graph import Check, CheckFailed, Graph, Line, Program, users
from lazyarr.ir.node import Node, Value
from lazyarr.leaves import Leaf
from lazyarr.passes.build import has_lowering
from lazyarr.passes.pipeline import pipeline, run_pipeline
from lazyarr.passes.reorder import peak_memory
from lazyarr.plans import Plan, plans
from lazyarr.report import Fallback, calls, guards
from lazyarr.report import pieces as noted_pieces
from lazyarr.runtime import NotCaptured, use_recording
from lazyarr.tracing.advice import advice
from lazyarr.tracing.capture.noted import Statement
from lazyarr.tracing.explain_costs import figures
from lazyarr.tracing.explain_lifted import LiftedLoop, lifted_loops
from lazyarr.tracing.explain_loops import loop_ways
from lazyarr.tracing.explain_text import report, short_path
from lazyarr.tracing.origins import Ranges, failing_lines, graphs_in, lines_in
from lazyarr.tracing.signature import Parts, Plain
from lazyarr.tracing.strict import Refused

if TYPE_CHECKING:
    from lazyarr.tracing.accelerated import Accelerated


@dataclass(frozen=True)
class Region:
    """Part of a program that one back end runs as a whole; for XLA, one executable.

    Attributes
    ----------
    backend : str
    operations : int
        Operations in it, constants not counted.
    lines : tuple of (str, int)
        The lines of the source that fused into it: file and line number.
    bytes_in, bytes_out : int
        What it reads from memory and writes to memory.
    bytes_kept : int
        What moves through memory inside it: values that are stored and read back because computing them wherever they
        are read would cost more; in native code, what its loops move; in NumPy, everything.
    flops : int
        Arithmetic operations.
    once : bool
        Whether it has loops of which the number of iterations is not known: one iteration of each is counted.
    looped : bool
        Whether it has loops or branches.
    chosen_by : tuple of str
        The operations in it whose first back end is this one, unless that is XLA, which is everybody else's.
    why : str
        Why XLA does not have it, where XLA comes first and native code has it; empty otherwise.
    calls : tuple of str
        Operations for which native code calls NumPy: each call takes some microseconds more than NumPy does.
    """

    backend: str
    operations: int
    lines: tuple[Line, ...]
    bytes_in: int
    bytes_out: int
    bytes_kept: int
    flops: int
    once: bool = False
    looped: bool = False
    chosen_by: tuple[str, ...] = ()
    why: str = ""
    calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Piece:
    """One compiled program: all of the function, or a piece of it that may run many times.

    Attributes
    ----------
    before, after : Program
        As recorded, and as the passes left it.
    times : int
        How often one call of the function runs it.
    ranges : sequence of (str, int, int)
        File, first and last line of the functions that it was recorded from.
    """

    before: Program
    after: Program
    times: int
    ranges: Ranges = ()

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions, in the order they run."""
        return tuple(_region(node, self.after, self._lines(node)) for node in self.after.graph.nodes)

    def _lines(self, region: Node) -> set[Line]:
        """The lines of a region's nodes, and of what stands in its loops and branches."""
        body: Graph = region.kw["body"]
        found = set(self.after.lines(region)).union(*(self.after.lines(inner) for inner in body.nodes))
        if any(True for _ in graphs_in(body)):
            for node in self.before.graph.nodes:
                if not found.isdisjoint(self.before.lines(node)):
                    found |= lines_in(node, self.ranges)
        return found


@dataclass(frozen=True)
class Reason:
    """Why a function cannot run as one compiled program.

    Attributes
    ----------
    why : str
    file : str
    line : int
        Where; the file is empty where no line of the source stands for it.
    times : int
        How often it happened in one call.
    """

    why: str
    file: str
    line: int
    times: int

    @property
    def where(self) -> str:
        """``file:line``."""
        return f"{short_path(self.file)}:{self.line}" if self.file else ""

    @property
    def advice(self) -> str:
        """What to write instead; empty where nothing helps in general."""
        return advice(self.why)


@dataclass(frozen=True)
class Guard:
    """A condition under which a compiled program stands for the function: where it fails, plain Python runs the call.

    Attributes
    ----------
    what : str
    lines : tuple of (str, int)
        The lines of the source that it is tested for.
    failed : int
        How often it has failed in this process.
    """

    what: str
    lines: tuple[Line, ...]
    failed: int


@dataclass(frozen=True)
class Explanation:
    """What becomes of a function for arguments of one signature. Prints as a report.

    Attributes
    ----------
    name : str
        Of the function.
    mode : {"one program", "pieces", "plain"}
        Compiled as a whole; run by Python, which compiles the array work between two of its decisions; or not traced.
    pieces : tuple of Piece
        The programs, each once, in the order they run first.
    reasons : tuple of Reason
        Why it is not one program; empty if it is.
    fallbacks : tuple of Fallback
        Calls that run in NumPy because lazyarr does not compile them.
    statements : tuple of Statement
        The loops and branches that are compiled or might have been, and how each runs. Branches that Python decided
        while the function was traced are not among them.
    synchronizations : int
        How often one call stops in the middle for Python to look at data or to act: 0 for one program, whatever its
        loops and branches decide by.
    lifted : tuple of LiftedLoop
        Of a function that is no single program, the loops that are functions of their own, and what they have become
        by now.
    """

    name: str
    mode: str
    pieces: tuple[Piece, ...]
    reasons: tuple[Reason, ...]
    fallbacks: tuple[Fallback, ...]
    statements: tuple[Statement, ...] = ()
    synchronizations: int = 0
    lifted: tuple[LiftedLoop, ...] = ()

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions of all pieces, each once."""
        return tuple(region for piece in self.pieces for region in piece.regions)

    @cached_property
    def loops(self) -> dict[Line, str]:
        """How compiled loops are done, by the line they begin at, where that is known."""
        found: dict[Line, str] = {}
        places = [(s.file, s.line) for s in self.statements if s.how == "compiled" and s.kind != "if"]
        for piece in self.pieces:
            found = loop_ways(piece.after, piece.ranges, places) | found
        return found

    @property
    def executables(self) -> int:
        """How many executables XLA compiles: equal regions share one."""
        nodes = (node for piece in self.pieces for node in piece.after.graph.nodes if node.kw["backend"] == "xla")
        return len({(node.kw["body"], node.kw.get("donate", ())) for node in nodes})

    @property
    def operations_before(self) -> int:
        """Operations of one call as written, constants not counted; those in loops once."""
        return sum(p.times * _count(p.before.graph) for p in self.pieces)

    @property
    def operations_after(self) -> int:
        """Operations of one call after the passes, constants not counted; those in loops once."""
        return sum(p.times * r.operations for p in self.pieces for r in p.regions)

    @property
    def bytes_before(self) -> int:
        """Bytes one call moves if every operation reads its operands from memory and writes its results there."""
        return sum(p.times * round(figures(p.before.graph).written) for p in self.pieces)

    @property
    def bytes_after(self) -> int:
        """Bytes one call moves over the borders of regions, and inside them for what is stored there."""
        return sum(p.times * (r.bytes_in + r.bytes_out + r.bytes_kept) for p in self.pieces for r in p.regions)

    @property
    def flops(self) -> int:
        """Arithmetic operations of one call, after the passes."""
        return sum(p.times * r.flops for p in self.pieces for r in p.regions)

    @property
    def checks(self) -> tuple[str, ...]:
        """What is tested while the compiled code runs, as ``IndexError: message``."""
        found = (c for p in self.pieces for c in _checks(p.after.graph) if c.exception != "CheckFailed")
        return tuple(dict.fromkeys(f"{c.exception}: {c.message}" for c in found))

    @property
    def tests(self) -> tuple[tuple[str, str, tuple[Line, ...]], ...]:
        """The same with the lines of the source they belong to: exception, message, lines."""
        return tuple((exception, message, lines) for exception, message, lines in self._tested()
                     if exception != "CheckFailed")  # fmt: skip

    @property
    def guards(self) -> tuple[Guard, ...]:
        """Conditions under which the program stands for the function; where one fails, plain Python runs the call."""
        failed = Counter[str]()
        for (name, what, _, _), times in guards.items():
            if name == self.name:
                failed[what.partition(" (here or at line ")[0]] += times
        return tuple(Guard(message, lines, failed[message]) for exception, message, lines in self._tested()
                     if exception == "CheckFailed")  # fmt: skip

    def _tested(self) -> list[tuple[str, str, tuple[Line, ...]]]:
        found: dict[tuple[str, str], set[Line]] = {}
        for piece in self.pieces:
            left = {(c.exception, c.message) for c in _checks(piece.after.graph)}
            for check in _checks(piece.before.graph):
                if (check.exception, check.message) in left:
                    lines = found.setdefault((check.exception, check.message), set())
                    lines.update(failing_lines(piece.before, check, piece.ranges))
        return [(*which, tuple(sorted(lines))) for which, lines in found.items()]

    @property
    def peak_before(self) -> int:
        """Bytes alive at once at most, operation by operation in the order written; arguments not counted."""
        return max((peak_memory(p.before.graph) for p in self.pieces), default=0)

    @property
    def peak_after(self) -> int:
        """The same in the order the passes chose. Fused operations need less, for they store no intermediate arrays."""
        return max((peak_memory(p.after.graph) for p in self.pieces), default=0)

    def __str__(self) -> str:
        return "\n".join(report(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


# -------------------------------------------------------------------------------------------------- finding out


def explain(
    accelerated: Accelerated, args: tuple[Any, ...], kwargs: dict[str, Any], strict: bool = False
) -> Explanation:  # fmt: skip
    """What becomes of an accelerated function for these arguments.

    If a program compiled before serves such a call, it is described. Otherwise the function is traced once, and run in
    pieces where it has to be; what it prints is printed. The arguments, global and enclosing variables, NumPy's global
    random state and `lazyarr.report` stay as they are.

    Parameters
    ----------
    accelerated : Accelerated
    args, kwargs
        As for a call.
    strict : bool
        Whether it is an error if Python would have to look at data: nothing is computed then.

    Returns
    -------
    Explanation

    Raises
    ------
    StrictError
        If that is asked for, and it is not one program.
    TypeError
        If the function cannot be called with so many arguments, or with these names.
    Exception
        What the function raises for these arguments.
    """
    found = _explained(accelerated, args, kwargs, strict)
    if found.mode == "one program":
        return found
    try:
        key = accelerated._describe(args, kwargs)[1]
    except Plain:
        key = None
    return replace(found, lifted=lifted_loops(accelerated, key))


def _explained(
    accelerated: Accelerated, args: tuple[Any, ...], kwargs: dict[str, Any], strict: bool
) -> Explanation:  # fmt: skip
    """The same without the loops that are functions of their own."""
    from lazyarr.tracing.retries import Raised

    raised: BaseException | None = None
    function = accelerated.function
    name = str(getattr(function, "__qualname__", function))
    try:
        inspect.signature(function, follow_wrapped=False).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name}.explain takes the arguments of a call of {name}: {error}") from None
    try:
        parts, key, _ = accelerated._describe(args, kwargs)
        if key in accelerated._plain:
            raise Plain(accelerated._plain[key])
        for compiled in accelerated._known.get(key, ()):
            if compiled.fits(accelerated._describe(args, kwargs)[0]) is not None:
                program = compiled.program
                piece = Piece(program, _optimized(program, compiled.plan), 1, compiled.trace.ranges)
                known = (piece,) if program.graph.roots else ()
                return Explanation(name, "one program", known, (), (), tuple(compiled.trace.statements))
        args, kwargs = _unshared(args, kwargs, parts)
        parts, key, specs = accelerated._describe(args, kwargs)
        # Known to run in pieces: what is explained, then, is how further calls run.
        in_pieces = accelerated._pieces.get(key)
        before = Counter(calls)
        state = np.random.get_state()
        with settings.settings(fallback="allow"):
            try:
                trace, outcome = accelerated.traced(parts, key, specs, args, kwargs, in_pieces, strict)
            except Raised as stopped:
                raised = stopped.__cause__
            finally:
                np.random.set_state(state)
                fallbacks = _taken_back(before)
    except Refused as reason:
        raise reason.error(name) from None
    except (Plain, NotCaptured, CheckFailed) as reason:
        file, line = getattr(reason, "line", None) or accelerated._line or ("", 0)
        return Explanation(name, "plain", (), (Reason(str(reason), file, line, 1),), ())
    if raised is not None:
        raise raised
    reasons = list(trace.reasons)
    if in_pieces is not None:
        del reasons[0]  # `in_pieces` itself, noted at no line of the function
        if in_pieces not in (why for why, _ in reasons):
            noted, file, line = noted_pieces.get(name, ("", "", 0))
            reasons.append((in_pieces, (file, line) if noted == in_pieces else ("", 0)))
    programs = [*trace.programs]
    end = use_recording(trace.recording)
    try:
        checks = trace.recording.checks
        roots = outcome.roots if not reasons else [r for r in outcome.roots if not isinstance(r.node, Leaf)]
        if roots or checks:
            programs.append(capture(roots, [check for check, _ in checks])[0])
    finally:
        end()
    times = Counter(program.graph for program in programs)
    first = {program.graph: program for program in reversed(programs)}
    pieces = tuple(Piece(first[g], _optimized(first[g], plans.find(g)), n, trace.ranges) for g, n in times.items())
    counted = Counter(reasons)
    return Explanation(
        name,
        "pieces" if reasons else "one program",
        pieces,
        tuple(Reason(why, file, line, n) for (why, (file, line)), n in counted.items()),
        fallbacks,
        tuple(trace.statements),
        len(trace.programs) if reasons else 0,
    )


def _optimized(program: Program, plan: Plan | None) -> Program:
    """The program after the passes: that of its plan, unless that is of an equal program of other lines."""
    if plan is not None and plan.before.origins == program.origins:
        return plan.after
    return run_pipeline(program, pipeline(first_compiler()))


def _unshared(args: Any, kwargs: Any, parts: Parts) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with everything copied but arrays, which tracing only reads (and which may share memory).

    Raises
    ------
    Plain
        If an argument that tracing cannot look into, and so might change, cannot be copied.
    """
    kept = {id(x): x for x in [*parts.arrays, *parts.lazy] if x is not None}
    try:
        copied: tuple[tuple[Any, ...], dict[str, Any]] = copy.deepcopy((args, kwargs), kept)
    except (TypeError, copy.Error) as error:
        if not parts.opaque:
            return args, kwargs
        raise Plain(
            f"an argument is a {type(parts.opaque[0]).__name__}, which lazyarr cannot look into and, to explain, "
            f"cannot copy ({error})"
        ) from error
    return copied


def _taken_back(before: Counter[tuple[str, int, str]]) -> tuple[Fallback, ...]:
    """The fallbacks counted since `before`; they are taken out of the process's record."""
    new = Counter(calls)
    new.subtract(before)
    found = []
    for call, times in new.items():
        if times > 0:
            calls[call] -= times
            if not calls[call]:
                del calls[call]
            found.append(Fallback(*call, times))
    return tuple(found)


# ----------------------------------------------------------------------------------------------------- counting


def _nodes(graph: Graph) -> Iterable[Node]:
    return (node for node in graph.nodes if node.op.name != "const")


def _count(graph: Graph) -> int:
    return sum(1 for g in (graph, *graphs_in(graph)) for _ in _nodes(g))


def _checks(graph: Graph) -> Iterator[Check]:
    """The checks of a graph and of what stands in its loops and branches."""
    for g in (graph, *graphs_in(graph)):
        yield from g.checks


def _number(extent: Any) -> int:
    """A cost as a whole number."""
    return round(extents.number(extent))


def _read(value: Value, readers: Iterable[Node]) -> int:
    """Bytes of a value that its readers need: those that take a part of it move, by their cost, less than all."""
    part = 0
    for node in readers:
        given = sum(_number(t.nbytes) for t in node.types)
        # A reshape moves nothing itself, but what it gives is read.
        part += max(given, _number(node.cost.bytes) - given)
    return min(part, _number(value.type.nbytes))


def _region(node: Node, program: Program, lines: set[Line]) -> Region:
    body: Graph = node.kw["body"]
    readers = users(body)
    total = figures(body)
    bytes_in = sum(_read(p, readers[p.node]) for p in dict.fromkeys(body.params))
    bytes_out = sum(_number(t.nbytes) for t in node.types)
    if any(True for _ in graphs_in(body)):
        kept = round(total.looped)
    elif node.kw["backend"] == "xla":
        kept = 2 * sum(_number(v.type.nbytes) for v in stored(body) - set(body.results))
    elif node.kw["backend"] == "native":
        kept = 2 * sum(_number(v.type.nbytes) for v in in_memory(body) - set(body.results))
    else:
        kept = max(0, round(total.written) - bytes_in - bytes_out)
    return Region(
        backend=node.kw["backend"],
        operations=_count(body),
        lines=tuple(sorted(lines)),
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        bytes_kept=kept,
        flops=round(total.flops),
        once=total.once,
        looped=any(True for _ in graphs_in(body)),
        chosen_by=tuple(sorted({n.op.name for n in body.nodes if _first_backend(n) == node.kw["backend"] != "xla"})),
        why=_why_native(body) if node.kw["backend"] == "native" and first_compiler() == "xla" else "",
        calls=called(body) if node.kw["backend"] == "native" else (),
    )


def _why_native(body: Graph) -> str:
    """What keeps a region out of XLA."""
    graphs = [body, *graphs_in(body)]
    names = sorted({n.op.name for graph in graphs for n in graph.nodes if not has_lowering(n)})
    if names:
        return f"XLA cannot run {', '.join(names)} there"
    return "XLA takes long to compile so many operations"


def _first_backend(node: Node) -> str:
    return next(iter(node.op.backends), "xla")
