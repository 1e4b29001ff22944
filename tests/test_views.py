"""Views and writes of lazy arrays against NumPy's: aliasing, memory geometry, indexing, and what raises."""

from __future__ import annotations

import ast
import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import lazyarr
import lazyarr.numpy as lnp
from lazyarr.settings import settings
from tests.agree import agree, difference
from tests.control_compare import define

A = np.arange(24.0).reshape(4, 6)
B = np.arange(24).reshape(2, 3, 4)
V = np.arange(10)

#: Statements about the array ``a``, with the namespace ``n``; what they leave in ``result`` is compared too.
PROGRAMS: list[tuple[str, Any]] = [
    ('result = a.__setitem__(slice(1, None), a[1:] + a[:-1])', V),
    ('a[1:] += a[:-1]', V),
    ('a[:-1] += a[1:]', V),
    ('a += a.T', np.arange(9.0).reshape(3, 3)),
    ('a[0], a[1] = a[1], a[0]', A),
    ('a[0], a[1] = a[1].copy(), a[0].copy()', A),
    ('a[[0,1]] = a[[1,0]]', A),
    ('a[a>5] = 0', A),
    ('a[a>5] = a[a>5][::-1]', A),
    ('a[a>5] = a[:3,0]', A),
    ('a[a>5] = a[:2,:2]', A),
    ('a[a[:,0]>5] = 7', A),
    ('a[a[:,0]>5] = [[1],[2],[3]]', A),
    ('a[a[:,0]>11] = [[1]*6,[2]*6]', A),
    ('a[a[:,0]>11] = [1,2,3,4,5,6]', A),
    ('a[:, a[0]>2] = -1', A),
    ('a[:, a[0]>2] = [1,2,3]', A),
    ('a[a[:,0]>5, a[0,:4]>0] = 1', A),
    ('a[a>5] += 10', A),
    ('result = a[np.array([True, False])]', A),
    ('a[m] = 1', A),
    ('result = a[n.ones((4, 6, 1), bool)]', A),
    ('a[[1,1,2]] += 1', V),
    ('a[[1,1,2],[0,0,3]] += 5', A),
    ('result = n.add.at(a, [1, 1, 2], [1, 2, 3])', V),
    ('result = n.add.at(a, slice(1, 5), 2)', V),
    ('result = n.add.at(a, ([0, 0, 1], [1, 1, 2]), 1.5)', A),
    ('result = n.subtract.at(a, a > 3, 1)', A),
    ('result = n.negative.at(a, [1, 1, 2])', V),
    ('result = n.maximum.at(a, [1, 1, 2], [9, 3, 5])', V),
    ('result = n.add.at(a, [1], 1.5)', V),
    ('result = n.add.at(a, [1, 10], 1)', V),
    ('result = n.power.at(a, [1, 2, 2], 2)', V),
    ('result = n.divide.at(a, [1, 2, 2], 2.0)', A[0]),
    ('result = n.logical_or.at(a, [1, 2, 2], 2.0)', V),
    ('result = n.copyto(a, a[::-1])', A),
    ('result = n.copyto(a, 5, where=a > 3)', A),
    ('result = n.copyto(a, 1.5)', V),
    ("result = n.copyto(a, 1.5, casting='unsafe')", V),
    ('result = n.copyto(a, n.arange(5))', A),
    ('result = a[1:3].fill(7)', A),
    ('result = a.fill([1, 2])', A),
    ('result = a.T[1:2].fill(3)', A),
    ('result = a[:, ::-1].sort()', A),
    ('result = a[::-1].sort(axis=0)', A),
    ('result = a.sort(axis=2)', A),
    ('a.flat[3]=9; a.flat[[1,2]]=[5,6]; a.T.flat[1]=-1; a.flat[::7]=[1,2]', A),
    ('a.flat=[1,2,3]', A),
    ('result = a.flat == a.flat, a.T.flat != a.flat, a.flat < 4, a.flat >= a[0].flat[3], 5 > a.flat, 3 <= a.T.flat', A),
    ('b = n.array(a.flat); b.sort(); c = n.asarray(a[1].flat); c[0] = 5; result = b, c', A[::-1].copy()),
    ('b = n.array(a.flat, dtype="f4"); b[0] = 7; c = n.ascontiguousarray(a.flat); c[2] = 8; result = b, c', A),
    ('result = n.array(a.T.flat), n.array(a[:, ::2].flat, ndmin=2), n.array(a.T.flat).flags.writeable', A),
    ('n.array(a.T.flat)[0] = 7', A),
    ('b = n.array(a.T.flat, dtype=int); b[0] = 7; result = b', A),
    ('result = n.sort(a.flat), n.sum(a.flat), n.unique(a.T.flat), max(a.flat), n.concatenate([a.flat, a.T.flat])', A),
    ('a.T.flat=range(24)', A),
    ('result = (a.flat[3], a.flat[1:4], a.T.flat[[1, 2]], list(a.T.flat), a.flat[-1], len(a.flat))', A),
    ('result = a.flat[a.ravel() > 4]', A),
    ('result = a.flat[24]', A),
    ('result = a.flat[1, 2]', A),
    ('result = (a.flat.base is a, a.flat.index, a.flat.coords)', A),
    ('a.real[1:]=5; a.imag=a.real*2; a.T.imag[0]=7', A * (1 + 1j)),
    ('a.real[1:]=5; a.real=3', A),
    ('result = a.imag', A),
    ('result = info(a.T.imag), info(a[:, ::2].imag), info(a[1].imag), a.T.imag', A),
    ('a.imag=3', A),
    ('a.imag[0]=3', A),
    ('result = (info(a.real), info(a.imag), info(a[::2].T.real))', A * (1 + 1j)),
    ('a.ravel()[3]=99; a.T.ravel()[3]=55; a.T.ravel("F")[4]=44; a.ravel("K")[5]=33; a.T.ravel("A")[6]=11', A),
    ("a.reshape(6, 4)[1, 1] = 9; a.T.reshape(4, 6)[0, 1] = 8; a[:, :3].reshape(-1)[1] = 7", A),
    ("a[:2].reshape(3, 4)[0, 1] = 6; a.T.reshape(24, order='F')[2] = 5", A),
    ('a[2,3,...][()]=7; a[1,1,...] += 3', A),
    ('result = (a[1, 1], a[1, 1, ...], a[1][...], a[1, 1][()], a[1, 1, ...][()])', A),
    ('a[:,None,::-2][1,0]=4; a[None][0,1]=3; a[...,None][2,2,0]=7', A),
    ('a[1]=[1,2,3,4,5,6]; a[:,1]=range(4); a[2:]=[[9],[8]]', A),
    ('a[1]=[1,2,3]', A),
    ('a[1,1]=[1,2]', A),
    ('a[1]="abc"', A),
    ('a[1]="3.5"', A),
    ('a[1]=None', A),
    ('a[1]=None', V),
    ('a[1]=1j', A),
    ('a[1]=n.full(6,1j)', A),
    ('a[1]=float("nan")', V),
    ('a[1]=2**63', V),
    ('a[1]=300', V.astype('u1')),
    ('a[1]=-1', V.astype('u1')),
    ('a[1:3]=[300,1]', V.astype('u1')),
    ('a[1:3]=n.array([300,1]); a[4]=np.int64(300)', V.astype('u1')),
    ('a[1:3]=2.7; a[4]=-3.9; a[5:7]=[1.5,2.5]', V),
    ('a[1:3]=2.7; a[4]=0; a[5:7]=[0,0.5]; a[8]=2**70', V > 4),
    ('a[...]=a[::-1]; a[:]=a', A),
    ('a[5:2]=1; a[[]]=3; a[a>100]=[]', V),
    ('a[range(0)]=3; result = a[range(0)]', V),
    ('a[1,range(0)]=3; result = a[:, range(0)], a[[[]]], a[[[], []]], a[range(2), range(2)], a[[], [[]]]', A),
    ('result = a[n.zeros(0)]', A),
    ('a[5:2]=[1,2]', V),
    ('a[:,0]=[[[1]]]; a[0]=n.ones((1,1,6))', A),
    ('result = a[4]', A),
    ('result = a[0, 6]', A),
    ('result = a[-5]', A),
    ('result = a[[0, 4]]', A),
    ('result = a[0, [7]]', A),
    ('result = a[[0, 1], [0, 6]]', A),
    ('result = a[0, 0, 0]', A),
    ('result = a[[0], [0], [0]]', A),
    ('result = a[..., ...]', A),
    ('result = a[1.0]', A),
    ('result = a[[1.0]]', A),
    ("result = a['x']", A),
    ('result = a[{}]', A),
    ('result = a[1.0:2]', A),
    ('result = a[None].shape', A),
    ('result = (a[True].shape, a[False].shape, a[True, 1].shape)', A),
    ('a[True]=3; a[False]=4', A),
    ('result = a[[0, 1], [0, 1, 2]]', A),
    ('result = a[::0]', A),
    ('a[4]=1', A),
    ('a[1, 2] = n.array([1.0])', A),
    ('a[1, 2] = n.array([1.0])', A * 1j),
    ('a[1, 2] = n.array([[1.0]]); a[1, 2, ...] = n.array([2.0])', A > 3),
    ('a[1, 2, ...] = n.array([1.0]); a[1, 2:3] = n.array([[1.0]])', A),
    ('result = [info(a.T[[0, 1]]), info(a.T[:, [0, 1]]), info(a.reshape(2, 3, 4).T[[0, 1, 1]])]', A),
    ('b = a.reshape(2, 3, 4).transpose(1, 2, 0); result = [info(b[[0, 2]]), info(b[:, [1, 1]])]', A),
    ('b = a.reshape(2, 3, 4).transpose(1, 2, 0); result = info(b[[0], :, [1]])', A),
    ('a[[0,4]]=1', A),
    ('result = [a[n.zeros(0, bool)], a[n.zeros((0, 6), bool)], a[n.zeros((4, 0), bool)]]', A),
    ('a[n.zeros(0, bool)] = 5; a[n.zeros((0, 6), bool)] = []; a[n.zeros((4, 0), bool)] = 7', A),
    ('result = a[n.zeros(3, bool)]', A),
    ('s = a.sum(); result = (s[s > 0], s[s < 0], s[s > 0, None], s[..., s > 0])', A),
    ('s = a.sum(); result = s[s]', A),
    ('result = a[n.ix_([0, 2], [1, 3])]', A),
    ("result = (a[0, :, [1, 2]], a[:, [0, 1], [1, 2]], a[[0, 1], :, [1, 2]])", B),
    ("result = a[[1], ..., [2]], a[:, None, [1]].shape", B),
    ('a[0,:,[1,2]]=[[1,2,3],[4,5,6]]; a[[0,1],:,[1,2]]=n.arange(6).reshape(2,3); a[:,[0,0],[1,1]]=[7,8]', B),
    *((f"result = n.{name}(*{pair})", A) for name in ("shares_memory", "may_share_memory") for pair in (
        "(a, a.T)", "(a[0], a[1])", "(a[:, ::2], a[:, 1::2])", "(a, a.copy())", "(a[1:], a[:-1])", "(a.ravel(), a)",
        "(a.T.ravel(), a)", "(a[0], a[:, 0])", "(a[0, 1:], a[:, 0])", "(a[1:1], a)")),
    ('result = (a[1:].base is a, a[1:][1:].base is a, a.T.base is a, a.base is None, a[1:].T[::2].base is a)', A),
    ('b=n.broadcast_to(a,(2,4,6)); b[0]=1', A),
    ('a.flags.writeable=False; a[0]=1', A),
    ('a.flags.writeable=False; a+=1', A),
    ('b=a[1:]; a.flags.writeable=False; b[0]=1; a.flags.writeable=True; a[0]=3', A),
    ('a.setflags(write=False); a.fill(1)', A),
    ('a.setflags(write=False); a.sort()', A),
    ('a.setflags(write=False); n.copyto(a,1)', A),
    ('a.setflags(write=False); n.add.at(a,0,1)', A),
    ('a.setflags(write=False); b=a[0]; b.flags.writeable=True', A),
    ('a.setflags(write=False); a.flat[0]=1', A),
    ('a.setflags(write=False); a.T[0,0]=1', A),
    ('a.setflags(write=False); a[a>3]=1', A),
    ('a.diagonal()[0]=1', A),
    ("result = (repr(a.T.flags), a.flags['C'], a.flags['WRITEABLE'], a.flags.num)", A),
    ('a.shape=(6,4); a[0,1]=5', A),
    ('a.shape=(-1,)', A),
    ('a.shape=(5,5)', A),
    ('b=a.T; b.shape=(24,)', A),
    ('a.dtype="i8"; a[0,1]=5', A),
    ("n.put(a, [0, 5, -1], [9, 8]); a.put([1], 3); n.place(a, a > 20, [1, 2]); n.putmask(a, a < 3, a * 2)", A),
    ("n.put_along_axis(a, n.array([[0], [1], [2], [3]]), 5, axis=1); n.fill_diagonal(a, 4)", A),
    ('for row in a:\n row[0]=7\n row += 1', A),
    ('result = (a.item(3), a.item(1, 2), a.item((0, 1)), a.tolist())', A),
    ('result = a.item()', A),
    ('result = a.item(30)', A),
    ("result = (a.view('i4').shape, a.view('c16').shape, a.view('u1'))", A),
    ('w=n.lib.stride_tricks.sliding_window_view(a,3); x=w.sum(-1)', V),
    ('result = n.lib.stride_tricks.as_strided(a, (3, 2), (16, 8))', V),
    ('del a[0]', A),
    ('b=a[::2]; c=b[:,1:]; c*=2; b[0]=c[1,0]; a[0,0]=b[1,1]; d=c.T[::-1]; d[0]=-d[1]; a+=1', A),
    ('def f(x):\n x[1:-1]=(x[:-2]+x[2:])/2\nfor _ in range(5): f(a[1]); f(a[:,2])', A),
]  # fmt: skip


