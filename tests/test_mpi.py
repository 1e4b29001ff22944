"""Scripts on several ranks, started as a user starts them: real processes, real MPI."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from lazyarr.launch import NoMpi, _mpiexec

PROGRAMS = Path(__file__).parent / "rank_programs"
#: Runs several of them in one start.
RUNNER = Path(__file__).parent / "rank_runner.py"
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))
ON_A_GRID = ["accelerated_masks", "heat", "long_fft", "made_of_little", "masks", "operations", "rearrange"]
#: Some of their operations are NumPy's on whole arrays.
FALL_BACK = ["aliased", "memory_files", "operations"]
#: Where a lazy global is the argument, too, one rank does not see that they are one array (more ranks do).
NOT_ALONE = ["aliased"]
#: All at once would have more processes than there are cores.
pytestmark = pytest.mark.xdist_group("mpi")


def has_mpi() -> bool:
    try:
        _mpiexec()
    except NoMpi:
        return False
    return find_spec("mpi4py") is not None


needs_mpi = pytest.mark.skipif(not has_mpi(), reason="mpi4py or mpiexec is not installed")


def run(
    ranks: int, script: Path | str, *options: str, cwd: Path | None = None, words: Sequence[str] = (),
    timeout: float = 120, input: str | None = None,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """``lazyarr run``, arrays of 1000 elements split; `words` are the script's."""
    lazyarr = str(Path(sysconfig.get_path("scripts")) / "lazyarr")
    command = [lazyarr, "run", "-n", str(ranks), *options, str(script), *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, check=False, cwd=cwd, input=input,
        env=os.environ | {"LAZYARR_SPLIT_ABOVE": "1000", "LAZYARR_ALWAYS": "0", "LAZYARR_FALLBACK": "warn"},
    )  # fmt: skip


@cache
def programs(ranks: int, *options: str) -> tuple[dict[str, str], str]:
    """What each of PROGRAMS prints, all in one start on some ranks (0: as plain Python), and what they say."""
    names = NAMES if not options else ON_A_GRID
    words = [str(PROGRAMS / f"{name}.py") for name in names]
    done = run(ranks, RUNNER, *options, words=words, timeout=300) if ranks else subprocess.run(
        [sys.executable, RUNNER, *words], capture_output=True, text=True, check=True
    )  # fmt: skip
    _, *parts = f"\n{done.stdout}".split("\n# program ")
    return {part.partition("\n")[0]: part.partition("\n")[2].rstrip() for part in parts}, done.stderr


def as_plain_python(name: str, ranks: int, *options: str) -> None:
    """One of PROGRAMS prints the same on ranks."""
    printed, said = programs(ranks, *options)
    assert printed.get(name, "nothing") == programs(0)[0][name], said
    fell_back = [line for line in said.splitlines() if f"/{name}.py:" in line and "FallbackWarning" in line]
    assert not fell_back or name in FALL_BACK


@needs_mpi
@pytest.mark.parametrize("ranks", [1, 2, 3, 4])
@pytest.mark.parametrize("name", NAMES)
def test_scripts_give_numpys_results(name: str, ranks: int) -> None:
    if ranks == 1 and name in NOT_ALONE:
        pytest.skip("a lazy global that is an argument, too, is two arrays there")
    as_plain_python(name, ranks)


@needs_mpi
@pytest.mark.parametrize("name", ON_A_GRID)
def test_on_a_grid_of_two_dimensions(name: str) -> None:
    as_plain_python(name, 4, "--grid", "2,2")


@needs_mpi
def test_a_grid_with_other_places_than_ranks() -> None:
    wrong = run(4, PROGRAMS / "heat.py", "--grid", "2,3")
    assert wrong.returncode == 2
    assert "--grid 2,3 has 6 places; there are 4 ranks" in wrong.stderr


def written(path: Path, text: str) -> Path:
    script = path / "script.py"
    script.write_text(text)
    return script


