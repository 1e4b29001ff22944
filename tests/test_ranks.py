"""Programs on several ranks give what they give on one: every operation, random graphs, loops and branches."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr import communication
from lazyarr.backends import native
from lazyarr.backends.numpy import interpret
from lazyarr.cost_model import DEFAULT, CostModel
from lazyarr.ir import layout as layouts
from lazyarr.ir.graph import CheckFailed, Graph, Program, param
from lazyarr.ir.layout import coordinates, default, moves
from lazyarr.ir.node import apply, apply_all
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import sample_sort
from lazyarr.passes.insert_communication import insert_communication
from lazyarr.testing import draw, prepare
from tests.acceleration import compiled_programs
from tests.random_graphs import graphs
from tests.random_regions import region_graphs
from tests.ranks import distributed

#: Makes systems worth being solved in parts, however small.
ALONE_IS_SLOW, GATHERING_IS_SLOW = CostModel(product_flop=1.0), CostModel(memory_bandwidth=1.0)
GRIDS = [(2,), (3,), (4,), (2, 2)]


def compiled(graph: Graph, arguments: list[Any]) -> list[Any]:
    """The results of native code."""
    return native.compile(graph)(arguments)


def agree(graph: Graph, arguments: list[Any], grid: tuple[int, ...], split: list[int], run: Any = interpret,
          model: CostModel = DEFAULT) -> None:  # fmt: skip
    """Every rank's results are those of one rank."""
    try:
        with np.errstate(all="ignore"):
            wanted = interpret(graph, arguments)
    except (CheckFailed, np.linalg.LinAlgError):
        return
    with np.errstate(all="ignore"):
        found, _, _ = distributed(Program(graph), arguments, grid, run, split=split, model=model)
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


def agree_on_random(graph: Graph, grid: tuple[int, ...], is_compiled: bool, seed: int) -> None:
    """Random arguments, most of them split."""
    rng = np.random.default_rng(seed)
    arguments = []
    for value in graph.params:
        x = rng.uniform(-3, 3, value.type.shape)
        arguments.append(np.asarray(np.round(x) if value.type.dtype.kind in "iub" else x).astype(value.type.dtype))
    split = [k for k, v in enumerate(graph.params) if v.type.shape and rng.random() < 0.7]
    agree(graph, arguments, grid, split, compiled if is_compiled else interpret)


@settings(max_examples=60, deadline=None)
@given(graphs(steps=14), st.sampled_from(GRIDS), st.booleans(), st.integers(0, 2**32 - 1))
def test_random_graphs(graph: Graph, grid: tuple[int, ...], is_compiled: bool, seed: int) -> None:
    agree_on_random(graph, grid, is_compiled, seed)


@settings(max_examples=60, deadline=None)
@given(region_graphs(), st.sampled_from(GRIDS), st.booleans(), st.integers(0, 2**32 - 1))
def test_random_loops_and_branches(graph: Graph, grid: tuple[int, ...], is_compiled: bool, seed: int) -> None:
    agree_on_random(graph, grid, is_compiled, seed)


def heat(u: Any, n: int) -> Any:
    for _ in range(n):
        u[1:-1, 1:-1] += 0.1 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    return u


