"""Classes of the user's in accelerated functions: objects made there, their methods, and what those do."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import io
import pickle
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same, check, programs, ramp

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")

NOTED: list[Any] = []


class Counted:
    """Counts its objects."""

    count = 0

    def __init__(self, x: Any):
        Counted.count += 1
        self.x = x

    def twice(self) -> Any:
        return self.x * 2


class Loud:
    """Prints wherever it is used."""

    def __init__(self, x: Any):
        print("made")
        self.x = x

    @classmethod
    def of(cls, x: Any) -> Loud:
        print("of")
        return cls(x)

    @staticmethod
    def plus(x: Any) -> Any:
        print("plus")
        return x + 1

    @property
    def y(self) -> Any:
        print("y")
        return self.x + 1

    def __add__(self, other: Any) -> Any:
        print("add")
        return self.x + other

    def __call__(self) -> Any:
        print("called")
        return self.x

    def __len__(self) -> int:
        print("len")
        return 3

    def __iter__(self) -> Iterator[Any]:
        print("iter")
        return iter([self.x, 2])

    def __enter__(self) -> Any:
        print("enter")
        return self.x

    def __exit__(self, *_: object) -> None:
        print("exit")


class Louder(Loud):
    """Prints by `super`."""

    def __init__(self, x: Any):
        super().__init__(x * 2)

    @property
    def y(self) -> Any:
        return super().y * 2


class Noting:
    """Writes to a global list."""

    def __init__(self, x: Any):
        NOTED.append(1)
        self.x = x


class Registered:
    """Has a list of its objects' numbers, that the class holds."""

    all: ClassVar[list[int]] = []

    def __init__(self, x: Any):
        self.all.append(len(self.all))
        self.x = x


class Tight:
    """Has slots."""

    __slots__ = ("x",)

    def __init__(self, x: Any):
        print("tight")
        self.x = x

    def loudly(self) -> Any:
        print("loudly")
        return self.x


@dataclass
class Posted:
    """A dataclass that prints."""

    x: Any

    def __post_init__(self) -> None:
        print("post")


