"""`accelerate`: what changes outside the arguments, who owns results, other processes and the user's jax."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr import accelerate
from tests.acceleration import assert_same, check, programs

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.report.FallbackWarning")


class Constants:
    gain = 1.0

    def scaled(self, a: Any) -> Any:
        return a * self.gain


INSTANCE = Constants()
FACTOR = 3.0


def test_equal_results_do_not_share_memory() -> None:
    def function(a: Any, d: Any) -> Any:
        d["x"], d["y"] = a * 1.5, a * 1.5
        return np.zeros(3), np.zeros(3), a * 2, a * 2, [np.zeros(3) for _ in range(3)]

    d: dict[str, Any] = {}
    x, y, z, w, several = accelerate(function)(np.ones(3), d)
    for first, second in [(x, y), (z, w), (several[0], several[1]), (d["x"], d["y"])]:
        before = second.copy()
        first[0] = 99
        np.testing.assert_array_equal(second, before)


def test_equal_results_of_a_run_in_pieces_do_not_share_memory() -> None:
    def function(a: Any) -> Any:
        if a.sum() > 0:
            a = a + 0.0
        return np.zeros(3), np.zeros(3), a, a * 1

    x, y, z, w = accelerate(function)(np.ones(3))
    x[0] = z[0] = 99
    assert y[0] == 0
    assert w[0] == 1


@pytest.mark.parametrize(
    "function", [lambda a: a * Constants.gain, lambda a: INSTANCE.scaled(a)], ids=["class", "object"]
)
def test_class_attributes_that_change_are_noticed(function: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    accelerated: Any = accelerate(function)
    for gain in (1.0, 2.0, 3.0):
        monkeypatch.setattr(Constants, "gain", gain)
        assert accelerated(np.ones(1))[0] == gain


def test_function_attributes_and_the_environment_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    @accelerate
    def scaled(a: Any) -> Any:
        return a * attributes.scale + float(os.environ.get("LAZYARR_TEST_SHIFT", "0"))

    attributes: Any = scaled
    for scale in (1.0, 2.0):
        attributes.scale = scale
        monkeypatch.setenv("LAZYARR_TEST_SHIFT", str(scale))
        assert scaled(np.ones(1))[0] == 2 * scale


def test_eval_and_globals_see_the_users_module() -> None:
    def function(a: Any) -> Any:
        globals()["FACTOR"] = 4.0
        return a * eval("FACTOR"), a * globals()["FACTOR"]

    assert_same(function(np.ones(1)), accelerate(function)(np.ones(1)))
    assert FACTOR == 4.0


def test_errors_that_depend_on_data_can_be_handled() -> None:
    def invert(a: Any) -> Any:
        try:
            return np.linalg.inv(a)
        except np.linalg.LinAlgError:
            return None

    def read(a: Any, i: Any) -> Any:
        try:
            a[0] = a[i]
        except IndexError:
            a[0] = -1
        return a

    accelerated: Any = accelerate(invert)
    assert accelerated(np.zeros((2, 2))) is None
    np.testing.assert_array_equal(accelerated(np.eye(2)), np.eye(2))
    check(read, lambda k: (np.arange(3.0), np.int64(7 * k)), calls=3)


def test_shape_dtype_and_flags_assigned_in_place() -> None:
    def function(a: Any, b: Any, c: Any) -> Any:
        a.shape = (4, 3)
        b.dtype = np.int64
        c.setflags(write=False)
        return a, b[0]

    arrays = [np.arange(12.0).reshape(3, 4), np.ones(2), np.ones(2)]
    expected = [x.copy() for x in arrays]
    assert_same(function(*expected), accelerate(function)(*arrays))
    assert_same(expected, arrays)


def test_arrays_are_written_after_they_have_got_another_shape_or_dtype() -> None:
    def function(a: Any, b: Any, c: Any, d: Any) -> Any:
        a.shape = (4, 3)
        a[1] += 1
        b.dtype = np.int64
        b[0] = 5
        c.resize(3, 4)
        c.flat[1] = 7
        d.shape = (4, 3)
        d[:, 1] = d[1, 0]
        return a.sum()

    arrays = [np.arange(12.0).reshape(3, 4), np.ones(2), np.arange(12.0), np.arange(12.0).reshape(2, 6)[:, ::1]]
    expected = [x.copy() for x in arrays]
    assert_same(function(*expected), accelerate(function)(*arrays))
    assert_same(expected, arrays)


def test_a_read_only_view_beside_its_writeable_base() -> None:
    def function(a: Any, b: Any) -> Any:
        a[:] = 1
        return b.sum()

    x = np.arange(6.0)
    y = x[:]
    y.flags.writeable = False
    assert accelerate(function)(x, y) == 6.0
    np.testing.assert_array_equal(x, np.ones(6))


def test_shapes_that_change_at_every_call_are_not_compiled_for_ever() -> None:
    @accelerate
    def function(a: Any) -> Any:
        return (a * 2 + 1).sum()

    for n in range(1, 60):
        assert function(np.ones(n)) == 3 * n
    assert programs(function) <= 32
    for _ in range(2):
        assert function(np.ones(50)) == 150
    assert programs(function) <= 33


def test_jax_inside() -> None:
    import jax.numpy as jnp

    check(lambda a: np.asarray(jnp.floor(a)) + a, lambda k: (np.arange(3, dtype=np.float32) + k,))


def test_the_users_jax_settings_do_not_change_results() -> None:
    import jax

    function: Any = accelerate(lambda a: a / a + np.log(a))
    config: Any = jax.config
    config.update("jax_debug_nans", True)
    try:
        assert np.isnan(function(np.zeros(3))).all()
        assert np.isnan(function(np.zeros(3))).all()
    finally:
        config.update("jax_debug_nans", False)
    with jax.disable_jit():
        np.testing.assert_array_equal(accelerate(lambda a: a * 3)(np.ones(3)), [3, 3, 3])
    with jax.transfer_guard("disallow"):
        np.testing.assert_array_equal(accelerate(lambda a: a * 4)(np.ones(3)), [4, 4, 4])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning", "ignore:.*fork.*:RuntimeWarning")
def test_a_forked_child_computes() -> None:
    function: Any = accelerate(lambda a: a * 2 + 1)
    function(np.ones(100_000))
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        results = function(np.ones(100_000)).sum(), accelerate(lambda a: a @ a)(np.ones(7))
        os.write(writer, repr([float(r) for r in results]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read() == "[300000.0, 7.0]"
    os.waitpid(child, 0)


#: A thread compiles one program after the other while the main thread forks; each child compiles one, too.
FORKS = """
import os, signal, threading, time
import numpy
import lazyarr, lazyarr.numpy as np

