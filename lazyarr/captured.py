"""What is recorded as a program: leaves become parameters. Steps of a loop in Python have one program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazyarr import settings
from lazyarr.ir.graph import Check, Graph, Line, Program, depth_first, form, param
from lazyarr.ir.node import Node, Value, make
from lazyarr.leaves import LEAF, Leaf

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
        parts, ends, leaves = form([*roots, *[c.ok for c in checks]], LEAF)
        # (Steps of a loop have one form: their program is not built again.)
        key = parts, ends, tuple([(c.exception, c.message) for c in checks])
        program = _captured.get(key)
        if program is None:
            if len(_captured) >= _CAPTURED:
                _captured.clear()
            program = _captured[key] = _built(roots, checks, [])[0]
    else:
        program, leaves = _built(roots, checks, params)
    if settings.current.reproducible:
        from lazyarr.passes.fix_order import in_order

        program = in_order(program)
    return program, leaves


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
