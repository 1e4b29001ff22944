"""Random programs that draw random numbers in loops and branches, of several streams.

``python -m tests.random_draws 500 7``: so many programs, from a seed on.
"""

from __future__ import annotations

import random
import sys
import warnings
from typing import Any

import numpy as np

import lazyarr
from lazyarr import streams
from tests.written import module_of

_FLOATS = (
    "rng.random()", "rng.normal()", "rng.normal(x % 1.0, 0.5)", "rng.uniform(-1, 1)", "rng.exponential(0.5)",
    "np.random.rand()", "np.random.randn()", "np.random.uniform(0, k + 1)", "old.normal(0.5, 2.0)",
    "old.random_sample()", "random.random()", "random.gauss(0, 1)", "random.uniform(-1, 2)",
    "rng.random(3).sum()", "old.randn(2, 2)[1, 0]", "rng.standard_exponential(4)[k % 4]", "helper(rng, 2)",
    "rng.gamma(2.0)", "u[rng.integers(8)]", "rng.choice(u)", "rng.beta(2.0, 3.0)", "rng.laplace(x % 1.0)",
)  # fmt: skip
_INTS = (
    "rng.integers(5)", "np.random.randint(1, 7)", "old.randint(k + 1)", "random.randint(0, 3)", "random.randrange(9)",
    "rng.poisson(2.0)", "rng.binomial(4, 0.5)", "int(rng.choice(4))", "random.choice([1, 2, 5])",
    "rng.permutation(6)[2]", "rng.geometric(0.5)",
)  # fmt: skip
#: What only NumPy or Python draws, or does: not in loops.
_OTHERS = (
    "x += rng.dirichlet((2.0, 3.0))[0]", "x += np.random.gamma(2.0)", "x += random.triangular(0, 1, 0.5)",
    "print(round(x, 9))",
    "x += np.random.get_state()[2] % 7", "np.random.seed(k + 3)", "rng.shuffle(u)", "random.seed(int(k))",
)  # fmt: skip


class _Writer:
    """Writes one program."""

    def __init__(self, choose: random.Random):
        self._choose = choose
        self.lines: list[str] = []

    def block(self, depth: int, loops: int, often: float) -> None:
        """Some statements; within at most two loops."""
        for _ in range(self._choose.randint(1, 3)):
            self.statement(depth, loops, often)

    def statement(self, depth: int, loops: int, often: float) -> None:
        """One statement, perhaps with others in it."""
        c, pad = self._choose, "    " * depth
        kind = c.random()
        if kind < 0.3 * often and loops < 2:
            self.lines.append(f"{pad}for i{depth} in range({c.choice(('n', '6', 'k % 5 + 5'))}):")
            self.block(depth + 1, loops + 1, often * 0.7)
            if c.random() < 0.3:
                self.lines.append(f"{pad}    if {c.choice(_FLOATS)} > 1.5:")
                self.lines.append(f"{pad}        break")
        elif kind < 0.5 * often:
            self.lines.append(f"{pad}if {c.choice(_FLOATS)} < {c.choice(('0.3', '0.8', 'x'))}:")
            self.block(depth + 1, loops, often * 0.7)
            if c.random() < 0.5:
                self.lines.append(f"{pad}else:")
                self.block(depth + 1, loops, often * 0.7)
        elif kind < 0.55 and not loops:
            self.lines.append(pad + c.choice(_OTHERS))
        elif kind < 0.65:
            self.lines.append(f"{pad}k = (k + {c.choice(_INTS)}) % 8")
        elif kind < 0.75:
            self.lines.append(f"{pad}u[k] = {c.choice(_FLOATS)}")
        elif kind < 0.85:
            self.lines.append(f"{pad}u {c.choice('+-*')}= {c.choice(('rng', 'old'))}.normal(0.0, 1.0, 8)")
        else:
            self.lines.append(f"{pad}x = 0.5 * x + {c.choice(_FLOATS)}")


def program(seed: int) -> str:
    """The text of a program ``f(rng, old, u, n)``."""
    writer = _Writer(random.Random(seed))
    writer.block(1, 0, 1.0)
    writer.lines.append("    for i in range(n):")
    writer.block(2, 1, 0.8)
    writer.block(1, 0, 1.0)
    helper = "def helper(rng, m):", "    s = 0.0", "    for i in range(m):", "        s += rng.random()", "    return s"
    head = "def f(rng, old, u, n):", "    x, k = 0.25, 1"
    return "\n".join([*helper, *head, *writer.lines, "    return x, k", ""])


def function_of(text: str, name: str) -> Any:
    """The function of a program."""
    made = module_of(text, name)
    vars(made).update(np=np, random=random)
    return made.f


def outcome(function: Any, calls: int) -> list[Any]:
    """What calls give, and what they leave in streams and arrays."""
    np.random.seed(5)
    random.seed(6)
    rng, old, u, found = np.random.default_rng(1), np.random.RandomState(2), np.linspace(0.1, 0.8, 8), []
    for n in range(6, 6 + calls):
        found.append((function(rng, old, u, n), u.copy()))
    left = [streams.words_by_name(x).tolist() for x in (rng, old, np.random.rand.__self__)]  # type: ignore[attr-defined]
    return [found, left, random.getstate()]


def differs(seed: int) -> str | None:
    """A program whose results are not NumPy's, with what differs; None if they are."""
    text = program(seed)
    function = function_of(text, f"<random draws {seed}>")
    expected, got = (outcome(f, 3) for f in (function, lazyarr.accelerate(function, always=True)))
    for (a, u), (b, v) in zip(expected[0], got[0], strict=True):
        if list(map(type, a)) != list(map(type, b)) or not np.allclose([*a, *u], [*b, *v], rtol=1e-9, atol=1e-12):
            return f"{text}\n{a} {u}\n{b} {v}"
    return None if expected[1:] == got[1:] else f"{text}\nthe streams are elsewhere"


def main() -> None:
    count, seed = (int(word) for word in sys.argv[1:])
    warnings.simplefilter("ignore")
    wrong = 0
    for k in range(seed, seed + count):
        try:
            found = differs(k)
        except Exception as error:  # noqa: BLE001  whatever a program raises is shown with it
            found = f"{program(k)}\n{type(error).__name__}: {error}"
        if found:
            wrong += 1
            print(f"--- {k}\n{found}", flush=True)
    print(f"{count} programs from seed {seed} on: {wrong} differ")


if __name__ == "__main__":
    main()
