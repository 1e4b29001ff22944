"""One program run by NumPy and by lazyarr: results, kinds of results, mutated arguments and exceptions must agree."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
from lazyarr.leaves import Leaf
from lazyarr.settings import settings

Program = Callable[..., Any]


def lazily(x: Any) -> Any:
    """`x` with its NumPy arrays and scalars made lazy, views of one base again views of one base."""
    if isinstance(x, np.generic):
        array = lnp.empty((1,), x.dtype)
        array[0] = x
        return array[0]
    if isinstance(x, np.ndarray):
        return lnp.array(x)
    if isinstance(x, (list, tuple)):
        return type(x)(lazily(item) for item in x)
    return x


def is_computed(x: Any) -> bool:
    """Whether a lazy array's elements are there; of NumPy's own scalars they are."""
    return isinstance(x._value().node, Leaf) if type(x) is LazyArray else isinstance(x, np.generic)


def outcome(program: Program, namespace: Any, arguments: Any) -> tuple[Any, Exception | None]:
    """What a program returns, or the exception it raises."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return program(namespace, *arguments), None
        except Exception as error:  # noqa: BLE001  which exception it is, is what is compared
            return None, error


def difference(expected: Any, found: Any, rtol: float = 0.0) -> str | None:
    """The first way in which a lazy result differs from NumPy's; None where it does not.

    Parameters
    ----------
    expected, found : object
        Of NumPy and of lazyarr; in nested tuples, lists and dicts.
    rtol : float
        Relative tolerance in units of the dtype's epsilon; 0 compares bits, with any NaN equal to any NaN.
    """
    if isinstance(expected, (tuple, list)):
        if type(expected) is not type(found) or len(expected) != len(found):
            return f"{type(found).__name__} {found!r}, not {type(expected).__name__} {expected!r}"
        return next((d for e, f in zip(expected, found) if (d := difference(e, f, rtol))), None)
    if isinstance(expected, dict):
        if list(expected) != list(found):
            return f"keys {list(found)}, not {list(expected)}"
        return next((d for k in expected if (d := difference(expected[k], found[k], rtol))), None)
    if not isinstance(expected, (np.ndarray, np.generic)):
        if type(expected) is not type(found):
            return f"{type(found).__name__}, not {type(expected).__name__}"
        same = expected == found or (isinstance(expected, float) and expected != expected and found != found)
        return None if same else f"{found!r}, not {expected!r}"
    if isinstance(found, LazyArray):
        if found._scalar != isinstance(expected, np.generic):
            return f"{'a scalar' if found._scalar else 'an array'}, not {type(expected).__name__}"
        given = found._elements("a test")
    else:
        if type(found) is not type(expected):
            return f"{type(found).__name__}, not {type(expected).__name__}"
        given = np.asarray(found)
    if found.dtype != expected.dtype:
        return f"dtype {found.dtype}, not {expected.dtype}"
    if given.dtype != expected.dtype or given.shape != found.shape:
        return f"said {found.dtype}{found.shape}, computed {given.dtype}{given.shape}"
    if found.shape != expected.shape:
        return f"shape {found.shape}, not {expected.shape}"
    if not equal(np.asarray(expected), np.asarray(given), rtol):
        return f"{given!r}, not {expected!r}"
    return None


def equal(expected: np.ndarray[Any, Any], found: np.ndarray[Any, Any], rtol: float = 0.0) -> bool:
    """Whether two arrays of one dtype and shape are equal, NaN and the sign of zero included."""
    if expected.dtype.kind == "c":
        return equal(expected.real, found.real, rtol) and equal(expected.imag, found.imag, rtol)
    if expected.dtype.kind != "f":
        return bool(np.array_equal(expected, found))
    both = np.isnan(expected) & np.isnan(found)
    exact = (expected == found) & (np.signbit(expected) == np.signbit(found))
    if rtol:
        with np.errstate(all="ignore"):
            info = np.finfo(expected.dtype)
            limit = rtol * info.eps * np.abs(expected) + info.smallest_subnormal
            exact = exact | (np.abs(expected - found) <= limit)
    return bool(np.all(both | exact))


def disagreement(program: Program, *arguments: Any, rtol: float = 0.0, message: bool = False) -> str | None:
    """How lazyarr's run of ``program(namespace, *arguments)`` differs from NumPy's; None where it does not."""
    mine = [x.copy(order="K") if isinstance(x, np.ndarray) else x for x in arguments]
    lazy = [lazily(x) for x in arguments]
    expected, error = outcome(program, np, mine)
    found, lazy_error = outcome(program, lnp, lazy)
    if error is not None or lazy_error is not None:
        if error is None:
            return f"raises {lazy_error!r}, NumPy gives {expected!r}"
        if lazy_error is None:
            return f"gives {found!r}, NumPy raises {error!r}"
        if not isinstance(lazy_error, type(error)):
            return f"raises {lazy_error!r}, NumPy {error!r}"
        if message and str(error) != str(lazy_error):
            return f"says {str(lazy_error)!r}, NumPy {str(error)!r}"
    different = difference(expected, found, rtol)
    if different is not None:
        return different
    for k, (x, y, before) in enumerate(zip(mine, lazy, arguments)):
        if isinstance(x, np.ndarray) and (changed := difference(x, y, rtol)):
            # A call of NumPy that fails may have written something; lazyarr's has not.
            if error is None or difference(before, y):
                return f"argument {k} is then {changed}"
    return None


def agree(program: Program, *arguments: Any, rtol: float = 0.0, message: bool = False) -> None:
    """Fail where lazyarr's run of a program differs from NumPy's.

    Parameters
    ----------
    program : callable
        ``program(namespace, *arguments)``, given `numpy` and arrays, then `lazyarr.numpy` and lazy arrays.
    *arguments
        NumPy arrays (copied for each run), and anything else (passed on).
    rtol : float
        As `difference`.
    message : bool
        Whether an exception's words are compared besides its class.
    """
    with settings(fallback="allow"):
        found = disagreement(program, *arguments, rtol=rtol, message=message)
    assert found is None, found
