"""Before a traced call acts on the world it looks ahead: what it cannot go on with may be reached in many ways.

It would begin again afterwards, and what has been printed would be printed twice.
"""

from __future__ import annotations

import contextlib
import io
import types
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.written import module_of

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")

#: `reached` is what cannot be gone on with: its two arrays share memory; or it can, where they do not.
WORLD = """
import functools, types
from collections import OrderedDict, defaultdict, deque, namedtuple
import numpy as np

A = np.arange(12.0)
B = MEMORY

def reached(x, k=1):
    B[0] += 1
    return (A[:4] + B + x[:4]).sum() * k

class Holding:
    table, data = {"f": reached}, B

    def __init__(self):
        self.f, self.k = reached, 2

    def method(self, x):
        self.k += 1
        return reached(x) * self.k

    @property
    def value(self):
        return reached(np.ones(5))

    @functools.cached_property
    def cached(self):
        return reached(np.ones(5))

    @staticmethod
    def static(x):
        return reached(x)

    @classmethod
    def of_class(cls, x):
        return reached(x)

    tripled = functools.partialmethod(lambda self, k, x: reached(x, k), 3)

class Inheriting(Holding):
    pass

class Slotted:
    __slots__ = ("f", "empty")

    def __init__(self):
        self.f = reached

    def method(self, x):
        return reached(x)

class Called:
    def __call__(self, x):
        return reached(x)

class Around:
    inner = Inheriting()

    def __init__(self):
        self.o = Inheriting()

class Kind(dict):
    pass

def decorated(f):
    @functools.wraps(f)
    def call(*args):
        return f(*args)
    return call

def by_table(x):
    return table["f"](x)

def apart():
    C = B + 1
    def first(x):
        C[0] += 1
        return (C + x[:4]).sum()
    def second(x):
        C[1] += 2
        return (C * x[:4]).sum()
    return first, second

Named = namedtuple("Named", "f k")
table, listed, nested, pair = {"f": reached, "k": 2}, [reached, 2], {"a": [{"f": reached}]}, (1, (reached,))
with_two, of_another = functools.partial(reached, k=2), functools.partial(lambda f, x: f(x), reached)
by_name, of_method = functools.partial(lambda x, f: f(x), f=reached), functools.partial(Inheriting().method)
of_array = functools.partial(lambda a, x: (a + A[:4] + x[:4]).sum(), B)
holding, slotted, called, around, bound = Inheriting(), Slotted(), Called(), Around(), Inheriting().method
methods, partials, kinds = {"f": Inheriting().method}, {"f": functools.partial(reached)}, [Inheriting]
ordered, default, kind = OrderedDict(f=reached), defaultdict(list, f=reached), Kind(f=reached)
named, queue, dispatched = Named(reached, 1), deque([reached]), functools.singledispatch(reached)
space, wrapped, objects = types.SimpleNamespace(f=reached), decorated(reached), np.array([reached, None])
first, second = apart()

def function(x):
    y = x * 2
    print("once")
    r = REACHED
    return r + y.sum()

function.f = reached
"""
REACHED = """
reached(x)
with_two(x)
of_another(x)
by_name(x)
of_method(x)
of_array(x)
table["f"](x)
table.get("f")(x)
listed[0](x)
nested["a"][0]["f"](x)
pair[1][0](x)
holding.f(x)
holding.method(x)
holding.value
holding.cached
holding.static(x)
holding.of_class(x)
holding.tripled(x)
holding.table["f"](x)
(holding.data + A[:4]).sum()
getattr(holding, "f")(x)
Inheriting.static(x)
Inheriting.table["f"](x)
Inheriting().table["f"](x)
Inheriting().f(x)
Inheriting().method(x)
(Inheriting.data + A[:4]).sum()
slotted.f(x)
slotted.method(x)
called(x)
around.o.f(x)
around.o.method(x)
around.inner.f(x)
around.inner.method(x)
bound(x)
methods["f"](x)
partials["f"](x)
kinds[0]().f(x)
kinds[0]().method(x)
ordered["f"](x)
default["f"](x)
kind["f"](x)
named.f(x)
queue[0](x)
dispatched(x)
space.f(x)
wrapped(x)
objects[0](x)
function.f(x)
by_table(x)
sum(map(with_two, [x]))
sum(f(x) for f in listed[:1])
functools.reduce(lambda s, f: s + f(x), listed[:1], 0.0)
(lambda f=table["f"]: f(x))()
first(x) + second(x)
""".strip().splitlines()


def module(shared: str, reached: str) -> types.ModuleType:
    text = WORLD.replace("REACHED", reached).replace("MEMORY", shared)
    return module_of(text, f"<{reached} of {shared}>")


def runs(made: Any, function: Any) -> list[Any]:
    """What three calls give, print, and leave behind."""
    found = []
    for k in range(3):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            result = function(np.arange(5.0) + k)
        found.append((repr(result), printed.getvalue(), made.A.tolist(), made.B.tolist(), made.holding.k))
    return found


@pytest.mark.parametrize("reached", REACHED)
def test_what_cannot_be_gone_on_with_is_found_before_anything_is_printed(reached: str) -> None:
    for shared in ("A[2:6]", "np.arange(4.0)"):
        plain, own = module(shared, reached), module(shared, reached)
        assert runs(own, accelerate(own.function, always=True)) == runs(plain, plain.function)


@pytest.mark.parametrize("reached", ["reached(x)", "with_two(x)", "holding.method(x)", "first(x) + second(x)"])
def test_what_can_be_gone_on_with_is_not_left_to_python(reached: str) -> None:
    own = module("np.arange(4.0)", reached)
    function: Any = accelerate(own.function, always=True)
    runs(own, function)
    assert list(function._pieces.values()) == ["calls print()"]
    assert not function._plain
