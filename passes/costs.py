"""What running something costs, in seconds: the measured numbers that `place` decides by.

Measured on two cores of an x86-64 server with jax 0.10 and NumPy 2.4, float64; they are read as ratios. An
operation's own arithmetic and bytes stand in its declaration.
"""

from __future__ import annotations

from collections.abc import Iterable

from lazyarr.ir import extents
from lazyarr.ir.graph import Graph
from lazyarr.ir.node import Node, Value

#: One addition in a loop that stays in cache, and one byte read or written.
SECONDS_PER_FLOP = 0.25e-9
SECONDS_PER_BYTE = 0.1e-9
#: Calling one NumPy function, and starting one XLA executable.
NUMPY_CALL = 1e-6
XLA_CALL = 20e-6
#: Handing values from one back end to another: once, and for each byte.
CROSSING = 20e-6
CROSSING_PER_BYTE = 0.1e-9
#: A byte of a result that NumPy touches for the first time; making native code for a graph, and for each operation.
FRESH_BYTE = 0.3e-9
COMPILING, COMPILING_NODE = 0.03, 0.003
#: Each operand beyond two (of a `concatenate`) is a copy of its own, and LLVM's time grows faster than their number.
COMPILING_OPERAND, COMPILING_PAIR = 0.0012, 1.9e-6
#: What the interpreter does around a call of NumPy.
INTERPRETED_NODE = 5e-6


def slowdown(node: Node, backend: str) -> float:
    """How many times slower `node` runs on `backend` than on its operation's first choice."""
    return node.op.slowdown.get(backend, 1.0)


def node_seconds(node: Node, backend: str) -> float:
    """Time of one node by itself, its operands and results in memory."""
    cost = node.cost
    seconds = extents.number(cost.flops) * SECONDS_PER_FLOP + extents.number(cost.bytes) * SECONDS_PER_BYTE
    return float(seconds * slowdown(node, backend) + (NUMPY_CALL if backend != "xla" else 0.0))


def fused_seconds(nodes: Iterable[Node], border: Iterable[Value]) -> float:
    """Time of XLA nodes run as one executable that reads and writes only the values on its border."""
    flops = sum(extents.number(n.cost.flops) * slowdown(n, "xla") for n in nodes)
    return float(flops * SECONDS_PER_FLOP + nbytes(border) * SECONDS_PER_BYTE)


def crossing_seconds(values: Iterable[Value]) -> float:
    """Time of handing `values` to another back end at one point of the program; nothing for no values."""
    values = list(values)
    return CROSSING + nbytes(values) * CROSSING_PER_BYTE if values else 0.0


def nbytes(values: Iterable[Value]) -> int:
    """Bytes of values, symbolic extents at their bounds."""
    return sum(extents.bound(v.type.nbytes) for v in values)


def pays_at_once(graph: Graph) -> bool:
    """Whether fresh memory for NumPy's results alone would cost more than native code, which needs less of it."""
    size = nbytes(value for node in graph.nodes if node.op.pointwise for value in node.values)
    return size * FRESH_BYTE > compiling_seconds(graph)


def compiling_seconds(graph: Graph) -> float:
    """About how long it takes to make native code for a graph."""
    joined = sum(len(node.operands) - 2 for node in graph.nodes if len(node.operands) > 2)
    return COMPILING + COMPILING_NODE * len(graph.nodes) + joined * (COMPILING_OPERAND + COMPILING_PAIR * joined)


def interpreting_seconds(graph: Graph) -> float:
    """About how long it takes to interpret a graph once: where no clock may say it, for ranks decide alike."""
    return sum(node_seconds(node, "numpy") + INTERPRETED_NODE for node in graph.nodes)
