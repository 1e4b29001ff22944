"""What a call gives to a compiled program: code that checks the objects of a call, and takes numbers and addresses out.

Whatever is not as described leads to the label `miss`: the call is for somebody else, and nothing has happened yet.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from lazyarr.backends.native_call_form import (
    Again,
    Answer,
    Array,
    Attributes,
    Content,
    Entries,
    Fixed,
    Item,
    Items,
    LookUp,
    MadeOf,
    Number,
    NumpyScalar,
    Position,
    Spec,
    Static,
    Step,
    Stream,
    Unsupported,
)
from lazyarr.backends.native_emit import part, stored
from lazyarr.backends.native_python import (
    ALIGNED,
    BYTE_ORDER,
    DATA,
    DESCRIPTION,
    FLAGS,
    RANK,
    SCALAR_VALUE,
    SHAPE,
    STRIDES,
    TYPE_NUMBER,
    WRITEABLE,
    Objects,
)


class Given:
    """Code that takes a call apart.

    Attributes
    ----------
    arrays : list of (str, Array or NumpyScalar)
        Arrays and NumPy scalars, in the order of the walk.
    streams : dict of int to (str, Stream)
        The streams of random numbers, by the number of the array that is their state.
    positions : list of str
        The numbers of the call, as objects.
    holders : list of str
        Tuples, lists, dicts, objects and streams, in the order of the walk.
    miss : str
        Where to go if something is not as described.
    """

    def __init__(self, objects: Objects):
        self.objects, self.code = objects, objects.code
        self.arrays: list[tuple[str, Array | NumpyScalar]] = []
        self.streams: dict[int, tuple[str, Stream]] = {}
        self.positions: list[str] = []
        self.miss = "miss"
        self._numbers: list[str] = []
        self.holders: list[str] = []
        self._steps: list[Step] = []
        self._words: dict[int, str] = {}

    def require(self, ok: str) -> None:
        """Go on if `ok` only."""
        follows = self.code.new_label()
        self.code.branch(ok, follows, self.miss)
        self.code.start(follows)

    def _require_equal(self, type: str, x: str, y: str | int) -> None:
        self.require(self.code.emit(f"icmp eq {type} {x}, {y}"))

    def _require_found(self, x: str) -> None:
        self.require(self.code.emit(f"icmp ne ptr {x}, null"))

    # --- arguments

    def unpack(self, spec: Spec, found: str) -> None:
        """Check one object against its description, and note its parts."""
        match spec:
            case Array():
                self._array(spec, found)
            case NumpyScalar(dtype):
                self.require(self.objects.is_of(found, dtype.type))
                self.arrays.append((found, spec))
            case Number(kind):
                self.require(self.objects.is_of(found, kind))
                self._numbers.append(found)
            case Static(value):
                self._static(value, found)
            case Again(at):
                self._require_equal("ptr", found, self.holders[at])
            case Items():
                self._items(spec, found)
            case Entries():
                self._entries(spec, found)
            case Stream():
                self._stream(spec, found)

    def _static(self, value: Any, found: str) -> None:
        same = self.objects.is_object(found, value)
        if type(value) is not str:
            self.require(same)
            return
        code = self.code
        before, other, end = code.label, code.new_label(), code.new_label()
        code.branch(same, end, other)
        code.start(other)
        self.require(self.objects.is_of(found, str))
        equal = self.objects.call("i32", "PyUnicode_Compare", f"ptr {found}", f"ptr {self.objects.object(value)}")
        self._require_equal("i32", equal, 0)
        code.go(end)
        code.start(end)
        assert before

    def _met(self, found: str, kind: type) -> None:
        """Require that an object is of a type, and has not been met before."""
        self.require(self.objects.is_of(found, kind))
        for other in self.holders:
            self.require(self.code.emit(f"icmp ne ptr {found}, {other}"))
        self.holders.append(found)

    def _stream(self, spec: Stream, found: str) -> None:
        self._met(found, spec.kind)
        self.streams[len(self.arrays)] = found, spec
        self.arrays.append(("", spec.words))

    def _items(self, spec: Items, found: str) -> None:
        self._met(found, spec.kind)
        name = "List" if spec.kind is list else "Tuple"
        self._require_equal("i64", self.objects.call("i64", f"Py{name}_Size", f"ptr {found}"), len(spec.items))
        for k, item in enumerate(spec.items):
            part = self.objects.call("ptr", f"Py{name}_GetItem", f"ptr {found}", f"i64 {k}")
            # (Others may take out of a list what is in it.)
            self.unpack(item, self.objects.share(part) if spec.kind is list else part)

    def _entries(self, spec: Entries, found: str) -> None:
        self._met(found, spec.kind)
        code, objects = self.code, self.objects
        if spec.kind is not dict:
            found = objects.hold(objects.call("ptr", "PyObject_GenericGetDict", f"ptr {found}", "ptr null"))
            self._require_found(found)
        self._require_equal("i64", objects.call("i64", "PyDict_Size", f"ptr {found}"), len(spec.items))
        place, key, value = code.alloca("i64"), code.alloca("ptr"), code.alloca("ptr")
        code.do(f"store i64 0, ptr {place}")
        for name, item in zip(spec.names, spec.items, strict=True):
            operands = [f"ptr {x}" for x in (found, place, key, value)]
            self._require_equal("i32", objects.call("i32", "PyDict_Next", *operands), 1)
            part = objects.share(code.emit(f"load ptr, ptr {value}"))
            self._static(name, code.emit(f"load ptr, ptr {key}"))
            self.unpack(item, part)

    def _array(self, spec: Array, found: str) -> None:
        code, objects = self.code, self.objects
        self.require(objects.is_of(found, np.ndarray))
        dtype = objects.field("ptr", found, DESCRIPTION)
        known = objects.is_object(dtype, spec.dtype)
        equal, other = code.new_label(), code.new_label()
        code.branch(known, equal, other)
        code.start(other)  # dtypes that were pickled, or have metadata, are other objects
        self._require_equal("i32", objects.field("i32", dtype, TYPE_NUMBER), spec.dtype.num)
        self._require_equal("i8", objects.field("i8", dtype, BYTE_ORDER), ord(spec.dtype.byteorder))
        code.go(equal)
        code.start(equal)
        self._require_equal("i32", objects.field("i32", found, RANK), len(spec.shape))
        bits = code.emit(f"and i32 {objects.field('i32', found, FLAGS)}, {ALIGNED | WRITEABLE}")
        self._require_equal("i32", bits, ALIGNED | (WRITEABLE if spec.writeable else 0))
        if spec.shape:
            shape, strides = (objects.field("ptr", found, k) for k in (SHAPE, STRIDES))
            for k, (n, stride) in enumerate(zip(spec.shape, spec.strides, strict=True)):
                self._require_equal("i64", objects.field("i64", shape, 8 * k), n)
                self._require_equal("i64", objects.field("i64", strides, 8 * k), stride)
        self.arrays.append((found, spec))

    def apart(self) -> None:
        """Require that no two arrays share memory."""
        code = self.code
        spans = []
        for k, (found, spec) in enumerate(self.arrays):
            if isinstance(spec, Array) and spec.bytes and k not in self.streams:
                address = self.objects.field("i64", found, DATA)
                spans.append([code.emit(f"add i64 {address}, {end}") for end in spec.span])
        for (low, high), (other_low, other_high) in combinations(spans, 2):
            before = code.emit(f"icmp ule i64 {high}, {other_low}")
            after = code.emit(f"icmp uge i64 {low}, {other_high}")
            self.require(code.emit(f"or i1 {before}, {after}"))

    def read_streams(self) -> None:
        """Have the states of the streams, which takes longest, as arrays."""
        for k, (stream, spec) in self.streams.items():
            words = self.objects.ask(spec.read, [stream])
            self._require_found(words)
            self.require(self.objects.is_of(words, np.ndarray))
            self.arrays[k] = words, spec.words

    def address(self, k: int) -> str:
        """Where the elements of array number `k` are, one after the other."""
        found, spec = self.arrays[k]
        if isinstance(spec, NumpyScalar):
            return self.code.emit(f"getelementptr i8, ptr {found}, i64 {SCALAR_VALUE}")
        if not spec.contiguous:
            found = self.objects.hold(self.objects.call("ptr", "PyArray_NewCopy", f"ptr {found}", "i32 0"))
            self._require_found(found)
        return self.objects.field("ptr", found, DATA)

    # --- the world outside

    def look_up(self, get: LookUp) -> str:
        """What is found outside the arguments now. It may be gone the moment after."""
        objects = self.objects
        match get:
            case Fixed(value):
                return objects.object(value)
            case Item(mapping, name):
                operands = [f"ptr {objects.object(x)}" for x in (mapping, name)]
                found = objects.call("ptr", "PyDict_GetItemWithError", *operands)
            case Content(cell):
                found = objects.hold(objects.call("ptr", "PyCell_Get", f"ptr {objects.object(cell)}"))
            case Answer(function):
                found = self._python(function, [])
        self._require_found(found)
        return found

    def outside(self, get: LookUp, spec: Spec) -> None:
        """Take apart what is found outside the arguments."""
        found = self.look_up(get)
        self.unpack(spec, found if isinstance(get, Fixed) else self.objects.share(found))

    def same(self, get: LookUp, value: Any) -> None:
        """Require that a look-up gives an object."""
        self.require(self.objects.is_object(self.look_up(get), value))

    def equal(self, get: LookUp | Attributes | MadeOf, value: Any) -> None:
        """Require that a look-up gives what is equal to a value."""
        if isinstance(get, MadeOf):
            self._made_of(get)
            return
        if isinstance(get, Attributes):
            self._attributes(get)
            return
        objects, found = self.objects, self.look_up(get)
        operands = f"ptr {found}", f"ptr {objects.object(value)}", "i32 2"
        answer = objects.call("i32", "PyObject_RichCompareBool", *operands)
        self._require_equal("i32", answer, 1)

    def _attributes(self, attributes: Attributes) -> None:
        objects = self.objects
        holder = objects.object(attributes.holder)
        found = objects.hold(objects.call("ptr", "PyObject_GenericGetDict", f"ptr {holder}", "ptr null"))
        self._require_found(found)
        self._has_items(found, attributes.expected)

    def _made_of(self, made: MadeOf) -> None:
        objects = self.objects
        holder = objects.object(made.function)
        for get, value in (("Code", made.code), ("Defaults", made.defaults), ("KwDefaults", made.named)):
            found = objects.call("ptr", f"PyFunction_Get{get}", f"ptr {holder}")
            if value is None:
                self._require_equal("ptr", found, "null")
            else:
                self.require(objects.is_object(found, value))
                if value is made.named:
                    self._has_items(found, made.expected)

    def _has_items(self, found: str, expected: tuple[tuple[str, Any], ...]) -> None:
        """Require that a dictionary has these items and no others."""
        objects = self.objects
        size = objects.call("i64", "PyDict_Size", f"ptr {found}")
        self._require_equal("i64", size, len(expected))
        for name, value in expected:
            item = objects.call("ptr", "PyDict_GetItemWithError", f"ptr {found}", f"ptr {objects.object(name)}")
            self.require(objects.is_object(item, value))

    # --- numbers

    def replay(self, steps: list[Step]) -> None:
        """Python's arithmetic of the numbers, and what is required of them."""
        inputs = iter(self._numbers)
        self._steps = steps
        for step in steps:
            if step.function is None:
                found = next(inputs)
            else:
                found = self._python(step.function, list(step.operands))
                self._require_found(found)
                self.require(self.objects.is_of(found, step.kind))
            self.positions.append(found)
            self._expected(step, len(self.positions) - 1)
        if next(inputs, None) is not None:
            raise Unsupported("numbers that no program takes")

    def _python(self, function: Any, operands: list[Any]) -> str:
        """What a Python function gives, or null."""
        given = [self.positions[o.number] if isinstance(o, Position) else self.objects.object(o) for o in operands]
        return self.objects.ask(function, given)

    def _expected(self, step: Step, position: int) -> None:
        if step.limits is not None:
            word = self.word(position)
            for order, limit in zip(("sge", "sle"), step.limits, strict=True):
                self.require(self.code.emit(f"icmp {order} i64 {word}, {limit}"))
        if not step.fixed:
            return
        value = step.fixed[0]
        if type(value) is bool:
            self.require(self.objects.is_object(self.positions[position], value))
        elif type(value) is int and -(2**63) <= value < 2**63:
            self._require_equal("i64", self.word(position), value)
        elif type(value) is float and value == value:
            bits = self.code.emit(f"bitcast double {self.word(position)} to i64")
            self._require_equal("i64", bits, int(np.float64(value).view(np.int64)))
        else:
            raise Unsupported("a number is fixed that is compared by its text")

    def word(self, position: int) -> str:
        """A number in a register."""
        if position not in self._words:
            found, kind = self.positions[position], self._steps[position].kind
            if kind is int:
                over = self.code.alloca("i32")
                value = self.objects.call("i64", "PyLong_AsLongLongAndOverflow", f"ptr {found}", f"ptr {over}")
                self._require_equal("i32", self.code.emit(f"load i32, ptr {over}"), 0)
            elif kind is float:
                value = self.objects.call("double", "PyFloat_AsDouble", f"ptr {found}")
            else:
                raise Unsupported(f"a {kind.__name__} as one word")
            self._words[position] = value
        return self._words[position]

    def store(self, position: int, dtype: np.dtype[Any], place: str) -> None:
        """Write a number to memory as NumPy has it."""
        code, kind = self.code, self._steps[position].kind
        if kind is complex and dtype.kind == "c" and part(dtype).itemsize == 8:
            for name, at in (("PyComplex_RealAsDouble", 0), ("PyComplex_ImagAsDouble", 8)):
                value = self.objects.call("double", name, f"ptr {self.positions[position]}")
                code.do(f"store double {value}, ptr {code.emit(f'getelementptr i8, ptr {place}, i64 {at}')}")
        elif (kind, dtype.kind, dtype.itemsize) in ((int, "i", 8), (float, "f", 8)):
            code.do(f"store {stored(dtype)} {self.word(position)}, ptr {place}")
        else:
            raise Unsupported(f"a {kind.__name__} as {dtype}")
