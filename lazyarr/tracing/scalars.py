"""Python scalars that a traced function takes: computed with Python's own arithmetic at every call.

What a traced function does with its ``int`` and ``float`` arguments alone (``n // 2``, ``1 / dx**2``) is no array work.
It is kept on a tape of Python operations and replayed at each call: exact integers, Python's errors, and no
recompilation when a value changes. Where Python itself has to know a value (a branch, a length), a guard is noted: as
long as it holds, the compiled program is the right one.
"""

from __future__ import annotations

import functools
import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar, scalar_of_array
from lazyarr.computed_arithmetic import computes, math_call, with_array
from lazyarr.ir.node import Value
from lazyarr.ir.types import WEAK, ArrayType
from lazyarr.leaves import Leaf
from lazyarr.runtime import NotCaptured, recording
from lazyarr.tracing.packages import takes_pythons_numbers
from lazyarr.weak import WeakScalar, is_users_number, pythons, reflected

if TYPE_CHECKING:
    from lazyarr.backends.native_call_form import Step

_NUMBERS = (bool, int, float, complex)


#: Operations after which it is asked whether a tape may be longer.
_MANY = 1_000


class Tape:
    """The operations a traced function applied to its Python scalars.

    Attributes
    ----------
    values : list
        The value of each position in the traced call.

    Parameters
    ----------
    grown : callable
        Asked at every thousand operations whether they may be more.
    """

    def __init__(self, grown: Callable[[], None]) -> None:
        self._grown = grown
        self.values: list[Any] = []
        self._steps: list[tuple[Callable[..., Any] | None, tuple[Any, ...]]] = []
        self._inputs: list[int] = []
        self._guards: dict[tuple[int, str], Any] = {}
        self._leaves: dict[int, Leaf] = {}
        self._done: dict[Any, Any] = {}

    def add_input(self, value: Any) -> None:
        """One more scalar the function takes, numbered in the order of calls."""
        self._steps.append((None, (len(self._inputs),)))
        self._inputs.append(len(self.values))
        self.values.append(value)

    def input(self, number: int) -> TracedScalar:
        """The traced scalar that stands for an input."""
        return TracedScalar(self, self._inputs[number])

    def apply(self, function: Callable[..., Any], *operands: Any) -> Any:
        """`function` of traced scalars and constants; a traced scalar again, or a guarded bool."""
        refs = tuple(_Ref(o._position) if type(o) is TracedScalar else o for o in operands)
        # What an unrolled loop computes anew each time is one position: its iterations stay alike.
        same = (function, *(r.position if type(r) is _Ref else (type(r), repr(r)) for r in refs))
        if same in self._done:
            return self._done[same]
        value = function(*(self.values[r.position] if type(r) is _Ref else r for r in refs))
        if type(value) not in _NUMBERS:
            # A tuple (divmod), a string: its parts are Python's from here on, so the operands are fixed.
            for o in operands:
                if type(o) is TracedScalar:
                    self.pin(o._position)
            return value
        self._steps.append((function, refs))
        self.values.append(value)
        position = len(self.values) - 1
        if not position % _MANY:
            self._grown()
        if type(value) is bool:
            self.pin(position)
            self._done[same] = value
        else:
            self._done[same] = TracedScalar(self, position)
        return self._done[same]

    def pin(self, position: int) -> Any:
        """The value at a position, which from now on is part of what was compiled for."""
        value = self.values[position]
        self._guards[position, "is"] = value
        return value

    def is_pinned(self, scalar: TracedScalar) -> bool:
        """Whether the value of a scalar is part of what was compiled for."""
        return (scalar._position, "is") in self._guards

    def leaf(self, position: int, dtype: np.dtype[Any]) -> Value:
        """The value at a position as an operand of array work of `dtype`."""
        value = self.values[position]
        if type(value) is int:
            limits = np.iinfo(dtype if dtype.kind in "iu" else np.int64)
            if not limits.min <= value <= limits.max:
                if dtype.kind in "fc":
                    wide = self.apply(float, TracedScalar(self, position))
                    return self.leaf(wide._position, dtype)
                self.pin(position)
                np.asarray(value, dtype)  # raises NumPy's OverflowError for an integer dtype
                raise OverflowError("Python int too large to convert to C long")
            self._guards[position, "fits"] = (
                max(int(limits.min), -(2**63), self._guards.get((position, "fits"), (-(2**63), 0))[0]),
                min(int(limits.max), 2**63 - 1, self._guards.get((position, "fits"), (0, 2**63 - 1))[1]),
            )
        found = self._leaves.get(position)
        if found is None:
            found = self._leaves[position] = Leaf(value, ArrayType(WEAK[type(value)], (), True))
        return Value(found, 0)

    def position_of(self, leaf: Leaf) -> int | None:
        """The position a leaf stands for, or None if it is not of this tape."""
        return next((p for p, known in self._leaves.items() if known is leaf), None)

    def replay(self, inputs: Sequence[Any]) -> list[Any] | None:
        """The values of all positions for other inputs; None where a guard does not hold.

        Raises
        ------
        Exception
            What Python's arithmetic raises (ZeroDivisionError, ...).
        """
        values: list[Any] = []
        for position, (function, refs) in enumerate(self._steps):
            if function is None:
                value = inputs[refs[0]]
            else:
                value = function(*(values[r.position] if type(r) is _Ref else r for r in refs))
            if not self._holds(position, value):
                return None
            values.append(value)
        return values

    def described(self) -> list[Step]:
        """The positions as native code computes and guards them."""
        from lazyarr.backends.native_call_form import Position, Step

        return [
            Step(
                type(self.values[position]),
                function,
                () if function is None else tuple(Position(r.position) if type(r) is _Ref else r for r in refs),
                (self._guards[position, "is"],) if (position, "is") in self._guards else (),
                self._guards.get((position, "fits")),
            )
            for position, (function, refs) in enumerate(self._steps)
        ]

    def _holds(self, position: int, value: Any) -> bool:
        if type(value) is not type(self.values[position]):
            return False
        if (position, "is") in self._guards and not _same(value, self._guards[position, "is"]):
            return False
        limits = self._guards.get((position, "fits"))
        return limits is None or bool(limits[0] <= value <= limits[1])


