"""Nodes that the extension makes are those that Python makes; it keeps none that nobody has."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr.ir import node as nodes
from lazyarr.ir.extension import compiled
from lazyarr.ir.node import Literal, Node, Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import leaf
from lazyarr.ops.create import const
from lazyarr.runtime import credit
from tests.threads import switching_often

F64 = np.dtype(np.float64)
needs_extension = pytest.mark.skipif(compiled is None, reason="no C compiler was there at installation")
WAYS = [nodes._make, pytest.param(nodes.make, marks=needs_extension)]


def vector(count: int = 3) -> Value:
    return leaf(np.zeros(count), ArrayType(F64, (count,)))


@pytest.mark.parametrize("make", WAYS)
def test_equal_ones_are_one(make: Callable[..., Node]) -> None:
    x, y = vector(), vector()
    add, reduce, cast = OPS["add"], OPS["reduce"], OPS["cast"]
    one = make(add, (x, y))
    assert make(add, (Value(x.node, 0), y), ()) is one
    assert make(add, (y, x)) is not one
    assert make(OPS["subtract"], (x, y)) is not one
    total = make(reduce, (x,), (("axes", (0,)), ("kind", "add")))
    assert make(reduce, (x,), (("axes", (0,)), ("kind", "add"))) is total
    assert make(reduce, (x,), (("axes", (0,)), ("kind", "multiply"))) is not total
    assert make(cast, (x,), (("dtype", np.dtype("f4")),)) is make(cast, (x,), (("dtype", np.dtype("<f4")),))
    assert total.kw == {"axes": (0,), "kind": "add"} and total.types == (ArrayType(F64),)
    assert one.kw == {} and one.attrs == () == one.known and one.lines == frozenset()
    halves = make(OPS["frexp"], (x,))
    assert make(add, (x, Value(halves, 0))) is not make(add, (Value(halves, 0), x))


@pytest.mark.parametrize("make", WAYS)
def test_attributes_that_python_holds_equal(make: Callable[..., Node]) -> None:
    x = vector()
    zero, minus = (make(OPS["const"], (), (("value", Literal(v, F64)),)) for v in (0.0, -0.0))
    assert zero is not minus and make(OPS["const"], (), (("value", Literal(0.0, F64)),)) is zero
    axes = [make(OPS["reduce"], (x,), (("axes", (a,)), ("kind", "add"))) for a in (0, False)]
    assert axes[0] is not axes[1] and axes[1].known != axes[0].known


@pytest.mark.parametrize("make", WAYS)
def test_what_a_type_rule_raises(make: Callable[..., Node]) -> None:
    for _ in range(3):
        with pytest.raises(ValueError, match="broadcast"):
            make(OPS["add"], (vector(3), vector(4)))


@needs_extension
def test_wrong_arguments() -> None:
    for wrong in ((), (OPS["add"], [vector()]), (OPS["add"], (1,)), (OPS["add"], ((1, 2),)), (OPS["add"], (), 3)):
        with pytest.raises(TypeError):
            compiled.make(*wrong)
    with pytest.raises(TypeError):
        compiled.credit(3)


@needs_extension
def test_none_is_kept() -> None:
    gc.collect()
    before = compiled.known()
    x, y = vector(), vector()
    counts = []
    for _ in range(3):
        made = [x]
        # (So many that the table grows, and so deep that they are not freed within each other.)
        for _ in range(20_000):
            made.append(Value(nodes.make(OPS["add"], (made[-1], y)), 0))
        assert compiled.known() == before + 20_000
        last = made[-1]
        del made
        assert compiled.known() == before + 20_000
        again = x
        for _ in range(20_000):
            again = Value(nodes.make(OPS["add"], (again, y)), 0)
        assert again.node is last.node
        del again, last
        assert compiled.known() == before
        counts.append([sys.getrefcount(v) for v in (x, y, x.node, OPS["add"])])
    # (The first time what has been inferred is kept, which refers to the operation.)
    assert counts[1] == counts[2]


@needs_extension
def test_one_that_dies_in_a_cycle() -> None:
    gc.collect()
    before = compiled.known()
    made = nodes.make(OPS["negative"], (vector(),))
    data: list[Any] = [None]
    held = leaf(data, ArrayType(F64, (3,)))
    data[0] = nodes.make(OPS["negative"], (held,))
    assert compiled.known() == before + 2
    del data, held, made
    gc.collect()
    assert compiled.known() == before


@pytest.mark.parametrize("make", WAYS)
def test_threads_get_one(make: Callable[..., Node]) -> None:
    x = vector()
    found: list[list[Node]] = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def work(mine: list[Node]) -> None:
        start.wait()
        for k in range(300):
            attrs = (("axes", (0,)), ("kind", "add"))
            scaled = make(OPS["multiply"], (x, const(float(k), F64)))
            mine += [scaled, make(OPS["reduce"], (Value(scaled, 0),), attrs)]

    threads = [threading.Thread(target=work, args=(mine,)) for mine in found]
    with switching_often():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(len({id(node) for node in made}) == 1 for made in zip(*found, strict=True))


@needs_extension
def test_lines() -> None:
    here = sys._getframe()
    node = nodes.make(OPS["negative"], (vector(),))
    credit(node)
    lines = {(__file__, here.f_lineno - 1)}
    assert node.lines == lines
    for _ in range(2):
        credit(node, node)
        lines.add((__file__, here.f_lineno - 1))
        assert node.lines == lines
    assert len(lines) == 2
    exec(compile("\n\ncredit(node)", "elsewhere.py", "exec"), {"credit": credit, "node": node})
    assert node.lines == lines | {("elsewhere.py", 3)}
    other = nodes.make(OPS["negative"], (vector(),))
    inner = compile("credit(node)", np.__file__, "exec")
    exec(inner, {"credit": credit, "node": other})
    assert other.lines == {(__file__, here.f_lineno - 1)}
