"""What the runtime knows of others: those who hold what is recorded, and those who are told when it has to run."""

from __future__ import annotations

from typing import Any, Protocol

from lazyarr.ir.graph import Program
from lazyarr.ir.node import Value


class Holder(Protocol):
    """What keeps a recorded value alive and takes its data once it is computed (a storage cell)."""

    value: Value


class Observer(Protocol):
    """Told when recorded work has to run because Python looks at its data.

    Attributes
    ----------
    thrown : BaseException or None
        What was raised to stop it, no error of the user's: it notes that it got there.
    """

    thrown: BaseException | None

    @property
    def computes_lengths(self) -> bool:
        """Whether data may decide lengths within the program, instead of being looked at."""

    @property
    def in_python(self) -> bool:
        """Whether Python runs what is not recorded in pieces: nothing becomes one program any more."""

    def may_compile(self, program: Program) -> bool:
        """Whether a piece of work may be compiled; else it is interpreted."""

    def observed(self, why: str) -> None:
        """Data is about to be looked at."""

    def looked(self, why: str) -> None:
        """Data is about to be looked at by what does nothing else."""

    def draws(self, stream: Any, why: str) -> None:
        """Random numbers are about to be drawn from a stream."""

    def draw(self, function: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, Any]:
        """Draw random numbers: (True, the numbers), or (False, the function of NumPy's that is to do it)."""

    def made_stream(self, stream: Any, seed: Any) -> None:
        """A stream of random numbers has been made, of a seed; of None nobody knows which."""

    def foreign(self, array: Any) -> None:
        """A NumPy array that no argument holds takes part in the work."""

    def may_flush(self, count: int) -> bool:
        """Whether pending work may be run now that so many operations are recorded."""

    def ran(self, program: Program) -> None:
        """Part of the work has been run as a program of its own."""