BEGIN = """import numpy as np
from mpi4py import MPI
rank = MPI.COMM_WORLD.rank
x = np.arange(100_000.0)
"""
#: An array of which each rank has a part, which is little. (Where parts are as small as here, less is little, too.)
OWN_PART = "y = np.random.default_rng(0).random(2500); import lazyarr; lazyarr.configure(eager_below=20_000)\n"
#: What happens -> the rest of the script, the exit code, what is said, what is not.
FAULTS = {
    "an exception on one rank": (
        "if rank == 1:\n    raise ValueError('on one')\nprint(x.sum())", 1,
        ["line 6", "ValueError: on one", "rank 1 of 3 ended the program"], [],
    ),
    "an exception on all": (
        "y = x * 2\ny[200_000] = 1", 1, ["IndexError: index 200000 is out of bounds", "rank 0 of 3"], ["rank 1 of 3"],
    ),
    "other work on one rank": (
        "if rank == 1:\n    x = x + 1\nprint(x.sum())", 1,
        ["do not run the same program", "ranks 0, 2: ", "rank 1: ", "script.py:7"], [],
    ),
    "other work on one rank's own part": (
        OWN_PART + "if rank == 1:\n    y = y + 1\nz = y * 2\nprint(y.sum(), z)", 1,
        ["do not run the same program", "ranks 0, 2: ", "computes multiply", "rank 1: ", "computes add", "script.py:7"],
        [],
    ),
    "other numbers with one rank's own part": (
        OWN_PART + "y *= rank + 1\nprint(y.sum())", 1,
        ["with other numbers on each"], [],
    ),
    "more work on one rank's own part": (
        OWN_PART + "if rank == 1:\n    y += 1\nprint(y.sum())", 1,
        ["ranks 0, 2: nothing more by itself", "rank 1: ", "computes add", "script.py:7"], [],
    ),
    "other numbers on one rank": (
        "print((x * (rank + 1.5)).sum())", 1, ["with other numbers on each", "script.py:5"], [],
    ),
    "one rank looks at data": (
        "if rank == 1:\n    print(x.sum())", 1, ["ranks 0, 2: has come to the end of the script", "script.py:6"], [],
    ),
    "another grid on one rank": (
        "import lazyarr\nwith lazyarr.grid(*((3,) if rank == 1 else (1, 3))):\n    print(x.sum())", 1,
        ["do not run the same program", "rank 1: ", "enters lazyarr.grid(3,)", "script.py:6"], [],
    ),
    "another thread": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(2) as pool:\n    print(list(pool.map(lambda k: float((x * k).sum()), range(4))))", 1,
        ["has to be done in one thread"], ["rank 1 of 3"],
    ),
    "one rank is killed": (
        "import os, signal\nif rank == 1:\n    os.kill(os.getpid(), signal.SIGKILL)\nprint(x.sum())", 9, [], [],
    ),
    "an exit code": ("import sys\nprint('once')\nsys.exit(3)", 3, [], ["Traceback"]),
    "a text on the way out": ("import sys\nsys.exit('no input')", 1, ["no input"], ["Traceback"]),
}  # fmt: skip


@needs_mpi
@pytest.mark.parametrize("what", FAULTS)
def test_faults_end_all_ranks(what: str, tmp_path: Path) -> None:
    text, code, said, unsaid = FAULTS[what]
    found = run(3, written(tmp_path, BEGIN + text), cwd=tmp_path)
    # (Of processes that MPI ends, the code is theirs or the signal's: it depends on who ends first.)
    assert found.returncode == code if code not in (1, 9) else found.returncode != 0, found.stderr
    for part in said:
        assert part in found.stderr
    for part in unsaid:
        assert part not in found.stderr
    assert found.stdout.count("once") == (what == "an exit code")


@needs_mpi
def test_warnings_appear_once_and_can_be_recorded_or_raised(tmp_path: Path) -> None:
    text = """import warnings
import numpy as np
x = np.random.default_rng(1).random(9000)
warnings.warn("a word of the program's")
with warnings.catch_warnings(record=True) as noted:
    warnings.simplefilter("always")
    warnings.warn("noted")
warnings.simplefilter("error")
try:
    warnings.warn("raised")
except UserWarning as error:
    print(x.shape, error, [str(w.message) for w in noted])
assert len(noted) == 1
"""
    found = run(3, written(tmp_path, text), cwd=tmp_path)
    assert (found.returncode, found.stdout) == (0, "(9000,) raised ['noted']\n"), found.stderr
    assert found.stderr.count("UserWarning: a word") == 1


@needs_mpi
def test_what_python_draws_and_how_it_orders_sets_is_alike_on_all_ranks(tmp_path: Path) -> None:
    text = """import random
import numpy as np
x = np.random.default_rng(1).random(90_000)
for name in {"temperature", "pressure", "humidity", "wind", "salinity"}:
    x[:: len(name)] *= 1 + random.random()
print(np.isfinite(x.sum() * random.randrange(5, 9)))
"""
    found = run(2, written(tmp_path, text), cwd=tmp_path)
    assert (found.returncode, found.stdout) == (0, "True\n"), found.stderr


