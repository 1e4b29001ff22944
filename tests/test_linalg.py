"""numpy.linalg and products of arrays over lazy arrays: values, dtypes, shapes, layouts and errors are NumPy's."""

from __future__ import annotations

import traceback
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
from tests.calls import compare
from tests.linalg_table import TABLES, inputs
from tests.random_compare import public_class
from tests.test_functions import close, differences, outcome

CASES = [(name, line) for name, table in TABLES.items() for line in table.strip().splitlines()]


@pytest.mark.parametrize(("table", "line"), CASES, ids=[f"{name}-{line}" for name, line in CASES])
def test_interpreted(table: str, line: str) -> None:
    with lazy_settings.settings(compile_after=1000):
        assert compare(line.lstrip("~"), inputs()) == []

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
    lines = [frame.lineno for frame in traceback.extract_tb(caught.tb) if frame.filename == __file__]
    assert lines[-1] == program.__code__.co_firstlineno + 2
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


def test_labels_of_an_ellipsis_are_the_first_free_ones() -> None:
    """NumPy's are others in each process; ranks compare the text of what they run."""
    assert _contract._parsed("i...,i...->...", ((4, 3), (4, 3))) == "ia,ia->a"
    assert _contract._parsed("...ab,...bc", ((2, 2, 3, 4), (5, 1, 2, 4, 3))) == "deab,fdebc->fdeac"
    assert _contract._parsed(((0, Ellipsis), (Ellipsis, 0)), ((2, 3), (3, 2))) == "ab,ba->b"
