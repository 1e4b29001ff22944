"""`for` loops under `accelerate`: what they run over, and that they become loops of one program."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from tests.acceleration import check, programs
from tests.loop_checks import Array, compiled, noise, ramp, same


def recurrence(x: Array, a: float) -> Array:
    for i in range(1, x.shape[0]):
        x[i] += a * x[i - 1]
    return x


def test_a_recurrence_is_one_loop() -> None:
    accelerated = same(recurrence, (noise(9), 0.5), (noise(9), 2.0), (noise(40), 0.5), (ramp(0), 1.0), (ramp(1), 1.0))
    assert "loop" in compiled(accelerated)


BOUNDS = [(0, 7, 1), (2, 9, 1), (0, 10, 3), (1, 10, 4), (9, -1, -1), (9, 0, -2), (5, 5, 1), (7, 2, 1), (2, 7, -1),
          (-3, 4, 1), (4, -5, -3), (0, 1, 100)]  # fmt: skip


def over_range(x: Array, start: int, stop: int, step: int) -> Any:
    last, total = -1, 0.0
    for i in range(start, stop, step):
        total += x[i] * i
        x[i] = total
        last = i
    return total, last


@pytest.mark.parametrize("bounds", BOUNDS)
def test_ranges(bounds: tuple[int, int, int]) -> None:
    same(over_range, (noise(12), *bounds))


def test_a_range_with_a_step_of_0_is_pythons_error() -> None:
    same(over_range, (noise(12), 0, 5, 0))


def range_of_data(x: Array, bounds: Array) -> Any:
    total = x[0] * 0
    for i in range(bounds[0], bounds[1], bounds[2]):
        total = total + x[i]
    return total


@pytest.mark.parametrize("bounds", [b for b in BOUNDS if b[2] > 0])
def test_ranges_between_elements(bounds: tuple[int, int, int]) -> None:
    def ahead(x: Array, bounds: Array) -> Any:
        total = x[0] * 0
        for i in range(bounds[0], bounds[1]):
            total = total + x[i]
        return total

    same(ahead, (noise(12), np.array(bounds)))


def test_ranges_of_a_step_that_is_data() -> None:
    from lazyarr import accelerate

    accelerated: Any = accelerate(range_of_data)
    for bounds in BOUNDS:
        x = noise(12)
        assert range_of_data(x, np.array(bounds)) == accelerated(x, np.array(bounds))


def triangle(a: Array) -> Array:
    n = a.shape[0]
    for i in range(n):
        for j in range(i):
            a[i, j] -= a[j, i]
        for j in range(i + 1, n):
            a[i, j] *= 2
        for j in range(n - 1, i, -1):
            a[j, i] += i - j
    return a


def test_bounds_on_outer_indices() -> None:
    same(triangle, (noise(7, 7),), (ramp(1, 1),), (ramp(0, 0),))


def three_deep(a: Array, n: int) -> Any:
    count = 0
    for i in range(n):
        for j in range(i, n):
            for k in range(i, j + 1):
                count += 1
                a[i] += a[k] * a[j]
    return count


def test_three_deep() -> None:
    same(three_deep, (noise(6), 6), (noise(6), 1), (noise(6), 0))


def rows(pointers: Array, columns: Array, values: Array, x: Array) -> Array:
    y = np.zeros(pointers.shape[0] - 1)
    for i in range(y.shape[0]):
        for k in range(pointers[i], pointers[i + 1]):
            y[i] += values[k] * x[columns[k]]
    return y


def test_bounds_on_data() -> None:
    pointers = np.array([0, 2, 2, 5, 6, 6, 9])
    columns = np.array([0, 3, 1, 1, 2, 0, 3, 2, 0])
    same(rows, (pointers, columns, noise(9), noise(4)))
    same(rows, (pointers.astype(np.int32), columns.astype(np.uint8), noise(9), noise(4)))


def test_over_arrays() -> None:
    def total(x: Array) -> Any:
        found = 0.0
        for value in x:
            found = found + value * value
        return found

    same(total, (noise(9),), (noise(9, dtype="f4"),), (noise(9, dtype="i8"),), (noise(9, dtype="u1"),), (ramp(0),))

    def double(a: Array) -> Any:
        for row in a:
            row *= 2
            row[0] = row.sum()
        return a

    same(double, (noise(6, 3),), (noise(6, 3).T,), (noise(6, 3)[::-1],))

    def columns(a: Array) -> Array:
        for k, column in enumerate(a.T):
            column -= k
        return a

    same(columns, (noise(3, 6),))

    def written_while_read(x: Array) -> Array:
        for k, value in enumerate(x[:-1]):
            x[k + 1] += value
        return x

    same(written_while_read, (noise(8),))


def test_enumerate_and_zip() -> None:
    def numbered(x: Array, start: int) -> Any:
        total = 0.0
        for k, value in enumerate(x, start):
            total += k * value
        return total

    same(numbered, (noise(9), 0), (noise(9), 4))

    def pairs(x: Array, y: Array, out: Array) -> Array:
        for k, (a, b) in enumerate(zip(x, y)):
            out[k] = a * b + k
        return out

    same(pairs, (noise(9), noise(9, seed=1), ramp(9)), (noise(9), noise(7), ramp(9)), (noise(6), noise(9), ramp(9)))

    def ranges(x: Array) -> Any:
        total = 0.0
        for i, j in zip(range(8), range(9, 0, -1)):
            total = total + x[i] * x[j]
        return total

    same(ranges, (noise(10),))

    def three(x: Array, y: Array) -> Any:
        total = 0
        for a, b, i in zip(x, y, range(0, 30, 3)):
            total = total + a * b * i
        return total, i

    same(three, (noise(9), noise(9)), (noise(9), noise(20)))


def test_strict_zip_raises_as_python() -> None:
    def strictly(x: Array, y: Array) -> Any:
        total = 0.0
        for a, b in zip(x, y, strict=True):
            total += a * b
        return total

    same(strictly, (noise(8), noise(8)), (noise(8), noise(9)))


def test_the_index_is_a_python_int_after_the_loop() -> None:
    def last(x: Array, n: int) -> Any:
        for i in range(n):
            x[i] += i
        return i, i * 2, i / 2

    same(last, (noise(9), 9), (noise(9), 5), (noise(9), 1))

    def first(x: Array) -> Any:
        i = 77
        for i in range(int(x[0])):
            x[i] += 1
        return i

    same(first, (np.array([6.0, 1, 2, 3, 4, 5, 6]),), (np.array([0.0, 1, 2]),), (np.array([1.0, 1, 2]),))


def test_an_index_that_never_was_is_pythons_error() -> None:
    def last(x: Array, n: int) -> Any:
        for i in range(n):
            x[i] += i
        return i

    same(last, (noise(3), 0))


def test_the_index_may_be_assigned_to() -> None:
    def shifted(x: Array) -> Any:
        for i in range(7):
            i = i + 1
            x[i] += i
        return i

    same(shifted, (noise(9),))


def test_targets() -> None:
    def into_an_element(x: Array, y: Array) -> Array:
        for y[0] in x:
            y[1] += y[0]
        return y

    same(into_an_element, (noise(9), noise(3)))

    def nested(a: Array) -> Any:
        total = 0.0
        for i, (x, *rest) in enumerate(a):
            total = total + x * i + rest[0]
        return total

    same(nested, (noise(9, 3),))


def test_few_iterations_are_written_out() -> None:
    def few(x: Array) -> Array:
        for i in range(3):
            x[i] += x[i + 1]
        return x

    assert "loop" not in compiled(same(few, (noise(9),)))


def test_over_a_list_is_unrolled() -> None:
    def several(x: Array) -> Any:
        for scale in [0.5, 2, 3.0]:
            x *= scale
        for name, k in {"a": 1, "b": 2}.items():
            x[k] += len(name)
        return x

    same(several, (noise(9),))


def test_new_counts_of_iterations_are_no_new_programs() -> None:
    """The first two are constants of their programs; then one serves all."""

    def decays(x: Array, rate: float, steps: int) -> Array:
        for _ in range(steps):
            x *= rate
            x[1:] += 0.1 * x[:-1]
        return x

    def total(x: Array, n: int) -> float:
        found = 0.0
        for i in range(1, n):
            found += x[i] * x[i - 1]
        return found

    def history(x: Array, steps: int) -> Array:
        """The result's length is a count: one program for each."""
        out = np.zeros(steps)
        for t in range(steps):
            x *= 0.9
            out[t] = x.sum()
        return out

    counts = (6, 9, 30, 0, 1, 14, 50)
    assert programs(same(decays, *((noise(30), 0.5, n) for n in counts))) == 5
    assert programs(same(total, *((noise(60), n) for n in (5, 9, 30, 2, 60)))) == 4
    assert programs(same(history, *((noise(60), n) for n in counts[:4]))) == 4


