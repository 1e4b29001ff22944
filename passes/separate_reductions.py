"""separate_reductions: the arrays of a loop go ahead of the numbers that are reduced of them.

``while norm > tol {u = f(u); norm = g(u)}`` stops at each iteration for a number of all ranks. Where the arrays of the
next iterations do not need it, several iterations are made of the arrays alone; each rank notes its own parts of what
is reduced of them, which are combined together; then the numbers of these iterations are computed, one iteration
after the other, as they would have been. If they end the loop before the arrays' last iteration, the arrays go back to
where these iterations began, and make as many as the numbers say. (Rounds begin with one iteration and double, so that
a loop that ends soon has not done much for nothing.)

Where no data ends the loop (``total[i] = u.sum()``), nothing is done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lazyarr.ir.access import Opaque, Reduced
from lazyarr.ir.graph import Check, Graph, param
from lazyarr.ir.layout import is_whole
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.comm import COMBINED
from lazyarr.ops.create import const
from lazyarr.passes.build import counted
from lazyarr.passes.choose_layout import REGIONS, Layouts, before_operands

_I64 = ArrayType(DTYPES["i64"])
_INDEX = (("index",),)


@dataclass(frozen=True)
class Separated:
    """What of a loop's body makes arrays, and what makes numbers.

    Attributes
    ----------
    node : Node
    arrays, numbers : tuple of int
        What is carried of each; a number that both need is among both.
    reduced : tuple of Node
        Reductions over several ranks' parts, to numbers.
    by_data : bool
        Whether numbers end the loop.
    """

    node: Node
    arrays: tuple[int, ...]
    numbers: tuple[int, ...]
    reduced: tuple[Node, ...]
    by_data: bool

    @property
    def body(self) -> Graph:
        """The loop's body."""
        found: Graph = self.node.kw["body"]
        return found

    @property
    def lead(self) -> int:
        """How many parameters the body has before what is carried."""
        return before_operands(self.node, "body")


def find(node: Node, layouts: Layouts) -> Separated | None:
    """A loop in two parts, if its arrays need nothing of what is reduced of them."""
    body: Graph = node.kw["body"]
    lead, carried = before_operands(node, "body"), node.kw["carried"]
    by_data = node.op.name == "while" or node.kw["until"] >= 0
    inner = layouts.inner[node, "body"]
    params = {p: k for k, p in enumerate(body.params[lead : lead + carried])}
    if inner.across or any(r.types[0].shape or len(r.types) != 1 for r in inner.reduced):
        return None
    split = {v for v, layout in inner.of.items() if not is_whole(layout)}
    arrays = {k for p, k in params.items() if p in split}
    reduced = tuple(n for n in body.nodes if n in inner.reduced)
    # What the arrays are made of, and what is reduced.
    made = _closed(
        arrays, params, body, lambda: [*(body.results[k] for k in sorted(arrays)), *(r.operands[0] for r in reduced)]
    )
    roots = [c.ok for c in body.checks]
    asked = {p: k for k, p in enumerate(node.kw["cond"].params[:carried])} if node.op.name == "while" else {}
    numbers = set(range(carried)) - arrays
    if node.op.name == "while":
        ends = layouts.inner[node, "cond"]
        if not all(is_whole(layout) for v, layout in ends.of.items() if v.node in node.kw["cond"].nodes):
            return None
        numbers |= {k for p, k in asked.items() if _reads(node.kw["cond"], p)}
    stop = frozenset(reduced)
    counted = _closed(numbers, params, body, lambda: [*(body.results[k] for k in sorted(numbers)), *roots], stop)
    if made & stop or any(k in arrays for k in _given(params, split) if k in numbers):
        return None
    if any(v in split for n in counted - stop for v in (*n.operands, *n.values)):
        return None
    if not arrays or any(True for n in made for _ in n.regions) or (not reduced and not by_data):
        return None
    if any(_by_data(n) for n in made) and (by_data or body.checks):
        return None  # (What is read where data says may not be there in iterations that are not.)
    if node.op.name == "loop" and node.kw["until"] in arrays:
        return None
    return Separated(node, tuple(sorted(arrays)), tuple(sorted(numbers)), reduced, by_data)


