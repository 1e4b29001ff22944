"""The user's classes as a traced function sees them: subclasses whose methods are traced.

Objects that are arguments are stood for by objects of such a class; those that the function makes have it until the
trace ends. Effects of methods are noticed as those of functions are, and their loops are compiled.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import types
from abc import ABCMeta
from collections.abc import Callable, Iterator
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any, cast
from weakref import ref

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.tracing.control.foreign import acts
from lazyarr.tracing.lookups import OfClass
from lazyarr.tracing.packages import is_own, is_users, top_level
from lazyarr.weak import WeakScalar

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

#: Where a traced class keeps the class that it stands for, and the trace.
_KIND, _TRACE = "__lazyarr_kind__", "__lazyarr_trace__"
#: What a traced class has that it does not have for one of the class's.
_MADE = {_KIND, _TRACE, "__class__", "__dict__", "__weakref__", "__abstractmethods__", "_abc_impl"}
#: Modules whose objects run code in threads or processes of their own.
_ELSEWHERE = {"threading", "concurrent", "multiprocessing", "subprocess", "asyncio"}
#: What a class may have of its own that a subclass would run when it is made, or its objects at each look.
_INTERFERING = ("__init_subclass__", "__getattribute__", "__delattr__")
#: Where a class has no such attribute.
_NOTHING = object()
#: What is an attribute of a class, but does not stand in its dictionary.
_OF_TYPES = {"__name__", "__qualname__", "__bases__", "__class__"}
#: Lists and dicts that Python and its library keep in classes: `copy` and `pickle` note the slots of one whose objects
#: they met.
_PYTHONS = {"__slots__", "__slotnames__", "__annotations__", "__dataclass_fields__", "_field_defaults"}
#: Classes whose objects are made by ``__new__``.
_IMMUTABLES = (tuple, frozenset, int, float, complex, str, bytes)
_MAKERS = ("__new__", "__init__", "__post_init__")
#: Flags of classes: defined by a ``class`` statement; not to be changed, as most of C's.
HEAP, IMMUTABLE = 1 << 9, 1 << 8
_CONSTANTS = (
    bool, int, float, complex, str, bytes, type(None), type(...), type(NotImplemented), slice, range, type,
    types.ModuleType, np.generic, np.dtype, np.ufunc, enum.Enum,
)  # fmt: skip
#: Methods of which Python takes nothing but a number of its own, and what gives that.
_NUMBERS: dict[str, Callable[[Any], Any]] = {
    "__hash__": index, "__index__": index, "__int__": int, "__float__": float, "__complex__": complex,
}  # fmt: skip
#: What a class itself has: what ``vars`` gives of a traced class is what the user's class has.
_own = type.__dict__["__dict__"].__get__
_set_class = object.__dict__["__class__"].__set__


def original(kind: Any) -> Any:
    """The user's class that a traced class stands for; else `kind` itself."""
    return _own(kind).get(_KIND, kind)


def is_data(name: str, member: Any) -> bool:
    """Whether an attribute of a class is found as a global is: it may be, or hold, what the function changes.

    Constants are not (a program is for certain ones), nor what gives attributes, as methods do.
    """
    if isinstance(member, (list, dict, np.ndarray, LazyArray)):
        return name not in _PYTHONS
    if name.startswith("__") or name == "_abc_impl" or hasattr(type(member), "__get__"):
        return False
    return not _is_constant(member)


def data_of(kind: type, package: str) -> list[Any]:
    """Data that a class of the function's own package has: it takes part where nothing stands for the class."""
    if issubclass(kind, enum.Enum):
        return []
    own = (base for base in kind.__mro__ if is_own(base.__module__, package))
    return [x for base in own for name, x in vars(base).items() if is_data(name, x)]


def _is_constant(value: Any) -> bool:
    return all(map(_is_constant, value)) if type(value) in (tuple, frozenset) else isinstance(value, _CONSTANTS)


def has_attributes_alone(kind: type) -> bool:
    """Whether objects hold nothing but their attributes: none that a base class written in C keeps, as lists do."""
    makers = (base for base in kind.__mro__ if isinstance(vars(base).get("__new__"), types.BuiltinFunctionType))
    return next(makers) is object


def can_be_inherited(kind: type) -> bool:
    """Whether a subclass can be made without running code of the user's."""
    return type(kind) in (type, ABCMeta, _Traced, _TracedAbstract) and not any(
        "__init_subclass__" in vars(base) for base in _users(kind)
    )


