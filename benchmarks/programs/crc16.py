"""A cyclic redundancy check of 16 bits over bytes, bit by bit (CCITT, least significant bit first).

(Williams, A Painless Guide to CRC Error Detection Algorithms; ISO/IEC 13239.)
"""

from __future__ import annotations

import numpy as np

SIZES = {"test": 20, "bench": 40_000}


def make(n):
    return np.random.default_rng(53).integers(0, 256, n, dtype=np.uint8), 0x8408


def run(data, polynomial):
    crc = 0xFFFF
    for byte in data:
        value = 0xFF & int(byte)
        for _ in range(8):
            if (crc & 1) ^ (value & 1):
                crc = (crc >> 1) ^ polynomial
            else:
                crc >>= 1
            value >>= 1
    crc = ~crc & 0xFFFF
    return ((crc << 8) & 0xFF00) | ((crc >> 8) & 0xFF)
