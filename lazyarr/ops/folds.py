"""What the values that a loop carries are to it, where its iterations do not depend on each other.

The names are those in the attribute ``shared`` of `loop`, one for each carried value.
"""

from __future__ import annotations

from dataclasses import dataclass

from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

#: What a carried value is to a loop with independent iterations: unchanged; an array of which each writes its part; the
#: value of the last iteration; the extreme that decides, and what is kept with it; else the kind of a fold.
SAME, PARTS, LAST, BEST, KEPT = "same", "parts", "last", "best", "kept"
#: A sum in Python's integers: what does not fit 64 bits fails a check.
EXACT = "exact"

_COMPARISONS = ("less", "less_equal", "greater", "greater_equal")


def is_read(graph: Graph, value: Value) -> bool:
    """Whether anything in a graph uses `value`."""
    return value in graph.roots or any(value in node.operands for node in graph.nodes)


def fitting(ok: Value) -> set[Value]:
    """What a condition is made of that says only that sums, or those of the way that is taken, fit; else nothing."""
    found: set[Value] = set()
    stack = [ok]
    while stack:
        value = stack.pop()
        name, operands = value.node.op.name, value.node.operands
        if name == "const":
            continue
        found.add(value)
        if name in ("select", "logical_and"):
            stack.extend(operands[name == "select" :])
        elif name != "exact":
            return set()
    return found


@dataclass(frozen=True)
class Contest:
    """``if x > best: best, at, ... = x, i, ...``: several carried values that one comparison replaces together.

    Attributes
    ----------
    test : Value
        The comparison.
    leader : int
        The carried value it compares with what may replace it.
    first : bool
        Whether that is the comparison's first operand.
    largest : bool
        Whether the largest wins.
    """

    test: Value
    leader: int
    first: bool
    largest: bool

    @staticmethod
    def find(body: Graph, k: int) -> Contest | None:
        """The contest that carried value `k` takes part in; None if what takes part is used for something else, too."""
        params = body.params[1 : 1 + len(body.results)]
        test = _replaced(body, k)
        if test is None or test.node.op.name not in _COMPARISONS:
            return None
        leaders = [(m, a) for a, v in enumerate(test.node.operands) for m, p in enumerate(params) if p == v]
        if len(leaders) != 1:
            return None
        leader, at = leaders[0]
        result = body.results[leader]
        if result.node.op.name != "select" or result.node.operands[1] != test.node.operands[1 - at]:
            return None
        members = [m for m in range(len(params)) if _replaced(body, m) == test]
        nodes = {body.results[m].node for m in members}
        if leader not in members or not _only_read_by(body, test, nodes):
            return None
        for m in members:
            own = {body.results[m].node, *([test.node] if m == leader else [])}
            if not _only_read_by(body, params[m], own) or _readers(body, body.results[m]):
                return None
            if list(body.roots).count(body.results[m]) != 1:
                return None
        less = test.node.op.name in ("less", "less_equal")
        return Contest(test, leader, at == 0, less == (at == 0))


def _replaced(body: Graph, k: int) -> Value | None:
    """The condition under which carried value `k` gets another value; None where it is not of that form."""
    node = body.results[k].node
    if node.op.name == "select" and node.operands[2] == body.params[1 + k] and not node.operands[0].type.shape:
        return node.operands[0]
    return None


def _readers(body: Graph, value: Value) -> list[Node]:
    return [node for node in body.nodes if value in node.operands]


def _only_read_by(body: Graph, value: Value, nodes: set[Node]) -> bool:
    return value not in body.roots and all(node in nodes for node in _readers(body, value))
