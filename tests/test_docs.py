"""The examples of README, CONTRIBUTING and docs/ run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[str]:
    return _BLOCK.findall((ROOT / page).read_text())


def run(source: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "example.py"
    script.write_text(source)
    return subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300, cwd=tmp_path)


@pytest.mark.parametrize("number", range(3))
def test_readme(number: int, tmp_path: Path) -> None:
    done = run(blocks("README.md")[number], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md", "docs/loops.md"])
def test_page_from_top_to_bottom(page: str, tmp_path: Path) -> None:
    # Later examples of a page use what earlier ones made.
    source = "\n".join(block.replace("from __future__ import annotations\n", "") for block in blocks(page))
    done = run(source, tmp_path)
    assert done.returncode == 0, done.stderr


def test_every_link_leads_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    missing = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not missing
