"""Direct calls: which calls they stand for, and which they leave to the general way."""

from __future__ import annotations

import collections
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_direct, native_memory
from lazyarr.backends.native_python import supported
from lazyarr.tracing import direct
from tests.acceleration import assert_same
from tests.direct_calls import check_direct, compare, general_calls, ready

pytestmark = [
    pytest.mark.filterwarnings("ignore::lazyarr.report.FallbackWarning"),
    pytest.mark.skipif(not supported(), reason="another Python"),
]
N = 40
Pair = collections.namedtuple("Pair", "left right")


def update(a: Any, b: Any, x: Any, n: Any) -> Any:
    for i in range(a.shape[0]):
        a[i] = a[i] * x + b[i] + n
    return a[3]


def given(x: Any = 2.5, n: Any = 3, dtype: Any = np.float64) -> Any:
    return lambda: (np.arange(N).astype(dtype), np.ones(N, dtype), x, n)


def test_the_third_call_is_direct() -> None:
    accelerated = check_direct(update, given())
    assert compare(accelerated, update, given(-1.0, 7))


@pytest.mark.parametrize("dtype", ["f4", "i8", "u2", "c16", "c8", "b1", "f8", "i1"])
def test_dtypes(dtype: str) -> None:
    def function(a: Any, b: Any) -> Any:
        last = a[0]
        for i in range(a.shape[0]):
            last = a[i]
            a[i] = b[i]
        return last, a[5], b * 1

    check_direct(function, lambda: (np.arange(N).astype(dtype), (np.arange(N) % 3).astype(dtype)))


def results(kind: str) -> Any:
    def function(a: Any, b: Any, n: int, x: float) -> Any:
        total, count, found = 0.0, 0, False
        c = np.zeros(a.shape)
        d = np.zeros((4, a.shape[0]))
        for i in range(a.shape[0]):
            c[i] = a[i] + x
            d[1, i] = b[i]
            total += a[i]
            count += n
            found = found or bool(a[i] > 30)
        if kind == "many":
            return [c, {"d": d, "n": n}], total, (count, found, None, "text")
        if kind == "views":
            return c[::2], c, a[1:], d.T, np.asfortranarray(d), d[1]
        if kind == "named":
            return Pair(c, Pair(total, x))
        if kind == "given":
            return a, b, x
        if kind == "locked":
            c.flags.writeable = False
            return c, c[3:]
        if kind == "zero":
            return c.sum().reshape(()), np.array(total), c[:0]
        return None

    return function


@pytest.mark.parametrize("kind", ["many", "views", "named", "given", "locked", "zero", "none"])
def test_results(kind: str) -> None:
    accelerated = check_direct(results(kind), lambda: (np.arange(40.0), np.ones(40), 2, 0.5))
    assert_same(results(kind)(np.arange(40.0), np.ones(40), 2, 0.5), accelerated(np.arange(40.0), np.ones(40), 2, 0.5))


def test_results_are_the_callers_own() -> None:
    def function(a: Any) -> Any:
        b, c = np.zeros(N), np.zeros(N)
        for i in range(N):
            b[i], c[i] = a[i] + 1, a[i]
        for _ in range(3):
            b, c = c, b * 2
        return b, c

    accelerated = check_direct(function, lambda: (np.arange(float(N)),))
    first = accelerated(np.arange(float(N)))
    kept = [x.copy() for x in first]
    second = accelerated(np.ones(N))
    assert_same(kept, list(first))
    for x in (*first, *second):
        assert x.base is None
        assert x.flags.owndata
        x[:] = 7
    assert_same(kept, list(accelerated(np.arange(float(N)))))


def test_a_result_whose_length_data_decides() -> None:
    def function(a: Any, n: int) -> Any:
        count = 0
        for i in range(a.shape[0]):
            if a[i] > n:
                count += 1
        return a[:count] * 2.0

    accelerated = lazyarr.accelerate(function)
    for n in (3, 10, 39, 50):
        compare(accelerated, function, lambda n=n: (np.arange(float(N)), n))  # type: ignore[misc]


# --- arguments


