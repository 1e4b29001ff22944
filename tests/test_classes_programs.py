"""Object-oriented programs in the way of the field: they become one program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same, check, programs

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


class Controller:
    """Remembers what it has met last, and in the beginning nothing."""

    def __init__(self, k: float):
        self.k, self.total = k, 0.0
        self.last: Any = None

    def __call__(self, error: Any, dt: float) -> Any:
        self.total += error * dt
        slope = 0.0 if self.last is None else (error - self.last) / dt
        self.last = error
        return self.k * error + 0.5 * self.total + 0.1 * slope


class Clusters:
    """Has attributes that its loop makes, and ends when nothing changes any more."""

    def __init__(self, k: int):
        self.k = k

    def fit(self, x: Any, most: int = 20) -> Clusters:
        self.centres = x[: self.k].copy()
        for step in range(most):  # noqa: B007
            distances = ((x[:, None] - self.centres[None]) ** 2).sum(-1)
            self.labels = distances.argmin(1)
            new = np.array([x[self.labels == j].mean(0) for j in range(self.k)])
            if np.allclose(new, self.centres):
                break
            self.centres = new
        self.steps = step + 1
        return self


class Dense:
    """A layer."""

    def __init__(self, w: Any):
        self.w, self.b = w, np.zeros(w.shape[1])

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.tanh(x @ self.w + self.b)

    def backward(self, g: Any) -> Any:
        self.dw, self.db = self.x.T @ g, g.sum(axis=0)
        return g @ self.w.T


class Momentum:
    """Sets attributes by their names, and has a dict of what it has met."""

    def __init__(self, layers: list[Dense]):
        self.layers, self.met, self.t = layers, dict[Any, Any](), 0

    def step(self) -> None:
        self.t += 1
        for i, layer in enumerate(self.layers):
            for name in ("w", "b"):
                g = getattr(layer, "d" + name)
                m = 0.9 * self.met.get((i, name), np.zeros_like(g)) + 0.1 * g
                self.met[(i, name)] = m
                setattr(layer, name, getattr(layer, name) - 0.1 * m / (1 - 0.9**self.t))


@dataclass
class Body:
    """Has a default that is made for each."""

    mass: float
    at: Any
    v: Any
    a: Any = field(default_factory=lambda: np.zeros(2))


def _control(n: int, target: float) -> Any:
    controller, x, v, seen = Controller(2.0), 0.0, 0.0, np.zeros(n)
    for k in range(n):
        v += (controller(target - x, 0.01) - v) * 0.01
        x += v * 0.01
        seen[k] = x
    return seen, controller.total


def _train(x: Any, w: Any) -> Any:
    layers = [Dense(w), Dense(w[:, :1] * 0.5)]
    optimizer, losses = Momentum(layers), []
    for _ in range(70):
        p = x
        for layer in layers:
            p = layer.forward(p)
        losses.append(float((p**2).mean()))
        g = 2 * p / len(x)
        for layer in reversed(layers):
            g = layer.backward(g)
        optimizer.step()
    return np.array(losses), layers[0].w


def _bodies(x: Any, n: int) -> Any:
    bodies = [Body(float(x[k, 0]), x[k], x[k] - 0.5) for k in range(4)]
    for _ in range(n):
        for one in bodies:
            one.a = np.zeros(2)
            for other in bodies:
                if other is not one:
                    d = other.at - one.at
                    one.a = one.a + other.mass * d / ((d**2).sum() + 0.1)
        for one in bodies:
            one.v = one.v + 0.01 * one.a
            one.at = one.at + 0.01 * one.v
    return np.array([one.at for one in bodies])


def _given(rows: int, columns: int, k: int) -> Any:
    return np.random.default_rng(k).random((rows, columns))


FIELD: dict[str, tuple[Callable[..., Any], Callable[[int], tuple[Any, ...]]]] = {
    "a controller": (_control, lambda k: (300, 1.0 + k)),
    "clusters": (lambda x: Clusters(3).fit(x), lambda k: (_given(200, 2, k),)),
    "training": (_train, lambda k: (_given(30, 8, k), _given(8, 8, 7) - 0.5)),
    "bodies": (_bodies, lambda k: (_given(4, 2, k), 80)),
}


@pytest.mark.parametrize("what", FIELD)
def test_programs_are_one_program(what: str) -> None:
    function, make = FIELD[what]
    # (The third call may be the one that compiles for more than its own data.)
    assert programs(check(function, make, calls=4)) >= 1


class Field:
    """An object of the user's that NumPy takes for the array which it has."""

    def __init__(self, data: Any):
        self.data = data

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.data, dtype)

    def __add__(self, other: Any) -> Field:
        return Field(self.data + np.asarray(other))


class NoField(Field):
    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return [1.0]


def test_objects_that_numpy_takes_for_their_arrays() -> None:
    def moved(field: Field, x: Any, steps: int) -> Any:
        for _ in range(steps):
            field = field + Field(x) + 0.5 * x
        whole = np.asarray(field)
        return whole, np.sum(field), np.sin(field), np.stack([field, field]), np.array(field) is whole, field

    accelerated: Any = accelerate(moved, always=True)
    for k in range(3):
        plain, own = Field(np.arange(4.0) + k), Field(np.arange(4.0) + k)
        assert_same(moved(plain, np.ones(4), 6), accelerated(own, np.ones(4), 6))
        assert_same(plain, own)
    assert programs(accelerated) == 1
    with pytest.raises(ValueError, match="not producing an array"):
        accelerated(NoField(np.ones(4)), np.ones(4), 0)
