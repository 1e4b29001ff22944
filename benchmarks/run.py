"""Measure the programs beside NumPy: ``python -m benchmarks.run``.

Every program meets every peer in a process of its own, so that first calls are first calls; there, NumPy's runs and the
peer's take turns, on fresh copies of the arguments that are made outside of the clock, and medians are compared. What a
peer computes is compared with NumPy's.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from benchmarks.catalog import PEERS, names, versions

ROOT = Path(__file__).resolve().parent.parent


def chosen(text: str | None, known: Sequence[str], what: str) -> list[str]:
    """The names in a list with commas; all of them where it is not given.

    Raises
    ------
    click.UsageError
        If one is not known.
    """
    picked = [word.strip() for word in text.split(",")] if text else list(known)
    for word in picked:
        if word not in known:
            raise click.UsageError(f"there is no {what} {word!r}; there are {', '.join(known)}")
    return picked


def measured(program: str, peer: str, size: str, seconds: float, limit: float) -> dict[str, Any]:
    """What a fresh process measures; ``error`` or ``missing`` where it cannot."""
    if peer not in versions(program):
        return {"missing": "not written"}
    command = [sys.executable, "-m", "benchmarks.measure", program, peer, size, str(seconds)]
    begin = time.monotonic()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=limit,
                              env=os.environ | {"LAZYARR_CACHE_SIZE": "0"})  # fmt: skip  # First calls compile.
    except subprocess.TimeoutExpired:
        return {"error": f"stopped after {time.monotonic() - begin:.0f} s"}
    last = done.stdout.rstrip().rpartition("\n")[2]
    if done.returncode or not last.startswith("{"):
        return {"error": f"status {done.returncode}: {(done.stderr.rstrip() or last).rpartition(chr(10))[2]}"}
    found: dict[str, Any] = json.loads(last)
    return found


def geometric_mean(ratios: Sequence[float]) -> float:
    """Of positive numbers; NaN of none."""
    return math.exp(statistics.fmean(map(math.log, ratios))) if ratios else math.nan


def show_time(seconds: float | None) -> str:
    """Three digits in ms, or in s from one second on."""
    if seconds is None:
        return ""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def show_ratio(found: dict[str, Any]) -> str:
    """How many times faster than NumPy, or why that is not known."""
    if "ratio" not in found:
        return "[red]failed[/]" if "error" in found else "-"
    text = f"{found['ratio']:.3g}"
    if found["wrong"]:
        return f"[red]{text} wrong[/]"
    return f"[red]{text}[/]" if found["ratio"] < 1 else text


def best_by_hand(row: dict[str, dict[str, Any]]) -> float | None:
    """The largest ratio of the versions by hand; None where there is none."""
    ratios = [found["ratio"] for peer, found in row.items() if peer != "lazyarr" and "ratio" in found]
    return max(ratios, default=None)


def how(found: dict[str, Any]) -> str:
    """Whether lazyarr ran it as one program, in one line."""
    if "mode" not in found:
        return ""
    extra = [f"{found['executables']} regions"] if (found["executables"] or 0) > 1 else []
    extra += [f"{len(found['fallbacks'])} fallbacks"] if found["fallbacks"] else []
    return ", ".join([found["mode"], *extra])


def table(results: dict[str, dict[str, dict[str, Any]]], peers: Sequence[str]) -> Table:
    """Programs by peers."""
    shown = Table(title="Times faster than NumPy (medians)", title_justify="left")
    shown.add_column("program")
    for name in ("NumPy", *peers):
        shown.add_column(name, justify="right")
    with_lazyarr = "lazyarr" in peers
    if with_lazyarr and len(peers) > 1:
        shown.add_column("lazyarr / best", justify="right")
    if with_lazyarr:
        for name in ("first call", "with import"):
            shown.add_column(name, justify="right")
        shown.add_column("how")
    for program, row in results.items():
        times = [found["numpy"] for found in row.values() if "numpy" in found]
        cells = [program, show_time(statistics.median(times) if times else None)]
        cells += [show_ratio(row[peer]) for peer in peers]
        if with_lazyarr:
            found, best = row["lazyarr"], best_by_hand(row)
            if len(peers) > 1:
                cells.append(f"{found['ratio'] / best:.3g}" if best and "ratio" in found else "")
            cells += [show_time(found.get("first")), show_time(found.get("first_with_import")), how(found)]
        shown.add_row(*cells)
    return shown


def summary(results: dict[str, dict[str, dict[str, Any]]], peers: Sequence[str]) -> dict[str, Any]:
    """Geometric means over the programs that were measured, and what is not as it should be."""
    means = {}
    for peer in peers:
        ratios = [row[peer]["ratio"] for row in results.values() if "ratio" in row[peer]]
        means[peer] = {"mean": geometric_mean(ratios), "programs": len(ratios)}
    found: dict[str, Any] = {"means": means}
    ours = {name: row["lazyarr"] for name, row in results.items() if "ratio" in row.get("lazyarr", {})}
    if ours:
        against = [(ours[name]["ratio"], best_by_hand(results[name])) for name in ours]
        both = [ratio / best for ratio, best in against if best]
        found["against_best"] = {"mean": geometric_mean(both), "programs": len(both)}
        found["first_call"] = statistics.median(row["first"] for row in ours.values())
        found["first_call_with_import"] = statistics.median(row["first_with_import"] for row in ours.values())
        found["one_program"] = sum(row["mode"] == "one program" and row["executables"] <= 1 for row in ours.values())
        found["below_numpy"] = [name for name, row in ours.items() if row["ratio"] < 1]
    return found


def print_summary(console: Console, found: dict[str, Any]) -> None:
    """The lines below the table."""
    for peer, mean in found["means"].items():
        console.print(f"geometric mean of {peer}: {mean['mean']:.3g} times NumPy over {mean['programs']} programs")
    if "first_call" not in found:
        return
    best = found["against_best"]
    if best["programs"]:
        console.print(
            f"geometric mean of lazyarr over the best by hand: {best['mean']:.3g} over {best['programs']} programs"
        )
    console.print(
        f"first call, median: {show_time(found['first_call'])}; with the import "
        f"{show_time(found['first_call_with_import'])}"
    )
    console.print(f"one program with one executable: {found['one_program']} of {found['means']['lazyarr']['programs']}")
    console.print(f"below NumPy: {', '.join(found['below_numpy']) or 'none'}")


def print_problems(console: Console, results: dict[str, dict[str, dict[str, Any]]]) -> None:
    """Errors, wrong results, and why programs did not run as one."""
    for program, row in results.items():
        for peer, found in row.items():
            texts = [found.get("error"), found.get("wrong"), *found.get("reasons", ()), *found.get("fallbacks", ())]
            for text in texts:
                if text:
                    console.print(f"{program}, {peer}: {text}", markup=False, highlight=False)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--programs", help="Names with commas between them; all programs without it.")
@click.option("--peers", help=f"Of {', '.join(PEERS)}; all without it.")
@click.option("--size", default="bench", show_default=True, help="test or bench.")
@click.option("--seconds", default=2.0, show_default=True, help="How long to repeat a program.")
@click.option("--limit", default=120.0, show_default=True, help="Seconds after which a process is stopped.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write all results to a file.")
def main(programs: str | None, peers: str | None, size: str, seconds: float, limit: float, path: Path | None) -> None:
    """Measure the programs beside NumPy and print how many times faster each peer is.

    Numbers of a busy machine are of no use. OPENBLAS_NUM_THREADS=1 makes NumPy's matrix products steady.
    """
    if size not in ("test", "bench"):
        raise click.UsageError(f"there is no size {size!r}; there are test, bench")
    which, by = chosen(programs, names(), "program"), chosen(peers, list(PEERS), "peer")
    console, progress = Console(width=None if sys.stdout.isatty() else 160), Console(stderr=True)
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for program in which:
        results[program] = {}
        for peer in by:
            found = results[program][peer] = measured(program, peer, size, seconds, limit)
            if "missing" not in found or found["missing"] != "not written":
                text = found.get("error") or found.get("missing") or f"{found['ratio']:.3g}"
                progress.print(f"{program}, {peer}: {text}", markup=False, highlight=False)
    console.print(table(results, by))
    if path is not None:
        path.write_text(json.dumps({"size": size, "programs": results, "summary": summary(results, by)}, indent=1))
    print_summary(console, summary(results, by))
    print_problems(console, results)
    failed = any("error" in found or found.get("wrong") for row in results.values() for found in row.values())
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
