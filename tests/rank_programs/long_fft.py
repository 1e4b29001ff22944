"""Fourier transforms of vectors that are split."""

# mypy: ignore-errors
# ruff: noqa
from __future__ import annotations

import numpy as np

from lazyarr import world

n = 90 * 100
x = np.random.default_rng(0).random(n) * np.arange(n)
f = np.fft.fft(x)
r = np.fft.rfft(x)
g = np.fft.ifft(f * np.exp(-np.arange(n) / n))
print(f.shape, f"{abs(f).sum():.7g} {abs(f - np.conj(np.roll(f[::-1], 1))).max() < 1e-8} {abs(g).sum():.7g}")
print(r.shape, f"{abs(r - f[: n // 2 + 1]).max() < 1e-8} {abs(np.fft.ifft(f).real - x).max() < 1e-9}")
print(f"{abs(np.fft.irfft(r) - x).max() < 1e-9} {abs(np.fft.fft(x[:8999])).sum():.7g}")
for norm in ("backward", "ortho", "forward"):
    y = np.fft.irfft(r * np.exp(1j * np.arange(len(r))), norm=norm)
    print(y.shape, y.dtype, f"{abs(y).max():.9g} {abs(y * np.arange(n)).sum():.9g} {y[1]:.9g}")
if world.current() is not None:
    for y in (f, r, g, np.fft.irfft(r), np.fft.irfft(r * 1j, norm="ortho")):
        assert y.local.array.size < 0.6 * y.size
