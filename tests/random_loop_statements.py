"""Statements of random programs with control flow: a tree of lines and blocks, drawn to fit the names in scope.

Every loop ends: ``for`` runs over what is small, ``while`` counts its iterations before anything can skip that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.random_loop_holders import bind, grow
from tests.random_loop_scope import ANY, REAL, WHOLE, Array, Scope
from tests.random_loop_text import Block, Line, Made, Node, bare

#: Iterations of a `while` at most.
MOST_ITERATIONS = 7
#: How deep blocks nest.
DEEPEST = 4


def body(scope: Scope, least: int = 1, most: int = 4, *, loop: bool = False) -> tuple[list[Node], Scope]:
    """Some statements in a row; ``loop``: inside a loop, so `break` and `continue` are allowed."""
    nodes: list[Node] = []
    for _ in range(scope.rng.randint(least, most)):
        made, scope = statement(scope, loop)
        nodes += made
    return nodes, scope


def statement(scope: Scope, loop: bool = False) -> Made:
    """One statement (or a few that belong together), and the scope after it."""
    deep = scope.depth >= DEEPEST
    table: list[tuple[float, Callable[[Scope], Made]]] = [
        (9, write_element),
        (8, write_slice),
        (4, write_mask),
        (3, write_whole),
        (7, update_scalar),
        (3, new_scalar),
        (2, new_view),
        (2, new_array),
        (2, swap),
        (1.5 if scope.procedures else 0, call_procedure),
        (0 if deep else 7, for_loop),
        (0 if deep else 3, while_loop),
        (0 if deep else 6, lambda s: if_statement(s, loop)),
        (1.5 if loop else 0, leave),
        (8 if scope.lists or scope.histories else 0, grow),
        (6 if scope.dicts else 0, bind),
    ]
    # hypothesis may draw what has no weight.
    table = [(weight, make) for weight, make in table if weight]
    return scope.rng.choices([make for _, make in table], [weight for weight, _ in table])[0](scope)


# ------------------------------------------------------------------------------------------------------ writes


def _target(scope: Scope, rank: int | None = None) -> Array | None:
    found = scope.of(ANY, rank)
    found = [a for a in found if not a.indexes or scope.chance(0.1)]
    return scope.rng.choice(found) if found else None


def _value_kinds(array: Array) -> str:
    return ANY if array.kind == "c" else REAL


def _operator(scope: Scope, array: Array) -> str:
    """``=`` or an augmented assignment that the array's dtype takes."""
    if scope.chance(0.45) or array.kind == "b":
        return scope.one("=", "=", "&=", "|=") if array.kind == "b" and scope.chance(0.2) else "="
    if array.kind in "iu":
        return scope.one("+=", "-=", "*=", "+=", "//=", "%=")
    return scope.one("+=", "-=", "*=", "+=", "-=", "/=")


def write_element(scope: Scope) -> Made:
    """``a[i, j] += x``"""
    array = _target(scope)
    if array is None:
        return update_scalar(scope)
    target = f"{array.name}[{', '.join(scope.index(dim) for dim in array.dims)}]"
    kinds = _value_kinds(array)
    value = scope.int_expression() if array.kind in "iub" and scope.chance(0.7) else scope.number(0, kinds)
    if array.kind == "b" and scope.chance(0.6):
        value = scope.condition()
    return [Line(f"{target} {_operator(scope, array)} {bare(value)}")], scope


def write_slice(scope: Scope) -> Made:
    """``a[i, :i] -= x * b[:i]``"""
    array = _target(scope)
    if array is None:
        return update_scalar(scope)
    axis = scope.rng.randrange(len(array.dims))
    cut = scope.slice(array.dims[axis])
    parts = [cut if k == axis else scope.index(d) for k, d in enumerate(array.dims)]
    target = f"{array.name}[{', '.join(parts)}]"
    if scope.chance(0.08) and len(parts) == 1:
        target = f"{array.name}[{cut}][::-1]"
    kinds = WHOLE if array.kind in "iu" and scope.chance(0.7) else _value_kinds(array)
    value = scope.mask(array.dims[axis], cut) if array.kind == "b" else scope.vector(array.dims[axis], cut, kinds)
    if scope.chance(0.03):  # of another length, mostly
        value = scope.vector(array.dims[axis], scope.slice(array.dims[axis]), kinds)
    return [Line(f"{target} {_operator(scope, array)} {bare(value)}")], scope


