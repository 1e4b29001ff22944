"""What a function changes outside of itself, where it comes upon it only within a loop or a branch.

Each effect stands in each kind of statement, in a module of its own; its results and all that the module holds must be
Python's, call after call.
"""

from __future__ import annotations

import contextlib
import types
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.written import module_of

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")

WORLD = """
import numpy as np
import types

G, D, N, W = [], {}, 0, 1.5
A, B = np.zeros(5), np.ones((3, 4))
L, DA = [np.zeros(3), np.ones(3)], {"u": np.zeros(4)}
other = types.ModuleType("other")
other.x, other.l, other.a = 0, [], np.zeros(4)

class O:
    total, table, registry = 0, np.zeros(3), []

    def __init__(self):
        self.log, self.d, self.n, self.a = [], {}, 0, np.zeros(6)

    def hit(self, v):
        self.n += 1
        self.a[1] += v
        self.log.append(1)

    @classmethod
    def count(cls):
        cls.total += 1

ob, nested = O(), {"a": [[], {}], "o": O()}

def helper(v):
    A[1] += v
    G.append(2)

def counting(v):
    global N
    N += 1
    return v * 2

def state():
    return repr((
        G, D, N, W, A.tolist(), B.tolist(), [a.tolist() for a in L], DA["u"].tolist(), other.x, other.l,
        other.a.tolist(), vars(ob), nested["a"], vars(nested["o"]), O.total, O.table.tolist(), O.registry,
        function.__dict__.get("calls"),
    ))

def function(x):
    global N, W, B
    s = 0.0
"""
EFFECTS = """
G.append(1)
G.append(x[1] * 2)
D["k"] = D.get("k", 0) + 1
A[2] += x[1]
A[:] = A + x[:5]
A.sort(); A[0] += 1
np.add(A, 1, out=A)
A[0] = N; N += 1
N += 1
W = W * 1.01
B += x[3]
B[1] *= 1.5
B[:, 0], B[:, 1] = B[:, 1].copy(), B[:, 0].copy() + x[0]
L[0][1] += 1
L[0] += x[2]
L[1] = L[1] + x[:3]
DA["u"][2] += 1
DA["u"] = DA["u"] + 1
other.x += 1
other.l.append(1)
other.a[1] += x[0]
ob.hit(x[0])
ob.n += 1
ob.a = ob.a * 1.0 + x[0]
ob.d["q"] = x[0]
O.count()
O.total += 1
O.table[1] += 1
O.registry.append(1)
nested["o"].hit(x[1])
nested["a"][1]["z"] = 1
function.calls = function.__dict__.get("calls", 0) + 1
helper(x[0])
s = s + counting(x[0])
""".strip().splitlines()
STATEMENTS = {
    "a branch that is not taken": "    if x.sum() > 1e6:\n        @",
    "a branch that is taken": "    if x.sum() > 1:\n        @",
    "the other branch": "    if x.sum() > 1e6:\n        s = s + 1\n    else:\n        @",
    "a loop": "    for k in range(20):\n        s = s + x[k]\n        @",
    "a branch in a loop": "    for k in range(20):\n        s = s + x[k]\n        if x[k] > 0.5:\n            @",
    "while": "    k = 0\n    while s < 6:\n        s = s + x[k]\n        k += 1\n        @",
    "break": "    for k in range(20):\n        if x[k] > 0.9: break\n        @\n        s += x[k]",
    "nested loops": "    for k in range(6):\n        for j in range(5):\n            s = s + x[j]\n            @",
    "with": "    with np.errstate(all='ignore'):\n        @",
    "try": "    try:\n        @\n        s = s + 1 / x[3]\n    except ZeroDivisionError: pass",
    "an early return": "    if x.sum() < 3: return 0.0\n    @",
    "a branch that returns": "    if x.sum() > 3:\n        @\n        return s + 1",
    "a loop without iterations": "    for k in range(int(x.sum() < 0)):\n        @",
}


def module(effect: str, statement: str) -> types.ModuleType:
    text = f"{WORLD}{STATEMENTS[statement].replace('@', effect)}\n    return s\n"
    return module_of(text, f"<{effect} in {statement}>")


