"""Accelerated functions that take and give split arrays, change them, and return views and arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

import lazyarr


@lazyarr.accelerate
def step(u: Any, k: float) -> Any:
    v = u.copy()
    v[1:-1, 1:-1] += k * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    return v


@lazyarr.accelerate
def sweeps(u: Any, n: int) -> Any:
    for _ in range(n):
        u[1:-1, 1:-1] += 0.1 * (u[2:, 1:-1] + u[:-2, 1:-1] - 2 * u[1:-1, 1:-1])
    return u.sum(), u.max(axis=1)


@lazyarr.accelerate
def several(u: Any, found: dict[str, Any]) -> Any:
    found["rows"] = u[3:90] * 2
    return u * 2, u.T + 1, u[3:50], u.mean(), (u, u[::2] - 1)


@lazyarr.accelerate
def looks(u: Any) -> Any:
    print(f"{float(u.sum()):.8f}")
    return u + 1


u = np.random.default_rng(3).random((120, 90))
for _ in range(5):
    u = step(u, 0.1)
total, top = sweeps(u, 7)
print(f"{total:.8f} {top.sum():.8f} {u[17, 5]:.12f} {u.sum():.8f}")
found: dict[str, Any] = {}
double, turned, rows, mean, (same, every) = several(u, found)
print(same is u, double.shape, turned.shape, rows.shape, every.shape, found["rows"].shape)
print(f"{double.sum():.8f} {(turned * np.arange(120)).sum():.6f} {rows.sum():.8f} {mean:.10f} {every.sum():.8f}")
print(f"{double[5, 6]:.12f} {turned[6, 5]:.12f} {rows[1, 1]:.12f} {every[2, 2]:.12f} {found['rows'].sum():.8f}")


@lazyarr.accelerate
def spread(x: Any) -> Any:
    return np.broadcast_to(x[0], (99, 90)), x[3:, 1:]


v = u[:100] * 1
wide, part = spread(v)
print(f"{wide.sum():.6f} {part.sum():.6f} {wide.shape} {part.shape}")
u += 1
print(f"{u.sum():.8f} {double.sum():.8f} {looks(u).sum():.8f}")
