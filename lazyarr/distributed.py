"""Programs for several ranks: each runs its part, and what it has of an array is a `Part`."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lazyarr import settings
from lazyarr.ir.graph import Check, Graph, Program
from lazyarr.ir.layout import Layout, is_whole
from lazyarr.ir.text import show
from lazyarr.passes.insert_communication import Local, insert_communication
from lazyarr.passes.overlap_messages import overlap_messages
from lazyarr.world import Part, World

#: Elements of arguments that have to be the same on all ranks, and are compared.
_SMALL = 64
#: Results and conditions of checks, and these checks.
Computed = tuple[list[Any], tuple[Check, ...]]


class _Known:
    """Local programs by what they are made of."""

    def __init__(self, limit: int = 512):
        self._limit = limit
        self._found: OrderedDict[Any, tuple[Local, str]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, world: World, program: Program, given: dict[Any, Layout], gathered: tuple[int, ...], compiled: bool
    ) -> Any:
        """The program of this rank, and a digest of what has to be the same on all ranks."""
        split_above, overlap = settings.current.split_above, settings.current.overlap
        if not compiled and overlap != "always":
            # (It takes longer to find what may stand between than to interpret that once.)
            overlap = "never"
        key = program.graph, tuple(given.items()), gathered, split_above, overlap, world.grid, world.model
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
                return found
        local = insert_communication(
            program, world.grid, world.communicator.place, settings.current.split_above, given, gathered, world.model
        )
        local = replace(local, program=overlap_messages(local.program, world.model, overlap))
        layouts = [(k, given.get(p)) for k, p in enumerate(program.graph.params)]
        text = f"{show(program.graph)}{layouts}{gathered}{settings.current.split_above}"
        found = local, hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
        with self._lock:
            self._found[key] = found
            if len(self._found) > self._limit:
                self._found.popitem(last=False)
        return found


_known = _Known()


def run(
    world: World, program: Program, arguments: Sequence[Any], compute: Callable[[Program, list[Any]], Computed],
    gathered: bool = False, compiled: bool = True,
) -> Computed:  # fmt: skip
    """Run a program on all ranks.

    Parameters
    ----------
    world : World
    program : Program
    arguments : sequence
        Arrays that every rank has, or a `Part`.
    compute : callable
        ``compute(program, arguments) -> (results and conditions of checks, these checks)``.
    gathered : bool
        Whether every rank gets the results whole; a large one is a `Part` otherwise.
    compiled : bool
        Whether it is compiled, on all ranks, and not interpreted.

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
    for x in arguments:
        if isinstance(x, Part):
            x.move(world)  # what has been split on another grid (`lazyarr.grid`)
    given = {p: x.layout for p, x in zip(graph.params, arguments, strict=True) if isinstance(x, Part)}
    count = len(graph.results)
    world.tick(sum(int(v.type.nbytes) for v in graph.results))
    local, digest = _known.get(world, program, given, tuple(range(count)) if gathered else (), compiled)
    small = [np.asarray(x).tobytes().hex() for x in arguments if not isinstance(x, Part) and np.size(x) <= _SMALL]
    world.agree(f"runs {len(graph.nodes)} operations (program {digest[:8]})", digest + ",".join(small))
    parts = [x.array if isinstance(x, Part) else x for x in arguments]
    found, checks = compute(local.program, parts)
    results: list[Any] = []
    for x, layout, value in zip(found, local.results, graph.results, strict=False):
        results.append(x if is_whole(layout) else Part(np.asarray(x), layout, value.type.shape, world))
    return [*results, *found[count + local.communicates :]], checks
