"""Random numbers of many distributions are NumPy's own, and streams go on after them."""

from __future__ import annotations

from typing import Any

import numpy as np

rng = np.random.default_rng(5)


def show(x: Any) -> None:
    print(f"{x.sum():.7f} {x.ravel()[1234]:.12f}")


show(rng.random((90, 70)))
show(rng.normal(1, 2, (70, 90)))
show(rng.random(5000))
show(rng.uniform(-1, 1, size=6000))
show(rng.integers(0, 9, 20000))
show(rng.random((90, 70)))
show(rng.integers(0, 9, 3001, dtype=np.int16))
show(rng.random(4001))
show(rng.exponential(2.0, (100, 50)))
show(rng.gamma(2.0, 1.0, 5000))
show(rng.beta(0.5, 2.0, (33, 100)))
show(rng.random((3, 2000)))
show(rng.chisquare(3.0, 3000))
show(rng.laplace(size=2000))
np.random.seed(3)
show(np.random.rand(30, 200))
show(np.random.randn(31, 101))
show(np.random.normal(size=(10, 200)))
show(np.random.randint(0, 5, 3000))
show(np.random.standard_normal(3333))
legacy = np.random.RandomState(7)
show(legacy.random_sample((111, 22)))
show(legacy.randn(2001))
show(np.random.Generator(np.random.Philox(4)).random(3000))
