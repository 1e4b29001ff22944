"""The least and the largest element of each block of an array that stays as it is while a loop runs.

Where an iteration selects by comparisons of that array with numbers (``(lo <= r) & (r < hi)``), a block of which all
elements are beyond a number need not be looked at: what an iteration costs is then what it selects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lazyarr.backends import native_selections
from lazyarr.backends.native_costs import expected_trips
from lazyarr.backends.native_emit import Code, Index, literal, register
from lazyarr.backends.native_storage import Buffer, Pointwise, Scalar, Storage, Strided, View, is_flattened
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

if TYPE_CHECKING:
    from lazyarr.backends.native_frame import Frame

#: Elements of a block.
BLOCK = 32
#: Blocks of which it is found out together which are worth looking at.
_TOGETHER = 64
#: Elements from which on, and iterations from which on, extrema are found first.
_ELEMENTS, _TRIPS = 1024, 4
_LANES = 8
#: What holds of a block if it may hold of one of its elements ``x``: of its least or its largest, in ``x < y``.
_COMPARED = {
    "less": (("low", "lt"),), "less_equal": (("low", "le"),),
    "greater": (("high", "gt"),), "greater_equal": (("high", "ge"),),
    "equal": (("low", "le"), ("high", "ge")),
}  # fmt: skip
_MIRRORED = {"less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal",
             "equal": "equal"}  # fmt: skip
_AND, _OR = {"bitwise_and", "logical_and"}, {"bitwise_or", "logical_or"}


@dataclass(frozen=True)
class Extrema:
    """Of the whole blocks of an array, the least elements and the largest; NaN are left out."""

    low: Strided
    high: Strided


# --- finding them ----------------------------------------------------------------------------------------


@contextmanager
def known(frame: Frame, body: Graph, consts: Sequence[Storage], bounds: tuple[Index, Index, Index]) -> Iterator[None]:
    """Find the extrema of what `body`, a loop's, compares in selections, if it is not changed in the loop.

    `consts` are its last operands.
    """
    lowering, step = frame.lowering, bounds[2]
    made: list[Buffer] = []
    if isinstance(step, int) and expected_trips((bounds[0], bounds[1], step)) >= _TRIPS and frame.code.part is None:
        compared = _compared(body)
        first = len(body.params) - len(consts)
        for param, storage in zip(body.params[first:], consts, strict=True):
            if not isinstance(storage, Strided) or storage.buffer in lowering.extrema:
                continue
            if param in compared and _serves(storage):
                found = _find(frame, storage)
                lowering.extrema[storage.buffer] = found
                lowering.held.extend((found.low.buffer, found.high.buffer))
                made.append(storage.buffer)
    yield
    for buffer in made:
        found = lowering.extrema.pop(buffer)
        lowering.held.remove(found.low.buffer)
        lowering.held.remove(found.high.buffer)


def _compared(graph: Graph) -> set[Value]:
    """The values that selections of a graph or its regions compare, if regions do not change them."""
    found: set[Value] = set()
    for selection in native_selections.find(graph).values():
        stack = [selection.mask]
        while stack:
            value = stack.pop()
            name = value.node.op.name
            if name in _COMPARED or name in _AND or name in _OR or name == "reshape":
                stack.extend(value.node.operands)
            else:
                found.add(value)
    for node in graph.nodes:
        for region in node.regions:
            inner = _compared(region)
            if inner:
                found.update(outer for param, outer in _passed(node, region) if param in inner)
    return found


def _passed(node: Node, region: Graph) -> Iterator[tuple[Value, Value]]:
    """What a region's parameters are outside of it, of those that stay the same."""
    carried = node.kw.get("carried", 0)
    for param, value in zip(reversed(region.params), reversed(node.operands), strict=False):
        if carried and region.params.index(param) < carried + (node.op.name == "loop"):
            return
        yield param, value


def _serves(storage: Strided) -> bool:
    if not storage.is_whole or storage.dtype.kind not in "iuf":
        return False
    static = all(isinstance(n, int) for n in storage.shape)
    return static and storage.dtype.itemsize > 2 and int(np.prod(storage.bounds, dtype=object)) >= _ELEMENTS


def _find(frame: Frame, x: Strided) -> Extrema:
    code, dtype, type = frame.code, x.dtype, register(x.dtype)
    blocks = int(np.prod(x.bounds)) // BLOCK
    targets = []
    for _ in range(2):
        targets.append(frame.lowering.allocate(dtype, (blocks,), (blocks,)))
        frame.working.append(targets[-1])
    below, above = _less_and_greater(dtype)
    ends = (np.inf, -np.inf) if dtype.kind == "f" else (np.iinfo(dtype).max, np.iinfo(dtype).min)
    with code.statement(), code.loop(0, blocks) as block:
        start = code.address(code.pointer(x.buffer), dtype, code.add(x.offset, code.mul(block, BLOCK)))
        vectors = []
        for k in range(0, BLOCK, _LANES):
            place = code.emit(f"getelementptr inbounds {type}, ptr {start}, i64 {k}")
            vectors.append(code.emit(f"load <{_LANES} x {type}>, ptr {place}, align {dtype.itemsize}"))
        for target, test, end in zip(targets, (below, above), ends, strict=True):
            value = literal(end, dtype)[0]
            best = f"<{', '.join([f'{type} {value}'] * _LANES)}>"
            for vector in vectors:
                best = _better(code, test, f"<{_LANES} x {type}>", vector, best)
            lanes = _LANES
            while lanes > 1:
                half = lanes // 2
                halves = []
                for first in (0, half):
                    pick = ", ".join(f"i32 {first + k}" for k in range(half))
                    halves.append(code.emit(
                        f"shufflevector <{lanes} x {type}> {best}, <{lanes} x {type}> poison, <{half} x i32> <{pick}>"
                    ))  # fmt: skip
                best, lanes = _better(code, test, f"<{half} x {type}>", *halves), half
            target.put(code, (block,), (code.emit(f"extractelement <1 x {type}> {best}, i64 0"),))
    return Extrema(*targets)


