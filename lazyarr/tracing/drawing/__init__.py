"""Random numbers that traced functions draw."""
