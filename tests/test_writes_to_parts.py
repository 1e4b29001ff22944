"""Writes of little to large arrays, one after the other: the large array is not copied for each of them."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import Value, apply
from lazyarr.ir.types import ArrayType
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.ops.index import UPDATE_SLICE
from lazyarr.ops.shape import SLICE
from lazyarr.settings import settings
from tests.agree import agree

F64 = np.dtype(np.float64)


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    with settings(eager_below=100):
        yield


def _written(x: Value, value: Value, at: int) -> Value:
    return apply(UPDATE_SLICE, x, value, start=(at,), stop=(at + 2,), step=(1,))


def test_interpreted_writes_go_to_memory_that_nobody_else_has() -> None:
    x, value = param(0, ArrayType(F64, (6,))), param(1, ArrayType(F64, (2,)))
    made = apply(ELEMENTWISE["negative"], x)
    last = _written(_written(made, value, 0), value, 3)
    given, part = np.arange(6.0), np.array([10.0, 20.0])
    (found,) = interpret(Graph([x, value], [last]), [given, part])
    assert found.tolist() == [10.0, 20.0, -2.0, 10.0, 20.0, -5.0]
    assert given.tolist() == list(range(6))


def test_interpreted_writes_one_after_the_other_copy_nothing() -> None:
    x, value = param(0, ArrayType(F64, (1_000_000,))), param(1, ArrayType(F64, (2,)))
    written = made = apply(ELEMENTWISE["negative"], x)
    for k in range(0, 40, 2):
        written = _written(written, value, k)
    graph, given, part = Graph([x, value], [written]), np.arange(1e6), np.array([10.0, 20.0])
    tracemalloc.start()
    (found,) = interpret(graph, [given, part])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[:42].tolist() == [10.0, 20.0] * 20 + [-40.0, -41.0]
    assert most < 1.5 * made.type.nbytes


def test_interpreted_writes_leave_what_is_read_later() -> None:
    """An argument, a value that is read again, a result, and what a view sees."""
    x, value = param(0, ArrayType(F64, (6,))), param(1, ArrayType(F64, (2,)))
    of_argument = _written(x, value, 0)
    made = apply(ELEMENTWISE["negative"], x)
    view = apply(SLICE, made, start=(1,), stop=(3,), step=(1,))
    first = _written(made, value, 1)
    of_view = apply(ELEMENTWISE["add"], view, value)
    second = _written(first, value, 4)
    both = apply(ELEMENTWISE["add"], first, second)
    given, part = np.arange(6.0), np.array([10.0, 20.0])
    found = interpret(Graph([x, value], [of_argument, second, of_view, both, first]), [given, part])
    assert [f.tolist() for f in found] == [
        [10, 20, 2, 3, 4, 5], [0, 10, 20, -3, 10, 20], [9, 18], [0, 20, 40, -6, 6, 15], [0, 10, 20, -3, -4, -5],
    ]  # fmt: skip
    assert given.tolist() == list(range(6))


def paths(np: Any, x: Any, steps: int) -> Any:
    """Columns, each of the one before; what is pending is written to a large array."""
    a = np.empty((len(x), steps + 1))
    a[:, 0] = x
    kept = []
    for k in range(steps):
        before = a[:, k]
        b = np.exp(-before) + np.sin(before) * 0.5
        kept.append((before, b))
        a[:, k + 1] = 1 / (1 + b)
    return a, kept[::7]


def rows_and_parts(np: Any, x: Any, steps: int) -> Any:
    """Rows and parts of them, an array that is kept from before, and a view that is written through."""
    a = np.zeros((steps, len(x)))
    copies = []
    for k in range(1, steps):
        b = np.sqrt(np.abs(a[k - 1] + x)) + 1
        if k % 5 == 0:
            copies.append(a.copy())
        view = a[k]
        view[:] = b
        a[k, ::2] = np.cos(b[::2] * 2) - b[1::2]
        a[k, 1:3] *= 2
    return a, copies, a.T[3]


def onto_itself(np: Any, x: Any, steps: int) -> Any:
    a = np.ones((steps, len(x)))
    for k in range(1, steps):
        a[k] = np.exp(-a[:k].sum(0)) + a[k - 1] * x
        if k == 3:
            b = a
            a = a + 0
    return a, b


@pytest.mark.parametrize("program", [paths, rows_and_parts, onto_itself])
@pytest.mark.parametrize("size", [60, 90, 400])
def test_parts_of_large_arrays(program: Any, size: int) -> None:
    for _ in range(3):
        agree(program, np.linspace(0.1, 2, size), 40, rtol=64)


def test_a_large_array_is_not_copied_for_each_part() -> None:
    """What is pending is computed as it is written, so the array stays its own, where it was."""
    with settings(eager_below=1000):
        a = lnp.zeros((900, 20))
        a[0, 0] = 1
        memory = a._mine.ctypes.data
        for k in range(12):
            pending = lnp.sin(-a[:, k]) * np.float64(0.5)  # (sines of so many are no little work)
            assert pending._mine is None
            a[:, k + 1] = pending
        assert a._mine.ctypes.data == memory


def _index(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """A basic index, mostly of few elements, or of most of them."""
    found: list[Any] = []
    for n in shape[: int(rng.integers(1, len(shape) + 1))]:
        kind = int(rng.integers(6))
        if kind == 0 or n < 4:
            found.append(slice(None))
        elif kind < 3:
            found.append(int(rng.integers(-n, n)))
        elif kind == 3:
            start = int(rng.integers(n - 3))
            found.append(slice(start, start + 3))
        else:
            found.append(slice(int(rng.integers(0, 3)), None, int(rng.choice([1, 1, 2, -1]))))
    return tuple(found) if len(found) > 1 or rng.random() < 0.3 else found[0]


def views_of_much(m: Any, data: Any, seed: int) -> list[Any]:
    """Reads and writes by views of views, elements and parts, between work on all of an array."""
    rng = np.random.default_rng(seed)
    arrays = [m.array(data), m.array(data) * 2.0]
    found: list[Any] = []
    for step in range(60):
        x = arrays[int(rng.integers(len(arrays)))]
        kind = int(rng.integers(10))
        if kind < 3 and x.ndim:
            part = x[_index(rng, x.shape)]
            if np.ndim(part):
                arrays.append(part)
            found.append(part + 1.0)
        elif kind == 3 and x.ndim == 2:
            arrays.append(x.T)
        elif kind == 4 and x.ndim:
            x[_index(rng, x.shape)] = float(step)
        elif kind == 5 and x.ndim:
            at = _index(rng, x.shape)
            part = x[at]
            x[at] = part * 0.5
            x[at] += 1.0
        elif kind == 6:
            found.append(x.sum())
        elif kind == 7:
            x += 0.25
        elif kind == 8:
            found.append(x * 2.0 - 1.0)
        elif x.ndim and len(x):
            found += [x[0] * 1.0, (x[-1] + 2.0).sum(), x.copy()]
    return [*found, *arrays]


@pytest.mark.parametrize("seed", range(60))
def test_views_of_much(seed: int) -> None:
    data = np.arange(1.0, 401.0).reshape(20, 20) / 8
    for mine, theirs in zip(views_of_much(lnp, data, seed), views_of_much(np, data, seed), strict=True):
        np.testing.assert_allclose(np.asarray(mine), theirs, rtol=1e-12)
        if isinstance(theirs, np.ndarray):
            assert mine.shape == theirs.shape and mine.flags.writeable == theirs.flags.writeable


def test_parts_of_views_of_much_are_looked_at_at_once() -> None:
    """A slice of a large array is one itself: its rows and elements are not recorded one by one."""
    x = lnp.asarray(np.arange(2000.0).reshape(100, 20)) * 1.0
    half = x[10:90]
    assert float(half.sum()) == float(np.arange(2000.0).reshape(100, 20)[10:90].sum())
    for _ in range(2):
        row = half[3]
        assert row._lent is not None
        found = row + 1
        assert found._mine is not None and found.tolist() == (np.arange(260.0, 280.0) + 1).tolist()
        assert row[2:4]._lent is not None and float(half[3, 2]) == 262.0
    x[13, 2] = -1.0  # what was seen is looked for again
    assert float(half[3, 2]) == -1.0 and float(row[2]) == -1.0 and row[1:3].tolist() == [261.0, -1.0]
    x += 1.0
    assert float(half[3, 2]) == 0.0 and row[1:3].tolist() == [262.0, 0.0] and half[3][2:4].tolist() == [0.0, 264.0]


def test_slices_of_much_are_written_in_place() -> None:
    """Elements, rows and parts of a slice that is large itself go to its memory; it is not copied for each."""
    x = lnp.asarray(np.arange(2000.0).reshape(100, 20)) * 1.0
    float(x.sum())
    half, flipped = x[10:90], x[::-1]
    half[3, 2] = -1.0
    place = x._mine.ctypes.data
    half[4] += 1.0
    half[5][2:4] = 0.0
    flipped[0, 0] = 7.0
    half.T[0, 1] = 8.0
    assert x._mine.ctypes.data == place and half._lent is not None and flipped._lent is not None
    expected = np.arange(2000.0).reshape(100, 20)
    expected[13, 2], expected[15, 2:4], expected[99, 0], expected[11, 0] = -1, 0, 7, 8
    expected[14] += 1
    np.testing.assert_array_equal(np.asarray(x), expected)
    assert float(half.sum()) == expected[10:90].sum()
    half[0] = 5.0  # (it has settled, for the sum)
    expected[10] = 5
    np.testing.assert_array_equal(np.asarray(x), expected)


def test_parts_of_zeros_are_written_in_place() -> None:
    """``rho, u = fields[0], fields[1]`` of `numpy.zeros`: the array is made, for what is written to its parts."""
    fields = lnp.zeros((5, 60))
    one, two = fields[0], fields[1]
    assert one._lent is not None and two._lent is not None
    one[3] = 2.0
    two[:] = one * 3.0 + 1.0
    one += two
    expected = np.zeros((5, 60))
    expected[0, 3] = 2
    expected[1] = expected[0] * 3 + 1
    expected[0] += expected[1]
    np.testing.assert_array_equal(np.asarray(fields), expected)
    assert lnp.zeros((5, 60))[1:]._lent is None  # (of much, nothing is made before it is known for what)
