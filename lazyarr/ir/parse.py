"""Reading the text of a graph; `lazyarr.ir.text` says what it is, and prints it."""

from __future__ import annotations

import difflib
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, NoReturn

import numpy as np

from lazyarr.ir import extents, types
from lazyarr.ir.extents import Length
from lazyarr.ir.graph import Check, Graph, param
from lazyarr.ir.node import Literal, Node, Value, make
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES, ArrayType


class ParseError(ValueError):
    """The text is not a graph: where, what was expected, and what came.

    Attributes
    ----------
    line : int
        Line of the text, from 1.
    """

    def __init__(self, line: int, message: str):
        super().__init__(f"line {line}: {message}")
        self.line = line



class _Token(NamedTuple):
    kind: str
    text: str
    line: int


_TOKEN = re.compile(
    r"""(?P<skip>[ \t\r\f\v]+|\#[^\n]*)
      | (?P<newline>\n)
      | (?P<value>%[A-Za-z0-9_]+)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<extents>\[[^\]\n]*\])
      | (?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|inf\b|nan\b))
      | (?P<name>[A-Za-z_][A-Za-z0-9_.]*)
      | (?P<mark><=|[(){},:=])""",
    re.VERBOSE,
)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    line, at = 1, 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ParseError(line, f"unexpected character {text[at]!r}")
        kind = str(match.lastgroup)
        if kind == "newline":
            line += 1
        elif kind != "skip":
            found.append(_Token(kind, match[0], line))
        at = match.end()
    found.append(_Token("end", "", line))
    return found


def parse(text: str) -> Graph:
    """The graph that `show` printed as `text`: the same object, if it still exists.

    Parameters
    ----------
    text : str
        Comments and origins are skipped.

    Raises
    ------
    ParseError
        Naming the line, what was expected and what came; also where an operation refuses its operands, or
        its type is not the one written.
    """
    parser = _Parser(_tokens(text))
    graph = parser.graph()
    parser.expect("end", "the end of the text")
    return graph


def parse_attr(text: str) -> Any:
    """The attribute value that `lazyarr.ir.text.show_attr` printed as `text`.

    Raises
    ------
    ParseError
        If it is none.
    """
    parser = _Parser(_tokens(text))
    value = parser.attr()
    parser.expect("end", "the end of the text")
    return value


