"""Statements of random programs on lists that grow and on dicts whose entries are bound anew."""

from __future__ import annotations

from dataclasses import replace

from tests.random_loop_scope import REAL, Scope
from tests.random_loop_text import Block, Line, Made, Node, bare

#: Items of a list, at which programs stop to append.
_MOST_ITEMS = 12


def holders(scope: Scope) -> tuple[list[Node], Scope]:
    """Lists and dicts with which a program begins."""
    start: list[Node] = []
    if scope.chance(0.4):
        for name in ("f0", "f1")[: scope.rng.randint(1, 2)]:
            first = scope.one("", "", "0.5", "1.0, 2.0")
            start.append(Line(f"{name} = [{first}]"))
            scope = replace(scope, lists=(*scope.lists, name))
    vectors = scope.of("f", 1)
    if vectors and scope.chance(0.3):
        array = scope.rng.choice(vectors)
        start.append(Line(f"g0 = [{scope.one('', f'{array.name}.copy()', array.name)}]"))
        scope = replace(scope, histories=(*scope.histories, ("g0", array.dims[0])))
    if scope.chance(0.4):
        kept = scope.of(REAL, 1)
        array_entry = ""
        if kept:
            array = scope.rng.choice(kept)
            array_entry = f', "a": {array.name}{scope.one("", ".copy()", " * 0.5")}'
            scope = replace(scope, kept=array.dims[0])
        start.append(Line(f'd0 = {{"x": {scope.literal()}, "k": 0{array_entry}}}'))
        scope = replace(scope, dicts=(*scope.dicts, "d0"))
    return start, scope


def grow(scope: Scope) -> Made:
    """``f0.append(x)``, ``f0.pop()``, and what is read of lists"""
    if scope.histories and (not scope.lists or scope.chance(0.4)):
        name, dim = scope.rng.choice(scope.histories)
        value = scope.vector(dim, ":", "f")
        at = scope.one("0", "1", "-2")
        forms: list[list[Node]] = [
            [Block(((f"if len({name}) < {_MOST_ITEMS}:", (Line(f"{name}.append({bare(value)})"),)),))],
            [Block(((f"if {name}:", (Line(f"{name}.append({name}[-1] * 0.5 + {scope.literal()})"),)),))],
            [Block(((f"if len({name}) > 1:", (Line(f"x0 = {name}[-1][0] - {name}[{at}][0]"),)),))],
        ]
        return scope.rng.choice(forms), scope
    if not scope.lists:
        return bind(scope)
    name = scope.rng.choice(scope.lists)
    value = bare(scope.number(1))
    appended = f"{name}.append(float({value}))" if scope.chance(0.8) else f"{name} += [float({value})]"
    fits = f"if len({name}) < {_MOST_ITEMS}:"
    forms = [
        [Block(((fits, (Line(appended),)),))],
        [Block(((fits, (Line(appended),)),))],
        [Line(appended)],
        [Line(f"{name}.append({value})")],
        [Block(((f"if {bare(scope.condition())}:", (Line(appended),)),))],
        [Block(((f"if {name}:", (Line(f"{name}.append({name}[-1] * 0.5)"),)),))],
        [Block(((f"if len({name}) > 2:", (Line(f"x0 = {name}[{scope.one('-1', '0', '-2', '1')}] + 1"),)),))],
        [Block(((f"if {name}:", (Line(f"x1 = {name}.pop()"),)),))],
        [Line(f"x0 = len({name})")],
        [Line(f"{name} = [0.25]")],
        [Block(((f"for e9 in {name}:", (Line("x0 = e9 + 1"),)),))],
    ]  # fmt: skip
    return scope.rng.choice(forms), scope


def bind(scope: Scope) -> Made:
    """``d["x"] += x``: entries of dicts, numbers and arrays"""
    if not scope.dicts:
        return [Line(f"x0 = {scope.literal()}")], scope
    name = scope.rng.choice(scope.dicts)
    forms = [
        f'{name}["x"] = {bare(scope.number())}', f'{name}["x"] += {bare(scope.number(1))}', f'{name}["k"] += 1',
        f'{name}["x"] = float({bare(scope.number(1))})', f'x0 = {name}["x"]', f'x0 = {name}["k"] * 0.5',
        f'{name}["x"] = {name}["k"]', f'{name}["y"] = {name}.get("y", 0.0) + 1.0',
    ]  # fmt: skip
    if scope.kept:
        vector = scope.vector(scope.kept, ":", REAL)
        forms += [
            f'{name}["a"] = {name}["a"] * 0.5 + 1', f'{name}["a"] = {name}["a"] + {vector}',
            f'{name}["a"] = {bare(vector)}',
            f'{name}["a"][0] = {bare(scope.number(1))}', f'{name}["a"] *= 2', f'x0 = {name}["a"].sum()',
            f'{name}["a"], {name}["b"] = {name}.get("b", {name}["a"]), {name}["a"]',
        ]  # fmt: skip
    line = Line(scope.rng.choice(forms))
    if scope.chance(0.3):
        return [Block(((f"if {bare(scope.condition())}:", (line,)),))], scope
    return [line], scope
