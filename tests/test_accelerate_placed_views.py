"""Results that are views of which data decides the place: they are views, of what NumPy's are views of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.numpy as lnp
from lazyarr.tracing.accelerated import Accelerated
from lazyarr.tracing.control.lifting import lift
from tests.control_compare import define

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


def row(a: Any, v: Any) -> Any:
    return a[v[0]]


def rows_to(a: Any, v: Any) -> Any:
    return a[: int(v.sum())]


def block(a: Any, v: Any) -> Any:
    k = np.argmin(v)
    return a[k : k + 2, ::-1], k


def further(a: Any, v: Any) -> Any:
    found = a[v[0] : v[0] + 3]
    return found.T[::2], found[:, None, 1:]


def listed(a: Any, v: Any) -> Any:
    rows = [a[i] for i in v]
    rows[0][0] = 5.0
    return rows


def of_its_own(a: Any, v: Any) -> Any:
    b = a * 2
    x, y = b[v[0]], b[v[1]]
    x[0] = 7.0
    return b, x, y


def beside_numbers(a: Any, v: Any) -> Any:
    return a[v[0], 1], a[v[1], v[2]], a[v[0], :2]


def written_later(a: Any, v: Any) -> Any:
    found = a[v[0]]
    a += 1
    a[v[1]] = 3.0
    return found


def in_a_loop(a: Any, v: Any) -> Any:
    found = a[0]
    for k in range(len(v)):
        found = a[v[k]]
        found += k
    return found


ALL = (row, rows_to, block, further, listed, of_its_own, beside_numbers, written_later, in_a_loop)


def _arrays(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple | list) else [result]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("function", ALL)
def test_results_share_memory_as_numpys_do(function: Callable[..., Any], order: Any) -> None:
    accelerated = lazyarr.accelerate(function)
    for seed in range(4):
        random = np.random.default_rng(seed)
        a, v = np.array(random.random((5, 5)), order=order), random.integers(0, 3, 3)
        b = a.copy(order="K")
        expected, got = _arrays(function(b, v)), _arrays(accelerated(a, v))
        for x, y in zip(expected, got, strict=True):
            assert type(x) is type(y) and x.dtype == y.dtype and np.array_equal(x, y)
            if isinstance(x, np.ndarray):
                steps = [[step for step, n in zip(z.strides, z.shape, strict=True) if n > 1] for z in (x, y)]
                assert steps[0] == steps[1] and x.flags.writeable == y.flags.writeable
                assert np.shares_memory(b, x) == np.shares_memory(a, y)
                others = zip(expected, got, strict=True)
                assert all(np.shares_memory(x, w) == np.shares_memory(y, z) for w, z in others)
        for x, y in zip(expected, got, strict=True):
            if isinstance(x, np.ndarray):
                x[...], y[...] = 9.0, 9.0
        assert np.array_equal(a, b)
        assert all(np.array_equal(x, y) for x, y in zip(expected, got, strict=True))


def test_direct_calls_give_views() -> None:
    accelerated: Any = lazyarr.accelerate(row, always=True)
    a = np.arange(20.0).reshape(4, 5)
    for k in (0, 3, 1, 2, 3):
        accelerated(a, np.array([k]))[0] = -k
    assert a[:, 0].tolist() == [0, -1, -2, -3]
    (compiled,) = next(iter(accelerated._known.values()))
    assert compiled.direct is not None


def test_lazy_arrays() -> None:
    accelerated: Any = lazyarr.accelerate(row, always=True)
    for k in (0, 2, 1):
        a, b = lnp.arange(9.0).reshape(3, 3), np.arange(9.0).reshape(3, 3)
        got, expected = accelerated(a, lnp.array([k])), row(b, np.array([k]))
        got[0], expected[0] = 100.0, 100.0
        assert np.array_equal(np.asarray(a), b)


def test_the_rest_of_a_function_writes_through_what_a_loop_has_found() -> None:
    def lowest(a: Any, v: Any) -> Any:
        found = a[0]
        for k in range(len(a)):
            if v[k] < 2:
                found = a[v[k]]
        found[:] = {"x": -1.0}["x"]
        return a

    found = lift(lowest, lambda loop: Accelerated(loop, is_loop=True))  # type: ignore[arg-type]
    assert found is not None
    for order in ([3, 1, 0], [0, 3, 3], [3, 3, 3]):
        a, b = np.arange(9.0).reshape(3, 3), np.arange(9.0).reshape(3, 3)
        assert np.array_equal(found.function(a, np.array(order)), lowest(b, np.array(order)))


def test_axes_of_one_element_by_data_are_squeezed() -> None:
    def squeezed(a: Any, v: Any) -> Any:
        found = np.squeeze(a[: v[0]])
        return found, found.ndim, a[v[0] - 1 : v[0]].squeeze().sum(axis=0), np.argwhere(a[:, 0] < v[0]).squeeze()

    accelerated: Any = lazyarr.accelerate(squeezed, always=True)
    for k in (2, 1, 3, 1, 4):
        a, b = np.arange(12.0).reshape(4, 3) / 3, np.arange(12.0).reshape(4, 3) / 3
        expected, got = squeezed(b, np.array([k])), accelerated(a, np.array([k]))
        for x, y in zip(expected, got, strict=True):
            assert type(x) is type(y) and np.shape(x) == np.shape(y) and np.array_equal(x, y)
        assert np.shares_memory(a, got[0])


def test_one_array_in_two_places_is_one_in_direct_calls() -> None:
    def several(a: Any, v: Any) -> Any:
        row, b = a[v[0]], a * 2
        part, turned = b[v[0] :], b.T
        return [row, a[v[0]], row, part, turned, (part, turned)[0], turned, b.view(), b]

    accelerated: Any = lazyarr.accelerate(several, always=True)
    for k in (0, 2, 1, 2):
        a, b = np.arange(9.0).reshape(3, 3), np.arange(9.0).reshape(3, 3)
        expected, got = several(b, np.array([k])), accelerated(a, np.array([k]))
        assert all(np.array_equal(x, y) for x, y in zip(expected, got, strict=True))
        assert [[x is y for x in got] for y in got] == [[x is y for x in expected] for y in expected]
    (compiled,) = next(iter(accelerated._known.values()))
    assert compiled.direct


@pytest.mark.parametrize("selected", ["a[a[:, 0] > 0.3]", "a[:, :1][a[:, 0] > 0.3]", "a[: v[0], :1]", "a[v[0] :].T"])
@pytest.mark.parametrize("look", ["s.view()", "s[:, :1].squeeze(axis=1)", "s[None].squeeze(axis=0)", "s[:, 0].view()"])
@pytest.mark.parametrize("module", [np, lnp])
def test_views_that_keep_a_length_by_data(selected: str, look: str, module: Any) -> None:
    f = define(f"def f(a, v):\n    s = {selected}\n    return s, {look}\n", np=np)
    accelerated = lazyarr.accelerate(f, always=True)
    for k in (2, 1, 3, 2):
        numbers = np.random.default_rng(k).random((4, 4))
        a, v = module.asarray(numbers.copy()), module.asarray([k])
        expected, got = f(numbers, np.array([k])), accelerated(a, v)
        for x in (*expected, *got):
            x[:1] += 3.0
        assert [np.asarray(x).tolist() for x in got] == [x.tolist() for x in expected]
        assert np.asarray(a).tolist() == numbers.tolist()
