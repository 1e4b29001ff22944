"""XLA: arrays of which single elements are written, in place.

XLA's CPU compiler makes a new array once more for whoever reads it, within the computation of what is read. The old
one is then still alive when its elements are overwritten, and XLA copies it: in a loop over elements, all of it each
time. So elements are written last, when all that is read of the array has been read: windows of it are read from what
was there before, and what has been written since is put into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazyarr.ir.node import Node, Value
from lazyarr.ops.window import PUT_WINDOW
from lazyarr.ops.xla_update import set_apart
from lazyarr.ops.xla_windows import over_written, put_window, window

#: Elements that wait at most: each costs whoever reads a window of the array.
_MOST = 4
#: Elements of an array that take as long to copy as it takes XLA on the CPU to enter a conditional.
_CHEAP_COPY = 2048


def writes_element(node: Node) -> bool:
    """Whether a node writes one element of an array."""
    return node.op is PUT_WINDOW and all(dim[0] == "index" for dim in node.kw["dims"])


class Written:
    """An array, and elements that it has besides.

    Parameters
    ----------
    array : jax array
        What was there before.
    elements : sequence of (tuple of Value, sequence of scalars, scalar)
        Where elements stand, in the graph and in XLA, and what they are, the last one written last.
    """

    def __init__(self, array: Any, elements: Sequence[tuple[tuple[Value, ...], Sequence[Any], Any]] = ()):
        self._array = array
        self._elements = tuple(elements)

    def with_element(self, jax: Any, at: tuple[Value, ...], places: Sequence[Any], value: Any) -> Written:
        """The array with one more element; what stood there before need not be written."""
        if len(self._elements) == _MOST:
            return Written(self.whole(jax), [(at, places, value)])
        return Written(self._array, [*(e for e in self._elements if e[0] != at), (at, places, value)])

    def whole(self, jax: Any) -> Any:
        """The array with the elements in it."""
        array, values = self._array, [value for _, _, value in self._elements]
        if len(values) > 1 and array.size > _CHEAP_COPY:
            # None is written before all are known: they may be made of elements of the array.
            values = set_apart(jax, *values)
        for (_, places, _), value in zip(self._elements, values, strict=True):
            array = put_window(jax, array, value, *places, dims=(("index",),) * array.ndim)
        return array

    def window(self, jax: Any, scalars: Sequence[Any], dims: tuple[tuple[Any, ...], ...]) -> Any:
        """A window of the array with the elements in it."""
        found = window(jax, self._array, *scalars, dims=dims)
        for _, places, value in self._elements:
            found = over_written(jax, found, value, places, scalars, dims)
        return found
