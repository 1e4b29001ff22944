"""`accelerate`: what crosses the call, compared with running the same function in NumPy."""

from __future__ import annotations

import copy
import dataclasses
import enum
import functools
import math
import os
import pickle
import threading
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate, settings
from lazyarr.fallback import FallbackWarning

SCALE = 0.25
TABLE = np.array([1.0, 2.0, 3.0])
CONFIG: dict[str, Any] = {"gain": 2.0, "offsets": [1.0, 2.0]}


def assert_same(expected: Any, got: Any) -> None:
    """Equal in type, dtype, shape, layout and value (to rounding), element by element."""
    assert type(expected) is type(got), f"{type(expected)} against {type(got)}"
    if isinstance(expected, (np.ndarray, np.generic)):
        assert (expected.dtype, expected.shape) == (got.dtype, got.shape)
        rtol = 1e-12 if expected.dtype.itemsize >= 8 else 1e-5
        np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rtol, atol=1e-13)
        if isinstance(expected, np.ndarray):
            assert expected.flags.f_contiguous == got.flags.f_contiguous
            assert expected.flags.c_contiguous == got.flags.c_contiguous
            assert expected.flags.writeable == got.flags.writeable
    elif isinstance(expected, (list, tuple)):
        assert len(expected) == len(got)
        for e, g in zip(expected, got, strict=True):
            assert_same(e, g)
    elif isinstance(expected, dict):
        assert list(expected) == list(got)
        for key in expected:
            assert_same(expected[key], got[key])
    elif dataclasses.is_dataclass(expected) or type(expected).__module__ == __name__:
        assert_same(vars(expected), vars(got))
    elif isinstance(expected, float):
        assert math.isclose(expected, got, rel_tol=1e-12) or (math.isnan(expected) and math.isnan(got))
    else:
        assert expected == got


def programs(accelerated: Any) -> int:
    """How many programs were compiled; 0 where the function runs in pieces or as plain Python."""
    return sum(len(variants) for variants in accelerated._known.values())


def check(function: Callable[..., Any], make: Callable[[int], tuple[Any, ...]], calls: int = 2) -> Any:
    """Call the function accelerated and not, several times; results and arguments must agree. Gives the accelerated."""
    accelerated: Any = accelerate(function)
    for k in range(calls):
        plain, own = make(k), make(k)
        assert_same(function(*plain), accelerated(*own))
        assert_same(plain, own)
    return accelerated


def ramp(*shape: int) -> Callable[[int], tuple[Any, ...]]:
    return lambda k: (np.arange(float(math.prod(shape))).reshape(shape) + k,)


# -- mutation and aliasing -------------------------------------------------------------------------------------------


def test_an_argument_changed_in_place_is_the_result() -> None:
    def function(a: Any) -> Any:
        a += a[::-1]
        a[1:] += a[:-1]
        return a

    accelerated = check(function, ramp(7))
    assert programs(accelerated) == 1
    a = np.arange(7.0)
    assert accelerated(a) is a


def test_interleaved_views_swap() -> None:
    def function(a: Any) -> Any:
        a[::2], a[1::2] = a[1::2], a[::2]
        return a

    check(function, ramp(8))


def test_transposed_in_place() -> None:
    def function(a: Any) -> Any:
        a += a.T
        return a

    check(function, ramp(4, 4))


@pytest.mark.parametrize(
    "cut",
    [(slice(0, 8), slice(2, 10)), (slice(0, 10, 2), slice(1, 10, 2)), (slice(None), slice(None, None, -1))],
    ids=["overlapping", "interleaved", "reversed"],
)
def test_arguments_that_share_memory(cut: tuple[slice, slice]) -> None:
    def function(a: Any, b: Any) -> Any:
        a[1:] = b[:-1] * 2
        b += 1
        return a + b

    def make(k: int) -> tuple[Any, ...]:
        x = np.arange(10.0) + k
        return x[cut[0]][:4], x[cut[1]][:4]

    assert programs(check(function, make)) == 1


def test_the_same_array_twice() -> None:
    def function(a: Any, b: Any) -> Any:
        a[0] = 5
        b[1] = a[0] + 1
        return a.sum()

    def make(k: int) -> tuple[Any, ...]:
        x = np.arange(4.0) + k
        return x, x

    check(function, make)


