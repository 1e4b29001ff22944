"""Halos that begin before other work and end after it: what is done meanwhile, that it is right, and who decides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lazyarr
from lazyarr.backends.numpy import interpret
from lazyarr.communication import plan, report, show_seconds
from lazyarr.cost_model import DEFAULT, CostModel
from lazyarr.ir.graph import Graph, Program
from lazyarr.ir.layout import default
from lazyarr.ir.local import LOCAL, verify_ranks
from lazyarr.ir.rewrite import all_nodes
from lazyarr.ir.text import parse, show
from lazyarr.ir.verify import VerificationError, verify
from lazyarr.passes.insert_communication import decide
from lazyarr.passes.overlap_messages import overlap_messages
from lazyarr.passes.pipeline import run_pipeline
from tests.ranks import distributed
from tests.test_mpi import needs_mpi
from tests.test_mpi_native import ranks
from tests.test_ranks import captured, compiled

RANKS = Path(__file__).parent / "rank_overlap.py"


def limited(u: Any, steps: int) -> Any:
    """A step that all of the array decides: an exchange in each iteration."""
    for _ in range(steps):
        c = 0.1 / (1 + np.abs(u).max())
        u[1:-1, 1:-1] += c * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    return u


def once(u: Any, v: Any) -> Any:
    """Out of a loop: halos of two arrays in one message, and other work."""
    a = u.copy()
    a[1:-1] = 0.5 * (u[2:] * v[1:-1] - u[:-2])
    v[2:-2] -= v[4:] + np.sqrt(u[:-4])
    return a, v, (v * u).max(axis=1)


def wide(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u[2:-2] = u[2:-2] + 0.05 / (1 + u.max()) * (u[4:] - 4 * u[3:-1] + 6 * u[2:-2] - 4 * u[1:-3] + u[:-4])
    return u


def fields(h: Any, u: Any, steps: int) -> Any:
    for _ in range(steps):
        dt = 0.1 / (1 + np.abs(u).max())
        u[1:-1] -= dt * (h[2:] - h[:-2])
        h[1:-1] -= dt * (u[2:] - u[:-2])
    return h, u


def until_still(u: Any, limit: float) -> Any:
    change = 1.0
    while change > limit:
        old = u.copy()
        u[1:-1] = 0.5 * (u[2:] + u[:-2])
        change = np.abs(u - old).max()
    return u


def repeated(u: Any, steps: int) -> Any:
    """Operands that are repeated along the axis that is split, and beside it."""
    x, y = np.linspace(0.0, 1.0, u.shape[0]), np.linspace(1.0, 2.0, u.shape[1])
    for _ in range(steps):
        u[1:-1] = (u[2:] - u[:-2]) * y / (1 + u.max()) + x[1:-1, None]
    return u


PROGRAMS: list[tuple[Callable[..., Any], int, Any]] = [
    (limited, 1, 3), (once, 2, None), (wide, 1, 2), (fields, 2, 2), (until_still, 1, 0.05), (repeated, 1, 3),
]  # fmt: skip
SHAPES = ((8, 5), (13, 12), (60, 9))


def arguments(count: int, last: Any, shape: tuple[int, ...], seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [*(rng.random(shape) for _ in range(count)), *([] if last is None else [last])]


def names(graph: Graph) -> list[str]:
    return [node.op.name for node in all_nodes(graph)]


@pytest.mark.parametrize(("grid", "run", "shapes"), [
    ((2,), interpret, SHAPES), ((3,), interpret, SHAPES), ((2, 2), interpret, SHAPES[1:]),
    ((3,), compiled, SHAPES[:1]), ((2, 2), compiled, SHAPES[1:2]),
])  # fmt: skip
def test_results_and_messages_are_those_without(
    grid: tuple[int, ...], run: Any, shapes: tuple[tuple[int, ...], ...]
) -> None:
    """Bit for bit, with blocks that have no inner rows, few, and many."""
    begun = 0
    for function, count, last in PROGRAMS if run is interpret else PROGRAMS[:4]:
        for shape in shapes:
            program, given = captured(function, *arguments(count, last, shape))
            split = [k for k, v in enumerate(program.graph.params) if v.type.shape]
            both = [distributed(program, given, grid, run, least=16, split=split, model=CostModel(latency=1e-9),
                                overlap=overlap) for overlap in ("never", "always")]  # fmt: skip
            (before, _, blocking), (after, locals, world) = both
            for a, b in zip(before, after, strict=True):
                for x, y in zip(a, b, strict=True):
                    np.testing.assert_array_equal(np.asarray(x).view(np.int64), np.asarray(y).view(np.int64))
            assert world.sent == blocking.sent, function
            wanted = interpret(program.graph, given)
            for x, y in zip(after[0], wanted, strict=False):
                np.testing.assert_array_equal(x, y)
            for local in locals:
                found = names(local.program.graph)
                assert found.count("halo_start") == found.count("halo_wait")
                begun += found.count("halo_start")
    assert begun > 8


def local(function: Callable[..., Any], *given: Any, at: int = 1, model: CostModel = DEFAULT) -> Program:
    """The program of one of three ranks."""
    program, _ = captured(function, *given)
    layouts = {v: default(v.type.shape, (3,)) for v in program.graph.params if v.type.shape}
    return decide(program, (3,), 8, layouts, (), model).local((at,)).program


def smooth(u: Any) -> Any:
    u[1:-1] = u[2:] * u[:-2]
    return u


BEFORE = """graph(%0: f64[8]) {
  %1 = const() {value=i64(0)} : i64[]
  %2, %3, %4 = halo(%0, %1) {at=1, dim=0, parts=((0, 8, ((0, 8), (8, 16), (16, 24)), ((0, 9), (7, 17), (15, 24))),)} : f64[1], f64[1], i64[]
  %5 = concatenate(%2, %0, %3) {axis=0} : f64[10]
  %6 = slice(%5) {start=(2,), step=(1,), stop=(10,)} : f64[8]
  %7 = slice(%6) {start=(0,), step=(1,), stop=(8,)} : f64[8]
  %8 = slice(%5) {start=(0,), step=(1,), stop=(8,)} : f64[8]
  %9 = slice(%8) {start=(0,), step=(1,), stop=(8,)} : f64[8]
  %10 = multiply(%7, %9) : f64[8]
  %11 = update_slice(%0, %10) {start=(0,), step=(1,), stop=(8,)} : f64[8]
  return %11, %4
}"""  # noqa: E501
AFTER = """graph(%0: f64[8]) {
  %1 = const() {value=i64(0)} : i64[]
  %2, %3 = halo_start(%0, %1) {at=1, dim=0, parts=((0, 8, ((0, 8), (8, 16), (16, 24)), ((0, 9), (7, 17), (15, 24))),)} : i64[], i64[]
  %4 = slice(%0) {start=(2,), step=(1,), stop=(8,)} : f64[6]
  %5 = slice(%0) {start=(0,), step=(1,), stop=(6,)} : f64[6]
  %6 = multiply(%4, %5) : f64[6]
  %7 = update_slice(%0, %6) {start=(1,), step=(1,), stop=(7,)} : f64[8]
  %8, %9, %10 = halo_wait(%2, %3, %7) {at=1, dim=0, parts=((0, 8, ((0, 8), (8, 16), (16, 24)), ((0, 9), (7, 17), (15, 24))),), types=(f64[8],)} : f64[1], f64[1], i64[]
  %11 = slice(%0) {start=(1,), step=(1,), stop=(2,)} : f64[1]
  %12 = multiply(%11, %8) : f64[1]
  %13 = update_slice(%7, %12) {start=(0,), step=(1,), stop=(1,)} : f64[8]
  %14 = slice(%0) {start=(6,), step=(1,), stop=(7,)} : f64[1]
  %15 = multiply(%9, %14) : f64[1]
  %16 = update_slice(%13, %15) {start=(7,), step=(1,), stop=(8,)} : f64[8]
  return %16, %10
}"""  # noqa: E501


def test_the_inner_rows_come_before_the_wait() -> None:
    program = local(smooth, np.ones(24))
    assert str(program.graph) == BEFORE
    overlapped = overlap_messages(program, DEFAULT, "always")
    assert str(overlapped.graph) == AFTER
    assert parse(show(overlapped.graph)) is overlapped.graph
    verify(overlapped.graph, LOCAL)
    assert overlap_messages(program, DEFAULT, "never") == program
    # (Whose lines these are is known of what was made, too.)
    lines = {node.op.name for node in overlapped.graph.nodes if overlapped.origins.get(node)}
    assert {"halo_start", "halo_wait", "update_slice"} <= lines


@pytest.mark.parametrize(("old", "new", "said"), [
    ("return %16, %10", "return %16, %10, %2", "its number goes elsewhere than to a wait"),
    ("halo_wait(%2, %3, %7)", "halo_wait(%1, %3, %7)", "what it begins is waited for 0 times"),
    ("halo_wait(%2, %3, %7)", "halo_wait(%2, %3, %2)", "its number goes elsewhere than to a wait"),
    ("types=(f64[8],)", "types=(f64[9],)", "it does not expect what was begun: types"),
    ("(7, 17), (15, 24))),), types", "(7, 17), (14, 24))),), types", "it does not expect what was begun: parts"),
    ("return %16, %10", "return %16, %10, %3", "its token is taken 2 times"),
    ("return %16, %10", "return %16", "its token is taken 0 times"),
    ("halo_wait(%2, %3, %7)", "halo_wait(%2, %1, %7)", "its token is taken 0 times"),
])  # fmt: skip
def test_wrong_forms_are_refused(old: str, new: str, said: str) -> None:
    assert AFTER.count(old) == 1
    with pytest.raises(VerificationError, match=said):
        verify(parse(AFTER.replace(old, new)), LOCAL)


def test_what_one_rank_waits_for_otherwise_is_no_other_order() -> None:
    program = local(smooth, np.ones(24))
    overlapped = overlap_messages(program, DEFAULT, "always")
    verify_ranks([program.graph, overlapped.graph])
    with pytest.raises(VerificationError, match="as number 0 rank 1 does nothing, rank 0 halo"):
        verify_ranks([program.graph, parse("graph(%0: f64[8]) {\n  return %0\n}")])


def test_later_passes_leave_the_work_between() -> None:
    """Begin, inner rows, wait: in loops too, after the whole pipeline."""
    program = overlap_messages(local(limited, np.ones((60, 9)), 5), DEFAULT, "always")
    done = run_pipeline(program, verify=True)
    (body,) = {g for node in all_nodes(done.graph) for g in node.regions if "halo_wait" in [n.op.name for n in g.nodes]}
    order = [node.op.name for node in body.nodes]
    start, wait = order.index("halo_start"), order.index("halo_wait")
    assert "all_reduce" in order[start:wait]
    assert "update_slice" in order[start:wait]
    assert order[:start].count("reduce") == 0
    assert "update_slice" in order[wait:]


def test_who_decides() -> None:
    """The cost model: how long messages take, and which part of that goes by during work."""
    program = local(limited, np.ones((300, 90)), 5)
    for model, begun in ((CostModel(hidden=1.0), True), (CostModel(), False), (CostModel(latency=1e-2), True),
                         (CostModel(hidden=1.0, latency=1e-7), False)):  # fmt: skip
        assert ("halo_start" in names(overlap_messages(program, model).graph)) == begun, model
    # Out of a loop: arrays of which the most is not copied to stand beside what comes.
    assert "halo_start" in names(overlap_messages(local(smooth, np.ones(300_000)), DEFAULT).graph)
    assert "halo_start" not in names(overlap_messages(local(smooth, np.ones(300)), DEFAULT).graph)


def test_plans_say_what_overlaps() -> None:
    program, _ = captured(limited, np.ones((300, 90)), 5)
    model = CostModel(hidden=0.5, latency=1e-5)
    apart, beside = (plan(program, (3,), 8, model=model, overlap=o) for o in ("never", "auto"))
    assert (apart.messages, apart.bytes) == (beside.messages, beside.bytes)
    (halo,) = (s for s in beside.steps if s.what == "halo")
    assert halo.hidden == pytest.approx(0.5 * model.sent(2, 2 * 90 * 8))
    (before,) = (s for s in apart.steps if s.what == "halo")
    assert before.seconds(model) - halo.seconds(model) == pytest.approx(5 * halo.hidden)
    first, second = ("\n".join(report(found)) for found in (apart, beside))
    assert "(messages and work do not overlap)" in first
    assert "overlap " not in first
    assert f"({show_seconds(5 * halo.hidden)} of messages go by during it)" in second
    assert "bytes  overlap  memory traffic" in second


def heat(u: Any, steps: int) -> Any:
    for _ in range(steps):
        u[1:-1] += 0.25 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u


def test_deep_halos_have_nothing_to_hide() -> None:
    """An exchange, then a loop that needs all of it: that stays as it is."""
    program = local(heat, np.ones((600, 90)), 32)
    assert overlap_messages(program, CostModel(latency=1e-3), "always").graph is program.graph


def test_the_setting() -> None:
    assert lazyarr.configure().overlap == "auto"
    with pytest.raises(ValueError, match="overlap is 'often'; expected one of auto, always, never"):
        lazyarr.configure(overlap="often")


@pytest.mark.xdist_group("mpi")
@needs_mpi
@pytest.mark.parametrize(("count", "how", "grid"), [
    (1, "native", ()), (2, "native", ()), (3, "mixed", ()), (4, "python", ("2,2",)),
])  # fmt: skip
def test_ranks(count: int, how: str, grid: tuple[str, ...]) -> None:
    """NumPy's results, bit for bit, and the messages that there are without."""
    done = ranks(count, RANKS, how, *grid)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
