"""`while`, branches and jumps on data, compiled as they are written."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.acceleration import check
from tests.loop_checks import Array, compiled, noise, ramp, same


def test_a_while_on_a_norm() -> None:
    def relax(u: Array, tolerance: float) -> Any:
        times = 0
        change: Any = tolerance + 1
        while change > tolerance:
            before = u.copy()
            u[1:-1] = 0.5 * (before[2:] + before[:-2])
            change = np.linalg.norm(u - before)
            times += 1
        return times, change

    accelerated = same(relax, (noise(20), 1e-3), (noise(20), 1e-6), (noise(20), 10.0), (noise(3), 1e-3))
    assert "while" in compiled(accelerated)
    explained = accelerated.explain(noise(20), 1e-3)
    assert explained.mode == "one program" and len(explained.regions) == 1


def test_a_while_that_does_not_run() -> None:
    def shrink(x: Array, limit: float) -> Any:
        times = 0
        while np.abs(x).max() > limit:
            x *= 0.5
            times += 1
        return times

    same(shrink, (noise(9), 0.1), (noise(9), 100.0), (ramp(9), 0.25))


def test_a_while_on_counters() -> None:
    def search(x: Array, wanted: float) -> Any:
        low, high = 0, x.shape[0]
        while low < high:
            middle = (low + high) // 2
            if x[middle] < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    same(search, *[(ramp(13), w) for w in (-1.0, 0.0, 3.5, 12.0, 99.0)])

    def collatz(n: int) -> int:
        steps = 0
        while n != 1:
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            steps += 1
        return steps

    same(collatz, (27,), (1,), (97,))

    def newton(x: float) -> Any:
        guess = x
        while abs(guess * guess - x) > 1e-12 * x:
            guess = 0.5 * (guess + x / guess)
        return guess

    same(newton, (2.0,), (9.0,), (1.0,))


def test_while_with_else() -> None:
    def find(x: Array, wanted: float) -> Any:
        i = 0
        while i < x.shape[0]:
            if x[i] == wanted:
                break
            i += 1
        else:
            i = -5
        return i

    same(find, *[(ramp(9), w) for w in (0.0, 4.0, 8.0, 100.0)])


def test_branches_on_data() -> None:
    def sign(x: Array) -> Any:
        up = down = 0
        for i in range(x.shape[0]):
            if x[i] > 0.3:
                up += 1
                x[i] = 1
            elif x[i] < -0.3:
                down += 1
                x[i] = -1
            else:
                x[i] = 0
        return up, down

    accelerated = same(sign, (noise(12),), (np.zeros(12),), (np.full(12, np.nan),))
    assert "loop" in compiled(accelerated)

    def outside(x: Array) -> Any:
        if x.sum() > 0:
            y = x * 2
        else:
            y = x - 1
        return y

    same(outside, (noise(9),), (-noise(9),), (np.zeros(9),))

    def only(x: Array) -> Any:
        n = 3
        if x.max() > 0.5:
            x[...] = 0
            n = 4
        return n

    same(only, (noise(9),), (noise(9) / 9,))


def test_branches_on_indices() -> None:
    def stripes(a: Array) -> Array:
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                if (i + j) % 3 == 0:
                    a[i, j] = 0
                elif i == j or i > 2 * j:
                    a[i, j] = i - j
        return a

    same(stripes, (noise(7, 6),))


def test_branches_around_loops() -> None:
    def either(x: Array) -> Any:
        total = 0.0
        if x[0] > 0:
            for i in range(x.shape[0]):
                total += x[i] ** 2
        else:
            while total < 5:
                total += 1 + x[1] ** 2
        return total

    same(either, (noise(9),), (-noise(9),))


def test_conditional_expressions() -> None:
    def clipped(x: Array, limit: float) -> Any:
        total = 0.0
        for i in range(x.shape[0]):
            value = x[i] if x[i] < limit else limit
            x[i] = value if value > -limit else -limit
            total += 1.0 if x[i] > 0 else 2.0
        return total

    same(clipped, (noise(9), 0.3), (noise(9), 0.9))

    def lazily(x: Array) -> Any:
        total = 0.0
        for i in range(x.shape[0]):
            total += x[i - 1] if i > 0 else x[8]
            total += 1 / x[i] if x[i] != 0 else 0.0
        return total

    same(lazily, (noise(9),), (ramp(9),))


def test_and_or_not() -> None:
    def count(x: Array) -> Any:
        a = b = c = d = 0
        for i in range(x.shape[0]):
            if x[i] > 0 and x[i] < 0.5:
                a += 1
            if x[i] > 0.9 or x[i] < -0.5 or i == 3:
                b += 1
            if not (x[i] > 0 and not i % 2):
                c += 1
            if -0.5 < x[i] <= 0.5 < 2:
                d += 1
        return a, b, c, d

    same(count, (noise(20),), (np.zeros(20),))

    def guarded(x: Array, at: Array) -> Any:
        hits = 0
        for k in range(at.shape[0]):
            if at[k] < x.shape[0] and x[at[k]] > 0:
                hits += 1
        return hits

    same(guarded, (noise(6), np.arange(12)), (noise(6), np.array([3, 99, 1000, 0, 7])))

    def insertion(x: Array) -> Array:
        for i in range(1, x.shape[0]):
            value = x[i]
            j = i - 1
            while j >= 0 and x[j] > value:
                x[j + 1] = x[j]
                j -= 1
            x[j + 1] = value
        return x

    same(insertion, (noise(12),), (ramp(12)[::-1],), (ramp(1),), (noise(12, dtype="i4"),))


def test_values_of_and_and_or() -> None:
    def either(x: Array) -> Any:
        total = 0.0
        for i in range(x.shape[0]):
            total += x[i] or 1.0
            total += x[i] and 2.0
        return total

    same(either, (ramp(9),), (noise(9),))

    def first(x: Array) -> Any:
        return x[0] or x[1]

    same(first, (ramp(3),), (noise(3),))

    def mixed(x: Array) -> Any:
        n = 0
        for i in range(x.shape[0]):
            if n and x[i] > 2:
                n += 2
            if x[i] and i:
                n += 1
        return n

    same(mixed, (ramp(9),), (noise(9),))

    # What is no number cannot be chosen in a program.
    for function in (lambda x: x[0] > 0 or "none", lambda x: (x[0] or x[1:]).sum(), lambda x: (x[0] or None) is None):
        same(function, (ramp(3),), (noise(3),), one_program=False)


def test_break_and_continue() -> None:
    def first(x: Array, limit: float) -> Any:
        at, skipped = -1, 0
        for i in range(x.shape[0]):
            if x[i] < 0:
                skipped += 1
                continue
            x[i] *= 2
            if x[i] > limit:
                at = i
                break
        return at, skipped, i

    same(first, *[(noise(15), limit) for limit in (0.1, 1.0, 1.9, 5.0)])

    def inner(a: Array) -> Any:
        visited = 0
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                visited += 1
                if a[i, j] > 0.5:
                    break
                if a[i, j] < -0.5:
                    continue
                a[i, j] = 0
        return visited

    same(inner, (noise(6, 6),), (noise(6, 6, seed=2),), (np.ones((6, 6)),))

    def forever(x: Array) -> Any:
        n = 0
        while True:
            x *= 0.7
            n += 1
            if x.sum() < 0.1:
                break
        return n

    same(forever, (ramp(9),), (np.zeros(9),))


def test_else_of_loops() -> None:
    def prime(n: int, x: Array) -> Any:
        found = 0
        for k in range(2, n):
            for d in range(2, k):
                if k % d == 0:
                    break
            else:
                x[found] = k
                found += 1
        return found

    same(prime, (20, ramp(20)), (2, ramp(20)))


def test_early_returns() -> None:
    def position(a: Array, wanted: float) -> Any:
        for i in range(a.shape[0]):
            for j in range(a.shape[1]):
                if a[i, j] == wanted:
                    return i, j
        return -1, -1

    same(position, *[(ramp(6, 7), w) for w in (0.0, 17.0, 41.0, 99.0)])

    def stops(x: Array) -> Any:
        if x[0] > 100:
            return x[0] * 0
        total = 0.0
        for i in range(x.shape[0]):
            total += x[i]
            if total > 10:
                return total
            x[i] = 0
        return -total

    same(stops, (ramp(9),), (ramp(9) / 9,), (ramp(9) + 101,))


def test_three_levels_of_jumps() -> None:
    def wander(a: Array) -> Any:
        total = 0.0
        for i in range(a.shape[0]):
            k = 0
            while k < a.shape[1]:
                k += 1
                if a[i, k - 1] < -0.8:
                    continue
                for j in range(k):
                    if a[j, i] > 0.9:
                        break
                    total += a[i, j]
                    if total > 4:
                        return total, i, k, j
                if k > i + 2:
                    break
        return total, -1, -1, -1

    same(wander, *[(noise(7, 7, seed=s),) for s in range(4)], (np.ones((7, 7)) / 3,))


def helper(x: Array, i: int) -> Any:
    if i % 2:
        return x[i] * 2
    return -x[i]


def collect(x: Array, scale: float) -> Any:
    total = 0.0
    for i in range(x.shape[0]):
        total += helper(x, i) * scale
    return total


def test_helpers_and_closures() -> None:
    same(collect, (noise(9), 2.0))

    offset = 3.0
    weights = noise(9, seed=4)

    def closed(x: Array) -> Any:
        def one(i: int) -> Any:
            return x[i] * weights[i] + offset

        total = 0.0
        for i in range(x.shape[0]):
            total += one(i)
            x[i] = total
        return total

    same(closed, (noise(9),))

    def inner(x: Array) -> Any:
        for i in range(x.shape[0]):
            x[i] = math.exp(x[i]) + math.floor(x[i])
        return x

    same(inner, (noise(9),))

    def mapped(x: Array) -> Any:
        f: Any = lambda v, k: v * k  # noqa: E731
        total = 0.0
        for k in range(x.shape[0]):
            total += f(x[k], k)
        return total

    same(mapped, (noise(9),))


def test_assertions() -> None:
    def positive(x: Array) -> Any:
        total = 0.0
        for i in range(x.shape[0]):
            assert x[i] >= 0, "negative"
            total += math.sqrt(x[i])
        return total

    same(positive, (ramp(9),), (noise(9),))


def test_any_and_all_of_items() -> None:
    def asked(x: Array, n: int) -> Any:
        out = np.zeros(n, dtype=bool)
        for i in range(n):
            out[i] = any(x[j] > x[i] for j in range(i + 1, n)) and not all(x[j] < 0.9 for j in range(i))
        none = any(x[i] > 0 for i in range(0)), all(x[i] > 0 for i in range(0))
        few = any(x[i] > 1 for i in range(3)), all(a < b for a, b in zip(x[:2], x[1:3], strict=True))
        return out, none, few, any(v > 1.5 for v in x), all(v < 2.5 for v in x)

    accelerated = same(asked, (noise(12), 12), (noise(30), 12), (np.ones(30), 30), (noise(30), 30))
    assert "loop" in compiled(accelerated)


def test_any_and_all_end_with_the_item_that_decides() -> None:
    def reads(x: Array, n: int) -> Any:
        return any(x[i] > 0.5 for i in range(n)), all(x[i + 1] < 0.5 for i in range(n))

    def counts(x: Array) -> Any:
        seen = []

        def above(v: float) -> bool:
            seen.append(v)
            return v > 0.5

        return any(above(float(v)) for v in x), seen, all([x[0] > 0, x[1] > 0])

    same(reads, (np.arange(9.0), 40), (np.zeros(9), 8), (np.zeros(9), 40))
    for make in (lambda k: (noise(12) + k,), lambda k: (np.zeros(7) - k,)):
        check(counts, make, calls=3)


def test_queens() -> None:
    def queens(columns: Array) -> int:
        n, row, count = len(columns), 0, 0
        columns[0] = -1
        while row >= 0:
            columns[row] += 1
            while columns[row] < n and not all(
                columns[r] != columns[row] and abs(columns[r] - columns[row]) != row - r for r in range(row)
            ):
                columns[row] += 1
            if columns[row] == n:
                row -= 1
            elif row == n - 1:
                count += 1
            else:
                row += 1
                columns[row] = -1
        return count

    assert "while" in compiled(same(queens, (np.zeros(6, dtype=int),)))
