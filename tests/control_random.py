"""Random functions of Python statements: nested loops, branches, jumps, exceptions, functions, names without values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from random import Random

NAMES = "abcdexy"
ERRORS = ("ValueError", "ZeroDivisionError", "TypeError", "KeyError", "UnboundLocalError", "Exception")
DEEPEST = 4


@dataclass(frozen=True)
class Place:
    """Where a statement stands.

    Attributes
    ----------
    depth : int
        How many statements are around it.
    loop, final, handler : bool
        Whether there is a loop to jump in; whether it is in a ``finally`` clause, out of which nothing jumps here;
        whether an exception is being handled.
    """

    depth: int = 0
    loop: bool = False
    final: bool = False
    handler: bool = False

    def inside(self, **changes: bool) -> Place:
        """One level further in."""
        return replace(self, depth=self.depth + 1, **changes)


class Writer:
    """Writes one random function ``f(a, b, items)``.

    Parameters
    ----------
    random : Random
        Makes the choices.
    size : int
        About how many statements there may be.
    """

    def __init__(self, random: Random, size: int = 18):
        self.random = random
        self.left = size
        self.lines: list[str] = []
        self.labels = 0
        self.functions: list[str] = []
        self.defined = random.choice((1, 1, 0.8, 0.4))

    def program(self) -> str:
        """The program's text."""
        self.lines = ["g = 7", "", "def f(a, b, items):"]
        if self.chance(0.3):
            self.lines.append("    global g")
        # Most programs read only names that have a value: others end early.
        for name in "cdexy":
            if self.chance(self.defined):
                self.lines.append(f"    {name} = {self.random.randrange(4)}")
        self.block(Place(), "    ", at_least=3)
        if self.chance(0.7):
            self.lines.append(f"    return {', '.join(self.pick(NAMES) for _ in range(3))}, items")
        return "\n".join(self.lines) + "\n"

    # -- choices -------------------------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, options: str | list[str] | tuple[str, ...]) -> str:
        return self.random.choice(options)

    def label(self) -> int:
        self.labels += 1
        return self.labels

    # -- expressions ---------------------------------------------------------------------------------------

    def name(self) -> str:
        """A name to read: most often one that has a value."""
        return self.pick("aaabbbccd" + NAMES) if self.chance(0.98) else "g"

    def expression(self, depth: int = 2) -> str:
        kind = self.random.randrange(17) if depth > 0 else self.random.randrange(3)
        inner = partial(self.expression, depth - 1)
        if kind <= 1:
            return self.name()
        if kind == 2:
            return str(self.random.randrange(-1, 5))
        if kind == 3:
            return f"t({inner()}, {self.label()})"
        if kind in (4, 5):
            # Small numbers, and no lists that double: a loop may run this a hundred times.
            return f"({inner()} {self.pick('+-*')} {inner()} % 97)"
        if kind == 6:
            return f"({inner()} // {inner()})" if self.chance(0.15) else f"({inner()} % 7)"
        if kind in (7, 8):
            return self.condition(depth)
        if kind == 9:
            return f"({inner()} if {self.condition(depth - 1)} else {inner()})"
        if kind == 10:
            return f"({self.pick('abcdexy')} := {inner()})"
        if kind == 11:
            variable = self.pick("iijkxa")
            where = f" if {self.condition(depth - 1)}" if self.chance(0.4) else ""
            return f"sum([{inner()} for {variable} in items{where}])"
        if kind == 12:
            variable = self.pick("ijxb")
            return f"max(({inner()} for {variable} in range(3)), default=0)"
        if kind == 13:
            return f"(lambda {self.pick('xyab')}=1: {inner()})()"
        if kind == 14 and self.functions:
            return f"{self.pick(self.functions)}({inner()})"
        if kind == 15:
            return f"len({{i: {inner()} for i in items}})"
        return f"items[{inner()} % 3]" if self.chance(0.7) else f"(f'{{{self.name()}}}' == '1')"

    def condition(self, depth: int = 2) -> str:
        inner = partial(self.expression, depth - 1)
        kind = self.random.randrange(7)
        if kind <= 1:
            return f"({inner()} {self.pick(('<', '<=', '==', '!=', '>'))} {inner()})"
        if kind == 2:
            return f"({inner()} < {inner()} <= {inner()})"
        if kind == 3:
            return f"(not {inner()})"
        if kind == 4:
            return f"({inner()} {self.pick(('and', 'or'))} {inner()} {self.pick(('and', 'or'))} {inner()})"
        if kind == 5:
            return f"({inner()} {self.pick(('and', 'or'))} {inner()})"
        return f"({inner()} in items)" if self.chance(0.5) else f"({inner()} > 1 != {inner()} < 3)"

    # -- statements ----------------------------------------------------------------------------------------

    def block(self, place: Place, indent: str, at_least: int = 1) -> None:
        count = self.random.randrange(at_least, at_least + 3)
        for k in range(count):
            if self.left <= 0 and k >= at_least:
                break
            self.left -= 1
            self.statement(place, indent)

    def add(self, indent: str, text: str) -> None:
        self.lines.append(indent + text)

    def statement(self, place: Place, indent: str) -> None:
        simple = [self.assign, self.assign, self.augment, self.effect, self.unpack, self.change]
        simple += [self.delete] * self.chance(0.3)
        jumps = [self.jump, self.jump, self.jump, self.leave]
        compound = [self.branch, self.branch, self.branch, self.for_loop, self.for_loop, self.while_loop]
        rare = [self.try_, self.try_, self.with_, self.function, self.match, self.assert_, self.raise_, self.annotate]
        if place.depth >= DEEPEST or self.left <= 0:
            options = simple + (jumps if place.depth else [])
        else:
            options = simple + compound * 2 + rare + (jumps if place.depth else [])
        self.random.choice(options)(place, indent)

    def assign(self, place: Place, indent: str) -> None:
        self.add(indent, f"{self.pick(NAMES)} = {self.expression()}")

    def augment(self, place: Place, indent: str) -> None:
        self.add(indent, f"{self.pick('abcde')} {self.pick('+-*')}= {self.expression(1)} % 5")

    def effect(self, place: Place, indent: str) -> None:
        self.add(indent, f"t({self.expression()}, {self.label()})")

    def delete(self, place: Place, indent: str) -> None:
        second = f", {self.pick('xy')}" if self.chance(0.4) else ""
        self.add(indent, f"del {self.pick('cde')}{second}")

    def unpack(self, place: Place, indent: str) -> None:
        x, y = self.pick(NAMES), self.pick(NAMES)
        self.add(indent, f"{x}, {y} = {self.pick(NAMES)}, {self.expression(1)}")

    def change(self, place: Place, indent: str) -> None:
        k = self.random.randrange(3)
        self.add(indent, f"items[{k}] {self.pick(('', '+', '-'))}= {self.expression(1)}")

    def annotate(self, place: Place, indent: str) -> None:
        self.add(indent, f"{self.pick('cde')}: int" + (f" = {self.expression(1)}" if self.chance(0.7) else ""))

    def assert_(self, place: Place, indent: str) -> None:
        message = f", {self.expression(1)}" if self.chance(0.5) else ""
        self.add(indent, f"assert {self.condition(1)}{message}")

    def raise_(self, place: Place, indent: str) -> None:
        if place.handler and self.chance(0.5):
            self.add(indent, "raise")
        else:
            cause = self.pick(("", "", " from None", " from KeyError(2)"))
            self.add(indent, f"raise {self.pick(ERRORS)}({self.expression(1)}){cause}")

    def jump(self, place: Place, indent: str) -> None:
        if place.loop:
            self.add(indent, self.pick(("break", "continue")))
        else:
            self.leave(place, indent)

    def leave(self, place: Place, indent: str) -> None:
        if place.final:
            self.effect(place, indent)
        else:
            self.add(indent, f"return {self.expression(1)}" if self.chance(0.9) else "return")

    def branch(self, place: Place, indent: str) -> None:
        self.add(indent, f"if {self.condition()}:")
        self.block(place.inside(), indent + "    ")
        while self.chance(0.2):
            self.add(indent, f"elif {self.condition(1)}:")
            self.block(place.inside(), indent + "    ")
        if self.chance(0.5):
            self.add(indent, "else:")
            self.block(place.inside(), indent + "    ")

    def for_loop(self, place: Place, indent: str) -> None:
        header = self.random.randrange(7)
        x, y = self.pick(NAMES), self.pick(NAMES)
        headers = (
            f"{x} in range({self.expression(1)} % 4)",
            f"{x} in range({self.random.randrange(4)})",
            f"{x} in items",
            f"{x}, {y} in enumerate(items)",
            f"{x}, {y} in zip(items, range({self.random.randrange(4)}))",
            f"items[{self.random.randrange(3)}] in range(3)",
            f"{x}, *{y} in [(1, 2), (3,)]",
        )
        self.add(indent, f"for {headers[header]}:")
        self.add(indent + "    ", "burn()")
        self.block(place.inside(loop=True), indent + "    ")
        self.loop_else(place, indent)

    def while_loop(self, place: Place, indent: str) -> None:
        self.add(indent, f"while {self.condition() if self.chance(0.85) else 'True'}:")
        self.add(indent + "    ", "burn()")
        self.block(place.inside(loop=True), indent + "    ")
        self.loop_else(place, indent)

    def loop_else(self, place: Place, indent: str) -> None:
        if self.chance(0.25):
            self.add(indent, "else:")
            self.block(place.inside(), indent + "    ")

    def try_(self, place: Place, indent: str) -> None:
        self.add(indent, "try:")
        self.block(place.inside(), indent + "    ")
        handlers = self.random.randrange(3)
        for _ in range(handlers):
            kind = self.pick(ERRORS) if self.chance(0.6) else f"({self.pick(ERRORS)}, {self.pick(ERRORS)})"
            name = f" as {self.pick('exy')}" if self.chance(0.5) else ""
            self.add(indent, f"except {kind}{name}:")
            self.block(place.inside(handler=True), indent + "    ")
        if handlers and self.chance(0.3):
            self.add(indent, "else:")
            self.block(place.inside(), indent + "    ")
        if not handlers or self.chance(0.4):
            self.add(indent, "finally:")
            # A jump out of a finally clause is not converted: only loops of its own may be jumped in.
            self.block(place.inside(final=True, loop=False), indent + "    ")

    def with_(self, place: Place, indent: str) -> None:
        taken = f"{self.pick(ERRORS)}" if self.chance(0.6) else ""
        fails = ", fails=True" if self.chance(0.15) else ""
        name = f" as {self.pick(NAMES)}" if self.chance(0.4) else ""
        self.add(indent, f"with guard({taken}{fails if taken else fails[2:]}){name}:")
        self.block(place.inside(), indent + "    ")

    def match(self, place: Place, indent: str) -> None:
        self.add(indent, f"match {self.expression(1)}, {self.expression(0)}:")
        for _ in range(self.random.randrange(1, 3)):
            pattern = self.pick(("(0, _)", "(1, x)", "(y, 2 | 3)", "(x, y)", "[*c]", "(True, _) as d"))
            guard = f" if {self.condition(1)}" if self.chance(0.6) or pattern in ("(x, y)", "[*c]") else ""
            self.add(indent + "    ", f"case {pattern}{guard}:")
            self.block(place.inside(), indent + "        ")

    def function(self, place: Place, indent: str) -> None:
        """A nested function, which may change names of this one."""
        name = self.pick(("p", "q"))
        self.add(indent, f"def {name}({self.pick('abxz')}={self.expression(0)}):")
        inner = indent + "    "
        parameter = self.lines[-1][len(indent) + 6]
        shared = [n for n in self.random.sample("abcde", 2) if n != parameter and n in "ab"]
        if shared and self.chance(0.6):
            self.add(inner, f"nonlocal {', '.join(shared)}")
        self.add(inner, "burn()")
        before, self.functions = self.functions, []
        self.block(Place(depth=place.depth + 1), inner)
        self.functions = [*before, name]


def random_function(random: Random) -> str:
    """The text of a random program whose function ``f`` takes two numbers and a list of three."""
    return Writer(random, random.randrange(4, 26)).program()
