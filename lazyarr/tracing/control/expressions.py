"""Expressions of transformed code: calls, conditions and reads of names that may be undefined go through the control.

========================  ==============================================================
``f(x, k=y)``             ``__control__.call(f, x, k=y)``; ``over(f, x)`` where a ``for`` runs over it
``a and b``               ``__control__.and_(a, lambda: b)``, likewise ``or_``
``not a``                 ``__control__.not_(a)``
``a if c else b``         ``__control__.if_expression(c, lambda: a, lambda: b, line)``
``a < b <= c``            ``and_(a < b, lambda: b <= c)``, where `b` is evaluated once
``x`` (may be undefined)  ``__control__.read(x)``
``[x, y]`` (that grows)   ``__control__.list_([x, y])``
``[f(a) for a in b]``     ``__control__.listed(b, lambda item: f(item), line)``
``any(f(a) for a in b)``  ``__control__.asked(any, b, lambda item: f(item), "any", line)``, likewise ``all``
========================  ==============================================================

An operand with ``:=`` in it keeps the Python form: in a lambda the name would be the lambda's own.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection

from lazyarr.tracing.control.assignment import Assignment
from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.control.liveness import walrus
from lazyarr.tracing.control.nodes import Fresh, control_call, parameters, place, thunk, where
from lazyarr.tracing.control.scope import Scope, bound_by

#: Iterators over what they are given, which nobody else sees where that is a call, too.
_ITERATORS = frozenset({"enumerate", "zip", "reversed"})


class Expressions:
    """Transforms the expressions of one function, in place.

    Parameters
    ----------
    scope : Scope
        The function's names.
    assignment : Assignment
        Which of its reads may fail.
    fresh : Fresh
        Where new names come from.
    nested : callable
        Transforms a lambda, which is a function of its own.
    growing : collection of nodes
        Displays of lists that grow in loops (see `growth`).
    """

    def __init__(
        self, scope: Scope, assignment: Assignment, fresh: Fresh, nested: Callable[[ast.Lambda], None],
        growing: Collection[ast.AST] = (),
    ):  # fmt: skip
        self._growing = growing
        self._scope = scope
        self._assignment = assignment
        self._fresh = fresh
        self._nested = nested
        self._hidden: frozenset[str] = frozenset()

    def __call__(self, e: ast.expr) -> ast.expr:
        """The transformed expression."""
        match e:
            case ast.Name():
                return self._name(e)
            case ast.Constant():
                return e
            case ast.Call():
                return self._call(e)
            case ast.BoolOp():
                return self._bool_op(e)
            case ast.UnaryOp(op=ast.Not()):
                return control_call("not_", [self(e.operand)], e)
            case ast.IfExp():
                return self._if_expression(e)
            case ast.Compare() if len(e.ops) > 1:
                return self._chain(e)
            case ast.Compare(ops=[ast.Is() | ast.IsNot()]) if any(map(_is_bool, (e.left, *e.comparators))):
                sides = [self(side) for side in sorted((e.left, e.comparators[0]), key=_is_bool)]
                found = control_call("is_bool", sides, e)
                return found if isinstance(e.ops[0], ast.Is) else control_call("not_", [found], e)
            case ast.Lambda():
                self.defaults(e.args)
                self._nested(e)
                return e
            case ast.ListComp() if _is_plain(e):
                return self._listed(e)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                return self._comprehension(e)
            case ast.List() if e in self._growing:
                self.children(e)
                return control_call("list_", [e], e)
            case _:
                self.children(e)
                return e

    def children(self, node: ast.AST) -> None:
        """Transform the expressions that are parts of a node."""
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                setattr(node, field, self(value))
            elif isinstance(value, list):
                for k, part in enumerate(value):
                    if isinstance(part, ast.expr):
                        value[k] = self(part)
                    elif isinstance(part, ast.keyword | ast.comprehension | ast.withitem):
                        self.children(part)

    def defaults(self, args: ast.arguments) -> None:
        """Transform the default values of a function's parameters."""
        args.defaults = [self(d) for d in args.defaults]
        args.kw_defaults = [None if d is None else self(d) for d in args.kw_defaults]

    def _name(self, e: ast.Name) -> ast.expr:
        if not isinstance(e.ctx, ast.Load) or e.id in self._hidden:
            return e
        if e in self._assignment.unsure:
            return control_call("read_free" if e in self._assignment.unsure_free else "read", [e], e)
        owner = self._scope.owner(e.id)
        if owner is not None and owner is not self._scope and e.id in owner.undefinable:
            return control_call("read_free", [e], e)
        return e

    def iterable(self, e: ast.expr) -> ast.expr:
        """What a ``for`` runs over. Of a call only the loop has the result: an iterator need not be one."""
        return self._call(e, "over") if isinstance(e, ast.Call) else self(e)

    def _call(self, e: ast.Call, method: str = "call") -> ast.expr:
        f = e.func
        if isinstance(f, ast.Name) and f.id == "super" and not e.args and not e.keywords:
            if self._scope.owner("super") is None and "super" not in self._hidden:
                if self._hidden or not self._scope.parameters:
                    raise NotConverted("super() without arguments, outside a method's own statements", e.lineno)
                first = self._scope.parameters[0]
                e.args = [place(ast.Name("__class__", ast.Load()), e), place(ast.Name(first, ast.Load()), e)]
        if isinstance(f, ast.Name) and f.id in ("any", "all") and len(e.args) == 1 and not e.keywords:
            [asked] = e.args
            if isinstance(asked, ast.GeneratorExp) and _is_plain(asked) and self._scope.owner(f.id) is None:
                name = ast.Constant(f.id)
                iterable, item, line = self._listed(asked).args
                return control_call("asked", [self(f), iterable, item, place(name, f), line], e)
        if isinstance(f, ast.Attribute) and f.end_lineno is not None and not _unpacks(e):
            # Where Python says a method's call is: at its name, if that is on a later line than the object begins.
            if e.lineno != f.end_lineno and f.end_col_offset is not None:
                e.col_offset = max(0, f.end_col_offset - len(f.attr.encode()))
            e.lineno = f.end_lineno
        if method == "over" and isinstance(f, ast.Name) and f.id in _ITERATORS and self._scope.owner(f.id) is None:
            e.args = [self.iterable(a) for a in e.args]
            e.func = self(f)
            for keyword in e.keywords:
                self.children(keyword)
        else:
            self.children(e)
        return control_call(method, [e.func, *e.args], e, e.keywords)

    def _bool_op(self, e: ast.BoolOp) -> ast.expr:
        if any(walrus(v) for v in e.values[1:]):
            self.children(e)
            return e
        values = [self(v) for v in e.values]
        name = "and_" if isinstance(e.op, ast.And) else "or_"
        return control_call(name, [values[0], *map(thunk, values[1:])], e)

    def _if_expression(self, e: ast.IfExp) -> ast.expr:
        if walrus(e.body) or walrus(e.orelse):
            self.children(e)
            return e
        parts = [self(e.test), thunk(self(e.body)), thunk(self(e.orelse)), ast.Constant(e.lineno)]
        return control_call("if_expression", parts, where("test", e, e.test))

    def _chain(self, e: ast.Compare) -> ast.expr:
        operands = [e.left, *e.comparators]
        if any(walrus(o) for o in operands[2:]):
            self.children(e)
            return e
        return self._chained([self(o) for o in operands], e.ops, e)

    def _chained(self, operands: list[ast.expr], ops: list[ast.cmpop], at: ast.Compare) -> ast.expr:
        """``a < b < c ...`` of transformed operands."""
        left, middle, *rest = operands
        if not rest:
            return place(ast.Compare(left, ops, [middle]), at)
        if isinstance(middle, ast.Name | ast.Constant):
            again: ast.expr = (
                ast.Name(middle.id, ast.Load()) if isinstance(middle, ast.Name) else ast.Constant(middle.value)
            )
            tail = self._chained([place(again, middle), *rest], ops[1:], at)
            return control_call("and_", [place(ast.Compare(left, ops[:1], [middle]), at), thunk(tail)], at)
        # (lambda l, m: and_(l < m, lambda: m < c ...))(a, b)
        names = [self._fresh.new("left"), self._fresh.new("middle")]
        loads: list[ast.expr] = [place(ast.Name(n, ast.Load()), at) for n in names]
        once = self._chained([*loads, *rest], ops, at)
        return place(ast.Call(ast.Lambda(parameters(*names), once), [left, middle], []), at)

    def _listed(self, e: ast.ListComp | ast.GeneratorExp) -> ast.Call:
        """A comprehension of one ``for``: the function of an item has the comprehension's variables."""
        target, line = e.generators[0].target, e.lineno
        self._comprehension(e)
        names = [part.id for part in (target.elts if isinstance(target, ast.Tuple) else [target])]  # type: ignore[attr-defined]
        item = place(ast.Lambda(parameters(*names), e.elt), e.elt)
        if isinstance(target, ast.Tuple):
            whole = self._fresh.new("item")
            taken: list[ast.expr] = [ast.Starred(ast.Name(whole, ast.Load()), ast.Load())]
            item = place(ast.Lambda(parameters(whole), place(ast.Call(item, taken, []), e.elt)), e.elt)
        return control_call("listed", [e.generators[0].iter, item, ast.Constant(line)], e)

    def _comprehension(self, e: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> ast.expr:
        first = e.generators[0]
        first.iter = self.iterable(first.iter)
        before = self._hidden
        self._hidden = before.union(*(bound_by(g.target) for g in e.generators))
        for k, generator in enumerate(e.generators):
            if k:
                generator.iter = self.iterable(generator.iter)
            generator.target = self(generator.target)
            generator.ifs = [self(test) for test in generator.ifs]
        if isinstance(e, ast.DictComp):
            e.key, e.value = self(e.key), self(e.value)
        else:
            e.elt = self(e.elt)
        self._hidden = before
        return e


def _unpacks(e: ast.Call) -> bool:
    return any(isinstance(a, ast.Starred) for a in e.args) or any(k.arg is None for k in e.keywords)


def _is_plain(e: ast.ListComp | ast.GeneratorExp) -> bool:
    """Whether a comprehension has one ``for`` over names, and nothing in it keeps its variables for later."""
    [first, *others] = e.generators
    targets = first.target.elts if isinstance(first.target, ast.Tuple) else [first.target]
    late = (ast.Lambda, ast.GeneratorExp, ast.NamedExpr)
    return (
        not others and not first.ifs and not first.is_async and bool(targets)
        and all(isinstance(t, ast.Name) for t in targets) and len({t.id for t in targets}) == len(targets)  # type: ignore[attr-defined]
        and not any(isinstance(part, late) for part in ast.walk(e.elt))
    )  # fmt: skip


def _is_bool(e: ast.expr) -> bool:
    """Whether an expression is ``True``, ``False``, or (as far as its name says) one of NumPy's two."""
    if isinstance(e, ast.Attribute):
        return e.attr in ("True_", "False_")
    return isinstance(e, ast.Constant) and type(e.value) is bool
