"""The rewrite driver: applies tables of local rules to a program until nothing changes.

A rule sees one node, whose operands have been rewritten already, and answers with the value that replaces it. The
driver does the rest: it walks the schedule, drops what is dead, keeps parameters in place, goes into regions, and
carries the table of origins along. Everything is iterative and takes time linear in the size of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from lazyarr.ir.graph import Check, Graph, Line, Program, depth_first
from lazyarr.ir.node import Attrs, Node, Value, make

#: What a rule answers: the value of a node with one result, a tuple for one with several, None to leave it.
Replacement = Value | tuple[Value, ...] | None
Rule = Callable[[Node, "Context"], Replacement]
#: For each operation's name the rules tried on its nodes, in order; under `EVERY` those tried on all, after them.
Rules = Mapping[str, Sequence[Rule]]

EVERY = "*"

#: How often rules may fire in a row on one node before it has to wait for the next sweep.
_IN_A_ROW = 64


class Context:
    """What a rule may ask about the graph its node stands in.

    Attributes
    ----------
    graph : Graph
        The graph as it was before this sweep.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self._position: dict[Node, int] = {p.node: k for k, p in enumerate(graph.params)}
        self._readers: dict[Value, int] = {}
        self._count: dict[Value, int] = {}
        self._moved: list[tuple[Node, Node]] = []
        self._at: Node | None = None
        for node in graph.nodes:
            for operand in node.operands:
                self._count[operand] = self._count.get(operand, 0) + 1
        for root in graph.roots:
            self._count[root] = self._count.get(root, 0) + 1

    def position(self, value: Value) -> tuple[int, int]:
        """Where `value` stands in the order of computation, parameters first: a key for sorting.

        Values that a rule has just made come last.
        """
        return self._position.get(value.node, len(self._position)), value.index

    def readers(self, value: Value) -> int:
        """How often `value` is read, by operands and by the graph's roots; 0 for one that a rule has just made."""
        return self._readers.get(value, 0)

    def reads(self, index: int) -> int:
        """How often result `index` of the node that the rule sees is read, by operands and by the graph's roots."""
        return 0 if self._at is None else self._count.get(Value(self._at, index), 0)

    def moved(self, old: Node, new: Node) -> None:
        """Note that `new`, made by a rule, does the work of `old`: it stands for the same of the user's lines.

        Needed only for nodes inside of what a rule answers; the answer itself is credited by the driver.
        """
        self._moved.append((old, new))

    def _emit(self, node: Node) -> None:
        self._position.setdefault(node, len(self._position))

    def _mapped(self, old: Value, new: Value) -> None:
        self._readers[new] = self._readers.get(new, 0) + self._count.get(old, 0)


def rewrite(
    program: Program, rules: Rules, *, sweeps: int = 8, finish: Callable[[Graph], Graph] | None = None
) -> Program:
    """Apply `rules` to every node of `program`, bottom-up, until nothing changes.

    Parameters
    ----------
    program : Program
    rules : mapping of operation name to rules
        A rule must keep the type of what it replaces. Rules that undo each other do not hang: see `sweeps`.
    sweeps : int
        How often the graph, and each graph in a region, is walked at most. Each walk is linear.
    finish : callable, optional
        Applied to each graph when its rules are done, those in regions first: for passes that look at whole graphs.

    Returns
    -------
    Program
        Parameters as before; dead nodes dropped; a check dropped whose condition became constant True.

    Raises
    ------
    TypeError
        If a rule replaces a value by one of another type.
    """
    driver = _Driver(rules, program.origins, sweeps, finish)
    graph = driver.rewrite(program.graph)
    return Program(graph, live_origins(graph, driver.origins))


def all_nodes(graph: Graph) -> Iterator[Node]:
    """Every node of a graph and of the graphs in its regions, each graph once."""
    pending, seen = [graph], {graph}
    while pending:
        for node in pending.pop().nodes:
            yield node
            for region in node.regions:
                if region not in seen:
                    seen.add(region)
                    pending.append(region)


def live_origins(graph: Graph, origins: Mapping[Node, frozenset[Line]]) -> dict[Node, frozenset[Line]]:
    """The part of a table of origins that is about nodes of `graph`, those in regions included."""
    return {node: origins[node] for node in all_nodes(graph) if node in origins}


def is_true(value: Value) -> bool:
    """Whether `value` is the constant True."""
    node = value.node
    return node.op.name == "const" and node.types[0].dtype.kind == "b" and bool(node.kw["value"].value)


def remaining_checks(checks: Iterable[Check]) -> list[Check]:
    """The checks, each once, without those that hold always."""
    return list(dict.fromkeys(check for check in checks if not is_true(check.ok)))


