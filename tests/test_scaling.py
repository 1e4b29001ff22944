"""Predicted scaling: the points, the table, the picture."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from benchmarks import scaling
from lazyarr.cost_model import DEFAULT, CostModel


@pytest.mark.parametrize("case", scaling.CASES, ids=lambda case: str(case.function.__name__))
def test_more_ranks_take_a_smaller_part_each(case: scaling.Case) -> None:
    found = scaling.scaled(case, DEFAULT, (2, 4, 8))
    assert sorted(found) == ["strong, line", "strong, square", "weak, line", "weak, square"]
    for way, points in found.items():
        assert [point.ranks for point in points] == [4, 16, 64]
        assert all(0.1 < point.efficiency <= 1 for point in points)
        for fewer, more in itertools.pairwise(points):
            assert more.efficiency <= fewer.efficiency + 0.01  # the border of the problem is less work
            if way.startswith("strong"):
                assert more.n == fewer.n
                assert more.memory < fewer.memory
            else:
                assert more.n == 2 * fewer.n


def test_where_messages_cost_nothing_only_work_that_is_done_twice_is_lost() -> None:
    product = scaling.CASES[1]
    free = CostModel(latency=1e-30, bandwidth=1e30)
    assert scaling.predicted(product, 4096, (8, 8), free).efficiency == pytest.approx(1)
    assert scaling.predicted(product, 4096, (8, 8), DEFAULT).efficiency < 0.99


def test_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(scaling, "CASES", scaling.CASES[1:])
    monkeypatch.setattr(scaling, "SIDES", (2, 4))
    monkeypatch.setattr(scaling.scaled, "__defaults__", ((2, 4),))
    monkeypatch.setattr(sys, "argv", ["scaling", "--defaults", "--output", str(tmp_path / "out")])
    scaling.main()
    output = capsys.readouterr().out
    assert "matrix product" in output
    assert output.endswith("predicted; times rest on default costs and 10 us a message, not measured\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["scaling.json", "scaling.png"]
    assert (tmp_path / "out" / "scaling.png").read_bytes().startswith(b"\x89PNG")
