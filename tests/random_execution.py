"""Statements of random programs, and running them with NumPy while keeping account of rounding.

What a program computes may differ from NumPy's by rounding where a compiler is free to round otherwise: XLA contracts
``a * b + c`` into one rounding, sums in another order, and has its own ``exp``. A ``Tracker`` therefore runs a program
statement by statement and gives every variable a ``Level``:

- ``EXACT``: every correct implementation gives these very bits. Copies, comparisons and integer arithmetic of exact
  values are exact; so are sums and products while the floats stay on a coarse grid of small dyadic numbers.
- ``SIGNLESS``: the same, but for the sign of its zeros. Sums (XLA takes ``x + 0`` for ``x``), maxima and sorts leave it
  open.
- ``ROUNDED``: right up to rounding. How far rounding may carry is measured, not guessed: the program is run again
  several times with noise of a few ulps at each statement that rounds, and the spread of the results is the tolerance.
- anything that would make a discontinuous function (a comparison, ``floor``, a conversion to integers, a branch) of a
  rounded value is ``Unstable``, and no program that contains it is used.
"""

from __future__ import annotations

import re
import types
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_FLOAT = re.compile(r"\b\d+\.\d+")
_COMPARISON = re.compile(r" (==|!=|<|<=|>|>=) ")
_NAME = re.compile(r"\b[asv]\d+\b")


class Raised(Exception):
    """A statement of the program raised: ``error`` is what."""

    def __init__(self, error: Exception) -> None:
        super().__init__(repr(error))
        self.error = error


class Level(IntEnum):
    """How precisely the value of a variable is determined."""

    EXACT = 0
    SIGNLESS = 1
    ROUNDED = 2


class Kind(Enum):
    """What a statement does to the precision of its operands."""

    MOVE = "selects or moves values, or is exact and continuous"
    ARITH = "adds and multiplies: exact on a coarse grid of small numbers"
    INEXACT = "divides, averages or approximates"
    STEP = "is discontinuous, or has an integer result"


class Unstable(Exception):
    """A statement whose result rounding may change by more than rounding; nothing was changed by it."""


class Spoiled(Exception):
    """As ``Unstable``, but the statement has already run in part: the program cannot be used."""


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings: programs divide by zero, overflow and drop imaginary parts."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@dataclass(frozen=True)
class Statement:
    """One line of a program.

    ``targets`` are the names it binds, ``mutates`` the arrays it writes to. ``flags``: ``zero_sign`` (the sign of a
    zero result is left open: sorting, maximum, BLAS), ``finite`` (the result is unspecified for NaN or infinities),
    ``cut`` (a complex function with a branch cut), ``cast`` (converts to the type of its target), ``product``
    (multiplies many elements), ``rounds`` (a ``STEP`` whose result is rounded), ``complex_rounds`` (rounds complex
    numbers), ``nested`` (several operations in one), ``meta`` (reads no values, only shapes and dtypes).
    """

    source: str
    kind: Kind
    targets: tuple[str, ...] = ()
    mutates: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    label: str = ""

    @cached_property
    def names(self) -> frozenset[str]:
        """Every variable that the line mentions."""
        return names_in(self.source)

    @cached_property
    def off_grid(self) -> bool:
        """Whether the line has a literal that makes arithmetic round."""
        return any(float(text) * 16 % 1 != 0 for text in _FLOAT.findall(self.source))

    @cached_property
    def compares(self) -> bool:
        """Whether the line has a comparison in it, such as a mask."""
        return _COMPARISON.search(self.source) is not None

    @cached_property
    def code(self) -> types.CodeType:
        """The compiled line."""
        return compile(self.source, "<statement>", "exec")

    def lines(self) -> list[str]:
        """The source."""
        return [self.source]


