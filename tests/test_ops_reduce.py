"""Reductions, running reductions, extrema, sorting and counting against NumPy, in both back ends."""

from __future__ import annotations

import itertools
from typing import Any, Literal

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from lazyarr.ir.access import Along, Reduced, Whole
from lazyarr.ir.extents import symbol
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES, ArrayType, parse
from lazyarr.ops.reduce import KINDS
from lazyarr.ops.sort import SHORT
from tests.one_op import agree, run

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.5])


def infer(name: str, *types: str | ArrayType, **attrs: Any) -> Any:
    return OPS[name].infer(*(parse(t) if isinstance(t, str) else t for t in types), **attrs)


def values(dtype: Any, shape: tuple[int, ...], seed: int, special: bool = False) -> Any:
    """Small integers in any dtype (their sums are exact), or NaN, infinities and both zeros among them."""
    rng = np.random.default_rng(seed)

    def draw() -> Any:
        x = rng.integers(-3, 4, shape).astype(np.float64)
        return np.where(rng.random(shape) < 0.4, rng.choice(SPECIAL, shape), x) if special else x

    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        x = np.empty(shape, dtype)
        x.real, x.imag = draw(), draw()
        return x
    x = draw()
    if dtype.kind == "b":
        return np.asarray(x > 0)
    return np.asarray(x if dtype.kind == "f" else np.abs(np.nan_to_num(x, posinf=3, neginf=2)), dtype)


def expected_reduction(kind: str, x: Any, axes: Any) -> Any:
    with np.errstate(all="ignore"):
        return getattr(np, kind).reduce(x, axis=axes, dtype=None if kind.startswith("logical") else x.dtype)


shapes = st.lists(st.integers(1, 5), max_size=3).map(tuple)


@settings(max_examples=60)
@given(shapes, st.sampled_from(KINDS), st.sampled_from(sorted(DTYPES)), st.data())
def test_reduce(shape: tuple[int, ...], kind: str, name: str, data: st.DataObject) -> None:
    if kind.startswith("bitwise") and DTYPES[name].kind not in "biu":
        name = "i16"
    axes = tuple(sorted(data.draw(st.sets(st.integers(0, len(shape) - 1))))) if shape else ()
    special = kind not in ("add", "multiply") or DTYPES[name].kind == "f"
    x = values(DTYPES[name], shape, data.draw(st.integers(0, 999)), special)
    agree(expected_reduction(kind, x, axes), run("reduce", x, kind=kind, axes=axes), rtol=1e-6)


