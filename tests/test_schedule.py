"""place, fuse, reorder, reuse_buffers: what they decide, and that it is true when the schedule runs."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.backends.xla import Executable
from lazyarr.ir.graph import Check, Graph, Program, param
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.text import parse
from lazyarr.ir.types import parse as parse_type
from lazyarr.ir.verify import verify_scheduled
from lazyarr.passes.fuse import Fuse, inline_regions, schedule
from lazyarr.passes.pipeline import parse_pipeline, run_pipeline
from lazyarr.passes.place import Place, choose
from lazyarr.passes.reorder import Reorder, peak_memory
from lazyarr.passes.reuse_buffers import ReuseBuffers
from tests.random_graphs import graphs


def f(name: str, *operands: Value, **attrs: Any) -> Value:
    return apply(lookup(name), *operands, **attrs)


def region(backend: str, name: str, *operands: Value, **attrs: Any) -> Value:
    """One operation in a region of its own."""
    params = [param(k, v.type) for k, v in enumerate(operands)]
    body = Graph(params, [f(name, *params, **attrs)])
    return make(lookup("region"), operands, (("backend", backend), ("body", body))).values[0]


def vector(length: int, count: int = 1) -> list[Value]:
    return [param(k, parse_type(f"f64[{length}]")) for k in range(count)]


# ------------------------------------------------------------------------------------------------------------ place


def placed(graph: Graph) -> dict[str, str]:
    """Back end of each operation, by name."""
    return {node.op.name: backend for node, backend in choose(graph).items()}


def test_a_large_sort_leaves_and_heavy_work_around_it_stays() -> None:
    (x,) = vector(1_000_000)
    before, after = x, f("sort", x, axis=0, stable=False)
    for _ in range(20):
        before = f("tanh", before)
    after = f("sort", before, axis=0, stable=False)
    for _ in range(20):
        after = f("exp", f("multiply", after, after))
    assert placed(Graph([x], [after])) == {"tanh": "xla", "sort": "numpy", "exp": "xla", "multiply": "xla"}


def test_a_small_sort_amid_work_stays_in_xla() -> None:
    (x,) = vector(16)
    value = f("cos", f("sort", f("sin", x), axis=0, stable=False))
    assert set(placed(Graph([x], [value])).values()) == {"xla"}


def test_a_sort_alone_costs_no_way() -> None:
    (x,) = vector(16)
    assert placed(Graph([x], [f("sort", x, axis=0, stable=False)])) == {"sort": "numpy"}


def test_light_work_between_two_sorts_goes_with_them() -> None:
    (x,) = vector(10_000)
    value = f("sort", f("negative", f("sort", x, axis=0, stable=False)), axis=0, stable=False)
    assert set(placed(Graph([x], [value])).values()) == {"numpy"}
    schedule = run_pipeline(Program(Graph([x], [value])), verify=True).graph
    assert [node.kw["backend"] for node in schedule.nodes] == ["numpy"]


def test_what_xla_cannot_run_leaves_however_small() -> None:
    x = param(0, parse_type("f64[2,2]"))
    values, _vectors, _ok = make(lookup("eig"), (f("sin", x),)).values
    graph = Graph([x], [f("absolute", values)])
    assert placed(graph)["eig"] == "numpy"


def test_small_programs_go_to_numpy_when_asked() -> None:
    for length, backend in ((4, "numpy"), (1_000_000, "xla")):
        x, y = vector(length, 2)
        program = Program(Graph([x, y], [f("add", f("multiply", x, y), y)]))
        (node,) = run_pipeline(program, parse_pipeline("place{small=10},fuse"), verify=True).graph.nodes
        assert node.kw["backend"] == backend
        (usual,) = run_pipeline(program).graph.nodes
        assert usual.kw["backend"] == "xla"


def test_place_again_changes_nothing() -> None:
    (x,) = vector(1_000_000)
    value = f("exp", f("sort", f("tanh", x), axis=0, stable=False))
    once = Place().run(Program(Graph([x], [value])))
    assert Place().run(once).graph is once.graph


# ------------------------------------------------------------------------------------------------------------- fuse


@given(graph=graphs(steps=20))
@settings(max_examples=100)
def test_groups_are_a_convex_partition(graph: Graph) -> None:
    flat = inline_regions(Program(graph))
    work = list(flat.program.graph.nodes)
    groups = schedule(flat.program.graph, work, flat.backend)
    assert sorted(map(id, (n for _, nodes in groups for n in nodes))) == sorted(map(id, work))
    home = {node: k for k, (_, nodes) in enumerate(groups) for node in nodes}
    for node in work:
        assert groups[home[node]][0] == flat.backend[node]
        for operand in node.operands:
            if operand.node in home:
                assert home[operand.node] <= home[node]
    # Neighbouring groups differ, so their number is that of the changes of back end.
    assert all(a[0] != b[0] for a, b in zip(groups, groups[1:], strict=False))
    assert len(groups) <= 1 + _longest_alternation(work, flat.backend)


def _longest_alternation(work: Sequence[Node], backend: dict[Node, str]) -> int:
    """The most back ends in a row along any path: no schedule has fewer groups."""
    longest: dict[Node, int] = {}
    for node in work:
        before = [(longest[v.node] + (backend[v.node] != backend[node])) for v in node.operands if v.node in longest]
        longest[node] = max(before, default=1)
    return max(longest.values(), default=0)


def test_two_chains_share_their_regions() -> None:
    """numpy -> xla beside xla -> numpy -> xla: three regions, not five."""
    x, y = vector(4, 2)
    first = f("exp", region("numpy", "sort", x, axis=0, stable=False))
    second = f("cos", region("numpy", "sort", f("sin", y), axis=0, stable=True))
    after = Fuse().run(Program(Graph([x, y], [first, second]))).graph
    assert [node.kw["backend"] for node in after.nodes] == ["xla", "numpy", "xla"]
    verify_scheduled(after)


def test_work_sinks_no_further_than_to_its_first_reader() -> None:
    """Read in the second and in the third XLA region, the sine cannot wait for the third."""
    x, y = vector(4, 2)
    sine = f("sin", y)
    first = f("add", region("numpy", "sort", f("cos", x), axis=0, stable=False), sine)
    second = f("multiply", region("numpy", "sort", first, axis=0, stable=True), sine)
    graph = Graph([x, y], [second])
    after = Fuse().run(Program(graph)).graph
    verify_scheduled(after)
    assert [node.kw["backend"] for node in after.nodes] == ["xla", "numpy", "xla", "numpy", "xla"]
    names = [{inner.op.name for inner in node.kw["body"].nodes} for node in after.nodes]
    assert names == [{"cos"}, {"sort"}, {"sin", "add"}, {"sort"}, {"multiply"}]
    arguments = [np.array([3.0, 1.0, 2.0, 0.0]), np.arange(4.0)]
    np.testing.assert_array_equal(interpret(after, arguments), interpret(graph, arguments))


def test_fuse_after_fuse_changes_nothing() -> None:
    x, y = vector(4, 2)
    value = f("add", region("numpy", "sort", f("sin", x), axis=0, stable=False), f("exp", y))
    once = Fuse().run(Program(Graph([x, y], [value, f("sin", x)])))
    assert Fuse().run(once).graph is once.graph


def test_the_same_work_for_two_back_ends_is_done_once() -> None:
    (x,) = vector(4)
    value = f("add", region("numpy", "sin", x), f("sin", x))
    after = Fuse().run(Program(Graph([x], [value]))).graph
    names = [inner.op.name for node in after.nodes for inner in node.kw["body"].nodes]
    assert sorted(names) == ["add", "sin"]


def test_checks_come_from_regions() -> None:
    (x,) = vector(4)
    ok = f("reduce", f("isfinite", x), kind="logical_and", axes=(0,))
    graph = Graph([x], [f("exp", x)], [Check(ok, "ValueError", "not finite")])
    after = run_pipeline(Program(graph), verify=True).graph
    (node,) = after.nodes
    (check,) = after.checks
    assert check in [Check(value, "ValueError", "not finite") for value in node.values]
    assert check.ok.type == ok.type


# ---------------------------------------------------------------------------------------------------------- reorder

MEGABYTE = 1 << 20


def branches(count: int, length: int) -> Graph:
    """As a user writes it: all the large arrays, then what is wanted of each."""
    (x,) = vector(length)
    large = [f("multiply", x, lazyarr.ops.create.const(float(k + 2))) for k in range(count)]
    peaks = [f("reduce", v, kind="maximum", axes=(0,)) for v in large]
    total = peaks[0]
    for peak in peaks[1:]:
        total = f("add", total, peak)
    nodes = [*dict.fromkeys(o.node for v in large for o in v.node.operands if o != x), *(v.node for v in large)]
    order = [*nodes, *(v.node for v in peaks)]
    rest: list[Node] = []
    node = total.node
    while node not in order:
        rest.append(node)
        node = node.operands[0].node
    return Graph([x], [total], (), [*order, *rest[::-1]])


def measured_peak(graph: Graph, arguments: list[Any]) -> int:
    """Bytes the interpreter holds at most, its arguments not counted."""
    interpret(graph, arguments)
    tracemalloc.start()
    try:
        interpret(graph, arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_less_memory_is_alive_by_the_count_and_by_measurement() -> None:
    before = branches(8, MEGABYTE // 8)
    after = Reorder().run(Program(before)).graph
    assert set(after.nodes) == set(before.nodes)
    assert peak_memory(before) > 8 * MEGABYTE > 1.1 * MEGABYTE > peak_memory(after) >= MEGABYTE
    arguments = [np.linspace(0, 1, MEGABYTE // 8)]
    np.testing.assert_array_equal(interpret(after, arguments), interpret(before, arguments))
    for graph in (before, after):
        assert measured_peak(graph, arguments) == pytest.approx(peak_memory(graph), rel=0.05)


def test_less_memory_inside_a_region_and_the_region_counts() -> None:
    inner = branches(8, MEGABYTE // 8)
    (x,) = vector(MEGABYTE // 8)
    graph = Graph([x], make(lookup("region"), (x,), (("backend", "numpy"), ("body", inner))).values)
    after = Reorder().run(Program(graph)).graph
    assert peak_memory(graph) == peak_memory(inner)
    assert peak_memory(after) < peak_memory(graph) / 4


def test_the_operand_that_needs_most_comes_first() -> None:
    """Sethi and Ullman: computing the small result first would hold it during the large computation."""
    x = param(0, parse_type("f64[]"))
    small = f("exp", f("full", x, shape=(1000,)))
    wide = f("sin", f("full", x, shape=(1000, 1000)))
    tall = f("reduce", wide, kind="maximum", axes=(0,))
    graph = Graph([x], [f("add", small, tall)])
    after = Reorder().run(Program(graph)).graph
    assert after.nodes.index(tall.node) < after.nodes.index(small.node)
    assert peak_memory(after) == 2 * 8_000_000 < peak_memory(graph)


@given(graph=graphs(steps=25))
@settings(max_examples=100)
def test_never_worse(graph: Graph) -> None:
    after = Reorder().run(Program(graph)).graph
    assert peak_memory(after) <= peak_memory(graph)
    assert len(after.nodes) == len(graph.nodes)


def test_views_hold_what_they_are_views_of() -> None:
    graph = parse("""graph(%0: f64[1000]) {
      %1 = exp(%0) : f64[1000]
      %2 = slice(%1) {start=(0,), stop=(1,), step=(1,)} : f64[1]
      %3 = sin(%0) : f64[1000]
      %4 = add(%2, %3) : f64[1000]
      return %4
    }""")
    assert peak_memory(graph) == 3 * 8000


# ---------------------------------------------------------------------------------------------------- reuse_buffers


def run_schedule(graph: Graph, arguments: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Run a schedule; gives the roots' values and those that were given away."""
    import jax

    values: dict[Value, Any] = dict(zip(graph.params, arguments, strict=True))
    given_away = []
    for node in graph.nodes:
        operands = [values[v] for v in node.operands]
        if node.kw["backend"] == "xla":
            with jax.enable_x64(True):
                operands = [jax.numpy.asarray(a) for a in operands]
            results = Executable(node.kw["body"], node.kw.get("donate", ()))(operands)
            given_away += [operands[k] for k in node.kw.get("donate", ())]
        else:
            results = interpret(node.kw["body"], [np.asarray(a) for a in operands])
        values.update(zip(node.values, results, strict=True))
    return [np.array(values[root]) for root in graph.roots], given_away


