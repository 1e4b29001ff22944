"""Random NumPy programs with control flow, compared with NumPy.

Nested loops over ranges and arrays, `while` on data, branches on data and on indices, `break`, `continue` and early
`return`, helpers and closures, slices by loop indices, views that are written, scalars that change their type. The
programs are small, always end, and mostly run without an exception.

``python -m tests.random_loops --examples 2000 --seed 1`` compares programs, prints those that differ reduced to the
statements that matter, and ends with a line of counts; ``--show 3`` prints programs instead.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.random_execution import Unstable
from tests.random_inputs import Base, Inputs, random_data
from tests.random_loop_holders import holders
from tests.random_loop_noise import Shaker, run, shaken
from tests.random_loop_scope import Array, Scope
from tests.random_loop_statements import DEEPEST, body, results
from tests.random_loop_text import Block, Line, Node, bare

DTYPES = {"float64": 9, "float32": 4, "int64": 4, "int32": 2, "uint8": 1, "bool": 1, "complex128": 1}
_POOL = [name for name, weight in DTYPES.items() for _ in range(weight)]
_KINDS = {"float64": "f", "float32": "f", "int64": "i", "int32": "i", "uint8": "u", "bool": "b", "complex128": "c"}
_RANKS = (("n",), ("n",), ("m",), ("n", "n"), ("n", "m"), ("n", "m"), ("m", "n"), ("n", "m", "p"), ("n", "n"))
#: How many of the programs that raise are kept.
KEPT_ERRORS = 0.12


@dataclass(frozen=True)
class Pointer:
    """An argument that holds indices: into an extent (``idx``), or ascending offsets into it (``ptr``)."""

    name: str
    rows: str
    into: str
    offsets: bool


@dataclass(frozen=True)
class Program:
    """A random program with two sets of arguments, alike in all but their values."""

    inputs: Inputs
    other_inputs: Inputs
    helpers: tuple[Node, ...]
    steps: tuple[Node, ...]

    def source(self) -> str:
        """The module that defines the function ``program``."""
        lines = ["import numpy as np", ""]
        for helper in self.helpers:
            lines += ["", *helper.lines(), ""]
        lines += ["", f"def program({', '.join(self.inputs.parameters)}):"]
        lines += [f"    {line}" for step in self.steps for line in step.lines()]
        return "\n".join(lines) + "\n"

    def script(self, mode: str = "numpy", inputs: Inputs | None = None) -> str:
        """A script that shows the program's results under ``mode``."""
        source = self.source().replace("import numpy as np\n", "import numpy as np\nfrom numpy import inf, nan\n", 1)
        if mode in ("accelerate", "xla"):
            source = source.replace("def program(", "@lazyarr.accelerate\ndef program(", 1)
            source = source.replace("import numpy as np\n", "import numpy as np\nimport lazyarr\n", 1)
        if mode == "xla":
            source = source.replace("import lazyarr\n", 'import lazyarr\nlazyarr.configure(compiler="xla")\n', 1)
        inputs = inputs or self.inputs
        names = ", ".join(base.name for base in inputs.bases)
        call = f"print(program({', '.join(inputs.parameters)}))"
        return "\n".join([source, *inputs.lines(), "try:", f"    {call}", "finally:", f"    print({names})"])


def random_program(rng: Random) -> Program:
    """Draw a program.

    Parameters
    ----------
    rng
        The source of all choices; equal states give equal programs.
    """
    while True:
        program = _attempt(rng)
        if program is not None:
            return program


def seeded_program(seed: int, index: int) -> Program:
    """The program number ``index`` of the series ``seed``."""
    return random_program(Random(f"loops {seed}:{index}"))


