"""``ndarray`` in the drop-in namespace: what ``isinstance`` asks for."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.array import LazyArray


class _ArrayMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, np.ndarray) or (isinstance(instance, LazyArray) and not instance._scalar)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, (LazyArray, np.ndarray))


class ndarray(metaclass=_ArrayMeta):
    """Lazy arrays and NumPy's arrays; calling it makes an array as `numpy.ndarray` does."""

    def __new__(cls, shape: Any, dtype: Any = float, buffer: Any = None, offset: int = 0, strides: Any = None,
                order: Any = None) -> Any:  # fmt: skip
        from lazyarr.array import rebuild

        if buffer is None:
            return rebuild(np.zeros(shape, dtype, order or "C"))
        return rebuild(np.ndarray(shape, dtype, buffer, offset, strides, order).copy(order="K"))
