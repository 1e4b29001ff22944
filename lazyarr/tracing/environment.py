"""The world a traced function sees: its globals and closure with NumPy's names meaning lazyarr's.

The user's module is not changed. A traced function is a new function around the user's code, whose globals are a
dictionary that answers look-ups: NumPy becomes `lazyarr.numpy`, the module's own functions become traced ones, arrays
and numbers become inputs of the program. What it answered is remembered, so that a later call can see whether any of it
has changed.
"""

from __future__ import annotations

import builtins
import inspect
import random
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import streams
from lazyarr.dispatch import FUNCTIONS, UFUNCS, dispatched
from lazyarr.numpy._ufunc import Ufunc
from lazyarr.runtime import traced
from lazyarr.scipy import counterpart as of_scipy
from lazyarr.tracing.ahead import INTROSPECTING, copied, refused
from lazyarr.tracing.classes import is_data
from lazyarr.tracing.control.convert import converted_code
from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.foreign import Remembering, foreign, is_foreign, may_write, on_data, remembering
from lazyarr.tracing.globals import TracedGlobals, is_traced
from lazyarr.tracing.lookups import Attributes, Enclosing, Fixed, Global, MadeOf, Unchanged
from lazyarr.tracing.modules import PURE_MODULES, TracedModule
from lazyarr.tracing.packages import is_own, is_users, top_level
from lazyarr.tracing.scalars import python_call
from lazyarr.tracing.signature import Plain
from lazyarr.tracing.standins import class_for, class_of, is_instance, noting, numpy_module, numpys, on_attribute

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

#: Builtins that act on the world, or look into it.
_ACTING = {"print", "open", "input", "id", "next", "breakpoint", "__import__"}
#: Builtins of numbers that traced scalars take to the tape.
_NUMERIC = {"float", "int", "complex", "abs", "round", "pow"}
#: What an attribute or variable that has been deleted holds.
_GONE = object()
#: Methods of these are called of what stands for them.
_CONTAINERS = (list, dict, set, deque, np.ndarray)
#: Methods of what is written in C, with their object: ``lines.append``, ``table.__setitem__``.
_BOUND = (types.BuiltinFunctionType, types.MethodWrapperType)


def _is_call() -> bool:
    """Whether the look-up that runs now is of a name that is called at once (``float(x)``, not ``dtype=float``).

    CPython's LOAD_GLOBAL (3.11 to 3.13) says so in the low bit of its argument.
    """
    frame = sys._getframe(3)
    return bool(frame.f_code.co_code[frame.f_lasti + 1] & 1)


