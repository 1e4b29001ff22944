"""The source transformation of `accelerate`: loops, branches and calls become calls of a control object."""

from __future__ import annotations

from lazyarr.tracing.control.convert import Converted, convert, converted_code
from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.control.python import Control, Info, Undefined

__all__ = ["Control", "Converted", "Info", "NotConverted", "Undefined", "convert", "converted_code"]
