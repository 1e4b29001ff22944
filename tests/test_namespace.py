"""The drop-in namespace: every public name of NumPy; what runs in NumPy does so correctly, counted and announced."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest

import lazyarr
import lazyarr.numpy as np
from lazyarr import settings
from lazyarr.array import LazyArray

MODULES = {
    "": (np, numpy),
    "linalg": (np.linalg, numpy.linalg),
    "fft": (np.fft, numpy.fft),
    "random": (np.random, numpy.random),
}
NAMES = [
    (module, name)
    for module, (_, real) in MODULES.items()
    for name in sorted({*real.__all__, *(n for n in dir(real) if not module and not n.startswith("_"))} - {"test"})
]
#: Objects of NumPy's that are indexed, not called.
INDEXED = {"c_", "r_", "mgrid", "ogrid", "s_", "index_exp"}


def kind(value: Any, name: str) -> str:
    if isinstance(value, types.ModuleType):
        return "module"
    if isinstance(value, type):
        return "class"
    if name in INDEXED:
        return "indexed"
    if isinstance(value, numpy.ufunc) or hasattr(value, "nin"):
        return "ufunc"
    return "function" if callable(value) else "constant"


def pair(module: str, name: str) -> tuple[Any, Any]:
    ours, real = MODULES[module]
    return getattr(ours, name), getattr(real, name)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_every_name_is_there_with_its_kind(module: str, name: str) -> None:
    ours, real = pair(module, name)
    assert kind(ours, name) == kind(real, name)
    if kind(real, name) == "constant":
        assert ours is real or ours == real
    if kind(real, name) in ("function", "ufunc", "class"):
        assert ours.__name__ == real.__name__


def parameters(signature: inspect.Signature) -> list[tuple[str, Any, Any]]:
    """The parameters without their annotations."""
    return [(p.name, p.kind, p.default) for p in signature.parameters.values()]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_signature_and_documentation(module: str, name: str) -> None:
    ours, real = pair(module, name)
    if kind(real, name) == "function":
        assert ours.__doc__
        try:
            expected = inspect.signature(real)
        except ValueError:
            return  # NumPy does not say
        assert parameters(inspect.signature(ours)) == parameters(expected)
    elif kind(real, name) == "ufunc":
        assert ours.__doc__ == real.__doc__
        for attribute in ("nin", "nout", "nargs", "ntypes", "types", "identity", "signature"):
            assert getattr(ours, attribute) == getattr(real, attribute)


def test_names_that_numpy_has_not() -> None:
    for name in ("float_", "no_such_name", "product"):
        with pytest.raises(AttributeError) as expected:
            getattr(numpy, name)
        with pytest.raises(AttributeError) as got:
            getattr(np, name)
        assert str(got.value) == str(expected.value)
    assert set(numpy.__all__) <= set(np.__all__)


def test_ndarray() -> None:
    assert isinstance(np.zeros(3), np.ndarray) and isinstance(numpy.zeros(3), np.ndarray)
    assert not isinstance(np.zeros(3)[0], np.ndarray) and not isinstance([1], np.ndarray)
    made = np.ndarray((2, 3), np.float32)
    assert isinstance(made, LazyArray) and made.shape == (2, 3) and made.dtype == numpy.float32


_NOT_COMPILED = (object, "U5", [("a", int), ("b", float)], "datetime64[D]", numpy.longdouble, numpy.ndarray)


@pytest.mark.parametrize("dtype", _NOT_COMPILED)
def test_ndarray_of_what_is_not_compiled(dtype: Any) -> None:
    made, expected = np.ndarray((2, 3), dtype), numpy.ndarray((2, 3), dtype)
    assert type(made) is type(expected) and made.shape == expected.shape and made.dtype == expected.dtype
    made[:] = made[1, 2]
    if made.dtype == object:
        made[0, 1] = [1, 2]
        assert made.tolist() == [[None, [1, 2], None], [None] * 3]


@pytest.fixture
def record() -> Iterator[Callable[[], list[tuple[str, int, str, int]]]]:
    """The record of fallbacks, empty at first: (file, line, what, times)."""
    lazyarr.report().clear()
    yield lambda: [(c.file, c.line, c.what, c.times) for c in lazyarr.report().calls]
    lazyarr.report().clear()


def line() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def uncompiled(x: Any) -> Any:
    """A call that no implementation takes: distinct rows."""
    return np.unique(x, axis=0)


def test_a_fallback_is_right_and_counted_with_its_line(record: Callable[[], Any]) -> None:
    x = np.array([[1, 2], [0, 1], [1, 2]])
    with settings.settings(fallback="allow"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert record() == []
        for _ in range(3):
            got, here = np.unique(x * 2, axis=0), line()
        np.vectorize(abs)(x)
    assert isinstance(got, LazyArray)
    numpy.testing.assert_array_equal(numpy.asarray(got), [[0, 2], [2, 4]])
    first, second = record()
    assert first[0] == __file__ and first[1] == here and first[3] == 3 and first[2].startswith("numpy.unique")
    assert second[3] == 1 and "vectorize" in second[2]


def test_the_report_prints(record: Callable[[], Any]) -> None:
    assert str(lazyarr.report()) == "No call ran in NumPy." and len(lazyarr.report()) == 0
    with settings.settings(fallback="allow"):
        uncompiled(np.zeros((2, 2)))
        uncompiled(np.zeros((2, 2)))
        np.vectorize(abs)(np.zeros(2))
    report = lazyarr.report()
    text = str(report)
    assert "run in NumPy: 3" in text and "numpy.unique" in text and "test_namespace.py:" in text
    lines = text.splitlines()
    assert len(lines) == 4 and lines[1].split() == ["times", "where", "what"] and lines[2].split()[0] == "2"
    starts = {row.index(word) for row, word in zip(lines[1:], ("where", *(c.where for c in report)))}
    assert len(starts) == 1  # the columns are aligned
    assert [c.times for c in report] == [2, 1]
    from rich.console import Console

    console = Console(width=200, record=True, file=open(os.devnull, "w"))
    console.print(report)
    assert "numpy.unique" in console.export_text()
    report.clear()
    assert lazyarr.report().calls == () and len(report) == 2  # a report is what was recorded when it was made


def test_warn_warns_once_a_line(record: Callable[[], Any]) -> None:
    x = np.zeros((2, 2))
    with settings.settings(fallback="warn"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(3):
            np.unique(x, axis=0)
        np.unique(x, axis=0)
        here = line()
    assert [w.category for w in caught] == [lazyarr.FallbackWarning] * 2
    assert [(w.filename, w.lineno) for w in caught] == [(__file__, here - 2), (__file__, here - 1)]
    assert "numpy.unique" in str(caught[0].message)


def test_error_raises_before_anything_changes(record: Callable[[], Any]) -> None:
    x = np.array([3.0, 1.0, 2.0])
    target = np.zeros((2, 3))
    with settings.settings(fallback="error"):
        with pytest.raises(lazyarr.FallbackError, match=r"test_namespace\.py:\d+: numpy\.random\.Generator\.shuffle"):
            np.random.default_rng(0).shuffle(x)
        with pytest.raises(lazyarr.FallbackError):
            np.random.default_rng(0).permuted(np.ones((2, 3)), out=target)
        with pytest.raises(lazyarr.FallbackError):
            uncompiled(x)
    numpy.testing.assert_array_equal(numpy.asarray(x), [3, 1, 2])
    numpy.testing.assert_array_equal(numpy.asarray(target), 0)
    assert record() == []  # nothing has run in NumPy


def test_settings_are_restored_and_checked() -> None:
    with pytest.raises(ValueError, match="fallback is"):
        lazyarr.configure(fallback="never")
    with pytest.raises(TypeError):
        lazyarr.configure(no_such_setting=1)
    before = lazyarr.settings.current
    with lazyarr.settings.settings(fallback="error"):
        assert lazyarr.settings.current.fallback == "error"
    assert lazyarr.settings.current == before


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [
        ("allow", 0, ""),
        ("warn", 0, "FallbackWarning: numpy.unique"),
        ("error", 1, "FallbackError"),
        ("", 0, "FallbackWarning"),
        ("loud", 0, "LAZYARR_FALLBACK is 'loud'; expected one of allow, warn, error"),
    ],
)
def test_the_environment_variable(mode: str, code: int, words: str) -> None:
    program = "import lazyarr.numpy as np; print(np.unique(np.zeros((2, 2)), axis=0))"
    environment = {**os.environ, "LAZYARR_FALLBACK": mode}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert words in done.stderr and (words or done.stderr == "")
    assert (done.stdout == "[[0. 0.]]\n") == (code == 0)


def test_importing_is_light() -> None:
    program = (
        "import sys, lazyarr; lazyarr.report(), lazyarr.configure, lazyarr.settings.current, lazyarr.FallbackError;"
        "print(sorted({'jax', 'sympy', 'scipy', 'rich', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    with pytest.raises(AttributeError):
        lazyarr.no_such_name  # noqa: B018
    assert {"report", "configure", "settings", "FallbackWarning", "FallbackError"} <= set(dir(lazyarr))


# -- functions that change an argument ---------------------------------------------------------------------

MUTATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "put": lambda m, x: m.put(x, [0, 5], [7.0, 8.0]),
    "place": lambda m, x: m.place(x, x > 3, [1.0, 2.0]),
    "putmask": lambda m, x: m.putmask(x, x > 3, x * 10),
    "copyto": lambda m, x: m.copyto(x, 3, where=x > 4),
    "fill_diagonal": lambda m, x: m.fill_diagonal(x, -1),
    "put_along_axis": lambda m, x: m.put_along_axis(x, m.array([[0], [1], [0]]), 9, axis=1),
    "shuffle": lambda m, x: m.random.default_rng(0).shuffle(x),
    "shuffle along axis 1": lambda m, x: m.random.default_rng(0).shuffle(x, axis=1),
    "legacy shuffle": lambda m, x: m.random.RandomState(0).shuffle(x),
    "permuted out": lambda m, x: m.random.default_rng(0).permuted(x, axis=0, out=x),
    "nan_to_num in place": lambda m, x: m.nan_to_num(x, copy=False, nan=0.5),
    "add.at": lambda m, x: m.add.at(x, [0, 0, 1], 1.0),
    "sort": lambda m, x: x.sort(axis=0),
    "partition": lambda m, x: x[:, :1].partition(1, axis=0),
    "fill": lambda m, x: x.fill(2.5),
    "setfield": lambda m, x: x.setfield(1.5, m.float64),
    "byteswap in place": lambda m, x: x.byteswap(inplace=True),
    "method put": lambda m, x: x.put([1, 2], 4.0),
    "out of a ufunc": lambda m, x: m.exp(x, out=x),
    "out of a reduction": lambda m, x: m.cumsum(x, axis=1, out=x),
    "out of a compiled function": lambda m, x: m.round(x, 1, out=x),
    "out of a fallback": lambda m, x: m.quantile(
        x, 0.5, axis=1, out=x[:, 0], weights=m.ones((3, 4)), method="inverted_cdf"
    ),
    "median of overwritten input": lambda m, x: m.sort(m.median(x, axis=0, overwrite_input=True)),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("view", ["whole", "strided", "Fortran"])
def test_what_numpy_changes_is_changed(name: str, view: str) -> None:
    data = numpy.array([[4.5, 1.0, 9.0, -2.0, 8], [0.5, 6.0, numpy.nan, 3.0, 7], [5.0, 2.25, 7.0, 1.5, 6]])
    data = data.copy("F") if view == "Fortran" else data
    real = data.copy("K")
    lazy = np.array(data)
    part: Callable[[Any], Any] = {"whole": lambda x: x, "strided": lambda x: x[:, ::-1], "Fortran": lambda x: x}[view]
    if name == "out of a fallback":
        part = lambda x: x[:, :4]  # noqa: E731
    with settings.settings(fallback="allow"), numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        MUTATIONS[name](np, part(lazy))
        MUTATIONS[name](numpy, part(real))
    assert lazy.dtype == real.dtype and lazy.shape == real.shape
    numpy.testing.assert_allclose(numpy.asarray(lazy), real, rtol=1e-13)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(2, 4), (3,), (4,), (2, 3), (0,), (5, 2, 1)])
def test_resize_in_place(shape: tuple[int, ...], order: str) -> None:
    real = numpy.array([[0.0, 1, 2], [3, 4, 5]], order=order)  # type: ignore[call-overload]
    lazy = np.array(real)
    lazy += 1
    real += 1
    real.resize(shape, refcheck=False)
    with settings.settings(fallback="error"):
        lazy.resize(shape)
    assert (lazy.shape, lazy.flags.c_contiguous) == (real.shape, real.flags.c_contiguous)
    numpy.testing.assert_array_equal(numpy.asarray(lazy), real)
    if lazy.size:
        lazy[:1] *= 2
        real[:1] *= 2
        numpy.testing.assert_array_equal(numpy.asarray(lazy), real)


def test_what_numpy_does_not_resize() -> None:
    x = np.arange(6.0)
    with pytest.raises(ValueError, match="does not own"):
        x[1:].resize(3)
    with pytest.raises(ValueError, match="negative"):
        x.resize(-3)
    view = x[2:]
    with pytest.raises(ValueError, match="referenced"):
        x.resize(3)
    del view
    x.resize(3)
    numpy.testing.assert_array_equal(numpy.asarray(x), [0, 1, 2])


def test_numpy_resizes_what_has_views_to_the_size_it_has() -> None:
    x = np.arange(6.0)
    view = x[1:5]
    view.resize(2, 2)
    x.resize(3, 2)
    view[0, 0] = 7
    numpy.testing.assert_array_equal(numpy.asarray(x), [[0, 7], [2, 3], [4, 5]])


def test_numpys_own_functions_take_lazy_arrays() -> None:
    x = np.arange(6.0).reshape(2, 3)
    for got in (numpy.sum(x, axis=0), numpy.concatenate([x, x]), numpy.median(x), numpy.sqrt(x), numpy.linalg.norm(x)):
        assert isinstance(got, LazyArray)
    target = numpy.zeros(3)
    with settings.settings(fallback="allow"):
        numpy.add(x[0], 1, out=target)
    numpy.testing.assert_array_equal(target, [1, 2, 3])


def test_files(tmp_path: Any) -> None:
    x = np.arange(6.0).reshape(2, 3) / 3
    with settings.settings(fallback="allow"):
        np.save(tmp_path / "x.npy", x)
        np.savetxt(tmp_path / "x.txt", x)
        np.savez(tmp_path / "x.npz", a=x, b=x + 1)
        loaded = np.load(tmp_path / "x.npy"), np.loadtxt(tmp_path / "x.txt"), np.load(tmp_path / "x.npz")["a"]
    for array in loaded:
        numpy.testing.assert_array_equal(numpy.asarray(array), numpy.arange(6.0).reshape(2, 3) / 3)


@pytest.mark.parametrize("name", ["typing", "lib.stride_tricks", "ma", "exceptions"])
def test_submodules_are_imported_by_their_names(name: str) -> None:
    theirs = importlib.import_module(f"numpy.{name}")
    assert importlib.import_module(f"lazyarr.numpy.{name}") is theirs
    spec: Any = theirs.__spec__
    assert spec.name == f"numpy.{name}"


def test_submodules_that_numpy_has_not() -> None:
    for name in ("nothing", "linalg.nothing"):
        with pytest.raises(ModuleNotFoundError, match=rf"lazyarr\.numpy\.{name}"):
            importlib.import_module(f"lazyarr.numpy.{name}")
