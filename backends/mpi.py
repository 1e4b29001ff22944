"""What communicates through MPI: exchanges and reductions along the dimensions of a grid of ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr import forks, settings
from lazyarr.backends import native_memory, native_mpi
from lazyarr.backends.native_mpi import TAG as _TAG
from lazyarr.backends.native_mpi import Counts
from lazyarr.cost_model import gathers
from lazyarr.ir.layout import Grid, Range, Ranges, intersection, sent
from lazyarr.ops.comm import Beside, sides

#: Pairs of ranges whose partners are remembered.
_MOST_KNOWN = 4096


class MpiCommunicator:
    """One rank of a grid.

    Attributes
    ----------
    place : tuple of int
        This rank's position along each dimension of the grid.
    counts : Counts
        Messages and bytes that this rank has sent, by kind: ``exchange``, ``exchange bytes``, ``all_reduce``, ...
    native : native_mpi.Table, optional
        By what native code sends without Python; None where it does not.

    Parameters
    ----------
    communicator : mpi4py.MPI.Intracomm
        Of as many ranks as the grid has. It is duplicated: messages of the program's own do not meet lazyarr's.
    grid : tuple of int
    """

    def __init__(self, communicator: Any, grid: Grid):
        from mpi4py import MPI

        self._mpi = MPI
        self.grid = grid
        self.whole = communicator.Create_cart(list(grid), periods=[False] * len(grid), reorder=False)
        self.place: tuple[int, ...] = tuple(self.whole.Get_coords(self.whole.Get_rank()))
        self._lines = [self.whole.Sub([k == dim for k in range(len(grid))]) for dim in range(len(grid))]
        self._planes: dict[tuple[int, ...], Any] = {(dim,): line for dim, line in enumerate(self._lines)}
        self._planes.setdefault(tuple(range(len(grid))), self.whole)
        self.counts = Counts()
        self._known: dict[tuple[int, int, int], Partners] = {}
        #: Halos that are on their way, by number; and the last number.
        self._flights: dict[int, _Flight] = {}
        self._last = -1
        self._lock = forks.lock()
        self.native = native_mpi.Table.of(MPI, grid, self.counts) if settings.current.native_messages else None
        if self.native is not None:
            for dims, plane in self._planes.items():
                self.native.plane(dims, plane)

    # --- what the operations ask for

    def exchange(self, x: Any, axis: int, dim: int, base: int, have: Ranges, want: Ranges) -> Any:
        """See `lazyarr.ops.comm.Communicator`."""
        x = np.asarray(x)
        at = self.place[dim]
        found = self._partners(at, have, want)
        first, last = want[at]
        result = np.empty((*x.shape[:axis], last - first, *x.shape[axis + 1 :]), x.dtype)
        lead = (slice(None),) * axis
        start, stop = found.own
        if start < stop:
            result[(*lead, slice(start - first, stop - first))] = x[(*lead, slice(start - base, stop - base))]
        targets = [(k, result[(*lead, slice(a - first, b - first))]) for k, (a, b) in found.receives]
        self._trade(dim, _wanted(found, x, lead, base), targets)
        return result

    def halo(self, arrays: Sequence[Any], dim: int, parts: Sequence[Beside]) -> list[Any]:
        """See `lazyarr.ops.comm.Communicator`."""
        results, sends, targets = self._beside(arrays, dim, parts)
        self._trade(dim, sends, targets)
        return results

    def start(self, arrays: Sequence[Any], dim: int, parts: Sequence[Beside]) -> int:
        """See `lazyarr.ops.comm.Communicator`."""
        results, sends, targets = self._beside(arrays, dim, parts)
        if not sends and not targets:
            return 0
        given, taken = _by_peer(sends), _by_peer(targets)
        line, byte = self._lines[dim], self._mpi.BYTE
        # (Copies, both ways: arrays may be written meanwhile.)
        messages = {k: np.concatenate([_bytes(x) for x in xs]) for k, xs in given.items()}
        buffers = {k: np.empty(sum(x.nbytes for x in xs), np.uint8) for k, xs in taken.items()}
        self.counts["exchange"] += len(messages)
        self.counts["exchange bytes"] += sum(m.nbytes for m in messages.values())
        with self._lock:
            requests = [line.Irecv([b, byte], k, _TAG) for k, b in buffers.items()]
            requests += [line.Isend([m, byte], k, _TAG) for k, m in messages.items()]
            # (Odd: native code's are addresses.)
            self._last += 2
            self._flights[self._last] = _Flight(requests, messages, buffers, taken, results)
            return self._last

    def wait(self, number: int) -> list[Any]:
        """See `lazyarr.ops.comm.Communicator`."""
        with self._lock:
            flight = self._flights.pop(number, None)
            if flight is None:
                raise RuntimeError(f"no halo of the number {number} is on its way")
            self._mpi.Request.Waitall(flight.requests)
        for k, xs in flight.targets.items():
            _unpack(flight.buffers[k], xs)
        return flight.results

    def _beside(
        self, arrays: Sequence[Any], dim: int, parts: Sequence[Beside]
    ) -> tuple[list[Any], list[tuple[int, Any]], list[tuple[int, Any]]]:
        """Arrays for what comes from beside others; what is sent to whom, and what comes where from whom."""
        results, sends, targets = [], [], []
        for x, (axis, base, have, want) in zip(map(np.asarray, arrays), parts, strict=True):
            found = self._partners(self.place[dim], have, want)
            lead = (slice(None),) * axis
            new = [
                np.empty((*x.shape[:axis], stop - start, *x.shape[axis + 1 :]), x.dtype) for start, stop in found.sides
            ]
            (low, above), (begin, _) = found.sides
            for k, (a, b) in found.receives:
                first = begin if a >= above else low
                targets.append((k, new[a >= above][(*lead, slice(a - first, b - first))]))
            sends += _wanted(found, x, lead, base)
            results += new
        return results, sends, targets

    def _trade(self, dim: int, sends: list[tuple[int, Any]], targets: list[tuple[int, Any]]) -> None:
        """Send to others what is for them, and put what comes from them into the targets: one message for each."""
        line, byte = self._lines[dim], self._mpi.BYTE
        given, taken = _by_peer(sends), _by_peer(targets)
        parts = {k: xs[0] if len(xs) == 1 else np.concatenate([_bytes(x) for x in xs]) for k, xs in given.items()}
        buffers = {
            k: xs[0] if len(xs) == 1 and xs[0].flags.c_contiguous else np.empty(sum(x.nbytes for x in xs), np.uint8)
            for k, xs in taken.items()
        }
        self.counts["exchange"] += len(parts)
        self.counts["exchange bytes"] += sum(part.nbytes for part in parts.values())
        with self._lock:
            if len(parts) == len(buffers) == 1 and parts.keys() == buffers.keys():
                ((peer, part),), (buffer,) = parts.items(), buffers.values()
                line.Sendrecv([part, byte], peer, _TAG, [buffer, byte], peer, _TAG)
            else:
                requests = [line.Irecv([b, byte], k, _TAG) for k, b in buffers.items()]
                requests += [line.Isend([b, byte], k, _TAG) for k, b in parts.items()]
                self._mpi.Request.Waitall(requests)
        for k, xs in taken.items():
            if buffers[k] is not xs[0]:
                _unpack(buffers[k], xs)

    def _partners(self, at: int, have: Ranges, want: Ranges) -> Partners:
        # (By the ranges' identity: they are long where there are many ranks, and the same objects at each call.)
        key = id(have), id(want), at
        found = self._known.get(key)
        if found is None:
            while len(self._known) >= _MOST_KNOWN:
                self._known.pop(next(iter(self._known)))
            found = self._known[key] = Partners.of(at, have, want)
        return found

    def all_reduce(self, x: Any, kind: str, dims: tuple[int, ...]) -> Any:
        """See `lazyarr.ops.comm.Communicator`."""
        x = np.asarray(x, order="C")
        plane = self._plane(dims)
        with self._lock:
            self.counts["all_reduce"] += 1
            self.counts["all_reduce bytes"] += x.nbytes
            if not gathers(kind, x.dtype, x.nbytes):
                result = np.empty_like(x)
                plane.Allreduce(x, result, self._mpi.SUM)
                return result
            parts = np.empty((plane.Get_size(), *x.shape), x.dtype)
            plane.Allgather(_bytes(x), _bytes(parts))
        combine = getattr(np, kind)
        result = parts[0]
        for part in parts[1:]:
            result = combine(result, part)
        return np.asarray(result, x.dtype)

    def all_to_all(self, arrays: Sequence[Any], dim: int) -> list[Any]:
        """See `lazyarr.ops.comm.Communicator`."""
        line, dtype, byte = self._lines[dim], arrays[0].dtype, self._mpi.BYTE
        arrays = [_vector(x) for x in arrays]
        sizes = np.array([a.nbytes for a in arrays], np.int64)
        given = np.empty_like(sizes)
        me = line.Get_rank()
        with self._lock:
            line.Alltoall(sizes, given)
            self.counts["all_to_all"] += len(arrays) - 1
            self.counts["all_to_all bytes"] += int(sizes.sum() - sizes[me])
            # (Each from where it is: joining them, or sending one to oneself, takes longer than the messages.)
            received = [
                x if k == me else native_memory.empty(n // dtype.itemsize, dtype)
                for k, (x, n) in enumerate(zip(arrays, given.tolist(), strict=True))
            ]
            others = [(me + k) % len(arrays) for k in range(1, len(arrays))]
            requests = [line.Irecv([_bytes(received[k]), byte], k, _TAG) for k in others if given[k]]
            requests += [line.Isend([_bytes(arrays[k]), byte], k, _TAG) for k in others if sizes[k]]
            self._mpi.Request.Waitall(requests)
        return received

    def swap(self, gives: Sequence[tuple[int, Any]], gets: Sequence[tuple[int, Any]]) -> None:
        """Send arrays to ranks, and receive others into arrays that are contiguous; all ranks of a pair do it."""
        byte = self._mpi.BYTE
        self.counts["exchange"] += len(gives)
        self.counts["exchange bytes"] += sum(array.nbytes for _, array in gives)
        with self._lock:
            requests = [self.whole.Irecv([_bytes(array), byte], peer, _TAG) for peer, array in gets]
            requests += [
                self.whole.Isend([_bytes(np.ascontiguousarray(array)), byte], peer, _TAG) for peer, array in gives
            ]
            self._mpi.Request.Waitall(requests)

    def _plane(self, dims: tuple[int, ...]) -> Any:
        found = self._planes.get(dims)
        if found is None:
            found = self._planes[dims] = self.whole.Sub([k in dims for k in range(len(self.grid))])
            if self.native is not None:
                self.native.plane(dims, found)
        return found

    def failure(self) -> Exception:
        """See `lazyarr.ops.comm.Communicator`."""
        assert self.native is not None
        error: Exception = self._mpi.Exception(self.native.error)
        return error

    # --- what the runtime asks for

    def count_with(self, other: MpiCommunicator) -> None:
        """Have what is sent counted where another communicator of the same ranks counts it."""
        self.counts = other.counts
        if self.native is not None:
            self.native.count(other.counts)

    def abort(self, code: int) -> None:
        """End the processes of all ranks."""
        self.whole.Abort(code)

    def agree(self, number: int) -> bool:
        """Whether all ranks have given the same number, of at most 62 bits."""
        mine = np.array([number, -number], np.int64)
        least = np.empty_like(mine)
        with self._lock:
            self.whole.Allreduce(mine, least, self._mpi.MIN)
        return bool(least[0] == number and least[1] == -number)

    def numbers(self, number: int, dim: int) -> list[int]:
        """What each rank along a dimension of the grid has given, by its position there."""
        line = self._lines[dim]
        found = np.empty(line.Get_size(), np.int64)
        with self._lock:
            line.Allgather(np.array([number], np.int64), found)
        counts: list[int] = found.tolist()
        return counts

    def from_all(self, value: Any) -> list[Any]:
        """What each rank has given."""
        with self._lock:
            return list(self.whole.allgather(value))

    def from_first(self, value: Any) -> Any:
        """What rank 0 has given."""
        with self._lock:
            return self.whole.bcast(value, 0)


def _bytes(array: np.ndarray[Any, Any]) -> Any:
    """Any array's memory as MPI takes it."""
    return array.reshape(-1).view(np.uint8) if array.size else np.empty(0, np.uint8)


