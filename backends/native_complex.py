"""Element-wise operations on complex numbers that NumPy computes from the parts in a few steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.backends import native_math
from lazyarr.backends.native_complex_exp import exp
from lazyarr.backends.native_emit import Code, Element, literal, part, register

Generator = Callable[..., Any]


def _parts(op: str) -> Generator:
    return lambda c, t, x, y: tuple(c.emit(f"{op} {register(t)} {a}, {b}") for a, b in zip(x, y, strict=True))


def _fused(c: Code, t: np.dtype[Any], x: str, y: str, z: str) -> str:
    """``x * y + z`` rounded once, where NumPy's vector loops have it so: where the CPU can."""
    r = register(t)
    if not native_math.fuses():
        return c.emit(f"fadd {r} {c.emit(f'fmul {r} {x}, {y}')}, {z}")
    name = f"@llvm.fma.f{8 * part(t).itemsize}"
    c.module.declare(name, f"declare {r} {name}({r}, {r}, {r})")
    return c.emit(f"call {r} {name}({r} {x}, {r} {y}, {r} {z})")


def _multiply(c: Code, t: np.dtype[Any], x: Element, y: Element) -> Element:
    """As NumPy's vector loops: products with the second imaginary part are rounded first."""
    r = register(t)
    negative = c.emit(f"fneg {r} {c.emit(f'fmul {r} {x[1]}, {y[1]}')}")
    real = _fused(c, t, x[0], y[0], negative)
    return real, _fused(c, t, x[0], y[1], c.emit(f"fmul {r} {x[1]}, {y[0]}"))


def _divide(c: Code, t: np.dtype[Any], x: Element, y: Element) -> Element:
    """Smith's algorithm (Communications of the ACM 5, 1962), with the larger part of the divisor first."""
    r, one, zero = register(t), literal(1, part(t))[0], literal(0, part(t))[0]
    fabs = f"@llvm.fabs.f{4 * t.itemsize}"
    c.module.declare(fabs, f"declare {r} {fabs}({r})")
    sizes = [c.emit(f"call {r} {fabs}({r} {p})") for p in y]
    larger = c.emit(f"fcmp oge {r} {sizes[0]}, {sizes[1]}")
    none = c.emit(f"fcmp oeq {r} {sizes[0]}, {zero}")
    none = c.emit(f"and i1 {c.emit(f'fcmp oeq {r} {sizes[1]}, {zero}')}, {none}")

    def choose(condition: str, a: str, b: str) -> str:
        return c.emit(f"select i1 {condition}, {r} {a}, {r} {b}")

    def binary(op: str, a: str, b: str) -> str:
        return c.emit(f"{op} {r} {a}, {b}")

    big, small = choose(larger, y[0], y[1]), choose(larger, y[1], y[0])
    ratio = binary("fdiv", small, big)
    scale = binary("fdiv", one, binary("fadd", big, binary("fmul", small, ratio)))
    first, second = choose(larger, x[0], x[1]), choose(larger, x[1], x[0])
    # larger: (re + im * ratio), (im - re * ratio); else: (re * ratio + im), (im * ratio - re).
    real = binary("fadd", first, binary("fmul", second, ratio))
    scaled = binary("fmul", first, ratio)
    imag = choose(larger, binary("fsub", second, scaled), binary("fsub", binary("fmul", first, ratio), second))
    found = binary("fmul", real, scale), binary("fmul", imag, scale)
    return tuple(choose(none, binary("fdiv", p, sizes[0]), q) for p, q in zip(x, found, strict=True))


def _negative(c: Code, t: np.dtype[Any], x: Element) -> Element:
    return tuple(c.emit(f"fneg {register(t)} {p}") for p in x)


def _conjugate(c: Code, t: np.dtype[Any], x: Element) -> Element:
    return x[0], c.emit(f"fneg {register(t)} {x[1]}")


def _absolute(c: Code, t: np.dtype[Any], x: Element) -> Element:
    """The larger part times ``sqrt(1 + ratio**2)``, as NumPy's vector loops have it."""
    r = register(t)
    zero, one, inf, nan = (literal(v, part(t))[0] for v in (0, 1, np.inf, np.nan))

    def choose(condition: str, a: str, b: str) -> str:
        return c.emit(f"select i1 {condition}, {r} {a}, {r} {b}")

    def unary(function: str, a: str) -> str:
        name = f"@llvm.{function}.f{8 * part(t).itemsize}"
        c.module.declare(name, f"declare {r} {name}({r})")
        return c.emit(f"call {r} {name}({r} {a})")

    re, im = (unary("fabs", p) for p in x)
    endless = [c.emit(f"fcmp oeq {r} {p}, {inf}") for p in (re, im)]
    im, re = choose(endless[0], inf, im), choose(endless[1], inf, re)
    unknown = c.emit(f"fcmp uno {r} {re}, {im}")
    first = c.emit(f"fcmp ogt {r} {re}, {im}")
    larger, smaller = choose(first, re, im), choose(first, im, re)
    trivial = c.emit(f"fcmp oeq {r} {larger}, {zero}")
    trivial = c.emit(f"or i1 {trivial}, {c.emit(f'fcmp oeq {r} {smaller}, {inf}')}")
    ratio = choose(trivial, zero, c.emit(f"fdiv {r} {smaller}, {larger}"))
    found = c.emit(f"fmul {r} {unary('sqrt', _fused(c, t, ratio, ratio, one))}, {larger}")
    return (choose(unknown, nan, found),)


def _same(negated: bool) -> Generator:
    def generate(c: Code, t: np.dtype[Any], x: Element, y: Element) -> Element:
        same = [c.emit(f"fcmp {'une' if negated else 'oeq'} {register(t)} {a}, {b}") for a, b in zip(x, y, strict=True)]
        return (c.emit(f"{'or' if negated else 'and'} i1 {same[0]}, {same[1]}"),)

    return generate


def _isnan(c: Code, t: np.dtype[Any], x: Element) -> Element:
    return (c.emit(f"fcmp uno {register(t)} {x[0]}, {x[1]}"),)


COMPLEX: dict[str, Generator] = {
    "add": _parts("fadd"), "subtract": _parts("fsub"), "multiply": _multiply, "divide": _divide,
    "negative": _negative, "positive": lambda c, t, x: x, "conjugate": _conjugate, "absolute": _absolute,
    "square": lambda c, t, x: _multiply(c, t, x, x), "equal": _same(False), "not_equal": _same(True),
    "isnan": _isnan, "exp": exp,
}  # fmt: skip
