"""A stencil beside other drop-ins for NumPy on several processes: ``python -m benchmarks.ranks_drop_ins``.

One program, with another module for NumPy's name each time: NumPy alone, NumPy on ranks by ``lazyarr run``,
cuPyNumeric on as many cores, Heat with its arrays split over as many ranks. ``--python`` names an interpreter that has
the peers (they need not be there); lazyarr runs with this one. Least times of several runs of some steps, arrays
already there; prints how many times as long as lazyarr each takes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from typing import Any

RUNS = 5
#: Realm looks for GPUs unless it is told what the machine has.
LEGATE = (
    "--cpus {n} --gpus 0 --omps 0 --ompthreads 0 --numamem 0 --fbmem 0 --zcmem 0 --regmem 0 --utility 1 --sysmem 4000"
)


def sweep(grid: Any, steps: int) -> None:
    """Averages of five points, in place."""
    center, north, south = grid[1:-1, 1:-1], grid[:-2, 1:-1], grid[2:, 1:-1]
    west, east = grid[1:-1, :-2], grid[1:-1, 2:]
    for _ in range(steps):
        center[:] = (center + north + east + west + south) / 5.0


def sweep_copies(grid: Any, steps: int) -> None:
    """The same for arrays whose slices are copies."""
    for _ in range(steps):
        inner = grid[1:-1, 1:-1] + grid[:-2, 1:-1] + grid[1:-1, 2:] + grid[1:-1, :-2] + grid[2:, 1:-1]
        grid[1:-1, 1:-1] = inner / 5.0


def work(module: str, size: int, steps: int) -> None:
    """Run the program, and print the least seconds of a step and the sum of the grid."""
    if module == "numpy":
        import numpy as np  # What `lazyarr run` replaces.
    else:
        np = importlib.import_module(module)
    other = {"split": 0} if module == "heat" else {}
    grid = np.zeros((size, size), dtype=np.float64, **other)
    grid[:, 0] = 1.0
    run = sweep_copies if module == "heat" else sweep
    run(grid, 2)
    float(grid.sum())
    found = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        run(grid, steps)
        total = float(grid.sum())
        found.append((time.perf_counter() - begin) / steps)
    if module != "heat" or np.MPI_WORLD.rank == 0:
        print(json.dumps([min(found), total]))


def measured(command: list[str], size: int, steps: int, module: str = "numpy", **environment: str) -> Any:
    """What a process prints; None where it does not get so far."""
    command = [*command, os.path.abspath(__file__), "--work", module, "--size", str(size), "--steps", str(steps)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("[")]
    if done.returncode or not lines:
        print(f"{module}: {(done.stderr.strip().splitlines() or ['nothing printed'])[-1]}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


def main() -> None:
    """Measure, and print ratios."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--python", default=sys.executable, help="an interpreter with cupynumeric, or heat and mpich")
    given.add_argument("--size", type=int, default=1000)
    given.add_argument("--steps", type=int, default=50)
    given.add_argument("--ranks", type=int, default=2)
    given.add_argument("--work", help=argparse.SUPPRESS)
    asked = given.parse_args()
    if asked.work:
        work(asked.work, asked.size, asked.steps)
        return
    one = [sys.executable]
    numpy = measured(one, asked.size, asked.steps)
    for n in (1, asked.ranks):
        lazyarr = [*one, "-c", "from lazyarr.cli import main; main()", "run", "-n", str(n)]
        mpiexec = [os.path.join(os.path.dirname(asked.python), "mpiexec"), "-n", str(n)]
        legate = {"LEGATE_AUTO_CONFIG": "0", "LEGATE_CONFIG": LEGATE.format(n=n)}
        found = {
            "lazyarr": measured(lazyarr, asked.size, asked.steps),
            "numpy": numpy,
            "cupynumeric": measured([asked.python], asked.size, asked.steps, "cupynumeric", **legate),
            "heat": measured(
                [*mpiexec, asked.python], asked.size, asked.steps, "heat", OMP_NUM_THREADS=str(max(1, 2 // n))
            ),
        }  # fmt: skip
        ours, total = found["lazyarr"]
        for name, result in found.items():
            if result is not None:
                same = "equal" if abs(result[1] - total) <= 1e-9 * abs(total) else f"another sum: {result[1]}, {total}"
                print(f"{asked.size} x {asked.size}, {n} ranks or cores: {name} {result[0] / ours:.1f} ({same})")


if __name__ == "__main__":
    main()
