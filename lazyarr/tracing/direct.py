"""Compiled programs as direct calls: from what a trace knows to what native code checks, runs and builds.

A direct call stands for the calls of one signature whose guards hold, and does what `Compiled.__call__` does for them.
Signatures and results that it has no description for are left to that.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import streams
from lazyarr.backends import native_call_form as form
from lazyarr.backends.base import MISS
from lazyarr.tracing import lookups
from lazyarr.tracing.callers import held, viewed
from lazyarr.tracing.closures import FunctionForm

__all__ = ["MISS", "direct_call"]

if TYPE_CHECKING:
    from lazyarr.tracing.compiled import Compiled

#: More arrays than this are compared for shared memory in the general way.
_MOST_ARRAYS = 24
#: Tuples, lists, dicts and objects with more parts than this are, too.
_MOST_ITEMS = 64
#: Whether direct calls are made; tests of the general way switch it off.
enabled = True


class _Left(Exception):
    """The calls of a program are left to the general way."""


def direct_call(compiled: Compiled, specs: Any, name: str) -> Callable[..., Any] | None:
    """A function that makes calls of `compiled` with arguments of these specs, or gives `MISS`; None if there is none.

    Parameters
    ----------
    compiled : Compiled
    specs
        What `Parts.describe` said of the arguments, and of the named ones.
    name : str
        Of the function.
    """
    alone = compiled.plan.alone()
    if not enabled or alone is None:
        return None
    from lazyarr.backends.native import Executable

    runner, taken, roots = alone
    if not isinstance(runner, Executable):
        return None
    from lazyarr.backends import native_direct
    from lazyarr.backends.native_python import supported

    if not supported():
        return None
    try:
        call = _Description(compiled, taken, roots).call(specs)
        return native_direct.direct(name, call, runner)
    except (_Left, form.Unsupported):
        return None


class _Description:
    """One compiled program as native code needs it."""

    def __init__(self, compiled: Compiled, taken: list[int], roots: list[int]):
        self.taken, self.roots = taken, roots
        self.compiled, self.trace, self.outcome = compiled, compiled.trace, compiled.outcome
        self._ordered: dict[int, form.Result] = {}
        self._views: dict[int, form.Result] = {}
        self._has_stream = False
        #: How many tuples, lists, dicts, objects and streams there are so far.
        self._met = 0
        #: Which of them are lists, dicts and objects, and the names in the latter.
        self._holders: list[tuple[int, tuple[Any, ...] | None]] = []

    def call(self, specs: Any) -> form.Call:
        trace, outcome = self.trace, self.outcome
        count = self.compiled.count
        if outcome.altered or outcome.stores or any(k < 0 for k in self.roots[count:]):
            raise _Left
        positional, named = specs
        call = form.Call(
            arguments=[self._spec(s) for s in (*positional, *(s for _, s in named))],
            names=tuple(name for name, _ in named),
            same=[(self._look_up(get), value) for get, value in trace.expected],
            equal=[self._equal(get, value) for get, value in trace.expected_equal],
            outside=[(self._look_up(get), self._spec(spec)) for get, spec in trace.captured],
            steps=trace.tape.described(),
            sources=[self._source(*self.compiled.sources[k]) for k in self.taken],
            roots=self.roots[:count],
            checks=self.roots[count:],
            mutated=[(self._base(k), self._data(slot)) for k, slot in outcome.mutated],
            result=self._with_effects(self._result(outcome.result)),
        )
        given = [*call.arguments, *(spec for _, spec in call.outside)]
        if sum(map(self._arrays, given)) > _MOST_ARRAYS:
            raise _Left
        return call

    def _arrays(self, spec: form.Spec) -> int:
        if isinstance(spec, (form.Items, form.Entries)):
            return sum(map(self._arrays, spec.items))
        return isinstance(spec, (form.Array, form.Stream))

    # --- what is given

    def _spec(self, spec: Any) -> form.Spec:
        if spec in (int, float, complex):
            return form.Number(spec)
        kind, *rest = spec
        if isinstance(kind, np.dtype):
            return form.Array(kind, *rest)
        if kind == "scalar":
            return form.NumpyScalar(rest[0])
        if kind == "again":
            return form.Again(rest[0])
        if kind in ("function", "object"):
            return form.Static(self._static(rest[0]))
        if kind == "stream":
            return self._stream(*rest)
        if isinstance(kind, str) or kind is slice or len(rest) > _MOST_ITEMS:
            raise _Left
        if issubclass(kind, tuple) or kind is list:
            if kind is list:
                self._holders.append((self._met, None))
            self._met += 1
            return form.Items(kind, tuple(map(self._spec, rest)))
        if kind in (bool, str, bytes, type(None), type(...), range) or issubclass(kind, np.dtype):
            return form.Static(rest[0])
        return self._entries(kind, rest)

    def _entries(self, kind: type, entries: list[tuple[Any, Any]]) -> form.Spec:
        """A dict, or an object whose attributes are a dict."""
        names = tuple(name for name, _ in entries)
        if not all(map(_is_one, names)) or (kind is not dict and not kind.__dictoffset__):
            raise _Left
        self._holders.append((self._met, names))
        self._met += 1
        return form.Entries(kind, names, tuple(self._spec(spec) for _, spec in entries))

    def _stream(self, kind: str, words: Any) -> form.Spec:
        if self._has_stream:
            raise _Left  # (Two may be one, by their bit generators.)
        self._has_stream = True
        self._met += 1
        array = self._spec(words)
        assert isinstance(array, form.Array)
        return form.Stream(streams.BASES[kind], partial(streams.words_if, kind), streams.put_words, array)

    def _look_up(self, get: Callable[[], Any]) -> form.LookUp:
        match get:
            case lookups.Fixed(value):
                return form.Fixed(value)
            case lookups.Enclosing(cell):
                return form.Content(cell)
            case lookups.Global(mapping, name) if type(mapping) is dict:
                return form.Item(mapping, name)
            case lookups.OfModule(module, name) if type(module) is types.ModuleType and name in vars(module):
                return form.Item(vars(module), name)
        return form.Answer(get)

    def _equal(self, get: Callable[[], Any], value: Any) -> tuple[form.LookUp | form.Attributes | form.MadeOf, Any]:
        if isinstance(get, lookups.MadeOf) and get() == value:
            named = get.function.__kwdefaults__
            has = get.function, get.function.__code__, get.function.__defaults__, named
            return form.MadeOf(*has, tuple((named or {}).items())), None
        if isinstance(get, lookups.Attributes):
            found = tuple(vars(get.holder).items())
            if tuple((name, id(item)) for name, item in found) == value:
                return form.Attributes(get.holder, found), None
        return form.Answer(get), value

    def _source(self, kind: str, where: Any) -> form.Source:
        if kind == "scalar":
            return form.FromNumber(where)
        if kind == "constant":
            return form.FromConstant(where)
        place = self.trace.input_places[where]
        if not isinstance(place, int):
            raise _Left
        return form.FromArray(place)

    # --- what it gives

    def _with_effects(self, result: form.Result) -> form.Result:
        """The result, once dicts and objects hold what the call binds anew."""
        changed: list[tuple[Any, ...]] = []
        given: list[form.Result] = []
        for k, (kind, items) in self.outcome.effects:
            at, names = self._holders[k]
            if kind != "dict" or names is None or any(key[0] != "constant" for key, _ in items):
                raise _Left
            if tuple(key for (_, key), _ in items)[: len(names)] != names:
                raise _Left  # Something is taken out.
            bound = [(key, spec) for (_, key), spec in items if spec != ("kept", k, key)]
            changed.append(tuple(key for key, _ in bound))
            given += [form.GivenHolder(at), *(self._result(spec) for _, spec in bound)]
        return form.Made(partial(_bind, tuple(changed)), (result, *given)) if changed else result

    def _base(self, k: int) -> int:
        place = self.trace.base_places[k]
        if not isinstance(place, int):
            raise _Left
        return place

    def _argument(self, parameter: int) -> int:
        """The number of the array that a parameter is."""
        source = self._source(*self.compiled.sources[parameter])
        if not isinstance(source, form.FromArray):
            raise _Left
        return source.number

    def _data(self, slot: int) -> form.Result:
        """A root, its axes back in their order."""
        order = self.outcome.orders[slot]
        if slot not in self._ordered:
            root: form.Result = form.Root(slot)
            if self.roots[slot] < 0:
                root = form.Copy(self._argument(-1 - self.roots[slot]), slot)
            if order != tuple(range(len(order))):
                inverse = tuple(int(axis) for axis in np.argsort(order))
                root = form.Made(lambda array: array.transpose(inverse), (root,))
            self._ordered[slot] = root
        return self._ordered[slot]

    def _view(self, spec: Any) -> form.Result:
        _, kind, source, chain, slots, writeable = spec
        seen = form.GivenArray(self._base(source)) if kind == "input" else self._data(source)
        if chain or kind == "input":
            seen = form.Made(partial(viewed, chain), (seen, *[self._result(("number", k, int)) for k in slots]))
        return seen if writeable else form.Made(_read_only_view, (seen,))

    def _static(self, value: Any) -> Any:
        """What is to be the same in each direct call: a function that the program was compiled with."""
        if not isinstance(value, FunctionForm):
            return value
        if value.function not in self.compiled.functions and value.is_made_anew:
            raise _Left
        return value.function

    def _result(self, spec: Any) -> form.Result:
        match spec:
            case ("array", slot, writeable):
                return self._data(slot) if writeable else form.Made(_read_only, (self._data(slot),))
            case ("scalar array" | "number", slot, *_) if self.roots[slot] < 0:
                raise _Left
            case ("scalar array", slot):
                return form.ScalarRoot(slot)
            case ("argument", k):
                return form.GivenArray(k)
            case ("view", *_):
                # (One array that is given twice is one spec.)
                if id(spec) not in self._views:
                    self._views[id(spec)] = self._view(spec)
                return self._views[id(spec)]
            case ("holder", k):
                return form.GivenHolder(self._holders[k][0])
            case ("scalar", position):
                return form.GivenNumber(position)
            case ("number", slot, kind):
                return form.NumberRoot(slot, kind)
            case ("constant", value):
                return form.Constant(value)
            case ("namedtuple", kind, items):
                return form.Made(lambda *values: tuple.__new__(kind, values), tuple(map(self._result, items)))
            case (kind, items) if kind is list or kind is tuple:
                return form.Pack(kind, tuple(map(self._result, items)))
            case (kind, items) if kind is dict and all(key[0] == "constant" for key, _ in items):
                names = tuple(key[1] for key, _ in items)
                return form.Made(lambda *values: dict(zip(names, values, strict=True)),
                                 tuple(self._result(item) for _, item in items))  # fmt: skip
        raise _Left


def _bind(names: tuple[tuple[Any, ...], ...], result: Any, *given: Any) -> Any:
    """Have dicts and objects hold new values under names; each stands before its values. Gives the result."""
    at = 0
    for new in names:
        contents = held(given[at])
        for k, name in enumerate(new, at + 1):
            contents[name] = given[k]
        at += 1 + len(new)
    return result


def _is_one(name: Any) -> bool:
    """Whether a key is known by its identity, or by its text."""
    return type(name) is str or name is None or type(name) in (bool, type) or (type(name) is int and 0 <= name < 256)


def _read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array.flags.writeable = False
    return array


def _read_only_view(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return _read_only(array.view())


