"""Text of LLVM IR: one function under construction, its blocks, loops and index arithmetic.

Text is made rather than objects because it is several times faster, and because it can be read as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr.backends.native_module import Aliases, Module, lifted

if TYPE_CHECKING:
    from lazyarr.backends.native_storage import Buffer

#: An index, extent or offset: known now, or an i64 in a register.
Index = int | str
#: An element in registers: one, or real and imaginary part.
Element = tuple[str, ...]

_TYPES = {"b1": "i1", "i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64", "u1": "i8", "u2": "i16", "u4": "i32",
          "u8": "i64", "f2": "half", "f4": "float", "f8": "double"}  # fmt: skip


_FLAGS = {"nsw", "nuw", "exact", "reassoc", "contract"}
#: Registers in a text, and those that it defines.
NAMES = re.compile(r"%(?!b\d|entry\b)\w+")
DEFINED = re.compile(r"^  (%\w+) =", re.MULTILINE)
#: What is said of a loop that LLVM is not to make vectors of.
_NO_VECTORS = '!{!"llvm.loop.vectorize.enable", i1 false}'
#: The function that shares a range among threads; see `native_threads`.
FORK = "lazyarr_native_fork"
#: The same of a range of which nobody knows how much work it is.
DIVIDE = "lazyarr_native_divide"


def part(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a complex number's parts; a real dtype itself."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def register(dtype: np.dtype[Any]) -> str:
    """LLVM's type of an element, or of a part of a complex one, in a register."""
    dtype = part(dtype)
    return _TYPES[f"{dtype.kind}{dtype.itemsize}"]


def stored(dtype: np.dtype[Any]) -> str:
    """LLVM's type of an element, or of a part of a complex one, in memory."""
    return "i8" if dtype.kind == "b" else register(dtype)


def literal(value: Any, dtype: np.dtype[Any]) -> Element:
    """A constant element."""
    number = np.asarray(value, dtype)[()]
    if dtype.kind == "c":
        return literal(number.real, part(dtype)) + literal(number.imag, part(dtype))
    if dtype.kind == "b":
        return ("true" if number else "false",)
    if dtype.kind in "iu":
        return (str(int(number.view(f"i{dtype.itemsize}"))),)
    if dtype.itemsize == 2:
        return (f"0xH{int(number.view(np.uint16)):04X}",)
    # LLVM spells a float as the double of the same value.
    with np.errstate(all="ignore"):
        return (f"0x{int(np.float64(number).view(np.uint64)):016X}",)


@dataclass
class Part:
    """The body of a loop that threads share, as a function of its own.

    Attributes
    ----------
    failed : str
        Where the number of a check that failed is noted, for all threads.
    leave : str
        The label of the function's end.
    buffers : list of Buffer
        Memory that each thread has for itself.
    """

    failed: str
    leave: str
    buffers: list[Buffer] = field(default_factory=list)


def _within(count: Index) -> tuple[int, int] | None:
    return (0, count) if isinstance(count, int) else None