def write_mask(scope: Scope) -> Made:
    """``a[a > x] = y``, and through arrays of indices"""
    array = _target(scope, 1)
    pointers = [a for a in scope.of("iu", 1) if a.indexes]
    if array is None:
        return write_whole(scope)
    dim, kinds = array.dims[0], _value_kinds(array)
    operator = _operator(scope, array)
    fitting = [p for p in pointers if p.indexes == dim]
    if fitting and scope.chance(0.5):
        pointer = scope.rng.choice(fitting)
        cut = scope.slice(pointer.dims[0])
        value = scope.vector(pointer.dims[0], cut, kinds, 1)
        return [Line(f"{array.name}[{pointer.name}[{cut}]] {operator} {bare(value)}")], scope
    if scope.chance(0.3):
        mask = "chosen"
        value = scope.rng.choice([a.name for a in scope.of(kinds, 1, dim)] or ["0"])
        value = f"{value}[{mask}]" if value != "0" else "1"
        lines: list[Node] = [Line(f"{mask} = {scope.mask(dim)}"), Line(f"{array.name}[{mask}] {operator} {value}")]
        return lines, scope.with_array(Array(mask, "b", (dim,)))
    return [Line(f"{array.name}[{bare(scope.mask(dim))}] {operator} {bare(scope.number(1, kinds))}")], scope


def write_whole(scope: Scope) -> Made:
    """``a[:] = ...``, ``a *= x`` and ``a = a + x``"""
    array = _target(scope)
    if array is None or len(array.dims) > 2:
        return update_scalar(scope)
    kinds = WHOLE if array.kind in "iu" else _value_kinds(array)
    if array.kind == "b":
        value = scope.mask(array.dims[-1])
    elif len(array.dims) == 2:
        value = scope.matrix((array.dims[0], array.dims[1]), kinds)
    else:
        value = scope.vector(array.dims[0], ":", kinds)
    operator = _operator(scope, array)
    if operator == "=":
        form = scope.one("{a}[:] = {v}", "{a}[...] = {v}", "{a} = {a} + {v}") if array.kind != "b" else "{a}[:] = {v}"
        return [Line(form.format(a=array.name, v=bare(value) if "+" not in form else value))], scope
    return [Line(f"{array.name}{scope.one('', '[:]')} {operator} {bare(value)}")], scope


# ----------------------------------------------------------------------------------------------------- scalars


def update_scalar(scope: Scope) -> Made:
    """``s = s + x``: what a loop carries"""
    if scope.ints and scope.chance(0.35):
        name = scope.rng.choice(scope.ints)
        if name in scope.sizes:
            return new_scalar(scope)
        form = scope.one("{n} += {v}", "{n} = {v}", "{n} = {n} + {v}", "{n} -= {v}", "{n} = max({n}, {v})")
        return [Line(form.format(n=name, v=bare(scope.int_expression())))], scope
    if not scope.numbers:
        return new_scalar(scope)
    name = scope.rng.choice(scope.numbers)
    form = scope.one(
        *["{n} += {v}"] * 4, "{n} = {v}", "{n} = {n} * 0.5 + {v}", "{n} -= {v}", "{n} *= {v}", "{n} = max({n}, {v})",
        "{n} = min({n}, {v})", "{n} = {v} if {c} else {n}", "{n} = float({v})", "{n} = abs({v})",
    )  # fmt: skip
    return [Line(form.format(n=name, v=bare(scope.number()), c=scope.condition(1)))], scope


def call_procedure(scope: Scope) -> Made:
    """``x0 = change(a, x)``: a function that writes to its argument"""
    array = _target(scope, 1)
    if array is None:
        return new_scalar(scope)
    call = f"{scope.rng.choice(scope.procedures)}({array.name}, {scope.number(1)})"
    if scope.chance(0.4) or not scope.numbers:
        return [Line(call)], scope
    return [Line(f"{scope.rng.choice(scope.numbers)} {scope.one('=', '+=')} {call}")], scope


def new_scalar(scope: Scope) -> Made:
    """``k0 = 0``"""
    if scope.chance(0.35):
        name = scope.one("k0", "k1")
        scope = replace(scope, ints=tuple(dict.fromkeys((*scope.ints, name))))
        return [Line(f"{name} = {bare(scope.int_expression(1))}")], scope
    name = scope.one("x0", "x1", "x2")
    value = scope.weighted([(3, scope.literal), (3, lambda: bare(scope.number())), (1, lambda: scope.condition(1))])
    if name in value.replace("(", " ").replace(")", " ").split() and name not in scope.numbers:
        value = "0"
    return [Line(f"{name} = {value}")], replace(scope, numbers=tuple(dict.fromkeys((*scope.numbers, name))))


