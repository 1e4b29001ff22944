"""Strides against NumPy's own arrays: every answer is compared with what NumPy says of a real array."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.lib.array_utils import byte_bounds as numpy_byte_bounds
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from lazyarr import strides as layout
from lazyarr.decompose import Decomposition, decompose
from lazyarr.strides import BasicKey

Array = np.ndarray[Any, Any]
Order = Literal["C", "F"]

DTYPES = st.sampled_from(["i1", "f4", "f8", "c16"])
ORDERS: st.SearchStrategy[Order] = st.sampled_from(["C", "F"])
SHAPES = st.lists(st.sampled_from([1, 2, 3, 4, 2, 3, 5, 0]), max_size=4).map(tuple)
FULL_SHAPES = st.lists(st.integers(1, 5), max_size=4).map(tuple)
# The profile's own number where it asks for more (a long fuzzing run does).
MANY = settings(max_examples=max(150, settings().max_examples))
MOST = settings(max_examples=max(300, settings().max_examples))


def address(a: Array) -> int:
    """Where the array's first element lies."""
    return int(a.__array_interface__["data"][0])


def geometry(a: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shape and strides."""
    return a.shape, a.strides


def outcome(f: Callable[[], Any]) -> Any:
    """What a call returns, or what it raises: the class and the message."""
    try:
        return f()
    except (ValueError, IndexError, TypeError) as error:
        return type(error), str(error)


def slices(n: int) -> st.SearchStrategy[slice]:
    """Any slice, in range and out of it."""
    bound = st.none() | st.integers(-n - 2, n + 2)
    return st.builds(slice, bound, bound, st.none() | st.sampled_from([1, 2, 3, -1, -2, -3]))


@st.composite
def allocated(draw: st.DrawFn, shapes: st.SearchStrategy[tuple[int, ...]] = SHAPES) -> Array:
    """An array that owns its memory, its axes in memory in any order."""
    shape = draw(shapes)
    order = draw(st.permutations(range(len(shape))))
    a = np.arange(math.prod(shape)).astype(draw(DTYPES)).reshape([shape[k] for k in order])
    return a.transpose(np.argsort(order)) if order else a


@st.composite
def view_of(draw: st.DrawFn, a: Array, steps: int = 3, broadcast: bool = False) -> Array:
    """A view of a view of ... ``a``."""
    kinds = ["slice", "slice", "transpose", "newaxis", "int", "reshape"] + ["broadcast"] * broadcast
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=steps)):
        if kind == "slice" and a.ndim:
            a = a[tuple(draw(st.tuples(*[slices(n) for n in a.shape])))]
        elif kind == "transpose":
            a = a.transpose(draw(st.permutations(range(a.ndim))))
        elif kind == "newaxis" and a.ndim < 5:
            a = np.expand_dims(a, draw(st.integers(0, a.ndim)))
        elif kind == "int" and a.ndim and a.shape[0]:
            a = a[draw(st.integers(0, a.shape[0] - 1)), ...]
        elif kind == "reshape" and a.ndim:
            new = draw(regrouped(a.shape))
            try:
                a = np.reshape(a, new, copy=False)
            except ValueError:
                pass  # not a view
        elif kind == "broadcast":
            a = np.broadcast_to(a, [draw(st.integers(0, 3)) if n == 1 else n for n in a.shape])
    return a


@st.composite
def regrouped(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Another shape with as many elements."""
    size = math.prod(shape)
    if not size:
        return tuple(draw(st.permutations([0, *draw(st.lists(st.integers(0, 4), max_size=3))])))
    result = []
    while size > 1:
        n = draw(st.sampled_from([d for d in range(2, size + 1) if size % d == 0]))
        result.append(n)
        size //= n
    ones = draw(st.lists(st.just(1), max_size=2))
    return tuple(draw(st.permutations(result + ones)))


@st.composite
def arrays(draw: st.DrawFn, broadcast: bool = True) -> Array:
    """Any array: owned or a view, dense or not, with negative and (``broadcast``) zero strides."""
    return draw(view_of(draw(allocated()), broadcast=broadcast))


# ------------------------------------------------------------------------------------------ dense layouts


@MANY
@given(SHAPES, DTYPES, ORDERS)
def test_contiguous(shape: tuple[int, ...], dtype: str, order: Order) -> None:
    a = np.empty(shape, dtype, order=order)
    assert layout.contiguous(shape, a.itemsize, order) == a.strides


@MANY
@given(arrays())
def test_contiguity_flags(a: Array) -> None:
    assert layout.is_c_contiguous(a.shape, a.strides, a.itemsize) == a.flags.c_contiguous
    assert layout.is_f_contiguous(a.shape, a.strides, a.itemsize) == a.flags.f_contiguous


@st.composite
def broadcastable(draw: st.DrawFn) -> tuple[list[Array], tuple[int, ...]]:
    """Up to three operands of many layouts, and the shape to which they broadcast."""
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=draw(st.integers(1, 3)), max_dims=4, max_side=3))
    operands = []
    for shape in found.input_shapes:
        grown = [n * draw(st.integers(1, 2)) for n in shape]
        order = draw(st.permutations(range(len(shape))))
        a = np.ones([grown[k] for k in order], draw(DTYPES)).transpose(np.argsort(order)) if shape else np.ones(())
        key = [slice(None, None, m // n if n else None) for m, n in zip(grown, shape)]
        a = a[tuple(key)]
        flips = draw(st.tuples(*[st.sampled_from([1, 1, -1])] * a.ndim))
        a = a[tuple(slice(None, None, flip) for flip in flips)]
        assert a.shape == shape
        operands.append(a)
    if draw(st.booleans()):
        operands = [np.broadcast_to(a, found.result_shape) if draw(st.booleans()) else a for a in operands]
    return operands, found.result_shape


@MOST
@given(broadcastable())
def test_keep_order_as_the_iterator_allocates(case: tuple[list[Array], tuple[int, ...]]) -> None:
    operands, shape = case
    flags: Any = [["readonly"]] * len(operands) + [["writeonly", "allocate"]]
    iterator = np.nditer([*operands, None], ["zerosize_ok"], flags, op_dtypes=[None] * len(operands) + ["f8"])
    result = iterator.operands[-1]
    assert result.shape == shape
    assert layout.keep_order([geometry(a) for a in operands], shape, 8) == result.strides


@MOST
@given(broadcastable())
def test_keep_order_as_ufuncs_allocate(case: tuple[list[Array], tuple[int, ...]]) -> None:
    operands = [a.astype("f8") if not a.flags.owndata and a.itemsize == 1 else a for a in case[0]][:2]
    ufunc = np.negative if len(operands) == 1 else np.add
    result = np.asarray(ufunc(*operands))
    cast = any(a.dtype != result.dtype for a in operands if a.ndim > 1)
    sizes = None if cast else [a.itemsize for a in operands]
    assert layout.keep_order([geometry(a) for a in operands], result.shape, result.itemsize, sizes) == result.strides
    # Without the itemsizes only axes of size 1 may differ.
    plain = layout.keep_order([geometry(a) for a in operands], result.shape, result.itemsize)
    assert all(n == 1 or s == t for n, s, t in zip(result.shape, plain, result.strides))


def test_keep_order_of_whole_programs_operands() -> None:
    a = np.ones((4, 5, 6)).transpose(2, 0, 1)
    row = np.ones(5)
    for operands in ([a, a], [a, row], [a[::-1], a], [a[:, ::2], a[:, ::2]], [a, a.copy()], [a, np.float64(3)]):
        result = np.add(*operands)
        given_geometry = [geometry(np.asarray(x)) for x in operands]
        assert layout.keep_order(given_geometry, result.shape, 8) == result.strides


@MOST
@given(arrays(), DTYPES)
def test_keep_order_copy(a: Array, dtype: str) -> None:
    assert layout.keep_order_copy(a.shape, a.strides, a.itemsize) == np.empty_like(a).strides
    assert layout.keep_order_copy(a.shape, a.strides, a.itemsize) == np.copy(a, order="K").strides
    other = a.real.astype(dtype) if a.dtype.kind != "c" else a.astype("c8")
    assert layout.keep_order_copy(a.shape, a.strides, a.itemsize, other.itemsize) == other.strides


# ------------------------------------------------------------------------------------------ reshape


@MOST
@given(arrays(), ORDERS, st.data())
def test_reshape(a: Array, order: Order, data: st.DataObject) -> None:
    new = data.draw(regrouped(a.shape))
    b = np.reshape(a, new, order=order)
    expected: Any = b.strides
    if a.size:
        if not np.shares_memory(a, b):
            expected = None
    else:  # no memory to share: the view is known by its address
        assert address(a) == address(b)
    assert layout.reshape(a.shape, a.strides, a.itemsize, new, order) == expected


@MANY
@given(
    st.integers(0, 24) | st.just(24),
    st.lists(st.sampled_from([-1, 0, 1, 2, 3, 4, 6, 12, 24, -2]), max_size=4),
)
def test_resolve_shape(size: int, newshape: list[int]) -> None:
    expected = outcome(lambda: np.zeros(size).reshape(newshape).shape)
    assert outcome(lambda: layout.resolve_shape(size, newshape)) == expected


# ------------------------------------------------------------------------------------------ basic indexing


@st.composite
def indexed(draw: st.DrawFn, wrong: bool) -> tuple[Array, BasicKey]:
    """An array and a basic key; ``wrong`` ones may be too long, out of range, or hold two ellipses."""
    a = draw(arrays())
    out = 2 if wrong else 0
    key: list[Any] = []
    for n in a.shape[: draw(st.integers(0, a.ndim))]:
        if wrong or (n and draw(st.booleans())):
            key.append(draw(st.integers(-n - out, n - 1 + out) | st.integers(-n - out, n - 1 + out).map(np.int64)))
        else:
            key.append(draw(slices(n)))
    extra: list[Any] = draw(st.lists(st.none(), max_size=2))
    if wrong:
        extra += draw(st.lists(st.sampled_from([0, slice(None), slice(None, None, 0), slice(1.5), ...]), max_size=3))
    for item in extra:
        key.insert(draw(st.integers(0, len(key))), item)
    if not wrong and draw(st.booleans()):
        at = draw(st.integers(0, len(key)))
        taken = a.ndim - sum(item is not None for item in key[at:])
        if sum(item is not None for item in key[:at]) <= taken:
            # What stands after the ellipsis moves to the last axes; keep only what cannot be out of range there.
            tail = [slice(None, None, item.step) if isinstance(item, slice) else None for item in key[at:]]
            key[at:] = [..., *tail]
    return a, tuple(key)


@MOST
@given(indexed(wrong=False))
def test_index(case: tuple[Array, BasicKey]) -> None:
    a, key = case
    offset, shape, strides, normal = layout.index(a.shape, a.strides, key)
    # One element picked out is a scalar, not a view; an ellipsis makes it one.
    b = a[key if ... in key else (*key, ...)]
    assert (shape, strides) == geometry(b)
    assert offset == address(b) - address(a)

    # The normal form selects the same, and its entries are explicit and canonical.
    again = a[(*normal.key(), ...)]
    assert again.shape == b.shape
    assert not b.size or address(again) == address(b)
    assert all(n < 2 or s == t for n, s, t in zip(b.shape, again.strides, b.strides))
    assert len(normal.axes) == a.ndim
    lengths = []
    for n, entry in zip(a.shape, normal.axes):
        if entry[0] == "int":
            assert 0 <= entry[1] < n
            continue
        _, start, stop, step, length = entry
        assert len(range(start, stop, step)) == length
        assert all(0 <= i < n for i in range(start, stop, step))
        assert length > 1 or entry == (("slice", start, start + 1, 1, 1) if length else layout.EMPTY_ENTRY)
        assert length < 2 or stop == range(start, stop, step)[-1] + (1 if step > 0 else -1)
        lengths.append(length)
    for position in normal.newaxes:
        lengths.insert(position, 1)
    assert tuple(lengths) == b.shape


@MANY
@given(indexed(wrong=True))
@example((np.ones((2, 3)), (5,)))
@example((np.ones((2, 3)), (0, 0, 0)))
@example((np.ones((2, 3)), (5, 0, 0)))
@example((np.ones((2, 3)), (..., ..., 0, 0, 0)))
@example((np.ones((2, 3)), (slice(None, None, 0), 7)))
@example((np.ones((2, 3)), (slice(None, None, 0), 0, 0)))
@example((np.ones(()), (0,)))
def test_index_errors(case: tuple[Array, BasicKey]) -> None:
    a, key = case
    expected = outcome(lambda: geometry(np.asarray(a[key])))
    assert outcome(lambda: layout.index(a.shape, a.strides, key)[1:3]) == expected


def test_a_mask_is_no_basic_index() -> None:
    with pytest.raises(TypeError, match="mask"):
        layout.index((2,), (8,), (True,))


# ------------------------------------------------------------------------------------------ other views


@MANY
@given(arrays(), st.data())
def test_transpose(a: Array, data: st.DataObject) -> None:
    axes = data.draw(
        st.none()
        | st.permutations(range(a.ndim))
        | st.permutations(range(-a.ndim, 0))
        | st.lists(st.integers(-a.ndim - 1, a.ndim), min_size=a.ndim, max_size=a.ndim)
        | st.lists(st.integers(-3, 3), max_size=4)
    )
    expected = outcome(lambda: geometry(a.transpose(axes)))
    assert outcome(lambda: layout.transpose(a.shape, a.strides, axes)) == expected


@MANY
@given(arrays(), st.data())
def test_broadcast_to(a: Array, data: st.DataObject) -> None:
    grown = data.draw(st.lists(st.integers(0, 3), max_size=2)) + [
        n if n != 1 else data.draw(st.integers(0, 3)) for n in a.shape
    ]
    newshape = data.draw(st.just(grown) | st.lists(st.integers(-1, 4), max_size=4))
    expected = outcome(lambda: np.broadcast_to(a, newshape).strides)
    assert outcome(lambda: layout.broadcast_to(a.shape, a.strides, newshape)) == expected


@MANY
@given(arrays(), st.data())
def test_squeeze(a: Array, data: st.DataObject) -> None:
    ones = [k for k, n in enumerate(a.shape) if n == 1]
    axis = data.draw(
        st.none()
        | st.just(tuple(ones))
        | st.sampled_from(ones or [0])
        | st.sampled_from(ones or [0]).map(np.int64)
        | st.integers(-5, 4)
        | st.lists(st.integers(-5, 4), max_size=2).map(tuple)
    )
    expected = outcome(lambda: geometry(a.squeeze(axis)))
    assert outcome(lambda: layout.squeeze(a.shape, a.strides, axis)) == expected


@MANY
@given(arrays(), st.integers(-5, 5), st.integers(-4, 3), st.integers(-4, 3))
def test_diagonal(a: Array, offset: int, axis1: int, axis2: int) -> None:
    def numpy_diagonal() -> tuple[int, tuple[int, ...], tuple[int, ...]]:
        b = a.diagonal(offset, axis1, axis2)
        return address(b) - address(a), b.shape, b.strides

    assert outcome(lambda: layout.diagonal(a.shape, a.strides, offset, axis1, axis2)) == outcome(numpy_diagonal)


# ------------------------------------------------------------------------------------------ memory


@MANY
@given(arrays())
def test_byte_bounds(a: Array) -> None:
    low, high = layout.byte_bounds(16, a.shape, a.strides, a.itemsize)
    if a.size:
        first, end = numpy_byte_bounds(a)
        assert (low - 16, high - 16) == (first - address(a), end - address(a))
    else:
        assert (low, high) == (16, 16)


@MANY
@given(allocated(), st.data())
def test_byte_bounds_decide_may_share_memory(a: Array, data: st.DataObject) -> None:
    b, c = data.draw(view_of(a)), data.draw(view_of(a))
    low_b, high_b = layout.byte_bounds(address(b), b.shape, b.strides, b.itemsize)
    low_c, high_c = layout.byte_bounds(address(c), c.shape, c.strides, c.itemsize)
    overlap = max(low_b, low_c) < min(high_b, high_c)
    assert overlap == np.may_share_memory(b, c)
    assert overlap or not np.shares_memory(b, c)


def overlaps_itself(shape: Sequence[int], strides: Sequence[int], itemsize: int) -> bool:
    """Whether two elements share a byte, by looking at each."""
    starts = np.zeros((), np.int64)
    for n, stride in zip(shape, strides):
        starts = np.add.outer(starts, np.arange(n) * stride)
    touched = np.add.outer(starts, np.arange(itemsize)).ravel()
    return len(np.unique(touched)) < len(touched)


@MANY
@given(arrays())
def test_self_overlap_of_ordinary_views(a: Array) -> None:
    assert layout.may_self_overlap(a.shape, a.strides, a.itemsize) == overlaps_itself(a.shape, a.strides, a.itemsize)


@MANY
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(-9, 9)), max_size=4), st.integers(1, 3), st.booleans())
def test_self_overlap_of_any_strides(axes: list[tuple[int, int]], itemsize: int, aligned: bool) -> None:
    shape = tuple(n for n, _ in axes)
    strides = tuple(s * itemsize if aligned else s for _, s in axes)
    real = overlaps_itself(shape, strides, itemsize)
    answer = layout.may_self_overlap(shape, strides, itemsize)
    assert answer or not real
    if aligned and sum(n > 1 for n in shape) <= 2:
        assert answer == real


