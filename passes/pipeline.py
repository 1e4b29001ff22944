"""The order of the passes, and what runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lazyarr.ir.graph import Program
from lazyarr.passes.base import PASSES, Pass, parse_pass, split_top_level
from lazyarr.passes.canonicalize import Canonicalize
from lazyarr.passes.counters import Counters
from lazyarr.passes.fuse import Fuse
from lazyarr.passes.hoist import Hoist
from lazyarr.passes.independent import Independent
from lazyarr.passes.lanes import Lanes
from lazyarr.passes.mask import Mask
from lazyarr.passes.place import Place
from lazyarr.passes.products import Products
from lazyarr.passes.prune import Prune
from lazyarr.passes.reorder import Reorder
from lazyarr.passes.reuse_buffers import ReuseBuffers
from lazyarr.passes.simplify import Simplify

__all__ = ["DEFAULT", "PASSES", "Observe", "Pass", "parse_pipeline", "pipeline", "run_pipeline", "show_pipeline"]

#: What every program goes through where XLA comes first. `canonicalize` and `simplify` run again where `hoist` has
#: moved work to new places; `reorder` runs before `fuse` too, because a program is captured results first: of a loop
#: with two states, all of one and then all of the other, between which every step of the first would be
#: alive, and cross.
DEFAULT: tuple[Pass, ...] = (
    Counters(),
    Canonicalize(),
    Simplify(),
    Prune(),
    Mask(),
    Hoist(),
    Canonicalize(),
    Simplify(),
    Independent(),
    Lanes(),
    Products(),
    Place(large=150),
    Reorder(),
    Fuse(),
    Reorder(),
    ReuseBuffers(),
)
#: Operations of the longest program that native code has: its time to compile grows with their number, XLA's faster.
_LONGEST = 100_000


def pipeline(compiler: str) -> tuple[Pass, ...]:
    """What every program goes through where `compiler` comes first, ``"native"`` or ``"xla"``."""
    if compiler == "xla":
        return DEFAULT
    return tuple(replace(step, native=_LONGEST) if isinstance(step, Place) else step for step in DEFAULT)


#: Told of each pass: the pass, the program before it, the program after it.
Observe = Callable[[Pass, Program, Program], None]


def parse_pipeline(text: str) -> tuple[Pass, ...]:
    """The passes named in `text`, separated by commas: ``canonicalize,fuse{limit=500}``.

    Raises
    ------
    ValueError
        If one is not a pass, or has no such option.
    """
    return tuple(parse_pass(part) for part in split_top_level(text)) if text.strip() else ()


def show_pipeline(passes: Sequence[Pass]) -> str:
    """The text that `parse_pipeline` reads."""
    return ",".join(map(str, passes))


def run_pipeline(
    program: Program,
    passes: Sequence[Pass] = DEFAULT,
    observe: Observe | None = None,
    verify: bool = False,
) -> Program:
    """Run `passes` over `program`, one after another.

    Parameters
    ----------
    program : Program
    passes : sequence of Pass
    observe : callable, optional
        ``observe(pass, before, after)``, called after each pass.
    verify : bool
        Check the rules of the IR after each pass; costs about as much as the pass.

    Raises
    ------
    VerificationError
        If a pass broke a rule (only with `verify`); a note names the pass.
    """
    for step in passes:
        before, program = program, step.run(program)
        if verify:
            from lazyarr.ir.verify import VerificationError
            from lazyarr.ir.verify import verify as check

            try:
                check(program.graph)
            except VerificationError as error:
                error.add_note(f"after the pass {step}")
                raise
        if observe is not None:
            observe(step, before, program)
    return program
