"""What canonicalize may merge, to the bit."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, Program, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.create import const
from lazyarr.passes.canonicalize import _COMMUTATIVE, _MIRRORED, Canonicalize, casts_merge
from tests.bits import assert_same_bits, same_bits, special_values

FLOAT = ArrayType(DTYPES["f64"], (3,))


def cast(x: Any, dtype: np.dtype[Any]) -> Any:
    return lookup("cast").evaluate(np, x, dtype=dtype)


@pytest.mark.parametrize("source", DTYPES)
def test_casts_that_merge_are_one_cast(source: str) -> None:
    values = special_values(DTYPES[source])
    merged = 0
    with np.errstate(all="ignore"):
        for middle, target in itertools.product(DTYPES.values(), repeat=2):
            if casts_merge(DTYPES[source], middle, target):
                merged += 1
                assert same_bits(cast(cast(values, middle), target), cast(values, target)), (source, middle, target)
    assert merged >= 5


def test_there_and_back_merges_exactly_where_nothing_is_lost() -> None:
    for narrow, wide in itertools.product(DTYPES.values(), repeat=2):
        assert casts_merge(narrow, wide, narrow) == np.can_cast(narrow, wide) or (narrow.kind, wide.kind) in (
            # NumPy calls these safe though float64 has 53 bits.
            ("i", "f"), ("u", "f"), ("i", "c"), ("u", "c"),
        ), (narrow, wide)  # fmt: skip
    assert not casts_merge(DTYPES["i64"], DTYPES["f64"], DTYPES["i64"])
    assert not casts_merge(DTYPES["u64"], DTYPES["c128"], DTYPES["u64"])
    assert casts_merge(DTYPES["i32"], DTYPES["f64"], DTYPES["i32"])


@pytest.mark.parametrize("name", [*_COMMUTATIVE, *_MIRRORED])
def test_operands_are_swapped_where_no_bit_changes(name: str) -> None:
    swapped = 0
    for dtype in DTYPES.values():
        if dtype.kind not in _COMMUTATIVE.get(name, "biufc"):
            continue
        values = special_values(dtype)
        x, y = np.repeat(values, len(values)), np.tile(values, len(values))
        a, b = (param(k, ArrayType(dtype, x.shape)) for k in range(2))
        try:
            graph = Graph([a, b], [apply(lookup(name), b, a)])
        except TypeError:
            continue
        after = Canonicalize().run(Program(graph)).graph
        assert after.nodes[0].operands == (a, b)
        assert_same_bits(interpret(after, [x, y]), interpret(graph, [x, y]))
        swapped += 1
    assert swapped


def test_a_power_that_numpy_refuses_is_left_to_its_check() -> None:
    power = apply(lookup("power"), const(2), const(-1))
    x = param(0, FLOAT)
    graph = Graph([x], [power])
    assert Canonicalize().run(Program(graph)).graph is graph


def test_a_dynamic_slice_that_leaves_the_array_is_left_to_its_check() -> None:
    x = param(0, FLOAT)
    graph = Graph([x], [apply(lookup("dynamic_slice"), x, const(2), lengths=(2,))])
    assert Canonicalize().run(Program(graph)).graph is graph


def test_a_scalar_exponent_stays_what_it_is() -> None:
    """``numpy.power`` gives other bits for a scalar exponent than for an array of it."""
    x, y = param(0, FLOAT), param(1, ArrayType(DTYPES["f64"]))
    graph = Graph([x, y], [apply(lookup("power"), x, apply(lookup("full"), y, shape=(3,)))])
    assert Canonicalize().run(Program(graph)).graph is graph


def test_a_long_chain_of_writes_is_read_through() -> None:
    x = param(0, ArrayType(DTYPES["f64"], (50,)))
    values = [param(k + 1, ArrayType(DTYPES["f64"], (1,))) for k in range(40)]
    written = x
    for k, value in enumerate(values):
        written = apply(lookup("update_slice"), written, value, start=(k,), stop=(k + 1,), step=(1,))
    read = [apply(lookup("slice"), written, start=(k,), stop=(k + 1,), step=(1,)) for k in (0, 39, 45)]
    after = Canonicalize().run(Program(Graph([x, *values], read))).graph
    assert after.results[:2] == (values[0], values[39])
    assert after.results[2].node.operands == (x,)


def test_memory_for_the_longest_is_what_its_beginning_was_a_window_of() -> None:
    x, n = param(0, FLOAT), param(1, ArrayType(DTYPES["i64"]))
    zero, one = const(0, DTYPES["i64"]), const(1, DTYPES["i64"])
    first = apply(lookup("window"), x, zero, n, dims=(("slice", 1),))
    later = apply(lookup("window"), x, one, n, dims=(("slice", 1),))
    graph = Graph([x, n], [apply(lookup("reserve"), part, shape=(3,)) for part in (first, later)])
    after = Canonicalize().run(Program(graph)).graph
    assert after.results[0] == after.params[0]
    assert after.results[1].node.op.name == "reserve"
