"""Checks that every operation must pass, for lazyarr's own operations and for yours.

::

    from lazyarr.testing import check_op

    def test_my_op():
        check_op(MY_OP)

`check_op` needs nothing but the declaration. From its samples it checks that

- the type rule gives the dtype and shape that NumPy's result has, and no argument is modified;
- each of the operation's back ends gives NumPy's results: integers and bools exactly, floats within a few units in
  the last place, NaN, infinities and signed zeros in the same places; for element-wise operations also on corner
  values (NaN, infinities, both zeros, the largest and the smallest normal numbers; the ends of the integer ranges);
- the declared access holds: when one input element changes, only outputs inside `affected` change, and
  outputs do change where the declaration says that they may;
- `pointwise` holds: done on a part of its operands, or on repeated ones, the operation gives the same bits;
- `memory` holds: of NumPy's results those of a view share memory with the first operand, no others with any;
- `fills`, if there is one, writes what `evaluate` gives;
- the operation prints and parses, its cost is not negative, and its graph verifies.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazyarr.backends.base import backend
from lazyarr.backends.numpy import interpret
from lazyarr.ir import text
from lazyarr.ir.access import Along, OperandAccess, affected, elementwise
from lazyarr.ir.extents import Length, Shape, broadcast, is_static
from lazyarr.ir.graph import Graph, param
from lazyarr.ir.node import Node, make
from lazyarr.ir.op import Op, Sample
from lazyarr.ir.types import ArrayType, parse
from lazyarr.ir.verify import verify

#: Units in the last place by which floats of the back ends may differ, unless the sample says otherwise.
#: Element-wise: of the result itself. Elsewhere: of the largest magnitude among results and operands.
ULPS_ELEMENTWISE = 4.0
ULPS = 64.0
_TITLES = {"xla": "XLA"}
_PERTURBATIONS = 4
_MOST_REPORTED = 12
_MOST_RUNS = 256


@dataclass(frozen=True)
class Call:
    """A sample made ready: its types, its one-node graph, and what its access says."""

    op: Op
    sample: Sample
    types: tuple[ArrayType, ...]
    node: Node
    access: tuple[OperandAccess, ...]

    @property
    def graph(self) -> Graph:
        """The graph whose parameters are the operands."""
        return Graph([param(i, t) for i, t in enumerate(self.types)], self.node.values)

    @property
    def elementwise(self) -> bool:
        """Whether result element ``i`` reads element ``i`` of every operand, and nothing else."""
        shapes = [t.shape for t in self.types]
        try:
            result = broadcast(*shapes) if shapes else None
        except ValueError:  # the operands of a product need not broadcast
            return False
        return all(t.shape == result for t in self.node.types) and self.access == elementwise(*shapes)

    def __str__(self) -> str:
        return text.show_node(self.node)


def prepare(op: Op, sample: Sample) -> Call:
    """The sample of `op` as a call.

    Raises
    ------
    TypeError, ValueError
        If the operation's type rule refuses its own sample.
    """
    types = tuple(map(parse, sample.types))
    node = make(op, tuple(param(i, t) for i, t in enumerate(types)), tuple(sorted(sample.attrs.items())))
    return Call(op, sample, types, node, node.access)


def draw(call: Call, rng: np.random.Generator) -> list[Any]:
    """Random operands of a call, in the range its sample names."""
    if call.sample.make is not None:
        made = call.sample.make(rng)
        return [np.asarray(x, t.dtype) for x, t in zip(made, call.types, strict=True)]
    return [draw_array(t, rng, call.sample.low, call.sample.high) for t in call.types]


def draw_array(type: ArrayType, rng: np.random.Generator, low: float, high: float) -> Any:
    """A random array of `type`, uniform in [low, high); integers are rounded, bools are signs."""
    x = rng.uniform(low, high, type.shape)
    kind = type.dtype.kind
    if kind == "c":
        return np.asarray(x + 1j * rng.uniform(low, high, type.shape), type.dtype)
    if kind == "b":
        return np.asarray(x > (low + high) / 2)
    if kind == "u":
        return np.asarray(np.abs(np.round(x)), type.dtype)
    return np.asarray(np.round(x) if kind == "i" else x, type.dtype)


def corner_values(dtype: np.dtype[Any], kinds: tuple[str, ...]) -> np.ndarray[Any, Any]:
    """The values at which back ends differ if they differ, of the `kinds` that `Sample.corners` names.

    Denormal numbers are not among them: XLA on the CPU takes and gives zero for them.
    """
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        low, high, bits = np.iinfo(dtype).min, np.iinfo(dtype).max, 8 * dtype.itemsize
        values = [0, 1, -1, 2, -2, 3, -7]
        if "limits" in kinds:
            values += [low, low + 1, high - 1, high, bits - 1, bits]
        return np.array(sorted({v for v in values if low <= v <= high}), dtype)
    real = np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
    big, tiny = np.finfo(real).max, np.finfo(real).smallest_normal
    special = {"nan": [np.nan], "inf": [np.inf, -np.inf], "-0": [-0.0], "limits": [big, -big, tiny, -tiny]}
    found = [0.0, 1.0, -1.0, 0.5, -2.5]
    if dtype.kind == "f":
        return np.array(found + [v for kind in kinds for v in special[kind]], dtype)
    found = found[:2] + found[-1:] + [v for kind in kinds if kind != "limits" for v in special[kind]]
    parts = np.array(found, real)
    return np.stack(np.meshgrid(parts, parts), axis=-1).reshape(-1, 2).copy().view(dtype).reshape(-1)


def corner_operands(call: Call, rng: np.random.Generator) -> Iterator[list[Any]]:
    """Operands in which, over all runs, corner values meet: every combination of two, a sample of more."""
    corners = [corner_values(t.dtype, call.sample.corners) for t in call.types]
    # The first operand moves on by its whole size; the others by one, so that each meets each.
    steps = [max(1, call.types[0].size), *[1] * (len(corners) - 1)]
    ranges = [range(0, len(c), step) for c, step in zip(corners, steps, strict=True)]
    combinations = list(itertools.product(*ranges))
    if len(combinations) > _MOST_RUNS:
        combinations = [combinations[k] for k in rng.choice(len(combinations), _MOST_RUNS, replace=False)]
    for offsets in combinations:
        yield [
            c[(np.arange(t.size) + offset) % len(c)].reshape(t.shape)
            for c, t, offset in zip(corners, call.types, offsets, strict=True)
        ]


def check_op(op: Op, rng: np.random.Generator | None = None) -> None:
    """Check everything that is asked of an operation, see the module's text.

    Parameters
    ----------
    op : Op
    rng : numpy.random.Generator, optional
        Where operands come from; the same ones in every run without it.

    Raises
    ------
    AssertionError
        Naming each sample that fails, and how.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    calls = [prepare(op, sample) for sample in op.samples()]
    if not calls:
        raise AssertionError(f"operation {op.name} has no samples")
    found = [
        f"{call}: {problem}"
        for call in calls
        for check in (check_type, check_text, check_cost, check_fills)
        for problem in check(call, rng)
    ]
    found += check_access(calls, rng)
    found += check_pointwise(calls, rng)
    found += check_memory(calls, rng)
    # Back ends are asked of a declaration that is right so far: they would fail at the first wrong type.
    for name in op.backends:
        if not found and name != "numpy":
            found += check_backend(name, calls, rng)
    if found:
        more = f"\n... and {len(found) - _MOST_REPORTED} more" if len(found) > _MOST_REPORTED else ""
        raise AssertionError(f"operation {op.name}:\n" + "\n".join(found[:_MOST_REPORTED]) + more)


