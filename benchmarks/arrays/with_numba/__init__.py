"""The programs written by hand for Numba: loops over elements; files named as in `programs`.

`run` is compiled for one thread, `run_parallel` for all. What changes in place does here too.
"""

from __future__ import annotations
