"""The extension in C for little data, beside NumPy and beside the Python methods that stand behind it."""

from __future__ import annotations

import gc
import itertools
import operator
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr
import lazyarr.numpy as np
from lazyarr import settings as lazy_settings
from lazyarr.array import LazyArray
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import leaf
from lazyarr.little.extension import compiled
from tests.threads import switching_often

pytestmark = pytest.mark.skipif(compiled is None, reason="lazyarr was installed without a C compiler")

DTYPES = ("bool", "int8", "uint8", "int16", "int32", "int64", "uint64", "float16", "float32", "float64", "complex64",
          "complex128")  # fmt: skip
BINARY = (operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
          operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift, operator.lt, operator.le,
          operator.eq, operator.ne, operator.gt, operator.ge, operator.matmul)  # fmt: skip
IN_PLACE = (operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv, operator.imod,
            operator.ipow, operator.iand, operator.ior, operator.ixor)  # fmt: skip
UNARY = (operator.neg, operator.pos, operator.abs, operator.invert)
NUMBERS = (0, 1, 2, -3, 7, 2**40, 2**70, 0.5, -1.5, 2.0, float("nan"), float("inf"), 1j, True)
UFUNCS = ("sin", "exp", "sqrt", "log", "abs", "maximum", "arctan2", "isnan", "logical_and", "floor", "conjugate",
          "sign")  # fmt: skip
FUNCTIONS = ("sum", "prod", "max", "min", "mean", "std", "any", "all", "argmax", "cumsum", "sort", "argsort", "diff",
             "nonzero", "zeros_like", "round", "unique", "median", "flatnonzero", "trace", "gradient")  # fmt: skip


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with numpy.errstate(all="ignore"), lazy_settings.settings(eager_below=50_000, fast_path=1):
        yield


@pytest.fixture(params=[1, 0], ids=["fast path", "Python"])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    with lazy_settings.settings(fast_path=request.param):
        yield


def array(dtype: str, shape: tuple[int, ...], order: str, seed: int) -> numpy.ndarray[Any, Any]:
    rng = numpy.random.default_rng(seed)
    values = rng.integers(-9, 10, shape) * (0.5 if numpy.dtype(dtype).kind in "fc" else 1)
    if numpy.dtype(dtype).kind in "fc" and values.size > 3:
        values.flat[1], values.flat[2] = numpy.nan, -0.0
    made = numpy.asarray(values).astype(dtype)
    return numpy.asarray(made, order="F") if order == "F" else made[::-1] if order == "reversed" and shape else made


def lazy(x: numpy.ndarray[Any, Any], light: bool) -> Any:
    """A lazy array with data of its own, or one that has settled; views of it as of NumPy's."""
    if x.strides and x.strides[0] < 0:
        return lazy(x[::-1], light)[::-1]
    made = np.array(x, order="K")
    return made.copy("K") if light else made


