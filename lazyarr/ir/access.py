"""Access: how each axis of an operand reaches an operation's results.

Read today by the XLA back end, which stores what is read in several ways; made to say, besides, how a value can be
partitioned, how wide a halo is and what must be communicated. It is tested for every operation without knowing it:
change one input element, and only the elements that `affected` names may change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lazyarr.ir.extents import Shape, broadcast

if TYPE_CHECKING:
    from lazyarr.ir.types import ArrayType


@dataclass(frozen=True, slots=True)
class Along:
    """Result index ``j`` on `axis` reads operand indices ``step * j + lo`` to ``step * j + hi`` (inclusive)."""

    axis: int
    lo: int = 0
    hi: int = 0
    step: int = 1

    def __str__(self) -> str:
        window = "" if self.lo == self.hi == 0 else f",{self.lo},{self.hi}"
        return f"along({self.axis}{window}{'' if self.step == 1 else f',step={self.step}'})"


@dataclass(frozen=True, slots=True)
class Whole:
    """Every result element reads all of this axis; a partition of it has to be gathered."""

    def __str__(self) -> str:
        return "whole"


@dataclass(frozen=True, slots=True)
class Reduced:
    """The axis is combined by an associative `kind` (``add``, ``maximum``, ...) and is gone from the result."""

    kind: str

    def __str__(self) -> str:
        return f"reduced({self.kind})"


@dataclass(frozen=True, slots=True)
class Opaque:
    """Which result elements read an index of this axis depends on data, or has no simple form."""

    def __str__(self) -> str:
        return "opaque"


AxisAccess = Along | Whole | Reduced | Opaque
#: One entry for each axis of an operand.
OperandAccess = tuple[AxisAccess, ...]

WHOLE = Whole()
OPAQUE = Opaque()


def elementwise(*shapes: Shape) -> tuple[OperandAccess, ...]:
    """Access of an operation that broadcasts its operands and works element by element."""
    result = broadcast(*shapes)
    rank = len(result)
    found: list[OperandAccess] = []
    for shape in shapes:
        lead = rank - len(shape)
        found.append(
            tuple(
                WHOLE if extent == 1 and result[lead + axis] != 1 else Along(lead + axis)
                for axis, extent in enumerate(shape)
            )
        )
    return tuple(found)


def whole(*shapes: Shape) -> tuple[OperandAccess, ...]:
    """Access of an operation each of whose results may read everything."""
    return tuple((WHOLE,) * len(shape) for shape in shapes)


def opaque(*shapes: Shape) -> tuple[OperandAccess, ...]:
    """Access of an operation that reads by data, or in no simple form."""
    return tuple((OPAQUE,) * len(shape) for shape in shapes)


def opaque_operands(*types: ArrayType, **attrs: Any) -> tuple[OperandAccess, ...]:
    """`opaque`, as operations declare it that have all of their operands so."""
    return opaque(*(t.shape for t in types))


def affected(access: OperandAccess, index: tuple[int, ...], result: tuple[int, ...]) -> tuple[range, ...]:
    """The block of a result of shape `result` that may change when one operand element changes.

    Parameters
    ----------
    access : OperandAccess
        The operand's access, one entry an axis.
    index : tuple of int
        Index of the operand element that changes.
    result : tuple of int
        Shape of the result.

    Returns
    -------
    tuple of range
        For each result axis the indices that may change; all of it where nothing restricts them.
    """
    block = [range(n) for n in result]
    for entry, i in zip(access, index, strict=True):
        if isinstance(entry, Along):
            # step * j + lo <= i <= step * j + hi, solved for j.
            low, high = i - entry.hi, i - entry.lo
            if entry.step < 0:
                low, high = -high, -low
            step = abs(entry.step)
            first, last = -(-low // step), high // step
            old = block[entry.axis]
            block[entry.axis] = range(max(old.start, first), min(old.stop, last + 1))
    return tuple(block)
