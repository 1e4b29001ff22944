"""Masks over arrays that are split: ranks that select otherwise (what masks give: tests/rank_programs)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_mpi import needs_mpi, run, written

pytestmark = pytest.mark.xdist_group("mpi")


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
