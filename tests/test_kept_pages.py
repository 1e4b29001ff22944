"""Memory that NumPy's arrays free stays with the process, as far as the setting `kept_memory` allows."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")

_PROGRAM = """
import resource
import {imported}
import numpy as np
{before}

def sweep():
    first, second = np.ones(100_000), np.ones(100_000)
    return first + second

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        sweep()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
{after}
"""


def _run(imported: str = "lazyarr.numpy", before: str = "", after: str = "", **environment: str) -> list[int]:
    text = _PROGRAM.format(imported=imported, before=before, after=after)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_", "LAZYARR_KEPT"))}
    done = subprocess.run([sys.executable, "-c", text], env=kept | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


#: Pages of three arrays of 800 kB, 20 times.
_ALL = 3 * 195 * 20


@pytest.mark.parametrize("imported", ["lazyarr.numpy", "lazyarr.tracing"])
def test_freed_arrays_are_not_new_pages(imported: str) -> None:
    assert _run(imported)[0] < _ALL // 20


def test_the_setting_says_how_much() -> None:
    assert _run(LAZYARR_KEPT_MEMORY="64")[0] < _ALL // 20
    # (What is too little for three arrays keeps none of them.)
    first, second = _run(after="import lazyarr; lazyarr.configure(kept_memory=0); faults(); print(faults())")
    assert first < _ALL // 20 and second > _ALL // 2


def test_what_the_environment_says_stays() -> None:
    assert _run(MALLOC_TRIM_THRESHOLD_="1000", MALLOC_MMAP_THRESHOLD_="100000")[0] > _ALL // 2
