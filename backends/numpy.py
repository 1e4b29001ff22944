"""The reference interpreter: runs any graph with NumPy, one operation at a time. The oracle of every test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazyarr.backends.base import GivenUp
from lazyarr.ir.graph import CheckFailed, Graph
from lazyarr.ir.node import Node, Value
from lazyarr.ops.control import REGION

#: Elements whose evaluation is taken to cost what calling an operation costs.
_ELEMENTS_A_CALL = 1_000


class Exhausted(Exception):
    """A graph takes longer to interpret than was allowed."""


class Allowance:
    """How much may be interpreted.

    Parameters
    ----------
    calls : int
        Operations on small arrays, those of all iterations.
    """

    def __init__(self, calls: int):
        self.calls = calls

    def take(self, results: Sequence[Any]) -> None:
        """Count one operation.

        Raises
        ------
        Exhausted
            If it was one too many.
        """
        self.calls -= 1 + sum(result.size for result in results) // _ELEMENTS_A_CALL
        if self.calls < 0:
            raise Exhausted


def interpret(graph: Graph, arguments: Sequence[Any], allowance: Allowance | None = None) -> list[Any]:
    """Run `graph` on NumPy arrays.

    Parameters
    ----------
    graph : Graph
        In any form; regions are run like the rest.
    arguments : sequence of ndarray or scalar
        One a parameter, of its dtype and shape (a Python scalar for a weak parameter); may be `GivenUp`.
    allowance : Allowance, optional
        How much may be interpreted.

    Returns
    -------
    list of ndarray
        One for each of ``graph.roots``: results, then conditions of checks. A result may share memory with an
        argument or with another result; callers that write to one copy it first.

    Raises
    ------
    Exhausted
        If the allowance does not suffice.
    """
    values: dict[Value, Any] = {
        p: a.take() if type(a) is GivenUp else np.asarray(a, p.type.dtype) if p.type.weak else a
        for p, a in zip(graph.params, arguments, strict=True)
    }
    last = last_uses(graph)
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            outcome = _written(node, values, last)
            if outcome is None:
                outcome = evaluate(node, [values[operand] for operand in node.operands], allowance)
            if allowance is not None:
                allowance.take(outcome)
            for index, array in enumerate(outcome):
                values[Value(node, index)] = array
            # (What the next node writes to nobody else may refer to.)
            outcome = array = None
            # Memory goes back as soon as the last reader has run: what `reorder` lowers is then what is seen.
            for dead in last.get(node, ()):
                values.pop(dead, None)
    return [values[root] for root in graph.roots]


def _references(x: Any) -> int:
    return sys.getrefcount(x)


_example = np.empty(())
#: What `_references` gives for an array to which one variable refers.
_ALONE = _references(_example)


def _written(node: Node, values: dict[Value, Any], last: dict[Node, list[Value]]) -> tuple[Any, ...] | None:
    """The result of what writes to its first operand, in that one's memory; None where somebody has that besides.

    (Views refer to the array that they are of. Without this each of many writes to a large array would copy it.)
    """
    if node.op.into is None or (first := node.operands[0]) not in last.get(node, ()) or first in node.operands[1:]:
        return None
    x = values.pop(first)
    if type(x) is np.ndarray and _references(x) == _ALONE and x.flags.owndata and x.flags.writeable:
        node.op.into(x, *(values[operand] for operand in node.operands[1:]), **node.kw)
        return (x,)
    values[first] = x
    return None


def evaluate(node: Node, arguments: Sequence[Any], allowance: Allowance | None = None) -> tuple[Any, ...]:
    """Results of one node, each an ndarray of the node's type."""
    attrs = node.kw
    if node.op is REGION:
        body = attrs["body"]
        attrs = {**attrs, "body": lambda *given: interpret(body, given, allowance)}
    elif any(True for _ in node.regions):
        attrs = {k: _callable(v, allowance) if isinstance(v, Graph) else v for k, v in attrs.items()}
    result = node.op.evaluate(np, *arguments, **attrs)
    results = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    return tuple(np.asarray(r, t.dtype) for r, t in zip(results, node.types, strict=True))


def _callable(graph: Graph, allowance: Allowance | None) -> Any:
    def run(*arguments: Any) -> tuple[Any, ...]:
        found = interpret(graph, arguments, allowance)
        for check, ok in zip(graph.checks, found[len(graph.results) :], strict=True):
            if not bool(ok):
                raise CheckFailed(check)
        return tuple(found[: len(graph.results)])

    return run


def last_uses(graph: Graph) -> dict[Node, list[Value]]:
    """For each node the values nobody reads after it (results of the graph are always read)."""
    kept = set(graph.roots)
    seen: set[Value] = set()
    found: dict[Node, list[Value]] = {}
    for node in reversed(graph.nodes):
        for value in (*node.operands, *node.values):
            if value not in seen and value not in kept:
                seen.add(value)
                found.setdefault(node, []).append(value)
    return found


def compile(graph: Graph, donate: Sequence[int] = ()) -> Callable[[Sequence[Any]], list[Any]]:
    """The graph as a back end runs it (`lazyarr.backends.base`); nothing is donated."""

    def run(arguments: Sequence[Any]) -> list[Any]:
        return interpret(graph, [a if isinstance(a, (np.ndarray, int, float, complex)) else np.asarray(a)
                                 for a in arguments])  # fmt: skip

    return run
