"""The text of graphs: it comes back as the same graph, and what is no graph is refused with the place."""

from __future__ import annotations

import functools
import math
import pickle
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.ir import extents
from lazyarr.ir.graph import Check, Graph, param
from lazyarr.ir.node import Attrs, Literal, Value, apply, apply_all, make
from lazyarr.ir.op import OPS, Cost, Op, Sample, lookup
from lazyarr.ir.text import ParseError, names, parse, show, show_attr, show_node
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ir.types import parse as parse_type

F64 = DTYPES["f64"]


@pytest.fixture(scope="module")
def carrier() -> Iterator[Op]:
    """An operation that takes any attribute and does nothing."""
    op = Op(
        name="test_carrier", numpy="", infer=lambda **attrs: (), evaluate=lambda xp, **attrs: (), jax=None,
        access=lambda **attrs: (), pointwise=False, memory="fresh", cost=lambda **attrs: Cost(0, 0), backends=(),
        samples=lambda: (),
    )  # fmt: skip
    yield op
    del OPS[op.name]


# -------------------------------------------------------------------------------------------- round trips


@functools.cache
def _applications() -> list[tuple[Op, tuple[ArrayType, ...], Attrs]]:
    """Every sample of every operation, each kind of operand once."""
    found = []
    for op in list(OPS.values()):
        samples: list[Sample] = list(op.samples())
        for sample in samples[:: max(1, len(samples) // 8)]:
            found.append((op, tuple(map(parse_type, sample.types)), tuple(sorted(sample.attrs.items()))))
    return found


@st.composite
def graphs(draw: st.DrawFn, depth: int = 1) -> Graph:
    """A graph of samples: an operand is a value that fits, or a new parameter; results, checks, order at random."""
    params: list[Value] = []
    values: list[Value] = []
    for _ in range(draw(st.integers(0, 12))):
        op, types, attrs = draw(st.sampled_from(_applications()))
        if depth and draw(st.integers(0, 5)) == 0:
            # Lengths that a region knows do not leave it.
            body = draw(graphs(depth=depth - 1).filter(lambda g: all(extents.is_static(v.type.shape) for v in g.roots)))
            op, types = lookup("region"), tuple(p.type for p in body.params)
            attrs = (("backend", "xla"), ("body", body))
        operands: list[Value] = []
        for type in types:
            fitting = [v for v in (*params, *values) if v.type is type]
            if len(fitting) > 0 and draw(st.booleans()):
                operands.append(draw(st.sampled_from(fitting)))
            else:
                params.append(param(len(params), type))
                operands.append(params[-1])
        values.extend(make(op, tuple(operands), attrs).values)
    results = draw(st.lists(st.sampled_from([*params, *values]), max_size=4)) if params or values else []
    flags = [v for v in values if v.type is ArrayType(DTYPES["bool"])]
    checks = [
        Check(v, draw(st.sampled_from(["IndexError", "ValueError", "LinAlgError"])), draw(st.text()))
        for v in flags[:2]
    ]
    if draw(st.booleans()):
        return Graph(params, results, checks)
    # Dead nodes and another order: both are part of a graph.
    return Graph(params, results, checks, list(dict.fromkeys(v.node for v in values)))


@given(graphs())
def test_a_graph_comes_back_from_its_text(graph: Graph) -> None:
    assert parse(show(graph)) is graph
    assert pickle.loads(pickle.dumps(graph)) is graph


_FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def literals(draw: st.DrawFn) -> Literal:
    """A constant of any dtype and any bits."""
    dtype = draw(st.sampled_from(list(DTYPES.values())))
    if dtype.kind == "b":
        return Literal(draw(st.booleans()), dtype)
    return Literal(np.frombuffer(draw(st.binary(min_size=dtype.itemsize, max_size=dtype.itemsize)), dtype)[0])


def _extents() -> st.SearchStrategy[Any]:
    n, m = extents.symbol("n", 9), extents.symbol("m", 5)
    return st.sampled_from([n, n + 1, 2 * n - m, (n + 1) * m, n**2, -n + 9, n / 2])


attributes = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), _FLOATS, st.text(), st.sampled_from(list(DTYPES.values())), literals(),
        st.sampled_from([parse_type(t) for t in ("f64[]", "bool[3,4]", "c64[0]", "int", "float", "complex")]),
        st.deferred(_extents),
    ),  # fmt: skip
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=6,
)


