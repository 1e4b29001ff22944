"""Reductions of `lazyarr.numpy` against NumPy's: axes, dtypes, ``out=``, ``initial=``, ``where=``, ufunc methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.settings import settings
from tests.agree import Program, agree, difference, disagreement

DTYPES = "?bBhHiIqQefdFD"
SHAPES = [(), (0,), (3,), (2, 3), (0, 3), (2, 0), (2, 3, 2)]
MASKABLE = ["sum", "prod", "max", "min", "any", "all", "mean", "std", "var"]
POSITIONS = ["argmax", "argmin"]
CUMULATIVE = ["cumsum", "cumprod"]
FUNCTIONS = [*MASKABLE, "ptp", "count_nonzero", *POSITIONS, *CUMULATIVE]
ASSOCIATIVE = ["add", "multiply", "maximum", "minimum", "fmax", "fmin", "logical_and", "logical_or", "logical_xor",
               "bitwise_and", "bitwise_or", "bitwise_xor"]  # fmt: skip
#: Reductions that go one element at a time, from the left.
FOLDS = ["subtract", "divide", "power", "hypot", "equal", "less", "floor_divide", "left_shift", "gcd", "logaddexp"]
AXES: list[Any] = [None, 0, -1, 1, 2, -3]
TUPLES: list[Any] = [(0, 1), (1, 0), (0, 0), ()]


def array(char: str, shape: tuple[int, ...], seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if char == "?":
        return rng.integers(0, 2, shape) == 0
    x = rng.integers(0 if char.isupper() and char not in "FD" else -4, 5, shape)
    return (x + 1j * rng.integers(-3, 3, shape) if char in "FD" else x).astype(char)


class Report:
    """Runs programs, and fails at the end with all that disagreed."""

    def __init__(self) -> None:
        self.wrong: list[tuple[str, str]] = []

    def check(self, label: str, program: Program, *arguments: Any) -> None:
        found = disagreement(program, *arguments)
        if found is not None:
            self.wrong.append((label, found))

    def __enter__(self) -> Report:
        # Every program here is run once: interpreting them is the quick way.
        self._settings = settings(fallback="allow", compile_after=10**9)
        self._settings.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._settings.__exit__(*exception)
        assert not self.wrong


@pytest.mark.parametrize("char", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_axes_and_shapes(name: str, char: str) -> None:
    with Report() as report:
        for shape in SHAPES:
            x = array(char, shape)
            for axis in [*AXES, *(TUPLES if name not in POSITIONS + CUMULATIVE else [])]:
                report.check(f"{shape} {axis}", lambda n, x, a: getattr(n, name)(x, axis=a), x, axis)
                if name not in CUMULATIVE:
                    report.check(f"{shape} {axis} keepdims",
                                 lambda n, x, a: getattr(n, name)(x, axis=a, keepdims=True), x, axis)
            if name != "count_nonzero" and name != "ptp":
                report.check(f"{shape} method", lambda n, x: getattr(x, name)(), x)


@pytest.mark.parametrize("char", DTYPES)
def test_out_dtype_initial_where(char: str) -> None:
    x = array(char, (2, 3))
    mask = np.array([True, False, True])
    with Report() as report:
        for name in FUNCTIONS:
            if name != "count_nonzero":
                for to in "bdD?lF":
                    out = np.zeros((2, 3) if name in CUMULATIVE else 3, to)
                    report.check(f"{name} out {to}", lambda n, x, o, f: getattr(n, f)(x, axis=0, out=o), x, out, name)
                for out in (np.zeros(2), np.zeros((1, 3))):
                    report.check(f"{name} shape", lambda n, x, o, f: getattr(n, f)(x, axis=0, out=o), x, out, name)
            if name in ("sum", "prod", "mean", "std", "var", "cumsum", "cumprod"):
                for to in "bdD?lFe":
                    report.check(f"{name} as {to}", lambda n, x, t, f: getattr(n, f)(x, axis=0, dtype=t), x, to, name)
            if name in ("sum", "prod", "max", "min"):
                # A product from 0 on keeps other signs of complex zeros.
                for initial in (*((0,) if char not in "FD" else ()), 1, 2.5, -1, 1j, 300, None):
                    report.check(f"{name} initial {initial}",
                                 lambda n, x, i, f: getattr(n, f)(x, initial=i, axis=1), x, initial, name)
                    report.check(
                        f"{name} initial {initial} where",
                        lambda n, x, i, f, m: getattr(n, f)(x, initial=i, axis=1, where=m), x, initial, name, mask,
                    )  # fmt: skip
            if name in MASKABLE:
                report.check(f"{name} where", lambda n, x, f: getattr(n, f)(x, axis=1, where=x > 0), x, name)
                report.check(
                    f"{name} mask", lambda n, x, f, m: getattr(n, f)(x, axis=0, where=m, keepdims=True), x, name, mask
                )
        for ddof in (0, 1, 2, 3, 0.5):
            report.check(f"ddof {ddof}", lambda n, x, d: (n.var(x, ddof=d), n.std(x, axis=0, ddof=d)), x, ddof)
        report.check("correction", lambda n, x: (n.var(x, correction=1), n.std(x, correction=1)), x)
        report.check("mean=", lambda n, x: n.var(x, axis=0, mean=n.mean(x, axis=0, keepdims=True)), x)
        report.check("mean=", lambda n, x: (n.var(x, mean=0.5), n.std(x, axis=1, mean=2, ddof=1)), x)
        for places in (-2, -1, 0, 1, 2):
            report.check(f"round {places}", lambda n, x, p: n.round(x, p), x, places)
            report.check(f"round {places}", lambda n, x, p: (x.astype("d") * 1.37).round(p), x.real, places)
        report.check("trace", lambda n, x: (n.trace(x), x.trace(1), n.trace(x, dtype="f4")), x)


def folded(name: str, char: str) -> bool:
    """Whether NumPy's own reduction is one step after the other: NumPy 2.4's of float powers is not with AVX-512."""
    ufunc = getattr(np, name)
    if name != "power" or char not in "fd":
        return True
    x = np.array([4, -2, -2], char)
    return bool(ufunc.reduce(x) == ufunc(ufunc(x[0], x[1]), x[2]))


@pytest.mark.parametrize("name", [*ASSOCIATIVE, *FOLDS])
def test_ufunc_methods(name: str) -> None:
    with Report() as report:
        for char in filter(lambda char: folded(name, char), DTYPES):
            for shape in SHAPES:
                x = array(char, shape)
                label = f"{char}{shape}"
                for axis in (0, 1, None, -1, (0, 1), ()):
                    for method in ("reduce", "accumulate"):
                        report.check(f"{label}.{method} {axis}",
                                     lambda n, x, m, a: getattr(getattr(n, name), m)(x, axis=a), x, method, axis)
                report.check(f"{label} keepdims", lambda n, x: getattr(n, name).reduce(x, keepdims=True), x)
                report.check(f"{label} initial", lambda n, x: getattr(n, name).reduce(x, initial=2), x)
                report.check(f"{label} None", lambda n, x: getattr(n, name).reduce(x, initial=None), x)
                report.check(f"{label} where", lambda n, x: getattr(n, name).reduce(x, axis=None, where=x > 0), x)
                report.check(f"{label} both",
                             lambda n, x: getattr(n, name).reduce(x, axis=None, where=x > 0, initial=1), x)


@pytest.mark.parametrize("name", [*ASSOCIATIVE, *FOLDS])
def test_ufunc_methods_with_dtype_out_and_indices(name: str) -> None:
    with Report() as report:
        for char in DTYPES:
            x = array(char, (2, 3))
            report.check(f"{char} outer", lambda n, x: getattr(n, name).outer(x, x[0]), x)
            report.check(f"{char} outer", lambda n, x: getattr(n, name).outer(x[0], 2), x)
            for indices in ([0, 1, 0], [2], [1, 2, 1, 0], [0, 3], [-1], []):
                report.check(f"{char} reduceat", lambda n, x, i: getattr(n, name).reduceat(x, i, axis=1), x, indices)
            for to in "bdD?":
                for method in ("reduce", "accumulate"):
                    report.check(f"{char} {method} dtype {to}",
                                 lambda n, x, t, m: getattr(getattr(n, name), m)(x, dtype=t), x, to, method)
                    # NumPy keeps partial results in `out`, where a bool is another number than the loop's.
                    if to != "?" or name in ("add", "multiply", "maximum", "minimum", "logical_and", "logical_or"):
                        out = np.zeros(3 if method == "reduce" else (2, 3), to)
                        report.check(f"{char} {method} out {to}",
                                     lambda n, x, o, m: getattr(getattr(n, name), m)(x, out=o), x, out, method)


@pytest.mark.parametrize("program", [
    lambda n, x: n.sum(x, axis=[0]),
    lambda n, x: n.sum(x, axis=1.5),
    lambda n, x: n.sum(x, axis="a"),
    lambda n, x: n.sum(x, where=1),
    lambda n, x: n.sum(x, where=x),
    lambda n, x: n.add.reduce(x, None, None, n.zeros(())),
    lambda n, x: n.add.reduce(x, out=(n.zeros(3),)),
    lambda n, x: n.add.reduce(x, out=(n.zeros(3), n.zeros(3))),
    lambda n, x: n.negative.reduce(x),
    lambda n, x: n.divmod.reduce(x),
    lambda n, x: n.negative.accumulate(x),
    lambda n, x: n.negative.outer(x, x),
    lambda n, x: n.matmul.reduce(x),
    lambda n, x: n.add.reduce(x, foo=1),
    lambda n, x: n.add.reduce(5),
    lambda n, x: n.add.reduce([1, 2, 3]),
    lambda n, x: n.maximum.reduce(x, axis=(0, 1)),
    lambda n, x: n.subtract.reduce(x, axis=(0, 1)),
    lambda n, x: n.sum(x.T[None, :, :, None], axis=(0, 3)).strides,
    lambda n, x: n.cumsum(x.T, axis=0).strides,
    lambda n, x: x.sum(axis=0).flags.writeable,
    lambda n, x: n.mean(x, axis=()),
    lambda n, x: x.mean(0, None, n.zeros(3)),
    lambda n, x: n.max(x, initial=100, axis=0, keepdims=True),
])  # fmt: skip
@pytest.mark.parametrize("char", "di")
def test_arguments(program: Any, char: str) -> None:
    agree(program, array(char, (2, 3)))


@pytest.mark.parametrize("name", [*MASKABLE, "ptp", *POSITIONS, *CUMULATIVE])
@pytest.mark.parametrize("char", "?bQefdF")
def test_compiled_by_xla(name: str, char: str) -> None:
    x = array(char, (4, 5))
    with settings(compile_after=1):
        if name == "ptp" and char == "?":
            return
        for axis in (None, 0, 1):
            expected, found = getattr(np, name)(x, axis=axis), getattr(lnp, name)(lnp.array(x), axis=axis)
            assert difference(expected, found, 64) is None


def test_warnings_of_empty_means() -> None:
    for n in (np, lnp):
        with pytest.warns(RuntimeWarning, match="Mean of empty slice"), np.errstate(all="ignore"):
            n.mean(n.zeros(0))
        with pytest.warns(RuntimeWarning, match="Degrees of freedom <= 0 for slice"), np.errstate(all="ignore"):
            n.var(n.zeros(1), ddof=1)


@pytest.mark.parametrize("below", [250_000, 0])
@pytest.mark.parametrize("keeps", [1.0, "a", None, np.True_, np.float64(1), np.int64(1), 2, 0, -1, np.array(1),
                                   np.array([1]), 2**70, [1], True])  # fmt: skip
def test_axes_are_kept_as_an_integer_says(below: int, keeps: Any) -> None:
    def found(n: Any, name: str, axis: Any) -> Any:
        try:
            return np.shape(getattr(n, name)(n.ones((2, 3)), axis=axis, keepdims=keeps))
        except (TypeError, OverflowError) as error:
            return type(error), str(error)

    with settings(eager_below=below):
        for name in FUNCTIONS[:-2]:
            for axis in (None, 0):
                assert found(lnp, name, axis) == found(np, name, axis), name


@pytest.mark.parametrize("below", [250_000, 0])
@pytest.mark.parametrize("shape, mask", [((5, 1), (1, 5)), ((3,), (2, 3)), ((1, 3), (2, 3)), ((), (2,)), ((1,), (4,))])
def test_masks_make_no_array_larger(below: int, shape: tuple[int, ...], mask: tuple[int, ...]) -> None:
    def found(n: Any, name: str) -> Any:
        initial = {"initial": 0} if name in ("max", "min") else {}
        try:
            return getattr(n, name)(n.ones(shape), where=n.ones(mask, bool), **initial)
        except ValueError as error:
            return type(error), str(error)

    with settings(eager_below=below):
        for name in ("sum", "prod", "max", "min", "any", "all"):
            assert found(lnp, name) == found(np, name), name
