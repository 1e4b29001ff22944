"""Lists that grow: found in the source.

The first kind grow by the same in each iteration of a ``for``:
``found = []``, then ``for ...: found.append(x)``. In the loop nothing else knows the list, and nothing reads it:
between the display and the loop, and in the loop, its name stands in such statements alone. What each iteration appends
can then be a row of an array. Of others, the display alone is noted; what becomes of them is seen while the function is
traced (`capture.buffers`).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lazyarr.tracing.control.jumps import blocks
from lazyarr.tracing.control.scope import Scope


@dataclass
class Growth:
    """The lists of one function that grow in this way.

    Attributes
    ----------
    displays : set of List nodes
        What makes them, and others that may grow.
    loops : dict
        By ``for``, the names of the lists that it appends to.
    appends : set of Expr nodes
        The statements that append.
    """

    displays: set[ast.AST] = field(default_factory=set)
    loops: dict[ast.AST, list[str]] = field(default_factory=dict)
    appends: set[ast.AST] = field(default_factory=set)


def find_growth(scope: Scope, stops: Mapping[ast.AST, list[str]]) -> Growth:
    """The lists of a function without jumps that grow in its loops.

    Parameters
    ----------
    scope : Scope
    stops : mapping
        By loop, the flags that end it.
    """
    growth = Growth()
    if isinstance(scope.node, ast.FunctionDef):
        names = scope.locals - scope.captured - scope.shared - scope.deferred
        _find(scope.node.body, names, stops, growth)
        growth.displays |= _lengthened(scope.node.body)
    return growth


#: Methods that change how long a list is.
_LENGTHEN = {"append", "extend", "pop"}


def _lengthened(body: Sequence[ast.stmt]) -> set[ast.AST]:
    """Displays of lists that may become longer somewhere, by what they are bound to."""
    nodes = [n for s in body for n in ast.walk(s)]
    names: set[str] = set()
    for n in nodes:
        if isinstance(n, ast.Attribute) and n.attr in _LENGTHEN and isinstance(n.value, ast.Name):
            names.add(n.value.id)
        elif isinstance(n, ast.AugAssign) and isinstance(n.op, ast.Add) and isinstance(n.target, ast.Name):
            names.add(n.target.id)
    found: set[ast.AST] = set()
    for n in nodes:
        if isinstance(n, ast.Assign):
            found.update(display for name, display in _displays(n).items() if name in names)
            if _is_empty(n.value) and any(isinstance(t, ast.Attribute | ast.Subscript) for t in n.targets):
                found.add(n.value)
        elif isinstance(n, ast.AnnAssign) and n.value is not None:
            is_name = isinstance(n.target, ast.Name) and n.target.id in names
            if is_name and isinstance(n.value, ast.List) or not is_name and _is_empty(n.value):
                found.add(n.value)
        elif isinstance(n, ast.Dict):
            found.update(value for value in n.values if _is_empty(value))
    return found


def _is_empty(value: ast.expr) -> bool:
    return isinstance(value, ast.List) and not value.elts


def _find(block: Sequence[ast.stmt], names: set[str], stops: Mapping[ast.AST, list[str]], growth: Growth) -> None:
    #: Lists that nothing but their names knows here, and the displays that made them.
    alone: dict[str, ast.AST] = {}
    for s in block:
        for inner in blocks(s):
            _find(inner, names, stops, growth)
        made = _displays(s)
        if made:
            alone = {name: display for name, display in alone.items() if not _mentions(s, name)}
            # (A display may hold what it replaces: `x = [x]`.)
            alone |= {name: display for name, display in made.items() if name in names and _mentions(s, name) == 1}
            continue
        for name, display in list(alone.items()):
            mentions = _mentions(s, name)
            if not mentions or (appended_to(s) == name and mentions == 1):
                continue
            appends = [part for part in s.body if appended_to(part) == name] if isinstance(s, ast.For) else []
            if len(appends) != mentions or stops.get(s):
                del alone[name]
                continue
            growth.displays.add(display)
            growth.loops.setdefault(s, []).append(name)
            growth.appends.update(appends)


def _displays(s: ast.stmt) -> dict[str, ast.AST]:
    """The names that a statement binds to list displays."""
    if not isinstance(s, ast.Assign) or len(s.targets) != 1:
        return {}
    target, value = s.targets[0], s.value
    pairs: list[tuple[ast.expr, ast.expr]] = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        pairs = list(zip(target.elts, value.elts, strict=True))
    return {t.id: v for t, v in pairs if isinstance(t, ast.Name) and isinstance(v, ast.List)}


def appended_to(s: ast.stmt) -> str | None:
    """The name of the list to which a statement appends an item, and does nothing else."""
    match s:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), "append"), [item], [])):
            return None if isinstance(item, ast.Starred) else name
    return None


def _mentions(node: ast.AST, name: str) -> int:
    return sum(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node))
