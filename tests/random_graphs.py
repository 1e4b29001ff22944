"""Random graphs for tests: every draw goes through one function, so that hypothesis can shrink them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.ir.extents import broadcast
from lazyarr.ir.graph import Check, Graph, param
from lazyarr.ir.node import Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.create import const
from tests.bits import special_values

#: ``choose(n)`` gives a number below n.
Choose = Callable[[int], int]

_SHAPES: tuple[tuple[int, ...], ...] = ((3, 4), (4,), (1, 4), (3, 1), (), (3,), (2, 3, 4), (1,), (0, 4), (12,))
_DTYPES = ("f64", "f64", "f32", "i64", "bool", "i8", "u16", "c128", "f16")
_UNARY = ("negative", "absolute", "square", "positive", "sqrt", "exp", "floor", "rint", "trunc", "conjugate", "invert",
          "logical_not", "isnan", "isfinite", "fabs", "sign", "sin")  # fmt: skip
_BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "less", "greater_equal", "equal",
           "logical_and", "logical_or", "bitwise_and", "bitwise_xor", "floor_divide", "remainder", "fmax",
           "left_shift", "copysign", "arctan2")  # fmt: skip


class _Builder:
    def __init__(self, choose: Choose, types: list[ArrayType], depth: int):
        self.choose = choose
        self.depth = depth
        self.params = [param(k, t) for k, t in enumerate(types)]
        self.values: list[Value] = [p for p in self.params if not p.type.weak]
        self.weak = [p for p in self.params if p.type.weak]

    def pick(self, items: Any) -> Any:
        return items[self.choose(len(items))]

    def value(self) -> Value:
        """A value at hand, a recent one more often, or a constant."""
        if not self.values or self.choose(6) == 0:
            return self.constant(DTYPES[self.pick(_DTYPES)])
        recent = self.values[-4:]
        found: Value = self.pick(recent if self.choose(2) else self.values)
        return found

    def constant(self, dtype: np.dtype[Any]) -> Value:
        return const(self.pick(special_values(dtype)), dtype)

    def partner(self, x: Value) -> Value:
        """A value of the dtype of `x` that broadcasts with it."""
        fitting = [v for v in self.values if v.type.dtype == x.type.dtype and _fits(v, x)]
        return self.pick(fitting) if fitting and self.choose(3) else self.constant(x.type.dtype)

    def box(self, shape: tuple[int, ...]) -> dict[str, Any]:
        entries = []
        for n in shape:
            low = self.choose(n + 1)
            high = low + self.choose(n - low + 1)
            step = 1 + self.choose(2)
            entry = (low, high, step)
            if high > low and self.choose(3) == 0:
                last = range(*entry)[-1]
                entry = (last, low - 1, -step)
            entries.append(entry)
        start, stop, step_ = zip(*entries, strict=True) if entries else ((), (), ())
        return {"start": start, "stop": stop, "step": step_}

    def step(self) -> None:
        """Add the results of one more operation; nothing where it does not take what was drawn."""
        kind = self.choose(16)
        x = self.value()
        try:
            self.values.extend(self.operation(kind, x))
        except (TypeError, ValueError):
            return

    def operation(self, kind: int, x: Value) -> tuple[Value, ...]:
        shape = x.type.shape
        match kind:
            case 0 | 1 | 2:
                return (apply(lookup(self.pick(_UNARY)), x),)
            case 3 | 4 | 5 | 6:
                operands = [x, self.partner(x)]
                # NumPy refuses negative powers of integers; a check stands before such a node in real programs.
                names = [n for n in _BINARY if n != "power" or x.type.dtype.kind in "fc"]
                return (apply(lookup(self.pick(names)), *(operands[::-1] if self.choose(2) else operands)),)
            case 7:
                condition = self.pick([v for v in self.values if v.type.dtype == np.bool_] or [const(True)])
                return (apply(lookup("select"), condition, x, self.partner(x)),)
            case 8:
                return (self.cast(x),)
            case 9:
                return (self.moved(x),)
            case 10:
                return (apply(lookup("slice"), x, **self.box(shape)),)
            case 11:
                box = self.box(shape)
                value = apply(lookup("slice"), x, **box)
                if self.choose(3):
                    value = apply(lookup(self.pick(_UNARY)), value)
                return (apply(lookup("update_slice"), x, value, **box), value)
            case 12:
                source = self.pick((x, self.constant(x.type.dtype)))
                target = broadcast(source.type.shape, self.pick(_SHAPES))
                return (apply(lookup("broadcast" if source.type.shape else "full"), source, shape=target),)
            case 13:
                # Sums of floats depend on the memory's layout in NumPy itself.
                name = self.pick(("add", "maximum", "bitwise_or")) if x.type.dtype.kind in "iu" else "logical_and"
                if name == "logical_and" and x.type.dtype != np.bool_:
                    return (apply(lookup("sort"), x, axis=len(shape) - 1, stable=bool(self.choose(2))),)
                axes = tuple(a for a in range(len(shape)) if self.choose(2))
                return (apply(lookup("reduce"), x, kind=name, axes=axes),)
            case 14:
                return (apply(lookup("concatenate"), x, self.partner(x), axis=self.choose(max(1, len(shape)))),)
            case _:
                return self.region()

    def cast(self, x: Value) -> Value:
        if self.weak and self.choose(2) == 0:
            source = self.pick(self.weak)
            allowed = [d for d in DTYPES.values() if "iufc".index(source.type.dtype.kind) <= "biufc".index(d.kind) - 1]
            return apply(lookup("cast"), source, dtype=self.pick(allowed or [source.type.dtype]))
        # A float out of an integer's range becomes what the CPU makes of it, so such casts are not drawn.
        order = "biufc"
        allowed = [d for d in DTYPES.values() if d.kind == "b" or _reaches(order, x.type.dtype, d)]
        return apply(lookup("cast"), x, dtype=self.pick(allowed))

    def moved(self, x: Value) -> Value:
        shape = x.type.shape
        match self.choose(4):
            case 0:
                fitting = [s for s in _SHAPES if np.prod(s, dtype=int) == x.type.size]
                return apply(lookup("reshape"), x, shape=self.pick([*fitting, (x.type.size,), (1, *shape)]))
            case 1:
                axes = list(range(len(shape)))
                for k in range(len(axes) - 1, 0, -1):
                    j = self.choose(k + 1)
                    axes[k], axes[j] = axes[j], axes[k]
                return apply(lookup("transpose"), x, axes=tuple(axes))
            case 2:
                return apply(lookup("roll"), x, shift=self.choose(5) - 2, axis=self.choose(max(1, len(shape))))
            case _:
                low, high = (tuple(self.choose(2) for _ in shape) for _ in range(2))
                return apply(lookup("pad"), x, self.constant(x.type.dtype), low=low, high=high)

    def region(self) -> tuple[Value, ...]:
        if self.depth == 0 or not self.values:
            return ()
        operands = tuple(dict.fromkeys(self.pick(self.values) for _ in range(1 + self.choose(3))))
        body = build(self.choose, [v.type for v in operands], steps=1 + self.choose(5), depth=0, checks=False)
        node = make(lookup("region"), operands, (("backend", self.pick(("xla", "numpy"))), ("body", body)))
        return node.values


def _fits(x: Value, y: Value) -> bool:
    try:
        broadcast(x.type.shape, y.type.shape)
    except ValueError:
        return False
    return True


def _reaches(order: str, source: np.dtype[Any], target: np.dtype[Any]) -> bool:
    return order.index(target.kind) >= order.index(source.kind) or (source.kind == "u" and target.kind == "i")


def build(choose: Choose, types: list[ArrayType], steps: int, depth: int = 1, checks: bool = True) -> Graph:
    """A graph on parameters of `types` with up to `steps` operations."""
    builder = _Builder(choose, types, depth)
    for _ in range(steps):
        builder.step()
    # The last values keep most of the graph alive.
    results = [*builder.values[-1 - choose(3) :], *(builder.value() for _ in range(choose(2)))] or [builder.value()]
    conditions = [v for v in builder.values if v.type.dtype == np.bool_ and v.type.shape == ()]
    failing = [Check(builder.pick(conditions), "ValueError", "drawn")] if checks and conditions and choose(2) else []
    return Graph(builder.params, results, failing)


def random_graph(choose: Choose, steps: int = 12) -> Graph:
    """A random graph: up to three parameters (Python scalars among them), broadcasts, slices, updates, regions."""
    types = []
    for _ in range(1 + choose(3)):
        if choose(8) == 0:
            types.append(ArrayType(DTYPES[("i64", "f64", "c128")[choose(3)]], (), True))
        else:
            types.append(ArrayType(DTYPES[_DTYPES[choose(len(_DTYPES))]], _SHAPES[choose(len(_SHAPES))]))
    return build(choose, types, 1 + choose(steps))


@st.composite
def graphs(draw: st.DrawFn, steps: int = 12) -> Graph:
    """Random graphs for hypothesis."""
    return random_graph(lambda n: draw(st.integers(0, n - 1)) if n > 1 else 0, steps)
