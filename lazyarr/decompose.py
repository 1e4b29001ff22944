"""Find the NumPy expression that makes a given view: reshape, basic index, transpose, new axes.

A write through a view of a view of a view changes one storage cell. The views are known as offset and strides into
the cell's memory; what the compiler needs is one selection of the cell's value, which it can read by slicing and write
by updating a slice. `decompose` finds it, whatever way the program took to the view.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from lazyarr.strides import AxisEntry, Index, Shape, Strides, full_entry


class Decomposition(NamedTuple):
    """A view as ``expand_dims(regroup(base)[key].transpose(perm), newaxes)``.

    Attributes
    ----------
    regroup : (tuple of int, tuple of int) or None
        ``(order, shape)``: index ``base.transpose(order).reshape(shape)``, always a view, instead of ``base``. None
        wherever ``base`` itself will do.
    axes : tuple of AxisEntry
        The basic index, one entry for each axis of the (regrouped) base.
    perm : tuple of int
        The transpose of what the index leaves.
    newaxes : tuple of int
        Positions of inserted axes of size 1 in the view, ascending.
    """

    regroup: tuple[tuple[int, ...], Shape] | None
    axes: tuple[AxisEntry, ...]
    perm: tuple[int, ...]
    newaxes: tuple[int, ...]

    def key(self) -> tuple[int | slice | None, ...]:
        """Return the index as a key for a NumPy array."""
        return Index(self.axes, ()).key()


def decompose(
    base_shape: Shape, base_strides: Strides, itemsize: int, offset: int, shape: Shape, strides: Strides
) -> Decomposition | None:
    """Find a selection of a dense base that is the given view, None if there is none.

    The search is complete: None means that no regrouping of the base's axes, basic index and transpose makes the view
    (it repeats elements, or has elements along one line of memory on two axes), that the base is not dense, or that
    base or view are empty and not the same. The strides of the view's axes of size 1 do not matter.

    Parameters
    ----------
    base_shape, base_strides
        The base: its elements fill its memory, in any order of axes.
    itemsize : int
        Of base and view both: a view of another dtype is not a selection.
    offset : int
        Bytes from the base's first element to the view's.
    shape, strides
        The view. To decompose a broadcast view give 1 for each extent along which the stride is 0, and broadcast the
        result.
    """
    if not offset and shape == base_shape and strides == base_strides:
        everything: tuple[AxisEntry, ...] = tuple([full_entry(n) for n in base_shape])
        return Decomposition(None, everything, tuple(range(len(shape))), ())
    if 0 in shape or 0 in base_shape or not itemsize or offset % itemsize:
        return None
    start = offset // itemsize
    if not 0 <= start < math.prod(base_shape):
        return None
    wanted: list[tuple[int, int, int]] = []  # (step in elements, extent, axis of the view)
    for axis, (n, stride) in enumerate(zip(shape, strides, strict=True)):
        if n != 1:
            if not stride or stride % itemsize:
                return None
            wanted.append((stride // itemsize, n, axis))
    wanted.sort(key=lambda want: -abs(want[0]))

    order = sorted(range(len(base_shape)), key=lambda k: (base_shape[k] != 1, -base_strides[k]))
    steps = [0] * len(base_shape)
    step = 1
    for k in reversed(order):
        if base_shape[k] != 1 and base_strides[k] != step * itemsize:
            return None
        steps[k] = step
        step *= base_shape[k]

    placed = _place(base_shape, steps, order, start, wanted)
    if placed is not None:
        return _assemble(None, placed, base_strides, shape, strides)

    # Cut the base's memory anew, as coarsely as the view's steps allow: each cell divides the one before and the step
    # that it serves. Any other cut that works is a refinement of this one, so if this fails, all do.
    total = math.prod(base_shape)
    cells = []
    cell = total
    for step, _, _ in wanted:
        cell = math.gcd(cell, step)
        cells.append(cell)
    if cell != 1:
        cells.append(1)
    newshape = tuple([outer // inner for outer, inner in zip([total, *cells[:-1]], cells, strict=True)])
    placed = _place(newshape, cells, list(range(len(cells))), start, wanted)
    if placed is None:
        return None
    moving = [k for k in order if base_shape[k] != 1]
    if moving == sorted(moving):  # C order: where the axes of size 1 stand is all one, so leave them
        order.sort()
    return _assemble((tuple(order), newshape), placed, [cell * itemsize for cell in cells], shape, strides)


_Placed = tuple[list[AxisEntry], dict[int, int]]


def _place(
    extents: Shape, steps: list[int], order: list[int], start: int, wanted: list[tuple[int, int, int]]
) -> _Placed | None:
    """Give each wanted step, largest first, an axis of a dense base; None if one fits none.

    ``order`` has the base's axes from outermost to innermost. A step belongs on the outermost axis whose own step is no
    larger: one such step would already lead out of any axis further in. Returns the index of each axis, and the axis of
    the view for each axis of the base that is sliced.
    """
    entries: list[AxisEntry] = [("int", 0)] * len(extents)
    view_axis: dict[int, int] = {}
    next_want = 0
    for k in order:
        size, step = extents[k], steps[k]
        if size == 1:
            continue
        i, start = divmod(start, step)
        if next_want < len(wanted) and step <= abs(wanted[next_want][0]):
            want, n, axis = wanted[next_want]
            next_want += 1
            stride, remainder = divmod(want, step)
            last = i + stride * (n - 1)
            if remainder or not 0 <= last < size:
                return None
            entries[k] = ("slice", i, last + (1 if stride > 0 else -1), stride, n)
            view_axis[k] = axis
        else:
            entries[k] = ("int", i)
    return (entries, view_axis) if next_want == len(wanted) else None


def _assemble(
    regroup: tuple[tuple[int, ...], Shape] | None,
    placed: _Placed,
    base_strides: Strides | list[int],
    shape: Shape,
    strides: Strides,
) -> Decomposition:
    """Work out the transpose, and let axes of size 1 be slices of length 1 where their stride says that they are."""
    entries, view_axis = placed
    newaxes = []
    for axis, n in enumerate(shape):
        if n == 1:
            for k, entry in enumerate(entries):
                if entry[0] == "int" and base_strides[k] == strides[axis]:
                    entries[k] = ("slice", entry[1], entry[1] + 1, 1, 1)
                    view_axis[k] = axis
                    break
            else:
                newaxes.append(axis)
    left = [view_axis[k] for k in sorted(view_axis)]
    perm = sorted(range(len(left)), key=left.__getitem__)
    return Decomposition(regroup, tuple(entries), tuple(perm), tuple(newaxes))
