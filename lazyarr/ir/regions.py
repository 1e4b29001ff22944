"""Regions that run many times: what an operation declares so that work may leave them.

A loop's body is a closed graph: it sees its parameters only. Some of them are the same in every run; which, only the
operation knows. It says so in its declaration (`Op.regions`), and passes need not know it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value


@dataclass(frozen=True)
class Repeated:
    """How an operation runs the graphs among its attributes.

    Attributes
    ----------
    invariant : callable
        ``invariant(node, name) -> {parameter: operand}``: for the graph in attribute `name`, the positions of the
        parameters that are bound to the same value in every run, and the position of the operand of `node` that
        is this value.
    extend : callable
        ``extend(node, name, body, values) -> Node``: `node` with `body` in attribute `name`. `body` has as many
        more parameters than the graph it replaces as there are `values`, at its end, each bound to that value in
        every run. The results' types stay.
    """

    invariant: Callable[[Node, str], Mapping[int, int]]
    extend: Callable[[Node, str, Graph, tuple[Value, ...]], Node]
