"""One program by one peer beside NumPy, in this process, which must be fresh: prints a line of JSON.

``python -m benchmarks.measure PROGRAM PEER SIZE SECONDS``. Run by `benchmarks.run`.
"""

from __future__ import annotations

import copy
import json
import statistics
import sys
import time
from typing import Any

import numpy as np

from benchmarks.catalog import Missing, Program, load, version
from benchmarks.compare import difference

FEWEST, MOST = 5, 25


def measure(program: Program, peer: str, size: str, seconds: float) -> dict[str, Any]:
    """Median times of NumPy and of a peer, whose runs take turns, and what the first call took.

    Parameters
    ----------
    program, peer, size
        As in `catalog`.
    seconds : float
        How long to repeat, between the `FEWEST` and the `MOST` runs.
    """
    arguments = program.arguments(size)
    plain = copy.deepcopy(arguments)
    expected = program.outcome(plain, program.run(*plain))

    begin = time.perf_counter()
    try:
        made = version(program, peer)
    except Missing as reason:
        return {"missing": str(reason)}
    imported = time.perf_counter() - begin
    own = made.prepare(arguments)
    begin = time.perf_counter()
    result = made.call(own)
    first = time.perf_counter() - begin
    found: dict[str, Any] = {
        "first": first,
        "first_with_import": first + imported,
        "wrong": difference(expected, made.outcome(own, result), kinds=peer == "lazyarr"),
    }
    made.call(made.prepare(arguments))
    times: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + seconds
    while len(times[0]) < FEWEST or (len(times[0]) < MOST and time.perf_counter() < end):
        plain, own = copy.deepcopy(arguments), made.prepare(arguments)
        start = time.perf_counter()
        program.run(*plain)
        between = time.perf_counter()
        result = made.call(own)
        stop = time.perf_counter()
        times[0].append(between - start)
        times[1].append(stop - between)
    found["wrong"] = found["wrong"] or difference(expected, made.outcome(own, result), kinds=peer == "lazyarr")
    numpy_time, peer_time = map(statistics.median, times)
    found |= {"numpy": numpy_time, "time": peer_time, "ratio": numpy_time / peer_time, "runs": len(times[0])}
    if peer == "lazyarr":
        found |= how_it_ran(made.run, arguments)
    return found


def how_it_ran(accelerated: Any, arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Whether lazyarr ran the program as one executable, and what fell back, from its own reports."""
    import lazyarr

    noted = lazyarr.report()
    fallbacks = [f"{f.where} {f.what} ({f.times}x)" for f in noted.calls]
    pieces = [f"{p.where} {p.what}" for p in noted.pieces]
    if pieces:
        # Explaining would run the function in pieces once more.
        return {"mode": "pieces", "executables": None, "reasons": pieces, "fallbacks": fallbacks}
    with np.errstate(all="ignore"):
        explanation = accelerated.explain(*copy.deepcopy(arguments))
    return {
        "mode": explanation.mode,
        "executables": len(explanation.regions),
        "reasons": [f"{r.where} {r.why}" for r in explanation.reasons],
        "fallbacks": fallbacks,
    }


if __name__ == "__main__":
    name, peer_name, size_name, repeat_seconds = sys.argv[1:]
    print(json.dumps(measure(load(name), peer_name, size_name, float(repeat_seconds))))
