"""What the drop-in submodules share: every public name of NumPy's, dispatched."""

from __future__ import annotations

import importlib
from typing import Any

from lazyarr.dispatch import begun_call, dispatched
from lazyarr.little.functions import taken


def fill(namespace: dict[str, Any], name: str) -> None:
    """Put the public names of ``numpy.<name>`` that are missing into `namespace`, functions dispatched."""
    module = importlib.import_module(f"numpy.{name}")
    for public in module.__all__:
        value = getattr(module, public)
        if public not in namespace:
            is_function = callable(value) and not isinstance(value, type)
            namespace[public] = taken(value, dispatched(value, begun_call)) if is_function else value
    namespace["__all__"] = list(module.__all__)
