"""Rows too short for LLVM's own loops of vectors: NumPy's bits, and no element of one row beside those of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.backends import native_engine
from lazyarr.plans import plans
from tests.bits import assert_same_bits

Array = np.ndarray[Any, Any]


def laplacian(u: Array, v: Array) -> None:
    v[1:-1, 1:-1] = 0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])


def damped(u: Array, v: Array) -> None:
    u[1:-1, 1:-1] *= 0.999
    v[:, 1:] -= u[:, :-1]


def element_by_element(u: Array, v: Array) -> None:
    rows, columns = u.shape
    for i in range(1, rows):
        for j in range(1, columns):
            v[i, j] = u[i, j] - u[i - 1, j - 1] * 0.5


def row_by_row(u: Array, v: Array) -> None:
    for i in range(len(u)):
        v[i, :] = u[i, :] * u[i, 0] + 1


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What LLVM makes of the programs that are compiled."""
    found: list[str] = []
    optimized = native_engine.optimized

    def noted(text: str, level: int = 2) -> Any:
        module = optimized(text, level)
        found.append(str(module))
        return module

    monkeypatch.setattr(native_engine, "optimized", noted)
    plans.clear()
    return found


@pytest.mark.parametrize("function", [laplacian, damped, element_by_element, row_by_row])
@pytest.mark.parametrize("width", [2, 3, 5, 8, 9, 14, 20, 31, 33])
def test_short_rows(function: Callable[..., None], width: int, compiled: list[str]) -> None:
    rng = np.random.default_rng(width)
    given = [rng.standard_normal((203, width)) for _ in range(2)]
    want, got = [x.copy() for x in given], [x.copy() for x in given]
    fast = accelerate(function, always=True, strict=True)
    for _ in range(2):
        function(*want)
        fast(*got)
        assert_same_bits(want, got)
    if width >= 8:
        assert compiled
        assert not any("call void @llvm.masked.scatter" in text for text in compiled)
