"""What a script on ranks imports: ``numpy`` is ``lazyarr.numpy`` in it, and in the modules that stand beside it."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from types import CodeType, ModuleType
from typing import Any

#: What else scripts get instead of packages (not of modules in these).
_FILES = {"h5py": "lazyarr.files.h5py", "zarr": "lazyarr.files.zarr"}

#: Whether the script, or a module of its folder, asks mpi4py for the ranks: then it says itself what each of them does.
knows_ranks = False


def _note(name: str) -> None:
    global knows_ranks
    knows_ranks = knows_ranks or name.partition(".")[0] == "mpi4py"


def _form(name: str) -> str:
    """What a script gets for a module of NumPy's: lazyarr's form, or NumPy's where there is none."""
    own = f"lazyarr.{name}"
    try:
        return own if find_spec(own) is not None else name
    except ModuleNotFoundError:  # (what it would be in is no package of lazyarr's)
        return name


class _Imports(ast.NodeTransformer):
    """``numpy`` in the import statements of a script means ``lazyarr.numpy``, and packages of files lazyarr's forms.

    Modules of NumPy's that lazyarr has no form of (``numpy.lib.stride_tricks``, ``numpy.typing``) stay NumPy's.
    """

    def visit_Import(self, node: ast.Import) -> Any:
        found: list[ast.stmt] = []
        for alias in node.names:
            top, _, rest = alias.name.partition(".")
            _note(alias.name)
            if alias.name in _FILES:
                found.append(ast.Import([ast.alias(_FILES[alias.name], alias.asname or alias.name)]))
            elif top != "numpy":
                found.append(ast.Import([alias]))
            elif alias.asname:
                found.append(ast.Import([ast.alias(_form(alias.name), alias.asname)]))
            else:
                if rest:
                    # (By a name, which `numpy` then is not; it becomes lazyarr's in the next statement.)
                    found.append(ast.Import([ast.alias(_form(alias.name), "numpy")]))
                found.append(ast.Import([ast.alias("lazyarr.numpy", "numpy")]))
        return [ast.copy_location(statement, node) for statement in found]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        _note(node.module or "" if node.level == 0 else "")
        if node.level == 0 and node.module and node.module.partition(".")[0] == "numpy":
            node.module = _form(node.module)
        elif node.level == 0 and node.module in _FILES:
            node.module = _FILES[node.module]
        return node


def code(source: bytes, path: str) -> CodeType:
    """The code of a file of the user's, NumPy being lazyarr's."""
    tree = _Imports().visit(ast.parse(source, path))
    return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)


class _Loader(SourceFileLoader):
    """Loads a module from its source; what it compiles is not kept, for other programs want it as it is written."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return code(self.get_data(path), path)


class OwnModules(MetaPathFinder):
    """Finds the modules of a folder, and of its packages, for the script that stands there.

    Packages that are installed (in ``site-packages``) are found by others, also where that is in the folder.
    """

    def __init__(self, folder: str):
        self._folder = os.path.join(os.path.realpath(folder), "")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module, if it is one of the folder's."""
        if fullname.partition(".")[0] == "lazyarr":
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is None or not isinstance(found.loader, SourceFileLoader) or found.origin is None:
            return None
        inside = os.path.realpath(found.origin)
        if not inside.startswith(self._folder) or {"site-packages", "dist-packages"} & set(inside.split(os.sep)):
            return None
        found.loader = _Loader(fullname, found.origin)
        return found


def replace_in(folder: str) -> None:
    """Have the modules of a folder import lazyarr's forms from now on."""
    sys.meta_path.insert(0, OwnModules(folder))
