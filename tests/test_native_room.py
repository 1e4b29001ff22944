"""What masks select stays in the memory of what it is selected from, where that is read for the last time."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_engine
from lazyarr.backends.native_room import Room
from tests.test_native_selections import compare, drawn

Array = np.ndarray[Any, Any]

LENGTHS = [1, 33, 1000]


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each array that is selected, whether it stays where it is."""
    found: list[bool] = []
    place = Room.place

    def noted(*arguments: Any) -> Any:
        there = place(*arguments)
        found.append(there is not None)
        return there

    monkeypatch.setattr(Room, "place", noted)
    return found


def particles(x: Array, v: Array, mass: Array, steps: int) -> tuple[Any, ...]:
    """Particles that leave a domain."""
    lengths = np.zeros(steps, dtype=np.int64)
    weight = 0
    for n in range(steps):
        x = x + v
        inside = (x > 0.0) & (x < 1.0)
        x, v, mass = x[inside], v[inside], mass[inside]
        lengths[n] = len(x)
        weight += mass.sum()
    return x, v, mass, lengths, weight


# (An equal program is compiled once.)
@pytest.mark.parametrize(("dtype", "vectors"), [("i8", True), ("i4", True), ("u8", False), ("i2", False)])
def test_arrays_that_shrink_stay_where_they_are(dtype: str, vectors: bool, placed: list[bool],
                                                monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    if not vectors:
        monkeypatch.setattr(native_engine, "has", lambda feature: False)
    rng = np.random.default_rng(1)
    calls = [(rng.random(n), rng.normal(0, 0.05, n), drawn(dtype, n, n), 20) for n in LENGTHS]
    compare(particles, *calls)
    assert placed and all(placed)


def test_complex_arrays_and_truth_values(placed: list[bool]) -> None:
    def run(z: Array, even: Array, steps: int) -> tuple[Any, ...]:
        for n in range(steps):
            z = z * (1.01 + 0.02j) + n
            kept = (z.real < 50) | even
            z, even = z[kept], even[kept]
        return z, even

    rng = np.random.default_rng(2)
    compare(run, *((rng.normal(0, 9, n) + 1j, rng.random(n) < 0.5, 30) for n in LENGTHS))
    assert placed and all(placed)


def test_what_is_read_later_is_kept(placed: list[bool]) -> None:
    def run(x: Array, y: Array, steps: int) -> tuple[Any, ...]:
        total, first = 0, 0.0
        for n in range(steps):
            old = x
            kept = x > 0.05 * n
            x, y = x[kept], y[kept]
            total += len(old) - len(x)
            first += old[0] if len(x) else 0.0
        return x, y, total, first

    rng = np.random.default_rng(3)
    compare(run, *((rng.random(n), rng.random(n), 15) for n in LENGTHS))
    assert True in placed and False in placed


def test_arrays_selected_twice_backwards_or_by_a_neighbour() -> None:
    def twice(x: Array, steps: int) -> tuple[Any, ...]:
        y = x
        for n in range(steps):
            kept = x > 0.05 * n
            x, y = x[kept], (x + y[: len(x)])[kept]
        return x, y

    def backwards(x: Array, steps: int) -> Any:
        for n in range(steps):
            x = x[::-1][x > 0.05 * n]
        return x

    def neighbour(x: Array, steps: int) -> Any:
        for _ in range(steps):
            if len(x) < 3:
                break
            rising = x[1:] + 0.4 > x[:-1]
            x = x[1:][rising] * 0.99
        return x

    def itself(mask: Array, x: Array, steps: int) -> tuple[Any, ...]:
        for _ in range(steps):
            mask, x = mask[mask], x[mask]
            mask = x > 0.1
        return mask, x

    def both(x: Array, y: Array, steps: int) -> tuple[Any, ...]:
        for n in range(steps):
            kept = x + y > 0.05 * n
            x, y = (x * 1.01 - y)[kept], (y * 0.99 + x)[kept]
        return x, y

    rng = np.random.default_rng(4)
    for n in LENGTHS:
        x, y = rng.random(n), rng.random(n)
        compare(twice, (x, 12))
        compare(backwards, (x, 12))
        compare(neighbour, (x, 12))
        compare(itself, (x > 0.3, x, 3))
        compare(both, (x, y, 20))


def test_arguments_are_as_before_where_a_check_fails_later() -> None:
    def run(x: Array, table: Array, steps: int) -> tuple[Any, ...]:
        for n in range(steps):
            x *= 1.1
            x = x[x < 4.0]
            table[len(x)] += n
        return x, table

    x = np.random.default_rng(5).random(400)
    compare(run, (x, np.zeros(500), 20))
    accelerated: Any = lazyarr.accelerate(run)
    for _ in range(3):
        own, table = x.copy(), np.zeros(300)
        with pytest.raises(IndexError, match="index 400 is out of bounds"), warnings.catch_warnings():
            warnings.simplefilter("ignore", lazyarr.FallbackWarning)
            accelerated(own, table, 20)
        assert np.array_equal(own, x) and not table.any()


# --- both sides of a mask --------------------------------------------------------------------------------------


def test_what_goes_and_what_stays_are_one_pass(placed: list[bool]) -> None:
    def leave(x: Array, v: Array, steps: int) -> tuple[Any, ...]:
        at = np.arange(len(x))
        left, where = np.zeros(len(x), dtype=np.int64), np.zeros(len(x))
        for n in range(steps):
            x = x + v
            gone = (x < 0.0) | (x > 1.0)
            left[at[gone]] = n + 1
            where[at[gone]] = x[gone]
            x, v, at = x[~gone], v[~gone], at[~gone]
        return left, where, x, v, at

    def kept_first(z: Array, c: Array, steps: int) -> tuple[Any, ...]:
        at = np.arange(len(z))
        count = np.zeros(len(z), dtype=np.int64)
        for n in range(steps):
            z = z * z + c
            kept = np.abs(z) <= 2.0
            inner, outer = at[kept], at[~kept]
            count[outer] = n
            z, c, at = z[kept], c[kept], inner
        return count, z, c, at

    rng = np.random.default_rng(6)
    for n in LENGTHS:
        compare(leave, (rng.random(n), rng.normal(0, 0.05, n), 25))
        compare(kept_first, (np.zeros(n, complex), rng.uniform(-2, 1, n) + 1j * rng.uniform(-1, 1, n), 25))
    assert True in placed


def test_sides_that_need_one_another_are_two_passes() -> None:
    def counted(x: Array, steps: int) -> tuple[Any, ...]:
        total = 0.0
        for n in range(steps):
            low = x < 0.05 * n
            less = len(x[low])
            total += (x - less)[~low].sum()
            x = x[~low] * 0.99
        return x, total

    def masks(x: Array, y: Array, steps: int) -> tuple[Any, ...]:
        marks, fewest = 0, len(x)
        for n in range(steps):
            low = x * y < 0.04 * n
            high = ~low
            marks += (high * 2).sum()
            below = len(x[low])
            x, y = x[high], y[high]
            fewest = min(fewest, below)
        return x, y, marks, fewest

    rng = np.random.default_rng(7)
    for n in LENGTHS:
        compare(counted, (np.round(rng.random(n), 2), 12))
        compare(masks, (rng.random(n), rng.random(n), 12))


def test_moduli_near_their_limits_are_numpys() -> None:
    def run(z: Array, w: Array, steps: int) -> tuple[Any, ...]:
        for _ in range(steps):
            gone = np.abs(z) > 2.0
            w = w + len(z[gone])
            z = z[~gone] * (1 + 1e-16j)
        return z, w

    angles = np.linspace(0, 7, 2000)
    near = 2 * np.exp(1j * angles)
    spread = near * np.repeat([0.5, 1.0, 1.0 + 1e-15, 3.0], 500)
    compare(run, (near, np.zeros(1), 3), (spread, np.zeros(1), 3), (np.roll(spread, 77), np.zeros(1), 3))


def test_what_is_selected_may_be_checked_before_what_it_is_selected_from_is_read_again() -> None:
    def run(x: Array, y: Array, at: Array, steps: int) -> tuple[Any, ...]:
        sums, most = np.zeros(len(x)), np.zeros(steps)
        for n in range(steps):
            low = (at < n) | (x > y)
            most[n] = x[low].max(initial=-1)
            sums[at[low]] = x[low] + y[low]
            x, y, at = y[~low], x[~low], at[~low]
            x = x[::-1].copy()
            if len(x) < 2:
                break
        return x, y, at, sums, most

    rng = np.random.default_rng(8)
    for n in LENGTHS:
        compare(run, (rng.random(n), rng.random(n), np.arange(n), 12))
