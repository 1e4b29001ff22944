"""Whose question to the world outside something is, and who is to ask it: all ranks together, or each by itself."""

from __future__ import annotations

import enum
import os
import pickle
import stat
import sys
import sysconfig
from collections.abc import Callable
from types import FrameType
from typing import Any
from weakref import WeakSet

from lazyarr import imports, world
from lazyarr.portable import portable
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


#: Parts of Python's library that come between a script and a file for reasons of their own. (`dbm`: to open and change
#: the files of a database, which is shared as a whole.)
_OWN_REASONS = {
    "asyncio", "concurrent", "ctypes", "dbm", "importlib", "inspect", "linecache", "multiprocessing", "subprocess",
    "threading", "tokenize", "traceback", "warnings",
}  # fmt: skip
#: Files of theirs that call what they have been handed, and have no other reason to open a file.
_HANDED = {
    os.path.join(*name.split("/"))
    for name in (
        "asyncio/events.py", "concurrent/futures/thread.py", "multiprocessing/pool.py", "multiprocessing/process.py",
        "threading.py",
    )
}  # fmt: skip
_LAZYARR = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")

_TRACING = os.path.join(_LAZYARR, "tracing", "")


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
        #: Files of packages, and those that call what they have been handed.
        self._packages: set[str] = set()
        self._handing: set[str] = set()

    def asks(self, frame: FrameType | None) -> bool:
        """Whether a call is for the script's own modules, maybe through Python's library or packages.

        What packages do while they are imported, and lazyarr itself, is not.
        """
        through_package = False
        while frame is not None:
            file = frame.f_code.co_filename
            if file not in self._kinds:
                self._kinds[file] = self._kind(file)
            kind = self._kinds[file]
            if kind is not None:
                # (Packages have threads of their own, in which they do what lazyarr has asked them for, too.)
                return kind and not (through_package and file in self._handing)
            through_package = through_package or file in self._packages
            frame = frame.f_back
        return self.ended

    def _kind(self, file: str) -> bool | None:
        # (First, for what follows asks for files. Traced functions of the script's call others through `tracing`, which
        # has no files itself.)
        if file.startswith(_TRACING):
            return None
        if file.startswith((_LAZYARR, "<frozen importlib")):
            return False
        if file.startswith("<"):
            return None
        path = os.path.realpath(file)
        if {"site-packages", "dist-packages"} & set(path.split(os.sep)):
            self._packages.add(file)
            return None
        if path.startswith(self._library):
            if path[len(self._library) :] in _HANDED:
                self._handing.add(file)
                return True
            top = path[len(self._library) :].split(os.sep)[0].partition(".")[0]
            return False if top in _OWN_REASONS else None
        return True if path.startswith(self._folder) else None


scripts: list[Script] = []


def is_shared() -> bool:
    """Whether what the script does to the world outside is what one process does."""
    return bool(scripts) and not imports.knows_ranks


def ranks() -> world.World:
    """The ranks as they stand now; in a process that one of them has forked, as they stood in the beginning."""
    return world.current() or scripts[0].world


def standing() -> Role:
    """What this process is to do, if the script asks."""
    if not is_shared():
        return Role.NATIVE
    if not scripts[0].ended and ranks().may_agree():
        return Role.TOGETHER
    return Role.APART if ranks().rank else Role.NATIVE


def role(depth: int = 1) -> Role:
    """What this process is to do, as the caller's caller (or who called that, ...) asks."""
    found = standing()
    # (At the end of the process nobody calls.)
    if found is Role.NATIVE or scripts[0].asks(sys._getframe(depth).f_back):
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
    error: BaseException | None = None
    told: bytes | None = None
    if now.rank == 0:
        try:
            with now.alone(what):
                found = operation()
                told = pickle.dumps((None, sent(found)))
        except BaseException as raised:  # noqa: BLE001  raised below, on every rank (a callback may end the program)

            error = raised
            told = pickle.dumps((portable(raised), None))
    told = now.communicator.from_first(told)
    try:
        if now.rank:
            assert told is not None
            error, found = pickle.loads(told)
        if error is not None:
            raise error
        return found
    finally:
        # (Its traceback has this frame: a cycle, that nobody looks for, would keep the script's files open.)
        del error


def others_do(now: world.World, operation: Callable[[], Any]) -> None:
    """Have the other ranks do something, while rank 0 waits; what one raises all raise."""
    from lazyarr.files.parts import alike

    with alike(now):
        if now.rank:
            operation()


#: Files and folders that this process alone has made for itself, and changes by itself.
_own: set[str] = set()


def own(path: Any) -> Any:
    """Note a new file or folder as this process's own; gives its path."""
    _own.add(os.path.abspath(os.fsdecode(path)))
    return path


def is_own(path: Any) -> bool:
    """Whether something is a path of this process's own, or one in it."""
    if not _own or not isinstance(path, (str, bytes, os.PathLike)):
        return False
    place = os.path.abspath(os.fsdecode(path))
    return any(place == other or place.startswith(other + os.sep) for other in _own)


#: Files that ranks have open for writing, each of them its own.
_written: WeakSet[Any] = WeakSet()


def writes(file: Any) -> None:
    """Note an open file that is another one on each rank, to which that alone writes."""
    _written.add(file)


def written() -> list[int]:
    """The descriptors of these files."""
    return [found for found in map(number, list(_written)) if found is not None]


def each_has_its_own(file: Any) -> bool:
    """Whether an open file is another one on each rank, to which that alone writes."""
    found = number(file)
    return found is not None and found in written()


def number(file: Any) -> int | None:
    """The descriptor of an open file; None of what has none."""
    try:
        found: int = file.fileno()
    except (AttributeError, OSError, ValueError):  # it has none, or is closed
        return None
    return found


def caller_is(module: str, depth: int = 1) -> bool:
    """Whether the caller's caller is code of a module."""
    frame = sys._getframe(depth).f_back
    return frame is not None and frame.f_globals.get("__name__") == module


def comes_once(path: Any) -> bool:
    """Whether a path is that of a pipe, a terminal, ...: what one rank reads there no other one can."""
    try:
        kind = os.stat(path).st_mode
    except (OSError, ValueError):  # (who opens it says what is wrong)
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


def read(what: str, operation: Callable[[Any], Any], path: Any) -> Any:
    """What an operation gives that reads a file, on each rank: when rank 0 has written it, and before it does so again.

    Parameters
    ----------
    what : str
    operation : callable
        It is given the file's path.
    path : str or os.PathLike
        Rank 0's counts.
    """
    if standing() is not Role.TOGETHER:
        return operation(path)
    meet(what)
    path, once = ranks().communicator.from_first((path, comes_once(path)))
    if once:
        return perform(what, lambda: operation(path))
    try:
        return operation(path)
    finally:
        meet(f"has done that: {what}")
