"""Random numbers: lazy arrays of NumPy's own streams."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy
import pytest

import lazyarr
import lazyarr.numpy as np
from lazyarr import settings
from lazyarr.array import LazyArray

DRAWS: dict[str, Callable[[Any], Any]] = {
    "random": lambda rng: rng.random((2, 3)),
    "random float32": lambda rng: rng.random(4, dtype=np.float32),
    "normal": lambda rng: rng.normal(1.0, 2.0, size=5),
    "integers": lambda rng: rng.integers(0, 10, size=(3, 2)),
    "choice": lambda rng: rng.choice(10, 4, replace=False),
    "uniform": lambda rng: rng.uniform(-1, 1, 3),
    "exponential": lambda rng: rng.exponential(size=3),
    "poisson": lambda rng: rng.poisson(3.0, 6),
    "permutation": lambda rng: rng.permutation(8),
    "multivariate_normal": lambda rng: rng.multivariate_normal([0.0, 1.0], [[1.0, 0], [0, 2]], 3),
    "standard_normal": lambda rng: rng.standard_normal(3),
    "dirichlet": lambda rng: rng.dirichlet([1.0, 2.0, 3.0]),
}
LEGACY: dict[str, Callable[[Any], Any]] = {
    "rand": lambda rng: rng.rand(2, 3),
    "randn": lambda rng: rng.randn(4),
    "randint": lambda rng: rng.randint(0, 9, 5),
    "random_sample": lambda rng: rng.random_sample((2, 2)),
    "choice": lambda rng: rng.choice([1.5, 2.5, 3.5], 4),
    "normal": lambda rng: rng.normal(size=3),
    "permutation": lambda rng: rng.permutation(5),
}
MAKERS: list[Callable[[Any], Any]] = [lambda module: module.default_rng(2), lambda module: module.RandomState(2)]


def same(lazy: Any, expected: Any) -> None:
    assert isinstance(lazy, LazyArray)
    assert (lazy.dtype, lazy.shape) == (expected.dtype, expected.shape)
    numpy.testing.assert_array_equal(numpy.asarray(lazy), expected)


@pytest.mark.parametrize("name", DRAWS)
def test_generator_gives_numpys_stream(name: str) -> None:
    with settings.settings(fallback="error"):  # drawing numbers is no fallback
        ours, real = np.random.default_rng(7), numpy.random.default_rng(7)
        for _ in range(2):
            same(DRAWS[name](ours), DRAWS[name](real))


@pytest.mark.parametrize("name", LEGACY)
def test_legacy_functions_and_random_state(name: str) -> None:
    before = numpy.random.get_state()
    try:
        with settings.settings(fallback="error"):
            np.random.seed(3)
            ours = LEGACY[name](np.random)
            numpy.random.seed(3)
            same(ours, LEGACY[name](numpy.random))
            same(LEGACY[name](np.random.RandomState(5)), LEGACY[name](numpy.random.RandomState(5)))
    finally:
        numpy.random.set_state(before)


def test_single_numbers_are_pythons_and_numpys() -> None:
    ours, real = np.random.default_rng(1), numpy.random.default_rng(1)
    draws: list[Callable[[Any], Any]] = [lambda r: r.random(), lambda r: r.integers(5), lambda r: r.normal()]
    for draw in draws:
        a, b = draw(ours), draw(real)
        assert type(a) is type(b) and a == b


@pytest.mark.parametrize("make", MAKERS, ids=["Generator", "RandomState"])
def test_shuffle_changes_the_array(make: Callable[[Any], Any]) -> None:
    for data in (numpy.arange(10), numpy.arange(12.0).reshape(4, 3)):
        ours, real, expected = make(np.random), make(numpy.random), data.copy()
        array = np.array(data)
        part = array[::2]
        with settings.settings(fallback="allow"):
            assert ours.shuffle(array) is None
        real.shuffle(expected)
        same(array, expected)
        same(part, expected[::2])
        with settings.settings(fallback="allow"):
            ours.shuffle(array[1:])
        real.shuffle(expected[1:])
        same(array, expected)


def test_shuffle_of_a_list_that_holds_lazy_arrays() -> None:
    items = [np.array([k, k]) for k in range(6)]
    order = list(range(6))
    numpy.random.default_rng(4).shuffle(order)
    shuffled = list(items)
    np.random.default_rng(4).shuffle(shuffled)
    assert [id(x) for x in shuffled] == [id(items[k]) for k in order]


def test_permuted_and_out() -> None:
    ours, real = np.random.default_rng(2), numpy.random.default_rng(2)
    data = numpy.arange(12).reshape(3, 4)
    array = np.array(data)
    with settings.settings(fallback="allow"):
        same(ours.permuted(array, axis=1), real.permuted(data, axis=1))
        same(array, data)
        target, expected = np.zeros((2, 3)), numpy.zeros((2, 3))
        assert ours.random(out=target) is target
    real.random(out=expected)
    same(target, expected)


def test_lazy_arguments_are_evaluated_and_counted() -> None:
    loc = np.array([1.0, 100.0]) * 2
    lazyarr.report().clear()
    with settings.settings(fallback="allow"):
        drawn = np.random.default_rng(0).normal(loc=loc, size=(3, 2))
    same(drawn, numpy.random.default_rng(0).normal(loc=[2.0, 200.0], size=(3, 2)))
    (call,) = lazyarr.report().calls
    assert "random.Generator.normal" in call.what and call.file == __file__
    same(np.random.default_rng(np.array(5)).random(2), numpy.random.default_rng(5).random(2))


def test_classes() -> None:
    ours = np.random.default_rng(0)
    assert isinstance(ours, np.random.Generator) and isinstance(ours, numpy.random.Generator)
    assert np.random.default_rng(ours) is ours
    assert isinstance(np.random.RandomState(0), numpy.random.RandomState)
    assert isinstance(np.random.Generator(np.random.PCG64(1)), np.random.Generator)
    same(np.random.Generator(np.random.PCG64(1)).random(3), numpy.random.Generator(numpy.random.PCG64(1)).random(3))
    same(ours.spawn(2)[1].random(3), numpy.random.default_rng(0).spawn(2)[1].random(3))


@pytest.mark.parametrize("make", MAKERS, ids=["Generator", "RandomState"])
def test_pickling_keeps_the_state(make: Callable[[Any], Any]) -> None:
    ours, real = make(np.random), make(numpy.random)
    ours.normal(size=3), real.normal(size=3)
    again = pickle.loads(pickle.dumps(ours))
    expected = real.normal(size=4)
    same(again.normal(size=4), expected)
    same(ours.normal(size=4), expected)


def test_state_functions() -> None:
    before = np.random.get_state()
    try:
        np.random.seed(11)
        state = np.random.get_state()
        first = numpy.asarray(np.random.rand(3))
        np.random.set_state(state)
        same(np.random.rand(3), first)
        assert isinstance(state[1], numpy.ndarray)
    finally:
        np.random.set_state(before)


def test_seeds_that_are_arguments_of_an_accelerated_function() -> None:
    def walk(n: int, seed: int) -> Any:
        steps = numpy.random.default_rng(seed).standard_normal(n)
        more = numpy.random.default_rng([seed, 3]).random(n)
        x, reached = 0.0, numpy.zeros(n)
        for i in range(n):
            x = 0.9 * x + steps[i] * more[i]
            reached[i] = x
        return reached

    accelerated: Any = lazyarr.accelerate(walk)
    for seed in (0, 1, 1, 0, 2):
        numpy.testing.assert_allclose(accelerated(300, seed), walk(300, seed), rtol=1e-12)
    assert not accelerated._plain


def test_compiling_leaves_the_global_stream_alone() -> None:
    # (In a process of its own: importing jax draws from the stream.)
    text = """if True:
        import numpy, lazyarr
        def numpy_sum(x):
            return numpy.sqrt(x).sum()
        lazyarr.configure(compiler="xla")
        numpy.random.seed(0)
        lazyarr.accelerate(numpy_sum, always=True)(numpy.arange(50.0))
        print(numpy.random.rand())
    """
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    numpy.random.seed(0)
    assert found == f"{numpy.random.rand()}\n"


DRAWN = """
rng.random(5)
rng.random(None, np.float64, out)
rng.random(out=out)
rng.normal(x, 2.0)
rng.normal(x[:2], scale=x[1:3])
rng.integers(0, x.astype(int) + 1)
rng.choice(x)
rng.choice(x, 3, p=x / x.sum())
rng.choice(f, 2, axis=0)
rng.choice(f)
rng.choice([1, 2, 3], (2, 2))
rng.choice(["a", "b"], 3)
rng.permutation(x)
rng.permutation(f, axis=1)
rng.permuted(f, axis=1)
rng.permuted(f, out=f)
rng.shuffle(x)
rng.shuffle(f, axis=1)
rng.shuffle(f[:, 0])
rng.shuffle(f.T)
rng.shuffle(x[::-2])
rng.shuffle(listed)
rng.multivariate_normal(x[:2], np.eye(2), 3)
rng.poisson(x)
rng.standard_gamma(x)
rng.standard_gamma(x[:3], None, np.float64, out)
rng.integers(0, 2, 3, dtype=bool)
rng.normal(size=60000)
rng.bytes(3)
rng.choice(5, 9, replace=False)
rng.integers(5, 1)
rng.normal(x, -1.0)
"""


@pytest.mark.parametrize("line", DRAWN.split("\n")[1:-1])
@pytest.mark.parametrize("stream", ["default_rng(3)", "RandomState(3)"])
@pytest.mark.parametrize("eager_below", [50_000, 0])
@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
def test_little_draws(line: str, stream: str, eager_below: int) -> None:
    def outcome(module: Any) -> Any:
        x, f = module.arange(1.0, 5.0), module.arange(6.0).reshape(3, 2)
        names = {"np": module, "x": x, "f": f, "out": module.zeros(3), "listed": [1, 2, 3]}
        names["rng"] = eval(f"np.random.{stream}", names)
        try:
            found = eval(line, names)
        except (TypeError, ValueError, AttributeError) as error:
            found = "" if isinstance(error, AttributeError) else str(error)
        then = names["rng"].normal(size=2)
        return found, then, x + 0, f + 0, names["out"], names["listed"]

    with settings.settings(eager_below=eager_below):
        mine, theirs = outcome(np), outcome(numpy)
    for a, b in zip(mine, theirs, strict=True):
        assert numpy.array_equal(numpy.asarray(a), numpy.asarray(b))
        assert numpy.asarray(a).dtype == numpy.asarray(b).dtype
        assert isinstance(a, type(b)) or isinstance(a, LazyArray)


def test_little_draws_do_not_write_to_their_arguments() -> None:
    x = np.arange(4.0)
    alike = np.array(x)
    rng = np.random.default_rng(0)
    drawn = rng.choice(x, 4)
    drawn[:] = -1
    rng.shuffle(x)
    assert numpy.asarray(alike).tolist() == [0, 1, 2, 3]
    assert sorted(numpy.asarray(x).tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
def test_what_is_read_only_is_not_shuffled(values: list[float], eager_below: int) -> None:
    """Also where the order of the elements would make no difference."""

    def refused(np: Any, act: Callable[[Any, Any], Any]) -> list[float]:
        x = np.array(values)
        x.flags.writeable = False
        with pytest.raises(ValueError, match="read-only"):
            act(np, x)
        found: list[float] = x.tolist()
        return found

    acts: list[Callable[[Any, Any], Any]] = [
        lambda np, x: np.random.default_rng(0).shuffle(x),
        lambda np, x: np.random.RandomState(0).shuffle(x),
        lambda np, x: np.random.shuffle(x),
    ]
    with settings.settings(eager_below=eager_below):
        for act in acts:
            assert refused(np, act) == refused(numpy, act) == values


@pytest.mark.parametrize("name", ["normal", "rand", "randint", "choice", "permutation", "sample", "standard_normal"])
def test_functions_that_draw_are_pickled_with_the_state_of_the_stream(name: str) -> None:
    args = (5,) if name != "normal" else ()
    drawn = []
    for m in (numpy, np):
        m.random.seed(5)
        copied = pickle.loads(pickle.dumps(getattr(m.random, name)))
        m.random.seed(6)
        drawn.append((numpy.asarray(copied(*args)).tolist(), numpy.asarray(getattr(m.random, name)(*args)).tolist()))
    assert drawn[0] == drawn[1]
