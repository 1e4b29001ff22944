"""canonicalize: one form for what can be written in several ways, so that later passes look for one.

What changes nothing goes, chains of data movement become one step, constants are computed and stand to the right,
and a read after a write gets what was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lazyarr.ir.extents import broadcast, is_static
from lazyarr.ir.graph import Program
from lazyarr.ir.node import Literal, Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import EVERY, Context, Replacement, Rules, rewrite
from lazyarr.ops.create import CONST, FULL
from lazyarr.passes import boxes
from lazyarr.passes.base import Pass
from lazyarr.passes.build import (
    broadcast_to,
    cast,
    constant,
    is_repeating,
    moves_freely,
    op_name,
    reshape,
    size,
    static,
)
from lazyarr.passes.through_views import (
    slice_through,
    window_through,
    write_through,
    write_through_reshape,
    write_through_transpose,
)


@dataclass(frozen=True)
class Canonicalize(Pass):
    """Bring every node into its normal form."""

    name: ClassVar[str] = "canonicalize"

    def run(self, program: Program) -> Program:
        return rewrite(program, RULES)


# ------------------------------------------------------------------------------------------------- casts


def no_cast(node: Node, context: Context) -> Replacement:
    """``cast(x: f64) {dtype=f64} -> x``. A Python scalar stays: the cast is what makes it a value."""
    return cast(node.operands[0], node.kw["dtype"]) if _same_type(node) else None


def _same_type(node: Node) -> bool:
    return node.types[0] is node.operands[0].type


def cast_of_cast(node: Node, context: Context) -> Replacement:
    """``cast(cast(x: f32) {dtype=f64}) {dtype=f32} -> x``, where the inner cast loses nothing.

    And where the outer one does to the wide value what it does to the narrow one.
    """
    inner = node.operands[0].node
    if inner.op is not node.op or inner.operands[0].type.weak:
        return None
    x = inner.operands[0]
    return cast(x, node.kw["dtype"]) if casts_merge(x.type.dtype, inner.kw["dtype"], node.kw["dtype"]) else None


def holds(wide: np.dtype[Any], narrow: np.dtype[Any]) -> bool:
    """Whether every value of `narrow` is a value of `wide`, sign of zero included."""
    if narrow.kind == "b":
        return True
    if wide.kind in "b" or "biufc".index(wide.kind) < "biufc".index(narrow.kind):
        return wide.kind == "i" and narrow.kind == "u" and wide.itemsize > narrow.itemsize
    if narrow.kind in "iu":
        if wide.kind in "iu":
            unsigned_to_signed = narrow.kind == "u" and wide.kind == "i"
            signed_to_unsigned = narrow.kind == "i" and wide.kind == "u"
            return not signed_to_unsigned and wide.itemsize >= narrow.itemsize + unsigned_to_signed
        return 8 * narrow.itemsize - (narrow.kind == "i") <= np.finfo(wide).nmant + 1
    return np.finfo(wide).nmant >= np.finfo(narrow).nmant


def casts_merge(source: np.dtype[Any], middle: np.dtype[Any], target: np.dtype[Any]) -> bool:
    """Whether casting `source` to `target` through `middle` is the same as casting it at once.

    Where `middle` holds the value, `target` sees the same number; but out of range a conversion of a float to an
    integer is not that of an integer, and a float16 is reached through float32, that is rounded twice.
    """
    if not holds(middle, source):
        return False
    integers = all(d.kind in "biu" for d in (source, middle))
    return holds(target, source) or target.kind == "b" or (integers and target.kind in "iu") or (
        target.kind in "fc" and target.itemsize > 2
    )


# ------------------------------------------------------------------------------ reshape, transpose, broadcast


def no_reshape(node: Node, context: Context) -> Replacement:
    """``reshape(x: f64[3,4]) {shape=(3, 4)} -> x``."""
    return node.operands[0] if _same_type(node) else None


def reshape_of_reshape(node: Node, context: Context) -> Replacement:
    """``reshape(reshape(x)) {shape=s} -> reshape(x) {shape=s}``."""
    inner = node.operands[0]
    return reshape(inner.node.operands[0], node.kw["shape"]) if op_name(inner) == "reshape" else None


def reshape_of_scalar(node: Node, context: Context) -> Replacement:
    """``reshape(x: f64[]) {shape=(1, 1)} -> full(x) {shape=(1, 1)}``."""
    x, shape = node.operands[0], node.kw["shape"]
    return broadcast_to(x, shape) if x.type.shape == () and shape != () else None


def no_transpose(node: Node, context: Context) -> Replacement:
    """``transpose(x) {axes=(0, 1)} -> x``."""
    return node.operands[0] if node.kw["axes"] == tuple(range(len(node.kw["axes"]))) else None


def transpose_of_transpose(node: Node, context: Context) -> Replacement:
    """``transpose(transpose(x) {axes=a}) {axes=b} -> transpose(x) {axes=a[b]}``."""
    inner = node.operands[0].node
    if inner.op is not node.op:
        return None
    axes = tuple(inner.kw["axes"][a] for a in node.kw["axes"])
    return apply(node.op, inner.operands[0], axes=axes)


def transpose_that_reshapes(node: Node, context: Context) -> Replacement:
    """``transpose(x: f64[3,1]) {axes=(1, 0)} -> reshape(x) {shape=(1, 3)}``: only axes of 1 move."""
    x = node.operands[0]
    if not static(x):
        return None
    moved = [a for a in node.kw["axes"] if x.type.shape[a] != 1]
    return reshape(x, node.types[0].shape) if moved == sorted(moved) else None


def no_broadcast(node: Node, context: Context) -> Replacement:
    """``broadcast(x: f64[3,4]) {shape=(3, 4)} -> x``; one that adds axes of 1 only is a reshape."""
    x, shape = node.operands[0], node.kw["shape"]
    if _same_type(node):
        return x
    lead = len(shape) - len(x.type.shape)
    if x.type.shape != () and shape[lead:] == x.type.shape and all(n == 1 for n in shape[:lead]):
        return reshape(x, shape)
    return None


def broadcast_of_repeated(node: Node, context: Context) -> Replacement:
    """``broadcast(broadcast(x)) {shape=s} -> broadcast(x) {shape=s}``; of a scalar or a full: full."""
    x = node.operands[0]
    if is_repeating(x):
        return broadcast_to(x.node.operands[0], node.kw["shape"])
    return broadcast_to(x, node.kw["shape"]) if x.type.shape == () else None


def full_of_no_axes(node: Node, context: Context) -> Replacement:
    """``full(x) {shape=()} -> x``."""
    return node.operands[0] if node.kw["shape"] == () else None


def moved_full(node: Node, context: Context) -> Replacement:
    """``reshape(full(x)) {shape=s} -> full(x) {shape=s}``; as well transpose, slice, roll, diagonal of full."""
    x = node.operands[0]
    return broadcast_to(x.node.operands[0], node.types[0].shape) if x.node.op is FULL else None


# ------------------------------------------------------------------------------------- slices and updates


def normal_box(node: Node, context: Context) -> Replacement:
    """``slice(x) {start=(5,), stop=(-1,), step=(-2,)} -> slice(x) {start=(5,), stop=(0,), step=(-2,)}``.

    Equal boxes get equal attributes, those of updates too.
    """
    box = boxes.of_node(node)
    if box is None or all(node.kw[k] == v for k, v in boxes.attrs(box).items()):
        return None
    return apply(node.op, *node.operands, **boxes.attrs(box))


def no_slice(node: Node, context: Context) -> Replacement:
    """``slice(x: f64[5]) {start=(0,), stop=(5,), step=(1,)} -> x``."""
    x = node.operands[0]
    shape = x.type.shape
    zero, one = (0,) * len(shape), (1,) * len(shape)
    return x if node.kw["start"] == zero and node.kw["stop"] == shape and node.kw["step"] == one else None


def slice_of_slice(node: Node, context: Context) -> Replacement:
    """``slice(slice(x) {box=a}) {box=b} -> slice(x) {box=a[b]}``."""
    inner = node.operands[0].node
    if inner.op is not node.op:
        return None
    outer_box, inner_box = boxes.of_node(inner), boxes.of_node(node)
    if outer_box is None or inner_box is None or boxes.is_empty(inner_box):
        return None
    return boxes.slice_of(inner.operands[0], boxes.select(outer_box, inner_box))


def slice_of_update(node: Node, context: Context) -> Replacement:
    """``slice(update_slice(x, v) {box=b}) {box=b} -> v``; of a part of b: a slice of v.

    ``slice(update_slice(x, v) {box=b}) {box=c} -> slice(x) {box=c}`` where b and c have nothing in common.
    """
    update = node.operands[0].node
    if update.op.name != "update_slice":
        return None
    read, written = boxes.of_node(node), boxes.of_node(update)
    if read is None or written is None:
        return None
    base, value = update.operands
    if boxes.disjoint(read, written):
        return boxes.slice_of(base, read)
    positions = boxes.within(read, written)
    return None if positions is None else boxes.slice_of(value, positions)


def no_update(node: Node, context: Context) -> Replacement:
    """``update_slice(x, v) {nothing} -> x`` and ``update_slice(x, slice(x) {box=b}) {box=b} -> x``."""
    box = boxes.of_node(node)
    if box is None:
        return None
    base, value = node.operands
    if boxes.is_empty(box):
        return base
    source = value.node
    if source.op.name == "slice" and source.operands[0] == base and boxes.of_node(source) == box:
        return base
    return None


def update_of_everything(node: Node, context: Context) -> Replacement:
    """``update_slice(x, v) {everything} -> v``, flipped on axes that were written backwards."""
    box = boxes.of_node(node)
    base, value = node.operands
    if box is None or any(len(r) != n for r, n in zip(box, base.type.shape, strict=True)):
        return None
    # Written at n-1, n-2, ..., an axis holds the value read in the same order.
    return boxes.slice_of(value, box)


def update_of_update(node: Node, context: Context) -> Replacement:
    """``update_slice(update_slice(x, v) {box=b}, w) {box=b} -> update_slice(x, w) {box=b}``.

    Also where the second box covers the first.
    """
    inner = node.operands[0].node
    if inner.op is not node.op:
        return None
    first, second = boxes.of_node(inner), boxes.of_node(node)
    if first is None or second is None or boxes.within(first, second) is None:
        return None
    return boxes.update_of(inner.operands[0], node.operands[1], second)


def dynamic_at_constants(node: Node, context: Context) -> Replacement:
    """``dynamic_slice(x, 2) {lengths=(3,)} -> slice(x) {start=(2,), stop=(5,), step=(1,)}``; updates too."""
    reads = node.op.name == "dynamic_slice"
    x = node.operands[0]
    lengths = node.types[0].shape if reads else node.operands[1].type.shape
    starts = [constant(v) for v in node.operands[1 if reads else 2 :]]
    if any(s is None for s in starts) or not is_static((*lengths, *x.type.shape)):
        return None
    box = tuple(boxes.normal(range(int(s), int(s) + n)) for s, n in zip(starts, lengths, strict=True))
    # Out of range a check raises; the node is left for it.
    if any(len(r) and not 0 <= r[0] <= r[-1] < n for r, n in zip(box, x.type.shape, strict=True)):
        return None
    return boxes.slice_of(x, box) if reads else boxes.update_of(x, node.operands[1], box)


# ------------------------------------------------------------------------------ concatenate, pad, roll


def flat_concatenate(node: Node, context: Context) -> Replacement:
    """``concatenate(concatenate(x, y), z, empty) -> concatenate(x, y, z)``; of one operand: that."""
    axis = node.kw["axis"]
    parts: list[Value] = []
    for operand in node.operands:
        inner = operand.node
        same = inner.op is node.op and inner.kw["axis"] == axis
        parts.extend(inner.operands if same else (operand,))
    kept = [p for p in parts if p.type.shape[axis] != 0] or parts[:1]
    if len(kept) == 1:
        return kept[0]
    return apply(node.op, *kept, axis=axis) if tuple(kept) != node.operands else None


def no_pad(node: Node, context: Context) -> Replacement:
    """``pad(x, v) {low=(0,), high=(0,)} -> x``."""
    return node.operands[0] if not any((*node.kw["low"], *node.kw["high"])) else None


def no_roll(node: Node, context: Context) -> Replacement:
    """``roll(x: f64[5]) {shift=5, axis=0} -> x``; other shifts are taken modulo the extent."""
    x = node.operands[0]
    extent = x.type.shape[node.kw["axis"]]
    if not isinstance(extent, int):
        return None
    shift = node.kw["shift"] % extent if extent else 0
    if shift == 0:
        return x
    return apply(node.op, x, shift=shift, axis=node.kw["axis"]) if shift != node.kw["shift"] else None


# ------------------------------------------------------------------------------------------ element-wise work

#: Kinds of dtype on which the order of operands makes no difference in any bit, except which NaN is kept. Not
#: maximum of floats (which zero of 0.0, -0.0 is kept), not the product of complex (may be fused into FMAs).
_COMMUTATIVE = {
    **dict.fromkeys(("add",), "biufc"),
    **dict.fromkeys(("multiply",), "biuf"),
    **dict.fromkeys(("equal", "not_equal", "logical_and", "logical_or", "logical_xor"), "biufc"),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), "biu"),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "gcd", "lcm"), "biu"),
}
_MIRRORED = {"less": "greater", "greater": "less", "less_equal": "greater_equal", "greater_equal": "less_equal"}


def order_operands(node: Node, context: Context) -> Replacement:
    """``add(1.0, x) -> add(x, 1.0)``; ``add(b, a) -> add(a, b)`` where a is computed before b."""
    x, y = node.operands
    if x.type.dtype.kind not in _COMMUTATIVE[node.op.name] or _rank(x, context) <= _rank(y, context):
        return None
    return apply(node.op, y, x)


def order_comparison(node: Node, context: Context) -> Replacement:
    """``less(1.0, x) -> greater(x, 1.0)``; ``greater(b, a) -> less(a, b)`` where a is computed before b."""
    x, y = node.operands
    return apply(lookup(_MIRRORED[node.op.name]), y, x) if _rank(x, context) > _rank(y, context) else None


def _rank(value: Value, context: Context) -> tuple[bool, tuple[int, int]]:
    return constant(value) is not None, context.position(value)


def implicit_broadcast(node: Node, context: Context) -> Replacement:
    """``add(x: f64[3,4], broadcast(y: f64[4]) {shape=(3, 4)}) -> add(x, y)``; full as well."""
    if len(node.operands) < 2 or not moves_freely(node):
        return None
    operands = list(node.operands)
    shape = node.types[0].shape
    for k, operand in enumerate(operands):
        if is_repeating(operand):
            source = operand.node.operands[0]
            shapes = [source.type.shape if i == k else v.type.shape for i, v in enumerate(operands)]
            if broadcast(*shapes) == shape:
                operands[k] = source
    return None if tuple(operands) == node.operands else make(node.op, tuple(operands), node.attrs).values


def constant_condition(node: Node, context: Context) -> Replacement:
    """``select(True, x, y) -> x`` and ``select(False, x, y) -> y``, repeated to the node's shape."""
    condition = constant(node.operands[0])
    return None if condition is None else broadcast_to(node.operands[1 if condition else 2], node.types[0].shape)


