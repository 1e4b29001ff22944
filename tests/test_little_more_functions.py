"""More of NumPy's functions of little data: views, also of data that has settled, arrays by name, ``numpy.r_``."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.settings import settings
from tests.agree import agree
from tests.test_little import is_light
from tests.test_little_functions import MATRIX, POSITIONS, VECTOR


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    with settings(eager_below=2000):
        yield


Call = Callable[[Any, Any, Any], Any]
VIEWS: dict[str, Call] = {
    "swapaxes": lambda np, v, m: np.swapaxes(m, 0, -1),
    "moveaxis": lambda np, v, m: np.moveaxis(m, 0, 1),
    "rollaxis": lambda np, v, m: np.rollaxis(m, 1),
    "fliplr": lambda np, v, m: np.fliplr(m),
    "flipud": lambda np, v, m: np.flipud(m),
    "rot90": lambda np, v, m: np.rot90(m),
    "rot90 twice": lambda np, v, m: np.rot90(m, 2),
    "rot90 not at all": lambda np, v, m: np.rot90(m, 4),
    "rot90 the other way": lambda np, v, m: np.rot90(m, 1, (1, 0)),
    "atleast_1d": lambda np, v, m: np.atleast_1d(v),
    "atleast_2d": lambda np, v, m: np.atleast_2d(v),
    "atleast_2d of a matrix": lambda np, v, m: np.atleast_2d(m),
    "atleast_3d": lambda np, v, m: np.atleast_3d(v),
    "atleast_3d of a matrix": lambda np, v, m: np.atleast_3d(m),
    "squeeze": lambda np, v, m: np.squeeze(m[:1]),
    "squeeze of what has no such axis": lambda np, v, m: np.squeeze(m),
    "expand_dims": lambda np, v, m: np.expand_dims(m, 1),
    "a column as a matrix": lambda np, v, m: m[:, 1].reshape(3, 1),
    "a column by its rest": lambda np, v, m: m[:, 1].reshape((-1, 1)),
    "every other": lambda np, v, m: v[::2].reshape(3, 1),
    "a part in another shape": lambda np, v, m: m[:, :2].reshape(-1),
    "transposed in another shape": lambda np, v, m: m.T.reshape(2, 6),
    "backwards": lambda np, v, m: v[::-1].reshape(2, 3),
    "a column, flat": lambda np, v, m: m[:, 1].ravel(),
    "a part, flat": lambda np, v, m: m[1:, :2].ravel(),
    "an axis too many": lambda np, v, m: np.swapaxes(m, 0, 2),
    "no axes to turn": lambda np, v, m: np.fliplr(v),
    "a shape that does not fit": lambda np, v, m: m[:, 1].reshape(2, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("settled", [False, True])
def test_views(name: str, settled: bool) -> None:
    def program(np: Any, v: Any, m: Any) -> Any:
        v, m = v + 0, m + 0
        if settled:
            np.diagonal(m), np.array_split(v, 2)
        found = VIEWS[name](np, v, m)
        v[1], m[1, 1] = 100.0, 200.0
        again = found.copy()
        found[...] = -found
        found *= 2
        m += 1
        return found, again, v, m, VIEWS[name](np, v, m), found.strides

    agree(program, VECTOR, MATRIX)
    agree(program, VECTOR.astype(np.float32), MATRIX.T.copy().T)


def test_columns_in_another_shape_stay_light() -> None:
    m = lnp.asarray(MATRIX) + 0
    column = m[:, 1].reshape(3, 1)
    assert is_light(m)
    assert is_light(column)
    column += 1
    assert np.array_equal(np.asarray(m)[:, 1], MATRIX[:, 1] + 1)
    assert is_light(m.T.reshape(-1))


JOINED: dict[str, Call] = {
    "r_": lambda np, v, m: np.r_[v, v[1:], 3.0, [1, 2]],
    "a slice of numbers": lambda np, v, m: np.r_[v, 0:4, -1:1:5j, 0:1:0.25],
    "c_": lambda np, v, m: np.c_[v, v * 2],
    "c_ of matrices": lambda np, v, m: np.c_[m, m[:, 0]],
    "an axis": lambda np, v, m: np.r_["1,2,0", v, v],
    "of several axes": lambda np, v, m: np.r_["-1", m, m],
    "one": lambda np, v, m: np.r_[v],
    "a number": lambda np, v, m: np.r_[v[0], v[1]],
    "that do not fit": lambda np, v, m: np.c_[v, m],
    "without an end": lambda np, v, m: np.r_[v, 1:],
}


@pytest.mark.parametrize("name", JOINED)
def test_joined(name: str) -> None:
    def program(np: Any, v: Any, m: Any) -> Any:
        v, m = v + 0, m + 0
        found = JOINED[name](np, v, m)
        found[0] = 5
        return found, v, m

    agree(program, VECTOR, MATRIX)


def test_what_is_joined_is_light_or_large() -> None:
    v = lnp.asarray(VECTOR) + 0
    assert is_light(lnp.r_[v, 0:5])
    assert is_light(lnp.c_[v, v])
    assert lnp.r_[v, 0:5000].shape == (5006,)
    assert not is_light(lnp.r_[v, 0:5000])


NAMED: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "average": lambda np, v, m, k: np.average(v, weights=v + 9),
    "average of rows": lambda np, v, m, k: np.average(m, axis=1, weights=m[0]),
    "trapezoid": lambda np, v, m, k: (np.trapezoid(v, v), np.trapezoid(v, x=v.cumsum())),
    "diff": lambda np, v, m, k: np.diff(v, prepend=v[:2], append=0),
    "where": lambda np, v, m, k: (np.sum(m, where=m > 2), np.mean(m, axis=0, where=m > 0.1)),
    "cov": lambda np, v, m, k: np.cov(m, aweights=m[0], ddof=0),
    "ddof": lambda np, v, m, k: (np.std(v, ddof=1), np.var(m, axis=0, ddof=2), v.std(ddof=1), m.var(0, ddof=1)),
    "correction": lambda np, v, m, k: np.var(v, correction=1),
    "pad": lambda np, v, m, k: (np.pad(m, 1, mode="reflect"), np.pad(v, (2, 1), constant_values=(3, 4))),
    "repeat": lambda np, v, m, k: (np.repeat(m, 2, axis=0), np.repeat(v, repeats=3), np.tile(v, reps=(2, 2))),
    "vander": lambda np, v, m, k: np.vander(v, N=3, increasing=True),
    "a type": lambda np, v, m, k: (np.array(v, dtype=int), np.asarray(v, dtype=float), np.asarray(m, dtype="f4")),
    "a type that loses the imaginary part": lambda np, v, m, k: np.array(v + 1j, dtype=complex),
    "positions of numbers": lambda np, v, m, k: (np.unravel_index(7, (3, 4)), np.unravel_index(m.argmax(), m.shape)),
    "positions outside": lambda np, v, m, k: np.unravel_index(12, (3, 4)),
}


@pytest.mark.parametrize("name", NAMED)
def test_arguments_by_name(name: str) -> None:
    agree(NAMED[name], VECTOR, MATRIX, POSITIONS)
    agree(NAMED[name], VECTOR.astype(np.float32), MATRIX.T.copy().T, POSITIONS)


#: Parts of an array of 6 by 8 elements: some lie between one another, some have elements of others.
PARTS = ("0", "-1", "0:2", "2:4", "::2", "1::2", "::-2", "-2::-2", "1:7:3", ":, 0", ":, 1", ":, -1", ":, ::2",
         ":, 1::2", "::2, 1", "1::2, 1", "::2, ::2", "1::2, ::2", "::2, 1::2", "::-2, ::-2", "1:4, :4", "2:5, 1:5",
         "0, 1:5", "0, 2:6", "0, ::2", "0, 1::2", "0, -1::-2", "1, 0", ":1, 0")  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["f8", "f4", "i2", "c16"])
def test_parts_of_an_array_are_written_with_others(part: str, kind: str) -> None:
    """Not of those one-dimensional parts that overlap: NumPy may read what it has written."""
    to = eval(f"np.s_[{part}]")

    def program(np: Any, x: Any) -> Any:
        found = []
        for other in PARTS:
            given = eval(f"np.s_[{other}]", {"np": np})
            y = x + 0
            if y[to].shape == y[given].shape:
                y[to] = y[given] + 0
                y[to] += y[given]
                if y[to].ndim != 1 or not numpy_shares(to, given):
                    y[to] = y[given]
            found.append(y)
        return found

    def numpy_shares(a: Any, b: Any) -> bool:
        x = np.zeros((6, 8))
        return np.shares_memory(x[a], x[b])

    agree(program, np.arange(48).reshape(6, 8).astype(kind))
    agree(program, np.arange(48).reshape(8, 6).T.astype(kind))


SOME_PLACES: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "divide where": lambda np, v, m, k: (
        np.divide(m, v[:4], out=m, where=m > 2), np.sqrt(v, out=v[:], where=v > 1)),
    "divide where into a view": lambda np, v, m, k: np.divide(v[1:], v[:-1], out=v[1:], where=v[:-1] != v[1]),
    "less where into its mask": lambda np, v, m, k: (
        mask := v > 1, np.less(v, v[1], out=mask, where=mask)),
    "where of another shape": lambda np, v, m, k: np.add(v, 1.0, out=v, where=v[1:] > 1),
    "where larger than the target": lambda np, v, m, k: np.add(v[:4], 1.0, out=v[:4], where=m > 1),
    "where of integers": lambda np, v, m, k: np.add(v, 1.0, out=v, where=k),
    "where of a list": lambda np, v, m, k: np.add(v[:2], 1.0, out=v[:2], where=[True, False]),
    "where into another dtype": lambda np, v, m, k: np.add(v[:2], 1.0, out=k[:2], where=v[:2] > 1),
}


@pytest.mark.parametrize("name", SOME_PLACES)
def test_ufuncs_that_write_some_places(name: str) -> None:
    def program(np: Any, *given: Any) -> Any:
        own = [x + 0 for x in given]
        return own, SOME_PLACES[name](np, *own), [x[1:] for x in own]

    agree(program, VECTOR, MATRIX, POSITIONS)
    agree(SOME_PLACES[name], VECTOR, MATRIX.T.copy().T, POSITIONS)


def test_a_type_of_an_array_that_has_it() -> None:
    v = lnp.asarray(VECTOR) + 0
    assert lnp.asarray(v, dtype=float) is v
    again = lnp.array(v, dtype=float)
    again[0] = 99
    assert v[0] == VECTOR[0]


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "sum", "mean"])
def test_degrees_of_freedom_are_of_variances_alone(name: str) -> None:
    x = lnp.arange(5.0)
    with pytest.raises(TypeError, match="ddof"):
        getattr(lnp, name)(x, ddof=1)
    with pytest.raises(TypeError, match="ddof"):
        getattr(x, name)(ddof=1)


def test_nothing_to_divide_by_warns_as_numpy_does() -> None:
    """What warns by itself is not made at once, where nobody would be told what NumPy says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(lambda np, v: (np.var(v[:1], ddof=1), np.std(v, ddof=6)), VECTOR)


