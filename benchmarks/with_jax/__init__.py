"""The programs written by hand for jax, as one who knows jax well would write them; files named as in `programs`.

The algorithm is the program's; its loops and branches are written as jax wants them.
`run` is compiled. Nothing is changed in place: it returns the arguments that the NumPy program changes, in order, and
then what that returns.
"""

from __future__ import annotations
