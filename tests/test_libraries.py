"""Code of installed packages: what NumPy's functions give it, and memory that it reads."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
from lazyarr.little.extension import compiled
from lazyarr.settings import settings

SOURCE = """
import numpy as np

def same(x): return np.atleast_1d(x)
def fresh(x): return np.sort(x) + np.sin(x)
def several(x): return np.divmod(x, 2)
def number(x): return np.sum(x)
def mixed(x): return np.ones(len(x)) * x
def listed(x): return np.vstack([x, np.zeros(len(x)), x])
def reduced(x): return np.add.reduce(x)
def put(x): np.put(x, [0, 1], 7.0); return x
def filled(x, out): return np.multiply(x, 2, out=out)
def at(x): np.add.at(x, [0, 0], 1.0)
def orders(x):
    like = [np.copy(x), np.zeros_like(x), np.sin(x), np.asarray(x)]
    flat = [np.ravel(x, order="K"), np.ravel(x, order="A"), np.reshape(x, -1, order="A")]
    return [a.strides for a in like], [a.tolist() for a in flat]
def into(x):
    y = np.ones(len(x))
    y += x
    return y
"""
data = np.array([3.0, 1.0, 2.0, 5.5])


def module(folder: Path, name: str) -> ModuleType:
    folder.mkdir()
    (folder / f"{name}.py").write_text(SOURCE)
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    return module(tmp_path_factory.mktemp("a") / "site-packages", "a_library")


@pytest.fixture(params=[250_000, 0], ids=["little", "recorded"])
def x(request: pytest.FixtureRequest) -> Any:
    with settings(eager_below=request.param):
        yield lnp.array(data) * 1.0


@pytest.mark.parametrize("name", ["same", "fresh", "several", "number", "mixed", "listed", "reduced", "into"])
def test_libraries_are_given_numpys_results(library: ModuleType, x: Any, name: str) -> None:
    found, wanted = getattr(library, name)(x), getattr(library, name)(data.copy())
    assert type(found) is type(wanted)
    for a, b in zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]:
        assert type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)


def test_what_libraries_write_to_lazy_arrays_is_there(library: ModuleType, x: Any) -> None:
    assert library.put(x) is x and x.tolist() == [7.0, 7.0, 2.0, 5.5]
    library.at(x)
    assert x.tolist() == [9.0, 7.0, 2.0, 5.5]
    out = lnp.zeros(4)
    assert library.filled(x, out) is out and out.tolist() == [18.0, 14.0, 4.0, 11.0]


def test_programs_that_have_numpy_itself_get_lazy_arrays(tmp_path: Path, x: Any) -> None:
    own = module(tmp_path / "program", "a_program")
    for name in ("fresh", "mixed", "listed", "into"):
        found = getattr(own, name)(x)
        assert np.array_equal(np.asarray(found), getattr(own, name)(data.copy()))
        assert (type(found) is LazyArray) == (name != "into")


def test_minimizers_hand_gradients_to_compiled_code() -> None:
    optimize = pytest.importorskip("scipy.optimize")

    def run(n: Any) -> Any:
        def jacobian(p: Any) -> Any:
            found = n.zeros_like(p)
            found[:] = 2 * (p - n.arange(3.0))
            return found

        return optimize.minimize(lambda p: n.sum((p - n.arange(3.0)) ** 2), n.ones(3), jac=jacobian, method="SLSQP").x

    assert np.array_equal(run(np), run(lnp))


@pytest.mark.filterwarnings("ignore::lazyarr.FallbackWarning")
@pytest.mark.parametrize("always", [False, True])
def test_what_calls_back_accelerated_code_hands_on_numpys_arrays(always: bool) -> None:
    optimize = pytest.importorskip("scipy.optimize")

    def fitted(x: Any) -> Any:
        t = np.arange(len(x))

        def loss(p: Any) -> Any:
            return np.sum((x - p[0] * t - p[1]) ** 2)

        def jacobian(p: Any) -> Any:
            e = x - p[0] * t - p[1]
            return np.array([-2 * np.sum(e * t), -2 * np.sum(e)])

        return optimize.minimize(loss, np.array([0.0, 0.0]), jac=jacobian, method="SLSQP").x * 2

    fast = lazyarr.accelerate(always=always)(fitted)
    for _ in range(3):
        found, wanted = fast(data), fitted(data)
        assert type(found) is np.ndarray and np.allclose(found, wanted, rtol=1e-9)


needs_extension = pytest.mark.skipif(compiled is None, reason="buffers are the extension's")
ARRAYS = [np.arange(12, dtype=t).reshape(3, 4) for t in ("u1", "i2", "i8", "f2", "f4", "f8", "c16")]
ARRAYS += [np.arange(12) % 3 == 0, np.array(2.5), np.zeros((0, 3)), np.asfortranarray(ARRAYS[0]), ARRAYS[5][::2, ::-1]]


@needs_extension
@pytest.mark.parametrize("below", [250_000, 0])
@pytest.mark.parametrize("a", ARRAYS, ids=[f"{a.dtype}{a.shape}{a.strides}" for a in ARRAYS])
def test_memory_that_is_read(a: Any, below: int) -> None:
    with settings(eager_below=below):
        b = lnp.asarray(a)
        if a.ndim:
            b = lnp.logical_not(b) if a.dtype == bool else b * b.dtype.type(1)
            a = ~a if a.dtype == bool else a * a.dtype.type(1)
        seen = memoryview(b)
        assert seen.tobytes() == a.tobytes() and seen.format == memoryview(a).format and seen.readonly
        assert bytearray(b) == bytearray(a) and bytes(b) == bytes(a)
        flat: Any = np.ascontiguousarray(a)
        lazy: Any = lnp.ascontiguousarray(b)
        assert hashlib.sha256(lazy).digest() == hashlib.sha256(flat).digest() and zlib.crc32(lazy) == zlib.crc32(flat)
        assert b"".join([b"x", lazy]) == b"x" + flat.tobytes()
        assert io.BytesIO().write(lazy) == flat.nbytes
        back = np.asarray(b)
        assert back.dtype == a.dtype and back.shape == a.shape and np.array_equal(back, a) and not back.flags.writeable


@needs_extension
def test_memory_that_was_shown_keeps_its_values() -> None:
    for below in (250_000, 0):
        with settings(eager_below=below):
            x = lnp.arange(5.0)
            seen = memoryview(x)
            x[0] = 9.0
            x += 1
            assert seen.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0] and x.tolist() == [10.0, 2.0, 3.0, 4.0, 5.0]
            # (NumPy is to keep the memory, and not the array, whose memory will be another.)
            flat = np.frombuffer(x)
            x += 1
            others = [lnp.zeros(5) + k for k in range(5)]
            assert flat.tolist() == [10.0, 2.0, 3.0, 4.0, 5.0] and not flat.flags.writeable and len(others) == 5
            del x
            assert seen.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0] and flat[0] == 10.0


@needs_extension
@pytest.mark.parametrize("below", [250_000, 0])
def test_memory_is_lent_to_be_written(below: int) -> None:
    with settings(eager_below=below):
        x: Any = lnp.zeros(3)
        pending, part = x + 1, x[1:]
        assert io.BytesIO(np.arange(3.0).tobytes()).readinto(x) == 24
        assert x.tolist() == [0.0, 1.0, 2.0] and pending.tolist() == [1.0, 1.0, 1.0] and part.tolist() == [1.0, 2.0]
        x[2] = 7.0
        struct.pack_into("d", x, 8, 4.0)
        x += 1
        assert x.tolist() == [1.0, 5.0, 8.0] and part.tolist() == [5.0, 8.0]
        assert not np.ndarray(3, buffer=x).flags.writeable  # (which keeps the array alone, and no memory)
        fixed: Any = lnp.broadcast_to(x, (3,))
        with pytest.raises(TypeError, match="read-write"):
            io.BytesIO(bytes(24)).readinto(fixed)
        with pytest.raises(TypeError, match="read-only"):
            memoryview(x)[0] = 1
        assert x.tolist() == [1.0, 5.0, 8.0]


@needs_extension
def test_the_place_of_memory() -> None:
    for a in (np.arange(6, dtype="u1").reshape(2, 3), np.arange(6.0).reshape(2, 3)[:, ::2]):
        ours, numpys = lnp.asarray(a).__array_interface__, a.__array_interface__
        assert {**ours, "data": 0} == {**numpys, "data": 0, "strides": ours["strides"]} and ours["data"][1]
        low, high = lnp.lib.array_utils.byte_bounds(lnp.asarray(a).copy())
        assert high - low == a.size * a.itemsize
    assert getattr(lnp.arange(3), "__array_struct__", None) is None


@needs_extension
def test_images_of_lazy_arrays() -> None:
    image = pytest.importorskip("PIL.Image")
    a = np.arange(4 * 5 * 3, dtype="u1").reshape(4, 5, 3)
    made: list[Callable[[Any, Any], Any]] = [
        lambda n, x: x,
        lambda n, x: x[::-1, ::2],
        lambda n, x: n.clip(x * 1.5, 0, 255).astype(n.uint8)[..., 0],
    ]
    for f in made:
        wanted = image.fromarray(f(np, a))
        for below in (250_000, 0):
            with settings(eager_below=below):
                found = image.fromarray(f(lnp, lnp.asarray(a)))
            assert found.size == wanted.size and found.tobytes() == wanted.tobytes()


@needs_extension
def test_memory_that_accelerated_functions_read() -> None:
    def digest(x: Any) -> Any:
        y = x * 2 + 1
        return hashlib.sha256(y).hexdigest(), y.sum()

    def seen(x: Any) -> Any:
        y = x + 1
        memory: Any = memoryview(y)
        memory[0] = 7.0
        return bytearray(y), y

    for f in (digest, seen):
        fast = lazyarr.accelerate(f)
        for _ in range(4):
            found, wanted = fast(data), f(data)
            assert found[0] == wanted[0] and np.array_equal(found[1], wanted[1])


@pytest.mark.parametrize("below", [250_000, 0])
def test_elements_stand_as_an_array_says(below: int) -> None:
    a = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    copies: list[Callable[[Any, Any], Any]] = [
        lambda n, x: n.ascontiguousarray(x), lambda n, x: x.copy(), lambda n, x: n.array(x, order="C"),
        lambda n, x: x.astype(float, order="C"), lambda n, x: n.asfortranarray(x[:, :2] + 0),
        lambda n, x: n.array(x, order="K"), lambda n, x: n.require(x.T, requirements="F"),
    ]  # fmt: skip
    with settings(eager_below=below):
        for f in copies:
            found, wanted = f(lnp, lnp.asarray(a)), f(np, a)
            seen = np.asarray(found)
            assert seen.flags.c_contiguous == wanted.flags.c_contiguous == found.flags.c_contiguous
            assert seen.flags.f_contiguous == wanted.flags.f_contiguous and np.array_equal(seen, wanted)
            assert not seen.flags.writeable


#: Arrays whose values were computed in another order than they have.
ORDERED: list[Callable[[Any, Any], Any]] = [
    lambda n, x: x.T.copy(), lambda n, x: n.ascontiguousarray(x.T), lambda n, x: (x.T + 1).copy(order="C"),
    lambda n, x: n.asfortranarray(x), lambda n, x: n.array(x.reshape(2, -1, 3).transpose(1, 0, 2), order="C"),
    lambda n, x: n.asfortranarray(x)[:, 1:], lambda n, x: x.T.copy()[::2],
    lambda n, x: n.ascontiguousarray(x[:, 1]), lambda n, x: x[0, ::-2].copy(), lambda n, x: x.ravel()[::3],
]  # fmt: skip


@pytest.mark.parametrize("k", range(len(ORDERED)))
@pytest.mark.parametrize("below", [250_000, 0])
def test_memory_is_read_in_the_order_an_array_says(library: ModuleType, below: int, k: int) -> None:
    def run(n: Any, size: int) -> list[Any]:
        x = ORDERED[k](n, n.arange(float(size)).reshape(2, -1) * 1.0)
        pending = ORDERED[k](n, n.arange(float(size)).reshape(2, -1) * 1.0)
        found = [x.tobytes("A"), x.data.tobytes("A"), pending.ravel("K").tolist(), x.byteswap().tobytes("A")]
        if x.flags.c_contiguous:
            found += [x.view("u1").shape, n.frombuffer(x).tolist()]
        return [*found, *library.orders(x)]

    with settings(eager_below=below):
        for size in (12, 300_000) if below else (12,):
            for found, wanted in zip(run(lnp, size), run(np, size), strict=True):
                assert found == wanted


@pytest.mark.parametrize("below", [250_000, 0])
def test_memory_is_put_in_order_once(below: int) -> None:
    with settings(eager_below=below):
        x = (lnp.arange(300_000.0).reshape(2, -1) * 1.0).T.copy()
        first, part = np.asarray(x), np.asarray(x[1:])
        assert np.shares_memory(first, np.asarray(x)) and np.shares_memory(first, part)
        before = first.copy()
        x[1, 0] = -1.0
        assert np.array_equal(first, before) and np.asarray(x)[1].tolist() == [-1.0, 150_001.0]


@pytest.mark.parametrize("below", [250_000, 0])
def test_repeated_elements_are_gone_over_as_numpy_does(below: int) -> None:
    flat: list[Callable[[Any, Any], Any]] = [
        lambda n, x: n.broadcast_to(x, (2, 2, 3)).ravel("K"), lambda n, x: n.flip(x.T).ravel("K"),
        lambda n, x: n.flip(n.broadcast_to(x, (2, 2, 3))[:, ::-1]).ravel("K"),
    ]  # fmt: skip
    with settings(eager_below=below):
        for f in flat:
            found, wanted = (f(n, n.arange(6.0).reshape(2, 3) * 1.0) for n in (lnp, np))
            assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize("below", [250_000, 0])
def test_functions_that_ask_for_numpys_class_and_convert(below: int) -> None:
    source = "def is_bool_indexer(x): return isinstance(x, kind)\ndef others(x): return isinstance(x, kind)\n"
    pandas: dict[str, Any] = {"__name__": "pandas.core.common", "kind": np.ndarray}
    programs: dict[str, Any] = {"__name__": "common", "kind": np.ndarray}
    for names in (pandas, programs):
        exec(source, names)
    with settings(eager_below=below):
        x = lnp.arange(4.0)
        for mask in (x > 1, x[1:], x.sum(keepdims=True)):
            assert pandas["is_bool_indexer"](mask)
            assert not pandas["others"](mask) and not programs["is_bool_indexer"](mask)
            assert isinstance(mask, lnp.ndarray) and not isinstance(mask, np.ndarray)


@needs_extension
def test_data_frames() -> None:
    pandas = pytest.importorskip("pandas")

    def run(n: Any) -> list[Any]:
        frame: Any = pandas.DataFrame({"a": n.arange(6.0), "b": n.arange(6) % 2})
        mask = n.abs(n.asarray(frame["a"]) - 2) < 2
        return [
            frame[mask].values, frame.loc[mask, "b"].values, frame["a"][mask].values, (frame * n.ones((6, 2))).values,
            pandas.unique(n.arange(6) % 3), frame.set_index(n.arange(6)).index.values, pandas.factorize(mask)[0],
            frame.apply(n.linalg.norm, axis=1).values,
        ]  # fmt: skip

    with settings(eager_below=250_000):
        ours = run(lnp)
    for found, wanted in zip(ours, run(np), strict=True):
        assert found.dtype == wanted.dtype and np.array_equal(found, wanted)


class _Listed:
    """What has its elements as NumPy's array, as a column of a data frame has."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.array([3.0, 1.0, 2.5])


