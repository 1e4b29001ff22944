"""NumPy's submodules that are no files of lazyarr's: ``from lazyarr.numpy.typing import NDArray``.

A program that takes ``lazyarr.numpy`` for ``numpy`` finds NumPy's own module under each such name, or a form of it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

from lazyarr.numpy._forms import NAMES, form

#: lazyarr's package, NumPy's, and the submodules of lazyarr's own.
_OURS, _THEIRS, _OWN = "lazyarr.numpy.", "numpy.", ("fft", "linalg", "random")


class _Finder(MetaPathFinder, Loader):
    """Finds NumPy's modules for names in lazyarr's package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(_OURS):
            return None
        name = fullname.removeprefix(_OURS)
        if name.startswith("_") or name.partition(".")[0] in _OWN or find_spec(_THEIRS + name) is None:
            return None
        return ModuleSpec(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        # What stands here afterwards is what the import gives: a module of two names would exist twice.
        name = module.__name__.removeprefix(_OURS)
        sys.modules[module.__name__] = form(name) if name in NAMES else importlib.import_module(_THEIRS + name)


def install() -> None:
    """Have Python's import find them, before it looks for files in NumPy's folders under lazyarr's names."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
