"""What the templates of random statements draw from: variables in scope, literals, axes and indices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

import numpy as np

from tests.random_execution import Kind, Statement, Tracker, kind_of

Array = np.ndarray[Any, Any]
T = TypeVar("T")


class Unfit(Exception):
    """No variable in scope fits the template."""


class Scope:
    """The variables of a program under construction, and a source of random choices."""

    def __init__(self, rng: Random, tracker: Tracker) -> None:
        self.rng = rng
        self.tracker = tracker
        self.count = 0
        self.used: set[str] = set()

    def value(self, name: str) -> Any:
        """The value of a variable."""
        return self.tracker.env[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a variable."""
        return np.shape(self.value(name))

    def fresh(self) -> str:
        """A new name."""
        self.count += 1
        return f"v{self.count - 1}"

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def choose(self, items: Sequence[T]) -> T:
        """One of the items.

        Raises
        ------
        Unfit
            There is none.
        """
        if not items:
            raise Unfit
        return self.rng.choice(items)

    def pick(self, fits: Callable[[Any], bool] = lambda value: True, scalars: bool = False) -> str:
        """
        The name of an array (or, with ``scalars``, of any number) that ``fits``; recent and unused ones are likelier.
        """
        names = []
        for name, value in self.tracker.variables().items():
            if (isinstance(value, np.ndarray) or (scalars and kind_of(value) != "O")) and fits(value):
                names.append(name)
        draw = self.rng.random()
        if draw < 0.4:
            names = names[-3:]
        elif draw < 0.75:
            names = [name for name in names if name not in self.used] or names
        return self.choose(names)

    def pick_kind(self, kinds: str, scalars: bool = False) -> str:
        """An array whose dtype is of one of these kinds."""
        return self.pick(lambda value: kind_of(value) in kinds, scalars)

    def pick_axes(self, least: int = 1) -> str:
        """An array with at least this many axes, none of them empty."""
        return self.pick(lambda value: value.ndim >= least and value.size > 0)

    def partner(self, name: str, kinds: str = "biufc") -> str:
        """A second operand: mostly a variable that broadcasts with ``name``, at times a literal."""
        if self.chance(0.3):
            return self.literal(kinds)
        shape = self.shape(name)
        careless = self.chance(0.03)
        return self.pick(
            lambda value: kind_of(value) in kinds and (careless or broadcasts(shape, np.shape(value))), scalars=True
        )

    def literal(self, kinds: str = "biufc") -> str:
        """The source of a Python number, or of a NumPy scalar, of one of these kinds."""
        draw = self.rng.random()
        if "f" in kinds and draw < 0.4:
            return self.choose(("0.5", "2.0", "-1.5", "3.0", "0.25", "-1.0", "0.1"))
        if "b" in kinds and draw < 0.45:
            return self.choose(("True", "False"))
        if "f" in kinds and draw < 0.53:
            return f"np.{self.choose(('float32', 'float64', 'float16'))}({self.choose(('1.5', '2', '-3', '0.5'))})"
        if "i" in kinds and draw < 0.62:
            return f"np.{self.choose(('int8', 'uint8', 'int16', 'int32', 'int64', 'uint32'))}({self.rng.randint(0, 5)})"
        if "c" in kinds and draw < 0.64:
            return self.choose(("1j", "(1+2j)"))
        if "i" in kinds:
            return self.choose(("1", "2", "3", "-1", "-2", "0", "5", "7"))
        return self.choose(("True", "False"))

    def axis(self, name: str) -> int:
        """An axis of an array, counted from either end."""
        rank = len(self.shape(name))
        if not rank:
            raise Unfit
        return self.rng.randrange(-rank, rank)

    def slice(self, extent: int) -> str:
        """A slice of an axis."""
        rng = self.rng
        draw = rng.random()
        if draw < 0.2:
            return ":"
        if draw < 0.35:
            return self.choose(("::-1", "::2", "1::2", "::-2"))
        if draw < 0.65:
            return self.choose(("1:", ":-1", "1:-1", "2:", ":2", "-2:"))
        start = rng.randint(-extent - 1, extent + 1)
        stop = rng.randint(-extent - 1, extent + 1)
        step = rng.choice((None, None, 1, 2, -1, -2, 3))
        if draw < 0.95:  # else whatever it is: often empty
            start, stop = sorted((start % (extent + 1), stop % (extent + 1)), reverse=(step or 1) < 0)
        return f"{start}:{stop}" + (f":{step}" if step else "")

    def basic_index(self, shape: tuple[int, ...], keep_axes: bool = False) -> str:
        """A basic index: integers, slices, ``None`` and ``...``."""
        items: list[str] = []
        for extent in shape:
            if not keep_axes and extent and self.chance(0.25):
                items.append(str(self.rng.randrange(-extent, extent)))
            else:
                items.append(self.slice(extent))
        cut = self.rng.randint(0, len(items))
        draw = self.rng.random()
        if draw < 0.25:
            items = items[:cut]
        elif draw < 0.4:
            skipped = self.rng.randint(cut, len(items))
            items = [*items[:cut], "...", *items[skipped:]]
        if not keep_axes and len(shape) < 4 and self.chance(0.1):
            items.insert(self.rng.randint(0, len(items)), "None")
        return ", ".join(items) or "..."

    def index_list(self, extent: int, size: int) -> str:
        """A list of valid indices, with repeats and negative ones."""
        if not extent:
            raise Unfit
        return repr([self.rng.randrange(-extent, extent) for _ in range(size)])

    def advanced_index(self, name: str) -> str:
        """An index with at least one integer array or boolean mask, for an array with axes."""
        shape = self.shape(name)
        if not shape:
            raise Unfit
        draw = self.rng.random()
        if draw < 0.3:
            return self._mask(name)
        if draw < 0.45:
            return self._computed_index(shape[0])
        size = self.rng.randint(1, 4)
        arrays = self.rng.randint(1, len(shape))
        first = self.rng.randint(0, len(shape) - arrays) if self.chance(0.4) else 0
        items = [self.slice(extent) if self.chance(0.6) else ":" for extent in shape[:first]]
        for extent in shape[first : first + arrays]:
            text = self.index_list(extent, size)
            if arrays > 1 and self.chance(0.15):
                text = str(self.rng.randrange(-extent, extent))
            elif self.chance(0.15):
                text = f"np.array({text}).reshape(-1, 1)"
            items.append(text)
        if self.chance(0.2):
            items += [self.slice(extent) for extent in shape[first + arrays :]]
        return ", ".join(items)

    def _mask(self, name: str) -> str:
        shape = self.shape(name)
        masks = [
            other
            for other, value in self.tracker.variables().items()
            if isinstance(value, np.ndarray) and value.dtype == bool and value.shape in (shape, shape[:1])
        ]
        if masks and self.chance(0.6):
            return self.choose(masks)
        if kind_of(self.value(name)) == "c":
            return f"{name} != 0"
        test = f"{name} {self.choose(('>', '<', '<=', '==', '!='))} {self.choose(('0', '1', '2', '-1'))}"
        return test if self.chance(0.7) else f"({test}) & ({name} != 3)"

    def _computed_index(self, extent: int) -> str:
        """Indices that depend on data: the remainder of an integer array.

        With one axis: where indices repeat, the last one counts, and of several axes NumPy decides which is last.
        """
        if not extent:
            raise Unfit
        name = self.pick(lambda value: kind_of(value) in "iu" and np.ndim(value) == 1 and np.size(value) < 20)
        return f"{name} % {extent}"

    def assign(
        self,
        expression: str,
        kind: Kind,
        *flags: str,
        mutates: tuple[str, ...] = (),
        targets: int = 1,
    ) -> Statement:
        """``v = expression``, or ``v, w = expression`` for several targets."""
        names = tuple(self.fresh() for _ in range(targets))
        return Statement(f"{', '.join(names)} = {expression}", kind, names, mutates, frozenset(flags))


def broadcasts(*shapes: tuple[int, ...]) -> bool:
    """Whether the shapes broadcast with each other."""
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return False
    return True


def fits_into(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether ``shape`` broadcasts to ``target``."""
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False
