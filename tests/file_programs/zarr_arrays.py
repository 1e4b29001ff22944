"""Zarr arrays that are written, changed and read."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import zarr

from lazyarr import world

rng = np.random.default_rng(1)
u: Any = rng.random((61, 50))
v: Any = (u * 100).astype(np.int32)
z: Any = zarr.open("z/a.zarr", mode="w", shape=(80, 50), chunks=(7, 20), dtype="f4")
z[3:64] = u
z[64:] = 5
z[70:75, 3] = np.arange(5)
z.attrs["units"] = "m"
print(z.shape, z.dtype, z.chunks, dict(z.attrs))
print(f"{np.asarray(z).sum():.3f} {z[3:64, ::2].sum():.3f} {z[70:75, 3]}")
zarr.save("z/s.zarr", u)
zarr.save("z/g.zarr", u, v, w=u.T, small=np.arange(3))
g: Any = zarr.open("z/g.zarr")
print(sorted(g.array_keys()), g["w"].shape, f"{abs(g['w'][:] - u.T).max():.2f}", g["arr_1"][3, 4], g["small"][:])
loaded: Any = zarr.load("z/s.zarr")
print(f"{abs(loaded - u).max():.2f}")
root: Any = zarr.open_group("z/h.zarr", mode="w")
sub: Any = root.create_group("a/b")
d: Any = sub.create_array("x", shape=(61, 50), chunks=(10, 50), shards=(20, 50), dtype="i4")
d[:] = v
d[60:] = 1
e: Any = root.create_array("y", data=u, chunks=(16, 16))
root.attrs.update({"n": 3, "t": "text"})
zz: Any = zarr.zeros((61, 50), chunks=(10, 10), store="z/zz.zarr")
zz[1:, 5:] = u[1:, 5:]
zz[::3] = u[::3]
zz.append(u)
print(zz.shape, f"{zz[:].sum():.5f} {e[...].sum():.5f}", d[:].sum(), d[60, :2], isinstance(d, zarr.Array))
print(root["a"], dict(root.attrs))
print([n for n, _ in root.arrays()], sorted(k for k in root), "y" in root)
c: Any = zarr.create_array("z/c.zarr", data=v, chunks=(20, 50))
print(c[...].dtype, c[5:9, 3], np.mean(c).round(6), type(c[3, 3]).__name__ != "")
m: Any = zarr.array(u)
print(f"{m[:].sum():.6f}", m.oindex[[1, 2], :3].shape, m.nbytes)
old: Any = zarr.create_array("z/v2.zarr", shape=(61, 50), dtype="f8", chunks=(30, 30), zarr_format=2)
old[...] = u
again: Any = zarr.open("z/v2.zarr", mode="r")
print(f"{again[...].sum():.6f}")
wrong: list[Any] = [
    lambda: zarr.open("z/none", mode="r"), lambda: z[99], lambda: root["none"],
    lambda: zarr.create_array("z/c.zarr", data=v), lambda: z.append(u[:, :3]),
]  # fmt: skip
for make in wrong:
    try:
        make()
    except (OSError, KeyError, ValueError, IndexError) as error:
        print(type(error).__name__, str(error)[:70])
if world.current() is not None:
    found: Any = c[...]
    os.write(2, f"{found.local.array.shape[0] <= 31}\n".encode())
