"""Which function a name belongs to: parameters, local names, what nested functions read and write of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.control.nodes import CONTROL, GENERATED, children

Function = ast.FunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp

#: Functions that look at the frame they are called from, which is not the user's in transformed code.
_INTROSPECTING = {"locals", "exec", "eval", "globals"}
_INTROSPECTING_WITHOUT_ARGUMENTS = {"vars", "dir"}
_UNFIT = {
    ast.Yield: "it is a generator",
    ast.YieldFrom: "it is a generator",
    ast.Await: "it is a coroutine",
    ast.AsyncFunctionDef: "it defines a coroutine",
    ast.AsyncFor: "it is a coroutine",
    ast.AsyncWith: "it is a coroutine",
    ast.ClassDef: "it defines a class",
}


class Scope:
    """The names of one function or lambda.

    Attributes
    ----------
    node : FunctionDef or Lambda
    parent : Scope or None
    parameters : list of str
    assigned, deleted, read : set of str
        Names that the function's own statements bind, delete and read. A comprehension's own variables are not among
        them.
    globals, nonlocals : set of str
        Names declared so.
    deferred : set of str
        Names that generator expressions read, possibly later.
    children : list of Scope
        Functions and lambdas defined in it.
    undefinable : set of str
        Local names that hold an `Undefined` at some point where it matters (found by `assignment`).
    locals : set of str
        The function's own names.
    free, rebound, unbound : set of str
        Names of enclosing functions (or globals) that are used here or further in; those bound; those deleted.
    captured, shared, unsafe : set of str
        Local names that nested functions and generator expressions use; those that they bind; those that they delete.
    """

    def __init__(self, node: Function, parent: Scope | None, hidden: frozenset[str] = frozenset()):
        self.node = node
        self.parent = parent
        self.hidden = hidden  # variables of comprehensions around it
        self.parameters = [a.arg for a in arguments(node.args)]
        self.assigned: set[str] = set()
        self.deleted: set[str] = set()
        self.read: set[str] = set()
        self.deferred: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.children: list[Scope] = []
        self.undefinable: set[str] = set()
        # What `close` finds.
        self.locals: set[str] = set()
        self.free: set[str] = set()
        self.rebound: set[str] = set()
        self.unbound: set[str] = set()
        self.captured: set[str] = set()
        self.shared: set[str] = set()
        self.unsafe: set[str] = set()

    def close(self) -> None:
        """Find what follows from the names that were collected here and in the children."""
        self.locals = (self.assigned | set(self.parameters)) - self.globals - self.nonlocals
        free = self.read | self.deferred | self.nonlocals
        rebound = self.nonlocals & self.assigned
        unbound = self.nonlocals & self.deleted
        captured = set(self.deferred)
        for child in self.children:
            captured |= child.free
            rebound |= child.rebound
            unbound |= child.unbound
        self.free = ((free | captured) - self.locals) - self.globals - self.hidden
        self.rebound = rebound - self.locals
        self.unbound = unbound - self.locals
        self.captured = captured & self.locals
        self.shared = rebound & self.locals
        self.unsafe = unbound & self.locals

    def owner(self, name: str) -> Scope | None:
        """The scope among this and the enclosing ones to which a name belongs; None for outer names and globals."""
        if name in self.locals:
            return self
        if name in self.globals or name in self.hidden or self.parent is None:
            return None
        return self.parent.owner(name)


def arguments(args: ast.arguments) -> Iterator[ast.arg]:
    """All parameters, in the order of Python's local variables."""
    yield from args.posonlyargs
    yield from args.args
    yield from args.kwonlyargs
    if args.vararg:
        yield args.vararg
    if args.kwarg:
        yield args.kwarg


def bound_by(target: ast.AST) -> set[str]:
    """Names that the target of an assignment binds."""
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def scopes(root: Function, renamed: bool = False) -> dict[ast.AST, Scope]:
    """The scope of a function and of all functions in it, by node.

    Parameters
    ----------
    root : FunctionDef or Lambda
    renamed : bool
        Whether names of the transformation are in it already, besides the user's.

    Raises
    ------
    NotConverted
        If the function uses what transformed code cannot keep.
    """
    found: dict[ast.AST, Scope] = {}
    _Collector(found).function(root, None, frozenset())
    for scope in found.values():
        for name in scope.read | scope.assigned | set(scope.parameters):
            if not renamed and (name == CONTROL or GENERATED.match(name)):
                raise NotConverted(f"its name {name} is reserved", scope.node.lineno)
        for name in scope.read & (_INTROSPECTING | _INTROSPECTING_WITHOUT_ARGUMENTS):
            if scope.owner(name) is None:
                _refuse_introspection(scope.node, name)
    return found


