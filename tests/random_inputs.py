"""Random arguments for random programs: base arrays, views of them, and scalars.

Arguments are described, not held: a ``Base`` knows its elements, and an argument is the source of a view of a base
(``base0[::-1]``). The same description builds NumPy arrays and lazyarr's, so two arguments share memory in one
exactly when they do in the other, and a failing program can be printed as a script.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from random import Random
from typing import Any

import numpy as np

MAX_SIZE = 40

#: dtypes of arguments, with the weight each is drawn with
DTYPES = {
    "float64": 10,
    "float32": 5,
    "int64": 5,
    "int32": 3,
    "bool": 3,
    "float16": 2,
    "complex128": 2,
    "complex64": 1,
    "int8": 2,
    "int16": 1,
    "uint8": 2,
    "uint16": 1,
    "uint32": 1,
    "uint64": 1,
}
_DTYPE_POOL = [name for name, weight in DTYPES.items() for _ in range(weight)]


@dataclass(frozen=True)
class Base:
    """A base array: one owner of memory that arguments may be views of.

    The elements are Python numbers, in C order, so that the array prints and compares exactly.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    order: str
    data: tuple[Any, ...]

    def source(self) -> str:
        """The expression that builds the array, with ``numpy`` as ``np`` and ``nan`` and ``inf`` defined."""
        build = f"np.array({list(self.data)!r}, dtype=np.{_dtype_attribute(self.dtype)})"
        if self.shape != (len(self.data),):
            build += f".reshape({self.shape!r})"
        return f"np.asfortranarray({build})" if self.order == "F" else build

    def array(self) -> np.ndarray[Any, Any]:
        """A fresh NumPy array of these elements."""
        array = np.array(self.data, dtype=self.dtype).reshape(self.shape)
        return np.asfortranarray(array) if self.order == "F" else array


