"""Templates of statements that compute a new value: elementwise, reductions, shapes, linear algebra, sorting.

Each template draws one statement that fits the variables in scope, or raises ``Unfit``. A template does not have to
be right: the generator runs what it draws, and drops what NumPy refuses.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.random_execution import Kind, Statement, kind_of
from tests.random_scope import Scope, broadcasts

Template = Callable[[Scope], Statement]

ARITH, INEXACT, MOVE, STEP = Kind.ARITH, Kind.INEXACT, Kind.MOVE, Kind.STEP

OPERATORS = {
    "+": ARITH,
    "-": ARITH,
    "*": ARITH,
    "/": INEXACT,
    "**": INEXACT,
    "//": STEP,
    "%": STEP,
    "==": STEP,
    "!=": STEP,
    "<": STEP,
    "<=": STEP,
    ">": STEP,
    ">=": STEP,
}
BITWISE = ("&", "|", "^", "<<", ">>")

UNARY = {
    ARITH: ("square",),
    MOVE: ("negative", "positive", "absolute", "fabs", "conjugate"),
    STEP: ("sign", "floor", "ceil", "trunc", "rint", "isnan", "isinf", "isfinite", "signbit", "logical_not", "spacing"),
    INEXACT: (
        *("sqrt", "cbrt", "reciprocal", "exp", "exp2", "expm1", "log", "log1p", "log2", "log10"),
        *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
        *("deg2rad", "rad2deg", "degrees", "radians"),
    ),
}
BINARY = {
    ARITH: ("add", "subtract", "multiply"),
    MOVE: ("maximum", "minimum", "fmax", "fmin"),
    STEP: (
        *("floor_divide", "remainder", "mod", "fmod", "copysign", "nextafter", "heaviside"),
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
        *("logical_and", "logical_or", "logical_xor"),
    ),
    INEXACT: ("divide", "true_divide", "power", "float_power", "arctan2", "hypot", "logaddexp", "logaddexp2"),
}
INTEGER_BINARY = ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "gcd", "lcm")
INTEGER_UNARY = ("invert", "bitwise_count", "bitwise_not")

_ZERO_SIGN = {"maximum", "minimum", "fmax", "fmin"}
_COMPLEX_ROUNDS = {"sign", "absolute", "fabs"}
_FINITE = {"signbit", "copysign", "spacing"}
_CUT = set(UNARY[INEXACT]) - {"exp", "exp2", "expm1", "sin", "cos", "sinh", "cosh", "reciprocal"}
_CUT |= {"power", "float_power"}


def flags_of(function: str) -> tuple[str, ...]:
    """The flags that a ufunc's statements carry."""
    table = (("complex_rounds", _COMPLEX_ROUNDS), ("zero_sign", _ZERO_SIGN), ("finite", _FINITE), ("cut", _CUT))
    return tuple(flag for flag, functions in table if function in functions)


def random_unary(scope: Scope) -> tuple[str, Kind]:
    """A floating-point ufunc of one argument."""
    kind = scope.choose((ARITH, MOVE, STEP, INEXACT, INEXACT))
    return scope.choose(UNARY[kind]), kind


def random_binary(scope: Scope) -> tuple[str, Kind]:
    """A ufunc of two arguments."""
    kind = scope.choose((ARITH, ARITH, MOVE, STEP, INEXACT))
    return scope.choose(BINARY[kind]), kind


def operator(scope: Scope) -> Statement:
    """``x + y``"""
    x = scope.pick(scalars=scope.chance(0.2))
    symbol = scope.choose(("+", "-", "*", "+", "-", "*", *OPERATORS))
    y = scope.partner(x)
    left, right = (y, x) if scope.chance(0.25) else (x, y)
    flags = ("cut",) if symbol == "**" else ()
    return scope.assign(f"{left} {symbol} {right}", OPERATORS[symbol], *flags)


