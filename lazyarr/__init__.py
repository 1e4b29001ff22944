"""lazyarr: a compiler for ordinary NumPy programs."""

from __future__ import annotations

from lazyarr._version import __version__

__all__ = ["__version__"]
