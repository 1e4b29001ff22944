"""Plans before running: costs that are measured, the table of each line, budgets, formulas, many ranks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from click.testing import CliRunner, Result

from lazyarr import communication, cost_model, disk, launch
from lazyarr.calibration import measure
from lazyarr.cli import load, main
from lazyarr.closed_forms import NO_FORM, NoClosedForm, blank, closed_forms
from lazyarr.cost_model import DEFAULT, CostModel
from lazyarr.ir.graph import Program
from lazyarr.ir.layout import default
from lazyarr.ir.types import parse
from lazyarr.ops.shape import slice_length
from lazyarr.passes.insert_communication import insert_communication
from lazyarr.settings import settings
from lazyarr.tracing.accelerated import Accelerated
from lazyarr.tracing.explain import explain
from tests.test_mpi import needs_mpi

PROGRAM = """
import numpy as np

def sweep(u, k):
    v = u.copy()
    v[1:-1, 1:-1] += k * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    return v

def heat(u, steps, k):
    for _ in range(steps):
        u[1:-1] += k * (u[2:] + u[:-2] - 2 * u[1:-1])
    return u

def product(a, b):
    return a @ b

def norm(u):
    return (u * u).sum()

def transform(u):
    return np.fft.fft2(u)

def columns(u):
    return u.sum(axis=0)

def peaks(u):
    return u.max(axis=0)

def thirds(u):
    k = u.shape[0] // 3
    return u[:k] + u[-k:]

def looks(u):
    print(float(u.sum()))
    return u * 2

def nothing(u):
    return None
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return str(path)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def inspected(*words: str) -> str:
    result = run("inspect", *words)
    assert result.exit_code == 0, result.output
    return result.output


_FOLDER = tempfile.TemporaryDirectory()


@cache
def function(name: str) -> Any:
    """A function of the program, always of the same file: its lines tell steps apart."""
    path = Path(_FOLDER.name) / "recorded.py"
    path.write_text(PROGRAM)
    return load(f"{path}:{name}")


def recorded(name: str, *arguments: Any) -> Program:
    (piece,) = explain(Accelerated(function(name)), arguments, {}, strict=True).pieces
    return piece.before


def zeros(*shape: int) -> Any:
    return blank(parse(f"f64[{','.join(map(str, shape))}]"))


# --------------------------------------------------------------------------------------------------- cost model


def test_messages_of_python_cost_more_by_default() -> None:
    assert cost_model.kept(native=False) == cost_model.BY_PYTHON
    assert cost_model.BY_PYTHON.latency > 10 * DEFAULT.latency
    assert cost_model.BY_PYTHON.rests_on == DEFAULT.rests_on


def test_a_model_is_kept_for_this_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with settings(cache_dir=str(tmp_path), cache_size=8):
        assert cost_model.kept(native=True) == DEFAULT
        model = CostModel(latency=3e-6, host="here", when="2026-01-02", ranks=2)
        assert cost_model.keep(model)
        assert cost_model.kept(native=True) == model
        monkeypatch.setattr("platform.node", lambda: "elsewhere")
        assert cost_model.kept(native=True) == DEFAULT
        # What another version has kept, or somebody has broken, is no model.
        for text in ('{"latency": -1.0}', '{"speed": 1.0}', "[]", "no json"):
            disk.put("model", cost_model._key(), text.encode())
            assert cost_model.kept(native=True) == DEFAULT
    assert not cost_model.keep(model)  # the tests keep nothing


@pytest.mark.parametrize("wrong", [0.0, -1e-6, float("nan"), float("inf"), "1", 3])
def test_costs_are_positive_numbers(wrong: Any) -> None:
    with pytest.raises(ValueError, match="latency is .*; expected a positive number"):
        CostModel(latency=wrong)


def test_what_a_model_predicts() -> None:
    model = CostModel(latency=1e-5, bandwidth=1e9, memory_bandwidth=1e10, reduction=2e-5, flop=1e-9, product_flop=1e-10)
    assert model.sent(2, 1e6) == pytest.approx(2e-5 + 1e-3)
    assert model.all_reduce(8, 1000, True) == pytest.approx(10 * 2e-5 + 999 * 8e-9)
    assert model.all_reduce(1e9, 4, False) == pytest.approx(4 * 2e-5 + 1.5)
    assert model.worked(1e6, 1e6, 8e3) == pytest.approx(1.1e-3)
    assert model.worked(1e3, 0, 1e9) == pytest.approx(0.1)


