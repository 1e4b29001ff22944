"""Functions of SciPy that are compiled: all of them in accelerated functions, ufuncs wherever they meet lazy arrays.

SciPy is not imported for them: who calls one has done that. What is not here is traced through its Python source, or
runs in SciPy.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def counterpart(value: Any) -> Any:
    """What stands for a function or ufunc of SciPy's in a traced program; None if it is none that is compiled.

    Parameters
    ----------
    value
        Anything.
    """
    if isinstance(value, np.ufunc):
        if getattr(sys.modules.get("scipy.special"), value.__name__, None) is not value:
            return None
        from lazyarr.scipy.special import ufunc

        return ufunc(value)
    # (What f2py makes of Fortran has no module.)
    if type(value).__name__ == "fortran" or str(getattr(value, "__module__", "")).startswith("scipy."):
        from lazyarr.scipy._functions import implementation

        return implementation(value)
    return None
