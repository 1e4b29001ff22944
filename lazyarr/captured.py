"""What is recorded as a program: leaves become parameters. Steps of a loop in Python have one program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazyarr import settings
from lazyarr.ir.graph import Check, Graph, Line, Program, depth_first, param
from lazyarr.ir.node import Node, Value, exact, make
from lazyarr.leaves import Leaf

#: What has been captured, by its form; as much of it as is remembered.
_captured: dict[Any, Program] = {}
_CAPTURED = 256


def capture(
    roots: Sequence[Value], checks: Sequence[Check] = (), params: Sequence[Leaf] = ()
) -> tuple[Program, list[Leaf]]:
    """Recorded values as a program: leaves become positional parameters.

    Parameters
    ----------
    roots : sequence of Value
        What to compute.
    checks : sequence of Check
    params : sequence of Leaf
        Leaves that are parameters in this order, used or not; others follow as they are met.

    Returns
    -------
    Program
    list of Leaf
        The leaf behind each parameter.
    """
    if not params:
        form, leaves = _form(roots, checks)
        program = _captured.get(form)
        if program is None:
            if len(_captured) >= _CAPTURED:
                _captured.clear()
            program = _captured[form] = _built(roots, checks, [])[0]
    else:
        program, leaves = _built(roots, checks, params)
    if settings.current.reproducible:
        from lazyarr.passes.fix_order import in_order

        program = in_order(program)
    return program, leaves


def _form(roots: Sequence[Value], checks: Sequence[Check]) -> tuple[Any, list[Leaf]]:
    """What tells a program from others: operations in their order, which results they take, and the user's lines.

    Steps of a loop have one form: their program is not built again. The leaves are its parameters, in their order.
    """
    places: dict[Node, int] = {}
    leaves: list[Leaf] = []
    parts: list[Any] = []
    for node in depth_first([*roots, *(c.ok for c in checks)]):
        places[node] = len(parts)
        if isinstance(node, Leaf):
            leaves.append(node)
            parts.append(node.types[0])
        else:
            operands = tuple([(places[v.node], v.index) for v in node.operands])
            parts.append((node.op.name, exact(node.attrs), operands, node.lines))
    ends = tuple([(places[v.node], v.index) for v in roots])
    tested = tuple([(places[c.ok.node], c.ok.index, c.exception, c.message) for c in checks])
    return (tuple(parts), ends, tested), leaves


def _built(roots: Sequence[Value], checks: Sequence[Check], params: Sequence[Leaf]) -> tuple[Program, list[Leaf]]:
    """`capture` of what has not been captured before."""
    leaves = list(params)
    new: dict[Node, Node] = {}
    inputs: list[Value] = []
    for found in leaves:
        value = param(len(inputs), found.types[0])
        new[found] = value.node
        inputs.append(value)
    origins: dict[Node, frozenset[Line]] = {}
    for node in depth_first([*roots, *(c.ok for c in checks)], set(leaves)):
        if isinstance(node, Leaf):
            value = param(len(inputs), node.types[0])
            new[node] = value.node
            inputs.append(value)
            leaves.append(node)
            continue
        operands = tuple([Value(new[v.node], v.index) for v in node.operands])
        built = new[node] = make(node.op, operands, node.attrs)
        origins[built] = origins[built] | node.lines if built in origins else node.lines
    results = [Value(new[v.node], v.index) for v in roots]
    conditions = [Check(Value(new[c.ok.node], c.ok.index), c.exception, c.message) for c in checks]
    return Program(Graph(inputs, results, conditions), origins), leaves
