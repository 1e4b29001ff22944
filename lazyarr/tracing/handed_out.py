"""What a traced call gives back that hands out items later: iterators, views of dicts, ranges, slices, methods.

An iterator holds what it runs over where nobody can put anything else, and would hand out the trace's own numbers and
arrays. Where the call may still begin again it is plain Python's; where it may not, its items are taken, and something
of the same use is made of what is in their places.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from lazyarr.flat import FlatIterator
from lazyarr.tracing.bound import BoundAccelerated
from lazyarr.tracing.capture.counted import Counted, Range

#: Items that are taken out of an iterator, at most: some have no end.
_MOST_TAKEN = 1_000_000
#: Where the types of iterators over what the trace has are defined. (NumPy's hold data; open files are iterators, too.)
_MODULES = frozenset({"builtins", "itertools"})

#: What holds others, and is made anew with what is in their places.
TAKEN_APART = frozenset((slice, BoundAccelerated))

Apart = tuple[Callable[[list[Any]], Any], list[Any]]


def hands_out(value: Any) -> bool:
    """Whether something is an iterator, a view of a dict, or a range that is not known.

    Parameters
    ----------
    value : object
        What the traced function gives back, or leaves behind.
    """
    if isinstance(value, (FlatIterator, Counted, KeysView, ValuesView, ItemsView)):
        return True
    return isinstance(value, Iterator) and type(value).__module__ in _MODULES


def taken_apart(value: Any) -> Apart:
    """What makes something of the same use of such items, and the items.

    Parameters
    ----------
    value : object
        Something that hands out items, or is in `TAKEN_APART`.
    """
    if isinstance(value, BoundAccelerated):
        return lambda items: BoundAccelerated(value.__func__, *items), [value.__self__]
    if isinstance(value, slice):
        return lambda items: slice(*items), [value.start, value.stop, value.step]
    if isinstance(value, Range):
        return lambda items: range(*items), [value.start, value.stop, value.step]
    if isinstance(value, FlatIterator):
        return lambda items: items[0].flat, [value.base]
    if isinstance(value, KeysView):
        return lambda items: dict.fromkeys(items).keys(), list(value)
    if isinstance(value, ItemsView):
        return lambda items: dict(items).items(), list(value)
    if isinstance(value, ValuesView):
        return lambda items: dict(enumerate(items)).values(), list(value)
    rest = iter(value)
    return lambda items: itertools.chain(items, rest), list(itertools.islice(rest, _MOST_TAKEN))


__all__ = ["TAKEN_APART", "hands_out", "taken_apart"]
