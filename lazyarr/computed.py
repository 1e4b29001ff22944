"""Python scalars that a compiled program computes: loop indices, counters, what ``float(x)`` of an array gives.

A `ComputedScalar` is to the traced function what the Python number would be: integers are exact (what leaves 64 bits,
or Python would refuse, ends the compiled program, and the call is run by Python), floats divide and raise as Python's.
Of integers it is known how they depend on loop indices (an affine form) and in which range they are, so that most
checks are proved away while tracing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import complex_scalars, soft
from lazyarr.array import LazyArray
from lazyarr.ir.extents import Length
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.runtime import NotCaptured, guard, record, recording
from lazyarr.weak import WeakScalar

LOWEST, HIGHEST = -(2**63), 2**63 - 1
#: Integers that every float64 up to them can tell apart.
EXACT_FLOAT = 2**53
DTYPE_OF: dict[type, np.dtype[Any]] = {
    bool: DTYPES["bool"], int: DTYPES["i64"], float: DTYPES["f64"], complex: DTYPES["c128"],
}  # fmt: skip
RANK = {bool: 0, int: 1, float: 2, complex: 3}


class Atom:
    """An integer that affine forms are made of.

    Attributes
    ----------
    low, high : int
        What is known of its range.
    lower, upper : ComputedScalar or None
        Integers that it is never below, never above.
    value : Value or None
        What it is in the graph.
    given : WeakScalar or None
        The argument of the program that it is.
    """

    __slots__ = ("given", "high", "low", "lower", "upper", "value")

    def __init__(self, low: int = LOWEST, high: int = HIGHEST, lower: Any = None, upper: Any = None,
                 value: Value | None = None, given: WeakScalar | None = None):  # fmt: skip
        self.low, self.high, self.lower, self.upper = low, high, lower, upper
        self.value, self.given = value, given


Terms = dict[Atom, int]


def lowest(terms: Terms, constant: int, depth: int = 3) -> int:
    """A lower limit of an affine form."""
    found = constant + sum(c * (a.low if c > 0 else a.high) for a, c in terms.items())
    if found >= 0 or depth == 0:
        return found
    for atom, factor in terms.items():
        limit = atom.lower if factor > 0 else atom.upper
        if limit is None or atom in limit.terms:
            continue
        new = dict(terms)
        del new[atom]
        for a, c in limit.terms.items():
            new[a] = new.get(a, 0) + factor * c
        new = {a: c for a, c in new.items() if c}
        found = max(found, lowest(new, constant + factor * limit.constant, depth - 1))
        if found >= 0:
            break
    return found


class ComputedScalar(WeakScalar):
    """A Python bool, int, float or complex that the program computes.

    Attributes
    ----------
    value : Value
        Its value in the graph: bool[], i64[], f64[] or c128[].
    kind : type
        Python's type of it.
    terms, constant
        An int as a sum of atoms with factors, and a constant.
    low, high : int
        The range of an int.
    """

    __slots__ = ("constant", "high", "kind", "low", "terms", "value")
    value: Value
    kind: type
    terms: Terms
    constant: int
    low: int
    high: int

    def __init__(self, value: Value, kind: type, terms: Terms | None = None, constant: int = 0,
                 low: int = LOWEST, high: int = HIGHEST):  # fmt: skip
        self.value = value
        self.kind = kind
        if kind is int:
            if terms is None:
                terms = {Atom(low, high, value=value): 1}
            else:
                low = max(low, lowest(terms, constant))
                high = min(high, -lowest({a: -c for a, c in terms.items()}, -constant))
            self.terms, self.constant = terms, constant
            self.low, self.high = low, high

    # -- what WeakScalar asks ------------------------------------------------------------------------------

    def computed_value(self) -> Value:
        return self.value

    @property
    def python_type(self) -> type:
        return self.kind

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return self.kind

    def beyond(self, dtype: np.dtype[Any]) -> int | None:
        """None: that the value fits is checked where it is converted."""
        return None

    def at_hand(self) -> Any:
        """Nobody knows it: it is looked at."""
        return self.__index__()

    def weak_value(self, dtype: np.dtype[Any]) -> Value:
        """Its value; an int has to fit an integer dtype."""
        if self.kind is int and dtype.kind in "iu":
            limits = np.iinfo(dtype)
            if self.low < limits.min:
                guard(compare("greater_equal", self.value, int(limits.min)), f"a Python integer fits {dtype}")
            if self.high > limits.max:
                guard(compare("less_equal", self.value, int(limits.max)), f"a Python integer fits {dtype}")
        return self.value

    # -- conversions ---------------------------------------------------------------------------------------

    def as_kind(self, kind: type) -> Value:
        """The value as Python converts it to a wider kind of number."""
        if kind is self.kind:
            return self.value
        return record(OPS["cast"], self.value, dtype=DTYPE_OF[kind])

    def _refuse(self, why: str) -> Any:
        raise NotCaptured(why)

    def _looked_at(self, why: str) -> Any:
        """The number, where Python may wait for it: between compiled pieces, not in a loop or branch."""
        if getattr(recording().observer, "depth", 0):
            self._refuse(why)
        return self.kind(LazyArray._new(self.value, scalar=True)._single(why))

    def __bool__(self) -> bool:
        known = self.truth()
        if type(known) is bool:
            return known
        return bool(self._looked_at("Python code that is not compiled branches on a computed number"))

    def truth(self) -> bool | ComputedScalar:
        """``bool(x)``: a bool if it is known, or a computed one."""
        if self.kind is bool:
            return self
        if self.kind is int and (self.low > 0 or self.high < 0):
            return True
        if self.kind is int and self.low == self.high == 0:
            return False
        zero = const(0, DTYPE_OF[self.kind])
        return ComputedScalar(record(ELEMENTWISE["not_equal"], self.value, zero), bool)

    def __index__(self) -> int:
        if self.kind not in (int, bool):
            raise TypeError(f"'{self.kind.__name__}' object cannot be interpreted as an integer")
        if self.kind is int and self.low == self.high:
            return self.low
        return int(self._looked_at("a computed number is used where Python needs to know it"))

    def __int__(self) -> int:
        return int(self._looked_at("int() of a computed number in Python code that is not compiled"))

    def __float__(self) -> float:
        return float(self._looked_at("float() of a computed number in Python code that is not compiled"))

    def __complex__(self) -> complex:
        return complex(self._looked_at("complex() of a computed number in Python code that is not compiled"))

    def __hash__(self) -> int:
        return hash(self._looked_at("a computed number is hashed"))

    def __repr__(self) -> str:
        return repr(self._looked_at("a computed number is printed"))

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(self._looked_at("a computed number is printed"), spec)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self._looked_at("a computed number meets an array that is not compiled"), dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from lazyarr.dispatch import ufunc_call

        return ufunc_call(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from lazyarr.dispatch import function_call

        return function_call(func, args, kwargs)

    # -- arithmetic ----------------------------------------------------------------------------------------

    if TYPE_CHECKING:
        # Given by `computed_arithmetic`.
        def __add__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __rsub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __floordiv__(self, other: Any) -> Any: ...
        def __mod__(self, other: Any) -> Any: ...

    @property
    def real(self) -> Any:
        return self if self.kind is not complex else ComputedScalar(record(OPS["real"], self.value), float)

    @property
    def imag(self) -> Any:
        if self.kind is not complex:
            return 0.0 if self.kind is float else 0
        return ComputedScalar(record(OPS["imag"], self.value), float)

    def conjugate(self) -> Any:
        return self if self.kind is not complex else ComputedScalar(record(OPS["conjugate"], self.value), complex)

    def is_integer(self) -> Any:
        return True if self.kind is not float else self == floor_of(self, "floor")

    def bit_length(self) -> int:
        return int(self._looked_at("bit_length of a computed number").bit_length())

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __round__(self, digits: Any = None) -> Any:
        if digits is not None:
            if self.kind is int and digits >= 0:
                return self
            return round(self._looked_at("round() to digits of a computed number"), digits)
        return self if self.kind in (int, bool) else floor_of(self, "rint")

    def __floor__(self) -> Any:
        return floor_of(self, "floor")

    def __ceil__(self) -> Any:
        return floor_of(self, "ceil")

    def __trunc__(self) -> Any:
        return floor_of(self, "trunc")

    def __pos__(self) -> Any:
        return self if self.kind is not bool else convert(self, int)

    def __neg__(self) -> Any:
        if self.kind in (int, bool):
            return 0 - self
        soft.settle(self)  # (Python's int has no negative zero.)
        return ComputedScalar(record(ELEMENTWISE["negative"], self.value), self.kind)

    def __abs__(self) -> Any:
        if self.kind is bool:
            return convert(self, int)
        if self.kind is int:
            if self.low >= 0:
                return self
            if self.low == LOWEST:
                guard(compare("greater", self.value, LOWEST), "an absolute value fits 64 bits")
            value = record(ELEMENTWISE["absolute"], self.value)
            return ComputedScalar(value, int, low=0, high=max(abs(self.low), abs(self.high)))
        if self.kind is complex:
            value, fits = complex_scalars.magnitude(self.value), complex_scalars.magnitude_fits(self.value)
            guard(fits, "the absolute value of a finite number is finite")
            return ComputedScalar(value, float)
        return soft.pass_on(self, ComputedScalar(record(ELEMENTWISE["absolute"], self.value), float))

    def __invert__(self) -> Any:
        return self._refuse("~ of a float") if self.kind in (float, complex) else -convert(self, int) - 1


def compare(name: str, value: Value, limit: Any) -> Value:
    """A comparison with a constant of the value's dtype."""
    return record(ELEMENTWISE[name], value, const(limit, value.type.dtype))


