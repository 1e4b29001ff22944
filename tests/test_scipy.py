"""Functions of SciPy inside accelerated functions: one program, and SciPy's results, types and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import linalg, special
from scipy.linalg import lapack, solve_banded
from scipy.special import erf

import lazyarr
import lazyarr.numpy as lnp
from lazyarr import StrictError, accelerate
from lazyarr.scipy import counterpart

Array = np.ndarray[Any, Any]

X = np.concatenate([np.random.default_rng(0).standard_normal(501) * 4, [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 30.0]])


def same(function: Callable[..., Any], *args: Any, ulps: float = 8.0, near_zero: bool = False) -> None:
    """Strictly one program with SciPy's results: types, dtypes, shapes and values."""
    want = function(*args)
    for got in [accelerate(function, strict=True)(*args) for _ in range(2)]:
        assert type(got) is type(want)
        several = isinstance(want, tuple)
        for w, g in zip(want if several else (want,), got if several else (got,), strict=True):
            assert type(g) is type(w)
            assert np.asarray(g).dtype == np.asarray(w).dtype and np.shape(g) == np.shape(w)
            kind = np.asarray(w).dtype
            tolerance = ulps * np.finfo(kind).eps if kind.kind in "fc" else 0
            np.testing.assert_allclose(g, w, rtol=tolerance, atol=tolerance if near_zero else 0, equal_nan=True)


ONE = ["erf", "erfc", "ndtr", "expit", "entr", "gamma", "gammaln", "exp10", "log1p", "expm1", "cbrt", "exp2", "j0",
       "log_ndtr"]  # fmt: skip


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", ONE)
def test_special_functions_of_one_argument(name: str, dtype: str) -> None:
    function = getattr(special, name)
    # (Where erfc is very little, Cephes is some 30 of them off.)
    same(lambda x: function(x), X.astype(dtype), ulps=64 if name in ("erfc", "ndtr") else 8)
    same(lambda x: getattr(special, name)(x * 0.5) + 1, X.astype(dtype), near_zero=True)
    same(lambda x: function(x), np.float64(0.25))


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_special_functions_of_two_arguments(dtype: str) -> None:
    x = X.astype(dtype)
    for name in ("xlogy", "xlog1py", "rel_entr", "hyp0f1"):
        same(lambda x, y, name=name: getattr(special, name)(x, y), x, np.abs(x))
    same(lambda x: special.jv(2, x), x)
    same(lambda x: special.xlogy(0, x), x)
    same(lambda x: special.logit(x), np.linspace(0, 1, 301).astype(dtype))


def test_other_dtypes_and_results() -> None:
    same(lambda x: erf(x), np.arange(-3, 4))
    same(lambda x: erf(x), X[:20] + 1j)
    same(lambda x: special.sici(x), X)
    same(lambda x: special.eval_legendre(np.arange(3)[:, None], x), X[:7])
    same(lambda x: special.erf(x, out=np.zeros(x.shape)), X)


@pytest.mark.parametrize("values", [[0, -40, -41], [-1e-20, -50], [1e-3, -7], [2, 2, -50], [-np.inf] * 2, [np.inf, 1]])
def test_small_sums_of_exponentials(values: list[float]) -> None:
    same(lambda x: special.logsumexp(x), np.array(values, float))
    same(lambda x: special.log_softmax(x), np.array(values, float))


@pytest.mark.filterwarnings("ignore")
def test_other_arguments_of_sums_of_exponentials() -> None:
    for name in ("softmax", "log_softmax", "logsumexp"):
        function = getattr(special, name)
        for args in ((np.ones((2, 3), "i1"),), (np.float64(2.5),), (np.ones((2, 3)), ())):
            want, got = function(*args), accelerate(lambda *args, f=function: f(*args))(*args)
            np.testing.assert_array_equal(got, want)
            assert np.asarray(got).dtype == np.asarray(want).dtype
    with pytest.raises(TypeError):
        accelerate(lambda x: special.softmax(x))(np.ones(3, bool))


def test_where_a_float_has_no_exponential() -> None:
    same(lambda x: special.expit(x), np.array([-100, -88, -50, 100], np.float32))


def test_numbers_one_at_a_time_stay_in_scipy() -> None:
    def gammas(x: Array) -> Any:
        total = 0.0
        for k in range(len(x)):
            total += special.gamma(x[k])
        return total

    x = np.linspace(1, 2, 5000)
    with pytest.warns(lazyarr.FallbackWarning, match="scipy.special.gamma: it would be called back for one number"):
        assert accelerate(gammas)(x) == gammas(x)
    with pytest.raises(StrictError):
        accelerate(gammas, strict=True)(x)
    same(lambda x: sum(special.ndtr(x[k]) for k in range(3)), x)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1)])
def test_exponentials_of_rows(name: str, axis: Any) -> None:
    function = getattr(special, name)
    for x in (X[:500].reshape(20, 25), X[:500].reshape(20, 25).astype("f4")):
        same(lambda x: function(x, axis=axis), x, ulps=64)
    same(lambda x: special.logsumexp(x, axis=0, keepdims=True), X[:500].reshape(20, 25), ulps=64)
    x = X[:500].reshape(20, 25).copy()
    x[3], x[5, 5], x[7, 2] = -np.inf, np.nan, np.inf
    same(lambda x: function(x, axis=axis), x, ulps=64)


