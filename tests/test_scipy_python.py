"""Functions of SciPy that run between compiled pieces, and what of them other packages have compiled."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import linalg, ndimage, optimize
from scipy.linalg import cho_factor, cho_solve, expm
from scipy.ndimage import gaussian_filter
from scipy.optimize import minimize
from scipy.signal import find_peaks

from lazyarr import accelerate
from lazyarr.tracing.foreign import _Given, is_foreign

C = np.array([1.0, -1.0, 2.0])


def bounded(c: Any) -> Any:
    return optimize.minimize(lambda x: np.sum((x - 2 * c) ** 2), c, bounds=[(0, 3)] * 3).x


def constrained(c: Any) -> Any:
    def loss(x: Any) -> Any:
        return np.sum(np.square(x)) / 2 - np.sum(x)

    return optimize.minimize(loss, np.ones(3), constraints=[optimize.LinearConstraint(c, 0, 0)]).x


def truncated(c: Any) -> Any:
    return optimize.minimize(lambda x: np.sum((x - c) ** 2), c * 0, method="TNC").x


def assigned(c: Any) -> Any:
    return optimize.linear_sum_assignment(np.outer(c, c) * 2)[1]


def toeplitz(c: Any) -> Any:
    return linalg.solve_toeplitz(np.array([4.0, 1.0, 0.0]) * 2, c * 2)


def by_name(c: Any) -> Any:
    return minimize(lambda x: np.sum((x - 2 * c) ** 2), c, bounds=[(0, 3)] * 3).x


def smooth(c: Any) -> Any:
    u = np.outer(c, c) * 2
    for _ in range(3):
        u = u + gaussian_filter(u, 1.0) / 2
        u[0] = 0
    return u


def factors(c: Any) -> Any:
    return cho_solve(cho_factor(np.diag(c**2) + 1.0), c) + expm(np.outer(c, c))[0]


def peaks(c: Any) -> Any:
    return find_peaks(np.concatenate([c, c * 2]))[0]


def into_argument(c: Any) -> Any:
    u = np.outer(c, c) * 2
    gaussian_filter(u, 1.0, output=u)
    return u


def into_argument_of_module(c: Any) -> Any:
    u = np.outer(c, c) * 2
    ndimage.gaussian_filter(u, 1.0, output=u)
    return u


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize("function", [bounded, by_name, constrained, truncated, assigned, toeplitz, smooth, factors,
                                      peaks, into_argument, into_argument_of_module])  # fmt: skip
def test_functions_that_call_compiled_code_of_scipys(function: Callable[..., Any]) -> None:
    want, compiled = function(C), accelerate(function, always=True)
    for _ in range(2):
        got = compiled(C)
        assert type(got) is type(want) and got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_what_compiled_code_writes_is_written() -> None:
    import lazyarr.numpy as lnp

    a, b = lnp.arange(3.0), lnp.arange(4.0)
    table: dict[str, Any] = {"a": a, "n": 1}
    items: list[Any] = [b, 2]
    given = _Given()
    data, (table_data, items_data) = given.data(a), given.data((table, items))
    assert type(data) is np.ndarray and table_data["a"] is data and type(items_data[0]) is np.ndarray
    data[0] = 5.0
    table_data["n"] = data
    items_data.append(7)
    given.write_back()
    assert np.asarray(a).tolist() == [5.0, 1.0, 2.0] and table["a"] is a and table["n"] is a
    assert items[0] is b and items[1:] == [2, 7] and given.lazy(data) is a
    plain: list[Any] = [1, np.zeros(2)]
    assert given.data(plain) is plain


def test_which_functions_are_other_packages_compiled_ones() -> None:
    assert not any(map(is_foreign, (math.sin, [].append, np.sin, np.array, C.sum, len, bounded, int)))
    assert is_foreign(optimize.linear_sum_assignment)


def test_functions_of_numba() -> None:
    numba = pytest.importorskip("numba")

    @numba.njit  # type: ignore[untyped-decorator]
    def dot(x: Any, y: Any) -> Any:
        total = 0.0
        for i in range(x.shape[0]):
            total += x[i] * y[i]
        return total

    @numba.njit  # type: ignore[untyped-decorator]
    def grow(x: Any) -> Any:
        for i in range(x.shape[0]):
            x[i] += 1

    class Holder:
        def __init__(self) -> None:
            self.dot = dot

        def run(self, x: Any) -> Any:
            return self.dot(np.sqrt(x), x)

    def between(x: Any, n: int) -> Any:
        parts = np.empty(n)
        for k in range(n):
            parts[k] = x[k::n].sum()
        grow(parts)
        return dot(np.log(parts), parts)

    def given(x: Any, f: Any) -> Any:
        return f(np.log(x), x) * 2

    holder = Holder()
    assert is_foreign(dot) and not is_foreign(holder)
    cases: list[Any] = [(between, 6), (given, dot), (lambda x, h: h.run(x + 1), holder)]
    for function, argument in cases:
        accelerated: Any = accelerate(function)
        for k in range(4):
            x = np.random.default_rng(k).random(60) + 1
            before = x.copy()
            expected, found = function(x, argument), accelerated(x, argument)
            assert type(found) is type(expected) and abs(found - expected) < 1e-12 * abs(expected)
            assert np.array_equal(x, before)
