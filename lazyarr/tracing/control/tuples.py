"""Variables that only ever hold tuples of one length become a variable for each element.

``best = (cost, k)`` in a branch is then two variables, each with its own type: what compilers call scalar replacement
of aggregates. A part of `best` is named ``best[0]``, which no user's name is.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from lazyarr.tracing.control.nodes import children, place
from lazyarr.tracing.control.scope import Scope

#: Longer tuples are left as they are.
_LONGEST = 16


def split_tuples(found: Mapping[ast.AST, Scope]) -> bool:
    """Split, in place, variables of the functions in `found`.

    A variable is split that belongs to one function alone, is assigned before it is used, more than once, and always a
    tuple display of one length.

    Returns
    -------
    bool
        Whether anything has changed.
    """
    changed = False
    for scope in found.values():
        if isinstance(scope.node, ast.FunctionDef):
            changed |= _split(scope)
    return changed


def _split(scope: Scope) -> bool:
    assert isinstance(scope.node, ast.FunctionDef)
    names = scope.assigned - set(scope.parameters) - scope.globals - scope.nonlocals - scope.deleted
    uses = _Uses(names - scope.captured - scope.shared - scope.deferred)
    known: set[str] = set()
    for statement in scope.node.body:
        uses.visit(statement)
        mentioned = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        first = statement.targets[0] if isinstance(statement, ast.Assign) else None
        # What is first mentioned elsewhere may have no value when it is read.
        uses.fit -= mentioned - known - ({first.id} if isinstance(first, ast.Name) else set())
        known |= mentioned
    lengths = {
        name: next(iter(sizes))
        for name, sizes in uses.sizes.items()
        if name in uses.fit and len(sizes) == 1 and uses.times[name] > 1
    }
    if not lengths:
        return False
    splitter = _Splitter(lengths)
    scope.node.body = [splitter.visit(statement) for statement in scope.node.body]
    return True


class _Uses:
    """How the names of a function are used in its own statements.

    Attributes
    ----------
    fit : set of str
        Those that are bound by assignments of tuple displays only, and used outside of comprehensions.
    sizes : dict
        The lengths of what is assigned to each.
    times : dict
        How often.
    """

    def __init__(self, names: set[str]):
        self.fit = set(names)
        self.sizes: dict[str, set[int]] = {}
        self.times: dict[str, int] = {}

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Name) and isinstance(value, ast.Tuple):
                if 1 < len(value.elts) <= _LONGEST and not any(isinstance(e, ast.Starred) for e in value.elts):
                    self.sizes.setdefault(target.id, set()).add(len(value.elts))
                    self.times[target.id] = self.times.get(target.id, 0) + 1
                    self.visit(value)
                    return
        if isinstance(
            node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Lambda | ast.FunctionDef
        ):
            # (Names of their own may hide those of the function.)
            self.fit -= {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} | {getattr(node, "name", "")}
            return
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            # Which tuple it is counts.
            self.fit -= {part.id for part in (node.left, *node.comparators) if isinstance(part, ast.Name)}
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                self.fit.discard(node.id)
            return
        # Names that stand as text: handlers, patterns, imports.
        for field in ("name", "rest", "asname"):
            self.fit.discard(getattr(node, field, None) or "")
        for part in children(node):
            self.visit(part)


class _Splitter(ast.NodeTransformer):
    def __init__(self, lengths: Mapping[str, int]):
        self._lengths = lengths

    def _parts(self, name: str, context: type[ast.expr_context], at: ast.AST) -> ast.expr:
        names: list[ast.expr] = [ast.Name(f"{name}[{k}]", context()) for k in range(self._lengths[name])]
        return place(ast.Tuple(names, context()), at)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        node.value = self.visit(node.value)
        if isinstance(target, ast.Name) and target.id in self._lengths:
            node.targets = [self._parts(target.id, ast.Store, target)]
        else:
            node.targets = [self.visit(t) for t in node.targets]
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load) and node.value.id in self._lengths:
            length, index = self._lengths[node.value.id], _constant(node.slice)
            if index is not None and -length <= index < length:
                return place(ast.Name(f"{node.value.id}[{index % length}]", ast.Load()), node)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self._lengths and isinstance(node.ctx, ast.Load):
            return self._parts(node.id, ast.Load, node)
        return node


def _constant(node: ast.expr) -> int | None:
    """The int that an index is, as it stands."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _constant(node.operand)
        return None if inner is None else -inner
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None
