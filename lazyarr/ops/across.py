"""How results are put together of what ranks have of an axis, where more than one reduction is needed.

Each function takes what this rank has of the operand, and a `Ranks` that communicates along the axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from lazyarr.ir.layout import Range, Ranges, length
from lazyarr.ir.node import Value, apply, apply_all
from lazyarr.ir.op import OPS, Across, Line
from lazyarr.ir.types import ArrayType
from lazyarr.ops import block_solve, long_fft, tall
from lazyarr.ops.comm import COMBINES
from lazyarr.ops.create import const
from lazyarr.ops.pairwise import highest, in_leaves, leaves

_I64 = np.dtype(np.int64)
#: An array of more bytes is never gathered because that takes less time.
_MOST_GATHERED = 1 << 28


class Ranks(Protocol):
    """What a split axis is split over.

    Attributes
    ----------
    line : Line
        The axis of each operand.
    axis, first : int
        That of the first one, and the first index that this rank has of it.
    at : int
        The number of this rank along the axis.
    ranges : Ranges
        What each rank has of it.
    pieces : sequence of Ranges or None
        What each rank has of the axis of each operand that the line goes along.
    places : sequence of sequence of Range
        What this rank has of each axis of each operand.
    costs : Costs
        What it is decided by where it can be done in several ways.
    """

    line: Line
    axis: int
    first: int
    at: int
    ranges: Ranges
    pieces: Sequence[Ranges | None]
    places: Sequence[Sequence[Range]]
    costs: block_solve.Costs

    def gathered(self, value: Value, counts: Sequence[int]) -> Value:
        """The values of all ranks one after the other, along their first axis; of each so many indices."""

    def reduce(self, value: Value, kind: str) -> Value:
        """The values of all ranks, combined element by element."""

    def before(self, value: Value, axis: int) -> Value | None:
        """What the ranks with lower indices have given, each one index of the axis; None on the first one."""

    def scattered(self, *operands: Value, axes: tuple[int, ...], kind: str) -> Value:
        """What this rank has of an array after writes at indices of which each rank has some."""

    def picked(self, *operands: Value, axes: tuple[int, ...]) -> Value:
        """What stands at indices into an array of which this rank has a part."""

    def solved(self, a: Value, b: Value) -> tuple[Value, ...]:
        """The solution of a system whose rows are split, and whether there is one."""

    def factorized(self, a: Value) -> tuple[Value, ...]:
        """The lower Cholesky factor of a matrix whose rows are split, and whether there is one."""

    def determined(self, a: Value) -> tuple[Value, ...]:
        """The sign and the logarithm of a determinant."""

    def sorted(self, value: Value, index: bool) -> Value:
        """The part of this rank of the sorted vector of all; or of the indices that sort it."""

    def transposed(self, value: Value, axis: int, have: Ranges, other: int, want: Ranges) -> Value:
        """All of an axis of which each rank has a part, and a part of another one, of which it had all."""

    def flattened(self, value: Value, shape: tuple[int, int], have: Ranges) -> Value:
        """What this rank has of the result: the first elements of a matrix of which each rank has some columns."""

    def turned(self, value: Value, make: Callable[[Value], Value]) -> Value:
        """What `make` gives of the values with all of the split axis, and a part of another one instead."""


def argument(x: Value, *, ranks: Ranks, name: str, axis: int) -> Value:
    """What argmax or argmin gives: of the extrema of all, the first place, or that of the first NaN."""
    kind = "maximum" if name == "argmax" else "minimum"
    peak = apply(OPS["reduce"], x, kind=kind, axes=(axis,))
    place = apply(OPS["add"], apply(OPS[name], x, axis=axis), const(ranks.first, _I64))
    best = ranks.reduce(peak, kind)
    mine = apply(OPS["equal"], peak, best)
    if x.type.dtype.kind == "f":
        nan = apply(OPS["logical_and"], apply(OPS["isnan"], peak), apply(OPS["isnan"], best))
        mine = apply(OPS["logical_or"], mine, nan)
    none = const(np.iinfo(_I64).max, _I64)
    if place.type.shape:
        none = apply(OPS["broadcast"], none, shape=place.type.shape)
    return ranks.reduce(apply(OPS["select"], mine, place, none), "minimum")


def accumulate(x: Value, *, ranks: Ranks, kind: str, axis: int) -> Value:
    """What has been accumulated here, after what all ranks before this one have."""
    local = apply(OPS["accumulate"], x, kind=kind, axis=axis)
    shape = local.type.shape
    start = tuple(n - 1 if k == axis else 0 for k, n in enumerate(shape))
    last = apply(OPS["slice"], local, start=start, stop=shape, step=(1,) * len(shape))
    given = ranks.before(last, axis)
    if given is None:
        return local
    begin = apply(OPS["reduce"], given, kind=kind, axes=(axis,))
    one = tuple(1 if k == axis else n for k, n in enumerate(shape))
    return apply(OPS[kind], apply(OPS["reshape"], begin, shape=one), local)


#: Seconds for an element, as measured: of sorts for each halving (of values, of indices), of partitions in all (of
#: values at one place, for which NumPy has vector code; of others). How often a sort of its part, and how many messages
#: in Python, a sort by samples takes a rank; how much longer all take that do the same at once, as threads of one core.
_SORTED, _PARTED, _SAMPLED, _MESSAGES, _AT_ONCE = (0.3e-9, 0.85e-9), (2e-9, 6e-9), 4, 5, 2
#: Seconds of a message, and of what goes with it, that is a step of Python's.
_STEP = 40e-6


def sort(x: Value, *, ranks: Ranks, name: str, axis: int, **attrs: Any) -> Value:
    """What a sort or a partition gives: of a vector by samples, or gathered; of other arrays along the axis, turned."""
    if x.type.ndim == 1:
        if not _is_sorted_whole(x.type, ranks, name, len(attrs.get("kth", ()))):
            return ranks.sorted(x, name.startswith("arg"))
        whole = ranks.gathered(x, [length(part) for part in ranks.ranges])
        start, stop = ranks.ranges[ranks.at]
        return apply(OPS["slice"], apply(OPS[name], whole, axis=axis, **attrs), start=(start,), stop=(stop,), step=(1,))
    return ranks.turned(x, lambda y: apply(OPS[name], y, axis=axis, **attrs))


def _is_sorted_whole(x: ArrayType, ranks: Ranks, name: str, places: int) -> bool:
    """Whether every rank sorts, or parts at some places, all of a vector in less time than ranks do it together."""
    extent, count, index = ranks.ranges[-1][1], len(ranks.ranges), name.startswith("arg")
    nbytes = extent * x.dtype.itemsize
    if nbytes > _MOST_GATHERED:
        return False

    def seconds(n: int) -> float:
        return n * math.log2(n + 1) * _SORTED[index]

    others = (count - 1) / count
    alone = seconds(extent) if name.endswith("sort") else extent * _PARTED[index or places > 1]
    whole = _AT_ONCE * alone + ranks.costs.sent(count - 1, others * nbytes) + ranks.costs.worked(0, 0, 2 * nbytes)
    moved = ranks.costs.sent(_MESSAGES * (count - 1), 2 * others * nbytes / count)
    return whole < _SAMPLED * seconds(-(-extent // count)) + moved + _MESSAGES * _STEP


def fourier(
    x: Value, *, ranks: Ranks, kind: str, axes: tuple[int, ...], lengths: tuple[int, ...], norm: str
) -> Value:
    """Transforms along the axes that are not split, and along the one that is, turned; of a vector in four steps."""
    if x.type.ndim == 1:
        return long_fft.transform(x, ranks=ranks, kind=kind, norm=norm)
    fft, at = OPS["fft"], axes.index(ranks.axis)
    others = {
        "kind": kind, "norm": norm, "axes": axes[:at] + axes[at + 1 :], "lengths": lengths[:at] + lengths[at + 1 :],
    }  # fmt: skip
    # The last axis is the real one.
    single = kind if at == len(axes) - 1 else {"rfft": "fft", "irfft": "ifft"}.get(kind, kind)

    def along(y: Value) -> Value:
        return apply(fft, y, kind=single, axes=(ranks.axis,), lengths=(lengths[at],), norm=norm)

    # Real numbers are what the first transform takes, or the last one gives.
    if kind != "irfft" and len(axes) > 1:
        x = apply(fft, x, **others)
    x = ranks.turned(x, along)
    return apply(fft, x, **others) if kind == "irfft" and len(axes) > 1 else x


def contract(*operands: Value, ranks: Ranks, subscripts: str) -> Value:
    """The products of these indices added up, and then those of all ranks."""
    found = apply(OPS["einsum"], *operands, subscripts=subscripts)
    return ranks.reduce(found, "logical_or" if found.type.dtype.kind == "b" else "add")


def _root(nodes: Value, ranks: Ranks, kind: str, leaf: int) -> Value:
    """The root of the tree, of what each rank's part of it gives (`lazyarr.ops.ordered`)."""
    extent = ranks.ranges[-1][1]
    counts = [len(highest(*in_leaves(part, leaf), leaves(extent, leaf))) for part in ranks.ranges]
    everything = ranks.gathered(nodes, counts)
    return apply(OPS["ordered_root"], everything, kind=kind, leaf=leaf, parts=ranks.ranges, extent=extent)


