"""hoist: do work on fewer elements, and fewer times.

Element-wise work moves before the operation that repeats elements and behind the one that selects some, and what does
not change from run to run leaves a region that runs many times (`loop_work`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lazyarr.ir.extents import broadcast, is_static
from lazyarr.ir.graph import Program
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.rewrite import EVERY, Context, Replacement, Rules, rewrite
from lazyarr.passes import boxes
from lazyarr.passes.base import Pass
from lazyarr.passes.boxes import Box
from lazyarr.passes.build import REPEATING, broadcast_to, moves_freely, repeated, size
from lazyarr.passes.loop_work import enter_region, leave_region, only_if_it_runs
from lazyarr.passes.prune import lean_loop


@dataclass(frozen=True)
class Hoist(Pass):
    """Move work to smaller shapes, and out of regions that run many times."""

    name: ClassVar[str] = "hoist"

    def run(self, program: Program) -> Program:
        return rewrite(rewrite(program, RULES), AFTERWARDS)


# ------------------------------------------------------------------------------------------- to smaller shapes


def before_repeating(node: Node, context: Context) -> Replacement:
    """``exp(broadcast(x: f64[4]) {shape=(3, 4)}) -> broadcast(exp(x)) {shape=(3, 4)}``.

    ``add(full(x), full(y)) -> full(add(x, y))``: any element-wise work all of whose operands repeat elements.
    """
    if not moves_freely(node):
        return None
    shape = node.types[0].shape
    sources = tuple(repeated(v) for v in node.operands)
    small = broadcast(*(v.type.shape for v in sources))
    if not (small == () != shape) and not (is_static((*small, *shape)) and size(small) < size(shape)):
        return None
    return tuple(broadcast_to(v, shape) for v in make(node.op, sources, node.attrs).values)


def slice_before_repeating(node: Node, context: Context) -> Replacement:
    """``slice(broadcast(x: f64[1,4])) -> broadcast(slice(x))``: select first, then repeat."""
    inner = node.operands[0].node
    box = boxes.of_node(node)
    if inner.op not in REPEATING or box is None:
        return None
    source = inner.operands[0]
    return broadcast_to(boxes.slice_of(source, _part(source, box)), node.types[0].shape)


def slice_before_work(node: Node, context: Context) -> Replacement:
    """``slice(add(x, exp(y))) -> add(slice(x), exp(slice(y)))`` where nobody else reads the sum or the exponential.

    The whole tree of element-wise work below the slice moves at once.
    """
    box = boxes.of_node(node)
    root = node.operands[0]
    if box is None or boxes.is_empty(box) or not _is_private_work(root, context):
        return None
    if size(node.types[0].shape) >= size(root.type.shape):
        return None
    done: dict[tuple[Value, Box], Value] = {}
    stack: list[tuple[Value, Box, bool]] = [(root, box, False)]
    while stack:
        value, part, ready = stack.pop()
        if (value, part) in done:
            continue
        if value is not root and not _is_private_work(value, context):
            done[value, part] = boxes.slice_of(value, part)
            continue
        wanted = [(v, _part(v, part)) for v in value.node.operands]
        if not ready:
            stack.append((value, part, True))
            stack.extend((v, p, False) for v, p in wanted)
            continue
        made = make(value.node.op, tuple(done[entry] for entry in wanted), value.node.attrs)
        context.moved(value.node, made)
        done[value, part] = made.values[0]
    return done[root, box]


def _is_private_work(value: Value, context: Context) -> bool:
    """Whether `value` is element-wise work, of one result, that one operand reads."""
    node = value.node
    if not moves_freely(node) or len(node.types) > 1 or context.readers(value) != 1:
        return False
    return all(is_static(v.type.shape) for v in (value, *node.operands))


def _part(value: Value, box: Box) -> Box:
    """The box of an operand whose broadcast is read at `box`: axes of 1 are read whole."""
    shape = value.type.shape
    lead = len(box) - len(shape)
    return tuple(range(1) if n == 1 else box[lead + axis] for axis, n in enumerate(shape))


RULES: Rules = {
    "slice": (slice_before_repeating, slice_before_work),
    "loop": (lean_loop,),
    "while": (lean_loop,),
    EVERY: (before_repeating, leave_region, enter_region),
}
#: When it is settled what is done outside of loops.
AFTERWARDS: Rules = {"loop": (only_if_it_runs,)}
