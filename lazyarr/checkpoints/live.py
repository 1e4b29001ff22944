"""Which variables a loop carries from one iteration to the next, or leaves to what follows it."""

from __future__ import annotations

import ast
import builtins
import ctypes
import inspect
import linecache
import sys
import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr.tracing.control import liveness
from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.control.jumps import Lowering
from lazyarr.tracing.control.liveness import Liveness
from lazyarr.tracing.control.nodes import GENERATED, Fresh, definition, parameters
from lazyarr.tracing.control.scope import scopes


@dataclass(frozen=True)
class Loop:
    """A loop of a program.

    Attributes
    ----------
    names : set of str or None
        Variables that are live at its boundary; None where that is not known: all of them.
    assigned : set of str
        Those that it assigns, itself or through a function.
    outside : set of str
        Of a loop in a function: the module's variables that the function uses, or what it may call in the module.
    declared : set of str
        Those of them that a function may assign.
    text : str
        The statement, in a form that does not depend on how it is laid out.
    """

    names: frozenset[str] | None
    assigned: frozenset[str]
    outside: frozenset[str]
    declared: frozenset[str]
    text: str


_UNKNOWN = Loop(None, frozenset(), frozenset(), frozenset(), "")


def loop_at(frame: types.FrameType) -> Loop:
    """The ``for`` statement whose iterable is the call that a frame is in.

    Raises
    ------
    ValueError
        If the call stands elsewhere.
    """
    code = frame.f_code
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename, frame.f_globals)))
    except (SyntaxError, ValueError):
        return _UNKNOWN
    line, end_line, column, end_column = list(code.co_positions())[frame.f_lasti // 2]
    at = (line, column, end_line, end_column)
    found = [path for path in _paths(tree, ()) if isinstance(path[-1], ast.Call) and _position(path[-1]) == at]
    if len(found) != 1:
        return _UNKNOWN  # the source is not there, or not that of the code
    *around, statement, call = found[0]
    if not isinstance(statement, ast.For) or statement.iter is not call:
        raise ValueError(
            "lazyarr.checkpoint() is what a for statement goes over, with the iterable in it: "
            "for step in lazyarr.checkpoint(path, range(n), every=100)"
        )
    functions = [n for n in around if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    declared = {name for n in ast.walk(tree) if isinstance(n, ast.Global) for name in n.names}
    used = set(declared)
    if functions:
        used |= _reached(tree, functions[0])
    # (Before the analysis, which rewrites the tree. What is gone over may be longer the next time.)
    text = "".join(map(ast.dump, (statement.target, *statement.body, *statement.orelse)))
    rebound = {name for n in ast.walk(tree) if isinstance(n, ast.Nonlocal) for name in n.names}
    assigned = {*liveness.assigned([statement]), *rebound, *declared}
    names = _carried(functions[-1] if functions else tree, statement)
    if names is not None and not functions:
        names |= declared
    return Loop(names, frozenset(assigned), frozenset(used), frozenset(declared), text)


def _reached(tree: ast.AST, start: ast.AST) -> set[str]:
    """The names in a function, in functions and classes of the file with such names, and in methods it may call."""
    named: dict[str, list[ast.AST]] = {}
    methods: dict[str, list[ast.AST]] = {}
    for parent in ast.walk(tree):
        for node in ast.iter_child_nodes(parent):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                table = methods if isinstance(parent, ast.ClassDef) else named
                table.setdefault(node.name, []).append(node)
    names: set[str] = set()
    attributes: set[str] = set()
    pending = [start]
    while pending:
        for node in ast.walk(pending.pop()):
            if isinstance(node, ast.Name) and node.id not in names:
                names.add(node.id)
                pending += named.get(node.id, [])
            elif isinstance(node, ast.Attribute) and node.attr not in attributes:
                attributes.add(node.attr)
                pending += methods.get(node.attr, [])
    return names


def _position(node: ast.expr) -> tuple[int, int, int | None, int | None]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _paths(node: ast.AST, above: tuple[ast.AST, ...]) -> Any:
    """Every node with those that it is in."""
    path = (*above, node)
    yield path
    for child in ast.iter_child_nodes(node):
        yield from _paths(child, path)


class _Plain(ast.NodeTransformer):
    """A program in the terms that the analysis knows: it reads and assigns the same names in the same order."""

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        self.generic_visit(node)
        # (What is read in it counts as read at any time.)
        parts = [*node.bases, *(k.value for k in node.keywords), *node.decorator_list]
        before: list[ast.stmt] = [ast.copy_location(ast.Expr(part), node) for part in parts]
        return [*before, ast.copy_location(definition(node.name, parameters(), node.body), node)]

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        self.generic_visit(node)
        if "type_params" in node._fields:
            node.type_params = []  # type: ignore[attr-defined,unused-ignore]
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> Any:
        self.generic_visit(node)
        return ast.copy_location(definition(node.name, node.args, node.body, node.decorator_list), node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> Any:
        self.generic_visit(node)
        return ast.copy_location(ast.For(node.target, node.iter, node.body, node.orelse), node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> Any:
        self.generic_visit(node)
        return ast.copy_location(ast.With(node.items, node.body), node)

    def visit_Yield(self, node: ast.Yield) -> Any:
        self.generic_visit(node)
        return node.value or ast.copy_location(ast.Constant(None), node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> Any:
        self.generic_visit(node)
        return node.value

    def visit_Await(self, node: ast.Await) -> Any:
        self.generic_visit(node)
        return node.value


def _carried(root: ast.AST, loop: ast.For) -> frozenset[str] | None:
    """Names live at the boundary of a loop in a function or a module; None if the source cannot be analysed."""
    plain = _Plain()
    if isinstance(root, ast.Module):
        node = definition("module", parameters(), plain.visit(root).body)
    else:
        root = plain.visit(root)
        assert isinstance(root, ast.FunctionDef)
        args = ast.arguments(
            posonlyargs=[], args=[ast.arg(a.arg) for a in _all_arguments(root.args)], kwonlyargs=[], kw_defaults=[],
            defaults=[],
        )  # fmt: skip
        node = definition(root.name, args, root.body)
    node = ast.fix_missing_locations(ast.copy_location(node, loop))
    try:
        scope = scopes(node)[node]
        jumps = Lowering(Fresh())
        node.body = jumps.function(node)
        live = Liveness(scope, jumps.stops)
    except NotConverted:
        return None
    if loop not in live.live_in:
        return None
    return frozenset(n for n in live.live_in[loop] | live.live_out[loop] if not GENERATED.match(n))


def _all_arguments(args: ast.arguments) -> list[ast.arg]:
    more = [a for a in (args.vararg, args.kwarg) if a is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *more]


def variables(loop: Loop, frame: types.FrameType) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a loop's variables hold that are not part of the program itself: the frame's own, and the module's."""
    own = frame.f_locals  # of a function, before Python 3.13, a dictionary that the frame keeps; see `let_go`
    is_module = own is frame.f_globals
    names = set(own) if loop.names is None else loop.names & set(own)
    mine = {n: own[n] for n in sorted(names) if not (is_module and n.startswith("__")) and not _is_program(own[n])}
    others: dict[str, Any] = {}
    if not is_module:
        for name in sorted(loop.outside - set(own)):
            value = frame.f_globals.get(name, builtins)
            if not _is_program(value) and (name in loop.declared or not _is_fixed(value)):
                others[name] = value
    return mine, others


def _is_program(value: Any) -> bool:
    """Whether a value is made by the program's text, and stays as it is."""
    kinds = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type, np.ufunc)
    return isinstance(value, kinds) or (callable(value) and type(value).__module__.partition(".")[0] == "lazyarr")


def let_go(frame: types.FrameType) -> None:
    """Forget what a frame's local variables held when somebody last looked: it would keep arrays alive.

    (What is there is found again at the next look. A function that asks for `locals` itself has it kept.)
    """
    if sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        if "locals" not in frame.f_code.co_names:
            frame.f_locals.clear()


def assign(frame: types.FrameType, own: dict[str, Any], others: dict[str, Any]) -> None:
    """Let variables of a frame, and of its module, hold other values."""
    frame.f_globals.update(others)
    frame.f_locals.update(own)
    if sys.version_info < (3, 13):
        # (There `f_locals` of a function is a copy.)
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))


def changed(loop: Loop, values: dict[str, Any]) -> dict[str, Any]:
    """Those variables of which the loop may change what they hold: what is left keeps the program's own values."""
    return {n: x for n, x in values.items() if loop.names is None or n in loop.assigned or not _is_fixed(x)}


def _is_fixed(value: Any) -> bool:
    return issubclass(type(value), (int, float, complex, str, bytes, type(None), np.generic, np.dtype))
