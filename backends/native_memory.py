"""Memory of results and large buffers: kept when it is freed, so that the next call does not fault in new pages.

A page that a program touches for the first time costs more than the arithmetic on it. Blocks come from the system with
huge pages, and what is freed serves later requests of about that size. NumPy's arrays are given such memory through a
handler (NEP 49): they own it as any array does, and whoever lets go of them gives it back here.

What is kept and what is in use never exceed together what has been in use at some time (and a little): programs do not
need more memory for it. Nor is more kept than the setting `kept_memory` says, or for longer than some seconds.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lazyarr import forks, settings
from lazyarr.backends import native_clock, native_kept
from lazyarr.backends.native_python import numpy_function

#: Bytes from which on arrays get such memory. (The C library keeps less by itself.)
LEAST = 1 << 18
#: Bytes that may be kept though that is more than the program ever used.
_SLACK = 1 << 25
#: Seconds after which memory that nobody has asked for is given back to the system.
_IDLE = 10
#: Bytes before the elements; the size of a block stands at the first. Half a page: large arrays of the C library begin
#: a few bytes into a page, and a load whose address equals that of a recent store but for the page waits for it.
_HEAD = 2048
#: Blocks that are kept at most. (The code is not optimized: that would take as long as compiling a program does.)
_SLOTS = 32
#: Where in the pool's state something stands: bytes kept, in use, the most that were, and the limit; requests that
#: found kept memory, and the others; and the kept blocks: address, size, time.
_KEPT, _USED, _MOST, _LIMIT, _FOUND, _MADE, _BLOCKS = 8, 16, 24, 32, 40, 48, 64
#: Where memory is limited for containers.
_GROUP = Path("/sys/fs/cgroup/memory.max")

#: The name of the pool's state in the code.
_STATE = "lazyarr_blocks"
#: Looks through the kept blocks for the one that is best in what stands at word `word` of its slot: %best, or -1.
_SEARCH = """head:
  %k = phi i64 [ 0, %entry ], [ %k1, %next ]
  %best = phi i64 [ -1, %entry ], [ %best1, %next ]
  %bound = phi i64 [ {first}, %entry ], [ %bound1, %next ]
  %more = icmp ult i64 %k, {slots}
  br i1 %more, label %look, label %end
look:
  %slot = call ptr @slot(i64 %k)
  %block = load ptr, ptr %slot
  %there = icmp ne ptr %block, null
  %p = getelementptr i64, ptr %slot, i64 {word}
  %x = load i64, ptr %p
{test}
  %better = and i1 %there, %good
  br label %next
next:
  %best1 = select i1 %better, i64 %k, i64 %best
  %bound1 = select i1 %better, i64 %x, i64 %bound
  %k1 = add i64 %k, 1
  br label %head
"""
_OLDEST = _SEARCH.format(first="%before", slots=_SLOTS, word=2, test="  %good = icmp slt i64 %x, %bound")
_CLOSEST = _SEARCH.format(
    first="%most",
    slots=_SLOTS,
    word=1,
    test="""  %enough = icmp uge i64 %x, %total
  %closer = icmp ule i64 %x, %bound
  %good = and i1 %enough, %closer""",
)
_TEXT = """
declare ptr @mmap(ptr, i64, i32, i32, i32, i64)
declare i32 @munmap(ptr, i64)
declare i32 @madvise(ptr, i64, i32)
declare i32 @sched_yield()
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare i64 @llvm.umin.i64(i64, i64)
declare i64 @llvm.umax.i64(i64, i64)
@{state} = external global i8

define internal ptr @at(i64 %offset) alwaysinline {{
  %p = getelementptr i8, ptr @{state}, i64 %offset
  ret ptr %p
}}

define internal void @add(i64 %offset, i64 %n) alwaysinline {{
  %p = call ptr @at(i64 %offset)
  %x = load i64, ptr %p
  %y = add i64 %x, %n
  store i64 %y, ptr %p
  ret void
}}

define internal i64 @get(i64 %offset) alwaysinline {{
  %p = call ptr @at(i64 %offset)
  %x = load i64, ptr %p
  ret i64 %x
}}

define internal ptr @slot(i64 %k) alwaysinline {{
  %offset = mul i64 %k, 24
  %all = add i64 %offset, {blocks}
  %p = call ptr @at(i64 %all)
  ret ptr %p
}}

define internal void @lock() {{
entry:
  %state = call ptr @at(i64 0)
  br label %try
try:
  %x = cmpxchg ptr %state, i32 0, i32 1 seq_cst seq_cst
  %free = extractvalue {{ i32, i1 }} %x, 1
  br i1 %free, label %done, label %wait
wait:
  %y = call i32 @sched_yield()
  br label %try
done:
  ret void
}}

