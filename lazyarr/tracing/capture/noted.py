"""What became of each loop and branch of a traced function, for the report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lazyarr.ir.graph import Line


@dataclass(frozen=True)
class Statement:
    """A loop or branch of the source, and how it runs.

    Attributes
    ----------
    kind : {"for", "while", "if"}
    file : str
    line : int
    how : {"compiled", "unrolled", "python"}
        A node of the program; its iterations one after the other, as Python ran it while the function was traced; or
        left to Python, because it could not be captured.
    why : str
        Why it is not compiled; empty if it is.
    at : (str, int)
        The line that is the reason.
    trips : int, optional
        How many iterations the loop has, where that is known before it runs and always the same.
    """

    kind: str
    file: str
    line: int
    how: str
    why: str
    at: Line
    trips: int | None = None


_ORDER = ("unrolled", "compiled", "python")


class Statements:
    """The statements of one trace, each once: a body may be traced many times."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int, str], Statement] = {}

    def note(
        self, kind: str, place: Line, how: str, why: str = "", at: Line | None = None, trips: int | None = None
    ) -> None:
        """Note how a statement runs. Left to Python once counts as always; compiled counts before unrolled."""
        file, line = place
        new = Statement(kind, file, line, how, why, place if at is None else at, trips)
        old = self._found.get((file, line, kind))
        if old is not None:
            if _ORDER.index(old.how) > _ORDER.index(how):
                return
            if old.how == how and old != new and how != "python":
                new = Statement(kind, file, line, how, why if why == old.why else "", new.at,
                                trips if trips == old.trips else None)  # fmt: skip
        self._found[file, line, kind] = new

    def copy(self) -> Statements:
        """The same, to add to."""
        new = Statements()
        new._found.update(self._found)
        return new

    def __iter__(self) -> Iterator[Statement]:
        return iter(sorted(self._found.values(), key=lambda s: (s.file, s.line)))
