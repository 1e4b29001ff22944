"""Loops of a function made functions of their own, which are compiled, while Python runs what is around them.

    def f(a, b):                                   def f(a, b):
        total = 0.0                                    total = 0.0
        for i in range(len(a)):                        total = __lifted__[0](a, b, total)
            total += a[i] * b[i]              ->       report = {}
        report = {}                                    report["total"] = f"{total:.3f}"
        report["total"] = f"{total:.3f}"               return report
        return report

A loop takes the variables that it may read before it assigns them, and gives those that are read after it; what it
changes in place is changed in place. Loops that cannot be made functions (with a ``return`` in them, say) are left, and
those in them are looked at. Where arrays are large, statements between loops are made functions in the same way. A loop
that an exception may leave while the function goes on (in a ``try`` or ``with`` block) is made one only where nothing
that it gives may be read then.
"""

from __future__ import annotations

import ast
import copy
import types
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lazyarr.tracing.callees import AroundCalls
from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.control.find import Source, compile_function, find, made_here
from lazyarr.tracing.control.flow import Flow
from lazyarr.tracing.control.foreign import Foreign
from lazyarr.tracing.control.jumps import blocks
from lazyarr.tracing.control.liveness import assigned, targets
from lazyarr.tracing.control.nodes import definition, parameters, place
from lazyarr.tracing.control.scope import Scope, scopes
from lazyarr.tracing.control.stopping import Stopping, stopping
from lazyarr.tracing.control.straight import Straight
from lazyarr.tracing.listening import listens
from lazyarr.tracing.where_large import WhereLarge

_LIFTED, _STANDING = "__lifted__", "__standing__"
#: Statements and expressions with which a loop is no function of its own.
_UNFIT = (
    ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.Try, ast.TryStar, ast.FunctionDef, ast.Lambda, ast.Import,
    ast.ImportFrom, ast.Delete, ast.Global, ast.Nonlocal, ast.GeneratorExp,
)  # fmt: skip
#: What lets exceptions pass, by its name: files, NumPy's settings, Python's warnings.
_PASSING = {"open", "errstate", "printoptions", "catch_warnings"}
#: Names that mean something else in another function.
_OF_THE_FRAME = {"super", "__class__", "locals", "vars", "dir", "eval", "exec", "globals"}


@dataclass
class Lifted:
    """A function whose loops are functions.

    Attributes
    ----------
    function : function
        Does what the user's does.
    loops : list of callable
        What it calls for each loop.
    stops : bool
        Whether there are loops among them that stop for what only Python does, and go on.
    """

    function: types.FunctionType
    loops: list[Any]
    stops: bool = False


@dataclass
class _Loop:
    """A loop that can be a function, or the statements up to where one stops, or some that no loop repeats.

    (`statement` is what the call stands for.)
    """

    statement: ast.stmt
    does: list[ast.stmt]
    takes: list[str]
    gives: list[str]
    is_straight: bool = False


def lift(
    function: types.FunctionType, make: Callable[[types.FunctionType], Any],
    standing: Callable[[Any], Any] | None = None, large: bool = False,
) -> Lifted | None:  # fmt: skip
    """A function with its loops made functions; None if there is none that can be.

    Parameters
    ----------
    function : function
    make : callable
        Given the function of a loop, what is to be called in its place.
    standing : callable, optional
        Given what the function calls, what is to be called in its place.
    large : bool
        Whether statements that no loop repeats are made functions, too, for calls with large arrays.
    """
    try:
        source = find(function)
        if not isinstance(source.node, ast.FunctionDef) or listens(function.__code__):
            return None
        is_loop = _is_made(function.__code__)
        stops, straight = Stopping(), None
        if not is_loop:
            scope = scopes(source.node)[source.node]
            enclosing = dict.fromkeys(function.__code__.co_freevars)
            foreign = Foreign(source.node, scope, {**function.__globals__, **enclosing})
            stops = stopping(source.node, frozenset(scope.parameters), foreign)
            straight = Straight(foreign, scope, _UNFIT) if large else None
        found = _Loops(source.node, is_loop, stops, straight).found
    except (NotConverted, RecursionError):
        return None
    if not found and standing is None:
        return None
    outlined = [_outlined(function, source, loop) for loop in found]
    lifted = [make(f) for f in outlined]
    stand = [WhereLarge(f, a) if s.is_straight else a for f, a, s in zip(outlined, lifted, found, strict=True)]
    by_statement: dict[ast.stmt, ast.stmt | None] = {s: None for loop in found if loop.is_straight for s in loop.does}
    by_statement |= {loop.statement: _call(k, loop) for k, loop in enumerate(found)}
    node = _Replace(by_statement).visit(source.node)
    free = [*function.__code__.co_freevars, _LIFTED]
    cells = {_LIFTED: types.CellType(stand)}
    if standing is not None:
        calls = AroundCalls(_STANDING)
        node.body = [calls.visit(s) for s in node.body]
        if not found and not calls.found:
            return None
        free.append(_STANDING)
        cells[_STANDING] = types.CellType(standing)
    try:
        code = compile_function(node, source.private, function.__code__, free)
    except SyntaxError:
        return None  # such as `global` within the loop, of a variable that the loop gives back
    made = _function(function, code, cells)
    made.__defaults__, made.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    return Lifted(made, lifted, any(loop.statement in stops.groups for loop in found))


