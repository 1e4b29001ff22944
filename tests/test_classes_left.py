"""What is left of classes after a call, what meets their objects, and what threads do."""

from __future__ import annotations

import dataclasses
import enum
import functools
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same, check, ramp
from tests.test_classes import Loud, State, untyped

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


class Summing(threading.Thread):
    """Computes in a thread of its own."""

    def __init__(self, x: Any):
        super().__init__()
        self.x, self.total = x, None

    def run(self) -> None:
        self.total = self.x.sum()


def _in_a_thread(x: Any) -> Any:
    one = Summing(x)
    one.start()
    one.join()
    return x + one.total


def _in_a_pool(x: Any) -> Any:
    with ThreadPoolExecutor(2) as pool:
        return x + sum(pool.map(np.sum, [x[:3], x[3:]]))


@pytest.mark.parametrize("function", [_in_a_thread, _in_a_pool])
def test_what_threads_compute_is_computed_at_each_call(function: Callable[[Any], Any]) -> None:
    accelerated: Any = accelerate(function, always=True)
    for k in range(4):
        x = np.arange(6.0) + k
        assert_same(function(x), accelerated(x))


class Mode(enum.IntEnum):
    EULER = 1
    LEAPFROG = 2


class Twice(int):
    def __radd__(self, other: Any) -> Any:
        return "radd"


NUMBERS: list[Callable[[Any, float, int], Any]] = [
    lambda x, a, n: x * 2 if n == Mode.LEAPFROG else x + 100,
    lambda x, a, n: (n != Mode.LEAPFROG, Mode.LEAPFROG == n, n in (Mode.LEAPFROG,), n in [Mode.EULER]),
    lambda x, a, n: {untyped(Mode.LEAPFROG): 1}.get(int(x[1]), 7),
    lambda x, a, n: (a * Mode.LEAPFROG, Mode.EULER - a, n // Mode.LEAPFROG, a < Mode.EULER, max(n, Mode.EULER)),
    lambda x, a, n: (print(end=""), float(x[0]) * Mode.LEAPFROG, Mode.LEAPFROG**n, n & Mode.LEAPFROG),
    lambda x, a, n: (a + Twice(1), n + Twice(1), Twice(1) + n, divmod(n, Mode.LEAPFROG)),
]


@pytest.mark.parametrize("function", NUMBERS)
def test_numbers_of_users_classes_meet_arguments(function: Callable[..., Any]) -> None:
    check(function, lambda k: (np.full(3, 2.0), 1.5, 1 + k % 2), calls=4)


@dataclass(frozen=True)
class Key:
    a: int
    b: str = "b"


TABLE = {Key(1): 2.0}


class Named:
    def __init__(self, n: int):
        self.n = n

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.n == other.n

    def __hash__(self) -> int:
        return hash(self.n)


SEEN = {Named(1)}


def test_keys_are_found_by_other_objects() -> None:
    def function(x: Any, given: Any) -> Any:
        found = Key(1) in TABLE, Key(3) in given, Key(1) == Key(1, "c"), Named(1) in SEEN
        return x * TABLE[Key(1)] + given[Key(2)], found

    check(function, lambda k: (np.arange(3.0) + k, {Key(2): 1.0}), calls=3)


class Base:
    found: Any = None

    def __init__(self, x: Any):
        self.x, self.kind = x, type(self)

    def value(self) -> Any:
        return self.x

    @classmethod
    def shared(cls) -> Any:
        if cls.found is None:
            cls.found = np.zeros(2)
        return cls.found


class Derived(Base):
    def value(self) -> Any:
        return -self.x


def test_subclasses_are_the_users() -> None:
    def function(x: Any) -> Any:
        made = [kind(x) for kind in Base.__subclasses__()]
        return made, Derived.__mro__[1] is Base, Derived.__bases__[0] is Base, "value" in Derived.__dict__

    check(function, ramp(5), calls=3)
    assert Base.__subclasses__() == [Derived]
    assert all(type(kind) is type for kind in Base.__subclasses__())


def test_arrays_that_a_class_gets_are_arrays() -> None:
    def function(x: Any) -> Any:
        Base.shared()[0] += x[1]
        return Base.shared() * 2

    def run(f: Any) -> Any:
        Base.found = None
        return [(f(np.arange(3.0)), Base.found.copy(), type(Base.found)) for _ in range(3)]

    assert_same(run(function), run(accelerate(function)))


KINDS_IN: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "keys": lambda x, d, s, o: d.__setitem__(Base, x[0]),
    "a set": lambda x, d, s, o: s.add(Derived(x[0]).kind),
    "an attribute": lambda x, d, s, o: d.__setitem__(1, [Derived(x[0]).kind]),
    "a result": lambda x, d, s, o: {Derived: x[0], (1, Base): 2},
}


