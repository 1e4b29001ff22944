"""`break`, `continue` and `return` inside compound statements, written as flags and nested branches.

What follows a statement that may jump goes into the branch that does not jump, where one branch always does::

    if a: continue          if a: pass
    rest              ->    else: rest

and under a test of the flags otherwise::

    for ...:                __break_1 = False
        if a:               for ... (goes on while not __break_1):
            if b: break         if a:
            c           ->          if b: __break_1 = True
        rest                        else: c
                                if not __break_1: rest

A ``return`` within a compound statement assigns the function's result to ``__value_k``, and sets ``__return_k``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.control.nodes import Fresh, after_docstring, place

BREAK, CONTINUE, RETURN = "break", "continue", "return"


def escapes(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """Kinds of jumps that leave a block."""
    found: set[str] = set()
    for s in statements:
        if isinstance(s, ast.Break):
            found.add(BREAK)
        elif isinstance(s, ast.Continue):
            found.add(CONTINUE)
        elif isinstance(s, ast.Return):
            found.add(RETURN)
        elif isinstance(s, ast.For | ast.While):
            found |= (escapes(s.body) & {RETURN}) | escapes(s.orelse)
        else:
            for block in blocks(s):
                found |= escapes(block)
    return frozenset(found)


def blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    """The blocks of a compound statement (none of a function definition, which is run elsewhere)."""
    s = statement
    if isinstance(s, ast.If | ast.For | ast.While):
        return [s.body, s.orelse]
    if isinstance(s, ast.Try | ast.TryStar):
        return [s.body, *(h.body for h in s.handlers), s.orelse, s.finalbody]
    if isinstance(s, ast.With):
        return [s.body]
    if isinstance(s, ast.Match):
        return [c.body for c in s.cases]
    return []


def falls(statements: Sequence[ast.stmt]) -> bool:
    """Whether a block may run to its end."""
    return all(_falls(s) for s in statements)


def _falls(s: ast.stmt) -> bool:
    if isinstance(s, ast.Break | ast.Continue | ast.Return | ast.Raise):
        return False
    if isinstance(s, ast.If):
        return falls(s.body) or falls(s.orelse)
    if isinstance(s, ast.While) and always_true(s.test):
        return BREAK in escapes(s.body)
    if isinstance(s, ast.Try | ast.TryStar):
        ends = (falls(s.body) and falls(s.orelse)) or any(falls(h.body) for h in s.handlers)
        return ends and falls(s.finalbody)
    return True


def always_true(test: ast.expr) -> bool:
    """Whether a loop's test is a constant that is true."""
    return isinstance(test, ast.Constant) and bool(test.value)


@dataclass(eq=False)
class _Loop:
    """The flags of the loop around a statement."""

    stopped: str
    skipped: str


