"""The MPI library that mpi4py has loaded, called from native code: no step of a message is in Python.

Native code finds what it needs in a table at a fixed address (`STATE`): three functions, made here for the widths of
this library's handles, and a table of the communicator that is in use. Where that is 0 (no MPI in the process, a
library whose functions are not found, the setting `native_messages`), native code asks Python instead, as it does for
NumPy's functions: `lazyarr.backends.mpi`, which sends the same messages, so that ranks need not agree on it.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from lazyarr import forks
from lazyarr.ir.layout import Grid

#: The name of the table in the code; its words: the communicator's table, then the functions `trade`, `gather`, ...
STATE = "lazyarr_ranks"
COMMUNICATOR, TRADE, GATHER, ADD, ROOM, START, WAIT, LEAVE = range(8)
WORDS = 8
_state = (ctypes.c_int64 * WORDS)()

#: Tag of all messages between two ranks.
TAG = 17
#: Dimensions of the grids that native code knows; it tells lines and planes of a grid by a bit for each dimension.
MOST_DIMS = 3
_PLANES = 1 << MOST_DIMS
#: What stands where in a communicator's table: communicators and their sizes by their dimensions; MPI's handles of a
#: byte and of a sum; the addresses of the counts and of scratch memory; the last error; memory that no flight has at
#: the moment; types of elements.
_COMMS, _SIZES = 0, _PLANES
_BYTE, _SUM, _COUNTS, SCRATCH, _ERROR, _SPARE, _TYPES = range(2 * _PLANES, 2 * _PLANES + 7)
#: Elements that MPI adds up itself, and what it calls them.
_ADDED = {
    "f4": "FLOAT", "f8": "DOUBLE", "c8": "C_FLOAT_COMPLEX", "c16": "C_DOUBLE_COMPLEX", "i4": "INT32_T", "i8": "INT64_T",
    "u4": "UINT32_T", "u8": "UINT64_T",
}  # fmt: skip
ADDED = tuple(_ADDED)
_WORDS = _TYPES + len(ADDED)
#: Bytes of scratch memory: what all ranks give of a reduction. (Nothing is used of it before it is needed.)
_ROOM = 1 << 22
#: What the functions give: it cannot be done here, it is done, MPI has failed.
LEFT, DONE, FAILED = range(3)
#: The most bytes of a message: MPI counts them in an int.
MOST_BYTES = (1 << 31) - 1
#: Messages of one exchange up to which native code sends them: it names each.
MOST_MESSAGES = 64
#: What stands before the data of a flight, besides requests and their statuses: its size, and how many there are.
_HEAD = 64

_KINDS = ("exchange", "exchange bytes", "all_reduce", "all_reduce bytes", "all_to_all", "all_to_all bytes")


class Counts(MutableMapping[str, int]):
    """Messages and bytes that a rank has sent, by kind; native code counts in the same memory."""

    def __init__(self) -> None:
        self._words = (ctypes.c_int64 * len(_KINDS))()

    @property
    def address(self) -> int:
        return ctypes.addressof(self._words)

    def __getitem__(self, kind: str) -> int:
        return self._words[_place(kind)]

    def __setitem__(self, kind: str, count: int) -> None:
        self._words[_place(kind)] = count

    def __delitem__(self, kind: str) -> None:
        self[kind] = 0

    def __iter__(self) -> Iterator[str]:
        return iter(_KINDS)

    def __len__(self) -> int:
        return len(_KINDS)

    def clear(self) -> None:
        """Count from 0 on again."""
        for kind in _KINDS:
            self[kind] = 0

    def __repr__(self) -> str:
        return repr(dict(self))


def _place(kind: str) -> int:
    if kind not in _KINDS:
        raise KeyError(f"nothing of the kind {kind!r} is counted; there are {', '.join(_KINDS)}")
    return _KINDS.index(kind)


_TEXT = """
declare i32 @lazyarr_Sendrecv(ptr, i32, {d}, i32, i32, ptr, i32, {d}, i32, i32, {c}, ptr)
declare i32 @lazyarr_Irecv(ptr, i32, {d}, i32, i32, {c}, ptr)
declare i32 @lazyarr_Isend(ptr, i32, {d}, i32, i32, {c}, ptr)
declare i32 @lazyarr_Waitall(i32, ptr, ptr)
declare i32 @lazyarr_Allgather(ptr, i32, {d}, ptr, i32, {d}, {c})
declare i32 @lazyarr_Allreduce(ptr, ptr, i32, {d}, {o}, {c})
declare ptr @lazyarr_malloc(i64)
declare void @lazyarr_free(ptr)