@dataclass(frozen=True)
class Branch:
    """``if condition: body`` with an optional ``else``."""

    condition: str
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    label: str = "if"

    @cached_property
    def names(self) -> frozenset[str]:
        """Every variable that it mentions."""
        inner = (statement.names for statement in (*self.body, *self.otherwise))
        return frozenset(_NAME.findall(self.condition)).union(*inner)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The names it may bind."""
        return tuple(name for statement in (*self.body, *self.otherwise) for name in statement.targets)

    def lines(self) -> list[str]:
        """The source."""
        lines = [f"if {self.condition}:", *_indented(self.body)]
        return [*lines, "else:", *_indented(self.otherwise)] if self.otherwise else lines


@dataclass(frozen=True)
class Loop:
    """``for i in range(...)`` over simple statements."""

    iterations: str
    body: tuple[Statement, ...]
    label: str = "for"

    @cached_property
    def names(self) -> frozenset[str]:
        """Every variable that it mentions."""
        inner = (statement.names for statement in self.body)
        return frozenset(_NAME.findall(self.iterations)).union(*inner)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The names it may bind."""
        return tuple(name for statement in self.body for name in statement.targets)

    def lines(self) -> list[str]:
        """The source."""
        return [f"for i in range({self.iterations}):", *_indented(self.body)]


Step = Statement | Branch | Loop


def _indented(statements: Iterable[Statement]) -> list[str]:
    return [f"    {line}" for statement in statements for line in statement.lines()]


