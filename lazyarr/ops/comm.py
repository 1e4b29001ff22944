"""Operations that communicate. Every rank runs them in one order: each takes a token, and gives the next one its own.

What runs them is set by `lazyarr.world`: a communicator for each dimension of the grid, and what counts messages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, cast

import numpy as np

from lazyarr.ir.access import opaque_operands
from lazyarr.ir.layout import Range, Ranges, length
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.sample_sort import sample_sort

#: Kinds of reductions whose partial results can be combined.
COMBINES = frozenset((
    "add", "multiply", "maximum", "minimum", "fmax", "fmin", "logical_and", "logical_or", "logical_xor", "bitwise_and",
    "bitwise_or", "bitwise_xor",
))  # fmt: skip
#: What each communication takes of the one before it, and gives the next one.
TOKEN = ArrayType(DTYPES["i64"])


#: What is wanted beside a part of an array: the axis, its first index here, what each position has, and wants.
Beside = tuple[int, int, Ranges, Ranges]


class Communicator(Protocol):
    """What the operations ask for."""

    def exchange(self, x: Any, axis: int, dim: int, base: int, have: Ranges, want: Ranges) -> Any:
        """The part of an axis that this rank wants, of arrays whose axis begins at index `base` here."""

    def halo(self, arrays: Sequence[Any], dim: int, parts: Sequence[Beside]) -> list[Any]:
        """What this rank wants below what it has of an axis, and above it, of each array; one message a neighbour."""

    def start(self, arrays: Sequence[Any], dim: int, parts: Sequence[Beside]) -> int:
        """Begin a halo, of copies of what is sent; gives its number, which is odd; 0 if there are no messages."""

    def wait(self, number: int) -> list[Any]:
        """What the halo of that number has brought, as `halo` gives it."""

    def all_reduce(self, x: Any, kind: str, dims: tuple[int, ...]) -> Any:
        """The arrays of all ranks along dimensions of the grid, combined element by element."""

    def all_to_all(self, arrays: Sequence[Any], dim: int) -> list[Any]:
        """Of arrays of one dtype, one to each position along a dimension: what each has sent to this one, as a vector.

        (What this one has for itself may be that memory, no copy.)
        """

    def failure(self) -> Exception:
        """What native code, which has sent something through this, was told by MPI."""

    def swap(self, gives: Sequence[tuple[int, Any]], gets: Sequence[tuple[int, Any]]) -> None:
        """Send arrays to ranks of the grid, and receive others into arrays that are contiguous."""


#: What communicates: for a thread (of a test, in which threads are ranks), or for all of them.
_of_thread = threading.local()
_of_process: list[Communicator] = []


def use(communicator: Communicator | None, thread: bool = False) -> None:
    """Set what communicates, for this thread or for all that have none of their own; None: nothing does."""
    if thread:
        _of_thread.communicator = communicator
    else:
        _of_process[:] = [] if communicator is None else [communicator]


def _current() -> Communicator:
    found = getattr(_of_thread, "communicator", None) or (_of_process[0] if _of_process else None)
    if found is None:
        raise RuntimeError("a program for several ranks runs where lazyarr.init() has not been called")
    return cast(Communicator, found)


def failure() -> Exception:
    """The exception for what MPI has told native code."""
    return _current().failure()


def all_to_all_along(dim: int, count: int) -> Callable[[Sequence[Any]], list[Any]]:
    """Gives what each of `count` positions along a dimension has sent to this one, of one vector for each."""
    return list if count == 1 else partial(_current().all_to_all, dim=dim)


def started(arrays: Sequence[Any], dim: int, parts: Sequence[Beside]) -> int:
    """The number of a halo that has begun."""
    return _current().start(arrays, dim, parts)


def landed(number: int) -> list[Any]:
    """What a halo that has begun brings."""
    return _current().wait(number)


def swap(gives: Sequence[tuple[int, Any]], gets: Sequence[tuple[int, Any]]) -> None:
    """Send arrays to ranks, and receive others; all ranks of a pair do it."""
    _current().swap(gives, gets)


def _infer_exchange(
    x: ArrayType, token: ArrayType, *, axis: int, dim: int, at: int, base: int, have: Ranges, want: Ranges
) -> Types:
    if token != TOKEN or not 0 <= axis < x.ndim or len(have) != len(want) or not 0 <= at < len(have):
        raise TypeError(f"exchange takes an array and a token, got {x}, {token}, axis {axis}, position {at}")
    start, stop = have[at]
    if start < stop and not base <= start <= stop <= base + x.shape[axis]:
        raise ValueError(f"exchange of {x}: axis {axis} from {base} on does not have {start} to {stop}")
    return x.with_shape((*x.shape[:axis], length(want[at]), *x.shape[axis + 1 :])), TOKEN


def _exchange(
    xp: Any, x: Any, token: Any, *, axis: int, dim: int, at: int, base: int, have: Ranges, want: Ranges
) -> Any:
    if len(have) == 1:
        (start, stop), lead = want[0], (slice(None),) * axis
        return np.array(x[(*lead, slice(start - base, stop - base))]), np.asarray(token) + 1
    return _current().exchange(x, axis, dim, base, have, want), np.asarray(token) + 1


def _samples_exchange() -> Iterator[Sample]:
    # One rank alone; programs on several are in tests/test_ranks.py.
    for name in ("f64", "c64", "bool", "i8"):
        yield Sample((f"{name}[5,3]", "i64[]"), {"at": 0, "axis": 0, "base": 0, "dim": 0, "have": ((0, 5),),
                                                 "want": ((1, 4),)})  # fmt: skip


def _samples_all_reduce() -> Iterator[Sample]:
    for name in ("f64", "c64", "bool", "i8"):
        yield Sample((f"{name}[5,3]", "i64[]"), {"kind": "maximum", "dims": ()})


def _all_reduce(xp: Any, x: Any, token: Any, *, kind: str, dims: tuple[int, ...]) -> Any:
    return (_current().all_reduce(x, kind, dims) if dims else np.array(x)), np.asarray(token) + 1


#: What each position along a dimension of the grid wants of an axis, from those who have it. Halos, and whole axes.
EXCHANGE = Op(
    name="exchange",
    numpy="x[start:stop] of the whole array",
    infer=_infer_exchange,
    evaluate=_exchange,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda x, token, *, want, at, **attrs: Cost(0, 2 * x.nbytes),
    backends=("native", "numpy"),
    samples=_samples_exchange,
    communicates=True,
)


def sides(have: Range, want: Range) -> tuple[Range, Range]:
    """What is wanted below and above what is there."""
    if have[0] >= have[1]:
        return want, (want[1], want[1])
    return (min(want[0], have[0]), have[0]), (have[1], max(want[1], have[1]))


def _infer_halo(*types: ArrayType, dim: int, at: int, parts: tuple[Beside, ...]) -> Types:
    *arrays, token = types
    found = []
    for x, (axis, base, have, want) in zip(arrays, parts, strict=True):
        _infer_exchange(x, token, axis=axis, dim=dim, at=at, base=base, have=have, want=want)
        for part in sides(have[at], want[at]):
            found.append(x.with_shape((*x.shape[:axis], length(part), *x.shape[axis + 1 :])))
    return (*found, TOKEN)


def _halo(xp: Any, *operands: Any, dim: int, at: int, parts: tuple[Beside, ...]) -> tuple[Any, ...]:
    *arrays, token = operands
    if len(parts[0][2]) == 1:
        empty = [np.asarray(x)[(*(slice(None),) * part[0], slice(0, 0))] for x, part in zip(arrays, parts, strict=True)]
        found = [np.array(x) for x in empty for _ in range(2)]
    else:
        found = _current().halo(arrays, dim, parts)
    return (*found, np.asarray(token) + 1)


def _samples_halo() -> Iterator[Sample]:
    for name in ("f64", "c64", "bool", "i8"):
        one = (0, 0, ((0, 5),), ((0, 5),))
        yield Sample((f"{name}[5,3]", "i64[]"), {"at": 0, "dim": 0, "parts": (one,)})
        two = (1, 0, ((0, 3),), ((0, 3),))
        yield Sample((f"{name}[5,3]", f"{name}[2,3]", "i64[]"), {"at": 0, "dim": 0, "parts": (one, two)})


#: What each position along a dimension of the grid wants beside what it has of each array: the part below, and that
#: above, for each of them.
HALO = Op(
    name="halo",
    numpy="x[start:0], x[n:stop] of the whole array",
    infer=_infer_halo,
    evaluate=_halo,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda *types, **attrs: Cost(0, 2 * sum(t.nbytes for t in _infer_halo(*types, **attrs))),
    backends=("native", "numpy"),
    samples=_samples_halo,
    communicates=True,
)


def _infer_all_reduce(x: ArrayType, token: ArrayType, *, kind: str, dims: tuple[int, ...]) -> Types:
    if token != TOKEN:
        raise TypeError(f"all_reduce takes an array and a token, got {x}, {token}")
    return x, TOKEN


#: Partial results of a reduction, combined over all ranks along dimensions of the grid.
ALL_REDUCE = Op(
    name="all_reduce",
    numpy="x of the whole array",
    infer=_infer_all_reduce,
    evaluate=_all_reduce,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda x, token, *, kind, dims: Cost(x.size, 2 * x.nbytes),
    backends=("native", "numpy"),
    samples=_samples_all_reduce,
    communicates=True,
)


#: What each position has noted of reductions in several iterations of a loop, combined: in the program of one rank an
#: `ALL_REDUCE`, over the dimensions that those reductions are over (`lazyarr.passes.separate_reductions`).
COMBINED = Op(
    name="combined",
    numpy="x of the whole array",
    infer=lambda x, *, kind: x,
    evaluate=lambda xp, x, *, kind: np.array(x),
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda x, *, kind: Cost(0, 2 * x.nbytes),
    backends=("numpy",),
    samples=lambda: (Sample((f"{name}[5]",), {"kind": "maximum"}) for name in ("f64", "c64", "bool", "i8")),
)


def _infer_sorted(x: ArrayType, token: ArrayType, *, dim: int, at: int, have: Ranges, index: bool) -> Types:
    if token != TOKEN or x.ndim != 1 or not 0 <= at < len(have) or x.shape[0] != length(have[at]):
        raise TypeError(f"sorted_part takes this position's part of a vector and a token, got {x}, {token}, {have}")
    return (ArrayType(DTYPES["i64"], x.shape) if index else x), TOKEN


def _sorted(xp: Any, x: Any, token: Any, *, dim: int, at: int, have: Ranges, index: bool) -> Any:
    return sample_sort(np.asarray(x), all_to_all_along(dim, len(have)), at, have, index), np.asarray(token) + 1


def _samples_sorted() -> Iterator[Sample]:
    for name in ("f64", "f32", "bool", "i8"):
        for index in (False, True):
            yield Sample((f"{name}[7]", "i64[]"), {"at": 0, "dim": 0, "have": ((0, 7),), "index": index})


#: What a position has of a vector after it is sorted over all of them, stably, or of the indices that sort it.
SORTED_PART = Op(
    name="sorted_part",
    numpy="numpy.sort(x), numpy.argsort(x) of the whole vector",
    infer=_infer_sorted,
    evaluate=_sorted,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda x, token, **attrs: Cost(4 * x.size * max(1, x.size.bit_length()), 8 * x.nbytes),
    backends=("native", "numpy"),
    samples=_samples_sorted,
    communicates=True,
)


def _infer_turned(
    x: ArrayType, token: ArrayType, *, dim: int, at: int, axis: int, have: Ranges, other: int, want: Ranges
) -> Types:
    if token != TOKEN or axis == other or not 0 <= at < len(have) == len(want):
        raise TypeError(f"turned_part takes an array and a token, got {x}, {token}, axes {axis} and {other}")
    if x.shape[axis] != length(have[at]) or x.shape[other] != sum(map(length, want)):
        raise ValueError(f"turned_part of {x}: axis {axis} is not {have[at]}, or axis {other} not {want}")
    shape = list(x.shape)
    shape[axis], shape[other] = sum(map(length, have)), length(want[at])
    return x.with_shape(tuple(shape)), TOKEN


def _turn(
    results: Any, x: Any, token: Any, *, dim: int, at: int, axis: int, have: Ranges, other: int, want: Ranges
) -> None:
    found, after = results
    after[...] = np.asarray(token) + 1
    x = np.asarray(x)

    def part(where: Range) -> Any:
        return x[(*(slice(None),) * other, slice(*where))]

    def place(where: Range) -> Any:
        return found[(*(slice(None),) * axis, slice(*where))]

    if len(have) > 1:
        nothing = np.empty(0, x.dtype)
        came = _current().all_to_all([nothing if k == at else part(r) for k, r in enumerate(want)], dim=dim)
        for k, r in enumerate(have):
            if k != at:
                target = place(r)
                target[...] = came[k].reshape(target.shape)
    place(have[at])[...] = part(want[at])


def _turned(xp: Any, x: Any, token: Any, **attrs: Any) -> Any:
    x = np.asarray(x)
    shape = list(x.shape)
    shape[attrs["axis"]] = sum(map(length, attrs["have"]))
    shape[attrs["other"]] = length(attrs["want"][attrs["at"]])
    results = np.empty(shape, x.dtype), np.empty((), TOKEN.dtype)
    _turn(results, x, token, **attrs)
    return results


def _samples_turned() -> Iterator[Sample]:
    for name in ("f64", "c64"):
        yield Sample((f"{name}[5,3]", "i64[]"), {"at": 0, "axis": 0, "dim": 0, "have": ((0, 5),), "other": 1,
                                                 "want": ((0, 3),)})  # fmt: skip


#: All of an axis of which a position has a part, and a part of another axis of which it had all: a transpose of blocks.
TURNED_PART = Op(
    name="turned_part",
    numpy="x[..., start:stop] of the whole array",
    infer=_infer_turned,
    evaluate=_turned,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda x, token, **attrs: Cost(0, 4 * x.nbytes),
    backends=("native", "numpy"),
    samples=_samples_turned,
    communicates=True,
    fills=_turn,
)
