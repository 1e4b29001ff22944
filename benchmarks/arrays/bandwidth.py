"""What memory gives an update in place, the measure of how well a program uses it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

#: Beyond every cache.
ELEMENTS = 2 * 10**7
#: Each element is read and written.
BYTES = 16 * ELEMENTS


def update(threads: int) -> Callable[[], Any]:
    """``x *= c`` of `ELEMENTS` doubles by NumPy, as so many threads do it, each a part."""
    x = np.ones(ELEMENTS)
    parts = np.array_split(x, threads)

    def scale(part: Any) -> None:
        np.multiply(part, 1.0, out=part)

    if threads == 1:
        return lambda: scale(x)
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(scale, parts))
