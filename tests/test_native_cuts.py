"""Long formulas are cut where all ways meet: the work of a program is linear in its length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lazyarr.backends import native
from lazyarr.backends.native_plan import Plan
from lazyarr.ir.text import parse
from tests.loop_checks import Array, same

N = 20_000


def steps(step: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A function of so many steps, written out."""

    def run(x: Any) -> Any:
        for _ in range(count):
            x = step(x)
        return x

    return run


def logistic(x: Any) -> Any:
    return x * 0.9 + x * x * 0.1


def relaxed(x: Any) -> Any:
    return np.exp(-x) * np.sqrt(x + 1) + np.log1p(x)


def three_ways(x: Any) -> Any:
    return np.where(x > 0.5, x - 0.25, x * 1.5) + x / 8


def nested(x: Any) -> Any:
    return np.tanh(np.log1p(np.exp(x)))


def values(dtype: str) -> Array:
    return np.linspace(0.01, 1, N).astype(dtype)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("step", [logistic, three_ways])
@pytest.mark.parametrize("count", [3, 8, 30])
def test_as_numpy(step: Callable[..., Any], count: int, dtype: str, threads: int) -> None:
    same(steps(step, count), (values(dtype),))


@pytest.mark.parametrize("step", [relaxed, nested])
@pytest.mark.parametrize("count", [2, 7])
def test_functions_as_numpy(step: Callable[..., Any], count: int, threads: int) -> None:
    from lazyarr import accelerate

    run, x = steps(step, count), values("f8")
    found = accelerate(run, strict=True)(x)
    np.testing.assert_allclose(found, run(x), rtol=1e-13)


def written_out(count: int) -> str:
    """The IR of so many steps."""
    lines = []
    for k in range(0, 3 * count, 3):
        lines.append(f"%{k + 1} = multiply(%{k}, %{k}) : f64[{N}]")
        lines.append(f"%{k + 2} = negative(%{k}) : f64[{N}]")
        lines.append(f"%{k + 3} = add(%{k + 1}, %{k + 2}) : f64[{N}]")
    return f"graph(%0: f64[{N}]) {{\n" + "\n".join(lines) + f"\n  return %{3 * count}\n}}"


@pytest.mark.parametrize("count", [20, 40])
def test_nothing_is_computed_twice(count: int) -> None:
    """(Where the first formula that was too long was stored, 40 steps had 244 products, and 805 sums.)"""
    assert native.compile(parse(written_out(count))).text.count("= fmul") <= count


FUNCTIONS = f"""graph(%0: f64[{N}]) {{
  %1 = exp(%0) : f64[{N}]
  %2 = sqrt(%1) : f64[{N}]
  %3 = log(%2) : f64[{N}]
  %4 = add(%3, %2) : f64[{N}]
  return %4
}}"""


def test_between_functions_what_several_read_is_stored() -> None:
    graph = parse(FUNCTIONS)
    assert [str(v.node.op.name) for v in Plan(graph).cuts] == ["sqrt"]


def test_one_function_is_no_reason() -> None:
    graph = parse(FUNCTIONS.replace("exp(", "negative("))
    assert not Plan(graph).cuts
    # (`1 / (1 + exp(-x))` and the like.)
    graph = parse(FUNCTIONS.replace("log(", "negative("))
    assert not Plan(graph).cuts


def test_a_chain_of_functions_is_cut() -> None:
    names = ["exp", "log1p", "tanh", "sin", "cos", "exp", "log1p", "tanh", "sin"]
    lines = [f"  %{k + 1} = {name}(%{k}) : f64[{N}]" for k, name in enumerate(names)]
    graph = parse(f"graph(%0: f64[{N}]) {{\n" + "\n".join(lines) + f"\n  return %{len(names)}\n}}")
    assert sorted(v.node.op.name for v in Plan(graph).cuts) == ["sin", "tanh"]
