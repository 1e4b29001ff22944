"""Functions and methods that begin in C: as objects, along axes, and what layout their results have."""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import operator
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.numpy as lnp
from lazyarr.array import LazyArray
from lazyarr.little.extension import compiled
from lazyarr.settings import settings

_RNG = np.random.default_rng(20261123)
_PUBLIC = [name for name in dir(np) if not name.startswith("_") and callable(getattr(np, name))]


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    with settings(eager_below=20_000):
        yield


def _same(mine: Any, theirs: Any) -> None:
    found, wanted = np.asarray(mine), np.asarray(theirs)
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    assert found.tobytes() == wanted.tobytes()
    if isinstance(theirs, np.ndarray):
        assert mine.strides == theirs.strides


def test_functions_are_pickled_and_copied() -> None:
    functions = [getattr(lnp, name) for name in _PUBLIC if inspect.isroutine(getattr(lnp, name))]
    assert len(functions) > 250
    ours = [f for f in functions if type(f).__name__ == "Callable"]
    for function in ours:
        assert pickle.loads(pickle.dumps(function)) is function
        assert copy.deepcopy(function) is function
    assert lnp.concat is lnp.concatenate


@pytest.mark.parametrize("name", ["sum", "zeros", "reshape", "copyto", "shape", "linspace"])
def test_functions_say_what_they_are(name: str) -> None:
    mine, theirs = getattr(lnp, name), getattr(np, name)
    try:
        wanted = inspect.signature(theirs)
    except ValueError:
        with pytest.raises(ValueError, match="signature"):
            inspect.signature(mine)
    else:
        assert inspect.signature(mine) == wanted
    assert mine.__name__ == name
    assert mine.__doc__ == theirs.__doc__
    assert f"<function {name} at" in repr(mine)


def test_functions_in_classes_and_partials() -> None:
    class Holder:
        total = lnp.sum

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.arange(4.0)

    assert Holder().total() == 6.0
    assert functools.partial(lnp.sum, axis=0)(lnp.ones((2, 3))).tolist() == [2.0, 2.0, 2.0]
    assert max([lnp.ones(2), lnp.ones(5)], key=lnp.sum).shape == (5,)
    assert lnp.arange(3).sum.__self__.tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "?", "c16"])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "mean", "any", "all"])
def test_reductions_along_axes(name: str, dtype: str) -> None:
    for shape in ((7,), (1,), (5, 6), (1, 9), (9, 1), (4, 3, 5), (2, 3, 2, 4), (40, 60), (100, 100), (3, 4000)):
        data = _RNG.standard_normal(shape) * 3
        data[_RNG.random(shape) < 0.1] = -0.0
        x = data.astype(dtype)
        y = lnp.array(x)
        for axis, keepdims in itertools.product((None, *range(-len(shape), len(shape))), (False, True)):
            _same(getattr(y, name)(axis=axis, keepdims=keepdims), getattr(x, name)(axis=axis, keepdims=keepdims))
            _same(getattr(lnp, name)(y, axis), getattr(np, name)(x, axis))
        with pytest.raises(np.exceptions.AxisError):
            getattr(y, name)(axis=len(shape))


@pytest.mark.parametrize("name", ["any", "all"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "?"])
def test_truth_of_special_numbers(name: str, dtype: str) -> None:
    for data in ([0, 0], [0, 1], [1, 1], [-0.0, 0.0], [np.nan, 1], [np.nan, 0]):
        with np.errstate(invalid="ignore"):
            x = np.array(data, dtype) if dtype[0] == "f" else np.nan_to_num(np.array(data)).astype(dtype)
        _same(getattr(lnp, name)(lnp.array(x)), getattr(np, name)(x))


_TEXTS = ["a + b", "a * 2", "3 - b", "a < b", "np.maximum(a, b)", "-a", "np.sqrt(abs(a))", "(a + b) * a", "a.T + b.T"]