def fold_constants(node: Node, context: Context) -> Replacement:
    """``add(1.0, 2.0) -> 3.0``: scalars are computed by the operation's reference.

    What the reference refuses (``power(2, -1)`` of integers) is left to the check that raises for it.
    """
    if not node.operands or "numpy" not in node.op.backends or any(t.shape != () for t in node.types):
        return None
    if any(v.node.op is not CONST for v in node.operands) or any(True for _ in node.regions):
        return None
    scalars = [np.asarray(v.node.kw["value"].value) for v in node.operands]
    try:
        with np.errstate(all="ignore"):
            found = node.op.evaluate(np, *scalars, **node.kw)
    except (ValueError, ArithmeticError):
        return None
    results = found if isinstance(found, (tuple, list)) else (found,)
    return tuple(
        apply(CONST, value=Literal(np.asarray(r, t.dtype))) for r, t in zip(results, node.types, strict=True)
    )


def short_iota(node: Node, context: Context) -> Replacement:
    """``iota {length=1, dtype=i64} -> full(0) {shape=(1,)}``."""
    if node.kw["length"] != 1:
        return None
    return broadcast_to(apply(CONST, value=Literal(0, node.kw["dtype"])), (1,))


def no_element(node: Node, context: Context) -> Replacement:
    """``reduce(x: f64[0,3]) {axes=(1,), ...} -> full(0.0) {shape=(0,)}``: results without an element need no work."""
    if node.op is FULL or not node.types or not static(*node.values) or any(size(t.shape) for t in node.types):
        return None
    if any(True for _ in node.regions):
        return None
    return tuple(broadcast_to(apply(CONST, value=Literal(0, t.dtype)), t.shape) for t in node.types)


