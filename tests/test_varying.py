"""Numbers that each iteration of a loop in Python has another one of: one program all the same, NumPy's results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from tests.evaluations import all_recorded, graphs_run

STEPS = 12


@pytest.fixture(autouse=True)
def recorded() -> Iterator[None]:
    with all_recorded():
        yield


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The graphs that are run."""
    return graphs_run(monkeypatch)


def decays(np: Any, x: Any, k: int) -> Any:
    return x * 0.9**k + 2.0


def moves(np: Any, x: Any, k: int) -> Any:
    return np.sin(x - 0.1 * k).sum() / (k + 3)


def of_integers(np: Any, x: Any, k: int) -> Any:
    return (x.astype(int) * k + 7) // (k + 1)


def narrow(np: Any, x: Any, k: int) -> Any:
    return x.astype(np.float32) * (0.1 * k) + np.float32(k)


def complex_numbers(np: Any, x: Any, k: int) -> Any:
    return (x * (1 + 1j * k)).sum()


def compared(np: Any, x: Any, k: int) -> Any:
    return np.where(x > k - 8.5, x, -1.5 * k)


@pytest.mark.parametrize("step", [decays, moves, of_integers, narrow, complex_numbers, compared])
def test_numbers_of_each_iteration_make_one_program(step: Callable[..., Any], graphs: list[Any]) -> None:
    x = np.linspace(0.0, 9.0, 50)
    lazy = lnp.asarray(x)
    for k in range(10, 10 + STEPS):
        want, found = step(np, x, k), np.asarray(step(lnp, lazy, k))
        assert (found.shape, found.dtype) == (np.shape(want), np.asarray(want).dtype)
        np.testing.assert_allclose(found, want, rtol=1e-6 if found.dtype == np.float32 else 1e-13)
    # (The first one, and one in which a second number has not varied yet.)
    assert len(graphs) >= STEPS
    assert len(set(graphs)) <= 3


def test_numbers_that_stay_are_constants(graphs: list[Any]) -> None:
    lazy = lnp.asarray(np.linspace(0.0, 9.0, 50))
    for k in range(STEPS):
        assert float((lazy * 30 + k).sum()) == pytest.approx(50 * (135 + k))
    constants = {node.kw["value"].value for node in graphs[-1].nodes if node.op.name == "const"}
    assert constants == {30.0}
    assert len(set(graphs)) == 2


def test_powers_are_known_when_they_are_compiled(graphs: list[Any]) -> None:
    x = np.linspace(0.1, 9.0, 50)
    lazy = lnp.asarray(x)
    for k in range(1, 5):
        np.testing.assert_allclose(np.asarray(lazy**k + 1.0), x**k + 1.0, rtol=1e-13)
    assert len(set(graphs)) == 4


def test_shapes_and_places_are_no_such_numbers() -> None:
    x = np.arange(60.0)
    lazy = lnp.asarray(x)
    for k in range(1, STEPS):
        found = lnp.roll(lazy, k)[k:] * k + lnp.full(60 - k, float(k)) + lnp.arange(k, 60)
        want = np.roll(x, k)[k:] * k + np.full(60 - k, float(k)) + np.arange(k, 60)
        np.testing.assert_array_equal(np.asarray(found), want)


def test_errors_and_signs_are_those_of_each_number() -> None:
    x = np.array([-1.0, 0.0, 2.0, np.nan])
    lazy = lnp.asarray(x)
    with np.errstate(all="ignore"):
        for k in (1.0, 0.0, -0.0, np.inf, np.nan, -2.0):
            for found, want in ((lazy / k, x / k), (lazy * k, x * k), (lnp.minimum(lazy, k), np.minimum(x, k)),
                                (lazy + k, x + k), (lnp.copysign(lazy, k), np.copysign(x, k))):  # fmt: skip
                np.testing.assert_array_equal(np.asarray(found), want)
                np.testing.assert_array_equal(np.signbit(np.asarray(found)), np.signbit(want))


def test_numbers_where_others_have_inputs(graphs: list[Any]) -> None:
    # (A Python float is an input from the beginning, an integer is not: these are one graph with two and with one.)
    x = np.linspace(0.0, 9.0, 50)
    lazy, b, lazy_b = lnp.asarray(x), np.array(1.5), lnp.array(1.5)
    for k in range(4):
        pairs = (
            (x * (k + 0.5) + 3, lazy * (k + 0.5) + 3), (x * k + 3, lazy * k + 3), (x * b + k, lazy * lazy_b + k),
            (x * 7 + b, lazy * 7 + lazy_b), (x * k + (k + 0.5), lazy * k + (k + 0.5)),
        )  # fmt: skip
        for want, found in pairs:
            np.testing.assert_array_equal(np.asarray(found), want)
    assert graphs
