"""The text of a graph: `show` prints it, `parse` reads it back, and ``parse(show(graph)) is graph``.

::

    graph(%0: f64[n,4], %1: float) where n<=9 {
      %2 = cast(%1) {dtype=f64} : f64[]
      %3, %4 = divmod(%0, %2) : f64[n,4], f64[n,4]  # heat.py:12
      %5 = region(%3, %0) {backend="xla", body=graph(%0: f64[n,4], %1: f64[n,4]) {
        %2 = add(%0, %1) : f64[n,4]
        return %2
      }} : f64[n,4]
      check %9 IndexError "index out of bounds for axis 0 with size 3"
      return %5, %4
    }

Attribute values: ``3``, ``0.5``, ``-inf``, ``nan``, ``True``, ``None``, ``"text"``, dtypes (``f64``), types
(``f64[3]``), constants with their dtype (``f32(0.1)``, ``c128(0.0, -0.0)``, and a NaN that is not the usual
one by its bits, ``f64(0xfff8000000000000)``), symbolic extents (``[n+1]``), tuples of these, and graphs. An
extent known at run time is the value that holds it, with its bound: ``f64[4,%3<=9]``.
Names of values are free, blanks and line ends too; ``#`` starts a comment. Two lines that apply the same
operation to the same operands are one node, as everywhere.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.extents import Length
from lazyarr.ir.graph import Graph, Origins
from lazyarr.ir.node import Literal, Node, Value
from lazyarr.ir.parse import ParseError, parse, parse_attr
from lazyarr.ir.types import DTYPES, NAMES, ArrayType

__all__ = ["ParseError", "names", "parse", "parse_attr", "show", "show_attr", "show_lines", "show_node"]

_INDENT = "  "


def names(graph: Graph) -> dict[Value, str]:
    """The name `show` gives each value of `graph`, regions excepted: ``%0``, ``%1``, ..."""
    found: dict[Value, str] = {}
    for value in graph.params:
        found.setdefault(value, f"%{len(found)}")
    for node in graph.nodes:
        for value in node.values:
            found.setdefault(value, f"%{len(found)}")
    return found


def show(graph: Graph, origins: Origins | None = None) -> str:
    """The graph as text.

    Parameters
    ----------
    graph : Graph
    origins : mapping, optional
        The user's lines of each node, printed as a comment ``# file.py:12``.

    Returns
    -------
    str
        Without a line end at its end.

    Raises
    ------
    TypeError
        If an attribute is of a kind that has no text.
    """
    symbols: set[Any] = set()
    lines: list[str] = []
    _show_block(graph, origins or {}, "", lines, symbols)
    if symbols:
        bounds = ", ".join(f"{s}<={extents.bound(s)}" for s in sorted(symbols, key=str))
        lines[0] = lines[0].removesuffix("{") + f"where {bounds} {{"
    return "\n".join(lines)


def _show_block(graph: Graph, origins: Origins, indent: str, lines: list[str], symbols: set[Any]) -> None:
    """Append the lines of `graph`; the first continues the line that holds it, so it has no indent."""
    named = names(graph)
    inner = indent + _INDENT
    params = []
    for position, value in enumerate(graph.params):
        index = value.node.kw.get("index")
        note = "" if index == position else f" {{index={index}}}"
        params.append(f"{named[value]}: {_show_type(value.type, symbols, named)}{note}")
    lines.append(f"graph({', '.join(params)}) {{")
    for node in graph.nodes:
        lines.append(inner)
        _show_line(node, named, origins, inner, lines, symbols)
    for check in graph.checks:
        lines.append(f"{inner}check {_name(check.ok, named)} {check.exception} {json.dumps(check.message)}")
    lines.append(f"{inner}return {', '.join(_name(v, named) for v in graph.results)}".rstrip())
    lines.append(f"{indent}}}")


def _show_line(
    node: Node, named: Mapping[Value, str], origins: Origins, indent: str, lines: list[str], symbols: set[Any]
) -> None:
    """Append the text of a node to the last line; its regions add lines."""
    if node.types:
        lines[-1] += ", ".join(_name(v, named) for v in node.values) + " = "
    lines[-1] += f"{node.op.name}({', '.join(_name(v, named) for v in node.operands)})"
    for k, (key, value) in enumerate(node.attrs):
        lines[-1] += f"{', ' if k else ' {'}{key}="
        if isinstance(value, Graph):
            block: list[str] = []
            _show_block(value, origins, indent, block, symbols)
            lines[-1] += block[0]
            lines.extend(block[1:])
        else:
            lines[-1] += _show_attr(value, symbols)
    if node.attrs:
        lines[-1] += "}"
    if node.types:
        lines[-1] += " : " + ", ".join(_show_type(t, symbols, named) for t in node.types)
    found = origins.get(node)
    if found:
        lines[-1] += "  # " + show_lines(found)


def show_node(node: Node, named: Mapping[Value, str] | None = None) -> str:
    """One node as `show` prints it, its operands by `named` (see `names`) or, without, by their types.

    Unlike `show` it prints every node, also one that no verifier would let pass: it is what messages quote.
    """
    if named is not None:
        operands = ", ".join(_name(v, named) for v in node.operands)
        results = ", ".join(_name(v, named) for v in node.values) + " = " if node.types else ""
    else:
        operands = ", ".join(str(v.type) for v in node.operands)
        results = ""
    attrs = ", ".join(f"{key}={_show_any(value)}" for key, value in node.attrs)
    text = f"{results}{node.op.name}({operands})" + (f" {{{attrs}}}" if attrs else "")
    return text + (" : " + ", ".join(map(str, node.types)) if node.types else "")


def show_attr(value: Any) -> str:
    """The text of one attribute value; a graph takes several lines.

    Raises
    ------
    TypeError
        If values of its kind have no text.
    """
    return show(value) if isinstance(value, Graph) else _show_attr(value, set())


def show_lines(lines: Iterable[tuple[str, int]]) -> str:
    """The user's lines as ``heat.py:12, heat.py:14``."""
    return ", ".join(f"{os.path.basename(file)}:{line}" for file, line in sorted(lines))


