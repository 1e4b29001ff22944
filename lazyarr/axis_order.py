"""In which order NumPy goes through the axes of arrays, as lists of axes.

`lazyarr.strides` and `lazyarr.memory_order` make strides of them.
"""

from __future__ import annotations

from collections.abc import Sequence


def says_of_axes(operands: Sequence[tuple[tuple[int, ...], tuple[int, ...]]], ndim: int) -> list[list[int]]:
    """Return what each operand says of each axis: its step, or 0 for no say."""
    says = []
    for op_shape, op_strides in dict.fromkeys(operands):
        steps = [0 if n == 1 else abs(s) for n, s in zip(op_shape, op_strides, strict=True)]
        says.append([0] * (ndim - len(steps)) + steps)
    return says


def visited(says: Sequence[Sequence[int]], ndim: int) -> list[int]:
    """Return the axes as ``nditer`` visits them, the innermost first."""
    # A stable insertion sort. A pair that nobody decides is stepped over, not stopped at: the relation is not
    # transitive, so the sort's own path is part of NumPy's rule.
    axes = list(range(ndim - 1, -1, -1))
    for taken in range(1, ndim):
        axis = axes[taken]
        place = taken
        for at in range(taken - 1, -1, -1):
            other = axes[at]
            votes = [op[other] > op[axis] for op in says if op[other] and op[axis]]
            if votes:
                if not all(votes):
                    break
                place = at
        if place != taken:
            axes.insert(place, axes.pop(taken))
    return axes


def dense_along(shape: tuple[int, ...], itemsize: int, axes: Sequence[int]) -> tuple[int, ...]:
    """Return dense strides for a non-empty shape with ``axes`` from innermost to outermost."""
    strides = [0] * len(shape)
    step = itemsize
    for axis in axes:
        strides[axis] = step
        step *= shape[axis]
    return tuple(strides)
