"""Random numbers: NumPy's own, drawn from a stream whose state is an operand, and states made of seeds.

The state after the draw is a result, so that a program says itself in which order numbers come, and nothing of it is an
effect: what a branch does not take draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from lazyarr.ir.access import WHOLE, OperandAccess
from lazyarr.ir.op import Cost, Op, Sample, Types
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.streams import SIZES, seeded, some_words, stream_of, words_of

#: Distributions of `Generator` of which each number is one call of NumPy's function of that name in C: the dtype of the
#: numbers, and an example of the parameters, all float64.
GENERATORS: dict[str, tuple[str, tuple[float, ...]]] = {
    "beta": ("f64", (2.0, 3.0)), "chisquare": ("f64", (3.5,)), "f": ("f64", (4.0, 6.0)), "gumbel": ("f64", (0.5, 2.0)),
    "laplace": ("f64", (0.5, 2.0)), "logistic": ("f64", (0.5, 2.0)), "noncentral_chisquare": ("f64", (3.0, 1.5)),
    "pareto": ("f64", (3.0,)), "power": ("f64", (2.5,)), "rayleigh": ("f64", (1.5,)), "standard_cauchy": ("f64", ()),
    "standard_t": ("f64", (3.0,)), "triangular": ("f64", (0.0, 1.0, 3.0)), "vonmises": ("f64", (0.5, 2.0)),
    "wald": ("f64", (1.0, 2.0)), "weibull": ("f64", (2.0,)), "geometric": ("i64", (0.3,)),
    "logseries": ("i64", (0.4,)), "negative_binomial": ("i64", (3.0, 0.4)), "zipf": ("i64", (2.5,)),
}  # fmt: skip
#: The dtype of each distribution's numbers, and those of its parameters.
DISTRIBUTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    **{name: (dtype, ("f64",) * len(example)) for name, (dtype, example) in GENERATORS.items()},
    **dict.fromkeys(("random", "standard_normal", "standard_exponential"), ("f64", ())),
    "integers": ("i64", ("i64", "i64")), "standard_gamma": ("f64", ("f64",)), "poisson": ("i64", ("f64",)),
    "binomial": ("i64", ("i64", "f64")), "permutation": ("i64", ()),
    "below": ("i64", ("i64",)), **dict.fromkeys(("gauss", "normalvariate"), ("f64", ())),
}  # fmt: skip
#: Those of Python's own streams.
PYTHONS = ("random", "below", "gauss", "normalvariate")


def distributions(stream: str) -> tuple[str, ...]:
    """What can be drawn from a kind of stream."""
    if stream == "python":
        return PYTHONS
    others = (*PYTHONS[1:], *(GENERATORS if stream == "mt19937" else ()))
    return tuple(name for name in DISTRIBUTIONS if name not in others)


#: What `RandomState` calls them.
_LEGACY = {"random": "random_sample", "integers": "randint"}
#: Arithmetic operations that take as long as one number.
_WORK = 20


def _infer(state: ArrayType, *given: ArrayType, stream: str, distribution: str, shape: tuple[int, ...]) -> Types:
    words = ArrayType(DTYPES["u64"], (SIZES[stream],))
    if state != words:
        raise TypeError(f"draw takes the state of a stream, {words}, got {state}")
    if distribution not in distributions(stream):
        raise ValueError(f"draw: {stream} has no {distribution}")
    dtype, names = DISTRIBUTIONS[distribution]
    parameters = tuple(ArrayType(DTYPES[name], ()) for name in names)
    if given != parameters:
        raise TypeError(f"draw of {distribution} takes the parameters {parameters}, got {given}")
    if distribution == "permutation" and len(shape) != 1:
        raise ValueError(f"draw of a permutation has one axis, got {shape}")
    return ArrayType(DTYPES[dtype], tuple(shape)), words


def _evaluate(xp: Any, state: Any, *given: Any, stream: str, distribution: str, shape: tuple[int, ...]) -> Any:
    made = stream_of(stream, np.asarray(state))
    if stream == "python":
        one = partial(getattr(made, "_randbelow" if distribution == "below" else distribution), *map(int, given))
        numbers = [one() for _ in range(math.prod(shape))]
        return np.array(numbers, DTYPES[DISTRIBUTIONS[distribution][0]]).reshape(shape), words_of(made)
    draw = getattr(made, _LEGACY.get(distribution, distribution) if stream == "mt19937" else distribution)
    size = {"x": shape[0]} if distribution == "permutation" else {"size": tuple(shape) or None}
    found = draw(*(x.item() for x in map(np.asarray, given)), **size)
    return np.asarray(found, DTYPES[DISTRIBUTIONS[distribution][0]]), words_of(made)


def _access(*types: ArrayType, **attrs: Any) -> tuple[OperandAccess, ...]:
    return tuple((WHOLE,) * t.ndim for t in types)


def _cost(state: ArrayType, *given: ArrayType, shape: tuple[int, ...], **attrs: Any) -> Cost:
    count = int(np.prod(shape, dtype=object))
    return Cost(_WORK * (count + 1), 8 * count + 2 * state.nbytes)


def _samples() -> Iterator[Sample]:
    for stream, size in SIZES.items():
        for distribution in distributions(stream):
            names = DISTRIBUTIONS[distribution][1]
            shapes: tuple[tuple[int, ...], ...] = ((), (5,), (2, 3), (0,))
            for shape in ((5,), (0,)) if distribution == "permutation" else shapes:
                attrs = {"stream": stream, "distribution": distribution, "shape": shape}
                types = (f"u64[{size}]", *(f"{name}[]" for name in names))
                yield Sample(types, attrs, make=partial(_operands, stream=stream, distribution=distribution))


def _operands(rng: Any, stream: str, distribution: str) -> tuple[Any, ...]:
    parameters = {
        "integers": (np.int64(-3), np.int64(rng.integers(-2, 40))), "standard_gamma": (np.float64(1.7),),
        "poisson": (np.float64(rng.uniform(0.5, 20.0)),), "binomial": (np.int64(12), np.float64(0.3)),
        "below": (np.int64(rng.integers(1, 2**62)),),
        **{name: tuple(map(np.float64, example)) for name, (_, example) in GENERATORS.items()},
    }  # fmt: skip
    return some_words(stream), *parameters.get(distribution, ())


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
    samples=lambda: (
        Sample(("i64[]",), {"stream": stream}, make=lambda rng: (np.int64(rng.integers(2**32)),)) for stream in SIZES
    ),
)
