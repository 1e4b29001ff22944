"""Element-wise operations: NumPy's ufuncs on their own loop dtypes, casts and selection.

In the IR an element-wise node's operands already have the dtype of the NumPy loop that runs; promotion,
Python scalars and ``casting=`` are decided where the call is recorded, with explicit ``cast`` nodes. Operands
broadcast as in NumPy.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy._core import umath

from lazyarr.ir import access, extents
from lazyarr.ir.op import Cost, Op, Sample, Types, streaming_cost
from lazyarr.ir.types import DTYPES, NAMES, ArrayType
from lazyarr.ops import xla_functions, xla_math
from lazyarr.ops.xla_core import identity, lax


def loop_dtypes(ufunc: np.ufunc) -> list[tuple[np.dtype[Any], ...]]:
    """The loops of `ufunc` on dtypes lazyarr compiles: input dtypes, then output dtypes."""
    loops: dict[tuple[np.dtype[Any], ...], None] = {}
    for text in ufunc.types:
        chars = text.replace("->", "")
        if any(c in "OMmgGSUV" for c in chars):
            continue
        dtypes = tuple(np.dtype(c) for c in chars)
        if all(d in NAMES for d in dtypes):
            loops.setdefault(dtypes)
    return list(loops)


def infer_ufunc(ufunc: np.ufunc, *types: ArrayType, **attrs: Any) -> Types:
    """Types of the results of `ufunc` for operands of the dtypes of one of its loops."""
    if any(t.weak for t in types):
        raise TypeError(f"{ufunc.__name__} takes no Python scalar in the IR; cast it first")
    shape = extents.broadcast(*(t.shape for t in types))
    given = tuple(t.dtype for t in types)
    resolved = ufunc.resolve_dtypes((*given, *(None,) * ufunc.nout))
    if resolved[: len(given)] != given:
        raise TypeError(f"{ufunc.__name__} has no loop for {', '.join(map(str, given))}; cast to {resolved} first")
    return tuple(ArrayType(dtype, shape) for dtype in resolved[len(given) :])


def _access(*types: ArrayType, **attrs: Any) -> tuple[access.OperandAccess, ...]:
    return access.elementwise(*(t.shape for t in types))


#: Inputs on which each function is defined; elsewhere NumPy gives NaN or the sign decides.
_DOMAINS: dict[str, tuple[float, float]] = {
    "arccosh": (1.0, 9.0), "arctanh": (-0.9, 0.9), "arcsin": (-1.0, 1.0), "arccos": (-1.0, 1.0),
    "log": (0.1, 9.0), "log2": (0.1, 9.0), "log10": (0.1, 9.0), "log1p": (-0.5, 9.0), "sqrt": (0.0, 9.0),
    "power": (0.5, 4.0), "float_power": (0.5, 4.0), "left_shift": (0, 6), "right_shift": (0, 6), "ldexp": (-3, 4),
}  # fmt: skip
#: Functions with jumps: back ends are compared where both see the same operands, which is always so here,
#: but a chain of such functions must not be compared with a tolerance.
_JUMPS = {"floor", "ceil", "trunc", "rint", "floor_divide", "remainder", "fmod", "divmod", "modf", "frexp", "sign",
          "signbit", "nextafter", "spacing", "heaviside", "gcd", "lcm"}  # fmt: skip


def _corners(name: str, dtype: np.dtype[Any]) -> tuple[str, ...]:
    """Kinds of corner values on which NumPy's own result is defined."""
    if name in ("fmax", "fmin", "clip") and dtype.kind == "f" and dtype.itemsize > 2:
        # Which of two zeros of unlike sign comes back depends on the position in NumPy's vector loops.
        return ("nan", "inf", "limits")
    if name in ("power", "float_power") and dtype.kind == "c":
        # The C library's cpow decides, and differs from itself in precision and release.
        return ("-0", "limits")
    return Sample.corners


def _powers(dtype: np.dtype[Any], rng: np.random.Generator) -> tuple[Any, Any]:
    """Operands of an integer power: NumPy raises where an exponent is negative."""
    limits = np.iinfo(dtype)
    base = rng.choice([-7, -2, -1, 0, 1, 2, 3, 10, limits.min, limits.max], (3, 4)).astype(dtype)
    return base, rng.choice([0, 1, 2, 3, 5, 31, 63, 64, 100], (3, 4)).astype(dtype)


