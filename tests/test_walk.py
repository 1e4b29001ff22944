"""Walks over graphs in C give what Python's give."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from lazyarr.ir import graph
from lazyarr.ir.graph import param
from lazyarr.ir.node import Value, apply_all
from lazyarr.ir.op import OPS
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import LEAF, leaf
from lazyarr.ops.create import const

F64 = np.dtype(np.float64)
needs_extension = pytest.mark.skipif(graph._walk is None, reason="no C compiler was there at installation")


def some_graph(seed: int, with_params: bool = False) -> list[Value]:
    """Values, each made of ones before it."""
    rng = random.Random(seed)
    type = ArrayType(F64, (3,))
    values = [leaf(np.zeros(3), type), const(2.5, F64), leaf(np.ones(3), type)]
    if with_params:
        values.append(param(0, type))
    for k in range(rng.randrange(1, 40)):
        name = rng.choice(["add", "multiply", "sin", "reduce", "frexp"])
        given = [rng.choice(values[-12:]) for _ in range(2 if name in ("add", "multiply") else 1)]
        if name == "reduce":
            given = [v if v.type.shape else values[0] for v in given]
        attrs: dict[str, Any] = {"kind": "add", "axes": (0,)} if name == "reduce" else {}
        if name == "frexp" and given[0].type.dtype != F64:
            continue
        made = apply_all(OPS[name], *given, **attrs)
        for v in made:
            v.node.lines = v.node.lines | {("file.py", rng.randrange(5) + k)}
        values += [v for v in made if v.type.dtype == F64]
    return values


@needs_extension
@pytest.mark.parametrize("seed", range(60))
def test_both_walk_alike(seed: int) -> None:
    values = some_graph(seed, with_params=seed % 2 == 0)
    rng = random.Random(seed)
    roots = [rng.choice(values) for _ in range(rng.randrange(1, 5))]
    assert graph._walk.depth_first(roots) == graph._depth_first(roots)
    assert graph._walk.depth_first(iter(roots)) == graph._depth_first(roots)
    before = {v.node for v in rng.sample(values, len(values) // 3)}
    one, other = set(before), set(before)
    assert graph._walk.depth_first(roots, one) == graph._depth_first(roots, other)
    assert one == other
    if seed % 2:
        found, expected = graph._walk.form(roots, LEAF), graph._form(roots, LEAF)
        assert found == expected
        assert hash(found[0]) == hash(expected[0])


@needs_extension
def test_nothing_is_recursive() -> None:
    value = leaf(np.zeros(3), ArrayType(F64, (3,)))
    for _ in range(100_000):
        (value,) = apply_all(OPS["sin"], value)
    assert len(graph.depth_first([value])) == 100_001
    assert len(graph.form([value], LEAF)[0]) == 100_001


@needs_extension
@pytest.mark.parametrize("wrong", [[1], [(1, 0)], ["ab"], [None], 3])
def test_what_is_no_value_is_refused(wrong: Any) -> None:
    for walk in (graph._walk.depth_first, lambda roots: graph._walk.form(roots, LEAF)):
        with pytest.raises(TypeError):
            walk(wrong)


@needs_extension
def test_parameters_have_no_place_in_a_form() -> None:
    (value,) = apply_all(OPS["sin"], param(0, ArrayType(F64, (3,))))
    with pytest.raises(ValueError, match="a parameter has no place"):
        graph._walk.form([value], LEAF)
