"""Little data that is there: NumPy computes with it where it is, in little more than NumPy's own time.

`lazyarr.eager` says what is little. What NumPy makes of it is held as it is, in `LazyArray._mine`, by the one array it
belongs to, which is written to in place; no node stands for it, and no cell. Basic indices lend views of it
(`LazyArray._lent`), and scalars are NumPy's own. When somebody asks for more than that (another view, a larger
operation, a trace), the array settles: its data becomes the value of a cell, which nobody changes
(`LazyArray._settle`). An array that no view shares takes its data back when it is written to, or cut.

The methods of this package stand before those of `LazyArray`, and leave to them all that is not so simple.
"""

from __future__ import annotations

from lazyarr.dispatch import take_little
from lazyarr.little import elements, fast_path, functions, operators, rows

operators.install()
elements.install()
fast_path.install()
take_little(functions.function, functions.scalars)
take_little(rows.along_axis)
