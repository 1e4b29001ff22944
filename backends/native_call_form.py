"""Direct calls described: what is given, what must hold, what the program takes of it, and what is given back.

`native_given` makes code of the first half, `native_direct` of the second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import Any, NamedTuple

import numpy as np


class Unsupported(Exception):
    """A description that there is no code for."""


class Array(NamedTuple):
    """A NumPy array of this geometry, in native byte order."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    writeable: bool

    @property
    def contiguous(self) -> bool:
        """Whether the elements follow each other as in C."""
        expected = self.dtype.itemsize
        if 0 in self.shape:
            return True
        for n, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if n != 1 and stride != expected:
                return False
            expected *= n
        return True

    @property
    def bytes(self) -> int:
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    @property
    def span(self) -> tuple[int, int]:
        """The bytes it takes, from its address on."""
        ends = [(n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)]
        return sum(min(0, e) for e in ends), sum(max(0, e) for e in ends) + self.dtype.itemsize


class NumpyScalar(NamedTuple):
    """A NumPy scalar."""

    dtype: np.dtype[Any]


class Number(NamedTuple):
    """A Python int, float or complex."""

    kind: type


class Static(NamedTuple):
    """One object, or an equal string."""

    value: Any


class Items(NamedTuple):
    """A tuple, a named one, or a list."""

    kind: type
    items: tuple[Spec, ...]


class Entries(NamedTuple):
    """A dict, or an object with a dict, that has these entries in this order."""

    kind: type
    names: tuple[Any, ...]
    items: tuple[Spec, ...]


class Again(NamedTuple):
    """The tuple, list, dict or object number `at` once more."""

    at: int


class Stream(NamedTuple):
    """A stream of random numbers of exactly this class.

    `read` gives its state as an array, or None if it is of another kind; `write` takes the stream and a new state.
    """

    kind: type
    read: Callable[[Any], Any]
    write: Callable[[Any, Any], Any]
    words: Array


Spec = Array | NumpyScalar | Number | Static | Items | Entries | Again | Stream


class Item(NamedTuple):
    """What a dictionary has under a name."""

    mapping: dict[str, Any]
    name: str


class Content(NamedTuple):
    """What an enclosing variable holds."""

    cell: CellType


class Fixed(NamedTuple):
    """An object."""

    value: Any


class Answer(NamedTuple):
    """What a function without parameters gives."""

    function: Callable[[], Any]


LookUp = Item | Content | Fixed | Answer


class Attributes(NamedTuple):
    """What an object has in its dictionary, by name."""

    holder: Any
    expected: tuple[tuple[str, Any], ...]


class MadeOf(NamedTuple):
    """The code and the default arguments that a function has: they themselves, and each of those with names."""

    function: FunctionType
    code: CodeType
    defaults: tuple[Any, ...] | None
    named: dict[str, Any] | None
    expected: tuple[tuple[str, Any], ...]


class Position(NamedTuple):
    """An operand of Python's arithmetic: an earlier number."""

    number: int


@dataclass(frozen=True)
class Step:
    """A number of the call, and what is known of it: an argument, or Python's arithmetic of others.

    Attributes
    ----------
    kind : type
    function : callable, optional
    operands : tuple
        Of `Position`, and of anything else for a constant.
    fixed : tuple
        The value it must have, if any.
    limits : (int, int), optional
        Between which an int must be.
    """

    kind: type
    function: Callable[..., Any] | None = None
    operands: tuple[Any, ...] = ()
    fixed: tuple[Any, ...] = ()
    limits: tuple[int, int] | None = None


class FromArray(NamedTuple):
    """A parameter of the program: array or NumPy scalar number `number` of the call."""

    number: int


class FromNumber(NamedTuple):
    """A parameter of the program: the number at a position of the tape."""

    position: int


class FromConstant(NamedTuple):
    """A parameter of the program: data that never changes."""

    data: Any


class Root(NamedTuple):
    """A result of the program: an array of the caller's own."""

    number: int


class ScalarRoot(NamedTuple):
    """A result of the program: a NumPy scalar."""

    number: int


class NumberRoot(NamedTuple):
    """A result of the program: a Python number."""

    number: int
    kind: type


class GivenArray(NamedTuple):
    """Array or NumPy scalar number `number` of the call itself."""

    number: int


class GivenHolder(NamedTuple):
    """The tuple, list, dict or object number `at` of the call itself."""

    at: int


class Copy(NamedTuple):
    """Array number `number` of the call as it was before the call: root `root`, an array of the caller's own."""

    number: int
    root: int


class GivenNumber(NamedTuple):
    """The number at a position of the tape."""

    position: int


class Constant(NamedTuple):
    """An object."""

    value: Any


class Made(NamedTuple):
    """What a Python function makes of others."""

    function: Callable[..., Any]
    items: tuple[Result, ...]


class Pack(NamedTuple):
    """A tuple or a list of others."""

    kind: type
    items: tuple[Result, ...]


Source = FromArray | FromNumber | FromConstant
Result = Root | ScalarRoot | NumberRoot | GivenArray | GivenHolder | Copy | GivenNumber | Constant | Made | Pack


@dataclass
class Call:
    """What a call is, and what it gives.

    Attributes
    ----------
    arguments : list of Spec
        Positional ones, then those with a name.
    names : tuple of str
        Of the last arguments.
    same, equal, outside
        Look-ups outside the arguments: what they must give, what that must be equal to, how it is taken apart.
    steps : list of Step
        The numbers of the call.
    sources : list
        One for each parameter of the program.
    roots : list of int
        Which of the program's results each root is.
    checks : list of int
        Results of the program that must be true.
    mutated : list of (int, Result)
        Arrays of the call that get new contents.
    result : Result
    """

    arguments: list[Spec]
    names: tuple[str, ...]
    same: list[tuple[LookUp, Any]]
    equal: list[tuple[LookUp | Attributes | MadeOf, Any]]
    outside: list[tuple[LookUp, Spec]]
    steps: list[Step]
    sources: list[Source]
    roots: list[int]
    checks: list[int]
    mutated: list[tuple[int, Result]]
    result: Result
