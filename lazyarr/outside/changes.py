"""Files and folders on ranks: rank 0 changes them, and answers questions about them; the others are told."""

from __future__ import annotations

import contextlib
import glob
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from lazyarr.outside import asking
from lazyarr.outside.asking import Role

#: What changes files and folders, or starts a program that may. (Ranks that cannot ask rank 0 leave it to it.)
_CHANGES: list[tuple[Any, str]] = [
    (os, "mkdir makedirs remove unlink rmdir removedirs rename renames replace symlink link truncate chmod chown utime "
         "mkfifo"),
    (shutil, "rmtree copyfile copymode copystat copy copy2 copytree move chown make_archive unpack_archive"),
]  # fmt: skip
#: What asks about them, and what gives something new.
_QUESTIONS: list[tuple[Any, str]] = [
    (os, "stat lstat listdir access readlink statvfs system"),
    (glob, "glob"),
    (tempfile, "mkdtemp mktemp"),
]
#: What iterates over names, whose number is known when all of them are.
_ITERATORS: list[tuple[Any, str]] = [(glob, "iglob"), (pathlib.Path, "iterdir glob rglob")]
#: What gives the place of the new file: which argument that is.
_GIVES = {"copyfile": 1, "copy": 1, "copy2": 1, "copytree": 1, "move": 1}


def _is_named(args: Any) -> bool:
    """Whether it is about something by its name: an open file, each rank has its own."""
    return not (args and isinstance(args[0], int))


def _changing(function: Callable[..., Any]) -> Callable[..., Any]:
    name, gives = function.__name__, _GIVES.get(function.__name__)
    # (What `tempfile` asks of the system is for what it makes; see `lazyarr.outside.streams`.)
    is_system = function.__module__ in ("posix", "os")

    @wraps(function)
    def change(*args: Any, **kwargs: Any) -> Any:
        found = Role.NATIVE
        if _is_named(args) and not (is_system and asking.caller_is("tempfile")):
            found = asking.role()
        if found is Role.TOGETHER:
            return asking.perform(f"calls {name}()", lambda: function(*args, **kwargs))
        if found is Role.NATIVE or any(map(asking.is_own, args[:2])):
            return function(*args, **kwargs)
        return None if gives is None else args[gives] if len(args) > gives else kwargs.get("dst")

    return change


def _asking(function: Callable[..., Any]) -> Callable[..., Any]:
    name, is_system = function.__name__, function.__module__ in ("posix", "os")

    @wraps(function)
    def ask(*args: Any, **kwargs: Any) -> Any:
        if _is_named(args) and not (is_system and asking.caller_is("tempfile")):
            found = asking.role()
            if found is Role.TOGETHER:
                return asking.perform(f"calls {name}()", lambda: function(*args, **kwargs))
            if found is Role.APART and name in ("mkdtemp", "mktemp"):
                return asking.own(function(*args, **kwargs))
        return function(*args, **kwargs)

    return ask


def _iterating(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__

    @wraps(function)
    def iterate(*args: Any, **kwargs: Any) -> Any:
        if asking.role() is not Role.TOGETHER:
            return function(*args, **kwargs)
        return iter(asking.perform(f"calls {name}()", lambda: list(function(*args, **kwargs))))

    return iterate


_stat = os.stat


def _answer(question: Callable[..., bool], follow: bool) -> bool | tuple[Any, ...]:
    """What a question about an entry gives, or the arguments of the error (of links that lead to themselves, say)."""
    try:
        return question(follow_symlinks=follow)
    except OSError as error:
        return error.errno, error.strerror, error.filename


def _said(answer: bool | tuple[Any, ...]) -> bool:
    if isinstance(answer, tuple):
        raise OSError(*answer)
    return answer


class Entry:
    """What a folder holds, as rank 0 has found it.

    Attributes
    ----------
    name, path : str or bytes
    """

    def __init__(self, found: os.DirEntry[Any]):
        self.name, self.path = found.name, found.path
        self._inode = found.inode()
        #: Of what it is, and of what it leads to.
        self._is_link = found.is_symlink()
        self._is_dir = [_answer(found.is_dir, follow) for follow in (False, True)]
        self._is_file = [_answer(found.is_file, follow) for follow in (False, True)]
        self._stat: dict[bool, os.stat_result] = {}

    def __fspath__(self) -> Any:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"

    def inode(self) -> int:
        """Its number."""
        return self._inode

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a folder."""
        return _said(self._is_dir[follow_symlinks])

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether it is a file."""
        return _said(self._is_file[follow_symlinks])

    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return self._is_link

    def is_junction(self) -> bool:
        """Whether it is one of Windows' junctions."""
        return False

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """What the system knows of it."""
        if follow_symlinks not in self._stat:

            def ask() -> os.stat_result:
                return _stat(self.path, follow_symlinks=follow_symlinks)

            together = asking.role() is Role.TOGETHER
            self._stat[follow_symlinks] = asking.perform("calls stat()", ask) if together else ask()
        return self._stat[follow_symlinks]


class _Entries(contextlib.AbstractContextManager["_Entries"]):
    """What `os.scandir` gives."""

    def __init__(self, entries: list[Entry]):
        self._left = iter(entries)

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        return next(self._left)

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give no more."""
        self._left = iter(())


_scandir = os.scandir


@wraps(_scandir)
def _scanning(*args: Any, **kwargs: Any) -> Any:
    if not _is_named(args) or asking.caller_is("tempfile") or asking.role() is not Role.TOGETHER:
        return _scandir(*args, **kwargs)

    def scan() -> list[Entry]:
        with _scandir(*args, **kwargs) as found:
            return list(map(Entry, found))

    return _Entries(asking.perform("calls scandir()", scan))


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """Whose attribute of which name becomes what."""
    for kinds, form in ((_CHANGES, _changing), (_QUESTIONS, _asking), (_ITERATORS, _iterating)):
        for holder, names in kinds:
            for name in names.split():
                if hasattr(holder, name):
                    yield holder, name, form(getattr(holder, name))
    yield os, "scandir", _scanning
