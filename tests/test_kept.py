"""Compiled programs that are kept for later processes: what is found again, what is not, and that results are equal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr import disk
from lazyarr.backends import native, native_engine, native_kept, native_linked
from lazyarr.backends.native_make import make
from lazyarr.backends.native_program import Program
from lazyarr.ir.graph import CheckFailed, Graph
from lazyarr.ir.node import apply
from lazyarr.ir.op import OPS, Op
from lazyarr.ir.text import parse
from lazyarr.plans import plans
from tests.random_regions import seeded
from tests.test_native import arguments

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.report.FallbackWarning")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of one's own, and no plan in memory."""
    monkeypatch.setattr(disk, "problem", "")
    plans.clear()
    with lazyarr.settings.settings(cache_dir=str(tmp_path / "cache"), cache_size=100):
        yield tmp_path / "cache" / "v1"
    plans.clear()


def outcome(run: Any, given: list[Any]) -> Any:
    """What a program gives, to the bit."""
    try:
        found = run([np.array(x) if isinstance(x, np.ndarray) else x for x in given])
        return [(x.dtype, x.shape, x.tobytes()) for x in map(np.asarray, found)]
    except CheckFailed as failed:
        return str(failed)


# --------------------------------------------------------------------------------------------- other processes


COMMAND = [sys.executable, "-W", "ignore", str(ROOT / "tests" / "kept_program.py")]


def world(place: Path) -> dict[str, str]:
    """The environment of processes that keep programs at a place."""
    own = {"LAZYARR_CACHE_DIR": str(place.parent), "LAZYARR_CACHE_SIZE": "100", "LAZYARR_THREADS": "2"}
    return {**os.environ, **own}


