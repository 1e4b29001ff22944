"""Loops and branches mean the same with less to carry; random ones, and such as the pass could get wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Check, CheckFailed, Graph, Program, param
from lazyarr.ir.node import Value, apply, apply_all
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES
from lazyarr.ir.types import parse as parse_type
from lazyarr.ir.verify import verify
from lazyarr.ops.create import const
from lazyarr.passes.prune import Prune
from tests.acceleration import check
from tests.bits import assert_same_bits

I64 = DTYPES["i64"]


def pruned(graph: Graph) -> Graph:
    after = Prune().run(Program(graph)).graph
    verify(after)
    return after


def f(name: str, *operands: Value, **attrs: Any) -> Value:
    return apply(lookup(name), *operands, **attrs)


def random_loop(seed: int) -> Graph:
    """A loop of random dependences among five values, some starting alike, of whose results some are read."""
    rng = np.random.default_rng(seed)
    outer = [param(k, parse_type("f64[2]")) for k in range(3)]
    starts = [outer[int(rng.integers(0, 3))] for _ in range(7)]
    inner = [param(0, parse_type("i64[]")), *(param(k + 1, parse_type("f64[2]")) for k in range(7))]
    results = []
    for k in range(5):
        match int(rng.integers(0, 4)):
            case 0:
                results.append(inner[1 + k])
            case 1:
                results.append(inner[1 + int(rng.integers(0, 7))])
            case 2:
                results.append(f("add", inner[1 + int(rng.integers(0, 7))], inner[1 + int(rng.integers(0, 7))]))
            case _:
                results.append(f("multiply", inner[1 + int(rng.integers(0, 7))], const(0.5)))
    body = Graph(inner, results)
    bounds = [const(int(n), I64) for n in (0, rng.integers(0, 4), 1)]
    made = apply_all(lookup("loop"), *bounds, *starts, body=body, carried=5, until=-1)
    read = [made[k] for k in range(5) if rng.random() < 0.5] or [made[0]]
    return Graph(outer, read)


@pytest.mark.parametrize("block", range(4))
def test_random_loops(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        graph = random_loop(seed)
        arguments = [np.random.default_rng(seed + k).uniform(-1, 1, 2) for k in range(3)]
        after = pruned(graph)
        assert_same_bits(interpret(after, arguments), interpret(graph, arguments))
        for node in after.nodes:
            if node.op.name == "loop":
                assert all(p != r for p, r in zip(node.kw["body"].params[1:], node.kw["body"].results, strict=False))


def test_swapped_values_that_start_apart_stay_two() -> None:
    def swap(u: Any, v: Any, n: int) -> Any:
        for k in range(n):
            v[1:-1] = 0.5 * (u[:-2] + u[2:]) + k
            u, v = v, u
        return u

    for n in range(6):
        check(swap, lambda k, n=n: (np.arange(9.0) + k, np.zeros(9), n))  # type: ignore[misc]


def test_equal_starts_that_part_later() -> None:
    def part(n: int) -> Any:
        a = b = c = 0.0
        for k in range(n):
            a, b, c = b + 1.0, a + 1.0, c + k
        return a, b, c

    for n in (0, 1, 2, 7, 40):
        check(part, lambda k, n=n: (n,))  # type: ignore[misc]


def test_a_loop_whose_only_use_is_to_fail_stays() -> None:
    x = param(0, parse_type("f64[]"))
    inner = [param(0, parse_type("i64[]")), param(1, parse_type("f64[]")), param(2, parse_type("f64[]"))]
    low = f("less", f("cast", inner[0], dtype=DTYPES["f64"]), inner[2])
    body = Graph(inner, [inner[1]], [Check(low, "CheckFailed", "small")])
    bounds = [const(n, I64) for n in (0, 5, 1)]
    (made,) = apply_all(lookup("loop"), *bounds, const(1.0), x, body=body, carried=1, until=-1)
    after = pruned(Graph([x], [made]))
    assert interpret(after, [np.float64(9.0)])[0] == 1.0
    with pytest.raises(CheckFailed):
        interpret(after, [np.float64(3.0)])


def test_a_loop_that_breaks_needs_what_ends_it() -> None:
    def first_above(x: Any, limit: float) -> Any:
        found = -1
        unused = 0.0
        for k in range(len(x)):
            unused += x[k]
            if x[k] > limit:
                found = k
                break
        return found

    for limit in (0.5, 5.0, 50.0):
        check(first_above, lambda k, limit=limit: (np.arange(30.0) + k, limit))  # type: ignore[misc]


def test_triangles_keep_their_lengths() -> None:
    def rows(a: Any) -> Any:
        last = a[0, :1].sum()
        for i in range(1, len(a)):
            row = a[i, :i]
            unused = row * 2.0
            last = row.sum() + unused[0]
        return last

    check(rows, lambda k: (np.arange(400.0).reshape(20, 20) + k,))


def test_branches_that_agree() -> None:
    def choose(x: Any, n: int) -> Any:
        y = x * 2.0
        label = 1
        for i in range(n):
            if x[i] > 3.0:
                y[i] = 0.0
                label = 2
                z = x[i] + 1.0
            else:
                label = 2
                z = x[i] + 1.0
            y[0] += z
        return y, label

    for n in (0, 1, 12):
        check(choose, lambda k, n=n: (np.arange(12.0) + k, n))  # type: ignore[misc]
