"""`accelerate`: what is written, and which memory is shared."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.report import FallbackWarning
from tests.acceleration import check, programs, ramp


def test_an_argument_changed_in_place_is_the_result() -> None:
    def function(a: Any) -> Any:
        a += a[::-1]
        a[1:] += a[:-1]
        return a

    accelerated = check(function, ramp(7))
    assert programs(accelerated) == 1
    a = np.arange(7.0)
    assert accelerated(a) is a


def test_interleaved_views_swap() -> None:
    def function(a: Any) -> Any:
        a[::2], a[1::2] = a[1::2], a[::2]
        return a

    check(function, ramp(8))


def test_transposed_in_place() -> None:
    def function(a: Any) -> Any:
        a += a.T
        return a

    check(function, ramp(4, 4))


@pytest.mark.parametrize(
    "cut",
    [(slice(0, 8), slice(2, 10)), (slice(0, 10, 2), slice(1, 10, 2)), (slice(None), slice(None, None, -1))],
    ids=["overlapping", "interleaved", "reversed"],
)
def test_arguments_that_share_memory(cut: tuple[slice, slice]) -> None:
    def function(a: Any, b: Any) -> Any:
        a[1:] = b[:-1] * 2
        b += 1
        return a + b

    def make(k: int) -> tuple[Any, ...]:
        x = np.arange(10.0) + k
        return x[cut[0]][:4], x[cut[1]][:4]

    assert programs(check(function, make)) == 1


def test_the_same_array_twice() -> None:
    def function(a: Any, b: Any) -> Any:
        a[0] = 5
        b[1] = a[0] + 1
        return a.sum()

    def make(k: int) -> tuple[Any, ...]:
        x = np.arange(4.0) + k
        return x, x

    check(function, make)


def test_rows_of_one_matrix() -> None:
    def function(a: Any, b: Any) -> Any:
        a[:] = b[::-1] + 1
        return a

    def make(k: int) -> tuple[Any, ...]:
        x = np.arange(12.0).reshape(3, 4) + k
        return x[:, 1], x[:, 2]

    check(function, make)


def test_shared_memory_of_different_dtypes_runs_in_numpy() -> None:
    def function(a: Any, b: Any) -> Any:
        b[:] = 2
        return a * 2

    z = np.arange(4) + 1j
    w = z.copy()
    with pytest.warns(FallbackWarning, match="share memory"):
        got = accelerate(function)(z, z.real)
    np.testing.assert_array_equal(got, function(w, w.real))


def test_views_among_the_results_share_memory() -> None:
    def function(a: Any) -> Any:
        b = a * 2
        return b, b[1:], a[::2]

    a = np.arange(6.0)
    b, tail, every = accelerate(function)(a)
    assert np.shares_memory(b, tail)
    assert np.shares_memory(a, every)
    tail[0] = 99
    assert b[1] == 99


def test_an_argument_is_untouched_when_the_function_raises() -> None:
    def function(a: Any) -> Any:
        a[0] = 99
        raise RuntimeError("in the middle")

    a = np.arange(3.0)
    with pytest.raises(RuntimeError, match="middle"):
        accelerate(function)(a)
    np.testing.assert_array_equal(a, np.arange(3.0))


def test_an_index_out_of_range_at_run_time_raises_and_writes_nothing() -> None:
    def function(a: Any, where: Any) -> Any:
        a[where] = 7
        return a[where].sum()

    accelerated: Any = accelerate(function)
    a = np.arange(4.0)
    accelerated(a.copy(), np.array([0, -1]))
    with pytest.raises(IndexError, match="out of bounds for axis 0 with size 4") as caught:
        accelerated(a, np.array([0, 4]))
    np.testing.assert_array_equal(a, np.arange(4.0))
    assert str(caught.value) == "index 4 is out of bounds for axis 0 with size 4"
    assert programs(accelerated) == 1


def test_a_singular_matrix_raises() -> None:
    def function(a: Any, b: Any) -> Any:
        return np.linalg.solve(a, b)

    accelerated: Any = accelerate(function)
    np.testing.assert_allclose(accelerated(np.eye(2) * 2, np.ones(2)), [0.5, 0.5])
    with pytest.raises(np.linalg.LinAlgError):
        accelerated(np.ones((2, 2)), np.ones(2))


def test_a_read_only_argument_is_not_written() -> None:
    def function(a: Any) -> Any:
        a[0] = 1
        return a

    a = np.arange(3.0)
    a.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        accelerate(function)(a)




class _Holder:
    field: Any = None


def _pair(a: Any) -> Any:
    return a * 2, a + 1


def _in_a_dict(a: Any) -> Any:
    return {"found": [a * 2, a.sum()]}


def _in_an_object(a: Any) -> Any:
    holder = _Holder()
    holder.field = a * 2
    return holder


def _changed(a: Any) -> Any:
    a *= 2
    return a[1:] + 1


@pytest.mark.parametrize("function", [np.negative, _pair, _in_a_dict, _in_an_object, _changed])
def test_nothing_keeps_the_results(function: Any) -> None:
    """They are freed with what the caller has of them, not when garbage is collected."""

    def arrays(found: Any) -> list[Any]:
        if isinstance(found, (tuple, list)):
            return [x for item in found for x in arrays(item)]
        if isinstance(found, dict):
            return arrays(list(found.values()))
        return arrays(found.field) if isinstance(found, _Holder) else [found] * isinstance(found, np.ndarray)

    accelerated: Any = accelerate(lambda a: function(a))
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(3):
            held = [weakref.ref(x) for x in arrays(accelerated(np.arange(1000.0)))]
            assert held
            assert all(x() is None for x in held)
    finally:
        if collecting:
            gc.enable()
