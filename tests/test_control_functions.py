"""Which functions are transformed, and what the transformed function has in common with the user's."""

from __future__ import annotations

import functools
import gc
import inspect
import threading
import traceback
import types
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from lazyarr.source import user_line
from lazyarr.tracing.control import Control, NotConverted, convert, converted_code
from tests.control_compare import define


def plain(function: Any) -> types.FunctionType:
    assert isinstance(function, types.FunctionType)
    return function


def transformed(function: Any) -> Any:
    return convert(plain(function))(Control())


class Counting(Control):
    """Counts what is handed over."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def for_(self, *args: Any) -> None:
        self.calls.append("for")
        super().for_(*args)

    def if_(self, *args: Any) -> None:
        self.calls.append("if")
        super().if_(*args)

    def call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.calls.append(getattr(function, "__name__", "?"))
        return super().call(function, *args, **kwargs)


# -- methods, decorators, private names ------------------------------------------------------------------------


def passing(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


class Base:
    def total(self, n: int) -> int:
        return n

    @classmethod
    def name(cls) -> str:
        return cls.__name__


class __Private(Base):
    __hidden = 3

    def __init__(self, start: int):
        self.__start = start

    def total(self, n: int) -> int:
        result = 0
        for __k in range(n):
            if __k > 1:
                result += super().total(__k) + self.__hidden + self.__start
        return result

    def own_class(self) -> Any:
        for _ in range(1):
            return __class__, self.__twice(k=4)  # type: ignore[name-defined]  # noqa: F821

    def __twice(self, k: int, *, __m: int = 2) -> int:
        return k * __m

    def unbound(self) -> int:
        if self.__start > 100:
            __x = 1
        return __x

    @classmethod
    def name(cls) -> str:
        for _ in range(1):
            prefix = super().name()
        return prefix + cls.__name__

    @staticmethod
    @passing
    @functools.lru_cache(
        maxsize=3
    )
    def static(
        n: int,
    ) -> int:
        while n > 3:
            n -= 2
        return n

    @property
    def double(self) -> int:
        return 2 * self.__start if self.__start else -1

    def nested(self) -> Any:
        def inner(other: Any) -> Any:
            return [other.__start, lambda: other.__hidden]

        return inner(self)[1](), inner.__qualname__


def both(function: Any, *args: Any) -> None:
    def run(f: Any) -> Any:
        try:
            return f(*args)
        except Exception as error:  # noqa: BLE001  it is compared
            return repr(error)

    assert run(transformed(function)) == run(function)


@pytest.mark.parametrize("name", ["total", "own_class", "unbound", "nested"])
def test_methods(name: str) -> None:
    both(getattr(__Private, name), __Private(5), *([4] if name == "total" else []))


def test_class_and_static_methods_and_properties() -> None:
    both(__Private.name.__func__, __Private)  # type: ignore[attr-defined]
    both(inspect.unwrap(__Private.static), 8)
    double: Any = inspect.getattr_static(__Private, "double")
    both(double.fget, __Private(5))
    both(double.fget, __Private(0))


def test_super_in_a_nested_function_uses_its_own_argument() -> None:
    text = """
class A:
    def g(self): return "A"
class B(A):
    def g(self):
        def inner(me, n):
            for k in range(n):
                if k == 1:
                    return super().g() + "inner"
        return inner(self, 3)
f = B.g
b = B()
"""
    function = define(text)
    assert transformed(function)(function.__globals__["b"]) == "Ainner"


def test_super_without_arguments_of_a_function_that_has_none() -> None:
    function = define("class A:\n    def g(): return super().x\nf = A.g\n")
    with pytest.raises(NotConverted, match="super"):
        convert(function)


def test_a_wrapper_is_itself_transformed_and_keeps_what_wraps_gave_it() -> None:
    def inner(n: int) -> int:
        """Inner's own."""
        return n + 1

    @functools.wraps(inner)
    def wrapper(*args: Any) -> Any:
        for _ in range(1):
            result = inner(*args)
        return result

    made = transformed(wrapper)
    assert made(1) == 2
    assert (made.__name__, made.__doc__, made.__wrapped__) == ("inner", "Inner's own.", inner)


# -- what the new function shares with the old -----------------------------------------------------------------


def test_attributes_of_the_function() -> None:
    def outer() -> Any:
        def f(a: int, b: float = 2.0, /, c: Any = [], *args: int, d: int = 4, e: Any = None, **more: Any) -> Any:  # noqa: B006
            """What it is for."""
            for k in range(a):
                c.append(k)
            return c

        return f

    f = outer()
    f.extra = 7
    made = transformed(f)
    assert inspect.signature(made) == inspect.signature(f)
    for name in ("__name__", "__qualname__", "__module__", "__doc__", "__defaults__", "__kwdefaults__", "__dict__"):
        assert getattr(made, name) == getattr(f, name), name
    assert made.__defaults__[1] is f.__defaults__[1]
    assert made.__annotations__ == f.__annotations__
    assert made.__globals__ is f.__globals__
    assert made(2) is f.__defaults__[1]
    code, original = made.__code__, f.__code__
    for name in ("co_name", "co_qualname", "co_filename", "co_firstlineno", "co_argcount", "co_posonlyargcount",
                 "co_kwonlyargcount"):  # fmt: skip
        assert getattr(code, name) == getattr(original, name), name
    assert code.co_flags == original.co_flags


def test_cells_are_shared_both_ways() -> None:
    count = 0

    def f(n: int) -> int:
        nonlocal count
        for _ in range(n):
            count += 1
        return count

    made = transformed(f)
    assert made(3) == 3
    assert count == 3
    count = 10
    assert made(2) == 12
    assert f(1) == 13
    assert count == 13