@pytest.mark.parametrize("text", _TEXTS)
def test_results_have_the_layout_of_operands(text: str) -> None:
    for _ in range(150):
        shape = tuple(int(n) for n in _RNG.integers(1, 5, _RNG.integers(1, 5)))
        plain: dict[str, Any] = {"np": np}
        own: dict[str, Any] = {"np": lnp}
        for name in "ab":
            turn = _RNG.permutation(len(shape))
            steps = tuple(slice(None, None, int(step)) for step in _RNG.choice([1, 1, 2, -1], len(shape)))
            extents = [n * (2 if place.step == 2 else 1) for n, place in zip(shape, steps, strict=True)]
            # (A broadcast axis, at times.)
            extents = [1 if _RNG.random() < 0.1 else n for n in extents]
            data = _RNG.integers(-9, 9, [extents[k] for k in turn]).astype(_RNG.choice(["f8", "f8", "f4", "i8", "?"]))
            back = tuple(int(k) for k in np.argsort(turn))
            plain[name] = data.transpose(back)[steps]
            own[name] = lnp.array(data).transpose(back)[steps]
        try:
            wanted = eval(text, plain)
        except TypeError:  # (Bools have no `-`.)
            with pytest.raises(TypeError):
                eval(text, own)
            continue
        _same(eval(text, own), wanted)


_VIEWS = ["x.reshape(4, 6)", "x.reshape((2, -1))", "x.ravel()", "x.T", "x.transpose(2, 0, 1)", "x.swapaxes(0, 2)",
          "np.moveaxis(x, 0, 1)", "np.flip(x, 1)", "np.expand_dims(x, 0)", "np.rot90(x)", "np.atleast_3d(x)",
          "x.squeeze()", "np.squeeze(x[:1])", "x[:, :1].squeeze(1)", "np.transpose(x)", "np.reshape(x, -1)",
          "np.swapaxes(x[1:], 0, 1)", "x.T.reshape(4, 6)", "x[::2].ravel()"]  # fmt: skip


@pytest.mark.parametrize("text", _VIEWS)
def test_views_see_writes_and_write(text: str) -> None:
    plain: dict[str, Any] = {"np": np, "x": np.arange(24.0).reshape(2, 3, 4).copy()}
    own: dict[str, Any] = {"np": lnp, "x": lnp.array(plain["x"])}
    results = []
    for scope in (plain, own):
        x, view = scope["x"], eval(text, scope)
        x[0, 0] += 100.0
        view[..., 0] = -1.0
        view *= 2
        again = lnp.array if scope is own else np.array
        x += again(1.0)  # (The view looks again at what has moved.)
        results.append((x, view, view + x.sum(), view is x))
    for mine, theirs in zip(results[1][:3], results[0][:3], strict=True):
        _same(mine, theirs)
    assert results[1][3] == results[0][3]


def test_contractions_of_little_and_of_much() -> None:
    x, y = _RNG.random((3, 4)), _RNG.random((4, 5))
    for text in ("ij,jk->ik", "ij,jk", " i j , j k -> k i", "ij,jk->"):
        found = lnp.einsum(text, lnp.array(x), lnp.array(y))
        np.testing.assert_allclose(np.asarray(found), np.einsum(text, x, y), rtol=1e-13)
    found = lnp.einsum("ii->i", lnp.array(x[:, :3]))
    assert found.tolist() == np.einsum("ii->i", x[:, :3]).tolist()
    for wrong in ("ij,jk->ik", "ijk,jk->ik", "ij,jk,k->i"):
        with pytest.raises(ValueError):
            lnp.einsum(wrong, lnp.array(x), lnp.array(x))


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8"])
def test_variances(name: str, dtype: str) -> None:
    for shape in ((9,), (1,), (5, 6), (2, 1, 7), (3, 3000)):
        x = (_RNG.standard_normal(shape) * 3 + 1e6).astype(dtype)
        y = lnp.array(x)
        for axis, keepdims, ddof in itertools.product((None, *range(-len(shape), len(shape))), (False, True), (0, 1)):
            if ddof < (x.size if axis is None else x.shape[axis]):
                options = {"axis": axis, "keepdims": keepdims, "ddof": ddof}
                _same(getattr(y, name)(**options), getattr(x, name)(**options))
        _same(getattr(lnp, name)(y[..., ::-1].T, 0), getattr(np, name)(x[..., ::-1].T, 0))
    with pytest.warns(RuntimeWarning, match="Degrees of freedom"), np.errstate(all="ignore"):
        assert np.isnan(getattr(lnp.ones(1), name)(ddof=1))


