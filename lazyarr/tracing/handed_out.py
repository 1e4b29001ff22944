"""What a traced call gives back that hands out items later: iterators, views of dicts, ranges, slices, methods.

An iterator holds what it runs over where nobody can put anything else, and would hand out the trace's own numbers and
arrays. Where the call may still begin again it is plain Python's; where it may not, its items are taken if that runs no
code and has an end, and something of the same use is made of what is in their places.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Sequence, ValuesView
from types import GeneratorType
from typing import Any

from lazyarr.array import LazyArray
from lazyarr.flat import FlatIterator
from lazyarr.source import is_internal
from lazyarr.tracing.bound import BoundAccelerated
from lazyarr.tracing.capture.counted import Counted, Range
from lazyarr.tracing.signature import Plain

#: Where the types of iterators over what the trace has are defined. (NumPy's hold data; open files are iterators, too.)
_MODULES = frozenset({"builtins", "itertools"})

#: Iterators over containers of Python's, and what runs over other iterators alone.
_OF_CONTAINERS: frozenset[type] = frozenset(map(type, (
    iter([]), iter(()), iter({}), iter({}.values()), iter({}.items()), iter(""), iter(b""), iter(range(0)),
    iter(set()), reversed([]), reversed({}),
)))  # fmt: skip
_OF_ITERATORS = frozenset((zip, enumerate))
#: What holds others, and is made anew with what is in their places.
_TAKEN_APART = frozenset((slice, BoundAccelerated))

Apart = tuple[Callable[[list[Any]], Any], list[Any]]


def is_taken_apart(value: Any, callers: Sequence[Any], may_begin_again: bool) -> bool:
    """Whether `taken_apart` is to be asked what makes something of the same use.

    Parameters
    ----------
    value : object
        What the traced function gives back, or leaves behind.
    callers : sequence of object
        Objects of the caller's that lazyarr cannot look into, iterators among them.
    may_begin_again : bool
        Whether nothing has happened yet that must not happen twice.

    Raises
    ------
    Plain
        Where Python's own is had by beginning again.
    """
    if type(value) in _TAKEN_APART:
        return True
    if not _hands_out(value) or any(value is x for x in callers):
        return False
    if may_begin_again:
        raise Plain(f"a {type(value).__name__} that it has made outlives the call")
    return _may_be_taken(value, callers)


def _hands_out(value: Any) -> bool:
    """Whether something is an iterator, a view of a dict, or a range that is not known."""
    if isinstance(value, (FlatIterator, Counted, KeysView, ValuesView, ItemsView)):
        return True
    return isinstance(value, Iterator) and type(value).__module__ in _MODULES


def _may_be_taken(value: Any, callers: Sequence[Any]) -> bool:
    """Whether items may be taken during the call: they are nobody else's, and no code of the user's runs."""
    if not isinstance(value, Iterator) or isinstance(value, FlatIterator):
        return True
    if any(value is x for x in callers):
        return False
    if type(value) in _OF_CONTAINERS or (isinstance(value, GeneratorType) and is_internal(value.gi_code)):
        return True
    if type(value) is map:
        function: Any = value.__reduce__()[1][0]
        return isinstance(getattr(function, "__self__", None), LazyArray)
    parts: tuple[Any, ...] = value.__reduce__()[1] if type(value) in _OF_ITERATORS else ()  # type: ignore[assignment]
    return bool(parts) and all(_may_be_taken(part, callers) for part in parts if isinstance(part, Iterator))


def _advanced(iterator: Any, count: int) -> Any:
    """An iterator of which so many items have been taken."""
    for _ in range(count):
        next(iterator)
    return iterator


def taken_apart(value: Any) -> Apart:
    """What makes something of the same use of such items, and the items.

    Parameters
    ----------
    value : object
        Something that hands out items, or is in `_TAKEN_APART`.
    """
    if isinstance(value, BoundAccelerated):
        return lambda items: BoundAccelerated(value.__func__, *items), [value.__self__]
    if isinstance(value, slice):
        return lambda items: slice(*items), [value.start, value.stop, value.step]
    if isinstance(value, Range):
        return lambda items: range(*items), [value.start, value.stop, value.step]
    if isinstance(value, FlatIterator):
        return lambda items: _advanced(items[0].flat, value.index), [value.base]
    if isinstance(value, KeysView):
        return lambda items: dict.fromkeys(items).keys(), list(value)
    if isinstance(value, ItemsView):
        return lambda items: dict(items).items(), list(value)
    if isinstance(value, ValuesView):
        return lambda items: dict(enumerate(items)).values(), list(value)
    return iter, list(value)


__all__ = ["is_taken_apart", "taken_apart"]