def nested(scope: Scope) -> Statement:
    """``x * y + z``: what a compiler contracts"""
    x = scope.pick_kind("iuf")
    y, z = scope.partner(x), scope.partner(x)
    form = scope.choose(
        ("{x} * {y} + {z}", "{z} - {x} * {y}", "({x} + {y}) * {z}", "{x} * {x} - {y} * {z}", "-({x} - {y}) + {z}")
    )
    return scope.assign(form.format(x=x, y=y, z=z), ARITH, "nested")


def bitwise(scope: Scope) -> Statement:
    """``x & y``"""
    x = scope.pick_kind("biu")
    if scope.chance(0.15):
        return scope.assign(f"~{x}" if scope.chance(0.5) else f"np.{scope.choose(INTEGER_UNARY)}({x})", STEP)
    y = scope.partner(x, "biu")
    if scope.chance(0.6):
        return scope.assign(f"{x} {scope.choose(BITWISE)} {y}", STEP)
    return scope.assign(f"np.{scope.choose(INTEGER_BINARY)}({x}, {y})", STEP)


def unary_operator(scope: Scope) -> Statement:
    """``-x``"""
    form = scope.choose(("-{}", "+{}", "abs({})", "{}.conj()"))
    flags = ("complex_rounds",) if "abs" in form else ()
    return scope.assign(form.format(scope.pick(scalars="conj" not in form)), MOVE, *flags)


def ufunc_unary(scope: Scope) -> Statement:
    """``np.sqrt(x)``"""
    function, kind = random_unary(scope)
    x = scope.pick(scalars=scope.chance(0.15))
    extra = f", dtype=np.{scope.choose(('float32', 'float64'))}" if scope.chance(0.06) else ""
    return scope.assign(f"np.{function}({x}{extra})", kind, *flags_of(function))


def ufunc_binary(scope: Scope) -> Statement:
    """``np.hypot(x, y)``"""
    function, kind = random_binary(scope)
    x = scope.pick(scalars=scope.chance(0.15))
    y = scope.partner(x)
    if scope.chance(0.15):
        x, y = y, x
    extra = ""
    if scope.chance(0.08):
        extra = f", dtype=np.{scope.choose(('float32', 'float64', 'int64', 'complex128', 'int16'))}"
    return scope.assign(f"np.{function}({x}, {y}{extra})", kind, *flags_of(function))


def two_results(scope: Scope) -> Statement:
    """``np.divmod(x, y)``"""
    x = scope.pick_kind("iuf")
    function = scope.choose(("divmod", "np.divmod", "np.modf", "np.frexp"))
    arguments = f"{x}, {scope.partner(x, 'iuf')}" if function.endswith("divmod") else x
    return scope.assign(f"{function}({arguments})", STEP, "finite", targets=2)


def ldexp(scope: Scope) -> Statement:
    """``np.ldexp(x, n)``"""
    x = scope.pick_kind("f")
    return scope.assign(f"np.ldexp({x}, {scope.partner(x, 'i')})", MOVE)


def ternary(scope: Scope) -> Statement:
    """``np.where(m, x, y)``, ``np.clip(x, lo, hi)``"""
    x = scope.pick()
    y = scope.partner(x)
    draw = scope.rng.random()
    if draw < 0.6:
        shape = scope.shape(x)
        mask = scope.pick(lambda value: value.dtype == bool and broadcasts(shape, value.shape))
        return scope.assign(f"np.where({mask}, {x}, {y})", MOVE)
    low, high = scope.choose((("-1", "2"), ("0", "3"), ("None", "1"), ("-1.5", "None"), (y, "4"), ("1", y)))
    form = scope.choose(("np.clip({}, {}, {})", "{}.clip({}, {})"))
    return scope.assign(form.format(x, low, high), MOVE, "zero_sign")


def select(scope: Scope) -> Statement:
    """``np.select([m1, m2], [x, y], default)``"""
    x = scope.pick_kind("biuf")
    y = scope.partner(x)
    test = scope.choose((f"{x} > 1", f"{x} < 0", f"{x} == 2"))
    return scope.assign(f"np.select([{test}, {x} > 0], [{x}, {y}], {scope.literal('i')})", STEP)


