"""Ranks that are threads of one process: programs for several ranks, interpreted or compiled, without MPI."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lazyarr.cost_model import DEFAULT, CostModel
from lazyarr.ir.graph import Program
from lazyarr.ir.layout import Grid, Layout, Ranges, intersection, length
from lazyarr.ir.local import LOCAL, verify_ranks
from lazyarr.ir.verify import GLOBAL, verify
from lazyarr.ops import comm
from lazyarr.passes.insert_communication import Local, insert_communication
from lazyarr.passes.overlap_messages import overlap_messages


class World:
    """A grid of ranks that exchange arrays through a board."""

    def __init__(self, grid: Grid):
        self.grid = grid
        self.places = list(itertools.product(*(range(n) for n in grid)))
        self.barrier = threading.Barrier(len(self.places), timeout=20)
        self.board: dict[tuple[int, ...], Any] = {}
        #: What each rank has sent: (kind, bytes).
        self.sent: dict[tuple[int, ...], list[tuple[str, int]]] = {place: [] for place in self.places}

    def run(self, function: Callable[[tuple[int, ...]], Any]) -> list[Any]:
        """A function of each rank's place, all at the same time."""
        results: list[Any] = [None] * len(self.places)
        errors: list[BaseException] = []

        def one(number: int, place: tuple[int, ...]) -> None:
            comm.use(Rank(self, place), thread=True)
            try:
                results[number] = function(place)
            except threading.BrokenBarrierError:
                pass  # another rank's error is the cause
            except BaseException as error:  # noqa: BLE001  raised below
                errors.append(error)
                self.barrier.abort()

        threads = [threading.Thread(target=one, args=item) for item in enumerate(self.places)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]
        assert not self.barrier.broken, "ranks wait for each other"
        return results


