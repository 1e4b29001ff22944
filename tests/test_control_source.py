"""Whose source is found and can be transformed, wherever it stands; what is refused, and why."""

from __future__ import annotations

import ast
import linecache
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from lazyarr.tracing.control import NotConverted, convert, converted_code
from lazyarr.tracing.control.find import find
from tests.control_compare import define, forget
from tests.test_control_functions import both, transformed

# -- what is not transformed -----------------------------------------------------------------------------------


def refusal(function: Any) -> NotConverted:
    with pytest.raises(NotConverted) as caught:
        convert(function)
    with pytest.raises(NotConverted) as again:  # the answer is kept
        convert(function)
    assert again.value.reason == caught.value.reason
    assert again.value is not caught.value
    return caught.value


REFUSED = {
    "it is a generator": "def f(n):\n    for k in range(n):\n        yield k",
    "it is a coroutine": "async def f(n):\n    return n",
    "it defines a coroutine": "def f(n):\n    async def g():\n        pass\n    return g",
    "it defines a class": "def f(n):\n    class A:\n        pass\n    return A",
    "it uses locals()": "def f(n):\n    x = 1\n    return locals()",
    "it uses exec()": "def f(n):\n    exec('x = 1')",
    "it uses eval()": "def f(n):\n    return eval('n')",
    "it uses globals()": "def f(n):\n    return globals()",
    "it uses vars()": "def f(n):\n    return vars()",
    "it uses dir()": "def f(n):\n    return dir()",
    "a jump out of a finally clause": "def f(n):\n    for k in range(n):\n        try:\n            1 // 0\n"
    "        finally:\n            break",
    "its name __break_1 is reserved": "def f(n):\n    __break_1 = n\n    return __break_1",
    "its name __control__ is reserved": "def f(__control__):\n    return 1",
}


@pytest.mark.parametrize("reason", REFUSED)
def test_refused(reason: str) -> None:
    error = refusal(define(REFUSED[reason]))
    assert error.reason == reason
    assert error.line is not None
    assert str(error) == f"{reason} (line {error.line})"


def test_a_nested_generator_is_refused_with_its_line() -> None:
    function = define("def f(n):\n    def g():\n        x = 1\n        yield x\n    return list(g())")
    assert str(refusal(function)) == "it is a generator (line 4)"


@pytest.mark.parametrize(
    "text",
    [
        "def f(n):\n    vars = lambda: n\n    return vars()",
        "def f(n, locals=int):\n    return [locals() for k in range(n)]",
        "def f(n):\n    return len(vars(__builtins__)) > 3, len(dir(n)) > 3",
    ],
)
def test_names_of_introspection_that_are_the_users_own(text: str) -> None:
    both(define(text), 2)


def test_no_source_text() -> None:
    namespace: dict[str, Any] = {}
    exec("def f(n):\n    return n", namespace)
    error = refusal(namespace["f"])
    assert error.reason == "its source text is not available (<string>)"
    assert error.line is None


def test_source_text_that_has_changed() -> None:
    function = define("def f(n):\n    for k in range(n):\n        n += k\n    return n\n")
    name = function.__code__.co_filename
    text = "def f(n):\n    for k in range(n):\n        n -= k\n    return n\n"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    assert refusal(function).reason == "its source text is not that of the running code"
    forget(function)


def test_source_text_that_has_moved() -> None:
    function = define("def f(n):\n    return n\n")
    name = function.__code__.co_filename
    linecache.cache[name] = (1, None, ["\n", "\n", "def f(n):\n", "    return n\n"], name)
    assert refusal(function).reason == "its source text is not that of the running code"
    forget(function)


def test_a_transformed_function_is_not_transformed_again() -> None:
    def f(n: int) -> Any:
        def g(k: int) -> int:
            return k if k else -1

        return g if n else None

    assert refusal(transformed(f)).reason == "it is transformed already"
    assert refusal(transformed(f)(1)).reason == "it is transformed already"


def test_statements_nested_very_deeply() -> None:
    depth = 700
    lines = ["def f(n):"] + [f"    if n == {k}: return {k}" for k in range(depth)]
    function = define("\n".join(lines))
    try:
        made = transformed(function)
    except NotConverted as error:
        assert error.reason == "its statements are nested too deeply"  # noqa: PT017
    else:
        assert made(3) == 3


