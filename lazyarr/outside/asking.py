"""Whose question to the world outside something is, and who is to ask it: all ranks together, or each by itself."""

from __future__ import annotations

import enum
import os
import pickle
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from lazyarr import imports, world
from lazyarr.source import user_line


class Role(enum.Enum):
    """How this process does something to the world outside."""

    #: As Python does it: there are no ranks, they are no matter of the script's, or this is rank 0 and alone.
    NATIVE = enum.auto()
    #: All ranks have come here: rank 0 does it, and tells the others.
    TOGETHER = enum.auto()
    #: Another rank than 0, where ranks cannot meet (a thread, a process that it has forked, the end of the program):
    #: rank 0 does it at its own time.
    APART = enum.auto()


#: Parts of Python's library that come between a script and a file for reasons of their own.
_OWN_REASONS = {
    "concurrent", "ctypes", "importlib", "inspect", "linecache", "multiprocessing", "subprocess", "threading",
    "tokenize", "traceback", "warnings",
}  # fmt: skip
_LAZYARR = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


class Script:
    """The script that the ranks run.

    Attributes
    ----------
    world : World
        The ranks that it began with. (In a process that one of them has forked, it is still known which that was.)
    process : int
        The rank's.
    ended : bool
        Whether it has come to its end: what follows, ranks do in other orders.
    """

    def __init__(self, path: str, ranks: world.World):
        self.world, self.process, self.ended = ranks, os.getpid(), False
        self._folder = os.path.join(os.path.realpath(os.path.dirname(os.path.abspath(path))), "")
        self._library = os.path.join(os.path.realpath(sysconfig.get_path("stdlib")), "")
        #: By file: whether it is the script's own; None where the call may be for that which called it.
        self._kinds: dict[str, bool | None] = {path: True}

    def asks(self, frame: FrameType | None) -> bool:
        """Whether a call is for the script's own modules, maybe through Python's library or packages.

        What packages do while they are imported, and lazyarr itself, is not.
        """
        while frame is not None:
            file = frame.f_code.co_filename
            if file not in self._kinds:
                self._kinds[file] = self._kind(file)
            kind = self._kinds[file]
            if kind is not None:
                return kind
            frame = frame.f_back
        return self.ended

    def _kind(self, file: str) -> bool | None:
        if file.startswith("<"):
            return False if file.startswith("<frozen importlib") else None
        path = os.path.realpath(file)
        if path.startswith(_LAZYARR):
            return None if os.path.dirname(path) == os.path.dirname(__file__) else False
        if {"site-packages", "dist-packages"} & set(path.split(os.sep)):
            return None
        if path.startswith(self._library):
            top = path[len(self._library) :].split(os.sep)[0].partition(".")[0]
            return False if top in _OWN_REASONS else None
        return True if path.startswith(self._folder) else None


scripts: list[Script] = []


def ranks() -> world.World:
    """The ranks as they stand now; in a process that one of them has forked, as they stood in the beginning."""
    return world.current() or scripts[0].world


def standing() -> Role:
    """What this process is to do, if the script asks."""
    if not scripts or imports.knows_ranks:
        return Role.NATIVE
    if not scripts[0].ended and ranks().may_agree():
        return Role.TOGETHER
    return Role.APART if ranks().rank else Role.NATIVE


def role(depth: int = 1) -> Role:
    """What this process is to do, as the caller's caller (or who called that, ...) asks."""
    found = standing()
    if found is Role.NATIVE or scripts[0].asks(sys._getframe(depth + 1)):
        return found
    return Role.NATIVE


def meet(what: str) -> None:
    """Wait until all ranks have come to the same statement.

    Raises
    ------
    DivergedError
        If another rank is about to do something else.
    """
    file, line = user_line(2)
    ranks().agree(what, f"{file}:{line}")


def perform(what: str, operation: Callable[[], Any], sent: Callable[[Any], Any] = lambda x: x) -> Any:
    """What an operation gives that rank 0 performs when all have come to it; what it raises all ranks raise.

    Where it depends on arguments that differ (the time, in the name of a folder), rank 0's count.

    Parameters
    ----------
    what : str
    operation : callable
    sent : callable
        What the others get of the result.
    """
    now = ranks()
    meet(what)
    found: Any = None
    error: Exception | None = None
    told: bytes | None = None
    if now.rank == 0:
        try:
            with now.alone(what):
                found = operation()
                told = pickle.dumps((None, sent(found)))
        except Exception as raised:  # noqa: BLE001  raised below, on every rank
            from lazyarr.files.parts import portable

            error = raised
            told = pickle.dumps((portable(raised), None))
    told = now.communicator.from_first(told)
    if now.rank == 0:
        if error is not None:
            raise error
        return found
    assert told is not None
    error, value = pickle.loads(told)
    if error is not None:
        raise error
    return value


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Within which ranks read a file each by itself: when rank 0 has written it, and before it does so again."""
    together = standing() is Role.TOGETHER
    if together:
        meet(what)
    try:
        yield
    finally:
        if together:
            meet(f"has done that: {what}")
