"""The order in memory that NumPy gives results of several kinds of functions: which axis is the innermost.

As in `lazyarr.strides` (which knows what element by element operations, copies and views are laid out as), shapes and
strides are tuples of plain integers, and the rules are NumPy's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from lazyarr.axis_order import dense_along, says_of_axes, visited, voted
from lazyarr.ir.extents import is_static
from lazyarr.strides import Shape, Strides, contiguous, is_c_contiguous, is_f_contiguous, keep_order


def joined(operands: Sequence[tuple[Shape, Strides]], shape: Shape, itemsize: int) -> Strides:
    """Return the strides of ``np.concatenate`` of `operands`, which have as many axes as the result.

    Of two axes the one with the larger stride in absolute value comes outer, if all operands in which both are longer
    than one agree on it; otherwise C order stays. Unlike in `keep_order`, a stride of 0 is a small stride.
    """
    ndim = len(shape)
    if ndim < 2 or 0 in shape or not is_static(shape) or all(_falling(strides) for _, strides in operands):
        return contiguous(shape, itemsize)
    given = dict.fromkeys(operands)
    axes = voted(
        range(ndim),
        lambda axis, other: [abs(s[axis]) > abs(s[other]) for n, s in given if n[axis] != 1 and n[other] != 1],
    )
    return dense_along(shape, itemsize, axes[::-1])


def _falling(strides: Strides) -> bool:
    """Return whether no axis steps further than one before it."""
    return all(abs(outer) >= abs(inner) for outer, inner in pairwise(strides))


def by_stride(shape: Shape, strides: Strides, itemsize: int) -> Strides:
    """Return the dense strides that keep the order of the absolute strides; broadcast axes are the innermost."""
    if len(shape) < 2 or 0 in shape or _falling(strides):
        return contiguous(shape, itemsize)
    return dense_along(shape, itemsize, sorted(range(len(shape)), key=lambda axis: -abs(strides[axis]))[::-1])


def like(shape: Shape, strides: Strides, itemsize: int, wanted: Shape, wanted_itemsize: int) -> Strides:
    """Return the strides of ``np.empty_like(a, shape=wanted)`` where `a` has the given ones, and order is "K"."""
    if len(wanted) != len(shape) or len(shape) < 2 or is_c_contiguous(shape, strides, itemsize):
        return contiguous(wanted, wanted_itemsize)
    if is_f_contiguous(shape, strides, itemsize):
        return contiguous(wanted, wanted_itemsize, "F")
    return by_stride(wanted, strides, wanted_itemsize)


def gathered(
    indices: Sequence[tuple[Shape, Strides]], block: Shape, rest: Shape, strides: Strides, itemsize: int
) -> Strides:
    """Return the strides of what index arrays read, the axes they make in front.

    Parameters
    ----------
    indices : sequence of (shape, strides)
        The index arrays.
    block : tuple of int
        What they broadcast to.
    rest, strides : tuple of int
        The axes that no index array addresses, and their strides in the array that is read.
    itemsize : int
        The result's.
    """
    size = itemsize
    for n in rest:
        size *= n
    # (Where what is read for each index is one element, NumPy walks in the order of the index arrays.)
    outer = keep_order(indices, block, size) if size == itemsize else contiguous(block, size)
    return (*outer, *by_stride(rest, strides, itemsize))


def looped(operands: Sequence[tuple[Shape, Strides]], shape: Shape, core: int, itemsize: int) -> Strides:
    """Return the strides of a generalized ufunc's result, whose last `core` axes are not looped over.

    `operands` are the axes of its inputs over which it loops.
    """
    padded = [((*n, *(1,) * core), (*s, *(0,) * core)) for n, s in operands]
    return keep_order(padded, shape, itemsize)


def flat_order(shape: Shape, strides: Strides) -> list[int]:
    """Return the axes as NumPy goes through an array in memory's order (``ravel("K")``), the innermost first."""
    return visited(says_of_axes([(shape, strides)], len(shape)), len(shape))
