"""How a landscape wears down. Plain NumPy: nothing in this file knows of lazyarr."""

from __future__ import annotations

import numpy as np


def creep(elevation, dx, dy, diffusivity, dt, steps):
    """Hillslope creep, dz/dt = D (d2z/dx2 + d2z/dy2), in explicit steps; the edges stay as they are."""
    z = elevation.copy()
    for _ in range(steps):
        bend_x = (z[1:-1, 2:] - 2 * z[1:-1, 1:-1] + z[1:-1, :-2]) / dx**2
        bend_y = (z[2:, 1:-1] - 2 * z[1:-1, 1:-1] + z[:-2, 1:-1]) / dy**2
        z[1:-1, 1:-1] += diffusivity * dt * (bend_x + bend_y)
    return z


def slope_and_aspect(z, dx, dy):
    """Steepness, and the compass direction downhill (clockwise from north), in radians. Row 0 is the north edge."""
    south, east = np.gradient(z, dy, dx)
    return np.arctan(np.hypot(east, south)), np.arctan2(-east, south)


def hillshade(slope, aspect, azimuth=315.0, altitude=40.0):
    """Brightness from 0 to 1 under a sun at this azimuth and altitude, in degrees."""
    sun, zenith = np.radians(azimuth), np.radians(90 - altitude)
    light = np.cos(zenith) * np.cos(slope) + np.sin(zenith) * np.sin(slope) * np.cos(sun - aspect)
    return np.clip(light, 0, 1)


def wear_down(elevation, dx, dy, diffusivity, dt, steps, bins):
    """The landscape after `steps` of creep: elevation, slope, hillshades before and after, histograms of slope."""
    worn = creep(elevation, dx, dy, diffusivity, dt, steps)
    slope, aspect = slope_and_aspect(elevation, dx, dy)
    worn_slope, worn_aspect = slope_and_aspect(worn, dx, dy)
    return {
        "elevation": worn,
        "slope": np.degrees(worn_slope),
        "shade": hillshade(worn_slope, worn_aspect),
        "shade before": hillshade(slope, aspect),
        "histogram": np.histogram(np.degrees(worn_slope), bins)[0],
        "histogram before": np.histogram(np.degrees(slope), bins)[0],
    }
