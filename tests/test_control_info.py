"""What the transformation says of each statement: its state, and which of it is read again."""

from __future__ import annotations

import types
from typing import Any

import pytest

from lazyarr.tracing.control import Control, Info, Undefined, convert, converted_code
from tests.control_compare import define


def infos(code: types.CodeType) -> list[Info]:
    """What the transformed code knows, in the order of lines."""
    found = [c for c in code.co_consts if isinstance(c, Info)]
    found += [i for c in code.co_consts if isinstance(c, types.CodeType) for i in infos(c)]
    return sorted(dict.fromkeys(found), key=lambda info: info.line)


def described(text: str) -> list[str]:
    """One line for each statement: ``line: carried | read after | other names``."""
    rows = []
    for info in infos(converted_code(define(text)).code):
        names = [n for n in info.names if not n.startswith("__")]
        live_in = {n for n, live in zip(info.names, info.live_in) if live}
        live_out = {n for n, live in zip(info.names, info.live_out) if live}
        parts = [
            [n for n in names if n in live_in],
            [n for n in names if n in live_out],
            [n for n in names if n not in live_in | live_out],
        ]
        rows.append(f"{info.line}: " + " | ".join(" ".join(part) or "-" for part in parts))
    return rows


CASES = {
    "a sum": (
        """
def f(x):
    s = 0
    for i in range(3):
        s += x[i]
    return s
""",
        ["4: s | s | i"],
    ),
    "what an iteration computes anew is not carried": (
        """
def f(x):
    for i in range(3):
        t = x[i]
        x[i] = t * t
    return t, i
""",
        ["3: - | i t | -"],
    ),
    "what only some iterations assign is carried, if it is read": (
        """
def f(x):
    for i in range(3):
        if x[i]:
            best = i
            other = 1
    return best
""",
        ["3: best | best | i other", "4: best | best | other"],
    ),
    "the test of a while loop reads": (
        """
def f(x):
    err = 1.0
    while err > 1e-3:
        old = x
        x = x / 2
        err = old - x
    return x
""",
        ["4: x err | x | old"],
    ),
    "swaps": (
        """
def f(u, n):
    v = u
    for k in range(n):
        w = u + v
        u, v = v, w
    return v
""",
        ["4: u v | v | k w"],
    ),
    "read before assigned, in the next iteration": (
        """
def f(n):
    a = b = 0
    for k in range(n):
        c = a
        a = b
        b = k
    return c
""",
        ["4: a b | c | k"],
    ),
    "a branch that assigns hides what came before": (
        """
def f(c, x):
    y = x
    if c:
        x = 1
        y = 2
    else:
        x = 3
    return x, y
""",
        ["4: y | x y | -"],
    ),
    "an inner loop carries what the outer one reads": (
        """
def f(n):
    total = 0
    for i in range(n):
        row = 0
        for j in range(i):
            row += j
        total += row
    return total
""",
        ["4: total | total | i row j", "6: row | row | j"],
    ),
    "an inner loop's variable that the next outer iteration reads": (
        """
def f(n):
    j = 0
    for i in range(n):
        for j in range(i + j):
            pass
    return 0
""",
        ["4: j | - | i", "5: - | j | -"],
    ),
    "what a nested function reads may be read at any time": (
        """
def f(n, g):
    for i in range(n):
        a = i
        b = i
        g.append(lambda: a)
    return g
""",
        ["3: a | a | i b"],
    ),
    "what a nested function assigns is part of every state": (
        """
def f(n):
    total = 0
    def add(k):
        nonlocal total
        total += k
    for i in range(n):
        add(i)
    return total
""",
        ["7: total | total | i"],
    ),
    "what an except clause reads": (
        """
def f(x):
    try:
        for i in range(3):
            a = i
            b = x[i]
    except IndexError:
        return a
    return b
""",
        ["4: a | a b | i"],
    ),
    "what a finally clause reads": (
        """
def f(x, log):
    try:
        for i in range(3):
            b = x[i]
    finally:
        log.append(i)
    return 0
""",
        ["4: i | i | b"],
    ),
    "a deleted name counts as read": (
        """
def f(n):
    a = 1
    for i in range(n):
        b = 2
        del b
    del a
""",
        ["4: - | - | i b"],
    ),
    "an augmented element is no assignment": (
        """
def f(x):
    for i in range(3):
        x[i] += 1
        x.y = i
    return x
""",
        ["3: - | - | i"],
    ),
    "an augmented name is": (
        """
def f(x):
    for i in range(3):
        x += 1
    return x
""",
        ["3: x | x | i"],
    ),
    "the variable of a comprehension is not": (
        """
def f(x):
    for i in range(3):
        y = [k for k in x if (z := k)]
    return y, z
""",
        ["3: z | y z | i"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_states(name: str) -> None:
    text, expected = CASES[name]
    assert described(text) == expected


def test_names_that_are_declared_global_or_nonlocal_are_outside() -> None:
    text = """
def outer():
    shared = 0
    def f(n):
        global count
        nonlocal shared
        for k in range(n):
            count = k
            if k:
                shared = k
        return k
    return f
f = outer()
"""
    assert [(i.line, i.names, i.outside) for i in infos(converted_code(define(text)).code)] == [
        (7, ("k",), ("count", "shared")),
        (9, (), ("shared",)),
    ]


def test_jumps_are_part_of_the_state() -> None:
    text = """
def f(n):
    for i in range(n):
        if i > 3:
            break
        if i > 2:
            return i
    return -1
"""
    loop = infos(converted_code(define(text)).code)[0]
    kinds = {n.rpartition("_")[0]: (a, b) for n, a, b in zip(loop.names, loop.live_in, loop.live_out)}
    assert kinds == {
        "i": (False, False), "__break": (True, False), "__return": (True, True), "__value": (True, True)
    } or kinds == {
        "": (False, False), "__break": (True, False), "__return": (True, True), "__value": (True, True)
    }  # fmt: skip


def test_a_jump_at_the_end_of_every_way_needs_no_flag() -> None:
    text = """
def f(n):
    for i in range(n):
        if i > 3:
            continue
        n += 1
    if n > 5:
        return 1
    elif n:
        return 2
    return 3
"""
    names = {n for i in infos(converted_code(define(text)).code) for n in i.names}
    assert {n.rstrip("0123456789") for n in names} == {"i", "n", "__value_"}


def test_there_is_one_info_for_each_statement() -> None:
    seen = []

    class Looking(Control):
        def if_(self, *args: Any) -> None:
            seen.append(args[-1])
            super().if_(*args)

    convert(define("def f(n):\n    for k in range(n):\n        if k:\n            pass\n"))(Looking())(4)
    assert len(seen) == 4
    assert all(info is seen[0] for info in seen)
    assert (seen[0].line, seen[0].file[:8]) == (3, "<program")


def test_get_and_set_reach_the_users_names() -> None:
    class Doubling(Control):
        def for_(self, iterable: Any, body: Any, get: Any, set: Any, info: Info, test: Any = None,
                 lists: Any = ()) -> None:  # fmt: skip
            values = dict(zip(info.names, get()))
            assert values["s"] == 1
            assert isinstance(values["k"], Undefined)
            super().for_(iterable, body, get, set, info, test)
            set(tuple(2 * value for value in get()))

    text = "def f(n):\n    s = 1\n    for k in range(n):\n        s += k\n    return s, k"
    assert convert(define(text))(Doubling())(4) == (14, 6)


def test_only_names_that_may_be_undefined_are_tested() -> None:
    text = """
def f(n, x):
    a = n
    while True:
        b = a
        if b > 3:
            break
        a += 1
    if n:
        c = 1
    else:
        c = 2
    for i in range(3):
        d = i
        e = d
    with x:
        g = 1
    try:
        h = 1
    except ValueError:
        h = 2
    finally:
        k = n
    return a, b, c, h, k, [n for n in x]
"""
    found = methods(converted_code(define(text)).code)
    assert found == {"while_", "for_", "if_", "and_", "not_", "over", "listed"}
    unsure = converted_code(define(text.replace("return a", "return d, g, a"))).code
    assert methods(unsure) == {*found, "read"}


def methods(code: types.CodeType) -> set[str]:
    """Methods of the control object that are called (and what else has their names)."""
    found = {name for name in code.co_names if hasattr(Control, name)}
    return found.union(*(methods(c) for c in code.co_consts if isinstance(c, types.CodeType)))


# -- Undefined -------------------------------------------------------------------------------------------------

MESSAGE = "cannot access local variable 'x' where it is not associated with a value"


@pytest.mark.parametrize(
    "use",
    [
        "x + 1", "1 + x", "-x", "x < 2", "x == 2", "x[0]", "x.shape", "x()", "x in [1]", "1 in x", "bool(x)",
        "float(x)", "len(x)", "list(x)", "str(x)", "f'{x}'", "hash(x)", "x @ x", "abs(x)", "[1][x]",
        "divmod(x, 2)", "round(x)",
    ],
)  # fmt: skip
def test_any_use_of_undefined_is_pythons_error(use: str) -> None:
    with pytest.raises(UnboundLocalError) as caught:
        eval(use, {"x": Undefined("x")})
    assert str(caught.value) == MESSAGE


def test_the_message_is_pythons() -> None:
    with pytest.raises(UnboundLocalError) as caught:
        define("def f():\n    return x\n    x = 1")()
    assert str(caught.value) == MESSAGE


def test_undefined_shows_itself() -> None:
    assert repr(Undefined("x")) == "Undefined('x')"
    assert repr([Undefined("y")]) == "[Undefined('y')]"