def _users(kind: type) -> list[type]:
    return [base for base in kind.__mro__ if is_users(base.__module__)]


def _gives_others(kind: type) -> bool:
    """Whether a class may give an object that it has given before: by its own ``__new__``, as singletons do.

    Or what its metaclass likes.
    """
    if any("__call__" in vars(base) for base in _users(type(kind))):
        return True
    return not issubclass(kind, _IMMUTABLES) and any(
        "__new__" in vars(base) and type(kind) in (type, ABCMeta) for base in _users(kind)
    )


def _can_be_made(kind: type) -> bool:
    """Whether objects of a subclass with traced methods can become objects of the class afterwards."""
    if not can_be_inherited(kind) or not has_attributes_alone(kind):
        return False
    frozen = getattr(getattr(kind, "__dataclass_params__", None), "frozen", False)
    for base in kind.__mro__:
        own = vars(base)
        if base is not object and (own.get("__slots__") or base.__flags__ & IMMUTABLE or "__new__" in own):
            return False
    users = _users(kind)
    return kind in users and (frozen or not any(name in vars(base) for base in users for name in _INTERFERING))


class Classes:
    """The classes of one trace.

    Attributes
    ----------
    originals : dict of int
        The caller's objects, by the identity of what stands for them.
    """

    def __init__(self, trace: Trace):
        self._trace = trace
        self._traced: dict[type, Any] = {}
        #: Data of the user's classes, by the class that has it and the name.
        self._members: dict[tuple[type, str], _Member] = {}
        self._made: list[ref[Any]] = []
        self._acting: dict[type, bool] = {}
        #: Of what classes it is being asked whether they inherit from which, by their identity.
        self._asked: set[tuple[int, type]] = set()
        #: Attributes of the user's classes that have been set or deleted, and what they were.
        self._before: dict[tuple[type, str], Any] = {}
        self.originals: dict[int, Any] = {}

    def named(self, kind: Any) -> Any:
        """What stands for a class that the traced function names; None where it is the class itself."""
        return self.traced(kind) if self.may_be_named(kind) else None

    def may_be_named(self, kind: Any) -> bool:
        """Whether something stands for a class that the traced function names."""
        own = is_own(kind.__module__, self._trace.parts.package)
        return (own or hasattr(kind, "__dataclass_fields__")) and _can_be_made(kind)

    def seen(self, kind: Any) -> Any:
        """What stands for a class, where something does already."""
        return self._traced.get(kind, kind)

    def traced(self, kind: type) -> Any:
        """A subclass whose methods are traced; ``isinstance`` and ``super()`` work as before."""
        found = self._traced.get(kind)
        if found is None:
            found = self._traced[kind] = self._subclass(kind)
        return found

    def known(self) -> list[type]:
        """The user's classes that others stand for."""
        return list(self._traced)

    def _subclass(self, kind: type) -> Any:
        metaclass = _TracedAbstract if isinstance(kind, ABCMeta) else _Traced
        made: Any = metaclass(kind.__name__, (kind,), self._members_of(kind))
        # (Not before: what is set while it is made is its own.)
        type.__setattr__(made, _TRACE, self._trace)
        type.__setattr__(made, _KIND, kind)
        return made

    def _members_of(self, kind: type) -> dict[str, Any]:
        """What the traced class of a class has, instead of inheriting it."""
        members: dict[str, Any] = {}
        for base in reversed(kind.__mro__):
            if base is object:
                continue
            for name, member in vars(base).items():
                found = self._member(base, name, member) if is_users(base.__module__) else None
                if found is not None:
                    members[name] = found
                else:
                    members.pop(name, None)
        params = getattr(kind, "__dataclass_params__", None)
        if params is not None and params.frozen:
            members.pop("__setattr__", None)
            members.pop("__delattr__", None)
        if all(getattr(kind, name) is getattr(object, name) for name in ("__hash__", "__eq__")):
            members["__hash__"] = lambda x: self._hash_of(x)
            members["__eq__"] = lambda x, other: self._is_same(x, other) or NotImplemented
        if not any("__new__" in vars(base) for base in kind.__mro__ if base is not object):
            members["__new__"] = self._new
        if params is not None and params.eq and "__eq__" in members:
            members["__eq__"] = self._equality(kind, members["__eq__"])
        members["__class__"] = property(type, self._change_class)
        if hasattr(kind, "__class_getitem__"):
            # (`typing` keeps what it has made of a class, for the calls to come.)
            members["__class_getitem__"] = classmethod(lambda _, item: cast(Any, kind)[item])
        # Its own module: what of lazyarr is reached through variables is not looked into.
        members |= {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
        return members

    def _member(self, base: type, name: str, member: Any) -> Any:
        """What stands for an attribute of a class; None for the attribute itself."""
        if getattr(member, "__isabstractmethod__", False):
            return None
        if isinstance(member, property):
            return property(*(None if f is None else self._late(f) for f in (member.fget, member.fset, member.fdel)))
        if isinstance(member, functools.cached_property):
            return functools.cached_property(self._late(member.func))
        plain = member.__func__ if isinstance(member, (staticmethod, classmethod)) else member
        is_method = isinstance(member, types.FunctionType)
        if (base, name) in self._before:
            # (What the function has put there is as it is to be seen.)
            return _giving(_NUMBERS[name], member) if is_method and name in _NUMBERS else None
        if is_method and name in _NUMBERS:
            return _giving(_NUMBERS[name], self._late(member))
        if isinstance(plain, types.FunctionType):
            if name in ("__new__", "__init_subclass__", "__class_getitem__"):
                return None
            return _TracedMethod(self._trace, plain) if plain is member else type(member)(self._late(plain))
        if is_data(name, member):
            # (One for all classes that inherit it: the trace takes an array once.)
            return self._members.setdefault((base, name), _Member(self._trace, base, name))
        return None

    def has_answered(self, kind: type, name: str) -> bool:
        """Whether the traced function has come upon data that a class has."""
        return (kind, name) in self._members and self._members[kind, name].is_answered

    def _late(self, function: Any) -> Any:
        if not isinstance(function, types.FunctionType):
            return function
        return lambda *args, **kwargs: self._trace.environment.traced(function)(*args, **kwargs)

    def _new(self, kind: Any, *args: Any, **kwargs: Any) -> Any:
        if (args or kwargs) and kind.__init__ is object.__init__:
            raise TypeError(f"{kind.__name__}() takes no arguments")
        made = object.__new__(kind)
        self._made.append(ref(made))
        return made

    def _equality(self, kind: type, found: Any) -> Any:
        """``==`` of a dataclass, which compares the classes of two objects: that of a key may be the user's own."""
        own = next((vars(base)["__eq__"] for base in kind.__mro__ if "__eq__" in vars(base)), None)
        names = tuple(f.name for f in dataclasses.fields(kind) if f.compare)
        code, made = getattr(own, "__code__", None), _equality_of(names)
        if code is None or (code.co_code, code.co_names) != (made.co_code, made.co_names):
            return found  # the user's own

        def equal(x: Any, other: Any) -> Any:
            if original(type(other)) is not original(type(x)):
                return NotImplemented
            return [getattr(x, name) for name in names] == [getattr(other, name) for name in names]

        return equal

    def _change_class(self, x: Any, kind: Any) -> None:
        self._trace.observed("changes the class of an object")
        _set_class(x, self.named(kind) or kind if id(x) not in self.originals else self.traced(original(kind)))

    def _hash_of(self, x: Any) -> int:
        """The hash of what equals itself alone: that of the caller's object, whom the caller's sets may hold."""
        if id(x) in self.originals:
            self._trace.looked("an object is hashed")  # What is found by it is another matter for another object.
        return object.__hash__(self.originals.get(id(x), x))

    def _is_same(self, x: Any, other: Any) -> bool:
        if id(x) in self.originals and id(other) not in self.originals:
            self._trace.looked("an object is compared")
        return self.originals.get(id(x), x) is self.originals.get(id(other), other)

    @staticmethod
    def stands(x: Any) -> bool:
        """Whether something is an object of the caller's, as the function sees it, or one that it has made."""
        return _KIND in _own(type(x))

    def is_made(self, x: Any) -> bool:
        """Whether the function has made an object, of a class of the user's."""
        return self.stands(x) and id(x) not in self.originals

    def called(self, kind: Any) -> None:
        """Note that an object is made of a class whose methods are not traced, but may act on the world."""
        if any(top_level(base.__module__) in _ELSEWHERE for base in kind.__mro__):
            # What another thread or process does is not part of what is traced here.
            self._trace.observed(f"makes a {kind.__name__}, which may run code elsewhere")
        if not is_users(kind.__module__) or _KIND in _own(kind):
            return
        if kind not in self._acting:
            makers = [vars(base).get(name) for base in _users(kind) for name in _MAKERS]
            self._acting[kind] = _gives_others(kind) or any(acts(getattr(f, "__func__", f)) for f in makers)
        if self._acting[kind]:
            self._trace.observed(f"makes a {kind.__name__}, whose code is not compiled")

    def inherits(self, other: Any, kind: type) -> bool:
        """``issubclass`` of the user's class: an abstract one asks its subclasses, and with them what stands for it."""
        if (id(other), kind) in self._asked:
            return False
        self._asked.add((id(other), kind))
        try:
            return issubclass(other, kind)
        finally:
            self._asked.discard((id(other), kind))

    def set(self, traced: Any, name: str, value: Any) -> None:
        """Set an attribute of the user's class: what is no value of the caller's yet is put there when it is."""
        self._trace.observed(f"sets {traced.__name__}.{name}")
        kind = original(traced)
        before = _held(kind, name)
        setattr(kind, name, tuple(map(original, value)) if name == "__bases__" else value)
        self._changed(kind, name, before)
        if name in ("__name__", "__abstractmethods__"):
            type.__setattr__(traced, name, value)  # (Each class has its own.)

    def delete(self, traced: Any, name: str) -> None:
        """Delete an attribute of the user's class."""
        self._trace.observed(f"deletes {traced.__name__}.{name}")
        kind = original(traced)
        before = _held(kind, name)
        delattr(kind, name)
        self._changed(kind, name, before)

    def _changed(self, kind: type, name: str, before: Any) -> None:
        """Have traced classes inherit what has been set, and have what they inherit instead of what is gone."""
        self._before.setdefault((kind, name), before)
        special = name.startswith("__") or name not in vars(kind)
        for other, traced in self._traced.items():
            if kind not in other.__mro__ or name == "__class__" or not (special or name in _own(traced)):
                continue
            members, own = self._members_of(other), _own(traced)
            for changed in {*members, *own} - _MADE if name == "__bases__" else (name,):
                if changed in members:
                    type.__setattr__(traced, changed, members[changed])
                elif changed in own:
                    type.__delattr__(traced, changed)

    def stores(self) -> list[tuple[Callable[[Any], None], Any]]:
        """What attributes of classes have been set to: a setter and the value each."""
        found = [(partial(setattr, kind, name), vars(kind)[name]) for kind, name in self._before if name in vars(kind)]
        return found + [
            (partial(_set_class, given), original(type(x)))
            for given, x, _ in self._trace.shadowed
            if id(x) in self.originals and original(type(x)) is not type(given)
        ]

    def undo(self) -> None:
        """Put back what attributes of classes were: nothing that stands for a value is to stay there."""
        for (kind, name), before in self._before.items():
            if before is not _NOTHING:
                setattr(kind, name, before)
            elif name in vars(kind):
                delattr(kind, name)
        self._before.clear()

    @contextlib.contextmanager
    def as_they_are(self) -> Iterator[None]:
        """Have all objects of the classes that they are of: pickle asks for those by their names."""
        stand: list[Any] = [x for _, x, _ in self._trace.shadowed if id(x) in self.originals]
        found = [x for x in (*stand, *(made() for made in self._made)) if x is not None and self.stands(x)]
        kinds = [type(x) for x in found]
        for x, kind in zip(found, kinds, strict=True):
            _set_class(x, original(kind))
        try:
            yield
        finally:
            for x, kind in zip(found, kinds, strict=True):
                _set_class(x, kind)

    def end(self) -> None:
        """Make what the function has made objects of the user's own classes."""
        for made in self._made:
            x = made()
            kind = None if x is None else _own(type(x)).get(_KIND)
            if kind is not None:
                _set_class(x, kind)
        self._made.clear()
        for traced in self._traced.values():
            # Nor do the user's classes have subclasses that others would find.
            for inheriting in type.__subclasses__(traced):
                with contextlib.suppress(TypeError):
                    inheriting.__bases__ = tuple(map(original, inheriting.__bases__))
            with contextlib.suppress(TypeError):
                _set_bases(traced, (_Ended,))


class _Ended:
    """What is inherited from by traced classes whose trace has ended."""


@functools.lru_cache(maxsize=256)
def _equality_of(names: tuple[str, ...]) -> types.CodeType:
    """The code of ``==`` of a dataclass with such fields."""
    return dataclasses.make_dataclass("_", names).__eq__.__code__


def _giving(number: Callable[[Any], Any], method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of which Python takes nothing but a number of its own."""

    def call(*args: Any) -> Any:
        found = method(*args)
        return number(found) if isinstance(found, (WeakScalar, LazyArray)) else found

    return call


def _held(kind: type, name: str) -> Any:
    """What an attribute of a class itself is."""
    return getattr(kind, name) if name in _OF_TYPES else vars(kind).get(name, _NOTHING)


def _subclasses(kind: type) -> list[type]:
    found: list[type] = type.__subclasses__(kind)
    return [other for other in found if _KIND not in _own(other)]


def _named(trace: Trace, kind: type) -> Any:
    return trace.classes.named(kind) or kind


_MRO, _BASES, _BASE = (type.__dict__[name].__get__ for name in ("__mro__", "__bases__", "__base__"))
_set_bases = type.__dict__["__bases__"].__set__


class _Traced(type):
    """The class of traced classes: they pass for the classes that they stand for, and stores go to those."""

    def __instancecheck__(cls, x: Any) -> bool:
        kind = original(cls)
        return isinstance(x, kind) if kind is not cls else super().__instancecheck__(x)

    def __subclasscheck__(cls, other: Any) -> bool:
        kind = original(cls)
        return _own(cls)[_TRACE].classes.inherits(other, kind) if kind is not cls else super().__subclasscheck__(other)

    def __eq__(cls, other: Any) -> bool:
        return original(cls) is (original(other) if isinstance(other, type) else other)

    def __hash__(cls) -> int:
        return type.__hash__(original(cls))

    def __setattr__(cls, name: str, value: Any) -> None:
        if _KIND not in _own(cls):
            type.__setattr__(cls, name, value)
            return
        _own(cls)[_TRACE].classes.set(cls, name, value)

    def __delattr__(cls, name: str) -> None:
        if _KIND not in _own(cls):
            type.__delattr__(cls, name)
            return
        _own(cls)[_TRACE].classes.delete(cls, name)

    def __subclasses__(cls) -> Any:
        """Those of the user's class, as the function sees them."""
        kind = original(cls)
        if kind is cls:
            return type.__subclasses__(cls)
        trace = _own(cls)[_TRACE]
        trace.expect_equal(partial(_subclasses, kind))
        return [trace.environment.replaced(other, other.__name__) for other in _subclasses(kind)]

    def _seen(cls, kind: type) -> Any:
        """A class that the function sees as one that this class, or what it stands for, inherits from."""
        return kind if _KIND not in _own(cls) else cls if kind is original(cls) else _named(_own(cls)[_TRACE], kind)

    __mro__ = property(lambda cls: tuple(map(cls._seen, _MRO(original(cls)))))
    __bases__ = property(lambda cls: tuple(map(cls._seen, _BASES(original(cls)))), _set_bases)
    __base__ = property(lambda cls: cls._seen(_BASE(original(cls))))
    __dict__ = property(lambda cls: _own(original(cls)))  # type: ignore[misc]
    __annotations__ = property(lambda cls: original(cls).__annotations__)


class _TracedAbstract(_Traced, ABCMeta):
    """The same of classes with abstract methods."""

    def register(cls, other: Any) -> Any:
        """Have a class pass for one that inherits from the user's class."""
        kind = original(cls)
        if kind is cls:
            return super().register(other)
        _own(cls)[_TRACE].observed(f"registers a class with {cls.__name__}")
        kind.register(original(other))
        return other


class _TracedMethod:
    """A method that is traced when it is looked up: most methods of a class are not used."""

    def __init__(self, trace: Trace, function: types.FunctionType):
        self._trace = trace
        self._function = function

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self._trace.environment.traced(self._function).__get__(instance, owner)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._trace.environment.traced(self._function)(*args, **kwargs)


class _Member:
    """An array, list or dict that a class has: found outside the arguments, as a global is."""

    def __init__(self, trace: Trace, kind: type, name: str):
        self._trace, self._get = trace, OfClass(kind, name)
        self._name = f"{kind.__name__}.{name}"
        self._found: list[Any] = []

    @property
    def is_answered(self) -> bool:
        """Whether somebody has come upon it."""
        return bool(self._found)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if not self._found:
            self._found.append(self._trace.environment.answer(self._get, self._name))
        return self._found[0]
