"""Lazy ufuncs: NumPy's calling convention, its dtype resolution (NEP 50), and its methods."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from lazyarr import soft, views, windows, world
from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.convert import PYTHON_SCALARS, as_lazy, as_mask, cast, scalar_as_lazy, scalar_value, weak_cast
from lazyarr.dispatch import NotCompiled, holds_lazy
from lazyarr.eager import Weight, is_little, weight
from lazyarr.fallback import run_as_numpy, run_in_numpy, run_on_constants
from lazyarr.ir import extents
from lazyarr.ir.node import Node, Value
from lazyarr.ir.op import Op
from lazyarr.ir.types import NAMES, WEAK, ArrayType
from lazyarr.leaves import Leaf, leaf
from lazyarr.little import elements as little_elements
from lazyarr.little import functions as little
from lazyarr.little.extension import begun
from lazyarr.numpy._ufunc_arguments import c_or_f, outputs, refuse_out, signature_asked
from lazyarr.ops.elementwise import ELEMENTWISE, SELECT
from lazyarr.others import NOBODY, by_ufunc
from lazyarr.quiet import heard, quietly
from lazyarr.runtime import add_check, record, record_all, record_node, record_pending, recording
from lazyarr.weak import WeakScalar

_NO_ATTRIBUTES: dict[str, Any] = {}
_COMPARISONS = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}


class Ufunc:
    """The lazy counterpart of a NumPy ufunc.

    Attributes
    ----------
    numpy : numpy.ufunc
        The ufunc itself; its attributes (``nin``, ``identity``, ``types``, ...) are this object's too.
    """

    #: Where it is called so.
    module = "numpy"

    def __init__(self, numpy: np.ufunc):
        self.numpy = numpy
        self.op: Op | None = ELEMENTWISE.get(numpy.__name__)
        self.__name__ = numpy.__name__
        self.__doc__ = numpy.__doc__
        self.nin, self.nout = numpy.nin, numpy.nout
        self._loops: dict[Any, tuple[np.dtype[Any], ...]] = {}
        #: Dtypes of the loops of plain calls, by the dtypes and Python's types of operands: the extension reads it.
        self.plain_loops: dict[Any, tuple[np.dtype[Any], ...]] = {}
        #: Ufuncs that look at the values of Python ints go the general way with most.
        self.looks_at_ints = numpy.__name__ in _COMPARISONS
        #: What an element costs, of ufuncs with one result.
        self._weight: Weight | None = None
        if self.op is not None and numpy.nout == 1 and numpy.nin <= 2:
            self._weight = weight(self.op)
        #: The same of those with two.
        self._pair_weight = weight(self.op) if self.op is not None and numpy.nout == 2 else None
        self._plain_enough = self._weight is not None
        #: Kinds of operands' dtypes of which calls are not plain: powers of integers look at the exponents.
        self._special = "biuc" if numpy.__name__ == "power" else "b"

    #: (``isinstance(np.add, np.ufunc)``)
    __class__ = property(lambda self: np.ufunc)
    def __repr__(self) -> str:
        return repr(self.numpy)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.numpy, name)

    def __reduce__(self) -> str | tuple[Any, ...]:
        return _by_ufunc, (self.numpy,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._weight is not None:
            found = None
            if len(args) == self.nin:
                if not kwargs:
                    found = little.call(self.numpy, args, self._weight)
                elif len(kwargs) == 1 and "out" in kwargs:
                    found = little.into(self.numpy, args, kwargs["out"], self._weight)
                elif len(kwargs) == 2 and "out" in kwargs and "where" in kwargs:
                    found = little.into(self.numpy, args, kwargs["out"], self._weight, kwargs["where"])
            elif len(args) == self.nin + 1 and not kwargs:
                found = little.into(self.numpy, args[:-1], args[-1], self._weight)
            if found is not None:
                return found
        elif self._pair_weight is not None and len(args) == self.nin and not kwargs:
            found = little.call(self.numpy, args, self._pair_weight)
            if found is not None:
                return found
        if getattr(recording().observer, "soft", None):
            soft.call(self, args, kwargs, operator=False)
        return self._certain(args, kwargs)

    def operator(self, *args: Any, **kwargs: Any) -> Any:
        """The call that an operator is: of Python numbers alone it would be Python's arithmetic."""
        if self._pair_weight is not None and (pair := little.call(self.numpy, args, self._pair_weight)) is not None:
            return pair
        if self._weight is not None and not kwargs and any(type(x) in (list, tuple) for x in args):
            found = little.call(self.numpy, args, self._weight)
            if found is not None:
                return found
        if getattr(recording().observer, "soft", None):
            found = soft.call(self, args, kwargs, operator=True)
            if found is not None:
                return soft.finished(self, args, self._call(*args), found)
        return self._certain(args, kwargs)

    def _certain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call with operands of known types."""
        is_heard = (kwargs or len(args) > self.nin) and heard.get() is not None
        if self._weight is not None and recording().at_once and len(args) == self.nin and not is_heard:
            found = self._at_once(args, kwargs)
            if found is not None:
                return found
        if not kwargs and self._plain_enough and len(args) == self.nin:
            found = self._plain(args)
            if found is not None:
                return found
        found = by_ufunc(self, "__call__", args, kwargs)
        if found is not NOBODY:
            return found
        if kwargs.get("out") is ...:
            # NumPy: an array also where it would be a scalar.
            found = self(*args, **{**kwargs, "out": None})
            return tuple(map(_no_scalar, found)) if isinstance(found, tuple) else _no_scalar(found)
        if self.op is None:
            return run_in_numpy(self.numpy, args, kwargs, f"{self.module}.{self.__name__} is not compiled")
        if is_heard:
            # (Here what `where` leaves out is computed, too, and would be heard of; and what raises is not written.)
            return run_as_numpy(self.numpy, args, kwargs)
        try:
            return self._call(*args, **kwargs)
        except NotCompiled as reason:
            return run_in_numpy(self.numpy, args, kwargs, f"{self.module}.{self.__name__}: {reason}")

    def _at_once(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LazyArray | None:
        """The call of NumPy's ufunc on little data that exists; None for any other call."""
        assert self._weight is not None
        data, shaped, most = [], False, 1
        for x in args:
            kind = type(x)
            if kind is LazyArray:
                node = x._value().node
                if type(node) is not Leaf or type(node.data) is not np.ndarray:
                    return None
                held = node.data
                if held.shape != x._shape or not is_little(held.size, self._weight.of(held.dtype)):
                    return None
                shaped = shaped or held.ndim > 0
                most *= held.size
                data.append(held)
            elif kind is float or kind is int:
                data.append(x)
            else:
                return None
        weight = self._weight.of(*[x.dtype for x in data if type(x) is np.ndarray])
        if not shaped or not (is_little(most, weight) or _gives_little(data, weight)):
            return None
        target = None
        if kwargs:
            # (Where types or shapes differ NumPy may refuse the call, before it looks at data.)
            target = _whole_target(kwargs)
            if target is None or any(
                type(x) is LazyArray and (x._dtype is not target._dtype or x._shape not in ((), target._shape))
                for x in args
            ):
                return None
        result = quietly(self.numpy, *data)
        world.done_at_once()
        if target is not None:
            if target._dtype is not result.dtype or target._shape != result.shape:
                return None
            target._assign(leaf(result, ArrayType(result.dtype, result.shape)))
            return target
        strides = kept_order(args, result.shape, result.itemsize) if result.ndim > 1 else None
        return LazyArray._new(leaf(result, ArrayType(result.dtype, result.shape)), strides)

    @property
    def recorder(self) -> Callable[..., LazyArray | None] | None:
        """What the extension calls with arrays and Python's numbers that are not little work, or not computed.

        It gives None where it has recorded nothing, for the call is not a plain one.
        """
        return self._plain_of_pending if self._plain_enough else None

    @property
    def writer(self) -> Callable[..., LazyArray | None] | None:
        """As `recorder`, of operators that write to their first operand."""
        return self._into_pending if self._plain_enough else None

    def _plain_of_pending(self, *args: Any) -> LazyArray | None:
        node = self._plain_node(tuple(map(scalar_as_lazy, args)), is_pending=True)
        # (Complex scalars are rounded otherwise by operators: `lazyarr.operators`.)
        if node is None or (not node.types[0].shape and node.types[0].dtype.kind == "c"):
            return None
        return _array_of(node, args)

    def _into_pending(self, target: LazyArray, *others: Any) -> LazyArray | None:
        node = self._plain_node((target, *map(scalar_as_lazy, others)), is_pending=True, into=target)
        if node is None or node.types[0].shape != target._shape:
            return None
        target._assign(Value(node, 0))
        return target

    def _plain(self, args: tuple[Any, ...]) -> LazyArray | None:
        """`_call` for lazy arrays, floats and ints where nothing is special; None where something is."""
        node = self._plain_node(args)
        return None if node is None else _array_of(node, args)

    def _plain_node(
        self, args: tuple[Any, ...], is_pending: bool = False, into: LazyArray | None = None
    ) -> Node | None:
        """What `_plain` records. `is_pending`: it is known that NumPy is not to do it at once.

        `into`: what it is to be written to; None where that cannot take it as it is.

        Most calls are of this kind, and a program records thousands of them: it is written for speed.
        """
        x = args[0]
        y = args[1] if len(args) == 2 else x
        kind_x, kind_y = type(x), type(y)
        if kind_x is LazyArray:
            dtype_x = x._dtype
        elif kind_y is LazyArray and (kind_x is float or (kind_x is int and self._takes(x, y))):
            dtype_x = kind_x
        else:
            return None
        if kind_y is LazyArray:
            dtype_y = y._dtype
        elif kind_y is float or (kind_y is int and self._takes(y, x)):
            dtype_y = kind_y
        else:
            return None
        loop = self.plain_loops.get((dtype_x, dtype_y))
        if loop is None:
            loop = self._loops.get((dtype_x, dtype_y, None) if len(args) == 2 else (dtype_x, None))
            if loop is None or loop[0].kind in self._special:
                return None
            self.plain_loops[dtype_x, dtype_y] = loop
        if into is not None and (into._dtype is not loop[-1] or into._scalar or not into._writeable):
            return None
        value = x._value() if kind_x is LazyArray else scalar_value(x, loop[0])
        if value.node.types[value.index].dtype is not loop[0]:
            value = cast(value, loop[0])
        if len(args) == 1:
            operands: tuple[Value, ...] = (value,)
        else:
            other = y._value() if kind_y is LazyArray else scalar_value(y, loop[1])
            if other.node.types[other.index].dtype is not loop[1]:
                other = cast(other, loop[1])
            if kind_x is kind_y and x._shape != y._shape and not (
                extents.is_static(x._shape) and extents.is_static(y._shape)
            ):
                return None
            operands = (value, other)
        assert self.op is not None
        return record_pending(self.op, operands) if is_pending else record_node(self.op, operands, _NO_ATTRIBUTES)

    def _takes(self, number: int, array: Any) -> bool:
        """Whether an array's dtype takes a Python int as it takes other numbers; in comparisons: whether it has it."""
        return not self.looks_at_ints or (0 <= number < 128 and array.dtype.kind in "iuf")

    def _call(
        self, *args: Any, out: Any = None, where: Any = True, casting: str = "same_kind", order: str = "K",
        dtype: Any = None, signature: Any = None, sig: Any = None, subok: bool = True,
    ) -> Any:  # fmt: skip
        nin, nout = self.nin, self.nout
        if len(args) > nin:
            if out is not None:
                raise TypeError("cannot specify 'out' as both a positional and keyword argument")
            if len(args) > nin + nout:
                raise TypeError(f"{self.__name__}() takes from {nin} to {nin + nout} positional arguments but "
                                f"{len(args)} were given")
            out = tuple(args[nin:]) + (None,) * (nin + nout - len(args))
        elif len(args) < nin:
            raise TypeError(f"{self.__name__}() takes from {nin} to {nin + nout} positional arguments but "
                            f"{len(args)} were given")
        as_array = out is Ellipsis  # NumPy 2.3: an array where the result would be a scalar
        outs = outputs(None if as_array else out, nout)
        if out is None and all(type(x) in PYTHON_SCALARS or issubclass(type(x), np.generic) for x in args):
            options = {"where": where, "casting": casting, "order": order, "dtype": dtype,
                       "signature": sig if signature is None else signature}  # fmt: skip
            if not holds_lazy(where):
                return run_on_constants(self.numpy, args, {k: v for k, v in options.items() if v is not None})
        inputs = [operand(x) for x in args[:nin]]
        if any(isinstance(x, LazyArray) and not extents.is_static(x._shape) for x in (*inputs, *outs)):
            inputs = agreed(inputs, outs)
        if signature is None:
            signature = sig
        loop = self._resolve(inputs, outs, dtype, signature, casting)
        bounds = self._beyond_range(inputs, loop)
        shapes = [x.shape if isinstance(x, LazyArray) else () for x in inputs]
        values = [None] * nin if bounds is not None else [
            loop_value(x, d) for x, d in zip(inputs, loop, strict=False)
        ]  # fmt: skip
        shape = self._shape(shapes, outs)
        mask = None if where is True else as_mask(where)._value()
        if mask is not None:
            shape = extents.broadcast(shape, mask.type.shape)
            if any(o is not None and o.shape != shape for o in outs):
                refuse_out(next(o for o in outs if o is not None).shape, shape)
        if bounds is not None:
            results: tuple[Value, ...] = (views.broadcast(scalar_value(bounds, np.dtype(bool)), shape),)
        else:
            exponent: Any = values[1] if mask is not None and self.__name__ == "power" else None
            if exponent is not None and exponent.type.dtype.kind == "i":
                # Exponents that are left out may be anything: NumPy looks at the others alone.
                zero = scalar_value(0, exponent.type.dtype)
                chosen: Any = record(SELECT, mask, exponent, zero)  # type: ignore[arg-type]
                values = [values[0], chosen]
                inputs = [inputs[0], None]
            self.check_domain(values, inputs)
            results = self._recorded(values)
        scalar = shape == () and mask is None and not as_array
        given = [(x.shape, x.strides) for x in inputs if isinstance(x, LazyArray)]
        if order not in ("K", "C"):
            order = c_or_f(order, [x for x in inputs if isinstance(x, LazyArray)])
        finished = [
            self._finish(r, o, shape, mask, scalar, given, order) for r, o in zip(results, outs, strict=True)
        ]
        return finished[0] if nout == 1 else tuple(finished)

    def _recorded(self, values: Sequence[Any]) -> tuple[Value, ...]:
        """The results for operands of the dtypes of a loop."""
        assert self.op is not None
        return record_all(self.op, *values)

    def _resolve(
        self, inputs: Sequence[Any], outs: Sequence[LazyArray | None], dtype: Any, signature: Any, casting: str
    ) -> tuple[np.dtype[Any], ...]:
        """Dtypes of the loop NumPy would run: inputs, then outputs."""
        kinds = [kind_of(x) for x in inputs]
        key = (*kinds, *(None if o is None else o.dtype for o in outs))
        plain = dtype is None and signature is None and casting == "same_kind"
        if plain:
            found = self._loops.get(key)
            if found is not None:
                return found
        asked = signature_asked(self, dtype, signature)
        if all(isinstance(k, type) for k in kinds):
            # NumPy resolves Python scalars alone as arrays of their default dtypes.
            kinds = [np.asarray(x).dtype if type(x) in PYTHON_SCALARS else WEAK[k]
                     for x, k in zip(inputs, kinds, strict=True)]  # fmt: skip
        loop: tuple[np.dtype[Any], ...] = self.numpy.resolve_dtypes(
            (*kinds, *(None if o is None else o.dtype for o in outs)),
            casting=casting,  # type: ignore[arg-type]
            **({} if asked is None else {"signature": asked}),
        )  # fmt: skip
        if any(d not in NAMES for d in loop):
            raise NotCompiled(f"dtype {next(d for d in loop if d not in NAMES)}")
        if plain:
            self._loops[key] = loop
        return loop

    def loop_of(self, kinds: Sequence[Any]) -> tuple[np.dtype[Any], ...]:
        """Dtypes of the loop for operands of dtypes or Python's types: inputs, then outputs; none if there is none."""
        asked: list[Any] = [np.dtype(bool) if kind is bool else kind for kind in kinds]
        if all(isinstance(kind, type) for kind in asked):
            asked = [WEAK[kind] for kind in asked]
        key = (*asked, *(None,) * self.nout)
        if key not in self._loops:
            try:
                found = self.numpy.resolve_dtypes(key)
            except TypeError:
                return ()
            if any(d not in NAMES for d in found):
                return found
            self._loops[key] = found
        return self._loops[key]

    def _beyond_range(self, inputs: Sequence[Any], loop: Sequence[np.dtype[Any]]) -> bool | None:
        """The answer of a comparison with a Python int no element can equal; None for all other calls."""
        if self.__name__ not in _COMPARISONS or loop[0].kind not in "iu":
            return None
        for position, x in enumerate(inputs):
            if isinstance(x, WeakScalar):
                x = x.beyond(loop[position])
            if type(x) is int and kind_of(inputs[1 - position]) != np.bool_:
                limits = np.iinfo(loop[position])
                if not limits.min <= x <= limits.max:
                    big = x > limits.max
                    lesser_first = self.__name__.startswith("less") == (position == 1)
                    return {"equal": False, "not_equal": True}.get(self.__name__, lesser_first == big)
        return None

    def _shape(self, shapes: list[tuple[int, ...]], outs: Sequence[LazyArray | None]) -> tuple[int, ...]:
        shape = extents.broadcast(*shapes)
        for o in outs:
            if o is not None and o.shape != shape:
                full = extents.broadcast(shape, o.shape)
                if full != o.shape:
                    refuse_out(o.shape, full)
                shape = full
        return shape

    def check_domain(self, values: Sequence[Value | None], inputs: Sequence[Any]) -> None:
        """What NumPy refuses by value: integers to negative powers."""
        if self.__name__ != "power":
            return
        exponent = values[1]
        assert exponent is not None
        if exponent.type.dtype.kind != "i":
            return
        if 0 in extents.broadcast(*(value.type.shape for value in values if value is not None)):
            return
        message = "Integers to negative integer powers are not allowed."
        if isinstance(inputs[1], int):
            if inputs[1] < 0:
                raise ValueError(message)
            return
        negative = record(ELEMENTWISE["less"], exponent, scalar_value(0, exponent.type.dtype))
        if exponent.type.shape:
            from lazyarr.ir.op import OPS

            negative = record(OPS["reduce"], negative, kind="logical_or", axes=tuple(range(exponent.type.ndim)))
        add_check(record(ELEMENTWISE["logical_not"], negative), "ValueError", message)

    def _finish(
        self, result: Value, out: LazyArray | None, shape: tuple[int, ...], mask: Value | None, scalar: bool,
        given: Sequence[Any], order: str,
    ) -> LazyArray:  # fmt: skip
        if out is None:
            if mask is not None:
                # Where the mask is False NumPy leaves memory as it was allocated; zeros are as good as any.
                result = record(SELECT, mask, views.broadcast(result, shape), views.zeros(shape, result.type.dtype))
            elif result.type.shape != shape:
                result = views.broadcast(result, shape)
            type = result.type
            if order == "K":
                strides = geometry.keep_order(given, shape, type.dtype.itemsize) if len(shape) > 1 else None
            else:
                strides = geometry.contiguous(shape, type.dtype.itemsize, "F" if order == "F" else "C")
            return LazyArray._new(result, strides, scalar)
        result = views.broadcast(cast(result, out.dtype), out.shape)
        if mask is not None:
            result = record(SELECT, mask, result, out._value())
        out._assign(result)
        return out

    # -- methods -------------------------------------------------------------------------------------------

    def reduce(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
               initial: Any = np._NoValue, where: Any = True) -> Any:  # fmt: skip
        from lazyarr.numpy import _reduce

        kwargs = {"axis": axis, "dtype": dtype, "out": out, "keepdims": keepdims}
        if initial is not np._NoValue:
            kwargs["initial"] = initial
        if where is not True:
            kwargs["where"] = where
        return self._method("reduce", _reduce.ufunc_reduce, (array,), kwargs)

    def accumulate(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        from lazyarr.numpy import _reduce

        kwargs = {"axis": axis, "dtype": dtype, "out": out}
        return self._method("accumulate", _reduce.ufunc_accumulate, (array,), kwargs)

    def reduceat(self, array: Any, indices: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        from lazyarr.numpy import _folds

        kwargs = {"axis": axis, "dtype": dtype, "out": out}
        return self._method("reduceat", _folds.reduceat, (array, indices), kwargs)

    def outer(self, a: Any, b: Any, /, **kwargs: Any) -> Any:
        """``ufunc(a[..., None, ...], b)`` over all pairs of elements."""
        if self.nin != 2:
            raise ValueError("outer product only supported for binary functions")
        if self.numpy.signature is not None:
            raise RuntimeError(f"Reduction not defined on ufunc with signature {self.numpy.signature}")
        if (found := by_ufunc(self, "outer", (a, b), kwargs)) is not NOBODY:
            return found
        try:
            x, y = (x if isinstance(x, WeakScalar) else as_lazy(x) for x in (a, b))
        except NotCompiled as reason:
            return run_in_numpy(self.numpy.outer, (a, b), kwargs, f"{self.module}.{self.__name__}.outer: {reason}")
        spread = isinstance(x, LazyArray) and isinstance(y, LazyArray)
        return self(x[(...,) + (None,) * y.ndim] if spread else x, y, **kwargs)  # type: ignore[union-attr, index]

    @partial(begun, "AT", target=attrgetter("numpy"))
    def at(self, a: Any, indices: Any, b: Any = None, /) -> Any:
        """Unbuffered in-place operation: repeated indices count every time."""
        args = (a, indices) if b is None else (a, indices, b)
        if little_elements.at(self.numpy, *args[:2], args[2:]):
            return None
        if (found := by_ufunc(self, "at", args, {})) is not NOBODY:
            return found
        from lazyarr import indexing

        if isinstance(a, LazyArray) and a._scalar:
            raise TypeError("first operand must be array")
        try:
            indexing.ufunc_at(self, *args)
        except NotCompiled as reason:
            run_in_numpy(self.numpy.at, args, {}, f"{self.module}.{self.__name__}.at: {reason}", mutates=True)
        return None

    def _method(self, name: str, implementation: Any, args: Any, kwargs: Any) -> Any:
        if self.numpy.signature is not None:
            raise RuntimeError("Reduction not defined on ufunc with signature")
        if (found := little.fold(getattr(self.numpy, name), args, kwargs)) is not None:
            return found
        if (found := by_ufunc(self, name, args, kwargs, {"axis": 0, "dtype": None, "keepdims": False})) is not NOBODY:
            return found
        try:
            return implementation(self, *args, **kwargs)
        except NotCompiled as reason:
            method = getattr(self.numpy, name)
            return run_in_numpy(method, args, kwargs, f"{self.module}.{self.__name__}.{name}: {reason}")


def agreed(inputs: list[Any], outs: Sequence[LazyArray | None]) -> list[Any]:
    """Inputs whose computed lengths are named alike, and as those of the outputs."""
    arrays = [x for x in inputs if isinstance(x, LazyArray)]
    named = iter(windows.agreed(arrays, [o for o in outs if o is not None]))
    return [next(named) if isinstance(x, LazyArray) else x for x in inputs]


def _no_scalar(x: Any) -> LazyArray:
    array = as_lazy(x)
    return LazyArray._new(array._value()) if array._scalar else array


def _by_ufunc(ufunc: np.ufunc) -> Any:
    from lazyarr.dispatch import UFUNCS

    return UFUNCS[ufunc]


def operand(x: Any) -> Any:
    """An operand of a ufunc: a lazy array, a Python scalar, or a traced one."""
    if isinstance(x, LazyArray) or type(x) in (float, int, complex, bool):
        return x
    return x if isinstance(x, WeakScalar) else as_lazy(x)


def kind_of(x: Any) -> Any:
    """What dtype resolution takes: a dtype, or int, float or complex for a Python scalar."""
    if isinstance(x, LazyArray):
        return x.dtype
    kind = x.python_type if isinstance(x, WeakScalar) else type(x)
    return np.dtype(bool) if kind is bool else kind


def loop_value(x: Any, dtype: np.dtype[Any]) -> Value:
    """An operand as a value of the loop's dtype."""
    if isinstance(x, LazyArray):
        return cast(x._value(), dtype)
    if type(x) is int and dtype.kind == "b":
        np.int64(x)  # NumPy makes an int64 of it first, and says so where that overflows.
    return weak_cast(x, dtype) if isinstance(x, WeakScalar) else scalar_value(x, dtype)


def _array_of(node: Node, args: tuple[Any, ...]) -> LazyArray:
    """The result of an element-wise operation, in the order of the arrays it is made of."""
    type = node.types[0]
    if len(type.shape) < 2:
        return LazyArray._new(Value(node, 0), None, not type.shape)
    return LazyArray._new(Value(node, 0), kept_order(args, type.shape, type.dtype.itemsize))


def kept_order(args: tuple[Any, ...], shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """The strides of a result, which has the order of the arrays it is made of."""
    strides = geometry.contiguous(shape, itemsize)
    for array in args:
        if type(array) is LazyArray and array._strides != strides:
            given = [(a._shape, a._strides) for a in args if type(a) is LazyArray]
            return geometry.keep_order(given, shape, itemsize)
    return strides


def _gives_little(data: list[Any], weight: float) -> bool:
    """Whether little data is not broadcast to much."""
    shapes = [x.shape for x in data if type(x) is np.ndarray and x.ndim]
    extents = itertools.zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1)
    return len(set(shapes)) <= 1 or is_little(math.prod(map(max, extents)), weight)


def _whole_target(kwargs: dict[str, Any]) -> LazyArray | None:
    """The array that a call writes into, if nothing else is asked for."""
    out = kwargs.get("out") if len(kwargs) == 1 else None
    if type(out) is not tuple or len(out) != 1 or type(out[0]) is not LazyArray:
        return None
    target: LazyArray = out[0]
    return target if target._writeable and not target._scalar else None
