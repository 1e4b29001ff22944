from __future__ import annotations

import numexpr


def normal(x):
    k = numexpr.evaluate("1.0 / (1.0 + 0.2316419 * abs(x))")
    return numexpr.evaluate(
        "where(x > 0.0, 1.0 - 0.3989422804014327 * exp(-0.5 * x * x) * k * (0.319381530 + k * (-0.356563782 + k * "
        "(1.781477937 + k * (-1.821255978 + k * 1.330274429)))), 0.3989422804014327 * exp(-0.5 * x * x) * k * "
        "(0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429)))))"
    )


def run(spot, strike, years, rate, volatility):
    d1 = numexpr.evaluate("(log(spot / strike) + (rate + 0.5 * volatility**2) * years) / (volatility * sqrt(years))")
    n1 = normal(d1)
    n2 = normal(numexpr.evaluate("d1 - volatility * sqrt(years)"))
    call = numexpr.evaluate("spot * n1 - strike * exp(-rate * years) * n2")
    return call, numexpr.evaluate("call - spot + strike * exp(-rate * years)")
