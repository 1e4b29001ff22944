"""Random numbers: NumPy's own, drawn from a stream whose state is an operand, and states made of seeds.

The state after the draw is a result, so that a program says itself in which order numbers come, and nothing of it is an
effect: what a branch does not take draws nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from lazyarr.ir.access import WHOLE, OperandAccess
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.streams import SIZES, seeded, some_words, stream_of, words_of

#: The dtype of each distribution's numbers.
DISTRIBUTIONS = {"random": "f64", "standard_normal": "f64", "standard_exponential": "f64", "integers": "i64"}
#: Arithmetic operations that take as long as one number.
_WORK = 20


def _infer(state: ArrayType, *limits: ArrayType, stream: str, distribution: str, shape: tuple[int, ...]) -> Types:
    words = ArrayType(DTYPES["u64"], (SIZES[stream],))
    if state != words:
        raise TypeError(f"draw takes the state of a stream, {words}, got {state}")
    expected = 2 if distribution == "integers" else 0
    if len(limits) != expected or any(t != ArrayType(DTYPES["i64"], ()) for t in limits):
        raise TypeError(f"draw of {distribution} takes {expected} limits, i64[], got {limits}")
    return ArrayType(DTYPES[DISTRIBUTIONS[distribution]], tuple(shape)), words


def _evaluate(xp: Any, state: Any, *limits: Any, stream: str, distribution: str, shape: tuple[int, ...]) -> Any:
    made = stream_of(stream, np.asarray(state))
    legacy = {"random": "random_sample", "integers": "randint"} if stream == "mt19937" else {}
    draw = getattr(made, legacy.get(distribution, distribution))
    found = draw(*map(int, limits), size=tuple(shape) or None)
    return np.asarray(found, DTYPES[DISTRIBUTIONS[distribution]]), words_of(made)


def _access(*types: ArrayType, **attrs: Any) -> tuple[OperandAccess, ...]:
    return tuple((WHOLE,) * t.ndim for t in types)


def _cost(state: ArrayType, *limits: ArrayType, shape: tuple[int, ...], **attrs: Any) -> Cost:
    count = int(np.prod(shape, dtype=object))
    return Cost(_WORK * (count + 1), 8 * count + 2 * state.nbytes)


def _samples() -> Iterator[Sample]:
    for stream, size in SIZES.items():
        for distribution in DISTRIBUTIONS:
            limits = ("i64[]", "i64[]") if distribution == "integers" else ()
            for shape in ((), (5,), (2, 3), (0,)):
                attrs = {"stream": stream, "distribution": distribution, "shape": shape}
                make = partial(_operands, stream=stream, limited=bool(limits))
                yield Sample((f"u64[{size}]", *limits), attrs, make=make)


def _operands(rng: Any, stream: str, limited: bool) -> tuple[Any, ...]:
    return some_words(stream), *((np.int64(-3), np.int64(rng.integers(-2, 40))) if limited else ())


#: ``(numbers, state)``: numbers of a distribution, and the state of the stream after them.
DRAW = Op(
    name="draw",
    numpy="numpy.random.<distribution>(size=shape)",
    infer=_infer,
    evaluate=_evaluate,
    jax=None,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=_cost,
    backends=("numpy",),
    samples=_samples,
)


def _infer_seed(seed: ArrayType, *, stream: str) -> ArrayType:
    if seed != ArrayType(DTYPES["i64"], ()):
        raise TypeError(f"seed takes an integer, i64[], got {seed}")
    return ArrayType(DTYPES["u64"], (SIZES[stream],))


#: The state of a stream that a seed makes; the seed is one that NumPy takes.
SEED = Op(
    name="seed",
    numpy="numpy.random.default_rng(seed)",
    infer=_infer_seed,
    evaluate=lambda xp, seed, stream: words_of(seeded(stream, int(seed))),
    jax=None,
    access=_access,
    pointwise=False,
    memory="fresh",
    cost=lambda seed, stream: Cost(100 * SIZES[stream], 8 * SIZES[stream]),
    backends=("numpy",),
    samples=lambda: (Sample(("i64[]",), {"stream": stream}, low=0, high=100) for stream in SIZES),
)
