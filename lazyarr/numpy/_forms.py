"""Forms of `numpy.testing` and `numpy.polynomial` whose functions know lazy arrays.

NumPy's own ask ``isinstance(x, numpy.ndarray)`` of what they compare, and of where polynomials are evaluated.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import wraps
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.numpy._scalars import ScalarType

_KINDS = ("polynomial", "chebyshev", "hermite", "hermite_e", "laguerre", "legendre")
#: NumPy's modules that have a form here.
NAMES = frozenset(("testing", "polynomial", "rec", *(f"polynomial.{kind}" for kind in _KINDS)))
_forms: dict[str, ModuleType] = {}


def form(name: str) -> ModuleType:
    """The form of ``numpy.<name>``, one of `NAMES`: NumPy's module with other functions in it."""
    found = _forms.get(name)
    if found is None:
        theirs = importlib.import_module(f"numpy.{name}")
        found = _forms[name] = ModuleType(theirs.__name__, theirs.__doc__)
        vars(found).update(vars(theirs))
        for key, value in vars(theirs).items():
            if isinstance(value, ModuleType) and f"{name}.{key}" in NAMES:
                setattr(found, key, form(f"{name}.{key}"))
            elif isinstance(value, FunctionType) and not key.startswith("_"):
                setattr(found, key, _function(name, key, value))
    return found


def _function(module: str, name: str, function: Any) -> Any:
    if module == "testing":
        compares = name.startswith("assert_") and "raises" not in name and "warn" not in name
        return _of_data(function) if compares else function
    if module == "rec":
        return _of_data(function) if name in ("array", "fromarrays", "fromrecords") else function
    if name.endswith(("grid2d", "grid3d")):
        return _of_data(function)
    if name.endswith("valfromroots"):
        return _evaluating(function, "r")
    return _evaluating(function, "c") if name.endswith("val") else function


def _of_data(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that gets NumPy's arrays in the place of lazy ones."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*map(_data, args), **{name: _data(x) for name, x in kwargs.items()})

    return call


def _data(x: Any) -> Any:
    if isinstance(x, LazyArray):
        seen = x._elements("a function of NumPy's")
        return seen[()] if x._scalar else seen
    if type(x) in (list, tuple):
        return type(x)(map(_data, x))
    if isinstance(x, ScalarType):
        return x.numpy
    return {key: _data(item) for key, item in x.items()} if type(x) is dict else x


def _evaluating(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A function that evaluates a polynomial, of several columns of coefficients (`name`) at each of the points too."""

    @wraps(function)
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        given = {**dict(zip((name, "tensor"), args, strict=False)), **kwargs}
        if isinstance(x, LazyArray) and not x._scalar and len(args) < 3 and given.keys() <= {name, "tensor"}:
            if name in given and given.get("tensor", True):
                # (What NumPy does for its own arrays.)
                coefficients = np.array(given[name], ndmin=1)
                return function(x, coefficients.reshape(coefficients.shape + (1,) * x.ndim), tensor=False)
        return function(x, *args, **kwargs)

    return call


__all__ = ["NAMES", "form"]
