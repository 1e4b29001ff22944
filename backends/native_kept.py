"""Native programs that are kept for later processes (`lazyarr.disk`), by everything that their code depends on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import import_module

import numpy as np

from lazyarr import disk
from lazyarr._version import __version__
from lazyarr.backends import native_engine, native_linked, native_threads
from lazyarr.backends.native_program import Program
from lazyarr.ir.graph import Graph
from lazyarr.ir.text import show
from lazyarr.ops import OWN

_KIND = "program"
#: Machine code by its text.
_CODE = "code"
#: What decides at NumPy's import which code its BLAS runs.
_VARIABLES = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "GLIBC_TUNABLES")


@lru_cache(maxsize=1)
def world() -> str:
    """Everything but the graph and the settings that code depends on; empty if that cannot be known."""
    try:
        if any(os.stat(path).st_mtime > disk.BEGUN for path in _files()):
            return ""  # What runs is not what stands in the files.
        sources = disk.digest(*_sources())
        extensions = [str(_state(name)) for name in ("numpy._core._multiarray_umath", "numpy.linalg._umath_linalg")]
    except OSError:
        return ""
    return disk.digest(
        __version__, sources, np.__version__, *extensions, sys.version, platform.machine(), platform.system(),
        *native_engine.machine(), *(os.environ.get(name, "") for name in _VARIABLES),
    )  # fmt: skip


def _sources() -> Iterator[str]:
    """Our own sources: of an installation for development the version says little."""
    for path in _files():
        with open(path, encoding="utf-8") as file:
            yield f"{path}\n{file.read()}"


def _files() -> Iterator[str]:
    for folder, inner, files in os.walk(os.path.dirname(os.path.abspath(disk.__file__)), followlinks=True):
        inner.sort()
        yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(".py"))


def _state(module: str) -> tuple[str, int, int]:
    """Which file an extension module is, and which version of that."""
    path = str(import_module(module).__file__)
    status = os.stat(path)
    return path, status.st_size, status.st_mtime_ns


def text(graph: Graph) -> str:
    """What a graph is, to the last bit; empty if it has operations that are not lazyarr's own, or no text."""
    if not _is_own(graph):
        return ""
    try:
        return show(graph)
    except TypeError:
        return ""


def _is_own(graph: Graph) -> bool:
    return all(node.op.name in OWN and all(map(_is_own, node.regions)) for node in graph.nodes)


def key(graph: Graph, donate: Sequence[int]) -> str:
    """The key of a native program; empty if it is not to be kept."""
    if disk.folder() is None or not (found := text(graph)) or not world():
        return ""
    return disk.digest(_KIND, world(), str(native_threads.threads()), str(tuple(donate)), found)


def code(text: str, level: int, symbols: Mapping[str, int]) -> native_engine.Code:
    """The machine code of a text that names no address but by `symbols`, of an earlier process if there is some."""
    if disk.folder() is None or not world():
        return native_engine.Code(text, level, symbols=symbols)
    name = disk.digest(_CODE, world(), str(level), text)
    found = native_engine.Code(text, level, disk.get(_CODE, name), symbols)
    if found.is_new:
        disk.put(_CODE, name, found.take_machine_code())
    return found


def get(key: str) -> tuple[Program, bytes] | None:
    """A program and its machine code; None if there is none, or it calls what this process does not have."""
    found = disk.get(_KIND, key)
    if found is None:
        return None
    size = int.from_bytes(found[:8], "little")
    program = Program.parse(found[8 : 8 + size].decode())
    if program.threads > 1:
        native_threads.pool()
    for name, extension in program.symbols:
        # (LLVM ends the process where a name is missing.)
        if not (native_linked.link(name, extension) if extension else native_engine.known(name)):
            return None
    return program, found[8 + size :]


def put(key: str, program: Program, code: bytes) -> bool:
    """Keep a program; whether it can be kept."""
    try:
        head = program.show().encode()
    except TypeError:
        return False
    disk.put(_KIND, key, len(head).to_bytes(8, "little") + head + code)
    return True
