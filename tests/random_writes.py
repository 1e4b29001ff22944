"""Templates of statements that write into arrays, of control flow, and of statements that raise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.random_execution import Branch, Kind, Loop, Statement, Step, kind_of, names_in, share_memory
from tests.random_scope import Scope, Unfit, fits_into
from tests.random_statements import (
    ARITH,
    BINARY,
    INEXACT,
    INTEGER_BINARY,
    MOVE,
    STEP,
    Template,
    flags_of,
    operator,
    other_shape,
    random_binary,
    random_unary,
    reduction,
    ufunc_unary,
)

Array = np.ndarray[Any, Any]

UPDATES = {"+=": ARITH, "-=": ARITH, "*=": ARITH, "/=": INEXACT, "//=": STEP, "%=": STEP, "**=": INEXACT}


def writable(scope: Scope, kinds: str = "biufc", axes: int = 0) -> str:
    """An array that may be written to; half the time one that shares memory with another variable."""

    def fits(value: Array) -> bool:
        return value.flags.writeable and value.dtype.kind in kinds and value.ndim >= axes and value.size > 0

    if scope.chance(0.5):
        variables = scope.tracker.variables()

        def shared(value: Array) -> bool:
            return fits(value) and sum(share_memory(value, other) for other in variables.values()) > 1

        try:
            return scope.pick(shared)
        except Unfit:
            pass
    return scope.pick(fits)


def operand_for(scope: Scope, name: str, shape: tuple[int, ...]) -> str:
    """Something that can be assigned to a part, of this shape, of the array ``name``."""
    kind = kind_of(scope.value(name))
    draw = scope.rng.random()
    if draw < 0.3:
        return scope.literal({"b": "bi", "i": "bi", "u": "bi", "f": "bif", "c": "bifc"}[kind])
    if draw < 0.5:
        index = scope.basic_index(scope.shape(name))
        part = scope.value(name)[eval(f"np.s_[{index}]", {"np": np})]
        if fits_into(np.shape(part), shape):
            return f"{name}[{index}]"
    other = scope.pick(lambda value: fits_into(np.shape(value), shape) and (kind == "c" or kind_of(value) != "c"), True)
    return scope.choose((other, other, other, f"{other} * 2", f"{other} + {name}[...]" if shape == () else other))


def _written_part(scope: Scope, name: str) -> tuple[str, tuple[int, ...]]:
    """An index for the left-hand side and the shape that it selects."""
    shape = scope.shape(name)
    if shape and scope.chance(0.4):
        index = scope.advanced_index(name)
    else:
        index = scope.basic_index(shape, keep_axes=scope.chance(0.5))
    names = {**scope.tracker.env}
    try:
        part = eval(f"{name}[{index}]", names)
    except IndexError as error:
        raise Unfit from error
    return index, np.shape(part)


def set_item(scope: Scope) -> Statement:
    """``x[1:-1] = y``, ``x[mask] = 3``, ``x[i, j] = y``"""
    x = writable(scope)
    index, shape = _written_part(scope, x)
    operand = operand_for(scope, x, shape)
    kind = ARITH if "*" in operand or "+" in operand else MOVE
    if _masked(scope, index) and any(share_memory(scope.value(x), scope.value(name)) for name in names_in(operand)):
        # Reading what the same statement writes: NumPy's result depends on the order in which it goes through a mask.
        operand = f"np.array({operand})"
    return Statement(f"{x}[{index}] = {operand}", kind, (), (x,), frozenset({"cast"}))


def _masked(scope: Scope, index: str) -> bool:
    variables = scope.tracker.variables()
    return any(f" {sign} " in index for sign in ("<", "<=", ">", "==", "!=")) or (
        index in variables and kind_of(variables[index]) == "b"
    )


def update_item(scope: Scope) -> Statement:
    """``x[1:] += x[:-1]``, ``x[mask] *= 2``, ``x[[0, 0]] += 1``"""
    x = writable(scope)
    index, shape = _written_part(scope, x)
    kinds = kind_of(scope.value(x))
    symbol = _update(scope, kinds)
    kind = UPDATES.get(symbol, STEP)
    return Statement(f"{x}[{index}] {symbol} {operand_for(scope, x, shape)}", kind, (), (x,), _update_flags(symbol))


def update_name(scope: Scope) -> Statement:
    """``x += y``, ``a += a.T``"""
    x = writable(scope)
    shape = scope.shape(x)
    symbol = _update(scope, kind_of(scope.value(x)))
    if len(shape) and scope.chance(0.3):
        operand = scope.choose((f"{x}.T", f"{x}[::-1]", f"{x}[:1]", f"{x}[..., ::-1]", f"{x}[0]", f"{x}[..., -1:]"))
    else:
        operand = operand_for(scope, x, shape)
    return Statement(f"{x} {symbol} {operand}", UPDATES.get(symbol, STEP), (), (x,), _update_flags(symbol))


def _update(scope: Scope, kind: str) -> str:
    if kind in "biu" and scope.chance(0.3):
        return scope.choose(("&=", "|=", "^=") if kind == "b" else ("&=", "|=", "^=", "<<=", ">>="))
    return scope.choose(("+=", "+=", "-=", "*=", *UPDATES))


def _update_flags(symbol: str) -> frozenset[str]:
    return frozenset({"cut"}) if symbol == "**=" else frozenset()


def stencil(scope: Scope) -> Statement:
    """``x[1:-1] = 0.5 * (x[:-2] + x[2:])``"""
    x = writable(scope, "iuf", 1)
    if scope.shape(x)[0] < 3:
        raise Unfit
    form = scope.choose(
        (
            "{x}[1:-1] = 0.5 * ({x}[:-2] + {x}[2:])",
            "{x}[1:-1] += {x}[2:] - {x}[1:-1]",
            "{x}[2:] = {x}[:-2]",
            "{x}[:-1] = {x}[1:]",
            "{x}[::-1] = {x}",
            "{x}[1:] -= {x}[:-1] * 2",
            "{x}[1:-1] = {x}[:-2] - 2 * {x}[1:-1] + {x}[2:]",
        )
    )
    kind = ARITH if "*" in form or "-=" in form or "+=" in form else MOVE
    return Statement(form.format(x=x), kind, (), (x,), frozenset({"cast", "nested"}))


def ufunc_out(scope: Scope) -> Statement:
    """``np.add(x, y, out=z)``, with and without ``where=``"""
    out = writable(scope)
    shape = scope.shape(out)
    kind = kind_of(scope.value(out))
    x = scope.pick(lambda value: fits_into(value.shape, shape) and (kind == "c" or value.dtype.kind != "c"))
    if kind in "iu" and scope.chance(0.6):
        function, step = scope.choose((*INTEGER_BINARY, "add", "multiply", "subtract", "maximum")), STEP
    elif kind == "b":
        function, step = scope.choose(("less", "equal", "logical_and", "logical_or", "greater_equal", "isnan")), STEP
    else:
        function, step = random_binary(scope) if scope.chance(0.6) else random_unary(scope)
    arguments = x
    if function in INTEGER_BINARY or any(function in functions for functions in BINARY.values()):
        other = scope.pick(lambda value: fits_into(np.shape(value), shape), True)
        arguments = f"{x}, {scope.literal('i') if scope.chance(0.2) else other}"
    extra = ""
    if scope.chance(0.3):
        mask = scope.pick(lambda value: value.dtype == bool and fits_into(value.shape, shape))
        extra += f", where={mask}"
    if scope.chance(0.1):
        extra += f", dtype={out}.dtype"
    if scope.chance(0.08):
        extra += ", casting='unsafe'"
    target = scope.fresh() if scope.chance(0.4) else ""
    source = f"np.{function}({arguments}, out={out}{extra})"
    flags = frozenset({*flags_of(function), *(("cast",) if "unsafe" in extra else ())})
    return Statement(f"{target} = {source}" if target else source, step, (target,) if target else (), (out,), flags)


def other_out(scope: Scope) -> Statement:
    """``np.sum(x, axis=0, out=y)``, ``np.cumsum(x, out=x)``, ``np.dot(x, y, out=z)``"""
    out = writable(scope)
    shape = scope.shape(out)
    form: str
    if scope.chance(0.5):
        x = scope.pick(lambda value: value.shape == shape)
        axis = scope.axis(x)
        rows = [scope.rng.randrange(n) for n in shape[:1] * shape[0]]
        form = scope.choose(
            (
                f"np.cumsum({x}, axis={axis}, out={out})",
                f"np.add.accumulate({x}, axis={axis}, out={out})",
                f"np.clip({x}, -1, 2, out={out})",
                f"np.maximum.accumulate({x}, axis={axis}, out={out})",
                f"np.take({x}, {rows}, axis=0, out={out}, mode='clip')",
            )
        )
    else:
        x = scope.pick(lambda value: value.ndim > 0 and value.size > 0)
        axis = scope.axis(x)
        function = scope.choose(("np.sum", "np.max", "np.add.reduce", "np.mean", "np.min"))
        form = f"{function}({x}, axis={axis}, out={out})"
    kind = INEXACT if "mean" in form else MOVE if "max" in form or "min" in form or "clip" in form else ARITH
    return Statement(form, kind, (), (out,), frozenset({"zero_sign"}))


def bulk_write(scope: Scope) -> Statement:
    """``np.add.at``, ``np.copyto``, ``.fill``, ``.sort``, ``.flat``, ``np.put``, ``np.putmask``, ``.real = ``"""
    x = writable(scope)
    shape = scope.shape(x)
    value = scope.literal("bi" if kind_of(scope.value(x)) in "biu" else "bif")
    other = scope.pick(lambda other: fits_into(other.shape, shape))
    size = math.prod(shape)
    forms: list[tuple[str, Kind, tuple[str, ...]]] = [
        (f"np.copyto({x}, {other}, casting='same_kind')", MOVE, ()),
        (f"{x}.fill({value})", MOVE, ("cast",)),
        (f"{x}[...] = {other}", MOVE, ("cast",)),
        (f"{x}.flat[{scope.rng.randrange(size)}] = {value}", MOVE, ("cast",)),
        (f"{x}.flat[{scope.slice(size)}] = {value}", MOVE, ("cast",)),
        (f"{x}.flat = {value}", MOVE, ("cast",)),
        (f"np.put({x}, {scope.index_list(size, 3)}, {[scope.rng.randint(0, 4) for _ in range(3)]})", MOVE, ("cast",)),
        (f"np.putmask({x}, {x} > 1, {value})", STEP, ("cast",)),
        (f"np.place({x}, {x} > 1, [1, 2, 3])", STEP, ("cast",)),
        (f"{x}.real = {value}", MOVE, ("cast",)),
        (f"{x}[...] = np.sort({x}, axis=None).reshape({shape})", MOVE, ("zero_sign",)),
    ]
    if kind_of(scope.value(x)) == "c":
        forms += [(f"{x}.imag = {value}", MOVE, ()), (f"{x}.imag[...] = {x}.real", MOVE, ())]
    if shape:
        axis = scope.axis(x)
        indices = scope.index_list(shape[0], 4)
        mask = f"{other} > 0" if kind_of(scope.value(other)) not in "cb" else "True"
        forms += [
            (f"{x}.sort(axis={axis})", MOVE, ("zero_sign",)),
            (f"{x}.sort()", MOVE, ("zero_sign",)),
            (f"np.negative.at({x}, {indices})", MOVE, ()),
            (f"np.copyto({x}, {other}, where={mask}, casting='unsafe')", STEP, ("cast",)),
        ]
        if scope.value(x).dtype != np.uint64:  # with a signed operand it computes in float64, and converts back
            forms += [
                (f"np.add.at({x}, {indices}, {value})", ARITH, ("zero_sign",)),
                (f"np.add.at({x}, ({indices},), {value})", ARITH, ("zero_sign",)),
                (f"np.subtract.at({x}, {indices}, {value})", ARITH, ("zero_sign",)),
                (f"np.multiply.at({x}, {indices}, {value})", ARITH, ()),
                (f"np.maximum.at({x}, {indices}, {value})", MOVE, ("zero_sign",)),
            ]
    if len(shape) > 1:
        forms += [(f"np.fill_diagonal({x}, {value})", MOVE, ("cast",)), (f"{x}.T[...] = {value}", MOVE, ("cast",))]
    form, kind, flags = scope.choose(forms)
    return Statement(form, kind, (), (x,), frozenset(flags))


def view_then_write(scope: Scope) -> Statement:
    """A view of an array that may be written to, so that later writes go through it"""
    x = writable(scope, axes=1)
    shape = scope.shape(x)
    forms = [f"{x}[{scope.basic_index(shape, keep_axes=True)}]", f"{x}.T", f"{x}.reshape({other_shape(scope, shape)})"]
    forms += [f"{x}.ravel()", f"{x}[::-1]", f"{x}[..., ::2]", f"np.diagonal({x})" if len(shape) > 1 else f"{x}[1:]"]
    return scope.assign(scope.choose(forms), MOVE)


def swap(scope: Scope) -> Statement:
    """``x, y = y, x`` and ``x[::2], x[1::2] = x[1::2], x[::2]``"""
    draw = scope.rng.random()
    names = [name for name in scope.tracker.variables() if name.startswith("v")]
    if draw < 0.5 and len(names) > 1:
        x, y = scope.rng.sample(names, 2)
        return Statement(f"{x}, {y} = {y}, {x}", MOVE, (x, y))
    x = writable(scope, axes=1)
    if draw < 0.75:
        return Statement(f"{x}[0], {x}[-1] = {x}[-1], {x}[0]", MOVE, (), (x,))
    half = scope.shape(x)[0] // 2
    if not half:
        raise Unfit
    return Statement(f"{x}[:{half}], {x}[-{half}:] = {x}[-{half}:], {x}[:{half}]", MOVE, (), (x,))


def rebind(scope: Scope) -> Statement:
    """``x = x + y``: a name that is bound again"""
    x = scope.pick(scalars=True)
    drawn = operator(scope)
    name = drawn.targets[0]
    source = drawn.source.replace(f"{name} =", f"{x} =", 1)
    return Statement(source, drawn.kind, (x,), (), drawn.flags)


def branch(scope: Scope) -> Branch:
    """``if x.sum() > 0: ... else: ...``: the branch that is not taken must not need the other"""
    x = scope.pick(lambda value: value.size > 0)
    complex_value = kind_of(scope.value(x)) == "c"
    test = scope.choose(("{x}.sum() > 1", "{x}.max() > 4", "({x} > 0).any()", "{x}.all()", "np.min({x}) < 0"))
    condition = f"{x}.any()" if complex_value else test.format(x=x)
    body = scope.choose((operator, ufunc_unary, set_item, update_name, update_item, reduction))(scope)
    other = scope.choose((operator, ufunc_unary, reduction))(scope)
    if not body.targets:
        return Branch(condition, (body,))
    rename = other.source.replace(f"{other.targets[0]} =", f"{body.targets[0]} =", 1)
    return Branch(condition, (body,), (Statement(rename, other.kind, body.targets[:1], (), other.flags),))


def loop(scope: Scope) -> Loop:
    """``for i in range(1, 4): x[i] += x[i - 1]``"""
    x = writable(scope, "iufc", 1)
    extent = min(scope.shape(x)[0], 4)
    if extent < 2:
        raise Unfit
    form, kind = scope.choose(
        (
            ("{x}[i] += {x}[i - 1]", ARITH),
            ("{x}[i] = {x}[i - 1]", MOVE),
            ("{x}[i:] -= {x}[:-i]", ARITH),
            ("{x}[i - 1] = {x}[:i].sum()", ARITH),
            ("{x}[-i] = i", MOVE),
            ("{x}[1:] = {x}[:-1]", MOVE),
            ("{x}[i], {x}[i - 1] = {x}[i - 1] * 1, {x}[i] * 1", ARITH),
            ("{x}[i, ...] = {x}[0] + i", ARITH),
        )
    )
    body = [Statement(form.format(x=x), kind, (), (x,))]
    if scope.chance(0.4):
        body.append(Statement(f"{x}[0] = {x}[-1]", MOVE, (), (x,)))
    return Loop(f"1, {extent}", tuple(body))


def faulty(scope: Scope) -> Statement:
    """A statement that NumPy refuses, most of the time"""
    x = scope.pick()
    shape = scope.shape(x)
    rank = len(shape)
    total = math.prod(shape)
    wrong = tuple(extent + 2 for extent in shape) or (2, 3)
    beyond = shape[0] + scope.rng.randint(0, 3) if shape else 0
    index_array = f"np.array([0, {beyond}])"
    form = scope.choose(
        (
            f"{x}[{', '.join(['0'] * (rank + 1))}]",
            f"{x}[{beyond}]",
            f"{x}[-{beyond + 1}]",
            f"{x}[{index_array}]",
            f"{x}[np.abs({index_array}) * 1 + {x}.size * 0]",
            f"{x} + np.zeros({wrong})",
            f"{x}.reshape({total + 1})",
            f"{x}.reshape(-1, {total + 3})",
            f"np.sum({x}, axis={rank})",
            f"{x}.max(axis={-rank - 1})",
            f"np.concatenate([{x}, np.zeros({(*shape, 1)})])",
            f"np.stack([{x}, np.zeros({wrong})])",
            f"{x} @ np.zeros({(shape[-1] + 1 if shape else 3, 2)})",
            f"np.transpose({x}, {tuple(range(rank + 1))})",
            f"np.max(np.zeros((0,) + {x}.shape), axis=0)",
            f"np.argmin({x}[..., None][..., :0])",
            f"np.take({x}, {total})",
            f"np.broadcast_to({x}, {(*wrong, 5)})",
            f"bool(np.stack([{x}, {x}]))",
            f"int(np.stack([{x}, {x}]))",
            f"{x}.squeeze(axis={0 if shape and shape[0] != 1 else rank})",
            f"np.left_shift({x} * 1.0, 1)",
            f"np.add({x}, 1, out=np.zeros({wrong}))",
            f"np.add({x}, 1.5, out=np.zeros({shape}, dtype=np.int64))",
            f"{x}.astype(np.int8) + 300",
            f"np.uint8(3) + {x}.astype(np.uint8) - 257",
            f"-({x} > 0)",
            f"({x} == {x}) - ({x} == {x})",
            f"np.arange(3) ** np.array([-1, -2, -1]) + {x}.size",
            f"len({x}[(0,) * {rank}])",
            f"{x}.item({total})",
            f"np.cross({x}, np.zeros((2, 5)))",
            f"np.linalg.inv(np.zeros((2, 2))) + {x}.size",
            f"np.linalg.cholesky(-np.eye(2)) + {x}.size",
            f"np.einsum('ij,jk', {x}, np.zeros({(*wrong, 2)}))",
            f"np.split({x}, {shape[0] + 1 if shape else 2})",
            f"np.swapaxes({x}, 0, {rank})",
            f"{x}.no_such_attribute",
            f"np.expand_dims({x}, {rank + 2})",
            f"np.pad({x}, -1)",
            f"np.repeat({x}, [1, 2, 3, 4, 5, 6, 7])",
            f"{x} < {x}.astype(str)",
        )
    )
    return scope.assign(form, STEP, "meta")


def faulty_write(scope: Scope) -> Statement:
    """A write that NumPy refuses, most of the time: nothing may be written"""
    x = writable(scope)
    shape = scope.shape(x)
    wrong = tuple(extent + 2 for extent in shape) or (2, 3)
    beyond = shape[0] if shape else 0
    form = scope.choose(
        (
            f"{x}[...] = np.zeros({wrong})",
            f"{x} += np.zeros({wrong})",
            f"{x} += 1j",
            f"{x} -= 1.5",
            f"{x} /= 2",
            f"{x}[{beyond}] = 1",
            f"{x}[[0, {beyond}]] = 1",
            f"{x}[[0, {-beyond - 1}]] += 1",
            f"np.add.at({x}, [0, {beyond}], 1)",
            f"{x}[{', '.join(['0'] * (len(shape) + 1))}] = 2",
            f"np.broadcast_to({x}, (2,) + {x}.shape)[0] = 1",
            f"np.copyto({x}, 2.5, casting='no')",
            f"np.copyto({x}, np.zeros({wrong}))",
            f"{x} += {x}[None]",
            f"{x}[np.ones({wrong}, dtype=bool)] = 1",
            f"{x}[{x} == {x}] = [1, 2, 3, 4, 5, 6, 7, 8, 9]",
            f"{x}[...] = 1000",
            f"{x}.fill(-1)",
            f"{x}[...] = 'text'",
            f"{x} **= -1",
            f"{x} @= np.zeros({wrong})",
        )
    )
    return Statement(form, STEP, (), (x,), frozenset({"meta"}))


#: the templates that write, with the weight each is drawn with
WRITE: dict[Template, int] = {
    set_item: 14,
    update_item: 12,
    update_name: 8,
    stencil: 4,
    ufunc_out: 6,
    other_out: 2,
    bulk_write: 9,
    view_then_write: 10,
    swap: 2,
    rebind: 2,
}
CONTROL: dict[Callable[[Scope], Step], int] = {branch: 3, loop: 4}
FAULTY: dict[Template, int] = {faulty: 3, faulty_write: 2}