@pytest.mark.parametrize("f", [
    lambda n, a: n.linalg.norm(a), lambda n, a: n.nanmean(a), lambda n, a: n.trapezoid(a), lambda n, a: n.median(a),
    lambda n, a: n.nanstd(a), lambda n, a: n.average(a), lambda n, a: n.linalg.norm(a, 1), lambda n, a: n.nanmax(a),
])  # fmt: skip
def test_scalars_of_objects_that_have_elements_are_numpys(f: Callable[[Any, Any], Any]) -> None:
    with settings(eager_below=250_000):
        found, wanted = f(lnp, _Listed()), f(np, _Listed())
    assert type(found) is type(wanted) and np.isclose(found, wanted, rtol=1e-15)


@pytest.mark.parametrize("order", [b"F", b"c"])
@pytest.mark.parametrize("below", [250_000, 0])
def test_orders_in_memory_may_be_bytes(below: int, order: Any) -> None:
    calls: list[Callable[[Any], Any]] = [
        lambda n: n.zeros((2, 3), order=order),
        lambda n: n.arange(6).reshape(2, 3, order=order),
        lambda n: n.arange(6).reshape(2, 3).flatten(order=order),
        lambda n: n.array([[1, 2], [3, 4]], order=order),
    ]
    with settings(eager_below=below):
        for f in calls:
            found, wanted = f(lnp), f(np)
            assert np.array_equal(found, wanted) and found.strides == wanted.strides


@needs_extension
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, TimeoutError, MemoryError])
def test_what_is_raised_by_an_evaluation_is_raised(monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]) -> None:
    calls = []

    def interrupts(self: Any, *_: Any) -> Any:
        calls.append(self)
        if len(calls) == 1:
            raise kind
        return elements(self, "again")

    elements = LazyArray._elements
    for below in (250_000, 0):
        with settings(eager_below=below), monkeypatch.context() as patched:
            x = lnp.arange(300_000.0) * 2
            calls.clear()
            patched.setattr(LazyArray, "_elements", interrupts)
            with pytest.raises(kind):
                np.asarray(x)
            assert np.array_equal(np.asarray(x), np.arange(300_000.0) * 2)
            assert len(memoryview(x)) == 300_000
            # What has been heard of is not raised again.
            calls.clear()
            with pytest.raises(kind):
                hashlib.sha256(x)
            assert x.__array__().shape == x.__array_interface__["shape"] == (300_000,)
