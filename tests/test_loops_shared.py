"""Variables, attributes, entries and items of lists that are one array after a loop: a change is seen in each."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


class State:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def two_variables(u: Any, w: Any, n: int) -> Any:
    for _ in range(n):
        u = u + 1
        w = u
    w += 5
    return u, w


def two_entries(d: Any, n: int) -> Any:
    for _ in range(n):
        d["u"] = d["u"] + 1
        d["w"] = d["u"]
    d["w"] += 5
    return d["u"]


def two_attributes(o: Any, n: int) -> Any:
    for _ in range(n):
        o.u = o.u + 1
        o.old = o.u
    o.old += 5
    return o.u


def until_a_time(o: Any, n: int) -> Any:
    while o.t < n:
        o.t += 0.5
        o.old = o.u
    o.old += 10
    return o.u


def the_last_item(u: Any, n: int) -> Any:
    h = []
    for _ in range(n):
        u = u + 1
        h.append(u)
    h[-1][0] = 50
    return u, h[0]


def an_item_again(u: Any, n: int) -> Any:
    h = [u]
    for _ in range(n):
        h.append(h[-1])
    h[-1][1] = 7
    return u, len(h)


def two_lists(u: Any, n: int) -> Any:
    h, g = [u], []
    for _ in range(n):
        h.append(h[-1] + 1)
        g.append(h[-1])
    g[-1][0] = 7
    return h


def the_list_that_data_chooses(a: Any, b: Any, x: Any, n: int) -> Any:
    q = a
    if x[1] > 0:
        q = b
    q.append(x[0] + n)
    return len(q)


def a_list_or_its_copy(a: Any, x: Any, n: int) -> Any:
    q = a
    for v in x[:2]:
        if v == 1:
            q = list(a)
        q[0] = q[0] + v + n
    return q


def another_list(a: Any, b: Any, n: int) -> Any:
    q = a
    for _ in range(n):
        q = b
    q.append(1.0)
    return len(q)


def taken_out_and_put_in(x: Any, n: int) -> Any:
    q = [x[0], x[1], x[2]]
    k = 0
    while k < n % 9:
        k += 1
        if len(q) > 1:
            q.pop()
    if len(q) > 1:
        q.pop()
    k = 0
    while k < n % 9:
        k += 1
        if x[k % 3] <= 1:
            q.extend([x[1] - 1, 5.0 + k])
    return q


def the_best_so_far(x: Any, n: int) -> Any:
    best = [0, 0.0]
    for k in range(n):
        v = x[k % 3] * k
        if v > best[1]:
            best = [k, v]
    return best


def a_history(u: Any, n: int) -> Any:
    h = [u.copy()]
    for _ in range(n):
        u = u * 0.5
        h.append(u)
    return np.array(h), u, len(h)


def zeros() -> Any:
    return np.arange(3.0)


def state() -> State:
    return State(u=zeros(), old=zeros(), t=0.0)


PROGRAMS: dict[Callable[..., Any], Callable[[], list[Any]]] = {
    two_variables: lambda: [zeros(), zeros()],
    two_entries: lambda: [{"u": zeros(), "w": zeros()}],
    two_attributes: lambda: [state()],
    until_a_time: lambda: [state()],
    the_last_item: lambda: [zeros()],
    an_item_again: lambda: [zeros()],
    two_lists: lambda: [zeros()],
    the_list_that_data_chooses: lambda: [[1.0], [2.0], zeros()],
    a_list_or_its_copy: lambda: [[1.0, 2.0], zeros()],
    another_list: lambda: [[1.0], [2.0]],
    taken_out_and_put_in: lambda: [zeros()],
    the_best_so_far: lambda: [zeros()],
    a_history: lambda: [zeros()],
}


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_what_is_one_array_stays_one(program: Callable[..., Any], always: bool) -> None:
    compiled = accelerate(program, always=always)
    for n in (200, 3, 4, 5, 200, 200, 7):
        theirs, mine = PROGRAMS[program](), copy.deepcopy(PROGRAMS[program]())
        assert_same(compiled(*mine, n), program(*theirs, n))
        for x, y in zip(mine, theirs, strict=True):
            assert_same(vars(x) if isinstance(x, State) else x, vars(y) if isinstance(y, State) else y)


def test_histories_are_programs() -> None:
    compiled = accelerate(a_history, strict=True, always=True)
    assert_same(compiled(zeros(), 200), a_history(zeros(), 200))


def test_arrays_bound_anew_where_data_says_so_that_others_have() -> None:
    def in_a_list(x: Any) -> Any:
        z, w = x.copy(), x.copy()
        both = [z, w]
        for _ in range(20):
            if x.sum() < 3:
                z = z * 2
        z += w.sum()
        return z, both[0], both[1]

    def under_another_name(x: Any) -> Any:
        z = x * 1
        other = w = z
        for _ in range(20):
            other[1] = 3
            z = z * 2
            if x.sum() < 3:
                z = x
                z = z[z > 0.01]
            else:
                w[2] = 9
            z[0] = 5
        return z, w, other

    def changed_in_one_way(x: Any) -> Any:
        z, w = x * 1, x * 3
        held = {"z": z}
        for _ in range(20):
            if z[0] > 0.5:
                w *= 2
                z = z * 2
            else:
                w *= 2
        z += w.sum()
        return z, w, held["z"]

    def its_own(x: Any) -> Any:
        z = x * 1
        for k in range(20):
            if z.sum() < 50 * k:
                z = z * 2 + 1
            z[0] = k
        return z

    def two_names(x: Any) -> Any:
        z, w = x * 1, x * 2
        if x.sum() < 3:
            z = z * 2
            w = z
        z[0] = 5
        return z, w

    def the_old_one_has_a_name(x: Any) -> Any:
        z, w = x * 1, x * 2
        if x.sum() < 3:
            w = z
            z = z * 2
        z[0] = 5
        w[1] = 6
        return z, w

    def two_names_in_both_ways(x: Any) -> Any:
        if x.sum() < 3:
            z = x * 2
            w = z
        else:
            z = w = x * 3
        z[0] = 5
        return z, w

    rng = np.random.default_rng(5)
    programs = (
        two_names_in_both_ways, in_a_list, under_another_name, changed_in_one_way, its_own, two_names,
        the_old_one_has_a_name,
    )  # fmt: skip
    for program in programs:
        accelerated: Any = accelerate(program, always=True)
        for scale in (1.0, 2.0, 0.3, 1.0):
            x = (0.1 + rng.random(6)) * scale
            assert_same(program(x.copy()), accelerated(x.copy()))