def test_rows_of_one_matrix() -> None:
    def function(a: Any, b: Any) -> Any:
        a[:] = b[::-1] + 1
        return a

    def make(k: int) -> tuple[Any, ...]:
        x = np.arange(12.0).reshape(3, 4) + k
        return x[:, 1], x[:, 2]

    check(function, make)


def test_shared_memory_of_different_dtypes_runs_in_numpy() -> None:
    def function(a: Any, b: Any) -> Any:
        b[:] = 2
        return a * 2

    z = np.arange(4) + 1j
    w = z.copy()
    with pytest.warns(FallbackWarning, match="share memory"):
        got = accelerate(function)(z, z.real)
    np.testing.assert_array_equal(got, function(w, w.real))


def test_views_among_the_results_share_memory() -> None:
    def function(a: Any) -> Any:
        b = a * 2
        return b, b[1:], a[::2]

    a = np.arange(6.0)
    b, tail, every = accelerate(function)(a)
    assert np.shares_memory(b, tail)
    assert np.shares_memory(a, every)
    tail[0] = 99
    assert b[1] == 99


def test_an_argument_is_untouched_when_the_function_raises() -> None:
    def function(a: Any) -> Any:
        a[0] = 99
        raise RuntimeError("in the middle")

    a = np.arange(3.0)
    with pytest.raises(RuntimeError, match="middle"):
        accelerate(function)(a)
    np.testing.assert_array_equal(a, np.arange(3.0))


def test_an_index_out_of_range_at_run_time_raises_and_writes_nothing() -> None:
    def function(a: Any, where: Any) -> Any:
        a[where] = 7
        return a[where].sum()

    accelerated: Any = accelerate(function)
    a = np.arange(4.0)
    accelerated(a.copy(), np.array([0, -1]))
    with pytest.raises(IndexError, match="out of bounds for axis 0 with size 4") as caught:
        accelerated(a, np.array([0, 4]))
    np.testing.assert_array_equal(a, np.arange(4.0))
    assert __file__ in "".join(caught.value.__notes__)
    assert programs(accelerated) == 1


def test_a_singular_matrix_raises() -> None:
    def function(a: Any, b: Any) -> Any:
        return np.linalg.solve(a, b)

    accelerated: Any = accelerate(function)
    np.testing.assert_allclose(accelerated(np.eye(2) * 2, np.ones(2)), [0.5, 0.5])
    with pytest.raises(np.linalg.LinAlgError):
        accelerated(np.ones((2, 2)), np.ones(2))


def test_a_read_only_argument_is_not_written() -> None:
    def function(a: Any) -> Any:
        a[0] = 1
        return a

    a = np.arange(3.0)
    a.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        accelerate(function)(a)


# -- kinds of arguments ----------------------------------------------------------------------------------------------


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


def test_what_has_no_python_code_runs_as_it_is() -> None:
    with pytest.warns(FallbackWarning, match="no Python code"):
        assert accelerate(np.sum)(np.ones(3)) == 3.0
    with pytest.raises(TypeError, match="takes a function"):
        accelerate(3)  # type: ignore[call-overload]


def test_functions_without_source() -> None:
    space: dict[str, Any] = {"np": np}
    exec("def function(a):\n    b = np.zeros(3)\n    b[1:] = a[:-1]\n    return b", space)
    check(space["function"], ramp(3))


# -- Python scalars --------------------------------------------------------------------------------------------------


def test_a_new_float_never_recompiles() -> None:
    def function(a: Any, dt: float, c: complex) -> Any:
        return a * dt / (dt**2 + 1), a * c, math.exp(-dt), float(dt) * 2, abs(-dt), max(dt, 0.0)

    accelerated: Any = accelerate(function)
    for dt in (0.5, 0.75, 1e3, 2.0):
        assert_same(function(np.arange(3.0), dt, 1j * dt), accelerated(np.arange(3.0), dt, 1j * dt))
    assert programs(accelerated) == 1


