"""Settings of the process: what lazyarr does where users may want it otherwise."""

from __future__ import annotations

import difflib
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any

FALLBACK_MODES = ("allow", "warn", "error")
COMPILERS = ("auto", "native", "xla")
OVERLAPS = ("auto", "always", "never")


@dataclass(frozen=True)
class Settings:
    """What can be set, with its default.

    Attributes
    ----------
    fallback : {"warn", "allow", "error"}
        What a call does that runs in NumPy because it is not compiled: warn once a line, nothing, or raise
        `FallbackError`. Initially from the environment variable ``LAZYARR_FALLBACK``.
    compiler : {"auto", "native", "xla"}
        What compiles a program that native code and XLA can both run: native code on CPUs; "auto" takes XLA where jax
        has an accelerator. For what is compiled from then on. Initially from ``LAZYARR_COMPILER``.
    compile_after : int
        A lazy graph is compiled the `compile_after`-th time it is evaluated, and interpreted with NumPy
        before: a graph that is evaluated once is not worth a compilation, unless it is on very large arrays (a few
        times ten million elements). Above 1 it is interpreted further while that has not taken a tenth of the time of
        compiling. Initially from ``LAZYARR_COMPILE_AFTER``.
    always : int
        1: calls of accelerated functions are compiled where NumPy takes less time, too: single calls that NumPy does in
        a fraction of the time of compiling, and signatures for which it was faster by the clock. 0: NumPy runs these.
        ``accelerate(always=True)`` says it of one function. Initially from ``LAZYARR_ALWAYS``.
    flush_after : int
        Number of recorded array values after which pending work is evaluated though nobody asked.
    unroll_limit : int
        Number of recorded array values up to which an accelerated call becomes one program, its Python loops
        unrolled; a longer call is run in pieces of about `flush_after`, which repeat and are compiled once.
    eager_below : int
        Outside accelerated functions, NumPy does an operation at once whose operands are computed and that has fewer
        elements than this (each counts up to seven times where NumPy computes it without vector code; what leaves
        bools, and float32, counts less): recording it, and running what is recorded, would take longer. (Up to three
        times as many in the first thousands of operations, if it has its default then, and for a while where
        evaluations win nothing.) 0: everything is recorded. Of several ranks each does so little work for itself: there
        it is 50,000 at most. Initially from ``LAZYARR_EAGER_BELOW``.
    fast_path : int
        1: the operators of such little data begin in C, where lazyarr was installed with a C compiler; 0: in Python.
        Initially from ``LAZYARR_FAST_PATH``.
    threads : int
        How many threads share the loops of native code, for what is compiled from then on; 1: none are started. 0: as
        many as the process has cores, by its affinity, its control group and ``OMP_NUM_THREADS``. Initially from
        ``LAZYARR_THREADS``.
    kept_memory : int
        How many megabytes of large arrays that have been freed native code keeps at most, for some seconds, for its
        next results: fresh memory costs more than arithmetic. Of smaller arrays' memory, NumPy's own included, the C
        library keeps as much, 256 at most (``mallopt``, with glibc; a process whose environment sets
        ``MALLOC_TRIM_THRESHOLD_`` or ``GLIBC_TUNABLES`` is left alone). 0: none, and memory is NumPy's own (a program
        that is compiled already gets it from the system each time). -1: a quarter of what there is. Initially from
        ``LAZYARR_KEPT_MEMORY``.
    split_above : int
        Where several ranks run a program together: arrays of so many elements are split over them; each rank has all
        of smaller ones. Initially from ``LAZYARR_SPLIT_ABOVE``.
    native_messages : int
        Where several ranks run a program: 1: compiled code calls the MPI library itself, if its functions are found; 0:
        each message is a step of Python's. For `lazyarr.init`. Initially from ``LAZYARR_NATIVE_MESSAGES``.
    overlap : {"auto", "always", "never"}
        Where several ranks run a program: whether work is done while messages come that does not need them: where it
        saves time by the cost model, wherever it is possible, or nowhere. Initially from ``LAZYARR_OVERLAP``.
    reproducible : bool
        Whether sums, products of matrices and what else is rounded have bits that depend on neither the number of
        ranks nor what is split: they are added up in an order of their own (docs/ranks.md). For what is recorded from
        then on. Initially from ``LAZYARR_REPRODUCIBLE`` (0 or 1).
    cache_dir : str
        The folder in which compiled programs are kept for later processes; empty: ``lazyarr`` in the user's cache
        folder (``~/.cache``, or ``XDG_CACHE_HOME``). Initially from ``LAZYARR_CACHE_DIR``.
    cache_size : int
        How many MiB they may take there: the least recently used go first. 0: nothing is kept, or looked up. Initially
        from ``LAZYARR_CACHE_SIZE``.
    """

    fallback: str = "warn"
    compiler: str = "auto"
    compile_after: int = 2
    always: int = 0
    flush_after: int = 300
    unroll_limit: int = 10_000
    eager_below: int = 90_000
    fast_path: int = 1
    threads: int = 0
    kept_memory: int = -1
    split_above: int = 10_000
    native_messages: int = 1
    overlap: str = "auto"
    reproducible: bool = False
    cache_dir: str = ""
    cache_size: int = 1024

    def __post_init__(self) -> None:
        if self.fallback not in FALLBACK_MODES:
            raise ValueError(f"fallback is {self.fallback!r}; expected one of {', '.join(FALLBACK_MODES)}")
        if self.compiler not in COMPILERS:
            raise ValueError(f"compiler is {self.compiler!r}; expected one of {', '.join(COMPILERS)}")
        if self.overlap not in OVERLAPS:
            raise ValueError(f"overlap is {self.overlap!r}; expected one of {', '.join(OVERLAPS)}")
        if not isinstance(self.cache_dir, str):
            raise ValueError(f"cache_dir is {self.cache_dir!r}; expected the path of a folder, or an empty string")
        if self.reproducible not in (True, False):
            raise ValueError(f"reproducible is {self.reproducible!r}; expected True or False, or 1 or 0")
        for name, least in (("compile_after", 1), ("always", 0), ("flush_after", 1), ("unroll_limit", 1),
                            ("eager_below", 0), ("fast_path", 0), ("threads", 0), ("kept_memory", -1),
                            ("split_above", 1), ("native_messages", 0), ("cache_size", 0)):  # fmt: skip
            if not isinstance(getattr(self, name), int) or getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)!r}; expected an integer of at least {least}")