def by_enumerate_twice(x: Array) -> Any:
    pairs = enumerate(x)
    first = next(pairs)
    total = 0.0
    for i, v in pairs:
        total += i * v
        if i == 5:
            break
    rest = 0.0
    for i, v in pairs:
        rest += v + i
    return first, total, rest, list(pairs)


def by_zip_twice(x: Array) -> Any:
    pairs = zip(x, x[1:])
    next(pairs)
    total = 0.0
    for a, b in pairs:
        total += a * b
    return total, list(pairs), type(pairs).__name__, type(enumerate(x)).__name__


def test_iterators_that_have_a_name_are_used_up() -> None:
    for function in (by_enumerate_twice, by_zip_twice):
        check(function, lambda k: (noise(12) + k,), calls=3)
        check(function, lambda k: (noise(4) + k,), calls=3)


def reversed_range(x: Array) -> Any:
    for i in reversed(range(len(x) - 1)):
        x[i] += 0.5 * x[i + 1]
    last = -1
    for i in range(len(x)):
        for j in reversed(range(i, len(x), 3)):
            x[j] -= 0.1 * x[i]
            last = j
    return x, last


def reversed_rows(x: Array) -> Any:
    total = 0.0
    for i, row in enumerate(reversed(x)):
        total = total * 0.5 + row[i % 3]
    for i, row in zip(reversed(range(len(x))), x):
        total += i * row[0]
    return total