class Rank:
    """What communicates for one rank."""

    def __init__(self, world: World, place: tuple[int, ...]):
        self.world, self.place = world, place
        self.flights: list[list[Any] | None] = []

    def exchange(self, x: Any, axis: int, dim: int, base: int, have: Ranges, want: Ranges) -> Any:
        found = self._boards(x, base)
        at = self.place[dim]
        shape = list(np.shape(x))
        shape[axis] = want[at][1] - want[at][0]
        result = np.empty(shape, np.asarray(x).dtype)
        for k, mine in enumerate(have):
            start, stop = intersection(mine, want[at])
            if start < stop:
                part, begin = found[(*self.place[:dim], k, *self.place[dim + 1 :])]
                lead = (slice(None),) * axis
                result[(*lead, slice(start - want[at][0], stop - want[at][0]))] = part[
                    (*lead, slice(start - begin, stop - begin))
                ]
        for k, other in enumerate(want):
            start, stop = intersection(have[at], other)
            if k != at and start < stop:
                row = np.asarray(x).nbytes // max(np.shape(x)[axis], 1)
                self.world.sent[self.place].append(("exchange", row * (stop - start)))
        return result

    def halo(self, arrays: Sequence[Any], dim: int, parts: Sequence[comm.Beside]) -> list[Any]:
        results = []
        messages: dict[int, int] = {}
        mine = self.world.sent[self.place]
        at = self.place[dim]
        for x, (axis, base, have, want) in zip(arrays, parts, strict=True):
            before = len(mine)
            found = self.exchange(x, axis, dim, base, have, want)
            to = [k for k, other in enumerate(want) if k != at and length(intersection(have[at], other))]
            for k, (_, size) in zip(to, mine[before:], strict=True):
                messages[k] = messages.get(k, 0) + size
            del mine[before:]
            lead = (slice(None),) * axis
            first = want[at][0]
            results += [found[(*lead, slice(a - first, b - first))] for a, b in comm.sides(have[at], want[at])]
        mine += [("exchange", size) for size in messages.values()]
        return results

    def start(self, arrays: Sequence[Any], dim: int, parts: Sequence[comm.Beside]) -> int:
        # (Nobody is late on a board: what will come is there.)
        self.flights.append(self.halo(arrays, dim, parts))
        return 2 * len(self.flights) - 1

    def wait(self, number: int) -> list[Any]:
        found = self.flights[number // 2]
        assert found is not None, "somebody waits twice"
        self.flights[number // 2] = None
        return found

    def failure(self) -> Exception:
        raise AssertionError("native code sends nothing where threads are ranks")

    def _boards(self, x: Any, base: int) -> dict[tuple[int, ...], tuple[Any, int]]:
        self.world.board[self.place] = np.array(x), base
        self.world.barrier.wait()
        found = dict(self.world.board)
        self.world.barrier.wait()
        return found

    def all_to_all(self, arrays: Sequence[Any], dim: int) -> list[Any]:
        self.world.board[self.place] = [np.array(a).reshape(-1) for a in arrays]
        self.world.barrier.wait()
        line = [(*self.place[:dim], k, *self.place[dim + 1 :]) for k in range(self.world.grid[dim])]
        found = [self.world.board[place][self.place[dim]] for place in line]
        self.world.barrier.wait()
        sizes = [a.nbytes for k, a in enumerate(arrays) if k != self.place[dim]]
        self.world.sent[self.place] += [("all_to_all", n) for n in sizes]
        return found

    def swap(self, gives: Sequence[tuple[int, Any]], gets: Sequence[tuple[int, Any]]) -> None:
        self.world.board[self.place] = {peer: array.copy() for peer, array in gives}
        self.world.barrier.wait()
        me = self.world.places.index(self.place)
        for peer, array in gets:
            array[...] = self.world.board[self.world.places[peer]].pop(me)
        self.world.barrier.wait()
        assert not self.world.board[self.place], "somebody does not take what is for it"
        self.world.sent[self.place] += [("exchange", array.nbytes) for _, array in gives]

    def all_reduce(self, x: Any, kind: str, dims: tuple[int, ...]) -> Any:
        found = self._boards(x, 0)
        parts = [
            part for place, (part, _) in sorted(found.items())
            if all(k in dims or a == b for k, (a, b) in enumerate(zip(place, self.place, strict=True)))
        ]  # fmt: skip
        self.world.sent[self.place].append(("all_reduce", np.asarray(x).nbytes))
        result = parts[0]
        for part in parts[1:]:
            result = getattr(np, kind)(result, part)
        return np.asarray(result, np.asarray(x).dtype)


def distributed(
    program: Program, arguments: Sequence[Any], grid: Grid, run: Callable[[Any, list[Any]], list[Any]], least: int = 1,
    split: Sequence[int] = (), gathered: Sequence[int] | None = None, model: CostModel = DEFAULT,
    overlap: str = "never",
) -> tuple[list[list[Any]], list[Local], World]:  # fmt: skip
    """The results of every rank, each whole.

    Parameters
    ----------
    program : Program
    arguments : sequence of array
        Whole ones.
    grid : tuple of int
    run : callable
        ``run(graph, arguments) -> results``.
    least : int
        Elements from which on values are split.
    split : sequence of int
        Parameters of which a rank has an even part; it has all of the others.
    gathered : sequence of int, optional
        The results that are whole on every rank; all of them without it.
    model : CostModel
    overlap : {"never", "always", "auto"}
    """
    from lazyarr.ir.layout import default

    world = World(grid)
    params = program.graph.params
    given: dict[Any, Layout] = {params[k]: default(params[k].type.shape, grid) for k in split}
    gathered = range(len(program.graph.results)) if gathered is None else gathered
    locals: list[Local] = []
    # (A program that is one of these operations has no chain of them.)
    form = GLOBAL if any(node.op.communicates for node in program.graph.nodes) else LOCAL

    def one(place: tuple[int, ...]) -> list[Any]:
        local = insert_communication(program, grid, place, least, given, gathered, model)
        local = replace(local, program=overlap_messages(local.program, model, overlap))
        verify(local.program.graph, form)
        locals.append(local)
        mine = []
        for value, x in zip(params, arguments, strict=True):
            layout = given.get(value, (None,) * np.ndim(x))
            at = tuple(slice(*s.ranges[place[s.dim]]) if s is not None else slice(None) for s in layout)
            mine.append(np.array(np.asarray(x)[at]))
        results = run(local.program.graph, mine)
        return list(results[: len(program.graph.results)])

    found = world.run(one)
    # (The boards of these ranks have no messages that could miss each other; MPI's do.)
    verify_ranks([local.program.graph for local in locals])
    return found, locals, world
