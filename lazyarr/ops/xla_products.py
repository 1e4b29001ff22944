"""XLA lowerings of matmul and einsum.

XLA's own product of matrices is kept where it is good: float32 and float64, int32. The rest is brought to those, by
measurement on the CPU (microseconds; NumPy with one thread):

======================================  =======  ========  =======
product                                 NumPy    XLA's     here
======================================  =======  ========  =======
complex128, 256 x 256                   3300     5400      3700
int8, 256 x 256                         18000    24400     1300
uint32, 256 x 256                       27000    40000     1100
int64, 256 x 256                        44000    131000    4100
float16, 256 x 256                      84000    --        460
float64, 10000 of 4 x 4                 770      2100      85
======================================  =======  ========  =======
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

#: Matrices this small, in batches, are multiplied element by element: that fuses with what stands around it.
_UNROLLED = 8
#: From this extent on the parts of complex matrices are multiplied on their own.
_SPLIT = 48
#: From so many results on 64-bit integers are summed as outer products.
_OUTER = 2048


def added_to_zero(jax: Any, x: Any) -> Any:
    """``0 + x``: NumPy adds even a single product to zero, which makes -0 of it 0. XLA would drop the sum."""
    if x.dtype.kind == "c":
        return jax.lax.complex(added_to_zero(jax, x.real), added_to_zero(jax, x.imag))
    return jax.numpy.where(x == 0, 0, x) if x.dtype.kind == "f" else x


def in_wide(arrays: tuple[Any, ...], product: Callable[..., Any]) -> Any:
    """``product(*arrays)`` in a dtype that XLA multiplies well and as NumPy does.

    Booleans are counted in single precision, whose sums of non-negative terms are zero only where every term is;
    half precision is accumulated in single precision, as in NumPy; small integers wrap in 32 bits as they do in 8.
    """
    dtype = arrays[0].dtype
    if dtype == np.bool_:
        return product(*(x.astype(np.float32) for x in arrays)) > 0
    if dtype == np.float16:
        return product(*(x.astype(np.float32) for x in arrays)).astype(dtype)
    if dtype.kind in "iu" and dtype.itemsize <= 4 and dtype != np.int32:
        return product(*(x.astype(np.int32) for x in arrays)).astype(dtype)
    return product(*arrays)


def matmul(jax: Any, a: Any, b: Any) -> Any:
    """``a @ b`` as NumPy's matmul."""
    inner = a.shape[-1]
    found = in_wide((a, b), lambda x, y: _matmul(jax, x, y))
    return added_to_zero(jax, found) if inner == 1 else found


def _matmul(jax: Any, a: Any, b: Any) -> Any:
    jnp = jax.numpy
    if a.ndim > 1 and b.ndim > 1:
        rows, inner, columns = a.shape[-2], a.shape[-1], b.shape[-1]
        batch = math.prod(jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
        if batch > 1 and 0 < inner <= _UNROLLED and rows <= _UNROLLED and columns <= _UNROLLED:
            terms = [a[..., :, k : k + 1] * b[..., k : k + 1, :] for k in range(inner)]
            return added_to_zero(jax, reduce(jnp.add, terms))
        if a.dtype.kind == "c" and min(rows, inner, columns) >= _SPLIT:
            return jax.lax.platform_dependent(a, b, cpu=lambda x, y: _by_parts(jax, x, y), default=jnp.matmul)
        if a.dtype.kind in "iu" and a.dtype.itemsize == 8 and a.ndim == b.ndim == 2 and rows * columns >= _OUTER:
            return jax.lax.platform_dependent(a, b, cpu=lambda x, y: _outer_products(jax, x, y), default=jnp.matmul)
    return jnp.matmul(a, b)


def _by_parts(jax: Any, a: Any, b: Any) -> Any:
    """A complex product from four real ones."""
    product = jax.numpy.matmul
    real = product(a.real, b.real) - product(a.imag, b.imag)
    return jax.lax.complex(real, product(a.real, b.imag) + product(a.imag, b.real))


def _outer_products(jax: Any, a: Any, b: Any) -> Any:
    """The sum over the inner axis of column times row: each step is a vector loop over the result."""
    lax = jax.lax

    def step(k: Any, total: Any) -> Any:
        return total + lax.dynamic_slice_in_dim(a, k, 1, 1) * lax.dynamic_slice_in_dim(b, k, 1, 0)

    return lax.fori_loop(0, a.shape[1], step, jax.numpy.zeros((a.shape[0], b.shape[1]), a.dtype))


def einsum(jax: Any, inputs: tuple[str, ...], output: str, lengths: dict[str, Any], *arrays: Any) -> Any:
    """The sum of products over the labels that `output` lacks.

    Parameters
    ----------
    inputs, output : tuple of str, str
        Labels of the operands and of the result.
    lengths : dict
        Extent of each label; an operand's axis of extent 1 broadcasts.
    """
    ready: list[Any] = []
    terms: list[str] = []
    for labels, x in zip(inputs, arrays, strict=True):
        # jax does not broadcast an axis of extent 1: without it the operand means the same.
        axes = tuple(axis for axis, label in enumerate(labels) if x.shape[axis] == 1 and lengths[label] != 1)
        ready.append(jax.lax.squeeze(x, axes))
        terms.append("".join(label for axis, label in enumerate(labels) if axis not in axes))
    subscripts = ",".join(terms) + "->" + output
    result = in_wide(tuple(ready), lambda *xs: jax.numpy.einsum(subscripts, *xs))
    single = all(lengths[label] == 1 for label in lengths if label not in output)
    return added_to_zero(jax, result) if len(arrays) > 1 and single else result
