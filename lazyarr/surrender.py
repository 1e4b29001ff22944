"""Arrays that a program may destroy: those it is made of, and which nobody has any more when it has run.

``h[t + 1] = f(h[t])`` gives the cell of `h` a new value, made of the old one with a row replaced. Where the old one's
data is nobody else's, the program writes that row into it; else it copies all of `h` first, in each step of a loop.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from lazyarr.ir.extents import is_static
from lazyarr.ir.graph import Graph, depth_first, unheld
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import LEAF, Leaf, leaf
from lazyarr.ops.linalg import MATMUL
from lazyarr.world import Part

if TYPE_CHECKING:
    from lazyarr.runtime import Recording

#: What programs that destroyed arrays have made, by the nodes that it was recorded as. Another thread may have met one
#: of these before the program began, and record more of it afterwards: what it was made of is lost.
replaced: WeakKeyDictionary[Node, dict[int, Value]] = WeakKeyDictionary()
#: Bytes of an array that is worth being asked for.
_LARGE = 1 << 20
#: What writes into its first operand's memory where it may.
_WRITES = ("update_slice", "put_window")
#: What cannot raise, besides element-wise operations, views and writes.
_SAFE = frozenset(("reduce", "reshape", "concatenate", "pad", "roll", "full", "broadcast", "const"))


class Lost:
    """What stands where the data of an array was that a program has destroyed, and which did not come to its end."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("an exception has ended a program that was writing into this array: its contents are lost")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__getattr__("data")


LOST: Any = Lost()


def note_replaced(found: Mapping[Value, Any]) -> None:
    """Note the data that values have got by a program that has destroyed arrays."""
    # (Threads of which `threading` knows nothing, too.)
    if len(sys._current_frames()) > 1:
        for value, data in found.items():
            replaced.setdefault(value.node, {})[value.index] = leaf(data, value.type)


def renew(now: Recording, roots: Sequence[Value]) -> list[Value]:
    """Have what is pending, and some values, made of what stands in `replaced`."""
    from lazyarr.runtime import storage_lock

    for holder in now.pending():
        value = holder.value
        new = _renewed(value)
        if new is not value:
            with storage_lock:
                # (Another thread may have written meanwhile: its value is the newer one.)
                if holder.value is value:
                    holder.value = new
    now.checks = [(check._replace(ok=_renewed(check.ok)), line) for check, line in now.checks]
    return [_renewed(v) for v in roots]


def _renewed(value: Value) -> Value:
    new: dict[Value, Value] = {}
    nodes = depth_first([value])
    if not any(node in replaced for node in nodes):
        return value
    for node in nodes:
        made = node
        if any(new[v] != v for v in node.operands):
            made = make(node.op, tuple([new[v] for v in node.operands]), node.attrs)
            made.lines |= node.lines
        known = replaced.get(node, {})
        new.update({v: known.get(v.index, v if made is node else Value(made, v.index)) for v in node.values})
    return new[value]


@lru_cache(maxsize=512)
def written(graph: Graph) -> tuple[int, ...]:
    """The parameters of which a program replaces a lesser part, and reads nothing once that is done.

    (What is replaced for the most part is rather made anew, of the old elements and in one pass.)
    """
    bytes: dict[Value, int] = {}
    for node in graph.nodes:
        if node.op.name in _WRITES:
            first, value = node.operands[0], node.operands[1]
            while first.node.op.name in _WRITES:
                first = first.node.operands[0]
            if first.node.op.name == "param" and is_static(first.type.shape) and is_static(value.type.shape):
                bytes[first] = bytes.get(first, 0) + int(value.type.nbytes)
    if not bytes:
        return ()
    roots = set(graph.roots)
    return tuple(
        k for k, p in enumerate(graph.params)
        if p in bytes and p not in roots and p.type.nbytes >= _LARGE and 2 * bytes[p] <= p.type.nbytes
    )  # fmt: skip


