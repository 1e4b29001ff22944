"""Every array function of NumPy, called on lazy arrays, gives what NumPy gives."""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import numpy
import pytest

import lazyarr
import lazyarr.numpy
from lazyarr import fallback
from lazyarr import settings as lazy_settings
from lazyarr.array import LazyArray
from lazyarr.ir.graph import depth_first
from tests import function_table, function_table_arguments, function_table_math
from tests.agree import agree
from tests.random_compare import public_class

TABLES = {
    name: getattr(module, name)
    for module in (function_table, function_table_math, function_table_arguments)
    for name in dir(module)
    if name.isupper()
}
#: (table, line)
CASES = [(name, line) for name, table in TABLES.items() for line in table.strip().splitlines()]


def outcome(expression: str, namespace: dict[str, Any]) -> tuple[Any, BaseException | None]:
    """What an expression gives, or what it raises."""
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return eval(expression, dict(namespace)), None
        except Exception as error:  # noqa: BLE001  whatever NumPy raises is what is compared
            return None, error


def differences(want: Any, got: Any, where: str = "result") -> list[str]:
    """How a result differs from NumPy's in structure, class, dtype, shape, layout and values."""
    if isinstance(want, numpy.ndarray):
        if not isinstance(got, LazyArray) or got._scalar:
            return [f"{where}: NumPy gives an array, got {type(got).__name__}"]
        if (want.dtype, want.shape) != (got.dtype, got.shape):
            return [f"{where}: NumPy gives {want.dtype}{want.shape}, got {got.dtype}{got.shape}"]
        for flag in ("c_contiguous", "f_contiguous"):
            if getattr(want.flags, flag) != getattr(got.flags, flag):
                return [f"{where}: NumPy's strides are {want.strides}, not {got.strides}"]
        return [] if close(want, numpy.asarray(got)) else [f"{where}: {want!r} != {got!r}"]
    if isinstance(want, numpy.generic):
        if isinstance(got, LazyArray) and got._scalar and got.dtype == want.dtype:
            return [] if close(want, numpy.asarray(got)) else [f"{where}: {want!r} != {got!r}"]
        if type(want) is type(got):
            return [] if close(want, got) else [f"{where}: {want!r} != {got!r}"]
        kind = f"{got.dtype}{got.shape}" if isinstance(got, LazyArray) else type(got).__name__
        return [f"{where}: NumPy gives the scalar {want!r}, got {kind}"]
    if isinstance(want, (list, tuple)):
        if type(want).__name__ != type(got).__name__ or len(want) != len(got):
            return [f"{where}: NumPy gives {type(want).__name__} of {len(want)}, got {got!r}"]
        return [d for k, (x, y) in enumerate(zip(want, got)) for d in differences(x, y, f"{where}[{k}]")]
    if type(want) is not type(got):
        return [f"{where}: NumPy gives {want!r}, got {type(got).__name__} {got!r}"]
    if isinstance(want, float):
        return [] if math.isclose(want, got, rel_tol=1e-12) or want == got else [f"{where}: {want} != {got}"]
    return [] if repr(want) == repr(got) or want == got else [f"{where}: {want!r} != {got!r}"]


def close(want: Any, got: Any) -> bool:
    """Equal, up to the rounding of another order of summation."""
    want, got = numpy.asarray(want), numpy.asarray(got)
    if want.dtype.kind not in "fc":
        return bool(numpy.array_equal(want, got))
    # 64 units in the last place of the largest element: sums of a few dozen elements in another order.
    finite = numpy.abs(want[numpy.isfinite(want)])
    allowed = 64 * float(numpy.finfo(want.dtype).eps)
    return bool(numpy.allclose(want, got, allowed, allowed * float(finite.max(initial=0)), equal_nan=True))


def lazy_inputs() -> dict[str, Any]:
    """The inputs of the tables as lazy arrays with NumPy's memory layout."""
    given = function_table.inputs()
    lazy = {name: lazyarr.numpy.array(value) for name, value in given.items()}
    lazy["F"] = lazyarr.numpy.asfortranarray(lazy["f"])
    lazy["R"] = lazy["f"][::-1, ::2]
    return lazy