def runner(source: str) -> Any:
    code = compile(source, "<a program>", "exec")

    def program(n: Any, a: Any) -> Any:
        names = {"n": n, "a": a, "np": np}
        exec(code, names)
        return names.get("result")

    return program


@pytest.mark.parametrize(("source", "array"), PROGRAMS, ids=[source for source, _ in PROGRAMS])
def test_programs(source: str, array: Any) -> None:
    """Results, what became of the argument, and the exception with its words."""
    agree(runner(source), array, message=True)


@pytest.mark.parametrize(("source", "array"), [c for k, c in enumerate(PROGRAMS) if k % 3 == 0],
                         ids=[s for k, (s, _) in enumerate(PROGRAMS) if k % 3 == 0])  # fmt: skip
def test_compiled_programs(source: str, array: Any) -> None:
    with settings(compile_after=1):
        agree(runner(source), array)


GEOMETRY = """
a, a.T, a[1:], a[::-1], a[:, ::-2], a[None], a[..., None], a.reshape(-1), a.ravel(), a.copy(), a.T.copy(),
a.T.copy("K"), a.swapaxes(0, 1), a[1], a[1:2], a.astype(int), a.T.astype(int), a + 1, a.T + 1, a[:, ::2] * 2,
a.sum(0), a[1:1], a.squeeze(), a.diagonal(), n.diag(a[:, :4]), n.broadcast_to(a, (2, 4, 6)),
n.moveaxis(a[None], 0, -1), a.view(), a.view("i8"), n.flip(a), n.rot90(a), n.atleast_3d(a), n.expand_dims(a, 1),
a.flatten(), a.T.flatten("F"), n.asarray(a), n.array(a), n.asfortranarray(a), n.ascontiguousarray(a.T),
n.split(a, 2)[1], n.array_split(a, 3, axis=1)[1], n.empty_like(a.T), n.zeros((3, 4), order="F"), a[[0, 1]],
a[:, [0, 1]], a.T[[0, 1]], a.T[:, [0, 1]], a[[[0, 1]], [[1, 2]]], b[0, :, [1, 2]], b[:, [0, 1], [1, 2]],
b[[0, 1], :, [1, 2]], b[:, :, [0, 2]], b[:, [0, 2]], a[a > 3], a[a[:, 0] > 3], a[:, a[0] > 2],
n.take(a, [0, 1], axis=1), n.where(a.T > 1, a.T, 0), n.concatenate([a.T, a.T]), n.repeat(a, 2, axis=1),
n.roll(a.T, 1), n.sort(a.T), n.cumsum(a.T, axis=0), a.T.clip(1, 3), a.T.round(), a.max(axis=1), a.T @ a, a.real,
c.real, c.imag, c.T.imag, c.view("f8"), a.view("c16"), n.full_like(a.T, 1), n.eye(3), a[...], a[()], a[2, ...],
a[2, 3, ...], a.T.T, n.transpose(b, (2, 0, 1)), n.copy(a.T), n.require(a), a.argsort(), n.outer(a[0], a[1]),
n.einsum("ij->ji", a), n.einsum("ii->i", a[:, :4]), n.dot(a.T, a), n.vstack([a[0], a[1]]), n.hsplit(a, 2)[0],
n.unstack(a)[1], n.conj(a.T), a.conj(), n.insert(a, 1, 5), n.delete(a, 1), n.unique(a), n.gradient(a)[0],
n.diff(a.T), n.swapaxes(b, 0, 2), n.partition(a.T, 1), n.reshape(a.T, (6, 4), order="A"), n.resize(a, (2, 2)),
n.mean(a.T, axis=0),
a.T.reshape(-1), a.T.reshape((4, 6))
"""
EXPRESSIONS = [ast.unparse(e) for e in ast.parse(f"({GEOMETRY})", mode="eval").body.elts]  # type: ignore[attr-defined]


