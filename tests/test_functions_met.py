"""What a traced function calls, wherever it meets it: builtins, methods, partial objects, functions met in loops.

Each module is made anew for each run; results, what is printed and all that it holds must be Python's, call after call.
"""

from __future__ import annotations

import contextlib
import io
import types
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.tracing import environment, standins
from tests.written import module_of

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")

WORLD = """
import functools, math, os, random, types
from collections import OrderedDict, deque
from math import exp
import numpy as np

class Counter:
    def __init__(self):
        self.n, self.a = 0, np.zeros(5)

    def hit(self, v):
        self.n += 1
        self.a[1] += 1
        return v * 2

    def __call__(self, v):
        return self.hit(v)

class Holding:
    inner, pair, log, writes = Counter(), ([], np.zeros(3)), functools.partial(print, "of a class"), print
    sizes, shape = (2, 3), {"k": (1.5, None)}

    def __init__(self):
        self.log = print

    def go(self, x):
        return self.inner.hit(x)

counter, called, holding, space = Counter(), Counter(), Holding(), types.SimpleNamespace(n=0, c=Counter())
lines, table, queue, numbers, array, ordered = [], {}, deque(), set(), np.arange(5.0), OrderedDict()
listed = [print, abs, os.getcwd]
acting = {"print": print, "abs": abs, "float": float, "setattr": setattr, "next": next, "len": len}
of_print = functools.partial(functools.partial(print, "z"), "y")
of_method, of_function = functools.partial(counter.hit), functools.partial(Counter.hit, counter)
of_object, of_append = functools.partial(called), functools.partial(lines.append)
methods = {"c": called, "m": counter.hit, "p": of_method}
append = lines.append
bound = {
    "append": lines.append, "set": table.__setitem__, "get": table.get, "queue": queue.append, "add": numbers.add,
    "sum": array.sum, "fill": array.fill, "ordered": ordered.__setitem__,
}

def make():
    kept, seen, data = deque(), {"n": 0}, np.ones(4)

    def first(v):
        first.calls += 1
        data[0] += 1
        seen["n"] += 1
        return v * data[1]

    first.calls = 0

    def second(v, b=data * 2, q=kept):
        kept.append(1)
        q.append(2)
        b[0] += 1
        return first(v) + data[0] + b[0]

    def third(v, f=first, d={"f": first, "kept": kept}):
        d["f"].calls += 1
        f.calls += 1
        kept.append(3)
        return d["f"](v) + f(v)

    def fourth(v):
        return second(v) if v < 100 else 0

    return first, second, third, fourth, lambda: (first.calls, len(kept), seen, data.tolist(), second.__defaults__)

first, second, third, fourth, left = make()

def attributed(x):
    if "k" not in attributed.memo:
        attributed.memo["k"] = x * 2
    attributed.calls += 1
    attributed.buffer[0] += x[1]
    attributed.log.append(x.sum())
    attributed.o.hit(x)
    return attributed.memo["k"] + attributed.buffer

attributed.memo, attributed.calls, attributed.buffer = {}, 0, np.zeros(5)
attributed.log, attributed.o, attributed.unused = [], Counter(), deque()

def memoized(f):
    cache = {}
    @functools.wraps(f)
    def call(n, x):
        call.calls += 1
        if n not in cache:
            cache[n] = f(x)
        return cache[n]
    call.calls, call.cache = 0, cache
    return call

doubled = memoized(lambda x: x * 2)

def state():
    return repr((
        vars(counter), vars(called), vars(Holding.inner), Holding.pair, space.n, vars(space.c), lines, table, queue,
        numbers, array, ordered, vars(holding).keys() - {"log"}, left(), attributed.memo, attributed.calls,
        attributed.buffer, attributed.log, vars(attributed.o), attributed.unused, doubled.calls, doubled.cache,
    ))
"""
BODIES = """
acting["print"]("hi"); return x.sum()
listed[0]("hi"); return listed[1](-x.sum())
def log(y, to=print): to(y)@log("hi"); return x.sum()
of_print("hi"); return x.sum()
print("a", end=""); p = print; q = [print]; q[0]("b"); p("c"); return x.sum()
list(map(print, [1, 2])); return x.sum()
holding.log("hi"); return x.sum()
Holding.log("hi"); Holding.writes("a method"); return x.sum()
acting["setattr"](holding, "n", 3); return holding.n, x.sum()
i = iter([1, 2]); return acting["next"](i), acting["next"](i), x.sum()
print("a"); return print is print, {print: 1}.get(print), print.__name__, acting["print"] is print, x.sum()
print("a"); return math.sin is math.sin, exp is math.exp, {math.cos: 2}.get(math.cos), math.sin.__name__, x.sum()
print("a"); return os.getcwd is listed[2], [random.random].index(random.random), open is open, id is id, x.sum()
print("a"); return setattr is setattr, {setattr: 2}.get(setattr), float is float, acting["abs"] is abs, x.sum()
return of_method(x)
return of_function(x)
return of_object(x)
return sum(map(of_method, [x, x * 3]))
return sum(of_object(v) for v in x)
p = functools.partial(counter.hit); return p(x) + p(x)
return methods["c"](x) + methods["m"](x) + methods["p"](x)
return called(x)
return space.c.hit(x), space.c(x)
space.n += 1; return x.sum()
return Holding.inner.hit(x)
return Holding().go(x), holding.go(x), Holding.inner.n
Holding.inner.n += 1; return x.sum()
Holding.inner.a = x * 2; return x.sum()
Holding.pair[0].append(x.sum()); Holding.pair[1][0] += 1; return Holding.pair[1].sum(), len(holding.pair[0])
return np.zeros(Holding.sizes) + holding.shape["k"][0] + x.sum()
append(x.sum()); return len(lines)
of_append(x * 2); return len(lines)
def log(y, to=lines.append): to(y)@log(x.sum()); return x.sum()
bound["append"](x * 2); return len(lines)
bound["set"]("k", x * 2); return bound["get"]("k")
bound["queue"](x * 2); return len(queue)
bound["add"](float(x.sum())); return len(numbers)
array[0] += 1; return bound["sum"]() + x.sum()
bound["fill"](7.0); return array.sum() + x.sum()
bound["ordered"]("a", x * 2); return x.sum()
for k in range(4): append(x[k])@return len(lines)
list(map(append, [x.sum(), x * 2])); return len(lines)
return attributed(x)
if "k" not in attributed.memo: attributed.memo["k"] = x * 2@return attributed.memo["k"] + x
attributed.log.append(x.sum()); attributed.buffer += x; return x.sum()
attributed.memo.clear(); return attributed(x), attributed.calls, attributed.buffer
attributed.memo = {"k": x}; attributed.buffer = attributed.buffer * 2; return attributed(x)
print("a"); return attributed(x)
for k in range(4): attributed.log.append(x[k]); attributed.buffer[k] = x[k]@return len(attributed.log)
return doubled(3, x) + doubled(4, x)
doubled.cache.clear(); return doubled(3, x) + doubled(4, x), doubled.calls
s = 0.0@for k in range(5): s = s + second(x[k])@s = s + first(x[0])@return s, first.calls
s = 0.0@for k in range(5): s = s + fourth(x[k])@first.calls += 1@for k in range(5): s = s + first(x[k])@return s
s = 0.0@if x.sum() > 1: s = s + second(x[0])@first.calls += 1@for k in range(5): s = s + first(x[k])@return s
s = 0.0@for k in range(5): s = s + third(x[k])@first.calls += 1@for v in x: s = s + first(v) + second(v)@return s
s = first(x[0])@for k in range(5): s = s + second(x[k])@for k in range(5): s = s + third(x[k])@return s, first.calls
""".strip().splitlines()


def module(body: str) -> types.ModuleType:
    text = f"{WORLD}\ndef function(x):\n    " + body.replace("@", "\n    ") + "\n"
    return module_of(text, f"<{body}>")


def runs(made: Any, function: Any) -> list[Any]:
    """What three calls give, print, and leave behind."""
    found = []
    for k in range(3):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            result = repr(function(np.arange(5.0) + k))
        found.append((result, printed.getvalue(), made.state()))
    return found


@pytest.mark.parametrize("body", BODIES)
def test_what_is_called_acts_as_in_python(body: str) -> None:
    plain, own = module(body), module(body)
    assert runs(own, accelerate(own.function, always=True)) == runs(plain, plain.function)


def test_one_thing_stands_for_a_function_however_often_it_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made, noting = [], standins.noting
    def counting(trace: Any, function: Any, why: str) -> Any:
        made.append(why)
        return noting(trace, function, why)

    monkeypatch.setattr(environment, "noting", counting)
    body = 'print("a")@for k in range(300): print(math.sin(k), os.getcwd() == "", end=" ")@return x.sum()'
    plain, own = module(body), module(body)
    assert runs(own, accelerate(own.function, always=True)) == runs(plain, plain.function)
    assert len(made) <= 2 * 3  # in each of three calls