@dataclass
class Tracker:
    """Runs statements with NumPy and knows the precision of every variable.

    With ``noise`` the statements run with random perturbations, ``loudness`` times as large as the tolerance needs,
    where ``trace``, the record of a run without noise, says that they round.
    """

    env: dict[str, Any]
    noise: np.random.Generator | None = None
    trace: list[bool] = field(default_factory=list)
    levels: dict[str, Level] = field(default_factory=dict)
    loudness: float = 1.0
    completed: int = 0

    def __post_init__(self) -> None:
        self._replay: Iterator[bool] = iter(self.trace) if self.noise is not None else iter(())
        self.env.setdefault("np", np)

    def level(self, name: str) -> Level:
        """The precision of the variable ``name``."""
        return self.levels.get(name, Level.EXACT)

    def variables(self) -> dict[str, Any]:
        """The program's variables, without ``np`` and what ``exec`` adds."""
        return {name: value for name, value in self.env.items() if _NAME.fullmatch(name)}

    def run(self, steps: Iterable[Step]) -> None:
        """Run statements one after the other, counting those that are done."""
        for step in steps:
            self.step(step)
            self.completed += 1

    def step(self, step: Step) -> None:
        """Run one statement.

        Raises
        ------
        Unstable
            Rounding decides what the statement does. The statement is undone.
        Spoiled
            The same, when it was found too late to undo.
        Raised
            NumPy raised.
        """
        if isinstance(step, Branch):
            if any(self.level(name) is Level.ROUNDED for name in _NAME.findall(step.condition)):
                raise Unstable(step.condition)
            self._body(step.body if self._evaluate(step.condition) else step.otherwise)
        elif isinstance(step, Loop):
            for index in self._evaluate(f"range({step.iterations})"):
                self.env["i"] = index
                self._body(step.body)
        elif self.noise is not None:
            rounds = next(self._replay, None)
            if rounds is None:
                raise Raised(RuntimeError("the run without noise raised here"))
            self._run_with_noise(step, self.noise, rounds)
        elif step.mutates:
            self._run_write(step)
        else:
            self._run_pure(step)

    def _execute(self, statement: Statement, env: dict[str, Any]) -> None:
        try:
            exec(statement.code, env)
        except Exception as error:
            raise Raised(error) from error

    def _evaluate(self, expression: str) -> Any:
        try:
            return eval(expression, self.env)
        except Exception as error:
            raise Raised(error) from error

    def _body(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            try:
                self.step(statement)
            except Unstable as error:
                raise Spoiled(str(error)) from error

    def _operands(self, statement: Statement) -> dict[str, Any]:
        return {name: self.env[name] for name in statement.names if name in self.env}

    def _run_pure(self, statement: Statement) -> None:
        operands = self._operands(statement)
        self._execute(statement, self.env)
        results = [self.env[name] for name in statement.targets]
        try:
            level, rounds = classify(statement, operands, self.levels, results)
        except Unstable:
            for name in statement.targets:
                if name in operands:
                    self.env[name] = operands[name]
                else:
                    del self.env[name]
            raise
        self.trace.append(rounds)
        for name in statement.targets:
            self.levels[name] = level

    def _run_write(self, statement: Statement) -> None:
        operands = self._operands(statement)
        written = [self.env[name] for name in statement.mutates]
        level, rounds = classify(statement, operands, self.levels, written)
        self._execute(statement, self.env)
        written = [self.env[name] for name in statement.mutates]  # `v += 1` rebinds a scalar
        if statement.kind is Kind.ARITH and level is Level.ROUNDED and not all(map(is_finite, written)):
            raise Spoiled(f"overflow in {statement.source}")
        if any(kind_of(value) == "c" and not is_finite(value) for value in written):
            raise Spoiled(f"not finite in {statement.source}")
        self.trace.append(rounds)
        if level is not Level.EXACT:
            for name, value in self.env.items():
                if any(value is other or share_memory(value, other) for other in written):
                    self.levels[name] = max(level, self.level(name))
        for name in statement.targets:  # `v3 = np.add(v1, v2, out=v0)`
            self.levels[name] = max((self.level(other) for other in statement.mutates), default=level)

    def _coarser(self, statement: Statement, out: Any) -> float:
        """How much coarser than the precision of ``out`` the operands' is, in which a ufunc computes."""
        results = {*statement.mutates, *statement.targets}
        operands = [value for name, value in self._operands(statement).items() if name not in results]
        if kind_of(out) not in "fc" or not operands:
            return 1.0
        computed = np.result_type(np.float16, *operands)
        return max(1.0, float(np.finfo(computed).eps) / float(np.finfo(out.dtype).eps))

    def _run_with_noise(self, statement: Statement, noise: np.random.Generator, rounds: bool) -> None:
        if not rounds:
            self._execute(statement, self.env)
            return
        before = 2.0 * self.loudness
        amplitude = 8.0 * self.loudness if statement.kind is Kind.INEXACT else before
        if statement.mutates:
            for name in statement.mutates:
                _perturb_in_place(self.env[name], before, noise)
            self._execute(statement, self.env)
            for name in statement.mutates:
                coarser = self._coarser(statement, self.env[name]) if "out=" in statement.source else 1.0
                self.env[name] = _perturb_in_place(self.env[name], amplitude * coarser, noise)
            return
        inner = dict(self.env)
        for name in self._operands(statement):
            inner[name] = perturbed(inner[name], before, noise)
        self._execute(statement, inner)
        for name in statement.targets:
            self.env[name] = perturbed(inner[name], amplitude, noise)


def classify(
    statement: Statement, operands: Mapping[str, Any], levels: Mapping[str, Level], results: list[Any]
) -> tuple[Level, bool]:
    """The precision of a statement's results, and whether the statement itself rounds.

    ``results`` are the values it binds, or, for a write, the arrays before they are written.
    """
    kind, flags = statement.kind, statement.flags
    values = [*operands.values(), *results]
    kinds = {kind_of(value) for value in values}
    if "meta" in flags or not kinds & set("fc"):
        return Level.EXACT, False
    worst = max((levels.get(name, Level.EXACT) for name in operands), default=Level.EXACT)
    inexact_result = any(kind_of(value) in "fc" for value in results)
    if worst is Level.ROUNDED and (kind is Kind.STEP or not inexact_result or statement.compares):
        raise Unstable(f"{statement.source}: discontinuous")
    if "c" in kinds and (kind is not Kind.MOVE or flags):
        _require_tame_complex(statement, operands, [] if statement.mutates else results)
    open_signs = worst is not Level.EXACT and kind is Kind.STEP
    if "finite" in flags and (open_signs or not all(map(is_finite, operands.values()))):
        raise Unstable(f"{statement.source}: unspecified for values that are not finite")
    if "cast" in flags:
        _require_in_range(statement, operands, results)
    if not inexact_result:
        return Level.EXACT, False
    open_zeros = any(_has_zero(operands[name]) for name in operands if levels.get(name))
    if kind is Kind.STEP:
        if open_zeros:
            raise Unstable(f"{statement.source}: a zero of either sign")
        if "zero_sign" in flags and any(map(_has_negative_zero, operands.values())):
            return Level.SIGNLESS, False
        rounds = "rounds" in flags or ("complex_rounds" in flags and "c" in kinds)
        return (Level.ROUNDED, True) if rounds else (Level.EXACT, False)
    if kind is Kind.MOVE:
        if "complex_rounds" in flags and "c" in kinds:
            return Level.ROUNDED, True
        loose = "zero_sign" in flags and any(map(_has_negative_zero, operands.values()))
        return (max(worst, Level.SIGNLESS) if loose else worst), False
    if kind is Kind.INEXACT:
        if open_zeros:
            raise Unstable(f"{statement.source}: a pole or a kink at a zero that may be rounded")
        return Level.ROUNDED, True
    if worst is not Level.ROUNDED and _exact_arithmetic(statement, values):
        loose = bool(statement.mutates) or any(map(_has_zero, results))
        loose &= bool(flags & {"zero_sign", "nested"}) or any(map(_has_negative_zero, operands.values()))
        return (max(worst, Level.SIGNLESS) if loose else worst), False
    if "product" in flags:
        _require_no_overflow(statement, operands, results)
    if not statement.mutates and all(map(is_finite, operands.values())) and not all(map(is_finite, results)):
        raise Unstable(f"{statement.source}: rounded arithmetic that overflows")
    return Level.ROUNDED, True


def kind_of(value: Any) -> str:
    """NumPy's kind character of an array or a number; ``O`` for anything else."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind
    if isinstance(value, (bool, int, float, complex)):
        return {bool: "b", int: "i", float: "f", complex: "c"}[type(value)]
    return "O"


def names_in(source: str) -> frozenset[str]:
    """The variables that a piece of source mentions."""
    return frozenset(_NAME.findall(source))


def is_finite(value: Any) -> bool:
    """Whether every element is finite (always, for integers)."""
    return kind_of(value) not in "fc" or bool(np.isfinite(value).all())


def _has_zero(value: Any) -> bool:
    return kind_of(value) in "fc" and not bool(np.all(value))


def _has_negative_zero(value: Any) -> bool:
    if kind_of(value) not in "fc":
        return False
    parts = (np.real(value), np.imag(value))
    return any(bool(np.any(np.signbit(part) & (part == 0))) for part in parts)


def _require_tame_complex(statement: Statement, operands: Mapping[str, Any], results: list[Any]) -> None:
    """Complex arithmetic is well determined only away from NaN, infinities and branch cuts."""
    if not all(map(is_finite, (*operands.values(), *results))):
        raise Unstable(f"{statement.source}: complex and not finite")
    if "cut" in statement.flags:
        for value in operands.values():
            if kind_of(value) == "c" and (np.any(np.imag(value) == 0) or np.any(np.abs(value) > 20)):
                raise Unstable(f"{statement.source}: on a branch cut")


def _require_in_range(statement: Statement, operands: Mapping[str, Any], results: list[Any]) -> None:
    """C leaves the conversion of a float outside the range of an integer type undefined."""
    for result in results:
        if kind_of(result) not in "iu":
            continue
        info = np.iinfo(getattr(result, "dtype", np.int64))
        for value in operands.values():
            if kind_of(value) in "fc":
                real = np.real(value)
                if not is_finite(value) or np.any(real <= info.min - 1.0) or np.any(real >= float(info.max)):
                    raise Unstable(f"{statement.source}: outside the range of {info.dtype}")


def _require_no_overflow(statement: Statement, operands: Mapping[str, Any], results: list[Any]) -> None:
    """The order of a product decides whether it overflows, and zero times infinity is NaN."""
    largest = min(float(np.finfo(value.dtype).max) for value in results if kind_of(value) in "fc")
    for value in operands.values():
        size = np.abs(np.asarray(value, dtype=np.complex128))
        if not np.isfinite(size).all() or np.prod(np.maximum(size, 1.0)) >= largest:
            raise Unstable(f"{statement.source}: the product may overflow")


#: For each precision, numbers that are multiples of 2**-bits and no larger than the limit: products of two, summed
#: over as many elements as programs use, are exact in any order and with any contraction.
_GRID = {"float16": (0, 6.0), "float32": (1, 64.0), "float64": (4, 2.0**14)}
_PART = {"complex64": "float32", "complex128": "float64"}


def _exact_arithmetic(statement: Statement, values: list[Any]) -> bool:
    """Whether sums and products of these values (operands, and results for the precision) are exact."""
    if statement.off_grid:
        return False
    names = {_PART.get(value.dtype.name, value.dtype.name) for value in values if _has_float_dtype(value)}
    bits, limit = min((_GRID[name] for name in names), default=_GRID["float64"])
    if "product" in statement.flags:
        bits, limit = 0, 1.0
    operands = values if statement.mutates else values[: len(values) - len(statement.targets)]
    return all(_on_grid(value, bits, limit) for value in operands)


def _has_float_dtype(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "fc"


def _on_grid(value: Any, bits: int, limit: float) -> bool:
    if kind_of(value) not in "iufc":
        return True
    array = np.asarray(value)
    if array.dtype.kind == "c":
        return _on_grid(array.real, bits, limit) and _on_grid(array.imag, bits, limit)
    with np.errstate(all="ignore"):
        scaled = array.astype(np.float64) * 2.0**bits
        special = ~np.isfinite(scaled)
        return bool(np.all(special | ((scaled == np.rint(scaled)) & (np.abs(scaled) <= limit * 2.0**bits))))


def share_memory(first: Any, second: Any) -> bool:
    """Whether two values may be views of one buffer."""
    return isinstance(first, np.ndarray) and isinstance(second, np.ndarray) and np.may_share_memory(first, second)


def perturbed(value: Any, amplitude: float, rng: np.random.Generator) -> Any:
    """A copy of ``value`` with relative noise of about ``amplitude`` ulps on each inexact number in it."""
    if isinstance(value, float):
        return value * (1.0 + _noise(1, np.dtype(np.float64), amplitude, rng)[0])
    if kind_of(value) not in "fc" or isinstance(value, complex | float):
        return value
    array = np.asarray(value)
    noise = _noise(array.size, array.dtype, amplitude, rng).reshape(array.shape)
    with np.errstate(all="ignore"):
        if array.dtype.kind == "c":
            turn = _noise(array.size, array.dtype, amplitude, rng).reshape(array.shape)
            changed = np.asarray(array + np.abs(array) * (noise + 1j * turn), dtype=array.dtype)
        else:
            changed = np.asarray(array.astype(np.float64) * (1.0 + noise), dtype=array.dtype)
    return changed[()] if isinstance(value, np.generic) else changed


def _noise(size: int, dtype: np.dtype[Any], amplitude: float, rng: np.random.Generator) -> Array:
    """``size`` numbers of magnitude between half of ``amplitude`` ulps and all of it, of either sign."""
    if dtype == np.float16:
        amplitude = min(amplitude, 2.0)  # computed in float32 and rounded once: never many ulps off
    magnitude = rng.uniform(0.5, 1.0, size) * (amplitude * float(np.finfo(dtype).eps))
    return np.where(rng.integers(0, 2, size), magnitude, -magnitude)


def _perturb_in_place(value: Any, amplitude: float, rng: np.random.Generator) -> Any:
    if isinstance(value, np.ndarray):
        value[...] = perturbed(value, amplitude, rng)
        return value
    return perturbed(value, amplitude, rng)
