"""Statements one after the other that compute something, and do nothing that only Python does."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from lazyarr.tracing.control.foreign import Foreign
from lazyarr.tracing.control.scope import Scope

#: What arrays are asked for: no object of the user's is looked into.
_OF_ARRAYS = {"T", "dtype", "flat", "imag", "ndim", "nbytes", "real", "shape", "size"}
#: Operations from which on statements are worth a call.
_LEAST = 2


class Straight:
    """Statements of a function that can be functions of their own though they are no loops.

    Parameters
    ----------
    foreign : Foreign
        What only Python does in the function.
    scope : Scope
        Of the function.
    unfit : tuple of type
        What cannot be in a function of its own.
    """

    def __init__(self, foreign: Foreign, scope: Scope, unfit: tuple[type[ast.AST], ...]):
        self._foreign, self._scope, self._unfit = foreign, scope, unfit
        self._taken: set[ast.stmt] = set()

    def run(self, block: Sequence[ast.stmt], k: int) -> list[ast.stmt]:
        """The statements from one of a block on, as far as they go; none if they do little, or another run has it."""
        found: list[ast.stmt] = []
        for s in block[k:]:
            if s in self._taken or not self._fits(s):
                break
            found.append(s)
        if sum(isinstance(n, ast.BinOp | ast.Call | ast.AugAssign) for s in found for n in ast.walk(s)) < _LEAST:
            return []
        self._taken.update(found)
        return found

    def _fits(self, s: ast.stmt) -> bool:
        if not isinstance(s, ast.Assign | ast.AugAssign) or self._foreign.within(s):
            return False
        called = {n.func for n in ast.walk(s) if isinstance(n, ast.Call)}
        return not any(
            isinstance(n, self._unfit)
            or isinstance(n, ast.Attribute)
            and n not in called
            and n.attr not in _OF_ARRAYS
            and self._is_local(n)
            for n in ast.walk(s)
        )

    def _is_local(self, node: ast.expr) -> bool:
        """Whether an attribute is one of what a variable of the function means."""
        while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and node.id in self._scope.locals
