"""Arrays in memory of others: bytes that were read, buffers that may be written to, memory that processes share."""

from __future__ import annotations

import array
import multiprocessing
from multiprocessing import shared_memory
from typing import Any

import numpy as np
import pytest

from lazyarr import accelerate
from lazyarr.settings import settings
from tests.agree import agree

pytestmark = pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")

#: What has memory: made of its size in bytes.
BUFFERS: dict[str, Any] = {
    "bytearray": bytearray,
    "memoryview": lambda n: memoryview(bytearray(n)),
    "read-only view": lambda n: memoryview(bytearray(n)).toreadonly(),
    "array": lambda n: array.array("d", bytes(n)),
    "shared": lambda n: multiprocessing.RawArray("b", n),
    "bytes": bytes,
}
WAYS: dict[str, Any] = {
    "frombuffer": lambda np, b, n: np.frombuffer(b),
    "part": lambda np, b, n: np.frombuffer(b, np.int32, 2, 8),
    "ndarray": lambda np, b, n: np.ndarray((n // 16, 2), np.float64, b),
    "columns": lambda np, b, n: np.ndarray((2, n // 16), np.float64, b, order="F"),
}
WRITES: dict[str, Any] = {
    "element": lambda np, x, y: x.__setitem__(0, 3),
    "all": lambda np, x, y: x.__setitem__(..., y[: x.shape[-1]] * 2),
    "in place": lambda np, x, y: x.__iadd__(1),
    "out": lambda np, x, y: np.add(x, y[: x.shape[-1]].astype(x.dtype), out=x),
    "part": lambda np, x, y: x[1:].fill(7),
    "copyto": lambda np, x, y: np.copyto(x, 5),
}


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("buffer", BUFFERS)
def test_what_is_written_is_written_to_the_buffer(buffer: str, way: str, write: str, eager_below: int) -> None:
    size = 64

    def program(np: Any, y: Any) -> Any:
        memory = BUFFERS[buffer](size)
        x = WAYS[way](np, memory, size)
        error = ""
        try:
            WRITES[write](np, x, y)
        except ValueError as found:
            error = str(found)
        return error[:20], bytes(memory), x.flags.writeable, x.sum(), np.asarray(x).tolist()

    with settings(eager_below=eager_below):
        agree(program, np.arange(8.0))


def test_what_others_write_is_seen() -> None:
    def program(np: Any, y: Any) -> Any:
        memory = bytearray(32)
        x = np.frombuffer(memory)
        before = x.sum() + (x + y).sum()
        memory[:8] = b"\x00\x00\x00\x00\x00\x00\xf0?"
        return before, x.sum(), (x + y).sum(), (y * x)[0]

    agree(program, np.arange(4.0) + 1)


def test_of_two_arrays_in_shared_memory() -> None:
    def program(np: Any, y: Any) -> Any:
        memory = shared_memory.SharedMemory(create=True, size=64)
        try:
            mine, theirs = (np.ndarray((8,), np.float64, buffer=memory.buf) for _ in range(2))
            mine[:] = y * 2
            theirs[1::2] += 1
            found = np.asarray(mine).tolist()
            del mine, theirs
        finally:
            memory.close()
            memory.unlink()
        return found

    agree(program, np.arange(8.0))


def test_an_accelerated_function_looks_at_it_in_each_call() -> None:
    memory = bytearray(np.arange(4.0).tobytes())

    @accelerate
    def total(x: Any) -> Any:
        return (x + np.frombuffer(memory)).sum()

    for step in range(4):
        memory[:8] = np.float64(step).tobytes()
        assert total(np.ones(4)) == 4 + step + 1 + 2 + 3