@needs_mpi
def test_what_is_printed_without_python_appears_once(tmp_path: Path) -> None:
    text = """import os, subprocess, sys
import numpy as np
os.system("echo a shell")
subprocess.run([sys.executable, "-c", "print('a process')"], check=True)
os.write(1, b"a system call\\n")
sys.__stdout__.write("the first one\\n")
sys.__stdout__.flush()
print(np.arange(5000.0).sum())
"""
    done = run(3, written(tmp_path, text))
    assert done.returncode == 0, done.stderr
    lines = ["a shell", "a process", "a system call", "the first one", "12497500.0"]
    assert sorted(done.stdout.splitlines()) == sorted(lines)



@needs_mpi
def test_streams_without_a_seed_are_the_same_on_all_ranks(tmp_path: Path) -> None:
    text = """import numpy as np
x = np.random.default_rng().random(5000)
y = np.random.RandomState().random_sample(5000)
np.random.seed()
print((x + y + np.random.random(5000)).sum() > 0)
"""
    found = run(3, written(tmp_path, text))
    assert (found.returncode, found.stdout) == (0, "True\n"), found.stderr


@needs_mpi
def test_the_global_stream_that_nobody_has_seeded(tmp_path: Path) -> None:
    # (Small numbers are made by each rank, and compared before a program.)
    text = """import numpy as np
few, many = np.random.random((5, 3)), np.random.random((5000, 3))
print((many @ few.T).sum() > 0)
"""
    found = run(3, written(tmp_path, text))
    assert (found.returncode, found.stdout) == (0, "True\n"), found.stderr


