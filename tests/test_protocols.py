"""A lazy array where NumPy, Python and other libraries expect an array."""

from __future__ import annotations

import copy
import functools
import math
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
from lazyarr.fallback import calls
from lazyarr.settings import settings
from tests.agree import agree, difference

A = np.arange(6.0).reshape(2, 3)
V = np.arange(5)


def lazy(x: Any = A) -> Any:
    return lnp.array(x)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with settings(fallback="allow"):
        yield


# ------------------------------------------------------------------------- NumPy's functions on lazy arrays


@pytest.mark.parametrize("program", [
    lambda a: np.add(A, a), lambda a: np.add(a, A), lambda a: A + a, lambda a: a + A, lambda a: A - a,
    lambda a: A[0] * a,
    lambda a: 2 ** a, lambda a: np.float64(2) * a, lambda a: np.sin(a), lambda a: np.add.reduce(a),
    lambda a: np.multiply.outer(A[0], a[0]), lambda a: np.add.accumulate(a), lambda a: A @ a.T, lambda a: a.T @ A,
    lambda a: np.matmul(A, a.T), lambda a: A > a, lambda a: np.float64(2) < a, lambda a: divmod(A, a + 1)[1],
    lambda a: np.concatenate([a, A]), lambda a: np.stack([A, a]), lambda a: np.where(A > 1, a, 0),
    lambda a: np.sum(a),
    lambda a: np.zeros_like(a), lambda a: np.dot(A, a.T), lambda a: np.einsum("ij,ij->i", A, a), lambda a: np.sort(a),
    lambda a: np.linalg.norm(a), lambda a: np.fft.fft(a), lambda a: np.broadcast_to(a, (2, 2, 3)),
    lambda a: np.copy(a),
    lambda a: np.mean(a, axis=0), lambda a: np.vstack([a, A]), lambda a: np.clip(a, A, 3), lambda a: np.round(a),
    lambda a: functools.reduce(np.add, [a, A, a]),
])  # fmt: skip
def test_numpys_functions_stay_lazy(program: Any) -> None:
    before = calls.total()
    found = program(lazy())
    assert isinstance(found, LazyArray)
    assert calls.total() == before
    assert difference(program(A), found, 16) is None


def test_writes_of_numpys_functions_reach_the_lazy_array() -> None:
    a = lazy()
    np.add(A, 1, out=a)
    assert np.array_equal(a, A + 1)
    np.copyto(a, A)
    np.add.at(a, (0, [1, 1]), 10)
    assert a[0, 1] == 21
    np.fill_diagonal(a, -1)
    np.put(a, [5], 99)
    assert a[1, 1] == -1
    assert a[1, 2] == 99


def test_a_numpy_array_takes_lazy_values() -> None:
    target = np.zeros((2, 3))
    target[...] = lazy()
    assert np.array_equal(target, A)
    target[0] = lazy()[1]
    target[1, 1] = lazy()[1, 2]
    assert target.tolist() == [[3, 4, 5], [3, 5, 5]]
    target += lazy()
    assert type(target) is np.ndarray
    assert target[0].tolist() == [3, 5, 7]
    np.add(target, lazy(), out=target)
    assert target[0].tolist() == [3, 6, 9]
    assert A[lazy(np.array([1, 0]))].tolist() == A[[1, 0]].tolist()
    assert A[lazy() > 2].tolist() == [3, 4, 5]
    assert V[lazy(V)[1]] == 1 and list(V[: lazy(V)[2]]) == [0, 1]


def test_a_class_that_defers_is_asked() -> None:
    class Own:
        __array_ufunc__ = None

        def __radd__(self, other: Any) -> str:
            return f"radd {type(other).__name__}"

        def __add__(self, other: Any) -> str:
            return "add"

        def __rmatmul__(self, other: Any) -> str:
            return "rmatmul"

        def __gt__(self, other: Any) -> str:
            return "gt"

    assert lazy() + Own() == "radd LazyArray"
    assert Own() + lazy() == "add"
    assert lazy() @ Own() == "rmatmul"
    assert (lazy() < Own()) == "gt"


