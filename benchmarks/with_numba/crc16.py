from __future__ import annotations

from numba import njit


def program(data, polynomial):
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


run = njit(program)
