r"""Loops that stop for what only Python does, and go on: what is between two stops can be a function then.

    for i in range(n):                         __begin, __end = range(n).start, range(n).stop
        u = step(u)                            if __begin < __end:
        if i % 100 == 0:                           i = __begin - 1
            print(i, u.max())                      __stop = -1
        v += u                                     while __stop:
                                                       if __stop == -1:
                                          ->               __stop = 0                          \
                                                           for i in range(i + 1, __end):       |
                                                               u = step(u)                     |
                                                               if i % 100 == 0:                |  a function
                                                                   __stop = 1                  |
                                                                   break                       |
                                                               v += u                          /
                                                       else:
                                                           __stop = -1
                                                           print(i, u.max())
                                                           v += u

Of a loop that stops in each iteration, what is before the stop is a function, and what is after it. Where a variable
that Python reads may have no value yet, the first iteration is Python's as it is written.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from lazyarr.tracing.control.flow import Flow
from lazyarr.tracing.control.foreign import Foreign
from lazyarr.tracing.control.jumps import BREAK, CONTINUE, blocks, escapes
from lazyarr.tracing.control.liveness import assigned
from lazyarr.tracing.control.nodes import place


@dataclass
class Stopping:
    """The loops of a function that stop.

    Attributes
    ----------
    around : set of stmt
        Loops that Python runs.
    groups : set of If
        Branches always taken that hold what can be functions.
    """

    around: set[ast.stmt] = field(default_factory=set)
    groups: set[ast.stmt] = field(default_factory=set)


def stopping(node: ast.FunctionDef, parameters: frozenset[str], foreign: Foreign) -> Stopping:
    """Rewrite, in place, the loops of a function that stop for something foreign.

    Raises
    ------
    NotConverted
        If there are statements of which it is not known what they read.
    """
    found = Stopping()
    before = Flow(node.body, parameters).before

    def block(statements: list[ast.stmt], later: Set[str]) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for k, s in enumerate(statements):
            after = Flow(statements[k + 1 :]).exposed | later
            if isinstance(s, ast.For | ast.While):
                loop = _Loop(s, foreign, len(found.around), found)
                if instead := loop.made(after, before.get(s, frozenset())):
                    made += instead
                    continue
                after = after | Flow([s]).exposed
            for inner in blocks(s) if isinstance(s, ast.If | ast.For | ast.While) else ():
                inner[:] = block(inner, after)
            made.append(s)
        return made

    node.body = block(node.body, set())
    return found


@dataclass(eq=False)
class _Stop:
    """A statement of a loop for which it stops: under a condition, or always."""

    number: int
    test: ast.expr | None
    does: list[ast.stmt]
    otherwise: list[ast.stmt]


#: Where a loop goes on with its next iteration.
_NEXT = -1


class _Loop:
    """A loop, and where it stops."""

    def __init__(self, s: ast.For | ast.While, foreign: Foreign, number: int, found: Stopping):
        self._loop, self._foreign, self._found = s, foreign, found
        self._stop, self._begin, self._end = (f"__{kind}_{number}" for kind in ("stop", "begin", "end"))
        self._step: int | None = None
        self._stops: list[_Stop] = []
        self._parts = [self._part(x) for x in s.body]

    def _part(self, s: ast.stmt) -> ast.stmt | _Stop:
        if not self._foreign.within(s):
            return s
        stop = _Stop(len(self._stops) + 1, None, [s], [])
        if isinstance(s, ast.If) and not self._foreign.within(s.test):
            yes, no = (any(self._foreign.within(x) for x in block) for block in (s.body, s.orelse))
            if not no:
                stop = _Stop(stop.number, s.test, s.body, s.orelse)
            elif not yes:
                stop = _Stop(stop.number, ast.UnaryOp(ast.Not(), s.test), s.orelse, s.body)
        self._stops.append(stop)
        return stop

    def made(self, after: Set[str], before: Set[str]) -> list[ast.stmt]:
        """What stands for the loop; nothing if it does not stop, or cannot be taken apart.

        Parameters
        ----------
        after : set of str
            Names that may be read after it.
        before : set of str
            Names that have values before it.
        """
        s = self._loop
        if not self._stops or s.orelse or not self._works():
            return []
        if self._foreign.within(s.test if isinstance(s, ast.While) else s.iter):
            return []
        if any(isinstance(x, ast.For | ast.While) for stop in self._stops for x in stop.does):
            return []
        if isinstance(s, ast.For) and not self._is_counted(s):
            return []
        around = self._around()
        ours = set(assigned(s.body)) - before
        target = {s.target.id} if isinstance(s, ast.For) and isinstance(s.target, ast.Name) else set()
        # What Python runs reads what a function has given, then.
        if ours & (after | Flow([around]).exposed) or target & after - before:
            instead = self._after_the_first(around)
        elif isinstance(s, ast.For):
            counted = ast.BinOp(self._name(self._begin), ast.Sub(), ast.Constant(self._step))
            inside = ast.Compare(self._name(self._begin), [self._before_end()], [self._name(self._end)])
            start = ast.Assign([copy.deepcopy(s.target)], counted)
            instead = [*self._bounds(s), ast.If(inside, [start, self._set(_NEXT), around], [])]
        else:
            instead = [self._set(_NEXT), around]
        return [place(x, s) for x in instead]

    def _works(self) -> bool:
        """Whether something is left to compile."""
        return any(
            isinstance(n, ast.BinOp | ast.Call | ast.For | ast.While | ast.AugAssign)
            for part in self._parts if isinstance(part, ast.stmt)
            for n in ast.walk(part)
        )  # fmt: skip

    def _is_counted(self, s: ast.For) -> bool:
        """Whether a loop is over a range of a known step, which its body does not count itself."""
        call = s.iter
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"):
            return False
        if not self._foreign.range_is_range:
            return False
        if not isinstance(s.target, ast.Name) or s.target.id in assigned(s.body) or call.keywords:
            return False
        if not 1 <= len(call.args) <= 3 or any(isinstance(a, ast.Starred) for a in call.args):
            return False
        self._step = _number(call.args[2]) if len(call.args) == 3 else 1
        return bool(self._step)

    def _bounds(self, s: ast.For) -> list[ast.stmt]:
        """What gives the bounds of a range names: Python's ints, as those that the loop counts with."""
        name = self._begin
        parts: list[ast.expr] = [ast.Attribute(self._name(name), part, ast.Load()) for part in ("start", "stop")]
        bounds = ast.Tuple([ast.Name(self._begin, ast.Store()), ast.Name(self._end, ast.Store())], ast.Store())
        return [ast.Assign([ast.Name(name, ast.Store())], s.iter), ast.Assign([bounds], ast.Tuple(parts, ast.Load()))]

    def _range(self, begin: ast.expr) -> ast.expr:
        return ast.Call(self._name("range"), [begin, self._name(self._end), ast.Constant(self._step)], [])

    def _following(self, s: ast.For) -> ast.expr:
        """The next number of a range."""
        assert isinstance(s.target, ast.Name)
        return ast.BinOp(self._name(s.target.id), ast.Add(), ast.Constant(self._step))

    def _before_end(self) -> ast.cmpop:
        assert self._step is not None
        return ast.Lt() if self._step > 0 else ast.Gt()

    def _after_the_first(self, around: ast.stmt) -> list[ast.stmt]:
        """The loop with its first iteration as it is written."""
        s = self._loop
        body = [*copy.deepcopy(s.body), self._set(_NEXT), around, ast.Break()]
        if isinstance(s, ast.While):
            outer: ast.For | ast.While = ast.While(s.test, body, [])
            before: list[ast.stmt] = []
        else:
            outer = ast.For(s.target, self._range(self._name(self._begin)), body, [])
            before = self._bounds(s)
        self._found.around.add(outer)
        return [*before, outer]

    def _around(self) -> ast.stmt:
        """The loop over the stops."""
        branch: list[ast.stmt] = []
        for stop in reversed(self._stops):
            rest = self._parts[1 + self._parts.index(stop) :]
            does = copy.deepcopy(stop.does)
            if stop.test is None and rest and not any(map(_jumps, [stop, *rest])):
                does.append(self._group(self._rest(rest)))
            else:
                # Python does it seldom; and a function cannot end the loop around it.
                does = [self._set(_NEXT), *does, *_plain(rest)]
            branch = [self._case(stop.number, does, branch)] if branch else does
        made = ast.While(self._name(self._stop), [self._case(_NEXT, [self._again()], branch)], [])
        self._found.around.add(made)
        return made

    def _again(self) -> ast.stmt:
        """The loop from its next iteration to the next stop, or to its end."""
        s = self._loop
        always = next((k for k, x in enumerate(self._parts) if isinstance(x, _Stop) and x.test is None), None)
        if always is not None and not any(_jumps(part) for part in self._parts[:always]):
            # It stops in each iteration: whether there is one is Python's to say.
            once = self._group(self._rest(self._parts))
            if isinstance(s, ast.While):
                return ast.If(copy.deepcopy(s.test), [once], [self._set(0)])
            inside = ast.Compare(self._following(s), [self._before_end()], [self._name(self._end)])
            counted = ast.Assign([copy.deepcopy(s.target)], self._following(s))
            return ast.If(inside, [counted, once], [self._set(0)])
        body: list[ast.stmt] = []
        for part in self._parts:
            if isinstance(part, ast.stmt):
                body.append(copy.deepcopy(part))
                continue
            stops: list[ast.stmt] = [self._set(part.number), ast.Break()]
            if part.test is None:
                body += stops
                break
            body.append(ast.If(copy.deepcopy(part.test), stops, copy.deepcopy(part.otherwise)))
        if isinstance(s, ast.While):
            return self._group([self._set(0), ast.While(copy.deepcopy(s.test), body, [])])
        numbers = self._range(self._following(s))
        return self._group([self._set(0), ast.For(copy.deepcopy(s.target), numbers, body, [])])

    def _rest(self, parts: Sequence[ast.stmt | _Stop]) -> list[ast.stmt]:
        """The rest of an iteration, to the next stop in it."""
        made: list[ast.stmt] = []
        for k, part in enumerate(parts):
            if isinstance(part, ast.stmt):
                made.append(copy.deepcopy(part))
                continue
            stops = self._set(part.number)
            if part.test is None:
                return [*made, stops]
            otherwise = [*copy.deepcopy(part.otherwise), *self._rest(parts[k + 1 :])]
            return [*made, ast.If(copy.deepcopy(part.test), [stops], otherwise)]
        return [*made, self._set(_NEXT)]

    def _case(self, number: int, does: list[ast.stmt], otherwise: list[ast.stmt]) -> ast.stmt:
        test = ast.Compare(self._name(self._stop), [ast.Eq()], [ast.Constant(number)])
        return ast.If(test, does, otherwise)

    def _set(self, number: int) -> ast.stmt:
        return ast.Assign([ast.Name(self._stop, ast.Store())], ast.Constant(number))

    def _group(self, statements: list[ast.stmt]) -> ast.stmt:
        group = ast.If(ast.Constant(True), statements, [])
        self._found.groups.add(group)
        return group

    @staticmethod
    def _name(name: str) -> ast.expr:
        return ast.Name(name, ast.Load())


def _jumps(part: ast.stmt | _Stop) -> frozenset[str]:
    """Kinds of jumps out of a part of a loop's body."""
    return escapes([part] if isinstance(part, ast.stmt) else [*part.does, *part.otherwise]) & {BREAK, CONTINUE}


def _plain(parts: Sequence[ast.stmt | _Stop]) -> list[ast.stmt]:
    """Statements as they were."""
    found: list[ast.stmt] = []
    for part in parts:
        if isinstance(part, ast.stmt):
            found.append(part)
        elif part.test is None:
            found += part.does
        else:
            found.append(ast.If(part.test, part.does, part.otherwise))
    return copy.deepcopy(found)


def _number(node: ast.expr) -> int | None:
    """A whole number of the source."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _number(node.operand)
        return None if number is None else -number
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None
