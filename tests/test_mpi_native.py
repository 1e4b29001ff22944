"""Messages that native code sends itself, through the MPI library, and those that Python sends for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lazyarr.launch import _mpiexec
from tests.test_mpi import needs_mpi

pytestmark = [pytest.mark.xdist_group("mpi"), needs_mpi]
MESSAGES = Path(__file__).parent / "rank_messages.py"


def ranks(count: int, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A script on several ranks that it makes itself."""
    alone = dict.fromkeys(("LAZYARR_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    # Scripts import what is in `tests`.
    found = [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    alone["PYTHONPATH"] = os.pathsep.join(filter(None, found))
    return subprocess.run(
        [_mpiexec(), "-n", str(count), sys.executable, "-W", "ignore", *map(str, words)], capture_output=True,
        text=True, timeout=120, check=False, env=os.environ | alone | {"LAZYARR_FALLBACK": "error"} | variables,
    )  # fmt: skip


@pytest.mark.parametrize(("count", "ways", "grid"), [
    (2, ["native", "python"], ()), (3, ["mixed"], ()), (4, ["native"], ("2,2",)),
])  # fmt: skip
def test_results_and_messages_do_not_depend_on_who_sends(
    count: int, ways: list[str], grid: tuple[str, ...], tmp_path: Path
) -> None:
    """In loops that exchange and reduce: element by element NumPy's, and as many messages and bytes."""
    counted = set()
    for how in ways:
        # (What one way has compiled serves the others.)
        done = ranks(count, MESSAGES, how, *grid, LAZYARR_CACHE_DIR=str(tmp_path), LAZYARR_CACHE_SIZE="64")
        assert done.returncode == 0, (how, done.stderr)
        counted.add(done.stdout)
    assert len(counted) == 1, counted


BEGIN = """
import numpy as np
import lazyarr
from lazyarr import world
from lazyarr.backends import native_mpi

def heat(u, n):
    for _ in range(n):
        u[1:-1] += 0.25 * (u[2:] + u[:-2] - 2 * u[1:-1])
    return u

lazyarr.configure(split_above=100)
u = np.arange(1000.0) ** 2
right = heat(u.copy(), 30)
"""


def written(folder: Path, text: str) -> Path:
    script = folder / "script.py"
    script.write_text(BEGIN + text)
    return script


@pytest.mark.parametrize("missing", ["native_mpi._library = lambda mpi: None", "native_mpi.MOST_DIMS = 0",
                                     "MPI.Query_thread = lambda: MPI.THREAD_SERIALIZED"])  # fmt: skip
def test_where_the_library_cannot_be_called_python_sends(missing: str, tmp_path: Path) -> None:
    script = written(tmp_path, f"""
from mpi4py import MPI
{missing}
lazyarr.init()
assert world.current().communicator.native is None
assert (lazyarr.accelerate(always=True)(heat)(u, 30) == right).all()
assert world.current().communicator.counts["exchange"]
""")
    done = ranks(2, script)
    assert done.returncode == 0, done.stderr


def test_compiled_code_that_is_kept_serves_both_ways(tmp_path: Path) -> None:
    script = written(tmp_path, """
lazyarr.init()
assert (lazyarr.accelerate(always=True)(heat)(u, 30) == right).all()
from lazyarr import disk
import sys
if world.current().rank == 0:
    print("native_make" if "lazyarr.backends.native_make" in sys.modules else "kept")
""")
    kept = {"LAZYARR_CACHE_DIR": str(tmp_path / "kept"), "LAZYARR_CACHE_SIZE": "64"}
    for native, said in (("1", "native_make"), ("1", "kept"), ("0", "kept")):
        done = ranks(2, script, LAZYARR_NATIVE_MESSAGES=native, **kept)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == said, native


@pytest.mark.parametrize("native", ["0", "1"])
def test_an_error_of_mpi_ends_all_ranks(native: str, tmp_path: Path) -> None:
    """A message of the wrong length: the rank that gets it says so, once."""
    script = written(tmp_path, """
from mpi4py import MPI
lazyarr.init()
communicator = world.current().communicator
if MPI.COMM_WORLD.rank == 1:
    early = communicator._lines[0].Isend(np.zeros(100), 0, native_mpi.TAG)
lazyarr.accelerate(always=True)(heat)(u, 30)
print("not reached")
""")
    done = ranks(2, script, LAZYARR_NATIVE_MESSAGES=native)
    assert done.returncode != 0
    assert "mpi4py.MPI.Exception: " in done.stderr
    assert done.stderr.count("Traceback") == 1
    assert "rank 0 of 2 ended the program" in done.stderr
    assert "not reached" not in done.stdout


def test_other_threads_of_python_run_while_native_code_waits(tmp_path: Path) -> None:
    """Rank 1 comes late to a loop: rank 0 waits for its message without holding what lets Python run."""
    script = written(tmp_path, """
import threading, time
from mpi4py import MPI
lazyarr.init()
late = lazyarr.accelerate(always=True)(heat)
x = lazyarr.numpy.array(u) + 0
x.local
late(x, 30).local
together, ticks, end = world.current(), [], threading.Event()
agree = together.communicator.agree

def slow(number):
    found = agree(number)
    if together.rank == 1:
        time.sleep(0.5)
    return found

together.communicator.agree = slow

def tick():
    while not end.wait(0.01):
        ticks.append(time.perf_counter())

thread = threading.Thread(target=tick)
thread.start()
begin = time.perf_counter()
late(x, 30).local
passed = time.perf_counter() - begin
end.set()
thread.join()
if together.rank == 0:
    assert passed > 0.4, passed
    assert len(ticks) > 10, (passed, ticks)
""")
    done = ranks(2, script)
    assert done.returncode == 0, done.stderr


def test_what_comes_from_others_is_received_where_it_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a loop: rows beside a block come into the room that the array has for them, without memory in between."""
    from lazyarr.backends import native, native_comm
    from lazyarr.passes.insert_communication import insert_communication
    from tests.test_plan import recorded, zeros

    program = recorded("heat", zeros(400, 300), 40, 0.1)
    graph = insert_communication(program, (3,), (1,), 100, {}).program.graph
    rooms = native.compile(graph).buffers
    monkeypatch.setattr(native_comm, "_rooms", lambda frame, node, given: {})
    between = native.compile(graph).buffers
    assert sum(b.size for b in rooms) < sum(b.size for b in between)
