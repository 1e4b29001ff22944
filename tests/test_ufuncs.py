"""Ufuncs of `lazyarr.numpy` against NumPy's: dtypes, values, exceptions, and the arguments every ufunc takes."""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
from lazyarr.dispatch import UFUNCS
from lazyarr.ir.types import DTYPES
from lazyarr.runtime import evaluate
from lazyarr.settings import settings
from tests.agree import agree, difference, disagreement, lazily, outcome

CLIP = next(u for u in UFUNCS if u.__name__ == "clip")
#: numpy.clip's own ufunc has no public name; isnat is for dates; products of matrices have their own tests.
NAMES = sorted(u.__name__ for u in UFUNCS if u.signature is None and u not in (np.isnat, CLIP))
BINARY = [name for name in NAMES if getattr(np, name).nin == 2]
UNARY = [name for name in NAMES if getattr(np, name).nin == 1]
PYTHON = [True, 0, 1, 3, -1, 300, 2**63, -(2**63), 2**64 - 1, 10**30, -(10**30), 1.5, float("nan"), 1e300, 1 + 2j]


def values(dtype: np.dtype[Any], turn: int = 0) -> np.ndarray[Any, Any]:
    """Seven values of a dtype with its corner cases, turned so that pairs of arrays meet in different places."""
    found: Any
    if dtype.kind == "b":
        found = [False, True, True, False, False, True, True]
    elif dtype.kind in "iu":
        found = [0, 1, 2, 3, np.iinfo(dtype).max, np.iinfo(dtype).min, 7]
    elif dtype.kind == "f":
        found = [0, -0.0, 1.5, -2.25, np.nan, np.inf, 3]
    else:
        found = [0, 1 + 2j, -1.5, complex(0, -2), complex(np.nan, 1), complex(np.inf, 0), 3 - 1j]
    return np.roll(np.array(found, dtype), turn)


def arrays(name: str) -> Iterator[tuple[Any, ...]]:
    for a in DTYPES.values():
        if name in UNARY:
            yield (values(a),)
        else:
            yield from ((values(a), values(b, 2)) for b in DTYPES.values())


def python_scalars(name: str) -> Iterator[tuple[Any, ...]]:
    for s in PYTHON:
        if name in UNARY:
            yield (s,)
        else:
            yield from ((s, t) for t in PYTHON)
            for dtype in DTYPES.values():
                yield (values(dtype), s)
                yield (s, values(dtype))


def numpy_scalars(name: str) -> Iterator[tuple[Any, ...]]:
    for a in DTYPES.values():
        if name in UNARY:
            yield (values(a)[2],)
        else:
            for b in DTYPES.values():
                yield (values(a)[2], values(b)[3])
                yield (values(a), values(b)[3])
            yield from ((values(a)[2], s) for s in (1, 2.5, 1j, 300, -1, True))


@pytest.mark.parametrize("operands", [arrays, python_scalars, numpy_scalars])
@pytest.mark.parametrize("name", NAMES)
def test_every_pair_of_operands(name: str, operands: Any) -> None:
    """Result dtype, shape, kind and value, or the exception, for every pair of dtypes and Python scalars."""
    wrong = []
    # Interpreted: which loop runs is decided before a back end sees it, and thousands of pairs are affordable.
    with settings(fallback="error", compile_after=10**9):
        for given in operands(name):
            found = disagreement(lambda n, *a: getattr(n, name)(*a), *given)
            if found is not None:
                wrong.append((tuple(getattr(g, "dtype", g) for g in given), found))
    assert not wrong


@pytest.mark.parametrize("name", NAMES)
def test_compiled_by_xla(name: str) -> None:
    """A sample of dtypes in one executable; the operations' own tests have all of XLA's corner cases."""
    rng = np.random.default_rng(len(name))
    pairs = [p for p in arrays(name) if not any(x.dtype.kind == "c" for x in p)]
    chosen = [pairs[k] for k in rng.permutation(len(pairs))[:10]]
    expected: list[Any] = []
    found: list[LazyArray] = []
    for given in chosen:
        # Positive finite values: NaN, infinities and signs are the operations' own tests.
        operands = [np.where(np.isfinite(x) & (x > 0) & (x < 8), x, x.dtype.type(1)) for x in given]
        right, error = outcome(lambda n, *a: getattr(n, name)(*a), np, operands)
        if error is None:
            expected.extend(right if isinstance(right, tuple) else (right,))
            result = getattr(lnp, name)(*lazily(operands))
            found.extend(result if isinstance(result, tuple) else (result,))
    with settings(compile_after=1):
        data = evaluate([x._value() for x in found])
    for e, f, d in zip(expected, found, data):
        assert f.dtype == e.dtype
        assert difference(e, np.asarray(d), 16) is None


