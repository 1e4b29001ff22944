"""Measure the programs on arrays beside NumPy: ``python -m benchmarks.arrays.run``, or ``make bench``.

lazyarr meets NumPy in a process for each program, in which their calls take turns; every peer runs all programs in one
process of its own. Least times are compared: of many calls on the same arguments, warm, conversions included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.arrays import catalog, goals, plot, pyhpc, table
from benchmarks.arrays.catalog import OURS, PEERS, QUICK, SIZES, WITH_PEERS
from benchmarks.arrays.overheads import ROOT, overheads
from benchmarks.run import chosen, geometric_mean

Point = dict[str, Any]

#: For every library that has threads.
ONE_THREAD = {
    "LAZYARR_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}


def ordered(way: str, orders: dict[str, Any], limit: float) -> Iterator[dict[str, Any]]:
    """What processes print that measure programs; where one ends early, that is said, and another goes on."""
    left = list(orders["programs"])
    while left:
        # First calls compile.
        environment = os.environ | {"LAZYARR_CACHE_SIZE": "0"} | (ONE_THREAD if orders["processor"] else {})
        command = [sys.executable, "-m", "benchmarks.arrays.measure", way, json.dumps(orders | {"programs": left})]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
                timeout=limit * len(left),
                env=environment,
            )
            output, why = done.stdout, f"status {done.returncode}: {done.stderr.rstrip().rpartition(chr(10))[2]}"
        except subprocess.TimeoutExpired as stopped:
            output = (stopped.stdout or b"").decode()
            why = f"stopped after {stopped.timeout:.0f} s"
        lines = [json.loads(line) for line in output.splitlines() if line.startswith("{") and line.endswith("}")]
        yield from (line for line in lines if "done" not in line)
        finished = [line["done"] for line in lines if "done" in line]
        left = left[len(finished) :]
        if left:
            yield {"program": left.pop(0), "way": way, "error": why}


def add(results: dict[str, dict[int, Point]], problems: list[str], line: dict[str, Any]) -> None:
    """Put what a line says where it belongs."""
    program = line.pop("program")
    if "error" in line:
        problems.append(f"{program}, {line['way']}: {line['error']}")
    if "number" not in line:
        return
    point = results.setdefault(program, {}).setdefault(line.pop("number"), {"times": {}, "wrong": {}})
    point["times"] |= line.pop("times", {})
    wrong = line.pop("wrong", {})
    problems += [f"{program}, {way}: {text}" for way, text in wrong.items() if text]
    point["wrong"] |= wrong
    point |= line


def collect(
    programs: Sequence[str], peers: Sequence[str], orders: dict[str, Any], limit: float
) -> tuple[dict[str, dict[int, Point]], list[str]]:
    """Everything that is measured: program -> number of elements -> what was found there; and what went wrong."""
    results: dict[str, dict[int, Point]] = {}
    problems: list[str] = []
    progress = Console(stderr=True)
    for k, program in enumerate(programs):
        for line in ordered("lazyarr", orders | {"programs": [program]}, limit):
            add(results, problems, line)
        found = {
            table.show_number(n): table.ratio(p, "accelerated") for n, p in sorted(results.get(program, {}).items())
        }
        text = ", ".join(f"{r:.3g} at {n}" for n, r in found.items() if r)
        progress.print(f"{k + 1}/{len(programs)} {program}: {text}", markup=False, highlight=False)
    fewer = [n for n in orders["sizes"] if n in WITH_PEERS]
    for peer in peers:
        begin = time.monotonic()
        # Their compiled code comes from a cache only if the process is the same, so one process runs all.
        for line in ordered(peer, orders | {"programs": list(programs), "sizes": fewer}, limit):
            add(results, problems, line)
        progress.print(f"{peer}: {time.monotonic() - begin:.0f} s", markup=False, highlight=False)
    return results, problems


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--quick", is_flag=True, help="Fewer sizes, shorter, without memory and peers.")
@click.option("--processor", is_flag=True, help="Count processor time, one thread each: for busy machines.")
@click.option("--programs", help="Names with commas between them; all programs without it.")
@click.option("--peers", help=f"Of {', '.join(PEERS)}, or none; all without it (none with --quick).")
@click.option("--most", default=10**8, type=float, show_default=True, help="The largest number of elements.")
@click.option("--seconds", type=float, help="How long to repeat each way at each size.  [default: 0.2; quick: 0.05]")
@click.option(
    "--memory", type=float, help="Elements at which peak memory is measured; 0: not.  [default: 1e7; quick: 0]"
)
@click.option(
    "--pyhpc",
    "their_sources",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A checkout of pyhpc-benchmarks, whose NumPy sources are measured beside its versions for jax.",
)
@click.option(
    "--limit", default=300.0, show_default=True, help="Seconds after which a process is stopped, for each program."
)
@click.option(
    "--out",
    default=ROOT / "build",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of bench.json and bench.png.",
)
def main(
    quick: bool,
    processor: bool,
    programs: str | None,
    peers: str | None,
    most: float,
    seconds: float | None,
    memory: float | None,
    their_sources: Path | None,
    limit: float,
    out: Path,
) -> None:
    """Measure the programs on arrays beside NumPy and print how many times faster each way is.

    Numbers of a busy machine are of no use. OPENBLAS_NUM_THREADS=1 makes NumPy's matrix products steady. An array of
    1e8 doubles takes 0.8 GB; a run up to that size 8 GB.
    """
    which = chosen(programs, catalog.names(), "program")
    by = [] if peers == "none" or (quick and peers is None) else chosen(peers, list(PEERS), "peer")
    sizes = [n for n in (QUICK if quick else SIZES) if n <= most]
    seconds = seconds if seconds is not None else (0.05 if quick else 0.2)
    memory = memory if memory is not None else (0 if quick else 1e7)
    orders = {"processor": processor, "sizes": sizes, "most": int(most), "seconds": seconds, "memory": int(memory)}
    results, problems = collect(which, by, orders, limit)
    beside = overheads()
    theirs = pyhpc.beside(their_sources, 5 * seconds) if their_sources else []
    kinds = {name: catalog.load(name).kind for name in which}
    console = Console(width=None if sys.stdout.isatty() else 190)
    console.print(table.table(results, kinds, [*OURS, *by]))
    console.print(table.means(results, kinds, [*OURS, *by]))
    known = [point["bandwidth"] for _, _, point in table.points(results) if "bandwidth" in point]
    if known:
        console.print(f"bandwidth of an update in place: {min(known) / 1e9:.3g} to {max(known) / 1e9:.3g} GB/s")
        reading = [point["reading"] / point["bandwidth"] for _, _, point in table.points(results) if "reading" in point]
        console.print(f"reading alone comes to {100 * geometric_mean(reading):.0f}% of it in the mean", highlight=False)
    for text in (*goals.lines(results, kinds, beside), *pyhpc.lines(theirs), *problems):
        console.print(text, markup=False, highlight=False)
    out.mkdir(parents=True, exist_ok=True)
    (out / "bench.json").write_text(
        json.dumps({"programs": results, "overheads": beside, "pyhpc": theirs, "problems": problems}, indent=1)
    )
    plot.draw(results, kinds, out / "bench.png")
    console.print(f"written: {out / 'bench.json'}, {out / 'bench.png'}", highlight=False)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