def _same(a: Any, b: Any) -> bool:
    # By representation: -0.0 is not 0.0, and NaN is NaN.
    return a is b or repr(a) == repr(b)


class _Ref:
    """A position as an operand of a step."""

    __slots__ = ("position",)

    def __init__(self, position: int):
        self.position = position


def _held(x: Any) -> int:
    """How many references there are to an operand of a ufunc."""
    return sys.getrefcount(x)


class _Compared:
    """Finds out how many there are to the array that NumPy makes of its scalar to compare it."""

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> int:
        return min(map(_held, inputs))


_OF_A_SCALAR: Any = np.float64(1.0) > _Compared()  # type: ignore[operator]


def _as_given(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands of a ufunc as the user has them: of scalars that are compared, NumPy makes arrays.

    Nobody else has such an array. One that somebody has may be another one in other calls.
    """
    held = list(map(_held, inputs))
    if not any(type(x) is np.ndarray and not x.ndim for x in inputs):
        return inputs
    return tuple(
        x[()] if type(x) is np.ndarray and not x.ndim and count <= _OF_A_SCALAR else x
        for x, count in zip(inputs, held, strict=True)
    )


class TracedScalar(WeakScalar):
    """A Python int, float or complex whose value a compiled program does not depend on.

    ``isinstance(x, float)`` answers as for the scalar itself.
    """

    __slots__ = ("_position", "_tape")

    def __init__(self, tape: Tape, position: int):
        self._tape = tape
        self._position = position

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._tape.values[self._position])

    @property
    def python_type(self) -> type:
        return type(self._tape.values[self._position])

    def beyond(self, dtype: np.dtype[Any]) -> int | None:
        """The value of an int that an integer dtype does not hold, which the program then depends on; else None."""
        value = self._tape.values[self._position]
        if type(value) is not int or dtype.kind not in "iu":
            return None
        limits = np.iinfo(dtype)
        return None if limits.min <= value <= limits.max else self._pin()

    def at_hand(self) -> Any:
        """Its value."""
        return self._tape.values[self._position]

    def weak_value(self, dtype: np.dtype[Any]) -> Value:
        """Its value in the graph, of weak type."""
        return self._tape.leaf(self._position, dtype)

    def _pin(self) -> Any:
        return self._tape.pin(self._position)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from lazyarr.dispatch import ufunc_call

        return ufunc_call(ufunc, method, _as_given(inputs), kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from lazyarr.dispatch import function_call

        return function_call(func, args, kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(self._pin(), dtype)

    def __bool__(self) -> bool:
        return bool(self._tape.apply(bool, self))

    def __int__(self) -> int:
        return int(self._pin())

    def __float__(self) -> float:
        return float(self._pin())

    def __complex__(self) -> complex:
        return complex(self._pin())

    def __index__(self) -> int:
        value = self._tape.values[self._position]
        if type(value) is not int:
            raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
        return int(self._pin())

    def __hash__(self) -> int:
        return hash(self._pin())

    def __repr__(self) -> str:
        return repr(self._pin())

    def __str__(self) -> str:
        return str(self._pin())

    def __format__(self, spec: str) -> str:
        return format(self._pin(), spec)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __round__(self, digits: Any = None) -> Any:
        return self._tape.apply(round, self) if digits is None else self._tape.apply(round, self, digits)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("real", "imag"):
            return self._tape.apply(operator.attrgetter(name), self)
        if name == "conjugate":
            return lambda: self._tape.apply(operator.methodcaller("conjugate"), self)
        return getattr(self._pin(), name)


def _unary(function: Callable[..., Any]) -> Any:
    return lambda self: self._tape.apply(function, self)


def _binary(function: Callable[..., Any]) -> Any:
    name = function.__name__.strip("_")
    others = reflected(name)

    def forward(self: TracedScalar, other: Any) -> Any:
        if type(other) is TracedScalar or type(other) in _NUMBERS:
            return self._tape.apply(function, self, other)
        if is_users_number(other):
            plain = pythons(other, others)
            return function(self._pin(), other) if plain is None else self._tape.apply(function, self, plain)
        if takes_pythons_numbers(type(other).__module__):
            return function(self._pin(), other)
        return with_array(function, self, other)

    return forward


def _reflected(function: Callable[..., Any]) -> Any:
    name = function.__name__.strip("_")

    def backward(self: TracedScalar, other: Any) -> Any:
        if type(other) is TracedScalar or type(other) in _NUMBERS:
            return self._tape.apply(function, other, self)
        if is_users_number(other):
            plain = pythons(other, f"__{name}__")
            return function(other, self._pin()) if plain is None else self._tape.apply(function, plain, self)
        if takes_pythons_numbers(type(other).__module__):
            return function(other, self._pin())
        return with_array(function, other, self)

    return backward


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift", "rshift"):
    _special = _name.rstrip("_")
    setattr(TracedScalar, f"__{_special}__", _binary(getattr(operator, _name)))
    setattr(TracedScalar, f"__r{_special}__", _reflected(getattr(operator, _name)))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(TracedScalar, f"__{_name}__", _binary(getattr(operator, _name)))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(TracedScalar, f"__{_name}__", _unary(getattr(operator, _name)))
for _name in ("floor", "ceil", "trunc"):
    setattr(TracedScalar, f"__{_name}__", _unary(getattr(math, _name)))


def _is_captured(function: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether a function of Python numbers that takes a NumPy scalar is part of the program."""
    arrays = [a for a in args if isinstance(a, LazyArray)]
    trace: Any = recording().observer
    if not arrays or trace is None:
        return False
    if function is math.trunc and any(a.dtype != np.float64 for a in arrays):
        return False  # Of NumPy's scalars only that one has it.
    if getattr(trace, "depth", 0):
        return True
    known = computes(function) and all(a._scalar and a.dtype.kind in "fiub" for a in arrays)
    return known and not getattr(trace, "reasons", True)


def _computed_call(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """A function of Python numbers of which some are computed."""
    if function is abs or function is pow or function is round:
        return function(*args)  # operators, of arrays too
    numbers = tuple(
        scalar_of_array(a, complex if a.dtype.kind == "c" else float) if isinstance(a, LazyArray) else a for a in args
    )
    if getattr(function, "__module__", "") == "math":
        return math_call(function, numbers)
    raise NotCaptured(f"{getattr(function, '__name__', function)} of a computed number")


@functools.cache
def python_call(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` of Python scalars (``float``, ``math.sqrt``), kept on the tape where an argument is traced."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if any(type(a) is ComputedScalar for a in args) or _is_captured(function, args):
            return _computed_call(function, args)
        traced = next((a for a in args if type(a) is TracedScalar), None)
        if traced is None or kwargs or not all(type(a) is TracedScalar or type(a) in _NUMBERS for a in args):
            return function(*args, **kwargs)
        return traced._tape.apply(function, *args)

    call.__name__ = str(getattr(function, "__name__", "call"))
    return call
