"""What a call of a ufunc says beside its operands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.dispatch import NotCompiled
from lazyarr.words import order_of


def outputs(out: Any, nout: int) -> tuple[LazyArray | None, ...]:
    """The ``out=`` argument as one entry an output.

    Raises
    ------
    TypeError
        If an entry is not an array, in NumPy's words.
    """
    if out is None:
        return (None,) * nout
    given = out if isinstance(out, tuple) else (out,)
    if len(given) != nout:
        if isinstance(out, tuple):
            raise ValueError("The 'out' tuple must have exactly one entry per ufunc output")
        raise TypeError("'out' must be a tuple of arrays")
    for o in given:
        if o is not None and not isinstance(o, LazyArray):
            if isinstance(o, np.ndarray):
                raise NotCompiled("out= is a NumPy array")
            raise TypeError("return arrays must be of ArrayType")
        if o is not None and (o._scalar or not o._writeable):
            if o._scalar:
                raise TypeError("return arrays must be of ArrayType")
            raise ValueError("output array is read-only")
    return given


def c_or_f(order: str, inputs: Sequence[LazyArray]) -> str:
    """``order=`` of a call whose result is not laid out as the operands are."""
    order = order_of(order, "K")
    if order == "A":
        fortran = all(geometry.is_f_contiguous(x.shape, x.strides, x.dtype.itemsize) for x in inputs)
        return "F" if fortran and any(x.ndim > 1 for x in inputs) else "C"
    return order


def signature_asked(ufunc: Any, dtype: Any, signature: Any) -> Any:
    """The ``signature`` for `resolve_dtypes` that ``dtype=`` and ``signature=`` of a call ask for."""
    if dtype is not None:
        if signature is not None:
            raise TypeError("cannot specify both 'signature' and 'dtype'")
        if isinstance(dtype, type) and issubclass(dtype, np.dtype):
            dtype = dtype()  # type: ignore[call-overload]
        return (*(None,) * ufunc.nin, *(np.dtype(dtype),) * ufunc.nout)
    if isinstance(signature, str):
        return tuple(np.dtype(c) for c in signature.replace("->", ""))
    if signature is None or isinstance(signature, tuple):
        if signature is not None and len(signature) == 1:
            return (*(None,) * ufunc.nin, *(np.dtype(signature[0]),) * ufunc.nout)
        return signature if signature is None else tuple(None if s is None else np.dtype(s) for s in signature)
    raise TypeError("the signature object to ufunc must be a string or a tuple.")



def refuse_out(out: tuple[int, ...], shape: tuple[int, ...]) -> None:
    from lazyarr.assignment import shape_text

    raise ValueError(f"non-broadcastable output operand with shape {shape_text(out)} doesn't match the broadcast shape "
                     f"{shape_text(shape)}")
