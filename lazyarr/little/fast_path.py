"""Operators and ufuncs of little data in C, where the extension could be built (`setup.py`): they come before Python's.

The extension is an optional part: each of its functions leaves to the methods of this package what it does not do, and
they do what it does where it is missing.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lazyarr import eager, indexing, libraries, settings, views
from lazyarr.aliased import handed_out
from lazyarr.array import Cell, LazyArray, rebuild
from lazyarr.convert import SCALARS, cast, scalar_value
from lazyarr.dispatch import begin_little, running
from lazyarr.gains import gains
from lazyarr.ir.extension import compiled as nodes
from lazyarr.ir.node import Node, Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import Leaf, leaf
from lazyarr.little.data import DEEPEST, Lent, limits
from lazyarr.little.extension import compiled
from lazyarr.little.functions import inner, results
from lazyarr.little.operators import weight_of
from lazyarr.little.table import (
    FOLDS,
    FUNCTIONS,
    GROWN,
    INSTEAD,
    MOST_GIVEN,
    NOT_COMPILED,
    NUMPYS,
    ONE_BY_ONE,
    RUNNING,
    SIZES,
    SLID,
    SPECIAL,
    STATISTICS,
    apart,
    broadcast_size,
    numpys,
    one_by_one,
    read_once,
    slid,
    together,
    unfused,
)
from lazyarr.operators import ASK_FOR_NUMPYS, BINARY, COMPARE, UNARY, show
from lazyarr.runtime import Recording, record_pending, storage_lock, threads, traced
from lazyarr.settings import Settings
from lazyarr.strides import contiguous
from lazyarr.world import active as ranks
from lazyarr.world import done_at_once

#: What has two results, or looks at several axes, has no loop over elements with one result.
_NOT_HERE = frozenset(("divmod", "matmul"))
#: NumPy functions that come to a method of the same name and arguments, where the first is an array.
_METHODS = frozenset((np.mean, np.std, np.var, np.cumsum, np.cumprod, np.argmax, np.argmin, np.argsort, np.nonzero,
                      np.searchsorted, np.take, np.trace, np.round))  # fmt: skip


#: The settings that say what is little work, as they were followed last.
_followed: Any = None


def _follow() -> None:
    """Take over what the settings say, where they say something else than before."""
    global _followed
    now = settings.current
    if _followed != (_followed := (now.eager_below, now.fast_path, now.reproducible)):
        gains.forget()
        _end()


def _end() -> None:
    """Take over what is little work where nothing has been learnt."""
    gains.end()
    limits.follow()
    compiled.limit(limits.elements if settings.current.fast_path else -1)


def _reach(operations: int) -> None:
    """Take over what is little work for so many operations."""
    limits.follow()
    if settings.current.fast_path and limits.elements:
        compiled.reach(limits.elements, operations, _end)
    else:
        _end()


def install() -> None:
    """Have Python's operators of lazy arrays begin in C; afterwards no method of an operator is to be replaced."""
    if compiled is None:
        return
    ufuncs = [u for u in (*BINARY.values(), *COMPARE.values(), *UNARY.values(), np.square, np.sqrt)
              if u.__name__ not in _NOT_HERE]  # fmt: skip
    own = {name: LazyArray.__dict__[name] for name in ("shape", "ndim", "size")}
    operators = {u.__name__: (u, tuple(weight_of(u))) for u in ufuncs}
    compiled.install(LazyArray, Cell, Leaf, Lent, indexing.get, *(p.fget for p in own.values()), storage_lock, DEEPEST,
                     traced, ranks, done_at_once, running, rebuild, operators)  # fmt: skip
    for name, general in own.items():
        setattr(LazyArray, name, property(getattr(compiled, name), general.fset, doc=general.__doc__))
    compiled.install_functions(_table(), SPECIAL, results, _quiet_context)
    begin_little(compiled.function)
    compiled.weights(eager.BOOLS, eager.IN_PLACE, eager.UNFUSED, eager.OF_OTHERS.single)
    settings.watch(_follow)
    _follow()
    gains.reach = _reach
    # (Somebody who has set it means it.)
    if settings.current.eager_below == Settings.eager_below:
        gains.begin()


#: How much work a call is, as the extension counts it (lazyarr/little/c/functions.c).
_TOGETHER, _APART, _BROADCAST, _PRODUCT, _CREATED, _COUNTED, _CONTRACTED = range(7)
#: Functions of lists -> what they give for an array: 1 the array, 2 a copy.
_OF_LISTS = {np.asarray: 1, np.array: 2}


