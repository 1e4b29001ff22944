"""Direct calls with lists, dicts and objects: they stand for calls in which these hold what they held, in its order."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from lazyarr.backends.native_python import supported
from tests.direct_calls import check_direct, compare, ready

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


class Dense:
    """What a network's layer does: it remembers what it was given, and binds its weights anew."""

    def __init__(self) -> None:
        self.weights, self.calls, self.given = np.linspace(-1.0, 1.0, 12).reshape(4, 3), 0, np.ones((5, 4))
        self.rates: dict[str, Any] = {"now": 0.1, "last": None}

    def forward(self, a: Any) -> Any:
        self.given = a
        self.calls += 1
        return a @ self.weights

    def backward(self, g: Any) -> Any:
        change = self.given.T @ g
        back = g @ self.weights.T
        self.weights = self.weights - self.rates["now"] * change
        self.rates["now"] = self.rates["now"] * 0.5
        self.change = change
        return back


def train(layer: Any, a: Any) -> Any:
    return layer.backward(layer.forward(a))


def test_attributes_and_items_that_are_bound_anew() -> None:
    def given() -> Any:
        layer = Dense()
        layer.backward(np.ones((5, 3)))
        return layer, np.arange(20.0).reshape(5, 4)

    for function, make in (
        (Dense.forward, given), (Dense.backward, lambda: (given()[0], np.ones((5, 3)))), (train, given),
    ):  # fmt: skip
        accelerated = check_direct(function, make)
        layer, a = make()
        before, weights = layer.given, layer.weights.copy()
        plain, b = make()
        for _ in range(5):
            np.testing.assert_allclose(accelerated(layer, a), function(plain, b))
            np.testing.assert_allclose(layer.weights, plain.weights)
            assert list(vars(layer)) == list(vars(plain)) and layer.rates == plain.rates
            assert layer.calls == plain.calls and type(layer.calls) is int
            assert (layer.given is a) is (plain.given is b) and (layer.given is before) is (function is Dense.backward)
        if function is not Dense.forward:
            held = layer.weights
            accelerated(layer, a)
            assert layer.weights is not held and not np.array_equal(layer.weights, weights)


def test_objects_that_are_given_back() -> None:
    def grown(p: Any, a: Any) -> Any:
        p["a"] = a * 2
        p["sum"] = float(np.sum(a))
        return p

    accelerated = check_direct(grown, lambda: ({"k": 1.0, "a": x()}, x() + 1))
    p = {"k": 1.0, "a": x()}
    assert accelerated(p, x() + 1) is p and list(p) == ["k", "a", "sum"]


def test_what_is_taken_out_goes_the_general_way() -> None:
    def moved(p: Any, a: Any) -> Any:
        first = p.pop("a")
        p["a"] = first + a
        p["b"], p["c"] = p["c"], p["b"]
        return a.sum()

    def make() -> Any:
        return {"a": x(), "b": x() + 1, "c": x() + 2}, x()

    accelerated = ready(moved, make)
    for _ in range(3):
        assert not compare(accelerated, moved, make)


def test_nothing_is_bound_where_a_check_fails() -> None:
    def picked(p: Any, a: Any, k: int) -> Any:
        p["a"] = a * 2
        total = 0.0
        for i in range(k):
            total += a[i]
        p["total"] = total
        return total

    def make(k: int) -> Any:
        return lambda: ({"a": x(), "total": 0.0}, x(), k)

    accelerated = ready(picked, make(5))
    for k in (6, 7, 8, 9):
        compare(accelerated, picked, make(k))
    assert compare(accelerated, picked, make(10))
    for k in (N + 1, 12):
        compare(accelerated, picked, make(k))
