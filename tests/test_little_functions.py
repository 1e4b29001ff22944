"""NumPy's functions of little data that is there: each in the table, as NumPy has it, and where it is done at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
from lazyarr.little.table import FUNCTIONS, SIZES, WRITERS
from lazyarr.settings import settings
from tests.agree import agree
from tests.test_little import is_light


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    with settings(eager_below=2000):
        yield


VECTOR = np.array([3.0, -1.5, 0.25, 7.0, -1.5, 2.0])
MATRIX = np.arange(12.0).reshape(3, 4) % 5 + 0.5
SQUARE = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]])
POSITIONS = np.array([2, 0, 1, 2])
Call = Callable[[Any, Any, Any, Any, Any], Any]
#: What the functions of the table are called with.
CALLS: dict[Any, list[Call]] = {}


def _calls(functions: str, *calls: Call) -> None:
    for name in functions.split():
        module, _, last = name.rpartition(".")
        function = getattr(getattr(np, module) if module else np, last)

        def bound(call: Call, path: str) -> Call:
            def run(np: Any, v: Any, m: Any, s: Any, k: Any) -> Any:
                module, _, last = path.rpartition(".")
                return call(getattr(getattr(np, module) if module else np, last), v, m, s, k)

            return run

        CALLS.setdefault(function, []).extend(bound(call, name) for call in calls)


_calls(
    "sum prod max min mean std var median any all argmax argmin ptp cumsum cumprod sort argsort count_nonzero nansum"
    " nanmean nanstd nanvar nanmin nanmax",
    lambda f, v, m, s, k: f(v), lambda f, v, m, s, k: f(m, axis=0), lambda f, v, m, s, k: f(m.T[1:]),
    lambda f, v, m, s, k: f(k),
)  # fmt: skip
_calls("concatenate stack vstack hstack column_stack", lambda f, v, m, s, k: f([v, v]),
       lambda f, v, m, s, k: f((m, m * 2)), lambda f, v, m, s, k: f([v[0:1], v[1:2]]))  # fmt: skip
_calls("diff roll ediff1d round triu tril nan_to_num copy zeros_like ones_like array asarray nonzero argwhere "
       "flatnonzero unique", lambda f, v, m, s, k: f(m) if f.__name__ != "roll" else f(m, 1))  # fmt: skip
_calls("diff", lambda f, v, m, s, k: f(v, 2), lambda f, v, m, s, k: f(m, axis=0))
_calls("roll", lambda f, v, m, s, k: f(m, (1, 2), (0, 1)), lambda f, v, m, s, k: f(v, -1))
_calls("unique", lambda f, v, m, s, k: f(v, return_counts=True, return_inverse=True))
_calls("array asarray", lambda f, v, m, s, k: f([v[0], 2, v[1] * 2]), lambda f, v, m, s, k: f([[1.0], [v[1]]]))
_calls("empty_like", lambda f, v, m, s, k: f(m).shape)
_calls("trace", lambda f, v, m, s, k: f(s), lambda f, v, m, s, k: f(m, 1))
_calls("diag", lambda f, v, m, s, k: f(v), lambda f, v, m, s, k: f(s), lambda f, v, m, s, k: f(v, 1))
_calls("tile repeat", lambda f, v, m, s, k: f(v, 3), lambda f, v, m, s, k: f(m, 2))
_calls("tile", lambda f, v, m, s, k: f(m, (2, 3)))
_calls("repeat", lambda f, v, m, s, k: f(m, 2, axis=1), lambda f, v, m, s, k: f(v[:4], k))
_calls("gradient", lambda f, v, m, s, k: f(v), lambda f, v, m, s, k: f(m), lambda f, v, m, s, k: f(v, 0.5))
_calls("lexsort", lambda f, v, m, s, k: f((v, v[::-1])))
_calls("linalg.norm linalg.inv linalg.det linalg.cholesky linalg.eigh linalg.eigvalsh linalg.qr linalg.svd "
       "linalg.slogdet linalg.pinv linalg.eig linalg.eigvals", lambda f, v, m, s, k: f(s))  # fmt: skip
_calls("linalg.norm", lambda f, v, m, s, k: f(v, 1), lambda f, v, m, s, k: f(m, axis=1))
_calls("linalg.matrix_power", lambda f, v, m, s, k: f(s, 3), lambda f, v, m, s, k: f(s, -1))
_calls("linalg.solve", lambda f, v, m, s, k: f(s, v[:3]), lambda f, v, m, s, k: f(s, m))
_calls("linalg.lstsq", lambda f, v, m, s, k: f(s, v[:3]), lambda f, v, m, s, k: f(m.T, v[:4], rcond=None))
_calls("linalg.multi_dot", lambda f, v, m, s, k: f([s, m, m.T]))
_calls("fft.fft fft.ifft fft.rfft fft.irfft", lambda f, v, m, s, k: f(v), lambda f, v, m, s, k: f(m, axis=0))
_calls("trapezoid", lambda f, v, m, s, k: f(v), lambda f, v, m, s, k: f(m, dx=0.1))
_calls("partition argpartition", lambda f, v, m, s, k: f(v, 2))
_calls("histogram", lambda f, v, m, s, k: f(v), lambda f, v, m, s, k: f(v, 4, (0, 5)))
_calls("pad", lambda f, v, m, s, k: f(v, 2), lambda f, v, m, s, k: f(m, ((1, 0), (0, 2)), mode="edge"))
_calls("vander", lambda f, v, m, s, k: f(v), lambda f, v, m, s, k: f(v, 3))
_calls("delete", lambda f, v, m, s, k: f(v, 1), lambda f, v, m, s, k: f(m, [0, 2], axis=1))
_calls("insert", lambda f, v, m, s, k: f(v, 1, 9.0), lambda f, v, m, s, k: f(m, 1, v[:4], axis=0))
_calls("percentile quantile", lambda f, v, m, s, k: f(v, 0.5), lambda f, v, m, s, k: f(m, [0.25, 0.5], axis=0))
_calls("searchsorted digitize", lambda f, v, m, s, k: f(v, [0.0, 1.0, 2.0]) if f.__name__ == "digitize" else
       f(v.cumsum(), v))  # fmt: skip
_calls("cross", lambda f, v, m, s, k: f(v[:3], v[3:]))
_calls("take", lambda f, v, m, s, k: f(v, k), lambda f, v, m, s, k: f(m, k, axis=1))
_calls("take_along_axis", lambda f, v, m, s, k: f(v, k, 0))
_calls("bincount", lambda f, v, m, s, k: f(k), lambda f, v, m, s, k: f(k, v[:4]), lambda f, v, m, s, k: f(k, None, 9))
_calls("append isin", lambda f, v, m, s, k: f(v, [7.0, 1.0]), lambda f, v, m, s, k: f(v, m))
_calls("full_like", lambda f, v, m, s, k: f(m, 3), lambda f, v, m, s, k: f(m, v[:4], dtype=np.int32))
_calls("average", lambda f, v, m, s, k: f(m, 1), lambda f, v, m, s, k: f(v, weights=[1, 2, 3, 4, 5, 6]))
_calls("polyval", lambda f, v, m, s, k: f(v, 0.5), lambda f, v, m, s, k: f(v, m))
_calls("polyfit", lambda f, v, m, s, k: f(v.cumsum(), v, 2))
_calls("cov corrcoef", lambda f, v, m, s, k: f(m), lambda f, v, m, s, k: f(v, v * 2))
_calls("select", lambda f, v, m, s, k: f([v > 2, v < 0], [v, v * 2], -1.0))
_calls("piecewise", lambda f, v, m, s, k: f(v, [v < 0, v >= 2], [1.0, 2.0, 3.0]))
_calls("dot inner", lambda f, v, m, s, k: f(v, v), lambda f, v, m, s, k: f(s, v[:3]), lambda f, v, m, s, k: f(v, 2))
_calls("vdot", lambda f, v, m, s, k: f(v, v), lambda f, v, m, s, k: f(m, m))
_calls("outer kron tensordot convolve correlate", lambda f, v, m, s, k: f(v, v[:3]) if f.__name__ != "tensordot" else
       f(m.T, m, 1))  # fmt: skip
_calls("interp", lambda f, v, m, s, k: f(v, [0.0, 1.0, 5.0], v[:3]))
_calls("clip", lambda f, v, m, s, k: f(v, 0, 2), lambda f, v, m, s, k: f(m, v[:4], None))
_calls("where", lambda f, v, m, s, k: f(v > 0, v, 0.0), lambda f, v, m, s, k: f(m > 2, m, v[:4]),
       lambda f, v, m, s, k: f(m > 2))  # fmt: skip
_calls("isclose allclose array_equal", lambda f, v, m, s, k: f(v, v), lambda f, v, m, s, k: f(v, v[::-1]))
_calls("einsum", lambda f, v, m, s, k: f("ij,j->i", m, v[:4]), lambda f, v, m, s, k: f("ij->j", m),
       lambda f, v, m, s, k: f(" ij , jk->ik", m, m.T), lambda f, v, m, s, k: f("ij,ij,j->i", m, m, v[:4]),
       lambda f, v, m, s, k: f("...j,j", m, v[:4]), lambda f, v, m, s, k: f("i,i", v, v, optimize=True),
       lambda f, v, m, s, k: f("i,j->ij", k, v), lambda f, v, m, s, k: f(m, [0, 1], [1, 0]))
_calls("meshgrid", lambda f, v, m, s, k: f(v, k), lambda f, v, m, s, k: f(v, k, indexing="ij"))
_calls("roots poly", lambda f, v, m, s, k: f(v), lambda f, v, m, s, k: f((1.0, -3.0, 2.0)))
_calls("polyder polyint sinc unwrap nanmedian nanprod nancumsum nancumprod nanargmax nanargmin fix amax amin "
       "cumulative_sum cumulative_prod fft.fftshift fft.ifftshift diagflat histogram_bin_edges angle",
       lambda f, v, m, s, k: f(v))  # fmt: skip
_calls("nanmedian nanargmax amax nancumsum fft.fftshift unwrap", lambda f, v, m, s, k: f(m, axis=0))
_calls("angle", lambda f, v, m, s, k: f(v * 1j, deg=True))
_calls("diagflat", lambda f, v, m, s, k: f(v, 2), lambda f, v, m, s, k: f(m, k=-1))
_calls("dstack", lambda f, v, m, s, k: f((v, v)), lambda f, v, m, s, k: f([m, m]))
_calls("block", lambda f, v, m, s, k: f([[s, s], [s, s]]), lambda f, v, m, s, k: f([v, v]))
_calls("linalg.matrix_rank linalg.cond", lambda f, v, m, s, k: f(s), lambda f, v, m, s, k: f(m))
_calls("linalg.vector_norm linalg.matrix_norm linalg.trace", lambda f, v, m, s, k: f(s), lambda f, v, m, s, k: f(m))
_calls("fft.fft2 fft.ifft2 fft.fftn fft.ifftn fft.rfft2 fft.irfft2", lambda f, v, m, s, k: f(m),
       lambda f, v, m, s, k: f(m, (5, 3)))  # fmt: skip
_calls("unravel_index", lambda f, v, m, s, k: f(k, (3, 4)), lambda f, v, m, s, k: f(7, (3, 4)))
_calls("ravel_multi_index", lambda f, v, m, s, k: f((k, k), (3, 4)), lambda f, v, m, s, k: f((2, 3), (3, 4)))
_calls("polyadd polysub polymul polydiv", lambda f, v, m, s, k: f(v, v[:3]), lambda f, v, m, s, k: f(v, [2.0, 1.0]))
_calls("intersect1d setdiff1d setxor1d union1d", lambda f, v, m, s, k: f(v, m), lambda f, v, m, s, k: f(k, [2, 7]))
_calls("extract", lambda f, v, m, s, k: f(v > 0, v), lambda f, v, m, s, k: f(m > 1, m))
_calls("compress", lambda f, v, m, s, k: f(v > 0, v), lambda f, v, m, s, k: f([True, False, True], m, axis=0))
_calls("choose", lambda f, v, m, s, k: f(k, [v[:4], v[:4] * 2, v[2:]]),
       lambda f, v, m, s, k: f([0, 1], [v[:2], m[0, :2]]))  # fmt: skip
_calls("nanpercentile nanquantile", lambda f, v, m, s, k: f(v, 0.5), lambda f, v, m, s, k: f(m, [0.2, 0.5], axis=0))
_calls("histogram2d", lambda f, v, m, s, k: f(v, v * 2), lambda f, v, m, s, k: f(v, v, 3),
       lambda f, v, m, s, k: f(v, v, bins=[2, 4], range=[[0, 5], [-1, 6]]))  # fmt: skip
_calls("resize", lambda f, v, m, s, k: f(v, 9), lambda f, v, m, s, k: f(m, (2, 7)))
_calls("array_equiv", lambda f, v, m, s, k: f(v, v), lambda f, v, m, s, k: f(m, m[0]))


def test_every_function_of_the_table_is_called() -> None:
    assert set(CALLS) == set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_functions(function: Any) -> None:
    for call in CALLS[function]:
        agree(call, VECTOR, MATRIX, SQUARE, POSITIONS)
        agree(call, VECTOR.astype(np.float32), MATRIX.T.copy().T, SQUARE, POSITIONS.astype(np.int32))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_results_belong_to_nobody_else(function: Any) -> None:
    """What is written to a result is seen where NumPy's is seen."""

    def program(np: Any, call: Call, *given: Any) -> Any:
        own = [x + 0 for x in given]
        found = call(np, *own)
        for x in found if isinstance(found, tuple) else (found,):
            if hasattr(x, "flags") and x.ndim and x.flags.writeable and x.size:
                x[...] = 1
        return (found, *own)

    for call in CALLS[function]:
        agree(program, call, VECTOR, MATRIX, SQUARE, POSITIONS)