def outcome(run: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return run(*args, **kwargs)
    except (TypeError, ValueError, OverflowError, IndexError, ZeroDivisionError):
        return Exception


def same(found: Any, expected: Any, layout: bool = True, rtol: float = 0.0) -> None:
    """Whether two results are alike to the last bit, or the elements of floats to within `rtol`."""
    if isinstance(expected, tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            same(one, other, layout, rtol)
        return
    if isinstance(expected, type):
        assert found is expected
        return
    assert isinstance(found, type) is False, f"{found} was raised"
    dtype = getattr(expected, "dtype", None)
    assert getattr(found, "dtype", None) == dtype
    ours, theirs = numpy.asarray(found), numpy.asarray(expected)
    assert ours.shape == theirs.shape
    if dtype is not None and layout and theirs.size > 1:
        assert found.strides == expected.strides
    if ours.tobytes() != theirs.tobytes():
        if theirs.dtype.kind in "fc":
            numpy.testing.assert_allclose(ours, theirs, rtol=rtol, atol=0.0)
        else:
            numpy.testing.assert_array_equal(ours, theirs)
    if theirs.dtype.kind == "f":
        numpy.testing.assert_array_equal(numpy.signbit(ours[ours == 0]), numpy.signbit(theirs[theirs == 0]))


SHAPES: tuple[tuple[int, ...], ...] = ((), (1,), (5,), (3, 4), (4,), (3, 1), (2, 3, 4), (0,), (2, 0))


@pytest.mark.parametrize("left", DTYPES)
@pytest.mark.parametrize("right", DTYPES)
def test_operators_of_two_types(left: str, right: str, way: None) -> None:
    for k, (shape, other) in enumerate((((5,), (5,)), ((3, 4), (4,)), ((3, 1), (4,)), ((), (5,)))):
        x, y = array(left, shape, "C", k), array(right, other, "C", k + 9)
        for function in BINARY:
            same(outcome(function, lazy(x, True), lazy(y, True)), outcome(function, x, y))
            scalars = x.flat[0], y.flat[0]
            mine = lazy(x, True).flat[0], lazy(y, True).flat[0]
            if function is not operator.pow:
                same(outcome(function, *mine), outcome(function, *scalars))


@pytest.mark.parametrize("dtype", DTYPES)
def test_operators_with_numbers(dtype: str, way: None) -> None:
    for shape, number in itertools.product(((5,), (2, 3), ()), NUMBERS):
        x = array(dtype, shape, "C", 3)
        for function in (*BINARY[:5], *BINARY[7:18]):
            same(outcome(function, lazy(x, True), number), outcome(function, x, number))
            same(outcome(function, number, lazy(x, True)), outcome(function, number, x))
        for exponent in (2, 2.0, 0.5, 0, 1, 3, -1):
            if shape:
                same(outcome(operator.pow, lazy(x, True), exponent), outcome(operator.pow, x, exponent))


LISTS: tuple[Any, ...] = (
    [1, 2, 3], (1.5, -2.0, 0.0), [True, False, True], [1j, 2, 3], [[1, 2, 3], [4, 5, 6]], [[0.5, 1, 2]], [2], [], [[]],
    [2**40, 1, 2**63], [1, 2], [[1, 2], [3]], ["a", "b", "c"], ([1, 2, 3], (4, 5, 6.5)),
    [numpy.float32(1.5), numpy.int8(2), 3], [numpy.arange(3), numpy.arange(3)], [[[1], [2]]], [0.5] * 1200,
)  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_operators_with_lists(dtype: str, way: None) -> None:
    for shape, values in itertools.product(((3,), (2, 3), (3, 3), (1200,), (), (0,)), LISTS):
        x = array(dtype, shape, "C", 3)
        for function in BINARY:
            if function is not operator.pow or dtype.startswith(("f", "c")):
                same(outcome(function, lazy(x, True), values), outcome(function, x, values))
                same(outcome(function, values, lazy(x, True)), outcome(function, values, x))
        for function in IN_PLACE[:3]:
            mine, theirs = lazy(x, True), x.copy()
            same(outcome(function, mine, values), outcome(function, theirs, values))
            same(mine, theirs)
        for name in ("maximum", "arctan2", "logical_and"):
            ours, numpys = getattr(np, name), getattr(numpy, name)
            same(outcome(ours, lazy(x, True), values), outcome(numpys, x, values), rtol=1e-6)
            same(outcome(ours, values, lazy(x, True)), outcome(numpys, values, x), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "complex128"])
def test_writing_lists(dtype: str, way: None) -> None:
    mask, rows = numpy.arange(6).reshape(2, 3) % 2 == 0, numpy.array([1, 0, 1])
    keys: tuple[Any, ...] = (
        0, (0, 1), slice(None), (slice(None), 1), (..., 0), mask, mask[:, 0], rows, (rows, rows), None, (0, 5), 9,
    )  # fmt: skip
    more: tuple[Any, ...] = ([0, 0, 255], [-1, 300, 2], [0.5, 1.5, -2.5], [float("nan"), 1, 2], [2.0], [[1], [2]])
    written = [x for x in LISTS if not str(x).startswith(("['a'", "[1j"))]
    for key, values in itertools.product(keys, (*written, *more)):
        if dtype == "bool" and str(key) == "(0, 1)":
            continue  # (An element of bools takes the truth of the list itself.)
        for start in (0, 1):
            mine, theirs = np.array(array(dtype, (3, 3), "C", 1))[start:], array(dtype, (3, 3), "C", 1)[start:]
            wanted = outcome(theirs.__setitem__, key, values)
            assert outcome(mine.__setitem__, key, values) is wanted
            if wanted is None:  # (Of what raises, NumPy has written some elements, or none.)
                same(mine, theirs)


def test_lists_hold_lazy_elements_and_are_released(way: None) -> None:
    x = np.arange(6.0).reshape(2, 3)
    same(x * [x[0, 1], x[1, 2], 3], numpy.arange(6.0).reshape(2, 3) * [1.0, 5.0, 3])
    same(x + [x[0], x[1]], 2 * numpy.arange(6.0).reshape(2, 3))
    values = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    before = [sys.getrefcount(y) for y in (values, values[0], x)]
    for _ in range(100):
        x * values, values + x, x @ values[0], x == values, np.maximum(x, values)
        x += values
    assert [sys.getrefcount(y) for y in (values, values[0], x)] == before


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(DTYPES), st.sampled_from(DTYPES), st.sampled_from(SHAPES), st.sampled_from(SHAPES),
    st.sampled_from(("C", "F", "reversed")), st.sampled_from(("C", "F", "reversed")), st.booleans(),
    st.sampled_from(BINARY), st.sampled_from(IN_PLACE), st.sampled_from(UNARY), st.integers(0, 99),
)  # fmt: skip
def test_operators_in_any_layout(
    left: str, right: str, shape: tuple[int, ...], other: tuple[int, ...], order: str, other_order: str, light: bool,
    binary: Any, in_place: Any, unary: Any, seed: int,
) -> None:  # fmt: skip
    with numpy.errstate(all="ignore"):
        x, y = array(left, shape, order, seed), array(right, other, other_order, seed + 1)
        mine, yours = lazy(x, light), lazy(y, not light)
        same(outcome(binary, mine, yours), outcome(binary, x, y))
        same(outcome(unary, mine), outcome(unary, x))
        copies = [x.copy("K"), mine.copy("K")]
        results = [outcome(in_place, c, o) for c, o in zip(copies, (y, yours), strict=True)]
        same(results[1], results[0])
        # (Where an exponent is negative NumPy casts back a buffer that nobody has filled.)
        if results[0] is not Exception or in_place is not operator.ipow:
            same(copies[1], copies[0])


