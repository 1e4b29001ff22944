"""Direct calls: a Python function in native code that takes a call's objects, runs the program, and builds the results.

`Call` describes the calls that it is for. For any other it gives `MISS`, without having done anything; so it does where
a check of the program fails, as the program writes into memory of its own. What the program needs between calls is kept
with it, for one call at a time: a call that comes while another is running gets `MISS` too.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazyarr.backends import native_memory, native_threads
from lazyarr.backends.base import MISS
from lazyarr.backends.native import LARGE, Executable, allocate
from lazyarr.backends.native_call_form import (
    Array,
    Call,
    Constant,
    Copy,
    FromArray,
    FromConstant,
    FromNumber,
    GivenArray,
    GivenHolder,
    GivenNumber,
    Made,
    NumberRoot,
    Pack,
    Result,
    Root,
    ScalarRoot,
    Unsupported,
)
from lazyarr.backends.native_emit import Code, stored
from lazyarr.backends.native_given import Given
from lazyarr.backends.native_module import Module
from lazyarr.backends.native_program import Form
from lazyarr.backends.native_python import DATA, Objects, python_function
from lazyarr.backends.native_storage import copy_bytes

#: What makes a Python number of an element; of other dtypes than Python's own NumPy does.
_MAKERS: dict[tuple[type, np.dtype[Any]], str] = {
    (int, np.dtype(np.int64)): "PyLong_FromLongLong",
    (float, np.dtype(np.float64)): "PyFloat_FromDouble",
    (bool, np.dtype(np.bool_)): "PyBool_FromLong",
}


def direct(name: str, call: Call, executable: Executable) -> Callable[..., Any]:
    """The Python function for calls as described.

    Raises
    ------
    Unsupported
        If there is no code for them.
    """
    module = Module()
    emitted = _Direct(call, executable, Code(module))
    emitted.run()
    executable.release()
    head = "define ptr @direct(ptr %self, ptr %arguments, i64 %count, ptr %names) {"
    module.functions.append(f"{head}\n{emitted.code.body()}\n}}")
    return python_function(name, module, "direct", emitted.objects)


class _Direct:
    """The code of one direct call."""

    def __init__(self, call: Call, executable: Executable, code: Code):
        self.call, self.executable, self.code = call, executable, code
        self.objects = Objects(code)
        self.given = Given(self.objects)
        self._arrays: dict[int, str] = {}
        #: What was made for parts of the result: one that stands there twice is one object.
        self._made: dict[int, tuple[Made, str]] = {}

    def run(self) -> None:
        code, objects = self.code, self.objects
        code.allocas += ["  %result = alloca ptr"]
        self._arguments()
        for get, value in self.call.same:
            self.given.same(get, value)
        for asked, equal in self.call.equal:
            self.given.equal(asked, equal)
        for get, spec in self.call.outside:
            self.given.outside(get, spec)
        self.given.apart()
        self.given.replay(self.call.steps)
        self.given.read_streams()
        self._program()
        code.do(f"store ptr {self._results()}, ptr %result")
        code.go("leave.free")
        for label, outcome in (("undone", None), ("broken", "null")):
            code.start(label)
            self._let_go()
            if outcome:
                code.do(f"store ptr {outcome}, ptr %result")
            code.go("leave" if outcome else "miss")
        code.start("miss")
        objects.call("void", "PyErr_Clear")
        objects.call("void", "Py_IncRef", f"ptr {objects.object(MISS)}")
        code.do(f"store ptr {objects.object(MISS)}, ptr %result")
        code.go("leave")
        code.start("leave.free")
        self._let_go()
        code.go("leave")
        code.start("leave")
        objects.let_go()
        code.do(f"ret ptr {code.emit('load ptr, ptr %result')}")

    def _arguments(self) -> None:
        code, objects, call = self.code, self.objects, self.call
        positional = len(call.arguments) - len(call.names)
        self.given.require(code.emit(f"icmp eq i64 %count, {positional}"))
        named = "ne" if call.names else "eq"
        self.given.require(code.emit(f"icmp {named} ptr %names, null"))
        if call.names:
            size = objects.call("i64", "PyTuple_Size", "ptr %names")
            self.given.require(code.emit(f"icmp eq i64 {size}, {len(call.names)}"))
        for k, name in enumerate(call.names):
            found = objects.call("ptr", "PyTuple_GetItem", "ptr %names", f"i64 {k}")
            self.given.require(objects.is_object(found, name))
        for k, spec in enumerate(call.arguments):
            self.given.unpack(spec, objects.field("ptr", "%arguments", 8 * k))

    # --- the program

    def _program(self) -> None:
        """Run it, on memory that is this call's until it ends."""
        code, objects, executable = self.code, self.objects, self.executable
        self._memory = _Memory(executable, [self._root(number) for number in sorted(self._wanted())])
        objects.kept.append(self._memory)
        self._busy = self.objects.pointer(self._memory.busy)
        self.given.require(code.emit(f"icmp eq i64 {code.emit(f'load i64, ptr {self._busy}')}, 0"))
        if executable.program.threads > 1:
            enough = code.emit(f"load i64, ptr {self.objects.pointer(native_threads.pool().limit)}")
            self.given.require(code.emit(f"icmp sge i64 {enough}, {native_threads.chunks(executable.program.threads)}"))
        places = self._parameters()
        code.do(f"store i64 1, ptr {self._busy}")
        self.given.miss = "undone"
        for k, place in enumerate(places):
            if place:
                code.do(f"store ptr {place}, ptr {self._entry(k)}")
        for buffer in self._memory.borrowed:
            code.do(f"store ptr null, ptr {self._entry(buffer)}")
        for buffer, slot in self._memory.backed.items():
            self._back(buffer, slot)
        for buffer, size in self._memory.borrowed.items():
            lent = code.emit(f"call ptr {self._blocks('get')}(ptr null, i64 {size})")
            self.given.require(code.emit(f"icmp ne ptr {lent}, null"))
            code.do(f"store ptr {lent}, ptr {self._entry(buffer)}")
        state = objects.call("ptr", "PyEval_SaveThread")
        operands = f"ptr {self.objects.pointer(self._memory.table)}, ptr {self.objects.pointer(self._memory.out)}"
        outcome = code.emit(f"call i32 {self.objects.pointer(executable.address)}({operands})")
        objects.call("void", "PyEval_RestoreThread", f"ptr {state}")
        # The general way finds it again, and says what it means.
        self.given.require(code.emit(f"icmp eq i32 {outcome}, 0"))
        for k in self.call.checks:
            holds = code.emit(f"load i8, ptr {self.objects.pointer(self._out(k))}")
            self.given.require(code.emit(f"icmp ne i8 {holds}, 0"))
        if executable.program.donated:
            self.given.miss = "broken"  # the arguments have been written: nobody may run the call again

    def _let_go(self) -> None:
        """The end of a call that has used the program's memory."""
        for buffer in self._memory.borrowed:
            lent = self.code.emit(f"load ptr, ptr {self._entry(buffer)}")
            self.code.do(f"call void {self._blocks('free')}(ptr null, ptr {lent}, i64 0)")
        self.code.do(f"store i64 0, ptr {self._busy}")

    def _entry(self, buffer: int) -> str:
        """Where the address of a buffer stands in the program's table."""
        return self.objects.pointer(self._memory.table + 8 * buffer)

    def _blocks(self, function: str) -> str:
        """A function of `native_memory`."""
        return self.objects.pointer(getattr(native_memory.memory(), function))

    def _parameters(self) -> list[str]:
        """The address of each parameter that is not always the same."""
        places = []
        for k, (param, source) in enumerate(zip(self.executable.program.params, self.call.sources, strict=True)):
            dtype = param.dtype
            match source:
                case FromArray(number):
                    spec = self.given.arrays[number][1]
                    if spec.dtype != dtype or getattr(spec, "shape", ()) != param.shape:
                        raise Unsupported("a parameter that is given in another form")
                    places.append(self.given.address(number))
                case FromNumber(position):
                    place = self._memory.number(k)
                    places.append("")
                    self.given.store(position, dtype, self.objects.pointer(place))
                case FromConstant(data):
                    array = np.ascontiguousarray(data, dtype)
                    self.objects.kept.append(array)
                    places.append(self.objects.pointer(array.__array_interface__["data"][0]))
        return places

    def _back(self, buffer: int, slot: int) -> None:
        """Let a buffer be the memory of an array that may become a result."""
        code, kept = self.code, self.objects.pointer(slot)
        there, missing, end = (code.new_label() for _ in range(3))
        code.branch(code.emit(f"icmp eq ptr {code.emit(f'load ptr, ptr {kept}')}, null"), missing, there)
        code.start(missing)
        form = self._memory.forms[buffer]
        new = self._empty(form.dtype, self._shape(form.shape), len(form.shape), form.bytes >= LARGE)
        self.given.require(code.emit(f"icmp ne ptr {new}, null"))
        code.do(f"store ptr {new}, ptr {kept}")
        code.go(end)
        code.start(there)
        code.go(end)
        code.start(end)
        address = self.objects.field("ptr", code.emit(f"load ptr, ptr {kept}"), DATA)
        code.do(f"store ptr {address}, ptr {self._entry(buffer)}")

    def _shape(self, shape: Sequence[int]) -> str:
        table = np.array([*shape, 0], np.int64)
        self.objects.kept.append(table)
        return self.objects.pointer(table.__array_interface__["data"][0])

    def _empty(self, dtype: np.dtype[Any], shape: str, rank: int, large: bool) -> str:
        """A new array, or null; a large one in memory that has been kept."""
        objects = self.objects
        blocks = native_memory.memory() if large else None
        if blocks is not None:
            before = objects.call("ptr", "PyArray_SetHandler", f"ptr {objects.object(blocks.handler)}")
        # It takes over a reference.
        objects.call("void", "Py_IncRef", f"ptr {objects.object(dtype)}")
        operands = f"i32 {rank}", f"ptr {shape}", f"ptr {objects.object(dtype)}", "i32 0"
        new = objects.call("ptr", "PyArray_Empty", *operands)
        if blocks is not None:
            for old in (objects.call("ptr", "PyArray_SetHandler", f"ptr {before}"), before):
                objects.call("void", "Py_DecRef", f"ptr {old}")
        return new

    def _out(self, k: int) -> int:
        """Where a result of the program is described."""
        return self._memory.out + 8 * self.executable.program.places[k].at

    def _place(self, k: int) -> str:
        """Where the elements of a result of the program are."""
        place = self.objects.pointer(self._out(k))
        return self.code.emit(f"load ptr, ptr {place}") if self.executable.program.roots[k].shape else place

    # --- what it gives

    def _results(self) -> str:
        """A new reference to what the call gives; changed arguments have been written."""
        code, objects = self.code, self.objects
        #: Each array that changes, where or what its new contents are, and their size if they are copied as they are.
        written: list[tuple[str, str, int | None]] = []
        for k, new in self.call.mutated:
            found, spec = self.given.arrays[k]
            assert isinstance(spec, Array)
            if isinstance(new, Root) and self._is_copied(k, new):
                self._same_form(new.number, spec)
                written.append((found, self._contents(k, self._root(new.number)), spec.bytes))
            else:
                written.append((found, self._build(new), None))
        for number in sorted(_arrays(self.call.result)):
            self._array(number)
        for copy in _copies(self.call.result):
            self._build(copy)
        self.given.miss = "broken"
        for found, contents, size in written:
            if size is not None:
                self._copy_elsewhere(found, contents, size)
                continue
            done = objects.call("i32", "PyArray_CopyInto", f"ptr {found}", f"ptr {contents}")
            self.given.require(code.emit(f"icmp eq i32 {done}, 0"))
        for k, _ in self.call.mutated:
            if k in self.given.streams:
                stream, form = self.given.streams[k]
                put = objects.ask(form.write, [stream, self.given.arrays[k][0]])
                self.given.require(code.emit(f"icmp ne ptr {put}, null"))
        result = self._build(self.call.result)
        objects.call("void", "Py_IncRef", f"ptr {result}")
        return result

    def _contents(self, k: int, root: int) -> str:
        """Where the new contents of array `k` are, whatever is written into other arrays of the call."""
        code, place = self.code, self._place(root)
        if not self._may_be_elsewhere(k, root):
            return place
        found = code.alloca("ptr")
        code.do(f"store ptr {place}, ptr {found}")
        target = self.objects.field("ptr", self.given.arrays[k][0], DATA)
        with code.when(code.emit(f"icmp ne ptr {place}, {target}")):
            form = self.executable.program.roots[root]
            copy = self._copied(place, form.dtype, self._shape(form.shape), len(form.shape), form.bytes)
            code.do(f"store ptr {self.objects.field('ptr', self.objects.hold(copy), DATA)}, ptr {found}")
        return code.emit(f"load ptr, ptr {found}")

    def _may_be_elsewhere(self, k: int, root: int) -> bool:
        """Whether a result of the program may have been left in the memory of another array of the call than `k`."""
        program = self.executable.program
        buffer = program.places[root].buffer
        return buffer >= 0 and any(
            peer in program.donated and self.call.sources[peer] != FromArray(k) for peer in program.memory[buffer].peers
        )

    def _copy_elsewhere(self, array: str, address: str, size: int) -> None:
        """Copy bytes into the memory of an array, if they are not there."""
        target = self.objects.field("ptr", array, DATA)
        with self.code.when(self.code.emit(f"icmp ne ptr {address}, {target}")):
            self._copy(array, address, size)

    def _wanted(self) -> set[int]:
        """The roots that are to be arrays. What is copied into an argument need not be one."""
        found = _arrays(self.call.result)
        for k, new in self.call.mutated:
            if not self._is_copied(k, new):
                found |= _arrays(new)
        return found

    def _is_copied(self, k: int, new: Result) -> bool:
        """Whether an argument's new contents are copied as they are."""
        spec = self.given.arrays[k][1]
        return isinstance(new, Root) and isinstance(spec, Array) and spec.contiguous

    def _root(self, number: int) -> int:
        return self.call.roots[number]

    def _form(self, number: int) -> Form:
        return self.executable.program.roots[self._root(number)]

    def _same_form(self, number: int, spec: Array) -> None:
        if self._form(number) != Form(spec.dtype, spec.shape):
            raise Unsupported("an argument changes its form")

    def _array(self, number: int) -> str:
        """An array of the caller's own with the elements of a root."""
        if number not in self._arrays:
            self._arrays[number] = self.objects.hold(self._taken(self._root(number)))
        return self._arrays[number]

    def _taken(self, k: int) -> str:
        """The array whose memory holds a result of the program, or a copy."""
        code, place, address = self.code, self._out(k), self._place(k)
        form = self.executable.program.roots[k]
        if not form.shape:
            return self._copied(address, form.dtype, self._shape(()), 0, form.bytes)
        if not form.fixed:
            size: str | int = form.dtype.itemsize
            for axis in range(len(form.shape)):
                size = code.mul(size, code.emit(f"load i64, ptr {self.objects.pointer(place + 8 * (axis + 1))}"))
            return self._copied(address, form.dtype, self.objects.pointer(place + 8), len(form.shape), size)
        found = code.alloca("ptr")
        end = code.new_label()
        for buffer in self._memory.holders(k):
            slot = self.objects.pointer(self._memory.backed[buffer])
            array, mine, other = code.emit(f"load ptr, ptr {slot}"), code.new_label(), code.new_label()
            some = code.new_label()
            code.branch(code.emit(f"icmp ne ptr {array}, null"), some, other)
            code.start(some)
            held = self.objects.field("ptr", array, DATA)
            code.branch(code.emit(f"icmp eq ptr {held}, {address}"), mine, other)
            code.start(mine)
            code.do(f"store ptr null, ptr {slot}")
            code.do(f"store ptr {array}, ptr {found}")
            code.go(end)
            code.start(other)
        copy = self._copied(address, form.dtype, self._shape(form.shape), len(form.shape), form.bytes)
        code.do(f"store ptr {copy}, ptr {found}")
        code.go(end)
        code.start(end)
        return code.emit(f"load ptr, ptr {found}")

    def _copied(self, address: str, dtype: np.dtype[Any], shape: str, rank: int, size: str | int) -> str:
        code = self.code
        new = self._empty(dtype, shape, rank, isinstance(size, int) and size >= LARGE)
        self.given.require(code.emit(f"icmp ne ptr {new}, null"))
        self._copy(new, address, size)
        return new

    def _copy(self, array: str, address: str, size: str | int) -> None:
        """Copy bytes into the memory of an array."""
        copy_bytes(self.code, self.objects.field("ptr", array, DATA), address, size)

    def _build(self, result: Result) -> str:
        """A borrowed object: one that is held until the call ends, or somebody else's."""
        objects, code = self.objects, self.code
        match result:
            case Constant(value):
                return objects.object(value)
            case GivenArray(number):
                return self.given.arrays[number][0]
            case GivenHolder(at):
                return self.given.holders[at]
            case Copy(number, root):
                if root not in self._arrays:
                    self._arrays[root] = self._new_copy(number)
                return self._arrays[root]
            case GivenNumber(position):
                return self.given.positions[position]
            case Root(number):
                return self._array(number)
            case ScalarRoot(number):
                dtype = objects.object(self._form(number).dtype)
                place = self.objects.pointer(self._out(self._root(number)))
                new = objects.call("ptr", "PyArray_Scalar", f"ptr {place}", f"ptr {dtype}", "ptr null")
            case NumberRoot(number, kind):
                make = _MAKERS.get((kind, self._form(number).dtype))
                if make is None:
                    return self._build(Made(kind, (ScalarRoot(number),)))
                new = self._number(number, make)
            case Made(function, items):
                if id(result) not in self._made:
                    new = objects.ask(function, [self._build(item) for item in items])
                    self.given.require(code.emit(f"icmp ne ptr {new}, null"))
                    self._made[id(result)] = result, new
                return self._made[id(result)][1]
            case Pack(kind, items):
                return self._pack(kind, [self._build(item) for item in items])
        objects.hold(new)
        self.given.require(code.emit(f"icmp ne ptr {new}, null"))
        return new

    def _number(self, number: int, make: str) -> str:
        """A new Python number of a root."""
        dtype = self._form(number).dtype
        word = self.code.emit(f"load {stored(dtype)}, ptr {self.objects.pointer(self._out(self._root(number)))}")
        if dtype.kind == "b":
            return self.objects.call("ptr", make, f"i64 {self.code.emit(f'zext i8 {word} to i64')}")
        return self.objects.call("ptr", make, f"{stored(dtype)} {word}")

    def _new_copy(self, number: int) -> str:
        found, spec = self.given.arrays[number]
        if not isinstance(spec, Array):
            raise Unsupported("a copy of a NumPy scalar")
        new = self.objects.hold(self.objects.call("ptr", "PyArray_NewCopy", f"ptr {found}", "i32 0"))  # order="C"
        self.given.require(self.code.emit(f"icmp ne ptr {new}, null"))
        return new

    def _pack(self, kind: type, items: list[str]) -> str:
        objects, name = self.objects, "PyTuple" if kind is tuple else "PyList"
        new = objects.hold(objects.call("ptr", f"{name}_New", f"i64 {len(items)}"))
        self.given.require(self.code.emit(f"icmp ne ptr {new}, null"))
        for k, item in enumerate(items):
            # It takes over a reference.
            objects.call("void", "Py_IncRef", f"ptr {item}")
            objects.call("i32", f"{name}_SetItem", f"ptr {new}", f"i64 {k}", f"ptr {item}")
        return new


