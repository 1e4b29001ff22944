"""What ran in NumPy because lazyarr does not compile it: the record, the warnings, and the report of them."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import Any

from lazyarr import disk, forks, settings
from lazyarr.source import user_line


class FallbackWarning(UserWarning):
    """A call ran in NumPy because lazyarr does not compile it."""


class FallbackError(RuntimeError):
    """A call would have run in NumPy, and the setting ``fallback="error"`` forbids it."""


class DivergedError(RuntimeError):
    """The ranks that run a program together are about to do different things."""


class StrictError(FallbackError):
    """A function accelerated with ``strict=True`` would not have run as one compiled program.

    Attributes
    ----------
    why : str
    file : str
    line : int
        The line that is the reason; the file is empty where no line of the source stands for it.
    """

    def __init__(self, message: str, why: str = "", file: str = "", line: int = 0):
        super().__init__(message)
        self.why, self.file, self.line = why, file, line


#: (file, line, what) -> how often it ran in NumPy.
calls: Counter[tuple[str, int, str]] = Counter()
_lock = forks.lock()


#: What counts a call that ran in NumPy: file, line, what.
Counted = tuple[str, int, str]


def count_again(counted: Counted) -> None:
    """Count one more call of those that `note` has counted."""
    with _lock:
        calls[counted] += 1


def note(what: str) -> Counted:
    """Count a call that is about to run in NumPy; warn, or refuse, as the settings say. Gives what counts it.

    Raises
    ------
    FallbackError
        If fallbacks are set to be errors.
    """
    file, line = user_line(2)
    mode = settings.current.fallback
    if mode == "error":
        raise FallbackError(f"{file}:{line}: {what}; the setting fallback='error' forbids to run it in NumPy")
    with _lock:
        calls[file, line, what] += 1
        first = calls[file, line, what] == 1
    if mode == "warn" and first:
        warnings.warn_explicit(f"{what}; it runs in NumPy", FallbackWarning, file, line)
    return file, line, what


@dataclass(frozen=True)
class Fallback:
    """Calls at one line that ran in NumPy.

    Attributes
    ----------
    file : str
    line : int
    what : str
        The function and the reason.
    times : int
        How often it ran.
    """

    file: str
    line: int
    what: str
    times: int

    @property
    def where(self) -> str:
        """``file:line``, the file relative to the working directory where it lies below it; empty without a file."""
        if not self.file:
            return ""
        inside = self.file.startswith(os.getcwd() + os.sep)
        return f"{os.path.relpath(self.file) if inside else self.file}:{self.line}"


#: Accelerated function -> why it runs in pieces, and at which line that was seen first.
pieces: dict[str, tuple[str, str, int]] = {}


def note_pieces(function: str, why: str, line: tuple[str, int]) -> None:
    """Remember that an accelerated function runs in Python around compiled pieces."""
    with _lock:
        pieces.setdefault(function, (why, *line))


#: Accelerated function -> why NumPy runs calls that could be compiled, and where the function stands.
faster: dict[str, tuple[str, str, int]] = {}


def note_faster(function: str, why: str, line: tuple[str, int]) -> None:
    """Remember that NumPy takes less time for an accelerated function, in calls of some signature."""
    with _lock:
        faster[function] = (why, *line)


def note_compiled(function: str, *why: str) -> None:
    """Forget that NumPy takes less time for an accelerated function, if one of these is why."""
    with _lock:
        if faster.get(function, ("",))[0] in why:
            del faster[function]


#: (function, guard, file, line) -> how often the guard failed in a compiled program, and Python ran the call.
guards: Counter[tuple[str, str, str, int]] = Counter()


def note_guard(function: str, what: str, line: tuple[str, int]) -> None:
    """Count a guard that failed: the compiled program did not stand for the call, and plain Python ran it."""
    with _lock:
        guards[function, what, *line] += 1


@dataclass(frozen=True)
class Report:
    """What ran otherwise than compiled so far in this process; prints as a table.

    Attributes
    ----------
    calls : tuple of Fallback
        Calls that ran in NumPy, the most frequent first.
    pieces : tuple of Fallback
        Accelerated functions that run in Python around compiled pieces: `what` is the function and the reason.
    guards : tuple of Fallback
        Conditions under which a compiled program stands for its function, and that did not hold in some calls: plain
        Python ran these. `what` is the function and the condition.
    faster : tuple of Fallback
        Accelerated functions of which NumPy runs some calls because it takes less time than a compiled program: `what`
        is the function and how that is known.
    cache : str
        Why compiled programs are not kept on disk, or not all of them; empty if all is well.
    """

    calls: tuple[Fallback, ...]
    pieces: tuple[Fallback, ...] = ()
    guards: tuple[Fallback, ...] = ()
    cache: str = ""
    faster: tuple[Fallback, ...] = ()

    def __len__(self) -> int:
        return len(self.calls)

    def __iter__(self) -> Any:
        return iter(self.calls)

    def clear(self) -> None:
        """Forget every call recorded so far, also those after this report was made."""
        with _lock:
            calls.clear()
            pieces.clear()
            guards.clear()
            faster.clear()

    def _title(self) -> str:
        if not self.calls:
            return "No call ran in NumPy."
        total = sum(call.times for call in self.calls)
        return f"Calls that lazyarr does not compile, run in NumPy: {total}"

    def __str__(self) -> str:
        lines = [self._title()]
        if self.calls:
            rows = [("times", "where", "what"), *((str(c.times), c.where, c.what) for c in self.calls)]
            first, second = (max(len(row[k]) for row in rows) for k in (0, 1))
            lines += [f"{a:>{first}}  {b:<{second}}  {c}" for a, b, c in rows]
        if self.pieces:
            lines.append(f"Accelerated functions that run in pieces: {len(self.pieces)} (see their .explain(...))")
            lines += [f"  {p.where}  {p.what}" for p in self.pieces]
        if self.guards:
            lines.append(f"Guards of compiled programs that failed (plain Python ran the call): "
                         f"{sum(g.times for g in self.guards)}")  # fmt: skip
            rows = [(f"{g.times}x", g.where, g.what) for g in self.guards]
            first, second = (max(len(row[k]) for row in rows) for k in (0, 1))
            lines += [f"  {a:>{first}}  {b:<{second}}  {c}" for a, b, c in rows]
        if self.faster:
            lines.append(f"Accelerated functions that NumPy runs in less time: {len(self.faster)}")
            lines += [f"  {f.where}  {f.what}" for f in self.faster]
        if self.cache:
            lines.append(f"The cache on disk cannot be used: {self.cache}")
        return "\n".join(lines)

    __repr__ = __str__

    def __rich__(self) -> Any:
        if not self.calls or self.pieces or self.guards or self.faster or self.cache:
            return str(self)
        from rich.table import Table

        table = Table(title=self._title(), title_justify="left")
        table.add_column("times", justify="right")
        table.add_column("where", overflow="fold")
        table.add_column("what")
        for call in self.calls:
            table.add_row(str(call.times), call.where, call.what)
        return table


def report() -> Report:
    """Which calls ran in NumPy because lazyarr does not compile them, and on which lines of the program.

    Returns
    -------
    Report
        ``print`` it, read its ``calls``, or ``clear()`` the record.
    """
    with _lock:
        found = calls.most_common()
        parted = list(pieces.items())
        failed = guards.most_common()
        by_numpy = list(faster.items())
    return Report(
        tuple(Fallback(file, line, what, times) for (file, line, what), times in found),
        tuple(Fallback(file, line, f"{function}: {why}", 1) for function, (why, file, line) in parted),
        tuple(Fallback(file, line, f"{function}: {what}", times) for (function, what, file, line), times in failed),
        disk.problem,
        tuple(Fallback(file, line, f"{function}: {why}", 1) for function, (why, file, line) in by_numpy),
    )
