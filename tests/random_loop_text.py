"""The text of random programs with control flow: lines and blocks."""

from __future__ import annotations

from dataclasses import dataclass

from tests.random_loop_scope import Scope


@dataclass(frozen=True)
class Line:
    """A statement on one line."""

    text: str

    def lines(self) -> list[str]:
        """The source."""
        return [self.text]


@dataclass(frozen=True)
class Block:
    """A compound statement: headers (``for ...:``, then ``else:``) with their bodies."""

    parts: tuple[tuple[str, tuple[Node, ...]], ...]

    def lines(self) -> list[str]:
        """The source."""
        found = []
        for header, body in self.parts:
            found.append(header)
            found += [f"    {line}" for node in body for line in node.lines()] or ["    pass"]
        return found


Node = Line | Block
Made = tuple[list[Node], Scope]


def bare(text: str) -> str:
    """An expression without parentheses around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    level = 0
    for k, c in enumerate(text):
        level += (c == "(") - (c == ")")
        if level == 0 and k < len(text) - 1:
            return text
    return text[1:-1]
