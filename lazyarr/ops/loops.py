"""Loops and branches: operations that run a graph as often as data says.

State is explicit: what an iteration changes is carried, what it only reads is a constant operand. Python integers are
i64 scalars here; what Python would do beyond 64 bits fails a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.access import opaque_operands
from lazyarr.ir.extents import Length
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import Cost, Op, Sample, Types, lookup
from lazyarr.ir.regions import Repeated
from lazyarr.ir.types import DTYPES, ArrayType, parse
from lazyarr.ops import xla_lengths, xla_loops
from lazyarr.ops.control import graph_cost
from lazyarr.ops.create import const

_I64 = ArrayType(DTYPES["i64"])
_BOOL = ArrayType(DTYPES["bool"])
#: Iterations that a loop of unknown length is taken to have where costs are compared.
_TRIPS = 100


def translated(type: ArrayType, places: dict[Value, Value]) -> ArrayType:
    """A type of one graph as it reads in another, where other values stand for its run-time lengths.

    Raises
    ------
    TypeError
        If a length is not among `places`.
    """
    if extents.is_static(type.shape):
        return type
    shape = []
    for extent in type.shape:
        if isinstance(extent, Length):
            if extent.scalar not in places:
                raise TypeError(f"the length of an axis of {type} is not among the operands")
            extent = Length(places[extent.scalar], extent.bound)
        shape.append(extent)
    return type.with_shape(tuple(shape))


def _require_region(name: str, region: Graph, operands: tuple[Value, ...]) -> None:
    """Check that a region takes values such as `operands`."""
    if len(region.params) != len(operands):
        raise TypeError(f"the {name} takes {len(region.params)} values, got {len(operands)}")
    places = dict(zip(operands, region.params, strict=True))
    for at, (p, v) in enumerate(zip(region.params, operands, strict=True)):
        # Several parameters may stand for one operand; a length may then be any of them.
        if p.type != translated(v.type, places) and p.type.bounded != v.type.bounded:
            raise TypeError(f"the {name} takes {p.type} as number {at}, got {v.type}")


def _require_results(name: str, region: Graph, carried: tuple[Value, ...], inner: tuple[Value, ...]) -> None:
    """Check that a body gives one new value of the same type for each carried one."""
    if len(region.results) != len(carried):
        raise TypeError(f"the {name} gives {len(region.results)} values for {len(carried)} carried")
    for at, (new, old) in enumerate(zip(region.results, inner, strict=True)):
        if new.type != old.type:
            raise TypeError(f"carried value {at} is {old.type}, and {new.type} after an iteration")


def _own(results: Iterable[Any]) -> tuple[Any, ...]:
    """Results in memory of their own, also those that are operands."""
    return tuple(np.array(x) for x in results)


def _scalar(value: Value, type: ArrayType, what: str) -> None:
    if value.type != type:
        raise TypeError(f"{what} is {type}, got {value.type}")


def _drawing(*scalars: Any, floats: int = 0) -> Callable[[Any], tuple[Any, ...]]:
    """Sample operands: NumPy scalars, then arrays of three numbers."""
    return lambda rng: (*(np.asarray(s)[()] for s in scalars), *(rng.random(3) for _ in range(floats)))


def _constants(first: int, index: int) -> Callable[[Node, str], dict[int, int]]:
    """What is the same in each iteration of a loop whose carried values begin at operand `first`, parameter `index`."""

    def invariant(node: Node, name: str) -> dict[int, int]:
        count = len(node.operands) - first
        return {index + k: first + k for k in range(node.kw["carried"], count)}

    return invariant


def _with_constants(node: Node, name: str, body: Graph, values: tuple[Value, ...]) -> Node:
    """A loop with more constants, which graphs but that in attribute `name` do not read."""
    attrs = []
    for key, value in node.attrs:
        if key == name:
            value = body
        elif isinstance(value, Graph):
            more = [param(len(value.params) + k, v.type) for k, v in enumerate(values)]
            value = Graph([*value.params, *more], value.results, value.checks, value.nodes)
        attrs.append((key, value))
    return make(node.op, (*node.operands, *values), tuple(attrs))


# --- loop ------------------------------------------------------------------------------------------------


def _infer_loop(*operands: Value, body: Graph, carried: int, until: int, shared: tuple[str, ...] = ()) -> Types:
    for value, what in zip(operands[:3], ("the start", "the stop", "the step"), strict=True):
        _scalar(value, _I64, what)
    rest = operands[3:]
    # The index has no operand; the start stands for it where types are compared.
    _require_region("body", body, (operands[0], *rest))
    _require_results("body", body, rest[:carried], body.params[1 : 1 + carried])
    if until >= 0:
        _scalar(rest[until], _BOOL, "what ends a loop")
    return tuple(v.type for v in rest[:carried])


def _loop(
    xp: Any, start: Any, stop: Any, step: Any, *rest: Any, body: Callable[..., Any], carried: int, until: int,
    shared: tuple[str, ...] = (),
) -> tuple[Any, ...]:
    state, consts = rest[:carried], rest[carried:]
    for index in range(int(start), int(stop), int(step)):
        if until >= 0 and state[until]:
            break
        state = tuple(body(np.asarray(index, np.int64), *state, *consts))
    return _own(state)


def _cost_loop(*types: ArrayType, body: Graph, **attrs: Any) -> Cost:
    inner = graph_cost(body)
    return Cost(_TRIPS * inner.flops, _TRIPS * inner.bytes)


def _sample_loop() -> Iterator[Sample]:
    i, x, y = param(0, _I64), param(1, parse("f64[3]")), param(2, parse("f64[3]"))
    new = apply(lookup("add"), apply(lookup("multiply"), x, const(0.5)), y)
    body = Graph([i, x, y], [apply(lookup("add"), new, apply(lookup("cast"), i, dtype=DTYPES["f64"]))])
    for bounds in ((0, 4, 1), (5, 0, -2), (3, 3, 1)):
        yield Sample(("i64[]", "i64[]", "i64[]", "f64[3]", "f64[3]"), {"body": body, "carried": 1, "until": -1},
                     make=_drawing(*bounds, floats=2))  # fmt: skip
    done = param(1, _BOOL)
    body = Graph([i, done], [apply(lookup("greater"), i, const(1, DTYPES["i64"]))])
    yield Sample(("i64[]", "i64[]", "i64[]", "bool[]"), {"body": body, "carried": 1, "until": 0},
                 make=_drawing(0, 9, 1, False))  # fmt: skip


#: ``for index in range(start, stop, step)``: the body takes the index, the carried values and the constants, and gives
#: the new carried values. Ends, besides, before an iteration for which carried value `until` (a bool; -1: none) is
#: True.
LOOP = Op(
    name="loop",
    numpy="for i in range(start, stop, step): ...",
    infer=_infer_loop,
    evaluate=_loop,
    jax=xla_loops.loop,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=_cost_loop,
    backends=("native", "xla", "numpy"),
    samples=_sample_loop,
    padded=xla_lengths.untouched,
    dependent=True,
    regions=Repeated(_constants(3, 1), _with_constants),
)

# --- while -----------------------------------------------------------------------------------------------


def _infer_while(*operands: Value, cond: Graph, body: Graph, carried: int) -> Types:
    _require_region("condition", cond, operands)
    _require_region("body", body, operands)
    if len(cond.results) != 1 or cond.results[0].type != _BOOL:
        raise TypeError(f"the condition gives one {_BOOL}, got {', '.join(str(v.type) for v in cond.results)}")
    _require_results("body", body, operands[:carried], body.params[:carried])
    return tuple(v.type for v in operands[:carried])


def _while(xp: Any, *rest: Any, cond: Callable[..., Any], body: Callable[..., Any], carried: int) -> tuple[Any, ...]:
    state, consts = rest[:carried], rest[carried:]
    while bool(cond(*state, *consts)[0]):
        state = tuple(body(*state, *consts))
    return _own(state)


def _cost_while(*types: ArrayType, cond: Graph, body: Graph, **attrs: Any) -> Cost:
    first, second = graph_cost(cond), graph_cost(body)
    return Cost(_TRIPS * (first.flops + second.flops), _TRIPS * (first.bytes + second.bytes))


def _sample_while() -> Iterator[Sample]:
    x, limit = param(0, parse("f64[]")), param(1, parse("f64[]"))
    cond = Graph([x, limit], [apply(lookup("less"), x, limit)])
    body = Graph([x, limit], [apply(lookup("multiply"), x, const(1.5))])
    for low in (0.1, 7.0):
        yield Sample(("f64[]", "f64[]"), {"cond": cond, "body": body, "carried": 1},
                     make=_drawing(low, 6.0))  # fmt: skip


#: ``while cond(...): ...``: both graphs take the carried values and the constants.
WHILE = Op(
    name="while",
    numpy="while condition: ...",
    infer=_infer_while,
    evaluate=_while,
    jax=xla_loops.while_loop,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=_cost_while,
    backends=("native", "xla", "numpy"),
    samples=_sample_while,
    padded=xla_lengths.untouched,
    dependent=True,
    regions=Repeated(_constants(0, 0), _with_constants),
)

# --- cond ------------------------------------------------------------------------------------------------


def _infer_cond(*operands: Value, then: Graph, orelse: Graph) -> Types:
    _scalar(operands[0], _BOOL, "the condition")
    rest = operands[1:]
    found: list[tuple[ArrayType, ...]] = []
    for name, region in (("branch", then), ("other branch", orelse)):
        _require_region(name, region, rest)
        places: dict[Value, Value] = {}
        for p, v in zip(region.params, rest, strict=True):
            places.setdefault(p, v)
        found.append(tuple(translated(v.type, places) for v in region.results))
    if found[0] != found[1]:
        raise TypeError(f"one branch gives {', '.join(map(str, found[0]))}, the other {', '.join(map(str, found[1]))}")
    return found[0]


def _cond(xp: Any, pred: Any, *rest: Any, then: Callable[..., Any], orelse: Callable[..., Any]) -> tuple[Any, ...]:
    return _own((then if bool(pred) else orelse)(*rest))


def _cost_cond(*types: ArrayType, then: Graph, orelse: Graph) -> Cost:
    first, second = graph_cost(then), graph_cost(orelse)
    return Cost(max(first.flops, second.flops), max(first.bytes, second.bytes))


def _sample_cond() -> Iterator[Sample]:
    x = param(0, parse("f64[3]"))
    then = Graph([x], [apply(lookup("negative"), x), x])
    orelse = Graph([x], [x, apply(lookup("multiply"), x, x)])
    for pred in (True, False):
        yield Sample(("bool[]", "f64[3]"), {"then": then, "orelse": orelse},
                     make=_drawing(pred, floats=1))  # fmt: skip


#: ``if pred: ... else: ...``: only the chosen graph runs.
COND = Op(
    name="cond",
    numpy="if condition: ... else: ...",
    infer=_infer_cond,
    evaluate=_cond,
    jax=xla_loops.branch,
    access=opaque_operands,
    pointwise=False,
    memory="fresh",
    cost=_cost_cond,
    backends=("native", "xla", "numpy"),
    samples=_sample_cond,
    padded=xla_lengths.untouched,
    dependent=True,
)

# --- exact -----------------------------------------------------------------------------------------------

_EXACT: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    # A shift or a power that is surely too large is not computed: its digits would fill the memory.
    "left_shift": lambda a, b: a << b if 0 <= b < 64 else (0 if a == 0 and b > 0 else 1 << 64),
    "power": lambda a, b: a**b if 0 <= b < 64 or (b > 0 and -1 <= a <= 1) else 1 << 64,
}


def _exact(xp: Any, a: Any, b: Any, *, kind: str) -> tuple[Any, Any]:
    value = _EXACT[kind](int(a), int(b))
    fits = -(2**63) <= value < 2**63
    if not fits:
        value = 0 if kind in ("left_shift", "power") else (value + 2**63) % 2**64 - 2**63
    return np.asarray(value, np.int64), np.asarray(fits)


def _infer_exact(a: ArrayType, b: ArrayType, *, kind: str) -> Types:
    if kind not in _EXACT:
        raise ValueError(f"exact knows {', '.join(_EXACT)}, not {kind!r}")
    if a != _I64 or b != _I64:
        raise TypeError(f"exact takes two {_I64}, got {a} and {b}")
    return _I64, _BOOL


def _sample_exact() -> Iterator[Sample]:
    pairs = [(3, 4), (-7, 2), (2**62, 2**62), (-(2**63), -1), (3, 70), (1, 63), (-1, 63), (10, 18), (10, 19), (0, 0)]
    for kind in _EXACT:
        for a, b in pairs:
            yield Sample(("i64[]", "i64[]"), {"kind": kind},
                         make=_drawing(a, b))  # fmt: skip


#: Python's integer arithmetic while it fits 64 bits: the result, and whether it fits. What does not fit is its last 64
#: bits; a shift or power 0. Negative shifts and powers do not fit.
EXACT = Op(
    name="exact",
    numpy="a + b of Python ints",
    infer=_infer_exact,
    evaluate=_exact,
    jax=xla_loops.exact,
    access=lambda a, b, *, kind: ((), ()),
    pointwise=False,
    memory="fresh",
    cost=lambda a, b, *, kind: Cost(1, 0),
    backends=("native", "xla", "numpy"),
    samples=_sample_exact,
)
