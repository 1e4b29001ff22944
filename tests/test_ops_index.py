"""Slices, updates, gather and scatter against NumPy's own indexing, in both back ends."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from lazyarr.backends.numpy import interpret
from lazyarr.backends.xla import Executable
from lazyarr.ir.access import Along, Opaque, Whole
from lazyarr.ir.extents import symbol
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import Value, apply
from lazyarr.ir.op import OPS
from lazyarr.ir.types import ArrayType, of, parse
from lazyarr.ops import by_index
from lazyarr.ops.create import const
from lazyarr.ops.index import _last_writers
from tests.one_op import agree, run

Bounds = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def infer(name: str, *types: str | ArrayType, **attrs: Any) -> Any:
    return OPS[name].infer(*(parse(t) if isinstance(t, str) else t for t in types), **attrs)


def numbers(shape: tuple[int, ...], dtype: Any = np.float64, start: int = 0) -> Any:
    """Distinct values, so that an element that comes from the wrong place shows."""
    return (np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape) + start).astype(dtype)


@st.composite
def shapes_and_slices(draw: Any) -> tuple[tuple[int, ...], tuple[slice, ...], Bounds]:
    shape = tuple(draw(st.lists(st.integers(0, 6), min_size=1, max_size=3)))
    slices = tuple(draw(st.slices(n)) for n in shape)
    bounds = [s.indices(n) for s, n in zip(slices, shape, strict=True)]
    start, stop, step = (tuple(int(b[k]) for b in bounds) for k in range(3))
    return shape, slices, (start, stop, step)


@settings(max_examples=40)
@given(shapes_and_slices())
def test_slice(case: tuple[tuple[int, ...], tuple[slice, ...], Bounds]) -> None:
    shape, slices, (start, stop, step) = case
    x = numbers(shape)
    agree(x[slices], run("slice", x, start=start, stop=stop, step=step))


@settings(max_examples=50)
@given(shapes_and_slices())
def test_update_slice(case: tuple[tuple[int, ...], tuple[slice, ...], Bounds]) -> None:
    shape, slices, (start, stop, step) = case
    x = numbers(shape)
    value = numbers(x[slices].shape, start=1000)
    expected = x.copy()
    expected[slices] = value
    agree(expected, run("update_slice", x, value, start=start, stop=stop, step=step))


@pytest.mark.parametrize("part", [
    np.s_[1:3, 7], np.s_[::5, 3:4], np.s_[20:2:-6, 5:9], np.s_[10, :], np.s_[:, 11], np.s_[2:-2, 2:-2],
    np.s_[1:-1:2, ::-2], np.s_[:, 4:], np.s_[::2], np.s_[28:3:-1, 1:2],
])  # fmt: skip
def test_update_of_small_and_large_boxes(part: Any) -> None:
    x = numbers((30, 25))
    entries = (*(part if isinstance(part, tuple) else (part,)), slice(None))[:2]
    slices = tuple(slice(e, e + 1) if isinstance(e, int) else e for e in entries)
    bounds = [s.indices(n) for s, n in zip(slices, x.shape, strict=True)]
    start, stop, step = (tuple(b[k] for b in bounds) for k in range(3))
    value = numbers(x[slices].shape, start=1000)
    expected = x.copy()
    expected[slices] = value
    agree(expected, run("update_slice", x, value, start=start, stop=stop, step=step))


@settings(max_examples=25)
@given(st.data())
def test_dynamic_slices(data: st.DataObject) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    lengths = tuple(data.draw(st.integers(0, n)) for n in shape)
    starts = [data.draw(st.integers(0, n - m)) for n, m in zip(shape, lengths, strict=True)]
    box = tuple(slice(a, a + m) for a, m in zip(starts, lengths, strict=True))
    x, scalars = numbers(shape), [np.int64(a) for a in starts]
    agree(x[box], run("dynamic_slice", x, *scalars, lengths=lengths))
    value = numbers(lengths, start=1000)
    expected = x.copy()
    expected[box] = value
    agree(expected, run("dynamic_update_slice", x, value, *scalars))


def _read_and_write(way: str, at: int, shape: tuple[int, ...], before: str, after: str) -> Graph:
    """A graph that writes a box of an array with what stands elsewhere in it, a reshape before and after."""

    def op(name: str, *operands: Value, **attrs: Any) -> Value:
        return apply(OPS[name], *operands, **attrs)

    def rows(x: Value, first: int, last: int, step: int = 1) -> Value:
        bounds = (range(first, last)[::step], *(range(n) for n in x.type.shape[1:]))
        start, stop = tuple(r.start for r in bounds), tuple(r.stop for r in bounds)
        return op("slice", x, start=start, stop=stop, step=tuple(r.step for r in bounds))

    given = param(0, parse("f64[6,8]"))
    x = op("reshape", given, shape=shape)
    x = {"none": lambda: x, "exp": lambda: op("exp", x), "twice": lambda: op("add", x, x)}[before]()
    value = {
        "shift": lambda: rows(x, 0, 4),
        "first": lambda: op("add", rows(x, at, at + 4), rows(x, at, at + 1)),
        "reversed": lambda: rows(x, at, at + 4, -1),
    }[way]()
    if after == "dynamic":
        starts = [const(np.int64(k)) for k in (at, *(0,) * (len(shape) - 1))]
        written = op("dynamic_update_slice", x, value, *starts)
    else:
        ends = (at + 4, *shape[1:])
        written = op("update_slice", x, value, start=(at, *(0,) * (len(shape) - 1)), stop=ends, step=(1,) * len(shape))
    return Graph([given], [op("reshape", written, shape=(1, *shape)) if after == "reshape" else written])


@pytest.mark.parametrize("after", ["none", "reshape", "dynamic"])
@pytest.mark.parametrize("before", ["none", "exp", "twice"])
@pytest.mark.parametrize("shape", [(48,), (24, 2), (48, 1), (6, 8)])
@pytest.mark.parametrize(("way", "at"), [("shift", 1), ("first", 0), ("first", 1), ("reversed", 0)])
def test_what_is_written_is_read_before(way: str, at: int, shape: tuple[int, ...], before: str, after: str) -> None:
    """XLA's CPU compiler reads what it has overwritten in such programs if it is let (openxla/xla issue 49176)."""
    graph = _read_and_write(way, at, shape, before, after)
    x = np.random.default_rng(0).uniform(-1, 1, (6, 8))
    np.testing.assert_allclose(Executable(graph)([x])[0], interpret(graph, [x])[0], rtol=1e-14)


