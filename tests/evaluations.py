"""What the drop-in runs, seen by tests: from a beginning at which nothing is pending, and which knows no numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lazyarr import runtime
from lazyarr.evaluations import Known
from lazyarr.settings import settings
from lazyarr.varying import numbers


@contextmanager
def all_recorded(**others: Any) -> Iterator[None]:
    """Nothing is done at once; other settings as they are given."""
    # (What another test has left, pending and held by a traceback, is computed with these graphs some time.)
    runtime.flush(runtime.recording())
    numbers.clear()
    with settings(eager_below=0, **others):
        yield
    numbers.clear()


def noted_runs(patch: pytest.MonkeyPatch, what: Callable[..., Any]) -> list[Any]:
    """A list that gets ``what(program, surrendered)`` of each program that is run from now on."""
    found: list[Any] = []
    run = runtime.run

    def noted(program: Any, leaves: Any, may_compile: bool = True, surrendered: Any = ()) -> Any:
        found.append(what(program, surrendered))
        return run(program, leaves, may_compile, surrendered)

    known_run = Known.run

    def known_noted(self: Known, leaves: Any) -> Any:
        found.append(what(self.program, ()))
        return known_run(self, leaves)

    patch.setattr(runtime, "run", noted)
    patch.setattr(Known, "run", known_noted)
    return found


def graphs_run(patch: pytest.MonkeyPatch) -> list[Any]:
    """The graphs that are run from now on."""
    return noted_runs(patch, lambda program, surrendered: program.graph)
