"""Little arrays, which live on the stack of native code, against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.backends import native
from tests.acceleration import assert_same, compiled_programs
from tests.loop_checks import Array, noise, same

SIZES = [1, 2, 3, 16, 31, 32, 33, 70]


def rotated(a: Array, b: Array, c: Array, steps: int) -> tuple[Array, ...]:
    for _ in range(steps):
        a, b, c = b, c, a
        a = a * 0.5 + b
    return a, b, c


def doubled(u: Array, steps: int) -> tuple[Array, Array]:
    v = u.copy()
    for k in range(steps):
        v[1:] = u[:-1] + u[1:] * k
        v[0] = u[-1] - u[0]
        u, v = v, u
    return u, v


def chosen(a: Array, b: Array, steps: int) -> tuple[Array, Array]:
    for _ in range(steps):
        if a.sum() > b.sum():
            a, b = b, a - b
        else:
            b = a * 0.25
    return a, b


def many(points: Array, steps: int) -> Array:
    out = np.empty_like(points)
    for p in range(points.shape[0]):
        y = points[p].copy()
        for _ in range(steps):
            z = y[::-1] * 0.5
            y = z + 0.25 * y * z
        out[p] = y
    return out


def changed(u: Array, w: Array, steps: int) -> Any:
    for _ in range(steps):
        u += w[::-1]
        w[:] = u - w
    return u.max()


def called(a: Array, steps: int) -> Array:
    for _ in range(steps):
        a = np.sort(a)[::-1] - 0.5 * a
    return a


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(("run", "count"), [(rotated, 3), (doubled, 1), (chosen, 2), (changed, 2), (called, 1)])
def test_little_arrays_are_exchanged_and_returned_as_in_numpy(run: Callable[..., Any], count: int, n: int) -> None:
    arrays = tuple(noise(n, seed=k) for k in range(count))
    same(run, *((*arrays, steps) for steps in (0, 1, 2, 7)))


@pytest.mark.parametrize("n", SIZES)
def test_threads_have_little_arrays_of_their_own(n: int) -> None:
    same(many, (noise(3000, n), 5))


def test_a_result_that_was_on_the_stack_outlives_the_call() -> None:
    fast = accelerate(rotated, strict=True)
    first = fast(noise(3), noise(3, seed=1), noise(3, seed=2), 3)
    kept = tuple(x.copy() for x in first)
    for k in range(5):
        fast(noise(3, seed=k), noise(3, seed=k + 1), noise(3, seed=k + 2), 4)
    assert_same(kept, first)


def test_little_states_of_loops_are_on_the_stack() -> None:
    fast: Any = accelerate(rotated, strict=True)
    fast(noise(3), noise(3), noise(3), 5)
    (one,) = compiled_programs(fast)
    assert "%local" in native.compile(one.plan.after.graph).text
