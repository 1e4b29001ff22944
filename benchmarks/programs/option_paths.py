"""The price of an Asian option: paths of a geometric Brownian motion, all of them a step at a time.

(Glasserman, Monte Carlo Methods in Financial Engineering, 2003, 1.1.) Gives the price and its standard error.
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": (30, 6), "bench": (20_000, 100)}


def make(size):
    paths, steps = size
    return np.random.default_rng(72), paths, steps, 100.0, 105.0, 0.05, 0.2, 1.0


def run(rng, paths, steps, spot, strike, rate, volatility, years):
    dt = years / steps
    price = np.full(paths, spot)
    total = np.zeros(paths)
    for _ in range(steps):
        z = rng.standard_normal(paths)
        price *= np.exp((rate - 0.5 * volatility**2) * dt + volatility * np.sqrt(dt) * z)
        total += price
    payoff = np.exp(-rate * years) * np.maximum(total / steps - strike, 0.0)
    return payoff.mean(), payoff.std() / np.sqrt(paths)