def _refuse_introspection(node: ast.AST, name: str) -> None:
    with_arguments = {
        id(n.func)
        for n in ast.walk(node)
        if isinstance(n, ast.Call) and (n.args or n.keywords) and name in _INTROSPECTING_WITHOUT_ARGUMENTS
    }
    for n in ast.walk(node):
        if isinstance(n, ast.Name) and n.id == name and id(n) not in with_arguments:
            raise NotConverted(f"it uses {name}()", n.lineno)


class _Collector:
    def __init__(self, found: dict[ast.AST, Scope]):
        self.found = found

    def function(self, node: Function, parent: Scope | None, hidden: frozenset[str]) -> Scope:
        scope = self.found[node] = Scope(node, parent, hidden)
        for part in [node.body] if isinstance(node, ast.Lambda) else node.body:
            self.visit(part, scope, frozenset())
        scope.close()
        return scope

    def visit(self, node: ast.AST, scope: Scope, hidden: frozenset[str]) -> None:
        kind = type(node)
        if kind in _UNFIT:
            raise NotConverted(_UNFIT[kind], getattr(node, "lineno", None))
        if isinstance(node, ast.Name):
            if node.id not in hidden:
                if isinstance(node.ctx, ast.Load):
                    scope.read.add(node.id)
                else:
                    scope.assigned.add(node.id)
                    if isinstance(node.ctx, ast.Del):
                        scope.deleted.add(node.id)
        elif isinstance(node, ast.Global):
            scope.globals.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            scope.nonlocals.update(node.names)
        elif isinstance(node, ast.FunctionDef | ast.Lambda):
            if isinstance(node, ast.FunctionDef):
                scope.assigned.add(node.name)
                if getattr(node, "type_params", None):
                    raise NotConverted("it defines a generic function", node.lineno)
            for part in [*outer_parts(node), *annotated_with(node)]:
                self.visit(part, scope, hidden)
            scope.children.append(self.function(node, scope, hidden))
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            self.comprehension(node, scope, hidden)
        elif isinstance(node, ast.NamedExpr):
            scope.assigned.add(node.target.id)
            self.visit(node.value, scope, hidden)
        else:
            if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
                scope.assigned.add(node.name)
                if isinstance(node, ast.ExceptHandler):
                    scope.deleted.add(node.name)
            elif isinstance(node, ast.MatchMapping) and node.rest:
                scope.assigned.add(node.rest)
            elif isinstance(node, ast.alias):
                scope.assigned.add(node.asname or node.name.partition(".")[0])
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                scope.read.add(node.target.id)
            for child_node in children(node):
                if not (isinstance(node, ast.AnnAssign) and child_node is node.annotation):
                    self.visit(child_node, scope, hidden)

    def comprehension(self, node: Comprehension, scope: Scope, hidden: frozenset[str]) -> None:
        if any(g.is_async for g in node.generators):
            raise NotConverted("it is a coroutine", node.lineno)
        self.visit(node.generators[0].iter, scope, hidden)
        inner = hidden.union(*(bound_by(g.target) for g in node.generators))
        before = set(scope.read)
        for k, generator in enumerate(node.generators):
            self.visit(generator.target, scope, inner)
            for part in [*([generator.iter] if k else []), *generator.ifs]:
                self.visit(part, scope, inner)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.visit(part, scope, inner)
        if isinstance(node, ast.GeneratorExp):
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
            scope.deferred |= (names - inner) & (scope.read | before)


def outer_parts(node: Function) -> list[ast.expr]:
    """The expressions of a function definition that are evaluated where it stands (annotations are not among them)."""
    defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    return [*(node.decorator_list if isinstance(node, ast.FunctionDef) else []), *defaults]


def annotated_with(node: Function) -> list[ast.expr]:
    """The annotations of a function's parameters and result."""
    if isinstance(node, ast.Lambda):
        return []
    found = [a.annotation for a in arguments(node.args)]
    return [a for a in [*found, node.returns] if a is not None]
