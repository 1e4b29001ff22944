"""XLA: lowers a graph through jax to one executable for the CPU or a GPU.

jax is imported at the first lowering. 64-bit types are switched on for lazyarr's own tracing only (a
thread-local context), so the user's jax keeps its settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from lazyarr.backends.numpy import interpret
from lazyarr.backends.xla_storage import stored, writes_slice
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value, make
from lazyarr.ir.op import lookup
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


def lower(jax: Any, graph: Graph) -> Callable[..., tuple[Any, ...]]:
    """A function on jax arrays that computes the roots of `graph`, for jax to trace."""
    keep = stored(graph)
    roots = set(graph.roots)

    def run(*arguments: Any) -> tuple[Any, ...]:
        values: dict[Value, Any] = dict(zip(graph.params, arguments, strict=True))
        for node in graph.nodes:
            outcome = _evaluate(jax, node, [values[operand] for operand in node.operands])
            for index, array in enumerate(outcome):
                value = Value(node, index)
                values[value] = jax.lax.optimization_barrier(array) if value in keep else array
            if writes_slice(node) and node.values[0] in keep and node.operands[1] not in roots:
                # What was written is in memory now; who reads it later reads it there.
                values[node.operands[1]] = _evaluate(jax, _slice_of(node), [values[node.values[0]]])[0]
        return tuple(values[root] for root in graph.roots)

    return run


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


def _slice_of(update: Node) -> Node:
    """The slice that reads what an update_slice has written."""
    return make(lookup("slice"), update.values[:1], update.attrs)


def _evaluate(jax: Any, node: Node, arguments: list[Any]) -> tuple[Any, ...]:
    attrs = node.kw
    if any(True for _ in node.regions):
        attrs = {k: lower(jax, v) if isinstance(v, Graph) else v for k, v in attrs.items()}
    if node.op.jax is not None:
        result = node.op.jax(jax, *arguments, **attrs)
    else:
        result = node.op.evaluate(jax.numpy, *arguments, **attrs)
    results = tuple(result) if isinstance(result, (tuple, list)) else (result,)
    return tuple(
        _of_type(jax, r, t, node) for r, t in zip(results, node.types, strict=True)
    )


def _of_type(jax: Any, array: Any, type: ArrayType, node: Node) -> Any:
    array = jax.numpy.asarray(array)
    if array.shape != type.shape:
        raise AssertionError(f"{node.op.name} gave shape {array.shape} in XLA, its type rule says {type}")
    return array if array.dtype == type.dtype else jax.lax.convert_element_type(array, type.dtype)


class _Process:
    """The process that started XLA: its threads do not live on in a forked child."""

    pid: int | None = None


def usable() -> bool:
    """Whether XLA may be used: not in a process forked from one that has used it."""
    if _Process.pid is None:
        _Process.pid = os.getpid()
    return _Process.pid == os.getpid()


class Executable:
    """A compiled graph. In a process forked from one that has used XLA, NumPy interprets it.

    Parameters
    ----------
    graph : Graph
        Its symbolic extents must have been lowered.
    donate : sequence of int
        Parameters whose buffers the results may reuse; they are dead after a call.
    """

    def __init__(self, graph: Graph, donate: Sequence[int] = ()):
        import jax

        self._jax = jax
        self.graph = graph
        self._dtypes = [p.type.dtype for p in graph.params]
        if not usable():
            return
        shapes = [jax.ShapeDtypeStruct(p.type.shape, p.type.dtype) for p in graph.params]
        with own_settings(jax):
            function = jax.jit(with_own_memory(jax, lower(jax, graph)), donate_argnums=tuple(donate), keep_unused=True)
            self._compiled = function.lower(*shapes).compile()

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """Run on NumPy or jax arrays (Python scalars for weak parameters); gives jax arrays."""
        jax = self._jax
        if not usable():
            return interpret(self.graph, [np.asarray(a) if isinstance(a, jax.Array) else a for a in arguments])
        with own_settings(jax) if _user_interferes(jax) else jax.enable_x64(True):
            # NumPy arrays go in as they are: the call's own transfer costs a third of `device_put`.
            ready = [
                a if isinstance(a, jax.Array) else np.asarray(a, d)
                for a, d in zip(arguments, self._dtypes, strict=True)
            ]
            return list(self._compiled(*ready))

    @property
    def text(self) -> str:
        """The optimized HLO."""
        return str(self._compiled.as_text())


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