I = np.arange(6).reshape(2, 3)  # noqa: E741
F = I * 1.5
OPERANDS = [I, F, I % 2 == 0, I.astype("u1"), F + 1j * I, F.astype("f2"), I.astype("i1"), F.astype("f4")]
SOME_BINARY = ["add", "multiply", "subtract", "divide", "floor_divide", "power", "equal", "bitwise_and", "maximum",
               "hypot", "logical_and"]  # fmt: skip
SOME_UNARY = ["negative", "sqrt", "exp", "isnan", "invert", "absolute", "rint", "logical_not", "conjugate"]


@pytest.mark.parametrize("name", SOME_BINARY)
def test_out_dtype_and_casting_of_two_operands(name: str) -> None:
    with settings(compile_after=10**9):
        for x in OPERANDS:
            for char in "bBhilfdFD?e":
                out = np.ones((2, 3), char)
                agree(lambda n, x, o: getattr(n, name)(x, x, out=o), x, out)
                agree(lambda n, x, o: getattr(n, name)(x, 2, o), x, out)
                agree(lambda n, x, o: getattr(n, name)(x, x, out=o, casting="unsafe"), x, out)
                agree(lambda n, x, c: getattr(n, name)(x, x, dtype=c), x, char)
                agree(lambda n, x, c: getattr(n, name)(x, x, dtype=c, casting="unsafe"), x, char)


@pytest.mark.parametrize("name", SOME_UNARY)
def test_out_dtype_and_where_of_one_operand(name: str) -> None:
    mask = np.array([True, False, True])
    with settings(compile_after=10**9):
        for x in OPERANDS:
            for char in "bBhilfdFD?e":
                out = np.ones((2, 3), char)
                agree(lambda n, x, o: getattr(n, name)(x, out=o), x, out)
                agree(lambda n, x, c: getattr(n, name)(x, dtype=c), x, char)
                agree(lambda n, x, o, m: getattr(n, name)(x, o, where=m), x, out, mask)


