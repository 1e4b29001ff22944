"""Databases in files (`sqlite3`, `dbm`, `shelve`) on ranks: the file is rank 0's, each of the others has a copy."""

from __future__ import annotations

import atexit
import importlib
import itertools
import os
import shutil
import tempfile
import urllib.parse
from collections.abc import Callable, Iterator
from functools import cache, wraps
from typing import Any
from weakref import WeakSet

from lazyarr.outside import asking
from lazyarr.outside.asking import Role

#: What the files of a database add to its name.
_ENDINGS = ("", "-wal", "-journal", ".db", ".dat", ".dir", ".bak", ".pag")
_folder: list[str] = []
#: By the path of a database: the files that it was, and where this rank's copy is.
_copies: dict[str, tuple[Any, str]] = {}


#: By the path of a copy: connections to it.
_connections: dict[str, WeakSet[Any]] = {}
_numbers = itertools.count()


@cache
def _connection() -> Any:
    """As `sqlite3.Connection`."""
    import sqlite3

    return type("Connection", (sqlite3.Connection,), {"__module__": "sqlite3"})


def _files(path: str) -> list[tuple[str, int, int]]:
    """The files of a database that are there."""
    found = []
    for ending in _ENDINGS:
        if os.path.isfile(path + ending):
            status = os.stat(path + ending)
            found.append((ending, status.st_dev, status.st_ino))
    return [which for which in found if which[0] not in ("-wal", "-journal")]


def _remove(folder: str, process: int) -> None:
    # (Not where a process that the rank has forked comes to its end.)
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def _is_open(place: str) -> bool:
    """Whether the rank has connections to a copy."""
    return any(map(_is_connected, list(_connections.get(place, ()))))


def _is_connected(connection: Any) -> bool:
    import sqlite3

    try:
        connection.total_changes  # noqa: B018  it raises where it is closed
    except sqlite3.ProgrammingError:
        return False
    return True


def _copy(path: str, was: Any, now: Any = None) -> str:
    """Where the rank has its copy of a database.

    It is the one that the rank works on, while connections to it are open and the files are the same; a new one
    otherwise, for the script may have replaced the files, or another program changed them.

    Parameters
    ----------
    path : str
    was, now : list
        The files before rank 0 has opened them, and after; without the latter ranks have not met: then rank 0 may be
        about to write them, and the copy that there is stays.
    """
    kept = _copies.get(path)
    if kept is not None:
        same = kept[0] == was
        if (same or not kept[0]) if now is None else (same and _is_open(kept[1])):
            _copies[path] = was or kept[0], kept[1]
            return kept[1]
    if not _folder:
        _folder.append(asking.own(tempfile.mkdtemp()))
        atexit.register(_remove, _folder[0], os.getpid())
    place = os.path.join(_folder[0], str(next(_numbers)))
    os.mkdir(place)
    place = os.path.join(place, os.path.basename(path))
    for ending in _ENDINGS:
        if os.path.isfile(path + ending):
            shutil.copyfile(path + ending, place + ending)
    _copies[path] = was if now is None else now, place
    return place


def _opened(what: str, path: str, here: Callable[[], Any], there: Callable[[str], Any]) -> Any:
    """A database as rank 0 opens it, or as another rank opens its copy at a path."""
    path = os.path.abspath(path)
    now, found = asking.ranks(), []

    def begin() -> tuple[str, Any, Any]:
        was = _files(path)
        found.append(here())
        return path, was, _files(path)

    path, was, new = asking.perform(what, begin)

    def copy() -> None:
        found.append(there(_copy(path, was, new)))

    asking.others_do(now, copy)
    return found[0]


def _connecting(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def connect(database: Any, *args: Any, **kwargs: Any) -> Any:
        role = asking.role()
        path, options = os.fsdecode(database), ""
        if kwargs.get("uri") and path.startswith("file:"):
            path, _, options = path.partition("?")
            path = urllib.parse.unquote(path.removeprefix("file:"))
            path = "/" + path.lstrip("/") if path.startswith("//") else path
        if role is Role.NATIVE or path in ("", ":memory:") or "mode=memory" in options or asking.is_own(path):
            return function(database, *args, **kwargs)

        def there(copy: str) -> Any:
            given = f"file:{urllib.parse.quote(copy)}?{options}" if options else copy
            # (Objects of Python's own class cannot be referred to weakly.)
            plain = {} if len(args) > 4 or "factory" in kwargs else {"factory": _connection()}
            made = function(given, *args, **kwargs, **plain)
            _connections.setdefault(copy, WeakSet()).add(made)
            return made

        if role is Role.APART:
            return there(_copy(os.path.abspath(path), _files(path)))
        return _opened("opens a database", path, lambda: function(database, *args, **kwargs), there)

    return connect


def _opening(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def open(file: Any, *args: Any, **kwargs: Any) -> Any:
        role, path = asking.role(), os.fsdecode(file)
        if role is Role.NATIVE or asking.is_own(path):
            return function(file, *args, **kwargs)

        def there(copy: str) -> Any:
            return function(copy, *args, **kwargs)

        if role is Role.APART:
            return there(_copy(os.path.abspath(path), _files(path)))
        return _opened("opens a database", path, lambda: function(file, *args, **kwargs), there)

    return open


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """Whose attribute of which name becomes what."""
    for name in ("dbm", "dbm.dumb", "dbm.gnu", "dbm.ndbm", "dbm.sqlite3"):
        try:
            module = importlib.import_module(name)
        except ImportError:  # (Python was built without it, or is older)
            continue
        yield module, "open", _opening(module.open)
    try:
        import sqlite3
        import sqlite3.dbapi2
    except ImportError:  # (of a Python that was built without it)
        return
    connect = _connecting(sqlite3.connect)
    yield sqlite3, "connect", connect
    yield sqlite3.dbapi2, "connect", connect
