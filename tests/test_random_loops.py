"""Random programs with control flow give NumPy's values, dtypes, mutations and exceptions when accelerated.

``LAZYARR_FUZZ_EXAMPLES`` is how many programs are compared.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.random_compare import Expected, compare
from tests.random_execution import Level, Unstable
from tests.random_loop_noise import Shaker, run, shaken
from tests.random_loop_runner import Escaped, Plain, differ, failure, implementation, imported, main, reduced, reference
from tests.random_loop_text import Block, Line
from tests.random_loops import DTYPES, Program, random_program, seeded_program

EXAMPLES = int(os.environ.get("LAZYARR_FUZZ_EXAMPLES", "25"))
SECONDS = 120.0

programs = st.builds(random_program, st.randoms(use_true_random=False))

# Failing programs are reduced by dropping statements, which is faster than hypothesis at it, so it does not shrink.
compare_programs = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES <= 100,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def check(program: Program, mode: str) -> None:
    """Fail, with the reduced program as a script, if it does not do what NumPy does."""
    way = implementation(mode)
    try:
        message = failure(program, way, SECONDS)
    except Unstable:
        return
    if message is not None:
        smallest = reduced(program, way, SECONDS)
        message = failure(smallest, way, SECONDS) or message
        pytest.fail(f"{message}\n{smallest.script(mode)}", pytrace=False)


@given(programs)
@compare_programs
def test_numpy_agrees_with_itself(program: Program) -> None:
    check(program, "numpy")


@given(programs)
@compare_programs
def test_accelerate(program: Program) -> None:
    check(program, "accelerate")


@given(programs)
@settings(compare_programs, max_examples=max(1, EXAMPLES // 2))
def test_loops_by_themselves(program: Program) -> None:
    check(program, "lifted")


@given(programs)
@settings(compare_programs, max_examples=max(1, EXAMPLES // 3))
def test_accelerate_by_xla(program: Program) -> None:
    check(program, "xla")


class Broken(Plain):
    """NumPy running programs whose text was changed."""

    def __init__(self, change: Callable[[str], str]) -> None:
        self.change = change

    def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
        with open(function.__code__.co_filename) as file:
            source = self.change(file.read())
        namespace: dict[str, Any] = {"__name__": "broken"}
        exec(compile(source, "<broken>", "exec"), namespace)
        broken: Callable[..., Any] = namespace["program"]
        return broken


MISTAKES: dict[str, Callable[[str], str]] = {
    "break continues": lambda text: text.replace("break", "continue"),
    "continue breaks": lambda text: text.replace(" continue", " break"),
    "else is always run": lambda text: text.replace("else:", "if True:") if "elif" not in text else text,
    "steps are forgotten": lambda text: text.replace("- 1, -1, -2)", "- 1, -1, -1)").replace(", 2):", "):"),
    "views are copies": lambda text: text.replace("w0 = a0", "w0 = 1 * a0"),
    "an early return goes on": lambda text: text.replace(" return (", " (", text.count(" return (") - 1),
    "negative indices do not wrap": lambda text: text.replace("i - 1]", "max(i - 1, 0)]"),
    "chains compare the ends": lambda text: text.replace("0 < i < ", "0 < "),
    "in-place updates make new arrays": lambda text: text.replace("a0 += ", "a0 = a0 + "),
    "masks are ignored": lambda text: text.replace("a0[a0 > ", "a0[a0 == a0 + 0 * "),
    "swaps go one by one": lambda text: text.replace("x0, x1 = x1, x0", "x0 = x1; x1 = x0"),
    "a sum is off by 1e-10": lambda text: text.replace("np.sum(", "(1 + 1e-10) * np.sum("),
    "range leaves out the last": lambda text: text.replace("in range(len(a0))", "in range(len(a0) - 1)"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found(mistake: str) -> None:
    """The programs are varied enough to notice one wrong meaning of a construct."""
    broken = Broken(MISTAKES[mistake])
    for index in range(6000):
        program = seeded_program(2, index)
        if MISTAKES[mistake](program.source()) == program.source():
            continue
        try:
            if failure(program, broken, 5.0) is not None:
                return
        except (Unstable, SyntaxError):
            continue
    pytest.fail(f"no program noticed that {mistake}")


CONSTRUCTS = """
f0.append(|.pop()|d0["a"] = |g0[-1]
for i in range(|for j in range(i|range(1, |, -1, -1)|enumerate(|zip(|in reversed(|in idx:|range(ptr[|for row0 in
while count0 <|while True:|while not |if |elif |else:|break|continue|return (|lambda p|def local(p)|nonlocal|def helper(
def change(w|change(|and |or |not | if | else |min(|max(|abs(|int(|float(|len(|sum(|divmod(|round(
[:i]|[i:]|[i + 1:]|[i::-1]|[::-1]|[:, |.T|[idx|np.where(|@ |.sum(|.mean(|np.cumsum|/= |//= |+= |*= |%
np.zeros(|.copy()|np.arange|[a0 |x0, x1 = x1, x0|a0, a1 = a1, a0| ** |argmax|count_nonzero|[:, None]|np.outer
""".replace("\n", "|").strip("|").split("|")


def test_programs_are_varied() -> None:
    """Every construct and dtype occurs; loops run not at all, once and often; some programs raise, few are unstable."""
    text, dtypes, errors, unstable, rounded = "", set(), set(), 0, 0
    for index in range(700):
        program = seeded_program(4, index)
        text += program.source()
        dtypes |= {base.dtype for base in program.inputs.bases}
        try:
            found = reference(program, program.inputs)
        except Unstable:
            unstable += 1
            continue
        errors.add(type(found.error).__name__)
        rounded += any(expected.level is Level.ROUNDED for expected in found.bases)
    assert {construct for construct in CONSTRUCTS if construct not in text} == set()
    assert dtypes >= set(DTYPES)
    assert errors >= {"NoneType", "IndexError", "ValueError", "ZeroDivisionError"}
    assert unstable < 35
    assert 100 < rounded < 650
    # Loops nest at least four deep.
    assert any(line.startswith(" " * 16 + "for ") for line in text.splitlines())


def test_equal_seeds_give_equal_programs() -> None:
    first, second = (random_program(Random(7)) for _ in range(2))
    assert first == second
    assert first.source() == second.source()


def test_tolerance_covers_rounding() -> None:
    """Results of the same programs with other rounding errors stay within the tolerance."""
    compared = 0
    for index in range(250):
        program = seeded_program(1, index)
        try:
            wanted = reference(program, program.inputs)
        except Unstable:
            continue
        bases, arguments = program.inputs.build()
        shaker = Shaker(np.random.default_rng(index + 100))
        result, error = run(shaken(program.source(), "<shaken>", "program")(shaker), arguments)
        assert type(error) is type(wanted.error)
        for expected, got in zip((*wanted.results, *wanted.bases), (*(result or ()), *bases.values())):
            if expected.level is Level.ROUNDED:
                compared += 1
                assert compare(expected, got, zero_signs=False) is None, program.script()
    assert compared > 100


def test_decisions_that_rounding_changes_are_not_compared() -> None:
    body = (Block((("if a0[0] * 3 == 0.3 * 3:", (Line("a0[0] = 5"),)),)), Line("return (a0, )"))
    program = replace(seeded_program(0, 0), helpers=(), steps=body)
    base = replace(program.inputs.bases[0], name="base0", dtype="float64", shape=(1,), order="C", data=(0.3,))
    inputs = replace(program.inputs, bases=(base,), views={"a0": "base0"}, scalars={})
    with pytest.raises(Unstable):
        reference(replace(program, inputs=inputs, other_inputs=inputs), inputs)
    exact = replace(inputs, bases=(replace(base, data=(0.5,)),))
    assert reference(replace(program, inputs=exact, other_inputs=exact), exact).error is None


def test_failures_are_reduced() -> None:
    """Only the statements that matter are left."""
    broken = Broken(MISTAKES["range leaves out the last"])
    sizes = []
    for index in range(400):
        program = seeded_program(4, index)
        try:
            if failure(program, broken, 5.0) is None:
                continue
        except Unstable:
            continue
        smallest = reduced(program, broken, 5.0)
        assert failure(smallest, broken, 5.0) is not None
        assert "in range(len(a0))" in smallest.source()
        sizes.append((len(smallest.source().splitlines()), len(program.source().splitlines())))
        if len(sizes) == 8:
            break
    assert all(after <= before for after, before in sizes)
    assert min(after for after, _ in sizes) <= 8


def test_what_escapes_is_a_failure() -> None:
    """An implementation that raises what is no ``Exception`` does not end the comparison."""

    class Escaping(Plain):
        def prepare(self, function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any) -> Any:
                raise GeneratorExit("out")

            return call

    difference = differ(seeded_program(0, 0), Escaping())
    assert difference is not None
    assert Escaped.__name__ in difference.message


def test_state_after_an_exception() -> None:
    """`atomic` says what a call that raises must leave in its arguments."""
    body = (Line("a0[0] = 7"), Line("a0[99] = 1"), Line("return (a0, )"))
    program = replace(seeded_program(0, 0), helpers=(), steps=body)
    base = replace(program.inputs.bases[0], name="base0", dtype="float64", shape=(2,), order="C", data=(1.0, 2.0))
    inputs = replace(program.inputs, bases=(base,), views={"a0": "base0"}, scalars={})
    program = replace(program, inputs=inputs, other_inputs=inputs)
    assert differ(program, Plain(), atomic=False) is None
    assert differ(program, Plain(), atomic=None) is None
    assert differ(program, Plain(), atomic=True) is not None
    assert isinstance(reference(program, inputs).error, IndexError)


def test_source_is_in_a_file() -> None:
    import inspect

    program = seeded_program(0, 1)
    with imported(program) as function:
        assert inspect.getsource(function).startswith("def program(")


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--examples=5", "--mode=numpy", "--seed=10"]) == 0
    assert "numpy: 5 programs" in capsys.readouterr().out
    assert main(["--examples=2", "--show"]) == 0
    assert capsys.readouterr().out.count("def program(") == 2


def test_comparison_notices_a_number() -> None:
    expected = Expected("x", np.float64(1.0), Level.SIGNLESS)
    assert compare(expected, 1.0) is not None
    assert compare(expected, np.float64(1.0)) is None


def _with_noise_nowhere(lines: list[str], *arguments: Any) -> Any:
    source = "import numpy as np\ndef program(a):\n" + "".join(f"    {line}\n" for line in lines)
    return run(shaken(source, "<overlap>", "program")(Shaker()), list(arguments))


def test_overlaps_that_numpy_copies_wrongly_are_not_compared() -> None:
    a = np.arange(9.0).reshape(3, 3)
    with pytest.raises(Unstable, match="just written"):
        _with_noise_nowhere(["a[1, ::-1] = a[::-1, -2]", "return a"], np.arange(25.0).reshape(5, 5))
    copied = ("a[1, ::-1] = a[1]", "a[1:] = a[:-1]", "a[:, 1] = a[:, 0]", "a[0] = a.T[2]", "a[[0, 1], 0] = a[:2, 1]")
    for line in copied:
        expected = a.copy()
        exec(line, {"a": expected})
        result, error = _with_noise_nowhere([line, "return a"], a.copy())
        assert error is None
        np.testing.assert_array_equal(result, expected)


def test_a_hyperbolic_tangent_of_one_is_rounded() -> None:
    shaker = Shaker()
    assert shaker.tanh(0.0) == 0.0 and not shaker.inexact
    assert shaker.tanh(np.tanh(40.0)) == 1.0 and shaker.inexact


@pytest.mark.parametrize(("seed", "index"), [(9801, 8782), (9901, 13949), (10301, 4485)])
def test_programs_that_once_took_minutes_or_crashed(seed: int, index: int) -> None:
    """An index before its check; branches that held all before them, twice; a loop without end that is not reached."""
    assert failure(seeded_program(seed, index), implementation("accelerate"), 50.0) is None
