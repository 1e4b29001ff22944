"""The order in memory of results: what NumPy's have, recorded ones and those of compiled programs have too.

A later ``reshape``, ``ravel`` or view shows it: of the wrong order, a view would be a copy, and a write to it lost.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr import accelerate
from lazyarr.settings import settings
from tests.acceleration import check
from tests.control_compare import define

Array = Any
Layout = tuple[tuple[int, ...], tuple[int, ...], int, int, int]


def _layouts() -> list[Layout]:
    """Shapes with the order of their axes, and an axis that runs backwards, one with gaps, one that is broadcast."""
    draw = random.Random(5)
    found: list[Layout] = [((2, 3), (1, 0), -1, -1, -1), ((3, 1, 2), (2, 1, 0), -1, -1, -1)]
    found.append(((1, 4), (1, 0), 1, -1, -1))
    for _ in range(16):
        shape = tuple(draw.choice([1, 2, 3, 4]) for _ in range(draw.choice([2, 2, 3, 4])))
        order = list(range(len(shape)))
        draw.shuffle(order)
        flipped, gaps, spread = (draw.choice([-1, -1, *range(len(shape))]) for _ in range(3))
        found.append((shape, tuple(order), flipped, gaps, spread if draw.random() < 0.3 else -1))
    return found


def _made(m: Any, layout: Layout) -> Array:
    shape, order, flipped, gaps, spread = layout
    whole = [2 * n if axis == gaps else n for axis, n in enumerate(shape)]
    base = m.arange(float(np.prod(whole))).reshape([whole[axis] for axis in order])
    a = base.transpose([order.index(axis) for axis in range(len(shape))])
    a = a[tuple(slice(None, None, (2 if k == gaps else 1) * (-1 if k == flipped else 1)) for k in range(len(shape)))]
    if spread >= 0:
        a = m.broadcast_to(a[tuple(slice(0, 1) if k == spread else slice(None) for k in range(len(shape)))], shape)
    return a


_T = [[0, 0], [0, 0], [0, 0]]
_OF_ONE: dict[str, Callable[[Any, Array], Any]] = {
    "tile by one": lambda m, a: m.tile(a, 1),
    "tile by ones, more axes": lambda m, a: m.tile(a, (1,) * (a.ndim + 1)),
    "argpartition": lambda m, a: m.argpartition(a, 0, axis=0),
    "median": lambda m, a: m.median(a, axis=0),
    "count_nonzero": lambda m, a: m.count_nonzero(a, axis=0),
    "nanmean": lambda m, a: m.nanmean(a, axis=-1),
    "nanvar": lambda m, a: m.nanvar(a, axis=-1),
    "zeros_like(shape=)": lambda m, a: m.zeros_like(a, shape=(3,) * a.ndim),
    "zeros_like(shape=), more axes": lambda m, a: m.zeros_like(a, shape=(3,) * (a.ndim + 1)),
    "round": lambda m, a: m.round(a, 1),
    "round, complex": lambda m, a: m.round(a + 1j, 1),
    "i0": lambda m, a: m.i0(a),
    "packbits": lambda m, a: m.packbits(a > 1, axis=0),
    "unpackbits": lambda m, a: m.unpackbits(a.astype("u1"), axis=0),
    "delete": lambda m, a: m.delete(a, 0, axis=0),
    "delete of several": lambda m, a: m.delete(a, [0, -1], axis=0),
    "delete of none": lambda m, a: m.delete(a, [], axis=-1),
    "delete of a slice": lambda m, a: m.delete(a, slice(0, 3, 2), axis=-1),
    "insert": lambda m, a: m.insert(a, [0, 1], 7, axis=-1),
    "diff(prepend=)": lambda m, a: m.diff(a, axis=0, prepend=0),
    "array of a list": lambda m, a: m.array([a, a]),
    "pad": lambda m, a: m.pad(a, 1),
    "pad, wrapped": lambda m, a: m.pad(a, 1, mode="wrap"),
    "take": lambda m, a: m.take(a, m.array([0, 0]), axis=0),
    "mask of the first axis": lambda m, a: a[m.array([True] + [False] * (a.shape[0] - 1))],
    "mask of the last axis": lambda m, a: a[..., m.array([True] + [False] * (a.shape[-1] - 1))],
    "read by index": lambda m, a: a[m.array([0, 0])],
    "read by index, last": lambda m, a: a[..., m.array([0, 0, 0])],
    "read by indices apart": lambda m, a: a[m.array([0, 0]), ..., m.array([0, 0])],
    "read by a transposed index": lambda m, a: a[m.array(_T).T],
    "read by a transposed index, last": lambda m, a: a[..., m.array(_T).T],
    "read by index and a slice": lambda m, a: a[m.array([0, 0]), ::-1],
    "read by index, new axis": lambda m, a: a[m.array([0, 0]), None],
    "read by Fortran indices": lambda m, a: a[m.array(_T, order="F"), m.array(_T, order="F")],
    "matmul": lambda m, a: a @ m.swapaxes(a, -1, -2),
    "vecdot": lambda m, a: m.vecdot(a, a),
    "inv": lambda m, a: m.linalg.inv(a[..., None, None] + 1),
    "det": lambda m, a: m.linalg.det(a[..., None, None]),
    "solve": lambda m, a: m.linalg.solve(a[..., None, None] + 1, a[..., None, None]),
    "svd": lambda m, a: m.linalg.svd(a)[2],
    "q": lambda m, a: m.linalg.qr(a)[0],
    "r": lambda m, a: m.linalg.qr(a)[1],
    "ravel_multi_index": lambda m, a: m.ravel_multi_index((a.astype(int) % 2, a.astype(int) % 2), (2, 2)),
    "unravel_index": lambda m, a: m.unravel_index(a.astype(int) % 6, (2, 3))[0],
    "ravel in memory's order": lambda m, a: m.ravel(a, order="K"),
    "flatten in memory's order": lambda m, a: a.flatten("K"),
    "flatten in any order": lambda m, a: a.flatten("A"),
}
_OF_TWO: dict[str, Callable[[Any, Array, Array], Any]] = {
    "concatenate": lambda m, a, b: m.concatenate([a, b]),
    "concatenate, last": lambda m, a, b: m.concatenate([a, b], axis=-1),
    "concatenate of dtypes": lambda m, a, b: m.concatenate([a, b.astype("f4")]),
    "concatenate of all": lambda m, a, b: m.concatenate([a, b], axis=None),
    "stack": lambda m, a, b: m.stack([a, b]),
    "stack, second": lambda m, a, b: m.stack([a, b], axis=1),
    "stack, last": lambda m, a, b: m.stack([a, b], axis=-1),
    "vstack": lambda m, a, b: m.vstack([a, b]),
    "hstack": lambda m, a, b: m.hstack([a, b]),
    "dstack": lambda m, a, b: m.dstack([a, b]),
    "column_stack": lambda m, a, b: m.column_stack([a, b]),
    "block": lambda m, a, b: m.block([[a, b], [b, a]]),
    "append": lambda m, a, b: m.append(a, b, axis=0),
    "where": lambda m, a, b: m.where(a > b, a, b),
    "matmul of two": lambda m, a, b: a @ m.swapaxes(b, -1, -2),
    "read by two indices": lambda m, a, b: a[(b % a.shape[0]).astype(int), (b % a.shape[1]).astype(int)],
    "read by another array": lambda m, a, b: a[(b % a.shape[0]).astype(int).T],
}


def _assert_laid_out(found: Any, expected: Any, case: Any) -> None:
    assert found.shape == expected.shape, case
    assert found.dtype == expected.dtype, case
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-9, atol=1e-9, err_msg=str(case))
    if expected.size:
        steps = [[s for s, n in zip(x.strides, x.shape, strict=True) if n != 1] for x in (found, expected)]
        assert steps[0] == steps[1], (case, found.strides, expected.strides)
    for order in "KA":
        np.testing.assert_allclose(np.asarray(found.ravel(order)), expected.ravel(order), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", _OF_ONE)
def test_of_one_array(name: str) -> None:
    for layout in _layouts():
        _assert_laid_out(_OF_ONE[name](lnp, _made(lnp, layout)), _OF_ONE[name](np, _made(np, layout)), layout)


@pytest.mark.parametrize("name", _OF_TWO)
def test_of_two_arrays(name: str) -> None:
    layouts = _layouts()
    for layout in layouts:
        for other in (o for o in layouts if o[0] == layout[0]):
            pairs = [(_made(m, layout), _made(m, (layout[0], *other[1:]))) for m in (lnp, np)]
            _assert_laid_out(_OF_TWO[name](lnp, *pairs[0]), _OF_TWO[name](np, *pairs[1]), (layout, other))
            turned = [(_made(m, layout), m.ones(layout[0]) * 2) for m in (lnp, np)]
            _assert_laid_out(_OF_TWO[name](lnp, *turned[0]), _OF_TWO[name](np, *turned[1]), layout)


def test_what_is_written_to_a_flat_view_of_joined_arrays_is_written() -> None:
    def program(m: Any) -> tuple[Any, Any]:
        a = m.asfortranarray(m.arange(6.0).reshape(2, 1, 3)).T
        both = m.concatenate([a, a])
        flat = both.reshape(-1)
        flat[0] = 50
        along = both.ravel("K")
        along[1] = 60
        return both, flat

    for found, expected in zip(program(lnp), program(np), strict=True):
        np.testing.assert_array_equal(np.asarray(found), expected)


def _copies(a: Array) -> Any:
    return a.copy(), np.ascontiguousarray(a), np.array(a, order="C"), np.pad(a, 0), np.concatenate([a])


def _made_anew(a: Array) -> Any:
    return (
        np.repeat(a, 1, axis=0),
        a.reshape(-1).reshape(a.shape),
        np.broadcast_to(a, a.shape).copy(),
        np.tile(a, 1),
        a + 0,
    )


@pytest.mark.parametrize("function", [_copies, _made_anew])
@pytest.mark.parametrize(
    "make",
    [
        lambda k: np.arange(4.0).reshape(2, 2)[::-1].T + k,
        lambda k: (np.arange(6.0) + k).reshape(2, 3).T,
        lambda k: (np.arange(24.0) + k).reshape(2, 3, 4).transpose(1, 2, 0),
        lambda k: (np.arange(24.0) + k).reshape(4, 6)[:, ::2].T,
    ],
)
def test_copies_of_arguments_are_laid_out_as_numpy_lays_them_out(function: Any, make: Any) -> None:
    check(function, lambda k: (make(k),), calls=4)


@pytest.mark.parametrize("join", [np.concatenate, np.stack, np.hstack, np.dstack])
def test_in_accelerated_functions(join: Any) -> None:
    def program(a: Array, b: Array) -> Any:
        both = join([a.T, b.T])
        flat = both.reshape(-1)
        flat[0] = 50
        along = both.ravel("K")
        along[1] = 60
        return both, along, a.T[[1, 0]].ravel("K")

    check(program, lambda k: (np.arange(6.0).reshape(2, 3) + k, np.ones((2, 3)) * k), calls=3)


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("line", [
    "np.linalg.qr(np.moveaxis(x[0, :3, :3], -1, 0), 'raw')", "np.linalg.qr(x.swapaxes(0, 3)[:, ::-1], mode='raw')",
    "np.linalg.qr(x[0].T.astype('f4'), 'raw')", "np.linalg.qr(np.broadcast_to(x[0, 0], (2, 3, 4)), 'raw')",
    "np.linalg.qr(x[0, 0].T, 'raw')", "np.linalg.qr(np.zeros((2, 0, 3)).T, 'raw')",
    "np.count_nonzero(np.broadcast_to(x[0] > 7, (2, 2, 3, 4)), axis=-1)", "np.count_nonzero(x.T > 7, 1)",
    "np.count_nonzero(np.broadcast_to(x[:1] > 7, (3, 2, 3, 4)).transpose(2, 3, 0, 1), axis=-1)",
    "np.count_nonzero(np.broadcast_to(x[:, 1:], (2, 2, 3, 4)), axis=0, keepdims=True)",
    "np.broadcast_to(x[0, :1], (2, 3, 4)).transpose(2, 0, 1).sum(axis=-1)",
    "np.broadcast_to(x[0, :1], (2, 3, 4)).transpose(2, 0, 1).max(axis=2, keepdims=True)",
    "np.round((x > 7).transpose(2, 3, 0, 1))", "np.round(np.broadcast_to(x[0, 0] > 7, (2, 3, 4)).T)",
])  # fmt: skip
def test_results_have_numpys_strides(line: str, eager_below: int) -> None:
    def program(x: Array) -> Any:
        return eval(line, {"np": np, "x": x})

    numbers = (np.arange(24.0) ** 2 % 17).reshape(1, 2, 3, 4)
    expected = program(numbers)
    with settings(eager_below=eager_below):
        recorded = eval(line, {"np": lnp, "x": lnp.array(numbers)})
    accelerated: Any = accelerate(define(f"def f(x):\n    return {line}\n", np=np), always=True)
    for found in (recorded, accelerated(numbers)):
        for want, got in zip(*(x if type(x) is tuple else (x,) for x in (expected, found)), strict=True):
            assert (got.dtype, got.shape) == (want.dtype, want.shape)
            np.testing.assert_allclose(np.asarray(got), want, rtol=1e-5, atol=1e-5)
            # (Those of axes of one element mean nothing.)
            moves = [k for k, n in enumerate(want.shape) if n != 1 and want.size]
            for strides in (got.strides, np.asarray(got).strides):
                assert [strides[k] for k in moves] == [want.strides[k] for k in moves]
