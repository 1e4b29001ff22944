"""Real terrain through lazyarr: a plain NumPy program (erosion.py), accelerated, compared with NumPy, drawn."""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import erosion
import matplotlib
import numpy as np
from matplotlib.cbook import get_sample_data
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

import lazyarr

RUNS = 7
YEARS_A_STEP, STEPS = 30_000.0, 300
DIFFUSIVITY = 0.01  # square metres a year
DEGREES = np.linspace(0.0, 35.0, 71)
# XLA adds and multiplies in one rounding where NumPy rounds twice; over 300 steps that stays below this.
TOLERANCE = 1e-12
PICTURE = Path(__file__).parent / "out" / "terrain.png"


def jacksboro():
    """The elevation model in metres, and the cells' width and height in metres."""
    with get_sample_data("jacksboro_fault_dem.npz") as dem:
        metres = 111_200.0  # one degree of latitude
        middle = np.radians((dem["ymin"] + dem["ymax"]) / 2)
        return dem["elevation"].astype(float), metres * float(dem["dx"]) * np.cos(middle), metres * float(dem["dy"])


def timed(function, *args):
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def differences(result, expected):
    """The largest difference of each map, and whether all agree: integers exactly, floats within the tolerance."""
    found, agree = {}, result.keys() == expected.keys()
    for name, wanted in expected.items():
        got = result[name]
        agree = agree and got.dtype == wanted.dtype and got.shape == wanted.shape
        found[name] = float(np.abs(got - wanted).max())
        agree = agree and found[name] <= (TOLERANCE * np.abs(wanted).max() if wanted.dtype.kind == "f" else 0)
    return found, agree


def draw(before, maps, dx, dy):
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows, columns = before.shape
    extent = (0, columns * dx / 1000, 0, rows * dy / 1000)
    figure, axes = plt.subplots(2, 3, figsize=(15, 9.5), layout="constrained")
    years = YEARS_A_STEP * STEPS / 1e6
    figure.suptitle(f"Jacksboro fault, Tennessee: hillslope creep for {years:g} million years", fontsize=15)
    heights = {"cmap": "terrain", "vmin": before.min() - 150, "vmax": before.max(), "extent": extent}
    for column, (title, z, shade) in enumerate(
        [("today", before, maps["shade before"]), (f"after {STEPS} steps", maps["elevation"], maps["shade"])]
    ):
        image = axes[0, column].imshow(z, **heights)
        axes[0, column].set_title(f"elevation, {title}")
        axes[1, column].imshow(shade, cmap="gray", vmin=0, vmax=1, extent=extent)
        axes[1, column].set_title(f"hillshade, {title}")
    figure.colorbar(image, ax=axes[0, :2], label="metres", shrink=0.85)
    change = maps["elevation"] - before
    most = np.abs(change).max()
    image = axes[0, 2].imshow(change, cmap="RdBu_r", vmin=-most, vmax=most, extent=extent)
    axes[0, 2].set_title("worn down (blue), filled up (red)")
    figure.colorbar(image, ax=axes[0, 2], label="metres", shrink=0.85)
    for name, title in (("histogram before", "today"), ("histogram", f"after {STEPS} steps")):
        axes[1, 2].stairs(maps[name] / before.size * 100, DEGREES, fill=True, alpha=0.55, label=title)
    axes[1, 2].set(title="histogram of slope", xlabel="degrees", ylabel="percent of the area")
    axes[1, 2].legend()
    for axis in (*axes[0], *axes[1, :2]):
        axis.set(xlabel="km", ylabel="km")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def main():
    console = Console()
    elevation, dx, dy = jacksboro()
    arguments = (elevation, dx, dy, DIFFUSIVITY, YEARS_A_STEP, STEPS, DEGREES)
    accelerated = lazyarr.accelerate(erosion.wear_down)
    console.print(
        f"[bold]Jacksboro fault[/]: {elevation.shape[0]} x {elevation.shape[1]} cells of {dx:.0f} m x {dy:.0f} m, "
        f"{elevation.min():.0f} to {elevation.max():.0f} m high; {STEPS} steps of creep, then slope, aspect, "
        "hillshade, histograms"
    )
    columns = (SpinnerColumn(), TextColumn("{task.description:<44}"), BarColumn(30), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("lazyarr: first call (traces, optimizes, compiles)", total=2 * RUNS + 4)

        def step(description):
            progress.update(task, advance=1, description=description)

        first, result = timed(accelerated, *arguments)
        step("NumPy: first call")
        _, expected = timed(erosion.wear_down, *arguments)
        seconds = {"NumPy": [], "lazyarr": []}
        # Turn by turn, so that whatever else the machine does hits both.
        for run in range(RUNS):
            step(f"NumPy: run {run + 1} of {RUNS}")
            seconds["NumPy"].append(timed(erosion.wear_down, *arguments)[0])
            step(f"lazyarr: run {run + 1} of {RUNS}")
            seconds["lazyarr"].append(timed(accelerated, *arguments)[0])
        step("explaining")
        explanation = accelerated.explain(*arguments)
        step("drawing")
        draw(elevation, result, dx, dy)
        step("done")

    console.print("\n[bold]What became of the program[/]")
    console.print(str(explanation), highlight=False, markup=False, soft_wrap=True)

    found, agree = differences(result, expected)
    table = Table(title="\nCompared with NumPy", title_justify="left", title_style="bold")
    table.add_column("result")
    table.add_column("largest difference", justify="right")
    table.add_column("allowed", justify="right")
    for name, difference in found.items():
        floats = expected[name].dtype.kind == "f"
        table.add_row(name, f"{difference:.2g}", f"{TOLERANCE * np.abs(expected[name]).max():.1e}" if floats else "0")
    console.print(table)

    numpy, ours = (statistics.median(seconds[name]) for name in ("NumPy", "lazyarr"))
    table = Table(title=f"\nTime of a call, median of {RUNS}", title_justify="left", title_style="bold")
    table.add_column("")
    table.add_column("seconds", justify="right")
    table.add_row("NumPy", f"{numpy:.4f}")
    table.add_row("lazyarr", f"{ours:.4f}")
    table.add_row("lazyarr, first call", f"{first:.4f}")
    console.print(table)
    console.print(f"lazyarr is {numpy / ours:.1f} times as fast as NumPy" if ours < numpy else "lazyarr is not faster")
    console.print(f"picture: {PICTURE}", soft_wrap=True)
    if not agree:
        sys.exit("The results differ from NumPy's by more than is allowed.")


if __name__ == "__main__":
    main()
