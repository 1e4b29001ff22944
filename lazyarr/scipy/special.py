"""Special functions: of what is compiled where that is exact to some units in the last place, else SciPy's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import NotCompiled, run_definition
from lazyarr.ir.node import Value
from lazyarr.ir.types import DTYPES
from lazyarr.numpy._through import lazy
from lazyarr.numpy._ufunc import Ufunc
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.ops.python_math import PYTHON_MATH
from lazyarr.ops.special import SPECIAL
from lazyarr.runtime import record, record_all, recording
from lazyarr.scipy._register import implements

_F64 = DTYPES["f64"]


class SpecialUfunc(Ufunc):
    """The lazy counterpart of a ufunc of `scipy.special`."""

    module = "scipy.special"

    def __init__(self, ufunc: np.ufunc):
        super().__init__(ufunc)
        self.op = SPECIAL
        self._plain_enough, self._flops = False, None
        self._definition = _DEFINITIONS.get(self.__name__)

    def __reduce__(self) -> tuple[Any, ...]:
        return ufunc, (self.numpy,)

    def _recorded(self, values: Sequence[Any]) -> tuple[Value, ...]:
        given = values[0].type.dtype
        if self._definition is None or any(v.type.dtype != given or given.kind != "f" for v in values):
            if getattr(recording().observer, "depth", 0) and not any(v.type.shape for v in values):
                raise NotCompiled("it would be called back for one number at a time")
            return record_all(SPECIAL, *values, name=self.__name__)
        # (As in SciPy's loops.)
        inside = given if self.__name__ in _IN_OWN_PRECISION else _F64
        wide = (LazyArray._new(cast(v, inside), scalar=v.type.shape == ()) for v in values)
        return (cast(as_lazy(run_definition(self._definition, tuple(wide), {}))._value(), given),)


@lru_cache(maxsize=1024)
def ufunc(numpy: np.ufunc) -> SpecialUfunc:
    """The counterpart of a ufunc of `scipy.special`."""
    return SpecialUfunc(numpy)


def _one(op: Any) -> Callable[[Any], Any]:
    def apply(x: Any) -> Any:
        return LazyArray._new(record(op, x._value()), scalar=x._scalar)

    return apply


_erf, _erfc = _one(PYTHON_MATH["erf"]), _one(PYTHON_MATH["erfc"])


def _ndtr(a: Any) -> Any:
    # As Cephes: each branch where it loses no digits.
    x = a * math.sqrt(0.5)
    tail = 0.5 * _erfc(abs(x))
    return lazy.where(abs(x) < 1.0, 0.5 + 0.5 * _erf(x), lazy.where(x > 0.0, 1.0 - tail, tail))


def _logit(x: Any) -> Any:
    s = 2.0 * (x - 0.5)
    near = (x >= 0.3) & (x <= 0.65)
    return lazy.where(near, lazy.log1p(s) - lazy.log1p(-s), lazy.log(x / (1.0 - x)))


def _times_logarithm(logarithm: str) -> Callable[[Any, Any], Any]:
    def product(x: Any, y: Any) -> Any:
        return lazy.where((x == 0.0) & ~lazy.isnan(y), 0.0, x * getattr(lazy, logarithm)(y))

    return product


def _entr(x: Any) -> Any:
    return lazy.where(x > 0.0, -x * lazy.log(x), lazy.where(x == 0.0, 0.0, lazy.where(lazy.isnan(x), x, -np.inf)))


#: Of real numbers; in double precision, but those of the second table.
_DEFINITIONS: dict[str, Callable[..., Any]] = {
    "erf": _erf, "erfc": _erfc, "ndtr": _ndtr, "expit": lambda x: 1.0 / (1.0 + lazy.exp(-x)), "logit": _logit,
    "xlogy": _times_logarithm("log"), "xlog1py": _times_logarithm("log1p"), "entr": _entr,
    **{name: _one(ELEMENTWISE[name]) for name in ("cbrt", "exp2", "expm1", "log1p")},
}  # fmt: skip
_IN_OWN_PRECISION = {"expit", "logit"}


def _with_maximum(x: Any, axis: Any) -> Any:
    """An array of floats, and its maxima along axes that are kept."""
    x = as_lazy(x)
    if x.dtype.kind != "f":
        raise NotCompiled(f"dtype {x.dtype}")
    if x.ndim == 0 or axis == ():
        raise NotCompiled("no axis")
    return x, lazy.amax(x, axis=axis, keepdims=True)


@implements("scipy.special", "softmax")
def softmax(x: Any, axis: Any = None) -> Any:
    """As `scipy.special.softmax`."""
    x, top = _with_maximum(x, axis)
    weights = lazy.exp(x - top)
    return weights / lazy.sum(weights, axis=axis, keepdims=True)


@implements("scipy.special", "log_softmax")
def log_softmax(x: Any, axis: Any = None) -> Any:
    """As `scipy.special.log_softmax`."""
    x, top = _with_maximum(x, axis)
    shifted = x - lazy.where(lazy.isfinite(top), top, 0)
    return shifted - lazy.log(lazy.sum(lazy.exp(shifted), axis=axis, keepdims=True))


@implements("scipy.special", "logsumexp")
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """As `scipy.special.logsumexp` without weights and signs."""
    if b is not None or return_sign:
        raise NotCompiled("weights and signs")
    x, top = _with_maximum(a, axis)
    # As SciPy: terms as large as the largest are counted, for what the others add may be very little.
    largest = x == top
    count = lazy.sum(largest, axis=axis, keepdims=keepdims, dtype=x.dtype)
    others = lazy.where(largest, -np.inf, x) - lazy.where(lazy.isfinite(top), top, 0)
    rest = lazy.sum(lazy.exp(others), axis=axis, keepdims=keepdims)
    rest = lazy.where(rest == 0, rest, rest / count)
    return lazy.log1p(rest) + lazy.log(count) + (top if keepdims else lazy.squeeze(top, axis=axis))
