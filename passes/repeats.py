"""Finds where a list of nodes repeats itself, as a loop that was unrolled does, and where to cut it.

The time to compile grows faster than the length of a program; a program cut into equal pieces is compiled once
for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lazyarr.ir.node import Node, Value
from lazyarr.passes import costs

#: Shorter lists are not cut, nor such as repeat themselves fewer times.
SHORTEST = 256
FEWEST = 16

#: How many nodes of one kind have to precede alike for two places to be compared, and how many places are.
_WINDOW = 16
_CANDIDATES = 16


@dataclass(frozen=True)
class Stretch:
    """Nodes `start` to `stop` of a list, each doing to what `period` nodes earlier did what that did before it."""

    start: int
    stop: int
    period: int

    @property
    def times(self) -> int:
        return (self.stop - self.start) // self.period


def cut(nodes: Sequence[Node], piece: int) -> list[Sequence[Node]]:
    """`nodes` in pieces of at most about `piece` nodes where they repeat themselves; in one piece where they do not.

    The pieces hold whole periods and begin where fewest bytes cross from one period to the next.
    """
    found = _worth_cutting(nodes)
    if found is None:
        return [nodes]
    # The bytes alive at each place of the second period; the first may still be irregular.
    alive = _alive(nodes)
    places = range(found.start + found.period, found.start + 2 * found.period)
    first = min(places, key=lambda k: alive[k])
    periods = piece // found.period
    cuts = [0, *range(first, found.stop + 1, found.period * max(1, periods)), len(nodes)]
    # A few nodes at the end are not worth a region of their own.
    if cuts[-1] - cuts[-2] < found.period // 2:
        del cuts[-2]
    return [nodes[a:b] for a, b in zip(cuts, cuts[1:], strict=False) if a < b]


def repeats_itself(nodes: Sequence[Node]) -> bool:
    """Whether `nodes` are worth cutting."""
    return _worth_cutting(nodes) is not None


def _worth_cutting(nodes: Sequence[Node]) -> Stretch | None:
    found = longest_stretch(nodes) if len(nodes) >= SHORTEST else None
    return found if found is not None and found.times >= FEWEST else None


def longest_stretch(nodes: Sequence[Node]) -> Stretch | None:
    """The longest part of the list that repeats itself, of the periods that some nodes' neighbourhoods suggest."""
    position = {node: k for k, node in enumerate(nodes)}
    kinds: dict[object, int] = {}
    kind = [kinds.setdefault((node.op.name, node.attrs), len(kinds)) for node in nodes]
    periods: dict[int, None] = {}
    for anchor in (len(nodes) // 2, len(nodes) * 3 // 4, len(nodes) // 4):
        window = kind[anchor - _WINDOW + 1 : anchor + 1]
        near = 0
        for k in range(anchor - 1, _WINDOW - 1, -1):
            if kind[k] == kind[anchor] and kind[k - _WINDOW + 1 : k + 1] == window:
                periods.setdefault(anchor - k)
                near += 1
                if near == _CANDIDATES:
                    break
    best: Stretch | None = None
    for period in sorted(periods):
        start = 0
        for k in range(len(nodes) - period + 1):
            if k < len(nodes) - period and kind[k] == kind[k + period] and _alike(nodes, position, k, period):
                continue
            stretch = Stretch(start, k + period, period)
            if k > start and (best is None or stretch.stop - stretch.start > best.stop - best.start):
                best = stretch
            start = k + 1
    return best


def _alike(nodes: Sequence[Node], position: dict[Node, int], k: int, period: int) -> bool:
    """Whether node ``k + period`` reads what node ``k`` reads, or what stands `period` nodes behind that."""
    for early, late in zip(nodes[k].operands, nodes[k + period].operands, strict=True):
        if early == late:
            continue
        a, b = position.get(early.node), position.get(late.node)
        if a is None or b is None or b - a != period or early.index != late.index:
            return False
    return True


def _alive(nodes: Sequence[Node]) -> list[int]:
    """For each place between nodes the bytes made before it that are read after it."""
    position = {node: k for k, node in enumerate(nodes)}
    last: dict[Value, int] = {}
    for k, node in enumerate(nodes):
        for value in node.operands:
            if value.node in position:
                last[value] = k
    change = [0] * (len(nodes) + 2)
    for value, k in last.items():
        size = costs.nbytes([value])
        change[position[value.node] + 1] += size
        change[k + 1] -= size
    alive = [0]
    for k in range(1, len(nodes) + 1):
        alive.append(alive[-1] + change[k])
    return alive
