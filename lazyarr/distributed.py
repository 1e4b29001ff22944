"""Programs for several ranks: each runs its part, and what it has of an array is a `Part`."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lazyarr import forks, settings
from lazyarr.backends.base import GivenUp
from lazyarr.ir.graph import Check, Graph, Program
from lazyarr.ir.layout import Layout, is_whole
from lazyarr.ir.node import Value
from lazyarr.ir.text import show
from lazyarr.passes.indexed_axes import TAKES, indices_taken, is_history, layout_beside, origin
from lazyarr.passes.insert_communication import Local, insert_communication
from lazyarr.passes.overlap_messages import overlap_messages
from lazyarr.surrender import LOST
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
        self._lock = forks.lock()

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


#: Which indices arrays of a program were taken at alone; see `Part.taken`.
_Taken = dict[Value, dict[int, set[object] | None]]


def _split_beside(world: World, graph: Graph, arguments: Sequence[Any]) -> _Taken:
    """Have arguments of which programs take one index after another along the axis that is split split along another.

    Each step would be one rank's otherwise, which sends the others what they need of it. Gives what is known of the
    indices that programs have taken, of arguments and of arrays that this one makes.
    """
    if not any(node.op.name in TAKES for node in graph.nodes):
        return {p: x.taken for p, x in zip(graph.params, arguments, strict=True) if isinstance(x, Part)}
    at, wide = indices_taken(graph)
    found: _Taken = {v: {**axes, **dict.fromkeys(wide.get(v, ()))} for v, axes in at.items()}
    for p, x in zip(graph.params, arguments, strict=True):
        if not isinstance(x, Part):
            continue
        found[p] = x.taken
        for axis in wide.get(p, ()):
            x.taken[axis] = None
        for axis, indices in at.get(p, {}).items():
            known = x.taken.setdefault(axis, set())
            if known is not None:
                known |= indices
        axes = frozenset(k for k, known in x.taken.items() if known is not None and is_history(known, x.shape[k]))
        if any(x.layout[axis] is not None for axis in axes):
            wanted = layout_beside(x.shape, world.grid, axes)
            if all(wanted[axis] is None for axis in axes):
                x.split_as(wanted)
    return found


def run(
    world: World, program: Program, arguments: Sequence[Any], compute: Callable[[Program, list[Any]], Computed],
    gathered: bool = False, compiled: bool = True, surrendered: Sequence[int] = (),
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
    surrendered : sequence of int
        Arguments, in a list, that the program may destroy.

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
    taken = _split_beside(world, graph, arguments)
    given = {p: x.layout for p, x in zip(graph.params, arguments, strict=True) if isinstance(x, Part)}
    count = len(graph.results)
    world.tick(sum(int(v.type.nbytes) for v in graph.results))
    local, digest = _known.get(world, program, given, tuple(range(count)) if gathered else (), compiled)
    small = [np.asarray(x).tobytes().hex() for x in arguments if not isinstance(x, Part) and np.size(x) <= _SMALL]
    world.agree(f"runs {len(graph.nodes)} operations (program {digest[:8]})", digest + ",".join(small))
    parts = [x.array if isinstance(x, Part) else x for x in arguments]
    given_up: dict[int, tuple[Any, GivenUp]] = {}
    for k in surrendered:
        parts[k] = kept = GivenUp(parts[k])
        x = arguments[k]
        if isinstance(x, Part):
            x.array = LOST
        given_up[k] = x if isinstance(x, Part) else None, kept
        arguments[k] = x = None  # type: ignore[index]
    try:
        found, checks = compute(local.program, parts)
    except BaseException:
        # (What nothing has begun to write into is as it was.)
        for k, (part, kept) in given_up.items():
            if part is not None and kept.array is not None:
                part.array = kept.array
            arguments[k] = kept.array if part is None else part  # type: ignore[index]
        raise
    results: list[Any] = []
    for x, layout, value in zip(found, local.results, graph.results, strict=False):
        if not is_whole(layout):
            x = Part(np.asarray(x), layout, value.type.shape, world, taken=taken.get(origin(value), {}))
        results.append(x)
    return [*results, *found[count + local.communicates :]], checks
