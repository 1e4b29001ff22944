"""Masked arrays of lazy ones: they are NumPy's own, and can be written to."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.settings import settings
from tests.agree import agree

MADE: dict[str, Any] = {
    "array": lambda np, x: np.ma.array(x * 1),
    "masked": lambda np, x: np.ma.masked_array(x * 1, mask=[0, 1, 0, 0, 1]),
    "by an array": lambda np, x: np.ma.array(x * 1, mask=x > 2),
    "where": lambda np, x: np.ma.masked_where(x > 2, x * 1),
    "invalid": lambda np, x: np.ma.masked_invalid(np.where(x > 2, np.nan, x)),
    "of a view": lambda np, x: np.ma.array((x * 1)[::-1], mask=x == 1),
    "other dtype": lambda np, x: np.ma.array(x * 1, mask=x == 1, dtype=np.float32),
    "asarray": lambda np, x: np.ma.asarray(x * 1),
}
WRITES: dict[str, Any] = {
    "element": lambda np, m, x: m.__setitem__(0, 9),
    "part": lambda np, m, x: m.__setitem__(slice(1, 4), x[:3]),
    "mask": lambda np, m, x: m.__setitem__(2, np.ma.masked),
    "its mask": lambda np, m, x: m.__setattr__("mask", x > 1),
    "in its mask": lambda np, m, x: m.mask.__setitem__(0, True) if np.ndim(m.mask) else None,
    "in place": lambda np, m, x: m.__iadd__(x),
    "by a comparison": lambda np, m, x: m.__setitem__(m < 2, -1),
    "sort": lambda np, m, x: m.sort(),
    "put": lambda np, m, x: m.put([0, 3], [7, 8]),
    "data": lambda np, m, x: m.data.__setitem__(1, 5),
    "fill": lambda np, m, x: m.fill(3),
    "nothing": lambda np, m, x: None,
}


def _plain(np: Any, m: Any) -> Any:
    filled, mask = (np.asarray(x).tolist() for x in (np.ma.filled(m, -7), np.ma.getmaskarray(m)))
    return str(m.dtype), filled, mask, str(m.mean()), str(np.ma.median(m))


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("made", MADE)
def test_written_to(made: str, write: str, eager_below: int) -> None:
    def program(np: Any, x: Any) -> Any:
        m = MADE[made](np, x)
        WRITES[write](np, m, x)
        return _plain(np, m), _plain(np, m + x), x

    with settings(eager_below=eager_below):
        agree(program, np.arange(5.0))


def test_functions() -> None:
    def program(np: Any, x: Any) -> Any:
        m = np.ma.array(x, mask=[0, 0, 1, 0, 1])
        found = [np.ma.cov(m, m), np.ma.corrcoef(m, x), np.ma.polyfit(m, m * 2, 1).round(6), np.ma.allclose(m, x)]
        found += [np.ma.concatenate([m, x]), np.ma.where(m > 1, m, x), np.ma.average(m, weights=x + 1), np.ma.dot(m, x)]
        return [np.asarray(np.ma.filled(f, 0)).tolist() for f in found]

    agree(program, np.arange(5.0))


@pytest.mark.parametrize("below", [250_000, 0])
@pytest.mark.parametrize("dtype", ["f8", "f4", "c16", "i8", "u1", "?"])
@pytest.mark.parametrize("value", [np.ma.masked, np.ma.array(2.5), np.ma.array(3)], ids=["masked", "2.5", "3"])
def test_elements_that_are_set_to_masked_scalars(value: Any, dtype: str, below: int) -> None:
    keys: list[Any] = [(1, 0), (slice(None), 1), (..., 1, 1), 0, "flat", "flat slice", "fill"]
    for key in keys:
        outcomes = []
        for n in (np, lnp):
            with settings(eager_below=below), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                x = n.ones((2, 3), dtype)
                try:
                    if key == "fill":
                        x.fill(value)
                    elif key in ("flat", "flat slice"):
                        x.flat[2 if key == "flat" else slice(1, 3)] = value
                    else:
                        x[key] = value
                    error = ""
                except (TypeError, ValueError, np.ma.MaskError) as e:
                    error = type(e).__name__
            outcomes.append((error, np.asarray(x)))
        assert outcomes[0][0] == outcomes[1][0], key
        np.testing.assert_array_equal(outcomes[1][1], outcomes[0][1])