_SUMS = {
    "sum": (ARITH, ()),
    "prod": (ARITH, ("product",)),
    "mean": (INEXACT, ()),
    "max": (MOVE, ("zero_sign",)),
    "min": (MOVE, ("zero_sign",)),
    "any": (STEP, ()),
    "all": (STEP, ()),
    "argmax": (STEP, ()),
    "argmin": (STEP, ()),
    "var": (INEXACT, ()),
    "std": (INEXACT, ()),
    "ptp": (ARITH, ("zero_sign",)),
    "nansum": (ARITH, ()),
    "nanmax": (MOVE, ("zero_sign",)),
    "nanmean": (INEXACT, ()),
    "nanprod": (ARITH, ("product",)),
    "count_nonzero": (STEP, ()),
    "median": (INEXACT, ("zero_sign",)),
}
_METHODS = ("sum", "prod", "mean", "max", "min", "any", "all", "argmax", "argmin", "var", "std")
_COMMON = ("sum", "sum", "sum", "max", "min", "mean", "prod")


def reduction(scope: Scope) -> Statement:
    """``np.sum(x, axis=1, keepdims=True)``"""
    function = scope.choose((*_COMMON, *_SUMS))
    kind, flags = _SUMS[function]
    x = scope.pick()
    rank = len(scope.shape(x))
    arguments = []
    draw = scope.rng.random()
    if rank and draw < 0.6:
        arguments.append(f"axis={scope.axis(x)}")
    elif rank > 1 and draw < 0.75 and not function.startswith("arg"):
        axes = scope.rng.sample(range(rank), scope.rng.randint(1, rank))
        arguments.append(f"axis={tuple(axes)}")
    elif draw < 0.8:
        arguments.append("axis=None")
    if scope.chance(0.25):
        arguments.append("keepdims=True")
    if function in ("sum", "prod", "mean") and scope.chance(0.12):
        types = ("float32", "float64") if kind_of(scope.value(x)) == "f" else ("float64", "int16", "int64", "float32")
        arguments.append(f"dtype=np.{scope.choose(types)}")
    if function in ("sum", "prod", "max", "min"):
        masked = scope.chance(0.12)
        if masked or scope.chance(0.1):
            arguments.append(f"initial={scope.choose(('1', '0', '2', '-1'))}")
        if masked:
            shape = scope.shape(x)
            mask = scope.pick(lambda value: value.dtype == bool and broadcasts(shape, value.shape))
            arguments.append(f"where={mask}")
    if function in ("var", "std") and scope.chance(0.3):
        arguments.append("ddof=1")
    if function in _METHODS and scope.chance(0.4):
        return scope.assign(f"{x}.{function}({', '.join(arguments)})", kind, *flags)
    return scope.assign(f"np.{function}({', '.join([x, *arguments])})", kind, *flags)


def cumulative(scope: Scope) -> Statement:
    """``np.cumsum(x, axis=0)``"""
    x = scope.pick()
    axis = f"axis={scope.axis(x)}" if scope.shape(x) and scope.chance(0.7) else ""
    function = scope.choose(("cumsum", "cumsum", "cumprod", "nancumsum", "diff", "ediff1d"))
    flags = ("product",) if function == "cumprod" else ()
    if function == "diff":
        axis = ", ".join(filter(None, (f"n={scope.rng.randint(0, 2)}" if scope.chance(0.3) else "", axis)))
    if function == "ediff1d":
        axis = ""
    if function.startswith("cum") and scope.chance(0.4):
        return scope.assign(f"{x}.{function}({axis})", ARITH, *flags)
    return scope.assign(f"np.{function}({', '.join(filter(None, (x, axis)))})", ARITH, *flags)


