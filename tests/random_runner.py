"""Comparing many random programs, outside pytest: progress, reduced failures, and a line of counts."""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
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
        self._array_class = type(lazyarr.numpy.zeros(1))

    def compile(self, program: Program, name: str) -> Callable[..., Any]:
        return compile_program(program, name, self._numpy)

    def array(self, array: np.ndarray[Any, Any]) -> Any:
        return self._numpy.array(array)

    def read(self, value: Any) -> Any:
        return np.asarray(value) if isinstance(value, self._array_class) else value


class Protocol(Lazy):
    """Plain NumPy functions on lazy arrays: ``__array_function__`` and ``__array_ufunc__``.

    What converts to NumPy's own array asks for a copy there, where it is a view in plain NumPy.
    """

    unfit = re.compile(r"np\.asarray\([av]")

    def compile(self, program: Program, name: str) -> Callable[..., Any]:
        return compile_program(program, name, np)


class Accelerate(Implementation):
    """``@lazyarr.accelerate`` on the program in plain NumPy."""

    atomic = True

    def compile(self, program: Program, name: str) -> Callable[..., Any]:
        import lazyarr

        function: Callable[..., Any] = lazyarr.accelerate(compile_program(program, name, np))
        return function


class AccelerateByXla(Accelerate):
    """The same, compiled by XLA wherever XLA can."""

    def compile(self, program: Program, name: str) -> Callable[..., Any]:
        import lazyarr

        function = super().compile(program, name)

        def call(*given: Any) -> Any:
            with lazyarr.settings.settings(compiler="xla"):
                return function(*given)

        return call


