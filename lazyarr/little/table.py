"""Which of NumPy's functions are computed at once for little data, and how much work they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyarr.eager import READ_ONCE, UNFUSED
from lazyarr.gains import gains
from lazyarr.little.extension import compiled

_Arrays = Sequence[Any]


def together(arrays: _Arrays) -> Any:
    """Work that grows with the elements of all arguments: of several as of one, up to four.

    (What recording costs does not grow with their number, and is not won back by a copy of each.)
    """
    sizes = [x.size for x in arrays]
    return max(*sizes, sum(sizes) / 4) if sizes else 0


def read_once(arrays: _Arrays) -> Any:
    """Work that grows with the elements of all arguments, which are read once, and of which little is made."""
    return together(arrays) * READ_ONCE * gains.times


def unfused(arrays: _Arrays) -> Any:
    """Work that grows with the elements of all arguments, and is not fused with other."""
    return together(arrays) * UNFUSED * gains.times


#: What an element weighs in work that compiled code does no faster: recording it is of use where more is done with it.
NUMPYS = 0.018


def numpys(arrays: _Arrays) -> Any:
    """Work that grows with the elements of all arguments, which NumPy sorts, selects or counts, or BLAS multiplies."""
    return together(arrays) * NUMPYS * gains.times


#: Elements that NumPy makes one after the other: compiled code takes a third of the time.
ONE_BY_ONE = 1.1


def one_by_one(arrays: _Arrays) -> Any:
    """Work that grows with the elements of all arguments, each of which waits for another."""
    return together(arrays) * ONE_BY_ONE * gains.times


def apart(arrays: _Arrays) -> Any:
    """Work on each element of one argument with each of the others."""
    return max(math.prod(x.size for x in arrays), together(arrays))


def slid(arrays: _Arrays) -> Any:
    """Products of elements of two vectors, of which one slides along the other: NumPy makes many in a nanosecond."""
    return apart(arrays) * SLID * gains.times


#: A product of two elements beside one that is made.
SLID = 0.045


def broadcast_size(arrays: _Arrays) -> Any:
    """Elements of arrays that are broadcast; infinite where they cannot be."""
    try:
        return np.broadcast(*arrays).size
    except ValueError:
        return math.inf


def product_size(x: Any, y: Any) -> Any:
    """Elements of a product of matrices or vectors, or of its larger factor."""
    if not x.ndim or not y.ndim:
        return max(x.size, y.size)
    inner = max(x.shape[-1], 1)
    return max(x.size, y.size, (x.size // inner) * (y.size // inner))


class Function(NamedTuple):
    """How many of a function's first arguments may hold arrays, and the work with these, in elements."""

    arrays: int
    work: Callable[[_Arrays], Any] = together


#: Functions whose results are new arrays, or mostly.
FUNCTIONS: dict[Any, Function] = {
    **dict.fromkeys((
        np.sum, np.prod, np.max, np.min, np.mean, np.any, np.all, np.argmax, np.argmin, np.ptp, np.count_nonzero,
    ), Function(1, read_once)),
    **dict.fromkeys((
        np.std, np.var, np.concatenate, np.stack, np.vstack, np.hstack, np.column_stack, np.diff, np.roll,
        np.zeros_like, np.ones_like, np.empty_like, np.array, np.asarray, np.copy, np.diag, np.triu, np.tril, np.tile,
        np.round, np.gradient, np.nansum, np.nan_to_num, np.ediff1d, np.nanmean, np.nanstd, np.nanvar, np.nanmin,
        np.nanmax, np.pad, np.vander, np.sinc, np.nanprod, np.fix, np.angle, np.dstack, np.block, np.diagflat,
        np.fft.fftshift, np.fft.ifftshift, np.linalg.norm, np.linalg.vector_norm, np.linalg.matrix_norm,
    ), Function(1)),
    **dict.fromkeys((
        np.trace, np.linalg.inv, np.linalg.det, np.nonzero, np.argwhere, np.flatnonzero,
        np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh, np.linalg.qr, np.linalg.svd, np.linalg.slogdet,
        np.linalg.pinv, np.linalg.matrix_power, np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft,
        np.linalg.eig, np.linalg.eigvals, np.delete, np.roots, np.poly, np.polyder, np.polyint, np.unwrap,
        np.nanargmax, np.nanargmin, np.linalg.matrix_rank, np.linalg.cond, np.fft.fft2, np.fft.ifft2, np.fft.fftn,
        np.fft.ifftn, np.fft.rfft2, np.fft.irfft2, np.unravel_index, np.histogram_bin_edges, np.linalg.trace,
    ), Function(1, unfused)),
    **dict.fromkeys((np.cumsum, np.cumprod), Function(1, one_by_one if compiled is None else together)),
    **dict.fromkeys((
        np.nancumsum, np.nancumprod, np.cumulative_sum, np.cumulative_prod,
    ), Function(1, one_by_one)),
    **dict.fromkeys((
        np.median, np.nanmedian, np.sort, np.argsort, np.lexsort, np.partition, np.argpartition, np.unique,
        np.histogram,
    ), Function(1, numpys)),
    **dict.fromkeys((
        np.percentile, np.quantile, np.nanpercentile, np.nanquantile, np.intersect1d, np.setdiff1d, np.setxor1d,
        np.union1d, np.cov, np.corrcoef,
    ), Function(2, numpys)),
    **dict.fromkeys((
        np.cross, np.append, np.full_like, np.average, np.polyval, np.select, np.piecewise, np.trapezoid, np.polyadd,
        np.polysub, np.choose, np.resize,
    ), Function(2)),
    **dict.fromkeys((
        np.searchsorted, np.take, np.linalg.solve, np.linalg.lstsq, np.repeat, np.bincount, np.isin, np.digitize,
        np.take_along_axis, np.polyfit, np.linalg.multi_dot, np.extract, np.compress, np.ravel_multi_index,
        np.histogram2d,
    ), Function(2, unfused)),
    **dict.fromkeys((np.dot, np.vdot, np.inner), Function(2, lambda arrays: product_size(arrays[0], arrays[-1]))),
    **dict.fromkeys((np.outer, np.kron, np.tensordot), Function(2, apart)),
    **dict.fromkeys((np.convolve, np.correlate, np.polymul, np.polydiv), Function(2, slid)),
    **dict.fromkeys((np.interp, np.insert), Function(3, unfused)),
    **dict.fromkeys((np.clip, np.where), Function(3, broadcast_size)),
    **dict.fromkeys((np.isclose, np.allclose, np.array_equal, np.array_equiv), Function(2, broadcast_size)),
    np.einsum: Function(4), np.meshgrid: Function(4, apart),
}  # fmt: skip
FUNCTIONS |= {numpy: Function(1) for numpy in (np.amax, np.amin) if numpy not in FUNCTIONS}
#: Of these, those that take nested lists of numbers alone.
OF_LISTS = frozenset((np.array, np.asarray))
#: Arguments with which functions write to their arguments, or warn by themselves.
SPECIAL = frozenset(("overwrite_input", "ddof", "correction", "mean", "like", "copy", "shape"))


