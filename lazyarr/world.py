"""The ranks that run a program together: how many they are, which one this is, and the grid they form."""

from __future__ import annotations

import hashlib
import math
import sys
from typing import TYPE_CHECKING, Any

from lazyarr.ir.layout import Grid
from lazyarr.ops import comm
from lazyarr.report import DivergedError
from lazyarr.source import user_line

if TYPE_CHECKING:
    from lazyarr.backends.mpi import MpiCommunicator


class World:
    """Several ranks.

    Attributes
    ----------
    rank, size : int
    grid : tuple of int
        Ranks along each dimension in which arrays are split.
    communicator : MpiCommunicator
    """

    def __init__(self, communicator: Any, grid: Grid):
        from lazyarr.backends.mpi import MpiCommunicator

        self.communicator: MpiCommunicator = MpiCommunicator(communicator, grid)
        self.rank: int = communicator.Get_rank()
        self.size: int = communicator.Get_size()
        self.grid = grid

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
        """
        digest = hashlib.blake2b(f"{what}\0{how}".encode(), digest_size=8).digest()
        if not self.communicator.agree(int.from_bytes(digest, "little") >> 2):
            file, line = user_line(2)
            raise DivergedError(
                f"{file}:{line}: rank {self.rank} of {self.size} {what}; another rank does something else. All ranks "
                "have to run the same program: a branch on the rank, or unseeded random numbers, make them differ"
            )


_world: list[World] = []


def current() -> World | None:
    """The ranks of this program; None where it is alone."""
    return _world[0] if _world else None


def init(communicator: Any = None, grid: Grid | None = None) -> None:
    """Let several ranks run this program together; `lazyarr run` has called it.

    Arrays of the drop-in namespace are then split over the ranks, and accelerated functions share their work. Every
    rank runs the same program.

    Parameters
    ----------
    communicator : mpi4py.MPI.Intracomm, optional
        The ranks; ``MPI.COMM_WORLD`` without it. All of them call this function.
    grid : tuple of int, optional
        How many ranks stand along each dimension in which arrays are split; ``(size,)`` without it.

    Raises
    ------
    ImportError
        If mpi4py is not installed: ``pip install 'lazyarr[mpi]'``.
    ValueError
        If the grid does not have as many places as there are ranks.
    RuntimeError
        If it has been called before.
    """
    if _world:
        raise RuntimeError("lazyarr.init() has been called before")
    if communicator is None:
        try:
            from mpi4py import MPI
        except ImportError as error:
            raise ImportError("mpi4py is not installed; pip install 'lazyarr[mpi]'") from error
        communicator = MPI.COMM_WORLD
    size = communicator.Get_size()
    shape = (size,) if grid is None else tuple(int(n) for n in grid)
    if math.prod(shape) != size or any(n < 1 for n in shape):
        raise ValueError(f"the grid {shape} has {math.prod(shape)} places; there are {size} ranks")
    if size == 1:
        return
    world = World(communicator, shape)
    _world.append(world)
    comm.use(world.communicator)
    _seed(world)


def _seed(world: World) -> None:
    """Give NumPy's global stream of random numbers one state on all ranks."""
    import numpy as np

    if "numpy.random" in sys.modules:
        np.random.set_state(world.communicator.from_first(np.random.get_state()))
