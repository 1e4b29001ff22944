"""What a traced call leaves in containers that lazyarr does not look into: real values come in place of its own.

Sets, deques, subclasses of lists and dicts, arrays of objects and objects of other packages are handed to the traced
function as they are. Afterwards they hold what it put there: lazy arrays, numbers of the tape, and what stands for the
caller's lists and objects.
"""

from __future__ import annotations

import contextlib
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from lazyarr.tracing.packages import is_users

_LEAVES = (bool, int, float, complex, str, bytes, type(None), type, types.ModuleType, types.FunctionType)
_CONTAINERS: tuple[Any, ...] = (list, tuple, set, frozenset, deque)


def _has_attributes(value: Any) -> bool:
    """Whether an object has a dict of attributes: the user's own ``__getattr__`` is not asked for it."""
    return bool(type(value).__dictoffset__)


def members(kind: type) -> Iterator[types.MemberDescriptorType]:
    """The slots of a class of the user's, by their descriptors: the names of private ones are others there."""
    return (
        member for base in kind.__mro__ if vars(base).get("__slots__") for member in vars(base).values()
        if isinstance(member, types.MemberDescriptorType)
    )  # fmt: skip


class Walk:
    """One walk through containers, which puts values in the place of others.

    Parameters
    ----------
    instead : callable
        Gives what comes in the place of a value: the value itself if it may stay.
    opens : callable
        Whether an object's attributes are looked into.
    left_alone : iterable
        What is not looked into.
    """

    def __init__(
        self, instead: Callable[[Any], Any], opens: Callable[[Any], bool], left_alone: Iterable[Any] = ()
    ) -> None:
        self._instead = instead
        self._opens = opens
        #: What became of each container, which is kept alive: its number stays its own.
        self._done: dict[int, tuple[Any, Any]] = {id(x): (x, x) for x in left_alone}

    def root(self, value: Any) -> Any:
        """The same as `value`; of an object the attributes are looked into, whosever class it has."""
        looked_into = _has_attributes(value) and not isinstance(value, (*_LEAVES, partial))
        if looked_into and id(value) not in self._done:
            self._instead(value)
            self._done[id(value)] = (value, value)
            self._attributes(value)
            return self._contents(value)
        return self.value(value)

    def value(self, value: Any) -> Any:
        """What is in the place of `value` afterwards: it, with other contents, where it can be changed."""
        found = self._instead(value)
        made_here = isinstance(value, types.FunctionType) and type(value.__globals__) is not dict
        if found is not value or isinstance(value, _LEAVES) and not made_here:
            return found
        done = self._done.get(id(value))
        if done is not None:
            return done[1]
        self._done[id(value)] = (value, value)
        if isinstance(value, types.FunctionType):
            self._cells(value)
            return value
        if isinstance(value, (types.MethodType, partial)):
            return self._callable(value)
        if isinstance(value, BaseException):
            args = tuple(map(self.value, value.args))
            if not all(map(_is, args, value.args)):
                value.args = args
            self._attributes(value)
        if is_users(type(value).__module__):
            self._slots(value)
        if _has_attributes(value) and self._opens(value):
            self._attributes(value)
        found = self._contents(value)
        self._done[id(value)] = (value, found)
        return found

    def _attributes(self, value: Any) -> None:
        attributes = vars(value)
        for name, old in list(attributes.items()):
            new = self.value(old)
            if new is not old:
                attributes[name] = new

    def _cells(self, function: types.FunctionType) -> None:
        for cell in function.__closure__ or ():
            with contextlib.suppress(ValueError):  # of a variable that has no value
                old = cell.cell_contents
                new = self.value(old)
                if new is not old:
                    cell.cell_contents = new

    def _callable(self, value: Any) -> Any:
        """A method of an object, or a function with arguments."""
        if isinstance(value, types.MethodType):
            old: list[Any] = [value.__func__, value.__self__]
        else:
            old = [value.func, *value.args, *value.keywords.values()]
        new = [self.value(x) for x in old]
        if not all(map(_is, new, old)):
            if isinstance(value, types.MethodType):
                made: Any = types.MethodType(new[0], new[1])
            else:
                given = 1 + len(value.args)
                made = type(value)(*new[:given], **dict(zip(value.keywords, new[given:], strict=True)))
            self._done[id(value)] = (value, made)
        return self._done[id(value)][1]

    def _slots(self, value: Any) -> None:
        for member in members(type(value)):
            with contextlib.suppress(AttributeError):  # of a slot that is empty
                old = member.__get__(value)
                new = self.value(old)
                if new is not old:
                    member.__set__(value, new)

    def _contents(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            if value.dtype == object and value.flags.writeable:
                self._elements(value if value.ndim else value.reshape(1))
            return value
        if isinstance(value, dict):
            self._items(value)
            return value
        base = next((base for base in _CONTAINERS if isinstance(value, base)), None)
        if base is None:
            return value
        # The methods of the base class: those of the user's own may do more.
        old = list(base.__iter__(value))
        new = [self.value(x) for x in old]
        if all(map(_is, new, old)):
            return value
        if isinstance(value, (tuple, frozenset)):
            # (The class's own ``__new__`` may take other things.)
            made: Any = value
            made = tuple.__new__(type(made), new) if isinstance(made, tuple) else frozenset.__new__(type(made), new)
            if _has_attributes(value):
                vars(made).update(vars(value))
            return made
        if isinstance(value, list):
            list.__setitem__(value, slice(None), new)
        elif isinstance(value, set):
            set.clear(value)
            set.update(value, new)
        else:
            deque.clear(value)
            deque.extend(value, new)
        return value

    def _elements(self, array: np.ndarray[Any, Any]) -> None:
        for index in np.ndindex(array.shape):
            old = array[index]
            new = self.value(old)
            if new is not old:
                array[index] = new

    def _items(self, value: dict[Any, Any]) -> None:
        base = OrderedDict if isinstance(value, OrderedDict) else dict
        old = list(base.items(value))
        new = [(self.value(key), self.value(item)) for key, item in old]
        if not all(a[0] is b[0] for a, b in zip(new, old, strict=True)):
            base.clear(value)
        elif all(a[1] is b[1] for a, b in zip(new, old, strict=True)):
            return
        for key, item in new:
            base.__setitem__(value, key, item)


def _is(a: Any, b: Any) -> bool:
    return a is b