def _most_given(numpy: Any, arrays: int) -> int:
    """How many arguments a call may give by position: none of the `SPECIAL` ones, and two that hold no arrays."""
    code = getattr(getattr(numpy, "_implementation", numpy), "__code__", None)
    named = () if code is None else code.co_varnames[: code.co_argcount]
    return min([arrays + 2, *(place for place, name in enumerate(named) if name in SPECIAL)])


#: Function -> the most arguments by position with which a call is computed at once.
MOST_GIVEN = {numpy: _most_given(numpy, known.arrays) for numpy, known in FUNCTIONS.items()}
#: Arguments by name that hold arrays which are only read, of functions of which others are not.
READ = frozenset(("weights", "where", "x", "prepend", "append", "fweights", "aweights",
                  "mean"))  # fmt: skip
#: Functions that warn by themselves where `ddof` leaves nothing to divide by.
OF_DEGREES = frozenset((np.std, np.var, np.nanstd, np.nanvar))
#: Arguments with which functions are not compiled for larger data, which `lazyarr.report` tells of.
NOT_COMPILED = {np.unique: frozenset(("axis",))}
#: Functions that give views.
VIEWS = frozenset((np.ravel, np.reshape, np.transpose, np.expand_dims, np.flip, np.squeeze, np.atleast_1d,
                   np.atleast_2d, np.atleast_3d, np.swapaxes, np.moveaxis, np.rollaxis, np.fliplr, np.flipud, np.rot90))
#: Functions that write into their first argument, and give nothing.
WRITERS = frozenset((np.copyto, np.put, np.putmask, np.place, np.fill_diagonal, np.put_along_axis))
#: Methods that write into their array, and give nothing.
WRITING_METHODS = ("fill", "sort", "partition", "put")


def _repeated(x: Any, times: Any = 1, *_: Any, reps: Any = None, repeats: Any = None, **__: Any) -> Any:
    """Elements of ``np.tile(x, times)`` and of ``np.repeat(x, times)``, at most."""
    size = np.size(x)
    times = times if reps is None and repeats is None else repeats if reps is None else reps
    if isinstance(times, np.ndarray):
        return size * int(times.max(initial=0))
    return size * (math.prod(times) if isinstance(times, (tuple, list)) else int(times))


def _counted(x: Any, weights: Any = None, minlength: int = 0, *_: Any, **__: Any) -> Any:
    """Elements of ``np.bincount(x)`` that a call asks for. (Looking for others would take as long as counting.)"""
    return minlength


def _contracted(subscripts: Any, *operands: Any, **_: Any) -> Any:
    """Products of elements in ``np.einsum(subscripts, *operands)``, one operand after the other; infinite where the
    axes are written otherwise than by a letter each.
    """
    if type(subscripts) is not str or "." in subscripts:
        return math.inf
    given = subscripts.replace(" ", "").split("->")[0].split(",")
    if len(given) != len(operands) or any(len(axes) != np.ndim(x) for axes, x in zip(given, operands, strict=True)):
        return math.inf
    extents: dict[str, int] = {}
    for axes, x in zip(given, operands, strict=True):
        extents.update(zip(axes, np.shape(x), strict=True))
    return math.prod(extents.values())


