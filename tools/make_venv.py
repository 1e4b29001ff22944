"""Create a virtual environment that has pip, or say what to install first.

Usage: ``python3 tools/make_venv.py DIRECTORY``. Only the standard library, because nothing is installed yet. Debian
splits Python: without its package ``python3-venv`` there is no ensurepip, and then the system's pip serves.
"""

from __future__ import annotations

import importlib.util
import pathlib
import shutil
import subprocess
import sys
import venv

# pyproject.toml says this too, but only a pip reads it, and an older Python has none that would say it this plainly.
OLDEST, NEWEST = (3, 11), (3, 13)


def main(directory: str) -> str | None:
    """Make `directory` a virtual environment with pip; return a message where that cannot be done."""
    found = sys.version_info[:2]
    if not OLDEST <= found <= NEWEST:
        wanted = " to ".join(f"{major}.{minor}" for major, minor in (OLDEST, NEWEST))
        return (
            f"lazyarr runs on Python {wanted}; {sys.executable} is {found[0]}.{found[1]}.\n"
            "Name another one, for example: make PYTHON=python3.13 test"
        )
    target = pathlib.Path(directory)
    if importlib.util.find_spec("ensurepip") is not None:
        venv.create(target, with_pip=True, symlinks=True)
        return None
    if importlib.util.find_spec("pip") is not None:
        existed = target.exists()
        venv.create(target, with_pip=False, symlinks=True)
        python = str(target / "bin" / "python")
        install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pip"]
        if subprocess.run(install, check=False).returncode == 0:
            return None
        if not existed:
            shutil.rmtree(target)
    return (
        f"{sys.executable} has no ensurepip, so it cannot make a virtual environment.\n"
        "On Debian or Ubuntu: sudo apt install python3-venv"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 tools/make_venv.py DIRECTORY")
    sys.exit(main(sys.argv[1]))
