"""Little work outside accelerated functions, which NumPy does at once: recording and running it would take longer.

Recording an operation takes some 2 us and an evaluation 40; NumPy adds 100,000 numbers in that time where their pages
stay with the process (`lazyarr.kept_pages`). `Settings.eager_below` says where the border is, and `lazyarr.gains` where
it is now.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from lazyarr import kept_pages, settings
from lazyarr.backends.numpy import evaluate
from lazyarr.gains import gains
from lazyarr.ir.extents import Shape, is_static
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Attrs, Node, Value
from lazyarr.ir.op import Op
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import Leaf
from lazyarr.ops.create import CONST
from lazyarr.ops.elementwise import SELECT
from lazyarr.ops.linalg import MATMUL
from lazyarr.quiet import quietly
from lazyarr.world import Part
from lazyarr.world import active as ranks

kept_pages.follow()


def is_little(size: int, weight: float = 1.0) -> bool:
    """Whether NumPy computes so many elements sooner than they are recorded and run."""
    return size * weight < gains.below and not settings.current.reproducible


class Weight(NamedTuple):
    """What an element of an element-wise operation weighs beside an addition of two: about how much longer NumPy takes.

    Attributes
    ----------
    real, single, complex : float
        Of numbers of other kinds, of float32, of complex ones.
    """

    real: float
    single: float
    complex: float

    def of(self, *dtypes: np.dtype[Any]) -> float:
        """Where the operands have these dtypes."""
        if any(dtype.kind == "c" for dtype in dtypes):
            return self.complex
        return self.single if dtypes and all(dtype == np.float32 for dtype in dtypes) else self.real


#: What leaves bools writes an eighth as much; what has vector code in NumPy takes two to eight times as long as an
#: addition, in float32 hardly longer; what has none is computed one element at a time (sines in float64, remainders,
#: most of complex numbers: 16 to 130 ns an element, an addition 0.25), which native code does with vectors.
_TIMES = {
    **dict.fromkeys("equal not_equal less less_equal greater greater_equal isnan isfinite isinf signbit".split(),
                    Weight(0.4, 0.4, 1.0)),
    **dict.fromkeys("sqrt reciprocal".split(), Weight(1.0, 0.5, 20.0)),
    **dict.fromkeys("exp exp2 expm1 log log2 log10 log1p".split(), Weight(2.0, 1.0, 20.0)),
    **dict.fromkeys("sinh cosh tanh arctan arcsinh cbrt".split(), Weight(2.0, 1.0, 20.0)),
    "tan": Weight(4.0, 1.0, 20.0), **dict.fromkeys("power arctan2".split(), Weight(2.0, 1.0, 20.0)),
    **dict.fromkeys("arcsin arccos arccosh arctanh".split(), Weight(6.0, 4.0, 20.0)),
    "float_power": Weight(5.0, 5.0, 20.0),
    **dict.fromkeys("sin cos".split(), Weight(12.0, 1.5, 20.0)), "hypot": Weight(12.0, 8.0, 1.0),
    **dict.fromkeys("remainder floor_divide divmod lcm fmod gcd logaddexp logaddexp2".split(), Weight(8.0, 8.0, 1.0)),
    "divide": Weight(1.0, 0.5, 6.0), "sign": Weight(2.0, 1.0, 12.0),
}  # fmt: skip
OF_OTHERS = Weight(1.0, 0.5, 2.0)
#: What counts of a time above that of an addition where it is to be seen what is little: less, for what is recorded
#: has to be compiled, too.
_ABOVE = 0.3


def _time(op: Op) -> Weight:
    """How long NumPy takes for an element of an element-wise operation, in those of an addition."""
    return _TIMES.get(op.name, OF_OTHERS)


@cache
def weight(op: Op) -> Weight:
    """What an element of an element-wise operation weighs."""
    return Weight(*[time if time <= 1 else 1 + _ABOVE * (time - 1) for time in _time(op)])


def weight_of(node: Node) -> float:
    """What an element of a node that is element-wise weighs."""
    return weight(node.op).of(*[v.node.types[v.index].dtype for v in node.operands])


#: What an element weighs where all operands are bools: an eighth of the memory.
BOOLS = 0.125
#: What an element weighs that is read or written by index, or is part of work that is not fused with other: compiled
#: code takes as long as NumPy.
UNFUSED = 0.36
#: What an operation in place is beside one that makes an array: it writes to memory that it has read.
IN_PLACE = 0.4


@lru_cache(maxsize=4096)
def _elements(shape: Shape) -> int | None:
    """How many elements a value has; None where that is not known."""
    return math.prod(shape) if is_static(shape) else None


def may_be_little(node: Node) -> bool:
    """Whether a node, from its types alone, could be little work.

    (Nothing is where results must not depend on the number of ranks: native code's functions are not NumPy's to the
    last bit, and what is little on one rank may be split over others.)
    """
    below = 0 if settings.current.reproducible else gains.below
    large = False
    for value in node.operands:
        size = _elements(value.node.types[value.index].shape)
        # (Others may have a length that nobody knows, by its name then.)
        if size is None:
            return False
        large = large or size >= below
    if large:
        return below > 0 and not node.op.dependent and _numpys_own(node, below)
    return below > 0 and not node.op.dependent and all(
        (size := _elements(t.shape)) is not None and size < below for t in node.types
    )  # fmt: skip


def _numpys_own(node: Node, below: float) -> bool:
    """Whether NumPy makes little of large arrays as soon as anything does.

    It reads a few elements of the first one, by index; or it is a product, for which BLAS is called in any case.
    """
    if node.op.memory != "fresh" or any((size := _elements(t.shape)) is None or size >= below for t in node.types):
        return False
    if not all(exists(v) for v in node.operands):
        return False
    if node.op is MATMUL:
        return True
    types = [v.type for v in node.operands]
    moved = node.op.cost(*types, **node.kw).bytes
    # (A reduction reads all of it.)
    return isinstance(moved, int) and moved < min(32 * below, max(t.nbytes for t in types) // 2)


def exists(value: Value) -> bool:
    """Whether a value is data, a constant, or a view of data."""
    node = value.node
    while node.op.memory == "view" and len(node.operands) == 1:
        node = node.operands[0].node
    return isinstance(node, Leaf) or node.op is CONST


class LittleInARow:
    """How much little work was recorded with no large work between: parts of a large array that is not computed."""

    __slots__ = ("_copies", "_found", "_most", "in_a_row")

    def __init__(self) -> None:
        #: How much of it there is since anything large was recorded.
        self.in_a_row = 0
        self._found, self._most = 0, IN_A_ROW
        self._copies = 0

    def copies_much(self) -> bool:
        """Note a copy of data that pending work may have; whether there have been several."""
        self._copies = (self._copies + 1) % _COPIES
        return self._copies == 0

    def is_much(self, value: Value) -> bool:
        """Note a value that is pending; whether there are so many little ones that all should be computed.

        Each time it takes more of them, until something large is recorded: they may wait for another reason.
        """
        operands = value.node.operands
        # (What writes a part is as much work as the part.)
        of_part = value.node.op.name == "update_slice" and value.type == operands[0].type
        size = _elements((operands[1] if of_part else value).type.shape)
        if size is None or not is_little(size):
            if size is not None:
                self._found, self._most, self.in_a_row = 0, IN_A_ROW, 0
            return False
        self._found += 1
        self.in_a_row += 1
        if self._found <= self._most:
            return False
        self._found, self._most = 0, 2 * self._most
        return True


#: Operations on little data after which all is computed, the first time.
IN_A_ROW = 32
#: Copies of data that pending work may have after which that is computed.
_COPIES = 4


def results(node: Node, held: Callable[[Value], Any]) -> tuple[np.ndarray[Any, Any], ...] | None:
    """The results of a node that `may_be_little`, if it is little work on data that exists.

    Parameters
    ----------
    node : Node
    held : callable
        Gives the data of a value: an array, or a Python scalar; None where it is not computed.

    Returns
    -------
    tuple of ndarray, or None
        They may share memory with the data.
    """
    below = gains.below
    given = _whole(node.operands, [data_of(value, held) for value in node.operands], below)
    data = as_operands(node.operands, given)
    if data is None:
        return None
    # (`_numpys_own` of what is not little.)
    sizes = [x.size for x in given if type(x) is np.ndarray and x.size < below]
    # (Of numbers some operators are not what the ufunc is: `lazyarr.operators` looks at the node.)
    if not node.types[0].shape and (node.op.scalar_loops or node.types[0].dtype.kind == "c"):
        return None
    size = max(*sizes, *[t.size for t in node.types], 0)
    if not is_little(size, weight_of(node) if node.op.pointwise else 1.0):
        return None
    return quietly(evaluate, node, data)


#: How many operations in a row NumPy does at once where somebody asks for the last one; for how much work, as elements
#: that are little: an evaluation takes as long as to add 250,000 numbers more than half of which a second core adds.
STEPS, _EVALUATED = 6, 2.0
#: Operations that NumPy's definitions of statistics and norms need.
_PENDING = 40
#: Operations that read elements once, and leave little.
REDUCTIONS = frozenset(("reduce", "argmax", "argmin"))
#: What an element weighs in these: 100,000 are added up in 15 us, and it takes four times as long to record that and
#: evaluate it.
READ_ONCE = 0.09


#: What an evaluation takes, and what each node that is recorded adds to that, in times of work that is just not little.
_EVALUATION, _RECORDED = 1.5, 0.07
#: What native code takes to read an element of data, or to write one, beside an addition.
_TOUCHED = 0.75


def won(graph: Graph) -> float:
    """What it wins to record a graph and evaluate it, instead of having NumPy do each operation.

    In times of work that is just not little; nothing where lengths are not known.
    """
    work = 0.0
    for node in graph.nodes:
        # (What is not fused with other takes as long.)
        if node.op.pointwise or node.op.name in REDUCTIONS:
            work += _work(node)
    touched = {*graph.params, *graph.results}
    if work == math.inf or not all(is_static(v.type.shape) for v in touched):
        return 0.0
    work -= _TOUCHED * sum(float(v.type.nbytes) for v in touched) / 8
    return work / max(settings.current.eager_below, 1) - _EVALUATION - _RECORDED * len(graph.nodes)


def all_at_once(wanted: Sequence[Value], pending: Sequence[Value]) -> dict[Value, np.ndarray[Any, Any]] | None:
    """A value, and all on the way to it, where NumPy computes these in less time than they are captured and run.

    None where that is not so: one is much work, or is made of more than a few operations, or not of data that is there.
    Some of these may be views of others, or of data. Nor is it so where others that are `pending` read the same data:
    one pass over it does for all.
    """
    if len(wanted) != 1 or ranks or settings.current.reproducible or settings.current.eager_below <= 0:
        return None
    most = _EVALUATED * settings.current.eager_below
    # (That is soon seen of much work.)
    if _work(wanted[0].node) >= most:
        return None
    steps: dict[Node, None] = {}
    if not _is_short(wanted[0].node, steps) or sum(map(_work, steps)) >= most:
        return None
    read = {v.node for node in steps for v in node.operands if isinstance(v.node, Leaf)}
    if any(v.node not in steps and any(x.node in read for x in v.node.operands) for v in pending):
        return None
    done: dict[Value, np.ndarray[Any, Any]] = {}
    for node in steps:
        given = [done[v] if v in done else data_of(v, of_leaf) for v in node.operands]
        data = as_operands(node.operands, given)
        if data is None:
            return None
        done.update(zip(node.values, quietly(evaluate, node, data), strict=True))
    gains.note(-_EVALUATION)
    return done


def is_short(value: Value) -> bool:
    """Whether a value that is pending is few operations away from data, and these are little work."""
    left = below = 0.0 if ranks else float(settings.current.eager_below)
    found: set[Node] = set()
    to_see = [value]
    while to_see and left > 0 and len(found) <= _PENDING:
        v = to_see.pop()
        if not is_static(v.type.shape) or v.type.size >= below:
            return False
        if isinstance(v.node, Leaf) or v.node in found:
            continue
        found.add(v.node)
        left -= _work(v.node)
        to_see += v.node.operands
    return not to_see and left > 0 and len(found) <= _PENDING


def of_leaf(value: Value) -> Any:
    """The data of a value that is there; else None."""
    return value.node.data if isinstance(value.node, Leaf) else None


def _is_short(node: Node, steps: dict[Node, None]) -> bool:
    """Note the operations that a node needs, itself last; whether NumPy's own makes each of them, and they are few."""
    if node in steps:
        return True
    # (A selection of one of two mispredicts each second element in NumPy.)
    is_plain = node.op.pointwise and node.op not in (CONST, SELECT)
    is_view = node.op.memory == "view" and len(node.operands) == 1
    if not (is_plain or is_view or node.op.name in REDUCTIONS) or len(steps) >= STEPS:
        return False
    if not all(exists(v) or _is_short(v.node, steps) for v in node.operands):
        return False
    steps[node] = None
    return len(steps) <= STEPS