def ufunc_method(scope: Scope) -> Statement:
    """``np.add.reduce(x)``, ``.accumulate``, ``.outer``, ``.reduceat``"""
    functions = {"add": ARITH, "multiply": ARITH, "maximum": MOVE, "minimum": MOVE, "subtract": ARITH}
    method = scope.choose(("reduce", "reduce", "accumulate", "accumulate", "outer", "reduceat"))
    if method == "outer":
        function, kind = random_binary(scope)
        flags = flags_of(function)
        x, y = (scope.pick(lambda value: value.size <= 8 and value.ndim <= 2) for _ in range(2))
        return scope.assign(f"np.{function}.outer({x}, {y})", kind, *flags)
    if scope.chance(0.2):
        x = scope.pick(lambda value: value.dtype.kind in "biu" and value.ndim > 0 and value.size > 0)
        function = scope.choose(("bitwise_and", "bitwise_or", "bitwise_xor", "logical_and", "logical_or"))
        kind = STEP
    else:
        x = scope.pick_axes()
        function = scope.choose(tuple(functions))
        kind = functions[function]
    product = ("product",) if function == "multiply" else ("zero_sign",) if kind is MOVE else ()
    axis = scope.axis(x)
    if method == "reduceat":
        indices = [scope.rng.randrange(scope.shape(x)[axis]) for _ in range(scope.rng.randint(1, 3))]
        return scope.assign(f"np.{function}.reduceat({x}, {indices}, axis={axis})", kind, *product)
    extra = ""
    if method == "reduce" and scope.chance(0.3):
        extra = scope.choose((", keepdims=True", ", initial=2"))
    return scope.assign(f"np.{function}.{method}({x}, axis={axis}{extra})", kind, *product)


def product(scope: Scope) -> Statement:
    """``x @ y``, ``np.dot``, ``np.tensordot``, ``np.outer``, ``np.inner``, ``np.trace``"""
    x = scope.pick_axes()
    shape = scope.shape(x)
    function = scope.choose(("@", "@", "matmul", "dot", "dot", "tensordot", "outer", "inner", "trace", "vdot", "cross"))
    if function == "trace":
        return scope.assign(f"np.trace({scope.pick_axes(2)}, offset={scope.rng.randint(-1, 1)})", ARITH)
    if function in ("outer", "vdot", "cross"):
        y = scope.pick(lambda value: value.size <= 12 and (function == "outer" or value.shape == shape))
        return scope.assign(f"np.{function}({x}, {y})", ARITH, "zero_sign")
    if scope.chance(0.3):
        y = f"{x}.T"
    elif function == "inner":
        y = scope.pick(lambda value: value.ndim > 0 and value.shape[-1] == shape[-1])
    else:
        y = scope.pick(lambda value: value.ndim > 0 and value.shape[-min(value.ndim, 2)] == shape[-1])
    if function == "tensordot":
        return scope.assign(f"np.tensordot({x}, {y}, axes={scope.choose((1, 1, 0))})", ARITH, "zero_sign")
    form = f"{x} @ {y}" if function == "@" else f"np.{function}({x}, {y})"
    return scope.assign(form, ARITH, "zero_sign")


def einsum(scope: Scope) -> Statement:
    """``np.einsum('ij,j->i', x, y)``"""
    x = scope.pick_axes()
    shape = scope.shape(x)
    letters = "ijklmn"[: len(shape)]
    if scope.chance(0.35):
        out = "".join(scope.rng.sample(letters, scope.rng.randint(0, len(letters))))
        return scope.assign(f"np.einsum('{letters}->{out}', {x})", ARITH, "zero_sign")
    y = scope.pick(lambda value: 0 < value.ndim <= 2 and set(value.shape) <= set(shape))
    used = "".join(letters[scope.choose([axis for axis, n in enumerate(shape) if n == m])] for m in scope.shape(y))
    out = "".join(scope.rng.sample(letters, scope.rng.randint(0, len(letters))))
    return scope.assign(f"np.einsum('{letters},{used}->{out}', {x}, {y})", ARITH, "zero_sign")