def check_type(call: Call, rng: np.random.Generator) -> Iterator[str]:
    """The type rule against NumPy's own result; the arguments are unchanged afterwards."""
    arguments = draw(call, rng)
    for k, (x, t) in enumerate(zip(arguments, call.types, strict=True)):
        if x.shape != t.shape:
            yield f"the sample makes operand {k} of shape {x.shape}"
            return
    before = [x.copy() for x in arguments]
    for k, (result, type) in enumerate(zip(_evaluate(call, arguments), call.node.types, strict=True)):
        actual = np.asarray(result)
        if actual.dtype != type.dtype or not has_shape(actual, type.shape):
            yield f"result {k} is {type} by the type rule, {actual.dtype}{list(actual.shape)} in NumPy"
    for k, (x, old) in enumerate(zip(arguments, before, strict=True)):
        if x.tobytes() != old.tobytes():
            yield f"evaluate modifies operand {k}"


def has_shape(array: np.ndarray[Any, Any], shape: Shape) -> bool:
    """Whether an array is of a shape; an extent known at run time only may be anything up to its bound."""
    return array.ndim == len(shape) and all(
        n <= m.bound if isinstance(m, Length) else n == m for n, m in zip(array.shape, shape, strict=True)
    )


def check_text(call: Call, rng: np.random.Generator) -> Iterator[str]:
    """The text round trip, and the verifier."""
    graph = call.graph
    verify(graph)
    if text.parse(text.show(graph)) is not graph:
        yield f"does not come back from its text:\n{graph}"


