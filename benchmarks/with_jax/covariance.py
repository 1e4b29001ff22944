from __future__ import annotations

import jax


@jax.jit
def run(data):
    data = data - data.mean(axis=0)
    return data, data.T @ data / (data.shape[0] - 1.0)
