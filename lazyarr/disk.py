"""What is kept between processes: entries by key, in files of the user's cache folder.

A file is written beside its place and then moved there, so that nobody reads half of one, and many processes may write
the same. It begins with a checksum: a file that is damaged, or cut short, is no entry, and is written anew. Where the
folder cannot be used, nothing is kept, and `problem` says so once; no program stops for that.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lazyarr import forks, settings

#: Part of the path: another form of files, another folder.
_VERSION = "v1"
_MAGIC = b"lazyarr cache 1\n"
_SUM = 32
#: The least recently used entries go until so much of the limit is taken.
_LEFT = 0.8
#: What others have written is counted again after so many entries of one's own.
_COUNTED = 64
#: Seconds after which a file that was never moved to its place is litter.
_STALE = 3600.0
_MEGABYTE = 1 << 20

#: When lazyarr was imported: sources that are newer are not what runs.
BEGUN = time.time()
#: Why nothing is kept, or not everything; empty if all is well.
problem = ""
_lock = forks.lock()
#: Folders that have been looked at, and whether they may be used.
_usable: dict[str, bool] = {}
#: Bytes in a folder as far as is known, and entries until they are counted again.
_known: dict[str, tuple[int, int]] = {}


class Entry(NamedTuple):
    """One file of the cache."""

    kind: str
    path: Path
    size: int
    used: float


def root() -> Path:
    """The folder that the settings name, or that of the user."""
    wanted = settings.current.cache_dir
    if wanted:
        return Path(wanted).expanduser()
    home = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(home):
        return Path(home) / "lazyarr"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "lazyarr"


def folder() -> Path | None:
    """Where entries are; None if nothing is kept."""
    if not settings.current.cache_size:
        return None
    try:
        found = root() / _VERSION
    except RuntimeError as error:  # no home
        note(str(error))
        return None
    with _lock:
        if str(found) not in _usable:
            _usable[str(found)] = _prepare(found)
        return found if _usable[str(found)] else None


def digest(*parts: str) -> str:
    """The key that stands for some texts."""
    found = hashlib.blake2b(digest_size=24)
    for part in parts:
        data = part.encode()
        found.update(len(data).to_bytes(8, "little") + data)
    return found.hexdigest()


def get(kind: str, key: str) -> bytes | None:
    """What was kept under a key; None if there is nothing, or it is damaged."""
    place = folder()
    if place is None:
        return None
    path = place / f"{kind}-{key}"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        note(str(error))
        return None
    payload = data[len(_MAGIC) + _SUM :]
    if data[: len(_MAGIC) + _SUM] != _head(payload):
        _remove(path)
        return None
    try:
        os.utime(path)
        # One byte a hit: many processes may append.
        _append(place / f"hits-{kind}")
    except OSError as error:
        note(str(error))  # It may be read, and not written: fine.
    return payload


def put(kind: str, key: str, payload: bytes) -> None:
    """Keep something under a key, if it can be kept."""
    place, limit = folder(), settings.current.cache_size * _MEGABYTE
    size = len(_MAGIC) + _SUM + len(payload)
    if place is None or size > limit * _LEFT:
        return
    try:
        _make_room(place, size, limit)
        handle, name = tempfile.mkstemp(prefix=".new-", dir=place)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_head(payload) + payload)
            os.replace(name, place / f"{kind}-{key}")
        except BaseException:
            _remove(Path(name))
            raise
    except OSError as error:
        note(str(error))


def entries() -> list[Entry]:
    """All entries, the least recently used first."""
    return sorted(_entries(root() / _VERSION), key=lambda entry: entry.used)


def hits() -> dict[str, int]:
    """How often entries of each kind have been used, since the cache was cleared."""
    found = {}
    for path, status in _files(root() / _VERSION):
        if path.name.startswith("hits-"):
            found[path.name.removeprefix("hits-")] = status.st_size
    return found


def clear() -> int:
    """Remove everything; gives the number of entries.

    Raises
    ------
    OSError
        If a file cannot be removed.
    """
    count = 0
    for path, _ in list(_files(root() / _VERSION)):
        count += not path.name.startswith((".new-", "hits-"))
        path.unlink(missing_ok=True)
    with _lock:
        _known.clear()
    return count


def _head(payload: bytes) -> bytes:
    return _MAGIC + hashlib.blake2b(payload, digest_size=_SUM).digest()


def _prepare(place: Path) -> bool:
    """Whether a folder is there, and nobody else may write into it: what is in it is run."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = place.stat()
    except OSError as error:
        note(str(error))
        return False
    if hasattr(os, "getuid") and (status.st_uid not in (0, os.getuid()) or status.st_mode & 0o022):
        note(f"others than this user may write to {place}")
        return False
    return True


def note(why: str) -> None:
    """Remember why something is not kept, if that is the first reason."""
    global problem
    problem = problem or why


def _append(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, b".")
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        note(str(error))


def _files(place: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """The files of the folder that are still there."""
    try:
        found = list(os.scandir(place))
    except FileNotFoundError:
        return
    for file in found:
        try:
            yield Path(file.path), file.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # Another process has removed it.


def _entries(place: Path) -> Iterable[Entry]:
    for path, status in _files(place):
        kind, dash, _ = path.name.partition("-")
        if dash and kind and kind != "hits" and not path.name.startswith("."):
            yield Entry(kind, path, status.st_size, status.st_mtime)


def _make_room(place: Path, size: int, limit: int) -> None:
    """Let there be room for so many bytes: the least recently used entries go."""
    with _lock:
        taken, left = _known.get(str(place), (0, 0))
        if left > 0 and taken + size <= limit:
            _known[str(place)] = taken + size, left - 1
            return
        for path, status in _files(place):
            if path.name.startswith(".new-") and status.st_mtime < time.time() - _STALE:
                _remove(path)
        found = sorted(_entries(place), key=lambda entry: entry.used)
        taken = sum(entry.size for entry in found)
        if taken + size > limit:
            for entry in found:
                if taken + size <= limit * _LEFT:
                    break
                _remove(entry.path)
                taken -= entry.size
        _known[str(place)] = taken + size, _COUNTED
