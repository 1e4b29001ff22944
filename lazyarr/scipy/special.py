"""Special functions: of what is compiled where that is exact to some units in the last place, else SciPy's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import UFUNCS, NotCompiled
from lazyarr.ir.node import Value
from lazyarr.ir.types import DTYPES
from lazyarr.numpy._through import lazy
from lazyarr.numpy._ufunc import Ufunc
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.ops.python_math import PYTHON_MATH
from lazyarr.ops.special import SPECIAL
from lazyarr.runtime import record, record_all
from lazyarr.scipy._register import implements

_F64 = DTYPES["f64"]


class SpecialUfunc(Ufunc):
    """The lazy counterpart of a ufunc of `scipy.special`."""

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
            return record_all(SPECIAL, *values, name=self.__name__)
        # (SciPy's loops of single precision compute in double precision, too.)
        wide = (LazyArray._new(cast(v, _F64), scalar=v.type.shape == ()) for v in values)
        return (cast(self._definition(*wide)._value(), given),)


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


#: In double precision.
_DEFINITIONS: dict[str, Callable[..., Any]] = {
    "erf": _erf, "erfc": _erfc, "ndtr": _ndtr, "expit": lambda x: 1.0 / (1.0 + lazy.exp(-x)), "logit": _logit,
    "xlogy": _times_logarithm("log"), "xlog1py": _times_logarithm("log1p"), "entr": _entr,
    **{name: _one(ELEMENTWISE[name]) for name in ("cbrt", "exp2", "expm1", "log1p")},
}  # fmt: skip


def _shifted(x: Any, axis: Any) -> Any:
    """What `softmax` and its logarithm have an exponential of: nothing above 0."""
    x = as_lazy(x)
    if x.dtype.kind not in "fiub":
        raise NotCompiled(f"dtype {x.dtype}")
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    return x, lazy.amax(x, axis=axis, keepdims=True)


@implements("scipy.special", "softmax")
def softmax(x: Any, axis: Any = None) -> Any:
    """As `scipy.special.softmax`."""
    x, top = _shifted(x, axis)
    weights = UFUNCS[np.exp](x - top)
    return weights / lazy.sum(weights, axis=axis, keepdims=True)


@implements("scipy.special", "log_softmax")
def log_softmax(x: Any, axis: Any = None) -> Any:
    """As `scipy.special.log_softmax`."""
    x, top = _shifted(x, axis)
    shifted = x - lazy.where(lazy.isfinite(top), top, 0)
    return shifted - lazy.log(lazy.sum(lazy.exp(shifted), axis=axis, keepdims=True))


@implements("scipy.special", "logsumexp")
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """As `scipy.special.logsumexp` without weights and signs."""
    if b is not None or return_sign:
        raise NotCompiled("weights and signs")
    x, top = _shifted(a, axis)
    base = lazy.where(lazy.isfinite(top), top, 0)
    total = lazy.sum(lazy.exp(x - base), axis=axis, keepdims=keepdims)
    return lazy.log(total) + (base if keepdims else lazy.squeeze(base, axis=axis))
