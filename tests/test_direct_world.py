"""Direct calls: numbers, globals and enclosing variables, checks that fail, errors, threads, who owns what."""

from __future__ import annotations

import gc
import math
import sys
import threading
import types
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr
from lazyarr.backends.native_python import supported
from lazyarr.settings import Settings
from lazyarr.tracing import direct
from tests.acceleration import assert_same
from tests.direct_calls import check_direct, compare, general_calls, ready

pytestmark = [
    pytest.mark.filterwarnings("ignore::lazyarr.report.FallbackWarning"),
    pytest.mark.skipif(not supported(), reason="another Python"),
]
N = 40
GAIN = 2.0
TABLE = np.arange(float(N))
module = types.ModuleType("a_module")
module.rate = 0.5  # type: ignore[attr-defined]


# --- numbers


def test_arithmetic_of_numbers() -> None:
    def function(a: Any, n: int, x: float, z: complex) -> Any:
        half, inverse = n // 2, 1 / x
        for i in range(a.shape[0]):
            a[i] += half * inverse + x**2
        return half, inverse, n * x, abs(z), -n, z

    accelerated = check_direct(function, lambda: (np.ones(N), 7, 2.5, 1j))
    assert compare(accelerated, function, lambda: (np.ones(N), -8, -1e100, 3 - 4j))
    for n, x in ((2**80, 2.5), (7, 0.0), (-(2**63), 1.5), (2**62, math.nan), (3, math.inf)):
        compare(accelerated, function, lambda n=n, x=x: (np.ones(N), n, x, 1j))  # type: ignore[misc]
        assert compare(accelerated, function, lambda: (np.ones(N), 7, 2.5, 1j))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [0.0, -0.0, math.nan, math.inf, -1.5, 5e-324])
def test_floats_that_python_looks_at(value: float) -> None:
    def function(a: Any, x: float) -> Any:
        for i in range(N):
            a[i] *= x
        return str(x), a[1]

    accelerated = ready(function, lambda: (np.ones(N), value))
    compare(accelerated, function, lambda: (np.ones(N), value))
    for x in (0.0, -0.0, math.nan, 1.0):
        compare(accelerated, function, lambda x=x: (np.ones(N), x))  # type: ignore[misc]


def test_ints_that_decide_the_program() -> None:
    def function(a: Any, n: int) -> Any:
        b = np.zeros(n)
        for i in range(N):
            a[i] += n
        return b, a.sum() if n % 2 else n

    accelerated = ready(function, lambda: (np.ones(N), 3))
    assert compare(accelerated, function, lambda: (np.ones(N), 3))
    for n in (4, 5, 4, 3, 6):
        compare(accelerated, function, lambda n=n: (np.ones(N), n))  # type: ignore[misc]
    assert compare(accelerated, function, lambda: (np.ones(N), 3))


def test_numbers_that_the_program_does_not_hold() -> None:
    def function(a: Any, n: int) -> Any:
        for i in range(N):
            a[i] += n
        return a.dtype

    accelerated = ready(function, lambda: (np.ones(N, np.int8), 3))
    assert compare(accelerated, function, lambda: (np.ones(N, np.int8), -100))
    assert not compare(accelerated, function, lambda: (np.ones(N, np.int8), 300))
    assert not compare(accelerated, function, lambda: (np.ones(N, np.int8), 2**70))


# --- the world outside


def scaled(a: Any) -> Any:
    for i in range(a.shape[0]):
        a[i] = a[i] * GAIN + TABLE[i]
    return a.sum()


def test_globals_that_change(monkeypatch: pytest.MonkeyPatch) -> None:
    accelerated = check_direct(scaled, lambda: (np.ones(N),))
    monkeypatch.setitem(globals(), "GAIN", 3.5)
    assert compare(accelerated, scaled, lambda: (np.ones(N),))
    TABLE[3] += 1
    assert compare(accelerated, scaled, lambda: (np.ones(N),))
    monkeypatch.setitem(globals(), "TABLE", np.ones(N))
    assert compare(accelerated, scaled, lambda: (np.ones(N),))
    for name, value in (("GAIN", 2), ("TABLE", np.ones(N, "f4")), ("TABLE", np.ones(N + 1)), ("GAIN", None)):
        monkeypatch.setitem(globals(), name, value)
        assert not compare(accelerated, scaled, lambda: (np.ones(N),))
    monkeypatch.delitem(globals(), "GAIN")
    with pytest.raises((NameError, KeyError)):
        accelerated(np.ones(N))


def test_a_global_array_that_is_the_argument() -> None:
    accelerated = ready(scaled, lambda: (np.ones(N),))
    before = TABLE.copy()
    try:
        expected = before.copy() * GAIN + before
        assert accelerated(TABLE) == expected.sum()
        np.testing.assert_array_equal(TABLE, expected)
    finally:
        TABLE[:] = before


