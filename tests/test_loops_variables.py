"""Variables of loops, branches and operands that data rebinds, or leaves without a value; errors between pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from tests.acceleration import assert_same, programs
from tests.loop_checks import Array, noise, ramp, same


def test_operands_that_change_a_variable() -> None:
    def function(a: Any, s: float) -> Any:
        x = 0.25

        def change(p: int) -> int:
            nonlocal x
            x = 2.5
            return p

        for i in range(4):
            if a[i] > 100:
                x *= a[i]
            s += a[i]
        a[-1] -= change(5) if s <= a[0] else 3
        return x, change(2) if s > 3 and a[0] < 1 else 2, x

    accelerated: Any = lazyarr.accelerate(function)
    for a in (np.arange(6.0), -np.arange(6.0), np.arange(6.0) * 50):
        mine, own = a.copy(), a.copy()
        assert accelerated(own, 2.0) == function(mine, 2.0)
        np.testing.assert_array_equal(own, mine)


def test_arrays_bound_anew_in_nested_branches_are_not_written() -> None:
    def function(a: Any, v: Any) -> None:
        for i in range(len(v)):
            if v[i] > 0:
                if i < a[i, i]:
                    a = a + a[:, i]
            elif i > 3:
                a = a + a[:, i]
            a[i, i] += 7

    accelerated: Any = lazyarr.accelerate(function)
    rng = np.random.default_rng(0)
    for shift in range(4):
        mine = rng.integers(-5, 9, (6, 6))
        own, v = mine.copy(), rng.standard_normal(6) + shift - 1
        function(mine, v)
        accelerated(own, v)
        np.testing.assert_array_equal(own, mine)


def test_a_call_that_raises_says_nothing_of_others() -> None:
    def function(x: Any, out: Any) -> Any:
        for j in range(x.shape[1]):
            out[j] = x[:, j].max() - x[:, j].argmin()
        return out

    accelerated: Any = lazyarr.accelerate(function)
    with pytest.raises(ValueError, match="zero-size"):
        accelerated(np.zeros((0, 5)), np.zeros(5))
    x = np.random.default_rng(0).random((10, 30))
    np.testing.assert_array_equal(accelerated(x, np.zeros(30)), function(x, np.zeros(30)))
    assert "unrolled" not in str(accelerated.explain(x, np.zeros(30)))


def test_variables_that_may_have_no_value_before_a_loop() -> None:
    def function(a: Any, n: int) -> Any:
        if a[0] > 1:
            k = 2
        if a[1] > 0:
            for _ in range(n):
                k = k  # noqa: PLW0127
        return a[1]

    accelerated: Any = lazyarr.accelerate(function)
    for a in (np.array([2.0, 1.0]), np.array([0.0, -1.0]), np.array([2.0, -1.0])):
        assert accelerated(a, 3) == function(a, 3)
    with pytest.raises(UnboundLocalError):
        accelerated(np.array([0.0, 1.0]), 3)


def test_what_fails_between_pieces_is_not_lost() -> None:
    def function(a: Any, s: Any) -> Any:
        if a[0] == a[-1]:
            pass
        elif s > 0:
            a[1] = a.argmin()
            x = 0.25
            for i in range(len(a) - 1, -1, -1):
                for j in range(len(a) - i):
                    a[j] += np.minimum(s, a[i]) + a[j // 2]
                x, s = s, x
        for i in range(len(a)):
            a[a >= a[i]] = a[i]
        return a

    accelerated: Any = lazyarr.accelerate(function)
    for a in (np.array([5, 7, 6, -4, 0], np.int32), np.array([67, 125, 198, 186, 2**31 - 1], np.int32)):
        for _ in range(3):
            agree_or_raise_alike(accelerated, function, a, np.float32(3.0))


def agree_or_raise_alike(accelerated: Any, function: Any, a: Any, s: Any) -> None:
    mine, own = a.copy(), a.copy()
    try:
        function(mine, s)
    except OverflowError:
        with pytest.raises(OverflowError):
            accelerated(own, s)
    else:
        accelerated(own, s)
        np.testing.assert_array_equal(own, mine)


def test_an_array_that_only_the_first_iteration_changes_in_place() -> None:
    def drift(x: Array, v: Array, dt: float, steps: int) -> Array:
        for _ in range(steps):
            x += v * dt
            x = np.where(x > 1, x - 1, x)
        return x

    def until(x: Array, tolerance: float) -> Any:
        count = 0
        while np.abs(x).max() > tolerance:
            x *= 0.5
            x = x + 0.001
            count += 1
        return x, count

    def both(x: Array, y: Array, steps: int) -> Any:
        for k in range(steps, 0, -2):
            x += y
            y *= 0.9
            x, y = np.sqrt(x), y + x.mean() / k
        return x, y, k

    def nested(x: Array, y: Array, n: int) -> Array:
        for i in range(n):
            for _ in range(i + 3):
                x -= y
                x = x * 0.5
            y = y + x
        return y

    accelerated = same(drift, *((noise(50), noise(50, seed=1), 0.25, steps) for steps in (6, 7, 20, 9, 1)))
    assert programs(accelerated) == 4
    same(until, (noise(50), 0.01), (noise(50), 0.25))
    same(both, (np.abs(noise(20)), np.abs(noise(20, seed=1)), 9))
    same(nested, (noise(20), noise(20, seed=1), 6))

    def counted(x: Array, v: Array) -> Any:
        for _ in range(int(v.sum())):
            x += v
            x = x * 0.5
        return x

    same(counted, (noise(20), np.ones(20)), (noise(20), ramp(20)))
    x = noise(20)
    again = lazyarr.accelerate(counted)
    again(noise(20), np.ones(20))
    with pytest.warns(lazyarr.FallbackWarning, match="a loop runs at least once"):
        assert again(x, np.zeros(20)) is x


def test_names_that_two_loops_exchange() -> None:
    """After the first loop a name may mean either array: the second one may not write into what it means."""

    def twice(a: Array, m: int) -> Array:
        for i in (0, 1):
            v = a.copy()
            c = 0
            while not (c >= m or i != 1):
                c += 1
                v[:] += v - a + 1
                a, v = v, a
        return a

    for m in (3, 4, 6):
        mine, own = (np.arange(8.0).reshape(2, 4) for _ in range(2))
        np.testing.assert_array_equal(lazyarr.accelerate(twice)(own[0], m), twice(mine[0], m))
        np.testing.assert_array_equal(own, mine)


def test_a_branch_that_is_given_up_leaves_nothing_to_be_computed() -> None:
    """Its loop does not end for the data at hand, which does not take the branch."""

    def function(a: Array, s: int) -> Any:
        x = 0.5
        if ((a >= x) | (a < -1)).all():
            count = 0
            while 3 >= a[0] or s < 2 and count < 7:
                count += 1
                for i in range(6):
                    x += np.sum(a[i:i] / a[i:i][::-1])
                    for _ in (2, 1):
                        a[(a >= a[i]) & (a < 2)] -= a[i]
                w = a[::-1]  # noqa: F841  no name outside
        elif s > 3:
            x += a[0]
        return x

    a = np.array([1.0, 1.0, 1.0, 1.0, np.nan, 8.0], "f4")
    np.testing.assert_array_equal(lazyarr.accelerate(function)(a, 2), function(a, 2))


def test_a_variable_that_is_none_until_the_first_iteration() -> None:
    def differences(x: Any, n: int) -> Any:
        last, total = None, 0.0
        for k in range(n):
            if last is not None:
                total += abs(x[k] - last)
            last = x[k]
        return total

    def best(x: Any, limit: float) -> Any:
        found, at, k = None, None, 0
        while k < len(x):
            y = x[k : k + 3] * 2
            if found is None or y.sum() > found.sum():
                found, at = y, k
            k += 3
            if found.sum() > limit:
                break
        return found, at

    x = np.random.default_rng(4).random(300)
    accelerated: Any = lazyarr.accelerate(differences)
    for n in (200, 200, 1, 0, 150):
        assert_same(differences(x, n), accelerated(x, n))
    assert programs(accelerated)
    accelerated = lazyarr.accelerate(best)
    for limit in (9.0, 9.0, 0.0, 4.0):
        assert_same(best(x, limit), accelerated(x, limit))
