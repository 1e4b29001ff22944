"""Little work on arrays that are split over ranks: each does it at once with NumPy, with what it has of them.

Element-wise work on arrays that are split alike sends nothing, and reductions over all that is split send a few numbers
for each rank. To record that, to plan it for new shapes (what masks select has others each time), and to agree on a
program takes longer than the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr import settings
from lazyarr.backends.numpy import evaluate
from lazyarr.eager import READ_ONCE, as_operands, data_of, is_little, of_leaf, weight_of
from lazyarr.gains import gains
from lazyarr.ir.layout import Layout, Split, is_whole, length, place
from lazyarr.ir.node import Node
from lazyarr.ir.types import ArrayType
from lazyarr.ops.create import CONST
from lazyarr.ops.reduce import REDUCE, WITH_IDENTITY
from lazyarr.quiet import quietly
from lazyarr.world import Part, World

Array = np.ndarray[Any, Any]
#: What an element weighs where a program is made but once, and is one pass over memory for several operations: of
#: shapes that come again. (Six operations on 250,000 elements a rank take twice as long one by one, on 60,000 less.)
_FUSED = 4.0
#: And where data decides the shape: a program would be made for each operation, in some milliseconds.
_MEASURED = 0.25
#: Elements of operands that every rank has, and that are compared.
_SMALL = 64


def results(node: Node, together: World) -> tuple[Any, ...] | None:
    """The results of a node, if it is little work on parts of arrays that exist; all ranks decide alike.

    Parameters
    ----------
    node : Node
    together : World

    Returns
    -------
    tuple of Part or ndarray, or None
    """
    if settings.current.reproducible or not (node.op.pointwise or node.op is REDUCE) or node.op is CONST:
        return None
    if not together.is_mine():
        return None  # (Threads take turns otherwise on each rank.)
    held = [of_leaf(v) for v in node.operands]
    first = next((x for x in held if type(x) is Part), None)
    if first is None or first.world is not together or not all(first.shape):
        return None
    # (Ranks have unlike numbers of elements: the largest is the same number for all.)
    extents = zip(first.layout, first.shape, strict=True)
    most = math.prod(n if s is None else max(map(length, s.ranges)) for s, n in extents)
    much = _MEASURED if first.measured else _FUSED
    if not is_little(most, much * (weight_of(node) if node.op.pointwise else READ_ONCE * gains.times)):
        return None
    return _reduced(node, first, together) if node.op is REDUCE else _element_wise(node, held, first, together)


def _element_wise(node: Node, held: Sequence[Any], like: Part, together: World) -> tuple[Any, ...] | None:
    if any(t.shape != like.shape for t in node.types):
        return None
    at = place(like.layout, like.shape, together.communicator.place)
    given: list[Any] = []
    numbers = b""
    for value, x in zip(node.operands, held, strict=True):
        if type(x) is Part:
            if x.world is not together or x.shape != like.shape or x.layout != like.layout:
                return None
            given.append(x.array)
            continue
        data = data_of(value, of_leaf)
        if data is None or isinstance(data, Part):
            return None
        if np.size(data) <= _SMALL:
            numbers += np.asarray(data, value.type.dtype).tobytes()
        given.append(_own(data, like.layout, like.shape, at) if np.ndim(data) else data)
    operands = as_operands(node.operands, given)
    if operands is None:
        return None
    found = quietly(evaluate, node, operands)
    if any(x.shape != like.array.shape for x in found):
        return None
    _note(node, like, together, numbers)
    return tuple(
        Part(_alone(x, given), like.layout, like.shape, together, measured=like.measured) for x in found
    )


def _note(node: Node, x: Part, together: World, numbers: bytes = b"") -> None:
    """Have what is done here compared with what other ranks do, when they agree the next time."""
    together.did(f"computes {node.op.name} of an array of shape {x.shape}", f"{node.attrs}".encode() + numbers)


def _alone(x: Array, given: Sequence[Any]) -> Array:
    """A result whose memory is nobody else's."""
    return x.copy() if x.base is not None or any(x is other for other in given) else x


def _own(data: Array, layout: Layout, shape: tuple[int, ...], at: Sequence[tuple[int, int]]) -> Array:
    """What belongs to a rank's part of a result, of an operand that every rank has and that may be broadcast."""
    before = len(shape) - data.ndim
    return data[tuple(
        slice(None) if layout[before + k] is None or n != shape[before + k] else slice(*at[before + k])
        for k, n in enumerate(data.shape)
    )]  # fmt: skip


def _reduced(node: Node, x: Part, together: World) -> tuple[Any, ...] | None:
    kind, axes = node.kw["kind"], node.kw["axes"]
    splits = [s for axis in axes if (s := x.layout[axis]) is not None]
    left = tuple([s for axis, s in enumerate(x.layout) if axis not in axes])
    (type,) = node.types
    if not is_whole(left):
        return _rows(node, x, left, type, together) if not splits else None
    if type.size >= settings.current.split_above or not _all_have(splits, kind):
        return None
    together.agree(f"reduces an array of shape {x.shape}", f"{kind} {axes} {x.dtype} {x.layout}")
    mine = quietly(evaluate, node, [x.array])[0]
    dims = tuple(sorted({s.dim for s in splits}))
    return (quietly(together.communicator.all_reduce, mine, kind, dims),)


def _rows(node: Node, x: Part, left: Layout, type: ArrayType, together: World) -> tuple[Any, ...] | None:
    """A reduction along axes of which each rank has all."""
    if type.size < settings.current.split_above:
        return None  # (that is for all ranks to have)
    (found,) = quietly(evaluate, node, [x.array])
    _note(node, x, together)
    return (Part(_alone(found, [x.array]), left, type.shape, together, measured=x.measured),)


def _all_have(splits: Sequence[Split], kind: str) -> bool:
    """Whether each rank has something to reduce, or need not have."""
    return kind in WITH_IDENTITY or all(length(part) for split in splits for part in split.ranges)
