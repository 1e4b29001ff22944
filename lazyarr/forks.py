"""Processes that fork while other threads are at work.

A child has none of those threads: what they held stays held in it, and what they were in the middle of never ends.
So there are two kinds of locks: those that a fork waits for (`hold`), where what they protect is no use half-done, as
LLVM's own state; and all others (`lock`), which are free again in a child. Modules that another thread is importing are
waited for as well: in a child Python frees its one lock of all imports, not those of modules.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet

#: Packages of which lazyarr imports modules when they are first needed.
_PACKAGES = ("lazyarr", "llvmlite", "jax", "jaxlib", "mpi4py", "ml_dtypes", "numpy", "scipy", "sympy")

#: Seconds that a fork waits for other threads' imports: one of them may wait for an import of the thread that forks.
_LONGEST = 60

#: CPython's locks of the modules that are being imported, by name (Lib/importlib/_bootstrap.py): a module is in
#: `sys.modules` only when it has been found.
_module_locks: dict[str, Any] = sys.modules["_frozen_importlib"]._module_locks

_free: WeakSet[Any] = WeakSet()
_waited_for: list[Callable[[], Iterable[Any]]] = []
_held: list[Any] = []


def lock() -> Any:
    """A reentrant lock that is nobody's in a forked child, but for the thread that forked."""
    made = threading.RLock()
    _free.add(made)
    return made


def hold(locks: Callable[[], Iterable[Any]]) -> None:
    """Have a fork wait for the locks that a function names then, and hold them meanwhile, in that order."""
    _waited_for.append(locks)


def _before() -> None:
    end = time.monotonic() + _LONGEST
    while True:
        if not any(_needed(name) for name in _imported_by_others()) or time.monotonic() > end:
            for each in [each for named in _waited_for for each in named()]:
                each.__enter__()
                _held.append(each)
            # Which may have taken long.
            if not any(_needed(name) for name in _imported_by_others()) or time.monotonic() > end:
                return
            _after()  # An import may be what waits for them.
        time.sleep(0.001)


def _imported_by_others() -> list[str]:
    """The modules that other threads are importing."""
    me = threading.get_ident()
    locks = [(name, reference()) for name, reference in list(_module_locks.items())]
    return [name for name, held in locks if held is not None and held.owner != me]


def _needed(name: str) -> bool:
    return name.partition(".")[0] in _PACKAGES


def _after() -> None:
    while _held:
        _held.pop().__exit__(None, None, None)


def _in_child() -> None:
    _after()
    # What has begun since `_before` looked: the import begins anew where the child wants that module.
    for name in _imported_by_others():
        del _module_locks[name]
        if getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False):
            del sys.modules[name]
    for each in list(_free):
        if not each._is_owned():
            each._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_in_child)
