"""What every declared operation must pass, and that the checks see what is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends import base
from lazyarr.backends.numpy import interpret
from lazyarr.ir.access import Along, OperandAccess, elementwise
from lazyarr.ir.op import OPS, Cost, Op, Sample
from lazyarr.ir.types import ArrayType, parse
from lazyarr.testing import check_op, corner_operands, corner_values, draw, prepare

#: What is bound, never run: the parameters of graphs, and recorded data (declared where lazy arrays are loaded).
BOUND = {"param", "leaf"}
DECLARED = sorted(name for name in OPS if name not in BOUND)


@pytest.mark.parametrize("name", DECLARED)
def test_operation(name: str) -> None:
    check_op(OPS[name])


def test_operations_are_declared_once() -> None:
    add = OPS["add"]
    with pytest.raises(ValueError, match="'add' is declared twice"):
        Op(**{field: getattr(add, field) for field in add.__dataclass_fields__})


def test_what_is_slower_is_another_back_end() -> None:
    fields = {field: getattr(OPS["add"], field) for field in OPS["add"].__dataclass_fields__}
    with pytest.raises(ValueError, match="slowdown of 'test_slow' names xla; its back ends after the first are numpy"):
        Op(**{**fields, "name": "test_slow", "slowdown": {"xla": 2.0}})


_numbers = itertools.count()


@pytest.fixture
def declare() -> Iterator[Callable[..., Op]]:
    """Declare a shifted difference along the first axis, with some fields wrong; it is gone after the test."""
    before = set(OPS)

    def declared(**wrong: Any) -> Op:
        def access(x: ArrayType) -> tuple[OperandAccess, ...]:
            return ((Along(0, 0, 1), *(Along(a) for a in range(1, x.ndim))),)

        right: dict[str, Any] = {
            "name": f"test_difference_{next(_numbers)}",
            "numpy": "x[1:] - x[:-1]",
            "infer": lambda x: ArrayType(x.dtype, (x.shape[0] - 1, *x.shape[1:])),
            "evaluate": lambda xp, x: x[1:] - x[:-1],
            "jax": None,
            "access": access,
            "pointwise": False,
            "memory": "fresh",
            "cost": lambda x: Cost(x.size, 2 * x.nbytes),
            "backends": ("xla", "numpy"),
            "samples": lambda: (Sample(("f64[5]",)), Sample(("f32[4,3]",)), Sample(("i32[6]",))),
        }
        return Op(**{**right, **wrong})

    yield declared
    for name in set(OPS) - before:
        del OPS[name]


def test_a_right_declaration_passes(declare: Callable[..., Op]) -> None:
    check_op(declare())


def _modifies(xp: Any, x: Any) -> Any:
    if xp is np:
        x[0] += 1
    return x[1:] - x[:-1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"samples": lambda: ()}, "has no samples"),
        ({"infer": lambda x: ArrayType(np.dtype("f8"), (x.shape[0] - 1, *x.shape[1:]))}, "by the type rule, float32"),
        ({"infer": lambda x: x}, r"f64\[5\] by the type rule, float64\[4\] in NumPy"),
        ({"evaluate": _modifies}, "evaluate modifies operand 0"),
        ({"cost": lambda x: Cost(-1, 0)}, "costs -1 flops"),
        ({"access": lambda x: elementwise(x.shape)}, r"changes result 0\[.*which its access \(along\(0\)\) excludes"),
        ({"access": lambda x: ()}, "not one entry for each axis"),
        ({"pointwise": True}, "pointwise, but its access is not element-wise"),
        ({"memory": "view"}, "no result shares memory with the first operand"),
        ({"evaluate": lambda xp, x: x[1:]}, r"shares memory with operands \[0\], but its is 'fresh'"),
        ({"memory": "free"}, "'free', but an operand is no scalar"),
        ({"jax": lambda jax, x: (x[1:] - x[:-1]) * 2}, "XLA gives .*, NumPy"),
        ({"jax": lambda jax, x: x[1:] - x[:-1] + 1}, r"i32\[6\].*XLA gives"),
        ({"evaluate": lambda xp, x: xp.full_like(x[1:], 1)}, "no change of it changed"),
        ({"fills": lambda results, x: np.subtract(x[:-1], x[1:], results[0])}, "by evaluate, .* by fills"),
    ],
    ids=["samples", "dtype", "shape", "modified", "cost", "access", "axes", "pointwise", "view", "fresh", "free",
         "floats", "integers", "vacuous", "fills"],
)  # fmt: skip
def test_a_wrong_declaration_fails(declare: Callable[..., Op], wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_op(declare(**wrong))


def _plus_length(xp: Any, x: Any, y: Any) -> Any:
    return x * y + (np.shape(x) or (6,))[0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"pointwise": False}, "element-wise by its access in every sample, but not declared pointwise"),
        # Perturbing one element does not show that the shape counts.
        ({"evaluate": _plus_length}, "not pointwise: result 0 of a part of the operands"),
        ({"evaluate": lambda xp, x, y: x * y if np.ndim(y) else x + y}, "other bits if operand 1 is a scalar"),
    ],
    ids=["undeclared", "shape", "scalar"],
)
def test_a_wrong_element_wise_declaration_fails(
    declare: Callable[..., Op], wrong: dict[str, Any], message: str
) -> None:
    right: dict[str, Any] = {
        "infer": lambda x, y: x,
        "evaluate": lambda xp, x, y: x * y,
        "access": lambda x, y: elementwise(x.shape, y.shape),
        "pointwise": True,
        "cost": lambda x, y: Cost(x.size, 3 * x.nbytes),
        "samples": lambda: (Sample(("f64[6,4]", "f64[4]")),),
    }
    check_op(declare(**right))
    with pytest.raises(AssertionError, match=message):
        check_op(declare(**{**right, **wrong}))


def test_memory_is_one_of_the_kinds(declare: Callable[..., Op]) -> None:
    with pytest.raises(ValueError, match="memory of .* is 'mine', not one of"):
        declare(memory="mine")


def _floor_where_not_corner(jax: Any, x: Any) -> Any:
    return jax.numpy.where(jax.numpy.isnan(x), 0.0, jax.numpy.floor(x))


@pytest.mark.parametrize(
    ("lowering", "message"),
    [
        (_floor_where_not_corner, "of nan XLA gives 0.0, NumPy nan"),
        (lambda jax, x: jax.numpy.floor(x) + 0 * jax.lax.optimization_barrier(x * 0 + 1), "of (-?inf|-0.0) XLA gives"),
    ],
    ids=["nan", "zero"],
)
def test_corner_values_are_compared(declare: Callable[..., Op], lowering: Any, message: str) -> None:
    op = declare(
        infer=lambda x: x,
        evaluate=lambda xp, x: xp.floor(x),
        jax=lowering,
        access=lambda x: elementwise(x.shape),
        pointwise=True,
        samples=lambda: (Sample(("f64[3,4]",)),),
    )
    with pytest.raises(AssertionError, match=message):
        check_op(op)


def test_corners_of_two_operands_all_meet() -> None:
    call = prepare(OPS["add"], Sample(("f64[3,1]", "f64[4]")))
    corners = corner_values(np.dtype("f8"), Sample.corners)
    met = set()
    for x, y in corner_operands(call, np.random.default_rng(0)):
        met |= {(a.tobytes(), b.tobytes()) for a in x.ravel() for b in y}
    assert len(met) == len(corners) ** 2


@pytest.mark.parametrize("text", ["bool[40]", "i8[40]", "u16[40]", "f16[40]", "c64[40]", "f64[]", "f32[0,3]"])
def test_drawn_operands_have_the_sample_type(text: str) -> None:
    call = prepare(OPS["positive" if not text.startswith("bool") else "logical_not"], Sample((text,), low=-3, high=3))
    (x,) = draw(call, np.random.default_rng(0))
    assert (x.dtype, x.shape) == (parse(text).dtype, parse(text).shape)
    if x.dtype.kind in "iufc" and x.size:
        assert np.abs(x).max() <= 3 * (np.sqrt(2) if x.dtype.kind == "c" else 1)


@pytest.mark.parametrize("error", [0.0, 1.0])
def test_every_back_end_is_compared(
    declare: Callable[..., Op], monkeypatch: pytest.MonkeyPatch, error: float
) -> None:
    monkeypatch.setattr(base, "_BACKENDS", dict(base._BACKENDS))
    base.register(
        "off_by", lambda graph, donate: lambda arguments: [x + x.dtype.type(error) for x in interpret(graph, arguments)]
    )
    op = declare(backends=("xla", "off_by", "numpy"))
    if error:
        with pytest.raises(AssertionError, match="off_by gives"):
            check_op(op)
    else:
        check_op(op)
