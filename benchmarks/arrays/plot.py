"""How many times faster than NumPy, over the number of elements: one picture, a panel for each class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.arrays.catalog import KINDS
from benchmarks.arrays.table import ENOUGH, ratio


def draw(results: dict[str, dict[int, dict[str, Any]]], kinds: dict[str, str], path: Path) -> None:
    """Write the picture: lines are accelerated functions, dashes the drop-in, grey the best peer."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(3, 3, figsize=(16, 13), sharex=True, constrained_layout=True)
    for panel, kind in zip(panels.flat, KINDS, strict=True):
        panel.set_title(kind)
        panel.axhspan(1e-3, ENOUGH, color="tab:red", alpha=0.08)
        panel.axhline(1.0, color="black", linewidth=0.8)
        for k, (program, found) in enumerate((name, results[name]) for name in results if kinds[name] == kind):
            color, numbers = f"C{k % 10}", sorted(found)
            for way, style in (("accelerated", "-o"), ("drop-in", "--")):
                values = [(n, r) for n in numbers if (r := ratio(found[n], way)) is not None]
                label = program.replace("_", " ") if way == "accelerated" else None
                if values:
                    xy = zip(*values, strict=True)
                    panel.plot(*xy, style, color=color, markersize=4, linewidth=1.2, label=label)
            best = [(n, max(ratios)) for n in numbers if (ratios := peers(found[n]))]
            if best:
                panel.plot(*zip(*best, strict=True), "x", color=color, alpha=0.6)
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_ylim(1e-2, 2e2)
        panel.grid(alpha=0.3)
        if panel.get_lines()[1:]:
            panel.legend(fontsize=7)
    figure.supxlabel("elements")
    figure.supylabel("times faster than NumPy (lines: accelerated, dashes: drop-in, crosses: best peer)")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def peers(point: dict[str, Any]) -> list[float]:
    """The ratios of the versions by hand."""
    found = (ratio(point, way) for way in point["times"] if way not in ("numpy", "accelerated", "drop-in"))
    return [r for r in found if r is not None]
