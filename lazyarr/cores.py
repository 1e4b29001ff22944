"""How many cores this process may use: what affinity, control group and OMP_NUM_THREADS leave of the machine's."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

#: Where control groups are.
_GROUPS = Path("/sys/fs/cgroup")


def available() -> tuple[int, str]:
    """The number of threads that numerical code should use by default, and what limits it, in words."""
    limits = [(usable_cores(), "cores that this process may run on")]
    quota = _quota()
    if quota is not None:
        limits.append((quota, "processor time of its control group"))
    wanted = _wanted(os.environ.get("OMP_NUM_THREADS", ""))
    if wanted is not None:
        limits.append((wanted, "OMP_NUM_THREADS"))
    return min(limits, key=lambda limit: limit[0])


def usable_cores() -> int:
    """Cores this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def _wanted(text: str) -> int | None:
    """What OMP_NUM_THREADS asks for: one number, or one for each level of nesting; None if it says nothing usable."""
    first = text.split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


@cache
def _quota() -> int | None:
    """Cores' worth of time that the control groups of this process have, rounded up; None without a limit."""
    try:
        own = Path("/proc/self/cgroup").read_text()
    except OSError:
        return None
    return _quota_of(own, _GROUPS)


def _quota_of(own: str, root: Path) -> int | None:
    """The same, from the text of ``/proc/self/cgroup`` and the folder of groups."""
    found = []
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        folder = root if not controllers else root / "cpu"
        group = folder / path.lstrip("/")
        # A limit of a group holds for those below it. (Within a container the path may be one of the host's.)
        for place in (group, *group.parents):
            share = _unified(place) if not controllers else _divided(place)
            if share is not None:
                found.append(share)
            if place == folder:
                break
    return max(1, -int(-min(found) // 1)) if found else None


def _unified(group: Path) -> float | None:
    words = _words(group / "cpu.max")
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0] != "max" else None


def _divided(group: Path) -> float | None:
    """The same of the first version of control groups."""
    quota, period = _words(group / "cpu.cfs_quota_us"), _words(group / "cpu.cfs_period_us")
    return int(quota[0]) / int(period[0]) if quota and period and int(quota[0]) > 0 else None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []
