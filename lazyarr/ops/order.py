"""What stands for an operation whose bits would depend on how its operands are split (`Op.ordered`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.extents import Shape
from lazyarr.ir.node import Value, apply, apply_all
from lazyarr.ir.op import OPS

#: Kinds of reductions that give other bits in another order: floats are rounded, and of two zeros one may be negative.
_KINDS = ("add", "multiply", "maximum", "minimum", "fmax", "fmin")
#: Indices of a leaf of the tree, and extents inside an axis from which on each index of it is a leaf.
_LEAF, _WIDE = 128, 16
#: Columns of a leaf of a product: no more than OpenBLAS adds up in one go, which it cuts otherwise with several threads
#: (complex128: 128). Extents of a tile of the result, of floats and of complex numbers: as much as it gives one thread
#: alone (up to 4 * 65536 multiplications of floats, its interface/gemm.c).
_INNER, _TILE, _COMPLEX_TILE = 128, 32, 16


def _bound(shape: Shape) -> int:
    return math.prod(int(extents.bound(n)) for n in shape)


def _inexact(x: Value) -> bool:
    return not x.type.weak and x.type.dtype.kind in "fc"


def _in_single(x: Value) -> Value:
    """Half precision as NumPy's loops take it: they add up in single precision."""
    return apply(OPS["cast"], x, dtype=np.dtype(np.float32)) if x.type.dtype == np.float16 else x


def _as(x: Value, dtype: np.dtype[Any]) -> Value:
    return x if x.type.dtype == dtype else apply(OPS["cast"], x, dtype=dtype)


def _along(x: Value, kind: str, axis: int) -> Value:
    wide = _bound(x.type.shape[axis + 1 :]) >= _WIDE
    return apply(OPS["ordered_reduce"], x, kind=kind, axis=axis, leaf=1 if wide else _LEAF)


def reduce(x: Value, *, kind: str, axes: tuple[int, ...]) -> Value | None:
    """One axis after the other, the last one first."""
    if not _inexact(x) or kind not in _KINDS or not axes or any(x.type.shape[k] == 0 for k in axes):
        return None
    found = _in_single(x)
    for axis in reversed(axes):
        found = _along(found, kind, axis)
    return _as(found, x.type.dtype)


def matmul(a: Value, b: Value) -> Value | None:
    """Tiles of matrices; with a vector, a sum of products."""
    if not _inexact(a) or 0 in a.type.shape or 0 in b.type.shape:
        return None
    dtype, (a, b) = a.type.dtype, (_in_single(a), _in_single(b))
    if a.type.ndim > 1 and b.type.ndim > 1:
        tile = _COMPLEX_TILE if dtype.kind == "c" else _TILE
        return _as(apply(OPS["ordered_matmul"], a, b, leaf=_INNER, tile=tile, corner=(0, 0)), dtype)
    rows = a.type.ndim == 1 and b.type.ndim > 1
    if rows:
        a = apply(OPS["reshape"], a, shape=(*a.type.shape, 1))
    found = _product(a, b)
    return _as(_along(found, "add", found.type.ndim - 1 - rows), dtype)


def _product(a: Value, b: Value) -> Value:
    shape = tuple(extents.broadcast(a.type.shape, b.type.shape))
    a, b = (x if x.type.shape == shape else apply(OPS["broadcast"], x, shape=shape) for x in (a, b))
    return apply(OPS["multiply"], a, b)


def einsum(*operands: Value, subscripts: str) -> Value | None:
    """Sums, products of matrices and of vectors; of other contractions every rank does all."""
    left, _, output = subscripts.partition("->")
    inputs = left.split(",")
    labels = dict.fromkeys("".join(inputs))
    if not all(map(_inexact, operands)) or set(output) == set(labels) or any(0 in x.type.shape for x in operands):
        return None
    sizes = {
        label: {x.type.shape[own.index(label)] for x, own in zip(operands, inputs, strict=True) if label in own}
        for label in labels
    }
    plain = all(len(set(own)) == len(own) for own in inputs) and all(len(found) == 1 for found in sizes.values())
    found = _contracted([_in_single(x) for x in operands], inputs, output) if plain else None
    if found is None:
        return apply(OPS["unsplit_einsum"], *operands, subscripts=subscripts)
    return _as(found, operands[0].type.dtype)