def test_large_results_by_name_are_not_made_at_once() -> None:
    v = lnp.asarray(VECTOR) + 0
    large = (lnp.tile(v, reps=1000), lnp.repeat(v, repeats=1000), lnp.pad(v, pad_width=3000), lnp.vander(v, N=1000),
             lnp.diag(v, k=100), lnp.resize(v, 5000))  # fmt: skip
    assert not any(map(is_light, large))


def test_views_of_functions_have_numpys_geometry() -> None:
    def program(np: Any, m: Any) -> Any:
        column = m[:, 1:2]
        found = [np.expand_dims(m, 1), np.expand_dims(m, 0), np.expand_dims(m, 2), np.expand_dims(column, 1),
                 np.squeeze(m), m.squeeze(), np.squeeze(column), np.squeeze(column, 1), m.T.squeeze()]  # fmt: skip
        told = [(x.shape, x.strides, x.flags.owndata, x.flags.num, x.base is None) for x in found]
        found[0][1, 0] = 7
        found[3][0] = 8
        found[4][2] = 9
        found[6][1] = 10
        return told, m

    agree(program, MATRIX)


def test_memory_that_is_shown_is_not_to_be_written() -> None:
    x = lnp.asarray(MATRIX) + 0
    seen = memoryview(x.data)
    assert seen.readonly
    before = bytes(seen)
    x[0] = 100
    assert bytes(seen) == before
    assert bytes(x.data) == np.asarray(x).tobytes()


