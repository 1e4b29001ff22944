"""Tracing: `accelerate`, what crosses an accelerated call, and how its control flow is captured."""

from __future__ import annotations

from lazyarr.tracing.decorator import accelerate

__all__ = ["accelerate"]
