"""Functions that remember their results: what they are given, give and keep is the user's, also in traced calls."""

from __future__ import annotations

import dataclasses
import functools
import gc
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.tracing.trace import Trace
from tests.acceleration import assert_same

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")

COUNTED: list[int] = []


def doubled(v: Any) -> Any:
    return v * 2


def counted(v: Any) -> Any:
    COUNTED.append(1)
    return v * 3


class Mesh:
    def __init__(self, n: Any):
        self.n, self.u = n, np.zeros(5)
        self.seen: list[Any] = []

    def update(self, x: Any) -> Any:
        self.u = self.u + x
        self.u[0] += 1
        self.seen.append(x.sum())
        return self.u * self.n


@functools.cache
def applied(f: Any, n: Any) -> Any:
    return f(n) + 1


@functools.cache
def nested(t: Any) -> Any:
    return t[0](t[1][0])


@functools.cache
def numbered(kind: Any, n: Any) -> Any:
    return kind(n).n


@functools.cache
def of_type(kind: Any, n: Any) -> Any:
    return kind(n)


@functools.cache
def of_object(mesh: Any) -> Any:
    return mesh.n * 2


@functools.cache
def kept(f: Any, n: Any) -> Any:
    return [f, n]


@functools.cache
def mesh_of(n: Any) -> Any:
    return Mesh(n)


@functools.cache
def table_of(n: Any) -> Any:
    return {"rows": [], "n": n, "a": np.zeros(n)}


REMEMBERING = [applied, nested, numbered, of_type, of_object, kept, mesh_of, table_of]
MESH = Mesh(4)


def _printing(x: Any) -> Any:
    print(end="")
    return applied(doubled, 3) * x


def _of_an_argument(x: Any) -> Any:
    return x * _inner(x, 3)


def _inner(x: Any, n: Any) -> Any:
    return applied(doubled, n)


def _in_a_loop(x: Any) -> Any:
    s = 0.0
    for k in range(4):
        s = s + applied(doubled, k) * x[k]
    return s


def _a_table(x: Any) -> Any:
    table = table_of(5)
    table["rows"].append(x.sum())
    table["a"][1] += x[1]
    return table["a"] * x, len(table_of(5)["rows"])


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "a function": lambda x: applied(doubled, 3) * x,
    "by name": lambda x: applied(f=doubled, n=3) * x,
    "in a tuple": lambda x: nested((doubled, (4,))) * x,
    "one with effects": lambda x: applied(counted, 3) * x,
    "of the math module": lambda x: applied(math.sin, 3) * x,
    "a builtin": lambda x: applied(abs, -3) * x,
    "a ufunc": lambda x: applied(np.sin, 3) * x,
    "made by the function": lambda x: applied(lambda v: v * 5, 3) * x,
    "a class": lambda x: numbered(Mesh, 3) * x,
    "a type of NumPy's": lambda x: of_type(np.float64, 3) * x,
    "an object": lambda x: of_object(MESH) * x,
    "an object that is made": lambda x: of_object(Mesh(x.sum())) * x,
    "gives a function": lambda x: (kept(doubled, 2)[0](x), kept(doubled, 2)[0] is doubled),
    "gives a class": lambda x: (kept(Mesh, 2)[0] is Mesh, isinstance(kept(Mesh, 2)[0](2), Mesh), x),
    "gives an object": lambda x: (mesh_of(3).update(x), mesh_of(3).u.sum()),
    "gives a table": _a_table,
    "after an effect": _printing,
    "of an argument": _of_an_argument,
    "in a loop": _in_a_loop,
}


def state() -> Any:
    """What is remembered, seen from outside."""
    mesh = mesh_of(3)
    return [applied(doubled, 3), numbered(Mesh, 3), kept(doubled, 2)[0] is doubled, kept(Mesh, 2)[0] is Mesh,
            mesh.u.copy(), list(mesh.seen), dict(table_of(5)), len(COUNTED)]  # fmt: skip


@pytest.mark.parametrize("what", FUNCTIONS)
def test_what_is_remembered_is_the_users(what: str) -> None:
    def run(function: Any) -> list[Any]:
        COUNTED.clear()
        for remembering in REMEMBERING:
            remembering.cache_clear()
        found = []
        for k in range(3):
            found.append(function(np.arange(5.0) + k))
            # (A program asks for what it was made with once.)
            found.append([f.cache_info().currsize for f in REMEMBERING])
        return [*found, state()]

    assert_same(run(FUNCTIONS[what]), run(accelerate(FUNCTIONS[what], always=True)))


def traces() -> int:
    gc.collect()
    return sum(type(x) is Trace for x in gc.get_objects())


@pytest.mark.parametrize("what", ["a function", "in a tuple", "made by the function", "after an effect", "in a loop"])
def test_nothing_of_a_trace_is_remembered(what: str) -> None:
    before = traces()
    function: Any = accelerate(FUNCTIONS[what], always=True)
    for k in range(3):
        function(np.arange(5.0) + k)
    del function
    assert traces() <= before


def test_functions_without_source_keep_no_trace() -> None:
    @dataclasses.dataclass
    class Point:
        x: Any

    def function(x: Any) -> Any:
        return Point(x * 2).x

    before = traces()
    accelerated: Any = accelerate(function, always=True)
    for _ in range(3):
        accelerated(np.ones(3))
    del accelerated
    assert traces() <= before


BASE = np.arange(10.0)


@functools.cache
def views_of(n: int) -> Any:
    return [BASE[:5], BASE[n : n + 5]]


def _views_after_an_effect(x: Any) -> Any:
    print("once")
    views = views_of(3)
    views[0][0] += 1
    return views[1].sum() + x.sum()


def _views_before_an_effect(x: Any) -> Any:
    views = views_of(3)
    views[0][0] += 1
    print("once")
    return views[1].sum() + x.sum()


def _views_of_attributes(x: Any) -> Any:
    print("once")
    _of(_views_of_attributes).view[0] += 1
    BASE[1] += x[1]
    return _of(_views_of_attributes).view.sum()


def _of(function: Any) -> Any:
    return function


_of(_views_of_attributes).view = BASE[:3]


@pytest.mark.parametrize("function", [_views_after_an_effect, _views_before_an_effect, _views_of_attributes])
def test_arrays_that_share_memory_are_remembered(function: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def run(called: Any) -> Any:
        BASE[:] = range(10)
        return [called(np.arange(5.0) + k) for k in range(3)], BASE.tolist(), capsys.readouterr().out

    assert_same(run(function), run(accelerate(function, always=True)))