def _work(node: Node) -> float:
    """How many numbers NumPy adds in the time of a node; infinite where its size is not known."""
    return _work_of(node.op, tuple([v.type for v in node.operands]), node.attrs, node.types[0])


@lru_cache(maxsize=4096)
def _work_of(op: Op, given: tuple[ArrayType, ...], attrs: Attrs, made: ArrayType) -> float:
    if not all(is_static(t.shape) for t in (*given, made)):
        return math.inf
    if op.memory == "view":
        return 0.0
    if op.name in REDUCTIONS:
        return float(given[0].size * READ_ONCE)
    if all(t.dtype == bool for t in given):
        return float(BOOLS * made.size)
    cost: Any = op.cost(*given, **dict(attrs))
    time = _time(op).of(*[t.dtype for t in given]) if op.pointwise else 0.0
    # (An addition reads and writes 24 bytes in the time of two operations.)
    return float(max(cost.bytes / 24, time * made.size if time > 1 else 0 if op.pointwise else cost.flops / 2))


def as_operands(values: Sequence[Value], data: Sequence[Any]) -> list[Any] | None:
    """Data as a node's operation takes it: Python's numbers as arrays; None where some is not NumPy's."""
    found = [
        np.asarray(x, v.type.dtype) if isinstance(x, (int, float, complex)) and not isinstance(x, np.generic) else x
        for v, x in zip(values, data, strict=True)
    ]
    return found if all(type(x) is np.ndarray or isinstance(x, np.generic) for x in found) else None