define internal void @unlock() {{
  %state = call ptr @at(i64 0)
  store atomic i32 0, ptr %state seq_cst, align 4
  ret void
}}

; Take the block out of slot %k.
define internal ptr @take(i64 %k) {{
  %slot = call ptr @slot(i64 %k)
  %block = load ptr, ptr %slot
  store ptr null, ptr %slot
  %size.p = getelementptr i64, ptr %slot, i64 1
  %size = load i64, ptr %size.p
  %less = sub i64 0, %size
  call void @add(i64 {kept}, i64 %less)
  ret ptr %block
}}

; Give the block that has been kept longest, of those kept since %before, back to the system; false if there is none.
define internal i1 @forget(i64 %before) {{
entry:
  br label %head
{oldest}end:
  %some = icmp sge i64 %best, 0
  br i1 %some, label %drop, label %none
drop:
  %found = call ptr @take(i64 %best)
  %size = load i64, ptr %found
  %r = call i32 @munmap(ptr %found, i64 %size)
  ret i1 true
none:
  ret i1 false
}}

; Bytes of the block for a request: whole huge pages, if that wastes little.
define internal i64 @length(i64 %total) {{
  %h0 = add i64 %total, 2097151
  %huge = and i64 %h0, -2097152
  %waste = sub i64 %huge, %total
  %little = lshr i64 %total, 3
  %fine = icmp ule i64 %waste, %little
  %p0 = add i64 %total, 4095
  %pages = and i64 %p0, -4096
  %length = select i1 %fine, i64 %huge, i64 %pages
  ret i64 %length
}}

; A new block: at a multiple of the size of huge pages, if it holds one.
define internal ptr @map(i64 %length) {{
entry:
  %large = icmp uge i64 %length, 2097152
  %room = select i1 %large, i64 2097152, i64 0
  %all = add i64 %length, %room
  %p = call ptr @mmap(ptr null, i64 %all, i32 3, i32 34, i32 -1, i64 0)
  %a = ptrtoint ptr %p to i64
  %failed = icmp eq i64 %a, -1
  br i1 %failed, label %none, label %some
none:
  ret ptr null
some:
  br i1 %large, label %align, label %done
align:
  %a0 = add i64 %a, 2097151
  %first = and i64 %a0, -2097152
  %before = sub i64 %first, %a
  %block = inttoptr i64 %first to ptr
  %cut = icmp ne i64 %before, 0
  br i1 %cut, label %head, label %tail
head:
  %r0 = call i32 @munmap(ptr %p, i64 %before)
  br label %tail
tail:
  %after = sub i64 2097152, %before
  %end = getelementptr i8, ptr %block, i64 %length
  %over = icmp ne i64 %after, 0
  br i1 %over, label %rest, label %advise
rest:
  %r1 = call i32 @munmap(ptr %end, i64 %after)
  br label %advise
advise:
  %r2 = call i32 @madvise(ptr %block, i64 %length, i32 14)
  br label %done
done:
  %found = phi ptr [ %p, %some ], [ %block, %advise ]
  store i64 %length, ptr %found
  ret ptr %found
}}

define ptr @lazyarr_memory_get(ptr %context, i64 %size) {{
entry:
  %total = add i64 %size, {head}
  %quarter = lshr i64 %total, 2
  %most = add i64 %total, %quarter
  call void @lock()
  br label %head
{closest}end:
  %some = icmp sge i64 %best, 0
  br i1 %some, label %found, label %fresh
found:
  %again = call ptr @take(i64 %best)
  %its = load i64, ptr %again
  call void @add(i64 {used}, i64 %its)
  call void @add(i64 {found}, i64 1)
  call void @unlock()
  br label %done
fresh:
  %new = call i64 @length(i64 %total)
  call void @add(i64 {used}, i64 %new)
  call void @add(i64 {made}, i64 1)
  %used = call i64 @get(i64 {used})
  %most0 = call i64 @get(i64 {most})
  %most1 = call i64 @llvm.umax.i64(i64 %used, i64 %most0)
  %most.p = call ptr @at(i64 {most})
  store i64 %most1, ptr %most.p
  %may = add i64 %most1, {slack}
  br label %fit
fit:
  %kept = call i64 @get(i64 {kept})
  %sum = add i64 %kept, %used
  %over = icmp ugt i64 %sum, %may
  br i1 %over, label %less, label %map
less:
  %gone = call i1 @forget(i64 9223372036854775807)
  br i1 %gone, label %fit, label %map
map:
  call void @unlock()
  %mapped = call ptr @map(i64 %new)
  %is = icmp ne ptr %mapped, null
  br i1 %is, label %done, label %short
short:
  call i64 @lazyarr_memory_release(i64 -1)
  %second = call ptr @map(i64 %new)
  %is2 = icmp ne ptr %second, null
  br i1 %is2, label %done, label %fail
fail:
  %minus = sub i64 0, %new
  call void @lock()
  call void @add(i64 {used}, i64 %minus)
  call void @unlock()
  ret ptr null
done:
  %result = phi ptr [ %again, %found ], [ %mapped, %map ], [ %second, %short ]
  %asked = getelementptr i64, ptr %result, i64 1
  store i64 %size, ptr %asked
  %elements = getelementptr i8, ptr %result, i64 {head}
  ret ptr %elements
}}

