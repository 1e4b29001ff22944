"""Variables that only some iterations give a value: compiled, and Python's error where one is read without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from tests.acceleration import assert_same, programs


def neighbours(a: Any, b: Any) -> Any:
    """Steps chosen by data, of which none may be chosen; as edge detectors thin out edges."""
    kept = b.copy()
    for y in range(a.shape[0]):
        for x in range(a.shape[1]):
            if a[y, x] == 0:
                dx, dy = -1, 0
            elif a[y, x] == 1:
                dx, dy = 0, -1
            elif a[y, x] == 2:
                dx, dy = 1, 1
            if x == 0:
                dx = max(dx, 0)
            if x == a.shape[1] - 1:
                dx = min(dx, 0)
            if y == 0:
                dy = max(dy, 0)
            if y == a.shape[0] - 1:
                dy = min(dy, 0)
            if b[y + dy, x + dx] > b[y, x]:
                kept[y, x] = 0
    return kept


def afterwards(a: Any, b: Any) -> Any:
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            if a[i, j] == 2:
                where = i * 10 + j
                value = b[i, j]
    return where, value


def before(a: Any, b: Any) -> Any:
    if a[0, 0] == 0:
        last = b[0, 0]
    total = 0.0
    for i in range(a.shape[0]):
        if a[i, 0] < 3:
            total += last
        if a[i, 1] == 1:
            last = b[i, 1]
    return total


def deleted(a: Any, b: Any) -> Any:
    last, total, i = 1.0, 0.0, 0
    while i < a.shape[0]:
        if a[i, 0] == 3:
            del last
        if a[i, 1] < 2:
            last = b[i, 1]
        total += last
        i += 1
    return total


def rows(a: Any, b: Any) -> Any:
    total = np.zeros(a.shape[1])
    for i in range(a.shape[0]):
        if a[i, 0] < 2:
            row = b[i] * 2
        total += row
    return total


def swapped(a: Any, b: Any) -> Any:
    one = b * 1.0
    for i in range(a.shape[0]):
        if a[i, 0] < 2:
            other = one + i
        one, other = other, one
    return one, other


def two_types(a: Any, b: Any) -> Any:
    total = 0
    for i in range(a.shape[0]):
        if a[i, 0] < 1:
            step = 1
        elif a[i, 0] < 2:
            step = b[i, 0]
        total += step
    return total, step


@pytest.mark.parametrize("function", [neighbours, afterwards, before, deleted, rows, swapped, two_types])
def test_variables_that_only_some_iterations_assign(function: Any) -> None:
    accelerated: Any = lazyarr.accelerate(function, always=True)
    rng = np.random.default_rng(0)
    met = set()
    for high in (1, 2, 3, 4, 4, 4, 5):
        a, b = rng.integers(0, high, (40, 30)), rng.random((40, 30))
        for first in (0, 1, 2, 3):
            a[0, 0] = first
            try:
                wanted = function(a.copy(), b.copy())
            except UnboundLocalError as error:
                met.add("raises")
                with pytest.raises(UnboundLocalError) as raised:
                    accelerated(a, b)
                assert str(raised.value) == str(error)
                continue
            met.add("runs")
            assert_same(wanted, accelerated(a, b))
    assert "runs" in met


@pytest.mark.parametrize("function", [neighbours, afterwards, before, deleted])
def test_they_are_one_program(function: Any) -> None:
    accelerated: Any = lazyarr.accelerate(function, strict=True)
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 3, (40, 30)), rng.random((40, 30))
    a[0, :2] = 0
    assert_same(function(a, b), accelerated(a, b))
    assert programs(accelerated) == 1
