"""Fourier transforms of vectors that are split: four steps, none of which has all of the vector on a rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr import communication
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, Program, param
from lazyarr.ir.node import apply
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.long_fft import factors
from tests.ranks import distributed
from tests.test_ranks import GRIDS

#: Squares, powers of two, odd numbers, far from square, and with fewer rows than there are ranks would like.
LENGTHS = [64, 1024, 9 * 11, 8 * 101, 2500, 120 * 121]


def test_factors() -> None:
    assert [factors(n) for n in LENGTHS] == [(8, 8), (32, 32), (9, 11), (8, 101), (50, 50), (120, 121)]
    assert [factors(n) for n in (1, 9, 63, 2 * 101, 1009)] == [None] * 5


def program(n: int, kind: str, dtype: str, norm: str) -> Program:
    x = param(0, ArrayType(DTYPES[dtype], (n // 2 + 1 if kind == "irfft" else n,)))
    return Program(Graph([x], [apply(OPS["fft"], x, kind=kind, axes=(0,), lengths=(n,), norm=norm)]))


@pytest.mark.parametrize("grid", [*GRIDS, (7,), (11,)])
@pytest.mark.parametrize(("kind", "dtype"), [
    ("fft", "c128"), ("ifft", "c128"), ("fft", "f64"), ("rfft", "f64"), ("fft", "c64"), ("rfft", "f32"),
    ("irfft", "c128"), ("irfft", "c64"),
])  # fmt: skip
def test_in_parts(kind: str, dtype: str, grid: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    for k, n in enumerate(LENGTHS):
        one = program(n, kind, dtype, ("backward", "ortho", "forward")[k % 3])
        points = one.graph.params[0].type.size
        x: Any = rng.standard_normal(points) + (1j * rng.standard_normal(points) if dtype[0] == "c" else 0)
        x = x.astype(DTYPES[dtype])
        (wanted,) = interpret(one.graph, [x])
        found, _, _ = distributed(one, [x], grid, interpret, split=[0])
        for (have,) in found:
            assert (have.shape, have.dtype) == (wanted.shape, wanted.dtype)
            scale = np.abs(wanted).max() * (1e-14 if wanted.dtype in (np.complex128, np.float64) else 1e-6)
            np.testing.assert_allclose(have, wanted, rtol=0, atol=scale)


@pytest.mark.parametrize("ranks", [2, 3, 4, 8])
def test_nobody_has_all_of_it(ranks: int) -> None:
    for n in (1024, 120 * 121):
        for kind in ("fft", "rfft", "irfft"):
            one = program(n, kind, "f64" if kind == "rfft" else "c128", "backward")
            x = np.zeros(one.graph.params[0].type.size, one.graph.params[0].type.dtype)
            _, locals, world = distributed(one, [x], (ranks,), interpret, split=[0], gathered=())
            most = max(t.size for local in locals for node in local.program.graph.nodes for t in node.types)
            assert most <= 1.5 * n / ranks
            plan = communication.plan(one, (ranks,), 1)
            assert plan.messages == max(len(sent) for sent in world.sent.values())
            assert plan.bytes == max(sum(size for _, size in sent) for sent in world.sent.values())
            assert plan.bytes <= 3 * 16 * n / ranks + 1024