define void @lazyarr_memory_free(ptr %context, ptr %elements, i64 %unused) {{
entry:
  %nothing = icmp eq ptr %elements, null
  br i1 %nothing, label %return, label %some
some:
  %block = getelementptr i8, ptr %elements, i64 -{head}
  %size = load i64, ptr %block
  %less = sub i64 0, %size
  %time = call i64 @now()
  call void @lock()
  call void @add(i64 {used}, i64 %less)
  br label %fit
fit:
  %kept = call i64 @get(i64 {kept})
  %sum = add i64 %kept, %size
  %limit = call i64 @get(i64 {limit})
  %over = icmp ugt i64 %sum, %limit
  br i1 %over, label %forget, label %search
forget:
  %gone = call i1 @forget(i64 9223372036854775807)
  br i1 %gone, label %fit, label %unmap
search:
  br label %head
head:
  %k = phi i64 [ 0, %search ], [ %k1, %next ]
  %more = icmp ult i64 %k, {slots}
  br i1 %more, label %look, label %forget
look:
  %slot = call ptr @slot(i64 %k)
  %there = load ptr, ptr %slot
  %empty = icmp eq ptr %there, null
  br i1 %empty, label %keep, label %next
next:
  %k1 = add i64 %k, 1
  br label %head
keep:
  store ptr %block, ptr %slot
  %size.p = getelementptr i64, ptr %slot, i64 1
  store i64 %size, ptr %size.p
  %time.p = getelementptr i64, ptr %slot, i64 2
  store i64 %time, ptr %time.p
  call void @add(i64 {kept}, i64 %size)
  call void @unlock()
  ret void
unmap:
  call void @unlock()
  %r = call i32 @munmap(ptr %block, i64 %size)
  ret void
return:
  ret void
}}

define ptr @lazyarr_memory_zeros(ptr %context, i64 %count, i64 %each) {{
entry:
  %size = mul i64 %count, %each
  %found = call ptr @lazyarr_memory_get(ptr %context, i64 %size)
  %is = icmp ne ptr %found, null
  br i1 %is, label %clear, label %done
clear:
  call void @llvm.memset.p0.i64(ptr %found, i8 0, i64 %size, i1 false)
  br label %done
done:
  ret ptr %found
}}

define ptr @lazyarr_memory_resize(ptr %context, ptr %elements, i64 %size) {{
entry:
  %new = call ptr @lazyarr_memory_get(ptr %context, i64 %size)
  %is = icmp ne ptr %new, null
  %was = icmp ne ptr %elements, null
  %both = and i1 %is, %was
  br i1 %both, label %move, label %done
move:
  %asked = getelementptr i8, ptr %elements, i64 {before}
  %old = load i64, ptr %asked
  %count = call i64 @llvm.umin.i64(i64 %old, i64 %size)
  call void @llvm.memcpy.p0.p0.i64(ptr %new, ptr %elements, i64 %count, i1 false)
  call void @lazyarr_memory_free(ptr %context, ptr %elements, i64 0)
  br label %done
done:
  ret ptr %new
}}

; Give what has been kept for so many nanoseconds back to the system (-1: everything); how many bytes are still kept.
define i64 @lazyarr_memory_release(i64 %age) {{
entry:
  %now = call i64 @now()
  %before = sub i64 %now, %age
  call void @lock()
  br label %more
more:
  %gone = call i1 @forget(i64 %before)
  br i1 %gone, label %more, label %done
done:
  %left = call i64 @get(i64 {kept})
  call void @unlock()
  ret i64 %left
}}
"""


class _Handler(ctypes.Structure):
    """NumPy's PyDataMem_Handler."""

    _fields_ = (
        ("name", ctypes.c_char * 127), ("version", ctypes.c_uint8), ("context", ctypes.c_void_p),
        ("get", ctypes.c_void_p), ("zeros", ctypes.c_void_p), ("resize", ctypes.c_void_p), ("free", ctypes.c_void_p),
    )  # fmt: skip