def geometry(x: Any) -> tuple[Any, ...]:
    flags = x.flags
    return (x.shape, x.strides, flags.c_contiguous, flags.f_contiguous, flags.owndata, flags.writeable, x.base is None,
            flags.num)  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_memory_geometry(expression: str) -> None:
    """Shape, strides, flags and base of what NumPy's functions give."""
    code = compile(expression, "<an expression>", "eval")
    agree(lambda n, a, b, c: geometry(eval(code, {"n": n, "a": a, "b": b, "c": c})), A, B, A * (1 + 2j))


def test_a_scalar_index_is_a_scalar_and_an_ellipsis_is_a_view() -> None:
    a = lnp.array(A)
    view = a[1, 2, ...]
    view[()] = 7
    assert a[1, 2] == 7 and view.shape == () and view.base is a


def test_a_complex_array_seen_as_pairs_and_back() -> None:
    def program(n: Any, c: Any, f: Any) -> Any:
        c.view("f8")[0, 3] = 7
        f.view("c16")[1, 0] = 3 + 4j
        f.view("c16").imag[2] = 5
        return c.view("f8"), f.view("c16").real

    agree(program, A * (1 - 1j), A)


def test_results_of_one_node_do_not_stand_for_each_other() -> None:
    quotient, rest = lnp.divmod(lnp.arange(5), 3)
    tail = quotient[1:]
    assert tail._value() is not None
    quotient[...] = rest
    assert tail.tolist() == [1, 2, 0, 1]


