"""Factors of tall matrices, least squares and determinants of matrices whose rows are split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr import communication
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, Program, param
from lazyarr.ir.node import apply_all
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES, ArrayType
from tests.ranks import distributed
from tests.test_ranks import ALONE_IS_SLOW, GRIDS

DTYPE_NAMES = ["f64", "f32", "c128"]


def matrix(m: int, n: int, dtype: str, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((m, n)) + (1j * rng.standard_normal((m, n)) if dtype[0] == "c" else 0)
    return (a * np.arange(1, n + 1)).astype(DTYPES[dtype])


def program(name: str, *arguments: Any, **attrs: Any) -> Program:
    params = [param(k, ArrayType(np.asarray(x).dtype, np.shape(x))) for k, x in enumerate(arguments)]
    return Program(Graph(params, apply_all(OPS[name], *params, **attrs)))


def close(have: Any, wanted: Any, times: float = 100) -> None:
    assert (have.dtype, have.shape) == (wanted.dtype, wanted.shape)
    if have.dtype.kind in "fc":
        small = times * np.finfo(have.dtype).eps
        np.testing.assert_allclose(have, wanted, rtol=small, atol=small * (np.abs(wanted).max() if wanted.size else 0))
    else:
        assert have == wanted


@pytest.mark.parametrize("grid", [*GRIDS, (7,)])
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_factors(dtype: str, grid: tuple[int, ...]) -> None:
    """With LAPACK's signs; of 41 rows a rank may have fewer than there are columns."""
    for m, n in ((41, 6), (41, 1), (200, 9), (40, 10)):
        a = matrix(m, n, dtype)
        for mode in ("reduced", "r"):
            one = program("qr", a, mode=mode)
            wanted = interpret(one.graph, [a])
            found, _, _ = distributed(one, [a], grid, interpret, split=[0])
            for have in found:
                for mine, whole in zip(have, wanted, strict=True):
                    close(mine, whole)
                assert not np.signbit(have[-1].real[np.tril_indices(n, -1)]).any()


@pytest.mark.parametrize("grid", GRIDS)
def test_factors_of_what_has_not_full_rank(grid: tuple[int, ...]) -> None:
    a = matrix(80, 5, "f64")
    a[:, 3] = a[:, 1] * 2
    one = program("qr", a, mode="reduced")
    for q, r in distributed(one, [a], grid, interpret, split=[0])[0]:
        np.testing.assert_allclose(q @ r, a, atol=1e-12)
        np.testing.assert_allclose(q.T @ q, np.eye(5), atol=1e-14)
        np.testing.assert_allclose(r[:3], np.linalg.qr(a)[1][:3], atol=1e-12)


@pytest.mark.parametrize("grid", [*GRIDS, (7,)])
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_least_squares(dtype: str, grid: tuple[int, ...]) -> None:
    for m, n, k, full in ((41, 6, 1, True), (60, 4, 3, True), (200, 9, 2, False)):
        a, b = matrix(m, n, dtype), matrix(m, k, dtype, 1)
        if not full:
            a[:, 4] = a[:, 2]
        rcond = np.asarray(np.finfo(a.dtype).eps * m, a.real.dtype)
        one = program("lstsq", a, b, rcond)
        wanted = interpret(one.graph, [a, b, rcond])
        assert np.isnan(wanted[1]).all() != full
        for have in distributed(one, [a, b, rcond], grid, interpret, split=[0, 1])[0]:
            for mine, whole in zip(have, wanted, strict=True):
                close(mine, whole, 1000)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_determinants(dtype: str, grid: tuple[int, ...]) -> None:
    for n in (3, 5, 48, 110):
        for a in (matrix(n, n, dtype) / n, np.eye(n)[np.random.default_rng(n).permutation(n)].astype(DTYPES[dtype]) * 2,
                  np.ones((n, n), DTYPES[dtype]), np.zeros((n, n), DTYPES[dtype])):  # fmt: skip
            a = np.ascontiguousarray(a)
            for name in ("det", "slogdet"):
                one = program(name, a)
                with np.errstate(all="ignore"):
                    wanted = interpret(one.graph, [a])
                for have in distributed(one, [a], grid, interpret, split=[0], model=ALONE_IS_SLOW)[0]:
                    for mine, whole in zip(have, wanted, strict=True):
                        close(np.asarray(mine), np.asarray(whole), 20 * n)


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_nobody_has_all_and_what_is_sent_is_predicted(ranks: int) -> None:
    a, b, square = matrix(400, 6, "f64"), matrix(400, 2, "f64", 1), np.eye(130) * 3
    cases = [("qr", (a,), {"mode": "reduced"}), ("qr", (a,), {"mode": "r"}), ("lstsq", (a, b, np.float64(1e-9)), {}),
             ("slogdet", (square,), {}), ("det", (square,), {})]  # fmt: skip
    for name, arguments, attrs in cases:
        one = program(name, *arguments, **attrs)
        split = range(len([x for x in arguments if np.ndim(x)]))
        _, locals, world = distributed(one, list(arguments), (ranks,), interpret, least=100, split=split, gathered=(),
                                       model=ALONE_IS_SLOW)  # fmt: skip
        most = max(t.size for local in locals for node in local.program.graph.nodes for t in node.types)
        assert most <= 1.4 * sum(np.size(x) for x in arguments) / ranks, name
        plan = communication.plan(one, (ranks,), 100, model=ALONE_IS_SLOW)
        assert plan.messages == max(len(sent) for sent in world.sent.values()), name
        assert plan.bytes == max(sum(size for _, size in sent) for sent in world.sent.values()), name
