"""Views by strides of an array's memory, and arrays that have elements of theirs several times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from tests.acceleration import assert_same, check, programs
from tests.loop_checks import Array

as_strided = np.lib.stride_tricks.as_strided
sliding = np.lib.stride_tricks.sliding_window_view


def _frames(x: Array, n: int, hop: int) -> Array:
    return as_strided(x, (1 + (len(x) - n) // hop, n), (x.strides[0] * hop, x.strides[0]))


def _written(x: Array, n: int, hop: int) -> Any:
    y = x.copy()
    frames = _frames(y, n, hop)
    frames[:, 0] = -1
    frames[::2] *= 2
    return y, frames.sum(axis=1)


@pytest.mark.parametrize("step", [1, 2, -1])
def test_frames_are_views(step: int) -> None:
    accelerated = check(_written, lambda k: (np.arange(40.0)[::step] + k, 4, 4), calls=4)
    assert programs(accelerated) == 1


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_diagonal_is_a_view_of_the_argument(order: Any) -> None:
    def raised(a: Array) -> Any:
        diagonal = np.lib.stride_tricks.as_strided(a, (len(a),), (sum(a.strides),))
        diagonal += 1
        return a.sum(), diagonal

    accelerated = check(raised, lambda k: (np.array(np.arange(16.0).reshape(4, 4) + k, order=order),), calls=3)
    assert programs(accelerated) == 1


def test_what_is_before_the_array_s_first_element_is_reached() -> None:
    def backwards(x: Array) -> Any:
        y = x * 2
        view = as_strided(y[-1:], (len(y),), (-y.strides[0],))
        view[:2] = 5
        return y, view * 1

    check(backwards, lambda k: (np.arange(9.0) + k,), calls=3)


def test_views_that_are_read_only_stay_so() -> None:
    def refused(x: Array) -> Any:
        view = as_strided(x, (3, 2), (x.strides[0], 0), writeable=False)
        try:
            view[0] = 1
        except ValueError as error:
            return str(error), view * 2
        return None

    check(refused, lambda k: (np.arange(9.0) + k,), calls=3)


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
def test_writes_to_overlapping_frames_are_numpys() -> None:
    check(_written, lambda k: (np.arange(40.0) + k, 5, 2), calls=3)


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize("always", [False, True])
def test_arguments_with_elements_at_several_places_are_changed_as_numpy_changes_them(always: bool) -> None:
    def changed(windows: Array, row: float) -> Any:
        windows[1] = row
        windows *= 2
        return windows.sum()

    def in_a_loop(windows: Array, by: float) -> Any:
        for i in range(windows.shape[0]):
            windows[i] += by
        return windows[0].copy()

    for function in (changed, in_a_loop):
        accelerated = lazyarr.accelerate(function, always=always)
        for _ in range(3):
            plain, own = (sliding(np.arange(8.0), 3, writeable=True) for _ in range(2))
            assert_same(function(plain, 5.0), accelerated(own, 5.0))
            assert np.array_equal(plain, own)


def test_such_arguments_that_are_read_alone_are_compiled() -> None:
    def total(windows: Array) -> Any:
        return windows.sum(axis=0)

    accelerated = lazyarr.accelerate(total, always=True)
    windows = sliding(np.arange(8.0), 3, writeable=True)
    assert_same(total(windows), accelerated(windows))
    assert programs(accelerated) == 1


def test_arrays_without_elements_have_none_several_times() -> None:
    def changed(x: Array) -> Any:
        x[...] = x * 2
        return x + 1

    accelerated = lazyarr.accelerate(changed, always=True)
    for _ in range(2):
        assert_same(changed(np.ones((3, 0, 2))), accelerated(np.ones((3, 0, 2))))
    assert programs(accelerated) == 1


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
def test_arrays_that_nditer_writes_to() -> None:
    def doubled(x: Array) -> Any:
        print("doubles")
        with np.nditer(x, op_flags=["readwrite"]) as places:
            place: Any
            for place in places:
                place[...] = place * 2
        return x.sum()

    check(doubled, lambda k: (np.arange(6.0) + k,), calls=3)


def seen_read_only(seen: Array, x: Array) -> Any:
    return seen[1:], seen.T, as_strided(x, (2,), (8,)), as_strided(x, (2,), (8,), writeable=False), x[2:], list[int]


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize("always", [False, True])
def test_views_of_what_is_read_only_are(always: bool) -> None:
    accelerated = lazyarr.accelerate(seen_read_only, always=always)
    for k in range(4):
        x = np.arange(12.0) + k
        seen = x[2:8].reshape(2, 3)
        seen.flags.writeable = False
        assert_same(seen_read_only(seen, x)[:-1], accelerated(seen, x)[:-1])
        assert all(np.shares_memory(x, view) for view in accelerated(seen, x)[:-1])
        assert accelerated(seen, x)[-1] == list[int]


@pytest.mark.parametrize("always", [False, True])
def test_direct_calls_that_give_views_of_what_is_read_only(always: bool) -> None:
    def parts(seen: Array, x: Array) -> Any:
        x += 1
        return seen[1:], x[1:]

    accelerated = lazyarr.accelerate(parts, always=always)
    for k in range(5):
        x, own = np.arange(12.0) + k, np.arange(12.0) + k
        assert_same(parts(np.broadcast_to(x, (2, 12)), x), accelerated(np.broadcast_to(own, (2, 12)), own))
