"""A program of two hundred operations without a loop: what a first call costs, and what recording one operation does.

``python -m benchmarks.arrays.long_graph first`` prints the seconds that importing and the first call take, in this
process, which must be fresh; ``record`` those of recording one operation on large lazy arrays (little ones NumPy does
at once).
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

#: Pairs of operations recorded in a batch, and batches; none is evaluated.
RECORDED, BATCHES = 50, 40
#: Elements of arrays with which operations are recorded.
LARGE = 1e6


def stage(a: Any, b: Any, c: Any, k: float) -> tuple[Any, Any, Any]:
    """Ten operations."""
    a = a + 0.1 * np.sin(b)
    b = np.sqrt(b * b + 1.0)
    c = np.where(a > c, c * k, b - c)
    return b, c, a


def run(a: Any, b: Any, c: Any) -> tuple[Any, Any, Any]:
    """Twenty stages."""
    a, b, c = stage(a, b, c, 0.11)
    a, b, c = stage(a, b, c, 0.12)
    a, b, c = stage(a, b, c, 0.13)
    a, b, c = stage(a, b, c, 0.14)
    a, b, c = stage(a, b, c, 0.15)
    a, b, c = stage(a, b, c, 0.16)
    a, b, c = stage(a, b, c, 0.17)
    a, b, c = stage(a, b, c, 0.18)
    a, b, c = stage(a, b, c, 0.19)
    a, b, c = stage(a, b, c, 0.21)
    a, b, c = stage(a, b, c, 0.22)
    a, b, c = stage(a, b, c, 0.23)
    a, b, c = stage(a, b, c, 0.24)
    a, b, c = stage(a, b, c, 0.25)
    a, b, c = stage(a, b, c, 0.26)
    a, b, c = stage(a, b, c, 0.27)
    a, b, c = stage(a, b, c, 0.28)
    a, b, c = stage(a, b, c, 0.29)
    a, b, c = stage(a, b, c, 0.31)
    a, b, c = stage(a, b, c, 0.32)
    return a, b, c


def make(n: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(40)
    return rng.random(n), rng.random(n), rng.random(n)


def first_call(n: int = 10_000) -> tuple[float, float]:
    """Seconds of the import and of the first call."""
    arguments = make(n)
    begin = time.perf_counter()
    import lazyarr

    accelerate = lazyarr.accelerate
    imported = time.perf_counter()
    accelerate(run)(*arguments)
    return imported - begin, time.perf_counter() - imported


def recording() -> float:
    """The least seconds that recording a product with a number, or an addition, takes."""
    import lazyarr.numpy as lnp

    start, step = lnp.arange(LARGE), lnp.ones(int(LARGE))
    np.asarray(start), np.asarray(step)
    least = float("inf")
    for _ in range(BATCHES):
        x = start
        begin = time.perf_counter()
        for _ in range(RECORDED):
            x = 0.5 * x + step
        least = min(least, (time.perf_counter() - begin) / (2 * RECORDED))
    return least


if __name__ == "__main__":
    print(*first_call() if sys.argv[1] == "first" else (recording(),))
