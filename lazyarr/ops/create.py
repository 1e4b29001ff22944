"""Operations that make values from nothing: constants and index ramps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr.ir.extents import Shape
from lazyarr.ir.layout import Range
from lazyarr.ir.node import Literal, Value, apply
from lazyarr.ir.op import Cost, Op, Sample, lookup
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.xla_core import exact, is_inexact


def _const_xla(jax: Any, *, value: Literal) -> Any:
    # XLA would add up the constants of x + 1e16 - 1e16, and take x + 0.0 for x where x is -0.0.
    constant = jax.numpy.asarray(value.value)
    return exact(jax, constant) if is_inexact(constant) else constant


def _part_iota(
    operands: Any, given: Any, wanted: Sequence[Range], whole: Any, *, length: int, dtype: np.dtype[Any]
) -> Value:
    ((first, last),) = wanted
    found = apply(IOTA, length=last - first, dtype=dtype)
    return found if first == 0 else apply(lookup("add"), found, apply(FULL, const(first, dtype), shape=(last - first,)))


def _part_full(operands: Sequence[Value], given: Any, wanted: Sequence[Range], whole: Any, *, shape: Shape) -> Value:
    return apply(FULL, operands[0], shape=tuple(stop - start for start, stop in wanted))


#: A constant scalar.
CONST = Op(
    name="const",
    numpy="numpy.dtype.type(value)",
    infer=lambda *, value: ArrayType(value.dtype),
    evaluate=lambda xp, *, value: xp.asarray(value.value),
    jax=_const_xla,
    access=lambda **attrs: (),
    pointwise=False,
    memory="free",
    cost=lambda **attrs: Cost(0, 0),
    backends=("xla", "numpy"),
    samples=lambda: (Sample((), {"value": Literal(1, dtype)}) for dtype in DTYPES.values()),
)

#: ``0, 1, 2, ...``: one axis.
IOTA = Op(
    name="iota",
    numpy="numpy.arange(length, dtype=dtype)",
    infer=lambda *, length, dtype: ArrayType(dtype, (length,)),
    evaluate=lambda xp, *, length, dtype: xp.arange(length, dtype=dtype),
    jax=lambda jax, *, length, dtype: jax.lax.iota(dtype, length),
    access=lambda **attrs: (),
    pointwise=False,
    memory="free",
    cost=lambda *, length, dtype: Cost(length, length * dtype.itemsize),
    backends=("xla", "numpy"),
    samples=lambda: (Sample((), {"length": n, "dtype": d}) for n in (0, 5) for d in DTYPES.values() if d.kind in "iuf"),
    part=_part_iota,
)

#: One scalar everywhere.
FULL = Op(
    name="full",
    numpy="numpy.full(shape, x)",
    infer=lambda x, *, shape: ArrayType(x.dtype, shape),
    evaluate=lambda xp, x, *, shape: xp.full(shape, x),
    jax=None,
    access=lambda x, *, shape: ((),),
    pointwise=False,
    memory="free",
    cost=lambda x, *, shape: Cost(0, x.with_shape(shape).nbytes),
    backends=("xla", "numpy"),
    samples=lambda: (
        Sample((f"{t}[]",), {"shape": shape}) for t in ("f32", "i8", "bool") for shape in ((3, 4), (0,), ())
    ),
    part=_part_full,
)


def const(value: Any, dtype: np.dtype[Any] | None = None) -> Value:
    """A constant scalar of `dtype` (or of the NumPy scalar's own)."""
    return apply(CONST, value=Literal(value, dtype))


def full(shape: Shape, value: Any, dtype: np.dtype[Any] | None = None) -> Value:
    """A constant array."""
    scalar = const(value, dtype)
    return apply(FULL, scalar, shape=tuple(shape))
