"""Open files on ranks: rank 0 writes them, and each of the others a file of its own that nobody else sees.

So every rank finds in a file what it has written there, and where it is in it; nothing has to be sent for that, and a
file may be closed, or forgotten, at any time. What is read, every rank reads by itself, from the time on when all have
come to the statement that opens it: then rank 0 has done what stands before it.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

from lazyarr.outside import asking, standard_input
from lazyarr.outside.asking import Role

_open = io.open
_os_open = os.open
_mkstemp = tempfile.mkstemp
_named = tempfile.NamedTemporaryFile
_remove = os.unlink

#: Ways to open a file. (Of others Python says what is wrong.)
_MODE = re.compile(r"(?=[^rwxa]*[rwxa][^rwxa]*$)(?!.*(.).*\1)(?!.*b.*t|.*t.*b)[rwxabt+]+")
#: Files of rank 0's that are written in other ways than through Python's objects, too (`mmap`).
_changing: set[tuple[int, int]] = set()


#: Of files that this rank, another than 0, has copies of: by rank 0's device and number, a descriptor of the copy.
_copies: dict[tuple[int, int], int] = {}


def _copy(key: tuple[int, int]) -> int | None:
    """The copy of a file, while it is open or mapped: what is written meanwhile is written there."""
    number = _copies.get(key)
    if number is None:
        return None
    status = os.fstat(number)
    if any(os.fstat(other).st_ino == status.st_ino for other in asking.written()):
        return number
    try:
        with _open("/proc/self/maps") as maps:
            if any(words[4:5] == [str(status.st_ino)] for words in map(str.split, maps)):
                return number
    except OSError:  # (of another system than Linux: a new copy is made)
        pass
    _forget(key)
    return None


def _forget(key: tuple[int, int]) -> None:
    number = _copies.pop(key, None)
    if number is not None:
        os.close(number)


def _is_written(status: os.stat_result) -> bool:
    """Whether this process has a file open for writing, and so may change it at any time."""
    key = status.st_dev, status.st_ino
    if key in _changing:
        return True
    others = map(os.fstat, asking.written())
    return any((other.st_dev, other.st_ino) == key for other in others)


class _Own(io.FileIO):
    """A file of this rank's own, that says of itself what rank 0's does."""

    _kind = "w"

    @property
    def mode(self) -> str:  # type: ignore[override]
        """How it is opened."""
        said = str(super().mode)
        return said if self._kind in "rw" else self._kind + said[1:]


class _Sink(_Own):
    """A file of which only the length is kept: nobody reads it."""

    def write(self, data: Any) -> int:
        """Count what would be written."""
        count = memoryview(data).nbytes
        number = self.fileno()
        length = os.fstat(number).st_size
        # (With O_APPEND, Python's files say where they are only after the first write.)
        at = length if self._appends else os.lseek(number, 0, os.SEEK_CUR)
        os.ftruncate(number, max(length, at + count))
        os.lseek(number, at + count, os.SEEK_SET)
        return count

    _appends = False


def _private(beside: Any = None) -> int:
    """A new file without a name; its descriptor.

    It is on the disk of the file that is `beside` it, where there is room for it if there is for that one.
    """
    folder = tempfile.gettempdir() if beside is None else os.path.dirname(os.path.abspath(os.fsdecode(beside)))
    try:
        number = _os_open(folder, os.O_RDWR | os.O_CLOEXEC | os.O_TMPFILE, 0o600)
    except (AttributeError, OSError):  # (of another system than Linux; of a file system that has no such files)
        number, path = _mkstemp()
        _remove(path)
    return number


def _copied(source: Any, number: int, dir_fd: int | None = None) -> None:
    """Have an open file hold what another one does."""
    opened = _os_open(source, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0), dir_fd=dir_fd)
    with _open(opened, "rb") as before, _open(number, "wb", closefd=False) as after:
        shutil.copyfileobj(before, after, 1 << 20)
    os.lseek(number, 0, os.SEEK_SET)


def _check_pipe(path: Any, dir_fd: int | None) -> None:
    """Raise for a named pipe that would be read otherwise than through `open(path)` or `open(path, "rb")`."""
    try:
        kind = os.stat(path, dir_fd=dir_fd).st_mode
    except (OSError, ValueError):  # (who opens it says what is wrong)
        return
    if stat.S_ISFIFO(kind):
        raise io.UnsupportedOperation(
            f"{path!r} is a pipe, of which one rank alone gets what comes: open(path) and open(path, 'rb') read it for "
            "all ranks; other ways to open it are only for writing"
        )


class _Options:
    """How a file is opened."""

    def __init__(self, mode: str, buffering: int, encoding: Any, errors: Any, newline: Any):
        self.mode, self.buffering, self.encoding, self.errors, self.newline = mode, buffering, encoding, errors, newline
        self.binary, self.updates = "b" in mode, "+" in mode
        self.kind = next(c for c in mode if c in "rwxa")

    def native(self, file: Any) -> Any:
        """The file as Python opens it."""
        return _open(file, self.mode, self.buffering, self.encoding, self.errors, self.newline)

    def stream(self, raw: Any, name: Any) -> Any:
        """What `open` gives, of a file that is open."""
        raw.name = name
        if self.buffering == 0:
            return raw
        size = self.buffering if self.buffering > 1 else io.DEFAULT_BUFFER_SIZE
        kind = io.BufferedRandom if self.updates else io.BufferedReader if self.kind == "r" else io.BufferedWriter
        buffered: Any = kind(raw, size)
        if self.binary:
            return buffered
        text: Any = io.TextIOWrapper(
            buffered, io.text_encoding(self.encoding), self.errors, self.newline, line_buffering=self.buffering == 1
        )
        text.mode = self.mode
        return text

    def sink(self, name: Any, length: int) -> Any:
        """A file that takes what is written, after so many bytes."""
        number = os.memfd_create("lazyarr") if hasattr(os, "memfd_create") else _private()
        os.ftruncate(number, length)
        os.lseek(number, 0, os.SEEK_END)
        raw = _Sink(number, "w")
        raw._appends, raw._kind = self.kind == "a", self.kind
        return self.stream(raw, name)

    def own(self, name: Any, source: Any, key: tuple[int, int] | None) -> Any:
        """A file that holds what another one does (nothing, if that is None), to be read and written by itself."""
        kept = None if key is None else _copy(key)
        number = _private(name) if kept is None else _os_open(f"/proc/self/fd/{kept}", os.O_RDWR | os.O_CLOEXEC)
        try:
            if kept is not None and self.kind == "w":
                os.ftruncate(number, 0)
            if kept is None and source is not None:
                _copied(source, number)
            if kept is None and self.updates and key is not None:
                _copies[key] = os.dup(number)
            if self.kind == "a":
                fcntl.fcntl(number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_APPEND)
            raw = _Own(number, self.kind.replace("x", "w") + "+" * self.updates)
            raw._kind = self.kind
        except BaseException:
            os.close(number)
            raise
        return self.stream(raw, name)


class Followed:
    """What programs that rank 0 starts write into files that the script has open, for the ranks' own ones.

    Parameters
    ----------
    targets : sequence of object
        Files, descriptors, or anything else that a program's output may be.
    """

    def __init__(self, targets: Sequence[Any]):
        # (What is no file is so on all ranks.)
        nothing = None, sys.stdout, sys.stderr
        found = [target for target in targets if target not in nothing and not (type(target) is int and target < 3)]
        numbers = [target if type(target) is int else asking.number(target) for target in found]
        self._same = [numbers.index(number) for number in numbers]
        self._before = [_end_of(number) for number in numbers]
        # (The script may close its own, or forget it: `Popen(..., stdout=open(path, "w"))`. Of a pipe no other one is
        # kept open: who reads it would wait for its end.)
        self._numbers = [
            None if number is None or before is None else os.dup(number)
            for number, before in zip(numbers, self._before, strict=True)
        ]

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        for number in getattr(self, "_numbers", ()):
            if number is not None:
                close(number)

    def catch_up(self) -> None:
        """Have all ranks' files hold what has been written by now."""
        told = asking.perform("asks what a program has written", lambda: list(map(self._new, range(len(self._before)))))
        for number, new in zip(self._numbers, told, strict=True):
            if asking.ranks().rank == 0 or number is None or new is None or not _is_private(number):
                continue
            end, data = new
            if data is None:
                os.ftruncate(number, max(os.fstat(number).st_size, end))
                os.lseek(number, end, os.SEEK_SET)
                continue
            while data:
                data = data[os.write(number, data) :]
        self._before = [_end_of(number) for number in self._numbers]

    def _new(self, k: int) -> tuple[int, bytes | None] | None:
        """Where the program's output ends, and, where that may be read, what has been added."""
        number, before = self._numbers[k], self._before[k]
        if number is None or before is None or self._same[k] < k:
            return None
        end = os.lseek(number, 0, os.SEEK_CUR)
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDWR:
            return end, None
        data = bytearray()
        while before + len(data) < end and (piece := os.pread(number, end - before - len(data), before + len(data))):
            data += piece
        return end, bytes(data)


