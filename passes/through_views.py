"""Reads and writes through views as reads and writes of what is viewed.

NumPy's `row = a[i]; row[j] = v` is recorded as a row that gets an element, and an array that gets the row: the
row would be made anew for each element. As one write at `[i, j]` it costs an element.
"""

from __future__ import annotations

from typing import Any

from lazyarr.ir.extents import is_static
from lazyarr.ir.node import Literal, Node, Value, apply
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import Context, Replacement
from lazyarr.ir.types import DTYPES
from lazyarr.ops.create import CONST
from lazyarr.passes import boxes
from lazyarr.passes.build import constant, op_name, reshape, static

#: A number that is known, or a value.
Number = int | Value
#: What is selected along one axis: ``("all",)``, ``("index", at)``, ``("block", start, length, step)`` with a known
#: length, ``("slice", start, length, step)`` with one that is a value.
Part = tuple[Any, ...]
Parts = tuple[Part, ...]

_ALL: Part = ("all",)


def window_through(node: Node, context: Context) -> Replacement:
    """``window(window(x, i) {row}, j) {element} -> window(x, i, j) {element}``; of slices and transposes as well."""
    found = _read(node.operands[0], _parts(node))
    return None if found is None or found.node is node else found


def slice_through(node: Node, context: Context) -> Replacement:
    """``slice(window(x, i) {row}) {box=b} -> window(x, i) {row at b}``."""
    if op_name(node.operands[0]) != "window" or not static(node.operands[0]) or boxes.of_node(node) is None:
        return None
    found = _read(node.operands[0], _parts(node))
    return None if found is None or found.node is node else found


def write_through(node: Node, context: Context) -> Replacement:
    """``put_window(x, put_window(window(x, i) {row}, v, j) {element}, i) {row} -> put_window(x, v, i, j) {element}``.

    As well with slices in place of windows.
    """
    base, value = node.operands[:2]
    inner = value.node
    if inner.op.name not in _WRITES or not (_is_boxed(node) and _is_boxed(inner)):
        return None
    outer = _parts(node)
    if _read(base, outer) != inner.operands[0]:
        return None
    parts = _compose(outer, _parts(inner))
    return None if parts is None else _put(base, inner.operands[1], parts)


def write_through_transpose(node: Node, context: Context) -> Replacement:
    """``transpose(put_window(transpose(x), v, i, j)) -> put_window(x, v, j, i)``."""
    inner, axes = node.operands[0].node, node.kw["axes"]
    if inner.op.name not in _WRITES or not _is_boxed(inner):
        return None
    view = inner.operands[0].node
    if view.op is not node.op or tuple(view.kw["axes"][a] for a in axes) != tuple(range(len(axes))):
        return None
    parts = _parts(inner)
    moved = tuple(parts[a] for a in axes)
    # The value has the axes that are kept, as they stand in the view.
    kept = [k for k, part in enumerate(parts) if part[0] != "index"]
    order = tuple(kept.index(a) for a in axes if parts[a][0] != "index")
    return _put(view.operands[0], _transpose(inner.operands[1], order), moved)


def write_through_reshape(node: Node, context: Context) -> Replacement:
    """``reshape(put_window(reshape(x) {shape=(5, 1)}, v, i, 0)) {shape=(5,)} -> put_window(x, v, i)``."""
    inner = node.operands[0].node
    if inner.op.name not in _WRITES or not _is_boxed(inner) or op_name(inner.operands[0]) != "reshape":
        return None
    x = inner.operands[0].node.operands[0]
    if x.type != node.types[0]:
        return None
    parts = _without_units(_parts(inner), inner.operands[0].type.shape, x.type.shape)
    if parts is None or not is_static(inner.operands[1].type.shape):
        return None
    return _put(x, reshape(inner.operands[1], _shape(parts, x)), parts)


_WRITES = ("put_window", "update_slice")


def _is_boxed(node: Node) -> bool:
    return node.op.name == "put_window" or boxes.of_node(node) is not None


def _parts(node: Node) -> Parts:
    """What a slice, a window or the write of one selects."""
    shape = node.operands[0].type.shape
    if node.op.name in ("slice", "update_slice"):
        box = boxes.of_node(node)
        assert box is not None
        return tuple(
            _ALL if r == range(n) else ("block", r.start, len(r), r.step) for r, n in zip(box, shape, strict=True)
        )
    scalars = iter(node.operands[2 if node.op.name == "put_window" else 1 :])
    found: list[Part] = []
    for dim in node.kw["dims"]:
        if dim[0] == "all":
            found.append(_ALL)
        elif dim[0] == "index":
            found.append(("index", _number(next(scalars))))
        elif dim[0] == "block":
            found.append(("block", _number(next(scalars)), dim[1], dim[2]))
        else:
            found.append(("slice", _number(next(scalars)), next(scalars), dim[1]))
    return tuple(found)


