"""Python's ints that only count: no check of each sum, and Python's own numbers where one would not fit 64 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.ir.rewrite import all_nodes
from lazyarr.plans import plans
from tests.acceleration import assert_same

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


def below(x: Any) -> Any:
    count = 0
    for v in x:
        if v < 0.5:
            count += 1
    return count


def both(a: Any, b: Any) -> Any:
    out = np.zeros((a.shape[0], b.shape[0]))
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            common, any_ = 0, 0
            for k in range(a.shape[1]):
                if a[i, k] and b[j, k]:
                    common += 1
                if a[i, k] or b[j, k]:
                    any_ += 2
            out[i, j] = common / any_ if any_ > 0 else 0.0
    return out


def up_and_down(x: Any) -> Any:
    level, lowest, highest = -3, 0, 0
    for v in x:
        if v < 0.3:
            level -= 2
        elif v < 0.9:
            level += 1000
        lowest, highest = min(lowest, level), max(highest, level)
    return level, lowest, highest


def until(x: Any) -> Any:
    steps, at = 0, 0
    while x[at] < 0.99 and steps < 500:
        at = (at + 7) % len(x)
        steps += 1
    return steps, at


def rightly(x: Any) -> Any:
    count = 0
    for v in x:
        count += v < 0.5
    return count


def drawn(*shape: int) -> Any:
    return np.random.default_rng(len(shape)).random(shape)


def exacts() -> int:
    return sum(node.op.name == "exact" for plan in plans._plans.values() for node in all_nodes(plan.after.graph))


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (below, (drawn(1000),)),
        (both, (drawn(5, 40) < 0.3, drawn(6, 40) < 0.3)),
        (up_and_down, (drawn(1000),)),
        (until, (drawn(300),)),
        (rightly, (drawn(300),)),
    ],
)
def test_counts(function: Any, given: Any) -> None:
    plans.clear()
    accelerated: Any = lazyarr.accelerate(function, always=True)
    for _ in range(3):
        assert_same(accelerated(*given), function(*given))
    if accelerated._known and function is not until:  # (A position is no count.)
        assert not exacts()


def doubled(x: Any) -> Any:
    count = 1
    for v in x:
        if v < 2:
            count = count + count
    return count


def from_far(x: Any) -> Any:
    count = 2**63 - 5
    for v in x:
        if v < 2:
            count += 1
    return count


def by_what_is_given(x: Any, step: int) -> Any:
    count = 0
    for v in x:
        if v < 2:
            count += step
    return count


@pytest.mark.parametrize(
    ("function", "given"), [(doubled, ()), (from_far, ()), (by_what_is_given, (2**60,)), (by_what_is_given, (3,))]
)
@pytest.mark.parametrize("n", [3, 90])
def test_sums_that_may_not_fit(function: Any, given: Any, n: int) -> None:
    accelerated: Any = lazyarr.accelerate(function, always=True)
    for _ in range(3):
        assert_same(accelerated(drawn(n), *given), function(drawn(n), *given))
