"""How results are put together of what ranks have of an axis, where more than one reduction is needed.

Each function takes what this rank has of the operand, and a `Ranks` that communicates along the axis.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import OPS
from lazyarr.ops.create import const

_I64 = np.dtype(np.int64)


class Ranks(Protocol):
    """What a split axis is split over.

    Attributes
    ----------
    first : int
        The first index that this rank has of the axis.
    """

    first: int

    def reduce(self, value: Value, kind: str) -> Value:
        """The values of all ranks, combined element by element."""

    def before(self, value: Value, axis: int) -> Value | None:
        """What the ranks with lower indices have given, each one index of the axis; None on the first one."""


def argument(x: Value, ranks: Ranks, *, name: str, axis: int) -> Value:
    """What argmax or argmin gives: of the extrema of all, the first place, or that of the first NaN."""
    peak = apply(OPS["reduce"], x, kind="maximum" if name == "argmax" else "minimum", axes=(axis,))
    place = apply(OPS["add"], apply(OPS[name], x, axis=axis), const(ranks.first, _I64))
    best = ranks.reduce(peak, "maximum" if name == "argmax" else "minimum")
    mine = apply(OPS["equal"], peak, best)
    if x.type.dtype.kind == "f":
        nan = apply(OPS["logical_and"], apply(OPS["isnan"], peak), apply(OPS["isnan"], best))
        mine = apply(OPS["logical_or"], mine, nan)
    none = const(np.iinfo(_I64).max, _I64)
    if place.type.shape:
        none = apply(OPS["broadcast"], none, shape=place.type.shape)
    return ranks.reduce(apply(OPS["select"], mine, place, none), "minimum")


def accumulate(x: Value, ranks: Ranks, *, kind: str, axis: int) -> Value:
    """What has been accumulated here, after what all ranks before this one have."""
    local = apply(OPS["accumulate"], x, kind=kind, axis=axis)
    shape = local.type.shape
    start = tuple(n - 1 if k == axis else 0 for k, n in enumerate(shape))
    last = apply(OPS["slice"], local, start=start, stop=shape, step=(1,) * len(shape))
    given = ranks.before(last, axis)
    if given is None:
        return local
    begin = apply(OPS["reduce"], given, kind=kind, axes=(axis,))
    one = tuple(1 if k == axis else n for k, n in enumerate(shape))
    return apply(OPS[kind], apply(OPS["reshape"], begin, shape=one), local)


