"""Lists that a caller has, and a function lengthens or changes in place: the caller's are, whatever way it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr


def _in_branch(held: Any, a: Any) -> Any:
    if a.sum() > 0:
        held += [2.0]
    return held


def _in_branches(held: Any, a: Any) -> Any:
    if a.sum() > 0:
        held += [2.0]
    else:
        held += [3.0]
    return held


def _or_another(held: Any, a: Any) -> Any:
    first = held
    if a.sum() > 0:
        held += [a[0]]
    else:
        held = [a[1]]
    return first, held


def _numbers(held: Any, a: Any) -> Any:
    for _ in range(5):
        held += [2.0]
    return held


def _nothing_returned(held: Any, a: Any) -> None:
    for i in range(5):
        held += [a[i]]


def _by_another_name(held: Any, a: Any) -> Any:
    same = held
    for i in range(5):
        same += [a[i]]
    return held


def _around_other_work(held: Any, a: Any) -> Any:
    own = [0.5]
    for i in range(5):
        own += [2.0]
        held += [a[i]]
    if a[0] > 100:
        print("never")
    return own


def _where_positive(held: Any, a: Any) -> Any:
    for i in range(6):
        if a[i] > 0:
            held += [a[i]]
    return held


def _elements(held: Any, a: Any) -> Any:
    for i in range(6):
        held[0] += a[i]
        held = held  # (a variable of the loop)
    return held


def _until_break(held: Any, a: Any) -> Any:
    for x in a:
        held += [x, x]
        if x > 3:
            break
    return held


def _in_while(held: Any, a: Any) -> Any:
    i = 0
    while i < 5 and a[i] < 4:
        held += [a[i]]
        i += 1
    return held, i


def _twice_in_a_list(held: Any, a: Any) -> Any:
    both = [held, held]
    for i in range(4):
        both[0] += [a[i]]
    return both


def _of_a_copy(held: Any, a: Any) -> Any:
    copied = list(held)
    same = copied
    for i in range(4):
        copied += [a[i]]
    return copied, same


def _repeated(held: Any, a: Any) -> Any:
    for _ in range(4):
        held *= 2
        held += (1.0,)
    return len(held)


def _swapped(held: Any, a: Any) -> Any:
    x, y = held, [1.0]
    for i in range(4):
        x += [a[i]]
        x, y = y, x
    return x, y


PROGRAMS = [_in_branch, _in_branches, _or_another, _numbers, _nothing_returned, _by_another_name, _around_other_work,
            _where_positive, _elements, _until_break, _in_while, _twice_in_a_list, _of_a_copy, _repeated,
            _swapped]  # fmt: skip


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("run", PROGRAMS)
def test_lists_of_the_callers(run: Any, always: bool) -> None:
    """In every call: the first ones are tried in several ways."""
    fast = lazyarr.accelerate(run, always=always)
    for sign in (1, -1, 1, 1, -1, 1, 1):
        a, theirs, ours = np.arange(6.0) * sign, [0.5], [0.5]
        expected, found = run(theirs, a.copy()), fast(ours, a.copy())
        assert repr((ours, found)) == repr((theirs, expected))
        assert (found is ours) is (expected is theirs)
