"""What methods of NumPy's streams are made of: a few distributions that programs draw, and arithmetic.

Each is a function with the parameters of NumPy's own, after one that draws; the arithmetic is that of NumPy's code in C
(numpy/random/src/distributions, numpy/random/mtrand.pyx, _generator.pyx), number by number.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import scalar_of_array
from lazyarr.tracing.drawing.generators import GENERATORS
from lazyarr.tracing.drawing.parameters import (
    Draw,
    Unsupported,
    as_int,
    counts,
    float_value,
    floats,
    int_value,
    integer,
    number,
    one_number,
    require,
    require_dtype,
    require_not_negative,
    shape_of,
    unsupported,
)
from lazyarr.tracing.scalars import python_call

#: Whether this NumPy's `Generator.choice` gives one of some numbers as Python's int.
_CHOOSES_INT = type(np.random.default_rng(0).choice(2)) is int
#: How far the sum of probabilities may be from 1, as NumPy has it.
_TOLERANCE = math.sqrt(np.finfo(np.float64).eps)


def _standard(distribution: str) -> Callable[..., Any]:
    def legacy(draw: Draw, size: Any = None) -> Any:
        return floats(draw, distribution, shape_of(size))

    return legacy


def _standard_of(distribution: str) -> Callable[..., Any]:
    def modern(draw: Draw, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        require_dtype(dtype, np.float64, out)
        return floats(draw, distribution, shape_of(size))

    return modern


def _exponential_of(draw: Draw, size: Any = None, dtype: Any = np.float64, method: str = "zig", out: Any = None) -> Any:
    if method != "zig":
        raise Unsupported
    return _standard_of("standard_exponential")(draw, size, dtype, out)


def _by_extents(distribution: str) -> Callable[..., Any]:
    def legacy(draw: Draw, *extents: Any) -> Any:
        return floats(draw, distribution, shape_of(extents) if extents else None)

    return legacy


def _together(size: Any, *parameters: Any) -> tuple[int, ...] | None:
    """The shape of what is drawn with parameters; None for one number."""
    shapes = [x.shape for x in parameters if isinstance(x, LazyArray)]
    shape = shape_of(size)
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
    loc, scale = number(loc), number(scale)
    require_not_negative(scale, "the scale of normal numbers is not negative")
    return loc + scale * floats(draw, "standard_normal", _together(size, loc, scale))


def _exponential(draw: Draw, scale: Any = 1.0, size: Any = None) -> Any:
    scale = number(scale)
    require_not_negative(scale, "the scale of exponential numbers is not negative")
    return scale * floats(draw, "standard_exponential", _together(size, scale))


def _uniform(draw: Draw, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
    low, high = number(low), number(high)
    if isinstance(low, LazyArray) or isinstance(high, LazyArray):
        raise Unsupported
    width = high - low
    what = "the range of uniform numbers is finite, and not negative"
    require(width >= 0.0, what)
    require(width < math.inf, what)
    return low + width * floats(draw, "random", shape_of(size))


def _gamma(draw: Draw, shape: Any, scale: Any = 1.0, size: Any = None) -> Any:
    scale = one_number(scale)
    require_not_negative(scale, "the scale of gamma numbers is not negative")
    return scale * _standard_gamma(draw, shape, size)


def _standard_gamma(draw: Draw, shape: Any, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
    require_dtype(dtype, np.float64, out)
    shape = one_number(shape)
    require_not_negative(shape, "the shape of gamma numbers is not negative")
    return floats(draw, "standard_gamma", shape_of(size), float_value(shape))


def _lognormal(draw: Draw, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Any:
    import lazyarr.numpy as lazy

    found = _normal(draw, mean, sigma, size)
    return lazy.exp(found) if isinstance(found, LazyArray) else python_call(math.exp)(found)


#: The largest mean of Poisson's numbers that NumPy takes: they fit 64 bits.
_LARGEST_MEAN = np.iinfo(np.int64).max - np.sqrt(np.iinfo(np.int64).max) * 10


def _poisson(draw: Draw, lam: Any = 1.0, size: Any = None) -> Any:
    lam, shape = one_number(lam), shape_of(size)
    what = "the mean of Poisson numbers is not negative, and not too large"
    require(lam >= 0.0, what)
    require(lam < float(_LARGEST_MEAN), what)
    return counts(draw("poisson", shape or (), float_value(lam)), shape)


def _binomial(draw: Draw, n: Any, p: Any, size: Any = None) -> Any:
    n, p, shape = integer(n), one_number(p), shape_of(size)
    what = "the parameters of binomial numbers are in their ranges"
    for holds in (n >= 0, p >= 0.0, p <= 1.0):
        require(holds, what)
    return counts(draw("binomial", shape or (), int_value(n), float_value(p)), shape)


# --- integers, choices, orders ----------------------------------------------------------------------------------


def _below(draw: Draw, low: Any, high: Any, shape: tuple[int, ...] | None) -> LazyArray:
    require(low < high, "the limits of random integers are in order")
    return draw("integers", shape or (), int_value(low), int_value(high))


def _limits(low: Any, high: Any) -> tuple[Any, Any]:
    return (0, integer(low)) if high is None else (integer(low), integer(high))


def _randint(draw: Draw, low: Any, high: Any = None, size: Any = None, dtype: Any = int) -> Any:
    if dtype is not int:
        require_dtype(dtype, np.int64)
    low, high = _limits(low, high)
    shape = shape_of(size)
    found = _below(draw, low, high, shape)
    if shape is None:
        return as_int(found, low, high) if dtype is int else found
    return found


def _integers(
    draw: Draw, low: Any, high: Any = None, size: Any = None, dtype: Any = np.int64, endpoint: bool = False
) -> Any:
    require_dtype(dtype, np.int64)
    low, high = _limits(low, high)
    return _below(draw, low, high + 1 if endpoint else high, shape_of(size))


def _choice(draw: Draw, a: Any, size: Any = None, replace: Any = True, p: Any = None) -> Any:
    return _chosen(draw, a, shape_of(size), replace, p, legacy=True)


def _choice_of(
    draw: Draw, a: Any, size: Any = None, replace: Any = True, p: Any = None, axis: int = 0, shuffle: bool = True
) -> Any:
    return _chosen(draw, a, shape_of(size) if axis == 0 else unsupported(), replace, p, legacy=False)


def _chosen(draw: Draw, a: Any, shape: tuple[int, ...] | None, replace: Any, p: Any, legacy: bool) -> Any:
    import lazyarr.numpy as lazy

    without = replace is False and shape is not None
    if without and (not legacy or p is not None) or replace not in (True, False):
        raise Unsupported
    if isinstance(a, (list, tuple)):
        a = lazy.asarray(a)
    if isinstance(a, LazyArray) and a.ndim:
        if a.ndim != 1 or not isinstance(a.shape[0], int):
            raise Unsupported
        count: Any = a.shape[0]
    else:
        a, count = None, integer(a)
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
    return as_int(found, 0, count) if shape is None and (legacy or _CHOOSES_INT) else found


def _permutation(draw: Draw, x: Any, axis: int = 0) -> Any:
    if axis != 0 or isinstance(x, (list, tuple)):
        raise Unsupported
    if isinstance(x, LazyArray) and x.ndim:
        return x[_order(draw, x.shape[0])]
    return _order(draw, operator.index(integer(x)))


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
    require(scalar_of_array(lazy.all(lazy.greater_equal(p, 0.0)), bool), what)
    require(scalar_of_array(abs(p.sum() - 1.0) < 0.5 * _TOLERANCE, bool), what)
    sums = p.cumsum()
    sums = sums / sums[-1]
    found: LazyArray = lazy.searchsorted(sums, draw("random", shape or ()), side="right")
    return found


_COMMON: dict[str, Callable[..., Any]] = {
    "normal": _normal, "exponential": _exponential, "uniform": _uniform, "lognormal": _lognormal,
    "poisson": _poisson, "binomial": _binomial, "permutation": _permutation, "shuffle": _shuffle,
}  # fmt: skip
LEGACY: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("random", "random_sample"), _standard("random")), "rand": _by_extents("random"),
    "standard_normal": _standard("standard_normal"), "randn": _by_extents("standard_normal"),
    "standard_exponential": _standard("standard_exponential"),
    "randint": _randint, "choice": _choice, **_COMMON,
}  # fmt: skip
MODERN: dict[str, Callable[..., Any]] = {
    "random": _standard_of("random"), "standard_normal": _standard_of("standard_normal"),
    "standard_exponential": _exponential_of,
    "integers": _integers, "choice": _choice_of, "standard_gamma": _standard_gamma, "gamma": _gamma,
    **_COMMON, **GENERATORS,
}  # fmt: skip