lazyarr.configure(eager_below=0, compile_after=1, cache_size=0)
ends = False

def compile():
    x, k = np.array(numpy.ones(1000)), 0
    while not ends:
        k += 1
        y = x * 2
        for digit in bin(k)[2:]:
            y = y + x if digit == "1" else y * x
        numpy.asarray(y)

worker = threading.Thread(target=compile)
worker.start()
for _ in range(12):
    time.sleep(0.01)
    child = os.fork()
    if not child:
        signal.alarm(20)
        os._exit(0 if numpy.asarray(np.array(numpy.ones(1001)) * 2 + 1)[0] == 3 else 1)
    if os.waitpid(child, 0)[1]:
        print("a child failed")
        break
ends = True
worker.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_children_compute_that_are_forked_while_another_thread_compiles() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_threads_write_different_elements_of_one_lazy_array() -> None:
    x = lnp.zeros(8)

    def work(k: int) -> None:
        for _ in range(25):
            x[k] += 1

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(np.asarray(x), np.full(8, 25.0))




@pytest.mark.parametrize("dtype", ["u1", "i1", "i4", "i8", "f4"])
def test_numpy_scalars_stored_in_elements_fit_or_raise_as_in_numpy(dtype: str) -> None:
    def function(target: Any, value: Any) -> Any:
        target[0] = value
        return target

    values: list[Any] = [np.int64(300), np.int64(-1), np.float64(-128.9), np.float64(1e30), np.float64(np.nan),
                         np.uint64(2**63), np.float64(2.0**63), np.complex64(3)]  # fmt: skip
    accelerated: Any = accelerate(function)
    with np.errstate(all="ignore"):
        for value in values:
            outcomes = []
            for run, make in ((function, np.zeros), (accelerated, np.zeros), (function, lnp.zeros)):
                try:
                    outcomes.append(repr(np.asarray(run(make(2, dtype), value)).tolist()))
                except (OverflowError, ValueError) as error:
                    outcomes.append(type(error).__name__)
            assert outcomes[0] == outcomes[1] == outcomes[2], value


def test_ufuncs_of_lazyarrs_own_namespace_are_compiled_in_loops() -> None:
    """In a script that runs on ranks, `np` is `lazyarr.numpy`."""

    @accelerate(strict=True)
    def still(u: Any, tol: float) -> Any:
        change, n = 1.0, 0
        while change > tol:
            new = u * 0.5
            change = lnp.abs(new - u).max()
            u = lnp.add(new, 0.0)
            n += 1
        return u, n

    found, n = still(np.arange(7.0), 1e-3)
    assert n == 13
    np.testing.assert_array_equal(found, np.arange(7.0) / 2**13)