def test_a_cell_without_a_value() -> None:
    def f() -> Any:
        for _ in range(1):
            return later

    made = transformed(f)
    with pytest.raises(NameError, match="cannot access free variable 'later' where it is not associated"):
        made()
    later = 5
    assert made() == 5


def test_a_nonlocal_name_may_be_deleted() -> None:
    text = """
def outer():
    x = 1
    def f(n):
        nonlocal x
        if n:
            del x
        return x
    return f
f = outer()
"""
    expected, made = define(text), transformed(define(text))
    assert made(0) == expected(0) == 1
    for function in (expected, made):
        with pytest.raises(NameError, match="free variable 'x'"):
            function(1)


def test_every_control_object_gets_its_own_function() -> None:
    def f(n: int) -> int:
        s = 0
        for k in range(n):
            if k:
                s += abs(k)
        return s

    first, second = Counting(), Counting()
    make = convert(plain(f))
    assert make(first)(2) == 1
    assert first.calls == ["range", "for", "if", "if", "abs"]
    assert second.calls == []
    assert make(second)(1) == 0
    assert second.calls == ["range", "for", "if"]


def test_code_with_other_globals_and_cells() -> None:
    step = 2

    def f(n: int) -> int:
        s = 0
        for _ in range(n):
            s += step + len(str(n))
        return s

    converted = converted_code(plain(f))
    assert sorted(converted.freevars) == ["__control__", "step"]
    assert converted.code.co_freevars == converted.freevars
    world = {"__builtins__": {}, "range": range, "str": str, "len": lambda text: 100}
    made = converted.function(world, {"step": types.CellType(5)}, Control())
    assert made(3) == 315
    assert f(3) == 9


def test_a_function_without_anything_to_control_needs_no_control() -> None:
    def f(a: int, b: int) -> int:
        return a + b

    assert converted_code(plain(f)).freevars == ()
    assert transformed(f)(1, 2) == 3


# -- lambdas ---------------------------------------------------------------------------------------------------

alone = lambda x, *y, z=4: x if x else [k for k in y] or z  # noqa: E731, C416
several = [lambda x: x and 1, lambda x: x or 2, lambda x: (x and 1)]
same = [lambda x: x + 1, lambda x: x + 1]


def test_lambdas() -> None:
    for args in [(0,), (1,), (0, 5)]:
        both(alone, *args)


def test_lambdas_on_one_line_are_told_apart() -> None:
    for x in (0, 5):
        both(several[0], x)
        both(several[1], x)


def test_several_equal_lambdas_on_a_line() -> None:
    both(several[2], 5)
    assert transformed(same[1])(1) == 2
    assert [row[2] for row in converted_code(plain(same[1])).code.co_positions() if row[2]][0] > 25


# -- lines -----------------------------------------------------------------------------------------------------


def test_a_traceback_shows_the_users_functions_and_lines() -> None:
    function = define("def f(n):\n  for k in range(n):\n    if k:\n      while True:\n        1 // 0\n")
    with pytest.raises(ZeroDivisionError) as caught:
        transformed(function)(2)
    frames = traceback.extract_tb(caught.value.__traceback__)
    own = [(f.lineno, f.name, f.line) for f in frames if f.filename == function.__code__.co_filename]
    assert own == [
        (2, "f", "for k in range(n):"),
        (3, "f", "if k:"),
        (4, "f", "while True:"),
        (5, "f", "1 // 0"),
    ]


def test_the_line_that_runs_is_the_users() -> None:
    seen: list[tuple[str, int]] = []

    class Looking(Control):
        def call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
            seen.append(user_line(2))
            return super().call(function, *args, **kwargs)

        def if_(self, *args: Any) -> None:
            seen.append(user_line(2))
            super().if_(*args)

    def f(n: int) -> None:
        for _ in range(n):
            if n:
                abs(
                    n
                )  # fmt: skip

    first = f.__code__.co_firstlineno
    convert(plain(f))(Looking())(1)
    lines = [line for _, line in seen]
    assert lines == [first + 1, first + 2, first + 3]


def test_a_warning_of_the_users_code_shows_its_line() -> None:
    function = define("def f(n):\n    for k in range(n):\n        if k == 1:\n            n + Old()\n", Old=_Old)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        transformed(function)(2)
    assert [(w.filename, w.lineno) for w in found] == [(function.__code__.co_filename, 4)]


class _Old:
    def __radd__(self, other: Any) -> int:
        warnings.warn("old", DeprecationWarning, stacklevel=2)
        return 1


# -- the cache -------------------------------------------------------------------------------------------------


def test_functions_of_one_code_object_are_converted_once() -> None:
    def make(start: int) -> Any:
        def f(n: int) -> int:
            s = start
            for k in range(n):
                s += k
            return s

        return f

    one, two = make(1), make(100)
    assert converted_code(one) is converted_code(two)
    assert transformed(one)(3) == 4
    assert transformed(two)(3) == 103


def test_what_is_converted_goes_with_its_code_object() -> None:
    function = define("def f(n):\n    return n if n else 1")
    kept = weakref.ref(converted_code(function).code)
    assert kept() is not None
    del function
    gc.collect()
    assert kept() is None


def test_many_threads() -> None:
    text = "def f(n):\n    s = 0\n    for k in range(n):\n        if k % 2:\n            s += k\n    return s\n"
    functions = [define(text) for _ in range(20)]
    found: list[Any] = []

    def work() -> None:
        found.extend(transformed(f)(10) for f in functions)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [25] * 160
