"""How much memory a program takes at its peak beyond its arguments, in a child process."""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable
from typing import Any

from benchmarks.arrays.timing import WARM

#: ru_maxrss counts these.
UNIT = 1 if sys.platform == "darwin" else 1024


def peak(
    make_call: Callable[[], Callable[[tuple[Any, ...]], Any]], small: tuple[Any, ...], large: tuple[Any, ...]
) -> int:
    """Bytes by which two calls raise the high-water mark of a forked process, after calls with small arguments.

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
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            for _ in range(2):
                call(large)
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            os.write(write, json.dumps((after - before) * UNIT).encode())
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
