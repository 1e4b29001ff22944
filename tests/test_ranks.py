"""Programs on several ranks give what they give on one: every operation, random graphs, loops and branches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends import native
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import CheckFailed, Graph, Program
from lazyarr.ir.op import OPS
from lazyarr.testing import draw, prepare
from tests.random_graphs import graphs
from tests.ranks import distributed

GRIDS = [(2,), (3,), (4,), (2, 2)]


def compiled(graph: Graph, arguments: list[Any]) -> list[Any]:
    """The results of native code."""
    return native.compile(graph)(arguments)


def agree(graph: Graph, arguments: list[Any], grid: tuple[int, ...], split: list[int], run: Any = interpret) -> None:
    """Every rank's results are those of one rank."""
    try:
        with np.errstate(all="ignore"):
            wanted = interpret(graph, arguments)
    except (CheckFailed, np.linalg.LinAlgError):
        return
    with np.errstate(all="ignore"):
        found, _, _ = distributed(Program(graph), arguments, grid, run, split=split)
    for rank in found:
        for have, want in zip(rank, wanted, strict=False):
            have, want = np.asarray(have), np.asarray(want)
            assert (have.shape, have.dtype) == (want.shape, want.dtype)
            if want.dtype.kind in "fc":
                scale = np.abs(want[np.isfinite(want)]).max(initial=1.0)
                tolerance = float(scale) * {2: 4e-3, 4: 1e-5, 8: 1e-12, 16: 1e-12}[want.real.dtype.itemsize]
                np.testing.assert_allclose(have, want, rtol=0, atol=tolerance)
            else:
                np.testing.assert_array_equal(have, want)


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_operation_in_parts(name: str) -> None:
    op = OPS[name]
    rng = np.random.default_rng(0)
    for k, sample in enumerate(op.samples()):
        call = prepare(op, sample)
        if call.node.op.dependent:
            continue  # Its own graphs have samples of their own below.
        arguments = draw(call, rng)
        params = list(call.node.operands)
        graph = Graph(params, call.node.values)
        arrays = [k for k, t in enumerate(call.types) if t.shape and not t.weak]
        agree(graph, arguments, GRIDS[k % len(GRIDS)], arrays)
        agree(graph, arguments, GRIDS[(k + 1) % len(GRIDS)], arrays[:1])


@settings(max_examples=60, deadline=None)
@given(graphs(steps=14), st.sampled_from(GRIDS), st.booleans(), st.integers(0, 2**32 - 1))
def test_random_graphs(graph: Graph, grid: tuple[int, ...], is_compiled: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    arguments = []
    for value in graph.params:
        x = rng.uniform(-3, 3, value.type.shape)
        arguments.append(np.asarray(np.round(x) if value.type.dtype.kind in "iub" else x).astype(value.type.dtype))
    split = [k for k, v in enumerate(graph.params) if v.type.shape and rng.random() < 0.7]
    agree(graph, arguments, grid, split, compiled if is_compiled else interpret)
