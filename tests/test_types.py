"""Types and extents: interned, printed, parsed; shapes broadcast as NumPy's."""

from __future__ import annotations

import pickle
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from lazyarr.ir import extents, types
from lazyarr.ir.types import DTYPES, NAMES, WEAK, ArrayType, of, parse
from tests.threads import switching_often

SHAPES = st.lists(st.integers(0, 5), max_size=4).map(tuple)


@given(st.sampled_from(list(DTYPES.values())), SHAPES)
def test_a_type_is_one_object_and_comes_back_from_its_text(dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    found = ArrayType(dtype, shape)
    assert ArrayType(np.dtype(dtype.str), tuple(shape)) is found
    assert parse(str(found)) is found
    assert parse(f" {found} ") is found
    assert pickle.loads(pickle.dumps(found)) is found
    array = np.zeros(shape, dtype)
    assert of(array) is found
    assert (found.ndim, found.size, found.nbytes) == (array.ndim, array.size, array.nbytes)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("bool", np.bool_), ("i8", np.int8), ("u16", np.uint16), ("f16", np.float16), ("f64", np.float64),
     ("c64", np.complex64), ("c128", np.complex128)],
)  # fmt: skip
def test_names_are_bits(name: str, dtype: type) -> None:
    assert DTYPES[name] == np.dtype(dtype)
    assert NAMES[np.dtype(dtype)] == name


@pytest.mark.parametrize("value", [1, 1.5, 1j])
def test_python_scalars_have_weak_types(value: complex) -> None:
    found = of(value)
    assert found.weak
    assert found.python is type(value)
    assert str(found) == type(value).__name__
    assert parse(str(found)) is found
    assert found is not ArrayType(WEAK[type(value)])


def test_a_bool_is_not_weak() -> None:
    assert of(True) is parse("bool[]")
    assert of(np.float32(1)) is parse("f32[]")


def test_byte_order_is_native() -> None:
    assert of(np.zeros(3, ">f8")) is parse("f64[3]")


@pytest.mark.parametrize("value", ["text", np.zeros(3, "M8[s]"), object(), np.zeros(2, np.longdouble)])
def test_other_dtypes_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="is not one lazyarr compiles: bool, i8"):
        of(value)


def test_types_do_not_change() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        parse("f64[3]").weak = True


@pytest.mark.parametrize(("dtype", "shape"), [("f64", (3,)), ("f32", ()), ("bool", ())])
def test_weak_types_are_python_scalars(dtype: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match="a weak type is a Python scalar"):
        ArrayType(DTYPES[dtype], shape, True)


@pytest.mark.parametrize("text", ["", "f64", "f64[", "f63[3]", "f64[3]]", "f64[3", "double", "f64(3)", "[3]"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{text!r} is not a type; expected")):
        parse(text)


# ------------------------------------------------------------------------------------------------ extents


_FITTING = mutually_broadcastable_shapes(num_shapes=3).map(lambda found: list(found.input_shapes))


@given(st.one_of(st.lists(SHAPES, min_size=1, max_size=3), _FITTING))
def test_shapes_broadcast_as_in_numpy(shapes: list[tuple[int, ...]]) -> None:
    try:
        expected = np.broadcast_shapes(*shapes)
    except ValueError:
        with pytest.raises(ValueError, match="operands could not be broadcast together with shapes"):
            extents.broadcast(*shapes)
    else:
        assert extents.broadcast(*shapes) == expected


def test_broadcasting_fails_in_numpys_words() -> None:
    with pytest.raises(ValueError) as theirs:
        np.add(np.zeros((2, 3)), np.zeros(4))
    with pytest.raises(ValueError) as ours:
        extents.broadcast((2, 3), (4,))
    assert str(ours.value) == str(theirs.value)


def test_symbolic_extents_broadcast_when_equal() -> None:
    n = extents.symbol("tn", 9)
    assert extents.broadcast((n, 3), (n, 1)) == (n, 3)
    assert extents.broadcast((1,), (n + 1,)) == (n + 1,)
    with pytest.raises(ValueError, match=r"shapes \(tn,\) \(tn\+1,\)"):
        extents.broadcast((n,), (n + 1,))


def test_symbols_have_one_bound() -> None:
    n = extents.symbol("tb", 4)
    assert extents.symbol("tb", 4) == n
    with pytest.raises(ValueError, match="extent tb has the bound 4, not 5"):
        extents.symbol("tb", 5)


def test_bounds_of_expressions() -> None:
    n, m = extents.symbol("tp", 9), extents.symbol("tq", 5)
    assert extents.bound(12) == 12
    assert extents.bound(2 * n + 1) == 19
    assert extents.bound(n - m + 5) == 14
    assert extents.bound(9 - n) == 9
    assert extents.bound((n + 1) * (m + 1)) == 60


@pytest.mark.parametrize("text", ["te+1", "2*te", "te**2", "9-te", "te/2+1", "(te+1)*te"])
def test_extents_come_back_from_their_text(text: str) -> None:
    extents.symbol("te", 9)
    found = extents.parse(text)
    assert extents.parse(extents.show(found)) == found
    assert types.parse(f"f64[{text},3]").shape == (found, 3)


def test_extents_fold_to_numbers() -> None:
    extents.symbol("tf", 9)
    assert extents.parse("tf-tf+3") == 3
    assert type(extents.parse("tf-tf+3")) is int
    assert extents.size((2, 3, 0)) == 0
    assert extents.size(()) == 1
    assert extents.is_static((2, 3))
    assert not extents.is_static((2, extents.symbol("tf", 9)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("undeclared", "uses the undeclared symbol undeclared"),
        ("__import__('os')", "is not an expression"),
        ("(1).real", "is not an expression"),
        ("'a'", "is not an expression"),
        ("1.5", "is not an expression"),
        ("1 2", "is not an extent"),
        ("", "is not an extent"),
    ],
)
def test_extents_are_read_and_never_run(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        extents.parse(text)


def test_threads_that_make_one_type_at_a_time_get_one_object() -> None:
    """Types are compared by identity, in every thread."""
    ready = threading.Barrier(4)

    def made(_: int) -> list[ArrayType]:
        ready.wait()
        return [ArrayType(np.dtype("f8"), (100_003 + k, 7)) for k in range(3000)]

    with switching_often():
        with ThreadPoolExecutor(4) as threads:
            lists = list(threads.map(made, range(4)))
    for same in zip(*lists, strict=True):
        assert all(one is same[0] for one in same)
