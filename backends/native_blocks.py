"""Loops whose bodies are element-wise: done block by block, each through all iterations while it is in the first cache.

``for n in range(steps): z = z * z + c`` reads and writes whole arrays in each iteration. No element looks at another,
so a block can go through all iterations before the next begins: the loop costs arithmetic instead of memory. Where
each array only changes under a mask that says the same as long as nothing changes
(``inside = abs(z) < 2; z[inside] = ...``), a block is done when its masks are false everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lazyarr.backends import native_modulus, native_threads
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_costs import expected_trips
from lazyarr.backends.native_emit import Element, Index
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_plan import MOVES, SPREADS, generated
from lazyarr.backends.native_storage import Scalar, Storage, Strided, flat, is_long
from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

if TYPE_CHECKING:
    from lazyarr.backends.native_control import State

#: Bytes of a block: what one iteration reads and writes stays in the first cache.
_BLOCK = 16384
#: Elements of a block that may end early: few, so that it ends when these few are done.
_EARLY = 16
_LEAST = 64
#: Arithmetic of an element of a smaller array that may be repeated for each element it is broadcast to.
_AGAIN = 4.0
_INVARIANT = {"const", "full", "iota", "count", "window"} | MOVES | SPREADS


@dataclass(frozen=True)
class Blocks:
    """The proof that a loop's body is element-wise.

    Attributes
    ----------
    arrays : tuple of int
        The carried values that are arrays and change; all of one shape.
    scalars : tuple of int
        The carried numbers that change; no array decides them.
    masks : tuple of Value, optional
        Where all of these are false, this and all later iterations change nothing; None: there are no such masks.
    flat : bool
        Whether all arrays have that shape, so that an element's number in C order says where it is in each.
    """

    arrays: tuple[int, ...]
    scalars: tuple[int, ...]
    masks: tuple[Value, ...] | None
    flat: bool


def find(body: Graph, carried: int) -> Blocks | None:
    """The proof, if there is one: for a counted loop of which the body's first parameter is the index."""
    params = body.params[1 : 1 + carried]
    changed = [k for k in range(carried) if body.results[k] != params[k]]
    arrays = [k for k in changed if params[k].type.shape]
    if not arrays or body.checks:
        return None
    shape = params[arrays[0]].type.shape
    if not extents.is_static(shape) or 0 in shape or any(params[k].type.shape != shape for k in arrays):
        return None
    moving = {params[k] for k in arrays}
    for node in body.nodes:
        if not any(v in moving for v in node.operands):
            if not (generated(node) or node.op.name in _INVARIANT) or _is_repeated(node):
                return None
            continue
        # An element of what moves is only ever looked at from its own place.
        if not generated(node) or any(v.type.shape != shape for v in node.operands if v in moving):
            return None
        if any(t.shape != shape for t in node.types):
            return None
        moving.update(node.values)
    if _is_long(body):
        return None  # Part of it has to be stored.
    scalars = [k for k in changed if not params[k].type.shape]
    if any(body.results[k].type.shape != shape for k in arrays):
        return None
    flat = all(
        (generated(node) or node.op.name in ("const", "full"))
        and all(v.type.shape in ((), shape) for v in (*node.operands, *node.values)) for node in body.nodes
    )
    return Blocks(tuple(arrays), tuple(scalars), _masks(body, arrays, scalars), flat)


def _is_long(body: Graph) -> bool:
    """Whether a formula of the body is too long to be one."""
    known: dict[Value, tuple[float, int]] = {}
    for node in body.nodes:
        parts = [known.get(v, (0.0, 0)) for v in node.operands if v.type.shape]
        flops = max(float(node.cost.flops) / max(1.0, float(np.prod(extents.bounded(t.shape)))) for t in node.types)
        whole = flops + sum(part[0] for part in parts), 1 + max((part[1] for part in parts), default=0)
        if is_long(*whole):
            return True
        known.update(dict.fromkeys((v for v in node.values if v.type.shape), whole))
    return False


def _is_repeated(node: Node) -> bool:
    """Whether `node` reads work on a smaller array at several elements, which had better been stored."""
    if not generated(node) and node.op.name not in SPREADS:
        return False
    work = 0.0
    for operand in node.operands:
        made = operand.node
        if operand.type.shape not in ((), node.types[0].shape) and generated(made):
            work += float(made.cost.flops) / max(1.0, float(np.prod(extents.bounded(operand.type.shape))))
    return work > _AGAIN


def _masks(body: Graph, arrays: list[int], scalars: list[int]) -> tuple[Value, ...] | None:
    """What the carried arrays change under, if these masks do not depend on how often the body has run."""
    counting = {body.params[0], *(body.params[1 + k] for k in scalars)}
    for node in body.nodes:
        if any(v in counting for v in node.operands):
            counting.update(node.values)
    found: dict[Value, None] = {}
    for k in arrays:
        value = body.results[k]
        while value != body.params[1 + k]:
            if value.node.op.name != "select" or value.node not in body.nodes:
                return None
            mask, _, value = value.node.operands
            if mask in counting or mask.type.shape != body.params[1 + k].type.shape:
                return None
            found[mask] = None
    return tuple(found)


