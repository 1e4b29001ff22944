"""Signals that wait until what has been computed is kept.

Python's handlers of signals run between any two steps of the main thread, and what they raise (`KeyboardInterrupt`)
would come between a program that has written over arrays and the place where its results belong.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: Signals for which programs have handlers.
_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGPROF", "SIGQUIT", "SIGINT")
    if hasattr(signal, name)
]

_Handlers = dict[int, Callable[..., Any]]


@contextmanager
def held() -> Iterator[None]:
    """Within which no handler of the program's is called: it is afterwards, once for each signal that came."""
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    handlers: _Handlers = {}
    came: dict[int, None] = {}

    def note(number: int, frame: Any) -> None:
        came[number] = None

    try:
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                handlers[number] = handler
                signal.signal(number, note)
        yield
    finally:
        # (What is put back first may be called, and raise, while the others are.)
        try:
            _put_back(handlers)
        finally:
            try:
                _put_back(handlers)
            finally:
                _call(handlers, [*came])


def _put_back(handlers: _Handlers) -> None:
    for number, handler in handlers.items():
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


def _call(handlers: _Handlers, numbers: list[int]) -> None:
    """Call the handlers of some signals, all of them though one raises."""
    if numbers:
        try:
            handlers[numbers[0]](numbers[0], sys._getframe())
        finally:
            _call(handlers, numbers[1:])
