"""The command line: ``inspect`` a function, ``run`` a script on several ranks, ``doctor``, ``cache``."""

from __future__ import annotations

import ast
import difflib
import importlib.util
import inspect as python_inspect
import math
import os
import re
import sys
import traceback
import types
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import click
import numpy as np

from lazyarr._version import __version__
from lazyarr.ir.graph import Program
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ir.types import parse as parse_type

#: Exit code for what was typed wrong; click's own.
_USAGE = 2


class _Mistake(click.ClickException):
    """Something in the command is wrong: exit code 2."""

    exit_code = _USAGE


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
@click.option("--ranks", type=click.IntRange(min=2), help="Show, besides, what so many ranks would send (without MPI).")
@click.option("--grid", metavar="N,M,...", help="How these ranks stand along the axes in which arrays are split.")
@click.option("--budget", metavar="LIMITS", help="With --ranks: 'messages<=40,bytes<=64KiB,memory<=1GiB', for a rank "
              "and call; the exit code is 1 where one is exceeded.")  # fmt: skip
def inspect(
    target: str, given: tuple[str, ...], passes: bool, seed: int, ranks: int | None, grid: str | None,
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

    found = load(target)
    accelerated = found if isinstance(found, Accelerated) else Accelerated(found)
    args, kwargs = arguments(accelerated.function, target.rpartition(":")[2], given, seed)
    try:
        explanation = explain(accelerated, args, kwargs)
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
    if ranks is not None:
        shape = (ranks,) if grid is None else _grid(grid, ranks)
        if not show_communication([piece.before for piece in explanation.pieces], shape, budget):
            raise SystemExit(1)
    elif grid is not None or budget is not None:
        raise _Mistake("--grid and --budget need --ranks")


def show_communication(programs: Sequence[Program], grid: tuple[int, ...], budget: str | None) -> bool:
    """Print what ranks would send; whether that keeps to a budget."""
    from lazyarr import communication, settings

    kept = True
    for program in programs:
        found = communication.plan(program, grid, settings.current.split_above)
        click.echo()
        click.echo("\n".join(communication.report(found)))
        try:
            exceeded = communication.over_budget(found, budget) if budget else []
        except ValueError as error:
            raise _Mistake(f"--budget: {error}") from None
        for line in exceeded:
            click.echo(f"over budget: {line}")
        kept = kept and not exceeded
    return kept


def load(target: str) -> Callable[..., Any]:
    """The function a command names as ``FILE.py:FUNCTION``.

    Raises
    ------
    click.ClickException
        Saying what was expected and what came.
    """
    path, colon, name = target.rpartition(":")
    if not colon or not path or not name:
        raise _Mistake(f"expected FILE.py:FUNCTION, got {target!r}")
    if not os.path.isfile(path):
        raise _Mistake(f"there is no file {path!r}")
    if not path.endswith(".py"):
        raise _Mistake(f"expected a Python file (.py), got {path!r}")
    found: Any = run_file(path)
    for part in name.split("."):
        if not hasattr(found, part):
            known = functions_of(found)
            near = difflib.get_close_matches(part, known, 1)
            meant = f"; did you mean {name.removesuffix(part) + near[0]!r}?" if near else ""
            raise _Mistake(f"{path} has no {name!r}; it has {', '.join(known) or 'no functions'}{meant}")
        owner, found = found, getattr(found, part)
        _refuse_method(owner, part, name)
    if not callable(found):
        raise _Mistake(f"{name!r} of {path} is a {type(found).__name__}; expected a function")
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
        raise _Mistake(f"{name!r} is a method, which needs its object; explain it in Python with {how}")


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


# --------------------------------------------------------------------------------------------------- arguments


def arguments(
    function: Callable[..., Any], name: str, given: Sequence[str], seed: int
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments for a function, from ``NAME=VALUE`` texts.

    Raises
    ------
    click.ClickException
        For a name the function does not have, one that is missing or given twice, and a value that is no type
        and no literal.
    """
    values: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not key.isidentifier():
            raise _Mistake(f"expected --arg NAME=VALUE, got {text!r}")
        if key in values:
            raise _Mistake(f"--arg {key} is given twice")
        # Data depends on the seed and the name alone, not on what else is given.
        values[key] = argument(key, value.strip(), np.random.default_rng([seed, *key.encode()]))
    try:
        parameters = python_inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise _Mistake(f"{name} does not say what parameters it has") from None
    kinds = python_inspect.Parameter
    named = [p for p in parameters.values() if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)]
    takes_any = any(p.kind is kinds.VAR_KEYWORD for p in parameters.values())
    known = ", ".join(map(_shown_parameter, named)) or "no parameters"
    for key in values:
        if not takes_any and key not in {p.name for p in named}:
            raise _Mistake(f"{name} has no parameter {key!r}; it has {known}")
    missing = [p.name for p in named if p.default is kinds.empty and p.name not in values]
    if missing:
        wanted = " ".join(f"--arg {key}=..." for key in missing)
        raise _Mistake(f"{name} needs {', '.join(missing)}; add {wanted}  ({name} has {known})")
    positional: list[Any] = []
    for p in named:
        if p.kind is kinds.POSITIONAL_ONLY:
            positional.append(values.pop(p.name, p.default))
    return tuple(positional), values


def _shown_parameter(parameter: python_inspect.Parameter) -> str:
    default = parameter.default
    return parameter.name if default is python_inspect.Parameter.empty else f"{parameter.name}={default!r}"


def argument(name: str, text: str, rng: np.random.Generator) -> Any:
    """The value of one argument.

    Parameters
    ----------
    name : str
    text : str
        A type as graphs print it, or a Python literal.
    rng : numpy.random.Generator

    Raises
    ------
    click.ClickException
        If it is neither.
    """
    text, wrong = _type_text(text)
    try:
        type = parse_type(text)
    except ValueError as error:
        not_a_type = wrong or f"{error}, or a Python literal such as 3, 0.1, True"
    else:
        if not all(isinstance(extent, int) and extent >= 0 for extent in type.shape):
            raise _Mistake(f"--arg {name}: {text} has an extent that is not a whole number from 0 on")
        try:
            return random_value(type, rng)
        except MemoryError:
            raise _Mistake(f"--arg {name}: {text} does not fit into memory") from None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        hint = f"; a string needs quotes: \"{name}='{text}'\"" if text.isidentifier() else ""
        raise _Mistake(f"--arg {name}: {not_a_type}{hint}") from None


#: ``float64`` -> ``f64``: NumPy's names of the types.
_NUMPY_NAMES = {dtype.name: short for short, dtype in DTYPES.items()}
_LIKE_A_TYPE = re.compile(r"([A-Za-z]+\d*)\s*([\[(])(.*)[\])]")


def _type_text(text: str) -> tuple[str, str]:
    """A text with NumPy's name of a dtype replaced by lazyarr's, and what is wrong with it if it is meant as a type."""
    match = _LIKE_A_TYPE.fullmatch(text)
    if match is None:
        return text, ""
    dtype, bracket, inner = _NUMPY_NAMES.get(match[1], match[1]), match[2], match[3].strip()
    if dtype not in DTYPES:
        near = difflib.get_close_matches(dtype, [*DTYPES, *_NUMPY_NAMES], 1)
        return text, (f"{text!r} is not a type; expected DTYPE[EXTENT,...] with DTYPE one of {', '.join(DTYPES)}"
                      f"{f'; did you mean {near[0]}[{inner}]?' if near else ''}")  # fmt: skip
    extents = [part for part in re.split(r"[\s,;*]+|(?<=\d)x(?=\d)", inner) if part]
    if re.fullmatch(r"\d*(\s*,\s*\d+)*", inner) and bracket == "[":
        return f"{dtype}[{inner}]", ""
    if all(part.isdecimal() for part in extents):
        return text, f"{text!r} is not a type; did you mean {dtype}[{','.join(extents)}]?"
    return f"{dtype}[{inner}]" if bracket == "[" else text, (
        f"{text!r} has an extent that is not a whole number; expected whole numbers, as in {dtype}[512,512]"
    )


def random_value(type: ArrayType, rng: np.random.Generator) -> Any:
    """Random data of a type: floats in [0, 1), integers from 0 to 9, Python ints from 1 to 9."""
    if type.weak:
        if type.python is int:
            return int(rng.integers(1, 10))
        return type.python(rng.random()) if type.python is float else complex(rng.random(), rng.random())
    if type.dtype.kind in "iu":
        return np.asarray(rng.integers(0, 10, type.shape)).astype(type.dtype)
    if type.dtype.kind == "b":
        return np.asarray(rng.random(type.shape) < 0.5)
    if type.dtype.kind == "c":
        return np.asarray(rng.random(type.shape) + 1j * rng.random(type.shape)).astype(type.dtype)
    return np.asarray(rng.random(type.shape)).astype(type.dtype)


def shown_arguments(args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """``f64[512,512], n=3``."""
    from lazyarr.ir.types import of

    def shown(value: Any) -> str:
        return str(of(value)) if isinstance(value, np.ndarray) else repr(value)

    return ", ".join([*map(shown, args), *(f"{key}={shown(value)}" for key, value in kwargs.items())])


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
        raise _Mistake(f"there is no file {script!r}")
    shape = None if grid is None else _grid(grid, ranks)
    try:
        code = launch.launch(ranks, shape, mpiexec, script, arguments, reproducible)
    except launch.NoMpi as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(code)


def _grid(text: str, ranks: int) -> tuple[int, ...]:
    try:
        found = tuple(int(n) for n in text.split(","))
    except ValueError:
        raise _Mistake(f"--grid is {text!r}; expected whole numbers with commas between them, as 2,2") from None
    if any(n < 1 for n in found) or math.prod(found) != ranks:
        raise _Mistake(f"--grid {text} has {math.prod(found)} places; there are {ranks} ranks")
    return found


if __name__ == "__main__":
    main()
