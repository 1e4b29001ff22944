"""What to write instead of what keeps a function from becoming one program: one table, by the reason's words."""

from __future__ import annotations

import re

_OUTSIDE = "return the array, and convert it outside the function"
_SHAPE = "data decides a shape: where the result allows it, use np.where(mask, a, b), or np.sum(x, where=mask)"

#: (pattern of the reason, what to do), the first match counts. Reasons nothing helps against in general are left out.
_ADVICE = (
    (r"^a NumPy array that is neither an argument", "pass it as an argument"),
    (r"random|a (Generator|RandomState),", "draw the numbers outside, and pass the array as an argument"),
    (r"^a branch on data|^a loop that ends when data says so", "the branch runs in Python: see its own reason above, "
     "or use np.where(condition, a, b), which chooses without looking"),
    (r"changes a (list|global)", "write into an array made before the loop (out[i] = ...), and count how many elements "
     "are used"),
    (r"^assigns to a global|assigns to a global or an enclosing variable$", "return the value, and assign it outside "
     "the function"),
    (r"may be changed unseen", "pass its numbers as arrays, and keep the object outside the function"),
    (r"is of another type or shape in each branch|is assigned in one branch only|changes its type or shape in the loop|"
     r"begins as another type of number|is a NumPy scalar by now", "give the variable one type and shape from the "
     "start: 0.0 for a float, np.zeros(...) for an array"),
    (r"bound anew|memory depends on a branch or a loop|becomes a view of an array that the loop changes",
     "write into the array (a[...] = b) instead of giving its name to another, or work on a copy"),
    (r"fits? 64 bits|exact float$", "Python's integers have no limit: use floats, or np.int64, which wraps around"),
    (r"^a long loop that is not compiled within", "see the reason of that loop, and change what keeps it in Python"),
    (r"needs to know a (number|length)|^a computed number (is hashed|meets|is used)", "the operation needs a number "
     "that Python knows: use arrays (a[i, j]) instead of lists and dicts"),
    (r"^data used as an index or a shape|^a length|^positions that decide a shape|^an index$|^bounds of ",
     "pass the number as a Python int, or keep it an array where it only picks elements (np.take, u[i])"),
    (r"^a boolean mask read by index|data decides the result's shape|^numpy\.bincount: ", _SHAPE),
    (r"^(float|int|complex|round|bytes)\(\)|^(item|tolist|tobytes)\(\)|^math\.trunc|^numpy\.asarray", _OUTSIDE),
    (r"^(repr|str|format|pickling)$|^calls print\(\)", "print what the function returns, outside it"),
    (r"a long Python loop", "call it in chunks, or raise lazyarr.configure(unroll_limit=...)"),
    (r"^an error that the function itself may handle", "test the condition outside the function, or drop the try"),
    (r"^sets ", "return the value, and assign it outside the function"),
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
