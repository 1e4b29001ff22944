"""Comparing random programs with control flow: one program, its reduction, and many of them from the command line."""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from tests.random_compare import Expected, public_class
from tests.random_differences import NOISY_RUNS, Difference, Implementation, Reference, compare_call
from tests.random_execution import Level, Spoiled, Unstable, quiet
from tests.random_inputs import Inputs
from tests.random_loop_noise import Shaker, flat, run, shaken
from tests.random_loop_text import Block, Line, Node
from tests.random_loops import Program, seeded_program
from tests.random_runner import Counts, TookTooLong, signature, time_limit

#: The ways in: what becomes of the plain function.
MODES = ("numpy", "control", "accelerate", "lifted", "straight", "xla")
_names = itertools.count()


def reference(program: Program, inputs: Inputs, *, atomic: bool | None = None) -> Reference:
    """What NumPy makes of a program.

    Parameters
    ----------
    program, inputs
        The program and one set of arguments.
    atomic : bool, optional
        What a call that raises leaves in its arguments: what was there before (True), what NumPy leaves (False), or
        either.

    Raises
    ------
    Unstable
        With these arguments rounding decides what the program does.
    """
    make = shaken(program.source(), "<random loops>", "program")
    bases, arguments = inputs.build()
    shaker = Shaker()
    result, error = run(make(shaker), arguments)
    inexact = shaker.inexact or any(_off_grid(base) for base in bases.values())
    samples: list[tuple[Any, dict[str, Any]]] = []
    for seed in range(NOISY_RUNS if inexact else 0):
        rng = np.random.Generator(np.random.PCG64(seed))
        noisy_bases, noisy_arguments = inputs.build(lambda array: Shaker(rng).value(array))  # noqa: B023  called at once
        noisy_arguments = [x if isinstance(x, np.ndarray) else Shaker(rng).value(x) for x in noisy_arguments]
        noisy = Shaker(rng)
        noisy_result, noisy_error = run(make(noisy), noisy_arguments)
        if type(noisy_error) is not type(error) or noisy.decisions != shaker.decisions:
            raise Unstable("rounding decides")
        samples.append((noisy_result, noisy_bases))
    level = Level.ROUNDED if inexact else Level.SIGNLESS
    results = []
    if any(len(sample or ()) != len(result or ()) for sample, _ in samples):
        raise Unstable("rounding decides how long a list is")
    for k, value in enumerate(result or ()):
        spread = [sample[k] for sample, _ in samples]
        if any(np.shape(s) != np.shape(value) for s in spread):
            raise Unstable("rounding decides a shape")
        results.append(Expected(f"result {k}", value, level, spread))
    changed = [Expected(name, base, level, [b[name] for _, b in samples]) for name, base in bases.items()]
    untouched = [Expected(name, base) for name, base in inputs.build()[0].items()]
    after = untouched if atomic else changed
    return Reference(tuple(results), tuple(after), error, tuple(untouched if atomic is None else after))


def _off_grid(array: np.ndarray[Any, Any]) -> bool:
    shaker = Shaker()
    shaker.value(array[np.isfinite(array)])
    return shaker.inexact


@contextmanager
def imported(program: Program) -> Iterator[Callable[..., Any]]:
    """The program's function, from a module in a file of its own (that `inspect` reads)."""
    name = f"random_loops_{next(_names)}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.py")
        path.write_text(program.source())
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
            yield module.program
        finally:
            del sys.modules[name]


