"""One call, written as an expression of `np`, in NumPy and over lazy arrays."""

from __future__ import annotations

from typing import Any

import numpy

import lazyarr.numpy
from lazyarr import settings as lazy_settings
from tests.random_compare import public_class
from tests.test_functions import differences, outcome


def compare(expression: str, known: dict[str, Any]) -> list[str]:
    """How the value of an expression of `np` differs from NumPy's, nothing falling back."""
    lazy = {name: lazyarr.numpy.array(value) for name, value in known.items()}
    want, raised = outcome(expression, {"np": numpy, **known})
    # What is compiled must not fall back: that would be compared with itself.
    with lazy_settings.settings(fallback="error"):
        got, error = outcome(expression, {"np": lazyarr.numpy, **lazy})
        if raised is not None:
            same = isinstance(error, public_class(raised))
            return [] if same else [f"NumPy raises {raised!r}, got {got!r} {error!r}"]
        if error is not None:
            return [f"NumPy gives {want!r}, got {error!r}"]
        return differences(want, got)
