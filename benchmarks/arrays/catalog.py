"""The programs on arrays, the ways of running them, and their versions for other libraries, found by name."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

import benchmarks.arrays.programs
from benchmarks.catalog import Program, Version, check_present, defines, with_jax

KINDS = (
    "fused element-wise", "stencil", "reductions and statistics", "linear algebra mixes", "indexing-heavy",
    "transcendental-heavy", "float32 and complex", "small arrays", "ocean model",
)  # fmt: skip

#: What NumPy stands beside: accelerated functions from and to NumPy's arrays, and the drop-in from and to lazy ones.
OURS = ("accelerated", "drop-in")

#: name -> (folder of the versions, the function's name, the library it needs).
PEERS = {
    "jax": ("with_jax", "run", "jax"),
    "numba": ("with_numba", "run", "numba"),
    "numba-parallel": ("with_numba", "run_parallel", "numba"),
    "numexpr": ("with_numexpr", "run", "numexpr"),
}

SIZES = (8, *(10**k for k in range(2, 9)))
QUICK = (8, 100, 10**4, 10**6, 10**7)
#: The sizes at which peers are measured too: their compile times shall not be most of a run.
WITH_PEERS = (8, 10**4, 10**6, 10**7)


@dataclass(frozen=True)
class ArrayProgram(Program):
    """One benchmark; `make` takes the number of elements.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    passes : int or None
        How often the program has to go over its arrays; None if not memory but arithmetic bounds it.
    numbers : tuple of int
        Numbers of elements at which it is measured.
    """

    kind: str = ""
    passes: int | None = None
    numbers: tuple[int, ...] = ()

    def numbers_among(self, sizes: Sequence[int], most: int) -> list[int]:
        """The numbers of elements, up to `most`, at which it is measured if `sizes` of the common ones are wanted."""
        return [n for n in self.numbers if (n in sizes or n not in SIZES) and n <= most]

    def traffic(self, arguments: tuple[Any, ...], result: Any) -> tuple[int, int] | None:
        """Bytes that have to be read, and written: every array once in a pass, and once what is new or changed."""
        if self.passes is None:
            return None
        read = sum(x.nbytes for x in arguments if isinstance(x, np.ndarray))
        written = sum(x.nbytes for x in self.outcome(arguments, result) if isinstance(x, np.ndarray))
        return self.passes * read, self.passes * written


def names() -> list[str]:
    """Every program."""
    return sorted(module.name for module in pkgutil.iter_modules(benchmarks.arrays.programs.__path__))


def module_over(name: str, namespace: Any) -> ModuleType:
    """A program's module once more, in which ``np`` means another library with NumPy's names."""
    spec = importlib.util.find_spec(f"benchmarks.arrays.programs.{name}")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.np = namespace  # type: ignore[attr-defined]
    return module


def load(name: str) -> ArrayProgram:
    """A program by its name."""
    module: Any = importlib.import_module(f"benchmarks.arrays.programs.{name}")
    least, most = getattr(module, "LEAST", 100), module.MOST
    numbers = {n for n in (*SIZES, *getattr(module, "ALSO", ()), most) if least <= n <= most}
    return ArrayProgram(
        name, module.run, module.make, {}, getattr(module, "CHANGED", ()),
        kind=module.KIND, passes=getattr(module, "PASSES", None), numbers=tuple(sorted(numbers)),
    )  # fmt: skip


def versions(name: str) -> list[str]:
    """The peers for which a program is written; their libraries may be missing."""
    written = (
        p for p, (folder, function, _) in PEERS.items() if defines(f"benchmarks.arrays.{folder}.{name}", function)
    )
    return list(dict.fromkeys(["jax", *written]))


def accelerated(program: ArrayProgram) -> Callable[..., Any]:
    """The program as an accelerated function."""
    import lazyarr

    return lazyarr.accelerate(program.run)


def drop_in(program: ArrayProgram) -> Callable[..., Any]:
    """The program with ``import lazyarr.numpy as np``."""
    import lazyarr.numpy

    run: Callable[..., Any] = module_over(program.name, lazyarr.numpy).run
    return run


def peer(program: ArrayProgram, name: str) -> Version:
    """A program as a peer runs it.

    Raises
    ------
    Missing
        Saying what is.
    """
    folder, function, library = PEERS[name]
    check_present(library, name, versions(program.name))
    if name == "jax" and not defines(f"benchmarks.arrays.with_jax.{program.name}", "run"):
        import jax

        return with_jax(jax.jit(module_over(program.name, jax.numpy).run))
    run = getattr(importlib.import_module(f"benchmarks.arrays.{folder}.{program.name}"), function)
    if name == "jax":
        return with_jax(run)
    return Version(run, lambda arguments: arguments, lambda arguments: run(*arguments), program.outcome)
