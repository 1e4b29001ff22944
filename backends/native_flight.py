"""Halos that begin at one place of native code and end at another; what they send is copied, into their own memory.

The number of a flight is the address of its data: what is received, message by message, then what is sent. Where
Python carries it (`lazyarr.backends.mpi`), the number is odd, and Python ends it; 0: this rank has no messages in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from lazyarr.backends import native_comm, native_mpi
from lazyarr.backends.mpi import Partners
from lazyarr.backends.native_comm import Messages, nbytes
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Scalar, Storage
from lazyarr.ir.node import Node
from lazyarr.ir.types import ArrayType
from lazyarr.ops.comm import Beside

#: Messages begin at multiples of so many bytes.
_ALIGNED = 64


def start(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """Begin a halo; gives its number and the token."""
    at, dim, parts = (node.kw[name] for name in ("at", "dim", "parts"))
    found = [Partners.of(at, have, want) for _, _, have, want in parts]
    if not _possible([v.type for v in node.operands[:-1]], dim, parts, found):
        return None
    ready, code = frame.ready(given), frame.code
    sends = native_comm.sent(code, found, parts, ready)
    sizes = _sizes(found, node)
    token = native_comm.next_token(code, ready[-1])
    flight = Scalar(node.types[0].dtype, ("0",))
    communicator, number = native_comm.communicator_table(code), code.alloca("i64")
    here, python, end = (code.new_label() for _ in range(3))
    code.branch(code.emit(f"icmp ne ptr {communicator}, null"), here, python)
    with native_comm.block(code, here, end):
        code.do(f"store i64 {_begun(frame, node, communicator, sizes, sends)}, ptr {number}")
    with native_comm.block(code, python, end):
        begun, _ = frame.python(node.op.name, node.attrs, ready, [flight, Scalar(ready[-1].dtype, ())])
        assert isinstance(begun, Scalar)
        code.do(f"store i64 {begun.value[0]}, ptr {number}")
    code.start(end)
    return [Scalar(flight.dtype, (code.emit(f"load i64, ptr {number}"),)), token]


def _possible(types: Sequence[ArrayType], dim: int, parts: Sequence[Beside], found: Sequence[Partners]) -> bool:
    """Whether native code carries a flight: what begins it and what ends it ask the same."""
    # (What comes is no more than as much again.)
    return native_comm.possible([*types, *types], dim, parts[0][2], sum(len(p.receives) + len(p.sends) for p in found))


def _begun(frame: Frame, node: Node, communicator: str, sizes: dict[int, int], sends: Messages) -> str:
    """Begin to receive messages of these sizes and to send others; gives the flight's number."""
    if not sends and not sizes:
        return "0"
    code = frame.code
    lengths = [*sizes.values(), *(sum(map(nbytes, xs)) for xs in sends.values())]
    places = _places(lengths)
    room = native_comm.function(code, native_mpi.ROOM)
    data = code.emit(f"call ptr {room}(ptr {communicator}, i64 {places[-1]})")
    table = []
    for peer, first, size in zip((*sizes, *sends), places, lengths, strict=False):
        table.append((code.emit(f"getelementptr inbounds i8, ptr {data}, i64 {first}"), size, peer))
    for (place, _, _), xs in zip(table[len(sizes) :], sends.values(), strict=True):
        native_comm.copy(code, xs, place, into=True)
    begin = native_comm.function(code, native_mpi.START)
    outcome = code.emit(
        f"call i32 {begin}(ptr {communicator}, i64 {node.kw['dim']}, ptr {native_comm.listed(code, table)}, "
        f"i64 {len(sizes)}, i64 {len(sends)}, i64 {sum(lengths[len(sizes) :])}, ptr {data})"
    )
    native_comm.require(frame, outcome)
    return code.emit(f"ptrtoint ptr {data} to i64")


def wait(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """End a halo; what is computed meanwhile has come before, as it is among the operands."""
    dim, parts, at = (node.kw[name] for name in ("dim", "parts", "at"))
    found = [Partners.of(at, have, want) for _, _, have, want in parts]
    if not _possible(node.kw["types"], dim, parts, found):
        return None
    # (Python has no use for what is only to be done before.)
    ready, code = frame.ready(given)[:2], frame.code
    results = frame.made(node.types)
    receives = native_comm.received(code, found, parts, results)
    number, token = ready
    assert isinstance(number, Scalar)
    communicator = native_comm.communicator_table(code)
    there = code.emit(f"icmp ne i64 {number.value[0]}, 0")
    with code.when(there):
        odd = code.emit(f"trunc i64 {number.value[0]} to i1")
        mine = code.emit(f"xor i1 {odd}, true")
        here, python, end = (code.new_label() for _ in range(3))
        code.branch(mine, here, python)
        with native_comm.block(code, here, end):
            data = code.emit(f"inttoptr i64 {number.value[0]} to ptr")
            waiting = native_comm.function(code, native_mpi.WAIT)
            native_comm.require(frame, code.emit(f"call i32 {waiting}(ptr {communicator}, ptr {data})"))
            for first, xs in zip(_places([sum(map(nbytes, xs)) for xs in receives.values()]), receives.values(),
                                 strict=False):  # fmt: skip
                native_comm.copy(code, xs, code.emit(f"getelementptr inbounds i8, ptr {data}, i64 {first}"), into=False)
            code.do(f"call void {native_comm.function(code, native_mpi.LEAVE)}(ptr {communicator}, ptr {data})")
        with native_comm.block(code, python, end):
            frame.python(node.op.name, node.attrs, ready, results)
        code.start(end)
    return [*results[:-1], native_comm.next_token(code, token)]


def _sizes(found: list[Partners], node: Node) -> dict[int, int]:
    """Bytes of the message from each partner."""
    sizes: dict[int, int] = {}
    for partners, (axis, *_), array in zip(found, node.kw["parts"], node.operands, strict=False):
        row = int(array.type.nbytes) // max(int(array.type.shape[axis]), 1)
        for peer, (a, b) in partners.receives:
            sizes[peer] = sizes.get(peer, 0) + row * (b - a)
    return sizes


def _places(sizes: list[int]) -> list[int]:
    """Where messages of these sizes begin, and where the last one ends."""
    places = [0]
    for size in sizes:
        places.append(places[-1] + -(-size // _ALIGNED) * _ALIGNED)
    return places