def _padded(x: Any, pad_width: Any, *_: Any, **__: Any) -> Any:
    """Elements of ``np.pad(x, width)``, at most."""
    if type(pad_width) is dict:
        pad_width = [*pad_width.values()]
    most = 2 * int(np.max(pad_width, initial=0))
    return math.prod(n + most for n in np.shape(x))


def _square(x: Any, n: int | None = None, *_: Any, N: int | None = None, **__: Any) -> Any:  # noqa: N803  NumPy's
    """Elements of ``np.vander(x, n)``, and of ``np.diag(x)`` at most."""
    return np.size(x) * (n or N or np.size(x))


def _diagonal(x: Any, k: int = 0) -> Any:
    """Elements of a matrix of which `x` is a diagonal."""
    return (np.size(x) + abs(k)) ** 2


def _reshaped(x: Any, new_shape: Any) -> Any:
    """Elements of ``np.resize(x, new_shape)``."""
    return math.prod(_tuple(new_shape))


def _binned(x: Any, y: Any, bins: Any = 10, *_: Any, **__: Any) -> Any:
    """Elements of ``np.histogram2d(x, y, bins)``; infinite where the bins are given by their edges."""
    counts = bins if isinstance(bins, (list, tuple)) and len(bins) == 2 else (bins, bins)
    return math.prod(counts) if all(isinstance(n, (int, np.integer)) for n in counts) else math.inf


def _transformed(x: Any, s: Any = None, *_: Any, **__: Any) -> Any:
    """Elements of a transform over several axes."""
    return np.size(x) if s is None else math.inf


#: Functions whose results may have more elements than their arguments have -> how many.
GROWN: dict[Any, Callable[..., Any]] = {
    np.tile: _repeated, np.repeat: _repeated, np.bincount: _counted, np.pad: _padded, np.vander: _square,
    np.diag: lambda x, k=0: _diagonal(x, k) if np.ndim(x) == 1 else 0, np.diagflat: _diagonal,
    np.resize: _reshaped, np.histogram2d: _binned, np.einsum: _contracted,
    **dict.fromkeys((np.fft.fft2, np.fft.ifft2, np.fft.fftn, np.fft.ifftn, np.fft.rfft2, np.fft.irfft2), _transformed),
}  # fmt: skip


def _tuple(shape: Any) -> tuple[Any, ...]:
    return shape if type(shape) is tuple else (shape,)


#: Functions that make arrays of numbers alone -> how many elements they make of their arguments.
SIZES: dict[Any, Callable[..., Any]] = {
    **dict.fromkeys((np.zeros, np.ones, np.empty, np.full), lambda shape, *_: math.prod(_tuple(shape))),
    np.eye: lambda n, m=None, *_: n * (n if m is None else m),
    np.identity: lambda n, *_: n * n,
    np.arange: lambda a, b=None, step=1, *_: abs(a if b is None else b - a) / abs(step),
    np.linspace: lambda start, stop, num=50, *_: num + 0 * abs(start + stop),
}


def _clip(x: Any, *limits: Any, **named: Any) -> Any:
    """As `numpy.clip`, which looks for integers out of the dtype's bounds."""
    given = len(limits) == 2 and not named and limits[0] is not None and limits[1] is not None
    if given and type(x) is np.ndarray and x.dtype.kind == "f":
        return np._core.umath.clip(x, *limits)  # type: ignore[attr-defined]
    return np.clip(x, *limits, **named)


#: What is called in a function's place. (Memory that nobody has written to is zeros, alike on all ranks.)
INSTEAD: dict[Any, Any] = {np.empty: np.zeros, np.empty_like: np.zeros_like, np.clip: _clip}
if compiled is not None:
    INSTEAD[np.where] = compiled.where
#: What is made of sums (lazyarr/little/c/functions.c has the same numbers).
STATISTICS = {np.mean: 1, np.var: 2, np.std: 3}
#: What is made of those before (the same, there).
RUNNING = {np.cumsum: 4, np.cumprod: 4}
#: NumPy functions -> the ufunc's method that they come to for an array and an axis, and the dtype they give it; of
#: `STATISTICS` what they begin with.
FOLDS: dict[Any, tuple[Any, Any]] = {
    np.sum: (np.add.reduce, None), np.prod: (np.multiply.reduce, None), np.max: (np.maximum.reduce, None),
    np.min: (np.minimum.reduce, None), **dict.fromkeys(STATISTICS, (np.add.reduce, None)),
    np.any: (np.logical_or.reduce, bool), np.all: (np.logical_and.reduce, bool),
    np.cumsum: (np.add.accumulate, None), np.cumprod: (np.multiply.accumulate, None),
}  # fmt: skip
