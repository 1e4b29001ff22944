"""Standard input on ranks: it is rank 0's, and every rank gets what is read."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from lazyarr import imports
from lazyarr.outside import asking
from lazyarr.settings import variable
from lazyarr.world import World

#: Said by the process that starts the ranks, of its own input: theirs is never one.
TERMINAL = variable("terminal")
#: How much is read at once where it is at hand.
_PIECE = 1 << 16


class Shared(io.RawIOBase):
    """A stream of bytes that rank 0 alone can read: what it reads all ranks get.

    Parameters
    ----------
    of : file, optional
        Rank 0's, of text or bytes.
    name : object
    """

    def __init__(self, of: Any, name: Any):
        super().__init__()
        # (Text has its bytes' stream, which is closed with it.)
        self._given, self._of = of, getattr(of, "buffer", of)
        self.name = name
        self.mode = "rb"

    def readable(self) -> bool:
        """It can be read."""
        return True

    def close(self) -> None:
        """Close it for rank 0, too: a program that writes to it is to hear of that."""
        super().close()
        if self._given is not None:
            self._given.close()

    def isatty(self) -> bool:
        """Whether somebody types it."""
        return self.name == "<stdin>" and os.environ.get(TERMINAL) == "1"

    def fileno(self) -> int:
        """There is none, for only rank 0 would read from it."""
        raise io.UnsupportedOperation(f"{self.name} is read by all ranks together: it has no file descriptor")

    def readinto(self, into: Any) -> int:
        """Read up to as many bytes as there is room for: those that are at hand, if there are any."""
        script = asking.scripts[0]
        if imports.knows_ranks or script.ended or os.getpid() != script.process:
            found = self._read(len(into))
        else:
            # (In another thread an error says that it takes all ranks.)
            found = asking.perform(f"reads {self.name}", lambda: self._read(len(into)))
        into[: len(found)] = found
        return len(found)

    def _read(self, most: int) -> bytes:
        if self._of is None:
            return b""
        read = getattr(self._of, "read1", self._of.read)
        found: bytes = read(most) or b""
        return found


def text(raw: Shared, encoding: str | None, errors: str | None, newline: str | None = None) -> io.TextIOWrapper:
    """A text stream of shared bytes."""
    found: Any = io.TextIOWrapper(io.BufferedReader(raw, _PIECE), encoding, errors, newline)
    found._CHUNK_SIZE = _PIECE
    found.mode = "r"
    return found  # type: ignore[no-any-return]


def shared(ranks: World) -> Any:
    """A text stream of rank 0's standard input, for every rank: all decode it as that one does."""
    old = sys.stdin
    # (The others' own may be another one: what starts them gives them no input.)
    encoding, errors = ranks.communicator.from_first((old.encoding, old.errors) if ranks.rank == 0 else None)
    if ranks.rank:
        # (Nothing is sent there, and who reads it in other ways would wait for ever.)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        return text(Shared(None, "<stdin>"), encoding, errors)
    return text(Shared(old, "<stdin>"), encoding, errors)