def test_assigned_shapes_leave_older_views_alone() -> None:
    def program(n: Any, a: Any) -> Any:
        row, other = a[1], a.T
        a.shape = (3, 8)
        a[0, 7] = -1
        row[0] = -2
        later = a[2]
        other[5, 3] = -3
        a.shape = -1
        return row, other, later, a, a.base is None, later.base is a, a[5:9].base is a

    agree(program, A)


DYNAMIC = [
    "row = a[k]; row += 100; a[k] += 1; a[k, 1:] *= 2; a[k][0] = -5",
    "a[k, j] = 7; a[k, j] += 1; result = a[k, j], a[k, j, ...], a[k, ..., j], a[..., k]",
    "a[:, j] -= a[:, k]; a[k:, j] = 0; result = a[None, k], a[:, None, k], a[k, None, 1:]",
    "row = a[k - 4]; row[...] = 3; result = a[k - 4, j - 6].dtype",
    "a[k + 10] = 1", "result = a[k - 10]", "result = a[k, j + 10]", "a[[k, j]] = 4", "result = a[k, [0, 1]]",
    "a[k], a[j] = a[j].copy(), a[k].copy()", "view = a[k][::-1]; a[k] = view; view[0] = 11",
    "b = n.array(k); row = a[b]; row += 100; result = row", "result = a.T[j, k], a[::2][k // 2]",
]  # fmt: skip


