"""Random NumPy programs, and the comparison of another implementation with NumPy on them.

A program is a list of statements in plain NumPy. The generator runs each statement with NumPy as it draws it, so every
program is valid (or raises in its last statement, on purpose), and a failure prints as a script that can be run.

``python -m tests.random_programs --examples 20000 --mode accelerate --seed 1`` compares many programs, prints those
that differ, reduced to the statements that matter, and ends with a line of counts.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from tests.random_execution import Raised, Spoiled, Statement, Step, Tracker, Unstable, kind_of, quiet
from tests.random_inputs import Inputs, random_inputs
from tests.random_library import LIBRARY
from tests.random_scope import Scope, Unfit
from tests.random_statements import COMPUTE
from tests.random_writes import CONTROL, FAULTY, WRITE

LARGEST = 600  # elements of one value

_TEMPLATES = [
    template for table in (COMPUTE, LIBRARY, WRITE, CONTROL) for template, n in table.items() for _ in range(n)
]
_FAULTY = [template for template, n in FAULTY.items() for _ in range(n)]


@dataclass(frozen=True)
class Program:
    """A random program with two sets of arguments, alike in all but their values."""

    inputs: Inputs
    other_inputs: Inputs
    steps: tuple[Step, ...]
    returns: tuple[str, ...]

    def source(self) -> str:
        """The program as a function of its arguments; ``np`` is a global name."""
        lines = [f"def program({', '.join(self.inputs.parameters)}):"]
        lines += [f"    {line}" for step in self.steps for line in step.lines()]
        lines.append(f"    return ({''.join(f'{name}, ' for name in self.returns)})")
        return "\n".join(lines) + "\n"

    def script(self, mode: str = "numpy", inputs: Inputs | None = None) -> str:
        """A script that shows the program's results under ``mode``."""
        lines = ["import numpy as np", "from numpy import inf, nan", ""]
        if mode == "lazy":
            lines[0] = "import lazyarr.numpy as np"
        if mode in ("accelerate", "xla"):
            lines[1:1] = ["import lazyarr"]
        if mode == "xla":
            lines.append('lazyarr.configure(compiler="xla")')
        if mode in ("accelerate", "xla"):
            lines.append("@lazyarr.accelerate")
        lines += [self.source(), *(inputs or self.inputs).lines()]
        lines.append(f"print(program({', '.join(self.inputs.parameters)}))")
        lines.append(f"print({', '.join(base.name for base in self.inputs.bases)})")
        return "\n".join(lines)


def random_program(rng: Random, statements: tuple[int, int] = (3, 10)) -> Program:
    """Draw a program of so many statements.

    Parameters
    ----------
    rng
        The source of all choices; equal states give equal programs.
    statements
        The least and the largest number of statements.
    """
    with quiet():
        while True:
            program = _attempt(rng, rng.randint(*statements))
            if program is not None:
                return program


def _attempt(rng: Random, wanted: int) -> Program | None:
    inputs = random_inputs(rng)
    bases, arguments = inputs.build()
    tracker = Tracker({**bases, **dict(zip(inputs.parameters, arguments, strict=True))})
    scope = Scope(rng, tracker)
    steps: list[Step] = []
    raising: Statement | None = None
    failing = rng.random() < 0.06
    for _ in range(12 * wanted):
        if len(steps) >= wanted:
            break
        last = failing and len(steps) == wanted - 1
        try:
            template = rng.choice(_FAULTY if last else _TEMPLATES)
            step = replace(template(scope), label=template.__name__)
        except Unfit:
            continue
        try:
            tracker.step(step)
        except Unstable:
            continue
        except Spoiled:
            return None
        except Raised:
            if isinstance(step, Statement) and (last or rng.random() < 0.02):
                raising = step
                break
            if not isinstance(step, Statement):
                return None
            continue
        if last or _too_large(tracker, step):
            return None
        steps.append(step)
        scope.used |= step.names - set(step.targets)
    if len(steps) < min(wanted, 2):
        return None
    returns = _returned(rng, tracker)
    if raising is not None:
        steps.append(raising)
        # Returned, so that a lazy implementation has to compute what raises.
        returns = tuple(dict.fromkeys((*returns, *raising.targets, *raising.mutates)))
    return Program(inputs, inputs.with_other_values(rng), tuple(steps), returns)


def _too_large(tracker: Tracker, step: Step) -> bool:
    values = [tracker.env[name] for name in step.targets if name in tracker.env]
    return any(np.size(value) > LARGEST or np.ndim(value) > 6 or kind_of(value) == "O" for value in values)


def _returned(rng: Random, tracker: Tracker) -> tuple[str, ...]:
    """The last variable and a few others, so that the rest is dead code or intermediate."""
    names = [name for name in tracker.variables() if name.startswith("v")] or list(tracker.variables())
    others = rng.sample(names, min(len(names), rng.randint(0, 3)))
    return tuple(dict.fromkeys([*others, names[-1]]))


def seeded_program(seed: int, index: int) -> Program:
    """The program number ``index`` of the series ``seed``."""
    return random_program(Random(f"{seed}:{index}"))


def statistics(programs: Iterable[Program]) -> Counter[str]:
    """How often each template, kind of statement, dtype, rank and ending occurs in some programs."""
    counts: Counter[str] = Counter()
    for program in programs:
        counts["programs"] += 1
        bases, arguments = program.inputs.build()
        tracker = Tracker({**bases, **dict(zip(program.inputs.parameters, arguments, strict=True))})
        for step in program.steps:
            counts["statements"] += 1
            counts[f"template {step.label}"] += 1
            try:
                with quiet():
                    tracker.step(step)
            except (Unstable, Spoiled):
                counts["unstable"] += 1
                break
            except Raised as raised:
                counts[f"raises {type(raised.error).__name__}"] += 1
                break
        for name, value in tracker.variables().items():
            counts[f"level {tracker.level(name).name}"] += 1
            counts[f"dtype {getattr(value, 'dtype', type(value).__name__)}"] += 1
            counts[f"rank {np.ndim(value)}"] += 1
    return counts


if __name__ == "__main__":
    from tests.random_runner import main

    sys.exit(main())
