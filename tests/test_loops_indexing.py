"""Indices and slices that depend on loop indices or data, and what is done with the slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from tests.acceleration import assert_same
from tests.loop_checks import Array, compiled, noise, ramp, same

N = 7

#: Expressions of `a` (N by N), `x` (N), the loop index `i` and `at` (whole numbers in range, some negative).
READS = (
    "a[i, i]", "a[i][0]", "a[-1 - i, i]", "x[-i]", "x[at[i]]", "a[at[i], at[-1 - i]]", "a[i // 2, i % 3]", "x[i - 7]",
    "a[i].sum()", "a[:, i].sum()", "a[i, :i].sum()", "a[i, i:].sum()", "a[i:, i:].sum()", "x[i:].sum()",
    "x[:-i].sum()", "x[-i:].sum()", "x[i + 1:].sum()", "x[i - 3:i + 3].sum()", "x[::2].sum() + i", "x[i::2].sum()",
    "x[i::-1].sum()", "x[:i:-1].sum()", "x[i:0:-2].sum()", "x[:i][::-1].sum()", "x[:i][::-1][:2].sum()",
    "a[:i][::-1].sum()", "a[:i, ::-1][:, i:].sum()", "a[..., i].sum()", "a[i, ...].sum()", "a[None, i].sum()",
    "a[i:i + 2].sum()", "a[i:i + 1, 0].sum()", "a[at[i]:, :2].sum()", "x[at[0]:at[i]].sum()", "x[2:1].sum() + i",
    "a[i, :i] @ a[:i, i]", "a[:i] .T @ x[:i] @ x", "a[:i, :i] @ x[:i] @ x[:i]", "x[:i] @ x[i - 1::-1] if i else 0.0",
    "np.dot(a[i, :i], x[:i])", "a[:i, i:].T.sum()", "(x[:i] * a[i, :i] + i).sum()", "(a[:i] * x).sum()",
    "(a[:, :i] * a[i, :i]).sum()", "(x[:i, None] * x[None, :i]).sum()", "np.abs(x[:i + 1]).max()",
    "np.outer(x[:i], x[i:]).sum()", "x[:i + 1].min()", "x[i:].mean()", "x[:i + 1].argmax()", "np.cumsum(x[:i + 1])[-1]",
    "x[[0, 2, 3]].sum() * i", "x[at].sum() * i", "x[at[:i]].sum()", "a[at, i].sum()", "a[i, at].sum()",
    "a[at[:i], at[:i]].sum()", "x[x > x[i]].sum()", "a[i][a[i] > 0].sum()", "a[a[:, i] > 0].sum()",
    "x[x > 5].sum() + i", "x[np.argsort(x)[i]]", "np.sort(x[:i + 1])[i]", "len(x[:i])", "x[:i].shape[0] + x[i:].size",
    "np.where(x[:i] > 0, x[:i], 0).sum()", "x[i:].copy()[0]", "np.append(x[:i], 1.0).sum()",
    "np.sum(x[:i] ** 2)", "np.linalg.norm(x[:i + 1])", "np.vdot(x[:i], x[:i])", "x[:i].dot(x[:i])",
    "np.flip(x[:i]).sum()", "(x[:i] > 0).sum()", "np.any(x[:i] > 0.8) + 0", "np.all(x[i:] > -0.9) + 0",
    "x[:i + 1].prod()", "np.maximum(x[:i], x[i]).sum()", "a[:i, :i].sum(axis=0).sum()", "a[i:, :i].sum(axis=1).sum()",
    "a[:i, :i].trace()", "(a[:i] - a[:i].mean()).sum() if i else 0.0",
)  # fmt: skip

#: Statements that change `a` or `x`.
WRITES = (
    "a[i, i] = i", "a[i] = x", "a[:, i] = x", "a[i] = i", "a[i, :i] = 0", "a[i, :i] += x[:i]", "a[:i, i] -= x[:i] * 2",
    "a[i:, i:] *= 0.5", "x[i:] = x[i]", "x[:i] += 1", "x[i + 1:] -= x[i]", "x[-i:] *= 2", "x[i::2] += i",
    "x[i::-1] = i", "x[:i][::-1] += x[:i]", "x[:i] = x[:i][::-1]", "a[at[i]] += 1", "x[at[i]] += i", "x[at] = i",
    "x[at] += 1", "a[at, i] = x", "a[i, at] = x", "x[at[:i]] = i", "x[x > x[i]] = 0", "x[x < 0] += i",
    "a[a > i / 7] = i", "a[i][a[i] < 0] = 0", "a[x > 0, i] = 1", "a[i, 1:] -= a[i, :-1]", "a[1:, i] = a[:-1, i]",
    "a[:i, :i] += a[:i, :i].T",
    "a[i, :i] -= a[:i, :i] @ x[:i]", "a[:i] *= x[:i, None]", "a[i, ...] += 1", "a[None, i] += 1", "a[i:i + 1] = x",
    "a[i][:2] = 3", "a[i, :i][::-1] += 1", "a[:, i][1:] += 1", "a.T[i] += x", "a[::-1][i] = i", "a.reshape(-1)[i] = i",
    "a.flat[i] = i", "np.add.at(x, at, 1)", "x.fill(i)", "a[i].sort()", "x[i:].sort()", "a[i], x[i] = i, x[i] + 1",
    "x[i], x[0] = x[0], x[i]", "a[[i, 0]] = a[[0, i]]", "np.copyto(a[i], x)", "np.multiply(x, 2, out=a[i])",
    "x[i:i + 2] = x[i:i + 2].sum()", "x[:i] = a[i, :i]", "a[i, i:] = a[i:, i]", "a[i:, i] = a[i, i:]",
)  # fmt: skip


def inputs(dtype: str = "f8") -> tuple[Any, ...]:
    return noise(N, N, dtype=dtype), noise(N, seed=1, dtype=dtype), np.array([0, 3, -2, 6, 1, -7, 3])


def define(body: str, tmp_path: Any) -> Any:
    """A function with a loop of which the source is known."""
    import importlib.util

    path = tmp_path / "program.py"
    path.write_text("import numpy as np\n\n\ndef program(a, x, at):\n    total = 0.0\n    for i in range(a.shape[0]):\n"
                    f"        {body}\n    return total\n")  # fmt: skip
    spec = importlib.util.spec_from_file_location("program", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.program


#: Those whose loop is unrolled: no operation takes such a length, or such an index beside an array, yet.
UNROLLED = {
    "np.outer(x[:i], x[i:]).sum()", "x[:i + 1].argmax()", "np.cumsum(x[:i + 1])[-1]", "a[at, i].sum()",
    "a[i, at].sum()", "np.sort(x[:i + 1])[i]", "np.append(x[:i], 1.0).sum()", "np.linalg.norm(x[:i + 1])",
    "np.vdot(x[:i], x[:i])", "a[:i, :i].trace()", "a[at, i] = x", "a[i, at] = x", "a[x > 0, i] = 1",
    "a.flat[i] = i", "x[i:].sort()", "a[[i, 0]] = a[[0, i]]",
}  # fmt: skip


@pytest.mark.parametrize("read", READS)
def test_reads(read: str, tmp_path: Any) -> None:
    accelerated = same(define(f"total = total + {read} * (i + 1)", tmp_path), inputs())
    assert read in UNROLLED or "loop" in compiled(accelerated)


@pytest.mark.parametrize("write", WRITES)
def test_writes(write: str, tmp_path: Any) -> None:
    accelerated = same(define(write, tmp_path), inputs())
    assert write in UNROLLED or "loop" in compiled(accelerated)


@pytest.mark.parametrize("dtype", ["f4", "i4", "c16"])
def test_other_dtypes(dtype: str, tmp_path: Any) -> None:
    for write in ("a[i, :i] += x[:i]", "x[i + 1:] -= x[i]", "a[i] = a[i][::-1] * i", "x[x == x[i]] = 0"):
        same(define(write, tmp_path), inputs(dtype))


def test_bounds_read_from_arrays() -> None:
    def rows(pointers: Array, columns: Array, values: Array, x: Array) -> Array:
        y = np.zeros(pointers.shape[0] - 1)
        for i in range(y.shape[0]):
            low, high = pointers[i], pointers[i + 1]
            row = values[low:high]
            y[i] = row @ x[columns[low:high]] + row.sum() + len(row)
        return y

    pointers = np.array([0, 2, 2, 5, 6, 6, 9])
    columns = np.array([0, 3, 1, 1, 2, 0, 3, 2, 0])
    same(rows, (pointers, columns, noise(9), noise(4)))
    same(rows, (pointers.astype("i4"), columns.astype("i2"), noise(9, dtype="f4"), noise(4, dtype="f4")))


def test_triangular_algorithms() -> None:
    def cholesky(a: Array) -> Array:
        for i in range(a.shape[0]):
            for j in range(i):
                a[i, j] = (a[i, j] - a[i, :j] @ a[j, :j]) / a[j, j]
            a[i, i] = np.sqrt(a[i, i] - a[i, :i] @ a[i, :i])
        return np.tril(a)

    m = noise(8, 8)
    same(cholesky, (m @ m.T + 8 * np.eye(8),))

    def durbin(r: Array) -> Array:
        y = np.empty_like(r)
        alpha, beta = -r[0], 1.0
        y[0] = -r[0]
        for k in range(1, r.shape[0]):
            beta *= 1.0 - alpha * alpha
            alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
            y[:k] += alpha * np.flip(y[:k])
            y[k] = alpha
        return y

    same(durbin, (noise(9) / 5,))

    def back(u: Array, b: Array) -> Array:
        n = u.shape[0]
        x = np.zeros(n)
        for i in range(n - 1, -1, -1):
            x[i] = (b[i] - u[i, i + 1 :] @ x[i + 1 :]) / u[i, i]
        return x

    same(back, (np.triu(noise(8, 8)) + 3 * np.eye(8), noise(8)))


def test_a_mask_that_is_only_reduced() -> None:
    def bins(data: Array, radius: Array, edges: Array) -> Array:
        out = np.zeros(edges.shape[0] - 1)
        for i in range(out.shape[0]):
            values = data[(radius >= edges[i]) & (radius < edges[i + 1])]
            if values.size:
                out[i] = values.mean()
        return out

    same(bins, (noise(6, 7), 2 * noise(6, 7, seed=1), np.linspace(-1.5, 1, 9)))


def test_lengths_that_do_not_match() -> None:
    def add(x: Array, y: Array, n: int) -> Any:
        total: Any = 0.0
        for i in range(n):
            x[0] += 1
            total += (x[i:] + y[: 9 - i]).sum()
        return total

    same(add, (noise(9), noise(9), 9), (noise(9), noise(7), 9), (noise(12), noise(9), 6))

    def assign(x: Array, y: Array, n: int) -> Any:
        for i in range(n):
            x[i : i + 3] = y[: n - i]
        return x

    same(assign, (noise(12), noise(12), 6), (noise(4), noise(12), 6))

    def product(a: Array, x: Array) -> Any:
        total: Any = 0.0
        for i in range(a.shape[0]):
            total += a[i, : i + 1] @ x[: 2 * i]
        return total

    same(product, (noise(6, 6), noise(12)))


def test_a_length_of_one_is_stretched() -> None:
    def add(x: Array, out: Array) -> Any:
        for i in range(1, x.shape[0]):
            out[:i] += x[i - 1 : i]
        return out

    same(add, (noise(9), ramp(9)))


OUT_OF_RANGE = ("x[i + 2] += 1", "total += x[2 * i]", "a[i, i + 1] = 0", "total += a[-i - 3, 0]", "x[at[i] + 3] = 0",
                "x[-9 + i] = 1", "total += a[i][at[i] * 2]", "x[at + i] = 1", "total += x[at - i].sum()")  # fmt: skip


@pytest.mark.parametrize("body", OUT_OF_RANGE)
def test_indices_out_of_range_raise_and_leave_arguments_alone(body: str, tmp_path: Any) -> None:
    same(define(body, tmp_path), inputs())


def test_numpys_message_stays() -> None:
    from lazyarr import accelerate

    def beyond(x: Array, n: int) -> Any:
        for i in range(n):
            x[i] += 1
        return x

    accelerated: Any = accelerate(beyond)
    for _ in range(2):
        x = ramp(6)
        with pytest.raises(IndexError, match="index 6 is out of bounds for axis 0 with size 6") as caught:
            accelerated(x, 9)
        assert (x == ramp(6)).all()
        assert caught.value.__context__ is None and caught.value.__cause__ is None


def test_rolled_by_data() -> None:
    def streamed(f: Any, ways: Any, k: Any) -> Any:
        for i in range(len(ways)):
            f[:, :, i] = np.roll(f[:, :, i], ways[i, 0], axis=1)
            f[:, :, i] = np.roll(f[:, :, i], -ways[i, 1], axis=0)
        both = np.roll(f[:, :, 0], (ways[0, 1], 2, ways[1, 0]), axis=(0, 1, 1))
        return f, both, np.roll(f[0], int(k)), np.roll(f, ways[2, 0], axis=-1), np.roll(f[:0], ways[0, 0], axis=0)

    f = noise(5 * 7 * 3).reshape(5, 7, 3)
    for dtype in ("i8", "i1", "u2"):
        accelerated = accelerate(streamed, strict=True)
        for sign in (1, 1 if dtype == "u2" else -1):
            mine, theirs = f.copy(), f.copy()
            ways = np.array([[sign, 0], [12 * sign, 4], [3, 100 * sign]]).astype(dtype)
            found = accelerated(mine, ways, np.int64(-3))
            expected = streamed(theirs, ways, np.int64(-3))
            assert_same(expected, found)
            assert_same(theirs, mine)
