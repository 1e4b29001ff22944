"""Futures of executors with processes on ranks: what rank 0's processes give, all ranks get; see `pools`."""

from __future__ import annotations

import concurrent.futures
import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import wraps
from typing import Any

from lazyarr.outside import asking
from lazyarr.outside.asking import Role
from lazyarr.outside.pools import Results, gathered

_numbers = itertools.count()


class Future(concurrent.futures.Future):  # type: ignore[type-arg]
    """As `concurrent.futures.Future`: rank 0's, for every rank.

    Attributes
    ----------
    number : int
        The same on all ranks.
    of : concurrent.futures.Future
        This rank's.
    """

    def __init__(self, of: concurrent.futures.Future[Any]):
        super().__init__()
        self.number, self.of = next(_numbers), of

    def _asked(self, name: str, *args: Any) -> Any:
        return asking.perform(f"asks an executor: {name} of work {self.number}", lambda: getattr(self.of, name)(*args))

    # (Sets of them have one order on all ranks.)
    def __hash__(self) -> int:
        return hash(self.number)

    def result(self, timeout: float | None = None) -> Any:
        """What the work gives, or what it raises."""
        found = self._asked("result", timeout)
        _wait([self.of])
        return found

    def exception(self, timeout: float | None = None) -> Any:
        """What the work raises."""
        return self._asked("exception", timeout)

    def done(self) -> bool:
        """Whether it is done."""
        return bool(self._asked("done"))

    def running(self) -> bool:
        """Whether it has been begun."""
        return bool(self._asked("running"))

    def cancelled(self) -> bool:
        """Whether it will not be done."""
        return bool(self._asked("cancelled"))

    def cancel(self) -> bool:
        """Do not do it, if it has not been begun."""
        return bool(self._asked("cancel"))

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        """Call a function when it is done: now, for ranks wait for each other in one thread."""
        self.exception()
        fn(self)


_submit: Any = ProcessPoolExecutor.submit
_map = ProcessPoolExecutor.map
_as_completed, _wait = concurrent.futures.as_completed, concurrent.futures.wait


@wraps(_submit)
def _submitting(executor: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
    if asking.role() is not Role.TOGETHER:
        return _submit(executor, fn, *args, **kwargs)
    fn, args, kwargs = gathered((fn, args, kwargs))
    return Future(_submit(executor, fn, *args, **kwargs))


@wraps(_map)
def _mapping(executor: Any, fn: Any, *iterables: Any, **kwargs: Any) -> Any:
    if asking.role() is not Role.TOGETHER:
        return _map(executor, fn, *iterables, **kwargs)
    fn, given = gathered((fn, list(zip(*iterables, strict=False))))
    found = iter(_map(executor, fn, *zip(*given, strict=True), **kwargs) if given else ())
    return Results(lambda timeout: next(found))


def _ours(fs: Iterable[Any]) -> dict[int, Future]:
    """Those of an executor that ranks share, by their numbers; all ranks have them in one order."""
    return {future.number: future for future in sorted(fs, key=lambda future: future.number)}


def _are_ours(fs: list[Any]) -> bool:
    return bool(fs) and all(isinstance(future, Future) for future in fs)


@wraps(_as_completed)
def _completing(fs: Iterable[Any], timeout: float | None = None) -> Iterator[Any]:
    fs = list(fs)
    if not _are_ours(fs):
        return _as_completed(fs, timeout)
    ours = _ours(fs)
    which = {future.of: number for number, future in ours.items()}
    rest = _as_completed(which, timeout)

    def completed() -> Iterator[Any]:
        for _ in ours:
            future = ours[asking.perform("asks an executor", lambda: which[next(rest)])]
            _wait([future.of])
            yield future

    return completed()


@wraps(_wait)
def _waiting(fs: Iterable[Any], timeout: float | None = None, return_when: str = "ALL_COMPLETED") -> Any:
    fs = list(fs)
    if not _are_ours(fs):
        return _wait(fs, timeout, return_when)
    ours = _ours(fs)
    which = {future.of: number for number, future in ours.items()}

    def wait() -> list[int]:
        return [which[future] for future in _wait(which, timeout, return_when).done]

    done: set[Any] = {ours[number] for number in asking.perform("asks an executor", wait)}
    _wait([future.of for future in done])
    return concurrent.futures._base.DoneAndNotDoneFutures(done, set(fs) - done)


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """Whose attribute of which name becomes what."""
    yield ProcessPoolExecutor, "submit", _submitting
    yield ProcessPoolExecutor, "map", _mapping
    yield concurrent.futures, "as_completed", _completing
    yield concurrent.futures, "wait", _waiting
