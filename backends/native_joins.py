"""Which products of a matrix with vectors are one pass over it: with what computes the matrix, or with each other.

``a += np.outer(u, v); y = x @ a`` reads the matrix once, and so does ``q = a @ p; s = a.T @ r``. Found here is what
belongs together; the pass itself is `native_rows`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazyarr.backends import native_groups, native_rows
from lazyarr.backends import native_nests as nests
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
    def needs(self) -> list[Value]:
        """The vectors."""
        return [p.vector for p in self.products]

    @property
    def members(self) -> list[Node]:
        """The products."""
        return [p.node for p in self.products]


def find(graph: Graph, computed: set[Value], fixed: set[str], kept: Mapping[Node, native_groups.Group]
         ) -> dict[Node, Join]:  # fmt: skip
    """The passes of a graph, by the node that begins each.

    `computed` are matrices made element by element that are stored when their node is lowered. What is named in `fixed`
    is not done earlier than it stands. `kept` are other things that are done together.
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
        behind = native_groups.dependent(graph.nodes, first)
        able: list[Product] = []
        for p in members:
            vector = p.vector.node
            if p.node is first or vector not in behind and native_groups.may_come(vector, place, first, fixed):
                able.append(p)
                behind |= native_groups.dependent(graph.nodes, p.node)
        if len(able) > (first is members[0].node):
            joins[first] = Join(matrix, tuple(able))
    return native_groups.apart(joins, graph.nodes, kept)


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
