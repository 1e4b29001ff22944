"""Slices that each iteration of a loop in Python takes elsewhere: one program all the same, NumPy's results."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from tests.evaluations import all_recorded, graphs_run

STEPS = 14


@pytest.fixture(autouse=True, params=[1, 1000], ids=["compiled", "interpreted"])
def recorded(request: pytest.FixtureRequest) -> Iterator[None]:
    with all_recorded(compile_after=request.param):
        yield


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The graphs that are run."""
    return graphs_run(monkeypatch)


def row_after_row(np: Any, h: Any, x: Any, t: int) -> None:
    h[t + 1] = 0.5 * h[t] + x[t]


def backwards(np: Any, h: Any, x: Any, t: int) -> None:
    h[-t - 2] = h[-t - 1] * 0.5 - x[-t]


def columns(np: Any, h: Any, x: Any, t: int) -> None:
    h[:, t + 1] += h[:, t] * x[:, t + 2]


def blocks(np: Any, h: Any, x: Any, t: int) -> None:
    h[t : t + 4] += x[t + 1 : t + 5]
    h[t + 2 : t + 6, 3:9] *= 0.5


def two_axes(np: Any, h: Any, x: Any, t: int) -> None:
    h[t : t + 3, 2 * t : 2 * t + 4] = x[t + 1 : t + 4, t : t + 4] - h[t : t + 3, 2 * t : 2 * t + 4]


def strided(np: Any, h: Any, x: Any, t: int) -> None:
    h[t : t + 9 : 3, 1:-1] = x[t + 1 : t + 10 : 3, :-2] + x[t + 9 : t : -3, 2:]


def gates(np: Any, h: Any, x: Any, t: int) -> None:
    a = x[t] * 0.5
    h[t, :8] = np.tanh(a[:8])
    h[t, 8:16] = a[8:16] * h[t, :8]
    h[t, -1] = h[t, 0]


def inner_products(np: Any, h: Any, x: Any, t: int) -> None:
    h[t, :30] = x @ h[t + 1] + x[:, t]


def by_itself(np: Any, h: Any, x: Any, t: int) -> None:
    h[1:20, 1:-1] = h[:19, 2:] + h[t, :-2]


def goes_round(np: Any, h: Any, x: Any, t: int) -> None:
    h[(t + 1) % 5] = h[t % 5] + x[t % 3]


def swapped(np: Any, h: Any, x: Any, t: int) -> None:
    now, last = t % 2, 1 - t % 2
    h[now] = 0.5 * h[last] + x[t]


STEPPING = [row_after_row, backwards, columns, blocks, two_axes, strided, gates, inner_products, by_itself, goes_round,
            swapped]  # fmt: skip


def arrays() -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    return rng.random((30, 40)), rng.random((30, 40))


@pytest.mark.parametrize("step", STEPPING)
@pytest.mark.parametrize("at_a_time", [1, 3])
def test_steps_are_numpys(step: Callable[..., Any], at_a_time: int) -> None:
    (h, x), (g, y) = arrays(), arrays()
    lazy, lazy_x = lnp.asarray(g), lnp.asarray(y)
    with np.errstate(all="ignore"):
        for t in range(STEPS):
            step(np, h, x, t)
            step(lnp, lazy, lazy_x, t)
            if t % at_a_time == 0:
                np.testing.assert_allclose(np.asarray(lazy), h, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(np.asarray(lazy), h, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(np.asarray(lazy_x), x)


@pytest.mark.parametrize("step", [row_after_row, columns, blocks, two_axes, strided, gates])
def test_steps_are_one_program(step: Callable[..., Any], graphs: list[Any]) -> None:
    h, x = arrays()
    lazy, lazy_x = lnp.asarray(h), lnp.asarray(x)
    for t in range(STEPS):
        step(lnp, lazy, lazy_x, t)
        float(lazy[0, 0])
    # (Two as they are, and those in which not everything has moved yet.)
    assert len(graphs) >= STEPS
    assert len(set(graphs)) <= 5
    assert len(set(graphs[5:])) == 1


def test_two_that_take_turns_stay_as_they_are(graphs: list[Any]) -> None:
    h, x = arrays()
    lazy, lazy_x = lnp.asarray(h), lnp.asarray(x)
    for t in range(STEPS):
        swapped(lnp, lazy, lnp.asarray(lazy_x[0].copy()), 2 * (t % 2) - t % 2)
        float(lazy[0, 0])
    assert not any(node.op.name in ("window", "put_window") for graph in graphs for node in graph.nodes)


def test_few_long_pieces_of_a_loop_are_one_program(graphs: list[Any]) -> None:
    x = np.random.default_rng(0).random((60, 8))
    for _ in range(2):
        h, want = lnp.asarray(np.zeros((61, 8))), np.zeros((61, 8))
        lazy_x = lnp.asarray(x)
        for t in range(60):
            h[t + 1] = 0.5 * h[t] + lazy_x[t]
            want[t + 1] = 0.5 * want[t] + x[t]
            if t % 20 == 19:
                assert float(h[t, 1]) == pytest.approx(want[t, 1])
        np.testing.assert_allclose(np.asarray(h), want, rtol=1e-13)
    long = [graph for graph in graphs if len(graph.nodes) > 50]
    assert len(long) == 6
    assert len(set(long)) == 2


@pytest.mark.parametrize("seed", range(6))
def test_random_places(seed: int) -> None:
    rng = np.random.default_rng(seed)
    want = rng.integers(0, 100, (12, 9)).astype(float)
    found = lnp.asarray(want.copy())
    for k in range(40):
        rows, columns = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        places = [(int(rng.integers(0, 12 - rows)), int(rng.integers(0, 9 - columns))) for _ in range(4)]
        for a in (want, found):
            boxes = [a[i : i + rows, j : j + columns] for i, j in places]
            boxes[0][...] = boxes[1] + 2 * boxes[2]
            boxes[3] -= boxes[0]
            boxes[1][0] = boxes[3][-1]
        if k % 2:
            np.testing.assert_array_equal(np.asarray(found), want)


def test_indices_of_nested_loops(graphs: list[Any]) -> None:
    h, x = arrays()
    lazy, lazy_x = lnp.asarray(h.copy()), lnp.asarray(x)
    for i, j in itertools.product(range(6), range(5)):
        for a, b in ((h, x), (lazy, lazy_x)):
            a[i, 3 * j : 3 * j + 3] += b[j, i : i + 3] * a[i + 1, 3 * j : 3 * j + 3]
        assert float(lazy[i, 3 * j]) == pytest.approx(h[i, 3 * j])
    np.testing.assert_allclose(np.asarray(lazy), h, rtol=1e-13)
    assert len(set(graphs)) <= 8
