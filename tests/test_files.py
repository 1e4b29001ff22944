"""HDF5 and Zarr on several ranks: scripts that know nothing of them, and which elements each rank reads."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lazyarr.files.selection import select
from tests.test_mpi import needs_mpi, run, written

pytest.importorskip("h5py")
pytest.importorskip("zarr")
#: With those of test_mpi.py: all at once would have more processes than there are cores.
pytestmark = pytest.mark.xdist_group("mpi")
PROGRAMS = Path(__file__).parent / "file_programs"


def alone(script: str, folder: Path) -> str:
    """What a script prints as plain Python, in a new folder."""
    folder.mkdir()
    found = subprocess.run([sys.executable, PROGRAMS / script], capture_output=True, text=True, check=True, cwd=folder)
    return found.stdout


def together(script: str, folder: Path, ranks: int, *options: str) -> str:
    """The same on several ranks, each of which says that it has a part alone."""
    folder.mkdir()
    found = run(ranks, PROGRAMS / script, *options, cwd=folder)
    assert found.returncode == 0, found.stderr
    parts = ["True"] * ranks if "full" not in script else []
    assert found.stderr.split() == (parts if ranks > 1 else [])
    return found.stdout


@needs_mpi
@pytest.mark.parametrize("options", [(1,), (3,), (4, "--grid", "2,2")])
def test_hdf5(options: tuple[Any, ...], tmp_path: Path) -> None:
    import h5py

    assert together("hdf5.py", tmp_path / "ranks", *options) == alone("hdf5.py", tmp_path / "alone") != ""
    with h5py.File(tmp_path / "alone" / "o.h5") as a, h5py.File(tmp_path / "ranks" / "o.h5") as b:
        names: list[str] = []
        a.visit(names.append)
        for name in names:
            assert dict(a[name].attrs).keys() == dict(b[name].attrs).keys()
            if isinstance(a[name], h5py.Dataset):
                for what in ("dtype", "chunks", "maxshape", "compression"):
                    assert getattr(a[name], what) == getattr(b[name], what)
                assert np.array_equal(a[name][()], b[name][()])


@needs_mpi
@pytest.mark.parametrize("options", [(1,), (3,), (4, "--grid", "2,2")])
def test_zarr(options: tuple[Any, ...], tmp_path: Path) -> None:
    import zarr

    assert together("zarr_arrays.py", tmp_path / "ranks", *options) == alone("zarr_arrays.py", tmp_path / "alone") != ""
    files = [sorted(str(p.relative_to(f)) for p in f.rglob("*")) for f in (tmp_path / "alone", tmp_path / "ranks")]
    assert files[0] == files[1]
    for name in ("a", "s", "g/w", "h/a/b/x", "h/y", "zz", "c", "v2"):
        top, _, rest = name.partition("/")
        a, b = (zarr.open_array(tmp_path / f / "z" / f"{top}.zarr", path=rest, mode="r") for f in ("alone", "ranks"))
        assert (a.dtype, a.chunks, a.metadata.zarr_format) == (b.dtype, b.chunks, b.metadata.zarr_format)
        assert np.array_equal(np.asarray(a[...]), np.asarray(b[...])), name


@needs_mpi
def test_a_full_disk(tmp_path: Path) -> None:
    """All ranks get the package's error, go on, and what was there before is still there."""
    expected = "h5py OSError True\nFalse\nzarr OSError File too large\nTrue True\n"
    assert together("full_disk.py", tmp_path / "ranks", 3) == alone("full_disk.py", tmp_path / "alone") == expected


@needs_mpi
def test_one_rank_that_opens_a_file_is_noticed(tmp_path: Path) -> None:
    text = "import h5py\nfrom mpi4py import MPI\nif MPI.COMM_WORLD.rank == 1:\n    h5py.File('x.h5', 'w')\n"
    found = run(3, written(tmp_path, text), cwd=tmp_path)
    assert found.returncode != 0
    assert "rank 1: script.py:4: h5py: File('x.h5', 'w')" in found.stderr.replace(f"{tmp_path}/", "")


@needs_mpi
def test_what_takes_all_ranks_is_not_waited_for_on_one(tmp_path: Path) -> None:
    """Data that rank 0 alone would gather, hidden in an object of somebody's, ends with an error on all ranks."""
    text = """import h5py, numpy as np
class Holder:
    def __init__(self, x): self.x = x
    def __array__(self, dtype=None, copy=None): return np.asarray(self.x).__array__()
u = np.arange(5000.0) * 2
with h5py.File("x.h5", "w") as f:
    try:
        f["u"] = Holder(u)
    except RuntimeError as error:
        print(str(error)[:26])
    f["v"] = u
    print(f["v"].shape)
"""
    found = run(2, written(tmp_path, text), cwd=tmp_path)
    assert (found.returncode, found.stdout) == (0, "rank 0 alone does this (h5\n(5000,)\n"), found.stderr


@needs_mpi
def test_an_error_on_one_rank_in_an_open_file(tmp_path: Path) -> None:
    text = """import h5py, numpy as np
from mpi4py import MPI
with h5py.File("x.h5", "w") as f:
    f["u"] = np.arange(5000.0)
    if MPI.COMM_WORLD.rank == 1:
        raise ValueError("on one")
"""
    found = run(3, written(tmp_path, text), cwd=tmp_path)
    assert found.returncode != 0
    assert "ValueError: on one" in found.stderr


def test_keys_select_what_numpy_selects() -> None:
    x = np.arange(6 * 5 * 4).reshape(6, 5, 4)
    items: list[Any] = [0, -1, 3, slice(None), slice(1, 4), slice(-3, None), slice(0, 5, 2), slice(4, 2), np.int64(2)]
    keys: list[Any] = [*items, ..., (), (..., 1), (1, ...), (2, ..., slice(1, 3))]
    keys += [*itertools.product(items, items), *((a, ..., b) for a, b in itertools.product(items, items))]
    for key in keys:
        chosen = select(key, x.shape)
        assert chosen is not None
        expected = x[key]
        assert chosen.shape == expected.shape
        box = tuple((n // 3, n) for n in expected.shape)
        if expected.size:
            np.testing.assert_array_equal(x[chosen.part(box)], expected[tuple(slice(*r) for r in box)])


@pytest.mark.parametrize(
    "key", [6, -7, slice(None, None, -1), [0, 1], np.arange(3), (0, 0, 0, 0), (..., ...), None, True, "name", 1.0,
            np.ones(6, bool), slice(0, "a")],
)  # fmt: skip
def test_other_keys_are_left_to_the_package(key: Any) -> None:
    assert select(key, (6, 5, 4)) is None