@given(value=attributes, other=attributes)
def test_attributes_come_back(carrier: Op, value: Any, other: Any) -> None:
    node = make(carrier, (), (("other", other), ("value", value)))
    graph = Graph([], [], [], [node])
    back = parse(show(graph))
    assert back is graph
    assert repr(back.nodes[0].attrs) == repr(node.attrs)


@pytest.mark.parametrize(
    ("one", "two"),
    [(0.0, -0.0), (1, 1.0), (1, True), (0, False), ((1, 0.0), (1, -0.0)), (("1",), (1,)), (math.nan, math.inf)],
)
def test_attributes_that_python_holds_equal_are_kept_apart(carrier: Op, one: Any, two: Any) -> None:
    nodes = [make(carrier, (), (("value", v),)) for v in (one, two)]
    assert nodes[0] is not nodes[1]
    texts = [show(Graph([], [], [], [node])) for node in nodes]
    assert [repr(parse(t).nodes[0].kw["value"]) for t in texts] == [repr(one), repr(two)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Literal(1.5, F64), "f64(1.5)"),
        (Literal(-0.0, F64), "f64(-0.0)"),
        (Literal(0.1, DTYPES["f32"]), "f32(0.1)"),
        (Literal(np.inf, DTYPES["f16"]), "f16(inf)"),
        (Literal(np.nan, F64), "f64(nan)"),
        (Literal(-np.nan, F64), "f64(0xfff8000000000000)"),
        (Literal(complex(0.0, -0.0), DTYPES["c128"]), "c128(0.0, -0.0)"),
        (Literal(True), "bool(True)"),
        (Literal(-128, DTYPES["i8"]), "i8(-128)"),
        (Literal(2**64 - 1, DTYPES["u64"]), "u64(18446744073709551615)"),
        (F64, "f64"),
        (parse_type("f64[3,4]"), "f64[3,4]"),
        (parse_type("float"), "float"),
        (1e300, "1e+300"),
        (-math.inf, "-inf"),
        ("a \"b\"\n# é", '"a \\"b\\"\\n# \\u00e9"'),
        ((), "()"),
        ((1,), "(1,)"),
        ((1, (2.0, None)), "(1, (2.0, None))"),
    ],
)  # fmt: skip
def test_text_of_attributes(value: Any, text: str) -> None:
    assert show_attr(value) == text


def test_attributes_without_a_text_are_refused(carrier: Op) -> None:
    graph = Graph([], [], [], [make(carrier, (), (("value", frozenset({1})),))])
    with pytest.raises(TypeError, match="an attribute that is a frozenset has no text"):
        show(graph)
    assert "frozenset({1})" in show_node(graph.nodes[0])


def _program() -> Graph:
    x, s = param(0, parse_type("f64[3,4]")), param(1, parse_type("float"))
    c = apply(lookup("cast"), s, dtype=F64)
    y, z = param(0, x.type), param(1, x.type)
    body = Graph([y, z], [apply(lookup("add"), y, z)])
    quotient, rest = apply_all(lookup("divmod"), x, c)
    ok = apply(lookup("const"), value=Literal(True))
    region = apply(lookup("region"), quotient, x, backend="xla", body=body)
    return Graph([x, s], [region, rest], [Check(ok, "IndexError", "index 3 is out of bounds")])


