"""What scripts on ranks do to the world outside is what one process does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_mpi import needs_mpi, run

pytestmark = pytest.mark.xdist_group("mpi")

INPUT = """
import fileinput
import itertools
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
"""
TYPED = "5\nsecond line\n1 2\n3 4\n5 6\na\nb\nend\nf1\nstop\nrest\nmöre\n"


@needs_mpi
def test_all_ranks_get_what_is_read_from_standard_input(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(INPUT)
    alone = subprocess.run([sys.executable, script], input=TYPED, capture_output=True, text=True, check=True)
    found = run(3, script, input=TYPED)
    assert (found.returncode, found.stdout) == (0, alone.stdout), found.stderr
    assert not found.stderr