# -- where the source stands -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "def f(n): return n if n else 1",
        "if 1:\n    def f(n):\n        x = '''\ntext\n'''\n        return x if n else 1\n    y = 2",
        "def f(n):\n    return [\nn and 1,\n2]\n# end\nx = 1",
        "def f(n):\n    if n:\n        return 1  # one\n# a comment\n    return 2\n\n\n\nx = 1",
        "if 1:\n\tdef f(n):\n\t\tif n:\n\t\t\treturn 1\n\t\treturn 2",
        "class A:\n    class B:\n        def g(self): return 1 if self else 2\nf = A.B.g",
        "x = 1; f = lambda n: n and x",
        "def f(n):\n    return 1 if n else 2\ndef f(n):\n    return 3 if n else 4",
        "def make():\n    def f(n):\n        if n: return 1\n        return 2\n    return f\nf = make()",
        "from __future__ import annotations\ndef f(n: nothing, m: no = 1):\n    x: nothing = n or m\n    return x",
        "def f(n):\n    return f'{n if n else 2!r:>{n + 3}}' f'{\"a\" and n}'",
        "def f(n):\n    é = n\n    if é: é += 1\n    return é, 'ü' and n, [ü for ü in range(n) if ü]",
        "def f(n):\n    ﬁ = n\n    if n: ﬁ += 1\n    return fi",
        "def deco(g): return g\n@deco\n\n@deco\ndef f(n):\n    return n and 1",
        "def f(n):\n    return n \\\n  if n \\\n  else 2",
        "def f(n):\n\n    # comment\n    '''doc'''\n    pass",
        "def f(n):\n    if n:\n        pass\n    else:\n        return (\n)\n    return [\n]",
    ],
)
def test_wherever_the_source_stands(text: str) -> None:
    for n in (0, 2):
        both(define(text), n)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_newer_syntax() -> None:
    both(define("def f(n):\n    return f'{f'{n if n else 'none'}'}' f'{'a' and n}'"), 0)
    both(define("def f[T](n: T) -> T:\n    for k in range(2):\n        n += k\n    return n"), 0)
    generic = define("def f(n):\n    def g[T](k: T) -> T:\n        return k\n    return g(n)")
    assert refusal(generic).reason == "it defines a generic function"


def test_the_source_of_two_files_with_equal_code() -> None:
    text = "def f(n):\n    for k in range(n):\n        1 // k\n"
    for function in (define(text), define(text)):
        with pytest.raises(ZeroDivisionError) as caught:
            transformed(function)(1)
        assert {f.filename for f in traceback.extract_tb(caught.value.__traceback__)} >= {function.__code__.co_filename}
        assert converted_code(function).code.co_filename == function.__code__.co_filename


def test_a_function_whose_assertions_pytest_has_rewritten() -> None:
    def f(n: int) -> int:
        for k in range(n):
            assert k < 2, n
        return n

    made = transformed(f)
    assert made(2) == 2
    with pytest.raises(AssertionError) as caught:
        made(3)
    assert caught.value.args == (3,)


@pytest.mark.parametrize("option", ["-O", "-OO", "-Xno_debug_ranges"])
def test_options_of_python_that_change_the_code(option: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "from lazyarr.tracing.control import Control, convert\n"
        "def f(n):\n"
        "    'The docstring.'\n"
        "    assert n > 5, n\n"
        "    return [k for k in range(n) if 0 < k < n]\n"
        "def run(g):\n"
        "    try:\n"
        "        return g(3), g.__doc__\n"
        "    except AssertionError as error:\n"
        "        return repr(error)\n"
        "print(run(f), run(f) == run(convert(f)(Control())))\n"
    )
    command = [sys.executable, option, "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    result = {"-O": "([1, 2], 'The docstring.')", "-OO": "([1, 2], None)"}.get(option, "AssertionError(3)")
    assert done.stdout == f"{result} True\n"


def test_a_source_found_in_the_whole_file_is_nobody_elses() -> None:
    """Who finds a function may change the tree that it gets: that of the file is kept for the next."""
    function = define("f = lambda n: [n + k if n else -1 for k in range(n)]\n")
    first, second = find(function).node, find(function).node
    inner = {id(node) for node in ast.walk(first) if isinstance(node, ast.stmt | ast.expr)}
    assert ast.dump(first) == ast.dump(second)
    assert not inner & {id(node) for node in ast.walk(second)}


def test_a_method_called_on_what_ends_left_of_where_it_begins() -> None:
    def dilated(image: Any, kernel: Any) -> Any:
        out = 0
        for y in range(3):
            # fmt: off
            total = (
                             kernel * image[y]
            ).bit_count()
            for _ in range(2):
                out += [total,
                              y].count(total)
            out += total if (
                                 total
        ).real > 1 else str(
            total).strip().__len__()
            # fmt: on
        return out

    both(dilated, [3, 7, 9], 5)

    def fails(x: Any) -> Any:
        for _ in range(1):
            # fmt: off
            found = (
                           [x]
          ).index(3)
            # fmt: on
        return found

    both(fails, 4)
    with pytest.raises(ValueError, match="not in list") as caught:
        transformed(fails)(4)
    lines = [f.lineno for f in traceback.extract_tb(caught.value.__traceback__) if f.name == "fails"]
    assert lines[-1] == fails.__code__.co_firstlineno + 5
