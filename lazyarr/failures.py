"""Checks that failed at run time, as what NumPy would have raised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr.ir.graph import Check, CheckFailed, Line


def exception_class(name: str) -> type[Exception]:
    """The class a check names."""
    import builtins

    found = np.linalg.LinAlgError if name == "LinAlgError" else getattr(builtins, name)
    assert isinstance(found, type) and issubclass(found, Exception)
    return found


def raise_failed(recorded: Sequence[tuple[Check, Line]], left: Sequence[Check], values: Sequence[Any]) -> None:
    """Raise what the first failed check says, with the user's line as a note.

    Parameters
    ----------
    recorded : sequence of (Check, Line)
        As the user's lines recorded them.
    left : sequence of Check
        Those that are computed: the passes merge equal checks and drop what always holds.
    values : sequence of array
        A bool for each of `left`.
    """
    for check, ok in zip(left, values, strict=True):
        if not bool(np.asarray(ok)):
            if check.exception == "CheckFailed":
                raise CheckFailed(check)
            # (No variable has it: its traceback has this frame, and would keep what the callers hold, open files say.)
            raise _noted(check, recorded)


def _noted(check: Check, recorded: Sequence[tuple[Check, Line]]) -> Exception:
    error = exception_class(check.exception)(check.message)
    same = (line for c, line in recorded if (c.exception, c.message) == (check.exception, check.message))
    lines = " or ".join(f"{file}:{number}" for file, number in dict.fromkeys(same))
    error.add_note(f"raised by the operation recorded at {lines}")
    return error
