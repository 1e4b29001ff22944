"""Random graphs with loops, branches, run-time windows and overlapping writes; every access is in range."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from hypothesis import strategies as st

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.ir.extents import Length
from lazyarr.ir.graph import Check, Graph, param
from lazyarr.ir.node import Value, apply, apply_all, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES, ArrayType, parse
from lazyarr.ops.create import const

#: ``choose(n)`` gives a number below n.
Choose = Callable[[int], int]

_F64, _I64, _BOOL = parse("f64[]"), parse("i64[]"), parse("bool[]")
_TYPES = (parse("f64[6]"), parse("f64[6]"), parse("f64[4,6]"), parse("i64[6]"), _F64, _I64, _BOOL)
_ROWS = 4


def _op(name: str, *operands: Value, **attrs: object) -> Value:
    return apply(lookup(name), *operands, **attrs)


def _int(value: int) -> Value:
    return const(value, DTYPES["i64"])


class _Builder:
    def __init__(self, choose: Choose, params: Sequence[Value], depth: int):
        self.choose, self.depth = choose, depth
        self.values: list[Value] = list(params)
        self.checks: list[Check] = []

    def of(self, type: ArrayType) -> Value:
        """A value of a type, a recent one more often."""
        found = [v for v in self.values if v.type == type]
        if not found:
            found = [self.make(type)]
        found = found[-3:] if self.choose(3) else found
        return found[self.choose(len(found))]

    def make(self, type: ArrayType) -> Value:
        scalar = const(self.choose(5) - 2 if type.dtype.kind != "b" else bool(self.choose(2)), type.dtype)
        return _op("full", scalar, shape=type.shape) if type.shape else scalar

    def index(self, extent: int) -> Value:
        """A scalar from 0 to ``extent - 1``."""
        if self.choose(3) == 0:
            return _int(self.choose(extent))
        return _op("remainder", self.of(_I64), _int(extent))

    def step(self) -> None:
        kind = self.choose(20)
        if kind >= 17 and self.depth > 0:
            self.values.extend((self.loop, self.cond, self.while_)[kind - 17]())
            return
        if kind == 0:
            self.checks.append(Check(_op("less", self.of(_I64), _int(10**15)), "ValueError", "drawn"))
            return
        self.values.append(self.one(kind))

    def one(self, kind: int) -> Value:
        vector, matrix = _TYPES[0], _TYPES[2]
        match kind:
            case 1 | 2:
                type = (vector, matrix, _F64)[self.choose(3)]
                return self.mean(self.of(type), self.of(type))
            case 3:
                name = ("add", "subtract", "maximum")[self.choose(3)]
                type = (_I64, _TYPES[3])[self.choose(2)]
                x = _op(name, self.of(type), self.of(type))
                return _op("remainder", x, _int(1000))
            case 4:
                return _op("less", self.of(_F64), self.of(_F64))
            case 5:
                return _op("window", self.of(vector), self.index(6), dims=(("index",),))
            case 6:
                x, at = self.of(vector), self.index(6)
                return _op("put_window", x, self.of(_F64), at, dims=(("index",),))
            case 7:
                return self.shifted()
            case 8:
                return self.run_time()
            case 9:
                x = self.of(matrix)
                return _op("window", x, self.index(_ROWS), dims=(("index",), ("all",)))
            case 10:
                x, at = self.of(matrix), self.index(_ROWS)
                other = _op("window", self.of(matrix), self.index(_ROWS), dims=(("index",), ("all",)))
                row = _op("window", x, at, dims=(("index",), ("all",)))
                return _op("put_window", x, self.mean(row, other), at, dims=(("index",), ("all",)))
            case 11:
                return _op("reduce", self.of(vector), kind=("add", "maximum")[self.choose(2)], axes=(0,))
            case 12:
                return _op("reduce", self.of(matrix), kind="add", axes=(self.choose(2),)) if self.choose(2) else (
                    _op("multiply", _op("matmul", self.of(matrix), self.of(vector)), const(0.25))
                )  # fmt: skip
            case 13:
                x = self.of(vector)
                return _op("gather", x, self.of(_TYPES[3]), axes=(0,)) if self.safe() else _op("negative", x)
            case 14:
                return _op("select", self.of(_BOOL), self.of(vector), self.of(vector))
            case 15:
                return self.siblings() if self.choose(2) else self.box()
            case _:
                x = self.of(vector)
                return _op("slice", x, start=(5,), stop=(-1,), step=(-1,))

    def safe(self) -> bool:
        return bool(self.choose(2))

    def mean(self, x: Value, y: Value) -> Value:
        """Does not grow, however often it is applied."""
        return _op("multiply", _op(("add", "subtract")[self.choose(2)], x, y), const(0.5))

    def shifted(self) -> Value:
        """``x[a:a+n] = mean(x[b:b+n], y[c:c+n])`` with constants."""
        x, y = self.of(_TYPES[0]), self.of(_TYPES[0])
        n = 1 + self.choose(5)

        def box() -> dict[str, tuple[int, ...]]:
            a = self.choose(6 - n + 1)
            if self.choose(4) == 0:
                return {"start": (a + n - 1,), "stop": (a - 1,), "step": (-1,)}
            return {"start": (a,), "stop": (a + n,), "step": (1,)}

        value = self.mean(_op("slice", x, **box()), _op("slice", y, **box()))
        return _op("update_slice", x, value, **box())

    def run_time(self) -> Value:
        """The same with run-time bounds; sometimes the sum of the window instead."""
        x, y = self.of(_TYPES[0]), self.of(_TYPES[0])
        starts = [self.index(6) for _ in range(3)]
        room = _int(6)
        for start in starts:
            room = _op("minimum", room, _op("subtract", _int(6), start))
        length = _op("minimum", self.index(6), room)
        dims = (("slice", 1),)
        first = _op("window", x, starts[0], length, dims=dims)
        second = _op("window", y, starts[1], length, dims=dims)
        if self.choose(4) == 0:
            return _op("multiply", _op("matmul", first, second), const(0.1))
        if self.choose(4) == 0:
            return _op("reduce", self.mean(first, second), kind="add", axes=(0,))
        if self.choose(4) == 0:
            flipped = _op("subtract", _op("add", starts[1], length), _int(1))
            second = _op("window", y, flipped, length, dims=(("slice", -1),))
        return _op("put_window", x, self.mean(first, second), starts[2], length, dims=dims)

    def box(self) -> Value:
        """``a[1:-1, 1:-1] = mean(a[:-2, 2:], a[2:, 1:-1])``."""
        x = self.of(_TYPES[2])

        def part(i: int, j: int) -> dict[str, tuple[int, ...]]:
            return {"start": (i, j), "stop": (i + 2, j + 4), "step": (1, 1)}

        value = self.mean(_op("slice", x, **part(self.choose(3), self.choose(3))),
                          _op("slice", x, **part(self.choose(3), self.choose(3))))  # fmt: skip
        return _op("update_slice", x, value, **part(1, 1))

    def siblings(self, types: Sequence[ArrayType] = (_TYPES[0], _TYPES[2])) -> Value:
        """Writes to most of an array that follow one another, of what is read before and between them."""
        x = self.of(types[self.choose(len(types))])
        shape = x.type.shape
        flux = [x, self.of(x.type)]

        def part(source: Value, window: list[int]) -> Value:
            start = [self.choose(n - m + 1) for n, m in zip(shape, window, strict=True)]
            return _op("slice", source, start=tuple(start), step=(1,) * len(shape),
                       stop=tuple(a + m for a, m in zip(start, window, strict=True)))  # fmt: skip

        if self.choose(2):
            flux.append(_op("multiply", self.mean(*flux), const(0.9)))
        for _ in range(2 + self.choose(3)):
            window = [int(n) - self.choose(3 if self.choose(3) == 0 else 2) for n in shape]
            start = [self.choose(n - m + 1) for n, m in zip(shape, window, strict=True)]
            place = {"start": tuple(start), "stop": tuple(a + m for a, m in zip(start, window, strict=True))}
            old = _op("slice", x, step=(1,) * len(shape), **place) if self.choose(3) else part(x, window)
            value = self.mean(old, part(flux[self.choose(len(flux))], window))
            x = _op("update_slice", x, value, step=(1,) * len(shape), **place)
            if self.choose(4) == 0:
                flux.append(x)
        return self.mean(x, flux[-1]) if self.choose(4) == 0 else x

    # --- regions

    def operands(self) -> tuple[list[Value], list[Value]]:
        """What is carried, and what is constant."""
        carried = [self.of(_TYPES[self.choose(len(_TYPES))]) for _ in range(1 + self.choose(4))]
        consts = [self.of(_TYPES[self.choose(len(_TYPES))]) for _ in range(self.choose(3))]
        return carried, consts

    def inside(self, params: Sequence[Value]) -> _Builder:
        inner = _Builder(self.choose, params, self.depth - 1)
        for _ in range(1 + self.choose(6)):
            inner.step()
        return inner

    def loop(self) -> tuple[Value, ...]:
        carried, consts = self.operands()
        until = -1
        if self.choose(4) == 0:
            until = len(carried)
            carried.append(const(bool(self.choose(4) == 0)))
        params = [param(0, _I64), *(param(1 + k, v.type) for k, v in enumerate([*carried, *consts]))]
        inner = self.inside(params)
        body = Graph(params, [inner.of(v.type) for v in carried], inner.checks)
        bounds = [_int(self.choose(3)), self.index(6), _int((1, 1, 2, -1)[self.choose(4)])]
        if self.choose(5) == 0:
            bounds[2] = _op("add", self.index(3), _int(1))
        attrs = (("body", body), ("carried", len(carried)), ("until", until))
        return make(lookup("loop"), (*bounds, *carried, *consts), attrs).values

    def while_(self) -> tuple[Value, ...]:
        carried, consts = self.operands()
        carried.append(_int(0))
        count = len(carried) - 1
        params = [param(k, v.type) for k, v in enumerate([*carried, *consts])]
        inner = self.inside(params)
        one_more = _op("add", params[count], _int(1))
        body = Graph(params, [*(inner.of(v.type) for v in carried[:-1]), one_more], inner.checks)
        asked = self.inside(params)
        goes_on = _op("logical_and", _op("less", params[count], _int(self.choose(5))),
                      _op("logical_or", asked.of(_BOOL), const(bool(self.choose(3)))))  # fmt: skip
        cond = Graph(params, [goes_on], asked.checks)
        attrs = (("body", body), ("carried", len(carried)), ("cond", cond))
        return make(lookup("while"), (*carried, *consts), attrs).values

    def cond(self) -> tuple[Value, ...]:
        carried, consts = self.operands()
        given = [*carried, *consts]
        params = [param(k, v.type) for k, v in enumerate(given)]
        found = []
        for _ in range(2):
            inner = self.inside(params)
            found.append(Graph(params, [inner.of(v.type) for v in carried], inner.checks))
        return apply_all(lookup("cond"), self.of(_BOOL), *given, then=found[0], orelse=found[1])


def random_region_graph(choose: Choose, steps: int = 8, depth: int = 2) -> Graph:
    """A random graph of static types."""
    params = [param(k, _TYPES[choose(len(_TYPES))]) for k in range(1 + choose(4))]
    builder = _Builder(choose, params, depth)
    for _ in range(1 + choose(steps)):
        builder.step()
    results = [v for v in builder.values[-1 - choose(4) :] if not any(isinstance(n, Length) for n in v.type.shape)]
    results += [builder.of(_TYPES[choose(len(_TYPES))]) for _ in range(1 + choose(2))]
    return Graph(params, results, builder.checks)


@st.composite
def region_graphs(draw: st.DrawFn, steps: int = 8, depth: int = 2) -> Graph:
    """Random graphs with regions for hypothesis."""
    return random_region_graph(lambda n: draw(st.integers(0, n - 1)) if n > 1 else 0, steps, depth)


def seeded(seed: int, steps: int = 8, depth: int = 2) -> Graph:
    """The graph of a seed."""
    rng = np.random.default_rng(seed)
    return random_region_graph(lambda n: int(rng.integers(n)), steps, depth)


def siblings(seed: int) -> Graph:
    """Statements on the same arrays that follow one another, repeated a few times or done once."""
    rng = np.random.default_rng(seed)

    def choose(n: int) -> int:
        return int(rng.integers(n))

    rows = (4, 60, 130)[choose(3)]
    types = [parse(text) for text in (f"f64[{rows}]", f"f64[{rows},6]", f"f64[{rows},6]")]

    def statements(params: Sequence[Value]) -> list[Value]:
        builder = _Builder(choose, params, 0)
        for _ in range(1 + choose(4)):
            builder.values.append(builder.siblings(types))
        return [builder.of(t) for t in types] if choose(3) else [params[0], params[1], builder.of(types[2])]

    outer = [param(k, t) for k, t in enumerate(types)]
    if choose(2):
        return Graph(outer, statements(outer))
    inner = [param(0, _I64), *(param(1 + k, t) for k, t in enumerate(types))]
    attrs = (("body", Graph(inner, statements(inner[1:]))), ("carried", len(types)), ("until", -1))
    return Graph(outer, make(lookup("loop"), (_int(0), _int(choose(40)), _int(1), *outer), attrs).values)