# ------------------------------------------------------------------------------------------------------ arrays


def _free_name(scope: Scope, prefix: str) -> str:
    return f"{prefix}{scope.rng.randint(0, 2)}"


def new_view(scope: Scope) -> Made:
    """``row = A[i]``: written through later, or read after a write to what it views"""
    array = _target(scope)
    if array is None:
        return new_scalar(scope)
    name = _free_name(scope, "w")
    dims: tuple[str, ...]
    if len(array.dims) == 1:
        text, dims = scope.one(f"{array.name}[::-1]", f"{array.name}[:]", array.name), array.dims
    elif len(array.dims) == 2:
        rows, columns = array.dims
        views: list[tuple[str, tuple[str, ...]]] = [
            (f"{array.name}[{scope.index(rows)}]", (columns,)),
            (f"{array.name}[:, {scope.index(columns)}]", (rows,)),
            (f"{array.name}.T", (columns, rows)),
            (f"{array.name}[::-1]", (rows, columns)),
        ]
        text, dims = scope.rng.choice(views)
    else:
        text, dims = f"{array.name}[{scope.index(array.dims[0])}]", array.dims[1:]
    return [Line(f"{name} = {text}")], scope.with_array(Array(name, array.kind, dims, array.indexes))


def new_array(scope: Scope) -> Made:
    """``v = np.zeros(n)``, or of an expression"""
    found = scope.of(REAL)
    if not found:
        return new_scalar(scope)
    array = scope.rng.choice(found)
    name = _free_name(scope, "v")
    dim = scope.rng.choice(array.dims)
    other = scope.rng.choice(array.dims)
    choices: list[tuple[str, str, tuple[str, ...]]] = [
        (f"np.zeros({scope.extent(dim)})", "f", (dim,)),
        (f"np.zeros({scope.extent(dim)}, dtype=np.{scope.one('float32', 'int64')})", "f", (dim,)),
        (f"np.zeros(({scope.extent(dim)}, {scope.extent(other)}))", "f", (dim, other)),
        (f"np.ones({scope.extent(dim)})", "f", (dim,)),
        (f"np.full({scope.extent(dim)}, {scope.literal()})", "f", (dim,)),
        (f"np.arange({scope.extent(dim)})", "i", (dim,)),
        (f"{array.name}.copy()", array.kind, array.dims),
        (f"np.zeros_like({array.name})", array.kind, array.dims),
        (bare(scope.vector(dim, ":")), "f", (dim,)),
        (bare(scope.vector(dim, ":")), "f", (dim,)),
    ]
    text, kind, dims = scope.rng.choice(choices)
    return [Line(f"{name} = {text}")], scope.with_array(Array(name, kind, dims))


def swap(scope: Scope) -> Made:
    """``u, v = v, u``: arrays, elements, rows, scalars"""
    pairs = [(a, b) for a in scope.arrays for b in scope.arrays if a.name < b.name and a.dims == b.dims]
    pairs = [(a, b) for a, b in pairs if not a.indexes and not b.indexes and "c" not in (a.kind + b.kind)]
    array = _target(scope)
    if array is None:
        return new_scalar(scope)
    dim = array.dims[0]
    rest = "".join(f", {scope.index(d)}" for d in array.dims[1:])
    i, j = (scope.index(dim) for _ in range(2))
    forms = [f"{array.name}[{i}{rest}], {array.name}[{j}{rest}] = {array.name}[{j}{rest}], {array.name}[{i}{rest}]"]
    if len(array.dims) > 1:
        forms.append(f"{array.name}[[{i}, {j}]] = {array.name}[[{j}, {i}]]")
    if len(scope.numbers) > 1:
        x, y = scope.rng.sample(scope.numbers, 2)
        forms += [f"{x}, {y} = {y}, {x}", f"{x}, {y} = {y}, {bare(scope.number(1))}"]
    if pairs and scope.chance(0.5):
        a, b = scope.rng.choice(pairs)
        scope = scope.with_array(Array(a.name, b.kind, a.dims)).with_array(Array(b.name, a.kind, b.dims))
        return [Line(f"{a.name}, {b.name} = {b.name}, {a.name}")], scope
    return [Line(scope.rng.choice(forms))], scope


