"""With `reproducible`, the number of ranks and what is split change no bit of a result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr
import lazyarr.numpy as lnp
from lazyarr import communication
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Graph, Program, param
from lazyarr.ir.layout import even
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import OPS
from lazyarr.ir.text import show
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.pairwise import highest, nodes_of_rows, root
from lazyarr.passes.fix_order import in_order
from lazyarr.settings import settings as settings_of
from tests.ranks import distributed
from tests.test_mpi import needs_mpi, run, written

GRIDS = [(2,), (3,), (4,), (7,), (2, 2)]
FLOATS = ["f32", "f64", "c64", "c128", "f16"]


def drawn(rng: np.random.Generator, dtype: str, *shape: int) -> Any:
    x = rng.standard_normal(shape) * 10.0 ** rng.integers(-3, 3, shape)
    return (x + 1j * rng.standard_normal(shape) if dtype[0] == "c" else x).astype(DTYPES[dtype])


def params_of(arguments: list[Any]) -> list[Value]:
    return [param(k, ArrayType(x.dtype, x.shape)) for k, x in enumerate(arguments)]


def same_bits(graph: Graph, arguments: list[Any], grids: list[tuple[int, ...]], tolerance: float = 1e-9) -> None:
    """On all grids, whatever arguments are split; and near what NumPy has."""
    program = in_order(Program(graph))
    with np.errstate(all="ignore"):
        alone, plain = interpret(program.graph, arguments), interpret(graph, arguments)
        for have, want in zip(alone, plain, strict=True):
            have, want = np.asarray(have), np.asarray(want)
            assert (have.dtype, have.shape) == (want.dtype, want.shape)
            some = {2: 1e-1, 4: 1e-4, 8: tolerance, 16: tolerance}[have.real.dtype.itemsize]
            scale = np.abs(want[np.isfinite(want)]).max(initial=1.0)
            np.testing.assert_allclose(have, want, rtol=some, atol=some * float(scale))
        for grid in grids:
            for split in (list(range(len(arguments))), [0]):
                found, _, _ = distributed(program, arguments, grid, interpret, split=split)
                for rank in found:
                    for have, want in zip(rank, alone, strict=True):
                        assert np.asarray(have).tobytes() == np.asarray(want).tobytes(), (show(graph), grid)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 600), min_size=1, max_size=3), st.sampled_from(FLOATS), st.sampled_from(GRIDS),
       st.integers(0, 2**31))
def test_reductions(shape: list[int], dtype: str, grid: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = [n if k == int(rng.integers(len(shape))) else n % 23 + 1 for k, n in enumerate(shape)]
    x = drawn(rng, dtype, *shape)
    near = (1 + rng.standard_normal(x.shape) / 100).astype(x.dtype)
    value, factors = params = params_of([x, near])
    kinds = ["add", "maximum", "fmin"]
    results = [apply(OPS["reduce"], value, kind=kind, axes=(axis,)) for kind in kinds for axis in range(x.ndim)]
    results += [apply(OPS["reduce"], value, kind="add", axes=tuple(range(x.ndim)))]
    results += [apply(OPS["accumulate"], value, kind="add", axis=0)]
    results += [apply(OPS["reduce"], factors, kind="multiply", axes=(axis,)) for axis in range(x.ndim)]
    same_bits(Graph(params, results), [x, near], [grid], tolerance=1e-6)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("left", "right"), [
    ((70, 300), (300, 41)), ((3, 130), (130, 2)), ((129,), (129, 9)), ((65, 257), (257,)), ((999,), (999,)),
    ((4, 9, 140), (140, 5)), ((5, 1, 6, 130), (3, 130, 4)),
])  # fmt: skip
def test_products(dtype: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    arguments = [drawn(rng, dtype, *left), drawn(rng, dtype, *right)]
    params = params_of(arguments)
    same_bits(Graph(params, [apply(OPS["matmul"], *params)]), arguments, [(2,), (3,), (2, 2)])
    if len(left) == 2:  # split along the columns, and so what is added up
        turned = apply(OPS["transpose"], params[0], axes=(1, 0))
        graph = Graph(params, [apply(OPS["matmul"], turned, params[0]), apply(OPS["matmul"], params[0], turned)])
        same_bits(graph, arguments, [(2,), (3,), (2, 2)])


@pytest.mark.parametrize(("subscripts", "shapes"), [
    ("ij,jk->ik", ((40, 130), (130, 7))), ("ij,ik->jk", ((300, 9), (300, 7))), ("ij,kj->ik", ((40, 130), (7, 130))),
    ("ij,k->i", ((40, 130), (70,))), ("ij,ij->", ((40, 130), (40, 130))), ("ij,ij->i", ((40, 130), (40, 130))),
    ("ij->ji", ((40, 13),)), ("ij->j", ((300, 5),)), ("ii->", ((40, 40),)), ("i,i,i->", ((300,), (300,), (300,))),
    ("bij,bjk->bki", ((9, 4, 30), (9, 30, 5))), ("ij,j->i", ((40, 300), (300,))), ("i,ij->j", ((300,), (300, 4))),
    ("ijk,jk->i", ((20, 9, 11), (9, 11))),
])  # fmt: skip
def test_contractions(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> None:
    rng = np.random.default_rng(2)
    arguments = [drawn(rng, "f64", *shape) for shape in shapes]
    params = params_of(arguments)
    same_bits(Graph(params, [apply(OPS["einsum"], *params, subscripts=subscripts)]), arguments, [(2,), (3,), (2, 2)])


@pytest.mark.parametrize("kind", ["fft", "ifft", "rfft", "irfft"])
def test_transforms_of_several_axes(kind: str) -> None:
    x = drawn(np.random.default_rng(3), "f64" if kind == "rfft" else "c128", 30, 14)
    (value,) = params = params_of([x])
    for axes in ((0, 1), (1, 0)):
        lengths = tuple(x.shape[a] for a in axes)
        attrs = {"kind": kind, "axes": axes, "lengths": lengths, "norm": "ortho"}
        same_bits(Graph(params, [apply(OPS["fft"], value, **attrs)]), [x], [(2,), (3,), (2, 2)])


@given(st.integers(1, 400), st.lists(st.integers(0, 400), max_size=6))
def test_the_root_has_every_leaf_once_and_in_order(count: int, cuts: list[int]) -> None:
    ends = [0, *sorted(min(c, count) for c in cuts), count]
    rows = np.array([[f"{k}."] for k in range(count)], dtype=object)
    nodes: list[tuple[int, int]] = []
    values: list[Any] = []
    for first, stop in zip(ends, ends[1:], strict=False):
        nodes += highest(first, stop, count)
        values += nodes_of_rows(rows[first:stop], first, count, np.add)
        assert len(values) == len(nodes) <= 2 * (len(ends) - 1) * count.bit_length() + 1
    assert root(nodes, values, count, np.add)[0] == "".join(f"{k}." for k in range(count))


def test_what_is_rounded_gives_way_and_nothing_else() -> None:
    x, v, n = (param(0, ArrayType(DTYPES["f64"], (300, 40))), param(1, ArrayType(DTYPES["f64"], (40,))),
               param(2, ArrayType(DTYPES["i64"], (7,))))  # fmt: skip
    results = [apply(OPS["matmul"], x, v), apply(OPS["reduce"], x, kind="add", axes=(0, 1)),
               apply(OPS["reduce"], n, kind="add", axes=(0,))]  # fmt: skip
    assert show(in_order(Program(Graph([x, v, n], results))).graph) == """\
