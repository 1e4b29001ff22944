"""Attributes that a function sets on classes, those that Python itself looks at too; abstract classes; special methods.

Each class is made anew for each run, and looked at after each call.
"""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import io
import typing
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")

#: A function, and what it leaves behind.
Made = tuple[Callable[..., Any], Callable[[], Any]]


def classes() -> tuple[Any, Any]:
    class C:
        a: int = 1

        def __init__(self, x: Any):
            self.x = x

        def __add__(self, other: Any) -> Any:
            return C(self.x + other.x)

        def value(self) -> Any:
            return self.x * 2

        def __repr__(self) -> str:
            return "C"

    class D(C):
        def value(self) -> Any:
            return self.x * 3

        def __repr__(self) -> str:
            return "D"

        def size(self) -> Any:
            return len(self)  # type: ignore[arg-type]

    return C, D


def _texts() -> Made:
    c, d = classes()

    def function(x: Any) -> Any:
        c.__doc__ = "said at run time"
        c.__version__ = 3
        c.__name__, d.__qualname__, c.__module__ = "Other", "Made.D", "elsewhere"
        return c.__doc__, c(x).__doc__, c.__version__, c.__name__, d.__qualname__, c.__module__

    return function, lambda: (c.__doc__, c.__version__, c.__name__, d.__name__, d.__qualname__, c.__module__, str(c))


def _an_array() -> Made:
    c, d = classes()

    def function(x: Any) -> Any:
        c.__weight__ = x * 2
        d.__total__ = x.sum()
        return (d(x).__weight__ * x).sum() + d.__total__

    return function, lambda: (c.__weight__, d.__total__)


def _a_method() -> Made:
    c, d = classes()

    def length(self: Any) -> int:
        return 7

    def function(x: Any) -> Any:
        c.__len__ = length
        first = len(c(x)), d(x).size()
        d.__len__ = lambda self: 5
        second = len(c(x)), len(d(x)), d(x).size()
        del d.__len__
        return first, second, len(d(x))

    return function, lambda: (vars(c)["__len__"] is length, "__len__" in vars(d), len(d(1)))


def _an_operator() -> Made:
    c, d = classes()

    def function(x: Any) -> Any:
        old = c.__add__
        c.__add__ = lambda self, other: c(self.x - 2 * other.x + x)
        found = (d(x) + c(x * 3)).x
        c.__add__ = old
        return found, (d(x) + c(x * 3)).x

    return function, lambda: (d(1.0) + c(2.0)).x


def _an_initializer() -> Made:
    c, d = classes()

    def function(x: Any) -> Any:
        old = c.__init__

        def init(self: Any, x: Any) -> None:
            old(self, x + 1)

        c.__init__ = init
        c.__call__ = lambda self, y: self.x * y
        return c(x).x, d(x)(x).sum()

    return function, lambda: (c(2.0).x, c(2.0)(3.0))


def _equality() -> Made:
    c, d = classes()

    def function(x: Any) -> Any:
        c.__eq__ = lambda self, other: True
        c.__hash__ = lambda self: 4
        return hash(c(x)), c(x) == d(x), len({c(x), d(x)})

    return function, lambda: (c(1) == c(2), hash(d(1)))


def _of_a_dataclass() -> Made:
    @dataclasses.dataclass
    class Point:
        x: Any
        n: int = 3

    kind: Any = Point

    def function(x: Any) -> Any:
        kind.__doc__ = "a point"
        kind.__eq__ = lambda self, other: self.n == other.n
        kind.__hash__ = lambda self: self.n
        return kind(x) == kind(x * 2), kind(x, 4) == kind(x), {kind(x): 2}[kind(x)], kind.__match_args__

    return function, lambda: (kind(1) == kind(2), kind.__doc__, hash(kind(1)))


def _deleted() -> Made:
    c, d = classes()

    def function(x: Any) -> Any:
        one = d(x)
        first = one.value().sum(), repr(one)
        with contextlib.suppress(AttributeError):
            del d.value, d.__repr__
        return first, one.value().sum(), repr(one)

    return function, lambda: (sorted(vars(d)), repr(d(1)))


def _annotations() -> Made:
    c, _ = classes()

    def function(x: Any) -> Any:
        c.__annotations__["b"] = float
        c.a = c.a + 1
        return c(x).x.sum(), sorted(c.__annotations__), c.a

    return function, lambda: (c.__annotations__, c.a)


def _bases() -> Made:
    c, d = classes()

    class Mixin:
        def more(self) -> int:
            return 3

    def function(x: Any) -> Any:
        first = d(x).value().sum(), hasattr(d, "more")
        d.__bases__ = (c, Mixin)
        return first, d(x).more(), d(x).value().sum(), [kind.__name__ for kind in d.__mro__]

    return function, lambda: d.__mro__ == (d, c, Mixin, object)


def _its_own_class() -> Made:
    class Meta(type):
        pass

    c, _ = classes()

    def function(x: Any) -> Any:
        c.__class__ = Meta
        return c(x).x.sum(), isinstance(c, Meta)

    return function, lambda: type(c) is Meta


def _by_class_methods() -> Made:
    class C:
        @classmethod
        def up(cls) -> None:
            kind: Any = cls
            kind.__count__ = getattr(cls, "__count__", 0) + 1
            cls.__doc__ = f"the {kind.__count__}th"

    class D(C):
        pass

    c, d = typing.cast(Any, C), typing.cast(Any, D)

    def function(x: Any) -> Any:
        for _ in range(3):
            c.up()
        d.up()
        type(d()).up()
        return c.__count__, d.__count__, x.sum()

    return function, lambda: (c.__doc__, d.__doc__, c.__count__, vars(d)["__count__"])


