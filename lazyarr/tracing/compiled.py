"""A program of an accelerated function: what has to hold for a call that uses it, and the call itself."""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from lazyarr import settings, world
from lazyarr.captured import capture
from lazyarr.evaluations import own
from lazyarr.ir.graph import Check, CheckFailed, Program
from lazyarr.ir.node import Value
from lazyarr.leaves import Leaf, Placeholder
from lazyarr.ops.create import const
from lazyarr.plans import Plan, plans
from lazyarr.runtime import NotCaptured, compute_part
from lazyarr.tracing.closures import of_call, standing
from lazyarr.tracing.outputs import Outcome
from lazyarr.tracing.signature import Parts, Plain, memory_groups
from lazyarr.tracing.trace import Trace

_NOWHERE = const(True)


def distributed_run(
    together: world.World, program: Program, arguments: list[Any], gathered: bool
) -> tuple[list[Any], Any]:
    """Run a program with the other ranks; `gathered`: its results are whole, on every one."""
    from lazyarr import distributed

    return distributed.run(together, program, arguments, compute_part, gathered=gathered)


def gathers_masks(roots: Sequence[Value]) -> bool:
    """Whether ranks would gather arrays to select from them by masks: outside of programs they need not."""
    from lazyarr.passes.in_parts import selects

    return world.current() is not None and selects(capture(roots)[0], settings.current.split_above)


class Compiled:
    """One program of an accelerated function, and what has to hold for a call that uses it."""

    def __init__(self, trace: Trace, outcome: Outcome):
        self.trace = trace
        self.outcome = outcome
        checks = trace.recording.checks
        self.program, leaves = capture(outcome.roots, [c for c, _ in checks])
        if any(isinstance(leaf, Placeholder) for leaf in leaves):
            raise NotCaptured("a value of a loop's body is used outside of it")
        self.checks = checks
        #: Where the data of each parameter comes from, and how many roots there are besides conditions.
        self.sources = [self._source(leaf) for leaf in leaves]
        self.count = len(outcome.roots)
        #: Functions of the call, which those of another may stand for, and whether none may.
        self.functions = trace.parts.functions
        #: What else is known of functions, which none of another call's may be.
        self._others = trace.environment.known()
        stood_for = {id(part): self._others.pop(id(part), None) for part in self.functions}
        shares = any(
            id(cell) in stood_for
            for other in self._others.values() if isinstance(other, types.FunctionType)
            for cell in other.__closure__ or ()
        )  # fmt: skip
        self._only_these = shares or not stood_for.keys().isdisjoint(trace.environment.alone) or bool(outcome.stores)
        #: What makes calls without `Parts`; False until it is known whether there is such a thing.
        self.direct: Callable[..., Any] | None | Literal[False] = False

    @functools.cached_property
    def plan(self) -> Plan:
        """What runs it; it is compiled when somebody asks."""
        return plans.get(self.program, self._replaced())

    def prepare(self) -> None:
        """Compile it, if it is known what has to be compiled."""
        if world.current() is None:
            self.plan  # noqa: B018

    @property
    def calls_numpy(self) -> bool:
        """Whether something of it is not native code."""
        alone = self.plan.alone()
        return alone is None or bool(getattr(getattr(alone[0], "program", None), "calls", True))

    def forget(self) -> None:
        """Let go of the call that was traced."""
        self.trace.forget()
        self.outcome.forget()
        self.checks = [(Check(_NOWHERE, c.exception, c.message), line) for c, line in self.checks]

    def _replaced(self) -> tuple[int, ...]:
        """The parameters that are arrays which get new contents."""
        trace = self.trace
        changed = [trace.base_places[k] for k, _ in self.outcome.mutated]
        return tuple(
            number for number, (kind, where) in enumerate(self.sources)
            if kind == "base" and trace.input_places[where] in changed
        )  # fmt: skip

    def _source(self, leaf: Leaf) -> tuple[str, Any]:
        """Where the data of a parameter comes from at each call."""
        position = self.trace.tape.position_of(leaf)
        if position is not None:
            return "scalar", position
        for k, lazy in enumerate(self.trace.input_leaves):
            if lazy is leaf:
                return "base", k
        return "constant", leaf.data

    def fits(self, parts: Parts) -> list[Any] | None:
        """The scalars of a call if its guards hold; what the call finds outside its arguments joins `parts`."""
        if all(map(operator.is_, self.functions, parts.functions)):
            return self._fits(parts)
        if self._only_these or any(id(part) in self._others for part in parts.functions):
            return None
        with standing(self.functions, parts.functions):
            return self._fits(parts)

    def _fits(self, parts: Parts) -> list[Any] | None:
        trace = self.trace
        for get, value in trace.expected:
            if get() is not of_call(value):
                return None
        for get, value in trace.expected_equal:
            if get() != value:
                return None
        given = len(parts.arrays)
        try:
            if any(parts.describe(get()) != spec for get, spec in trace.captured):
                return None
        except Plain:
            return None
        if len(parts.arrays) > given and any(k >= given for g in memory_groups(parts.arrays) for k in g):
            return None
        return trace.tape.replay(parts.scalars)

    def __call__(self, parts: Parts) -> tuple[bool, Any]:
        """Run, if the guards hold: (True, result), or (False, None)."""
        try:
            scalars = self.fits(parts)
        except Exception as error:  # noqa: BLE001  whatever it is, Python is to meet it, if it gets there
            raise CheckFailed(Check(_NOWHERE, type(error).__name__, str(error))) from None
        if scalars is None:
            return False, None
        arguments = [
            scalars[where] if kind == "scalar" else where if kind == "constant" else self.trace.base_data(parts, where)
            for kind, where in self.sources
        ]
        together = world.current()
        if together is None:
            results, checks = self.plan(arguments), self.plan.checks
        else:
            results, checks = distributed_run(together, self.program, arguments, not self.outcome.lazy_out)
        for check, ok in zip(checks, results[self.count :], strict=True):
            if not bool(np.asarray(ok)):
                raise CheckFailed(check)
        owned = own(results[: self.count], arguments)
        return True, self.outcome.build(parts, owned, scalars)
