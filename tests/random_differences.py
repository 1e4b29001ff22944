"""Running a random program with NumPy and with another implementation, and telling how they differ."""

from __future__ import annotations

import itertools
import linecache
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tests.random_compare import Expected, compare, compare_exceptions
from tests.random_execution import Branch, Level, Loop, Raised, Spoiled, Tracker, Unstable, quiet
from tests.random_inputs import Inputs
from tests.random_programs import Program

Array = np.ndarray[Any, Any]

NOISY_RUNS = 4


@dataclass(frozen=True)
class Difference:
    """How an implementation differs from NumPy on a program."""

    message: str
    inputs: Inputs
    call: int = 1


@dataclass(frozen=True)
class Reference:
    """What NumPy makes of a program: its results and base arrays, or its exception and base arrays.

    Where NumPy raises in the middle of a write (an integer to a negative power), part of it may be done:
    ``bases_before`` are the base arrays as they were before the statement that raises.
    """

    results: tuple[Expected, ...]
    bases: tuple[Expected, ...]
    error: BaseException | None = None
    bases_before: tuple[Expected, ...] = ()


def reference(program: Program, inputs: Inputs) -> Reference:
    """Run a program with NumPy, and with noise if it rounds.

    Raises
    ------
    Unstable, Spoiled
        With these arguments rounding decides what the program does.
    """
    bases, tracker, error = _run(program, inputs)
    levels = {name: tracker.level(name) for name in bases}
    rounded = Level.ROUNDED in (*map(tracker.level, program.returns), *levels.values())
    samples = []
    if rounded:
        noise = np.random.Generator(np.random.PCG64(0))
        runs = [_run(program, inputs, noise, tracker.trace) for _ in range(NOISY_RUNS)]
        if any((noisy_error is None) != (error is None) for _, _, noisy_error in runs):
            raise Unstable("rounding decides whether it raises")
        samples = [run[:2] for run in runs]
    results = []
    if error is None:
        for index, name in enumerate(program.returns):
            if name not in tracker.env:  # bound in the branch that was not taken
                raise Unstable(name)
            spread = [sample.env[name] for _, sample in samples]
            if any(np.shape(sample) != np.shape(tracker.env[name]) for sample in spread):
                raise Unstable(name)
            results.append(Expected(f"result {index} ({name})", tracker.env[name], tracker.level(name), spread))
    expected = [
        Expected(name, base, levels[name], [changed[name] for changed, _ in samples]) for name, base in bases.items()
    ]
    before: list[Expected] = []
    if error is not None:
        untouched, _, _ = _run(replace(program, steps=program.steps[: tracker.completed]), inputs)
        before = [replace(wanted, value=untouched[wanted.name]) for wanted in expected]
    return Reference(tuple(results), tuple(expected), error, tuple(before))


def run_with_noise(program: Program, inputs: Inputs, seed: int, loudness: float = 1.0) -> tuple[list[Any], list[Array]]:
    """The results and base arrays of a program whose rounding errors are others, drawn from ``seed``."""
    _, tracker, _ = _run(program, inputs)
    noise = np.random.Generator(np.random.PCG64(seed + 1))
    bases, noisy, error = _run(program, inputs, noise, tracker.trace, loudness)
    return ([] if error is not None else [noisy.env[name] for name in program.returns]), list(bases.values())


def _run(
    program: Program,
    inputs: Inputs,
    noise: np.random.Generator | None = None,
    trace: Sequence[bool] = (),
    loudness: float = 1.0,
) -> tuple[dict[str, Array], Tracker, BaseException | None]:
    bases, arguments = inputs.build()
    tracker = Tracker(
        {**bases, **dict(zip(inputs.parameters, arguments, strict=True))}, noise, list(trace), {}, loudness
    )
    try:
        tracker.run(program.steps)
    except Raised as raised:
        return bases, tracker, raised.error
    return bases, tracker, None


def compile_program(program: Program, name: str, np_module: Any) -> Callable[..., Any]:
    """The program as a function whose global ``np`` is the given module; ``inspect`` finds its source."""
    source = program.source()
    namespace: dict[str, Any] = {"np": np_module, "__name__": "random_program"}
    exec(compile(source, name, "exec"), namespace)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    function: Callable[..., Any] = namespace["program"]
    return function


class Implementation:
    """Something that runs programs: by default NumPy itself.

    ``strict_scalars``: results tell NumPy scalars from 0-d arrays. ``atomic``: a call that raises has changed none
    of its arguments, or, where plain Python runs it, what NumPy changed. ``in_parts``: parts of a call are, each for
    itself, and what one that raises leaves is not compared. ``unfit``: programs whose text matches are
    not for this way in.
    """

    strict_scalars = True
    atomic = False
    in_parts = False
    unfit: re.Pattern[str] | None = None

    def fits(self, program: Program) -> bool:
        """Whether the program uses nothing that this way in cannot have."""
        return self.unfit is None or self.unfit.search(program.source()) is None

    def compile(self, program: Program, name: str) -> Callable[..., Any]:
        """Make the program callable."""
        return compile_program(program, name, np)

    def array(self, array: Array) -> Any:
        """Make an argument's base array."""
        return array

    def read(self, value: Any) -> Any:
        """The NumPy value, or Python number, of a result."""
        return value


