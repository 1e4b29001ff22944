"""Programs that jax wants written in another way than NumPy, as they change arrays; files named as in `programs`.

`run` is compiled, and returns the arguments that the NumPy program changes, in order, and then what that returns.
"""

from __future__ import annotations