@pytest.mark.parametrize("ufunc", ["add", "subtract", "multiply", "maximum"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u1"])
def test_ufuncs_at_positions(ufunc: str, dtype: str) -> None:
    for shape in ((5,), (4, 3), (2, 3, 4)):
        places = tuple(_RNG.integers(-n, n, 40) for n in shape)
        keys: list[Any] = [places if len(shape) > 1 else places[0], tuple(p[:1] for p in places)]
        for key in (*keys, tuple(abs(p) // 2 for p in places)):
            count = len(key[0]) if type(key) is tuple else len(key)
            values = (_RNG.random(2 * count) * 9).astype(dtype)
            for value in (values[:count], values[::2], values[:1], 2, values[0]):
                x = (_RNG.random(shape) * 9).astype(dtype)
                y = lnp.array(x)
                getattr(np, ufunc).at(x, key, value)
                lazy_key = tuple(map(lnp.array, key)) if type(key) is tuple else lnp.array(key)
                getattr(lnp, ufunc).at(y, lazy_key, value)
                _same(y, x)


def test_nothing_is_added_where_a_position_is_outside() -> None:
    y = lnp.zeros(4)
    for wrong in ([0, 1, 4], [0, -5], [2**62, 0], [-(2**63), 0]):
        with pytest.raises(IndexError):
            lnp.add.at(y, np.array(wrong), 1.0)
    assert y.tolist() == [0.0] * 4


def test_what_is_added_may_be_in_the_same_memory() -> None:
    x, y = np.arange(6.0), lnp.arange(6.0)
    scopes: list[tuple[Any, Any]] = [(x, np), (y, lnp)]
    for a, module in scopes:
        module.add.at(a, np.array([0, 0, 5, 3]), a[:4])
        module.add.at(a[::2], np.array([0, 0, 2]), a[3:])
    _same(y, x)


_ON_DIAGONALS = ["d[0] = 1", "d += 1", "d.sort()", "d.fill(1)", "d[:2] = 3", "d[1:][0] = 3", "np.copyto(d, 1)",
                 "np.add(d, 1, out=d)", "d[d > 1] = 0", "d[[0, 1]] = 1", "d.shape = (3, 1)", "d[...] = np.ones(3)",
                 "e = d[:2]; m[0, 0] = 7; e[0] = 1", "d.real[0] = 3", "d.reshape(3, 1)[0] = 5", "m *= 2", "m[1, 1] = 9"]


@pytest.mark.parametrize("text", _ON_DIAGONALS)
@pytest.mark.parametrize("made", ["m.diagonal()", "np.diag(m)", "np.diagonal(m, 1, 1, 0)", "np.diag(m, -1)"])
def test_diagonals_are_views_that_nobody_writes_to(text: str, made: str) -> None:
    results = []
    for module in (np, lnp):
        m: Any = module.arange(9.0).reshape(3, 3) + 0.0
        scope = {"np": module, "m": m, "d": eval(made, {"np": module, "m": m})}
        try:
            exec(text, scope)
            raised = None
        except ValueError as error:
            raised = str(error)
        m[2, 1] = -5.0
        results.append((raised, np.asarray(m).tolist(), np.asarray(scope["d"]).tolist(), scope["d"].flags.writeable))
    assert results[1] == results[0]


_DRAWS = ["rand()", "rand(3)", "random((2, 3))", "normal(0, 1)", "normal(0.0, 2.0, 4)", "uniform(-1, 1, size=(2, 2))",
          "randint(10)", "randint(0, 10, 3)", "choice(5)", "permutation(6)", "standard_normal(3)", "exponential(1.5)",
          "poisson(3.0, size=5)", "rand(0)", "normal([0.0, 5.0], 1.0)", "bytes(3)", "choice(range(2, 6))",
          "permutation(range(4))", "choice(np.array(['a', 'bc']), 3)"]  # fmt: skip
#: What is told by arrays: `p`, three chances that are one together.
_TOLD = ["choice(3, p=p)", "choice(range(3), 4, True, p)", "choice(['a', 'bc', 'd'], p=p)", "choice(p)",
         "permutation(p)", "choice(np.array(['x', 'y', 'zz']), size=2, p=p)", "choice(p, 2, p=p)",
         "normal(p, 2.0)", "normal(0.0, scale=p)", "uniform(p, p + 1)", "multinomial(20, p)",
         "dirichlet(p)", "poisson(p * 10, 3)", "choice(p.size, 2, p=p[::-1])", "normal(p[0], p[1])",
         "choice(3, p=p.reshape(3, 1))", "choice(2, p=p)", "normal(p[:, None], p)"]  # fmt: skip


@pytest.mark.parametrize("text", _DRAWS)
def test_draws_are_numpys(text: str) -> None:
    for name in ("np.random", "np.random.RandomState(3)"):
        found: list[Any] = []
        wanted: list[Any] = []
        scopes: list[tuple[Any, list[Any]]] = [(np, wanted), (lnp, found)]
        for module, results in scopes:
            module.random.seed(5)
            stream = eval(name, {"np": module})
            results += [eval(f"stream.{text}", {"stream": stream, "np": np}) for _ in range(3)]
        for mine, theirs in zip(found, wanted, strict=True):
            assert type(mine) is type(theirs) or isinstance(theirs, np.ndarray)
            _same(mine, theirs)


@pytest.mark.parametrize("text", _TOLD)
def test_draws_that_arrays_tell_are_numpys(text: str) -> None:
    for name in ("np.random", "np.random.RandomState(3)", "np.random.default_rng(3)"):
        results: list[list[Any]] = []
        scopes: list[Any] = [np, lnp]
        for module in scopes:
            module.random.seed(5)
            scope = {"p": module.array([0.25, 0.5, 0.25]), "np": module}
            stream, drawn = eval(name, scope), []
            for _ in range(3):
                try:
                    drawn.append(eval(f"stream.{text}", {"stream": stream, **scope}))
                except ValueError as error:
                    drawn.append(np.str_(error))
            results.append([*drawn, scope["p"], stream.random()])
        for mine, theirs in zip(results[1], results[0], strict=True):
            assert type(mine) is type(theirs) or isinstance(theirs, np.ndarray)
            _same(mine, theirs)


@pytest.mark.parametrize("name", ["random", "standard_normal", "standard_exponential", "standard_gamma"])
def test_what_is_drawn_into_an_array_is_there(name: str) -> None:
    first = (2.0,) if name == "standard_gamma" else ()
    plain, own = np.zeros(4), lnp.zeros(4)
    view = own[1:]
    results = []
    for module, x in ((np, plain), (lnp, own)):
        stream = module.random.default_rng(7)
        draw = getattr(stream, name)
        assert draw(*first, out=x) is x
        results.append(draw(*first, None, np.float64, x) if name != "standard_exponential" else draw(out=x))
        assert results[-1] is x
    _same(own, plain)
    _same(view, plain[1:])


@pytest.mark.parametrize("text", ["random()", "random(3)", "normal(size=3)", "integers(10)", "integers(0, 9, (2, 3))",
                                  "random(3, 'f4')", "random(dtype=np.float32)", "choice(5, 2)", "spawn(2)[1].random()",
                                  "random(30000)", "standard_normal(out=np.zeros(3))"])  # fmt: skip
def test_draws_of_generators_are_numpys(text: str) -> None:
    found: list[Any] = []
    wanted: list[Any] = []
    scopes: list[tuple[Any, list[Any]]] = [(np, wanted), (lnp, found)]
    for module, results in scopes:
        stream = module.random.default_rng(11)
        results += [eval(f"stream.{text}", {"stream": stream, "np": module}) for _ in range(3)]
    for mine, theirs in zip(found, wanted, strict=True):
        assert type(mine) is type(theirs) or isinstance(theirs, np.ndarray)
        _same(mine, theirs)


@pytest.mark.parametrize("count", [0, 1, 17, 1001, 30_000])
@pytest.mark.parametrize("kind", [float, int, np.float64, np.float32, bool, "mixed", "text", "pairs", "arrays"])
def test_lists_of_any_length_are_taken_as_they_are(kind: Any, count: int) -> None:
    results = []
    for module in (np, lnp):
        items: list[Any] = [(k % 7) for k in range(count)]
        if kind == "mixed":
            items = [np.int64(k) if k % 2 else float(k) for k in items]
        elif kind == "text":
            items = [str(k) for k in items]
        elif kind == "pairs":
            items = [(float(k), module.float64(k)) for k in items]
        elif kind == "arrays":
            items = [module.full(2, 1.5 * k) for k in items[:300]]
        else:
            items = [kind(k) for k in items]
        before = [*items]
        found = [module.array(items), module.asarray(tuple(items))]
        if kind != "text" and count:
            found += [module.sum(items, axis=0), module.max(items), module.mean(items, axis=0), module.cumsum(items)]
        found[0][:1] = found[0][-1:]
        assert all(x is y for x, y in zip(items, before, strict=True))
        results.append([np.asarray(x) for x in found])
    for mine, theirs in zip(results[1], results[0], strict=True):
        assert mine.dtype == theirs.dtype and np.array_equal(mine, theirs)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint32, np.int64, np.uint64])
def test_scalars_of_any_whole_type_are_places_and_bounds(kind: Any) -> None:
    i, j = kind(1), kind(3)
    for text in ("x[i]", "x[i, j]", "x[i:j]", "x[:, i:j]", "x[i:j, ::i]", "x[i:j][i - i]"):
        plain, own = np.arange(20.0).reshape(4, 5), lnp.arange(20.0).reshape(4, 5)
        wanted, found = (eval(text, {"x": x, "i": i, "j": j}) for x in (plain, own))
        _same(found, wanted)
        exec(f"{text} = 7", {"x": plain, "i": i, "j": j})
        exec(f"{text} = 7", {"x": own, "i": i, "j": j})
        _same(own, plain)
        _same(found, wanted)


def test_what_numpy_sorts_and_counts_is_at_once_of_more() -> None:
    """What recording could not make faster is not recorded, where its data is there."""
    x = _RNG.random(100_000)
    y = lnp.array(x)
    for text in ("np.median(x)", "np.sort(x)", "np.unique(x)", "np.percentile(x, [5, 95])", "np.partition(x, 7)",
                 "np.histogram(x, 30)[0]", "np.argsort(x)"):  # fmt: skip
        found = eval(text, {"np": lnp, "x": y})
        assert not isinstance(found, LazyArray) or found._mine is not None
        _same(found, eval(text, {"np": np, "x": x}))
    assert (y * 2)._mine is None


def test_positions_of_several_axes_are_looked_at_at_once() -> None:
    x = _RNG.random((6, 5, 4))
    rows, columns, mask = np.array([0, -1, 3]), np.array([1, 1, 4]), x[:, 0, 0] > 0.5
    keys: list[Any] = [
        (rows, columns), (slice(None), columns), (rows[:, None], columns), (mask, 2), ([0, 2], slice(1, None), [1, 3]),
        (rows, slice(None, None, 2), 1), (None, rows), (x[..., 0] > 0.3, 1), [4, 0, 0], (np.int32(2), columns),
        (slice(1, 3), [0, 1]), (rows, columns, rows),
    ]  # fmt: skip
    for key in keys:
        plain, own = x.copy(), lnp.array(x)
        parts = key if type(key) is tuple else (key,)
        lazy = tuple(lnp.array(part) if isinstance(part, np.ndarray) else part for part in parts)
        lazy_key: Any = lazy if type(key) is tuple else key
        found, wanted = own[lazy_key], plain[key]
        _same(found, wanted)
        found += 1.0  # (It is no view.)
        _same(own, plain)
        for value in (3.0, wanted * 2, 1):
            plain[key] = value
            own[lazy_key] = value
            _same(own, plain)
        plain[key] -= 0.5
        own[lazy_key] -= 0.5
        _same(own, plain)
    for wrong in ((rows, columns + 1), (rows, rows[:2]), (rows, columns, rows, rows), [6]):
        with pytest.raises(IndexError):
            lnp.array(x)[wrong]


@pytest.mark.skipif(compiled is None, reason="without the extension in C functions are Python's, which are methods")
def test_what_is_written_in_c_for_numpy_is_no_method_of_classes() -> None:
    class Holder:
        array, total = lnp.array, lnp.sum

    assert Holder().array([1, 2]).tolist() == [1, 2]
    assert Holder().total.__self__.__class__ is Holder


def test_what_is_added_may_overlap() -> None:
    scopes: list[Any] = [np, lnp]
    found = []
    for module in scopes:
        a = module.arange(40.0) + 1
        x = a[10:20]
        module.add.at(x, np.array([2, 2, 2, 5, 6, 7, 8, 9, 0, 1]), a[::4])
        module.subtract.at(a[:10], np.array([9, 8, 7, 6, 5, 4, 3, 2, 1, 9]), a[18:8:-1])
        found.append(a)
    _same(found[1], found[0])


def test_exceptions_that_are_not_numpys_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    inner: Any = np.moveaxis
    monkeypatch.setitem(inner._implementation.__globals__, "normalize_axis_tuple", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lnp.moveaxis(lnp.ones((2, 3)), 0, 1)


def test_functions_take_no_more_arguments_than_numpys() -> None:
    x = lnp.arange(6.0)
    with pytest.raises((TypeError, ValueError)):
        lnp.reshape(x, 2, 3)
    with pytest.raises(TypeError):
        lnp.transpose(x.reshape(2, 3), 1, 0)
    assert x.reshape(2, 3).transpose(1, 0).shape == (3, 2)


def test_a_dtype_that_runs_code() -> None:
    x = lnp.arange(5.0)

    class Dtype:
        @property
        def dtype(self) -> Any:
            seen = np.asarray(x)
            x[0] = 7.0
            del seen
            return np.dtype(float)

    for made in (lnp.array, lnp.asarray):
        assert made(x, dtype=Dtype()).tolist() == [7.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "?", "c16", "u1"])
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_running_sums_along_axes(name: str, dtype: str) -> None:
    for shape in ((7,), (1,), (0,), (5, 6), (1, 9), (9, 1), (4, 3, 5), (40, 60), (3, 4000)):
        data = (20 * _RNG.normal(size=shape)).astype(dtype)
        views: list[Callable[[Any], Any]] = [lambda x: x, lambda x: x.T, lambda x: x[::2]]
        for view in views:
            given, mine = view(data), view(lnp.array(data))
            for axis in (None, *range(-data.ndim, data.ndim)):
                with np.errstate(all="ignore"):
                    theirs = getattr(np, name)(given, axis)
                _same(getattr(lnp, name)(mine, axis), theirs)
                _same(getattr(mine, name)(axis=axis), theirs)
    for wrong in ({"axis": 2}, {"axis": -3}, {"axis": 1.0}, {"keepdims": False}):
        with pytest.raises(Exception) as theirs:  # noqa: PT011  NumPy's own is what is compared
            getattr(np, name)(np.ones((2, 3)), **wrong)
        with pytest.raises(theirs.type):
            getattr(lnp, name)(lnp.ones((2, 3)), **wrong)


@pytest.mark.parametrize("dtype", ["f8", "f4", "c8", "c16", "i8"])
def test_products_have_the_bits_of_numpys(dtype: str) -> None:
    for _ in range(300):
        rows, inner, columns = (int(n) for n in _RNG.integers(1, 12, 3))
        given: list[Any] = []
        for shape in ((rows, inner), (inner, columns)):
            data = 10 * _RNG.normal(size=shape) + (1j * _RNG.normal(size=shape) if dtype[0] == "c" else 0)
            given.append(data.astype(dtype))
        ways: dict[str, Any] = {
            "plain": lambda np, x, y: x @ y, "vector on the right": lambda np, x, y: x @ y[:, 0].copy(),
            "strided vector": lambda np, x, y: x @ y[:, 0], "vector on the left": lambda np, x, y: x[0] @ y,
            "vectors": lambda np, x, y: x[0] @ y[:, 0].copy(), "by itself": lambda np, x, y: x @ x.T,
            "turned": lambda np, x, y: y.T @ x.T, "its own square": lambda np, x, y: (x @ x.T) @ (x @ x.T),
            "strided": lambda np, x, y: x[::2] @ y[:, ::2], "vector by itself": lambda np, x, y: x[0] @ x[0],
            "of other orders": lambda np, x, y: np.asarray(x.T.copy()).T @ y,
        }  # fmt: skip
        for program in ways.values():
            _same(program(lnp, *map(lnp.array, given)), program(np, *given))


def test_products_of_what_does_not_fit() -> None:
    for shapes in (((2, 3), (2, 3)), ((3,), (2,)), ((2, 3), ()), ((2, 0), (3, 2))):
        theirs, mine = map(np.ones, shapes), map(lnp.ones, shapes)
        with pytest.raises(ValueError, match="matmul"):
            operator.matmul(*theirs)
        with pytest.raises(ValueError, match="matmul"):
            operator.matmul(*mine)
