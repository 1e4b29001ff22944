"""Programs on whole arrays beside NumPy, at sizes from 8 to 1e8 elements: ``python -m benchmarks.arrays.run``."""

from __future__ import annotations
