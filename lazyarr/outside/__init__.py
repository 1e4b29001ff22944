"""What a script on ranks does to the world outside: all ranks run it, but there is one world.

- Standard input is rank 0's, and every rank gets what is read. What the script writes to standard error, rank 0 does.
- Rank 0 changes files and folders, and answers questions about them, when all ranks have come to the statement; the
  others are told what came of it, errors included (`changes`).
- What is written into an open file, rank 0 writes there, and each of the others into a file of its own (`streams`,
  `databases`). What is read, each reads by itself, when all have come to where it is opened.
- Programs that the script starts, rank 0 starts; what pools of processes give is what rank 0's give
  (`processes`, `pools`, `futures`).
- Ranks cannot meet in other threads than the script's, in processes that they fork, and after its end: there rank 0
  does what is to be done, and the others leave it.

That is so for what the script and its modules ask of Python, by themselves or through its library and packages.
"""

from __future__ import annotations

import os
import sys
from itertools import chain
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from lazyarr import imports, world
from lazyarr.outside import asking, standard_input

#: Modules whose functions stay what they are: those in which they are made, and those that import modules.
_KEPT = {"_frozen_importlib", "_frozen_importlib_external", "_io", "importlib", "lazyarr", "nt", "posix", "zipimport"}


def share(script: str) -> None:
    """From now on have rank 0 do what a script, and what it calls, does to the world outside.

    Nothing is done where it is alone, or asks mpi4py for the ranks: then it says itself what they do.
    """
    ranks = world.current()
    if ranks is None or asking.scripts or imports.knows_ranks:
        return
    asking.scripts.append(asking.Script(script, ranks))
    _replace()
    # (A script that is started without standard input has none on any rank.)
    if ranks.communicator.from_first(sys.stdin is not None):
        sys.stdin = standard_input.shared(ranks)
    if ranks.rank:
        # (What ends the program is heard from any rank: `lazyarr.world.end_all`.)
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  for the life of the process


class _Builtin(staticmethod):  # type: ignore[type-arg]
    """A function in the place of one in C: as an attribute of a class it is no method, either."""

    def __reduce__(self) -> str:
        """By its name."""
        return self.__name__


def _replace() -> None:
    """Put what asks rank 0 in the place of Python's functions, also where modules have them by other names."""
    # (Not before: they import more than a process needs that is alone.)
    from lazyarr.outside import changes, databases, futures, pools, processes, streams

    # (By identity: what is called twice is replaced once.)
    new: dict[int, tuple[Any, Any]] = {}
    kinds = (changes, streams, databases, processes, pools, futures)
    for holder, name, function in list(chain.from_iterable(kind.replacements() for kind in kinds)):
        old = getattr(holder, name)
        if id(old) in new and isinstance(holder, ModuleType):
            function = new[id(old)][1]
        elif isinstance(function, FunctionType) and isinstance(holder, ModuleType):
            # (Where `pickle` finds it again: not in the module in C that the old one says.)
            function.__module__ = holder.__name__
            if isinstance(old, BuiltinFunctionType):
                function = _Builtin(function)
        new[id(old)] = old, function
        setattr(holder, name, function)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _KEPT or module is None:
            continue
        for word, value in list(vars(module).items()):
            if id(value) in new:
                setattr(module, word, new[id(value)][1])
    for supported in (os.supports_dir_fd, os.supports_effective_ids, os.supports_fd, os.supports_follow_symlinks):
        supported.update(function for old, function in new.values() if old in supported)


def end() -> None:
    """The script has come to its end: what Python does from here on, ranks do each in its own order."""
    if asking.scripts:
        asking.scripts[0].ended = True
