"""In which order NumPy goes through the axes of arrays, as lists of axes.

`lazyarr.strides` and `lazyarr.memory_order` make strides of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence


def says_of_axes(operands: Sequence[tuple[tuple[int, ...], tuple[int, ...]]], ndim: int) -> list[list[int]]:
    """Return what each operand says of each axis: its step, or 0 for no say."""
    says = []
    for op_shape, op_strides in dict.fromkeys(operands):
        steps = [0 if n == 1 else abs(s) for n, s in zip(op_shape, op_strides, strict=True)]
        says.append([0] * (ndim - len(steps)) + steps)
    return says


def visited(says: Sequence[Sequence[int]], ndim: int) -> list[int]:
    """Return the axes as ``nditer`` visits them, the innermost first."""
    return voted(
        range(ndim - 1, -1, -1), lambda axis, other: [op[other] > op[axis] for op in says if op[other] and op[axis]]
    )


def voted(order: Iterable[int], votes_for: Callable[[int, int], list[bool]]) -> list[int]:
    """Return axes as NumPy sorts them: ``votes_for(axis, other)`` says of each operand whether `axis` comes first."""
    # A stable insertion sort. A pair that nobody decides is stepped over, not stopped at: the relation is not
    # transitive, so the sort's own path is part of NumPy's rule.
    axes = list(order)
    for taken in range(1, len(axes)):
        axis = axes[taken]
        place = taken
        for at in range(taken - 1, -1, -1):
            votes = votes_for(axis, axes[at])
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