def _end_of(number: int | None) -> int | None:
    """Where what is written into a file comes; None of what is no file, or nowhere."""
    if number is None:
        return None
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        return None
    if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_APPEND:
        return status.st_size
    return os.lseek(number, 0, os.SEEK_CUR)


def _is_private(number: int) -> bool:
    """Whether a file is one without a name, of this rank's own."""
    status = os.fstat(number)
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 0


def sink(name: Any, kind: str, encoding: Any, errors: Any) -> Any:
    """A file that takes what is written, text or bytes."""
    return _Options("w" if kind == "t" else "wb", -1, encoding, errors, None).sink(name, 0)


@wraps(_open)
def _opening(
    file: Any, mode: Any = "r", buffering: Any = -1, encoding: Any = None, errors: Any = None, newline: Any = None,
    closefd: bool = True, opener: Any = None,
) -> Any:  # fmt: skip
    given = isinstance(mode, str) and _MODE.fullmatch(mode) is not None and isinstance(buffering, int)
    named = isinstance(file, (str, bytes, os.PathLike)) or type(file) is int and file == 0 and given and "r" in mode
    role = asking.role() if given and named and closefd and opener is None else Role.NATIVE
    if role is not Role.NATIVE and file != 0:
        file = os.fspath(file)
    if role is Role.NATIVE or asking.is_own(file):
        return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    options = _Options(mode, buffering, encoding, errors, newline)
    found = _together(file, options) if role is Role.TOGETHER else _apart(file, options)
    if options.updates or options.kind != "r":
        asking.writes(found)
    return found


