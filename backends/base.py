"""What a back end is: a name, and a function that makes a graph ready to run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol

from lazyarr.ir.graph import Graph

#: Runs a compiled graph: one argument a parameter in, one array for each of the graph's roots out.
Runner = Callable[[Sequence[Any]], Sequence[Any]]


class Compile(Protocol):
    """What a back end provides."""

    def __call__(self, graph: Graph, donate: Sequence[int]) -> Runner:
        """Make `graph` ready to run.

        Parameters
        ----------
        graph : Graph
            Of operations that name this back end. Extents may be known at run time only, where these take that.
        donate : sequence of int
            Parameters that are dead after a run: their memory may hold results. ``-1 - k`` (of native code alone):
            those that may be destroyed even if the run fails; arguments may be `GivenUp`, others are copied.

        Returns
        -------
        callable
            ``run(arguments) -> results``: one array a parameter in (NumPy's, jax's, or a Python scalar for a weak
            parameter), one for each of ``graph.roots`` out. Must not change arguments that are not donated. XLA's
            results have memory of their own, each, which `reuse_buffers` counts on; nothing of others' is donated.
        """


class GivenUp:
    """An argument that nobody needs after a run, whose memory a back end may write into.

    Parameters
    ----------
    array : numpy.ndarray
        To which nobody else refers, views of it included.
    """

    __slots__ = ("array",)

    def __init__(self, array: Any):
        self.array = array

    def take(self) -> Any:
        """The array, which is the caller's then: a copy where a value of the same program refers to it."""
        array, self.array = self.array, None
        return array if sys.getrefcount(array) == _ALONE else array.copy()


#: What `sys.getrefcount` gives of an array to which one variable refers.
_ALONE = 2


def given(argument: Any) -> Any:
    """An argument as who does not write into it takes it."""
    return argument.array if type(argument) is GivenUp else argument


class _Miss:
    def __repr__(self) -> str:
        return "<miss>"


#: What a direct call (`native_direct`) gives where it does not stand for the call.
MISS: Any = _Miss()

_BACKENDS: dict[str, Compile] = {}
#: Back ends of lazyarr's own, imported when the first region for them is met.
_OWN = {"native": "lazyarr.backends.native", "numpy": "lazyarr.backends.numpy", "xla": "lazyarr.backends.xla"}


def register(name: str, compile: Compile) -> None:
    """Make `compile` the back end called `name`, which operations may then list in ``backends``.

    Raises
    ------
    ValueError
        If the name is taken.
    """
    if name in _BACKENDS or name in _OWN:
        raise ValueError(f"a back end called {name!r} exists")
    _BACKENDS[name] = compile


def backend(name: str) -> Compile:
    """The back end called `name`.

    Raises
    ------
    KeyError
        If there is none.
    """
    if name not in _BACKENDS:
        if name not in _OWN:
            raise KeyError(f"no back end is called {name!r}; known are {', '.join(sorted({*_OWN, *_BACKENDS}))}")
        _BACKENDS[name] = import_module(_OWN[name]).compile
    return _BACKENDS[name]
