"""Long programs: equal statements are one function, whatever numbers, arrays and outcomes they have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends import native_kept, native_make
from lazyarr.plans import plans
from tests.acceleration import assert_same

#: Statements, formatted with a number of their own, and what is returned.
KINDS = {
    "sums": ("x = x - x.mean() * {a}", "x, x.sum()"),
    "extrema": ("x = x / (x.max() + {a})\n    s = s + x.argmin()", "x, s"),
    "places": ("j = np.argmin(x + y * {a})\n    for i in range(30): x[(i * j) % 150] += {a} * i", "x, j"),
    "windows": ("y[{i}] = (np.exp(-((x[{i} : {i} + 5] - x[{i} + 2]) ** 2)) * x[{i} : {i} + 5]).sum() * {a}", "y"),
    "written": ("x[1:-1] = x[1:-1] + {a} * (y[2:] - y[:-2])\n    y[1:-1] -= {a} * (x[2:] - x[:-2])", "x, y"),
    "matrices": ("y = y + {a} * (m @ y)\n    s = s + y.sum()", "y, s"),
    "lengths": ("s = s + (x[: 3 + {i}] * y[{i} :][: 3 + {i}]).sum() * {a}", "s"),
    "integers": ("k = (k * {i} + 7) % 1000\n    s = s + k.sum() + k.max()", "k, s"),
    "masked": ("x = np.where(x > {a}, x - {a} * x.min(), x + 0.5)\n    s = s + np.count_nonzero(x > {a})", "x, s"),
    "complex": ("z = z * {a} + z.sum() / 1000\n    s = s + abs(z[{i}])", "z, s"),
    "single": ("f = f * np.float32({a}) + f.sum() / 2000", "f"),
    "scanned": ("x = np.cumsum(x * {a})[::-1] / x.size", "x"),
    "sorted": ("s = s + np.sort(x * {a})[{i}]", "s"),
}
ARGUMENTS = "x, y, z, f, k, m, s"


def arguments(n: int = 200) -> tuple[Any, ...]:
    r = np.random.default_rng(5)
    x, y = r.random(n), r.random(n)
    m = r.random((n, n)) / n
    return x, y, x + 1j * y, x.astype(np.float32), r.integers(0, 100, n), m, 0.0


def written(name: str, folder: Path, body: list[str], given: str, result: str) -> Any:
    """A function of a body, in a file of its own."""
    path = folder / f"{name}.py"
    lines = "\n".join(f"    {line}" for line in body)
    path.write_text(f"import numpy as np\n\n\ndef run({given}):\n{lines}\n    return {result}\n")
    found: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), found)
    return found["run"]


def statements(kind: str, count: int) -> list[str]:
    """The lines of so many statements, each with numbers of its own."""
    body = [KINDS[kind][0].format(a=round(0.3 + k * 0.003, 4), i=k % 90 + 2) for k in range(count)]
    return [line.strip() for statement in body for line in statement.split("\n")]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts of the programs that are compiled."""
    found: list[str] = []
    make = native_make.make

    def noting(*args: Any, **kwargs: Any) -> Any:
        program, text = make(*args, **kwargs)
        found.append(text)
        return program, text

    monkeypatch.setattr(native_make, "make", noting)
    monkeypatch.setattr(native_kept, "key", lambda *_: "")
    plans.clear()
    return found


def compare(function: Any, make: Any) -> None:
    """Call a function twice, the second time directly; results and arguments must be NumPy's."""
    accelerated: Any = lazyarr.accelerate(always=True)(function)
    for _ in range(2):
        plain, own = make(), make()
        assert_same(function(*plain), accelerated(*own))
        assert_same(plain, own)


@pytest.mark.parametrize("kind", KINDS)
def test_straight(kind: str, tmp_path: Path, texts: list[str]) -> None:
    run = written(kind, tmp_path, statements(kind, 120), ARGUMENTS, KINDS[kind][1])
    compare(run, arguments)
    assert len(texts) == 1


@pytest.mark.parametrize("kind", ["sums", "windows", "written", "matrices", "masked"])
def test_in_a_loop(kind: str, tmp_path: Path, texts: list[str]) -> None:
    body = ["for step in range(steps):", *(f"    {line}" for line in statements(kind, 150))]
    run = written(f"loop_{kind}", tmp_path, body, f"{ARGUMENTS}, steps", KINDS[kind][1])
    compare(run, lambda: (*arguments(), 3))


@pytest.mark.parametrize("kind", ["sums", "windows", "written"])
def test_what_is_equal_is_one_function(kind: str, tmp_path: Path, texts: list[str]) -> None:
    for count in (100, 200):
        run = written(f"{kind}_{count}", tmp_path, statements(kind, count), ARGUMENTS, KINDS[kind][1])
        lazyarr.accelerate(always=True)(run)(*arguments())
    small, large = (
        [f for f in re.findall(r"^define (.*?)^}", text, re.M | re.S) if "@main(" not in f] for text in texts
    )
    assert len(small) == len(large) < 12


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
@pytest.mark.parametrize("at", [3, 150, 1000, -1000])
def test_what_fails_in_the_middle(at: int, tmp_path: Path, texts: list[str]) -> None:
    statement = ("x = x - x.mean() * 0.{k}", "for j in range(n):", "    y[i[j]] = y[i[j]] * 0.5 + x[j] * {k}.5")
    body = [line.format(k=k + 1) for k in range(60) for line in statement]
    run = written("failing", tmp_path, body, "x, y, i, n", "x, y")
    accelerated: Any = lazyarr.accelerate(always=True)(run)
    x, y = arguments()[:2]
    indices = np.arange(20)
    accelerated(x.copy(), y.copy(), indices, 20)
    assert re.search(r"ret \{? ?i32.*\n(.*\n)*.*define .*@main", texts[0])
    indices[7] = at
    own = y.copy()
    if abs(at) < y.size:
        assert_same(run(x.copy(), y.copy(), indices, 20), accelerated(x.copy(), own, indices, 20))
        return
    for function in (run, accelerated):
        with pytest.raises(IndexError, match=f"index {at} is out of bounds for axis 0 with size 200"):
            function(x.copy(), own if function is accelerated else y.copy(), indices, 20)


def test_random_numbers_between(tmp_path: Path, texts: list[str]) -> None:
    body = [line for k in range(60) for line in (f"x = x + rng.random(200) * {k + 1}.5", "x = x - x.mean()")]
    run = written("drawn", tmp_path, body, "x, rng", "x")
    compare(run, lambda: (arguments()[0], np.random.default_rng(3)))
