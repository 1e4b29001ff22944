"""XLA lowerings of the LAPACK operations: the same routines through jax, with NumPy's results where they fail.

On the CPU jax calls LAPACK itself, so signs, phases and orders are NumPy's. Where a routine fails jax fills its
results with NaN; each lowering tells that from NaN that NumPy computes without an error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from lazyarr.ir.op import lookup

Lowering = Callable[..., Any]


def _in_double(lowering: Lowering) -> Lowering:
    """`lowering` in double precision whatever the operands are, as NumPy: signs and ranks depend on it."""

    @wraps(lowering)
    def run(jax: Any, *arrays: Any, **attrs: Any) -> Any:
        wider = {np.dtype("f4"): np.dtype("f8"), np.dtype("c8"): np.dtype("c16")}
        if arrays[0].dtype not in wider:
            return lowering(jax, *arrays, **attrs)
        narrower = {wide: narrow for narrow, wide in wider.items()}
        found = lowering(jax, *(x.astype(wider[x.dtype]) for x in arrays), **attrs)
        results = found if isinstance(found, tuple) else (found,)
        results = tuple(x.astype(narrower.get(x.dtype, x.dtype)) for x in results)
        return results if isinstance(found, tuple) else results[0]

    return run


def _empty(jax: Any, name: str, *arrays: Any, **attrs: Any) -> Any:
    """Results for matrices without elements: they depend on no value, so NumPy's are constants."""
    found = lookup(name).evaluate(np, *(np.zeros(x.shape, x.dtype) for x in arrays), **attrs)
    if isinstance(found, tuple):
        return tuple(jax.numpy.asarray(x) for x in found)
    return jax.numpy.asarray(found)


def _checked(jax: Any, ok: Any, *results: Any) -> tuple[Any, ...]:
    """The results, NaN where a matrix is not `ok`."""
    return (*(jax.numpy.where(ok.reshape(ok.shape + (1,) * (x.ndim - ok.ndim)), x, np.nan) for x in results), ok)


def _adjoint(jax: Any, a: Any) -> Any:
    return jax.numpy.conj(a.mT)


@_in_double
def cholesky(jax: Any, a: Any, *, upper: bool) -> Any:
    if not a.size:
        return _empty(jax, "cholesky", a, upper=upper)
    # Of the upper triangle's matrix the adjoint has the same values in the lower one.
    factor = jax.lax.linalg.cholesky(_adjoint(jax, a) if upper else a, symmetrize_input=False)
    # After a failure the first element is NaN, though its own pivot would have been a number or negative.
    ok = jax.numpy.isnan(a[..., 0, 0]) | ~jax.numpy.isnan(factor[..., 0, 0])
    return _checked(jax, ok, _adjoint(jax, factor) if upper else factor)