def check_cost(call: Call, rng: np.random.Generator) -> Iterator[str]:
    """The cost of static types is two numbers, not negative."""
    cost = call.node.cost
    for name, value in (("flops", cost.flops), ("bytes", cost.bytes)):
        if not value >= 0:
            yield f"costs {value} {name}"


def check_fills(call: Call, rng: np.random.Generator) -> Iterator[str]:
    """What `fills` writes, to arrays that are no piece of memory, against what `evaluate` gives."""
    if call.op.fills is None:
        return
    arguments = draw(call, rng)
    found = []
    for t in call.node.types:
        place: tuple[Any, ...] = (..., *[slice(None, None, 2)] * t.ndim)
        found.append(np.full([2 * n for n in t.shape], 77, t.dtype)[place])
    with np.errstate(all="ignore"):
        call.op.fills(tuple(found), *arguments, **call.node.kw)
    for k, (result, filled) in enumerate(zip(_evaluate(call, arguments), found, strict=True)):
        if not np.array_equal(result, filled, equal_nan=filled.dtype.kind in "fc"):
            yield f"result {k} is {result} by evaluate, {filled} by fills"


def check_access(calls: Sequence[Call], rng: np.random.Generator) -> list[str]:
    """Access by perturbation; all calls are of one operation."""
    found: list[str] = []
    promised: set[int] = set()
    moved: set[int] = set()
    for call in calls:
        if len(call.access) != len(call.types) or any(
            len(entries) != t.ndim for entries, t in zip(call.access, call.types, strict=True)
        ):
            found.append(f"{call}: access is not one entry for each axis of each operand: {call.access}")
            continue
        for k, entries in enumerate(call.access):
            if not all(is_static(t.shape) for t in call.node.types):
                continue  # Which elements there are is data: no element of a result has a place to be compared at.
            if call.types[k].size == 0 or all(t.size == 0 for t in call.node.types):
                continue
            if any(isinstance(entry, Along) for entry in entries):
                promised.add(k)
            for trial in range(_PERTURBATIONS):
                changed, problem = _perturb(call, k, entries, trial, rng)
                if changed:
                    moved.add(k)
                if problem:
                    found.append(f"{call}: {problem}")
                    break
    for k in sorted(promised - moved):
        found.append(f"operand {k} reaches results along an axis, by its access, but no change of it changed a result")
    return found


def _perturb(
    call: Call, k: int, entries: OperandAccess, trial: int, rng: np.random.Generator
) -> tuple[bool, str | None]:
    """Change one element of operand `k`: whether a result changed, and one that must not have."""
    free = call.sample.make is None and bool(call.sample.corners)
    arguments = draw(call, rng)
    if free and trial % 2:
        # Some operands matter only where another is zero (heaviside, logical_and).
        arguments = [np.zeros_like(x) for x in arguments]
    index = tuple(int(rng.integers(n)) for n in call.types[k].shape)
    before = [np.array(r) for r in _evaluate(call, arguments)]
    candidates = [draw(call, rng)[k][index]]
    if free:
        candidates.append(rng.choice(corner_values(call.types[k].dtype, call.sample.corners)))
        candidates.append(np.zeros((), call.types[k].dtype)[()])
    changed = False
    for candidate in candidates:
        altered = arguments[k].copy()
        altered[index] = candidate
        after = _evaluate(call, [*arguments[:k], altered, *arguments[k + 1 :]])
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            different = _differs(old, np.asarray(new))
            changed = changed or bool(different.any())
            inside = np.zeros(old.shape, bool)
            inside[np.ix_(*affected(entries, index, old.shape))] = True
            outside = np.argwhere(different & ~inside)
            if len(outside):
                where = tuple(map(int, outside[0]))
                return changed, (
                    f"operand {k}{list(index)} = {candidate} changes result {number}{list(where)}, "
                    f"which its access ({', '.join(map(str, entries))}) excludes"
                )
    return changed, None


def check_pointwise(calls: Sequence[Call], rng: np.random.Generator) -> list[str]:
    """``pointwise`` against the declared access, and on parts of operands and on repeated ones."""
    op = calls[0].op
    if not op.pointwise:
        shaped = [call for call in calls if any(t.shape for t in call.node.types)]
        if shaped and all(call.elementwise for call in shaped):
            return ["element-wise by its access in every sample, but not declared pointwise"]
        return []
    found = [f"{call}: pointwise, but its access is not element-wise" for call in calls if not call.elementwise]
    for call in calls if not found else ():
        operands = [draw(call, rng)]
        if call.sample.make is None and call.sample.corners and 0 not in call.node.types[0].shape:
            operands += itertools.islice(corner_operands(call, rng), 4)
        for arguments in operands:
            problem = _on_parts(call, arguments, rng) or _on_repeated(call, arguments)
            if problem:
                found.append(f"{call}: {problem}")
                break
    return found


