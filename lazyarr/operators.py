"""Python's operators as calls of NumPy's ufuncs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from lazyarr import complex_scalars, scalar_powers
from lazyarr.dispatch import UFUNCS
from lazyarr.runtime import record, traced
from lazyarr.weak import WeakScalar

#: Operator -> ufunc, in Python's own naming of the special methods.
BINARY = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "divmod": np.divmod, "pow": np.power, "matmul": np.matmul, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
COMPARE = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
           "ge": np.greater_equal}  # fmt: skip
UNARY = {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}


def _defers(other: Any) -> bool:
    """Whether `other` wants to handle the operator itself (NumPy's rule for binary operators)."""
    kind = type(other)
    if kind is float or kind is int or issubclass(kind, ArrayOperators):
        return False
    if kind in (int, float, complex, bool, np.ndarray) or isinstance(other, (ArrayOperators, np.generic, np.ndarray)):
        return False
    return getattr(kind, "__array_ufunc__", True) is None


def _taken(name: str, array: Any, other: Any, was_asked: bool = False, in_place: bool = False) -> Any:
    """What the operator `name` of `other` gives where that comes first, as in NumPy: by its ``__array_priority__``, or
    because it is of a class derived from NumPy's arrays that has an operator of its own (a matrix).

    (NotImplemented where it does not, or has nothing to say: then the array's operator goes on.) `was_asked`: whether
    Python has called it with the lazy array.
    """
    kind = type(other)
    if kind in _WITHOUT:
        return NotImplemented
    if issubclass(kind, np.ndarray):
        if in_place or getattr(kind, name, None) is getattr(np.ndarray, name, None):
            return NotImplemented
    elif hasattr(kind, "__array_ufunc__") or issubclass(kind, ArrayOperators):
        return NotImplemented
    else:
        priority = getattr(other, "__array_priority__", None)
        if priority is None or not priority > (_OF_SCALARS if array._scalar else 0.0):
            return NotImplemented
    from lazyarr.tracing.packages import is_users

    is_packages = not is_users(kind.__module__)
    operator = getattr(kind, name, None)
    if operator is None or (was_asked and not is_packages):
        return NotImplemented
    # (Sparse matrices look for NumPy's own class.)
    return operator(other, array._elements("a package's operator") if is_packages and not array._scalar else array)


#: The priority of NumPy's scalars.
_OF_SCALARS = -1000000.0
#: Classes of operands that have no priority.
_WITHOUT = frozenset((float, int, bool, complex, list, tuple, str, bytes, type(None), np.ndarray))
#: Comparison -> what asks the same from the other side.
_TURNED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


#: Whether code of another package runs, called by a function that is traced: it knows NumPy's classes alone.
among_others: ContextVar[bool] = ContextVar("among_others", default=False)


class ArrayOperators:
    """The operators of an array; each method is made from the tables of this file."""

    __slots__ = ()

    def _class(self) -> Any:
        """What `isinstance` asks for: a scalar passes for NumPy's class, and so for a float or a complex number.

        (Not in a function that is traced, where NumPy's scalars and lazy ones are told apart.)
        """
        caller = sys._getframe().f_back
        if caller and caller.f_code.co_name in ASK_FOR_NUMPYS.get(caller.f_globals.get("__name__"), ()):
            return np.ndarray
        array: Any = self
        is_scalar = array._mine is None and array._lent is None and array._scalar is True
        known = traced.get() is None or among_others.get()
        return array.dtype.type if is_scalar and known else (_shown or type(self))

    __class__ = property(_class)


#: Functions of other packages that ask whether something is one of NumPy's arrays, and convert what is one: masks and
#: labels of data frames, values of a grid of parameters, matrices of solvers. Module -> names.
ASK_FOR_NUMPYS: dict[Any, frozenset[str]] = {
    "pandas.core.common": frozenset(("is_bool_indexer",)),
    "pandas.core.frame": frozenset(("_align_for_op", "set_index")),
    "pandas.core.algorithms": frozenset(("_ensure_arraylike", "factorize")),
    "scipy.sparse.linalg._interface": frozenset(("aslinearoperator",)),
    "sklearn.model_selection._search": frozenset(("__init__",)),
}
#: The class of arrays that programs know; None until it is there.
_shown: type[Any] | None = None


def show(kind: type[Any]) -> None:
    """Have ``x.__class__`` of arrays be a class: `lazyarr.numpy.ndarray`."""
    global _shown
    _shown = kind


def _call(ufunc: np.ufunc, *args: Any, **kwargs: Any) -> Any:
    return UFUNCS[ufunc].operator(*args, **kwargs)


def _power(x: Any, exponent: Any, **out: Any) -> Any:
    # NumPy's `**` (not numpy.power) takes these short cuts for a Python scalar exponent.
    kind = type(exponent)
    if kind is int:
        if exponent == 2:
            return _call(np.square, x, **out)
        if exponent == -1 and x.dtype.kind in "fc":
            return _call(np.reciprocal, x, **out)
    elif kind is float and exponent == 0.5 and x.dtype.kind in "fc":
        return _call(np.sqrt, x, **out)
    return _call(np.power, x, exponent, **out)


def _scalar_power(x: Any, y: Any) -> Any:
    """``x ** y`` of a NumPy scalar and another number: see `scalar_powers`."""
    found = _call(np.power, x, y)
    if not getattr(found, "_scalar", False) or found.dtype.kind != "f":
        return found
    value = found._value()
    if value.node.op.name != "power" or not (_is_scalar(x) and _is_scalar(y)):
        return found
    base, exponent = value.node.operands
    changed = scalar_powers.as_pow(base, exponent)
    return found if changed is base else found._new(record(value.node.op, changed, exponent), None, True)


def _repeated(sequence: Any, times: Any) -> Any:
    """``sequence * times`` with a NumPy scalar, which is Python's repetition."""
    if times.dtype.kind not in "iu":
        raise TypeError(f"can't multiply sequence by non-int of type 'numpy.{times.dtype.name}'")
    return sequence * times.__index__()


def _product(x: Any, y: Any) -> Any:
    """``x * y``: of complex scalars the operator rounds otherwise than the ufunc."""
    found = _call(np.multiply, x, y)
    if not hasattr(found, "_scalar"):
        return found  # (Of fractions Python's own arithmetic made it.)
    if found.dtype.kind != "c" or found.shape or not found._scalar:
        return found
    node = found._value().node
    if node.op.name != "multiply" or not (_is_scalar(x) and _is_scalar(y)):
        return found
    return found._new(complex_scalars.product(*node.operands), None, True)


def _is_scalar(x: Any) -> bool:
    return isinstance(x, (int, float, complex, np.generic, WeakScalar)) or bool(getattr(x, "_scalar", False))


def _absolute(x: Any) -> Any:
    """``abs(x)``: see `_product`."""
    if x._scalar and x.dtype.kind == "c":
        return x._new(complex_scalars.magnitude(x._value()), None, True)
    return _call(np.absolute, x)


def _forward(ufunc: np.ufunc, turned: str) -> Callable[[Any, Any], Any]:
    repeats = ufunc is np.multiply

    def operator(self: Any, other: Any) -> Any:
        if _defers(other):
            return NotImplemented
        if (found := _taken(turned, self, other)) is not NotImplemented:
            return found
        if ufunc is np.power:
            return _scalar_power(self, other) if self._scalar else _power(self, other)
        if repeats and self._scalar and isinstance(other, (list, tuple, str, bytes)):
            return _repeated(other, self)
        return _product(self, other) if repeats else _call(ufunc, self, other)

    return operator


def _equality(ufunc: np.ufunc, turned: str) -> Callable[[Any, Any], Any]:
    compare = _forward(ufunc, turned)

    def operator(self: Any, other: Any) -> Any:
        if other is not None:
            try:
                return compare(self, other)
            except np._core._exceptions._UFuncNoLoopError:  # type: ignore[attr-defined]
                pass
        elif self._scalar:
            return ufunc is np.not_equal
        # What no loop compares (an array with a string) is not equal, says NumPy's ``==``; numpy.equal raises.
        from lazyarr.convert import from_numpy

        unequal = np.full(np.broadcast_shapes(self.shape, np.shape(other)), ufunc is np.not_equal)
        return from_numpy(unequal[()], copy=False)

    return operator


def _reflected(ufunc: np.ufunc, turned: str) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        if _defers(other):
            return NotImplemented
        if (found := _taken(turned, self, other, was_asked=True)) is not NotImplemented:
            return found
        if ufunc is np.multiply and self._scalar and isinstance(other, (list, tuple, str, bytes)):
            return _repeated(other, self)
        if ufunc is np.power and self._scalar:
            return _scalar_power(other, self)
        return _product(other, self) if ufunc is np.multiply else _call(ufunc, other, self)

    return operator


def _in_place(ufunc: np.ufunc, turned: str) -> Callable[[Any, Any], Any]:
    def operator(self: Any, other: Any) -> Any:
        if self._scalar:
            return NotImplemented
        if (found := _taken(turned, self, other, in_place=True)) is not NotImplemented:
            return found
        if ufunc is np.power:
            return _power(self, other, out=(self,))
        if ufunc is np.matmul and (not self.ndim or np.ndim(other) < 2):
            # (A product of another kind is refused first.)
            given = other.dtype if hasattr(other, "dtype") else np.asarray(other).dtype
            np.matmul.resolve_dtypes((self.dtype, given, self.dtype))
            # (What has fewer axes than the array would be repeated along it.)
            raise ValueError("inplace matrix multiplication requires the first operand to have at least one and the "
                             "second at least two dimensions.")
        return _call(ufunc, self, other, out=(self,))

    return operator


def _unary(ufunc: np.ufunc) -> Callable[[Any], Any]:
    return lambda self: _call(ufunc, self)


for _name, _ufunc in BINARY.items():
    setattr(ArrayOperators, f"__{_name}__", _forward(_ufunc, f"__r{_name}__"))
    setattr(ArrayOperators, f"__r{_name}__", _reflected(_ufunc, f"__{_name}__"))
    if _name != "divmod":
        setattr(ArrayOperators, f"__i{_name}__", _in_place(_ufunc, f"__r{_name}__"))
for _name, _ufunc in COMPARE.items():
    _compare = _equality if _name in ("eq", "ne") else _forward
    setattr(ArrayOperators, f"__{_name}__", _compare(_ufunc, f"__{_TURNED[_name]}__"))
for _name, _ufunc in UNARY.items():
    setattr(ArrayOperators, f"__{_name}__", _absolute if _ufunc is np.absolute else _unary(_ufunc))
