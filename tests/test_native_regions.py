"""Loops, branches and writes in place: the native back end against the interpreter."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends import native_nests, native_steps, native_threads
from lazyarr.backends.native import compile
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Check, CheckFailed, Graph, param
from lazyarr.ir.node import Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES, parse
from lazyarr.ops.create import const
from lazyarr.settings import Settings
from tests.random_regions import region_graphs, seeded, siblings
from tests.test_native import agrees, arguments


@pytest.mark.parametrize("seed", range(60))
def test_seeded_graphs(seed: int) -> None:
    graph = seeded(seed, steps=12)
    agrees(graph, arguments(graph, seed))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("seed", range(40))
def test_sibling_statements(seed: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.settings.current", Settings(threads=threads))
    monkeypatch.setattr(native_nests, "WORTH", 0.0)
    monkeypatch.setattr(native_nests, "FEW", 2)
    monkeypatch.setattr(native_steps, "FEW_ROWS", (2, 24)[seed % 2])
    graph = siblings(seed)
    agrees(graph, arguments(graph, seed))


@settings(deadline=None, max_examples=60)
@given(graph=region_graphs(), seed=st.integers(0, 2**32 - 1))
def test_random_graphs_with_regions(graph: Graph, seed: int) -> None:
    agrees(graph, arguments(graph, seed))


def _int(value: int) -> Value:
    return const(value, DTYPES["i64"])


def _op(name: str, *operands: Value, **attrs: Any) -> Value:
    return apply(lookup(name), *operands, **attrs)


def _loop(bounds: tuple[int, int, int], carried: list[Value], consts: list[Value], body: Graph, until: int = -1) -> Any:
    attrs = (("body", body), ("carried", len(carried)), ("until", until))
    return make(lookup("loop"), (*map(_int, bounds), *carried, *consts), attrs).values


def test_swap_exchanges_addresses() -> None:
    u, v = param(0, parse("f64[100]")), param(1, parse("f64[100]"))
    index, a, b = param(0, parse("i64[]")), param(1, parse("f64[100]")), param(2, parse("f64[100]"))
    body = Graph([index, a, b], [b, a])
    for trips in (0, 1, 4, 7):
        graph = Graph([u, v], _loop((0, trips, 1), [u, v], [], body))
        x, y = np.arange(100.0), -np.arange(100.0)
        agrees(graph, [x, y])


@pytest.mark.parametrize("trips", [0, 1, 2, 5])
def test_jacobi_takes_turns_between_two_arrays(trips: int) -> None:
    u = param(0, parse("f64[50,40]"))
    index, x = param(0, parse("i64[]")), param(1, parse("f64[50,40]"))

    def part(i: int, j: int) -> Value:
        return _op("slice", x, start=(i, j), stop=(i + 48, j + 38), step=(1, 1))

    total = _op("add", _op("add", part(0, 1), part(2, 1)), _op("add", part(1, 0), part(1, 2)))
    new = _op("update_slice", x, _op("multiply", total, const(0.25)), start=(1, 1), stop=(49, 39), step=(1, 1))
    body = Graph([index, x], [new])
    graph = Graph([u], [*_loop((0, trips, 1), [u], [], body), u])
    agrees(graph, [np.random.default_rng(0).random((50, 40))])


def test_reads_of_old_values_come_before_the_write() -> None:
    x = param(0, parse("f64[10]"))
    index, a = param(0, parse("i64[]")), param(1, parse("f64[10]"))
    written = _op("put_window", a, const(1.5), index, dims=(("index",),))
    # In the order of the graph, the old array is read last.
    flipped = _op("slice", a, start=(9,), stop=(-1,), step=(-1,))
    body = Graph([index, a], [_op("add", written, flipped)])
    agrees(Graph([x], _loop((0, 4, 1), [x], [], body)), [np.arange(10.0)])


def test_a_failed_check_ends_the_program() -> None:
    x, n = param(0, parse("f64[4]")), param(1, parse("i64[]"))
    index, a = param(0, parse("i64[]")), param(1, parse("f64[4]"))
    check = Check(_op("less", index, _int(4)), "IndexError", "out of range")
    written = _op("put_window", a, const(7.0), index, dims=(("index",),))
    body = Graph([index, a], [written], [check])
    attrs = (("body", body), ("carried", 1), ("until", -1))
    graph = Graph([x, n], make(lookup("loop"), (_int(0), n, _int(1), x), attrs).values)
    run = compile(graph)
    given = np.arange(4.0)
    assert run([given, np.int64(3)])[0].tolist() == [7, 7, 7, 3]
    with pytest.raises(CheckFailed) as caught:
        run([given, np.int64(1000)])
    assert (caught.value.check.exception, caught.value.check.message) == (check.exception, check.message)
    assert given.tolist() == [0, 1, 2, 3]


def test_a_failed_check_of_the_program_is_a_result() -> None:
    x, i = param(0, parse("f64[4]")), param(1, parse("i64[]"))
    check = Check(_op("less", i, _int(4)), "IndexError", "out of range")
    graph = Graph([x, i], [_op("window", x, i, dims=(("index",),))], [check])
    run = compile(graph)
    assert [r.item() for r in run([np.arange(4.0), np.int64(2)])] == [2.0, True]
    assert not run([np.arange(4.0), np.int64(10**9)])[1]


def test_errors_of_numpy_are_raised() -> None:
    # NumPy refuses negative integer powers; a check that stands before them is left out here.
    x = param(0, parse("f64[3,3]"))
    graph = Graph([x], [_op("partition", x, axis=1, kth=(1,))])
    run = compile(graph)
    run.program.calls[0].evaluate = _refuse
    with pytest.raises(ValueError, match="refused"):
        run([np.eye(3)])


def _refuse(*arrays: Any) -> Any:
    raise ValueError("refused")


def test_results_have_memory_of_their_own() -> None:
    x = param(0, parse("f64[5]"))
    view = _op("slice", x, start=(1,), stop=(4,), step=(1,))
    graph = Graph([x], [x, x, view])
    given = np.arange(5.0)
    results = compile(graph)([given])
    for k, result in enumerate(results):
        assert result.flags.writeable
        assert not any(np.shares_memory(result, other) for other in (given, *results[:k]))


def test_arguments_may_be_views() -> None:
    x = param(0, parse("f64[3,4]"))
    graph = Graph([x], [_op("add", x, x)])
    given = np.arange(24.0).reshape(4, 6)[::-1, 1:4].T
    assert (compile(graph)([given])[0] == 2 * given).all()


def test_long_sums_are_accurate() -> None:
    x = param(0, parse("f32[1000000]"))
    graph = Graph([x], [_op("reduce", x, kind="add", axes=(0,))])
    given = np.random.default_rng(0).random(1_000_000, np.float32)
    exact = float(given.sum(dtype=np.float64))
    actual = float(compile(graph)([given])[0])
    assert abs(actual - exact) <= abs(float(given.sum()) - exact) + 1e-7 * exact


@pytest.mark.parametrize("seed", range(100, 140))
def test_shared_loops(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Every nest is worth it, and there are more threads than cores.
    monkeypatch.setattr(native_nests, "WORTH", 0.0)
    monkeypatch.setattr(native_nests, "FEW", 2)
    monkeypatch.setattr("lazyarr.settings.current", Settings(threads=3))
    graph = seeded(seed, steps=12)
    agrees(graph, arguments(graph, seed))


def _doubled(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """A program that shares a loop, and its argument."""
    monkeypatch.setattr(native_nests, "WORTH", 0.0)
    monkeypatch.setattr("lazyarr.settings.current", Settings(threads=2))
    x = param(0, parse("f64[1000]"))
    return compile(Graph([x], [_op("add", x, x)])), np.arange(1000.0)


@pytest.mark.skipif(native_threads.threads() < 2, reason="needs two cores")
def test_shared_loops_from_several_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    run, given = _doubled(monkeypatch)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda k: run([given + k])[0] - 2 * k, range(200)):
            assert (result == 2 * given).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_shared_loops_in_a_forked_child(monkeypatch: pytest.MonkeyPatch) -> None:
    run, given = _doubled(monkeypatch)
    run([given])
    child = os.fork()
    if child == 0:
        right = all((run([given])[0] == 2 * given).all() for _ in range(50))
        os._exit(0 if right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("shape", ["1000", "130", "7", "300,501", "30,40", "20,3", "300,1", "3,1,7"])
@pytest.mark.parametrize("dtype", ["f64", "f32", "c128"])
def test_sums_have_the_bits_of_numpy(dtype: str, shape: str) -> None:
    x = param(0, parse(f"{dtype}[{shape}]"))
    rank = x.type.ndim
    last = tuple(n if k else max(n - 1, 1) for k, n in enumerate(x.type.shape))
    part = _op("slice", x, start=(0,) * rank, stop=last, step=(1,) * rank)
    columns = _op("slice", x, start=(0,) * rank, stop=(*x.type.shape[:-1], max(x.type.shape[-1] - 1, 1)),
                  step=(1,) * rank)  # fmt: skip
    results, expected = [], []
    given = np.random.default_rng(0).standard_normal(x.type.shape).astype(x.type.dtype)
    views = {x: given, part: given[: last[0]], columns: given[..., : columns.type.shape[-1]]}
    for value, array in views.items():
        for operand, numbers in ((value, array), (_op("multiply", value, const(0.3, x.type.dtype)), None)):
            numbers = array * given.dtype.type(0.3) if numbers is None else numbers
            results.append(_op("reduce", operand, kind="add", axes=tuple(range(rank))))
            expected.append(numbers.sum())
            if value is x and rank == 2:
                results += [_op("reduce", operand, kind="add", axes=(a,)) for a in (0, 1)]
                expected += [numbers.sum(axis=a) for a in (0, 1)]
    for k, (actual, right) in enumerate(zip(compile(Graph([x], results))([given]), expected, strict=True)):
        assert (actual == right).all(), f"sum {k} is {right!r}, not {actual!r}"


def test_a_loop_ends_with_the_bits_of_numpy() -> None:
    n = 60
    a, p, done = param(0, parse(f"f64[{n},{n}]")), param(1, parse(f"f64[{n}]")), param(2, parse("f64[]"))
    params = [param(0, p.type), param(1, done.type), param(2, a.type)]
    vector, norm, matrix = params
    cond = Graph(params, [_op("greater", norm, const(1e-3))])
    new = _op("matmul", matrix, vector)
    body = Graph(params, [new, _op("sqrt", _op("matmul", new, new))])
    attrs = (("body", body), ("carried", 2), ("cond", cond))
    graph = Graph([a, p, done], make(lookup("while"), (p, done, a), attrs).values)
    rng = np.random.default_rng(0)
    given = [rng.random((n, n)) / n, rng.random(n), np.float64(1.0)]
    expected, actual = interpret(graph, given), compile(graph)(given)
    assert all((x == y).all() for x, y in zip(expected, actual, strict=True))


@pytest.mark.parametrize(("start", "step", "count"), [(0, 3, 5), (2, 1, 20), (-3, 1, 3), (-3, 1, 6), (19, -2, 10),
                                                      (25, 1, 2), (0, 2**62, 4), (5, 0, 4), (3, 4, 0)])  # fmt: skip
def test_scatter_at_even_distances(start: int, step: int, count: int) -> None:
    x, a, s, n = (param(k, parse(t)) for k, t in enumerate(("f64[20]", "i64[]", "i64[]", "i64[]")))
    index = _op("add", a, _op("multiply", s, _op("count", n, bound=20)))
    value = _op("cast", index, dtype=DTYPES["f64"])
    results = [_op("scatter", x, value, index, axes=(0,), kind=kind) for kind in ("set", "add")]
    agrees(Graph([x, a, s, n], results), [np.arange(20.0), np.int64(start), np.int64(step), np.int64(count)])


@pytest.mark.parametrize("width", [1, 7, 10])
def test_masks_of_rows_and_columns(width: int) -> None:
    x, y = param(0, parse(f"f64[13,{width}]")), param(1, parse(f"f64[13,{width}]"))
    mask = _op("reshape", _op("less", x, y), shape=(13 * width,))
    total = _op("reduce", _op("cast", mask, dtype=DTYPES["i64"]), kind="add", axes=(0,))
    where = _op("flatnonzero", mask, total, bound=13 * width)
    row, column = (_op(name, where, _int(width)) for name in ("floor_divide", "remainder"))
    taken = _op("multiply", _op("gather", x, row, column, axes=(0, 1)), const(2.0))
    results = [_op("scatter", x, taken, row, column, axes=(0, 1), kind="set"),
               _op("gather", y, column, row, axes=(0, 1)) if width == 13 else mask]  # fmt: skip
    rng = np.random.default_rng(width)
    agrees(Graph([x, y], results), [rng.random((13, width)), rng.random((13, width))])


@pytest.mark.parametrize("shift", [0, 1, 5, 11, 12, -1])
def test_rolled_arrays(shift: int) -> None:
    x = param(0, parse("f64[7,12]"))
    rolled = _op("roll", x, shift=shift, axis=1)
    both = _op("roll", _op("add", _op("roll", x, shift=2, axis=1), x), shift=3, axis=0)
    part = _op("slice", _op("roll", x, shift=shift, axis=1), start=(1, 2), stop=(6, 11), step=(1, 1))
    moved = _op("transpose", _op("roll", x, shift=3, axis=0), axes=(1, 0))
    agrees(Graph([x], [_op("add", rolled, x), both, _op("negative", part), _op("negative", moved)]),
           [np.random.default_rng(0).random((7, 12))])  # fmt: skip


def test_a_program_of_nothing_but_numbers() -> None:
    agrees(Graph([], [const(2.5), _op("add", _int(1), _int(2))]), [])
    types = ("bool[]", "i8[]", "u16[]", "i64[]", "u64[]", "f16[]", "f32[]", "f64[]", "c64[]", "c128[]", "int", "float")
    params = [param(k, parse(t)) for k, t in enumerate(types)]
    given: list[Any] = [np.asarray(k % 2 + 1, p.type.dtype)[()] for k, p in enumerate(params)]
    given[10:] = [7, 2.5]
    casts = [_op("cast", p, dtype=DTYPES["c128"]) for p in params]
    agrees(Graph(params, casts), given)
    agrees(Graph(params, casts), [np.asarray(g) if isinstance(g, np.generic) else g for g in given])
    with pytest.raises(OverflowError):
        compile(Graph(params, casts))([*given[:10], 2**70, 2.5])
