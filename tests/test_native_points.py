"""Loops that are done point by point, against the interpreter."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends import native_nests
from lazyarr.backends.native import compile
from lazyarr.backends.native_points import Points
from lazyarr.ir.graph import Check, CheckFailed, Graph, param
from lazyarr.ir.node import Value, apply, apply_all, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES, ArrayType, parse
from lazyarr.ops.create import const
from lazyarr.settings import Settings
from tests.test_native import agrees

_DIMS = (("all",), ("all",), ("index",))
_LENGTH = 5


def _op(name: str, *operands: Value, **attrs: Any) -> Value:
    return apply(lookup(name), *operands, **attrs)


def _int(value: int) -> Value:
    return const(value, DTYPES["i64"])


class _Body:
    """A random body: windows at the index and its neighbours, writes, branches on the index."""

    def __init__(self, rng: np.random.Generator, index: Value, params: list[Value], point: ArrayType):
        self.rng, self.index = rng, index
        self.arrays = [p for p in params if p.type.ndim == 3]
        self.elements: list[Value] = [p for p in params if p.type == point]
        self.scalars = [p for p in params if p.type.shape == () and p.type.dtype.kind == "f"]
        self.point = point

    def pick(self, items: list[Value]) -> Value:
        return items[int(self.rng.integers(len(items)))]

    def place(self) -> Value:
        shift = int(self.rng.integers(-1, 2))
        return _op("remainder", _op("add", self.index, _int(shift)), _int(_LENGTH))

    def step(self, depth: int) -> None:
        kind = int(self.rng.integers(7 if depth else 6))
        if kind in (0, 1):
            self.elements.append(_op("window", self.pick(self.arrays), self.place(), dims=_DIMS))
        elif kind in (2, 3) and self.elements:
            other = self.pick(self.elements + self.scalars)
            total = _op(("add", "subtract")[kind - 2], self.pick(self.elements), other)
            self.elements.append(_op("multiply", total, const(0.5)))
        elif kind in (4, 5) and self.elements:
            k = int(self.rng.integers(min(2, len(self.arrays))))
            self.arrays[k] = _op("put_window", self.arrays[k], self.pick(self.elements), self.place(), dims=_DIMS)
        elif kind == 6:
            self.branch(depth)

    def branch(self, depth: int) -> None:
        given = [self.index, *self.arrays, *self.elements, *self.scalars]
        regions = []
        for _ in range(2):
            params = [param(k, v.type) for k, v in enumerate(given)]
            inner = _Body(self.rng, params[0], params[1:], self.point)
            for _ in range(4):
                inner.step(depth - 1)
            element = inner.pick(inner.elements) if self.elements else _op("full", const(1.0), shape=self.point.shape)
            regions.append(Graph(params, [*inner.arrays, element]))
        pred = _op("less", self.index, _int(int(self.rng.integers(_LENGTH))))
        results = apply_all(lookup("cond"), pred, *given, then=regions[0], orelse=regions[1])
        self.arrays = list(results[: len(self.arrays)])
        self.elements.append(results[-1])


def _graph(seed: int) -> tuple[Graph, Points | None]:
    rng = np.random.default_rng(seed)
    point = parse("f64[3,6]")
    cube = ArrayType(point.dtype, (*point.shape, _LENGTH))
    types = [cube, cube, point, parse("f64[]"), cube, parse("f64[]")]
    outer = [param(k, t) for k, t in enumerate(types)]
    index, *params = [param(0, parse("i64[]")), *(param(1 + k, t) for k, t in enumerate(types))]
    body = _Body(rng, index, params, point)
    for _ in range(int(rng.integers(3, 14))):
        body.step(depth=2)
    # A number that is carried: unchanged, or another one each time.
    number = _op("subtract", _op("multiply", params[3], params[5]), params[3]) if rng.integers(3) else params[3]
    inner = Graph([index, *params], [body.arrays[0], body.arrays[1], body.elements[-1], number])
    bounds = [(0, 5, 1), (4, -1, -1), (1, 5, 2), (3, 3, 1)][int(rng.integers(4))]
    attrs = (("body", inner), ("carried", 4), ("until", -1))
    return Graph(outer, make(lookup("loop"), (*map(_int, bounds), *outer), attrs).values), Points.find(inner, 4)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("seed", range(40))
def test_random_sweeps(seed: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lazyarr.settings.current", Settings(threads=threads))
    monkeypatch.setattr(native_nests, "WORTH", 0.0)
    monkeypatch.setattr(native_nests, "FEW", 2)
    graph, _ = _graph(seed)
    rng = np.random.default_rng(seed)
    agrees(graph, [np.asarray(rng.standard_normal(p.type.shape)) for p in graph.params])


def test_most_random_sweeps_are_done_by_points() -> None:
    found = [_graph(seed)[1] is not None for seed in range(80)]
    assert 10 < sum(found) < 70


def _sweep(check: bool, shape: str, dims: Any, length: int) -> Graph:
    """``for k in range(1, length): y[:, k] -= 0.5 * y[:, k - 1]`` for an array of any layout."""
    y = param(0, parse(shape))
    index, a = param(0, parse("i64[]")), param(1, y.type)
    before = _op("window", a, _op("subtract", index, _int(1)), dims=dims)
    new = _op("subtract", _op("window", a, index, dims=dims), _op("multiply", before, const(0.5)))
    checks = [Check(_op("less", index, _int(length)), "IndexError", "out of range")] if check else []
    body = Graph([index, a], [_op("put_window", a, new, index, dims=dims)], checks)
    attrs = (("body", body), ("carried", 1), ("until", -1))
    stop = length + 3 if check else length
    return Graph([y], make(lookup("loop"), (_int(1), _int(stop), _int(1), y), attrs).values)


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(("shape", "dims", "points"), [
    ("f64[7,20]", (("all",), ("index",)), True), ("f64[20,7]", (("index",), ("all",)), False),
    ("f64[3,9,20]", (("all",), ("all",), ("index",)), True), ("f64[3,20,9]", (("all",), ("index",), ("all",)), False),
])  # fmt: skip
def test_layout_decides(shape: str, dims: Any, points: bool, check: bool) -> None:
    graph = _sweep(check, shape, dims, 20)
    body = graph.nodes[-1].kw["body"]
    assert (Points.find(body, 1) is not None) == points
    given = [np.random.default_rng(0).random(graph.params[0].type.shape)]
    if not check:
        agrees(graph, given)
        return
    with pytest.raises(CheckFailed, match="out of range"):
        compile(graph)(given)


def test_reading_another_point_is_no_sweep() -> None:
    y = param(0, parse("f64[7,20]"))
    index, a = param(0, parse("i64[]")), param(1, y.type)
    dims = (("all",), ("index",))
    total = _op("reduce", _op("window", a, index, dims=dims), kind="add", axes=(0,))
    new = _op("full", total, shape=(7,))
    after = _op("remainder", _op("add", index, _int(1)), _int(20))
    body = Graph([index, a], [_op("put_window", a, new, after, dims=dims)])
    assert Points.find(body, 1) is None
    attrs = (("body", body), ("carried", 1), ("until", -1))
    graph = Graph([y], make(lookup("loop"), (_int(0), _int(5), _int(1), y), attrs).values)
    agrees(graph, [np.random.default_rng(0).random((7, 20))])


@pytest.mark.parametrize("stop", [20, 23])
def test_a_sweep_that_fails_leaves_the_argument_as_it_was(stop: int) -> None:
    def sweep(y: Any, stop: int) -> None:
        for k in range(1, stop):
            y[:, k] -= 0.5 * y[:, k - 1]

    compiled = lazyarr.accelerate(sweep)
    for seed in range(3):
        given = np.random.default_rng(seed).random((9, 20))
        expected = given.copy()
        if stop <= 20:
            sweep(expected, stop)
        with pytest.raises(IndexError) if stop > 20 else nullcontext(), warnings.catch_warnings():
            warnings.simplefilter("ignore", lazyarr.FallbackWarning)
            compiled(given, stop)
        assert np.array_equal(given, expected)