def _given(params: Mapping[Value, int], split: set[Value]) -> Iterable[int]:
    return (k for p, k in params.items() if p in split)


def _closed(
    numbers: set[int], params: Mapping[Value, int], body: Graph, roots: Iterable[Value] | object,
    stop: frozenset[Node] = frozenset(),
) -> set[Node]:  # fmt: skip
    """What makes the new values of some of what is carried; these become as many as they need."""
    while True:
        seen: set[Node] = set()
        pending = [v.node for v in roots()]  # type: ignore[operator]
        before = len(numbers)
        while pending:
            node = pending.pop()
            if node in seen:
                continue
            seen.add(node)
            if node not in stop:
                pending += [v.node for v in node.operands]
        numbers |= {k for p, k in params.items() if p.node in seen}
        if len(numbers) == before:
            return {n for n in seen if n.op.name != "param"}


def _reads(graph: Graph, value: Value) -> bool:
    return value in graph.results or any(value in n.operands for n in graph.nodes) or any(
        value == c.ok for c in graph.checks
    )


def _by_data(node: Node) -> bool:
    return any(isinstance(e, Opaque) for entries in node.access for e in entries)


class Rounds:
    """A separated loop as rounds of several iterations.

    Attributes
    ----------
    deep : dict of Node to int
        The loops that make arrays, of so many iterations at most for one exchange.
    """

    def __init__(self, found: Separated, depth: int):
        self.found, self.depth = found, depth
        self.deep: dict[Node, int] = {}
        node = found.node
        operands = node.operands[REGIONS[node.op.name] :]
        self._carried = node.kw["carried"]
        self._rest = operands[self._carried :]
        self._inner = found.body.params[found.lead + self._carried :]

    def values(self) -> Sequence[Value]:
        """What the loop gives."""
        return self._by_data() if self.found.by_data else self._counted()

    # --- loops that are counted

    def _counted(self) -> Sequence[Value]:
        found, node = self.found, self.found.node
        start, stop = node.operands[:2]
        given = node.operands[3 : 3 + self._carried]
        zero, one, size = (const(n, _I64.dtype) for n in (0, 1, self.depth))
        trips = counted("maximum", counted("subtract", stop, start), zero)
        rounds, left = counted("floor_divide", trips, size), counted("remainder", trips, size)
        state = [*(given[k] for k in found.arrays), *(given[k] for k in found.numbers)]
        rest = [*self._rest, start]

        def round(times: Value, state: Sequence[Value], rest: Sequence[Value], first: Value) -> list[Value]:
            *consts, _ = rest
            count = len(found.arrays)
            arrays, parts = self._arrays(times, state[:count], consts, first, partial=True)
            numbers = self._numbers(times, state[count:], consts, first, parts)
            return [*arrays, *numbers]

        if rounds != zero:
            index = param(0, _I64)
            inside = [param(1 + k, v.type) for k, v in enumerate((*state, *rest))]
            first = counted("add", inside[-1], counted("multiply", index, size))
            results = round(size, inside[: len(state)], inside[len(state) :], first)
            outer = self._make(
                "loop", (zero, rounds, one, *state, *rest), body=Graph([index, *inside], results), carried=len(state),
                until=-1,
            )  # fmt: skip
            state = list(outer.values)
        if left != zero:
            state = round(left, state, rest, counted("add", start, counted("multiply", rounds, size)))
        return self._in_order(state[: len(found.arrays)], state[len(found.arrays) :])

    # --- loops that data ends

    def _by_data(self) -> Sequence[Value]:
        found, node = self.found, self.found.node
        is_loop = node.op.name == "loop"
        first_operand = REGIONS[node.op.name]
        given = node.operands[first_operand : first_operand + self._carried]
        arrays = [given[k] for k in found.arrays]
        numbers = [given[k] for k in found.numbers]
        zero, one, size = (const(n, _I64.dtype) for n in (0, 1, self.depth))
        start, stop = node.operands[:2] if is_loop else (zero, zero)
        rest = [*self._rest, start, stop]
        # Arrays, as the last round began with them, numbers, iterations so far, of the last round, and what that tried.
        state = [*arrays, *arrays, *numbers, zero, zero, zero]
        n, m = len(arrays), len(numbers)

        inside = [param(k, v.type) for k, v in enumerate((*state, *rest))]
        ends = self._goes_on(inside[2 * n : 2 * n + m], inside[len(state) : -2], inside[2 * n + m], inside[-2:])
        cond = Graph(inside, [ends])
        *consts, begin, last = inside[len(state) :]
        done = inside[2 * n + m]
        first = counted("add", begin, done)
        times = counted("minimum", size, counted("add", done, one))
        if is_loop:
            times = counted("minimum", times, counted("subtract", last, first))
        after, parts = self._arrays(times, inside[:n], consts, first, partial=True)
        made, new = self._numbers_until(times, inside[2 * n : 2 * n + m], consts, (begin, last), done, parts)
        body = Graph(inside, [*after, *inside[:n], *new, counted("add", done, made), made, times])
        outer = self._make("while", (*state, *rest), cond=cond, body=body, carried=len(state))
        values = outer.values
        done, made, times = values[2 * n + m : 2 * n + m + 3]
        every = counted("equal", made, times)
        arrays = [apply(lookup("select"), every, a, b) for a, b in zip(values[:n], values[n : 2 * n], strict=True)]
        again = apply(lookup("select"), every, zero, made)
        first = counted("add", start, counted("subtract", done, made))
        arrays, _ = self._arrays(again, arrays, self._rest, first, partial=False)
        return self._in_order(arrays, values[2 * n : 2 * n + m])

    def _goes_on(self, numbers: Sequence[Value], consts: Sequence[Value], done: Value, ends: Sequence[Value]) -> Value:
        """Whether there is one more iteration."""
        node, found = self.found.node, self.found
        if node.op.name == "while":
            graph: Graph = node.kw["cond"]
            places = {graph.params[k]: v for k, v in zip(found.numbers, numbers, strict=True)}
            places |= dict(zip(graph.params[self._carried :], consts, strict=True))
            _copied(graph.nodes, places)
            return places[graph.results[0]]
        begin, last = ends
        more = counted("less", counted("add", begin, done), last)
        flag = numbers[found.numbers.index(node.kw["until"])]
        return counted("logical_and", more, counted("logical_not", flag))

    # --- the parts

    def _arrays(
        self, times: Value, arrays: Sequence[Value], consts: Sequence[Value], first: Value, partial: bool
    ) -> tuple[list[Value], list[Value]]:
        """So many iterations of the arrays; and, of what is reduced of them, all ranks' parts together."""
        found, body, n = self.found, self.found.body, len(arrays)
        reduced = found.reduced if partial else ()
        zero, one = const(0, _I64.dtype), const(1, _I64.dtype)
        parts = [
            apply(lookup("broadcast"), const(0, r.types[0].dtype), shape=(self.depth,)) for r in reduced
        ]  # fmt: skip
        operands = [*arrays, *parts, *consts, first]
        index = param(0, _I64)
        inside = [param(1 + k, v.type) for k, v in enumerate(operands)]
        places = {body.params[found.lead + k]: v for k, v in zip(found.arrays, inside, strict=False)}
        places |= dict(zip(self._inner, inside[n + len(parts) : -1], strict=True))
        if found.lead:
            places[body.params[0]] = counted("add", inside[-1], index)
        _copied(body.nodes, places, [*(body.results[k] for k in found.arrays), *(Value(r, 0) for r in reduced)])
        notes = [
            apply(lookup("put_window"), p, places[Value(r, 0)], index, dims=_INDEX)
            for p, r in zip(inside[n : n + len(parts)], reduced, strict=True)
        ]
        results = [*(places[body.results[k]] for k in found.arrays), *notes]
        made = self._make(
            "loop", (zero, times, one, *operands), body=Graph([index, *inside], results), carried=n + len(parts),
            until=-1,
        )  # fmt: skip
        self.deep[made] = self.depth
        combined = [
            apply(COMBINED, v, kind=_kind(r)) for v, r in zip(made.values[n:], reduced, strict=True)
        ]  # fmt: skip
        return list(made.values[:n]), combined

    def _numbers(
        self, times: Value, numbers: Sequence[Value], consts: Sequence[Value], first: Value, parts: Sequence[Value]
    ) -> list[Value]:
        """So many iterations of the numbers, for which there is what was reduced."""
        zero, one = const(0, _I64.dtype), const(1, _I64.dtype)
        operands = [*numbers, *consts, *parts, first]
        index = param(0, _I64)
        inside = [param(1 + k, v.type) for k, v in enumerate(operands)]
        results, checks = self._numbers_once(index, inside)
        graph = Graph([index, *inside], results, checks)
        made = self._make("loop", (zero, times, one, *operands), body=graph, carried=len(numbers), until=-1)
        return list(made.values)

    def _numbers_until(
        self, times: Value, numbers: Sequence[Value], consts: Sequence[Value], ends: Sequence[Value], done: Value,
        parts: Sequence[Value],
    ) -> tuple[Value, list[Value]]:  # fmt: skip
        """As many iterations of the numbers as the loop has, so many at most; and how many these were."""
        zero, one = const(0, _I64.dtype), const(1, _I64.dtype)
        first = counted("add", ends[0], done)
        operands = [zero, *numbers, *consts, *parts, first, times, *ends, done]
        inside = [param(k, v.type) for k, v in enumerate(operands)]
        index, m, c = inside[0], len(numbers), len(consts)
        *_, limit, begin, last, before = inside
        so_far = counted("add", before, index)
        goes_on = self._goes_on(inside[1 : 1 + m], inside[1 + m : 1 + m + c], so_far, (begin, last))
        cond = Graph(inside, [counted("logical_and", counted("less", index, limit), goes_on)])
        results, checks = self._numbers_once(index, inside[1:-4])
        body = Graph(inside, [counted("add", index, one), *results], checks)
        made, *new = self._make("while", tuple(operands), cond=cond, body=body, carried=1 + m).values
        return made, new

    def _numbers_once(self, index: Value, inside: Sequence[Value]) -> tuple[list[Value], list[Check]]:
        """An iteration of the numbers; `inside`: these, constants, what was reduced, and the first one's index."""
        found, body = self.found, self.found.body
        m, c = len(found.numbers), len(self._inner)
        places = {body.params[found.lead + k]: v for k, v in zip(found.numbers, inside, strict=False)}
        places |= dict(zip(self._inner, inside[m : m + c], strict=True))
        if found.lead:
            places[body.params[0]] = counted("add", inside[-1], index)
        for r, v in zip(found.reduced, inside[m + c : -1], strict=True):
            places[Value(r, 0)] = apply(lookup("window"), v, index, dims=_INDEX)
        results = [body.results[k] for k in found.numbers]
        _copied(body.nodes, places, [*results, *(check.ok for check in body.checks)])
        return [places[v] for v in results], [Check(places[c.ok], c.exception, c.message) for c in body.checks]

    def _in_order(self, arrays: Sequence[Value], numbers: Sequence[Value]) -> list[Value]:
        found = dict(zip(self.found.numbers, numbers, strict=True)) | dict(zip(self.found.arrays, arrays, strict=True))
        return [found[k] for k in range(self._carried)]

    def _make(self, name: str, operands: tuple[Value, ...], **attrs: object) -> Node:
        made = make(lookup(name), operands, tuple(sorted(attrs.items())))
        made.lines |= self.found.node.lines
        return made


def _kind(node: Node) -> str:
    (kind,) = {e.kind for entries in node.access for e in entries if isinstance(e, Reduced)}
    return kind


def _copied(nodes: Iterable[Node], places: dict[Value, Value], wanted: Sequence[Value] | None = None) -> None:
    """Add to `places` what nodes are with their operands replaced; of `wanted`, what these need, or all nodes."""
    nodes = list(nodes)
    needed = set(nodes) if wanted is None else set()
    pending = [v.node for v in wanted or () if v not in places]
    while pending:
        node = pending.pop()
        if node not in needed:
            needed.add(node)
            pending += [v.node for v in node.operands if v not in places]
    for node in nodes:
        if node in needed and node.values[0] not in places:
            made = make(node.op, tuple(places[v] for v in node.operands), node.attrs)
            made.lines |= node.lines
            places.update(zip(node.values, made.values, strict=True))
