"""What becomes of floating-point errors: ``errstate`` and ``seterr`` of the drop-in namespace.

Recorded work says nothing of its errors. Where NumPy is told to raise (or to call, print or log), what was recorded is
computed first, as before, and from then on NumPy does each operation at once, in the caller's context: so the error is
NumPy's, and comes at its line. It is so in the contexts in which NumPy's own state says it, and in copies of them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from lazyarr import forks, quiet, settings
from lazyarr.runtime import flush, is_tracing, recording
from lazyarr.tracing.listening import is_listening
from lazyarr.world import active as ranks

#: More elements than any array has.
_ALL = 1 << 62
#: (Contexts end wherever their last reference goes, in the middle of what is done under this lock as well.)
_lock = forks.lock()


class _Heard:
    """What a context has that is to hear of errors, and its copies too: it goes when the last of them does."""

    __slots__ = ("__weakref__",)


#: How many of these there are.
_count = 0


def _begin() -> None:
    """Have NumPy do operations at once, in this context."""
    global _count
    quiet.unheard(flush, recording())
    mark = _Heard()
    with _lock:
        _count += 1
        if _count == 1:
            settings.hold(eager_below=_ALL, fast_path=0)
    weakref.finalize(mark, _end).atexit = False
    quiet.heard.set(mark)


def _end() -> None:
    """Undo `_begin`, when the last has gone that hears of errors."""
    global _count
    with _lock:
        _count -= 1
        if not _count:
            settings.hold()


def _follow() -> None:
    """Have this context hear of errors, or not, as NumPy's state says now.

    (Several ranks, and functions that are traced, go on as they are.)
    """
    if ranks or is_tracing():
        return
    if is_listening() is not (quiet.heard.get() is not None):
        if is_listening():
            _begin()
        else:
            quiet.heard.set(None)


class errstate(np.errstate):
    """As `numpy.errstate`."""

    __slots__ = ()

    def __enter__(self) -> None:
        super().__enter__()
        try:
            _follow()
        except BaseException as error:  # (of what was recorded before)
            super().__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        _follow()

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
    _follow()
    return before
