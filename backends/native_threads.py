"""Threads for native loop nests: workers that wait in native code, and the call that shares a range out to them.

A range is cut into chunks. The caller takes them from the front, the workers from the back, so that each core sees the
same part of an array again; whoever is done helps the others. A worker that is asleep, or not scheduled, is not waited
for: the caller does its share. Workers spin for some ten microseconds after a job, then sleep in a futex.
"""

from __future__ import annotations

import ctypes
import os
import platform
import threading
from typing import Any

from lazyarr import cores, forks, settings
from lazyarr.backends import native_clock
from lazyarr.backends.native_emit import DIVIDE, FORK

_SPIN = 1500
#: A caller that has waited for a worker longer than it worked itself, and longer than this (nanoseconds), works alone
#: for as long. If it happens again soon, the cores are busy with other things: the rest doubles each time, up to a
#: limit. (A single long wait may be the first touch of fresh memory.)
_PATIENCE = 100_000
_LONGEST_REST = 100_000_000
#: Soon: before this many times the last rest has passed since it ended.
_SOON = 4
#: Nanoseconds of work that has to be left of a range, as what is done of it took, for it to be shared.
_WORTH = 10_000
#: The name of the workers' state in the code.
_STATE = "lazyarr_workers"
_FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine())

_TEXT = """
define internal void @pause() alwaysinline {{
entry:
  {pause}
  ret void
}}

{declare}
@{state} = external global i8
declare i64 @syscall(i64, ...)
declare i32 @sched_yield()

define void @lazyarr_native_worker(ptr %state) {{
entry:
  %fn.p = getelementptr i8, ptr %state, i64 128
  %ctx.p = getelementptr i8, ptr %state, i64 136
  %begin.p = getelementptr i8, ptr %state, i64 144
  %size.p = getelementptr i8, ptr %state, i64 152
  %end.p = getelementptr i8, ptr %state, i64 160
  %done.p = getelementptr i8, ptr %state, i64 64
  %sleepers.p = getelementptr i8, ptr %state, i64 256
  %wake.p = getelementptr i8, ptr %state, i64 320
  br label %outer
outer:
  br label %spin
spin:
  %k = phi i64 [ 0, %outer ], [ %k1, %idle ]
  %t0 = load atomic i64, ptr %state acquire, align 8
  %lo0.s = lshr i64 %t0, 16
  %lo0 = and i64 %lo0.s, 65535
  %hi0 = and i64 %t0, 65535
  %some0 = icmp ult i64 %lo0, %hi0
  br i1 %some0, label %try, label %idle
idle:
  call void @pause()
  %k1 = add i64 %k, 1
  %again = icmp ult i64 %k1, {spin}
  br i1 %again, label %spin, label %sleep
sleep:
  %w = load atomic i32, ptr %wake.p acquire, align 4
  %s0 = atomicrmw add ptr %sleepers.p, i32 1 seq_cst
  %t1 = load atomic i64, ptr %state seq_cst, align 8
  %lo1.s = lshr i64 %t1, 16
  %lo1 = and i64 %lo1.s, 65535
  %hi1 = and i64 %t1, 65535
  %some1 = icmp ult i64 %lo1, %hi1
  br i1 %some1, label %awake, label %wait
wait:
  %f = call i64 (i64, ...) @syscall(i64 {futex}, ptr %wake.p, i32 128, i32 %w, ptr null, ptr null, i32 0)
  br label %awake
awake:
  %s1 = atomicrmw sub ptr %sleepers.p, i32 1 seq_cst
  br label %outer
try:
  %fn = load ptr, ptr %fn.p
  %ctx = load ptr, ptr %ctx.p
  %begin = load i64, ptr %begin.p
  %size = load i64, ptr %size.p
  %end = load i64, ptr %end.p
  %t2 = sub i64 %t0, 1
  %x = cmpxchg ptr %state, i64 %t0, i64 %t2 seq_cst seq_cst
  %won = extractvalue {{ i64, i1 }} %x, 1
  br i1 %won, label %run, label %outer
run:
  %mine = sub i64 %hi0, 1
  %at = mul i64 %mine, %size
  %b = add i64 %begin, %at
  %e0 = add i64 %b, %size
  %over = icmp sgt i64 %e0, %end
  %e = select i1 %over, i64 %end, i64 %e0
  call void %fn(ptr %ctx, i64 %b, i64 %e)
  %d = atomicrmw add ptr %done.p, i64 1 seq_cst
  br label %outer
}}

define void @{fork}(ptr %fn, ptr %ctx, i64 %begin, i64 %end, i64 %finer) {{
entry:
  %busy.p = getelementptr i8, ptr @{state}, i64 192
  %count.p = getelementptr i8, ptr @{state}, i64 200
  %n = sub i64 %end, %begin
  %limit = load i64, ptr %count.p
  %two = icmp sgt i64 %n, 1
  %threads = icmp sgt i64 %limit, 1
  %worth = and i1 %two, %threads
  br i1 %worth, label %calm, label %alone
calm:
  %pause.p = getelementptr i8, ptr @{state}, i64 208
  %rest = load atomic i64, ptr %pause.p monotonic, align 8
  %time0 = call i64 @now()
  %resting = icmp slt i64 %time0, %rest
  br i1 %resting, label %alone, label %take
take:
  %x0 = cmpxchg ptr %busy.p, i32 0, i32 1 seq_cst seq_cst
  %free = extractvalue {{ i32, i1 }} %x0, 1
  br i1 %free, label %share, label %alone
alone:
  call void %fn(ptr %ctx, i64 %begin, i64 %end)
  ret void
share:
  %fn.p = getelementptr i8, ptr @{state}, i64 128
  %ctx.p = getelementptr i8, ptr @{state}, i64 136
  %begin.p = getelementptr i8, ptr @{state}, i64 144
  %size.p = getelementptr i8, ptr @{state}, i64 152
  %end.p = getelementptr i8, ptr @{state}, i64 160
  %done.p = getelementptr i8, ptr @{state}, i64 64
  %sleepers.p = getelementptr i8, ptr @{state}, i64 256
  %wake.p = getelementptr i8, ptr @{state}, i64 320
  %most = mul i64 %limit, %finer
  %many = icmp sgt i64 %n, %most
  %parts = select i1 %many, i64 %most, i64 %n
  %up = add i64 %n, %parts
  %up1 = sub i64 %up, 1
  %size = sdiv i64 %up1, %parts
  %up2 = add i64 %n, %size
  %up3 = sub i64 %up2, 1
  %chunks = sdiv i64 %up3, %size
  store ptr %fn, ptr %fn.p
  store ptr %ctx, ptr %ctx.p
  store i64 %begin, ptr %begin.p
  store i64 %size, ptr %size.p
  store i64 %end, ptr %end.p
  store atomic i64 0, ptr %done.p seq_cst, align 8
  %old = load atomic i64, ptr @{state} seq_cst, align 8
  %epoch = lshr i64 %old, 32
  %epoch1 = add i64 %epoch, 1
  %high = shl i64 %epoch1, 32
  %ticket = or i64 %high, %chunks
  store atomic i64 %ticket, ptr @{state} seq_cst, align 8
  %asleep = load atomic i32, ptr %sleepers.p seq_cst, align 4
  %any = icmp sgt i32 %asleep, 0
  br i1 %any, label %call, label %claim
call:
  %w = atomicrmw add ptr %wake.p, i32 1 seq_cst
  %f = call i64 (i64, ...) @syscall(i64 {futex}, ptr %wake.p, i32 129, i32 2147483647, ptr null, ptr null, i32 0)
  br label %claim
claim:
  %t0 = load atomic i64, ptr @{state} acquire, align 8
  %lo.s = lshr i64 %t0, 16
  %lo = and i64 %lo.s, 65535
  %hi = and i64 %t0, 65535
  %some = icmp ult i64 %lo, %hi
  br i1 %some, label %try, label %finish
try:
  %t1 = add i64 %t0, 65536
  %x = cmpxchg ptr @{state}, i64 %t0, i64 %t1 seq_cst seq_cst
  %won = extractvalue {{ i64, i1 }} %x, 1
  br i1 %won, label %run, label %claim
run:
  %at = mul i64 %lo, %size
  %b = add i64 %begin, %at
  %e0 = add i64 %b, %size
  %over = icmp sgt i64 %e0, %end
  %e = select i1 %over, i64 %end, i64 %e0
  call void %fn(ptr %ctx, i64 %b, i64 %e)
  %d = atomicrmw add ptr %done.p, i64 1 seq_cst
  br label %claim
finish:
  %time1 = call i64 @now()
  br label %join
join:
  %k = phi i64 [ 0, %finish ], [ %k1, %more ]
  %done = load atomic i64, ptr %done.p acquire, align 8
  %all = icmp eq i64 %done, %chunks
  br i1 %all, label %end.block, label %waiting
waiting:
  call void @pause()
  %k1 = add i64 %k, 1
  %long = icmp ugt i64 %k1, 2000
  br i1 %long, label %yield, label %more
yield:
  %y = call i32 @sched_yield()
  br label %more
more:
  br label %join
end.block:
  %time2 = call i64 @now()
  %waited = sub i64 %time2, %time1
  %worked = sub i64 %time1, %time0
  %more.waited = icmp sgt i64 %waited, %worked
  %much.waited = icmp sgt i64 %waited, {patience}
  %bad = and i1 %more.waited, %much.waited
  br i1 %bad, label %punish, label %release
punish:
  %last.p = getelementptr i8, ptr @{state}, i64 216
  %last = load i64, ptr %last.p
  %since = sub i64 %time2, %rest
  %soon = mul i64 %last, {soon}
  %again = icmp slt i64 %since, %soon
  %twice = shl i64 %last, 1
  %grown = select i1 %again, i64 %twice, i64 0
  %short = icmp slt i64 %grown, %waited
  %atleast = select i1 %short, i64 %waited, i64 %grown
  %toolong = icmp sgt i64 %atleast, {longest}
  %next.rest = select i1 %toolong, i64 {longest}, i64 %atleast
  store i64 %next.rest, ptr %last.p
  %until = add i64 %time2, %next.rest
  store atomic i64 %until, ptr %pause.p monotonic, align 8
  br label %release
release:
  store atomic i32 0, ptr %busy.p seq_cst, align 4
  ret void
}}

define void @{divide}(ptr %fn, ptr %ctx, i64 %count, i64 %finer) {{
entry:
  %count.p = getelementptr i8, ptr @{state}, i64 200
  %limit = load i64, ptr %count.p
  %threads = icmp sgt i64 %limit, 1
  br i1 %threads, label %time, label %alone
alone:
  call void %fn(ptr %ctx, i64 0, i64 %count)
  ret void
time:
  %time0 = call i64 @now()
  br label %some
some:
  %k = phi i64 [ 0, %time ], [ %e, %more ]
  %n = phi i64 [ 1, %time ], [ %n2, %more ]
  %e0 = add i64 %k, %n
  %over = icmp sgt i64 %e0, %count
  %e = select i1 %over, i64 %count, i64 %e0
  call void %fn(ptr %ctx, i64 %k, i64 %e)
  %end = icmp sge i64 %e, %count
  br i1 %end, label %done, label %look
look:
  %time1 = call i64 @now()
  %spent = sub i64 %time1, %time0
  %left = sub i64 %count, %e
  %ahead0 = mul i64 %spent, %left
  %ahead = sdiv i64 %ahead0, %e
  %long = icmp sgt i64 %ahead, {worth}
  br i1 %long, label %share, label %more
more:
  %n2 = shl i64 %n, 2
  br label %some
share:
  call void @{fork}(ptr %fn, ptr %ctx, i64 %e, i64 %count, i64 %finer)
  ret void
done:
  ret void
}}
"""


