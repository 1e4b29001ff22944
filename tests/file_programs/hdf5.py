"""An HDF5 file that is written, changed and read."""

from __future__ import annotations

import os
from typing import Any

import h5py
import numpy as np

from lazyarr import world
from lazyarr.files import parts

parts._PIECE = 3000  # several for each rank


def bytes_sent() -> int:
    together = world.current()
    return 0 if together is None or together.rank == 0 else together.communicator.counts["exchange bytes"]


rng = np.random.default_rng(1)
u: Any = rng.random((61, 50))
v: Any = (u * 100).astype(np.int32)
with h5py.File("o.h5", "w") as f:
    f["u"] = u * 2
    f.attrs["title"] = "test"
    f.attrs["n"] = v.max()
    g = f.create_group("a/b")
    d = g.create_dataset("v", data=v, chunks=True, compression="gzip")
    d.attrs["units"] = "m"
    d.attrs["small"] = u[0, :3]
    g["turned"] = u.T
    e = f.create_dataset("grown", shape=(10, 50), maxshape=(None, 50), dtype="f4")
    e.resize(200, axis=0)
    e[20:81] = u
    e[100:161, ::2] = u[:, ::2]
    written = bytes_sent()
    e[3] = 7
    e[5, 3:6] = [1, 2, 3]
    f["small"] = np.arange(5)
    f["scalar"] = 2.5
    f["text"] = "words"
    print(d.shape, d.dtype, d.chunks, d.compression, sorted(f.keys()), list(g), "u" in f, len(f), f["text"][()])
    print(f"{e[...].sum():.4f} {e[20:81, 3].sum():.4f} {d[5, 5]}")
    print(f["small"][[0, 2]], repr(f["small"]), f)
    f["copy"] = f["u"]
    print([k for k, _ in f.items()], f["a"].parent.name, type(f["u"]) is h5py.Dataset, isinstance(g, h5py.Group))
    del f["copy"]
    names: list[Any] = []
    f.visititems(lambda name, x: names.append((name, getattr(x, "shape", None))))
    print(names)
    wrong: list[Any] = [
        lambda: f["a/b"].create_dataset("v", data=v), lambda: f["none"], lambda: f.create_dataset("w", (3, 3), data=u),
        lambda: d.__setitem__(slice(0, 5), u), lambda: f.__setitem__("u", u), lambda: d[99],
    ]  # fmt: skip
    for make in wrong:
        try:
            make()
        except (OSError, KeyError, TypeError, ValueError, IndexError) as error:
            print(type(error).__name__, error)
f = h5py.File("o.h5", "r")
w: Any = f["u"][...]
print(f"{w.sum():.8f} {(w - 2 * u).max():.3f}", np.array_equal(f["a/b/v"][:], v), f["a/b/turned"].shape)
t: Any = np.asarray(f["a/b/turned"])
print(f"{abs(t - u.T).max():.2f} {f['u'][10:60:3, 2:].sum():.8f} {f['u'][:, 7].sum():.8f} {np.mean(f['u']):.8f}")
print(f["u"][3].sum().round(8), f["u"][-1, 0].round(8))
print(dict(f["a/b/v"].attrs), f.attrs["title"], f["u"][np.arange(61) % 2 == 0].shape, f["scalar"][()])
f.close()
print(bool(f))
for path, mode in (("none.h5", "r"), ("no/dir.h5", "w"), ("o.h5", "x")):
    try:
        h5py.File(path, mode)
    except OSError as error:
        print(type(error).__name__, error)
with h5py.File("o.h5", "a") as f:
    f["u"][0:30] = u[31:]
    f["more"] = f["u"][...] + 1
    r = f["u"].ref
    print(f[r].name, f["more"][5:, 3].shape, f"{f['more'][...].sum():.6f}")
if world.current() is not None:
    # Nothing is gathered: nobody has more than a part, or has sent more than its parts (of five arrays) to rank 0.
    few = w.local.array.shape[0] <= 31 and t.local.array.shape[0] <= 25
    os.write(2, f"{few and written <= 5 * 31 * 50 * 8}\n".encode())
