"""NumPy's `numpy.linalg` over lazy arrays.

Most functions are NumPy's own Python definitions, run over lazy arrays. Below them stand NumPy's generalized ufuncs;
each has a lazy counterpart here, and with it NumPy's dtypes (it computes in double precision whatever the operands
are). What LAPACK refuses at run time (a singular matrix) becomes a check.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.linalg import _linalg as _typed
from numpy.linalg import _umath_linalg

from lazyarr import memory_order
from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy, cast
from lazyarr.dispatch import UFUNCS, NotCompiled, implements
from lazyarr.fallback import run_in_numpy
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.numpy._submodule import fill
from lazyarr.numpy._through import SUBSTITUTES, rebound, through_names
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.runtime import add_check, record, record_all

#: NumPy's module, whose helpers have no types.
_linalg: Any = _typed


def _check_all(ok: Value, message: str) -> None:
    """Raise ``LinAlgError`` unless `ok` holds for every matrix."""
    if ok.type.shape:
        ok = record(OPS["reduce"], ok, kind="logical_and", axes=tuple(range(ok.type.ndim)))
    add_check(ok, "LinAlgError", message)


def _array(value: Value, strides: tuple[int, ...] | None = None) -> LazyArray:
    return LazyArray._new(value, strides, scalar=value.type.shape == ())


class LinalgUfunc:
    """The lazy counterpart of one of NumPy's generalized ufuncs of linear algebra.

    Parameters
    ----------
    name : str
        Its name in ``numpy.linalg._umath_linalg``.
    op : str
        The operation that it is.
    message : str, optional
        What NumPy raises where LAPACK fails; the operation's last result then says where.
    **attrs
        Attributes of the operation.
    """

    def __init__(self, name: str, op: str, message: str | None = None, **attrs: Any):
        self.numpy: np.ufunc = getattr(_umath_linalg, name)
        self._op = OPS[op]
        self._message = message
        self._attrs = attrs
        self.__name__ = name
        #: How many axes of each operand, and of each result, are no stack.
        self._cores = [[len(re.findall(r"\w+", term)) for term in re.findall(r"\(([^)]*)\)", side)]
                       for side in str(self.numpy.signature).split("->")]  # fmt: skip

    def __call__(self, *args: Any, signature: str | None = None, **kwargs: Any) -> Any:
        """Apply to matrices in the last two axes, in the loop `signature` names (``dd->d``)."""
        if signature is None or kwargs:
            kwargs = kwargs if signature is None else {"signature": signature, **kwargs}
            return run_in_numpy(self.numpy, args, kwargs, f"{self.__name__} is not compiled")
        inputs = signature.partition("->")[0]
        operands = [cast(as_lazy(x)._value(), np.dtype(c)) for x, c in zip(args, inputs, strict=True)]
        values = record_all(self._op, *operands, **self._attrs)
        found = values if self._message is None else values[:-1]
        results = [_array(value, strides) for value, strides in zip(found, self._strides(args, found), strict=True)]
        # The results are held before the check is tested, so that one run computes both.
        if self._message is not None:
            _check_all(values[-1], self._message)
        return results[0] if len(results) == 1 else tuple(results)


    def _strides(self, args: Any, values: Any) -> list[tuple[int, ...] | None]:
        """NumPy's strides of the results; None for C order."""
        given = [(a, n) for a, n in zip(map(as_lazy, args), self._cores[0], strict=True) if a.ndim > n + 1]
        stacks = [(a.shape[: a.ndim - n], a.strides[: a.ndim - n]) for a, n in given]
        if not stacks:
            return [None] * len(values)
        types = [value.type for value in values]
        return [memory_order.looped(stacks, t.shape, core, t.dtype.itemsize) if t.ndim > core else None
                for t, core in zip(types, self._cores[1], strict=True)]  # fmt: skip


