"""SciPy's special functions, element by element.

SciPy is asked for by whoever calls one of them; nothing here imports it before.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import numpy as np

from lazyarr.ir import access
from lazyarr.ir.op import Op, Sample, Types, streaming_cost
from lazyarr.ir.types import ArrayType
from lazyarr.ops.elementwise import infer_ufunc


def special_ufunc(name: str) -> np.ufunc:
    """The ufunc of `scipy.special` that is called `name`.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = getattr(import_module("scipy.special"), name, None)
    if not isinstance(found, np.ufunc):
        raise ValueError(f"scipy.special has no ufunc {name!r}")
    return found


def _infer(*types: ArrayType, name: str) -> Types:
    return infer_ufunc(special_ufunc(name), *types)


def _samples() -> Iterator[Sample]:
    for name, *operands in (("gamma", "f64[3,4]"), ("gamma", "f32[]"), ("jv", "f64[3,1]", "f64[4]"),
                            ("sici", "f64[5]"), ("wofz", "c128[4]"), ("eval_chebyt", "i64[4]", "f64[4]")):  # fmt: skip
        yield Sample(tuple(operands), {"name": name}, low=0.5, high=4.0, corners=("nan",))


#: The ufunc of that name, with its own results and dtypes.
SPECIAL = Op(
    name="special",
    numpy="scipy.special.<name>(*x)",
    infer=_infer,
    evaluate=lambda xp, *x, name: special_ufunc(name)(*x),
    jax=None,
    access=lambda *types, name: access.elementwise(*(t.shape for t in types)),
    pointwise=True,
    memory="fresh",
    cost=streaming_cost(40.0),
    backends=("numpy",),
    samples=_samples,
)
