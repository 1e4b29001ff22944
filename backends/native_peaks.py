"""The largest and the least of neighbours in memory, by vectors that pass over NaN.

Whether there is one says a sum of the elements times zero, unless some are infinite: then all are looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lazyarr.backends.native_emit import Code, Element, Index, literal, register
from lazyarr.backends.native_storage import Storage, Strided

#: Bytes that are compared at a time: as many as four registers hold.
_BYTES = 128
#: Elements of a row for which what comes before and after the vectors is little.
_ROW = 512


def peak(c: Code, x: Storage, kind: str, shape: Sequence[Index], place: Callable[[Sequence[Index]], tuple[Index, ...]]
         ) -> Element | None:  # fmt: skip
    """The extremum of ``x[place(indices)]`` over `shape`; None where that is no row of floats in memory."""
    axes = [k for k, n in enumerate(shape) if n != 1]
    if kind not in ("maximum", "minimum") or x.dtype.kind != "f" or x.dtype.itemsize < 4 or len(axes) != 1:
        return None
    bound = x.bounds[0] if len(x.bounds) == 1 else shape[axes[0]]
    if not isinstance(x, Strided) or not isinstance(bound, int) or bound < _ROW:
        return None
    first, second = place([0] * len(shape)), place([int(k == axes[0]) for k in range(len(shape))])
    moving = [k for k, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
    if len(moving) != 1 or x.strides[moving[0]] != 1 or c.sub(second[moving[0]], first[moving[0]]) != 1:
        return None
    pointer = c.address(c.pointer(x.buffer), x.dtype, x.place(c, first))
    return (c.emit(f"call {register(x.dtype)} @{row(c, x.dtype, kind)}(ptr {pointer}, i64 {shape[axes[0]]})"),)


def row(c: Code, dtype: np.dtype[np.floating], kind: str) -> str:
    """The function that does a row."""
    type, lanes, bits = register(dtype), _BYTES // dtype.itemsize, 8 * dtype.itemsize
    name, beyond = f"{kind}_{bits}", "ogt" if kind == "maximum" else "olt"
    start = literal(-np.inf if kind == "maximum" else np.inf, dtype)[0]
    vector = f"<{lanes} x {type}>"
    steps, best, n = [], "%best", lanes
    while n > 1:
        half = n // 2
        for k, word in enumerate(("low", "high")):
            picks = ", ".join(f"i32 {k * half + j}" for j in range(half))
            steps.append(f"  %{word}{half} = shufflevector <{n} x {type}> {best}, <{n} x {type}> poison, "
                         f"<{half} x i32> <{picks}>")  # fmt: skip
        steps.append(f"  %c{half} = fcmp {beyond} <{half} x {type}> %low{half}, %high{half}")
        steps.append(f"  %m{half} = select <{half} x i1> %c{half}, <{half} x {type}> %low{half}, "
                     f"<{half} x {type}> %high{half}")  # fmt: skip
        best, n = f"%m{half}", half
    tree = "\n".join(steps)
    c.module.declare(f"sum_{bits}", f"declare {type} @llvm.vector.reduce.fadd.v{lanes}f{bits}({type}, {vector})")
    c.module.declare(f"fmuladd_{bits}", f"declare {vector} @llvm.fmuladd.v{lanes}f{bits}({vector}, {vector}, {vector})")
    c.module.declare(name, f"""define internal {type} @{name}(ptr %x, i64 %n) nounwind {{
entry:
  %whole = and i64 %n, -{lanes}
  %s0 = insertelement {vector} poison, {type} {start}, i64 0
  %all = shufflevector {vector} %s0, {vector} poison, <{lanes} x i32> zeroinitializer
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
  %best = phi {vector} [ %all, %entry ], [ %best1, %body ]
  %none = phi {vector} [ zeroinitializer, %entry ], [ %none1, %body ]
  %more = icmp slt i64 %i, %whole
  br i1 %more, label %body, label %join
body:
  %p = getelementptr inbounds {type}, ptr %x, i64 %i
  %v = load {vector}, ptr %p, align {dtype.itemsize}
  %beyond = fcmp {beyond} {vector} %v, %best
  %best1 = select <{lanes} x i1> %beyond, {vector} %v, {vector} %best
  %none1 = call {vector} @llvm.fmuladd.v{lanes}f{bits}({vector} %v, {vector} zeroinitializer, {vector} %none)
  %next = add nsw i64 %i, {lanes}
  br label %head
join:
{tree}
  %largest = extractelement <1 x {type}> %m1, i64 0
  %sum = call {type} @llvm.vector.reduce.fadd.v{lanes}f{bits}({type} 0.0, {vector} %none)
  %maybe = fcmp uno {type} %sum, 0.0
  %begin = select i1 %maybe, i64 0, i64 %whole
  br label %rest
rest:
  %k = phi i64 [ %begin, %join ], [ %k1, %one ]
  %m = phi {type} [ %largest, %join ], [ %m.next, %one ]
  %is = phi i1 [ false, %join ], [ %is.next, %one ]
  %left = icmp slt i64 %k, %n
  br i1 %left, label %one, label %end
one:
  %q = getelementptr inbounds {type}, ptr %x, i64 %k
  %y = load {type}, ptr %q, align {dtype.itemsize}
  %y.beyond = fcmp {beyond} {type} %y, %m
  %m.next = select i1 %y.beyond, {type} %y, {type} %m
  %y.nan = fcmp uno {type} %y, %y
  %is.next = or i1 %is, %y.nan
  %k1 = add i64 %k, 1
  br label %rest
end:
  %result = select i1 %is, {type} {literal(np.nan, dtype)[0]}, {type} %m
  ret {type} %result
}}""")
    return name
