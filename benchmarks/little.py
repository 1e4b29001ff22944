"""Programs of small arrays through the drop-in, beside NumPy: ``python -m benchmarks.little``.

Processor time of one thread, least of several runs; the ratio is NumPy's over lazyarr's, for each program and for
single operations on 8 and 1,000 elements.
"""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from typing import Any

import numpy

import lazyarr.numpy

RUNS = 7


def bodies(np: Any) -> Any:
    """Four bodies under gravity: arrays of shape (4, 4, 3)."""
    place = np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [3, 1, 1]])
    speed, mass = np.zeros((4, 3)), np.array([1.0, 2, 3, 4])
    for _ in range(200):
        apart = place[None, :, :] - place[:, None, :]
        square = (apart**2).sum(axis=2) + 1e-2
        speed += 0.01 * (apart * (mass[None, :] / square**1.5)[:, :, None]).sum(axis=1)
        place += 0.01 * speed
    return place


def filtered(np: Any) -> Any:
    """A Kalman filter of two numbers."""
    state, spread = np.zeros(2), np.eye(2)
    step, seen = np.array([[1, 0.1], [0, 1]]), np.array([[1.0, 0]])
    noise, error = 0.01 * np.eye(2), np.array([[0.1]])
    for k in range(200):
        state, spread = step @ state, step @ spread @ step.T + noise
        gain = spread @ seen.T @ np.linalg.inv(seen @ spread @ seen.T + error)
        state = state + gain @ (np.array([k * 0.1]) - seen @ state)
        spread = (np.eye(2) - gain @ seen) @ spread
    return state


def heat(np: Any) -> Any:
    """A row of 200 points, in place."""
    u = np.zeros(200)
    u[80:120] = 1
    for _ in range(300):
        u[1:-1] += 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u


def elimination(np: Any) -> Any:
    """Factors of a matrix of 30 x 30."""
    a = np.arange(900, dtype=float).reshape(30, 30) % 7 + 30 * np.eye(30)
    for k in range(29):
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return a


def by_element(np: Any) -> Any:
    """An equation in time, one number at a time."""
    y = np.zeros(2000)
    y[0] = 1.0
    for i in range(1999):
        y[i + 1] = y[i] + 0.01 * (np.sin(i * 0.01) - y[i])
    return y


def life(np: Any) -> Any:
    """The game of life on 64 x 64."""
    cells = (np.arange(64 * 64) % 3 == 0).reshape(64, 64).astype(int)
    for _ in range(20):
        around = sum(np.roll(cells, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
        cells = ((around == 3) | ((cells == 1) & (around == 2))).astype(int)
    return cells


PROGRAMS = (bodies, filtered, heat, elimination, by_element, life)
OPERATIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "a + b": lambda np, a, b: a + b, "a * 2.0": lambda np, a, b: a * 2.0, "a < b": lambda np, a, b: a < b,
    "np.sqrt(a)": lambda np, a, b: np.sqrt(a), "a.sum()": lambda np, a, b: a.sum(), "a[2]": lambda np, a, b: a[2],
    "a[1:-1]": lambda np, a, b: a[1:-1], "a[2] = 1.0": lambda np, a, b: operator.setitem(a, 2, 1.0),
    "np.where(a < b, a, b)": lambda np, a, b: np.where(a < b, a, b), "np.zeros(8)": lambda np, a, b: np.zeros(8),
}  # fmt: skip


def least(run: Callable[[], Any], times: int = 1) -> float:
    """Seconds of processor time of a call, the least of several runs."""
    run()
    found = []
    for _ in range(RUNS):
        begin = time.thread_time()
        for _ in range(times):
            run()
        found.append((time.thread_time() - begin) / times)
    return min(found)


def main() -> None:
    """Check that results are equal, measure, and print ratios."""
    for program in PROGRAMS:
        expected, given = program(numpy), numpy.asarray(program(lazyarr.numpy))
        numpy.testing.assert_allclose(given, expected, rtol=1e-12)
        ours = least(lambda program=program: program(lazyarr.numpy))  # type: ignore[misc]
        print(f"{program.__name__}: {least(lambda program=program: program(numpy)) / ours:.2f}")  # type: ignore[misc]
    for size in (8, 1000):
        for name, operation in OPERATIONS.items():
            times = []
            for np in (numpy, lazyarr.numpy):
                a, b = np.arange(1.0, size + 1) * 2, np.arange(1.0, size + 1) + 1
                times.append(least(lambda np=np, a=a, b=b, run=operation: run(np, a, b), 2000))  # type: ignore[misc]
            print(f"{name}, {size} elements: {times[0] / times[1]:.2f} ({times[1] * 1e6:.2f} us)")


if __name__ == "__main__":
    main()
