"""The programs on arrays: lazyarr, and the versions by hand, compute what NumPy computes."""

from __future__ import annotations

import io
import json
import pkgutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

import lazyarr
from benchmarks.arrays import bandwidth, goals, long_graph, plot, pyhpc, table
from benchmarks.arrays.catalog import KINDS, OURS, PEERS, SIZES, accelerated, drop_in, load, names, peer, versions
from benchmarks.arrays.measure import evaluated, lazy, measured
from benchmarks.arrays.overheads import overheads
from benchmarks.arrays.run import add, main, ordered
from benchmarks.arrays.timing import BATCH, batch_size, least_times
from benchmarks.catalog import Missing
from benchmarks.compare import difference
from tests.by_hand import check_by_hand

NAMES = names()
ROOT = Path(__file__).resolve().parent.parent
#: Columns, sides and tables are not made of one element; small programs are measured at these sizes only.
ELEMENTS = 600

PEAKS = """
import numpy as np
from benchmarks.arrays.memory import peak

large = (4 * 10**6,)
print(peak(lambda: lambda arguments: np.ones(arguments[0]), (10,), large))
print(peak(lambda: lambda arguments: [np.ones(arguments[0]), np.ones(arguments[0])], (10,), large))
try:
    peak(lambda: lambda arguments: arguments[1], (10,), large)
except RuntimeError as error:
    print(error)
"""


def number(name: str) -> int:
    return min(ELEMENTS, load(name).numbers[-1])


@pytest.mark.parametrize("name", NAMES)
def test_numpy(name: str) -> None:
    """A program changes the arguments it names and no others, gives finite numbers, the same each time."""
    program = load(name)
    before, first, second = (program.make(number(name)) for _ in range(3))
    result = program.run(*first)
    outcome = program.outcome(first, result)
    assert outcome, "a program that gives nothing cannot be compared"
    assert difference(outcome, program.outcome(second, program.run(*second)), kinds=True, rtol=0.0) is None
    changed = [k for k, (x, y) in enumerate(zip(before, first)) if not np.array_equal(x, y, equal_nan=True)]
    assert tuple(changed) == program.changed
    assert all(np.isfinite(x).all() for x in outcome)
    traffic = program.traffic(first, result)
    assert (traffic is None) == (program.passes is None)


@pytest.mark.parametrize("name", NAMES)
def test_what_changes_in_place_stays_bounded(name: str) -> None:
    """Measuring calls a program thousands of times on the same arguments."""
    program = load(name)
    arguments = program.make(number(name))
    for _ in range(2000 if program.changed else 0):
        program.run(*arguments)
    assert all(np.abs(arguments[k]).max() < 1e3 for k in program.changed)


@pytest.mark.parametrize("name", NAMES)
def test_accelerated(name: str) -> None:
    """Values, types, dtypes and changed arguments, called three times."""
    program = load(name)
    run = accelerated(program)
    for _ in range(3):
        plain, own = program.make(number(name)), program.make(number(name))
        expected = program.outcome(plain, program.run(*plain))
        assert difference(expected, program.outcome(own, run(*own)), kinds=True, rtol=1e-12) is None
        for k, (before, after) in enumerate(zip(plain, own)):
            if k not in program.changed:
                np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("name", NAMES)
def test_drop_in(name: str) -> None:
    """From and to lazy arrays: interpreted, then compiled."""
    program = load(name)
    run, plain, own = drop_in(program), program.make(number(name)), lazy(program.make(number(name)))
    for _ in range(3):
        expected = program.outcome(plain, program.run(*plain))
        found = evaluated(program, run, own)
        assert difference([np.asarray(x) for x in expected], found, kinds=True) is None


@pytest.mark.slow
@pytest.mark.parametrize(("name", "library"), [(n, p) for n in NAMES for p in PEERS if p in versions(n)])
def test_by_hand(name: str, library: str) -> None:
    """What lazyarr is compared with computes the same, and leaves alone what NumPy leaves alone."""
    program = load(name)
    try:
        made = peer(program, library)
    except Missing as reason:
        pytest.skip(str(reason))
    check_by_hand(program, made, lambda: program.make(number(name)))