def is_number(x: Any) -> bool:
    """Whether `x` is a Python number, computed or not."""
    return isinstance(x, WeakScalar) or type(x) in RANK


def kind_of(x: Any) -> type:
    """Python's type of a number."""
    return x.python_type if isinstance(x, WeakScalar) else type(x)


def computed(x: Any) -> ComputedScalar:
    """A Python number (a constant, an argument of the function, a computed one) as a computed one.

    Raises
    ------
    NotCaptured
        For an int beyond 64 bits.
    """
    if type(x) is ComputedScalar:
        return x
    if isinstance(x, WeakScalar):
        kind = x.python_type
        weak = x.weak_value(DTYPE_OF[kind])
        value = record(OPS["cast"], weak, dtype=DTYPE_OF[kind])
        return ComputedScalar(value, kind, {Atom(value=value, given=x): 1} if kind is int else None)
    kind = type(x)
    if kind is int:
        if not LOWEST <= x <= HIGHEST:
            raise NotCaptured("a Python integer of more than 64 bits")
        return ComputedScalar(const(x, DTYPES["i64"]), int, {}, x, x, x)
    return ComputedScalar(const(x, DTYPE_OF[kind]), kind)


def convert(x: Any, kind: type) -> Any:
    """``kind(x)`` of a number for the same or a wider kind."""
    number = computed(x)
    if number.kind is kind:
        return number
    if kind is int:
        return ComputedScalar(number.as_kind(int), int, low=0, high=1)
    return ComputedScalar(number.as_kind(kind), kind)


