"""Whose line is running: the nearest frame that is neither lazyarr's nor NumPy's."""

from __future__ import annotations

import os
import sys
from types import CodeType, FrameType

import numpy

_OURS = (os.path.dirname(os.path.abspath(__file__)) + os.sep, os.path.dirname(os.path.abspath(numpy.__file__)) + os.sep)
_internal: dict[CodeType, bool] = {}


def is_internal(code: CodeType) -> bool:
    """Whether `code` is lazyarr's or NumPy's own."""
    found = _internal.get(code)
    if found is None:
        name = code.co_filename
        found = _internal[code] = name.startswith((*_OURS, "<frozen", "<__array_function__"))
    return found


def user_line(depth: int = 1) -> tuple[str, int]:
    """File name and line number of the user's statement that is running."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        known = _internal.get(code)
        if not (is_internal(code) if known is None else known):
            return code.co_filename, frame.f_lineno
        frame = frame.f_back
    return "<unknown>", 0
