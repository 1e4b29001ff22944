"""Streams that programs and others draw from: libraries, copies, methods that are kept, one bit generator twice."""

from __future__ import annotations

import copy
import functools
import pickle
import random
import runpy
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import normal, rand
from numpy.random import seed as seed_global

from tests.acceleration import assert_same
from tests.test_draws import ALWAYS, state_of

scipy_stats = pytest.importorskip("scipy.stats")
OWN, HELD, BITS = np.random.default_rng(4), np.random.default_rng(5), np.random.PCG64(3)
METHOD, GLOBAL = OWN.normal, np.random.Generator(BITS)
FROZEN = scipy_stats.norm(0, 1)
FROZEN.random_state = HELD
TABLE = {"normal": np.random.normal}


def same(function: Any, make: Callable[[], tuple[Any, ...]] = tuple) -> None:
    """Results of calls, and all streams afterwards."""

    def outcome(called: Any) -> list[Any]:
        np.random.seed(5)
        random.seed(6)
        for stream, seed in ((OWN, 4), (HELD, 5)):
            stream.bit_generator.state = np.random.default_rng(seed).bit_generator.state
        BITS.state = np.random.PCG64(3).state
        given, found = make(), []
        for n in (4, 4, 5):
            try:
                found.append(called(n, *given))
            except TypeError as error:
                found.append(str(error))
        return [found, np.random.rand(), random.random(), OWN.random(), HELD.random(), int(BITS.random_raw()),
                [state_of(x) for x in given if not callable(x)]]  # fmt: skip

    assert_same(outcome(function), outcome(ALWAYS(function)))


def test_names_that_are_imported_and_methods_that_are_kept() -> None:
    def imported(n: int) -> Any:
        seed_global(3)
        return normal(size=n), rand(n), rand()

    def default(n: int, draw: Any = np.random.normal) -> Any:
        return sum(draw() for _ in range(n))

    def kept(n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += METHOD(0.0, 2.0) + TABLE["normal"](1.0)
        return total

    def given(n: int, draw: Any) -> Any:
        total = 0.0
        for _ in range(n):
            total += draw()
        return total

    for function in (imported, default, kept):
        same(function)
    makers = (
        lambda: np.random.default_rng(3).normal, lambda: np.random.RandomState(3).rand,
        lambda: random.Random(3).random, lambda: functools.partial(np.random.default_rng(3).normal, 1.0),
    )  # fmt: skip
    for make in makers:
        same(given, lambda make=make: (make(),))  # type: ignore[misc]


def test_libraries_draw_from_the_same_streams() -> None:
    def between(n: int) -> Any:
        a = np.random.rand()
        return a, scipy_stats.norm.rvs(size=n), np.random.rand(2)

    def pythons(n: int) -> Any:
        a = random.random()
        return a, statistics.NormalDist().samples(n), random.random()

    def held(n: int) -> Any:
        a = HELD.random()
        return a, FROZEN.rvs(), HELD.random()

    def in_a_loop(n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += scipy_stats.norm.rvs() + np.random.rand()
        return total

    def first(n: int) -> Any:
        a = scipy_stats.norm.rvs()
        return a, np.random.rand()

    def hidden(n: int) -> Any:
        stream, total = np.random.mtrand._rand, 0.0
        for _ in range(n):
            total += stream.rand() + np.random.rand()
        return total

    for function in (between, pythons, held, in_a_loop, first, hidden):
        same(function)


def test_one_bit_generator_of_two_streams() -> None:
    def f(n: int, p: Any) -> Any:
        total = 0.0
        for _ in range(n):
            total += p.random() - 2 * GLOBAL.random()
        return total

    same(f, lambda: (np.random.Generator(BITS),))


def test_copies() -> None:
    def copied(n: int, stream: Any) -> Any:
        first = stream.random()
        return first, copy.deepcopy(stream).random(), stream.random()

    def pickled(n: int, stream: Any) -> Any:
        first = stream.random()
        return first, pickle.loads(pickle.dumps(stream)).random(), stream.random()

    def shared(n: int, stream: Any) -> Any:
        first = stream.random()
        return first, np.random.Generator(stream._bit_generator).random(), stream.random()

    for function in (copied, pickled):
        same(function, lambda: (np.random.RandomState(1),))
        same(function, lambda: (random.Random(1),))
        same(function, lambda: (np.random.default_rng(1),))
    same(shared, lambda: (np.random.RandomState(1),))


def test_seeds_that_python_refuses() -> None:
    def f(n: int, x: Any) -> Any:
        random.seed(x[0])
        return random.random()

    for x in ([3.0], np.array([3.0]), np.array([3])):
        same(f, lambda x=x: (x,))  # type: ignore[misc]


def test_classes_of_other_packages_draw_where_they_are_made_and_called(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.py"
    path.write_text("""import numpy as np
class Lattice:
    def __init__(self, size):
        self.size, self.system = size, np.random.choice([-1, 1], (size, size))
    def __call__(self):
        return np.random.random()
""")
    found = runpy.run_path(str(path), run_name="elsewhere")
    lattice: Any = found["Lattice"]

    def made(n: int) -> Any:
        own, total = lattice(20), 0.0
        for _ in range(10 * n):
            i, j = np.random.randint(0, 20, 2)
            total += own.system[i, j] * np.random.random()
        return total, own.system

    def called(n: int) -> Any:
        own, total = lattice(3), 0.0
        for _ in range(10 * n):
            total += np.random.random()
        total += own()
        for _ in range(10 * n):
            total += np.random.random()
        return total

    for function in (made, called):
        same(function)
