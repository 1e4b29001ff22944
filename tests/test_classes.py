"""Classes of the user's in accelerated functions: objects made there, their methods, and what those do."""

from __future__ import annotations

import contextlib
import functools
import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
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


def untyped(x: Any) -> Any:
    return x


def _kinds(x: Any) -> Any:
    disc, square = Disc(x), Square(x)
    names = {Disc: 1, Square: 2}
    return (
        isinstance(disc, Shape), isinstance(disc, Square), isinstance(disc, (Disc, int)), type(disc) is Disc,
        untyped(type(disc)) is type(square), names[type(square)], issubclass(Disc, Shape), disc.__class__ is Disc,
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
    lambda: untyped(Shape)(1), lambda: untyped(Counted)(), lambda: untyped(Empty)(3), lambda: object.__new__(Pair).a,
    lambda: untyped(Disc)(1).none, lambda: untyped(Disc).none,
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
