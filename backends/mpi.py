"""What communicates through MPI: exchanges and reductions along the dimensions of a grid of ranks."""

from __future__ import annotations

import threading
from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np

from lazyarr.ir.layout import Grid, Range, Ranges, intersection
from lazyarr.ops.comm import sides

#: Sums of so many bytes or fewer are added up in the order of the ranks by each rank: one message, and the same bits
#: everywhere, whatever the library's own reductions do.
_GATHERED = 1 << 14
_TAG = 17


class MpiCommunicator:
    """One rank of a grid.

    Attributes
    ----------
    place : tuple of int
        This rank's position along each dimension of the grid.
    counts : Counter
        Messages and bytes that this rank has sent, by kind: ``exchange``, ``exchange bytes``, ``all_reduce``, ...

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
        self._planes: dict[tuple[int, ...], Any] = {tuple(range(len(grid))): self.whole}
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    # --- what the operations ask for

    def exchange(self, x: Any, axis: int, dim: int, base: int, have: Ranges, want: Ranges) -> Any:
        """See `lazyarr.ops.comm.Communicator`."""
        x = np.asarray(x)
        line, at = self._lines[dim], self.place[dim]
        lead = (slice(None),) * axis
        first = want[at][0]
        result = np.empty((*x.shape[:axis], want[at][1] - first, *x.shape[axis + 1 :]), x.dtype)
        receives, sends, (start, stop) = _partners(at, have, want)
        with self._lock:
            requests, landed = [], []
            for peer, (a, b) in receives:
                target = result[(*lead, slice(a - first, b - first))]
                buffer = target if target.flags.c_contiguous else np.empty(target.shape, x.dtype)
                requests.append(line.Irecv(_bytes(buffer), peer, _TAG))
                if buffer is not target:
                    landed.append((target, buffer))
            for peer, (a, b) in sends:
                part = np.ascontiguousarray(x[(*lead, slice(a - base, b - base))])
                requests.append(line.Isend(_bytes(part), peer, _TAG))
                self.counts["exchange"] += 1
                self.counts["exchange bytes"] += part.nbytes
                landed.append((part, part))  # It has to live until it is sent.
            if start < stop:
                result[(*lead, slice(start - first, stop - first))] = x[(*lead, slice(start - base, stop - base))]
            self._mpi.Request.Waitall(requests)
        for target, buffer in landed:
            if target is not buffer:
                target[...] = buffer
        return result

    def halo(self, x: Any, axis: int, dim: int, base: int, have: Ranges, want: Ranges) -> Any:
        """See `lazyarr.ops.comm.Communicator`."""
        x = np.asarray(x)
        line, at = self._lines[dim], self.place[dim]
        lead = (slice(None),) * axis
        receives, sends, _ = _partners(at, have, want)
        results = [
            np.empty((*x.shape[:axis], stop - start, *x.shape[axis + 1 :]), x.dtype)
            for start, stop in sides(have[at], want[at])
        ]
        places = sides(have[at], want[at])
        with self._lock:
            requests, landed = [], []
            for peer, (a, b) in receives:
                side = 0 if a < places[0][1] else 1
                first = places[side][0]
                target = results[side][(*lead, slice(a - first, b - first))]
                buffer = target if target.flags.c_contiguous else np.empty(target.shape, x.dtype)
                requests.append(line.Irecv(_bytes(buffer), peer, _TAG))
                if buffer is not target:
                    landed.append((target, buffer))
            kept = []
            for peer, (a, b) in sends:
                part = np.ascontiguousarray(x[(*lead, slice(a - base, b - base))])
                requests.append(line.Isend(_bytes(part), peer, _TAG))
                kept.append(part)  # It has to live until it is sent.
                self.counts["exchange"] += 1
                self.counts["exchange bytes"] += part.nbytes
            self._mpi.Request.Waitall(requests)
        for target, buffer in landed:
            target[...] = buffer
        return results

    def all_reduce(self, x: Any, kind: str, dims: tuple[int, ...]) -> Any:
        """See `lazyarr.ops.comm.Communicator`."""
        x = np.asarray(x, order="C")
        plane = self._plane(dims)
        with self._lock:
            self.counts["all_reduce"] += 1
            self.counts["all_reduce bytes"] += x.nbytes
            if kind == "add" and x.nbytes > _GATHERED and x.dtype.kind in "fciu" and x.dtype.itemsize >= 4:
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

    def _plane(self, dims: tuple[int, ...]) -> Any:
        found = self._planes.get(dims)
        if found is None:
            found = self._planes[dims] = self.whole.Sub([k in dims for k in range(len(self.grid))])
        return found

    # --- what the runtime asks for

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


@lru_cache(maxsize=4096)
def _partners(
    at: int, have: Ranges, want: Ranges
) -> tuple[tuple[tuple[int, Range], ...], tuple[tuple[int, Range], ...], Range]:
    """From whom a position gets which indices, who gets which of its own, and what it takes from itself."""
    others = [k for k in range(len(have)) if k != at]
    receives = [(k, intersection(have[k], want[at])) for k in others]
    sends = [(k, intersection(have[at], want[k])) for k in others]
    return (
        tuple((k, r) for k, r in receives if r[0] < r[1]),
        tuple((k, r) for k, r in sends if r[0] < r[1]),
        intersection(have[at], want[at]),
    )
