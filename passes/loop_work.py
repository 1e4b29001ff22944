"""What is the same in every run of a region: where it is computed, and whether it is held in memory.

Work leaves a loop where holding its result costs less than computing it in each iteration; a formula that costs less to
compute again than to read goes back in, where it fuses with what reads it. Long work before a loop that may not run at
all is done only if it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lazyarr.ir.graph import PARAM, Check, Graph, depth_first, param
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import Context, Replacement
from lazyarr.ops.create import const
from lazyarr.passes import costs
from lazyarr.passes.build import REPEATING, broadcast_to, constant, is_free, size, static

#: Additions an element from which element-wise work is done once and held in memory; where it has more elements than
#: what it is made of, which is then read again from there.
_WORTH, _WORTH_MORE = 4, 10
#: Seconds from which on work is not done for a loop that does not run.
_LONG = 20e-6


# ------------------------------------------------------------------------------------------------ out of regions


def leave_region(node: Node, context: Context) -> Replacement:
    """``repeat(x, y) {body: x * exp(y)} -> repeat(x, exp(y)) {body: x * z}``, y the same in every run.

    For every operation that declares its ``regions``. Views and a few additions stay: doing them again costs less than
    reading what they gave. So does what is only safe after a check of the region.
    """
    how = node.op.regions
    if how is None:
        return None
    for name, body in node.attrs:
        if isinstance(body, Graph):
            invariant = {body.params[p]: node.operands[k] for p, k in how.invariant(node, name).items()}
            split = _split(body, invariant, context)
            if split is not None:
                return how.extend(node, name, *split).values
    return None


def _split(body: Graph, invariant: Mapping[Value, Value], context: Context) -> tuple[Graph, tuple[Value, ...]] | None:
    """`body` without its invariant work, which it takes as parameters, and the values of these; None if there is none.

    `invariant` maps those parameters to their values outside.
    """
    outside: dict[Value, Value] = dict(invariant)
    for node in body.nodes:
        if all(v in outside for v in node.operands) and _is_safe(node):
            moved = make(node.op, tuple(outside[v] for v in node.operands), node.attrs)
            outside.update(zip(node.values, moved.values, strict=True))
    inside: set[Node] = set()
    handed_in: set[Value] = set()
    needed = set(body.roots)
    for node in reversed(body.nodes):
        wanted = [v for v in node.values if v in needed]
        if not wanted:
            continue
        if wanted[0] in outside and _is_worth_holding(node, outside.__contains__):
            handed_in.update(wanted)
        else:
            inside.add(node)
            needed.update(node.operands)
    if not handed_in:
        return None
    extra = [v for node in body.nodes for v in node.values if v in handed_in]
    params = [param(len(body.params) + k, v.type) for k, v in enumerate(extra)]
    new: dict[Value, Value] = {p: p for p in body.params} | dict(zip(extra, params, strict=True))
    for node in body.nodes:
        if node not in inside and node.values[0] in outside:
            context.moved(node, outside[node.values[0]].node)
    smaller = _rebuilt(body, [*body.params, *params], new, [n for n in body.nodes if n in inside], context)
    return smaller, tuple(outside[v] for v in extra)


def _rebuilt(
    body: Graph, params: list[Value], new: dict[Value, Value], nodes: list[Node], context: Context
) -> Graph:
    """`body` with other parameters and nodes; `new` says what values are that `nodes` do not make."""
    order = []
    for node in nodes:
        made = make(node.op, tuple(new[v] for v in node.operands), node.attrs)
        context.moved(node, made)
        order.append(made)
        new.update(zip(node.values, made.values, strict=True))
    checks = [Check(new[c.ok], c.exception, c.message) for c in body.checks]
    return Graph(params, [new[v] for v in body.results], checks, list(dict.fromkeys(order)))


def _is_safe(node: Node) -> bool:
    """Whether `node` may run where the region would not have run it."""
    return static(*node.operands, *node.values) and not node.op.checked and not any(True for _ in node.regions)


@dataclass
class _Formula:
    """Element-wise work that makes one value.

    Attributes
    ----------
    work : float
        Additions an element.
    nodes : list of Node
    sources : list of Value
        What is read for it, but for what is made anywhere.
    """

    work: float
    nodes: list[Node]
    sources: list[Value]

    @staticmethod
    def of(node: Node, belongs: Callable[[Value], bool]) -> _Formula:
        """The formula of a node's results, of it and the element-wise work on the way of which all values belong.

        Work on lengths that only the program knows is no part of it.
        """
        found = _Formula(0.0, [], [])
        todo = [node]
        while todo:
            one = todo.pop()
            if one in found.nodes:
                continue
            found.nodes.append(one)
            found.work += float(one.cost.flops) / max(1, size(node.types[0].shape))
            for value in one.operands:
                inner = value.node
                if (inner.op.pointwise or inner.op in REPEATING) and belongs(value) and static(value, *inner.operands):
                    todo.append(inner)
                elif not is_free(inner) and value not in found.sources:
                    found.sources.append(value)
        return found

    def is_little(self, shape: tuple[int, ...]) -> bool:
        """Whether computing an element again costs less than reading one of `shape` that is held."""
        widest = max((size(v.type.shape) for v in self.sources), default=0)
        return self.work < (_WORTH if widest >= size(shape) else _WORTH_MORE)


def _is_worth_holding(node: Node, is_outside: Callable[[Value], bool]) -> bool:
    """Whether the results of `node` are better held in memory and handed in than made again in each run."""
    if node.op.memory != "fresh" or node.op in REPEATING:
        return False
    if not node.op.pointwise:
        return True
    shape = node.types[0].shape
    # (A number is held in a register: whoever makes machine code sees to that.)
    return shape != () and not _Formula.of(node, is_outside).is_little(shape)


# --------------------------------------------------------------------------------------------------- and back in


def enter_region(node: Node, context: Context) -> Replacement:
    """``repeat(x, broadcast(y) * z) {body: x * c} -> repeat(x, y, z) {body: x * (broadcast(y) * z)}``.

    A formula of little work that one element-wise operation of the body reads, where it then needs fewer bytes.
    """
    how = node.op.regions
    if how is None or sum(isinstance(v, Graph) for _, v in node.attrs) > 1:
        return None
    for name, body in node.attrs:
        if not isinstance(body, Graph):
            continue
        places = how.invariant(node, name)
        held = {node.operands[k]: body.params[p] for p, k in places.items()}
        for place, at in places.items():
            value, inner = node.operands[at], body.params[place]
            formula = _entering(value, held, context)
            if formula is None or not _is_read_once(body, inner):
                continue
            params = [param(len(body.params) + k, v.type) for k, v in enumerate(formula.sources)]
            new = dict(zip(formula.sources, params, strict=True))
            _again(formula.nodes, new, context)
            inside = {p: p for p in (*body.params, *params)} | {inner: new[value]}
            nodes = [*depth_first([new[value]]), *body.nodes]
            found = _rebuilt(body, [*body.params, *params], inside, nodes, context)
            return how.extend(node, name, found, tuple(formula.sources)).values
    return None


def _entering(value: Value, held: Mapping[Value, Value], context: Context) -> _Formula | None:
    """The formula of a value that is better computed where it is read, given what a region reads anyway."""
    node, shape = value.node, value.type.shape
    if not node.op.pointwise or len(node.types) > 1 or shape == () or context.readers(value) != 1:
        return None
    if not static(value, *node.operands):
        return None
    formula = _Formula.of(node, lambda v: context.readers(v) == 1 and len(v.node.types) == 1)
    if not static(*formula.sources) or not formula.is_little(shape):
        return None
    read = sum(size(v.type.shape) * v.type.dtype.itemsize for v in formula.sources if v not in held)
    return formula if read < size(shape) * value.type.dtype.itemsize else None


def _is_read_once(body: Graph, inner: Value) -> bool:
    """Whether all that reads a parameter is one element-wise operation, for one element each."""
    readers = [n for n in body.nodes for v in n.operands if v == inner]
    if len(readers) != 1 or inner in body.roots:
        return False
    return readers[0].op.pointwise and readers[0].types[0].shape == inner.type.shape


def _again(nodes: list[Node], new: dict[Value, Value], context: Context) -> None:
    """Compute nodes anew from other values; notes in `new` what each value became."""
    for node in _in_order(nodes):
        made = make(node.op, tuple(new.get(v, v) for v in node.operands), node.attrs)
        context.moved(node, made)
        new.update(zip(node.values, made.values, strict=True))


def _in_order(nodes: list[Node]) -> list[Node]:
    """Nodes with operands before users."""
    left, order = list(dict.fromkeys(nodes)), []
    while left:
        ready = [n for n in left if not any(v.node in left for v in n.operands)]
        order += ready
        left = [n for n in left if n not in ready]
    return order


# --------------------------------------------------------------------------------- only if there is an iteration


def only_if_it_runs(node: Node, context: Context) -> Replacement:
    """``loop(0, n, 1, x, inverse(y)) {...} -> loop(0, n, 1, x, cond(0 < n, y) {inverse(y)} else {zeros}) {...}``.

    Where nothing but the loop reads the inverse. Of work that takes long only.
    """
    start, stop, step = node.operands[:3]
    by = constant(step)
    if by is None or not by or (constant(start) is not None and constant(stop) is not None):
        return None
    chain = _private(node, context)
    if sum(costs.node_seconds(n, "xla") for n in chain) < _LONG:
        return None
    values = list(dict.fromkeys(v for v in node.operands[3:] if v.node in chain))
    sources = list(dict.fromkeys(v for n in chain for v in n.operands if v.node not in chain and not is_free(v.node)))
    if not static(*values, *sources, *(v for n in chain for v in n.operands)):
        return None
    params = [param(k, v.type) for k, v in enumerate(sources)]
    new = dict(zip(sources, params, strict=True))
    _again(chain, new, context)
    zeros = [broadcast_to(const(0, v.type.dtype), v.type.shape) for v in values]
    runs = apply(lookup("less" if by > 0 else "greater"), start, stop)
    found = make(lookup("cond"), (runs, *sources), (
        ("orelse", Graph(params, zeros)), ("then", Graph(params, [new[v] for v in values])),
    ))  # fmt: skip
    given = dict(zip(values, found.values, strict=True))
    return make(node.op, tuple(given.get(v, v) for v in node.operands), node.attrs).values


def _private(node: Node, context: Context) -> list[Node]:
    """What is computed for a loop alone, operands before users: no loops, and nothing that is made anywhere."""
    found: list[Node] = []
    counts: dict[Value, int] = {}
    for value in node.operands:
        counts[value] = counts.get(value, 0) + 1
    first = 3 + node.kw["carried"]
    todo = [v.node for v in node.operands[first:]]
    while todo:
        one = todo.pop()
        if one in found or one.op is PARAM or is_free(one) or not _is_safe(one):
            continue
        if any(context.readers(v) != counts.get(v, 0) for v in one.values):
            continue
        found.append(one)
        for value in one.operands:
            counts[value] = counts.get(value, 0) + 1
            todo.append(value.node)
    return _in_order(found)


