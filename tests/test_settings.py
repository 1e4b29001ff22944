"""Settings of the process: what is refused, what the environment decides, and what is said about it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import lazyarr
from lazyarr import settings


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"fallback": "x"}, ValueError, "^fallback is 'x'; expected one of allow, warn, error$"),
        ({"compile_after": 0}, ValueError, "^compile_after is 0; expected an integer of at least 1$"),
        ({"unroll_limit": "9"}, ValueError, "^unroll_limit is '9'; expected an integer"),
        ({"threads": -1}, ValueError, "^threads is -1; expected an integer of at least 0$"),
        ({"fallbak": "x"}, TypeError, "no setting 'fallbak'; did you mean 'fallback'.*compile_after.*unroll_limit"),
        ({"zzz": 1}, TypeError, r"^there is no setting 'zzz' \(the settings are fallback, "),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(changes: dict[str, object], kind: type[Exception], said: str) -> None:
    before = settings.current
    with pytest.raises(kind, match=said):
        lazyarr.configure(**changes)
    assert settings.current is before


SHOW = "from lazyarr import settings; print(settings.current)"


def imported(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LAZYARR_")}
    return subprocess.run([sys.executable, *options, "-c", SHOW], capture_output=True, text=True, timeout=100,
                          check=False, env={**kept, **environment})  # fmt: skip


def test_the_environment_decides() -> None:
    done = imported("-W", "error", LAZYARR_FALLBACK="error", LAZYARR_FLUSH_AFTER="77", LAZYARR_COMPILE_AFTER="")
    assert done.stderr == ""
    assert done.stdout.strip() == str(settings.Settings(fallback="error", flush_after=77))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("LAZYARR_FALLBACK", "eror", "expected one of allow, warn, error; the default, 'warn', is used"),
        ("LAZYARR_COMPILE_AFTER", "soon", "expected an integer of at least 1; the default, 2, is used"),
        ("LAZYARR_THREADS", "all", "expected an integer of at least 0; the default, 0, is used"),
        ("LAZYARR_UNROLL_LIMIT", "-3", "expected an integer of at least 1; the default, 10000, is used"),
    ],
)
def test_a_wrong_value_in_the_environment_is_warned_of(name: str, value: str, expected: str) -> None:
    done = imported(**{name: value, "LAZYARR_FLUSH_AFTER": "77"})
    assert done.returncode == 0, done.stderr
    # What is right is used all the same.
    assert done.stdout.strip() == str(settings.Settings(flush_after=77))
    assert len(done.stderr.splitlines()) == 1
    assert f"{name} is '{value}'; {expected}" in done.stderr
