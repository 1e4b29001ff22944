"""Values that are typed on a command line: ``NAME=VALUE`` with a type, whose data is made up, or a Python literal."""

from __future__ import annotations

import ast
import difflib
import inspect as python_inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
import numpy as np

from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ir.types import parse as parse_type

#: Exit code for what was typed wrong; click's own.
_USAGE = 2
#: What stands for a type.
Data = Callable[[ArrayType, np.random.Generator], Any]


class Mistake(click.ClickException):
    """Something in the command is wrong: exit code 2."""

    exit_code = _USAGE


def arguments(
    function: Callable[..., Any], name: str, given: Sequence[str], seed: int,
    data: Data | None = None,
) -> tuple[tuple[Any, ...], dict[str, Any]]:  # fmt: skip
    """Positional and keyword arguments for a function, from ``NAME=VALUE`` texts.

    `data` makes what stands for a type; `random_value` without it.

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
            raise Mistake(f"expected --arg NAME=VALUE, got {text!r}")
        if key in values:
            raise Mistake(f"--arg {key} is given twice")
        # Data depends on the seed and the name alone, not on what else is given.
        values[key] = argument(key, value.strip(), np.random.default_rng([seed, *key.encode()]), data)
    try:
        parameters = python_inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise Mistake(f"{name} does not say what parameters it has") from None
    kinds = python_inspect.Parameter
    named = [p for p in parameters.values() if p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)]
    takes_any = any(p.kind is kinds.VAR_KEYWORD for p in parameters.values())
    known = ", ".join(map(_shown_parameter, named)) or "no parameters"
    for key in values:
        if not takes_any and key not in {p.name for p in named}:
            raise Mistake(f"{name} has no parameter {key!r}; it has {known}")
    missing = [p.name for p in named if p.default is kinds.empty and p.name not in values]
    if missing:
        wanted = " ".join(f"--arg {key}=..." for key in missing)
        raise Mistake(f"{name} needs {', '.join(missing)}; add {wanted}  ({name} has {known})")
    positional: list[Any] = []
    for p in named:
        if p.kind is kinds.POSITIONAL_ONLY:
            positional.append(values.pop(p.name, p.default))
    return tuple(positional), values


def _shown_parameter(parameter: python_inspect.Parameter) -> str:
    default = parameter.default
    return parameter.name if default is python_inspect.Parameter.empty else f"{parameter.name}={default!r}"


def argument(
    name: str, text: str, rng: np.random.Generator,
    data: Data | None = None,
) -> Any:  # fmt: skip
    """The value of one argument.

    Parameters
    ----------
    name : str
    text : str
        A type as graphs print it, or a Python literal.
    rng : numpy.random.Generator
    data : callable, optional
        As for `arguments`.

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
            raise Mistake(f"--arg {name}: {text} has an extent that is not a whole number from 0 on")
        try:
            return (data or random_value)(type, rng)
        except MemoryError:
            raise Mistake(f"--arg {name}: {text} does not fit into memory") from None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        hint = f"; a string needs quotes: \"{name}='{text}'\"" if text.isidentifier() else ""
        raise Mistake(f"--arg {name}: {not_a_type}{hint}") from None


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
    named = " (names stand for any number with --ranks p)" if any(part.isidentifier() for part in extents) else ""
    return f"{dtype}[{inner}]" if bracket == "[" else text, (
        f"{text!r} has an extent that is not a whole number; expected whole numbers, as in {dtype}[512,512]{named}"
    )


def named_extents(text: str) -> list[str]:
    """The extents of an array whose type a ``NAME=VALUE`` text gives, if some of them have names; else nothing."""
    match = _LIKE_A_TYPE.fullmatch(text.partition("=")[2].strip())
    if match is None or match[2] != "[" or not {match[1]} & (DTYPES.keys() | _NUMPY_NAMES.keys()):
        return []
    extents = [part.strip() for part in match[3].split(",")]
    return extents if any(part.isidentifier() for part in extents) else []


def with_extents(text: str, extents: Mapping[str, int]) -> str:
    """A ``NAME=VALUE`` text with numbers for the names of extents."""
    named = named_extents(text)
    if not named:
        return text
    head, _, _ = text.rpartition("[")
    return f"{head}[{','.join(str(extents.get(part, part)) for part in named)}]"


#: Bytes from which on there is no data in the arguments of a plan.
_NO_DATA = 1 << 30


def data_for_plans(type: ArrayType, rng: np.random.Generator) -> Any:
    """Random data, or zeros that take no memory where that would be much."""
    from lazyarr.closed_forms import blank

    return blank(type) if not type.weak and type.nbytes > _NO_DATA else random_value(type, rng)


def is_blank(value: Any) -> bool:
    """Whether an argument is as large as those of plans that have no data."""
    return isinstance(value, np.ndarray) and value.nbytes > _NO_DATA and not value.flags.owndata


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
