"""Comparing many random programs, outside pytest: progress, reduced failures, and a line of counts."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np

from tests.random_differences import Implementation, compile_program, differ, minimise
from tests.random_execution import Spoiled, Unstable
from tests.random_programs import Program, seeded_program, statistics


class Lazy(Implementation):
    """``import lazyarr.numpy as np``, on arrays made by it."""

    strict_scalars = False

    def __init__(self) -> None:
        import lazyarr.numpy

        self._numpy: Any = lazyarr.numpy

    def compile(self, program: Program, name: str) -> Callable[..., Any]:
        return compile_program(program, name, self._numpy)

    def array(self, array: np.ndarray[Any, Any]) -> Any:
        return self._numpy.array(array)

    def read(self, value: Any) -> Any:
        import lazyarr

        return np.asarray(value) if isinstance(value, lazyarr.LazyArray) else value


class Protocol(Lazy):
    """Plain NumPy functions on lazy arrays: ``__array_function__`` and ``__array_ufunc__``."""

    def compile(self, program: Program, name: str) -> Callable[..., Any]:
        return compile_program(program, name, np)


class Accelerate(Implementation):
    """``@lazyarr.accelerate`` on the program in plain NumPy."""

    atomic = True

    def compile(self, program: Program, name: str) -> Callable[..., Any]:
        import lazyarr

        function: Callable[..., Any] = lazyarr.accelerate(compile_program(program, name, np))
        return function


IMPLEMENTATIONS: dict[str, Callable[[], Implementation]] = {
    "numpy": Implementation,
    "lazy": Lazy,
    "protocol": Protocol,
    "accelerate": Accelerate,
}


class TookTooLong(BaseException):
    """A program ran into the time limit; not an ``Exception``, so that no handler mistakes it for the program's."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``TookTooLong`` in the main thread when the body runs longer."""

    def expire(signum: int, frame: FrameType | None) -> None:
        raise TookTooLong

    previous = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def failure(program: Program, implementation: Implementation, zero_signs: bool, seconds: float) -> str | None:
    """What is wrong with the implementation's run of a program, or None."""
    try:
        with time_limit(seconds):
            difference = differ(program, implementation, zero_signs)
    except TookTooLong:
        return f"took longer than {seconds:g} s"
    return None if difference is None else f"{difference.message} (call {difference.call})"


def signature(message: str) -> str:
    """What failures of one cause have in common: the message without names, numbers and values."""
    return re.sub(r"'[^']*'|\b[abv]\w*\d+\b|-?\d+(\.\d+)?(e[-+]?\d+)?|\[[^\]]*\]|np\.\w+\([^)]*\)", "_", message)[:140]


def report(program: Program, implementation: Implementation, arguments: argparse.Namespace, index: int) -> str:
    """The failing program, reduced, as a script; returns the signature of what is left."""

    def fails(candidate: Program) -> bool:
        return failure(candidate, implementation, not arguments.ignore_zero_signs, arguments.limit) is not None

    smallest = minimise(program, fails) if arguments.minimise else program
    message = failure(smallest, implementation, not arguments.ignore_zero_signs, arguments.limit)
    message = message or "(the reduced program no longer fails: the failure is not deterministic)"
    if arguments.show > 0:
        arguments.show -= 1
        print(f"\n=== program {index} of seed {arguments.seed}: {message}")
        print(smallest.script(arguments.mode), flush=True)
    return f"{signature(message)}   [{smallest.steps[-1].lines()[0]}]"


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.random_programs", description=__doc__)
    parser.add_argument("--examples", type=int, default=1000, help="number of programs")
    parser.add_argument("--start", type=int, default=0, help="number of the first program of the series")
    parser.add_argument("--mode", choices=(*IMPLEMENTATIONS, "statistics"), default="numpy")
    parser.add_argument("--seed", type=int, default=0, help="which series of programs")
    parser.add_argument("--show", type=int, default=20, help="print at most so many failing programs")
    parser.add_argument("--max-failures", type=int, default=200, help="stop after so many")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that one program may take")
    parser.add_argument("--no-minimise", dest="minimise", action="store_false", help="print failing programs whole")
    parser.add_argument("--ignore-zero-signs", action="store_true", help="let -0.0 equal 0.0")
    arguments = parser.parse_args(argv)
    if arguments.mode == "statistics":
        counts = statistics(seeded_program(arguments.seed, arguments.start + i) for i in range(arguments.examples))
        for key in sorted(counts):
            print(f"{counts[key]:8d}  {key}")
        return 0
    return _compare(arguments)


def _compare(arguments: argparse.Namespace) -> int:
    implementation = IMPLEMENTATIONS[arguments.mode]()
    begin = shown = time.monotonic()
    done = failures = skipped = statements = 0
    signatures: Counter[str] = Counter()
    for index in range(arguments.start, arguments.start + arguments.examples):
        program = seeded_program(arguments.seed, index)
        try:
            message = failure(program, implementation, not arguments.ignore_zero_signs, arguments.limit)
        except (Unstable, Spoiled):
            skipped += 1
            continue
        done += 1
        statements += len(program.steps)
        if message is not None:
            failures += 1
            signatures[report(program, implementation, arguments, index)] += 1
            if failures >= arguments.max_failures:
                break
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            rate = done / (shown - begin)
            print(f"... {done} programs, {failures} differ, {rate:.0f} a second", file=sys.stderr, flush=True)
    for text, count in signatures.most_common():
        print(f"{count:5d}  {text}")
    seconds = time.monotonic() - begin
    print(
        f"{arguments.mode}: {done} programs, {statements} statements, seed {arguments.seed}, in {seconds:.0f} s: "
        f"{failures} differ, {skipped} skipped as decided by rounding"
    )
    return 1 if failures else 0
