"""`numpy.nditer` over arrays that it writes to, with NumPy beside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr import accelerate, settings
from lazyarr.array import LazyArray
from tests.agree import agree

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")


def doubled(np: Any, a: Any) -> None:
    with np.nditer(a, op_flags=["readwrite"]) as it:
        for x in it:
            x[...] = 2 * x


def reversed_view(np: Any, a: Any) -> None:
    it = np.nditer(a[::-1, 1:], flags=["multi_index"], op_flags=[["readwrite"]])
    while not it.finished:
        it[0] = it.multi_index[0] * 10 + it.multi_index[1] + it[0]
        it.iternext()


def two_arrays(np: Any, a: Any) -> None:
    for x, y in np.nditer([a, np.arange(4)], op_flags=[["readwrite"], ["readonly"]]):
        x += y


def reads_what_it_writes(np: Any, a: Any) -> None:
    for x in np.nditer(a, op_flags=["readwrite"]):
        a[1, 1] += 1
        x[...] = a[1, 1]


def columns_first(np: Any, a: Any) -> None:
    for k, x in enumerate(np.nditer(a, op_flags=["writeonly"], order="F")):
        x[...] = k


def in_chunks(np: Any, a: Any) -> None:
    for x in np.nditer(a, flags=["external_loop"], op_flags=["readwrite"]):
        x *= 3


def buffered(np: Any, a: Any) -> None:
    flags = ["external_loop", "buffered"]
    with np.nditer(a[:, ::-1], flags, ["readwrite"], op_dtypes=["f4"], casting="same_kind") as it:
        for x in it:
            x += 1


def reduced(np: Any, a: Any) -> None:
    axes = [[0, 1], [0, -1]]
    with np.nditer([a.copy(), a[:, 0]], ["reduce_ok"], [["readonly"], ["readwrite"]], op_axes=axes) as it:
        for x, y in it:
            y[...] += x


@pytest.mark.parametrize("eager_below", [50_000, 0])
@pytest.mark.parametrize(
    "change", [doubled, reversed_view, two_arrays, reads_what_it_writes, columns_first, in_chunks, buffered, reduced]
)
def test_arrays_are_written(change: Any, eager_below: int) -> None:
    theirs = np.arange(12.0).reshape(3, 4)
    change(np, theirs)
    with settings.settings(eager_below=eager_below):
        ours = lnp.arange(12.0).reshape(3, 4)
        change(lnp, ours)
    assert np.array_equal(np.asarray(ours), theirs)


def test_elements_are_lazy_and_what_is_only_read_is_numpys() -> None:
    a = lnp.ones(3)
    assert all(isinstance(x, LazyArray) for x in lnp.nditer(a, op_flags=["readwrite"]))
    assert lnp.nditer(a, op_flags=["readwrite"]).operands[0] is a
    assert type(lnp.nditer(a)) is np.nditer


def test_errors_are_numpys() -> None:
    for given in ({"op_flags": ["none"]}, {"op_flags": ["readwrite"]}):
        messages = []
        for m in (np, lnp):
            with pytest.raises(ValueError, match=r".") as raised:
                m.nditer(m.broadcast_to(m.ones(2), (3, 2)), **given)
            messages.append(str(raised.value))
        assert messages[0] == messages[1]


def test_in_accelerated_functions() -> None:
    def change(a: Any) -> Any:
        b = a * 2
        x: Any
        for x in np.nditer(b, op_flags=["readwrite"]):
            x[...] = x + 1
        for x in np.nditer(a, op_flags=["readwrite"]):
            x[...] = x * 3
        return b

    fast = accelerate(change)
    for _ in range(3):
        one, other = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3)
        assert np.array_equal(fast(other), change(one))
        assert np.array_equal(one, other)


def slopes(f: Any, x: Any) -> Any:
    """Differences of `f`, of which one element at a time is changed: the iterator says when it is over."""
    found = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    while not it.finished:
        at = it.multi_index
        before = x[at]
        x[at] = before + 1e-4
        above = f(x)
        x[at] = before - 1e-4
        found[at] = (above - f(x)) / 2e-4
        x[at] = before
        it.iternext()
    return found


def next_ones(x: Any) -> Any:
    rest, total, k = x.flat, 0.0, 0
    while k < x.size:
        total = total * 0.5 + next(rest)
        k += 1
    return total


def test_loops_that_an_iterator_ends_are_not_captured() -> None:
    def squares(x: Any) -> Any:
        return np.sum(x**2)

    fast, ones = accelerate(slopes), accelerate(next_ones)
    for x in (np.arange(6.0).reshape(3, 2), np.ones((4, 5), np.float32)):
        for _ in range(2):
            theirs, own = x.copy(), x.copy()
            expected, got = slopes(squares, theirs), fast(squares, own)
            assert expected.dtype == got.dtype
            np.testing.assert_allclose(got, expected, rtol=1e-9 if x.dtype == np.float64 else 1e-4)
            np.testing.assert_array_equal(theirs, own)
            assert ones(x) == next_ones(x)


LAYOUTS: dict[str, Any] = {
    "as it is": lambda np, x: x + 1,
    "Fortran": lambda np, x: x.copy(order="F"),
    "made in Fortran's order": lambda np, x: np.add(x, 1, order="F"),
    "turned": lambda np, x: (x + 1).T,
    "reversed": lambda np, x: (x * 2)[::-1],
    "columns": lambda np, x: np.asfortranarray(x)[:, 1:],
    "repeated": lambda np, x: np.broadcast_to(x[:1], (2, *x.shape[1:])),
    "astype": lambda np, x: x.T.astype("f4"),
}


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("flags", [[], ["multi_index"], ["c_index"], ["f_index"], ["external_loop"]])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_elements_come_in_the_order_of_memory(layout: str, flags: list[str], eager_below: int) -> None:
    def program(np: Any, x: Any) -> Any:
        found = []
        for order in "KCFA":
            it = np.nditer(LAYOUTS[layout](np, x), flags=flags, order=order)
            while not it.finished:
                at = it.multi_index if "multi_index" in flags else it.index if it.has_index else None
                found.append((np.asarray(it[0]).tolist(), at))
                it.iternext()
        pairs = [(float(a), float(b)) for a, b in np.nditer([LAYOUTS[layout](np, x), 3.0])]
        return found, pairs

    with settings.settings(eager_below=eager_below):
        agree(program, np.arange(24.0).reshape(2, 3, 4))
        agree(program, np.arange(6.0).reshape(3, 2))