IMPLEMENTATIONS: dict[str, Callable[[], Implementation]] = {
    "numpy": Implementation,
    "lazy": Lazy,
    "protocol": Protocol,
    "accelerate": Accelerate,
    "xla": AccelerateByXla,
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


@dataclass
class Counts:
    """What came of comparing a range of programs."""

    programs: int = 0
    statements: int = 0
    differ: int = 0
    skipped: int = 0
    avoided: int = 0
    causes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Count another range too."""
        self.programs += other.programs
        self.statements += other.statements
        self.differ += other.differ
        self.skipped += other.skipped
        self.avoided += other.avoided
        self.causes += other.causes


def report(program: Program, implementation: Implementation, arguments: argparse.Namespace, index: int) -> str:
    """Print a failing program, reduced, as a script; returns what it has in common with others of the same cause."""

    def fails(candidate: Program) -> bool:
        return failure(candidate, implementation, not arguments.ignore_zero_signs, arguments.limit) is not None

    smallest = minimise(program, fails) if arguments.minimise else program
    message = failure(smallest, implementation, not arguments.ignore_zero_signs, arguments.limit)
    message = message or "(the reduced program no longer fails: the failure is not deterministic)"
    if arguments.show > 0:
        arguments.show -= 1
        print(f"\n=== program {index} of seed {arguments.seed}: {message}")
        print(smallest.script(arguments.mode), flush=True)
    statement = re.sub(r"\b[asv]\d+\b", "x", smallest.steps[-1].lines()[0])
    return f"{signature(message)}   [{re.sub(r'-?[0-9]+([.][0-9]+)?', '_', statement)}]"


def compare_range(arguments: argparse.Namespace) -> Counts:
    """Compare the programs from ``--start`` on, in this process."""
    implementation = IMPLEMENTATIONS[arguments.mode]()
    begin = shown = time.monotonic()
    counts = Counts()
    for index in range(arguments.start, arguments.start + arguments.examples):
        program = seeded_program(arguments.seed, index)
        if not implementation.fits(program):
            counts.skipped += 1
            continue
        if arguments.avoid and re.search(arguments.avoid, program.source()):
            counts.avoided += 1
            continue
        if arguments.trace:
            Path(arguments.trace).write_text(f"# program {index} of seed {arguments.seed}\n{program.script()}\n")
        try:
            message = failure(program, implementation, not arguments.ignore_zero_signs, arguments.limit)
        except (Unstable, Spoiled):
            counts.skipped += 1
            continue
        counts.programs += 1
        counts.statements += len(program.steps)
        if message is not None:
            counts.differ += 1
            counts.causes[report(program, implementation, arguments, index)] += 1
            if counts.differ >= arguments.max_failures:
                break
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            rate = counts.programs / (shown - begin)
            line = (
                f"... from {arguments.start}: {counts.programs} programs, {counts.differ} differ, {rate:.0f} a second"
            )
            print(line, file=sys.stderr, flush=True)
    return counts


def compare_in_children(arguments: argparse.Namespace) -> Counts:
    """Compare the programs in other processes, ``--chunk`` at a time: a crash or a hang ends only one of them."""
    starts = range(arguments.start, arguments.start + arguments.examples, arguments.chunk)
    total = Counts()
    with ThreadPoolExecutor(arguments.jobs) as pool, tempfile.TemporaryDirectory() as folder:

        def child(start: int) -> Counts:
            size = min(arguments.chunk, arguments.start + arguments.examples - start)
            trace = Path(folder, str(start))
            options = {"mode": arguments.mode, "seed": arguments.seed, "start": start, "examples": size, "trace": trace}
            options |= {"show": arguments.show, "max-failures": arguments.max_failures, "limit": arguments.limit}
            command = [sys.executable, "-m", "tests.random_programs", "--json"]
            command += [f"--{name}={value}" for name, value in options.items()]
            command += [f"--avoid={arguments.avoid}"] if arguments.avoid else []
            command += ["--ignore-zero-signs"] * arguments.ignore_zero_signs
            command += ["--no-minimise"] * (not arguments.minimise)
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=arguments.limit * size)
            *lines, last = done.stdout.splitlines() or [""]
            if done.returncode not in (0, 1) or not last.startswith("{"):
                print(f"{done.stdout}\n=== the process ended with status {done.returncode} in\n{trace.read_text()}")
                return Counts(differ=1, causes=Counter({f"status {done.returncode}": 1}))
            if lines:
                print("\n".join(lines), flush=True)
            fields = json.loads(last)
            return Counts(**{**fields, "causes": Counter(fields["causes"])})

        for counts in pool.map(child, starts):
            total.add(counts)
    return total


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit status: 1 when a program differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.random_programs", description=__doc__)
    parser.add_argument("--examples", type=int, default=1000, help="number of programs")
    parser.add_argument("--start", type=int, default=0, help="number of the first program of the series")
    parser.add_argument("--mode", choices=(*IMPLEMENTATIONS, "statistics"), default="numpy")
    parser.add_argument("--seed", type=int, default=0, help="which series of programs")
    parser.add_argument("--show", type=int, default=20, help="print at most so many failing programs (of each process)")
    parser.add_argument("--max-failures", type=int, default=200, help="stop (each process) after so many")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that one program may take")
    parser.add_argument("--jobs", type=int, default=0, help="compare in so many processes at a time")
    parser.add_argument("--chunk", type=int, default=1000, help="with --jobs: programs that one process compares")
    parser.add_argument("--trace", help="write each program to this file before it runs (to find one that crashes)")
    parser.add_argument("--avoid", help="leave out programs whose source matches this regular expression")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--no-minimise", dest="minimise", action="store_false", help="print failing programs whole")
    parser.add_argument("--ignore-zero-signs", action="store_true", help="let -0.0 equal 0.0")
    arguments = parser.parse_args(argv)
    if arguments.mode == "statistics":
        table = statistics(seeded_program(arguments.seed, arguments.start + i) for i in range(arguments.examples))
        for key in sorted(table):
            print(f"{table[key]:8d}  {key}")
        return 0
    begin = time.monotonic()
    counts = compare_in_children(arguments) if arguments.jobs else compare_range(arguments)
    if arguments.json:
        print(json.dumps({**vars(counts), "causes": dict(counts.causes)}))
        return 1 if counts.differ else 0
    for text, count in counts.causes.most_common():
        print(f"{count:5d}  {text}")
    print(
        f"{arguments.mode}: {counts.programs} programs, {counts.statements} statements, seed {arguments.seed}, "
        f"in {time.monotonic() - begin:.0f} s: {counts.differ} differ, "
        f"{counts.skipped} skipped (rounding decides, or not for this mode)"
        + (f", {counts.avoided} left out" if arguments.avoid else "")
    )
    return 1 if counts.differ else 0
