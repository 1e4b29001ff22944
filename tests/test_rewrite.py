"""The rewrite driver: fixpoint, types, regions, checks, origins, depth."""

from __future__ import annotations

import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.ir.graph import Check, Graph, Program, param
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import EVERY, Context, Replacement, rewrite
from lazyarr.ir.text import parse
from lazyarr.ir.types import parse as parse_type
from lazyarr.ops.create import const

F3 = parse_type("f64[3]")


def sin_to_cos(node: Node, context: Context) -> Replacement:
    """``sin(x) -> cos(x)``."""
    return apply(lookup("cos"), node.operands[0])


def drop_negative(node: Node, context: Context) -> Replacement:
    """``-x -> x``."""
    return node.operands[0]


def test_nothing_to_do_gives_the_same_graph() -> None:
    graph = parse("graph(%0: f64[3]) {\n %1 = exp(%0) : f64[3]\n return %1\n}")
    assert rewrite(Program(graph), {"sin": [sin_to_cos]}).graph is graph


def test_rules_apply_bottom_up_and_again_to_what_they_make() -> None:
    def cos_to_tan(node: Node, context: Context) -> Replacement:
        return apply(lookup("tan"), node.operands[0])

    graph = parse("graph(%0: f64[3]) {\n %1 = sin(%0) : f64[3]\n %2 = sin(%1) : f64[3]\n return %2\n}")
    expected = parse("graph(%0: f64[3]) {\n %1 = tan(%0) : f64[3]\n %2 = tan(%1) : f64[3]\n return %2\n}")
    assert rewrite(Program(graph), {"sin": [sin_to_cos], "cos": [cos_to_tan]}).graph is expected


def test_what_a_rule_makes_below_its_answer_is_rewritten_too() -> None:
    def square_of_sin(node: Node, context: Context) -> Replacement:
        return apply(lookup("exp"), apply(lookup("sin"), node.operands[0]))

    graph = parse("graph(%0: f64[3]) {\n %1 = square(%0) : f64[3]\n return %1\n}")
    expected = parse("graph(%0: f64[3]) {\n %1 = cos(%0) : f64[3]\n %2 = exp(%1) : f64[3]\n return %2\n}")
    assert rewrite(Program(graph), {"square": [square_of_sin], "sin": [sin_to_cos]}).graph is expected


def test_dead_nodes_go_and_parameters_stay() -> None:
    graph = parse("graph(%0: f64[3], %1: f64[3]) {\n %2 = exp(%1) : f64[3]\n %3 = negative(%2) : f64[3]\n return %0\n}")
    assert rewrite(Program(graph), {}).graph is Graph(graph.params, [graph.params[0]])


def test_rules_that_undo_each_other_end() -> None:
    def back(node: Node, context: Context) -> Replacement:
        return apply(lookup("sin"), node.operands[0])

    graph = parse("graph(%0: f64[3]) {\n %1 = sin(%0) : f64[3]\n return %1\n}")
    (result,) = rewrite(Program(graph), {"sin": [sin_to_cos], "cos": [back]}).graph.results
    assert result.node.op.name in ("sin", "cos")


def test_a_rule_that_changes_the_type_is_refused() -> None:
    def wrong(node: Node, context: Context) -> Replacement:
        return apply(lookup("isnan"), node.operands[0])

    graph = parse("graph(%0: f64[3]) {\n %1 = sin(%0) : f64[3]\n return %1\n}")
    with pytest.raises(TypeError, match=r"rule wrong replaces sin of type f64\[3\] by bool\[3\]"):
        rewrite(Program(graph), {"sin": [wrong]})


def test_nodes_with_several_results_and_rules_for_all() -> None:
    def divmod_apart(node: Node, context: Context) -> Replacement:
        return tuple(apply(lookup(name), *node.operands) for name in ("floor_divide", "remainder"))

    seen = []

    def watch(node: Node, context: Context) -> Replacement:
        seen.append(node.op.name)
        return None

    x, y = param(0, F3), param(1, F3)
    both = make(lookup("divmod"), (x, y)).values
    graph = rewrite(Program(Graph([x, y], both)), {"divmod": [divmod_apart], EVERY: [watch]}).graph
    assert [v.node.op.name for v in graph.results] == ["floor_divide", "remainder"]
    assert set(seen) == {"floor_divide", "remainder"}


