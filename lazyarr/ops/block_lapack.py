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
    )


#: What a position has of a solution, and whether the matrix is regular.
SOLVED_PART = _op("solved_part", "numpy.linalg.solve(a, b) of the whole arrays", _infer_solved, _solved, (70, 3))
#: What a position has of a lower Cholesky factor, and whether the matrix is positive definite.
CHOLESKY_PART = _op("cholesky_part", "numpy.linalg.cholesky(a) of the whole matrix", _infer_factor, _factor, None)
