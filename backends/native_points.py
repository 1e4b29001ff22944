"""Loops whose iterations work on one position of the last axis: done point by point instead.

``for k in range(n): y[:, :, k] = f(x[:, :, k], y[:, :, k - 1])`` touches, statement by statement, one number in each
line of memory. No point of the other axes reads another's results, so all iterations of one point can run before those
of the next: along memory, with what they pass on in registers. `Points.find` proves it, on the graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr.backends import native_nests as nests
from lazyarr.backends import native_scalar, native_threads
from lazyarr.backends.native_costs import expected_trips
from lazyarr.backends.native_emit import Element, Index, literal, register
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_plan import Plan, generated
from lazyarr.backends.native_schedule import ordered
from lazyarr.backends.native_storage import Buffer, Scalar, Storage, Strided, view
from lazyarr.backends.native_views import window_map
from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

#: Points done side by side: their chains of dependence overlap.
_SIDE_BY_SIDE = 4
#: Nodes in a body that is worth it; each is generated for each of the points side by side.
_MOST_NODES = 150


@dataclass(frozen=True)
class _Array:
    """A carried array in one of its states."""

    slot: int
    version: int


class _Impossible(Exception):
    """The loop cannot be done point by point."""


_SCALAR, _ELEMENT, _CONST = "scalar", "element", "const"


class Points:
    """The proof that a loop's body works point by point, and the order its nodes run in.

    Attributes
    ----------
    shape : tuple of int
        The extents of the axes that the points are on.
    patterns : dict of int to tuple of int
        For each carried array that is written, those of its axes.
    elements : list of int
        Carried values that are of that shape themselves.
    numbers : list of int
        Carried scalars that change; they do not depend on elements.
    """

    def __init__(self, body: Graph, carried: int):
        self.orders: dict[Graph, list[Node]] = {}
        self.patterns: dict[int, tuple[int, ...]] = {}
        self.elements: list[int] = []
        self.numbers: list[int] = []
        self._versions: dict[int, int] = {}
        self._count = 0
        self._nodes = 0
        self.shape = self._points_of(body)
        kinds: dict[Value, Any] = {body.params[0]: _SCALAR}
        for k, param in enumerate(body.params[1:]):
            if k >= carried or body.results[k] == param:
                kinds[param] = _CONST if param.type.shape else _SCALAR
            elif not param.type.shape:
                # Each point goes through the same numbers.
                kinds[param] = _SCALAR
                self.numbers.append(k)
            elif param.type.shape == self.shape:
                kinds[param] = _ELEMENT
                self.elements.append(k)
            else:
                kinds[param] = _Array(k, 0)
                self._versions[k] = 0
        results = self._analyse(body, kinds)
        for k in range(carried):
            if body.results[k] == body.params[1 + k]:
                continue
            if k in self.elements:
                if results[k] not in (_ELEMENT, _CONST):
                    raise _Impossible
            elif k in self.numbers:
                if results[k] != _SCALAR:
                    raise _Impossible
            elif results[k] != _Array(k, self._versions[k]):
                raise _Impossible
        if not self.patterns or any(
            body.params[1 + k].type.ndim - 1 in pattern for k, pattern in self.patterns.items()
        ):
            raise _Impossible

    @staticmethod
    def find(body: Graph, carried: int) -> Points | None:
        """The proof, if there is one."""
        try:
            return Points(body, carried)
        except _Impossible:
            return None

    def _points_of(self, body: Graph) -> tuple[int, ...]:
        """The shape of what is written into an array by one index and whole axes."""
        stack = [body]
        while stack:
            graph = stack.pop()
            for node in graph.nodes:
                stack.extend(node.regions)
                if node.op.name == "put_window":
                    shape = node.operands[1].type.shape
                    if shape and extents.is_static(shape) and 0 not in shape:
                        return tuple(shape)
        raise _Impossible

    def _analyse(self, graph: Graph, kinds: dict[Value, Any]) -> list[Any]:
        order = ordered(graph, Plan(graph))
        self.orders[graph] = order
        self._nodes += len(order)
        if self._nodes > _MOST_NODES:
            raise _Impossible
        for node in order:
            given = [kinds[v] for v in node.operands]
            for value, kind in zip(node.values, self._node(node, given), strict=True):
                kinds[value] = kind
        if any(kinds[check.ok] != _SCALAR for check in graph.checks):
            raise _Impossible
        return [kinds[v] for v in graph.results]

    def _node(self, node: Node, given: list[Any]) -> list[Any]:
        name = node.op.name
        if name == "const":
            return [_SCALAR]
        if name == "full" and node.types[0].shape in ((), self.shape):
            return [_ELEMENT if node.types[0].shape else _SCALAR]
        if name == "window":
            return [self._window(node, given)]
        if name == "put_window":
            return [self._put(node, given)]
        if name == "cond":
            return self._cond(node, given)
        if generated(node):
            return self._pointwise(node, given)
        raise _Impossible

    def _current(self, kind: _Array) -> None:
        if self._versions[kind.slot] != kind.version:
            raise _Impossible

    def _pattern(self, node: Node, kind: _Array) -> None:
        """Check that a window of a carried array is by whole axes and indices, the same ones each time."""
        dims = node.kw["dims"]
        if any(dim[0] not in ("all", "index") for dim in dims):
            raise _Impossible
        axes = tuple(k for k, dim in enumerate(dims) if dim[0] == "all")
        if self.patterns.setdefault(kind.slot, axes) != axes:
            raise _Impossible
        if tuple(node.operands[0].type.shape[a] for a in axes) != self.shape:
            raise _Impossible

    def _window(self, node: Node, given: list[Any]) -> Any:
        if any(kind != _SCALAR for kind in given[1:]):
            raise _Impossible
        shape = node.types[0].shape
        if isinstance(given[0], _Array):
            self._current(given[0])
            self._pattern(node, given[0])
            return _ELEMENT
        if given[0] == _CONST and shape in ((), self.shape):
            return _ELEMENT if shape else _SCALAR
        raise _Impossible

    def _put(self, node: Node, given: list[Any]) -> _Array:
        array, value, rest = given[0], given[1], given[2:]
        if not isinstance(array, _Array) or value not in (_ELEMENT, _CONST) or any(k != _SCALAR for k in rest):
            raise _Impossible
        self._current(array)
        self._pattern(node, array)
        self._count += 1
        self._versions[array.slot] = self._count
        return _Array(array.slot, self._count)

    def _pointwise(self, node: Node, given: list[Any]) -> list[Any]:
        shape = node.types[0].shape
        for kind, operand in zip(given, node.operands, strict=True):
            if isinstance(kind, _Array) or operand.type.shape not in ((), self.shape):
                raise _Impossible
        if shape not in ((), self.shape):
            raise _Impossible
        return [_ELEMENT if shape else _SCALAR] * len(node.types)

    def _cond(self, node: Node, given: list[Any]) -> list[Any]:
        if given[0] != _SCALAR:
            raise _Impossible
        before = dict(self._versions)
        found: list[list[Any]] = []
        written: set[int] = set()
        for name in ("then", "orelse"):
            region = node.kw[name]
            self._versions = dict(before)
            results = self._analyse(region, dict(zip(region.params, given[1:], strict=True)))
            for kind in results:
                if isinstance(kind, _Array):
                    self._current(kind)
            changed = {k for k, v in self._versions.items() if v != before[k]}
            # A write that the branch does not give back would be seen all the same.
            if not changed <= {kind.slot for kind in results if isinstance(kind, _Array)}:
                raise _Impossible
            written |= changed
            found.append(results)
        self._versions = before
        for slot in written:
            self._count += 1
            self._versions[slot] = self._count
        kinds: list[Any] = []
        for type, first, second in zip(node.types, *found, strict=True):
            if isinstance(first, _Array) or isinstance(second, _Array):
                if not (isinstance(first, _Array) and isinstance(second, _Array) and first.slot == second.slot):
                    raise _Impossible
                kinds.append(_Array(first.slot, self._versions[first.slot]))
            elif not type.shape:
                kinds.append(_SCALAR)
            elif type.shape == self.shape:
                kinds.append(_ELEMENT)
            else:
                raise _Impossible
        return kinds


class _Run:
    """The code of one iteration for several points side by side."""

    def __init__(self, frame: Frame, points: Points, at: list[tuple[Index, ...]], failed: str, leave: str):
        self.frame, self.code, self.points, self.at = frame, frame.code, points, at
        self.failed, self.leave = failed, leave

    def graph(self, graph: Graph, values: dict[Value, Any]) -> list[Any]:
        """Elements: a list, one a point; scalars: an `Element`; arrays: a `Storage`."""
        checks: dict[Value, list[Any]] = {}
        for check in graph.checks:
            checks.setdefault(check.ok, []).append(check)
        for param in graph.params:
            for check in checks.get(param, ()):
                self._check(check, values[param])
        for node in self.points.orders[graph]:
            given = [values[v] for v in node.operands]
            for value, found in zip(node.values, self._node(node, given), strict=True):
                values[value] = found
                for check in checks.get(value, ()):
                    self._check(check, found)
        return [values[v] for v in graph.results]

    def _check(self, check: Any, ok: Element) -> None:
        code, lowering = self.code, self.frame.lowering
        lowering.checks.append(check)
        if ok[0] == "true":
            return
        good, bad = code.new_label(), code.new_label()
        code.branch(ok[0], good, bad)
        code.start(bad)
        code.do(f"store i32 {len(lowering.checks)}, ptr {self.failed}")
        code.go(self.leave)
        code.start(good)

    def elements(self, value: Any) -> list[Element]:
        """A value at each of the points."""
        if isinstance(value, Storage):
            return [value.element(self.code, at, {}) for at in self.at]
        return value if isinstance(value, list) else [value] * len(self.at)

    def _node(self, node: Node, given: list[Any]) -> list[Any]:
        name, code = node.op.name, self.code
        if name == "const":
            value = node.kw["value"]
            return [literal(value.value, value.dtype)]
        if name == "full":
            return [self.elements(given[0]) if node.types[0].shape else given[0]]
        if name in ("window", "put_window"):
            put = name == "put_window"
            array, scalars = given[0], given[2 if put else 1 :]
            starts = [Scalar(np.dtype("i8"), s) for s in scalars]
            map = window_map(code, array, node.kw["dims"], starts)
            shape = node.operands[1].type.shape if put else node.types[0].shape
            box = view(code, array, map, shape, tuple(int(n) for n in shape))
            if put:
                assert isinstance(box, Strided)
                for at, element in zip(self.at, self.elements(given[1]), strict=True):
                    box.put(code, at, element)
                return [array]
            return [self.elements(box) if shape else box.element(code, (), {})]
        if name == "cond":
            return self._cond(node, given)
        generate = native_scalar.generator(node)
        assert generate is not None
        if not node.types[0].shape:
            return list(generate(code, [g.element(code, (), {}) if isinstance(g, Storage) else g for g in given]))
        spread = [self.elements(g) if v.type.shape else [g] * len(self.at)
                  for g, v in zip(given, node.operands, strict=True)]  # fmt: skip
        found = [generate(code, [operand[p] for operand in spread]) for p in range(len(self.at))]
        return [[results[k] for results in found] for k in range(len(node.types))]

    def _cond(self, node: Node, given: list[Any]) -> list[Any]:
        code = self.code
        yes, no, end = (code.new_label() for _ in range(3))
        code.branch(given[0][0], yes, no)
        kept: list[Any] = [None] * len(node.types)
        for label, name in ((yes, "then"), (no, "orelse")):
            region = node.kw[name]
            code.start(label)
            with code.scope():
                results = self.graph(region, dict(zip(region.params, given[1:], strict=True)))
                for k, (type, value) in enumerate(zip(node.types, results, strict=True)):
                    if isinstance(value, Storage) and type.shape != self.points.shape:
                        kept[k] = value
                        continue
                    now = self.elements(value) if type.shape else [value]
                    if kept[k] is None:
                        kept[k] = [[code.alloca(register(type.dtype)) for _ in x] for x in now]
                    for slots, x in zip(kept[k], now, strict=True):
                        nests.assign(code, type.dtype, slots, x)
            code.go(end)
        code.start(end)
        found: list[Any] = []
        for type, value in zip(node.types, kept, strict=True):
            if isinstance(value, Storage):
                found.append(value)
            else:
                now = [nests.read(code, type.dtype, slots) for slots in value]
                found.append(now if type.shape else now[0])
        return found


def run(frame: Frame, points: Points, body: Graph, bounds: tuple[Index, Index, int], arrays: dict[int, Strided],
        numbers: dict[int, list[str]], given: list[Storage]) -> None:  # fmt: skip
    """Run a loop point by point.

    Parameters
    ----------
    frame : Frame
    points : Points
    body : Graph
    bounds : (start, stop, step)
    arrays : dict of int to Strided
        The carried arrays that change, in memory of their own.
    numbers : dict of int to list of str
        The stack slots of the carried scalars that change.
    given : list of Storage
        Carried values and constants.
    """
    code = frame.code
    failed = code.alloca("i32")
    code.do(f"store i32 0, ptr {failed}")
    shape = points.shape
    buffers: list[Buffer] = []
    for storage in (*given, *arrays.values()):
        buffers += storage.buffers
    begin = {k: given[k].element(code, (), {}) for k in numbers}

    def several(outer: tuple[Index, ...], first: Index, many: int) -> None:
        at = [(*outer, code.add(first, p)) for p in range(many)]
        leave = code.new_label()
        one = _Run(frame, points, at, failed, leave)
        kept: dict[int, list[list[str]]] = {}
        for k in points.elements:
            kept[k] = [nests.variable(code, arrays[k].dtype, x) for x in one.elements(arrays[k])]
        own = {k: nests.variable(code, given[k].dtype, value) for k, value in begin.items()}
        with code.loop(*bounds) as index:
            values: dict[Value, Any] = {body.params[0]: (str(index),)}
            for k, param in enumerate(body.params[1:]):
                if k in kept:
                    values[param] = [nests.read(code, param.type.dtype, slots) for slots in kept[k]]
                elif k in arrays:
                    values[param] = arrays[k]
                elif k in own:
                    values[param] = nests.read(code, param.type.dtype, own[k])
                else:
                    x = given[k]
                    values[param] = x if x.shape else x.element(code, (), {})
            results = one.graph(body, values)
            for k in kept:
                for slots, new in zip(kept[k], one.elements(results[k]), strict=True):
                    nests.assign(code, arrays[k].dtype, slots, new)
            for k, slots in own.items():
                nests.assign(code, given[k].dtype, slots, results[k])
        for k in kept:
            for place, slots in zip(at, kept[k], strict=True):
                arrays[k].put(code, place, nests.read(code, arrays[k].dtype, slots))
        for k, slots in own.items():
            # Every point ends with the same value.
            nests.assign(code, given[k].dtype, numbers[k], nests.read(code, given[k].dtype, slots))
        code.go(leave)
        code.start(leave)

    def row(outer: tuple[Index, ...]) -> None:
        n = shape[-1]
        whole = n - n % _SIDE_BY_SIDE
        if whole:
            with code.loop(0, whole, _SIDE_BY_SIDE) as first:
                several(outer, first, _SIDE_BY_SIDE)
        if whole != n:
            with code.loop(whole, n) as first:
                several(outer, first, 1)

    work = float(np.prod(shape)) * expected_trips(bounds) * len(body.nodes) * 0.3
    blocks = shape[0] // _SIDE_BY_SIDE
    share = work > nests.WORTH and native_threads.threads() > 1
    with code.statement():
        if len(shape) == 1 and share and blocks >= nests.FEW:
            for buffer in dict.fromkeys(buffers):
                code.pointer(buffer)
            with code.shared(blocks, None) as block:
                several((), code.mul(block, _SIDE_BY_SIDE), _SIDE_BY_SIDE)
            with code.loop(blocks * _SIDE_BY_SIDE, shape[0]) as last:
                several((), last, 1)
        elif len(shape) > 1 and share and shape[0] >= nests.FEW:
            for buffer in dict.fromkeys(buffers):
                code.pointer(buffer)
            with code.shared(shape[0], None) as outermost, nests.nest(code, shape[1:-1]) as rest:
                row((outermost, *rest))
        else:
            with nests.nest(code, shape[:-1]) as outer:
                row(outer)
    if any(graph.checks for graph in points.orders):
        outcome = code.emit(f"load i32, ptr {failed}")
        good, bad = code.new_label(), code.new_label()
        code.branch(code.emit(f"icmp eq i32 {outcome}, 0"), good, bad)
        code.start(bad)
        frame.lowering.end(outcome)
        code.start(good)

