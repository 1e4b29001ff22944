"""The scalar types of the drop-in namespace: NumPy's classes, but of a lazy argument they make a lazy scalar."""

from __future__ import annotations

import copy
import pickle
import typing
import warnings
from typing import Any

import numpy
import pytest

import lazyarr.numpy as np
from lazyarr import settings
from lazyarr.array import LazyArray

CONCRETE = [
    "bool", "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32",
    "float64", "complex64", "complex128", "int_", "intp", "double", "single", "byte", "half", "cdouble",
]  # fmt: skip
ABSTRACT = [
    "generic", "number", "integer", "signedinteger", "unsignedinteger", "inexact", "floating", "complexfloating",
]  # fmt: skip


def both(name: str) -> tuple[Any, Any]:
    return getattr(np, name), getattr(numpy, name)


@pytest.mark.parametrize("name", CONCRETE)
def test_is_a_dtype_argument(name: str) -> None:
    ours, real = both(name)
    assert numpy.dtype(ours) is numpy.dtype(real)
    assert numpy.zeros(3, dtype=ours).dtype == real
    assert numpy.arange(3).astype(ours).dtype == real
    assert np.zeros(3, ours).dtype == real
    assert np.zeros(3, ours).dtype == ours
    assert np.arange(3).astype(ours).dtype == ours
    assert numpy.result_type(ours, "i1") == numpy.result_type(real, "i1")
    assert numpy.can_cast(ours, "f8") == numpy.can_cast(real, "f8")
    assert np.zeros(3, numpy.dtype([("x", ours)])).dtype == numpy.dtype([("x", real)])
    assert numpy.array([1, 0], ours).dtype is numpy.dtype(real)


@pytest.mark.parametrize("name", [*CONCRETE, *ABSTRACT])
def test_equals_numpys_class(name: str) -> None:
    ours, real = both(name)
    assert ours == real and real == ours and not ours != real
    assert hash(ours) == hash(real)
    assert {real: 1}[ours] == 1 and real in (ours,)
    assert ours != numpy.str_
    assert repr(ours) == repr(real) and ours.__name__ == real.__name__ and isinstance(ours, type)
    assert pickle.loads(pickle.dumps(ours)) is real
    assert copy.deepcopy(ours) == real


@pytest.mark.parametrize("name", [*CONCRETE, *ABSTRACT])
@pytest.mark.parametrize("other", [*ABSTRACT, "float64", "bool_", "int8"])
def test_subclasses(name: str, other: str) -> None:
    (ours, real), (our_base, base) = both(name), both(other)
    expected = issubclass(real, base)
    assert issubclass(ours, our_base) is expected and issubclass(real, our_base) is expected
    if real is not numpy.bool_ or base is numpy.bool_:
        # numpy.bool cannot have subclasses: only the namespace's own classes know that theirs is one.
        assert issubclass(ours, base) is (expected and real is not numpy.bool_)
    if name in CONCRETE:
        for f in (numpy.issubdtype, np.issubdtype):
            assert f(numpy.dtype(real), our_base) is expected


@pytest.mark.parametrize("name", [*CONCRETE, *ABSTRACT])
@pytest.mark.parametrize("kind", ["bool", "int8", "uint64", "float32", "float64", "complex64"])
def test_instances(name: str, kind: str) -> None:
    ours, real = both(name)
    scalar = getattr(numpy, kind)(1)
    assert isinstance(scalar, ours) is isinstance(scalar, real)
    array = np.ones(3, kind)
    assert isinstance(array[0], ours) is isinstance(scalar, real)
    assert not isinstance(array, ours) and not isinstance(np.array(1, kind), ours)
    assert not isinstance(1.5, ours) and not isinstance("1", ours)


def test_information_and_annotations() -> None:
    assert numpy.finfo(np.float32) == numpy.finfo(numpy.float32) == np.finfo(np.float32)
    assert np.iinfo(np.int16).max == numpy.iinfo(np.int16).max == 32767

    def f(x: np.float64 | None, y: typing.Optional[np.int8] = None) -> np.bool_: ...  # noqa: UP045

    assert typing.get_type_hints(f, {"np": np, "typing": typing})["x"] == np.float64 | None
    assert numpy.float64.fromhex("0x1p3") == np.float64.fromhex("0x1p3")


@pytest.mark.parametrize("name", CONCRETE)
@pytest.mark.parametrize("argument", [True, 3, -1, 2.7, 1 + 2j, "12", [1, 2], numpy.int64(300), numpy.arange(3.0)])
def test_calls_without_lazy_arguments(name: str, argument: Any) -> None:
    ours, real = both(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = real(argument)
        except (TypeError, ValueError, OverflowError) as error:
            with pytest.raises(type(error)):
                ours(argument)
            return
        got = ours(argument)
    assert type(got) is type(expected) and numpy.array_equal(got, expected)


@pytest.mark.parametrize("name", CONCRETE)
@pytest.mark.parametrize(
    "data",
    [3, -1.7, 300, numpy.float32(2.5), numpy.uint8(200), 1 + 2j, [1.5, -2.5], [[1, 0], [3, 300]], numpy.eye(3)[::2].T],
    ids=repr,
)  # fmt: skip
def test_lazy_arguments_stay_lazy(name: str, data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, real = both(name)
    array = np.array(data)
    monkeypatch.setattr(LazyArray, "_elements", lambda self, *why: pytest.fail(f"looks at data: {why}"))
    with settings.settings(fallback="error"):
        got = ours(array)
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = real(numpy.array(data))
    assert isinstance(got, LazyArray)
    assert got._scalar == isinstance(expected, numpy.generic)
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    if not isinstance(expected, numpy.generic):
        assert got.flags.c_contiguous == expected.flags.c_contiguous
    numpy.testing.assert_array_equal(numpy.asarray(got), expected)


def test_lazy_scalars_and_lists_of_them() -> None:
    x = np.array([1.5, 2.5, -3.5])
    with settings.settings(fallback="error"):
        assert np.int32(x[1]) == 2 and np.int32(x[1]).dtype == numpy.int32
        assert np.complex128(x[0], x[1]) == 1.5 + 2.5j
        assert np.float32([x[0], 2]).tolist() == [1.5, 2.0]
        assert (np.float32(x.sum()) * np.ones(2, np.float32)).dtype == numpy.float32
        assert np.bool_(x[0]) and np.bool_(x[0]).dtype == bool


def test_abstract_classes_make_nothing() -> None:
    for name in ABSTRACT:
        with pytest.raises(TypeError):
            getattr(np, name)(1)
