"""Pools of processes on ranks: what rank 0's give, all ranks get.

Each rank has processes of its own, for they may leave something in memory that it shares with them. Of files, only
those of rank 0 leave anything.
"""

from __future__ import annotations

import contextlib
import multiprocessing.pool
import multiprocessing.process
import multiprocessing.queues
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial, wraps
from typing import Any

from lazyarr.array import LazyArray
from lazyarr.files.parts import part_of
from lazyarr.outside import asking
from lazyarr.outside.asking import Role

_Pool = multiprocessing.pool.Pool
#: Methods of a pool that give what there is to give, with those that give it later; others of these; and iterators.
_LATER: dict[str, Callable[..., Any]] = {
    "map": _Pool.map_async,
    "starmap": _Pool.starmap_async,
    "apply": _Pool.apply_async,
}
_ASYNCHRONOUS, _ONE_BY_ONE = "map_async starmap_async apply_async", "imap imap_unordered"


class Result:
    """As `multiprocessing.pool.AsyncResult`: rank 0's, for every rank."""

    def __init__(self, of: Any):
        self._of = of

    def get(self, timeout: float | None = None) -> Any:
        """What the work gives, or what it raises."""
        found = asking.perform("waits for a pool of processes", lambda: self._of.get(timeout))
        self._of.wait()
        return found

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is done."""
        self._of.wait(timeout)
        asking.meet("has waited for a pool of processes")

    def ready(self) -> bool:
        """Whether it is done."""
        return bool(asking.perform("asks a pool of processes", lambda: self._of.ready()))

    def successful(self) -> bool:
        """Whether it has raised nothing."""
        return bool(asking.perform("asks a pool of processes", lambda: self._of.successful()))


class Results:
    """As what `imap` gives: rank 0's, for every rank."""

    def __init__(self, of: Callable[[float | None], Any]):
        self._of = of

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self, timeout: float | None = None) -> Any:
        """The next result."""
        found = asking.perform("waits for a pool of processes", lambda: self._of(timeout))
        if asking.ranks().rank:
            # (Rank 0's counts: in this one something may have failed that only rank 0 has, a file.)
            with contextlib.suppress(Exception):
                self._of(None)
        return found


def gathered(x: Any) -> Any:
    """What is sent to processes; of arrays that are split all ranks gather the elements, which one cannot do later.

    Parameters
    ----------
    x : object
        Arrays, and what holds them: lists, tuples, dicts, partial functions.
    """
    if isinstance(x, LazyArray):
        return x.__array__() if part_of(x) is not None else x
    if type(x) in (list, tuple):
        return type(x)(map(gathered, x))
    if type(x) is dict:
        return {key: gathered(value) for key, value in x.items()}
    if type(x) is partial:
        return partial(gathered(x.func), *gathered(x.args), **gathered(x.keywords))
    return x


def _listed(x: Any) -> Any:
    """What is worked on as a list: all ranks go through it, and draw its random numbers."""
    return x if isinstance(x, (tuple, dict, str, bytes)) else list(x)


def _working(name: str, function: Callable[..., Any], form: Callable[[Any], Any]) -> Callable[..., Any]:
    @wraps(function)
    def work(pool: Any, *args: Any, **kwargs: Any) -> Any:
        is_told = kwargs.get("callback") or kwargs.get("error_callback") or len(args) > 3
        if isinstance(pool, multiprocessing.pool.ThreadPool) or is_told or asking.role() is not Role.TOGETHER:
            return function(pool, *args, **kwargs)
        if len(args) > 1 and not name.startswith("apply"):
            args = (args[0], _listed(args[1]), *args[2:])
        args, kwargs = gathered((args, kwargs))
        return form(_LATER.get(name, function)(pool, *args, **kwargs))

    return work


def _giving(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose arguments go to processes of this rank's."""

    @wraps(function)
    def give(*args: Any, **kwargs: Any) -> Any:
        if asking.role() is Role.TOGETHER:
            args, kwargs = gathered((args, kwargs))
        return function(*args, **kwargs)

    return give


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """Whose attribute of which name becomes what."""
    forms: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        (" ".join(_LATER), lambda of: Result(of).get()),
        (_ASYNCHRONOUS, Result),
        (_ONE_BY_ONE, lambda of: Results(of.next)),
    )
    for names, form in forms:
        for name in names.split():
            yield _Pool, name, _working(name, getattr(_Pool, name), form)
    givers: tuple[tuple[Any, str], ...] = (
        (_Pool, "__init__"), (ProcessPoolExecutor, "__init__"), (multiprocessing.process.BaseProcess, "__init__"),
        (multiprocessing.queues.Queue, "put"), (multiprocessing.queues.JoinableQueue, "put"),
    )  # fmt: skip
    for holder, name in givers:
        yield holder, name, _giving(getattr(holder, name))
