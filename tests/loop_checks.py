"""What the tests of compiled loops share: one function with many inputs, accelerated and not."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr import StrictError, accelerate
from tests.acceleration import assert_same, compiled_programs, programs

Array = np.ndarray[Any, Any]


def outcome(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[str, Any]:
    """What a call gives: its result, or the class of what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return "result", function(*args)
        except StrictError:
            raise
        except Exception as error:  # noqa: BLE001  compared with what the other function raises
            return "error", type(error)


def same(function: Callable[..., Any], *inputs: Any, one_program: bool = True, calls: int = 2) -> Any:
    """Results, errors and arguments agree for all inputs. Gives the accelerated function.

    Parameters
    ----------
    function : callable
    *inputs : tuple, or callable that gives one
        The arguments of one call each. A tuple is copied for each call; what makes arguments may make some that
        share memory.
    one_program : bool
        Whether every call has to be one compiled program, or an error that NumPy raises; else, none may be.
    calls : int
        How often each input is given.
    """
    accelerated: Any = accelerate(function, strict=one_program)
    for given in inputs:
        make = given if callable(given) else lambda given=given: copy.deepcopy(given)
        for _ in range(calls):
            plain, own = make(), make()
            (kind, expected), (got_kind, got) = outcome(function, plain), outcome(accelerated, own)
            assert kind == got_kind, (given, expected, got)
            if kind == "result":
                assert_same(expected, got)
            else:
                assert expected is got, given
                if same_as_made(make(), own):
                    continue  # an error leaves the arguments as they were
                # Only what plain Python runs for good has written a part, which is NumPy's then.
                assert programs(accelerated) == 0, "an error left arguments half-written"
            assert_same(plain, own)
    if not one_program:
        assert programs(accelerated) == 0, "compiled as a whole, which the test does not expect"
    return accelerated


def same_as_made(made: Any, left: Any) -> bool:
    """Whether arguments are as they were made."""
    try:
        assert_same(made, left)
    except AssertionError:
        return False
    return True


def compiled(accelerated: Any) -> set[str]:
    """The loops and branches in the programs of a function: names of operations."""
    from lazyarr.tracing.origins import graphs_in

    found = set()
    for one in compiled_programs(accelerated):
        graph = one.program.graph
        found |= {node.op.name for g in (graph, *graphs_in(graph)) for node in g.nodes}
    return found & {"loop", "while", "cond", "select"}


def ramp(*shape: int, dtype: Any = float) -> Array:
    """0, 1, 2, ... of a shape."""
    return np.arange(int(np.prod(shape))).reshape(shape).astype(dtype)


def noise(*shape: int, seed: int = 0, dtype: Any = float) -> Array:
    """Numbers between -1 and 1, or whole ones between -9 and 9."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind in "iu":
        return rng.integers(0 if np.dtype(dtype).kind == "u" else -9, 10, shape).astype(dtype)
    if np.dtype(dtype).kind == "b":
        return rng.random(shape) < 0.5
    if np.dtype(dtype).kind == "c":
        return (rng.uniform(-1, 1, shape) + 1j * rng.uniform(-1, 1, shape)).astype(dtype)
    return rng.uniform(-1, 1, shape).astype(dtype)
