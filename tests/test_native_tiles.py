"""Statements that read each other's neighbours, tile by tile: NumPy's values whatever the tiles are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lazyarr
from lazyarr.backends import native_tiles
from lazyarr.backends.native import compile
from lazyarr.backends.native_patched import boxes
from lazyarr.backends.native_tiles import Tiles
from lazyarr.plans import plans


@pytest.fixture(scope="module", autouse=True)
def everywhere() -> Iterator[None]:
    """Tiles for small arrays, too; (conftest.py keeps nothing on disk)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native_tiles, "BEYOND", 1)
        patch.setattr(native_tiles, "_ROW", 4)
        patch.setattr(native_tiles, "_STRIP", 16)
        patch.setattr(native_tiles, "_CACHES", (3_000, 12_000, 100_000))
        yield


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Tiles]:
    """The groups that are done tile by tile."""
    found: list[Tiles] = []
    emit = Tiles.emit

    def noted(self: Tiles, code: Any) -> None:
        found.append(self)
        emit(self, code)

    monkeypatch.setattr(Tiles, "emit", noted)
    return found


def check(f: Any, *args: Any) -> None:
    """The same results, and the same arguments afterwards, to the bit."""
    fast = lazyarr.accelerate(f, always=True)
    for _ in range(3):
        own, expected = ([a.copy() for a in args] for _ in range(2))
        got, wanted = fast(*own), f(*expected)
        for x, y in zip([*got, *own], [*wanted, *expected], strict=True):
            assert (x.dtype, x.shape) == (y.dtype, y.shape)
            np.testing.assert_array_equal(x, y)