def test_what_is_given_away_is_taken_and_results_stay_right() -> None:
    x, y = vector(1000, 2)
    value = f("sin", x)
    kept = f("cos", value)
    for _ in range(3):
        value = f("add", f("multiply", value, y), kept)
    graph = Graph([x, y], [value, kept])
    after = run_pipeline(Program(graph), parse_pipeline("fuse{limit=1},reuse_buffers"), verify=True).graph
    arguments = [np.linspace(0, 1, 1000), np.linspace(1, 2, 1000)]
    copies = [a.copy() for a in arguments]
    with warnings.catch_warnings():
        # jax warns of buffers it could not use.
        warnings.simplefilter("error")
        found, given_away = run_schedule(after, arguments)
    for a, b in zip(found, interpret(graph, arguments), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    for a, b in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(given_away) == 6
    assert all(a.is_deleted() for a in given_away)


def donated(graph: Graph, owned: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    after = ReuseBuffers(owned=owned).run(Program(graph)).graph
    return [node.kw.get("donate", ()) for node in after.nodes]


def test_arguments_are_given_away_only_when_owned() -> None:
    x, y = vector(4, 2)
    graph = Graph([x, y], [region("xla", "add", x, y)])
    assert donated(graph) == [()]
    assert donated(graph, (0,)) == [(0,)]
    # One result takes one operand.
    assert donated(graph, (0, 1)) == [(0,)]


def test_results_and_what_is_read_again_stay() -> None:
    (x,) = vector(4)
    a = region("xla", "sin", x)
    b = region("xla", "cos", a)
    c = region("xla", "add", b, a)
    d = region("xla", "multiply", c, c)
    assert donated(Graph([x], [d])) == [(), (), (0,), ()]
    assert donated(Graph([x], [d, b])) == [(), (), (1,), ()]


def test_scalars_and_other_types_are_not_worth_it() -> None:
    (x,) = vector(4)
    a = region("xla", "sin", x)
    b = region("xla", "isnan", a)
    c = region("xla", "reduce", b, kind="logical_and", axes=(0,))
    d = region("xla", "logical_not", c)
    assert donated(Graph([x], [d])) == [(), (), (), ()]


def test_what_a_region_hands_through_has_memory_of_its_own() -> None:
    (x,) = vector(4)
    a = region("xla", "sin", x)
    p = param(0, a.type)
    body = Graph([p], [p, f("positive", p), f("exp", p)])
    through, same, fresh = make(lookup("region"), (a,), (("backend", "xla"), ("body", body))).values
    last = region("xla", "cos", through)
    assert donated(Graph([x], [last, fresh])) == [(), (0,), (0,)]
    assert donated(Graph([x], [last, same, a])) == [(), (), (0,)]
    assert donated(Graph([x], [last, through])) == [(), (0,), ()]
    first = Executable(body)([np.arange(4.0)])
    results = Executable(body)([first[0]])
    assert len({array.unsafe_buffer_pointer() for array in [first[0], *results]}) == 4
    graph = Graph([x], [last, fresh, same])
    after = run_pipeline(Program(graph), parse_pipeline("reuse_buffers"), verify=True).graph
    found, given_away = run_schedule(after, [np.arange(4.0)])
    for actual, expected in zip(found, interpret(graph, [np.arange(4.0)]), strict=True):
        np.testing.assert_allclose(actual, expected, rtol=1e-12)
    assert given_away


def test_what_numpy_has_seen_is_not_given_away() -> None:
    (x,) = vector(4)
    a = region("xla", "sin", x)
    view = region("numpy", "slice", a, start=(3,), stop=(-1,), step=(-1,))
    b = region("xla", "exp", a)
    c = region("xla", "add", b, view)
    assert donated(Graph([x], [c])) == [(), (), (), (0,)]


def test_an_older_decision_is_forgotten() -> None:
    (x,) = vector(4)
    first = region("xla", "sin", x)
    second = region("xla", "cos", first)
    once = ReuseBuffers().run(Program(Graph([x], [second])))
    (sin, cos) = once.graph.nodes
    assert cos.kw["donate"] == (0,)
    both = Graph([x], [*sin.values, *cos.values])
    assert donated(both) == [(), ()]


@pytest.mark.parametrize("donate", [(2,), (1, 0), (0, 0), (-1,)])
def test_a_region_donates_its_own_operands_in_order(donate: tuple[int, ...]) -> None:
    x, y = vector(4, 2)
    node = region("xla", "add", x, y).node
    with pytest.raises(ValueError, match="region of 2 operands cannot donate"):
        make(node.op, node.operands, (*node.attrs, ("donate", donate)))


@given(graph=graphs(steps=15), limit=st.integers(1, 4))
@settings(max_examples=100)
def test_no_dead_value_is_read(graph: Graph, limit: int) -> None:
    """Whatever a region has taken is neither read later nor a result, under any name."""
    passes = f"place,fuse{{limit={limit}}},reuse_buffers"
    after = run_pipeline(Program(graph), parse_pipeline(passes), verify=True).graph
    dead: set[Value] = set()
    for node in after.nodes:
        assert not dead & set(node.operands)
        taken = {node.operands[k] for k in node.kw.get("donate", ())}
        assert not taken & set(after.params)
        dead |= taken
    assert not dead & set(after.roots)
