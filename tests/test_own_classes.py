"""Classes of the user's in the drop-in namespace: what has ``__array__``, and what is derived from `ndarray`."""

from __future__ import annotations

import inspect
import pickle
import sys
from collections.abc import Hashable, Iterable
from types import ModuleType
from typing import Any, get_args, get_origin

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.array import LazyArray

pytestmark = [
    pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


def grid(m: Any, knows_copy: bool = True) -> Any:
    """An object that holds an array of a namespace."""

    class Grid:
        def __init__(self) -> None:
            self.data = m.arange(9.0).reshape(3, 3)

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return m.array(self.data, dtype=dtype, copy=copy)

    class Old(Grid):
        def __array__(self, dtype: Any = None) -> Any:  # type: ignore[override]
            return self.data if dtype is None else self.data.astype(dtype)

    return Grid() if knows_copy else Old()


TAKEN = """
np.sum(g)
np.mean(g, axis=0)
np.add(g, 1)
np.median(g)
np.linalg.norm(g)
np.concatenate([g, g])
np.array([g, g])
np.array([[g], [g]]).shape
np.stack([g, np.ones((3, 3))])
np.dot(g, g)
np.where(g, 1, 0)
np.sort(g, axis=None)
np.unique(g)
np.asarray(g, dtype=int)
np.nanmedian(g)
np.apply_along_axis(np.sum, 0, g)
np.percentile(g, 50)
np.ones((3, 3)) * g
np.ones((3, 3)) @ g
g.data + np.array(g)
assigned(np.zeros((3, 3)), g)
assigned(np.zeros((3, 3), int), g)
"""


@pytest.mark.parametrize("line", TAKEN.split("\n")[1:-1])
@pytest.mark.parametrize("knows_copy", [False, True])
def test_objects_that_give_lazy_arrays(line: str, knows_copy: bool) -> None:
    def assigned(x: Any, value: Any) -> Any:
        x[:] = value
        return x

    mine, theirs = (eval(line, {"np": m, "g": grid(m, knows_copy), "assigned": assigned}) for m in (lnp, np))
    assert np.array_equal(np.asarray(mine), np.asarray(theirs))
    assert np.asarray(mine).dtype == np.asarray(theirs).dtype


@pytest.mark.parametrize("knows_copy", [False, True])
@pytest.mark.parametrize("function", ["array", "asarray"])
def test_what_is_shared_with_such_an_object(function: str, knows_copy: bool) -> None:
    states = []
    for m in (np, lnp):
        g = grid(m, knows_copy)
        found = getattr(m, function)(g)
        found[0] = -1
        states.append((g.data.tolist(), found.tolist()))
    assert states[0] == states[1]


def derived(m: Any) -> list[Any]:
    """A program with a class as NumPy's manual derives one."""

    class Info(m.ndarray):  # type: ignore[misc]
        def __new__(cls, given: Any, info: str = "") -> Any:
            found = m.asarray(given).view(cls)
            found.info = info
            return found

        def __array_finalize__(self, made_of: Any) -> None:
            self.info = getattr(made_of, "info", "")

    class Made(m.ndarray):  # type: ignore[misc]
        def __new__(cls, shape: Any) -> Any:
            return super().__new__(cls, shape)

    x = Info([1.0, 2.0, 3.0], "m")
    x[0] = 5
    y = Made((2,))
    y[:] = 2
    return [
        type(x).__name__, x.info, x[1:].info, (x + 1).info, type(x + m.arange(3)).__name__, x.sum(), m.sqrt(x), y * 2,
        x.view(m.ndarray) * 2, isinstance(x, m.ndarray), issubclass(Info, m.ndarray), type(y).__name__, repr(x),
    ]  # fmt: skip


def test_derived_classes_are_numpys() -> None:
    for mine, theirs in zip(derived(lnp), derived(np), strict=True):
        assert np.array_equal(np.asarray(mine), np.asarray(theirs))
    assert not issubclass(int, lnp.ndarray)


def test_views_as_classes() -> None:
    x = lnp.arange(4.0)
    for same in (x.view(lnp.ndarray), x.view(type=np.ndarray), x.view()):
        assert isinstance(same, LazyArray)
        same[0] += 1
    assert np.asarray(x).tolist() == [3, 1, 2, 3]
    assert np.array_equal(np.asarray(x.view(np.int64, lnp.ndarray)), np.asarray(x).view(np.int64))
    assert type(lnp.eye(2).view(np.matrix)) is np.matrix
    memory = lnp.arange(6.0)
    made = lnp.ndarray((2, 2), buffer=memory)
    made[1, 1] = 9
    assert np.asarray(memory).tolist() == [0, 1, 2, 9, 4, 5]


MEMBERS = """
list(map(m.ndarray.sum, [x, x[1:]]))
m.ndarray.dot(x, x)
m.ndarray.__getitem__(x, 2)
m.ndarray.__repr__(x)
m.ndarray.__eq__(x, x)
m.ndarray.shape.__get__(x)
m.ndarray.flatten(x, order="F")
m.ndarray.sum(m.array(["a", "b"], dtype=object))
pickle.loads(pickle.dumps(m.ndarray.sum))(x)
m.ndarray.sum.__name__, m.ndarray.T.__name__
inspect.ismethoddescriptor(m.ndarray.sum)
type(m.array(["a"])).__array_ufunc__ in (None, m.ndarray.__array_ufunc__)
type(x).__array_ufunc__ in (None, m.ndarray.__array_ufunc__)
issubclass(m.ndarray, Iterable), issubclass(m.ndarray, Hashable)
[type(y) == m.ndarray for y in (x, x[1:], m.array(["a"]), [1.0], 1.0)]
[type(y) != m.ndarray for y in (x, [1.0])]
[type(y) in (list, m.ndarray) for y in (x, [1.0], 1.0)]
[{m.ndarray: "array", list: "list"}.get(type(y)) for y in (x, x[1:], [1.0], 1.0)]
[y.__class__ is m.ndarray for y in (x, x[1:], x[0])], x.__class__.__name__
m.ndarray == m.matrix, m.ndarray in (int, float), m.ndarray == int
get_origin(m.ndarray[Any, m.dtype[m.float64]]) is m.ndarray, get_args(m.ndarray[Any, int])
"""


@pytest.mark.parametrize("line", [line for line in MEMBERS.splitlines() if line])
def test_the_class_itself(line: str) -> None:
    """What programs do with ``np.ndarray`` and with ``type(x)``: methods by the class, tables, comparisons, types."""
    names = {"pickle": pickle, "inspect": inspect, "Iterable": Iterable, "Hashable": Hashable, "Any": Any,
             "get_origin": get_origin, "get_args": get_args}  # fmt: skip
    expected, found = (repr(eval(line, {**names, "m": m, "x": m.arange(4.0)})) for m in (np, lnp))
    assert found == expected


def test_members_write_as_numpys_do() -> None:
    """Attributes that are set, and methods that change an array, by the class; what takes no part is refused."""
    kind: Any = lnp.ndarray
    x = lnp.zeros((2, 3))
    kind.shape.__set__(x, (3, 2))
    kind.fill(x, 3)
    kind.__setitem__(x, 0, 1)
    assert kind.__iadd__(x, 1) is x
    assert np.asarray(x).tolist() == [[2, 2], [4, 4], [4, 4]]
    with pytest.raises(TypeError, match=r"doesn't apply to a 'list' object"):
        kind.sum([1, 2])
    with pytest.raises(TypeError):
        kind[()]

    class Negative(kind):  # type: ignore[misc]
        def sum(self, *args: Any, **kwargs: Any) -> Any:
            return -kind.sum(self, *args, **kwargs)

        def __mul__(self, other: Any) -> Any:
            return kind.__mul__(self, other)

    own: Any = lnp.arange(3.0).view(Negative)
    assert own.sum() == -3
    assert type(own * lnp.ones(3)) is Negative


PROTOCOLS = """
d + d
d * 3
np.sin(d), np.exp(d)
d + x
x * d
np.multiply(x, d)
x - d
np.subtract(d, 1)
np.tan(d)
x @ d
np.add.reduce(d)
np.maximum.outer(x, r), np.maximum.reduce(r), np.maximum.accumulate(r, axis=1), np.maximum.reduceat(r, [0])
np.maximum.at(x, 0, r)
np.add(x, 1, out=r), np.add(x, 1, r), np.modf(x, r, r)
x > r, x ** r, divmod(x, r), x.__iadd__(r), np.matmul(r, x)
np.sum(d), np.mean(d), np.linalg.inv(d), np.fft.fft(d)
np.concatenate([d, d]), np.concatenate([d, x], axis=0)
np.dot(x, d), np.dot(d, x), np.where(x > 1, d, x)
np.median(d)
np.stack([d, x])
np.mean(f), np.mean(f, axis=0), np.mean(a=f)
np.vstack([f, x]), np.linalg.solve(x, f), np.interp(x, f, x), np.einsum("i,i", x, f), np.shape(f), np.ndim(f)
np.cumsum(x, out=f), np.copyto(x, f), np.isin(x, f), np.result_type(f, x), np.block([f, [x, 1]]), np.savetxt("x", f)
np.sum([1, 2], axis=f)
np.concatenate([sub, f]), np.concatenate([f, sub]), np.mean(sub)
np.asarray(d), np.array(d) + 1
isinstance(np.add, np.ufunc), isinstance(np.matmul, np.ufunc), isinstance(np.sum, np.ufunc)
own + x, x + own, own * 2, np.sin(own), np.add(x, own), np.add(own, x, out=x), own.sum(), type(own + x).__name__
np.mean(own), np.concatenate([own, x]), own[x > 1], np.where(x > 1, own, x)
"""
CLASSES = '''
HANDLED = {}

def implements(function):
    def register(own):
        HANDLED[function] = own
        return own
    return register

class Diagonal:
    def __init__(self, n, value):
        self.n, self.value = n, value
    def __repr__(self):
        return f"Diagonal({self.n}, {self.value})"
    def __array__(self, dtype=None, copy=None):
        return self.value * np.eye(self.n, dtype=dtype)
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method != "__call__" or not (ufunc is np.add or ufunc == np.multiply or ufunc in (np.sin, np.subtract)
                                        or ufunc in {np.exp: 1}):
            return NotImplemented
        values = []
        for x in inputs:
            if isinstance(x, np.ndarray):
                return "an array", ufunc.__name__, x.tolist()
            values.append(x.value if isinstance(x, Diagonal) else x)
        return Diagonal(self.n, float(ufunc(*values, **kwargs)))
    def __array_function__(self, func, types, args, kwargs):
        if func not in HANDLED:
            return NotImplemented
        return HANDLED[func](*args, **kwargs), [issubclass(t, (Diagonal, np.ndarray)) for t in types], \\
            [t is np.ndarray for t in types]
    def __add__(self, other):
        return np.add(self, other)
    def __mul__(self, other):
        return np.multiply(self, other)

@implements(np.sum)
def of_sum(a, **kwargs):
    return a.value * a.n

for name in ("concatenate", "dot", "where", "mean", "linalg.inv", "fft.fft"):
    function = np
    for part in name.split("."):
        function = getattr(function, part)
    HANDLED[function] = lambda *args, name=name, **kwargs: (name, len(args), sorted(kwargs))

class Asked:
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return ufunc is np.maximum, isinstance(ufunc, np.ufunc), ufunc.__name__, method, \\
            [type(x) == np.ndarray for x in inputs], sorted(kwargs), len(kwargs.get("out", ()))

class AskedFor:
    def __array_function__(self, func, types, args, kwargs):
        return func is np.mean, func.__name__, func.__module__, [t is np.ndarray for t in types], len(args), \\
            sorted(kwargs), type(self).__name__

class Sub(AskedFor):
    pass

class Own(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        given = [x.view(np.ndarray) if isinstance(x, Own) else x for x in inputs]
        if out is not None:
            kwargs["out"] = tuple(x.view(np.ndarray) if isinstance(x, Own) else x for x in out)
        found = super().__array_ufunc__(ufunc, method, *given, **kwargs)
        return found if np.ndim(found) == 0 or ufunc is np.sin else np.asarray(found).view(Own)
    def __array_function__(self, func, types, args, kwargs):
        return "Own", func in (np.mean, np.where), super().__array_function__(func, types, args, kwargs)

d, r, f, sub, x = Diagonal(3, 2.0), Asked(), AskedFor(), Sub(), np.arange(3.0)
own = (np.arange(3.0) + 1).view(Own)
'''


def outcome(line: str, m: Any, name: str) -> str:
    """What a line gives, or raises, where the classes are of a module that has NumPy from `m`."""
    module: Any = ModuleType(name)
    module.np = m
    sys.modules[name] = module
    try:
        exec(CLASSES, vars(module))
        return repr(eval(line, vars(module))).replace(name, "module")
    except Exception as error:  # noqa: BLE001  compared
        return f"{type(error).__name__}: {error}".replace(name, "module")
    finally:
        del sys.modules[name]


@pytest.mark.parametrize("line", [line for line in PROTOCOLS.splitlines() if line])
def test_classes_that_take_numpys_functions(line: str) -> None:
    """``__array_ufunc__`` and ``__array_function__`` are asked when NumPy asks, and given what the program knows."""
    assert outcome(line, lnp, "classes_of_lazyarr") == outcome(line, np, "classes_of_numpy")


def test_packages_that_have_numpy_itself() -> None:
    """They are given NumPy's functions, classes and arrays."""
    name = "classes_of_others"
    module: Any = ModuleType(name)
    module.np = np
    sys.modules[name] = module
    try:
        exec(CLASSES, vars(module))
        x = lnp.arange(3.0)
        assert lnp.mean(module.f) == module.f.__array_function__(np.mean, (module.AskedFor,), (module.f,), {})
        assert lnp.concatenate([module.d, x]) == np.concatenate([module.d, np.arange(3.0)])
        assert lnp.maximum(x, module.r)[:2] == (True, True)
    finally:
        del sys.modules[name]