#: What an element weighs in work of such a kind.
_WEIGHTS: dict[Any, float] = {read_once: eager.READ_ONCE, one_by_one: ONE_BY_ONE, slid: SLID, numpys: NUMPYS,
                              unfused: eager.UNFUSED}  # fmt: skip


class _Call(NamedTuple):
    """How the extension calls one of NumPy's functions: what ``install_functions`` takes, in its order."""

    target: Any
    method: Any = None
    fold: Any = None
    dtype: Any = None
    statistic: int = 0
    arrays: int = 1
    most: int = 1
    work: int = _TOGETHER
    of_lists: int = 0
    size: Any = None
    weight: float = 1.0
    left: frozenset[str] = frozenset()


def _table() -> dict[Any, _Call]:
    """NumPy's functions that the extension takes."""
    kinds: dict[Any, int] = {**dict.fromkeys((together, read_once, one_by_one, numpys), _TOGETHER),
                             apart: _APART, slid: _APART, broadcast_size: _BROADCAST}  # fmt: skip
    found: dict[Any, _Call] = {}
    for numpy, (arrays, work) in FUNCTIONS.items():
        method = getattr(np.ndarray, numpy.__name__) if numpy in _METHODS else None
        fold, dtype = FOLDS.get(numpy, (None, None))
        found[numpy] = _Call(
            inner(INSTEAD.get(numpy, numpy)), method, fold, dtype, (STATISTICS | RUNNING).get(numpy, 0), arrays,
            MOST_GIVEN[numpy], kinds.get(work, _PRODUCT), _OF_LISTS.get(numpy, 0), GROWN.get(numpy),
            _WEIGHTS.get(work, 1.0), NOT_COMPILED.get(numpy, frozenset()),
        )  # fmt: skip
    # (The extension knows the size of counts, of contractions, and of a shape, itself.)
    found[np.einsum] = found[np.einsum]._replace(work=_CONTRACTED, size=None)
    found[np.bincount] = _Call(inner(np.bincount), arrays=2, most=4, work=_COUNTED)
    for create, size in SIZES.items():
        of_shape = create in (np.zeros, np.ones, np.empty, np.full)
        target = inner(INSTEAD.get(create, create))
        found[create] = _Call(target, arrays=3, most=5, work=_CREATED, size=None if of_shape else size)
    return found


def _quiet_context() -> contextvars.Context:
    """A context of the extension's own: `lazyarr.quiet` enters another one, which may be within it."""
    found = contextvars.Context()
    found.run(partial(np.seterr, all="ignore"))
    return found


def install_class(kind: type[Any]) -> None:
    """Have ``x.__class__`` of lazy arrays be the class that programs know."""
    show(kind)
    if compiled is not None:
        compiled.show(kind, ASK_FOR_NUMPYS)


def install_recording(kept_order: Callable[..., Any]) -> None:
    """Have plain work on large arrays be recorded in C; `kept_order` gives the strides of a result."""
    # (Without the other extension there is little to win.)
    if compiled is None or nodes is None:
        return
    floats: list[np.dtype[Any]] = [np.dtype(np.float64), np.dtype(np.float32)]
    leaves = {dtype: leaf(np.zeros((), dtype), ArrayType(dtype)) for dtype in floats}
    scalars = {kind: leaf(np.zeros((), kind), ArrayType(np.dtype(kind))) for kind in SCALARS}
    compiled.install_recording(Node, Value, ArrayType, Recording, eager.LittleInARow, eager.IN_A_ROW, threads,
                               OPS["update_slice"], record_pending, contiguous, LazyArray._value, leaves, scalars, cast,
                               scalar_value, kept_order)  # fmt: skip
    compiled.install_boxes(indexing.boxed, views.Box, OPS["slice"], OPS["reshape"])
    LazyArray._new = compiled.new
    settings.watch(_follow_flushes)
    _follow_flushes()


def _follow_flushes() -> None:
    compiled.flush_after(settings.current.flush_after)


def install_calls(kind: type[Any], ufuncs: Iterable[Any]) -> None:
    """Have calls of lazy ufuncs of one class begin in C."""
    if compiled is None:
        return
    known = {u: (u.numpy, tuple(weight_of(u.numpy)), u.recorder, u.writer, u.op, u.plain_loops, u.looks_at_ints)
             for u in ufuncs
             if type(u) is kind and u.nin <= 2 and u.nout == 1 and u.op is not None and not u.numpy.signature
             and u.numpy.__name__ not in _NOT_HERE}  # fmt: skip
    compiled.install_calls(kind, known, libraries.known, handed_out)
