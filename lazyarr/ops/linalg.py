"""Products of arrays: ``matmul`` and ``einsum``.

Operands have one common dtype, that of the loop that runs. Integers wrap and booleans combine by "and" and
"or", as in NumPy; half precision is accumulated in single precision, as NumPy's loops do.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.access import OPAQUE, WHOLE, Along, AxisAccess, OperandAccess, Reduced
from lazyarr.ir.extents import Extent, Shape
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import xla_lengths, xla_products
from lazyarr.ops.across import ACROSS
from lazyarr.ops.order import ORDERED
from lazyarr.ops.shape import SLICE, Parts, Place, Places

MATMUL_SIGNATURE = "(n?,k),(k,m?)->(n?,m?)"


def _same_dtype(name: str, types: Types) -> np.dtype[Any]:
    if any(t.weak for t in types) or len({t.dtype for t in types}) != 1:
        raise TypeError(f"{name} takes operands of one dtype in the IR, got {', '.join(map(str, types))}; cast first")
    return types[0].dtype


def multiply_add(dtype: np.dtype[Any]) -> int:
    """Arithmetic operations of one ``s += a * b``."""
    return 8 if dtype.kind == "c" else 2


def _sum_kind(dtype: np.dtype[Any]) -> str:
    """How partial results of a contraction combine."""
    return "logical_or" if dtype.kind == "b" else "add"


def _infer_matmul(a: ArrayType, b: ArrayType) -> ArrayType:
    dtype = _same_dtype("matmul", (a, b))
    for position, t in enumerate((a, b)):
        if t.ndim == 0:
            raise ValueError(
                f"matmul: Input operand {position} does not have enough dimensions "
                f"(has 0, gufunc core with signature {MATMUL_SIGNATURE} requires 1)"
            )
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        raise ValueError(
            f"matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
            f"{MATMUL_SIGNATURE} (size {extents.show(inner)} is different from {extents.show(a.shape[-1])})"
        )
    batch = extents.broadcast(a.shape[:-2], b.shape[:-2])
    return ArrayType(dtype, batch + a.shape[-2:-1] + (b.shape[-1:] if b.ndim > 1 else ()))


def batch_access(shape: Shape, batch: Shape) -> OperandAccess:
    """Access of an operand's leading axes, which broadcast to the result's leading axes `batch`."""
    lead = len(batch) - len(shape)
    return tuple(
        WHOLE if extent == 1 and batch[lead + axis] != 1 else Along(lead + axis) for axis, extent in enumerate(shape)
    )


def _access_matmul(a: ArrayType, b: ArrayType) -> tuple[OperandAccess, ...]:
    batch = extents.broadcast(a.shape[:-2], b.shape[:-2])
    contracted = Reduced(_sum_kind(a.dtype))
    row = (Along(len(batch)),) if a.ndim > 1 else ()
    column = (Along(len(batch) + len(row)),) if b.ndim > 1 else ()
    return (
        batch_access(a.shape[:-2], batch) + row + (contracted,),
        batch_access(b.shape[:-2], batch) + (contracted,) + column,
    )


def _cost_matmul(a: ArrayType, b: ArrayType) -> Cost:
    result = _infer_matmul(a, b)
    return Cost(multiply_add(a.dtype) * result.size * a.shape[-1], a.nbytes + b.nbytes + result.nbytes)


_MATMUL_SHAPES = (
    ("3,4", "4,5"), ("4", "4"), ("3,4", "4"), ("4", "4,5"), ("2,3,4", "4,5"), ("2,1,3,4", "5,4,2"),
    ("1,3,4", "2,4,3"), ("2,3,4", "4"), ("4", "2,4,3"), ("1,4", "4,1"), ("1,1", "1,1"), ("1", "1,3"),
)  # fmt: skip
_EMPTY_SHAPES = (("0,4", "4,5"), ("3,0", "0,5"), ("0", "0"), ("0,3,4", "4,2"), ("3,4", "4,0"), ("0,0", "0,0"))


def _samples_matmul() -> Iterator[Sample]:
    for t in DTYPES:
        yield Sample((f"{t}[3,4]", f"{t}[4,5]"))
        yield Sample((f"{t}[2,3,4]", f"{t}[4,2]"))
    # Shapes and dtypes that have a lowering of their own.
    for t in ("f64", "c128", "i64", "u64", "u8"):
        yield Sample((f"{t}[64,50]", f"{t}[50,56]"))
        yield Sample((f"{t}[2,60,50]", f"{t}[50,56]"))
        yield Sample((f"{t}[3,4,4]", f"{t}[3,4,8]"))
        yield Sample((f"{t}[3,1]", f"{t}[1,4]"))
    yield Sample(("u32[64,50]", "u32[50,56]"), high=2.0**32 - 1, low=0)
    yield Sample(("i64[64,50]", "i64[50,56]"), high=2.0**62, low=-(2.0**62))
    # A sum that wraps, and one that a byte cannot count.
    yield Sample(("i8[2,40]", "i8[40,2]"), low=-100, high=100)
    yield Sample(("bool[2,256]", "bool[256,2]"))
    for a, b in (*_MATMUL_SHAPES, *_EMPTY_SHAPES):
        for t in ("f64", "i32", "bool"):
            yield Sample((f"{t}[{a}]", f"{t}[{b}]"))


#: ``a @ b``, one-dimensional operands and broadcast leading axes included.
MATMUL = Op(
    name="matmul",
    numpy="numpy.matmul(a, b)",
    infer=_infer_matmul,
    evaluate=lambda xp, a, b: xp.matmul(a, b),
    jax=xla_products.matmul,
    access=_access_matmul,
    pointwise=False,
    memory="fresh",
    cost=_cost_matmul,
    backends=("xla", "numpy"),
    samples=_samples_matmul,
    padded=xla_lengths.for_product,
    part="same",
    ordered=ORDERED["matmul"],
)


@lru_cache(maxsize=1024)
def parse_subscripts(subscripts: str) -> tuple[tuple[str, ...], str]:
    """Labels of each operand and of the result, of ``ij,jk->ik``.

    Raises
    ------
    ValueError
        If the text is not explicit subscripts of letters, or a result label repeats or is in no operand.
    """
    left, arrow, output = subscripts.partition("->")
    inputs = tuple(left.split(","))
    letters = "".join(inputs) + output
    if not arrow or (letters and not (letters.isascii() and letters.isalpha())):
        raise ValueError(f"einsum takes explicit subscripts of letters in the IR, as 'ij,jk->ik'; got {subscripts!r}")
    for label in output:
        if output.count(label) > 1:
            raise ValueError(f"einstein sum subscripts string includes output subscript '{label}' multiple times")
        if label not in left:
            raise ValueError(
                f"einstein sum subscripts string included output subscript '{label}' which never appeared in an input"
            )
    return inputs, output


def label_extents(inputs: tuple[str, ...], shapes: tuple[Shape, ...]) -> dict[str, Extent]:
    """The extent of each label; an axis of extent 1 broadcasts, as in NumPy.

    Raises
    ------
    ValueError
        If the numbers of labels and axes differ, or extents do not agree.
    """
    if len(inputs) != len(shapes):
        raise ValueError(f"einsum has subscripts for {len(inputs)} operands, got {len(shapes)}")
    found: dict[str, Extent] = {}
    for position, (labels, shape) in enumerate(zip(inputs, shapes, strict=True)):
        if len(labels) < len(shape):
            raise ValueError(
                "operand has more dimensions than subscripts given in einstein sum, but no '...' ellipsis provided "
                "to broadcast the extra dimensions."
            )
        if len(labels) > len(shape):
            raise ValueError(f"einstein sum subscripts string contains too many subscripts for operand {position}")
        own: dict[str, Extent] = {}
        for label, extent in zip(labels, shape, strict=True):
            if own.setdefault(label, extent) != extent:
                raise ValueError(
                    f"dimensions in operand {position} for collapsing index '{label}' don't match "
                    f"({extents.show(own[label])} != {extents.show(extent)})"
                )
        for label, extent in own.items():
            if found.setdefault(label, extent) == 1:
                found[label] = extent
            elif extent not in (1, found[label]):
                raise ValueError(
                    f"operands could not be broadcast together: index '{label}' of operand {position} has extent "
                    f"{extents.show(extent)}, elsewhere {extents.show(found[label])}"
                )
    return found


def _infer_einsum(*types: ArrayType, subscripts: str) -> ArrayType:
    dtype = _same_dtype("einsum", types)
    inputs, output = parse_subscripts(subscripts)
    lengths = label_extents(inputs, tuple(t.shape for t in types))
    return ArrayType(dtype, tuple(lengths[label] for label in output))


def _access_einsum(*types: ArrayType, subscripts: str) -> tuple[OperandAccess, ...]:
    inputs, output = parse_subscripts(subscripts)
    lengths = label_extents(inputs, tuple(t.shape for t in types))

    def entry(labels: str, label: str, extent: Extent) -> AxisAccess:
        if labels.count(label) > 1:
            return OPAQUE  # a diagonal: a block of one of its axes is no problem of the same form
        if extent == 1 and lengths[label] != 1:
            return WHOLE
        return Along(output.index(label)) if label in output else Reduced(_sum_kind(types[0].dtype))

    return tuple(
        tuple(entry(labels, label, extent) for label, extent in zip(labels, t.shape, strict=True))
        for labels, t in zip(inputs, types, strict=True)
    )


def _cost_einsum(*types: ArrayType, subscripts: str) -> Cost:
    inputs, output = parse_subscripts(subscripts)
    lengths = label_extents(inputs, tuple(t.shape for t in types))
    moved = sum((t.nbytes for t in types), 0) + _infer_einsum(*types, subscripts=subscripts).nbytes
    # Operands are taken in from the left, two at a time; a label is summed as soon as nothing later needs it.
    flops: Extent = 0
    current = set(inputs[0])
    for position in range(1, max(len(inputs), 2)):
        current |= set(inputs[position]) if position < len(inputs) else set()
        flops = flops + multiply_add(types[0].dtype) * extents.size(lengths[label] for label in sorted(current))
        current &= set(output).union(*map(set, inputs[position + 1 :]))
    return Cost(flops, moved)


#: Multiplications from which NumPy's detour over BLAS pays its 50 microseconds.
_BLAS_PAYS = 100_000


def _evaluate_einsum(xp: Any, *arrays: Any, subscripts: str) -> Any:
    inputs, _ = parse_subscripts(subscripts)
    lengths = label_extents(inputs, tuple(x.shape for x in arrays))
    # Integers wrap whatever the order, but NumPy has no BLAS for them; halves would be rounded in between.
    large = len(arrays) > 1 and arrays[0].dtype.char in "fdFD" and extents.size(lengths.values()) > _BLAS_PAYS
    result = np.einsum(subscripts, *arrays, optimize=large)
    # Of one operand, NumPy may give a view.
    return result.copy() if len(arrays) == 1 and np.may_share_memory(result, arrays[0]) else result


def _einsum_xla(jax: Any, *arrays: Any, subscripts: str) -> Any:
    inputs, output = parse_subscripts(subscripts)
    return xla_products.einsum(jax, inputs, output, label_extents(inputs, tuple(x.shape for x in arrays)), *arrays)


_SUBSCRIPTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("ij,jk->ik", ("3,4", "4,5")), ("ij,jk->ki", ("3,4", "4,5")), ("bij,bjk->bik", ("2,3,4", "2,4,5")),
    ("i,j->ij", ("3", "4")), ("i,i->", ("4", "4")), ("ij,ij->ij", ("3,4", "3,4")), ("ij->", ("3,4",)),
    ("ij->j", ("3,4",)), ("ij->ji", ("3,4",)), ("ii->i", ("4,4",)), ("ii->", ("4,4",)), ("iji->j", ("3,4,3",)),
    ("iij,jk->ik", ("3,3,4", "4,2")), ("ij,jk,kl->il", ("2,3", "3,4", "4,2")), ("ij,k->i", ("3,4", "2")),
    ("i,i->i", ("1", "4")), ("i,i->", ("1", "4")), ("ij,ji->", ("3,4", "4,3")), (",i->i", ("", "3")), ("->", ("",)),
    ("i,i,i->i", ("3", "3", "3")), ("ij,jk->ik", ("3,0", "0,2")), ("ij,jk->ik", ("0,3", "3,2")),
)  # fmt: skip


def _samples_einsum() -> Iterator[Sample]:
    for subscripts, shapes in _SUBSCRIPTS:
        # Three factors are multiplied in an order of XLA's: too large or too small a product may come earlier.
        corners: tuple[str, ...] = ("nan", "inf", "-0") if len(shapes) > 2 else ("nan", "inf", "-0", "limits")
        yield Sample(tuple(f"f64[{shape}]" for shape in shapes), {"subscripts": subscripts}, corners=corners)
    for t in DTYPES:
        yield Sample((f"{t}[3,4]", f"{t}[4,5]"), {"subscripts": "ij,jk->ik"})
        yield Sample((f"{t}[4,4]", f"{t}[4]"), {"subscripts": "ii,i->i"})
        yield Sample((f"{t}[3,4]",), {"subscripts": "ij->i"})


def _part_einsum(operands: Parts, given: Places, wanted: Place, whole: Types, *, subscripts: str) -> Value:
    inputs, output = parse_subscripts(subscripts)
    found = []
    for x, labels, place in zip(operands, inputs, given, strict=True):
        # Of a diagonal all is there; what is wanted of it is a box on the diagonal.
        kept = [
            wanted[output.index(label)] if labels.count(label) > 1 and label in output else held
            for label, held in zip(labels, place, strict=True)
        ]
        if kept != list(place):
            bounds = [(a - h, b - h) for (a, b), (h, _) in zip(kept, place, strict=True)]
            start, stop = zip(*bounds, strict=True)
            x = apply(SLICE, x, start=start, stop=stop, step=(1,) * len(bounds))
        found.append(x)
    return apply(EINSUM, *found, subscripts=subscripts)


#: Products summed over labels; explicit result, no ellipsis.
EINSUM = Op(
    name="einsum",
    numpy="numpy.einsum(subscripts, *operands)",
    infer=_infer_einsum,
    evaluate=_evaluate_einsum,
    jax=_einsum_xla,
    access=_access_einsum,
    pointwise=False,
    memory="fresh",
    cost=_cost_einsum,
    backends=("xla", "numpy"),
    samples=_samples_einsum,
    part=_part_einsum,
    across=ACROSS["einsum"],
    ordered=ORDERED["einsum"],
)
