"""What a program is rewritten to before its values are split: operations of which ranks can do parts."""

from __future__ import annotations

from lazyarr.ir.extents import is_static
from lazyarr.ir.graph import Program
from lazyarr.ir.node import Node, Value, apply
from lazyarr.ir.rewrite import Context, rewrite
from lazyarr.ops.shape import CONCATENATE, SLICE
from lazyarr.passes.mask import Mask


def in_parts(program: Program, least: int) -> Program:
    """A program without what would have ranks gather an array, as far as that can be.

    Rolls are written as what they are made of; what is computed for the True elements of a mask is computed for all
    (`Mask`), whatever that costs: positions in a mask are those in all of it.

    Parameters
    ----------
    program : Program
    least : int
        Values of fewer elements are not split.
    """
    return rewrite(Mask(always=least).run(program), {"roll": [_as_pieces]})


def selects(program: Program, least: int) -> bool:
    """Whether ranks would gather masks, or what they select from, outside of loops and branches."""
    large = {"flatnonzero": False, "gather": False, "scatter": False}
    for node in in_parts(program, least).graph.nodes:
        if node.op.name in large and is_static(node.operands[0].type.shape):
            large[node.op.name] |= node.op.name == "flatnonzero" or not is_static(node.operands[-1].type.shape)
            if large[node.op.name] and node.operands[0].type.size >= least:
                return True
    return False


def _as_pieces(node: Node, context: Context) -> Value | None:
    """``roll(x, k) -> concatenate(x[n-k:], x[:n-k])``: which part of a result is where is then known."""
    (x,), axis = node.operands, node.kw["axis"]
    if not is_static(x.type.shape) or x.type.size == 0:
        return None
    extent = x.type.shape[axis]
    shift = node.kw["shift"] % extent
    if shift == 0:
        return x
    step = (1,) * x.type.ndim
    parts = []
    for start, stop in ((extent - shift, extent), (0, extent - shift)):
        first, last = [0] * x.type.ndim, list(x.type.shape)
        first[axis], last[axis] = start, stop
        parts.append(apply(SLICE, x, start=tuple(first), stop=tuple(last), step=step))
    whole = apply(CONCATENATE, *parts, axis=axis)
    for made in (*parts, whole):
        made.node.lines |= node.lines
    return whole