#: Truth values and shapes are no arrays, and an array that is given is given back.
NOT_LIGHT = {np.allclose, np.array_equal, np.array_equiv, np.empty_like, np.asarray}


@pytest.mark.parametrize("function", [f for f in FUNCTIONS if f not in NOT_LIGHT],
                         ids=lambda f: f.__name__)  # fmt: skip
def test_results_are_light(function: Any) -> None:
    given = [lnp.asarray(x) + 0 for x in (VECTOR, MATRIX, SQUARE, POSITIONS)]
    found = CALLS[function][0](lnp, *given)
    assert all(is_light(x) for x in (found if isinstance(found, tuple) else (found,)))


WRITES: dict[str, Call] = {
    "copyto": lambda np, v, m, s, k: np.copyto(m, v[:4]),
    "copyto where": lambda np, v, m, s, k: np.copyto(v, -1.0, where=v > 1),
    "copyto of itself": lambda np, v, m, s, k: np.copyto(v, v[::-1]),
    "put": lambda np, v, m, s, k: np.put(m, k, v),
    "put method": lambda np, v, m, s, k: m.put([1, 5], [8, 9]),
    "putmask": lambda np, v, m, s, k: np.putmask(m, m > 2, v),
    "place": lambda np, v, m, s, k: np.place(m, m > 2, v),
    "fill_diagonal": lambda np, v, m, s, k: np.fill_diagonal(s, v[1]),
    "put_along_axis": lambda np, v, m, s, k: np.put_along_axis(v, k, 5.0, 0),
    "sort": lambda np, v, m, s, k: (v.sort(), m.sort(axis=0)),
    "sort of a view": lambda np, v, m, s, k: (v[1:5].sort(), m.T.sort(0), v[0]),
    "partition": lambda np, v, m, s, k: v.partition(2),
    "fill": lambda np, v, m, s, k: (v[2:].fill(4), m.fill(v[0])),
    "flat": lambda np, v, m, s, k: (m.flat[5], m.T.flat[2], v.flat[-1], m.flat[1:3]),
    "flat written": lambda np, v, m, s, k: (m.flat.__setitem__(5, 3.5), m.T.flat.__setitem__(-1, v[1])),
    "flat outside": lambda np, v, m, s, k: m.flat[12],
    "flat positions": lambda np, v, m, s, k: (m.flat[np.array([1, 5])], m.T.flat[[1, -1]], m.flat[m.ravel() > 2],
                                              m[:, 1:].flat[np.array([[1, 2]])], m.flat[(1,)]),
    "flat positions outside": lambda np, v, m, s, k: m.flat[np.array([99])],
    "flat mask of another length": lambda np, v, m, s, k: m.flat[np.array([True, False])],
    "flat without a place": lambda np, v, m, s, k: m.flat[None],
    "sort along no axis": lambda np, v, m, s, k: v.sort(axis=3),
    "put outside": lambda np, v, m, s, k: np.put(v, [77], 1.0),
    "several": lambda np, v, m, s, k: (v.sort(), np.put(v, k, m), v[::2].fill(3), v + 1),
}


