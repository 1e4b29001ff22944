"""What scripts on ranks do to the world outside is what one process does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_mpi import needs_mpi, run

pytestmark = pytest.mark.xdist_group("mpi")

INPUT = """
import fileinput
import itertools
import logging
import sys
import threading

import numpy as np

count = int(input("how many? "))
print(count, repr(sys.stdin.readline()))
print(np.loadtxt(itertools.islice(sys.stdin, 3)).sum(), np.sin(np.arange(3000.0)).sum().round(9))
for line in sys.stdin:
    print(repr(line))
    if line.strip() == "end":
        break
for line in fileinput.input(["-"]):
    print(repr(line))
    if "stop" in line:
        break


def elsewhere():
    try:
        sys.stdin.buffer.raw.read(1)
        print("EOF")
    except RuntimeError as error:
        print("EOF" if "another thread" in str(error) else error)


print(repr(sys.stdin.buffer.read(3)), repr(sys.stdin.read()))
try:
    input()
except EOFError as error:
    print(error)
thread = threading.Thread(target=elsewhere)
thread.start()
thread.join()
print("said once", file=sys.stderr)
logging.warning("logged once")
"""
TYPED = "5\nsecond line\n1 2\n3 4\n5 6\na\nb\nend\nf1\nstop\nrest\nmöre\n"


@needs_mpi
def test_all_ranks_get_what_is_read_from_standard_input(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(INPUT)
    alone = subprocess.run([sys.executable, script], input=TYPED, capture_output=True, text=True, check=True)
    found = run(3, script, input=TYPED)
    assert (found.returncode, found.stdout) == (0, alone.stdout), found.stderr
    assert found.stderr == alone.stderr == "said once\nWARNING:root:logged once\n"


@needs_mpi
def test_all_ranks_decode_standard_input_as_rank_0_does(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\nprint(input())\nwith open(0) as file:\n    rest = file.read()\n"
        "os.write(2, ascii((sys.stdin.encoding, sys.stdin.errors, rest)).encode() + b'\\n')\n"
    )
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    found = subprocess.run(
        [sys.executable, "-m", "lazyarr", "run", "-n", "2", script], input=b"\xf6\n", capture_output=True,
        timeout=120, check=False, env=environment,
    )  # fmt: skip
    assert (found.returncode, found.stdout) == (0, b"\xf6\n"), found.stderr
    assert found.stderr.splitlines() == [b"('iso8859-1', 'strict', '')"] * 2


PROGRAMS = Path(__file__).parent / "outside_programs"
#: Files with the time in them.
TIMED = (".gz", ".zip", ".tgz")


def left(folder: Path) -> dict[str, bytes | None]:
    """What a program has left behind: by name, what a file holds (of some, that there is one)."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() and path.suffix not in TIMED else None
        for path in folder.rglob("*")
    }


@needs_mpi
@pytest.mark.parametrize("name", ["accelerated", "elsewhere", "processes", "statements"])
def test_what_is_left_of_a_program_is_what_one_process_leaves(name: str, tmp_path: Path) -> None:
    one, several = tmp_path / "one", tmp_path / "several"
    one.mkdir()
    several.mkdir()
    program = PROGRAMS / f"{name}.py"
    alone = subprocess.run([sys.executable, program], cwd=one, capture_output=True, text=True, check=True)
    found = run(3, program, cwd=several)
    assert (found.returncode, found.stdout) == (0, alone.stdout), found.stderr
    expected, was = left(one), left(several)
    for files in (expected, was):
        # (Threads and processes came in some order.)
        if name == "elsewhere":
            files["out/frames/log.txt"] = b"".join(sorted((files["out/frames/log.txt"] or b"").split()))
    assert was == expected


@needs_mpi
def test_ranks_that_ask_for_other_things_end_with_an_error(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("""import os
rank = int(os.environ["PMI_RANK"])
if rank == 1:
    open("a.txt", "w")
os.mkdir("a")
""")
    found = run(2, script, cwd=tmp_path)
    assert found.returncode == 1
    assert "rank 0: script.py:5: calls mkdir()" in found.stderr.replace(f"{tmp_path}/", ""), found.stderr
    assert "rank 1: script.py:4: opens a file for 'w'" in found.stderr.replace(f"{tmp_path}/", "")


@needs_mpi
def test_scripts_that_ask_for_the_ranks_say_themselves_who_writes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("""import os
from mpi4py import MPI
comm = MPI.COMM_WORLD
if comm.rank == 0:
    os.mkdir("d")
    with open("d/0", "w") as file:
        file.write("0")
comm.Barrier()
with open(f"d/{comm.rank}", "a") as file:
    file.write("x")
assert os.path.exists(f"d/{comm.rank}")
""")
    found = run(2, script, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert {path.name: path.read_text() for path in (tmp_path / "d").iterdir()} == {"0": "0x", "1": "x"}