# ------------------------------------------------------------------------------------------------------- blocks


def _deeper(scope: Scope, **changes: object) -> Scope:
    return replace(scope, depth=scope.depth + 1, **changes)  # type: ignore[arg-type]


def _after(scope: Scope, inner: Scope) -> Scope:
    """The scope after a block: names first bound inside are seldom used, as they may not be bound.

    Arrays bound anew inside may have other extents then.
    """
    if scope.chance(0.04):
        return replace(scope, ints=inner.ints, numbers=inner.numbers)
    rebound = {a.name: a for a in inner.arrays}
    kept = tuple(rebound[a.name] if a.dims == rebound[a.name].dims else a for a in scope.arrays)
    return replace(scope, arrays=kept)


def _ranges(scope: Scope, dim: str) -> str:
    n, rng = scope.extent(dim), scope.rng
    outer = [name for name, of in scope.loops if of == dim]
    forms = [f"range({n})"] * 5 + [
        f"range(1, {n})", f"range({n} - 1, -1, -1)", f"range({n} - 1)", f"range(0, {n}, 2)", f"reversed(range({n}))",
        f"range({n} - 2, 0, -1)", f"range({scope.int_expression(1)} % ({n} + 1))", f"range({rng.randint(0, 3)}, {n})",
        f"range(min({n}, {scope.int_expression(2)}))", f"range({n} - 1, -1, -2)",
    ]  # fmt: skip
    if outer:
        i = rng.choice(outer)
        forms = forms[:3] + [f"range({i})", f"range({i} + 1, {n})", f"range({i}, {n})", f"range({i}, -1, -1)"] * 2
        forms += [f"range({n} - {i})", f"range(max({i} - 1, 0), min({i} + 2, {n}))", f"range({i} + 1)"]
    for name, rows, into in scope.offsets:
        row = [loop for loop, of in scope.loops if of == rows]
        if row and into == dim:
            forms += [f"range({name}[{row[-1]}], {name}[{row[-1]} + 1])"] * 4
    return rng.choice(forms)


def for_loop(scope: Scope) -> Made:
    """``for`` over ranges, arrays, `enumerate` and `zip`"""
    dims = [d for a in scope.arrays for d in a.dims]
    if not dims:
        return update_scalar(scope)
    dim = scope.rng.choice(dims)
    used = {name for name, _ in scope.loops}
    free = [name for name in ("i", "j", "k", "l", "m") if name not in used] or ["q"]
    index = free[0] if scope.chance(0.95) or not used else scope.rng.choice(sorted(used))
    vectors, matrices = scope.of(REAL, 1, dim), [a for a in scope.of(REAL, 2) if a.dims[0] == dim]
    item = f"e{scope.depth}"
    looped = (*(pair for pair in scope.loops if pair[0] != index), (index, dim))
    inner = _deeper(scope, loops=looped)
    header = f"for {index} in {_ranges(scope, dim)}:"
    draw = scope.rng.random()
    if vectors and draw < 0.26:
        x, y = (scope.rng.choice(vectors).name for _ in range(2))
        cut = scope.one("", "", "", "[::-1]", "[1:]")
        header = scope.rng.choice([
            f"for {item} in {x}{cut}:",
            f"for {index}, {item} in enumerate({x}):",
            f"for {index}, ({item}, other{item}) in enumerate(zip({x}, {y})):",
            f"for {item}, other{item} in zip({x}{cut}, {y}):",
            f"for {index}, {item} in enumerate({x}{cut}, {scope.rng.randint(0, 2)}):",
        ])  # fmt: skip
        names = (item, f"other{item}") if "other" in header else (item,)
        inner = _deeper(scope, numbers=(*scope.numbers, *names), loops=looped if index in header else scope.loops)
        if f"for {index}" not in header:
            inner = replace(inner, loops=scope.loops)
    elif matrices and draw < 0.34:
        matrix = scope.rng.choice(matrices)
        row = f"row{scope.depth}"
        header = scope.one(f"for {row} in {matrix.name}:", f"for {index}, {row} in enumerate({matrix.name}):")
        inner = _deeper(scope.with_array(Array(row, matrix.kind, matrix.dims[1:])),
                        loops=looped if header.startswith(f"for {index},") else scope.loops)  # fmt: skip
    elif draw < 0.38:
        header = f"for {index} in ({scope.rng.randint(0, 2)}, {scope.rng.randint(-2, 3)}):"
    elif draw < 0.41 and (pointers := [a for a in scope.of("i", 1) if a.indexes]):
        pointer = scope.rng.choice(pointers)
        header = f"for {index} in {pointer.name}:"
        inner = _deeper(scope, loops=(*looped[:-1], (index, pointer.indexes)))
    nodes, end = body(inner, 1, 3 if scope.depth else 4, loop=True)
    parts: list[tuple[str, tuple[Node, ...]]] = [(header, tuple(nodes))]
    if scope.chance(0.05):
        parts.append(("else:", tuple(body(_deeper(scope), 1, 1)[0])))
    return [Block(tuple(parts))], _after(scope, end)


