"""Operations that replace part of an array: in place where nobody needs the old values, or while copying the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lazyarr.backends import native_nests as nests
from lazyarr.backends import native_scalar
from lazyarr.backends.native_emit import Index, literal
from lazyarr.backends.native_frame import Frame, constant_view
from lazyarr.backends.native_patched import Patched, bottom, boxes, patchable
from lazyarr.backends.native_storage import (
    Along,
    Map,
    Scalar,
    Storage,
    Strided,
    identity,
    reads_elsewhere,
    view,
)
from lazyarr.backends.native_views import dynamic_map, gathered, slice_map, window_map
from lazyarr.ir.node import Node


def put_window(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    map = window_map(frame.code, given[0], node.kw["dims"], given[2:])
    return [write(frame, node, given[0], map, given[1])]


def update_slice(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    return [write(frame, node, given[0], slice_map(node.kw["start"], node.kw["step"]), given[1])]


def dynamic_update_slice(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    lengths = [int(n) for n in given[1].shape]
    map = dynamic_map(frame.code, given[0], lengths, given[2:])
    return [write(frame, node, given[0], map, given[1])]


def write(frame: Frame, node: Node, x: Storage, map: Map, value: Storage) -> Storage:
    """`x` with what `map` takes of it replaced by `value`."""
    if not x.shape:
        return Scalar(x.dtype, value.element(frame.code, (), {}))
    if node.values[0] in frame.plan.merged:
        return Patched(x, map, value)
    target = _write_merged(frame, node, Patched(x, map, value)) if patchable(x, map, value) else None
    target = target or _write(frame, node, x, map, value)
    if value.shape:
        frame.placed(node.operands[1], view(frame.code, target, map, value.shape, value.bounds))
    return target


def _write_merged(frame: Frame, node: Node, new: Patched) -> Strided | None:
    """All that has been put off, and this write, in one pass; None if nothing has been put off."""
    old = bottom(new)
    if not isinstance(new.inner, Patched):
        return None
    base = node.operands[0]
    while base in frame.plan.merged:
        base = base.node.operands[0]
    if isinstance(old, Strided) and old.is_whole and not reads_elsewhere(frame.code, new, old):
        target = frame.claim(base, old)
        if target is not None:
            frame.fill(target, new)
            return target
    return frame.made_later(new)


def _write(frame: Frame, node: Node, x: Storage, map: Map, value: Storage) -> Strided:
    code = frame.code
    target = frame.claim(node.operands[0], x, node.operands[1], map, value)
    if target is not None:
        window = view(code, target, map, value.shape, value.bounds)
        assert isinstance(window, Strided)
        there = window.buffer, window.base, window.map
        if isinstance(value, Strided) and (value.buffer, value.base, value.map) == there:
            return target  # (It has been received there.)
        if not reads_elsewhere(code, value, window):
            frame.fill(window, value)
            return target
        rest = complement(x, map, value.shape)
        if rest is None or _elements(rest) > _elements([(map, value.shape)]):
            nests.fill(code, window, frame.materialize(value))
            return target
    # Into other memory, with the rest copied: in a loop the two arrays take turns.
    if patchable(x, map, value):
        new = Patched(x, map, value)
        if boxes(new, new.shape) is not None:
            return frame.made_later(new)
    frame.lowering.waiting.flush()
    rest = complement(x, map, value.shape)
    target = frame.lowering.allocate(x.dtype, x.shape, x.bounds)
    if rest is None:
        nests.fill(code, target, x)
    else:
        for box, shape in rest:
            _fill_box(frame, target, x, box, shape)
    window = view(code, target, map, value.shape, value.bounds)
    assert isinstance(window, Strided)
    nests.fill(code, window, value)
    return target


def _fill_box(frame: Frame, target: Strided, x: Storage, box: Map, shape: tuple[Index, ...]) -> None:
    bounds = tuple(int(n) for n in shape)
    into = view(frame.code, target, box, shape, bounds)
    assert isinstance(into, Strided)
    nests.fill(frame.code, into, view(frame.code, x, box, shape, bounds))


Box = tuple[Map, tuple[int, ...]]


def _elements(boxes: Sequence[tuple[Map, Sequence[Index]]]) -> int:
    return sum(int(np.prod([int(n) for n in shape], dtype=object)) for _, shape in boxes)


def complement(x: Storage, map: Map, window: Sequence[Index]) -> list[Box] | None:
    """The boxes of `x` outside a window; None if its place or size is not known, or it has gaps."""
    taken = []
    for m, n in zip(map, x.shape, strict=True):
        length = window[m.axis] if m.axis >= 0 else 1
        if not (isinstance(m.start, int) and isinstance(length, int) and isinstance(n, int)):
            return None
        if length == 0:
            return [(identity(len(x.shape)), tuple(int(e) for e in x.shape))] if all(
                isinstance(e, int) for e in x.shape
            ) else None
        if length > 1 and m.step not in (1, -1):
            return None
        low = m.start if length == 1 or m.step == 1 else m.start - (length - 1)
        taken.append((low, low + length))
    found: list[Box] = []
    for axis in range(len(taken)):
        low, high = taken[axis]
        for begin, end in ((0, low), (high, x.shape[axis])):
            assert isinstance(end, int)
            if end > begin:
                spans = [*taken[:axis], (begin, end), *((0, int(n)) for n in x.shape[axis + 1 :])]
                box = tuple(Along(a, k, 1) for k, (a, _) in enumerate(spans))
                found.append((box, tuple(b - a for a, b in spans)))
    return found


def pad(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    x, value = given
    shape, bounds = frame.shape(node.types[0])
    if not shape:
        return [x]
    assert isinstance(value, Scalar)
    target = frame.lowering.allocate(x.dtype, shape, bounds)
    map = tuple(Along(a, k, 1) for k, a in enumerate(node.kw["low"]))
    rest = complement(target, map, x.shape)
    if rest is None:
        return None
    for box, extent in rest:
        _fill_box(frame, target, constant_view(value, shape, bounds), box, extent)
    into = view(frame.code, target, map, x.shape, x.bounds)
    assert isinstance(into, Strided)
    nests.fill(frame.code, into, x)
    return [target]


#: Arrays that are joined in one pass at most: between each two of them it is decided anew what is read.
_JOINED = 4


def _from(axis: int, first: Index, rank: int) -> Map:
    """The map of what begins at `first` on an axis, and at the beginning on the others."""
    return tuple(Along(first if k == axis else 0, k, 1) for k in range(rank))


def _joined(node: Node, given: list[Storage], shape: tuple[Index, ...], bounds: tuple[int, ...]) -> Patched | None:
    """Arrays put together, as a formula; None where they had better be copied one after the other."""
    if not 1 < len(given) <= _JOINED or any(not isinstance(n, int) for x in given for n in x.shape):
        return None
    if any(isinstance(x, Strided) and x.is_whole for x in given) or any(0 in x.bounds for x in given):
        return None  # Copied at once, or not at all.
    axis, first = node.kw["axis"], 0
    zero = Scalar(node.types[0].dtype, literal(0, node.types[0].dtype))
    found: Storage = constant_view(zero, shape, bounds)
    for x in given:
        found = Patched(found, _from(axis, first, len(shape)), x)
        first += int(x.shape[axis])
    assert isinstance(found, Patched)
    return found


def concatenate(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    code, axis = frame.code, node.kw["axis"]
    shape, bounds = frame.shape(node.types[0])
    whole = _joined(node, given, shape, bounds)
    if whole is not None:
        return [frame.made_later(whole)]
    frame.lowering.waiting.flush()
    target = frame.lowering.allocate(node.types[0].dtype, shape, bounds)
    first: Index = 0
    for x in given:
        into = view(code, target, _from(axis, first, len(shape)), x.shape, x.bounds)
        assert isinstance(into, Strided)
        nests.fill(code, into, x)
        first = code.add(first, x.shape[axis])
    return [target]


def scatter(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    code, kind, axes = frame.code, node.kw["kind"], node.kw["axes"]
    x, value, indices = given[0], given[1], given[2:]
    combine = None if kind == "set" else native_scalar.combine(kind, x.dtype)
    if kind != "set" and (combine is None or x.dtype == np.float16 or node.op.infer is None):
        return None
    if kind.startswith("logical") and x.dtype.kind != "b":
        return None
    target = frame.claim(node.operands[0], x)
    if target is None:
        target = frame.copy(x)
    else:
        value, *indices = [
            frame.materialize(s) if target.buffer in s.buffers else s for s in (value, *indices)
        ]
    if any(b == 0 for b in (*x.bounds, *value.bounds)):
        return [target]
    lead = len(value.shape) - (len(x.shape) - len(axes))

    def one(at: tuple[Index, ...], where: tuple[Index, ...]) -> None:
        new = value.element(code, at, {})
        if combine is not None:
            new = combine(code, target.element(code, where, {}), new)
        target.put(code, where, new)

    def anywhere() -> None:
        with code.statement(), nests.nest(code, value.shape) as at:
            one(at, gathered(code, target, axes, indices, at, lead, {}))

    ramp = indices[0].ramp if len(x.shape) == 1 else None
    if ramp is None or max(value.bounds) >= 1 << 31:
        anywhere()
        return [target]
    # Evenly spaced, as in ``x[start::step] = value``: in range if both ends are.
    (start, step), count = ramp, value.shape[0]
    last = code.emit(f"add i64 {start}, {code.emit(f'mul i64 {step}, {code.sub(count, 1)}')}")
    small = code.emit(f"icmp ult i64 {code.emit(f'add i64 {step}, {1 << 31}')}, {1 << 32}")
    inside = small
    for end in (start, last):
        inside = code.emit(f"and i1 {inside}, {code.emit(f'icmp ult i64 {end}, {x.shape[0]}')}")
    yes, no, end_ = (code.new_label() for _ in range(3))
    code.branch(inside, yes, no)
    code.start(yes)
    with code.scope(), code.statement(), nests.nest(code, value.shape) as at:
        one(at, (code.add(start, code.mul(step, at[0])),))
    code.go(end_)
    code.start(no)
    with code.scope():
        anywhere()
    code.go(end_)
    code.start(end_)
    return [target]
