"""Which products of a matrix with vectors are one pass over it: with what computes the matrix, or with each other.

``a += np.outer(u, v); y = x @ a`` reads the matrix once, and so does ``q = a @ p; s = a.T @ r``. Found here is what
belongs together; the pass itself is `native_rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazyarr.backends import native_nests as nests
from lazyarr.backends import native_rows
from lazyarr.backends.native_patched import boxes
from lazyarr.backends.native_storage import Along, Storage, Strided, view
from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

if TYPE_CHECKING:
    from lazyarr.backends.native_emit import Code
    from lazyarr.backends.native_frame import Frame

#: Elements of a matrix from which on it is worth while: smaller ones stay in the first cache.
_FEW = 2048
#: Parts of a matrix that threads add up apart, for products from the left beside some from the right.
_PARTS = 8


@dataclass(frozen=True)
class Product:
    """``matrix @ vector``, or from the left ``vector @ matrix``."""

    node: Node
    vector: Value
    left: bool


@dataclass(frozen=True)
class Join:
    """Products that are made when the matrix is computed, or else the first of them is made."""

    matrix: Value
    products: tuple[Product, ...]

    @property
    def vectors(self) -> list[Value]:
        return [p.vector for p in self.products]


def find(graph: Graph, computed: set[Value], fixed: set[str]) -> dict[Node, Join]:
    """The passes of a graph, by the node that begins each.

    `computed` are matrices made element by element that are stored when their node is lowered. What is named in `fixed`
    is not done earlier than it stands.
    """
    place = {node: k for k, node in enumerate(graph.nodes)}
    products: dict[Value, list[Product]] = {}
    for node in graph.nodes:
        found = _product(node)
        if found is not None:
            products.setdefault(found[0], []).append(found[1])
    joins: dict[Node, Join] = {}
    for matrix, members in products.items():
        first = matrix.node if matrix in computed else members[0].node
        if first is members[0].node and len(members) < 2:
            continue
        behind = _dependent(graph.nodes, first)
        able: list[Product] = []
        for p in members:
            if p.node is first or p.vector.node not in behind and _may_come(p.vector.node, place, first, fixed):
                able.append(p)
                behind |= _dependent(graph.nodes, p.node)
        if len(able) > (first is members[0].node):
            joins[first] = Join(matrix, tuple(able))
    return _apart(joins, graph.nodes)


def _product(node: Node) -> tuple[Value, Product] | None:
    """The matrix that a product with a vector multiplies, and the product."""
    if node.op.name != "matmul" or sorted(v.type.ndim for v in node.operands) != [1, 2]:
        return None
    a, b = node.operands
    left = a.type.ndim == 1
    matrix, vector = (b, a) if left else (a, b)
    if matrix.node.op.name == "transpose" and matrix.node.kw["axes"] == (1, 0):
        matrix, left = matrix.node.operands[0], not left
    shape = matrix.type.shape
    if matrix.type.dtype.kind not in "fc" or matrix.type.dtype.itemsize == 2 or not extents.is_static(shape):
        return None
    if int(shape[0]) * int(shape[1]) < _FEW:
        return None
    return matrix, Product(node, vector, left)


def _dependent(nodes: Sequence[Node], first: Node) -> set[Node]:
    """The nodes that need `first`, itself among them; `nodes` are in order."""
    found = {first}
    for node in nodes:
        if any(v.node in found for v in node.operands):
            found.add(node)
    return found


def _may_come(node: Node, place: dict[Node, int], first: Node, fixed: set[str]) -> bool:
    """Whether a node, and what it needs, may be done before `first`."""
    pending, seen = [node], {node}
    while pending:
        one = pending.pop()
        if place.get(one, -1) < place.get(first, -1):
            continue
        if one.op.name in fixed:
            return False
        new = {v.node for v in one.operands} - seen
        seen |= new
        pending.extend(new)
    return True


def _apart(joins: dict[Node, Join], nodes: Sequence[Node]) -> dict[Node, Join]:
    """Those of several passes that can be put in an order one after the other."""
    found: dict[Node, Join] = {}
    for first, join in joins.items():
        found[first] = join
        try:
            together(nodes, found)
        except _Circle:
            del found[first]
    return found


class _Circle(Exception):
    """Two passes would have to come before each other."""


def needed(node: Node, joins: dict[Node, Join]) -> list[Node]:
    """What comes before a node: its operands, and the vectors that a pass needs."""
    join = joins.get(node)
    return [v.node for v in (*node.operands, *(join.vectors if join else ()))]


def together(nodes: Sequence[Node], joins: dict[Node, Join]) -> list[Node]:
    """The nodes in an order in which the vectors of each pass are known when it begins."""
    inside, order = set(nodes), dict[Node, None]()
    # (The first of several products comes first.)
    begins = {p.node: first for first, join in joins.items() for p in join.products if p.node is not first}
    for start in nodes:
        stack, open = [start], set[Node]()
        while stack:
            node = stack[-1]
            before = needed(node, joins) + ([begins[node]] if node in begins else [])
            missing = [n for n in before if n in inside and n not in order]
            if node in order or not missing:
                stack.pop()
                open.discard(node)
                order[node] = None
                continue
            if node in open and any(n in open for n in missing):
                raise _Circle
            open.add(node)
            stack.extend(missing)
    return list(order)


def make(frame: Frame, join: Join, matrix: Storage, target: Strided | None, given: dict[Value, Storage]) -> None:
    """The products of a pass, into `frame.selected`; with a `target`, the elements of the matrix too."""
    c = frame.code
    sides: dict[bool, list[native_rows.Product]] = {False: [], True: []}
    flip = target is None and isinstance(matrix, Strided) and matrix.strides[1] != 1
    if flip:
        assert isinstance(matrix, Strided)
        matrix = turned(c, matrix)
    for product in join.products:
        x = frame.stored(given[product.vector] if product.vector in given else frame.values[product.vector])
        frame.working.append(x)
        shape, bounds = frame.shape(product.node.types[0])
        y = frame.lowering.allocate(product.node.types[0].dtype, shape, bounds)
        frame.selected[product.node.values[0]] = y
        sides[product.left is not flip].append((x, y))
    left, right = sides[True], sides[False]
    parts: list[Strided] = []
    if left and right and matrix.bounds[0] * matrix.bounds[1] * nests.work(matrix) >= nests.WORTH:
        for _, y in left:
            parts.append(frame.lowering.allocate(y.dtype, (_PARTS, *y.shape), (_PARTS, *y.bounds)))
            frame.working.append(parts[-1])
    native_rows.apply(c, matrix, target, left, right, parts)


def turned(c: Code, matrix: Strided) -> Strided:
    """A matrix with its axes exchanged."""
    found = view(c, matrix, (Along(0, 1, 1), Along(0, 0, 1)), matrix.shape[::-1], matrix.bounds[::-1])
    assert isinstance(found, Strided)
    return found


def smooth(matrix: Storage) -> bool:
    """Whether the elements of a formula are all made in one way: a pass over it needs no cases."""
    from lazyarr.backends import native_modulus

    return boxes(matrix, matrix.shape) is None and not native_modulus.has_comparison(matrix)