def test_a_global_array_that_is_changed() -> None:
    state = np.zeros(N)

    def function(a: Any) -> None:
        for i in range(N):
            state[i] += a[i]

    accelerated = lazyarr.accelerate(function)
    for _ in range(3):
        accelerated(np.arange(float(N)))
    with general_calls() as general:
        accelerated(np.arange(float(N)))
    assert not general
    np.testing.assert_array_equal(state, 4 * np.arange(float(N)))


def test_enclosing_variables_that_change() -> None:
    factor, shift = 2.0, np.ones(N)

    def function(a: Any) -> Any:
        for i in range(N):
            a[i] = a[i] * factor + shift[i]
        return factor

    accelerated = check_direct(function, lambda: (np.ones(N),))
    factor = 4.0
    assert compare(accelerated, function, lambda: (np.ones(N),))
    shift = np.arange(float(N))
    assert compare(accelerated, function, lambda: (np.ones(N),))
    factor = 4
    assert not compare(accelerated, function, lambda: (np.ones(N),))
    shift = np.ones(N, "f4")
    compare(accelerated, function, lambda: (np.ones(N),))


def first(a: Any, i: Any) -> Any:
    return a[i] + 1


def second(a: Any, i: Any) -> Any:
    return a[i] - 1


helper = first


def test_functions_that_change(monkeypatch: pytest.MonkeyPatch) -> None:
    def function(a: Any) -> Any:
        for i in range(N):
            a[i] = helper(a, i)
        return helper is first

    accelerated = check_direct(function, lambda: (np.ones(N),))
    monkeypatch.setattr(first, "mark", 1, raising=False)
    assert not compare(accelerated, function, lambda: (np.ones(N),))
    monkeypatch.delattr(first, "mark")
    assert compare(accelerated, function, lambda: (np.ones(N),))
    monkeypatch.setitem(globals(), "helper", second)
    assert not compare(accelerated, function, lambda: (np.ones(N),))


def test_attributes_of_modules_and_functions_that_change(monkeypatch: pytest.MonkeyPatch) -> None:
    def function(a: Any) -> Any:
        for i in range(N):
            a[i] *= module.rate
        return function.level  # type: ignore[attr-defined]

    function.level = 1  # type: ignore[attr-defined]
    accelerated = check_direct(function, lambda: (np.ones(N),))
    monkeypatch.setattr(module, "rate", 0.25)
    assert compare(accelerated, function, lambda: (np.ones(N),))
    monkeypatch.setattr(module, "rate", 3)
    assert not compare(accelerated, function, lambda: (np.ones(N),))
    monkeypatch.setattr(module, "rate", 0.5)
    function.level = 2  # type: ignore[attr-defined]
    assert not compare(accelerated, function, lambda: (np.ones(N),))


def test_an_accelerated_function_that_is_called() -> None:
    @lazyarr.accelerate
    def inner(a: Any, i: Any) -> Any:
        return a[i] * 2

    def function(a: Any) -> Any:
        for i in range(N):
            a[i] = inner(a, i)
        return a

    accelerated = check_direct(function, lambda: (np.ones(N),))
    inner.mark = 1  # type: ignore[attr-defined]
    assert not compare(accelerated, function, lambda: (np.ones(N),))


# --- errors


def test_a_check_that_fails_leaves_everything_as_it_was() -> None:
    def function(a: Any, index: Any) -> Any:
        for i in range(index.shape[0]):
            a[index[i]] += 1.0
        return a.sum()

    def make(k: int) -> Any:
        index = np.arange(N)
        index[30] = k
        return lambda: (np.zeros(N), index.copy())

    accelerated = check_direct(function, make(3))
    assert not compare_untouched(accelerated, make(N))
    assert compare(accelerated, function, make(-N))
    assert not compare_untouched(accelerated, make(-N - 1))
    assert compare(accelerated, function, make(5))


def compare_untouched(accelerated: Any, make: Any) -> bool:
    """An IndexError, after which the arguments are as before. Whether it was a direct call."""
    before, own = make(), make()
    with general_calls() as general, pytest.raises(IndexError, match="out of bounds"):
        accelerated(*own)
    assert_same(before, own)
    return not general


def test_an_error_in_what_numpy_runs() -> None:
    def function(a: Any, b: Any, n: int) -> Any:
        for _ in range(n):
            b[:] = np.linalg.solve(a, b)
        return b.sum()

    accelerated = check_direct(function, lambda: (np.eye(3) * 2, np.ones(3), 20))
    a, b = np.zeros((3, 3)), np.ones(3)
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        accelerated(a, b, 20)
    np.testing.assert_array_equal(b, np.ones(3))
    assert compare(accelerated, function, lambda: (np.eye(3) * 4, np.ones(3), 20))


# --- threads, and what is alive


def work(a: Any, n: int) -> Any:
    b = np.zeros(a.shape)
    for _ in range(n):
        b[:] = a * 0.5 + b * 0.5
        for i in range(1, a.shape[0]):
            a[i] = a[i] + a[i - 1] * 1e-3
    return b, a.sum()