@pytest.mark.parametrize("effect", EFFECTS)
def test_the_world_is_as_python_leaves_it(effect: str) -> None:
    x = np.random.default_rng(0).random(50)
    for statement in STATEMENTS:
        plain = module(effect, statement)
        expected = [(repr(plain.function(x)), plain.state()) for _ in range(4)]
        for always in (False, True):
            own = module(effect, statement)
            function = accelerate(own.function, always=always)
            found = [(repr(function(x)), own.state()) for _ in range(4)]
            assert found == expected, (statement, always)


#: Further programs, each with something of the world that a statement meets first.
PROGRAMS = {
    "a stream": """
RNG = np.random.default_rng(3)
def function(x):
    s = 0.0
    for k in range(20):
        s = s + RNG.normal()
        assert s > -50
    return s
""",
    "a set": """
S = {1, 2}
def function(x):
    s = 0.0
    for k in range(20):
        if x[k] > 0.5:
            S.add(len(S) + 5)
            s = s + x[k]
    return s
""",
    "the stream of an inner function": """
def make():
    rng = np.random.default_rng(3)
    def draw(v):
        return v + rng.normal()
    return draw
draw = make()
def function(x):
    s = 0.0
    for k in range(20):
        s = s + draw(x[k])
        assert s > -50
    return s
""",
    "attributes of classes": """
class O:
    total, table, registry = 0, np.zeros(3), []
class P(O):
    pass
def function(x):
    s = 0.0
    for k in range(int(3 + (x[0] > 0))):
        s = s + P.table.sum() + P().table[1]
        O.table = O.table + x[1]
        O.more = x[:2] * 1
    P.registry += [1, x[0]]
    O.total = O.total + x[1]
    return s
""",
    "one array of two names": """
A = B = C = None
def function(x):
    global A, B, C
    A = x * 2
    B, C = A, A[1:]
    return x.sum()
""",
    "one list of two names": """
A, D = None, {}
def function(x):
    global A
    A = [x * 2, 1]
    D["k"], D["l"] = A, A[0]
    return A, (A, {"a": A})
""",
    "a list that holds itself": """
def function(x):
    found = [x * 2]
    for k in range(x.shape[0]):
        found.append(x[k])
    both = {"a": found, "b": found}
    both["c"] = both
    return both
""",
    "what shares memory, after an effect": """
A, R = np.zeros(5), []
V, S = A[1:], {1}
def function(x):
    S.add(len(S) + 5)
    A[0] += 1
    V[0] += x[0]
    return A.sum()
""",
    "one array of a list, twice, after an effect": """
L, S = [np.arange(3.0)], {1}
def helper():
    L.append(L[0])
def function(x):
    S.add(len(S) + 5)
    helper()
    return x.sum()
""",
    "a look at the frame, after an effect": """
S = {1}
def function(x):
    S.add(len(S) + 5)
    y = x[0] + 1
    return sorted(locals()), y
""",
    "an error after effects": """
class O: t, a = 0, np.zeros(2)
N, A, G, S = 0, np.zeros(3), [], {1}
def fails(x):
    global N, A
    S.add(len(S) + 5)
    N += 1
    A = A + x[0]
    A[1] = 2
    G.append(A)
    O.t += 1
    O.a = x[:2] * 2
    x = x + 1
    if x[1] > 0: raise ValueError("no")
def function(x):
    fails(x)
""",
    "what is deleted": """
T, S = 5, {1}
def helper(): pass
helper.a = 1
def make():
    def set(x):
        nonlocal c
        c = x[:2] * 2
    def toggle(x):
        nonlocal n
        S.add(len(S) + 5)
        try: del n
        except NameError: n = x[0]
    def get():
        try: return c, n
        except NameError: return "gone"
    n = 3
    return set, toggle, get
    c = None
set_c, toggle_n, get = make()
def function(x):
    global T
    set_c(x)
    for k in range(20):
        if x[k] > 0.9 and hasattr(helper, "a"): del helper.a
    helper.b = x[1]
    toggle_n(x)
    T = 3
    del T
    return x.sum()
""",
    "keys that are functions": """
def double(v):
    return v * 2
D = {double: 1, np.sin: 2, len: 3}
def function(x):
    D[double] += 1
    D[np.cos] = D[np.sin] + len(D)
    return D[double], np.exp in D, len in D, [f(x[0]) for f in D if f is not len], list(D)
""",
    "one view of two names": """
A = None
def function(x):
    global A
    A = x[1:4]
    return A, A
""",
    "functions that are stored": """
N, A, B, C, R, D = 0, None, [], [], [], {}
class O:
    def __init__(self, f):
        self.f, self.m = f, self.get
    def get(self):
        return 3
held = O(abs)
def helper(v):
    global N
    N += 1
    return v
def function(x):
    global A
    R.append((A is helper, helper in D, len(C) > 0 and C[-1].__self__ is held))
    if A is not None:
        R.append((A(1), B[-1].f(2.0), B[-1].m(), C[-1]()))
    A, D[helper], held.cb, O.cb = helper, helper, helper, len
    B.append(O(np.cos))
    C.append(held.get)
    return helper, np.add, np.linalg.norm, np.float32, math.sqrt, print, held.get, O, np, x.sum()
""",
    "a function that is made": """
N, A = 0, None
def function(x):
    global A
    if A is not None:
        A()
    def made():
        global N
        N += 1
        return x[0]
    A = made
    return x.sum()
""",
    "a generator that is made": """
N, A = 0, None
def function(x):
    global A
    s = x.sum()
    if A is not None:
        s = s + next(A)
    def made():
        global N
        N += 1
        yield x[0]
    A = made()
    return s
""",
}