def problems(line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How a line of a table fails."""
    expression = line.lstrip("~!").strip()
    given = function_table.inputs()
    given["R"] = given["f"][::-1, ::2]
    want, raised = outcome(expression, {"np": numpy, **given})
    lazy = lazy_inputs()
    data = {array._cell.value.node for array in lazy.values()}
    looks: list[str] = []
    original = LazyArray._elements

    def looking(self: LazyArray, why: str, only_looks: bool = False) -> Any:
        # What is computed from constants alone may be looked at.
        if not data.isdisjoint(depth_first([self._value()])):
            looks.append(why)
        return original(self, why)

    calls_before = fallback.calls.copy()
    with monkeypatch.context() as patch:
        patch.setattr(LazyArray, "_elements", looking)
        got, error = outcome(expression, {"np": lazyarr.numpy, **lazy})
        numpy_calls = [what for _, _, what in fallback.calls - calls_before]
    found = [d for name, value in given.items() for d in differences(value, lazy[name], f"argument {name}")]
    if raised is not None:
        if error is None:
            found.append(f"NumPy raises {raised!r}, got {got!r}")
        elif not isinstance(error, public_class(raised)):
            found.append(f"NumPy raises {raised!r}, got {error!r}")
        return found
    if error is not None:
        return [*found, f"NumPy gives {want!r}, got {error!r}"]
    found += differences(want, got)
    if numpy_calls and not line.startswith("!"):
        found.append(f"runs in NumPy: {numpy_calls}")
    elif looks and not line.startswith(("~", "!")):
        found.append(f"looks at data: {looks}")
    return found


@pytest.mark.parametrize(("table", "line"), CASES, ids=[f"{name}-{line}" for name, line in CASES])
def test_as_numpy(table: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with lazy_settings.settings(fallback="allow"):
        assert problems(line, monkeypatch) == []


#: Each function called from an accelerated one would take minutes: one of twelve lines stands for all.
ACCELERATED = [line for _, line in CASES if not re.search(r"^[~!]|\bR\b| is |\.resize", line)][::12]


@pytest.mark.parametrize("line", ACCELERATED)
def test_accelerated(line: str) -> None:
    given, arguments = function_table.inputs(), function_table.inputs()
    names = sorted(n for n in given if re.search(rf"(?<![\w.']){n}(?![\w(=])", line))
    space: dict[str, Any] = {"np": numpy}
    exec(f"def function({', '.join(names)}):\n    return {line}", space)
    want, raised = outcome("function(*given)", {**space, "given": [given[n] for n in names]})
    accelerated = lazyarr.accelerate(space["function"])
    got, error = outcome("function(*given)", {"function": accelerated, "given": [arguments[n] for n in names]})
    if raised is not None:
        assert isinstance(error, public_class(raised)), f"NumPy raises {raised!r}, got {error!r}"
    else:
        assert error is None
        assert_same(want, got)
    for name in names:
        assert_same(given[name], arguments[name])


def assert_same(want: Any, got: Any) -> None:
    """An accelerated function gives NumPy's own classes."""
    assert type(want) is type(got)
    if isinstance(want, (list, tuple)):
        assert len(want) == len(got)
        for x, y in zip(want, got):
            assert_same(x, y)
    elif isinstance(want, (numpy.ndarray, numpy.generic)):
        assert (want.dtype, want.shape) == (got.dtype, got.shape)
        assert close(want, got)
    else:
        assert want == got or repr(want) == repr(got)


def test_every_array_function_is_called() -> None:
    text = "\n".join(TABLES.values())
    functions = {
        name
        for name in numpy.__all__
        if type(getattr(numpy, name)).__name__ == "_ArrayFunctionDispatcher"
    }  # fmt: skip
    missing = sorted(name for name in functions - ELSEWHERE if f"np.{name}(" not in text)
    assert missing == []


#: Functions on files, dates and strings, and those whose own tests are elsewhere.
ELSEWHERE = {
    "asmatrix", "bmat", "busday_count", "busday_offset", "datetime_as_string", "datetime_data", "fromfile", "fromregex",
    "genfromtxt", "is_busday", "load", "loadtxt", "save", "savetxt", "savez", "savez_compressed",
}  # fmt: skip


def test_dot_writes_into_c_arrays_only() -> None:
    def into(n: Any, make: Any) -> Any:
        a, out = n.arange(6.0).reshape(2, 3), make(n)
        return n.dot(a, n.ones((3, 2)), out=out), out

    for make in (lambda n: n.zeros((2, 2)), lambda n: n.zeros((4, 2))[:2], lambda n: n.zeros((2, 2)).T,
                 lambda n: n.zeros((2, 4))[:, ::2], lambda n: n.zeros((3, 2))):  # fmt: skip
        agree(into, make)


@pytest.mark.parametrize("axis", [[0], [], range(1), "0", (0, [0]), 1.0])
def test_squeeze_takes_an_integer_or_a_tuple(axis: Any) -> None:
    def refused(m: Any) -> str:
        with pytest.raises(TypeError) as error:
            m.squeeze(m.zeros((1, 2)), axis=axis)
        with pytest.raises(TypeError):
            m.zeros((1, 2)).squeeze(axis)
        return str(error.value)

    assert refused(lazyarr.numpy) == refused(numpy)


@pytest.mark.parametrize(("array", "dtype"), [
    ("np.zeros(3, 'i4')", "f8"), ("np.zeros((3, 4))[:, ::2]", "i4"), ("np.zeros(())", "i4"),
    ("np.zeros(5, 'u1')", "i2"), ("np.zeros((2, 4)).T", "f4"),
])  # fmt: skip
def test_dtypes_of_another_size_that_do_not_fit_are_refused(array: str, dtype: str) -> None:
    def refused(m: Any) -> str:
        x = eval(array, {"np": m})
        with pytest.raises(ValueError) as error:
            x.dtype = dtype
        return str(error.value)

    assert refused(lazyarr.numpy) == refused(numpy)
