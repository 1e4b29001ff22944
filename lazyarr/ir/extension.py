"""The extension in C (`setup.py`, ``walk.c``, ``make.c``), where it could be built."""

from __future__ import annotations

import importlib
from typing import Any

compiled: Any
try:
    compiled = importlib.import_module("lazyarr.ir._walk")
except ImportError:  # no compiler was there at installation
    compiled = None
