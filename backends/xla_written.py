"""XLA: arrays of which boxes are written, in place.

XLA's CPU compiler makes a new array once more for whoever reads it, within the computation of what is read. The old
one is then still alive when it is overwritten, and XLA copies it: in a loop over elements, all of it each time. So
boxes are written last, when all that is read of the array has been read: windows of it are read from what was there
before, and what has been written since is put into them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from lazyarr.ir.node import Node, Value
from lazyarr.ops.window import PUT_WINDOW
from lazyarr.ops.xla_update import set_apart
from lazyarr.ops.xla_windows import Dims, over_written, put_window, window

#: Boxes that wait at most: each costs whoever reads a window of the array.
_MOST = 4
#: Elements of an array that take as long to copy as it takes XLA on the CPU to enter a conditional.
_CHEAP_COPY = 2048


def writes_later(node: Node) -> bool:
    """Whether a node writes a box that may wait: at single positions of some axes, all of the others."""
    dims = {dim[0] for dim in node.kw["dims"]} if node.op is PUT_WINDOW else set()
    return "index" in dims and dims <= {"index", "all"}


class Box(NamedTuple):
    """What is to be written, and where: as the graph and as XLA has it."""

    at: tuple[Value, ...]
    dims: Dims
    places: Sequence[Any]
    value: Any


class Written(NamedTuple):
    """An array, and boxes that are still to be written, in this order."""

    array: Any
    boxes: tuple[Box, ...] = ()

    def with_box(self, jax: Any, box: Box) -> Written:
        """The array with one more box; what was to be written there before need not be."""
        if len(self.boxes) == _MOST:
            return Written(whole(jax, [self])[0], (box,))
        return Written(self.array, (*(b for b in self.boxes if (b.at, b.dims) != (box.at, box.dims)), box))

    def window(self, jax: Any, scalars: Sequence[Any], dims: Dims) -> Any:
        """A window of the array with the boxes in it."""
        found = window(jax, self.array, *scalars, dims=dims)
        for box in self.boxes:
            found = over_written(jax, found, box.value, (box.dims, box.places), scalars, dims)
        return found


def whole(jax: Any, arrays: Iterable[Written]) -> list[Any]:
    """Arrays with their boxes in them. None is written before all are known: they may be made of what they replace."""
    arrays = list(arrays)
    values = [box.value for written in arrays for box in written.boxes]
    many = len(values) > 1 and any(written.array.size > _CHEAP_COPY for written in arrays)
    ready = iter(set_apart(jax, *values) if many else values)
    found = []
    for array, boxes in arrays:
        for box in boxes:
            array = put_window(jax, array, next(ready), *box.places, dims=box.dims, apart=many)
        found.append(array)
    return found
