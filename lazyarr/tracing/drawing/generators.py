"""Methods of `Generator` of which NumPy's functions in C draw each number: their parameters, and what these must be."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from lazyarr.ops import draws
from lazyarr.tracing.drawing.parameters import Draw, counts, float_value, floats, one_number, require, shape_of

_Holds = Callable[..., Any]
#: Parameters, and conditions on them. Where one does not hold NumPy draws, or says what is wrong; they may be stricter
#: than NumPy's.
_PARAMETERS: dict[str, tuple[str, tuple[_Holds, ...]]] = {
    "beta": ("a b", (lambda a, b: a > 0.0, lambda a, b: b > 0.0)),
    "chisquare": ("df", (lambda df: df > 0.0,)),
    "f": ("dfnum dfden", (lambda m, n: m > 0.0, lambda m, n: n > 0.0)),
    **dict.fromkeys(("gumbel", "laplace", "logistic"), ("loc=0.0 scale=1.0", (lambda loc, scale: scale > 0.0,))),
    "noncentral_chisquare": ("df nonc", (lambda df, nonc: df > 0.0, lambda df, nonc: nonc > 0.0)),
    **dict.fromkeys(("pareto", "power", "weibull"), ("a", (lambda a: a > 0.0,))),
    "rayleigh": ("scale=1.0", (lambda scale: scale > 0.0,)),
    "standard_cauchy": ("", ()),
    "standard_t": ("df", (lambda df: df > 0.0,)),
    "triangular": ("left mode right", (lambda a, b, c: a <= b, lambda a, b, c: b <= c, lambda a, b, c: a < c)),
    "vonmises": ("mu kappa", (lambda mu, kappa: kappa > 0.0,)),
    "wald": ("mean scale", (lambda mean, scale: mean > 0.0, lambda mean, scale: scale > 0.0)),
    "geometric": ("p", (lambda p: p > 0.0, lambda p: p <= 1.0)),
    "logseries": ("p", (lambda p: p > 0.0, lambda p: p < 1.0)),
    # (Within these, NumPy's Poisson numbers have means that it takes.)
    "negative_binomial": (
        "n p", (lambda n, p: n > 0.0, lambda n, p: n < 1e9, lambda n, p: p > 1e-6, lambda n, p: p <= 1.0)
    ),
    "zipf": ("a", (lambda a: a > 1.0,)),
}  # fmt: skip


def _method(distribution: str) -> Callable[..., Any]:
    """What draws as the method of that name does."""
    names, holds = _PARAMETERS[distribution]
    empty, kind = inspect.Parameter.empty, inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters: list[tuple[str, Any]] = [("draw", empty)]
    for name, _, default in (entry.partition("=") for entry in names.split()):
        parameters.append((name, float(default) if default else empty))
    signature = inspect.Signature([inspect.Parameter(n, kind, default=x) for n, x in [*parameters, ("size", None)]])

    def method(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        draw: Draw
        draw, *given, size = bound.args
        numbers, shape = [one_number(x) for x in given], shape_of(size)
        for holding in holds:
            require(holding(*numbers), f"the parameters of {distribution} are in their ranges")
        values = [float_value(x) for x in numbers]
        if draws.DISTRIBUTIONS[distribution][0] == "f64":
            return floats(draw, distribution, shape, *values)
        return counts(draw(distribution, shape or (), *values), shape)

    vars(method)["__signature__"] = signature
    return method


GENERATORS: dict[str, Callable[..., Any]] = {name: _method(name) for name in draws.GENERATORS}
