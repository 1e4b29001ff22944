"""XLA's executables are kept for later processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lazyarr import disk

PROGRAM = """
import hashlib
import jax
import numpy as np
import lazyarr
from lazyarr import disk

lazyarr.configure(compiler="xla")


@lazyarr.accelerate(always=True)
def run(x):
    for _ in range(40):
        x = np.sin(x) + 0.5 * np.fft.ifft(np.fft.fft(x[::-1])).real
    square = x[:900].reshape(30, 30)
    return x, np.linalg.cholesky(square @ square.T + np.eye(30)), np.sort(square, axis=0)


x = np.random.default_rng(0).random(20000)
found = hashlib.sha256()
for result, wanted in zip(run(x), run.__wrapped__(x)):
    assert result.dtype == wanted.dtype and result.shape == wanted.shape
    np.testing.assert_allclose(result, wanted, rtol=1e-10, atol=1e-10)
    found.update(result.tobytes())
print(found.hexdigest())
print(disk.hits().get("xla", 0), disk.problem)
"""


def run(place: Path, **other: str) -> tuple[str, int, str]:
    """What a process prints: a sum over the results, how many executables were found until now, problems."""
    own = {"LAZYARR_CACHE_DIR": str(place), "LAZYARR_CACHE_SIZE": "100", "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", PROGRAM]
    environment = {**os.environ, **own, **other}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    found, counted = done.stdout.splitlines()
    hits, _, problem = counted.partition(" ")
    return found, int(hits), problem


def test_another_process_finds_executables(tmp_path: Path) -> None:
    found, hits, problem = run(tmp_path)
    kept = list(tmp_path.glob("**/xla-*"))
    assert kept
    assert (hits, problem) == (0, "")
    assert run(tmp_path) == (found, len(kept), "")
    # Other flags are another compiler.
    assert run(tmp_path, XLA_FLAGS="--xla_cpu_enable_fast_math=false") == (found, len(kept), "")


def test_what_is_no_executable_is_compiled_anew(tmp_path: Path) -> None:
    found, _, _ = run(tmp_path)
    for path in tmp_path.glob("**/xla-*"):
        path.write_bytes(disk._head(b"no pickle") + b"no pickle")
    again, _, problem = run(tmp_path)
    assert again == found
    assert "not loaded" in problem