def _less_and_greater(dtype: np.dtype[np.generic]) -> tuple[str, str]:
    if dtype.kind == "f":
        return "fcmp olt", "fcmp ogt"
    sign = "s" if dtype.kind == "i" else "u"
    return f"icmp {sign}lt", f"icmp {sign}gt"


def _better(c: Code, test: str, type: str, x: str, best: str) -> str:
    """`x` where it is better than `best`: never where it is NaN."""
    wins = c.emit(f"{test} {type} {x}, {best}")
    lanes = type[1 : type.index(" ")]
    return c.emit(f"select <{lanes} x i1> {wins}, {type} {x}, {type} {best}")


# --- using them ------------------------------------------------------------------------------------------


@contextmanager
def candidates(frame: Frame, mask: Storage, blocks: Index) -> Iterator[Index]:
    """A loop over those of a mask's first `blocks` blocks that may have True elements."""
    code, mask = frame.code, _flat(mask)
    code.module.declare("cttz", "declare i64 @llvm.cttz.i64(i64, i1)")
    bytes_, left = code.scratch("candidates", "i8", _TOGETHER), code.alloca("i64")
    with code.loop(0, blocks, _TOGETHER) as first:
        code.do(f"store <{_TOGETHER} x i8> zeroinitializer, ptr {bytes_}, align 16")
        with code.loop(0, code.minimum(_TOGETHER, code.sub(blocks, first))) as k:
            possible = _possible(frame, mask, code.add(first, k))
            place = code.emit(f"getelementptr inbounds i8, ptr {bytes_}, i64 {k}")
            code.do(f"store i8 {code.emit(f'zext i1 {possible} to i8')}, ptr {place}")
        word = code.emit(f"load <{_TOGETHER} x i8>, ptr {bytes_}, align 16")
        some = code.emit(f"icmp ne <{_TOGETHER} x i8> {word}, zeroinitializer")
        code.do(f"store i64 {code.emit(f'bitcast <{_TOGETHER} x i1> {some} to i64')}, ptr {left}")
        head, body, end = (code.new_label() for _ in range(3))
        code.go(head)
        code.start(head)
        with code.scope():
            bits = code.emit(f"load i64, ptr {left}")
            code.branch(code.emit(f"icmp ne i64 {bits}, 0"), body, end)
            code.start(body)
            less = code.emit(f"sub i64 {bits}, 1")
            code.do(f"store i64 {code.emit(f'and i64 {bits}, {less}')}, ptr {left}")
            yield code.add(first, code.emit(f"call i64 @llvm.cttz.i64(i64 {bits}, i1 true)"))
        code.go(head)
        code.start(end)


def decide(frame: Frame, mask: Storage) -> bool:
    """Whether extrema say of some blocks of a mask that it has no True elements there."""
    return _decides(frame, _flat(mask))


def _flat(mask: Storage) -> Storage:
    """A mask of one axis, or what it is of several, in C order."""
    if isinstance(mask, View) and is_flattened(mask):
        return mask.inner
    if len(mask.shape) != 1:
        raise AssertionError("a mask has one axis")
    return mask


def _leaf(frame: Frame, x: Pointwise) -> tuple[Extrema, Scalar, str] | None:
    """Of a comparison of an array of known extrema with a number: these, the number, and the comparison."""
    name = x.operation
    if name not in _COMPARED:
        return None
    array, number = x.operands
    if isinstance(array, Scalar):
        array, number, name = number, array, _MIRRORED[name]
    if not isinstance(array, Strided) or not isinstance(number, Scalar) or not array.is_whole or array.shape != x.shape:
        return None
    found = frame.lowering.extrema.get(array.buffer)
    return None if found is None or found.low.dtype != array.dtype else (found, number, name)


def _decides(frame: Frame, mask: Storage) -> bool:
    """Whether extrema say of some blocks that the mask has no True elements there."""
    if not isinstance(mask, Pointwise):
        return False
    if mask.operation in _AND:
        return any(_decides(frame, x) for x in mask.operands)
    if mask.operation in _OR:
        return all(_decides(frame, x) for x in mask.operands)
    return _leaf(frame, mask) is not None


def _possible(frame: Frame, mask: Storage, block: Index) -> str:
    """Whether a block of the mask may have True elements."""
    code = frame.code
    if not _decides(frame, mask):
        return "true"
    assert isinstance(mask, Pointwise)
    leaf = _leaf(frame, mask)
    if leaf is None:
        word = "and" if mask.operation in _AND else "or"
        one, other = (_possible(frame, x, block) for x in mask.operands)
        return code.emit(f"{word} i1 {one}, {other}")
    extrema, number, name = leaf
    dtype = extrema.low.dtype
    found = "true"
    for side, test in _COMPARED[name]:
        end = getattr(extrema, side).element(code, (block,), {})[0]
        test = f"fcmp o{test}" if dtype.kind == "f" else f"icmp {'s' if dtype.kind == 'i' else 'u'}{test}"
        holds = code.emit(f"{test} {register(dtype)} {end}, {number.value[0]}")
        found = code.emit(f"and i1 {found}, {holds}")
    return found