@pytest.mark.parametrize("name", WRITES)
def test_writers(name: str) -> None:
    def program(np: Any, *given: Any) -> Any:
        own = [x + 0 for x in given]
        views = [x[1:] for x in own]
        return (WRITES[name](np, *own), own, views)

    agree(program, VECTOR, MATRIX, SQUARE, POSITIONS)
    agree(WRITES[name], VECTOR, MATRIX.T.copy().T, SQUARE, POSITIONS)


def test_writers_leave_the_array_light() -> None:
    called = {"fill": (0.0,), "sort": (), "partition": (2,), "put": ([1], 2.0)}
    for name, args in called.items():
        x = lnp.asarray(VECTOR) + 0
        getattr(x, name)(*args)
        assert is_light(x), name
    for function in WRITERS:
        assert function.__name__ in {name.split()[0] for name in WRITES}


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.minimum, np.logical_or])
def test_folds(ufunc: np.ufunc) -> None:
    def program(np: Any, v: Any, m: Any, k: Any) -> Any:
        u = getattr(np, ufunc.__name__)
        return (u.reduce(v), u.reduce(m), u.reduce(m, axis=1, keepdims=True), u.accumulate(m, 1), u.reduceat(v, [0, 3]),
                u.outer(v, k), u.reduce(v, initial=3.0), u.reduce(m, axis=None))  # fmt: skip

    agree(program, VECTOR, MATRIX, POSITIONS)
    with settings(eager_below=2000):
        assert is_light(getattr(lnp, ufunc.__name__).reduce(lnp.asarray(VECTOR) + 0))