class Plain(Implementation):
    """The function as it is."""

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Make what is compared of the plain function."""
        return function


class Accelerated(Plain):
    """``@lazyarr.accelerate`` on it."""

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import lazyarr

        accelerated: Callable[..., Any] = lazyarr.accelerate(function)
        return accelerated


class AcceleratedByXla(Accelerated):
    """The same, compiled by XLA wherever XLA can."""

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import lazyarr

        accelerated = super().prepare(function)

        def call(*given: Any) -> Any:
            with lazyarr.settings.settings(compiler="xla"):
                return accelerated(*given)

        return call


class Converted(Plain):
    """The source transformation alone, with the plain meaning of every statement."""

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from lazyarr.tracing.control import Control, convert

        assert isinstance(function, FunctionType)
        return convert(function)(Control())


class Lifted(Plain):
    """Its loops as accelerated functions of their own, Python for the rest."""

    in_parts = True
    straight = False

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        from lazyarr.tracing import where_large
        from lazyarr.tracing.accelerated import Accelerated as AnyAccelerated
        from lazyarr.tracing.control.lifting import lift

        where_large.LARGE = 0
        assert isinstance(function, FunctionType)
        lifted = lift(function, lambda loop: AnyAccelerated(loop, is_loop=True), None, self.straight)
        return function if lifted is None else lifted.function


class Straightened(Lifted):
    """The same with the statements between them."""

    straight = True


def implementation(mode: str) -> Plain:
    """A way in by its name."""
    return {"numpy": Plain, "control": Converted, "accelerate": Accelerated, "xla": AcceleratedByXla,
            "lifted": Lifted, "straight": Straightened}[mode]()  # fmt: skip


def differ(program: Program, way: Plain, *, atomic: bool | None = None) -> Difference | None:
    """Run a program with a way in and with NumPy, with both sets of arguments and the first again; tell a difference.

    Raises
    ------
    Unstable
        With the first arguments rounding decides what the program does: there is nothing to compare.
    """
    expected = reference(program, program.inputs, atomic=atomic)
    calls = [(program.inputs, expected)]
    try:
        calls.append((program.other_inputs, reference(program, program.other_inputs, atomic=atomic)))
    except Unstable:
        pass  # only the first arguments can be compared
    calls.append(calls[0])
    with imported(program) as plain, quiet():
        function = way.prepare(plain)
        for number, (inputs, wanted) in enumerate(calls, 1):
            message = compare_call(_returning(function), way, inputs, wanted, zero_signs=False)
            if message is not None:
                return Difference(message, inputs, number)
    return None


class Escaped(Exception):
    """What is not an ``Exception`` came out of a program."""


def _returning(function: Callable[..., Any]) -> Callable[..., Any]:
    """A program that ends without a return, which the reduction makes, returns nothing."""

    def call(*arguments: Any) -> Any:
        try:
            return flat(function(*arguments)) or ()
        except (Exception, KeyboardInterrupt, TookTooLong):
            raise
        except BaseException as error:
            raise Escaped(repr(error)) from error

    return call


# ---------------------------------------------------------------------------------------------------- reduction


def minimise(program: Program, fails: Callable[[Program], bool]) -> Program:
    """Drop statements, blocks around statements, results and arguments as long as the program still fails."""
    improved = True
    while improved:
        improved = False
        for candidate in _smaller(program):
            try:
                improved = fails(candidate)
            except (Unstable, SyntaxError):
                continue
            if improved:
                program = candidate
                break
    return program


def _smaller(program: Program) -> Iterator[Program]:
    for steps in _without_one(program.steps):
        yield replace(program, steps=steps)
    for helpers in _without_one(program.helpers):
        yield replace(program, helpers=helpers)
    last = program.steps[-1] if program.steps else None
    if isinstance(last, Line) and last.text.startswith("return (") and last.text.count(",") > 1:
        for name in last.text[len("return (") : -1].split(", "):
            if name:
                yield replace(program, steps=(*program.steps[:-1], Line(f"return ({name}, )")))
    text = "\n".join(line for node in (*program.helpers, *program.steps) for line in node.lines())
    for name in program.inputs.parameters:
        if name not in text and len(program.inputs.parameters) > 1:
            yield replace(program, inputs=program.inputs.without(name), other_inputs=program.other_inputs.without(name))
    if program.other_inputs != program.inputs:
        yield replace(program, other_inputs=program.inputs)
        yield replace(program, inputs=program.other_inputs)


def _without_one(nodes: Sequence[Node]) -> Iterator[tuple[Node, ...]]:
    """The nodes with something less, the large parts first."""
    for k in reversed(range(len(nodes))):
        yield (*nodes[:k], *nodes[k + 1 :])
    for k, node in enumerate(nodes):
        if not isinstance(node, Block):
            continue
        before, after = tuple(nodes[:k]), tuple(nodes[k + 1 :])
        for _, inner in node.parts:
            yield (*before, *inner, *after)
        for part, (header, inner) in enumerate(node.parts):
            if part:
                yield (*before, Block((*node.parts[:part], *node.parts[part + 1 :])), *after)
            for fewer in _without_one(inner):
                yield (*before, Block((*node.parts[:part], (header, fewer), *node.parts[part + 1 :])), *after)


def raised(program: Program) -> type[BaseException] | None:
    """The public class of what the program raises under NumPy, with its first arguments."""
    error = reference(program, program.inputs).error
    return None if error is None else public_class(error)


def failure(program: Program, way: Plain, seconds: float, atomic: bool | None = None) -> str | None:
    """What is wrong with a way in's run of a program, or None."""
    try:
        with time_limit(seconds):
            difference = differ(program, way, atomic=atomic)
    except TookTooLong:
        return f"took longer than {seconds:g} s"
    return None if difference is None else f"{difference.message} (call {difference.call})"


