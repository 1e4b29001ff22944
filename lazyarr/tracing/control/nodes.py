"""New nodes of syntax trees: their names, and their positions, which are the user's."""

from __future__ import annotations

import ast
import re
import sys
from typing import TypeVar

#: The name under which transformed code finds its `Control`.
CONTROL = "__control__"
#: Names that the transformation makes.
GENERATED = re.compile(
    r"__(break|continue|return|value|done|error|item|for|while|test|then|else|get|set|values|left|middle)_\d+$"
)

Node = TypeVar("Node", bound=ast.AST)


class Fresh:
    """Makers of names that no user has, unique within one conversion."""

    def __init__(self) -> None:
        self._count = 0

    def new(self, kind: str) -> str:
        self._count += 1
        return f"__{kind}_{self._count}"


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes a node consists of, in the order of its fields."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif type(value) is list:
            found += [part for part in value if isinstance(part, ast.AST)]
    return found


def place(node: Node, at: ast.AST) -> Node:
    """Give new nodes the position of one of the user's; what has a position keeps it, with all that is in it."""
    position = {name: getattr(at, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    pending: list[ast.AST] = [node]
    while pending:
        n = pending.pop()
        if "lineno" in n._attributes:
            if "lineno" in n.__dict__:
                continue
            n.__dict__.update(position)
        if n._fields:
            pending += children(n)
    return node


def where(kind: str, whole: ast.AST, part: ast.AST) -> ast.AST:
    """The node whose position Python gives to what a statement itself does, as opposed to its expressions.

    Parameters
    ----------
    kind : str
        ``"iterate"``, ``"test"`` or ``"assert"``.
    whole, part : AST
        The statement or conditional expression; its iterable or test.
    """
    return part if sys.version_info[:2] in _AT_PART[kind] else whole


_AT_PART = {"iterate": {(3, 13)}, "test": {(3, 12), (3, 13)}, "assert": {(3, 11), (3, 13)}}


def control_call(
    method: str, arguments: list[ast.expr], at: ast.AST, keywords: list[ast.keyword] | None = None
) -> ast.Call:
    """``__control__.method(arguments)`` at the position of a user's node."""
    function = place(ast.Attribute(ast.Name(CONTROL, ast.Load()), method, ast.Load()), at)
    # Python takes a call of a method to be on the last line of the method's expression.
    function.end_lineno, function.end_col_offset = function.lineno, function.col_offset
    return place(ast.Call(function, arguments, keywords or []), at)


def thunk(value: ast.expr) -> ast.Lambda:
    """``lambda: value``."""
    return place(ast.Lambda(parameters(), value), value)


def parameters(*names: str) -> ast.arguments:
    """Parameters without defaults."""
    return ast.arguments(posonlyargs=[], args=[ast.arg(n) for n in names], kwonlyargs=[], kw_defaults=[], defaults=[])


def definition(
    name: str, args: ast.arguments, body: list[ast.stmt], decorators: list[ast.expr] | None = None
) -> ast.FunctionDef:
    """A function definition without annotations."""
    node = ast.FunctionDef(name, args, body, decorators or [], None)
    if "type_params" in ast.FunctionDef._fields:
        node.type_params = []  # type: ignore[attr-defined,unused-ignore]
    return node


def after_docstring(body: list[ast.stmt]) -> int:
    """The index of the first statement of a function that is not its docstring."""
    value = body[0].value if isinstance(body[0], ast.Expr) else None
    return int(isinstance(value, ast.Constant) and isinstance(value.value, str))
