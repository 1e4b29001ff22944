"""Masks over arrays that are split, on a grid of two dimensions, with uneven and empty parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_mpi import PROGRAMS, as_alone, needs_mpi, run, written

pytestmark = pytest.mark.xdist_group("mpi")


@needs_mpi
def test_on_a_grid() -> None:
    assert "FallbackWarning" not in as_alone(4, PROGRAMS / "masks.py", "--grid", "2,2").stderr


UNEVEN = """
import numpy as np
x = np.arange(10_000.0)
first = x[x < 3000]                    # all on the first ranks
none = x[x < 0]
last = x[x >= 9999]
u = np.arange(6000.0).reshape(3, 2000)  # fewer rows than ranks
print(first.shape, first.sum(), none.shape, last, u[u > 2500].sum(), u[[True, False, True]].sum())
first[first % 2 == 0] = first[first % 2 == 1]
print(first[:4], first.sum(), np.nonzero(first == 2999)[0])
if hasattr(first, "local"):
    assert first.local.array.size <= 1000, first.local.place
"""


@needs_mpi
@pytest.mark.parametrize("ranks", [3, 4])
def test_uneven_and_empty_parts(ranks: int, tmp_path: Path) -> None:
    as_alone(ranks, written(tmp_path, UNEVEN))


@needs_mpi
def test_other_masks_on_other_ranks_are_noticed(tmp_path: Path) -> None:
    text = """import numpy as np
from mpi4py import MPI
x = np.arange(10_000.0)
print(x[x > 5].sum() if MPI.COMM_WORLD.rank else x[x > 6].sum())
"""
    found = run(3, written(tmp_path, text))
    assert found.returncode != 0
    assert "do not run the same program" in found.stderr
