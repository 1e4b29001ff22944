"""What became of the loops of a function that were made functions of their own, for the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lazyarr import world

if TYPE_CHECKING:
    from lazyarr.tracing.accelerated import Accelerated


@dataclass(frozen=True)
class LiftedLoop:
    """A loop that Python calls as a function, while it runs what is around the loop.

    Attributes
    ----------
    file : str
    line : int
        Where the loop begins.
    how : {"compiled", "pieces", "python", "unknown"}
        How it has run so far; unknown before it has.
    why : str
        Why it is not one program; empty if it is.
    programs : int
        How many programs it has, for arguments of different types and shapes.
    inner : tuple of LiftedLoop
        Loops in it that are functions where it is not compiled.
    """

    file: str
    line: int
    how: str
    why: str = ""
    programs: int = 0
    inner: tuple[LiftedLoop, ...] = ()


def lifted_loops(accelerated: Accelerated, key: Any = None) -> tuple[LiftedLoop, ...]:
    """The loops of a function that is no single program.

    Parameters
    ----------
    accelerated : Accelerated
    key
        The signature of a call, if what has been timed for it is to count.
    """
    if world.current() is not None or accelerated._recurses:
        return ()
    around = accelerated._around_loops()
    return tuple(_loop(loop) for loop in around.loops(key))


def _loop(loop: Accelerated) -> LiftedLoop:
    code = loop.function.__code__
    programs = sum(map(len, loop._known.values()))
    reasons = [*loop._plain.values(), *loop._pieces.values()]
    if programs:
        how = "compiled"
    elif loop._plain:
        how = "python"
    else:
        how = "pieces" if loop._pieces else "unknown"
    inner = lifted_loops(loop) if how in ("python", "pieces") else ()
    return LiftedLoop(
        code.co_filename, code.co_firstlineno, how, reasons[0] if reasons and not programs else "", programs, inner
    )
