"""One textbook program a file: `make(size)` gives the arguments of `run`, `SIZES` the sizes.

``CHANGED`` are the positions of the arguments that `run` changes in place (none where it is missing). The same programs
written by hand for jax and for Numba are in the folders beside this one, under the same names.
"""

from __future__ import annotations