@pytest.mark.parametrize("shape", [(12,), (3, 4), (2, 6), (6, 2), (4, 3), (1, 12), (12, 1)])
@pytest.mark.parametrize("way", [(12,), (4, 3), (6, 2), (1, 12, 1), (2, 3, 2)])
def test_running_sums_of_another_shape(shape: tuple[int, ...], way: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, shape)
    for axis in range(len(way)):
        given = param(0, of(x))
        flat = apply(OPS["reshape"], given, shape=way)
        for value in (flat, apply(OPS["negative"], flat)):
            graph = Graph([given], [apply(OPS["accumulate"], value, kind="add", axis=axis)])
            np.testing.assert_array_equal(Executable(graph)([x])[0], interpret(graph, [x])[0])


@st.composite
def indexed(draw: Any, least: int = 1) -> tuple[Any, tuple[int, ...], tuple[Any, ...]]:
    """An array, axes, and index arrays that broadcast, negative and repeated indices among them."""
    shape = tuple(draw(st.lists(st.integers(least, 4), min_size=1, max_size=3)))
    axes = tuple(sorted(draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))))
    common = tuple(draw(st.lists(st.integers(0, 4), max_size=2)))
    indices = []
    for axis in axes:
        own = tuple(draw(st.sampled_from([n, 1])) for n in common)
        own = own[draw(st.integers(0, len(own))) :]
        count = int(np.prod(own))
        drawn = draw(st.lists(st.integers(-shape[axis], shape[axis] - 1), min_size=count, max_size=count))
        indices.append(np.array(drawn, np.int64).reshape(own))
    return numbers(shape), axes, tuple(indices)


def in_front(x: Any, axes: tuple[int, ...]) -> Any:
    """A view with the axes in front: there NumPy's subscript and `gather` agree on the order of the result's axes."""
    return np.moveaxis(x, axes, range(len(axes)))


@settings(max_examples=50)
@given(indexed())
def test_gather(case: tuple[Any, tuple[int, ...], tuple[Any, ...]]) -> None:
    x, axes, indices = case
    agree(in_front(x, axes)[indices], run("gather", x, *indices, axes=axes))


@settings(max_examples=60)
@given(indexed(), st.sampled_from(["set", "add", "subtract", "multiply", "maximum", "fmin", "logical_or", "copysign"]))
def test_scatter(case: tuple[Any, tuple[int, ...], tuple[Any, ...]], kind: str) -> None:
    x, axes, indices = case
    value = numbers(in_front(x, axes)[indices].shape, start=-3)
    expected = x.copy()
    if kind == "set":
        in_front(expected, axes)[indices] = value
    else:
        getattr(np, kind).at(in_front(expected, axes), indices, value)
    agree(expected, run("scatter", x, value, *indices, axes=axes, kind=kind))


