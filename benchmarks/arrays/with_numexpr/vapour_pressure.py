from __future__ import annotations

import numexpr


def run(celsius, humidity):
    saturation = numexpr.evaluate("6.112 * exp(17.62 * celsius / (243.12 + celsius))")
    logarithm = numexpr.evaluate("log(0.01 * humidity * saturation / 6.112)")
    dew_point = numexpr.evaluate("243.12 * logarithm / (17.62 - logarithm)")
    wet_bulb = numexpr.evaluate(
        "celsius * arctan(0.151977 * sqrt(humidity + 8.313659)) + arctan(celsius + humidity)"
        "- arctan(humidity - 1.676331)"
        "+ 0.00391838 * humidity**1.5 * arctan(0.023101 * humidity) - 4.686035"
    )
    return saturation, dew_point, wet_bulb
