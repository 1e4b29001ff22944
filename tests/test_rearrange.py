"""Reshapes of arrays that are split: elements go from owner to owner, and no rank gets all of them."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import numpy as np
import pytest

from lazyarr import communication
from lazyarr.backends.numpy import interpret
from lazyarr.ir import flat
from lazyarr.ir.graph import Graph, Program, param
from lazyarr.ir.layout import Layout, Split, coordinates, even, place
from lazyarr.ir.node import apply
from lazyarr.ir.op import OPS
from lazyarr.ir.types import ArrayType
from tests.ranks import distributed
from tests.test_ranks import agree, captured

SHAPES = [(24,), (4, 6), (6, 4), (2, 3, 4), (2, 2, 2, 3), (1, 24), (24, 1), (3, 8), (12, 2), (8, 3), (1, 4, 1, 6)]
GRIDS = [(2,), (3,), (4,), (2, 2), (3, 2), (5,), (2, 1, 2)]


def any_layout(rng: random.Random, shape: tuple[int, ...], grid: tuple[int, ...]) -> Layout:
    """Some axes split, evenly or anyhow, with empty parts, also in the ranks' reverse order."""
    axes = list(range(len(shape)))
    rng.shuffle(axes)
    found: list[Split | None] = [None] * len(shape)
    for dim, parts in enumerate(grid):
        if axes and rng.random() < 0.75:
            axis = axes.pop()
            cuts = sorted(rng.randint(0, shape[axis]) for _ in range(parts - 1))
            ranges = tuple(itertools.pairwise((0, *cuts, shape[axis])))
            ranges = rng.choice([ranges, ranges[::-1], even(shape[axis], parts)])
            found[axis] = Split(dim, ranges)
    return tuple(found)


def indices(pieces: flat.Pieces) -> Any:
    spans = zip(pieces.offsets.tolist(), pieces.lengths.tolist(), strict=True)
    return np.concatenate([np.arange(at, at + n) for at, n in spans])


