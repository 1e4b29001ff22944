"""Plans as formulas in the user's extents and the number of ranks: ``bytes = 16*n/sqrt(p)``.

Passes decide with numbers: which halo is little, how many iterations share an exchange. So plans of many sizes and
rank counts are made, and what they say is interpolated: with even blocks of ``m = n/q`` on a grid of ``q`` ranks a side
it is a polynomial in the blocks and ``q`` as long as the decisions are the same. The fit is exact, in fractions, and
plans that took no part in it have to agree with it to the last byte; otherwise there is no closed form, and that is
said. What is found is thus checked on the sizes that are named with it, and not proved for others.
"""

from __future__ import annotations

import itertools
import math
import mmap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from lazyarr.communication import Plan, Step, Work, plan
from lazyarr.cost_model import CostModel
from lazyarr.ir.graph import Line, Program
from lazyarr.ir.types import ArrayType

#: Ranks along a side of the grid and, added to the least block, indices of a block: for the fit, and for testing it.
_SIDES, _BLOCKS = (3, 4, 5, 6, 7), (0, 7, 29, 53, 111)
_OTHERS = ((8, (17, 5)), (3, (1, 2)), (6, (201, 90)), (9, (301, 90)), (12, (45, 523)))
#: How many of those: more ranks, and larger blocks, of arrays of three axes do not fit into the address space.
_TESTED, _TESTED_OF_MORE = 5, 3
#: Blocks from which on the fit is made, for arrays of two axes and of more; how far down it is tried.
_LEAST, _LEAST_OF_MORE, _SMALLEST = 10_240, 2048, 8
#: Linux: no memory is set aside for pages that nobody touches.
_NO_RESERVE = 0x4000

#: How often the gap is halved between a block that fits and one that does not.
_HALVINGS = 3
#: What no polynomial agrees with, in the place of its coefficients.
NO_FORM = "no closed form"

Numbers = dict[tuple[Any, ...], Fraction | None]


class NoClosedForm(Exception):
    """Plans of different sizes are no polynomials of these; says why."""


@dataclass(frozen=True)
class Row:
    """A communication, or work, as formulas.

    Attributes
    ----------
    what : str
    lines : tuple of (str, int)
    times : sympy.Expr or None
        None where data decides it.
    messages, bytes, seconds : sympy.Expr
        As of a `lazyarr.communication.Step` or `Work`; `seconds` are those of all the times.
    """

    what: str
    lines: tuple[Line, ...]
    times: Any
    messages: Any
    bytes: Any
    seconds: Any


@dataclass(frozen=True)
class Forms:
    """A plan as formulas.

    Attributes
    ----------
    sides : int
        Dimensions of the grid, each of the same number of ranks.
    rows : tuple of Row
    messages, bytes, memory, seconds : sympy.Expr
        As of a `lazyarr.communication.Plan`.
    plans : int
        How many plans agree with them.
    blocks, ranks : (int, int)
        From which to which blocks (indices of an axis on a rank) and rank counts these are.
    model : CostModel
    """

    sides: int
    rows: tuple[Row, ...]
    messages: Any
    bytes: Any
    memory: Any
    seconds: Any
    plans: int
    blocks: tuple[int, int]
    ranks: tuple[int, int]
    model: CostModel


def blank(type: ArrayType) -> np.ndarray[Any, Any]:
    """An array of zeros that takes no memory until somebody touches it, for tracing.

    Raises
    ------
    MemoryError
        If it is larger than the address space.
    """
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", _NO_RESERVE)
    try:
        room = mmap.mmap(-1, max(int(type.nbytes), 1), flags=flags)
    except (OSError, OverflowError, ValueError) as error:
        raise MemoryError(f"{type} does not fit into the address space") from error
    return np.frombuffer(room, type.dtype, int(type.size)).reshape(type.shape)