@pytest.mark.parametrize("source", DYNAMIC)
@pytest.mark.parametrize("traced", [False, True])
def test_integers_that_are_data_select_views(source: str, traced: bool) -> None:
    """``row = a[k]; row += 1`` writes to ``a``, also where ``k`` is only known when the program runs."""
    code = compile(source, "<a program>", "exec")

    def program(n: Any, a: Any) -> Any:
        names = {"n": n, "a": a, "k": n.argmax(a[:, 0]) // 2 + 1, "j": n.argmin(a[1]) + 2}
        exec(code, names)
        return names.get("result")

    if not traced:
        agree(program, A)
        return
    mine, theirs = A.copy(), A.copy()

    def plain(a: Any) -> Any:
        return program(np, a)

    try:
        expected, error = plain(theirs), None
    except IndexError as raised:
        expected, error = None, raised
    if error is not None:
        with pytest.raises(IndexError):
            lazyarr.accelerate(plain)(mine)
        assert np.array_equal(mine, A)
        return
    found = lazyarr.accelerate(plain)(mine)
    assert np.array_equal(mine, theirs)
    assert difference(expected, found) is None


class Both:
    """The same arrays in NumPy and in lazyarr, and the same operations on both."""

    def __init__(self, base: Any) -> None:
        self.mine, self.lazy = [base.copy()], [lnp.array(base)]

    def view(self, k: int, make: Any) -> None:
        with contextlib.suppress(ValueError, IndexError, TypeError):
            x = make(self.mine[k % len(self.mine)])
            if isinstance(x, np.ndarray) and x.size <= 500 and x.ndim < 6:
                self.lazy.append(make(self.lazy[k % len(self.lazy)]))
                self.mine.append(x)

    def write(self, k: int, j: int, change: Any) -> None:
        x, y = self.mine[k % len(self.mine)], self.mine[j % len(self.mine)]
        if not x.flags.writeable:
            return  # some of NumPy's functions do not mind
        owners = [m for m in self.mine if m.base is None and m.flags.writeable]
        saved = [m.copy() for m in owners]
        try:
            change(x, y)
        except (ValueError, IndexError, TypeError) as error:
            for m, before in zip(owners, saved):
                m[...] = before
            with pytest.raises(type(error)):
                change(self.lazy[k % len(self.lazy)], self.lazy[j % len(self.lazy)])
        else:
            change(self.lazy[k % len(self.lazy)], self.lazy[j % len(self.lazy)])

    def compare(self) -> None:
        for x, y in zip(self.mine, self.lazy):
            assert difference(x, y) is None
            if x.size:
                steps = [[s for s, n in zip(z.strides, z.shape) if n > 1] for z in (x, y)]
                assert steps[0] == steps[1]
            assert x.flags.num == y.flags.num
            assert [x.base is m for m in self.mine] == [y.base is m for m in self.lazy]
        for x, y in zip(self.mine[:6], self.lazy[:6]):
            for p, q in zip(self.mine[:6], self.lazy[:6]):
                assert np.shares_memory(x, p) == lnp.shares_memory(y, q)


def _slice(data: Any) -> Any:
    bound = st.none() | st.integers(-7, 7)
    return slice(data.draw(bound), data.draw(bound), data.draw(st.sampled_from([None, 1, 2, -1, -2, 3])))


def _keys(data: Any) -> Any:
    item = st.sampled_from(["slice", "slice", "int", "new", "ellipsis"])
    key = []
    for kind in data.draw(st.lists(item, min_size=1, max_size=3)):
        key.append({"slice": _slice(data), "int": data.draw(st.integers(-2, 2)), "new": None, "ellipsis": ...}[kind])
    return tuple(key)


VIEWS: dict[str, Any] = {
    "T": lambda x: x.T, "ravel": lambda x: x.ravel(), "flat": lambda x: x.reshape(-1),
    "F": lambda x: x.reshape(-1, order="F"), "flip": lambda x: x[::-1], "swap": lambda x: x.swapaxes(0, -1),
    "new": lambda x: x[:, None], "squeeze": lambda x: x.squeeze(), "half": lambda x: x.reshape(2, -1),
    "three": lambda x: x.reshape(-1, 3, order="A"), "real": lambda x: x.real, "imag": lambda x: x.imag,
    "copy": lambda x: x.copy(order="K"), "fancy": lambda x: x[[0, -1]], "mask": lambda x: x[x.real > 3],
    "diagonal": lambda x: x.diagonal(), "0d": lambda x: x[(0,) * x.ndim + (...,)], "view": lambda x: x.view(),
}  # fmt: skip


def _add(x: Any, y: Any) -> None:
    x += y


def _shift(x: Any, y: Any) -> None:
    x[1:] -= x[:-1]


def _transpose(x: Any, y: Any) -> None:
    x += x.T


def _mask(x: Any, y: Any) -> None:
    x[x.real > 2] = x[x.real > 2][::-1]


def _apart(x: Any, y: Any) -> Any:
    """`y`, or a copy where NumPy would read what it has written: rows that overlap, of unlike steps (its issue)."""
    return y.copy() if x.ndim == y.ndim == 1 and x.strides != y.strides else y


def _assign(x: Any, y: Any) -> None:
    x[...] = _apart(x, y)


def _repeats(x: Any, y: Any) -> None:
    x[[0, 0, -1]] += 1


def _flat(x: Any, y: Any) -> None:
    x.flat[1::2] = [5, 6]


def _row(x: Any, y: Any) -> None:
    x[0] = _apart(x[0], y[-1]) if x.ndim == y.ndim == 2 else y[-1]


WRITES: list[Any] = [_add, _shift, _transpose, _mask, _assign, _repeats, _flat, _row, lambda x, y: x.fill(2),
                     lambda x, y: x.sort(), lambda x, y: x.sort(axis=0), lambda x, y: np.copyto(x, _apart(x, y)),
                     lambda x, y: np.add.at(x, [0, 0], 1)]  # fmt: skip


@given(st.data())
@hypothesis_settings(max_examples=150)
def test_chains_of_views_and_writes(data: Any) -> None:
    dtype = data.draw(st.sampled_from(["f8", "i8", "c16", "f4"]))
    shape = data.draw(st.sampled_from([(4, 6), (3, 3), (12,), (2, 3, 2), (5, 1), (0, 3), ()]))
    both = Both(np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype))
    with settings(fallback="allow", compile_after=10**9):
        for _ in range(data.draw(st.integers(1, 10))):
            k, j = data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9))
            action = data.draw(st.sampled_from(["index", "view", "write"]))
            if action == "index":
                key = _keys(data)
                both.view(k, lambda x, key=key: x[key])
            elif action == "view":
                both.view(k, VIEWS[data.draw(st.sampled_from(sorted(VIEWS)))])
            else:
                both.write(k, j, data.draw(st.sampled_from(WRITES)))
        both.compare()


