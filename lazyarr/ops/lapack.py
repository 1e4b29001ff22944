"""Factorizations and solvers of LAPACK, on matrices in the last two axes.

Operands are float32, float64, complex64 or complex128. An operation never raises: where NumPy would raise
``LinAlgError`` for a matrix, the last result, `ok`, is False for it and its other results are NaN. `ok` has the leading
("batch") axes, so that every result keeps a partition of those; whoever records the operation makes a check of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.access import WHOLE, Along, OperandAccess
from lazyarr.ir.extents import Extent, Shape
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, NAMES, ArrayType
from lazyarr.ops import across, order, xla_lapack
from lazyarr.ops.linalg import batch_access

#: The dtypes LAPACK computes in.
LAPACK_DTYPES = tuple(DTYPES[name] for name in ("f32", "f64", "c64", "c128"))


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a norm of values of `dtype`."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def complex_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The complex dtype of `dtype`'s precision."""
    return dtype if dtype.kind == "c" else np.dtype(f"c{2 * dtype.itemsize}")


def _matrix(name: str, a: ArrayType, square: bool = False) -> tuple[Shape, Extent, Extent]:
    """Leading axes, rows and columns of a matrix operand."""
    if a.weak or a.dtype not in LAPACK_DTYPES:
        raise TypeError(f"{name} takes {', '.join(NAMES[d] for d in LAPACK_DTYPES)} in the IR, got {a}; cast first")
    if a.ndim < 2:
        raise ValueError(f"{a.ndim}-dimensional array given. Array must be at least two-dimensional")
    *batch, rows, columns = a.shape
    if square and rows != columns:
        raise ValueError("Last 2 dimensions of the array must be square")
    return tuple(batch), rows, columns


def least(m: Extent, n: Extent) -> Extent:
    """The smaller of two extents.

    Raises
    ------
    TypeError
        If they are symbolic and unequal: which is smaller is then not known.
    """
    if m is n or m == n:
        return m
    if isinstance(m, int) and isinstance(n, int):
        return min(m, n)
    raise TypeError(f"a factorization of a {extents.show(m)} x {extents.show(n)} matrix needs extents that are known")


def _weight(dtype: np.dtype[Any]) -> int:
    """Real operations of one operation on `dtype`."""
    return 4 if dtype.kind == "c" else 1


def _ok(batch: Shape) -> ArrayType:
    return ArrayType(DTYPES["bool"], batch)


def _bytes(types: Types, results: ArrayType | Types) -> Extent:
    return sum((t.nbytes for t in (*types, *((results,) if isinstance(results, ArrayType) else results))), 0)


def _reference(infer: Callable[..., Types], function: Callable[..., Any]) -> Callable[..., Any]:
    """Evaluation by NumPy's `function`: where that raises, matrix by matrix, with `ok` False for those that fail."""

    def one(arrays: tuple[Any, ...], attrs: dict[str, Any], types: Types) -> tuple[Any, ...]:
        try:
            results = function(*arrays, **attrs)
        except np.linalg.LinAlgError:
            filled = [np.full(t.shape, np.nan if t.dtype.kind in "fc" else 0, t.dtype) for t in types[:-1]]
            return (*filled, np.zeros(types[-1].shape, np.bool_))
        return (*(results if isinstance(results, tuple) else (results,)), np.ones(types[-1].shape, np.bool_))

    def evaluate(xp: Any, *arrays: Any, **attrs: Any) -> tuple[Any, ...]:
        types = infer(*(ArrayType(x.dtype, x.shape) for x in arrays), **attrs)
        batch = types[-1].shape
        whole = one(arrays, attrs, types)
        if not batch or np.all(whole[-1]):
            return whole
        stacked = [np.broadcast_to(x, batch + (x.shape[-2:] if x.ndim > 1 else x.shape)) for x in arrays]
        for index in np.ndindex(*batch):
            own = tuple(t.with_shape(t.shape[len(batch) :]) for t in types)
            part = one(tuple(x[index] for x in stacked), attrs, own)
            for result, value in zip(whole, part, strict=True):
                result[index] = value
        return whole

    return evaluate


def _access(*types: ArrayType, **attrs: Any) -> tuple[OperandAccess, ...]:
    return tuple((*map(Along, range(t.ndim - 2)), WHOLE, WHOLE) for t in types)