def ordered_reduce(x: Value, *, ranks: Ranks, kind: str, axis: int, leaf: int) -> Value:
    """The tree's root."""
    place = {"first": ranks.first, "extent": ranks.ranges[-1][1]}
    return _root(apply(OPS["ordered_nodes"], x, kind=kind, axis=axis, leaf=leaf, **place), ranks, kind, leaf)


def ordered_matmul(
    a: Value, b: Value, *, ranks: Ranks, leaf: int, tile: int, corner: tuple[int, int]
) -> Value:
    """The tree's root, of products of these columns and rows."""
    at = (ranks.places[0][-2][0] % tile, ranks.places[1][-1][0] % tile)
    place = {"first": ranks.first, "extent": ranks.ranges[-1][1], "corner": at}
    return _root(apply(OPS["ordered_products"], a, b, leaf=leaf, tile=tile, **place), ranks, "add", leaf)


def _one(x: ArrayType, *, axis: int, **attrs: Any) -> Iterator[Line]:
    """Along its axis, which the result has too."""
    yield Line((axis,), axis)


def _one_that_vanishes(x: ArrayType, *, axis: int, **attrs: Any) -> Iterator[Line]:
    if x.dtype.kind != "c":
        yield Line((axis,), None)


def _accumulated(x: ArrayType, *, kind: str, axis: int, **attrs: Any) -> Iterator[Line]:
    if kind in COMBINES:
        yield Line((axis,), axis)


