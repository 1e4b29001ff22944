"""Powers of single real numbers: Python, and NumPy of its scalars, call C's ``pow``, where NumPy's loops take roots."""

from __future__ import annotations

import numpy as np

from lazyarr.ir.node import Value
from lazyarr.leaves import Leaf
from lazyarr.ops.create import CONST, const
from lazyarr.ops.elementwise import ELEMENTWISE, SELECT
from lazyarr.runtime import record, recording


def as_pow(base: Value, exponent: Value) -> Value:
    """The base of which the operation `power` gives what ``pow`` does.

    They differ where the exponent is 0.5: of -0.0 ``pow`` gives 0.0, of -inf inf.
    """
    if _constant(exponent) not in (None, 0.5) or (_constant(base) or 0) > 0:
        return base
    dtype = base.type.dtype
    zero = record(ELEMENTWISE["equal"], base, const(0, dtype))
    other = record(ELEMENTWISE["logical_or"], zero, record(ELEMENTWISE["isinf"], base))
    if _constant(exponent) is None:
        half = record(ELEMENTWISE["equal"], exponent, const(0.5, dtype))
        other = record(ELEMENTWISE["logical_and"], other, half)
    return record(SELECT, other, record(ELEMENTWISE["absolute"], base), base)


def _constant(value: Value) -> float | None:
    while value.node.op.name == "cast":
        [value] = value.node.operands
    if isinstance(value.node, Leaf) and recording().observer is None and type(value.node.data) is np.ndarray:
        # (Not of an argument of a program that is kept for others.)
        return float(value.node.data) if not value.node.data.shape and value.type.dtype.kind in "iuf" else None
    return float(value.node.kw["value"].value) if value.node.op is CONST else None