def _together(file: Any, options: _Options) -> Any:
    """A file that all ranks open."""
    opened: list[Any] = []

    def begin() -> tuple[Any, int, bool, bool, tuple[int, int]]:
        if file != 0 and options.updates:
            _check_pipe(file, None)
        before = os.stat(file) if file != 0 and options.kind == "a" and os.path.exists(file) else None
        opened.append(options.native(file))
        status = os.fstat(opened[0].fileno())
        if options.updates:
            _changing.add((status.st_dev, status.st_ino))
        passes = stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode) or file == 0
        busy = options.kind == "r" and not options.updates and _is_written(status)
        return file, status.st_size if before else 0, passes, busy, (status.st_dev, status.st_ino)

    path, length, passes, busy, key = asking.perform(f"opens a file for {options.mode!r}", begin)
    mine = opened[0] if opened else None
    if options.kind == "r" and not options.updates:
        if passes:
            return _passing(mine, path, options)
        if not busy:
            return options.native(path) if mine is None else mine
    if options.updates and (passes or options.kind != "r" and length == 0) or not (options.updates or busy):
        # (Nothing is copied: nobody has to wait.)
        if mine is not None:
            return mine
        if not options.updates:
            _forget(key)
        return options.own(path, None, key) if options.updates else options.sink(path, length)

    def copy() -> None:
        opened.append(options.own(path, path, key))

    asking.others_do(asking.ranks(), copy)
    return opened[0]


def _passing(mine: Any, path: Any, options: _Options) -> Any:
    """What comes but once (of a pipe, say), for every rank."""
    if path == os.devnull:
        return options.native(path) if mine is None else mine
    name = "<stdin>" if path == 0 else path
    raw = standard_input.Shared(mine, name)
    if options.binary:
        return raw if options.buffering == 0 else io.BufferedReader(raw)
    return standard_input.text(raw, io.text_encoding(options.encoding), options.errors, options.newline)


def _apart(file: Any, options: _Options) -> Any:
    """A file that another rank than 0 opens when it cannot ask: rank 0 does what is to be seen."""
    if options.kind == "r" and not options.updates:
        return options.native(file)
    # (Its folder may be one that rank 0 has not made yet.)
    exists = os.path.exists(file)
    if options.updates:
        status = os.stat(file) if exists else None
        key = None if status is None else (status.st_dev, status.st_ino)
        return options.own(file, file if options.kind == "r" or options.kind == "a" and exists else None, key)
    return options.sink(file, os.stat(file).st_size if options.kind == "a" and exists else 0)


