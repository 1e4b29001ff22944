from __future__ import annotations

import numpy as np
from numba import njit


def program(rng, paths, steps, spot, strike, rate, volatility, years):
    dt = years / steps
    drift, spread = (rate - 0.5 * volatility**2) * dt, volatility * np.sqrt(dt)
    price = np.full(paths, spot)
    total = np.zeros(paths)
    for _ in range(steps):
        for k in range(paths):
            price[k] *= np.exp(drift + spread * rng.standard_normal())
            total[k] += price[k]
    payoff = np.exp(-rate * years) * np.maximum(total / steps - strike, 0.0)
    return payoff.mean(), payoff.std() / np.sqrt(paths)


run = njit(program)
