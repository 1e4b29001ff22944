"""Which names surely have a value where they are read: a forward analysis of a function without jumps."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence

from lazyarr.tracing.control.jumps import always_true, blocks
from lazyarr.tracing.control.nodes import GENERATED, children
from lazyarr.tracing.control.scope import Comprehension, Scope, annotated_with, bound_by, outer_parts

#: Names that have a value; None where control never arrives.
Assigned = frozenset[str] | None


class Assignment:
    """The names of one function that may be undefined.

    Fills `Scope.undefinable`, and collects the following.

    Attributes
    ----------
    unsure : set of Name nodes
        Reads (and deletions, and augmented assignments) of local names that may have no value there.
    unsure_free : set of Name nodes
        The same in what Python runs as a function of its own, with another message.
    """

    def __init__(self, scope: Scope, scopes: dict[ast.AST, Scope], states: dict[ast.AST, tuple[str, ...]]):
        self._scope = scope
        self._scopes = scopes
        self._states = states
        self._extra: set[str] = set()
        self.unsure: set[ast.AST] = set()
        self.unsure_free: set[ast.AST] = set()
        scope.undefinable |= scope.unsafe
        body = scope.node.body
        start: Assigned = frozenset(scope.parameters) - scope.unsafe
        if isinstance(body, list):
            self.block(body, start)
        else:
            self.expression(body, start)

    # -- statements ----------------------------------------------------------------------------------------

    def block(self, statements: Sequence[ast.stmt], assigned: Assigned) -> Assigned:
        for s in statements:
            assigned = self.statement(s, assigned)
        return assigned

    def statement(self, s: ast.stmt, assigned: Assigned) -> Assigned:
        if s in self._states:
            before = self.expression(s.iter, assigned) if isinstance(s, ast.For) else assigned
            before = self.expression(s.test, assigned) if isinstance(s, ast.If) else before
            self._scope.undefinable |= set(self._states[s]) - (before or frozenset())
        match s:
            case ast.If():
                assigned = self.expression(s.test, assigned)
                return join(self.block(s.body, assigned), self.block(s.orelse, assigned))
            case ast.For():
                assigned = without(self.expression(s.iter, assigned), deleted(s.body))
                self.block(s.body, self.store(s.target, assigned))
                return assigned
            case ast.While():
                assigned = self.expression(s.test, without(assigned, deleted(s.body)))
                end = self.block(s.body, assigned)
                return end if always_true(s.test) else join(assigned, end)
            case ast.Try() | ast.TryStar():
                return self._try(s, assigned)
            case ast.With():
                inside = assigned
                for item in s.items:
                    inside = self.expression(item.context_expr, inside)
                    if item.optional_vars is not None:
                        inside = self.store(item.optional_vars, inside)
                end = self.block(s.body, inside)
                # The exception of any statement may be taken by the context manager.
                return join(end, without(assigned, deleted(s.body)))
            case ast.Match():
                return self._match(s, assigned)
            case ast.FunctionDef():
                for part in [*outer_parts(s), *annotated_with(s)]:
                    assigned = self.expression(part, assigned)
                self.captures(s, with_names(assigned, [s.name]))
                return with_names(assigned, self._safe([s.name]))
            case ast.Assign():
                assigned = self.expression(s.value, assigned)
                for target in s.targets:
                    assigned = self.store(target, assigned)
                return assigned
            case ast.AnnAssign():
                if s.value is not None:
                    return self.store(s.target, self.expression(s.value, assigned))
                return assigned if isinstance(s.target, ast.Name) else self.store(s.target, assigned)
            case ast.AugAssign():
                if isinstance(s.target, ast.Name):
                    self.read(s.target, assigned)
                    return with_names(self.expression(s.value, assigned), self._safe([s.target.id]))
                return self.expression(s.value, self.store(s.target, assigned))
            case ast.Delete():
                for gone in s.targets:
                    assigned = self._delete(gone, assigned)
                return assigned
            case ast.Import() | ast.ImportFrom():
                return with_names(assigned, self._safe(a.asname or a.name.partition(".")[0] for a in s.names))
            case ast.Assert():
                assigned = self.expression(s.test, assigned)
                if s.msg is not None:
                    self.expression(s.msg, assigned)
                return assigned
            case ast.Return() | ast.Raise():
                self.parts(s, assigned)
                return None
            case _:
                return self.parts(s, assigned)

    def _try(self, s: ast.Try | ast.TryStar, assigned: Assigned) -> Assigned:
        raised = without(assigned, deleted(s.body))
        body = self.block(s.body, assigned)
        ends = [self.block(s.orelse, body)]
        for handler in s.handlers:
            inside = raised if handler.type is None else self.expression(handler.type, raised)
            if handler.name:
                self._scope.undefinable.add(handler.name)
                end = self.block(handler.body, with_names(inside, self._safe([handler.name])))
                ends.append(without(end, {handler.name}))
            else:
                ends.append(self.block(handler.body, inside))
        after = join(*ends)
        if not s.finalbody:
            return after
        anywhere = deleted([*s.body, *s.orelse]) | {h.name for h in s.handlers if h.name}
        anywhere |= deleted([b for h in s.handlers for b in h.body])
        self.block(s.finalbody, without(assigned, anywhere))
        gone = deleted(s.finalbody)
        # What the try statement has assigned is assigned after its finally clause too, if that is left normally.
        end = self.block(s.finalbody, after)
        return without(end, gone) if after is not None else None

    def _match(self, s: ast.Match, assigned: Assigned) -> Assigned:
        assigned = self.expression(s.subject, assigned)
        ends: list[Assigned] = []
        for case in s.cases:
            names = [
                n.rest if isinstance(n, ast.MatchMapping) else n.name
                for n in ast.walk(case.pattern)
                if isinstance(n, ast.MatchAs | ast.MatchStar | ast.MatchMapping)
            ]
            for node in ast.walk(case.pattern):
                if isinstance(node, ast.Name):
                    self.read(node, assigned)
            inside = with_names(assigned, self._safe(n for n in names if n))
            if case.guard is not None:
                inside = self.expression(case.guard, inside)
            ends.append(self.block(case.body, inside))
        return join(assigned, *ends)

    def _delete(self, target: ast.expr, assigned: Assigned) -> Assigned:
        if isinstance(target, ast.Name):
            self.read(target, assigned)
            if target.id in self._scope.locals:
                self._scope.undefinable.add(target.id)
            return without(assigned, {target.id})
        if isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                assigned = self._delete(part, assigned)
            return assigned
        return self.store(target, assigned)

    def store(self, target: ast.expr, assigned: Assigned) -> Assigned:
        """An assignment to `target`: what its parts read, and the names it binds."""
        if isinstance(target, ast.Name):
            return with_names(assigned, self._safe([target.id]))
        if isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                assigned = self.store(part, assigned)
            return assigned
        if isinstance(target, ast.Starred):
            return self.store(target.value, assigned)
        return self.parts(target, assigned)

    def _safe(self, names: Iterable[str]) -> list[str]:
        """The names that no nested function may delete."""
        return [n for n in names if n not in self._scope.unsafe]

    # -- expressions, in the order of evaluation -----------------------------------------------------------

    def expression(self, e: ast.AST, assigned: Assigned) -> Assigned:
        match e:
            case ast.Name():
                if isinstance(e.ctx, ast.Load):
                    self.read(e, assigned)
                return assigned
            case ast.NamedExpr():
                return with_names(self.expression(e.value, assigned), self._safe([e.target.id]))
            case ast.IfExp():
                assigned = self.expression(e.test, assigned)
                self.expression(e.body, assigned)
                self.expression(e.orelse, assigned)
                return assigned
            case ast.BoolOp():
                assigned = self.expression(e.values[0], assigned)
                inside = assigned
                for value in e.values[1:]:
                    inside = self.expression(value, inside)
                return assigned
            case ast.Compare():
                assigned = self.expression(e.comparators[0], self.expression(e.left, assigned))
                inside = assigned
                for value in e.comparators[1:]:
                    inside = self.expression(value, inside)
                return assigned
            case ast.Lambda():
                for part in outer_parts(e):
                    assigned = self.expression(part, assigned)
                self.captures(e, assigned)
                return assigned
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._comprehension(e, assigned)
            case _:
                return self.parts(e, assigned)

    def parts(self, node: ast.AST, assigned: Assigned) -> Assigned:
        """The expressions that a node consists of."""
        for part in children(node):
            assigned = self.expression(part, assigned)
        return assigned

    def _comprehension(self, e: Comprehension, assigned: Assigned) -> Assigned:
        assigned = self.expression(e.generators[0].iter, assigned)
        inner = frozenset().union(*(bound_by(g.target) for g in e.generators))
        # Python 3.12 runs comprehensions as part of the function.
        apart = isinstance(e, ast.GeneratorExp) or sys.version_info < (3, 12)
        walk = _Inner(self, inner, apart)
        inside = with_names(assigned, inner)
        for k, generator in enumerate(e.generators):
            if k:
                inside = walk.expression(generator.iter, inside)
            inside = walk.store(generator.target, inside)
            for test in generator.ifs:
                inside = walk.expression(test, inside)
        for part in [e.key, e.value] if isinstance(e, ast.DictComp) else [e.elt]:
            inside = walk.expression(part, inside)
        if isinstance(e, ast.GeneratorExp) and assigned is not None:
            self._scope.undefinable |= (self._scope.deferred & self._scope.locals) - assigned - inner
        return assigned

    def captures(self, function: ast.AST, assigned: Assigned) -> None:
        """A nested function: the names it uses may be read at any time from now on."""
        if assigned is not None:
            self._scope.undefinable |= (self._scopes[function].free & self._scope.locals) - assigned

    def read(self, node: ast.Name, assigned: Assigned) -> None:
        """A name is read (or deleted)."""
        if assigned is not None and node.id in self._scope.locals and node.id not in assigned:
            if not GENERATED.match(node.id):  # those are read only where they have a value
                self.unsure.add(node)
            self._scope.undefinable.add(node.id)


class _Inner(Assignment):
    """The inside of a comprehension, whose variables are its own."""

    def __init__(self, outer: Assignment, inner: frozenset[str], apart: bool):
        self._outer = outer
        self._scope = outer._scope
        self._scopes = outer._scopes
        self._inner = inner
        self._apart = apart
        self.unsure = outer.unsure
        self.unsure_free = outer.unsure_free

    def read(self, node: ast.Name, assigned: Assigned) -> None:
        if node.id not in self._inner:
            known = len(self.unsure)
            self._outer.read(node, assigned)
            if self._apart and len(self.unsure) > known:
                self.unsure_free.add(node)


def join(*states: Assigned) -> Assigned:
    """What is assigned on all of several ways."""
    arriving = [s for s in states if s is not None]
    return frozenset.intersection(*arriving) if arriving else None


def without(assigned: Assigned, names: set[str]) -> Assigned:
    """`assigned`, less some names."""
    return None if assigned is None else assigned - names


def with_names(assigned: Assigned, names: Iterable[str]) -> Assigned:
    """`assigned`, and some names."""
    return None if assigned is None else assigned.union(names)


def deleted(statements: Sequence[ast.stmt]) -> set[str]:
    """Names that a block may leave without a value."""
    found: set[str] = set()
    for s in statements:
        if isinstance(s, ast.Delete):
            found |= {n.id for t in s.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        if isinstance(s, ast.Try | ast.TryStar):
            found |= {h.name for h in s.handlers if h.name}
        for block in blocks(s):
            found |= deleted(block)
    return found
