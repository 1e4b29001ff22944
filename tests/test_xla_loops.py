"""Loops, branches and run-time lengths in XLA: against the interpreter, and NumPy."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr
import lazyarr.ops  # noqa: F401  declares the operations
from benchmarks.catalog import load
from lazyarr.backends.numpy import interpret
from lazyarr.backends.xla import compile
from lazyarr.ir.graph import Check, CheckFailed, Graph, Program, param
from lazyarr.ir.node import Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES, parse
from lazyarr.ops.create import const
from lazyarr.passes.pipeline import pipeline, run_pipeline
from lazyarr.settings import settings as lazyarr_settings
from lazyarr.tracing.explain import _why_native
from tests.acceleration import check, programs
from tests.random_regions import region_graphs, seeded, siblings
from tests.test_native import arguments, same

_I64 = parse("i64[]")


def agrees(graph: Graph, given: Sequence[Any]) -> None:
    """Run `graph` by the interpreter and by XLA, and compare."""
    with np.errstate(all="ignore"):
        expected = interpret(graph, given)
    for k, (a, b) in enumerate(zip(expected, compile(graph)(given), strict=True)):
        assert same(a, b), f"root {k}: {a!r} is expected, not {np.asarray(b)!r}\n{graph}"


def _int(value: int) -> Value:
    return const(value, DTYPES["i64"])


def _op(name: str, *operands: Value, **attrs: Any) -> Value:
    return apply(lookup(name), *operands, **attrs)


@pytest.mark.parametrize("seed", range(25))
def test_seeded_graphs(seed: int) -> None:
    graph = seeded(seed, steps=12)
    agrees(graph, arguments(graph, seed))


@pytest.mark.parametrize("seed", range(6))
def test_sibling_statements(seed: int) -> None:
    graph = siblings(seed)
    agrees(graph, arguments(graph, seed))


@settings(deadline=None, max_examples=15)
@given(graph=region_graphs(), seed=st.integers(0, 2**32 - 1))
def test_random_graphs_with_regions(graph: Graph, seed: int) -> None:
    agrees(graph, arguments(graph, seed))


# --- loops -----------------------------------------------------------------------------------------------

_LOW, _HIGH = -(2**63), 2**63 - 1
RANGES = [
    (0, 4, 1), (5, 0, -2), (3, 3, 1), (4, 0, 1), (0, 4, -1), (_HIGH - 2, _HIGH, 5), (_LOW, _LOW + 5, 2),
    (_HIGH, _LOW, -(2**62)), (_LOW, _HIGH, 2**62), (_LOW + 3, _LOW, -_HIGH), (0, 7, _HIGH), (-3, 3, 2),
]  # fmt: skip


def _indices(bounds: Sequence[Value]) -> Graph:
    """How often the loop runs, and the sum of its indices in 64 bits."""
    index, count, total = param(0, _I64), param(1, _I64), param(2, _I64)
    body = Graph([index, count, total], [_op("add", count, _int(1)), _op("add", total, index)])
    attrs = (("body", body), ("carried", 2), ("until", -1))
    loop = make(lookup("loop"), (*bounds, _int(0), _int(0)), attrs)
    return Graph([b for b in bounds if b.node.op.name == "param"], loop.values)


def test_every_range_has_pythons_indices() -> None:
    run = compile(_indices([param(k, _I64) for k in range(3)]))
    for bounds in RANGES:
        indices = range(*bounds)
        total = (sum(indices) + 2**63) % 2**64 - 2**63
        assert [int(x) for x in run([np.int64(b) for b in bounds])] == [len(indices), total], bounds
        assert [int(x) for x in compile(_indices([_int(b) for b in bounds]))([])] == [len(indices), total], bounds


# --- checks ----------------------------------------------------------------------------------------------


def _counting(limit: Value, checks: Sequence[Check], params: Sequence[Value], cond_checks: Sequence[Check]) -> Any:
    """``while n >= 0: n += 1``, which ends only where a check fails."""
    n = params[0]
    cond = Graph(params, [_op("greater_equal", n, _int(0))], cond_checks)
    body = Graph(params, [_op("add", n, _int(1))], checks)
    return make(lookup("while"), (_int(0), limit), (("body", body), ("carried", 1), ("cond", cond)))


@pytest.mark.parametrize("where", ["body", "condition"])
def test_a_failed_check_ends_a_while_loop(where: str) -> None:
    limit, params = param(0, _I64), [param(0, _I64), param(1, _I64)]
    found = Check(_op("less", params[0], params[1]), "IndexError", "out of range")
    checks = ([found], []) if where == "body" else ([], [found])
    run = compile(Graph([limit], _counting(limit, checks[0], params, checks[1]).values))
    with pytest.raises(CheckFailed) as caught:
        run([np.int64(1000)])
    assert caught.value.check == found


def test_the_first_failed_check_is_told_and_only_of_the_branch_that_is_taken() -> None:
    index, x, limit = param(0, _I64), param(1, parse("f64[4]")), param(2, _I64)
    given = [param(0, _I64), param(1, parse("f64[4]"))]
    first = Check(_op("less", given[0], _int(3)), "IndexError", "first")
    second = Check(_op("less", given[0], _int(-1)), "IndexError", "second")
    at = _op("put_window", given[1], const(7.0), given[0], dims=(("index",),))
    then, orelse = Graph(given, [at], [first]), Graph(given, [given[1]], [second])
    chosen = make(lookup("cond"), (_op("less", index, limit), index, x), (("orelse", orelse), ("then", then)))
    body = Graph([index, x, limit], chosen.values)
    a, n = param(0, parse("f64[4]")), param(1, _I64)
    loop = make(lookup("loop"), (_int(0), n, _int(1), a, _int(10)), (("body", body), ("carried", 1), ("until", -1)))
    run = compile(Graph([a, n], loop.values))
    assert np.asarray(run([np.arange(4.0), np.int64(3)])[0]).tolist() == [7, 7, 7, 3]
    with pytest.raises(CheckFailed) as caught:
        run([np.arange(4.0), np.int64(1000)])
    assert caught.value.check == first


def test_arguments_are_as_before_where_a_check_fails() -> None:
    def sweep(x: Any, n: int) -> Any:
        for i in range(n):
            x[i] = x[i] + 1
        return x.sum()

    accelerated = lazyarr.accelerate(sweep)
    with lazyarr_settings(compiler="xla"):
        x = np.zeros(5)
        assert accelerated(x, 5) == 5.0
        with pytest.raises(IndexError, match="index 5 is out of bounds for axis 0 with size 5"):
            accelerated(x, 6)
    assert x.tolist() == [1.0] * 5


# --- run-time lengths ------------------------------------------------------------------------------------


def _vector(text: str = "f64[7]") -> tuple[list[Value], Value]:
    """A part of an array of run-time place and length, and the parameters: the array, the start and the length."""
    params = [param(0, parse(text)), param(1, _I64), param(2, _I64)]
    return params, _op("window", *params, dims=(("slice", 1),))


#: Of a part `v` of an array, and the start of the part.
OF_LENGTHS: dict[str, Callable[[Value, Value], Value]] = {
    "part": lambda v, start: v,
    "arithmetic": lambda v, start: _op("multiply", _op("add", v, v), const(0.5)),
    "sum": lambda v, start: _op("reduce", v, kind="add", axes=(0,)),
    "product": lambda v, start: _op("reduce", v, kind="multiply", axes=(0,)),
    "maximum": lambda v, start: _op("reduce", v, kind="maximum", axes=(0,)),
    "minimum": lambda v, start: _op("reduce", v, kind="minimum", axes=(0,)),
    "fmin": lambda v, start: _op("reduce", v, kind="fmin", axes=(0,)),
    "all": lambda v, start: _op("reduce", _op("less", v, const(10.0)), kind="logical_and", axes=(0,)),
    "any": lambda v, start: _op("reduce", _op("greater", v, const(10.0)), kind="logical_or", axes=(0,)),
    "inner product": lambda v, start: _op("matmul", v, v),
    "argmax": lambda v, start: _op("argmax", v, axis=0),
    "argmin": lambda v, start: _op("argmin", v, axis=0),
    "sort": lambda v, start: _op("sort", v, axis=0, stable=False),
    "argsort": lambda v, start: _op("argsort", v, axis=0, stable=True),
    "running sum": lambda v, start: _op("accumulate", v, kind="add", axis=0),
    "reserve": lambda v, start: _op("reduce", _op("window", _op("reserve", v, shape=(7,)), start, dims=(("index",),)),
                                    kind="add", axes=()),
    "last": lambda v, start: _op("gather", v, _int(-1), axes=(0,)),
    "outer": lambda v, start: _op("matmul", _op("expand", v, axes=(1,)), _op("expand", v, axes=(0,))),
    "transposed": lambda v, start: _op("transpose", _op("multiply", _op("expand", v, axes=(1,)), const(2.0)),
                                       axes=(1, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_LENGTHS)
def test_what_is_beyond_a_length_does_not_count(name: str) -> None:
    params, part = _vector()
    run = compile(Graph(params, [OF_LENGTHS[name](part, params[1])]))
    for start, length in ((0, 7), (0, 3), (2, 4), (6, 1), (3, 1), (4, 3), (2, 0)):
        if length == 0 and name in ("maximum", "minimum", "fmin", "argmax", "argmin", "last", "reserve"):
            continue
        if name == "reserve" and start >= length:
            continue
        x = np.full(7, np.nan)
        x[start : start + length] = [3.0, -1.0, 2.5, 8.0, -4.0, 0.5, 6.0][:length]
        given = [x, np.int64(start), np.int64(length)]
        with np.errstate(all="ignore"):
            (expected,) = interpret(Graph(params, [OF_LENGTHS[name](part, params[1])]), given)
        (found,) = run(given)
        assert same(expected, found), (start, length, expected, found)


@pytest.mark.parametrize("dtype", ["bool", "i8", "u16", "i64", "f16", "f32", "c64", "c128"])
def test_lengths_of_every_kind_of_number(dtype: str) -> None:
    params, part = _vector(f"{dtype}[7]")
    roots = [part, _op("sort", part, axis=0, stable=True), _op("argmin", part, axis=0), _op("matmul", part, part)]
    roots += [_op("reduce", part, kind=kind, axes=(0,)) for kind in ("add", "maximum", "fmin", "logical_xor")]
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, 7).astype(DTYPES[dtype])
    run = compile(Graph(params, roots))
    for start, length in ((0, 7), (1, 3), (5, 2)):
        given = [x, np.int64(start), np.int64(length)]
        for a, b in zip(interpret(Graph(params, roots), given), run(given), strict=True):
            assert same(a, b), (start, length, a, b)


@pytest.mark.parametrize("kind", ["set", "add", "power"])
def test_writes_at_indices_of_run_time_length(kind: str) -> None:
    """Nothing is written at what is beyond the length, also by kinds that XLA's scatter does not have."""
    params = [param(0, parse("f64[7]")), param(1, parse("i64[7]")), param(2, _I64), param(3, _I64)]
    dims = (("slice", 1),)
    value = _op("window", _op("multiply", params[0], const(3.0)), *params[2:], dims=dims)
    index = _op("window", *params[1:], dims=dims)
    graph = Graph(params, [_op("scatter", params[0], value, index, axes=(0,), kind=kind)])
    run = compile(graph)
    x, places = np.arange(1.0, 8.0), np.array([6, 2, -3, 0, 0, 6, 1])
    for start, length in ((0, 7), (1, 3), (4, 0), (3, 2)):
        given = [x, places, np.int64(start), np.int64(length)]
        assert same(interpret(graph, given)[0], run(given)[0]), (start, length)


