"""Loops that are saved: killed, started again, on other numbers of ranks, from damaged files; what they carry."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lazyarr
import lazyarr.numpy as lnp
from lazyarr.checkpoints import store
from lazyarr.checkpoints.state import checksum
from tests.test_files import PROGRAMS, alone
from tests.test_mpi import needs_mpi, run, written

#: With those of test_mpi.py: all at once would have more processes than there are cores.
pytestmark = pytest.mark.xdist_group("mpi")


class Killed(Exception):
    """Ends a loop in the middle."""


class End:
    """Where loops end; a function of the program, as far as they are concerned."""

    step = -1


def end(k: int) -> None:
    if k == End.step:
        raise Killed


@contextmanager
def killed(step: int) -> Iterator[None]:
    """Within which loops end in the middle."""
    End.step = step
    try:
        with pytest.raises(Killed):
            yield
    finally:
        End.step = -1


class Particle:
    def __init__(self, x: Any) -> None:
        self.x = x
        self.count = 0


class Own(Particle):
    """Says itself what its state is: its very dictionary."""

    def __getstate__(self) -> Any:
        return self.__dict__


class Slotted:
    __slots__ = ("n", "x")

    def __init__(self) -> None:
        self.n = 0
        self.x: Any = None


class Names(dict[str, Any]):
    """Has items, and attributes."""

    last = 0


def swapped(np: Any, folder: Path) -> list[Any]:
    u, v, s = np.arange(40.0).reshape(5, 8), np.ones((5, 8)), 1
    for k in lazyarr.checkpoint(folder / "c", range(10), every=3):
        end(k)
        w = u * 0.5 + v
        w[0] += k
        u, v = v, w
        s = s * 3
    return [u, v, s]


def in_place(np: Any, folder: Path) -> list[Any]:
    outside = np.arange(40.0).reshape(5, 8)
    held: list[Any] = [outside, {"a": outside[1:]}]

    def go(u: Any) -> Any:
        first = u
        for k in lazyarr.checkpoint(folder / "c", range(10), every=3):
            end(k)
            u[1:] += u[:-1] * 0.25
            if k == 4:
                u = u + 1  # the caller's stays as it is from here on
        return [u, first]

    return [*go(outside), outside, held[0], held[1]["a"]]


def views(np: Any, folder: Path) -> list[Any]:
    u = np.zeros((6, 7))
    part, turned, last = u[1:4], u.T, None
    for k in lazyarr.checkpoint(folder / "c", range(10), every=3):
        end(k)
        part += k
        if k in (2, 7):
            last = u[:, ::-2]
        if k == 5:
            u = u.copy()
            part = u[2:5]
        turned[0, 0] += 1
        if last is not None:
            last[2] += 0.5
    return [u, part, turned, last, u.T[3]]


def things(np: Any, folder: Path) -> list[Any]:
    rng, old = np.random.default_rng(5), np.random.RandomState(3)
    particles = [Particle(np.zeros(6)), Particle(np.ones(3000))]
    names, log, seen = {"n": 0}, [], {1}
    own, slotted, special = Own(np.zeros(2)), Slotted(), Names(a=1)
    x, empty, zero = np.zeros((3, 0)), np.zeros((3, 0)), np.zeros(())
    for k in lazyarr.checkpoint(folder / "c", iter(range(10)), every=3):
        end(k)
        for p in particles:
            p.x = p.x + rng.random(p.x.shape)
            p.count += 1
        names["n"] += int(old.randint(0, 9))
        names[f"k{k}"] = k
        log.append(particles[0].x[k % 6] + 0)
        seen.add(k)
        zero += 0.25
        own.count += k
        own.x = own.x + k
        slotted.n, slotted.x = slotted.n + k, own.x
        special["a"] += k
        special.last = k
        x = x + 1
    first, second = particles
    zero = zero + own.x[1] + slotted.x[0] + own.count * 1e2 + slotted.n * 1e4 + special["a"] * 1e6 + special.last * 1e8
    zero = zero + (own.x is slotted.x) * 1e10
    return [first.x, first.count, second.x, names, [float(n) for n in log], seen, rng.random(), x, empty, zero]


def broken_off(np: Any, folder: Path) -> list[Any]:
    u, step = np.linspace(0, 1, 50), None
    for k in lazyarr.checkpoint(folder / "c", range(1000), every=1):
        end(k)
        u = u * 0.5
        if not u.max() > 0.01:
            break
        if k == 2:
            continue
        step = k
    else:
        step = -1
    return [u, step]


LOOPS = [swapped, in_place, views, things, broken_off]


def agree(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    if isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            agree(x, y)
    elif hasattr(a, "shape"):
        x, y = np.asarray(a), np.asarray(b)
        assert (x.dtype, x.shape) == (y.dtype, y.shape)
        assert x.tobytes() == y.tobytes()
    else:
        assert a == b


@pytest.mark.parametrize("module", [np, lnp], ids=["numpy", "lazyarr"])
@pytest.mark.parametrize("loop", LOOPS)
def test_killed_loops_go_on(loop: Callable[..., list[Any]], module: Any, tmp_path: Path) -> None:
    expected = loop(module, tmp_path / "whole")
    agree(loop(module, tmp_path / "whole"), expected)  # it is all there
    for stop in (1, 3, 5) if loop is broken_off else (1, 3, 8, 9):
        folder = tmp_path / str(stop)
        with killed(stop):
            loop(module, folder)
        agree(loop(module, folder), expected)
    for stop in (3, 4):
        with killed(stop):
            loop(module, tmp_path / "often")
    agree(loop(module, tmp_path / "often"), expected)


def long(folder: Path, begin: float = 0.0, strict: bool = True) -> Any:
    u = np.linspace(begin, 1, 5000)
    for k in lazyarr.checkpoint(folder, range(10), every=2, strict=strict):
        end(k)
        u = u * 1.5 + k
    return u


def kept(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1000] ^= 16
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("file", ["state", "0.npy"])
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_a_damaged_checkpoint_is_not_used(damage: Callable[[Path], None], file: str, tmp_path: Path) -> None:
    expected, folder = long(tmp_path / "whole"), tmp_path / "c"
    with killed(7):
        long(folder)
    assert kept(folder) == ["00000004", "00000006"]
    damage(folder / "00000006" / file)
    with pytest.warns(UserWarning, match="the checkpoint of iteration 6 .* is damaged .* it is not used"):
        agree(long(folder), expected)
    assert kept(folder) == ["00000008", "00000010"]
    for name in kept(folder):
        damage(folder / name / file)
    with pytest.warns(UserWarning, match="is damaged"), pytest.raises(OSError, match="none of the checkpoints"):
        long(folder)


def test_what_is_not_complete_is_not_seen(tmp_path: Path) -> None:
    with killed(5):
        long(tmp_path / "c")
    (tmp_path / "c" / "00000006.part").mkdir()
    agree(long(tmp_path / "c"), long(tmp_path / "whole"))
    assert kept(tmp_path / "c") == ["00000008", "00000010"]


def test_other_beginnings_and_other_loops_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    with killed(7):
        long(folder)
    with pytest.raises(ValueError, match="saved by another run: the variables u began with other values. Remove"):
        long(folder, begin=0.5)
    with pytest.raises(ValueError, match="the statements of the loop were others"):
        u = np.linspace(0, 1, 5000)
        for _ in lazyarr.checkpoint(folder, range(10), every=2):
            u = u + 1
    with pytest.warns(UserWarning, match="u began with other values; it goes on from there all the same"):
        found = long(folder, begin=0.5, strict=False)
    agree(found, long(tmp_path / "whole"))

    def short(parts: list[Any]) -> None:
        for _ in lazyarr.checkpoint(tmp_path / "d", range(len(parts)), every=2, strict=False):
            parts[0] = 0

    short([[], 1, 2])
    fewer = "was saved after iteration 3; the loop has fewer"
    with pytest.warns(UserWarning, match="goes on"), pytest.raises(ValueError, match=fewer):
        short([[], 1])
    with pytest.raises(ValueError, match="in other arrays, lists and objects. Remove the folder"):
        short([[], [], 1])


def test_wrong_calls(tmp_path: Path) -> None:
    for every in (0, -3):
        with pytest.raises(ValueError, match=f"every is {every}; expected a positive number"):
            lazyarr.checkpoint(tmp_path / "c", range(3), every=every)
    with pytest.raises(ValueError, match="is what a for statement goes over"):
        for _ in zip(range(3), lazyarr.checkpoint(tmp_path / "c", range(3), every=1)):
            pass
    with pytest.raises(TypeError, match="not iterable"):
        for _ in lazyarr.checkpoint(tmp_path / "c", 3, every=1):  # type: ignore[arg-type,unused-ignore]
            pass
    assert not (tmp_path / "c").exists()


def test_what_cannot_be_saved(tmp_path: Path) -> None:
    with open(tmp_path / "log", "w") as log:
        with pytest.warns(UserWarning, match="log cannot be saved: .* it will be as the program makes it"):
            for k in lazyarr.checkpoint(tmp_path / "c", range(3), every=1):
                log.write(str(k))
        other: Any = None
        with pytest.warns(UserWarning, match="log cannot"), pytest.raises(TypeError, match="other cannot be saved"):
            for _ in lazyarr.checkpoint(tmp_path / "d", range(3), every=1):
                assert other is not log
                other = log
    assert (tmp_path / "log").read_text() == "012"


def test_what_a_loop_carries(tmp_path: Path) -> None:
    """What an iteration reads of an earlier one, and what is read later; no temporaries, and nothing that stays."""

    def first(a: int) -> int:
        b = c = d = e = 0
        fixed, array = 3, np.zeros(3)
        for _ in lazyarr.checkpoint(tmp_path / "first", range(4), every=1):
            t = a + fixed
            b = t
            if t > 3:
                d = t
            a = b
            e = 2
            array[0] += 1
            c = 5
            c += t
        return d + e

    def second() -> list[int]:
        u = v = w = x = 0

        def inner() -> int:
            nonlocal x
            x += 1
            return v + u

        for _ in lazyarr.checkpoint(tmp_path / "second", range(4), every=1):
            w = 3
            while w:
                u, w = v, w - 1
            inner()
        return [inner()]

    first(1)
    second()
    saved = [set(store.load(str(tmp_path / name), 4)[0]["own"]) for name in ("first", "second")]
    assert saved == [{"a", "array", "d", "e"}, {"u", "x"}]


def test_sums_tell_arrays_apart() -> None:
    """Sums of parts are the whole's, however it is cut, and a change or an exchange of elements changes them."""
    rng = np.random.default_rng(0)
    arrays: list[Any] = [rng.random((13, 7)), rng.integers(0, 3, 91).astype(np.int8), rng.random((3, 4, 5)) > 0.5,
              rng.random(9) + 1j, np.zeros((5, 0)), np.array(2.5), np.zeros((600, 500), "f4"),
              np.array(["one", "other"]), np.zeros(7, "S3"), np.zeros(5, "i4,f8")]  # fmt: skip
    for x in arrays:
        whole = checksum(x, tuple((0, n) for n in x.shape), x.shape)
        if x.ndim and x.shape[0] > 3:
            cuts = ((0, 2), (2, 3), (3, x.shape[0]))
            parts = [checksum(x[a:b], ((a, b), *((0, n) for n in x.shape[1:])), x.shape) for a, b in cuts]
            assert sum(parts) % 2**64 == whole
        if x.size:
            y = x.copy()
            y.reshape(-1).view(np.uint8)[x.nbytes // 2] ^= 1
            assert checksum(y, tuple((0, n) for n in x.shape), x.shape) != whole
    x = rng.random((4, 5))
    assert len({checksum(y, ((0, 4), (0, 5)), (4, 5)) for y in (x, x[::-1], x[:, ::-1], x * 0, -x)}) == 5


@needs_mpi
@pytest.mark.parametrize(("ranks", "then", "stop"), [(3, 2, 7), (2, 3, 103)])
def test_killed_and_started_on_other_ranks(
    ranks: int, then: int, stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, folder = alone("time_loop.py", tmp_path / "alone"), tmp_path / "ranks"
    folder.mkdir()
    monkeypatch.setenv("STOP", str(stop))
    assert run(ranks, PROGRAMS / "time_loop.py", cwd=folder).returncode != 0
    monkeypatch.setenv("STOP", "-1")
    shutil.copytree(folder, tmp_path / "copy")
    found = run(then, PROGRAMS / "time_loop.py", cwd=folder)
    assert found.returncode == 0, found.stderr
    assert found.stdout == expected
    assert found.stderr.count("goes on after iteration") == (2 if stop > 100 else 1)
    # Without ranks, and without `lazyarr run`.
    plain = subprocess.run(
        [sys.executable, PROGRAMS / "time_loop.py"], capture_output=True, text=True, check=True, cwd=tmp_path / "copy"
    )
    assert (plain.stdout, plain.stderr.count("goes on after iteration")) == (expected, 2 if stop > 100 else 1)


@needs_mpi
def test_sums_on_other_ranks(tmp_path: Path) -> None:
    """With ``--reproducible`` what a loop adds up is the same, whoever goes on with it."""
    text = """import os, lazyarr
import numpy as np
u = np.random.default_rng(1).random((60, 50))
u /= u.sum()
t = 0.0
for k in lazyarr.checkpoint("c", range(9), every=2):
    u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
    norm = np.sqrt((u * u).sum())
    u /= norm
    t += float(norm)
    if k == 5 and not os.path.exists("killed"):
        open("killed", "w").close()
        os.kill(os.getpid(), 9)
print(float(u[7, 3]).hex(), t.hex())
"""
    script = written(tmp_path, text)
    assert run(3, script, "--reproducible", cwd=tmp_path).returncode != 0
    found = run(2, script, "--reproducible", cwd=tmp_path)
    assert found.stderr.count("goes on after iteration 4") == 1
    shutil.rmtree(tmp_path / "c")
    assert found.stdout == run(1, script, "--reproducible", cwd=tmp_path).stdout != ""


@needs_mpi
def test_a_full_disk_while_saving(tmp_path: Path) -> None:
    """All ranks get the error; what was saved before is there, nothing else, and the program goes on from it."""
    text = """import os, resource, signal, lazyarr
import numpy as np
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
u = np.random.default_rng(1).random((300, 200))
try:
    for k in lazyarr.checkpoint("c", range(8), every=2):
        if k == 3 and "FULL" in os.environ:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        u[1:-1] += 0.1 * (u[2:] - 2 * u[1:-1] + u[:-2])
except OSError as error:
    print(error.strerror, os.listdir("c"))
print(float(u[17, 3]).hex())
"""
    script = written(tmp_path, text)
    os.environ["FULL"] = "1"
    try:
        failed = run(2, script, cwd=tmp_path)
    finally:
        del os.environ["FULL"]
    assert failed.returncode == 0, failed.stderr
    assert failed.stdout.splitlines()[0] == "File too large ['00000002']"
    found = run(2, script, cwd=tmp_path)
    assert "goes on after iteration 2" in found.stderr
    (tmp_path / "new").mkdir()
    assert found.stdout == run(1, script, cwd=tmp_path / "new").stdout


def test_nothing_is_kept_alive(tmp_path: Path) -> None:
    """Arrays that a loop has replaced are let go, though it has been saved with them."""
    gone: list[bool] = []

    def go() -> None:
        # (No assert in here: pytest's ask for `locals`.)
        u = np.zeros(1000)
        for _ in lazyarr.checkpoint(tmp_path / "c", range(5), every=1):
            old = weakref.ref(u)
            u = u + 1
            gone.append(old() is None)

    go()
    assert gone == [True] * 5


def generated(folder: Path) -> Iterator[float]:
    x = np.ones(3)
    for k in lazyarr.checkpoint(folder, range(6), every=2):
        x *= 2
        yield float(x[0])
        end(k)


class Solver:
    """A method with a loop, and variables of the module that functions change."""

    calls = 0

    def __init__(self) -> None:
        self.x = np.zeros((2, 3))

    def run(self, folder: Path) -> float:
        for k in lazyarr.checkpoint(folder, range(6), every=2):
            end(k)
            self.x += k
            count()
        return float(self.x.sum())


counted, fields = 0, {"rho": np.zeros(4)}


def count() -> None:
    global counted
    counted += 1
    fields["rho"] += counted


def test_generators_methods_and_variables_of_the_module(tmp_path: Path) -> None:
    global counted
    with killed(4):
        list(generated(tmp_path / "g"))
    assert list(generated(tmp_path / "g")) == [32.0, 64.0]
    expected = Solver().run(tmp_path / "whole"), counted, fields["rho"].sum()
    counted, fields["rho"] = 0, np.zeros(4)
    with killed(3):
        Solver().run(tmp_path / "s")
    counted, fields["rho"] = 0, np.zeros(4)
    assert (Solver().run(tmp_path / "s"), counted, fields["rho"].sum()) == expected


def test_programs_without_source(tmp_path: Path) -> None:
    """What cannot be analysed is saved as a whole."""
    text = """
u, t, names = np.zeros(5), 0, [0]
for k in lazyarr.checkpoint(path, range(6), every=2):
    end(k)
    u, t = u + k, t + 1
    names.append(t)
"""
    expected: dict[str, Any] = {"np": np, "lazyarr": lazyarr, "end": end, "path": str(tmp_path / "c")}
    found = expected | {"path": str(tmp_path / "whole")}
    exec(text, found)
    with killed(5):
        exec(text, dict(expected))
    exec(text, expected)
    assert (expected["u"].tolist(), expected["t"], expected["names"]) == (found["u"].tolist(), 6, found["names"])


def test_within_accelerated_functions(tmp_path: Path) -> None:
    @lazyarr.accelerate
    def go(u: Any) -> Any:
        for k in lazyarr.checkpoint(tmp_path / "c", range(4), every=2):
            u = u + k
        return u

    with pytest.raises(RuntimeError, match="goes around the calls of accelerated functions"):
        go(np.zeros(5))