@MANY
@given(allocated(FULL_SHAPES), st.data())
def test_self_overlap_of_windows(a: Array, data: st.DataObject) -> None:
    assume(a.ndim)
    axis = data.draw(st.integers(0, a.ndim - 1))
    window = data.draw(st.integers(1, a.shape[axis]))
    w = sliding_window_view(a, window, axis)
    w = w[tuple(slice(None, None, data.draw(st.integers(1, 3))) for _ in w.shape)]
    assert layout.may_self_overlap(w.shape, w.strides, w.itemsize) == overlaps_itself(w.shape, w.strides, w.itemsize)


# ------------------------------------------------------------------------------------------ decompose


def follow(base: Array, found: Decomposition) -> Array:
    """The view that a decomposition stands for, made by NumPy."""
    if found.regroup is not None:
        order, shape = found.regroup
        base = base.transpose(order).reshape(shape, copy=False)
    return np.expand_dims(base[(*found.key(), ...)].transpose(found.perm), found.newaxes)


def assert_decomposed(base: Array, view: Array) -> Decomposition:
    found = decompose(*geometry(base), base.itemsize, address(view) - address(base), *geometry(view))
    assert found is not None
    again = follow(base, found)
    assert (address(again), again.shape) == (address(view), view.shape)
    assert all(n == 1 or s == t for n, s, t in zip(view.shape, again.strides, view.strides))
    return found


