"""Declare operations outside lazyarr: one declaration, and the operation is lazy, fuses, prints and can be tested.

See CONTRIBUTING.md for a worked example; `lazyarr.testing.check_op` runs the generic tests on a declared operation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lazyarr.ops  # noqa: F401  what is declared before it counts as lazyarr's own
from lazyarr.ir import access
from lazyarr.ir.op import Cost, Op, Sample, streaming_cost
from lazyarr.ir.types import ArrayType

__all__ = ["ArrayType", "Cost", "Op", "Sample", "access", "function", "streaming_cost"]


def function(op: Op) -> Callable[..., Any]:
    """The Python function of a declared operation.

    Parameters
    ----------
    op : Op

    Returns
    -------
    callable
        ``f(*arrays, **attrs)``. Lazy arrays, or any arrays inside an accelerated function, give a lazy result (a
        tuple of them where the operation has several); NumPy arrays alone give NumPy arrays, at once. Arrays must
        have dtypes the operation's type rule accepts; Python scalars become float64, int64 or complex128 arrays.

    Raises
    ------
    TypeError, ValueError
        From the operation's type rule, at the call.
    """

    def call(*arrays: Any, **attrs: Any) -> Any:
        from lazyarr.array import LazyArray
        from lazyarr.convert import as_lazy
        from lazyarr.dispatch import holds_lazy
        from lazyarr.runtime import record_all, recording

        if not holds_lazy(arrays) and recording().observer is None:
            return op.evaluate(np, *(np.asarray(a) for a in arrays), **attrs)
        values = record_all(op, *(as_lazy(a)._value() for a in arrays), **attrs)
        results = tuple(LazyArray._new(value, scalar=value.type.shape == ()) for value in values)
        return results[0] if len(results) == 1 else results

    call.__name__ = call.__qualname__ = op.name
    call.__doc__ = f"{op.numpy}, as an operation of lazyarr."
    return call
