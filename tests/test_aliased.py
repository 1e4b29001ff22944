"""Views that NumPy's functions give the code of installed packages: of lazy arrays' own memory, to be written to."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.aliased import Aliased
from lazyarr.array import Cell, LazyArray
from lazyarr.settings import settings

#: Views of an array with two axes, as a package asks for them.
VIEWS = """
np.asarray(x)
np.asanyarray(x)
np.asarray(x, dtype=x.dtype)
np.array(x, copy=None)
np.asarray_chkfinite(x)
np.ascontiguousarray(x)
np.asfortranarray(x)
np.require(x, requirements="W")
np.atleast_1d(x)
np.atleast_2d(x, x[0])
np.atleast_3d(x)
np.ravel(x)
np.ravel(x, "K")
np.ravel(x.T)
np.reshape(x, (-1, 2))
np.reshape(x, -1, order="F")
np.transpose(x)
np.permute_dims(x, (1, 0))
np.matrix_transpose(x)
np.squeeze(x[:1])
np.broadcast_to(x, (2, *x.shape))
np.broadcast_arrays(x, x[0])
np.moveaxis(x, 0, 1)
np.rollaxis(x, 1)
np.swapaxes(x, 0, 1)
np.expand_dims(x, 1)
np.diagonal(x)
np.diag(x)
np.real(x)
np.imag(x)
np.real_if_close(x)
np.split(x, 2)
np.array_split(x, 3, axis=1)
np.hsplit(x, 2)
np.vsplit(x, 2)
np.dsplit(np.expand_dims(x, 0), 2)
np.unstack(x)
np.rot90(x)
np.rot90(x, 2)
np.rot90(x, 0)
np.flip(x)
np.flip(x, 1)
np.fliplr(x)
np.flipud(x)
np.trim_zeros(x[0])
np.einsum("ij->ji", x)
np.einsum("ii->i", x[:2, :2])
np.nan_to_num(x, copy=False)
np.meshgrid(x[0], x[1], copy=False)
np.lib.stride_tricks.as_strided(x, (2, 2), x.strides)
np.lib.stride_tricks.sliding_window_view(x, 2, axis=1)
np.lib.stride_tricks.sliding_window_view(x[0], 2, writeable=True)
np.linalg.matrix_transpose(x)
np.linalg.diagonal(x)
np.linalg.matrix_power(x[:, :4], 1)
np.diff(x, 0)
np.polyder(x[0], 0)
np.fft.fftshift(x)
np.sum(x, axis=0)
np.sort(x)
np.copy(x)
np.where(x > 1, x, 0)
np.concatenate([x, x])
np.sin(x)
np.add.reduce(x)
"""
#: What writes to its arguments, or calls back.
WRITES = """
np.put(x, [0, 1], 7)
np.place(x, np.asarray(x) > 2, [5, 6])
np.putmask(x, np.asarray(x) > 2, 3)
np.copyto(x, 4)
np.fill_diagonal(x, 8)
np.put_along_axis(x, np.zeros((1, x.shape[1]), int), 9, axis=0)
np.add.at(x, ([0, 0], [1, 1]), 2)
np.negative(x, x)
np.negative(x, out=x[::-1])
np.negative(x[:1], x[:1])
np.dot(x[:, :4], x[:4, :2], np.asarray(x)[:, :2].copy())
np.dot(x[:3], x[:3].T, w[:3, :3])
np.clip(x, 0, 2, x)
np.take(x, [2, 3, 0, 1], 0, x[::-1], "clip")
np.sum(x, 0, None, x[1])
np.cumsum(x, 1, x.dtype, x)
np.round(x, 0, x)
np.add.reduce(x, 0, None, x[0])
np.add.accumulate(x, 0, None, x)
np.divmod(x, 2, x, np.asarray(x).copy())
np.median(x, 1, None, True)
np.apply_along_axis(called, 0, x)
np.apply_over_axes(summed, x, [0])
np.piecewise(x, [np.asarray(x) < 2], [called, 0])
np.fromfunction(lambda i, j: called(x), (2, 2))
np.vectorize(called)(x)
np.copyto(np.asarray(x)[1:], x[:-1])
"""
LINES = [f"return {line}" for text in (VIEWS, WRITES) for line in text.strip().splitlines()]
MORE = [
    "y = np.atleast_1d(x); y[0] = 9; return y",
    "y = np.asarray(x); y += 1; return np.sum(x)",
    "np.asarray(x)[:] = 0; return x * 1",
    "y = np.asarray(x); x[0] = 5; return y",
    "y = np.asarray(x); x[1:] += 1; x *= 2; return y, np.ravel(x)",
    "y = np.asarray(x); z = x[1]; y[1] = 3; return z * 2, np.asarray(z)",
    "y = np.asarray(x); z = x + 1; y[...] = 3; return z",
    "y = np.asarray(x[1]); y.sort(); return y",
    "y = np.asarray(x.T); y[0] = 1; return y",
    "y = memoryview(np.asarray(x)); return np.asarray(y)",
    "y = np.from_dlpack(x); return y",
    "y = np.asarray(x.data); return y",
]
HEAD = """
import numpy as np
count = []
def called(x):
    count.append(1)
    return x * 1
