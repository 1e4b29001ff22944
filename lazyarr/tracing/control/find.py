"""The source of a function: its syntax tree with the positions of the user's file, checked against its code object."""

from __future__ import annotations
import __future__

import ast
import copy
import dis
import inspect
import linecache
import types
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lazyarr import forks
from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.control.nodes import definition, parameters, place
from lazyarr.tracing.control.scope import Function

#: Bits of `co_flags` that stand for ``from __future__ import ...`` statements, as `compile` takes them.
FUTURE = sum({getattr(__future__, name).compiler_flag for name in __future__.all_feature_names} - {inspect.CO_NESTED})
_MAKE = "__make__"


@dataclass(frozen=True)
class Source:
    """Where a function comes from.

    Attributes
    ----------
    node : FunctionDef or Lambda
        Without defaults, annotations and decorators, none of which is part of its code.
    private : str or None
        Name of the class whose private names it may use.
    """

    node: Function
    private: str | None


#: Sources of functions that were made of others.
_made: weakref.WeakKeyDictionary[types.CodeType, Source] = weakref.WeakKeyDictionary()


def made_here(code: types.CodeType, source: Source) -> None:
    """Note the source of a function that stands in no file as it is."""
    _made[code] = source


def find(function: types.FunctionType) -> Source:
    """The source of a function.

    Raises
    ------
    NotConverted
        If there is none, or if it is not that of the function.
    """
    code = function.__code__
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        kind = "generator" if code.co_flags & inspect.CO_GENERATOR else "coroutine"
        raise NotConverted(f"it is a {kind}", code.co_firstlineno)
    made = _made.get(code)
    if made is not None:
        return Source(copy.deepcopy(made.node), made.private)
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if not lines:
        raise NotConverted(f"its source text is not available ({code.co_filename})")
    private = enclosing_class(code.co_qualname)
    fitting: list[Function] = []
    for node in _candidates(code, lines):
        if _is(node, private, code):
            if isinstance(node, ast.FunctionDef):
                return Source(node, private)
            fitting.append(node)
    if not fitting:
        raise NotConverted("its source text is not that of the running code", code.co_firstlineno)
    if len(fitting) > 1:
        raise NotConverted("several lambdas on its line look the same", code.co_firstlineno)
    return Source(fitting[0], private)


def enclosing_class(qualname: str) -> str | None:
    """The innermost class around a function of this qualified name."""
    parts = qualname.split(".")
    for part, after in zip(parts[-2::-1], parts[:0:-1], strict=True):
        if part != "<locals>" and after != "<locals>":
            return part
    return None


def _candidates(code: types.CodeType, lines: list[str]) -> Iterator[Function]:
    """Functions of the code's name on its first line."""
    if code.co_name != "<lambda>":
        for tree in _blocks(code, lines):
            yield from _named([tree], code)
    whole = _file(code.co_filename, lines)
    # Others find the same tree, and who asks may change what it gets.
    yield from map(copy.deepcopy, _named([] if whole is None else ast.walk(whole), code))


def _blocks(code: types.CodeType, lines: list[str]) -> Iterator[ast.stmt]:
    """Statements that begin on the code's first line, and end where its lines and the indentation say."""
    first = code.co_firstlineno
    if not 0 < first <= len(lines):
        return
    indentation = _indentation(lines[first - 1])
    ends = [
        k
        for k in range(_last_line(code), len(lines))
        if lines[k].strip()[:1] not in ("", "#") and _indentation(lines[k]) <= indentation
    ]
    # A line that is indented less may be within brackets or a string.
    for end in [*ends[:3], len(lines)][:3]:
        text = "".join(lines[first - 1 : end])
        start = first
        if indentation:
            text, start = "if 1:\n" + text, first - 1
        try:
            (statement,) = ast.parse("\n" * (start - 1) + text).body
        except (SyntaxError, ValueError):
            continue
        yield statement.body[0] if indentation and isinstance(statement, ast.If) else statement


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _last_line(code: types.CodeType) -> int:
    own = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    return max([own, *(_last_line(c) for c in code.co_consts if isinstance(c, types.CodeType))])


_parsed: dict[str, tuple[list[str], ast.AST | None]] = {}
_lock = forks.lock()


def _file(name: str, lines: list[str]) -> ast.AST | None:
    """A whole file; the last one is remembered."""
    with _lock:
        known = _parsed.get(name)
        if known is None or known[0] != lines:
            try:
                tree: ast.AST | None = ast.parse("".join(lines))
            except (SyntaxError, ValueError):
                tree = None
            _parsed.clear()
            _parsed[name] = known = (lines, tree)
        return known[1]


def _named(nodes: Iterable[ast.AST], code: types.CodeType) -> Iterator[Function]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
            decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
            line = min([node.lineno, *(d.lineno for d in decorators)])
            if name == code.co_name and line == code.co_firstlineno:
                yield _bare(node)