def test_a_class_with_its_own_ufuncs_is_asked() -> None:
    class Own:
        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
            return ufunc.__name__, method, [type(x).__name__ for x in inputs]

    add: Any = np.add
    assert add(lazy(), Own()) == ("add", "__call__", ["LazyArray", "Own"])
    assert lnp.add(lazy(), Own()) == ("add", "__call__", ["LazyArray", "Own"])
    assert lazy() + Own() == ("add", "__call__", ["LazyArray", "Own"])


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_subclasses_of_ndarray_keep_their_rules() -> None:
    masked = np.ma.array([1.0, 2, 3], mask=[False, True, False])
    total = lnp.add(lazy(A[0]), masked)
    assert isinstance(total, np.ma.MaskedArray) and total.tolist() == [1, None, 5]
    assert lnp.sum(masked) == 4
    assert lnp.asarray(masked).tolist() == [1, 2, 3]
    assert type(lnp.multiply(np.matrix("1 2; 3 4"), lazy(A[:, :2]))) is np.matrix


# ------------------------------------------------------------------------------------ conversion to NumPy


def test_array_protocol() -> None:
    a = lazy()
    seen = np.asarray(a)
    assert type(seen) is np.ndarray and np.array_equal(seen, A) and seen.dtype == A.dtype
    # What NumPy shares with the lazy array must not be written to behind its back.
    assert not seen.flags.writeable
    mine = np.array(a)
    mine[0, 0] = 7
    assert mine.flags.writeable and a[0, 0] == 0
    assert np.asarray(a, dtype="i4").dtype == np.int32
    assert np.array(a, copy=None).shape == (2, 3)
    assert np.asarray(a, order="F").flags.f_contiguous
    assert np.asarray(a.T).strides == A.T.strides
    assert np.asarray(a[0, 0]).shape == () and type(np.float64(a[0, 0])) is np.float64
    with pytest.raises(ValueError, match="Unable to avoid copy"):
        np.asarray(a, dtype="f4", copy=False)


def test_a_numpy_view_keeps_the_value_it_saw() -> None:
    a = lazy()
    seen = np.asarray(a)
    a[0, 0] = 9
    assert seen[0, 0] == 0 and np.asarray(a)[0, 0] == 9


def test_nested_lists_of_lazy_arrays() -> None:
    a = lazy()
    agree(lambda n, x: (n.array([x[0], x[1]]), n.array([[x[0, 0], 1], [2, x[1, 1]]]), n.asarray([x, x])), A)
    assert np.array([a[0], a[1]]).tolist() == A.tolist()
    assert np.array([a[0, 0], 2]).tolist() == [0, 2]


@pytest.mark.parametrize("program", [
    lambda n, x: x.tolist(), lambda n, x: list(x), lambda n, x: [list(r) for r in x], lambda n, x: len(x),
    lambda n, x: tuple(x[0]), lambda n, x: 3.0 in x, lambda n, x: 30 in x, lambda n, x: x in [x],
    lambda n, x: max(x[0]),
    lambda n, x: sum(x), lambda n, x: dict(enumerate(x[0])), lambda n, x: [*x[1]], lambda n, x: list(zip(*x)),
    lambda n, x: list(reversed(x)), lambda n, x: iter(x[0, 0]), lambda n, x: len(x[0, 0]),
    lambda n, x: list(n.array(1)),
    lambda n, x: bool(x), lambda n, x: bool(x[:1, :1]), lambda n, x: bool(x[:0]), lambda n, x: float(x),
    lambda n, x: float(x[:1, :1]), lambda n, x: int(x[0]), lambda n, x: complex(x[0]), lambda n, x: range(x[0]),
    lambda n, x: not x, lambda n, x: x and 1, lambda n, x: x == "a",
    lambda n, x: x == None, lambda n, x: x != None, lambda n, x: None in x, lambda n, x: hash(x),  # noqa: E711
    lambda n, x: {x},  # noqa: E711
    lambda n, x: f"{x[0]}", lambda n, x: f"{x:.2f}", lambda n, x: f"{x[0, 1]:.2f}", lambda n, x: repr(x.T),
    lambda n, x: str(x[:0]), lambda n, x: repr(x[None] > 2), lambda n, x: repr(x.astype("f4")),
    lambda n, x: repr(n.zeros(0)),
    lambda n, x: repr(x + 1j), lambda n, x: str(n.arange(2000)), lambda n, x: f"{x[0]}", lambda n, x: bytes(x),
    lambda n, x: math.sqrt(x[0, 1]), lambda n, x: math.sqrt(x), lambda n, x: abs(x), lambda n, x: round(x),
    lambda n, x: -x,
    lambda n, x: x if x.any() else 0, lambda n, x: n.array_repr(x), lambda n, x: n.array2string(x, precision=2),
    lambda n, x: x.tobytes(), lambda n, x: x.item(2), lambda n, x: sys.getsizeof(x) > 0, lambda n, x: divmod(x, 2),
])  # fmt: skip
def test_python_protocols(program: Any) -> None:
    """Iteration, truth, conversion, containment, and text, or the exception in NumPy's words."""
    agree(program, A, message=True)


