"""Whose code something is: the user's, which is traced and looked into, or a package's, which is what it is."""

from __future__ import annotations

import sys
from typing import Any

STDLIB = frozenset(sys.stdlib_module_names) - {"__main__"}
#: Packages whose functions, modules and classes are what they are.
_OTHERS = {"numpy", "scipy", "jax", "jaxlib", "lazyarr", *STDLIB}

#: Modules of Python's that work with Python's numbers only, as they stand in memory.
_READING = frozenset({"datetime", "decimal", "fractions", "json", "statistics", "struct"})


def top_level(module: Any) -> str:
    """The top-level package of a module's name; the empty string for None."""
    return str(module or "").partition(".")[0]


def is_users(module: Any) -> bool:
    """Whether a module is neither Python's own nor of a package that lazyarr knows."""
    return top_level(module) not in _OTHERS


def is_own(module: Any, package: str) -> bool:
    """Whether a module is of the package of the function that is traced, or the script itself."""
    return top_level(module) in (package, "__main__") and is_users(module)


def takes_pythons_numbers(module: Any) -> bool:
    """Whether code of a module looks into numbers as they stand in memory: nothing can stand for them there."""
    return top_level(module).lstrip("_") in _READING
