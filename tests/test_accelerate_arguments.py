"""`accelerate`: kinds of arguments, and the world outside them."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr import accelerate, settings
from lazyarr.report import FallbackError, FallbackWarning
from tests.acceleration import assert_same, check, programs, ramp

SCALE = 0.25
TABLE = np.array([1.0, 2.0, 3.0])
CONFIG: dict[str, Any] = {"gain": 2.0, "offsets": [1.0, 2.0]}


@dataclasses.dataclass
class State:
    u: Any
    t: float = 0.0
    n: int = 0

    def step(self, dt: float) -> State:
        self.u = self.u + dt * np.ones(self.u.shape)
        self.t += dt
        self.n += 1
        return self


class Model:
    def __init__(self, n: int) -> None:
        self.x = np.arange(float(n))
        self.history: list[Any] = []

    @property
    def total(self) -> Any:
        return self.x.sum()

    def go(self) -> Any:
        self.x[1:-1] += self.x[2:]
        self.history.append(self.total)
        return self.x


Pair = namedtuple("Pair", ["left", "right"])


def test_dataclass_methods() -> None:
    def function(s: State) -> Any:
        for _ in range(3):
            s.step(0.5)
        return s

    accelerated = check(function, lambda k: (State(np.arange(3.0) + k),))
    assert programs(accelerated) == 1
    s = State(np.arange(3.0))
    assert accelerated(s) is s


def test_objects_and_accelerated_methods() -> None:
    def function(model: Model) -> Any:
        return model.go()

    check(function, lambda k: (Model(5 + k),))

    class Owner:
        def __init__(self) -> None:
            self.scale = 2.0

        @accelerate
        def scaled(self, x: Any) -> Any:
            return x * self.scale

    owner = Owner()
    np.testing.assert_array_equal(owner.scaled(np.arange(3.0)), np.arange(3.0) * 2)
    owner.scale = 3.0
    np.testing.assert_array_equal(owner.scaled(np.arange(3.0)), np.arange(3.0) * 3)
    bound: Any = owner.scaled
    assert bound.explain(np.arange(3.0)).mode == "one program"


def test_lists_dicts_and_tuples_are_changed_as_in_python() -> None:
    def function(d: Any, items: Any, pair: Any) -> Any:
        d["a"] += 1
        d["b"] = d["a"] * 2
        items.append(items[0] + 1)
        items[0] = items[0] * 2
        del d["gone"]
        return len(items), Pair(pair.right, pair.left), d

    def make(k: int) -> tuple[Any, ...]:
        return {"a": np.arange(3.0) + k, "gone": 1}, [np.arange(2.0), 2], Pair(np.ones(2), k + 0.5)

    assert programs(check(function, make)) == 1


def test_keywords_defaults_and_stars() -> None:
    def function(a: Any, *rest: Any, scale: float = 3.0, **named: Any) -> Any:
        return (a + sum(rest)) * scale + named.get("shift", 0)

    accelerated: Any = accelerate(function)
    a = np.arange(3.0)
    calls: list[tuple[Any, dict[str, Any]]] = [((a,), {}), ((a, a, 2), {"scale": 0.5}), ((a,), {"shift": a})]
    for args, kwargs in calls:
        assert_same(function(*args, **kwargs), accelerated(*args, **kwargs))


def test_globals_closures_lambdas_and_recursion() -> None:
    shift = 1.5

    def helper(x: Any, n: int) -> Any:
        return x if n == 0 else helper(x * SCALE + TABLE[: x.shape[0]], n - 1)

    def function(x: Any) -> Any:
        inner: Any = lambda y: np.sqrt(y) + shift  # noqa: E731
        return inner(helper(x, 3)) * CONFIG["gain"] + CONFIG["offsets"][1]

    assert programs(check(function, ramp(3))) == 1


def test_globals_that_change_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def function(x: Any) -> Any:
        return x * SCALE + TABLE.sum() + CONFIG["gain"]

    accelerated: Any = accelerate(function)
    a = np.ones(2)
    for scale, table, gain in [(0.25, 1.0, 2.0), (0.5, 2.0, 3.0), (2.0, 5.0, 1.0)]:
        monkeypatch.setattr(f"{__name__}.SCALE", scale)
        monkeypatch.setattr(f"{__name__}.TABLE", TABLE * table)
        monkeypatch.setitem(CONFIG, "gain", gain)
        assert_same(function(a), accelerated(a))
    assert programs(accelerated) == 1


def test_nonlocal_and_global_assignments_happen_at_every_call() -> None:
    def make() -> Callable[[Any], Any]:
        count = 0

        def function(a: Any) -> Any:
            nonlocal count
            count += 1
            return a * count

        return function

    plain, accelerated = make(), accelerate(make())
    for _ in range(3):
        assert_same(plain(np.ones(2)), accelerated(np.ones(2)))


def test_a_function_that_prints_prints_at_every_call(capsys: pytest.CaptureFixture[str]) -> None:
    @accelerate
    def function(a: Any) -> Any:
        print("called")
        return a + 1

    for _ in range(3):
        function(np.ones(2))
    assert capsys.readouterr().out == "called\n" * 3


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
def test_random_numbers_are_drawn_at_every_call() -> None:
    generator = np.random.default_rng(0)

    @accelerate
    def function(a: Any) -> Any:
        return a + np.random.random(3), a + generator.normal(size=3)

    first, second = function(np.zeros(3)), function(np.zeros(3))
    assert not np.array_equal(first[0], second[0])
    assert not np.array_equal(first[1], second[1])


def test_numpy_scalars_and_zero_dimensional_arrays() -> None:
    def function(s: Any, z: Any) -> Any:
        z += s
        return s * 2, z, s + z

    check(function, lambda k: (np.float32(1.5 + k), np.array(2.0)))


@pytest.mark.parametrize(
    "array",
    [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12.0).reshape(3, 4)[::-1, ::2],
        np.broadcast_to(np.arange(3.0), (2, 3)),
        np.arange(6.0).reshape(2, 3).astype(">f8"),
        np.frombuffer(b"x" + np.arange(6.0).tobytes(), np.float64, offset=1).reshape(2, 3),
        np.zeros((0, 3)),
        np.ones((1, 1)),
    ],
    ids=["fortran", "negative-strides", "broadcast", "byte-swapped", "unaligned", "empty", "ones"],
)
def test_memory_layouts(array: Any) -> None:
    def function(a: Any) -> Any:
        return a + 1, a.T * 2, a.sum(axis=0), (a.T + 1).reshape(-1)

    check(function, lambda k: (array,))


def test_memory_maps_are_written(tmp_path: Any) -> None:
    array: Any = np.memmap(tmp_path / "data", np.float64, "w+", shape=(4,))
    array[:] = np.arange(4.0)

    @accelerate
    def function(a: Any) -> Any:
        a *= 2
        return float(a.sum())

    assert function(array) == 12.0
    np.testing.assert_array_equal(array, np.arange(4.0) * 2)


def test_masked_arrays_run_as_plain_python() -> None:
    def function(a: Any) -> Any:
        return a + 1

    masked: Any = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    with pytest.warns(FallbackWarning, match="subclass"):
        got = accelerate(function)(masked)
    assert isinstance(got, np.ma.MaskedArray)
    assert got.mask.tolist() == [True, False]


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
def test_generators_run_as_plain_python() -> None:
    def function(a: Any) -> Any:
        yield a.sum()

    assert list(accelerate(function)(np.ones(3))) == [3.0]


class Scaling:
    factor = 3.0

    def __call__(self, a: Any) -> Any:
        return np.zeros(3) + a * self.factor


def test_ufuncs_partials_and_callable_objects() -> None:
    for function in (np.sqrt, functools.partial(np.multiply, 2.0), Scaling()):
        accelerated: Any = accelerate(function)
        for k in range(2):
            assert_same(function(np.ones(3) + k), accelerated(np.ones(3) + k))
        assert programs(accelerated) == 1
    with pytest.raises(TypeError, match="takes a function"):
        accelerate(3)  # type: ignore[call-overload]


def test_functions_without_source() -> None:
    space: dict[str, Any] = {"np": np}
    exec("def function(a):\n    b = np.zeros(3)\n    b[1:] = a[:-1]\n    return b", space)
    check(space["function"], ramp(3))


def test_the_setting_error_holds_at_every_call() -> None:
    def function(a: Any, b: Any) -> Any:
        b[:] = 2
        return a * 2

    accelerated: Any = accelerate(function)
    z = np.arange(4) + 1j
    with settings.settings(fallback="error"):
        for _ in range(2):
            with pytest.raises(FallbackError, match="share memory"):
                accelerated(z, z.real)
    np.testing.assert_array_equal(z, np.arange(4) + 1j)


def test_numpys_scalars_compared_with_numbers_that_are_given() -> None:
    def compared(x: Any, e: Any) -> Any:
        found = np.zeros(len(x))
        for i in range(len(x)):
            step = 1
            if np.abs(step) > e:
                found[i] = x[i]
        whole, narrow = np.float64(2), np.float32(0.5)
        return found, whole > e, narrow <= e, np.int8(1) == e, np.sin(0.5) != e, (np.int64(3) >= e) * x

    accelerated: Any = accelerate(compared, always=True)
    for e in (0.5, 0.25, 2.0, 1.0, 3.5):
        assert_same(compared(np.arange(20.0), e), accelerated(np.arange(20.0), e))
    # A comparison of two numbers that Python knows is Python's: each result is a program.
    assert programs(accelerated) <= 5
    others: tuple[Any, ...] = (1, 3, -(2**70), True, 1j)
    for given in others:
        assert_same(compared(np.arange(20.0), given), accelerated(np.arange(20.0), given))


def test_an_array_without_axes_from_elsewhere_is_read_at_each_call() -> None:
    class Opaque:
        __slots__ = ("limit",)

        def __init__(self) -> None:
            self.limit = np.array(1.0)

    holder = [Opaque()]

    def above(x: Any, e: float) -> Any:
        return x * (holder[0].limit > e)

    accelerated: Any = accelerate(above, always=True)
    for limit in (1.0, 0.0, 2.0, 0.25):
        holder[0].limit[...] = limit
        for e in (0.5, 0.25, 1.5):
            assert_same(above(np.arange(6.0), e), accelerated(np.arange(6.0), e))


def test_a_range_of_a_computed_number_is_an_index() -> None:
    distance = pytest.importorskip("scipy.spatial.distance")

    def marked(x: Any, w: float) -> Any:
        n = int(w * np.sqrt(3) * 5) + 1
        x = x.copy()
        x[range(n), range(n)] = 7
        return x, x[range(1, n)]

    def of_numpys_own(x: Any, w: float) -> Any:
        n = int((w + 0.1) * (w + 0.1) / (2 * 0.05 * 0.05 * np.sqrt(3))) + 1
        p = np.zeros((n, 2))
        p[:, 0] = np.random.default_rng(0).uniform(0, w, n)
        found = distance.cdist(p, p)
        found[range(n), range(n)] = 7
        return found

    for function in (marked, of_numpys_own):
        accelerated: Any = accelerate(function)
        for w in (1.0, 1.1, 1.2, 1.3):
            x = np.arange(400.0).reshape(20, 20)
            assert_same(function(x, w), accelerated(x, w))


def test_a_range_without_numbers_is_an_index() -> None:
    def chosen(x: Any, n: int) -> Any:
        m = int(x[n])
        y = x[range(m)]
        x[range(m, 4, 2)] = 7
        x[range(4, m)] = 8
        return y, x

    accelerated: Any = accelerate(chosen, always=True)
    for n in (0, 0, 0, 3, 5):
        given, expected = np.arange(10.0), np.arange(10.0)
        assert_same(chosen(expected, n), accelerated(given, n))
        assert_same(expected, given)


def _decay(x: Any, rate: float = 2.0) -> Any:
    return -rate * x + np.sin(x)


decay: Any = accelerate(_decay)


def integrate(f: Callable[[Any], Any], x: Any, steps: int) -> Any:
    for _ in range(steps):
        k = f(x)
        x = x + 0.05 * (k + f(x + 0.1 * k))
    return x


class Decaying:
    """A model of which a method is accelerated."""

    def __init__(self, rate: float):
        self.rate, self.calls = rate, 0

    @accelerate
    def slope(self, x: Any) -> Any:
        self.calls += 1
        return -self.rate * x

    def plain(self, x: Any) -> Any:
        return -self.rate * x

    @accelerate
    def its_slope(self) -> Any:
        return self.slope


def test_accelerated_functions_are_arguments_as_what_they_wrap() -> None:
    integrated: Any = accelerate(integrate)
    x = np.linspace(0, 1, 30)
    for _ in range(4):
        np.testing.assert_allclose(integrated(decay, x, 20), integrate(decay.function, x, 20), rtol=1e-13)
    assert programs(integrated) == 1
    assert not integrated._pieces and not integrated._plain


def test_accelerated_methods_are_arguments() -> None:
    integrated: Any = accelerate(integrate)
    x = np.linspace(0, 1, 30)
    for rate in (1.0, 2.0, 3.0, 1.5):
        model = Decaying(rate)
        np.testing.assert_allclose(integrated(model.slope, x, 20), integrate(model.plain, x, 20), rtol=1e-13)
        assert model.calls == 40
    assert not integrated._pieces and not integrated._plain


def test_accelerated_functions_and_methods_are_given_back() -> None:
    @accelerate
    def give(f: Any, found: dict[str, Any], x: Any) -> Any:
        found["f"] = f
        return f, [f], f(x)

    model, x = Decaying(2.0), np.arange(3.0)
    for _ in range(4):
        found: dict[str, Any] = {}
        first, several, y = give(decay, found, x)
        assert first is decay and several[0] is decay and found["f"] is decay
        np.testing.assert_allclose(y, decay.function(x))
        first, several, y = give(model.slope, found, x)
        for method in (first, several[0], found["f"], model.its_slope()):
            assert method.__self__ is model
            np.testing.assert_allclose(method(x), -2 * x)


def test_attributes_of_accelerated_functions_that_are_arguments() -> None:
    def scaled(f: Any, x: Any) -> Any:
        f.count = getattr(f, "count", 0) + 1
        return f(x) * f.gain

    def double(x: Any) -> Any:
        return 2 * x

    twice: Any = accelerate(double)
    run = accelerate(scaled)
    for gain in (1.0, 1.0, 3.0, 3.0):
        twice.gain = gain
        np.testing.assert_array_equal(run(twice, np.arange(3.0)), 2 * gain * np.arange(3.0))
    assert twice.count == 4


def _one_or_two(x: Any, y: Any, z: Any = None) -> Any:
    if y is x:
        return x * 2, z is y
    return x + 3 * y, y is z


def _written_by_both_names(x: Any, y: Any) -> Any:
    x += 1
    y[1:] *= x[:-1]
    return x, y, y is not x


def _in_a_loop(x: Any, out: Any) -> Any:
    for i in range(1, len(x)):
        out[i] = x[i] + x[i - 1]
    return out.sum()


@pytest.mark.parametrize("f", [_one_or_two, _written_by_both_names, _in_a_loop])
@pytest.mark.parametrize("lazily", [False, True])
def test_an_array_that_is_given_twice_is_one(f: Callable[..., Any], lazily: bool) -> None:
    picks: list[Callable[[Any, Any], Any]] = [
        lambda a, b: (a, a), lambda a, b: (a, b), lambda a, b: (a, a[:]), lambda a, b: (b, b),
    ]  # fmt: skip
    fast = accelerate(always=True)(f)
    for _ in range(4):
        for pick in picks:
            a, b = np.arange(5.0), np.arange(5.0) * 2
            c, d = (lnp.array(a), lnp.array(b)) if lazily else (a.copy(), b.copy())
            wanted, found = f(*pick(a, b)), fast(*pick(c, d))
            assert np.array_equal(np.asarray(c), a) and np.array_equal(np.asarray(d), b)
            for x, y in zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]:
                assert np.array_equal(np.asarray(x), y)
                assert isinstance(x, bool) == isinstance(y, bool)
            if f is _written_by_both_names:
                assert (found[0] is found[1]) == (wanted[0] is wanted[1])
    x = np.arange(4.0)
    assert fast(x, y=x)[1] is False if f is _one_or_two else True


def test_numbers_that_np_select_does_not_take() -> None:
    """NumPy has made arrays of Python's numbers, which an unsigned result does not take."""
    f: Any = accelerate(lambda x, k: np.select([x > 1], [k], np.uint8(3)))
    for always in (True, False):
        g: Any = accelerate(f.__wrapped__, always=always)
        for _ in range(3):
            for k in (2, 2.5):
                with pytest.raises(TypeError) if isinstance(k, int) else contextlib.nullcontext():
                    found = g(np.arange(6.0), k)
                    np.testing.assert_array_equal(found, f.__wrapped__(np.arange(6.0), k))
