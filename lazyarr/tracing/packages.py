"""Whose code something is: the user's, which is traced and looked into, or a package's, which is what it is."""

from __future__ import annotations

import os
import sys
from typing import Any

STDLIB = frozenset(sys.stdlib_module_names) - {"__main__"}
#: Packages whose functions, modules and classes are what they are.
_OTHERS = {"numpy", "scipy", "jax", "jaxlib", "lazyarr", *STDLIB}

#: Folders that hold packages of many authors.
_INSTALLED = frozenset({"site-packages", "dist-packages"})

#: Modules of Python's that work with Python's numbers only, as they stand in memory.
_READING = frozenset({"datetime", "decimal", "fractions", "json", "statistics", "struct"})


def top_level(module: Any) -> str:
    """The top-level package of a module's name; the empty string for None."""
    return str(module or "").partition(".")[0]


def is_users(module: Any) -> bool:
    """Whether a module is neither Python's own nor of a package that lazyarr knows."""
    return top_level(module) not in _OTHERS


def is_own(module: Any, package: str) -> bool:
    """Whether a module is of the package of the function that is traced, the script itself, or lies beside these."""
    name = top_level(module)
    return is_users(module) and (name in (package, "__main__") or _are_neighbours(name, package))


def _are_neighbours(name: str, package: str) -> bool:
    """Whether two modules are parts of one program: they lie in one folder, and not in that of installed packages."""
    folder = _folder(package)
    if not folder or not _INSTALLED.isdisjoint(folder.split(os.sep)):
        return False
    return folder == _folder(name)


def _folder(name: str) -> str:
    """Where a module or a package lies; the empty string if that is not known."""
    module = sys.modules.get(name)
    file: str | None = getattr(module, "__file__", None)
    if file is None:
        return os.getcwd() if name == "__main__" else ""
    folder = os.path.dirname(os.path.abspath(file))
    return os.path.dirname(folder) if hasattr(module, "__path__") else folder


def takes_pythons_numbers(module: Any) -> bool:
    """Whether code of a module looks into numbers as they stand in memory: nothing can stand for them there."""
    return top_level(module).lstrip("_") in _READING
