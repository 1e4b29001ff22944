"""Element-wise operations on complex numbers that NumPy computes from the parts in a few steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.backends import native_math
from lazyarr.backends.native_emit import Code, Element, literal, part, register

Generator = Callable[..., Any]


def _parts(op: str) -> Generator:
    return lambda c, t, x, y: tuple(c.emit(f"{op} {register(t)} {a}, {b}") for a, b in zip(x, y, strict=True))


def _multiply(c: Code, t: np.dtype[Any], x: Element, y: Element) -> Element:
    r = register(t)

    def product(a: str, b: str) -> str:
        return c.emit(f"fmul {r} {a}, {b}")

    real = c.emit(f"fsub {r} {product(x[0], y[0])}, {product(x[1], y[1])}")
    return real, c.emit(f"fadd {r} {product(x[0], y[1])}, {product(x[1], y[0])}")


def _divide(c: Code, t: np.dtype[Any], x: Element, y: Element) -> Element:
    """Smith's algorithm (Communications of the ACM 5, 1962), with the larger part of the divisor first."""
    r, one, zero = register(t), literal(1, part(t))[0], literal(0, part(t))[0]
    c.module.declare(f"fabs{r}", f"declare {r} @llvm.fabs.f{4 * t.itemsize}({r})")
    sizes = [c.emit(f"call {r} @llvm.fabs.f{4 * t.itemsize}({r} {p})") for p in y]
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
    return (native_math.FUNCTIONS["hypot"](c, part(t), *x),)


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
    "isnan": _isnan,
}  # fmt: skip
