"""Reductions of the rows of one array: each row is read from memory once for all of them.

``x.min(axis=1), x.max(axis=1), x.mean(axis=1), x.argmax(axis=1)``: a row is in the cache when the second one reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyarr.backends import native_arguments
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_storage import Strided
from lazyarr.ir import extents
from lazyarr.ir.node import Node

if TYPE_CHECKING:
    from lazyarr.backends.native_frame import Frame

#: Bytes of an array from which on it is worth while: less of it is in the cache anyway; bytes of a row that is still
#: there for the next reduction.
_LEAST, _ROW = 1 << 15, 1 << 18


def is_of_rows(node: Node) -> bool:
    """Whether a node reduces the rows of a large array: along its last axis, and not to a number."""
    if node.op.name not in ("reduce", "argmax", "argmin") or not node.types[0].shape:
        return False
    type = node.operands[0].type
    axes = node.kw["axes"] if node.op.name == "reduce" else (node.kw["axis"],)
    if axes != (type.ndim - 1,) or type.dtype.kind == "c" or type.dtype == np.float16:
        return False
    if not extents.is_static(type.shape):
        return False
    return int(type.nbytes) >= _LEAST and int(type.shape[-1]) * type.dtype.itemsize <= _ROW


def make(frame: Frame, node: Node) -> bool:
    """All reductions that begin with one, their results into `frame.selected`; False where it is done alone."""
    several = frame.plan.totals.get(node)
    if several is None or frame.code.recording is not None:
        return False
    x = frame.working[0]
    members = [m for m in several.members if frame.values.get(m.operands[0], x) is x and _is_able(m)]
    if not isinstance(x, Strided) or len(members) < 2 or members[0] is not node:
        return False
    code, last = frame.code, len(x.shape) - 1
    targets = []
    for member in members:
        shape, bounds = frame.shape(member.types[0])
        targets.append(frame.lowering.allocate(member.types[0].dtype, shape, bounds))
        frame.selected[member.values[0]] = targets[-1]
    buffers = [*(t.buffer for t in targets), *x.buffers]
    inner = float(x.bounds[last]) * len(members)
    with code.statement(), nests.spread(code, targets[0].shape, targets[0].bounds, x, buffers, inner) as at:
        for member, target in zip(members, targets, strict=True):
            if member.op.name == "reduce":
                kind = member.kw["kind"]
                of = nests.truths(x) if kind.startswith("logical") else x
                target.put(code, at, nests.reduced_at(code, of, kind, (last,), at))
            else:
                target.put(code, at, (native_arguments.argument_at(code, x, member.op.name, last, at),))
    return True


def _is_able(node: Node) -> bool:
    return node.op.name != "reduce" or nests.reduces(node.kw["kind"], node.operands[0].type.dtype)
