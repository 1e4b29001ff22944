"""HDF5 and Zarr on several ranks: `h5py` and `zarr` as scripts see them that ``lazyarr run`` starts.

Rank 0 has the files. What is asked of an object of theirs all ranks ask, rank 0 does it and tells the others
(`remote`); large arrays are read and written in parts (`parts`), directly by every rank where that is safe. The modules
`lazyarr.files.h5py` and `lazyarr.files.zarr` stand for the packages; one rank alone is rank 0.
"""

from __future__ import annotations