def _compose(outer: Parts, inner: Parts) -> Parts | None:
    """What selecting `inner` from what `outer` selected amounts to; None where there is no such window."""
    rest = iter(inner)
    found: list[Part] = []
    for part in outer:
        chosen = None if part[0] == "index" else next(rest)
        if chosen is None or chosen[0] == "all":
            found.append(part)
        elif part[0] == "all":
            found.append(chosen)
        elif chosen[0] == "slice" and part[0] == "block":
            return None  # Its length would have another bound.
        else:
            start = _plus(part[1], _times(chosen[1], part[3]))
            found.append((chosen[0], start, *chosen[2:-1], chosen[-1] * part[3]) if chosen[0] != "index" else
                         ("index", start))  # fmt: skip
    return tuple(found)


def _read(x: Value, parts: Parts) -> Value | None:
    """The one way to select from a value; None where there is none through what it views."""
    node = x.node
    if node.op.name == "window" or (node.op.name == "slice" and boxes.of_node(node) is not None):
        composed = _compose(_parts(node), parts)
        return _select(x, parts) if composed is None else _read(node.operands[0], composed)
    if node.op.name == "transpose":
        axes = node.kw["axes"]
        moved: list[Part] = [_ALL] * len(axes)
        for axis, part in zip(axes, parts, strict=True):
            moved[axis] = part
        kept = [a for a, part in enumerate(moved) if part[0] != "index"]
        order = tuple(kept.index(a) for a in axes if moved[a][0] != "index")
        found = _read(node.operands[0], tuple(moved))
        return None if found is None else _transpose(found, order)
    if node.op.name == "reshape":
        source = node.operands[0]
        through = _without_units(parts, x.type.shape, source.type.shape)
        found = None if through is None else _read(source, through)
        if found is not None and is_static(found.type.shape):
            return reshape(found, _shape(parts, x))
    return _select(x, parts)


def _without_units(parts: Parts, shape: Any, source: Any) -> Parts | None:
    """What is selected of an array of shape `source`, of which a view has other axes of 1; None if that is not so."""
    if not is_static((*shape, *source)):
        return None
    if any(n == 1 and part[0] not in ("all", "index") for n, part in zip(shape, parts, strict=True)):
        return None
    if [n for n in shape if n != 1] != [n for n in source if n != 1]:
        return None
    rest = iter([part for n, part in zip(shape, parts, strict=True) if n != 1])
    return tuple(_ALL if n == 1 else next(rest) for n in source)


def _shape(parts: Parts, x: Value) -> tuple[int, ...]:
    """The shape of what is selected of `x`, where it is known."""
    return tuple(
        n if part[0] == "all" else part[2] for n, part in zip(x.type.shape, parts, strict=True) if part[0] != "index"
    )


def _select(x: Value, parts: Parts) -> Value:
    box = _box(x, parts)
    if box is not None:
        return boxes.slice_of(x, box)
    return apply(lookup("window"), x, *_scalars(parts), dims=_dims(parts))


def _put(x: Value, value: Value, parts: Parts) -> Value:
    box = _box(x, parts)
    if box is not None:
        return boxes.update_of(x, value, box)
    return apply(lookup("put_window"), x, value, *_scalars(parts), dims=_dims(parts))


def _box(x: Value, parts: Parts) -> boxes.Box | None:
    """The box that is selected, where nothing of it is a value."""
    if not is_static(x.type.shape):
        return None
    found: list[range] = []
    for n, part in zip(x.type.shape, parts, strict=True):
        if part[0] == "all":
            found.append(range(n))
        elif part[0] == "block" and isinstance(part[1], int):
            found.append(boxes.normal(range(part[1], part[1] + part[2] * part[3], part[3])))
        else:
            return None
    return tuple(found)


def _dims(parts: Parts) -> tuple[tuple[Any, ...], ...]:
    described = {"all": slice(0, 0), "index": slice(0, 0), "block": slice(2, None), "slice": slice(3, None)}
    return tuple((part[0], *part[described[part[0]]]) for part in parts)


def _scalars(parts: Parts) -> list[Value]:
    found: list[Value] = []
    for part in parts:
        if part[0] != "all":
            found.append(_value(part[1]))
        if part[0] == "slice":
            found.append(part[2])
    return found


def _transpose(x: Value, order: tuple[int, ...]) -> Value:
    return x if order == tuple(range(len(order))) else apply(lookup("transpose"), x, axes=order)


def _number(value: Value) -> Number:
    known = constant(value)
    return value if known is None else int(known)


def _value(number: Number) -> Value:
    return apply(CONST, value=Literal(number, DTYPES["i64"])) if isinstance(number, int) else number


def _times(x: Number, factor: int) -> Number:
    if isinstance(x, int):
        return x * factor
    return x if factor == 1 else apply(lookup("multiply"), x, _value(factor))


def _plus(x: Number, y: Number) -> Number:
    if isinstance(x, int) and isinstance(y, int):
        return x + y
    if isinstance(x, int):
        x, y = y, x
    return x if y == 0 else apply(lookup("add"), _value(x), _value(y))
