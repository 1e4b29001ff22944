"""Random numbers in native code, to NumPy's bits; the state is an array's memory.

Generators are LLVM's text (`native_generators`). `Generator`'s normal and exponential numbers are made here as far as
one word decides (`native_ziggurat`); the rest of them, and other distributions, are NumPy's own functions, which are
given our steps.
"""

from __future__ import annotations

import math

import numpy as np

from lazyarr.backends import native_blas, native_linked, native_ziggurat
from lazyarr.backends import native_generators as generators
from lazyarr.backends.native_emit import literal, register
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_module import Module
from lazyarr.backends.native_storage import Scalar, Storage
from lazyarr.ir.node import Node
from lazyarr.ir.types import DTYPES
from lazyarr.ops.draws import GENERATORS, PYTHONS

#: The extension that has NumPy's distributions.
_EXTENSION = "numpy.random._generator"
#: A function of NumPy's on a `bitgen_t` (numpy/random/bitgen.h): the state, and what makes words of it.
_NUMPYS = """
define internal {type} @draw_{distribution}{rest}(ptr %s{parameters}) {how}nounwind {{
  %bitgen = alloca [5 x ptr], align 16
  %next64 = getelementptr inbounds [5 x ptr], ptr %bitgen, i64 0, i64 1
  %next32 = getelementptr inbounds [5 x ptr], ptr %bitgen, i64 0, i64 2
  %double = getelementptr inbounds [5 x ptr], ptr %bitgen, i64 0, i64 3
  %raw = getelementptr inbounds [5 x ptr], ptr %bitgen, i64 0, i64 4
  store ptr %s, ptr %bitgen, align 8
  store ptr @draw_next64, ptr %next64, align 8
  store ptr @draw_next32, ptr %next32, align 8
  store ptr @draw_random, ptr %double, align 8
  store ptr @draw_next64, ptr %raw, align 8
{before}  %found = call {type} @{name}(ptr %bitgen{given})
  ret {type} %found
}}
"""
#: What is a number at once; the state goes on where it is, and NumPy's function begins where it was.
_ZIGGURAT = """
@draw_{distribution}_limits = internal constant [256 x i64] [{limits}], align 64
@draw_{distribution}_widths = internal constant [256 x double] [{widths}], align 64
define internal double @draw_{distribution}(ptr %s) nounwind {{
  %new = call i128 @draw_after(ptr %s)
  %word = call i64 @draw_word(i128 %new)
  %place = lshr i64 %word, {below}
  %layer = and i64 %place, 255
  %signed = lshr i64 %place, 8
  %all = lshr i64 %signed, {between}
  %magnitude = and i64 %all, {mask}
  %p = getelementptr inbounds [256 x i64], ptr @draw_{distribution}_limits, i64 0, i64 %layer
  %q = getelementptr inbounds [256 x double], ptr @draw_{distribution}_widths, i64 0, i64 %layer
  %limit = load i64, ptr %p, align 8
  %width = load double, ptr %q, align 8
  %size = uitofp i64 %magnitude to double
  %x = fmul double %size, %width
  %sign = shl i64 %signed, 63
  %turn = select i1 {turned}, i64 %sign, i64 0
  %bits = bitcast double %x to i64
  %both = xor i64 %bits, %turn
  %found = bitcast i64 %both to double
  %is = icmp ult i64 %magnitude, %limit
  br i1 %is, label %at_once, label %rest, !prof !{{!"branch_weights", i32 99, i32 1}}
at_once:
  store i128 %new, ptr %s, align 8
  ret double %found
rest:
  %other = call double @draw_{distribution}_rest(ptr %s)
  ret double %other
}}
"""
#: Bytes in which NumPy remembers what follows from the parameters of a binomial distribution
#: (numpy/random/distributions.h); zeros: nothing yet.
_REMEMBERED = 192
#: `RandomState` draws a number also where the binomial distribution is 0.
_ZERO = """  %none = icmp eq i64 %n, 0
  %never = fcmp oeq double %p, 0.0
  %zero = or i1 %none, %never
  br i1 %zero, label %is0, label %more
is0:
  %lost = call double @draw_random(ptr %s)
  ret i64 0
more:
"""


def _doubles(dtype: str, count: int) -> tuple[str, str, str]:
    parameters = "".join(f", double %p{k}" for k in range(count))
    return register(DTYPES[dtype]), parameters, parameters


#: Functions of NumPy's: the type of the result, parameters as NumPy takes them, and ours.
_FUNCTIONS: dict[str, tuple[str, str, str]] = {
    **{name: _doubles(dtype, len(example)) for name, (dtype, example) in GENERATORS.items()},
    **dict.fromkeys(("standard_normal", "standard_exponential"), ("double", "", "")),
    "standard_gamma": ("double", ", double %shape", ", double %shape"),
    "poisson": ("i64", ", double %mean", ", double %mean"),
    "binomial": ("i64", ", double %p, i64 %n, ptr %kept", ", i64 %n, double %p, ptr %kept"),
}