def _solve(jax: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """Solution for matrices `b`, and whether no pivot is zero; leading axes broadcast."""
    jnp, linalg = jax.numpy, jax.lax.linalg
    factors, _, permutation = linalg.lu(a)
    ok = jnp.all(jnp.diagonal(factors, axis1=-2, axis2=-1) != 0, axis=-1)
    batch = jnp.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    factors = jnp.broadcast_to(factors, batch + factors.shape[-2:])
    permutation = jnp.broadcast_to(permutation, batch + permutation.shape[-1:])
    b = jnp.broadcast_to(b, batch + b.shape[-2:])
    x = jnp.take_along_axis(b, permutation[..., None], axis=-2, mode="clip")
    x = linalg.triangular_solve(factors, x, left_side=True, lower=True, unit_diagonal=True)
    x = linalg.triangular_solve(factors, x, left_side=True, lower=False)
    return x, jnp.broadcast_to(ok, batch)


@_in_double
def solve(jax: Any, a: Any, b: Any) -> Any:
    if not a.size:
        return _empty(jax, "solve", a, b)
    if not b.size:
        # Without right-hand sides NumPy still refuses a singular matrix.
        _, ok = _solve(jax, a, jax.numpy.ones(a.shape[-1:] + (1,), a.dtype))
        batch = jax.numpy.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        return jax.numpy.zeros(batch + b.shape[-2:], b.dtype), jax.numpy.broadcast_to(ok, batch)
    x, ok = _solve(jax, a, b[:, None] if b.ndim == 1 else b)
    return _checked(jax, ok, x[..., 0] if b.ndim == 1 else x)


@_in_double
def inv(jax: Any, a: Any) -> Any:
    if not a.size:
        return _empty(jax, "inv", a)
    inverse, ok = _solve(jax, a, jax.numpy.eye(a.shape[-1], dtype=a.dtype))
    return _checked(jax, ok, inverse)


@_in_double
def slogdet(jax: Any, a: Any) -> Any:
    if not a.size:
        return _empty(jax, "slogdet", a)
    jnp = jax.numpy
    factors, pivots, _ = jax.lax.linalg.lu(a)
    diagonal = jnp.diagonal(factors, axis1=-2, axis2=-1)
    swaps = jnp.sum(pivots != jnp.arange(pivots.shape[-1], dtype=pivots.dtype), axis=-1)
    magnitude = jnp.abs(diagonal)
    if jnp.iscomplexobj(a):
        signs = diagonal / magnitude
    else:
        signs = jnp.where(diagonal < 0, -1, 1).astype(a.dtype)  # NaN counts as positive
    sign = jnp.prod(signs, axis=-1) * jnp.where(swaps % 2 == 1, -1, 1).astype(magnitude.dtype)
    singular = jnp.any(diagonal == 0, axis=-1)
    logarithm = jnp.sum(jnp.log(magnitude), axis=-1)
    return jnp.where(singular, 0, sign).astype(a.dtype), jnp.where(singular, -np.inf, logarithm)


@_in_double
def det(jax: Any, a: Any) -> Any:
    sign, logarithm = slogdet(jax, a)
    return sign * jax.numpy.exp(logarithm).astype(a.dtype)


@_in_double
def qr(jax: Any, a: Any, *, mode: str) -> Any:
    if not a.size:
        return _empty(jax, "qr", a, mode=mode)
    result = jax.numpy.linalg.qr(a, mode=mode)
    return tuple(result) if isinstance(result, tuple) else result


def _finite(jax: Any, a: Any) -> Any:
    # As in the reference: on an infinity LAPACK may not end; on NaN it fails, as it should.
    if min(a.shape[-2:]) <= 2:
        return a
    return jax.numpy.where(jax.numpy.all(jax.numpy.isfinite(a), axis=(-2, -1), keepdims=True), a, np.nan)


def _converged(jax: Any, a: Any, values: Any) -> Any:
    """Whether gesdd succeeded: it refuses NaN, while an infinity gives NaN without an error."""
    jnp = jax.numpy
    return ~jnp.any(jnp.isnan(a), axis=(-2, -1)) & ~(
        jnp.any(jnp.isnan(values), axis=-1) & jnp.all(jnp.isfinite(a), axis=(-2, -1))
    )


@_in_double
def svd(jax: Any, a: Any, *, full_matrices: bool) -> Any:
    if not a.size:
        return _empty(jax, "svd", a, full_matrices=full_matrices)
    a = _finite(jax, a)
    u, s, vh = jax.lax.linalg.svd(a, full_matrices=full_matrices)
    return _checked(jax, _converged(jax, a, s), u, s, vh)


@_in_double
def svdvals(jax: Any, a: Any) -> Any:
    if not a.size:
        return _empty(jax, "svdvals", a)
    a = _finite(jax, a)
    s = jax.lax.linalg.svd(a, compute_uv=False)
    return _checked(jax, _converged(jax, a, s), s)


@_in_double
def eigh(jax: Any, a: Any, *, uplo: str) -> Any:
    if not a.size:
        return _empty(jax, "eigh", a, uplo=uplo)
    vectors, values = jax.lax.linalg.eigh(a, lower=uplo == "L", symmetrize_input=False)
    ok = jax.numpy.ones(a.shape[:-2], bool)
    if a.shape[-1] > 2:
        # With vectors, LAPACK lets some NaN through: only a failure leaves no number at all.
        ok = ~jax.numpy.all(jax.numpy.isnan(vectors), axis=(-2, -1))
    return _checked(jax, ok, values, vectors)


@_in_double
def eigvalsh(jax: Any, a: Any, *, uplo: str) -> Any:
    if not a.size:
        return _empty(jax, "eigvalsh", a, uplo=uplo)
    jnp = jax.numpy
    _, values = jax.lax.linalg.eigh(a, lower=uplo == "L", symmetrize_input=False)
    ok = jnp.ones(a.shape[:-2], bool)
    if a.shape[-1] > 2:
        triangle = jnp.tril(a) if uplo == "L" else jnp.triu(a)
        # Without vectors, LAPACK fails on any NaN.
        ok = ~jnp.any(jnp.isnan(triangle), axis=(-2, -1)) & ~(
            jnp.all(jnp.isnan(values), axis=-1) & jnp.all(jnp.isfinite(triangle), axis=(-2, -1))
        )
    return _checked(jax, ok, values)