@pytest.mark.parametrize("name", UFUNCS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_ufuncs(name: str, dtype: str, way: None) -> None:
    # (NumPy's own transcendental functions differ in the last bit, by where an element stands in memory.)
    rtol = {"float32": 1e-6, "complex64": 1e-6, "bool": 2e-3, "int8": 2e-3, "uint8": 2e-3, "float16": 2e-3,
            "int16": 1e-6}.get(dtype, 1e-14)  # fmt: skip
    for shape, order in itertools.product(SHAPES, ("C", "F")):
        x = array(dtype, shape, order, 5)
        arguments = (x, x[..., ::-1].copy("K") if shape else x)[: getattr(numpy, name).nin]
        mine = [lazy(a, True) for a in arguments]
        expected = outcome(getattr(numpy, name), *arguments)
        same(outcome(getattr(np, name), *mine), expected, rtol=rtol)
        same(outcome(getattr(numpy, name), *mine), expected, rtol=rtol)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["bool", "int32", "int64", "float32", "float64", "complex128"])
def test_functions(name: str, dtype: str, way: None) -> None:
    for shape, order in itertools.product(((5,), (3, 4), (2, 3, 4)), ("C", "F")):
        x = array(dtype, shape, order, 7)
        axes: tuple[dict[str, Any], ...] = ({}, {"axis": 0}, {"axis": -1}, {"axis": 5}, {"keepdims": True},
                                           {"axis": 0, "keepdims": True}, {"axis": -1, "keepdims": False})
        for axis in axes:
            expected = outcome(getattr(numpy, name), x, **axis)
            found = outcome(getattr(np, name), lazy(x, True), **axis)
            if isinstance(expected, list):
                expected, found = tuple(expected), tuple(found)
            same(found, expected, layout=False)


