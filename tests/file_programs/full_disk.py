"""Files that are too large for the disk."""

from __future__ import annotations

import resource
import signal
from typing import Any

import h5py
import numpy as np
import zarr

x: Any = np.random.default_rng(1).random((400, 900))
with h5py.File("x.h5", "w") as f:
    f["x"] = x
zarr.save("x.zarr", x)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
f = h5py.File("y.h5", "w")
try:
    f["x"] = x
except OSError as error:
    print("h5py", type(error).__name__, "File too large" in str(error))
print("x" in f)
f.close()
try:
    zarr.save("y.zarr", x)
except OSError as error:
    print("zarr", type(error).__name__, error.strerror)
loaded: Any = zarr.load("x.zarr")
print(bool((h5py.File("x.h5")["x"][...] == x).all()), bool((loaded == x).all()))