_names = itertools.count()


def differ(program: Program, implementation: Implementation, zero_signs: bool = True) -> Difference | None:
    """Run a program with an implementation and with NumPy; tell the first difference.

    The function is called with the program's two sets of arguments in turn, and a third time with the first again,
    so that values kept from an earlier call are noticed.

    Raises
    ------
    Unstable, Spoiled
        With the first arguments rounding decides what the program does: there is nothing to compare.
    """
    name = f"<random program {next(_names)}>"
    with quiet():
        expected = reference(program, program.inputs)
        calls = [(program.inputs, expected)]
        try:
            calls.append((program.other_inputs, reference(program, program.other_inputs)))
        except (Unstable, Spoiled):
            pass  # with these values rounding decides: only the first arguments can be compared
        try:
            function = implementation.compile(program, name)
            for number, (inputs, wanted) in enumerate(calls, 1):
                message = compare_call(function, implementation, inputs, wanted, zero_signs)
                if message is not None:
                    return Difference(message, inputs, number)
        finally:
            linecache.cache.pop(name, None)
    return None


def compare_call(
    function: Callable[..., Any], implementation: Implementation, inputs: Inputs, wanted: Reference, zero_signs: bool
) -> str | None:
    """Call a function; describe how results, arguments or exception differ from NumPy's, or return None."""
    bases, arguments = inputs.build(implementation.array)
    results: list[Any] = []
    changed: dict[str, Any] = {}
    error: BaseException | None = None
    try:
        results = [implementation.read(value) for value in function(*arguments)]
    except Exception as caught:  # noqa: BLE001 - compared with NumPy's
        error = caught
    try:
        changed = {name: implementation.read(base) for name, base in bases.items()}
    except Exception as caught:  # noqa: BLE001 - as if the function had raised it: a lazy write may fail this late
        error = error or caught
    if wanted.error is not None:
        message = compare_exceptions(wanted.error, error)
        if message is not None:
            return message
    elif error is not None:
        raise_at = error.__traceback__
        while raise_at is not None and raise_at.tb_next is not None:
            raise_at = raise_at.tb_next
        where = f"{raise_at.tb_frame.f_code.co_filename}:{raise_at.tb_lineno}" if raise_at is not None else "?"
        return f"NumPy raises nothing, got {type(error).__name__}: {error} (at {where})"
    allowed = [wanted.bases]
    if wanted.error is not None:
        untouched, _ = inputs.build()
        before_call = tuple(Expected(name, base) for name, base in untouched.items())
        allowed = [before_call, wanted.bases] if implementation.atomic else [wanted.bases, wanted.bases_before]
    for expected, result in zip(wanted.results, results, strict=wanted.error is None):
        message = compare(expected, result, scalars=implementation.strict_scalars, zero_signs=zero_signs)
        if message is not None:
            return message
    message = None
    if wanted.error is not None and implementation.in_parts:
        return None
    for state in allowed if changed else ():
        messages = (compare(expected, changed[expected.name], zero_signs=zero_signs) for expected in state)
        message = next((message for message in messages if message is not None), None)
        if message is None:
            return None
    return None if message is None else f"argument's base {message}"


def minimise(program: Program, fails: Callable[[Program], bool]) -> Program:
    """Drop statements and results as long as the program still fails."""
    improved = True
    while improved:
        improved = False
        for candidate in _smaller(program):
            if _still_fails(candidate, fails):
                program, improved = candidate, True
                break
    return program


def _smaller(program: Program) -> Iterator[Program]:
    steps = program.steps
    for index in reversed(range(len(steps))):
        gone = set(steps[index].targets)
        kept = list(steps[:index])
        for step in steps[index + 1 :]:
            if step.names & gone:
                gone |= set(step.targets)
            else:
                kept.append(step)
        bound = {name for step in kept for name in step.targets} | set(program.inputs.parameters)
        returns = tuple(name for name in program.returns if name in bound)
        if kept:
            yield replace(program, steps=tuple(kept), returns=returns or program.inputs.parameters[:1])
    for index, step in enumerate(steps):
        if isinstance(step, Branch | Loop):
            bodies = [step.body, step.otherwise] if isinstance(step, Branch) else [step.body[:1], step.body[1:]]
            for body in bodies:
                if isinstance(step, Loop) and body:
                    if body != step.body:
                        yield replace(program, steps=(*steps[:index], replace(step, body=body), *steps[index + 1 :]))
                elif body:
                    yield replace(program, steps=(*steps[:index], *body, *steps[index + 1 :]))
    if len(program.returns) > 1:
        for name in program.returns:
            yield replace(program, returns=(name,))
    used = {*program.returns}.union(*(step.names for step in steps))
    spare = [name for name in program.inputs.parameters if name not in used]
    for name in spare:
        if len(program.inputs.parameters) > 1:
            yield replace(program, inputs=program.inputs.without(name), other_inputs=program.other_inputs.without(name))
    if program.other_inputs != program.inputs:
        yield replace(program, other_inputs=program.inputs)
        yield replace(program, inputs=program.other_inputs)


def _still_fails(program: Program, fails: Callable[[Program], bool]) -> bool:
    try:
        return fails(program)
    except (Unstable, Spoiled):
        return False