def _on_parts(call: Call, arguments: Sequence[Any], rng: np.random.Generator) -> str | None:
    """What is wrong with the operation on a random box of its operands."""
    shape = call.node.types[0].shape
    box = tuple(slice(int(rng.integers(n // 2 + 1)), n, int(rng.integers(1, 3))) for n in shape)
    parts = []
    for x in arguments:
        lead = len(shape) - x.ndim
        parts.append(x[tuple(slice(None) if n == 1 else box[lead + axis] for axis, n in enumerate(x.shape))])
    whole, part = _evaluate(call, arguments), _evaluate(call, parts)
    for number, (x, y) in enumerate(zip(whole, part, strict=True)):
        expected, actual = np.asarray(x)[box], np.asarray(y)
        if expected.shape != actual.shape or expected.dtype != actual.dtype or _unlike(expected, actual):
            return f"not pointwise: result {number} of a part of the operands is not that part of the result"
    return None


def _on_repeated(call: Call, arguments: Sequence[Any]) -> str | None:
    """What is wrong with the operation where a scalar operand stands repeated in an array."""
    shape = call.node.types[0].shape
    for k, x in enumerate(arguments):
        if k in call.op.scalar_loops or x.size == 0 or not shape:
            continue
        scalar = [*arguments[:k], x.reshape(-1)[0], *arguments[k + 1 :]]
        array = [*arguments[:k], np.full(shape, x.reshape(-1)[0]), *arguments[k + 1 :]]
        for number, (one, many) in enumerate(zip(_evaluate(call, scalar), _evaluate(call, array), strict=True)):
            if _unlike(np.broadcast_to(one, shape), np.asarray(many)):
                return f"result {number} has other bits if operand {k} is a scalar: scalar_loops does not name it"
    return None


def _unlike(expected: Any, actual: Any) -> bool:
    """Whether two arrays of one type differ; NaN equals NaN."""
    kind = expected.dtype.kind
    if kind == "c":
        # NumPy's loops round the last elements, which do not fill a vector, in another way.
        return not _close(expected, actual, ULPS_ELEMENTWISE, 0.0).all()
    numbers = ~(np.isnan(expected) & np.isnan(actual)) if kind == "f" else True
    return bool((_differs(expected, actual) & numbers).any())


def check_memory(calls: Sequence[Call], rng: np.random.Generator) -> list[str]:
    """``memory`` against what NumPy's results share with the operands."""
    memory = calls[0].op.memory
    found: list[str] = []
    shared = False
    for call in calls:
        arguments = draw(call, rng)
        results = [np.asarray(r) for r in _evaluate(call, arguments)]
        for number, result in enumerate(results):
            sources = [k for k, x in enumerate(arguments) if np.shares_memory(result, x)]
            shared = shared or 0 in sources
            if sources and (memory != "view" or sources != [0]):
                found.append(f"{call}: result {number} shares memory with operands {sources}, but its is {memory!r}")
        if memory == "free" and any(t.shape for t in call.types):
            found.append(f"{call}: memory is 'free', but an operand is no scalar")
    if memory == "view" and not shared:
        found.append("memory is 'view', but no result shares memory with the first operand")
    return found


def _differs(old: np.ndarray[Any, Any], new: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Where two arrays of one type have different bits."""
    bits = [np.ascontiguousarray(x).reshape(-1).view(np.uint8).reshape(x.size, x.itemsize) for x in (old, new)]
    return np.asarray((bits[0] != bits[1]).any(axis=1).reshape(old.shape))


def check_backend(name: str, calls: Sequence[Call], rng: np.random.Generator) -> list[str]:
    """A back end against NumPy on random operands and on corner values; all samples in one graph."""
    run = compile_calls(calls, name)
    found: dict[int, str] = {}

    def compare(batch: list[list[Any]], chosen: Sequence[int]) -> None:
        for k, actual in zip(range(len(calls)), run(batch), strict=True):
            if k in chosen and k not in found:
                expected = interpret(calls[k].graph, batch[k])
                for number, (a, b) in enumerate(zip(expected, actual, strict=True)):
                    problem = difference(a, b, calls[k], batch[k], name)
                    if problem:
                        found[k] = f"{calls[k]}: result {number}: {problem}"
                        break

    random = [draw(call, rng) for call in calls]
    compare(random, range(len(calls)))
    corners = {
        k: list(corner_operands(call, rng))
        for k, call in enumerate(calls)
        if call.elementwise and call.sample.make is None and call.sample.corners and 0 not in call.node.types[0].shape
    }
    for run_number in range(max((len(runs) for runs in corners.values()), default=0)):
        chosen = [k for k, runs in corners.items() if run_number < len(runs)]
        batch = [corners[k][run_number] if k in chosen else random[k] for k in range(len(calls))]
        compare(batch, chosen)
    return [found[k] for k in sorted(found)]


def compile_calls(calls: Sequence[Call], name: str) -> Callable[[Sequence[Sequence[Any]]], list[list[Any]]]:
    """All calls made ready by one back end at once: operands of each call to results of each call."""
    params = [param(i, t) for i, t in enumerate(t for call in calls for t in call.types)]
    results: list[Any] = []
    at = 0
    for call in calls:
        operands = tuple(params[at : at + len(call.types)])
        results.extend(make(call.op, operands, call.node.attrs).values)
        at += len(call.types)
    executable = backend(name)(Graph(params, results), ())

    def run(batch: Sequence[Sequence[Any]]) -> list[list[Any]]:
        flat = iter(executable([x for operands in batch for x in operands]))
        return [[np.asarray(next(flat)) for _ in call.node.types] for call in calls]

    return run


def difference(expected: Any, actual: Any, call: Call, arguments: Sequence[Any], name: str) -> str | None:
    """How `actual` differs from `expected` beyond what the call's sample allows, or None."""
    if actual.dtype != expected.dtype or actual.shape != expected.shape:
        return f"{actual.dtype}{list(actual.shape)} instead of {expected.dtype}{list(expected.shape)}"
    if expected.dtype.kind in "biu":
        wrong = expected != actual
    else:
        ulps = call.sample.ulps
        if ulps is None:
            ulps = ULPS_ELEMENTWISE if call.elementwise else ULPS
        scale = 0.0 if call.elementwise else max(map(_magnitude, (expected, *arguments)))
        wrong = ~_close(expected, actual, ulps, scale)
    if not wrong.any():
        return None
    where = tuple(map(int, np.argwhere(wrong)[0]))
    given = ""
    if call.elementwise:
        spread = np.broadcast_arrays(*arguments)
        given = f" of {', '.join(repr(x[where].item()) for x in spread)}"
    who = _TITLES.get(name, name)
    return f"at {list(where)}{given} {who} gives {actual[where].item()!r}, NumPy {expected[where].item()!r}"


def _magnitude(x: Any) -> float:
    """The largest finite magnitude in `x`, as a float."""
    x = np.asarray(x)
    if x.dtype.kind not in "fc" or x.size == 0:
        return 0.0
    with np.errstate(all="ignore"):
        size = np.abs(x.astype(np.result_type(x.dtype, np.float64)))
    return float(np.max(size, where=np.isfinite(size), initial=0.0))


def _close(expected: Any, actual: Any, ulps: float, scale: float) -> Any:
    """Where two float arrays agree: NaN, infinities and zeros in the same places, the rest within `ulps`."""
    if expected.dtype.kind == "c":
        # A component is as exact as the whole: its own size may be what is left of a cancellation.
        size = np.where(np.isfinite(expected), np.abs(expected), 0)
        parts = [(expected.real, actual.real), (expected.imag, actual.imag)]
    else:
        size = np.where(np.isfinite(expected), np.abs(expected), 0)
        parts = [(expected, actual)]
    limits = np.finfo(expected.dtype)
    with np.errstate(all="ignore"):
        allowed = ulps * float(limits.eps) * np.maximum(size.astype(np.float64), scale)
        allowed = np.maximum(allowed, float(limits.smallest_normal))
        good = np.ones(expected.shape, bool)
        for a, b in parts:
            near = np.abs(a.astype(np.float64) - b.astype(np.float64)) <= allowed
            # Rounding may carry a value over the largest number, in one back end and not in the other.
            zeros = (a == 0) & (b == 0) & (expected.dtype.kind == "f") & (scale == 0.0)
            good &= np.where(zeros, np.signbit(a) == np.signbit(b), near | (a == b) | (np.isnan(a) & np.isnan(b)))
    return good


def _evaluate(call: Call, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """What `evaluate` itself gives, before the back end makes it the declared type."""
    attrs = {
        key: (lambda *xs, body=value: tuple(interpret(body, xs))) if isinstance(value, Graph) else value
        for key, value in call.sample.attrs.items()
    }
    with np.errstate(all="ignore"):
        result = call.op.evaluate(np, *arguments, **attrs)
    return tuple(result) if isinstance(result, (tuple, list)) else (result,)