def _each(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        total = 0.0
        for k in range(20):
            total = total + make(x[k])
        return total

    return function


def _branched(x: Any) -> Any:
    made = Posted(x) if x.sum() > 0 else Posted(-x)
    return made.x * 2


def _with(x: Any) -> Any:
    with Loud(x) as y:
        return y.sum()


ACTING: dict[str, Callable[[Any], Any]] = {
    "a counter of the class, in a loop": _each(lambda v: Counted(v).twice()),
    "a counter of the class": lambda x: Counted(x).twice().sum(),
    "a print, in a loop": _each(lambda v: Loud(v).x),
    "a print": lambda x: Loud(x).x.sum(),
    "a class method": lambda x: Loud.of(x).x.sum(),
    "a static method": lambda x: Loud.plus(x).sum(),
    "a static method, in a loop": _each(lambda v: Loud.plus(v)),
    "a property": lambda x: Loud(x).y.sum(),
    "a property, in a loop": _each(lambda v: Loud(v).y),
    "by super": lambda x: Louder(x).y.sum(),
    "by super, in a loop": _each(lambda v: Louder(v).y),
    "an operator": lambda x: (Loud(x) + 1).sum(),
    "an object that is called": lambda x: Loud(x)().sum(),
    "a length": lambda x: x.sum() * len(Loud(x)),
    "an iterator": lambda x: sum(y.sum() if np.ndim(y) else y for y in Loud(x)),
    "a context": _with,
    "a global list, in a loop": _each(lambda v: Noting(v).x),
    "a global list": lambda x: Noting(x).x.sum(),
    "a list of the class": lambda x: Registered(x).x.sum(),
    "a list of the class, in a loop": _each(lambda v: Registered(v).x),
    "slots": lambda x: Tight(x).loudly().sum(),
    "slots, in a loop": _each(lambda v: Tight(v).loudly()),
    "a dataclass": lambda x: Posted(x).x.sum(),
    "in a branch": _branched,
}


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("what", ACTING)
def test_effects_come_as_often_as_in_python(what: str, always: bool) -> None:
    def run(function: Callable[[Any], Any]) -> Any:
        Counted.count = 0
        NOTED.clear()
        Registered.all.clear()
        printed = io.StringIO()
        results = []
        with contextlib.redirect_stdout(printed):
            for k in range(3):
                results.append(function(np.linspace(0.5, 1.0 + k, 50)))
        return printed.getvalue(), Counted.count, len(NOTED), list(Registered.all), results

    assert_same(run(ACTING[what]), run(accelerate(ACTING[what], always=always)))


# -- objects that a function makes --------------------------------------------------------------------------


class Wave:
    """A simulation as many write it."""

    def __init__(self, u: Any, dt: float = 0.1):
        self.u = u.copy()
        self.v = np.zeros_like(u)
        self.dt, self.t = dt, 0.0
        self.energies: list[Any] = []

    def laplacian(self) -> Any:
        out = np.zeros_like(self.u)
        out[1:-1] = self.u[2:] - 2 * self.u[1:-1] + self.u[:-2]
        return out

    def step(self) -> None:
        self.v += self.dt * self.laplacian()
        self.u = self.u + self.dt * self.v
        self.t += self.dt

    def run(self, n: int) -> Any:
        for k in range(n):
            self.step()
            if k % 5 == 0:
                self.energies.append(float((self.v**2).sum()))
        return self

    @property
    def energy(self) -> Any:
        return (self.v**2).sum()


class Damped(Wave):
    """Another that inherits."""

    def step(self) -> None:
        super().step()
        self.v *= 0.9


@pytest.mark.parametrize("kind", [Wave, Damped])
def test_a_simulation_is_one_program(kind: type[Wave]) -> None:
    def main(u: Any) -> Any:
        sim = kind(u)
        sim.run(40)
        return sim.u, sim.t, sim.energies, sim.energy

    assert programs(check(main, ramp(3000), calls=3)) == 1


@pytest.mark.parametrize("kind", [Wave, Damped])
def test_an_object_that_is_returned_is_made_anew(kind: type[Wave]) -> None:
    accelerated = check(lambda u: kind(u).run(7), ramp(3000), calls=3)
    assert programs(accelerated) == 1
    one, other = accelerated(np.ones(3000)), accelerated(np.ones(3000))
    assert type(one) is kind
    assert one is not other
    one.u[0] = 5.0
    assert other.u[0] == 1.0
    assert one.run(3) is one


class Pair:
    """Holds what is put into it."""

    def __init__(self, a: Any, b: Any, other: Any = None):
        self.a, self.b, self.other = a, b, other


def test_what_objects_share_is_shared() -> None:
    def make(x: Any) -> Any:
        base = x * 2
        first = Pair(base, base[1:4])
        return [first, Pair(first, base, first)], {"base": base}

    accelerated: Any = accelerate(make, always=True)
    for _ in range(3):
        (first, second), found = accelerated(np.arange(6.0))
        assert second.a is first is second.other
        found["base"][2] = -1.0
        assert first.a[2] == first.b[1] == second.b[2] == -1.0
    assert programs(accelerated) == 1


def test_objects_that_hold_each_other() -> None:
    def make(x: Any) -> Any:
        parent = Pair(x + 1, None)
        parent.b = [Pair(x, 3, parent)]
        return parent

    accelerated: Any = accelerate(make, always=True)
    for _ in range(3):
        parent = accelerated(np.arange(6.0))
        assert parent.b[0].other is parent
        assert type(parent) is type(parent.b[0]) is Pair
        assert_same(parent.a, np.arange(6.0) + 1)
        assert_same(parent.b[0].a, np.arange(6.0))


def test_an_object_that_others_got_is_the_one_that_is_returned() -> None:
    kept: dict[str, Any] = {}

    def make(x: Any) -> Any:
        print(end="")
        made = Pair(x + 1, 2)
        functools.partial(kept.__setitem__, "made")(made)
        return made

    accelerated: Any = accelerate(make)
    for _ in range(3):
        made = accelerated(np.arange(6.0))
        assert type(made) is Pair
        assert type(kept["made"]) is Pair
        assert_same(np.asarray(kept["made"].a), np.arange(6.0) + 1)


def test_objects_in_what_the_caller_has() -> None:
    def fill(x: Any, into: Any, holder: Any) -> None:
        into.append(Pair(x * 2, 1))
        holder.other = into[-1]

    accelerated: Any = accelerate(fill, always=True)
    for _ in range(3):
        into: list[Any] = []
        holder = Pair(0, 0)
        accelerated(np.arange(6.0), into, holder)
        assert type(into[0]) is Pair
        assert holder.other is into[0]
        assert_same(into[0].a, np.arange(6.0) * 2)


def test_particles_in_a_list() -> None:
    class Particle:
        def __init__(self, x: Any, v: Any):
            self.x, self.v = x, v

        def move(self, dt: float) -> None:
            self.x = self.x + dt * self.v
            if self.x > 2:
                self.v = -self.v

    def main(x: Any, n: int) -> Any:
        particles = [Particle(x[k], x[k + 1]) for k in range(5)]
        for _ in range(n):
            for p in particles:
                p.move(0.1)
        return np.array([p.x for p in particles]), particles[0].v

    check(main, lambda k: (np.linspace(0.0, 2.0, 6), 30 + k), calls=3)


# -- what classes are to the program ------------------------------------------------------------------------


class Shape(ABC):
    """Has an abstract method."""

    scale = 2.0

    def __init__(self, x: Any):
        self.x = x

    @abstractmethod
    def area(self) -> Any:
        """What it covers."""

    def scaled(self) -> Any:
        return self.area() * self.scale


class Square(Shape):
    def area(self) -> Any:
        return self.x**2


class Disc(Shape):
    scale = 3.0

    def area(self) -> Any:
        return self.x**2 * np.pi

    @functools.cached_property
    def radius(self) -> Any:
        return self.x / 2


@dataclass
class State:
    """A dataclass with all that dataclasses have."""

    x: Any
    n: int = 3
    weight: float = 0.5
    rows: list[Any] = field(default_factory=list)

    def moved(self) -> State:
        return State(self.x + 1, self.n + 1, rows=[*self.rows, self.x])


@dataclass(frozen=True)
class Frozen:
    x: Any
    k: int = 1

    def more(self) -> Frozen:
        return Frozen(self.x * 2, self.k + 1)


def _untyped(x: Any) -> Any:
    return x


def _kinds(x: Any) -> Any:
    disc, square = Disc(x), Square(x)
    names = {Disc: 1, Square: 2}
    return (
        isinstance(disc, Shape), isinstance(disc, Square), isinstance(disc, (Disc, int)), type(disc) is Disc,
        _untyped(type(disc)) is type(square), names[type(square)], issubclass(Disc, Shape), disc.__class__ is Disc,
        type(disc).__name__, disc.scaled() + square.scaled() + disc.radius + disc.radius,
    )  # fmt: skip


def _old_way(x: Any) -> Any:
    class Local(Disc):
        def __init__(self, x: Any):
            Disc.__init__(self, x + 1)

    return Local(x).scaled()


def _frozen(x: Any) -> Any:
    made = Frozen(x).more()
    try:
        made.k = 3  # type: ignore[misc]
    except AttributeError as error:
        return type(error).__name__, made.x, made.k
    return None


KINDS: dict[str, Callable[[Any], Any]] = {
    "kinds": _kinds,
    "a class that is returned": lambda x: (type(Disc(x)), Disc, x + 1),
    "a factory": lambda x: [kind(x).area() for kind in (Disc, Square)],
    "a dataclass": lambda x: State(x).moved().moved(),
    "a frozen dataclass": _frozen,
    "a base class that is called": _old_way,
    "an attribute of the class": lambda x: (x * Disc.scale, Square.scale),
}


@pytest.mark.parametrize("what", KINDS)
def test_classes_are_what_they_are(what: str) -> None:
    check(KINDS[what], ramp(40), calls=3)


WRONG: list[Callable[[], Any]] = [
    lambda: _untyped(Shape)(1), lambda: _untyped(Counted)(), lambda: _untyped(Empty)(3), lambda: object.__new__(Pair).a,
    lambda: _untyped(Disc)(1).none, lambda: _untyped(Disc).none,
]  # fmt: skip


@pytest.mark.parametrize("make", WRONG)
def test_errors_are_pythons(make: Callable[[], Any]) -> None:
    def function(x: Any) -> Any:
        make()
        return x + 1

    with pytest.raises((TypeError, AttributeError)) as expected:
        function(np.ones(3))
    with pytest.raises(expected.type) as found:
        accelerate(function)(np.ones(3))
    assert str(found.value) == str(expected.value)


class Empty:
    """Takes no arguments."""


class Table:
    """Has arrays, lists and dicts of its own."""

    rows = np.arange(5.0)
    known: ClassVar[dict[str, Any]] = {"a": 1.0}

    def add(self, x: Any) -> None:
        self.rows[1:] += x
        self.known["a"] = self.known["a"] + 1.0


def test_what_a_class_holds_is_changed_where_the_function_changes_it() -> None:
    def function(x: Any) -> Any:
        table = Table()
        table.add(x[0])
        table.add(x[1])
        return table.rows.sum() + Table.known["a"]

    def run(function: Any) -> Any:
        Table.rows = np.arange(5.0)
        Table.known = {"a": 1.0}
        return [function(np.array([1.0, k])) for k in range(3)], Table.rows, dict(Table.known)

    assert_same(run(function), run(accelerate(function, always=True)))


def test_no_subclass_is_made_of_what_would_notice() -> None:
    subclasses: list[str] = []

    class Noticing:
        def __init_subclass__(cls, **kwargs: Any) -> None:
            subclasses.append(cls.__name__)

        def __init__(self, x: Any):
            self.x = x

        def twice(self) -> Any:
            return self.x * 2

    def function(x: Any, given: Any) -> Any:
        return Noticing(x).twice() + given.twice()

    check(function, lambda k: (np.arange(5.0) + k, Noticing(np.ones(5))), calls=3)
    assert subclasses == []


def test_an_object_whose_making_fails() -> None:
    left: list[Any] = []

    class Failing:
        def __init__(self, x: Any):
            left.append(self)
            self.x = x
            raise ValueError("no")

    def function(x: Any) -> Any:
        try:
            Failing(x)
        except ValueError as error:
            return str(error), x + 1
        return None

    check(function, ramp(6), calls=3)
    assert all(type(one) is Failing for one in left)


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


# -- programs in the way of the field -------------------------------------------------------------------------


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


# -- what is left of classes after a call, and what meets their objects -----------------------------------------


class Mode(enum.IntEnum):
    EULER = 1
    LEAPFROG = 2


class Twice(int):
    def __radd__(self, other: Any) -> Any:
        return "radd"


NUMBERS: list[Callable[[Any, float, int], Any]] = [
    lambda x, a, n: x * 2 if n == Mode.LEAPFROG else x + 100,
    lambda x, a, n: (n != Mode.LEAPFROG, Mode.LEAPFROG == n, n in (Mode.LEAPFROG,), n in [Mode.EULER]),
    lambda x, a, n: {_untyped(Mode.LEAPFROG): 1}.get(int(x[1]), 7),
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
