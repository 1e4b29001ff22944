"""The native back end against NumPy: every operation's samples, and random graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.native import compile
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import OPS, lookup
from lazyarr.ir.types import ArrayType
from lazyarr.ops.create import const
from lazyarr.testing import check_backend, prepare
from tests.random_graphs import graphs
from tests.test_ops import DECLARED


@pytest.mark.parametrize("name", DECLARED)
def test_operation(name: str) -> None:
    op = OPS[name]
    found = check_backend("native", [prepare(op, sample) for sample in op.samples()], np.random.default_rng(0))
    assert not found, "\n".join(found[:5])


def arguments(graph: Graph, seed: int) -> list[Any]:
    """Random arguments of a graph: small numbers, so that integer powers and sums stay exact."""
    rng = np.random.default_rng(seed)
    made: list[Any] = []
    for p in graph.params:
        values = rng.integers(-3, 4, p.type.shape)
        made.append(values.item() if p.type.weak else values.astype(p.type.dtype))
    return [p.type.python(a) if p.type.weak else a for p, a in zip(graph.params, made)]


def rounding(dtype: np.dtype[Any]) -> float:
    """By how much results of a dtype may differ."""
    return {"f2": 1e-2, "f4": 1e-4, "c8": 1e-4}.get(f"{dtype.kind}{dtype.itemsize}", 1e-11)


def coarsest(graph: Graph) -> float:
    """`rounding` of the least exact values of a graph: what is cast to float64 is not more exact."""
    found = [rounding(v.type.dtype) for node in graph.nodes for v in (*node.operands, *node.values)]
    return max([*found, *(coarsest(region) for node in graph.nodes for region in node.regions)], default=0.0)


def same(expected: Any, actual: Any, least: float = 0.0) -> bool:
    """Equal up to rounding: dtype, shape, NaN in the same places."""
    a, b = np.asarray(expected), np.asarray(actual)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind in "biu":
        return bool((a == b).all())
    tolerance = max(rounding(a.dtype), least)
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True))


def agrees(graph: Graph, given: list[Any]) -> None:
    """Run `graph` both ways and compare; arguments stay as they are."""
    before = [np.array(a) for a in given]
    with np.errstate(all="ignore"):
        expected = interpret(graph, given)
    actual = compile(graph)(given)
    for k, (a, b) in enumerate(zip(expected, actual, strict=True)):
        assert same(a, b, coarsest(graph)), f"root {k}: {a!r} is expected, not {b!r}\n{graph}"
    for old, new in zip(before, given):
        assert old.tobytes() == np.asarray(new).tobytes(), "an argument was changed"


@settings(deadline=None, max_examples=100)
@given(graph=graphs(), seed=st.integers(0, 2**32 - 1))
def test_random_graphs(graph: Graph, seed: int) -> None:
    agrees(graph, arguments(graph, seed))


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_small_powers_are_within_a_few_units_in_the_last_place(dtype: str) -> None:
    rng = np.random.default_rng(0)
    x = (rng.standard_normal(3000) * 10.0 ** rng.uniform(-38, 38, 3000)).astype(dtype)
    x[:6] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0]
    v = param(0, ArrayType(np.dtype(dtype), x.shape))
    limits = np.finfo(dtype)
    x[6:11] = [limits.max, limits.tiny, limits.smallest_subnormal, -limits.max, -limits.smallest_subnormal]
    numbers = [-3.0, -2.5, -2.0, -1.5, -1.0, -0.5, 0.5, 1.5, 2.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    graph = Graph([v], [apply(lookup("power"), v, const(np.dtype(dtype).type(n))) for n in numbers])
    with np.errstate(all="ignore"):
        for n, found in zip(numbers, compile(graph)([x]), strict=True):
            expected = np.power(x, np.dtype(dtype).type(n))
            np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
            known = ~np.isnan(expected)
            np.testing.assert_array_equal(np.signbit(found)[known], np.signbit(expected)[known])
            near = np.isfinite(expected)
            np.testing.assert_array_max_ulp(found[near], expected[near], 4)
            np.testing.assert_array_equal(found[~near], expected[~near])
