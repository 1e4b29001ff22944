"""prune: loops carry, and branches give, only what is needed.

What Python's statements assign is state of a loop as the source has it: names that nothing reads afterwards, arrays
that no iteration changes, the same value under two names. Each costs a copy or a register in every iteration, and hides
from other passes what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from lazyarr.ir import extents
from lazyarr.ir.graph import PARAM, Check, Graph, Program, depth_first, param
from lazyarr.ir.node import Attrs, Node, Value, make
from lazyarr.ir.rewrite import Context, Replacement, Rules, remaining_checks, rewrite
from lazyarr.ops.create import const
from lazyarr.ops.loops import translated
from lazyarr.passes.base import Pass
from lazyarr.passes.build import broadcast_to, constant, is_free


@dataclass(frozen=True)
class Prune(Pass):
    """Drop what loops carry and branches give for nothing; inline loops and branches that are decided."""

    name: ClassVar[str] = "prune"

    def run(self, program: Program) -> Program:
        return rewrite(program, RULES)


# --------------------------------------------------------------------------------------- graphs in regions


def has_checks(graph: Graph) -> bool:
    """Whether running `graph` may fail, in a region of it too."""
    return bool(graph.checks) or any(has_checks(region) for node in graph.nodes for region in node.regions)


def _reached(roots: Iterable[Value]) -> set[Value]:
    """Parameters that `roots` are computed from, those that are lengths of values on the way included."""
    found: set[Value] = set()
    todo = list(roots)
    seen: set[Node] = set()
    while todo:
        value = todo.pop()
        todo += [scalar for scalar in extents.lengths(value.type.shape) if scalar not in found]
        if value.node.op is PARAM:
            found.add(value)
        elif value.node not in seen:
            seen.add(value.node)
            todo += value.node.operands
            for other in value.node.values:
                todo += extents.lengths(other.type.shape)
    return found


def _params(kept: Sequence[Value], places: Mapping[Value, Value]) -> tuple[list[Value], dict[Value, Value]]:
    """New parameters for some of a graph's, numbered anew, and what each old one is now.

    `places` maps old parameters that are dropped to kept ones that stand for them.
    """
    new: dict[Value, Value] = {}
    number = {value: k for k, value in enumerate(kept)}
    for static in (True, False):
        for value in kept:
            if extents.is_static(value.type.shape) == static:
                type = value.type if static else translated(value.type, new)
                new[value] = param(number[value], type)
        for old, stands in places.items():
            if stands in new:
                new[old] = new[stands]
    return [new[value] for value in kept], new


def _again(graph: Graph, new: dict[Value, Value], roots: Sequence[Value], context: Context) -> list[Node]:
    """The nodes that `roots` need, computed anew from other parameters; notes in `new` what each value became."""
    live = set(depth_first(roots))
    made: list[Node] = []
    for node in graph.nodes:
        if node in live:
            again = make(node.op, tuple([new[v] for v in node.operands]), node.attrs)
            context.moved(node, again)
            made.append(again)
            new.update(zip(node.values, again.values, strict=True))
    return made


def _rebuilt(
    graph: Graph, kept: Sequence[Value], places: Mapping[Value, Value], results: Sequence[Value], context: Context
) -> Graph:
    """`graph` with fewer parameters and results."""
    params, new = _params(kept, places)
    order = _again(graph, new, [*results, *(c.ok for c in graph.checks)], context)
    checks = remaining_checks(Check(new[c.ok], c.exception, c.message) for c in graph.checks)
    found = Graph(params, [new[v] for v in results], checks)
    live = set(found.nodes)
    return Graph(params, found.results, checks, [node for node in dict.fromkeys(order) if node in live])


def _inlined(graph: Graph, operands: Sequence[Value], context: Context) -> tuple[Value, ...]:
    """The results of a graph without checks of its own on `operands`, computed where it stands."""
    new = dict(zip(graph.params, operands, strict=True))
    _again(graph, new, graph.results, context)
    return tuple(new[v] for v in graph.results)


# --------------------------------------------------------------------------------------------------- loops


def decided_loop(node: Node, context: Context) -> Replacement:
    """``loop(0, 0, 1, x) {...} -> x``; ``loop(3, 4, 1, x) {body} -> body(3, x)``: no iteration, or one.

    One whose body has checks stays: they are the loop's.
    """
    bounds = [constant(v) for v in node.operands[:3]]
    if any(b is None for b in bounds):
        return None
    trips = range(*map(int, bounds))
    body, carried, until = node.kw["body"], node.kw["carried"], node.kw["until"]
    rest = node.operands[3:]
    ended = None if until < 0 else constant(rest[until])
    if not trips or ended:
        return rest[:carried]
    if len(trips) > 1 or body.checks or (until >= 0 and ended is None):
        return None
    return _inlined(body, [node.operands[0], *rest], context)


def decided_while(node: Node, context: Context) -> Replacement:
    """``while(x) {cond: False} -> x``."""
    cond = node.kw["cond"]
    condition = constant(cond.results[0])
    return None if condition is None or condition or cond.checks else node.operands[: node.kw["carried"]]


def lean_loop(node: Node, context: Context) -> Replacement:
    """``loop(0, n, 1, x, t, c, a) {x, t, c -> x + c, x * a, c} -> loop(0, n, 1, x, c) {x -> x + c}``, t unread.

    Of carried values those go that neither a result that is read nor a check nor a condition needs; those that no
    iteration changes, and those that are always another one, stop being carried; operands are handed in once.
    """
    body: Graph = node.kw["body"]
    cond: Graph | None = node.kw.get("cond")
    head = 3 if cond is None else 0
    index = list(body.params[:1]) if cond is None else []
    carried, until = node.kw["carried"], node.kw.get("until", -1)
    operands = node.operands[head:]
    params = body.params[len(index) :]
    # What stands for what: first the parameters that are constant, then those that are the same.
    stands: dict[Value, Value] = {}
    fixed = [k for k in range(carried) if body.results[k] == params[k] and k != until]
    first: dict[Value, Value] = {}
    for k in (*range(carried, len(params)), *fixed):
        stands[params[k]] = first.setdefault(operands[k], params[k])
    changing = [k for k in range(carried) if k not in fixed]
    same = _same(body, changing, operands, params)
    for k, j in same.items():
        stands[params[k]] = params[j]
    changing = [k for k in changing if same.get(k, k) == k]
    # What is needed: from what is read, backwards through iterations.
    roots = [c.ok for c in body.checks]
    needed: set[int] = {same.get(until, until)} - {-1}
    if cond is not None:
        reached_in_cond = _reached([*cond.results, *(c.ok for c in cond.checks)])
        roots += [body.params[cond.params.index(p)] for p in reached_in_cond]
    needed |= {same.get(k, k) for k in range(carried) if context.reads(k) and k not in fixed}
    number = {p: k for k, p in enumerate(params)}
    while True:
        # A parameter whose length is data needs the number.
        read = _reached([*roots, *(body.results[k] for k in needed), *(params[k] for k in needed)])
        reached = {stands.get(p, p) for p in _reached([stands.get(p, p) for p in read])}
        more = {k for k in changing if params[k] in reached} - needed
        if not more:
            break
        needed |= more
    kept = [k for k in changing if k in needed]
    consts = [number[p] for p in params if p in reached and number[p] not in changing]
    if len(kept) == carried and len(kept) + len(consts) == len(params):
        return None
    reads = [k for k in range(carried) if context.reads(k)]
    if not any(same.get(k, k) in kept for k in reads) and (cond is not None or has_checks(body)):
        return None  # It would be dead, and whether it ends or fails matters.
    order = [*(params[k] for k in kept), *(params[k] for k in consts)]
    attrs: list[tuple[str, object]] = [
        ("body", _rebuilt(body, [*index, *order], stands, [body.results[k] for k in kept], context)),
        ("carried", len(kept)),
    ]
    if cond is None:
        attrs.append(("until", kept.index(same.get(until, until)) if until >= 0 else -1))
    else:
        inner = {p: cond.params[k] for k, p in enumerate(params)}
        in_cond = {inner[a]: inner[b] for a, b in stands.items()}
        attrs.insert(2, ("cond", _rebuilt(cond, [inner[p] for p in order], in_cond, cond.results, context)))
    given = (*node.operands[:head], *(operands[number[p]] for p in order))
    made = make(node.op, given, _sorted(attrs, node))
    found = []
    for k in range(carried):
        at = same.get(k, k)
        found.append(made.values[kept.index(at)] if at in kept else operands[k])
    return tuple(found)


def _sorted(attrs: Iterable[tuple[str, object]], node: Node) -> Attrs:
    """Attributes of a loop: the new ones, and what else `node` has."""
    return tuple(sorted((dict(node.attrs) | dict(attrs)).items()))


def _same(body: Graph, changing: Sequence[int], operands: Sequence[Value], params: Sequence[Value]) -> dict[int, int]:
    """For carried values that are always equal to an earlier one that one's number.

    Values that begin alike are taken to be the same; those whose next values then differ are not; and so on.
    """
    classes = _classes(changing, lambda k: (operands[k], params[k].type))
    while True:
        if all(len(c) == 1 for c in classes):
            return {}
        new: dict[Value, Value] = {}
        for c in classes:
            for k in c:
                new[params[k]] = params[c[0]]
        for p in body.params:
            new.setdefault(p, p)
        for node in body.nodes:
            again = make(node.op, tuple([new[v] for v in node.operands]), node.attrs)
            new.update(zip(node.values, again.values, strict=True))
        after = {k: new[body.results[k]] for k in changing}
        finer = [part for c in classes for part in _classes(c, after.__getitem__)]
        if len(finer) == len(classes):
            return {k: c[0] for c in classes for k in c}
        classes = finer


def _classes(items: Sequence[int], key: Callable[[int], object]) -> list[list[int]]:
    found: dict[object, list[int]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return list(found.values())


def unread_start(node: Node, context: Context) -> Replacement:
    """``loop(0, 3, 1, exp(x)) {i, t -> ...} -> loop(0, 3, 1, full(0.0)) {...}``: t is overwritten before it is read.

    Where there is an iteration for sure, and nothing else reads the value it starts from.
    """
    bounds = [constant(v) for v in node.operands[:3]]
    body, carried = node.kw["body"], node.kw["carried"]
    if any(b is None for b in bounds) or not range(*map(int, bounds)) or node.kw["until"] >= 0:
        return None
    reached = _reached(body.roots)
    operands = list(node.operands)
    for k in range(carried):
        start = operands[3 + k]
        costly = start.node.op is not PARAM and not is_free(start.node) and context.readers(start) == 1
        if body.params[1 + k] not in reached and costly and extents.is_static(start.type.shape):
            operands[3 + k] = broadcast_to(const(0, start.type.dtype), start.type.shape)
    return None if tuple(operands) == node.operands else make(node.op, tuple(operands), node.attrs).values


# ------------------------------------------------------------------------------------------------ branches


def decided_cond(node: Node, context: Context) -> Replacement:
    """``cond(True, x) {then: exp(x), orelse: x} -> exp(x)``."""
    condition = constant(node.operands[0])
    if condition is None:
        return None
    branch = node.kw["then" if condition else "orelse"]
    return None if branch.checks else _inlined(branch, node.operands[1:], context)


def lean_cond(node: Node, context: Context) -> Replacement:
    """``cond(c, x, y) {then: x + 1, y, orelse: x, y} -> cond(c, x) {then: x + 1, orelse: x}, y``.

    Results that are the same either way, or that nobody reads, are none of the branches'; operands are handed in once.
    """
    then, orelse = node.kw["then"], node.kw["orelse"]
    operands = node.operands[1:]
    found: dict[int, Value] = {}
    for k, (a, b) in enumerate(zip(then.results, orelse.results, strict=True)):
        same = _alike(then, orelse, operands, a, b, context)
        if same is not None and same.type is node.types[k]:
            found[k] = same
        elif not context.reads(k):
            found[k] = broadcast_to(const(0, node.types[k].dtype), node.types[k].shape)
    left = [k for k in range(len(node.types)) if k not in found]
    checks = has_checks(then) or has_checks(orelse)
    if not any(context.reads(k) for k in left) and checks:
        return None
    stands: list[int] = []
    first: dict[Value, int] = {}
    for k, operand in enumerate(operands):
        stands.append(first.setdefault(operand, k))
    kept: set[int] = set()
    for branch in (then, orelse):
        number = {p: stands[k] for k, p in enumerate(branch.params)}
        roots = [*(branch.results[k] for k in left), *(c.ok for c in branch.checks)]
        reached = {branch.params[number[p]] for p in _reached(roots)}
        kept |= {number[p] for p in _reached([*reached, *roots])}
    if len(left) == len(node.types) and len(kept) == len(operands):
        return None
    if not left:
        return tuple(found[k] for k in range(len(node.types)))
    order = sorted(kept)
    attrs: list[tuple[str, object]] = []
    for name, branch in (("then", then), ("orelse", orelse)):
        places = {p: branch.params[stands[k]] for k, p in enumerate(branch.params)}
        results = [branch.results[k] for k in left]
        attrs.append((name, _rebuilt(branch, [branch.params[k] for k in order], places, results, context)))
    made = make(node.op, (node.operands[0], *(operands[k] for k in order)), _sorted(attrs, node))
    found.update(zip(left, made.values, strict=True))
    return tuple(found[k] for k in range(len(node.types)))


def _alike(then: Graph, orelse: Graph, operands: Sequence[Value], a: Value, b: Value, context: Context) -> Value | None:
    """What both branches give, if it may as well be computed outside: an operand, a constant, element-wise work."""
    if a.node.op is PARAM and b.node.op is PARAM:
        x, y = (operands[v.node.kw["index"]] for v in (a, b))
        return x if x == y else None
    if a != b or not all(n.op.pointwise or n.op.memory == "free" for n in depth_first([a])):
        return None
    if any(not extents.is_static(v.type.shape) for n in depth_first([a]) for v in (*n.operands, *n.values)):
        return None
    new = dict(zip(then.params, operands, strict=True))
    _again(then, new, [a], context)
    return new[a]


RULES: Rules = {
    "loop": (decided_loop, lean_loop, unread_start),
    "while": (decided_while, lean_loop),
    "cond": (decided_cond, lean_cond),
}