def summed(x, axis):
    count.append(1)
    return np.sum(x, axis, keepdims=True)
"""


def _module(name: str, source: str) -> ModuleType:
    """A module as of an installed package."""
    found = ModuleType(name)
    found.__file__ = f"/usr/lib/python/site-packages/{name}.py"
    exec(compile(source, found.__file__, "exec"), found.__dict__)
    return found


@pytest.fixture(scope="module")
def library() -> ModuleType:
    """A package with a function for each line."""
    bodies = "".join(f"def f{k}(x, w):\n    {line}\n" for k, line in enumerate([*LINES, *MORE]))
    return _module("a_package_that_writes", HEAD + bodies)


@pytest.fixture(params=[250_000, 0], ids=["little", "recorded"], autouse=True)
def below(request: pytest.FixtureRequest) -> Iterator[int]:
    """Whether NumPy does little work at once."""
    with settings(eager_below=request.param):
        yield request.param


def _seen(x: Any, depth: int = 0) -> Any:
    """All that can be seen of what a function gave."""
    if isinstance(x, (list, tuple)):
        return [type(x).__name__, *(_seen(item, depth) for item in x)]
    if isinstance(x, (np.ndarray, LazyArray)):
        a: Any = np.asarray(x)
        return a.dtype, a.shape, x.strides if a.size else None, repr(a.tolist()), bool(x.flags.writeable)
    return type(x), repr(x)


def _write(found: Any, number: int) -> None:
    """Write through what a function gave."""
    for x in found if isinstance(found, (list, tuple)) else [found]:
        if isinstance(x, (list, tuple)):
            _write(x, number)
        elif isinstance(x, (np.ndarray, LazyArray)) and x.flags.writeable and x.ndim:
            x[...] = x[::-1] + number


#: The arrays that are given, made of one that is a program's own.
MADE: dict[str, Callable[[Any, Any], Any]] = {
    "own": lambda n, a: a, "view": lambda n, a: a[1:, ::-1], "complex": lambda n, a: a.view(complex),
    "transposed": lambda n, a: n.asfortranarray(a * 1)[:4, :], "read-only": lambda n, a: n.broadcast_to(a, a.shape),
    "ints": lambda n, a: a.astype(int), "view of view": lambda n, a: a.T[1:].T[:4],
    "in place": lambda n, a: _taken(n, a),
}  # fmt: skip


def _taken(n: Any, a: Any) -> Any:
    b = a * 1
    b.shape = (8, 4)
    return b


def _run(n: Any, f: Callable[..., Any], library: ModuleType, made: str) -> list[Any]:
    """What comes of a function that is given an array, of writes to what it gave, and of writes to the array."""
    library.count.clear()
    a = n.arange(32.0).reshape(4, 8) % 5 + 1
    beside = a[2]
    x = MADE[made](n, a)
    w = n.zeros((4, 4)) if n is lnp else np.zeros((4, 4))
    other, pending = x[1:], x * 2 + beside[0]
    said: list[Any] = []
    try:
        found = f(x, w)
    except (ValueError, TypeError, IndexError) as error:
        found = None
        said.append((type(error), str(error) if "UFunc" not in type(error).__name__ else ""))

    def look() -> None:
        # (What a package has of this is looked at as that is, and not through lazyarr.)
        said.append([_seen(found), _seen(x), _seen(other), _seen(pending), _seen(a), _seen(beside), _seen(w)])

    look()
    said.append(len(library.count))
    _write(found, 100)
    look()
    if x.flags.writeable:
        x[1] = 50
        look()
        later = x + 1
        _write(found, 1000)
        other *= 3
        beside += 2
        look()
        said.append(_seen(later))
    found = None
    x = x + 0 if not x.flags.writeable else x
    x *= 2
    a[0, 0] = -1
    look()
    return said


@pytest.mark.parametrize("made", MADE)
def test_views_are_of_the_arrays_memory(library: ModuleType, made: str) -> None:
    with np.errstate(all="ignore"):
        for k, line in enumerate([*LINES, *MORE]):
            f = getattr(library, f"f{k}")
            for _ in range(2):
                ours, numpys = _run(lnp, f, library, made), _run(np, f, library, made)
                assert ours == numpys, line


class _State:
    """Arrays of a program, and views of them that a package has."""

    def __init__(self, n: Any, seed: int, library: ModuleType):
        self.random = random.Random(seed)
        self.library: Any = library
        self.arrays: list[Any] = [n.arange(24.0).reshape(4, 6) % 7, n.arange(6.0) + 1]
        self.held: list[Any] = []
        self.pending: list[Any] = []
        self.seen: list[Any] = []

    def of(self, choices: Any) -> Any:
        """One of some."""
        return self.random.choice(choices)

    @property
    def any(self) -> Any:
        """One of the arrays."""
        return self.of(self.arrays)

    @property
    def number(self) -> int:
        """A number to be written."""
        return self.random.randrange(10)

    def look(self, *, closely: bool) -> None:
        """Note all contents, or some."""
        arrays = [*self.held, *self.arrays, *(self.pending if closely else [])]
        self.seen += [np.asarray(x).tolist() for x in arrays if closely or self.random.random() < 0.3]


#: What is done in a random order, of arrays, of what a package has of them, and of a number.
STEPS: list[Callable[[Any, _State], None]] = [
    lambda n, s: s.arrays.append(s.any[s.of([slice(1, None), slice(None, None, -1), slice(0, 2)])]),
    lambda n, s: s.arrays.append(s.any.T),
    lambda n, s: s.arrays.append(s.any + s.number),
    lambda n, s: s.pending.append(s.any * 2 + s.number),
    lambda n, s: s.any.__setitem__(slice(0, 1), s.number),
    lambda n, s: s.any.__iadd__(s.number),
    lambda n, s: (lambda x: x.__setitem__(..., x[::-1] * 0.5))(s.any),
    lambda n, s: (lambda x: x.__setitem__(x > 3, s.number))(s.any),
    lambda n, s: s.held.append(s.library.view(s.of(range(8)), s.any)),
    lambda n, s: s.held.append(s.library.view(s.of(range(8)), s.any)),
    lambda n, s: s.library.write(s.of(s.held or [np.zeros(1)]), s.number),
    lambda n, s: s.library.write(s.of(s.held or [np.zeros(1)]), s.number),
    lambda n, s: s.held.__delitem__(slice(s.of(range(3)), None)),
    lambda n, s: s.library.negate(s.any),
    lambda n, s: s.library.count(s.any),
    lambda n, s: s.library.sort(s.any),
    lambda n, s: s.arrays.extend(s.pending),
    lambda n, s: s.seen.append([float(v) for v in s.any.ravel()]),
    lambda n, s: s.seen.append(np.asarray(s.any).tolist()),
    lambda n, s: s.arrays.__delitem__(slice(s.of(range(2, 5)), None)),
]
SHARED = """
import numpy as np
views = [np.asarray, np.ravel, np.atleast_2d, np.transpose, np.flip, lambda x: np.reshape(x, -1),
         lambda x: np.asarray(x)[::2], lambda x: np.swapaxes(x, 0, -1)]
