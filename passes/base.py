"""Pass: what every pass is. A frozen dataclass whose fields are its options and whose text is its call."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from lazyarr.ir.graph import Program

#: Every pass by name. A subclass of `Pass` that has a name registers itself.
PASSES: dict[str, type[Pass]] = {}


@dataclass(frozen=True)
class Pass(ABC):
    """One step of the compiler: takes a program, gives an equal one.

    A subclass is a frozen dataclass with a class attribute `name`. Its fields are options with defaults: ints,
    floats, bools, strings, or tuples of these. ``str`` gives the text the command line takes: ``reorder`` or
    ``reorder{lookahead=2}``, options at their defaults left out.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" in cls.__dict__:
            PASSES[cls.name] = cls

    @abstractmethod
    def run(self, program: Program) -> Program:
        """The program after this pass. Results, types of parameters and results, and checks stay the same."""

    def __str__(self) -> str:
        changed = [f for f in fields(self) if getattr(self, f.name) != f.default]
        options = ",".join(f"{f.name}={_show(getattr(self, f.name))}" for f in changed)
        return f"{self.name}{{{options}}}" if options else self.name


def _show(value: Any) -> str:
    return repr(value).replace(" ", "")


_CALL = re.compile(r"\s*([a-z_][a-z0-9_]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)


def parse_pass(text: str) -> Pass:
    """The pass printed as `text`.

    Raises
    ------
    ValueError
        If there is no such pass or option, or a value is not a Python literal of the option's type.
    """
    match = _CALL.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a pass; expected NAME or NAME{{OPTION=VALUE,...}}")
    cls = PASSES.get(match[1])
    if cls is None:
        raise ValueError(f"there is no pass {match[1]!r}; there are {', '.join(sorted(PASSES))}")
    try:
        call = ast.parse(f"f({match[2] or ''})", mode="eval").body
        assert isinstance(call, ast.Call)
        if call.args:
            raise ValueError("options are written NAME=VALUE")
        options = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"cannot read the options of {text!r}: {error}") from None
    defaults = {f.name: f.default for f in fields(cls)}
    for name, value in options.items():
        if name not in defaults:
            raise ValueError(f"{match[1]} has no option {name!r}; it has {', '.join(defaults) or 'none'}")
        if type(value) is not type(defaults[name]):
            raise ValueError(f"option {name} of {match[1]} is {value!r}; expected a value like {defaults[name]!r}")
    return cls(**options)


def split_top_level(text: str) -> list[str]:
    """`text` split at the commas that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for k, char in enumerate(text):
        depth += (char in "{([") - (char in "})]")
        if char == "," and depth == 0:
            parts.append(text[start:k])
            start = k + 1
    return [*parts, text[start:]]