def _arrays(result: Result) -> set[int]:
    """The roots that are to be arrays."""
    match result:
        case Root(number):
            return {number}
        case Made(_, items) | Pack(_, items):
            return {number for item in items for number in _arrays(item)}
    return set()


def _copies(result: Result) -> list[Copy]:
    """What is to be copied before anything is written."""
    match result:
        case Copy():
            return [result]
        case Made(_, items) | Pack(_, items):
            return [copy for item in items for copy in _copies(item)]
    return []


class _Memory:
    """What a direct call has between calls: addresses, scratch memory, and arrays that may become results.

    Attributes
    ----------
    busy, table, out : int
        Addresses: whether a call is running, the program's table of addresses, its table of results.
    backed : dict of int to int
        The buffers whose memory is that of an array, and where that is kept.
    forms : dict of int to Form
        What those arrays are.
    borrowed : dict of int to int
        The buffers that have memory for the time of a call only, and their sizes: the large ones.
    """

    def __init__(self, executable: Executable, wanted: Sequence[int]):
        program = executable.program
        first = len(program.params)
        self._holders = {k: executable.holders.get(k, []) for k in wanted}
        numbers = sorted({number for found in self._holders.values() for number in found})
        self.forms = {number: executable.forms[number] for number in numbers}
        count = len(program.memory)
        words = 8 + count + program.slots + 1 + 2 * first + len(self.forms)
        self._words = np.zeros(words + 8, np.int64)
        start = int(self._words.__array_interface__["data"][0])
        self.busy = start + -start % 64
        self.table = self.busy + 8 * 8
        self.out = self.table + 8 * count
        self._numbers = self.out + 8 * (program.slots + 1)
        self._numbers += self._numbers % 16
        kept = self._numbers + 16 * first
        self.backed = {buffer: kept + 8 * k for k, buffer in enumerate(self.forms)}
        self._table = self._words[(self.table - start) // 8 :]
        self._slots = [(slot - start) // 8 for slot in self.backed.values()]
        sizes = {first + k: b.size for k, b in enumerate(executable.buffers) if first + k not in self.forms}
        large = {number: size for number, size in sizes.items() if size >= LARGE}
        self.borrowed = large if large and native_memory.memory() is not None else {}
        self._own = {number: allocate(size) for number, size in sizes.items() if number not in self.borrowed}
        for number, (_, address) in self._own.items():
            self._table[number] = address

    def holders(self, k: int) -> list[int]:
        """The buffers with an array that may have become result `k`."""
        return self._holders.get(k, [])

    def number(self, k: int) -> int:
        """Where a parameter that is a number stands."""
        place = self._numbers + 16 * k
        self._table[k] = place
        return place

    def __del__(self) -> None:
        for slot in getattr(self, "_slots", ()):
            address = int(self._words[slot])
            if address:
                ctypes.pythonapi.Py_DecRef(ctypes.c_void_p(address))
