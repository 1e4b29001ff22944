"""The order in which a graph's nodes are lowered: who reads an array comes before who overwrites it.

A graph's own order is one of values; where `put_window` may write into the array it takes, what still reads the old
values has to be done first. Where that is impossible, whoever overwrites copies.
"""

from __future__ import annotations

from collections.abc import Iterator

from lazyarr.backends import native_groups, native_selections
from lazyarr.backends.native_plan import ORDERED, Plan
from lazyarr.ir.graph import REPEATED, Graph
from lazyarr.ir.node import Node, Value

WRITERS = {"put_window", "update_slice", "dynamic_update_slice", "scatter"}


def overwritten(node: Node, plan: Plan) -> Iterator[Value]:
    """The values whose memory `node` may write: operands, or what they are made of."""
    name = node.op.name
    if name in WRITERS:
        if node.values[0] not in plan.merged:
            value = node.operands[0]
            while value in plan.merged:
                value = value.node.operands[0]
            yield value
        return
    if name == "loop":
        body, first = node.kw["body"], 3
        params = body.params[1:]
    elif name == "while":
        body, first = node.kw["body"], 0
        params = body.params
    elif name == "cond":
        yield from (v for v in node.operands[1:] if v.type.shape)
        return
    else:
        return
    for k, (result, old) in enumerate(zip(body.results, params, strict=False)):
        if result != old and result.type.shape:
            yield node.operands[first + k]


def _checks_first(graph: Graph) -> tuple[Node, ...]:
    """The nodes, with what checks need as early as its operands allow: they protect what accesses memory.

    What a check reads itself is protected by those before it.
    """
    inside = set(graph.nodes)
    first: dict[Node, None] = {}
    for check in graph.checks:
        if check.message in REPEATED:
            continue  # It protects nothing: where it does not hold, the program has ended.
        needed: set[Node] = set()
        stack = [check.ok.node]
        while stack:
            node = stack.pop()
            if node in inside and node not in first and node not in needed:
                needed.add(node)
                stack.extend(v.node for v in node.operands)
        first.update(dict.fromkeys(n for n in graph.nodes if n in needed))
    return (*first, *(n for n in graph.nodes if n not in first)) if first else graph.nodes


def ordered(graph: Graph, plan: Plan) -> list[Node]:
    """The nodes of `graph`, operands before users."""
    conditions_of = [c.ok.node for c in graph.checks]
    nodes = native_selections.together(_checks_first(graph), plan.selections, ORDERED, conditions_of)
    if plan.groups:
        nodes = native_groups.together(nodes, plan.groups)
    place = {node: k for k, node in enumerate(nodes)}
    users: dict[Value, list[Node]] = {}
    for node in nodes:
        for operand in dict.fromkeys(node.operands):
            users.setdefault(operand, []).append(node)
    for total, selection in plan.selections.items():
        for value in (v for side in selection.sides for v in side.sources):
            users.setdefault(value, []).append(total)
    for begin, group in plan.groups.items():
        for value in group.needs:
            users.setdefault(value, []).append(begin)
        for member in group.members:
            if member is not begin:
                users.setdefault(begin.values[0], []).append(member)
    if not plan.written and not any(len(users[v]) > 1 for node in nodes for v in overwritten(node, plan)):
        return list(nodes)
    # As bits: which nodes depend on each.
    after = [0] * len(nodes)
    for k in range(len(nodes) - 1, -1, -1):
        for value in nodes[k].values:
            for user in users.get(value, ()):
                after[k] |= 1 << place[user] | after[place[user]]
    conditions = sorted(place[c.ok.node] for c in graph.checks if c.ok.node in place)
    done: set[Node] = set()
    begun: set[Node] = set()
    order: list[Node] = []

    def before(node: Node) -> Iterator[Node]:
        for operand in node.operands:
            if operand.node in place:
                yield operand.node
        if node in plan.groups:
            yield from (v.node for v in plan.groups[node].needs if v.node in place)
        if node in plan.selections:
            sides = plan.selections[node].sides
            yield from (v.node for side in sides for v in side.sources if v.node in place)
        if node.op.name in ORDERED:
            yield from (nodes[k] for k in conditions if k < place[node])

    def ancestors(node: Node) -> list[Node]:
        found: set[Node] = set()
        stack = [node]
        while stack:
            one = stack.pop()
            if one not in found and one not in done:
                found.add(one)
                stack.extend(before(one))
        return sorted(found, key=place.__getitem__)

    def readers(value: Value) -> Iterator[Node]:
        """What reads memory of `value`, through what is not stored."""
        seen: set[Value] = set()
        stack = [value]
        while stack:
            one = stack.pop()
            for user in users.get(one, ()):
                yield user
                for result in user.values:
                    if result.type.shape and result not in plan.stored and result not in seen:
                        seen.add(result)
                        if user.op.name not in WRITERS or result in plan.merged:
                            stack.append(result)

    def first(node: Node, depth: int) -> None:
        """Run a node, and what it needs, before what has begun; not if it needs that."""
        needed = ancestors(node)
        if not any(n in begun for n in needed):
            for n in needed:
                run(n, depth + 1)

    def run(node: Node, depth: int) -> None:
        if node in done or node in begun:
            return
        begun.add(node)
        if depth < 40:
            for operand in node.operands:
                writer = plan.written.get(operand)
                # Who writes the value into an array gives it its memory; others read it there.
                if writer is not None and writer not in done and writer is not node:
                    first(writer, depth)
            for value in overwritten(node, plan):
                for reader in readers(value):
                    if reader not in done and reader is not node and not after[place[node]] >> place[reader] & 1:
                        first(reader, depth)
        if node not in done:
            done.add(node)
            order.append(node)

    for node in nodes:
        run(node, 0)
    return order
