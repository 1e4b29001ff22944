"""Functions of Python's `math` that NumPy does not have, and the C library has with the same results."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from lazyarr.ir import access
from lazyarr.ir.op import Op, Sample, streaming_cost
from lazyarr.ir.types import DTYPES, ArrayType

_F64 = DTYPES["f64"]


def _infer(name: str, x: ArrayType) -> ArrayType:
    if x.dtype != _F64 or x.weak:
        raise TypeError(f"{name} takes f64, got {x}")
    return x


def _declare(name: str, flops: float) -> Op:
    elements = np.frompyfunc(getattr(math, name), 1, 1)
    return Op(
        name=name,
        numpy=f"numpy.vectorize(math.{name})(x)",
        infer=partial(_infer, name),
        evaluate=lambda xp, x: np.asarray(elements(x), np.float64),
        jax=None,
        access=lambda x, **attrs: access.elementwise(x.shape),
        pointwise=True,
        memory="fresh",
        cost=streaming_cost(flops),
        backends=("numpy",),
        samples=lambda: (Sample(("f64[3,4]",)), Sample(("f64[]",))),
    )


PYTHON_MATH: dict[str, Op] = {name: _declare(name, 40.0) for name in ("erf", "erfc")}
