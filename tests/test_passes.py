"""What holds of every pass, and of the pipeline."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, Program, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import all_nodes
from lazyarr.ir.text import parse, show
from lazyarr.ir.types import parse as parse_type
from lazyarr.ir.verify import VerificationError, verify, verify_scheduled
from lazyarr.ops.create import const
from lazyarr.passes.base import PASSES, Pass
from lazyarr.passes.fuse import Fuse
from lazyarr.passes.pipeline import DEFAULT, parse_pipeline, run_pipeline, show_pipeline
from lazyarr.passes.reorder import Reorder
from tests.bits import arguments, assert_same_bits
from tests.random_graphs import graphs

#: The passes one by one, and with options.
STEPS = [*dict.fromkeys(DEFAULT), Fuse(limit=3), Reorder(lookahead=0), Reorder(limit=2)]


def assert_kept(before: Graph, after: Graph, seed: int) -> None:
    """Parameters, types of results, and their bits are the same; the same checks fail."""
    assert after.params == before.params
    assert [v.type for v in after.results] == [v.type for v in before.results]
    given_arguments = arguments(before, seed)
    expected, found = interpret(before, given_arguments), interpret(after, given_arguments)
    count = len(before.results)
    assert_same_bits(found[:count], expected[:count])
    failed = {c for c, ok in zip(before.checks, expected[count:], strict=True) if not ok}
    assert {(c.exception, c.message) for c in failed} == {
        (c.exception, c.message) for c, ok in zip(after.checks, found[count:], strict=True) if not ok
    }


@pytest.mark.parametrize("step", STEPS, ids=str)
@given(graph=graphs(), seed=st.integers(0, 99))
@settings(max_examples=25)
def test_a_pass_keeps_the_meaning(step: Pass, graph: Graph, seed: int) -> None:
    origins = {node: frozenset({("a.py", k)}) for k, node in enumerate(graph.nodes)}
    after = step.run(Program(graph, origins))
    verify(after.graph)
    assert_kept(graph, after.graph, seed)
    assert parse(show(after.graph)) is after.graph
    assert set(after.origins) <= set(all_nodes(after.graph))
    # A pass is a function of the program: run again on equal input it gives the same.
    assert step.run(Program(graph, origins)).graph is after.graph


@given(graph=graphs(steps=20), seed=st.integers(0, 99))
@settings(max_examples=80)
def test_the_pipeline_keeps_the_meaning(graph: Graph, seed: int) -> None:
    after = run_pipeline(Program(graph), verify=True).graph
    verify_scheduled(after)
    assert_kept(graph, after, seed)


@given(graph=graphs())
@settings(max_examples=50)
def test_a_second_time_changes_nothing_in_normal_form(graph: Graph) -> None:
    """After canonicalize no rule of canonicalize fires, unless the bound on sweeps was met; small graphs never do."""
    (canonicalize,) = parse_pipeline("canonicalize")
    once = canonicalize.run(Program(graph))
    assert canonicalize.run(once).graph is once.graph


def test_every_line_of_live_work_survives_the_pipeline() -> None:
    x = param(0, parse_type("f64[4,4]"))
    values = [apply(lookup("sin"), x)]
    for name in ("cos", "exp", "tanh"):
        values.append(apply(lookup(name), values[-1]))
    values.append(apply(lookup("add"), values[-1], values[0]))
    origins = {v.node: frozenset({("heat.py", k)}) for k, v in enumerate(values)}
    after = run_pipeline(Program(Graph([x], values[-1:]), origins))
    inside = set().union(*(after.origins[n] for n in all_nodes(after.graph) if n.op.name != "region"))
    assert inside == {("heat.py", k) for k in range(5)}
    (region,) = after.graph.nodes
    assert after.lines(region) == tuple(sorted(inside))


# ---------------------------------------------------------------------------------------------------- the pipeline


@pytest.mark.parametrize(
    "text",
    [
        "canonicalize",
        "canonicalize,simplify,fuse{limit=500}",
        "reuse_buffers{owned=(0,2)},reorder{limit=7,lookahead=1}",
        "",
    ],
)
def test_pipeline_text_round_trip(text: str) -> None:
    assert show_pipeline(parse_pipeline(text)) == text


def test_default_pipeline_as_text() -> None:
    assert parse_pipeline(show_pipeline(DEFAULT)) == DEFAULT
    own = {c for c in PASSES.values() if c.__module__.startswith("lazyarr.passes.")}
    assert {type(step) for step in DEFAULT} == own
    assert parse_pipeline(" fuse { limit = 5 } , simplify ") == (Fuse(5), *parse_pipeline("simplify"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fuze", "there is no pass 'fuze'; there are .*canonicalize"),
        ("fuse{limits=3}", "fuse has no option 'limits'; it has limit"),
        ("simplify{deep=True}", "simplify has no option 'deep'; it has none"),
        ("fuse{limit='3'}", "option limit of fuse is '3'; expected a value like 0"),
        ("fuse{limit=True}", "option limit of fuse is True"),
        ("fuse{3}", "options are written NAME=VALUE"),
        ("fuse{limit=open('x')}", "cannot read the options"),
        ("fuse{limit=}", "cannot read the options"),
        ("fuse{limit=3", "is not a pass"),
        ("fuse,,simplify", "'' is not a pass"),
    ],
)
def test_pipeline_text_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_pipeline(text)


def test_observe_sees_each_step() -> None:
    graph = parse("graph(%0: f64[3]) {\n %1 = negative(%0) : f64[3]\n %2 = negative(%1) : f64[3]\n return %2\n}")
    seen: list[tuple[str, int, int]] = []
    passes = parse_pipeline("canonicalize,simplify")
    after = run_pipeline(
        Program(graph), passes, lambda p, b, a: seen.append((str(p), len(b.graph.nodes), len(a.graph.nodes)))
    )
    assert seen == [("canonicalize", 2, 2), ("simplify", 2, 0)]
    assert after.graph.results == graph.params


def test_verify_names_the_pass_that_broke_a_rule() -> None:
    class Break(Pass):
        name = "break_in_test"

        def run(self, program: Program) -> Program:
            graph = program.graph
            return Program(Graph(graph.params, graph.results, graph.checks, graph.nodes[::-1]))

    try:
        graph = parse("graph(%0: f64[3]) {\n %1 = sin(%0) : f64[3]\n %2 = cos(%1) : f64[3]\n return %2\n}")
        with pytest.raises(VerificationError) as caught:
            run_pipeline(Program(graph), [Break()], verify=True)
        assert caught.value.__notes__ == ["after the pass break_in_test"]
        run_pipeline(Program(graph), [Break()])
    finally:
        del PASSES["break_in_test"]


def test_ten_thousand_nodes_become_one_region() -> None:
    x = y = param(0, parse_type("f64[10]"))
    for k in range(10_000):
        y = apply(lookup("add" if k % 3 else "multiply"), y, x if k % 2 else const(float(k + 3)))
    graph = run_pipeline(Program(Graph([x], [y]))).graph
    (region,) = graph.nodes
    assert region.kw["backend"] == "xla"
    assert sum(node.op.name != "const" for node in region.kw["body"].nodes) == 10_000
