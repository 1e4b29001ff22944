"""Which names a function without jumps assigns and may still read: a backward analysis over its structured source."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Iterable, Sequence

from lazyarr.tracing.control.jumps import always_true, blocks
from lazyarr.tracing.control.nodes import children
from lazyarr.tracing.control.scope import Scope, annotated_with, bound_by, outer_parts

Names = frozenset[str]
NONE: Names = frozenset()
#: What statements assign, which is asked for at each level of nesting. Not kept in the nodes: copies of them change.
_known: weakref.WeakKeyDictionary[ast.stmt, list[str]] = weakref.WeakKeyDictionary()


def states(scope: Scope) -> dict[ast.AST, tuple[str, ...]]:
    """For every loop and branch of a function, the local names it assigns, in the order of the source.

    Names that nested functions assign are part of every state, for any statement may call the function.
    """
    found: dict[ast.AST, tuple[str, ...]] = {}
    shared = sorted(scope.shared)

    def collect(block: Sequence[ast.stmt]) -> None:
        for s in block:
            for inner in blocks(s):
                collect(inner)
            if isinstance(s, ast.For | ast.While | ast.If):
                names = dict.fromkeys([n for n in assigned([s], whole=False) if is_state(n, scope)] + shared)
                found[s] = tuple(names)

    if isinstance(scope.node.body, list):
        collect(scope.node.body)
    return found


def is_state(name: str, scope: Scope) -> bool:
    """Whether a name that is assigned belongs to the function itself (names of jumps do)."""
    return name not in scope.globals and name not in scope.nonlocals


def assigned(statements: Sequence[ast.stmt], whole: bool = True) -> list[str]:
    """Names that statements bind or delete, as they appear; without what is evaluated before a loop or branch begins.

    Parameters
    ----------
    statements : sequence of stmt
    whole : bool
        Whether the iterable of a ``for`` and the test of an ``if`` count (inner statements always count as a whole).
    """
    found: list[str] = []
    for s in statements:
        names = _known.get(s) if whole else None
        if names is None:
            names = _assigned(s, whole)
            if whole:
                _known[s] = names
        found += names
    return found


def _assigned(s: ast.stmt, whole: bool) -> list[str]:
    found: list[str] = []
    if isinstance(s, ast.For):
        found += walrus(s.iter) if whole else []
        found += targets(s.target)
    elif isinstance(s, ast.If):
        found += walrus(s.test) if whole else []
    elif isinstance(s, ast.While):
        found += walrus(s.test)
    elif isinstance(s, ast.FunctionDef):
        found += [n for part in outer_parts(s) for n in walrus(part)] + [s.name]
    elif isinstance(s, ast.Import | ast.ImportFrom):
        found += [a.asname or a.name.partition(".")[0] for a in s.names]
    elif isinstance(s, ast.Match):
        found += walrus(s.subject)
        for case in s.cases:
            found += captured(case.pattern) + (walrus(case.guard) if case.guard else [])
    elif isinstance(s, ast.Try | ast.TryStar):
        for handler in s.handlers:
            found += (walrus(handler.type) if handler.type else []) + ([handler.name] if handler.name else [])
    elif isinstance(s, ast.With):
        for item in s.items:
            found += walrus(item.context_expr) + (targets(item.optional_vars) if item.optional_vars else [])
    else:
        found += targets(s)
    for block in blocks(s):
        found += assigned(block)
    return found


def captured(pattern: ast.AST) -> list[str]:
    """Names that the pattern of a ``case`` binds."""
    found = []
    for n in ast.walk(pattern):
        if isinstance(n, ast.MatchMapping) and n.rest:
            found.append(n.rest)
        elif isinstance(n, ast.MatchAs | ast.MatchStar) and n.name:
            found.append(n.name)
    return found


def targets(node: ast.AST) -> list[str]:
    """Names bound or deleted in a simple statement or target, outside comprehensions and functions of their own."""
    if isinstance(node, ast.Name):
        return [] if isinstance(node.ctx, ast.Load) else [node.id]
    if isinstance(node, ast.AnnAssign) and node.value is None and isinstance(node.target, ast.Name):
        return []
    if isinstance(node, ast.expr) and not isinstance(node, ast.Tuple | ast.List | ast.Starred):
        return walrus(node)
    return [n for part in children(node) for n in targets(part)]


def walrus(node: ast.AST) -> list[str]:
    """Names that an expression binds."""
    found: list[str] = []
    pending = [node]
    while pending:
        n = pending.pop()
        if isinstance(n, ast.NamedExpr):
            found.append(n.target.id)
        if isinstance(n, ast.Lambda):
            pending += outer_parts(n)
        else:
            pending += children(n)
    return found


def reads(node: ast.AST | None) -> Names:
    """Names that an expression may read; what a lambda in it reads is captured, and live everywhere."""
    if node is None:
        return NONE
    if isinstance(node, ast.Name):
        return frozenset([node.id]) if isinstance(node.ctx, ast.Load) else NONE
    if isinstance(node, ast.Lambda):
        return union(reads(part) for part in outer_parts(node))
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        inner = frozenset().union(*(bound_by(g.target) for g in node.generators))
        first = node.generators[0].iter
        return reads(first) | (union(reads(part) for part in children(node)) - inner)
    return union(reads(part) for part in children(node))


def union(sets: Iterable[Names]) -> Names:
    """All names of several sets."""
    return NONE.union(*sets)


class Liveness:
    """The names that may be read before and after every loop and branch of one function.

    Attributes
    ----------
    live_in, live_out : dict
        By statement: names whose value on entry may be read (of a loop: is carried from one iteration to the next),
        and names that may be read after it.
    """

    def __init__(self, scope: Scope, stops: dict[ast.AST, list[str]]):
        self._always = frozenset(scope.captured)
        self._stops = stops
        #: Live wherever an exception of the statement at hand may arrive.
        self._raised = self._always
        self.live_in: dict[ast.AST, Names] = {}
        self.live_out: dict[ast.AST, Names] = {}
        if isinstance(scope.node.body, list):
            self.block(scope.node.body, NONE)

    def block(self, statements: Sequence[ast.stmt], after: Names) -> Names:
        """Names live before a block, of those live after it."""
        for s in reversed(statements):
            after = self.statement(s, after | self._raised) | self._raised
        return after

    def statement(self, s: ast.stmt, after: Names) -> Names:
        match s:
            case ast.If():
                inside = self.block(s.body, after) | self.block(s.orelse, after)
                self.live_in[s], self.live_out[s] = inside, after
                return inside | reads(s.test)
            case ast.For():
                head = self._loop(s, after, frozenset(self._stops[s]))
                return head | reads(s.iter)
            case ast.While():
                return self._loop(s, after, reads(s.test) | frozenset(self._stops[s]))
            case ast.Try() | ast.TryStar():
                return self._try(s, after)
            case ast.With():
                before, self._raised = self._raised, self._raised | after
                live = self.block(s.body, after)
                for item in reversed(s.items):
                    if item.optional_vars is not None:
                        live = (live - frozenset(stored(item.optional_vars))) | reads(item.optional_vars)
                    live |= reads(item.context_expr) | self._raised
                self._raised = before
                return live
            case ast.Match():
                live = after
                for case in reversed(s.cases):
                    body = self.block(case.body, after)
                    live |= reads(case.guard) | reads(case.pattern) | body
                return live | reads(s.subject)
            case ast.FunctionDef():
                parts = [*outer_parts(s), *annotated_with(s)]
                return (after - {s.name}) | union(reads(p) for p in parts)
            case ast.AugAssign():
                target = frozenset([s.target.id]) if isinstance(s.target, ast.Name) else reads(s.target)
                return after | target | reads(s.value)
            case ast.Assign() | ast.AnnAssign():
                if s.value is None:
                    return after | reads(s.target)
                into = s.targets if isinstance(s, ast.Assign) else [s.target]
                after -= {n for t in into for n in stored(t)}
                return after | union(reads(t) for t in into) | reads(s.value)
            case ast.Delete():
                return after | {n.id for t in s.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            case ast.Import() | ast.ImportFrom():
                return after - {a.asname or a.name.partition(".")[0] for a in s.names}
            case ast.Return() | ast.Raise():
                return union(reads(part) for part in children(s))
            case _:
                return after | union(reads(part) for part in children(s))

    def _loop(self, s: ast.For | ast.While, after: Names, test: Names) -> Names:
        """A loop. `test` is read before every iteration, and after the last."""
        kill = frozenset(stored(s.target)) if isinstance(s, ast.For) else NONE
        parts = reads(s.target) if isinstance(s, ast.For) else NONE
        # A loop that nothing ends but its flags is left only after its body.
        leaves = NONE if isinstance(s, ast.While) and always_true(s.test) and not self._stops[s] else after
        entry: Names = NONE
        while True:
            live = (self.block(s.body, entry | test | leaves) - kill) | parts
            if live <= entry:
                break
            entry |= live
        self.live_in[s], self.live_out[s] = entry | test | self._raised, after
        return entry | test | after

    def _try(self, s: ast.Try | ast.TryStar, after: Names) -> Names:
        before = self._raised
        final = self.block(s.finalbody, after) if s.finalbody else after
        # An exception that no handler takes arrives at the finally clause too.
        self._raised = before | (final if s.finalbody else NONE)
        handled = NONE
        for handler in reversed(s.handlers):
            live = self.block(handler.body, final)
            handled |= (live - {handler.name or ""}) | reads(handler.type)
        orelse = self.block(s.orelse, final)
        self._raised |= handled
        live = self.block(s.body, orelse)
        self._raised = before
        return live


def stored(target: ast.AST) -> list[str]:
    """Names that the target of an assignment binds itself."""
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, ast.Tuple | ast.List):
        return [n for part in target.elts for n in stored(part)]
    return stored(target.value) if isinstance(target, ast.Starred) else []
