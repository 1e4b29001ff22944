"""Which elements of the arrays that a loop carries an iteration reads and writes, and whether two iterations meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value
from lazyarr.passes.integers import Integers, Number, Numbers
from lazyarr.passes.linear import Linear, impossible

#: Accesses of an array from which on its loop is not looked at.
_MOST = 40
_VIEWS = ("as_extents",)


class Dependent(Exception):
    """Iterations depend on each other, or nothing proves that they do not.

    Attributes
    ----------
    why : str
    node : Node, optional
        What ties them together.
    """

    def __init__(self, why: str = "nothing proves that they are independent", node: Node | None = None):
        super().__init__(why)
        self.why, self.node = why, node


@dataclass(frozen=True)
class Access:
    """Elements of the carried array number `slot`.

    Attributes
    ----------
    places : tuple of Linear or None
        The index on each axis; None: any.
    facts : tuple of Linear
        What is not negative where the access happens.
    node : Node
        What accesses them.
    """

    slot: int
    writes: bool
    places: tuple[Linear | None, ...]
    facts: tuple[Linear, ...]
    node: Node


class Accesses:
    """The accesses of one iteration of a loop, found by walking its body.

    Attributes
    ----------
    found : list of Access
    first : int
        The unknowns from this one on are different ones in another iteration.
    index : Number
        The index.
    """

    def __init__(self, integers: Integers, node: Node, numbers: Numbers):
        self.integers = integers
        self.found: list[Access] = []
        self.first = integers.count
        self._path: list[Linear] = []
        body, carried = node.kw["body"], node.kw["carried"]
        inner = integers.inside(node, body, numbers)
        self.index = inner[body.params[0]]
        slots = {p: k for k, p in enumerate(body.params[1 : 1 + carried]) if p.type.shape}
        self.results = self._walk(body, inner, slots)

    # --- walking

    def _walk(self, graph: Graph, numbers: Numbers, slots: dict[Value, int]) -> list[int | None]:
        """Note the accesses of a graph; `slots` says which values are carried arrays. Gives those of the results."""
        for node in graph.nodes:
            if list(node.regions):
                self._regions(node, graph, numbers, slots)
                continue
            self.integers.step(node, graph, numbers)
            given = [slots.get(v) for v in node.operands]
            name = node.op.name
            if given and given[0] is not None and name in ("window", "put_window", "slice", "update_slice"):
                writes = name in ("put_window", "update_slice")
                self._note(node, given[0], writes, numbers)
                if writes:
                    slots[node.values[0]] = given[0]
                given[0] = None
            elif name in _VIEWS and given[0] is not None:
                slots[node.values[0]] = given[0]
                given[0] = None
            for slot, value in zip(given, node.operands, strict=True):
                if slot is not None:
                    self._add(Access(slot, False, (None,) * value.type.ndim, tuple(self._path), node))
        for check in graph.checks:
            if check.ok in slots:
                raise Dependent
        return [slots.get(v) for v in graph.results]

    def _regions(self, node: Node, graph: Graph, numbers: Numbers, slots: dict[Value, int]) -> None:
        if node.op.name not in ("loop", "while", "cond"):
            raise Dependent
        lead = {"loop": 3, "while": 0, "cond": 1}[node.op.name]
        given = [slots.get(v) for v in node.operands[lead:]]
        ends: list[list[int | None]] = []
        for name, region in node.attrs:
            if not isinstance(region, Graph):
                continue
            params = region.params[1:] if node.op.name == "loop" else region.params
            inner = self.integers.inside(node, region, numbers)
            known = {p: k for p, k in zip(params, given, strict=True) if k is not None}
            before = len(self._path)
            if node.op.name == "cond":
                self._path += self._condition(node.operands[0], numbers, name == "then")
            results = self._walk(region, inner, known)
            del self._path[before:]
            if node.op.name == "cond" or name == "body":
                ends.append(results)
        for k, value in enumerate(node.values):
            slot = ends[0][k]
            if any(end[k] != slot for end in ends) or (node.op.name != "cond" and slot != given[k]):
                raise Dependent
            if slot is not None:
                slots[value] = slot

    def _condition(self, value: Value, numbers: Numbers, holds: bool) -> Iterator[Linear]:
        """What is not negative where a comparison of integers holds, or does not."""
        name, operands = value.node.op.name, value.node.operands
        if len(operands) != 2 or not all(v in numbers for v in operands):
            return
        x, y = (numbers[v].form for v in operands)
        if name in ("greater", "greater_equal"):
            x, y, name = y, x, {"greater": "less", "greater_equal": "less_equal"}[name]
        if name in ("less", "less_equal"):
            strict = name == "less"
            yield y.minus(x).shifted(-strict) if holds else x.minus(y).shifted(strict - 1)
        elif name == ("equal" if holds else "not_equal"):
            yield from (y.minus(x), x.minus(y))

    # --- accesses

    def _note(self, node: Node, slot: int, writes: bool, numbers: Numbers) -> None:
        name, kw = node.op.name, node.kw
        facts = list(self._path)
        places: list[Linear | None] = []

        def along(start: Linear, length: Number, step: int) -> None:
            offset = self.integers.unknown(0)
            facts.append(self.integers.below(length).minus(offset.form).shifted(-1))
            places.append(start.plus(offset.form, step))

        if name in ("slice", "update_slice"):
            shape = (node.operands[1] if writes else node.values[0]).type.shape
            for start, step, n in zip(kw["start"], kw["step"], shape, strict=True):
                if not isinstance(n, int):
                    raise Dependent
                along(Linear(start), Number(Linear(n), n, n), step)
        else:
            scalars = iter(node.operands[2 if writes else 1 :])
            for dim in kw["dims"]:
                if dim[0] == "all":
                    places.append(None)
                    continue
                first = self.integers.get(numbers, next(scalars)).form
                if dim[0] == "index":
                    places.append(first)
                elif dim[0] == "block":
                    along(first, Number(Linear(dim[1]), dim[1], dim[1]), dim[2])
                else:
                    along(first, self.integers.get(numbers, next(scalars)), dim[1])
        self._add(Access(slot, writes, tuple(places), tuple(facts), node))

    def _add(self, access: Access) -> None:
        self.found.append(access)
        if len(self.found) > _MOST:
            raise Dependent

    # --- two iterations

    def require_independent(self) -> None:
        """No iteration may read or write an element that another one writes.

        Raises
        ------
        Dependent
            If one may.
        """
        written = {a.slot for a in self.found if a.writes}
        for k, one in enumerate(self.found):
            for other in self.found[: k + 1]:
                if one.slot == other.slot and one.slot in written and (one.writes or other.writes):
                    if not self._apart(one, other) or (one is not other and not self._apart(other, one)):
                        writer = one if one.writes else other
                        raise Dependent("one may touch elements that another one writes", writer.node)

    def _apart(self, one: Access, other: Access) -> bool:
        """Whether no element of `one` is one of `other` in a later iteration."""

        def primed(form: Linear) -> Linear:
            return form.renamed(lambda u: u if u < self.first else u + self.integers.count)

        def known(access: Access) -> list[Linear]:
            forms = [p for p in access.places if p is not None]
            return [*access.facts, *self.integers.facts([*forms, *access.facts, self.index.form])]

        order = self._turn()
        facts = [*known(one), *map(primed, known(other)), primed(order).minus(order).shifted(-1)]
        same = [a.minus(primed(b)) for a, b in zip(one.places, other.places, strict=True)
                if a is not None and b is not None]  # fmt: skip
        return impossible(facts, same)

    def _turn(self) -> Linear:
        """What differs by at least one between two iterations, in either order."""
        return next(Linear.of(u) for u, _ in self.index.form.terms if u >= self.first)


