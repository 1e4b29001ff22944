"""Declarations of operations, one file a family; importing this package declares them all."""

from lazyarr.ops import control, create, elementwise, linalg

__all__ = ["control", "create", "elementwise", "linalg"]
