"""Communication between ranks: what native code sends itself through MPI (`native_mpi`), or Python for it.

Both are in the code of each communication; the table of the communicator that is in use decides at run time. What is
side by side in memory is sent from where it is, and received where it belongs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from lazyarr.backends import native_blas, native_mpi, native_scalar
from lazyarr.backends import native_nests as nests
from lazyarr.backends.mpi import Partners
from lazyarr.backends.native_call import MPI_FAILED
from lazyarr.backends.native_emit import Code, Index
from lazyarr.backends.native_frame import Frame, spill, unspill
from lazyarr.backends.native_storage import Along, Scalar, Storage, Strided, copy_bytes, touches, view
from lazyarr.backends.native_views import slice_map
from lazyarr.cost_model import gathers
from lazyarr.ir import extents
from lazyarr.ir.node import Node, Value
from lazyarr.ir.types import ArrayType
from lazyarr.ops.comm import Beside

_BYTE = np.dtype(np.uint8)
#: What goes to a rank, or comes from it, in order.
Messages = dict[int, list[Strided]]


def halo(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """What is wanted beside each array; one message a neighbour."""
    at, dim, parts = (node.kw[name] for name in ("at", "dim", "parts"))
    found = [Partners.of(at, have, want) for _, _, have, want in parts]
    if not possible(_types(node), dim, parts[0][2], sum(len(p.receives) + len(p.sends) for p in found)):
        return None
    ready = frame.ready(given)
    results = frame.made(node.types, _rooms(frame, node, given))
    sends, receives = sent(frame.code, found, parts, ready), received(frame.code, found, parts, results)
    return _traded(frame, node, dim, ready, results, sends, receives)


def sent(code: Code, found: Sequence[Partners], parts: Sequence[Beside], arrays: Sequence[Storage]) -> Messages:
    """What others get of arrays that they have indices beside."""
    sends: Messages = {}
    for partners, (axis, base, _, _), x in zip(found, parts, arrays, strict=False):
        for peer, (a, b) in partners.sends:
            sends.setdefault(peer, []).append(rows(code, x, axis, a - base, b - base))
    return sends


def received(code: Code, found: Sequence[Partners], parts: Sequence[Beside], results: Sequence[Storage]) -> Messages:
    """What comes from others, into the parts below and above of each array."""
    receives: Messages = {}
    for k, (partners, (axis, _, _, _)) in enumerate(zip(found, parts, strict=True)):
        (low, above), (begin, _) = partners.sides
        for peer, (a, b) in partners.receives:
            side, first = (results[2 * k + 1], begin) if a >= above else (results[2 * k], low)
            receives.setdefault(peer, []).append(rows(code, side, axis, a - first, b - first))
    return receives


def _rooms(frame: Frame, node: Node, given: list[Storage]) -> dict[int, Strided]:
    """Where results may be received at once: where they are written to next, in arrays that nobody reads before that.

    (Not in the outermost graph: what is a caller's array is to stay as it is where MPI fails.)
    """
    found: dict[int, Strided] = {}
    if frame.outermost:
        return found
    for k, (array, x) in enumerate(zip(node.operands[:-1], given, strict=False)):
        if not frame.alone(x) or node.operands.count(array) > 1:
            continue
        at = {node.values[number]: number for number in (2 * k, 2 * k + 1)}
        value = array
        while (user := _written(frame, node, value, at)) is not None:
            part = user.operands[1]
            shape = tuple(map(int, part.type.shape))
            window = view(frame.code, x, slice_map(user.kw["start"], user.kw["step"]), shape, shape)
            assert isinstance(window, Strided)
            if any(v != array and touches(s, window) for v, s in frame.values.items()):
                break
            frame.lowering.writes(window.buffer)
            found[at[part]], value = window, user.values[0]
    return found


def _written(frame: Frame, node: Node, value: Value, parts: Mapping[Value, int]) -> Node | None:
    """What writes one of the parts into `value`, if all others that read this look elsewhere."""
    users = [n for n in frame.graph.nodes if n is not node and value in n.operands]
    writers = [n for n in users if n.op.name == "update_slice" and n.operands[0] == value and n.operands[1] in parts]
    if len(writers) != 1 or value in frame.graph.roots:
        return None
    (writer,) = writers
    if frame.uses.get(writer.operands[1]) != 1 or set(writer.kw["step"]) != {1}:
        return None
    return writer if all(n is writer or _apart(n, writer) for n in users) else None


def _apart(node: Node, writer: Node) -> bool:
    """Whether a node is a slice of other elements than are written."""
    if node.op.name != "slice" or any(step < 1 for step in node.kw["step"]):
        return False
    boxes = [zip(n.kw["start"], n.kw["stop"], strict=True) for n in (node, writer)]
    return any(b <= c or d <= a for (a, b), (c, d) in zip(*boxes, strict=True))


def exchange(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """What is wanted of an axis, from those who have it."""
    at, dim, have, want, axis, base = (node.kw[name] for name in ("at", "dim", "have", "want", "axis", "base"))
    partners = Partners.of(at, have, want)
    if not possible(_types(node), dim, have, len(partners.receives) + len(partners.sends)):
        return None
    ready, results = frame.ready(given), frame.made(node.types)
    code, first = frame.code, want[at][0]
    sends = {k: [rows(code, ready[0], axis, a - base, b - base)] for k, (a, b) in partners.sends}
    receives = {k: [rows(code, results[0], axis, a - first, b - first)] for k, (a, b) in partners.receives}
    own, (start, stop) = None, partners.own
    if start < stop:
        own = rows(code, results[0], axis, start - first, stop - first), rows(
            code, ready[0], axis, start - base, stop - base
        )
    return _traded(frame, node, dim, ready, results, sends, receives, own)


def _types(node: Node) -> list[ArrayType]:
    return [v.type for v in (*node.operands, *node.values)]


def possible(types: Sequence[ArrayType], dim: int, have: Sequence[object], messages: int) -> bool:
    """Whether native code can send and receive parts of arrays of these types."""
    return (
        len(have) > 1 and dim < native_mpi.MOST_DIMS and messages <= native_mpi.MOST_MESSAGES
        and all(extents.is_static(t.shape) and int(t.nbytes) <= native_mpi.MOST_BYTES for t in types)
        and sum(int(t.nbytes) for t in types) <= native_mpi.MOST_BYTES
    )  # fmt: skip


def rows(code: Code, x: Storage, axis: int, first: int, last: int) -> Strided:
    """A range of an axis."""
    assert isinstance(x, Strided)
    shape = (*x.shape[:axis], last - first, *x.shape[axis + 1 :])
    bounds = (*x.bounds[:axis], last - first, *x.bounds[axis + 1 :])
    found = view(code, x, tuple(Along(first if k == axis else 0, k, 1) for k in range(len(shape))), shape, bounds)
    assert isinstance(found, Strided)
    return found


def side_by_side(x: Strided) -> bool:
    """Whether the elements follow each other in memory as in C."""
    expected = 1
    if 0 in x.bounds:
        return True
    for n, stride in zip(reversed(x.bounds), reversed(x.strides), strict=True):
        if n != 1 and stride != expected:
            return False
        expected *= n
    return True


def nbytes(x: Strided) -> int:
    return math.prod(x.bounds) * x.dtype.itemsize


@contextmanager
def block(code: Code, label: str, end: str) -> Iterator[None]:
    code.start(label)
    with code.scope():
        yield
    code.go(end)


def _traded(frame: Frame, node: Node, dim: int, ready: list[Storage], results: list[Storage], sends: Messages,
            receives: Messages, own: tuple[Strided, Strided] | None = None) -> list[Storage]:  # fmt: skip
    """The results of a node, with what comes from others in them; `own` is a part of one, and where it is already."""
    code = frame.code
    packed = {
        id(xs): _packed(frame, xs) for xs in (*sends.values(), *receives.values())
        if len(xs) > 1 or not side_by_side(xs[0])
    }  # fmt: skip
    communicator = communicator_table(code)
    here, python, end = (code.new_label() for _ in range(3))
    code.branch(code.emit(f"icmp ne ptr {communicator}, null"), here, python)
    with block(code, here, end):
        if own is not None:
            nests.fill(code, *own)
        if sends or receives:
            _messages(frame, communicator, dim, sends, receives, packed)
    with block(code, python, end):
        frame.python(node.op.name, node.attrs, ready, results)
    code.start(end)
    return [*results[:-1], next_token(code, ready[-1])]


def _packed(frame: Frame, xs: list[Strided]) -> Strided:
    """Memory for a message of several parts, or of what is not side by side."""
    size = sum(map(nbytes, xs))
    found = frame.lowering.allocate(_BYTE, (size,), (size,))
    frame.working.append(found)
    return found


def _messages(frame: Frame, communicator: str, dim: int, sends: Messages, receives: Messages,
              packed: dict[int, Strided]) -> None:  # fmt: skip
    """Send and receive."""
    code = frame.code
    table: list[tuple[str, int, int]] = []
    for messages in (receives, sends):
        for peer, xs in messages.items():
            room = packed.get(id(xs))
            if room is not None and messages is sends:
                copy(code, xs, native_blas.address(code, room), into=True)
            place = native_blas.address(code, xs[0] if room is None else room)
            table.append((place, sum(map(nbytes, xs)), peer))
    total = sum(nbytes(x) for xs in sends.values() for x in xs)
    outcome = code.emit(f"call i32 {function(code, native_mpi.TRADE)}(ptr {communicator}, i64 {dim}, "
                        f"ptr {listed(code, table)}, i64 {len(receives)}, i64 {len(sends)}, i64 {total})")  # fmt: skip
    require(frame, outcome)
    for xs in receives.values():
        if id(xs) in packed:
            copy(code, xs, native_blas.address(code, packed[id(xs)]), into=False)


def listed(code: Code, messages: Sequence[tuple[str, int, int]]) -> str:
    """A table of messages as native code takes it: of each its address, its bytes and the partner."""
    table = code.alloca("i64", 3 * len(messages))
    for k, (place, size, peer) in enumerate(messages):
        for word, text in enumerate((f"ptr {place}", f"i64 {size}", f"i64 {peer}"), 3 * k):
            code.do(f"store {text}, ptr {code.emit(f'getelementptr inbounds i64, ptr {table}, i64 {word}')}")
    return table


def copy(code: Code, xs: list[Strided], room: str, into: bool) -> None:
    """Parts of arrays into memory where they follow each other, or out of it."""
    begin = 0
    for x in xs:
        place = code.emit(f"getelementptr inbounds i8, ptr {room}, i64 {begin}")
        begin += nbytes(x)
        if side_by_side(x):
            there = native_blas.address(code, x)
            copy_bytes(code, place if into else there, there if into else place, nbytes(x))
            continue
        pointer = code.pointer(x.buffer)
        with code.scope(), nests.nest(code, x.shape) as index:
            number: Index = 0
            for k, n in zip(index, x.bounds, strict=True):
                number = code.add(code.mul(number, n), k)
            if into:
                code.store(None, place, x.dtype, number, code.load(None, pointer, x.dtype, x.place(code, index)))
            else:
                code.store(None, pointer, x.dtype, x.place(code, index), code.load(None, place, x.dtype, number))


def all_reduce(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The arrays of all ranks combined: by MPI, or, where the order matters, here."""
    kind, dims, type = node.kw["kind"], node.kw["dims"], node.types[0]
    dtype, gathered = type.dtype, gathers(kind, type.dtype, int(extents.bound(type.nbytes)))
    combine = native_scalar.combine(kind, dtype) if gathered else None
    if gathered and (combine is None or (kind.startswith("logical") and dtype.kind != "b")):
        return None
    name = f"{dtype.kind}{dtype.itemsize}"
    if not (dims and max(dims) < native_mpi.MOST_DIMS and extents.is_static(type.shape)):
        return None
    if not (gathered or name in native_mpi.ADDED) or int(type.nbytes) > native_mpi.MOST_BYTES:
        return None
    ready, (target, *_) = frame.ready(given), frame.made(node.types)
    code, x, size = frame.code, ready[0], int(type.nbytes)
    if isinstance(x, Strided):
        assert isinstance(target, Strided)
        if not side_by_side(x):
            x = ready[0] = frame.copy(x)
        source, to = native_blas.address(code, x), native_blas.address(code, target)
    else:
        source, to = code.alloca("i64", 2), code.alloca("i64", 2)
        spill(code, source, dtype, x.element(code, (), {}))
    number, plane = math.prod(map(int, type.shape)), native_mpi.plane(dims)
    communicator, outcome, ranks = communicator_table(code), code.alloca("i32"), code.alloca("i64")
    code.do(f"store i32 {native_mpi.LEFT}, ptr {outcome}")
    with code.when(code.emit(f"icmp ne ptr {communicator}, null")):
        if gathered:
            call = f"{function(code, native_mpi.GATHER)}(ptr {communicator}, i64 {plane}, ptr {source}, i64 {size}, " \
                   f"ptr {ranks})"  # fmt: skip
        else:
            call = f"{function(code, native_mpi.ADD)}(ptr {communicator}, i64 {plane}, ptr {source}, ptr {to}, " \
                   f"i64 {number}, i64 {native_mpi.ADDED.index(name)}, i64 {size})"  # fmt: skip
        code.do(f"store i32 {code.emit(f'call i32 {call}')}, ptr {outcome}")
    done = code.emit(f"load i32, ptr {outcome}")
    here, python, end = (code.new_label() for _ in range(3))
    code.branch(code.emit(f"icmp ne i32 {done}, {native_mpi.LEFT}"), here, python)
    with block(code, here, end):
        require(frame, done)
        if combine is not None:
            place = code.emit(f"getelementptr inbounds i64, ptr {communicator}, i64 {native_mpi.SCRATCH}")
            parts, count = code.emit(f"load ptr, ptr {place}"), code.emit(f"load i64, ptr {ranks}")
            copy_bytes(code, to, parts, size)
            with code.loop(1, count) as rank, code.loop(0, number) as k:
                part = code.load(None, parts, dtype, code.add(code.mul(rank, number), k))
                code.store(None, to, dtype, k, combine(code, code.load(None, to, dtype, k), part))
    with block(code, python, end):
        (found, _) = frame.python(node.op.name, node.attrs, ready, [target, Scalar(ready[1].dtype, ())])
        if isinstance(found, Scalar):
            spill(code, to, dtype, found.value)
    code.start(end)
    result = target if isinstance(target, Strided) else Scalar(dtype, unspill(code, to, dtype))
    return [result, next_token(code, ready[-1])]


def communicator_table(code: Code) -> str:
    """The table of the communicator that is in use."""
    code.module.declare(native_mpi.STATE, f"@{native_mpi.STATE} = external global [{native_mpi.WORDS} x i64]")
    return function(code, native_mpi.COMMUNICATOR)


def function(code: Code, word: int) -> str:
    place = code.emit(f"getelementptr inbounds i64, ptr @{native_mpi.STATE}, i64 {word}")
    return code.emit(f"load ptr, ptr {place}")


def require(frame: Frame, outcome: str) -> None:
    """End the program where MPI has failed: Python says how."""
    code = frame.code
    with code.when(code.emit(f"icmp eq i32 {outcome}, {native_mpi.FAILED}")):
        code.emit(f"call i32 %host(i64 {MPI_FAILED}, ptr null)")
    frame.lowering.fail(code.emit(f"icmp ne i32 {outcome}, {native_mpi.FAILED}"), -1)


def next_token(code: Code, token: Storage) -> Scalar:
    """What the next communication takes."""
    assert isinstance(token, Scalar)
    return Scalar(token.dtype, (code.emit(f"add i64 {token.value[0]}, 1"),))
