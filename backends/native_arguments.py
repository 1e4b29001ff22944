"""Where the largest or the least element along an axis is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, Element, Index, register
from lazyarr.backends.native_nests import accumulate_rows, assign, nest, read, variable
from lazyarr.backends.native_storage import Scalar, Storage, Strided

#: Arithmetic of an element from which on it is not done twice to find an extremum's place.
_TWICE = 8.0
#: Elements that are looked at together for one that is searched.
_BLOCK = 256


def argument(c: Code, x: Storage, name: str, axis: int, target: Strided | None) -> Scalar | None:
    """What argmax or argmin gives along an axis: the first extremum, or the first NaN."""
    dtype = x.dtype
    rank = len(x.shape)
    rest = [a for a in range(rank) if a != axis]
    index = np.dtype("i8")

    def along(at: Sequence[Index]) -> Element:
        def place(k: Index) -> tuple[Index, ...]:
            found: list[Index] = [0] * rank
            for a, i in zip(rest, at, strict=True):
                found[a] = i
            found[axis] = k
            return tuple(found)

        if x.flops < _TWICE:
            return _first_equal(c, x, "maximum" if name == "argmax" else "minimum", place, axis)
        best = variable(c, dtype, x.element(c, place(0), {}))
        where = variable(c, index, ("0",))
        with c.loop(1, x.shape[axis]) as k:
            value, old = x.element(c, place(k), {}), read(c, dtype, best)
            better = _beyond(c, name, dtype, value[0], old[0])
            assign(c, dtype, best, c.select(better, dtype, value, old))
            assign(c, index, where, c.select(better, index, (str(k),), read(c, index, where)))
        return read(c, index, where)

    with c.statement():
        if target is None:
            return Scalar(index, along(()))
        with nest(c, target.shape) as at:
            target.put(c, at, along(at))
    return None


def _first_equal(c: Code, x: Storage, kind: str, place: Callable[[Index], tuple[Index, ...]], axis: int) -> Element:
    """The extremum, then the first place where it is: two loops that vectorize."""
    dtype, n = x.dtype, x.shape[axis]
    index = np.dtype("i8")
    best = accumulate_rows(c, x, kind, dtype, (n,), lambda at: place(at[0]))[0]
    unknown = c.emit(f"fcmp uno {register(dtype)} {best}, {best}") if dtype.kind == "f" else "false"

    def equal(k: Index) -> str:
        value = x.element(c, place(k), {})[0]
        if dtype.kind != "f":
            return c.emit(f"icmp eq {register(dtype)} {value}, {best}")
        found = c.emit(f"fcmp oeq {register(dtype)} {value}, {best}")
        nan = c.emit(f"fcmp uno {register(dtype)} {value}, {value}")
        return c.emit(f"or i1 {found}, {c.emit(f'and i1 {nan}, {unknown}')}")

    # The first block that has it, then its place there, backwards.
    where, bit = variable(c, index, ("0",)), np.dtype(bool)
    head, look, search, following = (c.new_label() for _ in range(4))
    c.go(head)
    c.start(head)
    with c.scope():
        first = read(c, index, where)[0]
        end = c.minimum(c.add(first, _BLOCK), n)
        some = variable(c, bit, ("false",))
        with c.loop(first, end) as k:
            assign(c, bit, some, (c.emit(f"or i1 {read(c, bit, some)[0]}, {equal(k)}"),))
        c.go(look)
        c.start(look)
        c.branch(read(c, bit, some)[0], search, following)
        c.start(following)
        assign(c, index, where, (str(end),))
        # There is one, but where there are no elements.
        done = c.new_label()
        c.branch(c.emit(f"icmp slt i64 {end}, {n}"), head, done)
        c.start(search)
        with c.loop(0, c.sub(end, first)) as k:
            at = c.sub(c.sub(end, 1), k)
            here = c.emit(f"select i1 {equal(at)}, i64 {at}, i64 {read(c, index, where)[0]}")
            assign(c, index, where, (here,))
        c.go(done)
    c.start(done)
    return read(c, index, where)


def _beyond(c: Code, name: str, dtype: np.dtype[Any], x: str, best: str) -> str:
    type = register(dtype)
    if dtype.kind == "f":
        beyond = c.emit(f"fcmp {'ogt' if name == 'argmax' else 'olt'} {type} {x}, {best}")
        nan = c.emit(f"fcmp uno {type} {x}, {x}")
        first = c.emit(f"and i1 {nan}, {c.emit(f'fcmp ord {type} {best}, {best}')}")
        return c.emit(f"or i1 {beyond}, {first}")
    sign = "s" if dtype.kind == "i" else "u"
    return c.emit(f"icmp {sign}{'gt' if name == 'argmax' else 'lt'} {type} {x}, {best}")
