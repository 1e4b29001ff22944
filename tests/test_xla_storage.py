"""Which values XLA keeps in memory: chains of stencils must not be computed again at every offset."""

from __future__ import annotations

import re

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.backends.xla import Executable
from lazyarr.backends.xla_storage import stored
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import lookup
from lazyarr.ir.text import parse
from lazyarr.ir.types import parse as type_of


def op(name: str, *operands: Value, **attrs: object) -> Value:
    return apply(lookup(name), *operands, **attrs)


def inside(u: Value, shift: int = 0) -> Value:
    n = u.type.shape[0]
    return op("slice", u, start=(1 + shift,), stop=(n - 1 + shift,), step=(1,))


def sweeps(count: int) -> Graph:
    """`u[1:-1] += k * (u[2:] - u[1:-1] - u[1:-1] + u[:-2])`, as the passes leave a chain of them."""
    u = start = param(0, type_of("f64[100]"))
    k = param(1, type_of("f64[]"))
    center = inside(u)
    for _ in range(count):
        bend = op("add", op("subtract", op("subtract", inside(u, 1), center), center), inside(u, -1))
        center = op("add", center, op("multiply", k, bend))
        u = op("update_slice", start, center, start=(1,), stop=(99,), step=(1,))
    return Graph([start, k], [u])


def instructions(graph: Graph) -> int:
    return len(re.findall(r" = ", Executable(graph).text))


def test_each_step_of_a_chain_of_stencils_is_stored() -> None:
    graph = sweeps(4)
    updates = [node.values[0] for node in graph.nodes if node.op.name == "update_slice"]
    # The last one is the result, in memory anyway.
    assert set(updates[:-1]) <= stored(graph)


def test_the_code_grows_with_the_chain_not_faster() -> None:
    short, double = instructions(sweeps(8)), instructions(sweeps(16))
    assert double < 2.5 * short


def test_what_is_read_back_from_memory_is_what_was_written() -> None:
    graph = sweeps(9)
    rng = np.random.default_rng(0)
    u, k = rng.random(100), np.float64(0.2)
    (expected,) = interpret(graph, [u, k])
    (got,) = Executable(graph)([u, k])
    np.testing.assert_allclose(np.asarray(got), expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    "body",
    [
        # Cheap: two offsets of one addition.
        """%2 = add(%0, %1) : f64[9]
           %3 = slice(%2) {start=(1,), step=(1,), stop=(9,)} : f64[8]
           %4 = slice(%2) {start=(0,), step=(1,), stop=(8,)} : f64[8]
           %5 = subtract(%3, %4) : f64[8]
           return %5""",
        # Long, but read in one way only: computed once, in the loop that reads it.
        """%2 = exp(%0) : f64[9]
           %3 = sin(%2) : f64[9]
           %4 = exp(%3) : f64[9]
           %5 = multiply(%4, %4) : f64[9]
           %6 = add(%5, %4) : f64[9]
           return %6""",
    ],
)
def test_what_is_cheap_or_read_once_stays_fused(body: str) -> None:
    graph = parse("graph(%0: f64[9], %1: f64[9]) {\n" + body + "\n}")
    assert stored(graph) == set()


def test_what_two_loops_need_is_stored() -> None:
    x = param(0, type_of("f64[30,40]"))
    heavy = op("exp", op("sin", op("exp", op("sin", x))))
    rows = op("reduce", heavy, kind="add", axes=(0,))
    columns = op("reduce", heavy, kind="maximum", axes=(1,))
    cheap = op("reduce", op("negative", x), kind="add", axes=(0,))
    assert stored(Graph([x], [rows, columns, cheap])) == {heavy}
