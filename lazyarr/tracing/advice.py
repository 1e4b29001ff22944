"""What to write instead of what keeps a function from becoming one program: one table, by the reason's words."""

from __future__ import annotations

import re

_OUTSIDE = "return the array, and convert it outside the function"
_SHAPE = "data decides a shape: where the result allows it, use np.where(mask, a, b), or np.sum(x, where=mask)"

#: (pattern of the reason, what to do), the first match counts. Reasons nothing helps against in general are left out.
_ADVICE = (
    (r"^a NumPy array that is neither an argument", "pass it as an argument"),
    (r"random|a (Generator|RandomState),", "draw the numbers outside, and pass the array as an argument"),
    (r"^a branch on data", "the branch runs in Python: np.where(condition, a, b) chooses without looking, where both "
     "sides may be computed"),
    (r"^data used as an index or a shape|^a length|^positions that decide a shape|^an index$|^bounds of ",
     "pass the number as a Python int, or keep it an array where it only picks elements (np.take, u[i])"),
    (r"^a boolean mask read by index|data decides the result's shape|^numpy\.bincount: ", _SHAPE),
    (r"^(float|int|complex|round|bytes)\(\)|^(item|tolist|tobytes)\(\)|^math\.trunc|^numpy\.asarray", _OUTSIDE),
    (r"^(repr|str|format|pickling)$|^calls print\(\)", "print what the function returns, outside it"),
    (r"a long Python loop", "call it in chunks, or raise lazyarr.configure(unroll_limit=...)"),
    (r"^an error that the function itself may handle", "test the condition outside the function, or drop the try"),
    (r"^assigns to a global|^sets ", "return the value, and assign it outside the function"),
    (r"cannot look into", "pass the arrays and numbers in it as arguments, or in a list, dict or dataclass"),
    (r"a subclass of numpy\.ndarray", "pass plain arrays; of a masked array its data and its mask"),
    (r"shares? memory ", "pass a copy of one of them"),
    (r"^returns a ", "return arrays, numbers, and tuples, lists, dicts or dataclasses of them"),
    (r"^a Python value that decides the program differs", "make the value an array argument, or call with few of its "
     "values"),
)  # fmt: skip


def advice(why: str) -> str:
    """What to do about a reason; empty where nothing helps in general."""
    return next((what for pattern, what in _ADVICE if re.search(pattern, why)), "")
