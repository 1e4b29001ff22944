"""NumPy's random numbers as lazy arrays.

The numbers are NumPy's own, drawn in order when the call is made, so that every stream is the one NumPy gives for the
seed. Drawing is no fallback, it makes data; a call that needs the data of lazy arguments is one, and is counted.
"""

from __future__ import annotations

import operator
from functools import cached_property, wraps
from typing import Any, cast

import numpy.random as _random

from lazyarr import streams, world
from lazyarr.array import LazyArray
from lazyarr.dispatch import holds_lazy
from lazyarr.fallback import run_in_numpy, run_on_constants
from lazyarr.little import draws
from lazyarr.little.extension import begun
from lazyarr.little.functions import PICKLED
from lazyarr.numpy._streams import drawn
from lazyarr.runtime import recording
from lazyarr.weak import WeakScalar

#: What handles the state of a stream, not arrays.
_STATE = {"seed", "get_state", "set_state", "get_bit_generator", "set_bit_generator", "spawn", "bytes"}


#: What NumPy's legacy class does by other methods of the same object, of which it expects arrays of its own.
_COMPOSED = {f"numpy.random.RandomState.{name}" for name in ("choice", "permutation", "random_integers", "shuffle")}


def _draw(function: Any, name: str, args: Any, kwargs: Any) -> Any:
    """Call a function of NumPy that advances a stream of random numbers."""
    observer = recording().observer
    short = name.rpartition(".")[2]
    if observer is not None:
        drawn_there, found = observer.draw(function, short, args, kwargs)
        if drawn_there:
            return found
        function = found
        acts = short in _STATE or short == "shuffle" or "out" in kwargs
        observer.draws(None if acts else getattr(function, "__self__", None), f"{name} draws random numbers")
    if short == "seed" and (not args or args[0] is None) and not kwargs:
        args = (_words(),)
    if short in _STATE:
        return function(*args, **kwargs)
    if short == "shuffle" and not any(isinstance(x, LazyArray) for x in (*args, *kwargs.values())):
        function(*args, **kwargs)  # a list is shuffled as it is, whatever it holds
        return None
    if not holds_lazy(args) and not holds_lazy(kwargs):
        split = drawn(function, short, args, kwargs)
        if split is not None:
            return split
        return run_on_constants(function, args, kwargs)
    writes = short == "shuffle" or (short in draws.INTO and len(args) > 1)
    return run_in_numpy(function, args, kwargs, f"{name} is not compiled", mutates=writes)


def _looked_at(stream: Any) -> Any:
    """The bit generator of a stream, whose state may be looked at, or changed."""
    observer = recording().observer
    if observer is not None:
        observer.draws(None, "the bit generator of a stream is looked at")
    return streams.bits(stream)


def _methods(base: Any) -> Any:
    """Class decorator: the drawing methods of NumPy's class `base`, giving lazy arrays."""

    def decorate(cls: Any) -> Any:
        for name in dir(base):
            method = getattr(base, name)
            if not name.startswith("_") and callable(method):
                setattr(cls, name, _method(method, f"numpy.random.{base.__name__}.{name}"))
        return cls

    return decorate


def _method(method: Any, name: str) -> Any:
    little, is_composed = _little(name), name in _COMPOSED

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        alone = is_composed and recording().observer is None
        if little is not None:
            found = little(method.__get__(self._plain if alone else self._numpys), args, kwargs)
            if found is not NotImplemented:
                return found
        return _draw(method.__get__(self._plain if alone else self), name, args, kwargs)

    if little is not draws.draw or is_composed:
        return call
    return begun("DRAWS_OF", call, method, draws.as_lazy, draws.told_by_arrays(method))


def _little(name: str) -> Any:
    """What draws little arrays by a function of this name; None where nothing does."""
    short = name.rpartition(".")[2]
    return draws.shuffle if short == "shuffle" else None if short in _STATE else draws.draw


@_methods(_random.Generator)
class Generator(_random.Generator):
    """As `numpy.random.Generator`; arrays drawn from it are lazy."""

    @cached_property
    def _numpys(self) -> Any:
        """NumPy's generator of the same stream, whose methods call its own, not these."""
        return _random.Generator(streams.bits(self))

    @property
    def bit_generator(self) -> Any:
        """The bit generator, whose state may be looked at, or changed."""
        return _looked_at(self)

    def __reduce__(self) -> Any:
        return Generator, (self.bit_generator,)


