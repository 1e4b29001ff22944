"""How many threads native code uses: what the setting says, and what limits the default."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import lazyarr
from lazyarr import cores
from lazyarr.backends import native_threads

LINUX = native_threads._FUTEX is not None and hasattr(os, "sched_getaffinity")


@pytest.mark.parametrize(
    ("text", "found"),
    [("", None), ("3", 3), (" 3 ", 3), ("5,2", 5), ("0", None), ("-1", None), ("2.5", None), (",2", None)],
)  # fmt: skip
def test_what_omp_num_threads_says(text: str, found: int | None) -> None:
    assert cores._wanted(text) == found


def test_the_least_limit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: 8)
    monkeypatch.setattr(cores, "_quota", lambda: None)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert cores.available() == (8, "cores that this process may run on")
    monkeypatch.setenv("OMP_NUM_THREADS", "20")
    assert cores.available()[0] == 8
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert cores.available() == (5, "OMP_NUM_THREADS")
    monkeypatch.setattr(cores, "_quota", lambda: 3)
    assert cores.available() == (3, "processor time of its control group")


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("own", "files", "found"),
    [
        ("0::/\n", {}, None),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "400000 100000\n"}, 4),
        ("0::/a/b\n", {"a/cpu.max": "250000 100000\n", "a/b/cpu.max": "max 100000\n"}, 3),
        ("0::/a/b\n", {"a/cpu.max": "250000 100000\n", "a/b/cpu.max": "20000 100000\n"}, 1),
        ("0::/of/the/host\n", {"cpu.max": "150000 100000\n"}, 2),
        ("3:cpuset:/\n2:cpu,cpuacct:/x\n1:memory:/y\n",
         {"cpu/x/cpu.cfs_quota_us": "200000\n", "cpu/x/cpu.cfs_period_us": "100000\n"}, 2),
        ("2:cpu:/x\n", {"cpu/x/cpu.cfs_quota_us": "-1\n", "cpu/x/cpu.cfs_period_us": "100000\n"}, None),
        ("2:cpu:/x\n0::/\n", {"cpu/cpu.cfs_quota_us": "550000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 6),
    ],
)  # fmt: skip
def test_control_groups(tmp_path: Path, own: str, files: dict[str, str], found: int | None) -> None:
    assert cores._quota_of(own, written(tmp_path, files)) == found


@pytest.mark.skipif(not LINUX, reason="threads of native code need Linux")
def test_the_setting() -> None:
    with lazyarr.settings.settings(threads=0):
        assert native_threads.threads() == cores.available()[0]
        with lazyarr.settings.settings(threads=7):
            assert native_threads.threads() == 7
        with lazyarr.settings.settings(threads=1):
            assert native_threads.threads() == 1
