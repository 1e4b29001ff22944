"""What methods of streams are made of: a few distributions that programs draw, and arithmetic.

Each is a function with the parameters of NumPy's own, after one that draws; the arithmetic is that of NumPy's code in C
(numpy/random/src/distributions, numpy/random/mtrand.pyx, _generator.pyx), number by number, and of CPython's
Lib/random.py.
"""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar, scalar_of_array
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES
from lazyarr.ops.create import const
from lazyarr.runtime import guard, record
from lazyarr.tracing.scalars import TracedScalar, python_call
from lazyarr.weak import WeakScalar

#: ``draw(distribution, shape, *limits)``: numbers of one of `lazyarr.ops.draws`.
Draw = Callable[..., LazyArray]
#: How far the sum of probabilities may be from 1, as NumPy has it.
_TOLERANCE = math.sqrt(np.finfo(np.float64).eps)


class Unsupported(Exception):
    """NumPy has to draw."""


def recipe(kind: str, name: str) -> Callable[[Draw, tuple[Any, ...], dict[str, Any]], Any] | None:
    """What draws as a method of a kind of stream does; None where only NumPy does."""
    found = _RECIPES[kind].get(name)
    if found is None:
        return None

    def call(draw: Draw, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            bound = _signature(found).bind(draw, *args, **kwargs)
        except TypeError:
            raise Unsupported from None  # NumPy's own message is better.
        return found(*bound.args, **bound.kwargs)

    return call


def is_drawn(kind: str | None, name: str) -> bool:
    """Whether a method of a kind of stream can be part of a program."""
    return kind is not None and (name in _RECIPES[kind] or name == "seed" and kind != "pcg64")


@cache
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


# --- parameters --------------------------------------------------------------------------------------------------


def _shape(size: Any) -> tuple[int, ...] | None:
    """The shape that a size means; None for one number."""
    if size is None:
        return None
    try:
        found = tuple(map(operator.index, size)) if isinstance(size, (tuple, list)) else (operator.index(size),)
    except TypeError:
        raise Unsupported from None
    if any(n < 0 for n in found):
        raise Unsupported
    return found


def _number(x: Any) -> Any:
    """A parameter as Python's float, also one that the program computes; an array as one of floats."""
    if type(x) in (TracedScalar, ComputedScalar):
        if x.python_type not in (int, float, bool):
            raise Unsupported
        return x + 0.0
    if isinstance(x, LazyArray):
        if x.dtype.kind not in "fiub" or x.dtype == np.longdouble:
            raise Unsupported
        return scalar_of_array(x, float) if x._scalar else x.astype(np.float64) if x.ndim else _no()
    if isinstance(x, (bool, int, float, np.integer, np.floating)):
        return float(x)
    raise Unsupported


def _no() -> Any:
    raise Unsupported


def _integer(x: Any) -> Any:
    """A limit as Python's int, also one that the program computes."""
    if isinstance(x, LazyArray):
        if not x._scalar or x.dtype.kind not in "iu":
            raise Unsupported
        return scalar_of_array(x, int)
    if isinstance(x, WeakScalar):
        return x if x.python_type is int else _no()
    if isinstance(x, (bool, np.bool_)) or not isinstance(x, (int, np.integer)):
        raise Unsupported
    return int(x)


def _require(holds: Any, what: str) -> None:
    """Have NumPy draw, and raise its error, where a condition on parameters does not hold."""
    if isinstance(holds, ComputedScalar):
        guard(holds.value, what)
    elif not holds:
        raise Unsupported


def _require_not_negative(x: Any, what: str) -> None:
    """The same of a scale; -0.0 is a negative one for NumPy."""
    import lazyarr.numpy as lazy

    if isinstance(x, LazyArray):
        _require(scalar_of_array(lazy.logical_not(lazy.any(lazy.signbit(x))), bool), what)
    else:
        _require(math.copysign(1.0, x) > 0 if type(x) is float else x > 0.0, what)


def _value(x: Any) -> Value:
    """An int as an operand."""
    if isinstance(x, WeakScalar):
        dtype = DTYPES["i64"]
        return _cast(x.weak_value(dtype), dtype)
    return const(x, DTYPES["i64"])


def _cast(value: Value, dtype: np.dtype[Any]) -> Value:
    return value if value.type.dtype == dtype and not value.type.weak else record(OPS["cast"], value, dtype=dtype)


#: The least seed that `RandomState` does not take.
_SEEDS = 2**32


def seeding(kind: str, seed: Any) -> Value:
    """The state of a stream of a kind that a seed makes, an int."""
    from lazyarr.ops.draws import SEED

    seed = _integer(seed)
    what = "a seed of random numbers is not negative, and fits 32 bits"
    if kind != "python":
        _require(seed >= 0, what)
    if kind == "mt19937":
        _require(seed < _SEEDS, what)
    return record(SEED, _value(seed), stream=kind)


# --- distributions of floats -------------------------------------------------------------------------------------


def _floats(draw: Draw, distribution: str, shape: tuple[int, ...] | None) -> Any:
    """An array, or one number: a Python float."""
    found = draw(distribution, shape or ())
    return scalar_of_array(found, float) if shape is None else found if shape else _no()


def _standard(distribution: str) -> Callable[..., Any]:
    def legacy(draw: Draw, size: Any = None) -> Any:
        return _floats(draw, distribution, _shape(size))

    return legacy


def _standard_of(distribution: str) -> Callable[..., Any]:
    def modern(draw: Draw, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        if out is not None or np.dtype(dtype) != np.float64:
            raise Unsupported
        return _floats(draw, distribution, _shape(size))

    return modern


def _exponential_of(draw: Draw, size: Any = None, dtype: Any = np.float64, method: str = "zig", out: Any = None) -> Any:
    if method != "zig":
        raise Unsupported
    return _standard_of("standard_exponential")(draw, size, dtype, out)


def _by_extents(distribution: str) -> Callable[..., Any]:
    def legacy(draw: Draw, *extents: Any) -> Any:
        return _floats(draw, distribution, _shape(extents) if extents else None)

    return legacy


def _together(size: Any, *parameters: Any) -> tuple[int, ...] | None:
    """The shape of what is drawn with parameters; None for one number."""
    shapes = [x.shape for x in parameters if isinstance(x, LazyArray)]
    shape = _shape(size)
    if not shapes:
        return shape
    if any(not isinstance(n, int) for s in shapes for n in s):
        raise Unsupported
    try:
        common = np.broadcast_shapes(*shapes)
        if shape is not None and np.broadcast_shapes(common, shape) != shape:
            raise Unsupported
    except ValueError:
        raise Unsupported from None
    return common if shape is None else shape


def _normal(draw: Draw, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
    loc, scale = _number(loc), _number(scale)
    _require_not_negative(scale, "the scale of normal numbers is not negative")
    return loc + scale * _floats(draw, "standard_normal", _together(size, loc, scale))


def _exponential(draw: Draw, scale: Any = 1.0, size: Any = None) -> Any:
    scale = _number(scale)
    _require_not_negative(scale, "the scale of exponential numbers is not negative")
    return scale * _floats(draw, "standard_exponential", _together(size, scale))


def _uniform(draw: Draw, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    low, high = _number(low), _number(high)
    if isinstance(low, LazyArray) or isinstance(high, LazyArray):
        raise Unsupported
    width = high - low
    what = "the range of uniform numbers is finite, and not negative"
    _require(width >= 0.0, what)
    _require(width < math.inf, what)
    return low + width * _floats(draw, "random", _shape(size))


# --- integers and choices ----------------------------------------------------------------------------------------


def _float(x: Any) -> Value:
    """A number as an operand of float64."""
    dtype = DTYPES["f64"]
    return _cast(x.weak_value(dtype), dtype) if isinstance(x, WeakScalar) else const(x, dtype)


def _one(x: Any) -> Any:
    """A parameter that is one number."""
    found = _number(x)
    return _no() if isinstance(found, LazyArray) else found


def _gamma(draw: Draw, shape: Any, scale: Any = 1.0, size: Any = None) -> Any:
    scale = _one(scale)
    _require_not_negative(scale, "the scale of gamma numbers is not negative")
    return scale * _standard_gamma(draw, shape, size)


def _standard_gamma(draw: Draw, shape: Any, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
    if out is not None or np.dtype(dtype) != np.float64:
        raise Unsupported
    shape = _one(shape)
    _require_not_negative(shape, "the shape of gamma numbers is not negative")
    return _floats(partial(_with, draw, _float(shape)), "standard_gamma", _shape(size))


def _with(draw: Draw, parameter: Value, distribution: str, shape: tuple[int, ...]) -> LazyArray:
    return draw(distribution, shape, parameter)


def _lognormal(draw: Draw, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Any:
    import lazyarr.numpy as lazy

    found = _normal(draw, mean, sigma, size)
    return lazy.exp(found) if isinstance(found, LazyArray) else python_call(math.exp)(found)


#: The largest mean of Poisson's numbers that NumPy takes: they fit 64 bits.
_LARGEST_MEAN = np.iinfo(np.int64).max - np.sqrt(np.iinfo(np.int64).max) * 10


def _poisson(draw: Draw, lam: Any = 1.0, size: Any = None) -> Any:
    lam, shape = _one(lam), _shape(size)
    what = "the mean of Poisson numbers is not negative, and not too large"
    _require(lam >= 0.0, what)
    _require(lam < float(_LARGEST_MEAN), what)
    return _counts(draw("poisson", shape or (), _float(lam)), shape, 0, 2**63 - 1)


def _binomial(draw: Draw, n: Any, p: Any, size: Any = None) -> Any:
    n, p, shape = _integer(n), _one(p), _shape(size)
    what = "the parameters of binomial numbers are in their ranges"
    for holds in (n >= 0, p >= 0.0, p <= 1.0):
        _require(holds, what)
    return _counts(draw("binomial", shape or (), _value(n), _float(p)), shape, 0, 2**63 - 1)


def _counts(found: LazyArray, shape: tuple[int, ...] | None, low: int, high: int) -> Any:
    return _as_int(found, low, high) if shape is None else found if shape else _no()


def _below(draw: Draw, low: Any, high: Any, shape: tuple[int, ...] | None) -> LazyArray:
    _require(low < high, "the limits of random integers are in order")
    return draw("integers", shape or (), _value(low), _value(high))


def _limits(low: Any, high: Any) -> tuple[Any, Any]:
    return (0, _integer(low)) if high is None else (_integer(low), _integer(high))


def _as_int(found: LazyArray, low: Any, high: Any) -> ComputedScalar:
    """One integer, as Python's; what is known of its range lets checks of indices be left out."""
    limits = [x if isinstance(x, int) and type(x) is int else None for x in (low, high)]
    least = limits[0] if limits[0] is not None else low.low if isinstance(low, ComputedScalar) else -(2**63)
    most = limits[1] if limits[1] is not None else high.high if isinstance(high, ComputedScalar) else 2**63 - 1
    return ComputedScalar(found._value(), int, low=least, high=most - 1)


def _randint(draw: Draw, low: Any, high: Any = None, size: Any = None, dtype: Any = int) -> Any:
    if dtype is not int and np.dtype(dtype) != np.int64:
        raise Unsupported
    low, high = _limits(low, high)
    shape = _shape(size)
    found = _below(draw, low, high, shape)
    if shape is None:
        return _as_int(found, low, high) if dtype is int else found
    return found if shape else _no()


def _integers(
    draw: Draw, low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64, endpoint: bool = False
) -> Any:
    if np.dtype(dtype) != np.int64:
        raise Unsupported
    low, high = _limits(low, high)
    shape = _shape(size)
    if shape == ():
        raise Unsupported
    return _below(draw, low, high + 1 if endpoint else high, shape)


def _choice(draw: Draw, a: Any, size: Any = None, replace: Any = True, p: Any = None) -> Any:
    return _chosen(draw, a, _shape(size), replace, p, legacy=True)


def _choice_of(
    draw: Draw, a: Any, size: Any = None, replace: Any = True, p: Any = None, axis: int = 0, shuffle: bool = True
) -> Any:
    return _chosen(draw, a, _shape(size) if axis == 0 else _no(), replace, p, legacy=False)


def _chosen(draw: Draw, a: Any, shape: tuple[int, ...] | None, replace: Any, p: Any, legacy: bool) -> Any:
    import lazyarr.numpy as lazy

    without = replace is False and shape is not None
    if shape == () or without and (not legacy or p is not None) or replace not in (True, False):
        raise Unsupported
    if isinstance(a, (list, tuple)):
        a = lazy.asarray(a)
    if isinstance(a, LazyArray) and a.ndim:
        if a.ndim != 1 or not isinstance(a.shape[0], int):
            raise Unsupported
        count: Any = a.shape[0]
    else:
        a, count = None, _integer(a)
    if without:
        assert shape is not None
        wanted = math.prod(shape)
        if not isinstance(count, int) or wanted > count:
            raise Unsupported
        found: Any = _order(draw, count)[:wanted].reshape(shape)
    elif p is None:
        found = _below(draw, 0, count, shape)
    else:
        found = _weighted(draw, lazy.asarray(p), count, shape)
    if a is not None:
        return a[found]
    return _as_int(found, 0, count) if legacy and shape is None else found


def _permutation(draw: Draw, x: Any, axis: int = 0) -> Any:
    if axis != 0 or isinstance(x, (list, tuple)):
        raise Unsupported
    if isinstance(x, LazyArray) and x.ndim:
        return x[_order(draw, x.shape[0])]
    count = x if type(x) is int else operator.index(x)
    return _order(draw, count)


def _shuffle(draw: Draw, x: Any, axis: int = 0) -> None:
    if axis != 0 or not isinstance(x, LazyArray) or not x.ndim:
        raise Unsupported
    x[...] = x[_order(draw, x.shape[0])]


def _order(draw: Draw, count: Any) -> LazyArray:
    if not isinstance(count, int) or count < 0:
        raise Unsupported
    return draw("permutation", (count,))


def _weighted(draw: Draw, p: LazyArray, count: Any, shape: tuple[int, ...] | None) -> LazyArray:
    """Indices with probabilities: where uniform numbers are in the sums of those."""
    import lazyarr.numpy as lazy

    if p.dtype != np.float64 or p.shape != (count,) or not isinstance(count, int) or count < 1:
        raise Unsupported
    what = "probabilities are not negative, and their sum is 1"
    _require(scalar_of_array(lazy.all(lazy.greater_equal(p, 0.0)), bool), what)
    _require(scalar_of_array(abs(p.sum() - 1.0) < 0.5 * _TOLERANCE, bool), what)
    sums = p.cumsum()
    sums = sums / sums[-1]
    found: LazyArray = lazy.searchsorted(sums, draw("random", shape or ()), side="right")
    return found


# --- Python's own ------------------------------------------------------------------------------------------------


def _pythons(distribution: str) -> Callable[..., Any]:
    def normal(draw: Draw, mu: Any = 0.0, sigma: Any = 1.0) -> Any:
        return _python_number(mu) + _floats(draw, distribution, None) * _python_number(sigma)

    return normal


def _python_number(x: Any) -> Any:
    """A parameter that Python computes with, not as a float before."""
    if isinstance(x, LazyArray):
        return x if x._scalar and x.dtype == np.float64 else _no()
    kind = x.python_type if isinstance(x, WeakScalar) else type(x)
    return x if kind in (int, float) else _no()


def _python_random(draw: Draw) -> Any:
    return _floats(draw, "random", None)


def _python_uniform(draw: Draw, a: Any, b: Any) -> Any:
    a, b = _python_number(a), _python_number(b)
    return a + (b - a) * _floats(draw, "random", None)


def _expovariate(draw: Draw, lambd: Any) -> Any:
    lambd = _python_number(lambd)
    return -python_call(math.log)(1.0 - _floats(draw, "random", None)) / lambd


def _randrange(draw: Draw, start: Any, stop: Any = None, step: Any = 1) -> Any:
    if type(step) is not int or step != 1:
        raise Unsupported
    start = _python_integer(start)
    low, high = (0, start) if stop is None else (start, _python_integer(stop))
    width = high - low
    _require(width > 0, "the limits of random integers are in order")
    return low + _one_below(draw, width)


def _python_randint(draw: Draw, a: Any, b: Any) -> Any:
    return _randrange(draw, a, _python_integer(b) + 1)


def _python_integer(x: Any) -> Any:
    return _no() if isinstance(x, (bool, np.generic, LazyArray)) else _integer(x)


def _one_below(draw: Draw, count: Any) -> ComputedScalar:
    return _as_int(draw("below", (), _value(count)), 0, count)


def _python_choice(draw: Draw, seq: Any) -> Any:
    import lazyarr.numpy as lazy

    if isinstance(seq, LazyArray):
        count = seq.shape[0] if seq.ndim else 0
        return seq[_one_below(draw, count)] if isinstance(count, int) and count else _no()
    kinds = set(map(type, seq)) if type(seq) in (list, tuple) else set()
    if len(kinds) != 1 or not kinds <= {int, float}:
        raise Unsupported
    return scalar_of_array(lazy.asarray(seq)[_one_below(draw, len(seq))], *kinds)


_COMMON: dict[str, Callable[..., Any]] = {
    "normal": _normal, "exponential": _exponential, "uniform": _uniform, "lognormal": _lognormal,
    "poisson": _poisson, "binomial": _binomial, "permutation": _permutation, "shuffle": _shuffle,
}  # fmt: skip
_RECIPES: dict[str, dict[str, Callable[..., Any]]] = {
    "mt19937": {
        **dict.fromkeys(("random", "random_sample"), _standard("random")), "rand": _by_extents("random"),
        "standard_normal": _standard("standard_normal"), "randn": _by_extents("standard_normal"),
        "standard_exponential": _standard("standard_exponential"),
        "randint": _randint, "choice": _choice, **_COMMON,
    },
    "pcg64": {
        "random": _standard_of("random"), "standard_normal": _standard_of("standard_normal"),
        "standard_exponential": _exponential_of,
        "integers": _integers, "choice": _choice_of, "standard_gamma": _standard_gamma, "gamma": _gamma, **_COMMON,
    },
    "python": {
        "random": _python_random, "uniform": _python_uniform, "randrange": _randrange, "randint": _python_randint,
        "gauss": _pythons("gauss"), "normalvariate": _pythons("normalvariate"), "expovariate": _expovariate,
        "choice": _python_choice,
    },
}  # fmt: skip
