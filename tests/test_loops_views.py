"""Loops that write elements and rows through views: what is viewed is written, and nothing else is made anew."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.ir.rewrite import all_nodes
from lazyarr.passes.canonicalize import Canonicalize
from tests.acceleration import assert_same, compiled_programs
from tests.written import module_of

#: Views of `a`, of 8 by 6 elements.
VIEWS = (
    "a[1:, 1:]", "a[1:]", "a[::2]", "a[::-1]", "a[::-2, 1:5]", "a[:, ::-1]", "a.T", "a.T[1:, 2:]", "a[2:-1].T",
    "a[:, :, None][:, :, 0]", "a[1:-1, None, :][:, 0]", "np.swapaxes(a, 0, 1)[::-1]", "a.reshape(4, 12)",
    "a.reshape(4, 2, 6)[1]", "a.reshape(2, 4, 6).transpose(2, 0, 1)[3]", "a[::-1, ::-1].T", "a[None][0, 1:]",
)  # fmt: skip
#: What is written, by rows `i` and columns `j` of the view `v`.
WRITES = (
    "v[i, j] += v[i - 1, j] * 2", "v[i][j] = v[i - 1][j - 1] + 1", "v[i] += v[i - 1]", "v[:, j] -= v[:, j - 1] * 2",
    "row = v[i]; row[j] += row[j - 1]", "row = v[i, 1:]; row[j - 1] = a[-1, -1] + v[i, 0]", "v[i, :j] *= 3",
    "v[i - 1:i + 1, j] = v[i, j - 1]", "v[-1][j] = max(v[i, j], a[0, 0])", "v[i, ::-1][j] = v[j % 2, 0]",
    "v[i - 1:i + 1][0, j] += 2", "v[:i][::-1][0, j] += 1", "a[0, 0] = v[i, j]; v[i, j] += a[0, 0] + v[0, 0]",
    "v[0] = v[i]; v[1, j] = 7", "v.T[j, i] += v[i, 0]", "v[i:][0][j] = i * j",
)  # fmt: skip


def written(view: str, write: str) -> Any:
    source = f"def function(a):\n    v = {view}\n    for i in range(1, v.shape[0]):\n"
    source += f"        for j in range(1, v.shape[1]):\n            {write}\n    return v.sum()\n"
    return module_of("import numpy as np\n" + source, f"written through {view}: {write}.py").function


@pytest.mark.parametrize(
    ("view", "write"), [(v, w) for k, v in enumerate(VIEWS) for m, w in enumerate(WRITES) if (k + m) % 3 == 0]
)
def test_writes_through_views(view: str, write: str) -> None:
    function = written(view, write)
    accelerated: Any = accelerate(function)
    for dtype in (np.float64, np.int32):
        for order in "CF":
            theirs = np.asarray(np.arange(48).reshape(8, 6) % 7, dtype, order=order)  # type: ignore[call-overload]
            own = theirs.copy(order)
            assert_same(function(theirs), accelerated(own))
            assert_same(theirs, own)


def running(a: Any) -> None:
    inner = a[1:, 1:]
    for i in range(inner.shape[0]):
        for j in range(inner.shape[1]):
            inner[i, j] += a[i, j]


def by_rows(a: Any) -> None:
    for i in range(a.shape[0]):
        row = a[i]
        for j in range(1, a.shape[1]):
            row[j] += row[j - 1]


def turned(a: Any) -> None:
    b = a[::-1].T
    for i in range(1, b.shape[0]):
        for j in range(b.shape[1]):
            b[i, j] -= b[i - 1, j]


def with_an_axis(a: Any) -> None:
    b = a[1:-1, None]
    for i in range(1, b.shape[0]):
        b[i, 0, 1] += b[i - 1, 0, 0]


@pytest.mark.parametrize("function", [running, by_rows, turned, with_an_axis])
def test_an_element_costs_an_element(function: Any) -> None:
    accelerated: Any = accelerate(function)
    theirs = np.random.default_rng(0).random((9, 8))
    own = theirs.copy()
    for _ in range(2):
        function(theirs)
        accelerated(own)
        assert_same(theirs, own)
    (program,) = compiled_programs(accelerated)
    nodes = list(all_nodes(Canonicalize().run(program.program).graph))
    puts = [node for node in nodes if node.op.name in ("put_window", "update_slice")]
    assert puts
    assert all(node.operands[1].type.shape == () for node in puts)
    large = np.zeros((1000, 1000))
    begin = time.perf_counter()
    accelerated(large)
    assert time.perf_counter() - begin < 60.0  # a copy for each element takes a quarter of an hour
