"""numpy.linalg and products of arrays over lazy arrays: values, dtypes, shapes, layouts and errors are NumPy's."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lazyarr.numpy
from lazyarr import accelerate
from lazyarr import settings as lazy_settings
from lazyarr.backends.xla import Executable
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import make
from lazyarr.ir.types import ArrayType
from lazyarr.numpy import _contract
from lazyarr.ops.linalg import EINSUM
from tests.random_compare import public_class
from tests.test_functions import close, differences, outcome


def inputs() -> dict[str, Any]:
    """Matrices by name: `a` general, `s` definite, `t` tall, `w` wide, `b` a batch, `v` a vector, `z` complex."""
    rng = numpy.random.default_rng(7)
    a = rng.standard_normal((4, 4)) + 3 * numpy.eye(4)
    z = a + 1j * rng.standard_normal((4, 4))
    batch = rng.standard_normal((2, 3, 3)) + 3 * numpy.eye(3)
    return {
        "a": a, "c": rng.standard_normal((4, 4)), "s": a @ a.T + numpy.diag([0.0, 5.0, 10.0, 20.0]), "z": z,
        "h": z @ z.conj().T + numpy.diag([0.0, 5.0, 10.0, 20.0]), "t": rng.standard_normal((5, 3)),
        "w": rng.standard_normal((3, 5)), "b": batch, "p": batch @ batch.mT + numpy.eye(3), "v": rng.standard_normal(4),
        "i": rng.integers(-5, 6, (4, 4)) + 12 * numpy.eye(4, dtype=int), "f": a.astype("f4"), "g": z.astype("c8"),
        "e": a.astype("f2"), "m": a > 0, "u": rng.integers(0, 255, (4, 4)).astype("u1"),
        "n3": rng.standard_normal((2, 3)), "k": rng.standard_normal((2, 3, 4)),
        "zero": numpy.zeros((3, 3)), "none": numpy.zeros((0, 3)),
        "no": numpy.zeros((0, 0)), "nan": numpy.full((3, 3), numpy.nan), "one": numpy.full((1, 1), 3.0),
        "empty": numpy.zeros((0, 2, 2)), "sing": numpy.array([[1.0, 2.0], [2.0, 4.0]]),
        "mixed": numpy.stack([numpy.eye(2), numpy.zeros((2, 2))]),
    }  # fmt: skip


# `~`: looks at data to decide a shape or a dtype, as it must.
SOLVERS = """
np.linalg.solve(a, v)
np.linalg.solve(a, c)
np.linalg.solve(b, b)
np.linalg.solve(b, b[0])
np.linalg.solve(b[0], b)
np.linalg.solve(b, b[0, 0])
np.linalg.solve(b[:, None], b[0])
np.linalg.solve(f, f)
np.linalg.solve(f, v)
np.linalg.solve(g, v)
np.linalg.solve(z, a)
np.linalg.solve(i, i)
np.linalg.solve(m + i, v)
np.linalg.solve(a.T, c.T)
np.linalg.solve(no, no)
np.linalg.solve(empty, empty)
np.linalg.solve(one, one)
np.linalg.solve(a, v[:3])
np.linalg.solve(a, 1.0)
np.linalg.solve(w, v)
np.linalg.solve(v, v)
np.linalg.solve(sing, sing)
np.linalg.solve(mixed, sing)
np.linalg.solve(nan, nan)
np.linalg.solve(e, e)
np.linalg.solve(np.eye(2), [1, 2])
np.linalg.inv(a)
np.linalg.inv(b)
np.linalg.inv(f)
np.linalg.inv(g)
np.linalg.inv(i)
np.linalg.inv(no)
np.linalg.inv(empty)
np.linalg.inv(zero)
np.linalg.inv(mixed)
np.linalg.inv(none)
np.linalg.inv(e)
np.linalg.pinv(a)
np.linalg.pinv(t)
np.linalg.pinv(w)
np.linalg.pinv(b)
np.linalg.pinv(sing)
np.linalg.pinv(z)
np.linalg.pinv(s, hermitian=True)
np.linalg.pinv(t, 0.5)
np.linalg.pinv(t, rtol=1e-3)
np.linalg.pinv(none)
np.linalg.tensorinv(k.reshape(2, 3, 4)[:, :2, :1] + np.ones((2, 2, 1)), ind=1)
np.linalg.tensorinv(a, ind=1)
np.linalg.tensorinv(a, ind=0)
np.linalg.tensorsolve(a.reshape(2, 2, 4), v.reshape(2, 2))
np.linalg.tensorsolve(a, v)
np.linalg.tensorsolve(a, c)
np.linalg.tensorsolve(a.reshape(2, 4, 2), v.reshape(2, 2), axes=(1,))
~np.linalg.lstsq(t, t[:, 0])
~np.linalg.lstsq(t, t[:, :2])
~np.linalg.lstsq(w, w[:, :2])
~np.linalg.lstsq(a, v, rcond=None)
~np.linalg.lstsq(z, v)
~np.linalg.lstsq(t, t, rcond=0.9)
~np.linalg.lstsq(f, v)
np.linalg.lstsq(a, v[:3])
np.linalg.lstsq(b, b)
"""

FACTORS = """
np.linalg.cholesky(s)
np.linalg.cholesky(h)
np.linalg.cholesky(s, upper=True)
np.linalg.cholesky(h, upper=True)
np.linalg.cholesky(p)
np.linalg.cholesky(s.astype("f4"))
np.linalg.cholesky(h.astype("c8"))
np.linalg.cholesky(no)
np.linalg.cholesky(one)
np.linalg.cholesky(-s)
np.linalg.cholesky(zero)
np.linalg.cholesky(nan)
np.linalg.cholesky(mixed)
np.linalg.cholesky(t)
np.linalg.cholesky(v)
np.linalg.qr(a)
np.linalg.qr(t)
np.linalg.qr(w)
np.linalg.qr(z)
np.linalg.qr(f)
np.linalg.qr(b)
np.linalg.qr(i)
np.linalg.qr(t, "complete")
np.linalg.qr(w, mode="complete")
np.linalg.qr(t, "r")
np.linalg.qr(w, "r")
np.linalg.qr(t, "raw")
np.linalg.qr(b, "raw")
np.linalg.qr(none)
np.linalg.qr(none.T)
np.linalg.qr(none, "complete")
np.linalg.qr(zero)
np.linalg.qr(v)
np.linalg.qr(a, "bad")
np.linalg.svd(a)
np.linalg.svd(t)
np.linalg.svd(t, full_matrices=False)
np.linalg.svd(w, False)
np.linalg.svd(w, True)
np.linalg.svd(w, compute_uv=False)
np.linalg.svd(b)
np.linalg.svd(g)
np.linalg.svd(f, compute_uv=False)
np.linalg.svd(s, hermitian=True)
np.linalg.svd(s, compute_uv=False, hermitian=True)
np.linalg.svd(none)
np.linalg.svd(none, full_matrices=False)
np.linalg.svd(nan)
np.linalg.svd(v)
np.linalg.svdvals(t)
np.linalg.svdvals(i)
np.linalg.svdvals(nan)
np.linalg.eigh(s)
np.linalg.eigh(h)
np.linalg.eigh(a)
np.linalg.eigh(a, "U")
np.linalg.eigh(a, UPLO="u")
np.linalg.eigh(p)
np.linalg.eigh(s.astype("f4"))
np.linalg.eigh(no)
np.linalg.eigh(nan)
np.linalg.eigh(a, "X")
np.linalg.eigh(t)
np.linalg.eigvalsh(s)
np.linalg.eigvalsh(a, "U")
np.linalg.eigvalsh(h)
np.linalg.eigvalsh(p)
np.linalg.eigvalsh(nan)
np.linalg.eigvalsh(no)
~np.linalg.eig(s)
~np.linalg.eig(np.array([[0.0, 1.0], [-1.0, 0.0]]) + a[:2, :2] * 0)
np.linalg.eig(z)
~np.linalg.eig(s.astype("f4"))
np.linalg.eig(nan)
np.linalg.eig(t)
~np.linalg.eigvals(s)
~np.linalg.eigvals(p)
np.linalg.eigvals(z)
np.linalg.eigvals(nan)
"""

NUMBERS = """
np.linalg.det(a)
np.linalg.det(z)
np.linalg.det(b)
np.linalg.det(i)
np.linalg.det(f)
np.linalg.det(no)
np.linalg.det(empty)
np.linalg.det(zero)
np.linalg.det(nan)
np.linalg.det(t)
np.linalg.slogdet(a)
np.linalg.slogdet(z)
np.linalg.slogdet(b)
np.linalg.slogdet(f)
np.linalg.slogdet(no)
np.linalg.slogdet(zero)
np.linalg.slogdet(-a)
np.linalg.norm(a)
np.linalg.norm(z)
np.linalg.norm(i)
np.linalg.norm(f)
np.linalg.norm(k)
np.linalg.norm(v)
np.linalg.norm(v, 1)
np.linalg.norm(v, 0)
np.linalg.norm(v, 3)
np.linalg.norm(v, 0.5)
np.linalg.norm(v, np.inf)
np.linalg.norm(v, -np.inf)
np.linalg.norm(v, "nuc")
np.linalg.norm(a, 1)
np.linalg.norm(a, -1)
np.linalg.norm(a, 2)
np.linalg.norm(a, -2)
np.linalg.norm(a, np.inf)
np.linalg.norm(a, -np.inf)
np.linalg.norm(a, "fro")
np.linalg.norm(a, "nuc")
np.linalg.norm(a, "bad")
np.linalg.norm(a, 7)
np.linalg.norm(k, axis=1)
np.linalg.norm(k, axis=(0, 2))
np.linalg.norm(k, 1, axis=(2, 0))
np.linalg.norm(k, 2, axis=(2, 0), keepdims=True)
np.linalg.norm(k, axis=-1, keepdims=True)
np.linalg.norm(k, keepdims=True)
np.linalg.norm(k, axis=5)
np.linalg.norm(k, axis=(0, 0))
np.linalg.norm(k, axis=(0, 1, 2))
np.linalg.norm(a, axis=1.5)
np.linalg.norm(none)
np.linalg.norm(u)
np.linalg.norm(m)
np.linalg.matrix_norm(k)
np.linalg.matrix_norm(k, keepdims=True, ord=1)
np.linalg.vector_norm(k)
np.linalg.vector_norm(k, axis=(0, 1), ord=1)
np.linalg.vector_norm(k, axis=1, keepdims=True)
np.linalg.cond(a)
np.linalg.cond(a, 1)
np.linalg.cond(a, -2)
np.linalg.cond(a, "fro")
np.linalg.cond(b)
np.linalg.cond(sing, 1)
np.linalg.cond(zero)
np.linalg.cond(nan)
np.linalg.cond(t)
np.linalg.cond(t, 1)
np.linalg.cond(none)
np.linalg.cond(f, np.inf)
np.linalg.matrix_rank(a)
np.linalg.matrix_rank(sing)
np.linalg.matrix_rank(b)
~np.linalg.matrix_rank(v)
np.linalg.matrix_rank(t, tol=0.5)
np.linalg.matrix_rank(t, rtol=1e-3)
np.linalg.matrix_rank(s, hermitian=True)
np.linalg.trace(k)
np.linalg.trace(a, offset=1)
np.linalg.trace(i, dtype="f4")
np.linalg.diagonal(k, offset=1)
"""

PRODUCTS = """
np.linalg.matrix_power(a, 0)
np.linalg.matrix_power(a, 1)
np.linalg.matrix_power(a, 2)
np.linalg.matrix_power(a, 3)
np.linalg.matrix_power(a, 7)
np.linalg.matrix_power(a, -2)
np.linalg.matrix_power(i, 5)
np.linalg.matrix_power(u, 3)
np.linalg.matrix_power(m, 2)
np.linalg.matrix_power(b, 4)
np.linalg.matrix_power(a, 1.5)
np.linalg.matrix_power(t, 2)
np.linalg.matrix_power(sing, -1)
np.linalg.multi_dot([a, c])
np.linalg.multi_dot([v, a, c])
np.linalg.multi_dot([t, w, t, w])
np.linalg.multi_dot([v, a, c, a, v])
np.linalg.multi_dot([a])
np.linalg.multi_dot([t, a, w])
np.linalg.multi_dot([a, b, a])
np.linalg.outer(v, v)
np.linalg.outer(a, v)
np.linalg.cross(n3, n3[::-1])
np.linalg.cross(v, v)
np.linalg.matmul(a, c)
np.linalg.tensordot(k, k, axes=([0, 1], [0, 1]))
np.linalg.matrix_transpose(k)
np.linalg.matrix_transpose(v)
np.linalg.vecdot(k, k)
np.linalg.vecdot(k, k, axis=0)
np.vecdot(z, z)
np.vecdot(z, a[0])
np.vecdot(v, v)
np.vecdot(v, v[:3])
np.vecdot(v, 1.0)
np.vecdot(k, v)
np.vecdot(m, m)
np.vecdot(i, u)
np.matvec(k, v)
np.matvec(a, k)
np.matvec(z, z)
np.matvec(a, w)
np.vecmat(v, a)
np.vecmat(z, z)
np.vecmat(k[0], np.swapaxes(k, -1, -2)[:, :, 0])
np.matmul(a, v)
np.matmul(v, a)
np.matmul(v, v)
np.matmul(k, a)
np.matmul(k, np.swapaxes(k, -1, -2))
np.matmul(k[:, None], a)
np.matmul(a, w)
np.matmul(k, b[:1, :1])
np.matmul(a, 2.0)
np.matmul(none, b[0])
np.matmul(none.T, none)
np.matmul(m, m)
np.matmul(u, u)
np.matmul(i, u)
np.matmul(e, e)
np.matmul(f, i)
np.matmul(g, f)
np.matmul(a.T, c.T)
np.matmul(a, c, dtype="f4")
np.matmul(a, c, dtype="f4", casting="unsafe")
np.matmul(a, c, out=np.zeros((4, 4)))
np.matmul(a, c, out=np.zeros((2, 4, 4)))
np.matmul(a, c, out=np.zeros((4, 3)))
np.matmul(a, c, out=np.zeros((4, 4), int))
np.matmul(i, i, out=np.zeros((4, 4)))
a @ c
k @ v
2 @ a
np.dot(a, v)
np.dot(a, 3)
np.dot(k, a)
np.dot(k, np.swapaxes(k, 1, 2))
np.dot(v, v)
np.dot(u, u)
np.dot(m, m)
np.dot(a, w)
np.dot(a, c, out=np.zeros((4, 4)))
np.dot(a, c, out=np.zeros((4, 4), "f4"))
np.vdot(z, z)
np.vdot(z, a)
np.vdot(a, v)
np.inner(a, c)
np.inner(k, a)
np.inner(v, v)
np.inner(k, 2)
np.inner(a, w)
np.outer(v, a)
np.tensordot(k, k, axes=3)
np.tensordot(k, a, axes=1)
np.tensordot(a, a, axes=0)
np.tensordot(k, k, axes=((0, 1), (0, 1)))
np.tensordot(k, k, axes=(0, 0))
np.tensordot(k, k, axes=([2, 1], [2, 1]))
np.tensordot(k, a, axes=2)
np.tensordot(u, u, axes=1)
np.tensordot(k, a, axes=([0], [0, 1]))
np.tensordot(k, a, axes=([-1], [-2]))
np.kron(a[:2], w[:2])
"""

EINSUMS = """
np.einsum("ij,jk", a, c)
np.einsum("ij,jk->ki", a, c)
np.einsum("ii", a)
np.einsum("ii->i", a)
np.einsum("iji->j", k[:, :, :2])
np.einsum("ij->ji", a)
np.einsum("ijk->kij", k)
np.einsum("ij->", a)
np.einsum("ij->j", i)
np.einsum("ijk->k", k)
np.einsum("i,j", v, v)
np.einsum("i,i", v, v)
np.einsum("i,i->i", v, v)
np.einsum("i,i->i", v, v[:1])
np.einsum("i,i->", v[:1], v)
np.einsum("ij,jk,kl->il", a, c, a)
np.einsum("ij,jk,kl", a, c, a, optimize=True)
np.ascontiguousarray(np.einsum("ij,jk->ki", a, c, optimize="greedy"))
np.einsum("...ij,...jk", k, k[:, :, :3].transpose(0, 2, 1).repeat(4, 1)[:, :4])
np.einsum("...ij->...ji", k)
np.einsum("...i,i", k, v)
np.einsum("i...->...", k)
np.einsum("...,...", k, v)
np.einsum("...", k)
np.einsum(a, [0, 1], c, [1, 2])
np.einsum(a, [0, 1], c, [1, 2], [2, 0])
np.einsum(k, [0, Ellipsis], [Ellipsis])
np.einsum("ij,ij->ij", u, u)
np.einsum("ij,jk", u, u)
np.einsum("ij,jk", m, m)
np.einsum("ij->i", m)
np.einsum("ij,jk", e, e)
np.einsum("ij,jk", f, i)
np.einsum("ij,jk", z, a)
np.einsum("ij,jk", a, c, dtype="c16")
np.einsum("ij,jk", a, c, dtype="f4")
np.einsum("ij,jk", a, c, dtype="f4", casting="unsafe")
np.einsum("ij,jk", i, u, out=np.zeros((4, 4)))
np.einsum("ij,jk", a, c, out=np.zeros((4, 4), "f4"))
np.einsum("ij,jk", a, c, out=np.zeros((4, 3)))
np.einsum("ij,jk->ik", a, c, order="F")
np.einsum("ij,jk->ik", a.T, c.T)
np.einsum("ij,kj->ik", a, c)
np.einsum("ij,ij->ji", a.T, c.T)
np.einsum("i,j->ji", v, v)
np.einsum(",i", 2.0, v)
np.einsum(",", 2.0, 3)
np.einsum("ij,jk", none.T, none)
np.einsum("ij->", none)
np.einsum("ij,jk", a, w)
np.einsum("ij", v)
np.einsum("i", a)
np.einsum("ii", t)
np.einsum("ij,jk->il", a, c)
np.einsum("ij->ii", a)
np.einsum("i1", a)
np.einsum("ij,jk", a)
np.einsum("ij", a, c)
np.einsum("ij,jk", a, c, order="Q")
np.einsum_path("ij,jk,kl", a, c, a)[0]
"""

TABLES = {"solvers": SOLVERS, "factors": FACTORS, "numbers": NUMBERS, "products": PRODUCTS, "einsums": EINSUMS}
CASES = [(name, line) for name, table in TABLES.items() for line in table.strip().splitlines()]


def compare(line: str) -> list[str]:
    """How a line of the tables differs from NumPy."""
    expression = line.lstrip("~")
    known = inputs()
    lazy = {name: lazyarr.numpy.array(value) for name, value in known.items()}
    want, raised = outcome(expression, {"np": numpy, **known})
    # What is compiled must not fall back: that would be compared with itself.
    with lazy_settings.settings(fallback="error"):
        got, error = outcome(expression, {"np": lazyarr.numpy, **lazy})
        if raised is not None:
            same = isinstance(error, public_class(raised))
            return [] if same else [f"NumPy raises {raised!r}, got {got!r} {error!r}"]
        if error is not None:
            return [f"NumPy gives {want!r}, got {error!r}"]
        return differences(want, got)


@pytest.mark.parametrize(("table", "line"), CASES, ids=[f"{name}-{line}" for name, line in CASES])
def test_interpreted(table: str, line: str) -> None:
    with lazy_settings.settings(compile_after=1000):
        assert compare(line) == []

#: lazyarr.numpy.linalg, whose names are made when it is imported.
linalg: Any = lazyarr.numpy.linalg


def plain(result: Any) -> list[Any]:
    """The arrays of a result, whatever holds them."""
    return [x for item in result for x in plain(item)] if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("table", TABLES)
def test_accelerated(table: str) -> None:
    """All lines that give arrays as one program, compiled by XLA."""
    known = inputs()
    lines = [line for line in TABLES[table].strip().splitlines() if not line.startswith("~")]
    wanted = {line: outcome(line, {"np": numpy, **known}) for line in lines}
    lines = [line for line in lines if wanted[line][1] is None]

    def program(arrays: dict[str, Any]) -> list[Any]:
        return [eval(line, {"np": numpy, **arrays}) for line in lines]

    accelerated: Any = accelerate(program)  # type: ignore[operator, unused-ignore]
    for line, found in zip(lines, accelerated(known)):
        for want, got in zip(plain(wanted[line][0]), plain(found), strict=True):
            assert (numpy.shape(want), numpy.asarray(want).dtype) == (numpy.shape(got), numpy.asarray(got).dtype), line
            assert close(want, got), f"{line}: {want} != {got}"


def test_every_public_name_is_called() -> None:
    text = "\n".join(TABLES.values())
    missing = [name for name in numpy.linalg.__all__ if f"np.linalg.{name}(" not in text and name != "LinAlgError"]
    assert missing == []
    assert set(numpy.linalg.__all__) <= set(dir(linalg))


def test_named_results() -> None:
    a = lazyarr.numpy.array(inputs()["a"])
    assert type(linalg.svd(a)) is type(numpy.linalg.svd(numpy.eye(2)))
    assert numpy.allclose(linalg.eigh(a).eigenvalues, numpy.linalg.eigh(inputs()["a"]).eigenvalues)


def test_numpy_functions_take_lazy_arrays() -> None:
    x = inputs()["a"]
    a = lazyarr.numpy.array(x)
    found = numpy.linalg.solve(a, x) + numpy.einsum("ij,jk", a, a) + numpy.matmul(x, a)
    assert type(found) is type(a)
    assert close(numpy.eye(4) + x @ x + x @ x, found)


def test_einsum_of_one_operand_is_a_writeable_view() -> None:
    k = inputs()["k"]
    want, got = k.copy(), lazyarr.numpy.array(k)
    for np, x in ((numpy, want), (lazyarr.numpy, got)):
        np.einsum("iji->ji", x[:, :, :2])[1:] = [7, 8]
        np.einsum("ijk->kij", x)[0, 1] += 1
        np.einsum("ii->i", x[0, :, :3])[...] *= 2
    assert differences(want, got) == []


def test_failure_is_raised_at_the_users_line_and_writes_nothing() -> None:
    def program(x: Any, y: Any) -> Any:
        x += 1
        y[...] = numpy.linalg.inv(x)
        return y

    x, y = numpy.full((2, 2), 3.0), numpy.eye(2)
    accelerated: Any = accelerate(program)  # type: ignore[operator, unused-ignore]
    with pytest.raises(numpy.linalg.LinAlgError, match="Singular matrix") as caught:
        accelerated(x, y)
    line = program.__code__.co_firstlineno + 2
    assert any(f"{__file__}:{line}" in note for note in getattr(caught.value, "__notes__", []))
    assert (x == 3).all()
    assert (y == numpy.eye(2)).all()


def test_one_bad_matrix_of_a_batch_is_an_error() -> None:
    batch = lazyarr.numpy.array(numpy.stack([numpy.eye(3), -numpy.eye(3), numpy.eye(3)]))
    with pytest.raises(numpy.linalg.LinAlgError, match="not positive definite"):
        linalg.cholesky(batch)
    assert linalg.cholesky(batch[::2]).shape == (2, 3, 3)


@st.composite
def einsums(draw: Any) -> tuple[str, list[tuple[int, ...]]]:
    """Subscripts, often with repeated, summed and broadcast labels, and shapes that fit."""
    labels = "abcde"
    lengths = {label: draw(st.sampled_from([1, 2, 3, 3, 0])) for label in labels}
    terms = draw(st.lists(st.text(labels, max_size=4), min_size=1, max_size=3))
    shapes = []
    for term in terms:
        # A label may have extent 1 in some operands, and is broadcast there.
        own = {label: draw(st.sampled_from([lengths[label]] * 4 + [1])) for label in set(term)}
        shapes.append(tuple(own[label] for label in term))
    used = sorted(set("".join(terms)))
    output = "".join(draw(st.permutations(used)))[: draw(st.integers(0, len(used)))]
    implicit = draw(st.booleans())
    return ",".join(terms) + ("" if implicit else "->" + output), shapes


@given(einsums(), st.sampled_from(["f8", "f4", "i8", "u1", "?", "c16", "f2"]), st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_einsum(call: tuple[str, list[tuple[int, ...]]], dtype: str, seed: int) -> None:
    subscripts, shapes = call
    rng = numpy.random.default_rng(seed)
    arrays = [numpy.asarray(rng.integers(-3, 4, shape)).astype(dtype) for shape in shapes]
    want, raised = outcome("np.einsum(s, *x)", {"np": numpy, "s": subscripts, "x": arrays})
    lazy = [lazyarr.numpy.array(x) for x in arrays]
    with lazy_settings.settings(fallback="error", compile_after=1000):
        got, error = outcome("np.einsum(s, *x)", {"np": lazyarr.numpy, "s": subscripts, "x": lazy})
        if raised is not None:
            assert isinstance(error, public_class(raised)), (raised, got, error)
        else:
            assert error is None
            assert differences(want, got) == []


@given(einsums(), st.sampled_from(["f8", "i8", "u1", "?", "c16", "f2"]), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_einsum_in_xla(call: tuple[str, list[tuple[int, ...]]], dtype: str, seed: int) -> None:
    subscripts, shapes = call
    rng = numpy.random.default_rng(seed)
    arrays = [numpy.asarray(rng.integers(-3, 4, shape)).astype(dtype) for shape in shapes]
    want, raised = outcome("np.einsum(s, *x)", {"np": numpy, "s": subscripts, "x": arrays})
    assume(raised is None)
    explicit, _ = _contract._explicit((subscripts, *arrays))
    types = [ArrayType(x.dtype, x.shape) for x in arrays]
    params = tuple(param(k, t) for k, t in enumerate(types))
    node = make(EINSUM, params, (("subscripts", explicit),))
    (found,) = Executable(Graph(params, node.values))(arrays)
    assert close(want, numpy.asarray(found))
