"""products: many small products made as one.

Of a stack of matrices with one (``A.reshape(r, q, 1, p) @ C``) NumPy makes one product each; their rows below each
other are one matrix, and its product with `C` is one call of BLAS.

Products that a loop makes of arrays it only reads are made for several iterations at a time.

``for i in range(m): out[i, i:] = data[:, i] @ data[:, i:]`` reads most of the array in each iteration. Products with 32
columns at a time read it once for all of them: a loop over blocks of iterations makes one product of two matrices, and
the loop over the iterations of a block takes from that what is theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.extents import Length
from lazyarr.ir.graph import Check, Graph, Line, Program, depth_first, param
from lazyarr.ir.node import Node, Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import Context, Replacement, live_origins, rewrite
from lazyarr.ir.types import ArrayType
from lazyarr.ops.control import runs_by_data
from lazyarr.ops.create import const
from lazyarr.ops.linalg import MATMUL
from lazyarr.ops.loops import LOOP
from lazyarr.ops.shape import TRANSPOSE
from lazyarr.ops.window import WINDOW
from lazyarr.passes.base import Pass
from lazyarr.passes.build import reshape, static

_I64 = np.dtype(np.int64)
_ADD, _SUBTRACT, _MINIMUM = map(lookup, ("add", "subtract", "minimum"))
_COLUMN, _ALL, _RIGHT = (("all",), ("index",)), (("all",), ("all",)), (("all",), ("slice", 1))
#: Types of which BLAS makes products, and multiplications from which on a call of it is worth it.
_OF_BLAS = frozenset(map(np.dtype, (np.float32, np.float64, np.complex64, np.complex128)))
_MUCH = 24**3
#: Rows of matrices that are worth it: 60 products of 60 rows each took as long as one of 3,600 rows, 3,600 of one row
#: 1.7 times as long.
_FEW_ROWS = 8
#: Iterations of a block.
_BLOCK = 32
#: Elements of an array that is worth it: of less than this the cache has it all the time.
_LARGE = 1 << 15
#: Elements that the products of a block may need memory for: their number is known at run time only.
_MOST = 1 << 22


@dataclass(frozen=True)
class Products(Pass):
    """Make one product of those of a stack of matrices with one, and of several iterations of a loop."""

    name: ClassVar[str] = "products"

    def run(self, program: Program) -> Program:
        # Where data ends a loop, products have the bits of NumPy's own, one by one.
        if runs_by_data(program.graph):
            return program
        program = rewrite(program, {MATMUL.name: [_stacked]})
        if not any(list(node.regions) for node in program.graph.nodes):
            return program
        origins: dict[Node, frozenset[Line]] = dict(program.origins)
        graph = _graph(program.graph, origins)
        return Program(graph, live_origins(graph, origins))


def _stacked(node: Node, context: Context) -> Replacement:
    """The products of a stack of matrices with one matrix, or vector: one product of all their rows."""
    a, b = node.operands
    if a.type.ndim < 3 or b.type.ndim > 2 or not static(a, b) or a.type.dtype not in _OF_BLAS:
        return None
    inner, work = a.type.shape[-1], a.type.size * b.type.size
    if inner == 0 or work // inner < _MUCH or a.type.shape[-2] > _FEW_ROWS:
        return None
    rows = reshape(a, (a.type.size // inner, inner))
    return reshape(apply(MATMUL, rows, b), node.types[0].shape)


def _graph(graph: Graph, origins: dict[Node, frozenset[Line]]) -> Graph:
    """A graph whose loops make their products by blocks."""
    new: dict[Value, Value] = {p: p for p in graph.params}
    order: list[Node] = []
    seen: set[Node] = set()
    for node in graph.nodes:
        attrs = tuple((k, _graph(v, origins) if isinstance(v, Graph) else v) for k, v in node.attrs)
        made = make(node.op, tuple(new[v] for v in node.operands), attrs)
        if node.op is LOOP:
            made = _blocked(made, origins.get(node, frozenset()), origins)
        order += depth_first(made.values[:1], seen)
        new.update(zip(node.values, made.values, strict=True))
        if node in origins:
            origins[made] = origins.get(made, frozenset()) | origins[node]
    checks = [Check(new[c.ok], c.exception, c.message) for c in graph.checks]
    return Graph(graph.params, [new[v] for v in graph.results], checks, order)


def _blocked(node: Node, lines: frozenset[Line], origins: dict[Node, frozenset[Line]]) -> Node:
    """A loop whose first product that allows it is made by blocks; itself if there is none."""
    body: Graph = node.kw["body"]
    step = node.operands[2].node
    # (What a check protects must not come before it.)
    if body.checks or node.kw["until"] >= 0 or step.op.name != "const" or int(step.kw["value"].value) != 1:
        return node
    carried = node.kw["carried"]
    fixed = {p for k, p in enumerate(body.params[1:]) if k >= carried or body.results[k] == p}
    product = next((n for n in body.nodes if _fits(n, body, fixed)), None)
    if product is None:
        return node
    outer = _outer(node, product)
    for made in (*outer.nodes, *outer.nodes[-1].kw["body"].nodes):
        origins.setdefault(made, lines)
    start, stop, _, *rest = node.operands
    attrs = {**node.kw, "body": outer}
    return make(LOOP, (start, stop, const(_BLOCK, _I64), *rest, stop), tuple(sorted(attrs.items())))


def _fits(node: Node, body: Graph, fixed: set[Value]) -> bool:
    """Whether a product is of a column that the index takes with all columns, or those from the index on."""
    if node.op is not MATMUL or node.types[0].dtype not in (np.float32, np.float64):
        return False
    (column, columns), index = node.operands, body.params[0]
    taken = column.node
    if column.type.ndim != 1 or columns.type.ndim != 2 or taken.op is not WINDOW or taken.kw["dims"] != _COLUMN:
        return False
    if taken.operands[0] not in fixed or taken.operands[1] != index:
        return False
    if np.prod([extents.bound(n) for n in columns.type.shape], dtype=object) < _LARGE:
        return False
    if extents.bound(taken.operands[0].type.shape[1]) * extents.bound(columns.type.shape[1]) > _MOST:
        return False
    if not isinstance(columns.type.shape[0], int) or columns.type.shape[0] != taken.operands[0].type.shape[0]:
        return False
    if columns in fixed:
        return isinstance(columns.type.shape[1], int)
    right = columns.node
    if right.op is not WINDOW or right.kw["dims"] != _RIGHT or right.operands[0] not in fixed:
        return False
    first, length = right.operands[1:]
    # The same end in all iterations: what a later one takes is part of what the first one of a block does.
    return first == index and length.node.op is _SUBTRACT and length.node.operands[1] == index and (
        length.node.operands[0] in fixed or length.node.operands[0].node.op.name == "const"
    )


def _outer(node: Node, product: Node) -> Graph:
    """The body of the loop over blocks: one product, and the loop over the iterations of a block."""
    body: Graph = node.kw["body"]
    column, columns = product.operands
    first = body.params[0]
    stop = param(len(body.params), first.type)
    count = apply(_MINIMUM, apply(_SUBTRACT, stop, first), const(_BLOCK, _I64))
    block = apply(WINDOW, column.node.operands[0], first, count, dims=_RIGHT)
    # (The index of this graph is the same parameter as that of the body: `columns` are those of the first iteration.)
    both = apply(MATMUL, apply(TRANSPOSE, block, axes=(1, 0)), columns)
    extra = [both, first, *extents.lengths(both.type.shape)]
    inner = _inner(body, product, extra)
    operands = (first, apply(_ADD, first, count), const(1, _I64), *body.params[1:], *extra)
    loop = make(LOOP, operands, tuple(sorted({**node.kw, "body": inner}.items())))
    return Graph((*body.params, stop), loop.values)


def _inner(body: Graph, product: Node, extra: list[Value]) -> Graph:
    """The body of the loop over a block: the old one, but that it takes its product from that of the block."""
    index, columns = body.params[0], product.operands[1]
    at = len(body.params)
    lengths = [param(at + 2 + k, v.type) for k, v in enumerate(extra[2:])]
    shape, given = [], iter(lengths)
    for n in extra[0].type.shape:
        shape.append(Length(next(given), n.bound) if isinstance(n, Length) else n)
    both = param(at, ArrayType(extra[0].type.dtype, tuple(shape)))
    first = param(at + 1, index.type)
    row = apply(_SUBTRACT, index, first)
    if columns in body.params:
        found = apply(WINDOW, both, row, dims=(("index",), ("all",)))
    else:
        found = apply(WINDOW, both, row, row, columns.node.operands[2], dims=(("index",), ("slice", 1)))
    new: dict[Value, Value] = {p: p for p in body.params}
    order: list[Node] = []
    seen: set[Node] = set()
    for node in body.nodes:
        made = found.node if node is product else make(node.op, tuple(new[v] for v in node.operands), node.attrs)
        order += depth_first(made.values[:1], seen)
        new.update(zip(node.values, made.values, strict=True))
    checks = [Check(new[c.ok], c.exception, c.message) for c in body.checks]
    return Graph((*body.params, both, first, *lengths), [new[v] for v in body.results], checks, order)
