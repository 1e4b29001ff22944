"""Attributes, dict entries and items of lists that a loop binds anew: carried, and left as Python leaves them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr import accelerate
from tests.acceleration import assert_same
from tests.loop_checks import Array, noise, same


def agree(function: Any, *args: Any) -> None:
    """Results and arguments agree, as whatever the function runs."""
    accelerated: Any = accelerate(function, always=True)
    for _ in range(3):
        plain, own = copy.deepcopy(args), copy.deepcopy(args)
        assert_same(function(*plain), accelerated(*own))
        assert_same(plain, own)


def spread(u: Array) -> Any:
    return np.roll(u, 1) - 2 * u + np.roll(u, -1)


class Simulation:
    """A plain class with its state in attributes."""

    def __init__(self, u: Array):
        self.u = u
        self.t = 0.0
        self.steps = 0
        self.largest: Any = 0.0

    def step(self, dt: float) -> None:
        self.u = self.u + dt * spread(self.u)
        self.t += dt
        self.steps += 1


@dataclass
class Pair:
    u: Array
    v: Array
    t: float = 0.0


def test_attributes_of_an_object() -> None:
    def run(s: Simulation, dt: float, n: int) -> Any:
        for _ in range(n):
            s.u = s.u + dt * spread(s.u)
            s.t += dt
            s.steps += 2
        return s.u

    for n in (0, 1, 3, 20):
        same(run, (Simulation(noise(9)), 0.1, n))


def test_methods_that_change_their_object() -> None:
    def run(s: Simulation, dt: float, end: float) -> Any:
        while s.t < end:
            s.step(dt)
            if s.u[3] > s.largest:
                s.largest = s.u[3]
        return s.steps

    for x, end in ((noise(9), 1.5), (noise(9), -1.0), (-np.abs(noise(9)), 1.5)):
        agree(run, Simulation(x), 0.1, end)


def test_a_dataclass_and_a_dict() -> None:
    def leap(p: Pair, d: dict[str, Any], dt: float) -> Any:
        for k in range(12):
            p.v = p.v + dt * spread(p.u)
            p.u = p.u + dt * p.v
            p.t += dt
            d["u"] = d["u"] + p.u
            d["u"] *= 0.5
            d["count"] = k
            d["sum"] += d["u"].sum()
        return p.t

    same(leap, (Pair(noise(8), noise(8)), {"u": noise(8), "count": 0, "sum": 0.5}, 0.2))


def test_keys_of_a_dict_one_after_the_other() -> None:
    def descend(parameters: dict[str, Array], n: int) -> Any:
        moments = {name: np.zeros_like(x) for name, x in parameters.items()}
        for _ in range(n):
            for name in parameters:
                moments[name] = 0.9 * moments[name] + parameters[name]
                parameters[name] = parameters[name] - 0.1 * moments[name]
        return moments["b"]

    same(descend, ({"a": noise(4), "b": noise(3, 3)}, 15))


def test_items_of_a_list_and_objects_in_it() -> None:
    def move(fields: list[Any], pairs: list[Pair], n: int) -> Any:
        for _ in range(n):
            fields[0], fields[1] = fields[1], fields[0] + 1
            for p in pairs:
                p.u = p.u - p.v
                p.t = p.t + 0.5
        return fields

    same(move, ([noise(4), noise(4)], [Pair(noise(5), noise(5)), Pair(noise(2), noise(2))], 7))


def test_attributes_that_change_places() -> None:
    def swap(p: Pair, n: int) -> Any:
        for _ in range(n):
            p.v[1:-1] = 0.5 * (p.u[2:] + p.u[:-2])
            p.u, p.v = p.v, p.u
        return p.u

    for n in (0, 5, 6, 7):
        accelerated: Any = accelerate(swap, strict=True)
        u, v = noise(9), noise(9)
        own, plain = Pair(u, v), Pair(u.copy(), v.copy())
        first, second = plain.u, plain.v
        accelerated(own, n)
        swap(plain, n)
        assert np.array_equal(own.u, plain.u) and np.array_equal(own.v, plain.v)
        assert (own.u is u, own.u is v, own.v is u, own.v is v) == (
            plain.u is first, plain.u is second, plain.v is first, plain.v is second)  # fmt: skip


def test_an_array_that_is_kept_stays_the_callers() -> None:
    """Where data decides whether an attribute is another array, Python says which; where no iteration runs, too."""

    def clip(p: Pair, limit: float) -> Any:
        for k in range(9):
            if p.u[k] > limit:
                p.u = p.u * 0.5
        return p.t

    def until(p: Pair, end: float) -> Any:
        while p.t < end:
            p.u = p.u + 1
            p.t += 0.5
        return p.t

    for function, limits in ((clip, (5.0, -5.0)), (until, (-1.0, 3.0))):
        accelerated: Any = accelerate(function, always=True)
        for limit in limits * 2:
            p, expected = Pair(noise(9), noise(9)), Pair(noise(9), noise(9))
            before, plain = p.u, expected.u
            assert accelerated(p, limit) == function(expected, limit)
            assert np.array_equal(p.u, expected.u) and (p.u is before) == (expected.u is plain)


def test_keys_and_attributes_that_the_loop_makes() -> None:
    class Counter:
        count = 5

    def make(x: Array, table: dict[str, Any], counter: Any) -> Any:
        for i in range(x.shape[0]):
            table["sum"] = table.get("sum", 0.0) + x[i]
            counter.count += 1
            counter.last = x[i]
        return len(table)

    same(make, (noise(9), {}, Counter()), (noise(6), {"sum": 2.0}, Counter()))

    def sometimes(x: Array, table: dict[str, Any]) -> Any:
        for i in range(x.shape[0]):
            if x[i] > 0:
                table["last"] = i
        return len(table)

    same(sometimes, (noise(9), {}), (-np.abs(noise(9)), {}), one_program=False)

    def gone(table: dict[str, Any]) -> Any:
        for _ in range(9):
            x = table.pop("x")
            table["x"] = x + 1
        return table

    agree(gone, {"x": noise(3), "y": 1.0})


def test_numbers_keep_their_types() -> None:
    def count(s: Simulation, x: Array, d: dict[str, Any]) -> Any:
        for value in x:
            s.steps += 1
            s.t = s.steps * 0.5
            if value > s.largest:
                s.largest = value
            d["flag"] = value > 0
            d["whole"] = d["whole"] + int(value * 9)
        return s.largest, d["flag"]

    for x in (noise(9), -np.abs(noise(9))):
        agree(count, Simulation(noise(3)), x, {"flag": False, "whole": 1})


def test_errors_leave_the_object_as_it_was() -> None:
    def run(s: Simulation, x: Array, n: int) -> Any:
        for i in range(n):
            s.u = s.u + x[i]
            s.steps += 1
        return s.steps

    same(run, (Simulation(noise(3)), noise(9), 9), (Simulation(noise(3)), noise(9), 12))


def test_objects_made_in_the_function() -> None:
    def run(u: Array, n: int) -> Any:
        s = Simulation(u)
        state: dict[str, Any] = {"u": u, "k": 0}
        for _ in range(n):
            s.step(0.1)
            state["u"] = state["u"] + s.u
            if s.u[0] > 0:
                state["k"] += 1
                state["u"] = state["u"] * 2
        return s.u, s.t, state

    same(run, (noise(7), 12))


def test_an_array_without_axes_that_begins_as_a_constant() -> None:
    def count(x: Array) -> Any:
        found = np.zeros((), dtype=np.int64)
        for value in x:
            if value > 0:
                found[...] = int(found) + 1
        return found, x[: int(found)]

    same(count, (noise(20),))