@pytest.mark.parametrize("seed", range(20))
def test_every_element_comes_from_one_owner(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(40):
        before, after, grid = rng.choice(SHAPES), rng.choice(SHAPES), rng.choice(GRIDS)
        have, want = any_layout(rng, before, grid), any_layout(rng, after, grid)
        if rng.random() < 0.5:
            want = flat.reshaped(before, have, after, rng.random() < 0.5)
        x = np.arange(24)

        def mine(shape: tuple[int, ...], layout: Layout, at: tuple[int, ...], x: Any = x) -> Any:
            return x.reshape(shape)[tuple(slice(*part) for part in place(layout, shape, at))].reshape(-1)

        given = {}
        for rank in range(math.prod(grid)):
            at = coordinates(rank, grid)
            for pieces in flat.gives(before, have, after, want, grid, at):
                given[rank, pieces.rank] = mine(before, have, at)[indices(pieces)]
        for rank in range(math.prod(grid)):
            at = coordinates(rank, grid)
            wanted = mine(after, want, at)
            found = np.full(wanted.size, -1)
            for pieces in flat.gets(before, have, after, want, grid, at):
                where = indices(pieces)
                assert (found[where] == -1).all()
                found[where] = given.pop((pieces.rank, rank))
                if flat.stays(before, have, after, want):
                    assert pieces.rank == rank
            np.testing.assert_array_equal(found, wanted)
        assert not given


def reshape(shape: tuple[int, ...], to: tuple[int, ...]) -> Graph:
    x = param(0, ArrayType(np.dtype(float), shape))
    return Graph([x], [apply(OPS["reshape"], x, shape=to)])


@pytest.mark.parametrize("grid", [(2,), (3,), (4,), (7,), (2, 2), (2, 3)])
def test_what_is_predicted_is_what_is_sent(grid: tuple[int, ...]) -> None:
    shapes = [(60, 14), (840,), (14, 60), (28, 30), (4, 210), (840, 1), (2, 420), (30, 4, 7), (7, 2, 60), (2, 2, 210)]
    rng = random.Random(math.prod(grid))
    for before, after in rng.sample(list(itertools.permutations(shapes, 2)), 16):
        graph = reshape(before, after)
        x = np.random.default_rng(0).random(before)
        agree(graph, [x], grid, [0])
        _, _, world = distributed(Program(graph), [x], grid, interpret, split=[0], gathered=())
        plan = communication.plan(Program(graph), grid, 1)
        assert plan.messages == max(len(sent) for sent in world.sent.values())
        assert plan.bytes == max(sum(size for _, size in sent) for sent in world.sent.values())
        # Nobody sends more than what it has to each of those who share its row of the grid.
        assert plan.bytes <= 8 * 840 // grid[0] * (1 if len(grid) == 1 else grid[1]) * 1.25


@pytest.mark.parametrize("ranks", [2, 3, 4, 7])
def test_little_moves_where_rows_are_long_or_merged(ranks: int) -> None:
    def sent(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[int, int]:
        plan = communication.plan(Program(reshape(before, after)), (ranks,), 1)
        return plan.messages, plan.bytes

    assert sent((60, 14), (840,)) == (0, 0)
    assert sent((61, 7, 2), (61, 14)) == (0, 0)
    assert sent((61, 7, 2), (427, 2)) == (0, 0)
    assert sent((60, 14), (1, 60, 2, 7)) == (0, 0)
    # Cut and joined otherwise: at most a row or so, with the neighbours.
    messages, size = sent((600, 14), (420, 20))
    assert messages <= 2
    assert size <= 2 * 20 * 8


@pytest.mark.parametrize("grid", [(2,), (3,), (2, 2)])
def test_a_transposed_array_in_another_shape(grid: tuple[int, ...]) -> None:
    for shape in ((12, 9), (30, 14), (5, 40)):
        x = param(0, ArrayType(np.dtype(float), shape))
        turned = apply(OPS["transpose"], x, axes=(1, 0))
        flipped = apply(OPS["slice"], x, start=(shape[0] - 1, 0), stop=(-1, shape[1]), step=(-1, 1))
        strided = apply(OPS["slice"], x, start=(1, 0), stop=shape, step=(2, 1))
        results = [apply(OPS["reshape"], y, shape=(y.type.size,)) for y in (turned, flipped, strided)]
        results.append(apply(OPS["reshape"], results[0], shape=shape))
        agree(Graph([x], results), [np.random.default_rng(1).random(shape)], grid, [0])


@pytest.mark.parametrize("grid", [(2,), (3,), (4,), (2, 2)])
def test_diagonals_stay_with_their_rows(grid: tuple[int, ...]) -> None:
    for shape, offset in itertools.product(((12, 12), (9, 14), (14, 9)), (0, 2, -3, 8)):
        x = param(0, ArrayType(np.dtype(float), shape))
        graph = Graph([x], [apply(OPS["diagonal"], x, offset=offset, axis1=0, axis2=1)])
        agree(graph, [np.random.default_rng(2).random(shape)], grid, [0])
        if len(grid) == 1:
            assert communication.plan(Program(graph), grid, 1).messages == 0
    y = param(0, ArrayType(np.dtype(float), (8, 5, 6)))
    graph = Graph([y], [apply(OPS["diagonal"], y, offset=1, axis1=2, axis2=1)])
    agree(graph, [np.random.default_rng(3).random((8, 5, 6))], grid, [0])


def smoothed(u: Any, n: int) -> Any:
    for _ in range(n):
        v = u.reshape(-1)
        v[1:-1] = 0.5 * v[1:-1] + 0.25 * (v[2:] + v[:-2])
        u = u + v.reshape(u.shape)
    return u


@pytest.mark.parametrize("grid", [(2,), (3,), (2, 2)])
def test_in_loops(grid: tuple[int, ...]) -> None:
    program, arguments = captured(smoothed, np.random.default_rng(0).random((24, 10)), 5)
    (wanted,) = interpret(program.graph, arguments)[-1:]
    found, _, world = distributed(program, arguments, grid, interpret, least=8, split=[0])
    for rank in found:
        np.testing.assert_allclose(rank[-1], wanted, rtol=1e-12)
