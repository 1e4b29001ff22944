"""Accelerated functions that call themselves: as many calls as are written out, plain Python where data decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.tracing.trace import Trace
from tests.acceleration import assert_same

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


def quicksort(a: Any) -> Any:
    if len(a) <= 1:
        return a
    pivot = a[len(a) // 2]
    return np.concatenate([fast_quicksort(a[a < pivot]), a[a == pivot], fast_quicksort(a[a > pivot])])


def fourier(x: Any) -> Any:
    n = len(x)
    if n == 1:
        return x.astype(complex)
    even, odd = fast_fourier(x[::2]), fast_fourier(x[1::2])
    turned = np.exp(-2j * np.pi * np.arange(n // 2) / n) * odd
    return np.concatenate([even + turned, even - turned])


def merge_sort(a: Any) -> Any:
    if len(a) < 2:
        return a.copy()
    left, right = fast_merge_sort(a[: len(a) // 2]), fast_merge_sort(a[len(a) // 2 :])
    out = np.empty_like(a)
    i = j = 0
    for k in range(len(a)):
        if j == len(right) or i < len(left) and left[i] <= right[j]:
            out[k] = left[i]
            i += 1
        else:
            out[k] = right[j]
            j += 1
    return out


def integral(a: float, b: float, low: float, high: float, tolerance: float) -> Any:
    middle = 0.5 * (a + b)
    value = np.sin(middle) * np.exp(-middle)
    once = (b - a) * (low + high) / 2
    twice = (middle - a) * (low + value) / 2 + (b - middle) * (value + high) / 2
    if abs(once - twice) < tolerance:
        return twice
    first = fast_integral(a, middle, low, value, tolerance / 2)
    return first + fast_integral(middle, b, value, high, tolerance / 2)


def even(x: Any) -> Any:
    return x.sum() if len(x) < 4 else fast_odd(x[x > x.mean()])


def odd(x: Any) -> Any:
    return x.max() if len(x) < 4 else fast_even(x[x < x.mean()])


fast_quicksort: Any = accelerate(quicksort)
fast_fourier: Any = accelerate(fourier)
fast_merge_sort: Any = accelerate(merge_sort)
fast_integral: Any = accelerate(integral)
fast_even: Any = accelerate(even)
fast_odd: Any = accelerate(odd)


def drawn(n: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(n).normal(size=n)


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What counts the traces that begin."""
    begun: list[int] = []
    make = Trace.__init__

    def counted(self: Trace, *args: Any, **kwargs: Any) -> None:
        begun.append(1)
        make(self, *args, **kwargs)

    monkeypatch.setattr(Trace, "__init__", counted)
    return begun


@pytest.mark.parametrize(
    ("plain", "args"),
    [
        (quicksort, (drawn(300),)),
        (fourier, (drawn(128),)),
        (merge_sort, (drawn(200),)),
        (integral, (0.0, 3.0, 0.0, float(np.sin(3.0) * np.exp(-3.0)), 1e-5)),
        (even, (drawn(400),)),
    ],
)
def test_recursion_that_is_long_or_decided_by_data_is_plain_python_at_once(
    plain: Callable[..., Any], args: Any, traces: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = globals()[f"fast_{plain.__name__}"]
    with monkeypatch.context() as patched:
        for function in (quicksort, fourier, merge_sort, integral, even, odd):
            patched.setitem(globals(), f"fast_{function.__name__}", function)
        expected = plain(*args)
    for _ in range(4):
        assert_same(expected, fast(*args))
    # Each function is traced once: no call within a plain one is.
    assert len(traces) <= 2
    assert fast._plain and not fast._known


def test_calls_within_calls_are_traced_again_after_the_plain_call() -> None:
    def halves(x: Any, deep: bool) -> Any:
        if deep and len(x) > 1:
            return fast(x[x < x.mean()], deep) + fast(x[x >= x.mean()], deep)
        return x.sum() * 2.0

    fast: Any = accelerate(halves)
    x = drawn(50)
    for deep in (True, False, True, False, False):
        assert_same(halves(x, deep), fast(x, deep))
    assert fast._known and fast._plain


def test_a_few_calls_are_written_out_in_one_program() -> None:
    def smooth(u: Any, levels: int) -> Any:
        if levels == 0:
            return u
        coarse = smooth(u[::2] * 0.5, levels - 1)
        return u + np.repeat(coarse, 2)[: len(u)]

    fast: Any = accelerate(smooth, strict=True)
    for n in (64, 64, 65):
        assert_same(smooth(drawn(n), 4), fast(drawn(n), 4))


def test_an_error_in_a_call_within_is_numpys() -> None:
    def find(x: Any, wanted: float) -> Any:
        if len(x) == 0:
            raise LookupError(f"no {wanted}")
        return x[0] if x[0] == wanted else fast(x[x != x[0]], wanted)

    fast: Any = accelerate(find)
    x = drawn(20)
    for _ in range(3):
        with pytest.raises(LookupError, match=r"no 7\.5"):
            fast(x, 7.5)
        assert_same(x[11], fast(x, float(x[11])))
