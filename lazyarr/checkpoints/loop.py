"""A loop that is saved every so many iterations, and goes on from there when the program is started again."""

from __future__ import annotations

import hashlib
import itertools
import operator
import os
import pickle
import random
import sys
import types
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import numpy as np

from lazyarr import world
from lazyarr.checkpoints import store
from lazyarr.checkpoints.live import assign, changed, let_go, loop_at, variables
from lazyarr.checkpoints.state import Beginning, Loader, Saver, Unsaved
from lazyarr.runtime import is_tracing

Item = TypeVar("Item")


def checkpoint(path: Any, iterable: Iterable[Item], every: int, *, strict: bool = True) -> Iterator[Item]:
    """Go over an iterable in a ``for`` statement, and save what the loop carries after every so many iterations.

    ::

        for step in lazyarr.checkpoint("run.ckpt", range(100_000), every=1000):
            u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])

    Started again, the program goes on after the last iteration that was saved, on any number of ranks, or alone: what
    stands before the loop runs as before, then the variables get what they held, arrays, lists, dicts, objects and
    generators of random numbers in place. Those variables are saved that an iteration may read as an earlier one left
    them, or that are read after the loop: the compiler's data-flow analysis finds them. The states of `random` and of
    NumPy's global random numbers are saved as well. Not saved is what belongs to no variable of the loop's function or
    module: open files, attributes of classes and functions, closures of functions, variables of other modules.

    Nothing is removed when the loop ends: started once more, the program has its results at once. A folder that is
    removed lets it begin anew.

    Parameters
    ----------
    path : path-like
        A folder. In it each checkpoint is a folder that takes its name when it is complete; the last two are kept.
    iterable : iterable
        Gives the same items each time; the first ones are left out when the loop goes on.
    every : int
        Iterations between two checkpoints.
    strict : bool
        Whether the loop does not go on if the program is another, or its variables began with other values than in
        the run that was saved (because numbers are random without a seed, say). If False, it does, with a warning; as
        it does where the values differ on another number of ranks.

    Yields
    ------
    object
        The items.

    Raises
    ------
    ValueError
        If the call is not what a ``for`` statement goes over, or if the loop is not the one that was saved.
    TypeError
        If a variable that the loop assigns holds what cannot be saved (by `pickle`).
    OSError
        If a checkpoint cannot be written (those that are there stay), or if none of those that are there is whole.
        All ranks raise what one has met with.

    Notes
    -----
    A checkpoint is read by `pickle`: take none from somebody whom you do not trust.
    """
    if is_tracing():
        raise RuntimeError("lazyarr.checkpoint() goes around the calls of accelerated functions, not into them")
    count = operator.index(every)
    if count < 1:
        raise ValueError(f"every is {every}; expected a positive number of iterations")
    return _Loop(os.fspath(path), iterable, count, strict, sys._getframe(1))