def _general(*shape: int) -> Callable[[Any, np.dtype[Any]], Any]:
    """Random matrices, well conditioned where square."""

    def make(rng: Any, dtype: np.dtype[Any]) -> Any:
        a = rng.standard_normal(shape)
        if dtype.kind == "c":
            a = a + 1j * rng.standard_normal(shape)
        return (a + 3 * np.eye(shape[-2], shape[-1])).astype(dtype)

    return make


def _hermitian(*shape: int) -> Callable[[Any, np.dtype[Any]], Any]:
    def make(rng: Any, dtype: np.dtype[Any]) -> Any:
        a = _general(*shape)(rng, np.dtype("c16") if dtype.kind == "c" else np.dtype("f8"))
        # Separate eigenvalues: the vectors are then well determined.
        return (a + a.mT.conj() + np.diag(10.0 * np.arange(shape[-1]))).astype(dtype)

    return make


def _definite(*shape: int) -> Callable[[Any, np.dtype[Any]], Any]:
    def make(rng: Any, dtype: np.dtype[Any]) -> Any:
        a = _general(*shape)(rng, np.dtype("c16") if dtype.kind == "c" else np.dtype("f8"))
        return (a @ a.mT.conj() + np.eye(shape[-1])).astype(dtype)

    return make


def _failing(make: Callable[[Any, np.dtype[Any]], Any], value: float) -> Callable[[Any, np.dtype[Any]], Any]:
    """The matrices of `make`, the last of which is `value` everywhere."""

    def failing(rng: Any, dtype: np.dtype[Any]) -> Any:
        a = make(rng, dtype)
        a.reshape(-1, *a.shape[-2:])[-1] = value
        return a

    return failing


def _sample(dtype: np.dtype[Any], makes: tuple[Callable[[Any, np.dtype[Any]], Any], ...], **attrs: Any) -> Sample:
    # The shapes are known once an operand is made.
    shapes = [make(np.random.default_rng(0), dtype).shape for make in makes]
    return Sample(
        tuple(f"{NAMES[dtype]}[{','.join(map(str, shape))}]" for shape in shapes),
        attrs,
        make=lambda rng: tuple(make(rng, dtype) for make in makes),
    )


#: Shapes every factorization of a square matrix is tried on.
_SQUARE: tuple[Shape, ...] = ((3, 3), (5, 5), (1, 1), (0, 0), (2, 3, 3), (2, 1, 2, 2), (0, 3, 3), (2, 0, 0))
_ANY: tuple[Shape, ...] = (*_SQUARE, (5, 3), (3, 5), (4, 1), (1, 4), (0, 3), (3, 0), (2, 4, 2), (2, 2, 4), (2, 0, 3))


def _samples_square(make: Callable[..., Any], bad: float | None, **attrs: Any) -> Iterator[Sample]:
    for dtype in LAPACK_DTYPES:
        for shape in _SQUARE if dtype in (DTYPES["f64"], DTYPES["c128"]) else _SQUARE[:1]:
            yield _sample(dtype, (make(*shape),), **attrs)
    if bad is None:
        return
    for shape in ((3, 3), (1, 1), (2, 3, 3)):
        for dtype in (DTYPES["f64"], DTYPES["c64"]):
            yield _sample(dtype, (_failing(make(*shape), bad),), **attrs)


def _samples_any(attrs: tuple[dict[str, Any], ...], bad: float | None = None) -> Iterator[Sample]:
    for kw in attrs:
        for dtype in LAPACK_DTYPES:
            for shape in _ANY if dtype in (DTYPES["f64"], DTYPES["c128"]) else ((3, 3), (4, 2)):
                yield _sample(dtype, (_general(*shape),), **kw)
        if bad is not None:
            yield _sample(DTYPES["f64"], (_failing(_general(2, 3, 3), bad),), **kw)


def _infer_cholesky(a: ArrayType, *, upper: bool) -> Types:
    batch, _, _ = _matrix("cholesky", a, square=True)
    return a, _ok(batch)


