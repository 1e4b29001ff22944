"""XLA: lowers a graph through jax to one executable for the CPU or a GPU.

jax is imported at the first lowering. 64-bit types are switched on for lazyarr's own tracing only (a
thread-local context), so the user's jax keeps its settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from lazyarr.backends import xla_kept
from lazyarr.backends.numpy import interpret
from lazyarr.backends.xla_lower import Lowering
from lazyarr.ir.extents import Length
from lazyarr.ir.graph import CheckFailed, Graph
from lazyarr.ir.node import Value
from lazyarr.ir.types import ArrayType


def _user_interferes(jax: Any) -> bool:
    """Whether the user's jax settings would change what a call of an executable does."""
    config = jax.config
    return bool(config.jax_debug_nans or config.jax_debug_infs or config.jax_disable_jit or config.jax_transfer_guard)


def own_settings(jax: Any) -> Any:
    """Context in which jax keeps 64-bit types and promotes nothing behind lazyarr's back."""
    from contextlib import ExitStack

    stack = ExitStack()
    stack.enter_context(jax.enable_x64(True))
    stack.enter_context(jax.numpy_dtype_promotion("standard"))
    stack.enter_context(jax.debug_nans(False))
    stack.enter_context(jax.debug_infs(False))
    stack.enter_context(jax.disable_jit(False))
    stack.enter_context(jax.transfer_guard("allow"))
    stack.enter_context(jax.default_matmul_precision("highest"))
    return stack


def with_own_memory(jax: Any, function: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """`function` so that none of its results is an argument, or another result.

    jax would hand such a one back as the very array, and whoever takes its memory next would write over two values.
    """

    def run(*arguments: Any) -> tuple[Any, ...]:
        taken = {id(a) for a in arguments}
        results = []
        for result in function(*arguments):
            own = jax.numpy.copy(result) if id(result) in taken else result
            taken.add(id(own))
            results.append(own)
        return tuple(results)

    return run


class _Process:
    """The process that started XLA: its threads do not live on in a forked child."""

    pid: int | None = None


def usable() -> bool:
    """Whether XLA may be used: not in a process forked from one that has used it."""
    if _Process.pid is None:
        _Process.pid = os.getpid()
    return _Process.pid == os.getpid()


@lru_cache(maxsize=1)
def _jax() -> Any:
    """The module jax. Importing it draws from NumPy's global stream, which is the user's, and goes on where it was."""
    state = np.random.get_state(legacy=False)
    try:
        import jax
    finally:
        np.random.set_state(state)
    return jax


class Executable:
    """A compiled graph. In a process forked from one that has used XLA, NumPy interprets it.

    Parameters
    ----------
    graph : Graph
        Its run-time lengths become masks over arrays of their bounds; other symbolic extents must have been lowered.
    donate : sequence of int
        Parameters whose buffers the results may reuse; they are dead after a call.
    """

    def __init__(self, graph: Graph, donate: Sequence[int] = ()):
        self._jax = jax = _jax()
        self.graph = graph
        self._dtypes = [p.type.dtype for p in graph.params]
        if not usable():
            return
        shapes = [jax.ShapeDtypeStruct(p.type.shape, p.type.dtype) for p in graph.params]
        lowering = Lowering(jax, graph)
        self._checks, self._lengths = lowering.checks, lowering.lengths
        with own_settings(jax):
            function = jax.jit(with_own_memory(jax, lowering), donate_argnums=tuple(donate), keep_unused=True)
            self._compiled = xla_kept.compiled(jax, function.lower(*shapes), donate)

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """Run on NumPy or jax arrays (Python scalars for weak parameters); gives jax arrays.

        Raises
        ------
        CheckFailed
            If a check in a region did not hold.
        """
        jax = self._jax
        if not usable():
            return interpret(self.graph, [np.asarray(a) if isinstance(a, jax.Array) else a for a in arguments])
        with own_settings(jax) if _user_interferes(jax) else jax.enable_x64(True):
            # NumPy arrays go in as they are: the call's own transfer costs a third of `device_put`.
            ready = [
                a if isinstance(a, jax.Array) else np.asarray(a, d)
                for a, d in zip(arguments, self._dtypes, strict=True)
            ]
            found = list(self._compiled(*ready))
        if self._checks and (failed := int(found.pop())):
            raise CheckFailed(self._checks[failed - 1])
        if not self._lengths:
            return found
        count = len(self.graph.roots)
        lengths = {v: int(n) for v, n in zip(self._lengths, found[count:], strict=True)}
        return [_cut(x, root.type, lengths) for x, root in zip(found, self.graph.roots, strict=False)]

    @property
    def text(self) -> str:
        """The optimized HLO."""
        return str(self._compiled.as_text())


def _cut(array: Any, type: ArrayType, lengths: dict[Value, int]) -> Any:
    """A result as long as the program says that it is."""
    if not any(isinstance(n, Length) for n in type.shape):
        return array
    box = tuple(slice(lengths[n.scalar] if isinstance(n, Length) else None) for n in type.shape)
    return np.array(np.asarray(array)[box])


#: The graph as a back end runs it (`lazyarr.backends.base`).
compile = Executable


def adopt(array: Any) -> np.ndarray[Any, Any]:
    """A result of an executable as a writeable NumPy array over the same memory.

    Only for arrays that nobody else holds: jax takes its arrays to be constant. On a device other than the CPU the
    data is copied.
    """
    # The address is known before the data is there.
    array.block_until_ready()
    if array.size == 0 or next(iter(array.devices())).platform != "cpu":
        return np.array(array)
    holder = SimpleNamespace(
        __array_interface__={
            "data": (array.unsafe_buffer_pointer(), False),
            "shape": array.shape,
            "typestr": array.dtype.str,
            "version": 3,
        },
        keep=array,
    )
    return np.asarray(holder)
