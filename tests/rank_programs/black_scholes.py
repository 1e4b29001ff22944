"""Black and Scholes' prices of European options."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"
from __future__ import annotations

import numpy as np
from numpy import exp, log, sqrt


def normal(d):
    k = 1 / (1 + 0.2316419 * np.abs(d))
    tail = k * (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    density = 0.3989422804014327 * exp(-0.5 * d * d) * tail
    return np.where(d > 0, 1 - density, density)


np.random.seed(7)
n = 100_000
price, strike = np.random.uniform(5, 30, n), np.random.uniform(1, 100, n)
years = np.random.uniform(0.25, 10, n)
rate, volatility = 0.02, 0.3
d1 = (log(price / strike) + (rate + 0.5 * volatility**2) * years) / (volatility * sqrt(years))
d2 = d1 - volatility * sqrt(years)
call = price * normal(d1) - strike * exp(-rate * years) * normal(d2)
print(f"{call.mean():.9f} {call.max():.9f}", call[:3])
