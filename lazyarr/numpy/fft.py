"""NumPy's `numpy.fft` over lazy arrays."""

from __future__ import annotations

from lazyarr.numpy._submodule import fill

fill(globals(), "fft")