class Environment:
    """What one trace has seen of the world outside its arguments."""

    def __init__(self, trace: Trace):
        self._trace = trace
        self._functions: dict[types.FunctionType, types.FunctionType] = {}
        #: Functions that are being completed; and those that could not be, with those that they wait for.
        self._waiting: list[types.FunctionType] | None = None
        self._incomplete: dict[types.FunctionType, list[types.FunctionType]] = {}
        #: What stands for default arguments and the like, by the identity of each.
        self._fixed: dict[int, tuple[Any, Any]] = {}
        self._globals: dict[int, TracedGlobals] = {}
        self._cells: list[tuple[types.CellType, types.CellType, Any]] = []
        #: What stands for each enclosing variable, by its identity; `_cells` has those that are known.
        self._enclosing: dict[int, types.CellType] = {}
        #: Traced functions, whose attributes they stand for, and what those were.
        self._attributes: list[tuple[Any, Any, dict[str, Any]]] = []
        self._answers: dict[tuple[int, str], Any] = {}
        self._modules: dict[str, Any] = {}
        #: What stands for something of the user's, by its identity, and that.
        self._originals: dict[int, tuple[Any, Any]] = {}
        #: What of the user's may be among what the call leaves, or was found where nothing is expected to be as it
        #: was: nothing else may stand for it. By its identity.
        self.alone: set[int] = set()
        #: What stands for functions that are not traced, by the identity of each.
        self._single: dict[int, tuple[Any, Any]] = {}
        #: Whether `lazyarr.numpy` stands for NumPy.
        self._sees_numpy = False
        #: Functions whose loops stay in Python because their source is not known, and why.
        self.unconverted: dict[str, str] = {}

    # -- functions -----------------------------------------------------------------------------------------

    def traced(self, function: types.FunctionType) -> types.FunctionType:
        """`function` with this environment as its world."""
        found = self._functions.get(function)
        if found is None:
            if (why := refused(function.__code__)) and self._trace.may_begin_again:
                raise Plain(why)
            module = self.globals_of(function.__globals__)
            module.give_to_classes(function.__code__)
            # (Functions of one closure share its variables.)
            cells = tuple(self._enclosing.setdefault(id(c), types.CellType()) for c in function.__closure__ or ())
            found = self._functions[function] = self._transformed(function, module, cells)
            self._originals[id(found)] = found, function
            found.__qualname__, found.__module__ = function.__qualname__, function.__module__
            found.__doc__, found.__annotations__ = function.__doc__, function.__annotations__
            found.__dict__.update(self._attributes_of(function, function.__dict__))
            self._attributes.append((function, found, dict(found.__dict__)))
            self._trace.expect_equal(Attributes(function))
            self._trace.expect_equal(MadeOf(function))
            self._complete([function])
        elif function in self._incomplete:
            self._complete(self._incomplete[function])
        return found

    def _complete(self, waiting: list[types.FunctionType]) -> None:
        """Give traced functions, and those that are reached by that, what the functions themselves have.

        Where the loop that is captured cannot be, one that has not got it keeps what reaches it from being used: they
        are completed when one of them is asked for again. (They stay the same functions: others may refer to them.)
        """
        if self._waiting is not None:
            self._waiting += (f for f in waiting if f not in self._waiting)
            return
        self._waiting, reached = waiting, list(waiting)
        try:
            while waiting:
                self._give(waiting[0], self._functions[waiting[0]])
                reached.append(waiting.pop(0))
        finally:
            self._waiting = None
            for function in (*reached, *waiting):
                if waiting:
                    self._incomplete[function] = waiting
                else:
                    self._incomplete.pop(function, None)

    def _give(self, function: types.FunctionType, found: types.FunctionType) -> None:
        """Give a traced function what it is called with, and what its enclosing variables hold."""
        found.__defaults__ = _each(self._default, function.__defaults__)
        if function.__kwdefaults__:
            found.__kwdefaults__ = {k: self._default(v) for k, v in function.__kwdefaults__.items()}
        self._close(function)

    def _attributes_of(self, function: types.FunctionType, attributes: dict[str, Any]) -> dict[str, Any]:
        """What stands for attributes of a function: data of the user's that can be looked into is found outside."""
        if not is_users(function.__module__):
            return attributes
        return {
            name: self.fixed(x, f"the attribute {name!r}") if is_data(name, x) and self.can_take(x) else x
            for name, x in attributes.items()
        }

    def can_take(self, value: Any) -> bool:
        """Whether all of a value can be looked into, and shares no memory with what is known: nothing ends by that."""
        parts, thrown, own = copied(self._trace.parts), self._trace.thrown, traced.set(None)
        opaque = len(parts.opaque)
        try:
            _, shares = parts.describe_apart(value)
        except (Plain, RecursionError):
            self._trace.thrown = thrown
            return False
        finally:
            traced.reset(own)
        return len(parts.opaque) == opaque and not shares

    def globals_of(self, real: dict[str, Any]) -> TracedGlobals:
        """What stands for the globals of a module."""
        if id(real) not in self._globals:
            self._globals[id(real)] = TracedGlobals(self._trace, real)
        return self._globals[id(real)]

    def met(self, function: Any) -> Any:
        """What is called where a user's function was found in an object that is not looked into, or by `super`."""
        plain = function.__func__ if type(function) is types.MethodType else function
        if type(plain) is Remembering and plain is not function:
            return remembering(self._trace, plain, function.__self__)
        if type(plain) is not types.FunctionType:
            return self.one(function, lambda: foreign(self._trace, function)) if is_foreign(function) else function
        if is_traced(plain):
            return function
        self.alone.add(id(plain))
        if plain in FUNCTIONS:
            return dispatched(plain)  # (NumPy's other functions ask their arguments.)
        if not is_own(plain.__module__, self._trace.parts.package):
            return function
        return self.traced(plain) if plain is function else self.traced(plain).__get__(function.__self__)

    def _transformed(
        self, function: types.FunctionType, module: TracedGlobals, cells: tuple[types.CellType, ...]
    ) -> types.FunctionType:
        """`function` with its loops and branches handed to the trace, or as it is where its source is not known."""
        try:
            converted = converted_code(function)
        except NotConverted as reason:
            self.unconverted[function.__qualname__] = reason.reason
            return types.FunctionType(function.__code__, module, function.__name__, None, cells or None)
        named = dict(zip(function.__code__.co_freevars, cells, strict=True))
        return converted.function(module, named, self._trace.control, function.__name__)

    def functions(self) -> list[Any]:
        """The user's functions that are traced."""
        return list(self._functions)

    def known(self) -> dict[int, Any]:
        """The user's functions that are traced and their enclosing variables, by the identity of each."""
        return {id(part): part for f in self._functions for part in (f, *(f.__closure__ or ()))}

    def has_answered(self, real: dict[str, Any], name: str) -> bool:
        """Whether the traced function has come upon a global."""
        return (id(real), name) in self._answers

    def has_closed(self, cell: types.CellType) -> bool:
        """Whether a traced function has come upon an enclosing variable."""
        return any(real is cell for real, _, _ in self._cells)

    def ranges(self) -> list[tuple[str, int, int]]:
        """File, first and last line of each function that was traced."""
        return [
            (f.__code__.co_filename, f.__code__.co_firstlineno, _last_line(f.__code__)) for f in self._functions
        ]

    def written(self) -> tuple[Any, ...]:
        """What globals, enclosing variables and attributes of functions hold that the function has assigned to them."""
        names = {(id(m), name): id(value) for m in self._globals.values() for name, value in m.written().items()}
        cells = [id(_content_or_gone(cell)) for _, cell, before in self._cells if _content_or_gone(cell) is not before]
        return names, cells, [(id(found), name, id(value)) for _, found, name, value in self._set_attributes()]

    def _set_attributes(self) -> Iterator[tuple[Any, Any, str, Any]]:
        for holder, found, before in self._attributes:
            for name, value in found.__dict__.items():
                if name not in before or before[name] is not value:
                    yield holder, found, name, value
            for name in before.keys() - found.__dict__.keys():
                yield holder, found, name, _GONE

    def kept(self) -> Callable[[], None]:
        """What puts back what they hold now; those that are met later hold what they held in the beginning."""
        modules = {id(m): dict(m) for m in self._globals.values()}
        cells = {id(cell): _content_or_gone(cell) for _, cell, _ in self._cells}
        functions = {id(found): dict(found.__dict__) for _, found, _ in self._attributes}

        def restore() -> None:
            for module in self._globals.values():
                before = modules.get(id(module))
                if before is None:
                    before = {name: value for name, value in module.items() if name not in module.written()}
                for name in module.keys() - before.keys():
                    dict.__delitem__(module, name)
                for name, value in before.items():
                    dict.__setitem__(module, name, value)
            for _, cell, first in self._cells:
                content = cells.get(id(cell), first)
                if _content_or_gone(cell) is not content:
                    _attribute(cell, "cell_contents", content)[0](content)
            for _, found, given in self._attributes:
                found.__dict__.clear()
                found.__dict__.update(functions.get(id(found), given))

        return restore

    def _default(self, value: Any) -> Any:
        return self.fixed(value, "a default argument")

    def fixed(self, value: Any, what: str) -> Any:
        """What stands for a value that is always this one: one for all that have it."""
        if id(value) not in self._fixed:
            self._fixed[id(value)] = value, self.answer(Fixed(value), what)
        return self._fixed[id(value)][1]

    def _close(self, function: types.FunctionType) -> None:
        known = {id(real) for real, _, _ in self._cells}
        for name, real in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if id(real) in known:
                continue
            cell = self._enclosing[id(real)]
            try:
                content = real.cell_contents
            except ValueError:
                self._cells.append((real, cell, _GONE))  # not assigned yet: the same NameError comes when it is read
                continue
            if name == "__class__":
                cell.cell_contents = content
            else:
                cell.cell_contents = self.answer(Enclosing(real), f"the variable {name!r}")
            self._cells.append((real, cell, cell.cell_contents))

    # -- look-ups ------------------------------------------------------------------------------------------

    def global_value(self, real: dict[str, Any], name: str) -> Any:
        """What a global name means in the traced program."""
        key = (id(real), name)
        if key not in self._answers:
            self._answers[key] = self.answer(Global(real, name), f"the global {name!r}")
        return self._answers[key]

    def builtin(self, name: str) -> Any:
        """A builtin; those that act on the world keep the function from being compiled as a whole."""
        try:
            value = getattr(builtins, name)
        except AttributeError:
            raise KeyError(name) from None
        if name in INTROSPECTING:
            raise Plain(f"it uses {name}")
        acting = self._acting(name, value)
        if acting is not None:
            return acting
        if name in _NUMERIC and _is_call():
            return python_call(value)
        if value is isinstance and _is_call():
            return is_instance
        return self.type_of if value is type and _is_call() else value

    def _acting(self, name: str, value: Any) -> Any:
        """What stands for a builtin that acts on the world; None for another."""
        if name in ("setattr", "delattr"):
            return self.one(value, lambda: partial(on_attribute, self._trace, value, name))
        if name in _ACTING and callable(value):
            return self.one(value, lambda: noting(self._trace, value, f"calls {name}()"))
        return None

    def type_of(self, *args: Any) -> Any:
        """``type(x)``; of an object that does not stand for another, the class is seen as it is elsewhere."""
        found = class_of(*args)
        return self._trace.classes.seen(found) if len(args) == 1 else found

    def answer(self, get: Callable[[], Any], what: str) -> Any:
        """The traced form of something found outside the arguments."""
        value = get()
        replaced = self.replaced(value, what, expected=True)
        if replaced is not None:
            self._trace.expect(get, value)
            return replaced
        return self._trace.outside(get, what)

    def replaced(self, value: Any, what: str, expected: bool = False) -> Any:
        """What stands for a function, module or class in the traced program; None for data.

        `expected`: later calls see whether there is another one in its place.
        """
        if not expected:
            self.alone.add(id(value))
        found = self._replacement(value, what)
        return None if found is None else self._stand(found, value)

    def _stand(self, found: Any, value: Any) -> Any:
        """Note what stands for something of the user's."""
        if found is not value:
            self._originals[id(found)] = found, value
        return found

    def one(self, value: Any, make: Callable[[], Any]) -> Any:
        """What stands for a function that is not traced: one, however often it is looked up."""
        if id(value) not in self._single:
            found = make()
            self._single[id(value)] = value, None if found is None else self._stand(found, value)
        return self._single[id(value)][1]

    def original(self, value: Any) -> Any:
        """What of the user's or NumPy's something stands for; else it itself."""
        known = self._originals.get(id(value))
        if known is not None:
            self.alone.add(id(known[1]))
            return known[1]
        return numpys().get(id(value), value) if self._sees_numpy else value

    def has_made(self, value: Any) -> bool:
        """Whether something is a function that the traced one has made, or runs in one: its world is the trace's."""
        if isinstance(value, types.GeneratorType):
            return value.gi_frame is not None and type(value.gi_frame.f_globals) is TracedGlobals
        return is_traced(value)

    def _replacement(self, value: Any, what: str) -> Any:
        if _package(value) == "jax":
            raise Plain("it calls jax, which takes no lazy arrays")
        if type(getattr(value, "__self__", None)) is random.Random:
            return self.one(value, lambda: self._trace.drawing.method(value))
        if isinstance(value, np.ufunc):
            return UFUNCS.get(value) or of_scipy(value) or value
        if isinstance(value, Ufunc):
            return value  # (of a program that imports `lazyarr.numpy`)
        if isinstance(value, types.ModuleType):
            return self._module(value)
        if isinstance(value, types.FunctionType) and value not in FUNCTIONS:
            if top_level(value.__module__) in ("numpy", "lazyarr"):
                return self._numpy_function(value)
            return of_scipy(value) or self._scipys(value) or self.traced(value)
        if isinstance(value, type):
            self.watch(value)
            named = self._trace.classes.named(value)
            if named is None:
                self._trace.takes_part(value)
            return named or class_for(value)
        if callable(value):
            return self._callable(value, what)
        return None

    def _scipys(self, value: Any) -> Any:
        """What stands for a Python function of SciPy; None for another.

        It is not traced: it hands arrays to compiled code, by attributes of NumPy's own, and writes to them.
        """
        ours = isinstance(value, types.FunctionType) and _package(value) == "scipy"
        return self.one(value, lambda: may_write(self._trace, value)) if ours else None

    def watch(self, kind: type) -> None:
        """Expect the attributes of the user's class, and of those it inherits from, to stay what they are."""
        for base in kind.__mro__:
            if is_users(base.__module__):
                self._trace.expect_equal(Unchanged(base))

    def _callable(self, value: Any, what: str) -> Any:
        from lazyarr.tracing.accelerated import Accelerated

        if isinstance(value, Accelerated):
            if not isinstance(value.function, types.FunctionType):
                return value
            found = self.traced(value.function)
            # What the user has set on the accelerated function, the function itself finds by its own name.
            found.__dict__.update(self._attributes_of(value.function, value.user_attributes()))
            self._attributes = [item for item in self._attributes if item[1] is not found]
            self._attributes.append((value, found, dict(found.__dict__)))
            self._trace.expect_equal(lambda: sorted((k, id(v)) for k, v in value.user_attributes().items()))
            return found
        if isinstance(value, types.MethodType):
            return None if isinstance(value.__func__, types.FunctionType) else self._compiled_method(value)
        if isinstance(value, partial):
            args = [self.answer(partial(_item, value.args, k), what) for k in range(len(value.args))]
            named = {k: self.answer(partial(_item, value.keywords, k), what) for k in value.keywords}
            if isinstance(value.func, types.MethodType) or is_users(type(value.func).__module__):
                return partial(self.answer(partial(getattr, value, "func"), what), *args, **named)
            inner = self.replaced(value.func, what)
            return partial(value.func if inner is None else inner, *args, **named)
        if isinstance(value, _BOUND) and isinstance(value.__self__, _CONTAINERS):
            return getattr(self.answer(partial(getattr, value, "__self__"), what), value.__name__)
        return self.one(value, lambda: self._untraced(value))

    def _untraced(self, value: Any) -> Any:
        """What stands for what is called as it is; None for data that can be called."""
        if isinstance(value, Remembering) and isinstance(getattr(value, "__wrapped__", None), types.FunctionType):
            return remembering(self._trace, value)
        compiled = of_scipy(value)
        if compiled is not None:
            return compiled
        module = top_level(getattr(value, "__module__", None))
        if module == "numpy" or top_level(type(value).__module__) == "numpy":
            return self._numpy_function(value)
        if is_foreign(value):
            return foreign(self._trace, value)
        if isinstance(value, types.BuiltinFunctionType):
            if module in ("math", "cmath"):
                return python_call(value)
            if hasattr(builtins, value.__name__) and getattr(builtins, value.__name__) is value:
                return self._acting(value.__name__, value) or value
            if module not in PURE_MODULES and module != "builtins":
                return noting(self._trace, value, f"calls {module}.{value.__name__}")
            return value
        return None

    def is_others(self, function: Any) -> bool:
        """Whether a function may draw where lazyarr does not see it: code of another package, or a stream's own."""
        stream = getattr(function, "__self__", None)
        if isinstance(stream, streams.CLASSES):
            return top_level(type(stream).__module__) in ("numpy", "random")
        plain = function.__func__ if type(function) is types.MethodType else function
        if isinstance(plain, type):
            plain = plain.__init__  # type: ignore[misc]
        elif type(plain) is not types.FunctionType:
            plain = inspect.getattr_static(type(plain), "__call__", None)
        if type(plain) is not types.FunctionType or is_traced(plain):
            return False
        return top_level(plain.__module__) not in ("numpy", "lazyarr", "jax", "jaxlib")

    def _compiled_method(self, value: Any) -> Any:
        """What stands for a method of compiled code; None for one that is found with its object."""
        if isinstance(value.__self__, streams.CLASSES):
            own = value is getattr(np.random, value.__name__, None)
            return self._numpy_function(value) if own else None
        return self.one(value, lambda: on_data(self._trace, value, f"calls {value.__name__}"))

    def _numpy_function(self, value: Any) -> Any:
        import lazyarr.numpy

        name = getattr(value, "__name__", "")
        for module in (np, np.linalg, np.fft, np.random):
            if getattr(module, name, None) is value:
                lazy = lazyarr.numpy if module is np else getattr(lazyarr.numpy, module.__name__.rpartition(".")[2])
                return getattr(lazy, name)
        if isinstance(getattr(value, "__self__", None), (np.random.RandomState, np.random.Generator)):
            return noting(self._trace, value, "draws random numbers")
        if isinstance(value, types.FunctionType) and value in FUNCTIONS:
            return dispatched(value)
        # (Of NumPy's other modules: NumPy itself hands lazy arrays to what stands for the function.)
        return value if isinstance(value, types.FunctionType) or value in FUNCTIONS else None

    def _module(self, module: types.ModuleType) -> Any:
        name = module.__name__
        if top_level(name) == "numpy":
            self._sees_numpy = True
            return numpy_module(name) or module
        found = self._modules.get(name)
        if found is None:
            found = self._modules[name] = TracedModule(self, module)
        return found

    # -- afterwards ----------------------------------------------------------------------------------------

    def stores(self) -> list[tuple[Callable[[Any], None], Any]]:
        """What the function assigned to globals and enclosing variables: a setter and the new value each."""
        found: list[tuple[Callable[[Any], None], Any]] = []
        for module in self._globals.values():
            for name, value in module.written().items():
                found.append((_setter(module.real, name), value))
        for real, cell, before in self._cells:
            after = _content_or_gone(cell)
            if after is not before:
                found.append(_attribute(real, "cell_contents", after))
        return found + [_attribute(holder, name, value) for holder, _, name, value in self._set_attributes()]


def _last_line(code: types.CodeType) -> int:
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    return max([last, *(_last_line(part) for part in code.co_consts if isinstance(part, types.CodeType))])


def _content_or_gone(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _GONE


def _item(container: Any, key: Any) -> Any:
    return container[key]


def _package(value: Any) -> str:
    """The top-level package a module, function or class comes from."""
    if isinstance(value, types.ModuleType):
        return top_level(value.__name__)
    return top_level(getattr(value, "__module__", None)) if callable(value) else ""


def _setter(real: dict[str, Any], name: str) -> Callable[[Any], None]:
    return lambda value: real.__setitem__(name, value)


def _attribute(holder: Any, name: str, value: Any) -> tuple[Callable[[Any], None], Any]:
    """What sets or deletes an attribute, and the value that it is given."""
    if value is _GONE:
        return (lambda _: delattr(holder, name)), None
    return partial(setattr, holder, name), value


def _each(function: Callable[[Any], Any], values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(function(v) for v in values)
