"""What `lazyarr calibrate` measures, in the processes that it starts: ``python -m lazyarr.calibration RANKS``.

Times are the least of several, of the slowest rank. Messages go the way of compiled programs, through
`lazyarr.backends.mpi`; memory and arithmetic are NumPy's, on all ranks at once.
"""

from __future__ import annotations

import json
import math
import platform
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from lazyarr.cost_model import CostModel

#: Runs of which the least time counts; elements of arrays that are far larger than caches, of all ranks together; of
#: ones that stay there; of messages whose latency is nothing; rows of the matrices that are multiplied.
_RUNS, _LARGE, _CACHED, _MESSAGE, _MATRIX = 5, 1 << 24, 2048, 1 << 20, 384


def measure(communicator: Any = None) -> CostModel:
    """The cost model of the ranks of a communicator, or of one process alone: messages then cost what is usual.

    Parameters
    ----------
    communicator : mpi4py.MPI.Intracomm, optional
        All its ranks call this; they get the same model.
    """
    found: dict[str, Any] = {}
    ranks = 1
    least: Callable[[Callable[[], Any], int], float] = _least
    if communicator is not None:
        from lazyarr.backends.mpi import MpiCommunicator

        ranks = communicator.Get_size()
        line = MpiCommunicator(communicator, (ranks,))

        def slowest(run: Callable[[], Any], times: int) -> float:
            communicator.Barrier()
            runs: list[list[float]] = communicator.allgather(_times(run, times))
            return min([max(together) for together in zip(*runs, strict=True)], default=0.0)

        least = slowest
        found |= _messages(line, ranks, least)
    found |= _work(least, max(_LARGE // ranks, 1))
    model = CostModel(**found, host=platform.node(), when=date.today().isoformat(), ranks=ranks)
    return model if communicator is None else communicator.bcast(model)


def _messages(line: Any, ranks: int, least: Callable[[Callable[[], Any], int], float]) -> dict[str, float]:
    """Of messages between neighbours, of which a rank between two sends two, and of an all-reduce."""

    def exchange(elements: int) -> Callable[[], Any]:
        have = tuple((k * elements, (k + 1) * elements) for k in range(ranks))
        want = tuple((max(a - elements, 0), min(b + elements, ranks * elements)) for a, b in have)
        x, at = np.ones(elements), line.place[0]
        return lambda: line.halo([x], 0, [(0, have[at][0], have, want)])

    messages = min(2, ranks - 1)
    latency = least(exchange(1), 300) / messages
    seconds = least(exchange(_MESSAGE), 3) / messages
    number = np.ones(1)
    reduction = least(lambda: line.all_reduce(number, "add", (0,)), 300) / math.ceil(math.log2(ranks))
    # (Where the clock says that a longer message took no longer, the bandwidth is what the whole of it allows.)
    carried = seconds - latency if seconds > latency else seconds
    return {"latency": latency, "bandwidth": _MESSAGE * 8 / carried, "reduction": reduction}


def _work(least: Callable[[Callable[[], Any], int], float], large: int) -> dict[str, float]:
    a, b, c = (np.ones(large) for _ in range(3))
    moved = 3 * a.nbytes / least(lambda: np.add(a, b, out=c), 1)
    x, y, z = (np.ones(_CACHED) for _ in range(3))
    flop = least(lambda: np.add(x, y, out=z), 1000) / _CACHED
    m = np.ones((_MATRIX, _MATRIX))
    product = least(lambda: m @ m, 3) / (2 * _MATRIX**3)
    return {"memory_bandwidth": moved, "flop": flop, "product_flop": product}


def _times(run: Callable[[], Any], times: int) -> list[float]:
    """Seconds of a run, on the average of several, for each measurement."""
    run()
    found = []
    for _ in range(_RUNS):
        begin = time.perf_counter()
        for _ in range(times):
            run()
        found.append((time.perf_counter() - begin) / times)
    return found


def _least(run: Callable[[], Any], times: int) -> float:
    return min(_times(run, times))


def rows(model: CostModel) -> list[tuple[str, str, str]]:
    """What a model says, as rows of a table: what, how much, and where that is a default."""
    default = "default" if not model.host else ""
    messages = "default" if model.ranks < 2 else ""
    return [
        ("message latency", f"{model.latency * 1e6:.1f} us", messages),
        ("bandwidth between ranks", f"{model.bandwidth / 1e9:.2f} GB/s", messages),
        ("step of an all-reduce", f"{model.reduction * 1e6:.1f} us", messages),
        ("memory bandwidth, a rank", f"{model.memory_bandwidth / 1e9:.2f} GB/s", default),
        ("arithmetic in cache", f"{1e-9 / model.flop:.2f} Gflop/s", default),
        ("products of matrices", f"{1e-9 / model.product_flop:.2f} Gflop/s", default),
    ]


def main() -> None:
    """What each rank does: measure; rank 0 prints the model as JSON."""
    wanted = int(sys.argv[1])
    if wanted == 1:
        print(json.dumps(vars(measure())))
        return
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    if world.Get_size() != wanted:
        raise SystemExit(
            f"lazyarr: MPI says that {world.Get_size()} processes run together, {wanted} were asked for: mpi4py "
            f"({MPI.get_vendor()[0]}) is not made for the mpiexec that started them"
        )
    model = measure(world)
    if world.Get_rank() == 0:
        print(json.dumps(vars(model)))


if __name__ == "__main__":
    main()
