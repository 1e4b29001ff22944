"""Random numbers that programs draw: NumPy's own to the bit, and streams that go on where NumPy would leave them."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr import streams
from tests import random_draws
from tests.acceleration import assert_same, programs
from tests.written import module_of

ALWAYS: Any = lazyarr.accelerate(always=True)
SHARED = np.random.default_rng(3)


def legacy() -> Any:
    return np.random.RandomState(12)


def modern() -> Any:
    return np.random.default_rng(12)


def other(kind: Any) -> Any:
    """A stream of another bit generator."""
    return np.random.Generator(kind(4))


def state_of(x: Any) -> Any:
    if streams.kind_of(x) is not None:
        return streams.words_by_name(x).tolist()
    return str(x.bit_generator.state) if isinstance(x, np.random.Generator) else x


def same(function: Callable[..., Any], *makers: Callable[[], Any], calls: int = 3, one: bool = True) -> Any:
    """Results, what arguments have become, and the global stream: as in NumPy, for several calls."""
    accelerated = ALWAYS(function)
    given = [[make() for make in makers] for _ in range(2)]
    for _ in range(calls):
        np.random.seed(77)
        expected: Any = function(*given[0])
        left = np.random.random()
        np.random.seed(77)
        got = accelerated(*given[1])
        assert_same(expected, got)
        assert np.random.random() == left
        for a, b in zip(*given, strict=True):
            assert_same(state_of(a), state_of(b))
    if one:
        assert accelerated.explain(*given[1]).mode == "one program"
        for a, b in zip(*given, strict=True):
            assert_same(state_of(a), state_of(b))
    return accelerated


def written(*lines: str) -> Any:
    """A function ``f`` of this text, which can be looked up."""
    source = "".join(f"{line}\n" for line in lines)
    found: Any = module_of(source, f"<{source}>").f
    found.__globals__["np"] = np
    assert inspect.getsource(found) == source
    return found


def in_a_loop(text: str) -> Any:
    """A function that draws in a loop, of numbers and arrays."""
    loop = "    for i in range(n):", f"        out[i] = {text}"
    return written("def f(rng, n, k, x):", "    out = np.zeros(n)", *loop, "    return out")


@pytest.mark.parametrize(
    "text",
    [
        "rng.random()", "rng.random(3).sum()", "rng.random((2, 3))[1, 2]", "rng.random(size=(4,))[i % 4]",
        "rng.standard_normal()", "rng.standard_normal(5)[2]", "rng.normal()", "rng.normal(1.5)", "rng.normal(k, 2)",
        "rng.normal(loc=i, scale=x[i])", "rng.normal(x, 0.5)[i]", "rng.normal(0, x, size=(2, 12))[1, i]",
        "rng.normal(size=2)[0]", "rng.exponential()", "rng.exponential(2.5)", "rng.exponential(x[i], 3)[2]",
        "rng.exponential(x)[i]", "rng.standard_exponential()", "rng.standard_exponential(3)[1]", "rng.uniform()",
        "rng.uniform(-1, 1)", "rng.uniform(0, i + 1)", "rng.uniform(-k, k, 7)[6]", "rng.uniform(high=3.0)",
        "rng.choice(5)", "rng.choice(x)", "rng.choice([1, -1])", "rng.choice(x, 4)[3]", "rng.choice(7, (2, 2)).sum()",
        "rng.choice(x, p=x / x.sum())", "rng.choice(12, 3, p=x / x.sum()).sum()",
        "rng.poisson()", "rng.poisson(3.5)", "rng.poisson(x[i] * 20)", "rng.poisson(30, 4)[2]", "rng.binomial(10, 0.3)",
        "rng.binomial(i, x[3])", "rng.binomial(5, i % 2 / 2)", "rng.binomial(3, 1.0)",
        "rng.binomial(100, 0.4, size=5)[4]", "rng.lognormal()", "rng.lognormal(0.1, 2, 3)[1]",
        "rng.permutation(9)[4]", "rng.permutation(x)[5]", "rng.permutation(np.outer(x, x))[3, 2]",
        "rng.random() if i % 3 else rng.normal()", "rng.random() + rng.random() * rng.normal()",
    ],
)  # fmt: skip
@pytest.mark.parametrize("make", [legacy, modern])
def test_methods_in_loops(text: str, make: Any) -> None:
    same(in_a_loop(text), make, lambda: 12, lambda: 3, lambda: np.linspace(0.1, 1.2, 12))


@pytest.mark.parametrize(
    "text",
    [
        "rng.randint(9)", "rng.randint(3, 9)", "rng.randint(0, i + 1)", "rng.randint(-k, k)", "rng.randint(1)",
        "rng.randint(0, 2, 5).sum()", "rng.randint(2**40)", "rng.randint(0, 2**32)", "rng.randint(0, 2**32 - 1)",
        "x[rng.randint(12)]", "rng.choice(9, 4, replace=False).sum()",
        "rng.choice(x, size=(2, 3), replace=False)[1, 2]",
        "rng.randint(low=2, high=5, size=(2, 2))[1, 1]", "rng.rand()", "rng.rand(3)[1]", "rng.rand(2, 2)[1, 1]",
        "rng.randn()", "rng.randn(3)[2]", "rng.random_sample()", "rng.random_sample(4)[3]",
    ],
)  # fmt: skip
def test_methods_of_the_legacy_stream(text: str) -> None:
    same(in_a_loop(text), legacy, lambda: 12, lambda: 3, lambda: np.linspace(0.1, 1.2, 12))
    same(in_a_loop(text.replace("rng", "np.random")), legacy, lambda: 12, lambda: 3, lambda: np.linspace(0, 1, 12))


@pytest.mark.parametrize(
    "text",
    [
        "rng.gamma(2.0)", "rng.gamma(x[i], 3.0)", "rng.standard_gamma(2.5, 3)[1]", "rng.gamma(0.5, size=2)[0]",
        "rng.integers(9)", "rng.integers(3, 9)", "rng.integers(0, i + 1)", "rng.integers(-k, k, endpoint=True)",
        "rng.integers(0, 2, 5).sum()", "rng.integers(2**40)", "rng.integers(0, 2**32)", "rng.integers(0, 2**32 - 1)",
        "rng.integers(1)", "x[rng.integers(12)]", "x[rng.integers(0, 12, 4)].sum()",
        "rng.integers(3) + rng.random() + rng.integers(3)",
    ],
)  # fmt: skip
def test_integers_of_generators(text: str) -> None:
    same(in_a_loop(text), modern, lambda: 12, lambda: 3, lambda: np.linspace(0.1, 1.2, 12))


def test_types_of_single_numbers() -> None:
    def old(rng: Any) -> Any:
        kept = (0.0, 0, 0, 0.0)
        for _ in range(6):
            kept = rng.random_sample(), rng.randint(5), rng.choice(4), rng.normal(1.0, 2.0)
        return kept

    def new(rng: Any) -> Any:
        a = b = 0.0
        for _ in range(6):
            a, b = rng.random(), rng.normal(1.0, 2.0)
        return a, b, rng.integers(4), rng.choice(np.arange(3.0))

    same(old, legacy)
    same(new, modern)


def test_arrays_are_shuffled() -> None:
    def f(rng: Any, x: Any, y: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            rng.shuffle(x)
            rng.shuffle(y)
            rng.shuffle(y[2:, 1])
            total += x[0] + y[1, 1]
        return total

    same(f, modern, lambda: np.arange(9), lambda: np.arange(12.0).reshape(6, 2), lambda: 7)
    same(f, legacy, lambda: np.arange(9), lambda: np.arange(12.0).reshape(6, 2), lambda: 7)


def test_outside_of_loops() -> None:
    def f(rng: Any, n: int) -> Any:
        z = rng.standard_normal((n, 3))
        return np.exp(z).mean(axis=0), rng.random(), rng.integers(0, 10, n)

    same(f, modern, lambda: 50)


# -- where streams come from ------------------------------------------------------------------------------------------


def test_a_stream_of_the_module() -> None:
    def f(n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += SHARED.normal()
        return total

    accelerated = ALWAYS(f)
    before = streams.words_of(SHARED)
    expected = [f(n) for n in (9, 9, 20)], SHARED.random()
    streams.put_words(SHARED, before)
    assert ([accelerated(n) for n in (9, 9, 20)], SHARED.random()) == expected


def test_a_stream_of_an_enclosing_function_or_an_object() -> None:
    class Walker:
        def __init__(self, rng: Any) -> None:
            self.rng, self.x = rng, 0.0

        def run(self, n: int) -> float:
            for _ in range(n):
                self.x += self.rng.normal()
            return self.x

    def enclosed(n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += rng.random()
        return total

    def objects(w: Any, n: int) -> Any:
        return w.run(n)

    accelerated = ALWAYS(enclosed)
    rng = modern()
    expected = [enclosed(n) for n in (5, 5, 7)], rng.random()
    rng = modern()
    assert ([accelerated(n) for n in (5, 5, 7)], rng.random()) == expected
    walkers, run = [Walker(modern()) for _ in range(2)], ALWAYS(objects)
    for n in (5, 5, 9):
        assert objects(walkers[0], n) == run(walkers[1], n)
        assert walkers[0].x == walkers[1].x and state_of(walkers[0].rng) == state_of(walkers[1].rng)


@pytest.mark.parametrize("made", ["np.random.default_rng(seed)", "np.random.RandomState(seed)"])
def test_streams_of_seeds_that_are_arguments_are_one_program(made: str) -> None:
    loop = "    for i in range(n):", "        total += rng.normal()"
    f = written("def f(seed, n):", f"    rng = {made}", "    total = 0.0", *loop, "    return total, rng.normal()")
    accelerated = ALWAYS(f)
    for seed in (0, 3, 5, 5, 123456):
        assert accelerated(seed, 20) == f(seed, 20)
    assert programs(accelerated) == 1
    with pytest.raises((ValueError, TypeError)) as expected:
        f(-1, 20)
    with pytest.raises((ValueError, TypeError)) as got:
        accelerated(-1, 20)
    assert str(got.value) == str(expected.value)


def test_the_global_stream_is_seeded() -> None:
    def f(seed: int, n: int) -> Any:
        np.random.seed(seed)
        out = np.zeros(n)
        for i in range(n):
            out[i] = np.random.randn() + np.random.randint(4)
        return out

    def within(n: int) -> Any:
        out = np.zeros(n)
        for i in range(n):
            np.random.seed(i)
            out[i] = np.random.random()
        return out

    accelerated = same(f, lambda: 5, lambda: 11)
    for seed in range(6):
        assert_same(f(seed, 11), accelerated(seed, 11))
    same(within, lambda: 9)
    with pytest.raises(ValueError, match="between 0 and"):
        accelerated(-4, 11)


def test_streams_without_a_seed_are_new_in_each_call() -> None:
    def f(n: int) -> Any:
        rng = np.random.default_rng()
        total = 0.0
        for _ in range(n):
            total += rng.random()
        return total

    def g(n: int) -> Any:
        rng = np.random.RandomState()
        total = 0.0
        for _ in range(n):
            total += rng.random_sample()
        return total

    for function in (f, g):
        accelerated = ALWAYS(function)
        assert len({accelerated(9) for _ in range(5)}) == 5


# -- branches, loops, pieces ------------------------------------------------------------------------------------------


def test_branches_draw_or_do_not() -> None:
    def f(rng: Any, x: Any) -> Any:
        accepted = 0
        for i in range(len(x)):
            step = rng.normal(0.0, 0.5)
            if step > 0 or rng.random() < 0.3:
                x[i] += step
                accepted += 1
            elif x[i] < 0:
                x[i] = rng.uniform(-1.0, 1.0)
        return accepted

    same(f, modern, lambda: np.linspace(-1, 1, 40))
    same(f, legacy, lambda: np.linspace(-1, 1, 40))


def test_while_loops_and_breaks() -> None:
    def rejection(rng: Any, n: int) -> Any:
        tries, found = 0, 0
        while found < n:
            tries += 1
            x, y = rng.random(), rng.random()
            if x * x + y * y < 0.5:
                found += 1
        return tries

    def until(rng: Any, n: int) -> Any:
        last = 0.0
        for _ in range(n):
            last = rng.normal()
            if last > 1.5:
                break
        return last, rng.random()

    same(rejection, modern, lambda: 30)
    same(until, legacy, lambda: 50)


def test_loops_in_loops_and_calls() -> None:
    def step(rng: Any, x: float) -> float:
        for _ in range(3):
            x += rng.normal()
        return x

    def f(rng: Any, n: int) -> Any:
        out = np.zeros((n, 4))
        for i in range(n):
            for j in range(4):
                out[i, j] = step(rng, 0.0)
        return out

    same(f, modern, lambda: 8)


def test_numpy_draws_in_between(capsys: Any) -> None:
    def f(rng: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += rng.normal()
        other = rng.gamma(2.0, size=3)
        for _ in range(n):
            total += rng.normal() * other[0]
        print("drawn", round(total, 12))
        for _ in range(n):
            total += rng.random()
        rng.shuffle(other)
        return total, other, rng.random()

    def g(n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += np.random.rand()
        state = np.random.get_state()[1].sum()  # type: ignore[index]
        for _ in range(n):
            total += np.random.rand()
        return total, np.random.beta(2.0, 3.0), state

    same(f, modern, lambda: 9, one=False)
    same(f, legacy, lambda: 9, one=False)
    same(g, lambda: 9, one=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 12 and lines[0:6:2] == lines[1:6:2]


def test_errors_are_numpys_and_leave_streams_where_numpy_leaves_them() -> None:
    def integers(rng: Any, n: int) -> Any:
        total = 0
        for i in range(n):
            total += rng.randint(0, 5 - i)
        return total

    def normals(rng: Any, n: int) -> Any:
        total = 0.0
        for i in range(n):
            total += rng.normal(0.0, 3.0 - i)
        return total

    for function in (integers, normals):
        accelerated, plain, own = ALWAYS(function), legacy(), legacy()
        assert function(plain, 3) == accelerated(own, 3)
        with pytest.raises(ValueError) as expected:
            function(plain, 9)
        with pytest.raises(ValueError) as got:
            accelerated(own, 9)
        assert str(got.value) == str(expected.value) and state_of(plain) == state_of(own)


# -- streams that others know -----------------------------------------------------------------------------------------


def test_streams_that_outlive_the_call() -> None:
    def given(rng: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += rng.random()
        return rng, total

    def made(seed: int, n: int) -> Any:
        rng = np.random.default_rng(seed)
        total = 0.0
        for _ in range(n):
            total += rng.random()
        return [rng, total]

    accelerated = ALWAYS(given)
    for k in range(3):
        plain, own = np.random.default_rng(k), np.random.default_rng(k)
        expected, got = given(plain, 7), accelerated(own, 7)
        assert got[0] is own and got[1] == expected[1] and state_of(plain) == state_of(own)
    accelerated = ALWAYS(made)
    for k in (3, 3, 4):
        expected, got = made(k, 7), accelerated(k, 7)
        assert got[1] == expected[1] and got[0].random() == expected[0].random()
        assert isinstance(got[0], np.random.Generator)


def test_one_stream_by_two_ways() -> None:
    def f(a: Any, b: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += a.random() - 2 * b.random()
        return total

    accelerated = ALWAYS(f)
    for k in range(3):
        plain, own = np.random.default_rng(k), np.random.default_rng(k)
        assert f(plain, plain, 6) == accelerated(own, own, 6) and state_of(plain) == state_of(own)
        plain, own = np.random.default_rng(k), np.random.default_rng(k)
        others = [np.random.Generator(rng.bit_generator) for rng in (plain, own)]
        assert f(plain, others[0], 6) == accelerated(own, others[1], 6) and state_of(plain) == state_of(own)
        assert f(plain, modern(), 6) == accelerated(own, modern(), 6) and state_of(plain) == state_of(own)


def test_states_that_are_looked_at_and_copies() -> None:
    def looks(rng: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += rng.random()
        return total, rng.bit_generator.state["state"]["state"]

    def copies(rng: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += rng.random()
        return total, copy.deepcopy(rng).random(), rng.random()

    for function in (looks, copies):
        accelerated, plain, own = ALWAYS(function), modern(), modern()
        for _ in range(3):
            assert function(plain, 8) == accelerated(own, 8) and state_of(plain) == state_of(own)


def test_other_bit_generators_draw_in_numpy() -> None:
    def f(rng: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += rng.random()
        return total

    class Own(np.random.RandomState):
        def random(self, size: Any = None) -> Any:
            return 7.0

    for kind in (np.random.Philox, np.random.SFC64, np.random.MT19937):
        make: Any = partial(other, kind)
        same(f, make, lambda: 8, one=False)
    accelerated = ALWAYS(f)
    assert [accelerated(Own(3), 5) for _ in range(2)] == [35.0, 35.0]


def test_strict_functions_draw() -> None:
    @lazyarr.accelerate(strict=True)
    def f(rng: Any, n: int) -> Any:
        total = 0
        for _ in range(n):
            total += rng.integers(6)
        return total

    rng = modern()
    assert f(modern(), 30) == sum(rng.integers(6) for _ in range(30))


def test_a_state_that_becomes_an_index_of_numpys() -> None:
    def chain(rng: Any, p: Any, n: int) -> Any:
        state, path = 0, np.zeros(n, dtype=int)
        sums = p.cumsum(axis=1)
        for i in range(n):
            state = np.searchsorted(sums[state], rng.random())
            path[i] = state
        return path, state

    weights = np.linspace(1.0, 2.0, 16).reshape(4, 4)
    same(chain, modern, lambda: weights / weights.sum(axis=1, keepdims=True), lambda: 40)


def test_what_numpy_draws_after_all() -> None:
    def f(rng: Any, n: int) -> Any:
        total = 0.0
        for _ in range(n):
            total += rng.random()
        zero = rng.random(size=())
        small = rng.random(3, dtype=np.float32)
        rng.random(out=small.astype(float))
        return total, zero.shape, small, rng.normal(size=()), rng.integers(5, dtype=np.uint8), rng.random()

    same(f, modern, lambda: 5, one=False)
    wrongs: list[Any] = [
        lambda rng: rng.random(3, dtype="what"), lambda rng: rng.random(-1), lambda rng: rng.normal(1, 2, 3, 4),
    ]  # fmt: skip
    for wrong in wrongs:
        with pytest.raises((TypeError, ValueError)) as expected:
            wrong(modern())
        with pytest.raises((TypeError, ValueError)) as got:
            ALWAYS(wrong)(modern())
        assert (type(got.value), str(got.value)) == (type(expected.value), str(expected.value))


def test_seeds_beyond_64_bits() -> None:
    def f(seed: int, n: int) -> Any:
        rng = np.random.default_rng(seed)
        total = 0.0
        for _ in range(n):
            total += rng.random()
        return total

    accelerated = ALWAYS(f)
    for seed in (2**70, 3, 2**63, 2**80 + 1, 3):
        assert accelerated(seed, 9) == f(seed, 9)


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
@pytest.mark.parametrize("seed", [*range(2000, 2016), 22, 32, 45, 72, 74, 3159])
def test_random_programs(seed: int) -> None:
    assert random_draws.differs(seed) is None