def run(place: Path, **other: str) -> list[str]:
    """The lines that a process with the program prints."""
    given = {**world(place), **other}
    done = subprocess.run(COMMAND, env=given, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")


def test_another_process_finds_everything(place: Path) -> None:
    without = run(place, LAZYARR_CACHE_SIZE="0")
    cold = run(place, PYTHONHASHSEED="1")
    warm = run(place, PYTHONHASHSEED="2")
    assert without[0] == cold[0] == warm[0]
    assert without[3] == cold[3] == warm[3]  # the guard that failed
    assert cold[1] == "{}"
    kinds = [entry.kind for entry in disk.entries()]
    assert warm[1] == str({kind: kinds.count(kind) for kind in ("code", "plan", "program")})
    assert cold[4:] == warm[4:]
    assert cold[2] == warm[2] == ""


def test_other_settings_have_other_programs(place: Path) -> None:
    kept = run(place)[4:]
    other = run(place, LAZYARR_THREADS="1")
    assert "plan" not in other[1]
    assert "program" not in other[1]
    assert set(kept) < set(other[4:])


def test_processes_that_start_together(place: Path) -> None:
    running = [subprocess.Popen(COMMAND, env=world(place), stdout=subprocess.PIPE, text=True) for _ in range(4)]
    printed = [process.communicate(timeout=240)[0].split("\n") for process in running]
    assert len({lines[0] for lines in printed}) == 1
    assert all(lines[2] == "" for lines in printed)


def test_damaged_files_are_compiled_anew(place: Path) -> None:
    good = run(place)
    for entry in disk.entries():
        data = entry.path.read_bytes()
        entry.path.write_bytes(data[: len(data) // 2])
    assert run(place)[0] == good[0]
    assert run(place)[4:] == good[4:]


SHOWN = """
import sys, hashlib
from lazyarr.backends.native_make import make
from tests.random_regions import seeded
for seed in range(12):
    program, text = make(seeded(seed))
    print(hashlib.sha256((program.show() + text).encode()).hexdigest())
"""


def test_lowering_is_the_same_in_each_process() -> None:
    texts = [
        subprocess.run([sys.executable, "-c", SHOWN], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, check=True,
                       capture_output=True, text=True, timeout=240).stdout
        for seed in ("0", "1", "77")
    ]  # fmt: skip
    assert len(set(texts)) == 1
    assert len(set(texts[0].split())) == 12


# ------------------------------------------------------------------------------------------------ one process


@pytest.mark.parametrize("seed", range(16))
def test_a_program_that_is_loaded_does_the_same(seed: int) -> None:
    graph = seeded(seed)
    given = arguments(graph, seed)
    made = native.compile(graph)
    loaded = native.compile(graph)
    assert made.text
    assert not loaded.text
    assert loaded.program.show() == made.program.show()
    expected, got = outcome(made, given), outcome(loaded, given)
    assert expected == got


def test_the_text_of_a_program_is_read_back() -> None:
    graph = parse("""graph(%0: f64[3,4], %1: c64[], %2: i64[5]) {
      %3 = partition(%0) {axis=1, kth=(0, 2)} : f64[3,4]
      %4 = multiply(%3, %3) : f64[3,4]
      return %4, %1, %2
    }""")
    program, _ = make(graph)
    assert program.calls
    again = Program.parse(program.show())
    assert again.show() == program.show()
    assert (again.params, again.roots, again.memory, again.places) == (
        program.params, program.roots, program.memory, program.places
    )  # fmt: skip


def accelerated() -> Any:
    @lazyarr.accelerate
    def step(u: Any, v: Any, c: float) -> Any:
        u[1:-1] += c * (u[2:] - 2 * u[1:-1] + u[:-2])
        v[:] = np.sort(v)
        return u.sum(), v * c

    return step


def test_a_plan_that_is_loaded_skips_the_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(step: Any) -> Any:
        u, v = np.arange(50.0) ** 2, np.arange(50.0)[::-1].copy()
        return [*(step(u, v, x)[k] for x in (0.1, 0.2) for k in (0, 1)), u, v]

    expected = call(accelerated())
    plans.clear()
    from lazyarr.passes import pipeline

    def refuse(*args: Any) -> Any:
        raise AssertionError("the passes run")

    step = accelerated()
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "run_pipeline", refuse)
        got = call(step)
    assert all(np.array_equal(a, b) for a, b in zip(expected, got, strict=True))
    assert disk.hits()["plan"] == 1
    # What explains runs them.
    assert "one program" in str(step.explain(np.arange(50.0), np.arange(50.0), 0.1))


def test_a_plan_of_several_regions() -> None:
    def call() -> Any:
        @lazyarr.accelerate
        def mixed(x: Any) -> Any:
            a, b = np.linalg.eig(x)[0], np.fft.fft(x)
            return np.sort(a.real) * 2, (b * b).real.sum(axis=0), np.linalg.qr(x)[1] + 1

        results = [mixed(np.arange(9.0).reshape(3, 3) ** 1.5) for _ in range(3)]
        plans.clear()
        return results

    first, second = call(), call()
    for expected, got in zip(first, second, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(expected, got, strict=True))


def test_a_plan_whose_code_has_gone_is_made_anew() -> None:
    def call() -> Any:
        plans.clear()
        return accelerated()(np.arange(9.0), np.arange(9.0), 0.5)[0]

    expected = call()
    for entry in disk.entries():
        if entry.kind == "program":
            entry.path.unlink()
    assert call() == expected
    assert {entry.kind for entry in disk.entries()} >= {"plan", "program"}


GRAPH = "graph(%0: f64[64]) {\n %1 = multiply(%0, %0) : f64[64]\n return %1\n}"


def test_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = parse(GRAPH)
    keys = [native_kept.key(graph, ()), native_kept.key(graph, (0,))]
    for other in (GRAPH.replace("64]", "65]"), GRAPH.replace("f64", "f32"), GRAPH.replace("multiply", "add")):
        keys.append(native_kept.key(parse(other), ()))
    with lazyarr.settings.settings(threads=7):
        keys.append(native_kept.key(graph, ()))
    for owner, name in ((native_engine, "machine"), (native_kept, "_sources")):
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, lambda: iter(["another"]))
            native_kept.world.cache_clear()
            keys.append(native_kept.key(graph, ()))
    native_kept.world.cache_clear()
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    keys.append(native_kept.key(graph, ()))
    monkeypatch.undo()
    native_kept.world.cache_clear()
    assert len(set(keys)) == len(keys)
    assert all(keys)
    assert native_kept.key(graph, ()) == keys[0]


def test_nothing_is_kept_where_sources_have_changed_since(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "BEGUN", 0.0)
    native_kept.world.cache_clear()
    try:
        assert native_kept.key(parse(GRAPH), ()) == ""
        assert native.compile(parse(GRAPH)).text
        assert not disk.entries()
    finally:
        native_kept.world.cache_clear()


def test_operations_of_others_are_not_kept() -> None:
    twice = OPS.get("kept_test_twice") or Op(
        **{field: getattr(OPS["negative"], field) for field in OPS["negative"].__dataclass_fields__}
        | {"name": "kept_test_twice"}
    )
    graph = parse(GRAPH)
    other = Graph(graph.params, [apply(twice, graph.params[0])])
    assert native_kept.key(graph, ())
    assert native_kept.key(other, ()) == ""


def test_a_program_that_calls_what_is_not_here_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = parse("graph(%0: f64[64]) {\n %1 = sin(%0) : f64[64]\n return %1\n}")
    native.compile(graph)
    assert not native.compile(graph).text
    monkeypatch.setattr(native_engine, "known", lambda name: False)
    assert native.compile(graph).text


def test_names_of_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = parse("""graph(%0: f64[40,40], %1: f64[40]) {
      %2, %3 = solve(%0, %1) : f64[40], bool[]
      return %2
    }""")
    program = native.compile(graph).program
    if not any(symbol.extension for symbol in program.symbols):
        pytest.skip("NumPy's LAPACK has no symbols here")
    monkeypatch.setattr(native_linked, "_extensions", {})
    assert not native.compile(graph).text
    assert native_linked._extensions
    assert not native_linked.link("no_such_function", "numpy.linalg._umath_linalg")