@pytest.mark.parametrize("recorded", [False, True])
def test_indices_beyond_int64_count_from_the_end(recorded: bool) -> None:
    def program(m: Any) -> Any:
        a = m.arange(5.0)
        last = m.array([2**64 - 1, 2**64 - 2], dtype="u8") + (m.zeros(2, "u8") if recorded else 0)
        a[last] += 10
        found = [a[last], a, m.take_along_axis(a, last, 0)]
        with pytest.raises(IndexError):
            a[m.array([2**63], dtype="u8")]
        return found

    for found, expected in zip(program(lnp), program(np), strict=True):
        np.testing.assert_array_equal(np.asarray(found), expected)


_SIZES = ["i1", "u2", "f2", "i4", "f4", "u8", "f8", "c8", "c16"]


@pytest.mark.parametrize("given", _SIZES)
@pytest.mark.parametrize("eager_below", [0, 50_000])
def test_views_as_elements_of_another_size_are_written_through(given: str, eager_below: int) -> None:
    def program(m: Any, wanted: str, shape: tuple[int, ...]) -> list[Any]:
        a = m.array((np.arange(np.prod(shape)) + 0.5).astype(given).reshape(shape))
        b = a.view(wanted)
        found = [b.copy(), b.strides, b.flags.writeable, b.base is a]
        b[..., 0] = 3
        b[0] += 1
        found += [a.copy()]
        a[..., -1] = 1
        a.dtype = wanted
        a[..., 0] = 7
        return [*found, a, b]

    with settings(eager_below=eager_below):
        for wanted in _SIZES:
            for shape in ((16,), (2, 16), (3, 1, 16)):
                for found, expected in zip(program(lnp, wanted, shape), program(np, wanted, shape), strict=True):
                    if not isinstance(expected, np.ndarray):
                        assert found == expected
                        continue
                    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
                    assert np.asarray(found).tobytes() == expected.tobytes(), (wanted, shape)


