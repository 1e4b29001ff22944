"""Access: what an operand element may change, against loops written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from lazyarr.ir.access import OPAQUE, WHOLE, Along, OperandAccess, Reduced, affected, elementwise, opaque, whole


@given(
    lo=st.integers(-3, 3), width=st.integers(0, 3), step=st.sampled_from([-3, -2, -1, 1, 2, 3]),
    index=st.integers(0, 11), length=st.integers(0, 9),
)  # fmt: skip
def test_along_is_its_definition(lo: int, width: int, step: int, index: int, length: int) -> None:
    entry = Along(0, lo, lo + width, step)
    (block,) = affected((entry,), (index,), (length,))
    reads = [j for j in range(length) if step * j + lo <= index <= step * j + lo + width]
    assert list(block) == reads


def test_other_entries_restrict_nothing() -> None:
    for entry in (WHOLE, OPAQUE, Reduced("add")):
        assert affected((entry, Along(1)), (2, 3), (4, 5)) == (range(4), range(3, 4))


def test_two_entries_on_one_axis_meet() -> None:
    # A diagonal: x[i, i] reads row i and column i.
    access: OperandAccess = (Along(0), Along(0))
    assert affected(access, (2, 2), (4,)) == (range(2, 3),)
    assert list(affected(access, (1, 2), (4,))[0]) == []


@given(mutually_broadcastable_shapes(num_shapes=2, min_side=1, max_side=4, max_dims=3))
def test_elementwise_is_broadcasting(shapes: object) -> None:
    (x, y), result = shapes.input_shapes, shapes.result_shape  # type: ignore[attr-defined]
    positions = np.broadcast_to(np.arange(int(np.prod(x))).reshape(x), result)
    access, _ = elementwise(x, y)
    for number, index in enumerate(np.ndindex(*x)):
        inside = set(itertools.product(*affected(access, index, result)))
        reads = {tuple(map(int, p)) for p in np.argwhere(positions == number)}
        assert reads <= inside
        if all(a == b for a, b in zip(x[::-1], result[::-1])):
            assert reads == inside


def test_whole_and_opaque_have_an_entry_an_axis() -> None:
    assert whole((2, 3), ()) == ((WHOLE, WHOLE), ())
    assert opaque((2,)) == ((OPAQUE,),)


@pytest.mark.parametrize(
    ("entry", "text"),
    [(Along(1), "along(1)"), (Along(0, -1, 1), "along(0,-1,1)"), (Along(2, 0, 0, 2), "along(2,step=2)"),
     (Along(0, 3, 3, -1), "along(0,3,3,step=-1)"), (WHOLE, "whole"), (Reduced("add"), "reduced(add)"),
     (OPAQUE, "opaque")],
)  # fmt: skip
def test_text(entry: object, text: str) -> None:
    assert str(entry) == text
