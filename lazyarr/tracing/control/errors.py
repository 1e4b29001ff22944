"""Why a function is not transformed."""

from __future__ import annotations


class NotConverted(Exception):
    """The function cannot be transformed, and is run as it is.

    Attributes
    ----------
    reason : str
        What stands in the way, as the end of a sentence.
    line : int or None
        Line of the user's file, where there is one.
    """

    def __init__(self, reason: str, line: int | None = None):
        super().__init__(reason if line is None else f"{reason} (line {line})")
        self.reason = reason
        self.line = line
