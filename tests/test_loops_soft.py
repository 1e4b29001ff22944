"""Numbers of which data decides whether they are Python's or NumPy's, or a Python int or a float.

Values, types and errors are NumPy's in each case; where a program cannot say which type it is, plain Python runs the
call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same, programs
from tests.loop_checks import Array, noise, outcome, same


def agree(function: Callable[..., Any], *inputs: tuple[Any, ...]) -> None:
    """The accelerated function gives what the function gives, types included, as one program or not."""
    accelerated: Any = accelerate(function)
    for given in (*inputs, *inputs):
        plain, own = ([np.copy(x) if isinstance(x, np.ndarray) else x for x in given] for _ in range(2))
        (kind, expected), (own_kind, got) = outcome(function, tuple(plain)), outcome(accelerated, tuple(own))
        assert kind == own_kind, (given, expected, got)
        if kind == "result":
            assert_same(expected, got)
            assert_same(plain, own)
        else:
            assert expected is got, given


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "u1"])
@pytest.mark.parametrize("number", [0, 2, -1, 0.1, 2.5, True])
def test_extrema_of_a_python_and_a_numpy_number(dtype: str, number: Any) -> None:
    def functions(x: Array, c: float) -> Any:
        y = max(number, x[0])
        return np.floor(y), np.sqrt(abs(y)), np.add(y, 1)

    def operators(x: Array, c: float) -> Any:
        y = max(x[0], number)
        return y * 2, y - 0.3, y // 2, y / 4, -y, y > 0.1, y % 3 == 1

    def powers(x: Array, c: float) -> Any:
        return max(x[0], number) ** 0.5, min(number, x[0]) ** 2

    def arrays(x: Array, c: float) -> Any:
        wide = x.astype(np.float64)
        wide[0] = max(number, x[0])
        return wide, x + min(x[0], number), wide * max(number, x[0])

    def lists(x: Array, c: float) -> Any:
        y = max(number, x[0])
        return np.array([y, y]), np.full(3, y), np.where(x > 1, y, x)

    def conversions(x: Array, c: float) -> Any:
        y = max(number, x[0])
        return float(y), int(y), bool(y), round(float(y))

    def indices(x: Array, c: float) -> Any:
        return x[int(min(x[0], number)) % 3]

    low, high = np.array([0, 1, 2]).astype(dtype), np.array([7, 1, 2]).astype(dtype)
    for function in (functions, operators, powers, arrays, lists, conversions, indices):
        agree(function, (low, 1.0), (high, 1.0))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8"])
@pytest.mark.parametrize("start", [0, 3, 0.1, True])
def test_what_a_loop_leaves_that_may_not_run(dtype: str, start: Any) -> None:
    def total(x: Array, n: int) -> Any:
        s = start
        for i in range(n):
            s += x[i]
        return s * 2, s / 3, s + np.float32(1), x + s, np.floor(s)

    def in_turn(x: Array, n: int) -> Any:
        s = t = start
        for i in range(n):
            s, t = t, s + x[i]
        return s + t, s // 2, t - 1

    def weak(x: Array, n: int) -> Any:
        s: float = 3
        for i in range(n):
            s = s + i * 0.5
        return s, s * 2, x * s, -s, np.full(2, s)

    x = np.arange(1, 7).astype(dtype)
    for function in (total, in_turn, weak):
        agree(function, (x, 0), (x, 1), (x, 2), (x, 6))


def test_an_int_that_the_first_iteration_makes_a_float() -> None:
    """``error = 1; while error > tol``: an int that is known, and exact as a float, compares as that float does."""

    def relaxed(u: Any, tol: Any) -> Any:
        error, count = 1, 0
        while error > tol and count < 50:
            before = u.copy()
            u[1:-1] = 0.5 * (before[2:] + before[:-2])
            error = np.abs(u - before).max()
            count += 1
        return error, count

    def never(u: Any, tol: Any) -> Any:
        error = 1
        while error > 5:
            error = u.sum()
        return error

    def halved(u: Any, tol: Any) -> Any:
        large = 2**53 + 1
        while large > tol:
            large = u[0] * 0.5
        return large

    u = np.random.default_rng(5).random(40)
    for function in (relaxed, never):
        for tol in (1e-3, 0.5, 1.0, 2.0, np.float64(0.02)):
            # (Where no iteration runs, what is returned is the int.)
            compiled = accelerate(function, strict=function is relaxed and tol < 1, always=True)
            mine, theirs = u.copy(), u.copy()
            found, expected = compiled(mine, tol), function(theirs, tol)
            assert repr(found) == repr(expected)
            assert np.array_equal(mine, theirs)
    for tol in (float(2**53), 1.0, 2.0**60):
        assert repr(accelerate(halved, always=True)(u, tol)) == repr(halved(u, tol))


def test_an_int_that_a_conversion_makes_a_float() -> None:
    def converted(x: Array) -> Any:
        s: float = 3
        for i in range(len(x)):
            x[i] = s
            s = float(s)
        return s

    same(converted, (noise(6),))


def test_python_raises_where_numpy_does_not() -> None:
    def divided(x: Array) -> Any:
        total = 0.0
        for i in range(len(x)):
            total += 1.0 / max(0.0, x[i])
        return total

    agree(divided, (noise(6) + 5,), (noise(6) - 5,), (np.array([1.0, 0.0, -0.0, 2.0, 3.0]),))


def test_pythons_ints_do_not_wrap() -> None:
    def products(x: Array) -> Any:
        big = max(2**62, x[0])
        return big * 2, big + big, -big

    agree(products, (np.array([0]),), (np.array([2**62 + 1]),))

    def clamped(x: Array, out: Array) -> None:
        for i in range(len(x)):
            k = max(0, x[i])
            out[i] = k + 1 - 2 * k

    same(clamped, (np.array([-3, 2, 0, 7, -1, 5]), np.zeros(6, int)))


def test_clamped_elements_are_one_program() -> None:
    def rectified(x: Array, out: Array) -> Any:
        total = 0.0
        for i in range(len(x)):
            y = max(0.0, x[i])
            z = max(0, x[i])
            out[i] = 2.0 * y + z * 3 - (z + 1) / 2
            total += y * 0.5
        return total

    same(rectified, (noise(9), np.zeros(9)))
    agree(rectified, (-np.abs(noise(9)), np.zeros(9)))  # (All zeros are Python's.)


def test_the_sign_of_an_int_zero() -> None:
    def inverse(x: Array, out: Array) -> None:
        for i in range(len(x)):
            out[i] = np.copysign(1.0, max(0, x[i]) * -2 + 0.0 * x[i])

    agree(inverse, (np.array([-1.0, -2.0, 3.0, 4.0, -5.0]), np.zeros(5)))


def test_a_number_from_before_a_loop() -> None:
    def bound_anew(x: Array, s: float) -> Any:
        least = min(1.5, np.sum(x))
        for _ in range(len(x)):
            s = least * 4
        return s

    agree(bound_anew, (noise(6) + 9, 3.0), (noise(6) - 9, 3.0))


def test_numbers_in_tuples() -> None:
    def first_of(x: Array, limit: float) -> Any:
        found = 0
        if x[0] > limit:
            for i in range(len(x)):
                found = x[i]
                return (found,)
        return (found,)

    def pairs(x: Array, n: int) -> Any:
        pair: Any = (0, 1.0)
        largest: Any = 0
        for i in range(n):
            largest = max(largest, x[i])
            pair = (largest, x[i])
        return pair

    agree(first_of, (noise(6), 2.0), (noise(6), -2.0))
    agree(pairs, (noise(6), 6), (np.abs(noise(6)), 6), (-np.abs(noise(6)), 6), (noise(6), 0))


def test_checks_of_one_condition_all_fail() -> None:
    def function(a: Any, limits: Any, n: int) -> Any:
        x: Any = -1
        y: Any = x / n
        count = 0
        while not (count >= 5 or x < a[0]):
            count += 1
            x -= float(a[1])
            y = -0.75
        if y * n >= 3:
            y = 0.0
        return x, count

    accelerated = accelerate(function)
    for a in (np.array([5.0, 1.0]), np.array([-5.0, 1.0])):
        for _ in range(2):
            assert_same(function(a, a, 4), accelerated(a, a, 4))


def test_numbers_that_python_goes_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    def function(a: Any) -> Any:
        x: Any = -1
        count = 0
        while not (count >= 5 or x < a[0]):
            count += 1
            x -= float(a[1])
        print(a[0])
        return x, x / 2

    accelerated = accelerate(function)
    for a in (np.array([5.0, 1.0]), np.array([-5.0, 1.0])):
        wanted = function(a), capsys.readouterr().out
        assert_same(wanted, (accelerated(a), capsys.readouterr().out))


def test_sums_of_no_elements_are_pythons() -> None:
    def function(a: Any, n: int) -> Any:
        total, last = 0, 0
        for i in range(n):
            last = sum(a[: (n - 1) - i])
            total = total + last
        return total, last

    for dtype in ("u1", "i1", "?", "i8", "f8", "f4", "u8"):
        agree(function, *((np.arange(30).astype(dtype), n) for n in (1, 2, 20)))


def test_floats_of_numpy_are_floats() -> None:
    def function(x: Array) -> Any:
        count, most = 0, x[0]
        for i in range(len(x)):
            if isinstance(x[i], float):
                count += 1
            most = max(most, x[i])
        kinds = (float, complex)
        return count, isinstance(most, float), isinstance(np.sqrt(x[0]), kinds), isinstance(x[0] * 1j, complex)

    agree(function, *((np.arange(5).astype(dtype),) for dtype in ("f8", "f4", "i8")))


def test_an_int_that_becomes_a_numpy_integer_and_is_an_index() -> None:
    def follow(way: Any, at: int) -> Any:
        seen, steps = np.zeros(len(way)), 0
        while at:
            seen[at] += 1
            after = way[at]
            at = after
            steps += 1
            if steps > 20:
                break
        return seen, at, steps

    def compress(parent: Any, i: int) -> Any:
        root = i
        while parent[root] != root:
            root = parent[root]
        while parent[i] != root:
            parent[i], i = root, parent[i]
        return root, i

    ways = [np.array([3, 4, 2, 0, 6, 1, 7, 5]), np.array([0, 2, 4, 6, 1, 3, 5, 7]), np.zeros(8, dtype=int)]
    same(follow, *[(way, at) for way in ways for at in (5, 1, -3)])
    agree(follow, *[(way, at) for way in ways for at in (0, 5)])  # (Of 0, what is returned is the int.)
    tree = np.array([0, 0, 1, 2, 3, 4, 4, 5])
    agree(compress, *[(tree, i) for i in (7, 1, 0, 3)])


def test_numbers_given_beside_such_a_number_are_no_constants_of_the_program() -> None:
    def carried(x: Any, c: float) -> Any:
        y = 3.25
        for _ in range(5):
            y = c * np.sin(y)
        return y * c + x

    def in_a_loop(x: Any, c: float) -> Any:
        out = 0 * x
        for i in range(len(x)):
            y = np.pi
            for _ in range(4):
                y -= (y - c * np.sin(y) - x[i]) / (5.0 - c * np.cos(y))
            out[i] = y / c if y > c else c // 0.125
        return out

    def of_an_int(x: Any, c: Any) -> Any:
        total = 0
        for i in range(len(x)):
            if x[i] > 0.5:
                total = total + x[i]
        return total * c, c - total, total < c, -total

    for function in (carried, in_a_loop, of_an_int):
        accelerated: Any = accelerate(function, always=True)
        for c in (0.25, 0.5, -0.75, 0.125, 1.0, 3.5):
            assert_same(function(noise(20), c), accelerated(noise(20), c))
        assert programs(accelerated) == 1
    agree(of_an_int, *((noise(9) * scale, c) for scale in (1, 0) for c in (2, -3, 2**62, 0.5, True)))


def test_a_guard_of_a_type_that_fails_in_each_first_iteration_has_it_written_out() -> None:
    def kepler(x: Any, c: float, most: int) -> Any:
        out, steps = 0 * x, 0
        for i in range(len(x)):
            y, it, step = np.pi, 0, 1
            while (it <= most) and (np.abs(step) > 1e-6):
                step = -(y - c * np.sin(y) - x[i]) / (5.0 - c * np.cos(y))
                y += step
                it += 1
            out[i] = y
            steps += it
        return out, steps

    def in_the_body(x: Any, c: float, most: int) -> Any:
        before, total = 0, 0.0
        for i in range(len(x)):
            total += np.sqrt(before) * c
            before = x[i] + most
        return total, before

    for function in (kepler, in_the_body):
        accelerated: Any = accelerate(function, strict=True, always=True)
        for c, most in ((0.25, 100), (0.5, 3), (-0.75, 7), (0.125, 50)):
            wanted, got = function(noise(20) + 2, c, most), accelerated(noise(20) + 2, c, most)
            assert_same(wanted, got)
        agree(function, *((noise(20) + 2, c, most) for c in (0.3, 0.6) for most in (-1, 0, 5)), (noise(0), 0.3, 1))


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u1", "u8", "?", "c16"])
def test_items_of_arrays_are_pythons_numbers(dtype: str) -> None:
    x = np.abs(noise(30) * 9).reshape(6, 5).astype(dtype)
    compared = x.real.copy() if dtype == "c16" else x

    def in_a_loop(x: Array, y: Array) -> Any:
        out, most = np.zeros(len(x), x.dtype), y.item(0, 1)
        for i in range(len(x)):
            out[i] = x[i].max().item() * 1 if x.dtype.kind != "?" else x[i].any().item()
            if y[i].item(2) > most:
                most = y.item((i, 2))
        return out, most, x[:1, :1].item(), x[0, 0].tolist(), out.sum().item(), y.argmax().item()

    accelerated: Any = accelerate(in_a_loop, strict=True, always=True)
    for _ in range(3):
        assert_same(in_a_loop(x, compared), accelerated(x, compared))


def test_items_that_there_are_not() -> None:
    def all_of_them(x: Array, k: int) -> Any:
        return x.item()

    def one(x: Array, k: int) -> Any:
        y = 0.0
        for i in range(len(x)):
            y += x.item(i + k)
        return y

    def of_a_python_number(x: Array, k: int) -> Any:
        found = max(0.0, x[k])
        return found.item()

    big = np.array([2**64 - 1], np.uint64)
    agree(all_of_them, (noise(3), 0), (big, 0))
    agree(one, (noise(20), 0), (noise(20), 1), (noise(20), -20))
    agree(of_a_python_number, (np.array([2.0, -1.0]), 0), (np.array([2.0, -1.0]), 1))