def view(k, x): return views[k](x)
def write(x, c): x[...] = x * 0.5 + c
def negate(x): np.negative(x, out=x)
def count(x): np.add.at(x, ..., 1)
def sort(x): np.asarray(x).sort()
"""


@pytest.mark.parametrize("seeds", [range(150)])
def test_writes_in_any_order(seeds: range) -> None:
    library = _module("a_package_that_shares", SHARED)

    def run(n: Any, seed: int) -> list[Any]:
        state = _State(n, seed, library)
        for _ in range(state.of(range(5, 25))):
            state.of(STEPS)(n, state)
            state.look(closely=False)
        state.look(closely=True)
        return [*state.seen, [x.strides for x in state.arrays]]

    for seed in seeds:
        assert run(lnp, seed) == run(np, seed), seed


def test_memory_is_the_arrays_alone_again_when_nobody_has_it(library: ModuleType) -> None:
    x = lnp.arange(8.0) * 1
    kept = library.f0(x, None)
    kept[0] = 5
    assert type(x._cell) is Aliased and x[0] == 5
    del kept
    x[1] = 6
    assert x.tolist() == [5, 6, 2, 3, 4, 5, 6, 7] and (x._mine is not None or type(x._cell) is Cell)


def test_what_was_shown_keeps_its_values(library: ModuleType) -> None:
    x = lnp.arange(8.0) * 1
    shown = np.asarray(x)
    kept = library.f0(x, None)
    also = np.asarray(x)
    kept[...] = 3
    assert shown.tolist() == also.tolist() == [0, 1, 2, 3, 4, 5, 6, 7] and x.tolist() == [3] * 8
    with pytest.raises(ValueError, match="read-only"):
        also[0] = 1


def test_threads_write_to_what_others_have(library: ModuleType, below: int) -> None:
    x = lnp.zeros(32) * 1
    kept = library.f0(x, None)
    arrays = [x[8 * k : 8 * k + 8] for k in range(4)]

    def work(k: int) -> None:
        for _ in range(50):
            arrays[k] += 1
            library.f0(arrays[k], None)[0] += 1
            kept[8 * k + 1] += 1

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if below:  # (Else an assignment to a part is one to all, as recorded.)
        assert x.tolist() == kept.tolist() == [100.0, 100.0, *[50.0] * 6] * 4


def _matrix(n: Any) -> Any:
    return n.asfortranarray((n.arange(16.0) * 7 % 5).reshape(4, 4) + n.eye(4) * 9)


def _vector(n: Any) -> Any:
    return n.arange(12.0) * 5 % 7


#: Calls of SciPy that may write to what they are given, or to what NumPy's functions made of it.
OF_MATRICES: list[Callable[[Any, Any], Any]] = [
    lambda s, a: s.linalg.lu(a, overwrite_a=True),
    lambda s, a: s.linalg.lu_factor(a, overwrite_a=True),
    lambda s, a: s.linalg.solve(a, a[0] * 1, overwrite_a=True, overwrite_b=True),
    lambda s, a: s.linalg.solve(a, a[1:3].T, overwrite_b=True),
    lambda s, a: s.linalg.inv(a, overwrite_a=True),
    lambda s, a: s.linalg.det(a, overwrite_a=True),
    lambda s, a: s.linalg.qr(a, overwrite_a=True),
    lambda s, a: s.linalg.svd(a, overwrite_a=True),
    lambda s, a: s.linalg.eig(a, overwrite_a=True)[0],
    lambda s, a: s.linalg.eigh(a + a.T, overwrite_a=True)[0],
    lambda s, a: s.linalg.cholesky(a @ a.T, overwrite_a=True),
    lambda s, a: s.linalg.lstsq(a, a[2] * 1, overwrite_a=True, overwrite_b=True),
    lambda s, a: s.linalg.hessenberg(a, overwrite_a=True),
    lambda s, a: s.linalg.schur(a, overwrite_a=True),
    lambda s, a: s.linalg.solve_banded((1, 1), a[:3], a[3], overwrite_ab=True, overwrite_b=True),
    lambda s, a: s.linalg.solve_triangular(a, a[1], overwrite_b=True),
    lambda s, a: s.linalg.expm(a / 50),
    lambda s, a: s.fft.fft2(a, overwrite_x=True),
    lambda s, a: s.fft.dctn(a, overwrite_x=True),
    lambda s, a: s.fft.dst(a, overwrite_x=True),
    lambda s, a: s.ndimage.gaussian_filter(a, 1.0),
    lambda s, a: s.ndimage.gaussian_filter(a, 1.0, output=np.asarray(a).copy()),
    lambda s, a: s.ndimage.label(a > 3),
    lambda s, a: s.ndimage.fourier_shift(a + 0j, 1),
    lambda s, a: s.stats.zscore(a),
    lambda s, a: s.stats.rankdata(a, axis=1),
    lambda s, a: s.stats.gaussian_kde(a[:2]).marginal([0])(a[0]),
    lambda s, a: s.stats.mstats.winsorize(a, limits=0.1, inplace=True),
    lambda s, a: s.cluster.vq.kmeans(a, a[:2]),
    lambda s, a: s.cluster.vq.whiten(a),
    lambda s, a: s.spatial.distance.cdist(a, a),
    lambda s, a: s.spatial.procrustes(a, a**2)[2],
    lambda s, a: s.sparse.csr_array(a).multiply(2).toarray(),
    lambda s, a: s.sparse.linalg.gmres(a, a[0])[0],
    lambda s, a: s.sparse.linalg.eigsh(a + a.T, k=2, v0=a[0])[0],
    lambda s, a: s.sparse.linalg.svds(a, k=2, v0=a[0])[1],
    lambda s, a: s.optimize.linear_sum_assignment(a),
    lambda s, a: s.optimize.nnls(a, a[0]),
    lambda s, a: s.interpolate.RectBivariateSpline(a[0] - a[0] + [0, 1, 2, 3], [0, 1, 2, 3], a)(0.5, 0.5),
]
OF_VECTORS: list[Callable[[Any, Any], Any]] = [
    lambda s, v: s.signal.detrend(v, overwrite_data=True),
    lambda s, v: s.signal.detrend(v, type="constant", overwrite_data=True),
    lambda s, v: s.signal.lfilter([1.0, 0.5], [1.0, -0.2], v),
    lambda s, v: s.signal.savgol_filter(v, 5, 2),
    lambda s, v: s.signal.medfilt(v, 3),
    lambda s, v: s.signal.welch(v, nperseg=4),
    lambda s, v: s.fft.fft(v, overwrite_x=True),
    lambda s, v: s.fft.fft(v + 0j, overwrite_x=True),
    lambda s, v: s.fft.ifft(v, overwrite_x=True),
    lambda s, v: s.fft.dct(v, overwrite_x=True),
    lambda s, v: s.stats.gaussian_kde(v).integrate_box_1d(0, 3),
    lambda s, v: s.stats.trimboth(v, 0.1),
    lambda s, v: s.stats.boxcox(v + 1),
    lambda s, v: s.stats.describe(v),
    lambda s, v: s.stats.ecdf(v).cdf.probabilities,
    lambda s, v: s.interpolate.interp1d(v, v[::-1], copy=False, assume_sorted=False)(v[:3]),
    lambda s, v: s.interpolate.make_interp_spline(np.arange(12.0), v)(v[:3]),
    lambda s, v: s.integrate.cumulative_simpson(v, initial=0),
    lambda s, v: s.integrate.solve_ivp(lambda t, y: -y, (0, 1), v[:3]).y,
    lambda s, v: s.integrate.odeint(lambda y, t: -y, v[:3], v[3:6].cumsum()),
    lambda s, v: s.optimize.minimize(lambda p: ((p - 1) ** 2).sum(), v[:3], method="Nelder-Mead").x,
    lambda s, v: s.optimize.fsolve(lambda p: p**2 - [1, 4, 9], v[1:4]),
    lambda s, v: s.special.erf(v, out=v),
    lambda s, v: s.special.softmax(v),
    lambda s, v: s.spatial.distance.squareform(v[:10], checks=False),
    lambda s, v: s.sparse.coo_array((v, (np.arange(12), np.arange(12)))).toarray(),
    lambda s, v: s.spatial.transform.Rotation.from_rotvec(v[:3]).as_matrix(),
]


def _numbers(x: Any) -> Any:
    if isinstance(x, tuple):
        return [_numbers(item) for item in x]
    return np.asarray(x)


@pytest.mark.parametrize("make", [_matrix, _vector])
def test_functions_of_scipy_that_write(make: Callable[[Any], Any]) -> None:
    scipy: Any = pytest.importorskip("scipy")
    for k, f in enumerate(OF_MATRICES if make is _matrix else OF_VECTORS):
        (x, ours), (y, numpys) = ((a, _numbers(f(scipy, a))) for a in (make(lnp), make(np)))
        assert np.allclose(x, y, rtol=1e-12, atol=1e-12), f"the argument of {k}"
        for found, wanted in zip(ours, numpys, strict=True) if isinstance(ours, list) else [(ours, numpys)]:
            np.testing.assert_allclose(found, wanted, 1e-9, 1e-9, err_msg=str(k))