PROGRAM = """\
graph(%0: f64[3,4], %1: float) {
  %2 = cast(%1) {dtype=f64} : f64[]
  %3, %4 = divmod(%0, %2) : f64[3,4], f64[3,4]
  %5 = region(%3, %0) {backend="xla", body=graph(%0: f64[3,4], %1: f64[3,4]) {
    %2 = add(%0, %1) : f64[3,4]
    return %2
  }} : f64[3,4]
  %6 = const() {value=bool(True)} : bool[]
  check %6 IndexError "index 3 is out of bounds"
  return %5, %4
}"""


def test_text_of_a_program() -> None:
    graph = _program()
    assert show(graph) == PROGRAM
    assert str(graph) == PROGRAM
    assert parse(PROGRAM) is graph


def test_origins_are_a_comment() -> None:
    graph = _program()
    origins = {graph.nodes[1]: frozenset({("/home/user/heat.py", 12), ("/home/user/heat.py", 7)})}
    text = show(graph, origins)
    assert "divmod(%0, %2) : f64[3,4], f64[3,4]  # heat.py:7, heat.py:12\n" in text
    assert parse(text) is graph


def test_names_blanks_and_comments_are_free() -> None:
    text = "graph(%x: f64[3]) { # doubled\n%two=add(%x,%x):f64[3]\n\n\treturn %two }"
    x = param(0, parse_type("f64[3]"))
    assert parse(text) is Graph([x], [apply(lookup("add"), x, x)])


def test_equal_lines_are_one_node() -> None:
    twice = "%1 = sin(%0) : f64[]\n%2 = sin(%0) : f64[]\n%3 = add(%1, %2) : f64[]"
    graph = parse(f"graph(%0: f64[]) {{\n{twice}\nreturn %3\n}}")
    assert [node.op.name for node in graph.nodes] == ["sin", "add"]


def test_symbolic_extents_print_with_their_bounds() -> None:
    n = extents.symbol("rows", 7)
    x = param(0, ArrayType(F64, (n, 3)))
    graph = Graph([x], [apply(lookup("exp"), x), apply(lookup("iota"), dtype=DTYPES["i64"], length=2 * n + 1)])
    text = show(graph)
    assert text.splitlines()[0] == "graph(%0: f64[rows,3]) where rows<=7 {"
    assert "iota() {dtype=i64, length=[2*rows+1]} : i64[2*rows+1]" in text
    assert parse(text) is graph
    with pytest.raises(ParseError, match="line 1: extent rows has the bound 7, not 8"):
        parse(text.replace("<=7", "<=8"))
    fresh = text.replace("rows", "cols")
    assert show(parse(fresh)) == fresh


def test_deep_graphs_print_and_parse() -> None:
    x = param(0, parse_type("f64[2]"))
    value = x
    for _ in range(10_000):
        value = apply(lookup("negative"), value)
        value = apply(lookup("add"), value, x)
    graph = Graph([x], [value])
    assert len(graph.nodes) == 20_000
    assert parse(show(graph)) is graph


def test_show_node_names_operands_or_their_types() -> None:
    graph = _program()
    named = names(graph)
    assert show_node(graph.nodes[1], named) == "%3, %4 = divmod(%0, %2) : f64[3,4], f64[3,4]"
    assert show_node(graph.nodes[1]) == "divmod(f64[3,4], f64[]) : f64[3,4], f64[3,4]"
    assert "body=graph of 1 nodes" in show_node(graph.nodes[2])


# ------------------------------------------------------------------------------------------------- errors


