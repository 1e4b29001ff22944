"""An explanation as text: the report that `explain` prints, and how it shows counts, lines of the source and tables."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lazyarr.ir.graph import Line

if TYPE_CHECKING:
    from lazyarr.tracing.explain import Explanation
    from lazyarr.tracing.explain_lifted import LiftedLoop


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


def short_path(file: str) -> str:
    """A path, relative to the working directory where it lies below it."""
    inside = file.startswith(os.getcwd() + os.sep)
    return os.path.relpath(file) if inside else file


_MODES = {
    "one program": "one program",
    "pieces": "in pieces: Python runs it, and the array work between two of its decisions is a program",
    "plain": "plain Python, nothing is compiled",
}


_AROUND = "plain Python, around loops that are compiled"

#: Title of the errors a compiled function tests for. It is not a list of what happened.
_TESTS = "errors NumPy could raise here, tested at each call (tests, not failures)"


#: Title of the conditions under which compiled loops stand for Python's.
_GUARDS = "guards, tested at each call (where one fails, plain Python runs the call)"


def report(found: Explanation) -> list[str]:
    """The lines of an explanation."""
    lines = [f"{found.name}: {_AROUND if found.mode == 'plain' and _compiles(found.lifted) else _MODES[found.mode]}"]
    if found.pieces:
        rows = [
            ("", "as written", "optimized"),
            ("operations", show_count(found.operations_before), show_count(found.operations_after)),
            ("bytes moved", show_bytes(found.bytes_before), show_bytes(found.bytes_after)),
            ("live memory, at most", show_bytes(found.peak_before), show_bytes(found.peak_after)),
            ("arithmetic", "", f"{show_count(found.flops)} flop"),
        ]
        lines += ["", *_indented(table(rows, "<>>"))]
        if any(region.once for region in found.regions):
            lines.append("  of loops whose number of iterations only the data knows, one iteration is counted")
        count = found.synchronizations
        lines.append(f"  host synchronizations: {count}{' (Python waits for data, then goes on)' if count else ''}")
        lines += ["", *_regions(found)]
    for title, entries in (
        ("loops and branches", _statements(found)),
        ("not one program, because", _reasons(found)),
        ("loops and other parts that are compiled as functions of their own", _columns(_lifted(found.lifted))),
        ("run in NumPy", _columns([(_times(f.times), f.where, f.what) for f in found.fallbacks])),
        (_TESTS, _columns(_merged(found.tests))),
        (_GUARDS, _columns([(show_sources(g.lines), g.what, f"failed {g.failed}x" if g.failed else "")
                            for g in found.guards])),
    ):
        if entries:
            lines += ["", title, *_indented(entries)]
    return lines


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned lines, without columns that are empty."""
    kept = [k for k in range(len(rows[0])) if any(row[k] for row in rows)] if rows else []
    return table([[row[k] for k in kept] for row in rows])


def _reasons(found: Explanation) -> list[str]:
    """One line a reason, and below those that call for the same change what that is."""
    shown = _columns([(_times(r.times), r.where, r.why) for r in found.reasons])
    by_advice: dict[str, list[str]] = {}
    for reason, line in zip(found.reasons, shown, strict=True):
        by_advice.setdefault(reason.advice, []).append(line)
    lines: list[str] = []
    for advised, below in by_advice.items():
        lines += below + ([f"  -> {advised}"] if advised else [])
    return lines


def _merged(tests: Iterable[tuple[str, str, tuple[Line, ...]]]) -> list[tuple[str, str]]:
    """Source lines and message of each kind of error; numbers in which messages of one kind differ become ``N``."""
    kinds: dict[tuple[str, ...], tuple[list[list[str]], set[Line]]] = {}
    for exception, message, lines in tests:
        words = re.split(r"(\d+)", f"{exception}: {message}")
        numbers, at = kinds.setdefault(tuple(words[::2]), ([], set()))
        numbers.append(words[1::2])
        at.update(lines)
    rows = []
    for between, (numbers, at) in kinds.items():
        shared = [alike[0] if len(set(alike)) == 1 else "N" for alike in zip(*numbers, strict=True)]
        text = "".join(a + b for a, b in itertools.zip_longest(between, shared, fillvalue=""))
        rows.append((show_sources(at), text))
    return rows


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
    footer = [
        "times: how often one call runs it; reads, writes: bytes that cross the region's border;",
        "inside: bytes of values that are stored and read back within the region",
    ]
    if any(region.looped for region in found.regions):
        footer[-1] += "; of loops, what their iterations move"
    if any(region.backend == "numpy" for region in found.regions):
        chosen = sorted({name for region in found.regions if region.backend == "numpy" for name in region.chosen_by})
        best = f"where {', '.join(chosen)} {'is' if len(chosen) == 1 else 'are'} best done (its first back end), and "
        footer.append(f"numpy: {best if chosen else ''}work that is not worth the way to XLA")
    calls = sorted({name for region in found.regions for name in region.calls})
    if calls:
        footer.append(f"native: NumPy is called for {', '.join(calls)}, with some microseconds more for each call")
    footer += [f"native: {why}" for why in dict.fromkeys(region.why for region in found.regions) if why]
    return [f"{number} region{'s' * (number > 1)}{code}", *table(rows, "><>>>>><"), *_indented(footer)]


def _statements(found: Explanation) -> list[str]:
    """One line a loop or branch: where, what, and how it runs."""
    runs_in = sorted({region.backend for region in found.regions if region.looped}) or ["native"]
    rows = []
    for s in found.statements:
        trips = f", {s.trips} iterations" if s.trips is not None else ""
        if s.how == "compiled":
            how = f"compiled, runs in {' and '.join(runs_in)}{trips}"
        elif s.how == "unrolled":
            how = f"unrolled{trips}: {s.why}"
        else:
            cause = f" ({show_sources([s.at])})" if s.at != (s.file, s.line) else ""
            how = f"{'unrolled by Python' if found.mode == 'one program' else 'runs in Python'}: {s.why}{cause}"
        rows.append((show_sources([(s.file, s.line)]), s.kind, how))
        if s.how == "compiled" and (s.file, s.line) in found.loops and s.kind != "if":
            rows.append(("", "", "  " + found.loops[s.file, s.line]))
    return _columns(rows)


_LIFTED = {
    "compiled": "compiled",
    "pieces": "in pieces",
    "python": "runs in Python",
    "unknown": "has not run yet: the first calls tell",
}


def _compiles(loops: Iterable[LiftedLoop]) -> bool:
    return any(loop.how == "compiled" or _compiles(loop.inner) for loop in loops)


def _lifted(loops: Iterable[LiftedLoop], indent: str = "") -> list[tuple[str, str]]:
    """One line a loop: where, and what it has become."""
    rows = []
    for loop in loops:
        how = _LIFTED[loop.how] + (f", {loop.programs} programs" if loop.programs > 1 else "")
        rows.append((indent + show_sources([(loop.file, loop.line)]), f"{how}: {loop.why}" if loop.why else how))
        rows += _lifted(loop.inner, indent + "  ")
    return rows


def _times(count: int) -> str:
    return f"{count}x" if count > 1 else ""


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