def closed_forms(
    make: Callable[[Mapping[str, int]], Program], names: Sequence[str], sides: int, least: int, model: CostModel,
    axes: int = 2,
) -> Forms:  # fmt: skip
    """The formulas of a program's plans.

    Parameters
    ----------
    make : callable
        ``make(extents) -> program``, with a number for each name.
    names : sequence of str
        Of the extents.
    sides : int
        Dimensions of the grid: 1 for `p` ranks in a line, 2 for ``sqrt(p)`` by ``sqrt(p)``.
    least : int
        Elements from which on an array is split.
    model : CostModel
    axes : int
        Axes of the largest array.

    Raises
    ------
    NoClosedForm
        If plans are made that no polynomial agrees with.
    """
    samples = _Samples(make, names, sides, least, model)
    begin, tested = (_LEAST, _TESTED) if axes <= 2 else (_LEAST_OF_MORE, _TESTED_OF_MORE)
    lines = [begin + k for k in _BLOCKS]
    points = [*[lines] * len(names), list(_SIDES)]
    degrees, unfit = _degrees(samples, points)
    chosen = [axis[: d + 1] for axis, d in zip(points, degrees, strict=True)]
    found = _interpolated({at: samples(at) for at in itertools.product(*chosen)}, chosen)
    for side, more in _OTHERS[:tested]:
        blocks = (begin + m for _, m in zip(names, itertools.cycle(more), strict=False))
        unfit |= _misses(samples, found, (*blocks, side))
    for key in unfit:
        found[key] = NO_FORM
    for name in ("messages", "bytes"):
        if found[name,] is NO_FORM:
            raise NoClosedForm(f"the {name} of plans are no polynomial in the blocks and the number of ranks")
    return _forms(samples, found, _smallest(samples, found, begin))


def _smallest(samples: _Samples, found: Mapping[Any, Any], begin: int) -> int:
    """A block that plans agree for as well, from which on they do as far as has been tried."""

    def fits(block: int, sides: Sequence[int]) -> bool:
        try:
            return not any(
                _misses(samples, found, (*(block + 3 * k for k in range(len(samples.names))), side)) for side in sides
            )
        except NoClosedForm:
            return False

    while begin // 2 >= _SMALLEST and fits(begin // 2, (3, 5)):
        begin //= 2
    low = begin // 2
    for _ in range(_HALVINGS):
        middle = (low + begin) // 2
        if middle in (low, begin):
            break
        low, begin = (low, middle) if fits(middle, (3,)) else (middle, begin)
    return begin


class _Samples:
    """What plans say, by blocks and the grid's side."""

    def __init__(
        self, make: Callable[[Mapping[str, int]], Program], names: Sequence[str], sides: int, least: int,
        model: CostModel,
    ):  # fmt: skip
        self.names, self.sides, self.model = names, sides, model
        self._make, self._least = make, least
        self._known: dict[tuple[int, ...], Numbers] = {}
        #: The first plan: the others have the same steps.
        self.plan: Plan | None = None

    def __call__(self, at: tuple[int, ...], middle: bool = False) -> Numbers:
        """What the plan for blocks and a side says; `middle` as for `lazyarr.communication.plan`."""
        if at not in self._known:
            *blocks, side = at
            program = self._make({name: m * side for name, m in zip(self.names, blocks, strict=True)})
            made = plan(program, (side,) * self.sides, self._least, model=self.model, middle=middle,
                        overlap="never")  # fmt: skip
            self.plan = self.plan or made
            if _structure(made) != _structure(self.plan):
                where = _sizes(at, self.names, self.sides)
                raise NoClosedForm(f"for {where}, what is sent and computed is of other kinds")
            self._known[at] = _numbers(made)
        return self._known[at]

    @property
    def points(self) -> Iterable[tuple[int, ...]]:
        return self._known


def _sizes(at: tuple[int, ...], names: Sequence[str], sides: int) -> str:
    *blocks, side = at
    extents = ", ".join(f"{name}={m * side}" for name, m in zip(names, blocks, strict=True))
    return f"{extents}, p={side**sides}"


def _structure(made: Plan) -> Any:
    return [(s.what, s.lines, s.gathered) for s in made.steps], [w.lines for w in made.work]


def _numbers(made: Plan) -> Numbers:
    """All that a plan says, by name."""
    found: Numbers = {(name,): Fraction(getattr(made, name)) for name in ("messages", "bytes", "memory")}
    entries: list[Step | Work] = [*made.steps, *made.work]
    for k, entry in enumerate(entries):
        fields = ("messages", "bytes", "ranks") if isinstance(entry, Step) else ("flops", "product_flops", "bytes")
        found |= {(k, name): Fraction(getattr(entry, name)) for name in fields}
        found[k, "times"] = None if entry.times is None else Fraction(entry.times)
    return found


