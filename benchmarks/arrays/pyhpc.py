"""pyhpc-benchmarks beside lazyarr: its NumPy sources, unmodified and accelerated, and its own versions for jax.

``python -m benchmarks.arrays.pyhpc FOLDER SECONDS``, where FOLDER is a checkout of
https://github.com/dionhaefner/pyhpc-benchmarks, prints a line of JSON for each program and size. Run by
`benchmarks.arrays.run` in a process of its own.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.arrays.overheads import ROOT
from benchmarks.arrays.table import show_number
from benchmarks.arrays.timing import least_times
from benchmarks.compare import difference

#: The repository's programs, and what the files of each begin with.
PROGRAMS = {"equation_of_state": "eos", "isoneutral_mixing": "isoneutral", "turbulent_kinetic_energy": "tke"}
SIZES = (10**5, 10**6, 4 * 10**6)
#: The repository's versions for jax take other orders of operations, and functions with other errors.
RTOL = 1e-6


def package(folder: Path, name: str) -> ModuleType:
    """A program's package; not by its own name, which begins with ``benchmarks``, as this one's does.

    Raises
    ------
    FileNotFoundError
        If the folder has no such program.
    """
    path = folder / "benchmarks" / name / "__init__.py"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is not a checkout of pyhpc-benchmarks: it has no {path.relative_to(folder)}")
    spec = importlib.util.spec_from_file_location(f"pyhpc_{name}", path, submodule_search_locations=[str(path.parent)])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def results(given: Any) -> list[Any]:
    """What a call returned, as NumPy's arrays."""
    return [np.asarray(x) for x in (given if isinstance(given, tuple) else (given,))]


def measured(folder: Path, name: str, number: int, seconds: float) -> dict[str, Any]:
    """Seconds a call of NumPy, lazyarr and jax, which take turns, and how results differ from NumPy's."""
    import lazyarr

    made = package(folder, name)
    prefix = f"{made.__name__}.{PROGRAMS[name]}"
    plain, by_jax = (importlib.import_module(f"{prefix}_{way}") for way in ("numpy", "jax"))
    inputs: tuple[Any, ...] = made.generate_inputs(number)
    fast = lazyarr.accelerate(plain.run)
    expected = results(plain.run(*copy.deepcopy(inputs)))
    on_device = by_jax.prepare_inputs(*inputs, device="cpu")
    found = {
        "accelerated": difference(expected, results(fast(*copy.deepcopy(inputs))), kinds=True, rtol=RTOL),
        "jax": difference(expected, results(by_jax.run(*on_device)), kinds=False, rtol=RTOL),
    }
    del expected
    theirs, ours = copy.deepcopy(inputs), inputs
    times = least_times(
        {
            "numpy": lambda: plain.run(*theirs),
            "accelerated": lambda: fast(*ours),
            "jax": lambda: by_jax.run(*on_device),
        },
        seconds,
        ("numpy",),
    )
    return {"program": name, "number": number, "times": times, "wrong": found}


def beside(folder: Path, seconds: float) -> list[dict[str, Any]]:
    """What `measured` gives for each program and size, in a process of its own, in which jax counts with 64 bits.

    Raises
    ------
    subprocess.CalledProcessError
        Where it fails; what it printed stands on standard error.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.arrays.pyhpc", str(folder.resolve()), str(seconds)],
        cwd=ROOT, env=os.environ | {"JAX_ENABLE_X64": "1", "LAZYARR_CACHE_SIZE": "0"}, stdout=subprocess.PIPE,
        text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def lines(found: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each program and size, for people."""
    for point in found:
        times = point["times"]
        where = f"pyhpc-benchmarks, {point['program']} at {show_number(point['number'])}"
        ours = times["accelerated"]
        yield (
            f"{where}: {times['numpy'] / ours:.3g} times NumPy, "
            f"{times['jax'] / ours:.3g} times the repository's jax (asked: at least 1)"
        )
        yield from (f"{where}, {way}: {text}" for way, text in point["wrong"].items() if text)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    for program in PROGRAMS:
        for size in SIZES:
            print(json.dumps(measured(Path(sys.argv[1]), program, size, float(sys.argv[2]))), flush=True)
