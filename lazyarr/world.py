"""The ranks that run a program together: how many they are, which one this is, and the grid they form."""

from __future__ import annotations

import gc
import hashlib
import math
import os
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from lazyarr import cost_model, settings
from lazyarr.cost_model import CostModel
from lazyarr.ir.layout import Grid, Layout, Range, default, is_whole, length, moves, place
from lazyarr.ops import comm
from lazyarr.portable import portable
from lazyarr.report import DivergedError
from lazyarr.source import user_line

if TYPE_CHECKING:
    from lazyarr.backends.mpi import MpiCommunicator


#: Programs, or bytes of results on a rank, between two searches for garbage in reference cycles; what one operation
#: counts that NumPy does at once.
_PROGRAMS, _BYTES, _AT_ONCE = 250, 1 << 28, 0.1
#: How much a rank remembers of what it has done by itself.
_RECENT = 64


class World:
    """Several ranks.

    Attributes
    ----------
    rank, size : int
    grid : tuple of int
        Ranks along each dimension in which arrays are split.
    communicator : MpiCommunicator
    model : CostModel
        Rank 0's: what is decided by it is decided alike on all ranks.
    """

    def __init__(self, communicator: Any, grid: Grid):
        from lazyarr.backends.mpi import MpiCommunicator

        self.communicator: MpiCommunicator = MpiCommunicator(communicator, grid)
        self.rank: int = communicator.Get_rank()
        self.size: int = communicator.Get_size()
        self.grid = grid
        kept = cost_model.kept(native=self.communicator.native is not None)
        self.model: CostModel = self.communicator.from_first(kept if self.rank == 0 else None)
        self._worked, self._searches = 0.0, 0
        self._alone: list[str] = []
        #: A sum over what this rank has done by itself with what it has of arrays; the last of it, and how much it is.
        self._sum, self._count = 0, 0
        self._recent: deque[str] = deque(maxlen=_RECENT)
        self._thread = threading.get_ident()
        self._given, self._others = communicator, {grid: self}

    def on(self, grid: Grid) -> World:
        """The same ranks on a grid; all of them ask for it."""
        found = self._others.get(grid)
        if found is None:
            found = self._others[grid] = World(self._given, grid)
            found._others, found._thread = self._others, self._thread
            found.communicator.count_with(self.communicator)
        return found

    def tick(self, nbytes: int = 0, part: float = 1.0) -> None:
        """Count work, and look for garbage in reference cycles now and then: all ranks after the same work.

        What is still pending is part of the next program; Python itself would find such garbage at other times on
        other ranks, whose programs would differ.

        Parameters
        ----------
        nbytes : int
            Of results, on all ranks.
        part : float
            How much of a program it was.
        """
        self._worked += max(part / _PROGRAMS, nbytes / self.size / _BYTES)
        if self._worked >= 1:
            self._worked = 0.0
            self._searches += 1
            # (What has survived a search is part of every eighth one, which takes longer.)
            gc.collect(1 if self._searches % 8 else 2)

    def is_mine(self) -> bool:
        """Whether this thread is the one that made its process a rank."""
        return threading.get_ident() == self._thread

    def may_agree(self) -> bool:
        """Whether all ranks come to where this one is: it is in their thread, and no other waits for it already."""
        return self.is_mine() and not self._alone

    def leave(self) -> None:
        """Be no rank any more: nothing is asked of the others from here on."""
        for world in self._others.values():
            world._thread = 0

    def did(self, what: str, numbers: bytes = b"") -> None:
        """Note what this rank has done by itself with what it has of arrays: the others have to have done the same.

        They compare it when they agree the next time.

        Parameters
        ----------
        what : str
        numbers : bytes
            What else has to be the same.
        """
        self._sum = crc32(numbers, crc32(what.encode(), self._sum))
        self._count += 1
        file, line = user_line(2)
        self._recent.append(f"{file}:{line}: {what}" if line else what)

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Within which the others wait for this rank: nothing may be asked of them."""
        self._alone.append(what)
        try:
            yield
        finally:
            self._alone.pop()

    def agree(self, what: str, how: str = "") -> None:
        """Make sure that all ranks are about to do the same.

        Parameters
        ----------
        what : str
            What this rank is about to do, compared with the others'.
        how : str
            More of it, compared and not shown.

        Raises
        ------
        DivergedError
            If another rank is about to do something else.
        RuntimeError
            If the others wait for this rank, or if another thread than the one that made them ranks asks: ranks would
            meet in other orders, and wait for each other.
        """
        if self.size > 1 and not self.is_mine():
            raise RuntimeError(
                f"it takes all ranks, and another thread or process than the one that began asks for it ({what}): work "
                "on arrays that are split has to be done in one thread of the ranks' own"
            )
        if self._alone:
            raise RuntimeError(
                f"rank 0 alone does this ({self._alone[-1]}), and it takes all ranks: this one {what}. "
                "Have arrays that are split gathered before, by numpy.asarray"
            )
        digest = hashlib.blake2b(f"{what}\0{how}\0{self._sum}".encode(), digest_size=8).digest()
        if self.communicator.agree(int.from_bytes(digest, "little") >> 2):
            return
        file, line = user_line(2)
        place = f"{file}:{line}: " if line else ""
        told = self.communicator.from_all((f"{place}{what}", self._count, list(self._recent)))
        doing = [now for now, _, _ in told]
        if len(set(doing)) == 1:
            doing = _first_unlike([(count, before) for _, count, before in told]) or doing
        ranks: dict[str, list[int]] = {}
        for rank, text in enumerate(doing):
            ranks.setdefault(text, []).append(rank)
        if len(ranks) == 1:
            ranks[f"{place}{what}, with other numbers on each"] = ranks.popitem()[1]
        listed = "".join(f"\n  {_named(numbers)}: {text}" for text, numbers in ranks.items())
        raise DivergedError(
            f"the {self.size} ranks do not run the same program; a branch on the rank, or unseeded random numbers, "
            f"make them differ:{listed}"
        )


def _first_unlike(told: Sequence[tuple[int, Sequence[str]]]) -> list[str] | None:
    """What ranks did by themselves, where that is first not the same; None where all is that is remembered.

    Each tells how much it has done, and the last of that.
    """
    begins = [count - len(recent) for count, recent in told]
    for k in range(max(begins), max(count for count, _ in told)):
        did = [recent[k - begin] if k < count else "nothing more by itself"
               for begin, (count, recent) in zip(begins, told, strict=True)]  # fmt: skip
        if len(set(did)) > 1:
            return did
    return None


def _named(ranks: list[int]) -> str:
    return f"rank {ranks[0]}" if len(ranks) == 1 else f"ranks {', '.join(map(str, ranks))}"


@dataclass(eq=False)
class Part:
    """What this rank has of an array.

    Attributes
    ----------
    array : numpy.ndarray
    layout : Layout
    shape : tuple of int
        Of the array.
    taken : dict of int to set
        Indices at which programs have taken it alone, by axis; None for an axis of which they have taken several, or
        that is to be split as it is.
    measured : bool
        Whether data has decided its shape, which then hardly comes again.
    """

    array: np.ndarray[Any, np.dtype[Any]]
    layout: Layout
    shape: tuple[int, ...]
    world: World | None
    _whole: np.ndarray[Any, Any] | None = None
    _before: dict[Grid, Layout] = field(default_factory=dict)
    taken: dict[int, set[object] | None] = field(default_factory=dict)
    measured: bool = False

    @staticmethod
    def of(whole: np.ndarray[Any, Any], layout: Layout, world: World) -> Part:
        """A copy of what this rank has of an array that is at hand."""
        own = tuple(slice(*part) for part in place(layout, whole.shape, world.communicator.place))
        return Part(np.array(whole[own]), layout, whole.shape, world)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.array.dtype

    @property
    def place(self) -> tuple[slice, ...]:
        """Where in the array it stands."""
        at = () if self.world is None else self.world.communicator.place
        return tuple(slice(*part) for part in place(self.layout, self.shape, at))

    def move(self, world: World) -> None:
        """Have the array on another grid of the same ranks, split as it was there before, or else evenly.

        All ranks have to do it.
        """
        old, layout = self.world, self.layout
        if old is None or old is world:
            return
        wanted = self._before.get(world.grid) or default(self.shape, world.grid)
        self._go(old, world, wanted)
        self._before[old.grid] = layout

    def split_as(self, wanted: Layout) -> None:
        """Have the array split in another way on its grid. All ranks have to do it."""
        if self.world is not None and wanted != self.layout:
            self._go(self.world, self.world, wanted)

    def _go(self, old: World, world: World, wanted: Layout) -> None:
        layout = self.layout
        world.agree(f"takes an array of shape {self.shape} to the grid {world.grid}", f"{self.dtype} {layout} {wanted}")
        gives, gets = moves(self.shape, layout, old.grid, wanted, world.grid, world.rank)
        source, target = (
            place(a, self.shape, w.communicator.place) for a, w in ((layout, old), (wanted, world))
        )
        new = np.empty(tuple(map(length, target)), self.dtype)
        sends = [(peer, self.array[_within(box, source)]) for peer, box in gives if peer != world.rank]
        parts = [(peer, np.empty(tuple(map(length, box)), self.dtype)) for peer, box in gets if peer != world.rank]
        world.communicator.swap(sends, parts)
        came = dict(parts)
        for peer, box in gets:
            new[_within(box, target)] = self.array[_within(box, source)] if peer == world.rank else came[peer]
        self.array, self.layout, self.world = new, wanted, world

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        whole = self.whole()
        return whole if dtype is None or dtype == whole.dtype else whole.astype(dtype)

    def whole(self) -> np.ndarray[Any, Any]:
        """The array, which every rank gets. All ranks have to ask for it."""
        if self.world is None:
            return self.array
        if self._whole is None:
            self.world.agree(f"looks at an array of shape {self.shape}", f"{self.dtype} {self.layout}")
            found: Any = self.array
            for axis, split in enumerate(self.layout):
                if split is not None:
                    everything = ((0, self.shape[axis]),) * len(split.ranges)
                    base = split.ranges[self.world.communicator.place[split.dim]][0]
                    found = self.world.communicator.exchange(found, axis, split.dim, base, split.ranges, everything)
            self._whole = found
        return self._whole


def _within(box: tuple[Range, ...], held: tuple[Range, ...]) -> tuple[slice, ...]:
    """Where indices stand in a part that begins elsewhere."""
    return tuple(slice(a - at, b - at) for (a, b), (at, _) in zip(box, held, strict=True))


active: list[World] = []


def current() -> World | None:
    """The ranks of this program; None where it is alone."""
    return active[0] if active else None


def use(world: World) -> None:
    """Have arrays that are split from now on split on another grid of the ranks."""
    from lazyarr.backends import native_mpi

    active[:] = [world]
    comm.use(world.communicator)
    native_mpi.use(world.communicator.native)


def done_at_once(count: int = 1, nbytes: int = 0) -> None:
    """Count operations that NumPy has done at once, and bytes of results, where several ranks run the program."""
    if active:
        active[0].tick(nbytes, part=_AT_ONCE * count)


def entering(shape: tuple[int, ...]) -> Layout | None:
    """How an array of this shape is split when it enters; None where it is whole."""
    together = current()
    if together is None or not shape or min(shape) < 1 or math.prod(shape) < settings.current.split_above:
        return None
    layout = default(shape, together.grid)
    return None if is_whole(layout) else layout


def shared(make: Callable[[], Any]) -> Any:
    """What rank 0 makes, where several ranks run this program; None where it is alone."""
    world = current()
    if world is None:
        return None
    world.agree("takes random numbers without a seed")
    return world.communicator.from_first(make() if world.rank == 0 else None)


def once(name: str, write: Callable[[], Any]) -> Any:
    """What a function that writes a file gives: rank 0 calls it, and what it raises all ranks raise."""
    world = current()
    if world is None:
        return write()
    world.agree(f"writes a file ({name})")
    result: Any = None
    error: BaseException | None = None
    if world.rank == 0:
        try:
            with world.alone(name):
                result = write()
        except BaseException as raised:  # noqa: BLE001  raised below, on every rank
            error = raised
    told = world.communicator.from_first(None if error is None else portable(error))
    try:
        if world.rank:
            error = told
        if error is not None:
            raise error
        return result
    finally:
        # (Its traceback has this frame: a cycle, that nobody looks for, would keep the script's files open.)
        del error, told


def check_grid(grid: Grid, size: int | None) -> None:
    """Raise ValueError for what is no grid, or not one of `size` ranks."""
    if not grid or any(n < 1 for n in grid):
        raise ValueError(f"a grid has a positive number of ranks along each dimension, got {grid}")
    if size is not None and math.prod(grid) != size:
        raise ValueError(f"the grid {grid} has {math.prod(grid)} places; there are {size} ranks")


def init(communicator: Any = None, grid: Grid | None = None, reproducible: bool | None = None) -> None:
    """Let several ranks run this program together; `lazyarr run` has called it.

    Arrays of the drop-in namespace are then split over the ranks, and accelerated functions share their work. Every
    rank runs the same program. Where `split_above` is less than its default, the setting `eager_below` becomes no more
    than that. An exception that nobody handles ends all ranks (`sys.excepthook`); NumPy's and Python's global random
    numbers begin as those of rank 0. Python's automatic search for garbage in reference cycles is switched off
    (`gc.disable`, `gc.freeze`): lazyarr starts it on all ranks after the same operations.

    Parameters
    ----------
    communicator : mpi4py.MPI.Intracomm, optional
        The ranks; ``MPI.COMM_WORLD`` without it. All of them call this function.
    grid : tuple of int, optional
        How many ranks stand along each dimension in which arrays are split; ``(size,)`` without it.
    reproducible : bool, optional
        The setting of that name, if given: whether results have bits that do not depend on the number of ranks.

    Raises
    ------
    ImportError
        If mpi4py is not installed: ``pip install 'lazyarr[mpi]'``.
    ValueError
        If the grid does not have as many places as there are ranks.
    RuntimeError
        If it has been called before.
    """
    if active:
        raise RuntimeError("lazyarr.init() has been called before")
    if communicator is None:
        try:
            from mpi4py import MPI
        except ImportError as error:
            raise ImportError("mpi4py is not installed; pip install 'lazyarr[mpi]'") from error
        communicator = MPI.COMM_WORLD
    size = communicator.Get_size()
    shape = (size,) if grid is None else tuple(int(n) for n in grid)
    check_grid(shape, size)
    if reproducible is not None:
        settings.configure(reproducible=reproducible)
    if size == 1:
        return
    # (What NumPy does at once is not split: whoever wants smaller arrays split than others do gets that there, too.)
    split = settings.current.split_above
    if split < settings.Settings.split_above:
        settings.configure(eager_below=min(settings.current.eager_below, split))
    world = World(communicator, shape)
    use(world)
    # (What is there now stays; without it a search takes a hundredth of the time.)
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.excepthook = partial(_end_all, world, sys.excepthook)
    os.register_at_fork(after_in_child=partial(_leave, world))
    _seed(world)


def _leave(world: World) -> None:
    """What becomes of a process that a rank has forked (`multiprocessing.Pool`): it is none, and works by itself."""
    active.clear()
    comm.use(None)
    world.leave()
    sys.excepthook = sys.__excepthook__
    gc.enable()


#: How long a rank that fails waits for rank 0 to fail as well: the traceback then appears once.
_TURN = 0.5


def _turn(world: World) -> None:
    """Let rank 0 say first what is wrong; if it does not, this rank is heard."""
    if world.rank:
        time.sleep(_TURN)
        sys.stderr = sys.__stderr__


def end_all(world: World, text: str, code: int = 1) -> None:
    """End all ranks, saying why; where all fail alike, that is said once."""
    _turn(world)
    sys.stdout.flush()
    sys.stderr.write(f"{text}lazyarr: rank {world.rank} of {world.size} ended the program\n")
    sys.stderr.flush()
    world.communicator.abort(code)


def _end_all(world: World, hook: Any, *error: Any) -> None:
    """What becomes of an exception that nobody handles: the other ranks would wait for this one."""
    _turn(world)
    hook(*error)
    end_all(world, "")


def _seed(world: World) -> None:
    """Give NumPy's and Python's global streams of random numbers one state on all ranks."""
    # (Also where nobody has imported it yet: it would be seeded from the clock then.)
    numpys, pythons = world.communicator.from_first((np.random.get_state(), random.getstate()))
    np.random.set_state(numpys)
    random.setstate(pythons)
