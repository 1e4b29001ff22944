"""What XLA lowerings are made of: broadcasting, exact division, float16 by float32.

XLA also rewrites algebra as if numbers were real: ``x / broadcast(y)`` becomes ``x * broadcast(1 / y)``, which is
not ``x / y`` (49 / 49 is then below 1), ``x / y / z`` becomes ``x / (y * z)``, which overflows, and constants are
added up before they are added. `exact` keeps a value out of such rewriting. It costs nothing: the barrier is gone
before XLA fuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Lowering = Callable[..., Any]


def is_integer(x: Any) -> bool:
    return bool(np.issubdtype(x.dtype, np.integer))


def is_inexact(x: Any) -> bool:
    return bool(np.issubdtype(x.dtype, np.inexact))


def is_complex(x: Any) -> bool:
    return bool(np.issubdtype(x.dtype, np.complexfloating))


def together(jax: Any, *arrays: Any) -> list[Any]:
    return list(jax.numpy.broadcast_arrays(*arrays))


def exact(jax: Any, x: Any) -> Any:
    """`x`, which XLA's algebra must not look through."""
    return jax.lax.optimization_barrier(x)


def quotient(jax: Any, x: Any, y: Any) -> Any:
    """``x / y`` of real numbers or integers of one shape, divided as written."""
    if is_integer(x):
        return jax.lax.div(x, y)
    return jax.lax.div(exact(jax, x), exact(jax, y))


def lax(name: str) -> Lowering:
    """The ``jax.lax`` function `name`, its operands broadcast."""

    def lowered(jax: Any, *arrays: Any) -> Any:
        return getattr(jax.lax, name)(*together(jax, *arrays))

    return lowered


def identity(jax: Any, x: Any) -> Any:
    return x


def in_float32(jax: Any, function: Lowering, *arrays: Any) -> Any:
    """Float16 work as NumPy does it: in float32, rounded once."""
    if arrays[0].dtype != np.float16:
        return function(jax, *arrays)
    wide = function(jax, *(a.astype(np.float32) for a in arrays))
    return jax.tree_util.tree_map(lambda r: r.astype(np.float16), wide)


def scale_by_power_of_two(jax: Any, x: Any, exponent: Any, steps: int = 4) -> Any:
    """``x * 2 ** exponent`` for float32 or float64, int32 exponents, rounded once (denormals are zero in XLA).

    Each step multiplies by a normal number: four reach from the smallest number to infinity and back, two from 1.
    """
    limits = np.finfo(x.dtype)
    wide = np.int32 if x.dtype == np.float32 else np.int64
    bias = limits.maxexp - 1
    rest = jax.numpy.clip(exponent, -4 * bias, 4 * bias)
    for _ in range(steps):
        step = jax.numpy.clip(rest, 1 - bias, bias)
        factor = jax.lax.bitcast_convert_type((step.astype(wide) + wide(bias)) << wide(limits.nmant), x.dtype)
        x, rest = x * factor, rest - step
    return x