def _lists() -> Made:
    class C:
        __registry__: typing.ClassVar[list[Any]] = []
        __table__: typing.ClassVar[dict[str, Any]] = {}
        __weights__ = np.ones(5)

    class D(C):
        pass

    def function(x: Any) -> Any:
        C.__registry__.append(x.sum() * 2)
        D.__table__["a"] = x * 2
        C.__weights__[0] += 1
        D.__weights__ += x
        return (C.__weights__ * x).sum(), len(D.__registry__)

    return function, lambda: (C.__registry__, C.__table__, C.__weights__)


def _after_an_error() -> Made:
    c, _ = classes()

    def function(x: Any) -> Any:
        c.__version__ = 3
        c.__doc__ = "set before the error"
        if x.sum() > 0:
            raise ValueError(c.__version__)
        return x

    return function, lambda: (c.__version__, c.__doc__)


def _refused() -> Made:
    c, _ = classes()

    def function(x: Any) -> Any:
        c.__name__ = 3

    return function, lambda: c.__name__


MADE = [
    _texts, _an_array, _a_method, _an_operator, _an_initializer, _equality, _of_a_dataclass, _deleted, _annotations,
    _bases, _its_own_class, _by_class_methods, _lists, _after_an_error, _refused,
]  # fmt: skip


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("make", MADE)
def test_what_is_set_on_classes_is_set(make: Callable[[], Made], always: bool) -> None:
    def run(accelerated: bool) -> list[Any]:
        function, state = make()
        function = accelerate(function, always=always) if accelerated else function
        found: list[Any] = []
        for k in range(3):
            try:
                found.append(function(np.arange(5.0) + k))
            except (ValueError, TypeError) as error:
                found.append(repr(error))
            found.append(repr(state()))
        return found

    assert_same(run(False), run(True))


# -- abstract classes ---------------------------------------------------------------------------------------


class Shape(abc.ABC):
    """An abstract class."""

    def __init__(self, x: Any):
        self.x = x

    @abc.abstractmethod
    def area(self) -> Any:
        """Of it."""


class Square(Shape):
    """One that is not."""

    def area(self) -> Any:
        return self.x**2


class Other:
    """What is no shape."""


ASKING: dict[str, Callable[[Any], Any]] = {
    "a number": lambda x: (isinstance(4, Shape), x.sum()),
    "an object": lambda x: (isinstance(Other(), Shape), isinstance(Other(), Square), Square(x).area().sum()),
    "one of it": lambda x: (isinstance(Square(x), Shape), isinstance(Square(x), Square), isinstance(x, Shape)),
    "a class": lambda x: (issubclass(int, Shape), issubclass(Square, Shape), issubclass(Shape, Square), x.sum()),
}


@pytest.mark.parametrize("what", ASKING)
def test_abstract_classes_say_what_is_no_object_of_theirs(what: str) -> None:
    accelerated = accelerate(ASKING[what], always=True)
    for k in range(3):
        x = np.arange(5.0) + k
        found = accelerated(x)  # (First: the classes remember what they have answered.)
        assert_same(ASKING[what](x), found)


def test_classes_are_registered_with_abstract_classes() -> None:
    def run(accelerated: bool) -> Any:
        class Registering(abc.ABC):  # noqa: B024
            pass

        class Deriving(Registering):
            pass

        def function(x: Any) -> Any:
            Registering.register(int)

            @Deriving.register
            class Local:
                pass

            kinds: Any = (Registering, Deriving)
            return [[isinstance(y, kind) for kind in kinds] for y in (3, 3.5, Local(), Other())], x.sum()

        called = accelerate(function, always=True) if accelerated else function
        return [(called(np.arange(5.0)), issubclass(int, Registering), issubclass(int, Deriving)) for _ in range(3)]

    assert_same(run(False), run(True))


# -- numbers that Python takes of special methods -------------------------------------------------------------


class Counting:
    """What has a number."""

    def __init__(self, x: Any, n: int):
        self.x, self.n = x, n

    def __hash__(self) -> int:
        return self.n

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counting) and self.n == other.n

    def __index__(self) -> int:
        return self.n + 1

    def __int__(self) -> int:
        return self.n + 2

    def __float__(self) -> float:
        return self.n * 0.5

    def __complex__(self) -> complex:
        return self.n * 1j

    def __len__(self) -> int:
        return self.n

    def __bool__(self) -> bool:
        return self.n > 2


NUMBERS: dict[str, Callable[[Any], Any]] = {
    "hash": hash,
    "a key": lambda c: {c: 3.0}[c],
    "index": lambda c: list(range(9))[c],
    "int": lambda c: int(c),
    "float": lambda c: float(c),
    "complex": lambda c: complex(c),
    "len": len,
    "bool": bool,
}


@pytest.mark.parametrize("printing", [False, True])
@pytest.mark.parametrize("what", NUMBERS)
def test_python_takes_numbers_of_special_methods(what: str, printing: bool) -> None:
    asked = NUMBERS[what]

    def function(x: Any, n: int) -> Any:
        c = Counting(x, n)
        if printing:
            print("made")
        return asked(c), x.sum()

    def run(called: Any) -> Any:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            results = [called(np.arange(5.0), n) for n in (3, 3, 4, 2)]
        return results, printed.getvalue()

    assert_same(run(function), run(accelerate(function, always=True)))