; What a function gives after MPI has given %rc, which is noted if it is an error.
define internal i32 @outcome(ptr %comm, i32 %rc) {{
  %ok = icmp eq i32 %rc, 0
  br i1 %ok, label %good, label %bad
good:
  ret i32 {done}
bad:
  %place = getelementptr i64, ptr %comm, i64 {error}
  %wide = sext i32 %rc to i64
  store i64 %wide, ptr %place
  ret i32 {failed}
}}

define internal void @count(ptr %comm, i64 %kind, i64 %number, i64 %bytes) {{
  %counts.p = getelementptr i64, ptr %comm, i64 {counts}
  %counts = load ptr, ptr %counts.p
  %number.p = getelementptr i64, ptr %counts, i64 %kind
  %next = add i64 %kind, 1
  %bytes.p = getelementptr i64, ptr %counts, i64 %next
  %x = load i64, ptr %number.p
  %x1 = add i64 %x, %number
  store i64 %x1, ptr %number.p
  %y = load i64, ptr %bytes.p
  %y1 = add i64 %y, %bytes
  store i64 %y1, ptr %bytes.p
  ret void
}}

; Begin to receive %r messages and to send the others of %n; %m has the address, the bytes and the partner of each.
define internal i32 @post({c} %line, {d} %byte, ptr %m, i64 %r, i64 %n, ptr %requests) {{
entry:
  br label %head
head:
  %k = phi i64 [ 0, %entry ], [ %k1, %next ]
  %more = icmp slt i64 %k, %n
  br i1 %more, label %body, label %end
body:
  %at = mul i64 %k, 3
  %a.p = getelementptr i64, ptr %m, i64 %at
  %a = load ptr, ptr %a.p
  %b.p = getelementptr i64, ptr %a.p, i64 1
  %b = load i64, ptr %b.p
  %b32 = trunc i64 %b to i32
  %p.p = getelementptr i64, ptr %a.p, i64 2
  %p = load i64, ptr %p.p
  %p32 = trunc i64 %p to i32
  %qat = mul i64 %k, {request}
  %q = getelementptr i8, ptr %requests, i64 %qat
  %receives = icmp slt i64 %k, %r
  br i1 %receives, label %receive, label %send
receive:
  %rc1 = call i32 @lazyarr_Irecv(ptr %a, i32 %b32, {d} %byte, i32 %p32, i32 {tag}, {c} %line, ptr %q)
  br label %next
send:
  %rc2 = call i32 @lazyarr_Isend(ptr %a, i32 %b32, {d} %byte, i32 %p32, i32 {tag}, {c} %line, ptr %q)
  br label %next
next:
  %rc3 = phi i32 [ %rc1, %receive ], [ %rc2, %send ]
  %k1 = add i64 %k, 1
  %good = icmp eq i32 %rc3, 0
  br i1 %good, label %head, label %end
end:
  %rc = phi i32 [ 0, %head ], [ %rc3, %next ]
  ret i32 %rc
}}