def _degrees(samples: _Samples, points: Sequence[Sequence[int]]) -> tuple[list[int], set[Any]]:
    """The degree of what plans say in each variable, the others at their first value; and what has none."""
    found, unfit = [], set()
    first = tuple(axis[0] for axis in points)
    for k, axis in enumerate(points):
        line = [samples((*first[:k], x, *first[k + 1 :])) for x in axis]
        degrees = {key: _degree(axis, [said[key] for said in line]) for key in line[0]}
        unfit |= {key for key, degree in degrees.items() if degree > len(axis) - 2}
        found.append(max((degree for degree in degrees.values() if degree <= len(axis) - 2), default=0))
    return found, unfit


def _degree(xs: Sequence[int], ys: Sequence[Fraction | None]) -> int:
    """The degree of the polynomial through points: divided differences of higher order are all zero."""
    values = [y for y in ys if y is not None]
    if len(values) < len(ys):
        return 0
    degree, order = 0, 0
    while len(values) > 1:
        order += 1
        values = [(b - a) / (xs[k + order] - xs[k]) for k, (a, b) in enumerate(itertools.pairwise(values))]
        if any(values):
            degree = order
    return degree


def _interpolated(said: Mapping[tuple[int, ...], Numbers], points: Sequence[Sequence[int]]) -> dict[Any, Any]:
    """Coefficients by the exponents of each variable, of every number that plans say."""
    import sympy

    inverses = [
        np.array(sympy.Matrix([[sympy.Integer(x) ** k for k in range(len(axis))] for x in axis]).inv().tolist())
        for axis in points
    ]
    found: dict[Any, Any] = {}
    shape = [len(axis) for axis in points]
    for key in next(iter(said.values())):
        values = [numbers[key] for numbers in said.values()]
        if None in values:
            found[key] = None
            continue
        grid: Any = np.array([sympy.Rational(v.numerator, v.denominator) for v in values if v is not None], object)
        grid = grid.reshape(shape)
        for axis, inverse in enumerate(inverses):
            grid = np.moveaxis(np.tensordot(inverse, grid, (1, axis)), 0, axis)
        found[key] = {at: grid[at] for at in np.ndindex(*shape) if grid[at] != 0}
    return found


def _misses(samples: _Samples, found: Mapping[Any, Any], at: tuple[int, ...]) -> set[Any]:
    """What the polynomials do not say of a plan as it is."""
    missed = set()
    for key, said in samples(at, middle=True).items():
        terms = found[key]
        if terms is NO_FORM:
            continue
        if said is None or terms is None:
            if said is not terms:
                missed.add(key)
            continue
        value = sum(c * math.prod(x**e for x, e in zip(at, exponents, strict=True)) for exponents, c in terms.items())
        if value * said.denominator != said.numerator:
            missed.add(key)
    return missed


def _forms(samples: _Samples, found: Mapping[Any, Any], smallest: int) -> Forms:
    import sympy

    made = samples.plan
    assert made is not None
    p = sympy.Symbol("p", positive=True)
    side = p ** sympy.Rational(1, samples.sides)
    blocks = [sympy.Symbol(name, positive=True) / side for name in samples.names]

    def form(*key: Any) -> Any:
        terms = found[key]
        if terms is None or terms is NO_FORM:
            return terms
        return sympy.expand(sum(
            (c * math.prod(x**e for x, e in zip([*blocks, side], powers, strict=True)) for powers, c in terms.items()),
            sympy.Integer(0),
        ))  # fmt: skip

    rows = []
    total: Any = sympy.Integer(0)
    entries: list[Step | Work] = [*made.steps, *made.work]
    for k, entry in enumerate(entries):
        times = form(k, "times")
        what, messages = (entry.what, form(k, "messages")) if isinstance(entry, Step) else ("work", sympy.Integer(0))
        if any(at[0] == k and terms is NO_FORM for at, terms in found.items()):
            seconds = total = NO_FORM
        else:
            seconds = _sending(samples, entry, form, k) if isinstance(entry, Step) else _working(samples, form, k)
            seconds = sympy.expand(seconds if times is None else times * seconds)
            total = total if total is NO_FORM else total + seconds
        rows.append(Row(what, entry.lines, times, messages, form(k, "bytes"), seconds))
    points = list(samples.points)
    sides = [at[-1] for at in points]
    largest = max(m for *blocks_of, _ in points for m in blocks_of)
    return Forms(
        samples.sides, tuple(rows), form("messages"), form("bytes"), form("memory"),
        total if total is NO_FORM else sympy.expand(total), len(points), (smallest, largest),
        (min(sides) ** samples.sides, max(sides) ** samples.sides), samples.model,
    )  # fmt: skip


