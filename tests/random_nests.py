"""Random nests of loops over columns: the text of a function, and arguments for it."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

PARAMETERS = "a, b, x, v, w, c, turned, also_turned, out"
_OUTSIDE = ("v[j]", "c[i, j]", "2", "0.5", "s", "u", "a[i, 0]", "w[i]")
_INSIDE = ("a[i, k]", "b[k, j]", "x[j, k]", "w[k]", "k", "x.T[k, j]", "turned[k, j]", "also_turned[j, k]")
_FURTHER = ("b[q, j]", "a[q, k]", "x[j, q]")
_FORMS = ("{} + {}", "{} - {}", "{} * {}", "min({}, {})", "max({}, {})", "abs({} - {})")


def text(random: Random) -> str:
    """A function that goes over columns, with one or two loops in each iteration."""

    def expression(atoms: tuple[str, ...], depth: int = 0) -> str:
        if depth > 1 or random.random() < 0.3:
            return random.choice(atoms)
        form = random.choice(_FORMS).format(expression(atoms, depth + 1), expression(atoms, depth + 1))
        return f"({form})"

    around = random.random() < 0.7
    first = "i" if around else "0"
    lines = [f"def f({PARAMETERS}):"]
    depth = 1

    def add(line: str, more: int = 0) -> None:
        lines.append("    " * (depth + more) + line)

    add("n, m, d = a.shape[0], b.shape[1], a.shape[1]")
    if around:
        add("for i in range(n):")
        depth += 1
    add(f"for j in range({random.choice('0001')}, {random.choice(('m', 'm', 'm - 1'))}):")
    depth += 1
    add(f"s = {random.choice(('0.0', 'v[j]', 'w[0]', '1.0'))}")
    add(f"u = {random.choice(('0.0', '0.25', 'v[j]'))}")
    for _ in range(random.choice((1, 1, 1, 2))):
        add(f"for k in range({random.choice(('d', 'd', '1, d', 'd - 1', first, '0'))}):")
        atoms: tuple[str, ...] = _OUTSIDE + _INSIDE
        more = 1
        if random.random() < 0.2:
            add(f"for q in range({random.choice(('3', 'd', 'k'))}):", 1)
            atoms, more = atoms + _FURTHER, 2
        for _ in range(random.randint(1, 3)):
            target = random.choice(("s", "s", "u", "c[i, j]", "out[j]"))
            add(f"{target} {random.choice(('+=', '-=', '='))} {expression(atoms)}", more)
    add(f"out[j] {random.choice(('=', '+='))} s{random.choice(('', ' + u', ' * u'))}")
    if random.random() < 0.5:
        add(f"c[i, j] = {expression(_OUTSIDE)}")
    lines.append("    return out.sum()")
    found = "\n".join(lines) + "\n"
    return found if around else found.replace("[i,", "[0,").replace("[i]", "[0]")


def arguments(random: Random) -> list[Any]:
    """Arrays for such a function."""
    n, m, d = random.choice((1, 3, 9)), random.choice((2, 5, 16, 17, 33)), random.choice((3, 9, 12))
    dtype = random.choice((np.float64, np.float64, np.float32, np.int64))
    numbers = np.random.default_rng(random.randrange(1 << 30))

    def made(*shape: int) -> Any:
        found = numbers.integers(-3, 4, shape) / 2 if random.random() < 0.5 else numbers.standard_normal(shape)
        return np.array(found.astype(dtype), order="F" if random.random() < 0.2 else "C")

    rows = max(n, d)
    shapes = ((rows, d), (d, m), (m, d), (m,), (rows,), (rows, m), (m, d), (d, m), (m,))
    found = [made(*shape) for shape in shapes]
    return [*found[:6], found[6].T, found[7].T, found[8]]
