"""XLA's arithmetic is NumPy's: no algebra of XLA's own, and functions to a few units in the last place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.backends.xla import Executable
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import Value, apply, make
from lazyarr.ir.op import lookup
from lazyarr.ir.types import DTYPES, NAMES, of
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE, loop_dtypes


def _call(name: str, *operands: Value, **attrs: Any) -> Value:
    return apply(lookup(name), *operands, **attrs)


def _bits(x: Any) -> bytes:
    x = np.array(x)
    if x.dtype.kind in "fc":
        x[np.isnan(x)] = np.nan
    return bytes(x.tobytes())


def assert_same_bits(results: list[Value], *arguments: Any) -> None:
    """XLA and the interpreter give the same bits for a program of parameters ``arguments``."""
    arrays = [np.asarray(a) for a in arguments]
    graph = Graph([param(k, of(a)) for k, a in enumerate(arrays)], results)
    with np.errstate(all="ignore"):
        expected = interpret(graph, arrays)
    for e, a in zip(expected, Executable(graph)(arrays), strict=True):
        a = np.asarray(a)
        assert (a.dtype, a.shape) == (e.dtype, e.shape)
        assert _bits(a) == _bits(e), f"XLA {a}, NumPy {e}"


def _params(*arguments: Any) -> list[Value]:
    return [param(k, of(np.asarray(a))) for k, a in enumerate(arguments)]


WHOLE_NUMBERS = np.arange(1.0, 200.0)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("shape", [(), (1,), (199,)])
def test_division_is_division(dtype: str, shape: tuple[int, ...]) -> None:
    x = WHOLE_NUMBERS.astype(DTYPES[dtype])
    y = np.full(shape, 49, x.dtype)
    p, q = _params(x, y)
    assert_same_bits([_call("divide", p, q), _call("floor_divide", p, q), _call("remainder", p, q)], x, y)


def test_division_by_a_constant_is_division() -> None:
    (p,) = _params(WHOLE_NUMBERS)
    assert_same_bits([_call("divide", p, const(c)) for c in (3.0, 49.0, 0.1, 1e300)], WHOLE_NUMBERS)


def test_divisions_are_not_merged() -> None:
    x, y = np.array([1e300, 3.0, 1e-300]), np.array([1e200, 7.0, 1e-200])
    p, q = _params(x, y)
    once = _call("divide", p, q)
    assert_same_bits(
        [_call("divide", once, q), _call("divide", p, once), _call("divide", p, _call("sqrt", q)),
         _call("divide", p, _call("exp", _call("negative", q))), _call("multiply", _call("reciprocal", q), p)], x, y,
    )  # fmt: skip


def test_constants_are_not_added_up() -> None:
    x = np.array([0.3, 1e-3, -0.0, 0.0])
    (p,) = _params(x)
    big, tiny = const(1e16), const(1e-200)
    large = const(1e200)
    assert_same_bits(
        [_call("subtract", _call("add", p, big), big), _call("multiply", _call("multiply", p, large), large),
         _call("multiply", _call("multiply", p, tiny), large), _call("add", p, const(0.0)),
         _call("subtract", const(0.0), p), _call("multiply", p, const(0.0)), _call("multiply", p, const(-1.0))], x,
    )  # fmt: skip


def test_not_a_number_times_zero_is_not_a_number() -> None:
    x = np.array([np.nan, np.inf, 1.0])
    mask = np.array([False, False, True])
    p, q = _params(x, mask)
    assert_same_bits([_call("multiply", p, const(0.0)), _call("multiply", p, _call("cast", q, dtype=x.dtype))], x, mask)


def test_exponentials_and_logarithms_are_not_merged() -> None:
    x = np.array([800.0, -800.0, 1.0, np.nan])
    y = -x
    p, q = _params(x, y)
    infinite = _call("multiply", _call("exp", p), _call("exp", q))
    with np.errstate(all="ignore"):
        expected = np.exp(x) * np.exp(y)
    (got,) = Executable(Graph([p, q], [infinite]))([x, y])
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    back = _call("log", _call("exp", p))
    (got,) = Executable(Graph([p, q], [back]))([x, y])
    np.testing.assert_array_equal(np.isinf(got), [True, True, False, False])


@pytest.mark.parametrize("narrow", ["f16", "f32"])
def test_precision_that_a_cast_drops_is_gone(narrow: str) -> None:
    x = np.linspace(0, 3, 101)
    (p,) = _params(x)
    assert_same_bits([_call("cast", _call("cast", p, dtype=DTYPES[narrow]), dtype=x.dtype)], x)


def test_casts_to_half_precision_round_once() -> None:
    halves = np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float64)
    halves = np.sort(halves[np.isfinite(halves)])
    middles = (halves[1:] + halves[:-1]) / 2
    near = [middles * (1 + 1e-12), middles * (1 - 1e-12)]
    x = np.concatenate([halves, middles, *near, [65519.99, 65520, 1e300, 2.9e-8]])
    (p,) = _params(x)
    assert_same_bits([_call("cast", p, dtype=DTYPES["f16"])], x)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide"])
def test_half_precision_rounds_every_operation(name: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-3, 3, (2, 5000)).astype(np.float16)
    p, q = _params(x, y)
    assert_same_bits([_call("multiply", _call("add", _call(name, p, q), q), p)], x, y)


# ------------------------------------------------------------------------------- functions, to the last places

#: Functions of one float whose XLA form is to be as exact as NumPy's, over their whole range.
_UNARY = [n for n in ELEMENTWISE if n != "clip" and getattr(np, n).nin == 1]
_HALF = [n for n in _UNARY if any(loop[0] == np.float16 for loop in loop_dtypes(getattr(np, n)))]
_ULPS = 4.0


def _wide(dtype: np.dtype[Any], rng: np.random.Generator, count: int) -> Any:
    """Floats of all magnitudes (normal ones), and of the common ones more."""
    limits = np.finfo(dtype)
    exponents = rng.integers(limits.minexp + 1, limits.maxexp - 1, count)
    everywhere = np.ldexp(rng.uniform(1, 2, count), exponents) * rng.choice([-1, 1], count)
    return np.concatenate([everywhere, rng.uniform(-10, 10, count), rng.uniform(-1, 1, count)]).astype(dtype)


@pytest.mark.parametrize("dtype", ["f32", "f64", "c64", "c128"])
def test_functions_are_good_to_a_few_units_in_the_last_place(dtype: str) -> None:
    rng = np.random.default_rng(0)
    real = np.dtype(DTYPES[dtype].type(0).real.dtype)
    x = _wide(real, rng, 10_000)
    if DTYPES[dtype].kind == "c":
        # A complex log1p is only as good as 1 + |z| in NumPy.
        x = (rng.uniform(-10, 10, 20_000) + 1j * rng.uniform(-10, 10, 20_000)).astype(DTYPES[dtype])
    names = [n for n in _UNARY if n != "log1p" or x.dtype.kind == "f"]
    names = [n for n in names if any(loop[0] == x.dtype for loop in loop_dtypes(getattr(np, n)))]
    p = param(0, of(x))
    values = [v for n in names for v in make(lookup(n), (p,)).values]
    graph = Graph([p], values)
    worst = {}
    for value, e, a in zip(values, interpret(graph, [x]), Executable(graph)([x]), strict=True):
        a = np.asarray(a)
        assert a.dtype == e.dtype
        if e.dtype.kind not in "fc":
            np.testing.assert_array_equal(a, e, err_msg=value.node.op.name)
            continue
        limits = np.finfo(e.dtype)
        with np.errstate(all="ignore"):
            unit = np.maximum(np.abs(e).astype(float) * float(limits.eps), float(limits.smallest_normal))
            error = np.where((a == e) | (np.isnan(a) & np.isnan(e)), 0, np.abs(a - e) / unit)
        worst[value.node.op.name] = float(np.max(np.where(np.isnan(error), np.inf, error)))
    assert len(worst) > 15
    assert {n: w for n, w in worst.items() if w > _ULPS} == {}


@pytest.mark.parametrize("name", _HALF)
def test_every_number_of_half_precision(name: str) -> None:
    x = np.arange(65536, dtype=np.uint16).view(np.float16)
    node = make(lookup(name), (param(0, of(x)),))
    graph = Graph([param(0, of(x))], node.values)
    for e, a in zip(interpret(graph, [x]), Executable(graph)([x]), strict=True):
        a = np.asarray(a)
        assert a.dtype == e.dtype
        if e.dtype.kind == "f":
            np.testing.assert_array_max_ulp(a[np.isfinite(e)], e[np.isfinite(e)], 2)
            np.testing.assert_array_equal(a[~np.isfinite(e)], e[~np.isfinite(e)])
            np.testing.assert_array_equal(np.signbit(a[x == 0]), np.signbit(e[x == 0]))
        else:
            np.testing.assert_array_equal(a, e)


@pytest.mark.parametrize("source", list(DTYPES))
def test_casts_of_many_values(source: str) -> None:
    rng = np.random.default_rng(0)
    dtype = DTYPES[source]
    if dtype.kind == "b":
        x: Any = rng.random(100) > 0.5
    elif dtype.kind in "iu":
        x = np.frombuffer(rng.bytes(20_000 * dtype.itemsize), dtype).copy()
        x[::2] >>= rng.integers(0, 8 * dtype.itemsize, 10_000).astype(dtype)
    else:
        # In range of every integer dtype's conversion through int32; what is out of range is up to the CPU.
        x = np.asarray(rng.normal(0, 1, 20_000) * 10.0 ** rng.uniform(-4, 4, 20_000), dtype)
    p = param(0, of(x))
    signed = x.dtype.kind not in "fc" or np.all(x >= 0)
    targets = [t for t in DTYPES.values() if signed or t.kind != "u"]
    graph = Graph([p], [_call("cast", p, dtype=t) for t in targets])
    for e, a in zip(interpret(graph, [x]), Executable(graph)([x]), strict=True):
        assert _bits(a) == _bits(e), f"{source} to {NAMES[e.dtype]}"
