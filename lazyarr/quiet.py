"""Calls of NumPy that warn of nothing."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np

Result = TypeVar("Result")


class _Quiet(threading.local):
    """A context of this thread in which NumPy warns of nothing: entering one is cheaper than `numpy.errstate`."""

    def __init__(self) -> None:
        self.context = contextvars.Context()
        self.context.run(partial(np.seterr, all="ignore"))
        self.entered = False


#: This thread's.
thread = _Quiet()
#: What stands for a context that is to hear of errors (`lazyarr.numpy._errors`); None in all others.
#: (NumPy's own state belongs to a context, too: tasks of one thread have several, and other threads copies of them.)
heard: contextvars.ContextVar[Any] = contextvars.ContextVar("lazyarr_heard", default=None)


def quietly(run: Callable[..., Result], *args: Any) -> Result:
    """``run(*args)``, in which NumPy warns of nothing, where the caller does not want to hear of errors."""
    return run(*args) if heard.get() is not None else unheard(run, *args)


def unheard(run: Callable[..., Result], *args: Any) -> Result:
    """``run(*args)``, in which NumPy warns of nothing, whatever the caller wants."""
    quiet = thread
    if quiet.entered:
        return run(*args)
    quiet.entered = True
    try:
        return quiet.context.run(run, *args)
    finally:
        quiet.entered = False
