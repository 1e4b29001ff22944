"""Node and Value: one application of an operation, and one of its results.

Nodes are frozen and interned: equal nodes are one object, so common subexpressions vanish when they are
made, and comparing is ``is``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import ref

import numpy as np

from lazyarr import forks
from lazyarr.ir.access import OperandAccess
from lazyarr.ir.extension import compiled
from lazyarr.ir.op import Cost, Op, Types
from lazyarr.ir.types import ArrayType, bounded

if TYPE_CHECKING:
    from lazyarr.ir.graph import Graph

Attrs = tuple[tuple[str, Any], ...]


_NO_LINES: frozenset[tuple[str, int]] = frozenset()
_NO_KEYWORDS: dict[str, Any] = {}


class Literal:
    """A constant scalar as an attribute: compared by dtype and bits, so that -0.0 is not 0.0 and NaN is NaN.

    Attributes
    ----------
    dtype : numpy.dtype
    value : numpy.generic
    """

    __slots__ = ("_key", "dtype", "value")

    def __init__(self, value: Any, dtype: np.dtype[Any] | None = None):
        array = np.asarray(value, dtype)
        self.dtype = array.dtype
        self.value = array[()]
        self._key = (array.dtype, array.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return repr(self.value.item())


class Value(NamedTuple):
    """One result of a node."""

    node: Node
    index: int  # type: ignore[assignment]  # hides tuple.index, which a Value has no use for

    @property
    def type(self) -> ArrayType:
        return self.node.types[self.index]

    def __repr__(self) -> str:
        suffix = f"#{self.index}" if len(self.node.types) > 1 else ""
        return f"<{self.node.op.name}{suffix}: {self.type}>"


class Node:
    """One application of an operation. Make it with `make`.

    Attributes
    ----------
    op : Op
    operands : tuple of Value
    attrs : tuple of (name, value)
        Sorted by name; values are hashable, and a `Graph` value is a region (closed: it sees only its
        parameters).
    known : tuple
        `attrs` as a key (`exact`).
    kw : dict
        `attrs` as keyword arguments. Not to be changed.
    types : tuple of ArrayType
        One a result.
    lines : frozenset of (file name, line number)
        The user's lines that recorded this work. Beside the identity: equal work from two lines is one node.
    """

    __slots__ = ("__weakref__", "_access", "attrs", "known", "kw", "lines", "op", "operands", "types")
    _access: tuple[OperandAccess, ...]
    op: Op
    operands: tuple[Value, ...]
    attrs: Attrs
    known: Any
    kw: dict[str, Any]
    types: Types
    lines: frozenset[tuple[str, int]]

    def __init__(self, op: Op, operands: tuple[Value, ...], attrs: Attrs, types: Types, known: Any = None):
        self.op = op
        self.operands = operands
        self.attrs = attrs
        self.known = exact(attrs) if known is None else known
        self.kw = dict(attrs) if attrs else _NO_KEYWORDS
        self.types = types
        self.lines = _NO_LINES

    @property
    def values(self) -> tuple[Value, ...]:
        return tuple(Value(self, i) for i in range(len(self.types)))

    @property
    def cost(self) -> Cost:
        """What running it costs, by its declaration."""
        return self.op.cost(*bounded([v.type for v in self.operands]), **self.kw)

    @property
    def access(self) -> tuple[OperandAccess, ...]:
        """How each operand's axes reach the results, by its declaration."""
        # (Kept: passes ask for each operand, and arrays that are joined may be thousands.)
        try:
            return self._access
        except AttributeError:
            found = self._access = self.op.access(*bounded([v.type for v in self.operands]), **self.kw)
            return found

    @property
    def regions(self) -> Iterator[Graph]:
        """The graphs among the attributes."""
        from lazyarr.ir.graph import Graph

        return (value for _, value in self.attrs if isinstance(value, Graph))

    def __repr__(self) -> str:
        return f"<node {self.op.name}: {', '.join(map(str, self.types))}>"

    def __reduce__(self) -> Any:
        raise TypeError("nodes are not pickled; print the graph with lazyarr.ir.text and parse it")


class _Known(ref[Node]):
    """A node that is alive, and under which key it is known."""

    __slots__ = ("key",)
    key: Any


#: Where the extension does not keep them. (A `WeakValueDictionary` takes three times as long.)
_nodes: dict[Any, _Known] = {}


def _forget(known: _Known) -> None:
    with _lock:
        if _nodes.get(known.key) is known:
            del _nodes[known.key]


_inferred: dict[Any, Types] = {}
_lock = forks.lock()


def exact(attrs: Attrs) -> Any:
    """Attributes as a key: Python holds ``1``, ``1.0`` and ``True`` equal, and ``0.0`` and ``-0.0``; nodes do not."""
    for _, value in attrs:
        kind = type(value)
        if kind is bool or kind is float:
            return _exact(attrs)
        if kind is tuple:
            for item in value:
                if type(item) is not int:
                    return _exact(attrs)
    return attrs


def _exact(value: Any) -> Any:
    kind = type(value)
    if kind is tuple:
        return tuple([_exact(item) for item in value])
    if kind is bool:
        return bool, value
    return (float, value.hex()) if kind is float else value


def infer(op: Op, types: Types, attrs: Attrs) -> Types:
    """Result types of `op`, remembered."""
    key = (op.name, types, exact(attrs))
    found = _inferred.get(key)
    if found is None:
        result = op.infer(*types, **dict(attrs))
        found = (result,) if isinstance(result, ArrayType) else tuple(result)
        if len(_inferred) > 100_000:
            _inferred.clear()
        _inferred[key] = found
    return found


def _infer_of_values(op: Op, operands: tuple[Value, ...], attrs: Attrs) -> Types:
    """Result types of `op` applied to values, on which some decide their types."""
    if not op.dependent:
        return infer(op, tuple([v.node.types[v.index] for v in operands]), attrs)
    result = op.infer(*operands, **dict(attrs))
    return (result,) if isinstance(result, ArrayType) else tuple(result)


def _make(op: Op, operands: tuple[Value, ...] = (), attrs: Attrs = ()) -> Node:
    """The node that applies `op` to `operands`; the same object for the same arguments.

    Parameters
    ----------
    op : Op
    operands : tuple of Value
    attrs : tuple of (name, value)
        Sorted by name.

    Raises
    ------
    TypeError, ValueError
        From the operation's type rule.
    """
    known = exact(attrs) if attrs else attrs
    key = (op, operands, known)
    before = _nodes.get(key)
    found = None if before is None else before()
    if found is not None:
        return found
    node = Node(op, operands, attrs, _infer_of_values(op, operands, attrs), known)
    known_now = _Known(node, _forget)
    known_now.key = key
    with _lock:
        # (Another thread may have made it meanwhile.)
        before = _nodes.get(key)
        found = None if before is None else before()
        if found is None:
            _nodes[key] = known_now
        return node if found is None else found


#: A program records thousands of nodes: the extension makes them in a tenth of the time.
make: Callable[..., Node] = _make
if compiled is not None:
    compiled.install_making(Node, _infer_of_values, exact, _NO_LINES, _NO_KEYWORDS)
    make = compiled.make


def apply(op: Op, *operands: Value, **attrs: Any) -> Value:
    """The first result of `op` applied to `operands`."""
    return Value(make(op, operands, tuple(sorted(attrs.items())) if len(attrs) > 1 else tuple(attrs.items())), 0)


def apply_all(op: Op, *operands: Value, **attrs: Any) -> tuple[Value, ...]:
    """All results of `op` applied to `operands`."""
    return make(op, operands, tuple(sorted(attrs.items()))).values
