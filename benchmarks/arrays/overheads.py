"""What calls cost beside the work: a small call, recording, first calls. Each is measured in fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def numbers(what: str, cache: str) -> list[float]:
    """What `long_graph` prints, with a folder for what is kept between processes."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.arrays.long_graph", what],
        cwd=ROOT, env={**os.environ, "XDG_CACHE_HOME": cache}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [float(word) for word in done.stdout.split()]


def overheads() -> dict[str, float]:
    """Seconds, by what they are of."""
    with tempfile.TemporaryDirectory() as cache:
        imported, first = numbers("first", cache)
        _, second = numbers("first", cache)
        (record,) = numbers("record", cache)
    return {
        "import": imported,
        "first call of 200 operations": first,
        "the same in a second process": second,
        "recording an operation": record,
    }
