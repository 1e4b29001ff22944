"""Sliding products of two vectors.

``result[k]`` is the sum over ``j`` of ``x[k + j - lo] * w[j]``, where only elements that exist take part: no zero is
multiplied by an infinity at the ends. Integers wrap, booleans combine by "and" and "or", and half precision is
accumulated in single precision, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lazyarr.ir.access import WHOLE, Along, OperandAccess
from lazyarr.ir.extents import Extent
from lazyarr.ir.op import Cost, Op, Sample
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.linalg import multiply_add

#: Weights that become one term of an expression each; more of them become a loop.
_UNROLLED = 32


def _reach(w: ArrayType, mode: str) -> tuple[int, int]:
    """How many elements the weights reach beyond the ends of the other vector."""
    m = w.shape[0]
    assert isinstance(m, int)
    return {"valid": (0, 0), "same": (m // 2, m - 1 - m // 2), "full": (m - 1, m - 1)}[mode]


def _infer(x: ArrayType, w: ArrayType, *, mode: str) -> ArrayType:
    if x.weak or w.weak or x.dtype != w.dtype:
        raise TypeError(f"correlate takes operands of one dtype in the IR, got {x}, {w}; cast first")
    if x.ndim != 1 or w.ndim != 1:
        raise ValueError("object too deep for desired array")
    n, m = x.shape[0], w.shape[0]
    if not isinstance(n, int) or not isinstance(m, int):
        raise TypeError("correlate takes vectors of known lengths")
    if not n >= m >= 1:
        raise ValueError(f"correlate takes at least one weight and no more weights than elements, got {m} and {n}")
    if mode not in ("valid", "same", "full"):
        raise ValueError("mode must be one of 'valid', 'same', or 'full'")
    low, high = _reach(w, mode)
    return ArrayType(x.dtype, (n - m + 1 + low + high,))


def _jax(jax: Any, x: Any, w: Any, *, mode: str) -> Any:
    n, m, dtype = x.shape[0], w.shape[0], x.dtype
    if dtype == np.bool_:
        return _jax(jax, x.astype(np.int32), w.astype(np.int32), mode=mode) > 0
    if dtype == np.float16:
        return _jax(jax, x.astype(np.float32), w.astype(np.float32), mode=mode).astype(dtype)
    low, high = _reach(ArrayType(dtype, w.shape), mode)
    length = n - m + 1 + low + high
    zero = np.zeros((), dtype)
    if m <= _UNROLLED:
        total = None
        for j in range(m):
            # The results that element j of the weights takes part in: those with 0 <= k + j - low < n.
            first, last = max(0, low - j), min(length, n + low - j)
            term = x[first + j - low : last + j - low] * w[j]
            term = jax.lax.pad(term, zero, [(first, length - last, 0)])
            total = term if total is None else total + term
        # NumPy's sums start from zero, so none of them is -0.
        return jax.numpy.where(total == 0, zero, total) if dtype.kind == "f" else total
    padded = jax.lax.pad(x, zero, [(low, high, 0)])
    position = jax.lax.iota(np.int32, length)

    def add(j: Any, total: Any) -> Any:
        place = position + j - low
        term = jax.lax.dynamic_slice(padded, (j,), (length,)) * w[j]
        return total + jax.numpy.where((place >= 0) & (place < n), term, zero)

    return jax.lax.fori_loop(0, m, add, jax.numpy.zeros(length, dtype))


def _access(x: ArrayType, w: ArrayType, *, mode: str) -> tuple[OperandAccess, ...]:
    low, _ = _reach(w, mode)
    m = w.shape[0]
    assert isinstance(m, int)
    return ((Along(0, -low, m - 1 - low),), (WHOLE,))


def _cost(x: ArrayType, w: ArrayType, *, mode: str) -> Cost:
    result = _infer(x, w, mode=mode)
    flops: Extent = multiply_add(x.dtype) * result.size * w.shape[0]
    return Cost(flops, x.nbytes + w.nbytes + result.nbytes)


def _samples() -> Iterator[Sample]:
    for t in DTYPES:
        for mode in ("valid", "same", "full"):
            yield Sample((f"{t}[9]", f"{t}[4]"), {"mode": mode})
    for n, m in ((1, 1), (5, 1), (5, 5), (6, 3)):
        for mode in ("valid", "same", "full"):
            yield Sample((f"f64[{n}]", f"f64[{m}]"), {"mode": mode})
    yield Sample(("f64[80]", "f64[40]"), {"mode": "same"})
    yield Sample(("i16[80]", "i16[33]"), {"mode": "full"}, low=-100, high=100)


#: The sliding product that `numpy.correlate` and `numpy.convolve` are made of; weights are not conjugated.
CORRELATE = Op(
    name="correlate",
    numpy="numpy.convolve(x, w[::-1], mode)",
    infer=_infer,
    evaluate=lambda xp, x, w, *, mode: xp.convolve(x, w[::-1], mode),
    jax=_jax,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=_cost,
    backends=("xla", "numpy"),
    samples=_samples,
)