def _sending(samples: _Samples, step: Step, form: Callable[..., Any], k: int) -> Any:
    """Seconds of a communication, once: `CostModel.sent` and `all_reduce`, as formulas."""
    import sympy

    model, nbytes = samples.model, form(k, "bytes")
    if not step.ranks:
        return form(k, "messages") * model.latency + nbytes / model.bandwidth
    ranks = form(k, "ranks")
    steps = sympy.Function("ceil")(sympy.Function("log2")(ranks))
    if step.gathered:
        return steps * model.reduction + (ranks - 1) * nbytes / model.bandwidth
    return 2 * steps * model.reduction + 2 * (ranks - 1) / ranks * nbytes / model.bandwidth


def _working(samples: _Samples, form: Callable[..., Any], k: int) -> Any:
    """Seconds of work, once: `CostModel.worked`, by what takes longer in all the plans; else the larger of both."""
    import sympy

    model = samples.model
    arithmetic = form(k, "flops") * model.flop + form(k, "product_flops") * model.product_flop
    memory = form(k, "bytes") / model.memory_bandwidth
    longer = set()
    for at in samples.points:
        said: Mapping[Any, Any] = samples(at)
        flops = said[k, "flops"] * Fraction(model.flop) + said[k, "product_flops"] * Fraction(model.product_flop)
        longer.add(flops * Fraction(model.memory_bandwidth) > said[k, "bytes"])
    if len(longer) > 1:
        return sympy.Max(arithmetic, memory)
    return arithmetic if longer.pop() else memory


def report(found: Forms) -> list[str]:
    """The lines that show formulas."""
    from lazyarr.tracing.explain_text import show_sources, table

    side = {1: "p", 2: "sqrt(p)"}.get(found.sides, f"p**(1/{found.sides})")
    lines = [f"closed forms on p ranks ({' x '.join([side] * found.sides)}), of a rank with neighbours on all sides"]
    lines += ["  " + line for line in table([
        ("messages", "=", str(found.messages)), ("bytes", "=", str(found.bytes)), ("memory", "=", str(found.memory)),
        ("time", "=", f"{_rounded(found.seconds)}{'' if found.seconds is NO_FORM else ' seconds'}"),
    ])]  # fmt: skip
    rows = [("", "times", "messages", "bytes", "time", "source")]
    typical = [0.0 if row.seconds is NO_FORM else _typical(row.seconds, found) for row in found.rows]
    for row, seconds in zip(found.rows, typical, strict=True):
        if row.what == "work" and row.seconds is not NO_FORM and seconds < 1e-3 * sum(typical):
            continue
        times = "by data" if row.times is None else row.times if row.times is NO_FORM else f"{row.times}x"
        sizes = ("", "") if row.what == "work" else (str(row.messages), str(row.bytes))
        rows.append((row.what, times, *sizes, _rounded(row.seconds), show_sources(row.lines)))
    if len(rows) > 1:
        lines += ["  " + line for line in table(rows, "<><<<<")]
    low, high = found.blocks
    lines.append(f"  exact for {found.plans} plans, of blocks of {low} to {high} indices and {found.ranks[0]} to "
                 f"{found.ranks[1]} ranks; fitted to some of them, not proved for others; blocks are even")  # fmt: skip
    lines.append(f"  times rest on {found.model.rests_on}")
    return lines


def _typical(expression: Any, found: Forms) -> float:
    """A value, at the largest blocks of the most ranks that plans were made for."""
    import sympy

    ranks = found.ranks[1]
    side = round(ranks ** (1 / found.sides))
    at = {s: ranks if s.name == "p" else found.blocks[1] * side for s in expression.free_symbols}
    value = expression.subs(at)
    value = value.replace(sympy.Function("log2"), lambda x: sympy.log(x, 2)).replace(
        sympy.Function("ceil"), sympy.ceiling
    )
    return float(value)


def _rounded(expression: Any) -> str:
    """A formula with three digits of its numbers."""
    import sympy

    if expression is NO_FORM:
        return str(expression)
    return str(expression.xreplace({x: sympy.Float(x, 3) for x in expression.atoms(sympy.Float)}))
