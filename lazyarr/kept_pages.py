"""Pages of arrays that NumPy has freed: the C library keeps them for the next array.

glibc gives memory back to the system as soon as the end of its heap is free, and takes arrays above a size that it
learns straight from the system. A program that makes and frees arrays of a megabyte then touches new pages in each
statement, which takes several times as long as the arithmetic. How much is kept is a property of the process, which
``mallopt`` sets (its manual page, mallopt(3), says what the two numbers mean); the setting `kept_memory` says whether
lazyarr may.
"""

from __future__ import annotations

import ctypes
import os
import platform

from lazyarr import settings

#: mallopt's names for how much may be free at the heap's end, and from which size on the system is asked.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: What they are before anything is freed.
_INITIALLY = 128 << 10
#: The most that glibc takes for the second one: half of what a thread's heap can be.
_LARGEST = 32 << 20
#: How much may be free.
_MOST = 256 << 20
#: Variables by which users set them.
_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")

_kept = 0


def follow() -> None:
    """Let the setting `kept_memory` decide how much is kept, unless the environment of the process has."""
    global _kept
    wanted = settings.current.kept_memory
    kept = _MOST if wanted < 0 else min(_MOST, wanted << 20)
    if kept == _kept or platform.libc_ver()[0] != "glibc" or any(name in os.environ for name in _VARIABLES):
        return
    set_option = ctypes.CDLL(None).mallopt
    set_option.restype, set_option.argtypes = ctypes.c_int, [ctypes.c_int, ctypes.c_int]
    set_option(_TRIM_THRESHOLD, kept or _INITIALLY)
    set_option(_MMAP_THRESHOLD, min(_LARGEST, kept) or _INITIALLY)
    _kept = kept


settings.watch(follow)