@needs_mpi
def test_within_a_program_of_mpi4pys(tmp_path: Path) -> None:
    text = """from mpi4py import MPI
import lazyarr
half = MPI.COMM_WORLD.Split(MPI.COMM_WORLD.rank // 2)
lazyarr.init(half)
import lazyarr.numpy as np
x = np.arange(10_000.0) + MPI.COMM_WORLD.rank // 2
total = float(x.sum())
print(MPI.COMM_WORLD.gather(total, 0) or "", end="")
"""
    script = written(tmp_path, text)
    command = [_mpiexec(), "-n", "4", sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[49995000.0, 49995000.0, 50005000.0, 50005000.0]"


@needs_mpi
def test_arrays_stay_split(tmp_path: Path) -> None:
    """A rank has its rows, and several sweeps need one exchange."""
    text = """import numpy as np
import sys
from lazyarr import world
u = np.zeros((400, 300))
u[0] = 1.0
for k in range(600):
    u[1:-1, 1:-1] += 0.2 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
mine = u.local
assert mine.array.shape == (200, 300), mine.array.shape
rank = world.current().rank
assert mine.place == (slice(200 * rank, 200 * rank + 200), slice(0, 300))
counts = world.current().communicator.counts
assert 0 < counts["exchange"] <= 100, counts
assert counts["exchange bytes"] <= 600 * 300 * 8 * 3
whole = sys.modules["numpy"].asarray(u)  # what a rank does by itself is not for lazyarr
assert (whole[mine.place] == mine.array).all()
small = np.arange(10).local
assert small.array.shape == (10,) and small.place == (slice(0, 10),)
print(f"{whole.sum():.8f}")
"""
    script = written(tmp_path, text)
    together = run(2, script)
    assert together.returncode == 0, together.stderr
    plain = [line for line in text.splitlines() if line.startswith(("import numpy", "u", "for", "    u", "print"))]
    alone = subprocess.run(
        [sys.executable, "-c", "\n".join(plain).replace("whole", "u")], capture_output=True, text=True, check=True
    )
    assert together.stdout == alone.stdout


@needs_mpi
def test_files_are_written_once(tmp_path: Path) -> None:
    text = """import numpy as np
x = np.arange(20_000.0).reshape(100, 200) * 2
for k in range(5):
    np.save("x.npy", x + k)
    y = np.load("x.npy")
    np.savetxt("x.txt", x[:3, :3])
    print((y - k == x).all(), np.loadtxt("x.txt").sum())
"""
    script = written(tmp_path, text)
    found = run(4, script, cwd=tmp_path)
    assert (found.returncode, found.stdout) == (0, "True 3618.0\n" * 5), found.stderr


@needs_mpi
def test_a_file_that_cannot_be_written_ends_all_ranks(tmp_path: Path) -> None:
    found = run(3, written(tmp_path, "import numpy as np\nnp.savetxt('/dev/full', np.arange(50_000.0))"), cwd=tmp_path)
    assert found.returncode != 0
    assert "No space left on device" in found.stderr


@needs_mpi
def test_one_rank_that_asks_for_a_seed_is_noticed(tmp_path: Path) -> None:
    text = "import numpy as np\nfrom mpi4py import MPI\nif MPI.COMM_WORLD.rank == 0:\n    np.random.default_rng()\n"
    found = run(3, written(tmp_path, text), cwd=tmp_path)
    assert found.returncode != 0
    assert "rank 0: script.py:4: takes random numbers without a seed" in found.stderr.replace(f"{tmp_path}/", "")


@needs_mpi
def test_an_error_of_a_write_can_be_handled(tmp_path: Path) -> None:
    text = """import numpy as np
x = np.arange(20_000.0)
try:
    np.save("/nonexistent/x.npy", x)
except OSError as error:
    print(type(error).__name__)
print(x.sum())
"""
    found = run(3, written(tmp_path, text), cwd=tmp_path)
    assert (found.returncode, found.stdout) == (0, "FileNotFoundError\n199990000.0\n"), found.stderr


@needs_mpi
def test_an_mpiexec_of_another_mpi_is_noticed(tmp_path: Path) -> None:
    starter = tmp_path / "starter"
    starter.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    starter.chmod(0o755)
    found = run(3, written(tmp_path, "print('alone')"), "--mpiexec", str(starter))
    assert found.returncode != 0
    assert "MPI says that 1 processes run together, 3 were asked for" in found.stderr
    assert found.stdout == ""


FILES = """
import sys
import numpy as np
x = np.random.default_rng(1).random((61, 50))
np.save("x", x * 2)
y = np.load("x.npy")
np.save("i.npy", (y * 100).astype(np.int32))
np.save("turned.npy", x.T)
np.save("some.npy", x[:5])
z = np.load("i.npy")
print(z.dtype, z.shape, int(z.sum()), int(np.load("turned.npy")[3, 7] == x[7, 3]), np.load("some.npy").shape)
for path in ("none/a.npy", "x.npy/a.npy"):
    try:
        np.save(path, x)
    except OSError as error:
        print(type(error).__name__)
try:
    np.load("none.npy")
except OSError as error:
    print(type(error).__name__)
if hasattr(z, "local"):
    print(max(z.local.array.shape[0], y.local.array.shape[0], x.local.array.shape[0]) <= 31, file=sys.__stderr__)
"""


@needs_mpi
@pytest.mark.parametrize("options", [(2,), (3,), (4, "--grid", "2,2")])
def test_files_are_read_and_written_in_parts(options: tuple[Any, ...], tmp_path: Path) -> None:
    script = tmp_path / "files.py"
    script.write_text(FILES)
    alone, together = tmp_path / "alone", tmp_path / "together"
    for folder in (alone, together):
        folder.mkdir()
    plain = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, cwd=alone)
    ranks, *more = options
    found = run(ranks, script, *more, cwd=together)
    assert found.returncode == 0, found.stderr
    assert found.stdout == plain.stdout
    assert found.stderr.count("True") == ranks
    assert "FallbackWarning: numpy.save: it writes a file" in found.stderr  # of what is not split, or turned
    names = sorted(path.name for path in alone.iterdir())
    assert names == sorted(path.name for path in together.iterdir())
    for name in names:
        assert (alone / name).read_bytes() == (together / name).read_bytes(), name