def view(scope: Scope) -> Statement:
    """``x[1:, ::-1]``, ``x.T``, ``x.reshape(...)``: what shares memory with ``x``"""
    x = scope.pick()
    shape = scope.shape(x)
    draw = scope.rng.random()
    if draw < 0.45:
        return scope.assign(f"{x}[{scope.basic_index(shape)}]", MOVE)
    forms = ["{x}.T", "{x}.ravel()", "{x}.reshape(-1)", "{x}[None]", "np.transpose({x})", "{x}.reshape(-1)"]
    forms += ["np.squeeze({x})", "np.expand_dims({x}, 0)", "{x}.view()", "np.atleast_2d({x})", "{x}.squeeze()"]
    if kind_of(scope.value(x)) == "c":
        forms += ["{x}.imag", "{x}.imag", "{x}.real"]
    elif scope.chance(0.3):
        forms += ["{x}.real", "{x}.imag", "{x}[...]"]
    if shape:
        axes = scope.axis(x), scope.axis(x)
        order = scope.rng.sample(range(len(shape)), len(shape))
        forms += [f"{{x}}.swapaxes{axes}", f"{{x}}.transpose({', '.join(map(str, order))})", "np.flip({x})"]
        forms += [f"np.moveaxis({{x}}, {axes[0]}, {axes[1]})", f"np.flip({{x}}, {axes[0]})", "{x}[::-1]"]
        forms += [f"{{x}}.reshape({other_shape(scope, shape)})", f"np.reshape({{x}}, {other_shape(scope, shape)})"]
        forms += [f"{{x}}.reshape({other_shape(scope, shape)}, order='F')", "np.broadcast_to({x}, (2,) + {x}.shape)"]
    if len(shape) > 1:
        forms += [f"{{x}}.diagonal({scope.rng.randint(-1, 1)})", "np.rot90({x})", "np.rollaxis({x}, 1)"]
    return scope.assign(scope.choose(forms).format(x=x), MOVE)


def other_shape(scope: Scope, shape: tuple[int, ...]) -> str:
    """Another shape of as many elements."""
    size = math.prod(shape)
    if not size:
        return repr(tuple(reversed(shape)))
    factors = []
    rest = size
    while rest > 1:
        factor = scope.choose([n for n in range(2, rest + 1) if rest % n == 0])
        factors.append(factor)
        rest //= factor
    if scope.chance(0.3):
        factors.insert(scope.rng.randint(0, len(factors)), 1)
    if factors and scope.chance(0.3):
        factors[scope.rng.randrange(len(factors))] = -1
    return repr(tuple(factors))


def advanced_read(scope: Scope) -> Statement:
    """``x[[2, 0, 2]]``, ``x[mask]``, ``np.take(x, ...)``"""
    x = scope.pick_axes()
    shape = scope.shape(x)
    draw = scope.rng.random()
    if draw < 0.6:
        return scope.assign(f"{x}[{scope.advanced_index(x)}]", MOVE)
    axis = scope.axis(x)
    extent = shape[axis]
    indices = scope.index_list(extent, scope.rng.randint(1, 4))
    form = scope.choose(
        (
            f"np.take({x}, {indices}, axis={axis})",
            f"{x}.take({scope.index_list(math.prod(shape), 3)})",
            f"np.take({x}, {[0, extent + 1, -extent - 2]}, axis={axis}, mode={scope.choose(('wrap', 'clip'))!r})",
            f"np.take_along_axis({x}, np.argsort({x}, axis={axis}, kind='stable'), axis={axis})",
            f"np.compress({[scope.chance(0.5) for _ in range(extent)]}, {x}, axis={axis})",
            f"np.delete({x}, {scope.rng.randrange(extent)}, axis={axis})",
            f"{x}.flat[{scope.rng.randrange(math.prod(shape))}]",
            f"{x}.item({scope.rng.randrange(math.prod(shape))})",
            f"{x}[np.ix_({', '.join(scope.index_list(n, 2) for n in shape)})]",
            f"np.extract({x} > 0, {x})",
        )
    )
    kind = STEP if "argsort" in form or "extract" in form else MOVE
    return scope.assign(form, kind)


