"""What ``a and b`` gives where the operands are of two kinds: its truth can be computed, its value cannot."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar
from lazyarr.runtime import NotCaptured
from lazyarr.tracing.control.python import Control


class Truth:
    """The truth of ``a and b`` or ``a or b``; any other use of it cannot be captured.

    Attributes
    ----------
    value : ComputedScalar
        A bool.
    """

    __slots__ = ("value",)

    def __init__(self, value: ComputedScalar):
        self.value = value

    def _fail(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotCaptured("the value of `and` or `or` of two kinds of operands")

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self._fail()


_FAILING = (
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod divmod rdivmod pow rpow matmul rmatmul "
    "lshift rlshift rshift rrshift and rand or ror xor rxor neg pos abs invert lt le gt ge eq ne hash bool int float "
    "complex index round trunc floor ceil len iter next getitem setitem delitem contains call str repr format array"
).split()
for _name in _FAILING:
    setattr(Truth, f"__{_name}__", Truth._fail)


def is_known_bool(control: Control, value: Any, known: Any) -> Any:
    """``x is True``, ``x is np.False_``: of Python's bools, or of NumPy's; what is computed has no identity yet."""
    if type(value) is Truth:
        value._fail()
    if type(known) is np.bool_:
        if not isinstance(value, LazyArray) or not value._scalar or value.dtype != np.bool_:
            return value is known
        found = control.call(bool, value)
        return found if known else control.not_(found)
    if type(value) is ComputedScalar and value.kind is bool:
        return value if known else control.not_(value)
    return value is known