@MOST
@given(allocated(FULL_SHAPES), st.data())
def test_decompose_of_index_and_transpose(a: Array, data: st.DataObject) -> None:
    view = a
    for _ in range(data.draw(st.integers(0, 3))):
        if view.ndim:
            entry = [slices(n) | st.integers(0, n - 1) for n in view.shape]
            view = view[(*data.draw(st.tuples(*entry)), ...)]
        if not view.size:
            return
        view = view.transpose(data.draw(st.permutations(range(view.ndim))))
        if view.ndim < 6:
            view = np.expand_dims(view, data.draw(st.integers(0, view.ndim)))
    assert assert_decomposed(a, view).regroup is None


@MOST
@given(allocated(FULL_SHAPES), ORDERS, st.data())
def test_decompose_of_a_reshaped_base(a: Array, order: Order, data: st.DataObject) -> None:
    new = data.draw(regrouped(a.shape))
    view = np.reshape(a, new, order=order)
    assume(np.shares_memory(a, view))
    if view.ndim:
        view = view[(*data.draw(st.tuples(*[slices(n) | st.integers(0, n - 1) for n in view.shape])), ...)]
    assume(view.size)
    assert_decomposed(a, view.transpose(data.draw(st.permutations(range(view.ndim)))))


@MOST
@given(allocated(FULL_SHAPES), st.data())
def test_decompose_of_any_view_is_right_or_none(a: Array, data: st.DataObject) -> None:
    view = data.draw(view_of(a, steps=6, broadcast=True))
    if decompose(*geometry(a), a.itemsize, address(view) - address(a), *geometry(view)) is not None:
        assert_decomposed(a, view)