def _written(dims: Any, scalars: Sequence[Any], shape: tuple[int, ...], seed: int) -> None:
    """Read a window, and write another one of its extents, with numbers as operands and as constants."""
    x = np.random.default_rng(seed).random(shape)
    a = param(0, parse(f"f64{list(shape)}".replace(" ", "")))
    for places in ([param(1 + k, _I64) for k in range(len(scalars))], [_int(s) for s in scalars]):
        part = _op("window", a, *places, dims=dims)
        new = _op("put_window", a, _op("multiply", part, const(-2.0)), *places, dims=dims)
        params = [a, *(p for p in places if p.node.op.name == "param")]
        agrees(Graph(params, [part, new]), [x, *map(np.int64, scalars[: len(params) - 1])])


@pytest.mark.parametrize(
    ("shape", "dims", "scalars"),
    [
        ((7,), (("slice", 1),), (2, 4)), ((7,), (("slice", 1),), (0, 5)), ((7,), (("slice", 1),), (7, 0)),
        ((7,), (("slice", -1),), (5, 6)), ((7,), (("slice", -1),), (6, 7)), ((7,), (("slice", -1),), (0, 1)),
        ((7,), (("slice", 2),), (1, 3)), ((7,), (("slice", 3),), (0, 3)), ((7,), (("slice", -2),), (6, 4)),
        ((7,), (("slice", -2),), (5, 2)), ((7,), (("slice", 2),), (3, 0)), ((0,), (("slice", 1),), (0, 0)),
        ((7,), (("block", 3, 1),), (4,)), ((7,), (("block", 3, -2),), (5,)), ((7,), (("block", 3, 2),), (2,)),
        ((7,), (("block", 1, -5),), (0,)), ((7,), (("block", 7, -1),), (6,)), ((7,), (("index",),), (6,)),
        ((4, 5), (("index",), ("slice", 1)), (2, 1, 3)), ((4, 5), (("slice", -1), ("block", 2, -2)), (3, 4, 3)),
        ((4, 5), (("slice", 1), ("slice", -1)), (1, 3, 3, 2)), ((4, 5), (("slice", 2), ("index",)), (1, 2, 4)),
        ((4, 5), (("all",), ("slice", 1)), (2, 2)), ((2, 3, 4), (("index",), ("all",), ("slice", 1)), (1, 1, 2)),
        ((2, 3, 4), (("slice", 1), ("index",), ("block", 2, 2)), (1, 1, 2, 1)),
    ],
)  # fmt: skip
def test_windows(shape: tuple[int, ...], dims: Any, scalars: tuple[int, ...]) -> None:
    _written(dims, scalars, shape, sum(scalars))


