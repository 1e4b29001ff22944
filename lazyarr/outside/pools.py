"""Pools of processes on ranks: rank 0's does the work, and the others are told what it gives."""

from __future__ import annotations

import multiprocessing.pool
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import wraps
from typing import Any

from lazyarr.outside import asking
from lazyarr.outside.asking import Role

_Pool = multiprocessing.pool.Pool
#: Methods of a pool that give what there is to give; objects that give it later; and iterators over it.
_NOW, _LATER, _ONE_BY_ONE = "map starmap apply", "map_async starmap_async apply_async", "imap imap_unordered"


class Result:
    """As `multiprocessing.pool.AsyncResult`: rank 0's, for every rank."""

    def __init__(self, of: Any):
        self._of = of

    def get(self, timeout: float | None = None) -> Any:
        """What the work gives, or what it raises."""
        return asking.perform("waits for a pool of processes", lambda: self._of.get(timeout))

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is done."""
        asking.perform("waits for a pool of processes", lambda: self._of.wait(timeout))

    def ready(self) -> bool:
        """Whether it is done."""
        return bool(asking.perform("asks a pool of processes", lambda: self._of.ready()))

    def successful(self) -> bool:
        """Whether it has raised nothing."""
        return bool(asking.perform("asks a pool of processes", lambda: self._of.successful()))


class Results:
    """As what `imap` gives: rank 0's, for every rank."""

    def __init__(self, of: Any):
        self._of = of

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self, timeout: float | None = None) -> Any:
        """The next result."""
        return asking.perform("waits for a pool of processes", lambda: self._of.next(timeout))


def _listed(name: str, args: Any) -> Any:
    """Arguments with what is worked on as a list, so that all ranks go through it (and draw its random numbers)."""
    if name.startswith("apply") or len(args) < 2 or hasattr(args[1], "__len__"):
        return args
    return (args[0], list(args[1]), *args[2:])


def _working(name: str, function: Callable[..., Any], form: Callable[[Any], Any] | None) -> Callable[..., Any]:
    @wraps(function)
    def work(pool: Any, *args: Any, **kwargs: Any) -> Any:
        is_told = kwargs.get("callback") or kwargs.get("error_callback") or len(args) > 3
        if isinstance(pool, multiprocessing.pool.ThreadPool) or is_told or asking.role() is not Role.TOGETHER:
            return function(pool, *args, **kwargs)
        args = _listed(name, args)
        if form is None:
            return asking.perform("waits for a pool of processes", lambda: function(pool, *args, **kwargs))
        return form(
            asking.perform("asks a pool of processes", lambda: function(pool, *args, **kwargs), lambda result: None)
        )

    return work


_executor_map = ProcessPoolExecutor.map


@wraps(_executor_map)
def _mapping(executor: Any, fn: Any, *iterables: Any, **kwargs: Any) -> Any:
    if asking.role() is not Role.TOGETHER:
        return _executor_map(executor, fn, *iterables, **kwargs)
    given = list(zip(*iterables, strict=False))
    return Results(
        asking.perform(
            "asks a pool of processes",
            lambda: _Next(_executor_map(executor, fn, *zip(*given, strict=True), **kwargs) if given else iter(())),
            lambda result: None,
        )
    )


class _Next:
    """An iterator that has `next`."""

    def __init__(self, of: Iterator[Any]):
        self._of = of

    def next(self, timeout: float | None = None) -> Any:
        return next(self._of)


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """Whose attribute of which name becomes what."""
    forms: tuple[tuple[str, Any], ...] = ((_NOW, None), (_LATER, Result), (_ONE_BY_ONE, Results))
    for names, form in forms:
        for name in names.split():
            yield _Pool, name, _working(name, getattr(_Pool, name), form)
    yield ProcessPoolExecutor, "map", _mapping
