"""Buffers that take turns in a loop, and the order of checks and of what they protect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr.backends.native import compile
from lazyarr.backends.native_plan import Plan
from lazyarr.backends.native_schedule import ordered
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph
from lazyarr.ir.text import parse

#: The body reads one buffer and writes another; then they exchange their addresses.
POWERS = """graph(%0: {t}[{n},{n}], %1: i64[]) {{
  %2 = const() {{value=i64(0)}} : i64[]
  %3 = const() {{value=i64(1)}} : i64[]
  %4 = loop(%2, %1, %3, %0) {{body=graph(%0: i64[], %1: {t}[{n},{n}]) {{
    %2 = {body} : {t}[{n},{n}]
    return %2
  }}, carried=1, until=-1}} : {t}[{n},{n}]
  return %4
}}"""


@pytest.mark.parametrize("body", ["matmul(%1, %1)", "transpose(%1) {axes=(1, 0)}", "roll(%1) {axis=0, shift=1}"])
@pytest.mark.parametrize("dtype", ["i64", "i32", "f64"])
def test_buffers_that_take_turns(dtype: str, body: str) -> None:
    for n in (2, 5, 6, 8, 13, 40):
        graph = parse(POWERS.format(t=dtype, n=n, body=body))
        run = compile(graph)
        array = np.eye(n, dtype={"i64": np.int64, "i32": np.int32, "f64": np.float64}[dtype])
        array[0, 1], array[-1, 0] = 1, 2
        for count in range(6):
            arguments: list[Any] = [array, np.int64(count)]
            (found,) = run(arguments)
            np.testing.assert_array_equal(found, interpret(graph, arguments)[0], strict=True)


#: A check whose condition is made of what a branch gives, and comes last in the order of the results.
PROTECTED = """graph(%0: i64[4], %1: f64[5,3], %2: f64[]) {
  %3 = const() {value=i64(0)} : i64[]
  %4 = const() {value=i64(6)} : i64[]
  %5 = const() {value=i64(1)} : i64[]
  %6 = const() {value=bool(True)} : bool[]
  %7, %8 = loop(%3, %4, %5, %2, %6, %0, %1) {body=graph(%0: i64[], %1: f64[], %2: bool[], %3: i64[4], %4: f64[5,3]) {
    %5 = const() {value=i64(3)} : i64[]
    %6 = less(%0, %5) : bool[]
    %7 = cond(%6, %3) {orelse=graph(%0: i64[4]) {
      return %0
    }, then=graph(%0: i64[4]) {
      %1 = add(%0, %0) : i64[4]
      return %1
    }} : i64[4]
    %8 = window(%7, %5) {dims=(("index",),)} : i64[]
    %9 = window(%4, %8) {dims=(("index",), ("all",))} : f64[3]
    %10 = matmul(%9, %9) : f64[]
    %11 = add(%1, %10) : f64[]
    %12 = const() {value=i64(5)} : i64[]
    %13 = less(%8, %12) : bool[]
    %14 = logical_and(%2, %13) : bool[]
    check %13 CheckFailed "an index is in range"
    return %11, %14
  }, carried=2, until=-1} : f64[], bool[]
  return %7
}"""


def test_checks_come_before_what_they_protect() -> None:
    graph = parse(PROTECTED)
    loop = next(node for node in graph.nodes if node.op.name == "loop")
    body: Graph = loop.kw["body"]
    names = [(node.op.name, node) for node in ordered(body, Plan(body))]
    check = next(k for k, (_, node) in enumerate(names) if node is body.checks[0].ok.node)
    row = next(k for k, (name, node) in enumerate(names) if name == "window" and node.types[0].shape == (3,))
    assert check < row


def test_an_index_far_out_of_range_ends_the_program() -> None:
    from lazyarr.ir.graph import CheckFailed

    graph = parse(PROTECTED)
    with pytest.raises(CheckFailed):
        compile(graph)([np.full(4, 2**40), np.ones((5, 3)), np.float64(0)])
    (found,) = compile(graph)([np.full(4, 2), np.ones((5, 3)), np.float64(0)])
    assert found == 6 * 3