@pytest.mark.parametrize("program", [
    lambda n, x: n.add(x, x, where=x > 1, out=n.zeros((2, 3))),
    lambda n, x: n.add(x, x, where=[[True], [False]], out=n.zeros((2, 3))),
    lambda n, x: n.add(x, x, where=False, out=n.zeros((2, 3))),
    lambda n, x: n.add(x, x, where=1, out=n.zeros((2, 3))),
    lambda n, x: n.add(x, x, where=[1, 0, 1], out=n.zeros((2, 3))),
    lambda n, x: n.add(x, x, where=x, out=n.zeros((2, 3))),
    lambda n, x: n.add(x, 1, where=n.ones((4, 2, 3), bool), out=n.zeros((4, 2, 3))),
    lambda n, x: n.add(x, 1, where=n.ones((4, 2, 3), bool), out=n.zeros((2, 3))),
    lambda n, x: n.add(x, 1, where=n.ones((4, 2, 3), bool)).shape,
    lambda n, x: n.add(x, 1, out=n.zeros((4, 2, 3))),
    lambda n, x: n.add(x, 1, out=n.zeros((3,))),
    lambda n, x: n.add(x, 1, out=n.zeros((1, 3))),
    lambda n, x: n.add(x, n.ones(4)),
    lambda n, x: x + n.ones(4),
    lambda n, x: n.add(x, 1, out=(n.zeros((2, 3)),)),
    lambda n, x: n.add(x, 1, out=[n.zeros((2, 3))]),
    lambda n, x: n.add(x, 1, out=(n.zeros((2, 3)), None)),
    lambda n, x: n.add(x, 1, out="a"),
    lambda n, x: n.add(x, 1, None),
    lambda n, x: n.add(x),
    lambda n, x: n.add(x, 1, 2),
    lambda n, x: n.add(x, 1, n.zeros((2, 3)), out=n.zeros((2, 3))),
    lambda n, x: n.add(x, 1, n.zeros((2, 3)), 1),
    lambda n, x: n.add(x, 1, foo=1),
    lambda n, x: n.add(x, 1, casting="foo"),
    lambda n, x: n.add(x, 1, order="Q"),
    lambda n, x: n.add(x, 1, dtype="q", signature="dd->d"),
    lambda n, x: n.add(x, 1, signature="dd->d"),
    lambda n, x: n.add(x, 1, signature=(None, None, "d")),
    lambda n, x: n.add(x, 1, sig="dd->d"),
    lambda n, x: n.add(x, 1, signature="ff->f"),
    lambda n, x: n.add(x, 1, signature="d"),
    lambda n, x: n.add(x, 1, signature="ee->d"),
    lambda n, x: n.add(x, 1, signature=5),
    lambda n, x: n.sqrt(x, signature="d->d"),
    lambda n, x: n.add(x, 1.5, casting="no"),
    lambda n, x: n.add(x, 1.5, casting="equiv"),
    lambda n, x: n.add(x, x.astype("f4"), casting="no"),
    lambda n, x: n.divmod(x, 2),
    lambda n, x: n.divmod(x, 2, out=(n.zeros((2, 3)), None)),
    lambda n, x: n.divmod(x, 2, n.zeros((2, 3))),
    lambda n, x: n.divmod(x, 2, n.zeros((2, 3)), n.zeros((2, 3))),
    lambda n, x: n.divmod(x, 2, out=n.zeros((2, 3))),
    lambda n, x: n.frexp(x),
    lambda n, x: n.frexp(x, n.zeros((2, 3), "f4"), n.zeros((2, 3))),
    lambda n, x: n.modf(x, out=(n.zeros((2, 3)), n.zeros((2, 3), int))),
    lambda n, x: n.modf(x[0, 0]),
    lambda n, x: n.add(x[:, 1:], x[:, :-1], out=x[:, 1:]),
    lambda n, x: n.add(x[::-1], 1, out=x),
    lambda n, x: n.add(x, x[:, ::-1], out=x[:, ::-1]),
    lambda n, x: n.add(x[:, :2], x[:, :2].T, out=x[:, :2]),
    lambda n, x: n.add(x, 1, out=n.broadcast_to(x, (2, 2, 3))),
])  # fmt: skip
@pytest.mark.parametrize("x", [I, F], ids=["int", "float"])
def test_arguments(program: Any, x: Any) -> None:
    agree(program, x)


@pytest.mark.parametrize("order", "CFAK")
def test_order(order: str) -> None:
    fortran = np.asfortranarray(F)
    agree(lambda n, x: n.add(x, 1, order=order).strides, fortran)
    agree(lambda n, x: n.add(x, x.copy(), order=order).strides, fortran)
    agree(lambda n, x: n.add(x.T, x.T, order=order).strides, F)
    agree(lambda n, x: n.add(x.T, x.T, order=order, where=x.T > 1).strides, F)
    agree(lambda n, x: n.add(x.T[::-1], x[0, 0], order=order).strides, F)


OTHERS = [*OPERANDS, 1.5, 2, 1j, True, 300, -1, 2.0, 0.5, -1.0, 1, 0, np.float32(2), np.int8(3), np.float64(2),
          np.float64(-1), np.int64(2), np.array(3), np.array(2.0), np.arange(4), np.ones((4, 2, 3)), None, "a",
          [1, 2, 3], (1, 2, 3), 10**30, np.array([2.0]), [0.5]]  # fmt: skip


def kind_id(x: Any) -> str:
    return f"{x.dtype}{list(x.shape)}"


IN_PLACE = [operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ifloordiv, operator.imod,
            operator.ipow, operator.iand, operator.ior, operator.ixor, operator.ilshift, operator.irshift]  # fmt: skip
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow,
             operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift, operator.eq, operator.ne,
             operator.lt, operator.le, operator.gt, operator.ge, divmod]  # fmt: skip


@pytest.mark.parametrize("operation", IN_PLACE)
@pytest.mark.parametrize("x", [*OPERANDS, np.float32(2), np.int8(3)], ids=kind_id)
def test_in_place_operators(operation: Any, x: Any) -> None:
    """Dtype errors included (``ints += 1.5``), and that the array itself comes back."""

    def program(n: Any, x: Any, y: Any) -> Any:
        result = operation(x, y)
        return result, result is x

    with settings(compile_after=10**9):
        for y in OTHERS:
            # Python's complex takes a numpy.float64; of two errors at once either may be raised.
            if not (type(y) is complex and isinstance(x, np.generic)) and not (type(y) is int and y == 10**30):
                agree(program, x, y)


