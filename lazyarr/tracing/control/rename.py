"""Comprehensions whose variables have names of the function get others.

Python 3.12 and 3.13 run a comprehension as part of the function. Where its variable has the name of an enclosing
function's variable that a lambda next to it uses, some of their releases take the one for the other. Transformed code
is full of such functions and lambdas; the user's own was not.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set

from lazyarr.tracing.control.liveness import walrus
from lazyarr.tracing.control.nodes import Fresh, children
from lazyarr.tracing.control.scope import Comprehension, Function, Scope, arguments, bound_by, outer_parts


def rename_comprehension_variables(root: Function, found: Mapping[ast.AST, Scope], fresh: Fresh) -> bool:
    """Rename, in place, comprehension variables that share a name with a variable of the function or one in it.

    Returns
    -------
    bool
        Whether anything has changed.
    """
    used: set[str] = set()
    for scope in found.values():
        used |= scope.read | scope.deferred | scope.assigned | set(scope.parameters)
    renamer = _Renamer(used, fresh)
    renamer.visit(root, {})
    return renamer.changed


class _Renamer:
    def __init__(self, used: Set[str], fresh: Fresh):
        self._used = used
        self._fresh = fresh
        self.changed = False

    def visit(self, node: ast.AST, names: Mapping[str, str]) -> None:
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            self._comprehension(node, names)
        elif isinstance(node, ast.Lambda):
            for default in outer_parts(node):
                self.visit(default, names)
            own = {a.arg for a in arguments(node.args)}.union(walrus(node.body))
            self.visit(node.body, {old: new for old, new in names.items() if old not in own})
        else:
            for part in children(node):
                self.visit(part, names)

    def _comprehension(self, node: Comprehension, names: Mapping[str, str]) -> None:
        first = node.generators[0]
        self.visit(first.iter, names)
        bound = set().union(*(bound_by(g.target) for g in node.generators))
        inside = {old: new for old, new in names.items() if old not in bound}
        for old in sorted(bound & self._used):
            inside[old] = self._fresh.new("item")
            self.changed = True
        for generator in node.generators:
            self.visit(generator.target, inside)
            for part in [*([] if generator is first else [generator.iter]), *generator.ifs]:
                self.visit(part, inside)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.visit(part, inside)
