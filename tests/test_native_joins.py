"""Products with vectors that are one pass over a matrix, with what computes it or with each other, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_groups
from lazyarr.backends.native import compile
from lazyarr.backends.native_plan import Plan
from lazyarr.ir.graph import Graph
from lazyarr.ir.text import parse


def updated(a: Any, u: Any, v: Any) -> Any:
    a += np.outer(u, v) + 1
    x = u @ a
    y = a @ x
    return x, y


def both(a: Any, u: Any, v: Any) -> Any:
    x, y = a @ v, a.T @ u
    u -= 0.1 * x
    v += 0.1 * y
    return a @ v, u @ a, v @ a.T


def chained(a: Any, u: Any, v: Any) -> Any:
    b = a * 2 + u[:, None]
    x = b @ v
    y = x @ b
    a -= b
    z = a @ y
    return x, y, z, a.T @ x, z @ b


def never_stored(a: Any, u: Any, v: Any) -> Any:
    return (a + np.outer(u, v)) @ v, u @ (a * 3 - v), (a > 0).astype(a.dtype) @ v, np.roll(a, 1, axis=1) @ v


def transposed(a: Any, u: Any, v: Any) -> Any:
    b = a.T + v[:, None]
    return b @ u, b.T @ v, v @ b, a.T @ u, a @ v


def iterated(a: Any, u: Any, v: Any) -> Any:
    for k in range(5):
        p, q = a @ v, u @ a
        a += np.outer(u, v) * 1e-3
        u = p / np.abs(p).max() + a @ q / 1000
        v = q / np.abs(q).max()
        if k == 3:
            a *= 0.5
            v = v + u @ a
    return u, v


def tolerance(a: Any, u: Any, v: Any) -> Any:
    k = 0
    while k < 6 and np.abs(v).max() > 1e-8:
        a *= 0.5
        p, v = a @ v, u @ a
        u = p / np.abs(p).max()
        k += 1
    return u, v, k


def row(a: Any, u: Any, v: Any) -> Any:
    b = a + 1
    return b @ b[0], b[:, 0] @ b, a @ a[1], a[:, 1] @ a


PROGRAMS = [updated, both, chained, never_stored, transposed, iterated, tolerance, row]


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16"])
@pytest.mark.parametrize("shape", [(51, 43), (301, 1205), (1030, 37)])
@pytest.mark.parametrize("program", PROGRAMS)
def test_as_numpy(program: Any, shape: Any, dtype: Any, threads: int) -> None:
    if dtype == "c16" and program in (never_stored, tolerance):
        pytest.skip("complex numbers have no order")
    random = np.random.default_rng(shape[1])
    given = [random.standard_normal(size) for size in (shape, shape[0], shape[1])]
    given = [(x + 1j * random.standard_normal(x.shape) if dtype == "c16" else x).astype(dtype) for x in given]
    expected = [x.copy() for x in given]
    wanted = program(*expected)
    fast = lazyarr.accelerate(strict=True)(program)
    limit = {"f8": 1e-10, "c16": 1e-10, "f4": 2e-3}[dtype]
    for _ in range(3):
        own = [x.copy() for x in given]
        found = fast(*own)
        for a, b in zip([*own, *found], [*expected, *wanted], strict=True):
            assert np.asarray(a).dtype == np.asarray(b).dtype
            scale = np.abs(b).max()
            np.testing.assert_allclose(a, b, rtol=limit, atol=limit * scale)


GRAPH = """graph(%0: f64[60,50], %1: f64[60], %2: f64[50]) {
  %3 = add(%0, %2) : f64[60,50]
  %4 = matmul(%1, %3) : f64[50]
  %5 = matmul(%3, %2) : f64[60]
  %6 = matmul(%3, %4) : f64[60]
  %7 = matmul(%6, %0) : f64[50]
  %8 = matmul(%0, %2) : f64[60]
  return %3, %4, %5, %6, %7, %8
}"""


def joins(graph: Graph) -> dict[str, list[str]]:
    names = {node: f"%{k}" for k, node in enumerate(graph.nodes, len(graph.params))}
    found = Plan(graph, joins=True).joins
    return {names[first]: [names[p.node] for p in join.products] for first, join in found.items()}


def test_what_is_one_pass() -> None:
    # Not what is made of another product of the pass, nor what that is made of.
    assert joins(parse(GRAPH)) == {"%3": ["%4", "%5"], "%7": ["%7", "%8"]}
    without = GRAPH.replace("matmul(%0, %2)", "matmul(%0, %7)")
    assert joins(parse(without)) == {"%3": ["%4", "%5"]}


def test_vectors_come_before_the_pass() -> None:
    late = """graph(%0: f64[60,50], %1: f64[60], %2: f64[50]) {
  %3 = add(%0, %2) : f64[60,50]
  %4 = matmul(%1, %3) : f64[50]
  %5 = sin(%2) : f64[50]
  %6 = matmul(%3, %5) : f64[60]
  return %3, %4, %6
}"""
    graph = parse(late)
    found = Plan(graph, joins=True).joins
    order = [n.op.name for n in native_groups.together(graph.nodes, found)]
    assert order.index("sin") < order.index("add")
    a, u, v = np.ones((60, 50)), np.arange(60.0), np.arange(50.0)
    b, x, y = compile(graph)([a, u, v])
    np.testing.assert_array_equal(b, a + v)
    np.testing.assert_allclose(x, u @ (a + v))
    np.testing.assert_allclose(y, (a + v) @ np.sin(v))
