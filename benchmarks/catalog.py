"""The programs and their versions for other libraries, found by name."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import benchmarks.programs

#: What is measured beside NumPy: name -> (folder of the versions, the function's name, the library it needs).
PEERS = {
    "lazyarr": ("programs", "run", "lazyarr"),
    "jax": ("with_jax", "run", "jax"),
    "numba": ("with_numba", "run", "numba"),
    "numba-parallel": ("with_numba", "run_parallel", "numba"),
}


class Missing(Exception):
    """A program has no version for a library, or the library is not installed; says which."""


@dataclass(frozen=True)
class Program:
    """One benchmark.

    Attributes
    ----------
    name : str
    run : callable
        The program in plain NumPy.
    make : callable
        Gives the arguments for a size.
    sizes : dict
        ``"test"`` and ``"bench"``.
    changed : tuple of int
        Positions of the arguments that `run` changes in place.
    """

    name: str
    run: Callable[..., Any]
    make: Callable[[Any], tuple[Any, ...]]
    sizes: dict[str, Any]
    changed: tuple[int, ...] = ()

    def arguments(self, size: str) -> tuple[Any, ...]:
        """The arguments for a size by its name."""
        return self.make(self.sizes[size])

    def outcome(self, arguments: tuple[Any, ...], result: Any) -> list[Any]:
        """What a call gave: the arguments it changes, then what it returned (tuples taken apart)."""
        returned = list(result) if isinstance(result, tuple) else [] if result is None else [result]
        return [arguments[k] for k in self.changed] + returned


@dataclass(frozen=True)
class Version:
    """A program as one of the `PEERS` runs it.

    Attributes
    ----------
    run : callable
        The compiled function itself.
    prepare : callable
        Makes fresh arguments of the library's own kind; not part of what is measured.
    call : callable
        Runs the program on them, to its end.
    outcome : callable
        As `Program.outcome`, in NumPy arrays.
    """

    run: Callable[..., Any]
    prepare: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    call: Callable[[tuple[Any, ...]], Any]
    outcome: Callable[[tuple[Any, ...], Any], list[Any]]


def names() -> list[str]:
    """Every program."""
    return sorted(module.name for module in pkgutil.iter_modules(benchmarks.programs.__path__))


def load(name: str) -> Program:
    """A program by its name."""
    module: Any = importlib.import_module(f"benchmarks.programs.{name}")
    return Program(name, module.run, module.make, module.SIZES, getattr(module, "CHANGED", ()))


def versions(name: str) -> list[str]:
    """The peers for which a program is written; their libraries may be missing."""
    return [p for p, (folder, function, _) in PEERS.items() if defines(f"benchmarks.{folder}.{name}", function)]


def defines(module: str, function: str) -> bool:
    """Whether there is a module of that name that defines a function; it is not imported."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.loader is None:
        return False
    source = getattr(spec.loader, "get_source")(module)  # noqa: B009  not in the protocol of all loaders
    return f"\ndef {function}(" in source or f"\n{function} = " in source


def check_present(library: str, peer: str, written: list[str]) -> None:
    """Raise `Missing` unless a peer's library is installed and the peer is among those that have a version."""
    if importlib.util.find_spec(library) is None:
        raise Missing(f"{library} is not installed: pip install lazyarr[bench]")
    if peer not in written:
        raise Missing(f"no version for {peer} is written")


def version(program: Program, peer: str) -> Version:
    """A program as a peer runs it.

    Raises
    ------
    Missing
        Saying what is.
    """
    folder, function, library = PEERS[peer]
    check_present(library, peer, versions(program.name))
    if peer == "lazyarr":
        import lazyarr

        run: Callable[..., Any] = lazyarr.accelerate(program.run)
    else:
        run = getattr(importlib.import_module(f"benchmarks.{folder}.{program.name}"), function)
    if peer == "jax":
        return with_jax(run)
    return Version(run, copy.deepcopy, lambda arguments: run(*arguments), program.outcome)


def with_jax(run: Callable[..., Any]) -> Version:
    """Arrays are put on the device before, and a call waits until its results are there."""
    import jax
    import numpy as np

    jax.config.update("jax_enable_x64", True)

    def prepare(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        placed = tuple(jax.device_put(x.copy()) if isinstance(x, np.ndarray) else x for x in arguments)
        jax.block_until_ready(placed)
        return placed

    def outcome(arguments: tuple[Any, ...], result: Any) -> list[Any]:
        return [np.asarray(x) for x in (result if isinstance(result, tuple) else (result,))]

    return Version(run, prepare, lambda arguments: jax.block_until_ready(run(*arguments)), outcome)
