"""Little data that arrays have to themselves: who writes where, and what views see, is as in NumPy."""

from __future__ import annotations

import copy
import operator
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
from lazyarr.settings import settings
from tests.agree import agree
from tests.threads import switching_often


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    with settings(eager_below=2000):
        yield


def is_light(x: Any) -> bool:
    """Whether an array's data is its own, or lent; of scalars, whether they are NumPy's."""
    return isinstance(x, np.generic) if type(x) is not LazyArray else x._mine is not None or x._lent is not None


def test_results_are_light() -> None:
    x = lnp.asarray(np.arange(6.0)) + 1
    results = [
        x, -x, x * 2, 2 * x, x < 3, x @ x, x[2], x[1:], x[1:][::2], x[None, :], x[x > 2], lnp.sin(x), lnp.maximum(x, 2),
        x.sum(), lnp.mean(x), lnp.where(x > 2, x, 0), lnp.concatenate([x, x]), lnp.zeros((2, 3)), x.copy(), x**2,
        x[0] * 2,
    ]  # fmt: skip
    assert all(map(is_light, results))
    assert [type(f) for f in (float(x[0]), int(x[0]), bool(x[0]))] == [float, int, bool]
    with settings(eager_below=0):
        assert not is_light(lnp.asarray(np.arange(6.0)) + 1)


PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {}


