"""Linear systems and Cholesky factors of a matrix whose rows are split, a panel of columns at a time.

Right-looking: a panel is factorized, and what it does to the columns after it is subtracted there, by each position in
its own rows (Golub and Van Loan, Matrix Computations, 4th edition, sections 3.2.11 and 4.2.9; partial pivoting as in
LAPACK's getrf, but that rows stay where they are and are taken in the order of the pivots). Every position has
all of a panel, never all of the matrix, and factorizes it itself: all find the same pivots, and where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from lazyarr.ir.layout import Ranges

Array = np.ndarray[Any, Any]
#: Gives what each position has sent to this one, of one vector for each.
AllToAll = Callable[[Sequence[Array]], list[Array]]

#: Columns of a panel: its factorization takes n * 48 ** 2 operations on every position.
_PANEL = 48


def _from_all(rows: Array, exchange: AllToAll, count: int) -> Array:
    """The rows of all positions, in their order."""
    found = np.concatenate(exchange([np.ascontiguousarray(rows).reshape(-1)] * count))
    return found.reshape(-1, *rows.shape[1:])


def sent(n: int, right: int | None, have: Ranges, at: int, pivoting: bool) -> tuple[int, int]:
    """Messages, and elements in all, that a position sends for `right` right-hand sides, or for a Cholesky factor.

    Without right-hand sides (None) for a determinant, or a factor.

    (Of a system the data decides whose rows are pivots; these are those of rows that are pivots in their order.)
    """
    others, elements, rounds = len(have) - 1, 0, 0
    for begin in range(0, n, _PANEL):
        end = min(begin + _PANEL, n)
        width, (first, stop) = end - begin, have[at]
        inside = max(0, min(stop, end) - max(first, begin))
        below = max(0, stop - max(first, end))
        elements += (inside + below) * width
        if pivoting:
            elements += inside * (n - end + (right or 0))
        if right is not None:
            elements += inside * (width + right)
        # (Nothing stands beside a determinant's last panel.)
        rounds += 3 if right is not None else 1 if pivoting and end == n else 2
    return rounds * others, elements * others


class Costs(Protocol):
    """What it is decided by (`lazyarr.cost_model.CostModel`)."""

    def sent(self, messages: float, nbytes: float) -> float:
        """Seconds of messages of so many bytes together."""

    def worked(self, flops: float, product_flops: float, nbytes: float) -> float:
        """Seconds of arithmetic, of matrix products, and of moving bytes through memory: the longest of them."""


#: Seconds of the NumPy calls for one column of a panel, as measured; how often a panel's update of the columns after it
#: goes through these in memory.
_COLUMN, _PASSES = 2e-5, 6
#: A matrix of more bytes is never gathered.
_MOST_GATHERED = 1 << 28


def is_worth_it(n: int, right: int | None, itemsize: int, have: Ranges, pivoting: bool, costs: Costs) -> bool:
    """Whether a system, or a factorization, takes less time in parts than LAPACK does on all of the matrix, gathered.

    Parameters
    ----------
    n, right : int
        Rows, and right-hand sides; None of a determinant or a Cholesky factor.
    itemsize : int
        Bytes of an element.
    have : Ranges
        Which rows each position has.
    pivoting : bool
        Whether it is a system or a determinant; a Cholesky factor otherwise.
    costs : Costs
    """
    count, columns = len(have), right or 0
    if n * n * itemsize > _MOST_GATHERED or count == 1:
        return True
    lapack = n**3 * (2 / 3 if pivoting else 1 / 3) + 2 * n * n * columns
    gathered = costs.sent(count - 1, n * (n + columns) * itemsize * (count - 1) / count) + costs.worked(0, lapack, 0)
    # (The last ones to have pivots have their rows updated by all panels.)
    messages, elements = (max(column) for column in zip(*(sent(n, right, have, at, pivoting) for at in (0, count - 1)),
                                                        strict=True))  # fmt: skip
    traffic = _PASSES * n**3 / (3 * _PANEL * count) * itemsize
    panels, calls = (3 / 4 * n * n * _PANEL * itemsize, n * _COLUMN) if pivoting else (0.0, 0.0)
    parts = costs.sent(messages, elements * itemsize) + costs.worked(0, (n**3 + 2 * n * n * columns) / count, 0)
    return parts + costs.worked(0, 0, traffic + panels) + calls < gathered


def _factorized(panel: Array) -> tuple[Array, Array, bool]:
    """A panel's factors in its place, the rows that are pivots, in their order, and whether none of these is zero."""
    width = panel.shape[1]
    rows = np.arange(len(panel))
    for k in range(width):
        best = k + int(np.argmax(np.abs(panel[k:, k])))
        if best != k:
            panel[[k, best]], rows[[k, best]] = panel[[best, k]], rows[[best, k]]
        if panel[k, k] == 0:
            return panel, rows, False
        panel[k + 1 :, k] /= panel[k, k]
        panel[k + 1 :, k + 1 :] -= np.outer(panel[k + 1 :, k], panel[k, k + 1 :])
    return panel, rows, True


def solve(a: Array, b: Array, exchange: AllToAll, at: int, have: Ranges) -> tuple[Array, bool]:
    """What a position has of the solution of ``a @ x = b``.

    Parameters
    ----------
    a, b : ndarray, shapes (m, n) and (m, k)
        The rows that it has; they are changed.
    exchange : callable
        ``exchange(arrays) -> arrays``: one vector to each position, one from each.
    at : int
    have : Ranges
        Which rows each position has, and gets of the solution.

    Returns
    -------
    ndarray, shape (m, k)
    bool
        False if the matrix is singular: the solution is then NaN. Alike on all positions.
    """
    with np.errstate(all="ignore"):
        panels = _eliminated(a, b, exchange, at, have)
        if panels is None:
            return np.full_like(b, np.nan), False
        return _substituted(a, b, exchange, len(have), have[at], [panel[:3] for panel in panels]), True


