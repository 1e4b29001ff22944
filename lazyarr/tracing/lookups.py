"""Where a traced function finds what is not its argument: called again at each call, to see whether it has changed."""

from __future__ import annotations

import operator
import types
from dataclasses import dataclass
from typing import Any

from lazyarr.little import extension
from lazyarr.tracing.closures import made_of, of_call


@dataclass(frozen=True, slots=True)
class Global:
    """What a module's dictionary has under a name."""

    mapping: dict[str, Any]
    name: str

    def __call__(self) -> Any:
        return self.mapping[self.name]


@dataclass(frozen=True, slots=True)
class Enclosing:
    """What an enclosing variable holds."""

    cell: types.CellType

    def __call__(self) -> Any:
        return of_call(self.cell).cell_contents


@dataclass(frozen=True, slots=True)
class Fixed:
    """What never changes: a default argument."""

    value: Any

    def __call__(self) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class MadeOf:
    """The code and the default arguments of a function."""

    function: types.FunctionType

    def __call__(self) -> Any:
        return made_of(of_call(self.function))


@dataclass(frozen=True, slots=True)
class OfModule:
    """An attribute of a module."""

    module: types.ModuleType
    name: str

    def __call__(self) -> Any:
        return getattr(self.module, self.name)


@dataclass(frozen=True, slots=True)
class OfClass:
    """What a class itself has as an attribute."""

    kind: type
    name: str

    def __call__(self) -> Any:
        return vars(self.kind)[self.name]


@dataclass(frozen=True, slots=True)
class Attributes:
    """Names and identities of what a function holds as attributes."""

    holder: types.FunctionType

    def __call__(self) -> tuple[tuple[str, int], ...]:
        return tuple((name, id(value)) for name, value in vars(self.holder).items() if name != "__wrapped__")


def _holds(kind: type, names: tuple[str, ...], values: tuple[Any, ...]) -> bool:
    """Whether the dictionary of a class has these values under these names, in their order, and no others."""
    held = vars(kind)
    return tuple(held) == names and all(map(operator.is_, held.values(), values))


#: Classes may have hundreds of attributes, and are looked at in each call.
_holds_fast = getattr(extension.compiled, "holds", _holds)


class Unchanged:
    """Whether a class has the attributes that it had, and holds no others.

    Parameters
    ----------
    kind : type
    """

    __slots__ = ("_kind", "_names", "_values")

    def __init__(self, kind: type):
        self._kind = kind
        self._names, self._values = tuple(vars(kind)), tuple(vars(kind).values())

    def __call__(self) -> bool:
        return bool(_holds_fast(self._kind, self._names, self._values))
