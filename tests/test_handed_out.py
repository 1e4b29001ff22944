"""What accelerated functions give back that hands out items, or runs, after the call."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr import accelerate
from lazyarr.settings import settings


def _twice(x: Any) -> Any:
    b = x * 2

    @accelerate
    def inner(y: Any) -> Any:
        return y + b

    return inner


@pytest.mark.parametrize("always", [0, 1])
def test_an_accelerated_function_that_it_has_made(always: int) -> None:
    a = np.arange(5.0)
    with settings(always=always):
        made = accelerate(_twice)
        for n in range(5):
            np.testing.assert_array_equal(made(a + n)(a), a + (a + n) * 2)


def _numbered(x: Any, items: Any) -> Any:
    print("once")
    return enumerate(items), x * 2


def test_an_iterator_of_the_callers_is_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    run = accelerate(_numbered)
    for _ in range(3):
        items = iter(range(5))
        found, doubled = run(np.arange(3.0), items)
        assert next(items) == 0
        assert list(found) == [(0, 1), (1, 2), (2, 3), (3, 4)]
        assert doubled.tolist() == [0.0, 2.0, 4.0]


def _pairs(x: Any) -> Any:
    print("once")
    b = x * 2
    return zip([1, 2], [b, b + 1], strict=True), enumerate([b[0], b[1]])


def test_iterators_over_what_it_has_made(capsys: pytest.CaptureFixture[str]) -> None:
    run = accelerate(_pairs)
    for _ in range(3):
        pairs, numbers = run(np.arange(3.0))
        assert [(k, v.tolist()) for k, v in pairs] == [(1, [0.0, 2.0, 4.0]), (2, [1.0, 3.0, 5.0])]
        assert [(k, float(v)) for k, v in numbers] == [(0, 0.0), (1, 2.0)]


def _endless(x: Any) -> Any:
    print("once")
    return itertools.count(5), x * 2


def test_an_iterator_without_end(capsys: pytest.CaptureFixture[str]) -> None:
    run = accelerate(_endless)
    for _ in range(3):
        assert next(run(np.arange(3.0))[0]) == 5


def _flat(x: Any) -> Any:
    it = (x * 2).flat
    next(it)
    next(it)
    return it


def test_flat_iterators_go_on_where_they_are() -> None:
    run = accelerate(_flat)
    for _ in range(3):
        assert list(run(np.arange(5.0))) == [4.0, 6.0, 8.0]
    modules: list[Any] = [np, lnp]
    for module in modules:
        x = module.arange(5.0)
        it = x.flat
        assert (float(next(it)), it.index) == (0.0, 1)
        assert [float(v) for v in it] == [1.0, 2.0, 3.0, 4.0]
        assert list(it) == []
        it = x.flat
        assert [(float(p), float(q)) for p, q in zip(it, it, strict=False)] == [(0.0, 1.0), (2.0, 3.0)]
        assert [float(v) for v in x.reshape(5, 1).T.flat] == [0.0, 1.0, 2.0, 3.0, 4.0]