@pytest.mark.parametrize("n", [4, 50])
def test_reads_between_writes_of_elements(n: int) -> None:
    """Of the same element and of others, by windows of every kind."""
    a, i, j = param(0, parse(f"f64[{n},{n}]")), param(1, _I64), param(2, _I64)
    index, part = ("index",), ("slice", -1)

    def read(x: Value, *at: Value) -> Value:
        return _op("window", x, *at, dims=(index, index))

    total, x = const(0.0), a
    for k, at in enumerate([(i, j), (i, j), (j, j), (j, i), (i, j), (i, i)]):
        x = _op("put_window", x, _op("add", read(x, j, i), _op("multiply", read(x, *at), const(1.5 + k))), *at,
                dims=(index, index))  # fmt: skip
        rows = _op("window", x, i, dims=(index, ("all",)))
        backwards = _op("window", x, j, i, _op("add", i, _int(1)), dims=(index, part))
        block = _op("window", x, j, dims=(("all",), ("block", 1, 1)))
        for seen in (rows, backwards, _op("matmul", x, block)):
            axes = tuple(range(seen.type.ndim))
            total = _op("add", _op("multiply", total, const(0.5)), _op("reduce", seen, kind="add", axes=axes))
    graph = Graph([a, i, j], [total, x])
    for places in ((2, 3), (1, 1), (3, 0)):
        agrees(graph, [np.random.default_rng(0).random((n, n)), *map(np.int64, places)])


