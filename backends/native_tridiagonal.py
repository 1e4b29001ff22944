"""A tridiagonal system, solved by the LAPACK that NumPy was linked with."""

from __future__ import annotations

import numpy as np

from lazyarr.backends import native_blas, native_linked
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_lapack import by_columns, number, transposed
from lazyarr.backends.native_storage import Scalar, Storage
from lazyarr.ir.node import Node
from lazyarr.ops.tridiagonal import LETTERS


def tridiagonal(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """What `gtsv` leaves in diagonals and right-hand sides, and what it says; None where SciPy has to do it."""
    routine = f"{LETTERS[given[1].dtype]}gtsv_"
    found = native_linked.linked("numpy.linalg._umath_linalg", routine, "64_")
    if found is None:
        return None
    name, integer = found
    b = given[3]
    diagonals = [frame.materialize(x) for x in given[:3]]
    # (One column is in memory as its row would be.)
    is_column = b.shape[1] == 1
    x = frame.materialize(b) if is_column else by_columns(frame, b)
    code = frame.code
    n, columns, info = number(code, integer, b.shape[0]), number(code, integer, b.shape[1]), code.alloca(integer)
    below, middle, above, right = (native_blas.address(code, part) for part in (*diagonals, x))
    code.module.declare(name, f"declare void @{name}(ptr, ptr, ptr, ptr, ptr, ptr, ptr, ptr) nounwind")
    code.do(f"call void @{name}(ptr {n}, ptr {columns}, ptr {below}, ptr {middle}, ptr {above}, ptr {right}, "
            f"ptr {n}, ptr {info})")  # fmt: skip
    said = code.emit(f"load {integer}, ptr {info}")
    wide = said if integer == "i64" else code.emit(f"sext {integer} {said} to i64")
    return [*diagonals, x if is_column else transposed(code, x), Scalar(np.dtype(np.int64), (wide,))]
