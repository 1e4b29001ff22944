"""What ends a trace that is to be done again, in another way."""

from __future__ import annotations


class Raised(BaseException):
    """A traced function raised an error, and has had no effect so far."""


class LengthsRefused(BaseException):
    """A trace met an error where data had decided a length: to be done again without such lengths."""


class CountsRefused(BaseException):
    """A trace has not become one program for all counts of iterations: to be done again for these."""
