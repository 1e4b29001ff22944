"""European options by the formula of Black and Scholes; the normal distribution as Abramowitz and Stegun, 26.2.17."""

from __future__ import annotations

import numpy as np

KIND, MOST, PASSES = "fused element-wise", 10**7, 1


def make(n):
    rng = np.random.default_rng(1)
    return rng.uniform(10.0, 50.0, n), rng.uniform(10.0, 50.0, n), rng.uniform(0.5, 2.0, n), 0.03, 0.25


def normal(x):
    k = 1.0 / (1.0 + 0.2316419 * np.abs(x))
    series = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    tail = 0.3989422804014327 * np.exp(-0.5 * x * x) * series
    return np.where(x > 0.0, 1.0 - tail, tail)


def run(spot, strike, years, rate, volatility):
    deviation = volatility * np.sqrt(years)
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * years) / deviation
    d2 = d1 - deviation
    discounted = strike * np.exp(-rate * years)
    call = spot * normal(d1) - discounted * normal(d2)
    return call, call - spot + discounted