def _show_any(value: Any) -> str:
    if isinstance(value, Graph):
        return f"graph of {len(value.nodes)} nodes"
    try:
        return _show_attr(value, set())
    except TypeError:
        return repr(value)


def _name(value: Value, named: Mapping[Value, str]) -> str:
    found = named.get(value)
    # No graph that verifies has such a value; a message about one that does not still has to be printed.
    return f"<undefined {value.node.op.name}>" if found is None else found


def _show_type(type: ArrayType, symbols: set[Any], named: Mapping[Value, str] | None = None) -> str:
    if extents.is_static(type.shape):
        return str(type)
    shape = []
    for extent in type.shape:
        if isinstance(extent, Length):
            shape.append(f"{_name(extent.scalar, named or {})}<={extent.bound}")
            continue
        if not isinstance(extent, int):
            symbols |= extent.free_symbols
        shape.append(extents.show(extent))
    return f"{NAMES[type.dtype]}[{','.join(shape)}]"


def _show_attr(value: Any, symbols: set[Any]) -> str:
    if value is None or isinstance(value, (bool, np.bool_)):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, tuple):
        inner = ", ".join(_show_attr(v, symbols) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, np.dtype):
        if value not in NAMES:
            raise TypeError(f"dtype {value} has no text; dtypes of attributes are {', '.join(DTYPES)}")
        return NAMES[value]
    if isinstance(value, Literal):
        return _show_literal(value)
    if isinstance(value, ArrayType):
        return _show_type(value, symbols)
    if hasattr(value, "free_symbols"):
        symbols |= value.free_symbols
        return f"[{extents.show(value)}]"
    raise TypeError(f"an attribute that is a {type(value).__name__} has no text: {value!r}")


def _show_literal(literal: Literal) -> str:
    dtype, value = literal.dtype, literal.value
    if dtype.kind == "c":
        parts = f"{_show_float(value.real)}, {_show_float(value.imag)}"
    elif dtype.kind == "f":
        parts = _show_float(value)
    else:
        parts = str(value.item())
    return f"{NAMES[dtype]}({parts})"


def _show_float(value: Any) -> str:
    """The shortest text that gives the same bits; the bits themselves for a NaN that ``nan`` does not give."""
    for text in (str(value), repr(float(value))):
        if type(value)(float(text)).tobytes() == value.tobytes():
            return text
    return hex(int.from_bytes(value.tobytes(), sys.byteorder))
