"""The least time of a call, of several ways that take turns."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Collection
from typing import Any

Clock = Callable[[], float]

#: A batch of calls takes at least this long, so that reading the clock does not count.
BATCH = 2e-4
#: Turns that every way has at least; where one turn of all takes longer than this many seconds, two are enough.
FEWEST, LONG = 3, 2.0
#: Calls before the clock runs: what is interpreted first and compiled when it comes again has become what it stays.
WARM = 4


def warm_up(call: Callable[[], Any], patience: float) -> None:
    """Call a few times, less often if that takes more than `patience` seconds (three times at least)."""
    begin = time.perf_counter()
    for k in range(WARM):
        call()
        if k >= 2 and time.perf_counter() - begin > patience:
            return


def batch_size(call: Callable[[], Any], clock: Clock = time.perf_counter) -> int:
    """How many calls take a `BATCH`."""
    size = 1
    while True:
        begin = clock()
        for _ in range(size):
            call()
        taken = clock() - begin
        if taken >= BATCH or size >= 1 << 16:
            return size
        size = max(2 * size, int(size * BATCH / max(taken, 1e-9)))


def least_times(
    calls: dict[str, Callable[[], Any]],
    seconds: float,
    steady: Collection[str] = (),
    clock: Clock = time.perf_counter,
) -> dict[str, float]:
    """Seconds a call, for each of several calls.

    Parameters
    ----------
    calls : dict
        They take turns, a batch each, so that what else the machine does meets all of them.
    seconds : float
        How long to go on, for each of them; `FEWEST` turns at least.
    steady : collection of str
        What is as fast the first time as later.
    clock : callable
        What is counted: `time.process_time` leaves out what else the machine does.
    """
    sizes = {}
    for name, call in calls.items():
        if name not in steady:
            warm_up(call, seconds)
        sizes[name] = batch_size(call, clock)
    times = dict.fromkeys(calls, float("inf"))
    collecting = gc.isenabled()
    gc.disable()
    try:
        begin, turns = time.perf_counter(), 0
        while True:
            for name, call in calls.items():
                size = range(sizes[name])
                start = clock()
                for _ in size:
                    call()
                times[name] = min(times[name], (clock() - start) / len(size))
            turns += 1
            taken = time.perf_counter() - begin
            if taken >= seconds * len(calls) and turns >= (FEWEST if taken < LONG * turns else 2):
                return times
    finally:
        if collecting:
            gc.enable()
