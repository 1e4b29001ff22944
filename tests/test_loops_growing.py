"""Lists that a loop appends to in each iteration: one program, and NumPy's list."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same
from tests.loop_checks import Array, noise, same


def agree(function: Any, *args: Any) -> None:
    """Results and arguments agree, as whatever the function runs."""
    for always in (False, True):
        accelerated: Any = accelerate(function, always=always)
        for _ in range(3):
            plain, own = copy.deepcopy(args), copy.deepcopy(args)
            assert_same(function(*plain), accelerated(*own))
            assert_same(plain, own)


def test_numbers_of_each_kind() -> None:
    def history(x: Array, n: int) -> Any:
        totals, counts, flags, means = [], [], [], []
        for i in range(2, n, 3):
            x[i % 5] += 1.5
            totals.append(x.sum())
            counts.append(i)
            flags.append(x[0] > i)
            means.append(float(x[1]))
        return totals, counts, flags, means, len(means)

    same(history, (noise(9), 40))


def test_arrays_that_are_new_in_each_iteration() -> None:
    def path(x: Array, a: Array, n: int) -> Any:
        points = [x.copy()]
        last: list[Any] = []
        for _ in range(n):
            x = a @ x / 3
            points.append(x)
            last.append((x[:2], x.max(), 3))
        return np.array(points), last, np.stack(points, axis=1)

    same(path, (noise(4), noise(4, 4), 12))


def test_rows_of_rows() -> None:
    def table(x: Array) -> Any:
        rows = []
        for i in range(len(x)):
            row = []
            for j in range(7):
                row.append(x[i] * j)
            rows.append(row)
        return np.array(rows), np.mean(rows)

    same(table, (noise(9),))


def test_what_is_done_with_the_list_afterwards() -> None:
    def use(x: Array) -> Any:
        found = [0.5]
        for value in x:
            found.append(value * 2)
        found.append(7.0)
        again = found + [1.0]
        found[0] = 3.0
        more = []
        for k in range(6):
            more.append(found[k])
        for k in range(6, 9):
            more.append(k)
        return [1.0] + found, again[::-1], found[-1], found[2:4], more, found[:0]

    same(use, (noise(11),))


def test_an_array_of_numbers_and_of_pairs() -> None:
    def pairs(x: Array) -> Any:
        found, halves = [], []
        for k, value in enumerate(x):
            found.append((k, value))
            halves.append([value / 2, 1.0])
        return np.array(found), np.array(halves, dtype=np.float32), np.vstack(halves), found

    same(pairs, (noise(8),))


def test_numbers_that_python_knows_stay_known() -> None:
    def sizes(x: Array) -> Any:
        found: list[Any] = []
        totals = []
        for i in range(8):
            found.append(2 * i + 1)
            found.append("no number")
            found.append(None)
            totals.append(x[i] * 2)
        return np.zeros(found[3 * 4]) + totals[3], x[: found[3]], x.reshape(found[6], found[3]), found

    same(sizes, (noise(15),))


def test_two_names_for_one_list_stay_pythons() -> None:
    def twice(x: Array) -> Any:
        found: list[Any] = []
        other = found
        for value in x:
            found.append(value)
            other.append(len(found))
        return found

    agree(twice, noise(9))


def test_a_list_that_the_loop_reads() -> None:
    def read(x: Array) -> Any:
        found = [1.0]
        for value in x:
            found.append(found[-1] + value)
        return found

    agree(read, noise(9))


@pytest.mark.parametrize("n", [0, 1, 9, 90])
def test_one_array_that_is_changed_in_place_is_one_array(n: int) -> None:
    def changed(x: Array, n: int) -> Any:
        found = []
        for _ in range(n):
            x += 1
            found.append(x)
        return found, np.array(found)

    def later(x: Array, n: int) -> Any:
        found = []
        for _ in range(n):
            y = x * 2
            found.append(y)
            y[0] = 5
        return found

    def next_time(x: Array, n: int) -> Any:
        found = []
        y = x * 2
        for i in range(n):
            y[0] = i
            y = y + 1
            found.append(y)
        return found

    def afterwards(x: Array, n: int) -> Any:
        found = []
        y = x * 2
        for _ in range(n):
            y = y + x
            found.append(y)
        y[0] = -1
        return [a[0] for a in found], y

    def through_a_view(x: Array, n: int) -> Any:
        found = []
        for i in range(n):
            y = np.zeros(3)
            found.append(y[:2])
            y[1] = x[0] * i
        return found

    for function in (changed, later, next_time, afterwards, through_a_view):
        for k in range(2):
            agree(function, noise(3), n + k)


def test_types_that_differ_from_iteration_to_iteration() -> None:
    def mixed(x: Array, limit: float) -> Any:
        found = []
        s: Any = 0
        for value in x:
            found.append(s)
            s = s + value if value > limit else s
        return found

    for limit in (-1.0, 0.5, 2.0):
        agree(mixed, noise(12), limit)


def test_breaks_and_conditions_stay_pythons() -> None:
    def until(x: Array) -> Any:
        found, few = [], []
        for value in x:
            found.append(value)
            if value > 0.9:
                few.append(value)
            if len(x) > 100 or value > 0.99:
                break
        return found, few

    agree(until, noise(30))


def test_an_error_leaves_numpys() -> None:
    def fails(x: Array, n: int) -> Any:
        found = []
        for i in range(n):
            found.append(x[i])
        return found

    accelerated: Any = accelerate(fails)
    for _ in range(3):
        with pytest.raises(IndexError, match="index 9 is out of bounds"):
            accelerated(noise(9), 12)
    assert_same(fails(noise(9), 9), accelerated(noise(9), 9))


def test_another_number_of_iterations() -> None:
    def count(x: Array, n: int) -> Any:
        found = []
        for i in range(n):
            found.append(x[i % 4] + i)
        return found

    accelerated: Any = accelerate(count, always=True)
    for n in (6, 7, 8, 9, 30, 6, 0, 200):
        assert_same(count(noise(4), n), accelerated(noise(4), n))


def test_a_thousand_steps_are_one_loop() -> None:
    def steps(x: Array, n: int) -> Any:
        energies, positions = [], []
        v = np.zeros_like(x)
        for _ in range(n):
            v = v - 0.01 * x
            x = x + 0.01 * v
            energies.append(0.5 * (v @ v + x @ x))
            positions.append(x)
        return energies, np.array(positions)

    accelerated: Any = accelerate(steps, strict=True)
    assert_same(steps(noise(3), 1000), accelerated(noise(3), 1000))
    assert "compiled" in str(accelerated.explain(noise(3), 1000))


def test_comprehensions() -> None:
    def listed(x: Array, w: int) -> Any:
        frames = np.array([x[i : i + 7] * w for i in range(0, len(x) - 7, 2)])
        squares = [v * v for v in x]
        numbered = [(k, v + 1) for k, v in enumerate(x)]
        names = [str(i) for i in range(30)]
        sizes = [2 * i + 1 for i in range(20)]
        return frames, squares, numbered, names, x[: sizes[3]] + np.zeros(sizes[3]), sum(sizes)

    same(listed, (noise(60), 3))


def test_lists_of_lists() -> None:
    def nested(x: Array) -> Any:
        kernel = np.array([[np.exp(-((x[i] - x[j]) ** 2)) for j in range(len(x))] for i in range(len(x))])
        table = [[x[i] * j for j in range(20)] for i in range(len(x))]
        rows = []
        for value in x:
            row = []
            for k in range(9):
                row.append((value, float(x[k])))
                row.append((value + 1, 2.5))
            rows.append(row)
        first = rows[3]
        first.append(rows[2][1])
        return kernel, table[2][3], table, rows, len(rows[0]), len(first)

    same(nested, (noise(25),))


def test_a_list_that_changes_after_another_got_it() -> None:
    def later(x: Array) -> Any:
        rows = []
        for value in x:
            row = []
            for k in range(9):
                row.append(value * k)
            rows.append(row)
            row.append(value)
        return rows

    def shared(x: Array) -> Any:
        row = []
        for k in range(9):
            row.append(x[k] * 2)
        rows = []
        for _ in range(30):
            rows.append(row)
        rows[0][0] = 5.0
        return rows

    def kept(x: Array) -> Any:
        makers: list[Any] = [lambda: i for i in range(30)]  # noqa: B023  that it is the last one is the point
        return [x[make()] for make in makers]

    for function in (later, shared, kept):
        agree(function, noise(40))


def test_functions_of_many_items_in_a_comprehension() -> None:
    def many(x: Array) -> Any:
        def energy(k: int) -> Any:
            y = np.roll(x, k)
            if y[0] > 0.5:
                return y @ x
            return 0.0 * y[1]

        return np.array([energy(k) for k in range(100)])

    agree(many, noise(12))


def test_a_list_that_a_loop_leaves_for_the_next_call() -> None:
    def growing(x: Any) -> Any:
        s, found = 0.0, None
        for k in range(12):
            s = s + x[k]
            if x[k] > 0.5:
                path = []
                for _ in range(30):
                    s = s * 0.9 + 0.1
                    path.append(s)
                    if s > 4:
                        break
                found = path
        return s, found

    rng = np.random.default_rng(3)
    accelerated: Any = accelerate(growing)
    for k in range(6):
        x = rng.random(50) + 0.05 * k
        assert_same(growing(x), accelerated(x))


def test_arrays_without_axes_are_no_scalars() -> None:
    def costs(x: Array, n: int) -> Any:
        found: list[Any] = []
        pairs: list[Any] = []
        for i in range(n):
            x = x * 0.9
            found.append(np.squeeze(np.dot(x[None], x[:, None])))
            pairs.append((np.reshape(x.sum(), ()), x.max(), [np.array(x[i % 5])]))
        return found, pairs, found[-1]

    def until(x: Array, n: int) -> Any:
        found = []
        i = 0
        while i < n and x[i] < 0.9:
            found.append(np.asarray(x[i]))
            i += 1
        return found

    agree(costs, noise(9), 30)
    agree(until, np.linspace(0, 1, 60), 60)
    found, pairs, _ = accelerate(costs)(noise(9), 30)
    assert {type(x) for x in found} == {np.ndarray}
    assert {tuple(map(type, (a, b, c[0]))) for a, b, c in pairs} == {(np.float64, np.float64, np.ndarray)}
