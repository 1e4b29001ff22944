"""Which public NumPy functions run NumPy's own Python definition over lazy arrays; each is tested against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.convert import PYTHON_SCALARS, as_lazy
from lazyarr.dispatch import implements
from lazyarr.numpy._through import SUBSTITUTES, through_names
from lazyarr.numpy._types import ndarray


def _broadcast(*arrays: Any) -> np.broadcast:
    """`numpy.broadcast` of arrays of which only the shapes are looked at."""
    return np.broadcast(*(np.broadcast_to(np.empty(()), as_lazy(a).shape) for a in arrays))


SUBSTITUTES[id(np.broadcast)] = _broadcast
SUBSTITUTES[id(np.ndarray)] = ndarray

through_names(
    np,
    "angle append apply_along_axis apply_over_axes array_equal array_equiv atleast_1d atleast_2d "
    "atleast_3d allclose column_stack corrcoef cov cross diag diff "
    "dsplit dstack expand_dims fill_diagonal fix fliplr flipud hsplit hstack isclose "
    "iscomplex isneginf isposinf isreal kron matrix_transpose moveaxis nan_to_num nancumprod "
    "nancumsum nanprod nansum poly polyadd polyder polydiv polyint polymul polysub "
    "polyval real_if_close rollaxis roots rot90 sinc trapezoid tril triu unstack unwrap vander "
    "vsplit vstack cumulative_sum cumulative_prod",
)


@implements(np.real)
def real(val: Any) -> Any:
    """As `numpy.real`."""
    return val.real if issubclass(type(val), (*PYTHON_SCALARS, np.generic)) else as_lazy(val).real


@implements(np.imag)
def imag(val: Any) -> Any:
    """As `numpy.imag`."""
    return val.imag if issubclass(type(val), (*PYTHON_SCALARS, np.generic)) else as_lazy(val).imag
