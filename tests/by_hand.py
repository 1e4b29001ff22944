"""What the tests of benchmarks share: a version for another library computes what the program does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.catalog import Program, Version
from benchmarks.compare import difference


def check_by_hand(program: Program, version: Version, arguments: Callable[[], tuple[Any, ...]]) -> None:
    """The version gives what NumPy does, leaves streams where NumPy does, and alone what NumPy leaves alone."""
    plain, own = arguments(), version.prepare(arguments())
    expected = program.outcome(plain, program.run(*plain))
    assert difference(expected, version.outcome(own, version.call(own)), kinds=False) is None
    for k, (before, after) in enumerate(zip(arguments(), own)):
        if isinstance(before, np.random.Generator):
            assert after.bit_generator.state == plain[k].bit_generator.state
        elif k not in program.changed:
            np.testing.assert_array_equal(after, before)