def _transformed(
    x: ArrayType, *, kind: str, axes: tuple[int, ...], lengths: tuple[int, ...], **attrs: Any
) -> Iterator[Line]:
    # (A real transform of several axes has to begin or end with its last one.)
    able = axes if kind in ("fft", "ifft") or len(axes) == 1 else axes[:-1]
    if x.ndim > 1:
        yield from (Line((axis,), axis) for axis in able)
    elif kind != "irfft" and x.shape == lengths and (found := long_fft.factors(lengths[0])) is not None:
        yield Line((0,), 0, found[1])


def _contracted(*types: ArrayType, subscripts: str, **attrs: Any) -> Iterator[Line]:
    """Along each label that is summed over, where no operand has it twice."""
    left, _, output = subscripts.partition("->")
    inputs = left.split(",")
    for label in dict.fromkeys(left.replace(",", "")):
        axes = tuple([labels.find(label) if label in labels else None for labels in inputs])
        # (An axis of one index stands for any number of them.)
        extents = {t.shape[axis] for t, axis in zip(types, axes, strict=True) if axis is not None}
        if label not in output and all(labels.count(label) < 2 for labels in inputs) and len(extents) == 1:
            yield Line(axes, None)


#: Writes in parts: how what ranks have written is put together, and what they begin with, but for the first one, which
#: begins with the array. (Adding a negative zero changes nothing, not even the sign of another one.)
_WRITES: dict[str, tuple[str, float | None]] = {
    "add": ("add", -0.0), "subtract": ("add", -0.0), "multiply": ("multiply", 1.0),
    **{kind: (kind, None) for kind in ("maximum", "minimum", "fmax", "fmin", "logical_or", "logical_and", "bitwise_or",
                                       "bitwise_and")},
}  # fmt: skip


def scatter(x: Value, *rest: Value, ranks: Ranks, axes: tuple[int, ...], kind: str) -> Value:
    """Writes go to who has what they are for; into an array that every rank has, they are put together."""
    if ranks.line.operands[0] is not None:
        return ranks.scattered(x, *rest, axes=axes, kind=kind)
    combine, begin = _WRITES[kind]
    if begin is not None and x.type.dtype.kind != "b" and ranks.at:
        value = complex(begin, begin) if x.type.dtype.kind == "c" and begin <= 0 else begin
        x = apply(OPS["full"], const(value, x.type.dtype), shape=x.type.shape)
    if x.type.dtype.kind == "b":
        combine = {"add": "logical_or", "multiply": "logical_and"}.get(combine, combine)
    return ranks.reduce(apply(OPS["scatter"], x, *rest, axes=axes, kind=kind), combine)


