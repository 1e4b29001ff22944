from __future__ import annotations

from numba import njit

from benchmarks.arrays.programs import filter_step

run = njit(cache=True)(filter_step.run)
