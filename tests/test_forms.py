"""`numpy.testing` and `numpy.polynomial` of the drop-in namespace know lazy arrays."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.settings import settings
from tests.agree import agree

VECTOR = np.array([0.5, 1.0, 2.0, 3.0])
MATRIX = np.arange(6.0).reshape(2, 3)
KINDS = {"polynomial": "poly", "chebyshev": "cheb", "hermite": "herm", "hermite_e": "herme", "legendre": "leg",
         "laguerre": "lag"}  # fmt: skip
COMPARED = ("assert_equal", "assert_almost_equal", "assert_array_equal", "assert_array_almost_equal",
            "assert_allclose", "assert_array_almost_equal_nulp", "assert_array_max_ulp",
            "assert_array_less")  # fmt: skip


@pytest.mark.parametrize("name", COMPARED)
@pytest.mark.parametrize("eager_below", [0, 50_000])
def test_comparisons(name: str, eager_below: int) -> None:
    def compared(np: Any, x: Any, y: Any) -> Any:
        return getattr(np.testing, name)(x, y)

    def nested(np: Any, x: Any, y: Any) -> Any:
        return getattr(np.testing, name)([x, x * 2], (y, y * 2))

    def named(np: Any, x: Any, y: Any) -> Any:
        return getattr(np.testing, name)(x.tolist(), y, err_msg="no") if "nulp" not in name and "ulp" not in name else 0

    with settings(eager_below=eager_below):
        for program in (compared, nested, named):
            for x, y in ((VECTOR, VECTOR), (VECTOR, VECTOR + 1), (MATRIX, MATRIX), (MATRIX, -MATRIX), (VECTOR, MATRIX)):
                agree(program, x, y, message=program is compared)


def test_comparisons_of_dicts_and_numbers() -> None:
    agree(lambda np, x: np.testing.assert_equal({"a": x, "b": (x[0], 1)}, {"a": x + 0, "b": (x[0], 1)}), VECTOR)
    agree(lambda np, x: np.testing.assert_equal({"a": x}, {"a": x + 1}), VECTOR)
    agree(lambda np, x: np.testing.assert_approx_equal(x.sum(), 6.5), VECTOR)
    agree(lambda np, x: np.testing.assert_almost_equal(x, 0.5), VECTOR)


def test_what_is_called_gets_lazy_arrays() -> None:
    x = lnp.asarray(VECTOR)

    def refused(y: Any) -> None:
        assert type(y) is type(x)
        raise KeyError

    lnp.testing.assert_raises(KeyError, refused, x)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("eager_below", [0, 50_000])
def test_values_of_polynomials(kind: str, eager_below: int) -> None:
    def of(np: Any, name: str) -> Any:
        return getattr(getattr(np.polynomial, kind), KINDS[kind] + name)

    with settings(eager_below=eager_below):
        for x, c in ((VECTOR, VECTOR), (VECTOR, MATRIX), (MATRIX, MATRIX), (MATRIX, VECTOR)):
            agree(lambda np, x, c: np.asarray(of(np, "val")(x, c)), x, c, rtol=4)
            agree(lambda np, x, c: np.asarray(of(np, "val")(x, c, tensor=False)), x, c, rtol=4)
        agree(lambda np, x, c: np.asarray(of(np, "val")(x, c.astype(int))), VECTOR, MATRIX, rtol=4)
        agree(lambda np, x, c: np.asarray(of(np, "val")([0.5, 2.0], c)), VECTOR, MATRIX, rtol=4)
        agree(lambda np, x, c: np.asarray(of(np, "grid2d")(x, x, c)), VECTOR, MATRIX, rtol=4)
        agree(lambda np, x, c: np.asarray(of(np, "val2d")(x, x, c)), VECTOR, MATRIX, rtol=4)


@pytest.mark.parametrize("eager_below", [0, 50_000])
def test_values_of_polynomials_from_roots(eager_below: int) -> None:
    with settings(eager_below=eager_below):
        for x, r in ((VECTOR, VECTOR), (VECTOR, MATRIX), (MATRIX, MATRIX), (MATRIX, VECTOR), (VECTOR[:3], MATRIX)):
            agree(lambda np, x, r: np.polynomial.polynomial.polyvalfromroots(x, r), x, r, rtol=4)
            agree(lambda np, x, r: np.polynomial.polynomial.polyvalfromroots(x, r=r, tensor=True), x, r, rtol=4)
        agree(lambda np, x, r: np.polynomial.polynomial.polyvalfromroots(x, r, False), VECTOR[:3], MATRIX, rtol=4)


@pytest.mark.parametrize("name", ["testing", "polynomial", "polynomial.chebyshev"])
def test_forms_are_imported_by_their_names(name: str) -> None:
    theirs, ours = importlib.import_module(f"numpy.{name}"), importlib.import_module(f"lazyarr.numpy.{name}")
    assert vars(ours).keys() >= vars(theirs).keys()
    at: Any = lnp
    for part in name.split("."):
        at = getattr(at, part)
    assert at is ours
    assert lnp.polynomial.Polynomial is np.polynomial.Polynomial
