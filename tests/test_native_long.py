"""Long programs: formulas that stand in one another deeper than Python's stack, in statements and in loops."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lazyarr
from tests.acceleration import assert_same

#: More than Python has frames, a few of which each formula takes.
MANY = 700
PROGRAMS = {
    "chain": ("", "x = np.sqrt(np.abs(x * {a} + y))", "x, x.sum(), x.max()"),
    "rolled": ("", "x = np.roll(x, 1) * {a} + y", "x"),
    "flipped": ("", "x = x[::-1] * {a} + y", "x"),
    "windows": ("", "x = x[1:] * {a} + y[: x.shape[0] - 1]", "x"),
    "written": ("", "x[1:-1] += {a} * (x[2:] - x[:-2])", "x"),
    "blocks": ("for k in range(n):", "x = np.sqrt(x * {a} + y)", "x"),
    "points": ("for i in range(1, x.shape[0]):", "x[i] = x[i - 1] * {a} + y[i]", "x"),
    "until": ("k = 0\n    while k < n or x.sum() > 1e300:\n        k += 1", "x = x * {a} + y", "x, k"),
}


def function(name: str, count: int, folder: Path) -> Any:
    """A function of one statement, `count` times with numbers of their own."""
    loop, statement, result = PROGRAMS[name]
    indent = "\n        " if loop else "\n    "
    lines = [statement.format(a=0.9 + k * 1e-5) for k in range(count)]
    body = indent.join([f"    {loop or 'pass'}", *lines])
    path = folder / f"{name}.py"
    path.write_text(f"import numpy as np\n\n\ndef run(x, y, n):\n{body}\n    return {result}\n")
    found: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), found)
    return found["run"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_long_programs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = function(name, MANY // 4 if name in ("written", "rolled", "windows") else MANY, tmp_path)
    size = 1000 if name == "windows" else 300

    def given() -> tuple[Any, ...]:
        rng = np.random.default_rng(0)
        return rng.random(size), rng.random(size), 5

    expected, got = given(), given()
    with np.errstate(all="ignore"):
        assert_same(run(*expected), lazyarr.accelerate(run, strict=True)(*got))
    assert_same(expected[0], got[0])
    assert sys.getrecursionlimit() == 1000


def test_products_of_products_in_a_loop() -> None:
    def run(x: Any, y: Any, n: int) -> Any:
        for _ in range(n):
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
            x = x * x * 0.5 + y
        return x

    x, y = np.linspace(0, 0.5, 500), np.linspace(0, 0.3, 500)
    assert_same(run(x, y, 9), lazyarr.accelerate(run, strict=True)(x, y, 9))