; Receive %r messages and send %s along a dimension; %m has the address, the bytes and the partner of each.
define i32 @lazyarr_trade(ptr %comm, i64 %dim, ptr %m, i64 %r, i64 %s, i64 %bytes) {{
entry:
  call void @count(ptr %comm, i64 0, i64 %s, i64 %bytes)
  %bit = shl i64 1, %dim
  %line.p = getelementptr i64, ptr %comm, i64 %bit
  %line = load {c}, ptr %line.p
  %byte.p = getelementptr i64, ptr %comm, i64 {byte}
  %byte = load {d}, ptr %byte.p
  %status = alloca i8, i64 {status}, align 16
  %n = add i64 %r, %s
  %two = icmp eq i64 %n, 2
  %one = icmp eq i64 %r, 1
  %each = and i1 %two, %one
  br i1 %each, label %look, label %several
look:
  %from.p = getelementptr i64, ptr %m, i64 2
  %to.p = getelementptr i64, ptr %m, i64 5
  %from = load i64, ptr %from.p
  %to = load i64, ptr %to.p
  %same = icmp eq i64 %from, %to
  br i1 %same, label %pair, label %several
pair:
  %ra = load ptr, ptr %m
  %rb.p = getelementptr i64, ptr %m, i64 1
  %rb = load i64, ptr %rb.p
  %rb32 = trunc i64 %rb to i32
  %sa.p = getelementptr i64, ptr %m, i64 3
  %sa = load ptr, ptr %sa.p
  %sb.p = getelementptr i64, ptr %m, i64 4
  %sb = load i64, ptr %sb.p
  %sb32 = trunc i64 %sb to i32
  %peer = trunc i64 %from to i32
  %rc0 = call i32 @lazyarr_Sendrecv(ptr %sa, i32 %sb32, {d} %byte, i32 %peer, i32 {tag}, ptr %ra, i32 %rb32, {d} %byte,
    i32 %peer, i32 {tag}, {c} %line, ptr %status)
  br label %end
several:
  %size = mul i64 %n, {request}
  %requests = alloca i8, i64 %size, align 16
  %ssize = mul i64 %n, {status}
  %statuses = alloca i8, i64 %ssize, align 16
  %rc1 = call i32 @post({c} %line, {d} %byte, ptr %m, i64 %r, i64 %n, ptr %requests)
  %good = icmp eq i32 %rc1, 0
  br i1 %good, label %wait, label %end
wait:
  %n32 = trunc i64 %n to i32
  %rc2 = call i32 @lazyarr_Waitall(i32 %n32, ptr %requests, ptr %statuses)
  br label %end
end:
  %rc = phi i32 [ %rc0, %pair ], [ %rc1, %several ], [ %rc2, %wait ]
  %outcome = call i32 @outcome(ptr %comm, i32 %rc)
  ret i32 %outcome
}}

; Put %bytes of each rank along dimensions of the grid into scratch memory, in order; %ranks becomes their number.
define i32 @lazyarr_gather(ptr %comm, i64 %plane, ptr %x, i64 %bytes, ptr %ranks) {{
entry:
  %size.p0 = getelementptr i64, ptr %comm, i64 %plane
  %size.p = getelementptr i64, ptr %size.p0, i64 {sizes}
  %size = load i64, ptr %size.p
  %need = mul i64 %size, %bytes
  %fits = icmp sle i64 %need, {room}
  %there = icmp ne i64 %size, 0
  %can = and i1 %fits, %there
  br i1 %can, label %do, label %leave
leave:
  ret i32 {left}
do:
  store i64 %size, ptr %ranks
  call void @count(ptr %comm, i64 2, i64 1, i64 %bytes)
  %line = load {c}, ptr %size.p0
  %byte.p = getelementptr i64, ptr %comm, i64 {byte}
  %byte = load {d}, ptr %byte.p
  %scratch.p = getelementptr i64, ptr %comm, i64 {scratch}
  %scratch = load ptr, ptr %scratch.p
  %b32 = trunc i64 %bytes to i32
  %rc = call i32 @lazyarr_Allgather(ptr %x, i32 %b32, {d} %byte, ptr %scratch, i32 %b32, {d} %byte, {c} %line)
  %outcome = call i32 @outcome(ptr %comm, i32 %rc)
  ret i32 %outcome
}}

; Add up %number elements of one of the types that MPI adds up, of all ranks along dimensions of the grid.
define i32 @lazyarr_add(ptr %comm, i64 %plane, ptr %x, ptr %to, i64 %number, i64 %type, i64 %bytes) {{
entry:
  %line.p = getelementptr i64, ptr %comm, i64 %plane
  %size.p = getelementptr i64, ptr %line.p, i64 {sizes}
  %size = load i64, ptr %size.p
  %there = icmp ne i64 %size, 0
  br i1 %there, label %do, label %leave
leave:
  ret i32 {left}
do:
  call void @count(ptr %comm, i64 2, i64 1, i64 %bytes)
  %line = load {c}, ptr %line.p
  %type.p0 = getelementptr i64, ptr %comm, i64 %type
  %type.p = getelementptr i64, ptr %type.p0, i64 {types}
  %datatype = load {d}, ptr %type.p
  %sum.p = getelementptr i64, ptr %comm, i64 {sum}
  %sum = load {o}, ptr %sum.p
  %n32 = trunc i64 %number to i32
  %rc = call i32 @lazyarr_Allreduce(ptr %x, ptr %to, i32 %n32, {d} %datatype, {o} %sum, {c} %line)
  %outcome = call i32 @outcome(ptr %comm, i32 %rc)
  ret i32 %outcome
}}