_SINGULAR = "Singular matrix"
_EIGENVALUES = "Eigenvalues did not converge"
_SVD = "SVD did not converge"
_DEFINITE = "Matrix is not positive definite"
_LEAST_SQUARES = "SVD did not converge in Linear Least Squares"
#: Generalized ufunc -> operation, message, attributes. In NumPy 2.0 some are two, for tall and for wide matrices.
_GUFUNCS: dict[str, tuple[str, str | None, dict[str, Any]]] = {
    "solve": ("solve", _SINGULAR, {}),
    "solve1": ("solve", _SINGULAR, {}),
    "inv": ("inv", _SINGULAR, {}),
    "cholesky_lo": ("cholesky", _DEFINITE, {"upper": False}),
    "cholesky_up": ("cholesky", _DEFINITE, {"upper": True}),
    "det": ("det", None, {}),
    "slogdet": ("slogdet", None, {}),
    **{name: ("svd", _SVD, {"full_matrices": True}) for name in ("svd_f", "svd_m_f", "svd_n_f")},
    **{name: ("svd", _SVD, {"full_matrices": False}) for name in ("svd_s", "svd_m_s", "svd_n_s")},
    **{name: ("svdvals", _SVD, {}) for name in ("svd", "svd_m", "svd_n")},
    "eigh_lo": ("eigh", _EIGENVALUES, {"uplo": "L"}),
    "eigh_up": ("eigh", _EIGENVALUES, {"uplo": "U"}),
    "eigvalsh_lo": ("eigvalsh", _EIGENVALUES, {"uplo": "L"}),
    "eigvalsh_up": ("eigvalsh", _EIGENVALUES, {"uplo": "U"}),
    "eig": ("eig", _EIGENVALUES, {}),
    "eigvals": ("eigvals", _EIGENVALUES, {}),
    **{name: ("lstsq", _LEAST_SQUARES, {}) for name in ("lstsq", "lstsq_m", "lstsq_n")},
}
for _name, (_op, _message, _attrs) in _GUFUNCS.items():
    if hasattr(_umath_linalg, _name):
        _gufunc = LinalgUfunc(_name, _op, _message, **_attrs)
        UFUNCS[_gufunc.numpy] = _gufunc


def _makearray(a: Any) -> tuple[LazyArray, Any]:
    """NumPy's helper: an array and what makes results of the caller's class; lazy arrays have one class."""
    return as_lazy(a), lambda result: result


def _assert_finite(*arrays: LazyArray) -> None:
    """NumPy's helper, as a check instead of a look at the data."""
    for a in arrays:
        finite = record(ELEMENTWISE["isfinite"], a._value()) if a.dtype.kind in "fc" else None
        if finite is not None:
            _check_all(finite, "Array must not contain infs or NaNs")


SUBSTITUTES[id(_linalg._makearray)] = _makearray
SUBSTITUTES[id(_linalg._assert_finite)] = _assert_finite
# Works on shapes, not on data.
SUBSTITUTES[id(_linalg._multi_dot_matrix_chain_order)] = _linalg._multi_dot_matrix_chain_order

through_names(
    np.linalg,
    "cholesky cross det diagonal eig eigh eigvals eigvalsh inv matmul matrix_norm matrix_power matrix_rank "
    "matrix_transpose multi_dot norm outer pinv slogdet solve svd svdvals tensordot tensorinv trace vecdot vector_norm",
)


def _float(a: LazyArray) -> tuple[Value, np.dtype[Any]]:
    """`a` in the dtype NumPy computes in, and the dtype of the result."""
    working, result = _linalg._commonType(a)
    return cast(a._value(), np.dtype(working)), np.dtype(result)


def _as(value: Value, dtype: np.dtype[Any]) -> LazyArray:
    return _array(cast(value, dtype))