@_methods(_random.RandomState)
class RandomState(_random.RandomState):
    """As `numpy.random.RandomState`; arrays drawn from it are lazy."""

    @cached_property
    def _plain(self) -> Any:
        """NumPy's stream with the same bit generator, for what draws no normal numbers, of which one may be left."""
        return _random.RandomState(streams.bits(self))

    @property
    def _numpys(self) -> Any:
        # (Another one would not share the normal number that is left.)
        return self

    def __init__(self, seed: Any = None):
        super().__init__(_words() if seed is None else _known(seed))
        observer = recording().observer
        if observer is not None and seed is not None and not isinstance(seed, _random.BitGenerator):
            observer.made_stream(self, seed)

    def __reduce__(self) -> Any:
        return _restored, (self.get_state(legacy=False),)

    @property
    def _bit_generator(self) -> Any:  # type: ignore[override]
        return _looked_at(self)


def _words() -> Any:
    """The same as `_entropy` for the legacy generator, which takes words of 32 bits."""
    return world.shared(lambda: _random.SeedSequence().generate_state(8))


def _entropy() -> int | None:
    """What seeds a stream that nobody has given a seed: where several ranks run, the same for all."""
    found: int | None = world.shared(lambda: _random.SeedSequence().entropy)
    return found


def _restored(state: Any) -> RandomState:
    found = RandomState()
    _random.RandomState.set_state(found, state)
    return found


def _known(seed: Any) -> Any:
    """A number of a traced function as the int it is in this call: NumPy looks at the types of seeds.

    (Programs make the stream of the number itself.)
    """
    return seed.at_hand() if isinstance(seed, WeakScalar) else seed


def default_rng(seed: Any = None) -> Any:
    """As `numpy.random.default_rng`; arrays drawn from it are lazy."""
    if isinstance(seed, Generator):
        return seed
    if isinstance(seed, LazyArray):
        seed = seed._elements("a seed")[()]
    if isinstance(seed, (list, tuple)):
        seed = [operator.index(cast(Any, word)) if isinstance(word, WeakScalar) else word for word in seed]
    given, seed = seed, _known(seed)
    if seed is None:
        seed = _entropy()
    made = Generator(_random.default_rng(seed).bit_generator)
    observer = recording().observer
    if observer is not None and not isinstance(seed, (_random.Generator, _random.BitGenerator, _random.SeedSequence)):
        observer.made_stream(made, given)
    return made


def standing_for(stream: Any) -> Any:
    """A stream for functions that are traced, in place of a caller's: whoever draws from it asks the trace."""
    if isinstance(stream, _random.Generator):
        return Generator(streams.bits(stream))
    return RandomState(streams.bits(stream))


def _public(name: str) -> Any:
    value = getattr(_random, name)
    if not callable(value) or isinstance(value, type):
        return value

    little = _little(name)

    @wraps(value)
    def call(*args: Any, **kwargs: Any) -> Any:
        if little is not None:
            found = little(value, args, kwargs)
            if found is not NotImplemented:
                return found
        return _draw(value, f"numpy.random.{name}", args, kwargs)

    return call if little is not draws.draw else begun("DRAWS", call, value, draws.as_lazy, draws.told_by_arrays(value))


for _name in _random.__all__:
    if _name not in globals():
        globals()[_name] = _public(_name)


def _reduced(function: Any) -> Any:
    """How a function that draws is pickled: as NumPy's, most of them with the state that the stream has then."""
    name = getattr(function, "__name__", "")
    if globals().get(name) is not function:
        return None
    if getattr(getattr(_random, name), "__self__", None) is None:
        return _drawing, (name,)
    return _drawing, (name, _random.mtrand._rand.get_state(legacy=False))


def _drawing(name: str, state: Any = None) -> Any:
    """A function that draws, from a stream of its own where a state is given."""
    return globals()[name] if state is None else getattr(_restored(state), name)


PICKLED.append(_reduced)
__all__ = list(_random.__all__)


def __getattr__(name: str) -> Any:
    # What NumPy's module holds beside its public names, and the AttributeError for what it has not.
    return getattr(_random, name)
