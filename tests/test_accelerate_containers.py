"""Sets, deques, arrays of objects, keys of dicts: what accelerated functions leave where lazyarr does not look."""

from __future__ import annotations

import collections
import copy
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

import lazyarr
from tests.acceleration import assert_same

Array = Any


class Body:
    """An object that is the same as itself alone."""

    def __init__(self, x: Any):
        self.x = np.array(x)
        self.count = 0


class Names(dict[str, Any]):
    """A dict of the user's own."""


class Items(list[Any]):
    """A list of the user's own."""


def _inside(value: Any) -> list[Any]:
    """What is in containers, however deep."""
    if isinstance(value, dict):
        return [x for pair in value.items() for x in _inside(pair)]
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return [x for item in value for x in _inside(item)]
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [x for item in value.ravel() for x in _inside(item)]
    return [value]


def into_set(d: Any, x: Any) -> None:
    d.add(x)


def into_deque(d: Any, x: Any) -> None:
    d.append(x)


def into_dict(d: Any, x: Any) -> None:
    d["a"] = x


def into_lists(d: Any, x: Any) -> None:
    d["a"].append(x)


def as_key(d: Any, x: Any) -> None:
    d[x] = 1


def into_element(d: Any, x: Any) -> None:
    d[1] = x


WAYS: list[tuple[Callable[[], Any], Callable[[Any, Any], None], bool]] = [
    (set, into_set, True),
    (collections.deque, into_deque, False),
    (lambda: collections.defaultdict(list), into_lists, False),
    (collections.OrderedDict, into_dict, False),
    (collections.Counter, as_key, True),
    (dict, as_key, True),
    (Names, into_dict, False),
    (Items, into_deque, False),
    (lambda: np.empty(2, object), into_element, False),
]


def put_number(put: Any, d: Any, n: Any, u: Any, b: Any) -> Any:
    put(d, n)
    return d, u.sum()


def put_computed(put: Any, d: Any, n: Any, u: Any, b: Any) -> Any:
    put(d, int(u[0] * n))
    return d, u.sum()


def put_scalar(put: Any, d: Any, n: Any, u: Any, b: Any) -> Any:
    put(d, u.sum())
    return d


def put_object(put: Any, d: Any, n: Any, u: Any, b: Any) -> Any:
    put(d, b)
    return d, u.sum()


def put_tuple(put: Any, d: Any, n: Any, u: Any, b: Any) -> Any:
    put(d, (n, b))
    return u.sum()


def put_array(put: Any, d: Any, n: Any, u: Any, b: Any) -> Any:
    put(d, u * n)
    return d


@pytest.mark.parametrize("way", range(len(WAYS)))
@pytest.mark.parametrize("function", [put_number, put_computed, put_scalar, put_object, put_tuple, put_array])
def test_what_is_put_into_containers_is_numpys_and_the_callers(way: int, function: Any) -> None:
    make, put, hashes = WAYS[way]
    if hashes and function is put_array:
        pytest.skip("arrays are not hashed")
    body, u = Body([1.0, 2.0]), np.array([1.5, 2.0, 3.0])
    expected, compiled = make(), lazyarr.accelerate(function, always=True)
    function(put, expected, 3, u, body)
    for _ in range(3):
        d = make()
        compiled(put, d, 3, u, body)
        assert type(d) is type(expected)
        found = _inside(d)
        for a, b in zip(found, _inside(expected), strict=True):
            assert type(a) is type(b)
            assert a is b if isinstance(b, Body) else np.array_equal(a, b)


def test_containers_made_by_the_function() -> None:
    def keep(b: Any, n: Any, u: Any) -> Any:
        grid = np.empty((2, 2), object)
        grid[0, 1] = (n, b)
        later = collections.deque([u * 2, n])
        return {b: u + 1, (n, b): n}, {n, b}, frozenset([n]), grid, later

    body, u = Body(1.0), np.arange(3.0)
    compiled = lazyarr.accelerate(keep, always=True)
    for _ in range(2):
        keys, members, frozen, grid, later = compiled(body, 4, u)
        assert list(keys) == [body, (4, body)]
        assert body in members and {type(x) for x in members} == {Body, int} and type(next(iter(frozen))) is int
        assert grid[0, 1] == (4, body) and type(grid[0, 1][0]) is int
        assert type(later[0]) is np.ndarray and type(later[1]) is int


