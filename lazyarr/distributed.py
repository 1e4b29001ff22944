"""Programs for several ranks: each runs its part, and what it has of an array is a `Part`."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr import settings
from lazyarr.ir.graph import Check, Graph, Program
from lazyarr.ir.layout import Layout, is_whole
from lazyarr.ir.text import show
from lazyarr.passes.insert_communication import Local, insert_communication
from lazyarr.world import World

#: Elements of arguments that have to be the same on all ranks, and are compared.
_SMALL = 64
#: Results and conditions of checks, and these checks.
Computed = tuple[list[Any], tuple[Check, ...]]


@dataclass(eq=False)
class Part:
    """What this rank has of an array.

    Attributes
    ----------
    local : numpy.ndarray
    layout : Layout
    shape : tuple of int
        Of the array.
    """

    local: np.ndarray[Any, np.dtype[Any]]
    layout: Layout
    shape: tuple[int, ...]
    world: World
    _whole: np.ndarray[Any, Any] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.local.dtype

    @property
    def place(self) -> tuple[slice, ...]:
        """Where in the array it stands."""
        at = self.world.communicator.place
        return tuple(
            slice(0, n) if split is None else slice(*split.ranges[at[split.dim]])
            for split, n in zip(self.layout, self.shape, strict=True)
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        whole = self.whole()
        return whole if dtype is None or dtype == whole.dtype else whole.astype(dtype)

    def whole(self) -> np.ndarray[Any, Any]:
        """The array, which every rank gets. All ranks have to ask for it."""
        if self._whole is None:
            self.world.agree(f"looks at an array of shape {self.shape}", f"{self.dtype} {self.layout}")
            found: Any = self.local
            for axis, split in enumerate(self.layout):
                if split is not None:
                    everything = ((0, self.shape[axis]),) * len(split.ranges)
                    base = split.ranges[self.world.communicator.place[split.dim]][0]
                    found = self.world.communicator.exchange(found, axis, split.dim, base, split.ranges, everything)
            self._whole = found
        return self._whole


class _Known:
    """Local programs by what they are made of."""

    def __init__(self, limit: int = 512):
        self._limit = limit
        self._found: OrderedDict[Any, tuple[Local, str]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, world: World, program: Program, given: dict[Any, Layout], gathered: tuple[int, ...]) -> Any:
        """The program of this rank, and the text that has to be the same on all ranks."""
        key = program.graph, tuple(given.items()), gathered
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
                return found
        local = insert_communication(
            program, world.grid, world.communicator.place, settings.current.split_above, given, gathered
        )
        layouts = [(k, given.get(p)) for k, p in enumerate(program.graph.params)]
        found = local, f"{show(program.graph)}{layouts}{gathered}{settings.current.split_above}"
        with self._lock:
            self._found[key] = found
            if len(self._found) > self._limit:
                self._found.popitem(last=False)
        return found


_known = _Known()


def _short(text: str) -> str:
    """A name for a program."""
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def run(
    world: World, program: Program, arguments: Sequence[Any], compute: Callable[[Program, list[Any], bool], Computed],
    gathered: bool = False,
) -> Computed:  # fmt: skip
    """Run a program on all ranks.

    Parameters
    ----------
    world : World
    program : Program
    arguments : sequence
        Arrays that every rank has, or a `Part`.
    compute : callable
        ``compute(program, arguments, communicates) -> (results and conditions of checks, these checks)``.
    gathered : bool
        Whether every rank gets the results whole; a large one is a `Part` otherwise.

    Returns
    -------
    list
        Results, then conditions of checks.
    tuple of Check
        The checks whose conditions those are.

    Raises
    ------
    DivergedError
        If another rank is about to run another program.
    """
    graph: Graph = program.graph
    given = {p: x.layout for p, x in zip(graph.params, arguments, strict=True) if isinstance(x, Part)}
    count = len(graph.results)
    local, text = _known.get(world, program, given, tuple(range(count)) if gathered else ())
    small = [np.asarray(x).tobytes().hex() for x in arguments if not isinstance(x, Part) and np.size(x) <= _SMALL]
    world.agree(f"runs {len(graph.nodes)} operations (program {_short(text)})", text + ",".join(small))
    parts = [x.local if isinstance(x, Part) else x for x in arguments]
    found, checks = compute(local.program, parts, local.communicates)
    results: list[Any] = []
    for x, layout, value in zip(found, local.results, graph.results, strict=False):
        results.append(x if is_whole(layout) else Part(np.asarray(x), layout, value.type.shape, world))
    return [*results, *found[count + local.communicates :]], checks
