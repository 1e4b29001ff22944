"""What a program is rewritten to before its values are split: operations of which ranks can do parts."""

from __future__ import annotations

import math
from typing import Any

from lazyarr.ir.extents import is_static
from lazyarr.ir.graph import Program
from lazyarr.ir.node import Node, Value, apply
from lazyarr.ir.op import lookup
from lazyarr.ir.rewrite import Context, rewrite
from lazyarr.ir.types import DTYPES
from lazyarr.ops import long_fft
from lazyarr.ops.create import const
from lazyarr.ops.shape import CONCATENATE, SLICE
from lazyarr.passes.mask import Mask


def in_parts(program: Program, least: int) -> Program:
    """A program without what would have ranks gather an array, as far as that can be.

    Rolls are written as what they are made of, inverse transforms to real vectors as complex ones of half the length;
    what is computed for the True elements of a mask is computed for all (`Mask`), whatever that costs: positions in a
    mask are those in all of it.

    Parameters
    ----------
    program : Program
    least : int
        Values of fewer elements are not split.
    """
    def halved(node: Node, context: Context) -> Value | None:
        return _halved(node) if node.types[0].ndim == 1 and is_static(node.types[0].shape) and (
            node.types[0].size >= least) else None  # fmt: skip

    return rewrite(Mask(always=least).run(program), {"roll": [_as_pieces], "fft": [halved]})


def selects(program: Program, least: int) -> bool:
    """Whether ranks would gather masks, or what they select from, outside of loops and branches."""
    large = {"flatnonzero": False, "gather": False, "scatter": False}
    for node in in_parts(program, least).graph.nodes:
        if node.op.name in large and is_static(node.operands[0].type.shape):
            large[node.op.name] |= node.op.name == "flatnonzero" or not is_static(node.operands[-1].type.shape)
            if large[node.op.name] and node.operands[0].type.size >= least:
                return True
    return False


def _as_pieces(node: Node, context: Context) -> Value | None:
    """``roll(x, k) -> concatenate(x[n-k:], x[:n-k])``: which part of a result is where is then known."""
    (x,), axis = node.operands, node.kw["axis"]
    if not is_static(x.type.shape) or x.type.size == 0:
        return None
    extent = x.type.shape[axis]
    shift = node.kw["shift"] % extent
    if shift == 0:
        return x
    step = (1,) * x.type.ndim
    parts = []
    for start, stop in ((extent - shift, extent), (0, extent - shift)):
        first, last = [0] * x.type.ndim, list(x.type.shape)
        first[axis], last[axis] = start, stop
        parts.append(apply(SLICE, x, start=tuple(first), stop=tuple(last), step=step))
    whole = apply(CONCATENATE, *parts, axis=axis)
    for made in (*parts, whole):
        made.node.lines |= node.lines
    return whole


def _halved(node: Node) -> Value | None:
    """``irfft(x) -> reshape([real(ifft(z)), imag(ifft(z))])``, z of half as many points as the result.

    With ``m = n / 2`` and ``w[k] = exp(2j * pi * k / n)`` it is ``z[k] = x[k] + conj(x[m - k]) + 1j * w[k] * (x[k] -
    conj(x[m - k]))``, of which the transform has the even elements in its real part and the odd ones in the other
    (W. H. Press and others, Numerical Recipes, section 12.3). The ends of `x` count as real numbers, as in NumPy.
    """
    (x,), (n,), norm = node.operands, node.kw["lengths"], node.kw["norm"]
    m = n // 2
    if node.kw["kind"] != "irfft" or n % 2 or x.type.shape != (m + 1,) or long_fft.factors(m) is None:
        return None
    real, wide = node.types[0].dtype, x.type.dtype

    def do(name: str, *operands: Value, **attrs: Any) -> Value:
        return apply(lookup(name), *operands, **attrs)

    def piece(y: Value, start: int, stop: int, step: int = 1) -> Value:
        return apply(SLICE, y, start=(start,), stop=(stop,), step=(step,))

    def full(value: complex, dtype: Any, extent: int) -> Value:
        return do("broadcast", const(value, dtype), shape=(extent,))

    def numbers(extent: int) -> Value:
        return do("iota", length=extent, dtype=DTYPES["i64"])

    k = numbers(m + 1)
    ends = do("logical_or", *(do("equal", k, full(end, DTYPES["i64"], m + 1)) for end in (0, m)))
    x = do("select", ends, do("cast", do("real", x), dtype=wide), x)
    first, last = piece(x, 0, m), piece(do("conjugate", x), m, 0, -1)
    angles = do("multiply", do("cast", numbers(m), dtype=DTYPES["f64"]), full(2 * math.pi / n, DTYPES["f64"], m))
    # (1j * w, rounded once.)
    turn = do("complex", do("negative", do("sin", angles)), do("cos", angles))
    turn = turn if turn.type.dtype == wide else do("cast", turn, dtype=wide)
    z = do("add", do("add", first, last), do("multiply", turn, do("subtract", first, last)))
    y = do("fft", z, kind="ifft", axes=(0,), lengths=(m,), norm=norm)
    scale = {"backward": 0.5, "ortho": math.sqrt(0.5), "forward": 1.0}[norm]
    halves = [do("multiply", do(part, y), full(scale, real, m)) for part in ("real", "imag")]
    return do("reshape", do("concatenate", *(do("reshape", h, shape=(m, 1)) for h in halves), axis=1), shape=(n,))