def run(frame: Frame, blocks: Blocks, body: Graph, state: State, bounds: tuple[Index, Index, int],
        consts: list[Storage]) -> None:  # fmt: skip
    """Run a loop block by block.

    Parameters
    ----------
    frame : Frame
    blocks : Blocks
    body : Graph
    state : State
        What is carried: holds the last values afterwards.
    bounds : (start, stop, step)
    consts : list of Storage
    """
    code = frame.code
    arrays = {k: array for k, array in state.arrays().items() if k in blocks.arrays}
    outer = state.scalars()
    initial = {k: outer[k].element(code, (), {}) for k in blocks.scalars}
    masks = blocks.masks or ()
    graph = Graph(body.params, [*body.results, *masks], body.checks)
    shape = next(iter(arrays.values())).shape
    size = sum(a.dtype.itemsize for a in arrays.values()) + sum(
        x.dtype.itemsize for x in consts if len(x.shape) == len(shape)
    )
    length = max(_LEAST, min(_BLOCK // size, 1024)) if blocks.masks is None else _EARLY

    def iterate(at: tuple[Index, ...], first: Index, last: Index) -> None:
        slots = {k: nests.variable(code, body.params[1 + k].type.dtype, x) for k, x in initial.items()}
        leave = code.new_label()
        with code.loop(*bounds) as index:
            results = _enter(frame, graph, state, arrays, slots, consts, str(index))
            flag = nests.variable(code, np.dtype(bool), ("false",)) if blocks.masks is not None else []

            def elements() -> None:
                with code.loop(first, last) as k:
                    place = (*at, k)
                    seen: dict[object, object] = {}
                    new = {a: results[a].element(code, place, seen) for a in arrays}
                    for mask in results[len(body.results) :]:
                        some = mask.element(code, place, seen)[0]
                        old = nests.read(code, np.dtype(bool), flag)[0]
                        nests.assign(code, np.dtype(bool), flag, (code.emit(f"or i1 {old}, {some}"),))
                    for a, value in new.items():
                        arrays[a].put(code, place, value)

            native_modulus.blockwise(code, [results[a] for a in arrays], at, first, last, elements)
            _step(frame, body, results, slots)
            if flag:
                going = code.new_label()
                code.branch(nests.read(code, np.dtype(bool), flag)[0], going, leave)
                code.start(going)
        code.go(leave)
        code.start(leave)

    with code.statement():
        same = [slot.same for slot in state.slots if slot.same is not None]
        storages = [*arrays.values(), *(x for x in [*same, *consts] if x.shape)]
        # (An index on an axis of length 1 is taken for 0 where arrays broadcast.)
        one = blocks.flat and shape[-1] != 1 and all(flat(x, shape) for x in storages)
        _over_blocks(frame, storages, shape, one, length, _work(body, shape, bounds), iterate)
    if blocks.scalars:
        slots = {k: state.slots[k].variables or [] for k in blocks.scalars}
        with code.loop(*bounds) as index:
            _step(frame, body, _enter(frame, graph, state, arrays, slots, consts, str(index)), slots)


def _enter(frame: Frame, graph: Graph, state: State, arrays: dict[int, Strided], slots: dict[int, list[str]],
           consts: list[Storage], index: str) -> list[Storage]:  # fmt: skip
    """The body's results as formulas; its numbers are computed."""
    code = frame.code
    bound: list[Storage] = [Scalar(np.dtype("i8"), (index,))]
    for k, slot in enumerate(state.slots):
        if k in arrays:
            bound.append(arrays[k])
        elif k in slots:
            dtype = slot.param.type.dtype
            bound.append(Scalar(dtype, nests.read(code, dtype, slots[k])))
        else:
            assert slot.same is not None
            bound.append(slot.same)
    inner = Frame(frame.lowering, graph, [*bound, *consts])
    inner.plan.stored.clear()
    inner.plan.written.clear()
    results = inner.run()
    inner.leave()
    return results


def _step(frame: Frame, body: Graph, results: list[Storage], slots: dict[int, list[str]]) -> None:
    """Carried numbers become what the body makes of them."""
    new: dict[int, Element] = {k: results[k].element(frame.code, (), {}) for k in slots}
    for k, value in new.items():
        nests.assign(frame.code, body.results[k].type.dtype, slots[k], value)


def _work(body: Graph, shape: tuple[Index, ...], bounds: tuple[Index, Index, int]) -> float:
    """About how many nanoseconds the loop takes."""
    return float(np.prod([float(n) for n in shape])) * expected_trips(bounds) * (0.2 + 0.1 * len(body.nodes))


def _over_blocks(frame: Frame, storages: list[Storage], shape: tuple[Index, ...], flat: bool, length: int, work: float,
                 iterate: Callable[[tuple[Index, ...], Index, Index], None]) -> None:  # fmt: skip
    """Call ``iterate(leading indices, first, last)`` for all blocks of the last axis, shared among threads."""
    code = frame.code
    total = int(np.prod([int(n) for n in shape]))
    lead = (1,) * (len(shape) - 1) if flat else shape[:-1]
    last = total if flat else int(shape[-1])
    many = -(-last // length)

    def block(at: tuple[Index, ...], number: Index) -> None:
        first = code.mul(number, length)
        iterate(at, first, last if many == 1 else code.minimum(code.add(first, length), last))

    for storage in storages:
        for buffer in storage.buffers:
            code.pointer(buffer)
    axis = next((k for k, n in enumerate(lead) if n != 1), None)
    outermost = int(lead[axis]) if axis is not None else many
    if native_threads.threads() < 2 or work < nests.WORTH or outermost < 2:
        with nests.nest(code, (*lead, many)) as at:
            block(at[:-1], at[-1])
    elif axis is None:
        with code.shared(many, None) as number:
            block((0,) * len(lead), number)
    else:
        with code.shared(outermost, None) as index, nests.nest(code, (*lead[axis + 1 :], many)) as at:
            block((*(0 for _ in lead[:axis]), index, *at[:-1]), at[-1])