def limited(u: Any, c: Any, out: Any) -> Any:
    """Diffusion of fourth order with limited fluxes: nothing between the statements is asked for."""
    lap = 4.0 * u[1:-1, 1:-1] - (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
    down = lap[1:, 1:-1] - lap[:-1, 1:-1]
    down = np.where(down * (u[2:-1, 2:-2] - u[1:-2, 2:-2]) > 0, 0, down)
    across = lap[1:-1, 1:] - lap[1:-1, :-1]
    across = np.where(across * (u[2:-2, 2:-1] - u[2:-2, 1:-2]) > 0, 0, across)
    out[...] = u[2:-2, 2:-2] - c * (down[1:] - down[:-1] + across[:, 1:] - across[:, :-1])
    return (out,)


@pytest.mark.parametrize("shape", [(60, 9), (45, 40), (200, 33), (64, 700), (40, 24, 17), (33, 90, 8)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_nothing_between_is_stored(made: list[Tiles], shape: tuple[int, ...], dtype: Any) -> None:
    rng = np.random.default_rng(0)
    u = rng.random((shape[0] + 4, shape[1] + 4, *shape[2:])).astype(dtype)
    check(limited, u, rng.random(shape).astype(dtype), np.zeros(shape, dtype))
    assert made and len(made[0]._local) == 3


def test_long_rows_are_cut(made: list[Tiles]) -> None:
    rng = np.random.default_rng(1)
    check(limited, rng.random((64, 704)), rng.random((60, 700)), np.zeros((60, 700)))
    assert made[0].strip


def kept(u: Any) -> Any:
    """What lies between is a result, too, or is read afterwards."""
    a = u[1:] * u[:-1]
    b = a[2:] - a[:-2]
    c = b[1:] * b[:-1] + a[1:-2]
    return a, c[3:] - c[:-3], b.sum(), c


def one_row_apart(u: Any) -> Any:
    a = np.sqrt(u[3:] + u[:-3])
    b = a[5:] * a[:-5] - a[2:-3]
    c = b[1:] + b[:-1]
    return c * c, b[::-1].copy()


def columns_and_rows(u: Any, v: Any, w: Any) -> Any:
    """One axis from one array, one from another; and a turned array, which is no part of tiles."""
    a = np.sqrt(u * v[:, None] + w)
    b = np.sqrt(a[1:] + a[:-1])
    c = np.sqrt(b[:, 1:] * b[:, :-1] + v[1:, None] * b[:, 1:])
    d = c[3:].T + 1.0
    return np.sqrt(c[1:] + c[:-1]), d


def other_types(u: Any) -> Any:
    a = (u * 100).astype(np.int16)
    b = a[1:] - a[:-1]
    c = (b[1:] > b[:-1]) & (b[1:] != 0)
    d = c[1:] ^ c[:-1]
    e = (d[1:] & ~d[:-1]).astype(np.float32) + b[3:]
    return e, d


def patched(u: Any) -> Any:
    """Borders of what lies between are written."""
    a = u * 2.0
    a[0] = 0
    a[:, -1] = 1.0
    b = a[1:, 1:] - a[:-1, :-1]
    b[:, 0] = a[1:, 0]
    return b[2:] * b[:-2], (b[1:] + b[:-1]).max()


def rolled(u: Any) -> Any:
    a = np.roll(u, 1, axis=1) - u
    b = np.roll(u, 1, axis=0) - u
    c = a * b + np.roll(a, -1, axis=1)
    return np.roll(c, 2, axis=0) + c, a[1:] - a[:-1]


def in_place(u: Any) -> Any:
    a = u[2:] - u[:-2]
    b = a[1:] * a[:-1]
    u[1:-2] += b
    u[2:-3] -= b[1:-1] + a[1:-2] * u[3:-2]
    c = u[1:] - u[:-1]
    return (c[1:] + c[:-1],)


def read_again_later(u: Any) -> Any:
    """What lies between two statements of an iteration is read by a third one, which is no part of their tiles."""
    a, b = u.copy(), u * 0.5
    for _ in range(100):  # (So many are a loop in the program, too.)
        c = np.sqrt(a * b + 1.0)
        a = np.sqrt(c * c + a)
        d = np.sqrt(np.roll(c, 1, 0) + np.roll(c, -1, 0) + c)
        b = np.sqrt(np.roll(d, 1, 0) + d * b + np.roll(c, 2, 0))
    return a, b


def gradients(u: Any) -> Any:
    """What lies between is put together from its inner part and its borders."""
    down, across = np.gradient(u[..., 0] if u.ndim == 3 else u)
    size = np.sqrt(down * down + across * across + 1e-3)
    down, across = down / size, across / size
    return (np.gradient(down, axis=0) + np.gradient(across, axis=1),)


def joined(u: Any) -> Any:
    a = np.concatenate([u[:3] * 2, u[5:-1] + 1, u[:1] - u[1:2]])
    b = np.concatenate([a[1:, :2] + a[:-1, :2], a[1:, 1:-1] * a[:-1, 2:]], axis=1)
    c = np.concatenate([b[2:], b[1:3] * 2])
    return c[1:] - c[:-1], np.concatenate([a, a + 1]), np.concatenate([u[:0], u])


def side_by_side(u: Any) -> Any:
    """Two that do not need each other, and what needs both; in memory that is free again."""
    a, b = u[1:] - u[:-1], u[1:] + u[:-1]
    p, q, r = a * a, b * b, a * b
    p, q, r = (x[2:] + x[1:-1] + x[:-2] for x in (p, q, r))
    return p * q - r * r, (p + q) ** 2


def in_a_loop(u: Any) -> Any:
    """What lies between is made anew in each iteration; data ends the loop."""
    x = u.copy()
    change, count = 1.0, 0
    while change > 1e-9 and count < 4:
        a = x[1:] - x[:-1]
        b = a * a + 1.0
        c = np.sqrt(b[1:] * b[:-1]) - a[1:]
        new = x.copy()
        new[1:-1] += 0.1 * (c - 0.5 * b[1:])
        change = float(np.abs(new - x).max())
        x = new
        count += 1
    return (x,)


def in_turns(u: Any) -> Any:
    """Cyclic neighbours, in a counted loop: the arrays take turns."""
    a, b = u.copy(), u * 0.5
    for _ in range(100):
        c = a * b * b
        a, b = (
            a + 0.1 * (np.roll(a, 1, 0) + np.roll(a, -1, 0) - 2 * a - c),
            b + 0.1 * (np.roll(b, 1, 0) + np.roll(b, -1, 0) - 2 * b + c),
        )
    return a, b


def of_functions(u: Any) -> Any:
    """What is asked for, and read by neighbours, is the same array, to the last bit of exp."""
    a = u * 2.0 + 1.0
    b = a[1:] * a[:-1]
    c = np.exp(b[1:] - b[:-1])
    return c, c[1:] - c[:-1]


def lines(u: Any) -> Any:
    a = u.ravel()[: u.size // 2]
    b = a[1:] * a[:-1]
    c = b[7:] - b[:-7]
    return c[1:] + c[:-1], b[3:] + 1.0


@pytest.mark.parametrize(
    "f",
    [kept, one_row_apart, other_types, patched, rolled, in_place, gradients, joined, side_by_side, in_a_loop, in_turns,
     read_again_later, lines],
)  # fmt: skip
@pytest.mark.parametrize("shape", [(100, 40), (333, 5), (61, 130), (48, 12, 9)])
def test_numpys_values(f: Any, shape: tuple[int, ...]) -> None:
    check(f, np.random.default_rng(2).random(shape))


@pytest.mark.parametrize("shape", [(103, 41), (67, 301), (1009,)])
def test_what_lasts_is_what_neighbours_have_read(shape: tuple[int, ...]) -> None:
    u = np.random.default_rng(8).random(shape)
    fast = lazyarr.accelerate(of_functions, always=True)
    for _ in range(3):
        c, difference = fast(u)
        np.testing.assert_array_equal(difference, c[1:] - c[:-1])
        np.testing.assert_allclose(c, of_functions(u)[0], rtol=1e-14)


def test_axes_of_other_arrays(made: list[Tiles]) -> None:
    rng = np.random.default_rng(3)
    check(columns_and_rows, rng.random((150, 60)), rng.random(150), rng.random(60))
    assert made


def test_what_is_asked_for_is_written_past_the_caches(monkeypatch: pytest.MonkeyPatch, made: list[Tiles]) -> None:
    monkeypatch.setattr("lazyarr.backends.native_streams._LARGE", 1)
    monkeypatch.setattr("lazyarr.backends.native_streams._ROW", 64)
    rng = np.random.default_rng(4)
    for shape in ((47, 40), (41, 24, 17), (34, 90, 8)):  # (Others than elsewhere: programs are compiled once.)
        u = rng.random((shape[0] + 4, shape[1] + 4, *shape[2:]))
        check(limited, u, rng.random(shape), np.zeros(shape))
    assert any(tiles._streams(s) for tiles in made for s in tiles.statements)


def test_memory_of_what_lies_between_is_that_of_tiles() -> None:
    u = np.random.default_rng(5).random((2004, 104))
    fast = lazyarr.accelerate(limited, always=True)
    fast(u, np.ones((2000, 100)), np.zeros((2000, 100)))
    graph = next(plan.after.graph.nodes[0].kw["body"] for plan in reversed(plans._plans.values()))
    program = compile(graph).program
    large = [m.size for m in program.memory[len(program.params) :] if m.size > u.nbytes / 4]
    assert large == [2000 * 100 * 8]  # What is returned.


@pytest.mark.parametrize("count", [3, 39])
def test_what_is_patched_is_no_part_of_tiles_in_long_programs(made: list[Tiles], count: int) -> None:
    """Tiles have code for each box; there, equal nests are compiled once."""
    steps = "abc" * (count // 3)

    def many(u: Any) -> Any:
        x, y = u, u * 0.5
        for _ in steps:
            y = x * 0.5 + y
            y[1:-1, 1:-1] += 0.1 * (x[2:, 1:-1] - x[:-2, 1:-1])
            x, y = np.maximum(y - x * x, 0.25), x
        return x, y

    check(many, np.random.default_rng(7).random((61 + count, 37)))
    found = [s for tiles in made for s in tiles.statements if boxes(s.source, s.target.shape)]
    assert bool(found) == (count == 3)


Step = tuple[str, int, int, int]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["shift", "cross", "where", "scale", "patch"]), *[st.integers(0, 3)] * 3),
        min_size=2, max_size=9,
    ),
    st.sampled_from([(70, 30), (90, 90), (40, 11, 12), (400,)]),
    st.sampled_from([np.float64, np.float32]),
)  # fmt: skip
def test_random_chains(steps: list[Step], shape: tuple[int, ...], dtype: Any) -> None:
    def chain(u: Any, v: Any) -> Any:
        known = [u, v]
        for kind, k, by, which in steps:
            x, y = known[-1 - k % len(known)], known[which % len(known)]
            rows = min(x.shape[0], y.shape[0])
            rest = tuple(slice(0, min(a, b)) for a, b in zip(x.shape[1:], y.shape[1:], strict=True))
            x, y = x[(slice(0, rows), *rest)], y[(slice(0, rows), *rest)]
            if kind == "shift":
                new = x[by:] - y[: rows - by] * 0.5
            elif kind == "cross":
                new = x[..., by:] * y[..., : y.shape[-1] - by] - x[..., by:]
            elif kind == "where":
                new = np.where(x[by:] > y[: rows - by], x[by:], y[by:])
            elif kind == "scale":
                new = x * 0.5 + y
            else:
                new = x + y
                new[by : by + 2] = 0.25
            known.append(new)
        return (known[-1], *known[2:-1:3])

    rng = np.random.default_rng(6)
    check(chain, rng.random(shape).astype(dtype), rng.random(shape).astype(dtype))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["roll", "across", "mix", "inner"]), *[st.integers(0, 3)] * 3), min_size=2, max_size=7
    ),
    st.sampled_from([(70, 30), (40, 11, 12), (400,)]),
    st.booleans(),
)
def test_random_iterations(steps: list[Step], shape: tuple[int, ...], ends: bool) -> None:
    def iterate(u: Any, v: Any) -> Any:
        a, b = u.copy(), v.copy()
        total = 0.0
        for _ in range(70):
            known = [a, b]
            for kind, k, by, which in steps:
                x, y = known[-1 - k % len(known)], known[which % len(known)]
                if kind == "roll":
                    new = np.roll(x, by, axis=0) * 0.5 + y * 0.25
                elif kind == "across":
                    new = np.roll(x, by + 1, axis=-1) - y * 0.5
                elif kind == "mix":
                    new = np.sqrt(x * x + 1.0) - y
                else:
                    new = x * 0.5
                    new[1:-1] += 0.25 * (y[2:] - y[:-2])
                known.append(np.sqrt(new * new + 0.5) - 0.5)
            a, b = known[-1], known[-2] * 0.5 + b * 0.25
            total = total + a.ravel()[3]
            if ends and total > 1e6:
                break
        return a, b, np.asarray(total)

    rng = np.random.default_rng(7)
    check(iterate, rng.random(shape), rng.random(shape))
