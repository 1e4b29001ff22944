"""Classes of modules that lie beside that of the traced function: parts of one program, if they are not installed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same, programs

_GRID = """
import numpy as np

class Grid:
    def __init__(self, n):
        self.u, self.steps = np.sin(np.arange(n)), 0

    def fill(self):
        self.u[0], self.u[-1] = self.u[-2], self.u[1]

    def scratch(self):
        return np.zeros_like(self.u)
"""
_SOLVER = """
from {module} import Grid

def evolve(grid, steps):
    for _ in range(steps):
        grid.fill()
        change = grid.scratch()
        for i in range(1, len(grid.u) - 1):
            change[i] = grid.u[i - 1] - 2 * grid.u[i] + grid.u[i + 1]
        grid.u = grid.u + 0.1 * change
        grid.steps += 1
    return grid.u.sum()

def made(n):
    grid = Grid(n)
    return evolve(grid, 8), grid
"""


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize(
    ("solver", "grid", "found"),
    [("", "", 1), ("", "parts_of_beside", 1), ("site-packages", "site-packages", 0), ("", "elsewhere", 0)],
)
def test_classes_of_modules_beside(
    solver: str, grid: str, found: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = f"solver_of_{solver[:4]}_{grid[:5]}", f"grid_of_{solver[:4]}_{grid[:5]}"
    names = names[0].replace("-", "_"), names[1].replace("-", "_")
    for name, folder, text in zip(names, (solver, grid), (_SOLVER, _GRID), strict=True):
        (tmp_path / folder).mkdir(exist_ok=True)
        inside = folder == "parts_of_beside"
        module = f"parts_of_beside.{names[1]}" if grid == "parts_of_beside" else names[1]
        (tmp_path / folder / f"{name}.py").write_text(text.replace("{module}", module))
        if inside:
            (tmp_path / folder / "__init__.py").write_text("")
        else:
            monkeypatch.syspath_prepend(tmp_path / folder)
    importlib.invalidate_caches()
    try:
        module_of_solver: Any = importlib.import_module(names[0])
        for name in ("evolve", "made"):
            function = getattr(module_of_solver, name)
            accelerated: Any = accelerate(function, always=True)
            for _ in range(3):
                theirs, own = ((30,), (30,)) if name == "made" else tuple(
                    (module_of_solver.Grid(20), 5) for _ in range(2)
                )  # fmt: skip
                assert_same(function(*theirs), accelerated(*own))
                assert_same(theirs, own)
            assert (programs(accelerated) > 0) is bool(found)
    finally:
        for module_name in [*names, "parts_of_beside", f"parts_of_beside.{names[1]}"]:
            sys.modules.pop(module_name, None)