def test_two_results() -> None:
    def program(np: Any, v: Any, k: Any) -> Any:
        return divmod(v, 0.7), divmod(k, 2), np.modf(v), np.frexp(v), np.divmod(v, v), divmod(7, k + 1), divmod(v[0], 2)

    agree(program, VECTOR, POSITIONS)
    assert all(map(is_light, divmod(lnp.asarray(VECTOR) + 0, 2)))


INDICES: dict[str, Callable[[Any, Any, Any], Any]] = {
    "rows and columns": lambda np, m, k: m[k % 3, k],
    "columns": lambda np, m, k: m[:, k],
    "a list": lambda np, m, k: m[[2, 0]],
    "lists": lambda np, m, k: m[[2, 0], [1, 3]],
    "a list of NumPy's numbers": lambda np, m, k: (m[[k[0], k[1]]], m[[k[0], 1], :], m[None, [k[1], np.int8(2)]]),
    "lists of NumPy's numbers": lambda np, m, k: (m[[k[0], 1], [k[2], k[0]]], m[[k[0]], k], k[[k[1], np.int32(-1)]]),
    "a list of NumPy's truth values": lambda np, m, k: (m[[k[0] > 1, k[1] > 1, True]], m[[k[0] > 1, False, True], 1]),
    "NumPy's numbers that are no index": lambda np, m, k: m[[np.uint64(1), -1]],
    "a list of NumPy's numbers outside": lambda np, m, k: m[[k[0], k[0] + 7]],
    "a list of columns": lambda np, m, k: m[..., [2, 0]],
    "a mask of rows": lambda np, m, k: m[m[:, 0] > 1, 1],
    "a mask": lambda np, m, k: m[m > 1],
    "a mask of columns": lambda np, m, k: m[1:, m[0] > 1],
    "a number and positions": lambda np, m, k: m[1, k],
    "a new axis": lambda np, m, k: m[None, k % 3, ..., None],
    "a tuple in a tuple": lambda np, m, k: m[((0, 1),)],
    "NumPy's numbers": lambda np, m, k: (m[np.int64(1)], m[np.int32(1), np.int8(-1)], m[:, np.uint8(2)]),
    "outside": lambda np, m, k: m[k + 2],
    "too many": lambda np, m, k: m[k, k, k],
    "of different lengths": lambda np, m, k: m[k % 3, k[:3]],
    "a mask that is too long": lambda np, m, k: m[:, k > 0, k > 0],
    "an empty list": lambda np, m, k: m[[]],
    "no rows": lambda np, m, k: m[k[:0]],
    "an array of NumPy's": lambda np, m, k: m[POSITIONS % 3],
}


