"""How operations that are neither element-wise nor views are generated; those that are not here NumPy runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lazyarr.backends import (
    native_arguments,
    native_comm,
    native_flight,
    native_lapack,
    native_products,
    native_row_totals,
    native_scalar,
    native_sorts,
    native_write,
)
from lazyarr.backends import native_nests as nests
from lazyarr.backends import native_totals as totals
from lazyarr.backends.native_columns import column_sums
from lazyarr.backends.native_control import cond, loop, region, while_
from lazyarr.backends.native_counts import bincount
from lazyarr.backends.native_draws import draw
from lazyarr.backends.native_emit import literal
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Pointwise, Scalar, Storage, Strided, identity, view
from lazyarr.backends.native_tridiagonal import tridiagonal
from lazyarr.ir.node import Node

#: Gives the storages of the node's results, or None where NumPy has to run this one.
Rule = Callable[[Frame, Node, list[Storage]], list[Storage] | None]


def _const(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    value = node.kw["value"]
    return [Scalar(value.dtype, literal(value.value, value.dtype))]


def _reduce(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    x, kind, axes = given[0], node.kw["kind"], node.kw["axes"]
    if not nests.reduces(kind, x.dtype) or not x.shape:
        return None
    if not node.types[0].shape:
        several = frame.plan.totals.get(node)
        if several is not None and totals.make(frame, several):
            return [frame.selected.pop(node.values[0])]
        if totals.alone(frame.code, kind, x):
            return list(totals.reduced(frame.code, [(kind, x)]))
        mask = _counted(node, x)
        if mask is not None:
            return [nests.count(frame.code, mask, x.dtype)]
        return [nests.reduce_scalar(frame.code, x, kind)]
    if native_row_totals.make(frame, node):
        return [frame.selected.pop(node.values[0])]
    shape, bounds = frame.shape(node.types[0])
    target = frame.lowering.allocate(node.types[0].dtype, shape, bounds)
    nests.reduce_axes(frame.code, x, kind, axes, target)
    return [target]


def _counted(node: Node, x: Storage) -> Storage | None:
    """The mask in memory whose True elements a sum counts; None if it is another reduction."""
    source = node.operands[0].node
    if node.kw["kind"] != "add" or source.op.name != "cast" or source.operands[0].type.dtype.kind != "b":
        return None
    if x.dtype.kind not in "iu" or not isinstance(x, Pointwise) or len(x.operands) != 1 or len(x.shape) != 1:
        return None
    mask = x.operands[0]
    return mask if isinstance(mask, Strided) and mask.shape == x.shape else None


def _argument(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    x = given[0]
    if x.dtype.kind == "c" or x.dtype == np.float16:
        return None
    if not node.types[0].shape:
        found = native_arguments.argument(frame.code, x, node.op.name, node.kw["axis"], None)
        assert found is not None
        return [found]
    if native_row_totals.make(frame, node):
        return [frame.selected.pop(node.values[0])]
    shape, bounds = frame.shape(node.types[0])
    target = frame.lowering.allocate(node.types[0].dtype, shape, bounds)
    native_arguments.argument(frame.code, x, node.op.name, node.kw["axis"], target)
    return [target]


def _flatnonzero(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    shape, bounds = frame.shape(node.types[0])
    target = frame.lowering.allocate(node.types[0].dtype, shape, bounds)
    target.buffer.require((bounds[0] + 1) * target.dtype.itemsize)
    nests.positions(frame.code, given[0], target)
    target.limits = (0, max(0, given[0].bounds[0] - 1))
    return [target]


def _reserve(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    x = given[0]
    shape = tuple(int(n) for n in node.types[0].shape)
    if isinstance(x, Strided) and x.is_whole and x.buffer.owned and x.shape[1:] == shape[1:]:
        # What is there is where it has to be.
        frame.lowering.writes(x.buffer)
        x.buffer.require(int(np.prod(shape, dtype=object)) * x.dtype.itemsize)
        return [Strided.whole(frame.code, x.dtype, x.buffer, shape, shape)]
    target = frame.lowering.allocate(x.dtype, shape, shape)
    window = view(frame.code, target, identity(len(shape)), x.shape, x.bounds)
    assert isinstance(window, Strided)
    nests.fill(frame.code, window, x)
    return [target]


def _accumulate(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    dtype, kind = node.types[0].dtype, node.kw["kind"]
    if given[0].dtype == np.float16 or native_scalar.combine(kind, dtype) is None:
        return None
    shape, bounds = frame.shape(node.types[0])
    target = frame.lowering.allocate(dtype, shape, bounds)
    nests.accumulate(frame.code, given[0], kind, node.kw["axis"], target)
    return [target]


RULES: dict[str, Rule] = {
    "const": _const, "reduce": _reduce, "argmax": _argument, "argmin": _argument, "accumulate": _accumulate,
    "put_window": native_write.put_window, "update_slice": native_write.update_slice,
    "dynamic_update_slice": native_write.dynamic_update_slice, "pad": native_write.pad,
    "concatenate": native_write.concatenate, "scatter": native_write.scatter, "matmul": native_products.matmul,
    "loop": loop, "while": while_, "cond": cond,
    "region": region, "column_sums": column_sums, "flatnonzero": _flatnonzero, "reserve": _reserve,
    "bincount": bincount, "bincount_weights": bincount,
    "solve": native_lapack.solve, "inv": native_lapack.inv, "cholesky": native_lapack.cholesky,
    "det": native_lapack.det, "slogdet": native_lapack.slogdet,
    "tridiagonal": tridiagonal, "draw": draw,
    "sort": native_sorts.sort, "argsort": native_sorts.argsort,
    "searchsorted": native_sorts.searchsorted,
    "halo": native_comm.halo, "exchange": native_comm.exchange, "all_reduce": native_comm.all_reduce,
    "halo_start": native_flight.start, "halo_wait": native_flight.wait,
}  # fmt: skip
