"""What an accelerated call gives back: results, changed arguments, changed lists, dicts and objects.

`Outcome` describes it once for a traced function: which values have to be computed, and how results are built of them.
Arrays that shared memory in the traced program share memory in what the caller gets.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any
from weakref import proxy

import numpy as np

from lazyarr import streams, views
from lazyarr.array import Cell, LazyArray, rebuild
from lazyarr.computed import ComputedScalar, computed, number_of
from lazyarr.evaluations import own
from lazyarr.growing import Growing, elements_of, row_types
from lazyarr.ir import extents
from lazyarr.ir.extents import Length
from lazyarr.ir.graph import CheckFailed
from lazyarr.ir.node import Value
from lazyarr.leaves import Leaf
from lazyarr.runtime import NotCaptured, evaluate
from lazyarr.shown import path
from lazyarr.soft import settle
from lazyarr.tracing.bound import Wraps
from lazyarr.tracing.callers import alter, held, owned, replace_contents, snapshot, viewed, write
from lazyarr.tracing.capture.truth import Truth
from lazyarr.tracing.classes import original
from lazyarr.tracing.handed_out import is_taken_apart, taken_apart
from lazyarr.tracing.remains import Walk
from lazyarr.tracing.scalars import TracedScalar
from lazyarr.tracing.signature import Parts, Plain
from lazyarr.tracing.strict import Kept
from lazyarr.tracing.trace import Trace
from lazyarr.windows import Placed, Window

Spec = tuple[Any, ...]


class Outcome:
    """How to build what a call gives back.

    Parameters
    ----------
    trace : Trace
        The finished trace.
    result : object
        What the traced function returned.

    Attributes
    ----------
    roots : list of Value
        What has to be computed; data comes in this order.
    orders : list of tuple of int
        The order of each root's axes in memory.
    altered : list of (int, tuple, dtype, bool)
        Arrays of the call that get another shape, dtype or writeability.
    lazy_out : bool
        Whether arrays of the result are lazy, as an argument is.
    """

    def __init__(self, trace: Trace, result: Any):
        self._trace = trace
        trace.drawing.refresh()
        self.roots: list[Value] = []
        self.orders: list[tuple[int, ...]] = []
        self._scalars: list[bool] = []
        self._cells: dict[Cell, int] = {}
        if any(lazy._form is None and lazy.shape != np.shape(original) for original, lazy, _ in trace.bases):
            raise Plain("an argument is resized in place")
        self.altered = [
            (k, lazy.shape, lazy.dtype, lazy._writeable)
            for k, (lazy, given) in enumerate(zip(trace.arrays, trace.parts.arrays, strict=True))
            if isinstance(given, np.ndarray) and trace.parts.lazy[k] is None
            and (lazy._form is not None or lazy._writeable != given.flags.writeable)
        ]  # fmt: skip
        self._inputs = {lazy._cell: k for k, (_, lazy, _) in enumerate(trace.bases)}
        self._arguments = {id(x): k for k, x in enumerate(trace.arrays)}
        self._holders = {id(new): k for k, (_, new, _) in enumerate(trace.shadowed)}
        stores = trace.environment.stores() + trace.classes.stores()
        self._shared, self._twice = self._seen_twice([result, *(value for _, value in stores)])
        self.lazy_out = any(x is not None for x in trace.parts.lazy)
        #: What stands for other values in containers that are not described: it, and what it stands for.
        self._standing: dict[int, tuple[Any, Spec]] = {}
        #: Objects that the function has made: the class and the attributes of each, and itself.
        self.objects: list[tuple[type, list[tuple[str, Spec]]]] = []
        self._made: dict[int, tuple[Any, int]] = {}
        self._instances: list[Any] = []
        #: Lists and dicts that the function has made, and that are met more than once: what each is made of.
        self.lists: list[Spec] = []
        self._numbers: dict[int, tuple[Any, int]] = {}
        #: Arrays, and the spec of each: one array is built once.
        self._arrays: dict[int, tuple[LazyArray, Spec]] = {}
        self._looked = Walk(self._note_standing, trace.parts.opens, trace.parts.holders)
        for container in trace.parts.opaque:
            self._looked.root(container)
        self.result = self._spec(result)
        self.effects = self._effects()
        self.stores = [(setter, self._spec(value)) for setter, value in stores]
        if self.stores:
            trace.observed("assigns to a global or an enclosing variable")
        self.mutated = [
            (k, self._root(lazy._stored(), original.strides))  # (`altered` comes after it.)
            for k, (original, lazy, before) in enumerate(trace.bases)
            if lazy._cell.value.node is not before
        ]
        self._count = len(trace.shadowed)

    def forget(self) -> None:
        """Let go of the traced call's values."""
        self.roots = []
        tables: list[Any] = [self._cells, self._inputs, self._arguments, self._holders, self._standing, self._made]
        for table in (*tables, self._numbers, self._arrays, self._instances):
            table.clear()
        del self._looked
        self._shared, self._twice = set(), set()

    # -- describing ----------------------------------------------------------------------------------------

    def _seen_twice(self, found: list[Any]) -> tuple[set[Cell], set[int]]:
        """The storage, and the lists and dicts, that are met more than once in what the call gives and changes."""
        counts: dict[Cell, int] = {}
        times: dict[int, int] = {}

        def visit(value: Any) -> None:
            if isinstance(value, LazyArray):
                counts[value._cell] = counts.get(value._cell, 0) + 1
            elif isinstance(value, (tuple, frozenset)):
                for item in value:
                    visit(item)
            elif isinstance(value, (list, dict)):
                times[id(value)] = times.get(id(value), 0) + 1
                if times[id(value)] == 1:
                    for item in chain(value, value.values()) if isinstance(value, dict) else elements_of(value):
                        visit(item)
            elif self._trace.classes.is_made(value):
                visit(vars(value))
            elif isinstance(value, types.MethodType):
                visit(value.__self__)

        for value in found:
            visit(value)
        for _, new, _ in self._trace.shadowed:
            visit(new if isinstance(new, list) else held(new))
        return {cell for cell, n in counts.items() if n > 1}, {at for at, n in times.items() if n > 1}

    def _root(self, value: Value, strides: Sequence[int]) -> int:
        """Number of the root that computes `value`, its axes in the order they have in memory."""
        order = tuple(sorted(range(len(strides)), key=lambda axis: -abs(strides[axis])))
        self.roots.append(views.transpose(value, order))
        self.orders.append(order)
        return len(self.roots) - 1

    def _spec(self, value: Any) -> Spec:
        if id(value) in self._standing:
            return ("standing", value)
        if isinstance(value, LazyArray):
            if id(value) not in self._arrays:
                self._arrays[id(value)] = value, self._array(value)
            return self._arrays[id(value)][1]
        if type(value) is TracedScalar:
            return ("scalar", value._position)
        if isinstance(value, Length):
            value = computed(number_of(value.scalar, 0, value.bound))
        if type(value) is Truth:
            raise NotCaptured("the value of `and` or `or` of two kinds of operands")
        if type(value) is ComputedScalar:
            settle(value)
            return ("number", self._root(value.value, ()), value.kind)
        holder = self._holders.get(id(value))
        if holder is not None:
            return ("holder", holder)
        if id(value) in self._twice and (type(value) in (list, dict) or isinstance(value, Growing)):
            return self._once(value)
        return self._content(value)

    def _once(self, value: Any) -> Spec:
        """The spec of a list or dict that is met more than once, also within itself."""
        if id(value) not in self._numbers:
            self._numbers[id(value)] = (value, len(self.lists))
            self.lists.append(())
            self.lists[self._numbers[id(value)][1]] = self._content(value)
        return ("once", type(value) is dict, self._numbers[id(value)][1])

    def _content(self, value: Any) -> Spec:
        kind = type(value)
        if isinstance(value, Growing):
            return self._grown(value, tuple(self._spec(item) for item in elements_of(value)))
        if kind is list or kind is tuple:
            return (kind, tuple(self._spec(item) for item in value))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return ("namedtuple", kind, tuple(self._spec(item) for item in value))
        if kind is dict:
            items = tuple((self._key(key), self._spec(item)) for key, item in value.items())
            return ("keyed" if any(_is_of_made(key) for key, _ in items) else kind, items)
        stream = self._trace.drawing.outlives(value)
        if stream is not None:
            self._trace.observed("a stream of random numbers outlives the call")
            given, state = stream
            return ("constant", given) if state is None else ("stream", given, self._spec(state))
        known = self._trace.environment.original(original(value) if isinstance(value, type) else value)
        if isinstance(value, type) or known is not value:
            return ("constant", known)
        if kind is types.MethodType:
            function = self._trace.environment.original(value.__func__)
            if function is not value.__func__:
                return ("method", function, self._spec(value.__self__))
        if issubclass(kind, (bool, int, float, complex, str, bytes, type(None), np.dtype, np.generic)):
            return ("constant", value)
        if isinstance(value, Wraps) and not self._trace.environment.has_made(value.function):
            return ("constant", value)
        if self._trace.classes.is_made(value):
            return self._object(value)
        function = value.function if isinstance(value, Wraps) else value
        if self._trace.may_begin_again and self._trace.environment.has_made(function):
            raise Plain("a function that it has made outlives the call")
        if is_taken_apart(value, self._trace.parts.opaque, self._trace.may_begin_again):
            make, parts = taken_apart(value)
            return ("handed out", make, tuple(map(self._spec, parts)))
        self._trace.observed(f"returns a {kind.__name__} made while it ran")
        has_attributes = type(getattr(value, "__dict__", None)) is dict  # (of ``list[int]`` it is that of the class)
        if has_attributes and not isinstance(value, (types.FunctionType, types.ModuleType)):
            attributes = tuple((name, self._spec(item)) for name, item in vars(value).items())
            self._looked.value(value)
            return ("object", value, attributes)
        self._looked.value(value)
        return ("opaque", value)

    def _object(self, value: Any) -> Spec:
        """The spec of an object that the function has made, of a class whose objects have attributes alone."""
        if id(value) not in self._made:
            attributes: list[tuple[str, Spec]] = []
            self._made[id(value)] = (value, len(self.objects))
            self.objects.append((original(type(value)), attributes))
            self._instances.append(value)
            attributes += [(name, self._spec(item)) for name, item in vars(value).items()]
        return ("made", self._made[id(value)][1])

    def the_object(self, number: int) -> Any:
        """The object that the function itself made, where it ran in pieces: others may have got it, too."""
        return self._instances[number] if self._trace.reasons and self._instances else None

    def _stands(self, value: Any) -> bool:
        """Whether something is not the caller's, but stands for it."""
        if type(value) in (TracedScalar, ComputedScalar, Length, Truth) or id(value) in self._holders:
            return True
        if self._trace.environment.original(value) is not value or self._trace.drawing.outlives(value) is not None:
            return True
        if isinstance(value, type):
            return original(value) is not value
        # (Where the caller has lazy arrays, one may be the caller's.)
        return isinstance(value, Growing) or isinstance(value, LazyArray) and not self.lazy_out

    def _note_standing(self, value: Any) -> Any:
        if self._stands(value) and id(value) not in self._standing:
            self._standing[id(value)] = (value, self._spec(value))
        return value

    def _key(self, key: Any) -> Spec:
        """The spec of a key of a dict."""
        if type(key) in (tuple, frozenset):
            return (type(key), tuple(self._key(item) for item in key))
        described = self._stands(key) or self._trace.classes.is_made(key)
        return self._spec(key) if described else ("constant", key)

    def _grown(self, found: Growing, first: tuple[Spec, ...]) -> Spec:
        """A list, of which `first` describes the elements, and rows the items after them."""
        buffer = found.buffer
        if buffer is not None:
            slots = [self._root(rows._value(), rows.strides) for rows in buffer.used()]
            # (Where items are taken out, those from before are numbers, and in the rows like the others.)
            return ("grown", () if buffer.pops else first, slots, buffer.form)
        columns = [([self._root(x._value(), x.strides) for x in c.rows], c.form, c.known) for c in found.columns]
        return ("rows", first, tuple(columns))

    def _array(self, array: LazyArray) -> Spec:
        argument = self._arguments.get(id(array))
        if argument is not None:
            return ("argument", argument)
        steps, at = path(array if array._form is None else array._form)
        source = self._inputs.get(array._cell)
        placed_by_data = any(isinstance(step, (views.Dynamic, Window)) for step in steps)
        if source is not None and not (placed_by_data and array._scalar):
            return ("view", "input", source, *self._chain(steps), array._writeable)
        if array._cell in self._shared and not array._scalar:
            slot = self._cells.get(array._cell)
            if slot is None:
                slot = self._cells[array._cell] = self._root(at._value(), at.strides)
            return ("view", "root", slot, *self._chain(steps), array._writeable)
        slot = self._root(array._value(), array.strides)
        settle(array)
        return ("scalar array", slot) if array._scalar else ("array", slot, array._writeable)

    def _chain(self, steps: list[views.Step]) -> tuple[tuple[views.Step | Placed, ...], tuple[int, ...]]:
        """The steps to a view, which come last first, and the roots that are the numbers of those that data places."""
        chain: list[views.Step | Placed] = []
        slots: list[int] = []
        for step in reversed(steps):
            if isinstance(step, (views.Dynamic, Window)):
                chain.append(Placed(step.dims))
                slots += [self._root(number, ()) for number in step.scalars]
            elif isinstance(step, views.Reshape) and not extents.is_static(step.shape):
                chain.append(_of_any_length(step))
            elif slots and not extents.is_static(getattr(step, "shape", ())):
                raise NotCaptured("a view of which data decides place and length, and that has another shape then")
            else:
                chain.append(step)
        return tuple(chain), tuple(slots)

    def _effects(self) -> list[tuple[int, Spec]]:
        """For each list, dict or object the function changed: its number and its new contents."""
        found = []
        for k, (_, new, before) in enumerate(self._trace.shadowed):
            if isinstance(new, Growing) and (new.columns or new.buffer is not None):
                first = tuple(self._kept(k, i, item, before) for i, item in enumerate(elements_of(new)))
                found.append((k, ("built", self._grown(new, first))))
                continue
            if isinstance(new, list):
                if len(new) != len(before) or any(a is not b for a, b in zip(new, before, strict=True)):
                    found.append((k, ("list", tuple(self._kept(k, i, item, before) for i, item in enumerate(new)))))
                continue
            now = held(new)
            if now.keys() != before.keys() or any(now[name] is not before[name] for name in now):
                items = tuple((self._key(name), self._kept(k, name, item, before)) for name, item in now.items())
                found.append((k, ("dict", items)))
        return found

    def _kept(self, holder: int, key: Any, item: Any, before: Any) -> Spec:
        """The spec of an element; one that was there before is taken from where it was."""
        if isinstance(item, (bool, int, type(None), str)):
            return self._spec(item)
        places = enumerate(before) if isinstance(before, list) else before.items()
        for place, old in places:
            if old is item:
                return ("kept", holder, self._trace.environment.original(place))
        return self._spec(item)

    # -- building ------------------------------------------------------------------------------------------

    def build(self, parts: Parts, data: Sequence[Any], scalars: Sequence[Any]) -> Any:
        """Write what changed, then give the result.

        Parameters
        ----------
        parts : Parts
            Of the call.
        data : sequence of array
            One a root.
        scalars : sequence
            Values of the tape's positions.
        """
        builder = _Builder(self, parts, [owned(d, o) for d, o in zip(data, self.orders, strict=True)], scalars)
        before = [snapshot(holder) for holder in parts.holders[: self._count]]
        builder.before = before
        contents = [(k, builder.contents(spec)) for k, spec in self.effects]
        stores = [(setter, builder.build(spec)) for setter, spec in self.stores]
        for k, slot in self.mutated:
            write(builder.base(k), builder.data[slot])
        if parts.streams:
            changed = {self._trace.base_places[k] for k, _ in self.mutated}
            for stream, place in parts.streams:
                if place in changed:
                    streams.put_words(stream, parts.arrays[place])
        result = builder.build(self.result)
        builder.fill()
        for k, shape, dtype, writeable in self.altered:
            alter(parts.arrays[k], shape, dtype, writeable)
        for k, new in contents:
            replace_contents(parts.holders[k], new)
        for setter, value in stores:
            setter(value)
        for container in self._trace.parts.opaque if self._standing else ():
            builder.walk.root(container)
        builder.fill()
        return result