@pytest.mark.parametrize("name", INDICES)
def test_indices(name: str) -> None:
    def program(np: Any, m: Any, k: Any) -> Any:
        own = m + 0
        found = INDICES[name](np, own, k)
        own *= 2
        return found, INDICES[name](np, own, k)

    agree(program, MATRIX, POSITIONS)
    agree(INDICES[name], MATRIX.T.copy().T, POSITIONS)


@pytest.mark.parametrize(
    "key",
    ["k % 3, k", "slice(None), k", "[2, 0]", "m > 1", "m[:, 0] > 1, 1", "k + 5", "((0, 1),)", "slice(None), [0, 0]",
     "1, k", "m[:, 0] > 1, slice(1, None)", "[k[0], k[1]]", "slice(None), [k[0], 3]", "[k[0] > 1, True, k[1] > 1]"],
)  # fmt: skip
def test_indices_written(key: str) -> None:
    def program(np: Any, m: Any, k: Any) -> Any:
        own = m + 0
        views = own[1:], own.T
        own[eval(key, {"k": k, "m": own})] = -1.0
        own[eval(key, {"k": k, "m": own + 3})] += 2.0
        return own, views

    agree(program, MATRIX, POSITIONS)


def test_positions_are_light() -> None:
    m, k = lnp.asarray(MATRIX) + 0, lnp.asarray(POSITIONS) + 0
    assert all(map(is_light, (m[k % 3, k], m[:, k], m[[2, 0]], m[m > 1], m.flat[3])))
    assert all(map(is_light, (m[[k[0], k[1]]], m[None, [k[0], 1]])))


