"""Little work outside accelerated functions, which NumPy does at once."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.numpy as lnp
from lazyarr.gains import gains
from lazyarr.little.extension import compiled
from lazyarr.settings import settings
from tests.agree import agree, is_computed

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
             operator.lt, operator.ge, operator.eq]  # fmt: skip
IN_PLACE: list[Callable[[Any, Any], Any]] = [operator.iadd, operator.imul, operator.isub, operator.ipow]
OPERANDS = [np.arange(6.0), np.arange(6).reshape(2, 3), np.linspace(-1, 1, 6, dtype="f4"), np.ones((3, 2)).T,
            np.array([True, False]), np.float64(2.5), np.int8(3), 2, 0.5, 1j, np.array(4.0), np.arange(3) * 1j,
            np.zeros((2, 0)), np.arange(12.0)[::-2], np.array([200, 100], np.uint8)]  # fmt: skip


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    with settings(eager_below=1000):
        yield


@pytest.mark.parametrize("operation", OPERATORS, ids=lambda f: f.__name__)
def test_operators_agree(operation: Callable[..., Any]) -> None:
    for x in OPERANDS:
        for y in OPERANDS:
            if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
                agree(lambda n, x, y: operation(x, y), x, y)


@pytest.mark.parametrize("operation", IN_PLACE, ids=lambda f: f.__name__)
def test_operators_in_place_agree(operation: Callable[..., Any]) -> None:
    for x in OPERANDS:
        for y in OPERANDS:
            if isinstance(x, np.ndarray):
                agree(lambda n, x, y: (operation(x, y), x), x, y)


@pytest.mark.parametrize("name", ["sqrt", "sin", "absolute", "negative", "square", "floor", "exp", "isnan", "sign"])
def test_functions_agree(name: str) -> None:
    for x in OPERANDS:
        agree(lambda n, x: getattr(n, name)(x), x)


def test_little_work_is_done_at_once() -> None:
    x = lnp.arange(6.0)
    y = (x + 1) * x / 2.0
    z = lnp.where(y > 3, y, 0).sum()
    assert all(map(is_computed, (x, y, z, x[1:], x.reshape(2, 3), lnp.sort(x)[::-1])))
    np.testing.assert_array_equal(np.asarray(y), (np.arange(6.0) + 1) * np.arange(6.0) / 2)


def test_much_work_is_recorded() -> None:
    assert not is_computed(lnp.ones(1000) + 1)
    x = lnp.asarray(np.arange(999.0))
    assert is_computed(x + 1)
    assert not is_computed(lnp.sin(x)), "a sine costs as much as many additions"
    assert not is_computed(lnp.broadcast_to(x, (50, 999)))


@pytest.mark.parametrize("fast_path", [0, 1])
def test_work_is_weighed_by_dtype(fast_path: int) -> None:
    """What NumPy computes one element at a time is recorded sooner: of complex numbers most functions."""
    with settings(eager_below=1000, fast_path=fast_path):
        x = lnp.array(np.linspace(0.1, 1.0, 500))
        f, z = x.astype("f4"), x + 1j
        at_once = [lnp.sin(f), lnp.exp(x), x * x, z * z, z + 1, lnp.abs(z), z.conj(), x / 3]
        recorded = [lnp.sin(x), x % 0.3, lnp.hypot(x, x), lnp.exp(z), lnp.log(z), z / z, z**1.5]
        assert [is_computed(found) for found in at_once] == [True] * len(at_once)
        assert [is_computed(found) for found in recorded] == [False] * len(recorded)
        y, g, c = (np.asarray(array) for array in (x, f, z))
        want = [np.sin(g), np.exp(y), y * y, c * c, c + 1, np.abs(c), c.conj(), y / 3,
                np.sin(y), y % 0.3, np.hypot(y, y), np.exp(c), np.log(c), c / c, c**1.5]  # fmt: skip
        for found, expected in zip((*at_once, *recorded), want, strict=True):
            np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6 if expected.dtype == "f4" else 1e-14)
            assert found.dtype == expected.dtype


def test_work_on_what_is_recorded_is_recorded() -> None:
    x = lnp.ones(2000) + 1
    assert not is_computed(x[:3] + 1)


def test_nothing_is_done_at_once_where_the_setting_is_0() -> None:
    with settings(eager_below=0):
        assert not is_computed(lnp.arange(3.0) + 1)


def test_views_and_writes() -> None:
    def function(n: Any, x: Any) -> Any:
        u = x.copy()
        v, w = u[1:-1], u[::-1]
        v += 1
        w[0] = v.sum()
        u[u > 4] *= 2
        t = u.reshape(2, -1).T
        t[1] -= t[0]
        x += u[:, None].T[0]
        return u, v, w, t

    agree(function, np.arange(6.0))
    agree(function, np.arange(6))


def test_errors_are_numpys() -> None:
    agree(lambda n, x: x + n.arange(4), np.arange(3))
    agree(lambda n, x: x**-1, np.arange(3))
    agree(lambda n, x: x[5], np.arange(3))
    agree(lambda n, x: IN_PLACE[0](x, 0.5), np.arange(3))


def test_division_by_zero_warns_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    x = lnp.arange(3.0) / 0
    assert np.isinf(np.asarray(x)[1:]).all()
    assert not recwarn.list


def test_what_was_read_before_stays() -> None:
    x = lnp.asarray(np.random.default_rng(0).random(5))
    before = np.asarray(x).copy()
    y = x[1:4]
    z = y * 1
    x[2] = 7.0
    np.testing.assert_array_equal(np.asarray(z), before[1:4])
    assert float(y[1]) == 7.0


def test_traced_functions_record_everything() -> None:
    @lazyarr.accelerate(strict=True)
    def function(x: Any) -> Any:
        return ((x + 1) * 2).sum()

    compiled: Any = function
    assert compiled(np.arange(3.0)) == 12.0
    assert "1 region" in str(compiled.explain(np.arange(3.0)))


def test_few_elements_of_a_large_array_are_read_at_once() -> None:
    data = np.arange(20_000.0).reshape(4000, 5)
    x, places = lnp.asarray(data), np.array([3, -1, 999, 0])
    assert is_computed(x[places]) and is_computed(x[x > 19_990])
    assert not is_computed(x[np.arange(900)]) and not is_computed(x.sum())
    before = x[places]
    agree(lambda n, x: (x[places], x[places, 1], x[:, places % 5][places], x[x > 19_990], n.take(x, places)), data)
    x[:] = 0
    np.testing.assert_array_equal(np.asarray(before), data[places])
    with pytest.raises(IndexError, match="index 4000 is out of bounds for axis 0 with size 4000"):
        x[np.array([0, 4000])]


def test_products_of_large_matrices_that_are_little_are_made_at_once() -> None:
    data = np.arange(3600.0).reshape(60, 60) / 100 % 7
    x = lnp.asarray(data)
    assert all(map(is_computed, (x @ x[:, 0], x[3] @ x[:, 3:], x.T[:4] @ x)))
    assert not is_computed(x @ x) and not is_computed(x * 2) and not is_computed((x + 1) @ x[0])
    agree(lambda n, x: (x @ x[:, 0], x[3] @ x[:, 3:], x.T[:4] @ x[::-1], n.dot(x[::2, 1], x[::2]), x[:0] @ x), data)
    product = x @ x[0]
    x[:] = 1
    np.testing.assert_array_equal(np.asarray(product), data @ data[0])


@pytest.mark.skipif(compiled is None, reason="the extension in C was not built")
def test_short_evaluations_are_not_recorded_for_some_time() -> None:
    x = np.arange(1500.0)
    with settings(eager_below=1000):
        a = lnp.array(x)
        for k in range(20):
            a = a * 1.5
            x = x * 1.5
            assert float(a[k]) == x[k]
            assert bool((a == lnp.array(x)).all())
        assert is_computed(a + 1.0)
        assert not is_computed(lnp.concatenate([a, a]) * 2.0)  # twice the size is too much
        for _ in range(1000):
            a + 1.0
        assert not is_computed(a + 1.0)
        np.testing.assert_array_equal(np.asarray(a), x)


@pytest.mark.skipif(compiled is None, reason="the extension in C was not built")
def test_long_evaluations_are_recorded() -> None:
    x = np.arange(1500.0)
    with settings(eager_below=1000):
        a = lnp.array(x)
        for _ in range(20):
            for _ in range(10):
                a, x = a * 1.5 + 0.25, x * 1.5 + 0.25
            np.testing.assert_allclose(np.asarray(a), x, rtol=1e-12)
        assert not is_computed(a + 1.0)


@pytest.mark.skipif(compiled is None, reason="the extension in C was not built")
def test_a_program_begins_with_more_at_once() -> None:
    """Of arithmetic: what is not fused with other has its own limits at all times."""
    x = np.arange(2500.0)
    with settings(eager_below=1000):
        a, much = lnp.array(x), lnp.array(np.arange(20_000.0))
        assert not is_computed(a + 1.0)
        gains.begin()
        assert is_computed(a + 1.0)
        assert not is_computed(lnp.concatenate([a, a]) + 1.0)
        assert not is_computed(much.sum())
        assert not is_computed(much[np.arange(3000)])
        for _ in range(4010):
            b = a + 1.0
        assert not is_computed(b)
        np.testing.assert_array_equal(np.asarray(b), x + 1.0, strict=True)


def test_positions_that_are_not_computed() -> None:
    """They have to be, to see whether all are there: then little is read at once."""
    table = np.arange(900.0).reshape(300, 3)
    with settings(eager_below=1000):
        places = np.arange(-300, 1100) % 299
        given, at = lnp.array(table), lnp.array(places)
        assert not is_computed(at + 1)
        assert is_computed(given[:, 0].copy()[at + 1]) and not is_computed(given[at + 1])
        agree(lambda n, x, i: (x[i + 1], x[:, 0].copy()[i + 1], x[:, 0][i - 300 * (i > 0)], x.T[i % 3]), table, places)
        with pytest.raises(IndexError, match="index 300 is out of bounds for axis 0 with size 300"):
            given[:, 0].copy()[at + 2]


def test_what_is_short() -> None:
    """What one asks for, and all on the way that somebody holds, in NumPy's bits; and work that is none of it."""
    x = np.random.default_rng(0).normal(size=1500)
    with settings(eager_below=1000):
        a = lnp.array(x)
        between = np.sin(a) * 0.5
        found = (between + 1.0).sum()
        assert float(found) == (np.sin(x) * 0.5 + 1.0).sum()
        np.testing.assert_array_equal(np.asarray(between), np.sin(x) * 0.5, strict=True)
        mask = (a > 0) & ~(a > 1) | np.isnan(a)
        np.testing.assert_array_equal(np.asarray(mask), (x > 0) & ~(x > 1) | np.isnan(x), strict=True)
        view = a.reshape(30, 50).T
        np.testing.assert_array_equal(np.asarray(view + 1), x.reshape(30, 50).T + 1, strict=True)
        assert np.asarray(view + 1).strides == (x.reshape(30, 50).T + 1).strides
        assert int((view * 2).argmax()) == int((x.reshape(30, 50).T * 2).argmax())
        np.testing.assert_array_equal(np.asarray(np.where(a > 0, a, -a)), np.abs(x), strict=True)


def test_what_reads_the_same_data_is_computed_in_one_pass() -> None:
    x = np.random.default_rng(1).normal(size=40_000)
    with settings(eager_below=3000):
        a = lnp.array(x)
        low, high, beside = a.min(), a.max(), lnp.array(x[::-1]).max()
        assert not is_computed(high)
        assert float(low) == x.min()
        assert is_computed(high)
        assert not is_computed(beside)
        assert (float(high), float(beside)) == (x.max(), x.max())