def leave_behind(trace: Trace, args: Any, kwargs: Any) -> None:
    """After an error that follows effects: what was done outside of the arguments stays done; those are as before."""
    kept = Kept([args, kwargs])
    try:
        outcome = Outcome(trace, None)
        data = evaluate(outcome.roots)
        stored = [root.node.data for root in outcome.roots if isinstance(root.node, Leaf)]
        outcome.build(trace.parts, own(data, stored), trace.tape.values)
    except (Plain, NotCaptured, CheckFailed):
        trace.classes.undo()
    finally:
        kept.restore()


class _Builder:
    """Builds the values of one call."""

    def __init__(self, outcome: Outcome, parts: Parts, data: list[Any], scalars: Sequence[Any]):
        self._outcome = outcome
        self._parts = parts
        self.data = data
        self._scalars = scalars
        self._roots: dict[int, LazyArray] = {}
        self.before: list[Any] = []
        self._built: dict[int, Any] = {}
        self._objects: dict[int, Any] = {}
        self._lists: dict[int, Any] = {}
        self._views: dict[int, Any] = {}
        #: Dicts whose keys are hashed when the objects among them have their attributes, and what they are to hold.
        self._unfilled: list[tuple[dict[Any, Any], Spec]] = []
        me = proxy(self)  # (A reference in a circle would keep the results until garbage is collected.)
        self.walk = Walk(lambda value: me._instead(value), parts.opens, parts.holders)

    def _instead(self, value: Any) -> Any:
        """What comes in place of something in a container that is not described."""
        standing = self._outcome._standing.get(id(value))
        if standing is None:
            return value
        if id(value) not in self._built:
            self._built[id(value)] = self.build(standing[1])
        return self._built[id(value)]

    def base(self, k: int) -> Any:
        """The array behind input storage number `k`: an argument, or the memory a group of them spans."""
        from lazyarr.tracing.signature import common_memory

        place = self._outcome._trace.base_places[k]
        if isinstance(place, int):
            lazy = self._parts.lazy[place]
            return self._parts.arrays[place] if lazy is None else lazy
        return common_memory(self._parts.arrays, list(place))

    def contents(self, spec: Spec) -> Any:
        kind, items = spec
        if kind == "built":
            return self.build(items)
        if kind == "list":
            return [self.build(item) for item in items]
        return {self.build(name): self.build(item) for name, item in items}

    def build(self, spec: Spec) -> Any:
        """The value a spec describes."""
        kind = spec[0]
        if kind == "array":
            return self._finished(self.data[spec[1]], spec[2])
        if kind == "scalar array":
            found = self.data[spec[1]][()]
            return rebuild(np.asarray(found), True) if self._outcome.lazy_out else found
        if kind == "argument":
            lazy = self._parts.lazy[spec[1]]
            return self._parts.arrays[spec[1]] if lazy is None else lazy
        if kind == "view":
            if id(spec) not in self._views:
                self._views[id(spec)] = self._view(spec)
            return self._views[id(spec)]
        if kind == "scalar":
            return self._scalars[spec[1]]
        if kind == "number":
            return spec[2](self.data[spec[1]].item())
        if kind == "holder":
            return self._parts.holders[spec[1]]
        if kind == "kept":
            return self.before[spec[1]][spec[2]]
        if kind == "constant":
            return spec[1]
        if kind is dict:
            return {self.build(key): self.build(item) for key, item in spec[1]}
        if kind == "keyed":
            self._unfilled.append(({}, spec[1]))
            return self._unfilled[-1][0]
        if kind is list or kind is tuple or kind is frozenset:
            return kind(self.build(item) for item in spec[1])
        if kind == "rows":
            columns = [
                self._items(form, iter([self.data[slot] for slot in slots])) if known is None else known
                for slots, form, known in spec[2]
            ]
            return [*(self.build(item) for item in spec[1]), *chain.from_iterable(zip(*columns, strict=True))]
        if kind == "grown":
            items = self._items(spec[3], iter([self.data[slot] for slot in spec[2]]))
            return [*(self.build(item) for item in spec[1]), *items[len(spec[1]) :]]
        if kind == "namedtuple":
            return tuple.__new__(spec[1], [self.build(item) for item in spec[2]])
        if kind == "opaque" or kind == "standing":
            return self.walk.value(spec[1])
        if kind == "made":
            return self._object(spec[1])
        if kind == "stream":
            streams.put_words(spec[1], self.build(spec[2]))
            return spec[1]
        if kind == "once":
            return self._list(*spec[1:])
        if kind == "handed out":
            return spec[1]([self.build(item) for item in spec[2]])
        if kind == "method":
            return types.MethodType(spec[1], self.build(spec[2]))
        for name, item in spec[2]:
            spec[1].__dict__[name] = self.build(item)
        return self.walk.value(spec[1])

    def _object(self, number: int) -> Any:
        """An object of the user's, with its attributes; one that is met twice is one object."""
        if number not in self._objects:
            made, attributes = self._outcome.objects[number]
            found = self._objects[number] = self._outcome.the_object(number) or object.__new__(made)
            contents = {name: self.build(item) for name, item in attributes}
            found.__dict__.clear()
            found.__dict__.update(contents)
        return self._objects[number]

    def _list(self, is_dict: bool, number: int) -> Any:
        """A list or dict that is met more than once."""
        if number not in self._lists:
            found: Any = {} if is_dict else []
            self._lists[number] = found
            spec = self._outcome.lists[number]
            if spec[0] == "keyed":
                self._unfilled.append((found, spec[1]))
            elif is_dict:
                found.update(self.build(spec))
            else:
                found.extend(self.build(spec))
        return self._lists[number]

    def fill(self) -> None:
        """Put into dicts what they hold by objects that are complete now."""
        while self._unfilled:
            found, items = self._unfilled.pop()
            for key, item in items:
                found[self.build(key)] = self.build(item)

    def _items(self, form: Any, data: Iterator[Any]) -> list[Any]:
        """What a loop has appended to a list, of its rows."""
        if form[0] is tuple or form[0] is list:
            parts = [self._items(inner, data) for inner in form[1]]
            return [form[0](item) for item in zip(*parts, strict=True)]
        if form[0] == "rows":
            leaves = [[next(data) for _ in row_types(inner, 1) or ()] for inner in form[2]]
            trips = len(leaves[0][0])
            return [
                list(chain.from_iterable(zip(*(self._items(inner, iter([x[k] for x in each]))
                                               for inner, each in zip(form[2], leaves, strict=True)), strict=True)))
                for k in range(trips)
            ]  # fmt: skip
        rows = next(data)
        if form[0] == "number":
            return [form[1](x) for x in rows.tolist()]
        items = list(rows) if form[0] == "scalar" else [np.array(row, order="C") for row in rows]
        return [rebuild(np.asarray(x), form[0] == "scalar") for x in items] if self._outcome.lazy_out else items

    def _view(self, spec: Spec) -> Any:
        _, kind, source, chain, slots, writeable = spec
        array = self.base(source) if kind == "input" else self._root(source)
        numbers = [self.data[slot] for slot in slots]
        if isinstance(array, LazyArray):
            array = viewed(chain, array, *numbers)
            if not writeable and array._writeable:
                array = array.view()
                array._writeable = False
            return array
        array = viewed(chain, np.asarray(array), *numbers)
        if not writeable and array.flags.writeable:
            array = array.view()
            array.flags.writeable = False
        return rebuild(array.copy(order="K")) if self._outcome.lazy_out else array

    def _root(self, slot: int) -> Any:
        """The array of a root that results are views of: one lazy array, that they share storage."""
        if not self._outcome.lazy_out:
            return self.data[slot]
        if slot not in self._roots:
            self._roots[slot] = rebuild(self.data[slot])
        return self._roots[slot]

    def _finished(self, array: Any, writeable: bool) -> Any:
        if self._outcome.lazy_out:
            return rebuild(array)
        array = np.asarray(array)
        if not writeable:
            array.flags.writeable = False
        return array


def _of_any_length(step: views.Reshape) -> views.Reshape:
    """The same step for arrays of any length along the axis of which data decides it: axes of 1 come and go."""
    several = [[n for n in shape if type(n) is not int or n != 1] for shape in (step.base_shape, step.shape)]
    if several[0] != several[1] or sum(type(n) is not int for n in step.shape) != 1 or 0 in several[0]:
        raise NotCaptured("a view of which data decides the length, and that has another shape then")
    return views.Reshape((), tuple(n if type(n) is int else -1 for n in step.shape))


def _is_of_made(key: Spec) -> bool:
    """Whether a key is, or holds, an object that the function has made."""
    return key[0] == "made" or key[0] in (tuple, frozenset) and any(map(_is_of_made, key[1]))