def test_arrays_of_numpys_are_operands() -> None:
    def program(np: Any, v: Any) -> Any:
        own = v + 0
        results = [own + VECTOR, VECTOR * own, own @ VECTOR, np.maximum(own, VECTOR), own < VECTOR, own**VECTOR]
        own += VECTOR
        own[1:3] = VECTOR[:2]
        own[::2] *= VECTOR[::2]
        return results, own, np.where(own > VECTOR, own, VECTOR)

    agree(program, VECTOR)
    x = lnp.asarray(VECTOR) + 0
    assert all(map(is_light, (x + VECTOR, VECTOR * x, np.maximum(x, VECTOR))))
    given = VECTOR.copy()
    x += given
    given[:] = 0
    assert np.array_equal(np.asarray(x), 2 * VECTOR)


def test_large_results_of_little_data_are_not_made_at_once() -> None:
    v, k = lnp.asarray(VECTOR) + 0, lnp.asarray(POSITIONS) + 0
    results = [
        lnp.tile(v, 1000), lnp.repeat(v, 1000), lnp.repeat(v[:4], k + 5000), lnp.pad(v, 3000), lnp.vander(v, 1000),
        lnp.bincount(k, minlength=6000), lnp.zeros(5000), lnp.eye(100), v[lnp.zeros(6000, int)],
        lnp.outer(v, lnp.ones(1000)),
    ]  # fmt: skip
    assert not any(map(is_light, results))
    assert all(isinstance(x, LazyArray) for x in results)
    assert len(SIZES) > 6


@pytest.mark.parametrize("module", ["linalg", "fft"])
def test_functions_of_submodules_are_dispatched(module: str) -> None:
    """(What is not compiled runs in NumPy: what implements a function does not stand in its place.)"""
    here, numpys = getattr(lnp, module), getattr(np, module)
    for name in here.__all__:
        if callable(getattr(here, name)) and not isinstance(getattr(numpys, name), type):
            assert getattr(here, name).__wrapped__ is getattr(numpys, name)
    if module == "linalg":
        agree(lambda np, s: np.linalg.qr(s, "full"), SQUARE)


LARGE: dict[str, Callable[..., Any]] = {}


def large(function: Callable[..., Any]) -> Callable[..., Any]:
    LARGE[function.__name__] = function
    return function


@large
def rows_of_a_matrix(np: Any, a: Any, x: Any) -> Any:
    for i in range(1, 8):
        x[i] = (x[i] - a[i, :i] @ x[:i]) / (a[i, i] + 20)
        a[i, :] *= 0.5
        a[:, i] += a[i - 1, :] + 1
        a[i, i] -= a[i, : i + 1].sum()
        a[2, 3] **= 2
    return a, x


