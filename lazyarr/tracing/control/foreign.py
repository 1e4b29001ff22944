"""What only Python does in a function, as far as its source says: printing, text, files, libraries for something else.

And numbers that only NumPy draws.

No wrong answer can come of it: what is taken for foreign runs in Python, and what is not is found when it is traced.
"""

from __future__ import annotations

import ast
import builtins
import numbers
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from lazyarr import streams
from lazyarr.tracing.control.scope import Scope
from lazyarr.tracing.drawing.recipes import is_drawn

#: Built-in functions that act on more than their arguments.
_ACTING = {"print", "input", "open"}
#: Those that make text.
_TEXT = {"str", "repr", "format", "ascii"}
#: Packages whose functions are arithmetic, or only arrange calls and data.
_ARITHMETIC = {
    "numpy", "scipy", "math", "cmath", "operator", "functools", "itertools", "random", "lazyarr", "numbers", "typing",
    "collections", "copy", "dataclasses", "enum", "abc", "types", "contextlib",
}  # fmt: skip
#: Functions of theirs that write files.
_WRITING = {"save", "savez", "savez_compressed", "savetxt", "tofile", "dump"}
#: Methods of arrays: what a foreign call gives may be data that it has read.
_OF_ARRAYS = frozenset(dir(np.ndarray)) - _WRITING
#: How far functions are looked into that are called.
_DEPTH = 3


class Foreign:
    """What is foreign in a function.

    Parameters
    ----------
    node : FunctionDef
    scope : Scope
        Of the function.
    names : mapping
        What its global names stand for.
    """

    def __init__(self, node: ast.FunctionDef, scope: Scope, names: Mapping[str, Any]):
        self._locals, self._names = scope.locals, names
        #: Whether that name is the built-in function's.
        self.range_is_range = "range" not in scope.locals and names.get("range", range) is range
        #: Variables that are what foreign calls give: a figure, a file, a progress bar.
        self._things: set[str] = set()
        for s in ast.walk(node):
            if isinstance(s, ast.Assign) and isinstance(s.value, ast.Call) and self._is_foreign(s.value):
                self._things.update(n.id for t in s.targets for n in ast.walk(t) if isinstance(n, ast.Name))

    def within(self, node: ast.AST) -> bool:
        """Whether there is something foreign in a statement or expression."""
        return any(self._is_foreign(n) for n in ast.walk(node))

    def _is_foreign(self, node: ast.AST) -> bool:
        if isinstance(node, ast.JoinedStr):
            return True
        if isinstance(node, ast.BinOp):
            left = node.left
            return isinstance(node.op, ast.Mod) and isinstance(left, ast.Constant) and isinstance(left.value, str)
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Name):
            return self._is_foreign_name(node.func.id)
        if not isinstance(node.func, ast.Attribute):
            return False
        root: ast.expr = node.func
        path: list[str] = []
        while isinstance(root, ast.Attribute):
            path.insert(0, root.attr)
            root = root.value
        if isinstance(root, ast.Constant):
            return isinstance(root.value, str)
        if node.func.attr in _WRITING:
            return True
        if not isinstance(root, ast.Name):
            return False
        if root.id in self._locals:
            return root.id in self._things and not _OF_ARRAYS.issuperset(path)
        return root.id in self._names and _is_foreign_at(self._names[root.id], path)

    def _is_foreign_name(self, name: str) -> bool:
        if name in self._locals:
            return name in self._things
        return name in _ACTING | _TEXT and name not in self._names or acts(self._names.get(name))


def _is_foreign_at(thing: Any, path: list[str]) -> bool:
    """Whether what is found along attributes of what a global name stands for is foreign."""
    if isinstance(thing, streams.CLASSES):
        return not (path and is_drawn(streams.kind_of(thing), path[0]))
    if _is_foreign_thing(thing):
        return True
    for name in path:
        if not isinstance(thing, types.ModuleType):
            return False
        module, thing = thing, getattr(thing, name, None)
        if module is np.random and callable(thing):
            return not (isinstance(thing, type) or thing is np.random.default_rng or is_drawn("mt19937", name))
    return isinstance(getattr(thing, "__self__", None), streams.CLASSES)


def _is_foreign_thing(thing: Any) -> bool:
    """Whether the methods of what a global name stands for are foreign."""
    if isinstance(thing, types.ModuleType):
        return thing.__name__.partition(".")[0] not in _ARITHMETIC
    known = (type, types.FunctionType, types.BuiltinFunctionType, np.ndarray, np.generic, np.ufunc, numbers.Number,
             list, tuple, dict, set)  # fmt: skip
    return not isinstance(thing, known) and not type(thing).__module__.startswith("lazyarr")


def acts(function: Any, depth: int = _DEPTH) -> bool:
    """Whether a function's source names something foreign."""
    if not isinstance(function, types.FunctionType) or depth == 0:
        return False
    names = function.__globals__
    for name in function.__code__.co_names:
        if name in names:
            thing = names[name]
            if isinstance(thing, types.ModuleType) and _is_foreign_thing(thing) or acts(thing, depth - 1):
                return True
        elif name in _ACTING and hasattr(builtins, name):
            return True
    return False