def test_programs_and_their_peers() -> None:
    """Every class has programs, every program is measured beside jax and Numba, every version stands for a program."""
    import benchmarks.arrays.with_jax
    import benchmarks.arrays.with_numba
    import benchmarks.arrays.with_numexpr

    kinds = Counter(load(name).kind for name in NAMES)
    assert kinds.keys() == set(KINDS)
    assert kinds.total() >= 24
    for name in NAMES:
        assert {"jax", "numba"} <= set(versions(name)), name
    for folder in (benchmarks.arrays.with_jax, benchmarks.arrays.with_numba, benchmarks.arrays.with_numexpr):
        assert {module.name for module in pkgutil.iter_modules(folder.__path__)} <= set(NAMES)


def test_sizes_reach_from_small_to_beyond_caches() -> None:
    numbers = [load(name).numbers for name in NAMES]
    assert {n for found in numbers for n in found} >= set(SIZES)
    assert load("diffuse_2d").numbers_among((100, 10**6), 10**8) == [100, 10**6, 16 * 10**6]
    assert load("diffuse_2d").numbers_among((100, 10**6), 10**6) == [100, 10**6]


def test_sea_water_has_the_published_density() -> None:
    """Check values of UNESCO technical papers in marine science 44."""
    s, t, p = (np.array(x) for x in ((0.0, 35.0, 35.0, 40.0), (5.0, 5.0, 25.0, 40.0), (0.0, 0.0, 1000.0, 1000.0)))
    density = load("sea_water_density").run(s, t, p)
    np.testing.assert_allclose(density, [999.96675, 1027.67547, 1062.53817, 1059.82037], rtol=0, atol=1e-5)


def test_options_have_known_prices() -> None:
    """Hull's example: 42, 40, half a year, 10%, 20%: the call 4.76, the put 0.81."""
    call, put = load("black_scholes").run(np.array([42.0]), np.array([40.0]), np.array([0.5]), 0.1, 0.2)
    assert call[0] == pytest.approx(4.76, abs=5e-3)
    assert put[0] == pytest.approx(0.81, abs=5e-3)