@wraps(_os_open)
def _os_opening(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    role = Role.NATIVE
    if not asking.caller_is("tempfile"):
        role = asking.role()
    if role is Role.NATIVE or asking.is_own(path):
        return _os_open(path, flags, mode, dir_fd=dir_fd)
    reads = not flags & (os.O_WRONLY | os.O_RDWR)
    opened: list[int] = []

    nameless = getattr(os, "O_TMPFILE", 0)
    if nameless and flags & nameless == nameless:
        # (Nobody else sees it.)
        return _os_open(path, flags, mode, dir_fd=dir_fd)

    def begin() -> Any:
        if not flags & os.O_WRONLY:
            _check_pipe(path, dir_fd)
        opened.append(_os_open(path, flags, mode, dir_fd=dir_fd))
        status = os.fstat(opened[0])
        if not reads:
            _changing.add((status.st_dev, status.st_ino))
        return os.fspath(path), reads and _is_written(status), stat.S_ISREG(status.st_mode)

    if role is Role.APART:
        if not flags & os.O_WRONLY:
            _check_pipe(path, dir_fd)
        if reads:
            return _os_open(path, flags, mode, dir_fd=dir_fd)
        place, busy, holds = path, False, dir_fd is not None or not asking.comes_once(path)
    else:
        place, busy, holds = asking.perform("opens a file", begin)
    if not reads and not holds:
        # (What is written there has gone when it is written: there is nothing to be copied.)
        return opened[0] if opened else _os_open(os.devnull, flags & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC))
    left = flags & ~(os.O_CREAT | os.O_EXCL | os.O_TRUNC)
    if reads and not busy:
        return opened[0] if opened else _os_open(place, left, dir_fd=dir_fd)

    def copy() -> None:
        number, new = _mkstemp()
        try:
            if not flags & os.O_TRUNC:
                _copied(place, number, dir_fd)
            opened.append(_os_open(new, left))
        finally:
            os.close(number)
            _remove(new)

    if role is Role.APART:
        copy()
    else:
        asking.others_do(asking.ranks(), copy)
    return opened[0]


def mapped(what: str, operation: Callable[[Any], Any], path: Any) -> Any:
    """What an operation gives that maps a file to be changed: rank 0 the file, the others copies of it.

    Parameters
    ----------
    what : str
    operation : callable
        It is given the file's path, and gives a `numpy.memmap`.
    path : str or os.PathLike
        Rank 0's counts.
    """
    role, found = asking.standing(), []
    if role is Role.NATIVE or asking.is_own(path):
        return operation(path)

    def begin() -> Any:
        found.append(operation(path))
        status = os.stat(path)
        _changing.add((status.st_dev, status.st_ino))
        return path, getattr(found[0], "filename", None)

    def copy() -> None:
        number, new = _mkstemp()
        try:
            _copied(place, number)
            found.append(operation(new))
        finally:
            os.close(number)
            _remove(new)
        if named is not None:
            found[0].filename = named

    if role is Role.APART:
        place, named = path, None
        copy()
        return found[0]
    place, named = asking.perform(what, begin)
    asking.others_do(asking.ranks(), copy)
    return found[0]


@wraps(_mkstemp)
def _making(*args: Any, **kwargs: Any) -> tuple[int, Any]:
    role = asking.role()
    if role is not Role.TOGETHER:
        number, path = _mkstemp(*args, **kwargs)
        return number, asking.own(path) if role is Role.APART else path

    def make() -> tuple[int, Any]:
        number, path = _mkstemp(*args, **kwargs)
        status = os.fstat(number)
        _changing.add((status.st_dev, status.st_ino))
        return number, path

    found: tuple[int, Any] = asking.perform("calls mkstemp()", make)
    return found if asking.ranks().rank == 0 else (_private(found[1]), found[1])


@wraps(_named)
def _naming(mode: str = "w+b", *args: Any, **kwargs: Any) -> Any:
    role = asking.role()
    if role is not Role.TOGETHER:
        found = _named(mode, *args, **kwargs)
        if role is Role.APART:
            asking.own(found.name)
        return found
    named = asking.perform("calls NamedTemporaryFile()", lambda: _named(mode, *args, **kwargs), lambda made: made.name)
    if asking.ranks().rank:
        given = dict(zip(("buffering", "encoding", "newline"), args, strict=False)) | kwargs
        kept = {key: given[key] for key in ("buffering", "encoding", "newline", "errors") if key in given}
        number = _private(named)
        file = _open(number, mode, **kept)
        named = tempfile._TemporaryFileWrapper(file, named, delete=False)
    asking.writes(named.file)
    return named


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """Whose attribute of which name becomes what."""
    import builtins

    yield builtins, "open", _opening
    yield io, "open", _opening
    yield os, "open", _os_opening
    yield tempfile, "mkstemp", _making
    yield tempfile, "NamedTemporaryFile", _naming
