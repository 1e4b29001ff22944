"""indexed_axes: along which axes a program takes arrays one index after another, as histories of a loop in time.

Such an axis is better not split: each step would be one rank's, and the others would send it what they have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from lazyarr.ir.graph import Graph
from lazyarr.ir.layout import Grid, Layout, default, is_whole
from lazyarr.ir.node import Node, Value

#: Different indices of an axis at which arrays are written or read alone for that to be how they are used: borders of
#: grids are some, too.
_INDICES = 8
#: The part of an axis that is taken so of an array that is split along it, before it is split along another.
_PART = 16
#: Indices of another axis that are worth being split: coordinates of points are few.
_LONG = 256
#: Operations that take one box of their first operand, or give it with one box replaced.
_READS, _WRITES = frozenset(("slice", "window")), frozenset(("update_slice", "put_window"))
#: And those that have them in their graphs.
TAKES = _READS | _WRITES | {"loop"}

#: By value, the axes.
Axes = Mapping[Value, frozenset[int]]


def indexed_axes(graph: Graph) -> Axes:
    """For arrays that a graph takes or makes, the axes along which it takes them one index after another."""
    return {value: axes for value, axes in _taken(graph).items() if axes}


def layout_beside(shape: tuple[int, ...], grid: Grid, axes: frozenset[int]) -> Layout:
    """The default layout, along other axes than some; along any where these are not long enough."""
    found = default([1 if axis in axes or n < _LONG else n for axis, n in enumerate(shape)], grid)
    even = default(shape, grid)
    split = sum(s is not None for s in found), sum(s is not None for s in even)
    return even if is_whole(found) or split[0] < split[1] else found


def is_history(indices: set[object], extent: int) -> bool:
    """Whether so many indices of an axis have been taken alone that an array is better split along another.

    Where it is split that way already, what that sends is little beside what has been sent for these.
    """
    return None in indices or len(indices) >= max(_INDICES, extent // _PART)


def _taken(graph: Graph) -> dict[Value, frozenset[int]]:
    at, wide = indices_taken(graph)
    return {
        value: frozenset(
            axis for axis, indices in found.items()
            if axis not in wide[value] and (None in indices or len(indices) >= _INDICES)
        )
        for value, found in at.items()
    }  # fmt: skip


def indices_taken(graph: Graph) -> tuple[Mapping[Value, Mapping[int, set[object]]], Mapping[Value, set[int]]]:
    """How a graph takes parts of arrays that it takes or makes.

    Returns
    -------
    mapping of Value to mapping of int to set
        By axis, the indices at which it takes one alone; None for those that data says.
    mapping of Value to set of int
        The axes along which it takes several, and not all.
    """
    at: dict[Value, dict[int, set[object]]] = defaultdict(lambda: defaultdict(set))
    wide: dict[Value, set[int]] = defaultdict(set)
    for node in graph.nodes:
        name = node.op.name
        if name in _READS or name in _WRITES:
            source = origin(node.operands[0])
            for axis, index in _alone(node):
                at[source][axis].add(index)
            wide[source] |= _cut(node)
        elif name == "loop":
            body = node.kw["body"]
            for param, axes in _taken(body).items():
                if param.node.op.name == "param" and (k := body.params.index(param)) > 0:
                    for axis in axes:
                        at[origin(node.operands[2 + k])][axis].add(None)
    return at, wide


def origin(value: Value) -> Value:
    """What an array was before it was written to."""
    while value.node.op.name in _WRITES or (value.node.op.name == "loop" and value.index < value.node.kw["carried"]):
        value = value.node.operands[0] if value.node.op.name in _WRITES else value.node.operands[3 + value.index]
    return value


def _alone(node: Node) -> list[tuple[int, object]]:
    """The axes along which an operation takes one index, with that; with None where data says which."""
    shape = node.operands[0].type.shape
    if "dims" in node.kw:
        return [(axis, None) for axis, dim in enumerate(node.kw["dims"]) if _is_one(dim)]
    bounds = zip(node.kw["start"], node.kw["stop"], shape, strict=True)
    return [(axis, start) for axis, (start, stop, n) in enumerate(bounds) if n != 1 and stop - start == 1]


def _is_one(dim: tuple[object, ...]) -> bool:
    """Whether an entry of a window takes one index, and drops the axis or keeps it."""
    return dim[0] == "index" or dim[:2] == ("block", 1)


def _cut(node: Node) -> set[int]:
    """The axes along which an operation takes some indices, neither all nor one."""
    shape = node.operands[0].type.shape
    if "dims" in node.kw:
        return {axis for axis, dim in enumerate(node.kw["dims"]) if dim[0] != "all" and not _is_one(dim)}
    bounds = zip(node.kw["start"], node.kw["stop"], node.kw["step"], shape, strict=True)
    return {
        axis for axis, (start, stop, step, n) in enumerate(bounds)
        if abs(stop - start) != 1 and not (start == 0 and stop == n and step == 1)
    }  # fmt: skip

