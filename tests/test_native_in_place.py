"""Statements that read the array they write, element for element: how their stores and loops are generated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends.native import compile
from lazyarr.backends.native_engine import _machine, has, optimized
from lazyarr.ir.text import parse


def rows(path: Any) -> Any:
    n = path.shape[0]
    for k in range(n):
        for i in range(n):
            path[i, :] = np.minimum(path[i, :], path[i, k] + path[k, :])


def columns(a: Any) -> Any:
    n = a.shape[1]
    for k in range(n):
        for i in range(n):
            a[:, i] = np.maximum(a[:, i], a[:, k] * 0.5)


def chosen(a: Any, b: Any) -> Any:
    for _ in range(3):
        a[1:-1] = np.where(b[1:-1] > a[1:-1], b[1:-1], a[1:-1])
        a[:] = np.where(a > 0.5, a, a * b)


def shifted(a: Any) -> Any:
    for k in range(1, 4):
        a[k:] = np.minimum(a[k:], a[:-k] + 0.1)
        a[:-1] = np.maximum(a[:-1], a[1:])


def halves(a: Any) -> Any:
    n = a.shape[0] // 2
    for k in range(n):
        a[k] = a[k] - 2 * a[n + k]
        a[n + k] = np.where(a[k] > 0, a[n + k], a[k])


PROGRAMS = [(rows, 1), (columns, 1), (chosen, 2), (shifted, 1), (halves, 1)]


def arrays(count: Any, n: Any, dtype: Any, seed: Any) -> Any:
    random = np.random.default_rng(seed)
    found = [(random.standard_normal((n, n)) * 4).astype(dtype) for _ in range(count)]
    if dtype.startswith("f"):
        for a in found:
            a[random.integers(n, size=3), random.integers(n, size=3)] = [np.nan, np.inf, -0.0]
    return found


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4"])
@pytest.mark.parametrize("n", [7, 38])
@pytest.mark.parametrize(("program", "count"), PROGRAMS)
def test_bits_are_those_of_numpy(program: Any, count: Any, n: Any, dtype: Any) -> None:
    given = arrays(count, n, dtype, n)
    expected = [a.copy() for a in given]
    with np.errstate(all="ignore"):
        program(*expected)
    fast = lazyarr.accelerate(program)
    for _ in range(3):
        own = [a.copy() for a in given]
        fast(*own)
        for a, b in zip(own, expected, strict=True):
            np.testing.assert_array_equal(a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}"))


ROWS = """graph(%0: f64[40,40]) {
  %1 = const() {value=i64(0)} : i64[]
  %2 = const() {value=i64(40)} : i64[]
  %3 = const() {value=i64(1)} : i64[]
  %4 = loop(%1, %2, %3, %0) {body=graph(%0: i64[], %1: f64[40,40]) {
    %2 = const() {value=i64(0)} : i64[]
    %3 = window(%1, %0) {dims=(("index",), ("all",))} : f64[40]
    %4 = window(%1, %2) {dims=(("index",), ("all",))} : f64[40]
    %5 = add(%3, %4) : f64[40]
    %6 = minimum(%3, %5) : f64[40]
    %7 = put_window(%1, %6, %0) {dims=(("index",), ("all",))} : f64[40,40]
    return %7
  }, carried=1, until=-1} : f64[40,40]
  return %4
}"""


@pytest.mark.skipif(not has("avx2"), reason="vectors of four doubles")
def test_rows_of_one_array_are_done_by_vectors_and_stored_whole() -> None:
    program = compile(parse(ROWS))
    assembly = _machine(2).emit_assembly(optimized(program.text))
    assert "vaddpd" in assembly
    assert "vaddsd" not in assembly
    assert "maskmov" not in assembly


def stepped(u: Any, v: Any) -> Any:
    u += 1
    v *= u
    u -= v * 3


def exchanged(u: Any, v: Any) -> Any:
    old = u * 1
    u[:] = v + u
    v[:] = old - v
    return old


def turned(u: Any, v: Any) -> Any:
    u += u.T
    v += v[::-1]
    v -= v[:, ::-1] * u


def carried(u: Any, v: Any) -> Any:
    before = u.sum()
    u[...] = u * v[0] + v[:, :1]
    v += np.where(v > 0, u, -v)
    return before, u.sum()


def temporaries(u: Any, v: Any) -> Any:
    a = np.sort(u, axis=0) * 2
    b = a + v
    c = b * b - a
    q, r = np.divmod(c, 3)
    return c.cumsum(0) + q, r, a.max()


def checked(u: Any, v: Any) -> Any:
    u += 1
    at = int(v[0, 0])
    return u[at % 3, 0]


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4"])
@pytest.mark.parametrize("n", [7, 200])
@pytest.mark.parametrize("program", [stepped, exchanged, turned, carried, temporaries, checked])
def test_whole_arrays_are_replaced_element_for_element(program: Any, n: Any, dtype: Any) -> None:
    random = np.random.default_rng(n)
    given = [(random.standard_normal((n, n)) * 40).astype(dtype) for _ in range(2)]
    expected = [a.copy() for a in given]
    with np.errstate(all="ignore"):
        answer = program(*expected)
    fast = lazyarr.accelerate(program)
    for _ in range(4):
        own = [a.copy() for a in given]
        found = fast(*own)
        for a, b in zip(own, expected, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
        assert isinstance(found, type(answer))
        for a, b in zip(found, answer, strict=True) if isinstance(answer, tuple) else [(found, answer)]:
            np.testing.assert_array_equal(a, b)


def test_an_array_that_is_replaced_needs_no_second_one() -> None:
    graph = parse("""graph(%0: f64[1000], %1: f64[1000]) {
  %2 = add(%0, %1) : f64[1000]
  %3 = multiply(%2, %0) : f64[1000]
  return %3
}""")
    assert len(compile(graph).buffers) == 1
    program = compile(graph, [0])
    assert (program.buffers, program.program.donated) == ((), (0,))
    x, y = np.arange(1000.0), np.arange(1000.0) - 7
    np.testing.assert_array_equal(program([x, y])[0], (x + y) * x)
    np.testing.assert_array_equal(x, np.arange(1000.0))


def grown(a: Any, u: Any, v: Any) -> Any:
    a += np.outer(u, v) + 1
    u *= 2
    return a.sum()


def before_and_after(a: Any, b: Any) -> Any:
    old = a * 1.5
    a += b
    first = a - old
    a *= first
    b -= a
    return old, first


def swapped(a: Any, b: Any) -> Any:
    c = a * 2 + b
    a[:] = b - 1
    b[:] = c
    return c


def flipped(a: Any, b: Any) -> Any:
    a += b * 3
    a += a.T
    b *= a[::-1]
    a -= b[0]


def divided(a: Any, b: Any) -> Any:
    a += b
    q, r = np.divmod(a, 3)
    return q, r, q + r


def steps(a: Any, b: Any) -> Any:
    for _ in range(4):
        old = a + 0.5
        a = a * 0.5 + b
        b = b - a
    return old, a, b


def branch(a: Any, b: Any) -> Any:
    for k in range(4):
        if a[0, 0] > k:
            a = a * 0.5 - b
        else:
            b = b + a
    return a, b


def until(a: Any, b: Any) -> Any:
    k = 0
    while k < 10 and np.abs(a).max() > 2:
        a = a * 0.5
        b += a
        k += 1
    return a, k


def results(found: Any) -> list[Any]:
    return list(found) if isinstance(found, tuple) else [] if found is None else [found]


WHOLE = [before_and_after, swapped, flipped, divided, steps, branch, until]


@pytest.mark.parametrize("n", [5, 61])
@pytest.mark.parametrize("program", [*WHOLE, grown])
def test_whole_arrays_are_written_over_what_they_are_made_of(program: Any, n: Any) -> None:
    random = np.random.default_rng(n)
    given = [random.standard_normal((n, n)) * 4 for _ in range(2)]
    if program is grown:
        given = [given[0], random.random(n), random.random(n)]
    expected = [a.copy() for a in given]
    wanted = program(*expected)
    fast = lazyarr.accelerate(strict=True)(program)
    for _ in range(4):
        own = [a.copy() for a in given]
        found = fast(*own)
        for a, b in zip([*own, *results(found)], [*expected, *results(wanted)], strict=True):
            np.testing.assert_array_equal(a, b)
        for a in results(found):
            assert not any(np.shares_memory(a, x) for x in own)


UPDATE = """graph(%0: f64[6,5], %1: f64[5]) {
  %2 = add(%0, %1) : f64[6,5]
  %3 = reduce(%2) {axes=(0, 1), kind="add"} : f64[]
  %4 = multiply(%2, %1) : f64[6,5]
  return %4, %3
}"""


def test_no_memory_is_needed_for_what_is_written_over_an_argument() -> None:
    program = compile(parse(UPDATE), [0])
    assert program.program.donated == (0,)
    assert not [b for b in program.buffers if b.capacity >= 6 * 5 * 8]


def test_an_argument_that_is_read_later_stays() -> None:
    program = compile(parse(UPDATE.replace("return %4", "return %4, %0")), [0])
    a, v = np.arange(30.0).reshape(6, 5), np.arange(5.0)
    new, old, total = program([a, v])
    np.testing.assert_array_equal(old, a)
    np.testing.assert_array_equal(new, (a + v) * v)
    assert total == (a + v).sum()
