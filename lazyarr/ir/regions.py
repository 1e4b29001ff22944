"""Regions that run many times: what an operation declares so that work may leave them.

A loop's body is a closed graph: it sees its parameters only. Some of them are the same in every run; which, only the
operation knows. It says so here, once, beside its declaration, and passes need not know it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value
from lazyarr.ir.op import Op


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


#: Operations that run a region many times, by name.
REPEATED: dict[str, Repeated] = {}


def declare_repeated(
    op: Op,
    invariant: Callable[[Node, str], Mapping[int, int]],
    extend: Callable[[Node, str, Graph, tuple[Value, ...]], Node],
) -> None:
    """Say how `op` runs its regions; see `Repeated`.

    Raises
    ------
    ValueError
        If that has been said already.
    """
    if op.name in REPEATED:
        raise ValueError(f"the regions of operation {op.name!r} are declared twice")
    REPEATED[op.name] = Repeated(invariant, extend)
