"""Scalars that come out of lazy arrays, compared with the scalars NumPy gives."""

from __future__ import annotations

import copy
import io
import math
import operator
import pickle
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
from lazyarr.settings import settings
from tests.agree import agree, disagreement, lazily

A = np.arange(1.0, 7).reshape(2, 3)
V = np.arange(6)
SCALARS = [np.float64(2.5), np.float32(3), np.int64(7), np.int64(-2), np.int8(5), np.uint8(200), np.bool_(True),
           np.complex128(1 + 2j), np.float16(1.5), np.array(2.5), np.array(3)]  # fmt: skip

#: Expressions of a scalar ``x``, an array of floats ``a`` and of integers ``v``, and the namespace ``n``.
EXPRESSIONS = [
    "float(x)", "int(x)", "complex(x)", "bool(x)", "hash(x)", "hash(x) == hash(x.item())", "str(x)", "repr(x)",
    "f'{x}'", "f'{x:.3f}'", "f'{x:5}'", "f'{x!r}'", "'%f' % x", "'%s' % x", "'%d' % x", "'{:g}'.format(x)",
    "round(x)", "round(x, 1)", "math.sqrt(x)", "math.floor(x)", "math.ceil(x)", "math.isnan(x)", "max(x, 0)",
    "min(x, 0)", "max(0, x)", "max([x, x + 1])", "sorted([x, 0])", "sum([x, x])", "sum([x], 0.5)", "divmod(x, 2)",
    "divmod(7, x)", "x ** 2", "x ** 0.5", "2 ** x", "x ** (-1)", "pow(x, 2)", "x // 2", "x % 2", "-x", "+x",
    "abs(x)", "~x", "x and 3", "not x", "x or 5", "x if x else 0", "x == x", "x != 3", "x is x", "{x: 1}[x]",
    "{x: 1}[x.item()]", "x in [x]", "x in {x}", "[1, 2, 3][x]", "list(range(x))", "range(3)[x]", "'abc' * x",
    "[0] * x", "x.shape", "x.ndim", "x.size", "x.dtype", "x.item()", "x.tolist()", "x.T", "x.real", "x.imag",
    "x.conj()", "x.copy()", "x.astype('f4')", "x.astype(int)", "x.reshape(1)", "x.reshape(())", "x.ravel()",
    "x.flatten()", "x.sum()", "x.mean()", "x.max()", "x.min()", "x.std()", "x.any()", "x.all()", "x.round(1)",
    "x.clip(0, 1)", "x.squeeze()", "x.nbytes", "x.itemsize", "x.flags.writeable", "x.strides", "x.base",
    "x.data.nbytes", "x.tobytes()", "x[()]", "x[...]", "x[None]", "x[0]", "x[0:1]", "x[True]", "len(x)", "iter(x)",
    "list(x)", "x.cumsum()", "x.argmax()", "x.nonzero()", "x.is_integer()", "x.as_integer_ratio()", "x.bit_count()",
    "x.hex()", "x.real.dtype", "isinstance(x, n.ndarray)", "isinstance(x, n.generic)", "isinstance(x, n.floating)",
    "isinstance(x, n.integer)", "isinstance(x, n.number)", "n.isscalar(x)", "n.ndim(x)", "n.shape(x)", "x + 1",
    "x + 1.5", "x + 1j", "1 + x", "1.5 - x", "x / 2", "2 / x", "x * 3", "x & 1", "x << 1", "x > 1", "1 > x",
    "x == None", "x != 'a'", "x + True", "x + 10 ** 30", "x + 300", "x - 300", "x * a", "a * x", "a + x", "a[0] + x",
    "n.add(x, x)", "n.add(x, 1)", "n.sin(x)", "n.array(x)", "n.asarray(x)", "n.array([x, x])", "n.array([x, 1.5])",
    "n.stack([x, x])", "n.full((2, 2), x)", "n.where(x > 1, x, 0)", "n.maximum(x, a)", "n.linspace(0, x, 3)",
    "n.arange(x)", "n.zeros(x)", "n.float32(x)", "n.int64(x)", "n.float64(x)", "n.bool_(x)", "n.result_type(x, 1.5)",
    "a[x]", "a[0, x]", "v[x]", "v[:x]", "v[x:]", "v[::x]", "v[x, ...]", "v.reshape(x, -1)", "copy.copy(x)",
    "copy.deepcopy(x)", "pickle.loads(pickle.dumps(x))", "x.__array__()", "np.asarray(x)", "np.add(np.ones(2), x)",
    "operator.index(x)", "bytes(x)", "x.__float__()", "x.dtype.type(3)", "format(x, '>10')", "str(x) + 'a'",
    "setattr(x, 'shape', (1,))", "a.__setitem__(0, x)", "v.__setitem__(0, x)", "a.__setitem__((0, 0), x)",
    "a.__iadd__(x)", "v.__iadd__(x)", "v.__imul__(x)", "x.byteswap()", "x.view('u1')", "x.view()",
    "x.searchsorted(3)", "x.transpose()", "x.swapaxes(0, 0)", "x.diagonal()", "x.trace()", "x.ptp()", "x.prod()",
    "x.var()", "x.repeat(2)", "x.choose([1, 2])", "x.compress([True])", "x.take(0)", "x.sum(axis=0)", "x.sum(0)",
    "x.max(axis=-1)", "x.conjugate()", "x.item(0)", "x.to_device('cpu')", "x.device", "n.sum(x)", "n.mean([x, x])",
    "n.isnan(x)", "n.sqrt(x)", "n.dot(x, x)", "n.outer(x, x)", "n.atleast_1d(x)",
    "n.concatenate([n.atleast_1d(x), v])", "n.append(v, x)", "n.allclose(x, x)", "n.array_equal(x, x)",
    "n.clip(x, 0, 1)", "n.round(x)", "n.abs(x)", "n.power(x, 2)", "n.power(2, x)", "n.sign(x)",
    "n.isclose(x, x + 1e-09)", "math.pow(x, 2)", "math.hypot(x, 1)", "math.exp(x)", "math.gcd(x, 3)",
    "math.factorial(x)", "bin(x)", "hex(x)", "chr(x)", "int(x) // 2", "x.__lt__(3)", "slice(0, x).indices(5)",
]  # fmt: skip
MODULES = {"math": math, "operator": operator, "copy": copy, "pickle": pickle, "np": np}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions(expression: str) -> None:
    """Value, type, or exception of each expression, for scalars of several dtypes and for 0-d arrays."""
    code = compile(expression, "<an expression>", "eval")

    def program(n: Any, x: Any, a: Any, v: Any) -> Any:
        return eval(code, {**MODULES, "n": n, "x": x, "a": a, "v": v})

    wrong = []
    with settings(fallback="allow", compile_after=10**9):
        for x in SCALARS:
            found = disagreement(program, x, A, V)
            if found is not None:
                wrong.append((repr(x), found))
    assert not wrong


