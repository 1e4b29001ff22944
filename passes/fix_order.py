"""fix_order: nothing is added up in an order that depends on the number of ranks (`Settings.reproducible`)."""

from __future__ import annotations

from collections import OrderedDict

from lazyarr.ir.graph import Graph, Program
from lazyarr.ir.node import Node, Value
from lazyarr.ir.op import OPS
from lazyarr.ir.rewrite import Context, Replacement, rewrite


def _ordered(node: Node, context: Context) -> Replacement:
    """``reduce(x) {kind="add", axes=(0,)} -> ordered_reduce(x) {axis=0, kind="add", leaf=128}``: see `Op.ordered`."""
    assert node.op.ordered is not None
    found: Replacement = node.op.ordered(*node.operands, **node.kw)
    if found is not None:
        known, new = {v.node for v in node.operands}, [(found if isinstance(found, Value) else found[0]).node]
        while new:
            made = new.pop()
            if made not in known:
                known.add(made)
                made.lines |= node.lines
                new += [v.node for v in made.operands]
    return found


#: Programs by what was recorded, and how many are remembered.
_known: OrderedDict[Graph, Program] = OrderedDict()
_MOST = 512


def in_order(program: Program) -> Program:
    """The program whose operations have an order of their own; it is made once."""
    found = _known.get(program.graph)
    if found is None:
        found = _known[program.graph] = rewrite(
            program, {name: [_ordered] for name, op in OPS.items() if op.ordered is not None}
        )
        while len(_known) > _MOST:
            _known.pop(next(iter(_known)), None)
    return found
