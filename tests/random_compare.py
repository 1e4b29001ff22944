"""Whether what another implementation computed is what NumPy computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.random_execution import Level, kind_of

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Expected:
    """A value that NumPy computed, with what is needed to judge another.

    ``samples`` are the values of the same variable in runs with noise; none for an exact value.
    """

    name: str
    value: Any
    level: Level = Level.EXACT
    samples: Sequence[Any] = ()


def compare(expected: Expected, got: Any, *, scalars: bool = True, zero_signs: bool = True) -> str | None:
    """Describe how ``got`` differs from NumPy's value, or return None.

    - dtype, shape, and (with ``scalars``) whether it is an array, a NumPy scalar or a Python number must be equal.
      Without ``scalars``, a 0-d array may stand for a NumPy scalar: a lazy array that was converted cannot tell.
    - Booleans, integers, and floats of level ``EXACT`` or ``SIGNLESS`` must be equal, NaN where NumPy has NaN (its sign
      and payload are not defined). The zeros of ``EXACT`` values must have NumPy's sign (complex zeros, and all
      without ``zero_signs``, excepted: the sign of a part depends on how the product is written out).
    - Floats of level ``ROUNDED`` may differ by ``8 * spread + 8 * eps * abs(value) + tiny``. ``spread`` is how far the
      element moved in runs of the same program by NumPy with noise of 2 ulps on every operand and result of a statement
      that rounds (8 ulps on the result of a division or of a transcendental function), so the tolerance grows with
      the condition of the program up to there and is a few ulps where nothing is lost. The reason for each term: XLA
      contracts a multiplication and an addition into one rounding, adds in another order, and has its own
      approximations of the transcendental functions; ``tiny``, the smallest normal number, is there because it may
      flush smaller ones to zero. Elements that noise makes infinite, NaN, or finite again are not compared: there the
      program divides by what should be zero, or is at the brink of overflow. Complex numbers are compared by the
      absolute value of the difference.
    """
    value = expected.value
    if not scalars and isinstance(value, np.generic) and isinstance(got, np.ndarray) and not got.shape:
        got = got[()]
    if not scalars and isinstance(value, (float, complex)) and isinstance(got, np.ndarray) and not got.shape:
        got = got.item()  # Python's number times a NumPy scalar may be a Python number
    if not _same_class(value, got):
        return f"{expected.name}: NumPy gives {_describe(value)}, got {_describe(got)}"
    if isinstance(value, (tuple, list)):
        return None if repr(value) == repr(got) else f"{expected.name}: NumPy gives {value!r}, got {got!r}"
    if kind_of(value) == "O":
        return None if value == got else f"{expected.name}: NumPy gives {value!r}, got {got!r}"
    want, have = np.asarray(value), np.asarray(got)
    if want.dtype != have.dtype or want.shape != have.shape:
        return f"{expected.name}: NumPy gives {_describe(value)}, got {_describe(got)}"
    if expected.level is not Level.ROUNDED or want.dtype.kind not in "fc":
        wrong = _unequal(want, have, zero_signs and expected.level is Level.EXACT)
    else:
        wrong = _outside_tolerance(want, have, [np.asarray(sample) for sample in expected.samples])
    if not wrong.any():
        return None
    where = tuple(int(index[0]) for index in np.nonzero(wrong)) if wrong.ndim else ()
    return (
        f"{expected.name}{list(where) if where else ''}: NumPy gives {want[where]!r}, got {have[where]!r} "
        f"({expected.level.name.lower()}; {int(wrong.sum())} of {wrong.size} elements of {_describe(value)})"
    )


def _same_class(value: Any, got: Any) -> bool:
    if isinstance(value, np.ndarray):
        return type(got) is np.ndarray
    return type(got) is type(value)


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array {value.dtype.name}{list(value.shape)}"
    if isinstance(value, np.generic):
        return f"scalar np.{value.dtype.name}"
    return f"{type(value).__name__}"


def _unequal(want: Array, have: Array, zero_signs: bool) -> Array:
    if want.dtype.kind not in "fc":
        return np.asarray(want != have)
    with np.errstate(all="ignore"):
        equal = (want == have) | (np.isnan(want) & np.isnan(have))
        if want.dtype.kind == "f" and zero_signs:
            equal &= (want != 0) | (np.signbit(want) == np.signbit(have))
    return ~np.asarray(equal)


def _outside_tolerance(want: Array, have: Array, samples: Sequence[Array]) -> Array:
    info = np.finfo(want.dtype)
    wide = np.dtype(np.complex128 if want.dtype.kind == "c" else np.float64)
    with np.errstate(all="ignore"):
        exact = want.astype(wide)
        spread = np.zeros(want.shape)
        stable = np.ones(want.shape, dtype=bool)
        finite = np.isfinite(want)
        for sample in samples:
            distance = np.abs(sample.astype(wide) - exact)
            spread = np.where(np.isfinite(distance), np.maximum(spread, distance), spread)
            stable &= _class_of(sample) == _class_of(want)
        tolerance = 8 * spread + 8 * float(info.eps) * np.abs(exact) + float(info.tiny)
        close = np.abs(have.astype(wide) - exact) <= tolerance
        close |= ~finite & (_class_of(have) == _class_of(want))
        # Within the tolerance of the largest number, either side may overflow first.
        close |= finite & (np.abs(exact) + tolerance >= float(info.max))
    return np.asarray(stable & ~close)


def _class_of(array: Array) -> Array:
    """0 for finite elements, 1 for NaN (any part, for complex numbers), 2 and 3 for the infinities."""
    if array.dtype.kind == "c":
        return np.where(np.isfinite(array), 0, 1)
    return np.where(np.isnan(array), 1, np.where(np.isposinf(array), 2, np.where(np.isneginf(array), 3, 0)))


def public_class(error: BaseException) -> type[BaseException]:
    """The first class of an exception that a user can name: NumPy raises private subclasses."""
    for cls in type(error).__mro__:
        if cls.__module__ in ("builtins", "numpy.exceptions", "numpy.linalg") and not cls.__name__.startswith("_"):
            return cls
    return Exception


def compare_exceptions(expected: BaseException, got: BaseException | None) -> str | None:
    """Describe how an exception differs from NumPy's: the public class that NumPy raises must be caught alike."""
    wanted = public_class(expected)
    if got is None:
        return f"NumPy raises {wanted.__name__} ({expected}), got no exception"
    if isinstance(got, wanted):
        return None
    return f"NumPy raises {wanted.__name__} ({expected}), got {type(got).__name__}: {got}"
