"""The layout's rules: who may import whom, where the folders stand, how long a file may be."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 600

# The parts of lazyarr (its subpackages and modules), each with the parts that it may import besides itself.
_LEAVES = {"_version", "settings", "cores", "disk", "quiet", "compilers", "source", "axis_order", "strides",
           "decompose", "cost_model", "kept_pages", "interrupts", "portable", "failures", "forks"}  # fmt: skip
_RUNTIME = _LEAVES | {"ir", "ops", "passes", "backends", "eager", "gains", "schedules", "plans", "leaves", "varying",
                      "pending", "evaluations", "observers", "surrender", "captured", "runtime", "report", "world",
                      "distributed", "own_parts"}  # fmt: skip
MAY_IMPORT: dict[str, set[str]] = {
    "_version": set(),
    "settings": set(),
    "compilers": {"settings"},
    "cores": set(),
    "forks": set(),
    "disk": {"settings", "forks"},
    "kept_pages": {"settings"},
    "quiet": set(),
    "source": set(),
    "axis_order": set(),
    "strides": {"ir", "axis_order"},
    "decompose": {"strides"},
    "ir": {"ops", "forks"},  # ir and ops know each other
    "stream_memory": set(),
    "streams": {"stream_memory"},
    "ops": {"ir", "streams"},
    "cost_model": {"disk"},
    "passes": {"ir", "ops", "cost_model"},  # a pass knows no back end
    # A back end knows no pass.
    "backends": {"ir", "ops", "settings", "cores", "disk", "forks", "quiet", "_version", "cost_model"},
    "eager": {"ir", "ops", "backends", "settings", "gains", "kept_pages", "quiet", "leaves", "world"},
    "gains": {"settings"},
    "own_parts": _RUNTIME,
    "schedules": _RUNTIME,
    "plans": _RUNTIME,
    "leaves": {"ir"},
    "varying": {"ir", "ops", "passes", "leaves", "settings", "forks", "world"},
    "captured": {"settings", "ir", "passes", "leaves"},
    "observers": {"ir"},
    "evaluations": {"ir", "backends", "leaves", "plans", "world"},
    "pending": {"ir", "eager", "leaves", "plans", "evaluations", "observers", "settings", "runtime"},
    "surrender": {"ir", "ops", "leaves", "world", "runtime"},
    "interrupts": set(),
    "portable": set(),
    "failures": {"ir"},
    "runtime": _RUNTIME,
    "report": _RUNTIME,
    "testing": _RUNTIME,
    "world": _LEAVES | {"ir", "ops", "backends", "report"},
    "distributed": _RUNTIME,
}
# Every other part is the front end: array, numpy, tracing and what they are made of. It may import all of the above
# and itself, and so can be imported by none of the above; only these stand higher.
TOP = {"__init__", "cli", "__main__"}
# What ir and ops may take from elsewhere while they are being imported.
ALWAYS_ALLOWED = {"numpy", "sympy", "lazyarr"} | sys.stdlib_module_names


def module_name(path: Path) -> str:
    """The name under which a file of the repository is imported."""
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    if parts[0] in ("passes", "backends"):
        parts.insert(0, "lazyarr")
    return ".".join(parts)


def sources(*folders: str) -> list[Path]:
    """Every Python file below the folders, each once (the symlinks are not followed)."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if not {"passes", "backends"} & set(path.relative_to(ROOT).parts[1:-1])
    )


PACKAGE = sources("lazyarr", "passes", "backends")
PARTS = {path.relative_to(ROOT).parts[1].removesuffix(".py") for path in sources("lazyarr")} | set(MAY_IMPORT) | TOP


def allowed(part: str, other: str) -> bool:
    """Whether one part may import another."""
    if part == other:
        return True
    if part in MAY_IMPORT:
        return other in MAY_IMPORT[part]
    return part in TOP or other not in TOP


def part_of(module: str) -> str:
    """The part of lazyarr that a module belongs to: ``lazyarr.ir.node`` -> ``ir``, ``lazyarr`` -> ``__init__``."""
    pieces = module.split(".")
    return pieces[1] if len(pieces) > 1 else "__init__"


def imported(tree: ast.AST, module: str) -> Iterator[tuple[int, str]]:
    """Every (line, module) that a syntax tree imports, also inside functions and by ``import_module("...")``."""
    package = module.split(".")[:-1]  # a package's own file is named lazyarr.x.__init__ here
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            origin = ".".join(filter(None, [base, node.module or ""]))
            for alias in node.names:
                # `from lazyarr import ir` names a part; `from lazyarr.ir import Node` names what a part holds.
                part = origin == "lazyarr" and alias.name in PARTS
                yield node.lineno, f"{origin}.{alias.name}" if part else origin
        elif isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            argument = node.args[0]
            if name in ("import_module", "__import__") and isinstance(argument, ast.Constant):
                yield node.lineno, str(argument.value)