def other(kind: str, path: Path) -> Any:
    """Arguments that are not those of `given`."""
    a, b, x, n = given()()
    if kind == "dtype":
        a = a.astype("f4")
    elif kind == "longer":
        a, b = np.arange(N + 1.0), np.ones(N + 1)
    elif kind == "rank":
        a = np.ones((N, 2))
        b = np.ones((N, 2))
    elif kind == "strides":
        a = np.arange(2.0 * N)[::2]
    elif kind == "backwards":
        a = np.arange(float(N))[::-1]
    elif kind == "locked":
        b.flags.writeable = False
    elif kind == "locked target":
        a.flags.writeable = False
    elif kind == "byte order":
        a = a.astype(">f8")
    elif kind == "byte order of a source":
        b = b.astype(">f8")
    elif kind == "unaligned":
        a = np.frombuffer(bytearray(8 * N + 1), np.float64, N, 1)
    elif kind == "subclass":
        a = a.view(np.matrix).T.view(Sub)[:, 0]
    elif kind == "memmap":
        a = np.memmap(path / str(len(list(path.iterdir()))), np.float64, "w+", shape=(N,))
    elif kind == "list":
        b = list(b)
    elif kind == "same":
        b = a
    elif kind == "overlap":
        memory = np.arange(N + 1.0)
        a, b = memory[1:], memory[:-1]
    elif kind == "int":
        x = 2
    elif kind == "bool":
        n = True
    elif kind == "numpy":
        x = np.float64(2.5)
    elif kind == "numpy int":
        n = np.int64(3)
    elif kind == "large":
        n = 2**70
    elif kind == "complex":
        x = 2j
    elif kind == "text":
        x = "2"
    elif kind == "none":
        n = None
    elif kind == "few":
        return a, b, x
    elif kind == "more":
        return a, b, x, n, n
    return a, b, x, n


class Sub(np.ndarray[Any, Any]):
    pass


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize(
    "kind",
    ["dtype", "longer", "rank", "strides", "backwards", "locked", "locked target", "byte order", "unaligned",
     "byte order of a source", "subclass", "memmap", "list", "same", "overlap", "int", "bool", "numpy", "numpy int",
     "large", "complex", "text", "none", "few", "more"],
)  # fmt: skip
def test_other_arguments_are_not_taken_for_the_known_ones(kind: str, tmp_path: Path) -> None:
    accelerated = ready(update, given())
    for _ in range(3):
        compare(accelerated, update, lambda: other(kind, tmp_path))
        assert compare(accelerated, update, given())


@pytest.mark.parametrize("kind", ["strides", "backwards", "locked", "numpy", "numpy int", "bool"])
def test_other_arguments_are_served_directly_in_their_turn(kind: str, tmp_path: Path) -> None:
    check_direct(update, lambda: other(kind, tmp_path))


@pytest.mark.parametrize("kind", ["same", "overlap"])
def test_shared_memory_goes_the_general_way(kind: str, tmp_path: Path) -> None:
    accelerated = ready(update, lambda: other(kind, tmp_path))
    assert not compare(accelerated, update, lambda: other(kind, tmp_path))
    assert not accelerated._direct


@pytest.mark.parametrize(
    "make",
    [
        lambda: (np.asfortranarray(np.arange(48.0).reshape(6, 8)),),
        lambda: (np.arange(96.0).reshape(6, 8, 2)[:, :, 1],),
        lambda: (np.arange(48.0).reshape(8, 6).T[::-1],),
        lambda: (np.arange(48.0, dtype="f4").reshape(6, 8)[:, ::-2],),
    ],
    ids=["fortran", "part", "flipped", "steps"],
)
def test_arrays_in_any_order_of_memory(make: Any) -> None:
    def function(a: Any) -> Any:
        for i in range(1, a.shape[0]):
            a[i] += a[i - 1] * 0.5
        return a * 2, a

    check_direct(function, make)


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (1, 1, 1)])
def test_small_and_empty_arrays(shape: tuple[int, ...]) -> None:
    def function(a: Any, b: Any, n: int) -> Any:
        for _ in range(n):
            a[...] = a * 0.5 + b
        return a + 1, b

    check_direct(function, lambda: (np.ones(shape), np.full(shape, 2.0), 30))


def test_a_dtype_of_its_own() -> None:
    accelerated = ready(update, given())

    def unpickled() -> tuple[Any, ...]:
        a = np.arange(float(N))
        a.dtype = pickle.loads(pickle.dumps(np.dtype("f8")))  # type: ignore[misc]
        return (a, np.ones(N, np.dtype("f8", metadata={"unit": "m"})), 2.5, 3)

    assert compare(accelerated, update, unpickled)


def test_named_arguments() -> None:
    accelerated = ready(update, lambda: given()()[:2], x=2.0, n=1)
    assert compare(accelerated, update, lambda: given()()[:2], x=3.0, n=4)
    # Another order is another signature, which is known by its third call.
    assert [compare(accelerated, update, lambda: given()()[:2], n=4, x=2.0) for _ in range(3)] == [False, False, True]
    assert not compare(accelerated, update, lambda: given()()[:3], n=4)
    for wrong in ({"x": 2.0}, {"x": 2.0, "n": 1, "m": 1}, {"x": 1.0, "b": 2}):
        assert not compare(accelerated, update, lambda: given()()[:2], **wrong)


def test_defaults_and_text() -> None:
    weights = np.arange(float(N))

    def function(a: Any, mode: str = "add", factor: float = 2.0, w: Any = weights, flag: bool = True) -> Any:
        for i in range(a.shape[0]):
            a[i] = a[i] + w[i] * factor if mode == "add" else a[i] * w[i]
        return flag

    accelerated = check_direct(function, lambda: (np.ones(N),))
    weights[:] = 5
    assert compare(accelerated, function, lambda: (np.ones(N),))
    accelerated = ready(function, lambda: (np.ones(N), "add"))
    assert compare(accelerated, function, lambda: (np.ones(N), "".join(["a", "dd"])))
    assert not compare(accelerated, function, lambda: (np.ones(N), "mul"))
    assert not compare(accelerated, function, lambda: (np.ones(N), "add", 2.0, weights, False))


def test_tuples() -> None:
    def function(pair: Any, others: Any) -> Any:
        a, (b, n) = pair
        for i in range(a.shape[0]):
            a[i] += b[i] * n
        return pair, others[0], a

    def make() -> tuple[Any, ...]:
        return (np.ones(N), (np.arange(float(N)), 3)), Pair(2.5, None)

    accelerated = check_direct(function, make)
    assert not compare(accelerated, function, lambda: ([*make()[0]], make()[1]))
    assert not compare(accelerated, function, lambda: (make()[0], (2.5, None)))
    assert not compare(accelerated, function, lambda: (make()[0], Pair(2.5, True)))
    assert not compare(accelerated, function, lambda: ((*make()[0], 1), make()[1]))


def test_a_tuple_given_twice() -> None:
    def function(x: Any, y: Any) -> Any:
        total = 0.0
        for i in range(N):
            total += x[0] * y[0] + i
        return total, x is y

    accelerated = ready(function, lambda: ((2.0,), (3.0,)))
    twice = (2.0,)
    for _ in range(3):
        compare(accelerated, function, lambda: (twice, twice))
        assert compare(accelerated, function, lambda: ((2.0,), (3.0,)))


def test_lists_and_objects_go_the_general_way() -> None:
    def function(a: Any, out: Any) -> Any:
        for i in range(N):
            a[i] += i
        out.append(a.sum())

    accelerated = ready(function, lambda: (np.ones(N), []))
    assert not compare(accelerated, function, lambda: (np.ones(N), []))


# --- many programs


def test_many_signatures() -> None:
    accelerated: Any = lazyarr.accelerate(update)
    for size in range(20, 34):
        for _ in range(3):
            compare(accelerated, update, lambda size=size: (np.ones(size), np.ones(size), 2.0, 1))  # type: ignore[misc]
    assert len(accelerated._direct) == 8
    assert not compare(accelerated, update, lambda: (np.ones(20), np.ones(20), 2.0, 1))
    assert compare(accelerated, update, lambda: (np.ones(20), np.ones(20), 2.0, 1))


def test_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "enabled", False)
    accelerated = ready(update, given())
    assert not compare(accelerated, update, given())


def test_large_buffers_are_borrowed_for_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_direct, "LARGE", 0)
    blocks = native_memory.memory()
    assert blocks is not None
    used = blocks.counts()["used"]
    check_direct(pairs, lambda: (np.ones(N), 3))
    assert blocks.counts()["used"] == used
    accelerated = ready(summed, lambda: (np.ones(N), 3))
    with pytest.raises(IndexError):
        accelerated(np.ones(N), N + 1)
    assert blocks.counts()["used"] == used


def summed(a: Any, n: int) -> Any:
    b = np.cumsum(a)
    a[:] = b[::-1]
    return a, b[n]


def pairs(a: Any, n: int) -> Any:
    b = np.zeros(N)
    for _ in range(n):
        for i in range(1, N):
            b[i] = a[i - 1] + b[i - 1]
        a[:] = b[::-1] * 0.5
    return a.sum()


def test_inside_of_another_accelerated_function() -> None:
    inner = ready(update, given())

    def function(a: Any, b: Any) -> Any:
        return inner(a, b, 2.5, 3) + 1, np.asarray(a).sum()

    check_direct(function, lambda: given()()[:2])


def test_lazy_arrays_go_the_general_way() -> None:
    import lazyarr.numpy as lnp

    accelerated = ready(update, given())
    a, b, x, n = given()()
    lazy = lnp.array(a)
    with general_calls() as general:
        got = accelerated(lazy, b, x, n)
    assert general
    assert got == update(a, b, x, n)
    np.testing.assert_array_equal(np.asarray(lazy), a)