def _samples(ufunc: np.ufunc) -> Iterator[Sample]:
    name = ufunc.__name__
    low, high = _DOMAINS.get(name, (-4.0, 4.0))
    for k, dtypes in enumerate(loop_dtypes(ufunc)):
        names = [NAMES[d] for d in dtypes[: ufunc.nin]]
        if name == "power" and dtypes[0].kind == "i":
            yield Sample((f"{names[0]}[3,4]",) * 2, make=partial(_powers, dtypes[0]))
            continue
        shapes = (["3,4"] * ufunc.nin, ["3,1", *["4"] * (ufunc.nin - 1)])[k % 2] if ufunc.nin > 1 else ["3,4"]
        yield Sample(
            tuple(f"{n}[{s}]" for n, s in zip(names, shapes, strict=True)),
            low=low, high=high, smooth=name not in _JUMPS, corners=_corners(name, dtypes[0]),
            # exp(y log x): the error grows with |y log x|.
            ulps=64 if name in ("power", "float_power") and dtypes[0].kind == "c" else None,
        )  # fmt: skip


def declare(name: str, flops: float, jax: Callable[..., Any] | None) -> Op:
    """Declare the element-wise operation of NumPy's ufunc `name`.

    Parameters
    ----------
    name : str
        The ufunc's own ``__name__``.
    flops : float
        Arithmetic operations an element, relative to an addition.
    jax : callable or None
        The XLA lowering ``jax(jax, *arrays)`` where ``jax.numpy``'s function of that name is not NumPy's.
    """
    ufunc: np.ufunc = getattr(umath, name)
    return Op(
        name=name,
        numpy=f"numpy.{name}",
        infer=partial(infer_ufunc, ufunc),
        evaluate=lambda xp, *arrays: ufunc(*arrays) if xp is np else getattr(xp, name)(*arrays),
        jax=jax,
        access=_access,
        pointwise=True,
        memory="fresh",
        cost=streaming_cost(flops),
        backends=("xla", "numpy"),
        samples=partial(_samples, ufunc),
        scalar_loops=(1,) if name in ("power", "float_power") else (),
    )


