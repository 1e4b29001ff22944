"""Calls that are alike record what one of them has recorded: with other data, floats and lines, and NumPy's results."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest

import lazyarr.numpy as np
from lazyarr import dispatch, recipes
from lazyarr.array import LazyArray
from lazyarr.dispatch import BY_TYPES
from lazyarr.settings import settings

CALLS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sum": lambda np, x, y: np.sum(x),
    "sum of an axis": lambda np, x, y: x.sum(axis=1),
    "sum of axes": lambda np, x, y: x.sum((0, 1), keepdims=True),
    "sum in another dtype": lambda np, x, y: np.sum(x, axis=0, dtype=np.float32),
    "sum of a mask": lambda np, x, y: np.sum(x > 0.5, axis=0),
    "sum of a view": lambda np, x, y: np.sum(x.T[::2], axis=0),
    "sum from": lambda np, x, y: np.sum(x, initial=2.5),
    "prod": lambda np, x, y: np.prod(x, axis=-1),
    "max": lambda np, x, y: np.max(x, axis=1),
    "min": lambda np, x, y: np.min(x),
    "any": lambda np, x, y: np.any(x > 0.99, axis=1),
    "all": lambda np, x, y: np.all(x > 0.01, axis=0),
    "cumsum": lambda np, x, y: np.cumsum(x, axis=1),
    "cumsum of all": lambda np, x, y: np.cumsum(x),
    "cumprod": lambda np, x, y: np.cumprod(x, axis=0),
    "argmax": lambda np, x, y: np.argmax(x, axis=1),
    "argmin": lambda np, x, y: np.argmin(x),
    "count_nonzero": lambda np, x, y: np.count_nonzero(x > y),
    "count_nonzero of an axis": lambda np, x, y: np.count_nonzero(x > y, axis=0),
    "mean": lambda np, x, y: x.mean(),
    "mean of an axis": lambda np, x, y: np.mean(x.T, axis=1, keepdims=True),
    "mean of a mask": lambda np, x, y: np.mean(x > y),
    "mean of halves": lambda np, x, y: np.mean(x.astype(np.float16), axis=0),
    "var": lambda np, x, y: np.var(x, axis=1, ddof=1),
    "std": lambda np, x, y: np.std(x, axis=0),
    "std of complex numbers": lambda np, x, y: np.std(x + 1j * y),
    "ptp": lambda np, x, y: np.ptp(x, axis=1),
    "round": lambda np, x, y: np.round(x),
    "roll": lambda np, x, y: np.roll(x, (1, -2), axis=(0, 1)),
    "where": lambda np, x, y: np.where(x > y, x, y),
    "where with a float": lambda np, x, y: np.where(x > y, x, 0.25),
    "where with two": lambda np, x, y: np.where(x > y, 1.5, -0.0),
    "where with equal ones": lambda np, x, y: np.where(x > y, 1.5, 1.5),
    "where with an int": lambda np, x, y: np.where(x > y, 1, y),
    "where with what is made of one": lambda np, x, y: np.where(x > y, (x * 4).astype(int), (x * 4).astype(int) * 2.5),
    "where with one as a float": lambda np, x, y: np.where(
        x > y, (x * 4).astype(int), (x * 4).astype(int).astype(float)
    ),
    "where with one twice": lambda np, x, y: np.where(x > y, x, x),
    "where with rows": lambda np, x, y: np.where(x > y[:1], x, y[:, :1]),
    "clip": lambda np, x, y: np.clip(x, 0.25, 0.75),
    "clip with arrays": lambda np, x, y: np.clip(x, y * 0.5, y),
    "clip of ints": lambda np, x, y: np.clip((x * 9).astype(np.int16), 2, 70_000),
    "clip from below": lambda np, x, y: np.clip(x, 0.5, None),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _of_no_other() -> Iterator[None]:
    recipes.forget()
    yield
    recipes.forget()


def given(seed: int, order: Any = "C") -> tuple[Any, Any]:
    rng = numpy.random.default_rng(seed)
    return numpy.asarray(rng.random((6, 7)), order=order), rng.random((6, 7))


def assert_equal(found: Any, expected: Any) -> None:
    assert isinstance(found, LazyArray)
    elements = numpy.asarray(found)
    assert (elements.dtype, elements.shape) == (expected.dtype, expected.shape)
    assert found.strides == expected.strides or 1 in expected.shape
    numpy.testing.assert_allclose(elements, expected, rtol=1e-14 if expected.dtype.itemsize > 4 else 2e-3)


@pytest.mark.parametrize("name", CALLS)
def test_calls_on_other_data(name: str) -> None:
    f = CALLS[name]
    for seed in range(5):
        x, y = given(seed)
        assert_equal(f(np, np.array(x), np.array(y)), numpy.asarray(f(numpy, x, y)))
    f(np, *map(np.array, given(9, order="F")))
    x, y = given(7, order="F")
    assert_equal(f(np, np.array(x), np.array(y)), numpy.asarray(f(numpy, x, y)))


@pytest.mark.parametrize("fast_path", [0, 1])
def test_most_are_recorded_from_what_is_kept(fast_path: int) -> None:
    with settings(fast_path=fast_path, flush_after=10_000):
        without = {name for name, f in CALLS.items() if not again(f)}
    assert without == {"mean of halves", "std of complex numbers", "sum from", "where with equal ones",
                       "where with one as a float", "where with one twice"}  # fmt: skip
    assert {numpy.sum, numpy.where, numpy.std} <= BY_TYPES


def again(f: Callable[[Any, Any, Any], Any]) -> bool:
    """Whether a second call is recorded from what is kept of the first."""
    calls: list[Any] = []
    was = dispatch.run_definition

    def noted(definition: Any, args: Any, kwargs: Any) -> Any:
        calls.append(definition)
        return was(definition, args, kwargs)

    recipes.forget()
    for seed in range(2):
        x, y = map(np.array, given(seed))
        calls.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dispatch, "run_definition", noted)
            f(np, x, y)
    return not calls


def test_floats_are_those_of_the_call() -> None:
    for fill, low in [(0.5, 0.1), (-2.0, 0.3), (float("nan"), 0.1), (0.0, -0.0), (1e300, 0.2)]:
        x, y = given(3)
        a, b = np.array(x), np.array(y)
        assert_equal(np.where(a > b, a, fill), numpy.where(x > y, x, fill))
        assert_equal(np.clip(a, low, 0.9), numpy.clip(x, low, 0.9))
        single = x.astype(numpy.float32)
        assert_equal(np.where(a > b, np.array(single), low), numpy.where(x > y, single, low))


@pytest.mark.parametrize("first", [3.0, 1.0, float("nan"), 2.5])
def test_floats_that_are_no_operands(first: float) -> None:
    x = given(3)[0]
    for freedom in (first, 1.0, 2.5, 0.5, 3):
        assert_equal(np.var(np.array(x), axis=0, ddof=freedom), numpy.var(x, axis=0, ddof=freedom))
        assert_equal(np.std(np.array(x), axis=1, ddof=freedom), numpy.std(x, axis=1, ddof=freedom))
        assert_equal(np.sum(np.array(x), axis=1, initial=freedom), numpy.sum(x, axis=1, initial=freedom))


def test_other_arguments_are_other_calls() -> None:
    x, _ = given(4)
    a = np.array(x)
    for axis in (0, 1, None, -1):
        assert_equal(np.sum(a, axis=axis), numpy.asarray(numpy.sum(x, axis=axis)))
        assert_equal(np.sum(a, axis, None, None, True), numpy.sum(x, axis, None, None, True))
    ints = np.array(x * 9).astype(np.int8)
    assert_equal(np.where(a > 0.5, ints, 1), numpy.where(x > 0.5, (x * 9).astype(numpy.int8), 1))
    assert_equal(np.where(a > 0.5, ints, True), numpy.where(x > 0.5, (x * 9).astype(numpy.int8), True))
    assert_equal(np.where(a > 0.5, ints, 1.0), numpy.where(x > 0.5, (x * 9).astype(numpy.int8), 1.0))


def test_what_one_array_is_made_of_is_not_taken_for_another() -> None:
    for seed, name in enumerate(["where with one as a float", "where with what is made of one"] * 3):
        x, y = given(seed)
        assert_equal(CALLS[name](np, np.array(x), np.array(y)), CALLS[name](numpy, x, y))


def test_what_warns_does_so_each_time() -> None:
    for _ in range(3):
        x = numpy.random.default_rng(1).random((1, 5))
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            np.var(np.array(x), axis=0, ddof=1)
        assert [str(w.message) for w in said] == ["Degrees of freedom <= 0 for slice"]


def test_what_raises_does_so_each_time() -> None:
    for _ in range(3):
        with pytest.raises(numpy.exceptions.AxisError):
            np.sum(np.array(given(1)[0]), axis=2)


def test_each_line_is_noted() -> None:
    x = np.array(given(1)[0])
    first = np.std(x)
    second = np.std(x)
    lines = first._cell.value.node.lines | second._cell.value.node.lines
    assert len({line for file, line in lines if file == __file__}) == 2


def test_results_are_arrays_of_their_own() -> None:
    x, y = given(5)
    for seed in range(3):
        a, b = np.array(x), np.array(y)
        chosen = np.where(a > b, a, b)
        chosen[0] = seed
        a[1] = -1.0
        assert numpy.asarray(chosen)[0].tolist() == [seed] * 7
        numpy.testing.assert_array_equal(numpy.asarray(chosen)[1], numpy.where(x > y, x, y)[1])
        assert numpy.asarray(a)[0].tolist() == x[0].tolist()