@lru_cache(maxsize=512)
def made_anew(graph: Graph) -> tuple[int, ...]:
    """The parameters of which results of the same type are made, element by element, and nothing else: ``x += y``.

    (A result that is written over what it is made of needs no memory of its own.)
    """
    users: dict[Value, list[Node]] = {}
    for node in graph.nodes:
        for v in node.operands:
            users.setdefault(v, []).append(node)
    roots = set(graph.roots)
    made = {v for v in graph.roots if v.node.op.pointwise}
    for node in reversed(graph.nodes):
        # (What a result is made of, element by element.)
        if node.op.pointwise and any(v in made for v in node.values):
            made.update(v for v in node.operands if v.type.shape == node.types[0].shape)
    types = {v.type for v in graph.roots if v.node.op.pointwise}
    return tuple(
        k for k, p in enumerate(graph.params)
        if p in made and p not in roots and p.type in types and is_static(p.type.shape) and p.type.nbytes >= _LARGE
        and all(node.op.pointwise and node.types[0].shape == p.type.shape for node in users[p])
    )  # fmt: skip


@lru_cache(maxsize=512)
def cannot_fail(graph: Graph) -> bool:
    """Whether nothing in a program raises, but for want of memory."""
    return not graph.checks and all(
        node.op.pointwise or node.op.memory in ("view", "free") or node.op.name in _WRITES or node.op.name in _SAFE
        or node.op is MATMUL
        for node in graph.nodes
    ) and not any(True for node in graph.nodes for _ in node.regions)  # fmt: skip


def nobodys(leaves: Sequence[Leaf], which: Sequence[int], roots: Sequence[Value], others: Sequence[Value]) -> list[int]:
    """Those leaves whose data nobody has any more when the values made of them are replaced.

    References are counted: what is not known to refer to a leaf, a value or an array counts as somebody.

    Parameters
    ----------
    leaves : sequence of Leaf
    which : sequence of int
        Which of them are asked for.
    roots : sequence of Value
        What is computed, and replaced by what comes of it.
    others : sequence of Value
        What stays pending.
    """
    if unheld is not None and isinstance(leaves, list):
        # (Mostly somebody has them, which is found out faster there.)
        which = unheld(roots, LEAF, leaves, which)
    places: dict[int, list[tuple[Node, int]]] = {id(leaves[k]): [] for k in which if type(leaves[k]) is Leaf}
    if not places:
        return []
    for node in depth_first(roots):
        for at, (operand, _) in enumerate(node.operands):
            if id(operand) in places:
                places[id(operand)].append((node, at))
    kept = {id(node) for node in depth_first(others)}
    return [k for k in which if id(leaves[k]) in places and id(leaves[k]) not in kept
            and _references(leaves, k, places[id(leaves[k])]) in _alone()]  # fmt: skip


def _references(leaves: Sequence[Leaf], k: int, places: Sequence[tuple[Node, int]]) -> tuple[int, ...]:
    """How many others than operands refer to a leaf, its values, its data; () of data that is not its own."""
    data = leaves[k].data
    array = data.array if isinstance(data, Part) else data
    if type(array) is not np.ndarray or not array.flags.owndata or not array.flags.writeable:
        return ()
    known: dict[int, int] = {}
    first: dict[int, tuple[Node, int]] = {}
    for node, at in places:
        value = id(node.operands[at])
        known[value] = known.get(value, 0) + 1
        first[value] = node, at
    of_values = [sys.getrefcount(node.operands[at]) - known[value] for value, (node, at) in first.items()]
    of_data = sys.getrefcount(data), sys.getrefcount(array)
    return max(of_values, default=0), sys.getrefcount(leaves[k]) - len(known), *of_data


@lru_cache(maxsize=1)
def _alone() -> tuple[tuple[int, ...], ...]:
    """What `_references` gives for an array that is nobody's, and for one rank's part of one."""
    type = ArrayType(np.dtype(np.float64), (1,))
    found = []
    for leaves in ([Leaf(np.zeros(1), type)], [Leaf(Part(np.zeros(1), (None,), (1,), None), type)]):
        node = make(lookup("negative"), leaves[0].values, ())
        found.append(_references(leaves, 0, [(node, 0)]))
    return tuple(found)
