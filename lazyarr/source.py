"""Whose line is running: the nearest frame that is neither lazyarr's nor NumPy's."""

from __future__ import annotations

import dis
import os
import sys
from types import CodeType, FrameType

import numpy

_OURS = (os.path.dirname(os.path.abspath(__file__)) + os.sep, os.path.dirname(os.path.abspath(numpy.__file__)) + os.sep)
#: Whether files are lazyarr's or NumPy's own. (Comparing code objects compares their constants.)
known_files: dict[str, bool] = {}
#: The line where there is none of the user's.
NOWHERE = "<unknown>", 0


def is_internal(code: CodeType) -> bool:
    """Whether `code` is lazyarr's or NumPy's own."""
    name = code.co_filename
    found = known_files.get(name)
    if found is None:
        found = known_files[name] = name.startswith((*_OURS, "<frozen", "<__array_function__"))
    return found


def is_ours(code: CodeType) -> bool:
    """Whether `code` is lazyarr's own."""
    return code.co_filename.startswith(_OURS[0])


_handling: dict[int, tuple[CodeType, bool]] = {}


def handles_errors(code: CodeType) -> bool:
    """Whether `code` has an ``except`` clause or a ``with`` block, which may take an error that is raised in it."""
    found = _handling.get(id(code))
    if found is None:
        handles = bool(code.co_exceptiontable) and any(
            i.opname in ("CHECK_EXC_MATCH", "CHECK_EG_MATCH", "WITH_EXCEPT_START", "POP_EXCEPT")
            for i in dis.get_instructions(code)
        )
        found = _handling[id(code)] = (code, handles)  # which keeps the code object, and its identity, alive
    return found[1]


def user_handles_errors(depth: int = 1) -> bool:
    """Whether any of the user's functions that are running could take an error."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        if not is_internal(frame.f_code) and handles_errors(frame.f_code):
            return True
        if frame.f_code.co_name == "_traced" and is_internal(frame.f_code):
            return False  # the accelerated call: who called it gets the error in any case
        frame = frame.f_back
    return False


def user_line(depth: int = 1) -> tuple[str, int]:
    """File name and line number of the user's statement that is running."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None:
        code = frame.f_code
        known = known_files.get(code.co_filename)
        if not (is_internal(code) if known is None else known):
            return code.co_filename, frame.f_lineno
        frame = frame.f_back
    return NOWHERE


def user_frame(depth: int = 1) -> FrameType | None:
    """The user's function that is running."""
    frame: FrameType | None = sys._getframe(depth)
    while frame is not None and is_internal(frame.f_code):
        frame = frame.f_back
    return frame


def keeps_elements(frame: FrameType) -> bool:
    """Whether code that asks for elements writes to them later: that of masked arrays, which have nobody else's.

    (The extension asks the same, in ``attributes.c``.)
    """
    return frame.f_globals.get("__name__") == "numpy.ma.core"


#: Calls within each other that say where a program is.
_MOST_CALLS = 40
Place = tuple[tuple[str, int, int], ...]


def place(depth: int = 1) -> Place:
    """Where the program is, to the instruction: one line may record several operations, one function be called twice.

    For each call, the innermost first: the file, the function's first line, and the instruction; alike on all ranks.
    """
    frame: FrameType | None = sys._getframe(depth)
    found: list[tuple[str, int, int]] = []
    while frame is not None and len(found) < _MOST_CALLS:
        code = frame.f_code
        found.append((code.co_filename, code.co_firstlineno, frame.f_lasti))
        frame = frame.f_back
    return tuple(found)
