"""Random numbers of Python's own module `random` that programs draw: the same ones, and the same state afterwards."""

from __future__ import annotations

import math
import random
from random import gauss, randint
from typing import Any

import numpy as np
import pytest

from tests.acceleration import assert_same
from tests.test_draws import ALWAYS, written


def same(function: Any, *arguments: Any, one: bool = True) -> None:
    """Results and the stream after several calls, as Python has them."""
    accelerated = ALWAYS(function)
    random.seed(9)
    expected = [function(*arguments) for _ in range(3)], random.getstate()
    random.seed(9)
    got = [accelerated(*arguments) for _ in range(3)], random.getstate()
    assert_same(expected[0], got[0])
    assert expected[1] == got[1]
    if one:
        assert accelerated.explain(*arguments).mode == "one program"


@pytest.mark.parametrize(
    "text",
    [
        "random.random()", "random.uniform(-1, 1)", "random.uniform(x[i], 2.0)", "random.randint(1, 6)",
        "random.randint(0, i)", "random.randrange(9)", "random.randrange(-k, i + 1)", "random.randrange(2**40)",
        "random.randrange(3, 2**32 + 3)", "random.gauss(0, 1)", "random.gauss(1.5, 0.1)", "random.gauss()",
        "random.normalvariate(0.0, 2.0)", "random.normalvariate(k, i)", "random.expovariate(1.5)",
        "random.choice([1, 5, 7])", "random.choice(x)", "random.choice((0.5, 1.5))",
        "random.random() if random.random() < 0.3 else random.gauss(0, 1)",
    ],
)  # fmt: skip
def test_functions_in_loops(text: str) -> None:
    loop = "    for i in range(n):", f"        out[i] = {text}"
    f = written("def f(n, k, x):", "    out = np.zeros(n)", *loop, "    return out")
    f.__globals__["random"] = random
    same(f, 20, 3, np.linspace(0.1, 2.0, 20))


def test_types_and_names_that_are_imported() -> None:
    def f(n: int) -> Any:
        total, last = 0.0, 0
        for _ in range(n):
            last = randint(1, 6)
            total += gauss(0.0, 1.0) * last
        return total, last, randint(0, 10**6), random.choice([2.5, 3.5])

    same(f, 15)


def test_a_lattice() -> None:
    def ising(n: int, steps: int, beta: float) -> Any:
        spins = np.ones((n, n), dtype=int)
        for _ in range(steps):
            i, j = random.randint(0, n - 1), random.randint(0, n - 1)
            near = spins[(i + 1) % n, j] + spins[i - 1, j] + spins[i, (j + 1) % n] + spins[i, j - 1]
            change = 2 * spins[i, j] * near
            if change <= 0 or random.random() < math.exp(-beta * change):
                spins[i, j] *= -1
        return spins, spins.sum()

    same(ising, 8, 300, 0.4)


def test_streams_that_are_given() -> None:
    def f(rng: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += rng.random() * rng.gauss(0, 1)
        return total

    def shuffled(rng: Any, n: int) -> Any:
        cards = list(range(9))
        total = f(rng, n)
        rng.shuffle(cards)
        return total + f(rng, n), cards

    for function in (f, shuffled):
        accelerated, plain, own = ALWAYS(function), random.Random(4), random.Random(4)
        for n in (7, 7, 20):
            assert_same(function(plain, n), accelerated(own, n))
            assert plain.getstate() == own.getstate()


def test_what_only_python_draws() -> None:
    def between(n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += random.random()
        total += random.triangular(0.0, 1.0, 0.5)
        state = random.getstate()[1][3]
        for _ in range(n):
            total += random.random()
        return total, state, random.sample(range(50), 4)

    def seeded(seed: int, n: int) -> Any:
        random.seed(seed)
        total = 0.0
        for _ in range(n):
            total += random.gauss(0, 1)
        return total

    same(between, 9, one=False)
    same(seeded, 3, 9)
    accelerated = ALWAYS(seeded)
    for seed in range(-2, 4):
        assert accelerated(seed, 9) == seeded(seed, 9)


def test_errors_are_pythons() -> None:
    def f(n: int) -> Any:
        total = 0
        for i in range(n):
            total += random.randint(0, 5 - i)
        return total

    accelerated = ALWAYS(f)
    random.seed(3)
    with pytest.raises(ValueError, match="empty range") as expected:
        f(9)
    state = random.getstate()
    random.seed(3)
    with pytest.raises(ValueError, match="empty range") as got:
        accelerated(9)
    assert str(got.value) == str(expected.value) and random.getstate() == state
