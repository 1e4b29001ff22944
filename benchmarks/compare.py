"""Whether a version of a program gives what NumPy gives."""

from __future__ import annotations

from typing import Any

import numpy as np


def difference(expected: list[Any], found: list[Any], *, kinds: bool, rtol: float = 1e-9) -> str | None:
    """The first way in which one outcome differs from NumPy's; None where they are equal.

    Parameters
    ----------
    expected, found : list
        As `catalog.Program.outcome` gives them.
    kinds : bool
        Whether Python numbers, NumPy scalars and arrays are told apart, and scalars' dtypes: what other libraries give
        in place of NumPy's scalars is not their mistake.
    rtol : float
        For float64, relative to the largest number of an array; a thousand eps and more for what is narrower.
    """
    if len(expected) != len(found):
        return f"{len(found)} results, not {len(expected)}"
    for number, (e, f) in enumerate(zip(expected, found, strict=True)):
        if kinds and type(e) is not type(f):
            return f"result {number} is a {type(f).__name__}, not a {type(e).__name__}"
        want, have = np.asarray(e), np.asarray(f)
        if want.shape != have.shape:
            return f"result {number} has shape {have.shape}, not {want.shape}"
        if want.dtype != have.dtype and (kinds or want.ndim):
            return f"result {number} has dtype {have.dtype}, not {want.dtype}"
        if want.dtype.kind not in "fc":
            if not np.array_equal(want, have):
                return f"result {number} differs in {np.count_nonzero(want != have)} of {want.size} elements"
            continue
        tolerance = max(rtol, 1e3 * float(np.finfo(want.dtype).eps))
        scale = float(np.max(np.abs(want), initial=0.0, where=np.isfinite(want)))
        if not np.allclose(have, want, rtol=tolerance, atol=tolerance * scale, equal_nan=True):
            worst = float(np.nanmax(np.abs(have - want)))
            return f"result {number} is off by up to {worst:.2g} (its largest element is {scale:.2g})"
    return None
