"""What becomes of an accelerated function: regions, what fused, what moves through memory, what fell back and why."""

from __future__ import annotations

import copy
import html
import itertools
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import settings
from lazyarr.backends.xla_storage import stored
from lazyarr.ir import extents
from lazyarr.ir.graph import Graph, Line, Program, users
from lazyarr.ir.node import Node, Value
from lazyarr.passes.pipeline import run_pipeline
from lazyarr.passes.reorder import peak_memory
from lazyarr.report import Fallback, calls
from lazyarr.runtime import Leaf, capture, use_recording
from lazyarr.tracing.signature import Parts, Plain

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
        are read would cost more; off XLA, everything.
    flops : int
        Arithmetic operations.
    """

    backend: str
    operations: int
    lines: tuple[Line, ...]
    bytes_in: int
    bytes_out: int
    bytes_kept: int
    flops: int


@dataclass(frozen=True)
class Piece:
    """One compiled program: all of the function, or a piece of it that may run many times.

    Attributes
    ----------
    before, after : Program
        As recorded, and as the passes left it.
    times : int
        How often one call of the function runs it.
    """

    before: Program
    after: Program
    times: int

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions, in the order they run."""
        return tuple(_region(node, self.after) for node in self.after.graph.nodes)


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
        return f"{_short(self.file)}:{self.line}" if self.file else ""


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
    """

    name: str
    mode: str
    pieces: tuple[Piece, ...]
    reasons: tuple[Reason, ...]
    fallbacks: tuple[Fallback, ...]

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions of all pieces, each once."""
        return tuple(region for piece in self.pieces for region in piece.regions)

    @property
    def executables(self) -> int:
        """How many executables XLA compiles: equal regions share one."""
        nodes = (node for piece in self.pieces for node in piece.after.graph.nodes if node.kw["backend"] == "xla")
        return len({(node.kw["body"], node.kw.get("donate", ())) for node in nodes})

    @property
    def operations_before(self) -> int:
        """Operations of one call as written, constants not counted."""
        return sum(p.times * _count(p.before.graph) for p in self.pieces)

    @property
    def operations_after(self) -> int:
        """Operations of one call after the passes, constants not counted."""
        return sum(p.times * r.operations for p in self.pieces for r in p.regions)

    @property
    def bytes_before(self) -> int:
        """Bytes one call moves if every operation reads its operands from memory and writes its results there."""
        return sum(p.times * _traffic(p.before.graph) for p in self.pieces)

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
        return tuple(f"{c.exception}: {c.message}" for p in self.pieces for c in p.after.graph.checks)

    @property
    def peak_before(self) -> int:
        """Bytes alive at once at most, operation by operation in the order written; arguments not counted."""
        return max((peak_memory(p.before.graph) for p in self.pieces), default=0)

    @property
    def peak_after(self) -> int:
        """The same in the order the passes chose. Fused operations need less, for they store no intermediate arrays."""
        return max((peak_memory(p.after.graph) for p in self.pieces), default=0)

    def __str__(self) -> str:
        return "\n".join(_report(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


# -------------------------------------------------------------------------------------------------- finding out


def explain(accelerated: Accelerated, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Explanation:
    """What becomes of an accelerated function for these arguments.

    The function is traced once, and run in pieces where it has to be; what it prints is printed. The arguments, global
    and enclosing variables, NumPy's global random state and `lazyarr.report` stay as they are.

    Parameters
    ----------
    accelerated : Accelerated
    args, kwargs
        As for a call.

    Returns
    -------
    Explanation

    Raises
    ------
    Exception
        What the function raises for these arguments.
    """
    function = accelerated.function
    name = str(getattr(function, "__qualname__", function))
    try:
        parts, key, _ = accelerated._describe(args, kwargs)
        if key in accelerated._plain:
            raise Plain(accelerated._plain[key])
        args, kwargs = _unshared(args, kwargs, parts)
        parts, key, specs = accelerated._describe(args, kwargs)
        before = Counter(calls)
        state = np.random.get_state()
        with settings.settings(fallback="allow"):
            try:
                trace, outcome = accelerated._traced(parts, specs, args, kwargs)
            finally:
                np.random.set_state(state)
                fallbacks = _taken_back(before)
    except Plain as reason:
        code = getattr(function, "__code__", None)
        file, line = (code.co_filename, code.co_firstlineno) if code is not None else ("", 0)
        return Explanation(name, "plain", (), (Reason(str(reason), file, line, 1),), ())
    reasons = list(trace.reasons)
    if not reasons and key in accelerated._pieces:
        reasons.append((accelerated._pieces[key], ("", 0)))
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
    pieces = tuple(Piece(first[g], run_pipeline(first[g]), n) for g, n in times.items())
    counted = Counter(reasons)
    return Explanation(
        name,
        "pieces" if reasons else "one program",
        pieces,
        tuple(Reason(why, file, line, n) for (why, (file, line)), n in counted.items()),
        fallbacks,
    )


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
    return sum(1 for _ in _nodes(graph))


def _number(extent: Any) -> int:
    """A cost as a whole number."""
    return round(extents.number(extent))


def _traffic(graph: Graph) -> int:
    """Bytes moved if every operation reads and writes memory; views move nothing."""
    return sum(_number(node.cost.bytes) for node in graph.nodes if node.op.memory != "view")


def _read(value: Value, readers: Iterable[Node]) -> int:
    """Bytes of a value that its readers need: those that take a part of it move, by their cost, less than all."""
    part = 0
    for node in readers:
        given = sum(_number(t.nbytes) for t in node.types)
        # A reshape moves nothing itself, but what it gives is read.
        part += max(given, _number(node.cost.bytes) - given)
    return min(part, _number(value.type.nbytes))


def _region(node: Node, program: Program) -> Region:
    body: Graph = node.kw["body"]
    readers = users(body)
    lines = set(program.lines(node)).union(*(program.lines(inner) for inner in body.nodes))
    bytes_in = sum(_read(p, readers[p.node]) for p in dict.fromkeys(body.params))
    bytes_out = sum(_number(t.nbytes) for t in node.types)
    if node.kw["backend"] == "xla":
        kept = 2 * sum(_number(v.type.nbytes) for v in stored(body) - set(body.results))
    else:
        kept = max(0, _traffic(body) - bytes_in - bytes_out)
    return Region(
        backend=node.kw["backend"],
        operations=_count(body),
        lines=tuple(sorted(lines)),
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        bytes_kept=kept,
        flops=sum(_number(inner.cost.flops) for inner in body.nodes),
    )


# ----------------------------------------------------------------------------------------------------- printing


def show_bytes(count: int) -> str:
    """``0 B``, ``800 B``, ``1.64 kB``, ``2.00 GB``."""
    return f"{count} B" if count < 1000 else f"{show_count(count)}B"


def show_count(count: int) -> str:
    """``800``, ``1.64 k``, ``12.3 M``: three significant digits."""
    if count < 1000:
        return str(count)
    value, prefixes = count / 1000, "kMGTPE"
    while value >= 999.5 and len(prefixes) > 1:
        value, prefixes = value / 1000, prefixes[1:]
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {prefixes[0]}"


def show_sources(lines: Iterable[Line]) -> str:
    """Lines of the source by file, neighbours joined: ``heat.py:12,14-16``."""
    files: dict[str, list[int]] = {}
    for file, line in sorted(set(lines)):
        files.setdefault(file, []).append(line)
    shown = []
    for file, numbers in files.items():
        runs: list[list[int]] = []
        for number in numbers:
            if runs and number == runs[-1][1] + 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        text = ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
        shown.append(f"{os.path.basename(file)}:{text}")
    return ", ".join(shown)


def table(rows: Sequence[Sequence[str]], right: str = "") -> list[str]:
    """Rows of text as aligned lines.

    Parameters
    ----------
    rows : sequence of sequence of str
        All of one length.
    right : str
        ``"<"`` or ``">"`` for each column; without it all stand at the left.
    """
    if not rows:
        return []
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    sides = right or "<" * len(widths)
    return ["  ".join(f"{c:{s}{w}}" for c, s, w in zip(row, sides, widths, strict=True)).rstrip() for row in rows]


def _short(file: str) -> str:
    inside = file.startswith(os.getcwd() + os.sep)
    return os.path.relpath(file) if inside else file


_MODES = {
    "one program": "one program",
    "pieces": "in pieces: Python runs it, and the array work between two of its decisions is a program",
    "plain": "plain Python, nothing is compiled",
}


def _report(found: Explanation) -> list[str]:
    lines = [f"{found.name}: {_MODES[found.mode]}"]
    if found.pieces:
        rows = [
            ("", "as written", "optimized"),
            ("operations", show_count(found.operations_before), show_count(found.operations_after)),
            ("bytes moved", show_bytes(found.bytes_before), show_bytes(found.bytes_after)),
            ("live memory, at most", show_bytes(found.peak_before), show_bytes(found.peak_after)),
            ("arithmetic", "", f"{show_count(found.flops)} flop"),
        ]
        lines += ["", *_indented(table(rows, "<>>"))]
        lines += ["", *_regions(found)]
    for title, entries in (
        ("not one program, because", [(_times(r.times), r.where, r.why) for r in found.reasons]),
        ("run in NumPy", [(_times(f.times), f.where, f.what) for f in found.fallbacks]),
        ("checked while it runs", [(_times(n), "", c) for c, n in Counter(found.checks).items()]),
    ):
        if entries:
            kept = [k for k in range(3) if any(row[k] for row in entries)]
            lines += ["", title, *_indented(table([[row[k] for k in kept] for row in entries]))]
    return lines


def _regions(found: Explanation) -> list[str]:
    rows: list[tuple[str, ...]] = [("region", "runs in", "times", "operations", "reads", "writes", "inside", "source")]
    number = 0
    for piece in found.pieces:
        # An unrolled loop gives many equal regions in a row: one line stands for them.
        for region, group in itertools.groupby(piece.regions):
            count = len(list(group))
            first, number = number + 1, number + count
            moved = map(show_bytes, (region.bytes_in, region.bytes_out, region.bytes_kept))
            rows.append((str(number) if first == number else f"{first}-{number}", region.backend,
                         str(count * piece.times), str(region.operations), *moved,
                         show_sources(region.lines)))  # fmt: skip
    if not number:
        return ["no array work"]
    compiled = found.executables
    code = f", {compiled} XLA executable{'s' * (compiled > 1)}" if compiled else ""
    return [f"{number} region{'s' * (number > 1)}{code}", *table(rows, "><>>>>><")]


def _times(count: int) -> str:
    return f"{count}x" if count > 1 else ""


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
