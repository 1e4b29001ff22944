"""Numbers in compiled loops: Python's and NumPy's types, exact integers, builtins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same
from tests.loop_checks import Array, compiled, noise, ramp, same


def test_builtins_of_numbers() -> None:
    def extremes(x: Array) -> Any:
        low, high = x[0], x[0]
        total = 0.0
        for i in range(x.shape[0]):
            low = min(low, x[i])
            high = max(x[i], high)
            total += abs(x[i]) + float(x[i]) + max(i, 3) - min(i, 2, 5)
        return low, high, total

    same(extremes, (noise(9),), (noise(9, dtype="f4"),))

    def whole(x: Array) -> Any:
        total = 0
        for i in range(x.shape[0]):
            total += int(x[i]) + int(i / 2) + round(i / 4)
            q, r = divmod(i, 3)
            total += q - r + divmod(total, 7)[1]
            total += len(x) + bool(x[i])
        return total

    same(whole, (7 * noise(9),), (noise(9, dtype="i4"),), (ramp(9),))

    def sums(a: Array) -> Any:
        total = 0.0
        for i in range(a.shape[0]):
            total += sum(a[i]) + len(a[i]) + sum(a[:, 0]) / 2
        return total

    same(sums, (noise(6, 3),))

    def rounded(x: Array) -> Any:
        total = 0
        for i in range(x.shape[0]):
            total += round(float(x[i]) * 10)
        return total

    same(rounded, (noise(9),), (ramp(9) / 20,))

    def powers(x: Array, n: int) -> Any:
        total = 0.0
        for i in range(n):
            total += x[i] ** 2 + 2.0**i + i**2 + pow(i, 3)
        return total

    same(powers, (noise(9), 9), (noise(9), 5))


def test_minimum_of_an_empty_loop_keeps_the_python_number() -> None:
    def least(x: Array, n: int) -> Any:
        found = 100.0
        for i in range(n):
            if x[i] < found:
                found = x[i]
        return found

    # Where the data decides of which kind the result is, the call is left to Python.
    same(least, (noise(9), 9), (noise(9), 0))
    accelerated: Any = accelerate(least)
    assert_same(least(noise(9) + 200, 9), accelerated(noise(9) + 200, 9))


def test_an_int_that_becomes_a_float() -> None:
    def total(x: Array) -> Any:
        s = 0
        for i in range(x.shape[0]):
            s += x[i]
        return s

    same(total, (noise(9),), (noise(9, dtype="i4"),), (noise(9, dtype="f4"),), (noise(9, dtype="c16"),))

    def halves(n: int) -> Any:
        s: float = 1
        for i in range(n):
            s = s + i / 2
        return s

    same(halves, (9,), (5,), (0,))

    def mean(x: Array) -> Any:
        count = 0
        s = 0
        for v in x:
            if v > 0:
                s = s + v
                count += 1
        return s / max(count, 1)

    same(mean, (noise(9),), (np.abs(noise(9)),))


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "i8", "u1", "c8"])
def test_weak_scalars_meet_arrays(dtype: str) -> None:
    def scaled(x: Array, by: int) -> Any:
        factor = 1
        total = x[0]
        for i in range(x.shape[0]):
            x[i] = x[i] * factor + by
            total = total + x[i] * 2
            factor = 3 - factor
        return total

    same(scaled, (noise(9, dtype=dtype), 1))

    def half(x: Array) -> Any:
        total = x[0] * 0
        weight = 0.5
        for i in range(x.shape[0]):
            total = total * 1 + x[i] * weight
            weight *= 0.5
        return total, weight

    if dtype not in ("i4", "i8", "u1"):
        same(half, (noise(9, dtype=dtype),))


@pytest.mark.parametrize("dtype", ["f4", "i4", "u1", "i8"])
def test_elements_wrap_and_round_as_numpys(dtype: str) -> None:
    def grow(x: Array) -> Any:
        for _ in range(9):
            for i in range(x.shape[0]):
                x[i] *= x[i] + x[i]
        return x

    same(grow, (noise(5, dtype=dtype),))


def test_integers_are_exact() -> None:
    def factorial(n: int) -> int:
        result = 1
        for i in range(1, n + 1):
            result *= i
        return result

    same(factorial, (5,), (12,), (20,))

    accelerated: Any = accelerate(factorial)
    assert accelerated(20) == factorial(20) and accelerated(30) == factorial(30)

    def checksum(data: Array) -> int:
        crc = 0xFFFF
        for byte in data:
            crc ^= int(byte) << 8
            for _ in range(8):
                crc = ((crc << 1) ^ 0x1021) & 0xFFFF if crc & 0x8000 else (crc << 1) & 0xFFFF
        return crc

    same(checksum, (noise(40, dtype="u1"),), (np.zeros(0, "u1"),))

    def digits(n: int, base: int) -> Any:
        total, count = 0, 0
        while n > 0:
            n, digit = divmod(n, base)
            total += digit
            count += 1
        return total, count

    same(digits, (123456789, 10), (255, 2), (0, 7))

    def signs(n: int) -> Any:
        total = 0
        for i in range(-n, n):
            total += i // 3 * 100 + i % 3 * 10 + (-i) // 2 + (i >> 1) + (i & 5) - (i | 2) + (i ^ 3) + ~i
        return total

    same(signs, (9,), (4,))


def test_division_by_zero_is_pythons_error() -> None:
    def quotient(x: Array, n: int) -> Any:
        total = 0.0
        for i in range(n, -n, -1):
            total += 10 / i
            x[abs(i)] = total
        return total

    same(quotient, (ramp(9), 6))

    def numpys(x: Array) -> Any:
        total = 0.0
        for i in range(x.shape[0]):
            total += 1 / x[i]
        return total

    same(numpys, (ramp(9),))


def test_math_raises_as_python() -> None:
    def roots(x: Array) -> Any:
        total = 0.0
        for i in range(x.shape[0]):
            total += math.sqrt(x[i])
            x[i] = 0
        return total

    same(roots, (ramp(9),), (noise(9),))


def test_complex_numbers() -> None:
    def orbit(c: complex, n: int) -> Any:
        z = 0j
        steps = 0
        for _ in range(n):
            if abs(z) > 2:
                break
            z = z * z + c
            steps += 1
        return z, steps

    same(orbit, (0.3 + 0.4j, 20), (1 + 1j, 20), (-1.0 + 0j, 20))

    def phases(x: Array) -> Any:
        total = 0j
        for k in range(x.shape[0]):
            total += x[k] * np.exp(1j * k)
        return total, total.real, abs(total)

    same(phases, (noise(9),), (noise(9, dtype="c16"),))


def test_complex_scalars_round_as_scalars() -> None:
    def powers(x: Array, c: complex) -> Any:
        z, of_numpy, size = c, x[0], 0.0
        for i in range(x.shape[0]):
            for j in range(x.shape[0]):
                z = z * c * 1.0625 + 0.25
                of_numpy = of_numpy * x[i] + x[j] * (0.5 + 0.25j) + 1.5 * x[i]
                size += abs(z) + abs(x[i] * x[j])
        return z, of_numpy, size, abs(of_numpy), np.abs(of_numpy), np.multiply(x[1], x[2])

    for kind in ("c16", "c8"):
        same(powers, (noise(9, dtype=kind) / 2, 0.3 + 0.6j), (noise(7, dtype=kind) - 0.5, -0.7 + 0.1j))


def test_absolute_values_are_compared() -> None:
    def counts(x: Array, limit: float) -> Any:
        below = at = above = beyond = 0
        for i in range(x.shape[0]):
            if abs(x[i]) < limit:
                below += 1
            if abs(x[i]) <= limit:
                at += 1
            if np.abs(x[i]) > limit:
                above += 1
            if limit <= np.hypot(x[i].real, x[i].imag):
                beyond += 1
        return below, at, above, beyond

    rng = np.random.default_rng(5)
    for kind in ("c16", "c8"):
        around = np.exp(1j * rng.uniform(0, 7, 60)) * (1 + rng.integers(-3, 4, 60) * 2.0**-52)
        special = [0, 1, -1j, 3 + 4j, np.nan, np.inf, complex(np.inf, np.nan), complex(0, -np.inf), 1e300, 1e-300]
        with np.errstate(over="ignore"):
            x = np.concatenate([around, 5 * around, special]).astype(kind)
        limits = (1.0, 5.0, 0.0, -1.0, float("nan"), float("inf"), 1e-300, 1e300)
        same(counts, *((x, limit) for limit in limits))


def test_absolute_values_of_python_numbers() -> None:
    def escape(c: complex, scale: float) -> Any:
        z, n = 0j, 0
        while abs(z) <= 2.0 and n < 50:
            z = z * z * scale + c
            n += 1
        return n, z.real, z.imag

    same(escape, (0.1 + 0.2j, 1.0), (1 + 1j, 1e200), (1j, math.nan), (complex("inf"), 1.0))
    too_large = accelerate(escape)
    for function in (escape, too_large):
        with pytest.raises(OverflowError):
            function(complex(1.7e308, 1.7e308), 1.0)


def test_branches_on_numbers_that_might_not_fit() -> None:
    def steps(n: int, limit: int) -> Any:
        count = 0
        while n != 1 and count < limit:
            if n % 2 == 0:
                n //= 2
            else:
                n = 3 * n + 1
            count += 1
        return n, count

    # The largest that is odd and whose successor fits; the next leaves 64 bits, an even one of that size does not.
    most = (2**63 - 2) // 3
    odd = most - (most + 1) % 2
    same(steps, (27, 1000), (-5, 20), (0, 3), (odd, 1), (odd + 1, 1), (2**62, 100))
    accelerated = accelerate(steps)
    for n in (odd + 2, -(2**62) - 1, 2**63 - 1):
        assert accelerated(n, 1) == steps(n, 1)

    def halves(n: int) -> Any:
        rest = n
        quotients = np.empty((12, 3), dtype=np.int64)
        for k in range(12):
            quotients[k] = rest // 2, rest % 8, rest // 1
            rest = rest * 5 - 3 if rest % 4 < 2 else rest // 4 - 1
        return quotients, rest

    same(halves, (1000,), (-1000,), (7,), (2**61,))


def test_floats_become_ints() -> None:
    def whole(x: Array) -> Any:
        found = np.empty((x.shape[0], 5), dtype=np.int64)
        for i in range(x.shape[0]):
            value = float(x[i])
            found[i, 0] = int(x[i])
            found[i, 1] = math.floor(value)
            found[i, 2] = math.ceil(value)
            found[i, 3] = math.trunc(value)
            found[i, 4] = int(value + 0.5)
        return found

    same(whole, (np.array([-2.5, -0.5, -0.0, 0.5, 1.5, 2.0**52 + 0.5, -(2.0**62), 2.0**62]),), (noise(9),))
    inside, outside = np.array([2.0**63 - 1024, -(2.0**63)]), [2.0**63, -(2.0**63) - 2048, math.nan, math.inf]
    same(whole, (inside,))
    for value in outside:
        for function in (whole, accelerate(whole)):
            with pytest.raises((OverflowError, ValueError)):
                function(np.array([1.0, value, 2.0]))


def test_bools_are_carried() -> None:
    def alternating(x: Array) -> Any:
        up, changes = False, 0
        for i in range(1, x.shape[0]):
            now = bool(x[i] > x[i - 1])
            changes += now != up
            up = now
        return changes, up

    same(alternating, (noise(12),), (ramp(12),))

    def any_above(x: Array) -> Any:
        found = False
        for i in range(x.shape[0]):
            found = found or bool(x[i] > 0.9)
        return found

    same(any_above, (noise(12),), (ramp(12),), (ramp(12) * 0,))


def test_tuples_of_numbers_are_carried() -> None:
    def fibonacci(n: int) -> Any:
        a, b = 0, 1
        for _ in range(n):
            a, b = b, a + b
        return a, b

    same(fibonacci, *[(n,) for n in (0, 1, 2, 5, 6, 40)])

    def moments(x: Array) -> Any:
        state = (0.0, 0.0)
        for i in range(x.shape[0]):
            state = (state[0] + x[i], state[1] + x[i] * x[i])
        return state

    same(moments, (noise(9),))

    def rotate(x: Array, n: int) -> Any:
        a, b, c = x[0], x[1], x[2]
        for _ in range(n):
            a, b, c = b, c, a + 1
        return a, b, c

    same(rotate, *[(noise(3), n) for n in (0, 1, 5, 6, 7, 8)])


def test_a_variable_of_another_kind_each_time_is_unrolled() -> None:
    def odd(x: Array, n: int) -> Any:
        found: Any = 0
        for i in range(n):
            found = x if i % 2 else x[i] + 1.0
        return found

    assert "loop" not in compiled(same(odd, (noise(9), 8), (noise(9), 7)))


def test_numbers_beyond_64_bits_run_in_python() -> None:
    def power(n: int) -> int:
        result = 1
        for _ in range(n):
            result = result * 3 + 1
        return result

    accelerated: Any = accelerate(power)
    for n in (10, 40, 60):
        assert accelerated(n) == power(n) and type(accelerated(n)) is int


def test_numpy_scalars_that_are_constants_are_carried() -> None:
    def function(data: Array) -> Any:
        h, total, small = np.uint32(2166136261), np.float32(0), np.float64(np.inf)
        for x in data:
            h = np.uint32((int(h) ^ int(x)) * 16777619 & 0xFFFFFFFF)
            total = total + np.float32(x)
            small = min(small, np.float64(x))
        return h, total, small

    data = np.random.default_rng(0).integers(0, 256, 100).astype(np.uint8)
    accelerated: Any = accelerate(function, strict=True)
    for n in (100, 7, 0):
        for found, wanted in zip(accelerated(data[:n]), function(data[:n]), strict=True):
            assert type(found) is type(wanted) and found == wanted


def test_tuples_of_numbers_that_change_their_types() -> None:
    def function(x: Array) -> Any:
        best = (np.inf, -1, 0.0)
        for k in range(len(x)):
            if x[k] < best[0]:
                best = (x[k], k, 0.5 * (x[k] + best[0]))
        return best

    accelerated: Any = accelerate(function, strict=True)
    for x in (noise(20) + 3, np.full(20, 2.0), np.arange(20.0)[::-1].copy()):
        assert_same(function(x), accelerated(x))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_roots_of_scalars_are_powers(dtype: str) -> None:
    def scalars(x: Array, out: Array, e: float) -> None:
        for i in range(x.shape[0]):
            out[i, 0] = x[i] ** 0.5
            out[i, 1] = x[i] ** e
            out[i, 2] = np.power(x[i], 0.5)
            out[i, 3] = np.copysign(1, x[i] ** 0.5)

    def arrays(x: Array, out: Array, e: float) -> None:
        for i in range(x.shape[0]):
            out[i:, 0] = x[i:] ** 0.5
            out[i, 1] = (x[i] * 1.0) ** np.float64(0.5)

    values = np.array([-np.inf, -0.0, 0.0, np.inf, np.nan, 4.0, -4.0, 2.25], dtype)
    for function in (scalars, arrays):
        for e in (0.5, 2.0, 3.0):
            same(function, (values, np.zeros((8, 4), dtype), e))


def test_math_of_numpy_scalars_outside_of_loops() -> None:
    def function(x: Array) -> Any:
        if math.sqrt(abs(x.sum())) > 1 and not math.isnan(x[0]):
            x = x * 2
        return math.floor(x[0] * 3), math.ceil(x[1]), math.trunc(x[2]), math.hypot(x[0], 2), x[math.floor(abs(x[0]))]

    def narrow(x: Array) -> Any:
        return math.floor(x[0] * 3), math.ceil(x[1]), math.sqrt(abs(x[2])), math.fabs(x[3])

    same(function, (ramp(9),), (-ramp(9) / 3,), (noise(9),))
    same(narrow, (noise(9),), (noise(9, dtype="f4"),), (noise(9, dtype="i4"),))
    # Of NumPy's scalars only float64 has `__trunc__`.
    def whole(x: Array) -> Any:
        return math.trunc(x[0])

    for f in (whole, accelerate(whole)):
        with pytest.raises(TypeError):
            f(noise(9, dtype="f4"))


def test_floats_stored_in_integer_elements_fit_or_raise() -> None:
    def function(a: Array, y: float) -> None:
        for i in range(len(a)):
            a[i] = y + i

    for dtype in ("i8", "i4", "i1"):
        accelerated: Any = accelerate(function)
        for y in (2.5, np.nan, -3.75, np.inf, 1e30, 100.0):
            mine, own = np.zeros(5, dtype), np.zeros(5, dtype)
            try:
                function(mine, y)
            except (ValueError, OverflowError) as error:
                with pytest.raises(type(error)):
                    accelerated(own, y)
            else:
                accelerated(own, y)
                np.testing.assert_array_equal(own, mine)


def test_weak_floats_stored_in_integer_elements() -> None:
    def function(a: Array, s: float) -> None:
        if a[0] > 0:
            a[1] = -s + abs(s) * 3
        a[-1] = s

    for s in (1.5, -7.25):
        same(function, (np.arange(5), s), (np.arange(5) + 1, s))


def test_functions_that_numpy_does_not_have() -> None:
    def option_prices(spot: Array, strike: float, out: Array) -> Array:
        for i in range(spot.shape[0]):
            d = (math.log(spot[i] / strike) + 0.02) / 0.2
            out[i] = spot[i] * 0.5 * (1 + math.erf(d / math.sqrt(2))) - strike * 0.5 * math.erfc(-(d - 0.2))
        return out

    same(option_prices, (np.linspace(50, 150, 200), 100.0, np.zeros(200)))
    same(lambda x: (math.erf(x), math.erfc(x)), (0.3,), (-2.5,), (float("nan"),))


@pytest.mark.parametrize("dtype", ["u1", "u4", "u8", "i1", "i8"])
@pytest.mark.parametrize("value", [-1.25, -0.5, 3.9, 255.9, 256.0, 1e30, float("nan"), float("inf")])
def test_floats_stored_in_integers_fit_or_raise(value: float, dtype: str) -> None:
    def function(a: Array, s: float) -> Array:
        if a[0] == 0:
            a[1] = s
        return a

    same(function, (np.zeros(3, dtype), value))