def test_threads_at_once() -> None:
    accelerated = ready(work, lambda: (np.ones(500), 200))
    expected = {k: work(np.full(500, 1.0 + k), 200) for k in range(4)}
    wrong: list[Any] = []

    def many(k: int) -> None:
        for _ in range(30):
            b, total = accelerated(np.full(500, 1.0 + k), 200)
            if total != expected[k][1] or not np.array_equal(b, expected[k][0]):
                wrong.append((k, total))

    threads = [threading.Thread(target=many, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_program_shared_among_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.settings.current", Settings(threads=3))

    def function(a: Any, n: int) -> Any:
        b = np.zeros(a.shape)
        for _ in range(n):
            b[1:-1, 1:-1] = a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]
            a[1:-1, 1:-1] = b[1:-1, 1:-1] * 0.25
        return b

    check_direct(function, lambda: (np.arange(90000.0).reshape(300, 300), 30))


def test_nothing_is_left_over() -> None:
    def function(a: Any, b: Any, n: int, pair: Any) -> Any:
        c = np.zeros(N)
        for i in range(N):
            c[i] = a[i] + b[i]
            a[i] += n
        return c, [a, None, n * 2], c[3], (True, pair[0])

    accelerated = check_direct(function, lambda: (np.ones(N), np.ones(N), 7, (2.5,)))
    a, b, number, pair = np.ones(N), np.ones(N), 12345678, (2.5,)
    watched = [a, b, number, pair, pair[0], a.dtype, np.ndarray, np.float64]
    accelerated(a, b, number, pair)
    gc.collect()
    before = [sys.getrefcount(x) for x in watched]
    blocks = sys.getallocatedblocks()
    for _ in range(500):
        accelerated(a, b, number, pair)
        accelerated._direct[0](a, b, "no", pair)
    gc.collect()
    assert [sys.getrefcount(x) for x in watched] == before
    assert sys.getallocatedblocks() < blocks + 200


def test_a_function_that_is_gone() -> None:
    accelerated = ready(work, lambda: (np.ones(N), 2))
    call = accelerated._direct[0]
    before = call(np.ones(N), 2)
    del accelerated
    lazyarr.accelerate(work)
    gc.collect()
    assert_same(before, call(np.ones(N), 2))
    assert repr(call(np.ones(N))) == "<miss>"


# --- any arguments


def changing(a: Any, b: Any, x: Any, y: Any) -> Any:
    last = a[..., 0]
    for i in range(a.shape[-1]):
        last = a[..., i] * 1
        a[..., i] = a[..., i] + b[..., i] * x
        b[..., i] = y
    return last, a, b[..., 1:], (x, y), a + b


_MEMORY = st.sampled_from(["plain", "fortran", "steps", "backwards", "locked", "swapped", "shared", "own dtype"])
_NUMBER = st.one_of(
    st.integers(-3, 3), st.sampled_from([2**40, True, None, "x", 2**70]), st.sampled_from([0.5, -0.0, math.nan]),
    st.sampled_from([np.float64(2), np.int64(3), np.float32(0.5), 1j, np.array(3.0), np.bool_(True)]),
)  # fmt: skip


def array(kind: str, shape: tuple[int, ...], dtype: str, shared: Any) -> Any:
    values = (np.arange(math.prod(shape)) % 7).reshape(shape).astype(dtype)
    if kind == "fortran":
        return np.asfortranarray(values)
    if kind == "steps":
        return np.repeat(values, 2, axis=-1)[..., ::2]
    if kind == "backwards":
        return values[..., ::-1]
    if kind == "locked":
        values.flags.writeable = False
    if kind == "swapped":
        return values.astype(np.dtype(dtype).newbyteorder())
    if kind == "own dtype":
        return values.astype(np.dtype(dtype, metadata={"a": 1}))
    if kind == "shared" and shared is not None and shared.shape == shape:
        return shared
    return values


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_arguments(data: Any) -> None:
    """A function that is called with changing kinds of arguments gives what NumPy gives, and so it does generally."""
    shape = data.draw(st.sampled_from([(20,), (3, 24), (2, 18, 2)]))
    accelerated, generally = lazyarr.accelerate(changing), lazyarr.accelerate(changing)
    calls = [
        (data.draw(_MEMORY), data.draw(_MEMORY), data.draw(st.sampled_from(["f8", "f4", "i8"])), data.draw(_NUMBER),
         data.draw(_NUMBER))
        for _ in range(2)
    ]  # fmt: skip
    for _ in range(3):
        for first_kind, second_kind, dtype, x, y in calls:

            def make(p: Any = first_kind, q: Any = second_kind, d: Any = dtype, x: Any = x, y: Any = y) -> Any:
                a = array(p, shape, d, None)
                return a, array(q, shape, "f8", a), x, y

            compare(accelerated, changing, make)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(direct, "enabled", False)
                assert not compare(generally, changing, make)
