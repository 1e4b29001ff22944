"""Templates of statements around the library and Python: linear algebra, FFT, iteration, scalars as arguments."""

from __future__ import annotations

from tests.random_execution import Kind, Statement, kind_of
from tests.random_scope import Scope, Unfit
from tests.random_statements import Template

ARITH, INEXACT, MOVE, STEP = Kind.ARITH, Kind.INEXACT, Kind.MOVE, Kind.STEP


def helper(scope: Scope) -> Statement:
    """Functions made of several operations: ``np.round``, ``np.average``, ``np.interp``, ``np.gradient``, norms"""
    x = scope.pick_kind("iuf")
    form, kind, flags = scope.choose(
        (
            (f"np.round({x})", STEP, ()),
            (f"np.round({x}, 1)", STEP, ("rounds",)),
            (f"np.nan_to_num({x})", STEP, ()),
            (f"np.average({x})", INEXACT, ()),
            (f"np.interp({x}, [0, 1, 3], [2, 4, 3])", INEXACT, ()),
            (f"np.gradient({x}, axis=0)", INEXACT, ()),
            (f"np.percentile({x}, 30)", INEXACT, ("zero_sign",)),
            (f"np.linalg.norm({x})", INEXACT, ()),
            (f"np.convolve({x}.ravel(), [1, -1, 2])", ARITH, ("zero_sign",)),
            (f"np.sinc({x})", INEXACT, ()),
            (f"np.polyval([1, -2, 0.5], {x})", ARITH, ()),
            (f"np.fft.rfft({x}.ravel()).real", INEXACT, ()),
            (f"np.cov({x}.ravel())", INEXACT, ()),
            (f"np.trapezoid({x})", INEXACT, ()),
            (f"np.piecewise({x}, [{x} > 1], [1, 0])", STEP, ()),
            (f"np.sort({x}, axis=None)[::2]", MOVE, ("zero_sign",)),
        )
    )
    if "gradient" in form and not scope.shape(x):
        raise Unfit
    return scope.assign(form, kind, *flags)


def linear_algebra(scope: Scope) -> Statement:
    """``np.linalg.solve(A, b)`` and others, on matrices whose diagonal dominates"""
    x = scope.pick(lambda value: kind_of(value) in "iuf" and value.ndim > 1 and 0 < value.shape[-2] <= value.shape[-1])
    n = scope.shape(x)[-2]
    y = scope.pick(lambda value: value.ndim > 0 and value.shape[0] == n and kind_of(value) in "biuf")
    matrix = f"np.eye({n}) * 99 + {x}[..., :{n}]"
    form = scope.choose(
        (
            f"np.linalg.solve({matrix}, {y})",
            f"np.linalg.inv({matrix})",
            f"np.linalg.det({matrix})",
            f"np.linalg.slogdet({matrix})[1]",
            f"np.linalg.cholesky(np.eye({n}) * 9 + {x} @ np.swapaxes({x}, -1, -2))",
            f"np.linalg.eigvalsh(np.eye({n}) * 9 + {x} @ np.swapaxes({x}, -1, -2))",
            f"np.linalg.svd({x}, compute_uv=False)",
            f"np.abs(np.linalg.qr({x})[1])",
            f"np.linalg.matrix_power({x}[..., :{n}], 2)",
            f"np.linalg.norm({x}, axis=-1)",
            f"np.linalg.multi_dot([{x}, {x}.T, {x}])",
        )
    )
    return scope.assign(form, INEXACT, "finite")


def fourier(scope: Scope) -> Statement:
    """``np.fft.fft(x)``"""
    x = scope.pick_axes()
    axis = scope.axis(x)
    form = scope.choose(
        (
            f"np.fft.fft({x}, axis={axis})",
            f"np.fft.ifft({x}, axis={axis})",
            f"np.fft.fft2({x})",
            f"np.fft.fftn({x})",
            f"np.fft.irfft({x}, n=5, axis={axis})",
            f"np.fft.fft({x}, n=4, norm='ortho')",
            f"np.fft.rfft({x}.real, axis={axis})",
            f"np.fft.fftshift({x})",
            f"np.fft.fftfreq({scope.rng.randint(1, 6)}) + {x}[..., :1]",
        )
    )
    return scope.assign(form, MOVE if "shift" in form else INEXACT)


def iteration(scope: Scope) -> Statement:
    """Python's own functions on an array: ``sum(x)``, ``max(x)``, comprehensions, ``in``"""
    x = scope.pick_axes()
    row = f"{x}.ravel()"
    real = kind_of(scope.value(x)) != "c"
    form, kind = scope.choose(
        (
            (f"sum({x})", ARITH),
            (f"sum(row.sum() for row in {x})", ARITH),
            (f"np.array([row for row in {x}])", MOVE),
            (f"np.stack([row * 2 for row in {x}])", ARITH),
            (f"max({row})" if real else f"len({x})", MOVE),
            (f"sorted({row})[0]" if real else f"len({x})", MOVE),
            (f"3 in {x}", STEP),
            (f"[*{x}][-1]", MOVE),
            (f"{x}.tolist()[0]" if len(scope.shape(x)) == 1 else f"list({x})[0]", MOVE),
            (f"all(value > 0 for value in {row})" if real else f"any({row})", STEP),
            (f"np.array([value for value in {x}.flat])", MOVE),
            (f"np.array({row}.tolist())", MOVE),
        )
    )
    return scope.assign(form, kind, "zero_sign") if "max" in form or "sorted" in form else scope.assign(form, kind)


def scalar_argument(scope: Scope) -> Statement:
    """A number in a place where its value decides a shape, an index or a branch"""
    x = scope.pick()
    shape = scope.shape(x)
    number = scope.pick(lambda value: not shape_of(value) and kind_of(value) in "biu", scalars=True)
    if not isinstance(scope.value(number), int):
        number = f"int({number})"
    forms = [
        (f"np.arange({number} % 7)", STEP),
        (f"np.zeros(({number} % 3 + 1, 2))", STEP),
        (f"np.full({number} % 4, {number})", STEP),
        (f"np.eye(3, k={number} % 3 - 1)", STEP),
        (f"{x} * {number} + {number}", ARITH),
        (f"{x} if {number} > 1 else {x}.copy()", MOVE),
        (f"np.linspace(0, {number}, 5)", INEXACT),
        (f"np.array([{number}, 1.5])", MOVE),
        (f"np.roll({x}, {number})", MOVE),
        (f"np.maximum({x}, {number})", MOVE),
    ]
    if shape and shape[0]:
        forms += [
            (f"{x}[{number} % {shape[0]}]", MOVE),
            (f"{x}[{number} % {shape[0]} :]", MOVE),
            (f"{x}[: {number}]", MOVE),
            (f"np.repeat({x}, {number} % 3, axis=0)", MOVE),
            (f"{x}[::{number}]" if scope.value(number.removeprefix("int(").removesuffix(")")) else f"{x}[::1]", MOVE),
            (f"np.take({x}, {number} % {shape[0]}, axis=0)", MOVE),
        ]
    form, kind = scope.choose(forms)
    return scope.assign(form, kind, *(("zero_sign",) if "maximum" in form else ("nested",) if kind is ARITH else ()))


def shape_of(value: object) -> tuple[int, ...]:
    """The shape of a value, or of a scalar."""
    shape: tuple[int, ...] = getattr(value, "shape", ())
    return shape


#: the templates, with the weight each is drawn with
LIBRARY: dict[Template, int] = {helper: 3, linear_algebra: 2, fourier: 2, iteration: 3, scalar_argument: 5}