def test_views_as_elements_of_another_size_in_accelerated_functions() -> None:
    def program(a: Any) -> Any:
        b = a.view("u1")
        b[3] = 64
        c = a.view("i4")
        c[::2] += 1
        return b.sum(), c[1], a.sum()

    accelerated = lazyarr.accelerate(program)
    for k in range(3):
        plain, own = np.arange(4.0) + k, np.arange(4.0) + k
        assert str(program(plain)) == str(accelerated(own))
        np.testing.assert_array_equal(plain, own)


@pytest.mark.parametrize("given", ["f8", "c16", "i4"])
@pytest.mark.parametrize("chain", [
    "a[:, :2].view('i2')", "a[::2].view('i2')", "a[::-1, 2:6].view('f4')[:, 1:]", "a.T[3:4].T.view('i1')",
    "a[:, 3, None].view('?')", "a[:, 4:].view('c16')", "np.broadcast_to(a[:, :4], (2, 3, 4)).view('u2')",
    "a[:, 2:2].view('i2')", "a[1:1, ::2].view('f4')", "a[:, :4].view('f4')[1:].view('c8')",
])  # fmt: skip
def test_views_as_elements_of_another_size_that_are_returned(given: str, chain: str) -> None:
    seen = define(f"def f(a):\n    return {chain}\n", np=np)
    accelerated = lazyarr.accelerate(seen, always=True)
    for _ in range(3):
        a, b = (np.arange(24).reshape(3, 8).astype(given) for _ in range(2))
        got, expected = accelerated(a), seen(b)
        assert got.dtype == expected.dtype and got.shape == expected.shape and got.strides == expected.strides
        assert got.tobytes() == expected.tobytes() and got.flags.writeable == expected.flags.writeable
        assert np.shares_memory(got, a) == np.shares_memory(expected, b)
        if expected.flags.writeable:
            got[...] = expected[...] = 1
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("layout", ["a[:, ::2]", "a.T", "a[0, 0, ...]", "a[:, :3]"])
def test_views_of_bytes_that_are_not_together_are_refused(layout: str) -> None:
    for m in (np, lnp):
        a = m.arange(16, dtype="i4").reshape(4, 4)
        with pytest.raises(ValueError):
            eval(layout, {"a": a}).view("i8")