@large
def views_of_what_is_shared(np: Any, a: Any, x: Any) -> Any:
    row, column = a[3], a[:, 2]
    twice = a * 2
    row[1:4] = 7
    a[:, 2] -= 100
    b = a
    a = a + 1
    b[3, 3] = column[3]
    return twice, row, column, a, b, row[1:], column.base is b


@large
def copies_are_not_seen(np: Any, a: Any, x: Any) -> Any:
    before = a.copy()
    a[0] = -1
    other = a.copy()
    other[1] = a[2] + before[3]
    t = a.T
    t[5] = 9
    flat = a.reshape(-1)
    flat[:3] = 4
    return before, a, other, t[2], flat[60:70]


@large
def zeros_that_are_filled(np: Any, a: Any, x: Any) -> Any:
    y, z, w = np.zeros((64, 64)), np.full((64, 64), 3.0, order="F"), np.empty_like(a)
    first = y[:2]
    w[:] = 1
    for i in range(0, 64, 8):
        y[i] = a[i] + x
        z[:, i] = y[i, ::-1]
        w[i, i] = z[i, 0]
    half = y[:32] * 2
    y[0] = 0
    z[[1, 2], [3, 4]] = 8
    z[z[:, 0] > 10, 0] = 1
    np.add.at(w, ([0, 0, 1], [1, 1, 2]), 5.0)
    return y, z, w, half, first


@large
def parts_of_what_is_not_computed(np: Any, a: Any, x: Any) -> Any:
    b = a * 3 + 1
    out = np.zeros_like(a)
    for i in range(2, 60):
        out[i, :] = b[i] - out[i - 1] * 0.5 + x * out[i - 2, 0]
    return out, b


@large
def read_only(np: Any, a: Any, x: Any) -> Any:
    a.flags.writeable = False
    row = a[1]
    message = None
    try:
        row[0] = 3
    except ValueError as error:
        message = str(error)
    return message, row, row.flags.writeable


@large
def seen_by_numpy(np: Any, a: Any, x: Any) -> Any:
    import numpy

    seen = numpy.array(numpy.asarray(a[5]))
    whole = numpy.asarray(a)
    kept = whole.sum()
    a[5] = 0
    a[6, 6] = 1
    return seen, kept, a[5:7].copy(), bool(whole.sum() == kept) or np is numpy


@large
def shapes_that_change(np: Any, a: Any, x: Any) -> Any:
    row = a[2]
    a.shape = (32, 128)
    a[0, 100] = 5
    row[3] = 6
    return a, row


@large
def masks_in_the_same_memory(np: Any, a: Any, x: Any) -> Any:
    positions = (a[0, :6] * 0).astype(int) + np.arange(6)
    positions[positions[::-1][:3]] = 2
    return positions


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("below", [10, 100, 3000])
def test_parts_of_large_arrays(name: str, below: int) -> None:
    a = np.random.default_rng(7).random((64, 64))
    with settings(eager_below=below):
        agree(LARGE[name], a, np.linspace(0.0, 1.0, 64), rtol=8)


def test_parts_of_large_arrays_are_light() -> None:
    with settings(eager_below=100):
        a = lnp.array(np.ones((64, 64)))
        row = a[3]
        assert is_light(row)
        assert is_light(row + a[:, 2])
        a[3] = row * 2
        assert a._mine is not None
        held = a._mine.ctypes.data
        del row
        b = a + 1
        assert not is_light(b)
        assert is_light(a[4])
        np.asarray(b)
        del b
        a[4] = 0
        assert a._mine.ctypes.data == held  # it is not copied where nobody else has it
        z = lnp.zeros((64, 64))
        z[3] = 1
        assert z._mine is not None
        assert is_light(a[2:40])  # (so that what is written to it goes to memory)


def test_parts_of_what_is_not_computed_are_computed_soon() -> None:
    with settings(eager_below=100):
        b = lnp.array(np.ones((64, 64))) * 3 + 1
        lights = [is_light(b[i] + 1) for i in range(50)]
        assert not lights[0]
        assert all(lights[40:])


def test_pythons_complex_numbers_beside_a_float64_give_pythons() -> None:
    # As in NumPy: a float64 is a float, so Python's complex numbers take it themselves.
    x = lnp.linspace(0.0, 1.0, 4)
    a, b = np.linspace(0.0, 1.0, 4)[1], x[1]
    for one, other in ((1j * a, 1j * b), (2j - a, 2j - b), (1j / a, 1j / b), (2j**a, 2j**b), (-1j * a, -1j * b)):
        assert type(one) is type(other) is complex
        assert one == other
    assert np.asarray(lnp.array([[b, -1j * b], [1j * b, b]])).tolist() == [[a, -1j * a], [1j * a, a]]