@pytest.mark.parametrize("what", KINDS_IN)
def test_traced_classes_are_left_nowhere(what: str) -> None:
    accelerated: Any = accelerate(KINDS_IN[what], always=True)
    for _ in range(3):
        d: dict[Any, Any] = {}
        s: set[Any] = set()
        found = accelerated(np.arange(3.0), d, s, None) or {}
        kinds = [k for key in (*d, *s, *found) for k in (key if isinstance(key, tuple) else (key,))]
        kinds += d.get(1, [])
        assert kinds
        assert all(k is Base or k is Derived for k in kinds if isinstance(k, type))


@dataclass(slots=True)
class Slotted:
    a: Any


class Triple(tuple[Any, ...]):
    def __new__(cls, *items: Any) -> Triple:
        return super().__new__(cls, items)


def test_methods_slots_and_closures_hold_arrays() -> None:
    def function(x: Any) -> Any:
        made = Base(x[0] * 2)
        return [made.value, functools.partial(Base.value, made), lambda: made.x], Slotted(x[0] * 2), Triple(x[0], 2)

    accelerated: Any = accelerate(function)
    for _ in range(3):
        calls, slotted, triple = accelerated(np.arange(3.0) + 1)
        assert [type(f()) for f in calls] == [np.float64] * 3
        assert type(slotted.a) is np.float64
        assert type(triple) is Triple
        assert triple == (1.0, 2)


def test_lists_and_arrays_at_several_places_are_one() -> None:
    def function(x: Any) -> Any:
        rows, part, known = [x[0]], x[:3], {"a": x * 2}
        return Base(rows), Base(rows), part, Base(part), known, [known]

    accelerated: Any = accelerate(function, always=True)
    for _ in range(3):
        a, b, part, c, known, others = accelerated(np.arange(5.0))
        assert a.x is b.x
        assert c.x is part
        assert others[0] is known


class Single:
    one: ClassVar[Any] = None
    n: int

    def __new__(cls) -> Single:
        if cls.one is None:
            cls.one = super().__new__(cls)
            cls.one.n = 0
        return cls.one  # type: ignore[no-any-return]

    def hit(self) -> int:
        self.n += 1
        return self.n


class Remembers:
    calls = 0

    @functools.lru_cache(maxsize=4)  # noqa: B019
    def f(self, n: int) -> int:
        Remembers.calls += 1
        return n


def _swaps(x: Any, o: Any) -> Any:
    if x.sum() > 3:
        o.__class__ = Derived
    return o.value(), x + 1


def _singles(x: Any, o: Any) -> Any:
    if x.sum() > 3:
        Single().hit()
    return x + 1


def _not_taken(x: Any, o: Any) -> Any:
    if x.sum() > 1e6:
        Remembers().f(2)
        Single().n += 1
    return x + 1


def _pickles(x: Any, o: Any) -> Any:
    return pickle.loads(pickle.dumps(Loud(x * 2))).y + 1


def _shows(x: Any, o: Any) -> Any:
    shown = ""
    if x.sum() > 3:
        shown = repr(State(float(x[0])))
    return shown, dataclasses.asdict(State(1))


@pytest.mark.parametrize("function", [_swaps, _singles, _not_taken, _pickles, _shows])
@pytest.mark.parametrize("always", [False, True])
def test_the_rest_of_what_classes_do(function: Callable[..., Any], always: bool) -> None:
    def run(f: Any) -> Any:
        Single.one, Remembers.calls = None, 0
        found = []
        for k in range(4):
            o = Base(2.0)
            found.append((f(np.arange(3.0) + k % 2, o), type(o), Single.one and Single.one.n, Remembers.calls))
        return found

    assert_same(run(function), run(accelerate(function, always=always)))