LARGE = [np.arange(600.0).reshape(20, 30) - 300, np.arange(600, dtype=np.float32), np.arange(600) % 7 + 1,
         (np.arange(600) % 3 == 0).reshape(20, 30), np.arange(600) * 1j, np.arange(1200.0)[::2],
         np.arange(600.0).reshape(30, 20).T]  # fmt: skip


@pytest.mark.parametrize("operation", [*IN_PLACE, *OPERATORS, operator.neg, operator.invert, abs, np.sqrt, np.maximum])
def test_operators_of_arrays_that_are_not_little(operation: Any) -> None:
    """These are recorded: with arrays that are, and are not, little, numbers, and what does not fit."""
    is_unary = operation in (operator.neg, operator.invert, abs, np.sqrt)

    def program(n: Any, x: Any, y: Any) -> Any:
        twice = x + x
        result = operation(twice) if is_unary else operation(twice, y)
        return twice, result, result is twice

    with settings(eager_below=100, compile_after=10**9):
        for x in LARGE:
            others = (2.5, 3, np.arange(1.0, 31.0), np.float32(2), np.array(2.0), True, *LARGE)
            for y in others[: 1 if is_unary else None]:
                agree(program, x, y)


@pytest.mark.parametrize("operation", [*OPERATORS, np.maximum])
@pytest.mark.parametrize("y", [np.float64(2.5), np.float64("nan"), np.float32(3e38), np.int64(3), np.uint8(200),
                               np.complex64(1 + 2j), np.float16(7), np.bool_(True)], ids=kind_id)  # fmt: skip
def test_numpys_scalars_beside_what_is_recorded(operation: Any, y: Any) -> None:
    """With arrays, and with what has no axes; the first time, and when it is known what is recorded."""

    def program(n: Any, x: Any, y: Any) -> Any:
        twice = x + x
        return [(operation(twice, y), operation(y, twice), operation(twice[-1:].sum(), y)) for _ in range(2)]

    with settings(eager_below=100, compile_after=10**9):
        for x in LARGE:
            agree(program, x, y, rtol=2.0 if operation is operator.pow else 0.0)


@pytest.mark.parametrize("operation", OPERATORS)
@pytest.mark.parametrize("x", [*OPERANDS, np.array(2.5), np.float32(2), np.int8(3), np.float64(2), np.bool_(True)],
                         ids=kind_id)  # fmt: skip
def test_operators(operation: Any, x: Any) -> None:
    with settings(compile_after=10**9):
        for y in OTHERS:
            agree(lambda n, x, y: operation(x, y), x, y)
            # numpy.float64 is a float, so Python's complex takes it and gives a Python complex.
            if not (type(y) is complex and type(x) is np.float64):
                agree(lambda n, x, y: operation(y, x), x, y)


@pytest.mark.parametrize("operation", [operator.neg, operator.pos, operator.abs, operator.invert])
def test_unary_operators(operation: Any) -> None:
    for x in [*OPERANDS, np.float64(-2), np.int8(-3), np.bool_(True)]:
        agree(lambda n, x: operation(x), x)


def test_nothing_runs_until_somebody_looks() -> None:
    x = lnp.arange(6.0)
    y = lnp.exp(x) + 1
    assert isinstance(y, LazyArray)
    assert y._value().node.op.name == "add"


def test_error_names_the_users_line() -> None:
    x = lnp.arange(3)
    with pytest.raises(ValueError, match=r"operands could not be broadcast together with shapes \(3,\) \(4,\)") as info:
        x + lnp.arange(4)
    assert str(info.traceback[0].path).endswith("test_ufuncs.py")
    with pytest.raises(ValueError, match="Integers to negative integer powers are not allowed"):
        x ** lnp.array([-1, 2, 3])


def test_nothing_is_written_when_a_call_raises() -> None:
    out = lnp.zeros(3)
    ints = lnp.arange(3)
    calls: list[Callable[[], Any]] = [
        lambda: lnp.add(out, lnp.arange(4), out=out), lambda: lnp.divmod(ints, 2, out=(out, ints[:2])),
        lambda: lnp.power(ints, [-1, 1, 1], out=out), lambda: lnp.add(out, 1j, out=out),
    ]  # fmt: skip
    for bad in calls:
        with pytest.raises((ValueError, TypeError)):
            bad()
        assert out.tolist() == [0, 0, 0]
        assert ints.tolist() == [0, 1, 2]