class Code:
    """A function under construction."""

    def __init__(self, module: Module):
        self.module = module
        self.lines: list[str] = []
        self.allocas: list[str] = []
        self.label = "entry"
        self._count = 0
        # Index arithmetic that is at hand, by the blocks it dominates.
        self._known: list[dict[Any, Index]] = [{}]
        self.aliases: Aliases | None = None
        #: How many stores there are; whether there are some in a loop within this one.
        self._stores, self._stored_within = 0, False
        self._texts: dict[str, str] = {}
        self._scratch: dict[tuple[int, str, str, int], str] = {}
        # Kept alive, so that their identities stay theirs.
        self._functions: list[list[str]] = []
        #: Of indices that are another one and a constant: those.
        self._offsets: dict[str, tuple[Index, int]] = {}
        #: The least and the largest value of indices, where known.
        self.ranges: dict[str, tuple[int, int]] = {}
        #: Whether results need NumPy's bits where that costs time: how often a loop runs may depend on them.
        self.exact = False
        #: Whether loop nests become functions of their own: the program is a large one.
        self.large = False
        #: How moduli are compared (`native_modulus`): None: as NumPy has them; "": by their squares; else by their
        #: squares, and that stack slot becomes true if these do not decide.
        self.comparing: str | None = None
        #: Nests that are collected instead of made: the target of each, and what is to be stored there.
        self.recording: list[tuple[Any, Any]] | None = None
        self._turn: dict[Buffer, Buffer] = {}
        #: Whether a loop in it is shared among threads.
        self.forks = False
        #: The body of a loop that threads share, where what is emitted belongs to one.
        self.part: Part | None = None
        #: Labels between the nodes of each graph of a large program.
        self.cuts: list[list[str]] = []

    def name(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def emit(self, text: str) -> str:
        """Add an instruction with a result."""
        self._count += 1
        name = f"%v{self._count}"
        self.lines.append(f"  {name} = {text}")
        self._texts[name] = text
        return name

    def do(self, text: str) -> None:
        """Add an instruction without a result."""
        self.lines.append(f"  {text}")

    def alloca(self, type: str, count: int = 1, align: int = 16) -> str:
        """Stack memory that lives as long as the function."""
        name = self.name()
        self.allocas.append(f"  {name} = alloca {type}, i64 {count}, align {align}")
        self._texts[name] = "alloca"
        return name

    def scratch(self, use: str, type: str, count: int) -> str:
        """Stack memory that is used again: for what holds nothing between statements."""
        key = (id(self.allocas), use, type, count)
        found = self._scratch.get(key)
        if found is None:
            found = self._scratch[key] = self.alloca(type, count)
            self._functions.append(self.allocas)
        return found

    def scratches(self) -> set[str]:
        """What `scratch` has given."""
        return set(self._scratch.values())

    # --- blocks

    def cut(self, cuts: list[str]) -> None:
        """Begin a block, and add it to `cuts`: what is emitted up to the next one may become a function of its own."""
        if not cuts or self.lines[-1] != f"{cuts[-1]}:":
            cuts.append(self.new_label())
            self.go(cuts[-1])
            self.start(cuts[-1])

    def new_label(self) -> str:
        self._count += 1
        return f"b{self._count}"

    def start(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label}:")
        self.label = label

    def go(self, label: str) -> None:
        self.lines.append(f"  br label %{label}")

    def branch(self, condition: str, yes: str, no: str, weights: str = "") -> None:
        self.lines.append(f"  br i1 {condition}, label %{yes}, label %{no}{weights}")

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Blocks that do not dominate what follows: index arithmetic found within is forgotten after."""
        self._known.append({})
        try:
            yield
        finally:
            self._known.pop()

    @contextmanager
    def loop(self, start: Index, stop: Index, step: int = 1, within: tuple[int, int] | None = None,
             free: bool = False, scalar: bool = False) -> Iterator[str]:  # fmt: skip
        """``for i in range(start, stop, step)`` with a constant step; gives the register of the index.

        `within` is a range that is known to hold this one; `free`: no iteration reads what another one writes;
        `scalar`: there are few iterations, which vectors would not serve.
        """
        said = [self.aliases.free()] if free and self.aliases is not None else []
        if scalar:
            said += [_NO_VECTORS, '!{!"llvm.loop.unroll.disable"}']
        head, body, latch, end = (self.new_label() for _ in range(4))
        before = self.label
        self.go(head)
        self.start(head)
        index, following = self.name(), self.name()
        self.phi(index, f"[ {start}, %{before} ], [ {following}, %{latch} ]")
        if isinstance(start, int) and isinstance(stop, int) and step == 1:
            within = start, stop
        if within is not None:
            self.ranges[index] = (within[0], within[1] - 1)
        more = self.emit(f"icmp {'slt' if step > 0 else 'sgt'} i64 {index}, {stop}")
        self.branch(more, body, end)
        self.start(body)
        with self.scope(), self.iteration(said):
            yield index
        self.go(latch)
        self.start(latch)
        self.do(f"{following} = add nsw i64 {index}, {step}")
        self.again(head, said)
        self.start(end)

    @contextmanager
    def iteration(self, said: list[str]) -> Iterator[None]:
        """The body of a loop; adds what it is to say of itself where it begins again."""
        around, stores = self._stored_within, self._stores
        self._stored_within = False
        yield
        if self._stored_within:
            # Vectors are for the loop within: of a short one LLVM would make one statement for each element, and then
            # gather and scatter one element of each of several rows, five times slower.
            said.append(_NO_VECTORS)
        self._stored_within = around or self._stores > stores

    def again(self, head: str, said: Sequence[str]) -> None:
        """The last branch of a loop, with what is said of it."""
        self.do(f"br label %{head}{self.module.about_loop(said)}")

    def phi(self, name: str, sources: str) -> None:
        """An i64 that depends on where control comes from."""
        self._texts[name] = "phi i64"
        self.do(f"{name} = phi i64 {sources}")

    @contextmanager
    def shared(self, count: Index, worth: str | None) -> Iterator[str]:
        """A loop from 0 to `count`, shared among threads where `worth` (always: None) holds.

        Its body becomes a function of its own, which gets what it uses of this one in a table. Iterations must not
        depend on each other.
        """
        with self.span(count, worth) as (first, last), self.loop(first, last, within=_within(count)) as index:
            yield index

    @contextmanager
    def span(self, count: Index, worth: str | None) -> Iterator[tuple[Index, Index]]:
        """The part of the range from 0 to `count` that a thread does; as `shared` otherwise."""
        part: list[str] = []
        with self.function(part) as ends:
            yield ends
        if worth is None:
            self.run(part, 0, count, shared=True)
            return
        many, few, end = (self.new_label() for _ in range(3))
        self.branch(worth, many, few)
        self.start(many)
        self.run(part, 0, count, shared=True)
        self.go(end)
        self.start(few)
        self.run(part, 0, count, shared=False)
        self.go(end)
        self.start(end)

    def fork(self, name: str, table: str, begin: Index, end: Index, finer: int = 1) -> str:
        """The call that shares a range among threads, in `finer` times as many chunks as it needs."""
        self.forks = True
        self.module.declare("fork", f"declare void @{FORK}(ptr, ptr, i64, i64, i64)")
        return f"call void @{FORK}(ptr @{name}, ptr {table}, i64 {begin}, i64 {end}, i64 {finer})"

    def run(self, part: list[str], begin: Index, end: Index, shared: bool) -> None:
        """Do what has become a function for a range, shared among threads or not."""
        name, table = part
        # In a part all threads have enough to do.
        if shared and self.part is None:
            self.do(self.fork(name, table, begin, end))
        else:
            self.do(f"call void @{name}(ptr {table}, i64 {begin}, i64 {end})")

    @contextmanager
    def alike(self, count: Index, shared: bool) -> Iterator[tuple[Index, Index]]:
        """The range from 0 to `count`, shared among threads or not: by the same code, which gives the same bits.

        LLVM sums up in another order where it knows which range it is, so that it is not to know.
        """
        part: list[str] = []
        with self.function(part) as ends:
            yield ends
        if not shared or self.part is not None:
            place = self.alloca("ptr")
            self.do(f"store volatile ptr @{part[0]}, ptr {place}")
            hidden = self.emit(f"load volatile ptr, ptr {place}")
            self.do(f"call void {hidden}(ptr {part[1]}, i64 0, i64 {count})")
        else:
            self.run(part, 0, count, shared=True)

    @contextmanager
    def apart(self, count: Index) -> Iterator[tuple[Index, Index]]:
        """The range from 0 to `count` in a function of its own, which equal ones share.

        LLVM takes more than twice as long for a function of twice the size.
        """
        part: list[str] = []
        with self.function(part) as ends:
            yield ends
        self.run(part, 0, count, shared=False)

    @contextmanager
    def function(self, part: list[str]) -> Iterator[tuple[str, str]]:
        """What works on ``%begin`` to ``%end`` becomes a function; `part` gets its name, and the table it takes.

        The registers of this function that it uses, and the addresses of its buffers, are what they are here.
        """
        lines, allocas, label, within = self.lines, self.allocas, self.label, self._stored_within
        self.lines, self.allocas, self.label = [], [], "entry"
        if self.aliases is not None:
            self.aliases.outlined = True
        with self.scope():
            yield "%begin", "%end"
        body, own = self.lines, self.allocas
        self.lines, self.allocas, self.label, self._stored_within = lines, allocas, label, within
        inner = "\n".join(body)
        numbers: dict[str, tuple[str, str]] = {}
        if self.large:
            inner, numbers = lifted(inner)
        defined = set(DEFINED.findall("\n".join([inner, *own])))
        used = dict.fromkeys(NAMES.findall(inner))
        outside = [n for n in used if n not in defined and n not in ("%begin", "%end")]
        table = self.alloca("i64", max(1, len(outside)))
        text, addresses = [], []
        for k, name in enumerate(outside):
            slot = name.startswith("%slot")
            type, value = numbers[name] if name in numbers else ("ptr" if slot else self.type_of(name), name)
            value = self.emit(f"load ptr, ptr {name}") if slot else value
            place = self.emit(f"getelementptr inbounds i64, ptr {table}, i64 {k}")
            self.do(f"store {type} {value}, ptr {place}")
            at = f"  %at{k} = getelementptr inbounds i64, ptr %table, i64 {k}"
            if slot:
                addresses += [at, f"  %in{k} = load ptr, ptr %at{k}"]
                text += [f"  {name} = alloca ptr", f"  store ptr %in{k}, ptr {name}"]
            else:
                text += [at, f"  {name} = load {type}, ptr %at{k}"]
        arrays = [f"%in{k}" for k, name in enumerate(outside) if name.startswith("%slot")]
        whole = "\n".join(["entry:", *own, *text, inner, "  ret void", "}"])
        found = self.module.part(whole, arrays)
        if arrays:
            # Only of parameters can it be said that they do not overlap.
            given = "".join(f", ptr {name}" for name in arrays)
            call = f"  call void @{found}(ptr %table, i64 %begin, i64 %end{given})"
            found = self.module.part("\n".join(["entry:", *addresses, call, "  ret void", "}"]))
        part[:] = [found, table]

    def saved(self) -> Callable[[], None]:
        """What puts back the code as it is now."""
        lines, allocas, label = self.lines, self.allocas, self.label
        ends = len(lines), len(allocas)
        known, scratch = [dict(k) for k in self._known], dict(self._scratch)
        functions, aliases, forks = len(self.module.functions), self.aliases, self.forks
        parts, within = dict(self.module._parts), self._stored_within

        def restore() -> None:
            del lines[ends[0] :], allocas[ends[1] :], self.module.functions[functions:]
            self.lines, self.allocas, self.label = lines, allocas, label
            self._known, self._scratch, self.module._parts = known, scratch, parts
            self.aliases, self.part, self.forks = aliases, None, forks
            self._stored_within = within

        return restore

    def type_of(self, name: str) -> str:
        """The type of a register, from the instruction that made it."""
        if name.startswith("%p") and name[2:].isdecimal():
            return "ptr"
        text = self._texts[name]
        op, _, rest = text.partition(" ")
        if op in ("icmp", "fcmp"):
            return "i1"
        if op in ("getelementptr", "alloca", "inttoptr"):
            return "ptr"
        if op == "load":
            return rest.partition(",")[0]
        if op == "phi":
            return rest.split(" ")[0]
        if op == "select":
            return rest.split(", ")[1].split(" ")[0]
        if op == "call":
            return rest.partition(" @")[0]
        if op == "extractvalue":
            fields, _, place = rest.partition("{ ")[2].partition(" }")
            return fields.split(", ")[int(place.rpartition(", ")[2])]
        if " to " in rest:
            return rest.rpartition(" to ")[2]
        return next(word for word in rest.split(" ") if word not in _FLAGS)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """A block that runs if `condition` holds."""
        yes, end = self.new_label(), self.new_label()
        self.branch(condition, yes, end)
        self.start(yes)
        with self.scope():
            yield
        self.go(end)
        self.start(end)

    # --- index arithmetic

    def _index(self, op: str, a: Index, b: Index) -> Index:
        offset = 0
        if isinstance(b, int) and op != "mul nsw":
            # Offsets are added up: ``i - 1 + 1`` is ``i``.
            a, offset = self._offsets.get(str(a), (a, 0))
            op, b = "add nsw", offset + (b if op == "add nsw" else -b)
            if b == 0:
                return a
        key = (op, a, b)
        for known in self._known:
            if key in known:
                return known[key]
        found = self._known[-1][key] = self.emit(f"{op} i64 {a}, {b}")
        if isinstance(b, int) and op != "mul nsw":
            self._offsets[found] = (a, b)
            if a in self.ranges:
                low, high = self.ranges[str(a)]
                self.ranges[found] = (low + b, high + b)
        return found

    def add(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if isinstance(a, int):
            a, b = b, a
        return b if a == 0 else a if b == 0 else self._index("add nsw", a, b)

    def sub(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return a - b
        return a if b == 0 else self._index("sub nsw", a, b)

    def mul(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        if a == 0 or b == 0:
            return 0
        return b if a == 1 else a if b == 1 else self._index("mul nsw", a, b)

    def minimum(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return min(a, b)
        self.module.declare("smin", "declare i64 @llvm.smin.i64(i64, i64)")
        return self.emit(f"call i64 @llvm.smin.i64(i64 {a}, i64 {b})")

    def maximum(self, a: Index, b: Index) -> Index:
        if isinstance(a, int) and isinstance(b, int):
            return max(a, b)
        self.module.declare("smax", "declare i64 @llvm.smax.i64(i64, i64)")
        return self.emit(f"call i64 @llvm.smax.i64(i64 {a}, i64 {b})")

    # --- statements and memory

    @contextmanager
    def statement(self) -> Iterator[None]:
        """Accesses between which different buffers do not overlap."""
        outer, self.aliases = self.aliases, Aliases(self)
        try:
            with self.scope():
                yield
        finally:
            self.aliases.close()
            self.aliases = outer

    @contextmanager
    def standing(self, turn: dict[Buffer, Buffer]) -> Iterator[None]:
        """Code in which some buffers stand for others."""
        outer, self._turn = self._turn, turn
        try:
            yield
        finally:
            self._turn = outer

    def pointer(self, buffer: Buffer) -> str:
        """Where `buffer` is now."""
        buffer = self._turn.get(buffer, buffer)
        if self.aliases is None:
            return self.emit(f"load ptr, ptr {buffer.variable}")
        # Pointers are exchanged between statements only.
        key = (self.aliases, buffer)
        for known in self._known:
            if key in known:
                return str(known[key])
        found = self._known[-1][key] = self.emit(f"load ptr, ptr {buffer.variable}")
        return found

    def address(self, pointer: str, dtype: np.dtype[Any], offset: Index, imag: bool = False) -> str:
        if dtype.kind == "c":
            offset = self.add(self.mul(offset, 2), int(imag))
        return self.emit(f"getelementptr inbounds {stored(dtype)}, ptr {pointer}, i64 {offset}")

    def _scope(self, buffer: Buffer | None) -> str:
        if self.aliases is None or buffer is None:
            return ""
        return self.aliases.of(self._turn.get(buffer, buffer))

    def load(self, buffer: Buffer | None, pointer: str, dtype: np.dtype[Any], offset: Index) -> Element:
        """The element number `offset` from `pointer`, which is in `buffer`; None: on the stack."""
        extra = self._scope(buffer)
        found = []
        for imag in (False, True)[: 1 + (dtype.kind == "c")]:
            place = self.address(pointer, dtype, offset, imag)
            value = self.emit(f"load {stored(dtype)}, ptr {place}, align {part(dtype).itemsize}{extra}")
            found.append(self.emit(f"icmp ne i8 {value}, 0") if dtype.kind == "b" else value)
        return tuple(found)

    def store(self, buffer: Buffer | None, pointer: str, dtype: np.dtype[Any], offset: Index, value: Element
              ) -> None:  # fmt: skip
        """Write an element to where `load` finds it."""
        self._stores += 1
        extra = self._scope(buffer)
        for imag, register_ in enumerate(value):
            if dtype.kind == "b":
                register_ = self.emit(f"zext i1 {register_} to i8")
            place = self.address(pointer, dtype, offset, bool(imag))
            if self._chosen(register_, place):
                # Hides from LLVM that it could store under a mask, which takes some processors ten times as long.
                register_ = self.emit(f"freeze {stored(dtype)} {register_}")
            self.do(f"store {stored(dtype)} {register_}, ptr {place}, align {part(dtype).itemsize}{extra}")

    def _chosen(self, register_: str, place: str) -> bool:
        """Whether a value is either something else or what is at the address `place` already."""
        op, *arms = self._texts.get(register_, "").split(", ")
        loads = [self._texts.get(arm.rpartition(" ")[2], "") for arm in arms if op.startswith("select")]
        read = [text.split(", ")[1].rpartition(" ")[2] for text in loads if text.startswith("load")]
        return any(self._texts.get(address) == self._texts[place] for address in read)

    def select(self, condition: str, dtype: np.dtype[Any], x: Element, y: Element) -> Element:
        """`x` where `condition`, else `y`."""
        type = register(dtype)
        return tuple(
            a if a == b else self.emit(f"select i1 {condition}, {type} {a}, {type} {b}")
            for a, b in zip(x, y, strict=True)
        )

    def body(self) -> str:
        """The text of the function's body."""
        return "\n".join(["entry:", *self.allocas, *self.lines])