def test_the_way_back_through_an_array_of_objects() -> None:
    def way_back(grid: Any, source: Any, target: Any) -> Any:
        before = np.empty(grid.shape, dtype=object)
        waiting = [source]
        x, y = target
        while waiting:
            a, b = waiting.pop()
            if (a, b) == target:
                path = []
                while (x, y) != source:
                    path.append((x, y))
                    x, y = before[x, y]
                return path
            for i in range(2):
                i, j = a + i, b + 1 - i
                if 0 <= i < grid.shape[0] and 0 <= j < grid.shape[1] and grid[i][j] == 1:
                    waiting.append((i, j))
                    before[i, j] = (a, b)
        return None

    grid = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1]])
    compiled = lazyarr.accelerate(way_back, always=True)
    for _ in range(3):
        assert compiled(grid, (0, 0), (2, 2)) == way_back(grid, (0, 0), (2, 2))


def is_member(d: Any, b: Any) -> Any:
    return b in d, b.x * 2


def is_there(d: Any, b: Any) -> Any:
    return any(x is b for x in d), b.x * 2


def counts_others(d: Any, b: Any) -> Any:
    for x in d:
        if x is not b:
            x.count += 1
        x.x += 1
    return b.x * 2


def writes_by_one_way(d: Any, b: Any) -> Any:
    b.x[0] = 10
    return [x.x.sum() for x in d]


@pytest.mark.parametrize("function", [is_member, is_there, counts_others, writes_by_one_way])
@pytest.mark.parametrize("make", [lambda x: {x}, lambda x: collections.deque([x]), lambda x: {x: 1}, lambda x: [x]])
def test_objects_that_are_reached_by_two_ways(function: Any, make: Any) -> None:
    compiled = lazyarr.accelerate(function, always=True)
    for _ in range(2):
        results = []
        for f in (function, compiled):
            a, b = Body([1.0, 2.0]), Body([2.0, 3.0])
            got = [f(make(a), x) for x in (a, b, a)]
            results.append((repr(got), repr(a.x), a.count, repr(b.x), b.count))
        assert results[0] == results[1]


def test_arrays_that_are_reached_by_two_ways() -> None:
    def f(kept: Any, u: Any) -> Any:
        u[0] = 10.0
        return kept[0].sum()

    u = np.arange(3.0)
    assert lazyarr.accelerate(f, always=True)(collections.deque([u]), u) == 13.0


def test_an_array_in_two_places_stays_one_array() -> None:
    class Run:
        def __init__(self) -> None:
            self.x = np.zeros(3)
            self.history: Any = collections.deque()

        def step(self, dt: float) -> None:
            self.x = self.x + dt
            self.history.append(self.x)

    run = Run()
    step = lazyarr.accelerate(Run.step, always=True)
    for _ in range(3):
        step(run, 0.5)
        assert run.history[-1] is run.x
    assert [float(x[0]) for x in run.history] == [0.5, 1.0, 1.5]


def _pairs(x: Any, keys: Any) -> Any:
    return zip(keys, x * 2), x.sum()


def _numbered(x: Any, keys: Any) -> Any:
    return enumerate(keys), x + 1


def _backwards(x: Any, keys: Any) -> Any:
    return reversed(keys), x + 1


def _mapped(x: Any, keys: Any) -> Any:
    return {"at": map(lambda k: x[k], keys)}, x + 1  # noqa: C417


def _some(x: Any, keys: Any) -> Any:
    return itertools.islice(zip(keys, x * 2), 2), filter(None, keys)


def _views(x: Any, keys: Any) -> Any:
    named = dict(zip(keys, x * 2, strict=False))
    return named.items(), named.keys(), named.values()


def _rows(x: Any, keys: Any) -> Any:
    return iter(x * 2), (x * 2).flat


def _bounds(x: Any, keys: Any) -> Any:
    return slice(keys[0], keys[2]), range(keys[0], keys[2]), x + 1


def _printed(x: Any, keys: Any) -> Any:
    print(x.sum())
    named = dict(zip(keys, x * 2, strict=False))
    return zip(keys, x * 2), slice(keys[0], keys[1]), named.items(), named.keys(), named.values(), (x * 2).flat


def _taken(value: Any) -> Any:
    """What is handed out, with the types of the items."""
    if isinstance(value, slice):
        return [_taken(x) for x in (value.start, value.stop, value.step)]
    if isinstance(value, dict):
        return [_taken(pair) for pair in value.items()]
    if isinstance(value, np.ndarray):
        return value.dtype, value.tolist()
    if isinstance(value, str):
        return value
    return [_taken(item) for item in value] if isinstance(value, Iterable) else (type(value), repr(value))