def test_a_new_int_recompiles_only_where_it_decides() -> None:
    def weight(a: Any, n: int) -> Any:
        return a * n + n // 2, n % 3, n * 10**30

    accelerated: Any = accelerate(weight)
    for n in (1, 2, 7, -3):
        assert_same(weight(np.arange(3.0), n), accelerated(np.arange(3.0), n))
    assert programs(accelerated) == 1

    def shaped(a: Any, n: int) -> Any:
        return np.zeros(n) + a[0]

    accelerated = accelerate(shaped)
    for n in (1, 2, 2, 1):
        assert_same(shaped(np.arange(3.0), n), accelerated(np.arange(3.0), n))
    assert programs(accelerated) == 2


def test_python_decisions_on_scalars_are_guarded() -> None:
    def function(a: Any, x: float) -> Any:
        return a + 1 if x > 0.5 else a - x

    accelerated = check(function, lambda k: (np.ones(2), k / 4), calls=5)
    assert programs(accelerated) == 2


def test_python_errors_of_scalars_come_at_the_call() -> None:
    def function(a: Any, x: float) -> Any:
        return a * (1 / x)

    accelerated: Any = accelerate(function)
    accelerated(np.ones(2), 2.0)
    with pytest.raises(ZeroDivisionError):
        accelerated(np.ones(2), 0.0)


def test_an_int_that_does_not_fit_raises_as_numpy() -> None:
    def function(a: Any, n: int) -> Any:
        return a + n

    accelerated: Any = accelerate(function)
    a = np.arange(3, dtype=np.uint8)
    assert_same(function(a, 200), accelerated(a, 200))
    with pytest.raises(OverflowError, match="Python integer 300 out of bounds for uint8"):
        accelerated(a, 300)


def test_weak_scalars_keep_the_arrays_dtype() -> None:
    def function(a: Any, x: float, n: int) -> Any:
        return a * x, a + n, x * n, np.float32(2) * x, np.sqrt(x), np.asarray(x)

    check(function, lambda k: (np.arange(3, dtype=np.float32), 0.5 + k, 3))


# -- control flow ----------------------------------------------------------------------------------------------------


def test_a_branch_on_data() -> None:
    def function(a: Any) -> Any:
        if a.sum() > 10:
            a *= 2
        else:
            a -= 1
        return a

    check(function, lambda k: (np.arange(3.0) * k * 4,), calls=4)


def test_a_loop_on_data() -> None:
    def function(a: Any) -> Any:
        n = 0
        while np.abs(a).max() > 1:
            a = a / 2
            n += 1
        return a, n

    check(function, ramp(9), calls=3)


def test_a_long_loop_is_unrolled_or_runs_in_pieces() -> None:
    def function(u: Any) -> Any:
        for _ in range(200):
            u[1:-1] += 0.25 * (u[2:] - 2 * u[1:-1] + u[:-2])
        return u

    with settings.settings(unroll_limit=400, flush_after=100):
        pieces = check(function, lambda k: (np.arange(50.0) ** 2 + k,))
    assert programs(pieces) == 0
    whole = check(function, lambda k: (np.arange(50.0) ** 2 + k,))
    assert programs(whole) == 1


def test_an_exception_is_caught_inside() -> None:
    def function(a: Any) -> Any:
        try:
            return a[10]
        except IndexError:
            return -1

    check(function, ramp(3))


def test_accelerated_functions_call_each_other() -> None:
    @accelerate
    def inner(a: Any) -> Any:
        a[0] = 9
        return a * 2

    def function(a: Any) -> Any:
        return inner(a) + 1

    outer: Any = accelerate(function)
    a, b = np.arange(3.0), np.arange(3.0)
    np.testing.assert_array_equal(outer(a), function(b))
    np.testing.assert_array_equal(a, b)
    assert programs(outer) == 1


def test_integer_arguments_that_change_at_every_call_do_not_recompile_for_ever() -> None:
    @accelerate
    def function(a: Any, n: int) -> Any:
        return a[:n].sum()

    a = np.arange(60.0)
    for n in range(60):
        assert function(a, n) == a[:n].sum()
    assert programs(function) <= 17


# -- processes, threads, jax -----------------------------------------------------------------------------------------


