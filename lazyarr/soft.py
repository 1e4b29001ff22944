"""Numbers of which data decides whether they are Python's or NumPy's, or a Python int or a float.

``max(0.0, x[i])`` gives one of two objects; ``s = 0`` before a loop that adds ``x[i]`` is a Python int where the loop
does not run. The program computes such a number in one dtype, with a flag that says whether it is what that says. Where
arithmetic gives the same for both, the result carries the flag on; where it does not, a guard requires the flag, and
plain Python runs the calls in which it does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE, SELECT
from lazyarr.runtime import guard, record, record_all, recording
from lazyarr.weak import WeakScalar

if TYPE_CHECKING:
    from lazyarr.numpy._ufunc import Ufunc

#: Where a guard of a flag fails.
WHY = "a number is of the type that the program takes it for"
#: NumPy scalars that hold each kind of Python number exactly (ints as far as they are exact floats).
HOLDING: dict[type, tuple[np.dtype[Any], ...]] = {
    bool: (np.dtype(np.bool_),),
    int: (np.dtype(np.int64), np.dtype(np.float64), np.dtype(np.complex128)),
    float: (np.dtype(np.float64), np.dtype(np.complex128)),
    complex: (np.dtype(np.complex128),),
}
_RANKS = (bool, int, float, complex)
_EXACT_FLOAT = 2.0**53
_RING = ("add", "subtract", "multiply")
_DIVISIONS = ("divide", "floor_divide", "remainder")
_COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
#: Operators of which NumPy's loop gives what Python's arithmetic does.
_AS_PYTHON = (*_RING, *_DIVISIONS, "negative", "positive", "absolute", *_COMPARISONS)


@dataclass(frozen=True)
class Soft:
    """What is known of such a number.

    Attributes
    ----------
    certain : Value
        A bool: whether it is what the program computes it as.
    kinds : frozenset of type
        Python's types that it may have if not.
    """

    certain: Value
    kinds: frozenset[type]


def known() -> dict[Value, Soft]:
    """The soft numbers of the trace that records, by their values."""
    found: dict[Value, Soft] | None = getattr(recording().observer, "soft", None)
    return {} if found is None else found


def of(x: Any) -> Soft | None:
    """What is known of a number, if it is a soft one."""
    soft = known()
    if not soft:
        return None
    if isinstance(x, LazyArray):
        return soft.get(x._value()) if x._scalar else None
    value = x.computed_value() if isinstance(x, WeakScalar) else None
    return None if value is None else soft.get(value)


def settle(x: Any) -> None:
    """Require of a number, or of the numbers in a list, that they are what the program computes them as."""
    if type(x) in (list, tuple):
        for item in x:
            settle(item)
        return
    found = of(x)
    if found is not None:
        guard(found.certain, WHY)


def settle_inside(variables: Iterable[Any]) -> None:
    """`settle` for the numbers in tuples and lists: only of a variable that is a number it is carried along."""
    for x in variables:
        if type(x) in (list, tuple):
            settle(x)


def settle_unless_exact(x: LazyArray) -> None:
    """`settle` for what looks at the number's value alone."""
    found = of(x)
    if found is not None and not _holds(x.dtype, found.kinds):
        guard(found.certain, WHY)


def settle_for(x: LazyArray, dtype: np.dtype[Any]) -> None:
    """`settle` for a conversion to a dtype: of Python's int NumPy asks that it fits."""
    found = of(x)
    if found is None:
        return
    narrow = dtype.kind in "iu" and found.kinds != {float} and dtype != np.int64
    if narrow or not _holds(x.dtype, found.kinds) and dtype != x.dtype:
        guard(found.certain, WHY)


def settle_kinds(a: Any, b: Any) -> None:
    """`settle` for two Python numbers of which the wider kind decides the result's: only where it is not known."""
    for x, other in ((a, b), (b, a)):
        if of(x) is not None and (_RANKS.index(other.kind) < _RANKS.index(x.kind) or of(other) is not None):
            settle(x)


def pass_on(x: Any, result: Any) -> Any:
    """The result of an operation that leaves a Python number what it is, a soft one too."""
    found = of(x)
    if found is not None:
        known()[result.value] = found
    return result


def joined(items: Iterable[Soft | None]) -> frozenset[type]:
    """The Python types of several numbers."""
    return frozenset[type]().union(*(item.kinds for item in items if item is not None))


def call(ufunc: Ufunc, args: tuple[Any, ...], kwargs: dict[str, Any], operator: bool) -> Soft | None:
    """Before a ufunc is called, or an operator that is one: what is known of its result.

    Guards are recorded where the types of the operands have to be certain.
    """
    flags = [of(x) for x in args]
    if not any(flags):
        return None
    if operator and not kwargs and ufunc.nout == 1:
        found = _propagated(ufunc, args, flags)
        if found is not None:
            return found
    if not _alike(ufunc, args, flags, operator):
        settle(list(args))
    return None