def reduced(program: Program, way: Plain, seconds: float, atomic: bool | None = None) -> Program:
    """The smallest program found that fails, and raises what the program raises."""
    kind = raised(program)

    def fails(candidate: Program) -> bool:
        try:
            with time_limit(seconds):
                if raised(candidate) is not kind:
                    return False
        except TookTooLong:  # what bounded a `while` was dropped
            return False
        return failure(candidate, way, seconds, atomic) is not None

    return minimise(program, fails)


# ------------------------------------------------------------------------------------------------- command line


def compare_range(arguments: argparse.Namespace) -> Counts:
    """Compare the programs from ``--start`` on, in this process."""
    way = implementation(arguments.mode)
    begin = shown = time.monotonic()
    counts = Counts()
    for index in range(arguments.start, arguments.start + arguments.examples):
        program = seeded_program(arguments.seed, index)
        if arguments.trace:
            Path(arguments.trace).write_text(f"# program {index} of seed {arguments.seed}\n{program.script()}\n")
        try:
            message = failure(program, way, arguments.limit, arguments.atomic)
        except (Unstable, Spoiled):
            counts.skipped += 1
            continue
        counts.programs += 1
        counts.statements += program.source().count("\n")
        if message is not None:
            counts.differ += 1
            counts.causes[signature(message)] += 1
            if arguments.report > 0:
                arguments.report -= 1
                if arguments.minimise:
                    program = reduced(program, way, arguments.limit, arguments.atomic)
                    message = failure(program, way, arguments.limit, arguments.atomic) or f"{message} (not always)"
                print(f"\n=== program {index} of seed {arguments.seed}: {message}")
                print(program.script(arguments.mode), flush=True)
            if counts.differ >= arguments.max_failures:
                break
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            rate = counts.programs / (shown - begin)
            line = f"{counts.programs} programs, {counts.differ} differ, {rate:.1f} a second"
            print(f"... from {arguments.start}: {line}", file=sys.stderr, flush=True)
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
            options |= {"report": arguments.report, "max-failures": arguments.max_failures, "limit": arguments.limit}
            command = [sys.executable, "-m", "tests.random_loops", "--json", "--state", arguments.state]
            command += [f"--{name}={value}" for name, value in options.items()]
            command += ["--no-minimise"] * (not arguments.minimise)
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
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
    parser = argparse.ArgumentParser(prog="python -m tests.random_loops", description=__doc__)
    parser.add_argument("--examples", type=int, default=1000, help="number of programs")
    parser.add_argument("--start", type=int, default=0, help="number of the first program of the series")
    parser.add_argument("--seed", type=int, default=0, help="which series of programs")
    parser.add_argument("--mode", choices=MODES, default="accelerate")
    parser.add_argument("--show", action="store_true", help="print the programs and compare nothing")
    parser.add_argument("--report", type=int, default=10, help="print at most so many failing programs (each process)")
    parser.add_argument("--max-failures", type=int, default=100, help="stop (each process) after so many")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that one program may take")
    parser.add_argument("--state", choices=("numpy", "before", "either"), default="either",
                        help="what a call that raises must leave in its arguments")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=0, help="compare in so many processes at a time")
    parser.add_argument("--chunk", type=int, default=250, help="with --jobs: programs that one process compares")
    parser.add_argument("--trace", help="write each program to this file before it runs (to find one that crashes)")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--no-minimise", dest="minimise", action="store_false", help="print failing programs whole")
    arguments = parser.parse_args(argv)
    arguments.atomic = {"numpy": False, "before": True, "either": None}[arguments.state]
    if arguments.show:
        for index in range(arguments.start, arguments.start + arguments.examples):
            print(f"# program {index} of seed {arguments.seed}\n{seeded_program(arguments.seed, index).script()}\n")
        return 0
    begin = time.monotonic()
    counts = compare_in_children(arguments) if arguments.jobs else compare_range(arguments)
    if arguments.json:
        print(json.dumps({**vars(counts), "causes": dict(counts.causes)}))
        return 1 if counts.differ else 0
    for text, count in counts.causes.most_common():
        print(f"{count:5d}  {text}")
    print(
        f"{arguments.mode}: {counts.programs} programs, {counts.statements} lines, seed {arguments.seed}, "
        f"in {time.monotonic() - begin:.0f} s: {counts.differ} differ, {counts.skipped} skipped (rounding decides)"
    )
    return 1 if counts.differ else 0
