"""NumPy's namespace over lazy arrays: ``import lazyarr.numpy as np``.

Every public name of NumPy is here. A call is recorded where lazyarr compiles it; the rest runs in NumPy on evaluated
values and is counted (`lazyarr.report`).
"""

from __future__ import annotations

import types
from functools import cache
from typing import Any

import numpy as _np

from lazyarr import recipes
from lazyarr.dispatch import UFUNCS, begun_call, dispatched, remember
from lazyarr.little.fast_path import install_calls, install_class, install_recording
from lazyarr.little.functions import taken
from lazyarr.numpy import _product, _ufunc


def _declare_ufuncs() -> None:
    candidates = [getattr(_np, name) for name in dir(_np)] + [_np._core.umath.clip]  # type: ignore[attr-defined]
    for value in candidates:
        if isinstance(value, _np.ufunc) and value not in UFUNCS:
            UFUNCS[value] = (_product.ProductUfunc if value in _product.PRODUCTS else _ufunc.Ufunc)(value)
    install_calls(_ufunc.Ufunc, UFUNCS.values())
    install_recording(_ufunc.kept_order)


_declare_ufuncs()
remember(recipes.call)
recipes.install()

from lazyarr import methods as _methods  # noqa: E402, F401
from lazyarr.numpy import (  # noqa: E402, F401  each registers what it implements
    _averages,
    _bits,
    _buffers,
    _calculus,
    _choose,
    _contract,
    _create,
    _definitions,
    _errors,
    _files,
    _forms,
    _grid,
    _histograms,
    _iterate,
    _least_squares,
    _matrices,
    _positions,
    _quantiles,
    _questions,
    _reduce,
    _scalars,
    _sets,
    _shape,
    _sliding,
    _statistics,
    _strided,
    _types,
)


@cache
def _function(function: Any) -> Any:
    return taken(function, dispatched(function, begun_call))


def _public(name: str) -> Any:
    value = getattr(_np, name)
    if isinstance(value, _np.ufunc):
        return UFUNCS[value]
    if isinstance(value, type):
        return _scalars.SCALAR_TYPES.get(value, value)
    if isinstance(value, types.ModuleType) and name in _forms.NAMES:
        return _forms.form(name)
    if isinstance(value, types.ModuleType) or not callable(value):
        return value
    return _function(value)


_OWN_MODULES = ("fft", "linalg", "random")
for _name in dir(_np):
    if not _name.startswith("_") and _name not in _OWN_MODULES:
        globals()[_name] = _public(_name)

ndarray, nditer = _types.ndarray, _iterate.nditer
install_class(ndarray)
c_, mgrid, ogrid, r_, vectorize = _grid.c_, _grid.mgrid, _grid.ogrid, _grid.r_, _grid.vectorize
errstate, seterr = _errors.errstate, _errors.seterr
geterr, geterrcall, seterrcall = _np.geterr, _np.geterrcall, _np.seterrcall
__version__ = _np.__version__
__all__ = list(_np.__all__)

from lazyarr.numpy import _modules, fft, linalg, random  # noqa: E402

_modules.install()

result_type: Any
stack: Any


def __getattr__(name: str) -> Any:
    # Names NumPy makes on demand, and the AttributeError (with its advice) for those it removed.
    return getattr(_np, name)


__all__ += [n for n in ("fft", "linalg", "random") if n not in __all__]
del _name
_ = (fft, linalg, random)
