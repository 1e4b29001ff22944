"""The cache on disk as such: entries, damage, limits, folders that cannot be used, many writers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import lazyarr
from lazyarr import disk
from lazyarr.cli import main


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of one's own, and no memory of others."""
    monkeypatch.setattr(disk, "problem", "")
    with lazyarr.settings.settings(cache_dir=str(tmp_path / "cache"), cache_size=1):
        yield tmp_path / "cache" / "v1"


def test_what_is_put_is_got() -> None:
    key = disk.digest("a", "b")
    assert disk.get("plan", key) is None
    disk.put("plan", key, b"first")
    disk.put("plan", key, b"second")
    assert disk.get("plan", key) == b"second"
    assert disk.get("code", key) is None
    assert disk.hits() == {"plan": 1}
    assert [entry.kind for entry in disk.entries()] == ["plan"]


def test_parts_of_a_key_are_told_apart() -> None:
    assert len({disk.digest("ab", "c"), disk.digest("a", "bc"), disk.digest("abc"), disk.digest("abc", "")}) == 4


@pytest.mark.parametrize("damage", [
    lambda data: data[:-1], lambda data: data[:20], lambda data: b"", lambda data: data + b"x",
    lambda data: data[:-3] + b"\0" + data[-2:], lambda data: b"L" + data[1:],
    lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
])  # fmt: skip
def test_a_damaged_file_is_no_entry_and_is_written_anew(damage: Any) -> None:
    key = disk.digest("x")
    disk.put("plan", key, b"payload")
    (entry,) = disk.entries()
    entry.path.write_bytes(damage(entry.path.read_bytes()))
    assert disk.get("plan", key) is None
    assert not disk.entries()
    disk.put("plan", key, b"payload")
    assert disk.get("plan", key) == b"payload"
    assert not disk.problem


def test_only_the_user_may_read_and_write(place: Path) -> None:
    disk.put("plan", "k", b"payload")
    disk.get("plan", "k")
    assert place.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in place.iterdir()} == {"plan-k": 0o600, "hits-plan": 0o600}


def test_a_folder_that_others_may_write_to_is_not_used(place: Path) -> None:
    place.mkdir(parents=True)
    place.chmod(0o777)
    disk.put("plan", "k", b"payload")
    assert disk.get("plan", "k") is None
    assert not list(place.iterdir())
    assert "others than this user may write" in str(lazyarr.report())


@pytest.mark.parametrize("where", ["/proc/lazyarr", "file/below"])
def test_a_folder_that_cannot_be_made_is_noted(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with lazyarr.settings.settings(cache_dir=str(tmp_path / where)):
        disk.put("plan", "k", b"payload")
        assert disk.get("plan", "k") is None
    assert str(lazyarr.report()).count("The cache on disk cannot be used") == 1


def test_what_may_only_be_read_is_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk.put("plan", "k", b"payload")

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise PermissionError(30, "Read-only file system")

    # (Permissions do not keep root, who may run this, from writing.)
    with monkeypatch.context() as patched:
        for name in ("utime", "replace", "open"):
            patched.setattr(os, name, refuse)
        assert disk.get("plan", "k") == b"payload"
        disk.put("plan", "other", b"payload")
    assert "Read-only" in disk.problem
    assert [entry.path.name for entry in disk.entries()] == ["plan-k"]


def test_nothing_is_kept_with_size_0(place: Path) -> None:
    with lazyarr.settings.settings(cache_size=0):
        disk.put("plan", "k", b"payload")
        assert disk.get("plan", "k") is None
    assert not place.exists()


def test_the_least_recently_used_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_COUNTED", 1)
    for k in range(9):
        disk.put("code", str(k), bytes(100_000))
        os.utime(disk.entries()[-1].path, (k, k))
    assert disk.get("code", "0") is not None  # used now
    disk.put("code", "9", bytes(200_000))
    names = {entry.path.name for entry in disk.entries()}
    assert sum(entry.size for entry in disk.entries()) <= 2**20
    assert {"code-0", "code-8", "code-9"} <= names
    assert not {"code-1", "code-2"} & names


def test_an_entry_larger_than_the_cache_is_not_kept() -> None:
    disk.put("plan", "k", b"payload")
    disk.put("code", "k", bytes(2**20))
    assert [entry.path.name for entry in disk.entries()] == ["plan-k"]


def test_litter_is_removed(place: Path) -> None:
    place.mkdir(parents=True, mode=0o700)
    for name, age in ((".new-old", 2), (".new-young", 10**10)):
        (place / name).write_bytes(b"half")
        os.utime(place / name, (age, age))
    disk.put("plan", "k", b"payload")
    assert {path.name for path in place.iterdir()} == {"plan-k", ".new-young"}


WRITER = """
import sys
from lazyarr import disk
payload = [bytes([n]) * 50_000 for n in range(7)]
for round in range(60):
    for n in range(7):
        disk.put("code", str(n), payload[n])
        found = disk.get("code", str(n))
        assert found is None or found == payload[n], "damaged"
assert not disk.problem, disk.problem
"""


def test_many_writers(place: Path) -> None:
    world = {**os.environ, "LAZYARR_CACHE_DIR": str(place.parent), "LAZYARR_CACHE_SIZE": "1"}
    running = [subprocess.Popen([sys.executable, "-c", WRITER], env=world, stderr=subprocess.PIPE) for _ in range(4)]
    for process in running:
        assert process.communicate(timeout=120)[1].decode() == ""
        assert process.returncode == 0
    assert {entry.path.name for entry in disk.entries()} == {f"code-{n}" for n in range(7)}
    assert not [path for path in place.iterdir() if path.name.startswith(".new-")]
    assert disk.hits()["code"] == 4 * 60 * 7


def test_the_command_shows_and_clears(place: Path) -> None:
    disk.put("plan", "k", b"payload")
    disk.put("code", "k", bytes(2**19))
    disk.get("code", "k")
    shown = CliRunner().invoke(main, ["cache"]).output.split("\n")
    assert shown[:2] == [f"folder   {place.parent}", "limit    1 MiB"]
    assert [line.split() for line in shown[3:6]] == [
        ["code", "1", "0.50", "1"], ["plan", "1", "0.00", "0"], ["all", "2", "0.50", "1"]
    ]  # fmt: skip
    assert "removed  2 entries" in CliRunner().invoke(main, ["cache", "--clear"]).output
    assert not list(place.iterdir())
    assert CliRunner().invoke(main, ["cache", "--clear"]).exit_code == 0


def test_the_user_s_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with lazyarr.settings.settings(cache_dir=""):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert disk.root() == tmp_path / "lazyarr"
        monkeypatch.setenv("XDG_CACHE_HOME", "relative")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert disk.root().is_relative_to(tmp_path / "home")
        assert disk.root().name == "lazyarr"
