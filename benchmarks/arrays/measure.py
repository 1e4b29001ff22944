"""Programs in this process, which must be fresh: prints a line of JSON for each program and size.

``python -m benchmarks.arrays.measure WAY ORDERS``, where WAY is ``lazyarr`` (NumPy, the accelerated function and the
drop-in in turn) or one of `catalog.PEERS`, and ORDERS are in JSON: ``{"programs": [...], "sizes": [...], "most": n,
"seconds": s, "processor": false, "memory": n}``. Run by `benchmarks.arrays.run`.
"""

from __future__ import annotations

import copy
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.arrays import bandwidth
from benchmarks.arrays.catalog import OURS, ArrayProgram, accelerated, drop_in, load, peer
from benchmarks.arrays.memory import peak
from benchmarks.arrays.timing import Clock, least_times
from benchmarks.catalog import Missing
from benchmarks.compare import difference

#: Up to so many elements results are compared; beyond, that takes longer than what is measured.
COMPARED = 10**6
#: Elements of arrays with which programs are called before peak memory is measured: they are compiled then. (LLVM's own
#: code takes some 85 MB, once a process.)
COMPILED = 10**6
#: From so many elements on peak memory is measured: compiling takes some megabytes itself.
WEIGHED = 10**6
#: From so many elements on, arrays are beyond the caches, and a share of the memory's bandwidth says something.
BEYOND_CACHES = 10**7


def lazy(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copies of arguments as lazy arrays that are evaluated."""
    import lazyarr.numpy as lnp

    return tuple(lnp.array(x) if isinstance(x, np.ndarray) else x for x in arguments)


def evaluated(program: ArrayProgram, run: Callable[..., Any], arguments: tuple[Any, ...]) -> list[Any]:
    """What a call gives, as NumPy's arrays, which `numpy.asarray` of a lazy array computes, and does not copy.

    (Of NumPy's own results, too: of the smallest programs the steps of this function are a third.)
    """
    return [np.asarray(x) for x in program.outcome(arguments, run(*arguments))]


def of_lazyarr(program: ArrayProgram, number: int, seconds: float, clock: Clock, threads: int) -> dict[str, Any]:
    """Times of NumPy and of `catalog.OURS`, and the bandwidth that NumPy has meanwhile: updating in place, reading."""
    arguments = program.make(number)
    fast, recorded = accelerated(program), drop_in(program)
    plain = copy.deepcopy(arguments)
    result = program.run(*plain)
    found: dict[str, Any] = {"traffic": program.traffic(plain, result)}
    if number <= COMPARED:
        expected = program.outcome(plain, result)
        own, own_lazy = copy.deepcopy(arguments), lazy(arguments)
        outcomes = {
            "accelerated": program.outcome(own, fast(*own)),
            "drop-in": evaluated(program, recorded, own_lazy),
        }
        found["wrong"] = {
            way: difference(expected, outcome, kinds=way == "accelerated") for way, outcome in outcomes.items()
        }
        del expected, outcomes, own, own_lazy
    del result
    own, own_lazy = copy.deepcopy(arguments) if program.changed else arguments, lazy(arguments)
    calls: dict[str, Callable[[], Any]] = {
        "numpy": lambda: evaluated(program, program.run, plain),
        "accelerated": lambda: evaluated(program, fast, own),
        "drop-in": lambda: evaluated(program, recorded, own_lazy),
    }
    if number >= BEYOND_CACHES and program.passes is not None:
        for k in {1, threads}:
            calls |= {f"update {k}": bandwidth.update(k), f"read {k}": bandwidth.read(k)}
    times = least_times(calls, seconds, calls.keys() - OURS, clock)
    for name, size, kind in (("bandwidth", bandwidth.BYTES, "update"), ("reading", bandwidth.READ, "read")):
        if taken := [times.pop(way) for way in list(times) if way.startswith(f"{kind} ")]:
            found[name] = size / min(taken)
    return found | {"times": times}


def load_compiler() -> None:
    """Compile something: what small arrays do not need compiled would load it with the large ones."""
    import lazyarr

    lazyarr.accelerate(lambda x: x + x * x, always=True)(np.ones(4))


def peaks(program: ArrayProgram, number: int) -> dict[str, int]:
    """Peak memory of NumPy and of `catalog.OURS`, each in a child process."""
    small, large = program.make(min(COMPILED, number // 2)), program.make(number)
    small_lazy, large_lazy = lazy(small), lazy(large)

    def in_numpy() -> Callable[[tuple[Any, ...]], Any]:
        return lambda arguments: program.run(*arguments)

    def by_accelerated() -> Callable[[tuple[Any, ...]], Any]:
        load_compiler()
        run = accelerated(program)
        return lambda arguments: run(*arguments)

    def by_drop_in() -> Callable[[tuple[Any, ...]], Any]:
        load_compiler()
        run = drop_in(program)
        return lambda arguments: evaluated(program, run, arguments)

    return {
        "numpy": peak(in_numpy, small, large),
        "accelerated": peak(by_accelerated, small, large),
        "drop-in": peak(by_drop_in, small_lazy, large_lazy),
    }


def of_peer(program: ArrayProgram, name: str, number: int, seconds: float, clock: Clock) -> dict[str, Any]:
    """The time of a peer, whose arguments are of its own kind already."""
    made = peer(program, name)
    arguments = program.make(number)
    found: dict[str, Any] = {}
    if number <= COMPARED:
        plain, own = copy.deepcopy(arguments), made.prepare(copy.deepcopy(arguments))
        expected = program.outcome(plain, program.run(*plain))
        wrong = difference(expected, made.outcome(own, made.call(own)), kinds=False)
        found["wrong"] = {name: wrong}
    own = made.prepare(arguments)
    return found | {"times": least_times({name: lambda: made.call(own)}, seconds, clock=clock)}


def measured(way: str, orders: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is printed, line by line."""
    from lazyarr.backends.native_threads import threads

    usable = threads()
    clock = time.process_time if orders["processor"] else time.perf_counter
    for name in orders["programs"]:
        program = load(name)
        numbers = program.numbers_among(orders["sizes"], orders["most"])
        if way == "lazyarr":
            # First, because a process that has threads must not fork.
            number = max((n for n in numbers if n <= orders["memory"]), default=0)
            if number >= WEIGHED:
                yield {"program": name, "number": number, "peaks": peaks(program, number)}
        for number in numbers:
            if way == "lazyarr":
                found = of_lazyarr(program, number, orders["seconds"], clock, usable)
            else:
                try:
                    found = of_peer(program, way, number, orders["seconds"], clock)
                except Missing as reason:
                    yield {"program": name, "missing": str(reason)}
                    break
            yield {"program": name, "number": number, **found}
        yield {"done": name}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    for line in measured(sys.argv[1], json.loads(sys.argv[2])):
        print(json.dumps(line), flush=True)