def test_reversed() -> None:
    assert "loop" in compiled(same(reversed_range, (noise(12),), (noise(1),), (noise(25),)))
    assert "loop" in compiled(same(reversed_rows, (noise(12, 4),), (noise(0, 4),), (noise(30, 3),)))


def reversed_enumerate(x: Array) -> Any:
    return list(reversed(enumerate(x)))  # type: ignore[call-overload]


def test_what_has_no_reverse() -> None:
    same(reversed_enumerate, (noise(12),))


def by_product(x: Array, n: int) -> Any:
    total, steps = 0.0, 0
    for i, j in itertools.product(range(n), range(x.shape[1])):
        total = 0.9 * total + x[i, j] * j
        if x[i, j] > 1.9:
            break
        if x[i, j] < -1.5:
            continue
        steps += 1
    return total, steps, i, j


def by_ndindex(x: Array) -> Any:
    out = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        out[index] = x[index] ** 2
    for i, j in np.ndindex(x.shape[0] - 1, x.shape[1] - 1):
        out[i + 1, j + 1] += 0.5 * out[i, j]
    return out


def by_ndenumerate(x: Array) -> Any:
    total = 0.0
    for (i, j), v in np.ndenumerate(x):
        if v > 0:
            total += v * i - j
    return total


def triangle_by_product(x: Array) -> Any:
    total: Any = 0.0
    for k in range(len(x)):
        for i, j in itertools.product(range(k), repeat=2):
            total += x[i, 0] * x[j, 1] / (1 + k)
    return total


@pytest.mark.parametrize("function", [by_ndindex, by_ndenumerate, triangle_by_product])
def test_loops_in_one_another_as_one(function: Any) -> None:
    accelerated = same(function, (noise(12, 9),), (noise(1, 7),), (noise(30, 12),))
    assert "loop" in compiled(accelerated)


def test_products_of_ranges() -> None:
    accelerated = same(by_product, (noise(12, 9), 12), (noise(12, 9), 7), (noise(30, 12), 20), (noise(9, 5), 0))
    assert "loop" in compiled(accelerated)


def negative_ndindex(x: Array, n: int) -> Any:
    total: Any = 0.0
    for i, j in np.ndindex(n, 2):
        total += x[i, j]
    return total


def test_ndindex_of_a_negative_number() -> None:
    same(negative_ndindex, (noise(12, 9), 12), (noise(12, 9), -1), (noise(12, 9), 0))