def _vector(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The elements in one piece of memory."""
    if not array.flags.c_contiguous:
        found = native_memory.empty(array.shape, array.dtype)
        found[...] = array
        array = found
    return array.reshape(-1)


@dataclass(frozen=True)
class Partners:
    """From whom a position gets which indices, who gets which of its own, and what it takes from itself.

    Attributes
    ----------
    ranges : tuple of Ranges
        What it was made of; it must live as long as this.
    """

    ranges: tuple[Ranges, Ranges]
    receives: tuple[tuple[int, Range], ...]
    sends: tuple[tuple[int, Range], ...]
    own: Range
    sides: tuple[Range, Range]

    @staticmethod
    def of(at: int, have: Ranges, want: Ranges) -> Partners:
        return Partners(
            (have, want),
            sent(at, want, have),
            sent(at, have, want),
            intersection(have[at], want[at]),
            sides(have[at], want[at]),
        )


def _wanted(found: Partners, x: Any, lead: tuple[slice, ...], base: int) -> list[tuple[int, Any]]:
    """What others get of an array, and who."""
    return [(k, np.ascontiguousarray(x[(*lead, slice(a - base, b - base))])) for k, (a, b) in found.sends]


def _unpack(buffer: Any, xs: Sequence[Any]) -> None:
    """Put a message into the arrays of which it has parts."""
    begin = 0
    for x in xs:
        x[...] = buffer[begin : begin + x.nbytes].view(x.dtype).reshape(x.shape)
        begin += x.nbytes


@dataclass(frozen=True)
class _Flight:
    """A halo on its way: the requests, what they read and write, and by whom it comes where."""

    requests: list[Any]
    messages: dict[int, Any]
    buffers: dict[int, Any]
    targets: dict[int, list[Any]]
    results: list[Any]


def _by_peer(pairs: list[tuple[int, Any]]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for peer, x in pairs:
        found.setdefault(peer, []).append(x)
    return found