def _contracted(operands: list[Value], inputs: list[str], output: str) -> Value | None:
    """Of one or two operands, whose labels are all different; None where that is no product of matrices."""
    if len(operands) > 2:
        return None
    for k, x in enumerate(operands):
        alone = [i for i, label in enumerate(inputs[k]) if label not in output + "".join(inputs[:k] + inputs[k + 1 :])]
        for axis in reversed(alone):
            x = _along(x, "add", axis)
            inputs[k] = inputs[k][:axis] + inputs[k][axis + 1 :]
        operands[k] = x
    if len(operands) == 1:
        return _ordered_as(operands[0], inputs[0], output)
    (a, b), (left, right) = operands, inputs
    batch = [n for n in left if n in right and n in output]
    summed = [n for n in left if n in right and n not in output]
    rows, columns = [n for n in left if n not in right], [n for n in right if n not in left]
    if not rows and not columns:
        found = _product(_ordered_as(a, left, batch + summed), _ordered_as(b, right, batch + summed))
        for _ in summed:
            found = _along(found, "add", found.type.ndim - 1)
        return _ordered_as(found, batch, output)
    if len(summed) != 1 or len(rows) > 1 or len(columns) > 1:
        return None
    if rows and columns:
        made = matmul(_ordered_as(a, left, batch + rows + summed), _ordered_as(b, right, batch + summed + columns))
        assert made is not None
        found = made
    else:
        pair = _ordered_as(a, left, batch + rows + summed), _ordered_as(b, right, batch + columns + summed)
        wide = [x if own else apply(OPS["reshape"], x, shape=(*x.type.shape[:-1], 1, x.type.shape[-1]))
                for x, own in zip(pair, (rows, columns), strict=True)]  # fmt: skip
        found = _product(*wide)
        found = _along(found, "add", found.type.ndim - 1)
    return _ordered_as(found, batch + rows + columns, output)


def _ordered_as(x: Value, labels: Sequence[str], wanted: Sequence[str]) -> Value:
    axes = tuple(list(labels).index(label) for label in wanted)
    return x if axes == tuple(range(len(axes))) else apply(OPS["transpose"], x, axes=axes)


def fft(x: Value, *, kind: str, axes: tuple[int, ...], lengths: tuple[int, ...], norm: str) -> Value | None:
    """One axis after the other, in NumPy's order; vectors by every rank."""
    if len(axes) == 1:
        if x.type.ndim > 1:
            return None
        return apply(OPS["unsplit_fft"], x, kind=kind, axes=axes, lengths=lengths, norm=norm)
    single = {"rfft": "fft", "irfft": "ifft"}.get(kind, kind)
    order = [*range(len(axes) - 1), len(axes) - 1] if kind == "irfft" else [*reversed(range(len(axes)))]
    for k in order:
        own = kind if k == len(axes) - 1 else single
        x = apply(OPS["fft"], x, kind=own, axes=(axes[k],), lengths=(lengths[k],), norm=norm)
    return x


def whole(name: str) -> Callable[..., Any]:
    """An operation of floats that every rank does with all of its operands."""

    def ordered(*operands: Value, **attrs: Any) -> Value | tuple[Value, ...] | None:
        if not any(map(_inexact, operands)):
            return None
        found = tuple(apply_all(OPS[f"unsplit_{name}"], *operands, **attrs))
        return found if len(found) > 1 else found[0]

    return ordered


def scatter(x: Value, value: Value, *indices: Value, axes: tuple[int, ...], kind: str) -> Value | None:
    """Writes in the order of the indices, wherever these are."""
    if not _inexact(x) or kind == "set":
        return None
    return apply(OPS["ordered_scatter"], x, value, *indices, axes=axes, kind=kind)


#: Operations of which there is a form that is not split.
UNSPLIT = ("einsum", "accumulate", "bincount_weights", "solve", "cholesky", "inv", "det", "slogdet", "qr", "lstsq",
           "fft")  # fmt: skip
#: For the operations of these names.
ORDERED: dict[str, Callable[..., Any]] = {
    "reduce": reduce, "matmul": matmul, **{name: whole(name) for name in UNSPLIT}, "einsum": einsum, "fft": fft,
    "scatter": scatter,
}  # fmt: skip
