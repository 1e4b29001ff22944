"""Evaluations of what has been evaluated in the same form before: what is computed, by what, and on which data.

A loop in Python records one graph again and again. What decides how it is computed (what else is computed with it, the
program, its plan) is decided once, and after some times native code takes the arrays, and gives the results, itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import world
from lazyarr.backends.base import MISS
from lazyarr.ir.graph import Program
from lazyarr.leaves import Leaf
from lazyarr.plans import Plan

if TYPE_CHECKING:
    from lazyarr.backends.native import Executable

#: Evaluations after which the code of a direct call is made: that takes as long as it saves in so many.
_OFTEN = 64
#: Arrays that a direct call takes at most, and calls that it did not take after which it is given up.
_MOST_ARRAYS, _MISSED = 24, 8


class Known:
    """How a graph of one form is computed.

    Attributes
    ----------
    program : Program
    parameters : tuple of int
        Which of the form's leaves are the program's parameters, in their order.
    asked : tuple of int
        The parameters that it would destroy if nobody has them any more (`lazyarr.surrender`).
    """

    __slots__ = ("_direct", "_left", "_missed", "_plan", "asked", "parameters", "program")

    def __init__(self, program: Program, parameters: tuple[int, ...], asked: tuple[int, ...], plan: Plan):
        self.program, self.parameters, self.asked = program, parameters, asked
        self._plan = plan
        self._direct: Callable[..., Any] | None = None
        self._left, self._missed = _OFTEN, 0

    def run(self, leaves: Sequence[Leaf]) -> Sequence[Any]:
        """The results, of data that nobody gives up: arrays of their own."""
        arguments = [leaf.data for leaf in leaves]
        taking = self._direct
        if taking is not None:
            found = taking(*arguments)
            if found is not MISS:
                return found  # type: ignore[no-any-return]
            self._missed += 1
            if self._missed >= _MISSED:
                self._direct = None
        elif self._left:
            self._left -= 1
            if not self._left:
                self._direct = direct(self._plan, arguments)
        return own(self._plan(arguments), arguments)


def direct(plan: Plan, arguments: Sequence[Any]) -> Callable[..., Any] | None:
    """A function that takes arguments like these and runs a plan, or gives `MISS`; None if there is none."""
    alone = plan.alone()
    if alone is None or len(arguments) > _MOST_ARRAYS or any(type(x) is not np.ndarray for x in arguments):
        return None
    from lazyarr.backends.native import Executable

    runner, taken, roots = alone
    # (A parameter that is a result would be the argument itself, and what may be written is copied first.)
    if not isinstance(runner, Executable) or runner.program.donated or any(k < 0 for k in roots):
        return None
    return _compiled(runner, taken, roots, arguments)


def _compiled(
    runner: Executable, taken: Sequence[int], roots: Sequence[int], arguments: Sequence[Any]
) -> Callable[..., Any] | None:
    from lazyarr.backends import native_call_form as form
    from lazyarr.backends import native_direct
    from lazyarr.backends.native_python import supported

    if not supported():
        return None
    call = form.Call(
        arguments=[form.Array(x.dtype, x.shape, x.strides, x.flags.writeable) for x in arguments],
        names=(), same=[], equal=[], outside=[], steps=[], sources=[form.FromArray(k) for k in taken],
        roots=list(roots), checks=[], mutated=[],
        result=form.Pack(tuple, tuple([form.Root(k) for k in range(len(roots))])),
    )  # fmt: skip
    try:
        return native_direct.direct("evaluation", call, runner)
    except form.Unsupported:
        return None


def places(leaves: Sequence[Leaf], among: Sequence[Leaf]) -> tuple[int, ...]:
    """Where each of some leaves stands among others; -1 for one that is not there."""
    found = {id(leaf): k for k, leaf in enumerate(among)}
    return tuple([found.get(id(leaf), -1) for leaf in leaves])


def known(program: Program, parameters: tuple[int, ...], asked: tuple[int, ...], plan: Plan) -> Known | None:
    """How a graph is computed, as `Known` has it; None where that is to be found out the next time, too.

    `plan` is that of the program where nobody gives up data.
    """
    return None if plan.checks or -1 in parameters else Known(program, parameters, asked, plan)


def own(results: Sequence[Any], others: Iterable[Any]) -> list[Any]:
    """Results of which none shares memory with another of them or with `others`: each may be changed later."""
    taken = {id(x) for x in others}
    owned = []
    for result in results:
        if isinstance(result, world.Part):
            owned.append(result)
            continue
        shared = id(result) in taken or (isinstance(result, np.ndarray) and result.base is not None)
        if shared or not isinstance(result, np.ndarray) and not hasattr(result, "unsafe_buffer_pointer"):
            result = np.array(result, order="K")
        taken.add(id(result))
        owned.append(result)
    return owned