def _attempt(rng: Random) -> Program | None:
    inputs, other, scope = random_arguments(rng)
    helpers: list[Node] = []
    for make in (_helper, _procedure):
        if rng.random() < 0.15:
            node, scope = make(scope)
            helpers.append(node)
    start: list[Node] = []
    for name in ("x0", "x1")[: rng.randint(1, 2)]:
        value = scope.literal() if rng.random() < 0.8 else bare(scope.number(1))
        start.append(Line(f"{name} = {value}"))
        scope = replace(scope, numbers=(*scope.numbers, name))
    if rng.random() < 0.4:
        start.append(Line(f"k0 = {rng.randint(0, 3)}"))
        scope = replace(scope, ints=(*scope.ints, "k0"))
    if rng.random() < 0.12:
        node, scope = _closure(scope)
        start.append(node)
    made, scope = holders(scope)
    start += made
    nodes, end = body(scope, 2, 4)
    if not any(isinstance(node, Block) for node in nodes):
        return None
    program = Program(inputs, other, tuple(helpers), (*start, *nodes, Line(results(end))))
    try:
        error = _tried(program)
    except Unstable:
        return None
    if error is not None and (isinstance(error, (NameError, SyntaxError)) or rng.random() > KEPT_ERRORS):
        # Names that are not bound are part of the game, but seldom.
        if not isinstance(error, UnboundLocalError) or rng.random() > 0.05:
            return None
    return program


def _tried(program: Program) -> BaseException | None:
    """What the program raises under NumPy."""
    try:
        made = shaken(program.source(), "<random loops>", "program")
    except SyntaxError as error:
        return error
    return run(made(Shaker()), program.inputs.build()[1])[1]


# --------------------------------------------------------------------------------------------------- arguments


def random_arguments(rng: Random) -> tuple[Inputs, Inputs, Scope]:
    """Arguments of few extents, the same with other values, and the scope of a program that has them."""
    sizes = {dim: 0 if rng.random() < 0.04 else rng.choice((1, 2, 3, 3, 4, 4, 5, 6)) for dim in ("n", "m")}
    sizes["p"] = rng.randint(1, 3)
    bases: list[Base] = []
    views: dict[str, str] = {}
    arrays: list[Array] = []
    common = rng.choice(_POOL)
    for index in range(rng.choice((1, 2, 2, 3))):
        name = f"a{index}"
        dims = rng.choice(_RANKS)
        alike = [a for a in arrays if len(a.dims) == len(dims)]
        if alike and rng.random() < 0.12:
            other = rng.choice(alike)
            views[name] = f"{views[other.name]}{rng.choice(('', '[::-1]', '[...]'))}"
            arrays.append(replace(other, name=name))
            continue
        dtype = common if rng.random() < 0.6 else rng.choice(_POOL)
        base, views[name] = _base(rng, f"base{len(bases)}", dtype, tuple(sizes[d] for d in dims))
        bases.append(base)
        arrays.append(Array(name, _KINDS[dtype], dims))
    pointers = []
    if rng.random() < 0.25:
        pointers.append(Pointer("idx", rng.choice("nm"), rng.choice("nm"), False))
        arrays.append(Array("idx", "i", (pointers[-1].rows,), pointers[-1].into))
    if rng.random() < 0.15:
        pointers.append(Pointer("ptr", "n", "m", True))
    scalars = {}
    if rng.random() < 0.35:
        scalars["n"] = str(sizes["n"])
    if rng.random() < 0.4:
        scalars["s0"] = _scalar(rng)
    for pointer in pointers:
        base = _pointer_base(rng, pointer, sizes, len(bases))
        bases.append(base)
        views[pointer.name] = base.name
    inputs = Inputs(tuple(bases), views, scalars)
    scope = Scope(
        rng,
        sizes,
        tuple(arrays),
        ints=tuple(name for name in scalars if name == "n"),
        numbers=tuple(name for name in scalars if name == "s0"),
        offsets=tuple((p.name, p.rows, p.into) for p in pointers if p.offsets),
        returned=rng.randint(1, 3),
    )
    return inputs, _other_values(rng, inputs, pointers, sizes), scope


def _scalar(rng: Random) -> str:
    return rng.choice(["0.5", "2", "1.5", "-1.25", "3.0", "np.float32(0.5)", "np.float64(2.5)", "np.int32(2)", "True"])


def _base(rng: Random, name: str, dtype: str, shape: tuple[int, ...]) -> tuple[Base, str]:
    """A base array and the expression of a view of it with this shape."""
    form = rng.choice(("{}",) * 6 + ("{}[1:]", "{}[::-1]", "{}[::2]", "{}.T", "{}[..., :-1]", "F"))
    full, order, view = list(shape), "C", form.format(name)
    if form == "{}[1:]":
        full[0] += 1
    elif form == "{}[::2]":
        full[0] = max(0, 2 * shape[0] - rng.randint(0, 1))
    elif form == "{}.T":
        full.reverse()
    elif form == "{}[..., :-1]":
        full[-1] += 1
    elif form == "F":
        order, view = "F", name
    return Base(name, dtype, tuple(full), order, random_data(rng, dtype, math.prod(full))), view