class _Loop(Iterator[Item]):
    def __init__(self, path: str, iterable: Iterable[Item], every: int, strict: bool, frame: types.FrameType):
        self._path = os.path.abspath(path)
        self._items = iter(iterable)
        self._every, self._strict = every, strict
        self._frame: types.FrameType | None = frame
        self._loop = loop_at(frame)
        self._begin: Beginning | None = None
        self._unsaved: set[str] = set()
        self._done = self._last = 0

    def __next__(self) -> Item:
        if self._frame is None:
            raise StopIteration
        if self._begin is None:
            self._start(self._frame)
            let_go(self._frame)
        else:
            self._done += 1
            if self._done % self._every == 0:
                self._save(self._frame)
        try:
            return next(self._items)
        except StopIteration:
            if self._last != self._done:
                self._save(self._frame)
            self._frame = None  # which refers to this loop
            raise

    def _values(self, frame: types.FrameType) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is to be saved: variables of the frame, and of the module."""
        own, others = variables(self._loop, frame)
        return tuple({n: x for n, x in d.items() if n not in self._unsaved and x is not self}  # type: ignore[return-value]
                     for d in (own, others))  # fmt: skip

    def _start(self, frame: types.FrameType) -> None:
        together = world.current()
        if together is not None:
            together.agree(f"begins the loop of {self._path}", f"{self._every} {self._strict}")
        own, others = self._values(frame)
        self._begin = Beginning.of({**others, **own}, partial(self._leave_out, frame))
        if together is not None:
            # (What a program holds for one rank alone, its number, say, is not a reason to refuse.)
            self._begin.digests = together.communicator.from_first(self._begin.digests)
        there = store.found(self._path)
        for done in there:
            try:
                header, arrays = store.load(self._path, done)
            except store.Damaged as damage:
                text = f"the checkpoint of iteration {done} in {self._path} is damaged ({damage}); it is not used"
                _warn(frame, text)
                continue
            self._compare(frame, header)
            self._restore(frame, header, arrays)
            return
        if there:
            raise OSError(f"none of the checkpoints in {self._path} is whole; remove the folder to begin anew")

    def _leave_out(self, frame: types.FrameType, name: str, why: Exception) -> None:
        """Do without a variable; what a loop assigns itself has to be saved."""
        reason = f"{self._path}: {name} cannot be saved: {why}"
        if name in self._loop.assigned:
            raise TypeError(reason) from why
        self._unsaved.add(name)
        _warn(frame, f"{reason}; it will be as the program makes it before the loop")

    def _digest(self) -> str:
        return hashlib.blake2b(self._loop.text.encode(), digest_size=16).hexdigest()

    def _compare(self, frame: types.FrameType, header: Mapping[str, Any]) -> None:
        assert self._begin is not None
        before, now = header["digests"], self._begin.digests
        names = [n for n in sorted({*before, *now}) if before.get(n) != now.get(n)]
        what = [f"the variables {', '.join(names)} began with other values"] * bool(names)
        other = header["loop"] != self._digest()
        what += ["the statements of the loop were others"] * other
        if not what:
            return
        text = f"{self._path} was saved by another run: {' and '.join(what)}"
        # (Where there are other things than there were, it is not known which of them is which.)
        if header["counts"] != self._begin.entry.counts:
            raise ValueError(f"{text}, in other arrays, lists and objects. Remove the folder to begin anew")
        if self._strict and (other or header["ranks"] == _ranks()):
            raise ValueError(f"{text}. Remove the folder to begin anew, or say strict=False to go on from there")
        _warn(frame, f"{text}; it goes on from there all the same")

    def _save(self, frame: types.FrameType) -> None:
        assert self._begin is not None
        own, others = (changed(self._loop, values) for values in self._values(frame))
        saver = Saver(self._begin.entry, begins=False)
        name = "what they hold"
        try:
            for name, value in (*others.items(), *own.items()):  # noqa: B007  the message names it
                saver.dump(value)
            saver.left()
            numbers = saver.contents()
        except (pickle.PicklingError, TypeError, AttributeError, Unsaved, NotImplementedError) as error:
            raise TypeError(f"{self._path}: {name} cannot be saved: {error}") from error
        header = {
            "own": list(own), "others": list(others), "numbers": numbers, "values": saver.buffer.getvalue(),
            "done": self._done, "ranks": _ranks(), "loop": self._digest(), "digests": self._begin.digests,
            "counts": self._begin.entry.counts,
            "random": (random.getstate(), np.random.get_state(legacy=False)),
        }  # fmt: skip
        store.save(self._path, self._done, header, saver.arrays)
        let_go(frame)
        self._last = self._done

    def _restore(self, frame: types.FrameType, header: Mapping[str, Any], arrays: list[Any]) -> None:
        assert self._begin is not None
        self._done = self._last = header["done"]
        if next(itertools.islice(self._items, self._done - 1, None), self) is self:
            raise ValueError(
                f"{self._path} was saved after iteration {self._done}; the loop has fewer: give it as many, or another "
                "path"
            )
        loader = Loader(header["values"], self._begin.entry, arrays)
        others = {name: loader.load() for name in header["others"]}
        own = {name: loader.load() for name in header["own"]}
        loader.contents(header["numbers"])
        assign(frame, own, others)
        random.setstate(header["random"][0])
        np.random.set_state(header["random"][1])
        if _is_first():
            sys.stderr.write(f"lazyarr: {self._path}: goes on after iteration {self._done}\n")


def _ranks() -> int:
    together = world.current()
    return 1 if together is None else together.size


def _is_first() -> bool:
    together = world.current()
    return together is None or together.rank == 0


def _warn(frame: types.FrameType, text: str) -> None:
    if _is_first():
        warnings.warn_explicit(text, UserWarning, frame.f_code.co_filename, frame.f_lineno)