def test_sums_have_the_bits_of_numpy() -> None:
    rng = numpy.random.default_rng(3)
    for length in (1, 2, 7, 8, 9, 100, 128, 129, 1000, 8191, 8192, 8193, 40_000):
        for dtype in ("float64", "float32", "int64"):
            x = (rng.normal(size=length) * 10.0 ** rng.integers(-5, 6, length)).astype(dtype)
            mine = np.array(x).copy()
            for name in ("sum", "prod", "max", "min", "mean"):
                same(getattr(np, name)(mine), getattr(numpy, name)(x))
                same(getattr(mine, name)(), getattr(x, name)())
            square = x[: length // 4 * 4].reshape(-1, 4)
            if square.size:
                same(np.array(square).copy().sum(), square.sum())


KEYS: tuple[Any, ...] = (0, -1, 7, slice(None), slice(1, 3), slice(None, None, -1), (1, 2), (0,), (slice(1, None), 0),
        (..., 0), None, (None, 1), ..., (), (1, slice(None, None, 2)), [0, 2], numpy.array([1, 0]), (1.5,), "a", True,
        numpy.array([[True, False, True, True]] * 3), numpy.int64(1), (numpy.array([0, 1]), 1))  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_items(key: Any, way: None) -> None:
    for dtype, value in itertools.product(("float64", "int64", "complex64", "bool"), (3, 2.5, "row", "all")):
        x = array(dtype, (3, 4), "C", 1)
        mine = lazy(x, True)
        same(outcome(operator.getitem, mine, key), outcome(operator.getitem, x, key))
        held, ours = x[1:], mine[1:]
        new = {"row": x[0].copy(), "all": x.copy()[::-1]}.get(value, value) if isinstance(value, str) else value
        lazily = np.array(new).copy() if isinstance(new, numpy.ndarray) else new
        expected = outcome(operator.setitem, x, key, new) is None
        assert (outcome(operator.setitem, mine, key, lazily) is None) == expected
        same(mine, x)
        same(ours, held)


def test_views_of_views_are_written_through(way: None) -> None:
    for module in (numpy, np):
        x = module.arange(24.0).reshape(4, 6).copy()
        rows, turned = x[1:3], x.T
        inner = rows[:, 2:5]
        inner += 10.0
        turned[0] = -1.0
        x[3][2:4] *= 3.0
        rows[0, 0], flat = 99.0, x.ravel()
        flat[5] = 7.0
        parts = (x * 1j).real
        if module is numpy:
            expected = [v.copy() for v in (x, rows, turned, inner, flat, parts)]
        else:
            for found, wanted in zip((x, rows, turned, inner, flat, parts), expected, strict=True):
                same(found, wanted, layout=False)


def test_what_numpy_was_shown_does_not_change(way: None) -> None:
    x = np.zeros(5) + 1.0
    view = x[1:3]
    first = numpy.asarray(x)
    assert not first.flags.writeable
    x[0] = 9.0
    view[0] = 7.0
    numpy.testing.assert_array_equal(first, numpy.ones(5))
    second = numpy.asarray(view)
    view += 1.0
    x *= 2.0
    numpy.testing.assert_array_equal(second, [7.0, 1.0])
    numpy.testing.assert_array_equal(numpy.asarray(x), [18.0, 16.0, 4.0, 2.0, 2.0])
    own = numpy.array(x)
    own[0] = 0.0
    assert float(x[0]) == 18.0


def test_overlapping_writes(way: None) -> None:
    for module in (numpy, np):
        x = module.arange(10.0).copy()
        x[1:] = x[:-1]
        x[2:6] += x[:4]
        x[::-1][:3] -= x[:3]
        if module is numpy:
            expected = x.copy()
    same(x, expected)


def test_garbage_collection_between_steps() -> None:
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        x, expected = np.zeros(6) + 1.0, numpy.ones(6)
        for k in range(300):
            for y in (x, expected):
                y[1:-1] += 0.5 * (y[2:] - y[:-2]) + y[k % 6] / 3.0
                y[(k + 1) % 6] = y.sum() / 7.0
        same(x, expected)
    finally:
        gc.set_threshold(*threshold)


def test_nothing_leaks() -> None:
    x, y, m = np.zeros(100) + 1.0, np.zeros(100) + 2.0, np.zeros((10, 10)) + 1.0
    index = np.array([3, 1, 2]).copy()
    whole = np.array(numpy.arange(100)).copy()

    def work() -> None:
        for _ in range(50):
            (x + y) * 2.0 - x[1] / y
            x[1:-1] = y[1:-1] + whole[1:-1]
            x[index] = 1.0
            np.add.at(x, index, 1.0)
            m.T.sum(), np.sin(m), x.astype(int), numpy.asarray(x), np.where(x < y, x, y), m @ m
            y.copy(), np.bincount(index), x.mean(), x == y, x ** 2, x[index], np.zeros(3), 1j * x, numpy.float32(2) * x

    def blocks() -> int:
        gc.collect()
        return sys.getallocatedblocks()

    for _ in range(5):
        work()
    before = blocks()
    for _ in range(20):
        work()
    assert blocks() - before < 900  # of 1000 times


def test_threads_that_write_and_look() -> None:
    x = np.zeros(2000) + 1.0
    wrong: list[Any] = []

    def write() -> None:
        for k in range(300):
            x[...] = float(k)

    def look() -> None:
        for _ in range(300):
            seen = numpy.asarray(x)
            first = seen.copy()
            if not numpy.array_equal(first, seen):
                wrong.append(seen)
            x[:10] + x[10:20] * 2.0

    threads = [threading.Thread(target=target) for target in (write, look, look, write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_trace_is_not_passed_by() -> None:
    factor = np.zeros(4) + 3.0

    @lazyarr.accelerate(always=True)
    def scaled(x: Any) -> Any:
        return x * factor + factor[1]

    given_array = numpy.arange(4.0)
    for _ in range(3):
        numpy.testing.assert_array_equal(scaled(given_array), given_array * 3.0 + 3.0)
    factor[1] = 5.0
    numpy.testing.assert_array_equal(scaled(given_array), given_array * [3.0, 5.0, 3.0, 3.0] + 5.0)


def test_warnings_and_errors_of_numpy_stay_out() -> None:
    x = np.zeros(3)
    with numpy.errstate(all="raise"):
        same(np.array(1.0) / x[0], numpy.array(numpy.inf)[()])
        same(1.0 / (x + 0.0), numpy.full(3, numpy.inf))
        same(np.log(x + 0.0), numpy.full(3, -numpy.inf))


def test_settings_switch_it_off() -> None:
    with lazy_settings.settings(fast_path=0):
        assert compiled.function(numpy.sum, (np.zeros(3) + 1.0,), {}) is None
    assert float(compiled.function(numpy.sum, (np.zeros(3) + 1.0,), {})) == 3.0
    with lazy_settings.settings(eager_below=0):
        assert compiled.function(numpy.sum, (np.zeros(3) + 1.0,), {}) is None


@pytest.mark.parametrize(
    "write",
    [
        lambda m, x: operator.setitem(x, [1, 2], 5),
        lambda m, x: operator.setitem(x, (m.array([1]),), 5),
        lambda m, x: operator.setitem(x, slice(m.int64(1), None), 5),
        lambda m, x: operator.setitem(x[::2], [0], 5),
        lambda m, x: x.__setitem__(0, 5),
        lambda m, x: m.nan_to_num(x, False),
        lambda m, x: m.nan_to_num(x[1:], copy=False),
    ],
)
def test_what_was_shown_is_copied_by_each_way_to_write(way: None, write: Callable[..., Any]) -> None:
    values = numpy.array([1.0, 2.0, numpy.nan, 4.0])
    expected, found = values.copy(), lazy(values, light=True)
    shown = numpy.asarray(found)
    write(numpy, expected)
    write(np, found)
    same(found, expected)
    same(np.array(shown), values)


def test_what_was_shown_is_written_to_after_the_extension_was_switched_off() -> None:
    found = lazy(numpy.arange(4.0), light=True)
    shown = numpy.asarray(found)
    with lazy_settings.settings(fast_path=0):
        found[1] = 9
    assert found.tolist() == [0, 9, 2, 3] and shown.tolist() == [0, 1, 2, 3]


def test_writing_by_an_argument_given_by_position_leaves_what_was_recorded(way: None) -> None:
    found = np.array([1.0, numpy.nan, 3.0])
    recorded = found[:, None] * np.ones((3, 40_000))
    assert np.nan_to_num(found, False) is found
    same(found, numpy.array([1.0, 0.0, 3.0]))
    same(recorded[:, 0].copy(), numpy.array([1.0, numpy.nan, 3.0]))


def test_threads_look_at_arrays_while_others_write() -> None:
    found, whole = lazy(numpy.arange(3000.0), light=True), np.arange(3000)
    wrong: list[Any] = []

    def write() -> None:
        nonlocal found
        try:
            for _ in range(300):
                found += whole  # NumPy casts `whole`, and lets other threads run meanwhile
                found.sort()
                found[[1, 2]] = 3
        except ValueError as error:
            wrong.append(error)

    def look() -> None:
        for _ in range(300):
            shown = numpy.asarray(found)
            before = shown.copy()
            found[0]
            if not numpy.array_equal(shown, before):
                wrong.append(before)

    with switching_often():
        threads = [threading.Thread(target=run) for run in (write, write, look, look)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_views_of_data_that_is_one_element_repeated_have_their_arrays_strides(way: None) -> None:
    repeated = numpy.broadcast_to(numpy.ones(1), (6,))
    found = LazyArray._new(leaf(repeated, ArrayType(repeated.dtype, repeated.shape)))
    assert found.strides == (8,) and found[()].strides == (8,) and found[::-2].strides == (-16,)


@pytest.mark.parametrize("name", ["array", "asarray"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "?", "c16", "u1", "f2"])
def test_arrays_of_numpys_are_copied(name: str, dtype: str, way: None) -> None:
    whole = numpy.arange(12).astype(dtype)
    matrix = whole.reshape(3, 4)
    for x in (whole, matrix.T, whole[::-1], matrix[:, ::2], whole[:0], whole[3:4].reshape(())):
        ways: list[tuple[Any, ...]] = [(), ("f8",), (int,), (complex,), (bool,), (numpy.float32,), (None,)]
        for how in ways:
            if x.dtype.kind == "c" and how and numpy.dtype(how[0]).kind != "c":
                continue  # (NumPy warns of it.)
            for named in (False, True) if how else (False,):
                expected = getattr(numpy, name)(x, dtype=how[0]) if named else getattr(numpy, name)(x, *how)
                found = getattr(np, name)(x, dtype=how[0]) if named else getattr(np, name)(x, *how)
                assert isinstance(found, LazyArray)
                shown = numpy.asarray(found)
                assert (shown.dtype, shown.shape) == (expected.dtype, expected.shape)
                assert numpy.array_equal(shown, expected)
                if name == "array":
                    assert found.strides == expected.strides
                before = x.copy()
                found[...] = 1
                assert numpy.array_equal(x, before)
                again = getattr(np, name)(found)
                assert (again is found) == (name == "asarray")
