"""What is known of a native program apart from its code and the graph it was made of: what it takes, gives and needs.

It has a text, so that it can be kept with the machine code and run in another process.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lazyarr.backends.native_call import HostCall
from lazyarr.ir import extents
from lazyarr.ir.text import parse_attr, show_attr
from lazyarr.ir.types import DTYPES, NAMES, ArrayType

#: The name of what calls NumPy in the code.
HOST = "lazyarr_host"


class Form(NamedTuple):
    """What a parameter or a result is.

    Attributes
    ----------
    dtype : numpy.dtype
    shape : tuple of int
        As large as it can be.
    fixed : bool
        Whether it always is.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fixed: bool = True

    @classmethod
    def of(cls, type: ArrayType) -> Form:
        shape = tuple(map(int, extents.bounded(type.shape)))
        return cls(type.dtype, shape, all(isinstance(n, int) for n in type.shape))

    @property
    def bytes(self) -> int:
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize


class Memory(NamedTuple):
    """A buffer: what it holds in each call, what there is of it in all, and which others it exchanges its address with.

    Attributes
    ----------
    number : int
    capacity, size : int
        Bytes, of one copy and of all: threads may have one each.
    peers : tuple of int
        Itself among them.
    """

    number: int
    capacity: int
    size: int
    peers: tuple[int, ...]


class Place(NamedTuple):
    """Where a result is: its first word in the table of results, and the number of an array's buffer or -1."""

    at: int
    buffer: int


class Failure(NamedTuple):
    """What a check that fails within the program means.

    Attributes
    ----------
    exception, message : str
    conditions : tuple of bool, optional
        The conditions of the graph's own checks, if it is one of them: the results are of no use then.
    """

    exception: str
    message: str
    conditions: tuple[bool, ...] | None


class Symbol(NamedTuple):
    """The name of a function that the code calls, and the extension of NumPy's that it is from, if it is."""

    name: str
    extension: str


@dataclass(frozen=True)
class Program:
    """A native program.

    Attributes
    ----------
    params, roots : tuple of Form
    donated : tuple of int
        Parameters that the code writes into, after everything that may fail.
    memory : tuple of Memory
        By number: parameters, then what the program needs.
    places : tuple of Place
        One a root. A number stands in the table itself, as NumPy has it; of an array its address and extents do.
    slots : int
        Words in the table of results.
    threads : int
        How many threads share its loops.
    failures : tuple of Failure
        By the outcome, from 1.
    calls : tuple of HostCall
        What NumPy does.
    symbols : tuple of Symbol
    """

    params: tuple[Form, ...]
    roots: tuple[Form, ...]
    donated: tuple[int, ...]
    memory: tuple[Memory, ...]
    places: tuple[Place, ...]
    slots: int
    threads: int
    failures: tuple[Failure, ...]
    calls: tuple[HostCall, ...]
    symbols: tuple[Symbol, ...]

    def show(self) -> str:
        """As text.

        Raises
        ------
        TypeError
            If an attribute of what NumPy does has none.
        """
        return json.dumps({
            "params": [_show_form(form) for form in self.params], "roots": [_show_form(form) for form in self.roots],
            "donated": self.donated, "memory": self.memory, "places": self.places, "slots": self.slots,
            "threads": self.threads, "failures": self.failures, "calls": [_show_call(call) for call in self.calls],
            "symbols": self.symbols,
        })  # fmt: skip

    @classmethod
    def parse(cls, text: str) -> Program:
        """What `show` gave as `text`."""
        found = json.loads(text)
        return cls(
            params=tuple(map(_parse_form, found["params"])),
            roots=tuple(map(_parse_form, found["roots"])),
            donated=tuple(found["donated"]),
            memory=tuple(Memory(a, b, c, tuple(peers)) for a, b, c, peers in found["memory"]),
            places=tuple(Place(*place) for place in found["places"]),
            slots=found["slots"],
            threads=found["threads"],
            failures=tuple(
                Failure(exception, message, None if conditions is None else tuple(conditions))
                for exception, message, conditions in found["failures"]
            ),
            calls=tuple(map(_parse_call, found["calls"])),
            symbols=tuple(Symbol(*symbol) for symbol in found["symbols"]),
        )


def _show_form(form: Form) -> Any:
    return [NAMES[form.dtype], form.shape, form.fixed]


def _parse_form(found: Any) -> Form:
    name, shape, fixed = found
    return Form(DTYPES[name], tuple(shape), fixed)


def _show_call(call: HostCall) -> Any:
    attrs = [(name, show_attr(value)) for name, value in call.attrs]
    operands, results = ([(NAMES[dtype], rank) for dtype, rank in side] for side in (call.operands, call.results))
    return [call.operation, attrs, operands, results, call.into]


def _parse_call(found: Any) -> HostCall:
    operation, attrs, operands, results, into = found
    given, gives = ([(DTYPES[name], rank) for name, rank in side] for side in (operands, results))
    return HostCall(operation, tuple((name, parse_attr(text)) for name, text in attrs), given, gives, into)
