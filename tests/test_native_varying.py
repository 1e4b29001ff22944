"""Loops over array statements with numbers that change from iteration to iteration, against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.backends import native_make
from lazyarr.backends.native_varying import Numbers
from lazyarr.tracing.origins import graphs_in
from tests.acceleration import compiled_programs
from tests.loop_checks import Array, noise, same

STEPS = (0, 1, 2, 15, 16, 17, 33, 50)


def driven(u: Array, r: float, steps: int) -> None:
    for n in range(steps):
        u[0] = np.sin(0.1 * n)
        u[1:-1] += r * (u[:-2] - 2.0 * u[1:-1] + u[2:])


def clocked(u: Array, r: float, steps: int) -> tuple[float, Array]:
    t = 0.5
    for _ in range(steps):
        u[-1] = t * t
        u[1:-1] += r * (u[:-2] - 2.0 * u[1:-1] + u[2:])
        t += 0.125
    return t, u


def two_levels(u: Array, source: Array, steps: int) -> tuple[Array, Array]:
    v = u.copy()
    for n in range(steps):
        v[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        v[0] = source[n]
        u, v = v, u
    return u, v


def at_a_point(u: Array, source: Array, steps: int) -> Array:
    for n in range(steps):
        u[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        u[5, 5] += source[n]
    return u


def backwards(u: Array, first: int, last: int) -> Array:
    for n in range(first, last, -3):
        u[1:] = 0.5 * u[1:] + n * u[:-1]
    return u


def from_data(u: Array, first: int, last: int) -> Array:
    for n in range(first, last):
        u[1:-1] = u[:-2] - n // 3 * u[2:]
        u[0] = n % 5
    return u


def counted(u: Array, steps: int) -> tuple[Any, ...]:
    sign, k, z = 1, 3, 0.5 + 1j
    for n in range(steps):
        u[1:-1] = sign * u[2:] + (u[:-2] - k) * 0.5
        sign, k = -sign, k + n
        z *= 1j
    return sign, k, z


def turned(u: Array, z: complex, steps: int) -> tuple[Array, complex]:
    for _ in range(steps):
        u[1:] = u[1:] * 0.5 + z * u[:-1]
        z = z * z.conjugate() - 0.5j
    return u, z


def by_data(u: Array, steps: int) -> tuple[Array, float]:
    top = 1.0
    for n in range(steps):
        u[1:-1] = (u[:-2] + u[2:]) / (top + n)
        top = abs(u[3]) + 1.0
    return u, top


def narrow(u: Array, steps: int) -> Array:
    h = np.float32(0.75)
    for n in range(steps):
        u[1:] = u[1:] - h * u[:-1]
        h = np.float32(h * 0.5) + n
    return u


CASES: list[tuple[Callable[..., Any], list[tuple[Any, ...]]]] = [
    (driven, [(noise(200), 0.4, n) for n in STEPS]),
    (clocked, [(noise(200), 0.4, n) for n in STEPS]),
    (two_levels, [(noise(60, 20), noise(50, seed=1), n) for n in STEPS]),
    (at_a_point, [(noise(60, 20), noise(50, seed=1), n) for n in STEPS]),
    (backwards, [(noise(100), 40, -7), (noise(100), 3, 5), (noise(100), 60, 1)]),
    (from_data, [(noise(100), 4, 9), (noise(100), 9, 4), (noise(100), -20, 31)]),
    (counted, [(noise(100), n) for n in STEPS]),
    (turned, [(noise(100, dtype=complex), 0.5 - 0.25j, n) for n in STEPS]),
    (by_data, [(noise(100), n) for n in STEPS]),
    (narrow, [(noise(100, dtype=np.float32), n) for n in STEPS[:5]]),
]


@pytest.mark.parametrize(("function", "inputs"), CASES, ids=[f.__name__ for f, _ in CASES])
def test_iterations_with_numbers_of_their_own_are_as_in_numpy(
    function: Callable[..., Any], inputs: list[tuple[Any, ...]]
) -> None:
    same(function, *inputs)


def ways_of(function: Callable[..., Any], args: tuple[Any, ...]) -> set[str]:
    fast: Any = accelerate(function, strict=True)
    fast(*args)
    (one,) = compiled_programs(fast)
    return {way for g in graphs_in(one.plan.after.graph) for way in native_make.ways(g).values()}


@pytest.mark.parametrize("function", [driven, clocked, two_levels])
def test_several_iterations_are_one_pass(function: Callable[..., Any]) -> None:
    args = next(inputs for f, inputs in CASES if f is function)[-1]
    assert "passes" in ways_of(function, args)


def test_numbers_that_arrays_decide_are_not_known_before() -> None:
    fast: Any = accelerate(by_data, strict=True)
    fast(noise(100), 5)
    (one,) = compiled_programs(fast)
    (body,) = (n.kw["body"] for g in graphs_in(one.plan.after.graph) for n in g.nodes if n.op.name == "loop")
    numbers = {k: p for k, p in enumerate(body.params[1:]) if not p.type.shape and body.results[k] != p}
    assert numbers
    assert Numbers.find(body, set(), numbers) is None