def finished(ufunc: Ufunc, args: tuple[Any, ...], result: LazyArray, soft: Soft) -> LazyArray:
    """The result of an operator of which `call` said that it is soft."""
    value = result._value()
    name = ufunc.__name__
    if name in _DIVISIONS:
        _guard_divisor(args[1], soft)
    if int in soft.kinds and value.type.dtype == np.int64:
        # Python's ints do not wrap.
        fits = record(ELEMENTWISE["not_equal"], value, const(-(2**63)))
        if name in _RING:
            _, fits = record_all(OPS["exact"], *value.node.operands, kind=name)
        guard(_or(soft.certain, fits), "an integer fits 64 bits")
    if int in soft.kinds and value.type.dtype == np.float64:
        # Python's int has no negative zero, and is exact.
        kept = record(ELEMENTWISE["not_equal"], value, const(0.0))
        value = record(SELECT, _or(soft.certain, kept), value, const(0.0))
        if name in _RING:
            exact = record(ELEMENTWISE["less_equal"], record(ELEMENTWISE["absolute"], value), const(_EXACT_FLOAT))
            guard(_or(soft.certain, exact), "an integer is an exact float")
        result = LazyArray._new(value, scalar=True)
    known()[value] = soft
    return result


def _guard_divisor(divisor: Any, soft: Soft) -> None:
    """Python's division by zero is an error, and the lowest int divided by -1 is one that does not fit."""
    if isinstance(divisor, LazyArray):
        wanted = "greater" if divisor.dtype.kind == "i" else "not_equal"
        allowed = record(ELEMENTWISE[wanted], divisor._value(), const(0, divisor.dtype))
        guard(_or(soft.certain, allowed), "a number is divided by something else than 0")
    elif isinstance(divisor, WeakScalar) or not divisor or divisor == -1:
        guard(soft.certain, WHY)


def _propagated(ufunc: Ufunc, args: tuple[Any, ...], flags: list[Soft | None]) -> Soft | None:
    """What is known of an operator's result if all operands may be Python's, and Python computes the same; or None."""
    name = ufunc.__name__
    if name not in _AS_PYTHON:
        return None
    kinds: list[type] = []
    for x, flag in zip(args, flags, strict=True):
        if isinstance(x, LazyArray):
            if flag is None or len(flag.kinds) != 1 or x.dtype.kind not in "if" or not _holds(x.dtype, flag.kinds):
                return None
            if x.dtype.kind == "i" and name == "divide":
                return None  # Python divides ints exactly.
            kinds += flag.kinds
        elif flag is not None or (kind := _given(x)) not in (bool, int, float):
            return None
        else:
            kinds.append(kind)
    rank = max(int, *kinds, key=_RANKS.index)
    rank = bool if name in _COMPARISONS else float if name == "divide" else rank
    loops = {
        ufunc.loop_of(choice)[-1:] for choice in _choices(args, flags) if not all(isinstance(c, type) for c in choice)
    }
    if len(loops) > 1:
        return None
    [dtype] = loops.pop()
    if rank is not bool and dtype not in HOLDING[rank][:2]:
        return None
    certain = [flag.certain for flag in flags if flag is not None]
    found = certain[0]
    for other in certain[1:]:
        found = _or(found, other)
    return Soft(found, frozenset([rank]))


def _alike(ufunc: Ufunc, args: tuple[Any, ...], flags: list[Soft | None], operator: bool) -> bool:
    """Whether NumPy runs the same loop on the same numbers, whatever types they have."""
    if any(flag is not None and bool in flag.kinds for flag in flags):
        return False
    loop = ufunc.loop_of([_given(x) for x in args])
    for k, (x, flag) in enumerate(zip(args, flags, strict=True)):
        if isinstance(x, LazyArray) and flag is not None and loop[k : k + 1] != (x.dtype,):
            if not _holds(x.dtype, flag.kinds):
                return False
    for choice in _choices(args, flags):
        if operator and all(isinstance(c, type) for c in choice) or ufunc.loop_of(choice) != loop:
            return False
    return True


def _choices(args: tuple[Any, ...], flags: list[Soft | None]) -> Iterable[list[Any]]:
    """The types that the operands can have, as NumPy resolves them."""
    each = [[_given(x), *(() if flag is None else flag.kinds)] for x, flag in zip(args, flags, strict=True)]
    return (list(choice) for choice in product(*each))


def _given(x: Any) -> Any:
    if isinstance(x, (LazyArray, np.generic, np.ndarray)):
        return x.dtype
    return x.python_type if isinstance(x, WeakScalar) else type(x)


def _holds(dtype: np.dtype[Any], kinds: frozenset[type]) -> bool:
    return all(dtype in HOLDING.get(kind, ()) for kind in kinds)


def _or(a: Value, b: Value) -> Value:
    return record(ELEMENTWISE["logical_or"], a, b)