#: Variables of the environment with a value that cannot be used -> what is wrong; the defaults stand for them.
wrong_variables: dict[str, str] = {}


def variable(name: str) -> str:
    """The variable of the environment a setting is initially from: ``LAZYARR_FALLBACK``."""
    return f"LAZYARR_{name.upper()}"


def _from_environment() -> Settings:
    """The settings the environment asks for; a wrong value is warned of, not raised: it must not stop an import."""
    found = Settings()
    for field in fields(Settings):
        text = os.environ.get(variable(field.name))
        if not text:
            continue
        try:
            value: Any = int(text) if isinstance(field.default, int) else text
        except ValueError:
            value = text
        try:
            found = replace(found, **{field.name: value})
        except ValueError as error:
            expected = str(error).partition("; ")[2]
            wrong = f"{variable(field.name)} is {text!r}; {expected}"
            wrong_variables[variable(field.name)] = wrong
            warnings.warn_explicit(f"{wrong}; the default, {field.default!r}, is used", UserWarning, "<environment>", 0)
    return found


#: What holds now.
current = _from_environment()
#: What the program asks for, and what holds instead of it for a while.
_asked, _instead = current, dict[str, Any]()
_watchers: list[Callable[[], None]] = []


def watch(changed: Callable[[], None]) -> None:
    """Call a function whenever settings have changed."""
    _watchers.append(changed)


def configure(**changes: Any) -> Settings:
    """Change settings of the process.

    Parameters
    ----------
    **changes
        Fields of `Settings`.

    Returns
    -------
    Settings
        The settings before the change, as they were asked for.

    Raises
    ------
    TypeError, ValueError
        For an unknown name or a value that is not allowed; nothing is changed then.
    """
    global _asked
    known = [field.name for field in fields(Settings)]
    for name in changes:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise TypeError(f"there is no setting {name!r}{f'; did you mean {near[0]!r}?' if near else ''} "
                            f"(the settings are {', '.join(known)})")  # fmt: skip
    before, _asked = _asked, replace(_asked, **changes)
    _change()
    return before


def hold(**instead: Any) -> None:
    """Have some fields be otherwise, whatever the program asks for before and meanwhile; without any: as it asks."""
    global _instead
    _instead = instead
    _change()


def _change() -> None:
    global current
    current = replace(_asked, **_instead)
    for changed in _watchers:
        changed()


@contextmanager
def settings(**changes: Any) -> Iterator[Settings]:
    """Settings for the length of a ``with`` block (of the process, not of one thread)."""
    before = configure(**changes)
    try:
        yield current
    finally:
        configure(**{field.name: getattr(before, field.name) for field in fields(Settings)})
