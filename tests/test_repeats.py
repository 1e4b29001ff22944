"""Programs that repeat themselves are cut into equal regions, others are not cut."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, Program, param
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import lookup
from lazyarr.ir.types import parse as parse_type
from lazyarr.ops.create import const
from lazyarr.passes.fuse import Fuse
from lazyarr.passes.pipeline import run_pipeline
from lazyarr.passes.repeats import FEWEST, SHORTEST, cut, longest_stretch


def f(name: str, *operands: Value, **attrs: Any) -> Value:
    return apply(lookup(name), *operands, **attrs)


def sweeps(count: int) -> Graph:
    """An unrolled time loop: a stencil with a coefficient computed before it, and a second state."""
    n = 12
    u, total, k = (param(i, parse_type(t)) for i, t in enumerate((f"f64[{n}]", f"f64[{n}]", "f64[]")))
    params = [u, total, k]
    coefficient = f("multiply", f("exp", k), const(0.1))

    def part(value: Value, low: int) -> Value:
        return f("slice", value, start=(low,), stop=(low + n - 2,), step=(1,))

    for _ in range(count):
        change = f("subtract", f("add", part(u, 0), part(u, 2)), f("multiply", part(u, 1), const(2.0)))
        inner = f("add", part(u, 1), f("multiply", change, coefficient))
        u = f("update_slice", u, inner, start=(1,), stop=(n - 1,), step=(1,))
        total = f("add", total, f("absolute", u))
    return Graph(params, [u, total])


def bodies(graph: Graph) -> Counter[Graph]:
    return Counter(node.kw["body"] for node in graph.nodes)


def test_an_unrolled_loop_becomes_equal_regions() -> None:
    graph = sweeps(100)
    after = run_pipeline(Program(graph), verify=True).graph
    found = bodies(after)
    assert len(found) <= 4
    assert max(found.values()) >= 6
    assert max(len(body.nodes) for body in found) < 150
    arguments = [np.linspace(0, 1, 12), np.zeros(12), 0.3]
    for a, b in zip(interpret(after, arguments), interpret(graph, arguments), strict=True):
        np.testing.assert_array_equal(a, b)
    # Little crosses: a state or two, and the coefficient; not the slices between.
    assert max(len(node.operands) for node in after.nodes) <= 4


def test_a_loop_twice_as_long_has_the_same_bodies() -> None:
    (short, long) = (bodies(run_pipeline(Program(sweeps(count))).graph) for count in (100, 200))
    (body, _), (other, times) = short.most_common(1)[0], long.most_common(1)[0]
    assert body is other
    assert times > 12


def test_short_programs_and_few_repeats_are_one_region() -> None:
    for count in (SHORTEST // 20, FEWEST - 2):
        assert len(run_pipeline(Program(sweeps(count))).graph.nodes) == 1
    assert len(Fuse(repeats=0).run(Program(sweeps(100))).graph.nodes) == 1


def test_chains_are_cut_by_their_length_whether_they_read_shifted_or_not() -> None:
    """What is read shifted XLA keeps in memory, so that sweeps gain from standing in one executable."""

    def chain(shifted: bool) -> Graph:
        x = param(0, parse_type("f64[1000000]"))
        value = x
        for _ in range(100):
            shift = f("roll", value, shift=1, axis=0) if shifted else f("negative", value)
            value = f("sin", f("multiply", f("add", value, shift), const(0.5)))
        return Graph([x], [value])

    for shifted in (False, True):
        bodies_of = bodies(run_pipeline(Program(chain(shifted))).graph)
        assert 90 < max(len(body.nodes) for body in bodies_of) < 150


def test_a_long_program_that_does_not_repeat_itself_is_one_region() -> None:
    rng = np.random.default_rng(0)
    x = param(0, parse_type("f64[10]"))
    values = [x]
    for _ in range(600):
        name = rng.choice(["sin", "cos", "exp", "tanh", "sqrt"])
        values.append(f("add", f(name, values[-1]), values[rng.integers(len(values))]))
    assert len(run_pipeline(Program(Graph([x], values[-1:]))).graph.nodes) == 1


def test_the_stretch_is_found_exactly() -> None:
    x = param(0, parse_type("f64[10]"))
    prologue = f("tanh", x)
    value = f("sqrt", prologue)
    for _ in range(50):
        value = f("add", f("multiply", f("sin", f("cos", value)), prologue), x)
    tail = f("exp", value)
    graph = Graph([x], [tail])
    stretch = longest_stretch(graph.nodes)
    assert stretch is not None
    # cos sin multiply add; the first cosine reads the root and the last addition is followed by the tail.
    assert stretch.period == 4
    assert stretch.times in (49, 50)
    assert stretch.stop == len(graph.nodes) - 1


def test_the_same_operations_on_unlike_operands_are_no_repetition() -> None:
    rng = np.random.default_rng(1)
    x = param(0, parse_type("f64[10]"))
    for same_first in (False, True):
        values = [f("sin", x)]
        for _ in range(400):
            other = values[rng.integers(len(values))]
            # In one operand alike, in the other not.
            values.append(f("subtract", values[0], other) if same_first else f("subtract", other, values[-1]))
        stretch = longest_stretch([v.node for v in values])
        assert stretch is None or stretch.times < FEWEST


def test_the_end_is_no_region_of_its_own_when_it_is_short() -> None:
    x = param(0, parse_type("f64[10]"))
    for length, tail in itertools.product(range(100, 105), range(4)):
        value = f("log1p", x)
        for _ in range(length):
            for name in ("sin", "exp", "cos", "sqrt", "tanh"):
                value = f(name, value)
            value = f("add", value, x)
        for k in range(tail):
            value = f("tan" if k % 2 else "cosh", value)
        nodes = [n for n in Graph([x], [value]).nodes if n.op.name != "const"]
        pieces = cut(nodes, 30)
        assert [n for piece in pieces for n in piece] == nodes
        assert len(pieces) > 15
        assert len(pieces[-1]) >= 3