class Memory:
    """The blocks of this process, in use and kept.

    Attributes
    ----------
    get, free : int
        Addresses of functions: ``ptr get(ptr, i64 size)`` and ``void free(ptr, ptr, i64)``, of which only the second
        parameters count.
    handler : object
        What NumPy takes to allocate arrays by them.
    """

    def __init__(self) -> None:
        self._memory = (ctypes.c_uint8 * (_BLOCKS + 24 * _SLOTS + 64))()
        self._state = ctypes.addressof(self._memory) + -ctypes.addressof(self._memory) % 64
        text = native_clock.NOW + _TEXT.format(
            oldest=_OLDEST, closest=_CLOSEST, state=_STATE, blocks=_BLOCKS, slots=_SLOTS, kept=_KEPT, used=_USED,
            most=_MOST, limit=_LIMIT, found=_FOUND, made=_MADE, head=_HEAD, before=8 - _HEAD, slack=_SLACK,
        )  # fmt: skip
        self._code = native_kept.code(text, 0, {_STATE: self._state})
        names = ("get", "zeros", "resize", "free", "release")
        addresses = {name: self._code.address(f"lazyarr_memory_{name}") for name in names}
        self.get, self.free = addresses["get"], addresses["free"]
        self._release = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(addresses.pop("release"))
        self._struct = _Handler(b"lazyarr", 1, None, **addresses)
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        self.handler = new(ctypes.addressof(self._struct), b"mem_handler", None)
        # Arrays may be freed when Python has let go of everything else.
        for needed in (self._memory, self._code._engine, self._struct, self.handler):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(needed))
        self._set = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(numpy_function("SetHandler"))
        self.limit()
        settings.watch(self.limit)
        os.register_at_fork(after_in_child=self._unlock)
        threading.Thread(target=self._tidy, daemon=True, name="lazyarr-memory").start()

    def _unlock(self) -> None:
        """Another thread may have held the lock when this process was forked."""
        ctypes.c_int32.from_address(self._state).value = 0

    def _tidy(self) -> None:
        """Give back what nobody has asked for in a while, again and again."""
        while True:
            time.sleep(_IDLE / 2)
            self.release(_IDLE)

    def limit(self) -> None:
        """Let the setting decide how much is kept."""
        self._word(_LIMIT).value = most_kept()
        if not most_kept():
            self.release()

    def release(self, seconds: float = 0.0) -> int:
        """Give what has been kept for so long back to the system; gives the number of bytes still kept."""
        return int(self._release(int(seconds * 1e9) or -1))

    def counts(self) -> dict[str, int]:
        """Bytes kept, in use, most in use; requests that found kept memory, and others."""
        places = {"kept": _KEPT, "used": _USED, "most": _MOST, "found": _FOUND, "made": _MADE}
        return {name: int(self._word(place).value) for name, place in places.items()}

    def _word(self, place: int) -> ctypes.c_int64:
        return ctypes.c_int64.from_address(self._state + place)

    def empty(self, shape: Sequence[int] | int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
        """`numpy.empty` in a block."""
        before = self._set(self.handler)
        try:
            return np.empty(shape, dtype)
        finally:
            self._set(before)


@lru_cache(maxsize=1)
def _made() -> Memory | None:
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"):
        return None
    memory = Memory()
    tried = memory.empty(LEAST, np.dtype(np.uint8))
    name = np._core.multiarray.get_handler_name(tried)
    return memory if name == "lazyarr" and tried.ctypes.data % 64 == 0 else None


_lock = forks.lock()


def memory() -> Memory | None:
    """The blocks, made at the first call; None if memory is not kept, by the setting or on this system."""
    if not settings.current.kept_memory:
        return None
    with _lock:
        return _made()


def empty(shape: Sequence[int] | int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """`numpy.empty`; large arrays get memory that has been kept."""
    size = (shape if isinstance(shape, int) else math.prod(shape)) * dtype.itemsize
    blocks = memory() if size >= LEAST else None
    return np.empty(shape, dtype) if blocks is None else blocks.empty(shape, dtype)


def most_kept() -> int:
    """How many bytes may be kept."""
    wanted = settings.current.kept_memory
    return _available() // 4 if wanted < 0 else wanted << 20


@lru_cache(maxsize=1)
def _available() -> int:
    """Bytes of memory that this process may use."""
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        text = _GROUP.read_text().strip()
    except OSError:
        return found
    return min(found, int(text)) if text.isdecimal() else found
