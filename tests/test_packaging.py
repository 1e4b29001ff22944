"""The way to a user: source distribution, wheel built from it, a program run by what the wheel installs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# One worker for this file, so that the wheel is built once.
pytestmark = [pytest.mark.xdist_group("packaging"), pytest.mark.slow]

PROGRAM = """
import sys
import numpy
import lazyarr
import lazyarr.numpy as np
from lazyarr.passes import pipeline
from lazyarr.backends import xla

for module in (lazyarr, np, pipeline, xla):
    print(module.__file__)

def sweep(u, n):
    for _ in range(n):
        u[1:-1] = 0.5 * (u[2:] + u[:-2])
    return u.sum()

expected, given = numpy.linspace(0.0, 1.0, 101) ** 2, numpy.linspace(0.0, 1.0, 101) ** 2
total = sweep(expected, 7)
numpy.testing.assert_allclose(lazyarr.accelerate(sweep)(given, 7), total, rtol=1e-14)
numpy.testing.assert_allclose(given, expected, rtol=1e-14)

a = np.arange(12.0).reshape(3, 4)
a[1:] += a[:-1]
reference = numpy.arange(12.0).reshape(3, 4)
reference[1:] += reference[:-1]
numpy.testing.assert_array_equal(numpy.asarray(a), reference)
"""


def call(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command that must end well; return what it printed."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


#: What the optional extensions are called in a wheel, and whether they can be built here.
EXTENSIONS = {f"lazyarr/{name}{sysconfig.get_config_var('EXT_SUFFIX')}" for name in ("little/_fast_path", "ir/_walk")}
HAS_COMPILER = shutil.which((sysconfig.get_config_var("CC") or "cc").split()[0]) is not None


def extensions(wheel: Path) -> set[str]:
    """The compiled files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if name.endswith((".so", ".pyd"))}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a source distribution, which is built from a copy of the tree."""
    return built_in(tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("dist"))


def built_in(tree: Path, dist: Path, **environment: str) -> Path:
    """A wheel built from a source distribution of a copy of the tree."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.so")
    for folder in ("lazyarr", "passes", "backends"):
        shutil.copytree(ROOT / folder, tree / folder, symlinks=True, ignore=unwanted)
    for file in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, tree / file)
    # Without isolation nothing is downloaded; the `test` extra brings the build requirement.
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, cwd=tree, **environment)
    assert len(list(dist.glob("*.tar.gz"))) == 1
    (built,) = dist.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel was installed, without its dependencies."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    call(*pip, "--no-deps", "--no-index", "--target", target, wheel, cwd=target)
    return target


def test_wheel_holds_every_module_and_nothing_else(wheel: Path) -> None:
    expected = {"lazyarr/py.typed"}
    for folder, package in (("lazyarr", "lazyarr"), ("passes", "lazyarr/passes"), ("backends", "lazyarr/backends")):
        for path in (ROOT / folder).rglob("*.py"):
            inside = path.relative_to(ROOT / folder)
            if folder != "lazyarr" or inside.parts[0] not in ("passes", "backends"):
                expected.add(f"{package}/{inside.as_posix()}")
    assert extensions(wheel) == (EXTENSIONS if HAS_COMPILER else set())
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found - EXTENSIONS == expected


def test_wheel_without_a_compiler(tmp_path: Path) -> None:
    assert extensions(built_in(tmp_path / "tree", tmp_path / "dist", CC="false")) == set()


def test_wheel_names_its_licence_and_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = {name.partition(".dist-info/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
        metadata = archive.read(info["METADATA"]).decode()
        commands = archive.read(info["entry_points.txt"]).decode()
        assert archive.read(info["licenses/LICENSE"]) == (ROOT / "LICENSE").read_bytes()
    assert "License-Expression: BSD-3-Clause" in metadata.splitlines()
    assert "lazyarr = lazyarr.cli:main" in commands.splitlines()


def test_installed_wheel_runs_a_program(installed: Path, tmp_path: Path) -> None:
    # A file, not `-c`, because a traced function may be asked for its source.
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    printed = call(sys.executable, program, cwd=tmp_path, PYTHONPATH=str(installed))
    origins = [Path(line) for line in printed.splitlines()]
    assert len(origins) == 4
    assert all(origin.is_relative_to(installed) for origin in origins), origins


def test_installed_command_answers(installed: Path, tmp_path: Path) -> None:
    script = installed / "bin" / "lazyarr"
    printed = call(sys.executable, script, "--help", cwd=tmp_path, PYTHONPATH=str(installed))
    assert "inspect" in printed
    assert "doctor" in printed
