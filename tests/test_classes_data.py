"""Data of classes that nothing stands for in traced code: with metaclasses, slots, ``__new__``, bases written in C.

What such data, or a container, holds and the function has by another way too. And containers whose methods are the
user's own: what looks for lazyarr's own values in them calls none of these.
"""

from __future__ import annotations

import copy
import pickle
import types
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.written import module_of

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")

WORLD = """
import enum, typing
from collections import deque
import numpy as np

class Meta(type):
    pass

class WithMeta(metaclass=Meta):
    table, d, a, _cache, count = [], {}, np.zeros(4), {}, 0

    def __init__(self, x):
        self.x = x
        WithMeta.table.append(x.sum())

    def value(self):
        self.d["k"] = self.x * 2
        return self.x.sum()

class Slotted:
    __slots__ = ("x",)
    table, d, a = [], {}, np.zeros(4)

    def __init__(self, x):
        self.x = x
        Slotted.table.append(x.sum())

    def value(self):
        self.d["k"] = self.x * 2
        self.a[0] += 1
        return self.x.sum()

class New:
    registry = []

    def __new__(cls, x):
        made = object.__new__(cls)
        cls.registry.append(made)
        return made

    def __init__(self, x):
        self.x = x

class Noted:
    subclasses = []

    def __init_subclass__(cls):
        cls.subclasses.append(cls)

class Deriving(Noted):
    seen = {}

    def go(self, x):
        self.seen["a"] = x * 2
        return x.sum()

class Problem(Exception):
    log = []

    def __init__(self, v):
        self.log.append(v)

class Many(list):
    all = []

    def add(self, v):
        self.append(v)
        self.all.append(v)

class Guarded(list):
    def __iter__(self):
        raise RuntimeError("asked")

class Giving:
    __slots__ = ("x",)

    def __getattr__(self, name):
        return 5

class Kind(enum.Enum):
    A, B = 1, [1, 2]

class Pair(typing.NamedTuple):
    a: float
    b: int = 2

class Single:
    one = None

    def __new__(cls):
        if cls.one is None:
            cls.one = object.__new__(cls)
            cls.one.n, cls.one.a = 0, np.zeros(5)
        return cls.one

    def hit(self, x):
        self.n += 1
        self.a += x
        return self.a.sum()

single, array, listed = Single(), np.arange(5.0), [1]
queue = deque([array, listed])
slotted, many, guarded, giving = Slotted(np.ones(3)), Many(), Guarded([1, 2]), Giving()
Slotted.table.clear()

def state():
    return repr((
        WithMeta.table, WithMeta.d, WithMeta.a, WithMeta._cache, WithMeta.count, Slotted.table, Slotted.d, Slotted.a,
        vars(single), array, listed, queue,
        [made.x for made in New.registry], Deriving.seen, Problem.log, Many.all, list(many), len(guarded), slotted.x,
    ))
"""
BODIES = """
WithMeta.table.append(x.sum()); return x
WithMeta.d["a"] = x * 2; return len(WithMeta.d)
WithMeta.a[0] += 1; return WithMeta.a.sum()
WithMeta.a[:] = WithMeta.a + x[1]; return WithMeta.a * 2
WithMeta._cache["x"] = x; WithMeta.count += 1; return WithMeta.count
return WithMeta(x).value()
Slotted.table.append(x.sum()); return len(Slotted.table)
Slotted.a += x[1]; return Slotted(x).value()
r = slotted.value(); slotted.x = x; slotted.d["z"] = x + 1; return r
for k in range(4): Slotted.table.append(x[k])@return x.sum()
s = 0.0@for k in range(4): s = s + Slotted(x[k:]).value()@return s
return New(x).x.sum()
Deriving.seen["b"] = x; return Deriving().go(x)
try: raise Problem(x.sum())@except Problem: return len(Problem.log)
many.add(x.sum()); return len(Many.all)
several = Many(); several.add(x.sum() * 2); return len(Many.all), several
guarded.append(1); return len(guarded), x.sum()
guarded.append(x.sum()); return len(guarded)
return giving.y + x.sum()
giving.x = x * 2; return giving.x.sum()
return single.hit(x), Single() is single
return Single().hit(x), Single() is single, single.n
print("once"); return single.hit(x), Single() is single
print("once"); single.n += 1; return Single.one.n
print("once"); return single.hit(x) + Single().hit(x) + Single.one.n
queue.append(x.sum()); array[0] += 1; return queue[0].sum()
array[0] += 1; queue.append(x.sum()); return queue[0].sum()
queue.append(1); listed.append(2); return len(queue[1])
return Kind.A.value + Kind.B.value[0] + x, Pair(x.sum()).a + Pair(2.0).b
""".strip().splitlines()


def module(body: str) -> types.ModuleType:
    text = f"{WORLD}\ndef function(x):\n    " + body.replace("@", "\n    ") + "\n"
    return module_of(text, f"<{body}>")


@pytest.mark.parametrize("body", BODIES)
def test_data_of_classes_is_as_python_leaves_it(body: str, capsys: pytest.CaptureFixture[str]) -> None:
    def run(made: Any, function: Any) -> list[Any]:
        return [(repr(function(np.arange(5.0) + k)), made.state(), capsys.readouterr().out) for k in range(3)]

    plain, own = module(body), module(body)
    assert run(own, accelerate(own.function, always=True)) == run(plain, plain.function)


class _Copied:
    def __init__(self) -> None:
        self.x = np.zeros(3)


def test_classes_of_objects_that_were_copied_before() -> None:
    copy.deepcopy(_Copied())
    assert "__slotnames__" in vars(_Copied)  # which `copy` notes there

    def function(x: Any, seen: list[str]) -> Any:
        seen.append("acts")
        print("acts")
        found = [copy.deepcopy(_Copied()), copy.copy(_Copied()), pickle.loads(pickle.dumps(_Copied()))]
        for k, one in enumerate(found):
            one.x = one.x + x * k
        return [one.x for one in found]

    accelerated: Any = accelerate(function)
    for _ in range(3):
        ours: list[str] = []
        np.testing.assert_array_equal(accelerated(np.arange(3.0), ours), function(np.arange(3.0), []))
        assert ours == ["acts"]


def test_arrays_of_other_libraries_meet_the_numbers_of_the_call() -> None:
    class Strict:
        """Takes what it knows, as arrays of jax do."""

        def __init__(self, x: Any):
            self.x = x

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.asarray(self.x, dtype)

        def __add__(self, other: Any) -> Any:
            if type(other) not in (int, float, np.ndarray):
                raise TypeError(f"a {type(other)}")
            return Strict(self.x + other)

    Strict.__module__ = "some_library"

    def function(given: Any, c: float, x: Any) -> Any:
        return (given + c).x, (given + x).x * c

    accelerated: Any = accelerate(function)
    for c in (1.5, 2.5, 3.5):
        ours, theirs = (f(Strict(2.0), c, np.arange(3.0)) for f in (accelerated, function))
        assert ours[0] == theirs[0]
        np.testing.assert_array_equal(ours[1], theirs[1])
