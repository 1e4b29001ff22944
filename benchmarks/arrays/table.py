"""What was measured, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.table import Table

from benchmarks.arrays.catalog import KINDS, OURS
from benchmarks.run import geometric_mean

#: No program shall be slower than this many times NumPy's speed.
ENOUGH = 0.95

Point = dict[str, Any]


def show_number(n: int) -> str:
    """1e7, 1.6e7, 8."""
    if n < 100:
        return str(n)
    mantissa, _, power = f"{n:.1e}".partition("e+")
    return f"{mantissa.removesuffix('.0')}e{int(power)}"


def show_seconds(seconds: float) -> str:
    """Three digits, in the unit that suits."""
    for unit, factor in (("us", 1e6), ("ms", 1e3)):
        if seconds * factor < 1000:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def ratio(point: Point, way: str) -> float | None:
    """How many times faster than NumPy; None where it was not measured."""
    times = point["times"]
    return times["numpy"] / times[way] if way in times and "numpy" in times else None


def share(point: Point, way: str) -> float | None:
    """The share of the bandwidth of an update in place that a program comes to, by what it has to move."""
    if not point.get("traffic") or "bandwidth" not in point or way not in point["times"]:
        return None
    found: float = sum(point["traffic"]) / point["times"][way] / point["bandwidth"]
    return found


def floor(point: Point, way: str) -> float | None:
    """The least time that memory allows, over the time: reading goes on at its own rate, whatever is written."""
    beside_writes = share(point, way)
    if beside_writes is None or "reading" not in point:
        return beside_writes
    reading: float = point["traffic"][0] / point["times"][way] / point["reading"]
    return max(beside_writes, reading)


def memory(point: Point, way: str) -> float | None:
    """Peak memory beside NumPy's."""
    peaks = point.get("peaks")
    # Programs that need next to nothing: a megabyte is what measuring is wrong by.
    return (peaks[way] + 1e6) / (peaks["numpy"] + 1e6) if peaks else None


def show_ratio(value: float | None, wrong: str | None) -> str:
    if value is None:
        return ""
    text = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    if wrong:
        return f"[red]{text} wrong[/]"
    return f"[red]{text}[/]" if value < ENOUGH else text


def points(results: dict[str, dict[int, Point]]) -> Iterator[tuple[str, int, Point]]:
    """Program, number of elements, and what was measured there."""
    for program, found in results.items():
        for number in sorted(found):
            yield program, number, found[number]


def table(results: dict[str, dict[int, Point]], kinds: dict[str, str], ways: Sequence[str]) -> Table:
    """Programs and sizes by ways of running them."""
    shown = Table(title="Times faster than NumPy (least times)", title_justify="left")
    shown.add_column("program")
    for name in ("elements", "NumPy", *ways, *(f"share, {way}" for way in OURS), *(f"memory, {way}" for way in OURS)):
        shown.add_column(name, justify="right")
    for kind in KINDS:
        of_kind = {name: found for name, found in results.items() if kinds[name] == kind}
        if not of_kind:
            continue
        shown.add_section()
        shown.add_row(f"[bold]{kind}[/]")
        before = None
        for program, number, point in points(of_kind):
            wrong = point.get("wrong", {})
            cells = [show_ratio(ratio(point, way), wrong.get(way)) for way in ways]
            shares = [share(point, way) for way in OURS]
            peaks = [memory(point, way) for way in OURS]
            shown.add_row(
                program.replace("_", " ") if program != before else "",
                show_number(number),
                show_seconds(point["times"]["numpy"]) if "numpy" in point["times"] else "",
                *cells,
                *("" if x is None else f"{100 * x:.0f}%" for x in shares),
                *("" if x is None else f"{x:.2g}" for x in peaks),
            )
            before = program
    return shown


def mean(values: Iterable[float | None]) -> str:
    """The geometric mean of what is known, or nothing."""
    known = [x for x in values if x is not None]
    return f"{geometric_mean(known):.3g}" if known else ""


def means(results: dict[str, dict[int, Point]], kinds: dict[str, str], ways: Sequence[str]) -> Table:
    """Geometric means over the programs, by size and by class."""
    shown = Table(title="Geometric means of the times faster than NumPy", title_justify="left")
    shown.add_column("")
    for way in ways:
        shown.add_column(way, justify="right")
    everything = list(points(results))
    for number in sorted({number for _, number, _ in everything}):
        here = [point for _, n, point in everything if n == number]
        shown.add_row(f"{show_number(number)} ({len(here)})", *(mean(ratio(p, way) for p in here) for way in ways))
    shown.add_section()
    for kind in KINDS:
        here = [point for program, _, point in everything if kinds[program] == kind]
        if here:
            shown.add_row(kind, *(mean(ratio(p, way) for p in here) for way in ways))
    return shown


def below(results: dict[str, dict[int, Point]], way: str) -> list[str]:
    """Where a way is slower than NumPy by more than what is `ENOUGH`, the worst first."""
    found = [(r, program, n) for program, n, point in points(results) if (r := ratio(point, way)) and r < ENOUGH]
    return [f"{program} at {show_number(n)} ({r:.2g})" for r, program, n in sorted(found)]