#: Functions of loops: lifting what is in them leaves the loop itself.
_made: weakref.WeakSet[types.CodeType] = weakref.WeakSet()


def _is_made(code: types.CodeType) -> bool:
    return code in _made


class _Loops:
    """The loops of a function that can be functions, the outermost ones."""

    def __init__(self, node: ast.FunctionDef, is_loop: bool, stops: Stopping, straight: Straight | None):
        self._stops, self._straight = stops, straight
        self._scope: Scope = scopes(node)[node]
        if self._scope.shared or self._scope.unsafe or any(
            isinstance(n, ast.Name) and n.id in _OF_THE_FRAME for n in ast.walk(node)
        ):
            raise NotConverted("its variables are not its own", node.lineno)
        #: Names of functions made in it: there are new ones at each call.
        self._functions = {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef) and n is not node}
        for n in ast.walk(node):
            if isinstance(n, ast.Assign) and isinstance(n.value, ast.Lambda):
                self._functions.update(name for t in n.targets if isinstance(t, ast.Name) for name in [t.id])
        #: What is read before it has a value: the error names the variable, which must stay one.
        self._unset = Flow(node.body).exposed - set(self._scope.parameters)
        self._before = Flow(node.body, frozenset(self._scope.parameters)).before
        self.found: list[_Loop] = []
        body = node.body
        if is_loop:
            # What it takes and gives is around the loop.
            loop, end = body[0], body[1:]
            for block in blocks(loop):
                self._block(block, Flow(end).exposed | Flow([loop]).exposed)
        else:
            self._block(body, set())

    def _block(self, block: Sequence[ast.stmt], later: set[str], raised: frozenset[str] = frozenset()) -> None:
        """Find loops in a block, after which `later` may be read; where an exception leaves it, `raised`."""
        for k, s in enumerate(block):
            after = Flow(block[k + 1 :]).exposed | later
            if isinstance(s, ast.If) and s in self._stops.groups:
                loop = self._loop(s, s.body, after, raised)
                self.found += [] if loop is None else [loop]
                continue
            if self._straight is not None and (run := self._straight.run(block, k)):
                after = Flow(block[k + len(run) :]).exposed | later
                loop = self._loop(s, run, after, raised, is_straight=True)
                self.found += [] if loop is None else [loop]
                continue
            if isinstance(s, ast.For | ast.While):
                loop = None if self._stays(s) else self._loop(s, [s], after, raised)
                if loop is not None:
                    self.found.append(loop)
                    continue
                after = after | Flow([s]).exposed
            elif isinstance(s, ast.Try):
                self._try(s, after, block[k + 1 :], later, raised)
                continue
            elif isinstance(s, ast.With):
                # (What it is that enters may keep an exception to itself.)
                raised = raised if all(map(_passes_exceptions, s.items)) else raised | after
            elif not isinstance(s, ast.If):
                continue
            for inner in blocks(s):
                self._block(inner, after, raised)

    def _try(
        self, s: ast.Try, after: set[str], rest: Sequence[ast.stmt], later: set[str], raised: frozenset[str]
    ) -> None:
        """Find loops in a `try` statement, which an exception leaves with the variables as they are."""
        raised |= Flow(s.finalbody).exposed
        handled = [Flow([*h.body, *s.finalbody, *rest]).exposed | later - _gone(h.body) for h in s.handlers]
        final = Flow(s.finalbody).exposed | after
        self._block(s.body, Flow(s.orelse).exposed | final, raised.union(*handled))
        for inner in (*(h.body for h in s.handlers), s.orelse):
            self._block(inner, final, raised)
        self._block(s.finalbody, after, raised)

    def _stays(self, s: ast.stmt) -> bool:
        """Whether a loop stops for what only Python does, or holds one that does."""
        return any(n in self._stops.around for n in ast.walk(s))

    def _loop(
        self, s: ast.stmt, does: list[ast.stmt], after: set[str], raised: frozenset[str], is_straight: bool = False
    ) -> _Loop | None:
        """What can be a function; the names that have values before it are known."""
        scope, given, before = self._scope, assigned(does), self._before.get(s)
        if not raised.isdisjoint(given):
            return None
        if before is None or any(isinstance(x, ast.For | ast.While) and x.orelse for x in does):
            return None
        if any(isinstance(n, _UNFIT) for x in does for n in ast.walk(x)):
            return None
        unset = self._unset - before
        if any(name in scope.captured or name in unset or name not in scope.locals for name in given):
            return None
        takes = sorted(Flow(does).exposed & scope.locals)
        gives = sorted(set(given) & after)
        if not is_straight:  # A loop may end before it gives anything.
            takes += [name for name in gives if name not in takes]
        if any(name not in before or name in self._functions for name in takes):
            return None
        return _Loop(s, does, takes, gives, is_straight)