def seen(value: Any, known: dict[int, int], kept: list[Any]) -> str:
    """All that something holds: values, types, and what is one object or shares memory."""
    if isinstance(value, (int, float, str, type(None), np.generic)):
        return repr(value)
    if id(value) in known:
        return f"#{known[id(value)]}"
    known[id(value)] = len(known)
    kept.append(value)
    if type(value) is np.ndarray:
        shared = [known[id(other)] for other in kept if type(other) is np.ndarray and np.shares_memory(value, other)]
        return f"{value.dtype} {value.tolist()} {shared}"
    if type(value) in (list, tuple):
        return f"{type(value)} {[seen(item, known, kept) for item in value]}"
    if type(value) is dict:
        items = [(name, item) for name, item in value.items() if not str(name).startswith("__")]
        return str([(name if type(name) is str else seen(name, known, kept), seen(item, known, kept))
                    for name, item in items])  # fmt: skip
    if isinstance(value, types.MethodType):
        return f"{value.__name__} of {seen(value.__self__, known, kept)}"
    if isinstance(value, types.FunctionType) or callable(value) and not isinstance(value, type):
        return f"{value.__name__} {type(value)}"
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, type) and value.__module__ == "__main__":
        return seen(dict(vars(value)), known, kept)
    if type(value).__module__ == "__main__":
        return seen(vars(value), known, kept)
    return repr(value) if isinstance(value, (set, type, types.ModuleType)) else type(value).__name__


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_that_the_module_holds(name: str) -> None:
    x = np.random.default_rng(0).random(50)
    text, file = f"import math\nimport numpy as np\n{PROGRAMS[name]}", f"<{name}>"

    def run(**options: bool) -> list[str]:
        made = module_of(text, file)
        called = accelerate(made.function, **options) if options else made.function
        del made.function
        found = []
        for _ in range(4):
            result: list[Any] = []
            with contextlib.suppress(ValueError):
                result += [called(x), made.get() if hasattr(made, "get") else None]
            vars(made)["T"] = [hasattr(made, "T")]
            found.append(seen([result, vars(made)], {}, []))
        return found

    expected = run()
    for always in (False, True):
        assert run(always=always) == expected, always


def test_functions_of_one_closure_share_its_variables() -> None:
    def make() -> Any:
        n = 0

        def count() -> None:
            nonlocal n
            n += 1

        return count, lambda: n

    count, seen = make()

    def function(x: Any) -> Any:
        count()
        return x[0] * 0 + seen()

    accelerated: Any = accelerate(function, always=True)
    assert [accelerated(np.ones(3)) for _ in range(3)] == [1.0, 2.0, 3.0]


def test_a_variable_of_a_module_is_deleted() -> None:
    other = types.ModuleType("other")

    def function(x: Any) -> Any:
        print(end="")
        if hasattr(other, "x"):
            del other.x
        return x + 1

    accelerated: Any = accelerate(function)
    for _ in range(3):
        other.x = 3  # type: ignore[attr-defined]
        assert accelerated(np.ones(3)).sum() == 6.0
        assert not hasattr(other, "x")