def test_eight_threads() -> None:
    def function(a: Any, dt: float) -> Any:
        a[1:] += dt * a[:-1]
        return a.sum()

    accelerated: Any = accelerate(function)
    wrong: list[Any] = []

    def work(seed: int) -> None:
        for k in range(20):
            a, b = np.arange(50.0) + seed, np.arange(50.0) + seed
            if not math.isclose(accelerated(a, 0.1 * k), function(b, 0.1 * k)) or not np.allclose(a, b):
                wrong.append((seed, k))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@accelerate
def module_level(a: Any) -> Any:
    return a + 1


def test_pickling_and_copying_a_function() -> None:
    again = pickle.loads(pickle.dumps(module_level))
    np.testing.assert_array_equal(again(np.ones(2)), [2, 2])
    np.testing.assert_array_equal(copy.copy(module_level)(np.ones(2)), [2, 2])


def test_jax_settings_stay_the_users() -> None:
    import jax

    config: Any = jax.config
    before = config.jax_enable_x64
    np.testing.assert_array_equal(module_level(np.ones(2)), [2, 2])
    assert config.jax_enable_x64 == before
    assert jax.numpy.ones(2).dtype == np.float32 or os.environ.get("JAX_ENABLE_X64")


def test_the_users_module_is_not_changed() -> None:
    def function(a: Any) -> Any:
        return np.zeros(3) + a

    accelerate(function)(np.ones(3))
    assert function.__globals__["np"] is np
    assert type(function(np.ones(3))) is np.ndarray


def test_memory_does_not_grow() -> None:
    import gc

    from lazyarr.ir import node

    @accelerate
    def function(a: Any) -> Any:
        return a * 2 + 1

    for _ in range(10):
        function(np.ones(10))
    gc.collect()
    before = len(node._nodes)
    for _ in range(1000):
        function(np.ones(10))
    gc.collect()
    assert len(node._nodes) <= before + 10


def test_a_class_body_and_an_import_inside() -> None:
    def function(a: Any) -> Any:
        import numpy
        from numpy import linalg

        class Local:
            shift = TABLE[0] + SCALE

            def value(self) -> Any:
                return numpy.ones(3) * self.shift

        return a + Local().value() + linalg.norm(a)

    assert programs(check(function, ramp(3))) == 1


def test_the_first_calls_arrays_are_let_go() -> None:
    import gc
    import weakref

    @accelerate
    def function(a: Any, items: Any) -> Any:
        items.append(a.sum())
        return a * 2


    a = np.ones(1000)
    owner = weakref.ref(a)
    function(a, [])
    del a
    gc.collect()
    assert owner() is None


class Scheme(enum.Enum):
    FORWARD = 1
    BACKWARD = 2


def test_enums_and_questions_of_type() -> None:
    def function(a: Any, x: float, scheme: Scheme) -> Any:
        assert type(a) is np.ndarray
        assert isinstance(a, np.ndarray)
        assert type(x) is float
        assert isinstance(x, float)
        return a + x if scheme is Scheme.FORWARD else a - x

    accelerated: Any = accelerate(function)
    for scheme in Scheme:
        assert_same(function(np.ones(2), 0.5, scheme), accelerated(np.ones(2), 0.5, scheme))
    assert programs(accelerated) == 2


def test_helpers_with_memory_decorators_and_default_tables() -> None:
    @functools.lru_cache
    def helper(n: int) -> Any:
        return np.ones(n) * 3

    def doubling(inner: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(inner)
        def outer(*args: Any) -> Any:
            return inner(*args) * 2

        return outer

    @doubling
    def function(a: Any, table: dict[str, Any] = {}) -> Any:  # noqa: B006
        if "x" not in table:
            table["x"] = np.zeros(3) + 7
        return a + helper(3) + table["x"]

    accelerated: Any = accelerate(function)
    for k in range(3):
        np.testing.assert_array_equal(accelerated(np.ones(3) * k), 2 * (k + 10.0) * np.ones(3))


@pytest.mark.filterwarnings("ignore::lazyarr.report.FallbackWarning")
def test_what_numpy_does_not_compile_goes_through() -> None:
    def function(a: Any) -> Any:
        return a + a

    for array in (np.array([1, "x"], object), np.ones(2, np.longdouble), np.array(["a", "b"], object)):
        got: Any = accelerate(function)(array)
        expected = function(array)
        assert got.dtype == expected.dtype
        assert got.tolist() == expected.tolist()