@pytest.mark.parametrize("kind", ["set", "add", "subtract", "multiply", "fmax", "floor_divide"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u1"])
def test_repeated_indices_are_applied_in_order(kind: str, dtype: str) -> None:
    rng = np.random.default_rng(0)
    # Floats of many sizes: any other order of additions rounds differently.
    value = (rng.uniform(0.5, 2.0, 20_000) * 2.0 ** rng.integers(-8, 8, 20_000)).astype(dtype)
    if kind in ("multiply", "floor_divide"):
        # Products that stay clear of denormal numbers, which XLA takes for zero; divisors that are not zero.
        value = np.maximum(rng.uniform(0.9, 1.1, 20_000), 1 if kind == "floor_divide" else 0).astype(dtype)
    x = np.ones(50, dtype)
    index = rng.integers(-50, 50, 20_000)
    expected = x.copy()
    with np.errstate(all="ignore"):
        if kind == "set":
            expected[index] = value
        else:
            getattr(np, kind).at(expected, index, value)
    agree(expected, run("scatter", x, value, index, axes=(0,), kind=kind))


def test_the_last_of_many_writes_wins() -> None:
    rng = np.random.default_rng(1)
    index, value = rng.integers(0, 1000, 100_000), numbers((100_000,))
    expected = np.zeros(1000)
    expected[index] = value
    agree(expected, run("scatter", np.zeros(1000), value, index, axes=(0,), kind="set"))


def test_rows_written_more_than_once() -> None:
    x, index = numbers((4, 3)), np.array([2, 0, 2, -2])
    value = numbers((4, 3), start=100)
    expected = x.copy()
    expected[index] = value
    agree(expected, run("scatter", x, value, index, axes=(0,), kind="set"))


@settings(max_examples=25)
@given(indexed())
def test_last_writers_in_any_order(case: tuple[Any, tuple[int, ...], tuple[Any, ...]]) -> None:
    """What a GPU needs, where updates are applied in any order: here, backwards."""
    import jax

    x, axes, indices = case
    shape = np.broadcast_shapes(*(i.shape for i in indices))
    extents = tuple(x.shape[a] for a in axes)
    wrapped = [np.broadcast_to(np.where(i < 0, i + n, i), shape) for i, n in zip(indices, extents, strict=True)]
    stacked = np.stack(wrapped, -1).astype(np.int32)
    if stacked.size == 0:
        return
    kept = np.asarray(_last_writers(jax, jax.numpy.asarray(stacked), extents)).reshape(-1, len(axes))
    value = numbers(in_front(x, axes)[indices].shape, start=1000)
    expected, actual = x.copy(), x.copy()
    in_front(expected, axes)[indices] = value
    for index, block in reversed(list(zip(kept.tolist(), value.reshape(len(kept), *value.shape[len(shape) :])))):
        if min(index) >= 0:
            in_front(actual, axes)[tuple(index)] = block
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("index", [[9, -9, 1], [2**40, -(2**40), 1], [2**62, -(2**63), 1]])
def test_what_is_out_of_range_harms_nothing_else(index: list[int]) -> None:
    x, where = numbers((4,)), np.array(index)
    for result in run("gather", x, where, axes=(0,)):
        assert result[2] == x[1]
    value = np.array([100.0, 200.0, 300.0])
    for result in run("scatter", x, value, where, axes=(0,), kind="set"):
        assert result[1] == 300.0
        assert result[2] == x[2]


def test_empty_axes_are_neither_read_nor_written() -> None:
    empty, index = np.zeros((0, 3)), np.array([0, 5])
    for result in run("gather", empty, index, axes=(0,)):
        assert result.shape == (2, 3)
    agree(empty, run("scatter", empty, np.ones((2, 3)), index, axes=(0,), kind="set"))


@pytest.mark.parametrize(
    ("name", "types", "attrs", "error", "message"),
    [
        ("slice", ["f64[4]"], {"start": (0,), "stop": (5,), "step": (1,)}, ValueError, "leaves an axis of 4"),
        ("slice", ["f64[4]"], {"start": (0,), "stop": (4,), "step": (0,)}, ValueError, "slice step cannot be zero"),
        ("slice", ["f64[4]"], {"start": (), "stop": (), "step": ()}, ValueError, "as many bounds"),
        ("slice", ["float"], {"start": (), "stop": (), "step": ()}, TypeError, "cast it first"),
        ("update_slice", ["f64[4]", "f64[3]"], {"start": (0,), "stop": (2,), "step": (1,)}, ValueError,
         r"could not broadcast input array from shape \(3,\) into shape \(2,\)"),
        ("update_slice", ["f64[4]", "f32[2]"], {"start": (0,), "stop": (2,), "step": (1,)}, TypeError,
         "the array's dtype"),
        ("dynamic_slice", ["f64[4]", "i32[]"], {"lengths": (2,)}, TypeError, r"one i64\[\] start an axis"),
        ("dynamic_slice", ["f64[4]", "i64[]"], {"lengths": (5,)}, ValueError, "leaves an axis of 4"),
        ("dynamic_update_slice", ["f64[4]", "f64[5]", "i64[]"], {}, ValueError, "could not broadcast"),
        ("gather", ["f64[4]", "i32[2]"], {"axes": (0,)}, TypeError, "one i64 index array an axis"),
        ("gather", ["f64[4]", "i64[2]"], {"axes": (1,)}, ValueError, "ascending axes"),
        ("gather", ["f64[4,4]", "i64[2]", "i64[3]"], {"axes": (0, 1)}, IndexError,
         r"could not be broadcast together with shapes \(2,\) \(3,\)"),
        ("scatter", ["f64[4]", "f64[3]", "i64[2]"], {"axes": (0,), "kind": "set"}, ValueError, "could not broadcast"),
        ("scatter", ["f64[4]", "f64[2]", "i64[2]"], {"axes": (0,), "kind": "sqrt"}, ValueError, "binary ufunc"),
        ("scatter", ["f64[4]", "f64[2]", "i64[2]"], {"axes": (0,), "kind": "nothing"}, ValueError, "no kind 'nothing'"),
        ("scatter", ["i64[4]", "i64[2]", "i64[2]"], {"axes": (0,), "kind": "divide"}, TypeError, "no loop"),
        ("reshape", ["f64[3,4]"], {"shape": (5,)}, ValueError, r"cannot reshape array of size 12 into shape \(5,\)"),
        ("transpose", ["f64[3,4]"], {"axes": (0,)}, ValueError, "axes don't match array"),
        ("transpose", ["f64[3,4]"], {"axes": (0, 0)}, ValueError, "repeated axis"),
        ("broadcast", ["f64[3]"], {"shape": (4,)}, ValueError, r"\(3,\)  and requested shape \(4,\)"),
        ("broadcast", ["f64[3,1]"], {"shape": (3,)}, ValueError, "more dimensions than allowed"),
        ("concatenate", [], {"axis": 0}, ValueError, "need at least one array"),
        ("concatenate", ["f64[]", "f64[]"], {"axis": 0}, ValueError, "zero-dimensional arrays"),
        ("concatenate", ["f64[2]", "f32[2]"], {"axis": 0}, TypeError, "one dtype"),
        ("concatenate", ["f64[2,3]", "f64[2]"], {"axis": 0}, ValueError, r"index 1 has 1 dimension"),
        ("concatenate", ["f64[2,3]", "f64[2,4]"], {"axis": 0}, ValueError, "along dimension 1, .* 0 has size 3"),
        ("concatenate", ["f64[2]"], {"axis": 1}, ValueError, "axis 1 is out of bounds for array of dimension 1"),
        ("pad", ["f64[2]", "f64[]"], {"low": (-1,), "high": (0,)}, ValueError, "can't contain negative values"),
        ("pad", ["f64[2]", "f64[1]"], {"low": (0,), "high": (0,)}, TypeError, "a scalar of its dtype"),
        ("roll", ["f64[2]"], {"shift": 1, "axis": 2}, ValueError, "axis 2 is out of bounds"),
        ("diagonal", ["f64[2]"], {"offset": 0, "axis1": 0, "axis2": 1}, ValueError, "at least two dimensions"),
        ("diagonal", ["f64[2,2]"], {"offset": 0, "axis1": 1, "axis2": 1}, ValueError, "cannot be the same"),
    ],
)  # fmt: skip
def test_type_rules_refuse(
    name: str, types: list[str], attrs: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        infer(name, *types, **attrs)


@pytest.mark.parametrize("call", [
    lambda: np.zeros(12).reshape(5), lambda: np.concatenate([]), lambda: np.concatenate([1, 2]),
    lambda: np.broadcast_to(np.zeros(3), (4,)), lambda: np.diagonal(np.zeros(2)),
    lambda: np.diagonal(np.zeros((2, 2)), 0, 1, 1), lambda: np.zeros((3, 4)).transpose(0, 0),
    lambda: np.zeros(4).__setitem__(slice(0, 2), np.zeros(3)),
])  # fmt: skip
def test_messages_are_those_of_numpy(call: Any) -> None:
    """The words above are NumPy's, not our memory of them."""
    words = ["cannot reshape array of size 12 into shape (5,)", "need at least one array to concatenate",
             "zero-dimensional arrays cannot be concatenated", "(3,)  and requested shape (4,)",
             "diag requires an array of at least two dimensions", "axis1 and axis2 cannot be the same",
             "repeated axis in transpose",
             "could not broadcast input array from shape (3,) into shape (2,)"]  # fmt: skip
    with pytest.raises(ValueError, match=r".") as raised:
        call()
    assert any(w in str(raised.value) for w in words), str(raised.value)


def test_symbolic_extents() -> None:
    n = symbol("ops_index_n", 10)
    x = ArrayType(np.dtype("f8"), (n, 4))
    assert infer("slice", x, start=(0, 1), stop=(n, 3), step=(1, 1)).shape == (n, 2)
    assert infer("slice", x, start=(1, 0), stop=(n, 4), step=(1, 2)).shape == (n - 1, 2)
    assert infer("concatenate", x, x, axis=0).shape == (2 * n, 4)
    assert infer("reshape", x, shape=(2, n, 2)).shape == (2, n, 2)
    assert infer("pad", x, "f64[]", low=(1, 0), high=(2, 0)).shape == (n + 3, 4)
    assert infer("dynamic_slice", x, "i64[]", "i64[]", lengths=(n, 2)).shape == (n, 2)
    with pytest.raises(ValueError, match="step 1 or -1"):
        infer("slice", x, start=(0, 0), stop=(n, 4), step=(2, 1))
    with pytest.raises(ValueError, match="cannot reshape"):
        infer("reshape", x, shape=(n, 3))


def test_access_is_as_narrow_as_it_can_be() -> None:
    """Generic tests show that access excludes nothing it should not; these, that it excludes the rest."""
    x, value = parse("f64[6,5]"), parse("f64[4,5]")

    def access(name: str, *types: ArrayType, **attrs: Any) -> Any:
        return OPS[name].access(*types, **attrs)

    bounds = {"start": (1, 4), "stop": (5, -1), "step": (1, -1)}
    assert access("slice", x, **bounds) == ((Along(0, 1, 1), Along(1, 4, 4, -1)),)
    assert access("update_slice", x, value, **bounds) == (
        (Along(0), Along(1)), (Along(0, -1, -1), Along(1, 4, 4, -1)),
    )  # fmt: skip
    assert access("pad", x, parse("f64[]"), low=(2, 0), high=(0, 1)) == ((Along(0, -2, -2), Along(1)), ())
    assert access("concatenate", x, value, axis=0) == ((Along(0), Along(1)), (Along(0, -6, -6), Along(1)))
    assert access("roll", x, shift=1, axis=1) == ((Along(0), Whole()),)
    assert access("reshape", parse("f64[6,5,2]"), shape=(6, 10)) == ((Along(0), Opaque(), Opaque()),)
    assert access("reshape", parse("f64[6,5,2]"), shape=(3, 10, 2)) == ((Opaque(), Opaque(), Along(2)),)
    assert access("diagonal", x, offset=-1, axis1=0, axis2=1) == ((Along(0, 1, 1), Along(0)),)
    assert access("gather", x, parse("i64[3]"), axes=(0,)) == ((Opaque(), Along(1)), (Along(0),))
    assert access("scatter", x, parse("f64[3,5]"), parse("i64[3]"), axes=(0,), kind="add") == (
        (Along(0), Along(1)), (Opaque(), Along(1)), (Opaque(),),
    )  # fmt: skip
    assert access("dynamic_slice", x, parse("i64[]"), parse("i64[]"), lengths=(2, 5)) == ((Opaque(), Along(1)), (), ())


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 40])
def test_owners_of_indices(count: int) -> None:
    """In the order of the positions, and of the indices of each; also where a position has nothing."""
    rng = np.random.default_rng(count)
    stops = [*sorted(rng.integers(0, 50, count - 1).tolist()), 50]
    have = tuple(zip([0, *stops[:-1]], stops, strict=True))
    for size in (0, 1, 500):
        index = rng.integers(0, 50, size)
        order, groups = by_index._owners(index, have)
        expected = [[k for k, i in enumerate(index) if start <= i < stop] for start, stop in have]
        assert [g.tolist() for g in groups] == expected
        assert order.tolist() == [k for group in expected for k in group]
