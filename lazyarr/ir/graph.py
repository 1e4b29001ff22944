"""Graph: a program with parameters, an order of nodes, results and checks; and where each value came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from lazyarr import forks
from lazyarr.ir.access import opaque
from lazyarr.ir.extension import compiled
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.op import Cost, Op
from lazyarr.ir.types import ArrayType

#: A parameter of a graph. Not an operation to run: back ends bind it.
PARAM = Op(
    name="param",
    numpy="an argument",
    infer=lambda *, index, type: type,
    evaluate=lambda xp, **attrs: _bound_by_the_back_end("param"),
    jax=None,
    access=lambda **attrs: opaque(),
    pointwise=False,
    memory="fresh",
    cost=lambda **attrs: Cost(0, 0),
    backends=(),
    samples=lambda: (),
)


def _bound_by_the_back_end(name: str) -> Any:
    raise RuntimeError(f"a {name} is bound by the back end, never evaluated")


def param(index: int, type: ArrayType) -> Value:
    """Parameter number `index` of a graph."""
    return Value(make(PARAM, (), (("index", index), ("type", type))), 0)


BRANCH_HOLDS, LOOP_HOLDS = "the checks of a branch hold", "the checks of a loop hold"
#: Messages of checks that only say what checks in regions have said before: what runs these has ended where one failed.
REPEATED = (BRANCH_HOLDS, LOOP_HOLDS)


class Check(NamedTuple):
    """What NumPy would have raised at run time.

    Attributes
    ----------
    ok : Value
        A bool scalar; False raises.
    exception : str
        Name of the class to raise (a builtin, or ``LinAlgError``).
    message : str
    """

    ok: Value
    exception: str
    message: str


class CheckFailed(BaseException):
    """A check inside a region did not hold: the program has no results.

    Not an `Exception`: code that is traced must not take it for an error of its own.

    Attributes
    ----------
    check : Check
    """

    def __init__(self, check: Check):
        super().__init__(f"{check.exception}: {check.message}")
        self.check = check


class Graph:
    """A closed program. Interned: equal graphs are one object.

    Attributes
    ----------
    params : tuple of Value
        The parameters, in the order of arguments.
    nodes : tuple of Node
        Every other node once, operands before users. The order is part of the graph: it is the schedule.
    results : tuple of Value
    checks : tuple of Check
        Conditions that must hold, computed with the results. In a region: each time it runs, and before an access they
        protect; where one does not, the program fails as a whole (`CheckFailed`).
    """

    __slots__ = ("__weakref__", "checks", "nodes", "params", "results")
    params: tuple[Value, ...]
    nodes: tuple[Node, ...]
    results: tuple[Value, ...]
    checks: tuple[Check, ...]

    def __new__(
        cls,
        params: Sequence[Value],
        results: Sequence[Value],
        checks: Sequence[Check] = (),
        nodes: Sequence[Node] | None = None,
    ) -> Graph:
        params, results, checks = tuple(params), tuple(results), tuple(checks)
        ordered = tuple(nodes) if nodes is not None else depth_first([*results, *(c.ok for c in checks)])
        key = (params, results, checks, ordered)
        found = _graphs.get(key)
        if found is not None:
            return found
        self = object.__new__(cls)
        self.params, self.results, self.checks, self.nodes = params, results, checks, ordered
        with _lock:
            return _graphs.setdefault(key, self)

    @property
    def roots(self) -> tuple[Value, ...]:
        """Results and conditions of checks: what must be computed."""
        return (*self.results, *(check.ok for check in self.checks))

    def __str__(self) -> str:
        from lazyarr.ir.text import show

        return show(self)

    def __repr__(self) -> str:
        return f"<graph of {len(self.nodes)} nodes, {len(self.params)} parameters, {len(self.results)} results>"

    def __reduce__(self) -> Any:
        from lazyarr.ir.text import parse, show

        return parse, (show(self),)


_graphs: WeakValueDictionary[Any, Graph] = WeakValueDictionary()
_lock = forks.lock()


def _depth_first(roots: Iterable[Value], seen: set[Node] | None = None) -> tuple[Node, ...]:
    """Every node `roots` need but parameters, operands before users; not those in `seen`, to which they are added.

    (Iterative: graphs are deep.)
    """
    seen = set() if seen is None else seen
    order: list[Node] = []
    for root in roots:
        # (None: what stands below it comes next, for its operands have come.)
        stack: list[Node | None] = [root.node]
        while stack:
            node = stack.pop()
            if node is None:
                order.append(stack.pop())  # type: ignore[arg-type]
            elif node not in seen:
                seen.add(node)
                if node.op is PARAM:
                    continue
                stack += (node, None)
                for operand in reversed(node.operands):
                    if operand.node not in seen:
                        stack.append(operand.node)
    return tuple(order)


def _form(roots: Sequence[Value], leaf: Op) -> Form:
    """What tells graphs from others, and the nodes of the operation `leaf`.

    That is: of each node, operands before users, its operation, attributes, operands and lines; and which values are
    `roots`, with which it ends.
    """
    places: dict[Node, int] = {}
    leaves: list[Any] = []
    parts: list[Any] = []
    for node in depth_first(roots):
        places[node] = len(parts)
        if node.op is leaf:
            leaves.append(node)
            parts.append(node.types[0])
        else:
            operands = tuple([(places[v.node], v.index) for v in node.operands])
            parts.append((node.op.name, node.known, operands, node.lines))
    return tuple(parts), tuple([(places[v.node], v.index) for v in roots]), leaves


#: Of nodes, of roots, and the nodes that are leaves.
Form = tuple[tuple[Any, ...], tuple[tuple[int, int], ...], list[Any]]
depth_first: Callable[..., tuple[Node, ...]] = _depth_first
form: Callable[[Sequence[Value], Op], Form] = _form
#: Of the extension: those of a list of leaves that nothing refers to but what roots are made of.
unheld: Callable[[Sequence[Value], Op, list[Any], Sequence[int]], list[int]] | None = None
_walk: Any = compiled
if _walk is not None:
    _walk.install(Node, PARAM)
    depth_first, form, unheld = _walk.depth_first, _walk.form, _walk.unheld


def users(graph: Graph) -> dict[Node, list[Node]]:
    """For each node of the graph (and parameter) the nodes that read it, each once."""
    found: dict[Node, list[Node]] = {p.node: [] for p in graph.params}
    for node in graph.nodes:
        found[node] = []
        for producer in dict.fromkeys(operand.node for operand in node.operands):
            found[producer].append(node)
    return found


Line = tuple[str, int]
#: For each node of a graph the user's lines it stands for: (file name, line number).
Origins = Mapping[Node, frozenset[Line]]


@dataclass(frozen=True)
class Program:
    """A graph and the table that says which of the user's lines each of its nodes stands for.

    Passes take and return programs; the rewrite driver carries the table along.
    """

    graph: Graph
    origins: Origins = field(default_factory=dict)

    def lines(self, node: Node) -> tuple[Line, ...]:
        """The user's lines `node` stands for, sorted."""
        return tuple(sorted(self.origins.get(node, ())))