def determinant(a: Array, exchange: AllToAll, at: int, have: Ranges) -> tuple[Any, Any]:
    """The sign of a determinant and the logarithm of its absolute value, alike on all positions.

    Parameters
    ----------
    a : ndarray, shape (m, n)
        The rows that a position has; they are changed.
    exchange, at, have
        As of `solve`.
    """
    with np.errstate(all="ignore"):
        panels = _eliminated(a, a[:, :0], exchange, at, have)
        if panels is None:
            return a.dtype.type(0), abs(a).dtype.type(-np.inf)
        diagonal = np.concatenate([np.zeros(0, a.dtype), *(panel[3] for panel in panels)])
        order = np.concatenate([np.zeros(0, np.int64), *(panel[2] for panel in panels)])
        sign = np.prod(diagonal / abs(diagonal)) * (-1) ** _swaps(order)
        return a.dtype.type(sign), np.log(abs(diagonal)).sum()


def _swaps(order: Array) -> int:
    """Whether a permutation takes an odd number of swaps: 1 or 0."""
    found, seen = 0, np.zeros(len(order), bool)
    for start in range(len(order)):
        at = start
        while not seen[at]:
            seen[at] = True
            at = int(order[at])
            found += at != start
    return found % 2


#: A panel's columns, the rows that are its pivots, and these pivots.
_Panel = tuple[int, int, Array, Array]


def _eliminated(a: Array, b: Array, exchange: AllToAll, at: int, have: Ranges) -> list[_Panel] | None:
    """The panels of an elimination, in the place of the rows that a position has; None if the matrix is singular."""
    n, count = a.shape[1], len(have)
    first, stop = have[at]
    left = np.arange(n)  # the rows that are no pivots yet, on all positions
    panels: list[_Panel] = []
    for begin in range(0, n, _PANEL):
        end = min(begin + _PANEL, n)
        mine = left[(left >= first) & (left < stop)] - first
        panel, order, regular = _factorized(_from_all(a[mine, begin:end], exchange, count))
        if not regular:
            return None
        pivots, rest = left[order[: end - begin]], left[order[end - begin :]]
        panels.append((begin, end, pivots, panel.diagonal()))
        if end == n and not b.shape[1]:
            break  # nothing stands beside the last panel
        # The pivots' rows come from their owners in ascending order, and are put in that of the pivots.
        own = np.sort(pivots[(pivots >= first) & (pivots < stop)])
        both = np.concatenate([a[own - first, end:], b[own - first]], axis=1)
        given = _from_all(both, exchange, count)[np.argsort(np.argsort(pivots))]
        lower = np.tril(panel[: end - begin], -1) + np.eye(end - begin, dtype=a.dtype)
        upper = np.linalg.solve(lower, given)
        here = (rest >= first) & (rest < stop)
        factors = panel[end - begin :][here]
        a[rest[here] - first, end:] -= factors @ upper[:, : n - end]
        b[rest[here] - first] -= factors @ upper[:, n - end :]
        kept = np.flatnonzero((pivots >= first) & (pivots < stop))
        held = pivots[kept] - first
        a[held, begin:end] = np.triu(panel[: end - begin])[kept]
        a[held, end:], b[held] = upper[kept, : n - end], upper[kept, n - end :]
        left = np.sort(rest)
    return panels


def _substituted(
    a: Array, b: Array, exchange: AllToAll, count: int, place: tuple[int, int], panels: list[tuple[int, int, Array]]
) -> Array:
    """The solution of the triangular system that is left, from its last rows up."""
    first, stop = place
    x = np.empty_like(b)
    solved = np.zeros(len(b), bool)
    for begin, end, pivots in reversed(panels):
        own = np.sort(pivots[(pivots >= first) & (pivots < stop)]) - first
        both = np.concatenate([a[own, begin:end], b[own]], axis=1)
        given = _from_all(both, exchange, count)[np.argsort(np.argsort(pivots))]
        part = np.linalg.solve(np.triu(given[:, : end - begin]), given[:, end - begin :])
        solved[own] = True
        b[~solved] -= a[~solved, begin:end] @ part
        low, high = max(begin, first), min(end, stop)
        if low < high:
            x[low - first : high - first] = part[low - begin : high - begin]
    return x


def cholesky(a: Array, exchange: AllToAll, at: int, have: Ranges) -> tuple[Array, bool]:
    """The rows that a position has of the lower Cholesky factor of a matrix, and whether it is positive definite.

    Parameters
    ----------
    a : ndarray, shape (m, n)
        The rows that it has; they are changed. Only the lower triangle is read.
    exchange, at, have
        As of `solve`.
    """
    n, count = a.shape[1], len(have)
    first, stop = have[at]
    rows = np.arange(first, stop)
    for begin in range(0, n, _PANEL):
        end = min(begin + _PANEL, n)
        block = _from_all(a[(rows >= begin) & (rows < end), begin:end], exchange, count)
        try:
            lower = np.linalg.cholesky(block)
        except np.linalg.LinAlgError:
            return np.full_like(a, np.nan), False
        inside = (rows >= begin) & (rows < end)
        a[inside, begin:end], a[inside, end:] = lower[rows[inside] - begin], 0
        below = rows >= end
        factors = np.linalg.solve(lower, a[below, begin:end].mT.conj()).mT.conj()
        a[below, begin:end] = factors
        everything = _from_all(factors, exchange, count)
        # (Of rows up to this position's last one: beyond the diagonal nothing is read.)
        a[below, end:stop] -= factors @ everything[: max(stop - end, 0)].mT.conj()
    return a, True
