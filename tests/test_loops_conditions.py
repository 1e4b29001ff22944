"""`while` loops whose conditions change something: they draw, write into arrays, or call methods that do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.acceleration import assert_same
from tests.test_draws import ALWAYS, modern, same


def relax(u: Any) -> float:
    change = 0.0
    for i in range(1, len(u) - 1):
        new = 0.5 * (u[i - 1] + u[i + 1])
        change = max(change, abs(new - u[i]))
        u[i] = new
    return change


def until_still(u: Any, limit: float) -> Any:
    sweeps = 0
    while relax(u) > limit:
        sweeps += 1
    return sweeps


def at_most(u: Any, limit: float) -> Any:
    sweeps = 0
    while relax(u) > limit and sweeps < 5:
        sweeps += 1
    else:
        sweeps += 100
    return sweeps


def with_jumps(u: Any, limit: float) -> Any:
    sweeps = 0
    while relax(u) > limit:
        sweeps += 1
        if sweeps % 2:
            continue
        if sweeps > 6:
            break
        u[2] += 0.1
    return sweeps


def history(u: Any, limit: float) -> Any:
    found = []
    while relax(u) > limit:
        found.append(u[1])
    return found


@pytest.mark.parametrize("function", [until_still, at_most, with_jumps, history])
def test_conditions_that_write_into_arrays(function: Any) -> None:
    accelerated = ALWAYS(function)
    for limit in (1e-2, 1e-3, 1e9):
        plain, own = np.linspace(0, 1, 9) ** 2, np.linspace(0, 1, 9) ** 2
        assert_same(function(plain, limit), accelerated(own, limit))
        assert_same(plain, own)
    assert accelerated.explain(np.linspace(0, 1, 9) ** 2, 1e-2).mode == "one program"


def test_conditions_that_change_objects() -> None:
    class Stepper:
        def __init__(self) -> None:
            self.u, self.count = np.linspace(0, 1, 5), 0

        def step(self) -> Any:
            self.count += 1
            self.u = self.u * 0.5
            return self.u.max()

    def run(s: Any, limit: float) -> Any:
        total = 0
        while s.step() > limit:
            total += s.count
        return total

    accelerated = ALWAYS(run)
    for limit in (1e-2, 1e-3, 2.0):
        plain, own = Stepper(), Stepper()
        assert_same(run(plain, limit), accelerated(own, limit))
        assert_same(vars(plain), vars(own))


def test_conditions_that_draw() -> None:
    def nested(rng: Any, n: int) -> Any:
        count = 0
        for _ in range(n):
            while rng.random() < 0.7:
                count += 1
        return count

    def both(rng: Any, n: int) -> Any:
        count, x = 0, 0.0
        while count < n and rng.random() < 0.9:
            count += 1
            x += rng.normal()
            if x > 3:
                break
        else:
            x = -x
        return count, x, rng.random()

    def either(rng: Any, n: int) -> Any:
        count = 0
        while rng.random() < 0.9 or rng.random() < 0.5:
            count += 1
            if count % 7 == 0:
                continue
            count += n
        return count

    for function in (nested, both, either):
        same(function, modern, lambda: 9)
