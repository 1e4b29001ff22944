"""The programs that are formulas of single elements, as NumExpr takes them; files named as in `programs`."""

from __future__ import annotations