graph(%0: f64[300,40], %1: f64[40], %2: i64[7]) {
  %3 = broadcast(%1) {shape=(300, 40)} : f64[300,40]
  %4 = multiply(%0, %3) : f64[300,40]
  %5 = ordered_reduce(%4) {axis=1, kind="add", leaf=128} : f64[300]
  %6 = ordered_reduce(%0) {axis=1, kind="add", leaf=128} : f64[300]
  %7 = ordered_reduce(%6) {axis=0, kind="add", leaf=128} : f64[]
  %8 = reduce(%2) {axes=(0,), kind="add"} : i64[]
  return %5, %7, %8
}"""


@pytest.mark.parametrize("grid", [(2,), (3,), (5,), (2, 2)])
def test_what_is_predicted_is_what_is_sent(grid: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).random((1000, 20))
    (value,) = params = params_of([x])
    results = [apply(OPS["reduce"], value, kind="add", axes=axes) for axes in ((0,), (1,), (0, 1))]
    results.append(apply(OPS["matmul"], apply(OPS["transpose"], value, axes=(1, 0)), value))
    program = in_order(Program(Graph(params, results)))
    _, _, world = distributed(program, [x], grid, interpret, least=8, split=[0], gathered=())
    predicted = communication.plan(program, grid, 8)
    assert predicted.messages == max(len(sent) for sent in world.sent.values())
    assert predicted.bytes == max(sum(size for _, size in sent) for sent in world.sent.values())
    assert predicted.bytes < x.nbytes // 2 + 20 * 20 * 8 * 30  # nothing is gathered
    assert even(1000, 4)[1][0] % 128  # (parts do not begin where leaves do)


def test_the_setting() -> None:
    with settings_of(reproducible=True):
        x = np.random.default_rng(0).random(3001)
        several = [float(lnp.asarray(x).sum()) for _ in range(4)]
        assert len(set(several)) == 1
        np.testing.assert_allclose(several[0], x.sum(), rtol=1e-13)
    with pytest.raises(ValueError, match="reproducible is 2; expected True or False"):
        lazyarr.configure(reproducible=2)


PROGRAM = """
import zlib
import numpy as np
import lazyarr

