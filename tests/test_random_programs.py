"""Random programs give NumPy's values, dtypes, shapes, mutations and exceptions under every way in.

``LAZYARR_FUZZ_EXAMPLES`` is how many programs each way in is compared on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import lazyarr
from tests.random_compare import Expected, compare
from tests.random_differences import Implementation, compile_program, differ, minimise, reference, run_with_noise
from tests.random_execution import Level, Spoiled, Statement, Unstable, quiet
from tests.random_inputs import DTYPES
from tests.random_library import LIBRARY
from tests.random_programs import Program, random_program, seeded_program, statistics
from tests.random_runner import IMPLEMENTATIONS
from tests.random_statements import COMPUTE
from tests.random_writes import CONTROL, FAULTY, WRITE

EXAMPLES = int(os.environ.get("LAZYARR_FUZZ_EXAMPLES", "25"))

programs = st.builds(random_program, st.randoms(use_true_random=False))

# Failing programs are reduced by dropping statements, which is faster than hypothesis at it, so it does not shrink.
compare_programs = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES <= 100,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def check(program: Program, mode: str, implementation: Implementation | None = None) -> None:
    """Fail, with the reduced program as a script, if it does not do what NumPy does."""
    implementation = implementation or IMPLEMENTATIONS[mode]()
    if not implementation.fits(program):
        return
    try:
        difference = differ(program, implementation)
    except (Unstable, Spoiled):
        return
    if difference is not None:
        smallest = minimise(program, lambda candidate: differ(candidate, implementation) is not None)
        difference = differ(smallest, implementation) or difference
        pytest.fail(f"{difference.message} (call {difference.call})\n{smallest.script(mode)}", pytrace=False)


@given(programs)
@compare_programs
def test_numpy_agrees_with_itself(program: Program) -> None:
    check(program, "numpy")


@given(programs)
@compare_programs
def test_drop_in(program: Program) -> None:
    check(program, "lazy")


@given(programs)
@compare_programs
def test_drop_in_on_little_data(program: Program) -> None:
    with lazyarr.settings.settings(eager_below=50_000):
        check(program, "lazy")


@given(programs)
@compare_programs
def test_numpy_functions_on_lazy_arrays(program: Program) -> None:
    check(program, "protocol")


@given(programs)
@compare_programs
def test_accelerate(program: Program) -> None:
    check(program, "accelerate")


@given(programs)
@compare_programs
def test_accelerate_by_xla(program: Program) -> None:
    check(program, "xla")


def test_tolerance_covers_rounding() -> None:
    """Results of the same programs with other rounding errors stay within the tolerance."""
    rounded = 0
    for index in range(400):
        program = seeded_program(1, index)
        try:
            with quiet():
                expected = reference(program, program.inputs)
                results, bases = run_with_noise(program, program.inputs, seed=index, loudness=0.5)
        except (Unstable, Spoiled):
            continue
        for wanted, got in zip((*expected.results, *expected.bases), (*results, *bases)):
            rounded += wanted.level is Level.ROUNDED
            assert compare(wanted, got) is None, program.script()
    assert rounded > 200


def test_comparison_notices() -> None:
    """Every property that is compared is noticed when it differs."""
    expected = Expected("x", np.array([1.0, 0.0, np.nan]))
    for wrong in (
        np.array([1.0, 0.0, 1.0]),
        np.array([1.0, -0.0, np.nan]),
        np.array([np.nextafter(1.0, 2.0), 0.0, np.nan]),
        np.array([1.0, 0.0, np.nan], dtype=np.float32),
        np.array([[1.0, 0.0, np.nan]]),
        [1.0, 0.0, np.nan],
    ):
        assert compare(expected, wrong) is not None
    rounded = Expected("x", np.array([1.0, 100.0]), Level.ROUNDED, [np.array([1.0, 100.0 + 1e-12])])
    assert compare(rounded, np.array([1.0 + 1e-15, 100.0 + 4e-12])) is None
    assert compare(rounded, np.array([1.0 + 1e-14, 100.0])) is not None
    assert compare(rounded, np.array([1.0, 100.0 + 1e-11])) is not None
    assert compare(Expected("x", np.float64(1)), np.asarray(1.0)) is not None
    assert compare(Expected("x", np.float64(1)), np.asarray(1.0), scalars=False) is None
    assert compare(Expected("x", 1), np.int64(1)) is not None


class Broken(Implementation):
    """NumPy, but with a mistake made by a change of the program's text."""

    def __init__(self, change: Callable[[str], str]) -> None:
        self.change = change

    def compile(self, program: Program, name: str) -> Callable[..., Any]:
        change = self.change

        class Changed(Program):
            def source(self) -> str:
                return change(super().source())

        changed = Changed(program.inputs, program.other_inputs, program.steps, program.returns)
        return compile_program(changed, name, np)