@pytest.mark.parametrize("eager_below", [0, 50_000])
def test_arrays_of_one_holder_are_resized_and_others_are_not(eager_below: int) -> None:
    class Holder:
        def __init__(self) -> None:
            self.data = lnp.arange(3.0)

    with settings(eager_below=eager_below):
        holder, held = Holder(), [lnp.arange(3.0)]
        holder.data.resize((2, 2))
        held[0].resize(5, refcheck=False)
        assert holder.data.tolist() == [[0, 1], [2, 0]] and held[0].tolist() == [0, 1, 2, 0, 0]
        view = held[0][1:]
        with pytest.raises(ValueError, match="references"):
            held[0].resize(6, refcheck=False)
        held.clear()
        with pytest.raises(ValueError, match="references"):
            view.base.resize(6, refcheck=False)
        alone = lnp.arange(4.0)[1:]
        with pytest.raises(ValueError, match="references"):
            alone.base.resize(6)
        assert view.tolist() == [1, 2, 0, 0] and alone.tolist() == [1, 2, 3]


@pytest.mark.parametrize("eager_below", [0, 50_000])
@pytest.mark.parametrize("name", ["std", "var", "nanstd", "nanvar"])
def test_deviations_from_a_given_mean(name: str, eager_below: int) -> None:
    with settings(eager_below=eager_below):
        for options in ({}, {"ddof": 1}, {"correction": 1}, {"keepdims": True}):
            a = np.arange(12.0).reshape(3, 4)
            x = lnp.array(a)
            expected = getattr(np, name)(a, axis=1, mean=a.mean(axis=1, keepdims=True), **options)
            found = getattr(lnp, name)(x, axis=1, mean=x.mean(axis=1, keepdims=True), **options)
            np.testing.assert_allclose(np.asarray(found), expected)
            assert found.shape == expected.shape
