"""What is decided of boxes, against sets of indices."""

from __future__ import annotations

import itertools

import pytest

from lazyarr.passes import boxes

RANGES = [
    range(start, stop, step)
    for start in range(7)
    for stop in range(-1, 8)
    for step in (1, 2, 3, -1, -2)
    if all(0 <= i < 7 for i in range(start, stop, step))
]


def test_normal_form_is_one_for_equal_ranges() -> None:
    forms: dict[tuple[int, ...], set[tuple[int, int, int]]] = {}
    for r in RANGES:
        n = boxes.normal(r)
        assert list(n) == list(r)
        forms.setdefault(tuple(r), set()).add((n.start, n.stop, n.step))
    assert all(len(found) == 1 for found in forms.values())


def test_pairs_of_ranges() -> None:
    normal = sorted({boxes.normal(r) for r in RANGES}, key=lambda r: (r.start, r.stop, r.step))
    for a, b in itertools.product(normal, repeat=2):
        assert boxes.disjoint((a,), (b,)) == (not set(a) & set(b)), (a, b)
        positions = boxes.within((a,), (b,))
        if positions is None:
            assert not set(a) <= set(b) or (len(a) > 1 and a.step % b.step), (a, b)
        else:
            assert [b[k] for k in positions[0]] == list(a), (a, b)
        if len(a) == 7 and len(b):
            assert list(boxes.select((a,), (b,))[0]) == [a[k] for k in b]


@pytest.mark.parametrize(("outer", "inner"), [(range(1, 9, 2), range(3, 0, -1)), (range(6, -1, -2), range(1, 4))])
def test_a_selection_of_a_selection(outer: range, inner: range) -> None:
    assert list(boxes.select((outer,), (inner,))[0]) == list(outer[inner.start : inner.stop : inner.step])


def test_a_box_is_disjoint_by_one_axis_and_within_by_all() -> None:
    a, b = (range(2), range(4)), (range(2, 4), range(4))
    assert boxes.disjoint(a, b)
    assert boxes.within((range(1), range(3)), a) == (range(1), range(3))
    assert boxes.within((range(1), range(5)), a) is None
