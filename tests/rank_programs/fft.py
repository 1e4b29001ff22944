"""A two-dimensional Fourier transform there and back."""

from __future__ import annotations

import numpy as np

n = 128
s = np.sin(np.arange(n * n, dtype=float).reshape(n, n) * 0.01)
f = np.fft.fft2(s)
print(f"{np.abs(f).sum():.5f} {np.abs(np.fft.ifft2(f).real - s).max() < 1e-12}")