def _led(lead: int, *shapes: Any) -> tuple[int | None, ...]:
    """The first axis of indices of `lead` axes, of those that have all of it."""
    most = max([shape[0] for shape in shapes if len(shape) == lead], default=0)
    return tuple(0 if len(shape) == lead and shape[0] == most else None for shape in shapes)


def _is_cut(cut: Any, axes: tuple[int | None, ...]) -> bool:
    return any(axis is not None and split[axis] for split, axis in zip(cut, axes, strict=True))


def _written(
    x: ArrayType, value: ArrayType, *indices: ArrayType, cut: Any, axes: tuple[int, ...], kind: str, ordered: bool
) -> Iterator[Line]:
    """Along the indices, where these are split."""
    lead = value.ndim - (x.ndim - len(axes))
    if not lead:
        return
    own = (0, *_led(lead, *(i.shape for i in indices)))
    targets = [a for a in axes if cut[0][a]]
    if not _is_cut(cut[1:], own):
        return
    if len(targets) == 1:
        yield Line((targets[0], *own), targets[0])
    elif not targets and kind in _WRITES and not (ordered and x.dtype.kind in "fc"):
        yield Line((None, *own), None)


def _read(x: ArrayType, *indices: ArrayType, cut: Any, axes: tuple[int, ...]) -> Iterator[Line]:
    """Along a split axis of what is read, where more is there than is asked for.

    (Not for one element: loops that read one at a time had better have the array whole than ask for each.)
    """
    targets = [a for a in axes if cut[0][a]]
    lead = max(i.ndim for i in indices)
    own = _led(lead, *(i.shape for i in indices)) if lead else ()
    if lead and len(targets) == 1 and max(i.size for i in indices) <= x.shape[targets[0]]:
        is_cut = _is_cut(cut[1:], own)
        yield Line((targets[0], *(own if is_cut else (None,) * len(own))), 0 if is_cut else None)


#: Seconds for an index that goes to its owner, whose element comes back: the passes in which both are put in order, as
#: measured.
_PICKED = 20e-9


def gather(x: Value, *indices: Value, ranks: Ranks, axes: tuple[int, ...]) -> Value:
    """What owners send of their parts; or what every rank reads in all of the array, where that takes less time."""
    own = [k for k, pieces in enumerate(ranks.pieces[1:]) if pieces is not None]
    if ranks.axis == 0 and own and _is_gathered(x.type, indices[own[0]].type, ranks, ranks.pieces[1 + own[0]]):
        whole = ranks.gathered(x, [length(part) for part in ranks.ranges])
        return apply(OPS["gather"], whole, *indices, axes=axes)
    return ranks.picked(x, *indices, axes=axes)


def _is_gathered(x: ArrayType, index: ArrayType, ranks: Ranks, pieces: Ranges | None) -> bool:
    """Whether an array is better gathered than asked for elements. (Of what is alike on all ranks of the line.)"""
    assert pieces is not None
    extent, count = ranks.ranges[-1][1], len(ranks.ranges)
    row = math.prod(x.shape[1:]) * x.dtype.itemsize
    most = max(length(part) for part in pieces) * math.prod(index.shape[1:])
    if extent * row > _MOST_GATHERED:
        return False
    others = (count - 1) / count
    whole = ranks.costs.sent(count - 1, others * extent * row) + ranks.costs.worked(0, 0, 2 * extent * row)
    asked = ranks.costs.sent(3 * (count - 1), others * most * (index.dtype.itemsize + row)) + most * _PICKED
    return whole < asked


def _gathered(operands: Sequence[Value], ranks: Ranks, name: str, **attrs: Any) -> tuple[Value, ...]:
    """What every rank computes of all rows, and keeps its own of."""
    counts = [length(part) for part in ranks.ranges]
    found, regular = apply_all(OPS[name], *(ranks.gathered(v, counts) for v in operands), **attrs)
    start, stop = ranks.ranges[ranks.at]
    rest = found.type.shape[1:]
    mine = apply(OPS["slice"], found, start=(start, *(0,) * len(rest)), stop=(stop, *rest), step=(1,) * (1 + len(rest)))
    return mine, regular


def _is_worth_it(
    a: ArrayType, b: ArrayType | None = None, *, ranges: Ranges, costs: block_solve.Costs, upper: bool = False,
    pivoting: bool = False,
) -> bool:  # fmt: skip
    """Whether rows of a matrix are worked on in parts: a Cholesky factor where there is no right-hand side.

    (Of what ranks have they read what is alike on all.)
    """
    right = None if b is None else b.shape[1] if b.ndim > 1 else 1
    return block_solve.is_worth_it(a.shape[1], right, a.dtype.itemsize, ranges, pivoting or b is not None, costs)


