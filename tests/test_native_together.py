"""Statements on arrays of one size that are done together, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_plan
from lazyarr.backends.native import compile
from lazyarr.backends.native_emit import FORK
from lazyarr.ir.text import parse
from lazyarr.settings import settings

N = 100_003


def several(a: Any, b: Any) -> Any:
    c = a * 2 + b
    d = c * c - a
    e = np.sqrt(abs(c * d) + b * b)
    return c, d, e, e > d


def in_place(a: Any, b: Any) -> Any:
    c = a + b
    a *= 2
    b += c * a
    d = b - a
    a[:] = d * c
    return c, d


def exchanged(a: Any, b: Any) -> Any:
    c = a - b
    a[:] = b * 2
    b[:] = c + 1
    return a.sum(), c


def written_twice(a: Any, b: Any) -> Any:
    a -= 0.5 * b
    b += 0.1 * a
    c = a * b
    a -= 0.5 * b * b
    b[:] = b[::-1] + a
    a += b
    return c


def neighbours(a: Any, b: Any) -> Any:
    c = a * 3
    d = c[1:] - c[:-1]
    e = c[::-1] + b
    f = d * d + 1
    c += e
    return c, d, e, f


def reduced(a: Any, b: Any) -> Any:
    c = a * b
    d = c + a
    total = d.sum()
    e = d - total
    return c, d, e, e.max(), d[5] + c[-1]


def types(a: Any, b: Any) -> Any:
    c = a.astype(np.float32)
    d = (b * 10).astype(np.int16)
    e = c * d
    f = (e > 3) & (d != 2)
    return c, d, e, f, np.where(f, a, b), f.astype(np.int8) + 1


def shapes(a: Any, b: Any) -> Any:
    c = a[:100_000].reshape(400, 250) * 2
    d = c + b[:250]
    e = c.T * 2
    f = c - 1
    g = f * c
    return c, d, e, f, g, g.reshape(-1) + a[:100_000]


def long_chain(a: Any, b: Any) -> Any:
    found = []
    for k in range(12):
        a = a * 0.5 + b
        b = b - a * k
        found.append(a)
    return found, b


def sorted_between(a: Any, b: Any) -> Any:
    c = a + b
    d = np.sort(c)
    e = np.gcd((c * 10).astype(np.int64), 12)
    f = c * 2
    return c, d, e, f, divmod(f, 3.0)


def failing(a: Any, b: Any) -> Any:
    a += 1
    c = a * b
    d = c + a
    return c, d[int(b[3])]


PROGRAMS = [several, in_place, exchanged, written_twice, neighbours, reduced, types, shapes, long_chain, sorted_between]


def leaves(x: Any) -> list[Any]:
    return [leaf for item in x for leaf in leaves(item)] if isinstance(x, (tuple, list)) else [x]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("n", [1000, N])
@pytest.mark.parametrize("program", PROGRAMS)
def test_as_numpy(program: Any, n: int, threads: int) -> None:
    if n < N and program is shapes:
        n = 100_000
    random = np.random.default_rng(1)
    given = [random.standard_normal(n), random.standard_normal(n) + 1]
    expected = [x.copy() for x in given]
    answer = leaves(program(*expected))
    fast = lazyarr.accelerate(program)
    with settings(threads=threads):
        for _ in range(3):
            own = [x.copy() for x in given]
            found = leaves(fast(*own))
            for x, y in zip([*found, *own], [*answer, *expected], strict=True):
                assert np.asarray(x).dtype == np.asarray(y).dtype
                np.testing.assert_array_equal(x, y)


def test_errors_leave_arguments_as_they_were() -> None:
    a, b = np.zeros(N), np.ones(N)
    fast = lazyarr.accelerate(failing)
    for _ in range(3):
        fast(a, b)
    b[3] = 1e6
    with pytest.raises(IndexError):
        fast(a, b)
    np.testing.assert_array_equal(a, np.full(N, 3.0))


def test_what_is_one_pass() -> None:
    graph = parse(f"""graph(%0: f64[{N}]) {{
  %1 = multiply(%0, %0) : f64[{N}]
  %2 = sqrt(%1) : f64[{N}]
  %3 = add(%2, %1) : f64[{N}]
  return %1, %2, %3
}}""")
    with settings(threads=2):
        program = compile(graph)
    assert program.text.count(f"call void @{FORK}") == 1
    x = np.linspace(-1, 1, N)
    for found, expected in zip(program([x]), (x * x, abs(x), abs(x) + x * x), strict=True):
        np.testing.assert_array_equal(found, expected)


def moments(a: Any, b: Any) -> Any:
    centred = a - a.mean()
    square = centred * centred
    variance = square.mean()
    flat = b * 2 - 1
    skewness, kurtosis = (square * centred).mean(), (square * square).sum()
    return variance, skewness, kurtosis, centred.max(), flat.min(), (flat * a).sum(), flat


def shifted(a: Any, b: Any) -> Any:
    c = a * 2
    d = c[1:] + c[:-1]
    e = a.astype(np.float32) + 1
    return d.sum(), d, (c * c).sum(), e.sum(), (e * e).max(), np.sort(c)[3]


@pytest.mark.parametrize("program", [*PROGRAMS, moments, shifted])
def test_little_arithmetic_is_done_again(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_plan, "_BEYOND", 0)
    test_as_numpy(program, N, 2)


@pytest.mark.parametrize(("size", "count"), [(500, 2), (1000, 0), (1_000_000, 0)])
def test_what_is_not_stored(size: int, count: int) -> None:
    graph = parse(f"""graph(%0: f64[{size}], %1: f64[]) {{
  %2 = subtract(%0, %1) : f64[{size}]
  %3 = multiply(%2, %2) : f64[{size}]
  %4 = reduce(%3) {{axes=(0,), kind="add"}} : f64[]
  %5 = multiply(%3, %2) : f64[{size}]
  %6 = reduce(%5) {{axes=(0,), kind="add"}} : f64[]
  return %4, %6
}}""")
    program = compile(graph)
    assert len(program.buffers) == count
    x = np.linspace(-1, 3, size)
    square, cube = program([x, np.float64(0.5)])
    assert square == ((x - 0.5) * (x - 0.5)).sum()
    assert cube == ((x - 0.5) * (x - 0.5) * (x - 0.5)).sum()