@pytest.mark.parametrize("kind", ["add", "multiply", "maximum", "fmin", "logical_xor"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [((1, 2048), (0,)), ((3, 2050), (0,)), ((8, 2048), (0,)), ((21, 2100), (0,)), ((2, 9, 2048), (1,)),
     ((3, 7, 2048), (0, 1)), ((2, 3, 2, 2048), (0, 2)), ((2, 11, 41, 50), (1,))],
)  # fmt: skip
def test_reductions_over_rows(kind: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    """Rows long enough for the lowering that adds whole rows."""
    x = values(np.float64, shape, 0, special=kind in ("maximum", "fmin"))
    agree(expected_reduction(kind, x, axes), run("reduce", x, kind=kind, axes=axes))


@pytest.mark.parametrize("name", ["f32", "c64"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (4, 2048), (17, 2048)])
def test_sums_of_negative_zeros(name: str, shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, DTYPES[name])
    x = -x if name == "f32" else -x - 1j * x.imag
    for axes in itertools.chain([()], [(0,)] if shape else []):
        expected = expected_reduction("add", x, axes)
        for result in run("reduce", x, kind="add", axes=axes):
            assert np.array_equal(np.signbit(result.real), np.signbit(np.asarray(expected).real))
            assert np.array_equal(np.signbit(result.imag), np.signbit(np.asarray(expected).imag))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_long_sums_are_as_good_as_pairwise_ones(dtype: str) -> None:
    x = np.random.default_rng(0).uniform(0, 1, (300, 2100)).astype(dtype)
    for axes in [(0,), (1,), (0, 1)]:
        exact = np.add.reduce(x.astype(np.longdouble), axis=axes)
        if np.max(exact) < np.finfo(dtype).max:
            for result in run("reduce", x, kind="add", axes=axes):
                error = np.max(np.abs(result.astype(np.longdouble) - exact) / exact) / np.finfo(dtype).eps
                assert error < 32, f"{error} units in the last place over {axes}"


@pytest.mark.parametrize("dtype", ["i1", "u1", "i4", "u8"])
def test_integers_wrap(dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 127, (40, 3)).astype(dtype)
    for kind in ("add", "multiply"):
        agree(expected_reduction(kind, x, (0,)), run("reduce", x, kind=kind, axes=(0,)))
        agree(getattr(np, kind).accumulate(x, 0, x.dtype), run("accumulate", x, kind=kind, axis=0))


def test_empty_reductions() -> None:
    for kind in KINDS:
        ufunc = getattr(np, kind)
        for shape, axes in [
            ((0,), (0,)), ((0, 3), (0,)), ((0, 3), (1,)), ((0, 0), (1,)), ((2, 0, 3), (0, 1)), ((0, 2), ())
        ]:  # fmt: skip
            x = np.zeros(shape, np.int32)
            attrs = {"kind": kind, "axes": axes}
            try:
                expected = ufunc.reduce(x, axis=axes, dtype=None if kind.startswith("logical") else x.dtype)
            except ValueError as error:
                with pytest.raises(ValueError, match=f"^{error}$"):
                    infer("reduce", ArrayType(x.dtype, shape), **attrs)
            else:
                agree(expected, run("reduce", x, **attrs))


@settings(max_examples=40)
@given(shapes.filter(len), st.sampled_from(["argmax", "argmin"]), st.sampled_from(sorted(DTYPES)), st.data())
def test_position_of_extremum(shape: tuple[int, ...], name: str, dtype: str, data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    x = values(DTYPES[dtype], shape, data.draw(st.integers(0, 999)), data.draw(st.booleans()))
    agree(getattr(np, name)(x, axis), run(name, x, axis=axis))


def test_position_in_nothing() -> None:
    for name in ("argmax", "argmin"):
        with pytest.raises(ValueError, match=f"^attempt to get {name} of an empty sequence$"):
            getattr(np, name)(np.zeros((3, 0)), 1)
        with pytest.raises(ValueError, match=f"^attempt to get {name} of an empty sequence$"):
            infer(name, "f64[3,0]", axis=1)
        agree(getattr(np, name)(np.zeros((0, 3)), 1), run(name, np.zeros((0, 3)), axis=1))


@settings(max_examples=60)
@given(
    st.sampled_from([(1,), (7,), (8,), (9,), (40,), (5, 8), (3, 19), (7, 4, 3), (2, 9, 20), (1, 5), (4, 1), (17, 30)]),
    st.sampled_from(KINDS),
    st.sampled_from(sorted(DTYPES)),
    st.data(),
)
def test_accumulate(shape: tuple[int, ...], kind: str, name: str, data: st.DataObject) -> None:
    if kind.startswith("bitwise") and DTYPES[name].kind not in "biu":
        name = "u16"
    axis = data.draw(st.integers(0, len(shape) - 1))
    special = DTYPES[name].kind == "f" or kind not in ("add", "multiply")
    x = values(DTYPES[name], shape, data.draw(st.integers(0, 999)), special)
    with np.errstate(all="ignore"):
        expected = getattr(np, kind).accumulate(x, axis, None if kind.startswith("logical") else x.dtype)
    agree(expected, run("accumulate", x, kind=kind, axis=axis), rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "axis"), [((1003,), 0), ((37, 29), 0), ((37, 29), 1), ((5, 60, 3), 1), ((5, 6, 70), 1)]
)
def test_running_sums_are_the_same_to_the_last_bit(shape: tuple[int, ...], axis: int) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, shape)
    agree(np.cumsum(x, axis), run("accumulate", x, kind="add", axis=axis))
    x[x < 0] = -0.0
    for result in run("accumulate", x, kind="add", axis=axis):
        assert result.tobytes() == np.cumsum(x, axis).tobytes()


@pytest.mark.parametrize("length", [3, 8, 12, 20])
def test_running_sum_of_a_reshaped_operand(length: int) -> None:
    """XLA may write the result over the memory of an operand that is only seen in another shape."""
    import jax

    x = np.arange(1.0, 2 * length + 1).reshape(2, length)
    with jax.enable_x64(True):
        summed = jax.jit(lambda a: OPS["accumulate"].jax(jax, a.reshape(-1), kind="add", axis=0))(x)  # type: ignore[misc]
    np.testing.assert_array_equal(np.asarray(summed), np.cumsum(x))


@pytest.mark.parametrize(
    ("name", "types", "attrs", "error", "message"),
    [
        ("reduce", ["f64[3]"], {"kind": "add", "axes": (1,)}, ValueError, "axis 1 is out of bounds"),
        ("reduce", ["f64[3,3]"], {"kind": "add", "axes": (1, 0)}, ValueError, "ascending axes"),
        ("reduce", ["f64[3]"], {"kind": "subtract", "axes": (0,)}, ValueError, "no reduction is called 'subtract'"),
        ("reduce", ["f64[3]"], {"kind": "bitwise_or", "axes": (0,)}, TypeError, "bitwise_or"),
        ("reduce", ["int"], {"kind": "add", "axes": ()}, TypeError, "cast it first"),
        ("argmax", ["f64[]"], {"axis": 0}, ValueError, "axis 0 is out of bounds"),
        ("accumulate", ["f64[3]"], {"kind": "add", "axis": 1}, ValueError, "axis 1 is out of bounds"),
        ("sort", ["f64[]"], {"axis": 0, "stable": True}, ValueError, "axis 0 is out of bounds"),
        ("partition", ["f64[3]"], {"axis": 0, "kth": (3,)}, ValueError, r"kth\(=3\) out of bounds \(3\)"),
        ("searchsorted", ["f64[3]", "f64[3]"], {"side": "middle"}, ValueError, "must be 'left' or 'right'"),
        ("searchsorted", ["f64[3,3]", "f64[3]"], {"side": "left"}, ValueError, "object too deep for desired array"),
        ("searchsorted", ["f64[3]", "f32[3]"], {"side": "left"}, TypeError, "one dtype"),
        ("bincount", ["i64[2,2]"], {"length": 3}, ValueError, "object too deep for desired array"),
        ("bincount", ["f64[2]"], {"length": 3}, TypeError, "i64"),
        ("bincount_weights", ["i64[2]", "f64[3]"], {"length": 3}, ValueError, "don't have the same length"),
        ("bincount_weights", ["i64[2]", "i64[2]"], {"length": 3}, TypeError, "f64 weights"),
    ],
)  # fmt: skip
def test_type_rules_refuse(
    name: str, types: list[str], attrs: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        infer(name, *types, **attrs)


def test_symbolic_extents_and_access() -> None:
    n = symbol("ops_reduce_n", 10)
    x = ArrayType(np.dtype("f8"), (3, n, 4))
    assert infer("reduce", x, kind="add", axes=(0, 2)).shape == (n,)
    assert infer("argmax", x, axis=1).shape == (3, 4)
    assert infer("accumulate", x, kind="add", axis=1).shape == (3, n, 4)
    assert infer("sort", x, axis=1, stable=True).shape == (3, n, 4)
    assert OPS["reduce"].access(x, kind="add", axes=(0, 2)) == ((Reduced("add"), Along(0), Reduced("add")),)
    assert OPS["argmin"].access(x, axis=1) == ((Along(0), Whole(), Along(1)),)
    assert OPS["accumulate"].access(x, kind="add", axis=1) == ((Along(0), Whole(), Along(2)),)


# --- sorting, searching, counting ------------------------------------------------------------------------


@settings(max_examples=25)
@given(shapes.filter(len), st.sampled_from(sorted(DTYPES)), st.data())
def test_sort_and_stable_argsort(shape: tuple[int, ...], name: str, data: st.DataObject) -> None:
    axis = data.draw(st.integers(0, len(shape) - 1))
    x = values(DTYPES[name], shape, data.draw(st.integers(0, 999)), data.draw(st.booleans()))
    agree(np.sort(x, axis), run("sort", x, axis=axis, stable=False))
    agree(np.argsort(x, axis, kind="stable"), run("argsort", x, axis=axis, stable=True))


def test_both_zeros_are_equal_in_a_stable_sort() -> None:
    x = np.array([0.0, -0.0, 1.0, -0.0, 0.0, -1.0])
    agree(np.argsort(x, kind="stable"), run("argsort", x, axis=0, stable=True))
    for result in run("sort", x, axis=0, stable=True):
        assert result.tobytes() == np.sort(x, kind="stable").tobytes()


@pytest.mark.parametrize("name", sorted(DTYPES))
@pytest.mark.parametrize(("shape", "axis"), [((2, 6), 1), ((0, 2), 0)])
def test_short_sort_is_stable(shape: tuple[int, ...], axis: int, name: str) -> None:
    x = values(DTYPES[name], shape, 3, special=True)
    for result in run("sort_short", x, axis=axis):
        expected = np.sort(x, axis, kind="stable")
        np.testing.assert_array_equal(result, expected)
        known = ~np.isnan(expected)
        assert np.array_equal(np.signbit(result.real)[known], np.signbit(expected.real)[known])


def test_short_sort_orders_every_arrangement() -> None:
    """A network that sorts all arrangements of zeros and ones sorts everything (the 0-1 principle)."""
    for n in range(2, SHORT + 1):
        x = (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(np.int8)
        agree(np.sort(x, 1), run("sort_short", x, axis=1))


def test_short_sort_refuses_a_long_axis() -> None:
    with pytest.raises(ValueError, match=f"an axis of at most {SHORT}, got {SHORT + 1}"):
        infer("sort_short", f"f64[{SHORT + 1}]", axis=0)


@pytest.mark.parametrize("kth", [(3,), (0, 7), (11,), ()])
def test_partition(kth: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).permutation(12).astype(float)
    ordered = np.sort(x)
    for result in run("partition", x, kth=kth, axis=0):
        assert np.array_equal(np.sort(result), ordered)
        for k in kth:
            assert result[k] == ordered[k]
            assert np.all(result[:k] <= result[k])
            assert np.all(result[k:] >= result[k])
    for at in run("argpartition", x, kth=kth, axis=0):
        assert np.array_equal(np.sort(at), np.arange(12))
        for k in kth:
            assert np.array_equal(np.sort(x[at[:k]]), ordered[:k])
            assert x[at[k]] == ordered[k]


@settings(max_examples=30)
@given(
    st.integers(0, 12), shapes, st.sampled_from(sorted(DTYPES)), st.sampled_from(["left", "right"]), st.integers(0, 999)
)
def test_searchsorted(n: int, shape: tuple[int, ...], name: str, side: Literal["left", "right"], seed: int) -> None:
    a = np.sort(values(DTYPES[name], (n,), seed, special=True))
    v = values(DTYPES[name], shape, seed + 1, special=True)
    agree(np.searchsorted(a, v, side), run("searchsorted", a, v, side=side))


def test_bincount() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.integers(0, 50, 5000), rng.uniform(-1, 1, 5000)
    agree(np.bincount(x, minlength=60), run("bincount", x, length=60))
    agree(np.bincount(x, w, 60), run("bincount_weights", x, w, length=60))
    nothing = x[:0]
    agree(np.bincount(nothing, w[:0], 3), run("bincount_weights", nothing, w[:0], length=3))
    # A check raises before such a count is used; it must only be harmless.
    for result in run("bincount", np.array([-1, 2, 99, 2]), length=4):
        assert np.array_equal(result, [0, 0, 2, 0])