# name -> (flops an element, XLA lowering where jax.numpy's differs from NumPy)
_TABLE: dict[str, tuple[float, Callable[..., Any] | None]] = {
    "add": (1, xla_math.add), "subtract": (1, lax("sub")), "multiply": (1, xla_math.multiply),
    "divide": (4, xla_math.divide), "floor_divide": (6, xla_math.floor_divide), "remainder": (6, xla_math.remainder),
    "fmod": (6, xla_math.fmod), "divmod": (8, xla_math.divmod), "power": (20, xla_math.power),
    "float_power": (20, xla_math.power), "negative": (1, lax("neg")), "positive": (0, identity),
    "absolute": (1, xla_math.absolute), "fabs": (1, None), "sign": (1, xla_math.sign), "square": (1, xla_math.square),
    "reciprocal": (4, xla_math.reciprocal), "sqrt": (4, xla_functions.sqrt), "cbrt": (15, lax("cbrt")),
    "hypot": (8, None), "exp": (10, xla_functions.exp), "exp2": (10, xla_functions.exp2),
    "expm1": (12, xla_functions.expm1), "log": (10, xla_functions.log), "log2": (11, xla_functions.log2),
    "log10": (11, xla_functions.log10), "log1p": (12, xla_functions.log1p),
    "logaddexp": (25, xla_functions.logaddexp), "logaddexp2": (25, xla_functions.logaddexp2),
    "sin": (12, xla_functions.sin), "cos": (12, xla_functions.cos), "tan": (20, xla_functions.tan),
    "arcsin": (20, xla_functions.arcsin), "arccos": (20, xla_functions.arccos), "arctan": (20, xla_functions.arctan),
    "arctan2": (25, None), "sinh": (15, xla_functions.sinh), "cosh": (15, xla_functions.cosh),
    "tanh": (15, xla_functions.tanh), "arcsinh": (20, xla_functions.arcsinh), "arccosh": (20, xla_functions.arccosh),
    "arctanh": (20, xla_functions.arctanh), "deg2rad": (1, None), "rad2deg": (1, None), "degrees": (1, None),
    "radians": (1, None), "floor": (1, xla_math.rounding("floor")), "ceil": (1, xla_math.rounding("ceil")),
    "trunc": (1, xla_math.trunc), "rint": (1, None), "isnan": (1, None), "isinf": (1, None), "isfinite": (1, None),
    "signbit": (1, None), "copysign": (1, None), "nextafter": (2, xla_math.nextafter),
    "spacing": (2, xla_math.spacing), "ldexp": (2, xla_math.ldexp), "modf": (2, xla_math.modf),
    "frexp": (3, xla_math.frexp), "heaviside": (2, None), "conjugate": (1, xla_math.conjugate),
    "maximum": (1, xla_math.extremum("maximum")), "minimum": (1, xla_math.extremum("minimum")),
    "fmax": (1, xla_math.extremum("fmax")), "fmin": (1, xla_math.extremum("fmin")), "clip": (2, xla_math.clip),
    "equal": (1, xla_math.compare("equal")), "not_equal": (1, xla_math.compare("not_equal")),
    "less": (1, xla_math.compare("less")), "less_equal": (1, xla_math.compare("less_equal")),
    "greater": (1, xla_math.compare("greater")), "greater_equal": (1, xla_math.compare("greater_equal")),
    "logical_and": (1, None), "logical_or": (1, None), "logical_xor": (1, None), "logical_not": (1, None),
    "bitwise_and": (1, None), "bitwise_or": (1, None), "bitwise_xor": (1, None), "invert": (1, None),
    "left_shift": (1, xla_math.left_shift), "right_shift": (1, xla_math.right_shift), "bitwise_count": (1, None),
    "gcd": (40, xla_math.gcd), "lcm": (45, xla_math.lcm),
}  # fmt: skip

ELEMENTWISE: dict[str, Op] = {name: declare(name, flops, jax) for name, (flops, jax) in _TABLE.items()}


def _infer_cast(x: ArrayType, *, dtype: np.dtype[Any]) -> ArrayType:
    return ArrayType(dtype, x.shape)


def _cast(xp: Any, x: Any, *, dtype: np.dtype[Any]) -> Any:
    if dtype == np.bool_ or not np.issubdtype(x.dtype, np.complexfloating):
        return x.astype(dtype)
    # NumPy warns that it drops the imaginary part; whoever recorded the cast has said so already.
    return x.astype(dtype) if np.issubdtype(dtype, np.complexfloating) else x.real.astype(dtype)


_X86 = platform.machine().lower() in ("x86_64", "amd64")


def _samples_cast() -> Iterator[Sample]:
    for source in DTYPES:
        for target in DTYPES.values():
            # NaN, or a float out of range, to an integer is undefined in C, and NumPy gives what the CPU gives:
            # lazyarr gives what x86-64 gives for an array. (The parts of complex numbers are not in vectors, nor is
            # all of an array that becomes u32: NumPy's own results then depend on the position.)
            kinds = DTYPES[source].kind + target.kind
            vector = _X86 and kinds != "cu" and target != np.uint32
            defined = kinds not in ("fi", "fu", "ci", "cu") or vector
            low = 0.0 if kinds in ("fu", "cu") and not vector else -4.0
            corners = Sample.corners if defined else ("-0",)
            yield Sample((f"{source}[3,4]",), {"dtype": target}, low=low, smooth=False, corners=corners)


#: Change of dtype; also what makes a Python scalar an array value.
CAST = Op(
    name="cast",
    numpy="x.astype(dtype)",
    infer=_infer_cast,
    evaluate=_cast,
    jax=xla_math.cast,
    access=lambda x, **attrs: access.elementwise(x.shape),
    pointwise=True,
    memory="fresh",
    cost=lambda x, *, dtype: Cost(x.size, x.nbytes + x.size * dtype.itemsize),
    backends=("xla", "numpy"),
    samples=_samples_cast,
)


def _infer_select(condition: ArrayType, x: ArrayType, y: ArrayType) -> ArrayType:
    if condition.dtype != np.bool_ or x.dtype != y.dtype:
        raise TypeError(f"select takes bool, T, T; got {condition}, {x}, {y}")
    return ArrayType(x.dtype, extents.broadcast(condition.shape, x.shape, y.shape))


#: ``numpy.where`` with three arguments.
SELECT = Op(
    name="select",
    numpy="numpy.where(condition, x, y)",
    infer=_infer_select,
    evaluate=lambda xp, condition, x, y: xp.where(condition, x, y),
    jax=None,
    access=_access,
    pointwise=True,
    memory="fresh",
    cost=streaming_cost(),
    backends=("xla", "numpy"),
    samples=lambda: (Sample(("bool[3,1]", f"{t}[3,4]", f"{t}[4]")) for t in DTYPES),
)


def _part(name: str) -> Op:
    def infer(x: ArrayType) -> ArrayType:
        if x.dtype.kind != "c":
            raise TypeError(f"{name} takes a complex operand, got {x}")
        return ArrayType(np.dtype(f"f{x.dtype.itemsize // 2}"), x.shape)

    return Op(
        name=name,
        numpy=f"x.{name}",
        infer=infer,
        evaluate=lambda xp, x: getattr(x, name),
        jax=None,
        access=_access,
        pointwise=True,
        memory="view",
        cost=streaming_cost(),
        backends=("xla", "numpy"),
        samples=lambda: (Sample((f"{t}[3,4]",)) for t in ("c64", "c128")),
    )


REAL = _part("real")
IMAG = _part("imag")


def _infer_complex(re: ArrayType, im: ArrayType) -> ArrayType:
    if re.dtype != im.dtype or re.dtype not in (np.dtype("f4"), np.dtype("f8")):
        raise TypeError(f"complex takes two f32 or two f64 operands, got {re}, {im}")
    return ArrayType(np.dtype(f"c{2 * re.dtype.itemsize}"), extents.broadcast(re.shape, im.shape))


def _complex(xp: Any, re: Any, im: Any) -> Any:
    re, im = np.broadcast_arrays(re, im)
    result = np.empty(re.shape, np.result_type(re.dtype, np.complex64))
    result.real, result.imag = re, im
    return result


#: A complex value from its parts. Not ``re + 1j * im``, which turns infinities into NaN.
COMPLEX = Op(
    name="complex",
    numpy="x.real, x.imag = re, im",
    infer=_infer_complex,
    evaluate=_complex,
    jax=lambda jax, re, im: jax.lax.complex(*jax.numpy.broadcast_arrays(re, im)),
    access=_access,
    pointwise=True,
    memory="fresh",
    cost=streaming_cost(),
    backends=("xla", "numpy"),
    samples=lambda: (Sample((f"{t}[3,1]", f"{t}[4]")) for t in ("f32", "f64")),
)


def _infer_bitcast(x: ArrayType, *, dtype: np.dtype[Any]) -> ArrayType:
    if x.weak or dtype.itemsize != x.dtype.itemsize:
        raise TypeError(f"bitcast keeps the item size; got {x} to {dtype}")
    return ArrayType(dtype, x.shape)


#: The same bits as another dtype of equal size: ``x.view(dtype)``.
BITCAST = Op(
    name="bitcast",
    numpy="x.view(dtype)",
    infer=_infer_bitcast,
    evaluate=lambda xp, x, *, dtype: np.ascontiguousarray(x).reshape(x.shape).view(dtype),
    jax=xla_math.bitcast,
    access=lambda x, **attrs: access.elementwise(x.shape),
    pointwise=True,
    memory="view",
    cost=lambda x, *, dtype: Cost(0, 2 * x.nbytes),
    backends=("xla", "numpy"),
    samples=lambda: (
        Sample((f"{s}[3,4]",), {"dtype": DTYPES[t]}, smooth=False)
        for s, t in [("f64", "i64"), ("i64", "f64"), ("f32", "u32"), ("u8", "i8"), ("bool", "u8"), ("f16", "u16")]
    ),
)
