"""The command line as a user types it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import lazyarr.doctor
from lazyarr._version import __version__
from lazyarr.cli import main
from lazyarr.cores import usable_cores
from lazyarr.doctor import Finding, cpu_features, examine, try_compiler
from lazyarr.ir.text import parse
from lazyarr.ir.types import of
from lazyarr.ir.types import parse as parse_type
from lazyarr.passes.base import PASSES
from lazyarr.typed import arguments, random_value

PROGRAM = '''
import math
import numpy as np
import lazyarr
import neighbour

COUNT = 3

def step(u, dt=0.1, *, kind="edge"):
    u[1:-1] += dt * (u[2:] - 2 * u[1:-1] + u[:-2])
    return u.sum() if kind == "edge" else u.max()

fast = lazyarr.accelerate(step)

def until(u, tol):
    sums = []
    while np.abs(u).max() > tol:
        u *= 0.5
        sums.insert(0, u.sum())
    return sums

def relax(u, tol):
    change = tol + 1
    while change > tol:
        before = u.copy()
        for i in range(1, u.shape[0] - 1):
            u[i] = 0.5 * (u[i - 1] + u[i + 1])
        change = np.abs(u - before).max()
    return change

def mean(a, n: int, /, b=1.0):
    return a.sum() / n * b

def any_of(**arrays):
    return sum(arrays.values())

def wrong(u):
    return neighbour.fail(u)

class Model:
    @staticmethod
    def run(u):
        return u + COUNT

    def move(self, u):
        return u - COUNT

    @lazyarr.accelerate
    def fast(self, u):
        return u * COUNT
'''
NEIGHBOUR = '''
import numpy as np

def fail(u):
    return u + np.zeros(7)
'''


@pytest.fixture
def program(tmp_path: Path) -> str:
    (tmp_path / "neighbour.py").write_text(NEIGHBOUR)
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return str(path)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def inspect(program: str, function: str, *words: str) -> str:
    result = run("inspect", f"{program}:{function}", *words)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*words: str) -> str:
    """The message of a command that is wrong, on one line: terminals are narrow."""
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


def graphs(output: str) -> list[str]:
    """The texts of the graphs in what `inspect` prints."""
    parts = [part for part in output.split("\n## ")[1:] if "graph(" in part]
    return [part[part.index("graph(") :].split("\n}\n")[0] + "\n}" for part in parts]


# ------------------------------------------------------------------------------------------- as a user types it


def typed(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    beside_python = os.path.dirname(os.path.abspath(sys.executable))
    return subprocess.run(
        [os.path.join(beside_python, "lazyarr"), *words], capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_version() -> None:
    done = typed("--version")
    assert (done.returncode, done.stdout.split()[-1], done.stderr) == (0, __version__, "")
    module = subprocess.run([sys.executable, "-m", "lazyarr", "--version"], capture_output=True, text=True, check=True)
    assert module.stdout == done.stdout


def test_inspect_typed(program: str) -> None:
    done = typed("inspect", f"{program}:step", "--arg", "u=f64[512]", "--passes")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "## recorded" in done.stdout and "step: one program" in done.stdout


def test_a_wrong_command_typed(program: str) -> None:
    done = typed("inspect", f"{program}:stp")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no 'stp'" in done.stderr and "step" in done.stderr and "Traceback" not in done.stderr


def test_doctor_typed() -> None:
    done = typed("doctor", LAZYARR_FLUSH_AFTER="77", LAZYARR_THREADS="3")
    assert done.returncode == 0, done.stdout + done.stderr
    for word in (__version__, np.__version__, "jaxlib", "llvmlite", "sympy", "cpu:0", "mpiexec", "LAZYARR_FLUSH_AFTER",
                 "77", "at most 3 (the setting threads)"):  # fmt: skip
        assert word in done.stdout
    *_, compiler, native = done.stdout.splitlines()
    assert "XLA" in compiler and "works: a program" in compiler
    assert "native code" in native and "works: a loop" in native


def test_a_wrong_setting_in_the_environment(program: str) -> None:
    done = typed("doctor", LAZYARR_FALLBACK="eror")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WRONG" in done.stdout and "LAZYARR_FALLBACK is 'eror'; expected one of allow, warn, error" in done.stdout
    assert "mend with: LAZYARR_FALLBACK=warn" in done.stdout
    assert "Traceback" not in done.stderr
    done = typed("inspect", f"{program}:step", "--arg", "u=f64[5]", LAZYARR_FALLBACK="eror")
    assert done.returncode == 0 and "LAZYARR_FALLBACK is 'eror'" in done.stderr and "step: one program" in done.stdout


def test_a_broken_compiler_is_found() -> None:
    done = typed("doctor", JAX_PLATFORMS="nonesuch")
    assert done.returncode == 1
    assert "BROKEN" in done.stdout and "nonesuch" in done.stdout
    assert "pip install --upgrade" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


# ------------------------------------------------------------------------------------------------------ inspect


def test_the_final_graph_and_the_explanation(program: str) -> None:
    output = inspect(program, "step", "-a", "u=f64[100000]", "-a", "dt=0.25")
    assert "step for u=f64[100000], dt=0.25" in output
    (text,) = graphs(output)
    graph = parse(text)
    assert [node.op.name for node in graph.nodes] == ["region"]
    assert str(graph.params[0].type) == "f64[100000]"
    assert "# program.py:10" in output
    assert "bytes moved" in output and "1 region" in output


def test_every_pass_is_shown(program: str) -> None:
    output = inspect(program, "step", "--arg", "u=f64[100000]", "--passes")
    for name in PASSES:
        assert f"## {name}" in output or f"## after {name}" in output
    recorded, *_, last = (parse(text) for text in graphs(output))
    assert "region" not in {node.op.name for node in recorded.nodes}
    assert {node.op.name for node in last.nodes} == {"region"}


def test_accelerated_functions_are_taken(program: str) -> None:
    plain, fast = (inspect(program, name, "--arg", "u=f64[512]") for name in ("step", "fast"))
    assert graphs(plain) == graphs(fast)


def test_pieces_are_numbered_and_say_why(program: str) -> None:
    output = inspect(program, "until", "--arg", "u=f64[20000]", "--arg", "tol=0.1")
    pieces = len(graphs(output))
    assert pieces >= 2 and f"piece 1 of {pieces}, run 1x" in output and f"piece 2 of {pieces}" in output
    assert "a branch on data" in output and "program.py:17" in output
    assert "while  runs in Python: the loop changes a list" in output


def test_loops_are_shown(program: str) -> None:
    output = inspect(program, "relax", "--arg", "u=f64[50]", "--arg", "tol=0.1")
    (text,) = graphs(output)
    graph = parse(text)
    (region,) = graph.nodes
    assert region.kw["backend"] == "native"
    assert "while(" in text and "loop(" in text
    assert "while  compiled, runs in native" in output and "host synchronizations: 0" in output
    passes = inspect(program, "relax", "--arg", "u=f64[50]", "--arg", "tol=0.1", "--passes")
    assert len(graphs(passes)) >= 2 and passes.endswith(output[output.index("relax: one program") :])


def test_the_seed_decides_the_data(program: str) -> None:
    def times(seed: int) -> str:
        output = inspect(program, "relax", "--arg", "u=f64[2]", "--arg", "tol=float", "--seed", str(seed))
        return output.splitlines()[0]

    assert times(1) == times(1)
    assert len({times(seed) for seed in range(12)}) > 1


def test_parameters_by_name(program: str) -> None:
    assert "f32[3]" in inspect(program, "mean", "--arg", "n=4", "--arg", "a=f32[3]")
    assert "f64[3]" in inspect(program, "any_of", "--arg", "left=f64[3]", "--arg", "right=f64[3]")
    assert "f64[3]" in inspect(program, "Model.run", "--arg", "u=f64[3]")
    assert "maximum" in inspect(program, "step", "--arg", "u=f64[9]", "--arg", "kind='top'")


def test_what_the_function_raises_is_shown_with_its_lines(program: str) -> None:
    result = run("inspect", f"{program}:wrong", "--arg", "u=f64[3]")
    assert result.exit_code == 1
    assert "ValueError" in result.output and "broadcast" in result.output
    assert "neighbour.py" in result.output and "line 5" in result.output
    assert "lazyarr/array.py" not in result.output


def test_a_file_that_cannot_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import numpy\n\n1 / 0\n")
    result = run("inspect", f"{path}:f")
    assert result.exit_code == 1
    assert "cannot import" in result.output and "ZeroDivisionError" in result.output and "line 3" in result.output
    assert "importlib" not in result.output
    path.write_text("def f(:\n")
    result = run("inspect", f"{path}:f")
    assert result.exit_code == 1 and "SyntaxError" in result.output


@pytest.mark.parametrize(
    ("function", "words", "said"),
    [
        ("stp", [], "has no 'stp'; it has step, fast, until"),
        ("COUNT", [], "'COUNT' of"),
        ("COUNT", [], "is a int; expected a function"),
        ("step", [], "step needs u; add --arg u=..."),
        ("until", [], "until needs u, tol"),
        ("step", ["u=f64[3]", "v=3"], "step has no parameter 'v'; it has u, dt=0.1, kind='edge'"),
        ("step", ["u=f66[3]"], "'f66[3]' is not a type; expected"),
        ("step", ["u=f66[3]"], "f64, c64"),
        ("step", ["u=f66[3]"], "did you mean f64[3]?"),
        ("step", ["u=flaot64[3,4]"], "did you mean float64[3,4]?"),
        ("step", ["u=f64[3,n]"], "'f64[3,n]' has an extent that is not a whole number; expected whole numbers, as in "
                                 "f64[512,512] (names stand for any number with --ranks p)"),
        ("step", ["u=f64[512,x]"], "'f64[512,x]' has an extent that is not a whole number"),
        ("step", ["u=f64[200 200]"], "--arg u: 'f64[200 200]' is not a type; did you mean f64[200,200]?"),
        ("step", ["u=f64(512,512)"], "did you mean f64[512,512]?"),
        ("step", ["u=f64[512x512]"], "did you mean f64[512,512]?"),
        ("step", ["u=float32(7)"], "did you mean f32[7]?"),
        ("stp", [], "it has step, fast, until, relax, mean, any_of, wrong, Model; did you mean 'step'?"),
        ("Model.rnu", [], "did you mean 'Model.run'?"),
        ("Model.move", [], "'Model.move' is a method, which needs its object; explain it in Python with "
         "lazyarr.accelerate(Model.move).explain(obj, ...)"),
        ("Model.fast", [], "explain it in Python with obj.fast.explain(...)"),
        ("step", ["u=f64[-3]"], "--arg u: f64[-3] has an extent that is not a whole number"),
        ("step", ["u=f64[1000000,1000000,1000]"], "does not fit into memory"),
        ("step", ["u=f64[9]", "kind=top"], "a string needs quotes: \"kind='top'\""),
        ("step", ["u=__import__('os')"], "is not a type"),
        ("step", ["u"], "expected --arg NAME=VALUE, got 'u'"),
        ("step", ["=3"], "expected --arg NAME=VALUE"),
        ("step", ["u=f64[3]", "u=f64[4]"], "--arg u is given twice"),
    ],
)
def test_mistakes(program: str, function: str, words: list[str], said: str) -> None:
    given = [part for word in words for part in ("--arg", word)]
    assert said in refused("inspect", f"{program}:{function}", *given)


@pytest.mark.parametrize("word", ["u=f64[200 200]", "u=f64[512,x]", "u=f66[3]", "u=f64(3)"])
def test_what_looks_like_a_type_is_not_taken_for_a_literal(program: str, word: str) -> None:
    assert "literal" not in refused("inspect", f"{program}:step", "--arg", word)


def test_numpy_names_of_types(program: str) -> None:
    long, short = (graphs(inspect(program, "step", "-a", f"u={name}[40]")) for name in ("float32", "f32"))
    assert long == short
    assert "u=i64[3,4]" in inspect(program, "any_of", "-a", "u=int64[3, 4]")


def test_help_says_that_the_file_is_imported() -> None:
    text = run("inspect", "--help").output
    assert "\b" not in text and "\\b" not in text
    assert "imported" in text and "if __name__ == '__main__'" in " ".join(text.split())
    assert "  lazyarr inspect heat.py:step --arg 'u=f64[512,512]' --arg dt=0.1\n" in text


def test_the_imported_file_sees_its_own_command_line(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text("import sys\nN = len(sys.argv)\nassert sys.argv == [__file__]\ndef f(u):\n    return u * N\n")
    before = list(sys.argv)
    assert "one program" in inspect(str(path), "f", "--arg", "u=f64[5]")
    assert sys.argv == before
    path.write_text("import sys\nsys.exit(3)\n")
    result = run("inspect", f"{path}:f")
    assert result.exit_code == 1
    assert "ended the program (exit code 3)" in result.output and "if __name__ == '__main__':" in result.output


@pytest.mark.parametrize(
    ("target", "said"),
    [("", "expected FILE.py:FUNCTION"), ("x.py", "expected FILE.py:FUNCTION"), (":f", "expected FILE.py:FUNCTION"),
     ("nowhere.py:f", "there is no file 'nowhere.py'"), ("/:f", "there is no file"), ("README.md:f", "README.md")],
)  # fmt: skip
def test_wrong_targets(target: str, said: str) -> None:
    assert said in refused("inspect", target)


# ---------------------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    "text", ["f64[]", "f32[3,4]", "f16[5]", "c64[2]", "c128[2,0]", "i8[300]", "u8[9]", "i64[3]", "bool[64]", "int",
             "float", "complex"],
)  # fmt: skip
def test_random_data_is_of_its_type(text: str) -> None:
    type = parse_type(text)
    value, again = (random_value(type, np.random.default_rng(3)) for _ in range(2))
    assert of(value) is type
    assert np.asarray(value).tobytes() == np.asarray(again).tobytes()
    assert np.isfinite(value).all()
    if np.size(value) > 4:
        assert len(np.unique(value)) > 1


def test_literals_are_python_values() -> None:
    def function(a: Any, b: Any, /, c: Any, *, d: Any = 4, e: Any = None) -> None: ...

    given = ["a=3", "b='x'", "c=(1, 2.5)", "e=True"]
    assert arguments(function, "function", given, 0) == ((3, "x"), {"c": (1, 2.5), "e": True})


# ------------------------------------------------------------------------------------------------------- doctor


def test_every_finding_that_is_missing_says_what_mends_it() -> None:
    found = list(examine())
    assert {f.topic for f in found} >= {
        "lazyarr", "Python", "numpy", "jax", "jaxlib", "sympy", "cores", "mpi4py", "mpiexec", "numba", "cupy",
        "threads of native code", "devices", "XLA", "native code", "fallback",
    }  # fmt: skip
    for finding in found:
        assert bool(finding.mend) == (finding.state != "ok"), finding
        if finding.mend:
            assert " -m pip install " in finding.mend


def test_what_is_missing_has_its_exact_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    monkeypatch.setattr(lazyarr.doctor, "_version", lambda package: None)
    found = {f.topic: f for f in examine()}
    python = sys.executable
    assert found["mpi4py"].mend.startswith(f"{python} -m pip install 'mpi4py")
    assert "'mpich" in found["mpiexec"].mend
    assert found["numba"].mend.startswith(f"{python} -m pip install 'numba")
    assert found["jax"].state == "broken" and "'jax<" in found["jax"].mend
    assert found["jaxlib"].mend == found["jax"].mend
    assert found["sympy"].mend.startswith(f"{python} -m pip install 'sympy")


def test_a_wrong_result_is_found() -> None:
    assert try_compiler() <= 1e-12
    assert try_compiler(lambda u, rate: u.sum()) > 1e-3
    assert try_compiler(lambda u, rate: np.nan) == np.inf
    assert try_compiler(program=lazyarr.doctor._sweep, backend="native") <= 1e-12
    assert try_compiler(backend="xla") <= 1e-12
    assert try_compiler(program=lazyarr.doctor._sweep, backend="xla") <= 1e-12

    def sorts(u: np.ndarray[Any, Any], rate: float) -> Any:
        u[:] = np.sort(u, axis=0)
        return u[0, 0]

    with pytest.raises(RuntimeError, match="did not run as xla code"):
        try_compiler(program=sorts, backend="xla")


def test_doctor_fails_where_the_core_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazyarr.doctor, "examine", lambda: iter([Finding("jax", "gone", "broken", "pip install jax")]))
    result = run("doctor")
    assert result.exit_code == 1 and "mend with: pip install jax" in result.output
    optional = Finding("MPI", "gone", "missing", "pip install mpich")
    monkeypatch.setattr(lazyarr.doctor, "examine", lambda: iter([optional]))
    assert run("doctor").exit_code == 0


def test_the_machine() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    assert all(name.isidentifier() for name in cpu_features())