def test_one_process_measures_itself() -> None:
    model = measure()
    assert (model.ranks, model.latency, model.bandwidth) == (1, DEFAULT.latency, DEFAULT.bandwidth)
    assert model.host
    assert 1e8 < model.memory_bandwidth < 1e13
    assert 1e-12 < model.product_flop < 1e-7
    assert 1e-12 < model.flop < 1e-7
    assert "messages by default" in model.rests_on


def typed(cache: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as a user types it, with a cache of its own."""
    command = [str(Path(sysconfig.get_path("scripts")) / "lazyarr"), *words]
    environment = os.environ | {"LAZYARR_CACHE_DIR": str(cache), "LAZYARR_CACHE_SIZE": "8", "COLUMNS": "100"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)


@needs_mpi
@pytest.mark.xdist_group("mpi")
def test_calibrate_as_it_is_typed(tmp_path: Path, program: str) -> None:
    words = ("inspect", f"{program}:norm", "--arg", "u=f64[200,100]", "--ranks", "2")
    assert "times rest on default costs, not measured" in typed(tmp_path, *words).stdout
    done = typed(tmp_path, "calibrate", "-n", "2")
    assert done.returncode == 0, done.stderr
    for line in ("message latency", "bandwidth between ranks", "step of an all-reduce", "memory bandwidth, a rank"):
        assert line in done.stdout
    assert "default" not in done.stdout
    assert "with 2 ranks" in done.stdout
    after = typed(tmp_path, *words).stdout
    assert "times rest on what lazyarr calibrate measured on" in after
    assert "with 2 ranks" in after


def test_calibrate_without_mpi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    result = run("calibrate")
    assert result.exit_code == 1
    assert "mpi4py is not installed; pip install 'lazyarr[mpi]' (with -n 1, memory and arithmetic" in result.output


def test_what_is_measured_and_cannot_be_kept_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(vars(CostModel(host="here", when="2026-01-02")))
    done = subprocess.CompletedProcess([], 0, stdout=text)
    monkeypatch.setattr(launch, "started", lambda *words, stdout: done)
    result = run("calibrate", "-n", "1")
    assert result.exit_code == 1
    assert "this cannot be kept: the setting cache_size is 0" in result.output


@needs_mpi
@pytest.mark.xdist_group("mpi")
def test_all_ranks_decide_by_rank_0s_model(tmp_path: Path) -> None:
    script = tmp_path / "models.py"
    script.write_text(
        "import os\n"
        "from mpi4py import MPI\n"
        "rank = MPI.COMM_WORLD.rank\n"
        f"os.environ |= {{'LAZYARR_CACHE_DIR': {str(tmp_path)!r} + f'/{{rank}}', 'LAZYARR_CACHE_SIZE': '8'}}\n"
        "from lazyarr import cost_model, init, world\n"
        "cost_model.keep(cost_model.CostModel(latency=1e-3 / (1 + 99 * rank), host=f'h{rank}', when='now', ranks=3))\n"
        "assert cost_model.kept(native=True).host == f'h{rank}'\n"
        "assert cost_model.kept(native=False).host == f'h{rank}'\n"
        "init()\n"
        "print(MPI.COMM_WORLD.gather(world.current().model.host, 0) or '', end='')\n"
    )
    command = [launch._mpiexec(), "-n", "3", sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "['h0', 'h0', 'h0']"


def test_the_model_decides_how_many_sweeps_share_an_exchange() -> None:
    program = recorded("heat", zeros(160, 64), 400, 0.1)
    found = {
        latency: communication.plan(program, (2,), 8, model=CostModel(latency=latency)).messages
        for latency in (1e-7, 1e-5, 1e-2)
    }
    assert found[1e-7] == 100  # four sweeps, as many as cost next to nothing
    assert found[1e-2] == 40  # ten: a part of the block
    given = {program.graph.params[0]: default((160, 64), (2,))}
    texts = {
        latency: str(insert_communication(program, (2,), (0,), 8, given, (), CostModel(latency=latency)).program.graph)
        for latency in (1e-7, 1e-2)
    }
    assert texts[1e-7] != texts[1e-2]


def test_a_loop_is_no_deeper_than_it_is_long() -> None:
    program = recorded("heat", zeros(10**5, 100), 9, 0.1)
    assert communication.plan(program, (3,), 8).messages == 2


# -------------------------------------------------------------------------------------------------------- plans

SWEEP = """communication on 6 ranks (2 x 3), arrays split evenly before the call
  a rank sends at most 3 messages, 8.00 kB a call, and needs at most 3.18 MB of memory
  predicted time: 329 us, 321 us of it work (0.056 us of messages go by during it)
        times  messages    bytes   overlap  memory traffic     time  source
  halo     1x         1  1.60 kB                            2.40 us  program.py:6
  halo     1x         2  6.40 kB  0.056 us                  5.54 us  program.py:6
  work     1x                                      2.57 MB   321 us  program.py:6
  messages, bytes, memory traffic: each time; overlap, time: all the times together
  times rest on default costs, not measured (lazyarr calibrate measures them)
"""
WITHOUT = """communication on 6 ranks (2 x 3), arrays split evenly before the call
  a rank sends at most 3 messages, 8.00 kB a call, and needs at most 2.56 MB of memory
  predicted time: 491 us, 483 us of it work (messages and work do not overlap)
        times  messages    bytes  memory traffic     time  source
  halo     1x         1  1.60 kB                  2.40 us  program.py:6
  halo     1x         2  6.40 kB                  5.60 us  program.py:6
  work     1x                            3.86 MB   483 us  program.py:6
  messages, bytes, memory traffic: each time; time: all the times together
  times rest on default costs, not measured (lazyarr calibrate measures them)
"""


def test_a_plan_says_what_each_line_sends_and_takes(program: str) -> None:
    output = inspected(f"{program}:sweep", "--arg", "u=f64[800,600]", "--arg", "k=0.1", "--ranks", "6", "--grid", "2,3")
    assert output.endswith(SWEEP)
    with settings(overlap="never"):
        output = inspected(f"{program}:sweep", "--arg", "u=f64[800,600]", "--arg", "k=0.1", "--ranks", "6",
                           "--grid", "2,3")  # fmt: skip
    assert output.endswith(WITHOUT)


def test_a_budget_of_time(program: str) -> None:
    words = ("inspect", f"{program}:sweep", "--arg", "u=f64[800,600]", "--arg", "k=0.1", "--ranks", "6", "--budget")
    assert run(*words, "time<=2s,messages<=2").exit_code == 0
    result = run(*words, "time <= 0.1ms")
    assert result.exit_code == 1
    assert "over budget: time: " in result.output
    assert result.output.endswith("over budget: time: 168 us is more than 0.1ms\n")
    for wrong in ("time<=3KiB", "time<=", "time<=3min", "bytes<=2ms", "messages<=1.2.3"):
        refused = run(*words, wrong)
        assert refused.exit_code == 2
        assert "or time<=N, with s, ms, us" in refused.output


def test_reductions_whose_parts_are_gathered_cost_more() -> None:
    for name, gathered in (("columns", False), ("peaks", True)):
        (step,) = communication.plan(recorded(name, zeros(1000, 40_000)), (50,), 10_000).steps
        assert (step.what, step.ranks, step.gathered, step.bytes) == ("all_reduce", 50, gathered, 320_000)
        seconds = step.seconds(DEFAULT)
        whole = 320_000 / DEFAULT.bandwidth
        assert seconds > 49 * whole if gathered else 2 * whole * 49 / 50 < seconds < 4 * whole


@pytest.mark.parametrize("ranks", ["1", "0", "-3", "many", "2.5", "q"])
def test_wrong_numbers_of_ranks(program: str, ranks: str) -> None:
    result = run("inspect", f"{program}:norm", "--arg", "u=f64[400]", f"--ranks={ranks}")
    assert result.exit_code == 2
    assert "expected a whole number from 2 on, or p" in result.output


def test_plans_of_arrays_that_fit_into_no_memory(program: str) -> None:
    """Nothing of them is made; and where data would be looked at, that is said."""
    large = "u=f64[1000000,1000000]"
    output = inspected(f"{program}:norm", "--arg", large, "--ranks", "1000", "--grid", "50,20")
    assert "communication on 1000 ranks (50 x 20)" in output
    refused = run("inspect", f"{program}:looks", "--arg", large, "--ranks", "4")
    assert refused.exit_code == 1
    assert "does not run as one compiled program" in refused.output


def test_a_hundred_thousand_ranks_take_seconds() -> None:
    begin = time.monotonic()
    found = communication.plan(recorded("sweep", zeros(10**6, 10**6), 0.1), (250, 400), 10_000)
    assert (found.messages, found.bytes) == (4, 8 * (2 * 2500 + 2 * 4000))
    line = communication.plan(recorded("sweep", zeros(10**5, 100), 0.1), (10_000,), 10_000)
    assert (line.messages, line.bytes) == (2, 2 * 8 * 100)
    assert time.monotonic() - begin < 20


def test_long_slices_take_no_time() -> None:
    begin = time.monotonic()
    assert slice_length(10**15, 0, 10**15, 1) == 10**15
    assert slice_length(10**15, 10**15 - 1, -1, -2) == 5 * 10**14
    for start, stop, step in ((-1, 4, 1), (0, 10**15 + 1, 1), (10**15, 0, -1), (3, -3, -2)):
        with pytest.raises(ValueError, match="leaves an axis"):
            slice_length(10**15, start, stop, step)
    assert time.monotonic() - begin < 1


COUNTED = """
import sys
import numpy
import lazyarr
lazyarr.configure(split_above=100, always=1)
lazyarr.init(grid={grid})
import lazyarr.numpy as np
from lazyarr import world
from mpi4py import MPI
sys.path.insert(0, {folder!r})
import program
counts = world.current().communicator.counts
rng = numpy.random.default_rng(0)
u, a, b = (np.array(rng.random(s)) + 0 for s in ((96, 64), (48, 32), (32, 40)))
for name, arguments in (("heat", (u, 7, 0.1)), ("sweep", (u, 0.1)), ("product", (a, b)), ("norm", (u,))):
    function = lazyarr.accelerate(getattr(program, name))
    for x in arguments:
        if hasattr(x, "shape"):
            x.local  # computed now
    counts.clear()
    result = function(*arguments)
    result.local
    sent = [sum(counts[kind + end] for kind in ("exchange", "all_reduce")) for end in ("", " bytes")]
    every = MPI.COMM_WORLD.gather(sent, 0)
    if every:
        print(name, max(m for m, _ in every), max(n for _, n in every))
"""


@needs_mpi
@pytest.mark.xdist_group("mpi")
@pytest.mark.parametrize("grid", [(2,), (4,), (8,), (2, 4)])
def test_what_is_predicted_is_what_mpi_sends(grid: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    script = tmp_path / "counted.py"
    script.write_text(COUNTED.format(grid=grid, folder=str(tmp_path)))
    ranks = int(np.prod(grid))
    done = subprocess.run(
        [launch._mpiexec(), "-n", str(ranks), sys.executable, str(script)], capture_output=True, text=True, timeout=120,
        env=os.environ | {"LAZYARR_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    u = zeros(96, 64)
    calls = {"heat": (u, 7, 0.1), "sweep": (u, 0.1), "product": (zeros(48, 32), zeros(32, 40)), "norm": (u,)}
    for line in done.stdout.splitlines():
        name, messages, sent = line.split()
        found = communication.plan(recorded(name, *calls.pop(name)), grid, 100)
        assert (found.messages, found.bytes) == (int(messages), int(sent)), name
    assert not calls


# --------------------------------------------------------------------------------------------------------- formulas


def forms(name: str, sides: int, shapes: list[str], *others: Any) -> Any:
    names = sorted({letter for shape in shapes for letter in shape})

    def make(extents: Mapping[str, int]) -> Program:
        return recorded(name, *(zeros(*(extents[letter] for letter in shape)) for shape in shapes), *others)

    return closed_forms(make, names, sides, 10_000, DEFAULT)


def same(formula: Any, text: str) -> bool:
    names = {name: sympy.Symbol(name, positive=True) for name in "nmkp"}
    return bool(sympy.simplify(formula - sympy.sympify(text, names)) == 0)


def test_the_formulas_of_a_sweep() -> None:
    found = forms("sweep", 1, ["nm"], 0.1)
    assert found.messages == 2
    assert same(found.bytes, "16*m")
    found = forms("sweep", 2, ["nn"], 0.1)
    assert found.messages == 4
    assert same(found.bytes, "32*n/sqrt(p)")


def test_the_formulas_of_a_product() -> None:
    found = forms("product", 1, ["nk", "km"])
    assert same(found.messages, "p - 1")
    assert same(found.bytes, "8*k*m*(1 - 1/p)")
    found = forms("product", 2, ["nk", "km"])
    assert same(found.messages, "2*sqrt(p) - 2")
    assert same(found.bytes, "8*(n*k + k*m)*(sqrt(p) - 1)/p")


@pytest.mark.parametrize("sides", [1, 2])
def test_formulas_say_what_plans_of_other_sizes_say(sides: int) -> None:
    found = forms("sweep", sides, ["nm"], 0.1)
    for n, m, side in ((1100 * 11, 999 * 11, 11), (2048 * 32, 640 * 32, 32)):
        made = communication.plan(recorded("sweep", zeros(n, m), 0.1), (side,) * sides, 10_000, overlap="never")
        for name in ("messages", "bytes", "memory", "seconds"):
            value = getattr(found, name).subs({"p": side**sides, "n": n, "m": m}, simultaneous=True)
            symbols = {s: {"p": side**sides, "n": n, "m": m}[s.name] for s in getattr(found, name).free_symbols}
            value = getattr(found, name).subs(symbols)
            assert float(value) == pytest.approx(getattr(made, name), rel=1e-12), name


def test_what_has_no_formula_says_so() -> None:
    found = forms("transform", 1, ["nn"])  # work by logarithms; what is sent is a polynomial
    assert same(found.bytes, "32*n**2/p - 32*n**2/p**2")
    assert found.seconds is NO_FORM
    with pytest.raises(NoClosedForm, match="what is sent and computed is of other kinds|are no polynomial"):
        forms("thirds", 1, ["nm"])


PRODUCT = """# {program}:product for a=f64[n,n], b=f64[n,n]

closed forms on p ranks (p), of a rank with neighbours on all sides
  messages  =  p - 1
  bytes     =  8*n**2 - 8*n**2/p
  memory    =  8*n**2 + 24*n**2/p + 8
  time      =  1.0e-10*n**3/p + 2.0e-9*n**2 - 2.0e-9*n**2/p + 2.0e-6*p - 2.0e-6 seconds
            times  messages  bytes              time                                             source
  exchange     1x  p - 1     8*n**2 - 8*n**2/p  2.0e-9*n**2 - 2.0e-9*n**2/p + 2.0e-6*p - 2.0e-6  program.py:15
  work         1x                               1.0e-10*n**3/p                                   program.py:15
  exact for 37 plans, of blocks of 35 to 10541 indices and 3 to 12 ranks; fitted to some of them, not proved for others; blocks are even
  times rest on default costs, not measured (lazyarr calibrate measures them)
"""  # noqa: E501


def test_formulas_as_they_are_typed(program: str) -> None:
    words = ("--arg", "a=f64[n,n]", "--arg", "b=f64[n,n]", "--ranks", "p", "--grid", "p")
    output = inspected(f"{program}:product", *words)
    assert output == PRODUCT.format(program=program)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("norm", "--arg", "u=f64[40]"), "--ranks p needs extents with names, as in --arg 'u=f64[n,n]'"),
        (("norm", "--arg", "u=f64[p]"), "p is the number of ranks: the extent needs another name"),
        (("norm", "--arg", "v=f64[n]"), "norm has no parameter 'v'"),
        (("norm", "--arg", "u=f64[n]", "--grid", "2"), "--grid is '2'; with --ranks p, expected one of p, sqrt(p)"),
        (("norm", "--arg", "u=f64[n]", "--budget", "messages<=3"), "--passes and --budget need numbers"),
        (("norm", "--arg", "u=f64[n]", "--passes"), "--passes and --budget need numbers"),
    ],
)
def test_mistakes_about_formulas(program: str, words: tuple[str, ...], said: str) -> None:
    result = run("inspect", f"{program}:{words[0]}", *words[1:], "--ranks", "p")
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(("name", "why"), [("looks", "calls print()"), ("nothing", "it computes no")])
def test_functions_without_formulas(program: str, name: str, why: str) -> None:
    output = inspected(f"{program}:{name}", "--arg", "u=f64[n,n]", "--ranks", "p")
    assert output.count("no closed form on p ranks in 1 dimension: ") == 1
    assert output.count("no closed form on p ranks in 2 dimensions: ") == 1
    assert f"{name} does not run as one compiled program: " in output
    assert why in output