def runs_on_import(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements that run with the module: none in function bodies, none under ``if TYPE_CHECKING``."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending.extend(ast.iter_child_nodes(node))


def forbidden_imports(source: str, module: str) -> list[str]:
    """What a module of lazyarr imports against the rules, each as ``line: what``."""
    tree = ast.parse(source)
    part = part_of(module)
    found = []
    for line, name in imported(tree, module):
        root = name.split(".")[0]
        if root in ("passes", "backends"):
            found.append(f"{line}: {name} (write lazyarr.{name})")
        elif root == "lazyarr" and not allowed(part, part_of(name)):
            found.append(f"{line}: {name}")
    if part in ("ir", "ops"):
        for statement in runs_on_import(tree):
            for line, name in imported(statement, module):
                if name.split(".")[0] not in ALWAYS_ALLOWED:
                    found.append(f"{line}: {name} (at import time)")
    return sorted(set(found))


@pytest.mark.parametrize("path", PACKAGE, ids=module_name)
def test_imports_go_one_way(path: Path) -> None:
    assert forbidden_imports(path.read_text(), module_name(path)) == []


@pytest.mark.parametrize(
    ("module", "source", "line"),
    [
        ("lazyarr.ir.node", "import lazyarr.runtime", "1: lazyarr.runtime"),
        ("lazyarr.ir.node", "from lazyarr import runtime", "1: lazyarr.runtime"),
        ("lazyarr.ir.node", "from .. import passes", "1: lazyarr.passes"),
        ("lazyarr.ir.__init__", "from ..array import LazyArray", "1: lazyarr.array"),
        ("lazyarr.ops.shape", "import jax.numpy as jnp", "1: jax.numpy (at import time)"),
        ("lazyarr.ops.shape", "try:\n    import numpy\nexcept ImportError:\n    import jax", "4: jax (at import time)"),
        ("lazyarr.ops.shape", "class A:\n    import jax", "2: jax (at import time)"),
        ("lazyarr.passes.fuse", "def f():\n    from lazyarr.backends import xla", "2: lazyarr.backends"),
        ("lazyarr.backends.xla", "import importlib\nimportlib.import_module('lazyarr.passes')", "2: lazyarr.passes"),
        ("lazyarr.runtime", "import passes.fuse", "1: passes.fuse (write lazyarr.passes.fuse)"),
        ("lazyarr.runtime", "from backends import xla", "1: backends (write lazyarr.backends)"),
        ("lazyarr.tracing.calls", "import lazyarr.cli", "1: lazyarr.cli"),
        ("lazyarr.array", "import lazyarr", "1: lazyarr"),
        ("lazyarr.runtime", "import lazyarr.views", "1: lazyarr.views"),
        ("lazyarr.views", "from lazyarr import cli", "1: lazyarr.cli"),
    ],
)
def test_a_forbidden_import_is_found(module: str, source: str, line: str) -> None:
    assert forbidden_imports(source, module) == [line]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("lazyarr.ir.node", "import numpy as np\nfrom lazyarr.ir.types import Type\nfrom . import op"),
        ("lazyarr.ops.shape", "def lower():\n    import jax.numpy as jnp"),
        ("lazyarr.ops.shape", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import jax"),
        ("lazyarr.passes.fuse", "from lazyarr.ir.graph import Graph\nfrom lazyarr import ops"),
        ("lazyarr.numpy.linalg", "from lazyarr.array import LazyArray\nimport numpy"),
        ("lazyarr.views", "from lazyarr import strides as geometry\nfrom lazyarr.array import LazyArray"),
        ("lazyarr.cli", "import lazyarr\nimport click"),
    ],
)
def test_an_allowed_import_is_let_through(module: str, source: str) -> None:
    assert forbidden_imports(source, module) == []


@pytest.mark.parametrize("folder", ["passes", "backends"])
def test_folder_stands_beside_the_package_and_is_flat(folder: str) -> None:
    link = ROOT / "lazyarr" / folder
    assert link.is_symlink()
    assert link.readlink() == Path("..") / folder
    assert [path for path in (ROOT / folder).rglob("*.py") if path.parent != ROOT / folder] == []


def test_every_package_is_listed() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)["tool"]["setuptools"]
    on_disk = {module_name(path).removesuffix(".__init__") for path in PACKAGE if path.name == "__init__.py"}
    assert set(settings["packages"]) == on_disk


@pytest.mark.parametrize(
    "path",
    sources("lazyarr", "passes", "backends", "tests", "benchmarks", "demo", "docs", "tools"),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE
