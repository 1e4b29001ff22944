"""Run one operation on arrays in both back ends."""

from __future__ import annotations

from typing import Any

import numpy as np

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.backends.xla import Executable
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import make
from lazyarr.ir.op import OPS
from lazyarr.ir.types import of

Array = np.ndarray[Any, Any]


def run(name: str, *arrays: Any, **attrs: Any) -> list[Array]:
    """The first result of the operation: by the interpreter, then by XLA."""
    params = [param(i, of(x)) for i, x in enumerate(arrays)]
    graph = Graph(params, [make(OPS[name], tuple(params), tuple(sorted(attrs.items()))).values[0]])
    before = [np.array(x) for x in arrays]
    results = [np.array(interpret(graph, arrays)[0]), np.asarray(Executable(graph)(arrays)[0])]
    for x, old in zip(arrays, before, strict=True):
        assert np.asarray(x).tobytes() == old.tobytes(), f"{name} modifies an operand"
    return results


def agree(expected: Any, results: list[Array], rtol: float = 0.0, atol: float = 0.0) -> None:
    """Each result has NumPy's dtype and shape, and its values (NaN equals NaN)."""
    wanted = np.asarray(expected)
    for backend, actual in zip(("interpreter", "XLA"), results, strict=True):
        assert actual.dtype == wanted.dtype, f"{backend}: {actual.dtype} instead of {wanted.dtype}"
        assert actual.shape == wanted.shape, f"{backend}: {actual.shape} instead of {wanted.shape}"
        np.testing.assert_allclose(actual, wanted, rtol=rtol, atol=atol, err_msg=backend)
