"""What no iteration changes is computed once, with NumPy's results, also where there is no iteration."""

from __future__ import annotations

from typing import Any

import numpy as np

import lazyarr
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node
from lazyarr.ir.rewrite import all_nodes
from tests.acceleration import check


def test_work_on_constants_of_a_loop() -> None:
    def run(x: Any, y: Any, n: int) -> Any:
        for _ in range(n):
            x = x * np.exp(-y) + np.sqrt(y).sum() * 1e-3
        return x

    for n in (0, 1, 20):
        check(run, lambda k, n=n: (np.linspace(0, 1, 9) + k, np.linspace(1, 2, 9), n))  # type: ignore[misc]


def test_out_of_two_loops() -> None:
    def run(x: Any, y: Any, n: int) -> Any:
        for i in range(n):
            for j in range(i):
                x[j] += np.tanh(y)[i] * np.exp(x.max() * 0.0) + np.cos(y * i).sum()
        return x

    for n in (0, 1, 12):
        check(run, lambda k, n=n: (np.zeros(12), np.linspace(0, 1, 12) + k, n))  # type: ignore[misc]


def test_a_condition_that_reads_constants() -> None:
    def run(x: Any, y: Any) -> Any:
        count = 0
        while np.abs(x).max() > np.exp(y).sum():
            x = x * 0.5
            count += 1
        return x, count

    check(run, lambda k: (np.arange(9.0) * 100, np.linspace(-1, 1, 9)))


def test_what_changes_stays_inside() -> None:
    def run(x: Any, y: Any, n: int) -> Any:
        total = 0.0
        for i in range(n):
            total += np.exp(y).sum()
            y[i] = x[i]
        return total

    check(run, lambda k: (np.linspace(0, 1, 30) + k, np.zeros(30), 30))


def test_indices_that_would_be_out_of_range_without_an_iteration() -> None:
    def run(x: Any, at: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += np.exp(x[at]).sum() + np.sin(x[at[0] :]).sum()
        return total

    for n in (0, 20):
        found = np.array([99, 98]) if n == 0 else np.array([1, 2])
        check(run, lambda k, n=n, found=found: (np.linspace(0, 1, 9), found, n))  # type: ignore[misc]


def test_work_for_loops_that_rarely_run() -> None:
    def run(a: Any, y: Any, counts: Any) -> Any:
        total = 0.0
        for i in range(counts.shape[0]):
            for j in range(counts[i]):
                total += np.linalg.inv(a + i).sum() + y[j]
        return total

    def make(k: int) -> tuple[Any, ...]:
        matrix = np.eye(30) * 40 + np.arange(900.0).reshape(30, 30) / 100
        return matrix, np.arange(9.0) + k, np.array([0, 3, 0, 0, 9, 1])

    (piece,) = check(run, make).explain(*make(0)).pieces
    (outer,) = (n for n in all_nodes(piece.after.graph) if n.op.name == "loop" and _loops(n.kw["body"]))
    inside = [n.op.name for n in outer.kw["body"].nodes]
    assert "cond" in inside and not any(name.startswith(("inv", "solve")) for name in inside)


def test_a_singular_matrix_in_a_loop_that_does_not_run() -> None:
    def run(a: Any, counts: Any) -> Any:
        total = 0.0
        for i in range(counts.shape[0]):
            for _ in range(counts[i]):
                total += np.linalg.inv(a * i).sum()
        return total

    check(run, lambda k: (np.eye(40) + k, np.array([0, 2, 3])))


def test_little_work_is_done_where_it_is_read() -> None:
    def run(u: Any, x: Any, y: Any, n: int) -> Any:
        for _ in range(n):
            u = u * 0.5 + x[:, None] * y
        return u

    def make(k: int) -> tuple[Any, ...]:
        return np.ones((30, 40)) * k, np.linspace(0, 1, 30), np.linspace(1, 2, 40), 20

    (piece,) = check(run, make).explain(*make(0)).pieces
    (loop,) = _loops(piece.after.graph)
    assert sorted(v.type.ndim for v in loop.operands[3:]) == [1, 2, 2]
    assert all(v.type.shape in ((30, 40), (30, 1), (40,)) for v in loop.operands[3:])


def test_what_is_read_twice_is_held() -> None:
    def run(u: Any, x: Any, y: Any, n: int) -> Any:
        for _ in range(n):
            c = x[:, None] * y
            u = u * c + c[::-1]
        return u

    def make(k: int) -> tuple[Any, ...]:
        return np.ones((30, 40)) * k, np.linspace(0, 1, 30), np.linspace(1, 2, 40), 20

    (piece,) = check(run, make).explain(*make(0)).pieces
    (loop,) = _loops(piece.after.graph)
    assert {v.type.shape for v in loop.operands[3:]} == {(30, 40)}


def _loops(graph: Graph) -> list[Node]:
    """The outermost loops."""
    inside = [n for r in graph.nodes if r.op.name == "region" for n in r.kw["body"].nodes]
    return [n for n in (*graph.nodes, *inside) if n.op.name == "loop"]


def test_formulas_of_lengths_that_only_the_program_knows() -> None:
    def program(a: Any, b: Any) -> Any:
        x = 0.1
        b[:] += (b * b[::-1]) - -b
        for i in range(b.shape[0] - 1):
            a[i] = x - x
            for _ in range(max(i - 1, 0), min(i + 2, len(b))):
                x *= round(a[0])
                count = 0
                while (abs(x) < 20 or a[i] < a[-2]) and count < 3:
                    count += 1
                    b[:i] += a[:i]
        return x

    accelerated: Any = lazyarr.accelerate(program)
    given = np.array([0.08, 0.03, 0.01]), np.array([0.9 + 2j, -0.5 - 6j, -0.1 - 3.5j])
    mine, theirs = ([x.copy() for x in given] for _ in range(2))
    assert accelerated(*mine) == program(*theirs)
    for x, y in zip(mine, theirs, strict=True):
        np.testing.assert_array_equal(x, y)