#: ``L`` with ``L @ L.mT.conj() = a``, or the upper factor; reads one triangle and fills the other with zeros.
CHOLESKY = Op(
    name="cholesky",
    numpy="numpy.linalg.cholesky(a, upper=upper)",
    infer=_infer_cholesky,
    evaluate=_reference(_infer_cholesky, lambda a, *, upper: np.linalg.cholesky(a, upper=upper)),
    jax=xla_lapack.cholesky,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=lambda a, *, upper: Cost(_weight(a.dtype) * a.size * a.shape[-1] // 3, 2 * a.nbytes),
    backends=("xla", "numpy"),
    samples=lambda: (s for upper in (False, True) for s in _samples_square(_definite, -1.0, upper=upper)),
    across=across.ACROSS["cholesky"], ordered=order.ORDERED["cholesky"],
)


def _infer_solve(a: ArrayType, b: ArrayType) -> Types:
    batch, n, _ = _matrix("solve", a, square=True)
    if b.dtype != a.dtype:
        raise TypeError(f"solve takes operands of one dtype in the IR, got {a}, {b}; cast first")
    if b.ndim == 0:
        raise ValueError("solve: Input operand 1 does not have enough dimensions (has 0, needs 1)")
    rows = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if rows != n:
        raise ValueError(
            f"solve: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
            f"{'(m,m),(m,n)->(m,n)' if b.ndim > 1 else '(m,m),(m)->(m)'} "
            f"(size {extents.show(rows)} is different from {extents.show(n)})"
        )
    batch = extents.broadcast(batch, b.shape[:-2])
    return ArrayType(a.dtype, batch + (b.shape[-2:] if b.ndim > 1 else b.shape)), _ok(batch)


def _access_solve(a: ArrayType, b: ArrayType) -> tuple[OperandAccess, ...]:
    batch = extents.broadcast(a.shape[:-2], b.shape[:-2])
    # The right-hand sides are not one another's business, but `ok` has no such axis.
    return (
        batch_access(a.shape[:-2], batch) + (WHOLE, WHOLE),
        batch_access(b.shape[:-2], batch) + ((WHOLE, WHOLE) if b.ndim > 1 else (WHOLE,)),
    )


def _cost_solve(a: ArrayType, b: ArrayType) -> Cost:
    results = _infer_solve(a, b)
    n = a.shape[-1]
    flops = 2 * a.size * n // 3 + 2 * results[0].size * n
    return Cost(_weight(a.dtype) * flops, _bytes((a, b), results))


def _samples_solve() -> Iterator[Sample]:
    for dtype in LAPACK_DTYPES:
        for a, b in (((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3,)), ((2, 3, 3), (2, 3, 2)), ((3, 3), (4, 3, 2)),
                     ((2, 1, 3, 3), (4, 3, 2)), ((1, 1), (1, 1)), ((0, 0), (0, 2)), ((0, 0), (0,)), ((3, 3), (3, 0)),
                     ((0, 3, 3), (3, 2))):  # fmt: skip
            yield _sample(dtype, (_general(*a), _vector(b)))
    for a, b in (((3, 3), (3,)), ((2, 3, 3), (3, 2)), ((1, 1), (1,))):
        yield _sample(DTYPES["f64"], (_failing(_general(*a), 0.0), _vector(b)))


def _vector(shape: tuple[int, ...]) -> Callable[[Any, np.dtype[Any]], Any]:
    return lambda rng, dtype: rng.standard_normal(shape).astype(dtype)


#: ``x`` with ``a @ x = b``; a one-dimensional `b` is one vector.
SOLVE = Op(
    name="solve",
    numpy="numpy.linalg.solve(a, b)",
    infer=_infer_solve,
    evaluate=_reference(_infer_solve, np.linalg.solve),
    jax=xla_lapack.solve,
    access=_access_solve,
    pointwise=False,
    memory="fresh",
    cost=_cost_solve,
    backends=("xla", "numpy"),
    samples=_samples_solve,
    across=across.ACROSS["solve"], ordered=order.ORDERED["solve"],
)


def _infer_inv(a: ArrayType) -> Types:
    batch, _, _ = _matrix("inv", a, square=True)
    return a, _ok(batch)


#: The inverse.
INV = Op(
    name="inv",
    numpy="numpy.linalg.inv(a)",
    infer=_infer_inv,
    evaluate=_reference(_infer_inv, np.linalg.inv),
    jax=xla_lapack.inv,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=lambda a: Cost(_weight(a.dtype) * 8 * a.size * a.shape[-1] // 3, 2 * a.nbytes),
    backends=("xla", "numpy"),
    samples=lambda: _samples_square(_general, 0.0),
    across=across.ACROSS["inv"], ordered=order.ORDERED["inv"],
)


def _cost_lu(a: ArrayType) -> Cost:
    return Cost(_weight(a.dtype) * 2 * a.size * a.shape[-1] // 3, a.nbytes)


def _infer_det(a: ArrayType) -> ArrayType:
    return a.with_shape(_matrix("det", a, square=True)[0])


#: The determinant, from the LU factorization.
DET = Op(
    name="det",
    numpy="numpy.linalg.det(a)",
    infer=_infer_det,
    evaluate=lambda xp, a: np.linalg.det(a),
    jax=xla_lapack.det,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=_cost_lu,
    backends=("xla", "numpy"),
    samples=lambda: _samples_square(_general, 0.0), across=across.ACROSS["det"], ordered=order.ORDERED["det"],
)


def _infer_slogdet(a: ArrayType) -> Types:
    batch, _, _ = _matrix("slogdet", a, square=True)
    return a.with_shape(batch), ArrayType(real_dtype(a.dtype), batch)


#: Sign and logarithm of the determinant's absolute value.
SLOGDET = Op(
    name="slogdet",
    numpy="numpy.linalg.slogdet(a)",
    infer=_infer_slogdet,
    evaluate=lambda xp, a: tuple(np.linalg.slogdet(a)),
    jax=xla_lapack.slogdet,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=_cost_lu,
    backends=("xla", "numpy"),
    samples=lambda: _samples_square(_general, 0.0), across=across.ACROSS["slogdet"], ordered=order.ORDERED["slogdet"],
)


def _infer_qr(a: ArrayType, *, mode: str) -> ArrayType | Types:
    batch, m, n = _matrix("qr", a)
    k = least(m, n)
    match mode:
        case "reduced":
            return a.with_shape((*batch, m, k)), a.with_shape((*batch, k, n))
        case "complete":
            return a.with_shape((*batch, m, m)), a.with_shape((*batch, m, n))
        case "r":
            return a.with_shape((*batch, k, n))
        case "raw":
            return a.with_shape((*batch, n, m)), a.with_shape((*batch, k))
    raise ValueError(f"Unrecognized mode '{mode}'")


def _evaluate_qr(xp: Any, a: Any, *, mode: str) -> Any:
    result = np.linalg.qr(a, mode)  # type: ignore[call-overload]
    return tuple(result) if isinstance(result, tuple) else result


def _cost_qr(a: ArrayType, *, mode: str) -> Cost:
    batch, m, n = _matrix("qr", a)
    k = least(m, n)
    # Golub and Van Loan, Matrix Computations, 5.2: the factorization, then Q accumulated.
    flops = 2 * m * n * k - (m + n) * k * k + 2 * k * k * k // 3
    columns = {"reduced": k, "complete": m}.get(mode, 0)
    flops = flops + (4 * m * columns * k - 2 * (m + columns) * k * k + 4 * k * k * k // 3 if columns else 0)
    moved = _bytes((a,), _infer_qr(a, mode=mode))
    return Cost(2 * _weight(a.dtype) * extents.size(batch) * flops, moved)


#: Householder's factorization with LAPACK's signs.
QR = Op(
    name="qr",
    numpy="numpy.linalg.qr(a, mode)",
    infer=_infer_qr,
    evaluate=_evaluate_qr,
    jax=xla_lapack.qr,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=_cost_qr,
    backends=("xla", "numpy"), across=across.ACROSS["qr"], ordered=order.ORDERED["qr"],
    samples=lambda: _samples_any(tuple({"mode": mode} for mode in ("reduced", "complete", "r", "raw"))),
)


def _infer_svd(a: ArrayType, *, full_matrices: bool) -> Types:
    batch, m, n = _matrix("svd", a)
    k = least(m, n)
    return (
        a.with_shape((*batch, m, m if full_matrices else k)),
        ArrayType(real_dtype(a.dtype), (*batch, k)),
        a.with_shape((*batch, n if full_matrices else k, n)),
        _ok(batch),
    )


def _finite(a: Any) -> Any:
    # LAPACK's divide and conquer does not end on some matrices with an infinity; of two rows or columns it does.
    if min(a.shape[-2:]) > 2 and not np.isfinite(a).all():
        raise np.linalg.LinAlgError("SVD did not converge")
    return a


def _cost_svd(a: ArrayType, *, full_matrices: bool) -> Cost:
    batch, m, n = _matrix("svd", a)
    k = least(m, n)
    long = m + n - k
    # Golub and Van Loan, 8.6.4.
    if full_matrices:
        flops = 4 * long * long * k + 8 * long * k * k + 9 * k * k * k
    else:
        flops = 14 * long * k * k + 8 * k * k * k
    moved = _bytes((a,), _infer_svd(a, full_matrices=full_matrices))
    return Cost(_weight(a.dtype) * extents.size(batch) * flops, moved)


#: Singular values, falling, and vectors; LAPACK's divide and conquer (gesdd).
SVD = Op(
    name="svd",
    numpy="numpy.linalg.svd(a, full_matrices)",
    infer=_infer_svd,
    evaluate=_reference(
        _infer_svd, lambda a, *, full_matrices: tuple(np.linalg.svd(_finite(a), full_matrices=full_matrices))
    ),
    jax=xla_lapack.svd,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=_cost_svd,
    backends=("xla", "numpy"),
    samples=lambda: _samples_any(({"full_matrices": True}, {"full_matrices": False}), np.nan),
)


def _infer_svdvals(a: ArrayType) -> Types:
    batch, m, n = _matrix("svdvals", a)
    return ArrayType(real_dtype(a.dtype), (*batch, least(m, n))), _ok(batch)


def _cost_svdvals(a: ArrayType) -> Cost:
    batch, m, n = _matrix("svdvals", a)
    k = least(m, n)
    flops = 4 * (m + n - k) * k * k - 4 * k * k * k // 3
    return Cost(_weight(a.dtype) * extents.size(batch) * flops, a.nbytes)


#: Singular values, falling.
SVDVALS = Op(
    name="svdvals",
    numpy="numpy.linalg.svdvals(a)",
    infer=_infer_svdvals,
    evaluate=_reference(_infer_svdvals, lambda a: np.linalg.svd(_finite(a), compute_uv=False)),
    jax=xla_lapack.svdvals,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=_cost_svdvals,
    backends=("xla", "numpy"),
    samples=lambda: _samples_any(({},), np.nan),
)


def _infer_eigh(a: ArrayType, *, uplo: str) -> Types:
    batch, n, _ = _matrix("eigh", a, square=True)
    return ArrayType(real_dtype(a.dtype), (*batch, n)), a, _ok(batch)


#: Eigenvalues, rising, and vectors of the hermitian matrix whose triangle `uplo` is read.
EIGH = Op(
    name="eigh",
    numpy="numpy.linalg.eigh(a, uplo)",
    infer=_infer_eigh,
    evaluate=_reference(_infer_eigh, lambda a, *, uplo: tuple(np.linalg.eigh(a, uplo))),
    jax=xla_lapack.eigh,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=lambda a, *, uplo: Cost(_weight(a.dtype) * 9 * a.size * a.shape[-1], 2 * a.nbytes),
    backends=("xla", "numpy"),
    samples=lambda: (s for uplo in "LU" for s in _samples_square(_hermitian, np.nan, uplo=uplo)),
)


def _infer_eigvalsh(a: ArrayType, *, uplo: str) -> Types:
    batch, n, _ = _matrix("eigvalsh", a, square=True)
    return ArrayType(real_dtype(a.dtype), (*batch, n)), _ok(batch)


#: Eigenvalues, rising, of the hermitian matrix whose triangle `uplo` is read. jax always computes the vectors too.
EIGVALSH = Op(
    name="eigvalsh",
    numpy="numpy.linalg.eigvalsh(a, uplo)",
    infer=_infer_eigvalsh,
    evaluate=_reference(_infer_eigvalsh, lambda a, *, uplo: np.linalg.eigvalsh(a, uplo)),
    jax=xla_lapack.eigvalsh,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=lambda a, *, uplo: Cost(_weight(a.dtype) * 4 * a.size * a.shape[-1] // 3, a.nbytes),
    backends=("numpy", "xla"),
    samples=lambda: (s for uplo in "LU" for s in _samples_square(_hermitian, np.nan, uplo=uplo)),
    slowdown={"xla": 9.0},
)


def _infer_eigvals(a: ArrayType) -> Types:
    batch, n, _ = _matrix("eigvals", a, square=True)
    return ArrayType(complex_dtype(a.dtype), (*batch, n)), _ok(batch)


def _infer_eig(a: ArrayType) -> Types:
    values, ok = _infer_eigvals(a)
    return values, ArrayType(values.dtype, a.shape), ok


#: Eigenvalues and right eigenvectors, always complex; NumPy's result is real where all values are. Not in XLA: two
#: builds of the QR iteration may find the values in another order, and give a vector the other sign.
EIG = Op(
    name="eig",
    numpy="numpy.linalg.eig(a), as complex",
    infer=_infer_eig,
    evaluate=_reference(
        _infer_eig, lambda a: tuple(x.astype(complex_dtype(a.dtype)) for x in np.linalg.eig(a))
    ),
    jax=None,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=lambda a: Cost(_weight(a.dtype) * 25 * a.size * a.shape[-1], 3 * a.nbytes),
    backends=("numpy",),
    samples=lambda: _samples_square(_hermitian, np.nan),
)

#: Eigenvalues, always complex. Not in XLA, as `EIG`.
EIGVALS = Op(
    name="eigvals",
    numpy="numpy.linalg.eigvals(a), as complex",
    infer=_infer_eigvals,
    evaluate=_reference(_infer_eigvals, lambda a: np.linalg.eigvals(a).astype(complex_dtype(a.dtype))),
    jax=None,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=lambda a: Cost(_weight(a.dtype) * 10 * a.size * a.shape[-1], a.nbytes),
    backends=("numpy",),
    samples=lambda: _samples_square(_hermitian, np.nan),
)


def _infer_lstsq(a: ArrayType, b: ArrayType, rcond: ArrayType) -> Types:
    batch, m, n = _matrix("lstsq", a)
    if batch or b.ndim != 2 or b.shape[0] != m or b.dtype != a.dtype:
        raise ValueError(f"lstsq takes an m x n and an m x k matrix of one dtype, got {a}, {b}")
    real = real_dtype(a.dtype)
    if rcond.dtype != real or rcond.ndim:
        raise TypeError(f"lstsq takes a scalar {NAMES[real]} as the smallest relative singular value, got {rcond}")
    return (
        a.with_shape((n, b.shape[1])), ArrayType(real, (b.shape[1],)), ArrayType(DTYPES["i32"]),
        ArrayType(real, (least(m, n),)), _ok(()),
    )  # fmt: skip


def _evaluate_lstsq(a: Any, b: Any, rcond: Any) -> tuple[Any, ...]:
    x, residuals, rank, s = np.linalg.lstsq(a, b, rcond=float(rcond))
    if not residuals.size:
        # Not computed, or there is nothing that could remain.
        residuals = np.full(b.shape[1], np.nan, s.dtype)
    return x, residuals, np.int32(rank), s


def _samples_lstsq() -> Iterator[Sample]:
    def make(rng: Any, shape: tuple[int, int], dtype: np.dtype[Any], rcond: float) -> tuple[Any, ...]:
        b = rng.standard_normal((shape[0], 2)).astype(dtype)
        return _general(*shape)(rng, dtype), b, np.asarray(rcond, real_dtype(dtype))

    for name, real in (("f64", "f64"), ("f32", "f32"), ("c128", "f64")):
        for m, n in ((5, 3), (3, 5), (3, 3), (4, 1)):
            for rcond in (1e-6, 0.9):
                yield Sample(
                    (f"{name}[{m},{n}]", f"{name}[{m},2]", f"{real}[]"),
                    make=partial(make, shape=(m, n), dtype=DTYPES[name], rcond=rcond),
                )


#: Least squares by singular values (gelsd): solution, squared residuals, rank, singular values. Residuals are NaN where
#: NumPy has none. In NumPy only: the rank decides a shape, so Python looks at it anyway.
LSTSQ = Op(
    name="lstsq",
    numpy="numpy.linalg.lstsq(a, b, rcond)",
    infer=_infer_lstsq,
    evaluate=_reference(_infer_lstsq, _evaluate_lstsq),
    jax=None,
    access=lambda a, b, rcond: ((WHOLE, WHOLE), (WHOLE, WHOLE), ()),
    pointwise=False,
    memory="fresh",
    cost=lambda a, b, rcond: Cost(
        _weight(a.dtype) * 4 * a.size * (a.shape[-1] + b.shape[-1]), 2 * (a.nbytes + b.nbytes)
    ),
    backends=("numpy",),
    samples=_samples_lstsq, across=across.ACROSS["lstsq"], ordered=order.ORDERED["lstsq"],
)