def _bare(node: Function) -> Function:
    """A copy of a function without what is evaluated where it is defined, but beginning on the same line."""
    args = ast.arguments(
        posonlyargs=[_argument(a) for a in node.args.posonlyargs],
        args=[_argument(a) for a in node.args.args],
        vararg=_argument(node.args.vararg) if node.args.vararg else None,
        kwonlyargs=[_argument(a) for a in node.args.kwonlyargs],
        kw_defaults=[None] * len(node.args.kwonlyargs),
        kwarg=_argument(node.args.kwarg) if node.args.kwarg else None,
        defaults=[],
    )
    if isinstance(node, ast.Lambda):
        return ast.copy_location(ast.Lambda(args, node.body), node)
    decorators: list[ast.expr] = [ast.copy_location(ast.Constant(None), d) for d in node.decorator_list[:1]]
    return ast.copy_location(definition(node.name, args, node.body, decorators), node)


def _argument(a: ast.arg) -> ast.arg:
    return ast.copy_location(ast.arg(a.arg), a)


def _is(node: Function, private: str | None, code: types.CodeType) -> bool:
    """Whether a function of the source is the one that runs."""
    try:
        plain = compile_function(node, private, code, list(code.co_freevars))
    except (SyntaxError, NotConverted):
        return False
    plain = plain.replace(co_flags=plain.co_flags & ~inspect.CO_NESTED | code.co_flags & inspect.CO_NESTED)
    return _outline(plain) == _outline(code) or _asserts_rewritten(plain, code)


#: How a method of an imported module is called depends on the rest of the file; where jumps lead, on that.
_UNCOMPARED = {
    dis.opmap[name]
    for name in ("CACHE", "CALL", "EXTENDED_ARG", "KW_NAMES", "LOAD_ATTR", "LOAD_GLOBAL", "LOAD_METHOD", "NOP",
                 "PRECALL", "PUSH_NULL", "SWAP", *(dis.opname[k] for k in (*dis.hasjrel, *dis.hasjabs)))
    if name in dis.opmap
}  # fmt: skip


def _outline(code: types.CodeType) -> tuple[Any, ...]:
    """What the source text of a function decides of its code, whatever the file around it is."""
    # The qualified name of a class is one of its constants.
    inner = tuple(
        _outline(c) if isinstance(c, types.CodeType) else (type(c), repr(c).rpartition(".<locals>.")[2])
        for c in code.co_consts
    )
    lines = tuple(dict.fromkeys(line for _, _, line in code.co_lines()))
    # Columns tell the lambdas of a line apart.
    columns = frozenset(code.co_positions()) if code.co_name == "<lambda>" else None
    text = code.co_code
    work = tuple(pair for pair in zip(text[::2], text[1::2], strict=True) if pair[0] not in _UNCOMPARED)
    return (code.co_name, code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_varnames,
            code.co_cellvars, code.co_freevars, code.co_names, lines, columns, work, inner)  # fmt: skip


def _asserts_rewritten(plain: types.CodeType, code: types.CodeType) -> bool:
    """Whether `code` is `plain` with the assert statements that pytest has put in."""
    if "@pytest_ar" not in code.co_names and not any(map(_is_pytest, code.co_varnames)):
        return False
    names = set(code.co_varnames + code.co_cellvars)
    return (
        {n for n in names if not _is_pytest(n)} == set(plain.co_varnames + plain.co_cellvars)
        and set(plain.co_names) <= set(code.co_names) | {"AssertionError"}
        and plain.co_freevars == code.co_freevars
    )


def _is_pytest(name: str) -> bool:
    return name.startswith("@py")


def compile_function(node: Function, private: str | None, like: types.CodeType, free: list[str]) -> types.CodeType:
    """The code object of a function that stands in a class and has free names.

    Parameters
    ----------
    node : FunctionDef or Lambda
    private : str or None
        Name of the class, for the private names.
    like : code
        Gives the file's name and the flags of the compiler.
    free : list of str
        Names that belong to an enclosing function.
    """
    inner = ast.Expr(node) if isinstance(node, ast.Lambda) else node
    make: ast.stmt = definition(_MAKE, parameters(*free), [inner])
    if private is not None:
        make = ast.ClassDef(private, [], [], [make], [])
        if "type_params" in ast.ClassDef._fields:
            make.type_params = []  # type: ignore[attr-defined,unused-ignore]
    flags = like.co_flags & FUTURE
    module = ast.Module([place(make, node)], [])
    code: types.CodeType = compile(module, like.co_filename, "exec", flags=flags, dont_inherit=True)
    path = [private, _MAKE] if private is not None else [_MAKE]
    for name in [*path, like.co_name]:
        code = next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)
    return code