def test_regions_are_rewritten_and_checks_that_hold_dropped() -> None:
    graph = parse("""graph(%0: f64[3]) {
      %1 = region(%0) {backend="xla", body=graph(%0: f64[3]) {
        %1 = negative(%0) : f64[3]
        %2 = sin(%1) : f64[3]
        return %2
      }} : f64[3]
      %2 = const() {value=bool(True)} : bool[]
      %3 = const() {value=bool(False)} : bool[]
      check %2 IndexError "never"
      check %3 IndexError "always"
      check %3 IndexError "always"
      return %1
    }""")
    after = rewrite(Program(graph), {"sin": [sin_to_cos], "negative": [drop_negative]}).graph
    (region,) = (n for n in after.nodes if n.op.name == "region")
    assert [n.op.name for n in region.kw["body"].nodes] == ["cos"]
    assert after.checks == (Check(const(False), "IndexError", "always"),)


def test_origins_go_along() -> None:
    x = param(0, F3)
    negative = apply(lookup("negative"), x)
    sin = apply(lookup("sin"), negative)
    exp = apply(lookup("exp"), sin)
    cos = apply(lookup("cos"), x)
    lines = {v.node: frozenset({("a.py", k)}) for k, v in enumerate((negative, sin, exp, cos))}
    after = rewrite(Program(Graph([x], [exp, cos]), lines), {"sin": [sin_to_cos], "negative": [drop_negative]})
    # sin became the cos that was there: the lines of both unite. exp was rebuilt on it. The negative left nothing:
    # its replacement is the parameter.
    merged, rebuilt = after.graph.results[1].node, after.graph.results[0].node
    assert rebuilt.operands == (Value(merged, 0),)
    assert after.lines(merged) == (("a.py", 1), ("a.py", 3))
    assert after.lines(rebuilt) == (("a.py", 2),)
    assert set(after.origins) == {merged, rebuilt}


def test_lines_of_what_a_replacement_made_dead_move_to_it() -> None:
    def pair(node: Node, context: Context) -> Replacement:
        inner = node.operands[0].node
        return apply(lookup("tan"), inner.operands[0]) if inner.op.name == "cos" else None

    x = param(0, F3)
    cos = apply(lookup("cos"), x)
    sin = apply(lookup("sin"), cos)
    lines = {cos.node: frozenset({("a.py", 1)}), sin.node: frozenset({("a.py", 2)})}
    (alone,) = rewrite(Program(Graph([x], [sin]), lines), {"sin": [pair]}).origins.values()
    assert alone == {("a.py", 1), ("a.py", 2)}
    # Still read by others, the cosine keeps its line to itself.
    kept = rewrite(Program(Graph([x], [sin, cos]), lines), {"sin": [pair]})
    assert {node.op.name: kept.lines(node) for node in kept.origins} == {"tan": (("a.py", 2),), "cos": (("a.py", 1),)}


def test_the_context_counts_readers_and_orders_values() -> None:
    found = {}

    def look(node: Node, context: Context) -> Replacement:
        for v in node.operands:
            found[v.node.op.name] = (context.readers(v), context.position(v))
        return None

    graph = parse("""graph(%0: f64[3]) {
      %1 = sin(%0) : f64[3]
      %2 = exp(%1) : f64[3]
      %3 = add(%1, %1) : f64[3]
      return %1, %2, %3
    }""")
    rewrite(Program(graph), {EVERY: [look]})
    assert found == {"param": (1, (0, 0)), "sin": (4, (1, 0))}


def test_a_chain_of_ten_thousand() -> None:
    x = y = param(0, F3)
    for k in range(10_000):
        y = apply(lookup("sin" if k % 2 else "negative"), y)
    graph = rewrite(Program(Graph([x], [y])), {"sin": [sin_to_cos], "negative": [drop_negative]}).graph
    assert len(graph.nodes) == 5_000
    assert {node.op.name for node in graph.nodes} == {"cos"}


def test_finish_sees_every_graph_the_inner_ones_first() -> None:
    graph = parse("""graph(%0: f64[3]) {
      %1 = region(%0) {backend="xla", body=graph(%0: f64[3]) {
        %1 = sin(%0) : f64[3]
        return %1
      }} : f64[3]
      return %1
    }""")
    seen = []

    def finish(found: Graph) -> Graph:
        seen.append([node.op.name for node in found.nodes])
        return found

    assert rewrite(Program(graph), {}, finish=finish).graph is graph
    assert seen == [["sin"], ["region"]]