def _gone(block: Sequence[ast.stmt]) -> set[str]:
    """Names of which nobody reads after a block, or where it jumps to, what they were before it."""
    if any(isinstance(n, ast.Break | ast.Continue) for s in block for n in ast.walk(s)):
        return set()
    return {name for s in block if isinstance(s, ast.Assign) for name in targets(s)}


def _passes_exceptions(item: ast.withitem) -> bool:
    """Whether a `with` block is left by any exception in it, for what it enters is known to keep none to itself."""
    call = item.context_expr
    if not isinstance(call, ast.Call):
        return False
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in _PASSING


class _Replace(ast.NodeTransformer):
    def __init__(self, by_statement: Mapping[Any, ast.stmt | None]):
        self._by_statement = by_statement

    def visit(self, node: ast.AST) -> Any:
        return self._by_statement[node] if node in self._by_statement else self.generic_visit(node)


def _call(k: int, loop: _Loop) -> ast.stmt:
    """What stands for a loop."""
    function = ast.Subscript(ast.Name(_LIFTED, ast.Load()), ast.Constant(k), ast.Load())
    call = ast.Call(function, [ast.Name(name, ast.Load()) for name in loop.takes], [])
    if not loop.gives:
        return place(ast.Expr(call), loop.statement)
    names: list[ast.expr] = [ast.Name(name, ast.Store()) for name in loop.gives]
    target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
    return place(ast.Assign([target], call), loop.statement)


def _outlined(function: types.FunctionType, source: Source, loop: _Loop) -> types.FunctionType:
    """The function of a loop."""
    does = copy.deepcopy(loop.does)
    names: list[ast.expr] = [ast.Name(name, ast.Load()) for name in loop.gives]
    result = names[0] if len(names) == 1 else ast.Tuple(names, ast.Load()) if names else None
    node = definition(function.__code__.co_name, parameters(*loop.takes), [*does, ast.Return(result)])
    place(node, does[-1])
    code = compile_function(copy.deepcopy(node), source.private, function.__code__, [*function.__code__.co_freevars])
    code = code.replace(co_qualname=function.__code__.co_qualname)
    made_here(code, Source(node, source.private))
    _made.add(code)
    return _function(function, code, {})


def _function(
    function: types.FunctionType, code: types.CodeType, more: dict[str, types.CellType]
) -> types.FunctionType:
    """A function in the place of the user's."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)) | more
    closure = tuple(cells[name] for name in code.co_freevars)
    made = types.FunctionType(code, function.__globals__, function.__name__, None, closure or None)
    made.__qualname__, made.__module__ = function.__qualname__, function.__module__
    return made
