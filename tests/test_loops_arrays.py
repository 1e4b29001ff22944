"""Arrays in compiled loops: what is changed is carried, views and arguments alias as in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import compiled_programs, programs
from tests.loop_checks import Array, compiled, noise, ramp, same


def test_arrays_that_no_iteration_changes_are_not_carried() -> None:
    def apply(a: Array, x: Array, n: int) -> Array:
        for _ in range(n):
            x = a @ x
        return x

    accelerated = same(apply, (noise(5, 5), noise(5), 9))
    [one] = compiled_programs(accelerated)
    [loop] = [node for node in one.program.graph.nodes if node.op.name == "loop"]
    assert loop.kw["carried"] == 1


def test_stencils() -> None:
    def heat(u: Array, steps: int) -> Any:
        for _ in range(steps):
            u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
        return u.sum()

    same(heat, (noise(8, 9), 7), (noise(8, 9), 0), (noise(3, 3), 7), (noise(8, 9, dtype="f4"), 7))
    same(heat, lambda: (noise(8, 9).T, 6), lambda: (noise(20, 20)[::2, 1::2], 6))

    def sweep(u: Array) -> None:
        for i in range(1, u.shape[0] - 1):
            for j in range(1, u.shape[1] - 1):
                u[i, j] = (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]) / 4

    same(sweep, (noise(7, 6),))


@pytest.mark.parametrize("times", range(7))
def test_swaps(times: int) -> None:
    def bound_anew(u: Array, v: Array, n: int) -> Any:
        for _ in range(n):
            u, v = v, u + 0.5 * v
        return u, v

    same(bound_anew, (noise(5), noise(5, seed=1), times))

    def in_place(u: Array, v: Array, n: int) -> Any:
        for _ in range(n):
            v[1:-1] = 0.5 * (u[2:] + u[:-2])
            u, v = v, u
        return u, v

    same(in_place, (noise(6), noise(6, seed=1), times))

    def three(u: Array, v: Array, w: Array, n: int) -> Any:
        for _ in range(n):
            u[0] += v[1]
            w *= 0.5
            u, v, w = v, w, u
        return u

    same(three, (noise(6), noise(6, seed=1), noise(6, seed=2), times))

    def until(u: Array, v: Array, limit: int) -> Any:
        n = 0
        while n < limit:
            v[:] = u * 0.5
            u, v = v, u
            n += 1
        return u.sum(), v.sum()

    same(until, (noise(6), noise(6, seed=1), times))

    def returned(u: Array, v: Array, limit: float) -> Any:
        while u.max() > limit:
            v[:] = u * 0.5
            u, v = v, u
        return u

    same(returned, (noise(6), noise(6, seed=1), 2.0**-times))

    def written_afterwards(u: Array, v: Array, n: int) -> Any:
        for _ in range(n):
            v[1:-1] = 0.5 * (u[2:] + u[:-2])
            u, v = v, u
        u[0] = 5
        return v.sum()

    same(written_afterwards, (noise(6), noise(6, seed=1), times))

    def locals_only(x: Array, n: int) -> Any:
        u, v = x.copy(), np.zeros_like(x)
        for k in range(n):
            v[:] = u[::-1] + k
            u, v = v, u
        return u

    same(locals_only, (noise(6), times))


def test_views_taken_outside_and_written_inside() -> None:
    def halves(x: Array) -> Any:
        left, right = x[:4], x[4:]
        for i in range(4):
            left[i] += right[i] * 2
            right[3 - i] -= left[i]
        return left.sum()

    same(halves, (noise(8),))

    def whole(x: Array, n: int) -> Any:
        tail = x[2:]
        for i in range(n):
            x[i + 1] += x[i]
        return tail * 2, tail

    same(whole, (noise(9), 6), (noise(9), 0))

    def column(a: Array) -> Any:
        first = a[:, 0]
        for i in range(a.shape[0]):
            a[i] += i
            first[i] *= 2
        return first

    same(column, (noise(6, 4),))

    def reshaped(a: Array) -> Any:
        flat = a.reshape(-1)
        turned = a.T
        for i in range(flat.shape[0]):
            flat[i] += i
            turned[0, 1] += 1
        return turned

    same(reshaped, (noise(4, 3),))


def test_views_taken_inside() -> None:
    def rows(a: Array) -> Any:
        for i in range(a.shape[0]):
            row = a[i]
            row[1:] -= row[:-1]
            part = row[::2]
            part += i
        return a

    same(rows, (noise(6, 5),))

    def last(a: Array) -> Any:
        row = a[0]
        for i in range(a.shape[0]):
            row = a[i]
        row += 1
        return row

    same(last, (noise(6, 4),), one_program=False)


def test_names_of_arrays_that_the_loop_decides() -> None:
    def swapped(u: Array, v: Array, n: int) -> Any:
        for _ in range(n):
            u, v = v, u
        u[0] = 7
        return v

    same(swapped, (noise(3), noise(3, seed=1), 5), (noise(3), noise(3, seed=1), 6), one_program=False)

    def still_seen(a: Array) -> Any:
        row = a[0]
        for i in range(a.shape[0]):
            row = a[i]
        a[-1] = 5
        return row + 0

    same(still_seen, (noise(9, 2),), one_program=False)

    def chosen(a: Array, b: Array) -> Any:
        c = a if a[0] > 0 else b
        for i in range(6):
            c[i] += 1
        return c + 0

    same(chosen, (noise(9), ramp(9)), (-noise(9), ramp(9)), one_program=False)


def test_arguments_that_share_memory() -> None:
    def shift(u: Array, v: Array) -> Any:
        for i in range(v.shape[0]):
            u[i] += v[i]
        return u.sum()

    def overlapping() -> Any:
        memory = noise(12)
        return memory[:-3], memory[3:]

    def backwards() -> Any:
        memory = noise(12)
        return memory, memory[::-1]

    def twice() -> Any:
        memory = noise(12)
        return memory, memory

    same(shift, overlapping, backwards, twice)

    def rows(a: Array, row: Array) -> None:
        for i in range(a.shape[0]):
            a[i] -= row

    def row_of_it() -> Any:
        memory = noise(6, 4)
        return memory, memory[2]

    same(rows, row_of_it)


def test_two_names_of_one_array() -> None:
    def names(x: Array) -> Any:
        y = x
        for i in range(x.shape[0] - 1):
            y[i + 1] += x[i]
        return y is x, y

    same(names, (noise(9),))


def test_an_array_made_in_each_iteration() -> None:
    def work(a: Array) -> Any:
        total = 0.0
        for i in range(a.shape[0]):
            row = np.zeros(a.shape[1])
            row[i % a.shape[1]] = 1
            row += a[i]
            total += row @ a[i]
        return total, row

    same(work, (noise(6, 4),))

    def keeps(x: Array) -> Any:
        out = np.empty((7, x.shape[0]))
        kept = x
        for k in range(7):
            kept = kept * 2 + k
            out[k] = kept
        return out, kept

    same(keeps, (noise(5),))


def test_accumulators() -> None:
    def outer(a: Array, b: Array) -> Any:
        total = np.zeros((a.shape[1], b.shape[1]))
        for i in range(a.shape[0]):
            total += np.outer(a[i], b[i])
        return total

    same(outer, (noise(6, 3), noise(6, 4)))

    def histogram(data: Array, edges: Array) -> Any:
        counts = np.zeros(edges.shape[0] - 1, dtype=int)
        for value in data:
            for k in range(counts.shape[0]):
                if edges[k] <= value < edges[k + 1]:
                    counts[k] += 1
        return counts

    same(histogram, (noise(20), np.linspace(-1, 1, 6)))


def test_dtypes_of_writes() -> None:
    def into(x: Array, y: Array) -> Array:
        for i in range(x.shape[0]):
            y[i] = x[i]
        return y

    for source in ("f8", "f4", "i8", "u1", "?"):
        for target in ("f8", "f4", "c16"):
            same(into, (noise(6, dtype=source), noise(6, dtype=target)))
    same(into, (noise(6, dtype="i4"), noise(6, dtype="i8")), (noise(6, dtype="?"), noise(6, dtype="u1")))
    same(into, (5 * noise(6), noise(6, dtype="i4")))


def test_numpy_inside() -> None:
    def sorts(a: Array) -> Any:
        total = 0.0
        for i in range(a.shape[0]):
            a[i] = np.sort(a[i])
            total += np.median(a[i]) if i % 2 else a[i].max()
        return total

    same(sorts, (noise(6, 5),))

    def solves(a: Array, b: Array) -> Any:
        x = b
        for _ in range(6):
            x = np.linalg.solve(a, x)
        return x

    same(solves, (noise(4, 4) + 4 * np.eye(4), noise(4)))

    def where(u: Array) -> Any:
        for k in range(6):
            u = np.where(u > 0.1 * k, u - 0.1, u * 1.5)
            u = np.clip(u, -1, 1)
        return u, np.abs(u).sum()

    same(where, (noise(9),))

    def stacks(x: Array) -> Any:
        for _ in range(6):
            x = np.concatenate([x[2:], x[:2] * 2])
            x = np.roll(x, 1)
        return x

    same(stacks, (noise(9),))


def test_conditions_choose_arrays() -> None:
    def either(x: Array, y: Array) -> Any:
        for i in range(6):
            if x[i] > y[i]:
                x = x - 0.5
            else:
                x, y = y, x
        return x, y

    same(either, (noise(6), noise(6, seed=1)), (ramp(6), ramp(6)[::-1]))


def test_arrays_in_containers() -> None:
    class Fluid:
        def __init__(self) -> None:
            self.speed = noise(8)
            self.density = noise(8, seed=1)

        def step(self, dt: float) -> None:
            self.density[1:] -= dt * (self.speed[1:] - self.speed[:-1])

    def simulate(fluid: Fluid, fields: dict[str, Array], pair: list[Array], n: int) -> Any:
        for k in range(n):
            fluid.step(0.1)
            fluid.speed[k % 8] *= 0.9
            for name in fields:
                fields[name][0] += fluid.density[-1]
            pair[0][1:] += pair[1][:-1]
        return fluid.density.sum()

    accelerated = same(simulate, (Fluid(), {"a": noise(3), "b": noise(4)}, [noise(5), noise(5, seed=2)], 9))
    assert "loop" in compiled(accelerated)


def test_nothing_is_carried() -> None:
    def nothing(x: Array) -> Any:
        for _ in range(9):
            x + 1
        return x

    same(nothing, (noise(3),))
    assert not compiled(same(nothing, (noise(4),))) & {"cond"}


def test_a_body_takes_what_was_computed_before_it() -> None:
    from lazyarr.ir.rewrite import all_nodes

    def rounds(v: Array, s: Any, n: int) -> Any:
        for i, (_, second) in enumerate(zip(v, v, strict=True)):
            w = v[:]
            for j in range(2):
                if i != 1:
                    for _ in range(min(n, v[i])):
                        w[i] = np.sqrt(abs(np.float64(s)))
                    second, s = s, second
                else:
                    v[-j] = divmod(2 + n, 3)[1]
        return v

    accelerated = same(rounds, (np.arange(5), True, 3))
    [one] = compiled_programs(accelerated)
    bodies = [node.kw["body"] for node in all_nodes(one.program.graph) if node.op.name == "loop"]
    # A loop before it, of which it reads the result, is no part of a body.
    assert bodies
    assert not any(node.op.name == "loop" for body in bodies for node in body.nodes)


def test_lists_of_numbers_become_arrays() -> None:
    def function(n: int, dt: float) -> Any:
        stack, found = np.zeros((n * n, 2), dtype=int), np.zeros((n, 3))
        top = 0
        for i in range(n):
            for j in range(n):
                stack[top] = i, j
                top += 1
            found[i] = np.array([i, dt, top]) + np.array([[dt], [2.0]]).sum()
        return stack, found, np.array([top, n]), np.array([dt, n])

    accelerated: Any = accelerate(function, strict=True)
    for n, dt in ((3, 0.5), (3, 0.25), (4, 2.0)):
        for wanted, result in zip(function(n, dt), accelerated(n, dt), strict=True):
            np.testing.assert_array_equal(result, wanted, strict=True)
    assert programs(accelerated) == 2  # one for each n: it is a length