def certain(x: ComputedScalar) -> ComputedScalar:
    """The number as what its kind says, where data decides whether it has that kind so far."""
    return x if soft.of(x) is None else ComputedScalar(record(OPS["cast"], x.value, dtype=DTYPE_OF[x.kind]), x.kind)


def guard_exact(x: ComputedScalar) -> None:
    """Of an int: that it is an exact float."""
    if x.low < -EXACT_FLOAT or x.high > EXACT_FLOAT:
        low, high = compare("greater_equal", x.value, -EXACT_FLOAT), compare("less_equal", x.value, EXACT_FLOAT)
        guard(record(ELEMENTWISE["logical_and"], low, high), "an integer is an exact float")


def floor_of(x: ComputedScalar, function: str) -> Any:
    """``math.floor(x)`` and the like: an int."""
    if x.kind in (int, bool):
        return convert(x, int)
    # (A cast truncates.)
    value = x.value if function == "trunc" else record(ELEMENTWISE[function], x.value)
    low, high = compare("greater_equal", value, -(2.0**63)), compare("less", value, 2.0**63)
    guard(record(ELEMENTWISE["logical_and"], low, high), "a float that becomes an int fits 64 bits")
    return ComputedScalar(record(OPS["cast"], value, dtype=DTYPES["i64"]), int)


def scalar_of_array(x: LazyArray, kind: type) -> Any:
    """``int(x)``, ``float(x)``, ``complex(x)``, ``bool(x)`` of an array with one element."""
    from lazyarr import views

    if x.size != 1 or (x.ndim and kind is not bool):
        raise NotCaptured(f"{kind.__name__}() of an array")
    value = views.reshape(x._value(), ())
    dtype = x.dtype
    soft.settle_unless_exact(x)
    if kind is bool:
        found = value if dtype.kind == "b" else record(ELEMENTWISE["not_equal"], value, const(0, dtype))
        return ComputedScalar(found, bool)
    if kind is int:
        if dtype.kind == "f":
            return floor_of(ComputedScalar(record(OPS["cast"], value, dtype=DTYPES["f64"]), float), "trunc")
        if dtype.kind not in "iub":
            raise NotCaptured(f"int() of {dtype}")
        if dtype == np.uint64:
            guard(compare("less_equal", value, HIGHEST), "a uint64 that becomes an int fits 64 bits")
            return ComputedScalar(record(OPS["cast"], value, dtype=DTYPES["i64"]), int, low=0)
        limits = (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
        wide = value if dtype == np.int64 else record(OPS["cast"], value, dtype=DTYPES["i64"])
        return certain(ComputedScalar(wide, int, low=limits[0], high=limits[1]))
    if kind is float and dtype.kind == "c":
        raise NotCaptured("float() of a complex number")
    wanted = DTYPE_OF[kind]
    return certain(ComputedScalar(value if dtype == wanted else record(OPS["cast"], value, dtype=wanted), kind))


def number_of(value: Value, low: int = LOWEST, high: int = HIGHEST, lower: Any = None, upper: Any = None) -> Any:
    """The computed int that an i64[] of the graph is, given what is known of its range."""
    if low == high:
        return low
    return ComputedScalar(value, int, {Atom(low, high, lower, upper, value): 1}, 0)


def placeholder_type(kind: type) -> ArrayType:
    """The type that a Python number of a kind has in the graph."""
    return ArrayType(DTYPE_OF[kind])


def _length_number(length: Length) -> Any:
    return number_of(length.scalar, 0, length.bound)


Length.as_number = staticmethod(_length_number)

from lazyarr import computed_arithmetic  # noqa: E402, F401  gives the class its operators
