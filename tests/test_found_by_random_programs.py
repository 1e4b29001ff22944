"""Small programs that once differed from NumPy, found by the random programs.

Each is checked in every way in: results, arguments afterwards, and exceptions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from tests.random_differences import differ
from tests.random_execution import Kind, Statement
from tests.random_inputs import Base, Inputs
from tests.random_programs import Program
from tests.random_runner import IMPLEMENTATIONS

F64, F32, I64, I8, U8, C128 = "float64", "float32", "int64", "int8", "uint8", "complex128"

# name: (arguments as (dtype, shape), statements, results). The kind of every statement is MOVE: values are exact.
CASES: dict[str, tuple[list[tuple[str, tuple[int, ...]]], list[str], str]] = {
    "an argument becomes another argument": ([(F64, (3,)), (F64, (3,))], ["a1[...] = a0"], "a0"),
    "a 0-d argument becomes another": ([(I64, ()), (I64, ())], ["a0[...] = a1"], "a0"),
    "conj of a real array is the array": ([(F64, (4,))], ["v0 = a0.conj()", "v0[1:] = v0[:-1]"], "v0"),
    "conj of a 0-d array is the array": ([(I64, ())], ["v0 = a0.conj()", "v0[...] = 7"], "v0"),
    "conj of a bool array is bool": ([("bool", (4,))], ["v0 = a0.conj()", "v1 = np.vdot(a0, a0)"], "v0, v1"),
    "ufunc.at on a view": ([(I64, (6,))], ["v0 = a0[2:]", "np.negative.at(v0, [-1, 1, 0, 3])"], "v0"),
    "ufunc.at after a pending read": ([(I8, (8,))], ["v0 = a0.clip(2.0, 4)", "np.subtract.at(a0, [2, 4], 4)"], "v0"),
    "cumsum of what was just computed": ([(F64, (12,))], ["v0 = np.cumsum(a0 * 2 + 1)", "v1 = v0[None]"], "v1"),
    "cumprod of cumprod": ([(F64, (12,))], ["v0 = np.cumprod(np.cumprod(a0 / a0 * 2))"], "v0"),
    "complex cumsum of what was just computed": (
        [(F32, (11,))],
        ["v0 = a0 * a0 - a0 * (1-2j)", "v1 = np.cumsum(v0)", "v2 = v1[None]"],
        "v2",
    ),
    "isin of itself": ([(F64, (3, 4))], ["v0 = np.isin(a0, a0)"], "v0"),
    "text into numbers": ([(F64, (3,))], ["a0[...] = 'text'"], "a0"),
    "a mask on a 0-d array": ([(I64, ())], ["a0[a0 == a0] = [1, 2, 3]"], "a0"),
    "ufunc.at with a value of another dtype": ([(U8, (4,))], ["np.multiply.at(a0, [0, 1, 0], np.int16(5))"], "a0"),
    "ufunc.at with a NumPy scalar": ([(F32, (4,))], ["np.add.at(a0, [0, 1, 0], np.float64(1.5))"], "a0"),
    "ufunc.at on booleans": ([("bool", (4,))], ["np.add.at(a0, [0, 1, 0], 3)"], "a0"),
    "a running sum into another dtype": ([(F64, (4,)), (I64, (4,))], ["np.cumsum(a0, out=a1)"], "a1"),
    "trim_zeros of a filled array": ([(I64, (4,))], ["a0.fill(3)", "v0 = np.trim_zeros(a0.ravel())"], "v0"),
    "trim_zeros of ones": ([(I64, (4,))], ["v0 = np.ones((1, 4))[...]", "v1 = np.trim_zeros(v0.ravel())"], "v1"),
    "a scalar does not sort": ([(I64, (4,))], ["v0 = a0.argmax()", "v0.sort()"], "v0"),
    "adding zero to negative zero": ([(F64, (3,))], ["v0 = a0 * 0", "v1 = -v0", "v2 = v1 + 0"], "v2"),
    "ufunc.at wraps": ([(U8, (4,))], ["np.add.at(a0, [0, 1, 0], -1)"], "a0"),
    "real = wraps": ([(U8, (4,))], ["a0.real = -2"], "a0"),
    "where wraps": ([(U8, (4,))], ["v0 = np.where(a0 > 2, a0, -2)"], "v0"),
    "select wraps": ([(U8, (4,))], ["v0 = np.select([a0 > 2], [a0], -1)"], "v0"),
    "pad wraps": ([(U8, (4,))], ["v0 = np.pad(a0, 1, constant_values=-1)"], "v0"),
    "a negative power of nothing": ([(I64, (4,))], ["a0[4:] **= -2"], "a0"),
    "ufunc.at compares before it wraps": ([(U8, (4,))], ["np.maximum.at(a0, [0, 1, 0], -2)"], "a0"),
}


def program_of(case: str) -> Program:
    """The program of a case, with two sets of arguments."""
    arguments, lines, results = CASES[case]

    def inputs(first: int) -> Inputs:
        bases = []
        for number, (dtype, shape) in enumerate(arguments):
            numbers = (np.arange(np.prod(shape, dtype=int)) + first + 2 * number).astype(dtype)
            bases.append(Base(f"base{number}", dtype, shape, "C", tuple(numbers.tolist())))
        return Inputs(tuple(bases), {f"a{number}": f"base{number}" for number in range(len(bases))})

    steps = []
    for line in lines:
        target = line.split(" = ")[0]
        binds = target.startswith("v") and target.isidentifier()
        written = tuple(name for name in ("a0", "a1", "v0") if name in line)
        steps.append(Statement(line, Kind.MOVE, (target,) if binds else (), () if binds else written))
    return Program(inputs(1), inputs(3), tuple(steps), tuple(results.split(", ")))


@pytest.mark.parametrize("mode", ["numpy", "lazy", "protocol", "accelerate", "xla"])
@pytest.mark.parametrize("case", CASES)
def test_found_before(case: str, mode: str) -> None:
    implementation = IMPLEMENTATIONS[mode]()
    program = program_of(case)
    if not implementation.fits(program):
        pytest.skip("converts to NumPy's own array")
    difference = differ(program, implementation)
    assert difference is None, f"{difference.message}\n{program.script(mode)}"


@pytest.mark.parametrize("number", [-3, 5, 300, 0])
def test_unsigned_arrays_compare_with_int_arguments(number: int) -> None:
    """A number that the dtype does not hold is less or more than all elements, one compiled for or not."""
    import lazyarr

    def compared(a: np.ndarray, s: int) -> tuple[np.ndarray, ...]:
        return a > s, s <= a, a == s, np.not_equal(a, s)

    array = np.array([0, 5, 200], dtype=np.uint8)
    fast = lazyarr.accelerate(compared)
    for value in (7, number, 8, number):
        for wanted, got in zip(compared(array, value), fast(array, value)):
            np.testing.assert_array_equal(got, wanted, strict=True)


def test_work_for_results_without_an_element_is_not_compiled() -> None:
    # XLA's compiler crashes on the extrema of complex numbers here; nothing needs them.
    def function(a: Any, b: Any) -> Any:
        return np.outer(np.maximum.reduceat(a, [0, 0], axis=-1), b)

    a, b = np.ones((4, 1, 2), complex), np.zeros((2, 1, 0))
    got: Any = lazyarr.accelerate(function)(a, b)
    expected = function(a, b)
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
