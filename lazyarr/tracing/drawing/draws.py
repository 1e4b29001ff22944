"""Random numbers that a traced function draws: operations of the program, whose streams are inputs and results of it.

A stream is an array of words (`lazyarr.streams`) that each draw changes in place, as a global array would be: loops
carry it, branches change it or do not, and when a program has run the caller's stream goes on from what it has become.
"""

from __future__ import annotations

import contextlib
import operator
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lazyarr import streams, world
from lazyarr.array import LazyArray
from lazyarr.ir.node import Node, Value
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import Leaf
from lazyarr.ops.draws import DRAW
from lazyarr.runtime import NotCaptured, evaluate, record
from lazyarr.tracing.drawing.parameters import Unsupported
from lazyarr.tracing.drawing.recipes import is_drawn, recipe, seeding
from lazyarr.tracing.foreign import call_on_data
from lazyarr.tracing.lookups import Fixed
from lazyarr.weak import WeakScalar

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace


#: Those of the functions of `numpy.random`, and of the module `random`.
_GLOBAL = np.random.rand.__self__  # type: ignore[attr-defined]
_PYTHONS = random.random.__self__  # type: ignore[attr-defined]


class _Stream:
    """A stream, what stands for its state, and what that was when the stream itself was up to date."""

    def __init__(self, stream: Any, state: LazyArray, made: bool):
        self.stream, self.state, self.made = stream, state, made
        self.kind = streams.kind_of(stream)
        self.then: Node = state._cell.value.node

    @property
    def is_ahead(self) -> bool:
        """Whether the program has drawn what the stream itself does not know of."""
        return self.state._cell.value.node is not self.then

    def assign(self, words: np.ndarray[Any, Any]) -> None:
        """Have what stands for the state be that of the stream itself."""
        self.state._assign(_words(words))
        self.then = self.state._cell.value.node


#: What copies of an object, and pickles, are made by.
_COPYING = {"__reduce__", "__reduce_ex__", "__getstate__", "__copy__", "__deepcopy__"}


class _Standing(random.Random):
    """What stands for a stream of Python's own that is the caller's."""

    def __init__(self, draws: Draws, stream: random.Random):
        super().__init__(0)
        self.__dict__["_found"] = stream.__getattribute__
        self.__dict__["_draws"] = draws

    def __getattribute__(self, name: str) -> Any:
        own = object.__getattribute__(self, "__dict__")
        if name in _COPYING and "_draws" in own:
            own["_draws"]._trace.draws(None, "a stream of random numbers is copied")
            return getattr(own["_found"].__self__, name)
        if name.startswith("__") or "_draws" not in own:
            return super().__getattribute__(name)
        found = own["_found"](name)
        return own["_draws"].method(found) if callable(found) else found