class _Pool:
    """The workers of this process."""

    def __init__(self) -> None:
        from lazyarr.backends import native_kept

        self._memory = (ctypes.c_uint8 * (384 + 64))()
        self._state = ctypes.addressof(self._memory) + -ctypes.addressof(self._memory) % 64
        x86 = platform.machine() == "x86_64"
        pause = "call void @llvm.x86.sse2.pause()" if x86 else "call void @llvm.aarch64.hint(i32 1)"
        declare = "declare void @llvm.x86.sse2.pause()" if x86 else "declare void @llvm.aarch64.hint(i32)"
        text = native_clock.NOW + _TEXT.format(
            declare=declare, pause=pause, spin=_SPIN, futex=_FUTEX, state=_STATE, fork=FORK,
            divide=DIVIDE, worth=_WORTH, patience=_PATIENCE, longest=_LONGEST_REST, soon=_SOON,
        )
        self._code = native_kept.code(text, 1, {_STATE: self._state})
        self.entries = {name: self._code.address(name) for name in (FORK, DIVIDE)}
        self._worker = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._code.address("lazyarr_native_worker"))
        # The workers run this code until the process ends, after Python has gone.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._code._engine))
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._memory))
        self._running = 0
        self._lock = forks.lock()
        os.register_at_fork(after_in_child=self._forked)

    @property
    def limit(self) -> int:
        """Where the number of chunks stands that a range is cut into: 0 while there are no workers."""
        return self._state + 200

    def _forked(self) -> None:
        """Threads do not live on in a forked child."""
        self._running = 0
        ctypes.memset(self._state, 0, 384)

    def ensure(self, count: int) -> None:
        """Let there be `count` threads, the caller among them."""
        if self._running >= count - 1:
            return
        with self._lock:
            while self._running < count - 1:
                threading.Thread(target=self._worker, args=(self._state,), daemon=True, name="lazyarr-native").start()
                self._running += 1
            ctypes.c_int64.from_address(self.limit).value = chunks(count)


_pool: _Pool | None = None
_lock = forks.lock()


def chunks(count: int) -> int:
    """Chunks for so many threads: a few each, so that an uneven or interrupted one is made up for."""
    return 4 * count if count > 1 else 1


def set_threads(count: int | None) -> None:
    """Use at most `count` threads from the next compilation on; None: as many as the process may use cores."""
    settings.configure(threads=count or 0)


def are_possible() -> bool:
    """Whether there can be workers on this system."""
    return _FUTEX is not None and platform.system() == "Linux"


def threads() -> int:
    """How many threads a loop nest may use."""
    if not are_possible():
        return 1
    return settings.current.threads or cores.available()[0]


def pool() -> Any:
    """The workers, made at the first call; the linker knows them from then on."""
    global _pool
    with _lock:
        if _pool is None:
            import llvmlite.binding as llvm

            _pool = _Pool()
            for name, address in _pool.entries.items():
                llvm.add_symbol(name, address)
    return _pool
