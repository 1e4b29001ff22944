"""Changes of dtype, and the operations that take complex numbers apart or put them together."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, Element, literal, part, register
from lazyarr.backends.native_storage import Generate
from lazyarr.ir.node import Node

_I32, _I64 = np.dtype("i4"), np.dtype("i8")


def generator(node: Node) -> Generate | None:
    """What computes a cast, a part, or a number from bits; None if `node` is none, or NumPy has to do it."""
    name, t = node.op.name, node.operands[0].type.dtype if node.operands else None
    target = node.types[0].dtype
    if t is None:
        return None
    if name == "cast":
        if t != target and np.dtype("f2") in (t, target):
            return None
        return lambda c, xs: (cast(c, t, target, xs[0]),)
    if name in ("real", "imag"):
        return lambda c, xs: ((xs[0][name == "imag"],),)
    if name == "complex":
        return lambda c, xs: ((xs[0][0], xs[1][0]),)
    if name == "exact":
        from lazyarr.backends.native_integer import exact

        return lambda c, xs: exact(c, node.kw["kind"], xs[0][0], xs[1][0])
    if name == "bitcast" and "c" not in (t.kind, target.kind) and t != target and "b" not in (t.kind, target.kind):
        if t.kind in "iu" and target.kind in "iu":
            return lambda c, xs: (xs[0],)
        return lambda c, xs: ((c.emit(f"bitcast {register(t)} {xs[0][0]} to {register(target)}"),),)
    return None


def cast(c: Code, source: np.dtype[Any], target: np.dtype[Any], x: Element) -> Element:
    """An element as another dtype (neither half precision)."""
    if source == target:
        return x
    if target.kind == "b":
        from lazyarr.backends.native_scalar import truth

        return (truth(c, source, x),)
    if target.kind == "c":
        real = cast(c, part(source), part(target), x[:1])
        imag = cast(c, part(source), part(target), x[1:]) if source.kind == "c" else literal(0, part(target))
        return real + imag
    if source.kind == "c":
        return cast(c, part(source), target, x[:1])
    old, new = register(source), register(target)
    if source.kind == "f":
        if target.kind == "f":
            return (c.emit(f"{'fpext' if target.itemsize > source.itemsize else 'fptrunc'} {old} {x[0]} to {new}"),)
        return (_to_integer(c, source, target, x[0]),)
    if target.kind == "f":
        op = "sitofp" if source.kind == "i" else "uitofp"
        return (c.emit(f"{op} {old} {x[0]} to {new}"),)
    if source.kind == "b":
        return (c.emit(f"zext i1 {x[0]} to {new}"),)
    if target.itemsize == source.itemsize:
        return x
    if target.itemsize < source.itemsize:
        return (c.emit(f"trunc {old} {x[0]} to {new}"),)
    return (c.emit(f"{'sext' if source.kind == 'i' else 'zext'} {old} {x[0]} to {new}"),)


def _truncated(c: Code, source: np.dtype[Any], target: np.dtype[Any], x: str) -> str:
    """To int32 or int64 as x86-64 has it: NaN, or out of range, gives the smallest integer."""
    limits = np.iinfo(target)
    type, low = register(source), float(limits.min)
    # -2**31 - 1 is no float32; there the bound itself is the last inside.
    below = literal(low - 1, source)[0] if source.itemsize == 8 and target == _I32 else None
    above = literal(float(limits.max) + 1 if target == _I32 else 2.0**63, source)[0]
    first = c.emit(f"fcmp {'ogt' if below else 'oge'} {type} {x}, {below or literal(low, source)[0]}")
    inside = c.emit(f"and i1 {first}, {c.emit(f'fcmp olt {type} {x}, {above}')}")
    safe = c.emit(f"select i1 {inside}, {type} {x}, {type} {literal(0, source)[0]}")
    whole = c.emit(f"fptosi {type} {safe} to {register(target)}")
    return c.emit(f"select i1 {inside}, {register(target)} {whole}, {register(target)} {limits.min}")


def _to_integer(c: Code, source: np.dtype[Any], target: np.dtype[Any], x: str) -> str:
    """NumPy's conversion on x86-64: small integers are cut from an int32, the upper half of unsigned ones shifted."""
    signed = _I64 if target.itemsize == 8 else _I32
    if target.kind == "i" or target.itemsize < signed.itemsize:
        found = _truncated(c, source, signed, x)
        if target.itemsize == signed.itemsize:
            return found
        return c.emit(f"trunc {register(signed)} {found} to {register(target)}")
    type, bits = register(source), 8 * target.itemsize - 1
    half = literal(2.0**bits, source)[0]
    upper = _truncated(c, source, signed, c.emit(f"fsub {type} {x}, {half}"))
    upper = c.emit(f"xor {register(target)} {upper}, {-(1 << bits)}")
    beyond = c.emit(f"fcmp oge {type} {x}, {half}")
    lower = _truncated(c, source, signed, x)
    return c.emit(f"select i1 {beyond}, {register(target)} {upper}, {register(target)} {lower}")
