"""What becomes of floating-point errors: ``errstate`` and ``seterr`` of the drop-in namespace.

Recorded work says nothing of its errors. Where NumPy is told to raise (or to call, print or log), what was recorded is
computed first, as before, and from then on NumPy does each operation at once, in the caller's context: so the error is
NumPy's, and comes at its line.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from lazyarr import quiet, settings
from lazyarr.runtime import flush, is_tracing, recording
from lazyarr.tracing.listening import is_listening
from lazyarr.world import active as ranks

#: More elements than any array has.
_ALL = 1 << 62
_lock = threading.Lock()


class _Aloud(threading.local):
    """How often this thread has been told to let errors be heard."""

    def __init__(self) -> None:
        self.times = 0
        #: Whether NumPy's calls were in the caller's context before.
        self.entered = False
        self.by_seterr = False


_thread = _Aloud()
#: Threads that hear of errors, and what the settings were before the first of them.
_threads = 0
_before: settings.Settings | None = None


def _begin() -> bool:
    """Have NumPy do operations at once, in the caller's context; whether this is done here.

    (Several ranks, and functions that are traced, go on as they are.)
    """
    global _threads, _before
    if ranks or is_tracing():
        return False
    if not _thread.times:
        flush(recording())
        _thread.entered, quiet.thread.entered = quiet.thread.entered, True
        with _lock:
            _threads += 1
            if _threads == 1:
                _before = settings.configure(eager_below=_ALL, fast_path=0)
    _thread.times += 1
    return True


def _end() -> None:
    """Undo `_begin`."""
    global _threads
    _thread.times -= 1
    if _thread.times:
        return
    quiet.thread.entered = _thread.entered
    with _lock:
        _threads -= 1
        if not _threads and _before is not None:
            now = settings.current
            # (What the program has set meanwhile stays.)
            changes = {"eager_below": _ALL, "fast_path": 0}
            settings.configure(**{k: getattr(_before, k) for k, v in changes.items() if getattr(now, k) == v})


class errstate(np.errstate):
    """As `numpy.errstate`."""

    __slots__ = ("_is_heard",)

    def __enter__(self) -> None:
        super().__enter__()
        try:
            self._is_heard = is_listening() and _begin()
        except BaseException as error:  # (of what was recorded before)
            super().__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(self, *error: Any) -> None:
        if self._is_heard:
            _end()
        super().__exit__(*error)

    def __call__(self, func: Callable[..., Any]) -> Any:
        names = ("call", "all", "divide", "over", "under", "invalid")
        given: dict[str, Any] = {name: getattr(self, f"_{name}") for name in names}

        @wraps(func)
        def inner(*args: Any, **kwargs: Any) -> Any:
            with type(self)(**given):
                return func(*args, **kwargs)

        return inner


errstate.__module__ = "numpy"


@wraps(np.seterr)
def seterr(*args: Any, **kwargs: Any) -> Any:
    before = np.seterr(*args, **kwargs)
    if is_listening() is not _thread.by_seterr:
        if _thread.by_seterr:
            _thread.by_seterr = False
            _end()
        else:
            _thread.by_seterr = _begin()
    return before