@implements(np.linalg.qr)
def _qr(a: Any, mode: str = "reduced") -> Any:
    """As `numpy.linalg.qr`."""
    if mode not in ("reduced", "complete", "r", "raw"):
        if mode in ("f", "full", "e", "economic"):
            raise NotCompiled(f"the deprecated mode {mode!r}")
        raise ValueError(f"Unrecognized mode '{mode}'")
    x = as_lazy(a)
    _linalg._assert_stacked_2d(x)
    working, dtype = _float(x)
    values = record_all(OPS["qr"], working, mode=mode)
    # NumPy factors a copy, and loops over its stack for Q; R is what `triu` makes of it.
    copied, stack = x._copy_strides("K", working.type.dtype.itemsize), x.ndim - 2
    if mode == "r":
        return _triangle(values[0], copied, dtype)
    if mode == "raw":
        # NumPy returns a transposed view of the factored matrices, its copy.
        tau = values[1].type
        turned = (*copied[:stack], copied[-1], copied[-2])
        reflected = memory_order.looped([(x.shape[:stack], copied[:stack])], tau.shape, 1, tau.dtype.itemsize)
        return _laid_out(values[0], turned, dtype), _laid_out(values[1], reflected, dtype)
    q = cast(values[0], dtype)
    looped = memory_order.looped([(x.shape[:stack], copied[:stack])], q.type.shape, 2, dtype.itemsize)
    return _linalg.QRResult(_array(q, looped), _triangle(values[1], copied, dtype))


def _laid_out(value: Value, strides: tuple[int, ...], dtype: np.dtype[Any]) -> LazyArray:
    """A result that NumPy has in an array of the given strides, as ``astype(dtype, copy=False)`` gives it."""
    width = value.type.dtype.itemsize
    if value.type.dtype != dtype:
        strides = geometry.keep_order_copy(value.type.shape, strides, width, dtype.itemsize)
    return LazyArray._new(cast(value, dtype), strides)


def _triangle(value: Value, strides: tuple[int, ...], dtype: np.dtype[Any]) -> LazyArray:
    """An upper triangle, laid out as ``triu`` lays it out of an array of the given strides."""
    shape = value.type.shape
    mask = (shape[-2:], geometry.contiguous(shape[-2:], 1))
    return _array(cast(value, dtype), geometry.keep_order([mask, (shape, strides)], shape, dtype.itemsize))


@implements(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    """As `numpy.linalg.cond`, without a look at the data."""
    a = as_lazy(x)
    if a.size == 0 and 0 in a.shape[-2:]:
        raise _linalg.LinAlgError("cond is not defined on empty arrays")
    svd, norm = rebound(np.linalg.svd), rebound(np.linalg.norm)
    if p is None or p in (2, -2):
        s = svd(a, compute_uv=False)
        ratio = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    else:
        _linalg._assert_stacked_square(a)
        working, dtype = _float(a)
        # Unlike `inv`, no error where the matrix is singular: the condition is infinite there.
        inverse = _array(record_all(OPS["inv"], working)[0])
        ratio = norm(a, p, axis=(-2, -1)) * norm(inverse, p, axis=(-2, -1))
        ratio = ratio.astype(np.dtype(_linalg._realType(dtype.type)), copy=False)
    unknown = UFUNCS[np.isnan](ratio) & ~UFUNCS[np.isnan](a).any(axis=(-2, -1))
    chosen = record(
        OPS["select"], unknown._value(), _constant(np.inf, ratio.dtype, ratio.shape), ratio._value()
    )
    return _array(chosen)


def _constant(value: float, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Value:
    from lazyarr.ops.create import full

    return full(shape, value, dtype)


@implements(np.linalg.tensorsolve)
def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """As `numpy.linalg.tensorsolve`."""
    x, y = as_lazy(a), as_lazy(b)
    if axes is not None:
        order = list(range(x.ndim))
        for axis in axes:
            order.remove(axis)
            order.insert(x.ndim, axis)
        x = x.transpose(order)
    shape = x.shape[-(x.ndim - y.ndim) :]
    n = int(np.prod(shape, dtype=np.int64))
    if x.size != n**2:
        raise _linalg.LinAlgError(
            "Input arrays must satisfy the requirement             prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim])"
        )
    return rebound(np.linalg.solve)(x.reshape(n, n), y.ravel()).reshape(shape)


fill(globals(), "linalg")
