"""The benchmarks: lazyarr, and the versions by hand, compute what the NumPy programs compute."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.catalog import PEERS, Missing, load, names, version, versions
from benchmarks.compare import difference
from benchmarks.run import geometric_mean, main, measured
from tests.acceleration import check
from tests.by_hand import check_by_hand

NAMES = names()
BY_HAND = [peer for peer in PEERS if peer != "lazyarr"]


@pytest.mark.parametrize("name", NAMES)
def test_numpy(name: str) -> None:
    """A program changes the arguments it names and no others, does something, and gives the same each time."""
    program = load(name)
    before, first, second = (program.arguments("test") for _ in range(3))
    outcome = program.outcome(first, program.run(*first))
    assert outcome, "a program that gives nothing cannot be compared"
    assert difference(outcome, program.outcome(second, program.run(*second)), kinds=True, rtol=0.0) is None
    changed = [k for k, (x, y) in enumerate(zip(before, first)) if isinstance(x, np.ndarray) and (x != y).any()]
    assert tuple(changed) == program.changed
    assert all(np.isfinite(x).all() for x in outcome)


@pytest.mark.parametrize("name", NAMES)
def test_lazyarr(name: str) -> None:
    """Values, types, dtypes and changed arguments, called twice."""
    program = load(name)
    check(program.run, lambda k: copy.deepcopy(program.arguments("test")))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "peer"), [(n, p) for n in NAMES for p in BY_HAND if p in versions(n)])
def test_by_hand(name: str, peer: str) -> None:
    """What lazyarr is compared with computes the same, and leaves alone what NumPy leaves alone."""
    program = load(name)
    try:
        made = version(program, peer)
    except Missing as reason:
        pytest.skip(str(reason))
    check_by_hand(program, made, lambda: program.arguments("test"))


def test_versions_belong_to_programs() -> None:
    """Every file of a version stands for a program."""
    import pkgutil

    import benchmarks.with_jax
    import benchmarks.with_numba

    for folder in (benchmarks.with_jax, benchmarks.with_numba):
        assert {module.name for module in pkgutil.iter_modules(folder.__path__)} <= set(NAMES)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (np.float64(1.0), 1.0),
        (np.zeros(3), np.zeros(3, np.float32)),
        (np.zeros(3), np.zeros((3, 1))),
        (np.ones(3), np.array([1.0, 1.0, 1.0 + 1e-6])),
        (np.ones(3), np.array([1.0, 1.0, np.nan])),
        (np.arange(3), np.array([0, 1, 3])),
    ],
)
def test_comparison_notices(expected: Any, found: Any) -> None:
    assert difference([expected], [expected], kinds=True) is None
    assert difference([expected], [found], kinds=True) is not None
    assert difference([expected], [], kinds=True) is not None


def test_measuring_in_a_fresh_process() -> None:
    """What a process reports, for a program that is fast whatever is compiled."""
    found = measured("forward_substitution", "lazyarr", "test", seconds=0.0, limit=120.0)
    assert found.keys() >= {"numpy", "time", "ratio", "first", "first_with_import", "mode", "fallbacks"}, found
    assert found["wrong"] is None
    assert found["ratio"] == found["numpy"] / found["time"]
    assert found["first_with_import"] > found["first"] > 0


def test_what_is_not_known_is_refused() -> None:
    run = CliRunner().invoke(main, ["--programs", "lu,luu"])
    assert run.exit_code == 2
    assert "there is no program 'luu'" in run.output
    run = CliRunner().invoke(main, ["--peers", "cython"])
    assert "there is no peer 'cython'; there are lazyarr, jax, numba, numba-parallel" in run.output


def test_geometric_mean() -> None:
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4.0)
