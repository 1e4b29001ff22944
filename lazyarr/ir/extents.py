"""Extents: the length of an axis. An ``int``, a `Length` known when the program runs, or a sympy expression.

A `Length` is what ``A[i, :j]`` has inside a compiled loop: the value of an integer scalar of the same graph. Types do
not calculate with it: what depends on lengths is computed by nodes, at run time. Expressions of named symbols describe
programs whose shapes are left open (costs, accesses); no back end runs them. sympy costs a third of a second to import,
so it is loaded only when such an expression is made or compared. Every symbol carries its bound as sympy assumptions
(``nonnegative`` integer) and an inclusive upper limit kept in its name table, see `symbol`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lazyarr.ir.node import Value

# An extent is ``int | Length | sympy.Expr``; sympy ships no types, and importing it here would cost every start-up.
Extent = Any
Shape = tuple[Extent, ...]

_bounds: dict[str, int] = {}


class Length:
    """The extent of an axis whose length is a run-time value.

    Attributes
    ----------
    scalar : Value
        An i64[] of the graph that the typed value belongs to (in a region: of the region).
    bound : int
        The largest value it can have.
    """

    __slots__ = ("bound", "scalar")

    def __init__(self, scalar: Value, bound: int):
        self.scalar = scalar
        self.bound = bound

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Length) and self.scalar == other.scalar

    def __hash__(self) -> int:
        return hash(self.scalar)

    def __repr__(self) -> str:
        return f"?<={self.bound}"

    #: What a length is to the user's arithmetic; set by `lazyarr.computed`.
    as_number: Callable[[Length], Any] | None = None


def _arithmetic(name: str) -> Callable[[Any, Any], Any]:
    def method(self: Length, other: Any) -> Any:
        if Length.as_number is None:
            return NotImplemented
        return getattr(operator, name)(Length.as_number(self), other)

    return method


def _reflected(name: str) -> Callable[[Any, Any], Any]:
    def method(self: Length, other: Any) -> Any:
        if Length.as_number is None:
            return NotImplemented
        return getattr(operator, name)(other, Length.as_number(self))

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Length, f"__{_name}__", _arithmetic(_name))
    setattr(Length, f"__r{_name}__", _reflected(_name))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Length, f"__{_name}__", _arithmetic(_name))


def bounded(shape: Iterable[Extent]) -> Shape:
    """The shape with the bound of each `Length` in its place."""
    return tuple([extent.bound if isinstance(extent, Length) else extent for extent in shape])


def lengths(shape: Iterable[Extent]) -> list[Value]:
    """The scalars that the extents of a shape name, in order."""
    return [extent.scalar for extent in shape if isinstance(extent, Length)]


def symbol(name: str, bound: int) -> Extent:
    """A symbolic extent: a non-negative integer of at most `bound`.

    Parameters
    ----------
    name : str
        The symbol's name; the same name always means the same symbol.
    bound : int
        Inclusive upper limit, what a buffer for such an axis has to hold.

    Raises
    ------
    ValueError
        If the name is in use with another bound.
    """
    import sympy

    if _bounds.setdefault(name, bound) != bound:
        raise ValueError(f"extent {name} has the bound {_bounds[name]}, not {bound}")
    return sympy.Symbol(name, integer=True, nonnegative=True)


def parse(text: str) -> Extent:
    """The extent that `show` printed as `text`; its symbols must have been declared with `symbol`.

    Raises
    ------
    ValueError
        If the text is not an expression of integers and declared symbols. It is read, never evaluated as
        Python: texts may come from someone else.
    """
    if text.isdecimal():
        return int(text)
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        raise ValueError(f"{text!r} is not an extent; expected a whole number or an expression such as n+1") from None
    import sympy

    value = sympy.sympify(_build(tree, text))
    return int(value) if value.is_Integer else value


def _build(tree: ast.expr, text: str) -> Any:
    """The sympy value of a parsed expression: integers, declared symbols, ``+ - * / **``, and sympy's functions."""
    import sympy

    if isinstance(tree, ast.Constant) and type(tree.value) is int:
        return sympy.Integer(tree.value)
    if isinstance(tree, ast.Name):
        if tree.id not in _bounds:
            raise ValueError(f"extent {text!r} uses the undeclared symbol {tree.id}")
        return symbol(tree.id, _bounds[tree.id])
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return -_build(tree.operand, text)
    if isinstance(tree, ast.BinOp) and type(tree.op) in _BINARY:
        return _BINARY[type(tree.op)](_build(tree.left, text), _build(tree.right, text))
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id in _FUNCTIONS:
        return getattr(sympy, tree.func.id)(*(_build(a, text) for a in tree.args))
    raise ValueError(f"extent {text!r} is not an expression of integers and symbols")


_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.Pow: operator.pow,
}  # fmt: skip
_FUNCTIONS = ("floor", "ceiling", "Max", "Min", "Mod")


def show(extent: Extent) -> str:
    """The extent as text, without blanks."""
    return str(extent).replace(" ", "")


def bound(extent: Extent) -> int:
    """The largest value the extent can take (the extent itself when it is an ``int``)."""
    if isinstance(extent, int):
        return extent
    if isinstance(extent, Length):
        return extent.bound
    corners: list[int] = []
    symbols = sorted(extent.free_symbols, key=str)
    for mask in range(1 << len(symbols)):
        at = {s: _bounds[str(s)] if mask >> k & 1 else 0 for k, s in enumerate(symbols)}
        corners.append(int(extent.subs(at)))
    return max(corners)


def number(extent: Extent | float) -> float:
    """An extent, or a cost made of extents, as a number: at the bounds of its symbols."""
    return extent if isinstance(extent, (int, float)) else bound(extent)


def is_static(shape: Iterable[Extent]) -> bool:
    """Whether every extent is an ``int``."""
    return all(isinstance(extent, int) for extent in shape)


def size(shape: Iterable[Extent]) -> Extent:
    """Number of elements: an ``int``, or an expression where an extent is symbolic."""
    result: Extent = 1
    for extent in shape:
        result = result * extent
    return result


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's broadcast of shapes, symbolic extents included (two expressions match when equal).

    Raises
    ------
    ValueError
        If the shapes do not broadcast, in NumPy's words.
    """
    if len(shapes) == 1:
        return shapes[0]
    first = shapes[0]
    if all(shape == first for shape in shapes[1:]):
        return first
    rank = max(len(shape) for shape in shapes)
    result: list[Extent] = [1] * rank
    for shape in shapes:
        for axis, extent in enumerate(shape, rank - len(shape)):
            if result[axis] == 1:
                result[axis] = extent
            elif extent != 1 and extent != result[axis]:
                listed = " ".join("(" + ",".join(map(show, s)) + ("," if len(s) == 1 else "") + ")" for s in shapes)
                raise ValueError(f"operands could not be broadcast together with shapes {listed} ")
    return tuple(result)
