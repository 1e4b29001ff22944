"""What `lazyarr calibrate` measures, in the processes that it starts: ``python -m lazyarr.calibration RANKS``.

Times are the least of several, of the slowest rank. Messages are those of a compiled loop, one after another; memory
and arithmetic are NumPy's, on all ranks at once.
"""

from __future__ import annotations

import json
import math
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import numpy as np

from lazyarr.cost_model import CostModel
from lazyarr.ir.graph import Graph, depth_first, param
from lazyarr.ir.layout import Ranges
from lazyarr.ir.node import apply, apply_all, make
from lazyarr.ir.op import Op, lookup
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import comm
from lazyarr.ops.create import const
from lazyarr.ops.flight import HALO_START, HALO_WAIT

#: Runs of which the least time counts; elements of arrays that are far larger than caches, of all ranks together; of
#: ones that stay there; of messages whose latency is nothing; rows of the matrices that are multiplied.
_RUNS, _LARGE, _CACHED, _MESSAGE, _MATRIX = 5, 1 << 24, 2048, 1 << 20, 384
#: Elements of a message, and of what is computed, where one may go by during the other.
_ROW, _BESIDE = 1 << 10, 1 << 15


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
        with _used(line):
            found |= _messages(line, ranks, least)
    found |= _work(least, max(_LARGE // ranks, 1))
    model = CostModel(**found, host=platform.node(), when=date.today().isoformat(), ranks=ranks)
    return model if communicator is None else communicator.bcast(model)


def _messages(line: Any, ranks: int, least: Callable[[Callable[[], Any], int], float]) -> dict[str, float]:
    """Of messages between neighbours, of which a rank between two sends two, and of an all-reduce."""
    messages = min(2, ranks - 1)
    latency = least(exchange(line, ranks, 1, 100), 3) / 100 / messages
    seconds = least(exchange(line, ranks, _MESSAGE, 1), 3) / messages
    reduction = least(_repeated(comm.ALL_REDUCE, np.ones(1), 100, dims=(0,), kind="add"), 3) / 100
    reduction /= math.ceil(math.log2(ranks))
    # (Where the clock says that a longer message took no longer, the bandwidth is what the whole of it allows.)
    carried = seconds - latency if seconds > latency else seconds
    return {"latency": latency, "bandwidth": _MESSAGE * 8 / carried, "reduction": reduction,
            "hidden": _hidden(line, ranks, least)}  # fmt: skip


def _hidden(line: Any, ranks: int, least: Callable[[Callable[[], Any], int], float]) -> float:
    """Which part of the time of messages goes by while a rank computes something else; a hundredth at least."""
    alone = least(exchange(line, ranks, _ROW, 100), 3)
    apart, together = (least(_beside_work(line, ranks, 100, begun), 3) for begun in (False, True))
    return min(max((apart - together) / alone, 0.01), 1.0)


def _beside_work(line: Any, ranks: int, times: int, begun: bool) -> Callable[[], Any]:
    """A compiled loop in which each rank exchanges numbers and computes others, after that or meanwhile."""
    from lazyarr.backends import native

    have, want = _line(ranks, _ROW)
    at = line.place[0]
    attrs = {"at": at, "dim": 0, "parts": ((0, have[at][0], have, want),)}
    number = DTYPES["i64"]
    x, y = ArrayType(DTYPES["f64"], (_ROW,)), ArrayType(DTYPES["f64"], (_BESIDE,))
    _, given, old, token = params = [param(0, comm.TOKEN), param(1, x), param(2, y), param(3, comm.TOKEN)]
    new = apply(lookup("sqrt"), old)
    if begun:
        flight, token = apply_all(HALO_START, given, token, **attrs)
        *_, token = apply_all(HALO_WAIT, flight, token, new, types=(x,), **attrs)
    else:
        *_, token = apply_all(comm.HALO, given, token, **attrs)
    order = depth_first([token, new])
    attributes = (("body", Graph(params, [given, new, token], (), order)), ("carried", 3), ("until", -1))
    outer = [param(0, x), param(1, y), param(2, comm.TOKEN)]
    bounds = (const(0, number), const(times, number), const(1, number))
    loop = make(lookup("loop"), (*bounds, *outer), attributes)
    run = native.compile(Graph(outer, list(loop.values[1:])))
    return lambda: run([np.ones(_ROW), np.ones(_BESIDE), np.int64(0)])


def _line(ranks: int, elements: int) -> tuple[Ranges, Ranges]:
    """What each rank of a line has, so many numbers, and wants: as many of those beside it."""
    have = tuple((k * elements, (k + 1) * elements) for k in range(ranks))
    return have, tuple((max(a - elements, 0), min(b + elements, ranks * elements)) for a, b in have)


def exchange(line: Any, ranks: int, elements: int, times: int) -> Callable[[], Any]:
    """A compiled loop in which each rank of a line gets so many numbers of those beside it in each iteration.

    Parameters
    ----------
    line : MpiCommunicator
        What it is run with has to be in use.
    ranks, elements, times : int
    """
    have, want = _line(ranks, elements)
    at = line.place[0]
    return _repeated(comm.HALO, np.ones(elements), times, at=at, dim=0, parts=((0, have[at][0], have, want),))


def _repeated(op: Op, x: np.ndarray[Any, np.dtype[Any]], times: int, **attrs: Any) -> Callable[[], Any]:
    """A compiled loop in which something is communicated of an array in each iteration."""
    from lazyarr.backends import native

    type, number = ArrayType(x.dtype, x.shape), DTYPES["i64"]
    _, *inner = params = [param(0, comm.TOKEN), param(1, type), param(2, comm.TOKEN)]
    *_, after = apply_all(op, *inner, **attrs)
    attributes = (("body", Graph(params, [inner[0], after])), ("carried", 2), ("until", -1))
    outer = [param(0, type), param(1, comm.TOKEN)]
    loop = make(lookup("loop"), (const(0, number), const(times, number), const(1, number), *outer), attributes)
    run = native.compile(Graph(outer, [loop.values[1]]))
    return lambda: run([x, np.int64(0)])


@contextmanager
def _used(line: Any) -> Iterator[None]:
    """Have compiled code communicate through a line of ranks, and afterwards as it did."""
    from lazyarr import world
    from lazyarr.backends import native_mpi

    comm.use(line)
    native_mpi.use(line.native)
    try:
        yield
    finally:
        before = world.current()
        comm.use(None if before is None else before.communicator)
        native_mpi.use(None if before is None else before.communicator.native)


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
    """What a model says, as rows of a table: what, how much, and where that is from."""
    here = "default" if not model.host else "measured"
    messages = "default" if model.ranks < 2 else "measured"
    return [
        ("message latency", f"{model.latency * 1e6:.1f} us", messages),
        ("bandwidth between ranks", f"{model.bandwidth / 1e9:.2f} GB/s", messages),
        ("of messages, beside work", f"{model.hidden * 100:.0f} %", messages),
        ("step of an all-reduce", f"{model.reduction * 1e6:.1f} us", messages),
        ("memory bandwidth, a rank", f"{model.memory_bandwidth / 1e9:.2f} GB/s", here),
        ("arithmetic in cache", f"{1e-9 / model.flop:.2f} Gflop/s", here),
        ("products of matrices", f"{1e-9 / model.product_flop:.2f} Gflop/s", here),
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