class Rebuild:
    """A program built anew from another one, node by node, for passes that look at whole graphs.

    Attributes
    ----------
    new : dict
        For each value of the old graph that has been rebuilt, the one it became; parameters stay.
    nodes : dict
        The new nodes, in their order; the dict's values mean nothing.
    """

    def __init__(self, program: Program):
        self._program = program
        self._origins = dict(program.origins)
        self.new: dict[Value, Value] = {p: p for p in program.graph.params}
        self.nodes: dict[Node, None] = {}

    def add(self, old: Node, made: Node, new: dict[Value, Value] | None = None) -> None:
        """Put `made` at the end, which stands for `old`; its results are noted in `new`, if not in the attribute."""
        self.nodes.setdefault(made)
        self.credit(old, made)
        (self.new if new is None else new).update(zip(old.values, made.values, strict=True))

    def credit(self, old: Node, made: Node) -> None:
        """Note that `made` does the work of `old`: it stands for the same of the user's lines."""
        lines = self._program.origins.get(old)
        if lines:
            self._origins[made] = self._origins.get(made, frozenset()) | lines

    def finish(self) -> Program:
        """The program, without dead nodes and checks that always hold."""
        graph, new = self._program.graph, self.new
        results = [new[v] for v in graph.results]
        checks = remaining_checks(Check(new[c.ok], c.exception, c.message) for c in graph.checks)
        needed = {value.node for value in (*results, *(c.ok for c in checks))}
        order: list[Node] = []
        for node in reversed(self.nodes):
            if node in needed:
                order.append(node)
                needed.update(v.node for v in node.operands)
        made = Graph(graph.params, results, checks, order[::-1])
        return Program(made, live_origins(made, self._origins))


class _Driver:
    def __init__(
        self,
        rules: Rules,
        origins: Mapping[Node, frozenset[Line]],
        sweeps: int,
        finish: Callable[[Graph], Graph] | None,
    ):
        self.rules = rules
        self.finish = finish
        self.origins: dict[Node, frozenset[Line]] = dict(origins)
        self.sweeps = sweeps
        self._done: dict[Graph, Graph] = {}
        self._every = tuple(rules.get(EVERY, ()))
        self._of_op: dict[str, tuple[Rule, ...]] = {}

    def rewrite(self, graph: Graph) -> Graph:
        found = self._done.get(graph)
        if found is not None:
            return found
        result = graph
        for _ in range(self.sweeps):
            before, result = result, self._sweep(result)
            if result is before:
                break
        if self.finish is not None:
            result = self.finish(result)
        self._done[graph] = self._done[result] = result
        return result

    def _sweep(self, graph: Graph) -> Graph:
        context = Context(graph)
        new: dict[Value, Value] = {p: p for p in graph.params}
        emitted: set[Node] = {p.node for p in graph.params}
        order: list[Node] = []
        # (operand of a node that a rule replaced, the replacement): should the operand die, its lines move on.
        consumed: list[tuple[Node, Node]] = []
        for p in graph.params:
            context._mapped(p, p)
        for node in graph.nodes:
            current = self._rebuild(node, new)
            context._at = node
            values, replaced = self._apply(current, emitted, context)
            lines = self.origins.get(node, frozenset())
            for source, target in context._moved:
                self._credit(target, self.origins.get(source, frozenset()))
            context._moved.clear()
            for fresh in depth_first(values, emitted):
                order.append(fresh)
                context._emit(fresh)
                if fresh not in self.origins:
                    self._credit(fresh, lines)
            for target in {value.node for value in values}:
                self._credit(target, lines)
                consumed.extend((operand.node, target) for gone in replaced for operand in gone.operands)
            for old, value in zip(node.values, values, strict=True):
                new[old] = value
                context._mapped(old, value)
        results = [new[v] for v in graph.results]
        checks = remaining_checks(Check(new[c.ok], c.exception, c.message) for c in graph.checks)
        live = set(depth_first([*results, *(c.ok for c in checks)]))
        for operand, target in consumed:
            if operand not in live and operand is not target:
                self._credit(target, self.origins.get(operand, frozenset()))
        return Graph(graph.params, results, checks, [node for node in order if node in live])

    def _rebuild(self, node: Node, new: Mapping[Value, Value]) -> Node:
        """`node` on rewritten operands, its regions rewritten."""
        operands = tuple([new[v] for v in node.operands])
        attrs: Attrs = node.attrs
        for _, value in attrs:
            if isinstance(value, Graph):
                attrs = tuple((k, self.rewrite(v) if isinstance(v, Graph) else v) for k, v in attrs)
                break
        return node if operands == node.operands and attrs == node.attrs else make(node.op, operands, attrs)

    def _apply(self, node: Node, emitted: set[Node], context: Context) -> tuple[tuple[Value, ...], list[Node]]:
        """What replaces `node`, and the nodes that rules replaced on the way."""
        replaced: list[Node] = []
        values = node.values
        for _ in range(_IN_A_ROW):
            found = self._first(node, context)
            if found is None or found == values:
                break
            replaced.append(node)
            values = found
            node = values[0].node
            # A node met before has been through its rules, and one result of several is not its node.
            if node in emitted or values != node.values:
                break
        return values, replaced

    def _first(self, node: Node, context: Context) -> tuple[Value, ...] | None:
        """What the first rule that fires answers."""
        rules = self._of_op.get(node.op.name)
        if rules is None:
            rules = self._of_op[node.op.name] = (*self.rules.get(node.op.name, ()), *self._every)
        for rule in rules:
            found = rule(node, context)
            if found is None:
                continue
            values = (found,) if isinstance(found, Value) else found
            types = tuple(value.type for value in values)
            if types != node.types:
                if [(t.dtype, t.shape, t.weak) for t in types] == [(t.dtype, t.shape, t.weak) for t in node.types]:
                    continue  # Of a length that is decided at run time more is known of one than of the other.
                raise TypeError(
                    f"rule {getattr(rule, '__name__', rule)} replaces {node.op.name} of type "
                    f"{', '.join(map(str, node.types))} by {', '.join(map(str, types))}"
                )
            return values
        return None

    def _credit(self, node: Node, lines: frozenset[Line]) -> None:
        if lines and node.op.name != "param":
            known = self.origins.get(node)
            self.origins[node] = lines if known is None else known | lines