def while_loop(scope: Scope) -> Made:
    """``while`` on a condition of data, bounded by a count, or on a count alone"""
    counter = f"count{scope.depth}"
    limit = scope.rng.randint(1, MOST_ITERATIONS)
    condition = scope.condition()
    if scope.numbers and scope.chance(0.5):
        name = scope.rng.choice(scope.numbers)
        condition = f"abs({name}) {scope.one('<', '>')} {scope.one('0.5', '3', '1e-3', '20')}"
    header = scope.rng.choice([
        f"while {counter} < {limit}:",
        f"while {counter} < {limit} and {condition}:",
        f"while {bare(condition)} and {counter} < {limit}:",
        f"while ({condition} or {scope.condition(2)}) and {counter} < {limit}:",
        f"while not ({counter} >= {limit} or {condition}):",
        "while True:",
    ])  # fmt: skip
    start: list[Node] = [Line(f"{counter} += 1")]
    if header == "while True:":
        start.append(Block(((f"if {counter} > {limit} or {condition}:", (Line("break"),)),)))
    inner = _deeper(scope, ints=scope.ints, numbers=(*scope.numbers, counter))
    nodes, end = body(inner, 1, 3, loop=True)
    parts: list[tuple[str, tuple[Node, ...]]] = [(header, (*start, *_without_writes_to(counter, nodes)))]
    if scope.chance(0.05):
        parts.append(("else:", tuple(body(_deeper(scope), 1, 1)[0])))
    scope = replace(_after(scope, end), numbers=tuple(dict.fromkeys((*scope.numbers, counter))))
    return [Line(f"{counter} = 0"), Block(tuple(parts))], scope


def _without_writes_to(counter: str, nodes: Sequence[Node]) -> list[Node]:
    """The nodes without lines that bind the counter: the loop might not end."""
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, Line):
            targets = node.text.partition("=")[0]
            if counter not in targets.replace(",", " ").split() and not targets.startswith(f"{counter} "):
                kept.append(node)
        else:
            kept.append(Block(tuple((h, tuple(_without_writes_to(counter, b))) for h, b in node.parts)))
    return kept


def if_statement(scope: Scope, loop: bool = False) -> Made:
    """``if``, ``elif``, ``else``"""
    inner = _deeper(scope)
    parts: list[tuple[str, tuple[Node, ...]]] = []
    ends = []
    for k in range(scope.rng.choice((1, 1, 1, 2, 2, 3))):
        nodes, end = body(inner, 1, 2, loop=loop)
        parts.append((f"{'elif' if k else 'if'} {bare(scope.condition())}:", tuple(nodes)))
        ends.append(end)
    if scope.chance(0.4):
        nodes, end = body(inner, 1, 2, loop=loop)
        parts.append(("else:", tuple(nodes)))
        ends.append(end)
    return [Block(tuple(parts))], _after(scope, scope.rng.choice(ends))


def results(scope: Scope) -> str:
    """As many names as a program returns."""
    names = [*scope.numbers, *scope.ints, *(a.name for a in scope.arrays), *(name for name, _ in scope.loops)]
    names += [*scope.lists, *scope.dicts, *(name for name, _ in scope.histories)] * 3
    names += [f"len({name})" for name in scope.lists] + [f"np.array({name})" for name in scope.lists]
    own = [n for n in names if n[0] in "xkvwefgdl"]
    picked = [scope.rng.choice(own if own and scope.chance(0.75) else names or ["0"]) for _ in range(scope.returned)]
    return f"return ({''.join(f'{name}, ' for name in picked)})"


def leave(scope: Scope) -> Made:
    """``if x: break``, ``continue``, an early ``return``"""
    how = scope.one("break", "continue", "break", "continue", results(scope))
    return [Block(((f"if {bare(scope.condition())}:", (Line(how),)),))], scope
