"""Memory that is kept for later results: whose it is, how much is kept, and that nothing else changes."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.numpy as lnp
from lazyarr.backends import native_memory
from lazyarr.backends import numpy as interpreter
from lazyarr.ir.text import parse
from lazyarr.passes import costs
from lazyarr.plans import plans
from lazyarr.settings import settings

F8 = np.dtype(np.float64)
N = 100_000


@pytest.fixture
def memory() -> Iterator[native_memory.Memory]:
    found = native_memory.memory()
    assert found is not None
    gc.collect()
    found.release()
    yield found
    found.release()


def change(memory: native_memory.Memory, before: dict[str, int]) -> dict[str, int]:
    return {name: value - before[name] for name, value in memory.counts().items()}


def test_freed_arrays_serve_later_ones(memory: native_memory.Memory) -> None:
    before = memory.counts()
    a = native_memory.empty((N, 2), F8)
    place = a.ctypes.data
    assert a.flags.owndata
    assert a.base is None
    assert a.flags.writeable
    a[:] = 3
    del a
    b = native_memory.empty(2 * N, F8)
    assert b.ctypes.data == place
    assert change(memory, before)["found"] == 1
    c = native_memory.empty(2 * N, F8)
    assert c.ctypes.data != place


def test_only_what_has_about_the_size(memory: native_memory.Memory) -> None:
    a = native_memory.empty(4 * N, F8)
    place = a.ctypes.data
    del a
    small, larger = native_memory.empty(N, F8), native_memory.empty(5 * N, F8)
    assert place not in (small.ctypes.data, larger.ctypes.data)
    assert native_memory.empty(4 * N - 1000, F8).ctypes.data == place


def test_small_arrays_are_numpys(memory: native_memory.Memory) -> None:
    before = memory.counts()
    a = native_memory.empty(10, F8)
    assert np._core.multiarray.get_handler_name(a) == "default_allocator"
    assert memory.counts() == before


def test_other_arrays_keep_numpys_memory(memory: native_memory.Memory) -> None:
    before = memory.counts()
    a = native_memory.empty(N, F8)
    b, c = a * 2, np.empty(N)
    for array in (b, c, a.copy()):
        assert np._core.multiarray.get_handler_name(array) == "default_allocator"
    assert change(memory, before)["used"] > 8 * N
    del a
    assert change(memory, before)["used"] == 0


def test_resizing(memory: native_memory.Memory) -> None:
    a = native_memory.empty(N, F8)
    a[:] = np.arange(N)
    a.resize(3 * N, refcheck=False)
    np.testing.assert_array_equal(a, np.concatenate([np.arange(N), np.zeros(2 * N)]))
    a.resize(10, refcheck=False)
    np.testing.assert_array_equal(a, np.arange(10))
    a.resize(0, refcheck=False)
    a.resize(N, refcheck=False)
    np.testing.assert_array_equal(a, np.zeros(N))


def test_no_more_is_kept_than_has_been_used(memory: native_memory.Memory) -> None:
    most = memory.counts()["most"]
    for megabytes in range(8, 200, 16):
        a = native_memory.empty(megabytes << 17, F8)
        del a
        counts = memory.counts()
        assert counts["kept"] + counts["used"] <= max(most, megabytes << 20) + native_memory._SLACK + (4 << 20)
        most = counts["most"]


def test_the_setting(memory: native_memory.Memory) -> None:
    arrays = [native_memory.empty(N, F8) for _ in range(4)]
    with settings(kept_memory=2):
        arrays.clear()
        assert 0 < memory.counts()["kept"] <= 2 << 20
    a = native_memory.empty(N, F8)
    with settings(kept_memory=0):
        assert memory.counts()["kept"] == 0
        assert native_memory.memory() is None
        del a
        assert memory.counts()["kept"] == 0
        b = native_memory.empty(N, F8)
        assert np._core.multiarray.get_handler_name(b) == "default_allocator"
    assert native_memory.memory() is memory


def test_what_has_been_kept_long_is_given_back(memory: native_memory.Memory) -> None:
    del [native_memory.empty(N, F8)][:]
    assert memory.release(1000) > 0
    assert memory.release() == 0


def test_many_threads(memory: native_memory.Memory) -> None:
    used = memory.counts()["used"]
    wrong = []

    def work(mark: int) -> None:
        for k in range(200):
            a, b = native_memory.empty(N // (1 + k % 2), F8), native_memory.empty(N, F8)
            a[::512] = mark
            b[::512] = -mark
            if not (a[::512] == mark).all() or not (b[::512] == -mark).all():
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(k + 1,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert memory.counts()["used"] == used


@lazyarr.accelerate
def both(x: Any) -> Any:
    y = x * 2 + 1
    return y, np.sqrt(y)


def test_results_have_such_memory_and_are_the_callers(memory: native_memory.Memory) -> None:
    x = np.linspace(0, 1, N)
    kept = [both(x) for _ in range(5)]
    before = memory.counts()
    assert len({array.ctypes.data for pair in kept for array in pair}) == 10
    for y, root in kept:
        assert y.flags.owndata
        assert y.base is None
        np.testing.assert_array_equal(y, x * 2 + 1)
        np.testing.assert_array_equal(root, np.sqrt(x * 2 + 1))
    y[:] = 0
    np.testing.assert_array_equal(kept[0][0], x * 2 + 1)
    del kept, y, root
    gc.collect()  # What the first call has traced is a cycle.
    assert change(memory, before)["used"] < -10 * 8 * N + (1 << 20)
    again = both(x)
    assert change(memory, before)["made"] == 0
    np.testing.assert_array_equal(again[1], np.sqrt(x * 2 + 1))


def test_without_it(memory: native_memory.Memory) -> None:
    def work(x: Any) -> Any:
        return x * 3, (x + 1).sum()

    function = lazyarr.accelerate(work)
    with settings(kept_memory=0):
        before = memory.counts()["used"], memory.counts()["made"]
        for _ in range(4):
            found, total = function(np.arange(float(N)))
            np.testing.assert_array_equal(found, np.arange(N) * 3.0)
            assert total == (np.arange(float(N)) + 1).sum()
        assert (memory.counts()["used"], memory.counts()["made"]) == before


@pytest.mark.parametrize(("size", "at_once"), [(1000, False), (1_000_000, False), (50_000_000, True)])
def test_what_is_compiled_when_it_is_seen_first(size: int, at_once: bool) -> None:
    graph = parse(f"""graph(%0: f64[{size}]) {{
  %1 = sqrt(%0) : f64[{size}]
  %2 = add(%1, %0) : f64[{size}]
  %3 = reduce(%2) {{axes=(0,), kind="add"}} : f64[]
  return %3
}}""")
    assert costs.pays_at_once(graph) is at_once


def test_very_large_arrays_are_not_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "FRESH_BYTE", 1.0)
    monkeypatch.setattr(interpreter, "interpret", None)
    plans.clear()
    x = np.linspace(0, 1, 1234)
    y = lnp.asarray(x)
    y += lnp.sqrt(y) * 2
    np.testing.assert_array_equal(np.asarray(y), x + np.sqrt(x) * 2)


FORKED = """
import os, numpy as np
from lazyarr.backends import native_memory
a = native_memory.empty(100_000, np.dtype(float)); a[:] = 7
b = native_memory.empty(100_000, np.dtype(float)); del b
child = os.fork()
if not child:
    assert (a == 7).all()
    c = native_memory.empty(100_000, np.dtype(float)); c[:] = 1; del a
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert (a == 7).all()
kept = [a, native_memory.empty(100_000, np.dtype(float))]
"""


def test_forks_and_the_end_of_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, timeout=100, check=False,
                          env=dict(os.environ))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
