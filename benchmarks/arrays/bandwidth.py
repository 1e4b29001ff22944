"""What memory gives: an update in place, the measure of how well a program uses it, and reading alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

#: Beyond every cache.
ELEMENTS = 2 * 10**7
#: Each element is read and written; or read.
BYTES, READ = 16 * ELEMENTS, 8 * ELEMENTS


def update(threads: int) -> Callable[[], Any]:
    """``x *= c`` of `ELEMENTS` doubles by NumPy, as so many threads do it, each a part."""
    return _in_parts(threads, lambda part: np.multiply(part, 1.0, out=part))


def read(threads: int) -> Callable[[], Any]:
    """``x.max()`` of the same (the arithmetic takes no time beside the reading)."""
    return _in_parts(threads, lambda part: part.max())


def _in_parts(threads: int, do: Callable[[Any], Any]) -> Callable[[], Any]:
    x = np.ones(ELEMENTS)
    if threads == 1:
        return lambda: do(x)
    parts, pool = np.array_split(x, threads), ThreadPoolExecutor(threads)
    return lambda: list(pool.map(do, parts))
