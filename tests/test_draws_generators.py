"""Distributions of `Generator` that NumPy's functions in C draw, in programs: numbers, types, errors, streams after."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr import streams
from tests.acceleration import assert_same
from tests.written import module_of

#: Calls by values of a loop: an index ``i``, an int ``k`` and an array ``x`` of numbers between 0.1 and 0.9.
CALLS = (
    "rng.beta(2.0, 3.0)", "rng.beta(a=x[i], b=k)", "rng.beta(0.5, 0.5, size=3)[1]", "rng.beta(1e-3, 2e-3)",
    "rng.chisquare(k)", "rng.chisquare(x[i], 4)[2]", "rng.f(3, 4)", "rng.f(dfnum=x[i], dfden=2.0, size=(2, 2))[1, 0]",
    "rng.standard_cauchy()", "rng.standard_cauchy(4)[3]", "rng.standard_t(3)", "rng.standard_t(df=x[i], size=2)[0]",
    "rng.geometric(0.3)", "rng.geometric(x[i])", "rng.geometric(1.0)", "rng.geometric(1e-3, size=(2, 3)).sum()",
    "rng.negative_binomial(5, 0.4)", "rng.negative_binomial(n=x[i], p=x[3], size=2)[1]",
    "rng.laplace()", "rng.laplace(i, x[i])", "rng.laplace(scale=2.0, size=2)[1]", "rng.gumbel(1.0, x[i])",
    "rng.logistic(loc=-3, scale=0.1)", "rng.rayleigh()", "rng.rayleigh(x[i], 3)[0]", "rng.weibull(1.5)",
    "rng.weibull(x[i])", "rng.pareto(x[i])", "rng.power(5)", "rng.power(x[i], (2, 2)).sum()",
    "rng.triangular(-1, x[i], 1)", "rng.triangular(0, 0, 2)", "rng.triangular(0, 2, 2)", "rng.vonmises(0.5, 4.0)",
    "rng.vonmises(i, x[i] / 1000)", "rng.vonmises(1.0, 1e7)", "rng.wald(1.0, x[i])", "rng.wald(mean=3, scale=0.5)",
    "rng.zipf(2.0)", "rng.zipf(1 + x[i])", "rng.logseries(x[i])", "rng.noncentral_chisquare(3.0, x[i])",
    "rng.noncentral_chisquare(0.5, 2)", "rng.random(dtype=np.float64) * rng.beta(1, 1) + rng.integers(5)",
)  # fmt: skip
#: Calls that NumPy refuses in some iteration, or that are of other kinds of parameters.
OTHERS = (
    "rng.beta(x[i] - 0.5, 1.0)", "rng.beta(x, x)[i]", "rng.geometric(0.0)", "rng.geometric(x[i] * 2)",
    "rng.standard_t(-1)", "rng.triangular(2, 1, 3)", "rng.zipf(1.0)", "rng.weibull(0.0)", "rng.laplace(0, 0)",
    "rng.laplace(x, 1.0)[i]", "rng.vonmises(0.0, 0.0)", "rng.logseries(0.0)", "rng.chisquare(np.nan)",
    "rng.chisquare(df=[1, 2])[1]", "rng.rayleigh(-0.0)", "rng.negative_binomial(1e10, 1e-12)", "rng.beta(1.0)",
    "rng.beta('a', 2)", "rng.power(2.0, size=-1)", "rng.pareto(2.0, size=())",
)  # fmt: skip


def program(text: str) -> Any:
    """A function with a loop that draws so."""
    lines = [
        "import numpy as np", "def f(rng, x, k, n):", "    total, last = 0.0, 0", "    for i in range(n):",
        f"        last = {text}", "        x[i] = x[i] * 0.5 + 0.1", "        total += last + rng.random()",
        "    return total, last",
    ]  # fmt: skip
    return module_of("".join(f"{line}\n" for line in lines), f"<drawn by {text}>").f


def compare(function: Any, accelerated: Any, given: tuple[tuple[Any, ...], ...]) -> None:
    """One call of each: what it gives or raises, and what is left."""
    outcomes: list[tuple[Any, Any]] = []
    for call, arguments in ((function, given[0]), (accelerated, given[1])):
        try:
            outcomes.append((call(*arguments), None))
        except (ValueError, TypeError) as error:
            outcomes.append((None, (type(error), str(error))))
    assert_same(outcomes[0][0], outcomes[1][0])
    assert outcomes[0][1] == outcomes[1][1]
    assert streams.words_by_name(given[0][0]).tolist() == streams.words_by_name(given[1][0]).tolist()
    if outcomes[0][1] is None:
        assert_same(given[0][1], given[1][1])


@pytest.mark.parametrize("text", CALLS)
def test_calls_in_loops(text: str) -> None:
    function = program(text)
    accelerated: Any = lazyarr.accelerate(always=True)(function)
    rngs = np.random.default_rng(12), np.random.default_rng(12)
    for n in (6, 7, 9, 9, 12):
        compare(function, accelerated, tuple((rng, np.linspace(0.1, 0.9, 12), 3, n) for rng in rngs))
    assert accelerated.explain(rngs[1], np.linspace(0.1, 0.9, 12), 3, 6).mode == "one program"


@pytest.mark.filterwarnings("ignore::lazyarr.fallback.FallbackWarning")
@pytest.mark.filterwarnings("ignore::lazyarr.report.FallbackWarning")
@pytest.mark.parametrize("text", OTHERS)
def test_what_numpy_draws_or_refuses(text: str) -> None:
    function = program(text)
    accelerated: Any = lazyarr.accelerate(always=True)(function)
    rngs = np.random.default_rng(12), np.random.default_rng(12)
    for n in (3, 8, 12):
        compare(function, accelerated, tuple((rng, np.linspace(0.1, 0.9, 12), 3, n) for rng in rngs))


@pytest.mark.parametrize("text", CALLS[::3])
def test_calls_without_loops(text: str) -> None:
    def maker(seed: int) -> tuple[Any, ...]:
        return np.random.default_rng(seed), np.linspace(0.1, 0.9, 12), 3

    source = f"import numpy as np\ndef f(rng, x, k, i=2):\n    return {text}, rng.random()\n"
    function = module_of(source, f"<drawn once by {text}>").f
    accelerated: Any = lazyarr.accelerate(always=True)(function)
    for seed in range(4):
        plain, own = maker(seed), maker(seed)
        compare(function, accelerated, (plain, own))
