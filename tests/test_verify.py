"""The verifier: each rule refuses a graph that breaks it, and says which and where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.ir.graph import PARAM, Check, Graph, param
from lazyarr.ir.node import Literal, Node, Value, apply, apply_all, make
from lazyarr.ir.op import lookup
from lazyarr.ir.text import parse
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ir.types import parse as parse_type
from lazyarr.ir.verify import GLOBAL, SCHEDULED, Problem, Rule, VerificationError, verify, verify_scheduled
from tests.test_text import PROGRAM, graphs

F64 = DTYPES["f64"]


def _x(index: int = 0, type: str = "f64[3]") -> Value:
    return param(index, parse_type(type))


def _region(body: Graph, backend: str = "xla") -> Value:
    return apply(lookup("region"), *body.params, backend=backend, body=body)


@given(graphs())
def test_what_is_built_from_samples_verifies(graph: Graph) -> None:
    # A sample may give a Python scalar to an operation that forwards it (region); all else is cast.
    verify(graph)


def test_an_empty_graph_verifies() -> None:
    verify(Graph([], []))
    verify_scheduled(Graph([], []))


def _not_positional() -> Graph:
    return Graph([_x(1)], [_x(1)])


def _not_a_param() -> Graph:
    return Graph([apply(lookup("sin"), _x())], [])


def _twice() -> Graph:
    node = apply(lookup("sin"), _x()).node
    return Graph([_x()], [], [], [node, node])


def _param_among_nodes() -> Graph:
    return Graph([_x()], [], [], [_x().node])


def _use_before_definition() -> Graph:
    y = apply(lookup("sin"), _x())
    z = apply(lookup("cos"), y)
    return Graph([_x()], [z], [], [z.node, y.node])


def _operand_missing() -> Graph:
    z = apply(lookup("cos"), apply(lookup("sin"), _x()))
    return Graph([_x()], [z], [], [z.node])


def _foreign_param() -> Graph:
    y = apply(lookup("sin"), _x(1))
    return Graph([_x()], [y])


def _result_missing() -> Graph:
    return Graph([_x()], [apply(lookup("sin"), _x())], [], [])


def _no_such_result() -> Graph:
    return Graph([_x()], [Value(apply(lookup("sin"), _x()).node, 1)])


def _check_missing() -> Graph:
    ok = apply(lookup("const"), value=Literal(True))
    return Graph([], [], [Check(ok, "IndexError", "out of range")], [])


def _check_not_a_scalar() -> Graph:
    ok = apply(lookup("isnan"), _x())
    return Graph([_x()], [], [Check(ok, "IndexError", "out of range")])


def _check_not_a_bool() -> Graph:
    return Graph([_x(0, "f64[]")], [], [Check(_x(0, "f64[]"), "IndexError", "out of range")])


def _unsorted_attributes() -> Graph:
    attrs = (("length", 3), ("dtype", F64))
    return Graph([], [], [], [Node(lookup("iota"), (), attrs, (parse_type("f64[3]"),))])


def _numpy_attribute() -> Graph:
    node = Node(lookup("iota"), (), (("dtype", F64), ("length", np.int64(3))), (parse_type("f64[3]"),))
    return Graph([], [], [], [node])


def _list_attribute() -> Graph:
    node = Node(lookup("full"), (_x(0, "f64[]"),), (("shape", ([3], 4)),), (parse_type("f64[3,4]"),))
    return Graph([_x(0, "f64[]")], [], [], [node])


def _wrong_type() -> Graph:
    node = Node(lookup("sin"), (_x(),), (), (parse_type("f32[3]"),))
    return Graph([_x()], [], [], [node])


def _refused() -> Graph:
    node = Node(lookup("add"), (_x(), _x(1, "f64[4]")), (), (parse_type("f64[3]"),))
    return Graph([_x(), _x(1, "f64[4]")], [], [], [node])


def _weak_operand() -> Graph:
    s = _x(0, "float")
    return Graph([s], [apply(lookup("full"), s, shape=(3,))])


REFUSED: list[tuple[Callable[[], Graph], str, str]] = [
    (_not_positional, "parameters are positional and dense", "parameter 0 has the index 1"),
    (_not_a_param, "parameters are positional and dense", "parameter 0 is a sin"),
    (_twice, "every node stands once", "stands twice in the order\n  in %1 = sin(%0) : f64[3]"),
    (_param_among_nodes, "every node stands once", "a parameter stands among the nodes"),
    (_use_before_definition, "values are defined before they are used",
     "operand 0, sin(f64[3]) : f64[3], is not defined before its use\n  in %1 = cos(%2) : f64[3]"),
    (_operand_missing, "values are defined before they are used", "  in %1 = cos(<undefined sin>) : f64[3]"),
    (_foreign_param, "values are defined before they are used", "operand 0, param() {index=1, type=f64[3]}"),
    (_result_missing, "values are defined before they are used", "result 0, sin(f64[3]) : f64[3], is not computed"),
    (_no_such_result, "values are defined before they are used", "result 0"),
    (_check_missing, "values are defined before they are used", "the condition of check 'out of range', const()"),
    (_check_not_a_scalar, "checks are bool scalars", "is bool[3], not bool[]"),
    (_check_not_a_bool, "checks are bool scalars", "is f64[], not bool[]"),
    (_unsorted_attributes, "attributes are sorted, hashable and printable", "attributes are length, dtype: not sorted"),
    (_numpy_attribute, "attributes are sorted, hashable and printable", "np.int64(3) is a int64, not a Python number"),
    (_wrong_type, "types are what the operation infers", "infers f64[3]\n  in %1 = sin(%0) : f32[3]"),
    (_refused, "types are what the operation infers", "refuses its operands: operands could not be broadcast"),
    (_weak_operand, "Python scalars are cast before they are used", "operand 0 is a Python scalar"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "rule", "message"), REFUSED, ids=[build.__name__ for build, _, _ in REFUSED])
def test_each_rule_refuses_what_breaks_it(build: Callable[[], Graph], rule: str, message: str) -> None:
    with pytest.raises(VerificationError, match="(?s)^" + re.escape(rule) + ": .*" + re.escape(message)) as caught:
        verify(build())
    assert caught.value.rule == rule


@pytest.mark.parametrize(("build", "rule", "message"), REFUSED, ids=[build.__name__ for build, _, _ in REFUSED])
def test_each_rule_holds_in_regions(build: Callable[[], Graph], rule: str, message: str) -> None:
    body = build()
    params = tuple(param(k, p.type) for k, p in enumerate(body.params))
    results = tuple(v.type for v in body.results if v.index < len(v.node.types))
    node = Node(lookup("region"), params, (("backend", "xla"), ("body", body)), results)
    outer = Graph(params, [], [], [node])
    with pytest.raises(VerificationError) as caught:
        verify(outer, tuple(r for r in GLOBAL if r.name == rule))
    assert caught.value.rule == rule
    assert "\n  in a region of " in str(caught.value)


def test_what_a_graph_key_cannot_hold_is_refused_too() -> None:
    # Such a node cannot be made, nor a graph be interned with it: the rule is for nodes made by hand.
    attributes = next(rule for rule in GLOBAL if rule.name.startswith("attributes"))
    problems = list(attributes.find(_list_attribute()))
    assert [p.detail for p in problems] == ["attribute shape: unhashable type: 'list'"]


def test_a_scalar_may_cross_into_a_region_that_casts_it() -> None:
    s = _x(0, "float")
    body = Graph([s], [apply(lookup("cast"), s, dtype=F64)])
    verify(Graph([s], [_region(body)]))


def test_every_rule_has_a_graph_that_breaks_it() -> None:
    assert {rule for _, rule, _ in REFUSED} == {rule.name for rule in GLOBAL}


def test_a_form_adds_rules() -> None:
    def no_sines(graph: Graph) -> Iterator[Problem]:
        for node in graph.nodes:
            if node.op.name == "sin":
                yield Problem("a sine", node)

    form = (*GLOBAL, Rule("no sines", no_sines))
    graph = Graph([_x()], [apply(lookup("sin"), _x())])
    verify(graph)
    with pytest.raises(VerificationError, match="^no sines: a sine\n  in %1 = sin"):
        verify(graph, form)
    with pytest.raises(VerificationError, match="(?s)^no sines: .*in a region of"):
        verify(Graph([_x()], [_region(graph)]), form)
    verify(Graph([_x()], [_region(graph)]), (*GLOBAL, Rule("no sines", no_sines, top_level=True)))


# ---------------------------------------------------------------------------------------------- SCHEDULED


def test_a_schedule_verifies() -> None:
    body = Graph([_x()], [apply(lookup("sin"), _x())])
    first = _region(body)
    second = apply(lookup("region"), first, backend="numpy", body=body)
    verify_scheduled(Graph([_x()], [second]))


def test_a_schedule_is_of_regions() -> None:
    graph = parse(PROGRAM)
    verify(graph)
    with pytest.raises(VerificationError, match="^a schedule is a sequence of regions: .*\n  in %2 = cast"):
        verify_scheduled(graph)


def test_a_region_runs_where_its_operations_can() -> None:
    body = Graph([_x()], [apply(lookup("sin"), _x())])
    with pytest.raises(VerificationError, match=re.escape("cupy cannot run sin(f64[3]) : f64[3]; xla, numpy can")):
        verify_scheduled(Graph([_x()], [_region(body, "cupy")]))


def test_a_region_inside_is_for_the_same_back_end() -> None:
    body = Graph([_x()], [apply(lookup("sin"), _x())])
    nested = Graph([_x()], [_region(body, "numpy")])
    verify_scheduled(Graph([_x()], [_region(nested, "numpy")]))
    with pytest.raises(VerificationError, match="a region for numpy stands in one for xla"):
        verify_scheduled(Graph([_x()], [_region(nested, "xla")]))


def test_nodes_made_the_usual_way_cannot_break_types() -> None:
    q, r = apply_all(lookup("divmod"), _x(), _x())
    assert q.node is r.node is make(lookup("divmod"), (_x(), _x()))
    assert (q.type, r.type) == (parse_type("f64[3]"),) * 2
    assert PARAM.infer(index=0, type=ArrayType(F64)) is ArrayType(F64)


def test_schedule_rules_follow_the_global_ones() -> None:
    assert SCHEDULED[: len(GLOBAL)] == GLOBAL