def draw(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The rule of ``draw``: the state in place, where nobody needs that before the draw any more."""
    code, distribution = frame.code, node.kw["distribution"]
    name = _defined(code.module, node.kw["stream"], distribution)
    if name is None:
        return None
    frame.lowering.waiting.flush()
    state = frame.claim(node.operands[0], given[0]) or frame.materialize(given[0])
    frame.working.append(state)
    numbers = node.types[0]
    if distribution == "permutation":
        order = frame.lowering.allocate(numbers.dtype, *frame.shape(numbers))
        places = [native_blas.address(code, x) for x in (state, order)]
        with code.statement():
            code.do(f"call void @{name}(ptr {places[0]}, ptr {places[1]}, i64 {order.shape[0]})")
        return [order, state]
    parameters = "".join(f", {register(x.dtype)} {x.element(code, (), {})[0]}" for x in given[1:])
    if distribution == "binomial":
        kept = code.alloca("i8", _REMEMBERED)
        code.do(f"call void @llvm.memset.p0.i64(ptr {kept}, i8 0, i64 {_REMEMBERED}, i1 false)")
        parameters += f", ptr {kept}"
    call = f"call {register(numbers.dtype)} @{name}(ptr {native_blas.address(code, state)}{parameters})"
    if not numbers.shape:
        return [Scalar(numbers.dtype, (code.emit(call),)), state]
    count = int(np.prod(numbers.shape, dtype=object))
    shape, bounds = frame.shape(numbers)
    target = frame.lowering.allocate(numbers.dtype, shape, bounds)
    with code.statement(), code.loop(0, count) as k:
        code.store(target.buffer, code.pointer(target.buffer), numbers.dtype, k, (code.emit(call),))
    return [target, state]


def _defined(module: Module, stream: str, distribution: str) -> str | None:
    """The function that draws one number; None where NumPy has to draw."""
    source = generators.CONGRUENTIAL if stream == "pcg64" else generators.TWISTER
    text = source
    if distribution in PYTHONS[1:]:
        turn, ratio = (literal(x, np.dtype(float))[0] for x in (2.0 * math.pi, 4 * math.exp(-0.5) / math.sqrt(2.0)))
        text = generators.PYTHON.format(turn=turn, ratio=ratio)
    elif distribution in ("integers", "permutation"):
        # (Of permutations `Generator` makes the integers as `RandomState` does.)
        method = "lemire" if stream == "pcg64" and distribution == "integers" else "masked"
        for n in (32, 64):
            bounded = generators.BOUNDED[method].format(n=n, m=2 * n)
            module.declare(f"draw_{stream}_{method}{n}", _named(bounded, stream))
        text = generators.PERMUTATION if distribution == "permutation" else generators.INTEGERS.format(method=method)
    elif f"@draw_{distribution}(" not in source:
        made = _numpys(module, stream, distribution)
        if made is None:
            return None
        text = made
    for routine in ("log", "cos", "sin"):
        module.declare(routine, f"declare double @{routine}(double)")
    module.declare("@llvm.sqrt.f64", "declare double @llvm.sqrt.f64(double)")
    module.declare("@llvm.fshr.i64", "declare i64 @llvm.fshr.i64(i64, i64, i64)")
    module.declare("@llvm.memset.p0.i64", "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")
    for n in (32, 64):
        module.declare(f"@llvm.ctlz.i{n}", f"declare i{n} @llvm.ctlz.i{n}(i{n}, i1)")
    module.declare(f"draw_{stream}", _named(source, stream))
    if text is not source:
        shared = "own" if distribution in PYTHONS else distribution
        module.declare(f"draw_{stream}_{shared}", _named(text, stream))
    return f"draw_{stream}_{distribution}"


def _numpys(module: Module, stream: str, distribution: str) -> str | None:
    """The text of a function that calls one of NumPy's; None where there is none."""
    if distribution not in _FUNCTIONS or (stream == "mt19937" and distribution == "standard_gamma"):
        return None  # (`RandomState` has its own gamma distribution.)
    found = native_linked.linked(_EXTENSION, f"random_{distribution}", "")
    if found is None:
        return None
    type, given, parameters = _FUNCTIONS[distribution]
    declared = ", ".join(["ptr", *(part.split()[0] for part in given.split(", ")[1:])])
    module.declare(found[0], f"declare {type} @{found[0]}({declared}) nounwind")
    at_once = _at_once(distribution) if stream == "pcg64" else ""
    return at_once + _NUMPYS.format(
        name=found[0], distribution=distribution, type=type, given=given, parameters=parameters,
        before=_ZERO * (distribution == "binomial" and stream == "mt19937"),
        rest="_rest" if at_once else "", how="noinline cold " if at_once else "",
    )  # fmt: skip


def _at_once(distribution: str) -> str:
    """The text of a function that makes most numbers itself; nothing where that is not known."""
    form = native_ziggurat.FORMS.get(distribution)
    found = None if form is None else native_ziggurat.tables(distribution)
    if form is None or found is None:
        return ""
    widths = (f"double {literal(width, np.dtype(np.float64))[0]}" for width in found.widths)
    return _ZIGGURAT.format(
        distribution=distribution, limits=", ".join(f"i64 {n}" for n in found.limits), widths=", ".join(widths),
        below=form.below, between=form.between, mask=2**form.magnitude - 1, turned=str(bool(form.between)).lower(),
    )  # fmt: skip


def _named(text: str, stream: str) -> str:
    """A program may draw from streams of both kinds: each has its functions."""
    return text.replace("@draw_", f"@draw_{stream}_")