def new_arrays(u: Any, n: int) -> Any:
    for _ in range(n):
        v = u.copy()
        v[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        u = v
    return u


def periodic(u: Any, n: int) -> Any:
    for _ in range(n):
        u = u + 0.1 * (np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4 * u)
    return u


def until_still(u: Any, limit: float) -> Any:
    change = 1.0
    while change > limit:
        old = u.copy()
        u[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
        change = np.abs(u - old).max()
    return u


def by_rows(u: Any, n: int) -> Any:
    for i in range(n):
        u[i] = u[i] * 2 + i
    return u


def conjugate_gradients(a: Any, b: Any, n: int) -> Any:
    x = np.zeros_like(b)
    r = b - a @ x
    p = r.copy()
    rs = r @ r
    for _ in range(n):
        ap = a @ p
        alpha = rs / (p @ ap)
        x += alpha * p
        r -= alpha * ap
        new = r @ r
        p = r + (new / rs) * p
        rs = new
    return x


def captured(function: Any, *arguments: Any) -> tuple[Program, list[Any]]:
    """The program of a call, and its arguments."""
    import copy

    import lazyarr

    accelerated = lazyarr.accelerate(always=True, strict=True)(function)
    accelerated(*copy.deepcopy(arguments))
    (one,) = compiled_programs(accelerated)
    arrays = [x for x in arguments if isinstance(x, np.ndarray)]
    found: list[Any] = []
    for value, (kind, where) in zip(one.program.graph.params, one.sources, strict=True):
        if kind == "constant":
            found.append(np.asarray(where))
        elif value.type.shape:
            found.append(arrays.pop(next(k for k, x in enumerate(arrays) if x.shape == value.type.shape)))
        else:
            found.append(next(np.asarray(x) for x in arguments if type(x) is float))
    return one.program, found


SYSTEM = (lambda m: m @ m.T + 20 * np.eye(20))(np.random.default_rng(1).random((20, 20)))
LOOPS = [
    (heat, (24, 10), 6), (new_arrays, (24, 10), 6), (periodic, (24, 10), 6), (until_still, (12, 9), 1e-2),
    (by_rows, (20, 4), 20),
]  # fmt: skip


@pytest.mark.parametrize("run", [interpret, compiled])
@pytest.mark.parametrize("grid", GRIDS)
def test_loops(grid: tuple[int, ...], run: Any) -> None:
    rng = np.random.default_rng(0)
    programs = [captured(function, rng.random(shape), last) for function, shape, last in LOOPS]
    programs.append(captured(conjugate_gradients, SYSTEM, rng.random(20), 6))
    for program, arguments in programs:
        split = [k for k, v in enumerate(program.graph.params) if v.type.shape]
        wanted = interpret(program.graph, arguments)
        found, _, _ = distributed(program, arguments, grid, run, least=8, split=split)
        for rank in found:
            for have, want in zip(rank, wanted, strict=False):
                np.testing.assert_allclose(have, want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("function", [heat, new_arrays])
def test_messages_of_a_stencil_are_the_closed_form(function: Any) -> None:
    """One message for each neighbour and sweep, of one row or column of what a rank has."""
    rows, columns, sweeps = 24, 16, 7
    program, arguments = captured(function, np.random.default_rng(0).random((rows, columns)), sweeps)
    for grid in GRIDS:
        _, _, world = distributed(program, arguments, grid, interpret, least=8, split=[0], gathered=())
        high, wide = rows // grid[0], columns // (grid[1] if len(grid) > 1 else 1)
        for place, sent in world.sent.items():
            neighbours = [(k, at + d) for k, at in enumerate(place) for d in (-1, 1) if 0 <= at + d < grid[k]]
            # (Rows go with the columns that neighbours beside have sent before: a corner is not sent twice.)
            least = sum((wide if k == 0 else high) * 8 for k, _ in neighbours)
            assert len(sent) == sweeps * len(neighbours)
            assert sweeps * least <= sum(size for _, size in sent) <= sweeps * (least + 2 * 8 * len(grid) * 2)


def test_loops_that_would_gather_are_run_by_every_rank() -> None:
    program, arguments = captured(by_rows, np.random.default_rng(0).random((20, 4)), 20)
    _, _, world = distributed(program, arguments, (4,), interpret, least=8, split=[0], gathered=())
    for sent in world.sent.values():
        assert len(sent) <= 3  # the array, once


@pytest.mark.parametrize("function", [heat, new_arrays, periodic])
@pytest.mark.parametrize("grid", [(2,), (3,), (5,), (8,), (2, 2), (2, 4)])
def test_what_is_predicted_is_what_is_sent(grid: tuple[int, ...], function: Any) -> None:
    program, arguments = captured(function, np.random.default_rng(0).random((32, 24)), 5)
    _, locals, world = distributed(program, arguments, grid, interpret, least=8, split=[0], gathered=())
    predicted = communication.plan(program, grid, 8)
    assert predicted.messages == max(len(sent) for sent in world.sent.values())
    assert predicted.bytes == max(sum(size for _, size in sent) for sent in world.sent.values())
    assert all(step.lines for step in predicted.steps)
    assert predicted.memory < 2 * 3 * (32 // grid[0] + 2) * (24 // grid[-1 if len(grid) > 1 else 0] + 24) * 8


def test_a_budget() -> None:
    program, _ = captured(heat, np.random.default_rng(0).random((32, 24)), 5)
    found = communication.plan(program, (4,), 8)
    assert (found.messages, found.bytes) == (10, 10 * 24 * 8)
    assert communication.over_budget(found, "messages<=10,bytes<=1.875KiB") == []
    assert communication.over_budget(found, "messages <= 9, bytes<=1KB, memory<=1MiB") == [
        "messages: 10 is more than 9", "bytes: 1920 is more than 1KB",
    ]  # fmt: skip
    for wrong in ("messages<4", "bytes<=4kg", "lines<=3", ""):
        with pytest.raises(ValueError, match="expected messages<=N"):
            communication.over_budget(found, wrong)


def ramp(u: Any, n: int) -> Any:
    for i in range(n):
        u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2]) + 0.01 * i
    return u


def wave(u: Any, n: int) -> Any:
    v = u * 0.5
    for _ in range(n):
        w = 2 * v - u
        w[1:-1] += 0.1 * (v[2:] - 2 * v[1:-1] + v[:-2])
        u, v = v, w
    return v


@pytest.mark.parametrize("run", [interpret, compiled])
@pytest.mark.parametrize("function", [heat, new_arrays, ramp, wave])
def test_deep_halos(function: Any, run: Any) -> None:
    """Where blocks are long, several iterations share an exchange; what is left of them has one each."""
    sweeps = 39
    program, arguments = captured(function, np.random.default_rng(0).random((160, 64)), sweeps)
    (wanted,) = interpret(program.graph, arguments)[-1:]
    for grid in [(2,), (3,), (2, 2)]:
        found, _, world = distributed(program, arguments, grid, run, least=8, split=[0])
        for rank in found:
            np.testing.assert_allclose(rank[-1], wanted, rtol=1e-10, atol=1e-12)
        _, _, world = distributed(program, arguments, grid, interpret, least=8, split=[0], gathered=())
        predicted = communication.plan(program, grid, 8)
        assert predicted.messages == max(len(sent) for sent in world.sent.values())
        assert predicted.bytes == max(sum(size for _, size in sent) for sent in world.sent.values())
        neighbours = max(sum(0 <= p + d < n for p, n in zip(place, grid) for d in (-1, 1)) for place in world.places)
        assert predicted.messages <= sweeps * neighbours * 2 // 3


@pytest.mark.parametrize("dtype", ["f64", "f32", "i32", "bool", "c128"])
@pytest.mark.parametrize("grid", [(2,), (4,), (2, 2)])
def test_along_a_split_axis(grid: tuple[int, ...], dtype: str) -> None:
    rng = np.random.default_rng(len(grid))
    for shape in ((13,), (7, 6), (5, 4, 6)):
        x = rng.standard_normal(shape) * 5
        if dtype.startswith("f"):
            x.flat[rng.integers(0, x.size, 3)] = np.nan
        x = np.round(x).astype(DTYPES[dtype])
        value = param(0, ArrayType(x.dtype, shape))
        for axis in range(len(shape)):
            for name in ("argmax", "argmin"):
                agree(Graph([value], [apply(OPS[name], value, axis=axis)]), [x], grid, [0])
            for name, model in itertools.product(("sort", "argsort"), (DEFAULT, GATHERING_IS_SLOW)):
                agree(Graph([value], [apply(OPS[name], value, axis=axis, stable=True)]), [x], grid, [0], model=model)
            for kind in ("add", "maximum", "logical_or"):
                agree(Graph([value], [apply(OPS["accumulate"], value, kind=kind, axis=axis)]), [x], grid, [0])
            start, stop, step = [0] * len(shape), list(shape), [1] * len(shape)
            start[axis], stop[axis], step[axis] = shape[axis] - 1, -1, -1
            turned = apply(OPS["slice"], value, start=tuple(start), stop=tuple(stop), step=tuple(step))
            results = [apply(OPS["accumulate"], turned, kind="maximum", axis=axis)]
            results += [apply(OPS[name], turned, axis=axis) for name in ("argmax", "argmin")]
            results += [apply(OPS["argsort"], turned, axis=axis, stable=True)]
            agree(Graph([value], results), [x], grid, [0])


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(("subscripts", "shapes", "split"), [
    ("ij,jk->ik", ((12, 9), (9, 7)), [0]), ("ij,jk->ik", ((12, 9), (9, 7)), [1]),
    ("ij,ik->jk", ((12, 9), (12, 7)), [0, 1]), ("ij,k->i", ((12, 9), (7,)), [0, 1]),
    ("ij,ji->", ((8, 9), (9, 8)), [0, 1]), ("ij,jk,kl->il", ((6, 8), (8, 9), (9, 5)), [0, 1, 2]),
    ("ii->", ((9, 9),), [0]), ("ii,i->i", ((9, 9), (9,)), [0, 1]), ("bij,bjk->bik", ((6, 3, 4), (6, 4, 5)), [0, 1]),
    ("i,i->", ((1,), (40,)), [1]), ("iij,jk->ik", ((8, 8, 6), (6, 5)), [0, 1]),
])  # fmt: skip
def test_products_over_split_labels(
    grid: tuple[int, ...], subscripts: str, shapes: tuple[tuple[int, ...], ...], split: list[int]
) -> None:
    rng = np.random.default_rng(5)
    arguments = [rng.standard_normal(shape) for shape in shapes]
    params = [param(k, ArrayType(x.dtype, x.shape)) for k, x in enumerate(arguments)]
    agree(Graph(params, [apply(OPS["einsum"], *params, subscripts=subscripts)]), arguments, grid, split)


@pytest.mark.parametrize("kind", ["fft", "ifft", "rfft", "irfft"])
@pytest.mark.parametrize("grid", GRIDS)
def test_transforms_along_split_axes(grid: tuple[int, ...], kind: str) -> None:
    rng = np.random.default_rng(4)
    for shape in ((12, 10), (7, 5), (9, 2), (12, 2), (5, 4, 6), (9,)):
        x = rng.standard_normal(shape) + (0 if kind == "rfft" else 1j * rng.standard_normal(shape))
        value = param(0, ArrayType(x.dtype, shape))
        for count in range(1, len(shape) + 1):
            for axes in itertools.permutations(range(len(shape)), count):
                lengths = tuple(shape[a] for a in axes)
                if kind == "irfft":
                    lengths = (*lengths[:-1], 2 * (lengths[-1] - 1))
                attrs = {"kind": kind, "axes": axes, "lengths": lengths, "norm": "ortho"}
                agree(Graph([value], [apply(OPS["fft"], value, **attrs)]), [x], grid, [0])
    attrs = {"kind": kind, "axes": (0,), "lengths": (5,), "norm": "backward"}  # cropped
    agree(Graph([value], [apply(OPS["fft"], value, **attrs)]), [x], grid, [0])


def indexed(seed: int) -> tuple[Any, tuple[int, ...], list[Any]]:
    """An array, axes, and indices into it: of vectors, and of rows, columns and points of matrices; some too short."""
    rng = np.random.default_rng(seed)
    shape = ((23,), (17, 6), (5, 14, 3))[seed % 3]
    axes = tuple(sorted(rng.permutation(len(shape))[: int(rng.integers(1, len(shape) + 1))].tolist()))
    lead = [(40,), (2,), (9, 3), (30,)][seed % 4]
    shapes = [lead if k == 0 or rng.random() < 0.7 else lead[1:] for k in range(len(axes))]
    indices = [np.asarray(rng.integers(-shape[a], shape[a], s)) for a, s in zip(axes, shapes, strict=True)]
    return rng.standard_normal(shape), axes, indices


@pytest.mark.parametrize("seed", range(24))
def test_reads_and_writes_at_indices_are_numpys_to_the_last_bit(seed: int) -> None:
    x, axes, indices = indexed(seed)
    rng = np.random.default_rng(seed)
    arguments = [x, np.empty(0), *indices]
    params = [param(k, ArrayType(np.asarray(a).dtype, np.shape(a))) for k, a in enumerate(arguments)]
    read = apply(OPS["gather"], params[0], *params[2:], axes=axes)
    arguments[1] = rng.standard_normal(read.type.shape)
    params[1] = param(1, read.type)
    written = [apply(OPS["scatter"], *params, axes=axes, kind=kind) for kind in ("set", "add", "divide")]
    graph = Graph(params, [read, *written])
    wanted = interpret(graph, arguments)
    everything = list(range(len(arguments)))
    for grid in [*GRIDS, (7,)]:
        for split in (everything, [0], everything[1:], everything[:2]):
            found, _, _ = distributed(Program(graph), arguments, grid, interpret, split=split)
            for rank in found:
                for k, (have, want) in enumerate(zip(rank, wanted, strict=True)):
                    if 0 in split or k != 2:
                        np.testing.assert_array_equal(have, want)
                    else:  # (what ranks have added up is put together)
                        np.testing.assert_allclose(have, want, rtol=1e-12, atol=1e-12)


def test_indices_that_are_split_are_not_gathered() -> None:
    x, v = (param(k, ArrayType(DTYPES["f64"], (n,))) for k, n in enumerate((4000, 3000)))
    i = param(2, ArrayType(DTYPES["i64"], (3000,)))
    counts = param(3, ArrayType(DTYPES["f64"], (10,)))
    results = [apply(OPS["scatter"], x, v, i, axes=(0,), kind="add"), apply(OPS["gather"], x, i, axes=(0,)),
               apply(OPS["scatter"], counts, v, i, axes=(0,), kind="add")]  # fmt: skip
    program = Program(Graph([x, v, i, counts], results))
    given = {p: default(p.type.shape, (4,)) for p in (x, v, i)}
    slow = replace(DEFAULT, bandwidth=1e7)
    local = insert_communication(program, (4,), (1,), 100, given, model=slow)
    assert max(t.size for node in local.program.graph.nodes for t in node.types) == 1000
    steps = communication.plan(program, (4,), 100, model=slow).steps
    assert [step.what for step in steps] == ["scatter", "gather", "all_reduce"]


def test_arrays_are_gathered_for_indices_where_that_takes_less_time() -> None:
    rng = np.random.default_rng(0)
    for shape, count in (((4000,), 3000), ((4001, 3), 4001), ((5000,), 40)):
        arguments = [rng.random(shape), rng.integers(-shape[0], shape[0], count)]
        x, i = (param(k, ArrayType(a.dtype, a.shape)) for k, a in enumerate(arguments))
        program = Program(Graph([x, i], [apply(OPS["gather"], x, i, axes=(0,))]))
        for grid in ((2,), (4,)):
            found, _, _ = distributed(program, arguments, grid, interpret, split=[0, 1])
            for rank in found:
                np.testing.assert_array_equal(rank[0], arguments[0][arguments[1]])
        given = {p: default(p.type.shape, (2,)) for p in (x, i)}
        nodes = insert_communication(program, (2,), (1,), 10, given).program.graph.nodes
        assert ("picked_part" in {node.op.name for node in nodes}) == (count == 40)


@pytest.mark.parametrize("dtype", ["f32", "f64", "c64", "c128"])
@pytest.mark.parametrize("n", [5, 49, 100])
def test_systems_whose_rows_are_split(n: int, dtype: str) -> None:
    rng = np.random.default_rng(n)
    a = rng.standard_normal((n, n)) + (1j * rng.standard_normal((n, n)) if dtype[0] == "c" else 0)
    definite = (a @ a.mT.conj() + n * np.eye(n)).astype(DTYPES[dtype])
    turned = (np.eye(n)[::-1] * 3 + a / 100).astype(DTYPES[dtype])  # every pivot is another rank's
    for k, matrix in enumerate((a.astype(DTYPES[dtype]), turned)):
        for b in (rng.standard_normal((n, 7)[: 2 - k]),):
            arguments = [matrix, b.astype(DTYPES[dtype]), definite]
            params = [param(k, ArrayType(x.dtype, x.shape)) for k, x in enumerate(arguments)]
            x, regular = apply_all(OPS["solve"], *params[:2])
            factor, positive = apply_all(OPS["cholesky"], params[2], upper=False)
            inverse, invertible = apply_all(OPS["inv"], params[0])
            program = Program(Graph(params, [x, regular, factor, positive, inverse, invertible]))
            wanted = interpret(program.graph, arguments)
            for grid in GRIDS:
                for split in ([0, 1, 2], [1, 2])[: 1 + (n == 5)]:
                    model = (ALONE_IS_SLOW, DEFAULT)[len(split) == 2]
                    found, _, world = distributed(program, arguments, grid, interpret, split=split, model=model)
                    for have in found:
                        assert bool(have[1]) and bool(have[3]) and bool(have[5])
                        scale = np.linalg.cond(matrix) * np.finfo(matrix.dtype).eps * 20
                        for k in (0, 4):
                            assert np.linalg.norm(have[k] - wanted[k]) <= scale * np.linalg.norm(wanted[k])
                        # (A factor of a well conditioned matrix.)
                        small = 50 * n * np.finfo(matrix.dtype).eps
                        np.testing.assert_allclose(have[2], wanted[2], rtol=small, atol=small * np.abs(wanted[2]).max())
                        assert (have[0].dtype, have[0].shape) == (wanted[0].dtype, wanted[0].shape)


@pytest.mark.parametrize("grid", GRIDS)
def test_matrices_that_are_singular_for_all_ranks(grid: tuple[int, ...]) -> None:
    for n, matrix in ((9, np.zeros((9, 9))), (60, np.ones((60, 60))), (60, np.diag(np.arange(60.0)[::-1]))):
        arguments = [matrix, np.ones(n)]
        params = [param(k, ArrayType(x.dtype, x.shape)) for k, x in enumerate(arguments)]
        x, regular = apply_all(OPS["solve"], *params)
        factor, positive = apply_all(OPS["cholesky"], params[0], upper=False)
        inverse, invertible = apply_all(OPS["inv"], params[0])
        program = Program(Graph(params, [x, regular, factor, positive, inverse, invertible]))
        found, _, _ = distributed(program, arguments, grid, interpret, split=[0, 1], model=ALONE_IS_SLOW)
        for have in found:
            assert not have[1] and not have[3] and not have[5]
            assert np.isnan(have[0]).all() and np.isnan(have[2]).all()


@pytest.mark.parametrize("grid", [(2,), (3,), (4,)])
def test_what_is_predicted_of_factors_and_turns_is_what_is_sent(grid: tuple[int, ...]) -> None:
    a = np.random.default_rng(0).random((130, 130))
    a = a @ a.T + np.eye(130)
    value = param(0, ArrayType(a.dtype, a.shape))
    order = [apply_all(OPS["solve"], value, apply(OPS["slice"], value, start=(0, 0), stop=(130, 9), step=(1, 1)))[0],
             apply_all(OPS["cholesky"], value, upper=False)[0], apply_all(OPS["inv"], value)[0],
             apply(OPS["sort"], value, axis=0, stable=True)]  # fmt: skip
    for result in order:
        program = Program(Graph([value], [result]))
        matrix = a + 500 * np.eye(130)  # of a system the data decides; here every pivot stands on the diagonal
        for model in (ALONE_IS_SLOW, DEFAULT):
            _, _, world = distributed(program, [matrix], grid, interpret, least=8, split=[0], gathered=(), model=model)
            predicted = communication.plan(program, grid, 8, model=model)
            assert predicted.messages == max(len(sent) for sent in world.sent.values())
            assert predicted.bytes == max(sum(size for _, size in sent) for sent in world.sent.values())


def test_systems_are_solved_in_parts_where_that_takes_less_time() -> None:
    def steps(n: int, ranks: int, name: str, model: CostModel = DEFAULT) -> list[str]:
        a = param(0, ArrayType(DTYPES["f64"], (n, n)))
        b = param(1, ArrayType(DTYPES["f64"], (n,)))
        found = apply_all(OPS["solve"], a, b) if name == "solve" else apply_all(OPS["cholesky"], a, upper=False)
        plan = communication.plan(Program(Graph([a, b], found[:1])), (ranks,), 8, model=model)
        return sorted({step.what for step in plan.steps})

    for name in ("solve", "cholesky"):
        assert steps(1000, 2, name) == ["exchange"]
        assert steps(4000, 16, name) == [name]
        assert steps(8000, 2, name) == [name]  # too large to be gathered
        assert steps(200, 5, name, ALONE_IS_SLOW) == [name]
        assert steps(4000, 16, name, CostModel(latency=0.1)) == ["exchange"]


@pytest.mark.parametrize("values", ["normal", "few", "equal", "sorted", "nan", "descending"])
def test_long_vectors_are_sorted(values: str) -> None:
    rng = np.random.default_rng(9)
    x = {
        "normal": rng.standard_normal(5003), "few": rng.integers(0, 3, 5003).astype(float), "equal": np.ones(5003),
        "sorted": np.arange(5003.0), "nan": np.where(rng.random(5003) < 0.4, np.nan, rng.random(5003)),
        "descending": -np.arange(5003.0),
    }[values]  # fmt: skip
    value = param(0, ArrayType(x.dtype, x.shape))
    results = [apply(OPS[name], value, axis=0, stable=True) for name in ("sort", "argsort")]
    for grid, model in itertools.product(GRIDS, (DEFAULT, GATHERING_IS_SLOW)):
        program = Program(Graph([value], results))
        found, local, _ = distributed(program, [x], grid, interpret, split=[0], model=model)
        for rank in found:
            np.testing.assert_array_equal(rank[0], np.sort(x))
            np.testing.assert_array_equal(rank[1], np.argsort(x, kind="stable"))
        by_samples = {node.op.name for node in local[0].program.graph.nodes} >= {"sorted_part"}
        assert by_samples == (model is GATHERING_IS_SLOW)


def test_vectors_are_sorted_by_samples_where_that_takes_less_time() -> None:
    def steps(n: int, ranks: int, name: str, **attrs: Any) -> list[str]:
        x = param(0, ArrayType(DTYPES["f64"], (n,)))
        plan = communication.plan(Program(Graph([x], [apply(OPS[name], x, axis=0, **attrs)])), (ranks,), 8)
        return [step.what for step in plan.steps]

    for name in ("sort", "argsort"):
        assert steps(10_000, 2, name, stable=False) == ["exchange"]
        assert steps(1_000_000, 2, name, stable=False) == ["sort"]
    assert steps(100_000_000, 2, "partition", kth=(5,)) == ["sort"]  # too large to be gathered
    assert steps(1_000_000, 2, "partition", kth=(5,)) == ["exchange"]
    assert steps(1_000_000, 2, "partition", kth=(5, 9)) == ["sort"]
    assert steps(30_000_000, 64, "partition", kth=(5,)) == ["sort"]


@pytest.mark.parametrize("values", [[0.0, -0.0, 1.0], [np.nan, -np.nan, 2.0], [3.0, 1.0, 2.0], [-np.inf, -0.0], [7.0]])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i4", "c16"])
def test_parts_are_sorted_stably_to_the_bit(values: list[float], kind: str) -> None:
    rng = np.random.default_rng(3)
    for n in (0, 1, 5, 40, 300):
        given = rng.choice(np.clip(np.nan_to_num(values), -9, 9) if kind == "i4" else values, n)
        x = np.where(rng.random(n) < 0.3, rng.integers(-9, 9, n), given).astype(kind)
        assert sample_sort.sorted_part(x).tobytes() == np.sort(x, kind="stable").tobytes()
        np.testing.assert_array_equal(sample_sort.order_of_part(x), np.argsort(x, kind="stable"))


@pytest.mark.parametrize(
    ("name", "attrs", "reductions", "exchanges"),
    [
        ("sort", {"axis": 0, "stable": False}, 0, 0),
        ("argpartition", {"axis": 0, "kth": (3,)}, 0, 0),
        ("fft", {"kind": "rfft", "axes": (0,), "lengths": (31,), "norm": "backward"}, 0, 0),
        ("einsum", {"subscripts": "ij->j"}, 1, 0),
        ("einsum", {"subscripts": "ij->i"}, 0, 0),
        ("argmax", {"axis": 0}, 2, 0),
        ("argmax", {"axis": 1}, 0, 0),
        ("accumulate", {"kind": "add", "axis": 0}, 0, 1),
        ("sort", {"axis": 1, "stable": False}, 0, 0),
        ("fft", {"kind": "fft", "axes": (1,), "lengths": (30,), "norm": "backward"}, 0, 0),
        ("fft", {"kind": "fft", "axes": (0, 1), "lengths": (40, 30), "norm": "backward"}, 0, 0),
    ],
)
def test_what_goes_along_an_axis_gathers_nothing(
    name: str, attrs: dict[str, Any], reductions: int, exchanges: int
) -> None:
    value = param(0, ArrayType(DTYPES["f64"], (40, 30)))
    graph = Graph([value], [apply(OPS[name], value, **attrs)])
    layout = default((40, 30), (4,))
    local = insert_communication(Program(graph), (4,), (1,), 1, {value: layout})
    names = [node.op.name for node in local.program.graph.nodes]
    assert (names.count("all_reduce"), names.count("exchange"), names.count("halo")) == (reductions, exchanges, 0)
    turned = name in ("sort", "argpartition", "fft") and 0 in attrs.get("axes", (attrs.get("axis"),))
    assert names.count("turned_part") == 2 * turned
    most = max(t.size for node in local.program.graph.nodes for t in node.types)
    assert most <= 10 * 40


@pytest.mark.parametrize("shape", [(12,), (7, 9), (3, 2, 5), (5, 0)])
def test_arrays_go_to_another_grid(shape: tuple[int, ...]) -> None:
    """Every index comes from one rank that has it, and stays where it is wherever it can."""
    whole = np.arange(math.prod(shape)).reshape(shape)
    grids = [(4,), (2, 2), (1, 4), (4, 1), (2, 1, 2)]
    for grid, onto in itertools.product(grids, grids):
        have, want = default(shape, grid), default(shape, onto)
        given: Any = {}
        for rank in range(4):
            for other, box in moves(shape, have, grid, want, onto, rank)[0]:
                given[rank, other] = box
        for rank in range(4):
            held = layouts.place(have, shape, coordinates(rank, grid))
            wanted = layouts.place(want, shape, coordinates(rank, onto))
            found = np.full(shape, -1)
            for other, box in moves(shape, have, grid, want, onto, rank)[1]:
                assert given.pop((other, rank)) == box
                at = tuple(slice(*part) for part in box)
                assert (found[at] == -1).all()
                found[at] = whole[at]
                mine = all(h[0] <= b[0] and b[1] <= h[1] for h, b in zip(held, box))
                assert other == rank or not mine
            expected = np.full(shape, -1)
            at = tuple(slice(*part) for part in wanted)
            expected[at] = whole[at]
            np.testing.assert_array_equal(found, expected)
        assert not given