@MANY
@given(allocated(FULL_SHAPES), st.data())
def test_decompose_of_any_strides_is_right_or_none(a: Array, data: st.DataObject) -> None:
    axes = data.draw(st.lists(st.tuples(st.integers(1, 4), st.integers(-12, 12)), max_size=3))
    start = data.draw(st.integers(0, a.size - 1))
    shape, steps = tuple(n for n, _ in axes), tuple(s for _, s in axes)
    low, high = layout.byte_bounds(start, shape, steps, 1)
    assume(low >= 0 and high <= a.size)
    flat = as_strided(a, (a.size,), (a.itemsize,))
    view = as_strided(flat[start:], shape, tuple(s * a.itemsize for s in steps))
    found = decompose(*geometry(a), a.itemsize, start * a.itemsize, *geometry(view))
    if found is not None:
        assert_decomposed(a, view)
    moving = [(n, s) for n, s in axes if n > 1]
    # One axis is always a slice of the flat base; an axis that repeats is never a selection.
    if len(moving) < 2 and all(s for _, s in moving):
        assert found is not None
    if any(not s for _, s in moving):
        assert found is None


def test_decompose_by_example() -> None:
    grid = np.zeros((5, 6))
    found = assert_decomposed(grid, grid[1:-1, ::-2].T)
    assert found == (None, (("slice", 1, 4, 1, 3), ("slice", 5, 0, -2, 3)), (1, 0), ())
    assert assert_decomposed(grid, grid) == (None, (("slice", 0, 5, 1, 5), ("slice", 0, 6, 1, 6)), (0, 1), ())
    assert assert_decomposed(grid, grid[2:3]).newaxes == ()
    assert assert_decomposed(grid, grid[2, None]).newaxes == (0,)
    assert assert_decomposed(grid, grid.ravel()[3:20]).regroup == ((0, 1), (30,))
    line = np.arange(30.0)
    assert assert_decomposed(line, line.reshape(5, 6)[1:, 2:4]).regroup == ((0,), (5, 6))
    square = np.zeros((4, 4))
    assert assert_decomposed(square, square.diagonal()).regroup is not None

    for view in (np.broadcast_to(line, (2, 30)), sliding_window_view(line, 3), line[:0], line.view("i4")):
        assert decompose((30,), (8,), 8, 0, *geometry(view)) is None
    assert decompose((5, 3), (48, 8), 8, 0, (5,), (48,)) is None  # the base is not dense
    assert decompose((30,), (8,), 8, 240, (), ()) is None  # past its end
    assert decompose((0, 3), (0, 0), 8, 0, (0, 3), (0, 0)) is not None
