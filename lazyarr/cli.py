"""The command line: ``inspect`` a function, ``run`` a script on several ranks, ``calibrate``, ``doctor``, ``cache``."""

from __future__ import annotations

import difflib
import importlib.util
import inspect as python_inspect
import math
import os
import sys
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import click
import numpy as np

from lazyarr._version import __version__
from lazyarr.cost_model import CostModel
from lazyarr.ir.graph import Program
from lazyarr.ir.types import ArrayType
from lazyarr.typed import (
    Mistake,
    arguments,
    data_for_plans,
    is_blank,
    named_extents,
    random_value,
    shown_arguments,
    with_extents,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lazyarr")
def main() -> None:
    """A compiler for ordinary NumPy programs."""


# ----------------------------------------------------------------------------------------------------- inspect


@main.command()
@click.argument("target", metavar="FILE.py:FUNCTION")
@click.option("--arg", "-a", "given", multiple=True, metavar="NAME=VALUE",
              help="An argument by its name: a type (f64[512,512], int, float) for random data of it, or a Python "
              "literal (3, 0.1, True, \"'edge'\", \"(2, 3)\").")  # fmt: skip
@click.option("--passes", is_flag=True, help="Show the graph as recorded and after each pass.")
@click.option("--seed", default=0, show_default=True, help="Of the random data.")
@click.option("--ranks", metavar="N|p", help="Show, besides, what so many ranks would send, and how long they would "
              "take (without MPI). p, with names for extents (--arg 'u=f64[n,n]'): that, as formulas.")  # fmt: skip
@click.option("--grid", metavar="N,M,...", help="How these ranks stand along the axes in which arrays are split; of "
              "p, 'p' or 'sqrt(p),sqrt(p)'.")  # fmt: skip
@click.option("--budget", metavar="LIMITS", help="With --ranks: 'messages<=40,bytes<=64KiB,memory<=1GiB,time<=2ms', "
              "for a rank and call; the exit code is 1 where one is exceeded.")  # fmt: skip
def inspect(
    target: str, given: tuple[str, ...], passes: bool, seed: int, ranks: str | None, grid: str | None,
    budget: str | None,
) -> None:  # fmt: skip
    """Show the compiled graph of a function: its regions, what it costs, and why it is not one program if it is not.

    \b
    lazyarr inspect heat.py:step --arg 'u=f64[512,512]' --arg dt=0.1

    FILE.py is imported, which runs what stands at its top level (with sys.argv as [FILE.py]): what a script does
    belongs under  if __name__ == '__main__'.
    """  # noqa: D301  click's mark of a paragraph that keeps its line breaks
    from lazyarr.tracing.accelerated import Accelerated
    from lazyarr.tracing.explain import explain

    count = None if ranks is None or ranks == "p" else _count(ranks)
    if ranks == "p" and (passes or budget is not None):
        raise Mistake("--passes and --budget need numbers: with --ranks p there is no single program")
    found = load(target)
    accelerated = found if isinstance(found, Accelerated) else Accelerated(found)
    if ranks == "p":
        show_forms(accelerated.function, target, given, seed, grid)
        return
    data = random_value if count is None else data_for_plans
    args, kwargs = arguments(accelerated.function, target.rpartition(":")[2], given, seed, data)
    try:
        # (What would look at data is refused where there is none.)
        explanation = explain(accelerated, args, kwargs, strict=any(is_blank(x) for x in (*args, *kwargs.values())))
    except Exception as error:  # noqa: BLE001  the user's function may raise anything
        shown = shown_arguments(args, kwargs) or "none"
        raise click.ClickException(f"{explain_raised(error)}\nThe arguments were: {shown}") from error
    click.echo(f"# {target} for {shown_arguments(args, kwargs) or 'no arguments'}")
    for number, piece in enumerate(explanation.pieces, 1):
        which = f", piece {number} of {len(explanation.pieces)}, run {piece.times}x" if explanation.reasons else ""
        if passes:
            show_passes(piece.before, which)
        else:
            show_program("optimized", piece.after, which)
    click.echo()
    click.echo(str(explanation))
    if count is not None:
        shape = (count,) if grid is None else _grid(grid, count)
        if not show_communication([piece.before for piece in explanation.pieces], shape, budget):
            raise SystemExit(1)
    elif grid is not None or budget is not None:
        raise Mistake("--grid and --budget need --ranks")


def show_communication(programs: Sequence[Program], grid: tuple[int, ...], budget: str | None) -> bool:
    """Print what ranks would send; whether that keeps to a budget."""
    from lazyarr import communication, settings

    kept = True
    for program in programs:
        found = communication.plan(program, grid, settings.current.split_above, model=_costs())
        click.echo()
        click.echo("\n".join(communication.report(found)))
        try:
            exceeded = communication.over_budget(found, budget) if budget else []
        except ValueError as error:
            raise Mistake(f"--budget: {error}") from None
        for line in exceeded:
            click.echo(f"over budget: {line}")
        kept = kept and not exceeded
    return kept


def _costs() -> CostModel:
    """What plans are predicted with."""
    from lazyarr import cost_model, settings

    return cost_model.kept(native=bool(settings.current.native_messages))


def show_forms(
    function: Callable[..., Any], target: str, given: Sequence[str], seed: int, grid: str | None
) -> None:  # fmt: skip
    """Print plans as formulas in the extents that have names, and the number of ranks."""
    from lazyarr import settings
    from lazyarr.closed_forms import NoClosedForm, blank, closed_forms, report
    from lazyarr.report import StrictError
    from lazyarr.tracing.accelerated import Accelerated
    from lazyarr.tracing.explain import explain

    shapes = [named for named in map(named_extents, given) if named]
    names = list(dict.fromkeys(name for shape in shapes for name in shape if name.isidentifier()))
    if not names:
        raise Mistake("--ranks p needs extents with names, as in --arg 'u=f64[n,n]'")
    if "p" in names:
        raise Mistake("p is the number of ranks: the extent needs another name")
    axes = max(map(len, shapes))
    if grid is not None and grid.replace(" ", "") not in _SIDES:
        raise Mistake(f"--grid is {grid!r}; with --ranks p, expected one of {', '.join(_SIDES)}")
    name = target.rpartition(":")[2]
    arguments(function, name, [with_extents(text, dict.fromkeys(names, 1)) for text in given], seed)

    def without_data(type: ArrayType, rng: np.random.Generator) -> Any:
        return blank(type) if type.shape else random_value(type, rng)

    def make(extents: Mapping[str, int]) -> Program:
        texts = [with_extents(text, extents) for text in given]
        args, kwargs = arguments(function, name, texts, seed, without_data)
        try:
            found = explain(Accelerated(function), args, kwargs, strict=True)
        except StrictError as error:
            raise NoClosedForm(str(error)) from None
        if len(found.pieces) != 1:
            why = "; ".join(f"{reason.where}: {reason.why}" for reason in found.reasons) or "it computes no arrays"
            raise NoClosedForm(f"{name} does not run as one compiled program: {why}")
        return found.pieces[0].before

    click.echo(f"# {target} for {', '.join(given)}")
    for sides in (1, 2) if grid is None else (_SIDES[grid.replace(" ", "")],):
        if sides > axes:
            continue
        click.echo()
        try:
            forms = closed_forms(make, names, sides, settings.current.split_above, _costs(), axes)
        except NoClosedForm as reason:
            click.echo(f"no closed form on p ranks in {sides} dimension{'s' * (sides > 1)}: {reason}")
            continue
        except Exception as error:  # noqa: BLE001  the user's function may raise anything
            raise click.ClickException(explain_raised(error)) from error
        click.echo("\n".join(report(forms)))


#: Grids of p ranks, and how many dimensions they have.
_SIDES = {"p": 1, "sqrt(p),sqrt(p)": 2, "cbrt(p),cbrt(p),cbrt(p)": 3}


def load(target: str) -> Callable[..., Any]:
    """The function a command names as ``FILE.py:FUNCTION``.

    Raises
    ------
    click.ClickException
        Saying what was expected and what came.
    """
    path, colon, name = target.rpartition(":")
    if not colon or not path or not name:
        raise Mistake(f"expected FILE.py:FUNCTION, got {target!r}")
    if not os.path.isfile(path):
        raise Mistake(f"there is no file {path!r}")
    if not path.endswith(".py"):
        raise Mistake(f"expected a Python file (.py), got {path!r}")
    found: Any = run_file(path)
    for part in name.split("."):
        if not hasattr(found, part):
            known = functions_of(found)
            near = difflib.get_close_matches(part, known, 1)
            meant = f"; did you mean {name.removesuffix(part) + near[0]!r}?" if near else ""
            raise Mistake(f"{path} has no {name!r}; it has {', '.join(known) or 'no functions'}{meant}")
        owner, found = found, getattr(found, part)
        _refuse_method(owner, part, name)
    if not callable(found):
        raise Mistake(f"{name!r} of {path} is a {type(found).__name__}; expected a function")
    return found  # type: ignore[no-any-return]


def _refuse_method(owner: Any, part: str, name: str) -> None:
    """Refuse a method: no text on a command line stands for its object."""
    from lazyarr.tracing.accelerated import Accelerated

    member = python_inspect.getattr_static(owner, part)
    if isinstance(owner, type) and isinstance(member, (types.FunctionType, Accelerated)):
        if isinstance(member, Accelerated):
            how = f"obj.{part}.explain(...)"
        else:
            how = f"lazyarr.accelerate({name}).explain(obj, ...), or obj.{part}.explain(...) once it is accelerated"
        raise Mistake(f"{name!r} is a method, which needs its object; explain it in Python with {how}")


def functions_of(namespace: Any) -> list[str]:
    """Names of what a module or class defines that can be called."""
    own = getattr(namespace, "__name__", None)
    return [
        name
        for name, value in vars(namespace).items()
        if callable(value) and not name.startswith("_") and (
            getattr(value, "__module__", own) == own or not isinstance(namespace, ModuleType)
        )
    ]  # fmt: skip


def run_file(path: str) -> ModuleType:
    """A Python file as a module, which finds its neighbours as it does when it is run as a script.

    Raises
    ------
    click.ClickException
        If it raises, with its traceback.
    """
    stem = os.path.splitext(os.path.basename(path))[0]
    name = f"inspected_{stem}" if stem in sys.modules or stem in sys.stdlib_module_names else stem
    spec = importlib.util.spec_from_file_location(name, os.path.abspath(path))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    typed, sys.argv = sys.argv, [path]
    try:
        spec.loader.exec_module(module)
    except SystemExit as end:
        raise click.ClickException(
            f"importing {path} ended the program (exit code {end.code!r}); what a script does belongs under "
            "if __name__ == '__main__':"
        ) from end
    except Exception as error:  # noqa: BLE001  the user's file may raise anything
        raise click.ClickException(f"cannot import {path}\n{explain_raised(error)}") from error
    finally:
        sys.argv = typed
        sys.path.pop(0)
    return module


def explain_raised(error: Exception) -> str:
    """The traceback of the user's code, without the frames of the importer, of click and of lazyarr."""
    from lazyarr.source import is_internal

    frames = [
        summary
        for (frame, _), summary in zip(
            traceback.walk_tb(error.__traceback__), traceback.extract_tb(error.__traceback__), strict=True
        )
        if not is_internal(frame.f_code)
        and not summary.filename.startswith(os.path.dirname(os.path.abspath(click.__file__)))
        and not summary.filename.endswith("bin/lazyarr")
    ]
    text = "".join(traceback.format_list(frames)) + "".join(traceback.format_exception_only(error))
    return text.rstrip()


# ------------------------------------------------------------------------------------------------------ output


def show_program(title: str, program: Any, which: str = "") -> None:
    """Print a program as text, its source lines as comments."""
    from lazyarr.ir.text import show

    click.echo(f"\n## {title}{which}")
    click.echo(show(program.graph, program.origins))


def show_passes(program: Any, which: str) -> None:
    """Print a program as recorded and after each pass that changed it."""
    from lazyarr.compilers import first_compiler
    from lazyarr.passes.pipeline import pipeline, run_pipeline

    show_program("recorded", program, which)

    def observe(step: Any, before: Any, after: Any) -> None:
        if after.graph is before.graph:
            click.echo(f"\n## {step}{which}: nothing to do")
        else:
            show_program(f"after {step}", after, which)

    run_pipeline(program, pipeline(first_compiler()), observe)


# ------------------------------------------------------------------------------------------------------ doctor


@main.command()
def doctor() -> None:
    """Say what is installed and what this machine has, and how to mend what is missing.

    The exit code is 0 if the compiler works: a small program is compiled, run and compared with NumPy.
    """
    from rich.console import Console
    from rich.text import Text

    from lazyarr.doctor import examine

    console = Console(soft_wrap=True, highlight=False)
    marks = {"ok": ("ok      ", "green"), "missing": ("missing ", "yellow"), "wrong": ("WRONG   ", "red"),
             "broken": ("BROKEN  ", "bold red")}  # fmt: skip
    works = True
    for finding in examine():
        mark, style = marks[finding.state]
        console.print(Text.assemble((mark, style), (f"{finding.topic:<18}", "bold"), finding.value))
        if finding.mend:
            console.print(Text(f"        mend with: {finding.mend}"))
        works = works and finding.state != "broken"
    if not works:
        raise SystemExit(1)


# --------------------------------------------------------------------------------------------------- calibrate


@main.command()
@click.option("--ranks", "-n", type=click.IntRange(min=1), default=2, show_default=True, help="How many processes "
              "measure; 1: memory and arithmetic alone, without MPI.")  # fmt: skip
@click.option("--mpiexec", metavar="PROGRAM", help="What starts MPI's processes, as for run.")
def calibrate(ranks: int, mpiexec: str | None) -> None:
    """Measure what messages, memory and arithmetic cost on this host, and keep it for later programs.

    Plans (inspect --ranks) are predicted with it, and how many iterations share an exchange is decided by it. It is
    kept in the folder that `lazyarr cache` names, for each host.
    """
    import json
    import subprocess

    from rich.console import Console
    from rich.table import Table

    from lazyarr import cost_model, launch
    from lazyarr.calibration import rows

    try:
        done = launch.started(ranks, mpiexec, ["-m", "lazyarr.calibration", str(ranks)], stdout=subprocess.PIPE)
    except launch.NoMpi as error:
        raise click.ClickException(f"{error} (with -n 1, memory and arithmetic are measured alone)") from error
    if done.returncode:
        raise click.ClickException(f"measuring failed, with exit code {done.returncode}")
    model = cost_model.CostModel(**json.loads(done.stdout))
    table = Table("cost", "value", "from")
    for row in rows(model):
        table.add_row(*row)
    Console().print(table)
    click.echo(f"measured on {model.host} with {model.ranks} rank{'s' * (model.ranks > 1)}, {model.when}")
    if not cost_model.keep(model):
        from lazyarr import disk

        raise click.ClickException(f"this cannot be kept: {disk.problem or 'the setting cache_size is 0'}")


# ------------------------------------------------------------------------------------------------------- cache


@main.command()
@click.option("--clear", is_flag=True, help="Remove everything that is kept.")
def cache(clear: bool) -> None:
    """Show the compiled programs that are kept on disk for later processes, or remove them.

    Programs that run meanwhile are not disturbed. LAZYARR_CACHE_DIR is another folder, LAZYARR_CACHE_SIZE how many
    MiB may be taken (0: nothing is kept).
    """
    from lazyarr import disk, settings

    click.echo(f"folder   {disk.root()}")
    if clear:
        try:
            click.echo(f"removed  {disk.clear()} entries")
        except OSError as error:
            raise click.ClickException(str(error)) from error
        return
    limit = settings.current.cache_size
    click.echo(f"limit    {limit} MiB" if limit else "limit    0: nothing is kept, or looked up")
    entries, hits = disk.entries(), disk.hits()
    click.echo(f"{'kind':<9}{'entries':>8}{'MiB':>9}{'found':>8}")
    kinds = sorted({*hits, *(entry.kind for entry in entries)})
    for kind in kinds:
        sizes = [entry.size for entry in entries if entry.kind == kind]
        click.echo(f"{kind:<9}{len(sizes):>8}{sum(sizes) / 2**20:>9.2f}{hits.get(kind, 0):>8}")
    click.echo(f"{'all':<9}{len(entries):>8}{sum(e.size for e in entries) / 2**20:>9.2f}{sum(hits.values()):>8}")


# --------------------------------------------------------------------------------------------------------- run


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--ranks", "-n", type=click.IntRange(min=1), default=1, show_default=True, help="How many processes.")
@click.option("--grid", metavar="N,M,...", help="How many ranks stand along each axis in which arrays are split; all "
              "along one without it.")  # fmt: skip
@click.option("--mpiexec", metavar="PROGRAM", help="What starts MPI's processes; without it that of the installed "
              "wheel (pip install 'lazyarr[mpi]'), or the first on the path.")  # fmt: skip
@click.option("--reproducible", is_flag=True, help="Give results whose bits do not depend on the number of ranks, "
              "more slowly.")  # fmt: skip
@click.argument("script", metavar="SCRIPT.py")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(
    ranks: int, grid: str | None, mpiexec: str | None, reproducible: bool, script: str, arguments: tuple[str, ...]
) -> None:
    """Run a NumPy script on several ranks, its arrays split over them.

    \b
    lazyarr run -n 4 heat.py --steps 100

    In the script, `import numpy` gives lazyarr.numpy. All ranks run it; what it prints appears once. An exception on
    one ends all.
    """  # noqa: D301  click's mark of a paragraph that keeps its line breaks
    from lazyarr import launch

    if not os.path.isfile(script):
        raise Mistake(f"there is no file {script!r}")
    shape = None if grid is None else _grid(grid, ranks)
    try:
        code = launch.launch(ranks, shape, mpiexec, script, arguments, reproducible)
    except launch.NoMpi as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(code)


def _count(text: str) -> int:
    """A number of ranks."""
    if not text.isdecimal() or int(text) < 2:
        raise Mistake(f"--ranks is {text!r}; expected a whole number from 2 on, or p")
    return int(text)


def _grid(text: str, ranks: int) -> tuple[int, ...]:
    try:
        found = tuple(int(n) for n in text.split(","))
    except ValueError:
        raise Mistake(f"--grid is {text!r}; expected whole numbers with commas between them, as 2,2") from None
    if any(n < 1 for n in found) or math.prod(found) != ranks:
        raise Mistake(f"--grid {text} has {math.prod(found)} places; there are {ranks} ranks")
    return found


if __name__ == "__main__":
    main()