#: Where scalars and arrays come from.
ORIGINS = [
    "a[0, 0]", "a[0, 0, ...]", "a[0][1]", "a.sum()", "a.sum(axis=0)", "a.sum(keepdims=True)", "a.mean()", "a.max()",
    "a.argmax()", "n.sum(a)", "n.dot(a[0], a[0])", "a[0] @ a[0]", "n.array(3.0)", "n.asarray(3)", "n.zeros(())",
    "n.sqrt(a[0, 0])", "n.sqrt(n.array(2.0))", "n.add(n.array(1), 2)", "n.array(1) + n.array(2)", "-n.array(1)",
    "abs(n.array(-1))", "n.array(4.0) ** 2", "n.array(2.0).real", "n.array(1j).real", "n.array(1.5).copy()",
    "n.array(1.5).astype(int)", "n.array(1.5).reshape(())", "n.where(True, 1, 2)", "n.squeeze(a[:1, :1])",
    "a[:1, :1].squeeze()[()]", "n.max(v)", "n.median(v)", "n.std(v)", "n.linalg.norm(a)", "n.float64(3)",
    "n.int32(7)", "n.trace(a)", "n.count_nonzero(a)", "n.any(a)", "n.array(3)[()]", "n.array([3])[0]",
    "n.cumsum(n.array(3))", "n.prod(a[0])", "n.min([3, 4])", "n.interp(2.5, [1, 2, 3], [4, 5, 6])",
    "n.trapezoid(a[0])", "n.vdot(v, v)", "n.inner(v, v)", "n.einsum('i,i->', v, v)", "n.einsum('i->', v)",
    "n.maximum(1, 2)", "n.clip(3, 0, 1)", "n.round(2.5)", "n.add.reduce(v)", "n.isnan(a[0, 0])", "n.sin(1)",
    "n.hypot(3, 4)", "n.float32(3) + 3.0", "n.float32(3) * n.float64(2)", "a[0, 0] + a[0, 1]", "a[0, 0] > 1",
    "not a[0, 0]", "divmod(a[0, 0], 2)", "a.item(0)", "a.tolist()[0]", "len(a)", "a.shape[0]", "a.ndim",
    "next(iter(v))", "list(v)[1]", "min(v)", "max(v)", "sum(v)", "sum(a)", "[*a][0]", "dict(zip(v, v))[2]",
    "sorted(v, reverse=True)[0]", "v[v[1]]", "v[: v[2]]", "v[v[1] : v[4] : v[2]]", "[10, 20, 30][v[1]]",
    "range(v[3])[1]", "'x' * v[2]", "n.zeros(v[2])", "n.zeros((v[2], 3)).shape", "a.reshape(v[3], v[2])",
    "int(v[3]) * 1.5", "f'{a[0, 0]:.2f} {v[1]}'", "'%d %f' % (v[1], a[0, 0])", "round(a[0, 1] / 3, 2)",
    "math.sqrt(a[0, 1])", "{v[1]: 1, v[2]: 2}[2]", "{1, v[1]}", "hash(a[0, 0]) == hash(1.0)", "v[1] in {0, 1}",
    "v[1] in [0, 1]", "3 in v", "30 in v", "True if v[1] else False", "a[0, 0] == 1.0 and a[0, 1] == 2",
    "n.bool_(True) & (v[1] == 1)", "int(n.bool_(v[1] > 0))", "str(v[1])", "repr(a[0, 0])", "repr(n.array(3))",
    "str(a)", "repr(a)", "repr(v > 2)", "f'{a}'", "format(a[0, 0], '8.3f')",
]  # fmt: skip


