"""Modules that tests write: their text can be looked up, as that of a file."""

from __future__ import annotations

import linecache
import types


def module_of(text: str, name: str) -> types.ModuleType:
    """The module ``__main__`` of a text; `name` stands for its file."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    made = types.ModuleType("__main__")
    exec(compile(text, name, "exec"), vars(made))
    return made