#: Elements of a split array from which on it stays split, though little work is done with it.
_GATHERED = 50_000


def _whole(values: Sequence[Value], data: list[Any], below: float) -> list[Any]:
    """Data of which every rank has what is little and was split, if there is all that an operation needs.

    It stays whole: more of the kind will follow. (What is not so little has been split by dear work, or is part of
    much: more of that will follow, and ranks would give each other all of it again and again.)
    """
    if not any(isinstance(x, Part) for x in data):
        return data
    most = min(below, _GATHERED)
    if any(x is None or (isinstance(x, Part) and math.prod(x.shape) >= most) for x in data):
        return [None] * len(data)
    for value, x in zip(values, data, strict=True):
        if isinstance(x, Part) and isinstance(value.node, Leaf):
            value.node.data = x.whole()
    return [x.whole() if isinstance(x, Part) else x for x in data]


def data_of(value: Value, held: Callable[[Value], Any]) -> Any:
    """The data of a value, a constant's number, or NumPy's view of other data; None where that is not computed."""
    node = value.node
    if node.op is CONST:
        return node.kw["value"].value
    found = held(value)
    if found is None and node.op.memory == "view" and len(node.operands) == 1:
        viewed = data_of(node.operands[0], held)
        return evaluate(node, [viewed])[value.index] if type(viewed) is np.ndarray else None
    return found
