"""What every test shares: hypothesis profiles, and the reasons for which a test may be skipped."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator

import hypothesis
import pytest

import lazyarr
from lazyarr.plans import plans
from lazyarr.settings import settings

# Nothing of the user's cache is used or changed, also by the processes that tests start.
os.environ["LAZYARR_CACHE_SIZE"] = "0"
lazyarr.configure(cache_size=0)

# No deadline anywhere: the first example of a new signature pays for a compilation.
hypothesis.settings.register_profile("local", deadline=None)
# The same examples in every run, so that a failure belongs to the commit and not to chance.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")

# Tests test what is compiled, at the first call (tests/test_breakeven.py tests the rest).
lazyarr.configure(always=int(os.environ.get("LAZYARR_ALWAYS", "1")))
# Arrays of tests are small: what they test is what is recorded and compiled (tests/test_eager.py tests the rest).
lazyarr.configure(eager_below=0)


@functools.cache
def _missing_gpu() -> str | None:
    import jax

    if jax.default_backend() == "gpu":
        return None
    return f"jax has no GPU here (its default is {jax.default_backend()})"


@functools.cache
def _missing_mpi() -> str | None:
    if importlib.util.find_spec("mpi4py") is None:
        return "mpi4py is not installed: pip install lazyarr[mpi]"
    # The mpich wheel puts mpiexec beside Python, where PATH need not lead.
    beside_python = os.path.dirname(os.path.abspath(sys.executable))
    if shutil.which("mpiexec", path=os.pathsep.join([beside_python, os.environ.get("PATH", os.defpath)])) is None:
        return "there is no mpiexec: pip install lazyarr[mpi]"
    return None


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """How many threads compiled programs use: the test runs with one and with two."""
    plans.clear()
    with settings(threads=request.param):
        yield request.param
    plans.clear()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--update-golden`` writes what passes give now into tests/golden, for reading in a diff."""
    parser.addoption("--update-golden", action="store_true", help="write golden texts instead of comparing them")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose machine or library is missing, and say which."""
    for marker, missing in (("gpu", _missing_gpu), ("mpi", _missing_mpi)):
        if item.get_closest_marker(marker) is not None and (reason := missing()) is not None:
            pytest.skip(reason)