def test_attributes_and_names() -> None:
    for name in NAMES:
        mine, theirs = getattr(lnp, name), getattr(np, name)
        for attribute in ("nin", "nout", "nargs", "identity", "signature", "types", "__name__", "__doc__"):
            assert getattr(mine, attribute) == getattr(theirs, attribute)
    with pytest.raises(AttributeError):
        lnp.add.nothing  # noqa: B018
    assert repr(lnp.add) == repr(np.add)


@pytest.mark.parametrize("char", "qQlL")
def test_both_of_numpys_64_bit_integer_types(char: str) -> None:
    """``long`` and ``long long`` are equal dtypes but different objects; their loops are the same."""
    x = np.arange(4).astype(char)
    for name in ("add", "logical_and", "equal", "power", "left_shift", "gcd", "divide"):
        agree(lambda n, x, f: (getattr(n, f)(x, x), getattr(n, f)(x, 2), getattr(n, f)(x, x.astype("i8"))), x, name)


class Level(enum.IntEnum):
    LOW = 3


class Metres(float):
    pass


@pytest.mark.parametrize("scalar", [Level.LOW, Metres(2.5), True])
def test_scalars_of_derived_classes_are_not_weak(scalar: Any) -> None:
    for x in OPERANDS:
        agree(lambda n, x: (x * scalar, scalar + x, n.maximum(x, scalar)), x)


@pytest.mark.parametrize("value", [2, 2.0, True, np.float64(2), np.int8(2), np.array([2, 3, 2, 3]), [2, 3, 2, 3]])
@pytest.mark.parametrize("name", ["add", "multiply", "subtract", "maximum", "power", "logical_or", "bitwise_and"])
def test_at(name: str, value: Any) -> None:
    """Repeated indices, operands of every kind, and what cannot be stored."""
    for x in (np.arange(4), np.arange(4.0), np.arange(4, dtype="f4"), np.arange(4) > 1, np.arange(4, dtype="u1")):
        agree(lambda n, x: getattr(n, name).at(x, [0, -1, 0, 2], value), x)
        agree(lambda n, x: getattr(n, name).at(x, x > 1, value), x)


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("other", [(3,), (3, 3), (3, 1), (1, 3), (3, 4), (2, 3, 3), (), (0,)])
@pytest.mark.parametrize("shape", [(3,), (3, 3), (1, 3), (2, 3, 3), (1, 3, 3), (3, 1), ()])
def test_products_in_place(shape: tuple[int, ...], other: tuple[int, ...], eager_below: int) -> None:
    """The product must have the array's own shape: it is not repeated along the array's axes."""

    def program(np: Any, x: Any, y: Any) -> Any:
        view = x
        x @= y
        return x, view, x is view

    x, y = (np.arange(1.0, 1 + np.prod(s, dtype=int)).reshape(s) for s in (shape, other))
    with settings(eager_below=eager_below):
        agree(program, x, y)
        agree(program, x.astype(np.int8), y)
        agree(program, x, 2 * y.astype(np.int8))


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("name", ["negative", "invert", "square", "absolute"])
def test_at_of_a_view_of_the_indices(name: str, eager_below: int) -> None:
    """What runs in NumPy on copies: those that it has not changed are not written back over those it has."""

    def program(np: Any, x: Any) -> Any:
        getattr(np, name).at(x[::-1], x)
        first = x.copy()
        getattr(np, name).at(x[1:], np.array([0, 1, 1]))
        return first, x

    with settings(eager_below=eager_below):
        agree(program, np.arange(6, dtype=np.int16))


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("where", [np.int64(3), np.float64(0), np.bool_(True), 2, np.array(3), np.array([1, 0, 1])])
def test_masks_that_are_no_bools(where: Any, eager_below: int) -> None:
    """Scalars are taken by their truth, arrays refused."""
    with settings(eager_below=eager_below):
        agree(lambda n, x, w: n.square(x, where=w, out=n.zeros(3)), np.arange(3.0), where)
        agree(lambda n, x, w: n.sum(x, where=w), np.arange(3.0), where)