def test_least_times_of_calls_in_turn() -> None:
    called: list[str] = []
    times = least_times({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, seconds=0.0, steady={"b"})
    assert called[:5] == ["a"] * 5
    assert times.keys() == {"a", "b"}
    assert all(0 < seconds < BATCH for seconds in times.values())
    assert {"a", "b"} == set(called)
    assert batch_size(lambda: None) > 10


def test_processor_time_leaves_waiting_out() -> None:
    calls = {"waits": lambda: time.sleep(1e-2), "works": lambda: sum(range(10_000))}
    times = least_times(calls, seconds=0.0, clock=time.process_time)
    assert times["waits"] < 5e-3
    assert times["works"] > 1e-5


def test_traffic_counts_what_is_read_and_what_is_written() -> None:
    """Three arrays and a result; an array that ten sweeps change."""
    triad, diffuse = load("triad"), load("diffuse_1d")
    arguments = triad.make(1000)
    assert triad.traffic(arguments, triad.run(*arguments)) == (3 * 8000, 8000)
    arguments = diffuse.make(1000)
    assert diffuse.traffic(arguments, diffuse.run(*arguments)) == (10 * 8000, 10 * 8000)


@pytest.mark.parametrize("threads", [1, 2])
def test_update_in_place(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bandwidth, "ELEMENTS", 1001)
    assert len(bandwidth.update(threads)()) == {1: 1001, 2: 2}[threads]
    assert np.size(bandwidth.read(threads)()) == threads


def test_goals_are_found_in_what_was_measured() -> None:
    """What is too slow, one beside jax, a small call, memory; nothing is said of what was not measured."""
    results: dict[str, dict[int, Any]] = {
        "triad": {
            10**7: {
                "times": {"numpy": 4e-2, "accelerated": 1e-2, "drop-in": 8e-2, "jax": 3e-2},
                "traffic": (24 * 10**7, 8 * 10**7),
                "bandwidth": 1e10,
                "reading": 5e9,
                "peaks": {"numpy": 79e6, "accelerated": 159e6, "drop-in": 239e6},
            },
            100: {"times": {"numpy": 2e-6, "accelerated": 1e-6, "drop-in": 1e-6}},
        },
        "five_operations": {8: {"times": {"numpy": 2e-6, "accelerated": 4e-6, "drop-in": 2e-6}}},
        "diffuse_2d": {10**6: {"times": {"numpy": 1.0, "accelerated": 0.1, "drop-in": 0.2}}},
    }
    kinds = {name: load(name).kind for name in results}
    found = list(goals.lines(results, kinds, {"import": 0.5}))
    assert "accelerated, below 0.95 times NumPy (asked: none): 1: five_operations at 8 (0.5)" in found
    assert "drop-in, below 0.95 times NumPy: 1: triad at 1e7 (0.5)" in found
    large = "element-wise and statistics from 1e7 elements on, "
    assert (
        f"{large}share of the bandwidth, drop-in (0.6 to 0.8): 0.4 in the mean of 1; least: triad at 1e7 0.4" in found
    )
    assert f"{large}share of what memory allows, drop-in: 0.6 in the mean of 1; least: triad at 1e7 0.6" in found
    assert f"{large}times NumPy, from and to NumPy's arrays (4): 4 in the mean of 1; least: triad at 1e7 4" in found
    assert f"{large}times jax.jit (2): 3 in the mean of 1; least: triad at 1e7 3" in found
    assert "stencil in place, 1000 x 1000, ten sweeps, times NumPy: drop-in 5, accelerated 10" in found
    assert "five operations on 8 elements, accelerated: 2.00 us more than NumPy (asked: at most 3)" in found
    assert "import: 500 ms" in found
    assert "peak memory, accelerated: 2 times NumPy's in the mean; most: triad at 1e7 2" in found
    assert len(list(goals.lines({}, {}, {}))) == 2


def test_tables_and_the_picture(tmp_path: Path) -> None:
    """What lines say is put together, shown, and drawn; a wrong result is a problem."""
    results: dict[str, dict[int, Any]] = {}
    problems: list[str] = []
    times = {"numpy": 2e-3, "accelerated": 1e-3, "drop-in": 4e-3}
    add(
        results,
        problems,
        {"program": "triad", "number": 10**6, "peaks": {"numpy": 9e6, "accelerated": 9e6, "drop-in": 9e6}},
    )
    add(results, problems, {"program": "triad", "number": 10**6, "times": dict(times), "wrong": {"accelerated": None}})
    add(results, problems, {"program": "triad", "number": 10**6, "times": {"jax": 1e-3}, "wrong": {"jax": "off by 1"}})
    add(results, problems, {"program": "triad", "missing": "not installed"})
    add(results, problems, {"program": "triad", "way": "numba", "error": "status 1: killed"})
    assert problems == ["triad, jax: off by 1", "triad, numba: status 1: killed"]
    assert results["triad"][10**6]["times"] == times | {"jax": 1e-3}
    kinds = {"triad": load("triad").kind}
    console = Console(width=180, record=True, file=io.StringIO())
    console.print(table.table(results, kinds, [*OURS, "jax"]))
    console.print(table.means(results, kinds, [*OURS, "jax"]))
    text = console.export_text()
    row = next(line for line in text.splitlines() if "triad" in line)
    cells = [cell.strip() for cell in row.split("\u2502")[1:-1]]
    assert cells == ["triad", "1e6", "2 ms", "2", "0.5", "2 wrong", "", "", "1", "1"]
    assert "1e6 (1)" in text
    plot.draw(results, kinds, tmp_path / "made" / "bench.png")
    assert (tmp_path / "made" / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_a_process_that_ends_early_leaves_the_others() -> None:
    """The program that ended is named; those behind it are measured."""
    orders = {"programs": ["no_such", "triad"], "sizes": [100], "most": 100, "seconds": 0.0, "processor": False}
    failed, measured_line = ordered("numexpr", orders, limit=120.0)
    assert failed["program"] == "no_such"
    assert failed["error"].startswith("status 1: ModuleNotFoundError")
    assert measured_line["program"] == "triad"


def test_overheads_of_calls() -> None:
    """Two hundred operations, counted in the graph, give what NumPy gives; the figures are of them."""
    arguments = long_graph.make(50)
    plain: Any = long_graph.run
    run: Any = lazyarr.accelerate(plain)
    for expected, found in zip(plain(*arguments), run(*arguments)):
        np.testing.assert_allclose(found, expected, rtol=1e-11)
    graph = run.explain(*arguments).pieces[0].before.graph
    computing = [node for node in graph.nodes if node.op.name not in ("const", "cast")]
    assert len(computing) == 200
    found = overheads()
    assert found.keys() == {
        "import", "first call of 200 operations", "the same in a second process", "recording an operation",
    }  # fmt: skip
    assert all(0 < seconds < 120 for seconds in found.values())


def test_what_is_not_known_is_refused() -> None:
    run = CliRunner().invoke(main, ["--programs", "triad,trias"])
    assert run.exit_code == 2
    assert "there is no program 'trias'" in run.output
    run = CliRunner().invoke(main, ["--peers", "cython"])
    assert "there is no peer 'cython'; there are jax, numba, numba-parallel, numexpr" in run.output


def fresh(*command: str) -> str:
    """What a process prints in which no thread has been started."""
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_peak_memory_of_a_child() -> None:
    """Two arrays at a time are twice as much as one, and what a child raises is raised here."""
    one, two, message = fresh("-c", PEAKS).splitlines()
    assert 28e6 < float(one) < 48e6
    assert 60e6 < float(two) < 90e6
    assert message == "the child process ended with status 1"


def test_what_is_measured() -> None:
    """The lines that a process prints for lazyarr."""
    orders = {
        "programs": ["triad"],
        "sizes": [100, 10**6],
        "most": 10**6,
        "seconds": 0.0,
        "processor": False,
        "memory": 10**6,
    }
    peaks, times, _, done = map(
        json.loads, fresh("-m", "benchmarks.arrays.measure", "lazyarr", json.dumps(orders)).splitlines()
    )
    assert peaks["peaks"].keys() == times["times"].keys() == {"numpy", *OURS}
    assert peaks["number"] == 10**6
    assert (times["number"], times["traffic"]) == (100, [2400, 800])
    assert times["wrong"] == dict.fromkeys(OURS)
    assert done == {"done": "triad"}


def test_what_is_measured_of_a_peer() -> None:
    first, done = measured(
        "numexpr", {"programs": ["triad"], "sizes": [100], "most": 100, "seconds": 0.0, "processor": False}
    )
    assert "missing" in first or first["times"].keys() == first["wrong"].keys() == {"numexpr"}
    assert done == {"done": "triad"}
    first, _ = measured(
        "numexpr", {"programs": ["softmax"], "sizes": [100], "most": 100, "seconds": 0.0, "processor": False}
    )
    assert first["program"] == "softmax"
    assert first.keys() == {"program", "missing"}


THEIRS = {
    "__init__.py": """
import numpy as np

def generate_inputs(size):
    return np.ones(size, "f4"), np.ones(size, "f4")
""",
    "eos_numpy.py": """
def run(x, y, device="cpu"):
    x += y
    return x * y
""",
    "eos_jax.py": """
import jax.numpy as jnp

def prepare_inputs(*inputs, device):
    return [jnp.array(x) for x in inputs]

def run(x, y, device="cpu"):
    return (x + y).block_until_ready(), y
""",
}


def test_pyhpc_benchmarks(tmp_path: Path) -> None:
    """Their sources are measured where they are, under another name than this repository's benchmarks."""
    folder = tmp_path / "benchmarks" / "equation_of_state"
    folder.mkdir(parents=True)
    for name, text in THEIRS.items():
        (folder / name).write_text(text)
    point = pyhpc.measured(tmp_path, "equation_of_state", 100, 0.0)
    assert point["wrong"] == {"accelerated": None, "jax": "2 results, not 1"}
    assert set(point["times"]) == {"numpy", "accelerated", "jax"}
    point["times"] = {"numpy": 3.0, "accelerated": 1.0, "jax": 2.0}
    assert list(pyhpc.lines([point])) == [
        "pyhpc-benchmarks, equation_of_state at 1e2: 3 times NumPy, 2 times the repository's jax (asked: at least 1)",
        "pyhpc-benchmarks, equation_of_state at 1e2, jax: 2 results, not 1",
    ]
    with pytest.raises(FileNotFoundError, match="not a checkout of pyhpc-benchmarks: it has no benchmarks/isoneutral"):
        pyhpc.measured(tmp_path, "isoneutral_mixing", 100, 0.0)
