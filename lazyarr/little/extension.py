"""The extension in C (`setup.py`, lazyarr/little/c), where it could be built."""

from __future__ import annotations

from typing import Any

compiled: Any
try:
    from lazyarr.little import _fast_path

    compiled = _fast_path
except ImportError:  # no compiler was there at installation
    compiled = None