def reserve_of_window(node: Node, context: Context) -> Replacement:
    """``reserve(window(x, 0, n)) {shape=x.shape} -> x``: what follows the first n elements is not defined."""
    window = node.operands[0].node
    if window.op.name != "window" or window.operands[0].type.shape != node.kw["shape"]:
        return None
    scalars = iter(window.operands[1:])
    for dim in window.kw["dims"]:
        if dim[0] == "all":
            continue
        if dim[0] == "index" or dim[-1] != 1 or constant(next(scalars)) != 0:
            return None
        if dim[0] == "slice":
            next(scalars)
    return window.operands[0]


_MOVES = {
    "reshape": (no_reshape, reshape_of_reshape, reshape_of_scalar, write_through_reshape),
    "transpose": (no_transpose, transpose_of_transpose, transpose_that_reshapes, write_through_transpose),
    "slice": (normal_box, no_slice, slice_of_slice, slice_of_update, slice_through),
    "roll": (no_roll,),
    "diagonal": (),
}

RULES: Rules = {
    "cast": (no_cast, cast_of_cast),
    "broadcast": (no_broadcast, broadcast_of_repeated),
    "full": (full_of_no_axes,),
    **{name: (*rules, moved_full) for name, rules in _MOVES.items()},
    "update_slice": (normal_box, no_update, write_through, update_of_everything, update_of_update),
    "window": (window_through,),
    "put_window": (write_through,),
    "dynamic_slice": (dynamic_at_constants,),
    "dynamic_update_slice": (dynamic_at_constants,),
    "concatenate": (flat_concatenate,),
    "pad": (no_pad,),
    "reserve": (reserve_of_window,),
    "select": (constant_condition,),
    "iota": (short_iota,),
    **dict.fromkeys(_COMMUTATIVE, (order_operands,)),
    **dict.fromkeys(_MIRRORED, (order_comparison,)),
    EVERY: (no_element, implicit_broadcast, fold_constants),
}
