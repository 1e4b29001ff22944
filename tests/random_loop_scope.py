"""What a random program with control flow may refer to at a point of its text, and the expressions made of it.

Extents have names: two slices with the same text of axes with the same extent have equal lengths, whatever the loop
indices in them are. An expression need not be valid: programs that NumPy refuses are mostly drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

REAL, WHOLE, ANY = "biuf", "biu", "biufc"


@dataclass(frozen=True)
class Array:
    """An array variable: its kind of dtype, and the names of its extents."""

    name: str
    kind: str
    dims: tuple[str, ...]
    #: Whether every element, modulo the extent of this name, is an index of it.
    indexes: str = ""


@dataclass(frozen=True)
class Scope:
    """Names in scope, and the random source.

    ``ints``, ``numbers``: scalars. ``loops``: loop indices in scope, each with the extent it is an index of.
    ``offsets``: arrays of n + 1 ascending offsets into an extent: (name, extent of its rows, extent it points into).
    ``functions``: helpers and closures, each with its number of scalar parameters; ``procedures`` take a vector, which
    they write to, and a scalar.
    """

    rng: Random
    sizes: dict[str, int]
    arrays: tuple[Array, ...] = ()
    ints: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    loops: tuple[tuple[str, str], ...] = ()
    offsets: tuple[tuple[str, str, str], ...] = ()
    functions: tuple[tuple[str, int], ...] = ()
    procedures: tuple[str, ...] = ()
    #: Lists of numbers; lists of vectors, each with its extent; dicts, and the extent of their arrays.
    lists: tuple[str, ...] = ()
    histories: tuple[tuple[str, str], ...] = ()
    dicts: tuple[str, ...] = ()
    kept: str = ""
    depth: int = 0
    returned: int = 1

    def chance(self, p: float) -> bool:
        """True with probability ``p``."""
        return self.rng.random() < p

    def one(self, *choices: str) -> str:
        """One of some texts."""
        return self.rng.choice(choices)

    def weighted(self, table: Sequence[tuple[float, Callable[[], str]]]) -> str:
        """The text of one of some makers, drawn with their weights."""
        (made,) = self.rng.choices([make for _, make in table], [weight for weight, _ in table])
        return made()

    def with_array(self, array: Array) -> Scope:
        """With a variable more (or another in its place)."""
        return replace(self, arrays=(*(a for a in self.arrays if a.name != array.name), array))

    def of(self, kinds: str = ANY, rank: int | None = None, dim: str | None = None) -> list[Array]:
        """Arrays of some kinds, rank, and with an axis of some extent."""
        return [
            a
            for a in self.arrays
            if a.kind in kinds and (rank is None or len(a.dims) == rank) and (dim is None or dim in a.dims)
        ]

    # ------------------------------------------------------------------------------------------------ integers

    def extent(self, dim: str) -> str:
        """An expression for an extent."""
        texts = [dim] if dim in self.ints else []
        for array in self.arrays:
            if dim in array.dims:
                texts += [f"len({array.name})"] if array.dims[0] == dim else []
                texts.append(f"{array.name}.shape[{array.dims.index(dim)}]")
        return self.rng.choice(texts[:4]) if texts and self.chance(0.9) else str(self.sizes[dim])

    def index(self, dim: str) -> str:
        """An index into an extent: mostly valid, at times negative, rarely out of range."""
        loops = [name for name, of in self.loops if of == dim]
        index = self.rng.choice(loops) if loops and self.chance(0.9) else None
        if index is not None:
            form = self.one(
                *["{i}"] * 9, "{i} - 1", "-{i} - 1", "{n} - 1 - {i}", "({i} + {c}) % {n}", "{i} // 2", "-{i}"
            )
            if form != "{i}" or self.chance(0.97):
                return form.format(i=index, n=self.extent(dim), c=self.rng.randint(1, 3))
        pointers = [a for a in self.of("iu", 1) if a.indexes == dim and a.dims[0] != ""]
        table: list[tuple[float, Callable[[], str]]] = [
            (4, lambda: self.one("0", "-1", "0", "1", "-2")),
            (1, lambda: f"{self.int_expression(1)} % {self.extent(dim)}"),
            (1, lambda: str(self.rng.randint(-3, 6))),
        ]
        if index is not None:
            table.append((1, lambda: f"{index} + 1"))
        if pointers:
            pointer = self.rng.choice(pointers)
            table.append((4, lambda: f"{pointer.name}[{self.index(pointer.dims[0])}]"))
        return self.weighted(table)

    def slice(self, dim: str) -> str:
        """A slice of an extent."""
        loops = [name for name, of in self.loops if of == dim]
        forms = [":", ":", "1:", ":-1", "::2", "::-1", "1::2", ":{k}", "{k}:", "-2:", "1:-1"]
        pointing = [(name, rows) for name, rows, into in self.offsets if into == dim]
        if loops:
            i, j = self.rng.choice(loops), self.rng.choice(loops)
            forms = [":{i}", "{i}:", "{i} + 1:", ":{i} + 1", "{i}:{j}", "{j}:{i} + 1", "{i}::2", "{i}::-1", ":{i}:-1"]
            forms += [":{i}", "{i} + 1:", "{i} - 1:", "-{i}:", ":-{i} - 1", "{k}:{i}", ":", "max({i} - 1, 0):{i} + 2"]
        else:
            i = j = ""
        for name, rows in pointing:
            row = [loop for loop, of in self.loops if of == rows]
            if row and self.chance(0.6):
                return f"{name}[{row[-1]}]:{name}[{row[-1]} + 1]"
        return self.rng.choice(forms).format(i=i, j=j, k=self.int_expression(2))

    def int_expression(self, depth: int = 0) -> str:
        """A Python or NumPy integer."""
        rng = self.rng
        atoms: list[tuple[float, Callable[[], str]]] = [(2, lambda: str(rng.randint(-2, 5)))]
        names = [*self.ints, *(name for name, _ in self.loops)]
        if names:
            atoms.append((5, lambda: rng.choice(names)))
        if self.arrays:
            atoms.append((1, lambda: f"len({rng.choice(self.arrays).name})"))
        if self.of("iu"):
            atoms.append((2, lambda: self.element("iu")))
        if depth >= 2:
            return self.weighted(atoms)

        def inner() -> str:
            return self.int_expression(depth + 1)

        return self.weighted([
            *((2 * weight, make) for weight, make in atoms),
            (5, lambda: f"({inner()} {self.one('+', '-', '*', '+', '-', '//', '%')} {inner()})"),
            (1, lambda: f"{self.one('min', 'max')}({inner()}, {inner()})"),
            (1, lambda: f"{self.one('abs', 'int', '-', '+')}({inner()})"),
            (1, lambda: f"int({self.number(depth + 1)})"),
            (1, lambda: f"({inner()} if {self.condition(depth + 1)} else {inner()})"),
            (0.5, lambda: f"divmod({inner()}, {rng.randint(1, 4)})[{rng.randint(0, 1)}]"),
            (0.5, lambda: f"({inner()} {self.one('&', '|', '^')} {inner()})"),
            (0.5, lambda: f"({inner()} {self.one('<<', '>>')} {rng.randint(0, 3)})"),
            (0.5, lambda: self.position(depth + 1)),
        ])  # fmt: skip

    # -------------------------------------------------------------------------------------------------- numbers

    def element(self, kinds: str = REAL) -> str:
        """One element of an array."""
        found = self.of(kinds)
        if not found:
            return self.one("1", "2.5", "0.5", "3")
        near = [a for a in found if all(any(d == of for _, of in self.loops) for d in a.dims)]
        array = self.rng.choice(near if near and self.chance(0.7) else found)
        indices = [self.index(dim) for dim in array.dims]
        return array.name + (f"[{']['.join(indices)}]" if self.chance(0.1) else f"[{', '.join(indices)}]")

    def literal(self) -> str:
        """A number, on a coarse grid more often than not."""
        return self.one("2", "0.5", "1.5", "-1", "0.25", "3", "2.0", "0.1", "1", "-0.75", "0")

    def number(self, depth: int = 0, kinds: str = REAL) -> str:
        """A scalar."""
        rng = self.rng
        atoms: list[tuple[float, Callable[[], str]]] = [
            (2, self.literal),
            (6, lambda: self.element(kinds)),
            (1, lambda: self.int_expression(2)),
        ]
        if self.numbers:
            atoms.append((4, lambda: rng.choice(self.numbers)))
        if depth >= 2:
            return self.weighted(atoms)

        def inner() -> str:
            return self.number(depth + 1, kinds)

        table = [
            *atoms,
            (7, lambda: f"({inner()} {self.one('+', '-', '*', '+', '-', '*', '/')} {inner()})"),
            (1, lambda: f"({inner()} if {self.condition(depth + 1)} else {inner()})"),
            (4, lambda: self.reduction(depth + 1, kinds)),
            (0.5, lambda: f"np.{self.one('exp', 'sin', 'cos', 'tanh')}({inner()})"),
            (0.5, lambda: f"-{inner()}"),
            (0.5, lambda: f"{inner()} ** {self.one('2', '3', '2', '0.5', '-1')}"),
        ]
        if "c" not in kinds:
            table += [
                (2, lambda: f"{self.one('min', 'max', 'np.minimum', 'np.maximum')}({inner()}, {inner()})"),
                (2, lambda: f"{self.one('abs', 'float', 'abs', 'np.floor', 'round')}({inner()})"),
                (1, lambda: f"np.sqrt(abs({inner()}))"),
                (0.7, lambda: f"({inner()} {self.one('//', '%')} {self.one('2', '1.5', '3', '-2')})"),
                (0.3, lambda: f"divmod({inner()}, {self.one('2', '1.5', '3')})[{rng.randint(0, 1)}]"),
                (0.3, lambda: f"np.{self.one('float32', 'float64', 'int32')}({inner()})"),
            ]
        if self.functions:
            name, count = rng.choice(self.functions)
            table.append((2, lambda: f"{name}({', '.join(inner() for _ in range(count))})"))
        return self.weighted(table)

    def condition(self, depth: int = 0) -> str:
        """A truth value, of data and of indices."""
        rng = self.rng

        def number() -> str:
            return self.number(max(1, depth + 1))

        def comparison() -> str:
            return self.one("<", "<=", ">", ">=", "<", ">", "==", "!=")

        def on_indices() -> str:
            if not self.loops:
                return f"{self.int_expression(1)} {comparison()} {self.int_expression(1)}"
            i, of = rng.choice(self.loops)
            j = rng.choice([name for name, _ in self.loops])
            return self.one(
                f"{i} % 2 == 0", f"{i} > {j}", f"{i} == {j}", f"{i} < {self.extent(of)} - 1", f"{i} > 0",
                f"0 < {i} < {rng.randint(1, 5)}", f"{i} != {rng.randint(0, 3)}", f"{i} + {j} > {rng.randint(1, 6)}",
            )  # fmt: skip

        table: list[tuple[float, Callable[[], str]]] = [
            (6, lambda: f"{number()} {comparison()} {number()}"),
            (5, on_indices),
            (1, lambda: f"{number()} {comparison()} {number()} {comparison()} {number()}"),
            (0.7, lambda: self.element(REAL)),
            (0.4, lambda: self.int_expression(1)),
        ]
        if self.of(REAL):
            table.append((1, lambda: f"({self.mask()}).{self.one('any', 'all')}()"))
        if depth < 2:
            table += [
                (1.5, lambda: f"({self.condition(depth + 1)} {self.one('and', 'or')} {self.condition(depth + 1)})"),
                (0.5, lambda: f"not {self.condition(depth + 1)}"),
                (0.3, lambda: f"({self.condition(2)} and {self.condition(2)} or {self.condition(2)})"),
            ]
        return self.weighted(table)

    # --------------------------------------------------------------------------------------------------- arrays

    def leaf(self, dim: str, cut: str, kinds: str) -> str | None:
        """A vector along an extent, of an array cut there; None where no array has it."""
        found = [a for a in self.of(kinds, dim=dim) if len(a.dims) <= 3]
        if not found:
            return None
        array = self.rng.choice(found)
        axis = self.rng.choice([k for k, d in enumerate(array.dims) if d == dim])
        parts = [cut if k == axis else self.index(d) for k, d in enumerate(array.dims)]
        if len(parts) == 2 and axis == 0 and self.chance(0.15):
            return f"{array.name}.T[{parts[1]}][{cut}]"
        if len(parts) == 1 and cut == ":" and self.chance(0.8):
            return array.name
        if len(parts) == 2 and axis == 1 and self.chance(0.2):
            return f"{array.name}[{parts[0]}]" + ("" if cut == ":" else f"[{cut}]")
        return f"{array.name}[{', '.join(parts)}]"

    def vector(self, dim: str, cut: str, kinds: str = REAL, depth: int = 0) -> str:
        """A vector as long as a slice of an extent, or a scalar that broadcasts to it."""
        leaf = self.leaf(dim, cut, kinds)
        if leaf is None:
            return self.number(2, kinds)
        pointers = [a for a in self.of("iu", 1, dim) if a.indexes]
        table: list[tuple[float, Callable[[], str]]] = [(8, lambda: leaf), (1, lambda: f"{leaf}[::-1]")]

        def inner() -> str:
            return self.vector(dim, cut, kinds, depth + 1)

        if pointers:
            pointer = self.rng.choice(pointers)
            targets = self.of(kinds, 1, pointer.indexes)
            if targets:
                table.append((2, lambda: f"{self.rng.choice(targets).name}[{pointer.name}[{cut}]]"))
        if depth < 2:
            operators = ("+", "-", "*", "+", "*", "/") if "f" in kinds else ("+", "-", "*", "//", "%")
            table += [
                (5, lambda: f"({inner()} {self.one(*operators)} {inner()})"),
                (4, lambda: f"({self.number(2, kinds)} {self.one('*', '+', '-')} {inner()})"),
                (1, lambda: f"-{inner()}"),
                (0.4, lambda: f"np.cumsum({inner()})"),
                (0.5, lambda: f"np.{self.one('exp', 'sin', 'square')}({inner()})"),
            ]
            if "c" not in kinds:
                table += [
                    (1, lambda: f"np.where({self.mask(dim, cut)}, {inner()}, {inner()})"),
                    (1, lambda: f"np.{self.one('minimum', 'maximum')}({inner()}, {inner()})"),
                    (0.7, lambda: f"np.{self.one('abs', 'floor')}({inner()})"),
                    (0.3, lambda: f"np.sort({leaf})"),
                ]
            matrices = [a for a in self.of(kinds, 2) if a.dims[0] == dim and cut == ":"]
            if matrices:
                matrix = self.rng.choice(matrices)
                table += [
                    (1, lambda: f"{matrix.name} @ {self.vector(matrix.dims[1], ':', kinds, 2)}"),
                    (1, lambda: f"{matrix.name}.{self.one('sum', 'mean', 'sum')}(axis=1)"),
                ]
        return self.weighted(table)

    def mask(self, dim: str | None = None, cut: str = ":") -> str:
        """A boolean vector."""
        if dim is None:
            found = self.of(REAL, 1)
            if not found:
                return f"np.array({self.condition(2)})"
            dim = self.rng.choice(found).dims[0]
        flags = self.of("b", 1, dim)
        if flags and self.chance(0.2):
            return f"{self.rng.choice(flags).name}[{cut}]"
        leaf = self.leaf(dim, cut, REAL) or self.number(2)
        compare = f"{leaf} {self.one('<', '>', '<=', '>=', '==', '!=')} {self.number(2)}"
        if self.chance(0.15):
            return f"(({compare}) {self.one('&', '|')} ({leaf} {self.one('<', '>')} {self.literal()}))"
        return f"~({compare})" if self.chance(0.1) else f"({compare})"

    def reduction(self, depth: int, kinds: str = REAL) -> str:
        """A scalar made of a vector."""
        dims = [d for a in self.of(kinds) for d in a.dims]
        if not dims:
            return self.literal()
        dim = self.rng.choice(dims)
        cut = self.slice(dim)

        def vector() -> str:
            return self.leaf(dim, cut, kinds) or "1"

        table: list[tuple[float, Callable[[], str]]] = [
            (3, lambda: f"np.sum({self.vector(dim, cut, kinds, max(1, depth))})"),
            (3, lambda: f"{vector()}.{self.one('sum', 'mean', 'sum', 'prod')}()"),
            (3, lambda: f"{vector()} @ {vector()}"),
            (1.5, lambda: f"np.dot({vector()}, {vector()})"),
            (0.5, lambda: f"sum({vector()})"),
            (0.5, lambda: f"np.linalg.norm({vector()})"),
        ]
        if "c" not in kinds:
            table += [
                (1.5, lambda: f"{vector()}.{self.one('max', 'min')}()"),
                (0.5, lambda: f"{self.one('max', 'min')}({vector()})"),
                (1.5, lambda: self._masked(dim, cut)),
            ]
        return self.weighted(table)

    def _masked(self, dim: str, cut: str) -> str:
        leaf = self.leaf(dim, cut, REAL) or "np.ones(2)"
        return f"{leaf}[{self.mask(dim, cut)}].{self.one('sum', 'mean', 'sum', 'max')}()"

    def position(self, depth: int) -> str:
        """An integer made of a vector."""
        found = self.of(REAL, 1)
        if not found:
            return "2"
        array = self.rng.choice(found)
        if self.chance(0.5):
            return f"np.count_nonzero({self.mask(array.dims[0], self.slice(array.dims[0]))})"
        return f"{array.name}.{self.one('argmax', 'argmin')}()"

    def matrix(self, dims: tuple[str, str], kinds: str = REAL, depth: int = 0) -> str:
        """A matrix of two extents, or what broadcasts to it."""
        rows, columns = dims
        table: list[tuple[float, Callable[[], str]]] = [(1, lambda: self.vector(columns, ":", kinds, 1))]
        for array in self.of(kinds, 2):
            if array.dims == dims:
                table.append((4, lambda array=array: array.name))  # type: ignore[misc]
            if array.dims == (columns, rows):
                table.append((2, lambda array=array: f"{array.name}.T"))  # type: ignore[misc]
        if self.of(kinds, 1, rows) and self.of(kinds, 1, columns):
            x, y = (self.rng.choice(self.of(kinds, 1, d)).name for d in dims)
            table.append((1, lambda: f"np.outer({x}, {y})"))
            table.append((1, lambda: f"{x}[:, None] {self.one('*', '+', '-')} {y}"))
        if depth < 1:

            def inner() -> str:
                return self.matrix(dims, kinds, 1)

            table.append((5, lambda: f"({inner()} {self.one('+', '-', '*')} {inner()})"))
            table.append((2, lambda: f"{self.number(2, kinds)} * {inner()}"))
            square = [a.name for a in self.of(kinds, 2) if a.dims == dims]
            if rows == columns and square:
                table.append((1, lambda: f"{self.rng.choice(square)} @ {self.rng.choice(square)}"))
        return self.weighted(table)