@pytest.mark.parametrize("keys", [[0, 2, 3], np.array([0, 2, 3])], ids=["list", "array"])
@pytest.mark.parametrize("function", [_pairs, _numbered, _backwards, _mapped, _some, _views, _rows, _bounds, _printed])
def test_what_hands_out_items_after_the_call_hands_out_the_callers(function: Callable[..., Any], keys: Any) -> None:
    accelerated = lazyarr.accelerate(function)
    expected = _taken(function(np.arange(5.0), keys))
    for _ in range(4):
        assert _taken(accelerated(np.arange(5.0), keys)) == expected


def test_an_attribute_that_is_an_iterator_hands_out_the_callers_numbers() -> None:
    @lazyarr.accelerate
    def keep(body: Any, keys: list[int], x: Any) -> Any:
        body.pairs = zip(keys, x * 2)  # noqa: B905
        return x + 1

    for _ in range(3):
        body: Any = Body(1.0)
        keep(body, [0, 1, 2], np.arange(3.0))
        assert _taken(body.pairs) == _taken(zip([0, 1, 2], np.arange(3.0) * 2, strict=True))


def test_bound_methods_of_one_container_see_each_other() -> None:
    def program(x: Array, bound: dict[str, Any]) -> Any:
        bound["set"]("k", x * 2)
        bound["append"](x.sum())
        return bound["get"]("k"), bound["append"] is bound["append"]

    accelerated = lazyarr.accelerate(program)
    for k in range(4):
        outcomes = []
        for function in (program, accelerated):
            table: dict[str, Any] = {}
            lines: list[Any] = []
            given = {"set": table.__setitem__, "get": table.get, "append": lines.append}
            outcomes.append((function(np.arange(3.0) + k, given), table, lines))
        assert_same(*outcomes)


def test_an_object_and_what_reaches_its_attributes_otherwise() -> None:
    def by_dict(x: Array, body: Body, attributes: dict[str, Any]) -> Any:
        attributes["x"] = x * 2
        body.count += 1
        return body.x, attributes["count"]

    def by_method(x: Array, body: Body, methods: dict[str, Any]) -> Any:
        methods["set"]("x", x * 5)
        return body.x, methods["get"]("count")

    makes: list[tuple[Any, Any]] = [
        (by_dict, vars),
        (by_method, lambda body: {"set": body.__setattr__, "get": body.__getattribute__}),
    ]
    for function, make in makes:
        accelerated = lazyarr.accelerate(function)
        for k in range(3):
            plain, own = Body([1.0, 2.0]), Body([1.0, 2.0])
            expected = function(np.arange(2.0) + k, plain, make(plain))
            assert_same(expected, accelerated(np.arange(2.0) + k, own, make(own)))
            assert_same(vars(plain), vars(own))


def _same_in_list(a: Array, held: list[Array]) -> Any:
    return [x is a for x in held], held[0].sum()


def _same_in_dict(a: Array, held: dict[str, Array]) -> int:
    found = 0
    for x in held.values():
        if x is a:
            found += 1
            x += 1
        else:
            x *= 2
    return found


def _distinct(held: list[Array]) -> int:
    seen: list[Array] = []
    for x in held:
        if not any(x is y for y in seen):
            seen.append(x)
    return len(seen)


def _bound_anew(a: Array, held: list[Array]) -> Any:
    held[0] = a * 2
    return held[0] is a, held[1] is a, held


def _deep(a: Array, held: Any) -> Any:
    (x, y), z = held
    x += 1
    return x is y, z is a, x.sum() + y.sum()


@pytest.mark.parametrize(
    ("function", "make"),
    [
        (_same_in_list, lambda a, b: (a, [a, b, a])),
        (_same_in_dict, lambda a, b: (a, {"p": a, "q": b, "r": a})),
        (_distinct, lambda a, b: ([a, b, a],)),
        (_bound_anew, lambda a, b: (a, [a, a])),
        (_deep, lambda a, b: (a, ((a, a), a))),
    ],
)
def test_an_array_that_is_given_twice_is_one_array(function: Any, make: Any) -> None:
    accelerated = lazyarr.accelerate(function)
    for k in range(6):
        # (After the third calls the arrays are all different, and then the same again.)
        pairs = [[np.arange(3.0) + k, np.ones(3)] for _ in range(2)]
        given = [make(*pair) for pair in pairs]
        if k in (3, 4):
            given = [tuple(copy.deepcopy(x) for x in args) for args in given]
        assert_same(function(*given[0]), accelerated(*given[1]))
        assert_same(given[0], given[1])
        assert_same(pairs[0], pairs[1])
