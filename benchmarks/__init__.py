"""Programs in plain NumPy to measure with: `python -m benchmarks.run`."""

from __future__ import annotations
