"""How much memory a program takes at its peak beyond its arguments, in a child process."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.arrays.timing import WARM

#: ru_maxrss counts these.
UNIT = 1 if sys.platform == "darwin" else 1024
#: Linux tells what a process holds, and begins a new high-water mark where a 5 is written (proc_pid_clear_refs(5)).
STATUS, MARK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def held(what: str) -> int:
    """Bytes that this process holds now (VmRSS), or held at its mark (VmHWM)."""
    found = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{what}:"))
    return int(found.split()[1]) * 1024


def begin() -> Callable[[], int]:
    """Set the mark to what is held; the function that is returned says by how many bytes it rose.

    What earlier calls left free is given back first. Where the mark can't be set, it is what it was: what calls take
    of what earlier ones left free does not count there.
    """
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
        MARK.write_text("5")
        before = held("VmRSS")
    except (OSError, AttributeError):
        mark = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return lambda: (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - mark) * UNIT
    return lambda: held("VmHWM") - before


def peak(
    make_call: Callable[[], Callable[[tuple[Any, ...]], Any]], small: tuple[Any, ...], large: tuple[Any, ...]
) -> int:
    """Bytes that two calls take at their peak beyond what a forked process holds after calls with small arguments.

    Parameters
    ----------
    make_call : callable
        Makes, in the child, the function that takes the arguments. Threads must not have been started before.
    small, large : tuple
        Arguments; the large ones are there before the fork, and so part of what the process starts from.
    """
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            call = make_call()
            for _ in range(WARM):
                call(small)
            risen = begin()
            for _ in range(2):
                call(large)
            os.write(write, json.dumps(risen()).encode())
            status = 0
        except BaseException:  # noqa: BLE001  whatever it is: the child ends here, and says why
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    os.close(write)
    with os.fdopen(read) as report:
        text = report.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"the child process ended with status {os.waitstatus_to_exitcode(status)}")
    found: int = json.loads(text)
    return found
