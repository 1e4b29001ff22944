"""What must hold of a graph in each form; run after every pass in tests.

A rule is a function that looks at one graph and yields what breaks it. A form is a tuple of rules, so that a
later form is the rules of an earlier one and its own. Regions are held to the same rules as the graph
around them, except rules marked `top_level`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr.ir.graph import PARAM, Graph
from lazyarr.ir.node import Literal, Node, Value
from lazyarr.ir.text import names, show_attr, show_node
from lazyarr.ir.types import ArrayType


class VerificationError(Exception):
    """A graph breaks a rule of its form: a pass is wrong, or what built the graph.

    Attributes
    ----------
    rule : str
        The rule's name.
    node : Node or None
        The node that breaks it, where one does.
    """

    def __init__(self, rule: str, detail: str, node: Node | None = None, where: str = ""):
        super().__init__(f"{rule}: {detail}{where}")
        self.rule = rule
        self.node = node


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule found: the node, if it is one node's fault, and what is wrong."""

    detail: str
    node: Node | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold.

    Attributes
    ----------
    name : str
        What messages call it.
    find : callable
        ``find(graph) -> iterable of Problem``; it may rely on the rules before it in the form.
    top_level : bool
        True for a rule that is not asked of regions.
    """

    name: str
    find: Callable[[Graph], Iterator[Problem]]
    top_level: bool = False


def verify(graph: Graph, form: tuple[Rule, ...] | None = None) -> None:
    """Check that `graph` keeps every rule of `form` (default: `GLOBAL`).

    Raises
    ------
    VerificationError
        At the first rule that is broken, naming the rule and quoting the node.
    """
    rules = GLOBAL if form is None else form
    pending: list[tuple[Graph, str]] = [(graph, "")]
    seen: set[Graph] = set()
    while pending:
        block, where = pending.pop()
        for rule in rules:
            if rule.top_level and where:
                continue
            for problem in rule.find(block):
                quoted = "" if problem.node is None else f"\n  in {show_node(problem.node, names(block))}"
                raise VerificationError(rule.name, problem.detail, problem.node, quoted + where)
        for node in block.nodes:
            for region in node.regions:
                if region not in seen:
                    seen.add(region)
                    inside = f"\n  in a region of {show_node(node, names(block))}{where}"
                    pending.append((region, inside))


def verify_scheduled(graph: Graph) -> None:
    """Check that `graph` is in the form the runtime executes: a sequence of regions, each for one back end.

    Raises
    ------
    VerificationError
    """
    verify(graph, SCHEDULED)


# ---------------------------------------------------------------------------------------- rules of GLOBAL


def _params(graph: Graph) -> Iterator[Problem]:
    for position, value in enumerate(graph.params):
        if value.node.op is not PARAM:
            yield Problem(f"parameter {position} is a {value.node.op.name}", value.node)
        elif value.node.kw["index"] != position:
            yield Problem(f"parameter {position} has the index {value.node.kw['index']}", value.node)


def _once(graph: Graph) -> Iterator[Problem]:
    seen: set[Node] = set()
    for node in graph.nodes:
        if node.op is PARAM:
            yield Problem("a parameter stands among the nodes", node)
        if node in seen:
            yield Problem("the node stands twice in the order", node)
        seen.add(node)


def _defined(graph: Graph) -> Iterator[Problem]:
    defined: set[Value] = set(graph.params)
    for node in graph.nodes:
        for k, operand in enumerate(node.operands):
            if operand not in defined:
                yield Problem(f"operand {k}, {show_node(operand.node)}, is not defined before its use", node)
        defined.update(node.values)
    for k, value in enumerate(graph.results):
        if value not in defined:
            yield Problem(f"result {k}, {show_node(value.node)}, is not computed")
    for check in graph.checks:
        if check.ok not in defined:
            yield Problem(f"the condition of check {check.message!r}, {show_node(check.ok.node)}, is not computed")


def _attributes(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        keys = [key for key, _ in node.attrs]
        if keys != sorted(set(keys)):
            yield Problem(f"attributes are {', '.join(keys)}: not sorted, or not each once", node)
        if node.kw != dict(node.attrs):
            yield Problem("kw is not what attrs says", node)
        for key, value in node.attrs:
            wrong = _wrong_attribute(value)
            if wrong:
                yield Problem(f"attribute {key}: {wrong}", node)


def _wrong_attribute(value: Any) -> str | None:
    """Why `value` cannot be an attribute, or None."""
    if isinstance(value, tuple):
        return next(filter(None, map(_wrong_attribute, value)), None)
    if isinstance(value, (Graph, Literal, ArrayType, np.dtype)) or type(value) in (int, bool, float, str, type(None)):
        return None
    try:
        hash(value)
        show_attr(value)
    except TypeError as error:
        return str(error)
    if isinstance(value, (int, float, np.generic)):
        # It would print as a Python number and come back as one.
        return f"{value!r} is a {type(value).__name__}, not a Python number"
    return None


def _types(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        # Afresh: what was remembered when the node was made is what is being checked.
        try:
            given = node.operands if node.op.dependent else (v.type for v in node.operands)
            inferred = node.op.infer(*given, **node.kw)
        except (TypeError, ValueError) as error:
            yield Problem(f"the operation refuses its operands: {error}", node)
            continue
        expected = (inferred,) if isinstance(inferred, ArrayType) else tuple(inferred)
        if expected != node.types:
            listed = ", ".join(map(str, expected))
            yield Problem(f"the operation infers {listed or 'no result'}", node)


def _weak(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        # A region's body is held to the same rule, so a Python scalar may cross its border.
        if node.op.name == "cast" or any(True for _ in node.regions):
            continue
        for k, operand in enumerate(node.operands):
            if operand.type.weak:
                yield Problem(f"operand {k} is a Python scalar, which only cast takes", node)


def _checks(graph: Graph) -> Iterator[Problem]:
    for check in graph.checks:
        type = check.ok.type
        if type.shape != () or type.dtype != np.bool_:
            yield Problem(f"the condition of check {check.message!r} is {type}, not bool[]", check.ok.node)


PARAMS = Rule("parameters are positional and dense", _params)
ONCE = Rule("every node stands once", _once)
DEFINED = Rule("values are defined before they are used", _defined)
ATTRIBUTES = Rule("attributes are sorted, hashable and printable", _attributes)
TYPES = Rule("types are what the operation infers", _types)
WEAK = Rule("Python scalars are cast before they are used", _weak)
CHECKS = Rule("checks are bool scalars", _checks)

#: What the user wrote.
GLOBAL: tuple[Rule, ...] = (PARAMS, ONCE, DEFINED, ATTRIBUTES, TYPES, WEAK, CHECKS)


# ------------------------------------------------------------------------------------- rules of SCHEDULED


def _regions(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        if node.op.name != "region":
            yield Problem("the node stands outside every region", node)


def _runnable(graph: Graph) -> Iterator[Problem]:
    for node in graph.nodes:
        if node.op.name != "region":
            continue
        backend = node.kw["backend"]
        pending = [node.kw["body"]]
        while pending:
            for inner in pending.pop().nodes:
                if backend not in inner.op.backends:
                    can = ", ".join(inner.op.backends) or "no back end"
                    yield Problem(f"{backend} cannot run {show_node(inner)}; {can} can", node)
                if inner.op.name == "region" and inner.kw["backend"] != backend:
                    yield Problem(f"a region for {inner.kw['backend']} stands in one for {backend}", node)
                pending.extend(inner.regions)


REGIONS = Rule("a schedule is a sequence of regions", _regions, top_level=True)
RUNNABLE = Rule("a region's back end runs everything in it", _runnable, top_level=True)

#: What the runtime executes.
SCHEDULED: tuple[Rule, ...] = (*GLOBAL, REGIONS, RUNNABLE)
