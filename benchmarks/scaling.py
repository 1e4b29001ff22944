"""Predicted scaling to 100,000 ranks, without MPI: ``python -m benchmarks.scaling``.

Plans of a stencil and of matrix programs, on square grids and on ranks in a line: strong scaling (one problem, more
ranks) and weak (as many elements a rank). Writes a table, ``build/scaling.json`` and ``build/scaling.png``. What is
predicted rests on the cost model that the table names, and on nothing else: no network has been asked.

``mpiexec -n 2 python -m benchmarks.scaling --measure`` runs the programs, in small, and prints beside what they took
what was predicted.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lazyarr import communication, cost_model
from lazyarr.closed_forms import blank
from lazyarr.communication import show_seconds
from lazyarr.cost_model import CostModel
from lazyarr.ir.graph import Program
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.tracing.accelerated import Accelerated
from lazyarr.tracing.explain import explain
from lazyarr.tracing.explain_text import show_bytes, table

#: Sides of square grids; the last one has 102,400 ranks.
SIDES = (2, 4, 8, 16, 32, 64, 128, 256, 320)
#: Elements from which on an array is split.
LEAST = 10_000
#: What ``--defaults`` means: messages between machines of a cluster, everything else by default.
NETWORK = CostModel(latency=10e-6, reduction=10e-6)
STEPS = 100
#: Runs of which the least time counts.
RUNS = 5


def rests_on(model: CostModel) -> str:
    """What predictions rest on, in words."""
    return "default costs and 10 us a message, not measured" if model == NETWORK else model.rests_on


def heat(u: Any, steps: int) -> Any:
    """Sweeps of an explicit scheme for the heat equation, in place."""
    for _ in range(steps):
        u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    return u


def product(a: Any, b: Any) -> Any:
    """A product of two matrices."""
    return a @ b


def conjugate_gradients(a: Any, b: Any, steps: int) -> Any:
    """Iterations of Hestenes' and Stiefel's method for a system of equations with a full matrix."""
    x = np.zeros_like(b)
    r = b - a @ x
    p = r.copy()
    rho = r @ r
    for _ in range(steps):
        q = a @ p
        alpha = rho / (p @ q)
        x += alpha * p
        r -= alpha * q
        rho, old = r @ r, rho
        p = r + rho / old * p
    return x


@dataclass(frozen=True)
class Case:
    """A program that is scaled.

    Attributes
    ----------
    name : str
    function : callable
    shapes : callable
        ``shapes(n)``: those of its arrays, for matrices of n rows and columns.
    others : tuple
        Its other arguments.
    strong : int
        Rows and columns of the problem that more and more ranks share.
    weak : int
        Rows and columns of what a rank has of a problem that grows with the ranks.
    small : int
        Rows and columns of a problem that is measured.
    """

    name: str
    function: Callable[..., Any]
    shapes: Callable[[int], tuple[tuple[int, ...], ...]]
    others: tuple[Any, ...]
    strong: int
    weak: int
    small: int

    def record(self, n: int) -> Program:
        """The program of a call; of arrays nothing but the type is needed."""
        arrays = [blank(ArrayType(DTYPES["f64"], shape)) for shape in self.shapes(n)]
        (piece,) = explain(Accelerated(self.function), (*arrays, *self.others), {}, strict=True).pieces
        return piece.before


CASES = (
    Case(f"heat equation, {STEPS} sweeps", heat, lambda n: ((n, n),), (STEPS,), 40_960, 4096, 2000),
    Case("matrix product", product, lambda n: ((n, n), (n, n)), (), 40_960, 2048, 1500),
    Case(f"conjugate gradients, full matrix, {STEPS} iterations", conjugate_gradients, lambda n: ((n, n), (n,)),
         (STEPS,), 40_960, 4096, 3000),
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """A program of one size on a grid of ranks.

    Attributes
    ----------
    n, ranks : int
    seconds : float
        Predicted time of a call.
    efficiency : float
        The predicted time of one rank for all of it, divided by that of all ranks together.
    messages, bytes, memory : int
        Of the rank that has most.
    """

    n: int
    ranks: int
    seconds: float
    efficiency: float
    messages: int
    bytes: int
    memory: int


def predicted(case: Case, n: int, grid: tuple[int, ...], model: CostModel) -> Point:
    """What the plan of a case on a grid says."""
    program = case.record(n)
    found = communication.plan(program, grid, LEAST, model=model)
    alone = communication.plan(program, (1,), LEAST, model=model)
    ranks = math.prod(grid)
    return Point(
        n, ranks, found.seconds, alone.seconds / ranks / found.seconds, found.messages, found.bytes, found.memory
    )


def scaled(case: Case, model: CostModel, sides: tuple[int, ...] = SIDES) -> dict[str, list[Point]]:
    """Strong and weak scaling on square grids, and on ranks in a line."""
    found: dict[str, list[Point]] = {}
    for shape in ("square", "line"):
        grids = [(side, side) if shape == "square" else (side * side,) for side in sides]
        found[f"strong, {shape}"] = [
            predicted(case, case.strong, grid, model) for grid in grids if math.prod(grid) <= case.strong
            or shape == "square"
        ]  # fmt: skip
        found[f"weak, {shape}"] = [
            predicted(case, case.weak * side, grid, model) for side, grid in zip(sides, grids, strict=True)
            if math.prod(grid) <= case.weak * side
        ]  # fmt: skip
    return found


def measured(model: CostModel) -> list[str]:
    """The programs on the ranks that run this, which all call it: what they take, beside what was predicted."""
    from mpi4py import MPI

    import lazyarr
    import lazyarr.numpy as lnp

    ranks = MPI.COMM_WORLD.Get_size()
    foreseen = [predicted(case, case.small, (ranks,), model) for case in CASES]
    lazyarr.init()
    rows = [("", "ranks", "n", "predicted", "measured", "measured / predicted")]
    for case, point in zip(CASES, foreseen, strict=True):
        run = lazyarr.accelerate(case.function, always=True)
        rng = np.random.default_rng(0)
        # (What is computed of arrays is split; they themselves are whole on every rank. Rows that lead by far.)
        whole = [rng.random(shape) / shape[0] for shape in case.shapes(case.small)]
        whole[0].reshape(-1)[:: case.small + 1] += 2
        arrays = [lnp.asarray(x) + 0 for x in whole]
        times = []
        for _ in range(RUNS + 1):
            for x in arrays:
                x.local  # noqa: B018  computed here
            MPI.COMM_WORLD.Barrier()
            begin = time.perf_counter()
            run(*arrays, *case.others).local  # noqa: B018
            times.append(MPI.COMM_WORLD.allreduce(time.perf_counter() - begin, MPI.MAX))
        took = min(times[1:])
        rows.append((case.name, str(ranks), str(case.small), show_seconds(point.seconds), show_seconds(took),
                     f"{took / point.seconds:.2f}"))  # fmt: skip
    return table(rows, "<>>>>>") if MPI.COMM_WORLD.Get_rank() == 0 else []


def shown(results: dict[str, dict[str, list[Point]]]) -> list[str]:
    """The table, as Markdown can show it."""
    rows = [("", "", "ranks", "n", "time", "efficiency", "messages", "bytes", "memory")]
    for name, ways in results.items():
        for way, points in ways.items():
            for point in points:
                if point.ranks in (16, 1024, 16384, SIDES[-1] ** 2) or point == points[-1]:
                    rows.append((name, way, str(point.ranks), str(point.n), show_seconds(point.seconds),
                                 f"{point.efficiency:.0%}", str(point.messages), show_bytes(point.bytes),
                                 show_bytes(point.memory)))  # fmt: skip
    return table(rows, "<<>>>>>>>")


def draw(results: dict[str, dict[str, list[Point]]], model: CostModel, path: Path) -> None:
    """The picture: times above, efficiencies below; a column for each program."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, len(results), figsize=(6 * len(results), 9), sharex=True, constrained_layout=True)
    for column, (name, ways) in zip(panels.T, results.items(), strict=True):
        column[0].set_title(name)
        for way, points in ways.items():
            kind, shape = way.split(", ")
            style = {"color": "C0" if kind == "strong" else "C1", "linestyle": "-" if shape == "square" else "--"}
            xs = [point.ranks for point in points]
            column[0].plot(xs, [p.seconds for p in points], marker="o", markersize=4, label=way, **style)
            column[1].plot(xs, [p.efficiency for p in points], marker="o", markersize=4, label=way, **style)
        column[0].set_yscale("log")
        column[1].set_ylim(0, 1.1)
        for panel in column:
            panel.set_xscale("log")
            panel.grid(alpha=0.3)
    panels[0, 0].set_ylabel("predicted seconds of a call")
    panels[1, 0].set_ylabel("efficiency: one rank's time / (ranks x their time)")
    panels[0, 0].legend(fontsize=8)
    figure.supxlabel("ranks")
    figure.suptitle(f"predicted, not measured; times rest on {rests_on(model)}", fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Predict, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--defaults", action="store_true", help="default costs, 10 us a message, not what was measured")
    parser.add_argument("--output", type=Path, default=Path("build"), help="the folder of what is written")
    parser.add_argument("--measure", action="store_true", help="run small problems on the ranks that run this")
    given = parser.parse_args()
    model = NETWORK if given.defaults else cost_model.kept(native=True)
    if given.measure:
        lines = measured(model)
        print("\n".join([*lines, f"predictions rest on {rests_on(model)}"]) if lines else "", end="\n" if lines else "")
        return
    results = {case.name: scaled(case, model) for case in CASES}
    print("\n".join(shown(results)))
    print(f"predicted; times rest on {rests_on(model)}")
    draw(results, model, given.output / "scaling.png")
    kept = {name: {way: [vars(p) for p in points] for way, points in ways.items()} for name, ways in results.items()}
    (given.output / "scaling.json").write_text(json.dumps({"model": vars(model), "programs": kept}, indent=1))


if __name__ == "__main__":
    main()
