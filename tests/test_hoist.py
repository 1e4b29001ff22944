"""Work that leaves regions which run many times: for any operation that declares what is the same in every run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.ir.access import whole
from lazyarr.ir.graph import Check, Graph, Program, param
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import OPS, Cost, Op, Types, lookup
from lazyarr.ir.regions import Repeated
from lazyarr.ir.text import parse, show
from lazyarr.ir.types import ArrayType
from lazyarr.ir.types import parse as parse_type
from lazyarr.ir.verify import verify
from lazyarr.ops.create import const
from lazyarr.passes.hoist import Hoist
from lazyarr.passes.pipeline import run_pipeline

F4 = parse_type("f64[4]")


def _infer(*types: ArrayType, body: Graph, carried: int, times: int) -> Types:
    if types != tuple(p.type for p in body.params):
        raise TypeError("operands are not what the body takes")
    if types[:carried] != tuple(v.type for v in body.results):
        raise TypeError("the body gives other types than it carries")
    return types[:carried]


def _evaluate(xp: Any, *arrays: Any, body: Any, carried: int, times: int) -> tuple[Any, ...]:
    state = arrays[:carried]
    for _ in range(times):
        state = body(*state, *arrays[carried:])[:carried]
    return tuple(state)


def _invariant(node: Node, name: str) -> dict[int, int]:
    return {k: k for k in range(node.kw["carried"], len(node.operands))}


def _extend(node: Node, name: str, body: Graph, values: tuple[Value, ...]) -> Node:
    attrs = tuple((k, body if k == name else v) for k, v in node.attrs)
    return make(node.op, (*node.operands, *values), attrs)


@pytest.fixture
def repeat() -> Iterator[Op]:
    """An operation that runs its body `times` times on the first `carried` operands, the others the same each time."""
    op = Op(
        name="repeat_in_test",
        numpy="for _ in range(times): ...",
        infer=_infer,
        evaluate=_evaluate,
        jax=None,
        access=lambda *types, **attrs: whole(*(t.shape for t in types)),
        pointwise=False,
        memory="fresh",
        cost=lambda *types, **attrs: Cost(0, 0),
        backends=("xla", "numpy"),
        samples=lambda: (),
        regions=Repeated(_invariant, _extend),
    )
    yield op
    del OPS[op.name]


def apply_repeat(op: Op, operands: list[Value], body: Graph, carried: int, times: int = 3) -> tuple[Value, ...]:
    return make(op, tuple(operands), (("body", body), ("carried", carried), ("times", times))).values


def f(name: str, *operands: Value) -> Value:
    return apply(lookup(name), *operands)


def test_invariant_work_leaves_and_comes_back_as_an_operand(repeat: Op) -> None:
    x, y = param(0, F4), param(1, F4)
    exp, sine = f("exp", y), f("sin", f("exp", y))
    body = Graph([x, y], [f("add", f("multiply", x, exp), sine)])
    graph = Graph([x, y], apply_repeat(repeat, [x, y], body, 1))
    origins = {n: frozenset({("a.py", k)}) for k, n in enumerate((exp.node, sine.node, *graph.nodes))}
    program = Hoist().run(Program(graph, origins))
    after = program.graph
    verify(after)
    assert parse(show(after)) is after
    assert [n.op.name for n in after.nodes] == ["exp", "sin", "repeat_in_test"]
    loop = after.nodes[-1]
    assert [n.op.name for n in loop.kw["body"].nodes] == ["multiply", "add"]
    assert loop.operands == (x, y, *(v for n in after.nodes[:2] for v in n.values))
    assert ("a.py", 0) in program.lines(after.nodes[0])
    arguments = [np.arange(4.0), np.linspace(0, 1, 4)]
    np.testing.assert_array_equal(interpret(after, arguments), interpret(graph, arguments))


def test_nothing_leaves_that_varies_or_is_cheap_to_make(repeat: Op) -> None:
    x, y = param(0, F4), param(1, parse_type("f64[]"))
    repeated = apply(lookup("full"), y, shape=(4,))
    ramp = apply(lookup("iota"), length=4, dtype=np.dtype("f8"))
    body = Graph([x, y], [f("add", f("sin", x), f("sin", f("multiply", repeated, ramp)))])
    graph = Graph([x, y], apply_repeat(repeat, [x, y], body, 1))
    after = Hoist().run(Program(graph)).graph
    # The sine is work; full, iota and their product alone are not.
    assert [n.op.name for n in after.nodes] == ["full", "iota", "multiply", "sin", "repeat_in_test"]
    assert [n.op.name for n in after.nodes[-1].kw["body"].nodes] == ["sin", "add"]
    plain = Graph([x, y], [f("add", f("sin", x), f("subtract", f("cos", x), repeated))])
    varying = Graph([x, y], apply_repeat(repeat, [x, y], plain, 1))
    kept = Hoist().run(Program(varying)).graph
    assert kept is varying


def test_out_of_two_regions_at_once(repeat: Op) -> None:
    x, y = param(0, F4), param(1, F4)
    inner = Graph([x, y], [f("add", x, f("exp", y))])
    outer = Graph([x, y], apply_repeat(repeat, [x, y], inner, 1))
    graph = Graph([x, y], apply_repeat(repeat, [x, y], outer, 1))
    after = Hoist().run(Program(graph)).graph
    verify(after)
    assert [n.op.name for n in after.nodes] == ["exp", "repeat_in_test"]
    arguments = [np.arange(4.0), np.linspace(0, 1, 4)]
    np.testing.assert_array_equal(interpret(after, arguments), interpret(graph, arguments))


def test_results_and_checks_may_be_invariant(repeat: Op) -> None:
    x, y = param(0, F4), param(1, F4)
    sine = f("sin", y)
    body = Graph([x, y], [sine], [Check(const(True), "ValueError", "never")])
    graph = Graph([x, y], apply_repeat(repeat, [x, y], body, 1))
    after = Hoist().run(Program(graph)).graph
    (loop,) = (n for n in after.nodes if n.op is repeat)
    assert loop.kw["body"].results == (loop.kw["body"].params[2],)
    arguments = [np.arange(4.0), np.linspace(0, 1, 4)]
    np.testing.assert_array_equal(interpret(after, arguments), interpret(graph, arguments))


def test_a_region_that_runs_once_keeps_its_work() -> None:
    graph = parse("""graph(%0: f64[3]) {
      %1 = region(%0) {backend="xla", body=graph(%0: f64[3]) {
        %1 = sin(%0) : f64[3]
        return %1
      }} : f64[3]
      return %1
    }""")
    assert Hoist().run(Program(graph)).graph is graph


def test_an_exponent_stays_an_array_or_a_scalar() -> None:
    """``numpy.power`` gives other bits for a scalar exponent than for an array of it."""
    x, y = param(0, parse_type("f64[]")), param(1, parse_type("f64[]"))
    full = [apply(lookup("full"), v, shape=(4,)) for v in (x, y)]
    graph = Graph([x, y], [f("power", *full)])
    assert Hoist().run(Program(graph)).graph is graph
    part = apply(lookup("slice"), f("power", param(0, F4), param(1, F4)), start=(1,), stop=(2,), step=(1,))
    graph = Graph([param(0, F4), param(1, F4)], [part])
    assert Hoist().run(Program(graph)).graph is graph
    with_scalar = Graph([x, y], [f("power", full[0], y)])
    assert [n.op.name for n in Hoist().run(Program(with_scalar)).graph.nodes] == ["power", "full"]


def test_a_slice_moves_through_a_deep_tree_at_once() -> None:
    x = y = param(0, parse_type("f64[8]"))
    for k in range(200):
        y = f("sin" if k % 2 else "cos", y)
    part = apply(lookup("slice"), y, start=(1,), stop=(3,), step=(1,))
    after = Hoist().run(Program(Graph([x], [part]))).graph
    assert after.nodes[0].op.name == "slice"
    assert all(n.types[0].shape == (2,) for n in after.nodes)
    assert len(after.nodes) == 201


@pytest.fixture
def smoothstep() -> Iterator[Op]:
    """The operation of CONTRIBUTING.md, which lazyarr has never heard of."""
    page = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text()
    names: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    yield names["SMOOTHSTEP"]
    del OPS["smoothstep"]


def test_an_operation_from_outside_moves_as_those_of_lazyarr(smoothstep: Op) -> None:
    """Before what repeats, behind what selects, into one region with its neighbours."""
    row, x = param(0, F4), param(1, parse_type("f64[8]"))
    spread = apply(lookup("broadcast"), row, shape=(3, 4))
    own = Graph([row, x], [apply(smoothstep, spread, order=2)])
    assert [n.op.name for n in Hoist().run(Program(own)).graph.nodes] == ["smoothstep", "broadcast"]
    part = apply(lookup("slice"), apply(smoothstep, f("sin", x), order=1), start=(2,), stop=(4,), step=(1,))
    graph = Graph([row, x], [f("add", apply(smoothstep, spread, order=2), f("exp", row)), part])
    hoisted = Hoist().run(Program(graph)).graph
    assert [(n.op.name, n.types[0].shape) for n in hoisted.nodes if n.op in (smoothstep, lookup("sin"))] == [
        ("smoothstep", (4,)), ("sin", (2,)), ("smoothstep", (2,))
    ]  # fmt: skip
    fused = run_pipeline(Program(graph), verify=True).graph
    assert [n.op.name for n in fused.nodes] == ["region"]
    arguments = [np.linspace(0, 1, 4), np.linspace(-1, 2, 8)]
    for a, b in zip(interpret(fused, arguments), interpret(graph, arguments), strict=True):
        np.testing.assert_array_equal(a, b)
