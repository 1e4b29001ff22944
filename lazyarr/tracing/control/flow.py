"""Names that surely have values, and that may still be read, in a function as it is written."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.control.jumps import blocks
from lazyarr.tracing.control.liveness import targets
from lazyarr.tracing.control.nodes import children
from lazyarr.tracing.control.scope import Comprehension, bound_by, outer_parts

Names = frozenset[str]
#: What is known where control never arrives.
_NOWHERE = None


class Flow:
    """One walk over statements, with their jumps, from names that surely have values.

    Where it is not sure, a name has no value, and may be read.

    Parameters
    ----------
    statements : sequence of stmt
    given : set of str
        Names that have values before the first.

    Attributes
    ----------
    exposed : set of str
        Names that may be read without having got a value in these statements.
    before : dict
        By loop, branch and simple statement, the names that surely have values where it begins.

    Raises
    ------
    NotConverted
        If there are statements that this does not follow.
    """

    def __init__(self, statements: Sequence[ast.stmt], given: Names = frozenset()):
        self.exposed: set[str] = set()
        self.before: dict[ast.stmt, Names] = {}
        self._block(statements, given)

    def _block(self, statements: Sequence[ast.stmt], known: Names | None) -> Names | None:
        for s in statements:
            if known is _NOWHERE:
                return _NOWHERE
            known = self._statement(s, known)
        return known

    def _statement(self, s: ast.stmt, known: Names) -> Names | None:
        match s:
            case ast.If():
                self.before[s] = known
                self._reads(s.test, known)
                return _joined(self._block(s.body, known), self._block(s.orelse, known))
            case ast.For():
                self.before[s] = known
                self._reads(s.iter, known)
                self._reads(s.target, known)
                self._block(s.body, known | bound_by(s.target))
                self._block(s.orelse, known)
                return known
            case ast.While():
                self.before[s] = known
                self._reads(s.test, known)
                self._block(s.body, known)
                self._block(s.orelse, known)
                return known
            case ast.With():
                inside = known
                for item in s.items:
                    self._reads(item.context_expr, inside)
                    if item.optional_vars is not None:
                        self._reads(item.optional_vars, inside)
                        inside = inside | bound_by(item.optional_vars)
                self._block(s.body, inside)
                return known
            case ast.Try() | ast.TryStar():
                for block in (s.body, *(h.body for h in s.handlers), s.orelse, s.finalbody):
                    self._block(block, known)
                for handler in s.handlers:
                    if handler.type is not None:
                        self._reads(handler.type, known)
                return known
            case ast.FunctionDef():
                for part in (*outer_parts(s), *s.body):
                    self._reads(part, known)
                return known | {s.name}
            case ast.Import() | ast.ImportFrom():
                return known | {a.asname or a.name.partition(".")[0] for a in s.names}
            case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
                self._reads(s, known)
                return _NOWHERE
            case ast.AugAssign():
                self.before[s] = known
                self._reads(s, known)
                if isinstance(s.target, ast.Name) and s.target.id not in known:
                    self.exposed.add(s.target.id)
                return known | set(targets(s))
            case ast.Assign() | ast.AnnAssign() | ast.Expr() | ast.Assert() | ast.Pass() | ast.Global():
                self.before[s] = known
                self._reads(s, known)
                return known | set(targets(s))
        raise NotConverted(f"a {type(s).__name__.lower()} statement", s.lineno)

    def _reads(self, node: ast.AST, known: Names) -> None:
        """Note what an expression (or a simple statement) reads; that of functions in it counts as if it were here."""
        if isinstance(node, ast.NamedExpr):
            raise NotConverted("an assignment in an expression", node.lineno)
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load) and node.id not in known:
                self.exposed.add(node.id)
            return
        if isinstance(node, Comprehension):
            self._reads(node.generators[0].iter, known)  # Its names are those around the comprehension.
            known = known | {name for g in node.generators for name in bound_by(g.target)}
        for part in children(node):
            self._reads(part, known)


def _joined(a: Names | None, b: Names | None) -> Names | None:
    if a is _NOWHERE or b is _NOWHERE:
        return a if b is _NOWHERE else b
    return a & b


def loops(statements: Sequence[ast.stmt]) -> list[ast.For | ast.While]:
    """All loops in statements, those in loops included."""
    found: list[ast.For | ast.While] = []
    for s in statements:
        found += [s] if isinstance(s, ast.For | ast.While) else []
        for block in blocks(s):
            found += loops(block)
    return found
