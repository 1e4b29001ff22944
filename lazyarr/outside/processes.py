"""Programs that a script starts on ranks: rank 0 starts them, and the others see what they give."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from lazyarr.outside import asking, standard_input, streams
from lazyarr.outside.asking import Role

_Popen = subprocess.Popen


class Popen(_Popen):  # type: ignore[type-arg]
    """As `subprocess.Popen`; of a program that all ranks start together there is one, which rank 0 has started."""

    _is_shared = False
    _of_rank_0: tuple[Any, Any] = (None, None)

    def __init__(self, *args: Any, **kwargs: Any):
        if asking.role() is not Role.TOGETHER:
            super().__init__(*args, **kwargs)
            return

        self._followed = streams.Followed([kwargs.get("stdout"), kwargs.get("stderr")])

        def start() -> tuple[Any, ...]:
            super(Popen, self).__init__(*args, **kwargs)
            pipes = tuple(None if pipe is None else _kind(pipe) for pipe in (self.stdin, self.stdout, self.stderr))
            return self.args, self.pid, pipes

        self.args, self.pid, pipes = asking.perform("starts a program", start, lambda told: told)
        self._is_shared = True
        mine = asking.ranks().rank == 0
        if not mine:
            self.returncode, self._child_created = None, False
            self.stdin, self.stdout, self.stderr = None, None, None
            self._communication_started = False
        if not mine and pipes[0] is not None:
            self.stdin = streams.sink("<pipe>", *pipes[0])
        self._of_rank_0 = self.stdout, self.stderr
        for name, kind in zip(("stdout", "stderr"), pipes[1:], strict=True):
            if kind is not None:
                setattr(self, name, _shown(getattr(self, name), *kind))

    def _together(self, what: str, operation: Callable[[], Any]) -> Any:
        """What rank 0 gives, and what has become of the program."""

        def perform() -> tuple[Any, Any]:
            # (What these methods call of each other is done at once.)
            shown, self._is_shared = (self.stdout, self.stderr), False
            self.stdout, self.stderr = self._of_rank_0
            try:
                return operation(), self.returncode
            finally:
                self._is_shared, (self.stdout, self.stderr) = True, shown

        try:
            found, self.returncode = asking.perform(what, perform)
        finally:
            if self._followed:
                self._followed.catch_up()
        return found

    def _is_asked(self) -> bool:
        """Whether ranks ask rank 0 for it. (In another thread an error says that it takes all of them.)"""
        return self._is_shared and asking.is_shared() and not asking.scripts[0].ended

    def poll(self) -> Any:
        """Whether it has ended, and how."""
        if self._is_asked() and self.returncode is None:
            return self._together("asks whether a program has ended", super().poll)
        return super().poll() if self._is_native() else self.returncode

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until it has ended."""
        if self._is_asked() and self.returncode is None:
            return self._together("waits for a program", lambda: super(Popen, self).wait(timeout))
        return super().wait(timeout) if self._is_native() else self.returncode

    def communicate(self, input: Any = None, timeout: float | None = None) -> Any:
        """Send it what it wants, and read what it gives."""
        if self._is_asked():
            return self._together("waits for a program", lambda: super(Popen, self).communicate(input, timeout))
        return super().communicate(input, timeout) if self._is_native() else (None, None)

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""
        if self._is_asked():
            self._together("sends a program a signal", lambda: super(Popen, self).send_signal(sig))
        elif self._is_native():
            super().send_signal(sig)

    def _is_native(self) -> bool:
        """Whether this process has started it."""
        return self._child_created

    def __del__(self, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "_child_created", False):
            super().__del__(*args, **kwargs)


def _kind(pipe: Any) -> tuple[str, Any, Any]:
    """How a stream is read or written, and its text encoded."""
    return (
        "t" if isinstance(pipe, io.TextIOBase) else "b",
        getattr(pipe, "encoding", None),
        getattr(pipe, "errors", None),
    )


def _shown(pipe: Any, kind: str, encoding: Any, errors: Any) -> Any:
    """What a program gives, for every rank."""
    raw = standard_input.Shared(pipe, "<pipe>")
    return standard_input.text(raw, encoding, errors) if kind == "t" else io.BufferedReader(raw)


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        if asking.role() is not Role.TOGETHER:
            return function(*args, **kwargs)
        followed = streams.Followed([kwargs.get("stdout"), kwargs.get("stderr")])
        try:
            return asking.perform(f"calls {function.__name__}()", lambda: function(*args, **kwargs))
        finally:
            if followed:
                followed.catch_up()

    return run


def replacements() -> Iterator[tuple[Any, str, Any]]:
    """Whose attribute of which name becomes what."""
    yield subprocess, "Popen", Popen
    for name in "run call check_call check_output getoutput getstatusoutput".split():
        yield subprocess, name, _running(getattr(subprocess, name))
