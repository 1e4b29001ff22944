"""What the drop-in submodules share: every public name of NumPy's, dispatched."""

from __future__ import annotations

import importlib
from typing import Any

from lazyarr.dispatch import dispatched


def fill(namespace: dict[str, Any], name: str) -> None:
    """Put the public names of ``numpy.<name>`` that are missing into `namespace`, functions dispatched."""
    module = importlib.import_module(f"numpy.{name}")
    for public in module.__all__:
        value = getattr(module, public)
        if public not in namespace:
            namespace[public] = dispatched(value) if callable(value) and not isinstance(value, type) else value
    namespace["__all__"] = list(module.__all__)