@pytest.mark.parametrize("n", [4, 50])
def test_reads_between_writes_of_rows_and_columns(n: int) -> None:
    """Of two arrays, each made of the other; windows that meet what was written, and others."""
    text = f"f64[{n},{n}]"
    a, b, i, j = param(0, parse(text)), param(1, parse(text)), param(2, _I64), param(3, _I64)
    row, column, element = (("index",), ("all",)), (("all",), ("index",)), (("index",), ("index",))
    x, y, read = a, b, []
    for k, dims in enumerate([row, column, row, column, row, row]):
        at = (i, j, j, i, j, i)[k]
        mean = _op("multiply", _op("add", _op("window", x, at, dims=dims), _op("window", y, j, dims=dims)), const(0.5))
        x, y = _op("put_window", y, mean, at, dims=dims), x
        part = _op("window", x, i, j, _op("add", j, _int(1)), dims=(("index",), ("slice", -1)))
        block = _op("window", x, j, dims=(("all",), ("block", 1, 1)))
        turned = _op("window", x, _int(n - 1), dims=(("block", n, -1), ("all",)))
        read += [_op("reduce", part, kind="add", axes=(0,)), _op("reduce", _op("multiply", block, turned), kind="add",
                 axes=(0, 1)), _op("window", x, i, j, dims=element)]  # fmt: skip
    graph = Graph([a, b, i, j], [*read, x, y])
    for places in ((2, 3), (1, 1), (3, 0)):
        rng = np.random.default_rng(0)
        agrees(graph, [rng.random((n, n)), rng.random((n, n)), *map(np.int64, places)])


