"""Operators of lazy arrays compute in the memory of an operand that nobody has any more, and of no other."""

from __future__ import annotations

import functools
import itertools
import math
import operator
import platform
import random
import sys
import tracemalloc
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr import settings
from lazyarr.array import LazyArray
from lazyarr.little import extension

#: Elements of arrays that are large enough.
N = 40_000

pytestmark = pytest.mark.skipif(extension.compiled is None, reason="the extension in C is not built")


@pytest.fixture(autouse=True)
def _little() -> Iterator[None]:
    with settings.settings(eager_below=10 * N, fast_path=1):
        yield


def _made(module: Any) -> tuple[Any, Any, Any]:
    a = module.arange(N) * 0.5
    return a, a + 1.0, module.ones(N)


def _check(run: Callable[..., Any]) -> None:
    """Results and operands, in the end, are NumPy's."""
    given, own = _made(np), _made(lnp)
    expected, found = run(*given), run(*own)
    for x, y in zip((*_flat(expected), *given), (*_flat(found), *own), strict=True):
        np.testing.assert_array_equal(x, np.asarray(y), strict=True)


def _flat(found: Any) -> tuple[Any, ...]:
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)


class _Keeps:
    """An object whose operators keep what they are given."""

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def __mul__(self, other: Any) -> Any:
        self.kept.append(other)
        return other * 2.0


def _named(a: Any, b: Any, c: Any) -> Any:
    first = a + b
    second = first * c
    return first, second, -first, first - second, first**2


def _walrus(a: Any, b: Any, c: Any) -> Any:
    return (x := a + b) * 2.0 + (x - c), x


def _keeps(a: Any, b: Any, c: Any) -> Any:
    keeps = _Keeps()
    return keeps * (a + b) + c, keeps.kept[0]


def _view(a: Any, b: Any, c: Any) -> Any:
    view = (a + b)[:]
    return (view + c) - 1.0, view, (a + b)[: N - 1] * 2.0 + 1.0


def _weak(a: Any, b: Any, c: Any) -> Any:
    kept = [a + b]
    seen = weakref.ref(kept[0])
    result = kept[0] * 2.0
    found = seen()
    assert found is not None
    return result, found + 0.0


def _reduced(a: Any, b: Any, c: Any) -> Any:
    return functools.reduce(operator.add, (x * 2.0 for x in (a, b, c))), sum(x + 1.0 for x in (a, b, c))


def _accumulated(a: Any, b: Any, c: Any) -> Any:
    return [*itertools.accumulate((x * 2.0 for x in (a, b, c)), operator.mul)]


def _product(a: Any, b: Any, c: Any) -> Any:
    return math.prod((x * 0.5 for x in (a, b, c)), start=1.0)


def _objects(a: Any, b: Any, c: Any) -> Any:
    """Elements of an array of objects, to which only that refers."""
    held = np.empty(2, object)
    held[0], held[1] = a + b, b + c
    doubled = held * 2.0
    return doubled[0], doubled[1], held[0], held[1]


def _shapes(a: Any, b: Any, c: Any) -> Any:
    square = (a + b).reshape(200, 200)
    row = square[0] * 2.0
    return square * row, (square + row) - row, (square * 1.0).T + (square * 2.0), (a + b) + (row.sum() + 1.0)


def _types(a: Any, b: Any, c: Any) -> Any:
    return (a + b) * 1j, (a > b) == (b > c), (a + b) > (b + c), ((a + b).astype(np.float32) * 2) + a, ~(a > b) & (c > 0)


def _unary(a: Any, b: Any, c: Any) -> Any:
    return -(a + b), +(a + b), abs(a - b), (a + b) ** 2, (a + b) ** 0.5, (a + c) ** 3


@pytest.mark.parametrize("run", [_named, _walrus, _keeps, _view, _weak, _reduced, _accumulated, _product, _objects,
                                 _shapes, _types, _unary])  # fmt: skip
def test_results_and_operands(run: Callable[..., Any]) -> None:
    _check(run)


def _held_by_tuple(x: Any, c: Any) -> Any:
    held = (x * 1.0, c)
    return operator.sub(*held), operator.sub(*held), held[0] - c


def _held_by_list(x: Any, c: Any) -> Any:
    held = [x * 1.0]
    return operator.neg(*held), operator.neg(*held), -held[0]


