"""Arrays whose length a loop changes: memory for the longest, the elements of NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr import accelerate
from tests.acceleration import assert_same, programs
from tests.control_compare import define
from tests.loop_checks import Array, compiled, noise, same
from tests.written import module_of


def grid(n: int, m: int) -> Array:
    return np.random.default_rng(n + m).random((n, m))


def test_rows_that_leave() -> None:
    def filter_rows(x: Array, limit: float) -> Any:
        total = np.zeros(x.shape[1])
        for k in range(6):
            if len(x) == 0:
                break
            x = x[x[:, 0] > limit * k]
            total += x.sum(axis=0)
        return x, total

    accelerated = same(filter_rows, *[(grid(30, 3), w) for w in (0.0, 0.1, 0.3, 2.0)])
    assert "loop" in compiled(accelerated)


def test_columns_that_leave() -> None:
    def filter_columns(x: Array, limit: float) -> Any:
        for k in range(6):
            x = x[:, x[0] > limit * k]
        return x.sum(axis=1), x.shape[1]

    same(filter_columns, *[(grid(4, 30), w) for w in (0.0, 0.1, 0.2, 1.0)])


def test_several_arrays_that_shrink_together_and_stay_on_some_ways() -> None:
    def escape(c: Array, limit: float) -> Any:
        at = np.arange(c.size)
        count = np.zeros(c.size, dtype=np.int64)
        z = np.zeros_like(c)
        old = c
        for n in range(12):
            z = z * z + c
            gone = np.abs(z) > limit
            if n % 2 == 0:
                count[at[gone]] = n + 1
                kept = ~gone
                old = z
                z, c, at = z[kept], c[kept], at[kept]
        return count, z, c, at, old

    c = np.linspace(-2, 1, 40) + 0.4j
    accelerated = same(escape, *[(c, w) for w in (0.0, 1.0, 2.0, 50.0)])
    assert "loop" in compiled(accelerated)


def test_what_a_short_array_was_is_not_changed_by_what_becomes_of_it() -> None:
    def halves(x: Array, times: int) -> Any:
        first = x
        for _ in range(times):
            shorter = x[: len(x) // 2].copy()
            shorter += 1.0
            x = shorter
        x[...] = x * 2.0
        return x, first, first.sum()

    same(halves, *[(noise(20), n) for n in (6, 1, 2, 3, 5)])


def test_a_short_array_that_is_written_in_place_and_read_from_outside() -> None:
    def compact(x: Array, limit: float) -> Any:
        sums = np.zeros(8)
        for k in range(8):
            x = x[x < limit + 0.1 * k]
            x[: len(x) // 2] *= 0.5
            sums[k] = x.sum()
        return sums, x

    same(compact, *[(noise(50), w) for w in (0.0, 0.5, 3.0, -9.0)])


def test_arguments_that_decide_lengths_are_constants_of_the_program() -> None:
    def function(x: Any, w: Any) -> Any:
        out = np.empty(len(x) - w + 1)
        for i in range(len(out)):
            part = x[i : i + w]
            out[i] = np.median(part) + x[max(i - w, 0) : i + w].max()
        return out

    def around(x: Any, r: Any) -> Any:
        total = np.zeros(2 * r + 1)
        for i in range(r, len(x) - r):
            total += x[i - r : i + r + 1]
        for _ in range(len(x)):
            total[0] += x[r:].sum() + x[:r].sum() + x[-r:].sum()
        return total

    rng = np.random.default_rng(3)
    for program in (function, around):
        accelerated: Any = lazyarr.accelerate(program, strict=True)
        for w in (3, 3, 4, 5, 8, 3, 4):
            x = rng.random(30)
            np.testing.assert_allclose(accelerated(x, w), program(x, w), rtol=1e-14)


def test_lengths_that_change_at_every_call_become_computed_ones() -> None:
    def function(x: Any, w: Any) -> Any:
        total = 0.0
        for i in range(5):
            total += x[i : i + w].sum()
        return total

    accelerated: Any = lazyarr.accelerate(function, strict=True)
    x = np.random.default_rng(0).random(40)
    for w in range(30):
        np.testing.assert_allclose(accelerated(x, w), function(x, w), rtol=1e-14)
    assert programs(accelerated) == 5


def test_counts_of_a_minimal_length() -> None:
    def function(x: Any, weights: Any) -> Any:
        total, sums = np.zeros(6, dtype=int), np.zeros(6)
        for i in range(len(x)):
            near = x[x <= x[i]]
            total += np.bincount(near, minlength=6)
            sums += np.bincount(x, weights, minlength=6)
        return total, sums

    weights = np.random.default_rng(0).random(40)
    for dtype in ("i8", "u1", "i4", "u2"):
        accelerated: Any = lazyarr.accelerate(function)
        x = np.random.default_rng(1).integers(0, 6, 40).astype(dtype)
        for found, wanted in zip(accelerated(x, weights), function(x, weights), strict=True):
            np.testing.assert_array_equal(found, wanted, strict=True)
        assert accelerated.explain(x, weights).mode == "one program"
        x[3] = 6
        with pytest.raises(ValueError, match="broadcast"):
            accelerated(x, weights)
        if dtype[0] == "i":
            x[3] = -1
            with pytest.raises(ValueError, match="negative"):
                accelerated(x, weights)

    def bytes_(x: Any) -> Any:
        return np.bincount(x.ravel(), minlength=256)

    whole: Any = lazyarr.accelerate(bytes_, strict=True)
    image = np.random.default_rng(2).integers(0, 256, (20, 30)).astype(np.uint8)
    np.testing.assert_array_equal(whole(image), bytes_(image), strict=True)
    assert whole.explain(image).guards == ()


def test_where_of_parts_whose_lengths_data_decides() -> None:
    def chosen(x: Array, at: Array) -> None:
        for i in range(len(x)):
            k = at[i]
            x[k:i] = np.where(x[k:i] <= 0.5, 2 * x[k:i], np.cumsum(x[k:i][::-1]))
            x[i:] = np.where(x[i:] > 0, x[i:], -x[k : k + len(x) - i])

    at = np.array([0, 0, 1, 1, 3, 2])
    same(chosen, (np.arange(6.0) / 5, at), (np.arange(6.0) - 3, at))


def test_outer_products_of_computed_lengths() -> None:
    def reflections(a: Any) -> Any:
        r = a.copy()
        for k in range(r.shape[1]):
            v = r[k:, k].copy()
            v[0] += np.sign(v[0]) * np.sqrt(np.dot(v, v))
            v /= np.sqrt(np.dot(v, v))
            r[k:, k:] -= 2 * np.outer(v, v @ r[k:, k:])
        return r

    accelerated: Any = lazyarr.accelerate(reflections, strict=True)
    a = noise(8, 5)
    np.testing.assert_allclose(accelerated(a), reflections(a), rtol=1e-12, atol=1e-13)
    assert "unrolled" not in str(accelerated.explain(a))


def test_counts_of_truth_values() -> None:
    def function(x: Any) -> Any:
        total = 0
        for i in range(len(x)):
            total += np.bincount(x[i, :3], minlength=1).argmax() + np.bincount(x[i], minlength=2)[1]
        return total, np.bincount(x[0], minlength=1)

    accelerated: Any = lazyarr.accelerate(function)
    for x in (np.ones((8, 20), bool), np.zeros((8, 20), bool), np.eye(8, 20).astype(bool)):
        for _ in range(2):
            found, wanted = accelerated(x), function(x)
            assert found[0] == wanted[0]
            np.testing.assert_array_equal(found[1], wanted[1], strict=True)


def test_branches_of_one_value_whose_lengths_are_bounded_differently() -> None:
    def function(a: Array) -> Array:
        for i in range(len(a)):
            a[i::2] += a[i] + np.where(a[i::2] == 3, a[i::2], a[i::2])
        return a

    same(function, (np.array([9, 7, 1, 8, 1, 7], np.uint8),))


def test_lengths_that_data_decides_between_pieces() -> None:
    def weigh(counts: Array, x: Array) -> Array:
        print(end="")  # no program does that
        counts = np.concatenate([counts + n for n in range(40)])
        x[0, : counts[max(counts[-1], 4) % 4]] -= (
            x[1, : counts[max(counts[-1], 4) % 4]] / x[2, : counts[max(counts[-1], 4) % 4]]
        ) * (x[1, : counts[max(counts[-1], 4) % 4]] / x[3, : counts[max(counts[-1], 4) % 4]])
        return x

    same(weigh, *[(np.array([2, n, 4, -5]), grid(4, 5)) for n in (3, 1, 0)], one_program=False)


def test_lengths_made_before_something_is_looked_at() -> None:
    def mean_of_first(x: Array, counts: Array) -> Any:
        n = counts[0]
        part = x[:n] * 2.0
        print(end="" if part.sum() < 1e9 else "much")
        return part + x[:n]

    same(mean_of_first, *[(noise(9), np.array([n])) for n in (3, 1, 0, 9)], one_program=False)


def test_medians_of_windows_that_end_with_the_array() -> None:
    def clipped(x: Any, w: int) -> Any:
        out = np.empty(len(x), dtype=np.median(x[:2]).dtype)
        for i in range(len(x)):
            window = x[max(0, i - w) : min(len(x), i + w + 1)]
            out[i] = np.median(window) + np.median(np.abs(window - window[0]))
        return out

    def may_be_empty(x: Any, w: int) -> Any:
        out = np.zeros(len(x))
        for i in range(len(x)):
            out[i] = np.median(x[i + w : i + 3])
        return out

    rng = np.random.default_rng(3)
    missing = rng.normal(size=80)
    missing[[4, 40]] = np.nan
    large = np.where(rng.random(60) < 0.5, 1.7e308, 1e308)
    for x in (rng.normal(size=90), missing, large, rng.integers(0, 9, 70), rng.random(50).astype(np.float32)):
        accelerated: Any = accelerate(clipped, strict=True)
        for w in (2, 5):
            with np.errstate(all="ignore"):
                assert_same(clipped(x, w), accelerated(x, w))
    with pytest.warns(RuntimeWarning, match="empty slice"):
        expected = may_be_empty(missing, 2)
    with pytest.warns(RuntimeWarning, match="empty slice"):
        assert_same(expected, accelerate(may_be_empty)(missing, 2))


def test_what_a_mask_leaves_until_nothing_is_left() -> None:
    def escape(c: Array, n: int) -> Any:
        count = np.zeros(c.shape, dtype=int)
        last = np.zeros(c.shape, dtype=complex)
        rows, columns = np.mgrid[0 : c.shape[0], 0 : c.shape[1]]
        c = c.copy()
        rows.shape = columns.shape = c.shape = count.size
        z = np.zeros(c.shape, dtype=complex)
        for k in range(n):
            if not len(z):
                break
            np.multiply(z, z, z)
            np.add(z, c, z)
            gone = abs(z) > 2.0
            count[rows[gone], columns[gone]] = k + 1
            last[rows[gone], columns[gone]] = z[gone]
            np.logical_not(gone, gone)
            z = z[gone]
            rows, columns, c = rows[gone], columns[gone], c[gone]
        return last.T, count.T, z

    def given(low: float) -> Array:
        return np.linspace(low, 0.5, 30) + 1j * np.linspace(-1.25, 1.25, 20)[:, None]

    accelerated = same(escape, *[(given(low), n) for low, n in ((-2.0, 30), (-2.0, 0), (5.0, 30))])
    assert "loop" in compiled(accelerated)


def test_an_argument_is_changed_in_place_and_then_shrinks() -> None:
    def squares(z: Array, n: int) -> Any:
        c = z * 2
        for _ in range(n):
            np.multiply(z, z, z)
            z += c
            keep = z < 2
            z, c = z[keep], c[keep]
        return z

    accelerated = same(squares, *[(noise(3000), n) for n in (7, 1, 9)])
    assert "loop" in compiled(accelerated)


def test_ranges_of_computed_numbers() -> None:
    def ranges(x: Array, n: int) -> Any:
        out = np.zeros((n, 8))
        for i in range(n):
            out[i, 0] = (2.0 ** -np.arange(i)).sum()
            out[i, 1] = (np.arange(1, i) * x[1 : max(i, 1)]).sum()
            out[i, 2] = (np.arange(i, -1, -1) * x[: i + 1]).sum()
            out[i, 3] = np.arange(i, n, 3).sum()
            out[i, 4] = (np.arange(i + 5, i - 7, -4) ** 2).sum()
            out[i, 5] = np.arange(i, dtype=float).sum() + np.arange(0, i, dtype=np.int64).size
            k = np.arange(i)
            k[: i // 2] = 7
            out[i, 6] = k.sum() + np.arange(i).sum()
            out[i, 7] = np.arange(i // 3, stop=i).sum() + np.arange(i, 2).size
        return out

    assert "loop" in compiled(same(ranges, (noise(40), 12), (noise(40), 30), (noise(40), 30)))


def test_arrays_of_computed_lengths_that_are_made() -> None:
    def made(x: Array, n: int) -> Any:
        out = np.zeros((n, 4))
        for i in range(n):
            total = np.zeros(i)
            total += x[:i]
            total[: i // 2] *= 2
            out[i, 0] = total.sum()
            out[i, 1] = np.ones(i + 1) @ np.full(i + 1, 0.5)
            out[i, 2] = (np.zeros((i, 3)) + x[:3]).sum()
            empty = np.empty((2, i), dtype=np.int32)
            empty[:] = i
            out[i, 3] = empty.sum()
        return out

    assert "loop" in compiled(same(made, (noise(40), 12), (noise(40), 30)))


def test_a_negative_length() -> None:
    def negative(x: Array, n: int) -> Any:
        total = 0.0
        for i in range(n):
            total += np.ones(5 - i).sum() * x[i]
        return total

    same(negative, (noise(40), 5), (noise(40), 6))
    same(negative, (noise(40), 7))


def test_open_grids_of_computed_numbers() -> None:
    def smooth(image: Array, radius: int) -> Array:
        out = np.zeros_like(image)
        h, w = image.shape
        for i in range(h):
            for j in range(w):
                top, bottom = max(i - radius, 0), min(i + radius + 1, h)
                left, right = max(j - radius, 0), min(j + radius + 1, w)
                y, x = np.ogrid[top - i : bottom - i, left - j : right - j]
                weights = np.exp(-(y**2 + x**2) / 3.0)
                out[i, j] = (weights * image[top:bottom, left:right]).sum() / weights.sum()
        return out

    assert "loop" in compiled(same(smooth, (grid(9, 11), 2), (grid(9, 11), 1), (grid(7, 8), 2)))


def test_joins_of_arrays_whose_lengths_data_decides() -> None:
    def free(x: Array, fixed: Array) -> Any:
        some = np.unique(x)
        joined = np.concatenate((some, some[:2], fixed))
        return joined, np.setdiff1d(np.arange(len(x)), fixed), np.append(some, 5), np.union1d(x, fixed)

    x, fixed = np.array([3, 1, 3, 2, 1]), np.array([0, 2])
    accelerated: Any = accelerate(free, always=True)
    for k in range(3):
        assert_same(free(x + k, fixed), accelerated(x + k, fixed))


@pytest.mark.parametrize("source", [
    "s[:, 0][None]", "np.atleast_2d(s[:, 0])", "s[None]", "s[None].T", "s[:, None, :1].transpose(1, 2, 0)",
])  # fmt: skip
@pytest.mark.parametrize("selected", ["a[a[:, 0] > 0.3]", "a[: np.count_nonzero(a[:, 0] > 0.3)]"])
def test_axes_of_one_element_move_past_those_of_unknown_length(source: str, selected: str) -> None:
    f = define(f"def f(a):\n    s = {selected}\n    return {source}\n", np=np)
    accelerated = lazyarr.accelerate(f, always=True)
    for seed in range(4):
        a = np.random.default_rng(seed).random((4, 4)) * (seed != 2)
        expected, got = f(a), accelerated(a)
        assert got.shape == expected.shape and np.array_equal(got, expected)


@pytest.mark.parametrize("statement", [
    "out[k * hop:k * hop + n] += x[k]", "out[k * hop:k * hop + n] -= x[k] * x[0]", "out[s:s + n] *= x[k, ::-1]",
    "part = out[s:s + n]; part += x[k]; part /= 2", "np.add(out[s:s + n], x[k], out=out[s:s + n])",
    "np.maximum(x[k], x[0], out=out[s:s + n])", "both[:, s:s + n] += x[k]", "both[:, s:s + n] += x[k:k + 1]",
    "out[s:s + n] += 1", "np.sin(x[k], out=out[s:s + n])", "both[0, s:s + n] += out[s:s + n] * x[k]",
])  # fmt: skip
def test_arrays_are_added_to_slices_at_computed_places(statement: str) -> None:
    source = "import numpy as np\ndef function(x, out, both, hop, s=0):\n    n = x.shape[1]\n"
    source += f"    for k in range(x.shape[0]):\n        {statement}\n        s += hop\n    return s\n"
    function = module_of(source, f"{statement}.py").function
    accelerated: Any = lazyarr.accelerate(function, always=True)
    rng = np.random.default_rng(0)
    for hop, n in ((3, 40), (5, 64), (9, 101)):
        x, out, both = rng.random((20, 7)), rng.random(n + 3), rng.random((2, n + 3))
        mine, own = (out.copy(), both.copy()), (out.copy(), both.copy())
        said = []
        for f, arrays in ((function, mine), (accelerated, own)):
            try:
                said.append(f(x, *arrays, hop))
            except ValueError as error:
                said.append(str(error))
        assert said[0] == said[1]
        if isinstance(said[0], int):
            assert_same(mine, own)
    if "np.sin" not in statement:
        assert "unrolled" not in str(accelerated.explain(rng.random((20, 7)), rng.random(67), rng.random((2, 67)), 3))