def program(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    PROGRAMS[function.__name__] = function
    return function


@program
def views_of_views_are_written(n: Any, x: Any) -> Any:
    y = x + 1
    a, b = y[1:], y[1:][::2]
    b += 10
    a[0] = -1
    y *= 2
    return y, a, b, a.shape, b.strides


@program
def views_of_what_settles(n: Any, x: Any) -> Any:
    y = x * 2
    a = y[2:5]
    t = y.reshape(2, 3)
    t[0, 2] = 50
    a[1] = 60
    y[4] = 70
    return y, a, t, t.T


@program
def views_live_longer(n: Any, x: Any) -> Any:
    def make() -> Any:
        y = x * 2
        v = y[1:4]
        y[2] = 9
        return v

    v = make()
    v[0] += 1
    return v, v.base


@program
def views_are_settled_first(n: Any, x: Any) -> Any:
    y = x - 1
    v = y[::-1]
    w = v.reshape(3, 2)
    y[0] = 100
    w[0, 0] = 200
    v[1] = 300
    return y, v, w


@program
def taken_back_while_a_view_is_lent(n: Any, x: Any) -> Any:
    y = x + 0.5
    v = y[1:3]
    total = n.asarray(y).sum()  # settles y, and not v
    y[1] = 40
    first = v.sum()
    v[1] = 50
    y += 1
    return y, v, first, total


@program
def swaps(n: Any, x: Any) -> Any:
    u, v = x + 1, x + 2
    for _ in range(4):
        u, v = v, u
        u[1:-1] = 0.5 * (v[2:] + v[:-2])
        u[0] += 1
    return u, v


@program
def element_by_element(n: Any, x: Any) -> Any:
    out = n.zeros(len(x))
    table = n.zeros((2, 3), dtype=n.int64)
    for i in range(len(x)):
        out[i] = x[i] * 2 - (out[i - 1] if i else 0)
        table[i % 2, i // 2] += i
        table[-1][0] -= 1
    return out, table, out[-1], table[1, 2]


@program
def masks_and_positions(n: Any, x: Any) -> Any:
    y = x * 3
    y[y > 9] = -1
    order = n.argsort(y)
    z = y[order]
    y[order] = n.arange(6.0)
    y[order[:2]] += 5
    return y, z, order


@program
def unbuffered(n: Any, x: Any) -> Any:
    y, counts = x + 1, n.zeros(4, dtype=n.int64)
    order = n.argsort(x)
    n.add.at(y, order, x)
    n.add.at(y[1:4], n.array([0, 0, 2]), 1.5)
    n.negative.at(y, slice(0, 2))
    n.maximum.at(y, y < 0, 7)
    n.add.at(counts, n.array([1, 1, 3, 0]), 1)
    n.subtract.at(y, order[:2], y[:2])
    try:
        n.add.at(counts, n.array([1, 9]), 1)
    except IndexError:
        counts[2] = 50
    return y, counts


@program
def rows(n: Any, x: Any) -> Any:
    m = n.zeros((3, 6)) + x
    for k, row in enumerate(m):
        row += k
        row[::2] *= 2
    m[:, 1] = 7
    m[1] = m[2]
    m[0, 1:] = m[0, :-1]
    return m, m.sum(axis=0), m[:, 0], m[..., None].shape


@program
def layouts(n: Any, x: Any) -> Any:
    m = (n.zeros((2, 6)) + x).T
    a = m + 1
    a += m
    b = a.copy()
    c = a[1:, :] * 2
    return a, b, c, a.strides, b.strides, c.strides, a.flags.f_contiguous


@program
def shapes_are_assigned(n: Any, x: Any) -> Any:
    y = x + 1
    v = y[1:]
    y.shape = (2, 3)
    v[0] = 30
    y[1, 1] = 40
    return y, v


@program
def copies(n: Any, x: Any) -> Any:
    y = x + 1
    z, w, p = copy.copy(y), copy.deepcopy(y), pickle.loads(pickle.dumps(y))
    y[0] = 99
    return y, z, w, p


@program
def read_only(n: Any, x: Any) -> Any:
    y = x + 1
    v = y[1:]
    y.flags.writeable = False
    v[0] = 5
    try:
        y[0] = 3
    except ValueError as error:
        return str(error), y, v
    return y


@program
def read_only_after_it_is_taken_back(n: Any, x: Any) -> Any:
    y = x + 1
    t = y.reshape(2, 3)
    del t
    y[0] = 7  # without views, the array has its data to itself again
    y.setflags(write=False)
    refused = 0
    try:
        y[0] = 3
    except ValueError:
        refused += 1
    try:
        y += 1
    except ValueError:
        refused += 1
    return refused, y, y.flags.writeable, y[1:].flags.writeable


@program
def copies_keep_the_layout(n: Any, x: Any) -> Any:
    f = (n.zeros((2, 6)) + x).T * 2
    return copy.copy(f).strides, copy.deepcopy(f).strides, f.copy().strides


@program
def scalars(n: Any, x: Any) -> Any:
    y = x + 1
    s = y[3]
    y[3] = 0
    i = n.argmax(y)
    t = s * 2.0 + y[i] - 1
    return s, t, i, t > 3, -s, s**2, y[i - 1 :], y[: i + 1][i], round(float(s), 2), hash(s) == hash(float(s))


@program
def large_and_little(n: Any, x: Any) -> Any:
    y = x * 2
    large = n.ones((1000, 6)) * y
    y += 100
    return large.sum(axis=0), y, (large + y)[::300]


@program
def out_and_where(n: Any, x: Any) -> Any:
    y, z = x + 1, x * 0
    n.add(y, 1, out=z)
    n.multiply(y, 2, out=y[::-1])
    n.sum(n.stack([y, z]), 0, None, z)
    total = n.sum(y, where=y > 3)
    return y, z, total, n.clip(y, 2, 5), n.percentile(y, 30), n.interp(2.5, x, y)


@program
def numpys_scalars(n: Any, x: Any) -> Any:
    y, i, b = x + 1, n.arange(3) * 1, x > 2
    y[1:] *= np.float64(2)
    y[0] = np.int8(3)
    i += np.int16(2)
    return (y, i, y * np.float32(2), np.float64(2) * y, i + np.float32(1), np.uint8(200) + i, b + np.True_,
            np.float16(2) ** y, i == np.int64(2), n.maximum(i, np.float32(2.5)), y[0] * np.longdouble(2))  # fmt: skip


@program
def results_into_arrays(n: Any, x: Any) -> Any:
    y, i, m = x + 1, n.arange(6) * 1, n.zeros((2, 6)) + x
    v = y[1:]
    n.add(y, 1, out=y)
    n.multiply(y[:-1], v, out=v)
    n.subtract(y, v[0], y)
    n.negative(m[0], m[1])
    n.add(m, y, out=(m,))
    n.minimum(m[:, 0], 2, out=m[:, 1])
    total = n.asarray(y).sum()
    n.sqrt(abs(y), y)
    errors = []
    for other, out in ((0.5, i), (m, y), (y[1:], y), (1, y[0]), (1, 3), (1, (y, y))):
        try:
            n.add(y, other, out=out)
        except (TypeError, ValueError) as error:
            errors.append(type(error) if type(error) is ValueError else TypeError)
    return y, v, i, m, total, errors, n.add(y, 1, out=y) is y, n.greater(y, 1, out=n.zeros(6, bool))


@program
def arrays_that_may_not_be_copied(n: Any, x: Any) -> Any:
    y = x + 1
    same = n.array(y, copy=False)
    same[0] = 9
    refused = 0
    for given, dtype in ((y, n.int64), (y[0], None), ([1.0], None), (2.0, None)):
        try:
            n.array(given, dtype, copy=False)
        except ValueError:
            refused += 1
    return y, same is y, refused


@program
def parts_of_what_is_filled(n: Any, x: Any) -> Any:
    c = x * 1j
    parts, whole = c.view(n.float64), (x + 1).view(n.complex128)
    c.flat = 2
    whole.flat = 3
    return c, parts, whole


@program
def types(n: Any, x: Any) -> Any:
    f = (x + 1).astype(n.float32)
    i = (x * 2).astype(n.int8)
    i += 100
    return f * 2, f + i, i, i * 3, f * 1j, f[0] + 1.0, i // 2, i == 100, f.mean(), i.sum(), n.sin(i)


@program
def many_views_of_views(n: Any, x: Any) -> Any:
    y = first = n.zeros(1000) + x[0]
    for _ in range(400):
        y = y[1:]
        y += 1
    n.asarray(y).sum()
    y[3] = 7
    return first, y


@program
def made_of_numbers(n: Any, x: Any) -> Any:
    s = x.sum()
    made = [
        n.array([1.0, 2, 3]), n.array([[1, 2], [3, 4]]), n.array([s, 2.0, s * 2]), n.array([x, x * 2]),
        n.array([x[:2], [1.0, s]], dtype=n.float32), n.eye(3), n.eye(2, 3, k=1), n.identity(2, dtype=int), n.arange(5),
        n.arange(1.0, 2.0, 0.25), n.arange(4, 0, -1), n.linspace(0, 1, 5), n.linspace(0, 1, num=3), n.full((2, 2), 7),
        n.full(3, 1.5), n.zeros(3, dtype=n.complex128), n.ones((2, 2), "f4"), n.outer(x, x[:2]), n.sin(0.5),
        n.maximum(2, 3), n.zeros_like(x), n.hypot(3, 4.0), n.asarray([True]),
    ]  # fmt: skip
    for m in made:
        if m.ndim:
            m += m
    return made


@program
def other_shapes(n: Any, x: Any) -> Any:
    m = (x + 1).reshape(2, 3)
    t, r, f, a = m.T, m.ravel(), m.flatten(), m.astype(float)
    c = t.reshape(6)
    q = t.ravel()
    t[0, 1] = 90
    r[2] = 80
    f[0] = a[0, 0] = c[0] = q[1] = -5
    m.reshape(3, -1)[1] *= 2
    m[0].reshape((3, 1))[2] = 4
    return m, t, r, f, a, c, q, m.astype(int), m.astype(n.float32) / 3, m.T.T, t.strides, r.base is not None


@program
def resized(n: Any, x: Any) -> Any:
    y = x + 1
    v = y[1:]
    try:
        y.resize((2, 2), refcheck=False) if n is lnp else y.resize((2, 2))
    except ValueError:
        return "refused", v
    return y


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_numpy(name: str) -> None:
    agree(PROGRAMS[name], np.array([1.0, -2.0, 3.5, 4.0, 0.25, 6.0]))


ERRORS = """
y[6]
y[1, 2]
y[1.5]
y['a']
y[7] = 1
y[1:3] = x
y += y[1:]
y[0] = 1j
y @ y[1:]
y + y[1:]
y[[1, 9]]
(y > 0) - (y > 1)
y.astype(int) ** -1
int(y)
bool(y)
y[0][0]
i = y.astype(int); i += 0.5
i = y.astype(int); i[0] = float('nan')
b = y.astype('u1'); b[0] = 300
y[0] = y
n.dot(y, y[1:])
n.concatenate([y, y[0]])
n.where(y > 1, y, y[1:])
-(y > 0)
y < 'a'
y[::0]
y[n.zeros(2) > 0]
"""


@pytest.mark.parametrize("statement", ERRORS.strip().splitlines())
def test_errors_are_numpys(statement: str) -> None:
    def run(n: Any, x: Any) -> Any:
        names = {"n": n, "x": x, "y": x + 1}
        exec(statement, names)
        return names["y"]

    agree(run, np.array([1.0, -2.0, 3.5, 4.0, 0.25, 6.0]))


KINDS = "slice slice add inplace set setview item settle reshape shape drop mask T".split()


def _random_step(rng: np.random.Generator, count: int) -> tuple[Any, ...]:
    kind = rng.choice(KINDS)
    start, stop = sorted(rng.integers(-5, 6, 2).tolist())
    key = slice(start, stop, int(rng.choice([1, 1, 2, -1])))
    return str(kind), int(rng.integers(count)), int(rng.integers(count)), key, float(rng.integers(1, 9))


def _run(n: Any, steps: list[tuple[Any, ...]], x: Any) -> Any:
    arrays, seen = [x * 1, x + 1, n.zeros(6)], []
    for kind, a, b, key, number in steps:
        x, y = arrays[a % len(arrays)], arrays[b % len(arrays)]
        if kind == "slice":
            arrays.append(x[key])
        elif kind == "add":
            arrays.append(x[..., :1] * number + y[..., :1])
        elif kind == "inplace":
            x += number
        elif kind == "set":
            x[key] = number
        elif kind == "setview":
            x[key] *= -1
        elif kind == "item" and x.size:
            seen.append(x.ravel()[0] if x.ndim > 1 else x[0])
        elif kind == "settle":
            seen.append(n.asarray(x).sum())
            if n is lnp:
                x._value()
        elif kind == "reshape":
            arrays.append(x.reshape(-1))
        elif kind == "shape" and x.ndim == 1 and (x.flags.owndata or x.flags.c_contiguous):
            x.shape = (1, -1)
        elif kind == "drop" and len(arrays) > 3:
            del arrays[a % len(arrays)]
        elif kind == "mask":
            x[x > number] = 0
            seen.append(x[x < number])
        elif kind == "T":
            arrays.append(x.T)
    return arrays, seen


@pytest.mark.parametrize("seed", range(150))
def test_random_views_and_writes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = [_random_step(rng, 12) for _ in range(40)]
    given = rng.integers(-5, 6, 6).astype(float) if seed % 2 else rng.integers(-5, 6, (3, 4)).astype(float)
    agree(lambda n, x: _run(n, steps, x), given)


def test_accelerated_functions_take_light_arrays() -> None:
    def sweep(u: Any, k: float) -> Any:
        for _ in range(5):
            u[1:-1] += k * (u[2:] - 2 * u[1:-1] + u[:-2])
        return u * 2

    expected = np.arange(8.0) ** 2
    result = sweep(expected, 0.1)
    fast = lazyarr.accelerate(sweep)
    for _ in range(4):
        x = lnp.asarray(np.arange(8.0)) ** 2
        v = x[2:4]
        found = fast(x, 0.1)
        np.testing.assert_array_equal(np.asarray(found), result)
        np.testing.assert_array_equal(np.asarray(x), expected)
        np.testing.assert_array_equal(np.asarray(v), expected[2:4])


def test_closures_of_light_arrays() -> None:
    table = lnp.asarray(np.arange(5.0)) * 2

    @lazyarr.accelerate(always=True)
    def read(x: Any) -> Any:
        return x + table[1:3]

    given = np.ones(2)
    for k in range(3):
        table[1] = k
        np.testing.assert_array_equal(np.asarray(read(given)), [1 + k, 5])


def test_threads_settle_one_array() -> None:
    for _ in range(50):
        x = lnp.asarray(np.arange(20.0)) + 1
        views = [x[k:] for k in range(4)]
        found: list[Any] = []

        def look(view: Any, found: list[Any] = found) -> None:
            found.append(np.asarray(view).sum())

        threads = [threading.Thread(target=look, args=(view,)) for view in (x, *views)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == sorted([210.0, 210.0, 209.0, 207.0, 204.0])


def test_nothing_is_warned_of() -> None:
    x = lnp.asarray(np.zeros(3)) + 0
    with np.errstate(all="raise"):
        assert np.isnan(float((x / x)[0]))
        assert np.isinf(float((1 / x)[0]))
        with pytest.raises(FloatingPointError):
            1 / x[0]  # (a scalar of NumPy's own)
    assert operator.truediv(x, 0).shape == (3,)


def test_threads_write_to_one_array() -> None:
    with switching_often():
        for _ in range(4):
            x = lnp.arange(40.0) * 0
            failures: list[BaseException] = []

            def write(at: int, x: Any = x, failures: list[BaseException] = failures) -> None:
                try:
                    for k in range(200):
                        x[at : at + 10] += 1
                        if k % 7 == 0:
                            x.reshape(4, 10)  # the array settles, and is taken back by the next write
                except BaseException as error:  # noqa: BLE001  it is shown by the thread that tests
                    failures.append(error)

            threads = [threading.Thread(target=write, args=(at,)) for at in range(0, 40, 10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not failures
            np.testing.assert_array_equal(np.asarray(x), np.full(40, 200.0))


def test_results_of_an_accelerated_function_share_memory() -> None:
    def twice(x: Any) -> Any:
        t = x * 2
        return t, t[1:], {"reversed": [t[::-1]]}, t

    def run(n: Any, x: Any) -> Any:
        t, tail, found, same = (twice if n is np else lazyarr.accelerate(always=True)(twice))(x)
        t += 1
        tail[0] = 50
        found["reversed"][0][-1] -= 3
        return t, tail, found, same, t is same

    for below in (0, 2000):
        with settings(eager_below=below):
            agree(run, np.arange(5.0))


def test_numpys_scalars_and_out_are_light() -> None:
    x = lnp.arange(6.0) * 1
    v = x[1:4]
    v *= np.float32(2)
    v[0] = np.float64(7)
    assert lnp.add(x, np.float64(1), out=x) is x
    assert lnp.multiply(v, 2, v) is v
    lnp.maximum(x[1:], x[:-1], out=x[1:])
    assert all(map(is_light, (x, v, x * np.float64(2), np.int64(2) * x, v.copy(), lnp.sqrt(np.float32(2) * v))))


def test_what_nobody_has_written_is_zeros() -> None:
    for _ in range(20):
        x = lnp.ones(50) + 1
        found = [lnp.empty(50), lnp.empty((5, 10), order="F"), lnp.empty_like(x), lnp.empty_like(x, dtype=lnp.int8)]
        assert all(map(is_light, found))
        assert not any(np.asarray(y).any() for y in found)
        del x, found
