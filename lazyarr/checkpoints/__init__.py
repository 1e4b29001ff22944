"""Checkpoints of loops.

Which variables a loop carries (`live`), what they hold (`state`), the files (`store`), the loop itself (`loop`).
"""

from __future__ import annotations

from lazyarr.checkpoints.loop import checkpoint

__all__ = ["checkpoint"]