def test_an_array_is_not_copied_where_elements_of_it_are_written() -> None:
    """Each iteration reads elements, and windows of which it may have written some, before and after its writes."""
    n = 64
    a = param(0, parse(f"f64[{n},{n}]"))
    i, x = param(0, _I64), param(1, parse(f"f64[{n},{n}]"))
    dims = (("index",), ("index",))
    first = _op("put_window", x, _op("add", _op("window", x, i, i, dims=dims), const(1.0)), i, i, dims=dims)
    row = _op("window", first, i, _int(0), i, dims=(("index",), ("slice", 1)))
    total = _op("reduce", row, kind="add", axes=(0,))
    mean = _op("divide", total, _op("window", first, i, i, dims=dims))
    second = _op("put_window", first, mean, _int(0), i, dims=dims)
    attrs = (("body", Graph([i, x], [second])), ("carried", 1), ("until", -1))
    graph = Graph([a], make(lookup("loop"), (_int(0), _int(n), _int(1), a), attrs).values)
    agrees(graph, [np.random.default_rng(0).random((n, n)) + 1])
    bodies = compile(graph).text.split("ENTRY")[0]
    assert "dynamic-update-slice" in bodies and f"= f64[{n},{n}]{{1,0}} copy(" not in bodies


# --- programs --------------------------------------------------------------------------------------------


def _placed(function: Callable[..., Any], *given: Any) -> set[str]:
    """Where the regions of a function run, where XLA comes first; its results are compared with NumPy's."""
    with lazyarr_settings(compiler="xla"):
        check(function, lambda k: copy.deepcopy(given))
        accelerated: Any = lazyarr.accelerate(function)
        return {region.backend for region in accelerated.explain(*copy.deepcopy(given)).regions}


def test_a_loop_amid_what_numpy_runs() -> None:
    def sums(a: Any, n: int) -> Any:
        b = np.linalg.eigvals(a)
        for i in range(n):
            b[i % 3] += b[(i + 1) % 3]
        return b * 1.0

    assert _placed(sums, np.diag([2.0, 3.0, 5.0]), 6) == {"numpy", "xla"}


def test_lengths_stay_in_one_region() -> None:
    def shrinking(x: Any) -> Any:
        y = np.sort(x[x > 0])
        return y[::-1].sum(), (y * y).sum(), np.sort(x)

    assert _placed(shrinking, np.cos(np.arange(40.0))) <= {"xla", "numpy"}


