from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax


@jax.jit
def run(data, polynomial):
    def byte(crc, value):
        value = value.astype(jnp.int64)

        def bit(_, state):
            crc, value = state
            crc = jnp.where((crc ^ value) & 1, (crc >> 1) ^ polynomial, crc >> 1)
            return crc, value >> 1

        return lax.fori_loop(0, 8, bit, (crc, value))[0], None

    crc, _ = lax.scan(byte, jnp.int64(0xFFFF), data)
    crc = ~crc & 0xFFFF
    return ((crc << 8) & 0xFF00) | ((crc >> 8) & 0xFF)