def solve(a: Value, b: Value, *, ranks: Ranks) -> tuple[Value, ...]:
    """The solution, and whether there is one."""
    if not _is_worth_it(a.type, b.type, ranges=ranks.ranges, costs=ranks.costs):
        return _gathered((a, b), ranks, "solve")
    return ranks.solved(a, b)


def inverse(a: Value, *, ranks: Ranks) -> tuple[Value, ...]:
    """The solution for the columns of the identity, and whether there is one."""
    if not _is_worth_it(a.type, a.type, ranges=ranks.ranges, costs=ranks.costs):
        return _gathered((a,), ranks, "inv")
    shape, dtype = a.type.shape, a.type.dtype
    numbers = [apply(OPS["iota"], length=extent, dtype=_I64) for extent in shape]
    row = apply(OPS["reshape"], apply(OPS["add"], numbers[0], const(ranks.first, _I64)), shape=(shape[0], 1))
    spread = [apply(OPS["broadcast"], x, shape=shape) for x in (row, numbers[1])]
    return ranks.solved(a, apply(OPS["cast"], apply(OPS["equal"], *spread), dtype=dtype))


def cholesky(a: Value, *, ranks: Ranks, upper: bool) -> tuple[Value, ...]:
    """The lower factor, and whether there is one."""
    if not _is_worth_it(a.type, ranges=ranks.ranges, costs=ranks.costs, upper=upper):
        return _gathered((a,), ranks, "cholesky", upper=upper)
    return ranks.factorized(a)


def determinant(a: Value, *, ranks: Ranks, name: str) -> tuple[Value, ...] | Value:
    """The sign and the logarithm, or the number that they are of."""
    if not _is_worth_it(a.type, ranges=ranks.ranges, costs=ranks.costs, pivoting=True):
        found = apply_all(OPS[name], ranks.gathered(a, list(map(length, ranks.ranges))))
        return found if name == "slogdet" else found[0]
    sign, logarithm = ranks.determined(a)
    if name == "slogdet":
        return sign, logarithm
    size = apply(OPS["exp"], logarithm)
    return apply(OPS["multiply"], sign, size if size.type == sign.type else apply(
        OPS["cast"], size, dtype=sign.type.dtype))  # fmt: skip


def _determined(a: ArrayType, **attrs: Any) -> Iterator[Line]:
    if a.ndim == 2 and a.size:
        yield Line((0,), None)


def _solved(a: ArrayType, b: ArrayType, **attrs: Any) -> Iterator[Line]:
    if a.ndim == 2 and b.ndim <= 2 and b.size:
        yield Line((0, 0), 0)


def _inverted(a: ArrayType, **attrs: Any) -> Iterator[Line]:
    if a.ndim == 2:
        yield Line((0,), 0)


def _factorized(a: ArrayType, *, upper: bool, **attrs: Any) -> Iterator[Line]:
    if a.ndim == 2 and not upper:
        yield Line((0,), 0)


#: For the operations of these names.
ACROSS = {
    **{name: Across(_one_that_vanishes, partial(argument, name=name)) for name in ("argmax", "argmin")},
    **{name: Across(_one, partial(sort, name=name)) for name in ("sort", "argsort", "partition", "argpartition")},
    "accumulate": Across(_accumulated, accumulate),
    "fft": Across(_transformed, fourier),
    "einsum": Across(_contracted, contract),
    "scatter": Across(partial(_written, ordered=False), scatter),
    "ordered_scatter": Across(partial(_written, ordered=True), scatter),
    "gather": Across(_read, gather),
    "solve": Across(_solved, solve, _is_worth_it),
    "inv": Across(_inverted, inverse, lambda a, **given: _is_worth_it(a, a, **given)),
    "cholesky": Across(_factorized, cholesky, _is_worth_it),
    **{name: Across(_determined, partial(determinant, name=name), partial(_is_worth_it, pivoting=True))
       for name in ("det", "slogdet")},
    "qr": Across(tall.lines_of_factors, tall.factors),
    "lstsq": Across(tall.lines_of_least_squares, tall.least_squares),
    "ordered_reduce": Across(lambda x, *, axis, leaf, **attrs: [Line((axis,), None, leaf)], ordered_reduce),
    "ordered_matmul": Across(
        lambda a, b, *, leaf, **attrs: [Line((a.ndim - 1, b.ndim - 2), None, leaf)], ordered_matmul
    ),
}