def shape_function(scope: Scope) -> Statement:
    """``np.pad``, ``np.roll``, ``np.concatenate``, ``np.stack``, ``np.tile``, ``np.repeat``, ..."""
    x = scope.pick_axes()
    shape = scope.shape(x)
    axis = scope.axis(x)
    integer = scope.rng.randint
    draw = scope.rng.random()
    if draw < 0.3:
        y = scope.pick(lambda value: value.shape == shape)
        form = scope.choose(
            (
                f"np.concatenate([{x}, {y}], axis={axis})",
                f"np.concatenate(({x}, {y}), axis=None)",
                f"np.stack([{x}, {y}], axis={axis})",
                f"np.{scope.choose(('vstack', 'hstack', 'dstack', 'column_stack'))}(({x}, {y}))",
                f"np.append({x}, {y})",
                f"np.array([{x}, {y}])",
            )
        )
        return scope.assign(form, MOVE)
    tiling = scope.choose(("2", "(2, 1)", "(1, 2)", "3"))
    pads = [(integer(0, 2), integer(0, 2)) for _ in shape]
    mode = scope.choose(("constant", "constant", "edge", "wrap", "reflect", "symmetric"))
    form = scope.choose(
        (
            f"np.pad({x}, {integer(0, 2)}, mode={mode!r})",
            f"np.pad({x}, {pads}, mode={mode!r})",
            f"np.pad({x}, 1, constant_values={integer(-1, 3)})",
            f"np.roll({x}, {integer(-4, 4)}, axis={axis})",
            f"np.roll({x}, {integer(-4, 4)})",
            f"np.tile({x}, {tiling})",
            f"np.repeat({x}, {integer(0, 3)}, axis={axis})",
            f"np.repeat({x}, {[integer(0, 2) for _ in range(shape[axis])]}, axis={axis})",
            f"{x}.flatten()",
            f"{x}.copy()",
            f"np.{scope.choose(('tril', 'triu'))}({x}, {integer(-1, 1)})",
            f"np.diag({x})",
            f"np.array_split({x}, 2, axis={axis})[{integer(0, 1)}]",
            f"np.meshgrid({x}.ravel()[:3], {x}.ravel()[:2])[{integer(0, 1)}]",
            f"np.insert({x}, {integer(0, shape[axis])}, 3, axis={axis})",
            f"np.broadcast_arrays({x}, {scope.partner(x)})[0] + 0",
            f"np.kron({x}.ravel()[:3], {x}.ravel()[:2])",
            f"np.trim_zeros({x}.ravel())",
            f"np.array({x}, dtype=np.{scope.choose(('float64', 'complex128'))})",
        )
    )
    kind = ARITH if "kron" in form or "+ 0" in form else STEP if "trim" in form else MOVE
    return scope.assign(form, kind)


def sorting(scope: Scope) -> Statement:
    """``np.sort``, ``np.argsort``, ``np.searchsorted``, ``np.nonzero``, ``np.unique``"""
    x = scope.pick_axes()
    axis = scope.axis(x)
    other = scope.pick_kind("iuf")
    forms: tuple[tuple[str, Kind], ...] = (
        (f"np.sort({x}, axis={axis})", MOVE),
        (f"np.sort({x}, axis=None)", MOVE),
        (f"np.argsort({x}, axis={axis}, kind='stable')", STEP),
        (f"np.searchsorted(np.sort({x}, axis=None), {other}, side={scope.choose(('left', 'right'))!r})", STEP),
        (f"np.nonzero({x})[{scope.rng.randrange(len(scope.shape(x)))}]", STEP),
        (f"np.flatnonzero({x})", STEP),
        (f"np.argwhere({x})", STEP),
        (f"np.where({x} > 1)[0]", STEP),
        (f"np.unique({x})", STEP),
        (f"np.unique({x}, return_counts=True)[1]", STEP),
        (f"np.unique({x}, return_inverse=True)[1]", STEP),
        (f"np.digitize({other}, [0, 1, 3])", STEP),
        (f"np.isin({x}, {other})", STEP),
        (f"np.bincount(np.abs({x}).ravel() % np.int64(7))", STEP),
        (f"np.histogram({x}, bins=4, range=(-4, 8))[0]", STEP),
        (f"np.lexsort(({x}.ravel(), {x}.ravel()[::-1]))", STEP),
        (f"np.array_equal({x}, {other})", STEP),
        (f"np.isclose({x}, {other})", STEP),
    )
    form, kind = scope.choose(forms)
    return scope.assign(form, kind, "zero_sign")


