"""What the measurements are held against: lines that say what was asked for, and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.arrays.table import (
    ENOUGH,
    below,
    floor,
    memory,
    points,
    ratio,
    share,
    show_number,
    show_seconds,
)
from benchmarks.run import geometric_mean

Results = dict[str, dict[int, dict[str, Any]]]

#: Classes of which memory decides the speed, from so many elements on.
STREAMING, LARGE = ("fused element-wise", "reductions and statistics"), 10**7


def worst(found: list[tuple[float, str]]) -> str:
    """The geometric mean and the three smallest."""
    least = ", ".join(f"{where} {value:.2g}" for value, where in sorted(found)[:3])
    return f"{geometric_mean([value for value, _ in found]):.3g} in the mean of {len(found)}; least: {least}"


def lines(results: Results, kinds: dict[str, str], overheads: dict[str, float]) -> Iterator[str]:
    """One line for each goal that something was measured for."""
    for way, asked in (("accelerated", " (asked: none)"), ("drop-in", "")):
        slow = below(results, way)
        yield f"{way}, below {ENOUGH} times NumPy{asked}: {len(slow)}: {', '.join(slow) or 'none'}"

    everything = [(f"{program} at {show_number(n)}", kinds[program], n, point) for program, n, point in points(results)]
    large = [(where, point) for where, kind, n, point in everything if kind in STREAMING and n >= LARGE]
    # Over jax, the faster way of ours counts, as jax's arrays are its own too.
    goals = {
        "share of the bandwidth, drop-in (0.6 to 0.8)": [(share(p, "drop-in"), where) for where, p in large],
        "share of what memory allows, drop-in": [(floor(p, "drop-in"), where) for where, p in large],
        "times NumPy, from and to NumPy's arrays (4)": [(ratio(p, "accelerated"), where) for where, p in large],
        "times jax.jit (2)": [(over_jax(p), where) for where, p in large],
    }
    for goal, values in goals.items():
        known = [(value, where) for value, where in values if value is not None]
        if known:
            yield f"element-wise and statistics from {show_number(LARGE)} elements on, {goal}: {worst(known)}"

    for n, point in sorted(results.get("diffuse_2d", {}).items()):
        if n in (10**6, 16 * 10**6) and "numpy" in point["times"]:
            found = ", ".join(f"{way} {ratio(point, way):.3g}" for way in ("drop-in", "accelerated"))
            yield f"stencil in place, {round(n**0.5)} x {round(n**0.5)}, ten sweeps, times NumPy: {found}"

    small = results.get("five_operations", {}).get(8)
    if small and "numpy" in small["times"]:
        more = (small["times"]["accelerated"] - small["times"]["numpy"]) * 1e6
        yield f"five operations on 8 elements, accelerated: {more:.2f} us more than NumPy (asked: at most 3)"
    for what, seconds in overheads.items():
        yield f"{what}: {show_seconds(seconds)}"

    for way in ("accelerated", "drop-in"):
        peaks = [(-value, where) for where, _, _, point in everything if (value := memory(point, way)) is not None]
        if peaks:
            most = ", ".join(f"{where} {-value:.2g}" for value, where in sorted(peaks)[:3])
            mean = geometric_mean([-value for value, _ in peaks])
            yield f"peak memory, {way}: {mean:.3g} times NumPy's in the mean; most: {most}"


def over_jax(point: dict[str, Any]) -> float | None:
    """How many times faster than jax the faster way of ours is; None where jax was not measured."""
    times = point["times"]
    if "jax" not in times or "numpy" not in times:
        return None
    found: float = times["jax"] / min(times["accelerated"], times["drop-in"])
    return found
