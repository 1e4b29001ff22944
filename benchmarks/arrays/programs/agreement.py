"""How a forecast agrees with what was observed: bias, root mean square error, correlation, mean absolute error."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "reductions and statistics", 10**8, 2


def make(n):
    rng = np.random.default_rng(18)
    observed = rng.normal(280.0, 8.0, n)
    return observed + rng.normal(0.3, 1.5, n), observed


def run(forecast, observed):
    error = forecast - observed
    f, o = forecast - forecast.mean(), observed - observed.mean()
    correlation = (f * o).sum() / np.sqrt((f * f).sum() * (o * o).sum())
    return error.mean(), np.sqrt((error * error).mean()), correlation, np.abs(error).mean()