@needs_mpi
def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    script = tmp_path / "limited.py"
    script.write_text(
        "import resource, signal, numpy as np\n"
        "x = np.random.default_rng(1).random((200, 50))\n"
        "np.save('x.npy', x)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "try:\n    np.save('x.npy', x + 1)\nexcept OSError as error:\n    print(type(error).__name__)\n"
        "print(bool((np.load('x.npy') == x).all()))\n"
    )
    found = run(3, script, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "OSError\nTrue\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["limited.py", "x.npy"]


@needs_mpi
def test_arguments_that_share_memory_are_reported() -> None:
    assert "arguments share memory that is split over ranks" in programs(3)[1]


@needs_mpi
def test_processes_that_ranks_fork_are_no_ranks(tmp_path: Path) -> None:
    text = """from multiprocessing import Pool
import numpy as np
def drawn(seed):
    return round(float(np.sum(np.random.default_rng(seed).random(2000) ** 2)), 6)
a = np.arange(1000.0)
with Pool(2) as pool:
    print(pool.map(drawn, range(3)))
print((a * 2).sum(), drawn(2))
"""
    script = written(tmp_path, text)
    found = run(3, script, cwd=tmp_path)
    alone = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert (found.returncode, found.stdout) == (0, alone.stdout), found.stderr


@needs_mpi
def test_garbage_in_cycles(tmp_path: Path) -> None:
    script = tmp_path / "cycles.py"
    script.write_text(
        "import gc, numpy as np\n"
        "x = np.random.default_rng(1).random(5000)\n"
        "class Node: pass\n"
        "seed = int.from_bytes(open('/dev/urandom', 'rb').read(2), 'little')\n"
        "junk = [[[] for _ in range(seed % 600)]]\n"  # Python's own search would come elsewhere on each rank
        "total = 0.0\n"
        "for k in range(400):\n"
        "    a = Node(); a.value = x * k + 1; a.self = a\n"
        "    total += float((a.value * 2).sum())\n"
        "print(f'{total:.3f}', gc.isenabled())\n"
    )
    found = run(3, script)
    assert found.returncode == 0, found.stderr
    assert found.stdout.endswith("False\n")


@needs_mpi
def test_garbage_is_found_where_no_program_runs(tmp_path: Path) -> None:
    script = tmp_path / "garbage.py"
    script.write_text(
        "import weakref, numpy as np\n"
        "class Node: pass\n"
        "left = []\n"
        "for k in range(6000):\n"
        "    n = Node(); n.owner = n; left.append(weakref.ref(n))\n"
        "    np.ones(3).sum()\n"
        "print(sum(r() is not None for r in left) < 4000)\n"
    )
    found = run(2, script)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "True\n"


@needs_mpi
def test_sums_in_their_own_order_beside_columns_of_a_nest_of_loops(tmp_path: Path) -> None:
    script = tmp_path / "columns.py"
    script.write_text(
        "import numpy as np, lazyarr\n"
        "@lazyarr.accelerate(always=True)\n"
        "def orthogonal(a):\n"
        "    q, r = np.zeros_like(a), np.zeros((a.shape[1], a.shape[1]))\n"
        "    for j in range(a.shape[1]):\n"
        "        v = a[:, j].copy()\n"
        "        for i in range(j):\n"
        "            r[i, j] = q[:, i] @ a[:, j]\n"
        "            v -= r[i, j] * q[:, i]\n"
        "        r[j, j] = np.sqrt(v @ v)\n"
        "        q[:, j] = v / r[j, j]\n"
        "    return q, r\n"
        "a = np.random.default_rng(0).random((20000, 7))\n"
        "q, r = orthogonal(a)\n"
        "print(np.allclose(q @ r, a), r.tobytes().hex())\n"
    )
    alone, *others = [run(ranks, script, "--reproducible") for ranks in (1, 2, 3)]
    assert alone.stdout.startswith("True ")
    for found in others:
        assert found.returncode == 0, found.stderr
        assert found.stdout == alone.stdout


@needs_mpi
def test_elements_of_a_split_array_that_would_be_little_as_an_operand(tmp_path: Path) -> None:
    text = """import numpy as np
x = np.sin(np.arange(200_003) * 0.01)
y = np.zeros(20_003)
y[0] = x[0]
for k in range(1, 400):
    y[k] = 0.1 * x[k] + 0.9 * y[k - 1]
print(f"{y[399]:.12f} {x.sum():.9f} {y.sum():.9f}")
"""
    whole = "print(x.local.array.shape == x.shape, y.local.array.shape == y.shape)\n"
    plain = written(tmp_path, text)
    alone = subprocess.run([sys.executable, plain], capture_output=True, text=True, check=True).stdout
    # (Arrays that are read and written element by element are given to all ranks, whatever their size.)
    settings = os.environ | {"LAZYARR_FALLBACK": "warn"}
    script = written(tmp_path, text + whole)
    command = [str(Path(sysconfig.get_path("scripts")) / "lazyarr"), "run", "-n", "2", str(script)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=settings)
    assert (found.returncode, found.stdout) == (0, f"{alone}True True\n"), found.stderr
