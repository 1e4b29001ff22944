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
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet

#: Packages of which lazyarr imports modules when they are first needed.
_PACKAGES = ("lazyarr", "llvmlite", "jax", "jaxlib", "mpi4py", "ml_dtypes", "numpy", "scipy", "sympy")

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
    imported = set[str]()
    while True:
        # While this thread waits for one of them, other threads go on to the next.
        for name in (begun := [name for name in _importing() if name not in imported]):
            __import__(name)  # waits until the module is there, but for one that this thread itself imports
            imported.add(name)
        for each in (locks := [each for named in _waited_for for each in named() if each not in _held]):
            each.__enter__()
            _held.append(each)
        if not begun and not locks:
            return


def _importing() -> list[str]:
    """The modules that are being imported now."""
    return [
        name
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in _PACKAGES and getattr(getattr(module, "__spec__", None), "_initializing", False)
    ]


def _after() -> None:
    while _held:
        _held.pop().__exit__(None, None, None)


def _in_child() -> None:
    _after()
    for each in list(_free):
        if not each._is_owned():
            each._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_in_child)
