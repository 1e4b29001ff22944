"""What masks and positions select of NumPy's data, and `where`, in C; and of large lazy arrays, at once."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lazyarr.numpy as lnp
from lazyarr.little.extension import compiled
from lazyarr.settings import settings

in_c = pytest.mark.skipif(compiled is None, reason="the extension in C was not built")
DTYPES = ("?", "i1", "u1", "i2", "u2", "f2", "i4", "f4", "i8", "u8", "f8", "c8", "c16")


def _data(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, Any]:
    made = np.random.default_rng(seed).integers(0, 100, shape)
    return (made % 2 == 0) if dtype == "?" else made.astype(dtype)


def _masks(n: int) -> list[np.ndarray[Any, Any]]:
    rng, at = np.random.default_rng(n), np.arange(n)
    found = [rng.random(n) < share for share in (0.0, 0.01, 0.07, 0.5, 0.93, 0.99, 1.0)]
    found += [at < n // 2, at >= n // 2, at % 2 == 0, at // 40 % 2 == 0, at == n - 1, at == 0, at < 33, at > n - 34]
    return found


@in_c
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 257, 1000])
def test_selections_and_writes(n: int) -> None:
    for mask, dtype in itertools.product(_masks(n), ("i1", "i2", "f4", "f8", "c16")):
        x = _data(dtype, (n,), 1)
        found = compiled.select(x, mask)
        np.testing.assert_array_equal(found, x[mask], strict=True)
        ours, theirs, values = x.copy(), x.copy(), _data(dtype, (int(mask.sum()),), 2)
        assert compiled.put(ours, mask, values) is True
        theirs[mask] = values
        np.testing.assert_array_equal(ours, theirs, strict=True)


@in_c
@pytest.mark.parametrize("dtype", DTYPES)
def test_types_and_rows(dtype: str) -> None:
    shapes = ((70,), (9, 11), (9, 11), (50, 3), (6, 5, 4), (6, 5, 4), (40, 0))
    for shape, axes in zip(shapes, (1, 1, 2, 1, 2, 1, 1), strict=True):
        x = _data(dtype, shape)
        for share in (0.0, 0.3, 0.8, 1.0):
            mask = np.random.default_rng(5).random(shape[:axes]) < share
            np.testing.assert_array_equal(compiled.select(x, mask), x[mask], strict=True)
            ours, theirs, values = x.copy(), x.copy(), _data(dtype, x[mask].shape, 3)
            assert compiled.put(ours, mask, values) is True
            theirs[mask] = values
            np.testing.assert_array_equal(ours, theirs, strict=True)


@in_c
def test_bools_that_are_not_one() -> None:
    mask = np.random.default_rng(0).integers(0, 3, 1000).astype(np.uint8) * 100
    x = np.arange(1000.0)
    np.testing.assert_array_equal(compiled.select(x, mask.view(bool)), x[mask != 0], strict=True)
    ours, values = x.copy(), -np.arange(1.0, (mask != 0).sum() + 1)
    assert compiled.put(ours, mask.view(bool), values)
    np.testing.assert_array_equal(ours[mask != 0], values)
    np.testing.assert_array_equal(ours[mask == 0], x[mask == 0])
    np.testing.assert_array_equal(compiled.where(mask.view(bool), x, 0.5), np.where(mask != 0, x, 0.5), strict=True)


@in_c
def test_what_is_left_to_numpy() -> None:
    x, mask = np.arange(24.0).reshape(4, 6), np.arange(24).reshape(4, 6) % 3 == 0
    assert compiled.select(x.T, mask.T) is None
    assert compiled.select(x, mask[:, :5]) is None
    assert compiled.select(x, mask.T) is None
    assert compiled.select(x[:, ::2], mask[:, ::2]) is None
    assert compiled.select(x.ravel(), mask) is None
    flat, chosen = x.ravel(), mask.ravel()
    values = flat[chosen] + 1
    for wrong in (values[1:], values.astype("f4"), values[None], np.array(1.0), np.repeat(values, 2)[::2]):
        before = flat.copy()
        assert compiled.put(flat, chosen, wrong) is False
        np.testing.assert_array_equal(flat, before)
    fixed = flat.copy()
    fixed.flags.writeable = False
    assert compiled.put(fixed, chosen, values) is False
    # Values, or a mask, in the memory that is written to.
    assert compiled.put(flat, chosen, flat[: len(values)]) is False
    bools = chosen.copy()
    assert compiled.put(bools, bools, np.zeros(bools.sum(), bool)) is False


@in_c
def test_positions() -> None:
    x = np.arange(9000.0)
    at = np.random.default_rng(0).integers(-9000, 9000, 5000)
    np.testing.assert_array_equal(compiled.select(x, at), x[at], strict=True)
    rows = x.reshape(3000, 3)
    np.testing.assert_array_equal(compiled.select(rows, at // 3), rows[at // 3], strict=True)
    np.testing.assert_array_equal(compiled.select(x, at.reshape(50, 100)), x[at.reshape(50, 100)], strict=True)
    at[77] = 9000
    assert compiled.select(x, at) is None


NUMBERS = (0, 1, -2, 2**40, True, 1.5, -0.0, 1e300, float("nan"), float("inf"), 1j, np.float64(3), np.float32(2.5),
           np.int64(4), np.bool_(True))  # fmt: skip


@in_c
@pytest.mark.parametrize("dtype", DTYPES)
def test_where(dtype: str) -> None:
    x, y = _data(dtype, (77,)), _data(dtype, (77,), 1)
    mask = np.random.default_rng(2).random(77) < 0.5
    others: list[Any] = [x, y, x[::-1], x[:1], x.reshape(7, 11), x.real.astype("f8"), *NUMBERS]
    where: Any = np.where
    for one, other in itertools.product(others, others):
        with np.errstate(all="ignore"):
            try:
                expected = where(mask, one, other)
            except (ValueError, TypeError, OverflowError) as error:
                with pytest.raises(type(error)):
                    compiled.where(mask, one, other)
                continue
            found = compiled.where(mask, one, other)
        np.testing.assert_array_equal(found, expected, strict=True)
        if expected.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))


def test_where_as_it_is_called() -> None:
    x = np.arange(12.0).reshape(3, 4)
    lazy = lnp.array(x)
    for np_, a in ((np, x), (lnp, lazy)):
        with pytest.raises(ValueError, match="either both or neither of x and y should be given"):
            np_.where(a > 3, a)
    for found, expected in zip(lnp.where(lazy > 3), np.where(x > 3), strict=True):
        np.testing.assert_array_equal(np.asarray(found), expected, strict=True)
    found = np.asarray(lnp.where(lazy, 1, lazy.T[:3, :1]))
    np.testing.assert_array_equal(found, np.where(x, 1, x.T[:3, :1]), strict=True)
    np.testing.assert_array_equal(np.asarray(lnp.where(lazy > 3, lazy, 0)), np.where(x > 3, x, 0), strict=True)


# -- of large arrays, by a mask that has to be known -----------------------------------------------------------------

N = 3000


def _read(np: Any, a: Any, b: Any, m: Any) -> Any:
    return a[m], a[b > 50], (a * 2 + b)[m], a[m].sum(), len(a[a > 70])


def _written(np: Any, a: Any, b: Any, m: Any) -> Any:
    a[m] *= 2
    a[b > 50] += b[b > 50]
    a[a < 10] = a[a < 10] ** 2 + 1
    b[m & (a > 5)] = (a * 3)[m & (a > 5)]
    return a, b


def _before_pending(np: Any, a: Any, b: Any, m: Any) -> Any:
    pending, view = a * 3 + 1, a[5:50]
    a[m] = a[m] * 2
    again = view + 1
    a[m] -= b[m]
    return a, pending, view, again


def _into_views(np: Any, a: Any, b: Any, m: Any) -> Any:
    table = a.reshape(-1, 10)
    rows = table[:, 0] > 30
    table[rows] *= 2
    table[1:][rows[1:]] = table[:-1][rows[1:]]
    part = a[: N // 2]
    part[m[: N // 2]] = part[m[: N // 2]][::-1]
    table[table > 40] -= 7
    return a, table, part


def _overlapping(np: Any, a: Any, b: Any, m: Any) -> Any:
    # (What NumPy gives where the values are a part of the array itself depends on the order of its steps.)
    count = int(m.sum())
    a[m] = a[:count] + 0
    b[m] = b[m][::-1]
    flags = a > 30
    flags[flags] = a[flags] > 60
    return a, b, flags


def _casts(np: Any, a: Any, b: Any, m: Any) -> Any:
    whole = a.astype(int)
    whole[m] = a[m] * 1.5
    whole[~m] = np.ones(int((~m).sum()), bool)
    a[m] = np.arange(int(m.sum()))
    return a, whole


def _of_numpys(np: Any, a: Any, b: Any, m: Any) -> Any:
    import numpy

    known = numpy.arange(N) % 3 == 0
    a[known] = numpy.arange(1000.0)
    return a[known], a, b[numpy.arange(N) < 7]


def _in_a_loop(np: Any, a: Any, b: Any, m: Any) -> Any:
    for k in range(5):
        a += b * 0.1
        out = (a > 90) | (b < 3)
        b[out] *= -1
        a[a > 90] = 180 - a[a > 90]
        a = a[np.abs(a) < 89 - k]
        b = b[: len(a)]
    return a, b


PROGRAMS = [_read, _written, _before_pending, _into_views, _overlapping, _casts, _of_numpys, _in_a_loop]


@pytest.mark.parametrize("below", [100, 2000])
@pytest.mark.parametrize("run", PROGRAMS)
def test_masks_of_large_arrays(run: Any, below: int) -> None:
    x, y = (_data("f8", (N,), k) for k in range(2))
    mask = np.random.default_rng(3).random(N) < 0.4
    with settings(eager_below=below):
        found = run(lnp, lnp.array(x), lnp.array(y), lnp.array(mask))
        found = [np.asarray(part) for part in found]
    for ours, theirs in zip(found, run(np, x.copy(), y.copy(), mask.copy()), strict=True):
        np.testing.assert_array_equal(ours, np.asarray(theirs), strict=True)


@given(st.data())
def test_any_masks(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 300))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    x = np.arange(float(n))
    with settings(eager_below=1):
        lazy, ours = lnp.array(x), lnp.array(mask)
        chosen = lazy[ours]
        lazy[ours] = chosen * 2 + 1
        np.testing.assert_array_equal(np.asarray(chosen), x[mask], strict=True)
        x[mask] = x[mask] * 2 + 1
        np.testing.assert_array_equal(np.asarray(lazy), x, strict=True)


@pytest.mark.parametrize("below", [100, 10**6])
def test_layouts(below: int) -> None:
    x = np.arange(61 * 7 * 30.0).reshape(61, 7, 30)
    ways: list[Any] = [lambda np, a: a.transpose(0, 2, 1), lambda np, a: np.asfortranarray(a), lambda np, a: a[:, ::-1]]
    for turned in ways:
        theirs = turned(np, x)
        with settings(eager_below=below):
            ours = turned(lnp, lnp.array(x))
            for mask in (np.arange(61) % 2 == 0, theirs > 1000, theirs[:, :, 0] > 1000):
                found, expected = ours[lnp.array(mask)], theirs[mask]
                assert found.strides == expected.strides
                np.testing.assert_array_equal(np.asarray(found), expected, strict=True)


def test_wrong_counts_and_shapes() -> None:
    x = np.arange(float(N))
    with settings(eager_below=100):
        lazy = lnp.array(x)
        for np_, a in ((np, x.copy()), (lnp, lazy)):
            with pytest.raises(ValueError, match="cannot assign 5 input values to the 10 output values"):
                a[a < 10] = np_.arange(5.0)
            with pytest.raises(IndexError, match="boolean index did not match"):
                a[np_.arange(7) > 3]
            with pytest.raises(TypeError, match="requires a 0 or 1-dimensional input"):
                a[a < 10] = np_.ones((5, 2))
            np.testing.assert_array_equal(np.asarray(a), x)


def test_selections_are_arrays_of_their_own() -> None:
    with settings(eager_below=100):
        a = lnp.arange(float(N))
        shown = np.asarray(a)
        chosen = a[a > 5]
        chosen[:] = 0
        a[a > 10] = a[a > 10] + 1
        assert shown[20] == 20.0
        assert float(a[20]) == 21.0
        assert float(a[8]) == 8.0
