"""Which function of SciPy is run as what."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from lazyarr.dispatch import NotCompiled
from lazyarr.fallback import run_in_numpy
from lazyarr.scipy import linalg, special  # noqa: F401  they register what they implement
from lazyarr.scipy._register import FUNCTIONS


def implementation(value: Any) -> Callable[..., Any] | None:
    """What is run instead of a function of SciPy's; None where nothing is."""
    for (module, name), function in FUNCTIONS.items():
        if getattr(sys.modules.get(module), name, None) is value:
            return _dispatched(value, f"{module}.{name}", function)
    return None


def _dispatched(value: Any, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except NotCompiled as reason:
            return run_in_numpy(value, args, kwargs, f"{name}: {reason}")

    return call
