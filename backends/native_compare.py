"""Comparisons of the absolute value of one complex number, which rarely need it (of arrays: `native_modulus`).

``abs(z) <= 2.0`` is what ``re**2 + im**2 <= 4.0`` is, but for numbers next to the border: there, and where squares are
out of range, the absolute value is computed. In a loop that is the square root, the division or the call saved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.backends import native_modulus, native_scalar
from lazyarr.backends.native_emit import Code, Element, literal, register
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Scalar, Storage
from lazyarr.ir.node import Node

_PREDICATES = {"less": "olt", "less_equal": "ole", "greater": "ogt", "greater_equal": "oge"}
#: What may be decided without the absolute value.
COMPARED = {*_PREDICATES, "isfinite"}


def compared(frame: Frame, node: Node) -> Storage | None:
    """The scalar comparison `node`, where one side is the absolute value of a complex number; None where none is."""
    name = node.op.name
    if name == "isfinite":
        limit, sizes = None, node.operands[0]
    elif name not in _PREDICATES:
        return None
    elif _parts(frame, node.operands[0].node) is not None:
        sizes, limit = node.operands
    elif _parts(frame, node.operands[1].node) is not None:
        limit, sizes = node.operands
        name = native_modulus.MIRRORED[name]
    else:
        return None
    parts, generate = _parts(frame, sizes.node), native_scalar.generator(sizes.node)
    if parts is None or generate is None:
        return None
    dtype, given = sizes.type.dtype, [frame.values[v].element(frame.code, (), {}) for v in sizes.node.operands]
    if limit is None:
        test = _Test(frame.code, dtype, parts)
        surely = test.compare("olt", test.square, literal(native_modulus.DOUBT[dtype][2], dtype)[0])
        return test.decided(surely, "true", lambda: _finite(test, generate(test.code, given)))
    bound = frame.values[limit].element(frame.code, (), {})[0]
    test = _Test(frame.code, dtype, parts)
    predicate = _PREDICATES[name]
    below, known = test.side(bound)
    likely = below if predicate[1] == "l" else test.code.emit(f"xor i1 {below}, true")
    return test.decided(known, likely, lambda: test.compare(predicate, generate(test.code, given)[0][0], bound))


def _parts(frame: Frame, node: Node) -> tuple[str, str] | None:
    """Real and imaginary part of the number whose absolute value a scalar node is, if it is one."""
    type = node.types[0]
    if node.op.name not in ("hypot", "absolute") or type.shape or type.dtype not in native_modulus.DOUBT:
        return None
    found = [frame.values.get(v) for v in node.operands]
    if not all(isinstance(s, Scalar) for s in found):
        return None
    parts = [p for s in found if isinstance(s, Scalar) for p in s.value]
    return (parts[0], parts[1]) if len(parts) == 2 else None


class _Test:
    """The sum of squares of two parts, and what it decides."""

    def __init__(self, code: Code, dtype: np.dtype[Any], parts: tuple[str, str]):
        self.code, self.dtype, self.type = code, dtype, register(dtype)
        self.square = native_modulus.square(code, self.type, parts)

    def compare(self, predicate: str, x: str, y: str) -> str:
        return self.code.emit(f"fcmp {predicate} {self.type} {x}, {y}")

    def side(self, bound: str) -> tuple[str, str]:
        """Whether the absolute value is below `bound`; and whether that is sure."""
        low, high = native_modulus.limits(self.code, self.dtype, bound)
        below, above = native_modulus.sides(self.code, self.type, self.square, low, high)
        return below, self.code.emit(f"or i1 {below}, {above}")

    def decided(self, known: str, likely: str, exactly: Callable[[], str]) -> Storage:
        """`likely` where `known`, else what `exactly` computes."""
        code = self.code
        slot = code.alloca("i1")
        code.do(f"store i1 {likely}, ptr {slot}")
        ask, end = code.new_label(), code.new_label()
        code.branch(known, end, ask, ', !prof !{!"branch_weights", i32 1000000, i32 1}')
        code.start(ask)
        # (Vector forms of the C library's functions are off by some units in the last place: these are asked for one.)
        exact, code.exact = code.exact, True
        with code.scope():
            code.do(f"store i1 {exactly()}, ptr {slot}")
        code.exact = exact
        code.go(end)
        code.start(end)
        return Scalar(np.dtype(bool), (code.emit(f"load i1, ptr {slot}"),))


def _finite(test: _Test, found: tuple[Element, ...]) -> str:
    name = f"@llvm.fabs.f{8 * test.dtype.itemsize}"
    test.code.module.declare(name, f"declare {test.type} {name}({test.type})")
    size = test.code.emit(f"call {test.type} {name}({test.type} {found[0][0]})")
    return test.compare("olt", size, literal(np.inf, test.dtype)[0])