class Lowering:
    """The jumps of one function.

    Parameters
    ----------
    names : Fresh
        Where new names come from.
    """

    def __init__(self, names: Fresh):
        self._names = names
        self._tested: set[str] = set()
        self._returned = names.new("return")
        self._value = names.new("value")
        self._lowered = 0
        self._sets: dict[ast.AST, str] = {}
        #: The flags that end each loop.
        self.stops: dict[ast.AST, list[str]] = {}

    def function(self, node: ast.FunctionDef) -> list[ast.stmt]:
        """The function's body without jumps, except ``return`` where no statement but with and try is around it."""
        body = list(node.body)
        if falls(body) and any(RETURN in escapes([s]) for s in body if not isinstance(s, ast.Return)):
            body.append(place(ast.Return(ast.Constant(None)), body[-1]))
        body = self.block(body, None, top=True)
        if self._lowered and not isinstance(body[-1], ast.Return | ast.Raise):
            body.append(place(ast.Return(ast.Name(self._value, ast.Load())), body[-1]))
        if self._returned in self._tested:
            body.insert(after_docstring(body), self._flag(self._returned, False, body[0]))
        return self._prune(body)

    def block(self, statements: list[ast.stmt], loop: _Loop | None, top: bool = False) -> list[ast.stmt]:
        """Statements without jumps that do the same; `top` says that a ``return`` may stay."""
        out: list[ast.stmt] = []
        for k, s in enumerate(statements):
            rest = statements[k + 1 :]
            if isinstance(s, ast.Return) and not top:
                self._lowered += 1
                value = s.value or place(ast.Constant(None), s)
                out += [self._assign(self._value, value, s), self._flag(self._returned, True, s)]
                return out
            if isinstance(s, ast.Break | ast.Continue):
                assert loop is not None
                out.append(self._flag(loop.stopped if isinstance(s, ast.Break) else loop.skipped, True, s))
                return out
            if isinstance(s, ast.Return | ast.Raise):
                return [*out, s]
            jumps, ends, lowered = escapes([s]), _falls(s), self._lowered
            if isinstance(s, ast.If):
                if jumps and rest and ends:
                    if not falls(s.body):
                        s.orelse, rest, ends = s.orelse + rest, [], False
                    elif not falls(s.orelse):
                        s.body, rest, ends = s.body + rest, [], False
                s.body, s.orelse = self.block(s.body, loop), self.block(s.orelse, loop)
                out.append(s)
            elif isinstance(s, ast.For | ast.While):
                before, rest = self._loop(s, rest, jumps)
                jumps &= {RETURN}
                out += [*before, s]
            elif isinstance(s, ast.With):
                out += self._with(s, loop, jumps, top)
            elif isinstance(s, ast.Try | ast.TryStar):
                self._try(s, loop, jumps, top)
                out.append(s)
            elif isinstance(s, ast.Match):
                for case in s.cases:
                    case.body = self.block(case.body, loop, top)
                out.append(s)
            else:
                out.append(s)
                continue
            if self._lowered == lowered:
                jumps -= {RETURN}
            if not ends:
                return out
            if jumps and rest:
                guard = self._unless(jumps, loop, rest[0])
                return [*out, place(ast.If(guard, self.block(rest, loop), []), rest[0])]
            if rest and rest != statements[k + 1 :]:  # a loop's else clause runs on
                return out + self.block(rest, loop, top)
        return out

    def _loop(
        self, s: ast.For | ast.While, rest: list[ast.stmt], jumps: frozenset[str]
    ) -> tuple[list[ast.stmt], list[ast.stmt]]:
        """Lower a loop in place: what goes before it, and what comes after it."""
        inner = _Loop(self._names.new("break"), self._names.new("continue"))
        leaves, lowered = escapes(s.body), self._lowered
        body = self.block(s.body, inner)
        if inner.skipped in self._tested:
            body.insert(0, self._flag(inner.skipped, False, body[0]))
        s.body = body
        stop = []
        before: list[ast.stmt] = []
        if BREAK in leaves:
            stop.append(inner.stopped)
            before.append(self._flag(inner.stopped, False, s))
        if self._lowered != lowered:
            stop.append(self._returned)
        self._tested.update(stop)
        self.stops[s] = stop
        if s.orelse and BREAK in leaves:
            unless = place(_not_any([inner.stopped]), s.orelse[0])
            rest = [place(ast.If(unless, s.orelse, []), s.orelse[0]), *rest]
        elif s.orelse:
            rest = [*s.orelse, *rest]
        s.orelse = []
        return before, rest

    def _try(self, s: ast.Try | ast.TryStar, loop: _Loop | None, jumps: frozenset[str], top: bool) -> None:
        if escapes(s.finalbody):
            raise NotConverted("a jump out of a finally clause", s.finalbody[0].lineno)
        inside = escapes(s.body)
        lowered = self._lowered
        s.body = self.block(s.body, loop, top)
        if self._lowered == lowered:
            inside -= {RETURN}
        resets = self._resets(inside, loop, s)
        for handler in s.handlers:
            # The exception may come after the jump, from a finally clause or a context manager on its way.
            handler.body = [*resets, *self.block(handler.body, loop, top)]
        orelse = s.orelse
        s.orelse = self.block(orelse, loop, top and not inside) if orelse else []
        if orelse and inside:
            s.orelse = [place(ast.If(self._unless(inside, loop, orelse[0]), s.orelse, []), orelse[0])]
        s.finalbody = self.block(s.finalbody, loop)

    def _with(self, s: ast.With, loop: _Loop | None, jumps: frozenset[str], top: bool) -> list[ast.stmt]:
        """Lower a with statement in place. If it takes an exception that came after a jump, there was no jump."""
        lowered = self._lowered
        s.body = self.block(s.body, loop, top)
        if self._lowered == lowered:
            jumps -= {RETURN}
        if not jumps:
            return [s]
        done = self._names.new("done")
        self._tested.add(done)
        s.body.append(self._flag(done, True, s))
        keep = [self._keep(name, done, s) for name in self._flags(jumps, loop)]
        return [self._flag(done, False, s), s, *keep]

    def _resets(self, jumps: frozenset[str], loop: _Loop | None, at: ast.AST) -> list[ast.stmt]:
        return [self._flag(name, False, at) for name in self._flags(jumps, loop)]

    def _flags(self, jumps: frozenset[str], loop: _Loop | None) -> list[str]:
        names = []
        if loop is not None:
            names += [loop.stopped] * (BREAK in jumps) + [loop.skipped] * (CONTINUE in jumps)
        return names + [self._returned] * (RETURN in jumps)

    def _unless(self, jumps: frozenset[str], loop: _Loop | None, at: ast.AST) -> ast.expr:
        names = self._flags(jumps, loop)
        self._tested.update(names)
        return place(_not_any(names), at)

    def _flag(self, name: str, value: bool, at: ast.AST) -> ast.stmt:
        """Sets a flag; vanishes if nothing tests the flag."""
        node = place(ast.Assign([ast.Name(name, ast.Store())], ast.Constant(value)), at)
        self._sets[node] = name
        return node

    def _keep(self, name: str, done: str, at: ast.AST) -> ast.stmt:
        """Clears a flag unless `done`."""
        both = ast.BoolOp(ast.And(), [ast.Name(name, ast.Load()), ast.Name(done, ast.Load())])
        node = place(ast.Assign([ast.Name(name, ast.Store())], both), at)
        self._sets[node] = name
        return node

    def _assign(self, name: str, value: ast.expr, at: ast.AST) -> ast.stmt:
        node = ast.Assign([place(ast.Name(name, ast.Store()), at)], value)
        return ast.copy_location(node, at)

    def _prune(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        """Drop what sets flags that nothing tests."""
        kept: list[ast.stmt] = []
        for s in statements:
            if s in self._sets and self._sets[s] not in self._tested:
                continue
            for block in blocks(s):
                block[:] = self._prune(block) or ([place(ast.Pass(), s)] if block else [])
            kept.append(s)
        return kept


def _not(operand: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), operand)


def _not_any(names: list[str]) -> ast.expr:
    loads: list[ast.expr] = [ast.Name(name, ast.Load()) for name in names]
    return _not(loads[0] if len(loads) == 1 else ast.BoolOp(ast.Or(), loads))