; Memory of %bytes for what is sent and received in a flight. (What the last one had, if that is enough: large blocks
; that are new cost a page fault for each page.) It stays where it is if the program ends before the flight does.
define ptr @lazyarr_room(ptr %comm, i64 %bytes) {{
entry:
  %spare.p = getelementptr i64, ptr %comm, i64 {spare}
  %old = atomicrmw xchg ptr %spare.p, i64 0 seq_cst
  %none = icmp eq i64 %old, 0
  br i1 %none, label %new, label %look
look:
  %block = inttoptr i64 %old to ptr
  %size = load i64, ptr %block
  %enough = icmp sge i64 %size, %bytes
  br i1 %enough, label %use, label %drop
drop:
  call void @lazyarr_free(ptr %block)
  br label %new
new:
  %all = add i64 %bytes, {header}
  %made = call ptr @lazyarr_malloc(i64 %all)
  store i64 %bytes, ptr %made
  br label %use
use:
  %found = phi ptr [ %block, %look ], [ %made, %new ]
  %data = getelementptr i8, ptr %found, i64 {header}
  ret ptr %data
}}

; Begin to receive %r messages and to send %s, %m as above, all in one flight's memory.
define i32 @lazyarr_start(ptr %comm, i64 %dim, ptr %m, i64 %r, i64 %s, i64 %bytes, ptr %data) {{
  call void @count(ptr %comm, i64 0, i64 %s, i64 %bytes)
  %bit = shl i64 1, %dim
  %line.p = getelementptr i64, ptr %comm, i64 %bit
  %line = load {c}, ptr %line.p
  %byte.p = getelementptr i64, ptr %comm, i64 {byte}
  %byte = load {d}, ptr %byte.p
  %n = add i64 %r, %s
  %block = getelementptr i8, ptr %data, i64 -{header}
  %n.p = getelementptr i64, ptr %block, i64 1
  store i64 %n, ptr %n.p
  %requests = getelementptr i8, ptr %block, i64 {head}
  %rc = call i32 @post({c} %line, {d} %byte, ptr %m, i64 %r, i64 %n, ptr %requests)
  %outcome = call i32 @outcome(ptr %comm, i32 %rc)
  ret i32 %outcome
}}

; Wait until all of a flight has come, and gone.
define i32 @lazyarr_wait(ptr %comm, ptr %data) {{
  %block = getelementptr i8, ptr %data, i64 -{header}
  %n.p = getelementptr i64, ptr %block, i64 1
  %n = load i64, ptr %n.p
  %n32 = trunc i64 %n to i32
  %requests = getelementptr i8, ptr %block, i64 {head}
  %statuses = getelementptr i8, ptr %requests, i64 {all_requests}
  %rc = call i32 @lazyarr_Waitall(i32 %n32, ptr %requests, ptr %statuses)
  %outcome = call i32 @outcome(ptr %comm, i32 %rc)
  ret i32 %outcome
}}

