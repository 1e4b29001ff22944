"""Classes of the user's in the drop-in namespace: what has ``__array__``, and what is derived from `ndarray`."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Hashable, Iterable
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
