"""A halo in two operations: one begins to send and to receive, the other waits, and work stands between them.

What is sent is copied when it begins: whatever happens to the arrays afterwards does not change it. What is received
is no value of the program before the wait. (That is what makes the form safe by construction; what remains to be
proved of a program is in `lazyarr.ir.local`.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lazyarr.ir.access import opaque_operands
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import comm
from lazyarr.ops.comm import TOKEN, Beside

#: What is on its way, as its number with whoever carries it; 0: nothing is.
FLIGHT = ArrayType(DTYPES["i64"])


def _infer_start(*types: ArrayType, dim: int, at: int, parts: tuple[Beside, ...]) -> Types:
    comm.HALO.infer(*types, dim=dim, at=at, parts=parts)
    return FLIGHT, TOKEN


def _start(xp: Any, *operands: Any, dim: int, at: int, parts: tuple[Beside, ...]) -> tuple[Any, ...]:
    *arrays, token = operands
    number = 0 if len(parts[0][2]) == 1 else comm.started(arrays, dim, parts)
    return np.int64(number), np.asarray(token) + 1


def _infer_wait(
    flight: ArrayType, token: ArrayType, *done: ArrayType, dim: int, at: int, parts: tuple[Beside, ...],
    types: tuple[ArrayType, ...],
) -> Types:  # fmt: skip
    if flight != FLIGHT:
        raise TypeError(f"halo_wait takes what a halo_start gives, got {flight}")
    found = comm.HALO.infer(*types, token, dim=dim, at=at, parts=parts)
    return found if isinstance(found, tuple) else (found,)


def _wait(
    xp: Any, flight: Any, token: Any, *done: Any, dim: int, at: int, parts: tuple[Beside, ...],
    types: tuple[ArrayType, ...],
) -> tuple[Any, ...]:  # fmt: skip
    number = 0 if len(parts[0][2]) == 1 else int(flight)
    if number:
        found = comm.landed(number)
    else:
        *sides, _ = _infer_wait(FLIGHT, TOKEN, dim=dim, at=at, parts=parts, types=types)
        found = [np.empty(t.shape, t.dtype) for t in sides]
    return (*found, np.asarray(token) + 1)


def _samples_start() -> Iterator[Sample]:
    # One rank alone; programs on several are in tests/test_overlap.py.
    for name in ("f64", "c64", "bool", "i8"):
        one = (0, 0, ((0, 5),), ((0, 5),))
        yield Sample((f"{name}[5,3]", "i64[]"), {"at": 0, "dim": 0, "parts": (one,)})


def _samples_wait() -> Iterator[Sample]:
    for name in ("f64", "c64", "bool", "i8"):
        one = (0, 0, ((0, 5),), ((0, 5),))
        x = ArrayType(DTYPES[name], (5, 3))
        yield Sample(("i64[]", "i64[]"), {"at": 0, "dim": 0, "parts": (one,), "types": (x,)})


def _moved(*types: ArrayType, **attrs: Any) -> int:
    """Bytes of what comes, and of the token."""
    found = comm.HALO.infer(*types, **attrs)
    return sum(int(t.nbytes) for t in (found if isinstance(found, tuple) else (found,)))


#: Begins a `HALO` of these arrays, and gives the flight that a `HALO_WAIT` ends.
HALO_START = Op(
    name="halo_start",
    numpy="x[start:0], x[n:stop] of the whole array, begun",
    infer=_infer_start,
    evaluate=_start,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda *types, **attrs: Cost(0, 2 * _moved(*types, **attrs)),
    backends=("native", "numpy"),
    samples=_samples_start,
    communicates=True,
)

#: What a flight brings of arrays of these types: the parts below and above, as of a `HALO`. Operands after the token
#: are what is computed meanwhile: they are not read, they come first.
HALO_WAIT = Op(
    name="halo_wait",
    numpy="x[start:0], x[n:stop] of the whole array",
    infer=_infer_wait,
    evaluate=_wait,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda flight, token, *done, types, **attrs: Cost(0, 2 * _moved(*types, token, **attrs)),
    backends=("native", "numpy"),
    samples=_samples_wait,
    communicates=True,
)
