"""The programs written by hand for Numba, as one who knows Numba well would write them; files named as in `programs`.

The algorithm is the program's, in loops over elements. `run` is compiled for one thread, `run_parallel`
for all, where there is something to do side by side.
"""

from __future__ import annotations