def test_printing_follows_numpys_options() -> None:
    with np.printoptions(precision=2, suppress=True):
        assert repr(lazy() / 7) == repr(A / 7)
    assert repr(lazy() / 7) == repr(A / 7)


# --------------------------------------------------------------------------------- copies, pickles, DLPack


def test_copies() -> None:
    a = lazy()
    for made in (copy.copy(a), copy.deepcopy(a), a.copy(), lnp.copy(a), lnp.array(a), copy.deepcopy({"x": a})["x"]):
        made[0, 0] = 5
        assert isinstance(made, LazyArray) and a[0, 0] == 0
    assert copy.copy(a[0, 0]) == 0 and copy.copy(a[0, 0])._scalar
    assert lnp.asarray(a) is a and lnp.asanyarray(a) is a


def test_copies_of_numpy_data_are_copies() -> None:
    source = A.copy()
    a, b = lnp.array(source), lnp.asarray(source)
    source[0, 0] = 9
    assert a[0, 0] == 0 and b[0, 0] in (0, 9)
    b[0, 1] = 5
    assert source[0, 1] == 1


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol: int) -> None:
    for x in (lazy(), lazy().T, lazy()[::-1, 1:], lazy() + 1, lazy()[0, 0], lnp.zeros((0, 3)), lnp.array(2 + 1j)):
        back = pickle.loads(pickle.dumps(x, protocol))
        assert isinstance(back, LazyArray) and back._scalar == x._scalar
        assert difference(np.asarray(x)[()] if x._scalar else np.asarray(x), back) is None
        if not x._scalar:
            back[...] = 1
    assert pickle.loads(pickle.dumps(lnp.add)) is lnp.add


def test_pickles_are_read_by_programs_that_import_no_lazyarr() -> None:
    text = f"import pickle; x = pickle.loads({pickle.dumps(lazy())!r}); print(x.sum(), x.T.shape, x[1:].mean())"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    x = np.asarray(lazy())
    assert found == f"{x.sum()} {x.T.shape} {x[1:].mean()}\n"


def test_dlpack_both_ways() -> None:
    a = lazy()
    seen = np.from_dlpack(a)
    assert np.array_equal(seen, A)
    back = lnp.from_dlpack(A)
    assert isinstance(back, LazyArray) and np.array_equal(back, A)
    back[0, 0] = 5
    assert A[0, 0] == 0
    assert np.array_equal(lnp.from_dlpack(a), A)
    assert a.__dlpack_device__() == (1, 0)


def test_dlpack_with_jax() -> None:
    import jax

    theirs = jax.numpy.arange(5.0)
    mine = lnp.from_dlpack(theirs)
    assert isinstance(mine, LazyArray) and mine.tolist() == [0, 1, 2, 3, 4] and mine.dtype == theirs.dtype
    mine[0] = 7
    assert theirs[0] == 0
    back = jax.dlpack.from_dlpack(lazy().astype("f4"))
    assert np.array_equal(back, A)
    assert np.array_equal(jax.numpy.asarray(lazy().astype("f4")), A)


def test_array_namespace() -> None:
    a = lazy()
    xp = a.__array_namespace__()
    assert xp is lnp and xp.sum(a) == 15
    assert a.device == "cpu" and a.to_device("cpu") is a
    assert xp.__array_namespace_info__().default_device() == "cpu"


def test_buffers_are_read_only() -> None:
    a = lazy()
    assert memoryview(a.data).readonly
    assert bytes(a.data) == A.tobytes()


def test_calling_the_class_is_refused() -> None:
    with pytest.raises(TypeError, match=r"lazyarr\.numpy"):
        LazyArray([1, 2])


def test_masked_arrays_take_elements() -> None:
    x = lnp.asarray(np.arange(4.0))
    found = np.ma.masked_less(x, 2)
    assert type(found) is np.ma.MaskedArray
    assert found.sum() == 5
    assert np.array_equal(np.ma.getdata(x), np.arange(4.0))
