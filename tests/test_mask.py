"""What is read and written under masks gives NumPy's results, also where it is computed for all elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr import accelerate
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Program
from lazyarr.ir.rewrite import all_nodes
from lazyarr.ir.verify import verify
from lazyarr.passes.in_parts import selects
from lazyarr.passes.mask import Mask
from tests.acceleration import assert_same, compiled_programs


def positions_left(accelerated: Any) -> int:
    """How many masks are still looked through for their True elements."""
    plans = [c.plan for c in compiled_programs(accelerated)]
    return sum(n.op.name == "flatnonzero" for p in plans for n in all_nodes(p.after.graph))


def compare(function: Callable[..., Any], *arguments: Any, left: int | None = 0) -> None:
    """The function accelerated against itself on copies; arguments must agree afterwards, too."""
    accelerated: Any = accelerate(function)
    for _ in range(2):
        plain, own = ([np.array(a) if isinstance(a, np.ndarray) else a for a in arguments] for _ in range(2))
        with np.errstate(all="ignore"):
            assert_same(function(*plain), accelerated(*own))
        assert_same(plain, own)
    if left is not None:
        assert accelerated._known, "not compiled"
        assert positions_left(accelerated) == left


def hostile(seed: int = 0, shape: Any = 40) -> np.ndarray[Any, Any]:
    """Ordinary numbers with NaN, infinities and zeros of both signs among them."""
    rng = np.random.default_rng(seed)
    x: np.ndarray[Any, Any] = rng.uniform(-3, 3, shape)
    x[rng.random(shape) < 0.3] = np.nan
    x[rng.random(shape) < 0.1] = np.inf
    x[rng.random(shape) < 0.1] = -0.0
    return x


def under_a_mask(x: Any, y: Any, n: int) -> Any:
    for k in range(n):
        m = x < y
        x[m] = x[m] * 0.5 + y[m] - k
    return x


def a_row_of_means(x: Any, n: int) -> Any:
    out = np.zeros(n)
    for i in range(n):
        out[i] = x[x > i * 0.1].sum()
    return out


def counted_and_averaged(x: Any, n: int) -> Any:
    out = np.zeros(n)
    for i in range(n):
        values = x[x > i * 0.1]
        if len(values) > 3:
            out[i] = values.mean()
    return out


def test_elements_under_a_mask_in_a_loop() -> None:
    rng = np.random.default_rng(1)
    compare(under_a_mask, rng.random(50), rng.random(50), 30)
    compare(under_a_mask, rng.random((6, 7)), rng.random((6, 7)), 30)
    compare(under_a_mask, rng.random((3, 4, 5)), rng.random((3, 4, 5)), 30)
    compare(under_a_mask, hostile(2), hostile(3), 30)
    compare(under_a_mask, hostile(2).astype(np.float32), hostile(3).astype(np.float32), 30)


def test_sums_of_chosen_elements() -> None:
    compare(a_row_of_means, np.random.default_rng(2).random(1000), 20)
    compare(counted_and_averaged, np.random.default_rng(3).random(300), 20, left=None)


def test_nothing_chosen_and_everything_chosen() -> None:
    def sums(x: Any, limit: float, n: int) -> Any:
        out = np.ones((n, 3))
        for i in range(n):
            chosen = x[x > limit + i]
            out[i, 0] = chosen.sum()
            out[i, 1] = np.copysign(1.0, chosen.sum())
            x[x > limit + i] *= 2.0
            out[i, 2] = x[x > limit + i].prod()
        return out

    compare(sums, np.linspace(1, 2, 9), 10.0, 20)
    compare(sums, np.linspace(1, 2, 9), -10.0, 20)
    compare(sums, -np.zeros(9), -10.0, 5)


def test_what_is_masked_off_does_not_reach_a_sum() -> None:
    def finite_sums(x: Any, n: int) -> Any:
        out = np.zeros(n)
        for i in range(n):
            out[i] = (1.0 / x[np.isfinite(x)]).sum() + x[x == x].sum() * i
        return out

    x = hostile(4)
    x[x == 0] = 1.0
    compare(finite_sums, x, 20, left=None)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float32, np.complex128, np.bool_])
def test_dtypes(dtype: Any) -> None:
    def work(x: Any, w: Any, n: int) -> Any:
        for k in range(n):
            m = w > k
            x[m] = x[m] * x[m] + x[m]
        return x, x[w > 3].sum()

    rng = np.random.default_rng(5)
    x = rng.integers(-5, 6, 31).astype(dtype)
    compare(work, x, rng.integers(0, 30, 31), 20)


def test_integers_divided_where_the_mask_allows() -> None:
    def divide(x: Any, d: Any, n: int) -> Any:
        for _ in range(n):
            m = d != 0
            x[m] = x[m] // d[m] + x[m] % d[m]
        return x

    compare(divide, np.arange(-20, 20), np.arange(40) % 4 - 1, 20, left=None)


def test_rows_under_a_mask() -> None:
    def rows(x: Any, v: Any, n: int) -> Any:
        for i in range(n):
            m = x[:, 0] > i * 0.05
            x[m] = x[m] * 0.9 + v
        return x

    rng = np.random.default_rng(6)
    compare(rows, rng.random((12, 5)), rng.random(5), 20, left=None)
    compare(rows, rng.random((12, 1)), rng.random(1), 20)


def test_positions_as_numbers() -> None:
    def moments(x: Any, n: int) -> Any:
        out = np.zeros(n, dtype=np.int64)
        for i in range(n):
            out[i] = np.nonzero(x > 0.05 * i)[0].sum()
        return out

    compare(moments, np.random.default_rng(7).random(40), 20, left=None)


def test_what_needs_compressed_values_keeps_them() -> None:
    def running(x: Any, n: int) -> Any:
        out = np.zeros((n, 2))
        for i in range(n):
            chosen = x[x > 0.02 * i]
            out[i] = np.cumsum(chosen).sum(), chosen.sum()
        return out

    def shrinks(x: Any, n: int) -> Any:
        total = 0.0
        for i in range(n):
            x = x[x > 0.01 * i]
            total += x.sum()
        return total

    compare(running, np.random.default_rng(8).random(60), 20, left=1)
    compare(shrinks, np.random.default_rng(9).random(60), 20, left=None)


def test_a_mask_of_a_mask() -> None:
    def twice(x: Any, n: int) -> Any:
        out = np.zeros(n)
        for i in range(n):
            inner = x[x > 0.02 * i]
            out[i] = inner[inner < 0.8].sum()
        return out

    compare(twice, np.random.default_rng(10).random((5, 12)), 20, left=None)


def test_a_mean_is_taken_off_what_is_chosen() -> None:
    def center(x: Any, groups: Any, n: int) -> Any:
        for g in range(n):
            m = groups == g
            x[m] = x[m] - x[m].sum() / 7
        return x

    rng = np.random.default_rng(11)
    compare(center, rng.random(90), rng.integers(0, 20, 90), 20, left=None)


def test_outside_of_loops() -> None:
    def plain(x: Any, y: Any) -> Any:
        m = x > 0.5
        x[m] = np.sqrt(x[m]) + y[m]
        return x, x[m].sum(), x[~m].mean()

    rng = np.random.default_rng(12)
    compare(plain, rng.random((8, 9)), rng.random((8, 9)))


def test_a_pass_over_what_has_no_mask_gives_the_program_back() -> None:
    accelerated: Any = accelerate(under_a_mask)
    accelerated(np.ones(4), np.ones(4), 30)
    before = compiled_programs(accelerated)[0].plan.before
    after = Mask().run(before)
    verify(after.graph)
    assert Mask().run(after) is after
    assert Mask().run(Program(after.graph)).graph is after.graph


def test_in_full_whatever_it_costs() -> None:
    def seldom(x: Any, y: Any) -> Any:
        m = (x > 0.5) & (y > 0.5) & (x < 0.8) & (y < 0.8) & (x + y > 1.2)
        x[m] = np.exp(np.sin(np.exp(x[m])))
        return x[m].sum()

    rng = np.random.default_rng(13)
    arguments = rng.random(40), rng.random(40)
    accelerated: Any = accelerate(seldom)
    accelerated(*map(np.copy, arguments))
    before = compiled_programs(accelerated)[0].plan.before
    for always, left in ((0, 1), (41, 1), (40, 0), (1, 0)):
        graph = Mask(always=always).run(before).graph
        verify(graph)
        assert sum(node.op.name == "flatnonzero" for node in all_nodes(graph)) == left, always
        assert_same(interpret(before.graph, arguments), interpret(graph, arguments))
    assert selects(before, 41) is selects(before, 1) is False