@dataclass(frozen=True)
class Inputs:
    """The arguments of one program.

    ``views`` maps an argument's name to the expression, over the names of the bases, that it is; ``scalars`` maps
    the names of scalar arguments to the source of their literals.
    """

    bases: tuple[Base, ...]
    views: Mapping[str, str]
    scalars: Mapping[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the program's parameters, in order."""
        return (*self.views, *self.scalars)

    def build(self, convert: Callable[[np.ndarray[Any, Any]], Any] | None = None) -> tuple[dict[str, Any], list[Any]]:
        """Build the base arrays and the arguments.

        Parameters
        ----------
        convert
            Makes the array of another library from each base (a copy); the default keeps NumPy's.

        Returns
        -------
        bases, arguments
            The base arrays by name, and the positional arguments.
        """
        bases: dict[str, Any] = {}
        for base in self.bases:
            array = base.array()
            bases[base.name] = array if convert is None else convert(array)
        arguments = [eval(_compiled(view), {}, bases) for view in self.views.values()]
        arguments += [eval(_compiled(literal), {"np": np}) for literal in self.scalars.values()]
        return bases, arguments

    def lines(self) -> list[str]:
        """The statements that build the arguments, for a script."""
        lines = [f"{base.name} = {base.source()}" for base in self.bases]
        lines += [f"{name} = {view}" for name, view in self.views.items()]
        return lines + [f"{name} = {literal}" for name, literal in self.scalars.items()]

    def without(self, name: str) -> Inputs:
        """These inputs without one argument, and without the bases that no argument is a view of then."""
        views = {key: view for key, view in self.views.items() if key != name}
        scalars = {key: literal for key, literal in self.scalars.items() if key != name}
        used = {base for view in views.values() for base in re.findall(r"\bbase\d+", view)}
        return Inputs(tuple(base for base in self.bases if base.name in used), views, scalars)

    def with_other_values(self, rng: Random) -> Inputs:
        """Inputs of the same dtypes, shapes, views and kinds of scalars, with other values."""
        bases = tuple(replace(base, data=random_data(rng, base.dtype, math.prod(base.shape))) for base in self.bases)
        scalars = {name: _other_scalar(rng, literal) for name, literal in self.scalars.items()}
        return Inputs(bases, self.views, scalars)


@cache
def _compiled(expression: str) -> Any:
    return compile(expression, "<input>", "eval")


def _dtype_attribute(dtype: str) -> str:
    return "bool_" if dtype == "bool" else dtype


def random_inputs(rng: Random) -> Inputs:
    """Draw one to three array arguments and zero to two scalars.

    The shapes are made from one shape, so that most pairs broadcast; with a chance of about one in four an argument is
    a view of the memory of another.
    """
    pattern = _random_shape(rng)
    bases: list[Base] = []
    views: dict[str, str] = {}
    dtypes = [rng.choice(_DTYPE_POOL) for _ in range(rng.choice((1, 2, 2)))]
    if dtypes == ["bool"]:
        dtypes = ["float64"]
    for index in range(rng.choice((1, 2, 2, 3))):
        name = f"a{index}"
        if bases and rng.random() < 0.25:
            base = rng.choice(bases)
            views[name] = _overlapping_view(rng, base)
            continue
        shape = pattern if not index else _related_shape(rng, pattern)
        dtype = rng.choice(dtypes) if rng.random() < 0.7 else rng.choice(_DTYPE_POOL)
        base, view = _base_and_view(rng, f"base{len(bases)}", dtype, shape)
        bases.append(base)
        views[name] = view
    scalars = {f"s{index}": random_scalar(rng) for index in range(rng.choice((0, 0, 1, 1, 2)))}
    return Inputs(tuple(bases), views, scalars)


def _random_shape(rng: Random) -> tuple[int, ...]:
    rank = rng.choice((0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4))
    longest = (1, 12, 6, 4, 3)[rank]
    shape = []
    for _ in range(rank):
        draw = rng.random()
        shape.append(1 if draw < 0.12 else 0 if draw < 0.15 else rng.randint(2, longest))
    return tuple(shape)


def _related_shape(rng: Random, pattern: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that often broadcasts with ``pattern``: the same, without leading axes, or with axes of size one."""
    draw = rng.random()
    if draw < 0.5:
        return pattern
    if draw < 0.7:
        return pattern[rng.randint(0, len(pattern)) :]
    if draw < 0.9:
        return tuple(1 if rng.random() < 0.4 else extent for extent in pattern)
    return _random_shape(rng)


def _base_and_view(rng: Random, name: str, dtype: str, shape: tuple[int, ...]) -> tuple[Base, str]:
    """A base array, and a view of it of the wanted shape: whole, strided, reversed or transposed."""
    order = "F" if len(shape) > 1 and rng.random() < 0.2 else "C"
    draw = rng.random()
    if draw < 0.55 or not shape or 2 * math.prod(shape) > MAX_SIZE:
        return Base(name, dtype, shape, order, random_data(rng, dtype, math.prod(shape))), name
    axis = rng.randrange(len(shape))
    full = list(shape)
    index = [":"] * len(shape)
    if draw < 0.65:
        index[axis] = "::-1"
    elif draw < 0.8:
        full[axis] = 2 * shape[axis]
        index[axis] = rng.choice(("::2", "1::2", "::-2"))
    elif draw < 0.9:
        full[axis] = shape[axis] + 2
        index[axis] = rng.choice(("1:-1", "2:", ":-2"))
    else:
        full.reverse()
        data = random_data(rng, dtype, math.prod(full))
        return Base(name, dtype, tuple(full), order, data), f"{name}.T"
    data = random_data(rng, dtype, math.prod(full))
    return Base(name, dtype, tuple(full), order, data), f"{name}[{', '.join(index)}]"


def _overlapping_view(rng: Random, base: Base) -> str:
    choices = [base.name]
    if base.shape:
        choices += [f"{base.name}[1:]", f"{base.name}[:-1]", f"{base.name}[::-1]", f"{base.name}[::2]"]
        choices += [f"{base.name}.T", f"{base.name}[..., ::-1]", f"{base.name}[..., 1:]", f"{base.name}[None]"]
    if base.order == "C":
        choices.append(f"{base.name}.reshape(-1)")
    return rng.choice(choices)


def random_data(rng: Random, dtype: str, size: int) -> tuple[Any, ...]:
    """``size`` Python numbers that ``dtype`` holds exactly.

    Floats are mostly small integers and halves (arithmetic on them is exact), at times arbitrary, at times with
    NaN, infinities and negative zero; integers are mostly small, at times the ends of their range.
    """
    kind = np.dtype(dtype).kind
    if kind == "b":
        return tuple(rng.random() < 0.5 for _ in range(size))
    if kind in "iu":
        return tuple(_random_integers(rng, dtype, size))
    if kind == "c":
        part = "float32" if dtype == "complex64" else "float64"
        real, imag = (_random_floats(rng, part, size, special=False) for _ in range(2))
        return tuple(map(complex, real, imag))
    return tuple(_random_floats(rng, dtype, size, special=rng.random() < 0.1))


def _random_integers(rng: Random, dtype: str, size: int) -> list[int]:
    info = np.iinfo(dtype)
    low = 0 if info.min == 0 else -5
    values = [rng.randint(low, 9) for _ in range(size)]
    if size and rng.random() < 0.12:
        extremes = (int(info.min), int(info.max), int(info.max) - 1, int(info.min) + 1)
        for _ in range(rng.randint(1, 3)):
            values[rng.randrange(size)] = rng.choice(extremes)
    return values


def _random_floats(rng: Random, dtype: str, size: int, special: bool) -> list[float]:
    draw = rng.random()
    if draw < 0.45:
        values = [float(rng.randint(-4, 6)) for _ in range(size)]
    elif draw < 0.7:
        values = [rng.randint(-12, 16) / 2 for _ in range(size)]
    else:
        scale = rng.choice((0.1, 1.0, 1.0, 10.0))
        fractions = [rng.randint(-(10**6), 10**6) / 10**6 for _ in range(size)]  # zero, or far from subnormal
        values = [float(np.dtype(dtype).type(scale * fraction)) for fraction in fractions]
    if special and size:
        for _ in range(rng.randint(1, 4)):
            values[rng.randrange(size)] = rng.choice((math.nan, math.inf, -math.inf, -0.0, -0.0))
    return values


def random_scalar(rng: Random) -> str:
    """The source of a scalar argument: a Python number or a NumPy scalar."""
    draw = rng.random()
    if draw < 0.35:
        return str(rng.randint(-3, 5))
    if draw < 0.65:
        return repr(rng.choice((0.5, 1.5, 2.0, -1.0, -2.5, 0.25, 3.0, 0.1, 1.7)))
    if draw < 0.72:
        return repr(rng.random() < 0.5)
    if draw < 0.77:
        return repr(complex(rng.randint(-2, 2), rng.randint(-2, 2)))
    kind = rng.choice(("float32", "float64", "float16", "int8", "int32", "int64", "uint8", "bool_"))
    return f"np.{kind}({rng.randint(0, 1) if kind == 'bool_' else rng.randint(0, 4)})"


def _other_scalar(rng: Random, literal: str) -> str:
    """Another value of the same type as the scalar ``literal`` stands for."""
    value = eval(literal, {"np": np})
    if isinstance(value, np.generic):
        number = rng.randint(0, 1) if isinstance(value, np.bool_) else rng.randint(0, 5)
        return f"{literal[: literal.index('(')]}({number})"
    if isinstance(value, bool):
        return repr(rng.random() < 0.5)
    if isinstance(value, int):
        return str(rng.randint(-3, 6))
    if isinstance(value, float):
        return repr(rng.randint(-8, 12) / 4)
    return repr(complex(rng.randint(-2, 2), rng.randint(-2, 2)))