def test_a_definition_in_one_thread_changes_nothing_in_another() -> None:
    x, found = lnp.arange(5.0) * 1, []

    def called(row: Any) -> Any:
        # (Another thread takes an element while this one is within a definition.)
        thread = threading.Thread(target=lambda: found.append(type(x[1] + 0)))
        thread.start()
        thread.join()
        return row

    lnp.apply_along_axis(called, 0, lnp.ones((2, 3)))
    assert found
    assert set(found) == {np.float64}


def test_turning_an_array_without_axes() -> None:
    def turned(np: Any, v: Any) -> Any:
        x = np.array(2.5)
        found = np.flip(x)
        return found + 1, float(found), np.flip(x) * v, np.sum(np.flip(x)), np.asarray(np.flip(x), dtype="f4")

    agree(turned, VECTOR)


ROWS: list[Callable[..., Any]] = [
    lambda np, m: np.apply_along_axis(lambda r: r.sum() / r.max(), 1, m),
    lambda np, m: np.apply_along_axis(lambda r: r * 2.5, 0, m),
    lambda np, m: np.apply_along_axis(lambda r: [r.min(), r[0]], -1, m),
    lambda np, m: np.apply_along_axis(lambda r: np.outer(r, r), -2, m),
    lambda np, m: np.apply_along_axis(np.sort, 1, m[:, ::-1]),
    lambda np, m: np.apply_along_axis(lambda r, k, by=1: float(r[k]) + by, 0, m, 2, by=3),
    lambda np, m: np.apply_along_axis(lambda r: int(r[0]) if r[0] > 3 else 7.5, 1, m),
    lambda np, m: np.apply_along_axis(lambda r: r > 3, 1, m[0]),
    lambda np, m: np.apply_along_axis(lambda r: r.sum(), 1, np.stack([m, m + 1])),
    lambda np, m: np.apply_along_axis(lambda r: type(r.sum()).__name__ == "float64", 1, m),
]


