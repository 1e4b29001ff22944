"""Sums and products of matrices whose bits do not depend on how operands are split (`Settings.reproducible`).

What is added up stands in a tree that the indices alone decide (`lazyarr.ops.pairwise`). Its leaves are short sums of
NumPy's, always of the same indices in contiguous memory, or products of matrices in tiles of one size, so that neither
the rest of a rank's part nor where it begins can change how BLAS adds up a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.access import WHOLE, Along, OperandAccess, opaque
from lazyarr.ir.layout import Ranges
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import OPS, Cost, Op, Sample, Types
from lazyarr.ir.types import ArrayType
from lazyarr.ops import lapack, reduce, sort  # noqa: F401  what is not split in the end
from lazyarr.ops.across import ACROSS
from lazyarr.ops.linalg import MATMUL, batch_access
from lazyarr.ops.order import UNSPLIT
from lazyarr.ops.pairwise import highest, in_leaves, leaves, node, nodes_of_rows, root
from lazyarr.ops.shape import Parts, Place, Places, require_arrays, require_axis

Array = np.ndarray[Any, Any]


def _require_inexact(name: str, *types: ArrayType) -> None:
    require_arrays(name, *types)
    if any(t.dtype.kind not in "fc" or t.dtype != types[0].dtype for t in types):
        raise TypeError(f"{name} takes floats or complex numbers of one dtype, got {', '.join(map(str, types))}")


def _count(first: int, length: int, extent: int, leaf: int) -> int:
    return len(highest(*in_leaves((first, first + length), leaf), leaves(extent, leaf)))


# --- reductions ------------------------------------------------------------------------------------------


def _infer_reduce(x: ArrayType, *, kind: str, axis: int, leaf: int) -> ArrayType:
    _require_inexact("ordered_reduce", x)
    require_axis("ordered_reduce", axis, x.ndim)
    return x.with_shape((*x.shape[:axis], *x.shape[axis + 1 :]))


def _infer_nodes(x: ArrayType, *, kind: str, axis: int, leaf: int, first: int, extent: int) -> ArrayType:
    rest = _infer_reduce(x, kind=kind, axis=axis, leaf=leaf)
    return rest.with_shape((_count(first, x.shape[axis], extent, leaf), *rest.shape))


def _in_leaves(x: Array, combine: np.ufunc, axis: int, leaf: int) -> Array:
    """The leaves of an axis, along the first one."""
    if leaf == 1:
        return np.moveaxis(x, axis, 0)
    x = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    whole = x.shape[-1] // leaf
    found = np.empty((*x.shape[:-1], leaves(x.shape[-1], leaf)), x.dtype)
    cut = x[..., : whole * leaf].reshape(*x.shape[:-1], whole, leaf)
    combine.reduce(cut, axis=-1, dtype=x.dtype, out=found[..., :whole])
    if whole * leaf < x.shape[-1]:
        found[..., whole] = combine.reduce(x[..., whole * leaf :], axis=-1, dtype=x.dtype)
    return np.moveaxis(found, -1, 0)


def _nodes(xp: Any, x: Array, *, kind: str, axis: int, leaf: int, first: int, extent: int) -> Array:
    combine: np.ufunc = getattr(np, kind)
    rows = _in_leaves(np.asarray(x), combine, axis, leaf)
    found = nodes_of_rows(rows, first // leaf, leaves(extent, leaf), combine)
    return np.stack(found) if found else np.empty((0, *rows.shape[1:]), rows.dtype)


def _reduce(xp: Any, x: Array, *, kind: str, axis: int, leaf: int) -> Array:
    extent = np.shape(x)[axis]
    if extent == 0:
        return np.asarray(getattr(np, kind).reduce(x, axis=axis, dtype=x.dtype))
    return np.asarray(_nodes(xp, x, kind=kind, axis=axis, leaf=leaf, first=0, extent=extent)[0])


def _access_reduce(x: ArrayType, *, axis: int, **attrs: Any) -> tuple[OperandAccess, ...]:
    return (tuple(WHOLE if k == axis else Along(k - (k > axis)) for k in range(x.ndim)),)


def _access_nodes(x: ArrayType, *, axis: int, **attrs: Any) -> tuple[OperandAccess, ...]:
    return (tuple(WHOLE if k == axis else Along(k + 1 - (k > axis)) for k in range(x.ndim)),)


_CASES = [("3,4", 1, 1), ("3,4", 0, 1), ("19", 0, 4), ("5,3,2", 1, 1), ("37,2", 0, 4), ("2,21", 1, 8)]


def _samples_reduce() -> Iterator[Sample]:
    for shape, axis, leaf in _CASES:
        for kind in ("add", "multiply", "maximum"):
            yield Sample((f"f64[{shape}]",), {"kind": kind, "axis": axis, "leaf": leaf})
    for name in ("f32", "c64", "c128"):
        yield Sample((f"{name}[19,3]",), {"kind": "add", "axis": 0, "leaf": 4})


def _samples_nodes() -> Iterator[Sample]:
    for shape, axis, leaf in _CASES:
        yield Sample((f"f64[{shape}]",), {"kind": "add", "axis": axis, "leaf": leaf, "first": 2 * leaf, "extent": 999})


#: A reduction of one axis.
ORDERED_REDUCE = Op(
    name="ordered_reduce",
    numpy="numpy.<kind>.reduce(x, axis), in an order of its own",
    infer=_infer_reduce,
    evaluate=_reduce,
    jax=None,
    access=_access_reduce,
    pointwise=False,
    memory="fresh",
    cost=lambda x, **attrs: Cost(x.size, x.nbytes),
    backends=("native", "numpy"),
    samples=_samples_reduce,
    part="same",
    across=ACROSS["ordered_reduce"],
)

#: What a part of the axis gives, from index `first` on: the highest nodes of the tree that lie in it whole.
ORDERED_NODES = Op(
    name="ordered_nodes",
    numpy="numpy.<kind>.reduce(x[a:b], axis) for some a and b",
    infer=_infer_nodes,
    evaluate=_nodes,
    jax=None,
    access=_access_nodes,
    pointwise=False,
    memory="fresh",
    cost=lambda x, **attrs: Cost(x.size, x.nbytes),
    backends=("native", "numpy"),
    samples=_samples_nodes,
)


def _infer_root(x: ArrayType, *, kind: str, leaf: int, parts: Ranges, extent: int) -> ArrayType:
    _require_inexact("ordered_root", x)
    if x.shape[0] != sum(_count(a, b - a, extent, leaf) for a, b in parts):
        raise ValueError(f"ordered_root takes the nodes of all parts, got {x}, {parts}")
    return x.with_shape(x.shape[1:])


def _root(xp: Any, x: Array, *, kind: str, leaf: int, parts: Ranges, extent: int) -> Array:
    count = leaves(extent, leaf)
    nodes = [which for part in parts for which in highest(*in_leaves(part, leaf), count)]
    return np.array(root(nodes, list(x), count, getattr(np, kind)))


def _access_root(x: ArrayType, **attrs: Any) -> tuple[OperandAccess, ...]:
    return ((WHOLE, *(Along(k) for k in range(x.ndim - 1))),)


def _samples_root() -> Iterator[Sample]:
    parts = ((0, 8), (8, 20), (20, 37))
    for name in ("f64", "c64"):
        count = sum(_count(a, b - a, 37, 4) for a, b in parts)
        yield Sample((f"{name}[{count},3]",), {"kind": "add", "leaf": 4, "parts": parts, "extent": 37})


#: The reduction of all of an axis, of the nodes of all its parts.
ORDERED_ROOT = Op(
    name="ordered_root",
    numpy="numpy.<kind>.reduce(x, 0), in an order of its own",
    infer=_infer_root,
    evaluate=_root,
    jax=None,
    access=_access_root,
    pointwise=False,
    memory="fresh",
    cost=lambda x, **attrs: Cost(x.size, x.nbytes),
    backends=("native", "numpy"),
    samples=_samples_root,
)

# --- products of matrices --------------------------------------------------------------------------------


def _infer_matmul(a: ArrayType, b: ArrayType, *, leaf: int, tile: int, corner: tuple[int, int]) -> ArrayType:
    _require_inexact("ordered_matmul", a, b)
    if a.ndim < 2 or b.ndim < 2:
        raise ValueError(f"ordered_matmul takes matrices, got {a} and {b}")
    found = MATMUL.infer(a, b)
    assert isinstance(found, ArrayType)
    return found


def _infer_products(a: ArrayType, b: ArrayType, *, first: int, extent: int, leaf: int, **attrs: Any) -> ArrayType:
    found = _infer_matmul(a, b, leaf=leaf, **attrs)
    return found.with_shape((_count(first, a.shape[-1], extent, leaf), *found.shape))


def _tiled(x: Array, tile: tuple[int, int], corner: tuple[int, int]) -> Array:
    """``(..., m, n)`` as ``(..., down, right, *tile)``, contiguous; `x` begins at a corner, beside it are zeros."""
    counts = [leaves(c + n, t) for c, n, t in zip(corner, x.shape[-2:], tile, strict=True)]
    wide = np.zeros((*x.shape[:-2], counts[0] * tile[0], counts[1] * tile[1]), x.dtype)
    wide[..., corner[0] : corner[0] + x.shape[-2], corner[1] : corner[1] + x.shape[-1]] = x
    cut = wide.reshape(*x.shape[:-2], counts[0], tile[0], counts[1], tile[1])
    return np.array(np.moveaxis(cut, -3, -2), order="C")


def _tile_product(a: Array, b: Array, tile: int, corner: tuple[int, int]) -> Array:
    inner = a.shape[-1]
    left, right = _tiled(a, (tile, inner), (corner[0], 0)), _tiled(b, (inner, tile), (0, corner[1]))
    found = np.moveaxis(np.matmul(left, right), -3, -2)
    wide = found.reshape(*found.shape[:-4], found.shape[-4] * tile, found.shape[-2] * tile)
    return np.asarray(wide[..., corner[0] : corner[0] + a.shape[-2], corner[1] : corner[1] + b.shape[-1]])


def _products(
    xp: Any, a: Array, b: Array, *, leaf: int, tile: int, corner: tuple[int, int], first: int, extent: int
) -> Array:
    count = leaves(extent, leaf)

    def make(level: int, number: int) -> Array:
        at = slice(number * leaf - first, (number + 1) * leaf - first)
        return _tile_product(a[..., at], b[..., at, :], tile, corner)

    which = highest(*in_leaves((first, first + a.shape[-1]), leaf), count)
    shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
    found = np.empty((len(which), *shape), a.dtype)
    for k, one in enumerate(which):
        found[k] = node(one, count, np.add, make)
    return found


def _matmul(xp: Any, a: Array, b: Array, **attrs: Any) -> Array:
    if 0 in a.shape or 0 in b.shape:
        return np.asarray(np.matmul(a, b))
    return np.asarray(_products(xp, np.asarray(a), np.asarray(b), first=0, extent=a.shape[-1], **attrs)[0])


def _access_matmul(a: ArrayType, b: ArrayType, **attrs: Any) -> tuple[OperandAccess, ...]:
    batch = extents.broadcast(a.shape[:-2], b.shape[:-2])
    return (
        (*batch_access(a.shape[:-2], batch), Along(len(batch)), WHOLE),
        (*batch_access(b.shape[:-2], batch), WHOLE, Along(len(batch) + 1)),
    )


def _part_matmul(
    operands: Parts, given: Places, wanted: Place, whole: Types, *, leaf: int, tile: int, corner: tuple[int, int]
) -> Value:
    at = (wanted[-2][0] % tile, wanted[-1][0] % tile)
    return apply(ORDERED_MATMUL, *operands, leaf=leaf, tile=tile, corner=at)


def _samples_matmul(more: dict[str, Any]) -> Iterator[Sample]:
    for a, b in [("5,19", "19,3"), ("2,5,19", "19,3"), ("1,19", "4,19,7"), ("9,3", "3,1")]:
        for name in ("f64", "c64"):
            attrs = {"leaf": 8, "tile": 4, "corner": (0, 0), **more}
            yield Sample((f"{name}[{a}]", f"{name}[{b}]"), attrs)


def _product(name: str, infer: Callable[..., ArrayType], evaluate: Callable[..., Any], more: dict[str, Any]) -> Op:
    return Op(
        name=name,
        numpy="numpy.matmul(a, b), in an order of its own",
        infer=infer,
        evaluate=evaluate,
        jax=None,
        access=_access_matmul if not more else lambda a, b, **attrs: opaque(a.shape, b.shape),
        pointwise=False,
        memory="fresh",
        cost=lambda a, b, **attrs: MATMUL.cost(a, b),
        backends=("native", "numpy"),
        samples=partial(_samples_matmul, more),
        part=None if more else _part_matmul,
        across=None if more else ACROSS["ordered_matmul"],
    )


#: A product of matrices.
ORDERED_MATMUL = _product("ordered_matmul", _infer_matmul, _matmul, {})
#: Of columns of `a` and rows of `b` from `first` on: the highest nodes of the tree that lie in them whole.
ORDERED_PRODUCTS = _product(
    "ordered_products", _infer_products, _products, {"first": 8, "extent": 999, "corner": (3, 1)}
)

#: Writes that are not put together of what several ranks have added up.
ORDERED_SCATTER = replace(OPS["scatter"], name="ordered_scatter", across=ACROSS["ordered_scatter"], ordered=None)

#: What every rank does with all of its operands.
UNSPLIT_OPS = [
    replace(OPS[name], name=f"unsplit_{name}", part=None, across=None, ordered=None)
    for name in UNSPLIT
]  # fmt: skip
