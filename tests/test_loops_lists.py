"""Lists of which data decides how they grow: in `while` loops, on a condition, read and shortened in loops."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same, programs
from tests.loop_checks import Array, noise


def agree(function: Any, *inputs: tuple[Any, ...], one_program: bool = True) -> None:
    """Results and arguments agree, and loops are compiled."""
    accelerated: Any = accelerate(function, always=True)
    for args in inputs:
        for _ in range(3):
            plain, own = copy.deepcopy(args), copy.deepcopy(args)
            assert_same(function(*plain), accelerated(*own))
            assert_same(plain, own)
    assert bool(programs(accelerated)) == one_program


def test_histories_of_a_while() -> None:
    def march(x: Array, end: float) -> Any:
        t = 0.0
        times, states = [t], [x]
        while t < end:
            x = x * 0.9
            t += 0.1
            times.append(t)
            states.append(x)
        return times, states, np.array(times), np.array(states), np.stack(states, axis=1), len(states)

    agree(march, (noise(5), 1.5), (noise(5), -1.0), (noise(5), 4.0))


def test_more_items_than_there_is_room_for() -> None:
    def march(n: float) -> Any:
        found = []
        k = 0.0
        while k < n:
            k += 1.0
            found.append(k * 0.5)
        return found

    accelerated: Any = accelerate(march, always=True)
    for n in (5.0, 3000.0, 3000.0, 20.0, 17_000.0, 17_000.0, 17_000.0):
        assert accelerated(n) == march(n)
    assert programs(accelerated) == 1


def test_items_on_a_condition() -> None:
    def above(x: Array, limit: float) -> Any:
        found, pairs, few = [], [], [0.5]
        for i in range(len(x)):
            if x[i] > limit:
                found.append(i)
                pairs.append((i, x[i]))
            elif x[i] > limit - 0.2:
                few += [float(x[i]), 2.5]
        return found, pairs, few, len(found), np.array(few)

    agree(above, (noise(20), 0.1), (noise(20), 5.0), (noise(20), -5.0))


def test_an_array_of_no_items() -> None:
    def above(x: Array, limit: float) -> Any:
        found = []
        for v in x:
            if v > limit:
                found.append(v * x)
        return np.array(found)

    agree(above, (noise(9), 0.1), (noise(9), 5.0))


def test_items_that_are_read_while_the_list_grows() -> None:
    def sums(x: Array) -> Any:
        found = [1.0]
        for v in x:
            found.append(found[-1] + float(v))
        return found, np.array(found)

    def march(u: Array, n: int) -> Any:
        path = [u]
        for _ in range(n):
            path.append(path[-1] * 0.5 + path[0])
        return np.stack(path), path[-1], path

    def counted(r: float, x: float, n: int) -> Any:
        seq = [x]
        while len(seq) < n:
            seq.append(r * seq[-1] * (1 - seq[-1]))
        return seq

    def fibonacci(n: int) -> Any:
        found = [1, 1]
        for _ in range(n):
            found.append(found[-1] + found[-2])
        return found

    def too_far(x: Array, n: int) -> Any:
        found = [0.5]
        for v in x:
            if v > 0:
                found.append(found[-n])
        return found

    agree(sums, (noise(11),))
    agree(march, (noise(5), 9))
    agree(counted, (3.7, 0.3, 50), (3.7, 0.3, 0))
    agree(fibonacci, (30,), (5,))
    agree(too_far, (noise(12), 1))
    with pytest.raises(IndexError):
        accelerate(too_far, always=True)(np.abs(noise(12)), 3)


def test_a_stack() -> None:
    def next_larger(x: Array) -> Any:
        stack: list[int] = []
        out = []
        for i in range(len(x)):
            while stack and x[stack[-1]] < x[i]:
                out.append(stack.pop())
            stack.append(i)
        return out, stack

    agree(next_larger, (noise(20),), (-np.sort(noise(20)),), (np.sort(noise(20)),))

    def emptied(x: Array) -> Any:
        found = [0.5, 1.5]
        total = 0.0
        for v in x:
            if v > 0:
                total += found.pop()
            else:
                found.append(float(v))
        return found, total

    agree(emptied, (np.array([-1.0, 1.0, 1.0, -2.0, 1.0, 1.0]),), (np.array([-1.0, 1.0, -1.0, -2.0, -1.0]),))
    with pytest.raises(IndexError):
        accelerate(emptied, always=True)(np.array([1.0, 1.0, 1.0, -1.0, 1.0, 1.0]))


def test_a_loop_that_breaks() -> None:
    def until(x: Array, tolerance: float) -> Any:
        residuals: list[Any] = []
        for _ in range(50):
            y = x * 0.7
            r = np.linalg.norm(y - x)
            x = y
            residuals.append(r)
            if r < tolerance:
                break
        return x, residuals, len(residuals)

    agree(until, (noise(9), 1e-3), (noise(9), 0.0), (noise(9), 9.0))


def test_loops_in_loops() -> None:
    def nested(x: Array) -> Any:
        found, rows = [], []
        for i in range(10):
            row = []
            for j in range(8):
                if x[(i * j) % 9] > 0.1 * j:
                    found.append((i, x[j] * i))
                    row.append(j)
            rows.append(len(row))
        return found, rows

    def again(x: Array) -> Any:
        found = []
        for v in x:
            if v > 0:
                found.append(v)
        for v in x:
            if v < 0:
                found.append(v)
        return found

    agree(nested, (noise(9),))
    agree(again, (noise(9),))


def test_lists_in_containers_and_arguments() -> None:
    class Record:
        def __init__(self) -> None:
            self.history: list[Any] = []

        def note(self, x: Any) -> None:
            self.history.append(x)

    def run(x: Array, record: Record, before: list[Any], n: int) -> Any:
        kept: dict[str, list[Any]] = {"t": [], "x": []}
        for k in range(n):
            x = x * 0.5
            record.note(x.max())
            if x[0] < k:
                kept["t"].append(k * 0.1)
                kept["x"].append(x)
                before.append(float(x[1]))
        return kept["t"], np.array(kept["x"]), record.history

    agree(run, (noise(5), Record(), [], 9), (noise(5), Record(), [], 12))


def test_a_list_stays_a_list() -> None:
    def kinds(x: Array, found: list[Any]) -> Any:
        own: list[Any] = []
        for v in x:
            if v > 0:
                own.append(v)
                found.append(v)
        return type(own) is list, type(found) is list, isinstance(own, list), own

    agree(kinds, (noise(9), []))


def test_one_array_that_is_changed_in_place_is_one_array() -> None:
    def changed(x: Array, n: int) -> Any:
        found = [x]
        for _ in range(n):
            x += 1
            if x[0] > 0:
                found.append(x)
        return found, np.array(found)

    def later(x: Array, n: int) -> Any:
        found = [x]
        for _ in range(n):
            y = found[-1] * 2
            found.append(y)
            y[0] = 5
        return found

    def read(x: Array, n: int) -> Any:
        found = [x.copy()]
        for k in range(n):
            found[-1][0] = k
            found.append(found[-1] + 1)
        return found

    def afterwards(x: Array, n: int) -> Any:
        found = [x * 1.5]
        y = x
        for _ in range(n):
            y = y + found[-1]
            found.append(y)
        y[0] = -1
        return [a[0] for a in found], y

    def twice(x: Array, n: int) -> Any:
        found: list[Any] = []
        other = found
        for k in range(n):
            found.append(x[k % 3])
            other.append(float(len(found)) * x[0])
        return found

    for function in (changed, later, read, afterwards, twice):
        for k in (0, 9):
            accelerated: Any = accelerate(function, always=True)
            for _ in range(2):
                plain, own = noise(3), noise(3)
                assert_same(function(plain, k), accelerated(own, k))
                assert_same(plain, own)


def test_items_of_several_types_stay_pythons() -> None:
    def mixed(x: Array) -> Any:
        found: list[Any] = []
        for i in range(len(x)):
            if x[i] > 0:
                found.append(i)
            else:
                found.append(x[i])
        return found

    agree(mixed, (noise(12),), one_program=False)