def bits(name, *xs):
    for x in xs:
        x = np.asarray(x)
        print(name, x.dtype, x.shape, f"{zlib.crc32(x.tobytes()):08x}")

rng = np.random.default_rng(3)
for shape in [(5001,), (70, 90), (1000, 3), (3, 1000), (9, 20, 30)]:
    x = rng.random(shape) - 0.3
    for y in (x, x.astype(np.float32), x + 1j * np.sqrt(abs(x))):
        bits("sums", y.sum(), y.sum(axis=0), y.sum(axis=-1), y.mean(), y.mean(axis=0), np.linalg.norm(y.ravel()),
             np.vdot(y, y), y.ravel() @ y.ravel(), np.cumsum(y), y.max(), np.exp(y).sum(), np.sin(y).sum(axis=0),
             (y * 2 + y * y - 1).sum())
        if y.dtype.kind == "f":
            bits("moments", y.std(axis=0), y.var(), np.median(y, axis=0), np.percentile(y, 30))
a, c = rng.random((130, 70)), rng.random((300, 300))
for t in (np.float64, np.float32, np.complex128):
    A, C = a.astype(t), c.astype(t)
    bits("products", A.T @ A, A @ A.T, C @ C, C @ C[0], C[0] @ C, np.einsum("ij,kj->ik", A, A), np.trace(C),
         np.tensordot(A.T, A, 1), np.outer(C[0], C[1]) @ C[2])
bits("others", np.fft.fft2(c), np.fft.fft(c.ravel()[:9000]), np.fft.irfft2(np.fft.rfft2(c)), np.linalg.norm(c),
     np.average(c, axis=0), np.cov(c[:5]), np.linalg.solve(c, c[0]), np.linalg.cholesky(c @ c.T + 300 * np.eye(300)),
     np.bincount(rng.integers(0, 9, 2000), weights=c.ravel()[:2000]))
counts, i = np.zeros(9), rng.integers(0, 9, 5000)
np.add.at(counts, i, c.ravel()[:5000])
bits("counts", counts)

@lazyarr.accelerate
def conjugate_gradients(A, b, n):
    x = np.zeros_like(b)
    r = b - A @ x
    p, rr = r.copy(), r @ r
    for _ in range(n):
        q = A @ p
        s = rr / (p @ q)
        x += s * p
        r -= s * q
        new = r @ r
        p = r + (new / rr) * p
        rr = new
    return x, rr

S = c @ c.T + 300 * np.eye(300)
for k in range(3):
    bits("conjugate gradients", *conjugate_gradients(S, c[0], 10 + k))
"""


@needs_mpi
def test_scripts_have_the_same_bits_on_any_number_of_ranks(tmp_path: Path) -> None:
    script = written(tmp_path, PROGRAM)
    alone = run(1, script, "--reproducible")
    assert alone.returncode == 0, alone.stderr
    for ranks, *options in [(2,), (3,), (4, "--grid", "2,2")]:
        done = run(int(ranks), script, "--reproducible", *map(str, options))
        assert done.returncode == 0, done.stderr
        assert done.stdout == alone.stdout != ""