class _Parser:
    """A recursive-descent parser; it recurses into regions and tuples only."""

    def __init__(self, tokens: list[_Token]):
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._at]

    def fail(self, message: str, line: int | None = None) -> NoReturn:
        raise ParseError(self.next.line if line is None else line, message)

    def take(self) -> _Token:
        token = self.next
        if token.kind != "end":
            self._at += 1
        return token

    def expect(self, kind: str, what: str, text: str | None = None) -> _Token:
        token = self.next
        if token.kind != kind or (text is not None and token.text != text):
            came = "the end of the text" if token.kind == "end" else repr(token.text)
            self.fail(f"expected {what}, got {came}")
        return self.take()

    def mark(self, text: str) -> _Token:
        return self.expect("mark", repr(text), text)

    def skip(self, text: str) -> bool:
        """Take the mark `text` if it comes next."""
        if self.next.kind == "mark" and self.next.text == text:
            self._at += 1
            return True
        return False

    def listed(self, close: str) -> Iterator[None]:
        """Once for each item of a list that ends with the mark `close`."""
        while not self.skip(close):
            yield
            if not self.skip(","):
                self.expect("mark", f"',' or {close!r}", close)
                return

    # ------------------------------------------------------------------------------------------ graphs

    def graph(self) -> Graph:
        self.expect("name", "a graph", "graph")
        self.mark("(")
        start = self._at
        # Symbols are declared after the parameters whose types use them.
        depth = 1
        while depth:
            token = self.take()
            if token.kind == "end":
                self.fail("expected ')' after the parameters, got the end of the text")
            depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "mark" else 0
        if self.next.text == "where" and self.next.kind == "name":
            self.take()
            self.bounds()
        body = self._at
        self._at = start
        values: dict[str, Value] = {}
        params: list[Value] = []
        # Types of parameters may name parameters that come later: those that are scalars are read first.
        self._scalar_params(values)
        self._at = start
        scalars, values = values, {}
        for _ in self.listed(")"):
            name = self.expect("value", "a parameter such as %0")
            if name.text in values:
                self.fail(f"the parameter {name.text} is declared twice", name.line)
            self.mark(":")
            type = self.type(scalars)
            index = len(params)
            if self.skip("{"):
                self.expect("name", "index", "index")
                self.mark("=")
                index = int(self.expect("number", "an index").text)
                self.mark("}")
            values[name.text] = param(index, type)
            params.append(values[name.text])
        self._at = body
        self.mark("{")
        nodes: dict[Node, None] = {}
        checks: list[Check] = []
        while not (self.next.kind == "name" and self.next.text == "return"):
            if self.next.text == "check" and self._tokens[self._at + 1].kind == "value":
                checks.append(self.check(values))
            else:
                nodes.setdefault(self.node(values))
        self.take()
        results: list[Value] = []
        for _ in self.listed("}"):
            results.append(self.operand(values))
        return Graph(params, results, checks, list(nodes))

    def _scalar_params(self, values: dict[str, Value]) -> None:
        """Read the parameters, and keep those whose types name no other."""
        index = 0
        for _ in self.listed(")"):
            name = self.expect("value", "a parameter such as %0")
            self.mark(":")
            known = "%" not in self._tokens[self._at + 1].text
            type = self.type() if known else (self.take(), self.take())
            place = index
            if self.skip("{"):
                self.take(), self.mark("=")
                place = int(self.expect("number", "an index").text)
                self.mark("}")
            if isinstance(type, ArrayType):
                values[name.text] = param(place, type)
            index += 1

    def bounds(self) -> None:
        while True:
            name = self.expect("name", "the name of an extent")
            self.mark("<=")
            bound = self.expect("number", "the bound of an extent")
            self.guard(name.line, extents.symbol, name.text, self.integer(bound))
            if not self.skip(","):
                return

    def operand(self, values: Mapping[str, Value]) -> Value:
        token = self.expect("value", "a value such as %0")
        if token.text not in values:
            self.fail(f"{token.text} is used before it is defined", token.line)
        return values[token.text]

    def check(self, values: Mapping[str, Value]) -> Check:
        self.take()
        ok = self.operand(values)
        exception = self.expect("name", "the name of an exception")
        return Check(ok, exception.text, self.string(self.expect("string", "a message in double quotes")))

    def node(self, values: dict[str, Value]) -> Node:
        line = self.next.line
        targets: list[str] = []
        if self.next.kind == "value":
            targets.append(self.take().text)
            while self.skip(","):
                targets.append(self.expect("value", "a value such as %0").text)
            self.mark("=")
            name = self.expect("name", "the name of an operation")
        else:
            name = self.expect("name", "a line '%0 = operation(...)', 'check ...' or 'return ...'")
        op = OPS.get(name.text)
        if op is None:
            near = difflib.get_close_matches(name.text, OPS, 1)
            hint = f"; the nearest is {near[0]!r}" if near else ""
            self.fail(f"no operation is called {name.text!r}{hint}", name.line)
        self.mark("(")
        operands = []
        for _ in self.listed(")"):
            operands.append(self.operand(values))
        attrs: dict[str, Any] = {}
        if self.skip("{"):
            for _ in self.listed("}"):
                key = self.expect("name", "the name of an attribute")
                if key.text in attrs:
                    self.fail(f"the attribute {key.text} is given twice", key.line)
                self.mark("=")
                attrs[key.text] = self.attr()
        declared: list[ArrayType] = []
        if targets:
            self.mark(":")
            declared.append(self.type(values))
            while self.skip(","):
                declared.append(self.type(values))
        node: Node = self.guard(line, make, op, tuple(operands), tuple(sorted(attrs.items())), what=f"{op.name}: ")
        if len(node.types) != len(targets):
            self.fail(f"{op.name} has {len(node.types)} results, the text names {len(targets)}", line)
        if node.types != tuple(declared):
            ours, theirs = (", ".join(map(str, t)) for t in (node.types, declared))
            self.fail(f"the result of {op.name} is {ours}, the text says {theirs}", line)
        for target, value in zip(targets, node.values, strict=True):
            if target in values:
                self.fail(f"{target} is defined twice", line)
            values[target] = value
        return node

    # ----------------------------------------------------------------------------------- types, attributes

    def guard(self, line: int, function: Any, *arguments: Any, what: str = "") -> Any:
        """Call `function`; what it raises about its arguments is an error of the text, at `line`."""
        try:
            return function(*arguments)
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            raise ParseError(line, f"{what}{error}") from error

    def type(self, values: Mapping[str, Value] | None = None) -> ArrayType:
        name = self.expect("name", "a type such as f64[3,4] or float")
        shape = self.take().text if self.next.kind == "extents" else ""
        if "%" in shape and name.text in DTYPES:
            inner = [self.extent(part.strip(), values or {}, name.line) for part in shape[1:-1].split(",")]
            return ArrayType(DTYPES[name.text], tuple(inner))
        found: ArrayType = self.guard(name.line, types.parse, name.text + shape)
        return found

    def extent(self, text: str, values: Mapping[str, Value], line: int) -> Any:
        """One extent: ``%3<=9`` is a `Length`."""
        match = re.fullmatch(r"(%\w+)<=(\d+)", text)
        if match is None:
            return self.guard(line, extents.parse, text)
        if match[1] not in values:
            self.fail(f"the length {match[1]} is used before it is defined", line)
        return Length(values[match[1]], int(match[2]))

    def string(self, token: _Token) -> str:
        text: str = self.guard(token.line, json.loads, token.text)
        return text

    def integer(self, token: _Token) -> int:
        value: int = self.guard(token.line, lambda: int(token.text, 0))
        return value

    def attr(self) -> Any:
        token = self.next
        if token.kind == "name":
            return self.named_attr()
        self.take()
        if token.kind == "number":
            return _number(token.text)
        if token.kind == "string":
            return self.string(token)
        if token.kind == "extents":
            return self.guard(token.line, extents.parse, token.text[1:-1])
        if token.kind == "mark" and token.text == "(":
            items = []
            for _ in self.listed(")"):
                items.append(self.attr())
            return tuple(items)
        self._at -= token.kind != "end"
        return self.expect("attribute", "an attribute value")

    def named_attr(self) -> Any:
        token = self.next
        if token.text == "graph":
            return self.graph()
        after = self._tokens[self._at + 1]
        if token.text in DTYPES and after.kind == "mark" and after.text == "(":
            return self.literal()
        if after.kind == "extents":
            return self.type()
        self.take()
        if token.text in _CONSTANTS:
            return _CONSTANTS[token.text]
        if token.text in DTYPES:
            return DTYPES[token.text]
        return self.guard(token.line, types.parse, token.text, what="unknown attribute value: ")

    def literal(self) -> Literal:
        name = self.take()
        dtype = DTYPES[name.text]
        self.mark("(")
        parts = []
        for _ in self.listed(")"):
            parts.append(self.take())
        wanted = 2 if dtype.kind == "c" else 1
        if len(parts) != wanted:
            self.fail(f"a {name.text} constant has {wanted} part{'s' * (wanted > 1)}, got {len(parts)}", name.line)
        if dtype.kind == "b":
            if parts[0].text not in ("True", "False"):
                self.fail(f"expected True or False, got {parts[0].text!r}", name.line)
            return Literal(parts[0].text == "True", dtype)
        if dtype.kind in "iu":
            number = self.integer(parts[0])
            if not np.iinfo(dtype).min <= number <= np.iinfo(dtype).max:
                self.fail(f"{number} does not fit {name.text}", name.line)
            return Literal(number, dtype)
        part = np.dtype(f"f{dtype.itemsize // wanted}")
        values = np.array([self.guard(p.line, _float, p.text, part) for p in parts], part)
        return Literal(values.view(dtype)[0])


_CONSTANTS = {"True": True, "False": False, "None": None, "inf": math.inf, "nan": math.nan}


def _number(text: str) -> int | float:
    return int(text, 0) if re.fullmatch(r"-?(\d+|0x[0-9a-fA-F]+)", text) else float(text)


def _float(text: str, dtype: np.dtype[Any]) -> Any:
    """A float from its decimal text or from its bits in hexadecimal."""
    if text.startswith("0x"):
        return np.frombuffer(int(text, 16).to_bytes(dtype.itemsize, sys.byteorder), dtype)[0]
    return dtype.type(float(text))
