"""Streams of random numbers that a trace draws from: put back to where they were, so that the call can begin again."""

from __future__ import annotations

import random
import threading
from typing import Any

import numpy as np

from lazyarr import streams, world


class Streams:
    """The streams that one trace has advanced, and their states before that."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[Any, Any]] = {}
        self._made: dict[int, Any] = {}

    def made(self, stream: Any) -> None:
        """Note a stream that the traced function has made: nobody else has it."""
        self._made[id(stream)] = stream

    def keep(self, stream: Any) -> bool:
        """Keep the state of a stream that is about to be drawn from; False if it cannot be put back.

        Parameters
        ----------
        stream : object
            A `numpy.random.Generator`, `numpy.random.RandomState` or `random.Random`; any other object is no stream.
        """
        if world.current() is not None:
            return False
        if id(stream) in self._before or id(stream) in self._made:
            return True
        if streams.bits(stream) is None or _others_may_draw():
            return False
        self._before[id(stream)] = stream, _state(stream)
        return True

    def restore(self) -> None:
        """Put all streams back to where they were."""
        for stream, state in self._before.values():
            if isinstance(stream, random.Random):
                stream.setstate(state)
            elif isinstance(stream, np.random.Generator):
                streams.bits(stream).state = state
            else:
                np.random.RandomState.set_state(stream, state)
        self._before.clear()


def _others_may_draw() -> bool:
    """Whether other threads run for the user: what they have drawn meanwhile would be drawn again."""
    here = threading.current_thread()
    return any(thread is not here and not thread.daemon for thread in threading.enumerate())


def _state(stream: Any) -> Any:
    if isinstance(stream, random.Random):
        return stream.getstate()
    if isinstance(stream, np.random.Generator):
        return streams.bits(stream).state
    return np.random.RandomState.get_state(stream, legacy=False)
