"""lazyarr: a compiler for ordinary NumPy programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazyarr._version import __version__

if TYPE_CHECKING:
    from lazyarr.tracing import accelerate

__all__ = ["__version__", "accelerate"]

_LAZY = {"accelerate": "lazyarr.tracing"}


def __getattr__(name: str) -> Any:
    # Loaded at first use, so that importing lazyarr costs nothing.
    if name not in _LAZY:
        raise AttributeError(f"module 'lazyarr' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)