def _pointer_base(rng: Random, pointer: Pointer, sizes: dict[str, int], number: int) -> Base:
    rows, into = sizes[pointer.rows], sizes[pointer.into]
    if pointer.offsets:
        data = sorted(rng.randint(0, into) for _ in range(rows + 1))
    elif into == 0:
        data = [0] * rows
    else:
        data = [rng.randrange(-into if rng.random() < 0.1 else 0, into) for _ in range(rows)]
    return Base(f"base{number}", "int64", (len(data),), "C", tuple(data))


def _other_values(rng: Random, inputs: Inputs, pointers: list[Pointer], sizes: dict[str, int]) -> Inputs:
    """Other numbers, and indices that are valid as before; scalars that say an extent stay."""
    other = inputs.with_other_values(rng)
    bases = list(other.bases)
    for k, pointer in enumerate(pointers, len(bases) - len(pointers)):
        bases[k] = _pointer_base(rng, pointer, sizes, k)
    scalars: dict[str, Any] = dict(other.scalars)
    scalars |= {name: text for name, text in inputs.scalars.items() if name == "n"}
    return Inputs(tuple(bases), other.views, scalars)


# --------------------------------------------------------------------------------------------------- functions


def _helper(scope: Scope) -> tuple[Node, Scope]:
    """A function of scalars, with control flow and returns of its own."""
    count = scope.rng.randint(1, 2)
    names = ("p", "q")[:count]
    inner = replace(scope, arrays=(), ints=(), numbers=names, offsets=(), depth=DEEPEST - 1)
    nodes: list[Node] = []
    if scope.chance(0.5):
        early = Line(f"return {bare(inner.number(1))}")
        nodes.append(Block(((f"if {bare(inner.condition(1))}:", (early,)),)))
    if scope.chance(0.5):
        update = Line(f"p = p {scope.one('*', '+', '-')} {inner.number(1)}")
        nodes.append(Block(((f"for _ in range({scope.rng.randint(0, 3)}):", (update,)),)))
    nodes.append(Line(f"return {bare(inner.number(0))}"))
    function = Block(((f"def helper({', '.join(names)}):", tuple(nodes)),))
    return function, replace(scope, functions=(*scope.functions, ("helper", count)))


def _procedure(scope: Scope) -> tuple[Node, Scope]:
    """A function that writes to a vector and returns a number."""
    inner = replace(
        scope,
        arrays=(Array("w", "f", ("w",)),),
        ints=(),
        numbers=("p",),
        offsets=(),
        functions=(),
        procedures=(),
        sizes={**scope.sizes, "w": 3},
        depth=DEEPEST - 1,
    )
    nodes, inner = body(inner, 1, 2)
    nodes = [*_without_returns(nodes), Line(f"return {bare(inner.number(1))}")]
    return Block((("def change(w, p):", tuple(nodes)),)), replace(scope, procedures=("change",))


def _closure(scope: Scope) -> tuple[Node, Scope]:
    """A function of one scalar that reads, and at times rebinds, names of the program."""
    value = replace(scope, numbers=(*scope.numbers, "p")).number(0)
    nodes: list[Node] = [Line(f"return {bare(value)}")]
    if scope.chance(0.3):
        nodes = [Line("nonlocal x0"), Line(f"x0 {scope.one('=', '+=')} {scope.one('p', 'p + 1', '2.5')}"), *nodes]
    elif scope.chance(0.4):
        return Line(f"local = lambda p: {bare(value)}"), replace(scope, functions=(*scope.functions, ("local", 1)))
    return Block((("def local(p):", tuple(nodes)),)), replace(scope, functions=(*scope.functions, ("local", 1)))


def _without_returns(nodes: list[Node]) -> list[Node]:
    """A program's early returns do not fit a function in it."""
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, Block):
            kept.append(Block(tuple((header, tuple(_without_returns(list(inner)))) for header, inner in node.parts)))
        elif not node.text.startswith("return"):
            kept.append(node)
    return kept


if __name__ == "__main__":
    from tests.random_loop_runner import main

    sys.exit(main())
