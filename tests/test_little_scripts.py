"""What scripts do with little data between computations: print it, go over it, look into it by all kinds of keys."""

from __future__ import annotations

import copy
import numbers
import operator
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
from lazyarr.settings import current, settings
from tests.agree import agree

PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {}


def program(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@pytest.fixture(autouse=True, params=[(2000, 1), (2000, 0), (0, 0)], ids=["C", "Python", "recorded"])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    below, fast = request.param
    with settings(eager_below=below, fast_path=fast):
        yield


@program
def positions_in_tuples(n: Any, x: Any) -> Any:
    y = n.arange(24.0).reshape(6, 4) * x[0]
    out, none = n.where(y[:, 1] > 8), n.where(y[:, 1] > 1000)
    first = y[out, 1]
    y[out, 1] *= -1
    y[none, 2] *= -1
    y[none, 0] = 5
    rows, columns = [0, 2], [1, 3]
    pairs = y[[rows, columns], 0]
    y[[rows, columns], 3] = 9
    masks = y[[True, False, True, False, False, True], 1:]
    arrays = y[[n.array([0, 1]), n.array([2, 3])], 1], y[[y.argmax() // 8, 1]], y[1:, [3, 0]], y[([0, 1], [2, 3])]
    n.add.at(y, (out, 0), 1.0)
    return y, first, pairs, masks, arrays


@program
def keys_that_numpy_refuses(n: Any, x: Any) -> Any:
    raised = []
    for key in (([0, 9], 1), ((0, 1, 2), ([0, 1],)), [0.5], ([[0, 1], [1]], 0), (["a"], 0), [[True, False]]):
        y = n.arange(24.0).reshape(6, 4) + x[0]
        for attempt in (lambda y, k: y[k], lambda y, k: operator.setitem(y, k, 3)):
            try:
                attempt(y, key)
            except (IndexError, ValueError, TypeError) as error:
                raised.append(type(error).__name__)
            else:
                raised.append("none")
        raised.append(y)
    return raised


@program
def iteration(n: Any, x: Any) -> Any:
    y = x * 1
    seen = []
    for k, element in enumerate(y):
        y[-1] += 1
        seen.append((element, k))
    m = y.reshape(2, 3)
    for row in m:
        row[0] = -1
    rows = [r.sum() for r in m.T]
    return seen, m, rows, sum(y), max(y), list(y), sorted(y), [*map(float, y)], [a + b for a, b in zip(y, y[::-1])]


@program
def iteration_over_a_view_of_much(n: Any, x: Any) -> Any:
    table = n.zeros((3000, 4)) + x[1]
    table[5] = x[:4]
    column = table[:, 2]
    seen = []
    for k, element in enumerate(column):
        if k == 7:
            table[8, 2] = 50  # the view sees it
        if k > 10:
            break
        seen.append(element)
    return seen, [column[k] for k in range(10)], column[-1], column[n.int64(8)], table[8], list(table[2990:, 1])


@program
def scalars_do_not_iterate(n: Any, x: Any) -> Any:
    said = []
    for scalar in (x[1], n.sum(x > 1), n.array(3.0)):
        try:
            iter(scalar)
        except TypeError as error:
            said.append(str(error))
    return said


@program
def text(n: Any, x: Any) -> Any:
    a, m, z = x[1], x.reshape(2, 3) / 3, x[2] * 1j
    b = a + 1
    shown = [f"{a:.3f} {a} {a!r} {b:8.2e} {m}", str(m[0]), repr(m), repr(m[:, 1]), f"{z} {z:.2f}", f"{x > 1}"]
    shown += [repr(x[1] > 0), format(b, ".3f"), f"{n.argmax(x):d}", f"{n.argmax(x):03d}", repr(n.array(2.5))]
    shown += [str(n.float32(0.1))]
    shown.append(repr(b + 1))
    try:
        f"{m:.2f}"
    except TypeError as error:
        shown.append(str(error)[:40])
    return shown


@program
def keys_of_dicts(n: Any, x: Any) -> Any:
    known = {1.0: "one", 2.0: "two", 3: "three"}
    found = [known.get(e) for e in x], {x[1]: 5}[1.0], len({x[1], x[1] * 1, 1.0}), x[2] in known, hash(x[2])
    try:
        hash(x + 1)
    except TypeError as error:
        return found, str(error)
    raise AssertionError("an array has a hash")


@program
def lists_of_numbers(n: Any, x: Any) -> Any:
    ints, floats = [3, 1, 2], (0.5, -1.5, 2)
    return (
        n.sum(ints), n.prod((2, 3)), n.mean(ints), n.std(floats), n.max(floats), n.argmax(ints), n.sort(floats),
        n.cumsum(ints), n.median(ints), n.diff(floats), n.unique([3, 1, 3]), n.any([0, 0]), n.all([True, 1]),
        n.dot(ints, ints), n.dot([[1, 2], [3, 4]], [1.5, 2]), n.outer(ints, floats), n.cross(ints, floats),
        n.concatenate([[1, 2], [3.5]]), n.vstack([ints, floats]), n.where([True, False], 1, 2.5), n.tile(ints, 2),
        n.repeat(ints, 2), n.linalg.norm([3, 4]), n.linalg.solve([[2, 0], [0, 4.0]], [1, 1]), n.percentile(ints, 50),
        n.histogram([1, 2, 1], bins=[0, 1, 2, 3]), n.polyfit([0, 1, 2], [1, 3, 5], 1), n.polyval([1, 2], 3),
        n.diag([1, 2]), n.trace([[1, 2], [3, 4]]), n.pad([1, 2], 1), n.cov([[1, 2, 4], [3, 1, 0]]),
        n.corrcoef([1, 2, 3], [1, 2, 4]), n.isclose([1.0, 2], [1, 2 + 1e-12]), n.allclose([1], [1]), n.roll(ints, 1),
        n.array_equal(ints, ints), n.interp(2.5, [1, 2, 3], [1, 4, 9]), n.searchsorted([1, 2, 3], 2.5),
        n.meshgrid([1, 2], [3, 4]),
        n.bincount([0, 2, 2]), n.clip([1, 5, 9], 2, 6), n.round([1.26, 3.34], 1), n.einsum("i,i", ints, ints),
        n.gradient([1.0, 4, 9]), n.insert(ints, 1, 7), n.append(ints, 4), n.delete(ints, 0),
        n.sum([[1, 2], [3, 4]], axis=0),
        n.nonzero([0, 3, 0, 4]), n.average([1, 2, 3], weights=[3, 2, 1]), n.sum([2**63, 1]),
        n.sort(["b", "a"]).tolist(),
        n.mean([n.float32(1), n.float32(2)]), n.sum([x[1], x[2], 1.0]), n.prod(x.shape), n.mean([True, False]),
    )  # fmt: skip


@program
def what_numpy_refuses_of_lists(n: Any, x: Any) -> Any:
    said = []
    for call in (lambda: n.max([]), lambda: n.mean(["a"]), lambda: n.sum([1, 2], axis=3),
                 lambda: n.dot([1, 2], [1, 2, 3]),
                 lambda: n.concatenate([[1], [[2]]]), lambda: n.linalg.inv([[1, 2], [2, 4]])):  # fmt: skip
        try:
            call()  # type: ignore[no-untyped-call]
        except (ValueError, TypeError, IndexError) as error:
            said.append((isinstance(error, ValueError), str(error)))
    return said


@program
def made_of_lazy_numbers(n: Any, x: Any) -> Any:
    count, value = n.argmax(x), x[2]
    made = (n.full(3, value), n.full((count, 2), value, dtype=int), n.zeros(count), n.ones((2, count)),
            n.full(2, x[1] > 0),
            n.linspace(x[0], value, 5), n.arange(x[0], value, 0.5), n.eye(count), n.full((2, 2), x[:2]))  # fmt: skip
    made[0][0] = -1
    return made


@program
def slices_by_lazy_numbers(n: Any, x: Any) -> Any:
    i = n.argmin(x) + 1
    y = x * 2
    y[i : i + 2] += 10
    y[i::2] = -1
    m = y.reshape(2, 3)
    m[: i - 1, i:] = 7
    return y[i : i + 3], y[:-i], y[::i], m[:, i : i + 1], m[0, i:], y


@program
def ufuncs_of_pythons_numbers(n: Any, x: Any) -> Any:
    return (n.abs(-1), n.sin(1), n.add(1, 2), n.add(1, 2.5), n.maximum(3, -2), n.floor_divide(7, 2), n.divide(1, 4),
            n.sqrt(4),
            n.less(1, 2), n.equal(2, 2.0), n.bitwise_xor(5, 3), n.left_shift(1, 40), n.abs(-(2**62)), n.exp(1),
            n.sign(-3),
            n.add(2**62, 2**62), n.multiply(1j, 2), n.abs(True), n.isfinite(3), n.hypot(3, 4), n.remainder(-7, 3),
            n.abs(2**70) == 2**70, n.floor(2), n.logical_and(1, 0), n.square(3), n.radians(30))  # fmt: skip


@program
def operators_of_scalars(n: Any, x: Any) -> Any:
    f, i, z, b, s = x[2], n.argmax(x), (x * (1 + 2j))[1], x[1] > 0, n.float32(1.5)
    numbers = (f, i, z, b, s, 2, -1, 0.5, 2 - 1j, True, 2**70)
    found: list[Any] = []
    ways = (operator.add, operator.mul, operator.sub, operator.truediv, operator.pow, operator.floordiv, operator.mod)
    pythons = (int, float, complex, bool)
    for first in numbers:
        for second in numbers:
            for do in ways:
                # (A float64 is a float to Python's complex numbers; what is recorded is not.)
                is_pythons = complex in (type(first), type(second)) and (first is f or second is f)
                if not is_pythons and (type(first) not in pythons or type(second) not in pythons):
                    try:
                        found.append(do(first, second))
                    except (TypeError, ValueError, OverflowError) as error:
                        found.append(type(error).__name__)
    return found, [v.real for v in (f, i, z, s)], [v.imag for v in (f, i, z, s)], abs(z), -z, z.conjugate()


@program
def casts_of_scalars(n: Any, x: Any) -> Any:
    f = n.floor(x[2] * 1.7)
    whole, narrow = x[1].astype(n.uint8), (x > 1)[0].astype(int)
    return f.astype(int), f.astype(n.int32), f.astype("f4"), f.astype(bool), f.astype(complex), whole, narrow


@program
def again_arrays(n: Any, x: Any) -> Any:
    y = x + 1
    same, copied = n.asarray(y), n.array(y)
    same[0], copied[1] = 70, 80
    turned = n.array(y.reshape(2, 3).T)
    scalar, part = n.array(y[2]), n.asarray(y[1:3])
    part[0] = 60
    return y, same is y, copied, turned, turned.strides, scalar, scalar.shape, part


@program
def squeezed(n: Any, x: Any) -> Any:
    y = (x * 2).reshape(1, 3, 1, 2)
    a, b, c, d = n.squeeze(y), y.squeeze(0), n.squeeze(y, -2), n.squeeze(x * 1)
    a[0, 0], b[1, 0, 1], c[0, 2, 0] = 100, 200, 300
    one = n.squeeze((x[:1] * 1).reshape(1, 1))
    try:
        n.squeeze(y, 1)
    except ValueError as error:
        return y, a, b, c, d, one, one.shape, str(error)
    raise AssertionError("an axis of three elements is squeezed")


@program
def filled(n: Any, x: Any) -> Any:
    y, i = x * 1, n.arange(4) + 0
    part = y[1:3]
    y.fill(3)
    part.fill(0.5)
    i.fill(2.9)
    y[4:].fill(x[2])
    (y > 1).fill(True)
    return y, i, part


@program
def products(n: Any, x: Any) -> Any:
    m, v = x.reshape(2, 3) * 1, x[:3] * 1
    out = n.zeros((2, 2))
    n.matmul(m, m.T, out=out)
    return n.matmul(m, m.T), n.matmul(m, v), n.matmul(v, v), n.matmul(m, [1, 2, 3]), n.matmul([[1.0, 2]], m), out


@program
def asked_for_by_frames_and_plots(n: Any, x: Any) -> Any:
    y = x + 1
    data = y.to_numpy() if n is lnp else y
    single = y.sum().to_numpy() if n is lnp and type(y.sum()) is LazyArray else y.sum()
    copied = y.to_numpy(copy=True) if n is lnp else y.copy()
    copied[0] = 9
    assert type(data) is np.ndarray
    assert type(single) is np.float64
    return y, copied, float(single)


@program
def lists_of_lazy_numbers(n: Any, x: Any) -> Any:
    found = []
    for k in range(300):
        found.append(x[k % 6] * k)
    parts = [x[:1] * k for k in range(40)]
    mixed = [x[1], 2, 2.5, n.argmax(x)]
    return (
        n.array(found), n.asarray(found[:20]), n.array(parts), n.array(mixed), n.hypot(parts, 1.0), n.sin(mixed),
        n.maximum(found, 3), n.add([1, 2], [0.5, x[1]]), n.sqrt([4, 9]), n.abs((-1, 2)), n.mean(found), n.vstack(parts),
        found[:6] / x[1], x * [1, 2, 3, 4, 5, x[2]], [x[1], 2] - x[:2], (1, 2, 3) < x[:3],
        x[2] ** [1, 2], parts[:4] @ x[:1],
        n.array([parts[:3], parts[3:6]]), n.concatenate(parts), n.exp([[x[0], x[1]], [1, 2]]), n.isnan([x[0], 1.0]),
    )  # fmt: skip


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_as_numpy(name: str) -> None:
    agree(PROGRAMS[name], np.array([0.0, 1.0, 2.0, 3.0, 1.5, 2.5]))


def test_what_is_said_of_data_leaves_it_where_it_is() -> None:
    with settings(eager_below=2000):
        x = lnp.arange(6.0) * 1
        y = x[1] + 1
        assert f"{y:.1f} {y} {x[:2]}" == "2.0 2.0 [0. 1.]"
        assert hash(y) == hash(2.0)
        assert [type(v) for v in x] == [np.float64] * 6
        assert x._mine is not None


def test_to_ask_for_an_attribute_leaves_data_where_it_is() -> None:
    with settings(eager_below=2000):
        x = lnp.linspace(0.0, 1.0, 5)
        y = x * 2
        for array in (x, y, x[1:]):
            assert not any(hasattr(array, name) for name in ("units", "values", "_x", "iloc"))
            with pytest.raises(AttributeError, match="'numpy.ndarray' object has no attribute 'units'"):
                array.units  # noqa: B018
            assert array._mine is not None or array._lent is not None
        assert not hasattr(y, "is_integer")
    with settings(eager_below=0):
        single = lnp.linspace(0.0, 1.0, 5)[1] + 1
        assert single.is_integer() is False
        with pytest.raises(AttributeError, match="'numpy.float64' object has no attribute 'units'"):
            single.units  # noqa: B018


def test_elements_of_a_view_that_has_settled_follow_its_memory() -> None:
    with settings(eager_below=2000):
        x = lnp.arange(12.0).reshape(3, 4) * 1
        view = x[1]
        view._settle()
        assert [float(v) for v in view] == [4, 5, 6, 7]
        x[1, 2] = 60
        assert float(view[2]) == 60
        part = view[1:3]
        part[0] = 50
        view[3] = 70
        assert view.tolist() == [4, 50, 60, 70]
        assert (view * 1).tolist() == x[1].tolist() == [4, 50, 60, 70]
        x += 1
        assert [float(view[k]) for k in range(4)] == [5, 51, 61, 71]


def test_scalars_pass_for_numpys_and_pythons() -> None:
    below = (0, 2000, 2000)
    for eager, fast in zip(below, (0, 0, 1), strict=True):
        with settings(eager_below=eager, fast_path=fast):
            x = np.array([0.5, 2.0])
            y = lnp.array(x) + 0
            m = lnp.ones((2, 2)) * 2
            large = lnp.zeros(5000).sum()
            pairs = [(y[0], x[0]), (y.sum(), x.sum()), (lnp.argmax(y), np.argmax(x)), ((y > 1)[0], (x > 1)[0]),
                     ((y * 1j)[1], (x * 1j)[1]), (lnp.float32(2) * y.astype("f4")[0], np.float32(1)),
                     (large, np.float64(0)), (m[0, 0] * 1, np.float64(2))]  # fmt: skip
            classes = (float, complex, int, bool, str, numbers.Number, numbers.Real, numbers.Integral, np.generic,
                       np.floating, np.integer, np.inexact, np.float64, np.float32, np.int64, np.bool_)  # fmt: skip
            for found, expected in pairs:
                is_recorded = not eager or found is large
                assert type(found) is (LazyArray if is_recorded else type(expected))
                assert [isinstance(found, c) for c in classes] == [isinstance(expected, c) for c in classes]
                assert found.__class__ is type(expected)
                assert not isinstance(found, (np.ndarray, lnp.ndarray))
                assert type(copy.copy(found)) is type(pickle.loads(pickle.dumps(found))) is type(found)
                if not is_recorded:
                    assert found == expected
                    assert found.dtype == expected.dtype
            for array in (y, y[:1], lnp.array(2.5), m, m[0], m.T):
                assert array.__class__ is lnp.ndarray
                assert isinstance(array, lnp.ndarray)
                assert not isinstance(array, (float, np.generic, numbers.Number))


PLACES: dict[str, Callable[[Any, Any], Any]] = {
    "range": lambda n, x: x[range(2, 20)],
    "range beside an array": lambda n, x: x.reshape(-1, 4)[range(15), n.arange(15) % 4],
    "range that ends at once": lambda n, x: x[range(0)],
    "range backwards": lambda n, x: x[range(50, -1, -7)],
    "many numbers": lambda n, x: x[[k * 7 % 60 for k in range(1500)]],
    "many numbers beside an array": lambda n, x: x.reshape(-1, 4)[[k % 15 for k in range(1200)], n.arange(1200) % 4],
    "bools": lambda n, x: x[[k % 3 == 0 for k in range(60)]],
    "bools and numbers": lambda n, x: x[[True, 2, False]],
    "bools of an axis": lambda n, x: x.reshape(-1, 4)[:, [True, False, True, True]],
}


@pytest.mark.parametrize("name", PLACES)
def test_positions_in_ranges_and_lists_are_read_and_written_at_once(name: str) -> None:
    def changed(n: Any, x: Any) -> Any:
        y = n.array(x)
        place = PLACES[name]
        seen = place(n, y)
        places = place(n, n.arange(60).reshape(y.shape))
        y[places.ravel().tolist()] -= 1
        y[range(1, 60, 9)] *= 2
        y[[k % 4 == 0 for k in range(60)]] = 7
        return seen, y

    agree(changed, np.linspace(-1, 1, 60))
    if current.eager_below and "beside" not in name:
        found = PLACES[name](lnp, lnp.asarray(np.linspace(-1, 1, 60)) + 1)
        assert found._mine is not None


def test_lists_that_select_in_a_wrong_way_raise_numpys_errors() -> None:
    x = lnp.arange(60.0)
    for place in (range(50, 70), [60] * 1200, [True] * 59, [True] * 1200):
        with pytest.raises(IndexError) as theirs:
            np.arange(60.0)[place]
        with pytest.raises(IndexError) as ours:
            x[place]
        assert str(ours.value) == str(theirs.value)