def _body(line: str) -> str:
    return f"graph(%0: f64[3], %1: f64[4]) {{\n  %2 = sin(%0) : f64[3]\n  {line}\n  return %2\n}}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: expected a graph, got the end of the text"),
        ("grap(%0: f64[3])", "line 1: expected a graph, got 'grap'"),
        ("graph(%0 f64[3]) {return %0}", "line 1: expected ':', got 'f64'"),
        ("graph(%0: f64[3] {return %0}", "line 1: expected ')' after the parameters, got the end of the text"),
        ("graph(%0: f65[3]) {return %0}", "line 1: 'f65[3]' is not a type; expected a Python scalar type"),
        ("graph(%0: f64[q]) {return %0}", "line 1: extent 'q' uses the undeclared symbol q"),
        ("graph(%0: f64[2 3]) {return %0}", "line 1: '2 3' is not an extent"),
        ("graph(%0: f64[exit()]) {return %0}", "line 1: extent 'exit()' is not an expression of integers and symbols"),
        ("graph(%0: int, %0: int) {return %0}", "line 1: the parameter %0 is declared twice"),
        ("graph() {\nreturn\n", "line 3: expected a value such as %0, got the end of the text"),
        ("graph() {\nreturn }\n}", "line 3: expected the end of the text, got '}'"),
        ("graph() {\n  ?\n}", "line 2: unexpected character '?'"),
        (_body("%3 = sine(%0) : f64[3]"), "line 3: no operation is called 'sine'; the nearest is 'si"),
        (_body("%3 = sin(%9) : f64[3]"), "line 3: %9 is used before it is defined"),
        (_body("%3 = sin(%3) : f64[3]"), "line 3: %3 is used before it is defined"),
        (_body("%2 = cos(%0) : f64[3]"), "line 3: %2 is defined twice"),
        (_body("%3 = add(%0, %1) : f64[3]"), "line 3: add: operands could not be broadcast together with shapes (3,)"),
        (_body("%3 = add(%0, %0) : f32[3]"), "line 3: the result of add is f64[3], the text says f32[3]"),
        (_body("%3, %4 = add(%0, %0) : f64[3]"), "line 3: add has 1 results, the text names 2"),
        (_body("%3 = add(%0 %0) : f64[3]"), "line 3: expected ',' or ')', got '%0'"),
        (_body("%3 = add(%0, %0)"), "line 4: expected ':', got 'return'"),
        (_body("%3 = cast(%0) {dtype=f65} : f64[3]"), "line 3: unknown attribute value: 'f65' is not a type"),
        (_body("%3 = cast(%0) {dtype=} : f64[3]"), "line 3: expected an attribute value, got '}'"),
        (_body("%3 = cast(%0) {dtype=f64, dtype=f64} : f64[3]"), "line 3: the attribute dtype is given twice"),
        (_body("%3 = cast(%0) : f64[3]"), "line 3: cast: "),
        (_body("%3 = cast(%0) {type=f64} : f64[3]"), "line 3: cast: "),
        (_body("%3 = const() {value=i8(300)} : i8[]"), "line 3: 300 does not fit i8"),
        (_body("%3 = const() {value=c64(1.0)} : c64[]"), "line 3: a c64 constant has 2 parts, got 1"),
        (_body("%3 = const() {value=f32(x)} : f32[]"), "line 3: could not convert string to float: 'x'"),
        (_body("%3 = const() {value=bool(1)} : bool[]"), "line 3: expected True or False, got '1'"),
        (_body("%3 = const() {value=\"open} : bool[]"), "line 3: unexpected character '\"'"),
        (_body("check %0 IndexError message"), "line 3: expected a message in double quotes, got 'message'"),
        (_body("check %7 IndexError \"\""), "line 3: %7 is used before it is defined"),
        (_body("3"), "line 3: expected a line '%0 = operation(...)', 'check ...' or 'return ...', got '3'"),
    ],
)  # fmt: skip
def test_errors_name_the_line_and_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(ParseError, match="^" + re.escape(message)) as caught:
        parse(text)
    assert str(caught.value).startswith(f"line {caught.value.line}: ")


@given(st.data())
def test_a_damaged_text_is_refused_or_another_graph(data: st.DataObject) -> None:
    text = list(PROGRAM)
    at = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 3))
    text[at : at + length] = data.draw(st.sampled_from(["", "%", "{", "(", "x", "0", '"', "\n", ","]))
    damaged = "".join(text)
    try:
        found = parse(damaged)
    except ParseError:
        return
    assert parse(show(found)) is found
