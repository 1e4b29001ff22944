"""XLA lowerings of transcendental functions, real and complex: XLA's own where they are good, else ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lazyarr.ops import xla_complex, xla_real
from lazyarr.ops.xla_core import Lowering, exact, in_float32, is_complex, together


def real_or_complex(real: Lowering, complex_: Lowering) -> Lowering:
    """One lowering of two; float16 is computed in float32 and rounded once, as NumPy does."""

    def lowered(jax: Any, *arrays: Any) -> Any:
        arrays = tuple(together(jax, *arrays))
        return complex_(jax, *arrays) if is_complex(arrays[0]) else in_float32(jax, real, *arrays)

    return lowered


def _lax(name: str) -> Callable[[Any, Any], Any]:
    """``jax.lax``'s function behind a barrier: XLA would merge ``exp(a) * exp(b)``, which overflows elsewhere."""
    return lambda jax, x: exact(jax, getattr(jax.lax, name)(x))


def _numpy(name: str) -> Callable[[Any, Any], Any]:
    return lambda jax, x: getattr(jax.numpy, name)(x)


def _no_complex(jax: Any, *arrays: Any) -> Any:
    raise TypeError("NumPy has no complex loop of this function")


exp = real_or_complex(_lax("exp"), xla_complex.exp)
exp2 = real_or_complex(xla_real.exp2, xla_complex.exp2)
expm1 = real_or_complex(_lax("expm1"), xla_complex.expm1)
log = real_or_complex(_lax("log"), xla_complex.log)
log2 = real_or_complex(xla_real.log2, xla_complex.log2)
log10 = real_or_complex(xla_real.log10, xla_complex.log10)
log1p = real_or_complex(xla_real.log1p, xla_complex.log1p)
sqrt = real_or_complex(_lax("sqrt"), xla_complex.sqrt)
sin = real_or_complex(_lax("sin"), xla_complex.sin)
cos = real_or_complex(_lax("cos"), xla_complex.cos)
tan = real_or_complex(_lax("tan"), xla_complex.tan)
sinh = real_or_complex(xla_real.sinh, xla_complex.sinh)
cosh = real_or_complex(xla_real.cosh, xla_complex.cosh)
tanh = real_or_complex(_lax("tanh"), xla_complex.tanh)
arcsin = real_or_complex(_numpy("arcsin"), xla_complex.arcsin)
arccos = real_or_complex(_numpy("arccos"), xla_complex.arccos)
arctan = real_or_complex(_numpy("arctan"), xla_complex.arctan)
arcsinh = real_or_complex(_numpy("arcsinh"), xla_complex.arcsinh)
arccosh = real_or_complex(_numpy("arccosh"), xla_complex.arccosh)
arctanh = real_or_complex(xla_real.arctanh, xla_complex.arctanh)
logaddexp = real_or_complex(xla_real.logaddexp, _no_complex)
logaddexp2 = real_or_complex(xla_real.logaddexp2, _no_complex)
