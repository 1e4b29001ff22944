"""Functions that call themselves while they are traced: written out where that is little, plain Python otherwise.

A traced call is written out, so that recursion is a program only if it ends whatever the data are, and as long a one as
there are calls. Where data decides how deep it is, there would be a piece, a program or a branch for each call.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lazyarr import settings
from lazyarr.array import LazyArray
from lazyarr.ir import extents
from lazyarr.ir.graph import depth_first
from lazyarr.source import user_line
from lazyarr.tracing.capture.state import is_small
from lazyarr.tracing.control.nodes import CONTROL
from lazyarr.tracing.signature import Plain

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

#: Calls of functions by themselves in one program: on small arrays, with loops in each or without; on whatever arrays.
_MOST_LOOPS, _MOST_SMALL, _MOST = 4, 32, 512
#: The same where the function runs in pieces.
_MOST_SMALL_PIECES, _MOST_PIECES = 8, 256
#: How many branches on data may lie one in the other, each of which calls the function again.
_MOST_BRANCHES = 3
#: After how many calls it is asked what they have recorded.
_COUNTED = frozenset(2**k + 1 for k in range(2, 9))
_DATA_DECIDES = "it calls itself as often as data decides"


class Recursive(Plain):
    """A function calls itself more often than is written out."""


class Recursion:
    """What a trace knows of the user's functions that are running.

    Attributes
    ----------
    calls : int
        How often a function has called itself, directly or through others.
    """

    def __init__(self, trace: Trace):
        self._trace = trace
        #: By the identity of the code of each function that runs: how many statements were being captured as it began.
        self._running: dict[int, list[int]] = {}
        self.calls = 0

    def run(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function.

        Raises
        ------
        Recursive
            If it is running, and would be written out too often.
        """
        plain = function.__func__ if type(function) is types.MethodType else function
        code = plain.__code__ if type(plain) is types.FunctionType else None
        if code is None or CONTROL not in code.co_freevars:
            return function(*args, **kwargs)
        depths = self._running.setdefault(id(code), [])  # (equal ones may have other globals)
        if depths:
            self.calls += 1
            self._limit({*depths, self._trace.depth}, (*args, *kwargs.values()))
        depths.append(self._trace.depth)
        try:
            return function(*args, **kwargs)
        finally:
            depths.pop()

    def _limit(self, depths: set[int], given: Iterable[Any]) -> None:
        trace = self._trace
        if trace.strict or settings.current.fallback == "error" or (trace.reasons and not trace.may_begin_again):
            return
        if trace.reasons:
            small = all(is_small(cell.value.type) for cell in list(trace.recording.cells or ()))
            most = _MOST_SMALL_PIECES if small else _MOST_PIECES
        else:
            decided = any(isinstance(x, LazyArray) and not extents.is_static(x._shape) for x in given)
            if decided or len(depths) > _MOST_BRANCHES:
                raise Recursive(_DATA_DECIDES, user_line(3))
            # (What has been recorded is not counted at every call.)
            few = (_MOST_LOOPS if self._has_loops() else _MOST_SMALL) if self.calls in _COUNTED else self.calls
            most = few if self.calls > few and trace.is_small_work() else _MOST
        if self.calls > most:
            raise Recursive(f"it calls itself more than {most} times", user_line(3))

    def _has_loops(self) -> bool:
        nodes = depth_first([holder.value for holder in self._trace.recording.pending()])
        return any(True for node in nodes for _ in node.regions)
