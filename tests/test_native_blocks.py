"""Element-wise loops that native code runs block by block: which they are, and NumPy's results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_blocks, native_threads
from lazyarr.ir.graph import Graph
from lazyarr.plans import plans
from tests.acceleration import compiled_programs

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]


def orbit(z: Array, c: Array, steps: int) -> Any:
    for _ in range(steps):
        z = z * z + c
    return z


def escape(z: Array, c: Array, steps: int) -> Any:
    count = np.zeros(z.shape, dtype=np.int64)
    for n in range(steps):
        inside = np.abs(z) < 2.0
        count[inside] = n
        z[inside] = z[inside] ** 2 + c[inside]
    return count, z


def two_masks(z: Array, c: Array, steps: int) -> Any:
    a, b = z.real.copy(), z.imag.copy()
    for _ in range(steps):
        low, high = a < 0.5, b > 0.25
        a[low] += 0.1
        b[high] *= 0.7
    return a, b


def mask_by_count(z: Array, c: Array, steps: int) -> Any:
    a = z.real.copy()
    for n in range(steps):
        a[a < n] += 1.5
    return a


def mask_by_sum(z: Array, c: Array, steps: int) -> Any:
    a, t = z.real.copy(), 0.0
    for _ in range(steps):
        a[a < t] += 0.5
        t += 0.25
    return a, t


def swapped(z: Array, c: Array, steps: int) -> Any:
    a, b = z.real.copy(), z.imag.copy()
    for n in range(steps):
        a, b = b, a + 0.5 * b - n
    return a, b


def broadcast(z: Array, c: Array, steps: int) -> Any:
    a, row = z.real.copy(), c.real[0].copy()
    for n in range(steps, 0, -1):
        a = np.where(a > row, a - row, a * 0.5 + n)
    return a


def rows_of_data(z: Array, c: Array, steps: int) -> Any:
    a, table = z.real.copy(), c.real
    for n in range(min(steps, table.shape[0])):
        a = a * 0.5 + table[n]
    return a


def kinds(z: Array, c: Array, steps: int) -> Any:
    count, flag, x = np.zeros(z.shape, np.int8), np.zeros(z.shape, bool), z.real.astype(np.float32)
    for n in range(steps):
        count += (x > 0).astype(np.int8)
        flag ^= x > 0.25
        x = np.sin(x) + np.float32(0.1) * n
    return count, flag, x


def neighbours(z: Array, c: Array, steps: int) -> Any:
    a = z.real.copy()
    for _ in range(steps):
        a = a + np.roll(a, 1, axis=0)
    return a


def flipped(z: Array, c: Array, steps: int) -> Any:
    a = z.real.copy()
    for _ in range(steps):
        a = a * 0.5 + a[:, ::-1]
    return a


def own_row(z: Array, c: Array, steps: int) -> Any:
    a = z.real.copy()
    for _ in range(steps):
        a = a * 0.5 + a[0]
    return a


def total(z: Array, c: Array, steps: int) -> Any:
    a = z.real.copy()
    for _ in range(steps):
        a = a / (1.0 + a.max())
    return a


def guarded(z: Array, c: Array, steps: int) -> Any:
    a = z.real.copy()
    for n in range(steps):
        a = a * c.real[n // 2 % c.shape[0]]
    return a


IN_BLOCKS: list[Function] = [
    orbit, escape, two_masks, mask_by_count, mask_by_sum, swapped, broadcast, rows_of_data, kinds,
]  # fmt: skip
NOT_IN_BLOCKS: list[Function] = [neighbours, flipped, own_row, total]


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    native_threads.set_threads(request.param)
    plans.clear()
    yield request.param
    native_threads.set_threads(None)
    plans.clear()


def arguments(shape: tuple[int, ...], seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    first, second = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for _ in range(2))
    return first, second


def loops(graph: Graph) -> Iterator[tuple[Graph, int]]:
    for node in graph.nodes:
        if node.op.name == "loop":
            yield node.kw["body"], node.kw["carried"]
        for region in node.regions:
            yield from loops(region)


def is_in_blocks(program: Any, *args: object) -> bool:
    program(*args)
    (compiled,) = compiled_programs(program)
    return any(native_blocks.find(body, carried) is not None for body, carried in loops(compiled.plan.after.graph))


def check(function: Function, shape: tuple[int, ...], steps: int, seed: int) -> None:
    given, own = arguments(shape, seed), arguments(shape, seed)
    with np.errstate(all="ignore"):
        expected = function(*given, steps)
        found = lazyarr.accelerate(function)(*own, steps)
    pairs = zip(expected, found, strict=True) if isinstance(expected, tuple) else [(expected, found)]
    for one, other in [*pairs, *zip(given, own, strict=True)]:
        assert np.asarray(one).dtype == np.asarray(other).dtype
        assert np.shape(one) == np.shape(other)
        if np.asarray(one).dtype == np.float32:
            np.testing.assert_array_max_ulp(one, other, maxulp=4)
        else:
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("function", IN_BLOCKS + NOT_IN_BLOCKS + [guarded], ids=lambda f: f.__name__)
def test_results_are_those_of_numpy(function: Function, threads: int) -> None:
    for k, shape in enumerate([(1, 1), (4, 1), (1, 5), (3, 5), (6, 64), (5, 65), (70, 300), (2, 1100)]):
        check(function, shape, 5 + k, k)


@pytest.mark.parametrize("function", IN_BLOCKS, ids=lambda f: f.__name__)
def test_element_wise_loops_run_in_blocks(function: Function) -> None:
    with np.errstate(all="ignore"):
        assert is_in_blocks(lazyarr.accelerate(function), *arguments((6, 7), 0), 6)


@pytest.mark.parametrize("function", NOT_IN_BLOCKS, ids=lambda f: f.__name__)
def test_loops_that_look_at_other_elements_do_not(function: Function) -> None:
    with np.errstate(all="ignore"):
        assert not is_in_blocks(lazyarr.accelerate(function), *arguments((6, 7), 0), 6)


def test_a_block_ends_early_only_where_nothing_would_change_any_more() -> None:
    def masks_of(function: Function) -> Any:
        program: Any = lazyarr.accelerate(function)
        with np.errstate(all="ignore"):
            program(*arguments((4, 4), 1), 5)
        (compiled,) = compiled_programs(program)
        (found,) = [native_blocks.find(*loop) for loop in loops(compiled.plan.after.graph)]
        assert found is not None
        return found.masks

    assert len(masks_of(escape)) == 1
    assert len(masks_of(two_masks)) == 2
    assert masks_of(mask_by_count) is None
    assert masks_of(mask_by_sum) is None
    assert masks_of(orbit) is None


def test_no_iterations_and_lengths_of_loops_that_data_gives(threads: int) -> None:
    def program(x: Array, n: Array) -> Array:
        for k in range(n[0]):
            x = x * 0.5 + k
        return x

    for n in (0, 1, 9):
        x = np.linspace(0, 1, 1000)
        np.testing.assert_array_equal(lazyarr.accelerate(program)(x, np.array([n])), program(x, np.array([n])))
