"""NumPy's `numpy.linalg` over lazy arrays."""

from __future__ import annotations

from lazyarr.numpy._submodule import fill

fill(globals(), "linalg")
