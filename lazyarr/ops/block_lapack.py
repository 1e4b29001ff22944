"""Operations that solve systems, or factorize matrices, whose rows are split (`lazyarr.ops.block_solve`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lazyarr.ir.access import opaque_operands
from lazyarr.ir.layout import Ranges, length
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import block_solve
from lazyarr.ops.comm import TOKEN, all_to_all_along

_OK = ArrayType(DTYPES["bool"])


def _require(name: str, types: Types, at: int, have: Ranges) -> None:
    *arrays, token = types
    a = arrays[0]
    if token != TOKEN or a.ndim != 2 or any(t.shape[0] != length(have[at]) or t.dtype != a.dtype for t in arrays):
        raise TypeError(f"{name} takes this position's rows and a token, got {', '.join(map(str, types))}")
    if a.shape[1] != sum(map(length, have)):
        raise ValueError(f"{name} takes a square matrix, got rows {have} of {a}")


def _infer_solved(a: ArrayType, b: ArrayType, token: ArrayType, *, dim: int, at: int, have: Ranges) -> Types:
    _require("solved_part", (a, b, token), at, have)
    return b, _OK, TOKEN


def _solved(xp: Any, a: Any, b: Any, token: Any, *, dim: int, at: int, have: Ranges) -> Any:
    exchange = all_to_all_along(dim, len(have))
    right = np.array(b).reshape(len(b), -1)
    x, ok = block_solve.solve(np.array(a), right, exchange, at, have)
    return x.reshape(np.shape(b)), np.bool_(ok), np.asarray(token) + 1


def _infer_factor(a: ArrayType, token: ArrayType, *, dim: int, at: int, have: Ranges) -> Types:
    _require("cholesky_part", (a, token), at, have)
    return a, _OK, TOKEN


def _factor(xp: Any, a: Any, token: Any, *, dim: int, at: int, have: Ranges) -> Any:
    found, ok = block_solve.cholesky(np.array(a), all_to_all_along(dim, len(have)), at, have)
    return found, np.bool_(ok), np.asarray(token) + 1


def _infer_determinant(a: ArrayType, token: ArrayType, *, dim: int, at: int, have: Ranges) -> Types:
    _require("determined_part", (a, token), at, have)
    return ArrayType(a.dtype, ()), ArrayType(_real(a.dtype), ()), TOKEN


def _determinant(xp: Any, a: Any, token: Any, *, dim: int, at: int, have: Ranges) -> Any:
    sign, logarithm = block_solve.determinant(np.array(a), all_to_all_along(dim, len(have)), at, have)
    return sign, _real(a.dtype).type(logarithm), np.asarray(token) + 1


def _real(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _reflected(xp: Any, q: Any) -> Any:
    w, signs = np.array(q), np.ones(len(q), q.dtype)
    for k in range(len(w)):
        signs[k] = -1 if w[k, k].real >= 0 else 1
        w[k, k] -= signs[k]
        w[k + 1 :, k] /= w[k, k]
        w[k + 1 :, k + 1 :] -= np.outer(w[k + 1 :, k], w[k, k + 1 :])
    return signs


def _infer_reflected(q: ArrayType) -> ArrayType:
    if q.ndim != 2 or q.shape[0] != q.shape[1] or q.dtype.kind not in "fc":
        raise TypeError(f"reflected_signs takes a square matrix of floats or complex numbers, got {q}")
    return q.with_shape(q.shape[:1])


def _samples_reflected() -> Iterator[Sample]:
    for name in ("f64", "f32", "c128"):
        def make(rng: Any, name: str = name) -> tuple[Any, ...]:
            a = rng.standard_normal((9, 4)) + (1j * rng.standard_normal((9, 4)) if name[0] == "c" else 0)
            return (np.linalg.qr(a)[0][:4].astype(DTYPES[name]),)

        yield Sample((f"{name}[4,4]",), make=make)


def _samples(right: tuple[int, ...] | None) -> Callable[[], Iterator[Sample]]:
    def samples() -> Iterator[Sample]:
        for name in ("f64", "c128"):
            def make(rng: Any, name: str = name) -> tuple[Any, ...]:
                a = rng.standard_normal((70, 70)) + (1j * rng.standard_normal((70, 70)) if name[0] == "c" else 0)
                a = a @ a.mT.conj() + 70 * np.eye(70)
                return (a, *([rng.standard_normal(right).astype(a.dtype)] if right else []), np.int64(0))

            shapes = [f"{name}[70,70]", *([f"{name}[{','.join(map(str, right))}]"] if right else []), "i64[]"]
            yield Sample(tuple(shapes), {"at": 0, "dim": 0, "have": ((0, 70),)}, make=make)

    return samples


def _op(name: str, numpy: str, infer: Any, evaluate: Any, right: tuple[int, ...] | None) -> Op:
    return Op(
        name=name,
        numpy=numpy,
        infer=infer,
        evaluate=evaluate,
        jax=None,
        access=opaque_operands,
        pointwise=False,
        memory="fresh",
        cost=lambda a, *rest, **attrs: Cost(a.size * a.shape[1], 4 * a.nbytes),
        backends=("native", "numpy"),
        samples=_samples(right),
        communicates=True,
    )


#: What a position has of a solution, and whether the matrix is regular.
SOLVED_PART = _op("solved_part", "numpy.linalg.solve(a, b) of the whole arrays", _infer_solved, _solved, (70, 3))
#: What a position has of a lower Cholesky factor, and whether the matrix is positive definite.
CHOLESKY_PART = _op("cholesky_part", "numpy.linalg.cholesky(a) of the whole matrix", _infer_factor, _factor, None)
#: The sign and the logarithm of the absolute value of a determinant, which all positions get.
DETERMINED_PART = _op(
    "determined_part", "numpy.linalg.slogdet(a) of the whole matrix", _infer_determinant, _determinant, None
)

#: Of a matrix ``q`` with orthonormal columns its first rows are given: the numbers 1 and -1 by which LAPACK's own
#: factors of ``q @ r`` differ from `q` (its columns) and `r` (its rows). G. Ballard, J. Demmel, L. Grigori,
#: M. Jacquelin, H. D. Nguyen and E. Solomonik, Reconstructing Householder vectors from tall-skinny QR, 2014, section 5.
REFLECTED_SIGNS = Op(
    name="reflected_signs",
    numpy="numpy.sign(numpy.diag(numpy.linalg.qr(whole_q)[1]))",
    infer=_infer_reflected,
    evaluate=_reflected,
    jax=None,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=lambda q: Cost(q.size * q.shape[1], 2 * q.nbytes),
    backends=("numpy",),
    samples=_samples_reflected,
)
