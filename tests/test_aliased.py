"""Views that NumPy's functions give the code of installed packages: of lazy arrays' own memory, to be written to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
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


@pytest.fixture(scope="module")
def library() -> ModuleType:
    """A module as of an installed package."""
    found = ModuleType("a_package_that_writes")
    found.__file__ = "/usr/lib/python/site-packages/a_package_that_writes.py"
    bodies = "".join(f"def f{k}(x, w):\n    {line}\n" for k, line in enumerate([*LINES, *MORE]))
    exec(compile(HEAD + bodies, found.__file__, "exec"), found.__dict__)
    return found


@pytest.fixture(params=[250_000, 0], ids=["little", "recorded"], autouse=True)
def below(request: pytest.FixtureRequest) -> Iterator[int]:
    """Whether NumPy does little work at once."""
    with settings(eager_below=request.param):
        yield request.param


def _state(x: Any, depth: int = 0) -> Any:
    """All that can be seen of what a function gave."""
    if isinstance(x, (list, tuple)):
        return [type(x).__name__, *(_state(item, depth) for item in x)]
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
        said.append([_state(found), _state(x), _state(other), _state(pending), _state(a), _state(beside), _state(w)])

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
        said.append(_state(later))
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
