"""A function's loops, branches and calls, rewritten as calls of a control object: see docs/control-flow.md."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from lazyarr.tracing.control.assignment import Assignment
from lazyarr.tracing.control.expressions import Expressions
from lazyarr.tracing.control.growth import find_growth
from lazyarr.tracing.control.jumps import Lowering
from lazyarr.tracing.control.liveness import Liveness, assigned, states, walrus
from lazyarr.tracing.control.nodes import (
    GENERATED,
    Fresh,
    after_docstring,
    children,
    control_call,
    definition,
    parameters,
    place,
    thunk,
    where,
)
from lazyarr.tracing.control.python import Info, Undefined
from lazyarr.tracing.control.rename import rename_comprehension_variables
from lazyarr.tracing.control.scope import Function, Scope, scopes
from lazyarr.tracing.control.tuples import split_tuples


@dataclass
class Constants:
    """Objects of the transformed code that have no literal: a string stands for each until the code is compiled."""

    file: str
    private: str | None
    values: dict[str, Any] = field(default_factory=dict)

    def stand_in(self, value: Any) -> ast.expr:
        """The literal that stands for `value`."""
        key = f"\0lazyarr constant {len(self.values)}"
        self.values[key] = value
        return ast.Constant(key)

    def mangled(self, name: str) -> str:
        """A name as Python has it in the class that the function is defined in."""
        return name if GENERATED.match(name) else mangled(name, self.private)


def mangled(name: str, private: str | None) -> str:
    """A private name with its class."""
    stripped = (private or "").lstrip("_")
    if not stripped or not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    return f"_{stripped}{name}"


def transform(root: Function, constants: Constants) -> None:
    """Transform a function definition or lambda in place.

    Parameters
    ----------
    root : FunctionDef or Lambda
    constants : Constants
        Takes the objects that the code refers to.

    Raises
    ------
    NotConverted
        If the function cannot be transformed.
    """
    found, fresh = scopes(root), Fresh()
    if rename_comprehension_variables(root, found, fresh):
        found = scopes(root, renamed=True)
    if split_tuples(found):
        found = scopes(root, renamed=True)
    _Function(found[root], found, constants, fresh).run()


class _Function:
    """The transformation of one function; of those in it, each by one of its own."""

    def __init__(self, scope: Scope, found: dict[ast.AST, Scope], constants: Constants, fresh: Fresh):
        self._scope = scope
        self._found = found
        self._constants = constants
        self._fresh = fresh

    def run(self) -> None:
        node = self._scope.node
        jumps = Lowering(self._fresh)
        if isinstance(node, ast.FunctionDef):
            node.body = jumps.function(node)
            # The names of jumps belong to the function like the user's.
            self._scope.locals |= set(filter(GENERATED.match, assigned(node.body)))
        self._stops = jumps.stops
        self._states = states(self._scope)
        assignment = Assignment(self._scope, self._found, self._states)
        self._unsure = assignment.unsure
        self._live = Liveness(self._scope, jumps.stops)
        self._growth = find_growth(self._scope, jumps.stops)
        self._expression = Expressions(self._scope, assignment, self._fresh, self._nested, self._growth.displays)
        if isinstance(node, ast.Lambda):
            node.body = self._expression(node.body)
            return
        body = self._block(node.body)
        first = body[0]
        start: list[ast.stmt] = []
        for kind, names in ((ast.Global, self._scope.globals), (ast.Nonlocal, self._scope.nonlocals)):
            if names:
                start.append(place(kind(sorted(names)), first))
        for name in sorted(self._scope.undefinable - set(self._scope.parameters)):
            start.append(self._undefine(name, first))
        at = after_docstring(body)
        node.body = [*body[:at], *start, *body[at:]]

    def _nested(self, node: Function) -> None:
        _Function(self._found[node], self._found, self._constants, self._fresh).run()

    # -- statements ----------------------------------------------------------------------------------------

    def _block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        out = [new for s in statements for new in self._statement(s)]
        return out or [place(ast.Pass(), statements[0])]

    def _statement(self, s: ast.stmt) -> list[ast.stmt]:
        match s:
            case ast.For():
                return self._for(s)
            case ast.While():
                return self._while(s)
            case ast.If():
                return self._if(s)
            case ast.FunctionDef():
                s.decorator_list = [self._expression(d) for d in s.decorator_list]
                self._expression.defaults(s.args)
                self._nested(s)
                return [s]
            case ast.Global() | ast.Nonlocal():
                return []
            case ast.Expr(ast.Call(ast.Attribute(found), args=[item])) if s in self._growth.appends:
                s.value = control_call("append", [self._expression(found), self._expression(item)], s.value)
                return [s]
            case ast.Assert():
                return self._assert(s)
            case ast.Delete():
                return self._delete(s)
            case ast.AnnAssign():
                return self._annotated(s)
            case ast.AugAssign():
                check: list[ast.stmt] = []
                if isinstance(s.target, ast.Name):
                    check = self._check(s.target)
                self._expression.children(s)
                return [*check, s]
            case ast.Try() | ast.TryStar():
                return self._try(s)
            case ast.With():
                self._expression.children(s)
                s.body = self._block(s.body)
                return [s]
            case ast.Match():
                s.subject = self._expression(s.subject)
                for case in s.cases:
                    if case.guard is not None:
                        case.guard = self._expression(case.guard)
                    case.body = self._block(case.body)
                return [s]
            case _:
                self._expression.children(s)
                return [s]

    def _for(self, s: ast.For) -> list[ast.stmt]:
        item, bound = self._fresh.new("item"), assigned([s], whole=False)
        assign = ast.Assign([self._expression(s.target)], place(ast.Name(item, ast.Load()), s.target))
        state, arguments = self._state(s)
        iterable = self._expression.iterable(s.iter)
        body = [ast.copy_location(assign, s.target), *self._block(s.body)]
        run = self._define("for", body, s, bound, item)
        defined = [run]
        if self._stops[s]:
            defined.append(self._test(None, self._stops[s], s))
            arguments.append(_load(defined[-1].name, s))
        lists: list[ast.expr] = [_load(name, s) for name in self._growth.loops.get(s, ())]
        if lists:
            arguments += [place(ast.Constant(None), s), place(ast.Tuple(lists, ast.Load()), s)]
        call = control_call("for_", [iterable, _load(run.name, s), *arguments], where("iterate", s, s.iter))
        return [*defined, *state, place(ast.Expr(call), s)]

    def _while(self, s: ast.While) -> list[ast.stmt]:
        state, arguments = self._state(s)
        bound = assigned(s.body)
        test = self._test(s.test, self._stops[s], s)
        run = self._define("while", self._block(s.body), s, bound)
        call = control_call("while_", [_load(test.name, s), _load(run.name, s), *arguments], where("test", s, s.test))
        return [test, run, *state, place(ast.Expr(call), s)]

    def _if(self, s: ast.If) -> list[ast.stmt]:
        state, arguments = self._state(s)
        test = self._expression(s.test)
        orelse = s.orelse or [place(ast.Pass(), s)]
        bound = [assigned(s.body), assigned(orelse)]
        then = self._define("then", self._block(s.body), s, bound[0])
        other = self._define("else", self._block(orelse), s, bound[1])
        branches = [_load(then.name, s), _load(other.name, s)]
        call = control_call("if_", [test, *branches, *arguments], where("test", s, s.test))
        return [then, other, *state, place(ast.Expr(call), s)]

    def _state(self, s: ast.For | ast.While | ast.If) -> tuple[list[ast.stmt], list[ast.expr]]:
        """The functions that read and write a statement's state, and the arguments that stand for it."""
        names = self._states[s]
        live_in = self._live.live_in.get(s, frozenset()) | self._scope.captured
        live_out = self._live.live_out.get(s, frozenset()) | self._scope.captured
        outside = [n for n in dict.fromkeys(assigned([s], whole=False)) if n not in self._scope.locals]
        info = Info(
            names=tuple(map(self._constants.mangled, names)),
            live_in=tuple(n in live_in for n in names),
            live_out=tuple(n in live_out for n in names),
            line=s.lineno,
            file=self._constants.file,
            outside=tuple(map(self._constants.mangled, outside)),
            raises=(_ends_in_raise(s.body), _ends_in_raise(s.orelse)) if isinstance(s, ast.If) else (False, False),
        )
        values = self._fresh.new("values")
        result = ast.Return(ast.Tuple([ast.Name(n, ast.Load()) for n in names], ast.Load()))
        into: ast.stmt = ast.Pass()
        if names:
            store = ast.Tuple([ast.Name(n, ast.Store()) for n in names], ast.Store())
            into = ast.Assign([store], ast.Name(values, ast.Load()))
        get = self._define("get", [result], s, [])
        put = self._define("set", [into], s, list(names), values)
        arguments = [_load(get.name, s), _load(put.name, s), place(self._constants.stand_in(info), s)]
        return [get, put], arguments

    def _test(self, test: ast.expr | None, stops: list[str], at: ast.stmt) -> ast.FunctionDef:
        """The function that says whether a loop goes on: no flag is set, and the loop's own test is true."""
        parts: list[ast.expr] = []
        if stops:
            loads = [_load(n, at) for n in stops]
            stop = loads[0] if len(loads) == 1 else control_call("or_", [loads[0], *map(thunk, loads[1:])], at)
            parts.append(control_call("not_", [stop], at))
        bound = []
        result: ast.expr
        if test is not None:
            bound = walrus(test)
            own = self._expression(test)
            if parts and bound:
                result = place(ast.BoolOp(ast.And(), [parts[0], own]), test)
            else:
                result = control_call("and_", [parts[0], thunk(own)], test) if parts else own
        else:
            result = parts[0]
        return self._define("test", [place(ast.Return(result), test or at)], at, bound)

    def _define(self, kind: str, body: list[ast.stmt], at: ast.AST, bound: list[str], *params: str) -> ast.FunctionDef:
        start: list[ast.stmt] = []
        if self._scope.globals:
            start.append(ast.Global(sorted(self._scope.globals)))
        names = sorted(set(bound) - self._scope.globals)
        if names:
            start.append(ast.Nonlocal(names))
        node = definition(self._fresh.new(kind), parameters(*params), [*start, *body])
        for s in body:
            place(s, at)
        return place(node, at)

    def _assert(self, s: ast.Assert) -> list[ast.stmt]:
        if not __debug__:
            return []
        if s.msg is not None and walrus(s.msg):
            self._expression.children(s)
            return [s]
        message = [] if s.msg is None else [thunk(self._expression(s.msg))]
        call = control_call("assert_", [self._expression(s.test), *message], where("assert", s, s.test))
        return [place(ast.Expr(call), s)]

    def _delete(self, s: ast.Delete) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        pending = list(s.targets)
        while pending:
            target = pending.pop(0)
            if isinstance(target, ast.Tuple | ast.List):
                pending[:0] = target.elts
            elif isinstance(target, ast.Name) and self._scope.owner(target.id) is not None:
                out += [*self._check(target), self._undefine(target.id, s)]
            else:
                out.append(ast.copy_location(ast.Delete([self._expression(target)]), s))
        return out

    def _check(self, name: ast.Name) -> list[ast.stmt]:
        """A statement that fails if the name, about to be deleted or changed in place, has no value."""
        read = place(ast.Name(name.id, ast.Load()), name)
        owner = self._scope.owner(name.id)
        if name in self._unsure:
            return [place(ast.Expr(control_call("read", [read], name)), name)]
        if owner is not None and owner is not self._scope and name.id in owner.undefinable:
            return [place(ast.Expr(control_call("read_free", [read], name)), name)]
        return []

    def _undefine(self, name: str, at: ast.AST) -> ast.stmt:
        value = self._constants.stand_in(Undefined(self._constants.mangled(name)))
        return place(ast.Assign([ast.Name(name, ast.Store())], value), at)

    def _annotated(self, s: ast.AnnAssign) -> list[ast.stmt]:
        """Annotations of local names are not evaluated, and a nonlocal name may have none."""
        if s.value is not None:
            assign = ast.Assign([self._expression(s.target)], self._expression(s.value))
            return [ast.copy_location(assign, s)]
        # Of a target without a value, Python evaluates the parts.
        parts = [] if isinstance(s.target, ast.Name) else list(children(s.target))
        return [place(ast.Expr(self._expression(p)), s) for p in parts if isinstance(p, ast.expr)]

    def _try(self, s: ast.Try | ast.TryStar) -> list[ast.stmt]:
        s.body = self._block(s.body)
        for handler in s.handlers:
            if handler.type is not None:
                handler.type = self._expression(handler.type)
            body = self._block(handler.body)
            if handler.name is not None and self._scope.owner(handler.name) is not None:
                # Python's own name for the exception would be unbound at the end, in a way that nobody can read.
                name, handler.name = handler.name, self._fresh.new("error")
                given = place(ast.Assign([ast.Name(name, ast.Store())], _load(handler.name, handler)), handler)
                body = [given, place(ast.Try(body, [], [], [self._undefine(name, handler)]), handler)]
            handler.body = body
        s.orelse = self._block(s.orelse) if s.orelse else []
        s.finalbody = self._block(s.finalbody) if s.finalbody else []
        return [s]


def _load(name: str, at: ast.AST) -> ast.expr:
    return place(ast.Name(name, ast.Load()), at)


def _ends_in_raise(block: list[ast.stmt]) -> bool:
    return bool(block) and isinstance(block[-1], ast.Raise)