; Nobody reads a flight's memory any more.
define void @lazyarr_leave(ptr %comm, ptr %data) {{
entry:
  %block = getelementptr i8, ptr %data, i64 -{header}
  %number = ptrtoint ptr %block to i64
  %spare.p = getelementptr i64, ptr %comm, i64 {spare}
  %old = atomicrmw xchg ptr %spare.p, i64 %number seq_cst
  %none = icmp eq i64 %old, 0
  br i1 %none, label %end, label %drop
drop:
  %other = inttoptr i64 %old to ptr
  call void @lazyarr_free(ptr %other)
  br label %end
end:
  ret void
}}
"""
_CALLED = ("Sendrecv", "Irecv", "Isend", "Waitall", "Allgather", "Allreduce")
_lock = forks.lock()
#: The code, once it has been made; it runs until the process ends.
_code: list[Any] = []


def state() -> int:
    """The address of the table that native code looks at."""
    return ctypes.addressof(_state)


def _library(mpi: Any) -> ctypes.CDLL | None:
    """The MPI library that mpi4py calls; None where its functions are not found."""
    if os.name != "posix":
        return None  # (There is no looking at all that is loaded.)
    # (The linker looks at what was loaded for all first, too: tools that count or trace messages are there.)
    for path in (None, mpi.__file__):
        library = ctypes.CDLL(path)
        if all(hasattr(library, f"MPI_{name}") for name in (*_CALLED, "Initialized")):
            flag = ctypes.c_int(0)
            if library.MPI_Initialized(ctypes.byref(flag)) == 0 and flag.value:
                return library
    return None


def _functions(mpi: Any) -> bool:
    """Make the functions that native code calls; whether that is possible with this MPI library."""
    from lazyarr.backends import native_kept

    widths = {letter: mpi._sizeof(kind) for letter, kind in (("c", mpi.Comm), ("d", mpi.Datatype), ("o", mpi.Op))}
    if not set(widths.values()) <= {4, 8}:
        return False
    with _lock:
        if not _code:
            library = _library(mpi)
            if library is None:
                return False
            symbols = {
                f"lazyarr_{name}": ctypes.cast(getattr(library, f"MPI_{name}"), ctypes.c_void_p).value or 0
                for name in _CALLED
            }
            symbols |= {
                f"lazyarr_{name}": ctypes.cast(getattr(ctypes.CDLL(None), name), ctypes.c_void_p).value or 0
                for name in ("malloc", "free")
            }
            request, status = mpi._sizeof(mpi.Request), mpi._sizeof(mpi.Status)
            # (Data begins where lines of the cache do.)
            all_requests, all_statuses = (-(-MOST_MESSAGES * n // 64) * 64 for n in (request, status))
            text = _TEXT.format(
                **{letter: f"i{8 * width}" for letter, width in widths.items()}, done=DONE, failed=FAILED, left=LEFT,
                request=request, status=status, tag=TAG, error=_ERROR, byte=_BYTE, sum=_SUM, counts=_COUNTS,
                scratch=SCRATCH, sizes=_SIZES, types=_TYPES, room=_ROOM, spare=_SPARE, head=_HEAD,
                all_requests=all_requests, header=_HEAD + all_requests + all_statuses,
            )
            _code.append(native_kept.code(text, 1, symbols))
            for word, name in enumerate(("trade", "gather", "add", "room", "start", "wait", "leave"), TRADE):
                _state[word] = _code[0].address(f"lazyarr_{name}")
    return True


class Table:
    """What native code knows of a communicator.

    Parameters
    ----------
    mpi : module
        ``mpi4py.MPI``.
    counts : Counts
    """

    def __init__(self, mpi: Any, counts: Counts):
        self._mpi = mpi
        self._words = (ctypes.c_int64 * _WORDS)()
        self._scratch = np.empty(_ROOM, np.uint8)
        self._words[SCRATCH] = self._scratch.ctypes.data
        self._set(_BYTE, mpi.BYTE)
        self._set(_SUM, mpi.SUM)
        for k, name in enumerate(_ADDED.values()):
            self._set(_TYPES + k, getattr(mpi, name))
        self.count(counts)

    @staticmethod
    def of(mpi: Any, grid: Grid, counts: Counts) -> Table | None:
        """The table for a grid of ranks; None where Python has to do what is sent.

        Parameters
        ----------
        mpi : module
            ``mpi4py.MPI``.
        """
        # (Where threads may call MPI one at a time only, Python lets them.)
        if len(grid) > MOST_DIMS or mpi.Query_thread() == mpi.THREAD_SERIALIZED or not _functions(mpi):
            return None
        return Table(mpi, counts)

    def _set(self, word: int, handle: Any) -> None:
        place = ctypes.addressof(self._words) + 8 * word
        ctypes.memmove(place, self._mpi._addressof(handle), self._mpi._sizeof(handle))

    def plane(self, dims: tuple[int, ...], communicator: Any) -> None:
        """Let a communicator be that of dimensions of the grid."""
        number = plane(dims)
        self._set(_COMMS + number, communicator)
        self._words[_SIZES + number] = communicator.Get_size()

    def count(self, counts: Counts) -> None:
        """Have what is sent counted there."""
        self._counts, self._words[_COUNTS] = counts, counts.address

    @property
    def error(self) -> int:
        """The error that MPI has given last."""
        return int(self._words[_ERROR])

    @property
    def address(self) -> int:
        return ctypes.addressof(self._words)


def plane(dims: tuple[int, ...]) -> int:
    """The number by which native code knows dimensions of a grid."""
    return sum(1 << dim for dim in dims)


def use(table: Table | None) -> None:
    """Have native code send what it sends through a communicator; None: through Python."""
    _state[COMMUNICATOR] = 0 if table is None else table.address