class Draws:
    """The streams that one trace draws from."""

    def __init__(self, trace: Trace):
        self._trace = trace
        #: By the identity of their bit generators.
        self._known: dict[int, _Stream] = {}
        #: What stands for streams of the caller's.
        self._standing: dict[int, tuple[Any, Any]] = {}
        #: Whether what runs now is perhaps traced again, so that NumPy must not draw.
        self.may_be_undone = False
        #: Whether streams may have been drawn from by others.
        self._stale = False

    def _of(self, stream: Any) -> _Stream | None:
        """What is known of a stream, or of another one with its bit generator."""
        return self._known.get(id(streams.bits(stream)))

    def given(self, stream: Any, state: LazyArray) -> Any:
        """What the function gets for a stream of the caller's, whose state is an input."""
        from lazyarr.numpy.random import standing_for

        known = self._known[id(streams.bits(stream))] = _Stream(stream, state, made=False)
        found = _Standing(self, stream) if known.kind == "python" else standing_for(stream)
        self._standing[id(found)] = found, known.stream
        return found

    def method(self, function: Any) -> Any:
        """A method of a stream of Python's own, as the function sees it."""

        def call(*args: Any, **kwargs: Any) -> Any:
            done, found = self.draw(function, function.__name__, args, kwargs)
            if done:
                return found
            # (Methods that look at the state, or change it, are not put back.)
            acts = function.__name__ in ("seed", "getstate", "setstate", "shuffle")
            self._trace.draws(None if acts else function.__self__, f"random.{function.__name__} draws random numbers")
            return call_on_data(found, args, kwargs)

        return call

    def made(self, stream: Any, seed: Any) -> None:
        """Note a stream that the function has made of a seed: an int, or what NumPy takes."""
        kind = streams.kind_of(stream)
        if kind is None or world.current() is not None:
            return
        state = _words(streams.words_of(stream))
        if isinstance(seed, WeakScalar):
            try:
                state = seeding(kind, seed)
            except Unsupported:
                operator.index(cast(Any, seed))  # The program is for this seed alone.
        self._known[id(streams.bits(stream))] = _Stream(stream, LazyArray._new(state), made=True)

    def draw(self, function: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, Any]:
        """Draw from a stream.

        Returns
        -------
        (True, object)
            The numbers, where the program draws them.
        (False, callable)
            NumPy's function, to be called, where it does not.
        """
        given = getattr(function, "__self__", _GLOBAL)
        stream = self._standing.get(id(given), (given, given))[1]
        if stream is not given:
            function = getattr(stream, name)
        trace = self._trace
        if trace.in_python and not self.may_be_undone or world.current() is not None:
            return False, function
        kind = streams.kind_of(stream)
        wanted = None if kind is None else recipe(kind, name)
        known = self._of(stream)
        before = None if known is None else known.state._value()
        try:
            if name == "seed" and kind is not None and is_drawn(kind, name) and len(args) == 1 and not kwargs:
                self._current(stream).state._assign(seeding(kind, args[0]))
                return True, None
            return (False, function) if wanted is None else (True, wanted(partial(self._numbers, stream), args, kwargs))
        except Unsupported:
            # (What has been drawn before that was known is not.)
            if known is not None and before is not None and known.state._value() != before:
                known.state._assign(before)
            return False, function

    def _current(self, stream: Any) -> _Stream:
        """What stands for a stream now."""
        known = self._of(stream)
        if known is None and (stream is _GLOBAL or stream is _PYTHONS):
            self._trace.outside(Fixed(stream), "the global stream of random numbers")
            known = self._of(stream)
        if known is None or known.stream is not stream:
            raise Unsupported
        if self._stale:
            if self._trace.depth:
                raise NotCaptured("others may have drawn random numbers meanwhile")
            self.refresh()
        return known

    def _numbers(self, stream: Any, distribution: str, shape: tuple[int, ...], *limits: Value) -> LazyArray:
        """Numbers of a distribution of `lazyarr.ops.draws`; the stream goes on behind them."""
        known = self._current(stream)
        numbers = record(DRAW, known.state._value(), *limits, stream=known.kind, distribution=distribution, shape=shape)
        known.state._assign(Value(numbers.node, 1))
        return LazyArray._new(numbers, scalar=not shape)

    def around(self, call: Callable[[], Any], function: Any) -> Any:
        """A call of what is not traced: perhaps it draws from the global streams, or from those that it holds."""
        trace = self._trace
        why = f"calls {getattr(function, '__name__', function)}, which may draw random numbers"
        if isinstance(getattr(function, "__self__", None), streams.CLASSES):
            trace.draws(function.__self__, why)
            return call()
        if trace.in_python:
            self.settle()
            return call()
        if world.current() is not None:
            return call()
        if self.ahead():
            trace.draws(self.ahead()[0], why)
        kept = all(map(trace.streams.keep, (_GLOBAL, _PYTHONS)))
        before = [streams.words_of(stream) for stream in (_GLOBAL, _PYTHONS)]
        result = call()
        for stream, words in zip((_GLOBAL, _PYTHONS), before, strict=True):
            if (streams.words_of(stream) != words).any():
                if trace.depth:
                    streams.put_words(stream, words)
                trace.draws(stream if kept else None, why)
        return result

    # -- where Python and NumPy go on --------------------------------------------------------------------------

    def ahead(self) -> list[Any]:
        """Streams that do not know of all that the program has drawn."""
        return [known.stream for known in self._known.values() if known.is_ahead]

    def settle(self) -> None:
        """Have the streams themselves be where the program is: others look at them, or draw from them."""
        for known in self._known.values():
            if known.is_ahead:
                self._trace.streams.keep(known.stream)
                streams.put_words(known.stream, np.array(evaluate([known.state._value()])[0]))
                known.then = known.state._cell.value.node
        self._stale = self._stale or bool(self._known)

    def refresh(self) -> None:
        """Have the program be where the streams themselves are, which others may have drawn from."""
        if self._stale:
            self._stale = False
            for known in self._known.values():
                if not known.is_ahead:
                    known.assign(streams.words_of(known.stream))

    @contextlib.contextmanager
    def undoing(self) -> Iterator[None]:
        """Have the program draw although Python runs what is between its pieces."""
        before, self.may_be_undone = self.may_be_undone, True
        try:
            yield
        finally:
            self.may_be_undone = before

    def outlives(self, value: Any) -> tuple[Any, LazyArray | None] | None:
        """What the caller gets for a stream, and the state that it is to have, if the function has made it.

        None of another object.
        """
        if id(value) in self._standing:
            return self._standing[id(value)][1], None
        known = self._of(value) if isinstance(value, streams.CLASSES) else None
        return (value, known.state) if known is not None and known.made and known.stream is value else None


def _words(words: np.ndarray[Any, Any]) -> Value:
    return Value(Leaf(words, ArrayType(words.dtype, words.shape)), 0)
