"""What `native_gemm_code` calls: kernels that multiply panels, and functions that pack these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, Index, register
from lazyarr.backends.native_module import Module

#: Bytes of a vector, rows and vectors of the result that a kernel has in registers: 24 of 32, beside the factors.
_BYTES = 64
ROWS, VECTORS = 8, 3
#: Rows of the second factor that are asked for before they are needed: few processors guess so long steps.
_AHEAD = 16
#: Rows of a factor from memory that are added up at a time.
_TOGETHER = 4


class Vector:
    """The vectors of a dtype, and LLVM's words for what is done with them."""

    def __init__(self, dtype: np.dtype[Any]):
        self.dtype, self.type, self.lanes, self.align = dtype, register(dtype), _BYTES // dtype.itemsize, dtype.itemsize
        self.name, self.mask = f"<{self.lanes} x {self.type}>", f"<{self.lanes} x i1>"
        suffix = f"v{self.lanes}f{8 * dtype.itemsize}"
        self.fma = f"call {self.name} @llvm.fma.{suffix}"
        self._load, self._store = (f"@llvm.masked.{way}.{suffix}.p0" for way in ("load", "store"))

    def declare(self, module: Module) -> None:
        """Declare what these words call."""
        x, mask = self.name, self.mask
        module.declare("fma", f"declare {self.fma[5:]}({x}, {x}, {x})")
        module.declare("load", f"declare {x} {self._load}(ptr, i32, {mask}, {x})")
        module.declare("store", f"declare void {self._store}({x}, ptr, i32, {mask})")
        module.declare("prefetch", "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")

    def load(self, place: str, mask: str = "") -> str:
        """A vector in memory; with a mask, of elements that it leaves out 0."""
        if not mask:
            return f"load {self.name}, ptr {place}, align {self.align}"
        what = f"ptr {place}, i32 {self.align}, {self.mask} {mask}, {self.name} zeroinitializer"
        return f"call {self.name} {self._load}({what})"

    def store(self, x: str, place: str, mask: str = "") -> str:
        """Write a vector, or what a mask does not leave out of it."""
        if not mask:
            return f"store {self.name} {x}, ptr {place}, align {self.align}"
        return f"call void {self._store}({self.name} {x}, ptr {place}, i32 {self.align}, {self.mask} {mask})"

    def splat(self, x: str, name: str) -> list[str]:
        """The vector `name` all of whose elements are `x`, a register of the element's type."""
        return [
            f"  {name}.one = insertelement {self.name} poison, {self.type} {x}, i64 0",
            f"  {name} = shufflevector {self.name} {name}.one, {self.name} poison, "
            f"<{self.lanes} x i32> zeroinitializer",
        ]

    def masks(self, count: int, columns: str, name: str) -> list[str]:
        """``name0`` and so on: which elements of `count` vectors are among the first `columns`."""
        wide = f"<{self.lanes} x i64>"
        lines = [
            f"  {name}.one = insertelement {wide} poison, i64 {columns}, i64 0",
            f"  {name}.all = shufflevector {wide} {name}.one, {wide} poison, <{self.lanes} x i32> zeroinitializer",
        ]
        for j in range(count):
            places = ", ".join(f"i64 {j * self.lanes + i}" for i in range(self.lanes))
            lines.append(f"  {name}{j} = icmp slt {wide} <{places}>, {name}.all")
        return lines

    def at(self, c: Code, pointer: str, offset: Index) -> str:
        """The address of an element."""
        return c.emit(f"getelementptr {self.type}, ptr {pointer}, i64 {offset}")

    def mask_at(self, c: Code, columns: str, first: Index) -> str:
        """Which elements of a vector that begins with number `first` are among the first `columns`."""
        name = f"%m{c.new_label()}x"
        c.lines += self.masks(1, str(c.sub(columns, first)), name)
        return f"{name}0"

    def woven(self, c: Code, streams: Sequence[str]) -> list[str]:
        """Vectors in which elements of `streams` (as many as a power of 2) take turns."""
        found, half = list(streams), len(streams) // 2
        orders = [", ".join(f"i32 {k // 2 + begin + (k % 2) * self.lanes}" for k in range(self.lanes))
                  for begin in (0, self.lanes // 2)]  # fmt: skip
        for _ in range(half.bit_length()):
            found = [
                c.emit(f"shufflevector {self.name} {found[i]}, {self.name} {found[i + half]}, "
                       f"<{self.lanes} x i32> <{order}>")
                for i in range(half)
                for order in orders
            ]  # fmt: skip
        return found


def up(c: Code, n: Index, step: int) -> Index:
    """``ceil(n / step)``."""
    return c.emit(f"udiv i64 {c.add(n, step - 1)}, {step}")


def define(module: Module, v: Vector) -> None:
    """Define the functions of this file: kernels of 1, 2, 4, ... rows, and of each number of vectors."""
    v.declare(module)
    rows = 1
    while rows <= ROWS:
        for vectors in range(1, VECTORS + 1):
            _kernel(module, v, rows, vectors)
        rows *= 2
    _stream(module, v)
    _pack_rows(module, v)
    _pack_columns(module, v)


def _kernel(module: Module, v: Vector, rows: int, vectors: int) -> None:
    """``c (+)= a @ b`` for a panel of `ROWS` rows, of which `rows` count at most, and one of `vectors`.

    The rows of the second one are ``%step`` elements apart; 0: one after the other. What is outside of the result's
    rows and columns is left as it is.
    """
    cells = [(i, j) for i in range(rows) for j in range(vectors)]
    lines = ["entry:"]
    for i in range(rows):
        # (The result is far away: it comes while the terms are added up.)
        lines.append(f"  %ro{i} = mul nsw i64 %apart, {i}")
        lines.append(f"  %rp{i} = getelementptr {v.type}, ptr %c, i64 %ro{i}")
        for j in range(vectors):
            lines.append(f"  %cp{i}_{j} = getelementptr {v.type}, ptr %rp{i}, i64 {j * v.lanes}")
            lines.append(f"  call void @llvm.prefetch.p0(ptr %cp{i}_{j}, i32 1, i32 3, i32 1)")
    lines.append("  %packed = icmp eq i64 %step, 0")
    lines.append(f"  %stride = select i1 %packed, i64 {vectors * v.lanes}, i64 %step")
    lines.append(f"  %ahead = mul nsw i64 %stride, {_AHEAD}")
    lines += ["  br label %terms", "terms:", "  %k = phi i64 [ 0, %entry ], [ %k1, %terms ]"]
    lines += [f"  %s{i}_{j} = phi {v.name} [ zeroinitializer, %entry ], [ %t{i}_{j}, %terms ]" for i, j in cells]
    lines.append(f"  %ka = mul nsw i64 %k, {ROWS}")
    lines.append("  %kb = mul nsw i64 %k, %stride")
    lines.append("  %kb.ahead = add nsw i64 %kb, %ahead")
    for j in range(vectors):
        lines.append(f"  %bo{j} = add nsw i64 %kb, {j * v.lanes}")
        lines.append(f"  %bp{j} = getelementptr inbounds {v.type}, ptr %b, i64 %bo{j}")
        lines.append(f"  %b{j} = {v.load(f'%bp{j}')}")
        lines.append(f"  %bn{j} = add nsw i64 %kb.ahead, {j * v.lanes}")
        lines.append(f"  %bq{j} = getelementptr {v.type}, ptr %b, i64 %bn{j}")
        lines.append(f"  call void @llvm.prefetch.p0(ptr %bq{j}, i32 0, i32 3, i32 1)")
    for i in range(rows):
        lines.append(f"  %ao{i} = add nsw i64 %ka, {i}")
        lines.append(f"  %ap{i} = getelementptr inbounds {v.type}, ptr %a, i64 %ao{i}")
        lines.append(f"  %a{i} = load {v.type}, ptr %ap{i}, align {v.align}")
        lines += v.splat(f"%a{i}", f"%av{i}")
        for j in range(vectors):
            lines.append(f"  %t{i}_{j} = {v.fma}({v.name} %av{i}, {v.name} %b{j}, {v.name} %s{i}_{j})")
    lines += ["  %k1 = add nuw nsw i64 %k, 1", "  %more = icmp slt i64 %k1, %terms.count"]
    lines += ["  br i1 %more, label %terms, label %leave", "leave:"]
    lines += v.masks(vectors, "%columns", "%mask")
    for j in range(vectors):
        lines.append(f"  %old{j} = select i1 %add, {v.mask} %mask{j}, {v.mask} zeroinitializer")
    for i in range(rows):
        for j in range(vectors):
            lines.append(f"  %co{i}_{j} = {v.load(f'%cp{i}_{j}', f'%old{j}')}")
            lines.append(f"  %cn{i}_{j} = fadd {v.name} %co{i}_{j}, %t{i}_{j}")
            lines.append(f"  {v.store(f'%cn{i}_{j}', f'%cp{i}_{j}', f'%mask{j}')}")
        if i + 1 < rows:
            lines.append(f"  %is{i} = icmp sgt i64 %rows, {i + 1}")
            lines += [f"  br i1 %is{i}, label %row{i + 1}, label %done", f"row{i + 1}:"]
    lines += ["  br label %done", "done:", "  ret void", "}"]
    head = (
        f"define internal void @kernel_{rows}_{vectors}(i64 %terms.count, ptr noalias %a, ptr noalias %b, i64 %step, "
        "ptr noalias %c, i64 %apart, i64 %rows, i64 %columns, i1 %add) noinline {"
    )
    module.functions.append("\n".join([head, *lines]))


def _stream(module: Module, v: Vector) -> None:
    """``c (+)= a @ b`` for one panel of rows, and a piece of the rows of a matrix that comes from memory.

    The sums stand in ``%sums``, and are added up in the same order as in registers.
    """
    c = Code(module)

    def total_at(k: Index, i: Index) -> str:
        return v.at(c, "%sums", c.mul(c.add(c.mul(k, ROWS), i), v.lanes))

    vectors = up(c, "%columns", v.lanes)
    with c.loop(0, vectors) as k:
        for i in range(ROWS):
            c.do(v.store("zeroinitializer", total_at(k, i)))
    even = c.emit(f"and i64 %terms, {-_TOGETHER}")
    steps: list[tuple[Index, Index, int]] = [(0, even, _TOGETHER), (even, "%terms", 1)]
    for begin, end, step in steps:
        with c.loop(begin, end, step) as first:
            factors = [[_factor(c, v, c.add(first, t), i) for i in range(ROWS)] for t in range(step)]
            rows = [v.at(c, "%b", c.mul(c.add(first, t), "%row")) for t in range(2 * step)]
            with c.loop(0, vectors) as k:
                column = c.mul(k, v.lanes)
                mask = v.mask_at(c, "%columns", column)
                for row in rows[step:]:
                    c.do(f"call void @llvm.prefetch.p0(ptr {v.at(c, row, column)}, i32 0, i32 3, i32 1)")
                terms = [c.emit(v.load(v.at(c, row, column), mask)) for row in rows[:step]]
                for i in range(ROWS):
                    place = total_at(k, i)
                    total = c.emit(v.load(place))
                    for factor, x in zip(factors, terms, strict=True):
                        total = c.emit(f"{v.fma}({v.name} {factor[i]}, {v.name} {x}, {v.name} {total})")
                    c.do(v.store(total, place))
    with c.loop(0, vectors) as k:
        column = c.mul(k, v.lanes)
        mask = v.mask_at(c, "%columns", column)
        old = c.emit(f"select i1 %add, {v.mask} {mask}, {v.mask} zeroinitializer")
        with c.loop(0, "%rows") as at:
            place = v.at(c, "%c", c.add(c.mul(at, "%apart"), column))
            total = c.emit(f"fadd {v.name} {c.emit(v.load(place, old))}, {c.emit(v.load(total_at(k, at)))}")
            c.do(v.store(total, place, mask))
    c.do("ret void")
    head = (
        "define internal void @stream(i64 %terms, ptr noalias %a, ptr noalias %b, i64 %row, ptr noalias %c, "
        "i64 %apart, i64 %rows, i64 %columns, i1 %add, ptr noalias %sums) noinline {"
    )
    module.functions.append(f"{head}\n{c.body()}\n}}")


def _factor(c: Code, v: Vector, term: Index, row: int) -> str:
    """An element of a packed panel of rows, in all elements of a vector."""
    x = c.emit(f"load {v.type}, ptr {v.at(c, '%a', c.add(c.mul(term, ROWS), row))}, align {v.align}")
    name = c.name()
    c.lines += v.splat(x, name)
    return name


def _pack_rows(module: Module, v: Vector) -> None:
    """The panel of the rows of a matrix: of each column, `ROWS` elements. The last row stands for those that lack."""
    c = Code(module)
    last = c.sub(c.minimum("%rows", ROWS), 1)
    starts = [v.at(c, "%from", c.mul(c.minimum(last, i), "%row")) for i in range(ROWS)]
    beside = c.emit("icmp eq i64 %column, 1")
    whole = c.emit(f"and i64 %terms, {-v.lanes}")
    many = c.emit(f"select i1 {beside}, i64 {whole}, i64 0")
    with c.loop(0, many, v.lanes) as k:
        found = [c.emit(v.load(v.at(c, start, k))) for start in starts]
        place = v.at(c, "%to", c.mul(k, ROWS))
        for i, x in enumerate(v.woven(c, found)):
            c.do(v.store(x, v.at(c, place, i * v.lanes)))
    # Rows that are side by side in memory are copied.
    full = c.emit(f"icmp eq i64 {last}, {ROWS - 1}")
    turned = c.emit(f"and i1 {c.emit('icmp eq i64 %row, 1')}, {full}")
    copied = c.emit(f"select i1 {turned}, i64 %terms, i64 {many}")
    short = f"<{ROWS} x {v.type}>"
    with c.loop(many, copied) as k:
        x = c.emit(f"load {short}, ptr {v.at(c, '%from', c.mul(k, '%column'))}, align {v.align}")
        c.do(f"store {short} {x}, ptr {v.at(c, '%to', c.mul(k, ROWS))}, align {v.align}")
    with c.loop(copied, "%terms") as k:
        for i, start in enumerate(starts):
            _copy(c, v, v.at(c, start, c.mul(k, "%column")), v.at(c, "%to", c.add(c.mul(k, ROWS), i)))
    c.do("ret void")
    head = ("define internal void @pack_rows(ptr noalias %from, i64 %row, i64 %column, i64 %rows, i64 %terms, "
            "ptr noalias %to) noinline {")  # fmt: skip
    module.functions.append(f"{head}\n{c.body()}\n}}")


def _copy(c: Code, v: Vector, source: str, place: str) -> None:
    """One element."""
    x = c.emit(f"load {v.type}, ptr {source}, align {v.align}")
    c.do(f"store {v.type} {x}, ptr {place}, align {v.align}")


def _pack_columns(module: Module, v: Vector) -> None:
    """The panel of the columns of a matrix: of each row, as many vectors as they fill, up to `VECTORS`."""
    c = Code(module)
    columns = c.minimum("%columns", VECTORS * v.lanes)
    vectors = up(c, columns, v.lanes)
    width = c.mul(vectors, v.lanes)
    beside, apart, end = (c.new_label() for _ in range(3))
    c.branch(c.emit("icmp eq i64 %column, 1"), beside, apart)
    c.start(beside)
    with c.scope(), c.loop(0, vectors) as j:
        first = c.mul(j, v.lanes)
        source, place = v.at(c, "%from", first), v.at(c, "%to", first)
        mask = v.mask_at(c, str(columns), first)
        with c.loop(0, "%terms") as k:
            x = c.emit(v.load(v.at(c, source, c.mul(k, "%row")), mask))
            c.do(v.store(x, v.at(c, place, c.mul(k, width))))
    c.go(end)
    c.start(apart)
    # Columns that are each in one piece are woven.
    even = c.emit(f"and i64 %terms, {-v.lanes}")
    whole = c.emit(f"select i1 {c.emit('icmp eq i64 %row, 1')}, i64 {even}, i64 0")
    last = c.sub(columns, 1)
    with c.scope(), c.loop(0, vectors) as j:
        first = c.mul(j, v.lanes)
        place = v.at(c, "%to", first)
        starts = [v.at(c, "%from", c.mul(c.minimum(c.add(first, i), last), "%column")) for i in range(v.lanes)]
        with c.loop(0, whole, v.lanes) as k:
            found = [c.emit(v.load(v.at(c, start, k))) for start in starts]
            for i, x in enumerate(v.woven(c, found)):
                c.do(v.store(x, v.at(c, place, c.mul(c.add(k, i), width))))
        with c.loop(whole, "%terms") as k:
            for i, start in enumerate(starts):
                _copy(c, v, v.at(c, start, c.mul(k, "%row")), v.at(c, place, c.add(c.mul(k, width), i)))
    c.go(end)
    c.start(end)
    c.do("ret void")
    head = ("define internal void @pack_columns(ptr noalias %from, i64 %row, i64 %column, i64 %columns, i64 %terms, "
            "ptr noalias %to) noinline {")  # fmt: skip
    module.functions.append(f"{head}\n{c.body()}\n}}")
