"""What a time step makes of an array stays split as that was: steps would be other programs, parts unlike."""

from __future__ import annotations

import math

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, Program, param
from lazyarr.ir.layout import Layout, coordinates, default
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.passes.insert_communication import insert_communication
from tests.ranks import distributed

N, M = 26, 30
X = param(0, ArrayType(DTYPES["f64"], (N, M)))


def roll(value: Value, shift: int) -> Value:
    return apply(OPS["roll"], value, shift=shift, axis=0)


def rows(value: Value, start: int, stop: int) -> Value:
    columns = value.type.shape[1]
    return apply(OPS["slice"], value, start=(start, 0), step=(1, 1), stop=(stop, columns))


def padded(value: Value) -> Value:
    return apply(OPS["concatenate"], rows(value, N - 1, N), value, rows(value, 0, 1), axis=0)


def add(*values: Value) -> Value:
    found = values[0]
    for value in values[1:]:
        found = apply(OPS["add"], found, value)
    return found


STEPS = {
    "a neighbour": roll(X, 1),
    "neighbours, the first from below": add(roll(X, -1), roll(X, 1)),
    "neighbours and itself": add(roll(X, 1), roll(X, -1), X),
    "with a border": add(rows(padded(X), 0, N), rows(padded(X), 2, N + 2)),
    "two steps": add(roll(roll(X, 1), 1), roll(X, -2)),
}
GRIDS = [(2,), (3,), (2, 2)]


def layouts(result: Value, grid: tuple[int, ...], given: Layout) -> list[Layout]:
    found = []
    for rank in range(math.prod(grid)):
        local = insert_communication(Program(Graph([X], [result])), grid, coordinates(rank, grid), 1, {X: given})
        found.append(local.results[0])
    return found


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("name", STEPS)
def test_a_state_stays_as_it_is_split(name: str, grid: tuple[int, ...]) -> None:
    even = default((N, M), grid)
    assert layouts(STEPS[name], grid, even) == [even] * math.prod(grid)
    data = np.random.default_rng(0).random((N, M))
    graph = Graph([X], [STEPS[name]])
    for rank in distributed(Program(graph), [data], grid, interpret, split=[0])[0]:
        np.testing.assert_allclose(rank[0], interpret(graph, [data])[0], rtol=1e-14)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_state_with_a_border_of_another_program_is_split_evenly(grid: tuple[int, ...]) -> None:
    around = param(0, ArrayType(DTYPES["f64"], (N + 2, M)))
    even, wide = default((N, M), grid), default((N + 2, M), grid)
    for first, last in ((0, 2), (2, 0), (0, 1)):
        result = apply(OPS["negative"], add(rows(around, first, N + first), rows(around, last, N + last)))
        graph = Graph([around], [result])
        for rank in range(math.prod(grid)):
            local = insert_communication(Program(graph), grid, coordinates(rank, grid), 1, {around: wide})
            assert local.results[0] == even


def test_what_moves_far_goes_with_its_owners() -> None:
    even = default((N, M), (2,))
    assert layouts(roll(X, N // 2), (2,), even)[0] != even
    turned = apply(OPS["slice"], X, start=(N - 1, 0), step=(-1, 1), stop=(-1, M))
    assert layouts(turned, (2,), even)[0] != even


def test_parts_of_a_state_go_with_its_owners() -> None:
    even = default((N, M), (2,))
    ((start, stop), *_) = layouts(rows(X, 4, N), (2,), even)[0][0].ranges  # type: ignore[union-attr]
    assert (start, stop) == (0, N // 2 - 4)