def _held_by_partial(x: Any, c: Any) -> Any:
    call = functools.partial(operator.add, x * 1.0)
    return call(c), call(c)


def _held_by_method(x: Any, c: Any) -> Any:
    call = (x * 1.0).__mul__
    return call(c), call(c)


def _held_by_bound_function(x: Any, c: Any) -> Any:
    call = types.MethodType(operator.mul, x * 2.0)
    return call(c), call(c)


def _held_by_power(x: Any, c: Any) -> Any:
    held = (x * 1.0, 2)
    return pow(*held), pow(*held), held[0] ** 2


@pytest.mark.parametrize("run", [_held_by_tuple, _held_by_list, _held_by_partial, _held_by_method,
                                 _held_by_bound_function, _held_by_power])  # fmt: skip
def test_operands_of_calls(run: Callable[..., Any]) -> None:
    """What a call gets may be somebody's: all results of one kind are the same. (NumPy overwrites some of these.)"""
    first, *others = (np.asarray(x) for x in run(lnp.arange(N) + 3.0, lnp.full(N, 2.0)))
    expected = np.asarray(run(np.arange(50) + 3.0, np.full(50, 2.0))[0])
    np.testing.assert_array_equal(first[:50], expected, strict=True)
    for x in others:
        np.testing.assert_array_equal(x, first, strict=True)


def test_what_numpy_was_shown() -> None:
    a, b, _ = _made(lnp)
    shown = []

    def show(x: Any) -> Any:
        shown.append(np.asarray(x))
        return x

    result = show(a + b) * 2.0 + 1.0
    np.testing.assert_array_equal(shown[0], np.asarray(a) + np.asarray(b))
    np.testing.assert_array_equal(np.asarray(result), shown[0] * 2.0 + 1.0)


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc" or sys.version_info >= (3, 14), reason="who calls an operator is not known here"
)
@pytest.mark.parametrize("run", [lambda a, b, c: a + 0.5 * (b - c), lambda a, b, c: -((a * b) ** 2),
                                 lambda a, b, c: 1.0 / (a + b) - c])  # fmt: skip
def test_memory_is_that_of_one_array(run: Callable[..., Any]) -> None:
    own = _made(lnp)
    run(*own)
    tracemalloc.start()
    try:
        result = run(*own)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert type(result) is LazyArray
    assert 8 * N <= peak < 1.5 * 8 * N


def _random_program(seed: int) -> str:
    """Statements on variables of which some are read again."""
    draw = random.Random(seed)
    names, lines = ["a", "b", "c"], []

    def expression(depth: int) -> str:
        if depth == 0 or draw.random() < 0.25:
            return draw.choice([*names, *names, "0.5", "1.25"])
        kind = draw.randrange(10)
        if kind == 0:
            return f"(-{expression(depth - 1)})"
        if kind == 1:
            return f"abs({expression(depth - 1)})"
        if kind == 2:
            return f"identity({expression(depth - 1)})"
        if kind == 3:
            return f"(t := {expression(depth - 1)} + 1.0)"
        return f"({expression(depth - 1)} {draw.choice('+-*')} {expression(depth - 1)})"

    for k in range(8):
        if draw.random() < 0.3:
            lines.append(f"{draw.choice(names[3:] or ['x0'])} = a * 1.0 + {expression(3)}")
            names.append(lines[-1].split()[0])
        elif draw.random() < 0.2 and len(names) > 3:
            lines.append(f"{draw.choice(names[3:])} {draw.choice('+-*')}= {expression(2)}")
        else:
            lines.append(f"x{k} = a * 0.0 + {expression(4)}")
            names.append(f"x{k}")
    return "\n".join(lines) + f"\nresult = ({', '.join(dict.fromkeys(names))})"


@pytest.mark.parametrize("seed", range(60))
def test_random_programs(seed: int) -> None:
    program = compile(_random_program(seed), f"<program {seed}>", "exec")
    results = []
    with np.errstate(all="ignore"):
        for module in (np, lnp):
            variables = dict(zip("abc", _made(module), strict=True)) | {"identity": lambda x: x, "t": 1.0}
            exec(program, variables)
            results.append(variables["result"])
    for x, y in zip(*results, strict=True):
        np.testing.assert_array_equal(x, np.asarray(y), strict=True)