MISTAKES: dict[str, Callable[[str], str]] = {
    "transposes are copies": lambda text: text.replace(".T\n", ".T.copy()\n"),
    "ravel copies": lambda text: text.replace(".ravel()\n", ".flatten()\n"),
    "reversed views are copies": lambda text: text.replace("[::-1]\n", "[::-1].copy()\n"),
    "add.at counts repeats once": lambda text: text.replace(
        "np.add.at(", "(lambda x, i, v: x.__setitem__(i, x[i] + v))("
    ),
    "in-place updates make new arrays": lambda text: text.replace("a0 += ", "a0 = a0 + "),
    "keepdims is ignored": lambda text: text.replace("keepdims=True", "keepdims=False"),
    "remainders are C's": lambda text: text.replace("np.mod(", "np.fmod(").replace("np.remainder(", "np.fmod("),
    "sums of small integers do not widen": lambda text: text.replace(".sum()", ".sum(dtype=a0.dtype)"),
    "exp is off by 1e-10": lambda text: text.replace("np.exp(", "(1 + 1e-10) * np.exp("),
    "floor rounds to zero": lambda text: text.replace("np.floor(", "np.trunc("),
    "IndexError is ValueError": lambda text: (
        text.replace("\n    return", "\n    return", 1).replace("def program", "def wrapped", 1)
        + "def program(*arguments):\n    try:\n        return wrapped(*arguments)\n"
        "    except IndexError as error:\n        raise ValueError(str(error)) from None\n"
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found(mistake: str) -> None:
    """The programs are varied enough to notice one wrong function or one wrong view."""
    implementation = Broken(MISTAKES[mistake])
    for index in range(4000):
        program = seeded_program(2, index)
        if MISTAKES[mistake](program.source()) == program.source():
            continue
        try:
            if differ(program, implementation) is not None:
                return
        except (Unstable, Spoiled):
            continue
    pytest.fail(f"no program noticed that {mistake}")


def test_programs_are_varied() -> None:
    """Every template, dtype and rank occurs, views and writes are common, and some programs raise."""
    counts = statistics(seeded_program(3, index) for index in range(900))
    templates = {template.__name__ for table in (COMPUTE, LIBRARY, WRITE, CONTROL, FAULTY) for template in table}
    assert {name for name in templates if not counts[f"template {name}"]} == set()
    assert {name for name in DTYPES if counts[f"dtype {name}"] < 30} == set()
    assert all(counts[f"rank {rank}"] > 100 for rank in range(5))
    assert counts["level ROUNDED"] > 500
    assert counts["level EXACT"] > counts["level ROUNDED"]
    errors = ("IndexError", "ValueError", "TypeError", "AxisError")
    assert all(counts[f"raises {error}"] for error in errors)


def test_equal_seeds_give_equal_programs() -> None:
    first, second = (random_program(Random(7)) for _ in range(2))
    assert first == second
    assert first.source() == second.source()


def test_failures_are_reduced() -> None:
    """Only the statements that matter are left."""
    implementation = Broken(MISTAKES["keepdims is ignored"])

    def fails(program: Program) -> bool:
        return differ(program, implementation) is not None

    reduced = 0
    for index in range(300):
        program = seeded_program(4, index)
        try:
            if not fails(program):
                continue
        except (Unstable, Spoiled):
            continue
        smallest = minimise(program, fails)
        assert fails(smallest)
        assert any("keepdims" in line for step in smallest.steps for line in step.lines())
        assert len(smallest.steps) <= len(program.steps)
        reduced += len(smallest.steps) == 1 and isinstance(smallest.steps[0], Statement)
    assert reduced
