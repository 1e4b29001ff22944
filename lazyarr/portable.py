"""Errors that are sent to other ranks."""

from __future__ import annotations

import pickle


def portable(error: BaseException) -> BaseException:
    """An error as it can be sent: of its own class, or else of the nearest one of Python's that takes a text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001  whatever a class of somebody else's raises here, it cannot be sent
        for base in type(error).__mro__:
            if base.__module__ == "builtins" and issubclass(base, BaseException):
                try:
                    return base(str(error))
                except TypeError:
                    continue  # UnicodeDecodeError takes more
        raise
    return error
