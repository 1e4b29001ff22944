"""Direct calls with lists, dicts and objects: they stand for calls in which these hold what they held, in its order."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from lazyarr.backends.native_python import supported
from tests.direct_calls import check_direct, compare

pytestmark = [
    pytest.mark.filterwarnings("ignore::lazyarr.report.FallbackWarning"),
    pytest.mark.skipif(not supported(), reason="another Python"),
]
N = 40
COEFFICIENTS = [0.5, 1.5, -2.0]
SETTINGS: dict[str, Any] = {"scale": 2.0, "shift": np.linspace(0.0, 1.0, N), "terms": [1, 2]}


def x() -> Any:
    return np.arange(float(N))


def weighed(a: Any, w: Any) -> Any:
    total = a * w[0]
    for i in range(a.shape[0]):
        total[i] += w[1] * a[i]
    return total


def test_lists() -> None:
    accelerated = check_direct(weighed, lambda: (x(), [2.0, 3.5]))
    assert compare(accelerated, weighed, lambda: (x(), [-1.0, 0.25]))
    for other in ([2, 3.5], [2.0, 3.5, 1.0], (2.0, 3.5), [np.float64(2.0), 3.5], [x(), 3.5], [True, 3.5]):
        compare(accelerated, weighed, lambda other=other: (x(), other))  # type: ignore[misc]
    assert compare(accelerated, weighed, lambda: (x(), [4.0, 5.0]))


def joined(parts: Any) -> Any:
    result = parts[0] + 1
    for part in parts[1:]:
        result = result * part
    return result


def test_lists_of_arrays() -> None:
    accelerated = check_direct(joined, lambda: ([x(), x() + 1, x()],))
    a = x()
    compare(accelerated, joined, lambda: ([a, a, a.copy()],))
    compare(accelerated, joined, lambda: ([a, a[:], x()],))
    compare(accelerated, joined, lambda: ([x(), x()],))
    assert compare(accelerated, joined, lambda: ([x(), x() + 2, x()],))


def by_name(a: Any, p: Any) -> Any:
    return a * p["k"] + p["b"], list(p)


def test_dicts() -> None:
    accelerated = check_direct(by_name, lambda: (x(), {"k": 2.0, "b": x()}))
    assert compare(accelerated, by_name, lambda: (x(), {"k": -3.0, "b": x() + 1}))
    others: list[Any] = [
        {"b": x(), "k": 2.0}, {"k": 2.0, "b": x(), "c": 1}, {"k": 2, "b": x()}, OrderedDict(k=2.0, b=x()),
        {"k": 2.0, "b": x().astype("f4")}, {"k": 2.0, "".join(["", "b"]): x()},
    ]  # fmt: skip
    for other in others:
        compare(accelerated, by_name, lambda other=other: (x(), other))  # type: ignore[misc]
    with pytest.raises(KeyError):
        accelerated(x(), {"k": 2.0, "B": x()})


def outside(a: Any) -> Any:
    shifted = a * SETTINGS["scale"] + SETTINGS["shift"]
    return shifted * COEFFICIENTS[0] + COEFFICIENTS[1] * SETTINGS["terms"][1]


def test_globals(monkeypatch: pytest.MonkeyPatch) -> None:
    accelerated = check_direct(outside, lambda: (x(),))
    monkeypatch.setitem(SETTINGS, "scale", -1.5)
    assert compare(accelerated, outside, lambda: (x(),))
    SETTINGS["shift"][3] = 77.0
    assert compare(accelerated, outside, lambda: (x(),))
    monkeypatch.setattr(f"{__name__}.COEFFICIENTS", [0.5, 9, -2.0])
    assert not compare(accelerated, outside, lambda: (x(),))
    COEFFICIENTS.append(1.0)
    assert not compare(accelerated, outside, lambda: (x(),))
    monkeypatch.setitem(SETTINGS, "more", 1.0)
    compare(accelerated, outside, lambda: (x(),))


class Layer:
    gain = 1.0

    def __init__(self, k: float):
        self.k, self.w = k, np.linspace(0.0, k, N)

    def forward(self, a: Any) -> Any:
        return np.tanh(a * self.w + self.k) * self.gain


class Wider(Layer):
    pass


@dataclass
class Model:
    layers: list[Any]
    rate: float = 0.5


def run(a: Any, model: Any) -> Any:
    for layer in model.layers:
        a = layer.forward(a)
    return a * model.rate


def test_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    def given() -> Any:
        return x(), Model([Layer(0.5), Layer(0.25)])

    accelerated = check_direct(run, given)
    assert compare(accelerated, run, lambda: (x(), Model([Layer(1.5), Layer(-1.0)], 2.0)))
    one = Layer(0.5)

    def changed(**attributes: Any) -> Any:
        layer = Layer(0.5)
        vars(layer).update(attributes)
        return lambda: (x(), Model([layer, Layer(0.25)]))

    backwards = Layer(0.5)
    del backwards.k
    backwards.k = 0.5
    for other in (
        lambda: (x(), Model([one, one])), lambda: (x(), Model([Wider(0.5), Layer(0.25)])), changed(gain=3.0),
        changed(w=np.ones((2, N))), changed(k=1), changed(extra=[1]),
        lambda: (x(), Model([backwards, Layer(0.25)])), lambda: (x(), Model([Layer(0.5)])),
    ):  # fmt: skip
        compare(accelerated, run, other)
    assert compare(accelerated, run, given)
    monkeypatch.setattr(Layer, "gain", 5.0)
    compare(accelerated, run, given)
    monkeypatch.setattr(Layer, "forward", lambda self, a: a + self.k)
    compare(accelerated, run, given)


def test_what_shares_memory_is_not_called_directly() -> None:
    def add(a: Any, p: Any) -> Any:
        a += p["b"][0]
        a *= 2
        return a.sum()

    accelerated = check_direct(add, lambda: (x(), {"b": [x()]}))

    def overlapping(step: int) -> Any:
        a = x()
        return a, {"b": [a[::step]]}

    for step in (-1, 1):
        assert not compare(accelerated, add, lambda step=step: overlapping(step))  # type: ignore[misc]
    assert compare(accelerated, add, lambda: (x(), {"b": [x()]}))