def system(n: int, dtype: str, columns: int | None = None) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(n)
    b = rng.standard_normal(n if columns is None else (n, columns))
    return tuple(x.astype(dtype) for x in (rng.random(n - 1), rng.random(n) + 2, rng.random(n - 1), b))  # type: ignore[return-value]


@pytest.mark.parametrize("columns", [None, 1, 3])
@pytest.mark.parametrize("letter", "sdcz")
def test_tridiagonal_systems(letter: str, columns: int | None) -> None:
    solver = getattr(lapack, f"{letter}gtsv")
    parts = system(40, {"s": "f4", "d": "f8", "c": "c8", "z": "c16"}[letter], columns)
    same(lambda *parts: solver(*parts), *parts)
    same(lambda *parts: solver(*parts)[3] * 2, *parts)
    solved = accelerate(lambda *parts: solver(*parts)[3])(*parts)
    assert solved.flags.f_contiguous == solver(*parts)[3].flags.f_contiguous


def test_what_lapack_says() -> None:
    def solve(dl: Array, d: Array, du: Array, b: Array) -> Any:
        *_, x, info = lapack.dgtsv(dl, d, du, b)
        if info > 0:
            raise np.linalg.LinAlgError(f"row {info}")
        return x

    accelerated = accelerate(solve)
    same(solve, *system(30, "f8"))
    for _ in range(2):
        with pytest.raises(np.linalg.LinAlgError, match="row 1"):
            accelerated(np.zeros(3), np.zeros(4), np.ones(3), np.ones(4))


def test_shapes_that_do_not_fit_are_scipys_errors() -> None:
    dl, d, du, b = system(5, "f8")
    for args in ((dl[1:], d, du, b), (dl, d, du, b[1:])):
        with pytest.raises(ValueError) as want:
            lapack.dgtsv(*args)
        with pytest.raises(ValueError) as got:
            accelerate(lambda *args: lapack.dgtsv(*args)[3])(*args)
        assert str(got.value) == str(want.value)


def test_what_may_be_overwritten_is() -> None:
    parts, others = system(20, "f8"), system(20, "f8")
    def function(*parts: Array) -> Any:
        return lapack.dgtsv(*parts, overwrite_b=1)[3]

    np.testing.assert_allclose(accelerate(function)(*others), function(*parts), rtol=1e-13)
    for mine, other in zip(parts, others, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert not np.array_equal(others[3], system(20, "f8")[3])


@pytest.mark.parametrize("dtype", ["f8", "f4", "c16", "i8"])
def test_banded(dtype: str) -> None:
    dl, d, du, b = system(33, "f8")
    ab = np.zeros((3, 33))
    ab[0, 1:], ab[1], ab[2, :-1] = du, d, dl
    ab, b = (ab * 4).astype(dtype), (b * 9).astype(dtype)

    def implicit(ab: Array, u: Array, steps: int) -> Array:
        for _ in range(steps):
            u = solve_banded((1, 1), ab, u)
            u[0] = 0
        return u

    same(lambda ab, b: linalg.solve_banded((1, 1), ab, b), ab, b, ulps=64)
    same(implicit, ab, b.astype(np.result_type(dtype, "f4")), 4, ulps=2000)


@pytest.mark.parametrize(
    ("of_matrix", "of_b"),
    [("f4", "i2"), ("f4", "?"), ("u1", "f4"), ("f2", "f2"), ("f4", "f2"), ("f4", "c8"), ("i4", "c8")],
)
def test_banded_dtypes(of_matrix: str, of_b: str) -> None:
    ab = (np.array([[0, 1, 1, 1], [7, 8, 9, 7], [2, 1, 1, 0]])).astype(of_matrix)
    same(lambda ab, b: linalg.solve_banded((1, 1), ab, b), ab, np.arange(4).astype(of_b), ulps=64)


def test_banded_errors() -> None:
    def solve(ab: Array, b: Array) -> Any:
        return solve_banded((1, 1), ab, b)

    ab, b = np.ones((3, 5)), np.ones(5)
    ab[:, 2] = np.nan
    for bad in (ab, np.zeros((3, 5)), np.ones((3, 6))):
        with pytest.raises(Exception) as want:  # noqa: PT011
            solve(bad, b)
        with pytest.raises(want.type) as got:
            accelerate(solve)(bad, b)
        assert str(got.value).split("\n")[0] == str(want.value).split("\n")[0]


def test_five_diagonals_are_scipys() -> None:
    ab = np.random.default_rng(5).random((5, 9)) + np.array([0, 0, 9, 0, 0])[:, None]

    def function(ab: Array, b: Array) -> Any:
        return solve_banded((2, 2), ab, b)

    np.testing.assert_allclose(accelerate(function)(ab, np.ones(9)), function(ab, np.ones(9)), rtol=1e-12)
    with pytest.raises(StrictError, match="more than three diagonals"):
        accelerate(function, strict=True)(ab, np.ones(9))


def test_lazy_arrays_outside_accelerated_functions() -> None:
    x = lnp.asarray(X)
    before = str(lazyarr.report())
    for name in ("erf", "gamma", "ndtr"):
        found = getattr(special, name)(x)
        assert isinstance(found, lnp.ndarray)
        np.testing.assert_allclose(np.asarray(found), getattr(special, name)(X), rtol=1e-14, equal_nan=True)
    assert str(lazyarr.report()) == before


def test_a_ufunc_of_ones_own_is_not_scipys() -> None:
    # (Both have functions of these names.)
    assert counterpart(special.log1p) is not None
    assert counterpart(np.log1p) is None or special.log1p is np.log1p
