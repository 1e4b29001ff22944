"""Golden texts: each pass on small graphs, before and after. ``pytest --update-golden`` writes what passes give now.

A file in ``tests/golden`` holds cases: a title, a graph, and for each step the passes and the graph they give::

    === a title that says what is shown
    graph(%0: f64[3]) {
      ...
    }
    --- canonicalize
    graph(%0: f64[3]) {
      ...
    }

A graph's trailing comments ``# file.py:3`` are its table of origins.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lazyarr.ops  # noqa: F401  declares the operations
from lazyarr.backends.numpy import interpret
from lazyarr.ir.graph import Line, Program
from lazyarr.ir.node import Node
from lazyarr.ir.rewrite import all_nodes
from lazyarr.ir.text import parse, show
from lazyarr.passes.pipeline import PASSES, parse_pipeline, run_pipeline
from tests.bits import arguments, assert_same_bits

FILES = sorted((Path(__file__).parent / "golden").glob("*.txt"))


def parse_program(text: str) -> Program:
    """A graph and the table of origins in its comments."""
    origins: dict[Node, frozenset[Line]] = {}
    graph = parse(text)
    commented = [line for line in text.splitlines() if "  # " in line]
    plain = show(graph).splitlines()
    nodes = {line.strip(): node for line, node in zip(_lines_of_nodes(plain), graph.nodes, strict=False)}
    for line in commented:
        code, comment = line.split("  # ")
        places = [(name, int(number)) for name, number in re.findall(r"([\w.]+):(\d+)", comment)]
        origins[nodes[code.strip()]] = frozenset(places)
    return Program(graph, origins)


def _lines_of_nodes(lines: list[str]) -> list[str]:
    return [line for line in lines if re.match(r"  %\d", line)]


def updated(text: str) -> str:
    """The golden file `text` with every graph after a pass computed anew; checks each pass on the way."""
    out: list[str] = []
    for case in re.split(r"(?m)^(?==== )", text):
        if not case.startswith("=== "):
            out.append(case)
            continue
        head, *steps = re.split(r"(?m)^--- (.*)\n", case)
        title, _, source = head.partition("\n")
        program = parse_program(source)
        out.append(f"{title}\n{show(program.graph, program.origins)}\n")
        for passes in steps[::2]:
            before, program = program, run_pipeline(program, parse_pipeline(passes), verify=True)
            assert_same_meaning(before, program)
            out.append(f"--- {passes}\n{show(program.graph, program.origins)}\n")
        out.append("\n")
    return "".join(out).rstrip("\n") + "\n"


def assert_same_meaning(before: Program, after: Program) -> None:
    """The interpreter gives the same bits for both, and the table of origins is about nodes that exist."""
    assert after.graph.params == before.graph.params
    assert [v.type for v in after.graph.results] == [v.type for v in before.graph.results]
    for seed in range(3):
        given = arguments(before.graph, seed)
        count = len(before.graph.results)
        assert_same_bits(interpret(after.graph, given)[:count], interpret(before.graph, given)[:count])
    assert set(after.origins) <= set(all_nodes(after.graph))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden(path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text()
    now = updated(text)
    if request.config.getoption("--update-golden"):
        path.write_text(now)
    else:
        assert now == text, "run pytest --update-golden if this is what should be, and read the difference"


def test_every_pass_has_golden_texts() -> None:
    own = {name for name, cls in PASSES.items() if cls.__module__.startswith("lazyarr.passes.")}
    assert own <= {path.stem for path in FILES}
