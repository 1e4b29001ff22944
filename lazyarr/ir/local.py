"""What must hold of a rank's program, in which communication is written out: the form LOCAL.

What is proved, of each graph by itself:

- Communication is one chain of tokens: what one gives, the next one takes. So there is one order, whatever later passes
  do to the order of nodes; `verify_ranks` compares it between ranks.
- A halo that is begun is ended once, in the same graph, by a wait that expects what was begun. Its number goes nowhere
  else. What comes is a result of that wait alone, so nothing reads it while it is on its way; and what is sent is
  copied where it begins (`lazyarr.ops.flight`), so nothing writes over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value
from lazyarr.ir.verify import GLOBAL, Problem, Rule, VerificationError

START, WAIT = "halo_start", "halo_wait"
#: What a wait has to say as its start has.
_ALIKE = ("at", "dim", "parts")


def taken(node: Node) -> Value:
    """The token that a communication takes."""
    return node.operands[1 if node.op.name == WAIT else -1]


def _readers(graph: Graph) -> dict[Value, list[Node | None]]:
    """Who reads each value; None: the graph gives it, or asks it in a check."""
    found: dict[Value, list[Node | None]] = {}
    for node in graph.nodes:
        for value in node.operands:
            found.setdefault(value, []).append(node)
    for root in graph.roots:
        found.setdefault(root, []).append(None)
    return found


def _tokens(graph: Graph) -> Iterator[Problem]:
    readers, begins = _readers(graph), []
    for node in graph.nodes:
        if not node.op.communicates:
            continue
        count = len(readers.get(node.values[-1], ()))
        if count != 1:
            yield Problem(f"its token is taken {count} times", node)
        before = taken(node).node
        if not before.op.communicates and not any(True for _ in before.regions):
            begins.append(node)
    for node in begins[1:]:
        yield Problem("it is the second that takes no other's token", node)


def _flights(graph: Graph) -> Iterator[Problem]:
    readers = _readers(graph)
    for node in graph.nodes:
        if node.op.name == START:
            ends = readers.get(node.values[0], [])
            waits = [n for n in ends if n is not None and n.op.name == WAIT and n.operands[0] == node.values[0]]
            if len(ends) != len(waits) or any(n.operands.count(node.values[0]) > 1 for n in waits):
                yield Problem("its number goes elsewhere than to a wait", node)
            if len(waits) != 1:
                yield Problem(f"what it begins is waited for {len(waits)} times", node)
        elif node.op.name == WAIT:
            start = node.operands[0].node
            if start.op.name != START or node.operands[0].index != 0:
                yield Problem("it waits for what no halo_start of this graph has begun", node)
                continue
            wrong = [name for name in _ALIKE if node.kw[name] != start.kw[name]]
            if node.kw["types"] != tuple(v.type for v in start.operands[:-1]):
                wrong.append("types")
            if wrong:
                yield Problem(f"it does not expect what was begun: {', '.join(wrong)}", node)


TOKENS = Rule("communication has one order", _tokens)
FLIGHTS = Rule("what is on its way is ended once and read by nobody before", _flights)

#: A rank's program.
LOCAL: tuple[Rule, ...] = (*GLOBAL, TOKENS, FLIGHTS)


def verify_ranks(graphs: Sequence[Graph]) -> None:
    """Check that the programs of all ranks communicate in one order. (A halo that is begun is one, a wait is none.)

    Raises
    ------
    VerificationError
    """
    told = [list(_told(graph)) for graph in graphs]
    for rank, each in enumerate(told):
        if each != told[0]:
            at = next((k for k, (a, b) in enumerate(zip(each, told[0], strict=False)) if a != b),
                      min(len(each), len(told[0])))  # fmt: skip
            mine, first = (" ".join(map(str, x[at])) if at < len(x) else "nothing" for x in (each, told[0]))
            raise VerificationError(
                "all ranks communicate in one order", f"as number {at} rank {rank} does {mine}, rank 0 {first}"
            )


def _told(graph: Graph) -> Iterator[tuple[object, ...]]:
    """What a rank's program communicates, in order. (Nodes of one chain are in its order in any order of nodes.)"""
    for node in graph.nodes:
        if node.op.communicates and node.op.name != WAIT:
            yield node.op.name.removesuffix("_start"), node.kw.get("dim", node.kw.get("dims", "")), len(node.operands)
        for region in node.regions:
            yield from _told(region)
