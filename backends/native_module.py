"""Text of LLVM IR: a module of functions, declarations and metadata; what is said of memory accesses and loops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazyarr.backends.native_emit import Code
    from lazyarr.backends.native_storage import Buffer

#: What may differ between equal functions: registers, labels, metadata.
LOCAL = re.compile(r"(?<![\w@.])%?((?:b|v|slot)\d+|!\d+)\b")
#: Arithmetic on floats, and its operands.
FLOATS = re.compile(r"( = f(?:add|sub|mul) (?:[a-z]+ )*?(double|float) )(\S+), (\S+)$", re.MULTILINE)
#: Numbers that LLVM makes something else of: 0, 1 and 2, and their negatives.
_SPECIAL = {f"0x{sign}{rest}" for sign, rest in [
    ("0", "0" * 15), ("8", "0" * 15), ("3", "FF" + "0" * 13), ("B", "FF" + "0" * 13), ("4", "0" * 15), ("C", "0" * 15)
]}  # fmt: skip


def lifted(text: str, most: int = 16) -> tuple[str, dict[str, tuple[str, str]]]:
    """A text in which registers stand for the numbers of its arithmetic, and what they are: types, and values.

    Functions that differ in numbers alone are then equal. A text with more than `most` numbers is left as it is.
    """
    names: dict[tuple[str, str], str] = {}

    def name(type: str, operand: str) -> str:
        if operand[0] == "%" or operand in _SPECIAL:
            return operand
        return names.setdefault((type, operand), f"%number{len(names)}")

    found = FLOATS.sub(lambda m: f"{m[1]}{name(m[2], m[3])}, {name(m[2], m[4])}", text)
    return (found, {n: key for key, n in names.items()}) if len(names) <= most else (text, {})


class Module:
    """A module: functions, declarations, metadata."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.declarations: dict[str, str] = {}
        self._metadata: list[str] = []
        self._parts: dict[str, str] = {}
        #: Vector functions that must stay declared: the vectorizer looks them up by name.
        self.kept: dict[str, None] = {}

    def part(self, text: str, arrays: Sequence[str] = ()) -> str:
        """The function of a range with a body; one that is equal but for names may have been made before.

        `arrays` are further parameters: addresses of memory that does not overlap.
        """
        renamed: dict[str, str] = {}

        def canonical(match: re.Match[str]) -> str:
            return renamed.setdefault(match[1], f"{match[1][0]}{len(renamed)}")

        key = f"{len(arrays)} {LOCAL.sub(canonical, text)}"
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = f"part{len(self._parts)}"
            more = "".join(f", ptr noalias {name}" for name in arrays)
            head = f"define internal void @{found}(ptr noalias %table, i64 %begin, i64 %end{more}) noinline {{"
            self.functions.append(f"{head}\n{text}")
        return found

    def declare(self, name: str, text: str) -> None:
        """Declare, or define, a global once."""
        self.declarations.setdefault(name, text)

    def metadata(self, text: str | None = None) -> int:
        """A new metadata node; without text it is to be set later."""
        self._metadata.append(text or "")
        return len(self._metadata) - 1

    def set_metadata(self, number: int, text: str) -> None:
        self._metadata[number] = text

    def about_loop(self, said: Sequence[str]) -> str:
        """The text to be added to the last branch of a loop.

        One that says nothing too: LLVM may take what the loop around says for a loop's own where that has nothing.
        """
        loop, nodes = self.metadata(), [self.metadata(text) for text in said]
        self.set_metadata(loop, f"distinct !{{{', '.join(f'!{k}' for k in (loop, *nodes))}}}")
        return f", !llvm.loop !{loop}"

    def __str__(self) -> str:
        kept = ""
        if self.kept:
            names = ", ".join(f"ptr @{name}" for name in self.kept)
            kept = f'@llvm.compiler.used = appending global [{len(self.kept)} x ptr] [{names}], section "llvm.metadata"'
        nodes = [f"!{k} = {text}" for k, text in enumerate(self._metadata)]
        return "\n".join([*self.declarations.values(), kept, *self.functions, *nodes, ""])


class Aliases:
    """What may be said of the memory accesses of one statement: different buffers do not overlap."""

    def __init__(self, code: Code):
        self._code, self._module = code, code.module
        self._begin = len(code.lines)
        self._domain = self._module.metadata()
        self._module.set_metadata(self._domain, f"distinct !{{!{self._domain}}}")
        self._scopes: dict[Buffer, tuple[int, int, int]] = {}
        #: Whether the accesses are in a function of their own, which is not inlined.
        self.outlined = False
        self._group: int | None = None
        self._module.declare("scope.decl", "declare void @llvm.experimental.noalias.scope.decl(metadata)")

    def of(self, buffer: Buffer) -> str:
        """The text to be added to a load or store in `buffer`."""
        found = self._scopes.get(buffer)
        if found is None:
            scope = self._module.metadata()
            self._module.set_metadata(scope, f"distinct !{{!{scope}, !{self._domain}}}")
            found = self._scopes[buffer] = (scope, self._module.metadata(f"!{{!{scope}}}"), self._module.metadata())
        group = "" if self._group is None else f", !llvm.access.group !{self._group}"
        return f", !alias.scope !{found[1]}, !noalias !{found[2]}{group}"

    def free(self) -> str:
        """What is to be said of a loop: no iteration reads what another one writes.

        That is said of the accesses from here on.
        """
        if self._group is None:
            self._group = self._module.metadata("distinct !{}")
        return f'!{{!"llvm.loop.parallel_accesses", !{self._group}}}'

    def close(self) -> None:
        every = [scope for scope, _, _ in self._scopes.values()]
        # Within a loop that is unrolled, each copy of the statement gets scopes of its own.
        declare = "  call void @llvm.experimental.noalias.scope.decl(metadata"
        own = [f"{declare} !{alone})" for _, alone, _ in self._scopes.values() if not self.outlined]
        self._code.lines[self._begin : self._begin] = own
        for scope, _, others in self._scopes.values():
            self._module.set_metadata(others, f"!{{{', '.join(f'!{s}' for s in every if s != scope)}}}")
