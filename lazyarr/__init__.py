"""lazyarr: a compiler for ordinary NumPy programs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Functions that share a module's name are imported here, at once: an attribute of the package is set to a submodule
# when that is imported for the first time, and stays what it is made after that.
from lazyarr import settings
from lazyarr._version import __version__
from lazyarr.report import DivergedError, FallbackError, FallbackWarning, StrictError, report
from lazyarr.settings import configure

if TYPE_CHECKING:
    from lazyarr.array import LazyArray
    from lazyarr.checkpoints import checkpoint
    from lazyarr.splitting import grid, partition
    from lazyarr.tracing import accelerate
    from lazyarr.world import init

#: Public names whose modules take long to import, with the module that holds them; found when they are first used.
_LATER = {
    "LazyArray": "lazyarr.array", "accelerate": "lazyarr.tracing", "checkpoint": "lazyarr.checkpoints",
    "init": "lazyarr.world",
    "grid": "lazyarr.splitting", "partition": "lazyarr.splitting",
}  # fmt: skip

__all__ = [
    "DivergedError", "FallbackError", "FallbackWarning", "LazyArray", "StrictError", "__version__", "accelerate",
    "checkpoint", "configure", "grid", "init", "partition", "report", "settings",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'lazyarr' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_LATER[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
