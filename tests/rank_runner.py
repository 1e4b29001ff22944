"""Programs one after another in one process, each as ``__main__``, what it prints after a line that names it.

``python rank_runner.py PROGRAM.py...`` for plain NumPy, ``lazyarr run rank_runner.py PROGRAM.py...`` for ranks: to
start ranks takes longer than most programs of the tests do.
"""

# mypy: ignore-errors
from __future__ import annotations

import os
import runpy
import sys

import numpy as np

together = np.__name__ != "numpy"
options = np.get_printoptions()
for path in sys.argv[1:]:
    name = os.path.splitext(os.path.basename(path))[0]
    print(f"# program {name}", flush=True)
    if together:
        from lazyarr.launch import run_script

        run_script(path, [])
    else:
        sys.path[0] = os.path.dirname(path)
        runpy.run_path(path, run_name="__main__")
    np.set_printoptions(**options)
