"""Statements of a long program as functions of their own, which equal ones share.

LLVM takes more than twice as long for a function of twice the size, and as long for each of a hundred equal loops as
for the first. So the code of a node that has a loop in it leaves the outermost function, if that is long; of pieces
that are equal but for registers, arrays and numbers there is one, and where the numbers differ they are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lazyarr.backends.native_emit import DEFINED, NAMES, Code
from lazyarr.backends.native_module import FLOATS, LOCAL

#: Lines from which on a program is long: that is a tenth of a second. From which on the body of a loop is, which is to
#: run fast: registers hold little arrays there.
LONG, LONG_LOOP = 1200, 4000
#: Lines from which on a piece is worth a call.
_LEAST = 16
#: Arguments of a piece at most; numbers in which equal pieces differ, at most.
_MOST, _NUMBERS = 48, 16
_LABELS = re.compile(r"%(b\d+)\b")
_LABEL = re.compile(r"^(b\d+):$", re.MULTILINE)
_SLOT = re.compile(r"%slot\d+")
_READ = re.compile(r"load ptr, ptr (%slot\d+)$", re.MULTILINE)
_PHI = re.compile(r"\[ (%\w+), ")
_ARRAY = re.compile(r"  (%\w+) = alloca ")
_TYPES = {"i1", "i8", "i16", "i32", "i64", "float", "double", "ptr"}
#: Where a number may as well be an argument: it decides no loop and no other instruction.
_OFFSET = re.compile(r"(  (%\w+) = (?:getelementptr inbounds \w+, ptr|add nsw i64) %\w+, )(?:i64 )?(-?\d+)$")
_CALL = re.compile(r"call \w+ @(\w+)\([^()]*\)$")


@dataclass
class _Piece:
    """The code of one node.

    Attributes
    ----------
    first, last : int
        Its lines in the outermost function; the last one goes on with what follows.
    follows : str
        The label there.
    inputs : dict of str to str
        Registers of the function around, and their types; of slots, the arrays' addresses.
    own : list of str
        Stack memory that nobody else uses.
    outputs : dict of str to str
        Registers that others use.
    fails : bool
        Whether it may end the program.
    """

    first: int
    last: int
    follows: str
    inputs: dict[str, str] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    fails: bool = False
    #: Whether all addresses that it gets are of different arrays: they come from slots.
    apart: bool = True
    #: Its text with holes, and what is in them: the type, the number.
    skeleton: str = ""
    text: str = ""
    numbers: list[tuple[str, str]] = field(default_factory=list)


def outline(code: Code) -> None:
    """Have the nodes of a long program be functions of their own."""
    if len(code.lines) < LONG:
        return
    pieces = list(_pieces(code))
    groups: dict[str, list[_Piece]] = {}
    for piece in pieces:
        _skeleton(code, piece)
        groups.setdefault(piece.skeleton, []).append(piece)
    calls: dict[int, list[str]] = {}
    for members in groups.values():
        for piece, lines in _together(code, members):
            calls[piece.first] = lines
    gone = {name for piece in pieces for name in piece.own if name not in code.scratches()}
    lines, at = [], 0
    for piece in pieces:
        lines += [*_kept(code, at, piece.first), *calls[piece.first]]
        at = piece.last + 1
    code.lines[:] = [*lines, *_kept(code, at, len(code.lines))]
    code.allocas[:] = [line for line in code.allocas if _defined(line) not in gone]


def _kept(code: Code, begin: int, end: int) -> Iterator[str]:
    """Lines that stay; functions with loops, which they call, are not to be where they are called."""
    for line in code.lines[begin:end]:
        match = _CALL.search(line)
        if match and "\n  br " in code.module.declarations.get(match[1], ""):
            line += " noinline"
        yield line


def _defined(line: str) -> str:
    found = DEFINED.match(line)
    return found[1] if found else ""


def _pieces(code: Code) -> Iterator[_Piece]:
    """What may be functions."""
    lines = code.lines
    spans = _spans(code)
    memory = {match[1]: line for line in code.allocas if (match := _ARRAY.match(line))}
    scratches = code.scratches()
    little = {line.rpartition(" ")[2] for line in code.allocas if line.startswith("  store ptr %local")}
    texts = ["\n".join(lines[i:j]) for i, j in spans]
    ends = [0, *(end for span in spans for end in span), len(lines)]
    rest = "\n".join("\n".join(lines[i:j]) for i, j in zip(ends[::2], ends[1::2], strict=True))
    #: In which part of the function each name stands; -1: in what lies between.
    users: dict[str, set[int]] = {}
    for k, text in enumerate([*texts, rest]):
        for name in {*NAMES.findall(text), *_LABELS.findall(text)}:
            users.setdefault(name, set()).add(k if k < len(texts) else -1)
    for k, (text, ((first, end), loop)) in enumerate(zip(texts, spans.items(), strict=True)):
        piece = _Piece(first, end - 1, lines[end][:-1])
        labels = set(_LABEL.findall(text))
        if len(labels) < 2 or piece.last - piece.first < _LEAST or lines[piece.last] != f"  br label %{piece.follows}":
            continue
        begins = lines[piece.first][:-1]
        if not set(_LABELS.findall(text)) <= labels | {piece.follows} or any(
            users.get(label, {k}) != {k} for label in labels - {begins}
        ):
            continue
        if set(_SLOT.findall(_READ.sub("", text))):
            continue  # (Its arrays exchange their addresses.)
        if loop and not little.isdisjoint(_SLOT.findall(text)):
            continue  # (Registers would not hold them.)
        defined = dict.fromkeys(DEFINED.findall(text))
        piece.fails = "\n  ret " in text
        for name in dict.fromkeys(NAMES.findall(text)):
            if name in defined:
                continue
            if name in memory and not _SLOT.match(name) and (users[name] == {k} or name in scratches):
                piece.own.append(memory[name])
            elif name in memory or name in ("%out", "%host"):
                piece.inputs[name] = "ptr"
            else:
                piece.inputs[name] = code.type_of(name)
                piece.apart = piece.apart and piece.inputs[name] != "ptr"
        for name in defined:
            if users[name] != {k}:
                piece.outputs[name] = code.type_of(name)
        if len(piece.inputs) <= _MOST and {*piece.inputs.values(), *piece.outputs.values()} <= _TYPES:
            yield piece


def _spans(code: Code) -> dict[tuple[int, int], bool]:
    """From which line to which the code of a node goes, and whether it is a loop; one in a loop where that is long."""
    places = {line[:-1]: k for k, line in enumerate(code.lines) if line[0] == "b"}
    levels = [[places[label] for label in cuts if label in places] for cuts in code.cuts]
    every = [span for level in levels for span in zip(level, level[1:], strict=False)]
    # (What was begun and given up may have left labels of another order.)
    every = sorted((span for span in every if span[0] < span[1]), key=lambda span: (span[0], -span[1]))
    found: dict[tuple[int, int], bool] = {}
    end = 0
    for k, (first, last) in enumerate(every):
        around = k + 1 < len(every) and every[k + 1][1] <= last
        if first >= end and not (around and last - first > LONG_LOOP):
            found[first, last] = around
            end = last
    return found


def _skeleton(code: Code, piece: _Piece) -> None:
    """Find what a piece has in common with others."""
    lines = code.lines[piece.first : piece.last + 1]
    turning = {name for line in lines for name in _PHI.findall(line)}

    def number(type: str, text: str) -> str:
        piece.numbers.append((type, text))
        return f"<#{len(piece.numbers) - 1}#>"

    found = []
    for line in lines:
        if match := FLOATS.search(line):
            operands = [x if x[0] == "%" else number(match[2], x) for x in match.groups()[2:]]
            line = f"{line[: match.start()]}{match[1]}{', '.join(operands)}"
        elif (match := _OFFSET.match(line)) and match[2] not in turning:
            kind = "i64 " if "getelementptr" in line else ""
            line = f"{match[1]}{kind}{number('i64', match[3])}"
        found.append(line)
    head = [f"{name} {type}" for name, type in (*piece.inputs.items(), *piece.outputs.items())]
    text = "\n".join([*head, *piece.own, *found, piece.follows])
    names: dict[str, str] = {}
    piece.skeleton = LOCAL.sub(lambda m: names.setdefault(m[1], f"{m[1][0]}{len(names)}"), text)
    # (The text itself, in the names of this one.)
    piece.text = "\n".join(found)


def _together(code: Code, members: list[_Piece]) -> Iterator[tuple[_Piece, list[str]]]:
    """One function for pieces that differ in numbers alone, if these are few; and the calls."""
    columns = list(zip(*(piece.numbers for piece in members), strict=True))
    differing = dict.fromkeys(column for column in columns if len(set(column)) > 1)
    if len(differing) > _NUMBERS:
        exact: dict[tuple[tuple[str, str], ...], list[_Piece]] = {}
        for piece in members:
            exact.setdefault(tuple(piece.numbers), []).append(piece)
        for same in exact.values():
            yield from _together(code, same)
        return
    first = members[0]
    names = {column: f"%n{k}" for k, column in enumerate(differing)}
    numbers = [names.get(column, column[0][1]) for column in columns]
    name = f"piece{len(code.module.functions)}"
    _define(code, first, name, numbers, [f"{column[0][0]} {n}" for column, n in names.items()])
    for k, piece in enumerate(members):
        yield piece, _call(code, piece, name, [f"{column[k][0]} {column[k][1]}" for column in names])


def _results(piece: _Piece) -> list[str]:
    return [*["i32"] * piece.fails, *piece.outputs.values()]


def _type(results: list[str]) -> str:
    return "void" if not results else results[0] if len(results) == 1 else f"{{ {', '.join(results)} }}"


def _return(results: list[str], values: Iterable[str], at: str) -> list[str]:
    """The lines that return values."""
    if len(results) < 2:
        return [f"  ret {' '.join([_type(results), *values])}"]
    lines, whole = [], "poison"
    for k, (type, value) in enumerate(zip(results, values, strict=True)):
        lines.append(f"  %r{at}.{k} = insertvalue {_type(results)} {whole}, {type} {value}, {k}")
        whole = f"%r{at}.{k}"
    return [*lines, f"  ret {_type(results)} {whole}"]


def _define(code: Code, piece: _Piece, name: str, numbers: list[str], more: list[str]) -> None:
    """The function that a piece becomes."""
    results = _results(piece)
    given, entry = [], list(piece.own)
    for register, type in piece.inputs.items():
        if _SLOT.match(register):
            given.append(f"ptr {'noalias ' * piece.apart}%in.{register[1:]}")
            entry += [f"  {register} = alloca ptr", f"  store ptr %in.{register[1:]}, ptr {register}"]
        else:
            given.append(f"{type} {register}")
    body = []
    for k, line in enumerate(re.sub(r"<#(\d+)#>", lambda m: numbers[int(m[1])], piece.text).split("\n")):
        if line.startswith("  ret i32 "):
            body += _return(results, [line[10:], *("poison" for _ in piece.outputs)], str(k))
        else:
            body.append(line)
    begins = code.lines[piece.first][:-1]
    end = _return(results, [*["0"] * piece.fails, *piece.outputs], "")
    head = f"define internal {_type(results)} @{name}({', '.join([*given, *more])}) noinline {{"
    lines = [head, "entry:", *entry, f"  br label %{begins}", *body, f"{piece.follows}:", *end, "}"]
    code.module.functions.append("\n".join(lines))


def _call(code: Code, piece: _Piece, name: str, more: list[str]) -> list[str]:
    """The lines that stand for a piece."""
    lines, given = [code.lines[piece.first]], []
    for register, type in piece.inputs.items():
        if _SLOT.match(register):
            address = code.name()
            lines.append(f"  {address} = load ptr, ptr {register}")
            given.append(f"ptr {address}")
        else:
            given.append(f"{type} {register}")
    results = _results(piece)
    call = f"call {_type(results)} @{name}({', '.join([*given, *more])})"
    outcome = code.name()
    names = [*[outcome] * piece.fails, *piece.outputs]
    if not results:
        lines.append(f"  {call}")
    elif len(results) == 1:
        lines.append(f"  {names[0]} = {call}")
    else:
        whole = code.name()
        lines.append(f"  {whole} = {call}")
        lines += [f"  {n} = extractvalue {_type(results)} {whole}, {k}" for k, n in enumerate(names)]
    if piece.fails:
        ok, failed = code.name(), code.new_label()
        lines += [f"  {ok} = icmp eq i32 {outcome}, 0", f"  br i1 {ok}, label %{piece.follows}, label %{failed}"]
        return [*lines, f"{failed}:", f"  ret i32 {outcome}"]
    return [*lines, f"  br label %{piece.follows}"]