def conversion(scope: Scope) -> Statement:
    """``x.astype(np.int32)``, ``np.float32(x)``, ``float(x[0])``"""
    x = scope.pick()
    shape = scope.shape(x)
    size = math.prod(shape)
    draw = scope.rng.random()
    if draw < 0.6:
        names = ("float64", "float32", "float16", "int64", "int32", "int8", "uint8", "uint16", "bool_", "complex64")
        return scope.assign(f"{x}.astype(np.{scope.choose(names)})", MOVE, "cast")
    element = f"{x}[{', '.join(str(scope.rng.randrange(n)) for n in shape)}]" if shape and size else x
    forms = [f"float({element})", f"int({element})", f"bool({element})", f"complex({element})", f"len({x})"]
    forms += [f"{x}.shape[0]", f"{x}.ndim", f"{x}.size", f"{element}.item()", f"np.float32({element})"]
    # Of an array, NumPy's scalar types give the array itself: they are not lazyarr's, and give a copy there.
    forms += [f"np.float64({element})", f"np.int64({element})", f"{x}.dtype.itemsize"]
    forms += [f"np.asarray({x}, dtype=np.float64)"]
    form = scope.choose(forms)
    flags = ("meta",) if form.startswith((f"{x}.shape", f"{x}.ndim", f"{x}.size", "len", f"{x}.dtype")) else ("cast",)
    kind = STEP if form.startswith(("int", "bool", "np.int64")) else MOVE
    return scope.assign(form, kind, *flags)


def creation(scope: Scope) -> Statement:
    """``np.zeros``, ``np.arange``, ``np.linspace``, ``np.eye``, ``np.ones_like``, ..."""
    x = scope.pick()
    shape = scope.shape(x)
    dtype = scope.choose(("float64", "float32", "int64", "int32", "uint8", "bool_", "complex128"))
    integer = scope.rng.randint
    form, kind = scope.choose(
        (
            (f"np.zeros({shape})", STEP),
            (f"np.ones({shape}, dtype=np.{dtype})", STEP),
            (f"np.full({shape}, {scope.literal()})", STEP),
            (f"np.full({shape}, {integer(0, 1)}, dtype=np.{dtype})", STEP),
            (f"np.arange({integer(-2, 8)})", STEP),
            (f"np.arange({integer(0, 3)}, {integer(3, 9)}, {integer(1, 2)}, dtype=np.{dtype})", STEP),
            (f"np.arange({integer(0, 3)}.0, {integer(3, 9)}.0, 0.5)", STEP),
            (f"np.linspace({integer(-2, 0)}, {integer(1, 4)}, {integer(1, 9)})", INEXACT),
            (f"np.eye({integer(1, 4)}, {integer(1, 4)}, k={integer(-1, 1)}, dtype=np.{dtype})", STEP),
            (f"np.identity({integer(1, 4)})", STEP),
            (f"np.zeros_like({x})", STEP),
            (f"np.ones_like({x}, dtype=np.{dtype})", STEP),
            (f"np.full_like({x}, {integer(0, 3)})", STEP),
            (f"np.zeros({x}.shape, dtype={x}.dtype)", STEP),
            (f"np.indices({shape[:2]})", STEP),
            (f"np.tri({integer(1, 4)}, {integer(1, 4)}, {integer(-1, 1)})", STEP),
            (f"np.array([[1, 2], [3, {scope.literal('if')}]])", STEP),
        )
    )
    if kind is INEXACT:
        return scope.assign(form, INEXACT)
    return scope.assign(form, kind, "meta")


#: the templates, with the weight each is drawn with
COMPUTE: dict[Template, int] = {
    operator: 14,
    nested: 4,
    bitwise: 4,
    unary_operator: 2,
    ufunc_unary: 9,
    ufunc_binary: 8,
    two_results: 2,
    ldexp: 1,
    ternary: 4,
    select: 1,
    reduction: 10,
    cumulative: 4,
    ufunc_method: 4,
    product: 4,
    einsum: 2,
    view: 16,
    advanced_read: 7,
    shape_function: 8,
    sorting: 5,
    conversion: 6,
    creation: 4,
}