#: A third of the programs: those that XLA compiles soonest, each kind of control flow among them.
PROGRAMS = (
    "cholesky", "collatz", "correlation", "crc16", "durbin", "edit_distance", "find_pair", "floyd_warshall",
    "forward_substitution", "game_of_life", "gauss_seidel", "histogram", "jacobi_1d", "jacobi_tolerance", "lu",
    "mandelbrot_points", "matrix_chain", "newton", "power_iteration_tolerance", "sparse_product",
    "symmetric_product", "thomas",
)  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str) -> None:
    program = load(name)
    with lazyarr_settings(compiler="xla"):
        accelerated = check(program.run, lambda k: copy.deepcopy(program.arguments("test")))
        assert programs(accelerated) == 1
        regions = accelerated.explain(*program.arguments("test")).regions
    assert [region.backend for region in regions] == ["xla"]


def _where(compiler: str, graph: Graph) -> list[str]:
    """The back ends of the regions that a graph becomes."""
    after = run_pipeline(Program(graph), pipeline(compiler), verify=True).graph
    return [node.kw["backend"] for node in after.nodes]


def _repeated(change: Callable[[Value], Value]) -> Graph:
    """A loop that changes a matrix."""
    x, index, a = param(0, parse("f64[3,3]")), param(0, _I64), param(1, parse("f64[3,3]"))
    attrs = (("body", Graph([index, a], [change(a)])), ("carried", 1), ("until", -1))
    return Graph([x], make(lookup("loop"), (_int(0), _int(9), _int(1), x), attrs).values)


def test_a_loop_is_placed_as_a_whole() -> None:
    """In XLA, if that comes first, and can run all of it."""
    halves = _repeated(lambda a: _op("multiply", a, const(0.5)))
    assert (_where("xla", halves), _where("native", halves)) == (["xla"], ["native"])
    eigenvalues = _repeated(lambda a: _op("add", a, _op("real", _op("eigvals", a))))
    assert (_where("xla", eigenvalues), _where("native", eigenvalues)) == (["native"], ["native"])
    assert _why_native(eigenvalues) == "XLA cannot run eigvals there"
    assert _why_native(halves) == "XLA takes long to compile so many operations"


def test_an_operation_that_takes_no_run_time_length_in_xla_is_native() -> None:
    params, part = _vector()
    graph = Graph(params, [_op("reduce", _op("absolute", part), kind="add", axes=(0,))])
    assert _where("xla", graph) == ["xla"]
    params, part = _vector()
    total = _op("reduce", _op("concatenate", _op("expand", part, axes=(0,)), _op("expand", part, axes=(0,)), axis=0),
                 kind="add", axes=(0, 1))  # fmt: skip
    assert _where("xla", Graph(params, [total])) == ["native"]


@pytest.mark.parametrize("at", [-2, -7])
def test_a_place_before_the_first_element(at: int) -> None:
    """What is known to be out of range when a program is compiled is NumPy's error where it is reached."""

    def read(x: Any, y: Any) -> Any:
        for i in range(x.shape[0]):
            x[i, ::2, 0] = np.sin(x[i, ::2, at])
            while abs(y[i]) < 3:
                y[i] += 1.0
        return x

    def written(x: Any, y: Any) -> Any:
        for i in range(x.shape[0]):
            x[i, ::2, at] = y[i]
            while abs(y[i]) < 3:
                y[i] += 1.0
        return x

    with lazyarr_settings(compiler="xla"):
        for function in (read, written):
            accelerated: Any = lazyarr.accelerate(always=True)(function)
            for extent in (1, 9):
                plain, own = (np.arange(15.0 * extent).reshape(3, 5, extent) for _ in range(2))
                if -at > extent:
                    for call, x in ((function, plain), (accelerated, own)):
                        with pytest.raises(IndexError, match=f"index {at} is out of bounds for axis 2 with size 1"):
                            call(x, np.array([5.0, 6.0, 7.0]))
                else:
                    expected = function(plain, np.array([1.0, 6.0, 7.0]))
                    np.testing.assert_allclose(accelerated(own, np.array([1.0, 6.0, 7.0])), expected, rtol=1e-14)
