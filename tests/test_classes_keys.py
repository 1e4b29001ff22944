"""Objects that a function makes and that are keys, also of dicts that they hold themselves.

What comes back is compared as a graph: which objects, lists and dicts are the same one, and whether keys are found.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


class Node:
    """What is hashed by an attribute, which it gets after the dict."""

    def __init__(self, x: Any, n: Any):
        self.d: Any = {}
        self.x, self.n = x, n

    def __hash__(self) -> int:
        return hash(("node", self.n))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.n == other.n


class Plain:
    """What is hashed by its identity."""

    def __init__(self, x: Any):
        self.d: Any = {self: x}


@dataclasses.dataclass(frozen=True)
class Frozen:
    """What is hashed by what its dataclass says."""

    n: int
    links: dict[Any, Any] = dataclasses.field(default_factory=dict, compare=False)
    x: Any = dataclasses.field(default=None, compare=False)


def _itself(x: Any, given: Any) -> Any:
    one = Node(x, 3)
    one.d[one] = one
    return one


def _its_dict(x: Any, given: Any) -> Any:
    one = Plain(x)
    return one.d


def _with_others(x: Any, given: Any) -> Any:
    one, other = Node(x, 3), Node(x * 2, 4)
    one.d[other] = other
    other.d[one] = one.d
    return [one, other, one.d]


def _in_tuples(x: Any, given: Any) -> Any:
    one = Node(x, 3)
    one.d[(one, 1)] = (one, x.sum())
    one.d[frozenset((one,))] = 2
    return one


def _dicts_in_dicts(x: Any, given: Any) -> Any:
    one = Node(x, 3)
    one.d = {one: {one: {one: x * 2}}}
    return one.d


def _frozen(x: Any, given: Any) -> Any:
    one = Frozen(3, x=x)
    one.links[one] = one.links
    return [one, one.links]


def _all_of_all(x: Any, given: Any) -> Any:
    nodes = [Node(x[k:], k) for k in range(4)]
    for node in nodes:
        for other in nodes:
            node.d[other] = other.x.sum() * node.n
    return nodes


def _by_an_argument(x: Any, given: Any) -> Any:
    one = Node(x, given["n"])
    one.d[one] = given["n"]
    return one


def _in_containers(x: Any, given: Any) -> Any:
    one = Node(x, 3)
    one.d = [{one}, frozenset([one]), deque([one]), OrderedDict({one: x}), defaultdict(list, {one: [x]})]
    return one


def _between_effects(x: Any, given: Any) -> Any:
    one = Node(x, 3)
    one.d[one] = one
    print(end="")
    return one


def _in_what_is_given(x: Any, given: Any) -> Any:
    one = Node(x, 3)
    given[one], one.x = one, given
    one.d[one] = given
    return x.sum()


def _what_is_given(x: Any, given: Any) -> Any:
    one = given["node"]
    one.d[one] = 2
    given[one] = Node(x, one)
    return one


def _global(x: Any, given: Any) -> Any:
    one = Node(x, 3)
    one.d[one], KEPT[one] = KEPT, one
    return one.x.sum()


KEPT: dict[Any, Any] = {}
FUNCTIONS = [
    _itself, _its_dict, _with_others, _in_tuples, _dicts_in_dicts, _frozen, _all_of_all, _by_an_argument,
    _in_containers, _between_effects, _in_what_is_given, _what_is_given, _global,
]  # fmt: skip


def shape(value: Any, seen: dict[int, int]) -> Any:
    """What there is of a value, and what of it is met again."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.tolist()
    if isinstance(value, (int, float, str, type(None), np.generic)):
        return repr(value)
    if id(value) in seen:
        return "again", seen[id(value)]
    seen[id(value)] = len(seen)
    if isinstance(value, dict):
        return type(value), [(shape(key, seen), shape(value[key], seen)) for key in value]
    if isinstance(value, (set, frozenset)):
        return type(value), [(shape(key, seen), key in value) for key in value]
    if isinstance(value, (list, tuple, deque)):
        return type(value), [shape(item, seen) for item in value]
    return type(value), [(name, shape(item, seen)) for name, item in vars(value).items()]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_objects_that_are_made_are_keys(function: Callable[[Any, Any], Any]) -> None:
    def run(called: Callable[[Any, Any], Any]) -> list[Any]:
        found = []
        for k in range(3):
            KEPT.clear()
            x = np.arange(5.0) + k
            given: dict[Any, Any] = {"n": 2, "node": Node(x * 3, 7)}
            found.append(shape([called(x, given), given, KEPT], {}))
        return found

    assert run(accelerate(function, always=True)) == run(function)