@pytest.mark.parametrize("run", ROWS)
def test_functions_of_rows(run: Callable[..., Any]) -> None:
    agree(run, MATRIX)


def test_rows_are_views() -> None:
    def changed(np: Any, m: Any) -> Any:
        def halve(row: Any) -> Any:
            row /= 2
            return row.sum()

        return np.apply_along_axis(halve, 0, m), m

    agree(changed, MATRIX)


def test_functions_of_rows_raise_as_numpy_does() -> None:
    for np_ in (np, lnp):
        m = np_.ones((3, 4))
        with pytest.raises(np.exceptions.AxisError):
            np_.apply_along_axis(np.sum, 2, m)
        with pytest.raises(ValueError, match="iteration dimensions are 0"):
            np_.apply_along_axis(np.sum, 1, np_.ones((0, 4)))
        with pytest.raises(ZeroDivisionError):
            np_.apply_along_axis(lambda r: 1 / 0, 1, m)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8, np.bool_, np.complex128])
@pytest.mark.parametrize("order", ["C", "F"])
def test_imaginary_parts_of_little_data_are_there(dtype: Any, order: str) -> None:
    """What is made of them is computed at once: its elements are NumPy's own scalars."""
    real = np.array([[0, 1, 2], [3, 4, 1]], dtype, order=order)  # type: ignore[call-overload]
    results = []
    modules: list[Any] = [np, lnp]
    for n in modules:
        x = n.array(real, order=order)
        for part in (x.imag, n.imag(x), x[1].imag, x.T[:2].imag):
            away = n.where((part == 0) & (n.real(x.ravel()[0]) >= 0), part + part, 2 * part)
            assert part.flags.writeable is (dtype is np.complex128)
            if dtype is not np.complex128:
                with pytest.raises(ValueError, match="read-only"):
                    part[...] = 1
            ravelled = away.ravel()
            assert type(ravelled[0]) is type(np.asarray(ravelled)[0])
            seen = part.shape, part.strides, part.dtype, np.asarray(part), np.asarray(away), n.isreal(x).all()
            results.append((n, *seen))
    half = len(results) // 2
    for theirs, mine in zip(results[:half], results[half:], strict=True):
        assert mine[1:4] == theirs[1:4] and mine[6] == theirs[6]
        np.testing.assert_array_equal(mine[4], theirs[4])
        np.testing.assert_array_equal(mine[5], theirs[5])
        assert mine[5].dtype == theirs[5].dtype


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128, np.float32, np.int64, np.bool_])
def test_what_arrays_without_axes_come_to_is_taken_and_joined(dtype: Any) -> None:
    for text in ("n.array([a + 0, a * a])", "n.stack([a + a, a])", "(a * 1)[None]", "(a * 1)[...]",
                 "n.array([[a], [a * a]])",
                 "n.array([a + n.zeros(()), a])", "n.full((), a * 1)[None]", "n.atleast_1d(a * a)"):  # fmt: skip
        theirs, mine = (eval(text, {"n": n, "a": n.array(1, dtype)}) for n in (np, lnp))
        assert mine.dtype == theirs.dtype and mine.shape == theirs.shape
        np.testing.assert_array_equal(np.asarray(mine), theirs)


@pytest.mark.parametrize("number", [1, 2.5, 1j, True, -0.0, 2**62, 2**63, 2**70, float("nan")])
@pytest.mark.parametrize("name", ["array", "asarray"])
def test_arrays_of_one_number(name: str, number: Any) -> None:
    """What is made of them are NumPy's scalars."""

    def program(n: Any) -> Any:
        a = getattr(n, name)(number)
        results = [a, a.copy(), a.shape, a.dtype, a[()], n.array([a, a])]
        if number not in (2**63, 2**70):
            b = n.array(number)
            b += b
            b[...] = 1
            results += [a + a, a * 2, n.sqrt(a), b, a.reshape(1), a == a]
        return results

    agree(program)
    if number not in (2**63, 2**70):
        a = getattr(lnp, name)(number)
        assert is_light(a)
        assert isinstance(a * 2, np.generic)
        assert isinstance(np.sqrt(a), np.generic)
