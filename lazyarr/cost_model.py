"""What messages, memory and arithmetic cost: defaults, or what `lazyarr calibrate` has measured on this host.

Times of a plan are predicted with it, and `deepen_halos` decides by it; all ranks of a program use that of rank 0.
"""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from lazyarr import disk

_KIND = "model"
#: Sums of so many bytes or fewer are added up in the order of the ranks by each rank: one message, and the same bits
#: everywhere, whatever the library's own reductions do.
_GATHERED = 1 << 14


def gathers(kind: str, dtype: np.dtype[Any], nbytes: int) -> bool:
    """Whether every rank gets the parts of a reduction from all others and combines them; else MPI does it."""
    return kind != "add" or nbytes <= _GATHERED or dtype.kind not in "fciu" or dtype.itemsize < 4


@dataclass(frozen=True)
class CostModel:
    """Seconds and rates of one rank.

    The defaults are round numbers of a server with two cores, ranks on one machine, MPICH, native code that sends.

    Attributes
    ----------
    latency : float
        Seconds of a message to a neighbour, whatever its size.
    bandwidth : float
        Bytes a second from rank to rank.
    memory_bandwidth : float
        Bytes a second that a rank reads and writes while the others do, too.
    hidden : float
        Which part of the time of messages goes by while the rank computes; the rest is the processor's own. (Between
        ranks on one machine, all of it, as measured.)
    reduction : float
        Seconds of each of the ``log2(p)`` steps of an all-reduce of one number.
    flop : float
        Seconds of an operation on an element that stays in cache.
    product_flop : float
        The same, in a product of matrices.
    host, when : str
        Where and when that was measured; empty: the defaults.
    ranks : int
        How many ranks it was measured with.
    """

    latency: float = 2e-6
    bandwidth: float = 4e9
    memory_bandwidth: float = 8e9
    hidden: float = 0.01
    reduction: float = 2e-6
    flop: float = 0.25e-9
    product_flop: float = 0.05e-9
    host: str = ""
    when: str = ""
    ranks: int = 1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "float" and not (isinstance(value, float) and 0 < value < math.inf):
                raise ValueError(f"{field.name} is {value!r}; expected a positive number")

    @property
    def rests_on(self) -> str:
        """What its predictions rest on, in words."""
        if not self.host:
            return "default costs, not measured (lazyarr calibrate measures them)"
        alone = ", messages by default" if self.ranks < 2 else f" with {self.ranks} ranks"
        return f"what lazyarr calibrate measured on {self.host}{alone}, {self.when}"

    def sent(self, messages: float, nbytes: float) -> float:
        """Seconds of sending messages of so many bytes together, one after another."""
        return messages * self.latency + nbytes / self.bandwidth

    def all_reduce(self, nbytes: float, ranks: int, gathered: bool) -> float:
        """Seconds of an all-reduce of so many bytes; `gathered` as `gathers` says.

        The usual bounds: recursive doubling for what is gathered and added up on each rank, reduce-scatter and
        all-gather for more (R. Thakur, R. Rabenseifner and W. Gropp, Optimization of collective communication
        operations in MPICH, 2005).
        """
        steps, others = math.ceil(math.log2(ranks)), ranks - 1
        if gathered:
            return steps * self.reduction + others * nbytes / self.bandwidth
        return 2 * steps * self.reduction + 2 * others / ranks * nbytes / self.bandwidth

    def worked(self, flops: float, product_flops: float, nbytes: float) -> float:
        """Seconds of arithmetic beside moving so many bytes through memory: the longer of both.

        S. Williams, A. Waterman and D. Patterson, Roofline, Communications of the ACM 52 (2009).
        """
        return max(flops * self.flop + product_flops * self.product_flop, nbytes / self.memory_bandwidth)


DEFAULT = CostModel()
#: The defaults where each message is a step of Python's through mpi4py.
BY_PYTHON = CostModel(latency=40e-6, reduction=40e-6)


def default(native: bool) -> CostModel:
    """The costs where nothing has been measured, by whether native code sends the messages of compiled programs."""
    return DEFAULT if native else BY_PYTHON


def kept(native: bool) -> CostModel:
    """What was measured on this host and kept; the defaults where nothing was, or where it cannot be read.

    Parameters
    ----------
    native : bool
        Whether native code sends the messages of compiled programs; what was measured is taken for both.
    """
    found = disk.get(_KIND, _key())
    if found is None:
        return default(native)
    try:
        return CostModel(**json.loads(found))
    except (TypeError, ValueError):  # of another version
        return default(native)


def keep(model: CostModel) -> bool:
    """Keep what was measured on this host; whether that was possible."""
    disk.put(_KIND, _key(), json.dumps(asdict(model)).encode())
    return kept(native=True) == model


def _key() -> str:
    return disk.digest(_KIND, platform.node())
