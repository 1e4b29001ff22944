"""Data that exists, as operands of recorded work."""

from __future__ import annotations

from typing import Any

from lazyarr.ir.graph import Line
from lazyarr.ir.node import Node, Value
from lazyarr.ir.op import Cost, Op
from lazyarr.ir.types import ArrayType


def _never(*args: Any, **attrs: Any) -> Any:
    raise RuntimeError("a leaf is captured as a parameter before a graph is run")


#: Data that exists, as an operand of recorded work. Not interned: each is its own.
LEAF = Op(
    name="leaf",
    numpy="an array that exists",
    infer=_never,
    evaluate=_never,
    jax=None,
    access=lambda **attrs: (),
    pointwise=False,
    memory="fresh",
    cost=lambda **attrs: Cost(0, 0),
    backends=(),
    samples=lambda: (),
)


_NOTHING: dict[str, Any] = {}
_NO_LINES: frozenset[Line] = frozenset()


class Leaf(Node):
    """A node that holds data: a NumPy array, a jax array, or a Python scalar (weak).

    Attributes
    ----------
    data
    constant : bool
        Whether the data comes from the program's text alone, and not from any argument.
    """

    __slots__ = ("constant", "data")
    constant: bool
    data: Any

    def __init__(self, data: Any, type: ArrayType, constant: bool = False):
        self.op, self.operands, self.attrs, self.known, self.kw = LEAF, (), (), (), _NOTHING
        self.types, self.lines = (type,), _NO_LINES
        self.data = data
        self.constant = constant


class Placeholder(Leaf):
    """What stands for a value that a loop's body takes, while the body is traced."""

    __slots__ = ()

    def __init__(self, type: ArrayType):
        super().__init__(None, type)


def leaf(data: Any, type: ArrayType, constant: bool = False) -> Value:
    """A value that stands for `data`, which nobody may change from now on."""
    return Value(Leaf(data, type, constant), 0)