@pytest.mark.parametrize("source", ORIGINS)
def test_what_comes_back_is_a_scalar_where_numpys_is(source: str) -> None:
    code = compile(source, "<an expression>", "eval")
    agree(lambda n, a, v: eval(code, {**MODULES, "n": n, "a": a, "v": v}), A, V)


def test_scalars_do_not_change() -> None:
    x = lazily(np.float64(2.5))
    y = x
    y += 1
    assert x == 2.5 and y == 3.5
    with pytest.raises(TypeError, match="does not support item assignment"):
        x[()] = 3
    with pytest.raises(TypeError, match="return arrays must be of ArrayType"):
        lnp.add(x, 1, out=x)
    a = lnp.arange(3.0)
    first = a[0]
    a[0] = 7
    assert first == 0 and not first.flags.writeable


def test_augmented_assignment_keeps_numpys_dtypes() -> None:
    def program(n: Any, x: Any) -> Any:
        seen = []
        for value in (1, 1.5, True, np.float32(2), np.float64(2), np.int64(2), 1j):
            y = x
            y += value
            y *= value
            seen.append(y)
        return seen

    for x in SCALARS[:9]:
        agree(program, x)


def test_isinstance() -> None:
    x, k, a = lazily(np.float64(2.5)), lazily(np.int32(2)), lnp.arange(3)
    assert isinstance(x, lnp.floating) and isinstance(x, lnp.number) and isinstance(x, lnp.generic)
    assert isinstance(x, lnp.float64) and not isinstance(x, lnp.integer) and not isinstance(x, lnp.ndarray)
    assert isinstance(k, lnp.integer) and not isinstance(k, lnp.float64)
    assert isinstance(a, lnp.ndarray) and not isinstance(a, lnp.generic)


def test_arrays_do_not_hash_and_zero_d_arrays_neither() -> None:
    for array in (lnp.arange(3), lnp.array(3)):
        with pytest.raises(TypeError, match=r"unhashable type: 'numpy.ndarray'"):
            hash(array)


def test_unknown_attributes_are_refused_in_numpys_words() -> None:
    pair: list[Any] = [np.arange(3), np.float64(2)]
    for x in pair:
        with pytest.raises(AttributeError) as theirs:
            x.nothing  # noqa: B018
        with pytest.raises(AttributeError) as mine:
            lazily(x).nothing  # noqa: B018
        assert str(mine.value) == str(theirs.value)


def test_a_python_loop_over_scalars() -> None:
    def program(n: Any, a: Any, v: Any) -> Any:
        total: Any = 0
        best, seen = -1.0, dict[Any, int]()
        for row in a:
            for x in row:
                total += x * 2
                best = max(best, x)
                seen[x] = seen.get(x, 0) + 1
        while total > 10:
            total = total / 2
        return total, best, sorted(seen.items()), [x for x in v if x % 2 == 0]

    agree(program, A, V)


def test_printing_goes_to_the_stream() -> None:
    stream = io.StringIO()
    print(lazily(np.float64(2.5)), lnp.arange(3), file=stream)
    assert stream.getvalue() == f"{np.float64(2.5)} {np.arange(3)}\n"


def test_lazy_scalars_stay_lazy() -> None:
    x = lnp.arange(3.0).sum()
    y = 2 * x + 1.5
    assert isinstance(y, LazyArray) and y._scalar and y._value().node.op.name == "add"