VIEWS = {
    "ravel": lambda m, x: m.ravel(x),
    "ravel of a transpose": lambda m, x: m.ravel(x.T),
    "ravel in Fortran's order": lambda m, x: m.ravel(x, "F"),
    "reshape": lambda m, x: m.reshape(x, (3, 2)),
    "reshape to a vector": lambda m, x: m.reshape(x, -1),
    "reshape of a transpose": lambda m, x: m.reshape(x.T, (2, 3)),
    "reshape in Fortran's order": lambda m, x: m.reshape(x, (3, 2), order="F"),
    "transpose": lambda m, x: m.transpose(x),
    "transpose of axes": lambda m, x: m.transpose(x, (1, 0)),
    "expand_dims": lambda m, x: m.expand_dims(x, 1),
    "expand_dims from the end": lambda m, x: m.expand_dims(x, -1),
    "expand_dims of a part": lambda m, x: m.expand_dims(x[1:, ::-1], 2),
    "flip": lambda m, x: m.flip(x),
    "flip of an axis": lambda m, x: m.flip(x, -1),
    "flip of axes": lambda m, x: m.flip(x, (0, 1)),
    "view of a view": lambda m, x: m.ravel(m.reshape(m.transpose(m.transpose(x)), (3, 2)))[1:],
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("first", ["ours", "settled"])
def test_functions_that_give_views(name: str, first: str) -> None:
    states = []
    for m in (np, lnp):
        x = m.arange(6.0).reshape(2, 3) + 0
        seen = np.asarray(x) if first == "settled" else None
        view = VIEWS[name](m, x)
        view[...] += 10
        x[0] = -1
        states.append([np.array(v).tolist() for v in (x, view, VIEWS[name](m, x))])
        view *= 2
        states[-1] += [np.array(v).tolist() for v in (x, view)]
        del seen
    assert states[0] == states[1]


def test_views_that_cannot_be_made_raise_as_numpys() -> None:
    calls: tuple[Callable[[Any, Any], Any], ...] = (
        lambda m, x: m.reshape(x, (4, 2)), lambda m, x: m.expand_dims(x, 5), lambda m, x: m.transpose(x, 3),
    )  # fmt: skip
    for call in calls:
        messages = []
        for m in (np, lnp):
            with pytest.raises(ValueError, match=r".") as raised:
                call(m, m.arange(6.0).reshape(2, 3))
            messages.append(str(raised.value))
        assert messages[0] == messages[1]


def test_elements_one_by_one_are_as_they_are_then() -> None:
    states = []
    for m in (np, lnp):
        x = m.arange(5)
        seen = []
        for k, element in enumerate(x):
            seen.append(int(element))
            x[(k + 1) % 5] += 10
            if k == 2:
                x = m.asarray(x)
        first, *rest = x
        states.append((seen, int(first), list(map(int, rest)), int(sum(x)), len(x)))
    assert states[0] == states[1]
    assert type(next(iter(lnp.arange(3)))) is np.int64
    x = lnp.arange(3)
    assert lnp.asarray(x) is x


def test_lists_of_numbers_and_arrays() -> None:
    def made(m: Any) -> Any:
        x = m.arange(3.0)
        return [
            m.array([x[0], 1, x[2]]), m.array([[x[0], 2.0], (x[1], x[2])]), m.array([x, [1, 2, 3]]), m.array([1, 2.5]),
            m.array([[1, 2], [3, 4]], dtype=float), m.array([True, 2]), m.array([[]]), m.array([x, x])[0],
            m.array([[[1], [2]], [[3], [4]]]), m.concatenate([x, [1, 2]]), m.array([list(range(40))] * 40).sum(0),
            m.dot(x, [1, 2, 3]), m.interp(0.5, [0, 1], x[:2]), m.where(x > 1, [1, 2, 3], 0.5), x.sum(0), x.max(axis=0),
        ]  # fmt: skip

    for mine, theirs in zip(made(lnp), made(np), strict=True):
        np.testing.assert_array_equal(np.asarray(mine), theirs, strict=True)
