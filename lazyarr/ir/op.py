"""Op: everything the compiler knows of an operation, in one declaration.

What holds for an operation stands here and nowhere else: type inference, the back ends, placing, fusing, hoisting,
reports, printing and the generic tests all read the declaration. A pass names an operation only in a rule about that
very one (``transpose(transpose(x))``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from lazyarr.ir.access import OperandAccess
from lazyarr.ir.extents import Extent
from lazyarr.ir.types import ArrayType

if TYPE_CHECKING:
    from lazyarr.ir.regions import Repeated

Types = tuple[ArrayType, ...]
#: See `Op.memory`.
Memory = Literal["fresh", "view", "free"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one application costs: arithmetic operations and bytes moved, numbers or sympy expressions."""

    flops: Extent
    bytes: Extent


@dataclass(frozen=True)
class Sample:
    """One application for the generic tests.

    Attributes
    ----------
    types : tuple of str
        Operand types as text.
    attrs : mapping
        Attributes.
    low, high : float
        Operand values are drawn from [low, high), rounded for integer dtypes.
    make : callable, optional
        ``make(rng) -> operands`` where ranges are not enough (indices, positive definite matrices).
    smooth : bool
        False where the results jump as inputs change, so that back ends are compared on exact inputs only.
    ulps : float, optional
        Units in the last place by which back ends may differ; without it what `lazyarr.testing` allows.
    corners : tuple of str
        Kinds of corner values that back ends are compared on besides, if the operation is element-wise: ``nan``,
        ``inf``, ``-0``, and ``limits``, the ends of the dtype's range. To be left out where NumPy's own result
        is undefined or depends on the CPU, or where a difference is documented in docs/semantics.md.
    """

    types: tuple[str, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    low: float = -4.0
    high: float = 4.0
    make: Callable[[Any], tuple[Any, ...]] | None = None
    smooth: bool = True
    ulps: float | None = None
    corners: tuple[str, ...] = ("nan", "inf", "-0", "limits")


class Line(NamedTuple):
    """Indices that an operation goes along: an axis of some of its operands.

    Attributes
    ----------
    operands : tuple of int or None
        Of each operand the axis. They are read in the same pieces.
    result : int or None
        The axis of the result that is split as they are, evenly if it has another extent; None if every rank gets
        all of the result.
    multiple : int
        Pieces begin at multiples of it.
    """

    operands: tuple[int | None, ...]
    result: int | None
    multiple: int = 1


class Across(NamedTuple):
    """How results are put together of what ranks have of an axis.

    Attributes
    ----------
    lines : callable
        ``lines(*types, cut, **attrs) -> iterable of Line``: what it can go along; one of them may be split. `cut` says
        of each operand which axes are.
    compute : callable
        ``compute(*operands, ranks, **attrs) -> Value``, or several: the nodes, of what this rank has of the operands;
        `ranks` communicates along the axis (`lazyarr.ops.across.Ranks`).
    worth : callable, optional
        ``worth(*types, ranges, costs, **attrs) -> bool``: whether that is better than that every rank gets all of the
        operands, and does all of it.
    """

    lines: Callable[..., Any]
    compute: Callable[..., Any]
    worth: Callable[..., bool] | None = None


@dataclass(frozen=True, eq=False)
class Op:
    """An operation. Every field up to `samples` is required; declaring registers it under its name.

    Attributes
    ----------
    name : str
        As printed.
    numpy : str
        The NumPy expression it stands for, for readers.
    infer : callable
        ``infer(*types, **attrs) -> ArrayType | tuple of ArrayType``; raises TypeError or ValueError.
    evaluate : callable
        ``evaluate(xp, *arrays, **attrs)`` with ``xp`` an array namespace: NumPy gives the reference result,
        ``jax.numpy`` the XLA lowering unless `jax` is set. Must not modify its arguments.
    jax : callable or None
        ``jax(jax, *arrays, **attrs)``, given the ``jax`` module: the XLA lowering where it has to differ.
    access : callable
        ``access(*types, **attrs) -> tuple of OperandAccess``, the same for every result.
    pointwise : bool
        Whether a result element is one function of the operands' elements at its position, as they broadcast,
        whatever the shapes: the operation may then be done on parts, before elements are repeated, or after some
        are selected. No attribute holds a shape or a position.
    memory : str
        What the results' memory is in NumPy. ``"fresh"``: their own. ``"view"``: that of the first operand, of which
        no data moves. ``"free"``: their own, but no operand is more than a scalar, and making them again costs less
        than keeping them.
    cost : callable
        ``cost(*types, **attrs) -> Cost``.
    backends : tuple of str
        Back ends that can run it, the best first, by measurement.
    samples : callable
        ``samples() -> iterable of Sample``.
    scalar_loops : tuple of int
        Operands for which NumPy runs another loop where they are scalars, one that gives other bits than an array of
        that scalar would. ``numpy.power`` computes ``x * x`` for the scalar exponent 2.
    slowdown : mapping of str to float
        For a back end but the first, how many times longer it takes, as measured; 1 for those that it does not name.
    regions : Repeated, optional
        How an operation runs the graphs among its attributes, if it runs them many times.
    padded : callable, optional
        ``padded(jax, arrays, lengths, **attrs) -> arrays``: how the XLA lowering takes operands with axes of run-time
        length (`extents.Length`). Arrays are as long as such an axis can become, and any number stands beyond the
        length; `lengths` has one entry for each axis of each operand, the length or None. Without it such operands
        keep an operation out of XLA, if it is not pointwise.
    dependent : bool
        Whether result types depend on operands' values, not only on their types (`extents.Length`): ``infer`` is then
        given the operand values.
    checked : bool
        Whether it reads or writes where integers among its operands say, and whoever records it checks them: it may
        run only where these checks have been made.
    part : callable or "same", optional
        How a part of the result is computed from parts of the operands: ``part(operands, given, wanted, whole,
        **attrs) -> Value`` makes the nodes for indices `wanted` (a range for each axis of the result) of operands of
        which indices `given` are there (for each a range an axis): what `access` says is read; their types are `whole`.
        ``"same"``: by the same operation with the same attributes, as they name no extent and no place. Not needed if
        it is pointwise; without it an operation is not split over ranks.
    ordered : callable, optional
        ``ordered(*operands, **attrs) -> Value | None``, or all of several results: what stands for it where bits must
        not depend on how operands are split; None where its own do not.
    across : Across, optional
        How a result is computed where an axis that it goes along is split; of several results every rank gets all of
        those after the first.
    into : callable, optional
        ``into(x, *others, **attrs)``: as `evaluate`, with NumPy, of an operation whose result is its first operand with
        something written to it; writes that to `x` itself.
    fills : callable, optional
        ``fills(results, *arrays, **attrs)``: as `evaluate`, with NumPy; writes to arrays of the results' types, of any
        strides, that share no memory with the operands. Not needed: results are copied to such arrays otherwise.
    communicates : bool
        Whether ranks send each other something: it takes the token of the one before it, as its last operand but for
        those that are there for the order alone, and gives its own, as its last result.
    rearranged : callable, optional
        ``rearranged(x, layout, large, **attrs) -> Layout``, of an operation that gives the elements of an operand in
        their order: how the result is split if the operand's split axes do not stay, so that little moves from owner to
        owner. `large` says whether it is worth being split unevenly.
    """

    name: str
    numpy: str
    infer: Callable[..., ArrayType | Types]
    evaluate: Callable[..., Any]
    jax: Callable[..., Any] | None
    access: Callable[..., tuple[OperandAccess, ...]]
    pointwise: bool
    memory: Memory
    cost: Callable[..., Cost]
    backends: tuple[str, ...]
    samples: Callable[[], Any]
    scalar_loops: tuple[int, ...] = ()
    slowdown: Mapping[str, float] = field(default_factory=dict)
    regions: Repeated | None = None
    padded: Callable[..., Any] | None = None
    dependent: bool = False
    checked: bool = False
    part: Callable[..., Any] | str | None = None
    across: Across | None = None
    ordered: Callable[..., Any] | None = None
    rearranged: Callable[..., Any] | None = None
    into: Callable[..., None] | None = None
    fills: Callable[..., None] | None = None
    communicates: bool = False

    def __post_init__(self) -> None:
        if not set(self.slowdown) <= set(self.backends[1:]):
            raise ValueError(f"slowdown of {self.name!r} names {', '.join(self.slowdown)}; its back ends after the "
                             f"first are {', '.join(self.backends[1:]) or 'none'}")
        if self.memory not in get_args(Memory):
            raise ValueError(f"memory of {self.name!r} is {self.memory!r}, not one of {get_args(Memory)}")
        if self.name in OPS:
            raise ValueError(f"operation {self.name!r} is declared twice")
        OPS[self.name] = self

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return lookup, (self.name,)


#: Every declared operation by name.
OPS: dict[str, Op] = {}


def lookup(name: str) -> Op:
    """The operation called `name`.

    Raises
    ------
    KeyError
        If none is declared by that name.
    """
    try:
        return OPS[name]
    except KeyError:
        raise KeyError(f"no operation is called {name!r}") from None


def streaming_cost(flops_per_element: float = 1.0) -> Callable[..., Cost]:
    """Cost of an operation that reads its operands once and writes its results once.

    The result's bytes are taken from the operands' broadcast at the widest operand dtype, which is exact
    for most element-wise work and needs no second type inference.
    """
    from lazyarr.ir import extents

    def cost(*types: ArrayType, **attrs: Any) -> Cost:
        if not types:
            return Cost(0, 0)
        size = extents.size(extents.broadcast(*(t.shape for t in types)))
        width = max(t.dtype.itemsize for t in types)
        return Cost(flops_per_element * size, sum((t.nbytes for t in types), 0) + size * width)

    return cost
